package ui

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// What others would see of a listing, and sending it.

// previewPage shows a draft as its readers would see it: made of the same parts by the same functions as the real pages.
type previewPage struct {
	frame
	draftHead
	As       protocol.Level
	Levels   []previewTab
	Nobody   bool // it is in no catalogue, and this reader learns nothing of it
	Called   string
	Lang     protocol.Lang
	Top      card
	Texts    []textView
	Facts    []fact
	Broken   bool // the full record has faults, so its parts cannot be made
	Record   fullPage
	Nothing  bool // no part of the full record is for this reader
	Audience []fact
}

type previewTab struct {
	Level protocol.Level
	Href  string
}

func (s *site) preview(_ http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	say := printer(r)
	name, _ := heading(say, h)
	p := previewPage{frame: s.frame(r, "organisation", say.T("act.preview")), draftHead: draftHead{name, postingPath(h.ID), "preview", slices.Contains(s.cfg.House.Postings.Allowed(a, h), posting.Edit)}, As: protocol.LevelPublic}
	for _, x := range protocol.Levels() {
		p.Levels = append(p.Levels, previewTab{x, p.Path + "/preview?as=" + string(x)})
		if r.URL.Query().Get("as") == string(x) {
			p.As = x
		}
	}
	l := &c.Listing
	p.Nobody = c.Record.Visibility() == protocol.LevelInvited && p.As != protocol.LevelInvited
	if p.Nobody {
		return view{"write-preview", p, http.StatusOK}, nil
	}
	var t protocol.Text
	p.Lang, t = l.Text(contentLanguages(r)...)
	p.Called = t.Title
	p.Top = card{Kind: named(say, "kind", string(l.Kind)), Code: string(l.Kind), Country: named(say, "country", string(l.Country)), TRL: int(l.TRL), Organisation: voice(l.Organisation.Name)}
	if l.Organisation.Name == "" {
		p.Top.Organisation = named(say, "organisation", l.Organisation.Type)
	}
	for i := range 9 {
		p.Top.Steps = append(p.Top.Steps, i < p.Top.TRL)
	}
	for _, x := range l.Languages() {
		t := l.Texts[x]
		if t.Title+t.Value+t.Abstract != "" {
			p.Texts = append(p.Texts, textView{x, languageName(x), t.Title, t.Value, t.Abstract, t.Keywords, x == p.Lang})
		}
	}
	p.Facts = facts(say, l)
	s.previewRecord(r, h, c, &p)
	return view{"write-preview", p, http.StatusOK}, nil
}

func (s *site) previewRecord(r *http.Request, h *posting.Posting, c *posting.Content, p *previewPage) {
	say := printer(r)
	parts, err := c.Record.Parts(h.ID, nil, nil)
	if err != nil {
		p.Broken = true
		return
	}
	var shown []*protocol.Part
	var withheld []protocol.Level
	for _, x := range parts {
		if p.As.Covers(x.Level) {
			shown = append(shown, x)
		} else {
			withheld = append(withheld, x.Level)
		}
	}
	rec, err := protocol.Merge(shown...)
	if err != nil {
		p.Broken = true
		return
	}
	actor := access.Actor{}
	if p.As != protocol.LevelPublic {
		actor.User = "reader" // anybody with an account
	}
	p.Record = fullPage{Contact: s.contactPoint(say, s.cfg.Door.Member), Back: p.Path}
	p.Record.fill(say, &record.Shown{Listing: &c.Listing, Record: rec, Withheld: withheld}, actor, true)
	p.Nothing = len(shown) == 0
	if a := c.Record.Audience; p.As == protocol.LevelRestricted && (len(a.Types) > 0 || len(a.Countries) > 0) {
		f := factList{p: say}
		f.add("field.organisation-type", namesOf(say, "organisation", a.Types)...)
		f.add("field.country", namesOf(say, "country", a.Countries)...)
		p.Audience = f.list
	}
}

// sendPage is the last look before a listing goes to the reviewer, or into the catalogue.
type sendPage struct {
	frame
	draftHead
	Wrong     []mistake
	Stands    uint64
	AtOnce    bool // it is published without a review
	Faults    []sendFault
	Checklist checklistView
	Suspects  []suspectView
	Twins     []twinView
	MaySend   bool
}

