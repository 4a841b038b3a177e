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
	known  bool // a dictionary has it, if only its spelling
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

// ask takes texts, which say one thing together, apart. Lang is the language that they claim, "" for unknown.
func (x *Index) ask(names *lexicon.Names, texts []string, lang string) asked {
	b := builder{x: x, names: names, wishes: make(map[string]*wish), pairs: make(map[[2]string]*adjacent), counted: make(map[pairOf]float64)}
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

// How sure a guess must be to count at all, to be the only one, and to overrule what a writer says of a longer text. A few
// words tell their language badly, and English ones stand in texts of all languages.
const (
	plausible  = 0.15
	certain    = 0.85
	overruling = 0.9
	telling    = 80 // bytes
)

// languages that a query may be in, the most plausible first.
func languages(normalised, declared string) (langs []string) {
	if declared != "" {
		langs = append(langs, languageOf(normalised, declared))
	}
	guesses := text.Guesses(normalised)
	for _, g := range guesses {
		if g.Sure >= plausible && !slices.Contains(langs, g.Lang) && (declared == "" || g.Sure >= certain) {
			langs = append(langs, g.Lang)
		}
	}
	if len(langs) == 0 || declared == "" && guesses[0].Sure < certain && guesses[0].Script == latin && !slices.Contains(langs, "en") {
		langs = append(langs, "en")
	}
	return langs[:min(3, len(langs))]
}

const latin = "Latn"

// languageOf a text: what its writer says, unless its script, or many of its words, say otherwise.
func languageOf(normalised, declared string) string {
	g := text.Detect(normalised, declared)
	switch {
	case g.Lang == "":
		return declared
	case g.Script != latin, declared == "", g.Sure >= overruling && len(normalised) >= telling:
		return g.Lang
	}
	return declared
}

type builder struct {
	x       *Index
	names   *lexicon.Names
	langs   []string
	wishes  map[string]*wish // by what they look for
	order   []*wish
	pairs   map[[2]string]*adjacent
	counted map[pairOf]float64
	tokens  []text.Token
	looked  int // words that a name was looked for
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
		b.tokens = b.x.tokens(b.tokens[:0], t, lang)
		for i, tok := range b.tokens {
			b.x.forms(at(tok), tok)
			if i > 0 && b.tokens[i-1].End <= tok.Start { // a compound and its first part are no neighbours
				b.pair(lang, b.tokens[i-1], tok, t, order)
			}
		}
	}
	b.nameUnknown(here, t)
	for _, w := range here {
		b.enter(w)
	}
}

// nameUnknown looks for names in the words that no dictionary knows. Stretches of scripts without spaces are not looked
// for: where they begin and end is a guess, and their sounds find more that is wrong than right.
func (b *builder) nameUnknown(here []*wish, t string) {
	if b.names == nil {
		return
	}
	for _, w := range here {
		if len(w.terms) > 0 || w.piece || w.known || b.looked == mostUnknown || !lexicon.Sounding(t[w.start:w.end]) {
			continue
		}
		b.looked++
		b.x.named(b.names, w, t[w.start:w.end])
	}
}

// Looking for a name goes through all that sound remotely like it, and who fills a catalogue with words of one sound makes
// these many: so few words are looked for, and few of what is found are taken.
const (
	mostUnknown = 16 // words of a text
	mostAlike   = 16 // terms of a word
)

// forms adds to a wish what a token can stand for.
func (x *Index) forms(w *wish, t text.Token) {
	if spaceOf(t.Term) == common {
		w.offer(alternative{term: t.Term, weight: 1})
		return
	}
	if !slices.Contains(w.native, t.Term) {
		w.native = append(w.native, t.Term)
	}
	w.known = x.lexicon != nil && t.Word != "" && x.lexicon.Has(t.Lang, t.Word)
	targets := x.meanings(t)
	stem, latin := x.borrowed(t.Word)
	if latin && t.Lang == "vi" && len(targets) > 0 { // its syllables without marks are English words by chance
		latin = false
	}
	share := 1.0
	if latin && len(targets) > 0 {
		share = 1 / (1 + x.weights.Borrowed)
	}
	for _, target := range targets {
		w.offer(alternative{term: target.Term, weight: float64(share * float64(target.Weight)), gloss: target.English})
	}
	if latin && len(targets) > 0 {
		w.offer(alternative{term: stem, weight: float64(share * x.weights.Borrowed)})
	} else if latin {
		w.offer(alternative{term: stem, weight: 1})
	}
}

// meanings of a token in English.
func (x *Index) meanings(t text.Token) []lexicon.Target {
	if x.lexicon == nil || t.Word == "" {
		return nil
	}
	return x.lexicon.Translate(nil, t.Lang, t.Word)
}

// tokens of a text, without the words that say nothing.
func (x *Index) tokens(dst []text.Token, normalised, lang string) []text.Token {
	n := len(dst)
	dst = x.analyser.Analyse(dst, normalised, lang)
	if x.lexicon == nil {
		return dst
	}
	kept := dst[:n]
	for _, t := range dst[n:] {
		if t.Kind != text.Word || t.Word == "" || t.Lang == "en" || !x.lexicon.Stop(t.Lang, t.Word) {
			kept = append(kept, t)
		}
	}
	return kept
}

// named adds the terms of the catalogue that sound like what no dictionary knows: names and borrowed words, which other
// scripts write by their sound.
func (x *Index) named(names *lexicon.Names, w *wish, word string) {
	found := names.Find(nil, word)
	for _, m := range found[:min(mostAlike, len(found))] {
		w.offer(alternative{term: m.Term, weight: (m.Alike - lexicon.MinAlike) / (1 - lexicon.MinAlike), gloss: m.Term})
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
