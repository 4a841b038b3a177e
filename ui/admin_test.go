package ui_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui"
	"github.com/asean-tmh/tmh/ui/lang"
)

// agency is a home whose pages know of checks and backups, with an administrator.
type agency struct {
	*home
	admin   *browser
	checks  []exchange.Finding
	looked  int
	backups ui.Backups
}

func newAgency(t *testing.T, change func(*house.Config)) *agency {
	t.Helper()
	x := &agency{home: newHome(t, change)}
	x.checks = []exchange.Finding{
		{Check: "disk", Level: exchange.Fault, What: "it is full", Next: "Make room."},
		{Check: "clock", Level: exchange.Warning, What: "it is fast", Next: "Set it."},
		{Check: "index", Level: exchange.Fine, What: "complete"},
	}
	x.h = door.Protect(ui.New(ui.Config{
		Desk: x.desk, House: x.house, Door: &door.Keeper{House: x.house, Member: "KH"}, Name: "Cambodia", Version: "0.1", Log: slog.New(slog.DiscardHandler),
		Now:     func() time.Time { return time.Unix(x.clock.Load(), 0).UTC() },
		Site:    func(r *http.Request) interop.Site { return interop.Site{Member: "KH", PublicURL: "http://" + r.Host} },
		Examine: func() []exchange.Finding { x.looked++; return x.checks }, Backups: func() (ui.Backups, error) { return x.backups, nil },
	}))
	x.admin = x.setUp()
	return x
}

func (x *agency) organisation(name string) access.Organisation {
	x.t.Helper()
	o, err := x.house.People.CreateOrganisation(access.Operator("KH"), access.OrganisationFields{Name: name, Type: "university", Country: "KH"})
	if err != nil {
		x.t.Fatal(err)
	}
	return o
}

// person of an organisation, signed in.
func (x *agency) person(email string, o access.OrganisationID, roles ...access.Role) (*browser, access.User) {
	x.t.Helper()
	secret, _, err := x.house.People.Invite(access.Operator("KH"), email, o, roles, "en")
	if err != nil {
		x.t.Fatal(err)
	}
	b := x.browser()
	b.follow(b.look("/invitation?key="+secret, 200), "/invitation", url.Values{"name": {"Sok Vanna"}, "password": {password}})
	return b, x.user(email)
}

func (x *agency) user(email string) access.User {
	x.t.Helper()
	u, err := x.house.People.UserOf(access.Operator("KH"), email)
	if err != nil {
		x.t.Fatal(err)
	}
	return u
}

// adminPages are the pages of administration that the address alone leads to.
func adminPages() []string {
	return []string{
		"/administration", "/administration/checks", "/administration/people", "/administration/people/invite", "/administration/organisations", "/administration/organisations/new",
		"/administration/audit", "/administration/backup", "/welcome", "/welcome/agency", "/welcome/mail", "/welcome/listing",
	}
}

func TestAdministrationIsForWhomTheRulesAllow(t *testing.T) {
	x := newAgency(t, nil)
	o := x.organisation("Institute")
	editor, _ := x.person("editor@institute.example.org", o.ID, access.Editor)
	auditor, _ := x.person("auditor@institute.example.org", o.ID, access.Auditor)
	sees := map[string]bool{"/administration": true, "/administration/checks": true, "/administration/audit": true, "/administration/backup": true}
	for _, path := range adminPages() {
		x.admin.look(path, 200)
		editor.look(path, 403)
		if w := x.browser().send(http.MethodGet, path, nil); w.Code != 303 || w.Header().Get("Location") != "/sign-in?from="+url.QueryEscape(path) {
			t.Errorf("a stranger at %s: %d to %s", path, w.Code, w.Header().Get("Location"))
		}
		if want := map[bool]int{true: 200, false: 403}[sees[path]]; true {
			auditor.look(path, want)
		}
	}
	page := auditor.look("/administration", 200, "Checklist", "Audit log", "Backup")
	for _, n := range find(page, tag("a")) {
		for _, hidden := range []string{"/administration/people", "/administration/organisations", "/welcome"} {
			if strings.HasPrefix(attr(n, "href"), hidden) {
				t.Errorf("an auditor is led to %s", attr(n, "href"))
			}
		}
	}
	if len(find(auditor.look("/", 200), func(n *html.Node) bool { return n.Data == "a" && attr(n, "href") == "/administration" })) != 1 {
		t.Error("an auditor's menu has no way to the audit log")
	}
	for _, path := range []string{"/administration/people/invite", "/administration/people/uninvite", "/administration/organisations/new", "/administration/audit/verify", "/administration/checks", "/welcome/finish", "/welcome/mail"} {
		if w := editor.send(http.MethodPost, path, url.Values{}); w.Code != 403 {
			t.Errorf("an editor sends to %s: %d", path, w.Code)
		}
	}
	who := x.user("auditor@institute.example.org")
	for _, what := range []string{"roles", "disable", "enable", "reset", "sessions", "revoke", "confirm", "export", "erase"} {
		if w := auditor.send(http.MethodPost, "/administration/people/"+string(who.ID)+"/"+what, url.Values{"version": {"1"}, "roles": {"admin"}}); w.Code != 403 {
			t.Errorf("an auditor sends %s: %d", what, w.Code)
		}
	}
}

