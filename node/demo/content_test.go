package demo_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

// own languages of the members, of which at least minOwn listings have to hold one.
func ownLanguages() map[protocol.MemberID][]protocol.Lang {
	return map[protocol.MemberID][]protocol.Lang{
		"BN": {"ms"}, "ID": {"id"}, "KH": {"km"}, "LA": {"lo"}, "MM": {"my"}, "MY": {"ms"}, "PH": {"fil"},
		"SG": {"zh", "ta", "ms"}, "TH": {"th"}, "TL": {"pt", "tet"}, "VN": {"vi"},
	}
}

const (
	minListings = 150
	minOwn      = 3
	minPairs    = 40
)

// Shares of the pairs that have to be found: in the first place by the whole need; in the first three by its English
// title alone, by its text in another language alone, and by that with its subject codes.
const (
	minFirst     = 0.98
	minByTitle   = 0.92
	minByOther   = 0.90
	minWithCodes = 0.95
)

// demonstration reads the whole content through the strict door into one index.
func demonstration(t *testing.T) (*match.Index, map[protocol.ListingID]*protocol.Listing) {
	t.Helper()
	content, err := demo.Content()
	if err != nil {
		t.Fatal(err)
	}
	x, all := match.New(match.Options{Lexicon: lexicon.Builtin()}), make(map[protocol.ListingID]*protocol.Listing)
	for _, m := range slices.Sorted(maps.Keys(content)) {
		listings, refused := indexed(x, m, content[m])
		for _, row := range refused {
			t.Errorf("%s row %d, %s: %v", m, row.N, row.ID, row.Err)
		}
		for _, l := range listings {
			if all[l.ID] != nil {
				t.Errorf("%s stands twice", l.ID)
			}
			all[l.ID] = l
			if demo.OriginOf(l.ID) != m {
				t.Errorf("%s is published by %s", l.ID, m)
			}
		}
	}
	return x, all
}

func TestContent(t *testing.T) {
	_, all := demonstration(t)
	if len(all) < minListings {
		t.Errorf("%d listings, want %d", len(all), minListings)
	}
	own := make(map[protocol.MemberID]int)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		l := all[id]
		if !l.Demonstration {
			t.Errorf("%s is not marked as demonstration", id)
		}
		if !strings.HasSuffix(l.Organisation.Name, "(demonstration)") {
			t.Errorf("%s: %q does not end in (demonstration)", id, l.Organisation.Name)
		}
		if string(demo.OriginOf(id)) != string(l.Country) {
			t.Errorf("%s is of %s", id, l.Country)
		}
		if slices.ContainsFunc(ownLanguages()[demo.OriginOf(id)], func(lang protocol.Lang) bool { return l.Texts[lang].Title != "" }) {
			own[demo.OriginOf(id)]++
		}
		if text, ok := l.Texts["my"]; ok {
			for _, s := range append([]string{text.Title, text.Value, text.Abstract}, text.Keywords...) {
				if why := notUnicodeBurmese(s); why != "" {
					t.Errorf("%s: the Burmese text is not in Unicode order: %s", id, why)
				}
			}
		}
	}
	for m, languages := range ownLanguages() {
		if own[m] < minOwn {
			t.Errorf("%s has %d listings in %v, want %d", m, own[m], languages, minOwn)
		}
	}
	inDocs(t, "demonstration.md", "counts", countsTable(all))
}

// notUnicodeBurmese says what shows that a text is in the Zawgyi encoding, which uses the same code points: there the
// vowel sign E and the medial RA stand before their consonant, the letters of other scripts' range hold stacked forms,
// and U+1039 is a visible sign that ends a syllable instead of stacking two consonants.
func notUnicodeBurmese(s string) string {
	runes := []rune(s)
	for i, r := range runes {
		before, after := rune(0), rune(0)
		if i > 0 {
			before = runes[i-1]
		}
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		switch {
		case r == 0x1031 && !isBurmeseConsonant(before) && (before < 0x103B || before > 0x103E):
			return fmt.Sprintf("a vowel sign E follows %q at %d", before, i)
		case r >= 0x103B && r <= 0x103E && !isBurmeseConsonant(before) && (before < 0x103A || before > 0x103E):
			return fmt.Sprintf("a medial follows %q at %d", before, i)
		case r == 0x1039 && !isBurmeseConsonant(after):
			return fmt.Sprintf("a stacker stands before %q at %d", after, i)
		case r >= 0x1060 && r <= 0x1097:
			return fmt.Sprintf("%U at %d is no letter of Burmese", r, i)
		}
	}
	return ""
}

