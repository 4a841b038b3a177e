package match

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// withDates gives a catalogue dates, since browsing is by them.
func withDates(r *rand.Rand, x *Index, c catalogue) {
	for ref, l := range c {
		l := *l
		l.Published = protocol.Date(20_000 + r.IntN(5))
		if r.IntN(2) == 0 {
			l.ValidUntil = protocol.Date(20_100 + r.IntN(5))
		}
		c[ref] = &l
		x.Put(ref, &l)
	}
}

// browsedByHand is what browsing must give.
func browsedByHand(c catalogue, f Filter, by Sort) (list []Ref) {
	end := func(l *protocol.Listing) int {
		if l.ValidUntil == 0 || l.ValidUntil < f.Today {
			return 1 << 40
		}
		return int(l.ValidUntil)
	}
	for ref, l := range c {
		if f.Passes(ref, l) {
			list = append(list, ref)
		}
	}
	slices.SortFunc(list, func(a, b Ref) int {
		l, m := c[a], c[b]
		first := 0
		switch by {
		case ByEnd:
			first = cmp.Compare(end(l), end(m))
		case ByTRL:
			first = cmp.Compare(m.TRL, l.TRL)
		case ByCountry:
			first = cmp.Compare(l.Country, m.Country)
		}
		return cmp.Or(first, cmp.Compare(m.Published, l.Published), a.Compare(b))
	})
	return list
}

func randomFilter(r *rand.Rand) (f Filter) {
	if r.IntN(3) == 0 {
		f.Countries = []protocol.Country{"KH", "TH"}
	}
	if r.IntN(3) == 0 {
		f.Kinds = protocol.Kinds()[:1+r.IntN(3)]
	}
	if r.IntN(4) == 0 {
		f.FORD = []string{"2"}
	}
	if r.IntN(4) == 0 {
		f.TRLMin, f.TRLMax = 3, 7
	}
	if r.IntN(4) == 0 {
		f.Origins = []protocol.MemberID{"LA"}
	}
	if r.IntN(4) == 0 {
		f.Languages = []protocol.Lang{"th"}
	}
	if r.IntN(2) == 0 {
		f.Today = 20_102
	}
	return f
}

func refsOf(hits []Hit) (list []Ref) {
	for _, h := range hits {
		list = append(list, h.Ref)
	}
	return list
}

// TestBrowsing goes forward and back through random catalogues, and counts by hand.
func TestBrowsing(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		x := New(Options{})
		c := walk(r, x, 40)
		withDates(r, x, c)
		f, by := randomFilter(r), sorts()[r.IntN(5)]
		want := browsedByHand(c, f, by)
		q := Query{All: true, Filter: f, Sort: by, Facets: true, Limit: 1 + r.IntN(9)}
		var got []Ref
		var last Answer
		for range 100 {
			last = ask(t, x, q)
			if last.Total != len(want) || last.Listed != len(want) || last.Place != len(got) || (last.Prev != "") != (len(got) > 0) {
				t.Fatalf("seed %d: %d of %d at %d, want %d at %d", seed, last.Listed, last.Total, last.Place, len(want), len(got))
			}
			got = append(got, refsOf(last.Hits)...)
			if last.Next == "" {
				break
			}
			q.After = last.Next
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, %q, %+v:\n got %v\nwant %v", seed, by, f, got, want)
		}
		at := last.Place
		for last.Prev != "" {
			q.After = last.Prev
			last = ask(t, x, q)
			at -= q.Limit
			if last.Place != at || !slices.Equal(refsOf(last.Hits), want[at:at+q.Limit]) {
				t.Fatalf("seed %d: back at %d: %v", seed, last.Place, refsOf(last.Hits))
			}
		}
		for _, count := range last.Facets.Kinds {
			narrowed := f
			narrowed.Kinds = []protocol.Kind{protocol.Kind(count.Value)}
			if n := len(browsedByHand(c, narrowed, by)); n != count.Count {
				t.Errorf("seed %d: %d of kind %s, want %d", seed, count.Count, count.Value, n)
			}
		}
		for _, count := range last.Facets.Countries {
			narrowed := f
			narrowed.Countries = []protocol.Country{protocol.Country(count.Value)}
			if n := len(browsedByHand(c, narrowed, by)); n != count.Count {
				t.Errorf("seed %d: %d in %s, want %d", seed, count.Count, count.Value, n)
			}
		}
	}
}

