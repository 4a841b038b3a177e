package bench

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIntake(t *testing.T) {
	if testing.Short() {
		t.Skip("short: a whole node that imports files takes long")
	}
	offers := filepath.Join(t.TempDir(), "offers.jsonl")
	if err := os.WriteFile(offers, []byte(`{"id":"1","title":"A pump","text":"Pumps."}`+"\n"+`{"id":"2","title":"","text":"Nothing."}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := IntakeConfig{Config: Config{Dir: t.TempDir(), Listings: 60, Corpus: Invented(), Out: &out, Progress: io.Discard}, Offers: offers}
	if err := Intake(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"files of 60 rows and 20 columns", "csv, a tenth changed", "xlsx, new", "offers, the same again, 2 rows", "without the match index", "largest RssAnon"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, out.String())
		}
	}
}
