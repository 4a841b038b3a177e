package interop

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// facts are what every form has to say alike.
type facts struct {
	Titles, Abstracts map[string]string // by language
	TRL               string
	Codes             []string // "ford 2.4"
	Published, Until  string
	Country, Org      string
}

func newFacts() facts { return facts{Titles: map[string]string{}, Abstracts: map[string]string{}} }

func (f facts) sorted() facts {
	slices.Sort(f.Codes)
	return f
}

func factsOf(l *protocol.Listing, langs ...protocol.Lang) facts {
	f := newFacts()
	if langs == nil {
		langs = l.Languages()
	}
	for _, lang := range langs {
		f.Titles[string(lang)] = l.Texts[lang].Title
		if a := l.Texts[lang].Abstract; a != "" {
			f.Abstracts[string(lang)] = a
		}
	}
	f.codes("ford", l.FORD)
	f.codes("isic", l.ISIC)
	f.codes("ipc", l.IPC)
	for _, n := range l.SDG {
		f.codes("sdg", []string{strconv.Itoa(int(n))})
	}
	if l.TRL > 0 {
		f.TRL = strconv.Itoa(int(l.TRL))
	}
	f.Published, f.Until, f.Country, f.Org = l.Published.String(), l.ValidUntil.String(), string(l.Country), l.Organisation.Name
	return f.sorted()
}

func (f *facts) codes(list string, codes []string) {
	for _, c := range codes {
		f.Codes = append(f.Codes, list+" "+c)
	}
}

func languages(e exchange.Entry) []protocol.Lang {
	if e.Listing == nil {
		return []protocol.Lang{"en"}
	}
	return e.Listing.Languages()
}

// TestFormsAgree reads the facts back out of every form with a reader of that form's own.
func TestFormsAgree(t *testing.T) {
	readers := map[string]func(*testing.T, []byte) facts{
		"schema.jsonld": readSchemaOrg, "dcat.jsonld": readDCAT, "atom": readAtom, "oai_dc.xml": readDublinCore,
		"import.jsonl": func(t *testing.T, b []byte) facts { return readJSON(t, b, new(protocol.Listing)) },
		"all.jsonl": func(t *testing.T, b []byte) facts {
			var e exchange.Entry
			decode(t, b, &e)
			return factsOf(e.Listing)
		},
		"tmh.xml":    func(t *testing.T, b []byte) facts { return factsOf(fromXML(t, b)) },
		"import.csv": func(t *testing.T, b []byte) facts { return readTable(t, b, table.CSV) },
		"all.csv":    func(t *testing.T, b []byte) facts { return readTable(t, b, table.CSV) },
	}
	for _, name := range names() {
		e := examples()[name]
		if e.Listing == nil {
			continue
		}
		for form, read := range readers {
			want := factsOf(e.Listing)
			if form == "atom" { // which has one language a feed
				want = factsOf(e.Listing, "en")
			}
			if d := cmp.Diff(want, read(t, written(t, form, e)).sorted()); d != "" {
				t.Errorf("%s says other things than listing %s:\n%s", form, name, d)
			}
		}
		var b bytes.Buffer
		if err := Write(&b, table.XLSX, All, languages(e), site(), all(e)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(factsOf(e.Listing), readTable(t, b.Bytes(), table.XLSX).sorted()); d != "" {
			t.Errorf("xlsx says other things than listing %s:\n%s", name, d)
		}
	}
}

// TestWithdrawn checks what every form says of what is gone: nothing, or that it is gone.
func TestWithdrawn(t *testing.T) {
	for form, want := range map[string]string{
		"schema.jsonld": "", "import.jsonl": "", "atom": `<at:deleted-entry ref="tag:tmh.example.org,2026:TH/demo-gone"`,
		"all.jsonl": `"reason":"superseded"`, "all.csv": "superseded,demo-full_1~a.b",
	} {
		got := string(written(t, form, examples()["withdrawn"]))
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s of a withdrawn listing is %q, want %q in it", form, got, want)
		}
	}
	if got := string(written(t, "dcat.jsonld", examples()["withdrawn"])); strings.Contains(got, "demo-gone") {
		t.Error("DCAT names a withdrawn listing")
	}
}

func decode(t *testing.T, b []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
}

func readJSON(t *testing.T, b []byte, l *protocol.Listing) facts {
	t.Helper()
	decode(t, b, l)
	return factsOf(l)
}

type langValue struct {
	Lang  string `json:"@language"`
	Value string `json:"@value"`
}

func readSchemaOrg(t *testing.T, b []byte) facts {
	t.Helper()
	type definedTerm struct {
		Code string `json:"termCode"`
		Set  struct {
			ID string `json:"@id"`
		} `json:"inDefinedTermSet"`
	}
	var doc struct {
		Graph []struct {
			ID        string          `json:"@id"`
			Name      json.RawMessage `json:"name"`
			Abstract  []langValue     `json:"abstract"`
			About     []definedTerm   `json:"about"`
			Mentions  []definedTerm   `json:"mentions"`
			Published string          `json:"datePublished"`
			Expires   string          `json:"expires"`
			Address   struct {
				Country string `json:"addressCountry"`
			} `json:"address"`
		} `json:"@graph"`
	}
	decode(t, b, &doc)
	page, org := doc.Graph[0], doc.Graph[2]
	f := newFacts()
	var titles []langValue
	decode(t, page.Name, &titles)
	for _, v := range titles {
		f.Titles[v.Lang] = v.Value
	}
	for _, v := range page.Abstract {
		f.Abstracts[v.Lang] = v.Value
	}
	for _, c := range append(page.About, page.Mentions...) {
		switch list := strings.TrimPrefix(c.Set.ID, "urn:asean-tmh:codes:"); list {
		case "trl":
			f.TRL = c.Code
		case "ford", "isic", "ipc", "sdg":
			f.codes(list, []string{c.Code})
		}
	}
	f.Published, f.Until, f.Country = page.Published, page.Expires, org.Address.Country
	if org.Name != nil {
		decode(t, org.Name, &f.Org)
	}
	return f
}

