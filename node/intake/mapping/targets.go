package mapping

import (
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

// Value is the kind of value that a target takes.
type Value string

// The kinds of value. The last three are cells with several parts, separated by ; in this order:
// "patent-granted; TH; TH 12345; 2024-05-01; granted" and "A University; TH; university; yes". A person is
// "A. Name (role) [0000-0002-1825-0097]".
const (
	ValueLine    Value = "line"
	ValueText    Value = "text" // of several lines
	ValueCode    Value = "code" // or its label in English
	ValueNumber  Value = "number"
	ValueDate    Value = "date"
	ValueTime    Value = "time"
	ValueTruth   Value = "yes-no"
	ValueAddress Value = "url"
	ValueID      Value = "id" // with or without the address under which it is found
	ValuePerson  Value = "person"
	ValueRight   Value = "right"
	ValuePartner Value = "partner"
)

// Target is one member that a rule can fill.
type Target struct {
	Path     string `json:"path"`
	Label    string `json:"label"`
	Value    Value  `json:"value"`
	Codes    string `json:"codes,omitempty"`    // name of the code list that its values are of
	List     bool   `json:"list,omitempty"`     // takes several values
	Required bool   `json:"required,omitempty"` // of a title: in one language at least
	Max      int    `json:"max,omitempty"`      // characters of a value
	Most     int    `json:"most,omitempty"`     // values of a list
}

const (
	pathKind    = "listing.kind"
	pathCountry = "listing.country"

	anyLang = "*"
)

func isTitle(path string) bool {
	return strings.HasPrefix(path, "listing.texts.") && strings.HasSuffix(path, ".title")
}

// Targets in the order of the forms' members: languages side by side, "*" before them.
func Targets() []Target {
	all := []Target{
		code(pathKind, "Kind of listing", "kind").required(),
		code(pathCountry, "Country", "country").required(),
		line("listing.region", "Region (ISO 3166-2)", 6),
	}
	for _, l := range languages() {
		at, in := "listing.texts."+l.tag+".", " ("+l.name+")"
		all = append(all,
			line(at+"title", "Title"+in, protocol.MaxTitle).required(),
			line(at+"value", "Value statement"+in, protocol.MaxValue),
			text(at+"abstract", "Abstract"+in, protocol.MaxAbstract),
			line(at+"keywords", "Keywords"+in, protocol.MaxKeyword).list(protocol.MaxKeywords))
	}
	all = append(all,
		line("listing.organisation.name", "Organisation, as everybody sees it", protocol.MaxOrganisation),
		code("listing.organisation.type", "Type of organisation", "organisation"),
		code("listing.organisation.size", "Size of organisation", "size"),
		Target{Path: "listing.trl", Label: "Technology readiness level", Value: ValueNumber, Codes: "trl"},
		code("listing.ipr", "Protection (IPR)", "ipr").codes(),
		code("listing.cooperation", "Form of cooperation", "cooperation").codes(),
		code("listing.seeks.types", "Types of partner sought", "organisation").codes(),
		code("listing.seeks.countries", "Countries of partners sought", "country").codes(),
		code("listing.ford", "Field of research (FORD)", "ford").codes(),
		code("listing.isic", "Industry (ISIC)", "isic").codes(),
		code("listing.ipc", "Patent class (IPC)", "ipc").codes(),
		Target{Path: "listing.sdg", Label: "Sustainable development goals", Value: ValueNumber, Codes: "sdg"}.codes(),
		Target{Path: "listing.published", Label: "Published on", Value: ValueDate},
		Target{Path: "listing.valid_until", Label: "Valid until", Value: ValueDate},
		Target{Path: "listing.url", Label: "Web address", Value: ValueAddress, Max: protocol.MaxURL},
		Target{Path: "listing.demonstration", Label: "Invented content", Value: ValueTruth},
	)
	return append(all, recordTargets()...)
}

func recordTargets() []Target {
	all := []Target{code("record.level", "Who may see the full record", "level")}
	for _, s := range protocol.RecordSections() {
		all = append(all, code("record.sections."+string(s), "Who may see its section "+string(s), "level"))
	}
	all = append(all,
		code("record.audience.types", "Restricted to types of organisation", "organisation").codes(),
		code("record.audience.countries", "Restricted to countries", "country").codes())
	for _, l := range languages() {
		at, in := "record.texts."+l.tag+".", " ("+l.name+")"
		all = append(all,
			text(at+"description", "Description"+in, protocol.MaxDescription),
			text(at+"problem", "Problem"+in, protocol.MaxPassage),
			text(at+"advantages", "Advantages"+in, protocol.MaxPassage),
			line(at+"applications", "Applications"+in, protocol.MaxShort).list(protocol.MaxApplications))
	}
	short := func(path, label string) Target { return line(path, label, protocol.MaxShort) }
	note := func(path, label string) Target { return text(path, label, protocol.MaxNote) }
	return append(all,
		note("record.stage", "Stage of development, in words"),
		Target{Path: "record.rights", Label: "Rights: type; office; number; date; status", Value: ValueRight}.list(protocol.MaxRights),
		code("record.terms.models", "Models of payment", "terms").codes(),
		note("record.terms.price", "Price, a note"),
		code("record.terms.exclusivity", "Exclusivity", "exclusivity"),
		short("record.terms.field", "Field of use"),
		short("record.terms.territory", "Territory"),
		code("record.partner.types", "Partner: types", "organisation").codes(),
		note("record.partner.role", "Partner: role"),
		note("record.partner.task", "Partner: task"),
		short("record.partner.area", "Partner: area of activity"),
		code("record.partner.countries", "Partner: countries", "country").codes(),
		line("record.organisation.name", "Organisation, in the full record", protocol.MaxOrganisation),
		Target{Path: "record.organisation.ror", Label: "Organisation: ROR id", Value: ValueID},
		code("record.organisation.type", "Organisation: type, in the full record", "organisation"),
		code("record.organisation.size", "Organisation: size, in the full record", "size"),
		Target{Path: "record.organisation.since", Label: "Organisation: year of founding", Value: ValueNumber},
		code("record.organisation.turnover", "Organisation: turnover", "turnover"),
		Target{Path: "record.organisation.transnational", Label: "Organisation: has worked across borders", Value: ValueTruth},
		short("record.organisation.certifications", "Organisation: certifications").list(protocol.MaxCertifications),
		code("record.organisation.languages", "Organisation: languages", "language").codes(),
		Target{Path: "record.people", Label: "People: name (role) [ORCID]", Value: ValuePerson}.list(protocol.MaxPeople),
		short("record.contact.name", "Contact: name"),
		line("record.contact.email", "Contact: e-mail", protocol.MaxEmail),
		line("record.contact.phone", "Contact: telephone", protocol.MaxPhone),
		Target{Path: "record.contact.url", Label: "Contact: web address", Value: ValueAddress, Max: protocol.MaxURL},
		short("record.funding.call", "Funding: call"),
		Target{Path: "record.funding.deadline", Label: "Funding: deadline", Value: ValueTime},
		line("record.funding.zone", "Funding: time zone", protocol.MaxZone),
		short("record.funding.budget", "Funding: budget"),
		note("record.funding.eligible", "Funding: who may apply"),
		code("record.funding.track", "Funding: track", "track"),
		Target{Path: "record.funding.partners", Label: "Funding: partners: name; country; type; eligible", Value: ValuePartner}.list(protocol.MaxPartners),
		Target{Path: "record.publications", Label: "Publications (DOI)", Value: ValueID}.list(protocol.MaxPublications),
		short("record.provenance.system", "Source: system"),
		short("record.provenance.id", "Source: id there"),
		short("record.provenance.licence", "Source: licence"),
		Target{Path: "record.controls.export", Label: "Under export control", Value: ValueTruth},
		Target{Path: "record.controls.nagoya", Label: "Under the Nagoya Protocol", Value: ValueTruth},
	)
}

func line(path, label string, most int) Target {
	return Target{Path: path, Label: label, Value: ValueLine, Max: most}
}

func text(path, label string, most int) Target {
	return Target{Path: path, Label: label, Value: ValueText, Max: most}
}

func code(path, label, list string) Target {
	return Target{Path: path, Label: label, Value: ValueCode, Codes: list}
}

func (t Target) required() Target {
	t.Required = true
	return t
}

func (t Target) list(most int) Target {
	t.List, t.Most = true, most
	return t
}

func (t Target) codes() Target { return t.list(protocol.MaxCodes) }

type language struct{ tag, name string }

// languages of TMH, after "*".
func languages() []language {
	all := []language{{anyLang, "language of each value"}}
	for _, c := range codes.Language().All() {
		all = append(all, language{c.Code, c.Label})
	}
	return all
}
