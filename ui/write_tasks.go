package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// The list of tasks, and what stands beside every task: what is still to do, and listings like this one.

type tasksPage struct {
	frame
	draftHead
	Saved     bool
	Kind      template.HTML
	Parts     []taskPart
	Languages string // address
	Send      string // address; "" for who may not
	State     template.HTML
	Comment   string // of the review that returned it
	Checklist checklistView
	Suspects  []suspectView
	Twins     []twinView
}

// draftHead is what the pages of a listing that is written have in common.
type draftHead struct {
	Heading template.HTML
	Path    string // of the listing
	At      string // which of its pages this is
	Edits   bool   // the visitor may write it
}

type taskPart struct {
	Key   string
	Tasks []task
}

type task struct {
	ID, Href, Status, Class string
	Name                    template.HTML
	Language                string
	Lang                    protocol.Lang
}

type checklistView struct {
	Points int
	Items  []checkItem
	Undone int
}

type checkItem struct {
	Name, How template.HTML
	Done      bool
}

type suspectView struct {
	Href, Title string
	Member      lang.Text
	Why         template.HTML
}

func heading(p *lang.Printer, h *posting.Posting) (template.HTML, string) {
	if h.Title == "" {
		return p.HTML("posting.untitled"), p.T("posting.untitled")
	}
	return voice(h.Title), h.Title
}

func (s *site) tasks(_ http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	say := printer(r)
	name, title := heading(say, h)
	p := tasksPage{
		frame: s.frame(r, "organisation", title), draftHead: draftHead{name, postingPath(h.ID), "edit", true}, Languages: postingPath(h.ID) + "/languages",
		Kind: named(say, "kind", string(c.Listing.Kind)), Saved: r.URL.Query().Get("done") == "saved", State: stateInWords(say, h.State(s.today())),
	}
	if h.Live != posting.None {
		p.State = say.HTML("write.revision")
	}
	allowed := s.cfg.House.Postings.Allowed(a, h)
	if slices.Contains(allowed, posting.Submit) {
		p.Send = p.Path + "/send"
	}
	if h.Review != nil && h.Review.Verdict == posting.Return && h.Draft == posting.Draft {
		p.Comment = h.Review.Comment
	}
	done := posting.Completeness(&c.Listing, &c.Record)
	faults := s.faults(h, c)
	for _, x := range sections(h, c) {
		if len(p.Parts) == 0 || p.Parts[len(p.Parts)-1].Key != "write.part."+x.Part {
			p.Parts = append(p.Parts, taskPart{Key: "write.part." + x.Part})
		}
		part := &p.Parts[len(p.Parts)-1]
		part.Tasks = append(part.Tasks, taskOf(say, h, c, x, done, faults))
	}
	p.Checklist = checklistOf(say, done)
	p.Suspects, p.Twins = s.suspects(r, c), s.twins(r, h, c)
	return view{"write-tasks", p, http.StatusOK}, nil
}

func sectionPath(h *posting.Posting, x section) string {
	return postingPath(h.ID) + "/edit/" + url.PathEscape(x.ID)
}

func taskOf(p *lang.Printer, h *posting.Posting, c *posting.Content, x section, done posting.Checklist, faults protocol.Errors) task {
	t := task{ID: "task-" + x.ID, Href: sectionPath(h, x), Name: p.HTML(x.Title), Lang: x.Lang}
	if x.Lang != "" {
		t.Language = languageName(x.Lang)
	}
	w := &writing{p: p, light: true}
	x.draw(w, c)
	began, faulty := len(w.said) > 0, false
	for _, f := range faults {
		if _, mine := w.about(f.Field); mine && (began || f.Code != protocol.CodeRequired) {
			faulty = true
		}
	}
	asked, undone := 0, 0
	for _, i := range done.Items {
		if slices.Contains(x.items, i.Field) {
			asked++
			if !i.Done {
				undone++
			}
		}
	}
	switch {
	case faulty:
		t.Status, t.Class = "write.status.faults", "tmh-tag--bad"
	case !began && asked == 0:
		t.Status, t.Class = "write.status.optional", "tmh-tag--outline"
	case !began:
		t.Status, t.Class = "write.status.none", ""
	case undone > 0:
		t.Status, t.Class = "write.status.begun", "tmh-tag--wait"
	default:
		t.Status, t.Class = "write.status.done", "tmh-tag--good"
	}
	return t
}

