package ui_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
)

// linkOf a page, by its text.
func linkOf(t *testing.T, root *html.Node, says string) url.Values {
	t.Helper()
	for _, a := range find(root, tag("a")) {
		if strings.TrimSpace(text(a)) == says {
			u, err := url.Parse(attr(a, "href"))
			if err != nil {
				t.Fatal(err)
			}
			return u.Query()
		}
	}
	t.Fatalf("no link says %q", says)
	return nil
}

// TestBrowsing: the catalogue without words has its number, what narrows it down, its orders, and pages both ways.
func TestBrowsing(t *testing.T) {
	h := pages(full())
	root := audit(t, "browse", get(h, "/?kind=TO&country=KH&sort=trl"))
	if got := text(root); !strings.Contains(got, "1,234 listings") || !strings.Contains(got, "1 to 4 of 1,234") || strings.Contains(got, "Best match") {
		t.Errorf("the page says %s", got)
	}
	for says, want := range map[string]string{
		"Newest": "country=KH&kind=TO", "Ending soon": "country=KH&kind=TO&sort=ending", "Technology request": "country=KH&kind=TR&sort=trl",
		"Lao People's Democratic Republic": "country=LA&kind=TO&sort=trl", "TRL 7": "country=KH&kind=TO&sort=trl&trl_max=7&trl_min=7",
	} {
		if got := linkOf(t, root, says).Encode(); got != want {
			t.Errorf("%s leads to %s, want %s", says, got, want)
		}
	}
	current := find(root, func(n *html.Node) bool {
		return attr(n, "aria-current") == "true" && strings.TrimSpace(text(n)) == "Readiness"
	})
	if len(current) != 1 {
		t.Error("the order is not marked")
	}
	if hidden := find(root, func(n *html.Node) bool { return n.Data == "input" && attr(n, "name") == "sort" }); len(hidden) > 0 {
		t.Error("an order chosen while browsing is taken along to the search")
	}

	d := full()
	d.next = match.Ref{Origin: "KH", ID: "X"}
	root = audit(t, "second page", get(pages(d), "/?kind=TO&after=here"))
	if next, prev := linkOf(t, root, "Next →"), linkOf(t, root, "← Previous"); next.Encode() != "after=on&kind=TO" || prev.Encode() != "after=back&kind=TO" {
		t.Errorf("next %v, previous %v", next, prev)
	}
	if d.query.After != "here" || !strings.Contains(text(root), "21 to 24 of 1,234") {
		t.Errorf("asked after %q: %s", d.query.After, text(root))
	}
}

// shortDesk answers a query of three pages.
type shortDesk struct{ *desk }

func (d shortDesk) Match(ctx context.Context, q match.Query) (exchange.MatchAnswer, error) {
	a, err := d.desk.Match(ctx, q)
	a.Listed, a.Total, a.Counts, a.Next = 24, 25, match.Counts{Folded: 1}, ""
	if q.Offset > 20 {
		a.Hits = nil
	}
	return a, err
}

// TestBeyondTheEnd: who asks for a page that is not there any more sees the last one, not that nothing was found.
func TestBeyondTheEnd(t *testing.T) {
	w := get(pagesOf(shortDesk{full()}), "/?q=fish&page=7")
	got := text(audit(t, "beyond", w))
	if w.Code != http.StatusOK || !strings.Contains(got, "25 listings found") || !strings.Contains(got, "21 to 24 of 24") || !strings.Contains(got, "1 is listed together with another") {
		t.Errorf("%d: %s", w.Code, got)
	}
}
