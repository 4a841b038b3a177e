package interop

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// DublinCorePrefix, DublinCoreNamespace and DublinCoreSchema name the form in OAI-PMH, which every provider has to have.
const (
	DublinCorePrefix    = "oai_dc"
	DublinCoreNamespace = "http://www.openarchives.org/OAI/2.0/oai_dc/"
	DublinCoreSchema    = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"

	xsi = "http://www.w3.org/2001/XMLSchema-instance"
)

type dcElement struct {
	XMLName xml.Name
	Lang    string `xml:"xml:lang,attr,omitempty"`
	Text    string `xml:",chardata"`
}

type dcRecord struct {
	XMLName  xml.Name `xml:"oai_dc:dc"`
	OAI      string   `xml:"xmlns:oai_dc,attr"`
	DC       string   `xml:"xmlns:dc,attr"`
	XSI      string   `xml:"xmlns:xsi,attr"`
	Location string   `xml:"xsi:schemaLocation,attr"`
	Elements []dcElement
}

func (r *dcRecord) add(element, lang, text string) {
	if text != "" {
		r.Elements = append(r.Elements, dcElement{xml.Name{Local: "dc:" + element}, lang, text})
	}
}

// DublinCore writes the listing for OAI-PMH, as the one element in a record's metadata. Every text says its language;
// codes stand behind the name of their list, as in "FORD 2.4: Chemical engineering".
func DublinCore(s Site, origin protocol.MemberID, l *protocol.Listing) ([]byte, error) {
	at := match.Ref{Origin: origin, ID: l.ID}
	r := dcRecord{
		OAI: DublinCoreNamespace, DC: "http://purl.org/dc/elements/1.1/", XSI: xsi,
		Location: DublinCoreNamespace + " " + DublinCoreSchema,
	}
	each(l, func(lang protocol.Lang, t protocol.Text) { r.add("title", string(lang), t.Title) })
	for _, t := range append(subjects(l), maturity(l)...) {
		r.add("subject", "en", fmt.Sprintf("%s %s: %s", t.short(), t.code, t.label))
	}
	each(l, func(lang protocol.Lang, t protocol.Text) {
		for _, k := range t.Keywords {
			r.add("subject", string(lang), k)
		}
	})
	if l.Demonstration {
		r.add("description", "en", demonstration)
	}
	each(l, func(lang protocol.Lang, t protocol.Text) {
		r.add("description", string(lang), t.Value)
		r.add("description", string(lang), t.Abstract)
	})
	nameLang := ""
	if l.Organisation.Name == "" {
		nameLang = "en"
	}
	r.add("publisher", nameLang, publisher(l))
	r.add("date", "", l.Published.String())
	if l.ValidUntil != 0 { // a period as the Dublin Core Metadata Initiative writes it
		start := ""
		if l.Published != 0 {
			start = "start=" + l.Published.String() + "; "
		}
		r.add("date", "", "name=validity; "+start+"end="+l.ValidUntil.String()+"; scheme=W3C-DTF;")
	}
	r.add("type", "en", kindOf(l).label)
	r.add("identifier", "", Canonical(s, at))
	r.add("identifier", "", name(at))
	for _, lang := range l.Languages() {
		r.add("language", "", string(lang))
	}
	r.add("relation", "", iri(l.URL))
	r.add("coverage", "", string(l.Country))
	r.add("coverage", "en", countryName(l.Country))
	return element(r)
}

// element writes v without an XML declaration, to stand in other XML. Characters that XML cannot carry become U+FFFD.
func element(v any) ([]byte, error) {
	var b bytes.Buffer
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write XML: %w", err)
	}
	return b.Bytes(), nil
}
