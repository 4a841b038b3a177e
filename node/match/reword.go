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
	Hit  bool   `json:"hit"`
}

// Pieces of a listing's text, which together are the text as it was written. Where normalising changed it so much that
// places cannot be told, they are the normalised text.
func (m *Matched) Pieces(s string, lang protocol.Lang) (list []Piece) {
	if s == "" {
		return nil
	}
	shown := Shown(s)
	spans := m.Spans(shown, lang)
	if shown != s {
		spans, shown = written(s, shown, spans)
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
	return list
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
	x     *Index
	asked vocabulary
}

// vocabulary of one or several texts: the first word that has a term, by the term.
type vocabulary struct {
	stems map[string]uttered // by English stem
	own   map[string]string  // by a term of another language, without its space
}

// uttered is a word as it was written, and its English where it was translated.
type uttered struct{ word, means string }

// Wording of the query that m was made for.
func (m *Matched) Wording(q *Query) *Wording {
	if m == nil {
		return nil
	}
	w := &Wording{x: m.x, asked: newVocabulary()}
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

// Reword writes the stems in an explanation of a listing as the listing, and the query, write them.
func (w *Wording) Reword(e *Explanation, l *protocol.Listing) {
	if w == nil {
		return
	}
	found := newVocabulary()
	found.readListing(w.x, l)
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
	w.rewordTopic(e, found)
}

// rewordTopic does the same in the sentence: “dry” goes with “moistur”.
func (w *Wording) rewordTopic(e *Explanation, found vocabulary) {
	const between = "” goes with “"
	i := strings.LastIndex(e.Sentence, between)
	if i < 0 {
		return
	}
	from := strings.LastIndex(e.Sentence[:i], "“")
	rest := e.Sentence[i+len(between):]
	end := strings.Index(rest, "”")
	if from < 0 || end < 0 {
		return
	}
	from += len("“")
	e.Sentence = e.Sentence[:from] + w.asked.write(e.Sentence[from:i]) + between + found.write(rest[:end]) + rest[end:]
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

func (v vocabulary) readListing(x *Index, l *protocol.Listing) {
	for _, lang := range l.Languages() {
		t := l.Texts[lang]
		all := append([]string{t.Title, t.Value, t.Abstract}, t.Keywords...)
		for i := range all {
			all[i] = text.Normalise(all[i])
		}
		guess := text.Detect(all[0]+"\n"+all[1]+"\n"+all[2], primary(lang)).Lang
		for _, s := range all {
			v.read(x, s, guess)
		}
	}
}

// read takes a normalised text.
func (v vocabulary) read(x *Index, s, lang string) {
	for _, t := range x.analyser.Analyse(nil, s, lang) {
		said := display(s[t.Start:t.End])
		if spaceOf(t.Term) == common {
			v.learn(t.Term, uttered{word: said})
			continue
		}
		if key := display(word(t.Term)); v.own[key] == "" {
			v.own[key] = said
		}
		for _, target := range x.meanings(t) {
			if target.Weight >= plausible {
				v.learn(target.Term, uttered{word: said, means: target.English})
			}
		}
		if stem, ok := x.borrowed(t.Word); ok && v.stems[stem].word == "" {
			v.stems[stem] = uttered{word: said}
		}
	}
}

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
