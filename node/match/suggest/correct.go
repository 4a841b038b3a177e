package suggest

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How far Correct goes.
const (
	maxQueryWords = 64 // of a query that are looked at
	maxSearches   = 3  // for words near to one of the query
	swapped       = 4  // letters of a word of which two may be swapped: shorter words, and short ones in other ways, become others
	oneEdit       = 6  // letters of a word that may differ by one
	twoEdits      = 8  // and by two
	longer        = 6  // letters from which a word that is hardly known is offered, where one differs
	oneUnspaced   = 6  // letters of a stretch without spaces that may differ by one
	rare          = 3  // listings that may all have the same mistake
	muchMore      = 50 // times as many have the right word
	shortest      = 3  // letters of the parts of a compound
)

// known says what the catalogue makes of a word.
type known uint8

const (
	leave known = iota // a name, a formula, too short or too long: nothing to look up
	frequent
	seldom // at most rare listings
	unknown
)

// asked is a word of the query.
type asked struct {
	word
	key   string
	runes []rune
	state known
	count uint32
	done  bool
}

// Correct asks "did you mean": the query with words that the catalogue lacks, or hardly has, written as the catalogue writes
// a word near to them, in one word or two; what was changed, in the order of the query; and whether anything was. Numbers,
// formulas, acronyms, and words that the catalogue has, if only in another form of the word, stay.
func (v *Vocabulary) Correct(query string) (string, []Change, bool) {
	if v.Len() == 0 {
		return query, nil, false
	}
	list := v.look(query)
	var changes []Change
	change := func(start, end int, to string) {
		if from := query[start:end]; from != to {
			changes = append(changes, Change{From: from, To: to, Start: start, End: end})
		}
	}
	for i := 1; i < len(list); i++ {
		a, b := &list[i-1], &list[i]
		if to, ok := v.joined(query, a, b); ok {
			a.done, b.done = true, true
			change(a.start, b.end, inCase(query[a.start:b.end], to))
		}
	}
	searches := 0
	for _, state := range []known{unknown, seldom} {
		for i := range list {
			a := &list[i]
			if a.done || a.state != state || searches == maxSearches {
				continue
			}
			searches++
			if to, ok := v.instead(a); ok {
				change(a.start, a.end, inCase(query[a.start:a.end], to))
			}
		}
	}
	if len(changes) == 0 {
		return query, nil, false
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Start, b.Start) })
	var s strings.Builder
	at := 0
	for _, c := range changes {
		s.WriteString(query[at:c.Start])
		s.WriteString(c.To)
		at = c.End
	}
	s.WriteString(query[at:])
	return s.String(), changes, true
}

// look finds out what the catalogue knows of a query's words.
func (v *Vocabulary) look(query string) []asked {
	shouted := strings.IndexFunc(query, unicode.IsLower) < 0
	var list []asked
	for _, w := range wordsOf(query, maxQueryWords) {
		a := asked{word: w}
		written := query[w.start:w.end]
		if len(written) <= maxPhraseBytes {
			a.key = foldKey(spell(written))
			a.runes = []rune(a.key)
			a.state, a.count = v.state(a.key)
		}
		if w.name || isName(written, shouted) || len(a.runes) < shortest || len(a.runes) > maxWord {
			a.state = leave
		}
		list = append(list, a)
	}
	return list
}

// isName is true of acronyms and formulas: capitals after the first letter, in a query that is not all capitals.
func isName(w string, shouted bool) bool {
	capitals, letters := 0, 0
	for i, r := range w {
		if i > 0 && unicode.IsUpper(r) {
			capitals++
		}
		letters++
	}
	return capitals > 0 && (!shouted || letters <= 5)
}

func (v *Vocabulary) state(key string) (known, uint32) {
	if i, ok := v.words.find(key); ok {
		n := v.wordCounts[i]
		if n <= rare {
			return seldom, n
		}
		return frequent, n
	}
	if hasHash(v.others, key) {
		return seldom, 1
	}
	if s, ok := stem(key); ok && hasHash(v.stems, s) {
		return leave, 0
	}
	return unknown, 0
}

