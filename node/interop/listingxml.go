package interop

import (
	_ "embed"
	"encoding/xml"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// ListingXMLPrefix and ListingXMLNamespace name our own XML form. The namespace leads nowhere on purpose and never changes; a form that old
// readers would misread gets another number. Codes and members that DCAT has no word for are named below it too.
const (
	ListingXMLPrefix    = "tmh"
	ListingXMLNamespace = "urn:asean-tmh:listing:1"

	// SchemaPath is where a node serves Schema.
	SchemaPath = "/schemas/tmh-listing-1.xsd"
)

//go:embed tmh.xsd
var schema []byte

// Schema is the XML Schema of our own form.
func Schema() []byte { return append([]byte(nil), schema...) }

// SchemaURL is where this node serves it.
func SchemaURL(s Site) string { return s.at(SchemaPath) }

// xmlListing has every field of protocol.Listing, under the names of its JSON form.
type xmlListing struct {
	XMLName  xml.Name `xml:"urn:asean-tmh:listing:1 listing"`
	XSI      string   `xml:"xmlns:xsi,attr"`
	Location string   `xml:"xsi:schemaLocation,attr"`

	Origin         string           `xml:"origin,attr"`
	ID             string           `xml:"id,attr"`
	Page           string           `xml:"page"`
	Kind           string           `xml:"kind"`
	Country        string           `xml:"country"`
	Region         string           `xml:"region,omitempty"`
	Texts          []xmlText        `xml:"text"`
	Organisation   *xmlOrganisation `xml:"organisation"`
	TRL            uint8            `xml:"trl,omitempty"`
	IPR            []string         `xml:"ipr"`
	Cooperation    []string         `xml:"cooperation"`
	Seeks          *xmlSeeks        `xml:"seeks"`
	FORD           []string         `xml:"ford"`
	ISIC           []string         `xml:"isic"`
	IPC            []string         `xml:"ipc"`
	SDG            []uint16         `xml:"sdg"`
	Published      string           `xml:"published,omitempty"`
	ValidUntil     string           `xml:"valid_until,omitempty"`
	URL            string           `xml:"url,omitempty"`
	Full           string           `xml:"full,omitempty"`
	FullRegistered string           `xml:"full_registered,omitempty"`
	FullRestricted string           `xml:"full_restricted,omitempty"`
	Demonstration  bool             `xml:"demonstration,omitempty"`
	Updated        string           `xml:"updated,omitempty"`
}

type xmlText struct {
	Lang     string   `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Title    string   `xml:"title"`
	Value    string   `xml:"value,omitempty"`
	Abstract string   `xml:"abstract,omitempty"`
	Keywords []string `xml:"keyword"`
}

type xmlOrganisation struct {
	Name string `xml:"name,omitempty"`
	Type string `xml:"type,omitempty"`
	Size string `xml:"size,omitempty"`
}

type xmlSeeks struct {
	Types     []string `xml:"type"`
	Countries []string `xml:"country"`
}

// ListingXML writes the whole listing in our own form, as the one element in a record's metadata; tmh.xsd describes it.
func ListingXML(s Site, origin protocol.MemberID, l *protocol.Listing) ([]byte, error) {
	x := xmlListing{
		XSI: xsi, Location: ListingXMLNamespace + " " + SchemaURL(s),
		Origin: string(origin), ID: string(l.ID), Page: Canonical(s, match.Ref{Origin: origin, ID: l.ID}),
		Kind: string(l.Kind), Country: string(l.Country), Region: l.Region, TRL: l.TRL, IPR: l.IPR, Cooperation: l.Cooperation,
		FORD: l.FORD, ISIC: l.ISIC, IPC: l.IPC, SDG: l.SDG,
		Published: l.Published.String(), ValidUntil: l.ValidUntil.String(), URL: l.URL,
		Full: digest(l.Full), FullRegistered: digest(l.FullRegistered), FullRestricted: digest(l.FullRestricted),
		Demonstration: l.Demonstration, Updated: instant(l.Updated),
	}
	for _, lang := range l.Languages() {
		t := l.Texts[lang]
		x.Texts = append(x.Texts, xmlText{string(lang), t.Title, t.Value, t.Abstract, t.Keywords})
	}
	if o := l.Organisation; o != (protocol.Organisation{}) {
		x.Organisation = &xmlOrganisation{o.Name, o.Type, o.Size}
	}
	if len(l.Seeks.Types)+len(l.Seeks.Countries) > 0 {
		x.Seeks = &xmlSeeks{l.Seeks.Types, strs(l.Seeks.Countries)}
	}
	return element(x)
}

func digest(h protocol.Hash) string {
	b, _ := h.MarshalText() // which has no fault to tell
	return string(b)
}
