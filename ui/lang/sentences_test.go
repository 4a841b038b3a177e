package lang

import (
	"strings"
	"testing"
)

func TestSentence(t *testing.T) {
	b := opened(t)
	for said, want := range map[string]string{
		"give the search a name":                            "fault.give-search-name",
		"12 characters, at most 9":                          "fault.characters-at-most",
		"12 characters, at most 9: leave something out":     "fault.characters-at-most-leave", // the longer one
		"column “a”, value 3: 12 characters, at most 9":     "fault.in-column-value",
		"“31.2.2026” is no day of the calendar":             "fault.value-why",
		"“31.2.2026” is a fine day":                         "", // Why has to be known
		"Give the search a name":                            "",
		"":                                                  "",
		strings.Repeat("x", longSentence) + " stands twice": "", // too long
	} {
		got := ""
		if x := b.Sentence(said); x != nil {
			got = x.Key
		}
		if got != want {
			t.Errorf("%.60q is taken for %q, want %q", said, got, want)
		}
	}
	x := b.Sentence(strings.Repeat("column “a”: ", 6) + "give the search a name")
	deep := 0
	for ; x != nil; deep++ {
		if len(x.Parts) < 2 {
			break
		}
		x = x.Parts[1].In
	}
	if deep > deepSentence {
		t.Errorf("sentences are looked for %d deep", deep)
	}
}

// FuzzSentence: whatever is said, a message that is found says just that.
func FuzzSentence(f *testing.F) {
	b := opened(f)
	for _, s := range []string{"", "“” ", "column “”: ", "7 characters, at most ", "{{.A}}", "constant of the mapping: constant of the mapping: "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x := b.Sentence(s)
		if x == nil {
			return
		}
		source := b.messages[English][x.Key].Other
		for _, part := range x.Parts {
			source = strings.Replace(source, "{{."+part.Name+"}}", part.Text, 1)
		}
		if source != s && !strings.Contains(s, "{{") {
			t.Errorf("%q is taken for %s: %q", s, x.Key, source)
		}
	})
}