// sendFault leads to the section that has it.
type sendFault struct {
	Href string
	Name template.HTML
	Text template.HTML
}

func (s *site) sendPage(_ http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	return s.sendView(r, a, h, c, nil), nil
}

func (s *site) sendView(r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content, err error) view {
	say := printer(r)
	name, _ := heading(say, h)
	p := sendPage{
		frame: s.frame(r, "organisation", say.T("write.send")), draftHead: draftHead{name, postingPath(h.ID), "send", true}, Stands: h.Version,
		Checklist: checklistOf(say, posting.Completeness(&c.Listing, &c.Record)), Suspects: s.suspects(r, c), Twins: s.twins(r, h, c),
		MaySend: slices.Contains(s.cfg.House.Postings.Allowed(a, h), posting.Submit),
	}
	if o, oerr := s.cfg.House.People.Organisation(a, h.Organisation); oerr == nil {
		p.AtOnce = o.SelfPublish
	}
	faults := s.faults(h, c)
	code := http.StatusOK
	if err != nil {
		code, p.Title = status(err), say.T("layout.error", "Page", p.Title)
		if all := protocol.All(s.fault(r, err)); code == http.StatusUnprocessableEntity {
			faults = all
			p.Wrong = []mistake{{ID: "faults", Text: say.HTML("write.faults")}}
		} else {
			for _, e := range all {
				m := mistake{Text: stated(say, e.Message)}
				if e.Code == protocol.CodeConflict && e.Field == "version" {
					m.Text = say.HTML("form.changed")
				}
				p.Wrong = append(p.Wrong, m)
			}
		}
	}
	p.Faults = sendFaults(say, h, c, faults)
	return view{"write-send", p, code}
}

func sendFaults(p *lang.Printer, h *posting.Posting, c *posting.Content, faults protocol.Errors) (list []sendFault) {
	all := sections(h, c)
	for _, f := range faults {
		x := sendFault{Href: postingPath(h.ID) + "/edit", Name: p.HTML("write.tasks"), Text: stated(p, f.Message)}
		for _, sec := range all {
			w := &writing{p: p, light: true}
			sec.draw(w, c)
			if field, ok := w.about(f.Field); ok {
				x.Href, x.Name = sectionPath(h, sec)+"#"+idOf(field), p.HTML(sec.Title)
				if sec.Lang != "" {
					x.Name = p.HTML("form.fault", "Field", x.Name, "Fault", template.HTML(`<span lang="`+template.HTMLEscapeString(string(sec.Lang))+`">`+template.HTMLEscapeString(languageName(sec.Lang))+`</span>`)) //nolint:gosec // both are escaped
				}
				break
			}
		}
		if f.Field == "texts" {
			x.Href, x.Name = postingPath(h.ID)+"/languages", p.HTML("field.languages")
		}
		list = append(list, x)
	}
	return list
}

func (s *site) send(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, c *posting.Content) (view, error) {
	now, _, err := s.cfg.House.Postings.Submit(r.Context(), a, h.ID, formVersion(r))
	if err != nil {
		if again, x, gerr := s.cfg.House.Postings.Content(a, h.ID); gerr == nil && x != nil {
			h, c = again, x
		}
		if !slices.Contains(s.cfg.House.Postings.Allowed(a, h), posting.Edit) {
			return s.postingView(r, a, h, err), nil
		}
		return s.sendView(r, a, h, c, err), nil
	}
	done := posting.Submit
	if now.Draft == posting.None {
		done = posting.Publish
	}
	return moved(w, r, postingPath(h.ID)+"?done="+string(done))
}

// formVersion is the version of the listing that a form was made of; none is the version of no listing.
func formVersion(r *http.Request) uint64 {
	v, _ := strconv.ParseUint(r.PostFormValue("version"), 10, 64)
	return v
}

func versionOf(h *posting.Posting) option {
	return option{Value: strconv.FormatUint(h.Version, 10), Label: "version"}
}
