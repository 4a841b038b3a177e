package ui

import (
	"html/template"
	"net/http"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// fullPage is the full record of a listing, as far as the visitor may see it.
type fullPage struct {
	frame
	Back     string
	Origin   lang.Text
	Heading  string
	Lang     protocol.Lang
	Trouble  template.HTML // why nothing is shown
	Retry    bool          // trying again may help
	SignIn   string        // address; "" where it would not help
	Source   template.HTML // where it came from, and when
	Old      bool          // it is a copy, as the origin could not be asked
	Verified bool
	Texts    []recordTextView
	Sections []recordSection
	Withheld []template.HTML
	Contact  contactPoint
}

type recordTextView struct {
	Lang                             protocol.Lang
	Own                              string
	Description, Problem, Advantages string
	Applications                     []string
	Level                            template.HTML
}

// recordSection is what is said under one heading.
type recordSection struct {
	ID             string
	Heading, Level template.HTML
	Facts          []fact
	Compared       []compared
	Documents      []documentLink
}

type compared struct{ Metric, Baseline, Ours, Evidence template.HTML }

type documentLink struct {
	Href, Type string
	Size       uint64
	Name       template.HTML
}

// contactPoint is whom to ask about a listing: the agency whose node it came from.
type contactPoint struct{ Name, Email, Phone, URL string }

func (s *site) contactPoint(p *lang.Printer, origin protocol.MemberID) contactPoint {
	c := contactPoint{Name: s.memberName(p, origin).Text}
	if s.cfg.House != nil && s.cfg.Door != nil && origin == s.cfg.Door.Member {
		if a := s.cfg.House.Agency(); a != (house.Agency{}) {
			c.Email, c.Phone, c.URL = a.Email, a.Phone, a.URL
			if a.Name != "" {
				c.Name = a.Name
			}
		}
	}
	for _, m := range s.cfg.Desk.Members() {
		if m.ID == origin && c.URL == "" {
			c.URL = m.URL
		}
	}
	return c
}

func (s *site) full(r *http.Request) (view, error) {
	ref, err := match.ParseRef(r.PathValue("origin"), r.PathValue("id"))
	if err != nil {
		return view{}, err
	}
	e, missing := s.cfg.Desk.Entry(ref)
	if missing == nil && e.State == exchange.Withdrawn {
		return s.gone(r, e), nil
	}
	say := printer(r)
	if s.cfg.House == nil {
		return s.problemView(r, http.StatusNotFound, "no-records", "Member", s.memberName(say, ref.Origin)), nil
	}
	p := fullPage{Back: href(ref), Origin: s.memberName(say, ref.Origin), Contact: s.contactPoint(say, ref.Origin)}
	actor := door.ActorOf(r.Context())
	shown, err := s.cfg.House.Records.Get(r.Context(), record.Ref(ref), actor)
	langs := contentLanguages(r)
	switch {
	case err == nil:
		var t protocol.Text
		p.Lang, t = shown.Listing.Text(langs...)
		p.Heading = t.Title
	case missing != nil: // of what is by invitation, nobody else learns that it is there
		return view{}, missing
	default:
		c := s.card(say, e, langs)
		p.Lang, p.Heading = c.Lang, c.Title
	}
	p.frame = s.frame(r, "search", say.T("record.title", "Listing", p.Heading))
	if err != nil {
		return s.refusedRecord(r, p, actor, err)
	}
	p.fill(say, shown, actor, s.cfg.Door != nil && ref.Origin == s.cfg.Door.Member)
	if len(p.Withheld) > 0 && actor.Anonymous() && s.cfg.Door != nil {
		p.SignIn = signInFrom(r)
	}
	return view{"full", p, http.StatusOK}, nil
}

// refusedRecord says why nothing is shown, and what to do.
func (s *site) refusedRecord(r *http.Request, p fullPage, a access.Actor, err error) (view, error) {
	code := protocol.CodeOf(err)
	if code == protocol.CodeInternal {
		return view{}, err
	}
	p.Trouble = stated(printer(r), protocol.All(err)[0].Message)
	switch code {
	case protocol.CodeNotFound:
		p.Trouble = printer(r).HTML("record.none")
	case protocol.CodeUnavailable, protocol.CodeBody:
		s.cfg.Log.Info("full record not fetched", "path", r.URL.Path, "error", err)
		p.Retry = true
	}
	if a.Anonymous() && s.cfg.Door != nil && (code == protocol.CodeNotPermitted || code == protocol.CodeNotFound) {
		p.SignIn = signInFrom(r)
	}
	return view{"full", p, status(err)}, nil
}

// levelWords say who sees what is shown from a level on; nothing of what everybody sees.
func levelWords(p *lang.Printer, l protocol.Level) template.HTML {
	switch l {
	case protocol.LevelPublic:
		return ""
	case protocol.LevelRegistered, protocol.LevelRestricted, protocol.LevelInvited:
		return p.HTML("record.level." + string(l))
	}
	return english(p, string(l))
}

func (p *fullPage) fill(say *lang.Printer, x *record.Shown, a access.Actor, own bool) {
	p.Verified = x.Verified
	p.Source = say.HTML("record.fetched", "Member", p.Origin)
	if own {
		p.Source = say.HTML("record.kept")
	}
	if x.Age >= time.Minute || x.FromCache {
		p.Source = say.HTML("record.copy", "Member", p.Origin, "Ago", say.AgoText(x.Age))
	}
	p.Old = x.FromCache && x.Age >= time.Hour
	for _, l := range x.Withheld {
		who := "reader"
		if a.Anonymous() {
			who = "stranger"
		}
		kind := "restricted"
		if l == protocol.LevelRegistered {
			kind = "registered"
		}
		p.Withheld = append(p.Withheld, say.HTML("record.more."+kind+"-"+who))
	}
	rec := x.Record
	for _, tag := range rec.Languages() {
		t := rec.Texts[tag]
		p.Texts = append(p.Texts, recordTextView{tag, languageName(tag), t.Description, t.Problem, t.Advantages, t.Applications, levelWords(say, rec.LevelOf(protocol.SectionTexts))})
	}
	for _, section := range protocol.RecordSections() {
		if sec := sectionOf(say, rec, section, p.Back); len(sec.Facts)+len(sec.Compared)+len(sec.Documents) > 0 {
			sec.ID, sec.Level = "s-"+string(section), levelWords(say, rec.LevelOf(section))
			p.Sections = append(p.Sections, sec)
		}
	}
	if c := rec.Contact; c != (protocol.Contact{}) {
		p.Contact = contactPoint{c.Name, c.Email, c.Phone, c.URL}
		if c.Name == "" {
			p.Contact.Name = p.Origin.Text
		}
	}
}
