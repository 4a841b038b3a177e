package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui"
)

// shelf is a desk with n listings of KH, made while they are read.
type shelf struct {
	*desk
	n      int
	read   int
	broken int           // page that cannot be read; 0: none
	stop   chan struct{} // not nil: the second page is not read before it is closed
}

func (s *shelf) Figures() stats.Report { return stats.Report{Listings: s.n} }

func (s *shelf) Entries(f match.Filter, after match.Ref, limit int) (exchange.Page, error) {
	s.filter, s.limit = f, limit
	s.read++
	if s.read == s.broken {
		return exchange.Page{}, errors.New("disk gone")
	}
	if s.stop != nil && s.read == 2 {
		<-s.stop
	}
	from := 0
	if after.ID != "" {
		from, _ = strconv.Atoi(strings.TrimPrefix(string(after.ID), "TO-"))
	}
	var p exchange.Page
	for i := from + 1; i <= min(from+limit, s.n); i++ {
		n := strconv.Itoa(i)
		ref := match.Ref{Origin: "KH", ID: protocol.ListingID("TO-00000000"[:11-len(n)] + n)}
		e := s.page.Entries[0]
		e.Ref = ref
		if s.n <= 100_000 { // more are only counted
			l := *e.Listing
			l.ID = ref.ID
			e.Listing = &l
		}
		p.Entries = append(p.Entries, e)
		if i < s.n {
			p.Next = ref
		} else {
			p.Next = match.Ref{}
		}
	}
	return p, nil
}

func shelved(t testing.TB, n int, change ...func(*api.Config)) (*shelf, http.Handler) {
	t.Helper()
	s := &shelf{desk: newDesk(t), n: n}
	change = append([]func(*api.Config){func(c *api.Config) { c.Desk, c.Member = s, "KH" }}, change...)
	return s, newAPI(s.desk, "", change...).Public()
}

