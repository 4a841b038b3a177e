package match

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/match/suggest"
	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

// The index knows stems and normalised texts; people want to read words as somebody wrote them. What is here turns the one
// into the other, for the few listings that are shown.

// Suggestion completes what is being typed.
type Suggestion = suggest.Suggestion

// Piece of a text: what the query looked for, or what stands between.
type Piece struct {
	Text string `json:"text"`
	Hit  bool   `json:"hit" doc:"the query looked for it"`
}

// Marked is what a listing says in one language, in pieces. Those of a field together are its text as it was written; where
// normalising changed a text so much that places cannot be told, they are the normalised text.
type Marked struct {
	Title    []Piece `json:"title"`
	Value    []Piece `json:"value,omitempty"`
	Abstract []Piece `json:"abstract,omitempty"`
}

// Reading is a listing that was found, with its texts taken apart once for all that is to be shown of it.
type Reading struct {
	w     *Wording
	texts []readText
}

type readText struct {
	lang   protocol.Lang
	field  int // of a protocol.Text: title, value, abstract, then keywords
	plain  string
	shown  string // normalised
	tokens []text.Token
}

// bytesOfToken is less than a token takes in most texts, with what stands between it and the next.
const bytesOfToken = 6

// Read a listing that the query has found.
func (w *Wording) Read(l *protocol.Listing) *Reading {
	if w == nil {
		return nil
	}
	r := &Reading{w: w}
	for _, lang := range l.Languages() {
		t := l.Texts[lang]
		first := len(r.texts)
		for i, s := range append([]string{t.Title, t.Value, t.Abstract}, t.Keywords...) {
			r.texts = append(r.texts, readText{lang: lang, field: i, plain: s, shown: text.Normalise(s)})
		}
		here := r.texts[first:]
		guess := languageOf(here[0].shown+"\n"+here[1].shown+"\n"+here[2].shown, primary(lang))
		for i := range here {
			here[i].tokens = w.x.analyser.Analyse(make([]text.Token, 0, len(here[i].shown)/bytesOfToken), here[i].shown, guess)
		}
	}
	return r
}

// Marked are the texts in which there is something that the query looked for.
func (r *Reading) Marked() map[protocol.Lang]Marked {
	if r == nil {
		return nil
	}
	all := make(map[protocol.Lang]Marked)
	for i := 0; i < len(r.texts); i++ {
		t := &r.texts[i]
		if t.field > 0 {
			continue
		}
		title, any1 := r.pieces(t)
		value, any2 := r.pieces(&r.texts[i+1])
		abstract, any3 := r.pieces(&r.texts[i+2])
		if any1 || any2 || any3 {
			all[t.lang] = Marked{title, value, abstract}
		}
	}
	return all
}

func (r *Reading) pieces(t *readText) (list []Piece, hit bool) {
	spans := r.w.telling.spans(t.tokens)
	list = make([]Piece, 0, min(len(t.shown), 2*len(spans)+1))
	shown := t.shown
	if shown != t.plain {
		spans, shown = written(t.plain, shown, spans)
	}
	at := 0
	add := func(to int, hit bool) {
		if to > at {
			list = append(list, Piece{shown[at:to], hit})
			at = to
		}
	}
	for _, sp := range spans {
		add(sp.Start, false)
		add(sp.End, true)
	}
	add(len(shown), false)
	return list, len(spans) > 0
}

// spans of the tokens that were looked for, in order and apart.
func (m *Matched) spans(tokens []text.Token) (list []Span) {
	for _, t := range tokens {
		if !m.has(t) {
			continue
		}
		if n := len(list); n > 0 && t.Start < list[n-1].End {
			list[n-1].End = max(list[n-1].End, t.End)
			continue
		}
		list = append(list, Span{t.Start, t.End})
	}
	return list
}

// A query of so many terms that most texts have something of it is marked by the terms only that few listings have.
const (
	manyTerms   = 12
	commonShare = 20 // a twentieth of the listings
)

