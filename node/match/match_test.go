package match

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/google/go-cmp/cmp"
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
	for _, lang := range []protocol.Lang{"en", "id", "th"}[:1+r.IntN(3)] {
		l.Texts[lang] = protocol.Text{
			Title: phrase(r, 1+r.IntN(6)), Value: phrase(r, r.IntN(5)), Abstract: phrase(r, r.IntN(30)),
			Keywords: []string{phrase(r, 1), phrase(r, 2)},
		}
	}
	return l
}

type catalogue map[Ref]*protocol.Listing

// walk applies n random puts, revisions and removals to x and returns what is left.
func walk(r *rand.Rand, x *Index, n int) catalogue {
	c := make(catalogue)
	for range n {
		ref := Ref{Origin: []protocol.MemberID{"KH", "LA", "TH"}[r.IntN(3)]}
		id := r.IntN(40)
		ref.ID = protocol.ListingID(fmt.Sprintf("L%d", id))
		if r.IntN(3) == 0 {
			delete(c, ref)
			x.Remove(ref)
			continue
		}
		c[ref] = randomListing(r, id)
		x.Put(ref, c[ref])
	}
	return c
}

// textbook scores every document from the formula in the package comment, slowly.
func (c catalogue) textbook(w *Weights, q Query) map[Ref]float64 {
	type bag struct {
		tf     map[wishKey]float64
		length float64
	}
	stem := newStemmer()
	bags, df, total := make(map[Ref]bag), make(map[string]float64), 0.0
	for ref, l := range c {
		b := bag{tf: make(map[wishKey]float64)}
		for f, texts := range analyseListing(l, stem) {
			for _, text := range texts {
				for i, t := range text {
					b.length += w.field(field(f))
					b.tf[wishKey{t, ""}] += w.field(field(f))
					if i > 0 {
						b.tf[wishKey{text[i-1], t}] += w.field(field(f))
					}
				}
			}
		}
		for key := range b.tf {
			if key.next == "" {
				df[key.term]++
			}
		}
		bags[ref], total = b, total+b.length
	}
	n := float64(len(c))
	inLanguage := func(l protocol.Lang) (n float64) {
		for _, listing := range c {
			for tag := range listing.Texts {
				if tag == l {
					n++
				}
			}
		}
		return n
	}
	idf := func(t string, lang protocol.Lang) float64 {
		n := n
		if script := scriptLanguage(t); script != "" {
			n = inLanguage(script)
		} else if lang == "id" || lang == "ms" || lang == "vi" || lang == "fil" || lang == "pt" || lang == "tet" {
			n = inLanguage(lang)
		}
		return math.Log(1 + (max(n, df[t])-df[t]+.5)/(df[t]+.5))
	}
	scores := make(map[Ref]float64)
	for ref, b := range bags {
		for _, language := range stem.wishes(q) {
			score := 0.0
			for _, wish := range language.wishes {
				tf := b.tf[wish.wishKey]
				if tf == 0 {
					continue
				}
				weight := idf(wish.term, language.lang)
				if wish.next != "" {
					weight = w.Bigram * (idf(wish.term, language.lang) + idf(wish.next, language.lang))
				}
				score += wish.weight * weight * tf / (tf + w.K1*(1-w.B+w.B*b.length/(total/n)))
			}
			if score > scores[ref] {
				scores[ref] = score
			}
		}
	}
	return scores
}

func TestScoreIsTheFormula(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 0))
		x := New(DefaultWeights())
		c := walk(r, x, 20+r.IntN(400))
		for _, q := range []Query{
			{Text: phrase(r, 1+r.IntN(8)), Limit: MaxLimit},
			{Listing: randomListing(r, 99), Limit: MaxLimit, Filter: Filter{Kinds: protocol.Kinds()}},
		} {
			want, got := c.textbook(&x.weights, q), ask(t, x, q)
			if got.Total != len(want) {
				t.Fatalf("seed %d: total %d, want %d", seed, got.Total, len(want))
			}
			for i, h := range got.Hits {
				if math.Abs(h.Score-want[h.Ref]) > 1e-9 {
					t.Errorf("seed %d: %v scores %v, by the formula %v", seed, h.Ref, h.Score, want[h.Ref])
				}
				if i > 0 && (got.Hits[i-1].Score < h.Score || got.Hits[i-1].Score == h.Score && got.Hits[i-1].Ref.Compare(h.Ref) > 0) {
					t.Errorf("seed %d: hit %d is out of order", seed, i)
				}
			}
		}
	}
}

