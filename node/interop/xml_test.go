package interop

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// fromXML reads our own form as a program of somebody else's would.
func fromXML(t *testing.T, b []byte) *protocol.Listing {
	t.Helper()
	var x xmlListing
	parseXML(t, b, &x)
	l := &protocol.Listing{
		ID: protocol.ListingID(x.ID), Kind: protocol.Kind(x.Kind), Country: protocol.Country(x.Country), Region: x.Region,
		Texts: map[protocol.Lang]protocol.Text{}, TRL: x.TRL, IPR: x.IPR, Cooperation: x.Cooperation, FORD: x.FORD, ISIC: x.ISIC,
		IPC: x.IPC, SDG: x.SDG, URL: x.URL, Demonstration: x.Demonstration,
	}
	for _, text := range x.Texts {
		l.Texts[protocol.Lang(text.Lang)] = protocol.Text{Title: text.Title, Value: text.Value, Abstract: text.Abstract, Keywords: text.Keywords}
	}
	if o := x.Organisation; o != nil {
		l.Organisation = protocol.Organisation{Name: o.Name, Type: o.Type, Size: o.Size}
	}
	if s := x.Seeks; s != nil {
		l.Seeks.Types = s.Types
		for _, c := range s.Countries {
			l.Seeks.Countries = append(l.Seeks.Countries, protocol.Country(c))
		}
	}
	for text, into := range map[string]*protocol.Date{x.Published: &l.Published, x.ValidUntil: &l.ValidUntil} {
		if err := into.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for text, into := range map[string]*protocol.Hash{x.Full: &l.Full, x.FullRegistered: &l.FullRegistered, x.FullRestricted: &l.FullRestricted} {
		if _, err := hex.Decode(into[:], []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if x.Updated != "" {
		at, err := time.Parse(time.RFC3339, x.Updated)
		if err != nil {
			t.Fatal(err)
		}
		l.Updated = protocol.InstantOf(at)
	}
	return l
}

func TestListingXMLIsWhole(t *testing.T) {
	for name, e := range examples() {
		if e.Listing == nil {
			continue
		}
		if d := cmp.Diff(e.Listing, fromXML(t, written(t, "tmh.xml", e))); d != "" {
			t.Errorf("%s is another listing after a round trip:\n%s", name, d)
		}
	}
}

// xmlSchema is what the schemas here use of the one for the xml: prefix, which xmllint must not fetch.
const xmlSchema = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace">
<xs:attribute name="lang"><xs:simpleType><xs:union memberTypes="xs:language"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value=""/></xs:restriction></xs:simpleType></xs:union></xs:simpleType></xs:attribute>
<xs:attribute name="space"><xs:simpleType><xs:restriction base="xs:NCName"><xs:enumeration value="default"/><xs:enumeration value="preserve"/></xs:restriction></xs:simpleType></xs:attribute>
<xs:attribute name="base" type="xs:anyURI"/>
</xs:schema>`

const catalog = `<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">
<uri name="http://www.w3.org/2001/03/xml.xsd" uri="xml.xsd"/><system systemId="http://www.w3.org/2001/03/xml.xsd" uri="xml.xsd"/>
</catalog>`

// validator runs xmllint without the network.
func validator(t *testing.T) func(t *testing.T, schema string, document []byte) error {
	t.Helper()
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not here: install libxml2-utils to check against the schemas")
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("xml.xsd", []byte(xmlSchema))
	write("catalog.xml", []byte(catalog))
	write("tmh.xsd", Schema())
	return func(t *testing.T, schema string, document []byte) error {
		t.Helper()
		if schema == "tmh.xsd" {
			schema = filepath.Join(dir, schema)
		}
		cmd := exec.Command(lint, "--nonet", "--noout", "--schema", schema, write("document.xml", document))
		cmd.Env = append(os.Environ(), "XML_CATALOG_FILES="+filepath.Join(dir, "catalog.xml"))
		out, err := cmd.CombinedOutput()
		if err != nil && bytes.Contains(out, []byte("failed to compile")) {
			t.Fatalf("the schema is at fault: %s", out)
		}
		if err != nil {
			t.Logf("xmllint: %s", out)
		}
		return err
	}
}

func TestListingXMLFollowsItsSchema(t *testing.T) {
	valid := validator(t)
	for name, e := range examples() {
		if e.Listing != nil && valid(t, "tmh.xsd", written(t, "tmh.xml", e)) != nil {
			t.Errorf("%s is not valid", name)
		}
	}
	e := examples()["full"]
	for what, spoil := range map[string]func(l *protocol.Listing){
		"a kind that is none": func(l *protocol.Listing) { l.Kind = "XX" }, "a level of 12": func(l *protocol.Listing) { l.TRL = 12 },
		"no text": func(l *protocol.Listing) { l.Texts = nil }, "a code in small letters": func(l *protocol.Listing) { l.IPC = []string{"c12n"} },
	} {
		l := *e.Listing
		spoil(&l)
		if valid(t, "tmh.xsd", written(t, "tmh.xml", exchange.Entry{Ref: e.Ref, Listing: &l})) == nil {
			t.Errorf("the schema takes %s", what)
		}
	}
}

func TestDublinCoreFollowsItsSchema(t *testing.T) {
	const schema = "../../../shared/data/schemas/oai_dc.xsd"
	if _, err := os.Stat(schema); err != nil {
		t.Skip("needs ../shared/data/schemas beside the repository")
	}
	valid := validator(t)
	for name, e := range examples() {
		if e.Listing != nil && valid(t, schema, written(t, "oai_dc.xml", e)) != nil {
			t.Errorf("%s is not valid", name)
		}
	}
}
