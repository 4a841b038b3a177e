package replicatest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// Tally counts what happened in the histories of a run.
type Tally struct {
	Histories, Authored, Withdrawn          int
	Floors, Forgotten, Epochs, Void         int
	Gossiped, Lost, Held, Replayed          int
	Elsewhere                               int // gossip of an epoch that begins elsewhere
	Batches, Resumed, Rewound, Proofs       int
	Restarts, Swaps, Needless, Stood, Shown int
	Unavailable, Evidence, Interrupted      int
	Seeded                                  int // records taken over from the copy that is held

	trace func(string, ...any) // nil: of no interest
}

func (t *Tally) say(format string, args ...any) {
	if t.trace != nil {
		t.trace(format, args...)
	}
}

func (t *Tally) String() string {
	return fmt.Sprintf("%d histories: %d changes (%d withdrawals, %d forgotten by %d floors), %d epochs that left %d changes behind; "+
		"gossip applied %d, lost %d, early %d, replayed %d, of an epoch that begins elsewhere %d; pull batches %d, interrupted %d, resumed elsewhere %d, rewound %d, proofs %d, holder not available %d; "+
		"begun anew beside the copy %d (%d records taken over), swapped %d, needless %d, copies on void changes %d, looks at an old copy meanwhile %d",
		t.Histories, t.Authored, t.Withdrawn, t.Forgotten, t.Floors, t.Epochs, t.Void, t.Gossiped, t.Lost, t.Held, t.Replayed, t.Elsewhere,
		t.Batches, t.Interrupted, t.Resumed, t.Rewound, t.Proofs, t.Unavailable, t.Restarts, t.Seeded, t.Swaps, t.Needless, t.Stood, t.Shown)
}

// history is one origin and its replicas on the way to equality.
type history struct {
	*origin
	testing.TB
	rnd      *rand.Rand
	open     func(testing.TB) Store
	replicas []*follower
	fresh    []*protocol.Change
}

// Histories runs random histories of about the given number of changes, each over stores that open makes, and fails
// where an honest message is refused or a replica does not end proven and equal to the origin.
func Histories(t *testing.T, seed uint64, count, changes int, open func(testing.TB) Store) {
	t.Helper()
	tally := new(Tally)
	f, err := NewFederation("KH", "LA")
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		h := &history{TB: t, rnd: rand.New(rand.NewPCG(seed, uint64(i))), open: open, origin: newOrigin(f, open(t), tally)}
		for range 2 + h.rnd.IntN(3) {
			h.replicas = append(h.replicas, newFollower(open(t), h.Origin, tally, h.check))
		}
		if err := h.run(changes); err != nil {
			t.Fatalf("seed %d, history %d: %v", seed, i, err)
		}
		tally.Histories++
		tally.Authored += len(h.signed)
	}
	t.Logf("seed %d: %v", seed, tally)
}

func (h *history) run(changes int) error {
	loss := []float64{0, .02, .3, 1}[h.rnd.IntN(4)]
	pulls := []int{40, 8, 1}[h.rnd.IntN(3)]         // one round in so many
	epochs := []int{1 << 30, 60, 20}[h.rnd.IntN(3)] // likewise
	for len(h.signed) < changes {
		if err := h.author(1+h.rnd.IntN(5), h.rnd.IntN(epochs) == 0); err != nil {
			return fmt.Errorf("author: %w", err)
		}
		for _, r := range h.replicas {
			h.announce(r, loss)
			for range h.rnd.IntN(9) {
				if err := h.gossip(r); err != nil {
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
	head, err := h.head()
	if err != nil {
		return err
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
			behind = behind || c.CatchingUp() || c.Proven != head.Pos
		}
		if !behind {
			return h.same(head)
		}
	}
	return fmt.Errorf("replicas did not arrive")
}

// author makes some changes. An epoch is opened where the origin lost its newest changes, for another reason on top of
// what it holds.
func (h *history) author(n int, epoch bool) error {
	h.fresh = nil
	if head, err := h.head(); err != nil {
		return err
	} else if epoch && head != nil {
		path := h.path(head.Raw)
		keep := len(path) - h.rnd.IntN(min(12, len(path)+1))
		reason := "key"
		var void []*protocol.Change
		if keep < len(path) {
			reason, void = []string{"loss", "fork"}[h.rnd.IntN(2)], append(void, path[keep:]...)
			to := protocol.Hash{}
			if keep > 0 {
				to = path[keep-1].Raw
			}
			s := h.open(h)
			if err := h.back(s, to); err != nil {
				return err
			}
			h.place, h.Store = s, s
		}
		for _, r := range h.replicas {
			if c, err := r.Copy(); err != nil {
				return err
			} else if keep < len(path) && c.Proven.Compare(path[keep].Pos) >= 0 {
				h.tally.Stood++
			}
		}
		ch, err := h.epoch(reason, h.last(), void)
		if err != nil {
			return err
		}
		h.fresh = append(h.fresh, ch)
	}
	for range n {
		ch, err := h.some(h.rnd.IntN(1 << 20))
		if err != nil {
			return err
		}
		h.fresh = append(h.fresh, ch)
	}
	return nil
}

// last is the furthest that was signed.
func (o *origin) last() (last protocol.Position) {
	for _, ch := range o.signed {
		last = protocol.Position{Epoch: max(last.Epoch, ch.Pos.Epoch), Seq: max(last.Seq, ch.Pos.Seq)}
	}
	return last
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

// gossip delivers one change, by a chance not the first that was sent.
func (h *history) gossip(r *follower) error {
	if len(r.inbox) == 0 {
		return nil
	}
	i := 0
	if h.rnd.IntN(4) == 0 {
		i = h.rnd.IntN(len(r.inbox))
	}
	ch := r.inbox[i]
	r.inbox = append(r.inbox[:i], r.inbox[i+1:]...)
	return r.deliver(ch)
}

// pull one batch, from the holder of last time or from any other that the copy may draw from.
func (h *history) pull(r *follower, most int) error {
	before, err := r.target().Copy()
	if err != nil {
		return err
	}
	if r.holder < 0 || h.rnd.IntN(4) == 0 {
		next := h.rnd.IntN(len(h.replicas) + 1)
		if r.holder >= 0 && before.CatchingUp() {
			h.tally.Interrupted++
			if h.rnd.IntN(4) == 0 {
				if err := r.rewind(); err != nil {
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
	if holder == &r.Node {
		r.holder = -1
		return nil
	}
	b, refusal, err := r.ask(holder, most)
	if err != nil {
		return err
	}
	switch protocol.CodeOf(refusal) {
	case "":
		if b.Last {
			r.holder = -1
		}
	case protocol.CodeUnavailable:
		h.tally.Unavailable++
		r.holder = -1
	case protocol.CodeReplayed, protocol.CodeRestart:
		r.holder = -1
	default:
		return fmt.Errorf("honest feed under %s refused above %s: %w", b.Head.Pos, before.Cursor, refusal)
	}
	if r.staging { // what is held stays whole and readable
		h.tally.Shown++
		return h.equal(&r.Node, h.rnd.IntN(8) == 0)
	}
	return nil
}

// same checks that all replicas hold exactly what the origin signed.
func (h *history) same(head *protocol.Change) error {
	for i, n := range append([]*follower{h.follower}, h.replicas...) {
		c, err := n.Copy()
		if err != nil {
			return err
		}
		if c.Header != head.Raw {
			return fmt.Errorf("replica %d proved something other than the head", i)
		}
		if err := h.equal(&n.Node, true); err != nil {
			return fmt.Errorf("replica %d: %w", i, err)
		}
	}
	return nil
}
