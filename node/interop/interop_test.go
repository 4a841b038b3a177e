package interop

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

func protocolLang(s string) protocol.Lang { return protocol.Lang(s) }

// canonicalTag undoes that RDF compares language tags in small letters.
func canonicalTag(tag string) string { return strings.Replace(tag, "-hant", "-Hant", 1) }

func TestCanonical(t *testing.T) {
	const there, here = "https://hub.th/listings/TH/x-1", "https://kh.example.org/listings/TH/x-1"
	for card, want := range map[string]string{
		"https://hub.th": there, "https://hub.th/": there, "https://hub.th/?q=1#top": there, "https://hub.th/tmh/": "https://hub.th/tmh/listings/TH/x-1",
		"": here, "javascript:alert(1)": here, "//hub.th": here, "https://": here, "https://user:secret@hub.th": here, "https:hub.th": here,
		"https://hub.th/%zz[1]": "https://hub.th/%25zz%5B1%5D/listings/TH/x-1", "https://[::1]:8080": "https://[::1]:8080/listings/TH/x-1",
		"https://hub.th/a\"><script>": "https://hub.th/a%22%3E%3Cscript%3E/listings/TH/x-1", "http://[::1": here,
	} {
		s := site()
		s.URL = func(protocol.MemberID) string { return card }
		if got := Canonical(s, match.Ref{Origin: "TH", ID: "x-1"}); got != want {
			t.Errorf("with card %q: %q, want %q", card, got, want)
		}
		if got := Canonical(s, match.Ref{Origin: "KH", ID: "x-1"}); got != "https://kh.example.org/listings/KH/x-1" {
			t.Errorf("an own listing's page is %q", got)
		}
	}
	s := site()
	s.URL = nil
	if got := Canonical(s, match.Ref{Origin: "TH", ID: "x-1"}); got != here {
		t.Errorf("without cards: %q", got)
	}
	if got := Canonical(s, match.Ref{Origin: "TH", ID: "../../a?b"}); got != "https://kh.example.org/listings/TH/..%2F..%2Fa%3Fb" {
		t.Errorf("an id that none may have: %q", got)
	}
}

func TestSchemaOrgTypes(t *testing.T) {
	for kind, want := range map[protocol.Kind][2]string{
		protocol.TechnologyOffer: {"Offer", "Product"}, protocol.TechnologyRequest: {"Demand", "Product"}, protocol.ResearchPartner: {"Demand", "Service"},
		protocol.Expertise: {"Offer", "Service"}, protocol.Facility: {"Offer", "Service"}, protocol.FundingCall: {"MonetaryGrant", ""},
	} {
		l := *examples()["full"].Listing
		l.Kind = kind
		b, err := SchemaOrg(site(), entryOf("TH", &l))
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Graph []struct {
				Type  string `json:"@type"`
				Seeks any    `json:"seeks"`
				Item  struct {
					Type string `json:"@type"`
				} `json:"itemOffered"`
				Availability string `json:"availability"`
				Through      string `json:"validThrough"`
			} `json:"@graph"`
		}
		decode(t, b, &doc)
		main := doc.Graph[1]
		if main.Type != want[0] || main.Item.Type != want[1] {
			t.Errorf("%s is %s of %s, want %v", kind, main.Type, main.Item.Type, want)
		}
		if (main.Type == "Demand") != (doc.Graph[2].Seeks != nil) {
			t.Errorf("%s: the organisation seeks %v", kind, doc.Graph[2].Seeks)
		}
		if main.Type != "MonetaryGrant" && main.Through != "2027-09-01" {
			t.Errorf("%s is valid through %q", kind, main.Through)
		}
	}
	l := *examples()["full"].Listing
	l.ValidUntil = date(2026, 9, 2)
	b, _ := SchemaOrg(site(), entryOf("TH", &l))
	if !bytes.Contains(b, []byte("schema.org/Discontinued")) {
		t.Error("an expired offer is said to be available")
	}
}

