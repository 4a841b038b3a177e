package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// What reviewers said of an organisation's listings, who its people are, and what programs act for them. People and tokens are
// personal: the rules show them to administrators, and to everybody the own ones.

type officeReviews struct {
	Waiting, Back, Decided []reviewedRow
	Short                  bool // there are more than are looked at
}

type reviewedRow struct {
	Href, ID    string
	Title, What template.HTML
	When        template.HTML
	Score       template.HTML
	Comment     string
	Tags        []stateTag
	Edit        string
}

const mostDecided = 20

func (s *site) officeReviews(_ http.ResponseWriter, r *http.Request, a access.Actor, o office) (view, error) {
	say := printer(r)
	p := s.officePage(r, a, o, "nav.reviews", "reviews")
	v := &officeReviews{}
	p.Reviews = v
	for _, f := range []posting.Filter{
		{State: posting.Submitted}, {Revision: posting.Submitted}, {State: posting.InReview}, {Revision: posting.InReview},
		{State: posting.Draft}, {Revision: posting.Draft}, {State: posting.Rejected}, {Revision: posting.Rejected}, {State: posting.Published}, {State: posting.OnHold},
	} {
		f.Organisation = o.ID
		all, more, err := s.gather(a, f, mostCounted)
		if err != nil {
			return view{}, err
		}
		v.Short = v.Short || more
		for _, h := range all {
			row := s.reviewedRow(say, a, h)
			switch {
			case h.Draft == posting.Submitted || h.Draft == posting.InReview:
				if f.State == posting.Published || f.State == posting.OnHold { // it stands among the revisions
					continue
				}
				row.When, row.Score, row.Comment = say.HTML("office.waits-since", "Ago", s.agoOf(say, h.Submitted)), "", ""
				v.Waiting = append(v.Waiting, row)
			case h.Review == nil:
			case returned(h) || h.Draft == posting.Rejected:
				if f.State != posting.Published && f.State != posting.OnHold {
					v.Back = append(v.Back, row)
				}
			case faulted(h):
				v.Back = append(v.Back, row)
			case h.Draft == posting.None && len(v.Decided) < mostDecided:
				v.Decided = append(v.Decided, row)
			}
		}
	}
	return view{"organisation", p, http.StatusOK}, nil
}

func (s *site) reviewedRow(p *lang.Printer, a access.Actor, h *posting.Posting) reviewedRow {
	row := reviewedRow{Href: postingPath(h.ID), ID: "review-" + string(h.ID), Title: titleOf(p, h), Tags: s.tags(p, h)}
	if v := h.Review; v != nil {
		row.When = p.HTML("office.reviewed-ago", "Ago", s.agoOf(p, v.At))
		row.Score, row.Comment = p.HTML("posting.score", "Score", v.Total(), "Most", 4*posting.MaxScore), v.Comment
	}
	for _, x := range s.cfg.House.Postings.Allowed(a, h) {
		if x == posting.Edit {
			row.Edit = row.Href + "/edit"
		}
	}
	return row
}

func (s *site) agoOf(p *lang.Printer, at protocol.Instant) lang.Text {
	return p.AgoText(max(0, s.cfg.Now().Sub(at.Time())))
}

type officePeople struct {
	Rows   []personRow
	All    bool // of the organisation; else there is the own account alone
	Prev   string
	Next   string
	Asked  bool
	Ask    template.HTML // whom to ask for accounts
	Manage bool
}

type personRow struct {
	Name, Email, Seen template.HTML
	Roles             template.HTML
	Tags              []stateTag
	Own               bool
}

const peoplePage = 50

