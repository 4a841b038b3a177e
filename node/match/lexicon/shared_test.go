package lexicon

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/asean-tmh/tmh/node/match/mapped"
)

// The published dictionaries that this project is measured with, where they are: all of them fit into one small pack.
func TestPublishedDictionaries(t *testing.T) {
	shared := os.DirFS("../../../../shared/data")
	if _, err := fs.Stat(shared, "lexicon"); err != nil {
		t.Skip("../shared/data is not here:", err)
	}
	if testing.Short() {
		t.Skip("reads 25 MB of dictionaries")
	}
	im := NewImporter()
	if err := im.WordNet(os.DirFS("/usr/share/wordnet")); err != nil {
		t.Log("without wordnet tables:", err)
	}
	for _, name := range []string{"lexicon", "segmentation"} {
		sub, err := fs.Sub(shared, name)
		if err != nil {
			t.Fatal(err)
		}
		reports, err := im.Files(sub)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reports {
			if r.Form == "" && r.File != "id_ID.aff" && r.File != "thbrk.tri" {
				t.Errorf("%s was not recognised", r.File)
			}
		}
	}
	if err := im.Finish(); err != nil {
		t.Fatal(err)
	}
	b, err := im.Builder.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 40<<20 {
		t.Errorf("the pack has %d bytes", len(b))
	}
	path := filepath.Join(t.TempDir(), "all"+Extension)
	if err := mapped.Write(path, b); err != nil {
		t.Fatal(err)
	}
	l, problems, err := Open(filepath.Dir(path))
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	for _, c := range []struct {
		lang, word string
		least      int // headwords
	}{
		{"id", "energi", 30_000}, {"th", "พลังงาน", 20_000}, {"vi", "năng lượng", 15_000}, {"fil", "enerhiya", 15_000}, {"lo", "ພະລັງງານ", 15_000},
		{"km", "ថាមពល", 4000}, {"my", "စွမ်းအင်", 30_000}, {"zh", "能源", 80_000}, {"ta", "நீர்", 3000},
	} {
		if n := l.Headwords(c.lang); n < c.least {
			t.Errorf("%s has %d headwords", c.lang, n)
		}
		if len(l.Translate(nil, c.lang, c.word)) == 0 {
			t.Errorf("%s: no translation of %s", c.lang, c.word)
		}
	}
}