func parseXML(t *testing.T, b []byte, into any) {
	t.Helper()
	if err := xml.Unmarshal(b, into); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
}

func readAtom(t *testing.T, b []byte) facts {
	t.Helper()
	type text struct {
		Lang string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	}
	var doc struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		ID      string   `xml:"http://www.w3.org/2005/Atom id"`
		Entries []struct {
			Title      text   `xml:"http://www.w3.org/2005/Atom title"`
			Content    text   `xml:"http://www.w3.org/2005/Atom content"`
			Published  string `xml:"http://www.w3.org/2005/Atom published"`
			Valid      string `xml:"http://purl.org/dc/terms/ valid"`
			Author     string `xml:"http://www.w3.org/2005/Atom author>name"`
			Categories []struct {
				Term   string `xml:"term,attr"`
				Scheme string `xml:"scheme,attr"`
			} `xml:"http://www.w3.org/2005/Atom category"`
		} `xml:"http://www.w3.org/2005/Atom entry"`
	}
	parseXML(t, b, &doc)
	if len(doc.Entries) != 1 {
		t.Fatalf("%d entries", len(doc.Entries))
	}
	e, f := doc.Entries[0], newFacts()
	f.Titles[e.Title.Lang] = e.Title.Text
	if e.Content.Text != "" {
		f.Abstracts[e.Content.Lang] = e.Content.Text
	}
	if e.Title.Type != "text" {
		t.Errorf("the title is of type %q", e.Title.Type)
	}
	for _, c := range e.Categories {
		switch list := strings.TrimPrefix(c.Scheme, "urn:asean-tmh:codes:"); list {
		case "trl":
			f.TRL = c.Term
		case "country":
			f.Country = c.Term
		case "ford", "isic", "ipc", "sdg":
			f.codes(list, []string{c.Term})
		}
	}
	f.Published, _, _ = strings.Cut(e.Published, "T")
	f.Until, f.Org = e.Valid, strings.TrimPrefix(e.Author, notNamed)
	return f
}

func readDublinCore(t *testing.T, b []byte) facts {
	t.Helper()
	var doc struct {
		XMLName  xml.Name `xml:"http://www.openarchives.org/OAI/2.0/oai_dc/ dc"`
		Elements []struct {
			XMLName xml.Name
			Lang    string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	parseXML(t, b, &doc)
	f := newFacts()
	for _, e := range doc.Elements {
		if e.XMLName.Space != "http://purl.org/dc/elements/1.1/" {
			t.Errorf("%v is no element of Dublin Core", e.XMLName)
		}
		switch e.XMLName.Local {
		case "title":
			f.Titles[e.Lang] = e.Text
		case "description": // the value statement comes first
			if e.Text != demonstration {
				f.Abstracts[e.Lang] = e.Text
			}
		case "subject":
			head, _, _ := strings.Cut(e.Text, ":")
			switch list, code, _ := strings.Cut(head, " "); list {
			case "TRL":
				f.TRL = code
			case "FORD", "ISIC", "IPC", "SDG":
				f.codes(strings.ToLower(list), []string{code})
			}
		case "date":
			if _, end, ok := strings.Cut(e.Text, "end="); ok {
				f.Until = end[:10]
			} else {
				f.Published = e.Text
			}
		case "coverage":
			if e.Lang == "" {
				f.Country = e.Text
			}
		case "publisher":
			f.Org = strings.TrimPrefix(e.Text, notNamed)
		}
	}
	return f
}

// readTable reads the one row of a table as any reader would.
func readTable(t *testing.T, b []byte, format table.Format) facts {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := table.Open(path, format, table.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	row, err := r.Next()
	if err != nil || row.Err != nil {
		t.Fatal(err, row.Err)
	}
	f := newFacts()
	for _, c := range row.Fields {
		if c.Value == "" {
			continue
		}
		part, lang, _ := strings.Cut(c.Name, "_")
		switch {
		case part == "title":
			f.Titles[lang] = c.Value
		case part == "abstract":
			f.Abstracts[lang] = c.Value
		case c.Name == "trl":
			f.TRL = c.Value
		case c.Name == "ford", c.Name == "isic", c.Name == "ipc", c.Name == "sdg":
			f.codes(c.Name, strings.Split(c.Value, "; "))
		case c.Name == "published":
			f.Published = c.Value
		case c.Name == "valid_until":
			f.Until = c.Value
		case c.Name == "country":
			f.Country = c.Value
		case c.Name == "organisation_name":
			f.Org = c.Value
		}
	}
	return f
}
