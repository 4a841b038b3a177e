package ui_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/ui"
)

// stepStates of the page, by the id of the step.
func stepStates(page *html.Node) map[string]string {
	states := map[string]string{}
	for _, n := range find(page, func(n *html.Node) bool { return strings.HasPrefix(attr(n, "id"), "is-") }) {
		states[strings.TrimPrefix(attr(n, "id"), "is-")] = text(n)
	}
	return states
}

func TestNodeWithoutAdministratorSaysHowToGetOne(t *testing.T) {
	x := newHome(t, nil)
	for _, path := range []string{"/sign-in", "/welcome"} {
		x.browser().look(path, 200, "no administrator yet", "tmh user setup-link")
	}
	x.setUp()
	if strings.Contains(text(x.browser().look("/sign-in", 200)), "setup-link") {
		t.Error("the page for signing in tells of a setup link though there is an administrator")
	}
	if w := x.browser().send("GET", "/welcome", nil); w.Code != 303 {
		t.Errorf("a stranger at the first steps: %d", w.Code)
	}
}

func TestFirstStepsBecomeDone(t *testing.T) {
	x := newAgency(t, nil)
	x.desk.members = x.desk.members[:0]
	expect := func(want map[string]string) {
		t.Helper()
		got := stepStates(x.admin.look("/welcome", 200))
		for id, state := range want {
			if got[id] != state {
				t.Errorf("%s is %q, want %q", id, got[id], state)
			}
		}
	}
	expect(map[string]string{"passkey": "optional", "agency": "done", "organisation": "to do", "people": "to do", "mail": "optional", "backup": "to do", "federation": "to do", "listing": "to do"})
	x.admin.look("/administration", 200, "Steps done: 1 of 8")
	o := x.organisation("Institute")
	me := x.user("dara@agency.example.org")
	secret, _, err := x.house.People.Invite(access.Operator("KH"), "reviewer@agency.example.org", me.Organisation, []access.Role{access.Reviewer}, "en")
	if err != nil {
		t.Fatal(err)
	}
	expect(map[string]string{"organisation": "done", "people": "under way"})
	b := x.browser()
	b.follow(b.look("/invitation?key="+secret, 200), "/invitation", url.Values{"name": {"Sok Vanna"}, "password": {password}})
	x.backups = ui.Backups{Dir: "/b", Every: time.Hour, Made: []time.Time{time.Unix(x.clock.Load(), 0)}}
	x.desk.members = full().members
	for i := range x.desk.members {
		m := &x.desk.members[i]
		if m.Listings = 0; m.Self {
			m.Listings = 1
		} else {
			m.LastHeard, m.LeaseUntil = 1, 1<<62
		}
	}
	expect(map[string]string{"people": "done", "backup": "done", "federation": "done", "listing": "done"})
	page := x.admin.look("/welcome", 200, "All that is needed is done", "Finish")
	if strings.Contains(text(x.admin.look("/administration", 200)), "Steps done") {
		t.Error("the overview has steps though all that is needed is done")
	}
	x.backups.Made = nil
	x.admin.look("/administration", 200, "Steps done: 5 of 8")
	over := x.admin.follow(page, "/welcome/finish", nil, "Administration")
	if strings.Contains(text(over), "Steps done") {
		t.Error("what was hidden is shown")
	}
	x.admin.look("/administration/people/invite?roles=editor&organisation="+string(o.ID), 200)
}
