package protocol

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// partsRoom is what the wire form of a stored record has beside its sections, at most.
const partsRoom = 4 << 10

// Validate reports every fault of the record, as Listing's does: form and limits, no code lists.
func (r *Record) Validate() error {
	var f faults
	r.validateLevels(&f)
	r.validateTexts(&f)
	r.validateOffer(&f)
	r.validatePeople(&f)
	r.validateFunding(&f)
	r.validateDocuments(&f)
	if f.list == nil {
		c := coder{e: new(encoder)}
		c.sections(r)
		if n, most := len(c.e.buf), MaxFullRecord-partsRoom; n > most {
			f.add(CodeTooLarge, "", "%d bytes in all, at most %d: shorten the texts or leave out a language", n, most)
		}
	}
	return f.err()
}

func (r *Record) validateLevels(f *faults) {
	if r.Level != "" && r.Level.wire() == 0 {
		f.add(CodeValue, "level", "%q is no level: take %s", clip(string(r.Level)), oneOf(Levels()))
		return
	}
	if len(r.Sections) > len(RecordSections()) {
		f.add(CodeTooLarge, "sections", "%d sections, at most %d", len(r.Sections), len(RecordSections()))
		return
	}
	for _, s := range slices.Sorted(maps.Keys(r.Sections)) {
		if !slices.Contains(RecordSections(), s) {
			f.add(CodeUnknown, "sections", "%q is no section: take %s", clip(string(s)), oneOf(RecordSections()))
			continue
		}
		r.validateLevel(f, "sections."+string(s), r.Sections[s])
	}
	if r.reaches(LevelRestricted) && r.Audience.empty() {
		f.add(CodeRequired, "audience", "names nobody, though something is restricted: give organisation types or countries, or choose level registered")
	}
	codes(f, "audience.types", r.Audience.Types, isWord)
	codes(f, "audience.countries", r.Audience.Countries, Country.wellFormed)
}

// validateLevel of a section or document. Only a whole record is by invitation: its listing is in no catalogue.
func (r *Record) validateLevel(f *faults, field string, level Level) {
	switch {
	case level.wire() == 0:
		f.add(CodeValue, field, "%q is no level: take %s", clip(string(level)), oneOf(Levels()))
	case level == LevelInvited && r.Visibility() != LevelInvited:
		f.add(CodeValue, field, "only a listing as a whole is by invitation: set the record's level to invited, or this to restricted")
	}
}

// reaches reports whether anything is shown from this very level on.
func (r *Record) reaches(level Level) bool {
	said := r.said()
	for _, s := range RecordSections() {
		if s != SectionDocuments && r.LevelOf(s) == level && said.has(s) {
			return true
		}
	}
	return slices.ContainsFunc(r.Documents[:min(len(r.Documents), MaxDocuments)], func(d Document) bool { return r.levelOf(d) == level })
}

// said is the set of sections that say anything, as bits in the order of RecordSections.
type said uint32

func (s said) has(name Section) bool { return s>>slices.Index(RecordSections(), name)&1 == 1 }

// said looks for the sections in the wire form, where nothing stands that says nothing.
func (r *Record) said() (s said) {
	c := coder{e: new(encoder)}
	c.sections(r)
	for b := c.e.buf; len(b) > 0; {
		num, _, n := protowire.ConsumeField(b)
		if n < 0 {
			break // cannot be: it was just written
		}
		s |= 1 << (num - firstSection)
		b = b[n:]
	}
	return s
}

func (r *Record) validateTexts(f *faults) {
	if len(r.Texts) > MaxLanguages {
		f.add(CodeTooLarge, "texts", "%d languages, at most %d", len(r.Texts), MaxLanguages)
		return
	}
	for _, lang := range r.Languages() {
		t, at := r.Texts[lang], "texts."+clip(string(lang))
		if !lang.wellFormed() {
			f.add(CodeValue, "texts", "%q is no BCP 47 language tag such as th", clip(string(lang)))
		}
		if t.Description == "" && t.Problem == "" && t.Advantages == "" && len(t.Applications) == 0 {
			f.add(CodeRequired, at, "says nothing: write a description, or leave the language out")
		}
		passage(f, at+".description", t.Description, MaxDescription)
		passage(f, at+".problem", t.Problem, MaxPassage)
		passage(f, at+".advantages", t.Advantages, MaxPassage)
		lines(f, at+".applications", t.Applications, MaxApplications, MaxShort)
	}
	passage(f, "stage", r.Stage, MaxNote)
}

