package mapping

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// normaliser brings values of a source into the form of one target.
type normaliser struct {
	target  Target
	lists   *lists
	pattern []string // how dates are written, nil where nothing says it
	cut     bool
}

// raw reports whether value gives JSON instead of text.
func (n *normaliser) raw() bool {
	switch n.target.Value {
	case ValueNumber, ValueTruth, ValuePerson, ValueRight, ValuePartner:
		return true
	}
	return false
}

// value is what s means, "" for nothing. Codes, addresses and ids that are not known stay as they are: the strict door says what is
// wrong with them, and what was probably meant.
func (n *normaliser) value(s string) (string, *protocol.Error) {
	switch n.target.Value {
	case ValueLine, ValueText:
		if s = plain(s, n.target.Value == ValueText); n.cut && n.target.Max > 0 && len(s) > n.target.Max {
			s = cut(s, n.target.Max)
		}
		return s, nil
	case ValueCode:
		return n.lists.of(n.target.Codes).code(plain(s, false)), nil
	case ValueNumber:
		return n.number(plain(s, false))
	case ValueDate:
		return n.date(s)
	case ValueTime:
		return instant(strings.TrimSpace(s)), nil
	case ValueTruth:
		return truth(s)
	case ValueAddress:
		return address(s), nil
	case ValueID:
		return identifier(n.target.Path, strings.TrimSpace(s)), nil
	case ValuePerson:
		return person(plain(s, false))
	case ValueRight:
		return n.right(plain(s, false))
	case ValuePartner:
		return n.partner(plain(s, false))
	}
	return s, nil
}

// fits reports whether a value without a fault is of the target's kind; texts always are.
func (n *normaliser) fits(s string) bool {
	v, fault := n.value(s)
	if fault != nil {
		return false
	}
	switch n.target.Value {
	case ValueCode:
		return n.lists.of(n.target.Codes).has(v)
	case ValueAddress:
		return (strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "http://")) && len(v) <= protocol.MaxURL && !strings.ContainsAny(v, " \"<>\\\n")
	case ValueID:
		return strings.HasPrefix(n.target.Path, "record.organisation") || (strings.HasPrefix(v, "10.") && strings.Contains(v, "/") && len(v) <= protocol.MaxDOI && !strings.ContainsAny(v, " \n"))
	case ValueTime:
		_, err := time.Parse(time.RFC3339, v)
		return err == nil
	}
	return true
}

func (n *normaliser) number(s string) (string, *protocol.Error) {
	if n.target.Codes == "" {
		v := strings.TrimSuffix(s, ".0")
		if number(v) < 1 {
			return "", protocol.Errorf(protocol.CodeValue, "", "“%s” is no year of four digits", clip(s))
		}
		return strconv.Itoa(number(v)), nil
	}
	most, words := 9, "trl technology readiness level tkt tingkat kesiapterapan teknologi muc do san sang"
	if n.target.Codes == "sdg" {
		most, words = 17, "sdg goal un sustainable development no number"
	}
	if v := level(s, words); v >= 1 && v <= most {
		return strconv.Itoa(v), nil
	}
	if l := n.lists.of(n.target.Codes); len(s) > 4 && !digits(s) { // a label, "Climate action"
		if code := l.folded[fold(clipLong(s))]; code != "" {
			return code, nil
		}
	}
	if most == 9 {
		return "", protocol.Errorf(protocol.CodeValue, "", "“%s” is no technology readiness level from 1 to 9: write it as 4 or “TRL 4”", clip(s))
	}
	return "", protocol.Errorf(protocol.CodeValue, "", "“%s” is no sustainable development goal from 1 to 17: write it as 7 or “SDG 7”", clip(s))
}

