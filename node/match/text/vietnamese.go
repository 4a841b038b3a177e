package text

import "unicode/utf8"

// maxSyllables bounds the syllables of a phrase in the dictionary.
const maxSyllables = 4

// vietnamese appends the longest phrase of the dictionary that begins with a syllable, else the syllable itself. Spaces
// part syllables, not words.
func (r *reading) vietnamese(first span) int {
	ends := [maxSyllables]int{first.end}
	n := 1
	if r.a.words != nil && !first.digits {
		for n < maxSyllables {
			at := ends[n-1]
			if at+1 >= len(r.s) || r.s[at] != ' ' || !letterAt(r.s, at+1) {
				break
			}
			w := r.word(at + 1)
			if w.digits || w.end-first.start > maxTerm {
				break
			}
			ends[n] = w.end
			n++
		}
	}
	for ; n > 1; n-- {
		phrase := r.low[first.start:ends[n-1]]
		if r.a.words.Has("vi", phrase) {
			r.plain(phrase, first.start, ends[n-1])
			return ends[n-1]
		}
	}
	r.single(first)
	return first.end
}

func letterAt(s string, i int) bool {
	c, _ := utf8.DecodeRuneInString(s[i:])
	return kindOf(c) == latinLetter
}
