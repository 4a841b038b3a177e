package mapping

import (
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
)

// In which language a value is: as the source declares, unless its letters say otherwise. Repositories declare their default
// language of whatever is typed in.

const undeclared = "und"

// langKey is the language of TMH that a tag of the source means, else the tag's first part; "und" where it says nothing.
func langKey(tag string) string {
	switch tag {
	case "":
		return ""
	case anyLang, undeclared, "none", "zxx", "mul", "-":
		return undeclared
	}
	p := strings.ToLower(primary(strings.TrimSpace(tag)))
	switch p { // ISO 639-2 and -3, and what ISO 639-1 once had
	case "eng":
		return "en"
	case "ind", "in":
		return "id"
	case "msa", "may", "zsm":
		return "ms"
	case "tha":
		return "th"
	case "vie":
		return "vi"
	case "tl", "tgl":
		return "fil"
	case "khm":
		return "km"
	case "lao":
		return "lo"
	case "mya", "bur":
		return "my"
	case "zho", "chi", "cmn":
		return "zh"
	case "tam":
		return "ta"
	case "por":
		return "pt"
	}
	return p
}

// speech is the language of a text by its letters and commonest words: "" where they do not tell it, "-" where it is none of TMH.
func speech(s string) string {
	var n [10]int
	const latin, viet, other = 7, 8, 9
	tags := [10]string{"th", "lo", "km", "my", "ta", "zh", "-", "", "vi", "-"}
	seen, kana := 0, 0
	for _, c := range s {
		script := other
		switch {
		case c < 'A', c >= 0x2000 && c < 0x2E80, c == 0xD7, c == 0xF7, c >= 0x300 && c < 0x370, c >= 0xFE00 && c < 0xFE10, c >= 0x1F000 && c < 0x20000:
			continue
		case c < 0x80:
			if !alnum(byte(c)) {
				continue
			}
			script = latin
		case c < 0xC0, c >= 0x370 && c < 0x400: // Greek letters stand in formulas
			continue
		case c >= 0x1EA0 && c <= 0x1EF9, c == 0x1A1, c == 0x1B0, c == 0x111, c == 0x103, c == 0x110:
			script = viet
		case c < 0x250, c >= 0x1E00 && c < 0x1F00:
			script = latin
		case c >= 0xE00 && c < 0xE80:
			script = 0
		case c >= 0xE80 && c < 0xF00:
			script = 1
		case c >= 0x1780 && c < 0x1800:
			script = 2
		case c >= 0x1000 && c < 0x10A0:
			script = 3
		case c >= 0xB80 && c < 0xC00:
			script = 4
		case c >= 0x3400 && c < 0xA000, c >= 0x20000 && c < 0x32000:
			script = 5
		case c >= 0x3040 && c < 0x3100:
			kana++
		}
		n[script]++
		if seen++; seen == 400 {
			break
		}
	}
	if kana > 0 {
		n[5], n[other] = 0, n[5]+n[other]
	}
	best := latin
	for i, count := range n {
		if count > n[best] {
			best = i
		}
	}
	switch {
	case n[viet] > 0 && best == latin && n[viet]*20 >= n[latin]:
		return "vi"
	case best == latin && n[latin] > 20:
		return words(s)
	}
	return tags[best]
}

// words tells the languages of the region that are written like English, where their commonest words stand in the text. Malay
// and Indonesian have them in common: "ms" is only told by what Indonesian does not write.
func words(s string) string {
	if len(s) > 2000 {
		s = s[:2000]
	}
	malay, own, pt, en := 0, 0, 0, 0
	for _, w := range strings.Fields(strings.ToLower(s)) {
		switch strings.Trim(w, ".,;:()") {
		case "dan", "yang", "untuk", "dengan", "pada", "dari", "dalam", "ini":
			malay++
		case "ialah", "adalah", "daripada", "kajian", "oleh":
			own++
		case "para", "com", "uma", "não", "dos", "das", "pelo", "pela", "são":
			pt++
		case "the", "of", "and", "for", "with", "in", "is", "to":
			en++
		}
	}
	switch {
	case malay >= 2 && malay > en && own >= 2 && strings.Contains(s, "daripada"):
		return "ms"
	case malay >= 2 && malay > en:
		return "id"
	case pt >= 2 && pt > en:
		return "pt"
	}
	return ""
}

// tongue of a value: what is declared, what it looks like, else "" for what a neighbour or the rule tells; "-" is none of TMH.
func tongue(declared, s string) string {
	key := langKey(declared)
	look := speech(s)
	switch {
	case look == "-" && (key == "" || key == undeclared):
		return "-"
	case key == "" || key == undeclared:
		return look
	case !codes.Language().Has(key):
		return "-"
	}
	switch look {
	case "th", "lo", "km", "my", "ta", "zh":
		return look // whatever is declared
	}
	return key
}
