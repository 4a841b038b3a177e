package lexicon

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Names finds the terms of an index that sound like a word in another script. It is safe for concurrent use.
type Names struct {
	terms []named // by signature, then by term
	first map[uint32]int
}

type named struct {
	signature uint32
	term      string
	sounds    []byte
	weight    int
}

// Match is a term that sounds like a word, from MinAlike to 1 for equal sounds.
type Match struct {
	Term  string
	Alike float64
}

const (
	// MinAlike is the least that a term must sound like a word to be found; .8 suits words cut out of a text without spaces.
	MinAlike = .7
	// minSounds is the weight that sounds need to tell a name: two consonants and a vowel.
	minSounds = 22
)

// mostOfOneSound bounds what Find goes through: somebody may fill a catalogue with words of one sound.
const mostOfOneSound = 1000

// NewNames takes the distinct terms of an index, the most frequent first: those that are no words of a to z are left out,
// and of those that sound remotely alike the rarest beyond a thousand.
func NewNames(terms []string) *Names {
	n := &Names{first: map[uint32]int{}}
	gathered := map[uint32]int{}
	for _, t := range terms {
		if len(t) < 4 || len(t) > 40 || !isLatin(t) {
			continue
		}
		s := Sounds(nil, t)
		own := signature(s)
		if w := soundWeight(s); w >= minSounds && gathered[own] < mostOfOneSound {
			gathered[own]++
			n.terms = append(n.terms, named{own, t, s, w})
		}
	}
	slices.SortFunc(n.terms, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.signature, b.signature), cmp.Compare(a.term, b.term))
	})
	for i, t := range n.terms {
		if _, ok := n.first[t.signature]; !ok {
			n.first[t.signature] = i
		}
	}
	return n
}

func isLatin(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}

// Sounding says whether a word is in a script whose letters tell its sound and long enough to tell a name.
func Sounding(word string) bool {
	if n := utf8.RuneCountInString(word); n < 3 || n > 40 || word[0] < utf8.RuneSelf {
		return false
	}
	var buffer [maxSounds]byte
	return soundWeight(Sounds(buffer[:0], word)) >= minSounds
}

// Find appends the terms that sound like word, the likest first.
func (n *Names) Find(dst []Match, word string) []Match {
	var buffer [maxSounds]byte
	if !Sounding(word) {
		return dst
	}
	s := Sounds(buffer[:0], word)
	weight, own := soundWeight(s), signature(s)
	start := len(dst)
	for _, near := range neighbours(own) {
		i, ok := n.first[near]
		if !ok {
			continue
		}
		for ; i < len(n.terms) && n.terms[i].signature == near; i++ {
			t := &n.terms[i]
			if 2*t.weight < weight || 2*weight < t.weight {
				continue
			}
			if a := Alike(s, t.sounds); a >= MinAlike {
				dst = append(dst, Match{t.term, a})
			}
		}
	}
	slices.SortFunc(dst[start:], func(a, b Match) int { return cmp.Or(cmp.Compare(b.Alike, a.Alike), cmp.Compare(a.Term, b.Term)) })
	return dst
}

func soundWeight(s []byte) (n int) {
	for _, c := range s {
		n += dropCost(c)
	}
	return n
}

// strong are the consonants that no accent drops; sounds that are easily taken for each other are one.
const strong = 7

func strongSound(s byte) int {
	switch s {
	case 'P':
		return 0
	case 'K':
		return 1
	case 'T':
		return 2
	case 'S', 'J', 'Z':
		return 3
	case 'N', 'G':
		return 4
	case 'M':
		return 5
	case 'L':
		return 6
	}
	return -1
}

// signature counts the strong consonants, four bits each.
func signature(s []byte) (sig uint32) {
	for _, c := range s {
		if i := strongSound(c); i >= 0 && sig>>(4*i)&15 < 15 {
			sig += 1 << (4 * i)
		}
	}
	return sig
}

// neighbours of a signature: itself, one consonant more or less, and one in place of another.
func neighbours(sig uint32) []uint32 {
	out := make([]uint32, 1, 1+2*strong+strong*(strong-1))
	out[0] = sig
	for i := range strong {
		count := sig >> (4 * i) & 15
		if count < 15 {
			out = append(out, sig+1<<(4*i))
		}
		if count == 0 {
			continue
		}
		less := sig - 1<<(4*i)
		out = append(out, less)
		for j := range strong {
			if j != i && sig>>(4*j)&15 < 15 {
				out = append(out, less+1<<(4*j))
			}
		}
	}
	return out
}
