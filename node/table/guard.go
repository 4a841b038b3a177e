package table

import "strings"

// formula tells whether a spreadsheet may run what stands in a cell. The wide signs are those of East Asian keyboards.
func formula(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return true
	case 0xEF:
		return strings.HasPrefix(s, "＝") || strings.HasPrefix(s, "＋") || strings.HasPrefix(s, "－") || strings.HasPrefix(s, "＠")
	}
	return false
}

// guard puts a ' before what would be run. What begins with such a guard of itself gets one more, so that unguard gives
// back exactly what was there.
func guard(s string) string {
	if formula(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

// guardText is for formats that tell text from formulas: only what unguard would take away is doubled.
func guardText(s string) string {
	if s != "" && s[0] == '\'' {
		return guard(s)
	}
	return s
}

func unguard(s string) string {
	if s != "" && s[0] == '\'' && formula(strings.TrimLeft(s, "'")) {
		return s[1:]
	}
	return s
}