func (r *Record) validateOffer(f *faults) {
	few(f, "comparison", r.Comparison, MaxComparisons, func(at string, v Comparison) {
		name(f, at+".metric", v.Metric, MaxShort)
		line(f, at+".unit", v.Unit, MaxUnit)
		name(f, at+".baseline", v.Baseline, MaxShort)
		name(f, at+".ours", v.Ours, MaxShort)
		passage(f, at+".evidence", v.Evidence, MaxNote)
	})
	few(f, "rights", r.Rights, MaxRights, func(at string, v Right) {
		if v.Type == "" {
			f.add(CodeRequired, at+".type", "is absent: say what protects it, for example patent-granted")
		}
		word(f, at+".type", v.Type)
		if v.Office != "" && !Country(v.Office).wellFormed() {
			f.add(CodeValue, at+".office", "%q is no office code of two capital letters (WIPO ST.3) such as WO", clip(v.Office))
		}
		line(f, at+".number", v.Number, MaxUnit)
		day(f, at+".date", v.Date)
		word(f, at+".status", v.Status)
	})
	codes(f, "terms.models", r.Terms.Models, isWord)
	passage(f, "terms.price", r.Terms.Price, MaxNote)
	word(f, "terms.exclusivity", r.Terms.Exclusivity)
	line(f, "terms.field", r.Terms.Field, MaxShort)
	line(f, "terms.territory", r.Terms.Territory, MaxShort)
	codes(f, "partner.types", r.Partner.Types, isWord)
	passage(f, "partner.role", r.Partner.Role, MaxNote)
	passage(f, "partner.task", r.Partner.Task, MaxNote)
	line(f, "partner.area", r.Partner.Area, MaxShort)
	codes(f, "partner.countries", r.Partner.Countries, Country.wellFormed)
}

func (r *Record) validatePeople(f *faults) {
	o := &r.Organisation
	line(f, "organisation.name", o.Name, MaxOrganisation)
	if o.ROR != "" && !isROR(o.ROR) {
		f.add(CodeValue, "organisation.ror", "%q is no ROR id such as 03yrm5c26: one of its characters is wrong", clip(o.ROR))
	}
	word(f, "organisation.type", o.Type)
	word(f, "organisation.size", o.Size)
	if o.Since != 0 && (o.Since < 1000 || o.Since > 9999) {
		f.add(CodeValue, "organisation.since", "%d is no year of four digits", o.Since)
	}
	word(f, "organisation.turnover", o.Turnover)
	lines(f, "organisation.certifications", o.Certifications, MaxCertifications, MaxShort)
	codes(f, "organisation.languages", o.Languages, Lang.wellFormed)
	few(f, "people", r.People, MaxPeople, func(at string, v Person) {
		name(f, at+".name", v.Name, MaxShort)
		if v.ORCID != "" && !isORCID(v.ORCID) {
			f.add(CodeValue, at+".orcid", "is no ORCID iD such as 0000-0002-1825-0097: one of its digits is wrong")
		}
		line(f, at+".role", v.Role, MaxShort)
	})
	line(f, "contact.name", r.Contact.Name, MaxShort)
	if r.Contact.Email != "" && !isEmail(r.Contact.Email) {
		f.add(CodeValue, "contact.email", "is no e-mail address such as office@example.org")
	}
	if r.Contact.Phone != "" && !isPhone(r.Contact.Phone) {
		f.add(CodeValue, "contact.phone", "is no telephone number such as +855 23 123 456")
	}
	if r.Contact.URL != "" && !httpURL(r.Contact.URL) {
		f.add(CodeValue, "contact.url", "%q is no http or https address of at most %d bytes", clip(r.Contact.URL), MaxURL)
	}
}

