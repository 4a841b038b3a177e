package harvest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/google/go-cmp/cmp"
)

// repository answers on loopback.
func repository(t testing.TB, answer http.HandlerFunc) (*Client, Source) {
	t.Helper()
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	c := &Client{Allow: netip.Addr.IsLoopback, Backoff: time.Millisecond}
	t.Cleanup(c.Close)
	return c, Source{URL: srv.URL + "/oai/request"}
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// files answers with the file that choose names for a request's arguments.
func files(t *testing.T, choose func(url.Values) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := choose(r.URL.Query())
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Errorf("%s: no answer to %v", name, r.URL)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
		w.Header()["Date"] = nil
		_, _ = w.Write(b)
	}
}

func fetch(t *testing.T, body []byte, contentType string) (Page, error) {
	t.Helper()
	c, s := repository(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body)
	})
	return c.Page(t.Context(), s, Identity{}, time.Time{}, "")
}

// walk through a list as an import does, from the page that token names.
func walk(ctx context.Context, c *Client, s Source, id Identity, from time.Time, token string, do func(Page) error) error {
	var course Course
	for {
		page, err := c.Page(ctx, s, id, from, token)
		if err == nil {
			err = course.Check(page)
		}
		if err == nil || len(page.Records) > 0 {
			if failed := do(page); failed != nil {
				return failed
			}
		}
		if err != nil || page.Token == "" {
			return err
		}
		token = page.Token
	}
}

func ids(p Page) []string {
	var out []string
	for _, r := range p.Records {
		s := r.Identifier
		if r.Deleted {
			s += " deleted"
		}
		if r.Err != nil {
			s += " error"
		}
		out = append(out, s)
	}
	return out
}

func TestDSpace(t *testing.T) {
	var asked []string
	c, s := repository(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		files(t, func(q url.Values) string {
			switch {
			case q.Get("verb") == "Identify":
				return "dspace/identify.xml"
			case q.Get("verb") == "ListMetadataFormats":
				return "dspace/formats.xml"
			case q.Get("metadataPrefix") == "qdc":
				return "dspace/qdc.xml"
			case q.Get("resumptionToken") == "oai_dc////3":
				return "dspace/page2.xml"
			}
			return "dspace/page1.xml"
		})(w, r)
	})
	s.Set = "com_123456789_1"
	id, err := c.Identify(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	want := Identity{"Mekong Technical University (invented)", "transient", Second, time.Date(2014, 5, 6, 3, 0, 0, 0, time.UTC)}
	if d := cmp.Diff(want, id); d != "" {
		t.Error(d)
	}
	var pages []Page
	from := time.Date(2025, 1, 2, 3, 4, 5, 6, time.FixedZone("ICT", 7*3600))
	if err := walk(t.Context(), c, s, id, from, "", func(p Page) error { pages = append(pages, p); return nil }); err != nil {
		t.Fatal(err)
	}
	wantAsked := []string{"verb=Identify", "verb=ListRecords&metadataPrefix=oai_dc&set=com_123456789_1&from=2025-01-01T20%3A04%3A05Z",
		"verb=ListRecords&resumptionToken=oai_dc%2F%2F%2F%2F3"}
	if d := cmp.Diff(wantAsked, asked); d != "" {
		t.Error(d)
	}
	if len(pages) != 2 {
		t.Fatalf("%d pages", len(pages))
	}
	p := pages[0]
	if p.Size != 4 || p.Token != "oai_dc////3" || !p.Response.Equal(time.Date(2026, 3, 2, 8, 15, 4, 0, time.UTC)) || p.Repaired != 3 {
		t.Errorf("page: %d, %q, %v, %d", p.Size, p.Token, p.Response, p.Repaired)
	}
	host := "oai:repository.mekong-tech.example:123456789/"
	if d := cmp.Diff([]string{host + "101", host + "102 deleted", host + "103"}, ids(p)); d != "" {
		t.Error(d)
	}
	first := p.Records[0]
	if d := cmp.Diff([]string{"com_123456789_1", "com_123456789_7", "col_123456789_12"}, first.Sets); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Field{{"dc:title", "", "Solar drying of rice husk briquettes at village scale"},
		{"dc:title", "vi", "Sấy viên trấu bằng năng lượng mặt trời ở quy mô làng"}, {"dc:creator", "", "Nguyen, Invented An"}}, first.Fields[:3]); d != "" {
		t.Error(d)
	}
	if got := first.Fields[5].Value; got != "Moisture falls below 12 % within 6 hours & without fuel." {
		t.Error(got)
	}
	if d := cmp.Diff([]Field{{"dc:title", "", "Low-cost  sensor for CO2 in greenhouses"},
		{"dc:description", "", "A text pasted from a word processor , with \u00a0 and R&D in it."}}, p.Records[2].Fields); d != "" {
		t.Error(d)
	}
	if pages[1].Token != "" || len(pages[1].Records) != 1 {
		t.Errorf("last page: %+v", pages[1])
	}

	formats, err := c.Formats(t.Context(), s)
	if d := cmp.Diff([]Format{{"oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc/"}, {"qdc", "http://purl.org/dc/terms/"}}, formats); d != "" || err != nil {
		t.Error(d, err)
	}
	s.Prefix = "qdc"
	q, err := c.Page(t.Context(), s, id, time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range q.Records[0].Fields {
		names = append(names, f.Name)
	}
	if d := cmp.Diff([]string{"dc:title", "dcterms:alternative", "dcterms:abstract", "dcterms:dateAccepted", "dcterms:issued", "dc:identifier"}, names); d != "" {
		t.Error(d)
	}
}

