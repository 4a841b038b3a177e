package text

import (
	"strings"
	"unicode/utf8"
)

// maxNumber bounds the characters of a number; the digits of what is longer stand for themselves, piece by piece.
const maxNumber = 32

// number appends the number at i: with its unit, if it has one, and without. What is a name after all (5G) becomes one.
func (r *reading) number(i int) int {
	value, end, digits := r.value(i)
	if digits == end-i && end < len(r.s) { // no separators so far
		if ch, _ := utf8.DecodeRuneInString(r.s[end:]); kindOf(ch) == latinLetter {
			w := r.word(end)
			if u, unitEnd := unitAt(r.s, end); u != "" {
				return r.measured(value, u, i, end, unitEnd)
			}
			if nativeDigitAt(r.s, i) {
				r.plainNumber(value, i, end)
				return end
			}
			r.named(r.low[i:w.end], i, w.end)
			return w.end
		}
	}
	at := end
	if at < len(r.s) && r.s[at] == ' ' {
		at++
	}
	if u, unitEnd := unitAt(r.s, at); u != "" {
		return r.measured(value, u, i, end, unitEnd)
	}
	r.plainNumber(value, i, end)
	return end
}

func (r *reading) measured(value, unit string, start, end, unitEnd int) int {
	e := r.a.lookup(name, value+" "+unit)
	r.out = append(r.out, Token{Term: e.key, Word: e.key, Lang: e.tag, Start: start, End: unitEnd, Kind: Number})
	r.plainNumber(value, start, end)
	return unitEnd
}

func (r *reading) plainNumber(value string, start, end int) {
	r.out = append(r.out, Token{Term: value, Word: value, Lang: "en", Start: start, End: end, Kind: Number})
}

func nativeDigitAt(s string, i int) bool { return s[i] >= utf8.RuneSelf }

// digitAt is the digit at i and its length, 0 where there is none.
func digitAt(s string, i int) (value byte, n int) {
	if i >= len(s) {
		return 0, 0
	}
	if c := s[i]; c < utf8.RuneSelf {
		if c < '0' || c > '9' {
			return 0, 0
		}
		return c, 1
	}
	ch, n := utf8.DecodeRuneInString(s[i:])
	d := nativeDigitOf(ch)
	if d < 0 {
		return 0, 0
	}
	return byte('0' + d), n
}

// value reads the number at i in the form in which all write it: 1000.5, 10^6. Which of point and comma parts the decimals
// is seen by what stands around them, else by the language.
func (r *reading) value(i int) (value string, end, bytes int) {
	var groups [maxNumber]byte // digits, and separators as they came
	n, separators := 0, 0
	last, lastAt := byte(0), 0
	same := true // all separators are the same
	end = i
	for n < maxNumber-1 {
		d, size := digitAt(r.s, end)
		if size == 0 {
			c := byte(0)
			if end < len(r.s) {
				c = r.s[end]
			}
			if _, more := digitAt(r.s, end+1); c != '.' && c != ',' || more == 0 {
				break
			}
			same = same && (separators == 0 || c == last)
			last, lastAt = c, n
			separators++
			groups[n] = c
			n++
			end++
			continue
		}
		groups[n] = d
		n++
		end += size
		bytes += size
	}
	if separators == 0 {
		value = r.s[i:end]
		if nativeDigitAt(r.s, i) || bytes != n {
			value = string(groups[:n])
		}
		return r.power(value, end, bytes)
	}
	decimal := byte(0)
	after := n - lastAt - 1
	switch {
	case separators > 1 && !same: // 1.000,5
		decimal = last
	case separators > 1:
		if !thousands(groups[:n], last) { // 1.2.3 is no number but a version
			return string(groups[:n]), end, bytes
		}
	case after != 3 || groups[0] == '0' || r.commas() == (last == ','):
		decimal = last
	}
	out := groups[:0]
	point := -1
	for _, c := range groups[:n] {
		switch {
		case c >= '0' && c <= '9':
			out = append(out, c)
		case c == decimal:
			point = len(out)
			out = append(out, '.')
		}
	}
	if point >= 0 {
		for out[len(out)-1] == '0' {
			out = out[:len(out)-1]
		}
		if out[len(out)-1] == '.' {
			out = out[:len(out)-1]
		}
	}
	return r.power(string(out), end, bytes)
}

// power adds the exponent that follows: 10^6.
func (r *reading) power(value string, end, bytes int) (string, int, int) {
	if end+1 >= len(r.s) || r.s[end] != '^' {
		return value, end, bytes
	}
	at := end + 1
	for _, minus := range [...]string{"-", "\u2212"} {
		if strings.HasPrefix(r.s[at:], minus) {
			at += len(minus)
			break
		}
	}
	from := at
	for at < len(r.s) && at < from+4 && r.s[at] >= '0' && r.s[at] <= '9' {
		at++
	}
	if at == from {
		return value, end, bytes
	}
	sign := ""
	if r.s[from-1] != '^' {
		sign = "-"
	}
	return value + "^" + sign + r.s[from:at], at, 0
}