// TestInventedSaysSo: no form passes an invented listing on as a real one.
func TestInventedSaysSo(t *testing.T) {
	for _, form := range forms() {
		if form == "sitemap.xml" { // addresses only
			continue
		}
		if b := written(t, form, examples()["minimal"]); !bytes.Contains(b, []byte(demonstration)) && !bytes.Contains(b, []byte("demonstration")) {
			t.Errorf("%s does not say that the listing is invented:\n%s", form, b)
		}
	}
}

// TestImportColumnsComeBack reads downloads with the node's own door for files.
func TestImportColumnsComeBack(t *testing.T) {
	for _, name := range []string{"full", "minimal"} {
		for _, format := range []table.Format{table.CSV, table.JSONL} {
			var b bytes.Buffer
			if err := Write(&b, format, ForImport, nil, site(), all(examples()[name], examples()["withdrawn"])); err != nil {
				t.Fatal(err)
			}
			n := 0
			for row := range ingest.Rows(string(format), &b) {
				n++
				want := *examples()[name].Listing
				if format == table.CSV { // which has no columns for what the origin sets
					want.Updated, want.Full, want.FullRegistered, want.FullRestricted = 0, protocol.Hash{}, protocol.Hash{}, protocol.Hash{}
				}
				if row.Err != nil {
					t.Fatalf("%s of %s: %v", format, name, row.Err)
				}
				if d := cmp.Diff(&want, row.Listing); d != "" {
					t.Errorf("%s of %s comes back as another listing:\n%s", format, name, d)
				}
			}
			if n != 1 {
				t.Errorf("%s of %s has %d rows", format, name, n)
			}
		}
	}
}

func TestWriteStopsAtAFault(t *testing.T) {
	fault := errors.New("no more")
	broken := func(yield func(exchange.Entry, error) bool) {
		if yield(examples()["minimal"], nil) {
			yield(exchange.Entry{}, fault)
		}
	}
	for _, format := range table.Formats() {
		if err := Write(io.Discard, format, All, nil, site(), broken); !errors.Is(err, fault) {
			t.Errorf("%s: %v", format, err)
		}
	}
	if err := Sitemap(io.Discard, site(), broken); !errors.Is(err, fault) {
		t.Errorf("sitemap: %v", err)
	}
	if err := SitemapIndex(io.Discard, site(), broken); !errors.Is(err, fault) {
		t.Errorf("index: %v", err)
	}
	if Known("xls", All) == nil || Known(table.CSV, "some") == nil || Known(table.XLSX, ForImport) != nil {
		t.Error("Known takes what Write does not")
	}
}

func TestColumnsAndCellsFit(t *testing.T) {
	for _, set := range []Set{ForImport, All} {
		for _, e := range examples() {
			names, cells := Columns(set, nil), Cells(set, nil, site(), e)
			if len(names) != len(cells) {
				t.Errorf("%d columns and %d cells", len(names), len(cells))
			}
			if i := slices.Index(names, "withdrawn_reason"); i >= 0 && e.Tombstone != nil && cells[i] != "superseded" {
				t.Errorf("withdrawn because of %q", cells[i])
			}
		}
	}
	// What ingest does not know, it refuses by name: every column for import is one of its own.
	header := strings.Join(Columns(ForImport, nil), ",") + "\n"
	for row := range ingest.Rows("csv", strings.NewReader(header)) {
		t.Errorf("the columns for import are refused: %v", row.Err)
	}
	if _, err := csv.NewReader(strings.NewReader(header)).Read(); err != nil {
		t.Error(err)
	}
}

