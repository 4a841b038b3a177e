package node

import (
	"context"
	"errors"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// An arrival is a verified change that gossip brought, or a nudge: look whether changes held back can be applied now.
type arrival struct {
	origin protocol.MemberID
	change *protocol.Change // nil: a nudge
}

// handler is the node as node/p2p sees it.
type handler Node

// Changes implements p2p.Handler. Where admission cannot follow, changes are dropped and a claim stays: a pull brings
// them.
func (h *handler) Changes(from protocol.MemberID, cs []*protocol.Change) {
	n := (*Node)(h)
	for _, c := range cs {
		if c.Origin == n.cfg.Member {
			n.sawOwnChange(from, &c.SignedHeader)
			continue
		}
		n.sawSigned(c.Origin, c.Pos)
		select {
		case n.inbox <- arrival{c.Origin, c}:
		default:
			n.metrics.refused.WithLabelValues("inbox-full").Inc()
			n.claim(c.Origin, c.Origin, c.Pos)
		}
	}
}

// sawSigned notes how far an origin has signed, as far as verified headers and statements show: the measure of what is
// missing here. What members merely claim is no such measure.
func (n *Node) sawSigned(origin protocol.MemberID, pos protocol.Position) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if pos.Compare(n.signed[origin]) > 0 {
		n.signed[origin] = pos
	}
}

func (n *Node) nudge(origin protocol.MemberID) {
	select {
	case n.inbox <- arrival{origin: origin}:
	default: // what waits there looks at the held-back changes as well
	}
}

// maxAdmit bounds the changes that share an admission's transaction; their bytes are bounded by a quarter of what the
// store takes in one.
const maxAdmit = 128

// weight of a change in a transaction, its header and keys included.
func weight(c *protocol.Change) int64 {
	if c == nil {
		return 0
	}
	return int64(len(c.Body)) + 2*protocol.MaxHeader
}

// admitLoop applies what gossip brings; what came while the disk was busy shares the next transaction.
func (n *Node) admitLoop(ctx context.Context) {
	for {
		var batch []arrival
		select {
		case <-ctx.Done():
			return
		case a := <-n.inbox:
			batch = append(batch, a)
		}
		room := n.store.MaxWrite()/4 - weight(batch[0].change)
	more:
		for len(batch) < maxAdmit && room > 0 {
			select {
			case a := <-n.inbox:
				batch = append(batch, a)
				room -= weight(a.change)
			default:
				break more
			}
		}
		if err := n.admit(batch); err != nil {
			n.metrics.refused.WithLabelValues(string(protocol.CodeOf(err))).Inc()
			n.log.Warn("gossip not applied; it will be pulled", "error", err)
			for _, a := range batch {
				if a.change != nil {
					n.claim(a.origin, a.origin, a.change.Pos)
				}
			}
		}
	}
}

// An admission is the work on one origin within a transaction.
type admission struct {
	set     *store.Origin
	copy    *replica.Copy
	room    int64 // bytes for changes that were held back
	applied int
	changed bool
	forks   []protocol.Evidence
}

func (n *Node) admit(batch []arrival) error {
	var work map[protocol.MemberID]*admission
	err := n.store.Update(func(tx *store.Tx) error {
		work = make(map[protocol.MemberID]*admission)
		for _, a := range batch {
			w := work[a.origin]
			if w == nil {
				w = &admission{set: tx.Origin(a.origin), room: n.store.MaxWrite() / 4 / int64(len(batch))}
				var err error
				if w.copy, err = loadCopy(w.set, a.origin); err != nil {
					return err
				}
				work[a.origin] = w
			}
			if err := n.admitOne(w, a); err != nil {
				return err
			}
		}
		for _, w := range work {
			if w.changed {
				if err := errors.Join(w.set.SetFrontier(w.copy.Encode()), w.set.TrimHeaders(w.copy.Proven, 2*maxAdmit)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for origin, w := range work {
		if w.changed {
			n.admitted(origin, w.set.Replaced, w.copy)
			n.tap(Event{Origin: origin, Pos: w.copy.Proven, Gossip: true, Changes: w.applied})
		}
		for _, e := range w.forks {
			n.tellFork(e)
		}
	}
	return nil
}

// admitOne applies an arrival and then every change held back that follows.
func (n *Node) admitOne(w *admission, a arrival) error {
	for c := a.change; ; {
		if c != nil {
			if err := n.step(w, c); err != nil {
				return err
			}
		}
		if w.room < 0 {
			n.nudge(a.origin) // the rest in a transaction of its own
			return nil
		}
		if w.copy.CatchingUp() { // what was held back would be held back again
			return nil
		}
		if c = n.heldBack(a.origin, w.copy.Proven); c == nil {
			return nil
		}
		w.room -= weight(c)
	}
}

// step tries one change. What the change is at fault for is counted; an error is the store's.
func (n *Node) step(w *admission, c *protocol.Change) error {
	trial := *w.copy
	err := n.withinQuota(&c.SignedHeader)
	if !n.isMember(c.Origin) {
		err = protocol.Errorf(protocol.CodeOrigin, "header.origin", "%s left while its change waited", c.Origin)
	}
	if err == nil {
		err = trial.Next(w.set, c)
	}
	var fork *replica.ForkError
	switch code := protocol.CodeOf(err); {
	case err == nil:
		if err := n.entered(w.set, &trial, w.copy.Proven.Epoch); err != nil {
			return err
		}
		*w.copy, w.changed = trial, true
		w.applied++
		n.metrics.admitted.WithLabelValues("gossip").Inc()
	case errors.As(err, &fork):
		e, ok := protocol.NewEvidence(fork.Held, fork.Other)
		if !ok || n.roster.Load().Settled(c.Origin, e.B.Pos) {
			n.metrics.refused.WithLabelValues("settled").Inc()
			return nil
		}
		news, err := n.dispute(w.set, w.copy, e)
		if w.changed = w.changed || news; news {
			w.forks = append(w.forks, e)
		}
		return err
	case code == protocol.CodeGap:
		n.holdBack(c)
		n.claim(c.Origin, c.Origin, c.Pos)
		n.metrics.refused.WithLabelValues(string(code)).Inc()
	case code == protocol.CodeInternal:
		return err
	default:
		n.metrics.refused.WithLabelValues(string(code)).Inc()
		if code != protocol.CodeReplayed {
			n.log.Warn("change refused", "origin", c.Origin, "position", c.Pos.String(), "error", err)
		}
	}
	return nil
}

func (n *Node) holdBack(c *protocol.Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.early[c.Origin] == nil {
		n.early[c.Origin] = new(replica.Early)
	}
	n.early[c.Origin].Hold(c)
}

func (n *Node) heldBack(origin protocol.MemberID, pos protocol.Position) *protocol.Change {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e := n.early[origin]; e != nil {
		return e.After(pos)
	}
	return nil
}
