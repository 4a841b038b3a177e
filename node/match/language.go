package match

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// How telling a term is depends on its language: among a few Khmer listings, Khmer's most common words would look rare if
// they were counted against all the English ones. So the index counts listings by language, and a term's idf is taken
// among those that could have it.

// maxLanguagesCounted bounds the set of languages; what comes later shares the last place.
const maxLanguagesCounted = 32

// languages is a set, a bit for each language of Index.languages.
type languages uint32

func primary(l protocol.Lang) protocol.Lang {
	p, _, _ := strings.Cut(string(l), "-")
	return protocol.Lang(p)
}

// languagesOf numbers a listing's languages. The caller holds the lock.
func (x *Index) languagesOf(tags []protocol.Lang) (set languages) {
	for _, tag := range tags {
		n := x.languageNumber(primary(tag))
		if n < 0 {
			n = min(len(x.languages), maxLanguagesCounted-1)
			if n == len(x.languages) {
				x.languages = append(x.languages, protocol.Lang(strings.Clone(string(primary(tag)))))
			}
		}
		set |= 1 << n
	}
	return set
}

func (x *Index) languageNumber(l protocol.Lang) int {
	for n, known := range x.languages {
		if known == l {
			return n
		}
	}
	return -1
}

// countLanguages adds step to the count of every language in the set.
func (x *Index) countLanguages(set languages, step int) {
	for n := range x.perLanguage {
		if set&(1<<n) != 0 {
			x.perLanguage[n] += step
		}
	}
}

// among is the number of documents among which a term of a text in lang is rare or common: those that have a text in the
// language of its script, or in lang where that is written in Latin letters, else all. lang is "" where it is not known.
func (x *Index) among(term string, lang protocol.Lang) int {
	language := scriptLanguage(term)
	if language == "" && lang != "" {
		switch lang = primary(lang); lang {
		case "en", "th", "lo", "km", "my", "zh", "ta": // Latin words in them are English by custom
		default:
			language = lang
		}
	}
	if language == "" {
		return len(x.byRef)
	}
	n := x.languageNumber(language)
	if n < 0 {
		return 0
	}
	return x.perLanguage[n]
}

// scriptLanguage is the language of the region that is written in a term's script, "" for Latin and others.
func scriptLanguage(term string) protocol.Lang {
	r, _ := utf8.DecodeRuneInString(term)
	if r < 0x0b00 {
		return ""
	}
	for _, s := range []struct {
		script *unicode.RangeTable
		lang   protocol.Lang
	}{
		{unicode.Thai, "th"}, {unicode.Lao, "lo"}, {unicode.Khmer, "km"}, {unicode.Myanmar, "my"}, {unicode.Han, "zh"}, {unicode.Tamil, "ta"},
	} {
		if unicode.Is(s.script, r) {
			return s.lang
		}
	}
	return ""
}