// withoutCommon is m without the words that would mark nearly every line.
func (m *Matched) withoutCommon() *Matched {
	if len(m.stems)+len(m.native) <= manyTerms {
		return m
	}
	s := m.x.snap.Load()
	most := float64(s.live) / commonShare
	few := &Matched{x: m.x, native: make(map[string]bool), stems: make(map[string]bool)}
	for t := range m.native {
		few.native[t] = s.df(t) <= most
	}
	for t := range m.stems {
		few.stems[t] = s.df(t) <= most
	}
	return few
}

// written moves spans of a normalised text to the text that it was made of. Characters are normalised one by one, each with
// the marks that belong to it; where that is not what normalising the whole gives, the spans stay as they are.
func written(s, normalised string, spans []Span) ([]Span, string) {
	moved := make([]Span, 0, len(spans))
	at, i := 0, 0
	for from := 0; from < len(s); {
		to := from + cluster(s[from:])
		n := s[from:to]
		if !strings.HasPrefix(normalised[at:], n) {
			if n = text.Normalise(n); !strings.HasPrefix(normalised[at:], n) {
				return spans, display(normalised)
			}
		}
		end := at + len(n)
		for i < len(spans) && spans[i].Start < end {
			if len(moved) == i {
				moved = append(moved, Span{Start: from})
			}
			if spans[i].End > end {
				break
			}
			moved[i].End = to
			i++
		}
		from, at = to, end
	}
	if at != len(normalised) || len(moved) != len(spans) {
		return spans, display(normalised)
	}
	for i := 1; i < len(moved); i++ {
		moved[i].Start = max(moved[i].Start, moved[i-1].End)
	}
	return moved, s
}

// cluster is the length of the first character with its marks. A raised digit belongs to what it is raised from.
func cluster(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r < utf8.RuneSelf || !unicode.In(r, unicode.M, unicode.No) {
			break
		}
		n += size
	}
	return n
}

// Wording knows how a query writes what the index knows as a stem.
type Wording struct {
	x       *Index
	telling *Matched // what is marked
	asked   vocabulary
}

// vocabulary of one or several texts: the first word that has a term, by the term.
type vocabulary struct {
	stems  map[string]uttered // by English stem
	own    map[string]string  // by a term of another language, without its space
	wanted map[string]bool    // terms to look for; nil: all
}

// uttered is a word as it was written, and its English where it was translated.
type uttered struct{ word, means string }

// Wording of the query that m was made for.
func (m *Matched) Wording(q *Query) *Wording {
	if m == nil {
		return nil
	}
	w := &Wording{x: m.x, telling: m.withoutCommon(), asked: newVocabulary()}
	if m.asked != nil {
		for i := range m.asked {
			w.asked.readWishes(&m.asked[i])
		}
		return w
	}
	names := m.x.snap.Load().names
	if q.Listing == nil {
		a := m.x.ask(names, []string{q.Text}, primary(q.Lang))
		w.asked.readWishes(&a)
		return w
	}
	for _, lang := range q.Listing.Languages() {
		t := q.Listing.Texts[lang]
		a := m.x.ask(names, append([]string{t.Title, t.Value, t.Abstract}, t.Keywords...), primary(lang))
		w.asked.readWishes(&a)
	}
	return w
}

