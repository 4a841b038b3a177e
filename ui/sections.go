package ui

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// What stands under the headings of a full record.

func sectionOf(p *lang.Printer, r *protocol.Record, which protocol.Section, back string) (s recordSection) {
	f := factList{p: p}
	when := func(is bool, key string) template.HTML {
		if is {
			return p.HTML(key)
		}
		return ""
	}
	switch which {
	case protocol.SectionTexts, protocol.SectionContact: // shown elsewhere on the page
		return s
	case protocol.SectionComparison:
		for _, c := range r.Comparison {
			metric := c.Metric
			if c.Unit != "" {
				metric += " (" + c.Unit + ")"
			}
			s.Compared = append(s.Compared, compared{voice(metric), voice(c.Baseline), voice(c.Ours), voice(c.Evidence)})
		}
	case protocol.SectionStage:
		f.add("record.stage.words", voice(r.Stage))
	case protocol.SectionRights:
		for _, x := range r.Rights {
			f.right(x)
		}
	case protocol.SectionTerms:
		f.add("record.terms.pay", namesOf(p, "terms", r.Terms.Models)...)
		f.add("record.terms.price", voice(r.Terms.Price))
		f.add("record.terms.exclusivity", named(p, "exclusivity", r.Terms.Exclusivity))
		f.add("record.terms.field", voice(r.Terms.Field))
		f.add("record.terms.territory", voice(r.Terms.Territory))
	case protocol.SectionPartner:
		f.add("record.partner.types", namesOf(p, "organisation", r.Partner.Types)...)
		f.add("record.partner.role", voice(r.Partner.Role))
		f.add("record.partner.task", voice(r.Partner.Task))
		f.add("record.partner.area", voice(r.Partner.Area))
		f.add("record.partner.countries", namesOf(p, "country", r.Partner.Countries)...)
	case protocol.SectionOrganisation:
		f.organisation(r.Organisation)
	case protocol.SectionPeople:
		for _, x := range r.People {
			f.under(voice(x.Name), when(x.Role == "" && x.ORCID == "", "record.no-more"), voice(x.Role), orcid(x.ORCID))
		}
	case protocol.SectionFunding:
		f.funding(r.Funding)
	case protocol.SectionPublications:
		var all []template.HTML
		for _, doi := range r.Publications {
			all = append(all, voice(doi))
		}
		f.add("record.doi", all...)
	case protocol.SectionDocuments:
		for _, d := range r.Documents {
			s.Documents = append(s.Documents, documentLink{
				Href: "/api/v1" + back + "/documents/" + url.PathEscape(d.Hash.String()), Type: d.Type, Size: d.Size, Name: voice(d.Name),
			})
		}
	case protocol.SectionProvenance:
		f.add("record.from.system", voice(r.Provenance.System))
		f.add("record.from.id", voice(r.Provenance.ID))
		f.add("record.from.imported", voice(p.Moment(r.Provenance.Imported)))
		f.add("record.from.licence", voice(r.Provenance.Licence))
	case protocol.SectionControls:
		f.add("record.controls.observe", when(r.Controls.Export, "record.controls.export"), when(r.Controls.Nagoya, "record.controls.nagoya"))
	}
	s.Heading, s.Facts = p.HTML("record.section."+string(which)), f.list
	return s
}

func orcid(id string) template.HTML {
	if id == "" {
		return ""
	}
	return voice("ORCID " + id)
}

func (f *factList) right(x protocol.Right) {
	office := named(f.p, "office", x.Office)
	if !codes.Office().Has(x.Office) {
		office = named(f.p, "country", x.Office)
	}
	number := template.HTML(strings.TrimSpace(string(office + " " + voice(x.Number)))) //nolint:gosec // of escaped parts
	if number == "" && x.Status == "" && x.Date == 0 {
		number = f.p.HTML("record.no-more")
	}
	f.under(named(f.p, "ipr", x.Type), number, voice(f.p.Date(x.Date)), named(f.p, "right", x.Status))
}

func (f *factList) organisation(o protocol.Owner) {
	f.add("record.owner.name", voice(o.Name))
	f.add("record.owner.ror", voice(o.ROR))
	f.add("record.owner.type", named(f.p, "organisation", o.Type))
	f.add("record.owner.size", named(f.p, "size", o.Size))
	if o.Since != 0 {
		f.add("record.owner.since", voice(strconv.Itoa(int(o.Since))))
	}
	f.add("record.owner.turnover", named(f.p, "turnover", o.Turnover))
	if o.Transnational {
		f.add("record.owner.experience", f.p.HTML("record.owner.transnational"))
	}
	var certified []template.HTML
	for _, c := range o.Certifications {
		certified = append(certified, voice(c))
	}
	f.add("record.owner.certifications", certified...)
	f.add("field.languages", namesOf(f.p, "language", o.Languages)...)
}

func (f *factList) funding(x protocol.Funding) {
	f.add("record.funding.call", voice(x.Call))
	deadline := voice(f.p.Moment(x.Deadline))
	if z, err := time.LoadLocation(x.Zone); err == nil && x.Deadline != 0 && x.Zone != "" && x.Zone != "Local" {
		t := x.Deadline.Time().In(z)
		deadline = f.p.HTML("record.funding.deadline-in", "Date", protocol.DateOf(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)), "Time", t.Format("15:04"), "Zone", x.Zone, "Moment", f.p.Moment(x.Deadline))
	}
	f.add("record.funding.deadline", deadline)
	f.add("record.funding.budget", voice(x.Budget))
	f.add("record.funding.eligible", voice(x.Eligible))
	f.add("record.funding.track", named(f.p, "track", x.Track))
	for _, y := range x.Partners {
		var said []string
		for _, part := range []template.HTML{voice(y.Name), named(f.p, "country", string(y.Country)), named(f.p, "organisation", y.Type)} {
			if part != "" {
				said = append(said, string(part))
			}
		}
		if y.Eligible {
			said = append(said, string(f.p.HTML("record.funding.partner-eligible")))
		}
		f.add("record.funding.partner", template.HTML(strings.Join(said, ", "))) //nolint:gosec // of escaped parts
	}
}
