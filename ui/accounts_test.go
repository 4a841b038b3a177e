package ui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/house"
)

func classed(name string) func(*html.Node) bool {
	return func(n *html.Node) bool { return strings.Contains(" "+attr(n, "class")+" ", " "+name+" ") }
}

func TestSetupMakesTheFirstAdministrator(t *testing.T) {
	x := newHome(t, nil)
	first, _, err := x.house.People.SetupLink(access.Operator("KH"))
	if err != nil {
		t.Fatal(err)
	}
	b := x.browser()
	b.look("/setup?key=nonsense", 404, "This link is not valid", "tmh user setup-link")
	page := b.look("/setup?key="+first, 200)
	for id, want := range map[string]string{"setup-organisation-name": "Agency of Technology", "setup-organisation-contact-email": "help@agency.example.org"} {
		if n := find(page, func(n *html.Node) bool { return attr(n, "id") == id }); len(n) != 1 || attr(n[0], "value") != want {
			t.Errorf("%s is not filled in with %s", id, want)
		}
	}
	// Everything that is wrong is said at once, at its field and in the summary, and nothing is lost but the password.
	page = b.press(page, "/setup", url.Values{"email": {"nobody"}, "password": {"short"}, "organisation.ror": {"x"}}, 422,
		"Please correct the following", "Your name: 1 to 120 characters", "Email address: not an address", "New password: at least 12 characters", "ROR identifier: no ROR")
	for id, want := range map[string]string{"setup-email": "nobody", "setup-password": "", "setup-organisation-ror": "x"} {
		n := find(page, func(n *html.Node) bool { return attr(n, "id") == id })
		if len(n) != 1 || attr(n[0], "value") != want || attr(n[0], "aria-invalid") != "true" || !strings.Contains(attr(n[0], "aria-describedby"), id+"-wrong") {
			t.Errorf("%s: not shown as it should be: %v", id, n)
		}
	}
	if summary := find(page, classed("govuk-error-summary")); len(summary) != 1 || !has(summary[0], "autofocus") || len(find(summary[0], tag("a"))) != 4 {
		t.Error("the summary has not the focus, or leads not to four fields")
	}
	if title := text(find(page, tag("title"))[0]); !strings.HasPrefix(title, "Error: ") {
		t.Errorf("title %s", title)
	}
	b.follow(page, "/setup", url.Values{
		"name": {"Chan Dara"}, "email": {"dara@agency.example.org"}, "password": {password}, "organisation.ror": {""}, "language": {"km"},
	}, "This node is set up, and you are its administrator.", "First steps", "Chan Dara")
	b.look("/account", 200, "Agency of Technology", "Administrator")
	b.look("/setup?key="+first, 410, "This link does not work any more", "This link was used already")

	y := newHome(t, nil)
	if _, err := y.house.People.CreateOrganisation(access.Operator("KH"), access.OrganisationFields{Name: "agency of technology", Type: "agency", Country: "KH"}); err != nil {
		t.Fatal(err)
	}
	link, _, err := y.house.People.SetupLink(access.Operator("KH"))
	if err != nil {
		t.Fatal(err)
	}
	y.browser().press(y.browser().look("/setup?key="+link, 200), "/setup", url.Values{"name": {"Chan Dara"}, "email": {"dara@agency.example.org"}, "password": {password}}, 409,
		"Name of the agency: an organisation of this name is here already")
	late, _, err := y.house.People.SetupLink(access.Operator("KH"))
	if err != nil {
		t.Fatal(err)
	}
	newer, _, err := y.house.People.SetupLink(access.Operator("KH"))
	if err != nil {
		t.Fatal(err)
	}
	y.browser().look("/setup?key="+late, 410, "A newer link")
	y.clock.Add(int64(31 * time.Minute / time.Second))
	y.browser().look("/setup?key="+newer, 410, "This link has expired")
}