func (r *Record) validateFunding(f *faults) {
	v := &r.Funding
	line(f, "funding.call", v.Call, MaxShort)
	instant(f, "funding.deadline", v.Deadline)
	if v.Zone != "" && !isZone(v.Zone) {
		f.add(CodeValue, "funding.zone", "%q is no time zone such as Asia/Bangkok", clip(v.Zone))
	}
	line(f, "funding.budget", v.Budget, MaxShort)
	passage(f, "funding.eligible", v.Eligible, MaxNote)
	word(f, "funding.track", v.Track)
	few(f, "funding.partners", v.Partners, MaxPartners, func(at string, p FundedPartner) {
		line(f, at+".name", p.Name, MaxOrganisation)
		if !p.Country.wellFormed() {
			f.add(CodeValue, at+".country", "%q is no ISO 3166-1 alpha-2 code such as KH", clip(string(p.Country)))
		}
		word(f, at+".type", p.Type)
	})
}

func (r *Record) validateDocuments(f *faults) {
	seen := map[string]bool{}
	few(f, "publications", r.Publications, MaxPublications, func(at string, doi string) {
		switch key := strings.ToLower(doi); {
		case !isDOI(doi):
			f.add(CodeValue, at, "%q is no DOI such as 10.1000/182, without the address before it", clip(doi))
		case seen[key]:
			f.add(CodeRepeated, at, "%q stands twice", clip(doi))
		default:
			seen[key] = true
		}
	})
	hashes := map[Hash]bool{}
	few(f, "documents", r.Documents, MaxDocuments, func(at string, d Document) {
		switch {
		case d.Hash == Hash{}:
			f.add(CodeRequired, at+".hash", "is absent: upload the document first")
		case hashes[d.Hash]:
			f.add(CodeRepeated, at+".hash", "stands twice")
		}
		hashes[d.Hash] = true
		name(f, at+".name", d.Name, MaxDocumentName)
		if strings.ContainsAny(d.Name, `/\`) || d.Name == "." || d.Name == ".." {
			f.add(CodeValue, at+".name", "%q is no name of a file alone", clip(d.Name))
		}
		if !isMediaType(d.Type) {
			f.add(CodeValue, at+".type", "%q is no media type such as application/pdf", clip(d.Type))
		}
		if d.Size < 1 || d.Size > MaxDocument {
			f.add(CodeValue, at+".size", "%d is not between 1 and %d bytes", d.Size, uint64(MaxDocument))
		}
		if d.Level != "" {
			r.validateLevel(f, at+".level", d.Level)
		}
	})
	v := &r.Provenance
	line(f, "provenance.system", v.System, MaxShort)
	line(f, "provenance.id", v.ID, MaxShort)
	instant(f, "provenance.imported", v.Imported)
	line(f, "provenance.licence", v.Licence, MaxShort)
}

// few looks at each of a list, unless there are more than may be: looking would cost as much as a stranger likes.
func few[T any](f *faults, field string, list []T, most int, look func(at string, v T)) {
	if len(list) > most {
		f.add(CodeTooLarge, field, "%d of them, at most %d", len(list), most)
		return
	}
	for i, v := range list {
		look(fmt.Sprintf("%s[%d]", field, i), v)
	}
}

func lines(f *faults, field string, list []string, most, limit int) {
	few(f, field, list, most, func(at string, s string) { name(f, at, s, limit) })
}

// name is a line that has to be there.
func name(f *faults, field, s string, limit int) {
	if strings.TrimSpace(s) == "" {
		f.add(CodeRequired, field, "is empty")
	}
	line(f, field, s, limit)
}

// passage is text of several lines.
func passage(f *faults, field, s string, limit int) {
	if n := utf8.RuneCountInString(s); n > limit {
		f.add(CodeTooLarge, field, "%d characters, at most %d", n, limit)
	}
	if !plain(s, true) {
		f.add(CodeText, field, "holds control or direction-changing characters, or is not UTF-8")
	}
}

func day(f *faults, field string, d Date) {
	if d > maxDate {
		f.add(CodeValue, field, "is after the year 9999")
	}
}

func instant(f *faults, field string, i Instant) {
	if i < 0 || i > maxInstant {
		f.add(CodeValue, field, "is before 1970 or after the year 9999")
	}
}
