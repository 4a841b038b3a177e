package ui_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

var passing = posting.Scores{Advantages: 4, Clarity: 4, Cooperation: 3, Guidelines: 3}

// institute is the address of the organisation's pages.
func (o *office) institute() string {
	return "/organisations/" + string(o.actor(o.editor).Organisation)
}

func (o *office) agency() access.OrganisationID { return o.actor(o.reviewer).Organisation }

func navigation(page *html.Node) (list []string) {
	for _, n := range find(page, func(n *html.Node) bool { return n.Data == "nav" && attr(n, "class") == "tmh-sidenav" }) {
		for _, a := range find(n, tag("a")) {
			list = append(list, strings.TrimSpace(text(a)))
		}
	}
	return list
}

func TestOrganisationIsForItsPeopleAndTheAgency(t *testing.T) {
	o := newOffice(t)
	admin := o.person("admin@agency.example.org", o.agency(), access.Admin)
	scout := o.person("scout@institute.example.org", o.actor(o.editor).Organisation, access.Scout)
	all := []string{"", "/listings", "/matches", "/reviews", "/people", "/tokens"}
	for _, sub := range all {
		target := o.institute() + sub
		for name, b := range map[string]*browser{"editor": o.editor, "reviewer": o.reviewer, "admin": admin} {
			page := b.look(target, 200, "Institute")
			if got := strings.Join(navigation(page), " "); got != "Overview Listings Matches Reviews Members Access tokens" {
				t.Errorf("%s of a %s leads to %s", target, name, got)
			}
			if got := len(find(page, func(n *html.Node) bool { return attr(n, "aria-current") == "page" })); got != 1 {
				t.Errorf("%s: %d entries are the page", target, got)
			}
		}
		// Another organisation's editor learns nothing, not even that it is there.
		want := text(o.other.look("/organisations/o0000", 404, "There is no such organisation"))
		if got := text(o.other.look(target, 404)); got != want {
			t.Errorf("%s is told of in other words:\n%s", target, got)
		}
		if w := o.browser().send(http.MethodGet, target, nil); w.Code != 303 || w.Header().Get("Location") != "/sign-in?from="+url.QueryEscape(target) || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s for a stranger: %d to %s", target, w.Code, w.Header().Get("Location"))
		}
	}

	// A scout sees who the organisation is, and is told who sees the rest.
	page := scout.look(o.institute(), 200, "University", "shown to the editors of the organisation", "saved searches")
	if got := strings.Join(navigation(page), " "); got != "Overview Members Access tokens" {
		t.Errorf("a scout is led to %s", got)
	}
	for _, sub := range []string{"/listings", "/matches", "/reviews"} {
		if page = scout.look(o.institute()+sub, 403, "shown to the editors of the organisation"); strings.Contains(text(page), "Solar dryer") {
			t.Errorf("a scout reads %s", sub)
		}
	}

	// Only editors post and renew; buttons that do nothing are not there.
	for b, want := range map[*browser]bool{o.editor: true, o.reviewer: false, admin: false, scout: false} {
		if got := links(b.look(o.institute(), 200))["Post a listing"] != "" && strings.Contains(text(find(b.look(o.institute(), 200), tag("main"))[0]), "Post a listing"); got != want {
			t.Errorf("posting is offered: %v, want %v", got, want)
		}
	}

	// People and tokens: the own ones, and to administrators all.
	o.editor.look(o.institute()+"/people", 200, "You see your own account", "editor@institute.example.org", "(you)", "Editor")
	if said := text(o.editor.look(o.institute()+"/people", 200)); strings.Contains(said, "scout@institute.example.org") {
		t.Error("an editor sees who else has an account")
	}
	admin.look(o.institute()+"/people", 200, "editor@institute.example.org", "scout@institute.example.org", "Scout", "Manage people")
	if said := text(o.reviewer.look(o.institute()+"/people", 200, "shown to the administrators of this node alone")); strings.Contains(said, "institute.example.org") {
		t.Error("a reviewer sees who has an account")
	}
	if _, _, err := o.house.People.CreateToken(o.actor(o.editor), o.actor(o.editor).User, "Nightly <run>", []access.Scope{access.ScopeRead}, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	o.editor.look(o.institute()+"/tokens", 200, "Your own tokens", "Nightly <run>", "Read", "24 November 2026", "Never")
	admin.look(o.institute()+"/tokens", 200, "Tokens of all people", "Nightly <run>", "Sok Vanna")
	for _, b := range []*browser{o.reviewer, scout} {
		if said := text(b.look(o.institute()+"/tokens", 200)); strings.Contains(said, "Nightly") {
			t.Error("somebody else’s token is shown")
		}
	}
}

