package ui

import (
	"html/template"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// What the members of a listing are called on the pages, for those who say which column becomes which.

// placeKeys are the names that other pages use already, by the path of the member, texts without their language.
func placeKeys() map[string]string {
	return map[string]string{
		"listing.kind": "field.kind", "listing.country": "field.country", "listing.trl": "field.trl", "listing.ipr": "field.ipr", "listing.cooperation": "field.cooperation",
		"listing.ford": "field.ford", "listing.isic": "field.isic", "listing.ipc": "field.ipc", "listing.sdg": "field.sdg", "listing.published": "field.published",
		"listing.valid_until": "field.valid-until", "listing.url": "field.url", "listing.organisation.name": "field.organisation", "listing.organisation.type": "field.organisation-type",
		"listing.organisation.size": "field.size", "listing.seeks.types": "field.partner", "listing.texts.title": "field.title", "listing.texts.value": "field.value",
		"listing.texts.abstract": "field.abstract", "listing.texts.keywords": "field.keywords", "record.level": "field.level", "record.texts.description": "field.description",
		"record.texts.problem": "field.problem", "record.texts.advantages": "field.advantages", "record.texts.applications": "field.applications", "record.stage": "record.stage.words",
		"record.rights": "field.ipr", "record.terms.models": "record.terms.pay", "record.terms.price": "record.terms.price", "record.terms.exclusivity": "record.terms.exclusivity",
		"record.terms.field": "record.terms.field", "record.terms.territory": "record.terms.territory", "record.partner.types": "record.partner.types",
		"record.partner.role": "record.partner.role", "record.partner.task": "record.partner.task", "record.partner.area": "record.partner.area",
		"record.partner.countries": "record.partner.countries", "record.organisation.ror": "record.owner.ror", "record.organisation.since": "record.owner.since",
		"record.organisation.turnover": "record.owner.turnover", "record.organisation.certifications": "record.owner.certifications", "record.funding.call": "record.funding.call",
		"record.funding.deadline": "record.funding.deadline", "record.funding.budget": "record.funding.budget", "record.funding.eligible": "record.funding.eligible",
		"record.funding.track": "record.funding.track", "record.publications": "record.doi", "record.people": "record.section.people", "record.contact.name": "field.contact",
		"record.contact.email": "form.email", "record.contact.phone": "form.phone", "record.provenance.system": "record.from.system", "record.provenance.licence": "record.from.licence",
		"record.controls.export": "record.controls.export", "record.controls.nagoya": "record.controls.nagoya",
	}
}

// placeNames are the names of all members by path, in the language of the page where it has one.
func placeNames(p *lang.Printer) map[string]lang.Text {
	keys, all := placeKeys(), mapping.Targets()
	names := make(map[string]lang.Text, len(all))
	for _, t := range all {
		path, tongue := t.Path, ""
		if parts := strings.Split(t.Path, "."); len(parts) == 4 && parts[1] == "texts" {
			path, tongue = parts[0]+".texts."+parts[3], parts[2]
		}
		key := keys[path]
		switch {
		case key == "":
			names[t.Path] = lang.Text{Lang: string(lang.English), Text: t.Label}
		case tongue == "*":
			names[t.Path] = p.Text("imports.in-own", "Field", p.Text(key))
		case tongue != "":
			names[t.Path] = p.Text("imports.in", "Field", p.Text(key), "Language", p.Language(tongue))
		default:
			names[t.Path] = p.Text(key)
		}
	}
	return names
}

// placeName is the name of what stands at a path, which may be within a list; the path itself where it has none.
func placeName(p *lang.Printer, names map[string]lang.Text, path string) template.HTML {
	at := path
	for {
		if t, ok := names[at]; ok {
			return p.Say(t)
		}
		i := strings.LastIndexAny(at, ".[")
		if i < 0 {
			return template.HTML(`<code>` + template.HTMLEscapeString(path) + `</code>`) //nolint:gosec // escaped
		}
		at = at[:i]
	}
}

// targetChoice is something that a column can become.
type targetChoice struct {
	Value, Label, Lang string // Lang where it differs from the page's
}

type targetGroup struct {
	Name string
	List []targetChoice
}

// choosable members: the main ones and those of the full record. Of texts only in a few languages: the page's, English, the
// country's and those that are in use; a list of all is too long to be read.
func choosable(p *lang.Printer, names map[string]lang.Text, country protocol.Country, used []string) []targetGroup {
	tongues := append([]string{"*", "en", string(p.Tag())}, spokenIn(country)...)
	groups := []targetGroup{{Name: p.T("imports.members.main")}, {Name: p.T("imports.members.full")}}
	for _, t := range mapping.Targets() {
		parts := strings.Split(t.Path, ".")
		if len(parts) == 4 && parts[1] == "texts" && !slices.Contains(tongues, parts[2]) && !slices.Contains(used, t.Path) || parts[1] == "sections" && !slices.Contains(used, t.Path) {
			continue
		}
		c := targetChoice{Value: t.Path, Label: names[t.Path].Text}
		if l := names[t.Path].Lang; l != string(p.Tag()) {
			c.Lang = l
		}
		i := 0
		if parts[0] == "record" {
			i = 1
		}
		groups[i].List = append(groups[i].List, c)
	}
	return groups
}

// spokenIn are the main languages of a member's country.
func spokenIn(c protocol.Country) []string {
	return map[protocol.Country][]string{
		"BN": {"ms"}, "ID": {"id"}, "KH": {"km"}, "LA": {"lo"}, "MM": {"my"}, "MY": {"ms", "zh", "ta"}, "PH": {"fil"}, "SG": {"zh", "ms", "ta"}, "TH": {"th"}, "TL": {"tet", "pt"}, "VN": {"vi"},
	}[c]
}

// memberSelect is the choice that one column or rule has.
type memberSelect struct {
	To     string
	ID     bool // it can be the id at the source
	Groups []targetGroup
}

func (c columnRow) Members(groups []targetGroup) memberSelect {
	return memberSelect{c.To, true, groups}
}

func (x ruleRow) Members(groups []targetGroup) memberSelect { return memberSelect{x.To, false, groups} }

// Number of the rule, as people count.
func (x ruleRow) Number() int { return x.N + 1 }

// Lines that its columns take.
func (x ruleRow) Lines() int { return 1 + strings.Count(x.From, "\n") }
