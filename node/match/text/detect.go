package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Guess is a language that a text may be written in.
type Guess struct {
	Lang   string  // primary subtag; "" where nothing is known
	Script string  // ISO 15924
	Sure   float64 // 0 to 1
}

// maxGuessed bounds the bytes that a guess looks at.
const maxGuessed = 4096

// Detect says which language a text is in. A declared language can be wrong: it decides only where the text leaves it
// open, and where the text is in a language that is not known here.
func Detect(normalised, declared string) Guess {
	declared, _, _ = strings.Cut(strings.ToLower(declared), "-")
	switch declared {
	case "tl":
		declared = "fil"
	case "zsm":
		declared = "ms"
	}
	g := Guesses(normalised)
	if len(g) == 0 {
		return Guess{Lang: declared, Script: "Zyyy"}
	}
	best := g[0]
	if declared == "" || declared == best.Lang {
		if declared != "" {
			best.Sure = min(1, best.Sure+float64(0.3*(1-best.Sure)))
		}
		return best
	}
	if best.Script != "Latn" {
		if best.Lang == "" || othersToo(best.Script, declared) {
			return Guess{Lang: declared, Script: best.Script, Sure: 0.5}
		}
		return best
	}
	if latinLanguage(declared) == other || latinLanguage(declared) == english && declared != "en" {
		// A language unknown here, or one of another script.
		if latinLanguage(declared) == other && (best.Sure < 0.9 || best.Lang != "en") { // Javanese looks like Indonesian
			return Guess{Lang: declared, Script: best.Script, Sure: 0.5}
		}
		return best
	}
	sure := best.Sure
	for _, o := range g[1:] {
		if best.Lang == "id" && o.Lang == "ms" || best.Lang == "ms" && o.Lang == "id" { // one of both it is
			sure += o.Sure
		}
		if o.Lang == declared && 3*o.Sure > best.Sure {
			o.Sure = max(o.Sure, 0.5)
			return o
		}
	}
	if sure < 0.5 {
		return Guess{Lang: declared, Script: best.Script, Sure: 0.4}
	}
	return best
}

// othersToo reports languages that are written in a script beside the one that a guess takes for it.
func othersToo(script, lang string) bool {
	switch script {
	case "Mymr":
		return lang == "shn" || lang == "mnw" || lang == "ksw" || lang == "pwo" || lang == "kac"
	case "Hani":
		return lang == "ja" || lang == "yue" || lang == "wuu" || lang == "nan"
	case "Thai":
		return lang == "nod" || lang == "mfa" || lang == "sou" || lang == "tts"
	case "Khmr":
		return lang == "cmo" || lang == "kdt"
	}
	return false
}

// Guesses are the plausible languages of a text, best first, at most 3.
func Guesses(normalised string) []Guess {
	if len(normalised) > maxGuessed {
		normalised = normalised[:maxGuessed]
	}
	script, share := scriptOf(normalised)
	switch script {
	case "Latn":
		return guessLatin(normalised)
	case "Thai":
		return []Guess{{"th", script, share}}
	case "Laoo":
		return []Guess{{"lo", script, share}}
	case "Khmr":
		return []Guess{{"km", script, share}}
	case "Mymr":
		return []Guess{{"my", script, share}}
	case "Taml":
		return []Guess{{"ta", script, share}}
	case "Hani":
		return []Guess{{"zh", script, share}}
	case "Jpan":
		return []Guess{{"ja", script, share}}
	case "Kore":
		return []Guess{{"ko", script, share}}
	case "":
		return nil
	}
	return []Guess{{"", script, share}}
}

// scriptOf is the script of a text's letters, and how sure that is. Texts of the region borrow Latin words by the dozen,
// not the other way round: a third is enough for another script.
func scriptOf(s string) (script string, share float64) {
	const latin = 0
	names := [...]string{"Latn", "Thai", "Laoo", "Khmr", "Mymr", "Taml", "Hani", "Jpan", "Kore", "Cyrl", "Arab", "Zzzz"}
	var counts [len(names)]int
	total := 0
	for _, r := range s {
		at := -1
		switch kindOf(r) {
		case latinLetter:
			at = latin
		case thaiLetter:
			at = 1
		case laoLetter:
			at = 2
		case khmerLetters:
			at = 3
		case myanmarLetters:
			at = 4
		case tamilLetter:
			at = 5
		case hanLetter:
			at = 6
		case otherLetter:
			switch {
			case r >= 0x3040 && r <= 0x30ff:
				at = 7
			case r >= 0xac00 && r <= 0xd7a3:
				at = 8
			case unicode.Is(unicode.Cyrillic, r):
				at = 9
			case unicode.Is(unicode.Arabic, r):
				at = 10
			case unicode.IsLetter(r) && !unicode.Is(unicode.Greek, r): // Greek letters are symbols
				at = 11
			}
		}
		if at < 0 {
			continue
		}
		weight := 1
		if at == 6 {
			weight = 2 // a character is a syllable
		}
		counts[at] += weight
		total += weight
	}
	if total == 0 {
		return "", 0
	}
	if 10*counts[7] > counts[6] && counts[7] > 0 { // kana among the characters
		counts[7] += counts[6]
		counts[6] = 0
	}
	best := latin + 1
	for i := range counts {
		if i != latin && counts[i] > counts[best] {
			best = i
		}
	}
	if 3*counts[best] < total && counts[latin] > 0 {
		return names[latin], float64(counts[latin]) / float64(total)
	}
	return names[best], min(1, 0.6+float64(float64(counts[best])/float64(2*total)))
}

