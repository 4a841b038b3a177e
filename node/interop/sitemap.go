package interop

import (
	"bytes"
	"encoding/xml"
	"io"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// Bounds of one sitemap, after sitemaps.org.
const (
	sitemapURLs  = 50_000
	sitemapBytes = 50 << 20
)

// Where a node serves its sitemaps: the index, and the pages that it names, each by the id that it comes after.
const (
	SitemapPath     = "/sitemap.xml"
	SitemapPagePath = "/sitemap-listings.xml"
)

const (
	sitemapSpace = "http://www.sitemaps.org/schemas/sitemap/0.9"
	urlsetOpen   = xml.Header + `<urlset xmlns="` + sitemapSpace + `">` + "\n"
	urlsetClose  = "</urlset>\n"
	indexOpen    = xml.Header + `<sitemapindex xmlns="` + sitemapSpace + `">` + "\n"
	indexClose   = "</sitemapindex>\n"
)

// pager fills pages. Index and pages use the same one, so they agree where a page ends.
type pager struct {
	urls, bytes       int
	maxURLs, maxBytes int
}

// takes reports whether the page has room for n bytes more.
func (p *pager) takes(n int) bool {
	if p.urls == p.maxURLs || len(urlsetOpen)+len(urlsetClose)+p.bytes+n > p.maxBytes {
		return false
	}
	p.urls, p.bytes = p.urls+1, p.bytes+n
	return true
}

func newPager() *pager { return &pager{maxURLs: sitemapURLs, maxBytes: sitemapBytes} }

// listed reports whether search engines are told of the entry here: others' pages are their origins' to tell of.
func listed(s Site, e exchange.Entry) bool {
	return e.Origin == s.Member && e.Listing != nil && e.State == exchange.Current && !e.Listing.Expired(protocol.DateOf(s.Now()))
}

func location(tag, at string, updated protocol.Instant) []byte {
	var b bytes.Buffer
	b.WriteString("<" + tag + "><loc>")
	_ = xml.EscapeText(&b, []byte(at)) // a buffer takes everything
	b.WriteString("</loc>")
	if updated != 0 {
		b.WriteString("<lastmod>" + updated.Time().Format(time.RFC3339) + "</lastmod>")
	}
	b.WriteString("</" + tag + ">\n")
	return b.Bytes()
}

// Sitemap writes one page: this node's own current listings among the entries, which are in the order of ids and begin
// where the page does. It stops by itself when the page is full.
func Sitemap(w io.Writer, s Site, entries iter.Seq2[exchange.Entry, error]) error {
	return sitemap(w, s, entries, newPager())
}

func sitemap(w io.Writer, s Site, entries iter.Seq2[exchange.Entry, error], page *pager) error {
	if _, err := io.WriteString(w, urlsetOpen); err != nil {
		return err
	}
	for e, err := range entries {
		if err != nil {
			return err
		}
		if !listed(s, e) {
			continue
		}
		line := location("url", Canonical(s, e.Ref), e.Listing.Updated)
		if !page.takes(len(line)) {
			break
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, urlsetClose)
	return err
}

// SitemapIndex writes the index of all pages: SitemapPagePath, with "after" the id that a page comes after. The entries
// are all of this node, in the order of ids.
func SitemapIndex(w io.Writer, s Site, entries iter.Seq2[exchange.Entry, error]) error {
	return sitemapIndex(w, s, entries, newPager())
}

func sitemapIndex(w io.Writer, s Site, entries iter.Seq2[exchange.Entry, error], bounds *pager) error {
	if _, err := io.WriteString(w, indexOpen); err != nil {
		return err
	}
	page := *bounds
	var after, last protocol.ListingID
	var newest protocol.Instant
	write := func() error {
		at := s.at(SitemapPagePath)
		if after != "" {
			at += "?after=" + url.QueryEscape(string(after))
		}
		_, err := w.Write(location("sitemap", at, newest))
		return err
	}
	for e, err := range entries {
		if err != nil {
			return err
		}
		if !listed(s, e) {
			continue
		}
		line := location("url", Canonical(s, e.Ref), e.Listing.Updated)
		if !page.takes(len(line)) {
			if err := write(); err != nil {
				return err
			}
			after, newest, page = last, 0, *bounds
			page.takes(len(line))
		}
		last, newest = e.ID, max(newest, e.Listing.Updated)
	}
	if err := write(); err != nil { // also where there is nothing: an index names one at least
		return err
	}
	_, err := io.WriteString(w, indexClose)
	return err
}

// Robots is the node's robots.txt: listings and figures are open to all; searches, forms and the API are for people and
// programs that know what they want.
func Robots(s Site) []byte {
	closed := []string{"/?", "/api/", "/account", "/invitation", "/postings", "/reset", "/setup", "/sign", "/verify"}
	return []byte("User-agent: *\nDisallow: " + strings.Join(closed, "\nDisallow: ") + "\n\nSitemap: " + s.at(SitemapPath) + "\n")
}
