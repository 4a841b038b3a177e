package node

import (
	"context"
	"errors"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// Forks lists the pairs of contradicting headers that an origin signed.
func (n *Node) Forks(origin protocol.MemberID) (all []protocol.Evidence, err error) {
	err = n.store.View(func(tx *store.Tx) error {
		all, err = tx.Origin(origin).Evidence()
		return err
	})
	return all, err
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
		return errors.Join(n.freeze(fork), found)
	case found != nil:
		return found
	}
	return protocol.Errorf(protocol.CodeHolder, "answer.head", "a fork was called that its header does not show")
}

// freeze keeps the evidence, stops the copy where it stands and tells the others. At a position that the origin's card has
// sealed a contradiction proves nothing, as the key may have been stolen since: what is held may be the false one, so it
// is drawn anew.
func (n *Node) freeze(f *replica.ForkError) error {
	e, ok := protocol.NewEvidence(f.Held, f.Other)
	if !ok {
		return protocol.Errorf(protocol.CodeInternal, "", "the headers at %s do not contradict each other", f.Held.Pos)
	}
	if n.roster.Load().Settled(e.Origin(), e.B.Pos) {
		return protocol.Errorf(protocol.CodeRestart, "header.seq", "%s has sealed %s: draw from the beginning", e.Origin(), e.B.Pos)
	}
	return n.takeEvidence(e)
}

// takeEvidence keeps verified evidence, freezes the copy of an origin that signed two histories in the epoch in force, and
// passes on what is news.
func (n *Node) takeEvidence(e protocol.Evidence) error {
	origin := e.Origin()
	var c *replica.Copy
	news := false
	err := n.store.Update(func(tx *store.Tx) (err error) {
		set := tx.Origin(origin)
		if c, err = loadCopy(set, origin); err != nil {
			return err
		}
		news, err = n.dispute(set, c, e)
		return err
	})
	if err != nil || !news {
		return err
	}
	n.admitted(origin, nil, c)
	n.tellFork(e)
	return nil
}

// dispute is takeEvidence within a transaction.
func (n *Node) dispute(set *store.Origin, c *replica.Copy, e protocol.Evidence) (news bool, err error) {
	if !inReach(c.Proven, e.B.Pos) {
		return false, nil
	}
	if news, err = set.AddEvidence(e); err != nil {
		return false, err
	}
	if e.A.Pos.Epoch != c.Proven.Epoch || c.Disputed { // of an earlier epoch it is settled; a later one is disputed when it is reached
		return news, nil
	}
	c.Disputed = true
	return true, set.SetFrontier(c.Encode())
}

// entered disputes a copy that came to an epoch of which evidence is held already.
func (n *Node) entered(set *store.Origin, c *replica.Copy, before uint64) error {
	if c.Proven.Epoch == before {
		return nil
	}
	forks, err := set.Evidence()
	for _, e := range forks {
		if e.A.Pos.Epoch == c.Proven.Epoch && n.roster.Load().VerifyEvidence(e) == nil { // a key that was closed since proves nothing
			c.Disputed = true
		}
	}
	return err
}

// tellFork reports evidence here and to everybody.
func (n *Node) tellFork(e protocol.Evidence) {
	n.metrics.forks.WithLabelValues(string(e.Origin())).Inc()
	n.log.Error("an origin signed two histories; its catalogue is frozen", "origin", e.Origin(),
		"position", e.A.Pos.String(), "one", e.A.Raw.Short(), "other", e.B.Raw.Short())
	if e.Origin() == n.cfg.Member {
		n.reviewOwn()
	}
	n.mu.Lock()
	n.proofs[e.Origin()] = true
	spawn := n.spawn
	n.mu.Unlock()
	if spawn == nil {
		return
	}
	spawn(func(ctx context.Context) {
		if err := n.net.PublishEvidence(ctx, e); err != nil && ctx.Err() == nil {
			n.log.Debug("evidence not gossiped; members will ask for it", "error", err)
		}
	})
}

// Evidence implements p2p.Handler.
func (h *handler) Evidence(from protocol.MemberID, e protocol.Evidence) {
	n := (*Node)(h)
	if err := n.takeEvidence(e); err != nil {
		n.log.Warn("evidence of a fork not kept", "origin", e.Origin(), "from", from, "error", err)
	}
}

// fetchForks asks a member for the evidence that it says to hold of an origin.
func (n *Node) fetchForks(ctx context.Context, m, origin protocol.MemberID) error {
	return n.net.Ask(ctx, m, &protocol.Request{Kind: protocol.AskForks, Origin: origin}, func(a *protocol.Answer) error {
		roster := n.roster.Load()
		shown := false
		for _, b := range a.Forks {
			e, err := protocol.DecodeEvidence(b)
			if err == nil && e.Origin() != origin {
				err = protocol.Errorf(protocol.CodeHolder, "answer.forks", "are of %s, asked was %s", e.Origin(), origin)
			}
			if err == nil {
				err = roster.VerifyEvidence(e)
			}
			if err == nil {
				err = n.takeEvidence(e)
				shown = true
			}
			if err != nil {
				return err
			}
		}
		if !shown {
			return protocol.Errorf(protocol.CodeHolder, "answer.forks", "a fork was claimed and none is shown")
		}
		return nil
	})
}

// forked reports whether evidence is held against an origin in the epoch in force.
func (n *Node) forked(origin protocol.MemberID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.copies[origin].Disputed
}