func TestPeopleAreInvitedChangedAndShutOut(t *testing.T) {
	x := newAgency(t, nil)
	o := x.organisation("Institute")
	page := x.admin.look("/administration/people/invite", 200, "You get a link to hand over")
	page = x.admin.press(page, "/administration/people/invite", url.Values{"email": {"nobody"}}, 422, "Email address: ", "at least one role", "choose the organisation")
	if got := attr(find(page, func(n *html.Node) bool { return attr(n, "name") == "email" })[0], "value"); got != "nobody" {
		t.Errorf("what was typed is gone: %q", got)
	}
	page = x.admin.press(page, "/administration/people/invite", url.Values{"email": {"vanna@institute.example.org"}, "organisation": {string(o.ID)}, "roles": {"editor"}}, 200,
		"The invitation is made", "vanna@institute.example.org", "shown this once")
	link := text(find(page, tag("pre"))[0])
	if !strings.HasPrefix(link, "http://localhost:8080/invitation?key=") {
		t.Fatalf("the link is %q", link)
	}
	x.admin.look("/administration/people", 200, "vanna@institute.example.org", "Institute; Editor; until")
	x.admin.look("/administration", 200, "1 person. Open invitations: 1")

	vanna := x.browser()
	vanna.follow(vanna.look(strings.TrimPrefix(link, "http://localhost:8080"), 200), "/invitation", url.Values{"name": {"Sok Vanna"}, "password": {password}})
	u := x.user("vanna@institute.example.org")
	path := "/administration/people/" + string(u.ID)
	list := x.admin.look("/administration/people?text=vanna&role=editor&organisation="+string(o.ID), 200, "Sok Vanna", "Nobody is invited")
	if n := find(list, func(n *html.Node) bool { return n.Data == "a" && attr(n, "href") == path }); len(n) != 1 {
		t.Error("the person is not in the list")
	}
	x.admin.look("/administration/people?text=dara&role=editor", 200, "Nobody here fits")
	x.admin.look("/administration/people?disabled=yes", 200, "Nobody here fits")

	page = x.admin.look(path, 200, "Sok Vanna", "Institute", "Editor")
	x.admin.press(page, path+"/roles", url.Values{"roles": {"clown"}}, 422, "is no role")
	x.admin.follow(page, path+"/roles", url.Values{"roles": {"reviewer", "auditor"}}, "Organisation and roles are saved.", "Reviewer and Auditor")
	if w := vanna.send(http.MethodGet, "/account", nil); w.Code != 303 {
		t.Errorf("the sessions have not ended: %d", w.Code)
	}
	x.admin.press(page, path+"/roles", url.Values{"roles": {"admin"}}, 409, "Somebody changed this meanwhile")

	page = x.admin.look(path, 200)
	reset := text(find(x.admin.press(page, path+"/reset", nil, 200, "hand it to vanna@institute.example.org"), tag("pre"))[0])
	if !strings.HasPrefix(reset, "http://localhost:8080/reset?key=") {
		t.Errorf("the link is %q", reset)
	}
	vanna.press(vanna.look(strings.TrimPrefix(reset, "http://localhost:8080"), 200), "/reset", url.Values{"password": {"other words for a boat"}}, 200)
	page = x.admin.follow(x.admin.look(path, 200), path+"/disable", nil, "The account is disabled.", "cannot sign in")
	x.admin.look("/administration/people?disabled=yes", 200, "Sok Vanna", "Disabled")
	vanna.press(vanna.look("/sign-in", 200), "/sign-in", url.Values{"email": {"vanna@institute.example.org"}, "password": {"other words for a boat"}}, 403, "disabled")
	page = x.admin.follow(page, path+"/enable", nil, "The account is enabled.")
	x.admin.follow(page, path+"/sessions", nil, "The sessions have ended.")

	if w := x.admin.post(page, path+"/export", nil); w.Code != 200 || !strings.Contains(w.Body.String(), `"email": "vanna@institute.example.org"`) || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("export: %d %.80s", w.Code, w.Body)
	}
	page = x.admin.look(path+"/erase", 200, "Sok Vanna", string(u.ID))
	page = x.admin.press(page, path+"/erase", url.Values{"confirm": {"dara@agency.example.org"}}, 422, "not the address of that account")
	x.admin.press(page, path+"/erase", url.Values{"confirm": {"Vanna@institute.example.org"}}, 200, "The account is erased", string(u.ID))
	x.admin.look(path, 404)
}

