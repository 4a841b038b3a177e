package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// An organisation as its own people see it: listings and their matches, reviews, members, tokens. The agency's reviewers and
// administrators see those of all organisations.

func organisationPath(id access.OrganisationID) string {
	return "/organisations/" + url.PathEscape(string(id))
}

// office is an organisation as the one who asks stands to it.
type office struct {
	access.Organisation
	path  string
	own   bool // it is the actor's
	reads bool // its postings, with drafts and reviews
	posts bool
}

// officePage is one of the organisation's pages: the part that it is about is set, the others are nil.
type officePage struct {
	frame
	Organisation template.HTML
	Heading      template.HTML
	Nav          []officeEntry
	Path         string
	Done         template.HTML
	Wrong        []mistake
	Closed       template.HTML // why the page has nothing for who asks
	Posts        bool

	Overview *officeOverview
	Listings *officeListings
	Matches  *officeMatches
	Reviews  *officeReviews
	People   *officePeople
	Tokens   *officeTokens
}

type officeEntry struct {
	Href    string
	Label   template.HTML
	Current bool
}

type officeHandler func(w http.ResponseWriter, r *http.Request, a access.Actor, o office) (view, error)

func (s *site) organisationPages(get, post func(string, http.HandlerFunc)) {
	at := "/organisations/{organisation}"
	get(at, s.office(s.officeOverview))
	post(at, s.office(s.renewOne))
	get(at+"/listings", s.office(s.forReaders("nav.listings", "listings", s.officeListings)))
	get(at+"/matches", s.office(s.forReaders("nav.matches", "matches", s.officeMatches)))
	get(at+"/reviews", s.office(s.forReaders("nav.reviews", "reviews", s.officeReviews)))
	get(at+"/people", s.office(s.officePeople))
	get(at+"/tokens", s.office(s.officeTokens))
}

// office hands on the organisation that the address names, to who is signed in and may see it. For all others there is none, be
// it another's or none at all.
func (s *site) office(mk officeHandler) http.HandlerFunc {
	return s.behind(func(w http.ResponseWriter, r *http.Request) (view, error) {
		if door.ActorOf(r.Context()).Session == "" && r.Method == http.MethodPost {
			return moved(w, r, "/sign-in?from="+url.QueryEscape(local(r.URL.EscapedPath())))
		}
		a, ok := s.signedIn(w, r)
		if !ok {
			return view{}, nil
		}
		found, err := s.cfg.House.People.Organisation(a, access.OrganisationID(r.PathValue("organisation")))
		switch protocol.CodeOf(err) {
		case protocol.CodeNotFound, protocol.CodeNotPermitted:
			return s.noOffice(r), nil
		}
		if err != nil {
			return view{}, err
		}
		here := access.Resource{Organisation: found.ID}
		return mk(w, r, a, office{
			Organisation: found, path: organisationPath(found.ID), own: found.ID == a.Organisation,
			reads: access.Can(a, access.ReadPosting, here) == nil, posts: access.Can(a, access.CreateDraft, here) == nil,
		})
	})
}

func (s *site) noOffice(r *http.Request) view {
	p := printer(r)
	return view{"problem", problemPage{
		frame: s.frame(r, "", p.T("office.none.title")), Heading: p.HTML("office.none.title"), Text: p.HTML("office.none.text"), Next: p.HTML("office.none.next"),
	}, http.StatusNotFound}
}

// forReaders shows the page to those who may read the organisation's postings; the others are told who may.
func (s *site) forReaders(heading, page string, mk officeHandler) officeHandler {
	return func(w http.ResponseWriter, r *http.Request, a access.Actor, o office) (view, error) {
		if o.reads {
			return mk(w, r, a, o)
		}
		p := s.officePage(r, a, o, heading, page)
		p.Closed = printer(r).HTML("office.closed")
		return view{"organisation", p, http.StatusForbidden}, nil
	}
}

