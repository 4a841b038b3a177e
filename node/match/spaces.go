package match

import (
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

// How telling a term is depends on its language: among a few Khmer listings, Khmer's most common words would look rare if
// they were counted against all the English ones. So every term belongs to a space, and its idf is taken among the
// documents that have a text in that space.

// space of terms: a language, or two that share their words.
type space uint8

const (
	common     space = iota // English stems, numbers, names: all documents have them, by translation if not by writing
	indonesian              // and Malay
	vietnamese
	filipino
	portuguese
	tetum
	thai
	lao
	khmer
	burmese
	chinese
	tamil
	spaces
)

//nolint:gochecknoglobals // a table, never changed
var spaceNames = [spaces]string{"en", "id", "vi", "fil", "pt", "tet", "th", "lo", "km", "my", "zh", "ta"}

// spaceOfLanguage is false for a language whose words have no space of their own.
func spaceOfLanguage(lang string) (space, bool) {
	if lang == "ms" {
		return indonesian, true
	}
	for s, name := range spaceNames {
		if name == lang && s > 0 {
			return space(s), true
		}
	}
	return common, false
}

// spoken are the languages of a space.
func (s space) spoken() []string {
	if s == indonesian {
		return []string{"id", "ms"}
	}
	return []string{spaceNames[s]}
}

// spaceOf a term is told by its prefix or its script.
func spaceOf(term string) space {
	if prefix, _, ok := strings.Cut(term, "/"); ok && len(prefix) <= 3 {
		for s := indonesian; s <= tetum; s++ {
			if spaceNames[s] == prefix {
				return s
			}
		}
	}
	r, _ := utf8.DecodeRuneInString(term)
	s, _ := spaceOfLanguage(text.ScriptLanguage(r))
	return s
}

// ScriptLanguage is the language of the region that is written in a character's script, "" where several share it.
func ScriptLanguage(r rune) protocol.Lang { return protocol.Lang(text.ScriptLanguage(r)) }

// word is a term as a lexicon knows it: without its space.
func word(term string) string {
	if s := spaceOf(term); s >= indonesian && s <= tetum {
		return term[len(spaceNames[s])+1:]
	}
	return term
}

// spaceSet has a bit for each space that a document has a text in, as far as its words tell, and above these a bit for each
// language that it claims to have, which is what people filter by.
type spaceSet uint32

const claimed = 16 // the first bit of claimed languages

//nolint:gochecknoglobals // a table, never changed
var languageNames = []string{"en", "id", "ms", "vi", "fil", "pt", "tet", "th", "lo", "km", "my", "zh", "ta"}

// inSpaceOf is the space of a language that a text is in.
func inSpaceOf(lang string) spaceSet {
	if s, ok := spaceOfLanguage(lang); ok {
		return 1 << s
	}
	return 0
}

// claims is the bit of a language that a text claims; all that are not ours share one.
func claims(lang string) spaceSet {
	i := slices.Index(languageNames, lang)
	if i < 0 {
		i = len(languageNames)
	}
	return 1 << (claimed + i)
}

// has reports whether a document can have terms of space s.
func (l spaceSet) has(s space) bool { return s == common || l&(1<<s) != 0 }

// languages that are claimed.
func (l spaceSet) languages() (names []string) {
	for i, name := range languageNames {
		if l&(1<<(claimed+i)) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// spoken is the number of languages that are claimed.
func (l spaceSet) spoken() int { return bits.OnesCount32(uint32(l >> claimed)) }
