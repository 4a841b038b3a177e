package replica

import "github.com/asean-tmh/tmh/protocol"

// maxEarly bounds the changes held back per origin: gossip reorders a few, more than that is a gap that a pull closes.
const maxEarly = 128

// Early holds changes that gossip brought before their predecessors, so that a reordering of milliseconds needs no pull.
// They are verified, but nothing of them is applied. It is not safe for concurrent use.
type Early struct {
	by map[protocol.Position]*protocol.Change
}

// Hold keeps a change for later. Where too many wait already it is dropped: a pull will bring it.
func (e *Early) Hold(c *protocol.Change) {
	if e.by == nil {
		e.by = make(map[protocol.Position]*protocol.Change)
	}
	if len(e.by) < maxEarly {
		e.by[c.Pos] = c
	}
}

// After takes out the change that follows pos, nil where it has not come. What lies at or below pos is dropped.
func (e *Early) After(pos protocol.Position) *protocol.Change {
	for p := range e.by {
		if p.Compare(pos) <= 0 {
			delete(e.by, p)
		}
	}
	next := protocol.Position{Epoch: pos.Epoch, Seq: pos.Seq + 1}
	c := e.by[next]
	delete(e.by, next)
	return c
}
