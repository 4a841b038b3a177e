package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/ui/lang"
)

// What pages say to programs: where the one true page of a listing is, the same in other forms, and what search engines may keep.

// relation is a link of the document as a whole.
type relation struct {
	Rel, Type, Title, Href string
}

// hidden is for pages that search engines leave out: all but the few that are about the node, and of those of an invented
// federation every one.
func (s *site) hidden(section string) bool {
	return s.cfg.Demonstration || !slices.Contains([]string{"federation", "figures", "developers"}, section)
}

// discover says of a listing's page what it is a page of. Its origin's page is the one to be found by; where that has no known
// address, and where there is nothing to be found (invented, expired, on a demonstration), no search engine shall keep it.
func (s *site) discover(r *http.Request, e exchange.Entry, f *frame) {
	if s.cfg.Site == nil || e.Listing == nil {
		return
	}
	here, p := s.cfg.Site(r), printer(r)
	canonical := interop.Canonical(here, e.Ref)
	api := "/api/v1" + href(e.Ref)
	f.Links = append(
		f.Links, relation{Rel: "canonical", Href: canonical},
		relation{Rel: "alternate", Type: "application/json", Title: p.T("sheet.api"), Href: api},
		relation{Rel: "alternate", Type: "application/ld+json", Title: p.T("sheet.schema"), Href: api + "/schema.jsonld"},
	)
	elsewhere := e.Origin != here.Member
	known := !elsewhere || canonical != interop.Canonical(interop.Site{Member: e.Origin, PublicURL: here.PublicURL}, e.Ref)
	f.Hidden = s.cfg.Demonstration || e.Listing.Demonstration || !known || e.State != exchange.Current || e.Listing.Expired(s.today())
	if data, err := interop.SchemaOrg(here, e); err != nil {
		s.cfg.Log.Warn("a listing has no description for search engines", "listing", e.Ref, "error", err)
	} else {
		f.Data = template.JS(data) //nolint:gosec // JSON without <, > and &, as SchemaOrg promises
	}
}

// feedOf a search: what matches it, the newest first.
func feedOf(p *lang.Printer, in asked) relation {
	q := url.Values{"q": {in.q}}
	for _, name := range filters() {
		if v := in.values.Get(name); v != "" {
			q.Set(name, v)
		}
	}
	if in.lang != "" {
		q.Set("lang", string(in.lang))
	}
	return relation{Rel: "alternate", Type: "application/atom+xml", Title: p.T("find.feed"), Href: "/api/v1/match.atom?" + q.Encode()}
}