func TestAdministratorCannotShutHimselfOut(t *testing.T) {
	x := newAgency(t, nil)
	me := x.user("dara@agency.example.org")
	path := "/administration/people/" + string(me.ID)
	page := x.admin.look(path, 200, "This is your own account", "You stay administrator")
	for _, action := range buttons(page) {
		if strings.HasSuffix(action, "/disable") || strings.HasSuffix(action, "/erase") {
			t.Errorf("there is a button for %s", action)
		}
	}
	x.admin.check("POST disable", x.admin.send(http.MethodPost, path+"/disable", url.Values{"version": {"1"}}), 409, []string{"his is your own account"})
	if w := x.admin.post(page, path+"/roles", url.Values{"roles": {"reviewer"}}); w.Code != 303 || w.Header().Get("Location") != "/sign-in?from="+path {
		t.Errorf("own roles: %d to %s", w.Code, w.Header().Get("Location"))
	}
	if u := x.user(me.Email); len(u.Roles) != 2 || u.Disabled {
		t.Errorf("the administrator has now %v", u.Roles)
	}
	x.admin.follow(x.admin.look("/sign-in?from=/administration", 200), "/sign-in", url.Values{"email": {me.Email}, "password": {password}}, "Administration")
	own := "/administration/organisations/" + string(me.Organisation)
	x.admin.look(own, 200, "This is your own organisation")
	x.admin.check("POST disable", x.admin.send(http.MethodPost, own+"/disable", url.Values{"version": {"1"}}), 409, []string{"your own account"})
}

func TestMailedLinksAreNotShown(t *testing.T) {
	x := newAgency(t, mailed)
	o := x.organisation("Institute")
	page := x.admin.press(x.admin.look("/administration/people/invite?roles=editor&organisation="+string(o.ID), 200, "A link is sent to the address"), "/administration/people/invite",
		url.Values{"email": {"vanna@institute.example.org"}, "organisation": {string(o.ID)}, "roles": {"editor"}}, 200, "A link is on its way to vanna@institute.example.org")
	if n := find(page, tag("pre")); len(n) > 0 {
		t.Error("the link is shown")
	}
	list := x.admin.look("/administration/people", 200, "vanna@institute.example.org")
	x.admin.follow(list, "/administration/people/uninvite", nil, "The invitation is taken back", "Nobody is invited")
	x.admin.press(list, "/administration/people/uninvite", url.Values{"id": {"x"}}, 404, "no such invitation")
	x.admin.follow(x.admin.look("/welcome/mail", 200, "Send yourself one"), "/welcome/mail", nil, "A mail to you is on its way")
	if h, err := x.house.Mail.Health(); err != nil || h.Waiting == 0 {
		t.Errorf("no mail waits: %+v %v", h, err)
	}
}

// TestLinkToHandOverIsWhole: also where no public address is configured.
func TestLinkToHandOverIsWhole(t *testing.T) {
	x := newAgency(t, func(c *house.Config) { c.PublicURL = "" })
	me := x.user("dara@agency.example.org")
	page := x.admin.press(x.admin.look("/administration/people/invite", 200), "/administration/people/invite",
		url.Values{"email": {"vanna@agency.example.org"}, "organisation": {string(me.Organisation)}, "roles": {"reviewer"}}, 200)
	if link := text(find(page, tag("pre"))[0]); !strings.HasPrefix(link, "http://example.com/invitation?key=") {
		t.Errorf("the link is %q", link)
	}
}

