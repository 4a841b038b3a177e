package match

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

// A value worked out by hand: N = 2, df = 1, tf = 3, length 6 (two title terms).
func TestScoreByHand(t *testing.T) {
	w := DefaultWeights()
	x := New(Options{Weights: w})
	x.Put(Ref{"KH", "1"}, listing("1", protocol.TechnologyOffer, "en", protocol.Text{Title: "Membranes filter"}))
	x.Put(Ref{"KH", "2"}, listing("2", protocol.TechnologyOffer, "en", protocol.Text{Title: "Pump", Abstract: "A dry pump"}))
	q := Query{Text: "a membrane", Lang: "en"}
	r, err := x.rank(t.Context(), &q, Depth, false)
	if err != nil || len(r.list) != 1 {
		t.Fatalf("%d found, %v", len(r.list), err)
	}
	impact := float64(int(255*3/(3+1.2*(0.25+0.75*6/w.Reference)) + .5))
	if want := impact / 255 * 0.6931471805599453; r.list[0].text < want-0.01 || r.list[0].text > want+0.0001 { // integers cut off
		t.Errorf("score %v, want %v", r.list[0].text, want)
	}
}

func TestDigestNamesWhatDecides(t *testing.T) {
	ref, l := Ref{"KH", "1"}, listing("1", protocol.TechnologyOffer, "en", protocol.Text{Title: "Membrane"})
	digestOf := func(o Options, put bool) Digest {
		x := New(o)
		if put {
			x.Put(ref, l)
		}
		return ask(t, x, Query{Text: "x"}).Ranker
	}
	other := DefaultWeights()
	other.Expansion = 0.1
	seen := map[Digest]bool{
		digestOf(Options{}, true): true, digestOf(Options{}, false): true, digestOf(Options{Weights: other}, true): true,
		digestOf(Options{Lexicon: lexicon.Builtin()}, true): true,
	}
	if len(seen) != 4 {
		t.Errorf("%d distinct digests, want 4", len(seen))
	}
	for d := range seen {
		var back Digest
		b, _ := d.MarshalText()
		if err := back.UnmarshalText(b); err != nil || back != d || len(b) != 64 {
			t.Errorf("%s reads back as %s (%v)", b, back, err)
		}
	}
}

func TestPages(t *testing.T) {
	x := New(Options{})
	var docs []Change
	for i := range 5000 { // equal scores: in the order of their refs
		id := string([]byte{'a' + byte(i/676%26), 'a' + byte(i/26%26), 'a' + byte(i%26)})
		l := listing(id, "TO", "en", protocol.Text{Title: "membrane"})
		l.Published = protocol.Date(20000 + i%7)
		docs = append(docs, Change{Ref: Ref{"KH", protocol.ListingID(id)}, Listing: l})
	}
	x.Apply(docs...)
	a := ask(t, x, Query{Text: "membrane", Limit: 3, Offset: 25})
	if ids(a) != "aaz aba abb" || a.Total != 5000 {
		t.Errorf("got %s of %d", ids(a), a.Total)
	}
	if a := ask(t, x, Query{Text: "membrane", Limit: 100, Offset: 900}); len(a.Hits) != 100 || a.Hits[99].Ref.ID != "bml" || a.Next != "" {
		t.Errorf("the last page ends with %s, then %q", ids(a), a.Next)
	}
	if a := ask(t, x, Query{Text: "membrane"}); len(a.Hits) != DefaultLimit {
		t.Errorf("%d hits by default", len(a.Hits))
	}
}

// Pages by cursor show every hit once and none twice, in each order, though listings come and go meanwhile.
func TestCursors(t *testing.T) {
	for _, by := range []Sort{ByScore, ByNewest, ByEnd, ByTRL, ByCountry} {
		r := rand.New(rand.NewPCG(1, 1))
		x := New(Options{})
		c := walk(r, x, 100)
		q := Query{Text: "membrane filter water", Limit: 7, Sort: by}
		all := ask(t, x, Query{Text: q.Text, Limit: 100, Sort: by})
		var got []Ref
		seen := make(map[Ref]bool)
		for page := 0; ; page++ {
			a := ask(t, x, q)
			for _, h := range a.Hits {
				if seen[h.Ref] {
					t.Errorf("%s: %v twice", by, h.Ref)
				}
				seen[h.Ref] = true
				got = append(got, h.Ref)
			}
			if page == 1 { // what was shown already goes; its place stays
				x.Remove(a.Hits[0].Ref)
				delete(c, a.Hits[0].Ref)
			}
			if q.After = a.Next; a.Next == "" {
				break
			}
		}
		if len(got) < len(all.Hits)-1 || len(all.Hits) < 20 {
			t.Errorf("%s: %d hits by pages, %d at once", by, len(got), len(all.Hits))
		}
		q.After = ask(t, x, Query{Text: q.Text, Limit: 7, Sort: by}).Next
		q.Text = "another query"
		if _, err := x.Match(t.Context(), q); err == nil {
			t.Errorf("%s: a cursor of another query is taken", by)
		}
	}
}

