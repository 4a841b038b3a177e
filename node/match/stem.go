package match

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/kljensen/snowball/english"
)

// stemmer makes English stems and remembers those of frequent words: stemming is half of what indexing costs, and most
// words of a text were met before. A nil stemmer leaves words as they are. It is safe for concurrent use.
type stemmer struct {
	seed  maphash.Seed
	known [1 << 15]atomic.Pointer[stemmed] // by hash; a word pushes out another of the same place
}

type stemmed struct{ word, stem string }

func newStemmer() *stemmer { return &stemmer{seed: maphash.MakeSeed()} }

func (s *stemmer) stem(word string) string {
	place := &s.known[maphash.String(s.seed, word)%uint64(len(s.known))]
	if k := place.Load(); k != nil && k.word == word {
		return k.stem
	}
	k := &stemmed{word: string([]byte(word)), stem: english.Stem(word, true)} // not a part of somebody's whole text
	place.Store(k)
	return k.stem
}
