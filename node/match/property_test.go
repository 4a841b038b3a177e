package match

import (
	"cmp"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
	gocmp "github.com/google/go-cmp/cmp"
)

// naive is stage one from its definition: every document by every wish, over the same quantised values.
func naive(x *Index, c catalogue, q Query) (list []candidateRef, total int) {
	r := &ranking{x: x, query: &q, snap: x.snap.Load()}
	r.read()
	sieve := q.Filter.sieve(&q)
	for ref, l := range c {
		if ref == q.Self || !passes(&sieve, ref, l) {
			continue
		}
		d := DocumentOf(ref, l)
		impacts := make(map[string]uint32)
		for _, t := range x.docOf(&d).Terms {
			impacts[t.Term] = uint32(t.Impact)
		}
		best := uint32(0)
		for _, p := range r.plans {
			sum := uint32(0)
			for _, w := range p.wants {
				meanings := 0.0
				for _, f := range w.terms {
					meanings += float64(f.part) * float64(frequency[impacts[p.terms[f.term]]]) / (64 * 256)
				}
				score := w.factor * uint32(math.Round(255*meanings/(1+meanings)))
				if len(w.native) == 0 && len(w.terms) == 1 && w.terms[0].part == 256 {
					score = w.factor * impacts[p.terms[w.terms[0].term]]
				}
				for _, f := range w.native {
					score = max(score, f.factor*impacts[p.terms[f.term]])
				}
				sum += score
			}
			best = max(best, sum)
		}
		if best > 0 {
			list = append(list, candidateRef{ref, best})
		}
	}
	slices.SortFunc(list, func(a, b candidateRef) int { return cmp.Or(cmp.Compare(b.Sum, a.Sum), a.Ref.Compare(b.Ref)) })
	return list, len(list)
}

type candidateRef struct {
	Ref Ref
	Sum uint32
}

func passes(s *sieve, ref Ref, l *protocol.Listing) bool {
	f := Filter{Origins: s.origins}
	if !f.Passes(ref, l) {
		return false
	}
	var codes []uint32
	for _, c := range factsOf(l).Codes {
		codes = append(codes, uint32(c))
	}
	has := func(list []Code) bool {
		for _, c := range list {
			for _, d := range codes {
				if c.covers(Code(d)) {
					return true
				}
			}
		}
		return len(list) == 0
	}
	country := countryCodes([]protocol.Country{l.Country})[0]
	ok := s.kinds&kindSetOf(l.Kind) != 0 && (len(s.countries) == 0 || slices.Contains(s.countries, country)) && has(s.ford)
	for _, list := range s.subjects {
		ok = ok && has(list)
	}
	if s.trlMax > 0 {
		ok = ok && l.TRL >= max(1, s.trlMin) && l.TRL <= s.trlMax
	}
	return ok
}

func TestStageOneIsExhaustive(t *testing.T) {
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 0))
		x := New(Options{Lexicon: lexicon.Builtin()})
		c := walk(r, x, 20+r.IntN(60))
		for range 6 {
			q := randomQuery(r)
			q.Sort = ByScore
			want, total := naive(x, c, q)
			x.Settle()
			rk := &ranking{x: x, query: &q, snap: x.snap.Load()}
			rk.read()
			sieve := q.Filter.sieve(&q)
			x.writing.Lock()
			rk.snap = x.snap.Load()
			self, _ := x.where.get(q.Self, x.key(q.Self), x.refAt)
			x.writing.Unlock()
			depth := 1 + r.IntN(60)
			f, err := x.stageOne(t.Context(), rk.snap, rk.plans, &sieve, self, depth, false)
			if err != nil {
				t.Fatal(err)
			}
			var got []candidateRef
			for i := range f.best {
				got = append(got, candidateRef{rk.snap.refOf(&f.best[i]), f.best[i].sum})
			}
			if diff := gocmp.Diff(want[:min(depth, len(want))], got); diff != "" || f.total != total {
				t.Fatalf("seed %d, %+v: %d found, %d by the definition (-):\n%s", seed, q, f.total, total, diff)
			}
		}
	}
}

// The same contents by any history, merges and crashes included: equal digests, and answers equal to the last bit.
func TestHistoryDoesNotShow(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 1))
		o := Options{Lexicon: lexicon.Builtin(), Dir: filepath.Join(t.TempDir(), "a")}
		x, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		c := make(catalogue)
		for range 6 {
			for range 40 {
				c.step(r, x, 60)
			}
			x.Settle()
			switch r.IntN(3) {
			case 0: // stopped and started
				if err := x.Close(); err != nil {
					t.Fatal(err)
				}
				if x, err = Open(o); err != nil {
					t.Fatal(err)
				}
				if x.Len() != len(c) {
					t.Fatalf("seed %d: %d documents after a restart, want %d", seed, x.Len(), len(c))
				}
			case 1: // killed: the folder is as it was at some moment, and the catalogue is put in again
				copied := filepath.Join(t.TempDir(), "b")
				if err := os.CopyFS(copied, os.DirFS(o.Dir)); err != nil {
					t.Fatal(err)
				}
				o.Dir = copied
				if x, err = Open(o); err != nil {
					t.Fatal(err)
				}
				c.reconcile(t, x)
			}
		}
		if err := x.Train(t.Context()); err != nil {
			t.Fatal(err)
		}
		fresh := c.afresh(r, Options{Lexicon: lexicon.Builtin()})
		if err := fresh.Train(t.Context()); err != nil {
			t.Fatal(err)
		}
		if x.Len() != len(c) || fresh.Len() != len(c) {
			t.Fatalf("seed %d: %d documents after a history, %d without, want %d", seed, x.Len(), fresh.Len(), len(c))
		}
		for range 10 {
			q := randomQuery(r)
			if diff := gocmp.Diff(ask(t, fresh, q), ask(t, x, q)); diff != "" {
				t.Fatalf("seed %d: without a history (-) and after one (+):\n%s", seed, diff)
			}
		}
	}
}