func TestPagesWithKeysAreKeptNowhere(t *testing.T) {
	x := newHome(t, nil)
	b := x.setUp()
	invitation := x.invite("sok@agency.example.org", access.Editor)
	for _, target := range []string{"/setup?key=k", invitation, "/verify?key=k", "/reset?key=k", "/reset", "/sign-in", "/account", "/account/data", "/account/erase"} {
		for _, who := range []*browser{b, x.browser()} {
			h := who.send(http.MethodGet, target, nil).Header()
			if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "strict-origin" {
				t.Errorf("%s: %s, %s", target, h.Get("Cache-Control"), h.Get("Referrer-Policy"))
			}
		}
	}
	if got := b.send(http.MethodGet, "/federation", nil).Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("a page with the visitor's name: %s", got)
	}
	if got := x.browser().send(http.MethodGet, "/federation", nil).Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("a page without: %s", got)
	}
}

func TestInvitation(t *testing.T) {
	x := newHome(t, nil)
	x.setUp()
	link := x.invite("sok@agency.example.org", access.Editor)
	b := x.browser()
	page := b.look(link, 200, "for Agency of Technology. Your role: Editor.")
	if n := find(page, func(n *html.Node) bool { return attr(n, "autocomplete") == "username" }); len(n) != 1 || attr(n[0], "value") != "sok@agency.example.org" || !has(n[0], "readonly") {
		t.Error("password managers do not learn the address")
	}
	if n := find(page, func(n *html.Node) bool { return attr(n, "value") == "km" && has(n, "selected") }); len(n) != 1 {
		t.Error("the language of the invitation is not chosen")
	}
	page = b.press(page, "/invitation", url.Values{"name": {"Sok Vanna"}, "password": {"sok vanna 1"}}, 422, "New password: ")
	page = b.follow(page, "/invitation", url.Values{"password": {password}}, "Your account is made", "Sok Vanna", "Editor")
	b.look(link, 410, "This link was used already", "ask the administrator who invited you")
	session := b.cookies["tmh"]
	if page = b.follow(page, "/sign-out", nil, "You are signed out"); strings.Contains(text(page), "Sok Vanna") {
		t.Error("signed out, the page still shows the name")
	}
	if _, err := x.house.People.Authenticate(session); err == nil || b.cookies["tmh"] != "" {
		t.Error("the session, or its cookie, outlives the sign-out")
	}
	if w := b.send(http.MethodGet, "/account", nil); w.Code != 303 || w.Header().Get("Location") != "/sign-in?from=%2Faccount" {
		t.Errorf("signed out, the account: %d %s", w.Code, w.Header().Get("Location"))
	}
}

func TestSignIn(t *testing.T) {
	x := newHome(t, nil)
	x.setUp()
	b := x.browser()
	page := b.look("/federation?x=1", 200, "Sign in")
	back := links(page)["Sign in"]
	if back != "/sign-in?from=%2Ffederation%3Fx%3D1" {
		t.Fatalf("got %s", back)
	}
	page = b.look(back, 200, "Sign in with a passkey", "Forgotten password")
	said := func(email, typed string) string {
		return text(find(b.press(page, "/sign-in", url.Values{"email": {email}, "password": {typed}}, 403), classed("govuk-error-summary"))[0])
	}
	known, unknown := said("dara@agency.example.org", "wrong password"), said("nobody@agency.example.org", "wrong password")
	if known != unknown || !strings.Contains(known, "do not belong together") {
		t.Errorf("a known address is told: %s\nan unknown one: %s", known, unknown)
	}
	w := b.post(page, "/sign-in", url.Values{"email": {"Dara@agency.example.org "}, "password": {password}})
	if w.Code != 303 || w.Header().Get("Location") != "/federation?x=1" {
		t.Fatalf("%d to %s", w.Code, w.Header().Get("Location"))
	}
	b.look("/federation", 200, "Chan Dara", "Sign out")
	if w := b.send(http.MethodGet, "/sign-in?from=/figures", nil); w.Header().Get("Location") != "/figures" {
		t.Error("who is signed in is asked again")
	}

	// The sixth wrong password finds the door closed, with another address just so.
	c := x.browser()
	for range 4 {
		said("nobody@agency.example.org", "wrong password")
	}
	c.press(page, "/sign-in", url.Values{"email": {"nobody@agency.example.org"}, "password": {"wrong password"}}, 503, "Please correct the following")
}

