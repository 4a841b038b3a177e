package ui_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

func (o *office) casePath() string { return "/desk/" + string(o.id) }

// submitted sends the listing to the desk.
func (o *office) submitted() {
	o.t.Helper()
	if _, _, err := o.house.Postings.Submit(o.t.Context(), o.actor(o.editor), o.id, o.posting().Version); err != nil {
		o.t.Fatal(err)
	}
}

// give presses the button of the case's page that does the deed.
func (b *browser) give(page *html.Node, deed string, values url.Values) url.Values {
	b.t.Helper()
	for _, f := range find(page, tag("form")) {
		all := url.Values{}
		for _, n := range find(f, func(n *html.Node) bool { return attr(n, "type") == "hidden" }) {
			all.Set(attr(n, "name"), attr(n, "value"))
		}
		if all.Get("deed") == deed {
			for name, v := range values {
				all[name] = v
			}
			return all
		}
	}
	b.t.Fatalf("no button for %s in\n%s", deed, text(page))
	return nil
}

func points(a, b, c, d, comment string) url.Values {
	return url.Values{"advantages": {a}, "clarity": {b}, "cooperation": {c}, "guidelines": {d}, "comment": {comment}}
}

// judged takes the case, gives those scores, and looks at the page that follows.
func (o *office) judged(values url.Values, want ...string) *html.Node {
	o.t.Helper()
	b := o.reviewer
	page := b.look(o.casePath(), 200)
	w := b.send(http.MethodPost, o.casePath(), b.give(page, "take", nil))
	if w.Code != 303 || w.Header().Get("Location") != o.casePath() {
		o.t.Fatalf("taken: %d to %s", w.Code, w.Header().Get("Location"))
	}
	page = b.look(o.casePath(), 200, "Your review")
	w = b.send(http.MethodPost, o.casePath(), b.give(page, "review", values))
	if w.Code != 303 {
		root, _ := html.Parse(w.Body)
		o.t.Fatalf("judged: %d\n%s", w.Code, text(root))
	}
	return b.look(w.Header().Get("Location"), 200, want...)
}

func TestDeskIsForReviewers(t *testing.T) {
	o := newOffice(t)
	o.submitted()
	admin := o.person("admin@agency.example.org", o.agency(), access.Admin)
	for _, target := range []string{"/desk", o.casePath(), o.casePath() + "/revoke"} {
		for _, b := range []*browser{o.editor, o.other} {
			if page := b.look(target, 403, "The review desk is for reviewers"); strings.Contains(text(page), "Solar dryer") {
				t.Errorf("%s shows the listing", target)
			}
		}
		w := o.browser().send(http.MethodGet, target, nil)
		if w.Code != 303 || w.Header().Get("Location") != "/sign-in?from="+url.QueryEscape(target) || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s for a stranger: %d to %s", target, w.Code, w.Header().Get("Location"))
		}
	}
	w := o.browser().send(http.MethodPost, o.casePath(), url.Values{"deed": {"take"}})
	if w.Code != 303 || w.Header().Get("Location") != "/sign-in?from="+url.QueryEscape(o.casePath()) {
		t.Errorf("a stranger: %d to %s", w.Code, w.Header().Get("Location"))
	}
	for _, target := range []string{"/desk/a%20b", "/desk/" + strings.Repeat("z", len(o.id))} {
		o.reviewer.look(target, 404, "There is no such listing")
	}

	// An administrator reads and does not decide.
	admin.look("/desk", 200, "Only reviewers decide them.", "Solar dryer <for> "+khmerDrying, "Institute")
	page := admin.look(o.casePath(), 200, "Only reviewers decide them.", "Dries a batch in six hours.")
	if got := buttons(page); len(got) > 0 {
		t.Errorf("an administrator has %v", got)
	}
	form := o.reviewer.give(o.reviewer.look(o.casePath(), 200), "take", nil)
	admin.check("taken by an administrator", admin.send(http.MethodPost, o.casePath(), form), 403, []string{"Please correct the following"})
	o.reviewer.check("a deed that is none", o.reviewer.send(http.MethodPost, o.casePath(), url.Values{"deed": {"publish"}, "version": form["version"]}), 400, nil)
	if got := o.posting().Draft; got != posting.Submitted {
		t.Errorf("it is %s", got)
	}
}

