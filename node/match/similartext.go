package match

import (
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

// What is compared are shingles: runs of a few terms as they follow each other in a text, small words left out and endings
// taken off. A shingle that many of the candidates have is a phrase of the trade, or an office's standing paragraph, and
// counts accordingly less.

// Measured on near-copies of listings, see docs/benchmarks.md: runs of three find fewer of those that were reworded.
const (
	shingleTerms        = 2    // in a run
	likeTextFrom        = 0.4  // share of shingles from which one text is suspected of being made from the other
	likeTranslationFrom = 0.35 // share of words that two texts say in two languages, likewise
	likeTitleScore      = 0.5
)

const (
	fewestShingles = 8 // texts with fewer are alike too easily
	fewestTitle    = 3 // terms of a title that tells a listing from others
)

// hashedText is what a listing says in one language.
type hashedText struct {
	title    []uint64 // terms
	shingles []uint64 // of title and abstract; ascending, each once
	weights  []float64
	weight   float64 // sum
}

// hashedTexts takes the sequence of a document apart by language: title and abstract; keywords have no order that tells.
func hashedTexts(sequence []string) []hashedText {
	return takeApart(len(sequence), func(i int) (uint64, bool, bool) {
		switch t := sequence[i]; t {
		case segment.EndText:
			return 0, true, false
		case segment.EndField:
			return 0, false, true
		default:
			return hashTerm(t), false, false
		}
	})
}

// storedTexts does the same with a document of the index. Known are the hashes of its segment's terms.
func storedTexts(seg *segment.Segment, seq []uint32, known map[uint32]uint64) []hashedText {
	return takeApart(len(seq), func(i int) (uint64, bool, bool) {
		switch id := seq[i]; id {
		case segment.EndTextID:
			return 0, true, false
		case segment.EndFieldID:
			return 0, false, true
		default:
			h, ok := known[id]
			if !ok {
				h = hashTerm(seg.TermString(id))
				known[id] = h
			}
			return h, false, false
		}
	})
}

func takeApart(n int, at func(i int) (term uint64, endText, endField bool)) (texts []hashedText) {
	var here field
	var run []uint64
	abstracts := 0
	for i := range n {
		term, endText, endField := at(i)
		switch {
		case endField:
			here++
			run = run[:0]
		case endText && here == title:
			texts = append(texts, hashedText{title: slices.Clone(run), shingles: shingles(nil, run)})
			run = run[:0]
		case endText && here == abstract && abstracts < len(texts):
			t := &texts[abstracts]
			t.shingles = shingles(t.shingles, run)
			abstracts++
			run = run[:0]
		case endText:
			run = run[:0]
		default:
			run = append(run, term)
		}
	}
	for i := range texts {
		slices.Sort(texts[i].shingles)
		texts[i].shingles = slices.Compact(texts[i].shingles)
	}
	return texts
}

// shingles appends the hashes of a run's shingles.
func shingles(dst, run []uint64) []uint64 {
	for i := 0; i+shingleTerms <= len(run); i++ {
		h := uint64(0)
		for _, t := range run[i : i+shingleTerms] {
			h = (h ^ t) * 0x9e3779b97f4a7c15
			h ^= h >> 29
		}
		dst = append(dst, h)
	}
	return dst
}

// weigh gives every shingle the weight 1/n, n candidates having it.
func weigh(here []hashedText, there [][]hashedText) {
	count := make(map[uint64]uint32, 4096)
	for _, texts := range there {
		for _, t := range texts { // that two languages share a shingle is rare, and makes it less telling only
			for _, s := range t.shingles {
				count[s]++
			}
		}
	}
	for _, texts := range append(slices.Clone(there), here) {
		for i := range texts {
			t := &texts[i]
			t.weights = make([]float64, len(t.shingles))
			for k, s := range t.shingles {
				t.weights[k] = 1 / float64(max(1, count[s]))
				t.weight += t.weights[k]
			}
		}
	}
}

// sharedShingles is the share of the shorter text's shingles, by weight, that both texts have.
func sharedShingles(a, b *hashedText) float64 {
	if min(len(a.shingles), len(b.shingles)) < fewestShingles {
		return 0
	}
	both := 0.0
	for i, j := 0, 0; i < len(a.shingles) && j < len(b.shingles); {
		switch s, t := a.shingles[i], b.shingles[j]; {
		case s == t:
			both += a.weights[i]
			i++
			j++
		case s < t:
			i++
		default:
			j++
		}
	}
	return min(1, both/min(a.weight, b.weight))
}

// sameTitle compares titles by their terms.
func sameTitle(a, b []uint64) bool { return len(a) >= fewestTitle && slices.Equal(a, b) }

// Limits of what is shown of two texts.
const (
	maxPassages   = 3
	maxPassage    = 400 // bytes
	passageTokens = 4   // in a row, from which a passage is worth showing
)

// passages are the longest runs of terms that a text of the draft has with any text of the other listing.
func (x *Index) passages(here protocol.Text, lang protocol.Lang, other *protocol.Listing) []Passage {
	a := x.readPlain(here, lang)
	var runs []commonRun
	for _, l := range other.Languages() {
		runs = append(runs, commonRuns(a, x.readPlain(other.Texts[l], l))...)
	}
	slices.SortStableFunc(runs, func(p, q commonRun) int { return q.n - p.n })
	var list []Passage
	for _, r := range runs[:min(maxPassages, len(runs))] {
		list = append(list, Passage{Here: r.a.surface(r.from, r.n), There: r.b.surface(r.to, r.n)})
	}
	return list
}

// plainText is a listing's text in one language, field by field, with its tokens.
type plainText struct {
	fields []string
	tokens []placedToken
}

type placedToken struct {
	text.Token
	field int
}

func (x *Index) readPlain(t protocol.Text, lang protocol.Lang) *plainText {
	p := &plainText{}
	both := t.Value
	if both != "" && t.Abstract != "" {
		both += "\n"
	}
	for _, s := range []string{t.Title, both + t.Abstract} {
		p.fields = append(p.fields, text.Normalise(s))
	}
	guess := languageOf(strings.Join(p.fields, "\n"), primary(lang))
	for i, s := range p.fields {
		for _, tok := range x.tokens(nil, s, guess) {
			p.tokens = append(p.tokens, placedToken{tok, i})
		}
	}
	return p
}

// surface is the text of n tokens, cut at a character where it is long.
func (p *plainText) surface(from, n int) string {
	first, last := p.tokens[from], p.tokens[from+n-1]
	s := p.fields[first.field][first.Start:max(first.End, last.End)]
	if len(s) > maxPassage {
		s = strings.ToValidUTF8(s[:maxPassage], "") + "…"
	}
	return display(s)
}

type commonRun struct {
	a, b        *plainText
	from, to, n int
}

// commonRuns finds from the left the runs of tokens that both texts have, each token of the first in one run at most.
func commonRuns(a, b *plainText) (runs []commonRun) {
	type pair [2]string
	starts := make(map[pair][]int)
	for i := 0; i+1 < len(b.tokens); i++ {
		k := pair{b.tokens[i].Term, b.tokens[i+1].Term}
		if len(starts[k]) < 8 {
			starts[k] = append(starts[k], i)
		}
	}
	for i := 0; i+1 < len(a.tokens); {
		best, at := 0, 0
		for _, j := range starts[pair{a.tokens[i].Term, a.tokens[i+1].Term}] {
			n := 0
			for i+n < len(a.tokens) && j+n < len(b.tokens) && a.tokens[i+n].Term == b.tokens[j+n].Term &&
				a.tokens[i+n].field == a.tokens[i].field && b.tokens[j+n].field == b.tokens[j].field {
				n++
			}
			if n > best {
				best, at = n, j
			}
		}
		if best >= passageTokens {
			runs = append(runs, commonRun{a, b, i, at, best})
		}
		i += max(1, best)
	}
	return runs
}
