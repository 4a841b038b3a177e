package match

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

func listing(id string, kind protocol.Kind, lang protocol.Lang, t protocol.Text) *protocol.Listing {
	return &protocol.Listing{ID: protocol.ListingID(id), Kind: kind, Country: "KH", Texts: map[protocol.Lang]protocol.Text{lang: t}}
}

func ids(a Answer) string {
	var list []string
	for _, h := range a.Hits {
		list = append(list, string(h.Ref.ID))
	}
	return strings.Join(list, " ")
}

func ask(t testing.TB, x *Index, q Query) Answer {
	t.Helper()
	a, err := x.Match(context.Background(), q)
	if err != nil {
		t.Fatalf("Match(%+v): %v", q, err)
	}
	a.Matched = nil // holds the index
	return a
}

// words that share stems, repeat and come in several scripts.
var words = strings.Fields("membrane membranes filter filters filtration ultrafiltration of the water waste-water solar cell " +
	"cells drying rice husk biogas pengeringan padi เยื่อกรองน้ำ ការច្រោះទឹក 膜过滤 café B12 low cost sensor network")

func phrase(r *rand.Rand, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = words[min(r.IntN(len(words)), r.IntN(len(words)))]
	}
	return strings.Join(list, " ")
}

func randomListing(r *rand.Rand, id int) *protocol.Listing {
	l := listing(fmt.Sprintf("L%d", id), protocol.Kinds()[r.IntN(6)], "en", protocol.Text{})
	l.Country = []protocol.Country{"KH", "LA", "TH", "VN"}[r.IntN(4)]
	l.TRL = uint8(r.IntN(10))
	l.FORD = [][]string{nil, {"2.4"}, {"2", "3.1"}, {"1.2"}}[r.IntN(4)]
	l.IPC = [][]string{nil, {"C02F"}, {"C02"}, {"H01M", "C"}}[r.IntN(4)]
	for _, lang := range []protocol.Lang{"en", "id", "th"}[:1+r.IntN(3)] {
		l.Texts[lang] = protocol.Text{
			Title: phrase(r, 1+r.IntN(6)), Value: phrase(r, r.IntN(5)), Abstract: phrase(r, r.IntN(30)),
			Keywords: []string{phrase(r, 1), phrase(r, 2)},
		}
	}
	return l
}

type catalogue map[Ref]*protocol.Listing

func (c catalogue) refs() []Ref {
	return slices.SortedFunc(maps.Keys(c), Ref.Compare)
}

// step applies one random batch of puts, revisions and removals to x and to c.
func (c catalogue) step(r *rand.Rand, x *Index, spread int) {
	var changes []Change
	for range 1 + r.IntN(5) {
		ref := Ref{Origin: []protocol.MemberID{"KH", "LA", "TH"}[r.IntN(3)]}
		id := r.IntN(spread)
		ref.ID = protocol.ListingID(fmt.Sprintf("L%d", id))
		if r.IntN(3) == 0 {
			delete(c, ref)
			changes = append(changes, Change{Ref: ref})
			continue
		}
		c[ref] = randomListing(r, id)
		changes = append(changes, Change{Ref: ref, Listing: c[ref]})
	}
	x.Apply(changes...)
}

// walk applies n random batches to x and returns what is left.
func walk(r *rand.Rand, x *Index, n int) catalogue {
	c := make(catalogue)
	for range n {
		c.step(r, x, 40)
	}
	return c
}

// afresh is an index of c in random order.
func (c catalogue) afresh(r *rand.Rand, o Options) *Index {
	x := New(o)
	refs := c.refs()
	r.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
	for _, ref := range refs {
		x.Put(ref, c[ref])
	}
	return x
}

func randomQuery(r *rand.Rand) Query {
	q := Query{Limit: 1 + r.IntN(60), Facets: r.IntN(2) == 0}
	if r.IntN(2) == 0 {
		q.Text = phrase(r, 1+r.IntN(12))
	} else {
		q.Listing = randomListing(r, r.IntN(50))
		if r.IntN(2) == 0 {
			q.Self = Ref{"KH", q.Listing.ID}
		}
	}
	if r.IntN(3) == 0 {
		q.Filter.Countries = []protocol.Country{"KH", "TH"}
	}
	if r.IntN(3) == 0 {
		q.Filter.Kinds = protocol.Kinds()[:1+r.IntN(6)]
	}
	if r.IntN(4) == 0 {
		q.Filter.FORD = []string{"2"}
	}
	if r.IntN(4) == 0 {
		q.Filter.IPC = []string{"C02"}
	}
	if r.IntN(4) == 0 {
		q.Filter.TRLMin, q.Filter.TRLMax = 3, 7
	}
	if r.IntN(4) == 0 {
		q.Sort = []Sort{ByNewest, ByEnd, ByTRL, ByCountry}[r.IntN(4)]
	}
	if r.IntN(4) == 0 {
		q.Stale = []protocol.MemberID{"LA"}
	}
	return q
}
