package ui

import (
	"net/http"
	"strconv"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// listingPage is one listing with everything that its origin says of it.
type listingPage struct {
	frame
	Card       card
	Reason     string // why it is unusable
	Texts      []textView
	Facts      []fact
	Provenance []fact
	Contact    contactPoint
	URL        string
	Full       string // address of the full record; "" where there is none
	Fits       []card
	Missing    string // why there is nothing that could fit
	Weak       string // that nothing fits well
	Notes      []string
}

type textView struct {
	Lang                   protocol.Lang
	Own, English           string
	Title, Value, Abstract string
	Keywords               []string
	Same                   bool // its title is the page's heading already
}

type fact struct {
	Name  string
	Items []string
	Code  bool // digits to compare, not to read
}

func (s *site) entry(r *http.Request) (exchange.Entry, error) {
	ref, err := match.ParseRef(r.PathValue("origin"), r.PathValue("id"))
	if err != nil {
		return exchange.Entry{}, err
	}
	return s.cfg.Desk.Entry(ref)
}

func (s *site) listing(r *http.Request) (view, error) {
	e, err := s.entry(r)
	if err != nil {
		return view{}, err
	}
	if e.State == exchange.Withdrawn {
		return s.gone(e), nil
	}
	langs := preferred(r.Header.Get("Accept-Language"))
	p := listingPage{Card: s.card(e, langs), Provenance: provenance(e, s.memberName(e.Origin)), Contact: s.contactPoint(e.Origin), Reason: e.Reason}
	p.frame = s.frame("search", p.Card.Title)
	s.discover(r, e, &p.frame)
	if e.Listing == nil {
		return view{"listing", p, http.StatusOK}, nil
	}
	l := e.Listing
	for _, lang := range l.Languages() {
		t := l.Texts[lang]
		own, english := languageName(lang)
		p.Texts = append(p.Texts, textView{lang, own, english, t.Title, t.Value, t.Abstract, t.Keywords, lang == p.Card.Lang})
	}
	p.Facts, p.URL = facts(l), l.URL
	if l.HasFull() {
		p.Full = href(e.Ref) + "/full"
	}
	a, err := s.cfg.Desk.Counterparts(r.Context(), e.Ref, match.Filter{Today: s.today()}, 5, 0)
	if err != nil {
		// The listing is worth showing without its counterparts.
		s.cfg.Log.Warn("counterparts failed", "listing", e.Ref, "error", err)
		p.Missing = "What could fit cannot be said right now: " + protocol.All(err)[0].Message + "."
		return view{"listing", p, http.StatusOK}, nil
	}
	p.Fits, p.Notes = s.hits(a.Hits, langs), notes(a, s.cfg.Now())
	if len(p.Fits) == 0 {
		p.Missing = "Nothing in the catalogue answers this listing yet."
	} else if a.Verdict == match.Weak {
		p.Weak = "No good match yet. These listings are the nearest."
	}
	return view{"listing", p, http.StatusOK}, nil
}

func (s *site) memberName(id protocol.MemberID) string {
	for _, m := range s.cfg.Desk.Members() {
		if m.ID == id && m.Name != "" {
			return m.Name
		}
	}
	return string(id)
}

// facts are the fields of the listing that are not text, with the names of their codes. What is not said is left out.
func facts(l *protocol.Listing) (out []fact) {
	add := func(name string, items ...string) {
		var said []string
		for _, i := range items {
			if i != "" {
				said = append(said, i)
			}
		}
		if len(said) > 0 {
			out = append(out, fact{Name: name, Items: said})
		}
	}
	each := func(name string, in codes.List, list []string, show func(codes.List, string) string) {
		var items []string
		for _, c := range list {
			items = append(items, show(in, c))
		}
		add(name, items...)
	}
	add("Organisation", l.Organisation.Name, label(codes.Organisation(), l.Organisation.Type), label(codes.Size(), l.Organisation.Size))
	add("Country", label(codes.Country(), string(l.Country)))
	add("Region", l.Region)
	if l.TRL > 0 {
		n := strconv.Itoa(int(l.TRL))
		name := "Technology readiness"
		if l.Kind == protocol.TechnologyRequest {
			name = "Least technology readiness"
		}
		add(name, "TRL "+n+": "+codes.TRL().Label(n))
	}
	each("Intellectual property", codes.IPR(), l.IPR, label)
	each("Cooperation sought", codes.Cooperation(), l.Cooperation, label)
	each("Partners sought", codes.Organisation(), l.Seeks.Types, label)
	var countries []string
	for _, c := range l.Seeks.Countries {
		countries = append(countries, string(c))
	}
	each("Partners sought in", codes.Country(), countries, label)
	each("Fields of research", codes.FORD(), l.FORD, coded)
	each("Industries", codes.ISIC(), l.ISIC, coded)
	each("Patent classes", codes.IPC(), l.IPC, coded)
	var goals []string
	for _, g := range l.SDG {
		goals = append(goals, strconv.Itoa(int(g)))
	}
	each("Sustainable development goals", codes.SDG(), goals, func(in codes.List, c string) string { return c + " " + in.Label(c) })
	add("Published", day(l.Published))
	add("Valid until", day(l.ValidUntil))
	return out
}

func provenance(e exchange.Entry, member string) []fact {
	out := []fact{
		{Name: "Origin", Items: []string{member + " (" + string(e.Origin) + ")"}},
		{Name: "Id", Items: []string{string(e.ID)}, Code: true},
		{Name: "Position", Items: []string{"epoch " + strconv.FormatUint(e.Position.Epoch, 10) + ", change " + strconv.FormatUint(e.Position.Seq, 10)}},
	}
	if e.Listing != nil && e.Listing.Updated != 0 {
		out = append(out, fact{Name: "Signed", Items: []string{moment(e.Listing.Updated)}})
	}
	return append(out, fact{Name: "Header hash", Items: []string{e.Header.String()}, Code: true})
}