// commas reports whether the language parts decimals by a comma.
func (r *reading) commas() bool {
	switch r.latin {
	case indonesian, vietnamese, portuguese, tetum:
		return true
	}
	return false
}

// thousands reports whether a separator parts groups of three digits.
func thousands(groups []byte, by byte) bool {
	n := 0
	for i := len(groups) - 1; i >= 0; i-- {
		if groups[i] != by {
			n++
			continue
		}
		if n != 3 {
			return false
		}
		n = 0
	}
	return n <= 3
}

// unitAt is the unit at i, as all write it, and its end; "" for none.
func unitAt(s string, i int) (unit string, end int) {
	one, end := simpleUnit(s, i)
	if one == "" {
		return "", i
	}
	if end+1 < len(s) && s[end] == '/' && isLetter(s[end+1]) {
		if per, perEnd := simpleUnit(s, end+1); per != "" {
			return one + "/" + per, perEnd
		}
	}
	return one, end
}

func simpleUnit(s string, i int) (string, int) {
	if i >= len(s) {
		return "", i
	}
	end := i
	for end < len(s) && end < i+8 {
		c, n := utf8.DecodeRuneInString(s[end:])
		if kindOf(c) == noLetter && c != '%' && c != '°' && c != '\u2126' && (c < '2' || c > '3') || kindOf(c) > latinLetter && c != 'μ' && c != 'Ω' {
			break
		}
		end += n
		if c == '%' {
			break
		}
	}
	if end < len(s) && s[end-1] != '%' {
		if c, _ := utf8.DecodeRuneInString(s[end:]); kindOf(c) == latinLetter || c >= '0' && c <= '9' {
			return "", i
		}
	}
	if end == i {
		return "", i
	}
	if u := unitOf(s[i:end]); u != "" {
		return u, end
	}
	return "", i
}

// unitOf is a unit as all write it, "" for what is none. Capitals count where they part units, mW and MW; else any will do.
// Words that are units too, such as "in" or "a", are left out.
func unitOf(s string) string {
	switch s {
	case "nm", "μm", "mm", "cm", "m", "km", "ha", "m2", "m3", "cm2", "cm3", "mm2", "km2", "L", "mL", "dL", "μL", "kL",
		"ng", "μg", "mg", "g", "kg", "t", "ns", "μs", "ms", "s", "h", "min",
		"V", "mV", "kV", "A", "mA", "μA", "W", "mW", "kW", "MW", "GW", "Wh", "kWh", "MWh", "GWh", "Ah", "mAh", "kVA", "VA", "kWp", "MWp", "Wp",
		"Hz", "kHz", "MHz", "GHz", "THz", "Ω", "kΩ", "MΩ", "F", "μF", "nF", "pF", "J", "kJ", "MJ", "GJ", "eV", "keV", "MeV",
		"°C", "°F", "K", "°", "Pa", "kPa", "MPa", "GPa", "bar", "mbar", "psi", "kB", "MB", "GB", "TB", "Mbps", "Gbps", "kbps", "fps",
		"dB", "dBm", "dpi", "px", "rpm", "ppm", "ppb", "%", "mol", "mmol", "μM", "mM", "nM", "N", "kN", "MN", "Nm", "lm", "lx", "cal", "kcal",
		"Da", "kDa", "Gy", "Sv", "CFU", "MPN", "kbit", "Mbit", "pH", "hp", "T", "mT":
		return s
	case "um":
		return "μm"
	case "ug":
		return "μg"
	case "us":
		return "μs"
	case "uL", "ul", "μl":
		return "μL"
	case "l":
		return "L"
	case "v":
		return "V"
	case "w":
		return "W"
	case "KM":
		return "km"
	case "°c":
		return "°C"
	}
	if len(s) < 2 || len(s) > 4 {
		return ""
	}
	switch strings.ToLower(s) {
	case "ml":
		return "mL"
	case "cm":
		return "cm"
	case "mm":
		return "mm"
	case "kg":
		return "kg"
	case "mg":
		return "mg"
	case "kw":
		return "kW"
	case "mw":
		return "MW"
	case "gw":
		return "GW"
	case "kwh":
		return "kWh"
	case "mwh":
		return "MWh"
	case "kv":
		return "kV"
	case "kva":
		return "kVA"
	case "kwp":
		return "kWp"
	case "mah":
		return "mAh"
	case "hz":
		return "Hz"
	case "khz":
		return "kHz"
	case "mhz":
		return "MHz"
	case "ghz":
		return "GHz"
	case "kpa":
		return "kPa"
	case "mpa":
		return "MPa"
	case "gpa":
		return "GPa"
	case "kb":
		return "kB"
	case "mb":
		return "MB"
	case "gb":
		return "GB"
	case "tb":
		return "TB"
	case "db":
		return "dB"
	case "mbps":
		return "Mbps"
	case "gbps":
		return "Gbps"
	case "ppm", "rpm", "fps", "psi":
		return strings.ToLower(s)
	}
	return ""
}
