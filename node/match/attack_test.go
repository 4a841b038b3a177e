package match

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/protocol"
	gocmp "github.com/google/go-cmp/cmp"
)

// hostileTexts are made to be dear: by many distinct words, by words in no dictionary, by long rows of marks and joints.
func hostileTexts(r *rand.Rand) map[string]string {
	const size = 6000
	random := func(from, to rune, space bool) string {
		var b strings.Builder
		for n := 0; b.Len() < size; n++ {
			b.WriteRune(from + rune(r.IntN(int(to-from))))
			if space && r.IntN(5) == 0 {
				b.WriteByte(' ')
			}
		}
		return b.String()
	}
	texts := make(map[string]string)
	for name, of := range map[string][2]rune{
		"latin": {'a', 'z'}, "thai": {0x0e01, 0x0e4e}, "lao": {0x0e81, 0x0ece}, "khmer": {0x1780, 0x17d3}, "burmese": {0x1000, 0x104f},
		"tamil": {0x0b85, 0x0bcd}, "han": {0x4e00, 0x9fff}, "vietnamese": {0x1ea0, 0x1ef9}, "any": {1, 0xffff},
	} {
		texts[name], texts[name+" without spaces"] = random(of[0], of[1], true), random(of[0], of[1], false)
	}
	for name, s := range map[string]string{
		"hyphens": "a-", "apostrophes": "a'", "glottal stops": "ha'u-", "versions": "1.2.", "thousands": "1,000,", "marks": "\u0301",
		"subscripts": "\u1780\u17d2", "stacks": "\u1000\u1039", "marked": "a\u0301\u0323", "zero width": "\u0e01\u200b", "ligatures": "\ufdfa",
		"powers": "10^6", "formulas": "Ca(OH)2", "jamo": "\u1100\u1161\u11a8", "homoglyphs": "\u0430\u0441\u0435 ace ", "no text": "\xff\xe0\x80a", "zeros": "\x00a\x00",
	} {
		texts[name] = strings.Repeat(s, size/len(s))
	}
	return texts
}

func cutRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

func hostileListing(id int, lang protocol.Lang, s string) *protocol.Listing {
	return listing(fmt.Sprint("L", id), protocol.Kinds()[id%6], lang, protocol.Text{
		Title: cutRunes(s, 255), Abstract: cutRunes(s, 2000), Value: cutRunes(s, 200), Keywords: []string{cutRunes(s, 80)},
	})
}

func checkParts(t testing.TB, what string, a Answer) {
	t.Helper()
	for i, h := range a.Hits {
		sum := 0.0
		for _, p := range h.Explanation.Parts {
			sum += p.Weight
		}
		if d := sum - h.Score; !(d < 1e-6 && d > -1e-6) || !(h.Strength >= 0 && h.Strength <= 1) {
			t.Errorf("%s: parts sum to %v, score %v, strength %v", what, sum, h.Score, h.Strength)
		}
		if i > 0 && (a.Hits[i-1].Score < h.Score || a.Hits[i-1].Score == h.Score && a.Hits[i-1].Ref.Compare(h.Ref) >= 0) {
			t.Errorf("%s: hit %d stands before a better one", what, i-1)
		}
	}
}

func TestHostileTexts(t *testing.T) {
	x := New(Options{Lexicon: lexicon.Builtin()})
	n := 0
	texts := hostileTexts(rand.New(rand.NewPCG(1, 1)))
	langs := []protocol.Lang{"en", "vi", "tet", "km", "xx"}
	var changes []Change
	for _, s := range texts {
		for _, lang := range langs {
			l := hostileListing(n, lang, s)
			changes = append(changes, Change{Ref: Ref{"KH", l.ID}, Listing: l})
			n++
		}
	}
	x.Apply(changes...)
	if x.Len() != n {
		t.Fatalf("%d of %d hostile listings are indexed", x.Len(), n)
	}
	if err := x.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, s := range texts {
		for _, lang := range langs[:2] {
			a := ask(t, x, Query{Text: cutRunes(s, MaxText) + " x", Lang: lang, Facets: true})
			checkParts(t, name, a)
		}
	}
}

// Many meanings of one word, found in a long document, add up as one word.
func TestFaintMeaningsCountOnce(t *testing.T) {
	x := New(Options{})
	var terms []segment.Impact
	for _, term := range []string{"one", "three", "two"} {
		impact := uint8(1)
		if term == "three" {
			impact = 40
		}
		terms = append(terms, segment.Impact{Term: term, Impact: impact})
	}
	for i := range 3 {
		x.commit([]segment.Doc{{Origin: "KH", ID: fmt.Sprint(i), Terms: terms}}, nil)
	}
	a := asked{wishes: []wish{{times: 1, terms: []alternative{{term: "one", weight: .5}, {term: "three", weight: .9}, {term: "two", weight: .4}}}}}
	p := x.plan(x.snap.Load(), &a)
	scaled([]*plan{p})
	sc := x.borrowScratch(1)
	for i := range p.snap.parts {
		sc.sums[0] = [segment.MaxDocs]uint32{}
		p.accumulate(i, &sc.sums[0], sc)
		w := &p.wants[0]
		want := w.factor * meant(w.terms[0].part*frequency[1]+w.terms[1].part*frequency[40]+w.terms[2].part*frequency[1])
		if got := sc.sums[0][0]; got != want || want == 0 {
			t.Errorf("a document with faint meanings scores %d, want %d", got, want)
		}
	}
}

