package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

const (
	pageSize = 10
	maxQuery = 2000 // characters
)

// searchPage is the start page, the answer to a search and the browsing of the catalogue.
type searchPage struct {
	frame
	Form      searchForm
	Asked     bool // words were given: Cards are ranked
	Filtered  bool
	Start     bool // neither words nor filters nor a later page
	Cards     []card
	Total     int // that are found; Listed of them can be paged through, and Account says what became of the others
	From, To  int
	Listed    int
	Account   []template.HTML
	Prev      string
	Next      string
	Ranker    string
	Notes     []template.HTML
	Kinds     []tally
	Members   int
	Countries int

	NoGood  bool          // nothing found is more than a weak match
	Nearest bool          // the other orders show matches only, and there is none: NoGood
	Meant   template.HTML // did you mean
	MeantAt string
	Read    template.HTML // languages that the words were read in
	ReadAs  []choice      // the same by one of them
	Chosen  []choice
	Sorts   []choice
	Sorted  template.HTML // of ranked pages
	Facets  []facetGroup
	ByScore string // address of the order by score

	Unfiltered string // address of the same words without any choice; "" where there is none to take off
	Save       string // address for saving the search; "" for who may not
}

type searchForm struct {
	Q                         string
	Kinds, Countries, Fields  []option
	TRLMin, TRLMax, Languages []option
	Sort, As                  string // kept when the form is sent again
	Origin, WithoutOrigin     string
	OriginName                lang.Text
	Open                      bool
}

// option of a menu, or a link: plain text, as menus can show nothing else.
type option struct {
	Value, Label string
	Selected     bool
	Lang         string // of the label, where it is not the page's
}

type tally struct {
	Code, Href string
	Count      int
}

// asked is a search as the address carries it.
type asked struct {
	q      string
	lang   protocol.Lang // that q is said to be in
	sort   match.Sort
	filter match.Filter
	page   int
	after  string     // a cursor of browsing
	values url.Values // only what is understood, for links
}

// finds answers a search: with the page, or, where that is open and only what was found is to change, with that part alone. A
// part has the address of its page and another policy: it is kept nowhere.
func (s *site) finds(w http.ResponseWriter, r *http.Request) {
	h, part := w.Header(), r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-Target") == "div#found"
	h.Add("Vary", "HX-Request, HX-Target")
	in, err := s.parseSearch(r.URL.Query())
	var v view
	if err == nil {
		v, err = s.search(r, in)
	}
	if err != nil {
		v = s.problem(r, err)
	}
	if part {
		v.name += "#found"
		h.Set("Cache-Control", "no-store")
		if err == nil {
			h.Set("HX-Replace-Url", in.address(nil))
		}
	}
	s.write(w, r, v)
}

func (s *site) search(r *http.Request, in asked) (view, error) {
	figures, members, say := s.cfg.Desk.Figures(), s.cfg.Desk.Members(), printer(r)
	p := searchPage{
		frame: s.frame(r, "search", say.T("nav.search")), Form: s.form(say, in, figures.ByCountry), Members: len(members), Countries: len(figures.ByCountry),
	}
	p.Live = true
	for _, k := range codes.Kind().All() {
		p.Kinds = append(p.Kinds, tally{k.Code, "/?kind=" + k.Code, figures.ByKind[k.Code]})
	}
	p.Asked, p.Filtered, p.Chosen = in.q != "", p.Form.Open, s.chosen(say, in)
	p.Start = !p.Asked && !p.Filtered && in.after == ""
	p.Hidden = p.Hidden && (s.cfg.Demonstration || !p.Start)
	if len(p.Chosen) > 1 || p.Asked && len(p.Chosen) > 0 {
		p.Unfiltered = in.unfiltered()
	}
	if !p.Start {
		p.Save = s.saveAt(r, in)
	}
	var err error
	if p.Asked {
		err = s.ranked(r, in, &p)
	} else {
		err = s.browse(r, in, &p)
	}
	return view{"search", p, http.StatusOK}, err
}

