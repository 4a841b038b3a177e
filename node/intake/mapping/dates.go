package mapping

import (
	"fmt"
	"strings"
	"time"
)

// A date whose order nothing tells is no date: "03/04/2026" stands for two days.

// day reads the date that s begins with. Of a year or month alone it is the first day, or where last is true the last. why is
// "" where it is one.
func day(s string, last bool) (date, why string) {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return "", "is no date"
	}
	if t, _, ok := strings.Cut(s, "T"); ok && len(t) == 10 {
		s = t
	}
	head := s
	if len(s) > 10 && (s[10] == ' ' || s[10] == ',') && digit(s[0]) && strings.Contains(s[10:], ":") { // a time of day
		head = s[:10]
	}
	parts := strings.FieldsFunc(head, func(c rune) bool { return strings.ContainsRune("-/. ,", c) })
	if len(parts) == 1 && len(head) == 8 && digits(head) {
		parts = []string{head[:4], head[4:6], head[6:]}
	}
	var n [3]int
	named := -1
	for i, p := range parts {
		if i > 2 {
			return "", "is no date"
		}
		if n[i] = number(p); n[i] >= 0 {
			continue
		}
		if n[i] = month(p); n[i] == 0 || named >= 0 {
			return "", "is no date"
		}
		named = i
	}
	for i := range parts {
		if n[i] == 0 {
			return "", "is no day of the calendar"
		}
	}
	year := func(i int) bool { return len(parts[i]) == 4 && named != i }
	switch {
	case len(parts) == 1 && year(0):
		return calendar(n[0], 0, 0, last)
	case len(parts) == 2 && year(0):
		return calendar(n[0], n[1], 0, last)
	case len(parts) == 2 && year(1):
		return calendar(n[1], n[0], 0, last)
	case len(parts) != 3:
	case year(0):
		return calendar(n[0], n[1], n[2], last)
	case !year(2):
	case named == 0:
		return calendar(n[2], n[0], n[1], last)
	case named == 1, n[0] > 12, n[0] == n[1], strings.Contains(head, "."): // only the day is written first before a full stop
		return calendar(n[2], n[1], n[0], last)
	case n[1] > 12:
		return calendar(n[2], n[0], n[1], last)
	default:
		return "", "may have the day or the month first: say which with the rule's date, such as DD/MM/YYYY"
	}
	return "", "is no date"
}

// calendar judges a date; month or day 0 is not said. Years of the Buddhist era, as Thailand writes them, become ours.
func calendar(year, month, day int, last bool) (date, why string) {
	if year > 2400 && year < 2700 {
		year -= 543
	}
	from, to := max(month, 1), max(day, 1)
	if last && month == 0 {
		from = 12
	}
	if last && day == 0 {
		to = time.Date(year, time.Month(from)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	}
	t := time.Date(year, time.Month(from), to, 0, 0, 0, 0, time.UTC)
	if year < 1000 || year > 9999 || t.Year() != year || int(t.Month()) != from || t.Day() != to {
		return "", "is no day of the calendar"
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, from, to), ""
}

// parsePattern splits a way to write dates: YYYY, MM or M, MMM for a name, DD or D, and what stands between them.
func parsePattern(s string) ([]string, bool) {
	var all []string
	for i := 0; i < len(s); {
		end := i + 1
		for end < len(s) && s[end] == s[i] && alnum(s[i]) {
			end++
		}
		all = append(all, s[i:end])
		i = end
	}
	seen := map[byte]bool{}
	for _, p := range all {
		switch p {
		case "YYYY", "MMM", "MM", "M", "DD", "D":
			if seen[p[0]] {
				return nil, false
			}
			seen[p[0]] = true
		default:
			if alnum(p[0]) {
				return nil, false
			}
		}
	}
	return all, seen['Y'] && (seen['M'] || !seen['D'])
}

func dayBy(pattern []string, s string, last bool) (date, why string) {
	const other = "is not written as the rule's date says"
	var n [3]int // year, month, day
	s = strings.TrimSpace(s)
	for i, p := range pattern {
		if !alnum(p[0]) {
			rest, ok := strings.CutPrefix(s, p)
			if !ok {
				return "", other
			}
			s = rest
			continue
		}
		end := 0
		for end < len(s) && end < 20 && (digit(s[end]) != (p == "MMM")) && !strings.HasPrefix(s[end:], next(pattern, i)) {
			if p != "MMM" && end == max(len(p), 2) { // "M" takes up to two digits
				break
			}
			end++
		}
		v := number(s[:end])
		if p == "MMM" {
			v = month(s[:end])
		}
		if v <= 0 || (p == "YYYY" && end != 4) {
			return "", other
		}
		n[strings.IndexByte("YMD", p[0])] = v
		s = s[end:]
	}
	if s != "" && s[0] != ' ' && s[0] != 'T' { // a time of day may follow
		return "", other
	}
	return calendar(n[0], n[1], n[2], last)
}

// next is what stands after a part of the pattern; a character that is nowhere where that is no separator.
func next(pattern []string, i int) string {
	if i+1 < len(pattern) && !alnum(pattern[i+1][0]) {
		return pattern[i+1]
	}
	return "\x00"
}

// number is -1 where s is none of at most four digits.
func number(s string) int {
	if s == "" || len(s) > 4 || !digits(s) {
		return -1
	}
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func digits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return s != ""
}

// month by its name in English, Indonesian, Malay, French or Portuguese; 0 for none.
func month(s string) int {
	if s = fold(s); len(s) < 3 {
		return 0
	}
	for i, names := range [12]string{
		"january januari janvier janeiro", "february februari fevrier fevereiro", "march maret mac mars marco", "april avril abril", "may mei mai maio", "june juni jun juin junho",
		"july juli julai juillet julho", "august agustus ogos aout agosto", "september septembre setembro sept", "october oktober octobre outubro", "november novembre novembro nopember", "december desember disember decembre dezembro", //nolint:misspell // French
	} {
		for _, name := range strings.Fields(names) {
			if name == s || (len(s) == 3 && name[:3] == s) {
				return i + 1
			}
		}
	}
	return 0
}
