package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// The node for programs that know no TMH: feed readers, catalogues of data, search engines. Package interop has the forms.

const (
	atomPath    = base + "/match.atom"
	dcatPath    = base + "/catalogue.jsonld"
	robotsPath  = "/robots.txt"
	atomEntries = 50
	dcatEntries = 100

	atomType   = "application/atom+xml"
	jsonldType = "application/ld+json"
	xmlType    = "application/xml"
)

// RootPaths are the addresses of the API outside of /api/: Public handles them, too.
func RootPaths() []string {
	return []string{
		problemsPath, problemsPath + "/", "/.well-known/tmh/", interop.SitemapPath, interop.SitemapPagePath, interop.SchemaPath, robotsPath,
	}
}

type atomInput struct {
	Known
	FilterParams
	Q     string `query:"q" required:"true" maxLength:"2000" doc:"words in any language"`
	Lang  string `query:"lang" pattern:"^[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,2}$" doc:"language that the words are said to be in; recognised where it is left out"`
	After string `query:"after" maxLength:"400" doc:"opaque: follow the feed's next link"`
}

type dcatInput struct {
	Known
	Cursor string `query:"cursor" maxLength:"300" doc:"opaque: follow the Link header's next"`
}

type schemaInput struct {
	Known
	RefInput
}

type sitemapInput struct {
	Known
	After string `query:"after" maxLength:"100" doc:"as the sitemap's index names it"`
}

func (a *API) formRoutes(h huma.API, d *downloads) {
	answers(h, huma.Operation{
		OperationID: "search-feed", Path: atomPath, Summary: "What matches words at least fairly, the newest first, as an Atom feed",
	}, atomType, a.atom)
	answers(h, huma.Operation{
		OperationID: "catalogue-dcat", Path: dcatPath, Summary: "The catalogue after DCAT-AP 3, in pages of 100 listings; the Link header leads to the next",
	}, jsonldType, a.dcat)
	answers(h, huma.Operation{
		OperationID: "listing-schema-org", Path: base + "/listings/{origin}/{id}/schema.jsonld", Summary: "One listing for search engines, as its page carries it: schema.org in JSON-LD",
	}, jsonldType, a.schemaOrg)
	xml := func(header http.Header) {
		header.Set("Content-Type", xmlType)
		header.Set("Cache-Control", "public, max-age=3600")
	}
	answers(h, huma.Operation{
		OperationID: "sitemap", Path: interop.SitemapPath, Summary: "Index of the sitemaps of this node's own listings",
	}, xmlType, func(context.Context, *plainInput) (*huma.StreamResponse, error) {
		return a.streamed(d, func(t *turn, w io.Writer, r *http.Request) error {
			return a.sitemap(t, w, r, "", interop.SitemapIndex)
		}, xml), nil
	})
	answers(h, huma.Operation{
		OperationID: "sitemap-listings", Path: interop.SitemapPagePath, Summary: "Addresses of this node's own current listings, from a place on",
	}, xmlType, func(_ context.Context, in *sitemapInput) (*huma.StreamResponse, error) {
		after := protocol.ListingID(in.After)
		if _, err := protocol.ParseListingID(in.After); in.After != "" && err != nil {
			return nil, a.problem(protocol.Errorf(protocol.CodeValue, "after", "is no id of a listing: follow the addresses of %s", interop.SitemapPath))
		}
		return a.streamed(d, func(t *turn, w io.Writer, r *http.Request) error {
			return a.sitemap(t, w, r, after, interop.Sitemap)
		}, xml), nil
	})
	answers(h, huma.Operation{
		OperationID: "robots", Path: robotsPath, Summary: "What search engines may look at",
	}, "text/plain", func(context.Context, *plainInput) (*huma.StreamResponse, error) {
		return a.made("text/plain; charset=utf-8", func(site interop.Site) ([]byte, error) { return interop.Robots(site), nil }), nil
	})
	answers(h, huma.Operation{
		OperationID: "listing-xml-schema", Path: interop.SchemaPath, Summary: "XML Schema of TMH's own form of a listing, which OAI-PMH gives",
	}, xmlType, func(context.Context, *plainInput) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			r, w := humachi.Unwrap(hc)
			w.Header().Set("Cache-Control", "public, max-age=86400")
			send(w, r, xmlType, interop.Schema())
		}}, nil
	})
}

