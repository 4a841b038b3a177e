package suggest

import (
	"unicode"
	"unicode/utf8"
)

// word is a stretch of letters of a text.
type word struct {
	start, end int
	unspaced   bool // of a script that writes no space between words
	name       bool // part of a number, formula, address or the like, which is spelled as it is spelled
}

func isSpace(r rune) bool { return unicode.IsSpace(r) }

// isLetter takes in the marks on letters, and what joins or parts them invisibly.
func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r)) || r >= '\u200b' && r <= '\u200d' || r == '\u00ad'
}

// isUnspaced is true for letters of Thai, Lao, Burmese and Khmer, and for Chinese.
func isUnspaced(r rune) bool {
	switch {
	case r < 0x0e00:
		return false
	case r < 0x0f00, r >= 0x1000 && r < 0x10a0, r >= 0x1780 && r < 0x1800, r >= 0x19e0 && r < 0x1a00,
		r >= 0x3040 && r < 0x3100, r >= 0xa9e0 && r < 0xaa00, r >= 0xaa60 && r < 0xaa80:
		return true
	}
	return unicode.Is(unicode.Han, r)
}

// inName is true for what makes one name of the letters on both sides of it.
func inName(r rune) bool {
	switch r {
	case '@', '_', '.', ':', '=', '^', '\\', '~', '<', '>', '|', '$':
		return true
	}
	return false
}

// wordsOf are the first words of a text, at most so many.
func wordsOf(s string, most int) []word {
	var list []word
	for i := 0; i < len(s) && len(list) < most; {
		r, n := utf8.DecodeRuneInString(s[i:])
		if isSpace(r) {
			i += n
			continue
		}
		// A chunk is what stands between spaces. Points and colons at its end are punctuation.
		first, end, name := len(list), i, -1
		for end < len(s) {
			r, n = utf8.DecodeRuneInString(s[end:])
			if isSpace(r) {
				break
			}
			if isLetter(r) {
				if name == 0 {
					name = 1
				}
				from, unspaced := end, isUnspaced(r)
				for end += n; end < len(s); end += n {
					r, n = utf8.DecodeRuneInString(s[end:])
					if !isLetter(r) || unicode.IsLetter(r) && isUnspaced(r) != unspaced {
						break
					}
				}
				if len(list) < most {
					list = append(list, word{start: from, end: end, unspaced: unspaced})
				}
				continue
			}
			if unicode.IsNumber(r) || r == '+' || r == '#' || r == '%' {
				name = 1
			} else if len(list) > first && name < 0 && inName(r) {
				name = 0
			}
			end += n
		}
		for j := first; name == 1 && j < len(list); j++ {
			list[j].name = true
		}
		i = end
	}
	return list
}

// wordStart is true where a word begins, or a number.
func wordStart(before, r rune) bool {
	in := func(r rune) bool { return isLetter(r) || unicode.IsNumber(r) }
	return in(r) && !in(before)
}

// clusterStart is true where a syllable of an unspaced script may begin: never at a mark, at what is stacked under the letter
// before, at a final consonant of Burmese, or between a vowel of Thai and Lao and the consonant that it is written before.
func clusterStart(before, r, after rune) bool {
	switch {
	case unicode.IsMark(r), r >= '\u200b' && r <= '\u200d', r == 0x0e30, r == 0x0e32, r == 0x0e33, r == 0x0e45, r == 0x0e46,
		r == 0x0eb0, r == 0x0eb2, r == 0x0eb3, r == 0x0ec6, r == 0x17d7:
		return false
	case before >= 0x0e40 && before <= 0x0e44, before >= 0x0ec0 && before <= 0x0ec4, before == 0x17d2, before == 0x1039:
		return false
	case after == 0x103a, after == 0x0e4c, after == 0x0ecc: // the killers of Burmese, Thai and Lao
		return false
	}
	return true
}
