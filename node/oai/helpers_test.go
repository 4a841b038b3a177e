package oai

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
	"github.com/asean-tmh/tmh/store"
)

// shelf is a place for one origin's copy in a store, as replicatest wants it.
type shelf struct {
	s      *store.Store
	name   protocol.MemberID
	staged bool
}

func (o shelf) set(tx *store.Tx) *store.Origin {
	if o.staged {
		return tx.Staged(o.name)
	}
	return tx.Origin(o.name)
}

func (o shelf) Update(f func(replicatest.Set) error) error {
	return o.s.Update(func(tx *store.Tx) error { return f(o.set(tx)) })
}

func (o shelf) View(f func(replicatest.Set) error) error {
	return o.s.View(func(tx *store.Tx) error { return f(o.set(tx)) })
}

func openStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(store.Config{Dir: dir, Memtable: 8 << 20, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// site is a node with a provider, whose clock stands still until it is moved.
type site struct {
	t        testing.TB
	fed      *replicatest.Federation
	store    *store.Store
	members  []protocol.MemberID
	clock    int64
	provider *Provider
	answers  [][]byte // to be validated
	seen     map[string]bool
}

const start = 1_700_000_000 // in the past, as harvesters also look at the Date of HTTP

func newSite(t testing.TB) *site {
	t.Helper()
	fed, err := replicatest.NewFederation("AB", "ABC", "KH", "LA")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, fed: fed, store: openStore(t, ""), members: []protocol.MemberID{"AB", "ABC", "KH", "LA"}, clock: start, seen: make(map[string]bool)}
	s.restart()
	t.Cleanup(func() { validate(t, s.answers) })
	return s
}

func (s *site) config() Config {
	pages := interop.Site{Member: "KH", PublicURL: "https://hub.example.org", Namespace: "tmh.example.org", Now: func() time.Time { return time.Unix(s.clock, 0) }}
	return Config{
		Store: s.store, Members: func() []protocol.MemberID { return s.members }, Now: func() time.Time { return time.Unix(s.clock, 0) },
		Namespace: "tmh.example.org", Name: "Test & more", AdminEmail: "operator@example.org", PageSize: 3, Secret: []byte("0123456789abcdef"),
		BaseURL: func(*http.Request) string { return "https://hub.example.org/oai" },
		Formats: []Format{
			{"oai_dc", interop.DublinCoreSchema, interop.DublinCoreNamespace, func(o protocol.MemberID, l *protocol.Listing) ([]byte, error) {
				return interop.DublinCore(pages, o, l)
			}},
			{"tmh", interop.SchemaURL(pages), interop.ListingXMLNamespace, func(o protocol.MemberID, l *protocol.Listing) ([]byte, error) {
				return interop.ListingXML(pages, o, l)
			}},
		},
	}
}

func (s *site) restart() {
	s.t.Helper()
	var err error
	if s.provider, err = New(s.config()); err != nil {
		s.t.Fatal(err)
	}
	s.provider.batch = 3
}

func (s *site) node(origin protocol.MemberID) *replicatest.Node {
	return &replicatest.Node{Store: shelf{s.store, origin, false}, Origin: origin}
}

// author signs one change straight into the node's own store.
func (s *site) author(origin protocol.MemberID, kind protocol.ChangeKind, id string, body []byte) *protocol.Change {
	s.t.Helper()
	ch, err := s.node(origin).Author(s.fed, kind, protocol.ListingID(id).Key(), body)
	if err != nil {
		s.t.Fatal(err)
	}
	return ch
}

func (s *site) put(origin protocol.MemberID, id, title string) *protocol.Change {
	return s.author(origin, protocol.Put, id, listing(id, title).Encode())
}

func (s *site) withdraw(origin protocol.MemberID, id, reason string) *protocol.Change {
	return s.author(origin, protocol.Withdraw, id, protocol.Tombstone{Reason: reason, At: start, Kind: listing(id, "").Kind}.Encode())
}

// listing of the kind that its id says: an offer, or a request where it begins with R.
func listing(id, title string) *protocol.Listing {
	kind := protocol.TechnologyOffer
	if strings.HasPrefix(id, "R") {
		kind = protocol.TechnologyRequest
	}
	return &protocol.Listing{
		ID: protocol.ListingID(id), Kind: kind, Country: "KH", Published: 20_000, Demonstration: true, FORD: []string{"2.4"}, TRL: 5,
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: title, Abstract: "Dries <rice> & \"more\"."}, "th": {Title: "เครื่องอบแห้ง"}},
	}
}

