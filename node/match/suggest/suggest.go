// Package suggest helps those who type a query, from the catalogue's own words: it completes what is typed so far
// (Complete) and asks "did you mean" about words that the catalogue lacks (Correct).
//
// Both compare folded text: no case, and no diacritics on Latin letters. Marks of other scripts count. What is suggested is
// spelled as most listings spell it. All numbers are integers and every tie is broken by the text, so the same entries give
// the same answers on every node, in whatever order they came.
package suggest

import (
	"sort"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/asean-tmh/tmh/node/match/text"
)

// Limits.
const (
	MaxPhrases     = 200_000 // phrases of a vocabulary, and words that Correct may offer
	MaxSuggestions = 20      // in one answer of Complete
	MaxTyped       = 20_000  // bytes that Complete looks at; a longer text is no search box
	maxPhrase      = 64      // characters of a phrase
	maxPhraseBytes = 256
)

// Entry is a phrase of the catalogue: a keyword, a word of a title, or neighbouring words of a title.
type Entry struct {
	Phrase string // as written
	Count  int    // listings that have it
}

// Suggestion completes what was typed.
type Suggestion struct {
	Text   string `json:"text"`   // what was typed, with its last words completed
	Phrase string `json:"phrase"` // the catalogue's phrase at the end of Text
	Count  int    `json:"count"`  // listings that have the phrase
}

// Change is one word, or two, that Correct would write otherwise.
type Change struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Start int    `json:"start"` // From stands at these bytes of the query
	End   int    `json:"end"`
}

// Vocabulary is what a catalogue's phrases are made of. It does not change and is safe for concurrent use. A nil
// Vocabulary suggests nothing.
type Vocabulary struct {
	phrases table
	counts  []uint32
	best    ranking // of phrases, the most frequent first

	// Phrases with diacritics, in the order of their spelling, for those who type diacritics.
	marked     []uint32
	bestMarked ranking

	words      table
	wordCounts []uint32
	shared     []uint8  // characters that a word has in common with the word before it
	others     []uint32 // hashes of words too rare to be kept, which are no mistakes either
	stems      []uint32 // hashes of the English stems of all words
}

// Len is the number of phrases.
func (v *Vocabulary) Len() int {
	if v == nil {
		return 0
	}
	return v.phrases.len()
}

// Size is about the number of bytes of memory that v takes.
func (v *Vocabulary) Size() int {
	if v == nil {
		return 0
	}
	return v.phrases.size() + v.words.size() + v.best.size() + v.bestMarked.size() + len(v.shared) +
		4*(len(v.counts)+len(v.marked)+len(v.wordCounts)+len(v.others)+len(v.stems))
}

// table is a sorted list of different keys, each with the spelling that people should see where that is not the key.
type table struct {
	text      string
	at        []uint32 // where keys start in text; one more for the end of the last
	spelled   []uint32 // keys that are spelled otherwise, ascending
	spellings string
	spelledAt []uint32
}

func newTable(keys []string, spelling func(key string) string) table {
	var t table
	var all, other strings.Builder
	t.at = make([]uint32, 0, len(keys)+1)
	for i, k := range keys {
		t.at = append(t.at, uint32(all.Len()))
		all.WriteString(k)
		if s := spelling(k); s != k {
			t.spelled = append(t.spelled, uint32(i))
			t.spelledAt = append(t.spelledAt, uint32(other.Len()))
			other.WriteString(s)
		}
	}
	t.at = append(t.at, uint32(all.Len()))
	t.spelledAt = append(t.spelledAt, uint32(other.Len()))
	t.text, t.spellings = strings.Clone(all.String()), strings.Clone(other.String())
	return t
}

func (t *table) len() int { return max(0, len(t.at)-1) }

func (t *table) size() int {
	return len(t.text) + len(t.spellings) + 4*(len(t.at)+len(t.spelled)+len(t.spelledAt))
}

func (t *table) key(i int) string { return t.text[t.at[i]:t.at[i+1]] }

// spelling is what people see of a key.
func (t *table) spelling(i int) string {
	j := sort.Search(len(t.spelled), func(j int) bool { return t.spelled[j] >= uint32(i) })
	if j < len(t.spelled) && t.spelled[j] == uint32(i) {
		return t.spellings[t.spelledAt[j]:t.spelledAt[j+1]]
	}
	return t.key(i)
}

// from is the first key that is not below key.
func (t *table) from(key string) int {
	return sort.Search(t.len(), func(i int) bool { return t.key(i) >= key })
}

func (t *table) find(key string) (int, bool) {
	i := t.from(key)
	return i, i < t.len() && t.key(i) == key
}

// prefixed is the range of keys that begin with a prefix.
func (t *table) prefixed(prefix string) (int, int) {
	lo := t.from(prefix)
	n := sort.Search(t.len()-lo, func(i int) bool { return !strings.HasPrefix(t.key(lo+i), prefix) })
	return lo, lo + n
}

// tidy is a text with single spaces, and without those that only separate syllables for line breaks.
func tidy(s string) string {
	clean, before := true, rune(' ')
	for _, r := range s {
		if r == '\u200b' || r != ' ' && isSpace(r) || r == ' ' && before == ' ' {
			clean = false
			break
		}
		before = r
	}
	if clean && before != ' ' {
		return s
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "\u200b", "")), " ")
}

// spell is how a phrase is shown, and foldKey by which key it is found. plain is the spelling without capitals.
func spell(s string) string         { return tidy(text.Normalise(s)) }
func foldKey(spelled string) string { return tidy(text.Fold(spelled)) }
func plain(spelled string) string   { return strings.ToLower(spelled) }

func hash(s string) uint32 { return uint32(xxhash.Sum64String(s)) }

func hasHash(sorted []uint32, s string) bool {
	h := hash(s)
	i := sort.Search(len(sorted), func(i int) bool { return sorted[i] >= h })
	return i < len(sorted) && sorted[i] == h
}
