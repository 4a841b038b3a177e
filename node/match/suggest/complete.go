package suggest

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

const (
	maxTails = 8  // words at the end of a text that may begin a phrase
	maxInner = 16 // syllables inside its last stretch that may
)

// Complete is the best completions of a text, at most n and at most MaxSuggestions. A completion takes in as many of the
// last words as begin a phrase of the catalogue, and leaves what stands before them; completions of more words come first,
// then the phrases of more listings. Diacritics need not be typed; phrases that have those that were typed come first.
func (v *Vocabulary) Complete(typed string, n int) []Suggestion {
	n = min(n, MaxSuggestions)
	if v.Len() == 0 || n <= 0 || len(typed) > MaxTyped {
		return nil
	}
	typed = strings.ToValidUTF8(typed, "\ufffd")
	var out []Suggestion
	var taken []string // texts in out, folded
	starts := tails(typed)
	for _, at := range starts {
		spelled := spell(typed[at:])
		key, want := foldKey(spelled), plain(spelled)
		if key == "" || len(key) > maxPhraseBytes {
			continue
		}
		if last, _ := utf8.DecodeLastRuneInString(typed); isSpace(last) {
			key, want = key+" ", want+" "
		}
		head, before := typed[:at], foldKey(typed[starts[0]:at])
		if last, _ := utf8.DecodeLastRuneInString(head); before != "" && isSpace(last) {
			before += " "
		}
		add := func(i int) bool {
			k := v.phrases.key(i)
			phrase := v.phrases.spelling(i)
			if k == key && plain(phrase) == want {
				return true // nothing to add
			}
			if t := before + k; !slices.Contains(taken, t) {
				taken = append(taken, t)
				out = append(out, Suggestion{Text: head + phrase, Phrase: phrase, Count: int(v.counts[i])})
			}
			return len(out) < n
		}
		if !v.each(key, want, add) {
			break
		}
	}
	return out
}

// each goes through the phrases that begin with what is typed, best first, until f is false.
func (v *Vocabulary) each(key, want string, f func(int) bool) bool {
	if key != want {
		at := func(i int) string { return plain(v.phrases.spelling(int(v.marked[i]))) }
		lo := sort.Search(len(v.marked), func(i int) bool { return at(i) >= want })
		hi := lo + sort.Search(len(v.marked)-lo, func(i int) bool { return !strings.HasPrefix(at(lo+i), want) })
		for i := range v.bestMarked.ascending(lo, hi) {
			if !f(int(v.marked[i])) {
				return false
			}
		}
	}
	lo, hi := v.phrases.prefixed(key)
	for i := range v.best.ascending(lo, hi) {
		if key != want && strings.HasPrefix(plain(v.phrases.spelling(i)), want) {
			continue // was there above
		}
		if !f(i) {
			return false
		}
	}
	return true
}

// tails are the places where a phrase may begin that is still being typed, ascending: the last words, and in a script without
// spaces the last syllables, but the very last, which alone says too little.
func tails(s string) []int {
	const window = 4 * maxPhraseBytes
	var list []int
	words, inner := 0, 0
	after := rune(0)
	inside := true // the last stretch of letters
	syllables := 0
	for i := len(s); i > 0 && i > len(s)-window && words < maxTails; {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		i -= n
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		if i == 0 {
			before = ' '
		}
		switch {
		case wordStart(before, r):
			list = append(list, i)
			words++
			inside = false
		case inside && isUnspaced(r) && clusterStart(before, r, after):
			if syllables++; syllables > 1 && inner < maxInner {
				list = append(list, i)
				inner++
			}
		}
		after = r
	}
	slices.Reverse(list)
	return list
}
