package match

import (
	"github.com/asean-tmh/tmh/node/match/text"
)

// Matched knows what a query looked for, to show it in the texts that were found.
type Matched struct {
	x      *Index
	native map[string]bool
	stems  map[string]bool
	asked  []asked
	grave  bool // some of it is more than words of grammar, and those are then not marked
}

func (r *ranking) matched() *Matched {
	m := &Matched{x: r.x, native: make(map[string]bool), stems: make(map[string]bool), asked: r.asked}
	for _, a := range r.asked {
		for i := range a.wishes {
			w := &a.wishes[i]
			m.grave = m.grave || !r.x.grammar(w.text[w.start:w.end])
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

// has reports whether the query looked for a token: as written, by its stem, or by what it means.
func (m *Matched) has(t text.Token) bool {
	if m.grave && t.Word != "" && m.x.grammar(t.Word) {
		return false
	}
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
