package ui_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui"
	"github.com/asean-tmh/tmh/ui/lang"
)

// officePages are the pages of an organisation and of the desk, with everything that they can show, by who looks at them.
func officePages(t *testing.T) map[*browser][]string {
	t.Helper()
	o := newOfficeWith(t, func(c *house.Config) {
		c.Similar = func(context.Context, *protocol.Listing, []string) ([]posting.Suspect, error) {
			return []posting.Suspect{{Origin: "TH", ID: "TO-TH-1", Title: khmerDrying, Why: []string{"has the same title"}}}, nil
		}
	})
	scout := o.person("scout@institute.example.org", o.actor(o.editor).Organisation, access.Scout)
	admin := o.person("admin@agency.example.org", o.agency(), access.Admin)
	colleague := o.person("both@institute.example.org", o.actor(o.editor).Organisation, access.Editor, access.Reviewer)
	a := o.actor(o.editor)
	_, c, err := o.house.Postings.Content(a, o.id)
	if err != nil {
		t.Fatal(err)
	}
	more := func() *posting.Posting {
		h, err := o.house.Postings.Create(a, a.Organisation, "", *c)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	judge := o.actor(o.reviewer)
	submit := func(h *posting.Posting, taken bool) *posting.Posting {
		h, _, err := o.house.Postings.Submit(t.Context(), a, h.ID, h.Version)
		if err == nil && taken {
			h, err = o.house.Postings.Take(t.Context(), judge, h.ID, h.Version)
		}
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	review := func(scores posting.Scores) *posting.Posting {
		h := submit(more(), true)
		h, err := o.house.Postings.Judge(t.Context(), judge, h.ID, h.Version, scores, "Mend "+khmerDrying)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	review(posting.Scores{})
	review(posting.Scores{Advantages: 3, Clarity: 3})
	waits, taken := submit(more(), false), submit(more(), true)
	passed := review(posting.Scores{Advantages: 3, Clarity: 4, Cooperation: 3, Guidelines: 3})
	next := *c
	next.Record = *rich()
	next.Record.Documents = nil
	edited, err := o.house.Postings.Edit(t.Context(), a, passed.ID, passed.Version, next)
	if err != nil {
		t.Fatal(err)
	}
	submit(edited, false)
	for _, who := range []*browser{o.editor, admin} {
		if _, _, err := o.house.People.CreateToken(o.actor(who), o.actor(who).User, "Program", []access.Scope{access.ScopeRead}, 24*3600e9); err != nil {
			t.Fatal(err)
		}
	}
	at, college := o.institute(), "/organisations/"+string(o.actor(o.other).Organisation)
	under := func(path string) (list []string) {
		for _, sub := range []string{"", "/listings", "/matches", "/reviews", "/people", "/tokens"} {
			list = append(list, path+sub)
		}
		return list
	}
	hands := "/desk/" + string(taken.ID) + "/hand"
	cases := []string{"/desk", "/desk/" + string(waits.ID), "/desk/" + string(taken.ID), "/desk/" + string(passed.ID)}
	return map[*browser][]string{
		o.editor:   append(under(at), at+"/listings?state=published", at+"/listings?kind=FN", college, "/desk"),
		o.other:    under(college),
		scout:      under(at),
		admin:      append(append(under(at), cases...), hands),
		colleague:  cases,
		o.reviewer: append(append(under(at), cases...), "/desk/"+string(taken.ID)+"?advantages=1&clarity=1&cooperation=1&guidelines=1", "/desk/"+string(passed.ID)+"/revoke", hands, "/desk/"+string(waits.ID)+"/hand", "/desk/"+string(waits.ID)+"/revoke"),
	}
}

// TestOfficeInEveryLanguage: no page shows a key or a placeholder, and what is not translated says that it is English.
func TestOfficeInEveryLanguage(t *testing.T) {
	all := officePages(t)
	b, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]bool{} // what a key that does not exist would begin with
	for _, k := range b.Keys() {
		group, _, _ := strings.Cut(k, ".")
		groups[group] = true
	}
	keys := regexp.MustCompile(`\b(` + strings.Join(slices.Sorted(maps.Keys(groups)), "|") + `)\.[a-z][a-z.-]+`)
	for _, tagged := range ui.Languages() {
		for who, targets := range all {
			who.cookies["lang"] = string(tagged)
			for _, target := range targets {
				w := who.send(http.MethodGet, target, nil)
				if w.Code >= 500 {
					t.Errorf("%s %s: %d", tagged, target, w.Code)
				}
				root := audit(t, string(tagged)+" "+target, w)
				checkLanguage(t, string(tagged), target, root, keys)
			}
		}
		if tagged != lang.English {
			continue
		}
		// Faults, in every template that has a form.
		for who, targets := range all {
			for _, target := range targets {
				if strings.HasSuffix(target, "/hand") || strings.HasSuffix(target, "/revoke") || strings.HasPrefix(target, "/desk/") {
					root := audit(t, "POST "+target, who.send(http.MethodPost, target, url.Values{"deed": {"review"}, "version": {"1"}}))
					checkLanguage(t, string(tagged), "POST "+target, root, keys)
				}
			}
		}
	}
}

func checkLanguage(t *testing.T, tagged, name string, root *html.Node, keys *regexp.Regexp) {
	t.Helper()
	if got := attr(find(root, tag("html"))[0], "lang"); got != tagged {
		t.Errorf("%s %s: is in %s", tagged, name, got)
	}
	said := text(root)
	if found := keys.FindString(said); found != "" {
		t.Errorf("%s %s: shows the key %s", tagged, name, found)
	}
	for _, bad := range []string{"{{", "&lt;a&gt;", "<no value>", "%!"} {
		if strings.Contains(said, bad) {
			t.Errorf("%s %s: shows %s", tagged, name, bad)
		}
	}
}
