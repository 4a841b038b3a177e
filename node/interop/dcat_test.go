package interop

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/piprate/json-gold/ld"

	"github.com/asean-tmh/tmh/node/exchange"
)

// offline refuses what JSON-LD would fetch.
type offline struct{}

func (offline) LoadDocument(u string) (*ld.RemoteDocument, error) {
	return nil, errors.New("would fetch " + u)
}

// triples by subject and predicate, with short names for the vocabularies.
type triples map[string]map[string][]ld.Node

func triplesOf(t *testing.T, b []byte) triples {
	t.Helper()
	var doc any
	decode(t, b, &doc)
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader = offline{}
	out, err := ld.NewJsonLdProcessor().ToRDF(doc, options)
	if err != nil {
		t.Fatal(err)
	}
	var short []string
	for prefix, space := range dcatContext() {
		short = append(short, space.(string), prefix+":")
	}
	short = append(short, "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf:")
	shorten := strings.NewReplacer(short...)
	all := triples{}
	for _, q := range out.(*ld.RDFDataset).Graphs["@default"] {
		s := q.Subject.GetValue()
		if all[s] == nil {
			all[s] = map[string][]ld.Node{}
		}
		p := shorten.Replace(q.Predicate.GetValue())
		o := q.Object
		if p == "rdf:type" {
			o = ld.NewIRI(shorten.Replace(o.GetValue()))
		}
		all[s][p] = append(all[s][p], o)
	}
	return all
}

func (all triples) of(kind string) []string {
	var found []string
	for s, m := range all {
		if slices.ContainsFunc(m["rdf:type"], func(n ld.Node) bool { return n.GetValue() == kind }) {
			found = append(found, s)
		}
	}
	slices.Sort(found)
	return found
}

func (all triples) one(t *testing.T, s, p string) string {
	t.Helper()
	switch list := all[s][p]; len(list) {
	case 0:
		return ""
	case 1:
		return list[0].GetValue()
	default:
		t.Fatalf("%s has %d of %s", s, len(list), p)
		return ""
	}
}

// TestDCATHasWhatIsMandatory holds the RDF against what DCAT-AP 3 wants of every class used.
func TestDCATHasWhatIsMandatory(t *testing.T) {
	var entries []exchange.Entry
	for _, name := range names() {
		entries = append(entries, examples()[name])
	}
	b, err := DCAT(site(), Catalogue{Entries: entries, Access: access()})
	if err != nil {
		t.Fatal(err)
	}
	all := triplesOf(t, b)
	for kind, want := range map[string]struct {
		count      int
		properties []string
	}{
		"dcat:Catalog":       {1, []string{"dct:title", "dct:description", "dct:publisher", "dcat:dataset", "dcat:record", "dcat:resource", "dcat:service"}},
		"dcat:Dataset":       {1, []string{"dct:title", "dct:description", "dcat:distribution"}},
		"dcat:Distribution":  {2, []string{"dcat:accessURL"}},
		"dcat:DataService":   {1, []string{"dct:title", "dcat:endpointURL"}},
		"dcat:CatalogRecord": {3, []string{"foaf:primaryTopic", "dct:modified", "dct:source"}},
		"dcat:Resource":      {3, []string{"dct:title", "dct:description", "dct:identifier", "dct:publisher", "dct:type", "dct:language"}},
		"foaf:Agent":         {4, []string{"foaf:name"}},
		"skos:Concept":       {20, []string{"skos:prefLabel", "skos:notation", "skos:inScheme"}},
		"skos:ConceptScheme": {8, []string{"dct:title"}},
	} {
		found := all.of(kind)
		if len(found) != want.count {
			t.Errorf("%d of %s, want %d: %q", len(found), kind, want.count, found)
		}
		for _, s := range found {
			for _, p := range want.properties {
				if len(all[s][p]) == 0 {
					t.Errorf("%s %s has no %s", kind, s, p)
				}
			}
		}
	}
	for _, s := range all.of("dcat:Catalog") {
		for _, p := range []string{"dcat:dataset", "dcat:record", "dcat:resource", "dcat:service", "dct:publisher"} {
			for _, o := range all[s][p] {
				if all[o.GetValue()] == nil {
					t.Errorf("the catalogue's %s %s is not described", p, o.GetValue())
				}
			}
		}
	}
	if got := all.one(t, "https://kh.example.org/listings/TH/demo-full_1~a.b#record", "dct:source"); got != "https://th.example.org/listings/TH/demo-full_1~a.b" {
		t.Errorf("the source of another member's listing is %q", got)
	}
	for s, want := range map[string]string{
		"https://th.example.org/listings/TH/demo-full_1~a.b#listing": "http://publications.europa.eu/resource/authority/country/THA",
		"https://kh.example.org/listings/KH/demo-minimal#listing":    "http://publications.europa.eu/resource/authority/country/KHM",
	} {
		if got := all.one(t, s, "dct:spatial"); got != want {
			t.Errorf("the place of %s is %q", s, got)
		}
	}
}