func TestAtom(t *testing.T) {
	var entries []exchange.Entry
	for i, at := range []protocol.Instant{300, 100, 200} {
		l := *examples()["minimal"].Listing
		l.ID, l.Updated = protocol.ListingID(fmt.Sprint("n", i)), at
		entries = append(entries, entryOf("KH", &l))
	}
	var b bytes.Buffer
	if err := Atom(&b, site(), Feed{Query: "q=a b\"<>&", Entries: entries, Self: "https://kh.example.org/search.atom?q=1&kind=TO", Next: "javascript:x"}); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		ID      string   `xml:"id"`
		Updated string   `xml:"updated"`
		IDs     []string `xml:"entry>id"`
		Links   []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"link"`
	}
	parseXML(t, b.Bytes(), &doc)
	if want := []string{"tag:tmh.example.org,2026:KH/n0", "tag:tmh.example.org,2026:KH/n2", "tag:tmh.example.org,2026:KH/n1"}; !slices.Equal(doc.IDs, want) {
		t.Errorf("entries %q, want the newest first", doc.IDs)
	}
	if doc.ID != "tag:tmh.example.org,2026:KH/search?q=a%20b%22%3C%3E&" || doc.Updated != "1970-01-01T00:05:00Z" {
		t.Errorf("feed %q of %s", doc.ID, doc.Updated)
	}
	if len(doc.Links) != 1 || doc.Links[0].Href != "https://kh.example.org/search.atom?q=1&kind=TO" {
		t.Errorf("links %v", doc.Links)
	}
	b.Reset()
	if err := Atom(&b, site(), Feed{}); err != nil || !strings.Contains(b.String(), "<updated>2026-09-20T12:00:00Z</updated>") {
		t.Errorf("an empty feed: %v %s", err, b.String())
	}
	th := Feed{Lang: []protocol.Lang{"vi", "th"}, Entries: []exchange.Entry{examples()["full"]}}
	b.Reset()
	if err := Atom(&b, site(), th); err != nil || !strings.Contains(b.String(), `<title type="text" xml:lang="th">สารเคลือบขวดสมมติ</title>`) {
		t.Errorf("the reader's language is not taken: %v", err)
	}
}

// TestSitemapPages: index and pages agree, and nothing is left out, twice, or another's.
func TestSitemapPages(t *testing.T) {
	var entries []exchange.Entry
	for i := range 25 {
		l := *examples()["minimal"].Listing
		l.ID, l.Updated = protocol.ListingID(fmt.Sprintf("n%02d", i)), protocol.Instant(1000+i)
		entries = append(entries, entryOf("KH", &l))
	}
	expired := *examples()["full"].Listing
	expired.ID, expired.ValidUntil = "n05x", date(2026, 9, 19)
	entries = slices.Insert(entries, 6, entryOf("KH", &expired), examples()["full"], examples()["withdrawn"])
	read := func(b []byte) []string {
		var doc struct {
			URLs  []string `xml:"url>loc"`
			Pages []string `xml:"sitemap>loc"`
		}
		parseXML(t, b, &doc)
		return append(doc.URLs, doc.Pages...)
	}
	for _, bounds := range []pager{{maxURLs: 10, maxBytes: sitemapBytes}, {maxURLs: 1, maxBytes: sitemapBytes}, {maxURLs: 100, maxBytes: 1200}} {
		fresh := func() *pager { p := bounds; return &p }
		var b bytes.Buffer
		if err := sitemapIndex(&b, site(), all(entries...), fresh()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, page := range read(b.Bytes()) {
			_, after, _ := strings.Cut(page, "?after=")
			from := slices.IndexFunc(entries, func(e exchange.Entry) bool { return string(e.ID) == after }) + 1
			b.Reset()
			if err := sitemap(&b, site(), all(entries[from:]...), fresh()); err != nil {
				t.Fatal(err)
			}
			if b.Len() > bounds.maxBytes {
				t.Errorf("a page of %d bytes, at most %d", b.Len(), bounds.maxBytes)
			}
			locs := read(b.Bytes())
			if len(locs) > bounds.maxURLs || len(locs) == 0 {
				t.Errorf("%d addresses, at most %d", len(locs), bounds.maxURLs)
			}
			got = append(got, locs...)
		}
		var want []string
		for i := range 25 {
			want = append(want, fmt.Sprintf("https://kh.example.org/listings/KH/n%02d", i))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("the pages of %+v tell of other listings:\n%s", bounds, d)
		}
	}
	var b bytes.Buffer
	if err := SitemapIndex(&b, site(), all()); err != nil || len(read(b.Bytes())) != 1 {
		t.Errorf("an index of nothing: %v %s", err, b.String())
	}
	if got := string(Robots(site())); !strings.Contains(got, "\nSitemap: https://kh.example.org/sitemap.xml\n") {
		t.Errorf("robots.txt: %s", got)
	}
}

// BenchmarkWrite measures downloads: 10,000 listings an operation.
func BenchmarkWrite(b *testing.B) {
	const n = 10_000
	e := examples()["full"]
	many := func(yield func(exchange.Entry, error) bool) {
		for range n {
			if !yield(e, nil) {
				return
			}
		}
	}
	for _, format := range table.Formats() {
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Write(io.Discard, format, All, nil, site(), many); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkSchemaOrg(b *testing.B) {
	e := examples()["full"]
	for b.Loop() {
		if _, err := SchemaOrg(site(), e); err != nil {
			b.Fatal(err)
		}
	}
}

// hostile makes a listing of what a fuzzer gives; it need not be valid.
func hostile(lang, title, other string) exchange.Entry {
	l := &protocol.Listing{
		ID: protocol.ListingID(other), Kind: protocol.Kind(other), Country: protocol.Country(lang), Region: title, URL: "https://" + other, Published: 20000,
		Texts:        map[protocol.Lang]protocol.Text{protocol.Lang(lang): {Title: title, Value: other, Abstract: title, Keywords: []string{other}}},
		Organisation: protocol.Organisation{Name: title, Type: other, Size: other}, TRL: uint8(len(title)), IPR: []string{other}, FORD: []string{title},
		IPC: []string{other}, Seeks: protocol.Seeks{Types: []string{title}, Countries: []protocol.Country{protocol.Country(other)}}, Demonstration: len(other)%2 == 0,
	}
	return entryOf(protocol.MemberID(title), l)
}

func hostileSeeds(f *testing.F) {
	for _, e := range examples() {
		if e.Listing != nil {
			for lang, text := range e.Listing.Texts {
				f.Add(string(lang), text.Title, text.Abstract)
			}
		}
	}
	f.Add("en", "</script><!--<script>", "]]>\x00\x0b\u2028\ufffe")
	f.Add("\"><x>", "\xff\xfe]]>&lt;", "[::1")
}

func FuzzJSONLD(f *testing.F) {
	hostileSeeds(f)
	f.Fuzz(func(t *testing.T, lang, title, other string) {
		e, s := hostile(lang, title, other), site()
		s.URL = func(protocol.MemberID) string { return "https://" + other }
		page, err := SchemaOrg(s, e)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.IndexAny(page, "<>&\u2028\u2029"); i >= 0 {
			t.Errorf("%q can leave a script element", page[i:])
		}
		catalogue, err := DCAT(s, Catalogue{Entries: []exchange.Entry{e}, Access: []Access{{Title: title, URL: "https://" + other, MediaType: lang, Service: true}}})
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(page) || !json.Valid(catalogue) {
			t.Error("no JSON")
		}
	})
}

func FuzzDublinCore(f *testing.F) {
	hostileSeeds(f)
	f.Fuzz(func(t *testing.T, lang, title, other string) {
		e, s := hostile(lang, title, other), site()
		s.URL = func(protocol.MemberID) string { return "https://" + other }
		var feed, pages bytes.Buffer
		if err := Atom(&feed, s, Feed{Title: title, Query: other, Entries: []exchange.Entry{e}, Self: "https://" + title}); err != nil {
			t.Fatal(err)
		}
		own := e
		own.Origin = s.Member
		if err := Sitemap(&pages, s, all(own)); err != nil {
			t.Fatal(err)
		}
		dc, err := DublinCore(s, e.Origin, e.Listing)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := ListingXML(s, e.Origin, e.Listing)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{dc, ours, feed.Bytes(), pages.Bytes()} {
			d := xml.NewDecoder(bytes.NewReader(b))
			for {
				_, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%v in %q", err, b)
				}
			}
		}
	})
}
