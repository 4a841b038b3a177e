package replicatest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// Walks runs random walks: an origin and its copies do what real ones do, one step after another and all in one
// goroutine, and after every step what must hold is checked. A failure prints the seed and a script with nothing in it
// that is not needed, for Replay.
func Walks(t *testing.T, seed uint64, walks, steps int, open func(testing.TB) Store) {
	t.Helper()
	f, err := NewFederation("KH", "LA")
	if err != nil {
		t.Fatal(err)
	}
	total, started := newCounts(), time.Now()
	for i := range walks {
		script := append([]step{{"copies", 3 + i%2}}, randomScript(rand.New(rand.NewPCG(seed, uint64(i))), steps)...)
		counts, err := walk(t, f, script, open)
		if err != nil {
			tries, why := 0, kindOf(err)
			script = shrink(script, func(s []step) bool {
				tries++
				_, err := walk(t, f, s, open)
				return tries < 5000 && err != nil && kindOf(err) == why
			})
			_, again := walk(t, f, script, open)
			t.Fatalf("seed %d, walk %d of %d steps: %v\nshrunk to %d steps that fail with: %v\n%s",
				seed, i, steps, err, len(script), again, formatScript(script))
		}
		total.add(counts)
	}
	t.Logf("seed %d: %d walks of %d steps in %.1f s (%.0f a second): %v", seed, walks, steps,
		time.Since(started).Seconds(), float64(walks)/time.Since(started).Seconds(), total)
}

// Replay walks a script that Walks printed. Where it fails, it is walked once more and what happens is logged.
func Replay(t *testing.T, text string, open func(testing.TB) Store) {
	t.Helper()
	f, err := NewFederation("KH", "LA")
	if err != nil {
		t.Fatal(err)
	}
	script, err := parseScript(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := walk(t, f, script, open); err != nil {
		_, again := traced(t, f, script, open, t.Logf)
		t.Errorf("%v; the second time: %v", err, again)
	}
}

// kindOf is what failed, without the numbers and the step.
func kindOf(err error) string {
	text := err.Error()
	if strings.HasPrefix(text, "step ") {
		_, text, _ = strings.Cut(text, ": ")
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}

// counts of what happened in walks, by name.
type counts struct {
	by    map[string]int
	tally Tally
}

func newCounts() *counts { return &counts{by: make(map[string]int)} }

func (c *counts) add(o *counts) {
	for k, n := range o.by {
		c.by[k] += n
	}
}

func (c *counts) String() string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(c.by)) {
		all = append(all, fmt.Sprintf("%s %d", k, c.by[k]))
	}
	return strings.Join(all, ", ")
}

// world is one origin, its copies, and what surrounds them.
type world struct {
	*origin
	open   func() Store
	copies []*follower
	counts *counts

	guard   protocol.Position       // how far the origin has signed, outside its store and the store's backups
	mark    protocol.Hash           // of the header there
	seen    protocol.Position       // the furthest that the origin knows of
	acked   map[protocol.Hash]bool  // by the origin, after its guard was told
	asked   map[int]bool            // copies that said what they hold since the origin was restored
	was     map[*follower]copyState // before this step
	held    map[protocol.Hash]bool  // proven by a copy at any time
	rolled  bool                    // store and guard went back together: what nobody held by then is forgotten
	forked  bool                    // two histories were signed in some epoch
	blind   bool                    // headers that would show a fork are gone: the ring forgot them, or the origin drew its history back
	tainted map[*follower]bool      // drew from a liar since it began from what is proven
}

type copyState struct {
	proven   protocol.Position
	header   protocol.Hash
	disputed bool
	frontier []byte
}

func walk(t testing.TB, f *Federation, script []step, open func(testing.TB) Store) (*counts, error) {
	return traced(t, f, script, open, nil)
}

func traced(t testing.TB, f *Federation, script []step, open func(testing.TB) Store, trace func(string, ...any)) (c *counts, err error) {
	w := &world{
		open: func() Store { return open(t) }, counts: newCounts(), acked: make(map[protocol.Hash]bool), asked: make(map[int]bool),
		held: make(map[protocol.Hash]bool),
		was:  make(map[*follower]copyState), tainted: make(map[*follower]bool),
	}
	w.counts.tally.trace = trace
	w.origin = newOrigin(f, w.open(), &w.counts.tally)
	copies := 3
	if len(script) > 0 && script[0].verb == "copies" {
		copies, script = script[0].n%8, script[1:]
	}
	for range copies {
		w.copies = append(w.copies, newFollower(w.open(), w.Origin, &w.counts.tally, w.check))
	}
	for i, s := range script {
		w.counts.tally.say("%d: %s %d", i, s.verb, s.n)
		if err := w.do(s); err != nil {
			return nil, fmt.Errorf("step %d, %s %d: %w", i, s.verb, s.n, err)
		}
	}
	for _, ch := range w.signed {
		w.counts.tally.say("signed %s %s %s %s, prev_seq %d, floor %d, held %v", ch.Pos, ch.Raw.Short(), ch.Kind, ch.RecordKey, ch.PrevSeq, ch.Floor, w.held[ch.Raw])
	}
	if err := w.settle(); err != nil {
		return nil, fmt.Errorf("after the last step: %w", err)
	}
	w.total()
	return w.counts, nil
}

func (w *world) total() {
	y := &w.counts.tally
	for k, n := range map[string]int{
		"changes": len(w.signed), "applied by gossip": y.Gossiped, "batches": y.Batches, "proofs": y.Proofs, "rewound": y.Rewound,
		"begun beside": y.Restarts, "swaps": y.Swaps, "floors": y.Floors, "forgotten": y.Forgotten, "epochs": y.Epochs,
		"evidence": y.Evidence, "void listed": y.Void, "early": y.Held, "seeded": y.Seeded,
	} {
		w.counts.by[k] += n
	}
}