// reconcile puts in again what x lacks of the catalogue.
func (c catalogue) reconcile(t *testing.T, x *Index) {
	t.Helper()
	if err := x.Reconcile(func(have func(Ref, protocol.Hash) bool) error {
		for _, ref := range c.refs() {
			if !have(ref, protocol.Sum(c[ref].Encode())) {
				x.Put(ref, c[ref])
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestPartsSumToTheScore(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 2))
		x := New(Options{Lexicon: lexicon.Builtin()})
		walk(r, x, 40)
		if seed%2 == 0 {
			if err := x.Train(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			for _, h := range ask(t, x, randomQuery(r)).Hits {
				sum := 0.0
				for i, p := range h.Explanation.Parts {
					sum += p.Weight
					if p.Weight == 0 || p.Weight < 0 != (p.Kind == PartStale) || (p.Kind == PartOther) != (i == MaxParts) {
						t.Errorf("seed %d: part %d is %+v", seed, i, p)
					}
				}
				if d := sum - h.Score; d > 1e-6 || d < -1e-6 {
					t.Errorf("seed %d: parts sum to %v, score %v", seed, sum, h.Score)
				}
				if h.Explanation.Sentence == "" {
					t.Errorf("seed %d: no sentence", seed)
				}
			}
		}
	}
}

// A damaged file is left out, whatever is wrong with it, and the catalogue is whole again after it was put in once more.
func TestDamagedFilesAreBuiltAnew(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	dir := filepath.Join(t.TempDir(), "x")
	o := Options{Dir: dir, Log: slog.New(slog.DiscardHandler)}
	x, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	c := walk(r, x, 60)
	if err := x.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	fresh := c.afresh(r, Options{})
	if err := fresh.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(names) < 2 {
		t.Fatalf("nothing was written: %v", names)
	}
	for i := range 40 {
		copied := filepath.Join(t.TempDir(), "x")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(copied, filepath.Base(names[i%len(names)]))
		b, _ := os.ReadFile(name)
		switch i % 4 {
		case 0:
			b = b[:r.IntN(len(b))]
		case 1:
			b = nil
		default:
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		o.Dir = copied
		y, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		c.reconcile(t, y)
		if err := y.Train(t.Context()); err != nil {
			t.Fatal(err)
		}
		q := Query{Text: phrase(r, 8), Limit: 50}
		if diff := gocmp.Diff(ask(t, fresh, q), ask(t, y, q)); diff != "" {
			t.Fatalf("%s damaged: fresh (-), mended (+):\n%s", filepath.Base(name), diff)
		}
	}
}

// TestCountsAgree pages through whole answers: what is listed is what is found, less and more what the counts say.
func TestCountsAgree(t *testing.T) {
	var all Counts
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 11))
		x := New(Options{})
		walk(r, x, 60)
		if err := x.Train(t.Context()); err != nil {
			t.Fatal(err)
		}
		q := randomQuery(r)
		q.Offset, q.Facets = 0, true
		shown, first := 0, ask(t, x, q)
		for a := first; ; a = ask(t, x, q) {
			if a.Place != shown || a.Listed != first.Listed || a.Counts != first.Counts {
				t.Fatalf("seed %d: %d at %d, %+v", seed, a.Listed, a.Place, a.Counts)
			}
			if shown += len(a.Hits); a.Next == "" {
				break
			}
			q.After = a.Next
		}
		c := first.Counts
		if shown != first.Listed || first.Listed != first.Total-c.Cut-c.Folded-c.Weak+c.Near || c.Cut < 0 || c.Folded < 0 || c.Weak < 0 || c.Near < 0 {
			t.Errorf("seed %d: %d shown, %d listed of %d, %+v", seed, shown, first.Listed, first.Total, c)
		}
		kinds := 0
		for _, k := range first.Facets.Kinds {
			if len(q.Filter.Kinds) == 0 && q.Listing == nil {
				kinds += k.Count
			}
		}
		if kinds > 0 && kinds != first.Total {
			t.Errorf("seed %d: the kinds are %d, the total %d", seed, kinds, first.Total)
		}
		all.Folded, all.Weak, all.Near = all.Folded+c.Folded, all.Weak+c.Weak, all.Near+c.Near
	}
	if all.Folded == 0 || all.Weak == 0 || all.Near == 0 {
		t.Errorf("nothing of some sort was counted: %+v", all)
	}
}
