package table

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"time"
)

// style is what a cell's format says about its number.
type style struct {
	kind kind
	pad  int // digits that a number of zeros asks for
}

type kind int

const (
	plain kind = iota
	date
	clock // a time of day, without a date
)

// builtIn are the formats that have no code in a workbook.
func builtIn(id int) style {
	switch {
	case id >= 14 && id <= 17, id == 22, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id >= 57 && id <= 58,
		id >= 71 && id <= 74, id == 77, id == 81:
		return style{kind: date}
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id >= 45 && id <= 47, id >= 55 && id <= 56, id >= 75 && id <= 76, id >= 78 && id <= 80:
		return style{kind: clock}
	}
	return style{}
}

// styleOf reads a format's code, of which only the part for positive numbers counts.
func styleOf(code string) style {
	var year, hour, digits, zeros bool
	zeros = code != ""
	code = strings.ToLower(code)
	for i := 0; i < len(code); i++ {
		if code[i] != '0' {
			zeros = false
		}
		switch code[i] {
		case ';':
			i = len(code)
		case '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				return style{}
			}
			i += end + 1
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return style{}
			}
			i += end
		case '\\', '_', '*':
			i++
		case 'g': // General, and the era of a Japanese year
			if strings.HasPrefix(code[i:], "general") {
				return style{}
			}
		case 'y', 'd', 'b':
			year = true
		case 'h', 's':
			hour = true
		case '0', '#', '?':
			digits = true
		}
	}
	switch {
	case zeros:
		return style{pad: len(code)}
	case year:
		return style{kind: date}
	case hour:
		return style{kind: clock}
	case !digits && strings.Contains(code, "mmm"):
		return style{kind: date}
	}
	return style{}
}

// readStyles learns which numbers are dates.
func (s *sheetSource) readStyles(b *book, name string) error {
	e, err := b.open(name, maxSmallPart)
	if e == nil || err != nil {
		return err
	}
	defer e.Close()
	codes := map[int]style{}
	in := ""
	s.styles = []style{}
	return e.each(func(el xml.StartElement) error {
		switch el.Name.Local {
		case "numFmt":
			if id, err := strconv.Atoi(attr(el, "numFmtId", false)); err == nil && in == "numFmts" {
				codes[id] = styleOf(attr(el, "formatCode", false))
			}
		case "numFmts", "cellXfs", "cellStyleXfs", "dxfs", "cellStyles":
			in = el.Name.Local
		case "xf":
			if in != "cellXfs" {
				break
			}
			id, _ := strconv.Atoi(attr(el, "numFmtId", false))
			of, own := codes[id]
			if !own {
				of = builtIn(id)
			}
			s.styles = append(s.styles, of)
		}
		if len(s.styles) > maxStyles || len(codes) > maxStyles {
			return notWorkbook("it has too many formats")
		}
		return nil
	})
}

// number gives what a person typed: without the digits that a float adds, without an exponent, a date in ISO's form.
func number(v string, s style, from1904 bool) (string, bool) {
	v = strings.TrimSpace(v)
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || strings.ContainsAny(v, "xX_pP") {
		return "", false
	}
	if s.kind != plain {
		return moment(x, s.kind, from1904)
	}
	if !integer(v) {
		rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 14, 64), 64)
		v = strconv.FormatFloat(rounded, 'f', -1, 64)
	}
	if s.pad > len(v) && integer(v) && v[0] != '-' {
		v = strings.Repeat("0", min(s.pad, 64)-min(len(v), min(s.pad, 64))) + v
	}
	return v, true
}

func integer(v string) bool {
	v = strings.TrimPrefix(v, "-")
	if v == "" || len(v) > 1 && v[0] == '0' {
		return false
	}
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	return true
}

// moment reads the days since the workbook's beginning. A spreadsheet believes in 29 February 1900; no date is read there.
func moment(x float64, k kind, from1904 bool) (string, bool) {
	const lastDay = 2_958_465 // 31 December 9999
	if x < 0 || x >= lastDay+1 {
		return "", false
	}
	days, part := math.Modf(x)
	seconds := math.Round(part * 86400)
	begin := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case from1904:
		begin = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days == 60:
		return "", false
	case days < 60:
		begin = begin.AddDate(0, 0, 1)
	}
	t := begin.AddDate(0, 0, int(days)).Add(time.Duration(seconds) * time.Second)
	switch {
	case t.Year() > 9999:
		return "", false
	case k == clock && days == 0:
		return t.Format("15:04:05"), true
	case k == clock:
		return strconv.FormatFloat(x, 'f', -1, 64), true
	case seconds == 0:
		return t.Format(time.DateOnly), true
	}
	return t.Format("2006-01-02T15:04:05"), true
}

// isoDate drops the time of a date that a workbook writes out when it is midnight.
func isoDate(v string) string {
	day, rest, _ := strings.Cut(v, "T")
	if strings.Trim(rest, "0:.Z") == "" && len(day) == len(time.DateOnly) {
		return day
	}
	return v
}

// column of a cell's reference, C of C4; 0: none.
func column(ref string) int {
	n := 0
	for i := 0; i < len(ref) && i < 4; i++ {
		c := ref[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		n = n*26 + int(c-'A') + 1
	}
	return n
}
