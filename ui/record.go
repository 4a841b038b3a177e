package ui

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
)

// fullPage is the full record of a listing, as far as the visitor may see it.
type fullPage struct {
	frame
	Back, Origin string
	Heading      string
	Lang         protocol.Lang
	Trouble      string // why nothing is shown
	Retry        bool   // trying again may help
	SignIn       string // address; "" where it would not help
	Source       string // where it came from, and when
	Old          bool   // it is a copy, as the origin could not be asked
	Verified     bool
	Texts        []recordTextView
	Sections     []recordSection
	Withheld     []string
	Contact      contactPoint
}

type recordTextView struct {
	Lang                             protocol.Lang
	Own, English                     string
	Description, Problem, Advantages string
	Applications                     []string
	Level                            string
}

// recordSection is what is said under one heading.
type recordSection struct {
	ID, Heading, Level string
	Facts              []saidFact
	Compared           []compared
	Documents          []documentLink
}

// saidFact is a name and what people wrote, in whatever language.
type saidFact struct {
	Name  string
	Items [][]speech
}

type compared struct{ Metric, Baseline, Ours, Evidence []speech }

type documentLink struct {
	Href, About string
	Name        []speech
}

// contactPoint is whom to ask about a listing: the agency whose node it came from.
type contactPoint struct{ Name, Email, Phone, URL string }

