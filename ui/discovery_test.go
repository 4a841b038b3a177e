package ui_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui"
)

// found are the pages of a node that is no demonstration, with what they say to search engines.
func found(d *desk, demonstration bool) http.Handler {
	return ui.New(ui.Config{
		Desk: d, Name: "Cambodia", Demonstration: demonstration, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Site: func(*http.Request) interop.Site {
			return interop.Site{
				Member: "KH", MemberName: "Cambodia", PublicURL: "https://kh.example.org", Now: func() time.Time { return now },
				URL: func(m protocol.MemberID) string {
					return map[protocol.MemberID]string{"TH": "https://th.example.org/"}[m]
				},
			}
		},
	})
}

func headOf(root *html.Node) (links map[string]string, data string, hidden bool) {
	links = map[string]string{}
	for _, l := range find(root, tag("link")) {
		links[attr(l, "rel")+" "+attr(l, "type")] = attr(l, "href")
	}
	for _, s := range find(root, func(n *html.Node) bool { return n.Data == "script" && attr(n, "type") == "application/ld+json" }) {
		data += text(s)
	}
	hidden = len(find(root, func(n *html.Node) bool { return attr(n, "name") == "robots" && attr(n, "content") == "noindex" })) > 0
	return links, data, hidden
}

func TestWhatSearchEnginesAreTold(t *testing.T) {
	real := full()
	for i := range real.entries {
		real.entries[i].Listing = copied(real.entries[i].Listing, false)
	}
	for _, c := range []struct {
		name, target, canonical, feed string
		d                             *desk
		demonstration, hidden, data   bool
	}{
		{name: "own", d: real, target: "/listings/KH/TO-KH-20260114-001", canonical: "https://kh.example.org/listings/KH/TO-KH-20260114-001", data: true},
		{name: "another's", d: real, target: "/listings/TH/TR-TH-7", canonical: "https://th.example.org/listings/TH/TR-TH-7", data: true},
		{name: "another's, of no address", d: real, target: "/listings/LA/EX-LA-1", canonical: "https://kh.example.org/listings/LA/EX-LA-1", hidden: true, data: true},
		{name: "of a demonstration", d: real, demonstration: true, target: "/listings/KH/TO-KH-20260114-001", canonical: "https://kh.example.org/listings/KH/TO-KH-20260114-001", hidden: true, data: true},
		{name: "unusable", d: real, target: "/listings/VN/TO-VN-9", hidden: true},
		{name: "withdrawn", d: real, target: "/listings/VN/TO-VN-8", hidden: true},
		{name: "start", d: real, target: "/"},
		{name: "start of a demonstration", d: real, demonstration: true, target: "/", hidden: true},
		{name: "search", d: real, target: "/?q=a%22b&kind=TO&sort=ending&page=2", hidden: true, feed: "/api/v1/match.atom?kind=TO&q=a%22b"},
		{name: "browsing", d: real, target: "/?kind=TO", hidden: true},
		{name: "figures", d: real, target: "/figures"},
		{name: "federation", d: real, target: "/federation"},
		{name: "full record", d: real, target: "/listings/KH/TO-KH-20260114-001/full", hidden: true},
	} {
		root := audit(t, c.name, get(found(c.d, c.demonstration), c.target))
		links, data, hidden := headOf(root)
		if links["canonical "] != c.canonical || hidden != c.hidden || links["alternate application/atom+xml"] != c.feed || (data != "") != c.data {
			t.Errorf("%s: canonical %q, feed %q, hidden %v, data %q", c.name, links["canonical "], links["alternate application/atom+xml"], hidden, data)
		}
		if !c.data {
			continue
		}
		if !strings.HasPrefix(links["alternate application/ld+json"], "/api/v1/listings/") || !strings.Contains(data, `"`+c.canonical+`"`) || !json.Valid([]byte(data)) {
			t.Errorf("%s: %v\n%s", c.name, links, data)
		}
	}
}

func TestInventedListingsAreHidden(t *testing.T) {
	d := full()
	for i, e := range d.entries {
		d.entries[i].Listing = copied(e.Listing, true)
	}
	if _, _, hidden := headOf(audit(t, "invented", get(found(d, false), "/listings/KH/TO-KH-20260114-001"))); !hidden {
		t.Error("search engines would keep an invented listing")
	}
	for i := range d.entries {
		d.entries[i].Listing, d.entries[i].State = copied(d.entries[i].Listing, false), exchange.Expired
	}
	if _, _, hidden := headOf(audit(t, "expired", get(found(d, false), "/listings/KH/TO-KH-20260114-001"))); !hidden {
		t.Error("search engines would keep an expired listing")
	}
}

// TestHostileTextStaysData: no text of a listing ends the element that it stands in.
func TestHostileTextStaysData(t *testing.T) {
	d := full()
	const bad = "</script><script>alert(1)</script><!-- \u2028"
	l := copied(d.entries[0].Listing, false)
	l.Texts = map[protocol.Lang]protocol.Text{"en": {Title: bad, Abstract: bad, Keywords: []string{bad}}}
	d.entries[0].Listing = l
	body := get(found(d, false), "/listings/KH/TO-KH-20260114-001").Body.String()
	root := audit(t, "hostile", get(found(d, false), "/listings/KH/TO-KH-20260114-001"))
	_, data, _ := headOf(root)
	var doc struct {
		Graph []map[string]any `json:"@graph"`
	}
	if err := json.Unmarshal([]byte(data), &doc); err != nil || strings.Contains(body, "<script>") || len(doc.Graph) != 3 {
		t.Errorf("%v\n%s", err, data)
	}
}

func copied(l *protocol.Listing, demonstration bool) *protocol.Listing {
	if l == nil {
		return nil
	}
	other := *l
	other.Demonstration = demonstration
	return &other
}
