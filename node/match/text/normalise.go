package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Normalise brings text to the form that tokens count bytes of: valid UTF-8 in NFKC without invisible joiners, soft
// hyphens and directions; Burmese out of the Zawgyi encoding; the marks of Thai, Lao, Khmer and Burmese, and the tones of
// Vietnamese, in one order. (The zero-width space stays: in Khmer and Thai it separates words. AM of Thai and Lao stays one
// character, other than in NFKC, since fonts join it badly when it is taken apart.) A second run changes nothing.
func Normalise(s string) string {
	if isASCII(s) {
		return s
	}
	plain := compose(s)
	ordered := order(plain)
	// What is not at rest after one more run was not writing of these languages, so it is left as it came.
	if ordered != plain && order(compose(ordered)) != ordered {
		return plain
	}
	return ordered
}

// compose is the part of Normalise that knows no language.
func compose(s string) string {
	s = strings.ToValidUTF8(s, " ")
	clean := true
	before := rune(0)
	for _, r := range s {
		if r >= utf8.RuneSelf && (invisible(r) || superscript(r) && isDigit(before)) {
			clean = false
			break
		}
		before = r
	}
	if !clean {
		var b strings.Builder
		b.Grow(len(s) + 8)
		before = 0
		for _, r := range s {
			if invisible(r) {
				continue
			}
			if superscript(r) && isDigit(before) {
				b.WriteByte('^') // or NFKC would make 106 of 10⁶
			}
			b.WriteRune(r)
			before = r
		}
		s = b.String()
	}
	return norm.NFKC.String(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// invisible reports characters that join, hyphenate or direct, and say nothing.
func invisible(r rune) bool {
	switch {
	case r == '\u00ad', r == '\u200c', r == '\u200d', r == '\u200e', r == '\u200f', r == '\u2060', r == '\ufeff',
		r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r >= '\ufe00' && r <= '\ufe0f',
		r == '\u17b4', r == '\u17b5':
		return true
	}
	return false
}

func superscript(r rune) bool {
	return r == '²' || r == '³' || r == '¹' || r >= '⁰' && r <= '⁻' && r != '\u2072' && r != '\u2073'
}

// Fold brings text to the form in which typeahead compares: lower case, Latin letters without their diacritics.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	s = strings.ToLower(compose(s))
	var b strings.Builder
	b.Grow(len(s))
	latin := false
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			latin = r >= 'a' && r <= 'z'
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
			if !latin {
				b.WriteRune(r)
			}
		case unicode.Is(unicode.Latin, r):
			latin = true
			switch r {
			case 'đ', 'ð':
				r = 'd'
			case 'ø':
				r = 'o'
			case 'ł':
				r = 'l'
			case 'ı':
				r = 'i'
			default:
				if first, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r))); first < utf8.RuneSelf {
					r = first
				}
			}
			b.WriteRune(r)
		case r == '\u2019' || r == '\u02bc':
			b.WriteByte('\'')
			latin = false
		default:
			latin = false
			b.WriteRune(r)
		}
	}
	return b.String()
}
