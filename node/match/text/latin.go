package text

import (
	"strings"
	"unicode/utf8"
)

// span of one word among those that hyphens join.
type span struct {
	start, end int
	digits     bool // has digits
	letters    bool // has letters
	mixed      bool // has a capital after a small letter, or two capitals and a small letter
	capitals   bool // has capitals only
}

// maxParts bounds the words that hyphens make one.
const maxParts = 4

// word scans the letters, digits and marks that begin at i.
func (r *reading) word(i int) span {
	w := span{start: i, capitals: true}
	capitals, small := 0, 0
	for i < len(r.s) {
		c := r.s[i]
		switch {
		case c >= 'a' && c <= 'z':
			small++
			w.capitals = false
			i++
		case c >= 'A' && c <= 'Z':
			capitals++
			w.mixed = w.mixed || small > 0
			i++
		case c >= '0' && c <= '9':
			w.digits = true
			i++
		case c < utf8.RuneSelf:
			w.finish(i, capitals, small)
			return w
		default:
			ch, n := utf8.DecodeRuneInString(r.s[i:])
			mark := ch >= 0x300 && ch < 0x370
			if !mark && kindOf(ch) != latinLetter {
				w.finish(i, capitals, small)
				return w
			}
			if !mark {
				if r.low[i:i+n] == r.s[i:i+n] {
					small++
					w.capitals = false
				} else {
					capitals++
					w.mixed = w.mixed || small > 0
				}
			}
			i += n
		}
	}
	w.finish(i, capitals, small)
	return w
}

func (w *span) finish(end, capitals, small int) {
	w.end = end
	w.letters = capitals+small > 0
	w.capitals = w.capitals && capitals > 1
	w.mixed = w.mixed || capitals > 1 && small > 0
}

// latinWords appends the word at i, with those that hyphens and apostrophes join to it, and returns where they end.
func (r *reading) latinWords(i int) int {
	if c := r.s[i]; c >= '0' && c <= '9' {
		return r.number(i)
	}
	first := r.word(i)
	if first.end == len(r.s) {
		r.single(first)
		return first.end
	}
	switch c := r.s[first.end]; {
	case c == '\'' || c == 0xe2 || c == 0xca:
		if n := apostrophe(r.s[first.end:]); n > 0 {
			return r.apostrophe(first, n)
		}
	case c == '(' && first.start+1 < first.end:
		if end := formula(r.s, first.end); end > 0 {
			first.end, first.digits = end, true
		}
	case c == '-':
	default:
		if r.latin == vietnamese && c == ' ' {
			return r.vietnamese(first)
		}
		r.single(first)
		return first.end
	}
	return r.hyphens(first)
}

// hyphen is the length of a hyphen between words that s begins with, 0 for none.
func hyphen(s string) int {
	n := 0
	switch {
	case strings.HasPrefix(s, "-"):
		n = 1
	case strings.HasPrefix(s, "\u2010"):
		n = 3
	}
	if n == 0 || len(s) == n {
		return 0
	}
	c, _ := utf8.DecodeRuneInString(s[n:])
	if c >= '0' && c <= '9' || kindOf(c) == latinLetter {
		return n
	}
	return 0
}

// apostrophe is the length of an apostrophe before a letter that s begins with, 0 for none.
func apostrophe(s string) int {
	for _, a := range [...]string{"'", "\u2019", "\u02bc"} {
		if rest, ok := strings.CutPrefix(s, a); ok {
			if c, _ := utf8.DecodeRuneInString(rest); kindOf(c) == latinLetter {
				return len(a)
			}
		}
	}
	return 0
}

// formula is the end of "(OH)2" at i, 0 where there is no such thing.
func formula(s string, i int) int {
	end := i + 1
	for end < len(s) && end < i+9 && (isLetter(s[end]) || s[end] >= '0' && s[end] <= '9') {
		end++
	}
	if end == i+1 || end+1 >= len(s) || s[end] != ')' || s[end+1] < '0' || s[end+1] > '9' || s[i+1] < 'A' || s[i+1] > 'Z' {
		return 0
	}
	for end++; end < len(s) && s[end] >= '0' && s[end] <= '9'; end++ {
	}
	if end < len(s) && isLetter(s[end]) {
		return 0
	}
	return end
}

