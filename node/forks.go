package node

import (
	"errors"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// Forks lists the pairs of contradicting headers that an origin signed.
func (n *Node) Forks(origin protocol.MemberID) (pairs [][2]*protocol.SignedHeader, err error) {
	err = n.store.View(func(tx *store.Tx) error {
		pairs, err = tx.Origin(origin).Evidence()
		return err
	})
	return pairs, err
}

func (n *Node) reportFork(f *replica.ForkError) {
	n.metrics.forks.WithLabelValues(string(f.Held.Origin)).Inc()
	n.log.Error("an origin signed two histories; its catalogue is frozen here", "origin", f.Held.Origin,
		"position", f.Held.Pos.String(), "held", f.Held.Raw.Short(), "other", f.Other.Raw.Short())
}

// examineFork compares the header that a holder showed as its reason with our own: an alarm needs two signed headers.
func (n *Node) examineFork(other *protocol.SignedHeader) error {
	var found error
	err := n.store.View(func(tx *store.Tx) error {
		set := tx.Origin(other.Origin)
		c, err := loadCopy(set, other.Origin)
		if err != nil {
			return err
		}
		found = c.Conflict(set, other)
		return nil
	})
	var fork *replica.ForkError
	switch {
	case err != nil:
		return err
	case errors.As(found, &fork):
		return errors.Join(found, n.freeze(fork))
	case found != nil:
		return found
	}
	return protocol.Errorf(protocol.CodeHolder, "answer.head", "a fork was called that its header does not show")
}

// freeze stores the evidence and stops the copy where it stands.
func (n *Node) freeze(f *replica.ForkError) error {
	origin := f.Held.Origin
	n.reportFork(f)
	var c *replica.Copy
	err := n.store.Update(func(tx *store.Tx) (err error) {
		set := tx.Origin(origin)
		if c, err = loadCopy(set, origin); err != nil {
			return err
		}
		c.Disputed = true
		return errors.Join(set.AddEvidence(f.Held, f.Other), set.SetFrontier(c.Encode()))
	})
	if err == nil {
		n.admitted(origin, nil, c)
	}
	return err
}
