package oai

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// A fault is one of the protocol's error conditions.
type fault struct{ code, text string }

// request is what a harvester asked for. Where faults has badVerb or badArgument, its arguments must not be repeated.
type request struct {
	verb    string
	args    map[string]string
	from    int64 // seconds; 0: since ever
	until   int64 // -1: not said
	faults  []fault
	unnamed bool // the arguments are not repeated in the response
}

func (r *request) fail(code, format string, args ...any) {
	r.faults = append(r.faults, fault{code, fmt.Sprintf(format, args...)})
	r.unnamed = r.unnamed || code == "badVerb" || code == "badArgument"
}

// maxQuery bounds the arguments of a request.
const maxQuery = 8 << 10

// arguments that a verb takes, the required ones first; alone names one that excludes all others.
func arguments(verb string) (required, optional []string, alone string, ok bool) {
	switch verb {
	case "Identify":
		return nil, nil, "", true
	case "ListMetadataFormats":
		return nil, []string{"identifier"}, "", true
	case "ListSets":
		return nil, nil, "resumptionToken", true
	case "GetRecord":
		return []string{"identifier", "metadataPrefix"}, nil, "", true
	case "ListIdentifiers", "ListRecords":
		return []string{"metadataPrefix"}, []string{"from", "until", "set"}, "resumptionToken", true
	}
	return nil, nil, "", false
}

// queryOf is the request's arguments as they were sent.
func queryOf(w http.ResponseWriter, r *http.Request) (query string, why string) {
	if r.Method != http.MethodPost {
		query = r.URL.RawQuery
	} else {
		if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
			return "", "POST the arguments as application/x-www-form-urlencoded."
		}
		var b strings.Builder
		buf := make([]byte, 4<<10)
		body := http.MaxBytesReader(w, r.Body, maxQuery)
		for {
			n, err := body.Read(buf)
			b.Write(buf[:n])
			if err != nil {
				if b.Len() >= maxQuery {
					return "", "The arguments are too long."
				}
				break
			}
		}
		query = b.String()
	}
	if len(query) > maxQuery {
		return "", "The arguments are too long."
	}
	return query, ""
}

// parse reads the arguments and names every fault in them.
func parse(query string) *request {
	r := &request{args: make(map[string]string), until: -1}
	values, err := url.ParseQuery(query)
	verbs := values["verb"]
	switch _, _, _, known := arguments(strings.Join(verbs, " ")); {
	case len(verbs) == 0:
		r.fail("badVerb", "Say what you want: verb=Identify, for example.")
		return r
	case len(verbs) > 1:
		r.fail("badVerb", "The argument verb is there %d times; give it once.", len(verbs))
		return r
	case !known:
		r.fail("badVerb", "There is no such verb. Take Identify, ListMetadataFormats, ListSets, ListIdentifiers, ListRecords or GetRecord.")
		return r
	}
	r.verb = verbs[0]
	if err != nil {
		r.fail("badArgument", "The arguments are not properly encoded in the address.")
	}
	required, optional, alone, _ := arguments(r.verb)
	for name, v := range values {
		switch {
		case name == "verb":
		case name != alone && !slices.Contains(required, name) && !slices.Contains(optional, name):
			r.fail("badArgument", "%s does not take the argument %q.", r.verb, short(name))
		case len(v) > 1:
			r.fail("badArgument", "The argument %s is there %d times; give it once.", name, len(v))
		default:
			r.args[name] = v[0]
		}
	}
	if _, resumed := r.args[alone]; resumed {
		if len(r.args) > 1 {
			r.fail("badArgument", "A resumptionToken stands alone: leave the other arguments out.")
		}
		return r
	}
	for _, name := range required {
		if !values.Has(name) {
			r.fail("badArgument", "%s wants the argument %s.", r.verb, name)
		}
	}
	r.check()
	return r
}

func (r *request) has(name string) bool { _, ok := r.args[name]; return ok }

