package match

import (
	"cmp"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/text"
)

// A wish is one word that a query looks for, in every form that listings may have it in: as written, and as the English
// stems that it can mean. A document fulfils it by the form that fits it best, so that a listing in the asker's language
// does not count twice.
type wish struct {
	native []string // terms of the word's own language
	terms  []alternative
	times  float64 // occurrences in the query
	text   string  // where it stands first, normalised
	order  int     // of that text among the query's
	start  int     // bytes of text
	end    int
	piece  bool
}

// alternative is one English stem that a word can mean.
type alternative struct {
	term   string
	weight float64
	gloss  string // what it is a part of, for people: "solar cell" of "cell"; "" where nothing was translated
}

// adjacent are two terms that are neighbours in a query.
type adjacent struct {
	a, b string
	wish
}

// asked is what a text in one language looks for.
type asked struct {
	wishes []wish
	pairs  []adjacent
	langs  []string // taken for
}

// Confidence in a language from which its words are looked up.
const plausible = 0.15

// ask takes texts, which say one thing together, apart. Lang is the language that they claim, "" for unknown.
func (x *Index) ask(texts []string, lang string) asked {
	b := builder{x: x, wishes: make(map[string]*wish), pairs: make(map[[2]string]*adjacent), counted: make(map[pairOf]float64)}
	plain := make([]string, len(texts))
	for i, t := range texts {
		plain[i] = text.Normalise(t)
	}
	b.langs = languages(strings.Join(plain, "\n"), lang)
	for order, t := range plain {
		b.read(t, order)
	}
	return b.asked()
}

// languages that a text may be in, the most plausible first.
func languages(normalised, declared string) (langs []string) {
	if declared != "" {
		if g := text.Detect(normalised, declared); g.Sure >= 0.5 {
			return []string{g.Lang}
		}
		langs = append(langs, declared)
	}
	for _, g := range text.Guesses(normalised) {
		if g.Sure >= plausible && !slices.Contains(langs, g.Lang) {
			langs = append(langs, g.Lang)
		}
		if g.Sure > 0.9 {
			break
		}
	}
	if len(langs) == 0 {
		langs = []string{"en"}
	}
	return langs[:min(3, len(langs))]
}

type builder struct {
	x       *Index
	langs   []string
	wishes  map[string]*wish // by what they look for
	order   []*wish
	pairs   map[[2]string]*adjacent
	counted map[pairOf]float64
	tokens  []text.Token
}

// read adds what a text looks for. Every language that it may be in reads it; what they make of the same stretch are forms
// of one wish.
func (b *builder) read(t string, order int) {
	byStart := make(map[int]*wish)
	var here []*wish
	at := func(tok text.Token) *wish {
		w := byStart[tok.Start]
		if w == nil || w.end != tok.End {
			w = &wish{times: 1, text: t, order: order, start: tok.Start, end: tok.End, piece: tok.Kind == text.Piece}
			here = append(here, w)
			if byStart[tok.Start] == nil {
				byStart[tok.Start] = w
			}
		}
		return w
	}
	for _, lang := range b.langs {
		b.tokens = b.x.analyser.Analyse(b.tokens[:0], t, lang)
		for i, tok := range b.tokens {
			b.x.forms(at(tok), tok)
			if i > 0 && b.tokens[i-1].End <= tok.Start { // a compound and its first part are no neighbours
				b.pair(lang, b.tokens[i-1], tok, t, order)
			}
		}
	}
	for _, w := range here {
		b.enter(w)
	}
}

// forms adds to a wish what a token can stand for.
func (x *Index) forms(w *wish, t text.Token) {
	if spaceOf(t.Term) == common {
		w.offer(alternative{term: t.Term, weight: 1})
		return
	}
	if !slices.Contains(w.native, t.Term) {
		w.native = append(w.native, t.Term)
	}
	found := false
	if x.lexicon != nil && t.Word != "" {
		for _, target := range x.lexicon.Translate(nil, t.Lang, t.Word) {
			w.offer(alternative{term: target.Term, weight: float64(target.Weight), gloss: target.English})
			found = true
		}
	}
	if stem, ok := x.borrowed(t.Word); ok {
		weight := 1.0
		if found {
			weight = x.weights.Borrowed
		}
		w.offer(alternative{term: stem, weight: weight})
	}
}

func (w *wish) offer(a alternative) {
	for i := range w.terms {
		if w.terms[i].term == a.term {
			w.terms[i].weight = max(w.terms[i].weight, a.weight)
			return
		}
	}
	w.terms = append(w.terms, a)
}

// borrowed is the English stem of a word of a to z in another language, which may be a name or a word taken from English.
func (x *Index) borrowed(word string) (string, bool) {
	if len(word) < 3 {
		return "", false
	}
	for i := range len(word) {
		if c := word[i]; c < 'a' || c > 'z' {
			return "", false
		}
	}
	return text.Stem(word), true
}

func (b *builder) enter(w *wish) {
	slices.Sort(w.native)
	slices.SortFunc(w.terms, func(a, b alternative) int { return cmp.Compare(a.term, b.term) })
	var key strings.Builder
	for _, n := range w.native {
		key.WriteString(n + "\x00")
	}
	key.WriteByte(1)
	for _, a := range w.terms {
		key.WriteString(a.term + "\x00")
	}
	if known := b.wishes[key.String()]; known != nil {
		known.times++
		return
	}
	b.wishes[key.String()] = w
	b.order = append(b.order, w)
}

// pairOf a language's reading.
type pairOf struct{ lang, a, b string }

// pair counts neighbours once, however many languages read them.
func (b *builder) pair(lang string, from, to text.Token, t string, order int) {
	key := [2]string{from.Term, to.Term}
	b.counted[pairOf{lang, from.Term, to.Term}]++
	n := b.counted[pairOf{lang, from.Term, to.Term}]
	if p := b.pairs[key]; p != nil {
		p.times = max(p.times, n)
		return
	}
	b.pairs[key] = &adjacent{a: from.Term, b: to.Term, wish: wish{
		times: n, text: t, order: order, start: min(from.Start, to.Start), end: max(from.End, to.End), piece: from.Kind == text.Piece && to.Kind == text.Piece,
	}}
}

func (b *builder) asked() asked {
	a := asked{langs: b.langs}
	for _, w := range b.order {
		a.wishes = append(a.wishes, *w)
	}
	slices.SortStableFunc(a.wishes, func(v, w wish) int {
		return cmp.Or(cmp.Compare(v.order, w.order), cmp.Compare(v.start, w.start), cmp.Compare(v.end, w.end))
	})
	for _, p := range b.pairs {
		a.pairs = append(a.pairs, *p)
	}
	slices.SortFunc(a.pairs, func(p, q adjacent) int { return cmp.Or(cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b)) })
	return a
}

var _ text.Words = (*lexicon.Lexicon)(nil)