func (s *site) officePeople(_ http.ResponseWriter, r *http.Request, a access.Actor, o office) (view, error) {
	say, after := printer(r), r.URL.Query().Get("after")
	p := s.officePage(r, a, o, "nav.members", "people")
	v := &officePeople{}
	if after != "" {
		v.Prev = o.path + "/people"
	}
	p.People = v
	people, next, err := s.peopleOf(a, o, after)
	if err != nil {
		return view{}, err
	}
	v.All = people != nil
	if v.Manage = v.All; !v.All {
		if v.Ask = say.HTML("office.people-closed"); o.own {
			u, err := s.cfg.House.People.User(a, a.User)
			if err != nil {
				return view{}, err
			}
			people, v.Ask = []access.User{u}, say.HTML("office.people-own")
		}
	}
	for _, u := range people {
		v.Rows = append(v.Rows, personRowOf(say, a, u))
	}
	if next != "" {
		v.Next = o.path + "/people?after=" + url.QueryEscape(next)
	}
	return view{"organisation", p, http.StatusOK}, nil
}

// peopleOf an organisation; nil where the rules do not show them to the actor.
func (s *site) peopleOf(a access.Actor, o office, after string) ([]access.User, string, error) {
	if access.Can(a, access.ReadPeople, access.Resource{Organisation: o.ID}) != nil {
		return nil, "", nil
	}
	all := []access.User{}
	for range listingsLooks { // a page may be short although another follows
		found, next, err := s.cfg.House.People.Users(a, access.UserFilter{Organisation: o.ID}, access.Page{Cursor: after, Limit: peoplePage})
		if err != nil {
			return nil, "", err
		}
		all = append(all, found...)
		if after = next; next == "" || len(all) >= peoplePage {
			break
		}
	}
	return all, after, nil
}

func personRowOf(p *lang.Printer, a access.Actor, u access.User) personRow {
	row := personRow{Name: voice(u.Name), Email: voice(u.Email), Roles: rolesInWords(p, u.Roles), Own: u.ID == a.User, Seen: p.HTML("word.never")}
	if !u.LastSignIn.IsZero() {
		row.Seen = voice(p.Date(protocol.DateOf(u.LastSignIn)))
	}
	switch {
	case u.Disabled:
		row.Tags = append(row.Tags, stateTag{"bad", p.HTML("office.person-disabled")})
	case !u.Verified:
		row.Tags = append(row.Tags, stateTag{"wait", p.HTML("office.person-unconfirmed")})
	}
	return row
}

type officeTokens struct {
	Rows  []officeToken
	Whose template.HTML
	All   bool
	Own   bool // the actor's organisation: tokens are made on the own account's page
	Short bool
}

type officeToken struct {
	tokenRow
	Person template.HTML
	Over   bool
}

func (s *site) officeTokens(_ http.ResponseWriter, r *http.Request, a access.Actor, o office) (view, error) {
	say := printer(r)
	p := s.officePage(r, a, o, "nav.tokens", "tokens")
	v := &officeTokens{Own: o.own}
	p.Tokens = v
	people, next, err := s.peopleOf(a, o, "")
	if err != nil {
		return view{}, err
	}
	v.All, v.Short = people != nil, next != ""
	switch {
	case v.All:
		v.Whose = say.HTML("office.tokens-all")
	case o.own:
		u, err := s.cfg.House.People.User(a, a.User)
		if err != nil {
			return view{}, err
		}
		people, v.Whose = []access.User{u}, say.HTML("office.tokens-own")
	default:
		v.Whose = say.HTML("office.tokens-closed")
	}
	for _, u := range people {
		tokens, err := s.cfg.House.People.Tokens(a, u.ID)
		if err != nil {
			return view{}, err
		}
		for _, t := range tokens {
			v.Rows = append(v.Rows, officeToken{s.tokenRow(say, t), voice(u.Name), t.Expires.Before(s.cfg.Now())})
		}
	}
	return view{"organisation", p, http.StatusOK}, nil
}

func (s *site) tokenRow(p *lang.Printer, t access.Token) tokenRow {
	date := func(at time.Time) string {
		if at.IsZero() {
			return p.T("word.never")
		}
		return p.Date(protocol.DateOf(at))
	}
	var scopes []template.HTML
	for _, x := range t.Scopes {
		scopes = append(scopes, p.HTML("scope."+string(x)))
	}
	return tokenRow{string(t.ID), t.Name, date(t.Expires), date(t.Used), listOf(p, scopes), t.Unconfirmed}
}
