package lexicon

import "strings"

// Names are spelled by their sound in every script of the region, so a word that no dictionary has can still be found in
// another script: both spellings are brought to rough sounds and compared. Consonants carry a name; vowels, breath and
// the r that many accents drop count little.
//
// The sounds: P b f p ph · V v w · K c g k q · T d t th · S ch j s sh z · G ng · N · M · L · R · H · Y · vowels a e i o u.

const maxSounds = 24

// Sounds of a word in Latin, Thai, Lao, Khmer, Burmese or Tamil script, at most maxSounds; none for other scripts.
func Sounds(dst []byte, word string) []byte {
	if word == "" {
		return dst
	}
	if word[0] < 0x80 || word[0] == 0xc3 {
		return latinSounds(dst, strings.ToLower(word))
	}
	return abugidaSounds(dst, word)
}

func push(dst []byte, start int, s byte) []byte {
	if n := len(dst); n-start >= maxSounds || n > start && dst[n-1] == s {
		return dst // a doubled letter sounds once
	}
	return append(dst, s)
}

func isVowel(c byte) bool {
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'
}

//nolint:gochecknoglobals // a table
var latinPlain = [26]byte{
	'a', 'P', 'K', 'T', 'e', 'P', 'K', 'H', 'i', 'S', 'K', 'L', 'M', 'N', 'o', 'P', 'K', 'R', 'S', 'T', 'u', 'V', 'V', 'K', 'Y', 'S',
}

// latinSounds reads spelling as English and the names in English texts have it.
func latinSounds(dst []byte, w string) []byte {
	start := len(dst)
	at := func(i int) byte {
		if i < len(w) && i >= 0 {
			return w[i]
		}
		return 0
	}
	vowel := func(c byte) bool { return isVowel(c) || c == 'y' }
	for i := 0; i < len(w); i++ {
		c, next := w[i], at(i+1)
		if c < 'a' || c > 'z' {
			continue
		}
		out := latinPlain[c-'a']
		switch {
		case c == 't' && strings.HasPrefix(w[i:], "tion"):
			dst = push(push(push(dst, start, 'S'), start, 'a'), start, 'N')
			i += 3
			continue
		case c == 's' && strings.HasPrefix(w[i:], "sch"), c == 't' && strings.HasPrefix(w[i:], "tch"):
			out = 'S'
			i += 2
		case next == 'h' && (c == 'c' || c == 's' || c == 'z'):
			out = 'S'
			i++
		case next == 'h' && (c == 'p' || c == 't' || c == 'k' || c == 'b' || c == 'd' || c == 'r'):
			i++
		case c == 'g' && next == 'h':
			i++
			if i+1 >= len(w) || !vowel(at(i+1)) {
				continue
			}
		case c == 'c' && (next == 'e' || next == 'i' || next == 'y'):
			out = 'S'
		case c == 'g' && (next == 'e' || next == 'i' || next == 'y'):
			out = 'J' // one of S and K
		case c == 'n' && next == 'g':
			out = 'G'
			if !vowel(at(i + 2)) {
				i++
			}
		case c == 'x':
			if i > 0 {
				dst = push(dst, start, 'K')
			}
			out = 'S'
		case c == 'k' && next == 'n' && i == 0, c == 'w' && next == 'r' && i == 0:
			continue
		case c == 'y' && !vowel(next):
			out = 'i'
		case c == 'e' && i == len(w)-1 && i > 2 && !vowel(at(i-1)):
			continue
		case c == 'h' && i > 0 && !vowel(next):
			continue
		case c == 'w' && i > 0 && !vowel(next):
			continue
		}
		dst = push(dst, start, out)
	}
	return dst
}

// abugidaLetters gives the sound of every letter and sign that has one; a letter that is only a seat for vowels has '-',
// a sign that takes the inherent vowel away has '^'.
//
//nolint:gochecknoglobals // a table
var abugidaLetters = func() map[rune]byte {
	m := map[rune]byte{}
	for sound, letters := range map[byte]string{
		'K': "กขฃคฅฆ" + "ກຂຄ" + "កខគឃ" + "ကခဂဃ" + "க",
		'G': "ง" + "ງ" + "ង" + "င" + "ங",
		'S': "จฉชซฌศษส" + "ຈສຊ" + "ចឆជឈសឝឞ" + "စဆဇဈ" + "சஜஷஸஶ",
		'T': "ฎฏฐฑฒดตถทธ" + "ດຕຖທ" + "ដឋឌឍតថទធ" + "ဋဌဍဎတထဒဓ" + "டத",
		'Z': "သ", // th, and s in names
		'N': "ญณน" + "ນໜຍ" + "ញណន" + "ဉညဏန" + "ஞணநன",
		'P': "บปผฝพฟภ" + "ບປຜຝພຟ" + "បផពភ" + "ပဖဗဘ" + "ப",
		'M': "ม" + "ມໝ" + "មំ" + "မ" + "ம",
		'Y': "ย" + "ຢຽ" + "យ" + "ယျ" + "ய",
		'R': "รฤ" + "ຣ" + "រ" + "ရြ" + "ரற",
		'L': "ลฬ" + "ລຼ" + "លឡ" + "လဠ" + "லளழ",
		'V': "ว" + "ວ" + "វ" + "ဝွ" + "வ",
		'H': "หฮ" + "ຫຮ" + "ហ" + "ဟှ" + "ஹ",
		'-': "อ" + "ອ" + "អ" + "အ",
		'a': "ะาำัๅ" + "ະາຳັ" + "ាៈះ" + "ာါ" + "அஆா",
		'i': "ิีึื" + "ິີຶື" + "ិីឹឺៀ" + "ိီဣဤ" + "இஈிீ",
		'u': "ุู" + "ຸູ" + "ុូួ" + "ုူဥဦ" + "உஊுூ",
		'e': "เแ" + "ເແ" + "េែើឿ" + "ေဲဧ" + "எஏஐெேை",
		'o': "โไใ" + "ໂໄໃໍົ" + "ោៅៃ" + "ဩဪ" + "ஒஓஔொோௌ",
		'^': "\u17d2\u1039\u103a\u0bcd\u0e4c\u0ecc\u17cd",
	} {
		for _, r := range letters {
			m[r] = sound
		}
	}
	m['ံ'] = 'N'
	return m
}()