// made sends a document that is made at once and needs absolute addresses.
func (a *API) made(kind string, build func(interop.Site) ([]byte, error)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humachi.Unwrap(hc)
		site, err := a.absolute(r)
		var b []byte
		if err == nil {
			b, err = build(site)
		}
		if err != nil {
			a.fail(w, err)
			return
		}
		send(w, r, kind, b)
	}}
}

// send answers 304 to who has it already.
func send(w http.ResponseWriter, r *http.Request, kind string, b []byte) {
	sum := sha256.Sum256(b)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
}

func (a *API) atom(ctx context.Context, in *atomInput) (*huma.StreamResponse, error) {
	var faults protocol.Errors
	if strings.TrimSpace(in.Q) == "" {
		faults = append(faults, protocol.Errorf(protocol.CodeRequired, "q", "say what to look for"))
	}
	q := match.Query{Text: in.Q, Lang: protocol.Lang(in.Lang), Filter: in.filter(a.today()), Sort: match.ByNewest, Limit: atomEntries, After: in.After}
	if faults = append(faults, a.paging(&q)...); len(faults) > 0 {
		return nil, a.problem(faults)
	}
	found, err := a.cfg.Desk.Match(ctx, q)
	if err != nil {
		return nil, a.problem(err)
	}
	return a.made(atomType, func(site interop.Site) ([]byte, error) {
		f := interop.Feed{Title: strings.TrimSpace(in.Q) + " – " + site.MemberName, Query: in.query("").Encode(), Self: site.PublicURL + atomPath + "?" + in.query(in.After).Encode()}
		for _, l := range append([]string{in.Lang}, found.Languages...) {
			if l != "" {
				f.Lang = append(f.Lang, protocol.Lang(l))
			}
		}
		if page := in.page(); page != nil {
			f.Alternate = site.PublicURL + "/?" + page.Encode()
		}
		if found.Next != "" && len(found.Hits) > 0 {
			f.Next = site.PublicURL + atomPath + "?" + in.query(a.seal(matchList, found.Next)).Encode()
		}
		for _, hit := range found.Hits {
			f.Entries = append(f.Entries, hit.Entry)
		}
		var b bytes.Buffer
		err := interop.Atom(&b, site, f)
		return b.Bytes(), err
	}), nil
}

// query is the same search in one form, however it was asked.
func (in *atomInput) query(after string) url.Values {
	q := url.Values{"q": {strings.TrimSpace(in.Q)}}
	in.set(q)
	for name, v := range map[string]string{"lang": in.Lang, "after": after} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return q
}

// page for people of the same search: nil where none shows it. The form there has one value of each filter, and codes of the lists.
func (in *atomInput) page() url.Values {
	q := in.query("")
	q.Set("sort", string(match.ByNewest))
	lists := map[string]codes.List{"country": codes.Country(), "ford": codes.FORD(), "language": codes.Language(), "lang": codes.Language()}
	for name := range q {
		list, known := lists[name]
		switch {
		case known && !list.Has(q.Get(name)), strings.Contains(q.Get(name), ",") && name != "q":
			return nil
		case !slices.Contains([]string{"q", "kind", "country", "ford", "trl_min", "trl_max", "language", "lang", "origin", "sort"}, name):
			return nil
		}
	}
	return q
}

// dcatList is the cursors' list.
const dcatList = "dcat"

func (a *API) dcat(_ context.Context, in *dcatInput) (*huma.StreamResponse, error) {
	place, err := a.unseal(dcatList, "cursor", in.Cursor)
	var after match.Ref
	if err == nil && place != "" {
		origin, id, _ := strings.Cut(place, "/")
		after, err = match.ParseRef(origin, id)
	}
	var page exchange.Page
	if err == nil {
		page, err = a.cfg.Desk.Entries(match.Filter{Today: a.today()}, after, dcatEntries)
	}
	if err != nil {
		return nil, a.problem(err)
	}
	answer := a.made(jsonldType, func(site interop.Site) ([]byte, error) {
		return interop.DCAT(site, interop.Catalogue{Entries: page.Entries, Access: ways(site.PublicURL)})
	})
	body := answer.Body
	answer.Body = func(hc huma.Context) {
		if page.Next != (match.Ref{}) {
			next := url.Values{"cursor": {a.seal(dcatList, string(page.Next.Origin)+"/"+string(page.Next.ID))}}
			hc.SetHeader("Link", "<"+dcatPath+"?"+next.Encode()+`>; rel="next"`)
		}
		body(hc)
	}
	return answer, nil
}