func TestOrganisationsAreEnteredAndShut(t *testing.T) {
	x := newAgency(t, nil)
	page := x.admin.look("/administration/organisations/new", 200)
	page = x.admin.press(page, "/administration/organisations/new", url.Values{"name": {"I"}, "ror": {"x"}, "contact.email": {"y"}}, 422, "Name of the organisation: ", "not a type of organisation", "name@example.org")
	x.admin.follow(page, "/administration/organisations/new", url.Values{
		"name": {"Institute"}, "type": {"university"}, "country": {"KH"}, "ror": {""}, "contact.email": {"desk@institute.example.org"},
	}, "Invite its people next", "Institute", "University", "After review")
	x.admin.press(page, "/administration/organisations/new", url.Values{"name": {"institute"}, "type": {"university"}, "country": {"KH"}, "ror": {""}, "contact.email": {""}}, 409, "is here already")
	all, _, err := x.house.People.Organisations(access.Operator("KH"), access.Page{})
	if err != nil || len(all) != 2 {
		t.Fatal(err, all)
	}
	o := all[1]
	path := "/administration/organisations/" + string(o.ID)
	editor, _ := x.person("editor@institute.example.org", o.ID, access.Editor)
	page = x.admin.look(path, 200, "No listing of this organisation was reviewed yet")
	x.admin.follow(page, path, url.Values{"self_publish": {"yes"}, "name": {"Royal Institute"}}, "The organisation is saved.", "Royal Institute")
	x.admin.press(page, path, url.Values{"name": {"Other"}}, 409, "Somebody changed this meanwhile")
	x.admin.press(page, path+"/disable", nil, 409, "Somebody changed this meanwhile")
	page = x.admin.follow(x.admin.look(path, 200), path+"/disable", nil, "The organisation is disabled.")
	if w := editor.send(http.MethodGet, "/account", nil); w.Code != 303 {
		t.Errorf("people of a disabled organisation are let in: %d", w.Code)
	}
	got, err := x.house.People.Organisation(access.Operator("KH"), o.ID)
	if err != nil || !got.Disabled || !got.SelfPublish || got.Contact.Email != "desk@institute.example.org" {
		t.Errorf("%+v %v", got, err)
	}
	x.admin.look("/administration/organisations", 200, "Disabled", "Without review")
	x.admin.follow(page, path+"/enable", nil, "The organisation is enabled.")
	x.admin.look("/administration/organisations/o123", 404)
}

func TestAuditLogIsReadFilteredAndVerified(t *testing.T) {
	x := newAgency(t, nil)
	o := x.organisation("Institute")
	auditor, u := x.person("auditor@institute.example.org", o.ID, access.Auditor)
	rows := func(page *html.Node) int {
		return len(find(page, func(n *html.Node) bool { return n.Data == "tr" })) - 1
	}
	page := x.admin.look("/administration/audit", 200, "Chan Dara", "setup.done", "organisation.create", "The operator, at the node", "user.create")
	all := rows(page)
	page = x.admin.look("/administration/audit?group=organisation", 200, "organisation.create")
	if rows(page) != 1 {
		t.Errorf("%d entries of organisations", rows(page))
	}
	page = x.admin.look("/administration/audit?actor=auditor%40institute.example.org", 200, "Sok Vanna", "user.create")
	if n := rows(page); n < 1 || n >= all {
		t.Errorf("%d of %d entries are the auditor's", n, all)
	}
	if rows(x.admin.look("/administration/audit?actor="+string(u.ID), 200)) != rows(page) {
		t.Error("a person's id finds other entries than the address")
	}
	x.admin.look("/administration/audit?actor=nobody%40example.org", 422, "obody on this node has this address")
	x.admin.look("/administration/audit?from=yesterday", 422, "date such as")
	day := protocol.DateOf(time.Unix(x.clock.Load(), 0)).String()
	if got := rows(x.admin.look("/administration/audit?from="+day+"&until="+day, 200)); got < all {
		t.Errorf("%d of %d entries are of today", got, all)
	}
	x.admin.look("/administration/audit?until=2020-01-01", 200, "No entry fits")
	page = x.admin.look("/administration/audit?of=organisation&id="+string(o.ID), 200, "organisation.create")
	if rows(page) != 1 {
		t.Errorf("%d entries of the Institute", rows(page))
	}
	download := find(page, func(n *html.Node) bool { return n.Data == "a" && has(n, "download") })
	if len(download) != 1 || attr(download[0], "href") != "/api/v1/audit/export?resource="+string(o.ID)+"&resource_kind=organisation" {
		t.Error("the download is not of what is shown")
	}
	own := auditor.look("/administration/audit", 200, "user.create", "number for the person")
	if strings.Contains(text(find(own, tag("main"))[0]), "Chan Dara") {
		t.Error("an auditor, who may not see people, is told a name")
	}
	head, err := x.house.LogHead(access.Operator("KH"))
	if err != nil {
		t.Fatal(err)
	}
	auditor.press(own, "/administration/audit/verify", nil, 200, "nothing was changed, left out or put in", head.Hash.String())
}

