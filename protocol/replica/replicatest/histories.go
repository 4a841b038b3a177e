package replicatest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// Tally counts what happened in the histories of a run.
type Tally struct {
	Histories, Authored, Withdrawn    int
	Gossiped, Lost, Held, Replayed    int
	Batches, Resumed, Rewound, Proofs int
	Unavailable                       int
}

func (t *Tally) String() string {
	return fmt.Sprintf("%d histories: %d changes (%d withdrawals); gossip applied %d, lost %d, early %d, replayed %d; pull batches %d, resumed elsewhere %d, rewound %d, proofs %d, holder not available %d",
		t.Histories, t.Authored, t.Withdrawn, t.Gossiped, t.Lost, t.Held, t.Replayed, t.Batches, t.Resumed, t.Rewound, t.Proofs, t.Unavailable)
}

// history is one origin and its replicas on the way to equality.
type history struct {
	*author
	rnd      *rand.Rand
	replicas []*follower
	tally    *Tally
}

// follower is a replica with the gossip under way to it and the pull that it is in.
type follower struct {
	Node
	inbox  []*protocol.Change
	early  replica.Early
	holder int // whom it draws from, -1 for nobody
}

// Histories runs random histories of about the given number of changes, each over stores that open makes, and fails
// where an honest message is refused or a replica does not end proven and equal to the origin.
func Histories(t *testing.T, seed uint64, count, changes int, open func(testing.TB) Store) {
	t.Helper()
	tally := new(Tally)
	for i := range count {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		h := &history{author: newAuthor(t, rnd, open(t)), rnd: rnd, tally: tally}
		for range 2 + rnd.IntN(3) {
			h.replicas = append(h.replicas, &follower{Node: Node{open(t), h.Origin}, holder: -1})
		}
		if err := h.run(changes); err != nil {
			t.Fatalf("seed %d, history %d: %v", seed, i, err)
		}
		tally.Histories++
		tally.Authored += len(h.all)
		tally.Withdrawn += h.withdrawn
	}
	t.Logf("seed %d: %v", seed, tally)
}

func (h *history) run(changes int) error {
	loss := []float64{0, .02, .3, 1}[h.rnd.IntN(4)]
	pulls := []int{40, 8, 1}[h.rnd.IntN(3)] // one round in so many
	for len(h.all) < changes {
		if err := h.author.some(1 + h.rnd.IntN(5)); err != nil {
			return fmt.Errorf("author: %w", err)
		}
		for _, r := range h.replicas {
			h.announce(r, loss)
			for range h.rnd.IntN(9) {
				if err := h.deliver(r); err != nil {
					return err
				}
			}
			for range h.rnd.IntN(3) {
				if h.rnd.IntN(pulls) > 0 {
					continue
				}
				if err := h.pull(r, 1+h.rnd.IntN(20)); err != nil {
					return err
				}
			}
		}
	}
	for range 4 * changes * len(h.replicas) {
		behind := false
		for _, r := range h.replicas {
			if err := h.pull(r, 1+h.rnd.IntN(60)); err != nil {
				return err
			}
			c, err := r.Copy()
			if err != nil {
				return err
			}
			behind = behind || c.CatchingUp() || c.Proven != h.head().Pos
		}
		if !behind {
			return h.equal()
		}
	}
	return fmt.Errorf("replicas did not arrive")
}

// announce puts the origin's newest changes on their way: some are lost, some are sent twice.
func (h *history) announce(r *follower, loss float64) {
	for _, ch := range h.fresh {
		switch {
		case h.rnd.Float64() < loss:
			h.tally.Lost++
		case h.rnd.IntN(10) == 0:
			r.inbox = append(r.inbox, ch, ch)
		default:
			r.inbox = append(r.inbox, ch)
		}
	}
}

// deliver one gossiped change, by a chance not the first that was sent, and what it sets free.
func (h *history) deliver(r *follower) error {
	if len(r.inbox) == 0 {
		return nil
	}
	i := 0
	if h.rnd.IntN(4) == 0 {
		i = h.rnd.IntN(len(r.inbox))
	}
	ch := r.inbox[i]
	r.inbox = append(r.inbox[:i], r.inbox[i+1:]...)
	for ch != nil {
		switch err := r.Next(ch); protocol.CodeOf(err) {
		case "":
			h.tally.Gossiped++
		case protocol.CodeReplayed:
			h.tally.Replayed++
			return nil
		case protocol.CodeGap:
			h.tally.Held++
			r.early.Hold(ch)
			return nil
		default:
			return fmt.Errorf("gossip of %s refused: %w", ch.Pos, err)
		}
		ch = r.early.After(ch.Pos)
	}
	return nil
}

// pull one batch, from the holder of last time or from any other that the copy may draw from.
func (h *history) pull(r *follower, most int) error {
	before, err := r.Copy()
	if err != nil {
		return err
	}
	if r.holder < 0 || h.rnd.IntN(4) == 0 {
		next := h.rnd.IntN(len(h.replicas) + 1)
		if r.holder >= 0 && before.CatchingUp() {
			if h.rnd.IntN(4) == 0 {
				h.tally.Rewound++
				if err := r.Rewind(); err != nil {
					return err
				}
			} else if next != r.holder {
				h.tally.Resumed++
			}
		}
		r.holder = next
	}
	holder := &h.Node
	if r.holder < len(h.replicas) {
		holder = &h.replicas[r.holder].Node
	}
	if before, err = r.Copy(); err != nil {
		return err
	}
	b, err := holder.Serve(before.Ask(), most)
	if err == nil && b.Head.Pos.Compare(before.Drawn) < 0 {
		err = protocol.Errorf(protocol.CodeUnavailable, "", "holds less than was drawn")
	}
	if protocol.CodeOf(err) == protocol.CodeUnavailable || holder == &r.Node {
		h.tally.Unavailable++
		r.holder = -1
		return nil
	}
	if err != nil {
		return fmt.Errorf("request of %s refused: %w", before.Cursor, err)
	}
	switch err := r.Draw(b); {
	case b.Head.Pos == before.Proven && protocol.CodeOf(err) == protocol.CodeReplayed:
		r.holder = -1
		return nil
	case err != nil:
		return fmt.Errorf("honest feed under %s refused: %w", b.Head.Pos, err)
	}
	h.tally.Batches++
	if b.Last {
		h.tally.Proofs++
		r.holder = -1
	}
	return nil
}

// equal checks that all replicas hold exactly what the origin signed.
func (h *history) equal() error {
	want, digest, err := h.Records()
	if err != nil {
		return err
	}
	for i, r := range h.replicas {
		c, err := r.Copy()
		if err != nil {
			return err
		}
		got, computed, err := r.Records()
		switch {
		case err != nil:
			return err
		case c.Header != h.head().Raw || c.Digest() != h.head().Digest || c.Count != h.head().Count:
			return fmt.Errorf("replica %d proved something other than the head", i)
		case !maps.Equal(got, want) || computed != digest || digest != h.head().Digest:
			return fmt.Errorf("replica %d holds other records than the origin", i)
		}
	}
	return nil
}
