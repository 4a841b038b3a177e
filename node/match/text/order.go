package text

// The order of marks: writers and keyboards type the signs round a letter in any order, and what looks the same must be the
// same.

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// order is the part of Normalise that knows languages. Its argument is composed.
func order(s string) string {
	thai, khmer, myanmar, tones := false, false, false, false
	for _, r := range s {
		switch {
		case r < 'À':
		case r < 0x0e00:
			tones = tones || toneOf(r) != 0
		case r < 0x0f00:
			thai = true
		case r >= 0x1000 && r < 0x10a0:
			myanmar = true
		case r >= 0x1780 && r < 0x1800:
			khmer = true
		case r >= 0x1ea0 && r < 0x1f00:
			tones = true
		}
	}
	if !thai && !khmer && !myanmar && !tones {
		return s
	}
	rs := []rune(s)
	if myanmar {
		if zawgyi(rs) {
			// Its signs come out in an order that NFKC may still change.
			rs = []rune(norm.NFKC.String(string(fromZawgyi(rs))))
		}
		rs = orderMyanmar(rs)
	}
	if thai {
		rs = orderThai(rs)
	}
	if khmer {
		rs = orderKhmer(rs)
	}
	if tones {
		orderTones(rs)
	}
	return string(rs)
}

// maxMarks bounds what is put in order: no syllable has more marks, and longer rows of them are hostile.
const maxMarks = 16

// orderMarks sorts every row of marks, those with a rank above 0, by rank.
func orderMarks(rs []rune, rank func(rune) int) {
	for i := 0; i < len(rs); i++ {
		if rank(rs[i]) == 0 {
			continue
		}
		from := i
		for i < len(rs) && rank(rs[i]) > 0 {
			i++
		}
		if i-from > maxMarks {
			continue
		}
		for j := from + 1; j < i; j++ {
			for k := j; k > from && rank(rs[k]) < rank(rs[k-1]); k-- {
				rs[k], rs[k-1] = rs[k-1], rs[k]
			}
		}
	}
}

// thaiRank keeps to the canonical combining classes where these are not 0, as do all ranks here: NFKC must not undo them.
func thaiRank(r rune) int {
	switch r {
	case 0x0e3a, 0x0eba, 0x0ebc:
		return 1
	case 0x0e31, 0x0e34, 0x0e35, 0x0e36, 0x0e37, 0x0e47, 0x0e4d, 0x0eb1, 0x0eb4, 0x0eb5, 0x0eb6, 0x0eb7, 0x0ebb, 0x0ecd:
		return 2
	case 0x0e38, 0x0e39, 0x0eb8, 0x0eb9:
		return 3
	case 0x0e48, 0x0e49, 0x0e4a, 0x0e4b, 0x0ec8, 0x0ec9, 0x0eca, 0x0ecb:
		return 4
	case 0x0e4c, 0x0e4e, 0x0ecc, 0x0ece:
		return 5
	}
	return 0
}

// orderThai does Thai and Lao, which are encoded alike: Lao stands 0x80 above Thai.
func orderThai(rs []rune) []rune {
	orderMarks(rs, thaiRank)
	out := rs[:0]
	for _, r := range rs {
		n := len(out)
		switch {
		case (r == 0x0e40 || r == 0x0ec0) && n > 0 && out[n-1] == r: // two E for one AE
			out[n-1] = r + 1
			continue
		case r == 0x0e32 || r == 0x0eb2: // nikhahit, tone, AA for tone, AM
			at := n - 1
			for at >= 0 && at > n-3 && thaiRank(out[at]) == 4 {
				at--
			}
			if at >= 0 && out[at] == r+0x1b {
				copy(out[at:], out[at+1:])
				out[n-1] = r + 1
				continue
			}
		}
		out = append(out, r)
	}
	return out
}

const khmerCoeng = 0x17d2

// khmerRank is for the signs after a consonant and what is stacked under it.
func khmerRank(r rune) int {
	switch {
	case r == 0x17c9 || r == 0x17ca || r == 0x17cc:
		return 3
	case r >= 0x17b6 && r <= 0x17c5:
		return 4
	case r == 0x17c6:
		return 5
	case r == 0x17c7 || r == 0x17c8:
		return 6
	case r == 0x17cb || r >= 0x17cd && r <= 0x17d1:
		return 7
	}
	return 0
}

func khmerLetter(r rune) bool { return r >= 0x1780 && r <= 0x17b3 }

// orderKhmer orders stacked consonants and signs, and makes one of what looks the same: stacked DA and TA, and vowels typed
// in two halves.
func orderKhmer(rs []rune) []rune {
	type sign struct {
		rank   int
		letter rune // stacked, or 0
		mark   rune
	}
	out := rs[:0]
	var signs [maxMarks]sign
	for i := 0; i < len(rs); {
		n, from := 0, i
		for ; i < len(rs) && n < maxMarks; n++ {
			if r := rs[i]; r == khmerCoeng && i+1 < len(rs) && khmerLetter(rs[i+1]) {
				s := sign{1, rs[i+1], r}
				switch s.letter {
				case 0x178a:
					s.letter = 0x178f
				case 0x179a:
					s.rank = 2
				}
				signs[n] = s
				i += 2
			} else if k := khmerRank(r); k > 0 {
				signs[n] = sign{k, 0, r}
				i++
			} else {
				break
			}
		}
		if n == 0 || n == maxMarks {
			if n == 0 {
				i++
			}
			out = append(out, rs[from:i]...)
			continue
		}
		for j := 1; j < n; j++ {
			for k := j; k > 0 && signs[k].rank < signs[k-1].rank; k-- {
				signs[k], signs[k-1] = signs[k-1], signs[k]
			}
		}
		for _, s := range signs[:n] {
			last := len(out) - 1
			switch {
			case s.letter != 0:
				out = append(out, s.mark, s.letter)
			case last >= 0 && out[last] == 0x17c1 && s.mark == 0x17b8:
				out[last] = 0x17be
			case last >= 0 && out[last] == 0x17c1 && s.mark == 0x17b6:
				out[last] = 0x17c4
			default:
				out = append(out, s.mark)
			}
		}
	}
	return out
}

