package ui

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// The desk of those who review: what waits, what is said of it.

// deskPage is the queue, the oldest first.
type deskPage struct {
	frame
	Done       template.HTML
	NextCase   *deskRow // after a decision
	Reviews    bool     // who looks may review
	Groups     []deskGroup
	Asked      bool
	Prev, Next string // of what waits
	Decided    []reviewedRow
	Empty      bool // nothing waits, and nothing is taken
}

type deskGroup struct {
	ID         string
	Name, None template.HTML
	Rows       []deskRow
	More       bool
}

// deskRow is a case.
type deskRow struct {
	Href          string
	Title         template.HTML
	Organisation  template.HTML
	Kind, Written template.HTML
	Since         template.HTML
	Tags          []stateTag
}

const (
	casesPage   = 20
	casesTaken  = 50
	suspectTime = 1500 * time.Millisecond // for all cases of a page
)

func (s *site) deskPages(get, post func(string, http.HandlerFunc)) {
	get("/desk", s.mine(s.atDesk(s.desk)))
	get("/desk/{id}", s.reviewCase(func(_ http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
		return s.caseView(r, a, h, scoresOf(r.URL.Query()), "", nil)
	}))
	post("/desk/{id}", s.reviewCase(s.decide))
	get("/desk/{id}/hand", s.reviewCase(func(_ http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
		return s.handView(r, a, h, handed{}, nil)
	}))
	post("/desk/{id}/hand", s.reviewCase(s.hand))
	get("/desk/{id}/revoke", s.reviewCase(func(_ http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting) (view, error) {
		return s.revokeView(r, a, h, "", nil), nil
	}))
	post("/desk/{id}/revoke", s.reviewCase(s.revoke))
}

// atDesk lets in who may read the cases of all organisations: reviewers and administrators.
func (s *site) atDesk(mk func(http.ResponseWriter, *http.Request, access.Actor) (view, error)) func(http.ResponseWriter, *http.Request, access.Actor) (view, error) {
	return func(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
		if access.Can(a, access.ReadPosting, access.Resource{}) != nil {
			v := s.closed(r, a, "desk.closed")
			if page, _ := v.model.(problemPage); slices.Contains(a.Roles, access.Editor) {
				page.Next = printer(r).HTML("desk.closed.next")
				v.model = page
			}
			return v, nil
		}
		return mk(w, r, a)
	}
}

// reviewCase hands on the posting that the address names, to those who may be at the desk.
func (s *site) reviewCase(mk func(http.ResponseWriter, *http.Request, access.Actor, *posting.Posting) (view, error)) http.HandlerFunc {
	return s.behind(func(w http.ResponseWriter, r *http.Request) (view, error) {
		if door.ActorOf(r.Context()).Session == "" && r.Method == http.MethodPost {
			return moved(w, r, "/sign-in?from="+url.QueryEscape(local(r.URL.EscapedPath())))
		}
		a, ok := s.signedIn(w, r)
		if !ok {
			return view{}, nil
		}
		return s.atDesk(func(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
			id, err := protocol.ParseListingID(r.PathValue("id"))
			if err != nil {
				return s.nothing(r, "posting", "/desk", "nav.desk"), nil
			}
			h, err := s.cfg.House.Postings.Get(a, id)
			if c := protocol.CodeOf(err); c == protocol.CodeNotFound || c == protocol.CodeNotPermitted {
				return s.nothing(r, "posting", "/desk", "nav.desk"), nil
			}
			if err != nil {
				return view{}, err
			}
			return mk(w, r, a, h)
		})(w, r, a)
	})
}

func casePath(id protocol.ListingID) string { return "/desk/" + url.PathEscape(string(id)) }

func (s *site) desk(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	say, after := printer(r), r.URL.Query().Get("after")
	p := deskPage{frame: s.frame(r, "", say.T("nav.desk")), Reviews: slices.Contains(a.Roles, access.Reviewer)}
	waiting, err := s.cfg.House.Postings.Queue(a, posting.Submitted, after, casesPage)
	if err != nil {
		return view{}, err
	}
	taken, err := s.cfg.House.Postings.Queue(a, posting.InReview, "", casesTaken)
	if err != nil {
		return view{}, err
	}
	audits, err := s.cfg.House.Postings.Queue(a, posting.Due, "", casesTaken)
	if err != nil {
		return view{}, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), suspectTime)
	defer cancel()
	d := &deskRows{site: s, ctx: ctx, actor: a, p: say, names: map[access.OrganisationID]template.HTML{}}
	mine, queue, others, due := deskGroup{ID: "mine"}, deskGroup{ID: "waiting", None: say.HTML("desk.waiting-none")}, deskGroup{ID: "others"}, deskGroup{ID: "audits"}
	for _, h := range waiting.Postings {
		queue.Rows = append(queue.Rows, d.row(h, true))
	}
	for _, h := range slices.Concat(taken.Postings, audits.Postings) {
		switch {
		case h.Draft != posting.InReview && h.Audit == posting.Due:
			due.Rows = append(due.Rows, d.row(h, false))
		case h.Reviewer == a.User:
			mine.Rows = append(mine.Rows, d.row(h, false))
		default:
			others.Rows = append(others.Rows, d.row(h, false))
		}
	}
	others.More, due.More = taken.Next != "", audits.Next != ""
	mine.Name, queue.Name, others.Name, due.Name = say.HTML("desk.mine"), say.HTML("desk.waiting"), say.HTML("desk.others"), say.HTML("desk.audits")
	p.Empty = len(mine.Rows)+len(queue.Rows)+len(others.Rows)+len(due.Rows) == 0
	for _, g := range []deskGroup{mine, queue, due, others} {
		if len(g.Rows) > 0 || g.None != "" && !p.Empty {
			p.Groups = append(p.Groups, g)
		}
	}
	if waiting.Next != "" {
		p.Next = "/desk?after=" + url.QueryEscape(waiting.Next)
	}
	if after != "" {
		p.Prev = "/desk"
	}
	if p.Decided, err = s.decidedLately(say, a); err != nil {
		return view{}, err
	}
	if p.Done = s.decided(say, a, r.URL.Query()); p.Done != "" {
		for i, h := range waiting.Postings {
			if slices.Contains(s.cfg.House.Postings.Allowed(a, h), posting.Take) {
				p.NextCase = &queue.Rows[i]
				break
			}
		}
	}
	return view{"desk", p, http.StatusOK}, nil
}

