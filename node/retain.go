package node

import (
	"errors"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// How long a withdrawal stays in the set: at least so long and until every member has proven it, and at most so long.
const (
	retainLeast = 90 * 24 * time.Hour
	retainMost  = 400 * 24 * time.Hour
	floorEvery  = time.Hour // between looks for withdrawals that may go
	floorStep   = protocol.MaxPurge / 4
)

// acknowledged notes how far a member has proven this node's catalogue, as its vector says. Who claims too much harms
// itself: it will have to draw anew.
func (n *Node) acknowledged(from protocol.MemberID, pos protocol.Position) {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	if pos.Compare(n.own.acks[from]) > 0 {
		n.own.acks[from] = pos
	}
}

// everybodyHas is the seq up to which every other member has proven this catalogue, as far as it said so since the start.
func (n *Node) everybodyHas() uint64 {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	least := uint64(protocol.MaxNumber)
	for _, m := range n.roster.Load().Charter().Members {
		if m.ID != n.cfg.Member {
			least = min(least, n.own.acks[m.ID].Seq)
		}
	}
	return least
}

// raiseFloor is the floor for the next change: below it withdrawals are forgotten. 0 leaves it as it is.
func (n *Node) raiseFloor(own *store.Origin) (floor uint64, err error) {
	now := n.cfg.Now()
	if now.Before(n.nextFloor) {
		return 0, nil
	}
	all, err := own.Withdrawn(protocol.MaxNumber, floorStep)
	if err != nil {
		return 0, err
	}
	has := n.everybodyHas()
	for _, e := range all {
		c, err := own.Record(e.Key)
		if err != nil || c == nil {
			return 0, err
		}
		t, err := protocol.DecodeTombstone(c.Body)
		if err != nil {
			break // a withdrawal that nobody can date stays
		}
		age := now.Sub(t.At.Time())
		if age < n.cfg.RetainLeast || e.Pos.Seq > has && age < n.cfg.RetainMost {
			break
		}
		floor = e.Pos.Seq
	}
	if len(all) < floorStep || floor == 0 {
		n.nextFloor = now.Add(min(floorEvery, n.cfg.RetainLeast/4))
	}
	return floor, nil
}

// trimArchive deletes head statements that were archived longer ago than anybody asks for.
func (n *Node) trimArchive() error {
	return n.store.Update(func(tx *store.Tx) error {
		var err error
		for _, m := range n.roster.Load().Charter().Members {
			err = errors.Join(err, tx.Origin(m.ID).TrimArchive(protocol.InstantOf(n.cfg.Now().Add(-retainMost)), wipeStep))
		}
		return err
	})
}
