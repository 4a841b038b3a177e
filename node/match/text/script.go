package text

import "unicode"

// ScriptLanguage is the language of the region that is written in a character's script, "" for the Latin script and others
// that several languages share.
func ScriptLanguage(r rune) string {
	switch {
	case r < 0x0b80:
		return ""
	case unicode.Is(unicode.Thai, r):
		return "th"
	case unicode.Is(unicode.Lao, r):
		return "lo"
	case unicode.Is(unicode.Khmer, r):
		return "km"
	case unicode.Is(unicode.Myanmar, r):
		return "my"
	case unicode.Is(unicode.Han, r):
		return "zh"
	case unicode.Is(unicode.Tamil, r):
		return "ta"
	}
	return ""
}
