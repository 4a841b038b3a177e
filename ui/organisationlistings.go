package ui

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// The listings of an organisation, and what the federation has for each of them.

type officeListings struct {
	Query         string
	States, Kinds []option
	Filtered      bool
	Clear         string
	Rows          []officeListing
	Part          bool   // others were not looked at
	Asked         bool   // this is a later page
	Prev, Next    string // as the pages part has them
}

type officeListing struct {
	Href, Edit, Matches string
	Title, Kind, Ends   template.HTML
	Reference           string
	Tags                []stateTag
}

const (
	listingsPage  = 20
	listingsLooks = 50 // pages that are looked at for one, where few fit
	listingsThin  = 3  // of them such that had to look far themselves
)

func (s *site) officeListings(_ http.ResponseWriter, r *http.Request, a access.Actor, o office) (view, error) {
	say, q := printer(r), r.URL.Query()
	p := s.officePage(r, a, o, "nav.listings", "listings")
	l := &officeListings{Query: shortened(q.Get("q"), 200), Clear: o.path + "/listings", Asked: q.Get("after") != ""}
	p.Listings = l
	f := posting.Filter{Organisation: o.ID}
	kept := url.Values{}
	for _, x := range posting.States() {
		chosen := q.Get("state") == string(x)
		l.States = append(l.States, option{Value: string(x), Label: say.T("state." + string(x)), Selected: chosen})
		if chosen {
			f.State = x
			kept.Set("state", string(x))
		}
	}
	kind := protocol.Kind("")
	for _, x := range codes.Kind().All() {
		chosen := q.Get("kind") == x.Code
		l.Kinds = append(l.Kinds, option{Value: x.Code, Label: say.Label("kind", x.Code).Text, Selected: chosen})
		if chosen {
			kind = protocol.Kind(x.Code)
			kept.Set("kind", x.Code)
		}
	}
	if l.Query != "" {
		kept.Set("q", l.Query)
	}
	l.Filtered = len(kept) > 0
	after := q.Get("after")
	for looks, thin := 0, 0; looks < listingsLooks && thin < listingsThin; looks++ {
		page, err := s.cfg.House.Postings.List(a, f, after, listingsPage)
		if err != nil {
			return view{}, err
		}
		for _, h := range page.Postings {
			if (kind == "" || h.Kind == kind) && says(h, l.Query) {
				l.Rows = append(l.Rows, s.officeListing(say, a, h))
			}
		}
		if after = page.Next; after == "" || len(l.Rows) >= listingsPage {
			break
		}
		if len(page.Postings) < listingsPage {
			thin++
		}
	}
	l.Part = after != "" && len(l.Rows) < listingsPage
	address := func(after string) string {
		to := url.Values{}
		for k, v := range kept {
			to[k] = v
		}
		if after != "" {
			to.Set("after", after)
		}
		if len(to) == 0 {
			return o.path + "/listings"
		}
		return o.path + "/listings?" + to.Encode()
	}
	if after != "" {
		l.Next = address(after)
	}
	if l.Asked {
		l.Prev, l.Asked = address(""), false // only the beginning can be gone back to
	}
	return view{"organisation", p, http.StatusOK}, nil
}

// says reports whether a posting's title, reference or id at its source holds what is looked for.
func says(h *posting.Posting, query string) bool {
	query = strings.ToLower(query)
	return query == "" || slices.ContainsFunc([]string{h.Title, h.Reference, h.SourceID}, func(s string) bool { return strings.Contains(strings.ToLower(s), query) })
}

func (s *site) officeListing(p *lang.Printer, a access.Actor, h *posting.Posting) officeListing {
	row := officeListing{
		Href: postingPath(h.ID), Title: titleOf(p, h), Kind: named(p, "kind", string(h.Kind)), Reference: h.Reference, Tags: s.tags(p, h),
		Ends: voice(p.Date(h.ValidUntil)),
	}
	if slices.Contains(s.cfg.House.Postings.Allowed(a, h), posting.Edit) {
		row.Edit = row.Href + "/edit"
	}
	if h.Live == posting.Published && h.Level != protocol.LevelInvited {
		row.Matches = href(s.refOf(h)) + "#fits"
	}
	return row
}

