package protocol

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Reference is how people call a listing, in a letter or on the telephone: "TO-KH-20260921-001" is the first technology offer
// that Cambodia published on that day.
type Reference struct {
	Kind    Kind
	Country Country
	Date    Date
	Serial  uint16 // from 1
}

func (r Reference) String() string {
	return fmt.Sprintf("%s-%s-%s-%03d", r.Kind, r.Country, r.Date.Time().Format("20060102"), r.Serial)
}

// ParseReference reads what String writes, and nothing else.
func ParseReference(s string) (Reference, error) {
	var r Reference
	p := strings.Split(s, "-")
	if len(s) <= len("TO-KH-99991231-9999") && len(p) == 4 {
		day, dayErr := time.Parse("20060102", p[2])
		serial, err := strconv.ParseUint(p[3], 10, 16)
		if dayErr == nil && err == nil && day.Unix() >= 86400 && serial >= 1 && serial <= MaxSerial {
			r = Reference{Kind(p[0]), Country(p[1]), DateOf(day), uint16(serial)}
		}
	}
	if r.Kind.wire() == 0 || !r.Country.wellFormed() || r.String() != s {
		return Reference{}, Errorf(CodeValue, "reference", "%q is no reference such as TO-KH-20260921-001", clip(s))
	}
	return r, nil
}

// isORCID accepts 16 digits in groups of four, of which the last is the check by ISO 7064 MOD 11-2 ("X" for ten).
func isORCID(s string) bool {
	if len(s) != 19 {
		return false
	}
	sum := 0
	for i, c := range []byte(s) {
		switch {
		case i%5 == 4:
			if c != '-' {
				return false
			}
		case i == 18:
			check := (12 - sum%11) % 11
			return (check == 10 && c == 'X') || (check < 10 && int(c) == '0'+check)
		case !isDigit(c):
			return false
		default:
			sum = (sum + int(c-'0')) * 2
		}
	}
	return false
}

// isROR accepts 0, six characters of Crockford's base 32 in small letters, and the two digits that check them (ISO 7064
// MOD 97-10).
func isROR(s string) bool {
	if len(s) != 9 || s[0] != '0' || !isDigit(s[7]) || !isDigit(s[8]) {
		return false
	}
	n := 0
	for _, c := range []byte(s[1:7]) {
		i := strings.IndexByte("0123456789abcdefghjkmnpqrstvwxyz", c)
		if i < 0 {
			return false
		}
		n = n*32 + i
	}
	return int(s[7]-'0')*10+int(s[8]-'0') == 98-n*100%97
}

// isDOI accepts "10.", 4 to 9 digits and perhaps further groups of digits, a slash, and printable ASCII.
func isDOI(s string) bool {
	rest, ok := strings.CutPrefix(s, "10.")
	prefix, suffix, slash := strings.Cut(rest, "/")
	if !ok || !slash || suffix == "" || len(s) > MaxDOI {
		return false
	}
	for i, group := range strings.Split(prefix, ".") {
		if group == "" || (i == 0 && (len(group) < 4 || len(group) > 9)) || !every(group, isDigit) {
			return false
		}
	}
	return every(suffix, func(c byte) bool { return c > ' ' && c <= '~' })
}

// isEmail accepts an address as people have it: no quotes, comments, or domains without a dot.
func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(s) > MaxEmail || len(local) > 64 || !dotted(local, 1) || !dotted(domain, 2) {
		return false
	}
	return every(local, func(c byte) bool { return isAlnum(c) || strings.IndexByte(".!#$%&'*+-/=?^_`{|}~", c) >= 0 }) &&
		every(domain, func(c byte) bool { return isAlnum(c) || c == '-' || c == '.' })
}

// dotted reports whether s has at least so many groups between its dots, none of them empty.
func dotted(s string, groups int) bool {
	return strings.Count(s, ".") >= groups-1 && s != "" && s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

func isPhone(s string) bool {
	digits := 0
	ok := every(s, func(c byte) bool {
		if isDigit(c) {
			digits++
		}
		return isDigit(c) || strings.IndexByte("+ -()./", c) >= 0
	})
	return ok && digits >= 3 && len(s) <= MaxPhone
}

// isZone accepts the form of a name in the IANA time zone database.
func isZone(s string) bool {
	return s != "" && len(s) <= MaxZone && s[0] >= 'A' && s[0] <= 'Z' && !strings.Contains(s, "//") && s[len(s)-1] != '/' &&
		every(s, func(c byte) bool { return isAlnum(c) || strings.IndexByte("_+-/", c) >= 0 })
}

func isMediaType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	good := func(c byte) bool { return isDigit(c) || (c >= 'a' && c <= 'z') || strings.IndexByte(".+-", c) >= 0 }
	return ok && len(s) <= MaxMediaType && kind != "" && sub != "" && every(kind, good) && every(sub, good)
}

func every(s string, ok func(c byte) bool) bool {
	for _, c := range []byte(s) {
		if !ok(c) {
			return false
		}
	}
	return true
}
