package interop

import (
	"encoding/json"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// Access is one way to draw the whole catalogue from this node.
type Access struct {
	Title     string
	URL       string
	MediaType string // "text/csv"
	FileType  string // of the EU's list of file types: "CSV"; "" : none fits
	Service   bool   // a protocol such as OAI-PMH, not a file
}

// Catalogue is one page of the node's catalogue for DCAT-AP.
type Catalogue struct {
	Entries []exchange.Entry // those without a listing are passed over: DCAT-AP has no tombstones, OAI-PMH has
	Access  []Access
}

// DCAT describes the catalogue after DCAT-AP 3 as JSON-LD with its context inline. A listing is no dataset, so it stands
// in the catalogue as a dcat:Resource under its origin's address and the id of its first publisher, and the catalogue
// record says from where this node has it. What is a dataset is the sum of all listings, with its ways to draw it.
func DCAT(s Site, c Catalogue) ([]byte, error) {
	g := dcatGraph{site: s, seen: map[string]bool{}}
	catalogue := object{
		"@id": s.at("/#catalogue"), "@type": "dcat:Catalog",
		"dct:title":       said("en", "Technology listings as held by "+s.MemberName),
		"dct:description": said("en", "Summaries of technology offers and requests, partner searches, expertise, facilities and funding calls of all members of the federation, as this member's node holds them."),
		"dct:publisher":   g.member(), "foaf:homepage": typed(s.at("/"), "foaf:Document"),
		"dct:language": languageOf("en"),
		"dcat:dataset": []any{g.dataset(c)},
	}
	g.nodes = append([]any{catalogue}, g.nodes...)
	var records, resources, services []any
	for _, a := range c.Access {
		if a.Service && iri(a.URL) != "" {
			services = append(services, ref(g.service(a)))
		}
	}
	for _, e := range c.Entries {
		if e.Listing == nil {
			continue
		}
		resource, record := g.listing(e)
		resources, records = append(resources, ref(resource)), append(records, ref(record))
	}
	catalogue.put("dcat:service", services)
	catalogue.put("dcat:record", records)
	catalogue.put("dcat:resource", resources)
	catalogue["dcat:themeTaxonomy"] = []any{g.scheme("ford"), g.scheme("isic"), g.scheme("ipc"), g.scheme("sdg")}
	return json.Marshal(object{"@context": dcatContext(), "@graph": g.nodes})
}

func dcatContext() object {
	return object{
		"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
		"skos": "http://www.w3.org/2004/02/skos/core#", "xsd": "http://www.w3.org/2001/XMLSchema#",
		"rdfs": "http://www.w3.org/2000/01/rdf-schema#", "tmh": ListingXMLNamespace + ":",
	}
}

type dcatGraph struct {
	site  Site
	nodes []any
	seen  map[string]bool
}

// add puts a node into the graph once and returns a reference to it.
func (g *dcatGraph) add(o object) object {
	id, _ := o["@id"].(string)
	if !g.seen[id] {
		g.seen[id] = true
		g.nodes = append(g.nodes, o)
	}
	return ref(id)
}

func (g *dcatGraph) concepts(all []term) []any { return anys(all, g.concept) }

func (g *dcatGraph) concept(t term) any {
	return g.add(object{
		"@id": t.urn(), "@type": "skos:Concept", "skos:notation": t.code, "skos:prefLabel": said("en", t.label),
		"skos:inScheme": g.scheme(t.list),
	})
}

func (g *dcatGraph) scheme(list string) object {
	return g.add(object{"@id": scheme(list), "@type": "skos:ConceptScheme", "dct:title": said("en", listName(list))})
}

func (g *dcatGraph) member() object {
	return g.add(object{
		"@id": g.site.at("/#member"), "@type": "foaf:Agent", "foaf:name": g.site.MemberName, "dct:identifier": string(g.site.Member),
	})
}

func (g *dcatGraph) dataset(c Catalogue) object {
	o := object{
		"@id": g.site.at("/#listings"), "@type": "dcat:Dataset",
		"dct:title":       said("en", "All current technology listings of the federation"),
		"dct:description": said("en", "The public summaries of all current listings, in full. Withdrawals are told by OAI-PMH."),
		"dct:publisher":   g.member(), "dct:accrualPeriodicity": typed("http://publications.europa.eu/resource/authority/frequency/CONT", "dct:Frequency"),
		"dct:language": anys(codes.Language().All(), func(c codes.Code) any { return languageOf(protocol.Lang(c.Code)) }),
	}
	var ways []any
	for _, a := range c.Access {
		at := iri(a.URL)
		if at == "" {
			continue
		}
		d := object{"@id": at + "#distribution", "@type": "dcat:Distribution", "dct:title": said("en", a.Title), "dcat:accessURL": ref(at)}
		if a.Service {
			d["dcat:accessService"] = ref(at + "#service")
		} else {
			d["dcat:downloadURL"] = ref(at)
		}
		if a.MediaType != "" {
			d["dcat:mediaType"] = typed("https://www.iana.org/assignments/media-types/"+a.MediaType, "dct:MediaType")
		}
		if a.FileType != "" {
			d["dct:format"] = typed("http://publications.europa.eu/resource/authority/file-type/"+a.FileType, "dct:MediaTypeOrExtent")
		}
		ways = append(ways, g.add(d))
	}
	o.put("dcat:distribution", ways)
	return g.add(o)
}

func (g *dcatGraph) service(a Access) string {
	at := iri(a.URL)
	g.add(object{
		"@id": at + "#service", "@type": "dcat:DataService", "dct:title": said("en", a.Title), "dcat:endpointURL": ref(at),
		"dcat:servesDataset": ref(g.site.at("/#listings")),
	})
	return at + "#service"
}

// listing adds the resource and the record of it, and returns their ids.
func (g *dcatGraph) listing(e exchange.Entry) (resource, record string) {
	l, at := e.Listing, Canonical(g.site, e.Ref)
	resource, record = at+"#listing", g.site.here(e.Ref)+"#record"
	changed := object{"@type": "xsd:dateTime", "@value": modified(l).Format(time.RFC3339)}
	o := object{
		"@id": resource, "@type": "dcat:Resource", "dct:identifier": name(e.Ref), "dct:type": g.concept(kindOf(l)),
		"dct:title": saidIn(l, title), "dct:description": saidIn(l, description), "dct:modified": changed,
		"dct:publisher": g.organisation(at, l), "dcat:landingPage": typed(at, "foaf:Document"),
		"dct:language": anys(l.Languages(), func(lang protocol.Lang) any { return languageOf(lang) }),
		"dct:spatial":  placeOf(l.Country), "tmh:country": string(l.Country),
	}
	o.put("tmh:value", saidIn(l, statement))
	o.put("tmh:region", l.Region)
	o.put("dcat:keyword", keywordsIn(l))
	o.put("dcat:theme", g.concepts(subjects(l)))
	o.put("tmh:protection", g.concepts(protection(l)))
	o.put("tmh:cooperation", g.concepts(cooperation(l)))
	o.put("tmh:seeksType", g.concepts(partners(l)))
	o.put("tmh:seeksCountry", anys(l.Seeks.Countries, func(c protocol.Country) any { return string(c) }))
	if l.TRL != 0 {
		o["tmh:trl"] = int(l.TRL)
	}
	if l.Published != 0 {
		o["dct:issued"] = day(l.Published)
	}
	if l.ValidUntil != 0 {
		o["tmh:validUntil"] = day(l.ValidUntil)
	}
	if page := iri(l.URL); page != "" {
		o["foaf:page"] = typed(page, "foaf:Document")
	}
	if l.Demonstration {
		o["rdfs:comment"] = said("en", demonstration)
	}
	g.add(o)
	g.add(object{
		"@id": record, "@type": "dcat:CatalogRecord", "foaf:primaryTopic": ref(resource), "dct:modified": changed, "dct:source": ref(at),
	})
	return resource, record
}

func (g *dcatGraph) organisation(at string, l *protocol.Listing) object {
	o := object{"@id": at + "#organisation", "@type": "foaf:Agent", "foaf:name": publisher(l)}
	if t := l.Organisation.Type; t != "" {
		o["dct:type"] = g.concept(named("organisation", codes.Organisation(), t))
	}
	return g.add(o)
}

func typed(id, kind string) object { return object{"@id": id, "@type": kind} }

func day(d protocol.Date) object { return object{"@type": "xsd:date", "@value": d.String()} }

// languageOf is the language in the EU's list, which DCAT-AP wants; its codes are those of ISO 639-3 for every language
// of ours.
func languageOf(lang protocol.Lang) object {
	primary, _, _ := strings.Cut(string(lang), "-")
	code := "UND"
	if base, err := language.ParseBase(primary); err == nil {
		code = strings.ToUpper(base.ISO3())
	}
	return typed("http://publications.europa.eu/resource/authority/language/"+code, "dct:LinguisticSystem")
}

// placeOf is the country in the EU's list, which has ISO 3166-1 alpha-3.
func placeOf(c protocol.Country) object {
	code := "XXX"
	if region, err := language.ParseRegion(string(c)); err == nil && region.IsCountry() {
		code = region.ISO3()
	}
	o := typed("http://publications.europa.eu/resource/authority/country/"+code, "dct:Location")
	o["skos:prefLabel"] = said("en", countryName(c))
	return o
}