func TestDownloads(t *testing.T) {
	s, h := shelved(t, 250)
	for name, want := range map[string]struct{ kind, begins string }{
		"listings.csv":   {"text/csv; charset=utf-8; header=present", "\xef\xbb\xbfid,kind,"},
		"listings.xlsx":  {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK"},
		"listings.jsonl": {"application/jsonl", `{"origin":"KH","id":"TO-00000001"`},
	} {
		w := ask(h, "GET", "/api/v1/"+name+"?kind=TO&set=all&lang=en,th", "")
		if w.Code != 200 || w.Header().Get("Content-Type") != want.kind || !strings.HasPrefix(w.Body.String(), want.begins) {
			t.Errorf("%s: %d %v %.100q", name, w.Code, w.Header(), w.Body)
		}
		if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="tmh-KH-2026-09-21-`+name+`"` {
			t.Errorf("%s: %s", name, got)
		}
		if s.filter.Kinds[0] != "TO" || s.filter.Today == 0 || s.limit != 100 {
			t.Errorf("%s: asked %+v", name, s.filter)
		}
		if head := ask(h, "HEAD", "/api/v1/"+name, ""); head.Code != 200 || head.Header().Get("Content-Type") != want.kind {
			t.Errorf("HEAD %s: %d %v", name, head.Code, head.Header())
		}
	}
	w := ask(h, "GET", "/api/v1/listings.csv?set=import&lang=th,en,th", "")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.Body.String(), "\xef\xbb\xbf"))).ReadAll()
	if err != nil || len(rows) != 251 || !slices.Equal(rows[0], interop.Columns(interop.ForImport, []protocol.Lang{"th", "en"})) {
		t.Errorf("%d rows, %v, %v", len(rows), rows[0], err)
	}
	if n := strings.Count(ask(h, "GET", "/api/v1/listings.jsonl?set=import", "").Body.String(), "\n"); n != 250 {
		t.Errorf("%d lines", n)
	}
}

func TestWorkbookThatIsTooSmall(t *testing.T) {
	s, h := shelved(t, 1<<20)
	p := problem(t, ask(h, "GET", "/api/v1/listings.xlsx", ""), 422)
	if !strings.Contains(p.Detail, "listings.csv") || s.read < 10_000 {
		t.Errorf("%s after %d pages", p.Detail, s.read)
	}
}

// TestDownloadThatBreaks: a fault before the first byte is a problem, and one after it must not look like the end.
func TestDownloadThatBreaks(t *testing.T) {
	s, h := shelved(t, 5000)
	for _, name := range []string{"listings.csv", "listings.jsonl", "listings.xlsx"} {
		s.read, s.broken = 0, 1
		w := ask(h, "GET", "/api/v1/"+name, "")
		if p := problem(t, w, 500); strings.Contains(w.Body.String(), "disk") || p.Code != protocol.CodeInternal || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: %v %s", name, w.Header(), w.Body)
		}
	}
	server := httptest.NewServer(h)
	defer server.Close()
	s.read, s.broken = 0, 40
	r, err := http.Get(server.URL + "/api/v1/listings.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if b, err := io.ReadAll(r.Body); err == nil || len(b) == 0 {
		t.Errorf("%d bytes that look whole", len(b))
	}
}

// TestDownloadOutlivesTheTimeForRequests: the server's limits are for small answers.
func TestDownloadOutlivesTheTimeForRequests(t *testing.T) {
	s, h := shelved(t, 1000)
	s.stop = make(chan struct{})
	server := httptest.NewUnstartedServer(h)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	server.Start()
	defer server.Close()
	time.AfterFunc(400*time.Millisecond, func() { close(s.stop) })
	r, err := http.Get(server.URL + "/api/v1/listings.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if b, err := io.ReadAll(r.Body); err != nil || bytes.Count(b, []byte("\n")) != 1000 {
		t.Errorf("%d lines, %v", bytes.Count(b, []byte("\n")), err)
	}
}

// TestDownloadsOfOneVisitor: who takes too many is refused, while others get theirs.
func TestDownloadsOfOneVisitor(t *testing.T) {
	_, h := shelved(t, 100_000)
	server := httptest.NewServer(h)
	defer server.Close()
	var open []*http.Response
	defer func() {
		for _, r := range open {
			_ = r.Body.Close()
		}
	}()
	for range 2 { // not read, so that they stand still
		r, err := http.Get(server.URL + "/api/v1/listings.jsonl")
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatal(r, err)
		}
		open = append(open, r)
	}
	r, err := http.Get(server.URL + "/api/v1/listings.csv")
	if err != nil {
		t.Fatal(err)
	}
	open = append(open, r)
	if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the third: %d %v", r.StatusCode, r.Header)
	}
	other := httptest.NewRequest(http.MethodGet, "/api/v1/listings.csv?set=import", nil)
	other.RemoteAddr = "198.51.100.7:1000"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, other)
	if w.Code != 200 || bytes.Count(w.Body.Bytes(), []byte("\r\n")) != 100_001 {
		t.Errorf("another: %d, %d rows", w.Code, bytes.Count(w.Body.Bytes(), []byte("\r\n")))
	}
}

// TestHostileExports: what strangers put into addresses and headers bends no header, file name, link or amount of work.
func TestHostileExports(t *testing.T) {
	s, h := shelved(t, 250)
	for target, want := range map[string]string{
		"listings.csv?kind=TO%0D%0ASet-Cookie:x":                 "value kind[0]",
		"listings.csv?country=%22%3B":                            "value country[0]",
		"listings.csv?set=../../x":                               "value set",
		"listings.csv?lang=en%0D%0A":                             "value lang[0]",
		"listings.csv?limit=1000000000":                          "unknown limit",
		"listings.csv?set=all&set=import":                        "repeated set",
		"listings.xlsx?lang=" + strings.Repeat("en,", 40) + "en": "value lang",
		"listings.jsonl?trl_min=9&trl_max=1":                     "value trl_max",
		"match.atom?q=+":                                         "required q",
		"match.atom?limit=9999&q=x":                              "unknown limit",
		"match.atom?q=x&after=AAAA":                              "value after",
		"catalogue.jsonld?cursor=AAAA":                           "value cursor",
		"catalogue.jsonld?limit=100000":                          "unknown limit",
	} {
		s.read = 0
		if got := fields(problem(t, ask(h, "GET", "/api/v1/"+target, ""), 422)); got != want || s.read > 0 {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
	problem(t, ask(h, "GET", "/sitemap-listings.xml?after=../x", ""), 422)
	problem(t, ask(h, "GET", "/api/v1/match.atom?q="+strings.Repeat("x", 2001), ""), 422)

	// A cursor of one list is none of another, nor is one that was changed.
	link := ask(h, "GET", "/api/v1/catalogue.jsonld", "").Header().Get("Link")
	cursor, ok := strings.CutPrefix(link, "</api/v1/catalogue.jsonld?cursor=")
	cursor, _, _ = strings.Cut(cursor, ">")
	if !ok || ask(h, "GET", "/api/v1/catalogue.jsonld?cursor="+cursor, "").Code != 200 {
		t.Fatalf("link %q", link)
	}
	problem(t, ask(h, "GET", "/api/v1/listings?cursor="+cursor, ""), 422)
	for i := range cursor {
		other := []byte(cursor)
		if other[i] = 'A'; cursor[i] == 'A' {
			other[i] = 'B'
		}
		problem(t, ask(h, "GET", "/api/v1/catalogue.jsonld?cursor="+string(other), ""), 422)
	}

	for accept, status := range map[string]int{
		"": 200, "*/*": 200, "text/html,application/xhtml+xml,*/*;q=0.8": 200, "text/csv": 200, "text/*": 200, "image/png": 406, "text/csv;q=0": 406,
		strings.Repeat("a/b,", 5000): 406, "\"text/csv": 406, ",,,;;;": 406,
	} {
		w := ask(h, "GET", "/api/v1/listings.csv", "", "Accept", accept)
		if w.Code != status {
			t.Errorf("Accept %.40q: %d", accept, w.Code)
		}
	}
}

// TestAbsoluteAddresses: a node without a public address takes the one that it was asked at, if it can be one.
func TestAbsoluteAddresses(t *testing.T) {
	bare := func(c *api.Config) {
		c.Site = func() interop.Site {
			return interop.Site{Member: "KH", MemberName: "Cambodia", PublicURL: "http://0.0.0.0:8080", Now: c.Now}
		}
	}
	_, h := shelved(t, 3, bare)
	at := func(h http.Handler, host string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/robots.txt", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, host := range []string{"hub.example.org", "localhost:8080", "192.0.2.7:80", "[2001:db8::1]:8080", "[::1]", "x", "a-b.example"} {
		if w := at(h, host); w.Code != 200 || !strings.Contains(w.Body.String(), "Sitemap: http://"+host+"/sitemap.xml\n") {
			t.Errorf("%q: %d %s", host, w.Code, w.Body)
		}
	}
	for _, host := range []string{
		"", "evil.example/path", "a b", "x\r\ny", "a@b", "hub.example.org:99999", "hub:0", "hub:", "::1", "0.0.0.0:80", "-x", "a..b", "<b>", "x?y", "[fe80::1%25x]:1",
		strings.Repeat("a", 300), "xn--" + strings.Repeat("a", 70), "ស.example", "a#b", "[hub]",
	} {
		if w := at(h, host); w.Code != 422 {
			t.Errorf("%q: %d %s", host, w.Code, w.Body)
		}
	}
	_, h = shelved(t, 3, bare, func(c *api.Config) {
		c.Site = func() interop.Site {
			return interop.Site{Member: "KH", MemberName: "Cambodia", PublicURL: "https://hub.example.org/", Now: c.Now}
		}
	})
	if w := at(h, "evil.example"); !strings.Contains(w.Body.String(), "Sitemap: https://hub.example.org/sitemap.xml\n") {
		t.Errorf("the Host overrules the configuration: %s", w.Body)
	}
}

func TestSearchFeed(t *testing.T) {
	_, h := shelved(t, 3)
	feed := func(query string) (links map[string]string, body string, header http.Header) {
		t.Helper()
		w := ask(h, "GET", "/api/v1/match.atom?"+query, "")
		var x struct {
			Links []struct {
				Rel  string `xml:"rel,attr"`
				Href string `xml:"href,attr"`
			} `xml:"link"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &x); w.Code != 200 || err != nil || w.Header().Get("Content-Type") != "application/atom+xml" {
			t.Fatalf("%d %v %v\n%s", w.Code, err, w.Header(), w.Body)
		}
		links = map[string]string{}
		for _, l := range x.Links {
			links[l.Rel] = l.Href
		}
		return links, w.Body.String(), w.Header()
	}
	links, body, header := feed(url.Values{"q": {`fish"><script>` + "\x01"}, "kind": {"TO"}, "trl_min": {"4"}}.Encode())
	const at = "http://example.com"
	if links["self"] != at+"/api/v1/match.atom?kind=TO&q=fish%22%3E%3Cscript%3E%01&trl_min=4" || links["alternate"] != at+"/?kind=TO&q=fish%22%3E%3Cscript%3E%01&sort=newest&trl_min=4" ||
		!strings.HasPrefix(links["next"], at+"/api/v1/match.atom?after=") || strings.Contains(body, "<script") {
		t.Errorf("%v\n%s", links, body)
	}
	next, _ := strings.CutPrefix(links["next"], at+"/api/v1/match.atom?")
	if again, _, _ := feed(next); again["self"] != links["next"] {
		t.Errorf("the next page calls itself %s", again["self"])
	}
	w := ask(h, "GET", "/api/v1/match.atom?q=fish", "", "If-None-Match", "W/"+func() string { _, _, h := feed("q=fish"); return h.Get("ETag") }())
	if w.Code != 304 || w.Body.Len() > 0 || header.Get("ETag") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, query := range []string{"q=a&kind=TO,TR", "q=a&isic=C10", "q=a&expired=true", "q=a&language=zz"} {
		if links, _, _ := feed(query); links["alternate"] != "" {
			t.Errorf("%s: no page shows the same as %s", query, links["alternate"])
		}
	}
}

