package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// Who looks at a page, and what holds for the pages behind a door.

// visitor is what the head of every page says of who looks at it.
type visitor struct {
	Doors                bool // there is a way to sign in
	Name                 template.HTML
	SignIn               string // address of the page, which leads back here
	AtAccount, AtSignIn  bool
	Posts                string // address for posting a listing; "" for who may not
	Organisation         string // address of the own organisation's page; "" for none
	Reviews, Administers bool
}

func (s *site) visitor(r *http.Request) visitor {
	if s.cfg.House == nil || s.cfg.Door == nil {
		return visitor{}
	}
	v := visitor{Doors: true, SignIn: signInFrom(r), AtAccount: r.URL.Path == "/account", AtSignIn: r.URL.Path == "/sign-in"}
	if a := door.ActorOf(r.Context()); a.Session != "" {
		v.Name = voice(a.Name)
		if slices.Contains(a.Roles, access.Editor) {
			v.Posts = "/post"
		}
		if a.Organisation != "" {
			v.Organisation = organisationPath(a.Organisation)
		}
		v.Reviews, v.Administers = slices.Contains(a.Roles, access.Reviewer), may(a, access.ReadSettings)
	}
	return v
}

// signInFrom is the address of the page for signing in that leads back to where the visitor is. It does not name a page behind a
// link: the link works once.
func signInFrom(r *http.Request) string {
	here := r.URL.RequestURI()
	switch r.URL.Path {
	case "/", "/sign-in", "/sign-out", "/signed-out", "/setup", "/invitation", "/verify", "/reset":
		if r.URL.Path != "/" || r.URL.RawQuery == "" {
			return "/sign-in"
		}
	}
	if r.Method != http.MethodGet || local(here) == "/" {
		return "/sign-in"
	}
	return "/sign-in?from=" + url.QueryEscape(here)
}

// local is an address on this node to go to, "/" where it is none: nobody is sent elsewhere because a link said so.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || len(to) > 2000 || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") ||
		strings.ContainsFunc(to, func(c rune) bool { return c <= ' ' || c == 0x7F || c == '\\' }) || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	return to
}

// identify says who asks, to door.ActorOf. Pages with a person's name on them are kept nowhere.
func (s *site) identify(w http.ResponseWriter, r *http.Request) (*http.Request, error) {
	if s.cfg.Door == nil {
		return r, nil
	}
	known, err := s.cfg.Door.Identify(r)
	if err != nil {
		return r, err
	}
	if !door.ActorOf(known.Context()).Anonymous() {
		w.Header().Set("Cache-Control", "no-store")
	}
	return known, nil
}

// handler makes a page behind a door, or answers by itself and gives the zero view.
type handler func(w http.ResponseWriter, r *http.Request) (view, error)

const maxForm = 64 << 10

// behind is for pages with keys or about a person: kept nowhere, and their address told to nobody. The policy is strict-origin
// rather than no-referrer, under which browsers send forms with “Origin: null”; one that sends no Sec-Fetch-Site could then not
// be told from another site's page, and would be refused.
func (s *site) behind(mk handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "strict-origin")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			s.write(w, r, s.problemView(r, http.StatusBadRequest, "form"))
			return
		}
		v, err := mk(w, r)
		if err != nil {
			v = s.problem(r, err)
		}
		if v.name != "" {
			s.write(w, r, v)
		}
	}
}

// What one network may try at the doors in a minute, and one session do behind them: a page that saves while somebody writes sends
// one request every few seconds. Passwords have a stricter bound of their own.
const (
	doorsAMinute = 60
	deedsAMinute = 300
)