func TestEPrints(t *testing.T) {
	c, s := repository(t, files(t, func(q url.Values) string {
		switch q.Get("verb") + q.Get("resumptionToken") {
		case "Identify":
			return "eprints/identify.xml"
		case "ListSets":
			return "eprints/sets.xml"
		case "ListRecords":
			return "eprints/page1.xml"
		case "ListRecordsmetadataPrefix%3Doai_dc%26offset%3D44":
			return "eprints/none.xml"
		case "ListRecordsexpired":
			return "eprints/badtoken.xml"
		}
		return "unknown " + q.Encode()
	}))
	id, err := c.Identify(t.Context(), s)
	if err != nil || id.Deleted != "persistent" || id.Granularity != Second {
		t.Fatalf("%+v, %v", id, err)
	}
	sets, err := c.Sets(t.Context(), s, maxSets)
	if d := cmp.Diff([]Set{{"7374617475733D707562", "Status = Published"}, {"7375626A656374733D54:5431", "Subject = Technology: General"}}, sets); d != "" || err != nil {
		t.Error(d, err)
	}
	p, err := c.Page(t.Context(), s, id, time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	host := "oai:eprints.nusantara.example:"
	if d := cmp.Diff([]string{host + "41", host + "42 deleted", host + "43 error"}, ids(p)); d != "" {
		t.Error(d)
	}
	// Its clock is ahead of ours: what counts is its own.
	if want := time.Date(2031, 1, 1, 0, 0, 2, 0, time.UTC); !p.Response.Equal(want) {
		t.Errorf("response %v", p.Response)
	}
	var values []string
	for _, f := range p.Records[0].Fields {
		if f.Name == "dc:identifier" {
			values = append(values, f.Value)
		}
	}
	if d := cmp.Diff([]string{"http://eprints.nusantara.example/41/1/alat.pdf",
		"Invented, Budi  (2025) Alat pengukur kualitas air bertenaga surya.  P00202500000."}, values); d != "" {
		t.Error(d)
	}
	p, err = c.Page(t.Context(), s, id, time.Time{}, p.Token)
	if err != nil || p.Token != "" || len(p.Records) != 0 || p.Response.IsZero() {
		t.Errorf("the blank page at the end: %+v, %v", p, err)
	}
	if _, err = c.Page(t.Context(), s, id, time.Time{}, "expired"); !errors.Is(err, ErrToken) || protocol.CodeOf(err) != protocol.CodeConflict {
		t.Errorf("bad token: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	for code, want := range map[string]error{
		"badResumptionToken": ErrToken, "cannotDisseminateFormat": ErrFormat, "noSetHierarchy": ErrNoSets,
		"badArgument": nil, "badVerb": nil, "own": nil,
	} {
		for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusUnprocessableEntity} {
			c, s := repository(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				fmt.Fprintf(w, `<OAI-PMH><error code="%s">says  the
repository</error></OAI-PMH>`, code)
			})
			_, err := c.Page(t.Context(), s, Identity{}, time.Time{}, "")
			if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), code+": says the repository") {
				t.Errorf("%s with status %d: %v", code, status, err)
			}
			if _, err := c.Sets(t.Context(), s, maxSets); err == nil {
				t.Errorf("%s with status %d: sets", code, status)
			}
		}
	}
	// The token is the only argument of a request that has one.
	c, s := repository(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<OAI-PMH><error code="badArgument"/></OAI-PMH>`)
	})
	if _, err := c.Page(t.Context(), s, Identity{}, time.Time{}, "x"); !errors.Is(err, ErrToken) {
		t.Errorf("badArgument about a token: %v", err)
	}
	if _, err := c.Page(t.Context(), s, Identity{}, time.Time{}, ""); err == nil || errors.Is(err, ErrToken) {
		t.Errorf("badArgument without a token: %v", err)
	}
}

func TestNamespaces(t *testing.T) {
	c, s := repository(t, func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.RawQuery; q != "verb=ListRecords&resumptionToken=a%20b%2Bc%3A1" {
			t.Error(q)
		}
		fmt.Fprint(w, `<OAI-PMH><ListRecords><record><header><identifier>oai:a b+c:1</identifier></header><metadata><m:top xmlns:m="urn:x" xml:lang="en"><m:name
			><m:part xml:lang="th">a</m:part><o:part xmlns:o="urn:y">b</o:part></m:name></m:top></metadata></record></ListRecords></OAI-PMH>`)
	})
	p, err := c.Page(t.Context(), s, Identity{}, time.Time{}, "a b+c:1")
	if err != nil || len(p.Records) != 1 {
		t.Fatal(p, err)
	}
	if d := cmp.Diff([]Field{{"m:name.part", "th", "a"}, {"m:name.o:part", "en", "b"}}, p.Records[0].Fields); d != "" {
		t.Error(d)
	}
}

func TestGranularity(t *testing.T) {
	var asked url.Values
	c, s := repository(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query()
		if asked.Get("verb") == "Identify" {
			fmt.Fprint(w, `<OAI-PMH><Identify><repositoryName>Days</repositoryName><granularity>YYYY-MM-DD</granularity></Identify></OAI-PMH>`)
			return
		}
		w.Header().Set("Date", "Mon, 02 Mar 2026 10:00:00 GMT")
		fmt.Fprint(w, `<OAI-PMH><responseDate>2099-01-01T00:00:00Z</responseDate><error code="noRecordsMatch"/></OAI-PMH>`)
	})
	s.URL += "?page=oai"
	id, err := c.Identify(t.Context(), s)
	if err != nil || id.Step() != 24*time.Hour || id.Deleted != "no" {
		t.Fatalf("%+v, %v", id, err)
	}
	p, err := c.Page(t.Context(), s, id, time.Date(2026, 1, 5, 23, 59, 0, 0, time.UTC), "")
	if err != nil {
		t.Fatal(err)
	}
	if asked.Get("from") != "2026-01-05" || asked.Get("page") != "oai" {
		t.Errorf("asked %v", asked)
	}
	if want := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC); !p.Response.Equal(want) {
		t.Errorf("a responseDate after the server's own clock: %v", p.Response)
	}
}

func TestBroken(t *testing.T) {
	p, err := fetch(t, file(t, "faults/broken.xml"), "text/plain") // the type is not what counts
	if err != nil {
		t.Fatal(err)
	}
	// The header of 4 is whole; that of 6 is not, so that nothing may be withdrawn by it.
	want := []string{"oai:a.example:1", "oai:a.example:2 error", "oai:a.example:3", "oai:a.example:4 deleted error", "oai:a.example:5", " error"}
	if d := cmp.Diff(want, ids(p)); d != "" {
		t.Error(d)
	}
	if p.Token != "next" || p.Size != 12 || p.Response.IsZero() {
		t.Errorf("%q, %d, %v", p.Token, p.Size, p.Response)
	}
	if d := cmp.Diff([]Field{{"dc:title", "", "Third, whole"}}, p.Records[2].Fields); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Field{{"dc:title", "", "Fifth, <record><header> is text & whole"}}, p.Records[4].Fields); d != "" {
		t.Error(d)
	}
	if msg := p.Records[1].Err.Error(); !strings.Contains(msg, "line 6") || p.Records[1].Fields != nil {
		t.Error(msg)
	}
}

// What looks like no record may have been one: it is not passed over.
func TestBrokenBeyondRecords(t *testing.T) {
	whole := "<record><header><identifier>%d</identifier></header><metadata><d><t>x</t></d></metadata></record>"
	mangled := "<record><heder><identifier>9</identifier></header><metadata><d><t>x</t></d></metadata>"
	for at := range 4 {
		for _, end := range []string{"", "</record>"} {
			body := "<OAI-PMH><ListRecords>"
			for i := range 4 {
				if i == at {
					body += mangled + end
				}
				body += fmt.Sprintf(whole, i)
			}
			p, err := fetch(t, []byte(body+"</ListRecords></OAI-PMH>"), "")
			var got []string
			faults := 0
			for _, r := range p.Records {
				if r.Err != nil {
					faults++
				}
				got = append(got, r.Identifier)
			}
			got = slices.DeleteFunc(got, func(s string) bool { return s == "" })
			if d := cmp.Diff([]string{"0", "1", "2", "3"}, got); d != "" || err != nil || faults != 1 {
				t.Errorf("before record %d, %q: %d faults, %v %s", at, end, faults, err, d)
			}
		}
	}
	p, err := fetch(t, []byte("<o:OAI-PMH xmlns:o='urn:o'><o:ListRecords><o:record a='b'>\n<o:header><o:identifier>1</o:identifier></o:header><o:metadata><d><t>x</o:metadata></o:record>"+
		"<o:resumptionToken completeListSize='7'/></o:ListRecords></o:OAI-PMH>"), "")
	if d := cmp.Diff([]string{"1 error"}, ids(p)); d != "" || err != nil || p.Size != 7 || p.Token != "" {
		t.Errorf("with a prefix: %+v, %v", p, err)
	}
}

func TestCut(t *testing.T) {
	whole := file(t, "dspace/page1.xml")
	var tries atomic.Int32
	cut := file(t, "faults/cut.xml")
	c, s := repository(t, func(w http.ResponseWriter, _ *http.Request) {
		if tries.Add(1); cut != nil {
			_, _ = w.Write(cut)
			return
		}
		_, _ = w.Write(whole)
	})
	p, err := c.Page(t.Context(), s, Identity{}, time.Time{}, "")
	if !errors.Is(err, ErrCut) || protocol.CodeOf(err) != protocol.CodeUnavailable || p.Token != "" || tries.Load() != 5 {
		t.Errorf("%v after %d tries, %q", err, tries.Load(), p.Token)
	}
	if d := cmp.Diff([]string{"oai:a.example:1", "oai:a.example:2 error"}, ids(p)); d != "" {
		t.Error(d)
	}
	// However much is missing: never a page that passes for the end of the list.
	list := bytes.Index(whole, []byte("</ListRecords>"))
	for n := 0; n < list; n += 7 {
		a, err := parse(whole[:n], "", "ListRecords")
		if err == nil && a.token != "oai_dc////3" {
			t.Fatalf("of the first %d bytes: %d records and no error", n, len(a.records))
		}
	}
	// The page that ends within its record is salvaged, and what there was comes.
	cut = whole[:bytes.Index(whole, []byte("<resumptionToken"))]
	handed := 0
	err = walk(t.Context(), c, s, Identity{}, time.Time{}, "", func(p Page) error { handed += len(p.Records); return nil })
	if !errors.Is(err, ErrCut) || handed != 3 {
		t.Errorf("%d records, %v", handed, err)
	}
}

func TestCharsets(t *testing.T) {
	head := `<?xml version="1.1" encoding="%s"?><OAI-PMH><ListRecords><record><header><identifier>a</identifier></header><metadata><dc><title>`
	tail := `</title></dc></metadata></record></ListRecords></OAI-PMH>`
	for _, test := range []struct {
		charset, header, text, want string
		repaired                    int
	}{
		{"ISO-8859-1", "", "caf\xe9", "café", 0},
		{"windows-1252", "", "\x93caf\xe9\x94", "“café”", 0},
		{"ISO-8859-1", "", "café", "café", 0}, // it is UTF-8 after all
		{"TIS-620", "", "\xa1\xa2", "กข", 0},
		{"UTF-8", "", "caf\xe9 \x02\uffff", "caf\ufffd  \ufffd", 3},
		{"", "text/xml; charset=iso-8859-1", "caf\xe9", "café", 0},
		{"UTF-8", "", "a <![CDATA[<b> & \x0c c]]> d", "a <b> &   c d", 1},
		{"UTF-8", "", "a<!-- <record> -- \n --> b", "a\n b", 0},
		{"UTF-8", "", "p <0.05, a && b &x; &#x110000; &#xD800; &#12; ]]>", "p <0.05, a && b &x;         ]]>", 0},
	} {
		p, err := fetch(t, []byte(fmt.Sprintf(head, test.charset)+test.text+tail), test.header)
		if err != nil || len(p.Records) != 1 || len(p.Records[0].Fields) != 1 {
			t.Errorf("%s %q: %v, %+v", test.charset, test.text, err, p)
			continue
		}
		got := strings.Join(strings.Fields(p.Records[0].Fields[0].Value), " ")
		if want := strings.Join(strings.Fields(test.want), " "); got != want || test.repaired > 0 && p.Repaired != test.repaired {
			t.Errorf("%s %q: %q with %d repaired, want %q with %d", test.charset, test.text, got, p.Repaired, want, test.repaired)
		}
	}
	if _, err := fetch(t, []byte(fmt.Sprintf(head, "EBCDIC-XX")+"\xff"+tail), ""); protocol.CodeOf(err) != protocol.CodeText {
		t.Errorf("unknown charset: %v", err)
	}
}

func TestPages(t *testing.T) {
	for name, want := range map[string]string{
		"faults/page.html": "a page for people", "faults/laughs.xml": "document type", "faults/external.xml": "document type",
	} {
		p, err := fetch(t, file(t, name), "text/xml")
		if err == nil || !strings.Contains(err.Error(), want) || len(p.Records) != 0 {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
	}
	for body, want := range map[string]string{
		"": "no XML", "Database is down": "no XML", "<rss/>": "no OAI-PMH (it begins with “rss”)", "<OAI-PMH/>": "no list of records",
		"<OAI-PMH><ListRecords><x></ListRecords></OAI-PMH>": "no record in it is whole", `{"error": "no"}`: "no XML",
	} {
		if _, err := fetch(t, []byte(body), "text/xml"); err == nil || !strings.Contains(err.Error(), want) || protocol.CodeOf(err) != protocol.CodeValue {
			t.Errorf("%q: %v", body, err)
		}
	}
	p, err := fetch(t, file(t, "faults/undeclared.xml"), "text/xml")
	if err != nil || p.Records[0].Fields[0].Value != "&secret; and p < 0.05 ]]> x" || p.Repaired != 3 {
		t.Errorf("undeclared entity: %+v, %v", p, err)
	}
}

func TestBounds(t *testing.T) {
	record := func(metadata string) string {
		return "<OAI-PMH><ListRecords><record><header><identifier>a</identifier></header><metadata><dc>" + metadata +
			"</dc></metadata></record><record><header><identifier>b</identifier></header><metadata><dc><title>b</title></dc></metadata></record></ListRecords></OAI-PMH>"
	}
	for name, metadata := range map[string]string{
		"fields": strings.Repeat("<t>x</t>", maxFields+1), "text": "<t>" + strings.Repeat("x", maxMetadata+1) + "</t>",
		"nesting": strings.Repeat("<t>", 40) + strings.Repeat("</t>", 40), "names": strings.Repeat("<a"+strings.Repeat("b", 90)+">", 4) + "x" +
			strings.Repeat("</a"+strings.Repeat("b", 90)+">", 4),
	} {
		p, err := fetch(t, []byte(record(metadata)), "")
		if d := cmp.Diff([]string{"a error", "b"}, ids(p)); err != nil || d != "" || protocol.CodeOf(p.Records[0].Err) != protocol.CodeTooLarge {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
	for name, body := range map[string]string{
		"depth": "<OAI-PMH>" + strings.Repeat("<a>", 1e6), "elements": "<OAI-PMH>" + strings.Repeat("<a/>", maxElements+1),
		"attributes": "<OAI-PMH " + strings.Repeat(`a="" `, 1e6) + "/>", "attributes of many": "<OAI-PMH>" + strings.Repeat("<a "+strings.Repeat(`a="" `, 10000)+"/>", maxElements/10000+1),
		"CDATA": "<OAI-PMH><![CDATA[" + strings.Repeat("<", maxText/4+10) + "]]>", "ampersands": "<OAI-PMH>" + strings.Repeat("&", maxText/5+10), "records": "<OAI-PMH><ListRecords>" + strings.Repeat("<record/>", maxRecords+1),
		"token":  "<OAI-PMH><ListRecords><resumptionToken>" + strings.Repeat("x", maxToken+1) + "</resumptionToken></ListRecords></OAI-PMH>",
		"broken": "<OAI-PMH><ListRecords><a></b>" + strings.Repeat("<record><header>", maxRecords+1),
	} {
		if testing.Short() && len(body) > 1<<20 && name != "depth" && name != "attributes" {
			continue // slow under the race detector
		}
		if _, err := fetch(t, []byte(body), ""); protocol.CodeOf(err) != protocol.CodeTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGzipBomb(t *testing.T) {
	if testing.Short() {
		t.Skip("short: unpacks 16 MB")
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "<OAI-PMH><ListRecords>")
	for range 1024 {
		_, _ = z.Write(bytes.Repeat([]byte(" "), 1<<20))
	}
	_ = z.Close()
	c, s := repository(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("gzip is not asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	})
	if _, err := c.Page(t.Context(), s, Identity{}, time.Time{}, ""); protocol.CodeOf(err) != protocol.CodeTooLarge {
		t.Errorf("1 GB in %d KB: %v", packed.Len()>>10, err)
	}
}

// Long answers are read one after the other: one that dribbles lets the others by soon, and short ones do not wait for it.
func TestTurns(t *testing.T) {
	begun := make(chan struct{}, 1)
	long := []byte("<OAI-PMH><ListRecords>" + strings.Repeat(" ", 2*maxHead) + "</ListRecords></OAI-PMH>")
	c, s := repository(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("set") {
		case "slow":
			_, _ = w.Write(long[:len(long)-10])
			_ = http.NewResponseController(w).Flush()
			begun <- struct{}{}
			<-r.Context().Done()
		case "long":
			_, _ = w.Write(long)
		default:
			fmt.Fprint(w, "<OAI-PMH><ListRecords/></OAI-PMH>")
		}
	})
	c.Tries, c.Timeout = 1, 3*time.Second
	page := func(ctx context.Context, set string) error {
		s := s
		s.Set = set
		_, err := c.Page(ctx, s, Identity{}, time.Time{}, "")
		return err
	}
	slow := make(chan error, 1)
	go func() { slow <- page(t.Context(), "slow") }()
	<-begun
	for c.turn.TryAcquire(1) { // its turn comes when its head was read
		c.turn.Release(1)
		select {
		case err := <-slow:
			t.Fatalf("it had no turn: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := page(short, "long"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who cannot wait: %v", err)
	}
	if err := page(t.Context(), ""); err != nil || c.turn.TryAcquire(1) {
		t.Errorf("a short one: %v", err)
	}
	if err := page(t.Context(), "long"); err != nil {
		t.Errorf("who waits: %v", err)
	}
	if err := <-slow; protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("who dribbles: %v", err)
	}
	if !c.turn.TryAcquire(1) {
		t.Error("a turn does not end")
	}
}

func TestLater(t *testing.T) {
	page := file(t, "dspace/page2.xml")
	for name, busy := range map[string]http.HandlerFunc{
		"503": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"429": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Mon, 02 Mar 2026 10:00:00 GMT") // its clock, not ours
			w.Header().Set("Retry-After", "Mon, 02 Mar 2026 10:00:00 GMT")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"connection": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
		},
		"half a body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(page[:200])
		},
	} {
		var n atomic.Int32
		c, s := repository(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) <= 4 {
				busy(w, r)
				return
			}
			_, _ = w.Write(page)
		})
		if p, err := c.Page(t.Context(), s, Identity{}, time.Time{}, ""); err != nil || len(p.Records) != 1 || n.Load() != 5 {
			t.Errorf("%s: %v after %d tries", name, err, n.Load())
		}
		n.Store(-100)
		if _, err := c.Page(t.Context(), s, Identity{}, time.Time{}, ""); protocol.CodeOf(err) != protocol.CodeUnavailable || n.Load() < -95 || n.Load() > -94 { // net/http tries a reused connection again by itself
			t.Errorf("%s for ever: %v after %d tries", name, err, n.Load()+100)
		}
	}
}

func TestLongWait(t *testing.T) {
	after, tries, asked := "3600", 0, make(chan struct{}, 1)
	c, s := repository(t, func(w http.ResponseWriter, _ *http.Request) {
		tries++
		w.Header().Set("Retry-After", after)
		w.WriteHeader(http.StatusServiceUnavailable)
		select {
		case asked <- struct{}{}:
		default:
		}
	})
	if _, err := c.Identify(t.Context(), s); protocol.CodeOf(err) != protocol.CodeUnavailable || !strings.Contains(err.Error(), "1h0m0s") || tries != 1 {
		t.Errorf("an hour: %v after %d tries", err, tries)
	}
	<-asked
	after = "500"
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := c.Identify(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while waiting: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := c.Identify(ctx, s); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("no time to wait: %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		after, date string
		want        time.Duration
	}{
		{"", "", 0}, {"120", "", 2 * time.Minute}, {"-5", "", 0}, {"soon", "", 0}, {"99999999999999999999", "", 0},
		{"Mon, 02 Mar 2026 10:00:30 GMT", "", 30 * time.Second},
		{"Mon, 02 Mar 2026 12:00:30 GMT", "Mon, 02 Mar 2026 12:00:00 GMT", 30 * time.Second},
		{"Mon, 02 Mar 2020 10:00:30 GMT", "", time.Millisecond},
	} {
		if got := retryAfter(http.Header{"Retry-After": {test.after}, "Date": {test.date}}, now); got != test.want {
			t.Errorf("%q: %v, want %v", test.after, got, test.want)
		}
	}
}

func TestEndless(t *testing.T) {
	n := 0
	next := func() string { return "" }
	c, s := repository(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		fmt.Fprintf(w, "<OAI-PMH><ListRecords><resumptionToken>%s</resumptionToken></ListRecords></OAI-PMH>", next())
	})
	for name, test := range map[string]struct {
		next func() string
		most int
	}{
		"the same page":     {func() string { return "a" }, 2},
		"a circle of three": {func() string { return string(rune('a' + n%3)) }, 4},
		"empty pages":       {func() string { return fmt.Sprint(n) }, maxBarren},
	} {
		n, next = 0, test.next
		err := walk(t.Context(), c, s, Identity{}, time.Time{}, "", func(Page) error { return nil })
		if !errors.Is(err, ErrEndless) || n > test.most {
			t.Errorf("%s: %v after %d pages", name, err, n)
		}
	}
	course := Course{Pages: maxPages - 2}
	for i, want := range []bool{false, true} { // it goes on after a stop
		if err := course.Check(Page{Records: []Record{{}}, Token: fmt.Sprint(i)}); errors.Is(err, ErrEndless) != want {
			t.Errorf("page %d of those that there may be: %v", course.Pages, err)
		}
	}
	course = Course{}
	one := []Record{{}}
	for i := range maxPages {
		err := course.Check(Page{Records: one, Token: fmt.Sprint(i)})
		if i+1 == maxPages != errors.Is(err, ErrEndless) {
			t.Fatalf("page %d: %v", i+1, err)
		}
	}
	stop := errors.New("stop")
	n, next = 0, func() string { return fmt.Sprint(n) }
	if err := walk(t.Context(), c, s, Identity{}, time.Time{}, "", func(Page) error { return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("stopped: %v after %d", err, n)
	}
}

func TestRedirects(t *testing.T) {
	page := file(t, "dspace/page2.xml")
	to := ""
	left := 0
	c, s := repository(t, func(w http.ResponseWriter, r *http.Request) {
		if left > 0 {
			left--
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		_, _ = w.Write(page)
	})
	to, left = "/elsewhere", maxRedirects
	if p, err := c.Page(t.Context(), s, Identity{}, time.Time{}, ""); err != nil || len(p.Records) != 1 {
		t.Errorf("five redirects: %v", err)
	}
	left = maxRedirects + 1
	if _, err := c.Page(t.Context(), s, Identity{}, time.Time{}, ""); protocol.CodeOf(err) != protocol.CodeValue {
		t.Errorf("six redirects: %v", err)
	}
	for _, to = range []string{"file:///etc/passwd", "gopher://a.example/", "http://user:secret@127.0.0.1/", "http://127.0.0.1:25/"} {
		left = 1
		if _, err := c.Page(t.Context(), s, Identity{}, time.Time{}, ""); protocol.CodeOf(err) != protocol.CodeValue || strings.Contains(err.Error(), "secret") {
			t.Errorf("to %s: %v", to, err)
		}
	}
	https, _ := http.NewRequest(http.MethodGet, "https://a.example/", nil)
	plain, _ := http.NewRequest(http.MethodGet, "http://a.example/", nil)
	if CheckRedirect(plain, []*http.Request{https}) == nil || CheckRedirect(https, []*http.Request{plain}) != nil {
		t.Error("from https to http, or the other way")
	}
}

// A redirect, or a name, that leads to where the client may not: nobody there is even connected to.
func TestDialling(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	connected := make(chan struct{}, 10)
	go func() {
		for {
			conn, err := inner.Accept()
			if err != nil {
				return
			}
			connected <- struct{}{}
			conn.Close()
		}
	}()
	port := inner.Addr().(*net.TCPAddr).Port
	outer, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skipf("no second loopback address: %v", err)
	}
	srv := &httptest.Server{Listener: outer, Config: &http.Server{Handler: http.RedirectHandler(fmt.Sprintf("http://127.0.0.1:%d/", port), http.StatusFound)}}
	srv.Start()
	defer srv.Close()
	c := &Client{Backoff: time.Millisecond, Allow: func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.2") }}
	defer c.Close()
	t.Setenv("HTTP_PROXY", inner.Addr().String())
	var zero Client
	defer zero.Close()
	for name, try := range map[string]struct {
		c   *Client
		url string
	}{
		"redirect": {c, srv.URL}, "address": {c, fmt.Sprintf("http://127.0.0.1:%d/", port)}, "name": {&zero, fmt.Sprintf("http://localhost:%d/", port)},
		"mapped": {&zero, fmt.Sprintf("http://[::ffff:127.0.0.1]:%d/", port)}, "short": {&zero, fmt.Sprintf("http://127.1:%d/", port)},
	} {
		_, err := try.c.Identify(t.Context(), Source{URL: try.url})
		if name != "short" && !errors.Is(err, ErrAddress) || protocol.CodeOf(err) == protocol.CodeUnavailable && name != "short" || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	select {
	case <-connected:
		t.Error("connected to an address that is not allowed")
	default:
	}
}

func TestPublic(t *testing.T) {
	for _, s := range []string{
		"0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
		"255.255.255.255", "168.63.129.16", "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1",
		"64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:db8::1", "2002:a00:1::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1",
		"fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::1%eth0",
	} {
		if Public(netip.MustParseAddr(s)) {
			t.Errorf("%s is taken for public", s)
		}
	}
	for _, s := range []string{"1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2001:4860:4860::8888", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"} {
		if !Public(netip.MustParseAddr(s)) {
			t.Errorf("%s is not taken for public", s)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is taken for public")
	}
}

func TestValidate(t *testing.T) {
	for _, s := range []Source{
		{}, {URL: "repository.example/oai"}, {URL: "ftp://a.example/"}, {URL: "https://user:pass@a.example/"}, {URL: "https:///oai"}, {URL: "https://a.example:22/"},
		{URL: "https://a.example:99999/"}, {URL: "http://a.example:0/"}, {URL: "mailto:a@b.example"}, {URL: "https://a.example/" + strings.Repeat("x", maxURL)},
		{URL: "https://a.example/", Set: "a b"}, {URL: "https://a.example/", Prefix: "oai\ndc"}, {URL: "http://a\x00.example/"}, {URL: "%zz"},
	} {
		if s.Validate() == nil {
			t.Errorf("%+v passes", s)
		}
		var c Client
		if _, err := c.Identify(t.Context(), s); err == nil {
			t.Errorf("%+v is asked", s)
		}
	}
	if n := len(protocol.All(Source{URL: "x", Set: "a b", Prefix: "c d"}.Validate())); n != 3 {
		t.Errorf("%d faults at once", n)
	}
	for _, u := range []string{"https://a.example/oai", "http://a.example:8080/server/oai/request?x=y#z", "http://A.example", "https://[2606:4700::1]:8443/"} {
		if err := (Source{URL: u, Prefix: "qdc", Set: "7374:5"}).Validate(); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func FuzzPage(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.xml", "testdata/*/*.html"} {
		names, _ := filepath.Glob(pattern)
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	for _, s := range []string{"", "<OAI-PMH>", "\xff\xfe<\x00", "<OAI-PMH><ListRecords><record><header>", "<!--", "<![CDATA[", "&#x;", "<a b='&#0;'>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, verb := range []string{"ListRecords", "Identify", "ListSets"} {
			a, err := parse(body, "", verb)
			if len(a.token) > maxToken || verb == "Identify" && err == nil && a.identified && a.identity.Granularity == "" {
				t.Errorf("%s: %d bytes of token, %+v", verb, len(a.token), a.identity)
			}
			for _, r := range a.records {
				if r.Err == nil && (r.Identifier == "" || !r.Deleted && len(r.Fields) == 0) {
					t.Errorf("nothing in %+v, and no error", r)
				}
				for _, v := range slices.Concat([]Field{{Value: r.Identifier}}, r.Fields) {
					if v.Value != strings.TrimSpace(v.Value) || strings.ContainsFunc(v.Value, func(r rune) bool { return !isXML(r) }) {
						t.Errorf("%q", v.Value)
					}
				}
			}
			// An answer that ends in the midst of a list is never the end of it.
			if verb == "ListRecords" && err == nil && len(a.faults) == 0 && a.token == "" && !bytes.Contains(body, []byte("ListRecords")) &&
				!bytes.Contains(body, []byte{0}) {
				t.Error("a list that is none")
			}
		}
	})
}

func BenchmarkPage(b *testing.B) {
	whole := file(b, "dspace/page1.xml")
	head, rest, _ := bytes.Cut(whole, []byte("<record>"))
	records, end, _ := bytes.Cut(rest, []byte("<resumptionToken"))
	body := slices.Concat(head, bytes.Repeat(slices.Concat([]byte("<record>"), records), 100), []byte("<resumptionToken"), end)
	for name, body := range map[string][]byte{"whole": body, "broken": bytes.Replace(body, []byte("</dc:rights>"), []byte("</dc:right>"), 1)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				a, err := parse(body, "", "ListRecords")
				if err != nil || len(a.records) != 300 {
					b.Fatal(len(a.records), err)
				}
			}
		})
	}
}

// Texts that would take quadratic time, were the same looked for again and again: all are to be of one order.
func BenchmarkHostile(b *testing.B) {
	for _, s := range []string{"<!--", "<![CDATA[", "&", "<a", "<", "]]>", "<record><header>", "&#x", "<a b='", "<a>b</a>"} {
		for _, end := range []string{"", "]]>", "-->"} {
			body := []byte("<OAI-PMH><ListRecords>" + strings.Repeat(s, 1<<20/len(s)) + end)
			b.Run(s+" "+end, func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					_, _ = parse(body, "", "ListRecords")
				}
			})
		}
	}
}
