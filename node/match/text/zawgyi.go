package text

// Much Burmese is still written in Zawgyi, a font's private use of the code points of Unicode: signs stand in the order in
// which they look, and letters of other languages serve as their variants. Nothing in a text says so, but what follows
// what does.

// maxZawgyiLooked bounds the runes that the detection looks at.
const maxZawgyiLooked = 4096

// zawgyi reports whether a text's Burmese is in Zawgyi: whether it has more of what only Zawgyi has than of what only
// Unicode has.
func zawgyi(rs []rune) bool {
	score := 0
	before := rune(0)
	for i, r := range rs[:min(len(rs), maxZawgyiLooked)] {
		after := rune(0)
		if i+1 < len(rs) {
			after = rs[i+1]
		}
		score += zawgyiSign(before, r, after)
		before = r
	}
	return score > 0
}

// zawgyiSign is above 0 for a rune that in its place speaks for Zawgyi, below for Unicode.
func zawgyiSign(before, r, after rune) int {
	switch {
	case r < 0x1000 || r > 0x109f:
		return 0
	case r == 0x1031: // E is written after its consonant in Unicode, before it in Zawgyi
		afterLetter := myanmarLetter(before) || before >= 0x103b && before <= 0x103e
		beforeLetter := beginsZawgyi(after)
		switch {
		case !afterLetter && beforeLetter:
			return 3
		case afterLetter && !beforeLetter:
			return -3
		}
	case r == 0x1033 || r == 0x1034:
		return 1
	case r == 0x1039: // stacks in Unicode, kills the vowel in Zawgyi
		switch {
		case after < 0x1000 || after > 0x1021 && after != 0x103f:
			return 3
		case !myanmarLetter(before):
			return 1
		}
	case r == 0x103a: // kills the vowel in Unicode, YA in Zawgyi
		switch {
		case after >= 0x102b && after <= 0x1032:
			return 2
		case before >= 0x102b && before <= 0x1030, after == 0x1038, after == 0x1039, before == 0x1037:
			return -2
		}
	case r == 0x103b: // YA in Unicode, after its consonant; RA in Zawgyi, before it
		switch {
		case !myanmarLetter(before) && before != 0x103a && myanmarLetter(after):
			return 2
		case myanmarLetter(before) && !myanmarLetter(after):
			return -1
		}
	case r == 0x103e || r == 0x103f:
		return -2
	case r >= 0x1060 && r <= 0x1069, r >= 0x106c && r <= 0x106d, r >= 0x1070 && r <= 0x107c:
		if before < 0x1000 || before > 0x109f {
			return -2 // letters of Karen, Mon and Shan begin words; Zawgyi's stacked ones cannot
		}
		return 1
	case r == 0x108f || r == 0x1090: // letters in Zawgyi, tones and digits of Shan in Unicode
		if after >= 0x102b && after <= 0x103e || after >= 0x1087 && after <= 0x108a {
			return 2
		}
	case r == 0x106a || r == 0x106b, r >= 0x107e && r <= 0x1084:
		return 1
	}
	return 0
}

// beginsZawgyi reports what can follow an E in Zawgyi: a letter, or RA, which stands before its letter too.
func beginsZawgyi(r rune) bool {
	switch {
	case myanmarLetter(r), r == 0x103b, r == 0x1040, r >= 0x107e && r <= 0x1084,
		r == 0x106a, r == 0x106b, r == 0x106e, r == 0x106f, r == 0x1086, r >= 0x108f && r <= 0x1092, r == 0x1097:
		return true
	}
	return false
}

// fromZawgyi writes what is in Zawgyi in Unicode. The caller puts the signs in order.
func fromZawgyi(rs []rune) []rune {
	var c zawgyiConverter
	c.out = make([]rune, 0, len(rs)+len(rs)/8)
	for i, r := range rs {
		after := rune(0)
		if i+1 < len(rs) {
			after = rs[i+1]
		}
		c.add(r, after)
	}
	c.end()
	return c.out
}

type zawgyiConverter struct {
	out    []rune
	letter int // where in out the syllable's letter stands, -1 for none
	stack  int // where in out its next stacked letter goes
	e, ra  bool
}

// end writes the signs that wait for a letter that did not come.
func (c *zawgyiConverter) end() {
	if c.ra {
		c.out = append(c.out, 0x103c)
	}
	if c.e {
		c.out = append(c.out, 0x1031)
	}
	c.e, c.ra, c.letter, c.stack = false, false, -1, len(c.out)
}

func (c *zawgyiConverter) begin(letters ...rune) {
	e, ra := c.e, c.ra
	c.e, c.ra, c.letter = false, false, len(c.out)
	c.out = append(c.out, letters...)
	c.stack = len(c.out)
	if ra {
		c.out = append(c.out, 0x103c)
	}
	if e {
		c.out = append(c.out, 0x1031)
	}
}