// officePage begins the page of that heading; page is the last part of its address.
func (s *site) officePage(r *http.Request, a access.Actor, o office, heading, page string) officePage {
	say := printer(r)
	p := officePage{
		frame: s.frame(r, "organisation", say.T("form.fault", "Field", o.Name, "Fault", say.T(heading))), Organisation: voice(o.Name), Heading: say.HTML(heading),
		Path: o.path, Posts: o.posts,
	}
	add := func(shown bool, key, to string) {
		if shown {
			p.Nav = append(p.Nav, officeEntry{strings.TrimSuffix(o.path+"/"+to, "/"), say.HTML(key), to == page})
		}
	}
	add(true, "office.overview", "")
	add(o.reads, "nav.listings", "listings")
	add(o.reads, "nav.matches", "matches")
	add(o.reads, "nav.reviews", "reviews")
	add(true, "nav.members", "people")
	add(true, "nav.tokens", "tokens")
	add(s.cfg.House.Imports != nil && access.Can(a, access.ReadImport, access.Resource{Organisation: o.ID}) == nil, "nav.imports", "imports")
	return p
}

// gatherLooks is how many pages are looked at to gather postings: of a state that few are in, a page may be short.
const gatherLooks = 10

// gather postings, the newest first; more says that there are, or may be, others.
func (s *site) gather(a access.Actor, f posting.Filter, most int) (all []*posting.Posting, more bool, err error) {
	after := ""
	for looks := 0; len(all) < most && looks < gatherLooks; looks++ {
		page, err := s.cfg.House.Postings.List(a, f, after, min(most-len(all), posting.MaxPage))
		if err != nil {
			return nil, false, err
		}
		all = append(all, page.Postings...)
		if after = page.Next; after == "" {
			return all, false, nil
		}
	}
	return all, true, nil
}

// stateTag is a state in words, with the sign that it has everywhere.
type stateTag struct {
	Class string // good, wait, bad or outline
	Text  template.HTML
}

func tagOf(p *lang.Printer, x posting.State) stateTag {
	t := stateTag{"outline", stateInWords(p, x)}
	switch x {
	case posting.Published:
		t.Class = "good"
	case posting.Submitted, posting.InReview, posting.Expired, posting.OnHold:
		t.Class = "wait"
	case posting.Rejected, posting.Revoked:
		t.Class = "bad"
	}
	return t
}

// tags say how a posting stands, its next version and its audit.
func (s *site) tags(p *lang.Printer, h *posting.Posting) []stateTag {
	list := []stateTag{tagOf(p, h.State(s.today()))}
	if h.Live == posting.None && returned(h) {
		list = []stateTag{{"bad", p.HTML("did.return")}}
	}
	if h.Live != posting.None && h.Draft != posting.None {
		t := tagOf(p, h.Draft)
		if returned(h) {
			t = stateTag{"bad", p.HTML("did.return")}
		}
		t.Text = p.HTML("office.revision", "State", t.Text)
		list = append(list, t)
	}
	switch h.Audit {
	case posting.Due:
		list = append(list, stateTag{"wait", p.HTML("state.due")})
	case posting.InReview:
		list = append(list, stateTag{"wait", p.HTML("state.audited")})
	}
	return list
}

// returned reports whether a reviewer sent the draft back.
func returned(h *posting.Posting) bool {
	return h.Draft == posting.Draft && h.Review != nil && !h.Review.Audit && h.Review.Verdict == posting.Return
}

// faulted reports whether an audit found fault with what is published, and nothing was done about it yet.
func faulted(h *posting.Posting) bool {
	return h.Review != nil && h.Review.Audit && h.Review.Verdict != posting.Pass && (h.Live == posting.Published || h.Live == posting.OnHold)
}

// titleOf a posting, in words where it has none.
func titleOf(p *lang.Printer, h *posting.Posting) template.HTML {
	if h.Title == "" {
		return p.HTML("posting.untitled")
	}
	return voice(h.Title)
}
