package text

import (
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// maxTerm bounds the bytes of a term. Longer runs of letters are no words; their beginning stands for them.
const maxTerm = 64

// Analyser splits texts into tokens. It is safe for concurrent use.
type Analyser struct {
	words   Words
	means   func(lang, word string) bool   // nil where all headwords are alike
	known   [1 << 16]atomic.Pointer[entry] // by hash; a word pushes out another of the same place
	scratch sync.Pool
	endings []ending // of Tamil
}

// entry remembers what became of a word: stemming is half of what indexing costs, and most words of a text were met before.
type entry struct {
	lang            language
	key             string // in lower case, as written
	term, word, tag string
	kind            Kind
	first           int  // bytes of the first word of a compound, 0 for a simple word
	dropped         bool // a word that carries no meaning on its own
}

// NewAnalyser returns an analyser that knows the words of a dictionary; nil for none.
func NewAnalyser(w Words) *Analyser {
	a := &Analyser{words: w, endings: tamilEndings()}
	if m, ok := w.(Meanings); ok {
		a.means = m.Means
	}
	a.scratch.New = func() any { return new(lattice) }
	return a
}

// Stem is the English stem of a word in lower case.
func (a *Analyser) Stem(word string) string {
	if len(word) > maxTerm {
		return cut(word)
	}
	return a.lookup(english, word).term
}

func (a *Analyser) has(lang, word string) bool {
	return a.words != nil && word != "" && a.words.Has(lang, word)
}

// first is the first form that the dictionary has a meaning for, else the first that it has at all; "" for none.
func (a *Analyser) first(lang string, forms []string) string {
	if a.words == nil {
		return ""
	}
	if a.means != nil {
		for _, f := range forms {
			if a.means(lang, f) {
				return f
			}
		}
	}
	for _, f := range forms {
		if a.words.Has(lang, f) {
			return f
		}
	}
	return ""
}

// language by which words in Latin letters are analysed.
type language uint8

const (
	english language = iota
	indonesian
	malay
	filipino
	vietnamese
	portuguese
	tetum
	tamil
	other // whose words stay as they are
	name  // not a language: a name's term is the same in all
)

// tag is the subtag of a language and the space of its terms.
func (l language) tag() (tag, space string) {
	switch l {
	case english, name:
		return "en", ""
	case indonesian:
		return "id", "id/"
	case malay:
		return "ms", "id/"
	case filipino:
		return "fil", "fil/"
	case vietnamese:
		return "vi", "vi/"
	case portuguese:
		return "pt", "pt/"
	case tetum:
		return "tet", "tet/"
	case tamil:
		return "ta", ""
	}
	return "", ""
}

// latinLanguage is how Latin letters are read in a text of a language. In texts of other scripts they are English by
// custom.
func latinLanguage(tag string) language {
	tag, _, _ = strings.Cut(tag, "-")
	switch strings.ToLower(tag) {
	case "", "en", "th", "lo", "km", "my", "zh", "ta":
		return english
	case "id":
		return indonesian
	case "ms", "zsm":
		return malay
	case "fil", "tl":
		return filipino
	case "vi":
		return vietnamese
	case "pt":
		return portuguese
	case "tet":
		return tetum
	}
	return other
}

// reading is one text being analysed.
type reading struct {
	a     *Analyser
	out   []Token
	s     string // the text
	low   string // the same in lower case, byte for byte at the same place
	latin language
	tag   string // of words that the analyser does not know how to read
	caps  bool   // all in capitals: they say nothing
}

// Analyse appends the tokens of a normalised text in a language (a BCP 47 tag, "" for unknown) to dst, in the order of
// their starts. A word written in parts is one token and its parts are more, behind it.
func (a *Analyser) Analyse(dst []Token, normalised, lang string) []Token {
	r := reading{a: a, out: dst, s: normalised, low: lower(normalised), latin: latinLanguage(lang)}
	if r.latin == other {
		r.tag, _, _ = strings.Cut(lang, "-")
	}
	r.caps = shouted(normalised)
	for i := 0; i < len(normalised); {
		c := normalised[i]
		if c < utf8.RuneSelf {
			if isLetter(c) || c >= '0' && c <= '9' {
				i = r.latinWords(i)
			} else {
				i++
			}
			continue
		}
		ch, n := utf8.DecodeRuneInString(normalised[i:])
		switch k := kindOf(ch); {
		case k == latinLetter:
			i = r.latinWords(i)
		case k == nativeDigit:
			i = r.number(i)
		case k == tamilLetter:
			i = r.tamilAt(i)
		case k >= thaiLetter:
			i = r.unspaced(i, k)
		case k == otherLetter:
			i = r.otherWord(i)
		default:
			i += n
		}
	}
	return r.out
}

// letter tells how a character is read.
type letter uint8

const (
	noLetter letter = iota
	latinLetter
	otherLetter
	nativeDigit // of a script of the region
	tamilLetter
	thaiLetter // this and what follows is written without spaces
	laoLetter
	khmerLetters
	myanmarLetters
	hanLetter
)

func kindOf(r rune) letter {
	switch {
	case r < 0x80:
		if r|0x20 >= 'a' && r|0x20 <= 'z' {
			return latinLetter
		}
		return noLetter
	case r < 0x250:
		if r >= 0xc0 && r != '×' && r != '÷' {
			return latinLetter
		}
		return noLetter
	case r >= 0x1e00 && r < 0x1f00:
		return latinLetter
	}
	if nativeDigitOf(r) >= 0 {
		return nativeDigit
	}
	switch {
	case r >= 0x0b80 && r < 0x0c00:
		return tamilLetter
	case r >= 0x0e01 && r <= 0x0e4e && r != 0x0e3f && r != 0x0e46 && r != 0x0e2f:
		return thaiLetter
	case r >= 0x0e81 && r <= 0x0ece && r != 0x0ec6 && r != 0x0eaf:
		return laoLetter
	case r >= 0x1780 && r <= 0x17d3, r == 0x17dd:
		return khmerLetters
	case r >= 0x1000 && r <= 0x103f, r >= 0x104c && r <= 0x109d:
		return myanmarLetters
	case r >= 0x3400 && r <= 0x9fff, r >= 0x20000 && r <= 0x3ffff, r >= 0xf900 && r <= 0xfaff, r == 0x3005, r == 0x3007:
		return hanLetter
	case r < 0x0e00 || r >= 0x1100:
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return otherLetter
		}
	}
	return noLetter
}