func TestReviewerDecides(t *testing.T) {
	for name, c := range map[string]struct {
		points url.Values
		said   string
		want   posting.State
	}{
		"passes":   {points("4", "4", "3", "3", ""), "Passed the review", posting.Published},
		"returned": {points("5", "5", "5", "0", "Say <what> it costs"), "Returned for revision", posting.Draft},
		"rejected": {points("1", "1", "1", "1", "It is no technology"), "Rejected", posting.Rejected},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.submitted()
			o.clock.Add(3 * 24 * 3600)
			o.reviewer = o.browser()
			o.reviewer.follow(o.reviewer.look("/sign-in", 200), "/sign-in", url.Values{"email": {"reviewer@agency.example.org"}, "password": {password}})
			page := o.reviewer.look("/desk", 200, "Waiting 1", "Solar dryer <for> "+khmerDrying, "Institute", "Technology offer", "English", "3 days ago")
			if got := links(page)["Solar dryer <for> "+khmerDrying]; got != o.casePath() {
				t.Errorf("the case is at %s", got)
			}
			page = o.reviewer.look(o.casePath(), 200, "Dries a batch in six hours.", "Air is heated below a black plate.", "2024/00017", "Checklist", "Give three keywords or more")
			if strings.Contains(text(page), "Your review") {
				t.Error("it can be judged before it is taken")
			}
			page = o.judged(c.points, "Solar dryer <for> "+khmerDrying+": "+c.said+".", "Decided lately", c.said)
			if n := find(page, func(n *html.Node) bool { return attr(n, "role") == "status" }); len(n) != 1 {
				t.Errorf("%d messages of what was done", len(n))
			}
			h, err := o.house.Postings.Get(access.Operator("KH"), o.id)
			if err != nil || h.State(0) != c.want && h.Draft != c.want || h.Review.Comment != c.points.Get("comment") {
				t.Errorf("it is %s, %v", h.State(0), err)
			}
			o.reviewer.look(o.casePath(), 200, "Nothing of this listing waits for a review.", "Earlier reviews", c.said)
		})
	}
}

func TestReviewThatLacksSomethingKeepsWhatWasTyped(t *testing.T) {
	o := newOffice(t)
	o.submitted()
	page := o.reviewer.look(o.casePath(), 200)
	o.reviewer.send(http.MethodPost, o.casePath(), o.reviewer.give(page, "take", nil))
	page = o.reviewer.look(o.casePath(), 200, "The points decide:", "0 to 4 in all: it is rejected.")
	form := func(values url.Values) url.Values { return o.reviewer.give(page, "review", values) }

	bad := o.reviewer.check("no points", o.reviewer.send(http.MethodPost, o.casePath(), form(url.Values{"clarity": {"3"}, "guidelines": {"9"}, "comment": {"Kept <as> typed"}})), 422,
		[]string{"Please correct the following", "Advantages, and what is new: Choose 0 to 5", "Guidelines and language: Choose 0 to 5", "Kept <as> typed"})
	if n := find(bad, func(n *html.Node) bool { return has(n, "checked") }); len(n) != 1 || attr(n[0], "id") != "review-clarity-3" {
		t.Errorf("%d scores are kept", len(n))
	}
	if strings.Contains(text(bad), "Clarity: Choose") {
		t.Error("a score that was given is asked for")
	}
	bad = o.reviewer.check("no comment", o.reviewer.send(http.MethodPost, o.casePath(), form(points("2", "2", "2", "2", " "))), 422,
		[]string{"Say in the comment what is to be mended", "8 of 20: it goes back to its author."})
	if n := find(bad, func(n *html.Node) bool { return has(n, "checked") }); len(n) != 4 {
		t.Errorf("%d scores are kept", len(n))
	}
	o.reviewer.check("too long", o.reviewer.send(http.MethodPost, o.casePath(), form(points("4", "4", "4", "4", strings.Repeat("x", 2001)))), 422, []string{"at most 2000"})

	// What the points lead to is told before they are sent.
	for q, want := range map[string]string{
		"advantages=4&clarity=4&cooperation=3&guidelines=3": "14 of 20: the listing is published.", "advantages=5&clarity=5&cooperation=5&guidelines=0": "15 of 20: it goes back to its author.",
		"advantages=1&clarity=1&cooperation=1&guidelines=1": "4 of 20: it is rejected.", "advantages=1&clarity=1&cooperation=1": "The points decide:", "advantages=1&clarity=1&cooperation=1&guidelines=-1": "The points decide:",
	} {
		o.reviewer.look(o.casePath()+"?"+q, 200, want)
	}
	r := httptest.NewRequest(http.MethodGet, o.casePath()+"?advantages=4&clarity=4&cooperation=3&guidelines=3", nil)
	for name, value := range o.reviewer.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	r.Header.Set("HX-Request", "true")
	w := record(o.h, r)
	if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, "14 of 20: the listing is published.") || strings.Contains(body, "Dries a batch") {
		t.Errorf("the outcome alone: %d\n%s", w.Code, body)
	}

	// It is given back.
	at := o.casePath() + "/hand"
	o.reviewer.follow(o.reviewer.look(at, 200, "No other reviewer of this node may judge this listing."), at, nil, "any reviewer can take it again", "Next: Solar dryer")
	if got := o.posting(); got.Draft != posting.Submitted || got.Reviews != 0 {
		t.Errorf("it is %s, with %d reviews", got.Draft, got.Reviews)
	}
}

