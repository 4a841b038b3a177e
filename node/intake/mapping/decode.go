package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

// Limits of a mapping.
const (
	MaxMapping = 256 << 10 // bytes in JSON form
	MaxRules   = 200
	MaxFrom    = 20  // columns of a rule, and of the id
	MaxValues  = 500 // of a rule
	MaxName    = 200 // characters of a column's name
	maxFaults  = 100
)

type faults protocol.Errors

func (f *faults) add(code protocol.Code, field, format string, args ...any) {
	if len(*f) < maxFaults {
		*f = append(*f, protocol.Errorf(code, field, format, args...))
	}
}

func (f *faults) err() error {
	if len(*f) == 0 {
		return nil
	}
	return protocol.Errors(*f)
}

// Decode reads a mapping's JSON form and judges it as Validate does. The error has all faults.
func Decode(b []byte) (*Mapping, error) {
	switch {
	case len(b) > MaxMapping:
		return nil, protocol.Errors{protocol.Errorf(protocol.CodeTooLarge, "", "the mapping has %d bytes, at most %d: leave out what is not needed", len(b), MaxMapping)}
	case !utf8.Valid(b):
		return nil, protocol.Errors{protocol.Errorf(protocol.CodeText, "", "the mapping is not UTF-8: save it in that encoding")}
	}
	m := new(Mapping)
	var f faults
	f.object("", b, "a mapping", map[string]func(string, []byte){
		"title": take(&f, &m.Title, "text"), "id": take(&f, &m.ID, "a list of names"),
		"rules": func(at string, b []byte) {
			var raw []json.RawMessage
			if take(&f, &raw, "a list of rules")(at, b); len(raw) > MaxRules {
				f.add(protocol.CodeTooLarge, at, "%d rules, at most %d", len(raw), MaxRules)
				return
			}
			m.Rules = make([]Rule, len(raw))
			for i := range raw {
				r := &m.Rules[i]
				f.object(fmt.Sprintf("%s[%d]", at, i), raw[i], "a rule", map[string]func(string, []byte){
					"to": take(&f, &r.To, "text"), "from": take(&f, &r.From, "a list of names"), "lang": take(&f, &r.Lang, "text"),
					"join": take(&f, &r.Join, "text"), "split": take(&f, &r.Split, "text"),
					"values": take(&f, &r.Values, "an object with a text a value"), "only": take(&f, &r.Only, "true or false"),
					"fit": take(&f, &r.Fit, "true or false"), "date": take(&f, &r.Date, "text"), "cut": take(&f, &r.Cut, "true or false"),
					"else": take(&f, &r.Else, "text"), "constant": take(&f, &r.Constant, "text"),
				})
			}
		},
	})
	if mine := len(f); mine == 0 || f[0].Field != "" { // what is no mapping at all has one fault
		for _, e := range protocol.All(m.Validate()) {
			if !slices.ContainsFunc(f[:mine], func(x *protocol.Error) bool { return covers(x.Field, e.Field) || covers(e.Field, x.Field) }) {
				f.add(e.Code, e.Field, "%s", e.Message)
			}
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// covers reports whether path is below field, or the same.
func covers(field, path string) bool {
	rest, ok := strings.CutPrefix(path, field)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// object calls a function for every member, unless it stands twice or is not known.
func (f *faults) object(at string, b []byte, what string, known map[string]func(string, []byte)) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		f.add(protocol.CodeText, at, "is not %s in JSON: write it as an object in { }", what)
		return
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		name, _ := t.(string)
		var raw json.RawMessage
		if err == nil {
			err = d.Decode(&raw)
		}
		if err != nil {
			f.add(protocol.CodeText, at, "is not JSON at byte %d", d.InputOffset())
			return
		}
		path := strings.TrimPrefix(at+"."+clip(name), ".")
		read, ok := known[name]
		switch {
		case seen[name]:
			f.add(protocol.CodeRepeated, path, "stands twice")
		case !ok:
			f.add(protocol.CodeUnknown, path, "is no member of %s", what)
		case string(raw) != "null":
			read(path, raw)
		}
		seen[name] = true
	}
	_, err := d.Token()
	if _, more := d.Token(); err != nil || !errors.Is(more, io.EOF) {
		f.add(protocol.CodeTruncated, at, "does not end where it should, at byte %d", d.InputOffset())
	}
}

func take[T any](f *faults, into *T, want string) func(string, []byte) {
	return func(at string, b []byte) {
		if json.Unmarshal(b, into) != nil {
			f.add(protocol.CodeWireType, at, "has to be %s", want)
		}
	}
}

// Validate reports every fault of the mapping: what could not be meant for any row.
func (m *Mapping) Validate() error {
	var f faults
	f.line("title", m.Title, MaxName)
	f.names("id", m.ID)
	switch n := len(m.Rules); {
	case n == 0:
		f.add(protocol.CodeRequired, "rules", "are absent: say which column is the title, for example")
	case n > MaxRules:
		f.add(protocol.CodeTooLarge, "rules", "%d rules, at most %d", n, MaxRules)
		return f.err()
	}
	known := map[string]Target{}
	for _, t := range Targets() {
		known[t.Path] = t
	}
	lists := newLists()
	seen := map[[2]string]int{}
	for i := range m.Rules {
		r, at := &m.Rules[i], fmt.Sprintf("rules[%d].", i)
		t, ok := known[r.To]
		first, twice := seen[[2]string{r.To, langKey(r.Lang)}]
		switch {
		case r.To == "":
			f.add(protocol.CodeRequired, at+"to", "is absent: name the member that the rule fills, such as listing.texts.en.title")
		case !ok:
			f.add(protocol.CodeValue, at+"to", "“%s” is nothing that can be filled: take a path such as listing.texts.en.title", clip(r.To))
		case twice:
			f.add(protocol.CodeRepeated, at+"to", "%s is filled by rule %d already: give all its columns there", r.To, first+1)
		default:
			seen[[2]string{r.To, langKey(r.Lang)}] = i
		}
		r.validate(&f, at)
		if ok {
			r.judge(&f, at, t, lists)
		}
	}
	return f.err()
}

func (r *Rule) validate(f *faults, at string) {
	f.names(at+"from", r.From)
	if len(r.From) == 0 && r.Constant == "" {
		f.add(protocol.CodeRequired, at+"constant", "is absent, and so are columns: give %s a column in “from”, or a value for all rows here", clip(r.To))
	}
	for _, v := range []struct {
		field, value string
		most         int
	}{{"lang", r.Lang, 20}, {"split", r.Split, 20}, {"date", r.Date, 40}, {"else", string(r.Else), 20}} {
		f.line(at+v.field, v.value, v.most)
	}
	if utf8.RuneCountInString(r.Join) > 20 {
		f.add(protocol.CodeTooLarge, at+"join", "is over 20 characters")
	}
	if utf8.RuneCountInString(r.Constant) > protocol.MaxDescription {
		f.add(protocol.CodeTooLarge, at+"constant", "is over %d characters", protocol.MaxDescription)
	}
	if len(r.Values) > MaxValues {
		f.add(protocol.CodeTooLarge, at+"values", "%d values, at most %d", len(r.Values), MaxValues)
	}
	for _, from := range sortedKeys(r.Values) {
		if utf8.RuneCountInString(from) > MaxName || utf8.RuneCountInString(r.Values[from]) > MaxName {
			f.add(protocol.CodeTooLarge, at+"values", "“%s” or what it means is over %d characters", clip(from), MaxName)
		}
	}
	if r.Only && len(r.Values) == 0 {
		f.add(protocol.CodeRequired, at+"values", "are absent, and only they are wanted: nothing would be left")
	}
}

// judge looks at what depends on the target.
func (r *Rule) judge(f *faults, at string, t Target, lists *lists) {
	if r.Date != "" {
		if t.Value != ValueDate {
			f.add(protocol.CodeValue, at+"date", "says how dates are written, and %s is none", t.Path)
		} else if _, ok := parsePattern(r.Date); !ok {
			f.add(protocol.CodeValue, at+"date", "“%s” is no way to write a date: take YYYY, MM or MMM, and DD, such as DD/MM/YYYY", clip(r.Date))
		}
	}
	if r.Else != "" {
		switch {
		case !strings.Contains(t.Path, ".texts."+anyLang+"."):
			f.add(protocol.CodeValue, at+"else", "is for targets whose language is *")
		case !codes.Language().Has(string(r.Else)):
			f.add(protocol.CodeValue, at+"else", "“%s” is no language of TMH such as th", clip(string(r.Else)))
		}
	}
	n := normaliser{target: t, lists: lists}
	take := func(field, v string) {
		if v == "" || t.Value == ValueLine || t.Value == ValueText {
			return
		}
		if _, bad := n.value(v); bad != nil {
			f.add(bad.Code, field, "%s", bad.Message)
		} else if !n.fits(v) {
			f.add(protocol.CodeValue, field, "“%s” does not fit %s", clip(v), t.Label)
		}
	}
	take(at+"constant", r.Constant)
	if len(r.Values) <= MaxValues {
		for _, from := range sortedKeys(r.Values) {
			take(at+"values", r.Values[from])
		}
	}
}

func (f *faults) names(field string, names []string) {
	if len(names) > MaxFrom {
		f.add(protocol.CodeTooLarge, field, "%d columns, at most %d", len(names), MaxFrom)
		return
	}
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", field, i)
		f.line(at, name, MaxName)
		if slices.ContainsFunc(names[:i], func(s string) bool { return same(s) == same(name) }) {
			f.add(protocol.CodeRepeated, at, "“%s” stands twice", clip(name))
		}
	}
}

func (f *faults) line(field, s string, most int) {
	switch {
	case utf8.RuneCountInString(s) > most:
		f.add(protocol.CodeTooLarge, field, "is over %d characters", most)
	case !oneLine(s):
		f.add(protocol.CodeText, field, "holds control or direction-changing characters, or is not UTF-8")
	}
}

// oneLine reports whether s can be shown as it is.
func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) || hidden(c) })
}

// clip shortens what a stranger wrote before it is quoted back.
func clip(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