// do one step and check what must hold after it.
func (w *world) do(s step) error {
	did, err := w.act(s.verb, s.n)
	if err != nil {
		return err
	}
	if did {
		w.counts.by["did "+s.verb]++
	}
	return w.invariants(s.n%16 == 0)
}

// invariants hold after every step, of all copies and the origin's own.
func (w *world) invariants(whole bool) error {
	for i, f := range append(slices.Clone(w.copies), w.follower) {
		var frontier []byte
		if err := f.Store.View(func(s Set) (err error) { frontier, err = s.Frontier(); return err }); err != nil {
			return err
		}
		was := w.was[f]
		if !whole && bytes.Equal(frontier, was.frontier) {
			continue
		}
		c, err := replica.Decode(f.Origin, frontier)
		if err != nil {
			return fmt.Errorf("copy %d: %w", i, err)
		}
		now := copyState{c.Proven, c.Header, c.Disputed, frontier}
		switch {
		case now.proven.Compare(was.proven) < 0:
			return fmt.Errorf("copy %d went back from %s to %s", i, was.proven, now.proven)
		case was.disputed && now.header != was.header && now.proven.Epoch == was.proven.Epoch:
			return fmt.Errorf("copy %d is disputed at %s and moved to %s", i, was.proven, now.proven)
		case now.proven == was.proven && now.header != was.header:
			return fmt.Errorf("copy %d stood at %s under one header and stands there under another", i, was.proven)
		}
		w.was[f] = now
		for ch := w.by[now.header]; f != w.follower && ch != nil && !w.held[ch.Raw]; ch = w.by[ch.Prev] {
			w.held[ch.Raw] = true
		}
		if err := w.equal(&f.Node, whole && i == len(w.signed)%(len(w.copies)+1)); err != nil {
			return fmt.Errorf("copy %d: %w", i, err)
		}
	}
	return nil
}

// settle lets everybody talk, with nobody lying any more, and checks that all arrive and that nothing is lost but what an
// epoch says.
func (w *world) settle() error {
	n := len(w.copies)
	why := errors.New("nothing was tried")
	for round := 0; round < 48 && why != nil; round++ {
		if round%8 == 0 {
			for i := range (n + 1) * (n + 1) {
				if _, err := w.tell(i); err != nil {
					return err
				}
			}
			for i := range 2 * n {
				if _, err := w.recover(i); err != nil {
					return err
				}
			}
			if _, err := w.openEpoch(0, false); err != nil {
				return err
			}
		}
		for i := range w.copies {
			if err := w.whole(i); err != nil {
				return err
			}
		}
		if err := w.invariants(false); err != nil {
			return err
		}
		var err error
		if why, err = w.arrived(); err != nil {
			return err
		}
	}
	if why != nil {
		return why
	}
	own, err := w.Copy()
	if err != nil {
		return err
	}
	for i, f := range w.copies {
		if err := w.equal(&f.Node, true); err != nil {
			return fmt.Errorf("copy %d: %w", i, err)
		}
	}
	return w.survived(own)
}

// whole draws from the origin until there is nothing more.
func (w *world) whole(i int) error {
	for range 16 {
		b, refusal, err := w.ask(i, len(w.copies), 1<<20)
		frozen := w.copies[i].short == 0 && protocol.CodeOf(refusal) == protocol.CodeUnavailable // or the origin is not ready
		if err != nil || frozen || protocol.CodeOf(refusal) == protocol.CodeReplayed || refusal == nil && b.Last && !w.copies[i].staging {
			return err
		}
	}
	return nil
}

// arrived says who is not where the origin is, if anybody.
func (w *world) arrived() (why, err error) {
	own, err := w.Copy()
	if err != nil {
		return nil, err
	}
	if own.Disputed || own.CatchingUp() || own.Proven.Compare(w.seen) < 0 {
		return fmt.Errorf("the origin ends at %s (disputed %v, unproven %v), though %s was signed", own.Proven, own.Disputed, own.CatchingUp(), w.seen), nil
	}
	for i, f := range w.copies {
		c, err := f.Copy()
		if err != nil {
			return nil, err
		}
		if c.Header != own.Header || c.Disputed || c.CatchingUp() {
			why = fmt.Errorf("copy %d ends at %s (disputed %v, unproven %v), the origin at %s", i, c.Proven, c.Disputed, c.CatchingUp(), own.Proven)
		}
	}
	return why, nil
}

// survived checks that every change which anybody heard of is on the path to the head, or of an epoch that was closed.
func (w *world) survived(own *replica.Copy) error {
	on := make(map[protocol.Hash]bool)
	for _, ch := range w.path(own.Header) {
		on[ch.Raw] = true
	}
	for _, ch := range w.signed {
		switch {
		case on[ch.Raw]:
			w.counts.by["changes kept"]++
		case !w.held[ch.Raw] && (w.rolled || !w.acked[ch.Raw]): // nobody knows of it
		case w.blind && w.forked && ch.Pos.Epoch >= own.Proven.Epoch:
			w.counts.by["changes of forks that nobody could see"]++
		case ch.Pos.Epoch >= own.Proven.Epoch:
			return fmt.Errorf("%s was acknowledged and is gone, and no epoch says so", ch.Pos)
		default:
			w.counts.by["changes void"]++
		}
	}
	return nil
}
