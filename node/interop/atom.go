package interop

import (
	"cmp"
	"encoding/xml"
	"io"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// Feed is one page of what a search found.
type Feed struct {
	Title                 string           // of the search, in words
	Query                 string           // as in an address, in one form: it is the feed's id at this node
	Lang                  []protocol.Lang  // that the reader wants, best first
	Self, Alternate, Next string           // addresses of this page, of the search's page for people, of the next page; "": none
	Entries               []exchange.Entry // what was withdrawn is told as deleted (RFC 6721)
}

// RFC 4287 wants a language on every text, several categories and several links, which no library at hand writes: these
// few types do.
type (
	atomFeed struct {
		XMLName xml.Name    `xml:"feed"`
		Atom    string      `xml:"xmlns,attr"`
		Deleted string      `xml:"xmlns:at,attr"`
		Terms   string      `xml:"xmlns:dct,attr"`
		Lang    string      `xml:"xml:lang,attr"`
		ID      string      `xml:"id"`
		Title   atomText    `xml:"title"`
		Updated string      `xml:"updated"`
		Author  atomPerson  `xml:"author"`
		Links   []atomLink  `xml:"link"`
		Gone    []atomGone  `xml:"at:deleted-entry"`
		Entries []atomEntry `xml:"entry"`
	}
	atomEntry struct {
		ID         string         `xml:"id"`
		Title      atomText       `xml:"title"`
		Updated    string         `xml:"updated"`
		Published  string         `xml:"published,omitempty"`
		Valid      string         `xml:"dct:valid,omitempty"` // Atom has no word for the end
		Author     atomPerson     `xml:"author"`
		Links      []atomLink     `xml:"link"`
		Categories []atomCategory `xml:"category"`
		Rights     *atomText      `xml:"rights"`
		Summary    *atomText      `xml:"summary"`
		Content    *atomText      `xml:"content"`
	}
	atomText struct {
		Type string `xml:"type,attr"`
		Lang string `xml:"xml:lang,attr,omitempty"`
		Text string `xml:",chardata"`
	}
	atomPerson struct {
		Name string `xml:"name"`
		URI  string `xml:"uri,omitempty"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr,omitempty"`
		Href string `xml:"href,attr"`
	}
	atomCategory struct {
		Lang   string `xml:"xml:lang,attr"`
		Term   string `xml:"term,attr"`
		Scheme string `xml:"scheme,attr"`
		Label  string `xml:"label,attr"`
	}
	atomGone struct {
		Ref     string   `xml:"ref,attr"`
		When    string   `xml:"when,attr"`
		Comment atomText `xml:"at:comment"`
	}
)

// Atom writes the feed, the newest entry first. Texts are plain: whatever markup a listing carries is shown, not run.
func Atom(w io.Writer, s Site, f Feed) error {
	x := atomFeed{
		Atom: "http://www.w3.org/2005/Atom", Deleted: "http://purl.org/atompub/tombstones/1.0", Terms: "http://purl.org/dc/terms/",
		Lang: "en", ID: s.tag(string(s.Member) + "/search?" + encode(f.Query, "[]#")), Title: plain("", cmp.Or(f.Title, "Listings")),
		Author: atomPerson{s.MemberName, s.at("/")},
	}
	for _, l := range []atomLink{{"self", "application/atom+xml", f.Self}, {"alternate", "text/html", f.Alternate}, {"next", "application/atom+xml", f.Next}} {
		if l.Href = iri(l.Href); l.Href != "" {
			x.Links = append(x.Links, l)
		}
	}
	newest := slices.Clone(f.Entries)
	slices.SortStableFunc(newest, func(a, b exchange.Entry) int { return when(b).Compare(when(a)) })
	x.Updated = s.Now().UTC().Format(time.RFC3339)
	for i, e := range newest {
		if i == 0 {
			x.Updated = when(e).Format(time.RFC3339)
		}
		switch {
		case e.Listing != nil:
			x.Entries = append(x.Entries, atomOf(s, e, f.Lang))
		case e.Tombstone != nil:
			x.Gone = append(x.Gone, atomGone{s.tag(name(e.Ref)), when(e).Format(time.RFC3339), plain("", "withdrawn: "+e.Tombstone.Reason)})
		}
	}
	return document(w, x)
}

func when(e exchange.Entry) time.Time {
	switch {
	case e.Listing != nil:
		return modified(e.Listing)
	case e.Tombstone != nil:
		return e.Tombstone.At.Time()
	}
	return time.Unix(0, 0).UTC()
}

func atomOf(s Site, e exchange.Entry, wanted []protocol.Lang) atomEntry {
	l := e.Listing
	lang, t := l.Text(slices.Clone(wanted)...)
	x := atomEntry{
		ID: s.tag(name(e.Ref)), Title: plain(string(lang), t.Title), Updated: when(e).Format(time.RFC3339), Valid: l.ValidUntil.String(),
		Author: atomPerson{Name: publisher(l)},
		Links:  []atomLink{{"alternate", "text/html", Canonical(s, e.Ref)}},
	}
	if l.Published != 0 {
		x.Published = l.Published.Time().Format(time.RFC3339)
	}
	if at := iri(l.URL); at != "" {
		x.Links = append(x.Links, atomLink{Rel: "related", Href: at})
	}
	terms := append([]term{kindOf(l), {"country", string(l.Country), countryName(l.Country)}}, subjects(l)...)
	for _, c := range append(terms, maturity(l)...) {
		x.Categories = append(x.Categories, atomCategory{"en", c.code, scheme(c.list), c.label})
	}
	for _, k := range t.Keywords {
		x.Categories = append(x.Categories, atomCategory{string(lang), k, scheme("keyword"), k})
	}
	if l.Demonstration {
		note := plain("en", demonstration)
		x.Rights = &note
	}
	if t.Value != "" {
		summary := plain(string(lang), t.Value)
		x.Summary = &summary
	}
	if t.Abstract != "" {
		content := plain(string(lang), t.Abstract)
		x.Content = &content
	}
	return x
}

func plain(lang, s string) atomText { return atomText{"text", lang, s} }

// document writes v as a whole XML document.
func document(w io.Writer, v any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	b, err := element(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