// nativeDigitOf is the value of a digit of the region's scripts, -1 for no such digit.
func nativeDigitOf(r rune) int {
	for _, zero := range [...]rune{0x0e50, 0x0ed0, 0x17e0, 0x1040, 0x0be6} {
		if r >= zero && r <= zero+9 {
			return int(r - zero)
		}
	}
	return -1
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// otherWord appends a word in a script that nobody analyses.
func (r *reading) otherWord(i int) int {
	end := i
	for end < len(r.s) {
		ch, n := utf8.DecodeRuneInString(r.s[end:])
		if kindOf(ch) != otherLetter {
			break
		}
		end += n
	}
	w := cut(r.low[i:end])
	r.out = append(r.out, Token{Term: w, Word: w, Lang: r.tag, Start: i, End: end})
	return end
}

// cut shortens what is no word to maxTerm bytes of whole characters.
func cut(s string) string {
	if len(s) <= maxTerm {
		return s
	}
	n := maxTerm
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// lower is a text in lower case, where every character keeps its place: those whose small form is longer or shorter stay.
func lower(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	b := make([]byte, len(s))
	copy(b, s[:i])
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
			b[i] = c
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		copy(b[i:], s[i:i+n])
		if l := unicode.ToLower(r); l != r && utf8.RuneLen(l) == n {
			utf8.EncodeRune(b[i:], l)
		}
		i += n
	}
	return string(b)
}

// shouted reports whether a text's Latin letters are mostly capitals. Its beginning answers for it.
func shouted(s string) bool {
	capitals, small := 0, 0
	for i := range min(len(s), 512) {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z':
			capitals++
		case c >= 'a' && c <= 'z':
			small++
		}
	}
	return capitals > 2*small && capitals > 5
}

// lookup returns what became of a word, in lower case, of at most maxTerm bytes.
func (a *Analyser) lookup(lang language, word string) *entry {
	h := uint64(14695981039346656037) + uint64(lang)
	for i := range len(word) {
		h = (h ^ uint64(word[i])) * 1099511628211
	}
	place := &a.known[(h^h>>29)%uint64(len(a.known))]
	if e := place.Load(); e != nil && e.key == word && e.lang == lang {
		return e
	}
	e := a.make(lang, strings.Clone(word))
	place.Store(e)
	return e
}

func (a *Analyser) make(lang language, word string) *entry {
	e := &entry{lang: lang, key: word, term: word, word: word}
	tag, space := lang.tag()
	e.tag = tag
	if lang != english && lang != name && lang != other {
		e.dropped = functionWord(word)&(1<<lang) != 0
	}
	switch lang {
	case english, name:
		if isASCIILetters(word) {
			e.term = Stem(word)
			e.dropped = lang == english && englishStop(word)
		}
		if lang == name {
			e.kind = Name
		}
		return e
	case other:
		return e
	case indonesian, malay:
		e.word, e.term, e.tag = a.malay(word, tag)
	case filipino:
		e.word = a.filipino(word)
		e.term = e.word
	case portuguese:
		e.word, e.term = a.portuguese(word)
	case tetum:
		e.word, e.term = a.tetum(word)
		e.dropped = functionWord(e.word)&(1<<tetum) != 0
	case tamil:
		e.word, e.term, e.first = a.tamilWord(word)
	}
	e.term = space + e.term
	return e
}

func isASCIILetters(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}