// ways to draw the whole catalogue from this node.
func ways(at string) []interop.Access {
	return []interop.Access{
		{Title: "All listings as CSV", URL: at + base + "/listings.csv", MediaType: "text/csv", FileType: "CSV"},
		{Title: "All listings as a workbook", URL: at + base + "/listings.xlsx", MediaType: workbookType, FileType: "XLSX"},
		{Title: "All listings as JSON Lines", URL: at + base + "/listings.jsonl"}, // IANA has no media type for it
		{Title: "All listings by OAI-PMH 2.0", URL: at + "/oai", MediaType: "text/xml", FileType: "XML", Service: true},
		{Title: "All listings by the REST API", URL: at + base + "/listings", MediaType: "application/json", FileType: "JSON", Service: true},
	}
}

func (a *API) schemaOrg(ctx context.Context, in *schemaInput) (*huma.StreamResponse, error) {
	e, err := a.entry(ctx, &entryInput{RefInput: in.RefInput})
	if err != nil {
		return nil, err
	}
	if e.Body.Listing == nil {
		return nil, a.problem(protocol.Errorf(protocol.CodeNotFound, "", "what its origin signed is no valid listing, so there is nothing to describe"))
	}
	return a.made(jsonldType, func(site interop.Site) ([]byte, error) { return interop.SchemaOrg(site, *e.Body) }), nil
}

// sitemap writes one of this node's own listings, after an id.
func (a *API) sitemap(t *turn, w io.Writer, r *http.Request, after protocol.ListingID,
	write func(io.Writer, interop.Site, iter.Seq2[exchange.Entry, error]) error,
) error {
	site, err := a.absolute(r)
	if err != nil {
		return err
	}
	own := match.Filter{Origins: []protocol.MemberID{site.Member}, Today: a.today()}
	return write(w, site, t.entries(a.cfg.Desk, own, match.Ref{Origin: site.Member, ID: after}))
}

// SiteOf the request: the node as links name it. Where it has no public address, it is where the visitor found it; PublicURL is ""
// where that is no address either.
func (a *API) SiteOf(r *http.Request) interop.Site {
	s := a.cfg.Site()
	s.PublicURL = strings.TrimSuffix(s.PublicURL, "/")
	if !reachable(s.PublicURL) {
		if s.PublicURL = ""; plausible(r.Host) {
			s.PublicURL = "http://" + r.Host
			if r.TLS != nil {
				s.PublicURL = "https://" + r.Host
			}
		}
	}
	return s
}

// absolute is SiteOf for forms that know no relative addresses.
func (a *API) absolute(r *http.Request) (interop.Site, error) {
	s := a.SiteOf(r)
	if s.PublicURL == "" {
		return s, protocol.Errorf(protocol.CodeValue, "Host", "is no address of this node: links in the answer would lead nowhere. Ask it by its name or address")
	}
	return s, nil
}

// reachable reports whether others than the node itself could follow the address: 0.0.0.0 is where it listens only.
func reachable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err != nil || !ip.IsUnspecified()
}

// plausible reports whether a Host header is a name or address with or without a port, and nothing that a link could be bent by.
func plausible(host string) bool {
	name := host
	if _, port, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
		name = strings.TrimSuffix(host, ":"+port)
	}
	if bare, ok := strings.CutPrefix(name, "["); ok {
		bare, ok = strings.CutSuffix(bare, "]")
		ip, err := netip.ParseAddr(bare)
		return ok && err == nil && ip.Is6() && ip.Zone() == "" && !ip.IsUnspecified()
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.Is4() && !ip.IsUnspecified()
	}
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	return len(name) <= 253 && !slices.ContainsFunc(strings.Split(name, "."), func(label string) bool {
		return label == "" || len(label) > 63 || label[0] == '-' || strings.Trim(strings.ToLower(label), letters) != ""
	})
}