func TestTwoReviewers(t *testing.T) {
	o := newOffice(t)
	o.submitted()
	second := o.person("second@agency.example.org", o.agency(), access.Reviewer)
	admin := o.person("admin@agency.example.org", o.agency(), access.Admin)
	mine, theirs := o.reviewer.look(o.casePath(), 200), second.look(o.casePath(), 200)
	o.reviewer.send(http.MethodPost, o.casePath(), o.reviewer.give(mine, "take", nil))
	o.reviewer.look("/desk", 200, "Taken by you 1", "No listing waits for a reviewer.")

	// The other one had the page open.
	late := second.check("taken twice", second.send(http.MethodPost, o.casePath(), second.give(theirs, "take", nil)), 409, []string{"The listing was changed meanwhile", "another reviewer"})
	if got := buttons(late); len(got) > 0 {
		t.Errorf("the other has %v", got)
	}
	second.look("/desk", 200, "Taken by others 1")
	admin.look(o.casePath(), 200, "Sok Vanna, ") // the rules show an administrator who it is
	mine = o.reviewer.look(o.casePath(), 200)
	version := url.Values{"version": {value(mine)}, "deed": {"review"}}
	for k, v := range points("4", "4", "4", "4", "") {
		version[k] = v
	}
	second.check("judged by the other", second.send(http.MethodPost, o.casePath(), version), 403, []string{"Another reviewer has this case."})

	// After a week it can be taken over, and who had it learns so.
	o.clock.Add(int64(7 * 24 * time.Hour / time.Second))
	for b, email := range map[*browser]string{second: "second@agency.example.org", o.reviewer: "reviewer@agency.example.org"} {
		b.follow(b.look("/sign-in", 200), "/sign-in", url.Values{"email": {email}, "password": {password}})
	}
	mine = o.reviewer.look(o.casePath(), 200)
	theirs = second.look(o.casePath(), 200, "lay with another reviewer for a week")
	second.send(http.MethodPost, o.casePath(), second.give(theirs, "take", nil))
	o.reviewer.check("judged too late", o.reviewer.send(http.MethodPost, o.casePath(), o.reviewer.give(mine, "review", points("4", "4", "4", "4", "Typed in vain"))), 409, []string{"Please correct"})
	if got := o.reviewerHas(); got != o.actor(second).User {
		t.Errorf("%s has it", got)
	}
}

func (o *office) reviewerHas() access.UserID {
	h, err := o.house.Postings.Get(access.Operator("KH"), o.id)
	if err != nil {
		o.t.Fatal(err)
	}
	return h.Reviewer
}

func TestNobodyJudgesTheOwn(t *testing.T) {
	o := newOffice(t)
	o.submitted()
	colleague := o.person("both@institute.example.org", o.actor(o.editor).Organisation, access.Editor, access.Reviewer)
	colleague.look("/desk", 200, "Not yours to judge")
	page := colleague.look(o.casePath(), 200, "It is of your own organisation, or you wrote or submitted it.")
	if got := buttons(page); len(got) > 0 {
		t.Errorf("a colleague has %v", got)
	}
	form := o.reviewer.give(o.reviewer.look(o.casePath(), 200), "take", nil)
	colleague.check("taken by a colleague", colleague.send(http.MethodPost, o.casePath(), form), 403, []string{"Please correct"})
	if got := o.posting().Draft; got != posting.Submitted {
		t.Errorf("it is %s", got)
	}
}

