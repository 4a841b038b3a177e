package replicatest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// Withheld serves feeds that no honest holder serves: without one live change, every one in turn; with an old version of
// a record in place of the newest; out of order; with something that was forgotten or left behind; of one epoch under the
// head of another; with an opening that nobody countersigned; under a floor that goes back; and so after the head, the
// floor and the epoch moved in the middle of a pull. What is withheld must never end in proof, nothing may be proven but
// what was signed, and an honest holder must mend each copy.
func Withheld(t *testing.T, seed uint64, count, changes int, open func(testing.TB) Store) {
	t.Helper()
	f, err := NewFederation("KH", "LA")
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[string]int)
	for i := range count {
		h := &history{TB: t, rnd: rand.New(rand.NewPCG(seed, uint64(i))), open: open, origin: newOrigin(f, open(t), new(Tally))}
		for len(h.signed) < changes {
			if err := h.author(1, h.rnd.IntN(25) == 0); err != nil {
				t.Fatal(err)
			}
		}
		w := &withholding{history: h, by: by}
		if err := w.run(); err != nil {
			t.Fatalf("seed %d, history %d: %v", seed, i, err)
		}
	}
	var all []string
	for _, k := range slices.Sorted(maps.Keys(by)) {
		all = append(all, fmt.Sprintf("%s %d", k, by[k]))
	}
	t.Logf("seed %d: %d histories of %d changes: %s", seed, count, changes, strings.Join(all, ", "))
}

type withholding struct {
	*history
	top   *protocol.Change // the head
	stand *protocol.Change // where every copy stands before; nil for nowhere
	anew  bool             // it must begin anew: it stands on what was left behind, or below what is forgotten
	by    map[string]int   // what was served and what came of it
}

