package lang

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// What the files of messages must be. A language that is not finished passes: TestReport says what it lacks.

// complete are the languages that must lack nothing, with spaces between them.
const complete = "en fil id km lo ms my pt ta tet th vi zh"

// unfinished are the groups of keys that translators have in hand, with spaces between them: a language may lack them.
const unfinished = "fault"

var update = flag.Bool("update", false, "sort and format the files of messages")

type form struct{ Description, One, Other string }

// UnmarshalJSON takes a text, or an object of description and forms.
func (f *form) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &f.Other)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	type plain form
	return d.Decode((*plain)(f))
}

// group is a file of messages.
type group struct {
	tag      Tag
	name     string
	messages map[string]form
}

func groups(t *testing.T) (list []group) {
	t.Helper()
	names, err := filepath.Glob("messages/*/*")
	if err != nil || len(names) == 0 {
		t.Fatalf("no files of messages: %v", err)
	}
	for _, name := range names {
		tag := Tag(filepath.Base(filepath.Dir(name)))
		g := group{tag: tag, name: strings.TrimSuffix(filepath.Base(name), ".json")}
		if !Known(string(tag)) || g.name+".json" != filepath.Base(name) {
			t.Errorf("%s: not messages/<language>/<group>.json", name)
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &g.messages); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		list = append(list, g)
	}
	return list
}

// texts are the messages of a language.
func texts(all []group, tag Tag) map[string]form {
	out := map[string]form{}
	for _, g := range all {
		if g.tag == tag {
			maps.Copy(out, g.messages)
		}
	}
	return out
}

func TestFiles(t *testing.T) {
	english := map[string]string{} // by the beginning of keys: the group
	all := groups(t)
	for _, g := range all {
		if g.tag != English {
			continue
		}
		for key := range g.messages {
			kind, _, ok := strings.Cut(key, ".")
			if !ok || !regexp.MustCompile(`^[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$`).MatchString(key) {
				t.Errorf("en/%s: %q is no key: words with dots between them", g.name, key)
			}
			if other, known := english[kind]; known && other != g.name {
				t.Errorf("keys that begin with %s. stand in %s and %s", kind, other, g.name)
			}
			english[kind] = g.name
		}
	}
	for _, g := range all {
		name := filepath.Join("messages", string(g.tag), g.name+".json")
		for key := range g.messages {
			if kind, _, _ := strings.Cut(key, "."); english[kind] != g.name {
				t.Errorf("%s: %s belongs to %q, as in English", name, key, english[kind])
			}
		}
		var raw map[string]any
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got, &raw); err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		e.SetIndent("", "\t")
		if err := e.Encode(raw); err != nil {
			t.Fatal(err)
		}
		switch {
		case bytes.Equal(got, want.Bytes()):
		case *update:
			if err := os.WriteFile(name, want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s is not sorted and formatted, or has a key twice: go test ./ui/lang -run TestFiles -update", name)
		}
	}
}

// TestMessages checks each text by itself, and against the English one.
func TestMessages(t *testing.T) {
	all := groups(t)
	source, excused := texts(all, English), excuses(t)
	for _, g := range all {
		for key, m := range g.messages {
			at := fmt.Sprintf("%s/%s: %s", g.tag, g.name, key)
			for _, why := range faultsOf(g.tag, m, source[key]) {
				t.Errorf("%s: %s", at, why)
			}
			if _, known := source[key]; !known {
				t.Errorf("%s: English has no such key", at)
			}
			if g.tag != English && strings.EqualFold(m.Other, source[key].Other) && !excused(key, g.tag) {
				t.Errorf("%s: is as in English, %q: translate it, leave it out, or give a reason in testdata/same.tsv", at, m.Other)
			}
		}
	}
}

// faultsOf a message in a language, beside the English one.
func faultsOf(tag Tag, m, source form) (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if m.Other == "" {
		add("has no text")
	}
	if plural, forms := source.One != "", tag.Forms(); (m.One != "") != (plural && len(forms) == 2) {
		add("has the forms %v wrongly: plural in English is %v, and the forms of %s are %v", m, plural, tag, forms)
	}
	for _, s := range []string{m.One, m.Other} {
		if s == "" {
			continue
		}
		for _, part := range parts(s) {
			if strings.ContainsAny(strings.NewReplacer("{{.", "", "}}", "").Replace(part), "{}") {
				add("%q is no placeholder", part)
			}
		}
		if got, want := parts(s), parts(source.Other); !slices.Equal(got, want) {
			add("has the placeholders and slots %v, English %v", got, want)
		}
		var open []string
		pieces(s, func(string) {}, func(name string, closing bool) {
			switch {
			case !closing:
				open = append(open, name)
			case len(open) == 0 || open[len(open)-1] != name:
				add("slot %s is closed where it is not open", name)
			default:
				open = open[:len(open)-1]
			}
		})
		if len(open) > 0 {
			add("slot %s is not closed", open[0])
		}
		if why := unfit(tag, s); why != "" {
			add("%s", why)
		}
	}
	return list
}

// parts of a text that are not words: placeholders and slots, sorted.
func parts(s string) []string {
	list := regexp.MustCompile(`\{\{[^}]*\}\}|</?[^<>]*>|[{}]`).FindAllString(s, -1)
	slices.Sort(list)
	return list
}