// Reword writes the stems in the listing's explanation as the listing, and the query, write them.
func (r *Reading) Reword(e *Explanation) {
	if r == nil {
		return
	}
	w := r.w
	found := newVocabulary()
	found.wanted = make(map[string]bool)
	for i := range e.Parts {
		for _, s := range []string{e.Parts[i].Term, e.Parts[i].Means, e.Parts[i].Found} {
			found.wanted[s] = true
		}
	}
	topic, from, to := relatedTo(e.Sentence)
	found.wanted[topic[1]] = true
	for i := range r.texts {
		found.read(w.x, &r.texts[i])
	}
	if from < to {
		e.Sentence = e.Sentence[:from] + w.asked.write(topic[0]) + goesWith + found.write(topic[1]) + e.Sentence[to:]
	}
	for i := range e.Parts {
		p := &e.Parts[i]
		switch {
		case p.Kind == PartTerm:
			if own := found.own[p.Found]; own != "" {
				e.Sentence = strings.ReplaceAll(e.Sentence, "here “"+p.Found+"”", "here “"+own+"”")
				p.Found = own
			}
			if said := found.stems[p.Means]; said.word != "" && said.means == "" { // by its sound, it was a stem
				e.Sentence = strings.ReplaceAll(e.Sentence, "“"+p.Term+"” ("+p.Means, "“"+p.Term+"” ("+said.word)
				p.Means = said.word
			}
		case p.Kind == PartTopic && p.Stem:
			asked := w.asked.stems[p.Term]
			p.Means = asked.means
			p.Term, p.Found, p.Stem = w.asked.write(p.Term), found.write(p.Found), false
		case p.Stem:
			said := found.stems[p.Term]
			if said.word == "" { // only a translation has it that is no longer known
				said = uttered{word: found.write(p.Found), means: p.Term}
			}
			if said.word != "" {
				p.Term, p.Means = said.word, said.means
			}
			p.Found, p.Stem = "", false
		}
	}
}

const goesWith = "” goes with “"

// relatedTo finds the two words of one topic that a sentence names, and the place of both: “dry” goes with “moistur”.
func relatedTo(sentence string) (words [2]string, from, to int) {
	i := strings.LastIndex(sentence, goesWith)
	if i < 0 {
		return words, 0, 0
	}
	from = strings.LastIndex(sentence[:i], "“")
	second := i + len(goesWith)
	length := strings.Index(sentence[second:], "”")
	if from < 0 || length < 0 {
		return words, 0, 0
	}
	from += len("“")
	to = second + length
	return [2]string{sentence[from:i], sentence[second:to]}, from, to
}

func newVocabulary() vocabulary {
	return vocabulary{stems: make(map[string]uttered), own: make(map[string]string)}
}

// readWishes takes what a query looks for.
func (v vocabulary) readWishes(a *asked) {
	for i := range a.wishes {
		w := &a.wishes[i]
		said := display(w.text[w.start:w.end])
		for _, t := range w.terms {
			v.learn(t.term, uttered{word: said, means: t.gloss})
		}
	}
}

// learn how a stem is written. What comes first stays, except that a word that has the stem itself goes before one that is
// translated into it.
func (v vocabulary) learn(stem string, u uttered) {
	if had, ok := v.stems[stem]; !ok || had.means != "" && u.means == "" {
		v.stems[stem] = u
	}
}

// read takes a text of a listing.
func (v vocabulary) read(x *Index, r *readText) {
	for _, t := range r.tokens {
		if spaceOf(t.Term) == common {
			if v.wants(t.Term) {
				v.learn(t.Term, uttered{word: display(r.shown[t.Start:t.End])})
			}
			continue
		}
		said := display(r.shown[t.Start:t.End])
		if key := display(word(t.Term)); v.wants(key) && v.own[key] == "" {
			v.own[key] = said
		}
		for _, target := range x.meanings(t) {
			if target.Weight >= plausible && v.wants(target.Term) {
				v.learn(target.Term, uttered{word: said, means: target.English})
			}
		}
		if stem, ok := x.borrowed(t.Word); ok && v.wants(stem) && v.stems[stem].word == "" {
			v.stems[stem] = uttered{word: said}
		}
	}
}

func (v vocabulary) wants(term string) bool { return v.wanted == nil || v.wanted[term] }

// write a stem, or a word of another language, as it stands in the texts; as it is where it does not stand there.
func (v vocabulary) write(stem string) string {
	if said := v.stems[stem]; said.word != "" {
		return said.word
	}
	if said := v.own[stem]; said != "" {
		return said
	}
	return stem
}