// vocabulary stands for the context that schema.org serves.
type vocabulary struct{}

func (vocabulary) LoadDocument(u string) (*ld.RemoteDocument, error) {
	if u != "https://schema.org" {
		return nil, errors.New("would fetch " + u)
	}
	return &ld.RemoteDocument{DocumentURL: u, Document: map[string]any{"@context": map[string]any{"@vocab": "https://schema.org/"}}}, nil
}

// TestSchemaOrgIsJSONLD: every member becomes a triple, and the three things are linked.
func TestSchemaOrgIsJSONLD(t *testing.T) {
	for _, name := range []string{"full", "minimal", "odd"} {
		e := examples()[name]
		var doc any
		decode(t, written(t, "schema.jsonld", e), &doc)
		options := ld.NewJsonLdOptions("")
		options.DocumentLoader = vocabulary{}
		out, err := ld.NewJsonLdProcessor().ToRDF(doc, options)
		if err != nil {
			t.Fatal(err)
		}
		at, links := Canonical(site(), e.Ref), 0
		for _, q := range out.(*ld.RDFDataset).Graphs["@default"] {
			switch s, o := q.Subject.GetValue(), q.Object.GetValue(); {
			case s == at && q.Predicate.GetValue() == "https://schema.org/mainEntity" && o == at+"#listing",
				s == at+"#listing" && q.Predicate.GetValue() == "https://schema.org/offeredBy" && o == at+"#organisation",
				s == at+"#organisation" && q.Predicate.GetValue() == "https://schema.org/seeks" && o == at+"#listing":
				links++
			}
		}
		if links != 2 {
			t.Errorf("%s: %d links between page, listing and organisation, want 2", name, links)
		}
	}
}

// TestEUCodes checks that every language and country of ours has a code in the EU's lists.
func TestEUCodes(t *testing.T) {
	want := map[string]string{
		"en": "ENG", "id": "IND", "ms": "MSA", "th": "THA", "vi": "VIE", "fil": "FIL", "km": "KHM", "lo": "LAO", "my": "MYA",
		"zh": "ZHO", "ta": "TAM", "pt": "POR", "tet": "TET", "zh-Hant": "ZHO", "x!": "UND",
	}
	for _, lang := range slices.Sorted(maps.Keys(want)) {
		got, _ := json.Marshal(languageOf(protocolLang(lang))["@id"])
		if !strings.HasSuffix(string(got), "/"+want[lang]+`"`) {
			t.Errorf("%s is %s", lang, got)
		}
	}
}

func readDCAT(t *testing.T, b []byte) facts {
	t.Helper()
	all, f := triplesOf(t, b), newFacts()
	s := all.of("dcat:Resource")[0]
	tags := func(p string, into map[string]string) {
		for _, o := range all[s][p] {
			into[canonicalTag(o.(ld.Literal).Language)] = o.GetValue()
		}
	}
	tags("dct:title", f.Titles)
	tags("dct:description", f.Abstracts)
	maps.DeleteFunc(f.Abstracts, func(lang, s string) bool { return s == f.Titles[lang] }) // where there is none
	for _, o := range all[s]["dcat:theme"] {
		list := strings.TrimPrefix(all.one(t, o.GetValue(), "skos:inScheme"), "urn:asean-tmh:codes:")
		f.codes(list, []string{all.one(t, o.GetValue(), "skos:notation")})
	}
	f.TRL, f.Country = all.one(t, s, "tmh:trl"), all.one(t, s, "tmh:country")
	f.Published, f.Until = all.one(t, s, "dct:issued"), all.one(t, s, "tmh:validUntil")
	f.Org = strings.TrimPrefix(all.one(t, all.one(t, s, "dct:publisher"), "foaf:name"), notNamed)
	return f
}