// unfit says what is wrong with the characters of a text.
func unfit(tag Tag, s string) string {
	if strings.TrimSpace(s) != s {
		return "begins or ends with a space"
	}
	if strings.Contains(s, "  ") {
		return "has two spaces"
	}
	if !norm.NFC.IsNormalString(s) {
		return "is not in Unicode's composed form (NFC)"
	}
	for _, r := range s {
		switch {
		case r == '\u200b' && strings.Contains("th km lo my", string(tag)): // where a line may be broken
		case r == '\u200c' && (tag == "ta" || tag == "my"):
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == unicode.ReplacementChar, r == '\u2028', r == '\u2029':
			return fmt.Sprintf("has the character %U", r)
		}
	}
	return misspelt(s)
}

// excuses are the texts that may be as in English: a key or the beginning of keys and *, a language, or latin for
// all that are written so, and why.
func excuses(t *testing.T) func(key string, tag Tag) bool {
	t.Helper()
	text, err := os.ReadFile("testdata/same.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		row := strings.Split(line, "\t")
		if len(row) != 3 || row[2] == "" || row[1] != "latin" && !Known(row[1]) {
			t.Fatalf("testdata/same.tsv:%d: want key, language and reason: %q", i+1, line)
		}
		rows = append(rows, row)
	}
	return func(key string, tag Tag) bool {
		return slices.ContainsFunc(rows, func(row []string) bool {
			begin, many := strings.CutSuffix(row[0], "*")
			return (row[1] == string(tag) || row[1] == "latin" && strings.Contains("id ms vi fil pt tet", string(tag))) && (key == row[0] || many && strings.HasPrefix(key, begin))
		})
	}
}

func TestComplete(t *testing.T) {
	b := opened(t)
	for _, tag := range strings.Fields(complete) {
		if !Known(tag) {
			t.Errorf("%s is no language of the interface", tag)
		}
		for _, key := range b.Missing(Tag(tag)) {
			if kind, _, _ := strings.Cut(key, "."); slices.Contains(strings.Fields(unfinished), kind) {
				continue
			}
			t.Errorf("%s lacks %s", tag, key)
		}
	}
}

// TestReport says with -v how far each language is.
func TestReport(t *testing.T) {
	b := opened(t)
	if len(b.Missing(English)) != 0 || len(b.Keys()) < 500 {
		t.Errorf("English has %d keys and lacks %v", len(b.Keys()), b.Missing(English))
	}
	for _, tag := range Tags() {
		missing := b.Missing(tag)
		by := map[string]int{}
		for _, key := range missing {
			kind, _, _ := strings.Cut(key, ".")
			by[kind]++
		}
		t.Logf("%-4s%4d of %d missing, %d unsure; %v", tag, len(missing), len(b.Keys()), len(b.Unsure(tag)), by)
	}
}

// TestChecksFind shows that the checks above find what they are for.
func TestChecksFind(t *testing.T) {
	plural := form{One: "{{.N}} day", Other: "{{.N}} days"}
	link := form{Other: "Read <a>{{.What}}</a>"}
	for _, c := range []struct {
		tag       Tag
		m, source form
		want      string
	}{
		{"th", form{Other: "{{.N}} วัน"}, plural, ""},
		{"th", form{One: "{{.N}} วัน", Other: "{{.N}} วัน"}, plural, "forms"},
		{"ta", form{Other: "{{.N}} நாட்கள்"}, plural, "forms"},
		{"fil", form{One: "isang araw", Other: "{{.N}} na araw"}, plural, "placeholders"},
		{"id", form{One: "Satu", Other: "Satu"}, form{Other: "One"}, "forms"},
		{"id", form{}, form{Other: "One"}, "no text"},
		{"id", form{Other: "Baca <a>{{.What}}</a>"}, link, ""},
		{"id", form{Other: "Baca {{.What}}"}, link, "placeholders"},
		{"id", form{Other: "Baca <a>{{.Apa}}</a>"}, link, "placeholders"},
		{"id", form{Other: "Baca <b>{{.What}}</b>"}, link, "placeholders"},
		{"id", form{Other: "Baca </a>{{.What}}<a>"}, link, "not open"},
		{"en", form{Other: "{{if .X}}x{{end}}"}, form{Other: "{{if .X}}x{{end}}"}, "no placeholder"},
		{"en", form{Other: "<i>x</i>"}, form{Other: "<i>x</i>"}, ""}, // shown as it is written, so harmless
		{"id", form{Other: " Satu"}, form{Other: "One"}, "space"},
		{"id", form{Other: "Satu  dua"}, form{Other: "One"}, "two spaces"},
		{"id", form{Other: "Sa\u200btu"}, form{Other: "One"}, "U+200B"},
		{"id", form{Other: "Sa\ttu"}, form{Other: "One"}, "U+0009"},
		{"vi", form{Other: "Mo\u0323t"}, form{Other: "One"}, "NFC"},
		{"km", form{Other: "ស្វែង\u200bរក"}, form{Other: "Search"}, ""},
		{"my", form{Other: "ျမန္မာ"}, form{Other: "Myanmar"}, "follows"},
	} {
		switch got := faultsOf(c.tag, c.m, c.source); {
		case c.want == "" && len(got) > 0, c.want != "" && !strings.Contains(strings.Join(got, "; "), c.want):
			t.Errorf("%s %+v: %q, want %q", c.tag, c.m, got, c.want)
		}
	}
	excused := excuses(t)
	if !excused("country.TL", "id") || excused("country.TL", "th") || excused("nav.search", "id") {
		t.Error("the list of what may be as in English is not read")
	}
}

func TestEmbedded(t *testing.T) {
	for _, tag := range Tags() {
		if n := len(texts(groups(t), tag)); n != len(opened(t).messages[tag]) {
			t.Errorf("%s: %d messages in files, %d opened", tag, n, len(opened(t).messages[tag]))
		}
	}
	if _, err := fs.Stat(files, "messages/en"); err != nil {
		t.Error(err)
	}
}
