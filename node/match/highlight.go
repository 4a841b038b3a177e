package match

import (
	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

// Matched knows what a query looked for, to show it in the texts that were found.
type Matched struct {
	x      *Index
	native map[string]bool
	stems  map[string]bool
}

func (r *ranking) matched() *Matched {
	m := &Matched{x: r.x, native: make(map[string]bool), stems: make(map[string]bool)}
	for _, a := range r.asked {
		for i := range a.wishes {
			for _, n := range a.wishes[i].native {
				m.native[n] = true
			}
			for _, t := range a.wishes[i].terms {
				m.stems[t.term] = true
			}
		}
	}
	return m
}

// Span of a text: from byte Start to before byte End.
type Span struct{ Start, End int }

// Spans are the words of a listing's text, in the form that Shown gives it, that a query looked for: as written, by their
// stem, or by what they mean. They do not overlap and are in order.
func (m *Matched) Spans(shown string, lang protocol.Lang) (list []Span) {
	if m == nil {
		return nil
	}
	guess := languageOf(shown, primary(lang))
	for _, t := range m.x.analyser.Analyse(nil, shown, guess) {
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

// Shown is a text in the form that Spans counts bytes of: normalised.
func Shown(s string) string { return text.Normalise(s) }

func (m *Matched) has(t text.Token) bool {
	if m.native[t.Term] || m.stems[t.Term] {
		return true
	}
	if t.Lang == "en" || t.Word == "" || m.x.lexicon == nil {
		return false
	}
	for _, target := range m.x.lexicon.Translate(nil, t.Lang, t.Word) {
		if m.stems[target.Term] && target.Weight >= plausible {
			return true
		}
	}
	return false
}
