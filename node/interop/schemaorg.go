package interop

import (
	"encoding/json"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// SchemaOrg describes a listing's page for search engines: the page with its texts, dates and codes, what the page is about
// (an offer, a demand or a grant), and who posts it. nil: there is no listing to describe.
//
// The bytes are safe between <script type="application/ld+json"> and </script>: no <, >, & or line separator is in them.
func SchemaOrg(s Site, e exchange.Entry) ([]byte, error) {
	l := e.Listing
	if l == nil {
		return nil, nil
	}
	at := Canonical(s, e.Ref)
	org := schemaOrganisation(at, l)
	main := schemaMain(s, at, e)
	if main["@type"] == "Demand" { // whose makers schema.org knows from the organisation's side only
		org["seeks"] = ref(at + "#listing")
	}
	// encoding/json escapes <, >, &, U+2028 and U+2029, and writes U+FFFD for what is not UTF-8.
	return json.Marshal(object{"@context": "https://schema.org", "@graph": []any{schemaPage(s, at, e), main, org}})
}

func schemaPage(s Site, at string, e exchange.Entry) object {
	l := e.Listing
	o := object{
		"@type": "WebPage", "@id": at, "url": at, "mainEntity": ref(at + "#listing"), "identifier": schemaID(e),
		"inLanguage": anys(l.Languages(), func(lang protocol.Lang) any { return string(lang) }),
	}
	o.put("name", saidIn(l, title))
	o.put("description", saidIn(l, statement))
	o.put("abstract", saidIn(l, abstract))
	o.put("keywords", keywordsIn(l))
	o.put("datePublished", l.Published.String())
	if l.Updated != 0 {
		o["dateModified"] = l.Updated.Time().Format(time.RFC3339)
	}
	o.put("expires", l.ValidUntil.String())
	o.put("about", anys(subjects(l), schemaTerm))
	o.put("mentions", anys(append(append(maturity(l), protection(l)...), cooperation(l)...), schemaTerm))
	o.put("audience", anys(partners(l), func(t term) any {
		return object{"@type": "BusinessAudience", "audienceType": t.label}
	}))
	o.put("relatedLink", iri(l.URL))
	if e.Origin == s.Member {
		o["publisher"] = object{"@type": "Organization", "name": s.MemberName, "url": s.at("/")}
	}
	if l.Demonstration {
		o["creativeWorkStatus"] = demonstration
	}
	return o
}

func schemaTerm(t term) any {
	return object{
		"@type": "DefinedTerm", "termCode": t.code, "name": t.label,
		"inDefinedTermSet": object{"@type": "DefinedTermSet", "@id": scheme(t.list), "name": listName(t.list)},
	}
}

func schemaID(e exchange.Entry) object {
	return object{"@type": "PropertyValue", "propertyID": "TMH", "value": name(e.Ref)}
}

// schemaMain is what the page is about, by kind.
func schemaMain(s Site, at string, e exchange.Entry) object {
	l := e.Listing
	o := object{"@id": at + "#listing", "url": at, "identifier": schemaID(e), "additionalType": kindOf(l).label}
	o.put("name", saidIn(l, title))
	o.put("description", saidIn(l, description))
	if l.Demonstration {
		o["disambiguatingDescription"] = demonstration
	}
	org := ref(at + "#organisation")
	if l.Kind == protocol.FundingCall {
		o["@type"], o["funder"] = "MonetaryGrant", org
		return o
	}
	item := object{"@type": "Service", "serviceType": kindOf(l).label}
	o["@type"] = "Offer"
	switch l.Kind {
	case protocol.TechnologyOffer:
		item = object{"@type": "Product", "category": kindOf(l).label}
		item.put("additionalProperty", anys(maturity(l), func(t term) any {
			return object{"@type": "PropertyValue", "propertyID": "TRL", "name": listName(t.list), "value": int(l.TRL), "description": t.label}
		}))
	case protocol.TechnologyRequest:
		item = object{"@type": "Product", "category": kindOf(l).label}
		o["@type"] = "Demand"
	case protocol.ResearchPartner:
		o["@type"] = "Demand"
	default: // expertise and facilities are used where they are
		item["provider"] = org
		o["availableAtOrFrom"] = object{"@type": "Place", "address": schemaAddress(l)}
	}
	item.put("name", saidIn(l, title))
	o["itemOffered"] = item
	o.put("eligibleRegion", anys(l.Seeks.Countries, func(c protocol.Country) any {
		return object{"@type": "Country", "identifier": string(c), "name": countryName(c)}
	}))
	o.put("availabilityStarts", l.Published.String())
	o.put("availabilityEnds", l.ValidUntil.String())
	o.put("validFrom", l.Published.String())
	o.put("validThrough", l.ValidUntil.String())
	if o["@type"] == "Offer" {
		o["offeredBy"] = org
		o["availability"] = "https://schema.org/InStock"
		if e.State == exchange.Expired || l.Expired(protocol.DateOf(s.Now())) {
			o["availability"] = "https://schema.org/Discontinued"
		}
	}
	return o
}

func schemaAddress(l *protocol.Listing) object {
	o := object{"@type": "PostalAddress", "addressCountry": string(l.Country)}
	o.put("addressRegion", l.Region)
	return o
}

func schemaOrganisation(at string, l *protocol.Listing) object {
	o := object{"@type": "Organization", "@id": at + "#organisation", "address": schemaAddress(l)}
	switch l.Organisation.Type {
	case "university":
		o["@type"] = "CollegeOrUniversity"
	case "research-institute":
		o["@type"] = "ResearchOrganization"
	case "agency":
		o["@type"] = "GovernmentOrganization"
	case "ngo":
		o["@type"] = "NGO"
	}
	o.put("additionalType", codes.Organisation().Label(l.Organisation.Type))
	if l.Organisation.Name == "" {
		o["description"] = "The organisation is not named in public."
	}
	o.put("name", l.Organisation.Name)
	staff := object{"@type": "QuantitativeValue"}
	switch l.Organisation.Size {
	case "micro":
		staff["minValue"], staff["maxValue"] = 1, 9
	case "small":
		staff["minValue"], staff["maxValue"] = 10, 49
	case "medium":
		staff["minValue"], staff["maxValue"] = 50, 249
	case "large":
		staff["minValue"] = 250
	default:
		return o
	}
	o["numberOfEmployees"] = staff
	return o
}