func isBurmeseConsonant(r rune) bool {
	return r >= 0x1000 && r <= 0x1021 || r == 0x1025 || r == 0x103F || r == 0x1029
}

func TestZawgyiIsSeen(t *testing.T) {
	for s, want := range map[string]bool{
		"ရေသန့်စင်စနစ်": true, "မြန်မာ": true, "သတ္တု": true, "ကျေးလက်": true, // Unicode
		"ေရသန္႔စင္": false, "ျမန္မာ": false, "ေက်းလက္": false, // the same words in Zawgyi
	} {
		if why := notUnicodeBurmese(s); (why == "") != want {
			t.Errorf("%s: %q", s, why)
		}
	}
}

func countsTable(all map[protocol.ListingID]*protocol.Listing) string {
	type key struct {
		m    protocol.MemberID
		what string
	}
	counts := make(map[key]int)
	for id, l := range all {
		m := demo.OriginOf(id)
		for _, k := range []string{"all", string(l.Kind)} {
			counts[key{m, k}]++
			counts[key{"", k}]++
		}
		for lang := range l.Texts {
			counts[key{m, "lang " + string(lang)}]++
			counts[key{"", "lang " + string(lang)}]++
		}
	}
	var b strings.Builder
	b.WriteString("| member | listings |")
	for _, k := range protocol.Kinds() {
		fmt.Fprintf(&b, " %s |", k)
	}
	b.WriteString(" languages |\n|---|---:|" + strings.Repeat("---:|", len(protocol.Kinds())) + "---|\n")
	languages := func(m protocol.MemberID) string {
		var parts []string
		for _, k := range slices.SortedFunc(maps.Keys(counts), func(a, b key) int {
			if n := counts[b] - counts[a]; n != 0 {
				return n
			}
			return strings.Compare(a.what, b.what)
		}) {
			if lang, ok := strings.CutPrefix(k.what, "lang "); ok && k.m == m {
				parts = append(parts, fmt.Sprintf("%s %d", lang, counts[k]))
			}
		}
		return strings.Join(parts, ", ")
	}
	for _, m := range append(slices.Sorted(maps.Keys(ownLanguages())), "") {
		name := string(m)
		if m == "" {
			name = "all"
		}
		fmt.Fprintf(&b, "| %s | %d |", name, counts[key{m, "all"}])
		for _, k := range protocol.Kinds() {
			fmt.Fprintf(&b, " %d |", counts[key{m, string(k)}])
		}
		fmt.Fprintf(&b, " %s |\n", languages(m))
	}
	b.WriteString("\n")
	for _, k := range protocol.Kinds() {
		fmt.Fprintf(&b, "%s: %s. ", k, codes.Kind().Label(string(k)))
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// TestPairs asks with each need of the demonstration's pairs and notes at which place its offer stands. The index has learnt
// its topics, as that of a running node has a second after its start.
func TestPairs(t *testing.T) {
	x, all := demonstration(t)
	if err := x.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	pairs, err := demo.Pairs()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| place | title | other | need | offer | why they are a pair |\n|---:|---:|---:|---|---|---|\n")
	first, three, titles, others, coded := within{most: 1}, within{most: 3}, within{most: 3}, within{most: 3}, within{most: 3}
	called, titleCalled, otherCalled := make(map[match.Verdict]int), make(map[match.Verdict]int), make(map[match.Verdict]int)
	seen := make(map[demo.Pair]bool)
	for _, p := range pairs {
		need, offer := all[p.Need], all[p.Offer]
		if need == nil || offer == nil {
			t.Errorf("%s and %s are not both listed", p.Need, p.Offer)
			continue
		}
		if need.Country == offer.Country {
			t.Errorf("%s and %s are of one country", p.Need, p.Offer)
		}
		if !slices.Contains(match.Counterparts(need.Kind), offer.Kind) {
			t.Errorf("%s cannot find %s: %s is no counterpart of %s", p.Need, p.Offer, offer.Kind, need.Kind)
		}
		if key := (demo.Pair{Need: p.Need, Offer: p.Offer}); seen[key] {
			t.Errorf("%s and %s stand twice", p.Need, p.Offer)
		} else {
			seen[key] = true
		}
		place, verdict := placeIn(t, x, p, counterparts(need, p))
		inTitle, titled := placeIn(t, x, p, byTitle(need))
		called[verdict]++
		titleCalled[titled]++
		three.add(place)
		first.add(place)
		titles.add(inTitle)
		otherShown := ""
		if own := ownTexts(need); len(own) > 0 {
			inOther, verdict := placeIn(t, x, p, counterparts(&protocol.Listing{ID: need.ID, Kind: need.Kind, Country: need.Country, Texts: own}, p))
			otherCalled[verdict]++
			others.add(inOther)
			otherShown = shownPlace(inOther)
			withCodes := *need
			withCodes.Texts = own
			inCoded, _ := placeIn(t, x, p, counterparts(&withCodes, p))
			coded.add(inCoded)
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s %s | %s %s | %s |\n", shownPlace(place), shownPlace(inTitle), otherShown, p.Need, cell(title(need)), p.Offer, cell(title(offer)), cell(p.Why))
	}
	fmt.Fprintf(&table, "\n%d pairs: %d in the first place, %d in the first three (%.0f%%). By the English title alone %d are in the first three; "+
		"by the other language alone %d of the %d needs that have one, and %d by that and the need's codes. "+
		"The offer meant is called a strong match %d times, fair %d, weak %d; by the title alone %d, %d and %d; by the other language alone %d, %d and %d.\n",
		len(pairs), first.n, three.n, 100*float64(three.n)/float64(len(pairs)), titles.n, others.n, others.of, coded.n,
		called[match.Strong], called[match.Fair], called[match.Weak],
		titleCalled[match.Strong], titleCalled[match.Fair], titleCalled[match.Weak], otherCalled[match.Strong], otherCalled[match.Fair], otherCalled[match.Weak])
	t.Log("\n" + table.String())
	if len(pairs) < minPairs {
		t.Errorf("%d pairs, want %d", len(pairs), minPairs)
	}
	if n := called[match.Strong] + called[match.Fair]; n < len(pairs) {
		t.Errorf("%d of %d offers are called a strong or fair match of the whole need, want all", n, len(pairs))
	}
	first.atLeast(t, minFirst, "by the whole need")
	titles.atLeast(t, minByTitle, "by the English title alone")
	others.atLeast(t, minByOther, "by the other language alone")
	coded.atLeast(t, minWithCodes, "by the other language and the codes")
	inDocs(t, "demonstration.md", "pairs", table.String())
}

func shownPlace(place int) string {
	if place == 0 {
		return "–"
	}
	return fmt.Sprint(place)
}

func title(l *protocol.Listing) string {
	_, text := l.Text("en")
	return strings.TrimFunc(text.Title, unicode.IsSpace)
}

// within counts places from 1 to most, of all that there are.
type within struct{ most, n, of int }

func (w *within) add(place int) {
	w.of++
	if place >= 1 && place <= w.most {
		w.n++
	}
}

func (w *within) atLeast(t *testing.T, share float64, how string) {
	t.Helper()
	if float64(w.n) < share*float64(w.of) {
		t.Errorf("%s %d of %d pairs are in the first %d places, want %.0f%%", how, w.n, w.of, w.most, 100*share)
	}
}

func counterparts(need *protocol.Listing, p demo.Pair) match.Query {
	return match.Query{Listing: need, Self: match.Ref{Origin: demo.OriginOf(p.Need), ID: p.Need}}
}

// byTitle asks as a person does who types the need's title and wants what answers its kind.
func byTitle(need *protocol.Listing) match.Query {
	return match.Query{Text: title(need), Filter: match.Filter{Kinds: match.Counterparts(need.Kind)}}
}

// ownTexts are those that are not English.
func ownTexts(l *protocol.Listing) map[protocol.Lang]protocol.Text {
	texts := maps.Clone(l.Texts)
	delete(texts, "en")
	return texts
}

// placeIn is the place, from 1, at which the pair's offer stands in the answer, and what the answer calls it; 0 where it is
// not among the first hundred.
func placeIn(t *testing.T, x *match.Index, p demo.Pair, q match.Query) (int, match.Verdict) {
	t.Helper()
	for _, q.Limit = range []int{3, match.MaxLimit} { // most stand high up, and each hit is explained
		a, err := x.Match(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range a.Hits {
			if h.Ref.ID == p.Offer {
				return i + 1, h.Verdict
			}
		}
	}
	return 0, match.None
}