// level reads the number that s begins with, or that stands behind nothing but the scale's name. Of "3-4" it is the lower: more
// is not promised.
func level(s, words string) int {
	s = clipLong(s)
	at := strings.IndexAny(s, "0123456789")
	if at < 0 {
		return 0
	}
	for _, w := range strings.Fields(fold(s[:at])) {
		if !strings.Contains(" "+words+" ", " "+w+" ") {
			return 0
		}
	}
	end := at
	for end < len(s) && digit(s[end]) {
		end++
	}
	rest := s[end:]
	if rest = strings.TrimLeft(rest, "0"); rest == "." || rest == "," { // 4.0 of a spreadsheet
		rest = ""
	}
	if s[max(at-1, 0)] == '.' || (at > 0 && s[at-1] == '-' && strings.TrimSpace(s[:at-1]) == "") || (len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') && digit(rest[1]) && strings.Trim(rest[1:], "0") != "") {
		return 0
	}
	if rest != "" && alnum(rest[0]) {
		return 0
	}
	return max(number(s[at:end]), 0)
}

func (n *normaliser) date(s string) (string, *protocol.Error) {
	last := strings.HasSuffix(n.target.Path, "valid_until")
	date, why := day(s, last)
	if n.pattern != nil {
		date, why = dayBy(n.pattern, s, last)
	}
	if why == "is no date" {
		why += " such as 2026-09-14"
	}
	if why != "" {
		return "", protocol.Errorf(protocol.CodeValue, "", "“%s” %s", clip(s), why)
	}
	return date, nil
}

// instant puts between day and time what RFC 3339 wants there; nobody but the source knows its zone.
func instant(s string) string {
	if len(s) > 10 && len(s) < 40 && s[10] == ' ' {
		s = s[:10] + "T" + strings.ReplaceAll(s[11:], " ", "")
	}
	if i := len(s) - 5; i > 10 && (s[i] == '+' || s[i] == '-') && digits(s[i+1:]) {
		s = s[:i+3] + ":" + s[i+3:]
	}
	return s
}

func truth(s string) (string, *protocol.Error) {
	switch fold(clipLong(s)) {
	case "true", "yes", "y", "1", "x", "ya", "co", "oui", "sim", "ใช่", "是":
		return "true", nil
	case "false", "no", "n", "0", "tidak", "khong", "non", "nao", "ไม่", "否":
		return "false", nil
	}
	return "", protocol.Errorf(protocol.CodeValue, "", "“%s” is neither yes nor no", clip(s))
}

func address(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "&amp;", "&")
	switch {
	case strings.HasPrefix(s, "www."):
		return "https://" + s
	case len(s) > 8 && strings.EqualFold(s[:8], "https://"):
		return "https://" + s[8:]
	case len(s) > 7 && strings.EqualFold(s[:7], "http://"):
		return "http://" + s[7:]
	}
	return s
}

// identifier leaves out what stands before a DOI or a ROR id.
func identifier(path, s string) string {
	for _, before := range []string{"https://", "http://", "www.", "dx.doi.org/", "doi.org/", "ror.org/", "doi:", "doi ", "ror:"} {
		if len(s) >= len(before) && strings.EqualFold(s[:len(before)], before) && (strings.Contains(path, "ror") || !strings.HasPrefix(before, "ror")) {
			rest := strings.TrimSpace(s[len(before):])
			if !strings.Contains(before, "/") || strings.Contains(before, "org/") || idHost(rest) {
				s = rest
			}
		}
	}
	return s
}

func idHost(s string) bool {
	for _, host := range []string{"www.", "dx.doi.org/", "doi.org/", "ror.org/"} {
		if len(s) >= len(host) && strings.EqualFold(s[:len(host)], host) {
			return true
		}
	}
	return false
}

// jsonText appends s as JSON text.
func jsonText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == 0x7f {
			quoted, _ := json.Marshal(s) // a string always has a JSON form
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// tooLong reports whether a cell could be no value of any target.
func tooLong(s string) bool { return len(s) > protocol.MaxFullRecord || !utf8.ValidString(s) }