func myanmarRank(r rune) int {
	switch {
	case r >= 0x103b && r <= 0x103e: // medials
		return int(r-0x103b) + 1
	case r == 0x1031:
		return 5
	case r == 0x102d || r == 0x102e || r == 0x1032:
		return 6
	case r == 0x102f || r == 0x1030:
		return 7
	case r == 0x102b || r == 0x102c:
		return 8
	case r == 0x1036:
		return 9
	case r == 0x1037:
		return 10
	case r == 0x1038:
		return 11
	}
	return 0
}

func myanmarLetter(r rune) bool { return r >= 0x1000 && r <= 0x102a || r == 0x103f }

// orderMyanmar leaves the killer (U+103A) where it is: a medial after it belongs there. It undoes what hands do: a sign
// typed twice, digits that look like letters, a letter made of two.
func orderMyanmar(rs []rune) []rune {
	orderMarks(rs, myanmarRank)
	digit := func(i int) bool { return i >= 0 && i < len(rs) && rs[i] >= 0x1040 && rs[i] <= 0x1049 }
	written := func(i int) bool { return i >= 0 && i < len(rs) && rs[i] >= 0x1000 && rs[i] < 0x1040 }
	out := rs[:0]
	for i, r := range rs {
		n := len(out)
		switch {
		case n > 0 && out[n-1] == r && (myanmarRank(r) > 0 || r == 0x103a):
			continue
		case r == 0x1030 && n > 0 && out[n-1] == 0x102f: // a vowel typed in both its lengths
			continue
		case r == 0x102e && n > 0 && out[n-1] == 0x102d:
			out[n-1] = r
			continue
		case r == 0x1025 && (i+1 < len(rs) && rs[i+1] == 0x103a || i+2 < len(rs) && rs[i+1] == 0x1037 && rs[i+2] == 0x103a):
			r = 0x1009 // U and NYA look the same
		case n > 1 && out[n-1] == ' ' && (myanmarRank(r) > 0 || r == 0x103a) && out[n-2] >= 0x1000 && out[n-2] < 0x1040:
			out[n-1] = r
			continue
		case r == 0x103a && n > 1 && out[n-1] >= 0x102d && out[n-1] <= 0x1030: // after the vowel it kills nothing
			if !myanmarLetter(out[n-2]) {
				continue
			}
			out[n-1], r = r, out[n-1]
		case r >= 0x103b && r <= 0x103e && n > 0 && out[n-1] == 0x103a && (i+1 == len(rs) || rs[i+1] < 0x102b || rs[i+1] > 0x1032):
			out[n-1], r = r, out[n-1] // before a vowel, the killer comes first
		case r == 0x103b && n > 0 && out[n-1] == 0x1005:
			out[n-1] = 0x1008
			continue
		case r == 0x1040 && !digit(i+1) && (n == 0 || out[n-1] < 0x1040 || out[n-1] > 0x1049) &&
			(written(i+1) || n > 0 && out[n-1] >= 0x1000 && out[n-1] < 0x1040):
			r = 0x101d // a zero for a WA
		case r == 0x1044 && i+3 < len(rs) && rs[i+1] == 0x1004 && rs[i+2] == 0x103a && rs[i+3] == 0x1038 &&
			(n == 0 || out[n-1] < 0x1040 || out[n-1] > 0x1049):
			r = 0x104e // a four for "the said"
		}
		out = append(out, r)
	}
	return out
}

// orderTones writes the tone of Vietnamese oa, oe and uy at the end of a syllable over the first letter.
func orderTones(rs []rune) {
	for i := 1; i < len(rs); i++ {
		tone := toneOf(rs[i])
		if tone == 0 || i+1 < len(rs) && (unicode.IsLetter(rs[i+1]) || unicode.IsMark(rs[i+1])) {
			continue
		}
		bare, upper := unicode.ToLower(rs[i-1]), rs[i-1]
		second := []rune(norm.NFD.String(string(rs[i])))[0]
		switch low := unicode.ToLower(second); {
		case bare == 'o' && (low == 'a' || low == 'e'):
		case bare == 'u' && low == 'y' && (i < 2 || rs[i-2] != 'q' && rs[i-2] != 'Q'):
		default:
			continue
		}
		first := []rune(norm.NFC.String(string([]rune{upper, tone})))
		if len(first) == 1 {
			rs[i-1], rs[i] = first[0], second
		}
	}
}

// toneOf is the combining mark of the tone on an a, e or y, 0 for none.
func toneOf(r rune) rune {
	switch r {
	case 'à', 'è', 'ỳ', 'À', 'È', 'Ỳ':
		return 0x300
	case 'á', 'é', 'ý', 'Á', 'É', 'Ý':
		return 0x301
	case 'ã', 'ẽ', 'ỹ', 'Ã', 'Ẽ', 'Ỹ':
		return 0x303
	case 'ả', 'ẻ', 'ỷ', 'Ả', 'Ẻ', 'Ỷ':
		return 0x309
	case 'ạ', 'ẹ', 'ỵ', 'Ạ', 'Ẹ', 'Ỵ':
		return 0x323
	}
	return 0
}
