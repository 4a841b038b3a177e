package match

import (
	"fmt"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// The verdict of an answer is that of its best hit, and says plainly that nothing fits.
func TestVerdicts(t *testing.T) {
	for strength, want := range map[float64]Verdict{1: Strong, strongFrom: Strong, strongFrom - 1e-9: Fair, fairFrom: Fair, fairFrom - 1e-9: Weak, 0: Weak} {
		if got := verdictOf(strength); got != want {
			t.Errorf("%v is %s, want %s", strength, got, want)
		}
	}
	x := New(Options{})
	for i := range 40 {
		l := listing(fmt.Sprint(i), "TO", "en", protocol.Text{Title: fmt.Sprint("common words of every listing ", i), Abstract: "this one is about pumps"})
		x.Put(Ref{"KH", l.ID}, l)
	}
	l := listing("best", "TO", "en", protocol.Text{Title: "tidal turbine blade"})
	x.Put(Ref{"KH", l.ID}, l)
	for q, want := range map[string]Verdict{
		"tidal turbine blade": Strong, "zeppelin": None,
		"zeppelin quartz aubergine xylophone pump hexagon narwhal": Weak,
	} {
		a := ask(t, x, Query{Text: q, Lang: "en"})
		if a.Verdict != want || (len(a.Hits) > 0 && a.Hits[0].Verdict != want) {
			t.Errorf("%q is answered by a %s match, want %s", q, a.Verdict, want)
		}
		if sorted := ask(t, x, Query{Text: q, Lang: "en", Sort: ByNewest}); want == Weak && len(sorted.Hits) > 0 {
			t.Errorf("%q sorted by date: %d weak matches", q, len(sorted.Hits))
		}
	}
}

// Where the hit that a page ended with is gone, the next page goes on where it stood.
func TestCursorOfAHitThatIsGone(t *testing.T) {
	for _, by := range []Sort{ByScore, ByNewest} {
		x := New(Options{})
		for i := range 26 {
			l := listing(string(rune('a'+i)), "TO", "en", protocol.Text{Title: "membrane"})
			l.Published = protocol.Date(20_000 - i)
			x.Put(Ref{"KH", l.ID}, l)
		}
		q := Query{Text: "membrane", Lang: "en", Limit: 5, Sort: by}
		a := ask(t, x, q)
		x.Remove(a.Hits[4].Ref)
		q.After = a.Next
		if got := ids(ask(t, x, q)); ids(a) != "a b c d e" || got != "f g h i j" {
			t.Errorf("%q: %s after %s", by, got, ids(a))
		}
	}
}

// What a filter lets through, of listings that differ in one thing each.
func TestFiltersOneByOne(t *testing.T) {
	x := New(Options{})
	put := func(origin protocol.MemberID, id string, change func(*protocol.Listing)) {
		l := listing(id, "TO", "en", protocol.Text{Title: "membrane"})
		change(l)
		x.Put(Ref{origin, l.ID}, l)
	}
	put("KH", "a", func(*protocol.Listing) {})
	put("LA", "b", func(*protocol.Listing) {})
	put("KH", "c", func(l *protocol.Listing) { l.Country = "VN" })
	put("KH", "d", func(l *protocol.Listing) { l.ValidUntil = 99 })
	put("KH", "e", func(l *protocol.Listing) { l.ValidUntil = 100 })
	put("KH", "f", func(l *protocol.Listing) { l.TRL = 3 })
	put("KH", "g", func(l *protocol.Listing) {
		l.FORD, l.ISIC, l.IPC, l.SDG = []string{"2.4"}, []string{"C10"}, []string{"C02F"}, []uint16{7}
	})
	put("KH", "h", func(l *protocol.Listing) { l.Texts["th"] = protocol.Text{Title: "x"} })
	put("KH", "i", func(l *protocol.Listing) { l.Kind = "TR" })
	const all = "a c d e f g h i b"
	for _, c := range []struct {
		filter Filter
		want   string
	}{
		{Filter{}, all},
		{Filter{Origins: []protocol.MemberID{"LA", "XX"}}, "b"},
		{Filter{Countries: []protocol.Country{"VN"}}, "c"},
		{Filter{Today: 100}, "a c e f g h i b"},
		{Filter{Today: 100, IncludeExpired: true}, all},
		{Filter{TRLMax: 9}, "f"},
		{Filter{TRLMin: 4}, ""},
		{Filter{FORD: []string{"2"}}, "g"},
		{Filter{ISIC: []string{"C"}}, "g"},
		{Filter{ISIC: []string{"C11"}}, ""},
		{Filter{IPC: []string{"C02"}, SDG: []uint16{7}}, "g"},
		{Filter{IPC: []string{"C02"}, SDG: []uint16{8}}, ""},
		{Filter{Languages: []protocol.Lang{"th"}}, "h"},
		{Filter{Kinds: []protocol.Kind{"TR"}}, "i"},
	} {
		for _, facets := range []bool{false, true} { // they are counted by another pass
			if a := ask(t, x, Query{Text: "membrane", Lang: "en", Filter: c.filter, Facets: facets}); !sameIDs(a, c.want) {
				t.Errorf("%+v lets through %q, want %q", c.filter, ids(a), c.want)
			}
		}
		if c.filter.Passes(Ref{"KH", "a"}, listing("a", "TO", "en", protocol.Text{Title: "membrane"})) != (len(c.want) > 0 && c.want[0] == 'a') {
			t.Errorf("%+v judges a listing otherwise when it is browsed", c.filter)
		}
	}
}

func sameIDs(a Answer, want string) bool { return ids(a) == want && a.Total == (len(want)+1)/2 }

// Did-you-mean and typeahead come with the index.
func TestMeantAndSuggested(t *testing.T) {
	x := New(Options{})
	var changes []Change
	for i := range 8 {
		l := listing(fmt.Sprint(i), "TO", "en", protocol.Text{Title: "Membrane filtration", Keywords: []string{"ultrafiltration", "turbidite"}, Abstract: "turbidity sensors"})
		changes = append(changes, Change{Ref: Ref{"KH", l.ID}, Listing: l})
	}
	x.Apply(changes...)
	l := listing("rare", "TO", "en", protocol.Text{Title: "Membrana"})
	x.Put(Ref{"KH", l.ID}, l)
	x.spell()
	for q, want := range map[string]string{"membrane filtraton plant": "membrane filtration plant", "membrane turbidity": "", "membrane filtration": "",
		"ultrafltratoin": "ultrafiltration", "membrana": ""} {
		if got := ask(t, x, Query{Text: q, Lang: "en"}).Meant; got != want {
			t.Errorf("%q: did you mean %q, want %q", q, got, want)
		}
	}
	if list := x.Suggest("ultraf", 3); len(list) != 1 || list[0].Phrase != "ultrafiltration" || list[0].Count != 8 {
		t.Errorf("ultraf is completed by %+v", list)
	}
}

// Two listings that have two thirds of their words in common are two technologies.
func TestAlikeIsNotTheSame(t *testing.T) {
	x := New(Options{})
	var common strings.Builder
	for i := range 60 {
		fmt.Fprintf(&common, "word%c%c ", 'a'+i/26, 'a'+i%26)
	}
	for i := range 40 {
		var own strings.Builder
		for j := range 12 {
			fmt.Fprintf(&own, "own%c%c%c ", 'a'+i/26, 'a'+i%26, 'a'+j)
		}
		l := listing(fmt.Sprint(i), "TO", "en", protocol.Text{Title: "membrane", Abstract: common.String() + own.String()})
		x.Put(Ref{"KH", l.ID}, l)
	}
	for _, h := range ask(t, x, Query{Text: "membrane", Limit: 100}).Hits {
		if len(h.Same) > 0 {
			t.Errorf("%v is taken for the same as %v", h.Ref, h.Same)
		}
	}
}