func (s *site) catchUp() {
	s.t.Helper()
	if err := s.provider.CatchUp(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// settled brings the chronicle in line, and waits until the second is over.
func (s *site) settled() {
	s.t.Helper()
	s.catchUp()
	s.clock++
}

// What a harvester reads of a response.
type response struct {
	Date     string        `xml:"responseDate"`
	Request  reqElement    `xml:"request"`
	Errors   []errElement  `xml:"error"`
	Identify *identifyElem `xml:"Identify"`
	Formats  []string      `xml:"ListMetadataFormats>metadataFormat>metadataPrefix"`
	Sets     []string      `xml:"ListSets>set>setSpec"`
	Names    []string      `xml:"ListSets>set>setName"`
	Got      []recElement  `xml:"GetRecord>record"`
	Records  []recElement  `xml:"ListRecords>record"`
	Headers  []headElement `xml:"ListIdentifiers>header"`
	RecToken *tokElement   `xml:"ListRecords>resumptionToken"`
	IDToken  *tokElement   `xml:"ListIdentifiers>resumptionToken"`
}

type (
	reqElement struct {
		Attrs []xml.Attr `xml:",any,attr"`
		URL   string     `xml:",chardata"`
	}
	errElement struct {
		Code string `xml:"code,attr"`
		Text string `xml:",chardata"`
	}
	identifyElem struct {
		Name     string `xml:"repositoryName"`
		Earliest string `xml:"earliestDatestamp"`
		Deleted  string `xml:"deletedRecord"`
		Sample   string `xml:"description>oai-identifier>sampleIdentifier"`
	}
	headElement struct {
		Status string   `xml:"status,attr"`
		ID     string   `xml:"identifier"`
		Stamp  string   `xml:"datestamp"`
		Sets   []string `xml:"setSpec"`
	}
	recElement struct {
		Head   headElement `xml:"header"`
		Titles []string    `xml:"metadata>dc>title"`
		Own    string      `xml:"metadata>listing>page"`
	}
	tokElement struct {
		Cursor string `xml:"cursor,attr"`
		Token  string `xml:",chardata"`
	}
)

func (r *response) codes() string {
	var all []string
	for _, e := range r.Errors {
		all = append(all, e.Code)
	}
	return strings.Join(all, " ")
}

// ask sends the arguments, written as name, value, name, value.
func (s *site) ask(args ...string) *response {
	s.t.Helper()
	q := make(url.Values)
	for i := 0; i < len(args); i += 2 {
		q.Add(args[i], args[i+1])
	}
	return s.raw(q.Encode())
}

func (s *site) raw(query string) *response {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/oai", nil)
	r.URL.RawQuery = query
	w := httptest.NewRecorder()
	s.provider.ServeHTTP(w, r)
	return s.read(w.Code, w.Body.Bytes(), query)
}

func (s *site) read(code int, body []byte, query string) *response {
	s.t.Helper()
	if code != http.StatusOK {
		s.t.Fatalf("%s: HTTP %d: %s", query, code, body)
	}
	var got response
	if err := xml.Unmarshal(body, &got); err != nil {
		s.t.Fatalf("%s: %v\n%s", query, err, body)
	}
	if shape := fmt.Sprintf("%.14s %s %d %d", query, got.codes(), len(got.Records), len(got.Headers)); len(s.answers) < 400 || !s.seen[shape] {
		s.answers, s.seen[shape] = append(s.answers, bytes.Clone(body)), true
	}
	return &got
}

// xmlSchema is what the schemas take from the XML namespace.
const xmlSchema = `<schema targetNamespace="http://www.w3.org/XML/1998/namespace" xmlns="http://www.w3.org/2001/XMLSchema">
<attribute name="lang" type="language"/><attribute name="base" type="anyURI"/>
<attribute name="space"><simpleType><restriction base="NCName"><enumeration value="default"/><enumeration value="preserve"/></restriction></simpleType></attribute>
</schema>`

// validate holds responses against the published schemas, with xmllint.
func validate(t testing.TB, answers [][]byte) {
	t.Helper()
	if t.Failed() || t.Skipped() || len(answers) == 0 {
		return
	}
	schemas, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "data", "schemas"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(schemas, "OAI-PMH.xsd")); err != nil {
		t.Log("responses are not validated: ../shared/data/schemas is not there")
		return
	}
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Log("responses are not validated: xmllint is not installed (Debian: libxml2-utils)")
		return
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	names := write("xml.xsd", xmlSchema)
	write("tmh.xsd", string(interop.Schema()))
	catalog := write("catalog.xml", `<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">
<uri name="http://www.w3.org/2001/03/xml.xsd" uri="`+names+`"/><system systemId="http://www.w3.org/2001/03/xml.xsd" uri="`+names+`"/></catalog>`)
	driver := write("driver.xsd", `<schema xmlns="http://www.w3.org/2001/XMLSchema">
<import namespace="http://www.openarchives.org/OAI/2.0/" schemaLocation="`+schemas+`/OAI-PMH.xsd"/>
<import namespace="http://www.openarchives.org/OAI/2.0/oai_dc/" schemaLocation="`+schemas+`/oai_dc.xsd"/>
<import namespace="http://www.openarchives.org/OAI/2.0/oai-identifier" schemaLocation="`+schemas+`/oai-identifier.xsd"/>
<import namespace="`+interop.ListingXMLNamespace+`" schemaLocation="tmh.xsd"/>
</schema>`)
	args := []string{"--nonet", "--noout", "--schema", driver}
	for i, b := range answers {
		args = append(args, write(fmt.Sprintf("answer%d.xml", i), string(b)))
	}
	cmd := exec.Command("xmllint", args...)
	cmd.Env = append(os.Environ(), "XML_CATALOG_FILES="+catalog)
	if out, err := cmd.CombinedOutput(); err != nil {
		if len(out) > 3000 {
			out = out[:3000]
		}
		var faults []string
		for line := range strings.Lines(string(out)) {
			if !strings.HasSuffix(strings.TrimSpace(line), " validates") {
				faults = append(faults, line)
			}
		}
		t.Errorf("responses do not validate: %v\n%s", err, strings.Join(faults, ""))
	}
}

// proven is how far the node holds an origin.
func (s *site) proven(origin protocol.MemberID) *replica.Copy {
	s.t.Helper()
	c, err := s.node(origin).Copy()
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}
