package ui

import (
	"strings"
	"unicode"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

const (
	teaserLength = 300 // characters
	teaserBefore = 100 // of them before the first word that was looked for, where that stands further on
)

func plain(s string) []match.Piece {
	if s == "" {
		return nil
	}
	return []match.Piece{{Text: s}}
}

// inked are characters, each with whether it was looked for.
type inked struct {
	runes []rune
	hit   []bool
}

// add text, in which every run of white space is one space.
func (t *inked) add(pieces []match.Piece) {
	for _, p := range pieces {
		for _, r := range p.Text {
			if unicode.IsSpace(r) {
				if n := len(t.runes); n == 0 || t.runes[n-1] == ' ' {
					continue
				}
				r = ' '
			}
			t.runes, t.hit = append(t.runes, r), append(t.hit, p.Hit)
		}
	}
}

func (t *inked) trim(cutset string) {
	for n := len(t.runes); n > 0 && strings.ContainsRune(cutset, t.runes[n-1]); n-- {
		t.runes, t.hit = t.runes[:n-1], t.hit[:n-1]
	}
}

func (t *inked) pieces(from, to int) (list []match.Piece) {
	for i := from; i < to; {
		j := i
		for j < to && t.hit[j] == t.hit[i] {
			j++
		}
		list = append(list, match.Piece{Text: string(t.runes[i:j]), Hit: t.hit[i]})
		i = j
	}
	return list
}

// snippet of what a listing says: cut after a word, or, in scripts that write without spaces, between two characters as
// readers see them (Khmer, Burmese, Thai and Lao stack several code points into one).
func snippet(value, abstract []match.Piece) []match.Piece {
	var t inked
	t.add(value)
	if len(t.runes) > 0 && len(abstract) > 0 {
		t.trim(".。 ")
		t.add(plain(". "))
	}
	t.add(abstract)
	t.trim(" ")
	if len(t.runes) <= teaserLength {
		return t.pieces(0, len(t.runes))
	}
	from := t.begin()
	to := t.end(from)
	list := t.pieces(from, to)
	if from > 0 {
		list = append(plain("…"), list...)
	}
	if to < len(t.runes) {
		list = append(list, match.Piece{Text: "…"})
	}
	return list
}

// begin at the beginning, unless what was looked for would not be seen then.
func (t *inked) begin() int {
	first := 0
	for first < len(t.hit) && !t.hit[first] {
		first++
	}
	if first == len(t.hit) || first <= teaserLength-teaserBefore {
		return 0
	}
	from := min(first-teaserBefore, len(t.runes)-teaserLength)
	for i := from; i < min(from+40, first); i++ {
		if t.runes[i] == ' ' {
			return i + 1
		}
	}
	for from > 0 && joined(t.runes[from-1], t.runes[from]) {
		from--
	}
	return from
}

func (t *inked) end(from int) int {
	last := from + teaserLength
	if last >= len(t.runes) {
		return len(t.runes)
	}
	for i := last; i > last-60; i-- {
		if t.runes[i] == ' ' {
			for i > from && strings.ContainsRune(" ,;:.–-", t.runes[i-1]) {
				i--
			}
			return i
		}
	}
	for last > from+1 && joined(t.runes[last-1], t.runes[last]) {
		last--
	}
	return last
}

// joined reports whether b continues the character that a began.
func joined(a, b rune) bool {
	switch {
	case unicode.In(b, unicode.Mn, unicode.Mc, unicode.Me), b == 0x200C, b == 0x200D, b == 0x0E33, b == 0x0EB3:
		return true
	case a == 0x17D2, a == 0x1039, a == 0x0BCD, a == 0x200D: // signs that stack or join what follows
		return true
	}
	return (a >= 0x0E40 && a <= 0x0E44) || (a >= 0x0EC0 && a <= 0x0EC4) // vowels written before their consonant
}

// speech is a stretch of a sentence in one language: Lang is empty where it is the page's.
type speech struct {
	Lang protocol.Lang
	Text string
}

// spoken takes a sentence apart by the languages that its scripts tell, so that each is shaped and read aloud as it should be.
func spoken(s string) (list []speech) {
	from, last := 0, 0 // of the stretch, and where its last character of a script ends
	var lang protocol.Lang
	cut := func(to int) {
		if to > from {
			list = append(list, speech{lang, s[from:to]})
			from = to
		}
	}
	for i, r := range s {
		here := match.ScriptLanguage(r)
		neutral := here == "" && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		switch {
		case neutral:
		case here == lang:
		case lang != "": // what stands between belongs to the page
			cut(last)
			lang = ""
			if here != "" {
				cut(i)
				lang = here
			}
		default:
			cut(i)
			lang = here
		}
		if here != "" {
			last = i + len(string(r))
		}
	}
	if lang != "" {
		cut(last)
		lang = ""
	}
	cut(len(s))
	return list
}