func TestSortedByDate(t *testing.T) {
	x := New(Options{})
	for i, day := range []protocol.Date{100, 300, 0, 200} {
		l := listing(fmt.Sprint(i), "TO", "en", protocol.Text{Title: "membrane filter " + []string{"pump", "cell", "husk", "rice"}[i]})
		l.Published, l.ValidUntil, l.TRL = day, day+10, uint8(i)
		l.Country = []protocol.Country{"VN", "KH", "LA", "TH"}[i]
		if day == 0 {
			l.ValidUntil = 0
		}
		x.Put(Ref{"KH", l.ID}, l)
	}
	for by, want := range map[Sort]string{ByNewest: "1 3 0 2", ByEnd: "3 1 0 2", ByTRL: "3 2 1 0", ByCountry: "1 2 3 0"} {
		if got := ids(ask(t, x, Query{Text: "membrane filter", Sort: by, Filter: Filter{Today: 150, IncludeExpired: true}})); got != want {
			t.Errorf("%s: %s, want %s", by, got, want)
		}
	}
}

// Every count of a facet is the total of the same query with that value as its filter.
func TestFacetsAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 8))
	x := New(Options{})
	walk(r, x, 120)
	for range 12 {
		q := randomQuery(r)
		q.Facets, q.Sort, q.Limit = true, ByScore, 1
		f := ask(t, x, q).Facets
		check := func(name string, counts []FacetCount, set func(*Filter, string)) {
			for _, c := range counts {
				one := q
				set(&one.Filter, c.Value)
				if got := ask(t, x, one).Total; got != c.Count {
					t.Errorf("%s %s of %+v: %d counted, %d found", name, c.Value, q.Filter, c.Count, got)
				}
			}
		}
		check("kind", f.Kinds, func(f *Filter, v string) { f.Kinds = []protocol.Kind{protocol.Kind(v)} })
		check("country", f.Countries, func(f *Filter, v string) { f.Countries = []protocol.Country{protocol.Country(v)} })
		check("origin", f.Origins, func(f *Filter, v string) { f.Origins = []protocol.MemberID{protocol.MemberID(v)} })
		check("FORD", f.FORD, func(f *Filter, v string) { f.FORD = []string{v} })
		check("language", f.Languages, func(f *Filter, v string) { f.Languages = []protocol.Lang{protocol.Lang(v)} })
		check("TRL", f.TRL, func(f *Filter, v string) { fmt.Sscan(v, &f.TRLMin); f.TRLMax = f.TRLMin })
		if ask(t, x, q).Total > 0 != (len(f.Kinds) > 0) {
			t.Errorf("%+v counts %+v", q, f)
		}
	}
}

func TestSameTechnologyIsFolded(t *testing.T) {
	x := New(Options{})
	text := "Rice husk ash filter for arsenic in village wells, built of local clay by potters, lasting two years without power"
	for i, s := range []string{text, text + " and cheap", "Arsenic filter", strings.Replace(text, "potters", "masons", 1)} {
		kind := protocol.TechnologyOffer
		if i == 3 {
			kind = protocol.Facility
		}
		x.Put(Ref{protocol.MemberID([]string{"KH", "LA", "KH", "TH"}[i]), protocol.ListingID(fmt.Sprint(i))}, listing(fmt.Sprint(i), kind, "en", protocol.Text{Title: s}))
	}
	a := ask(t, x, Query{Text: "arsenic filter of rice husk"})
	var got []string
	for _, h := range a.Hits {
		got = append(got, fmt.Sprint(h.Ref.ID, h.Same))
	}
	slices.Sort(got)
	if want := "0[{LA 1}] 2[] 3[]"; strings.Join(got, " ") != want || a.Total != 4 {
		t.Errorf("%v of %d, want %s of 4", got, a.Total, want)
	}
}

func TestCounterparts(t *testing.T) {
	want := map[protocol.Kind]string{
		"TO": "TR RD", "TR": "TO EX FC", "RD": "RD EX FC TO FN", "EX": "RD TR", "FC": "RD TR", "FN": "RD TO", "": "",
	}
	for k, list := range want {
		var got []string
		for _, c := range Counterparts(k) {
			got = append(got, string(c))
		}
		if strings.Join(got, " ") != list {
			t.Errorf("counterparts of %s: %v, want %s", k, got, list)
		}
	}
}