func TestRootForms(t *testing.T) {
	_, h := shelved(t, 250)
	for _, c := range []struct{ target, kind, want string }{
		{"/sitemap.xml", "application/xml", "<loc>http://example.com/sitemap-listings.xml</loc>"},
		{"/sitemap-listings.xml", "application/xml", "<loc>http://example.com/listings/KH/TO-00000250</loc>"},
		{"/sitemap-listings.xml?after=TO-00000249", "application/xml", "<loc>http://example.com/listings/KH/TO-00000250</loc>"},
		{"/robots.txt", "text/plain; charset=utf-8", "Disallow: /api/"},
		{"/schemas/tmh-listing-1.xsd", "application/xml", "urn:asean-tmh:listing:1"},
		{"/api/v1/listings/KH/TO-1/schema.jsonld", "application/ld+json", `"@context":"https://schema.org"`},
		{"/api/v1/catalogue.jsonld", "application/ld+json", `"dcat:downloadURL":{"@id":"http://example.com/api/v1/listings.csv"}`},
	} {
		w := ask(h, "GET", c.target, "")
		if w.Code != 200 || w.Header().Get("Content-Type") != c.kind || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %v\n%.2000s", c.target, w.Code, w.Header(), w.Body)
		}
		if tag := w.Header().Get("ETag"); tag != "" && ask(h, "GET", c.target, "", "If-None-Match", tag).Code != 304 {
			t.Errorf("%s: %s is not known again", c.target, tag)
		}
	}
	if n := strings.Count(ask(h, "GET", "/sitemap-listings.xml?after=TO-00000249", "").Body.String(), "<loc>"); n != 1 {
		t.Errorf("%d addresses after the last but one", n)
	}
	if p := problem(t, ask(h, "GET", "/api/v1/listings/KH/TO-2/schema.jsonld", ""), 410); p.Tombstone == nil {
		t.Error("no tombstone")
	}
	problem(t, ask(h, "GET", "/api/v1/listings/KH/none/schema.jsonld", ""), 404)
	for _, p := range api.RootPaths() {
		if w := ask(h, "GET", strings.TrimSuffix(p, "/"), ""); w.Code == 404 && p != "/.well-known/tmh/" {
			t.Errorf("%s is not served", p)
		}
	}
}

