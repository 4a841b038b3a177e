package match

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/match/suggest"
	"github.com/asean-tmh/tmh/node/match/text"
)

// "Did you mean" is worse than nothing where a word was right. Package suggest looks for what is spelled nearly the same; here
// stands which words are not asked about, whatever is near to them.

// didYouMean is the query with the words put right that are surely mistyped.
func (x *Index) didYouMean(s *snapshot, query string, langs []string) string {
	_, changes, ok := s.words.Correct(query)
	if !ok {
		return ""
	}
	var b strings.Builder
	at := 0
	for _, c := range changes {
		if c.Start < at || c.End > len(query) || isName(query, c.Start, c.End) || x.isWord(s, c.From, langs) || !x.isSaid(s, c.To, langs) ||
			formOf(c, langs, strings.ContainsRune(query, ' ')) {
			continue
		}
		b.WriteString(query[at:c.Start] + c.To)
		at = c.End
	}
	if at == 0 {
		return ""
	}
	return b.String() + query[at:]
}

// isWord reports whether a stretch of a query is known: to the catalogue, in any language, or to a dictionary of the languages
// that the query may be in.
func (x *Index) isWord(s *snapshot, written string, langs []string) bool {
	normal := text.Normalise(written)
	for sp := range spaces {
		for _, lang := range sp.spoken() {
			if x.occurs(s, normal, lang) {
				return true
			}
		}
	}
	word := strings.ToLower(normal)
	if slices.Contains(langs, "vi") && (langs[0] == "vi" || text.Fold(word) != word) && vietnameseSyllable(text.Fold(word)) {
		return true
	}
	if x.lexicon == nil {
		return false
	}
	for _, lang := range langs {
		if x.lexicon.Has(lang, word) || x.lexicon.Stop(lang, word) {
			return true
		}
	}
	stem, ok := x.borrowed(word)
	return ok && x.lexicon.English(stem)
}

// formOf reports whether a change may make one form of a word into another, or into another word: by leaving out its last letter, or,
// in the region's languages that build words by affixes, by writing one letter for another. Of a single word it is not known
// which language it is of.
func formOf(c suggest.Change, langs []string, several bool) bool {
	from, to := []rune(text.Fold(c.From)), []rune(text.Fold(c.To))
	if len(from) == len(to)+1 && slices.Equal(from[:len(to)], to) {
		return true
	}
	if len(from) != len(to) || len(from) >= surelyOther || slices.Contains(langs, "en") && (langs[0] == "en" || !several) {
		return false
	}
	slices.Sort(from)
	slices.Sort(to)
	return !slices.Equal(from, to)
}

// surelyOther is the number of letters from which a word with another letter is a mistake after all.
const surelyOther = 12

// isSaid reports whether the catalogue says a word in English or in a language that the query may be in.
func (x *Index) isSaid(s *snapshot, written string, langs []string) bool {
	normal := text.Normalise(written)
	return x.occurs(s, normal, "en") || slices.ContainsFunc(langs, func(lang string) bool { return x.occurs(s, normal, lang) })
}

// occurs reports whether every word of a text, read as of a language, stands somewhere in the catalogue.
func (x *Index) occurs(s *snapshot, normalised, lang string) bool {
	for _, t := range x.analyser.Analyse(nil, normalised, lang) {
		if s.df(t.Term) == 0 {
			return false
		}
	}
	return true
}

// isName reports whether the word has a capital that the query's other words have not: it is somebody's, or a place's.
func isName(query string, start, end int) bool {
	first, _ := utf8.DecodeRuneInString(query[start:])
	if !unicode.IsUpper(first) {
		return false
	}
	lower, caseless, inWord := false, false, false
	for i, r := range query {
		letter := unicode.IsLetter(r) || unicode.IsMark(r)
		if letter && !inWord && (i < start || i >= end) {
			lower = lower || unicode.IsLower(r)
			caseless = caseless || !unicode.IsLower(r) && !unicode.IsUpper(r)
		}
		inWord = letter
	}
	return caseless || lower && strings.IndexFunc(query[:start], unicode.IsLetter) >= 0
}

// vietnameseSyllable reports whether letters without marks are spelled as a syllable of Vietnamese can be. Nearly every one of
// those is a word, with one tone or another, so that a letter less or other makes another word and no mistake.
func vietnameseSyllable(folded string) bool {
	rest := folded
	for _, onset := range []string{"ngh", "ch", "gh", "gi", "kh", "ng", "nh", "ph", "qu", "th", "tr", "b", "c", "d", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "x"} {
		if after, ok := strings.CutPrefix(folded, onset); ok && (after != "" || onset == "gi") {
			rest = after
			break
		}
	}
	for _, coda := range []string{"ch", "ng", "nh", "c", "m", "n", "p", "t"} {
		if before, ok := strings.CutSuffix(rest, coda); ok {
			rest = before
			break
		}
	}
	switch rest {
	case "a", "ai", "ao", "au", "ay", "e", "eo", "eu", "i", "ia", "ie", "ieu", "iu", "o", "oa", "oai", "oao", "oay", "oe", "oeo", "oi", "oo",
		"u", "ua", "uay", "uau", "ue", "ui", "uo", "uoi", "uou", "uu", "uy", "uya", "uye", "uyu", "y", "ya", "ye", "yeu":
		return true
	}
	return rest == "" && folded == "gi"
}