// refOf a posting of this node in the catalogue.
func (s *site) refOf(h *posting.Posting) match.Ref {
	return match.Ref{Origin: s.cfg.Door.Member, ID: h.ID}
}

type officeMatches struct {
	Listings   []matchedListing
	Asked      bool
	Prev, Next string
	Notes      []template.HTML
}

// matchedListing is a listing with its best counterparts.
type matchedListing struct {
	Href, All, ID string
	Title         template.HTML
	Fits          []counterpart
	None          template.HTML // why there are none
}

type counterpart struct {
	Href, Title string
	Lang        protocol.Lang
	By          []template.HTML
	Verdict     match.Verdict
	Why         template.HTML
	Fresh       freshness
}

const (
	matchesPage = 10
	matchesEach = 3
	matchesTime = 4 * time.Second // for all of a page
)

func (s *site) officeMatches(_ http.ResponseWriter, r *http.Request, a access.Actor, o office) (view, error) {
	say, after := printer(r), r.URL.Query().Get("after")
	p := s.officePage(r, a, o, "nav.matches", "matches")
	m := &officeMatches{}
	p.Matches = m
	page, err := s.cfg.House.Postings.List(a, posting.Filter{Organisation: o.ID, State: posting.Published}, after, matchesPage)
	if err != nil {
		return view{}, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), matchesTime)
	defer cancel()
	for _, h := range page.Postings {
		one := matchedListing{Href: postingPath(h.ID), ID: "fits-" + string(h.ID), Title: titleOf(say, h)}
		if h.Level == protocol.LevelInvited {
			one.None = say.HTML("office.match-invited")
			m.Listings = append(m.Listings, one)
			continue
		}
		one.All = href(s.refOf(h)) + "#fits"
		var answer exchange.MatchAnswer
		err := s.besides(ctx, func() (err error) {
			answer, err = s.cfg.Desk.Counterparts(ctx, s.refOf(h), match.Filter{Today: s.today()}, matchesEach, 0)
			return err
		})
		if err != nil {
			s.cfg.Log.Info("counterparts failed", "listing", h.ID, "error", err)
			one.None = say.HTML("office.match-failed")
		}
		if m.Notes == nil {
			m.Notes = notes(say, answer, s.cfg.Now())
		}
		for _, hit := range answer.Hits[:min(matchesEach, len(answer.Hits))] {
			one.Fits = append(one.Fits, s.counterpart(r, hit))
		}
		if len(one.Fits) == 0 && one.None == "" {
			one.None = say.HTML("sheet.fits-none")
		}
		m.Listings = append(m.Listings, one)
	}
	if page.Next != "" {
		m.Next = o.path + "/matches?after=" + url.QueryEscape(page.Next)
	}
	if after != "" {
		m.Prev = o.path + "/matches"
	}
	return view{"organisation", p, http.StatusOK}, nil
}

func (s *site) counterpart(r *http.Request, h exchange.Hit) counterpart {
	p := printer(r)
	c := s.card(p, h.Entry, contentLanguages(r))
	out := counterpart{
		Href: c.Href, Title: c.Title, Lang: c.Lang, Fresh: c.Fresh, Why: inOneLine(p, h.Explanation.Parts),
		By: slices.DeleteFunc([]template.HTML{c.Organisation, c.Country}, func(x template.HTML) bool { return x == "" }),
	}
	if slices.Contains([]match.Verdict{match.Strong, match.Fair, match.Weak}, h.Verdict) {
		out.Verdict = h.Verdict
	}
	return out
}

// inOneLine says why two listings fit: the words that they share, else the first of what else speaks for it.
func inOneLine(p *lang.Printer, parts []match.Part) template.HTML {
	pairs, sentences := inShort(p, parts)
	var words []template.HTML
	for _, x := range pairs[:min(3, len(pairs))] {
		word := x.Found
		if word == "" {
			if word = x.Asked; x.Means != "" {
				word = p.HTML("find.code", "Name", word, "Code", x.Means)
			}
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	if len(words) > 0 {
		return p.HTML("office.match-words", "Words", listOf(p, words))
	}
	if len(sentences) > 1 { // the first says that no word is shared
		return sentences[1]
	}
	return p.HTML("why.topic")
}