func TestChecksAndBackupsAreShown(t *testing.T) {
	x := newAgency(t, nil)
	x.admin.look("/administration", 200, "To mend: 1. To look at: 1. Fine: 1", "No backups are taken on schedule")
	page := x.admin.look("/administration/checks", 200, "disk", "It is full.", "Next: Make room.", "It is fast.", "Complete.")
	if x.looked != 1 {
		t.Errorf("the checks ran %d times for two pages", x.looked)
	}
	x.checks = x.checks[2:]
	x.admin.follow(page, "/administration/checks", nil, "Complete.")
	if x.looked != 2 {
		t.Errorf("the checks ran %d times", x.looked)
	}
	x.admin.look("/administration", 200, "To mend: 0. To look at: 0. Fine: 1")
	at := time.Unix(x.clock.Load(), 0)
	x.backups = ui.Backups{Dir: "/backups", Every: 24 * time.Hour, Keep: 7}
	x.admin.look("/administration/backup", 200, "There is no backup yet", "/backups", "24 hours", "tmh backup --dir DIR", "tmh restore --dir DIR", "guard file")
	x.admin.look("/administration/backup", 200, "This node has not given out a backup by hand.")
	x.backups.Given = []time.Time{at.Add(-48 * time.Hour), at.Add(-2 * time.Hour)}
	x.admin.look("/administration/backup", 200, "Taken by hand23 November 2026, 07:30 UTC21 November 2026, 09:30 UTC", "One taken while the node was stopped is not listed.")
	x.backups.Made = []time.Time{at.Add(-3 * time.Hour)}
	x.admin.look("/administration/backup", 200, "The newest backup is of", "3 hours ago")
	x.backups.Made[0] = at.Add(-72 * time.Hour)
	x.admin.look("/administration/backup", 200, "a newer one should be here")
	x.backups.Failures, x.backups.Why = 1, "the disk is full"
	x.admin.look("/administration", 200, "The last scheduled backup failed")
	x.admin.look("/administration/backup", 200, "disk is full")
}

// TestAdministrationInEveryLanguage: each template, in each state that has texts of its own.
func TestAdministrationInEveryLanguage(t *testing.T) {
	x, m := newAgency(t, nil), newAgency(t, mailed)
	x.backups = ui.Backups{Dir: "/backups", Every: time.Hour, Keep: 7, Made: []time.Time{time.Unix(x.clock.Load(), 0)}, Given: []time.Time{time.Unix(x.clock.Load(), 0)}}
	o := x.organisation("Institute")
	_, u := x.person("editor@institute.example.org", o.ID, access.Editor)
	me := x.user("dara@agency.example.org")
	if _, _, err := x.house.People.Invite(access.Operator("KH"), "more@institute.example.org", o.ID, []access.Role{access.Editor}, ""); err != nil {
		t.Fatal(err)
	}
	person, organisation := "/administration/people/"+string(u.ID), "/administration/organisations/"+string(o.ID)
	targets := append(adminPages(), person, person+"/erase", "/administration/people/"+string(me.ID), organisation, "/administration/organisations/"+string(me.Organisation),
		"/administration/audit?group=user&of=user", "/administration/people?text=zzz", person+"?done=roles", organisation+"?done=saved", "/welcome?done=setup")
	b, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, tagged := range ui.Languages() {
		all := map[string]*html.Node{}
		x.admin.cookies["lang"], m.admin.cookies["lang"] = string(tagged), string(tagged)
		for _, target := range targets {
			all[target] = x.admin.look(target, 200)
		}
		for _, target := range []string{"/welcome/mail", "/administration", "/administration/people/invite"} {
			all["mailed "+target] = m.admin.look(target, 200)
		}
		all["reset"] = x.admin.press(all[person], person+"/reset", nil, 200)
		all["verify"] = x.admin.press(all["/administration/audit"], "/administration/audit/verify", nil, 200)
		all["faults"] = x.admin.press(all["/administration/organisations/new"], "/administration/organisations/new", url.Values{"name": {""}}, 422)
		for name, root := range all {
			if got := attr(find(root, tag("html"))[0], "lang"); got != string(tagged) {
				t.Errorf("%s %s: is in %s", tagged, name, got)
			}
			shown := text(root)
			for _, key := range b.Keys() {
				if (strings.HasPrefix(key, "admin.") || strings.HasPrefix(key, "welcome.")) && strings.Contains(shown, key) {
					t.Errorf("%s %s: shows the key %s", tagged, name, key)
				}
			}
			for _, bad := range []string{"{{", "&lt;a&gt;", "<no value>", "%!"} {
				if strings.Contains(shown, bad) {
					t.Errorf("%s %s: shows %s", tagged, name, bad)
				}
			}
		}
	}
}
