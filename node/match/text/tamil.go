package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tamilAt appends the word at i: what the dictionary knows of it once its endings are off, else what is left of it.
func (r *reading) tamilAt(i int) int {
	end := i
	for end < len(r.s) {
		ch, n := utf8.DecodeRuneInString(r.s[end:])
		if kindOf(ch) != tamilLetter {
			break
		}
		end += n
	}
	w := cut(r.s[i:end])
	e := r.a.lookup(tamil, w)
	if e.first == 0 {
		r.out = append(r.out, Token{Term: e.term, Word: e.word, Lang: "ta", Start: i, End: end})
		return end
	}
	r.out = append(r.out, Token{Term: e.term, Word: e.word, Lang: "ta", Start: i, End: i + e.first})
	second := r.a.lookup(tamil, w[e.first:])
	r.out = append(r.out, Token{Term: second.term, Word: second.word, Lang: "ta", Start: i + e.first, End: end})
	return end
}

// maxEndings bounds how many endings are taken off a word, one behind the other.
const maxEndings = 4

// tamilWord returns the word and the term; first is where the second word of a compound begins, 0 for none.
func (a *Analyser) tamilWord(w string) (word, term string, first int) {
	word, bare := a.tamilWhole(w)
	if word != "" {
		return word, word, 0
	}
	return a.tamilBeginning(w, bare)
}

// tamilWhole is the word that a dictionary knows once endings are off, "" for none, and what is left without them.
func (a *Analyser) tamilWhole(w string) (word, bare string) {
	if a.has("ta", w) {
		return w, w
	}
	bare = w
	for range maxEndings {
		next := a.tamilEnding(&word, bare)
		if word != "" || next == bare {
			break
		}
		bare = next
	}
	return word, bare
}

// tamilBeginning is for words that no ending explains: the longest beginning, of half the word or more, that the dictionary
// knows, also as it is written before no vowel; and the second word of a compound, if it knows that too.
func (a *Analyser) tamilBeginning(w, bare string) (word, term string, first int) {
	if a.words == nil {
		return w, bare, 0
	}
	if n := a.words.Longest("ta", w); n >= 9 && n < len(w) && wordBorder(w, n) {
		rest := w[n:]
		for _, link := range [...]string{"க்", "ச்", "த்", "ப்"} { // doubles the letter where words meet
			if r, ok := strings.CutPrefix(rest, link); ok {
				rest = r
			}
		}
		if len(rest) >= 9 {
			second, _ := a.tamilWhole(rest)
			if second != "" {
				return w[:n], w[:n], len(w) - len(rest)
			}
		}
	}
	for n := len(w) - 3; n >= 6 && 2*n >= len(w); n -= 3 { // all letters have three bytes
		if !utf8.RuneStart(w[n]) {
			break
		}
		if wordBorder(w, n) {
			if a.words.Has("ta", w[:n]) {
				return w[:n], w[:n], 0
			}
			continue
		}
		for _, back := range [...]string{"\u0bcd", "\u0bc1"} {
			if f := w[:n] + back; a.words.Has("ta", f) {
				return f, f, 0
			}
		}
	}
	return w, bare, 0
}

// wordBorder reports whether a word can end at n: not between a letter and its vowel.
func wordBorder(w string, n int) bool {
	r, _ := utf8.DecodeRuneInString(w[n:])
	return !unicode.IsMark(r)
}

// tamilEnding takes off the longest ending that fits. It sets word where the dictionary knows what is left, also where
// that ends as it does before no ending.
func (a *Analyser) tamilEnding(word *string, w string) string {
	for _, e := range a.endings {
		rest, ok := strings.CutSuffix(w, e.ending)
		if !ok || len(rest) < 6 { // two letters
			continue
		}
		for _, back := range e.back {
			if f := rest + back; a.has("ta", f) {
				*word = f
				return f
			}
		}
		if f := tamilDoubled(rest); f != "" && len(e.back) > 1 {
			if a.has("ta", f) {
				*word = f
				return f
			}
			if strings.HasSuffix(f, "\u0bc1") {
				return f
			}
		}
		return rest + e.back[0]
	}
	return w
}

// tamilDoubled undoes the doubling of a last letter before an ending, "" where there is none: வீட்ட(ில்), வீடு.
func tamilDoubled(w string) string {
	for _, d := range [...][2]string{{"ட்ட", "டு"}, {"ற்ற", "று"}, {"ல்ல", "ல்"}, {"ள்ள", "ள்"}, {"ன்ன", "ன்"}, {"ண்ண", "ண்"}, {"ய்ய", "ய்"}} {
		if f, ok := strings.CutSuffix(w, d[0]); ok && f != "" {
			return f + d[1]
		}
	}
	return ""
}