func (s *site) ranked(r *http.Request, in asked, p *searchPage) error {
	say := printer(r)
	query := match.Query{Text: in.q, Lang: in.lang, Filter: in.filter, Sort: in.sort, Facets: true, Limit: pageSize, Offset: (in.page - 1) * pageSize}
	a, err := s.cfg.Desk.Match(r.Context(), query)
	if err == nil && len(a.Hits) == 0 && in.page > 1 && a.Listed > 0 { // beyond the last page
		in.page = (a.Listed-1)/pageSize + 1
		query.Offset = (in.page - 1) * pageSize
		a, err = s.cfg.Desk.Match(r.Context(), query)
	}
	if err != nil {
		return err
	}
	p.Title = in.q
	p.Links = append(p.Links, feedOf(say, in))
	p.Cards, p.Notes, p.Ranker = s.hits(r, a.Hits), notes(say, a, s.cfg.Now()), protocol.Hash(a.Ranker).Short()
	p.From, p.To = (in.page-1)*pageSize+1, (in.page-1)*pageSize+len(p.Cards)
	p.Total, p.Listed, p.Account = a.Total, a.Listed, accountFor(say, a.Counts)
	if in.page > 1 {
		p.Prev = in.link("page", strconv.Itoa(in.page-1))
	}
	if a.Next != "" && len(p.Cards) > 0 && in.page*pageSize < match.Depth {
		p.Next = in.link("page", strconv.Itoa(in.page+1))
	}
	p.NoGood = a.Verdict == match.Weak
	p.Nearest = p.NoGood && in.sort != match.ByScore
	p.ByScore = in.address(map[string]string{"sort": ""})
	p.Sorts, p.Sorted = in.sorts(say, orders())
	p.Facets = in.facets(say, a.Facets)
	if a.Meant != "" {
		p.Meant, p.MeantAt = voice(a.Meant), in.address(map[string]string{"q": a.Meant, "as": ""})
	}
	var read []template.HTML
	for _, l := range a.Languages {
		read = append(read, named(say, "language", l))
		if (len(a.Languages) > 1 || in.lang != "") && protocol.Lang(l) != in.lang && codes.Language().Has(l) {
			p.ReadAs = append(p.ReadAs, choice{Label: say.HTML("find.read-as", "Language", say.Language(l)), Href: in.address(map[string]string{"as": l})})
		}
	}
	p.Read = listOf(say, read)
	if in.lang != "" {
		p.ReadAs = append(p.ReadAs, choice{Label: say.HTML("find.recognise"), Href: in.address(map[string]string{"as": ""})})
	}
	return nil
}

// browse shows all that passes the filter.
func (s *site) browse(r *http.Request, in asked, p *searchPage) error {
	say := printer(r)
	a, err := s.cfg.Desk.Match(r.Context(), match.Query{All: true, Filter: in.filter, Sort: in.sort, Facets: true, Limit: pageSize, After: in.after})
	if err != nil {
		return err
	}
	for _, h := range a.Hits {
		p.Cards = append(p.Cards, s.card(say, h.Entry, contentLanguages(r)))
	}
	p.From, p.To = a.Place+1, a.Place+len(p.Cards)
	p.Total, p.Listed = a.Total, a.Listed
	p.Facets = in.facets(say, a.Facets)
	p.Sorts, _ = in.sorts(say, browseOrders())
	if a.Indexing > 0 {
		p.Notes = notes(say, exchange.MatchAnswer{Indexing: a.Indexing}, s.cfg.Now())
	}
	if in.after != "" && a.Place <= pageSize { // also where all that stood here is gone
		p.Prev = in.link("", "")
	} else if a.Prev != "" {
		p.Prev = in.link("after", a.Prev)
	}
	if a.Next != "" {
		p.Next = in.link("after", a.Next)
	}
	return nil
}

func (in asked) link(name, value string) string {
	if name == "" || value == "1" {
		return in.address(nil)
	}
	return in.address(map[string]string{name: value})
}

