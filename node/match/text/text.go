// Package text turns what people write, in thirteen languages, into the terms that are indexed and looked up.
package text

// Token is one term occurrence of a normalised text.
type Token struct {
	// Term is what is indexed. English stems, numbers, names, and terms in a script that names its language stand as
	// they are; words of other languages in Latin letters begin with their space: "id/" (Indonesian and Malay), "vi/",
	// "fil/", "pt/", "tet/".
	Term string
	// Word is the form that a lexicon is asked for: lower case, normalised, affixes taken off where the lexicon knows what
	// is left; "" for a piece of a stretch that no dictionary knows.
	Word       string
	Lang       string // primary subtag by which it was analysed: "en" for a Latin word in a Thai text
	Start, End int    // bytes of the normalised text; starts never go back, but a compound is followed by its parts
	Kind       Kind
}

// Kind of a token.
type Kind uint8

// The kinds of token.
const (
	Word   Kind = iota // a word that can have a meaning in a lexicon
	Piece              // two neighbouring syllables of a stretch, in a script without spaces, that no dictionary knows
	Number             // a number with its unit, "3.5 kW", or without: what has a unit is followed by the bare number
	Name               // a chemical formula, a product name, an acronym: the same in all languages
)

// Words are the headwords of a dictionary, by language, normalised and in lower case.
type Words interface {
	Has(lang, word string) bool
	// Longest is the length in bytes of the longest headword that s begins with, 0 for none. It knows no syllables: the
	// caller checks where it ends.
	Longest(lang, s string) int
}

// Meanings may be had of Words too: then a headword that has a translation goes before one that has none, such as an
// inflected form or a phrase of a word list.
type Meanings interface {
	Means(lang, word string) bool
}