func TestOrganisationAtAGlance(t *testing.T) {
	o := newOffice(t)
	at := o.institute()
	page := o.editor.look(at, 200, "Draft1", "Nothing needs doing now.", "A reviewer looks at each listing first")
	if got := links(page)["Draft"]; got != at+"/listings?state=draft" {
		t.Errorf("drafts are at %s", got)
	}
	o.review(posting.Scores{Advantages: 2, Clarity: 1, Cooperation: 3, Guidelines: 2}, "Say <what> it costs.")
	page = o.editor.look(at, 200, "What needs doing", "Returned for revision", "Say <what> it costs.", "8 of 20")
	if got := links(page)["Solar dryer <for> "+khmerDrying]; got != o.path {
		t.Errorf("the task leads to %s", got)
	}
	o.review(passing, "")
	o.editor.look(at, 200, "Published1", "Nothing needs doing now.")

	// What ends soon is renewed by one press.
	o.clock.Add(int64(330 * 24 * time.Hour / time.Second))
	back := "/sign-in?from=" + url.QueryEscape(at)
	page = o.editor.follow(o.editor.look(back, 200), "/sign-in", url.Values{"email": {"editor@institute.example.org"}, "password": {password}}, "Ending soon", "35 days left")
	done := o.editor.follow(page, at, nil, "Renewed: the listing is valid until 23 November 2028.")
	if strings.Contains(text(done), "35 days left") {
		t.Error("it still ends soon")
	}
	o.editor.press(page, at, nil, 409, "The listing was changed meanwhile, so nothing was done")
	o.editor.look(at+"?renewed=x", 200)

	// Nobody renews by this door what is another organisation's.
	form := url.Values{"id": {string(o.id)}, "version": {value(o.editor.look(o.path, 200))}}
	o.clock.Add(int64(330 * 24 * time.Hour / time.Second))
	o.other = o.browser()
	page = o.other.follow(o.other.look("/sign-in", 200), "/sign-in", url.Values{"email": {"editor@college.example.org"}, "password": {password}})
	college := links(page)["My organisation"]
	before := o.stands()
	o.other.check("renewal of another's", o.other.send(http.MethodPost, college, form), 404, nil)
	o.other.check("renewal at another's", o.other.send(http.MethodPost, at, form), 404, nil)
	o.other.look(college, 200, "No listings", "Post what you offer or need")
	if w := o.browser().send(http.MethodPost, at, form); w.Code != 303 || w.Header().Get("Location") != back {
		t.Errorf("a stranger: %d to %s", w.Code, w.Header().Get("Location"))
	}
	if got := o.stands(); got != before {
		t.Errorf("version %d, was %d: somebody else renewed it", got, before)
	}
}

// stands is the version of the listing, as the operator sees it.
func (o *office) stands() uint64 {
	o.t.Helper()
	h, err := o.house.Postings.Get(access.Operator("KH"), o.id)
	if err != nil {
		o.t.Fatal(err)
	}
	return h.Version
}

