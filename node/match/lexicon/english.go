package lexicon

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/match/text"
)

// analysisVersion changes whenever terms of glosses would be made in another way: packs made before are refused then.
const analysisVersion = 1

// supported languages of packs.
func supported(lang string) bool {
	switch lang {
	case "id", "ms", "th", "vi", "fil", "km", "lo", "my", "zh", "ta", "pt", "tet":
		return true
	}
	return false
}

// headword is the form in which words are stored and looked up.
func headword(s string) string {
	s = strings.ToLower(text.Normalise(s))
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '\u200b' || r == '\u00a0' }), " ")
}

// english makes the terms of glosses, as the index has them.
type english struct {
	analyser *text.Analyser
	known    map[string][]string
	tokens   []text.Token
}

func newEnglish() *english {
	return &english{analyser: text.NewAnalyser(nil), known: map[string][]string{}}
}

// terms of a gloss, each once, at most maxWords: none where there are only stop words, or no Latin letters.
func (e *english) terms(gloss string) []string {
	if t, ok := e.known[gloss]; ok {
		return t
	}
	e.tokens = e.analyser.Analyse(e.tokens[:0], text.Normalise(gloss), "en")
	var out []string
	for _, t := range e.tokens {
		if t.Term == "" || t.Term[0] >= utf8.RuneSelf || t.Kind == text.Piece || len(out) == maxWords {
			continue
		}
		if term := strings.Clone(t.Term); !slices.Contains(out, term) {
			out = append(out, term)
		}
	}
	e.known[gloss] = out
	return out
}