// A catalogue full of words of one sound does not make a name dear.
func TestNamesOfOneSound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := New(Options{Lexicon: lexicon.Builtin()})
	for i := range 40 {
		var b strings.Builder
		for range 280 {
			for j := range 6 {
				b.WriteByte("kcgqktdt"[4*(j%2)+r.IntN(4)])
				b.WriteByte("aeiou"[r.IntN(5)])
			}
			b.WriteByte(' ')
		}
		x.Put(Ref{"KH", protocol.ListingID(fmt.Sprint(i))}, hostileListing(i, "id", b.String()))
	}
	x.spell()
	var q []string
	for range 100 {
		s := ""
		for i := range 6 {
			s += []string{"க", "த"}[i%2] + []string{"ா", "ி", "ு", "ே", "ோ"}[r.IntN(5)]
		}
		q = append(q, s)
	}
	found, looked := 0, 0
	for _, w := range x.ask(x.snap.Load().names, []string{strings.Join(q, " ")}, "ta").wishes {
		if len(w.terms) > mostAlike {
			t.Errorf("%d terms for one word", len(w.terms))
		}
		if len(w.terms) > 0 {
			looked++
		}
		found += len(w.terms)
	}
	if found == 0 || looked > mostUnknown {
		t.Errorf("%d terms of %d words", found, looked)
	}
}

// Listings that are huge and have no word in common fill a segment long before their number does: they are not merged
// beyond what a segment can hold, and others still are.
func TestMergesKeepToTheirBounds(t *testing.T) {
	x := New(Options{})
	x.Put(Ref{"KH", "1"}, hostileListing(1, "en", "membrane filter"))
	p := x.snap.Load().parts[0]
	r := room{docs: 1, bytes: mostBytes - len(p.seg.Bytes()), terms: mostTerms - p.seg.Terms()}
	for _, over := range []room{{0, 0, 0}, {segment.MaxDocs - 1, 0, 0}, {0, 1, 0}, {0, 0, 1}} {
		with := room{r.docs + over.docs, r.bytes + over.bytes, r.terms + over.terms}
		if before := with; with.takes(p) != (over == room{}) || (over != room{}) && with != before {
			t.Errorf("room %+v takes a part of %d bytes and %d terms: %v", before, len(p.seg.Bytes()), p.seg.Terms(), over == room{})
		}
	}
	if alone := (room{}); !alone.takes(p) {
		t.Error("a part alone finds no room")
	}
}

// A part that cannot be merged, since its file was changed under the running node, keeps no other from it.
func TestDamagedPartIsSetAside(t *testing.T) {
	x := New(Options{Log: slog.New(slog.DiscardHandler)})
	r := rand.New(rand.NewPCG(4, 4))
	c := walk(r, x, 1)
	x.Settle()
	bad := x.snap.Load().parts[0]
	x.setAside([]*part{bad})
	for range 200 {
		c.step(r, x, 2000)
	}
	x.Settle()
	s := x.snap.Load()
	if p := s.part(bad.number); p == nil || len(s.parts) > 3*fanOut {
		t.Errorf("%d segments, the one set aside is %v", len(s.parts), p)
	}
	x.setAside(s.parts) // all can be merged, but not together
	for _, p := range x.snap.Load().parts {
		if _, ok := p.keep.(unmergeable); !ok {
			t.Errorf("part %d would be tried again with every change", p.number)
		}
	}
	if s := x.snap.Load(); s.due() != nil {
		t.Error("what cannot be merged is due")
	}
	q := Query{Text: "membrane filter water"}
	if diff := gocmp.Diff(ask(t, c.afresh(r, Options{}), q), ask(t, x, q)); diff != "" {
		t.Errorf("afresh (-), with parts set aside (+):\n%s", diff)
	}
}

// What a crash left half written, and files of numbers that are given anew, are gone after a start.
func TestLeftoversAreSwept(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".00000003.segment.123", ".manifest.json.9", ".00000003-0123456789abcdef.vectors.77", ".0123456789abcdef.model.1",
		"00000009.segment", "00000009-0123456789abcdef.vectors", "0123456789abcdef.model"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"notes.txt", ".hidden", "0123456789abcdef.embeddings"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if got := strings.Join(left, " "); got != ".hidden 0123456789abcdef.embeddings notes.txt" {
		t.Errorf("left: %s", got)
	}
}

// Whatever goes on at once, nothing breaks, and a closed index changes nothing in its folder.
func TestAllAtOnce(t *testing.T) {
	dir := t.TempDir()
	x, err := Open(Options{Dir: dir, Lexicon: lexicon.Builtin(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	walk(rand.New(rand.NewPCG(1, 1)), x, 60)
	var wg sync.WaitGroup
	for n := range uint64(3) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(n, 2))
			c := make(catalogue)
			for range 60 {
				c.step(r, x, 200)
				x.Holds(Ref{"KH", "L1"}, protocol.Hash{})
			}
		})
		wg.Go(func() {
			r := rand.New(rand.NewPCG(n, 3))
			for range 40 {
				q := randomQuery(r)
				a, err := x.Match(t.Context(), q)
				if err != nil {
					t.Error(err)
				}
				if q.Sort == ByScore {
					checkParts(t, "at once", a)
				}
				x.Suggest("mem", 5)
				x.Stats()
				x.Settle()
			}
		})
	}
	wg.Go(func() {
		for range 4 {
			if err := x.Train(t.Context()); err != nil {
				t.Error(err)
			}
			x.spell()
		}
	})
	wg.Go(func() {
		for range 3 {
			if err := x.learn(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			x.Match(t.Context(), Query{Text: "membrane"})
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	before := manifestOf(t, dir)
	x.Put(Ref{"KH", "late"}, listing("late", "TO", "en", protocol.Text{Title: "membrane"}))
	if err := x.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	if manifestOf(t, dir) != before {
		t.Error("a closed index wrote its manifest")
	}
}

func manifestOf(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
