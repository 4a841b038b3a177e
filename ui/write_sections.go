package ui

import (
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// The sections of a listing, in the order in which they are written, and the fields of each.

// section is a task: one form.
type section struct {
	ID    string // in its address
	Part  string // what it is listed under: write.part.<Part>
	Title string // key
	Lang  protocol.Lang
	draw  func(w *writing, c *posting.Content)
	items []string // of the checklist that it does
}

// sections that a listing has. What is published keeps its kind and country.
func sections(h *posting.Posting, c *posting.Content) (list []section) {
	add := func(part, id, title string, draw func(*writing, *posting.Content), items ...string) {
		list = append(list, section{ID: id, Part: part, Title: title, draw: draw, items: items})
	}
	kind := c.Listing.Kind
	add("what", "basics", "write.basics", func(w *writing, c *posting.Content) { drawBasics(w, c, h.Live != posting.None) }, "trl", "record.stage")
	for _, l := range c.Listing.Languages() {
		list = append(list, section{
			ID: "words-" + string(l), Part: "words", Title: "write.words", Lang: l, draw: func(w *writing, c *posting.Content) { drawWords(w, c, l) },
			items: []string{"texts.title", "texts.value", "texts.abstract", "texts.keywords"},
		}, section{
			ID: "story-" + string(l), Part: "words", Title: "write.story", Lang: l, draw: func(w *writing, c *posting.Content) { drawStory(w, c, l) },
			items: []string{"record.texts.description", "record.texts.problem", "record.texts.advantages", "record.texts.applications"},
		})
	}
	add("details", "fields", "write.fields", drawFields, "ford", "isic", "ipc", "sdg")
	if kind != protocol.FundingCall || len(c.Record.Comparison) > 0 {
		add("details", "figures", "record.section.comparison", drawComparison, "record.comparison")
	}
	add("details", "rights", "write.rights", drawRights, "ipr", "record.rights")
	if kind == protocol.FundingCall || kind == protocol.ResearchPartner || c.Record.Funding.Call != "" || c.Record.Funding.Deadline != 0 || len(c.Record.Funding.Partners) > 0 {
		add("details", "funding", "record.section.funding", drawFunding, "record.funding", "record.funding.call")
	}
	add("details", "papers", "write.papers", drawPapers, "record.publications")
	add("details", "documents", "write.documents", drawDocuments)
	add("who", "partner", "record.section.partner", drawPartner, "cooperation", "seeks", "record.partner")
	add("who", "terms", "record.section.terms", drawTerms, "record.terms")
	add("who", "organisation", "field.organisation", drawOwner, "organisation.type")
	add("who", "people", "write.people", drawPeople, "record.contact")
	add("shown", "visibility", "field.level", func(w *writing, c *posting.Content) { drawLevels(w, c, h) })
	add("shown", "validity", "field.valid-until", drawValidity, "valid_until")
	return list
}

func drawBasics(w *writing, c *posting.Content, fixed bool) {
	l := &c.Listing
	if !fixed {
		one(w, "kind", "field.kind", "kind", codes.Kind(), &l.Kind)
		one(w, "country", "field.country", "country", codes.Country(), &l.Country)
	}
	w.line("region", "sheet.region", &l.Region, 6).hint(w, "write.hint.region").Spelled = false
	trl := ""
	if l.TRL > 0 {
		trl = string(rune('0' + l.TRL%10))
	}
	e := one(w, "trl", "field.trl", "trl", codes.TRL(), &trl).hint(w, "write.hint.trl")
	if w.reads() {
		l.TRL = 0
		if codes.TRL().Has(trl) {
			l.TRL = trl[0] - '0'
		}
	}
	for i := range e.Choices {
		if x := &e.Choices[i]; x.Value != "" {
			x.Label = x.Value + ": " + x.Label
		}
	}
	w.text("record.stage", "record.section.stage", &c.Record.Stage, protocol.MaxNote, 4).hint(w, "write.hint.stage")
}

func drawWords(w *writing, c *posting.Content, l protocol.Lang) {
	t, at := c.Listing.Texts[l], "texts."+string(l)+"."
	w.lang = l
	w.line(at+"title", "field.title", &t.Title, protocol.MaxTitle).hint(w, "write.hint.title")
	w.line(at+"value", "field.value", &t.Value, protocol.MaxValue).hint(w, "write.hint.value")
	w.text(at+"abstract", "field.abstract", &t.Abstract, protocol.MaxAbstract, 8).hint(w, "write.hint.abstract")
	w.lines(at+"keywords", "field.keywords", &t.Keywords, 4).hint(w, "write.hint.keywords")
	if w.reads() {
		c.Listing.Texts[l] = t
	}
}

func drawStory(w *writing, c *posting.Content, l protocol.Lang) {
	t, at := c.Record.Texts[l], "record.texts."+string(l)+"."
	w.lang = l
	w.text(at+"description", "field.description", &t.Description, protocol.MaxDescription, 12).hint(w, "write.hint.description")
	w.text(at+"problem", "field.problem", &t.Problem, protocol.MaxPassage, 5).hint(w, "write.hint.problem")
	w.text(at+"advantages", "field.advantages", &t.Advantages, protocol.MaxPassage, 5).hint(w, "write.hint.advantages")
	w.lines(at+"applications", "field.applications", &t.Applications, 4).hint(w, "write.hint.applications")
	if !w.reads() {
		return
	}
	delete(c.Record.Texts, l)
	if t.Description+t.Problem+t.Advantages != "" || len(t.Applications) > 0 {
		if c.Record.Texts == nil {
			c.Record.Texts = map[protocol.Lang]protocol.RecordText{}
		}
		c.Record.Texts[l] = t
	}
}

func parentOf(in codes.List) func(codes.Code) string {
	return func(c codes.Code) string {
		if p := in.Parent(c.Code); p != "" {
			return p
		}
		return c.Code
	}
}

// asean stands first; all other countries are shown when they are asked for.
func asean(c codes.Code) string {
	if codes.Country().Parent(c.Code) == "ASEAN" {
		return ""
	}
	return "other"
}

func drawFields(w *writing, c *posting.Content) {
	l := &c.Listing
	many(w, "ford", "field.ford", "ford", codes.FORD(), &l.FORD, parentOf(codes.FORD())).hint(w, "write.hint.ford")
	many(w, "isic", "field.isic", "isic", codes.ISIC(), &l.ISIC, parentOf(codes.ISIC())).hint(w, "write.hint.isic")
	// Subclasses are in no list, and are typed.
	var listed, subclasses []string
	for _, x := range l.IPC {
		if len(x) == 4 {
			subclasses = append(subclasses, x)
		} else {
			listed = append(listed, x)
		}
	}
	many(w, "ipc", "field.ipc", "ipc", codes.IPC(), &listed, parentOf(codes.IPC())).hint(w, "write.hint.ipc")
	typed := strings.Join(subclasses, ", ")
	w.line("ipc.subclasses", "write.subclasses", &typed, 0).hint(w, "write.hint.subclasses").Spelled = false
	if w.reads() {
		l.IPC = listed
		for _, x := range strings.FieldsFunc(strings.ToUpper(typed), func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
			if x = asCode(x); len(l.IPC) <= 2*protocol.MaxCodes && !slices.Contains(l.IPC, x) {
				l.IPC = append(l.IPC, x)
			}
		}
	}
	var goals []string
	for _, n := range l.SDG {
		goals = append(goals, itoa(n))
	}
	many(w, "sdg", "field.sdg", "sdg", codes.SDG(), &goals, nil)
	if w.reads() {
		l.SDG = nil
		for _, g := range goals {
			if codes.SDG().Has(g) {
				l.SDG = append(l.SDG, atoi(g))
			}
		}
	}
}

func drawComparison(w *writing, c *posting.Content) {
	rows(w, "record.comparison", "", "", "write.row.comparison", &c.Record.Comparison, protocol.MaxComparisons, func(at string, v *protocol.Comparison) {
		w.line(at+".metric", "record.compared.metric", &v.Metric, protocol.MaxShort).hint(w, "write.hint.metric")
		w.line(at+".unit", "write.unit", &v.Unit, protocol.MaxUnit)
		w.line(at+".baseline", "record.compared.baseline", &v.Baseline, protocol.MaxShort)
		w.line(at+".ours", "record.compared.ours", &v.Ours, protocol.MaxShort)
		w.text(at+".evidence", "write.evidence", &v.Evidence, protocol.MaxNote, 2)
	})
}

func drawRights(w *writing, c *posting.Content) {
	many(w, "ipr", "field.ipr", "ipr", codes.IPR(), &c.Listing.IPR, nil).hint(w, "form.choose-some")
	rows(w, "record.rights", "record.section.rights", "write.hint.rights", "write.row.right", &c.Record.Rights, protocol.MaxRights, func(at string, v *protocol.Right) {
		one(w, at+".type", "record.owner.type", "ipr", codes.IPR(), &v.Type)
		w.line(at+".office", "write.office", &v.Office, 2).hint(w, "write.hint.office").Spelled = false
		w.line(at+".number", "write.number", &v.Number, protocol.MaxUnit).Spelled = false
		w.date(at+".date", "form.date", &v.Date)
		one(w, at+".status", "field.state", "right", codes.Right(), &v.Status)
	})
	w.heading("record.section.controls", "")
	w.yes("record.controls.export", "record.controls.export", &c.Record.Controls.Export)
	w.yes("record.controls.nagoya", "record.controls.nagoya", &c.Record.Controls.Nagoya)
}

func drawTerms(w *writing, c *posting.Content) {
	t := &c.Record.Terms
	many(w, "record.terms.models", "record.terms.pay", "terms", codes.Terms(), &t.Models, nil)
	w.text("record.terms.price", "record.terms.price", &t.Price, protocol.MaxNote, 3).hint(w, "write.hint.price")
	one(w, "record.terms.exclusivity", "record.terms.exclusivity", "exclusivity", codes.Exclusivity(), &t.Exclusivity)
	w.line("record.terms.field", "record.terms.field", &t.Field, protocol.MaxShort)
	w.line("record.terms.territory", "record.terms.territory", &t.Territory, protocol.MaxShort)
}

func drawPartner(w *writing, c *posting.Content) {
	l, p := &c.Listing, &c.Record.Partner
	many(w, "cooperation", "field.cooperation", "cooperation", codes.Cooperation(), &l.Cooperation, nil)
	many(w, "seeks.types", "field.partner", "organisation", codes.Organisation(), &l.Seeks.Types, nil).hint(w, "write.hint.seeks")
	many(w, "seeks.countries", "sheet.partner-in", "country", codes.Country(), &l.Seeks.Countries, asean).hint(w, "write.hint.anywhere")
	w.text("record.partner.role", "record.partner.role", &p.Role, protocol.MaxNote, 3).hint(w, "write.hint.role")
	w.text("record.partner.task", "record.partner.task", &p.Task, protocol.MaxNote, 3).hint(w, "write.hint.task")
	w.line("record.partner.area", "record.partner.area", &p.Area, protocol.MaxShort)
	w.heading("write.partner-full", "write.partner-full.says").Closed = len(p.Types)+len(p.Countries) == 0
	many(w, "record.partner.types", "record.partner.types", "organisation", codes.Organisation(), &p.Types, nil)
	many(w, "record.partner.countries", "record.partner.countries", "country", codes.Country(), &p.Countries, asean)
}

func drawOwner(w *writing, c *posting.Content) {
	l, o := &c.Listing.Organisation, &c.Record.Organisation
	w.heading("write.owner-public", "write.owner-public.says")
	w.line("organisation.name", "record.owner.name", &l.Name, protocol.MaxOrganisation).hint(w, "write.hint.owner")
	one(w, "organisation.type", "record.owner.type", "organisation", codes.Organisation(), &l.Type)
	one(w, "organisation.size", "record.owner.size", "size", codes.Size(), &l.Size)
	w.address("url", "field.url", "url", &c.Listing.URL).hint(w, "write.hint.url")
	w.heading("write.owner-full", "write.owner-full.says")
	w.line("record.organisation.name", "record.owner.name", &o.Name, protocol.MaxOrganisation)
	w.line("record.organisation.ror", "record.owner.ror", &o.ROR, 9).hint(w, "write.hint.ror").Spelled = false
	one(w, "record.organisation.type", "record.owner.type", "organisation", codes.Organisation(), &o.Type)
	one(w, "record.organisation.size", "record.owner.size", "size", codes.Size(), &o.Size)
	number(w, "record.organisation.since", "record.owner.since", &o.Since, 1000, 9999).hint(w, "write.hint.since")
	one(w, "record.organisation.turnover", "record.owner.turnover", "turnover", codes.Turnover(), &o.Turnover)
	w.yes("record.organisation.transnational", "record.owner.transnational", &o.Transnational)
	w.lines("record.organisation.certifications", "record.owner.certifications", &o.Certifications, 3).hint(w, "write.hint.lines")
	many(w, "record.organisation.languages", "field.languages", "language", codes.Language(), &o.Languages, nil)
}

func drawPeople(w *writing, c *posting.Content) {
	w.heading("field.contact", "write.hint.contact")
	w.line("record.contact.name", "record.owner.name", &c.Record.Contact.Name, protocol.MaxShort)
	w.address("record.contact.email", "form.email", "email", &c.Record.Contact.Email)
	w.address("record.contact.phone", "form.phone", "tel", &c.Record.Contact.Phone).hint(w, "form.example", "Example", "+855 23 123 456")
	w.address("record.contact.url", "field.url", "url", &c.Record.Contact.URL)
	rows(w, "record.people", "record.section.people", "write.hint.people", "write.row.person", &c.Record.People, protocol.MaxPeople, func(at string, v *protocol.Person) {
		w.line(at+".name", "record.owner.name", &v.Name, protocol.MaxShort)
		w.line(at+".role", "record.partner.role", &v.Role, protocol.MaxShort)
		w.line(at+".orcid", "write.orcid", &v.ORCID, 0).hint(w, "form.example", "Example", "0000-0002-1825-0097").Spelled = false
	})
}

// zones of the members, and what a call may have beside.
func zones() []string {
	return []string{
		"Asia/Bangkok", "Asia/Brunei", "Asia/Dili", "Asia/Ho_Chi_Minh", "Asia/Jakarta", "Asia/Jayapura", "Asia/Kuala_Lumpur", "Asia/Makassar", "Asia/Manila",
		"Asia/Phnom_Penh", "Asia/Singapore", "Asia/Vientiane", "Asia/Yangon", "UTC", "Europe/Brussels", "Asia/Tokyo",
	}
}

func drawFunding(w *writing, c *posting.Content) {
	f := &c.Record.Funding
	w.line("record.funding.call", "record.funding.call", &f.Call, protocol.MaxShort).hint(w, "write.hint.call")
	zone := one(w, "record.funding.zone", "write.zone", "zone", codes.List{}, &f.Zone)
	if !w.light {
		all := zones()
		if f.Zone != "" && !slices.Contains(all, f.Zone) {
			all = append(all, f.Zone)
		}
		zone.Choices = zone.Choices[:1]
		for _, z := range all {
			zone.Choices = append(zone.Choices, option{Value: z, Label: z, Selected: z == f.Zone})
		}
	}
	w.moment("record.funding.deadline", "record.funding.deadline", &f.Deadline, f.Zone).hint(w, "write.hint.deadline")
	w.line("record.funding.budget", "record.funding.budget", &f.Budget, protocol.MaxShort)
	w.text("record.funding.eligible", "record.funding.eligible", &f.Eligible, protocol.MaxNote, 4)
	one(w, "record.funding.track", "record.funding.track", "track", codes.Track(), &f.Track)
	rows(w, "record.funding.partners", "write.consortium", "", "write.row.partner", &f.Partners, protocol.MaxPartners, func(at string, v *protocol.FundedPartner) {
		w.line(at+".name", "record.owner.name", &v.Name, protocol.MaxOrganisation)
		one(w, at+".country", "field.country", "country", codes.Country(), &v.Country)
		one(w, at+".type", "record.owner.type", "organisation", codes.Organisation(), &v.Type)
		w.yes(at+".eligible", "record.funding.partner-eligible", &v.Eligible)
	})
}

func drawPapers(w *writing, c *posting.Content) {
	w.lines("record.publications", "record.section.publications", &c.Record.Publications, 4).hint(w, "write.hint.doi").Spelled = false
	if w.reads() {
		for i, doi := range c.Record.Publications {
			for _, before := range []string{"https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "doi:"} {
				doi = strings.TrimPrefix(doi, before)
			}
			c.Record.Publications[i] = doi
		}
	}
}

func drawLevels(w *writing, c *posting.Content, h *posting.Posting) {
	r := &c.Record
	whole := string(r.Level)
	if w.reads() {
		r.Level = protocol.Level(asCode(w.sent.Get("record.level")))
		if whole == "" && r.Level == protocol.LevelRegistered {
			r.Level = "" // it says what is so anyway
		}
	}
	w.hold("record.level", string(r.Level))
	e := w.add(&entry{Name: "record.level", Type: "radios"}, "write.level")
	e.hint(w, "write.level.says")
	if !w.light {
		for _, x := range protocol.Levels() {
			if x == protocol.LevelInvited && h.Live != posting.None && h.Level != protocol.LevelInvited {
				continue // what is in the catalogue stays there
			}
			e.Choices = append(e.Choices, option{Value: string(x), Label: w.p.T("level." + string(x)), Selected: r.Visibility() == x})
			e.Says = append(e.Says, w.p.HTML("level."+string(x)+".says"))
		}
	}
	w.heading("write.levels", "write.levels.says").Closed = len(r.Sections) == 0
	levels := map[protocol.Section]protocol.Level{}
	for _, x := range protocol.RecordSections() {
		if x == protocol.SectionProvenance {
			if v, ok := r.Sections[x]; ok {
				levels[x] = v
			}
			continue // no person writes it
		}
		v := r.Sections[x]
		label := "record.section." + string(x)
		switch x {
		case protocol.SectionTexts:
			label = "field.description"
		case protocol.SectionContact:
			label = "field.contact"
		}
		e := one(w, "record.sections."+string(x), label, "level", codes.List{}, &v)
		if v != "" {
			levels[x] = v
		}
		if w.light {
			continue
		}
		e.Choices = []option{{Label: w.p.T("write.level.same"), Selected: v == ""}}
		for _, y := range protocol.Levels()[:3] {
			e.Choices = append(e.Choices, option{Value: string(y), Label: w.p.T("level." + string(y)), Selected: v == y})
		}
		if v == protocol.LevelInvited {
			e.Choices = append(e.Choices, option{Value: string(v), Label: w.p.T("level.invited"), Selected: true})
		}
	}
	if w.reads() {
		if r.Sections = levels; len(levels) == 0 {
			r.Sections = nil
		}
	}
	w.heading("level.restricted", "write.audience.says").Closed = len(r.Audience.Types)+len(r.Audience.Countries) == 0 && r.Level != protocol.LevelRestricted
	many(w, "record.audience.types", "field.organisation-type", "organisation", codes.Organisation(), &r.Audience.Types, nil)
	many(w, "record.audience.countries", "field.country", "country", codes.Country(), &r.Audience.Countries, asean)
}

func drawValidity(w *writing, c *posting.Content) {
	w.date("valid_until", "field.valid-until", &c.Listing.ValidUntil).hint(w, "write.hint.valid")
}
