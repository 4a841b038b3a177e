package lexicon

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What can be concluded from the words that were read, before a pack is written.

// dropCompounds takes headwords away that have no translation and consist of headwords that do: their parts say more.
// The other headwords without translation stay, for they keep a text from being cut wrongly. It returns how many went.
func (b *Builder) dropCompounds() int {
	dropped := 0
	for lang := range b.heads {
		if !unspaced(lang) {
			continue
		}
		words := b.heads[lang]
		known := func(w string) bool { return len(words[w]) > 0 }
		var gone []string
		for w, m := range words {
			if len(m) == 0 && covered(w, lang, known) {
				gone = append(gone, w)
			}
		}
		for _, w := range gone {
			delete(words, w)
		}
		dropped += len(gone)
		b.size -= len(gone)
	}
	return dropped
}

const longestCompound = 16 // clusters

// unspaced says of a language that its words stand without spaces between them.
func unspaced(lang string) bool {
	return lang == "th" || lang == "lo" || lang == "km" || lang == "my" || lang == "zh"
}

// covered says whether a word consists of two or more known ones.
func covered(w, lang string, known func(string) bool) bool {
	ends := clusterEnds(w, lang)
	n := len(ends) - 1
	if n < 2 || n > longestCompound {
		return false
	}
	var reach [longestCompound + 1]bool
	reach[0] = true
	for i := range n {
		for j := i + 1; reach[i] && j <= n; j++ {
			part := w[ends[i]:ends[j]]
			if part != w && known(part) && (lang == "zh" || utf8.RuneCountInString(part) > 1) {
				reach[j] = true
			}
		}
	}
	return reach[n]
}

// clusterEnds are the places of a word in a script without spaces at which another word could begin.
func clusterEnds(w, lang string) []int {
	ends := make([]int, 1, 16)
	runes := []rune(w)
	at := 0
	for i, r := range runes {
		if i > 0 && startsCluster(runes, i, lang) {
			ends = append(ends, at)
		}
		at += utf8.RuneLen(r)
	}
	return append(ends, at)
}

func startsCluster(r []rune, i int, lang string) bool {
	c, before := r[i], r[i-1]
	switch lang {
	case "zh":
		return true
	case "my":
		if before == 0x1039 || unicode.In(c, unicode.Mn, unicode.Mc) {
			return false
		}
		for _, next := range r[i+1:] { // a consonant that is killed or has another below it ends the syllable before
			switch next {
			case 0x103a, 0x1039:
				return false
			case 0x1037, 0x1038:
				continue
			}
			break
		}
		return true
	}
	return before != 0x17d2 && !strings.ContainsRune("เแโใไເແໂໃໄ", before) &&
		!unicode.In(c, unicode.Mn, unicode.Mc) && !strings.ContainsRune("ะาำๅະາຳຽ", c)
}

// laoFromThai adds to Lao headwords without a translation those of the Thai words that are spelled alike. Lao writes the
// words that both languages share by their sound, so both spellings are brought to one.
func (b *Builder) laoFromThai(source string) int {
	thai := map[string][]string{}
	for w, m := range b.heads["th"] {
		if len(m) == 0 {
			continue
		}
		for _, form := range []string{w, strings.Replace(w, "ร", "ฮ", 1)} { // r became h in old words of Lao
			if key := laoKey(form); utf8.RuneCountInString(key) > 1 && !slices.Contains(thai[key], w) {
				thai[key] = append(thai[key], w)
			}
		}
	}
	added := 0
	for w, m := range b.heads["lo"] {
		if len(m) > 0 {
			continue
		}
		for _, t := range thai[laoKey(w)] {
			for gloss, mean := range b.heads["th"][t] {
				now := m[gloss]
				now.weight += max(1, mean.weight/2)
				now.source = source
				m[gloss] = now
				added++
			}
		}
	}
	return added
}