func TestListingsOfAnOrganisation(t *testing.T) {
	o := newOffice(t)
	o.review(passing, "")
	a := o.actor(o.editor)
	for range 44 {
		if _, err := o.house.Postings.Create(a, a.Organisation, "", posting.Content{Listing: protocol.Listing{Kind: protocol.Expertise, Country: "KH",
			Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Measuring of dust"}}}}); err != nil {
			t.Fatal(err)
		}
	}
	at := o.institute() + "/listings"
	rows := func(page *html.Node) int { return len(find(page, tag("tr"))) - len(find(page, tag("thead"))) }
	page := o.editor.look(at, 200, "Measuring of dust", "Expertise", "Draft")
	if rows(page) != 20 {
		t.Errorf("%d rows on the first page", rows(page))
	}
	seen := rows(page)
	for next := relation(page, "next"); next != ""; next = relation(page, "next") {
		page = o.editor.look(next, 200)
		seen += rows(page)
		if relation(page, "prev") != at {
			t.Errorf("no way back from %s", next)
		}
	}
	if seen != 45 {
		t.Errorf("%d listings on all pages", seen)
	}
	page = o.editor.look(at+"?state=published", 200, "Solar dryer <for> "+khmerDrying, "TO-KH-20261123-001", "23 November 2027", "Published")
	if got := links(page)["Matches: Solar dryer <for> "+khmerDrying]; rows(page) != 1 || got != "/listings/KH/"+string(o.id)+"#fits" {
		t.Errorf("%d published, matches at %s", rows(page), got)
	}
	if got := links(page)["Edit: Solar dryer <for> "+khmerDrying]; got != o.path+"/edit" {
		t.Errorf("it is edited at %s", got)
	}
	for _, q := range []string{"?kind=TO", "?q=SOLAR", "?q=TO-KH-20261123-001", "?state=published&kind=TO&q=solar"} {
		if page = o.editor.look(at+q, 200, "Solar dryer"); rows(page) != 1 {
			t.Errorf("%s: %d rows", q, rows(page))
		}
	}
	page = o.editor.look(at+"?kind=FN", 200, "No listing fits these choices.")
	if got := links(page)["clear all"]; got != at {
		t.Errorf("cleared at %s", got)
	}
	page = o.editor.look(at+"?kind=EX", 200)
	if next := relation(page, "next"); rows(page) < 20 || !strings.Contains(next, "kind=EX") {
		t.Errorf("%d of the kind, then %s", rows(page), next)
	}
	o.editor.look(at+"?state=<b>&kind=zz", 200, "Measuring of dust")
	o.editor.look(at+"?after="+strings.Repeat("x", 200), 400)
	if page = o.reviewer.look(at, 200); links(page)["Edit: Measuring of dust"] != "" {
		t.Error("a reviewer is offered to edit")
	}
}

// relation is where the page's link of that relation leads.
func relation(page *html.Node, rel string) string {
	for _, n := range find(page, func(n *html.Node) bool { return n.Data == "a" && attr(n, "rel") == rel }) {
		return attr(n, "href")
	}
	return ""
}

func TestMatchesAndReviewsOfAnOrganisation(t *testing.T) {
	o := newOffice(t)
	o.editor.look(o.institute()+"/matches", 200, "Nothing to match yet")
	o.editor.look(o.institute()+"/reviews", 200, "No listing came back.", "No listing waits.", "No listing has passed a review yet.")
	h, _, err := o.house.Postings.Submit(t.Context(), o.actor(o.editor), o.id, o.posting().Version)
	if err != nil {
		t.Fatal(err)
	}
	o.clock.Add(3 * 3600)
	o.editor.look(o.institute()+"/reviews", 200, "Submitted 3 hours ago", "No listing came back.")
	judge := o.actor(o.reviewer)
	if h, err = o.house.Postings.Take(t.Context(), judge, o.id, h.Version); err != nil {
		t.Fatal(err)
	}
	o.editor.look(o.institute()+"/reviews", 200, "In review")
	if _, err = o.house.Postings.Judge(t.Context(), judge, o.id, h.Version, posting.Scores{}, "Nothing is "+khmerDrying); err != nil {
		t.Fatal(err)
	}
	o.editor.look(o.institute()+"/reviews", 200, "Rejected", "0 of 20 points", "Nothing is "+khmerDrying, "No listing waits.")
	o.editor.look(o.institute(), 200, "What needs doing", "Rejected")

	o = newOffice(t)
	o.review(passing, "")
	o.editor.look(o.institute()+"/reviews", 200, "14 of 20 points", "Reviewed just now")
	page := o.editor.look(o.institute()+"/matches", 200, "Strong match", "Shares fish and dryer.", "Proven, heard 3 minutes ago", "Fair match")
	if o.desk.query.Self != (match.Ref{Origin: "KH", ID: o.id}) {
		t.Errorf("matched %v", o.desk.query.Self)
	}
	fits := find(page, func(n *html.Node) bool { return attr(n, "class") == "tmh-org__fit" })
	if len(fits) != 3 || links(page)["All matches: Solar dryer <for> "+khmerDrying] != "/listings/KH/"+string(o.id)+"#fits" {
		t.Errorf("%d fit", len(fits))
	}
	o.desk.answer = exchange.MatchAnswer{}
	o.editor.look(o.institute()+"/matches", 200, "Nothing in the catalogue answers this listing yet.")
	o.desk.broken = protocol.Errorf(protocol.CodeUnavailable, "", "not read in")
	o.editor.look(o.institute()+"/matches", 200, "could not be looked up in time")
}

// A failed import is among what needs doing, until it is two weeks old.
func TestFailedImportNeedsDoing(t *testing.T) {
	dir := t.TempDir()
	o := newOfficeWith(t, func(c *house.Config) { c.Imports = dir })
	a := o.actor(o.editor)
	j, err := o.house.Imports.Upload(t.Context(), a, a.Organisation, strings.NewReader("id,kind,title\nA-1,TO,Solar dryer\n"), intake.UploadOptions{Filename: "offers <1>.csv", DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if said := text(o.editor.look(o.institute(), 200, "Imports")); strings.Contains(said, "offers <1>.csv") {
		t.Error("an import that is not over needs nothing")
	}
	spools, err := filepath.Glob(filepath.Join(dir, "*.spool"))
	if err != nil || len(spools) != 1 {
		t.Fatal(spools, err)
	}
	if err := os.Remove(spools[0]); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	ran := make(chan error, 1)
	go func() { ran <- o.house.Imports.Run(ctx) }()
	over := errors.New("over")
	if err := o.house.Imports.Watch(ctx, a, j.ID, func(x intake.Job) error {
		if x.State.Finished() {
			return over
		}
		return nil
	}); !errors.Is(err, over) {
		t.Error(err)
	}
	cancel()
	<-ran
	page := o.editor.look(o.institute(), 200, "What needs doing", "offers <1>.csv", "Import failed")
	o.editor.look(links(page)["offers <1>.csv"], 200, "offers <1>.csv")
	if said := text(o.reviewer.look(o.institute(), 200)); strings.Contains(said, "offers <1>.csv") {
		t.Error("a reviewer sees the import")
	}
}

// A search among very many listings looks through some of them for a page, says so, and leads on.
func TestListingsAreLookedThroughInParts(t *testing.T) {
	o := newOffice(t) // its listing is the oldest
	a := o.actor(o.editor)
	for range 1000 {
		if _, err := o.house.Postings.Create(a, a.Organisation, "", posting.Content{Listing: protocol.Listing{Kind: protocol.Expertise, Country: "KH"}}); err != nil {
			t.Fatal(err)
		}
	}
	page := o.editor.look(o.institute()+"/listings?q=solar", 200, "Not all listings were looked through for this page.")
	if said := text(page); strings.Contains(said, "Solar dryer") || strings.Contains(said, "No listings") {
		t.Errorf("the first page says\n%s", said)
	}
	page = o.editor.look(relation(page, "next"), 200, "Solar dryer")
	if strings.Contains(text(page), "Not all listings") || relation(page, "next") != "" {
		t.Error("the last page says that there are others")
	}
	o.editor.look(o.institute(), 200, "200 or more")
}