func (c *zawgyiConverter) insert(at int, runes ...rune) {
	n := len(c.out)
	c.out = append(c.out, runes...)
	copy(c.out[at+len(runes):], c.out[at:n])
	copy(c.out[at:], runes)
}

func (c *zawgyiConverter) stacked(letter rune) {
	if c.letter < 0 {
		c.out = append(c.out, 0x1039, letter)
		return
	}
	c.insert(c.stack, 0x1039, letter)
	c.stack += 2
}

// kinzi stands over the letter in print and before it in Unicode.
func (c *zawgyiConverter) kinzi() {
	at := c.letter
	if at < 0 {
		at = len(c.out)
	}
	c.insert(at, 0x1004, 0x103a, 0x1039)
	c.letter, c.stack = at+3, c.stack+3
}

func (c *zawgyiConverter) add(r, after rune) {
	mark := func(signs ...rune) { c.out = append(c.out, signs...) }
	switch {
	case r == 0x104e && after != 0x1004:
		c.end()
		mark(r, 0x1004, 0x103a, 0x1038)
	case r == 0x1031 && c.letter >= 0 && (!c.e && after != 0x1039 && !beginsZawgyi(after) || c.e && myanmarLetter(c.out[len(c.out)-1])):
		mark(r) // typed as in Unicode
	case r == 0x1031:
		c.e = true
	case r == 0x103b, r >= 0x107e && r <= 0x1084:
		if c.letter >= 0 && !c.e && after != 0x1031 && !beginsZawgyi(after) {
			mark(0x103c)
			return
		}
		c.ra = true
	case r == 0x106a:
		c.begin(0x1009)
	case r == 0x106b:
		c.begin(0x100a)
	case r == 0x108f:
		c.begin(0x1014)
	case r == 0x1090:
		c.begin(0x101b)
	case r == 0x1086:
		c.begin(0x103f)
	case r == 0x106e:
		c.begin(0x100d, 0x1039, 0x100d)
	case r == 0x106f:
		c.begin(0x100d, 0x1039, 0x100e)
	case r == 0x1091:
		c.begin(0x100f, 0x1039, 0x100d)
	case r == 0x1092:
		c.begin(0x100b, 0x1039, 0x100c)
	case r == 0x1097:
		c.begin(0x100b, 0x1039, 0x100b)
	case r == 0x1040 && c.e: // a zero for a WA
		c.begin(0x101d)
	case myanmarLetter(r):
		c.begin(r)
	case r == 0x1033:
		mark(0x102f)
	case r == 0x1034:
		mark(0x1030)
	case r == 0x1039:
		mark(0x103a)
	case r == 0x103a || r == 0x107d:
		mark(0x103b)
	case r == 0x103c:
		mark(0x103d)
	case r == 0x103d || r == 0x1087:
		mark(0x103e)
	case r == 0x105a:
		mark(0x102b, 0x103a)
	case r == 0x1088:
		mark(0x103e, 0x102f)
	case r == 0x1089:
		mark(0x103e, 0x1030)
	case r == 0x108a:
		mark(0x103d, 0x103e)
	case r == 0x1064:
		c.kinzi()
	case r == 0x108b:
		c.kinzi()
		mark(0x102d)
	case r == 0x108c:
		c.kinzi()
		mark(0x102e)
	case r == 0x108d:
		c.kinzi()
		mark(0x1036)
	case r == 0x108e:
		mark(0x102d, 0x1036)
	case r == 0x1094 || r == 0x1095:
		mark(0x1037)
	case r == 0x1096:
		c.stacked(0x1010)
		mark(0x103d)
	case stackedOf(r) != 0:
		c.stacked(stackedOf(r))
	case r >= 0x102b && r <= 0x1038:
		mark(r)
	default:
		c.end()
		c.out = append(c.out, r)
	}
}

// stackedOf is the letter of which a sign of Zawgyi is the stacked form, 0 for none.
func stackedOf(r rune) rune {
	switch {
	case r >= 0x1060 && r <= 0x1063:
		return r - 0x1060 + 0x1000
	case r == 0x1065 || r == 0x1066:
		return r - 0x1065 + 0x1005
	case r >= 0x1067 && r <= 0x1069:
		return r - 0x1067 + 0x1006
	case r == 0x106c || r == 0x106d:
		return r - 0x106c + 0x100b
	case r == 0x1070 || r == 0x1071:
		return r - 0x1070 + 0x100f
	case r == 0x1072:
		return 0x1010
	case r == 0x1073 || r == 0x1074:
		return 0x1011
	case r >= 0x1075 && r <= 0x107c:
		return r - 0x1075 + 0x1012
	case r == 0x1085:
		return 0x101c
	case r == 0x1093:
		return 0x1018
	}
	return 0
}