// address of the same search with some of its values changed, or taken off where they are empty.
func (in asked) address(set map[string]string) string {
	q := url.Values{}
	for k, v := range in.values {
		q[k] = v
	}
	for k, v := range set {
		if q.Set(k, v); v == "" {
			q.Del(k)
		}
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// parseSearch reads the address; every fault of it is reported. Empty parameters are what an untouched form sends.
func (s *site) parseSearch(q url.Values) (asked, error) {
	in := asked{q: strings.TrimSpace(q.Get("q")), page: 1, values: url.Values{}}
	in.filter.Today = s.today()
	var faults protocol.Errors
	bad := func(field, format string, args ...any) {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, field, format, args...))
	}
	if n := utf8.RuneCountInString(in.q); n > maxQuery {
		bad("search words", "%d characters, at most %d", n, maxQuery)
	}
	if !utf8.ValidString(in.q) {
		bad("search words", "are not UTF-8")
	}
	take := func(name string, ok func(string) bool, use func(string)) {
		v := q.Get(name)
		switch {
		case v == "":
		case !ok(v):
			bad(name, "is not one of the choices of the form")
		default:
			in.values.Set(name, v)
			use(v)
		}
	}
	take("q", func(string) bool { return in.q != "" }, func(string) {})
	take("kind", codes.Kind().Has, func(v string) { in.filter.Kinds = []protocol.Kind{protocol.Kind(v)} })
	take("country", codes.Country().Has, func(v string) { in.filter.Countries = []protocol.Country{protocol.Country(v)} })
	take("ford", codes.FORD().Has, func(v string) { in.filter.FORD = []string{v} })
	take("trl_min", codes.TRL().Has, func(v string) { in.filter.TRLMin = v[0] - '0' })
	take("trl_max", codes.TRL().Has, func(v string) { in.filter.TRLMax = v[0] - '0' })
	take("language", codes.Language().Has, func(v string) { in.filter.Languages = []protocol.Lang{protocol.Lang(v)} })
	take("as", codes.Language().Has, func(v string) { in.lang = protocol.Lang(v) })
	take("sort", isOrder, func(v string) { in.sort = match.Sort(v) })
	take("origin", func(v string) bool { _, err := protocol.ParseMemberID(v); return err == nil },
		func(v string) { in.filter.Origins = []protocol.MemberID{protocol.MemberID(v)} })
	if in.filter.TRLMax > 0 && in.filter.TRLMin > in.filter.TRLMax {
		bad("readiness", "“from” is above “to”")
	}
	if v := q.Get("page"); v != "" {
		n, err := strconv.Atoi(v)
		if in.page = n; err != nil || n < 1 || n > match.Depth/pageSize {
			bad("page", "is not between 1 and %d", match.Depth/pageSize)
		}
	}
	if in.q == "" {
		in.after = q.Get("after")
	}
	if len(faults) > 0 {
		return in, faults
	}
	return in, nil
}

// form is the search form as it was sent.
func (s *site) form(p *lang.Printer, in asked, byCountry map[string]int) searchForm {
	f := searchForm{Q: in.q}
	v := in.values
	of := func(list, code, param string) option {
		return option{Value: code, Label: p.Label(list, code).Text, Selected: v.Get(param) == code}
	}
	for _, c := range codes.Kind().All() {
		f.Kinds = append(f.Kinds, of("kind", c.Code, "kind"))
	}
	for _, c := range codes.FORD().All() {
		if c.Parent == "" || v.Get("ford") == c.Code {
			f.Fields = append(f.Fields, of("ford", c.Code, "ford"))
		}
	}
	var others []option
	for _, c := range codes.Country().All() {
		o := of("country", c.Code, "country")
		switch {
		case c.Parent == "ASEAN":
			f.Countries = append(f.Countries, o)
		case byCountry[c.Code] > 0 || o.Selected:
			others = append(others, o)
		}
	}
	byName := func(o option) string { return o.Label }
	lang.SortBy(p, f.Countries, byName)
	lang.SortBy(p, others, byName)
	f.Countries = append(f.Countries, others...)
	for _, c := range codes.TRL().All() {
		f.TRLMin = append(f.TRLMin, option{Value: c.Code, Label: c.Code, Selected: v.Get("trl_min") == c.Code})
		f.TRLMax = append(f.TRLMax, option{Value: c.Code, Label: c.Code, Selected: v.Get("trl_max") == c.Code})
	}
	if f.Origin = v.Get("origin"); f.Origin != "" {
		f.OriginName = s.memberName(p, protocol.MemberID(f.Origin))
		f.WithoutOrigin = in.address(map[string]string{"origin": ""})
	}
	for _, c := range codes.Language().All() {
		f.Languages = append(f.Languages, of("language", c.Code, "language"))
	}
	lang.SortBy(p, f.Languages, byName)
	if f.As, f.Open = v.Get("as"), in.filtered(); in.q != "" { // an order chosen while browsing is none for words to come
		f.Sort = v.Get("sort")
	}
	return f
}