func (w *withholding) run() (err error) {
	if w.top, err = w.head(); err != nil {
		return err
	}
	if n := w.rnd.IntN(len(w.signed) + 1); n > 0 {
		w.stand = w.signed[n-1]
	}
	from := protocol.Start
	if w.stand != nil {
		w.anew = w.stand.Pos.Seq < w.top.Floor || !slices.Contains(w.path(w.top.Raw), w.stand)
		if !w.anew {
			from = w.stand.Pos
		}
	}
	if w.stand == w.top {
		return nil
	}
	full := w.feed(w.top.Raw, from)
	for j, ch := range full {
		less := slices.Delete(slices.Clone(full), j, j+1)
		if err := w.serve("without a change", w.top, less, true); err != nil {
			return fmt.Errorf("without %s: %w", ch.Pos, err)
		}
		if old := w.replaced(ch); old != nil && old.Pos.Compare(from) > 0 {
			if err := w.serve("old version", w.top, append(less, old), true); err != nil {
				return fmt.Errorf("old version %s for %s: %w", old.Pos, ch.Pos, err)
			}
		}
		if j > 0 {
			swapped := slices.Clone(full)
			swapped[j], swapped[j-1] = swapped[j-1], swapped[j]
			if err := w.refusedAs("out of order", protocol.CodeHolder, swapped); err != nil {
				return fmt.Errorf("%s before %s: %w", ch.Pos, full[j-1].Pos, err)
			}
		}
		if ch.Kind == protocol.OpenEpoch {
			if err := w.withoutLeave(full, j); err != nil {
				return err
			}
		}
	}
	for range 8 {
		extra, other := w.signed[w.rnd.IntN(len(w.signed))], w.signed[w.rnd.IntN(len(w.signed))]
		for name, x := range map[string]Batch{
			"something else among it":        {&w.top.SignedHeader, append(slices.Clone(full), extra), true},
			"another state under this head":  {&w.top.SignedHeader, w.feed(other.Raw, from), true},
			"this state under another head":  {&other.SignedHeader, full, true},
			"two states under another head":  {&other.SignedHeader, append(w.feed(other.Raw, from), full...), true},
			"everything that was ever there": {&w.top.SignedHeader, slices.Clone(w.signed), true},
		} {
			if err := w.serve(name, w.origin.by[x.Head.Raw], x.Changes, false); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if err := w.moves(other, from); err != nil {
			return fmt.Errorf("after a feed under %s: %w", other.Pos, err)
		}
	}
	return w.floorBack()
}

// replaced is the change of the same record that ch replaced.
func (w *withholding) replaced(ch *protocol.Change) *protocol.Change {
	return w.state(ch.Prev)[ch.RecordKey]
}

// copy stands where all do, and has begun anew where it must.
func (w *withholding) copy() (*follower, error) {
	f := newFollower(w.open(w), w.Origin, w.tally, w.check)
	if w.stand != nil {
		if err := w.back(f.place, w.stand.Raw); err != nil {
			return nil, err
		}
	}
	if w.anew {
		return f, f.restart()
	}
	return f, nil
}

// serve a feed in batches of random size. Where it is withheld it may not end in proof; whatever ends in proof must be
// what was signed.
func (w *withholding) serve(what string, head *protocol.Change, feed []*protocol.Change, withheld bool) error {
	f, err := w.copy()
	if err != nil {
		return err
	}
	inOrder(feed)
	feed = slices.Compact(feed)
	refusal, err := w.draw(f, head, feed)
	if err != nil {
		return err
	}
	return w.judge(what, f, refusal, withheld)
}

func (w *withholding) draw(f *follower, head *protocol.Change, feed []*protocol.Change) (refusal, err error) {
	for most := 1 + w.rnd.IntN(len(feed)+1); ; {
		k := min(most, len(feed))
		refusal, err = f.take(Batch{&head.SignedHeader, feed[:k], k == len(feed)})
		if feed = feed[k:]; err != nil || refusal != nil || len(feed) == 0 {
			return refusal, err
		}
	}
}

func (w *withholding) judge(what string, f *follower, refusal error, withheld bool) error {
	c, err := f.Copy()
	if err != nil {
		return err
	}
	stood := w.stand == nil && c.Proven == protocol.Start || w.stand != nil && c.Header == w.stand.Raw
	outcome := string(protocol.CodeOf(refusal))
	switch {
	case withheld && (refusal == nil || !stood):
		return fmt.Errorf("what was withheld was not missed: proven at %s", c.Proven)
	case refusal == nil && !stood:
		outcome = "proven as signed"
	case refusal == nil:
		outcome = "nothing proven"
	}
	w.by[what+": "+outcome]++
	if err := w.equal(&f.Node, true); err != nil {
		return err
	}
	return w.mended(f)
}

// mended: the origin serves what the copy asks for, and that is proven.
func (w *withholding) mended(f *follower) error {
	for range 12 {
		_, _, err := f.ask(&w.Node, len(w.signed))
		if err != nil {
			return err
		}
		c, err := f.Copy()
		if err != nil {
			return err
		}
		if c.Header == w.top.Raw && !c.CatchingUp() {
			w.by["mended by an honest holder"]++
			return w.equal(&f.Node, true)
		}
	}
	return fmt.Errorf("an honest holder does not mend it")
}

// refusedAs serves a feed as it stands in one batch.
func (w *withholding) refusedAs(what string, want protocol.Code, feed []*protocol.Change) error {
	f, err := w.copy()
	if err != nil {
		return err
	}
	refusal, err := f.take(Batch{&w.top.SignedHeader, feed, true})
	if err == nil && protocol.CodeOf(refusal) != want {
		err = fmt.Errorf("want %s, got %w", want, refusal)
	}
	if err != nil {
		return err
	}
	w.by[what+": "+string(want)]++
	return w.mended(f)
}

// withoutLeave puts an opening that the record key alone signed in the place of the one at j.
func (w *withholding) withoutLeave(full []*protocol.Change, j int) error {
	o, err := protocol.DecodeOpening(full[j].Body)
	if err != nil {
		return err
	}
	stolen, err := protocol.SignOpening(RecordSigner(w.Origin), o.Opening)
	if err != nil {
		return err
	}
	ch, err := protocol.SignChange(w.signer, full[j].Header, stolen.Bytes())
	if err != nil {
		return err
	}
	feed := slices.Clone(full)
	feed[j] = ch
	return w.refusedAs("an opening without leave", protocol.CodeSignature, feed)
}

// moves: a pull began under another head, which an honest holder had at the time, and goes on under the newest.
func (w *withholding) moves(before *protocol.Change, from protocol.Position) error {
	f, err := w.copy()
	if err != nil {
		return err
	}
	first := w.feed(before.Raw, from)
	first = first[:w.rnd.IntN(len(first)+1)]
	if refusal, err := f.take(Batch{&before.SignedHeader, first, false}); err != nil || refusal != nil {
		return err // it has no place above where the copy stands
	}
	c, err := f.target().Copy()
	if err != nil {
		return err
	}
	rest := w.feed(w.top.Raw, c.Cursor)
	withheld := w.rnd.IntN(2) == 0 && len(rest) > 0
	if withheld {
		j := w.rnd.IntN(len(rest))
		rest = slices.Delete(rest, j, j+1)
	}
	refusal, err := w.draw(f, w.top, rest)
	if err != nil {
		return err
	}
	what := "the head moved"
	if withheld {
		what = "the head moved, and a change is withheld"
	} else if code := protocol.CodeOf(refusal); code != "" && code != protocol.CodeRestart && slices.Contains(w.path(w.top.Raw), before) {
		return fmt.Errorf("an honest feed was refused: %w", refusal)
	}
	return w.judge(what, f, refusal, withheld)
}

// floorBack: the origin signs the head again with a floor below the one that the copy has proven.
func (w *withholding) floorBack() error {
	if w.stand == nil || w.anew || w.stand.Floor == 0 {
		return nil
	}
	h := w.top.Header
	h.Floor = w.stand.Floor - 1
	ch, err := protocol.SignChange(w.signer, h, w.top.Body)
	if err != nil {
		return err
	}
	feed := w.feed(w.top.Raw, w.stand.Pos)
	feed[len(feed)-1] = ch
	f, err := w.copy()
	if err != nil {
		return err
	}
	refusal, err := f.take(Batch{&ch.SignedHeader, feed, true})
	if code := protocol.CodeOf(refusal); err == nil && code != protocol.CodeFloor && code != protocol.CodeRestart {
		err = fmt.Errorf("a floor that goes back: got %w", refusal)
	}
	if err != nil {
		return err
	}
	w.by["a floor that goes back: "+string(protocol.CodeOf(refusal))]++
	return w.mended(f)
}