// laoOf maps Thai letters to the Lao letter that has their sound; letters of both scripts stand at equal places of their
// blocks, but for those that Lao has given up.
//
//nolint:gochecknoglobals // a table
var laoOf = map[rune]rune{
	'ฃ': 'ຂ', 'ฅ': 'ຄ', 'ฆ': 'ຄ', 'ฉ': 'ສ', 'ฌ': 'ຊ', 'ญ': 'ຍ', 'ฎ': 'ດ', 'ฏ': 'ຕ', 'ฐ': 'ຖ', 'ฑ': 'ທ', 'ฒ': 'ທ', 'ณ': 'ນ',
	'ธ': 'ທ', 'ภ': 'ພ', 'ศ': 'ສ', 'ษ': 'ສ', 'ฬ': 'ລ', 'ฤ': 'ລ', 'ช': 'ຊ', 'ซ': 'ຊ', 'ย': 'ຍ', 'จ': 'ຈ', 'ๅ': 'າ', 'ฦ': 'ລ', '็': 'ັ',
	'ໃ': 'ໄ', 'ใ': 'ໄ', 'ຢ': 'ຍ', 'ຽ': 'ຍ', 'ຼ': 'ລ', 'ຣ': 'ລ', 'ร': 'ລ',
}

// laoFinal makes letters alike that end a syllable alike.
//
//nolint:gochecknoglobals // a table
var laoFinal = map[rune]rune{
	'ຈ': 'ດ', 'ສ': 'ດ', 'ຊ': 'ດ', 'ຕ': 'ດ', 'ຖ': 'ດ', 'ທ': 'ດ', 'ຂ': 'ກ', 'ຄ': 'ກ', 'ປ': 'ບ', 'ພ': 'ບ', 'ຟ': 'ບ', 'ລ': 'ນ',
}

//nolint:gochecknoglobals // a table
var laoSpelling = strings.NewReplacer("รร", "ั", "ำ", "ัม", "ຳ", "ັມ", "ໜ", "ຫນ", "ໝ", "ຫມ")

// laoKey is a word in either script without tone marks, spelled as roughly as both have in common.
func laoKey(w string) string {
	out := make([]rune, 0, 32)
	runes := []rune(laoSpelling.Replace(w))
	for i, r := range runes {
		if i+1 < len(runes) && (runes[i+1] == '์' || runes[i+1] == '໌') {
			continue
		}
		if to, ok := laoOf[r]; ok {
			r = to
		} else if r >= 'ก' && r <= '๛' {
			r += 0x80
		}
		if r >= '່' && r <= '໌' || r == '\u0eba' {
			continue
		}
		out = append(out, r)
	}
	return laoVowels(laoConsonants(out))
}

func laoConsonant(r rune) bool { return r >= 'ກ' && r <= 'ຮ' }

func laoLeads(r rune) bool { return r >= 'ເ' && r <= 'ໄ' }

// laoConsonants drops the second consonant of clusters, which Lao does not write, and makes final letters alike.
func laoConsonants(r []rune) []rune {
	out := make([]rune, 0, len(r))
	for i, c := range r {
		before, next := rune(0), rune(0)
		if i > 0 {
			before = r[i-1]
		}
		if i+1 < len(r) {
			next = r[i+1]
		}
		switch {
		case c == 'ລ' && laoConsonant(before) && before != 'ຫ' && before != 'ລ' && next != 0 && !laoConsonant(next) && !laoLeads(next):
			continue // pr, kl, tr: the cluster's second letter
		case c == 'ຫ' && strings.ContainsRune("ນມລງຍວ", next) && next != 0:
			continue // h that raises the tone
		}
		if final, ok := laoFinal[c]; ok && i > 0 && !laoLeads(before) && (next == 0 || laoLeads(next) || laoConsonant(next) && !laoConsonant(before)) {
			c = final
		}
		out = append(out, c)
	}
	return out
}

// laoVowels drops the vowels that Thai leaves to the reader, and makes alike what both spell differently.
func laoVowels(r []rune) string {
	var out strings.Builder
	for i, c := range r {
		next := rune(0)
		if i+1 < len(r) {
			next = r[i+1]
		}
		switch {
		case c == 'ະ', c == 'ົ', c == 'ໍ', c == 'ັ' && next == 'ວ', c == 'ີ' && next == 'ຍ':
			continue
		case c == 'ຍ' && next == 0 && i > 1 && r[i-2] == 'ໄ':
			continue
		case c == 'ິ' && i > 1 && r[i-2] == 'ເ':
			c = 'ີ'
		case c == 'ຶ':
			c = 'ື'
		case c == 'ເ' && i+3 < len(r) && (r[i+2] == 'ີ' && r[i+3] == 'ຍ') && i+4 < len(r) && laoConsonant(r[i+4]):
			continue
		}
		out.WriteRune(c)
	}
	return out.String()
}
