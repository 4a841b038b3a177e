package lexicon

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	snowball "github.com/kljensen/snowball/english"
)

// analysisVersion changes whenever terms of glosses would be made in another way: packs made before are refused then.
const analysisVersion = 1

// languages that a pack may have.
func supported(lang string) bool {
	return slices.Contains([]string{"id", "ms", "th", "vi", "fil", "km", "lo", "my", "zh", "ta", "pt", "tet", "en"}, lang)
}

// headword is the form in which words are stored and looked up.
func headword(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.ToLower(norm.NFKC.String(strings.NewReplacer("\u0e33", "\ue033", "\u0eb3", "\ue0b3").Replace(s)))
	s = strings.NewReplacer("\ue033", "\u0e33", "\ue0b3", "\u0eb3", "\u0e4d\u0e32", "\u0e33", "\u0ecd\u0eb2", "\u0eb3").Replace(s)
	s = strings.Map(func(r rune) rune {
		switch r {
		case '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad':
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// english makes the terms of glosses, as the index has them.
type english struct{ known map[string][]string }

func newEnglish() *english { return &english{known: map[string][]string{}} }

// terms of a gloss, each once, at most maxWords: none where there are only stop words.
func (e *english) terms(gloss string) []string {
	if t, ok := e.known[gloss]; ok {
		return t
	}
	var out []string
	for _, w := range strings.FieldsFunc(headword(gloss), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '\''
	}) {
		if stop[w] || utf8.RuneCountInString(w) > 40 {
			continue
		}
		if t := snowball.Stem(w, true); !slices.Contains(out, t) && len(out) < maxWords {
			out = append(out, t)
		}
	}
	e.known[gloss] = out
	return out
}

var stop = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with i you he she we his her its our your my me him them us from have has had been were would could should can may might must do does did so than too very more most who whom which what when where why how also up out about over after before under again between both each few some any all one") {
		m[w] = true
	}
	return m
}()
