package mapping

import (
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// Cells that say several things of one person, right or partner. They become JSON objects.

// person reads "A. Name (role) [0000-0002-1825-0097]"; the ORCID iD may also stand as its address, and in any brackets.
func person(s string) (string, *protocol.Error) {
	name, orcid := s, ""
	if at := orcidAt(s); at >= 0 {
		orcid = strings.ToUpper(s[at : at+19])
		before, after := s[:at], s[at+19:]
		for _, prefix := range []string{"orcid.org/", "www.", "http://", "https://", "orcid:", "orcid id:", "orcid "} {
			if t := strings.TrimRight(before, " "); len(t) >= len(prefix) && strings.EqualFold(t[len(t)-len(prefix):], prefix) {
				before = t[:len(t)-len(prefix)]
			} else if len(before) >= len(prefix) && strings.EqualFold(before[len(before)-len(prefix):], prefix) {
				before = before[:len(before)-len(prefix)]
			}
		}
		before = strings.TrimRight(before, " ([<{,;")
		name = strings.TrimSpace(before + " " + strings.TrimLeft(after, " )]>}/"))
	}
	role := ""
	if open := strings.LastIndexByte(name, '('); open > 0 && strings.HasSuffix(name, ")") {
		name, role = strings.TrimSpace(name[:open]), strings.TrimSpace(name[open+1:len(name)-1])
	}
	if name = strings.TrimRight(name, " ,;"); name == "" && role == "" && orcid == "" {
		return "", nil
	}
	return object("name", name, "orcid", orcid, "role", role), nil
}

// orcidAt is where an ORCID iD begins, -1 for none.
func orcidAt(s string) int {
	const form = "0000-0000-0000-000"
next:
	for i := 0; i+19 <= len(s); i++ {
		if !digit(s[i]) || (i > 0 && alnum(s[i-1])) {
			continue
		}
		for j := range len(form) {
			if (form[j] == '-') != (s[i+j] == '-') || (form[j] == '0') != digit(s[i+j]) {
				continue next
			}
		}
		if last := s[i+18]; digit(last) || last == 'X' || last == 'x' {
			return i
		}
	}
	return -1
}

// right reads "type; office; number; date; status", as many of them as there are.
func (n *normaliser) right(s string) (string, *protocol.Error) {
	p, fault := fields(s, 5, "a right is written as type; office; number; date; status")
	if fault != nil {
		return "", fault
	}
	office := n.lists.of("office").code(p[1])
	if !n.lists.of("office").has(office) {
		office = n.lists.of("country").code(p[1])
	}
	date := ""
	if p[3] != "" {
		if date, fault = n.date(p[3]); fault != nil {
			return "", fault
		}
	}
	return object("type", n.lists.of("ipr").code(p[0]), "office", office, "number", p[2], "date", date, "status", n.lists.of("right").code(p[4])), nil
}

// partner reads "name; country; type; eligible".
func (n *normaliser) partner(s string) (string, *protocol.Error) {
	p, fault := fields(s, 4, "a partner is written as name; country; type; eligible")
	if fault != nil {
		return "", fault
	}
	said := object("name", p[0], "country", n.lists.of("country").code(p[1]), "type", n.lists.of("organisation").code(p[2]))
	if p[3] == "" {
		return said, nil
	}
	eligible, fault := truth(p[3])
	if fault != nil {
		return "", fault
	}
	return strings.TrimSuffix(said, "}") + `,"eligible":` + eligible + "}", nil
}

func fields(s string, most int, form string) ([]string, *protocol.Error) {
	p := strings.SplitN(s, ";", most+1)
	if len(p) > most {
		return nil, protocol.Errorf(protocol.CodeValue, "", "“%s” has over %d parts: %s", clip(s), most, form)
	}
	for i := range p {
		p[i] = strings.TrimSpace(p[i])
	}
	return append(p, make([]string, most-len(p))...), nil
}

// object of names and values in turn; the first is always there.
func object(pairs ...string) string {
	b := []byte{'{'}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" && i > 0 {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(jsonText(b, pairs[i]), ':')
		b = jsonText(b, pairs[i+1])
	}
	return string(append(b, '}'))
}