func TestRevisionIsComparedAndListingRevoked(t *testing.T) {
	o := newOffice(t)
	o.submitted()
	o.judged(points("4", "4", "3", "3", ""))
	o.reviewer.look(o.casePath(), 200, "Revoke this listing")
	a := o.actor(o.editor)
	_, c, err := o.house.Postings.Content(a, o.id)
	if err != nil {
		t.Fatal(err)
	}
	next := *c
	next.Listing.TRL = 7
	next.Listing.Texts = map[protocol.Lang]protocol.Text{"en": {Title: c.Listing.Texts["en"].Title, Abstract: "Dries a batch in five hours."}}
	next.Record.Contact = protocol.Contact{Name: "The desk", Email: "desk@institute.example.org"}
	if _, err := o.house.Postings.Edit(t.Context(), a, o.id, o.posting().Version, next); err != nil {
		t.Fatal(err)
	}
	o.submitted()
	o.reviewer.look("/desk", 200, "New version")
	page := o.reviewer.look(o.casePath(), 200, "What is new in this version", "Summary (English) BeforeDries a batch in six hours. NowDries a batch in five hours.", "NowThe deskdesk@institute.example.org", "TRL 7")
	if n := len(find(page, tag("del"))); n != 3 {
		t.Errorf("%d differences", n)
	}
	o.editor.look(o.institute()+"/listings", 200, "Published New version: Submitted")
	o.editor.look(o.institute()+"/reviews", 200, "Submitted just now")

	// Revoked with a reason, which is wanted. An administrator may it, too.
	o.person("admin@agency.example.org", o.agency(), access.Admin).look(o.casePath()+"/revoke", 200, "This cannot be undone.")
	at := o.casePath() + "/revoke"
	page = o.reviewer.look(at, 200, "This cannot be undone.")
	bad := o.reviewer.press(page, at, url.Values{"note": {" "}}, 422, "Say why: its owner is told.")
	o.reviewer.press(bad, at, url.Values{"note": {strings.Repeat("x", 501)}}, 422, strings.Repeat("x", 501))
	old := o.reviewer.look(at, 200)
	if _, err := o.house.Postings.Recall(t.Context(), a, o.id, o.posting().Version); err != nil {
		t.Fatal(err)
	}
	o.reviewer.press(old, at, url.Values{"note": {"Not <theirs>"}}, 409, "The listing was changed meanwhile", "Not <theirs>")
	if got := o.posting().Live; got != posting.Published {
		t.Errorf("an old page made it %s", got)
	}
	o.reviewer.follow(o.reviewer.look(at, 200), at, url.Values{"note": {"Not <theirs>"}}, "revoked. Its owner is told why.")
	o.editor.look(o.path, 200, "StateRevoked by the agency", "Not <theirs>")
	o.reviewer.look(at, 409, "It cannot be revoked now")
	o.reviewer.look(o.casePath(), 200, "The listing has ended.")
	// Addresses can be made up: what was not done is not said.
	for _, q := range []string{"?done=release&case=" + string(o.id), "?done=review&case=x", "?done=<b>&case=" + string(o.id)} {
		if n := find(o.reviewer.look("/desk"+q, 200), func(n *html.Node) bool { return attr(n, "role") == "status" }); len(n) > 0 {
			t.Errorf("%s: the page says %s", q, text(n[0]))
		}
	}
}

func TestDeskWhenEmptyFullAndLike(t *testing.T) {
	o := newOfficeWith(t, func(c *house.Config) {
		c.Similar = func(context.Context, *protocol.Listing, []string) ([]posting.Suspect, error) {
			return []posting.Suspect{{Origin: "TH", ID: "TO-TH-1", Title: "Brick kiln", Score: .9, Why: []string{"says much the same in another language"}}, {Origin: "VN", ID: "TO-VN-2"}}, nil
		}
	})
	o.reviewer.look("/desk", 200, "Nothing waits", "Listings appear here when an organisation submits them.")
	a := o.actor(o.editor)
	for range 25 {
		h, err := o.house.Postings.Create(a, a.Organisation, "", posting.Content{Listing: protocol.Listing{Kind: protocol.Expertise, Country: "KH",
			Texts: map[protocol.Lang]protocol.Text{"km": {Title: khmerDrying, Abstract: khmer}}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := o.house.Postings.Submit(t.Context(), a, h.ID, h.Version); err != nil {
			t.Fatal(err)
		}
	}
	page := o.reviewer.look("/desk", 200, "Khmer", "2 possible duplicates")
	if n := len(find(page, tag("tr"))); n != 21 {
		t.Errorf("%d rows", n)
	}
	page = o.reviewer.look(relation(page, "next"), 200)
	if n := len(find(page, tag("tr"))); n != 6 || relation(page, "prev") != "/desk" {
		t.Errorf("%d rows on the next page", n)
	}
	first := find(page, func(n *html.Node) bool { return n.Data == "a" && strings.HasPrefix(attr(n, "href"), "/desk/") })[0]
	o.reviewer.look(attr(first, "href"), 200, "2 possible duplicates", "Brick kiln", "Thailand", "Says much the same in another language.")
}

// The node cannot sign just now: the review is noted, and the page says so.
func TestReviewWhileTheNodeCannotSign(t *testing.T) {
	o := newOffice(t)
	o.submitted()
	page := o.reviewer.look(o.casePath(), 200)
	o.reviewer.send(http.MethodPost, o.casePath(), o.reviewer.give(page, "take", nil))
	page = o.reviewer.look(o.casePath(), 200)
	o.journal.Broken = protocol.Errorf(protocol.CodeUnavailable, "", "the disk is full")
	w := o.reviewer.send(http.MethodPost, o.casePath(), o.reviewer.give(page, "review", points("4", "4", "3", "3", "")))
	page = o.reviewer.check("while it cannot sign", w, 503, []string{"not yet signed by this node: Passed the review"})
	if got := buttons(page); len(got) > 0 {
		t.Errorf("while it waits there is %v", got)
	}
}
