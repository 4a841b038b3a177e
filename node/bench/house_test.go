package bench

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestHouse(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole node with its people")
	}
	var out bytes.Buffer
	c := HouseConfig{Config: Config{Dir: t.TempDir(), Listings: 40, Corpus: Invented(), Out: &out, Progress: io.Discard}, Users: 13, Organisations: 5, Questions: 6}
	if err := House(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"5 organisations, 13 people, 40 full records", "people who set a password  13", "a draft edited", "doors open after", "own listings, third page",
		"another organisation's full record", "signing in with a password", "took in all",
	} {
		if !strings.Contains(regexp.MustCompile(` {3,}`).ReplaceAllString(out.String(), "  "), want) {
			t.Errorf("the report does not say %q:\n%s", want, out.String())
		}
	}
	// 5 organisations entered; 13 people invited, made and signed in; 5 tokens; 40 and 12 listings drafted and published, 12 drafted,
	// 12 edited; 6 or 13 signed in for each of five rows.
	const want = 5 + 3*13 + 5 + 2*(40+12) + 12 + 12 + (6 + 6 + 13 + 13 + 13)
	if m := regexp.MustCompile(`entries +(\d+)`).FindStringSubmatch(out.String()); m == nil || m[1] != strconv.Itoa(want) {
		t.Errorf("the audit log has %v entries, want %d:\n%s", m, want, out.String())
	}
	c.Organisations = 1
	if err := House(t.Context(), c); err == nil {
		t.Error("one organisation alone has nobody to read another's records")
	}
}

// The same number makes the same listing, and what it makes is well formed.
func TestContent(t *testing.T) {
	v := newVaried(Invented())
	levels := make(map[string]int)
	for i := range 60 {
		a, b := v.content(i), v.content(i)
		if err := a.Record.Validate(); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if a.Listing.Texts["en"].Abstract != b.Listing.Texts["en"].Abstract || a.Record.Texts["en"].Description != b.Record.Texts["en"].Description {
			t.Fatalf("content %d differs from itself", i)
		}
		levels[string(a.Record.Visibility())]++
		if len(a.Record.Sections) > 0 {
			levels["some sections restricted"]++
		}
	}
	if len(levels) != 3 {
		t.Errorf("kinds of records: %v", levels)
	}
}