func TestNobodyIsSentElsewhere(t *testing.T) {
	x := newHome(t, nil)
	x.setUp()
	for from, want := range map[string]string{
		"/figures?a=b#c": "/figures?a=b#c", "": "/", "figures": "/", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example/": "/", "/\t/evil.example": "/",
		"/%2f/evil.example": "/", "///evil.example": "/", "/" + strings.Repeat("a", 3000): "/", "javascript:alert(1)": "/", "/a\r\nX: y": "/",
	} {
		b := x.browser()
		page := b.look("/sign-in?from="+url.QueryEscape(from), 200)
		for _, given := range []url.Values{nil, {"from": {from}}} {
			values := url.Values{"email": {"dara@agency.example.org"}, "password": {password}}
			if given != nil {
				values["from"] = given["from"]
			}
			if w := b.post(page, "/sign-in", values); w.Code != 303 || w.Header().Get("Location") != want {
				t.Errorf("from %.40q: %d to %q, want %q", from, w.Code, w.Header().Get("Location"), want)
			}
		}
	}
}

func TestForgottenPassword(t *testing.T) {
	x := newHome(t, mailed)
	admin := x.setUp()
	b := x.browser()
	page := b.look("/reset", 200, "Give the address of your account")
	b.press(page, "/reset", url.Values{"email": {"x"}}, 422, "Email address: not an address")
	known := text(b.press(page, "/reset", url.Values{"email": {"dara@agency.example.org"}}, 200, "Look into your mail"))
	if unknown := text(b.press(page, "/reset", url.Values{"email": {"nobody@agency.example.org"}}, 200)); known != unknown {
		t.Error("the page tells whether there is an account")
	}
	if h, err := x.house.Mail.Health(); err != nil || h.Waiting != 1 {
		t.Errorf("mail waiting: %d, %v", h.Waiting, err)
	}
	found, _, err := x.house.People.Users(access.Operator("KH"), access.UserFilter{Text: "dara@agency.example.org"}, access.Page{})
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	secret, err := x.house.People.ResetLink(access.Operator("KH"), found[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	b.look("/reset?key=nonsense", 404, "This link is not valid", "Ask for a new link")
	page = b.look("/reset?key="+secret, 200, "Set a new password")
	page = b.press(page, "/reset", url.Values{"password": {"aaaaaaaaaaaaaa"}}, 422, "New password: this is among the first")
	b.press(page, "/reset", url.Values{"password": {"four yellow cloth kites"}}, 200, "Your new password is set")
	b.look("/reset?key="+secret, 410, "Ask for a new link")
	if w := admin.send(http.MethodGet, "/account", nil); w.Code != 303 {
		t.Errorf("a session outlives the password: %d", w.Code)
	}
	b.follow(b.look("/sign-in?from=/account", 200), "/sign-in", url.Values{"email": {"dara@agency.example.org"}, "password": {"four yellow cloth kites"}}, "Your account")
}

func TestOpeningALinkConfirmsNothing(t *testing.T) {
	x := newHome(t, mailed)
	b := x.setUp()
	page := b.look("/account", 200)
	b.follow(page, "/account/email", url.Values{"email": {"chan@agency.example.org"}}, "A link is on its way")
	self := x.actor(b)
	secret, err := x.house.People.VerificationLink(self, self.User, "chan@agency.example.org")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		page = b.look("/verify?key="+secret, 200, "Confirm your email address")
	}
	b.press(page, "/verify", nil, 200, "Your email address is confirmed")
	b.look("/account", 200, "chan@agency.example.org")
	b.press(page, "/verify", nil, 410, "This link was used already")
}

// actor whose session the browser has.
func (x *home) actor(b *browser) access.Actor {
	x.t.Helper()
	a, err := x.house.People.Authenticate(b.cookies["tmh"])
	if err != nil {
		x.t.Fatal(err)
	}
	return a
}

func TestAccount(t *testing.T) {
	x := newHome(t, nil)
	b := x.setUp()
	page := b.look("/account", 200, "Adding a passkey needs JavaScript", "This one")
	stale := page

	page = b.follow(page, "/account/profile", url.Values{"name": {khmer[:60]}, "language": {"km"}}, "Your name and language are saved.")
	if n := find(page, func(n *html.Node) bool { return attr(n, "id") == "profile-name" }); attr(n[0], "value") != khmer[:60] {
		t.Error("the name is not saved")
	}
	b.press(stale, "/account/profile", url.Values{"name": {"Another"}}, 409, "Please correct the following")
	b.press(page, "/account/profile", url.Values{"name": {""}}, 422, "Your name: 1 to 120 characters")

	// A second session, seen and ended from the first.
	other := x.browser()
	other.follow(other.look("/sign-in?from=/account", 200), "/sign-in", url.Values{"email": {"dara@agency.example.org"}, "password": {password}})
	page = b.look("/account", 200, "End all other sessions")
	if len(find(page, func(n *html.Node) bool { return attr(n, "value") == "others" })) != 1 {
		t.Error("no button that ends the others")
	}
	if w := b.send(http.MethodPost, "/account/sessions/end", url.Values{"id": {"others"}}); w.Code != 303 {
		t.Errorf("end the others: %d", w.Code)
	}
	if w := other.send(http.MethodGet, "/account", nil); w.Code != 303 {
		t.Errorf("the other session goes on: %d", w.Code)
	}

	b.press(page, "/account/password", url.Values{"current": {"wrong one, surely"}, "password": {"four yellow cloth kites"}}, 403, "Current password: this is not your current password")
	before := b.cookies["tmh"]
	page = b.follow(page, "/account/password", url.Values{"current": {password}, "password": {"four yellow cloth kites"}}, "Your new password is set.")
	if b.cookies["tmh"] == before {
		t.Error("the session keeps its secret")
	}

	page = b.press(page, "/account/tokens", url.Values{"name": {"Nightly import"}}, 422, "What it may do: at least one scope")
	page = b.press(page, "/account/tokens", url.Values{"name": {"Nightly import"}, "scopes": {"read", "admin"}, "expires": {"30"}}, 200, "Your new token", "it is shown this once")
	secret := text(find(page, tag("pre"))[0])
	if a, err := x.house.People.AuthenticateToken(secret); err != nil || a.Name == "" || len(a.Scopes) != 2 {
		t.Fatalf("the token shown: %+v, %v", a, err)
	}
	page = b.look("/account", 200, "Nightly import", "Read and Administer; until 23 December 2026; Last used 23 November 2026.")
	if strings.Contains(text(page), secret) {
		t.Error("the token is shown again")
	}
	page = b.follow(page, "/account/tokens/revoke", nil, "The token works no more.")
	if _, err := x.house.People.AuthenticateToken(secret); err == nil || strings.Contains(text(page), "Nightly import") {
		t.Error("the token still works, or is listed")
	}

	w := b.send(http.MethodGet, "/account/data", nil)
	if w.Code != 200 || !strings.Contains(w.Header().Get("Content-Disposition"), "attachment") || !strings.Contains(w.Body.String(), "dara@agency.example.org") || strings.Contains(w.Body.String(), "argon2") {
		t.Errorf("data: %d %v\n%s", w.Code, w.Header(), w.Body)
	}
}

func TestErasure(t *testing.T) {
	x := newHome(t, nil)
	admin := x.setUp()
	page := admin.look("/account/erase", 200, "for ever")
	admin.press(page, "/account/erase", url.Values{"confirm": {"dara@agency.example.org"}}, 409, "without an administrator")
	b := x.browser()
	page = b.look(x.invite("sok@agency.example.org", access.Reader), 200)
	b.follow(page, "/invitation", url.Values{"name": {"Sok Vanna"}, "password": {password}})
	page = b.look("/account/erase", 200)
	b.press(page, "/account/erase", url.Values{"confirm": {"dara@agency.example.org"}}, 422, "this is not the address of your account")
	b.follow(page, "/account/erase", url.Values{"confirm": {"Sok@agency.example.org"}}, "Your account is erased", "Sign in")
	page = b.look("/sign-in", 200)
	b.press(page, "/sign-in", url.Values{"email": {"sok@agency.example.org"}, "password": {password}}, 403)
}

// What a stranger sends changes nothing, and neither does another site's page in a visitor's browser.
func TestFormsAreRefused(t *testing.T) {
	x := newHome(t, nil)
	b := x.setUp()
	for _, path := range []string{"profile", "password", "passkeys/begin", "passkeys/finish", "passkeys/rename", "passkeys/remove", "identities/remove", "sessions/end", "tokens", "tokens/revoke", "erase"} {
		path = "/account/" + path
		w := x.browser().send(http.MethodPost, path, url.Values{"name": {"x"}, "confirm": {"dara@agency.example.org"}, "scopes": {"admin"}})
		if w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/sign-in") {
			t.Errorf("%s for a stranger: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/account/erase", "/sign-out", "/account/tokens", "/sign-in"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader("confirm=dara@agency.example.org"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.AddCookie(&http.Cookie{Name: "tmh", Value: b.cookies["tmh"]})
		if w := record(x.h, r); w.Code != 403 {
			t.Errorf("%s from another site: %d", path, w.Code)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/federation", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer tmh_wrong")
	b.check("a wrong token", record(x.h, r), 403, []string{"This is no token of a TMH node"})
	b.look("/account", 200, "Chan Dara")
	huge := b.send(http.MethodPost, "/account/profile", url.Values{"name": {strings.Repeat("a", 1<<20)}})
	b.check("a form of a megabyte", huge, 400, []string{"The form could not be read"})
}

func TestTooManyAttempts(t *testing.T) {
	x := newHome(t, nil)
	b := x.browser()
	for range 60 {
		b.send(http.MethodPost, "/verify", url.Values{"key": {"x"}})
	}
	b.check("the 61st", b.send(http.MethodPost, "/verify", url.Values{"key": {"x"}}), 429, []string{"Too many attempts", "Wait a minute"})
	b.look("/sign-in", 200)
	b.address = "192.0.2.8:4711"
	b.check("from elsewhere", b.send(http.MethodPost, "/verify", url.Values{"key": {"x"}}), 404, nil)
}

// A person behind a door may do more than a stranger before it, since pages save while one writes; and the strangers of the same network
// are not counted with him.
func TestSessionsAreBoundedApart(t *testing.T) {
	x := newHome(t, nil)
	b := x.setUp()
	send := func() int {
		return b.send(http.MethodPost, "/account/sessions/end", url.Values{"id": {"none"}}).Code
	}
	for i := range 300 {
		if code := send(); code == http.StatusTooManyRequests {
			t.Fatalf("request %d is refused", i)
		}
	}
	if code := send(); code != http.StatusTooManyRequests {
		t.Errorf("the 301st: %d", code)
	}
	stranger := x.browser()
	stranger.check("a stranger", stranger.send(http.MethodPost, "/verify", url.Values{"key": {"x"}}), 404, nil)
}

func TestWithoutPublicAddress(t *testing.T) {
	x := newHome(t, func(c *house.Config) { c.PublicURL = "" })
	b := x.setUp()
	b.look("/account", 200, "This node has no passkeys yet")
	if page := x.browser().look("/sign-in", 200); strings.Contains(text(page), "passkey") {
		t.Error("passkeys are offered")
	}
	w := b.send(http.MethodPost, "/account/passkeys/begin", nil)
	if w.Code != 503 || !strings.Contains(w.Body.String(), "public_url") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
