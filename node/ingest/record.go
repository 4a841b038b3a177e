package ingest

import (
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

// DecodeRecordJSON reads a full record in protocol.Record's JSON form, as strictly as DecodeListingJSON reads a listing. Of
// ORCID iDs, ROR ids and DOIs also the web address is taken.
func DecodeRecordJSON(b []byte) (*protocol.Record, error) {
	root, fault := parse(recordName, b)
	if fault != nil {
		return nil, protocol.Errors{fault}
	}
	return decodeRecord(root)
}

const recordName = "full record"

func decodeRecord(root node) (*protocol.Record, error) {
	rec := new(protocol.Record)
	r := form{what: recordName}
	if _, ok := root.value.([]member); !ok {
		r.wrongType("", root, `an object such as {"texts": {"en": {"description": "..."}}}`)
		return nil, r.faults
	}
	r.object("", root, recordForm(&r, rec))
	r.recordCodes(rec)
	order := []string{"level", "sections", "audience"}
	for _, s := range protocol.RecordSections() {
		order = append(order, string(s))
	}
	if err := r.judged(rec.Validate(), order); err != nil {
		return nil, err
	}
	return rec, nil
}

func recordForm(r *form, rec *protocol.Record) members {
	return members{
		"level":      text(r, &rec.Level),
		"sections":   r.sections(rec),
		"audience":   nested(r, members{"types": texts(r, &rec.Audience.Types), "countries": texts(r, &rec.Audience.Countries)}),
		"texts":      r.recordTexts(rec),
		"comparison": objects(r, &rec.Comparison, r.comparison),
		"stage":      text(r, &rec.Stage),
		"rights": objects(r, &rec.Rights, func(v *protocol.Right) members {
			return members{"type": text(r, &v.Type), "office": text(r, &v.Office), "number": text(r, &v.Number), "date": read(r, &v.Date, aDate), "status": text(r, &v.Status)}
		}),
		"terms": nested(r, members{
			"models": texts(r, &rec.Terms.Models), "price": text(r, &rec.Terms.Price), "exclusivity": text(r, &rec.Terms.Exclusivity),
			"field": text(r, &rec.Terms.Field), "territory": text(r, &rec.Terms.Territory),
		}),
		"partner": nested(r, members{
			"types": texts(r, &rec.Partner.Types), "role": text(r, &rec.Partner.Role), "task": text(r, &rec.Partner.Task),
			"area": text(r, &rec.Partner.Area), "countries": texts(r, &rec.Partner.Countries),
		}),
		"organisation": nested(r, r.owner(&rec.Organisation)),
		"people": objects(r, &rec.People, func(v *protocol.Person) members {
			return members{"name": text(r, &v.Name), "orcid": id(r, &v.ORCID, "orcid.org/"), "role": text(r, &v.Role)}
		}),
		"contact": nested(r, members{
			"name": text(r, &rec.Contact.Name), "email": text(r, &rec.Contact.Email), "phone": text(r, &rec.Contact.Phone), "url": text(r, &rec.Contact.URL),
		}),
		"funding": nested(r, r.funding(&rec.Funding)),
		"publications": func(at string, n node) {
			for i, e := range r.list(at, n) {
				var doi string
				id(r, &doi, "doi.org/", "dx.doi.org/")(element(at, i), e)
				rec.Publications = append(rec.Publications, doi)
			}
		},
		"documents": objects(r, &rec.Documents, func(v *protocol.Document) members {
			return members{
				"hash": read(r, &v.Hash, digits64), "name": text(r, &v.Name), "type": text(r, &v.Type), "size": whole(r, &v.Size, 53),
				"preview": read(r, &v.Preview, digits64), "level": text(r, &v.Level),
			}
		}),
		"provenance": nested(r, members{
			"system": text(r, &rec.Provenance.System), "id": text(r, &rec.Provenance.ID), "imported": read(r, &rec.Provenance.Imported, aTime),
			"licence": text(r, &rec.Provenance.Licence),
		}),
		"controls": nested(r, members{"export": truth(r, &rec.Controls.Export), "nagoya": truth(r, &rec.Controls.Nagoya)}),
	}
}

func (r *form) comparison(v *protocol.Comparison) members {
	return members{
		"metric": text(r, &v.Metric), "unit": text(r, &v.Unit), "baseline": text(r, &v.Baseline), "ours": text(r, &v.Ours), "evidence": text(r, &v.Evidence),
	}
}

func (r *form) owner(o *protocol.Owner) members {
	return members{
		"name": text(r, &o.Name), "ror": id(r, &o.ROR, "ror.org/"), "type": text(r, &o.Type), "size": text(r, &o.Size), "since": whole(r, &o.Since, 16),
		"turnover": text(r, &o.Turnover), "transnational": truth(r, &o.Transnational), "certifications": texts(r, &o.Certifications),
		"languages": texts(r, &o.Languages),
	}
}

func (r *form) funding(f *protocol.Funding) members {
	return members{
		"call": text(r, &f.Call), "deadline": read(r, &f.Deadline, aTime), "zone": text(r, &f.Zone), "budget": text(r, &f.Budget),
		"eligible": text(r, &f.Eligible), "track": text(r, &f.Track),
		"partners": objects(r, &f.Partners, func(v *protocol.FundedPartner) members {
			return members{"name": text(r, &v.Name), "country": text(r, &v.Country), "type": text(r, &v.Type), "eligible": truth(r, &v.Eligible)}
		}),
	}
}

func (r *form) sections(rec *protocol.Record) func(string, node) {
	known := members{}
	for _, s := range protocol.RecordSections() {
		known[string(s)] = func(at string, n node) {
			var level protocol.Level
			text(r, &level)(at, n)
			if rec.Sections == nil {
				rec.Sections = make(map[protocol.Section]protocol.Level)
			}
			rec.Sections[s] = level
		}
	}
	return nested(r, known)
}

func (r *form) recordTexts(rec *protocol.Record) func(string, node) {
	return func(at string, n node) {
		byLang(r, at, n, &rec.Texts, func(t *protocol.RecordText) members {
			return members{
				"description": text(r, &t.Description), "problem": text(r, &t.Problem), "advantages": text(r, &t.Advantages), "applications": texts(r, &t.Applications),
			}
		})
	}
}

// id takes an identifier, with or without the address under which it is found.
func id(r *form, into *string, hosts ...string) func(string, node) {
	return func(at string, n node) {
		text(r, into)(at, n)
		s := strings.TrimSpace(*into)
		for _, scheme := range []string{"https://", "http://"} {
			for _, host := range hosts {
				if rest, ok := strings.CutPrefix(s, scheme+host); ok {
					s = rest
				}
			}
		}
		*into = s
	}
}

// recordCodes judges every code against its list.
func (r *form) recordCodes(rec *protocol.Record) {
	const types, countries = "the types of organisation", "the countries (ISO 3166-1 alpha-2)"
	for _, lang := range rec.Languages()[:min(len(rec.Texts), protocol.MaxLanguages)] {
		r.code("texts."+clip(string(lang)), string(lang), codes.Language(), languages, "th")
	}
	r.each("audience.types", rec.Audience.Types, codes.Organisation(), types, "sme")
	r.each("audience.countries", plain(rec.Audience.Countries), codes.Country(), countries, "LA")
	for i, v := range rec.Rights[:min(len(rec.Rights), protocol.MaxRights)] {
		at := element("rights", i)
		r.code(at+".type", v.Type, codes.IPR(), "the states of protection (IPR)", "patent-granted")
		if !codes.Country().Has(v.Office) {
			r.code(at+".office", v.Office, codes.Office(), "the countries and offices (WIPO ST.3)", "WO")
		}
		r.code(at+".status", v.Status, codes.Right(), "the states of a right", "granted")
	}
	r.each("terms.models", rec.Terms.Models, codes.Terms(), "the models of payment", "royalty")
	r.code("terms.exclusivity", rec.Terms.Exclusivity, codes.Exclusivity(), "the degrees of exclusivity", "non-exclusive")
	r.each("partner.types", rec.Partner.Types, codes.Organisation(), types, "sme")
	r.each("partner.countries", plain(rec.Partner.Countries), codes.Country(), countries, "LA")
	o := &rec.Organisation
	r.code("organisation.type", o.Type, codes.Organisation(), types, "university")
	r.code("organisation.size", o.Size, codes.Size(), "the sizes of organisation", "small")
	r.code("organisation.turnover", o.Turnover, codes.Turnover(), "the bands of turnover", "1m-10m")
	r.code("funding.track", rec.Funding.Track, codes.Track(), "the tracks of a call", "innovation")
	for i, v := range rec.Funding.Partners[:min(len(rec.Funding.Partners), protocol.MaxPartners)] {
		at := element("funding.partners", i)
		r.code(at+".country", string(v.Country), codes.Country(), countries, "KH")
		r.code(at+".type", v.Type, codes.Organisation(), types, "university")
	}
}

func plain[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}