func abugidaSounds(dst []byte, w string) []byte {
	start := len(dst)
	lead := byte(0) // Thai and Lao write some vowels before the consonant that they follow
	for _, r := range w {
		s := abugidaLetters[r]
		n := len(dst)
		switch {
		case s == 0 || s == '^':
			continue
		case s == '-':
			if lead != 0 {
				dst = push(dst, start, lead)
				lead = 0
			}
			continue
		case isVowel(s):
			if r >= 'เ' && r <= 'ไ' || r >= 'ເ' && r <= 'ໄ' {
				lead = s
				continue
			}
			if n > start && isVowel(dst[n-1]) {
				continue // a vowel written with two signs
			}
			dst = push(dst, start, s)
			continue
		}
		if n > start && joined(dst, r) {
			continue
		}
		dst = push(dst, start, s)
		if lead != 0 {
			dst = push(dst, start, lead)
			lead = 0
		}
	}
	return dst
}

// joined changes the last sound where a letter and the one before it make one: ky and gy sound as ch and j, hv as f.
func joined(dst []byte, r rune) bool {
	last := &dst[len(dst)-1]
	switch {
	case (r == 'ျ' || r == 'ြ') && *last == 'K':
		*last = 'S'
	case r == 'ှ':
		if *last == 'R' || *last == 'Y' || *last == 'L' {
			*last = 'S'
		}
	case r == 'វ' && *last == 'H':
		*last = 'P'
	default:
		return false
	}
	return true
}

// weak sounds come and go between scripts.
func dropCost(s byte) int {
	switch s {
	case 'a', 'e', 'i', 'o', 'u':
		return 2
	case 'H', 'Y':
		return 4
	case 'V', 'R', 'G':
		return 6
	}
	return 10
}

func swapCost(a, b byte) int {
	if a == b {
		return 0
	}
	if a > b {
		a, b = b, a
	}
	if isVowel(a) && isVowel(b) {
		return 2
	}
	if isVowel(b) {
		if b == 'i' && a == 'Y' || (b == 'u' || b == 'o') && a == 'V' {
			return 2
		}
		return dropCost(a) + dropCost(b)
	}
	switch [2]byte{a, b} {
	case [2]byte{'J', 'S'}, [2]byte{'J', 'K'}, [2]byte{'G', 'N'}, [2]byte{'S', 'Z'}, [2]byte{'T', 'Z'}, [2]byte{'J', 'Y'}:
		return 2
	case [2]byte{'L', 'R'}, [2]byte{'R', 'Y'}, [2]byte{'H', 'J'}:
		return 4
	case [2]byte{'P', 'V'}, [2]byte{'M', 'N'}, [2]byte{'H', 'K'}, [2]byte{'N', 'Y'}, [2]byte{'S', 'T'}, [2]byte{'K', 'S'}, [2]byte{'H', 'R'}:
		return 6
	}
	return 10
}

// Alike compares two rows of sounds: 1 for the same, 0 and less for strangers.
func Alike(a, b []byte) float64 {
	var row [maxSounds + 1]int
	a, b = a[:min(len(a), maxSounds)], b[:min(len(b), maxSounds)]
	for j, s := range b {
		row[j+1] = row[j] + dropCost(s)
	}
	weight := row[len(b)]
	for _, s := range a {
		drop := dropCost(s)
		weight += drop
		diagonal := row[0]
		row[0] += drop
		for j, t := range b {
			best := min(diagonal+swapCost(s, t), row[j+1]+drop, row[j]+dropCost(t))
			diagonal, row[j+1] = row[j+1], best
		}
	}
	if weight == 0 {
		return 0
	}
	return 1 - 2*float64(row[len(b)])/float64(weight)
}