// faults hinder sending.
func (s *site) faults(h *posting.Posting, c *posting.Content) (all protocol.Errors) {
	l := &c.Listing
	l.ID = h.ID
	all = append(all, protocol.All(l.Validate())...)
	check := func(field string, in codes.List, list ...string) {
		for _, x := range list[:min(len(list), protocol.MaxCodes)] {
			if x != "" && !in.Has(x) {
				all = append(all, protocol.Errorf(protocol.CodeValue, field, "“%s” is not in the code list: choose one that is", asCode(x)))
			}
		}
	}
	check("ford", codes.FORD(), l.FORD...)
	check("isic", codes.ISIC(), l.ISIC...)
	check("ipc", codes.IPC(), l.IPC...)
	check("ipr", codes.IPR(), l.IPR...)
	check("cooperation", codes.Cooperation(), l.Cooperation...)
	check("seeks.types", codes.Organisation(), l.Seeks.Types...)
	check("organisation.type", codes.Organisation(), l.Organisation.Type)
	check("organisation.size", codes.Size(), l.Organisation.Size)
	for _, x := range l.Seeks.Countries[:min(len(l.Seeks.Countries), protocol.MaxCodes)] {
		check("seeks.countries", codes.Country(), string(x))
	}
	for _, e := range protocol.All(c.Record.Validate()) {
		x := *e
		x.Field = "record." + x.Field
		all = append(all, &x)
	}
	if l.ValidUntil != 0 && l.ValidUntil < s.today() {
		all = append(all, protocol.Errorf(protocol.CodeValue, "valid_until", "%s is past: give a day to come, or leave it out for a year", l.ValidUntil))
	}
	return all
}

func checklistOf(p *lang.Printer, c posting.Checklist) (out checklistView) {
	out.Points = c.Points
	for _, i := range c.Items {
		x := checkItem{Name: p.HTML(wordOf(i.Field)), How: clause(p, i.How), Done: i.Done}
		if !i.Done {
			out.Undone++
		}
		out.Items = append(out.Items, x)
	}
	slices.SortStableFunc(out.Items, func(a, b checkItem) int { // what is to do comes first
		switch {
		case a.Done == b.Done:
			return 0
		case b.Done:
			return -1
		}
		return 1
	})
	return out
}

// wordOf is the key of a checklist item's name.
func wordOf(field string) string {
	switch field {
	case "texts":
		return "field.languages"
	case "seeks":
		return "field.partner"
	case "organisation.type":
		return "field.organisation-type"
	case "valid_until":
		return "field.valid-until"
	case "ford", "isic", "ipc", "sdg", "trl", "ipr", "cooperation":
		return "field." + field
	case "record.contact":
		return "field.contact"
	case "record.funding.call":
		return field
	case "record.comparison", "record.stage", "record.rights", "record.terms", "record.partner", "record.funding", "record.publications":
		return "record.section." + strings.TrimPrefix(field, "record.")
	}
	for _, of := range []string{"texts.", "record.texts."} {
		if word, ok := strings.CutPrefix(field, of); ok {
			switch word {
			case "title", "value", "abstract", "keywords", "description", "problem", "advantages", "applications":
				return "field." + word
			}
		}
	}
	return "word.unknown"
}

// suspects are listings that look like this one.
func (s *site) suspects(r *http.Request, c *posting.Content) (list []suspectView) {
	if _, t := c.Listing.Text(); t.Title == "" {
		return nil
	}
	p := printer(r)
	for _, x := range s.like(r.Context(), c) {
		if len(list) == 5 {
			break
		}
		v := suspectView{Href: href(match.Ref{Origin: x.Origin, ID: x.ID}), Title: x.Title, Member: s.memberName(p, x.Origin)}
		if v.Title == "" {
			v.Title = string(x.ID)
		}
		var why []template.HTML
		for _, y := range x.Why {
			why = append(why, clause(p, y))
		}
		v.Why = listOf(p, why)
		list = append(list, v)
	}
	return list
}