func TestListingFindsItsCounterparts(t *testing.T) {
	x := New(Options{})
	for _, k := range protocol.Kinds() {
		x.Put(Ref{"KH", protocol.ListingID(k)}, listing(string(k), k, "en", protocol.Text{Title: "membrane"}))
	}
	for _, k := range protocol.Kinds() {
		id := protocol.ListingID(k)
		a := ask(t, x, Query{Listing: listing(string(k), k, "en", protocol.Text{Title: "membranes"}), Self: Ref{"KH", id}})
		want := slices.Clone(Counterparts(k))
		want = slices.DeleteFunc(want, func(c protocol.Kind) bool { return c == k }) // the only one of its kind is itself
		if a.Total != len(want) {
			t.Errorf("%s finds %s, want %v", k, ids(a), want)
		}
		for _, h := range a.Hits {
			if !slices.Contains(want, protocol.Kind(h.Ref.ID)) {
				t.Errorf("%s finds %s, want %v", k, h.Ref.ID, want)
			}
		}
	}
	if a := ask(t, x, Query{Listing: listing("d", "", "en", protocol.Text{Title: "membrane"})}); a.Total != 6 {
		t.Errorf("a draft without a kind finds %d, want all 6", a.Total)
	}
}

// Codes, fit and staleness are parts of the score that can be seen.
func TestFactsAreParts(t *testing.T) {
	x := New(Options{})
	put := func(origin protocol.MemberID, id string, change func(*protocol.Listing)) {
		l := listing(id, "TO", "en", protocol.Text{Title: "membrane pump " + id})
		change(l)
		x.Put(Ref{origin, l.ID}, l)
	}
	put("KH", "plain", func(*protocol.Listing) {})
	put("KH", "codes", func(l *protocol.Listing) { l.FORD, l.IPC = []string{"2.4"}, []string{"C02F"} })
	put("KH", "ready", func(l *protocol.Listing) { l.TRL, l.Cooperation = 7, []string{"licence"} })
	put("LA", "away", func(*protocol.Listing) {})
	need := listing("need", "TR", "en", protocol.Text{Title: "membrane pump"})
	need.FORD, need.IPC, need.TRL, need.Cooperation = []string{"2.4"}, []string{"C02"}, 5, []string{"licence"}
	parts := make(map[string][]string)
	for _, h := range ask(t, x, Query{Listing: need, Stale: []protocol.MemberID{"LA"}}).Hits {
		for _, p := range h.Explanation.Parts {
			if p.Kind == PartCode || p.Kind == PartFit || p.Kind == PartStale {
				parts[string(h.Ref.ID)] = append(parts[string(h.Ref.ID)], strings.TrimSpace(fmt.Sprintf("%s %s", p.Kind, p.Term)))
			}
		}
	}
	for _, list := range parts {
		slices.Sort(list)
	}
	want := map[string][]string{"codes": {"code FORD 2.4", "code IPC C02"}, "ready": {"fit cooperation", "fit readiness"}, "away": {"stale"}}
	if !maps.EqualFunc(parts, want, slices.Equal) {
		t.Errorf("parts %v, want %v", parts, want)
	}
}

// Queries see one state of the catalogue each.
func TestQueriesWhileChanging(t *testing.T) {
	x, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	// Two listings are swapped again and again: exactly one of them always stands.
	x.Put(Ref{"KH", "even"}, listing("even", "TO", "en", protocol.Text{Title: "tidal turbine"}))
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				a, err := x.Match(t.Context(), Query{Text: "tidal turbine", Lang: "en", Limit: MaxLimit})
				if err != nil || a.Total != 1 {
					t.Errorf("%d found, want 1 at any moment: %v", a.Total, err)
					return
				}
				for _, h := range a.Hits {
					sum := 0.0
					for _, p := range h.Explanation.Parts {
						sum += p.Weight
					}
					if d := sum - h.Score; d > 1e-6 || d < -1e-6 {
						t.Errorf("%v: parts sum to %v, score %v: not one snapshot", h.Ref, sum, h.Score)
						return
					}
				}
			}
		})
	}
	r := rand.New(rand.NewPCG(9, 9))
	c := make(catalogue)
	for i := range 400 {
		names := []protocol.ListingID{"even", "odd"}
		x.Apply(Change{Ref: Ref{"KH", names[i%2]}}, Change{Ref: Ref{"KH", names[1-i%2]}, Listing: listing(string(names[1-i%2]), "TO", "en", protocol.Text{Title: "tidal turbine"})})
		c.step(r, x, 200)
	}
	close(done)
	wg.Wait()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
}
