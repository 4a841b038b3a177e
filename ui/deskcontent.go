package ui

import (
	"html/template"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// What a reviewer reads: all that a listing says, what it says anew, and what is still missing.

func (s *site) fillContent(p *lang.Printer, c *casePage, h *posting.Posting, x *posting.Content) {
	l, rec := &x.Listing, &x.Record
	for _, tag := range l.Languages() {
		t := l.Texts[tag]
		c.Texts = append(c.Texts, textView{Lang: tag, Own: languageName(tag), Title: t.Title, Value: t.Value, Abstract: t.Abstract, Keywords: t.Keywords})
	}
	f := factList{p: p, list: facts(p, l)}
	f.add("field.url", voice(l.URL))
	c.Summary = f.list
	for _, tag := range rec.Languages() {
		t := rec.Texts[tag]
		c.Full = append(c.Full, recordTextView{tag, languageName(tag), t.Description, t.Problem, t.Advantages, t.Applications, levelWords(p, rec.LevelOf(protocol.SectionTexts))})
	}
	for _, section := range protocol.RecordSections() {
		sec := sectionOf(p, rec, section, postingPath(h.ID))
		if section == protocol.SectionContact {
			f := factList{p: p}
			f.under(sectionName(p, section), contactItems(rec.Contact)...)
			sec.Heading, sec.Facts = sectionName(p, section), f.list
		}
		if len(sec.Facts)+len(sec.Compared)+len(sec.Documents) > 0 {
			sec.ID, sec.Level = "s-"+string(section), levelWords(p, rec.LevelOf(section))
			c.Sections = append(c.Sections, sec)
		}
	}
}

// contactItems are what a record says of whom to ask.
func contactItems(c protocol.Contact) []template.HTML {
	return []template.HTML{voice(c.Name), voice(c.Email), voice(c.Phone), voice(c.URL)}
}

func sectionName(p *lang.Printer, x protocol.Section) template.HTML {
	switch x {
	case protocol.SectionTexts:
		return p.HTML("field.description")
	case protocol.SectionContact:
		return p.HTML("field.contact")
	}
	return p.HTML("record.section." + string(x))
}

// difference is something that two versions of a listing say differently.
type difference struct {
	Name          template.HTML
	Before, After []template.HTML // none: it was not said
}

// differences between what is published and what is to be, in the order of the page.
func differences(p *lang.Printer, before, after *posting.Content) (list []difference) {
	if before == nil {
		return nil
	}
	was, is := saidBy(p, before), saidBy(p, after)
	for _, f := range is {
		i := slices.IndexFunc(was, func(x fact) bool { return x.Name == f.Name })
		switch {
		case i < 0:
			list = append(list, difference{f.Name, nil, f.Items})
		case !slices.Equal(was[i].Items, f.Items):
			list = append(list, difference{f.Name, was[i].Items, f.Items})
		}
	}
	for _, f := range was {
		if !slices.ContainsFunc(is, func(x fact) bool { return x.Name == f.Name }) {
			list = append(list, difference{f.Name, f.Items, nil})
		}
	}
	return list
}

// saidBy a listing, each thing under a name of its own.
func saidBy(p *lang.Printer, x *posting.Content) []fact {
	f := factList{p: p}
	within := func(name, in template.HTML) template.HTML { return p.HTML("desk.within", "Field", name, "Part", in) }
	add := func(name template.HTML, items ...template.HTML) {
		items = slices.DeleteFunc(items, func(i template.HTML) bool { return i == "" })
		for i := range f.list {
			if f.list[i].Name == name { // such as two patents
				f.list[i].Items = append(f.list[i].Items, items...)
				return
			}
		}
		if len(items) > 0 {
			f.list = append(f.list, fact{Name: name, Items: items})
		}
	}
	l, rec := &x.Listing, &x.Record
	add(p.HTML("field.kind"), named(p, "kind", string(l.Kind)))
	for _, tag := range l.Languages() {
		t, in := l.Texts[tag], named(p, "language", string(tag))
		add(within(p.HTML("field.title"), in), voice(t.Title))
		add(within(p.HTML("field.value"), in), voice(t.Value))
		add(within(p.HTML("field.abstract"), in), voice(t.Abstract))
		add(within(p.HTML("field.keywords"), in), voice(strings.Join(t.Keywords, ", ")))
	}
	for _, one := range facts(p, l) {
		add(one.Name, one.Items...)
	}
	add(p.HTML("field.url"), voice(l.URL))
	for _, tag := range rec.Languages() {
		t, in := rec.Texts[tag], named(p, "language", string(tag))
		add(within(p.HTML("field.description"), in), voice(t.Description))
		add(within(p.HTML("field.problem"), in), voice(t.Problem))
		add(within(p.HTML("field.advantages"), in), voice(t.Advantages))
		add(within(p.HTML("field.applications"), in), voice(strings.Join(t.Applications, ", ")))
	}
	for _, section := range protocol.RecordSections() {
		sec := sectionOf(p, rec, section, "")
		for _, one := range sec.Facts {
			add(within(one.Name, sec.Heading), one.Items...)
		}
		for _, y := range sec.Compared {
			add(within(y.Metric, sec.Heading), y.Baseline, y.Ours, y.Evidence)
		}
		for _, d := range sec.Documents {
			add(sec.Heading, d.Name)
		}
	}
	add(p.HTML("field.contact"), contactItems(rec.Contact)...)
	add(p.HTML("field.level"), p.HTML("level."+string(rec.Visibility())))
	for _, section := range protocol.RecordSections() {
		if level := rec.Sections[section]; level != "" {
			add(within(p.HTML("field.level"), sectionName(p, section)), p.HTML("level."+string(level)))
		}
	}
	return f.list
}

// checks name what a complete listing has. How it is mended is told in English, as the package has it.
func checks(p *lang.Printer, list posting.Checklist) (out []check) {
	for _, x := range list.Items {
		c := check{Name: checkName(p, x.Field), Done: x.Done}
		if !x.Done {
			c.How = clause(p, x.How)
		}
		out = append(out, c)
	}
	return out
}

func checkName(p *lang.Printer, field string) template.HTML {
	switch field {
	case "texts":
		return p.HTML("field.languages")
	case "seeks":
		return p.HTML("field.partner")
	case "organisation.type":
		return p.HTML("field.organisation-type")
	case "valid_until":
		return p.HTML("field.valid-until")
	case "ford", "isic", "ipc", "sdg", "trl", "ipr", "cooperation":
		return p.HTML("field." + field)
	case "record.funding.call":
		return p.HTML("record.funding.call")
	}
	if name, of := strings.CutPrefix(field, "texts."); of {
		return p.HTML("field." + name)
	}
	if name, of := strings.CutPrefix(field, "record.texts."); of {
		return p.HTML("field." + name)
	}
	if name, of := strings.CutPrefix(field, "record."); of {
		return sectionName(p, protocol.Section(name))
	}
	return english(p, field)
}