func (r *reading) apostrophe(first span, n int) int {
	second := r.word(first.end + n)
	rest := r.low[second.start:second.end]
	switch r.latin {
	case tetum: // a letter of its own
		for {
			n := apostrophe(r.s[second.end:])
			if n == 0 || second.end > first.start+maxTerm {
				break
			}
			second = r.word(second.end + n)
		}
		first.end = second.end
		return r.hyphens(first)
	case portuguese:
		if first.end == first.start+1 { // d'água
			r.single(second)
			return second.end
		}
	case filipino:
		if rest == "y" || rest == "t" {
			r.single(first)
			return second.end
		}
	case english:
		switch rest {
		case "t":
			if r.low[first.end-1] == 'n' && first.end-1 > first.start {
				r.plain(r.low[first.start:first.end-1], first.start, second.end)
				return second.end
			}
			r.single(first)
			return second.end
		case "s", "re", "ve", "ll", "d", "m":
			r.single(first)
			return second.end
		}
	}
	r.single(first)
	return first.end + n
}

// hyphens appends the words that hyphens join to the first.
func (r *reading) hyphens(first span) int {
	var parts [maxParts]span
	parts[0] = first
	n := 1
	digits := first.digits
	for n < maxParts {
		h := hyphen(r.s[parts[n-1].end:])
		if h == 0 {
			break
		}
		parts[n] = r.word(parts[n-1].end + h)
		digits = digits || parts[n].digits
		n++
	}
	end := parts[n-1].end
	if n == 1 {
		r.single(first)
		return end
	}
	if hyphen(r.s[end:]) == 0 && end-first.start <= maxTerm {
		switch {
		case digits:
			r.named(joined(r.low, parts[:n]), first.start, end)
		case n == 2 && r.compound(parts[0], parts[1]):
			return end
		}
	}
	for _, p := range parts[:n] {
		if p.digits && !p.letters {
			r.number(p.start)
		} else {
			r.single(p)
		}
	}
	return end
}

// joined is a word without its hyphens.
func joined(s string, parts []span) string {
	var b [maxTerm]byte
	at := 0
	for _, p := range parts {
		at += copy(b[at:], s[p.start:p.end])
	}
	return string(b[:at])
}

// compound appends two words that a hyphen joins as one, and reports whether that is all there is to say.
func (r *reading) compound(a, b span) bool {
	first, second, whole := r.low[a.start:a.end], r.low[b.start:b.end], r.low[a.start:b.end]
	switch r.latin {
	case indonesian, malay:
		tag, _ := r.latin.tag()
		switch {
		case r.a.has(tag, whole):
			r.plain(whole, a.start, b.end)
			return true
		case len(first) > 2 && strings.Contains(second, first), len(second) > 2 && strings.Contains(first, second): // doubled
			if len(second) < len(first) {
				first = second
			}
			r.plain(first, a.start, b.end)
			return true
		}
	case filipino:
		switch {
		case first == second:
			r.plain(first, a.start, b.end)
			return true
		case r.a.has("fil", whole), filipinoPrefix(first):
			r.plain(whole, a.start, b.end)
			return true
		}
	case portuguese:
		switch second {
		case "se", "lo", "la", "los", "las", "me", "te", "nos", "lhe", "lhes", "o", "a", "os", "as":
			r.single(a)
			return true
		}
		if r.a.has("pt", whole) {
			r.plain(whole, a.start, b.end)
			return true
		}
	case vietnamese, tetum, other:
		return false
	}
	r.plain(joined(r.low, []span{a, b}), a.start, b.end)
	return false
}

// single appends one word.
func (r *reading) single(w span) {
	low := cut(r.low[w.start:w.end])
	switch {
	case w.digits && w.letters:
		r.named(low, w.start, w.end)
	case w.digits:
		r.number(w.start)
	case w.mixed && len(low) > 1 && low[len(low)-1] == 's' && capitalsBefore(r.s[w.start:w.end]): // LEDs
		r.named(low[:len(low)-1], w.start, w.end)
	case w.mixed, w.capitals && !r.caps && w.end-w.start <= 6 && r.acronym(low):
		r.named(low, w.start, w.end)
	default:
		r.plain(low, w.start, w.end)
	}
}

// acronym reports whether capitals are one, and not a word that is written large.
func (r *reading) acronym(low string) bool {
	if r.latin == english || r.latin == other {
		return r.latin == english && !englishStop(low)
	}
	tag, _ := r.latin.tag()
	return !r.a.has(tag, low) && functionWord(low)&(1<<r.latin) == 0
}

func capitalsBefore(s string) bool {
	for i := range len(s) - 1 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return len(s) > 2
}

// plain appends a word of the text's language.
func (r *reading) plain(low string, start, end int) {
	e := r.a.lookup(r.latin, low)
	if e.dropped {
		return
	}
	tag := e.tag
	if r.latin == other {
		tag = r.tag
	}
	r.out = append(r.out, Token{Term: e.term, Word: e.word, Lang: tag, Start: start, End: end, Kind: e.kind})
}

func (r *reading) named(low string, start, end int) {
	e := r.a.lookup(name, cut(low))
	r.out = append(r.out, Token{Term: e.term, Word: e.word, Lang: e.tag, Start: start, End: end, Kind: Name})
}
