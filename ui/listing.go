package ui

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// listingPage is one listing with everything that its origin says of it.
type listingPage struct {
	frame
	Card       card
	Reason     template.HTML // why it is unusable
	Texts      []textView
	Facts      []fact
	Provenance []fact
	Contact    contactPoint
	URL        string
	Full       string // address of the full record; "" where there is none
	Fits       []card
	Missing    template.HTML // why there is nothing that could fit
	Weak       bool          // nothing fits well
	Similar    []card
	Notes      []template.HTML
}

type textView struct {
	Lang                   protocol.Lang
	Own                    string
	Title, Value, Abstract string
	Keywords               []string
	Same                   bool // its title is the page's heading already
}

// fact is a name, and what is said under it.
type fact struct {
	Name  template.HTML
	Items []template.HTML
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
		return s.gone(r, e), nil
	}
	say := printer(r)
	p := listingPage{Card: s.card(say, e, contentLanguages(r)), Provenance: provenance(say, e, s.memberName(say, e.Origin)), Contact: s.contactPoint(say, e.Origin), Reason: clause(say, e.Reason)}
	p.frame = s.frame(r, "search", p.Card.Title)
	s.discover(r, e, &p.frame)
	if i := slices.IndexFunc(p.Links, func(l relation) bool { return l.Rel == "canonical" }); i >= 0 { // on paper it can be found again by it
		f := factList{p: say, list: p.Provenance}
		f.add("field.url", voice(p.Links[i].Href))
		p.Provenance = f.list
	}
	if e.Listing == nil {
		return view{"listing", p, http.StatusOK}, nil
	}
	l := e.Listing
	for _, tag := range l.Languages() {
		t := l.Texts[tag]
		p.Texts = append(p.Texts, textView{tag, languageName(tag), t.Title, t.Value, t.Abstract, t.Keywords, tag == p.Card.Lang})
	}
	slices.SortStableFunc(p.Texts, func(a, b textView) int { // the one that the visitor reads comes first
		switch {
		case a.Same:
			return -1
		case b.Same:
			return 1
		}
		return 0
	})
	p.Facts, p.URL = facts(say, l), l.URL
	if l.HasFull() {
		p.Full = href(e.Ref) + "/full"
	}
	s.compare(r, e, &p)
	return view{"listing", p, http.StatusOK}, nil
}

// How many listings stand below one.
const (
	mostFits    = 5
	mostSimilar = 3
)

// compare a listing with the catalogue: what could fit it, and what is of its own kind and much like it. The listing is worth showing
// without either.
func (s *site) compare(r *http.Request, e exchange.Entry, p *listingPage) {
	say, filter := printer(r), match.Filter{Today: s.today()}
	a, err := s.cfg.Desk.Counterparts(r.Context(), e.Ref, filter, mostFits, 0)
	if err != nil {
		s.cfg.Log.Warn("counterparts failed", "listing", e.Ref, "error", err)
		title, _ := say.Problem(protocol.CodeOf(err))
		p.Missing = say.Say(title)
		return
	}
	p.Fits, p.Notes = s.hits(r, a.Hits), notes(say, a, s.cfg.Now())
	if len(p.Fits) == 0 {
		p.Missing = say.HTML("sheet.fits-none")
	}
	p.Weak = a.Verdict == match.Weak
	filter.Kinds = []protocol.Kind{e.Listing.Kind}
	a, err = s.cfg.Desk.Match(r.Context(), match.Query{Listing: e.Listing, Self: e.Ref, Filter: filter, Limit: mostSimilar})
	if err != nil {
		s.cfg.Log.Warn("similar listings failed", "listing", e.Ref, "error", err)
		return
	}
	var alike []exchange.Hit // the nearest of what is not alike helps nobody
	for _, h := range a.Hits {
		if a.Verdict != match.Weak && (h.Verdict == match.Strong || h.Verdict == match.Fair) {
			alike = append(alike, h)
		}
	}
	p.Similar = s.hits(r, alike)
}

// factList gathers facts, of which there may be nothing to say.
type factList struct {
	p    *lang.Printer
	list []fact
}

// add what is said under the name of a key; what is empty is left out.
func (f *factList) add(key string, items ...template.HTML) { f.under(f.p.HTML(key), items...) }

func (f *factList) under(name template.HTML, items ...template.HTML) {
	items = slices.DeleteFunc(items, func(i template.HTML) bool { return i == "" })
	if len(items) > 0 {
		f.list = append(f.list, fact{Name: name, Items: items})
	}
}

// namesOf are the names of codes of a list.
func namesOf[T ~string](p *lang.Printer, list string, of []T) (out []template.HTML) {
	for _, c := range of {
		out = append(out, named(p, list, string(c)))
	}
	return out
}

func codedOf(p *lang.Printer, list string, in codes.List, of []string) (out []template.HTML) {
	for _, c := range of {
		out = append(out, coded(p, list, in, c))
	}
	return out
}

// facts are the fields of the listing that are not text, with the names of their codes. What is not said is left out.
func facts(p *lang.Printer, l *protocol.Listing) []fact {
	f := factList{p: p}
	f.add("field.organisation", voice(l.Organisation.Name), named(p, "organisation", l.Organisation.Type), named(p, "size", l.Organisation.Size))
	f.add("field.country", named(p, "country", string(l.Country)))
	f.add("sheet.region", voice(l.Region))
	if l.TRL > 0 {
		key, n := "field.trl", strconv.Itoa(int(l.TRL))
		if l.Kind == protocol.TechnologyRequest {
			key = "find.trl-least"
		}
		f.add(key, p.HTML("sheet.trl", "Level", n, "Name", p.Label("trl", n)))
	}
	f.add("field.ipr", namesOf(p, "ipr", l.IPR)...)
	f.add("field.cooperation", namesOf(p, "cooperation", l.Cooperation)...)
	f.add("field.partner", namesOf(p, "organisation", l.Seeks.Types)...)
	f.add("sheet.partner-in", namesOf(p, "country", l.Seeks.Countries)...)
	f.add("field.ford", codedOf(p, "ford", codes.FORD(), l.FORD)...)
	f.add("field.isic", codedOf(p, "isic", codes.ISIC(), l.ISIC)...)
	f.add("field.ipc", codedOf(p, "ipc", codes.IPC(), l.IPC)...)
	var goals []template.HTML
	for _, g := range l.SDG {
		n := strconv.Itoa(int(g))
		goals = append(goals, p.HTML("sheet.goal", "Number", n, "Name", p.Label("sdg", n)))
	}
	f.add("field.sdg", goals...)
	f.add("field.published", voice(p.Date(l.Published)))
	f.add("field.valid-until", voice(p.Date(l.ValidUntil)))
	return f.list
}

func provenance(p *lang.Printer, e exchange.Entry, member lang.Text) []fact {
	f := factList{p: p}
	f.add("field.origin", p.HTML("find.code", "Name", member, "Code", string(e.Origin)))
	f.add("field.id", voice(string(e.ID)))
	f.add("sheet.position", p.HTML("sheet.position-is", "Epoch", strconv.FormatUint(e.Position.Epoch, 10), "Change", strconv.FormatUint(e.Position.Seq, 10)))
	if e.Listing != nil {
		f.add("sheet.signed", voice(p.Moment(e.Listing.Updated)))
	}
	f.add("sheet.hash", voice(e.Header.String()))
	f.list[len(f.list)-1].Code = true
	return f.list
}