// deskRows makes the rows of one page.
type deskRows struct {
	site  *site
	ctx   context.Context //nolint:containedctx // lives as long as one page is made: what it looks up has to end together
	actor access.Actor
	p     *lang.Printer
	names map[access.OrganisationID]template.HTML
}

// row of a case; compared with the catalogue as far as there is time for it.
func (d *deskRows) row(h *posting.Posting, compared bool) deskRow {
	row := deskRow{
		Href: casePath(h.ID), Title: titleOf(d.p, h), Organisation: d.organisation(h.Organisation), Kind: named(d.p, "kind", string(h.Kind)),
		Since: d.p.Say(d.site.agoOf(d.p, h.Submitted)),
	}
	_, c, err := d.site.cfg.House.Postings.Content(d.actor, h.ID)
	if err != nil || c == nil {
		row.Tags = append(row.Tags, stateTag{"bad", d.p.HTML("desk.unreadable")})
		return row
	}
	var langs []template.HTML
	for _, l := range c.Listing.Languages() {
		langs = append(langs, named(d.p, "language", string(l)))
	}
	row.Written = listOf(d.p, langs)
	switch {
	case h.Audit != posting.None && h.Draft == posting.None:
		row.Tags = append(row.Tags, stateTag{"outline", d.p.HTML("posting.audit")})
	case h.Live != posting.None:
		row.Tags = append(row.Tags, stateTag{"outline", d.p.HTML("desk.revision")})
	case h.Reviews > 0:
		row.Tags = append(row.Tags, stateTag{"outline", d.p.HTML("desk.again")})
	}
	if slices.Contains(d.actor.Roles, access.Reviewer) && !posting.MayReview(d.actor, h) {
		row.Tags = append(row.Tags, stateTag{"outline", d.p.HTML("desk.own")})
	}
	if !compared {
		return row
	}
	switch like, err := d.site.alike(d.ctx, c); {
	case err != nil:
		row.Tags = append(row.Tags, stateTag{"outline", d.p.HTML("desk.unlooked")})
	case len(like) > 0:
		row.Tags = append(row.Tags, stateTag{"wait", d.p.HTMLN("desk.suspects", len(like))})
	}
	return row
}

func (d *deskRows) organisation(id access.OrganisationID) template.HTML {
	if _, known := d.names[id]; !known {
		d.names[id] = d.site.organisationName(d.actor, id)
	}
	return d.names[id]
}

// organisationName is "" where it cannot be read.
func (s *site) organisationName(a access.Actor, id access.OrganisationID) template.HTML {
	o, err := s.cfg.House.People.Organisation(a, id)
	if err != nil {
		return ""
	}
	return voice(o.Name)
}

const mostLately = 10

// decidedLately are the newest reviews among the newest postings: there is no list of reviews by time.
func (s *site) decidedLately(p *lang.Printer, a access.Actor) (list []reviewedRow, _ error) {
	all, _, err := s.gather(a, posting.Filter{}, posting.MaxPage)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(h *posting.Posting) bool { return h.Review == nil })
	slices.SortStableFunc(all, func(x, y *posting.Posting) int {
		switch {
		case x.Review.At > y.Review.At:
			return -1
		case x.Review.At < y.Review.At:
			return 1
		}
		return 0
	})
	for _, h := range all[:min(mostLately, len(all))] {
		row := s.reviewedRow(p, a, h)
		row.Href, row.What, row.When = casePath(h.ID), verdictOf(p, h.Review), p.Say(s.agoOf(p, h.Review.At))
		list = append(list, row)
	}
	return list, nil
}

// verdictOf a review in words. An audit passes or finds fault.
func verdictOf(p *lang.Printer, v *posting.Review) template.HTML {
	return actionInWords(p, outcomeOf(v.Verdict, v.Audit))
}

func outcomeOf(verdict posting.Action, audit bool) posting.Action {
	switch {
	case audit && verdict == posting.Pass:
		return posting.Clear
	case audit:
		return posting.Fault
	}
	return verdict
}

// decided says what was done just now, as far as the case that the address names bears it out: addresses can be made up.
func (s *site) decided(p *lang.Printer, a access.Actor, q url.Values) template.HTML {
	id, err := protocol.ParseListingID(q.Get("case"))
	if err != nil {
		return ""
	}
	h, err := s.cfg.House.Postings.Get(a, id)
	if err != nil {
		return ""
	}
	switch done := q.Get("done"); {
	case done == "review" && h.Review != nil && h.Review.Reviewer == a.User:
		return p.HTML("desk.done.review", "Listing", titleOf(p, h), "Verdict", verdictOf(p, h.Review))
	case done == "release" && (h.Draft == posting.Submitted || h.Audit == posting.Due):
		return p.HTML("desk.done.release", "Listing", titleOf(p, h))
	case done == "hand" && h.Reviewer != "" && h.Reviewer != a.User:
		return p.HTML("desk.done.hand", "Listing", titleOf(p, h))
	case done == "revoke" && h.Live == posting.Revoked:
		return p.HTML("desk.done.revoke", "Listing", titleOf(p, h))
	}
	return ""
}
