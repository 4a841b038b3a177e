package ui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/exchange/exchangetest"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// office is a home with a listing of the Institute's, and people of the agency and of two universities.
type office struct {
	*home
	journal                 *exchangetest.Journal
	editor, other, reviewer *browser
	id                      protocol.ListingID
	path                    string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	return newOfficeWith(t, func(*house.Config) {})
}

func newOfficeWith(t *testing.T, change func(*house.Config)) *office {
	t.Helper()
	o := &office{journal: &exchangetest.Journal{Member: "KH"}}
	o.home = newHome(t, func(c *house.Config) {
		o.journal.Store = c.Store
		c.Desk = exchange.NewDesk("KH", nil, o.journal, nil, c.Now)
		change(c)
	})
	o.journal.Signer = o.seats["KH"].Record
	o.setUp()
	o.editor = o.person("editor@institute.example.org", o.organisation("Institute"), access.Editor)
	o.other = o.person("editor@college.example.org", o.organisation("College"), access.Editor)
	all, _, err := o.house.People.Organisations(access.Operator("KH"), access.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		if x.Name == "Agency of Technology" {
			o.reviewer = o.person("reviewer@agency.example.org", x.ID, access.Reviewer)
		}
	}
	a := o.actor(o.editor)
	h, err := o.house.Postings.Create(a, a.Organisation, "", posting.Content{
		Listing: protocol.Listing{
			Kind: protocol.TechnologyOffer, Country: "KH", TRL: 5, FORD: []string{"2.11"}, IPR: []string{"patent-granted"},
			Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Solar dryer <for> " + khmerDrying, Abstract: "Dries a batch in six hours."}},
		},
		Record: protocol.Record{
			Texts:  map[protocol.Lang]protocol.RecordText{"en": {Description: "Air is heated below a black plate."}},
			Rights: []protocol.Right{{Type: "patent-granted", Office: "KH", Number: "2024/00017"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.id, o.path = h.ID, "/postings/"+string(h.ID)
	return o
}

func (o *office) organisation(name string) access.OrganisationID {
	o.t.Helper()
	x, err := o.house.People.CreateOrganisation(access.Operator("KH"), access.OrganisationFields{Name: name, Type: "university", Country: "KH"})
	if err != nil {
		o.t.Fatal(err)
	}
	return x.ID
}

func (o *office) person(email string, org access.OrganisationID, roles ...access.Role) *browser {
	o.t.Helper()
	secret, _, err := o.house.People.Invite(access.Operator("KH"), email, org, roles, "en")
	if err != nil {
		o.t.Fatal(err)
	}
	b := o.browser()
	b.follow(b.look("/invitation?key="+secret, 200), "/invitation", url.Values{"name": {"Sok Vanna"}, "password": {password}})
	return b
}

// posting as its editor has it.
func (o *office) posting() *posting.Posting {
	o.t.Helper()
	h, err := o.house.Postings.Get(o.actor(o.editor), o.id)
	if err != nil {
		o.t.Fatal(err)
	}
	return h
}

// review submits the listing and gives it those scores.
func (o *office) review(scores posting.Scores, comment string) {
	o.t.Helper()
	h, _, err := o.house.Postings.Submit(o.t.Context(), o.actor(o.editor), o.id, o.posting().Version)
	if err != nil {
		o.t.Fatal(err)
	}
	judge := o.actor(o.reviewer)
	if h, err = o.house.Postings.Take(o.t.Context(), judge, o.id, h.Version); err != nil {
		o.t.Fatal(err)
	}
	if _, err = o.house.Postings.Judge(o.t.Context(), judge, o.id, h.Version, scores, comment); err != nil {
		o.t.Fatal(err)
	}
}

// buttons of the page, but for the one that signs out.
func buttons(page *html.Node) (list []string) {
	for _, n := range find(page, func(n *html.Node) bool {
		return n.Data == "form" && attr(n, "action") != "/sign-out" && attr(n, "action") != "/theme"
	}) {
		list = append(list, attr(n, "action"))
	}
	return list
}

func TestPostingIsShown(t *testing.T) {
	o := newOffice(t)
	page := o.editor.look(o.path, 200, "Solar dryer <for> "+khmerDrying, "given when it is published first", "StateDraft", "set when it is published", "For programs: this listing is /api/v1"+o.path)
	if got := buttons(page); len(got) > 0 {
		t.Errorf("a draft has %v", got)
	}
	if n := find(page, func(n *html.Node) bool { return attr(n, "lang") == "km" }); len(n) == 0 {
		t.Error("the title does not say its language")
	}
	o.review(posting.Scores{Advantages: 2, Clarity: 1, Cooperation: 3, Guidelines: 2}, "Say <what> it costs.\nAnd "+khmerDrying)
	o.editor.look(o.path, 200, "StateDraft", "VerdictReturned for revision", "Clarity1 of 5", "What is expected of a partner3 of 5", "Total8 of 20", "Say <what> it costs. And "+khmerDrying)
	o.review(posting.Scores{Advantages: 4, Clarity: 4, Cooperation: 3, Guidelines: 3}, "")
	page = o.editor.look(o.path, 200, "TO-KH-20261123-001", "StatePublished", "Valid until23 November 2027", "TMH 0.1", "Passed the review", "Total14 of 20", "Submitted for review", "Begun")
	if got := strings.Join(buttons(page), " "); got != o.path+"/renew "+o.path+"/hold" {
		t.Errorf("a published listing has %s", got)
	}
	if got := links(page)["Its page in the catalogue"]; got != "/listings/KH/"+string(o.id) {
		t.Errorf("in the catalogue it is %s", got)
	}
	w := o.editor.send(http.MethodGet, o.path, nil)
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "strict-origin" {
		t.Errorf("may be kept: %v", w.Header())
	}
	// Addresses can be made up: what was not done is not said.
	for _, done := range []string{"renew", "hold", "revoke", "<b>"} {
		if n := find(o.editor.look(o.path+"?done="+url.QueryEscape(done), 200), func(n *html.Node) bool { return attr(n, "role") == "status" }); len(n) > 0 {
			t.Errorf("%s: the page says %s", done, text(n[0]))
		}
	}

	// The newest ten of the history are shown.
	for range 5 {
		for _, verb := range []string{"hold", "lift"} {
			o.editor.follow(o.editor.look(o.path, 200), o.path+"/"+verb, nil)
		}
	}
	page = o.editor.look(o.path, 200, "Hold ended", "Older entries are not shown here.")
	if strings.Contains(text(page), "Begun") {
		t.Error("the whole history is shown")
	}
}

func TestPostingIsRenewedHeldAndLifted(t *testing.T) {
	o := newOffice(t)
	o.review(posting.Scores{Advantages: 4, Clarity: 4, Cooperation: 3, Guidelines: 3}, "")
	first := o.editor.look(o.path, 200)
	page := o.editor.follow(first, o.path+"/renew", nil, "Renewed: the listing is valid until 23 November 2028.", "Valid until23 November 2028")
	if n := find(page, func(n *html.Node) bool { return attr(n, "role") == "status" }); len(n) != 1 {
		t.Errorf("%d messages of what was done", len(n))
	}
	if got := o.posting(); got.ValidUntil.String() != "2028-11-23" || got.Renewals != 1 {
		t.Errorf("until %s, renewed %d times", got.ValidUntil, got.Renewals)
	}
	o.editor.press(page, o.path+"/renew", nil, 409, "Please correct the following", "It is valid until 2028-11-23, more than a year from now: renew it when less is left.")

	stale := o.editor.press(first, o.path+"/hold", nil, 409, "Please correct the following", "The listing was changed meanwhile, so nothing was done", "StatePublished")
	if got := o.posting().Live; got != posting.Published {
		t.Errorf("an old page made it %s", got)
	}
	o.editor.check("no version", o.editor.send(http.MethodPost, o.path+"/hold", url.Values{"version": {"-1"}}), 409, []string{"changed meanwhile"})
	page = o.editor.follow(stale, o.path+"/hold", nil, "The listing is on hold.", "StateOn hold", "Put on hold")
	if got := strings.Join(buttons(page), " "); got != o.path+"/lift" {
		t.Errorf("a listing on hold has %s", got)
	}
	o.editor.check("renewal of a listing on hold", o.editor.send(http.MethodPost, o.path+"/renew", url.Values{"version": {value(page)}}), 409, []string{"lift the hold first"})
	page = o.editor.follow(page, o.path+"/lift", nil, "The hold has ended: the listing is published again.", "StatePublished")

	o.clock.Add(int64(3 * 365 * 24 * time.Hour / time.Second))
	back := "/sign-in?from=" + url.QueryEscape(o.path)
	w := o.editor.post(page, o.path+"/renew", nil)
	if w.Code != 303 || w.Header().Get("Location") != back {
		t.Errorf("after the session: %d to %s", w.Code, w.Header().Get("Location"))
	}
	page = o.editor.follow(o.editor.look(back, 200), "/sign-in", url.Values{"email": {"editor@institute.example.org"}, "password": {password}}, "StateExpired")
	o.editor.follow(page, o.path+"/renew", nil, "StatePublished", "valid until 22 November 2030")

	// What cannot be signed now is noted, and nothing else can be done until it is.
	o.journal.Broken = protocol.Errorf(protocol.CodeUnavailable, "", "the disk is full")
	page = o.editor.press(o.editor.look(o.path, 200), o.path+"/hold", nil, 503, "It is noted, and is signed as soon as this node can", "not yet signed by this node: Put on hold")
	if got := buttons(page); len(got) > 0 {
		t.Errorf("while it waits there is %v", got)
	}
	o.journal.Broken = nil
	if err := o.house.Postings.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.editor.look(o.path, 200, "StateOn hold")
}

// value of the version that the page's forms carry.
func value(page *html.Node) string {
	return attr(find(page, func(n *html.Node) bool { return attr(n, "name") == "version" })[0], "value")
}

func TestPostingIsForItsPeople(t *testing.T) {
	o := newOffice(t)
	o.review(posting.Scores{Advantages: 4, Clarity: 4, Cooperation: 3, Guidelines: 3}, "The comment")
	version := url.Values{"version": {value(o.editor.look(o.path, 200))}}

	// The reviewer sees it, and has no form; what is sent without one is refused in words.
	page := o.reviewer.look(o.path, 200, "StatePublished", "The comment")
	if got := buttons(page); len(got) > 0 {
		t.Errorf("a reviewer has %v", got)
	}
	before := o.posting().Version
	for _, verb := range []string{"renew", "hold", "lift"} {
		w := o.reviewer.send(http.MethodPost, o.path+"/"+verb, version)
		o.reviewer.check(verb+" by a reviewer", w, 403, []string{"Please correct the following", "StatePublished"})
	}

	// Another organisation's editor learns nothing: not even that it is there.
	unknown := "/postings/" + strings.Repeat("z", len(o.id))
	want := text(o.other.look(unknown, 404, "There is no such listing", "not for you to see"))
	for _, target := range []string{o.path, "/postings/a%20b", "/postings/" + strings.Repeat("x", 300), "/postings/%E1%9E%80"} {
		if got := text(o.other.look(target, 404)); got != want {
			t.Errorf("%s is told of in other words:\n%s", target, got)
		}
	}
	for _, target := range []string{o.path, unknown} {
		for _, verb := range []string{"renew", "hold", "lift"} {
			if got := text(o.other.check(verb, o.other.send(http.MethodPost, target+"/"+verb, version), 404, nil)); got != want {
				t.Errorf("%s of %s is told of in other words:\n%s", verb, target, got)
			}
		}
	}

	// A stranger is asked to sign in, whatever the address, and is led back.
	for _, target := range []string{o.path, unknown} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			send := target
			if method == http.MethodPost {
				send += "/renew"
			}
			w := o.browser().send(method, send, version)
			if w.Code != 303 || w.Header().Get("Location") != "/sign-in?from="+url.QueryEscape(target) || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s for a stranger: %d to %s", method, send, w.Code, w.Header().Get("Location"))
			}
		}
	}
	if got := o.posting().Version; got != before {
		t.Errorf("version %d, was %d: something was changed", got, before)
	}
}
