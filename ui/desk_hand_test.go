package ui_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// taken has the reviewer take the case, and gives the address of the page that passes it on.
func (o *office) taken() (hand string) {
	o.t.Helper()
	o.submitted()
	page := o.reviewer.look(o.casePath(), 200)
	if w := o.reviewer.send(http.MethodPost, o.casePath(), o.reviewer.give(page, "take", nil)); w.Code != 303 {
		o.t.Fatalf("taken: %d", w.Code)
	}
	return o.casePath() + "/hand"
}

func choices(page *html.Node, name string) (list []string) {
	for _, s := range find(page, func(n *html.Node) bool { return n.Data == "select" && attr(n, "name") == name }) {
		for _, c := range find(s, tag("option")) {
			list = append(list, strings.TrimSpace(text(c)))
		}
	}
	return list
}

func TestCaseIsPassedOn(t *testing.T) {
	o := newOffice(t)
	second := o.person("second@agency.example.org", o.agency(), access.Reviewer)
	o.person("both@institute.example.org", o.actor(o.editor).Organisation, access.Editor, access.Reviewer) // of the author's organisation
	gone := o.person("gone@agency.example.org", o.agency(), access.Reviewer)
	admin := o.person("admin@agency.example.org", o.agency(), access.Admin)
	u, err := o.house.People.User(access.Operator("KH"), o.actor(gone).User)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.house.People.SetDisabled(access.Operator("KH"), u.ID, u.Version, true); err != nil {
		t.Fatal(err)
	}
	to := string(o.actor(second).User)
	hand := o.taken()

	// Who has not the case cannot pass it on, and learns nobody's name there.
	for who, b := range map[string]*browser{"an editor": o.editor, "another reviewer": second} {
		status := map[*browser]int{o.editor: 403, second: 409}[b]
		if page := b.look(hand, status); len(find(page, tag("textarea"))) > 0 || len(choices(page, "to")) > 0 {
			t.Errorf("%s has %v and %v", who, buttons(page), choices(page, "to"))
		}
		b.check(who+" passes it on", b.send(http.MethodPost, hand, url.Values{"version": {"9"}, "to": {to}}), map[*browser]int{o.editor: 403, second: 409}[b], nil)
	}
	page := o.reviewer.look(hand, 200, "Pass this case on", "Note for the next reviewer")
	if got := strings.Join(choices(page, "to"), "|"); got != "Any reviewer|Sok Vanna (Agency of Technology)" {
		t.Errorf("one can choose %s", got)
	}

	// Conflicts of interest, people who are not there, and notes that are too long: what was typed stays.
	version := value(page)
	for who, id := range map[string]string{"nobody": "x", "who is shut out": string(u.ID), "the author": string(o.actor(o.editor).User), "an administrator": string(o.actor(admin).User)} {
		o.reviewer.check("to "+who, o.reviewer.send(http.MethodPost, hand, url.Values{"version": {version}, "to": {id}, "note": {"Look at <it>"}}), 403,
			[]string{"Please correct", "This person may not judge the listing. Choose another.", "Look at <it>"})
	}
	page = o.reviewer.press(page, hand, url.Values{"to": {to}, "note": {strings.Repeat("x", 501)}}, 422, strings.Repeat("x", 501))
	if n := find(page, func(n *html.Node) bool { return n.Data == "option" && has(n, "selected") }); len(n) != 1 || attr(n[0], "value") != to {
		t.Errorf("%d are chosen", len(n))
	}

	// Handed over, with a note that the next one reads.
	o.reviewer.follow(page, hand, url.Values{"to": {to}, "note": {"Look at the <patent>"}}, "another reviewer has the case now")
	if got := o.reviewerHas(); string(got) != to {
		t.Errorf("%s has it", got)
	}
	second.look("/desk", 200, "Taken by you 1")
	second.look(o.casePath(), 200, "Note of who had the case before", "Look at the <patent>", "Your review")
	o.reviewer.press(page, hand, url.Values{"note": {"Too late"}}, 409, "The listing was changed meanwhile", "It cannot be passed on now")
	o.editor.look(o.path, 200, "Handed over to another reviewer", "Look at the <patent>")

	// Taken away by an administrator, who sees from whom.
	page = admin.look(hand, 200, "Take this case away", "Sok Vanna took it just now.")
	admin.look(o.casePath(), 200, "Take this case away")
	old := second.look(o.casePath(), 200)
	admin.follow(page, hand, url.Values{"note": {"On leave"}}, "any reviewer can take it again")
	if got := o.posting(); got.Draft != posting.Submitted || got.Reviewer != "" {
		t.Errorf("it is %s, with %s", got.Draft, got.Reviewer)
	}
	second.check("judged by who had it", second.send(http.MethodPost, o.casePath(), second.give(old, "review", points("4", "4", "4", "4", ""))), 409, []string{"The listing was changed meanwhile"})
	o.reviewer.look(o.casePath(), 200, "On leave")
	admin.look(hand, 409, "It cannot be passed on now")
	admin.look("/administration/audit", 200, "Taken from the reviewer by an administrator")
}

// Where the search for duplicates was cut short, none found says nothing: the desk says so.
func TestDeskSaysWhereDuplicatesAreNotKnown(t *testing.T) {
	broken := context.DeadlineExceeded
	o := newOfficeWith(t, func(c *house.Config) {
		c.Similar = func(context.Context, *protocol.Listing, []string) ([]posting.Suspect, error) {
			return nil, broken
		}
	})
	o.submitted()
	o.reviewer.look("/desk", 200, "Duplicates not looked up")
	page := o.reviewer.look(o.casePath(), 200, "Duplicates not looked up", "There may be duplicates: look again before you decide.")
	if got := links(page)["look again"]; got != o.casePath() {
		t.Errorf("one looks again at %s", got)
	}
	broken = nil
	for _, target := range []string{"/desk", o.casePath()} {
		if strings.Contains(text(o.reviewer.look(target, 200)), "not looked up") {
			t.Errorf("%s says so though it looked", target)
		}
	}
}

// Who opens a page of somebody else's work is told whose it is, and where the own is.
func TestClosedPagesSayWhereOnesOwnAre(t *testing.T) {
	o := newOffice(t)
	scout := o.person("scout@institute.example.org", o.actor(o.editor).Organisation, access.Scout)
	auditor := o.person("auditor@agency.example.org", o.agency(), access.Auditor)
	for _, c := range []struct {
		who        *browser
		page, says string
		name, to   string
	}{
		{o.editor, "/welcome", "This page is for administrators", "My organisation", o.institute()},
		{o.editor, "/administration", "This page is for administrators", "My organisation", o.institute()},
		{o.reviewer, "/administration/people", "This page is for administrators", "Review desk", "/desk"},
		{auditor, "/administration/people", "This page is for administrators", "Administration", "/administration"},
		{auditor, "/desk", "The review desk is for reviewers", "Administration", "/administration"},
		{scout, "/welcome", "This page is for administrators", "saved searches", "/saved"},
		{scout, "/desk", "The review desk is for reviewers", "saved searches", "/saved"},
		{scout, o.casePath() + "/hand", "The review desk is for reviewers", "saved searches", "/saved"},
	} {
		main := find(c.who.look(c.page, 403, c.says), tag("main"))[0]
		if got := links(main)[c.name]; got != c.to {
			t.Errorf("%s: %s leads to %q, want %s", c.page, c.name, got, c.to)
		}
	}
}
