package ui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
)

// TestTokenFormOffersWhatRolesMay: a page offers nothing that would be refused.
func TestTokenFormOffersWhatRolesMay(t *testing.T) {
	x := newHome(t, nil)
	x.setUp()
	b := x.browser()
	page := b.look(x.invite("sok@agency.example.org", access.Editor), 200)
	if w := b.post(page, "/invitation", url.Values{"name": {"Sok"}, "password": {"four yellow cloth kites"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("the invitation: %d", w.Code)
	}
	var offered []string
	for _, n := range find(b.look("/account", 200), func(n *html.Node) bool { return attr(n, "name") == "scopes" }) {
		offered = append(offered, attr(n, "value"))
	}
	if got := strings.Join(offered, " "); got != "read write" {
		t.Errorf("an editor is offered %q", got)
	}
}