type ending struct {
	ending string
	back   []string // what stood there before the ending came
}

// tamilEndings are those of number, case, tense and emphasis, and the letters that words before a hard one take on; the
// longer first.
func tamilEndings() []ending {
	const (
		pulli = "\u0bcd" // silences the vowel
		u     = "\u0bc1"
	)
	list := []ending{
		{"ங்களுக்கான", []string{"ம்"}}, {"ங்களிலிருந்து", []string{"ம்"}}, {"ங்களுக்கு", []string{"ம்"}}, {"ங்களின்", []string{"ம்"}},
		{"ங்களில்", []string{"ம்"}}, {"ங்களால்", []string{"ம்"}}, {"ங்களை", []string{"ம்"}}, {"ங்கள்", []string{"ம்"}},
		{"த்திலிருந்து", []string{"ம்"}}, {"த்திற்கான", []string{"ம்"}}, {"த்திற்கு", []string{"ம்"}}, {"த்துக்கு", []string{"ம்"}},
		{"த்தின்", []string{"ம்"}}, {"த்தில்", []string{"ம்"}}, {"த்தால்", []string{"ம்"}}, {"த்தை", []string{"ம்"}}, {"த்துடன்", []string{"ம்"}},
		{"ிலிருந்து", []string{pulli, u}}, {"களுக்கான", []string{"", u}}, {"களுக்கு", []string{"", u}}, {"களின்", []string{"", u}}, {"களில்", []string{"", u}},
		{"களால்", []string{"", u}}, {"களை", []string{"", u}}, {"களும்", []string{"", u}}, {"க்கள்", []string{"", u}}, {"கள்", []string{"", u}},
		{"வுக்கு", []string{"வு", ""}}, {"ுக்கான", []string{pulli, u}}, {"ுக்கு", []string{pulli, u}}, {"யிலிருந்து", []string{""}},
		{"க்கான", []string{""}}, {"க்கு", []string{""}}, {"ிற்கான", []string{u, pulli}}, {"ிற்கு", []string{u, pulli}},
		{"யின்", []string{""}}, {"யில்", []string{""}}, {"யால்", []string{""}}, {"யை", []string{""}}, {"வை", []string{""}}, {"யும்", []string{""}},
		{"ுடைய", []string{pulli, u}}, {"ுடன்", []string{pulli, u}}, {"ின்", []string{pulli, u}}, {"ில்", []string{pulli, u}},
		{"ால்", []string{pulli, u}}, {"ாக", []string{pulli, u}}, {"ான", []string{pulli, u}}, {"ும்", []string{pulli, u}}, {"ை", []string{pulli, u}},
		// Of verbs, and between words.
		{"க்", []string{""}}, {"ச்", []string{""}}, {"த்", []string{""}}, {"ப்", []string{""}}, {"கிறது", []string{""}},
		{"கின்றன", []string{""}}, {"கின்றது", []string{""}}, {"கிறார்", []string{""}}, {"கிறார்கள்", []string{""}},
		{"கின்றனர்", []string{""}}, {"க்கிறது", []string{""}}, {"க்கின்றன", []string{""}}, {"க்கிறார்", []string{""}},
		{"க்கும்", []string{""}}, {"க்க", []string{""}}, {"க்கப்பட்ட", []string{""}}, {"க்கப்படும்", []string{""}},
		{"க்கப்படுகிறது", []string{""}}, {"க்கப்பட்டுள்ளது", []string{""}}, {"ப்பதற்கு", []string{""}},
		{"ப்பதற்கான", []string{""}}, {"வதற்கு", []string{""}}, {"வதற்கான", []string{""}}, {"ப்பது", []string{""}},
		{"வது", []string{""}}, {"த்தது", []string{""}}, {"த்தார்", []string{""}}, {"த்த", []string{""}},
		{"த்துள்ளது", []string{""}}, {"வில்லை", []string{""}}, {"க்கலாம்", []string{""}}, {"லாம்", []string{""}},
		{"யிலுள்ள", []string{""}},
		{"மான", []string{"ம்", ""}}, {"மாக", []string{"ம்", ""}}, {"த்திலுள்ள", []string{"ம்"}}, {"ிலுள்ள", []string{pulli, u}},
	}
	slices.SortStableFunc(list, func(a, b ending) int { return len(b.ending) - len(a.ending) })
	return list
}
