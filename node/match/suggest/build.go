package suggest

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/match/text"
)

// Options of Build.
type Options struct {
	MaxPhrases int // the most frequent that are kept; 0, and more than MaxPhrases, mean MaxPhrases
}

// Build makes a vocabulary of all phrases of a catalogue. A phrase may come more than once, and spelled in several ways.
// What is no phrase (too long, no letters, control characters) is left out. While it works, Build keeps every different
// phrase in memory, some 150 bytes each.
func Build(entries iter.Seq[Entry], o Options) *Vocabulary {
	most := o.MaxPhrases
	if most <= 0 || most > MaxPhrases {
		most = MaxPhrases
	}
	b := builder{phrases: tally{}, spellings: tally{}, words: tally{}, wordSpellings: tally{}}
	for e := range entries {
		b.add(e)
	}
	return b.vocabulary(most)
}

// tally counts texts. Counts stop at the largest number instead of turning over, in whatever order they come.
type tally map[string]uint32

func (t tally) add(s string, n uint32) {
	have := t[s]
	t[s] = have + min(n, math.MaxUint32-have)
}

type builder struct {
	phrases       tally // by key
	spellings     tally // that are not the key
	words         tally
	wordSpellings tally
}

func (b *builder) add(e Entry) {
	if e.Count <= 0 || len(e.Phrase) > 4*maxPhraseBytes {
		return
	}
	spelled := spell(e.Phrase)
	key := foldKey(spelled)
	if !isPhrase(spelled) || !isPhrase(key) {
		return
	}
	n := uint32(min(e.Count, math.MaxUint32))
	b.phrases.add(key, n)
	if spelled != key {
		b.spellings.add(spelled, n)
	}
}

func isPhrase(s string) bool {
	if len(s) > maxPhraseBytes || utf8.RuneCountInString(s) > maxPhrase {
		return false
	}
	letters := 0
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsGraphic(r) && !(r >= '\u200b' && r <= '\u200d') {
			return false
		}
		if isLetter(r) {
			letters++
		}
	}
	return letters > 1
}

// vocabulary leaves the builder empty.
func (b *builder) vocabulary(most int) *Vocabulary {
	v := &Vocabulary{}
	for key, n := range b.phrases {
		for _, w := range wordsOf(key, maxPhrase) {
			b.words.add(key[w.start:w.end], n)
		}
	}
	for s, n := range b.spellings {
		key, s := foldKey(s), plain(s)
		if s == key {
			continue
		}
		for _, w := range wordsOf(s, maxPhrase) {
			if one := s[w.start:w.end]; text.Fold(one) != one {
				b.wordSpellings.add(one, n)
			}
		}
	}

	keys := top(b.phrases, most)
	shown := spellings(keys, b.phrases, b.spellings)
	v.phrases = newTable(keys, func(k string) string { return shown[k] })
	v.counts = counts(keys, b.phrases)
	v.rank()
	b.phrases, b.spellings = nil, nil

	words := top(b.words, MaxPhrases)
	shown = spellings(words, b.words, b.wordSpellings)
	v.words = newTable(words, func(k string) string { return shown[k] })
	v.wordCounts = counts(words, b.words)
	v.shared = make([]uint8, len(words))
	for i := 1; i < len(words); i++ {
		v.shared[i] = common(words[i-1], words[i])
	}
	for w := range b.words {
		if _, kept := slices.BinarySearch(words, w); !kept {
			v.others = append(v.others, hash(w))
		}
		if s, ok := stem(w); ok {
			v.stems = append(v.stems, hash(s))
		}
	}
	v.others, v.stems = unique(v.others), unique(v.stems)
	return v
}

// top are the keys of the highest counts, sorted. Of equal counts the shorter are kept: they begin or end more phrases.
func top(t tally, most int) []string {
	if len(t) <= most {
		keys := make([]string, 0, len(t))
		for k := range t {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		return keys
	}
	worth := func(k string, n uint32) uint64 { return uint64(n)<<16 | uint64(math.MaxUint16-len(k)) }
	all := make([]uint64, 0, len(t))
	for k, n := range t {
		all = append(all, worth(k, n))
	}
	slices.Sort(all)
	least := all[len(all)-most]
	var keys, last []string
	for k, n := range t {
		switch w := worth(k, n); {
		case w > least:
			keys = append(keys, k)
		case w == least:
			last = append(last, k)
		}
	}
	slices.Sort(last)
	keys = append(keys, last[:most-len(keys)]...)
	slices.Sort(keys)
	return keys
}

func counts(keys []string, t tally) []uint32 {
	list := make([]uint32, len(keys))
	for i, k := range keys {
		list[i] = t[k]
	}
	return list
}

// spellings are the most frequent spellings of keys. The key is itself a spelling, of those counts that no other has.
func spellings(keys []string, t, others tally) map[string]string {
	shown := make(map[string]string, len(keys))
	left := make(map[string]uint32, len(keys))
	for _, k := range keys {
		shown[k], left[k] = k, t[k]
	}
	best := map[string]uint32{}
	for s, n := range others {
		k := foldKey(s)
		if _, ok := shown[k]; !ok {
			continue
		}
		left[k] -= min(n, left[k])
		if n > best[k] || n == best[k] && s < shown[k] {
			shown[k], best[k] = s, n
		}
	}
	for k, n := range best {
		if left[k] >= n {
			shown[k] = k
		}
	}
	return shown
}

// rank makes the tables for Complete.
func (v *Vocabulary) rank() {
	order := make([]uint32, len(v.counts))
	for i := range order {
		order[i] = uint32(i)
		if s := v.phrases.spelling(i); plain(s) != v.phrases.key(i) {
			v.marked = append(v.marked, uint32(i))
		}
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(v.counts[b], v.counts[a]), cmp.Compare(a, b))
	})
	rank := make([]uint32, len(order))
	for r, i := range order {
		rank[i] = uint32(r)
	}
	v.best = newRanking(rank)

	spelled := make(map[uint32]string, len(v.marked))
	for _, i := range v.marked {
		spelled[i] = plain(v.phrases.spelling(int(i)))
	}
	slices.SortFunc(v.marked, func(a, b uint32) int {
		return cmp.Or(strings.Compare(spelled[a], spelled[b]), cmp.Compare(a, b))
	})
	of := make([]uint32, len(v.marked))
	for j, i := range v.marked {
		of[j] = rank[i]
	}
	v.bestMarked = newRanking(of)
}

// common is the number of characters with which both texts begin.
func common(a, b string) uint8 {
	n := uint8(0)
	for a != "" && b != "" && n < math.MaxUint8 {
		r, i := utf8.DecodeRuneInString(a)
		s, j := utf8.DecodeRuneInString(b)
		if r != s {
			break
		}
		a, b, n = a[i:], b[j:], n+1
	}
	return n
}

func unique(list []uint32) []uint32 {
	slices.Sort(list)
	return slices.Clip(slices.Compact(list))
}

// stem is the English stem of a word in plain Latin letters: what the engine looks for instead of the word.
func stem(word string) (string, bool) {
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return "", false
		}
	}
	return text.Stem(word), len(word) > 3
}