// A value worked out by hand: N = 2, df = 1, tf = 3, len = 6 (two title terms), avg = 5.5, so
// idf = ln(1 + 1.5/1.5) = ln 2, and s = 3 / (3 + 1.2·(0.25 + 0.75·6/5.5)).
func TestScoreByHand(t *testing.T) {
	x := New(DefaultWeights())
	x.Put(Ref{"KH", "1"}, listing("1", protocol.TechnologyOffer, "en", protocol.Text{Title: "Membranes filter"}))
	x.Put(Ref{"KH", "2"}, listing("2", protocol.TechnologyOffer, "en", protocol.Text{Title: "Pump", Abstract: "A dry pump"}))
	want := math.Ln2 * 3 / (3 + 1.2*(0.25+0.75*6/5.5))
	if got := ask(t, x, Query{Text: "a membrane"}).Hits[0].Score; math.Abs(got-want) > 1e-12 {
		t.Errorf("score %v, want %v", got, want)
	}
}

// The same contents by any history: equal digests, and answers equal to the last bit.
func TestHistoryDoesNotShow(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		lived, fresh := New(DefaultWeights()), New(DefaultWeights())
		c := walk(r, lived, 600)
		for ref, l := range c { // in random order
			fresh.Put(ref, l)
			fresh.Put(ref, l)
		}
		if got, want := lived.Stats(), fresh.Stats(); got != want || lived.Len() != len(c) {
			t.Fatalf("seed %d: %+v after a history, %+v without", seed, got, want)
		}
		for range 5 {
			q := Query{Text: phrase(r, 5), Limit: MaxLimit}
			if diff := cmp.Diff(ask(t, fresh, q), ask(t, lived, q)); diff != "" {
				t.Fatalf("seed %d: without a history (-) and after one (+):\n%s", seed, diff)
			}
		}
	}
}

func TestDigestNamesWeightsAndContents(t *testing.T) {
	ref, l := Ref{"KH", "1"}, listing("1", protocol.TechnologyOffer, "en", protocol.Text{Title: "Membrane"})
	digestOf := func(w Weights, put bool) Digest {
		x := New(w)
		if put {
			x.Put(ref, l)
		}
		return ask(t, x, Query{Text: "x"}).Ranker
	}
	other := DefaultWeights()
	other.K1 = 0.9
	seen := map[Digest]bool{
		digestOf(DefaultWeights(), true): true, digestOf(DefaultWeights(), false): true, digestOf(other, true): true,
	}
	if len(seen) != 3 {
		t.Errorf("%d distinct digests, want 3", len(seen))
	}
	for d := range seen {
		var back Digest
		b, _ := d.MarshalText()
		if err := back.UnmarshalText(b); err != nil || back != d || len(b) != 64 {
			t.Errorf("%s reads back as %s (%v)", b, back, err)
		}
	}
}

func TestRemoveCorrectsDF(t *testing.T) {
	x := New(DefaultWeights())
	for i := range 500 {
		id := fmt.Sprint(i)
		x.Put(Ref{"KH", protocol.ListingID(id)}, listing(id, protocol.TechnologyOffer, "en", protocol.Text{Title: "membrane m" + id}))
	}
	for i := 1; i < 500; i++ {
		x.Remove(Ref{"KH", protocol.ListingID(fmt.Sprint(i))})
		if got, want := x.Stats(), (Stats{Documents: 500 - i, Terms: 501 - i, Postings: 2 * (500 - i)}); got != want {
			t.Fatalf("after %d removals %+v, want %+v", i, got, want)
		}
	}
	if len(x.docs) > 100 {
		t.Errorf("one document is left, %d numbers are in use", len(x.docs))
	}
	x.Remove(Ref{"KH", "0"})
	x.Remove(Ref{"KH", "0"})
	if a := ask(t, x, Query{Text: "membrane"}); x.Len() != 0 || a.Total != 0 {
		t.Errorf("the empty index answers %+v", a)
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
	x := New(DefaultWeights())
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
