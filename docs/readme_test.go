package docs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/ingest"
)

func documents(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, pattern := range []string{"../README.md", "*.md", "decisions/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			all[p] = string(b)
		}
	}
	return all
}

func TestLinksLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	for path, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			}
		}
	}
}

// TestSampleListingIsTaken: the listing that README shows passes the door that imports use.
func TestSampleListingIsTaken(t *testing.T) {
	n := 0
	for line := range strings.Lines(documents(t)["../README.md"]) {
		if sample, ok := strings.CutPrefix(line, `    {"id"`); ok {
			n++
			if _, err := ingest.DecodeListingJSON([]byte(`{"id"` + strings.TrimSpace(sample))); err != nil {
				t.Error(err)
			}
		}
	}
	if n != 1 {
		t.Errorf("README shows %d sample listings, want 1", n)
	}
}

// TestSampleDraftIsTaken: the draft that README shows has no fault beside the id, which the node gives, and the country, which
// is the author's.
func TestSampleDraftIsTaken(t *testing.T) {
	n := 0
	for line := range strings.Lines(documents(t)["../README.md"]) {
		sample, ok := strings.CutPrefix(line, `    {"listing":`)
		if !ok {
			continue
		}
		n++
		var draft struct {
			Listing map[string]any  `json:"listing"`
			Record  json.RawMessage `json:"record"`
		}
		if err := json.Unmarshal([]byte(`{"listing":`+sample), &draft); err != nil {
			t.Fatal(err)
		}
		draft.Listing["id"], draft.Listing["country"] = "TO-KH-20260921-001", "KH"
		listing, err := json.Marshal(draft.Listing)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ingest.DecodeListingJSON(listing); err != nil {
			t.Error(err)
		}
		if _, err := ingest.DecodeRecordJSON(draft.Record); err != nil {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("README shows %d sample drafts, want 1", n)
	}
}

// TestCommandsExist: every tmh command in README has its file, and every flag shown stands in it.
func TestCommandsExist(t *testing.T) {
	command := regexp.MustCompile(`(?m)^ +(?:\./)?tmh ([a-z]+)(.*)$`)
	found := command.FindAllStringSubmatch(documents(t)["../README.md"], -1)
	if len(found) < 10 {
		t.Fatalf("README shows only %d commands", len(found))
	}
	for _, m := range found {
		source, err := os.ReadFile(filepath.Join("..", "cmd", "tmh", m[1]+".go"))
		if err != nil {
			t.Errorf("README shows tmh %s: %v", m[1], err)
			continue
		}
		more, _ := filepath.Glob(filepath.Join("..", "cmd", "tmh", m[1]+"_*.go"))
		if strings.Contains(string(source), "orgCommand(") {
			more = append(more, filepath.Join("..", "cmd", "tmh", "mapping.go"))
		}
		for _, name := range more {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source = append(source, b...)
		}
		shown, _, _ := strings.Cut(m[2], "#")
		for _, flag := range regexp.MustCompile(` --([a-z-]+)`).FindAllStringSubmatch(shown, -1) {
			if flag[1] != "dir" && !strings.Contains(string(source), `"`+flag[1]+`"`) {
				t.Errorf("README shows tmh %s --%s, which it does not take", m[1], flag[1])
			}
		}
	}
}