// check the values.
func (r *request) check() {
	if r.has("metadataPrefix") && !isWord(r.args["metadataPrefix"]) {
		r.fail("badArgument", "The metadataPrefix has a character that none may have. ListMetadataFormats says which there are.")
	}
	if r.has("set") && !isSet(r.args["set"]) {
		r.fail("badArgument", "The set is not written as one. ListSets says which there are.")
	}
	var days [2]bool
	var ok [2]bool
	if r.has("from") {
		r.from, days[0], ok[0] = parseTime(r.args["from"], false)
		if !ok[0] {
			r.fail("badArgument", "The argument from is no time: write 2026-01-31 or 2026-01-31T08:30:00Z.")
		}
	}
	if r.has("until") {
		r.until, days[1], ok[1] = parseTime(r.args["until"], true)
		if !ok[1] {
			r.fail("badArgument", "The argument until is no time: write 2026-01-31 or 2026-01-31T08:30:00Z.")
		}
	}
	if ok[0] && ok[1] {
		switch {
		case days[0] != days[1]:
			r.fail("badArgument", "The arguments from and until are to be of the same granularity: both days, or both seconds.")
		case r.from > r.until:
			r.fail("badArgument", "The argument from is later than until.")
		}
	}
}

// parseTime reads a day or a second. Of a day, until means its end. What lies before 1970 is its beginning.
func parseTime(s string, until bool) (at int64, day, ok bool) {
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04:05Z"} {
		t, err := time.Parse(layout, s)
		if err != nil || t.Format(layout) != s || t.Year() < 1 { // which takes fractions
			continue
		}
		day = layout == time.DateOnly
		if day && until {
			t = t.Add(24*time.Hour - time.Second)
		}
		return max(t.Unix(), 0), day, true
	}
	return 0, false, false
}

// isSet reports whether s is written as a setSpec.
func isSet(s string) bool {
	for part := range strings.SplitSeq(s, ":") {
		if !isWord(part) {
			return false
		}
	}
	return true
}

// isWord reports whether s may be a metadataPrefix or a part of a setSpec.
func isWord(s string) bool {
	for _, c := range []byte(s) {
		if !isAlnum(c) && !strings.ContainsRune("-_.!~*'()", rune(c)) {
			return false
		}
	}
	return s != ""
}

func isAlnum(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// isNamespace reports whether s may be the namespace of identifiers: at least two labels that begin with a letter.
func isNamespace(s string) bool {
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || !isLetter(l[0]) || strings.ContainsFunc(l, func(c rune) bool { return c > '~' || c != '-' && !isAlnum(byte(c)) }) {
			return false
		}
	}
	return len(labels) > 1
}

// isEmail reports whether the response's schema takes s for an e-mail address.
func isEmail(s string) bool {
	name, host, ok := strings.Cut(s, "@")
	dot := strings.LastIndexByte(host, '.')
	return ok && name != "" && dot > 0 && dot < len(host)-1 && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}

func short(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

func (p *Provider) identifier(ref match.Ref) string {
	return "oai:" + p.cfg.Namespace + ":" + string(ref.Origin) + "/" + string(ref.ID)
}

// parseIdentifier reads what identifier writes.
func (p *Provider) parseIdentifier(s string) (ref match.Ref, ok bool) {
	s, ok = strings.CutPrefix(s, "oai:"+p.cfg.Namespace+":")
	if !ok {
		return ref, false
	}
	origin, id, _ := strings.Cut(s, "/")
	o, err := protocol.ParseMemberID(origin)
	if err != nil {
		return ref, false
	}
	l, err := protocol.ParseListingID(id)
	return match.Ref{Origin: o, ID: l}, err == nil
}

// isAddress reports whether s may stand where the response's schema wants a URI.
func isAddress(s string) bool {
	for _, c := range []byte(s) {
		if !isAlnum(c) && !strings.ContainsRune("-_.!~*'();/?:@&=+$,", rune(c)) {
			return false
		}
	}
	scheme, _, ok := strings.Cut(s, ":")
	return ok && scheme == "oai"
}