// TestBrowsingWhileItChanges: a page goes on where the one before ended, though what stood there is gone; and what is kept of
// a catalogue is never shown of another.
func TestBrowsingWhileItChanges(t *testing.T) {
	x := New(Options{})
	for i := range 30 {
		l := listing(fmt.Sprintf("L%02d", i), protocol.TechnologyOffer, "en", protocol.Text{Title: "Water filter"})
		l.Published = 20_000 // so they stand in the order of their ids
		x.Put(Ref{"KH", l.ID}, l)
	}
	q := Query{All: true, Limit: 10}
	first := ask(t, x, q)
	x.Remove(Ref{"KH", "L09"})
	x.Remove(Ref{"KH", "L03"})
	q.After = first.Next
	second := ask(t, x, q)
	if got := ids(second); got != "L10 L11 L12 L13 L14 L15 L16 L17 L18 L19" || second.Place != 8 || second.Total != 28 {
		t.Errorf("%s at %d of %d", got, second.Place, second.Total)
	}
	q.After = second.Prev
	if back := ask(t, x, q); ids(back) != "L00 L01 L02 L04 L05 L06 L07 L08" || back.Place != 0 || back.Prev != "" {
		t.Errorf("back: %s at %d", ids(back), back.Place)
	}
}

func TestBrowsingRefuses(t *testing.T) {
	x := New(Options{})
	x.Put(Ref{"KH", "A"}, listing("A", protocol.TechnologyOffer, "en", protocol.Text{Title: "Water"}))
	x.Put(Ref{"KH", "B"}, listing("B", protocol.TechnologyOffer, "en", protocol.Text{Title: "Water"}))
	next := ask(t, x, Query{All: true, Limit: 1}).Next
	for _, q := range []Query{
		{All: true, Text: "x"}, {All: true, Offset: 10}, {All: true, After: "x"}, {All: true, After: next + "!"}, {All: true, After: next, Sort: ByTRL},
		{All: true, After: "AAAAAAAAAAAAAA"}, {All: true, Limit: 101}, {All: true, Sort: "x"}, {},
	} {
		if _, err := x.Match(t.Context(), q); err == nil {
			t.Errorf("%+v is answered", q)
		}
	}
	if a := ask(t, New(Options{}), Query{All: true, Facets: true}); len(a.Hits) != 0 || a.Total != 0 || a.Facets == nil {
		t.Errorf("of nothing: %+v", a)
	}
}

func TestBrowsedPagesAreBounded(t *testing.T) {
	x := New(Options{})
	for i := range 3 * mostBrowsed {
		ask(t, x, Query{All: true, Filter: Filter{Today: protocol.Date(i + 1)}})
	}
	if n := len(x.browses.pages); n == 0 || n > mostBrowsed {
		t.Errorf("%d pages are kept", n)
	}
}

func BenchmarkBrowse(b *testing.B) {
	x, r := New(Options{}), rand.New(rand.NewPCG(1, 1))
	var changes []Change
	for i := range 100_000 {
		l := listing(fmt.Sprintf("L%06d", i), protocol.Kinds()[r.IntN(6)], "en", protocol.Text{Title: "Water"})
		l.Country, l.TRL = []protocol.Country{"KH", "LA", "TH", "VN"}[r.IntN(4)], uint8(r.IntN(10))
		l.Published, l.FORD = protocol.Date(20_000+r.IntN(800)), [][]string{{"2.4"}, {"2", "3.1"}, {"1.2"}}[r.IntN(3)]
		changes = append(changes, Change{Ref: Ref{"KH", l.ID}, Listing: l, Body: protocol.Sum([]byte(l.ID))})
	}
	x.Apply(changes...)
	x.Settle()
	for name, q := range map[string]Query{
		"all": {All: true, Facets: true}, "narrow": {All: true, Facets: true, Sort: ByTRL, Filter: Filter{Kinds: []protocol.Kind{"TO"}, Countries: []protocol.Country{"VN"}}},
	} {
		b.Run(name+" kept", func(b *testing.B) {
			for b.Loop() {
				ask(b, x, q)
			}
		})
		b.Run(name+" anew", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				q.Filter.Today = protocol.Date(1 + i)
				ask(b, x, q)
			}
		})
	}
}
