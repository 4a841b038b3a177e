package node

import (
	"errors"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// A staging is a copy that is drawn from the beginning beside the one that is held, which is shown until the other is
// proven and takes its place.
type staging struct {
	drawn protocol.Position // the highest head drawn from
	mend  bool              // what is held is damaged: the same state replaces it

	tried  bool                // to take over parts of what is held
	wanted *protocol.BucketSet // the buckets that the feed must bring up to seq above; nil: all
	above  uint64
}

// wipeStep bounds the keys deleted in one transaction.
const wipeStep = 2000

// stage begins a copy beside the one held, in the place of one that was begun before.
func (n *Node) stage(origin protocol.MemberID, why string, mend bool) error {
	n.stageLock.Lock() // nothing is drawn into what is being deleted
	defer n.stageLock.Unlock()
	if err := n.wipe(origin); err != nil {
		return err
	}
	if err := n.store.Update(func(tx *store.Tx) error {
		return tx.Staged(origin).SetFrontier(replica.New(origin).Encode())
	}); err != nil {
		return err
	}
	n.mu.Lock()
	n.staging[origin] = &staging{drawn: protocol.Start, mend: mend}
	n.kick(origin)
	n.mu.Unlock()
	n.metrics.staged.WithLabelValues(string(origin)).Inc()
	n.log.Info("copy is drawn anew beside the one held", "origin", origin, "why", why)
	return nil
}

func (n *Node) mends(origin protocol.MemberID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.staging[origin] != nil && n.staging[origin].mend
}

// wipe deletes what is staged, or what a swap left.
func (n *Node) wipe(origin protocol.MemberID) error {
	done := false
	if err := n.store.View(func(tx *store.Tx) (err error) {
		done, err = tx.Staged(origin).Empty()
		return err
	}); err != nil {
		return err
	}
	for !done {
		if err := n.store.Update(func(tx *store.Tx) (err error) {
			done, err = tx.Staged(origin).Wipe(wipeStep)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// swap puts a proven staged copy in the place of the one held.
func (n *Node) swap(origin protocol.MemberID) error {
	var next, before *replica.Copy
	mend, differences := n.mends(origin), 0
	err := n.store.Swap(origin, store.Swapping{
		Ready: func(staged, held *store.Origin) (err error) {
			if before, err = loadCopy(held, origin); err != nil {
				return err
			}
			if next, err = loadCopy(staged, origin); err != nil {
				return err
			}
			return mayReplace(staged, held, next, before, mend)
		},
		Fate: func(staged *store.Origin, h *protocol.SignedHeader) store.Fate { return fate(staged, next, before, h) },
		Each: func(r store.Replacement) {
			differences++
			n.follow.replaced(r)
		},
		Bury: origin == n.cfg.Member,
	})
	var fork *replica.ForkError
	if errors.As(err, &fork) {
		return errors.Join(n.freeze(fork), err)
	}
	if err != nil {
		return err
	}
	n.mu.Lock()
	if have := n.copies[origin]; have.Proven == next.Proven { // what was drawn beyond it in vain is gone
		have.Drawn = next.Drawn
		n.copies[origin] = have
	}
	n.mu.Unlock()
	n.admitted(origin, nil, next)
	n.tap(Event{Origin: origin, Pos: next.Proven, Changes: differences})
	n.log.Info("staged copy took the place of the one before", "origin", origin, "position", next.Proven.String(), "differences", differences)
	return errors.Join(n.enter(origin, before.Proven.Epoch), n.unstage(origin))
}

// unstage deletes what is staged, or what a swap left. The staging ends last: nobody begins another one meanwhile.
func (n *Node) unstage(origin protocol.MemberID) error {
	err := n.wipe(origin)
	n.mu.Lock()
	delete(n.staging, origin)
	n.mu.Unlock()
	return err
}

// mayReplace says whether a staged copy may take the place of the one held.
func mayReplace(staged, held *store.Origin, next, before *replica.Copy, mend bool) error {
	switch order := next.Proven.Compare(before.Proven); {
	case next.CatchingUp():
		return protocol.Errorf(protocol.CodeUnprovenFinal, "", "the staged copy is not proven")
	case before.Disputed && next.Proven.Epoch == before.Proven.Epoch:
		return protocol.Errorf(protocol.CodeFork, "", "the catalogue of %s is disputed and frozen at %s", before.Origin, before.Proven)
	case order < 0, order == 0 && !mend && !before.CatchingUp():
		return protocol.Errorf(protocol.CodeReplayed, "", "the staged copy is not further than %s", before.Proven)
	case next.Proven.Epoch == before.Proven.Epoch && next.Floor < before.Floor:
		return protocol.Errorf(protocol.CodeFloor, "", "goes back from %d to %d", before.Floor, next.Floor)
	case next.Proven.Epoch == before.Proven.Epoch:
		return sameHistory(staged, held, before)
	}
	return nil
}

// enter disputes a copy whose new epoch is disputed already.
func (n *Node) enter(origin protocol.MemberID, before uint64) error {
	var c *replica.Copy
	if err := n.store.Update(func(tx *store.Tx) (err error) {
		set := tx.Origin(origin)
		if c, err = loadCopy(set, origin); err != nil || c.Disputed {
			return err
		}
		if err := n.entered(set, c, before); err != nil || !c.Disputed {
			return err
		}
		return set.SetFrontier(c.Encode())
	}); err != nil {
		return err
	}
	if c.Disputed {
		n.admitted(origin, nil, c)
	}
	return nil
}

// fate of a header of the copy before: void where it is off the path that led to the new epoch.
func fate(staged *store.Origin, next, before *replica.Copy, h *protocol.SignedHeader) store.Fate {
	if h.Pos.Epoch >= next.Proven.Epoch {
		return store.Kept
	}
	if kept, err := replica.OnPath(staged, next.Proven.Epoch, h.Pos); err != nil || !kept {
		return store.Void
	}
	switch other, err := staged.HeaderAt(h.Pos); {
	case err != nil || other == nil && before.Disputed:
		return store.Moot
	case other != nil && other.Raw != h.Raw:
		return store.Void
	}
	return store.Kept
}

// sameHistory compares a staged copy with what is held of the same epoch: one history must not take another's place in
// silence. What cannot be read is what is being replaced.
func sameHistory(staged, held *store.Origin, before *replica.Copy) error {
	return staged.Records("", func(ch *protocol.Change) (bool, error) {
		if ch.Pos.Compare(before.Proven) > 0 {
			return true, nil
		}
		err := before.Conflict(held, &ch.SignedHeader)
		return true, ifFork(err)
	})
}

func ifFork(err error) error {
	var fork *replica.ForkError
	if errors.As(err, &fork) {
		return err
	}
	return nil
}

// stuckAfter is how long a copy waits for somebody who holds as much as was drawn from. Whoever showed that head may be
// gone for ever; then what others have proven is drawn anew, beside it.
const stuckAfter = 2 * time.Minute

// unstick looks after copies that nobody can complete.
func (n *Node) unstick() {
	var stuck []protocol.MemberID
	n.mu.Lock()
	for origin, c := range n.copies {
		if claims := n.claims[origin]; !c.CatchingUp || n.staging[origin] != nil || claims == nil || claims.Top().Compare(c.Drawn) >= 0 {
			delete(n.stuck, origin)
			continue
		}
		since, ok := n.stuck[origin]
		if !ok {
			n.stuck[origin] = time.Now()
		} else if time.Since(since) > stuckAfter && origin != n.cfg.Member {
			stuck = append(stuck, origin)
			delete(n.stuck, origin)
		}
	}
	n.mu.Unlock()
	for _, origin := range stuck {
		if err := n.stage(origin, "nobody holds what was drawn from any more", true); err != nil {
			n.log.Warn("copy not staged", "origin", origin, "error", err)
		}
	}
}

// resumeStaged reads at start which copies are being drawn beside the ones held. What a swap left is deleted.
func (n *Node) resumeStaged() error {
	for _, m := range n.roster.Load().Charter().Members {
		var c *replica.Copy
		err := n.store.View(func(tx *store.Tx) error {
			b, err := tx.Staged(m.ID).Frontier()
			if err == nil && b != nil {
				c, err = replica.Decode(m.ID, b)
			}
			return err
		})
		switch {
		case err != nil:
			return err
		case c == nil, m.ID == n.cfg.Member:
			err = n.wipe(m.ID)
		default:
			n.staging[m.ID] = &staging{drawn: c.Drawn, mend: !c.CatchingUp() && c.Proven.Seq > 0}
		}
		if err != nil && protocol.CodeOf(err) != protocol.CodeReadOnly {
			return err
		}
	}
	return nil
}

// finishStaged swaps in what was proven before the stop. It is the origin's puller that does so: nobody else swaps.
func (n *Node) finishStaged(origin protocol.MemberID) {
	if !n.mends(origin) {
		return
	}
	err := n.swap(origin)
	if err == nil || protocol.CodeOf(err) == protocol.CodeReadOnly {
		return
	}
	n.log.Info("a staged copy is of no use any more", "origin", origin, "error", err)
	if err := n.unstage(origin); err != nil {
		n.log.Warn("staged copy not deleted", "origin", origin, "error", err)
	}
}
