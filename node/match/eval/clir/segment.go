package clir

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

//nolint:gochecknoglobals // tables
var (
	anyWord = regexp.MustCompile(`\p{L}[\p{L}\p{M}]*|\d[\d.,]*\d|\d`)
	tamil   = regexp.MustCompile(`[\x{0b80}-\x{0bff}]+|[a-z]+|\d[\d.,]*\d|\d`)
	runs    = map[string]*regexp.Regexp{
		"th": regexp.MustCompile(`[\x{0e00}-\x{0e7f}]+|[a-z]+|\d[\d.,]*\d|\d`), "lo": regexp.MustCompile(`[\x{0e80}-\x{0eff}]+|[a-z]+|\d[\d.,]*\d|\d`),
		"km": regexp.MustCompile(`[\x{1780}-\x{17ff}]+|[a-z]+|\d[\d.,]*\d|\d`), "my": regexp.MustCompile(`[\x{1000}-\x{109f}]+|[a-z]+|\d[\d.,]*\d|\d`),
		"zh": regexp.MustCompile(`[\x{4e00}-\x{9fff}]+|[a-z]+|\d[\d.,]*\d|\d`),
	}
)

func (d *Dictionary) has(w string) bool { return d.words[w] != nil }

func (d *Dictionary) segment(text string) []string {
	text = strings.ToLower(text)
	switch d.lang {
	case "th", "lo", "km", "my", "zh":
		return d.continuous(strings.ReplaceAll(norm.NFC.String(text), "\u200b", ""))
	case "vi":
		return d.phrases(anyWord.FindAllString(norm.NFC.String(text), -1))
	case "ta":
		var out []string
		for _, w := range tamil.FindAllString(norm.NFC.String(text), -1) {
			out = append(out, d.prefix(w))
		}
		return out
	}
	var out []string
	for _, w := range latin.FindAllString(norm.NFKC.String(text), -1) {
		bases := filipinoBases
		if d.lang == "id" || d.lang == "ms" {
			bases = malayBases
		}
		if !d.has(w) {
			if i := slices.IndexFunc(bases(w), d.has); i >= 0 {
				w = bases(w)[i]
			}
		}
		out = append(out, w)
	}
	return out
}

// phrases joins up to four syllables.
func (d *Dictionary) phrases(syllables []string) (out []string) {
	for i := 0; i < len(syllables); {
		n := min(4, len(syllables)-i)
		for n > 1 && !d.has(strings.Join(syllables[i:i+n], " ")) {
			n--
		}
		out = append(out, strings.Join(syllables[i:i+n], " "))
		i += n
	}
	return out
}

// prefix finds the longest headword that makes up at least half of a Tamil word.
func (d *Dictionary) prefix(w string) string {
	r := []rune(w)
	if d.has(w) || r[0] < 0xb80 || r[0] > 0xbff {
		return w
	}
	for n := len(r) - 1; n > max(2, len(r)/2); n-- {
		for _, form := range []string{string(r[:n]), string(r[:n]) + "\u0bcd"} {
			if d.has(form) {
				return form
			}
		}
	}
	return string(r[:min(5, len(r))])
}

// continuous cuts writing without spaces: the fewest clusters outside headwords, then the fewest words. What no headword
// covers becomes pairs of neighbours.
func (d *Dictionary) continuous(text string) (out []string) {
	for _, run := range runs[d.lang].FindAllString(text, -1) {
		if run[0] < utf8.RuneSelf {
			out = append(out, run)
			continue
		}
		ends := clusterEnds(run, d.lang)
		type state struct{ unknown, words, from int }
		best := make([]state, len(ends))
		for j := 1; j < len(ends); j++ {
			best[j].unknown = 1 << 30
		}
		for i := range ends[:len(ends)-1] {
			for j := i + 1; j < len(ends) && j <= i+8; j++ {
				w := run[ends[i]:ends[j]]
				s := state{best[i].unknown, best[i].words + 1, i}
				switch {
				case d.has(w) && (d.lang == "zh" || utf8.RuneCountInString(w) > 1):
				case j == i+1:
					s.unknown++
				default:
					continue
				}
				if cmp.Or(cmp.Compare(s.unknown, best[j].unknown), cmp.Compare(s.words, best[j].words)) < 0 {
					best[j] = s
				}
			}
		}
		var words []string
		for k := len(ends) - 1; k > 0; k = best[k].from {
			words = append(words, run[ends[best[k].from]:ends[k]])
		}
		slices.Reverse(words)
		before := ""
		for _, w := range words {
			if d.has(w) {
				out, before = append(out, w), ""
				continue
			}
			if before != "" {
				out = append(out, before+w)
			}
			before = w
		}
	}
	return out
}

const (
	leading   = "เแโใไເແໂໃໄ"
	following = "ะาำๅະາຳຽ"
)

// clusterEnds are the places at which a word can begin or end.
func clusterEnds(run, lang string) []int {
	ends := []int{0}
	r := []rune(run)
	at := 0
	for i, c := range r {
		var starts bool
		switch lang {
		case "zh":
			starts = true
		case "my":
			starts = burmeseStart(r, i)
		default:
			joined := i > 0 && (strings.ContainsRune(leading, r[i-1]) || r[i-1] == 0x17d2)
			starts = !joined && !unicode.In(c, unicode.Mn, unicode.Mc) && !strings.ContainsRune(following, c)
		}
		if starts && i > 0 {
			ends = append(ends, at)
		}
		at += utf8.RuneLen(c)
	}
	return append(ends, at)
}

// burmeseStart: a consonant that no sign stacks or kills begins a syllable, and so does a run of digits.
func burmeseStart(r []rune, i int) bool {
	c := r[i]
	digit := func(c rune) bool { return c >= 0x1040 && c <= 0x1049 }
	switch {
	case digit(c):
		return i == 0 || !digit(r[i-1])
	case c == 0x104a || c == 0x104b:
		return true
	case c >= 0x1000 && c <= 0x1021 || c >= 0x1023 && c <= 0x102a || c == 0x103f || c >= 0x104c && c <= 0x104f:
		stacked := i > 0 && r[i-1] == 0x1039
		killed := i+1 < len(r) && (r[i+1] == 0x103a || r[i+1] == 0x1039)
		return !stacked && !killed
	}
	return i > 0 && (digit(r[i-1]) || r[i-1] == 0x104a || r[i-1] == 0x104b)
}