func (s *site) contactPoint(origin protocol.MemberID) contactPoint {
	c := contactPoint{Name: s.memberName(origin)}
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
		return s.gone(e), nil
	}
	if s.cfg.House == nil {
		return s.problemView(http.StatusNotFound, "No full records here", "This node shows summaries only.", "Look for the listing on the node of "+s.memberName(ref.Origin)+"."), nil
	}
	p := fullPage{Back: href(ref), Origin: s.memberName(ref.Origin), Contact: s.contactPoint(ref.Origin)}
	actor := door.ActorOf(r.Context())
	shown, err := s.cfg.House.Records.Get(r.Context(), record.Ref(ref), actor)
	langs := preferred(r.Header.Get("Accept-Language"))
	switch {
	case err == nil:
		var t protocol.Text
		p.Lang, t = shown.Listing.Text(langs...)
		p.Heading = t.Title
	case missing != nil: // of what is by invitation, nobody else learns that it is there
		return view{}, missing
	default:
		c := s.card(e, langs)
		p.Lang, p.Heading = c.Lang, c.Title
	}
	p.frame = s.frame("search", "Full record of "+p.Heading)
	if err != nil {
		return s.refusedRecord(r, p, actor, err)
	}
	p.fill(shown, actor, s.cfg.Door != nil && ref.Origin == s.cfg.Door.Member)
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
	p.Trouble = said(protocol.All(err)[0].Message)
	switch code {
	case protocol.CodeNotFound:
		p.Trouble = "There is no full record of this listing, or not for you."
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
func levelWords(l protocol.Level) string {
	switch l {
	case protocol.LevelPublic:
		return ""
	case protocol.LevelRegistered:
		return "for people with an account"
	case protocol.LevelRestricted:
		return "for chosen organisations"
	case protocol.LevelInvited:
		return "by invitation"
	}
	return string(l)
}

func (p *fullPage) fill(x *record.Shown, a access.Actor, own bool) {
	p.Verified = x.Verified
	p.Source = "Fetched from " + p.Origin + " just now."
	if own {
		p.Source = "Kept on this node."
	}
	if x.Age >= time.Minute || x.FromCache {
		p.Source = "A copy, fetched from " + p.Origin + " " + ago(x.Age) + "."
	}
	p.Old = x.FromCache && x.Age >= time.Hour
	for _, l := range x.Withheld {
		switch {
		case l == protocol.LevelRegistered && a.Anonymous():
			p.Withheld = append(p.Withheld, "Some of this record is shown to people with an account at a member's node.")
		case l == protocol.LevelRegistered:
			p.Withheld = append(p.Withheld, "Some of this record is shown to readers, scouts and editors: ask the administrator of this node for such a role.")
		case a.Anonymous():
			p.Withheld = append(p.Withheld, "Some of this record is shown to organisations of certain types or countries, to people who are signed in.")
		default:
			p.Withheld = append(p.Withheld, "Some of this record is shown to organisations of certain types or countries, among which yours is not: ask the contact point below.")
		}
	}
	rec := x.Record
	for _, lang := range rec.Languages() {
		t := rec.Texts[lang]
		own, english := languageName(lang)
		p.Texts = append(p.Texts, recordTextView{lang, own, english, t.Description, t.Problem, t.Advantages, t.Applications, levelWords(rec.LevelOf(protocol.SectionTexts))})
	}
	for _, section := range protocol.RecordSections() {
		if sec := sectionOf(rec, section, p.Back); len(sec.Facts)+len(sec.Compared)+len(sec.Documents) > 0 {
			sec.ID, sec.Level = "s-"+string(section), levelWords(rec.LevelOf(section))
			p.Sections = append(p.Sections, sec)
		}
	}
	if c := rec.Contact; c != (protocol.Contact{}) {
		p.Contact = contactPoint{c.Name, c.Email, c.Phone, c.URL}
		if c.Name == "" {
			p.Contact.Name = p.Origin
		}
	}
}

// facts gathers names and what is said under them, of which there may be nothing.
type factList []saidFact

func (f *factList) add(name string, items ...string) {
	var all [][]speech
	for _, i := range items {
		if i != "" {
			all = append(all, spoken(i))
		}
	}
	if len(all) > 0 {
		*f = append(*f, saidFact{name, all})
	}
}

func labels[T ~string](in codes.List, list []T) (out []string) {
	for _, c := range list {
		out = append(out, label(in, string(c)))
	}
	return out
}

// named is the label of a code, and nothing where there is no code.
func named(in codes.List, code string) string {
	if code == "" {
		return ""
	}
	return label(in, code)
}

func yes(is bool, words string) string {
	if is {
		return words
	}
	return ""
}

func sectionOf(r *protocol.Record, which protocol.Section, back string) (s recordSection) {
	var f factList
	switch which {
	case protocol.SectionComparison:
		s.Heading = "Compared with what is in use"
		for _, c := range r.Comparison {
			metric := c.Metric
			if c.Unit != "" {
				metric += " (" + c.Unit + ")"
			}
			s.Compared = append(s.Compared, compared{spoken(metric), spoken(c.Baseline), spoken(c.Ours), spoken(c.Evidence)})
		}
	case protocol.SectionStage:
		s.Heading = "Stage of development"
		f.add("In words", r.Stage)
	case protocol.SectionRights:
		s.Heading = "Rights"
		for _, x := range r.Rights {
			office := named(codes.Office(), x.Office)
			if !codes.Office().Has(x.Office) {
				office = named(codes.Country(), x.Office)
			}
			f.add(label(codes.IPR(), x.Type), strings.TrimSpace(office+" "+x.Number), day(x.Date), named(codes.Right(), x.Status))
			if office+x.Number+x.Status == "" && x.Date == 0 {
				f.add(label(codes.IPR(), x.Type), "Nothing more is said.")
			}
		}
	case protocol.SectionTerms:
		s.Heading = "Terms"
		f.add("Ways to pay", labels(codes.Terms(), r.Terms.Models)...)
		f.add("Price", r.Terms.Price)
		f.add("Exclusivity", named(codes.Exclusivity(), r.Terms.Exclusivity))
		f.add("Field of use", r.Terms.Field)
		f.add("Territory", r.Terms.Territory)
	case protocol.SectionPartner:
		s.Heading = "Partner sought"
		f.add("Types", labels(codes.Organisation(), r.Partner.Types)...)
		f.add("Role", r.Partner.Role)
		f.add("Task", r.Partner.Task)
		f.add("Area of activity", r.Partner.Area)
		f.add("Countries", labels(codes.Country(), r.Partner.Countries)...)
	case protocol.SectionOrganisation:
		s.Heading = "Organisation"
		f.organisation(r.Organisation)
	case protocol.SectionPeople:
		s.Heading = "People"
		for _, x := range r.People {
			f.add(x.Name, yes(x.Role == "" && x.ORCID == "", "Nothing more is said."), x.Role, yes(x.ORCID != "", "ORCID "+x.ORCID))
		}
	case protocol.SectionFunding:
		s.Heading = "Funding"
		f.funding(r.Funding)
	case protocol.SectionPublications:
		s.Heading = "Publications"
		f.add("DOI", r.Publications...)
	case protocol.SectionDocuments:
		s.Heading = "Documents"
		for _, d := range r.Documents {
			s.Documents = append(s.Documents, documentLink{
				Href: "/api/v1" + back + "/documents/" + url.PathEscape(d.Hash.String()), About: d.Type + ", " + size(d.Size), Name: spoken(d.Name),
			})
		}
	case protocol.SectionProvenance:
		s.Heading = "Where it came from"
		f.add("System", r.Provenance.System)
		f.add("Id there", r.Provenance.ID)
		f.add("Imported", moment(r.Provenance.Imported))
		f.add("Licence", r.Provenance.Licence)
	case protocol.SectionControls:
		s.Heading = "Controls by law"
		f.add("To be observed", yes(r.Controls.Export, "Export control or dual use"), yes(r.Controls.Nagoya, "Genetic resources under the Nagoya Protocol"))
	case protocol.SectionTexts, protocol.SectionContact: // shown elsewhere on the page
	}
	s.Facts = f
	return s
}

func (f *factList) organisation(o protocol.Owner) {
	f.add("Name", o.Name)
	f.add("ROR identifier", o.ROR)
	f.add("Type", named(codes.Organisation(), o.Type))
	f.add("Size", named(codes.Size(), o.Size))
	if o.Since != 0 {
		f.add("Founded", strconv.Itoa(int(o.Since)))
	}
	f.add("Turnover", named(codes.Turnover(), o.Turnover))
	f.add("Experience", yes(o.Transnational, "Has worked across borders before"))
	f.add("Certifications", o.Certifications...)
	f.add("Languages", labels(codes.Language(), o.Languages)...)
}

func (f *factList) funding(x protocol.Funding) {
	f.add("Call", x.Call)
	deadline := moment(x.Deadline)
	if z, err := time.LoadLocation(x.Zone); err == nil && x.Deadline != 0 && x.Zone != "" && x.Zone != "Local" {
		deadline = x.Deadline.Time().In(z).Format("2 Jan 2006, 15:04") + " in " + x.Zone + ", which is " + deadline
	}
	f.add("Deadline", deadline)
	f.add("Budget", x.Budget)
	f.add("Who may apply", x.Eligible)
	f.add("Track", named(codes.Track(), x.Track))
	for _, p := range x.Partners {
		said := slices.DeleteFunc([]string{p.Name, label(codes.Country(), string(p.Country)), named(codes.Organisation(), p.Type), yes(p.Eligible, "eligible for money of this call")},
			func(s string) bool { return s == "" })
		f.add("Partner", strings.Join(said, ", "))
	}
}

func size(n uint64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