// limited refuses who knocks at the doors too often, and who does more behind them than a person can. A session does not open the doors
// more often: they are counted by network for everybody.
func (s *site) limited() (knock, deed func(http.Handler) http.Handler) {
	refused := func(w http.ResponseWriter, r *http.Request) {
		if s.refusedLive(w, r) {
			return
		}
		s.write(w, r, s.problemView(r, http.StatusTooManyRequests, "attempts"))
	}
	session := func(r *http.Request) string { return string(door.ActorOf(r.Context()).Session) }
	knock = door.Limit(doorsAMinute, time.Minute, door.NetworkOf, refused)
	people := door.Limit(deedsAMinute, time.Minute, session, refused)
	return knock, func(next http.Handler) http.Handler {
		outside, inside := knock(next), people(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if session(r) == "" {
				outside.ServeHTTP(w, r)
				return
			}
			inside.ServeHTTP(w, r)
		})
	}
}

// doors are the pages about accounts.
func (s *site) doors(mux *http.ServeMux) {
	knock, deed := s.limited()
	get := func(path string, h http.HandlerFunc) { mux.HandleFunc("GET "+path, h) }
	limitedPost := func(by func(http.Handler) http.Handler) func(string, http.HandlerFunc) {
		return func(path string, h http.HandlerFunc) { mux.Handle("POST "+path, by(h)) }
	}
	post := limitedPost(knock)
	get("/setup", s.behind(s.setup))
	post("/setup", s.behind(s.setUp))
	get("/invitation", s.behind(s.invitation))
	post("/invitation", s.behind(s.accept))
	get("/verify", s.behind(s.verification))
	post("/verify", s.behind(s.verify))
	get("/reset", s.behind(s.reset))
	post("/reset", s.behind(s.setPassword))
	get("/sign-in", s.behind(s.signInPage))
	post("/sign-in", s.behind(s.signIn))
	post("/sign-in/passkey", s.behind(s.beginSignIn))
	post("/sign-in/passkey/finish", s.behind(s.finishSignIn))
	post = limitedPost(deed)
	post("/sign-out", s.behind(s.signOut))
	get("/signed-out", s.behind(s.signedOut))
	s.accountPages(get, post)
	s.postingPages(get, post)
	s.writePages(get, post)
	s.organisationPages(get, post)
	s.importPages(mux, get, post)
	s.deskPages(get, post)
	s.adminPages(get, post)
	s.welcomePages(get, post)
	s.savedPages(get, post)
}

// signedIn is who sits at the browser. A token is not asked: it is for programs, which have the API.
func (s *site) signedIn(w http.ResponseWriter, r *http.Request) (access.Actor, bool) {
	a := door.ActorOf(r.Context())
	if a.Session == "" {
		to := "/sign-in?from=" + url.QueryEscape("/account")
		if r.Method == http.MethodGet {
			to = signInFrom(r)
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return a, false
	}
	return a, true
}

// mine makes a page for who is signed in; all others are asked to sign in first.
func (s *site) mine(mk func(http.ResponseWriter, *http.Request, access.Actor) (view, error)) http.HandlerFunc {
	return s.behind(func(w http.ResponseWriter, r *http.Request) (view, error) {
		a, ok := s.signedIn(w, r)
		if !ok {
			return view{}, nil
		}
		return mk(w, r, a)
	})
}

// moved answers with another page of this node.
func moved(w http.ResponseWriter, r *http.Request, to string) (view, error) {
	http.Redirect(w, r, local(to), http.StatusSeeOther)
	return view{}, nil
}

// status of the page that shows these faults.
func status(err error) int {
	switch protocol.CodeOf(err) {
	case protocol.CodeNotPermitted:
		return http.StatusForbidden
	case protocol.CodeNotFound:
		return http.StatusNotFound
	case protocol.CodeConflict:
		return http.StatusConflict
	case protocol.CodeQuota:
		return http.StatusTooManyRequests
	case protocol.CodeUnavailable, protocol.CodeReadOnly:
		return http.StatusServiceUnavailable
	case protocol.CodeInternal:
		return http.StatusInternalServerError
	}
	return http.StatusUnprocessableEntity
}
