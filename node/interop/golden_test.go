package interop

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/table"
)

var update = flag.Bool("update", false, "write testdata/golden anew")

// written is an entry in one form; nil: the form has nothing to say of it.
func written(t *testing.T, form string, e exchange.Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	s := site()
	switch form {
	case "schema.jsonld":
		var out []byte
		if out, err = SchemaOrg(s, e); out != nil {
			b.Write(out)
		}
	case "dcat.jsonld":
		var out []byte
		out, err = DCAT(s, Catalogue{Entries: []exchange.Entry{e}, Access: access()})
		b.Write(out)
	case "atom":
		err = Atom(&b, s, Feed{
			Title: "Search for “<b>coating</b>”", Query: "q=coating+\"x\"&kind=TO", Entries: []exchange.Entry{e},
			Self: s.PublicURL + "/search.atom?q=coating", Alternate: s.PublicURL + "/?q=coating", Next: s.PublicURL + "/search.atom?q=coating&cursor=x",
		})
	case "import.csv":
		err = Write(&b, table.CSV, ForImport, languages(e), s, all(e))
	case "all.csv":
		err = Write(&b, table.CSV, All, languages(e), s, all(e))
	case "import.jsonl":
		err = Write(&b, table.JSONL, ForImport, nil, s, all(e))
	case "all.jsonl":
		err = Write(&b, table.JSONL, All, nil, s, all(e))
	case "sitemap.xml":
		err = Sitemap(&b, s, all(e))
	case "oai_dc.xml", "tmh.xml":
		if e.Listing == nil {
			return nil
		}
		encode := DublinCore
		if form == "tmh.xml" {
			encode = ListingXML
		}
		var out []byte
		out, err = encode(s, e.Origin, e.Listing)
		b.Write(out)
	default:
		t.Fatalf("no form %s", form)
	}
	if err != nil {
		t.Fatalf("%s of %s: %v", form, e.ID, err)
	}
	return b.Bytes()
}

func forms() []string {
	return []string{"schema.jsonld", "dcat.jsonld", "atom", "import.csv", "all.csv", "import.jsonl", "all.jsonl", "sitemap.xml", "oai_dc.xml", "tmh.xml"}
}

func access() []Access {
	return []Access{
		{Title: "CSV", URL: "https://kh.example.org/api/v1/export.csv", MediaType: "text/csv", FileType: "CSV"},
		{Title: "OAI-PMH", URL: "https://kh.example.org/oai", MediaType: "application/xml", FileType: "XML", Service: true},
	}
}

func TestGolden(t *testing.T) {
	for _, name := range names() {
		for _, form := range forms() {
			got := written(t, form, examples()[name])
			if filepath.Ext(form) == ".jsonld" && got != nil { // for people who compare
				var b bytes.Buffer
				if err := json.Indent(&b, got, "", " "); err != nil {
					t.Fatalf("%s of %s is no JSON: %v", form, name, err)
				}
				got = b.Bytes()
			}
			path := filepath.Join("testdata", "golden", name+"."+form)
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("%s differs (-update writes it anew):\n%s", path, d)
			}
		}
	}
}