// noAlphabet is true of characters that are words or syllables: one for another is another word.
func noAlphabet(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// composed is true where a stretch without spaces is made of words that the catalogue has.
func (v *Vocabulary) composed(key string) bool {
	starts := []int{0}
	runes := append([]rune(key), 0)
	at := 0
	for i, r := range runes[:len(runes)-1] {
		if i > 0 && clusterStart(runes[i-1], r, runes[i+1]) {
			starts = append(starts, at)
		}
		at += utf8.RuneLen(r)
	}
	starts = append(starts, len(key))
	reached := make([]bool, len(starts))
	reached[0] = true
	for i := range starts {
		for j := i + 1; reached[i] && j < len(starts); j++ {
			if !reached[j] {
				_, reached[j] = v.words.find(key[starts[i]:starts[j]])
			}
		}
	}
	return reached[len(starts)-1]
}

// joined is the one word that two words of the query are, which the catalogue has and which at least one of them is not, or
// which far more listings have than the two.
func (v *Vocabulary) joined(query string, a, b *asked) (string, bool) {
	gap := query[a.end:b.start]
	if a.done || b.done || a.name || b.name || gap != " " && gap != "-" || a.unspaced || b.unspaced || a.key == "" || b.key == "" ||
		a.state == leave && b.state == leave {
		return "", false
	}
	i, ok := v.words.find(a.key + b.key)
	if !ok {
		return "", false
	}
	n := uint64(v.wordCounts[i])
	if a.state != unknown && b.state != unknown &&
		(len(a.runes) < shortest || len(b.runes) < shortest || n < muchMore*max(1, v.count(a.key+gap+b.key))) {
		return "", false
	}
	return v.words.spelling(i), true
}

// count is the number of listings that have a phrase.
func (v *Vocabulary) count(key string) uint64 {
	if i, ok := v.phrases.find(key); ok {
		return uint64(v.counts[i])
	}
	return 0
}

// instead is what should be written for a word.
func (v *Vocabulary) instead(a *asked) (string, bool) {
	if a.unspaced && (slices.ContainsFunc(a.runes, noAlphabet) || v.composed(a.key)) {
		return "", false
	}
	edits := 0
	switch n := len(a.runes); {
	case a.unspaced && n < oneUnspaced, n < swapped:
	case n < twoEdits || a.unspaced || a.state == seldom:
		edits = 1
	default:
		edits = 2
	}
	enough := uint64(1)
	if a.state == seldom {
		enough = muchMore * uint64(max(1, a.count))
	}
	best, score := v.nearest(a, edits, enough)
	if split, s, ok := v.split(a, enough); ok && (best < 0 || s > score) {
		return split, true
	}
	if best < 0 {
		return "", false
	}
	return v.words.spelling(best), true
}

// nearest is the word that was most likely meant, -1 for none.
func (v *Vocabulary) nearest(a *asked, edits int, enough uint64) (best, score int) {
	best = -1
	if edits == 0 {
		return
	}
	v.near(a.runes, edits, func(i, e int) {
		n := v.wordCounts[i]
		if e == 0 || uint64(n) < enough || n <= rare && (e > 1 || len(a.runes) < longer) {
			return
		}
		f := frequency(n)
		if best >= 0 && f-e*costLeast < score { // not even if by the likeliest slip
			return
		}
		key := v.words.key(i)
		if first, _ := utf8.DecodeRuneInString(key); e > 1 && first != a.runes[0] {
			return
		}
		if max(len(a.runes), utf8.RuneCountInString(key)) < oneEdit && !anagrams(a.runes, []rune(key)) || utf8.RuneCountInString(key) < swapped || a.state == seldom && (strings.HasPrefix(key, a.key) || strings.HasPrefix(a.key, key)) {
			return
		}
		s := f - cost(a.runes, []rune(key))
		if best < 0 || s > score || s == score && n > v.wordCounts[best] {
			best, score = i, s
		}
	})
	return
}

// anagrams reports whether two words have the same letters.
func anagrams(a, b []rune) bool {
	b = slices.Clone(b)
	for _, r := range a {
		i := slices.Index(b, r)
		if i < 0 {
			return false
		}
		b = slices.Delete(b, i, i+1)
	}
	return len(b) == 0
}

// split is the two words that a word is, where listings have one after the other.
func (v *Vocabulary) split(a *asked, enough uint64) (string, int, bool) {
	if a.unspaced {
		return "", 0, false
	}
	to, score, found := "", 0, false
	at := 0
	for n, r := range a.runes {
		if n >= shortest && len(a.runes)-n >= shortest {
			_, first := v.words.find(a.key[:at])
			_, second := v.words.find(a.key[at:])
			if first && second {
				if k, ok := v.phrases.find(a.key[:at] + " " + a.key[at:]); ok && uint64(v.counts[k]) >= enough {
					if s := frequency(v.counts[k]) - costLeast; !found || s > score {
						to, score, found = plain(v.phrases.spelling(k)), s, true
					}
				}
			}
		}
		at += utf8.RuneLen(r)
	}
	return to, score, found
}

// inCase writes a word with the capitals of another.
func inCase(like, s string) string {
	first, n := utf8.DecodeRuneInString(like)
	if !unicode.IsUpper(first) {
		return s
	}
	if rest := like[n:]; rest != "" && strings.IndexFunc(rest, unicode.IsLower) < 0 && strings.IndexFunc(rest, unicode.IsUpper) >= 0 {
		return strings.ToUpper(s)
	}
	r, m := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[m:]
}