// latinGuess are the languages that are told apart by words and endings.
const latinGuess = int(tetum) + 1

// A guess looks at some words, and at more until one language is far ahead.
const (
	enoughWords = 24
	mostWords   = 240
	farAhead    = 8
)

// ahead is by how much the best language leads.
func ahead(score *[latinGuess]float64) float64 {
	first, second := 0.0, 0.0
	for _, s := range score {
		if s > first {
			first, second = s, first
		} else if s > second {
			second = s
		}
	}
	return first - second
}

// guessLatin weighs what each language is known by: the words that bind its sentences, its letters, and how its words begin
// and end.
func guessLatin(s string) []Guess {
	var score [latinGuess]float64
	low := lower(s)
	words := 0
	binding, telling, forms := functionWords(), tellingWords(), shapes()
	for i := 0; i < len(low); {
		ch, n := utf8.DecodeRuneInString(low[i:])
		if kindOf(ch) != latinLetter {
			i += n
			continue
		}
		end := i + n
		for end < len(low) {
			ch, n := utf8.DecodeRuneInString(low[end:])
			if k := apostrophe(low[end:]); k > 0 {
				end += k
				continue
			}
			if kindOf(ch) != latinLetter && (ch < 0x300 || ch > 0x36f) {
				break
			}
			end += n
		}
		weigh(&score, low[i:end], binding, telling, forms)
		words++
		i = end
		if words%enoughWords == 0 && ahead(&score) >= farAhead || words == mostWords {
			break
		}
	}
	if words == 0 {
		return nil
	}
	// What nothing speaks for is likeliest English, the language of names and borrowed words.
	score[english] += 0.5
	best := slices.Max(score[:])
	var weight [latinGuess]float64
	total := 0.0
	for l := range score {
		behind := 1 + best - score[l]
		weight[l] = 1 / float64(behind*behind*behind)
		total += weight[l]
	}
	all := make([]Guess, 0, latinGuess)
	for l := range score {
		tag, _ := language(l).tag()
		all = append(all, Guess{tag, "Latn", weight[l] / total * float64(words) / (float64(words) + 0.5)})
	}
	slices.SortStableFunc(all, func(a, b Guess) int {
		switch {
		case a.Sure > b.Sure:
			return -1
		case a.Sure < b.Sure:
			return 1
		}
		return 0
	})
	n := 1
	for n < 3 && all[n].Sure > 0.03*all[0].Sure {
		n++
	}
	return all[:n]
}

// weigh adds what a word says for each language.
func weigh(score *[latinGuess]float64, w string, binding, telling map[string]uint16, forms *shapeTable) {
	if of := binding[w]; of != 0 {
		shared := 0
		for l := range latinGuess {
			shared += int(of >> l & 1)
		}
		weight := 2.0 / float64(shared)
		if of == 1<<indonesian|1<<malay {
			weight = 2 // told apart by other words
		}
		for l := range latinGuess {
			if of>>l&1 != 0 {
				score[l] += weight
			}
		}
	}
	if of := telling[w]; of != 0 {
		for l := range latinGuess {
			if of>>l&1 != 0 {
				score[l] += 2
			}
		}
	}
	if !isASCIILetters(w) {
		weighLetters(score, w)
	}
	if len(w) < 4 {
		return
	}
	for _, e := range forms.begin[w[0]] {
		if strings.HasPrefix(w, e.part) {
			score[e.lang] += e.weight
		}
	}
	for _, e := range forms.end[w[len(w)-1]] {
		if strings.HasSuffix(w, e.part) {
			score[e.lang] += e.weight
		}
	}
}

// weighLetters weighs letters with signs, and glottal stops.
func weighLetters(score *[latinGuess]float64, w string) {
	for _, r := range w {
		switch {
		case r >= 0x1ea0 && r < 0x1efa, r == 'đ', r == 'ơ', r == 'ư', r == 'ă':
			score[vietnamese] += 2
		case r == 'à', r == 'ì', r == 'ò', r == 'ù', r == 'è', r == 'ĩ', r == 'ũ', r == 'ý':
			score[vietnamese]++
		case r == 'ã', r == 'õ', r == 'â', r == 'ê', r == 'ô':
			score[vietnamese] += 0.5
			score[portuguese] += 0.5
		case r == 'ç':
			score[portuguese] += 1.5
		case r == 'á', r == 'é', r == 'í', r == 'ó', r == 'ú':
			score[portuguese] += 0.4
			score[tetum] += 0.4
			score[vietnamese] += 0.4
		case r == '\'' || r == '\u2019' || r == '\u02bc':
			score[tetum] += 0.4
		case r == 'ñ':
			score[filipino] += 0.3
			score[tetum] += 0.5
		}
	}
}