// said is what a form says of a listing.
type said struct{ Title, Thai, TRL, Published, Until string }

// TestOneListingThroughAllDoors publishes a listing on a real node and reads it back in every form.
func TestOneListingThroughAllDoors(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a node")
	}
	f, err := demo.New(demo.Config{Dir: t.TempDir(), Members: founding.ASEAN()[2:3], Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := f.StartAll(); err != nil {
		t.Fatal(err)
	}
	desk := f.Node("KH").Counter()
	l, err := ingest.DecodeListingJSON([]byte(`{"id":"TO-KH-7","kind":"TO","country":"KH","trl":6,"ford":["2.11"],"published":"2026-09-01","valid_until":"2099-08-31",
		"organisation":{"type":"university","name":"Royal; \"University\""},"texts":{"en":{"title":"=Solar dryer, \"hybrid\" <b>&</b>","abstract":"Dries fish; fast."},"th":{"title":"เครื่องอบแห้งปลา"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Publish(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	a := api.New(api.Config{Desk: desk, Decode: ingest.DecodeListingJSON, Door: &door.Keeper{Member: "KH"}, Member: "KH"})
	mux := http.NewServeMux()
	for _, p := range append(api.RootPaths(), "/api/") {
		mux.Handle(p, a.Public())
	}
	mux.Handle("/", ui.New(ui.Config{Desk: desk, Name: "Cambodia", Site: a.SiteOf}))
	server := httptest.NewServer(mux)
	defer server.Close()
	get := func(path string) []byte {
		t.Helper()
		r, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		b, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v %s", path, r.StatusCode, err, b)
		}
		return b
	}
	if err := demo.Await(t.Context(), "the listing is found", func() bool {
		a, err := desk.Match(t.Context(), match.Query{Text: "solar dryer"})
		return err == nil && len(a.Hits) == 1
	}); err != nil {
		t.Fatal(err)
	}
	title := l.Texts["en"].Title
	want := said{title, "เครื่องอบแห้งปลา", "6", "2026-09-01", "2099-08-31"}
	byJSON := func(b []byte) said {
		var l protocol.Listing
		if err := json.Unmarshal(b, &l); err != nil {
			t.Fatal(err)
		}
		return said{l.Texts["en"].Title, l.Texts["th"].Title, fmt.Sprint(l.TRL), l.Published.String(), l.ValidUntil.String()}
	}
	byEntry := func(b []byte) said {
		var e struct{ Listing json.RawMessage }
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
		return byJSON(e.Listing)
	}
	page, err := html.Parse(bytes.NewReader(get("/listings/KH/TO-KH-7")))
	if err != nil {
		t.Fatal(err)
	}
	var inPage string
	heading := ""
	for n := range page.Descendants() {
		if n.Type == html.ElementNode && n.Data == "script" && slices.Contains(n.Attr, html.Attribute{Key: "type", Val: "application/ld+json"}) {
			inPage = n.FirstChild.Data
		}
		if n.Type == html.ElementNode && n.Data == "h1" {
			heading = n.FirstChild.Data
		}
	}
	if heading != title {
		t.Errorf("the page is headed %q", heading)
	}
	file := func(path string, format table.Format) said {
		at := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(at, get(path), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := table.Open(at, format, table.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		row, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		cells := map[string]string{}
		for _, f := range row.Fields {
			cells[f.Name] = f.Value
		}
		return said{cells["title_en"], cells["title_th"], cells["trl"], cells["published"], cells["valid_until"]}
	}
	got := map[string]said{
		"JSON":                  byEntry(get("/api/v1/listings/KH/TO-KH-7")),
		"JSON Lines":            byEntry(get("/api/v1/listings.jsonl")),
		"JSON Lines for import": byJSON(get("/api/v1/listings.jsonl?set=import")),
		"CSV":                   file("/api/v1/listings.csv?lang=en,th", table.CSV),
		"CSV for import":        file("/api/v1/listings.csv?set=import", table.CSV),
		"XLSX":                  file("/api/v1/listings.xlsx?lang=en,th", table.XLSX),
		"schema.org":            bySchemaOrg(t, get("/api/v1/listings/KH/TO-KH-7/schema.jsonld")),
		"schema.org in page":    bySchemaOrg(t, []byte(inPage)),
		"DCAT":                  byDCAT(t, get("/api/v1/catalogue.jsonld")),
		"Atom":                  byAtom(t, get("/api/v1/match.atom?q=solar+dryer")),
		"Atom in Thai":          byAtom(t, get("/api/v1/match.atom?q=%E0%B9%80%E0%B8%84%E0%B8%A3%E0%B8%B7%E0%B9%88%E0%B8%AD%E0%B8%87%E0%B8%AD%E0%B8%9A%E0%B9%81%E0%B8%AB%E0%B9%89%E0%B8%87%E0%B8%9B%E0%B8%A5%E0%B8%B2&lang=th")),
	}
	for _, door := range slices.Sorted(maps.Keys(got)) {
		want := want
		switch door { // a feed is in one language
		case "Atom":
			want.Thai = ""
		case "Atom in Thai":
			want.Title, want.Thai = want.Thai, ""
		}
		if d := cmp.Diff(want, got[door]); d != "" {
			t.Errorf("%s says something else:\n%s", door, d)
		}
	}
	if b := get("/sitemap-listings.xml"); !bytes.Contains(b, []byte(server.URL+"/listings/KH/TO-KH-7<")) {
		t.Errorf("the sitemap lacks it: %s", b)
	}
}

func graphOf(t *testing.T, b []byte) (all []map[string]any) {
	t.Helper()
	var doc struct {
		Graph []map[string]any `json:"@graph"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return doc.Graph
}

func inLanguage(list any, lang string) string {
	all, _ := list.([]any)
	for _, v := range all {
		if m := v.(map[string]any); m["@language"] == lang {
			return m["@value"].(string)
		}
	}
	return ""
}

func bySchemaOrg(t *testing.T, b []byte) (s said) {
	for _, node := range graphOf(t, b) {
		switch node["@type"] {
		case "WebPage":
			s.Published, s.Until = node["datePublished"].(string), node["expires"].(string)
		case "Offer":
			s.Title, s.Thai = inLanguage(node["name"], "en"), inLanguage(node["name"], "th")
			property := node["itemOffered"].(map[string]any)["additionalProperty"].([]any)[0].(map[string]any)
			s.TRL = fmt.Sprint(property["value"])
		}
	}
	return s
}

func byDCAT(t *testing.T, b []byte) (s said) {
	for _, node := range graphOf(t, b) {
		if node["@type"] == "dcat:Resource" {
			value := func(member string) string { return node[member].(map[string]any)["@value"].(string) }
			s = said{inLanguage(node["dct:title"], "en"), inLanguage(node["dct:title"], "th"), fmt.Sprint(node["tmh:trl"]), value("dct:issued"), value("tmh:validUntil")}
		}
	}
	return s
}

func byAtom(t *testing.T, b []byte) (s said) {
	var feed struct {
		Entry struct {
			Title     string `xml:"title"`
			Published string `xml:"published"`
			Valid     string `xml:"valid"`
			Category  []struct {
				Term   string `xml:"term,attr"`
				Scheme string `xml:"scheme,attr"`
			} `xml:"category"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(b, &feed); err != nil {
		t.Fatal(err)
	}
	s = said{Title: feed.Entry.Title, Published: strings.TrimSuffix(feed.Entry.Published, "T00:00:00Z"), Until: feed.Entry.Valid}
	for _, c := range feed.Entry.Category {
		if c.Scheme == "urn:asean-tmh:codes:trl" {
			s.TRL = c.Term
		}
	}
	return s
}

// FuzzAddresses sends any Host and any address: links in the answers lead to that host or nowhere, and nothing is the node's fault.
func FuzzAddresses(f *testing.F) {
	for _, seed := range [][2]string{{"hub.example.org:80", "q=fish&kind=TO"}, {"[::1]", "q=%ff&after=AAAA"}, {"a b", "lang=th&q=<&ford=2.11"}, {"x@y", ";"}, {"0:1", "cursor=AA"}} {
		f.Add(seed[0], seed[1])
	}
	d := newDesk(f)
	h := newAPI(d, "", func(c *api.Config) { c.Member, c.Limits, c.Load = "KH", new(api.Limits), new(api.Load) }).Public()
	f.Fuzz(func(t *testing.T, host, query string) {
		for _, path := range []string{"/api/v1/match.atom", "/api/v1/listings.csv", "/api/v1/catalogue.jsonld", "/sitemap-listings.xml", "/robots.txt"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host, r.URL.RawQuery = host, query
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Fatalf("%s of %q with %q: %d %s", path, host, query, w.Code, w.Body)
			}
			if _, line, ok := strings.Cut(w.Body.String(), "\nSitemap: "); w.Code == 200 && path == "/robots.txt" {
				if u, err := url.Parse(strings.TrimSuffix(line, "\n")); !ok || err != nil || u.Host != host || u.Path != "/sitemap.xml" || u.User != nil {
					t.Fatalf("%q is taken for a host: %s", host, line)
				}
			}
			if link := w.Header().Get("Link"); strings.ContainsAny(link, "\r\n") {
				t.Fatalf("%q", link)
			}
		}
	})
}

// BenchmarkDownload is of 100,000 listings, without the store: what the forms and the sending cost.
func BenchmarkDownload(b *testing.B) {
	const rows = 100_000
	for _, name := range []string{"listings.csv", "listings.xlsx", "listings.jsonl"} {
		b.Run(name, func(b *testing.B) {
			_, h := shelved(b, rows)
			server := httptest.NewServer(h)
			defer server.Close()
			for b.Loop() {
				r, err := http.Get(server.URL + "/api/v1/" + name)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, r.Body)
				if err != nil || r.Body.Close() != nil {
					b.Fatal(err)
				}
				b.SetBytes(n)
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
