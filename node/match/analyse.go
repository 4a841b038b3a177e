package match

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
	"golang.org/x/text/unicode/norm"
)

// token is one term occurrence of a normalised text.
type token struct {
	term       string // what is indexed
	word       string // the same in lower case as it was written: differs from term where term is an English stem
	start, end int    // bytes of the normalised text
	piece      bool   // part of a word: the script writes no spaces
}

// normalise brings text to the form that tokens count bytes of: valid UTF-8 in NFKC, without the invisible characters
// that join or hyphenate. (The zero-width space stays: in Khmer and Thai it separates words.)
func normalise(text string) string {
	text = norm.NFKC.String(strings.ToValidUTF8(text, " "))
	if !strings.ContainsAny(text, "\u00ad\u200c\u200d\u2060") {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u00ad', '\u200c', '\u200d', '\u2060':
			return -1
		}
		return r
	}, text)
}

// analyse splits a normalised text. Words are runs of letters, marks and digits in lower case; with a stemmer, those of a
// to z become English stems and the stop words among them are left out. Runs of Thai, Lao, Khmer, Burmese and Han
// characters become overlapping pairs of character clusters.
func analyse(text string, stem *stemmer) []token {
	out := make([]token, 0, len(text)/6)
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !inWord(r) {
			i += n
			continue
		}
		end := runEnd(text, i)
		if unspaced(r) {
			out = appendPieces(out, text, i, end)
		} else {
			out = appendWord(out, text, i, end, stem)
		}
		i = end
	}
	return out
}

// runEnd is where the run of word characters that begins at start ends: marks continue any run, other characters a run
// of their own sort, with or without spaces between words.
func runEnd(text string, start int) int {
	first, n := utf8.DecodeRuneInString(text[start:])
	sort := unspaced(first)
	for i := start + n; i < len(text); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(text[i:])
		if !inWord(r) || (!unicode.IsMark(r) && unspaced(r) != sort) {
			return i
		}
	}
	return len(text)
}

func appendWord(out []token, text string, start, end int, stem *stemmer) []token {
	word := strings.ToLower(text[start:end])
	t := token{term: word, word: word, start: start, end: end}
	if stem != nil && isASCIILetters(word) {
		if stopWord(word) {
			return out
		}
		t.term = stem.stem(word)
	}
	return append(out, t)
}

// appendPieces appends the overlapping pairs of clusters in text[start:end], or the one cluster there is.
func appendPieces(out []token, text string, start, end int) []token {
	before, from := -1, start
	for from < end {
		to := clusterEnd(text, from, end)
		if before >= 0 || to == end {
			at := max(before, start)
			piece := text[at:to]
			out = append(out, token{term: piece, word: piece, start: at, end: to, piece: true})
		}
		before, from = from, to
	}
	return out
}

// The signs that stack the consonant after them under the one before: both belong to one cluster.
const (
	khmerCoeng    = '\u17d2'
	myanmarVirama = '\u1039'
)

// clusterEnd is where the cluster at start ends: one base character, its combining marks and its stacked consonants.
func clusterEnd(text string, start, end int) int {
	last, n := utf8.DecodeRuneInString(text[start:end])
	for i := start + n; i < end; i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(text[i:end])
		if !unicode.IsMark(r) && last != khmerCoeng && last != myanmarVirama {
			return i
		}
		last = r
	}
	return end
}

func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

func unspaced(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Han)
}

func isASCIILetters(s string) bool {
	for _, c := range []byte(s) {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// of is the stemmer for a text in lang. The a-to-z words of English itself and of the languages of other scripts, which
// borrow terms from it, are taken for English; other Latin-script languages keep their words as they are.
func (s *stemmer) of(lang protocol.Lang) *stemmer {
	primary, _, _ := strings.Cut(string(lang), "-")
	switch primary {
	case "en", "th", "lo", "km", "my", "zh", "ta":
		return s
	}
	return nil
}

// stopWord reports whether an English word carries no meaning on its own. The single letters are what is left of 's, 't
// and the like.
func stopWord(word string) bool {
	switch word {
	case "a", "an", "the", "this", "that", "these", "those", "such",
		"i", "we", "you", "he", "she", "it", "they", "our", "your", "their", "its", "his", "her", "them", "us",
		"and", "or", "but", "not", "no", "nor", "if", "than", "then", "so",
		"of", "in", "on", "at", "by", "for", "from", "to", "into", "with", "as",
		"is", "are", "was", "were", "be", "been", "being", "am", "has", "have", "had", "do", "does", "did",
		"will", "would", "can", "could", "may", "there", "which", "who", "what", "s", "t":
		return true
	}
	return false
}

// display undoes for the reader what NFKC does to Thai and Lao AM, which fonts join badly when it is taken apart.
func display(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\u0e4d\u0e32", "\u0e33"), "\u0ecd\u0eb2", "\u0eb3")
}
