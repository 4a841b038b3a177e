package match

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

// hostileTexts are made to be dear: by many distinct words, by words in no dictionary, by long rows of marks and joints.
func hostileTexts(r *rand.Rand) map[string]func() string {
	random := func(from, to rune) func() string {
		return func() string {
			var b strings.Builder
			for b.Len() < 12000 {
				for range 3 + r.IntN(6) {
					b.WriteRune(from + rune(r.IntN(int(to-from))))
				}
				b.WriteByte(' ')
			}
			return b.String()
		}
	}
	solid := func(from, to rune) func() string {
		return func() string {
			var b strings.Builder
			for b.Len() < 12000 {
				b.WriteRune(from + rune(r.IntN(int(to-from))))
			}
			return b.String()
		}
	}
	repeat := func(s string) func() string { return func() string { return strings.Repeat(s, 12000/len(s)) } }
	return map[string]func() string{
		"latin": random('a', 'z'), "thai": random(0x0e01, 0x0e4e), "lao": random(0x0e81, 0x0ece), "khmer": random(0x1780, 0x17d3),
		"burmese": random(0x1000, 0x104f), "tamil": random(0x0b85, 0x0bcd), "han": random(0x4e00, 0x9fff), "vietnamese": random(0x1ea0, 0x1ef9),
		"thai solid": solid(0x0e01, 0x0e4e), "khmer solid": solid(0x1780, 0x17d3), "burmese solid": solid(0x1000, 0x1021), "han solid": solid(0x4e00, 0x9fff),
		"tamil solid": solid(0x0b85, 0x0bcd), "latin solid": solid('a', 'z'),
		"hyphens": repeat("a-"), "apostrophes": repeat("a'"), "tetum": repeat("ha'u-"), "versions": repeat("1.2."), "thousands": repeat("1,000,"),
		"marks": repeat("\u0301"), "coeng": repeat("\u1780\u17d2"), "stack": repeat("\u1000\u1039"), "marked": repeat("a\u0301\u0323"),
		"zero width": repeat("\u0e01\u200b"), "ligature": repeat("\ufdfa"), "powers": repeat("10^6"), "formula": repeat("Ca(OH)2"), "hangul": repeat("\u1100\u1161\u11a8"),
		"words": func() string { return phrase(r, 1500) }, "names": repeat("\u0b95\u0bae\u0bb2\u0ba9 "), "spaces": repeat(" "), "invalid": repeat("\xff\xe0\x80a"),
	}
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
	l := listing(fmt.Sprintf("L%d", id), protocol.Kinds()[id%6], lang, protocol.Text{
		Title: cutRunes(s, 255), Abstract: cutRunes(s, 2000), Value: cutRunes(s, 200), Keywords: []string{cutRunes(s, 80)},
	})
	return l
}

func TestScratchWorst(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for name, f := range hostileTexts(r) {
		for _, lang := range []protocol.Lang{"en", "id", "vi", "fil", "pt", "tet", "th", "my"} {
			x := New(Options{Lexicon: lexicon.Builtin()})
			begin := time.Now()
			for i := range 20 {
				x.Put(Ref{"KH", protocol.ListingID(fmt.Sprint(i))}, hostileListing(i, lang, f()))
			}
			each := time.Since(begin) / 20
			if err := x.Train(t.Context()); err != nil {
				t.Fatal(err)
			}
			q := f()
			if n := utf8.RuneCountInString(q); n > MaxText {
				q = cutRunes(q, MaxText)
			}
			begin = time.Now()
			a := ask(t, x, Query{Text: q, Lang: lang, Limit: 100})
			m := time.Since(begin)
			if each > 10*time.Millisecond || m > 60*time.Millisecond || x.Len() != 20 {
				t.Logf("%-14s %-4s %8v Apply %8v Match, %d hits, len %d", name, lang, each, m, len(a.Hits), x.Len())
			}
		}
	}
}
