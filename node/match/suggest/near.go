package suggest

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

const maxWord = 40 // characters of a word that Correct looks at

// near goes through the words within k edits of a word, in ascending order, with the number of edits. An edit is a letter
// more, less or other, or two neighbours swapped (optimal string alignment: nothing is edited twice).
//
// The sorted words are read like a trie: what a word shares with the one before it is not computed again, and words that
// share a beginning that is already too far off are passed over. That needs no memory beyond the words, and is quick enough
// since few words share three letters with the one looked for.
func (v *Vocabulary) near(of []rune, k int, yield func(i, edits int)) {
	if len(of) > maxWord {
		return
	}
	far := uint8(k + 1)
	// rows[d][j]: edits between the first d letters of the vocabulary's word and the first j of the other.
	var rows [maxWord + 4][maxWord + 1]uint8
	var letters [maxWord + 4]rune
	var at [maxWord + 4]int // where letter d of the word begins
	for j := range len(of) + 1 {
		rows[0][j] = uint8(min(j, k+1))
	}
	depth := 0 // rows up to here hold for the word before
	for i := 0; i < v.words.len(); {
		w := v.words.key(i)
		d := min(depth, int(v.shared[i]))
		pos := at[d]
		dead := false
		for pos < len(w) {
			if d >= len(of)+k {
				dead = true
				break
			}
			r, n := utf8.DecodeRuneInString(w[pos:])
			letters[d] = r
			pos += n
			d++
			at[d] = pos
			if !v.row(&rows, &letters, of, d, k, far) {
				dead = true
				break
			}
		}
		depth = d
		i++
		if !dead {
			if e := rows[d][len(of)]; d >= len(of)-k && e < far {
				yield(i-1, int(e))
			}
			continue
		}
		// Where the word was longer than it may be, its first d letters were not too far off, but d+1 are.
		if d >= len(of)+k && pos < len(w) {
			d++
		}
		for i < len(v.shared) && int(v.shared[i]) >= d {
			i++
		}
	}
}

// row computes row d within k of the diagonal, and is false where all of it is far.
func (v *Vocabulary) row(rows *[maxWord + 4][maxWord + 1]uint8, letters *[maxWord + 4]rune, of []rune, d, k int, far uint8) bool {
	lo, hi := max(0, d-k), min(len(of), d+k)
	now, up := &rows[d], &rows[d-1]
	r := letters[d-1]
	alive := false
	if lo > 0 {
		now[lo-1] = far
	}
	for j := lo; j <= hi; j++ {
		e := min(uint8(d), far)
		if j > 0 {
			if e = up[j-1]; of[j-1] != r {
				e++
			}
			e = min(e, now[j-1]+1)
			if j < d+k {
				e = min(e, up[j]+1)
			}
			if d > 1 && j > 1 && of[j-1] == letters[d-2] && of[j-2] == r {
				e = min(e, rows[d-2][j-2]+1)
			}
			e = min(e, far)
		}
		now[j] = e
		alive = alive || e < far
	}
	return alive
}

// What edits cost, in eighths of a bit: how much more frequent a word must be to make up for a less likely slip.
const (
	costDouble   = 56 // a letter doubled, or one of two left out
	costSwap     = 60
	costKeyboard = 60 // a key beside the right one
	costMissing  = 66 // a letter more or less
	costOther    = 80
	costFirst    = 16 // more at the first letter, which people seldom get wrong
	costLeast    = costDouble
)

// cost of writing a for b.
func cost(a, b []rune) int {
	var rows [3][maxWord + 4]int
	before, up, now := &rows[0], &rows[1], &rows[2]
	for j := range b {
		up[j+1] = up[j] + missing(b, j)
	}
	for i := range a {
		now[0] = up[0] + missing(a, i)
		for j := range b {
			e := up[j]
			if a[i] != b[j] {
				e += other(a[i], b[j])
				if i == 0 && j == 0 {
					e += costFirst
				}
			}
			e = min(e, up[j+1]+missing(a, i), now[j]+missing(b, j))
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				e = min(e, before[j-1]+costSwap)
			}
			now[j+1] = e
		}
		before, up, now = up, now, before
	}
	return up[len(b)]
}

func missing(w []rune, i int) int {
	switch {
	case i == 0:
		return costMissing + costFirst
	case w[i-1] == w[i]:
		return costDouble
	}
	return costMissing
}

func other(a, b rune) int {
	x, y := key(a)
	if z, w := key(b); x >= 0 && z >= 0 {
		switch dx := x - z; y - w {
		case 0:
			if dx == 2 || dx == -2 {
				return costKeyboard
			}
		case 1, -1:
			if dx == 1 || dx == -1 {
				return costKeyboard
			}
		}
	}
	return costOther
}

// key is where a letter is on most keyboards: column, in halves of a key, and row.
func key(r rune) (int, int) {
	for y, row := range [...]string{"qwertyuiop", "asdfghjkl", "zxcvbnm"} {
		if x := strings.IndexRune(row, r); x >= 0 {
			return 2*x + y, y
		}
	}
	return -1, -1
}

// frequency is the logarithm of a count in eighths of a bit.
func frequency(count uint32) int {
	n := bits.Len32(count)
	if n == 0 {
		return 0
	}
	return (n-1)<<3 | int(uint64(count)<<3>>(n-1))&7
}
