package ui

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// accountPage is what a person sees of the own account, and all forms that change it.
type accountPage struct {
	frame
	Done       template.HTML // what was done just now
	Wrong      []mistake
	Facts      []fact
	Unverified bool
	Profile    form
	Email      form
	Password   form
	Passkeys   []wayIn
	CanAdd     bool // browsers can make passkeys for this node
	Identities []wayIn
	Provider   string // at which an identity can be linked; "" for none
	Link       string // where that begins
	Sessions   []sessionRow
	Others     bool // there are sessions beside this one
	Tokens     []tokenRow
	NewToken   form
}

type wayIn struct {
	ID, Name      string
	Created, Used string
	Warning       template.HTML
}

type sessionRow struct {
	ID            string
	Agent, Method template.HTML
	Since, Seen   string
	This          bool
}

type tokenRow struct {
	ID, Name, Until, Used string
	Scopes                template.HTML
	Unconfirmed           bool
}

func (s *site) accountPages(get, post func(string, http.HandlerFunc)) {
	get("/account", s.mine(s.account))
	get("/account/data", s.mine(s.personalData))
	get("/account/erase", s.mine(s.erasePage))
	post("/account/erase", s.mine(s.erase))
	for path, act := range map[string]func(http.ResponseWriter, *http.Request, access.Actor) (view, error){
		"profile": s.changeProfile, "email": s.changeEmail, "password": s.changePassword,
		"passkeys/rename": s.renamePasskey, "passkeys/remove": s.removePasskey, "identities/remove": s.removeIdentity,
		"sessions/end": s.endSession, "tokens": s.createToken, "tokens/revoke": s.revokeToken,
	} {
		post("/account/"+path, s.mine(act))
	}
	post("/account/passkeys/begin", s.mine(s.beginPasskey))
	post("/account/passkeys/finish", s.mine(s.finishPasskey))
}

// doneWords say what the address of the page says was done. Nothing else of the address is shown.
func doneWords(p *lang.Printer, code string) template.HTML {
	switch code {
	case "setup", "invitation", "profile", "password", "email", "passkey", "renamed", "removed", "session", "sessions", "revoked":
		return p.HTML("account.done." + code)
	}
	return ""
}

func (s *site) account(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	return s.accountView(r, a, "", nil)
}

// accountView shows the account; err is what came of the form with that id, whose values are shown again.
func (s *site) accountView(r *http.Request, a access.Actor, sent string, err error) (view, error) {
	people := s.cfg.House.People
	u, uerr := people.User(a, a.User)
	if uerr != nil {
		return view{}, uerr
	}
	say := printer(r)
	p := accountPage{frame: s.frame(r, "", say.T("nav.account")), Unverified: !u.Verified}
	p.Script = s.script
	if r.Method == http.MethodGet {
		p.Done = doneWords(say, r.URL.Query().Get("done"))
	}
	f := factList{p: say}
	f.add("form.email", voice(u.Email))
	if o, err := people.Organisation(a, u.Organisation); err == nil {
		f.add("field.organisation", voice(o.Name))
	}
	f.add("account.roles", rolesInWords(say, u.Roles))
	p.Facts = f.list
	if err := s.fillWays(say, &p, a); err != nil {
		return view{}, err
	}
	if err := s.fillForms(&p, r, a, u); err != nil {
		return view{}, err
	}
	code := http.StatusOK
	if err != nil {
		p.Title, code = say.T("layout.error", "Page", p.Title), status(err)
		err = s.fault(r, err)
		for _, f := range []*form{&p.Profile, &p.Email, &p.Password, &p.NewToken} {
			if f.ID == sent {
				*f = f.dress(say, err)
				p.Wrong = f.Wrong
			}
		}
		if len(p.Wrong) == 0 {
			for _, e := range protocol.All(err) {
				p.Wrong = append(p.Wrong, mistake{Text: stated(say, e.Message)})
			}
		}
	}
	return view{"account", p, code}, nil
}

// fillForms puts in what the account has, or what was sent.
func (s *site) fillForms(p *accountPage, r *http.Request, a access.Actor, u access.User) error {
	value := func(f, name, kept string) string {
		if r.Method == http.MethodPost && r.URL.Path == "/account/"+f {
			return r.PostFormValue(name)
		}
		return kept
	}
	password, err := s.cfg.House.HasPassword(a.User)
	if err != nil {
		return err
	}
	say := printer(r)
	p.Profile = form{
		ID: "profile", Action: "/account/profile", Button: say.HTML("act.save"), Hidden: []option{{Value: strconv.FormatUint(u.Version, 10), Label: "version"}},
		Groups: []group{{Fields: []field{nameField(say, value("profile", "name", u.Name)), languageField(say, value("profile", "language", u.Language))}}},
	}.dress(say, nil)
	if s.cfg.House.Mail.Enabled() {
		p.Email = form{ID: "email", Action: "/account/email", Button: say.HTML("door.send-link"), Groups: []group{{Fields: []field{
			{Name: "email", Label: say.HTML("form.email"), Hint: say.HTML("account.email-hint"), Type: "email", Autocomplete: "email", Value: value("email", "email", u.Email)},
		}}}}.dress(say, nil)
	}
	fields := []field{newPasswordField(say)}
	if password {
		fields = append([]field{{Name: "current", Label: say.HTML("account.current-password"), Type: "password", Autocomplete: "current-password"}}, fields...)
	}
	p.Password = form{ID: "password", Action: "/account/password", Button: say.HTML("door.reset.button"), Groups: []group{{Fields: fields}}}.dress(say, nil)
	var scopes []option
	for _, x := range access.ScopesOf(a.Roles) {
		scopes = append(scopes, option{Value: string(x), Label: scopeInWords(say, x), Selected: slices.Contains(r.PostForm["scopes"], string(x))})
	}
	days := value("tokens", "expires", "90")
	var lasts []option
	for _, n := range []int{7, 30, 90, 365} {
		lasts = append(lasts, option{Value: strconv.Itoa(n), Label: say.N("unit.days", n), Selected: days == strconv.Itoa(n)})
	}
	p.NewToken = form{
		ID: "token", Action: "/account/tokens", Button: say.HTML("account.token-make"),
		Groups: []group{{Fields: []field{
			{Name: "name", Label: say.HTML("account.token-name"), Type: "text", Autocomplete: "off", Value: value("tokens", "name", "")},
			{Name: "scopes", Label: say.HTML("account.token-scopes"), Hint: say.HTML("account.token-scopes-hint"), Type: "checks", Choices: scopes},
			{Name: "expires", Label: say.HTML("account.token-lasts"), Type: "select", Choices: lasts},
		}}},
	}.dress(say, nil)
	return nil
}

// scopeInWords says what a scope allows: its name and what that is.
func scopeInWords(p *lang.Printer, x access.Scope) string {
	switch x {
	case access.ScopeRead, access.ScopeWrite, access.ScopeReview, access.ScopeAdmin:
		return p.T("form.fault", "Field", p.T("scope."+string(x)), "Fault", p.T("scope."+string(x)+".says"))
	}
	return string(x)
}

// fillWays lists what opens the account now.
func (s *site) fillWays(say *lang.Printer, p *accountPage, a access.Actor) error {
	date := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return say.Date(protocol.DateOf(t))
	}
	h := s.cfg.House
	p.CanAdd = h.Passkeys != nil
	keys, err := h.PasskeysOf(a)
	if err != nil {
		return err
	}
	for _, k := range keys {
		x := wayIn{ID: k.ID, Name: k.Name, Created: date(k.Created), Used: date(k.LastUsed)}
		if !k.Suspected.IsZero() {
			x.Warning = say.HTML("account.passkey-copied", "Date", date(k.Suspected))
		}
		p.Passkeys = append(p.Passkeys, x)
	}
	if h.Provider != nil {
		p.Provider, p.Link = h.Provider.Host(), providerPath
	}
	links, err := h.IdentitiesOf(a)
	if err != nil {
		return err
	}
	for _, l := range links {
		p.Identities = append(p.Identities, wayIn{ID: l.ID, Name: strings.TrimPrefix(l.Issuer, "https://"), Created: date(l.Created), Used: date(l.LastUsed)})
	}
	sessions, err := h.People.Sessions(a, a.User)
	if err != nil {
		return err
	}
	for _, x := range sessions {
		row := sessionRow{
			ID: string(x.ID), Agent: agentInWords(say, x.Agent), Method: methodInWords(say, x.Method), This: x.ID == a.Session,
			Since: say.Moment(protocol.InstantOf(x.Created)), Seen: say.Moment(protocol.InstantOf(x.Seen)),
		}
		p.Sessions = append(p.Sessions, row)
		p.Others = p.Others || !row.This
	}
	tokens, err := h.People.Tokens(a, a.User)
	for _, t := range tokens {
		var scopes []template.HTML
		for _, x := range t.Scopes {
			scopes = append(scopes, say.HTML("scope."+string(x)))
		}
		p.Tokens = append(p.Tokens, tokenRow{string(t.ID), t.Name, date(t.Expires), date(t.Used), listOf(say, scopes), t.Unconfirmed})
	}
	return err
}

func methodInWords(p *lang.Printer, m string) template.HTML {
	switch m {
	case "password", "passkey", "oidc", "link":
		return p.HTML("account.by." + m)
	}
	return english(p, m)
}

// agentInWords names the browser and the system, which the owner knows; versions help nobody. What is no known browser stands as
// it calls itself.
func agentInWords(p *lang.Printer, agent string) template.HTML {
	known := func(list ...string) string { // pairs of what to look for and its name, the more special first
		for i := 0; i < len(list); i += 2 {
			if strings.Contains(agent, list[i]) {
				return list[i+1]
			}
		}
		return ""
	}
	browser := known("Edg", "Edge", "OPR/", "Opera", "SamsungBrowser/", "Samsung Internet", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari")
	system := known("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "Mac", "Linux", "Linux")
	switch {
	case agent == "":
		return p.HTML("account.browser-unknown")
	case browser == "":
		return voice(agent)
	case system == "":
		return voice(browser)
	}
	return p.HTML("account.browser-on", "Browser", browser, "System", system)
}

// did shows the account again: what was done, or what was wrong with the form.
func (s *site) did(w http.ResponseWriter, r *http.Request, a access.Actor, sent, code string, err error) (view, error) {
	if err != nil {
		return s.accountView(r, a, sent, err)
	}
	return moved(w, r, "/account?done="+code)
}

func (s *site) changeProfile(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	version, _ := strconv.ParseUint(r.PostFormValue("version"), 10, 64)
	_, err := s.cfg.House.People.EditAccount(a, a.User, version, r.PostFormValue("name"), r.PostFormValue("language"))
	return s.did(w, r, a, "profile", "profile", err)
}

func (s *site) changeEmail(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	if !s.cfg.House.Mail.Enabled() {
		return s.unknown(r)
	}
	_, err := s.cfg.House.People.VerificationLink(a, a.User, r.PostFormValue("email"))
	return s.did(w, r, a, "email", "email", err)
}

func (s *site) changePassword(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	next, err := s.cfg.House.People.ChangePassword(r.Context(), s.cfg.Door.Session(r), r.PostFormValue("current"), r.PostFormValue("password"), door.ClientOf(r.Context()))
	if err == nil {
		s.cfg.Door.Keep(w, next)
	}
	return s.did(w, r, a, "password", "password", err)
}

func (s *site) endSession(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	switch id := access.SessionID(r.PostFormValue("id")); id {
	case "others":
		return s.did(w, r, a, "", "sessions", s.cfg.House.People.EndSessions(a, a.User, true))
	case a.Session:
		return s.signOut(w, r)
	default:
		return s.did(w, r, a, "", "session", s.cfg.House.People.EndSession(a, a.User, id))
	}
}

// createToken shows the token on a page of its own, which is the only time that anybody sees it.
func (s *site) createToken(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	days, _ := strconv.Atoi(r.PostFormValue("expires"))
	var scopes []access.Scope
	for _, x := range r.PostForm["scopes"] {
		scopes = append(scopes, access.Scope(x))
	}
	secret, t, err := s.cfg.House.People.CreateToken(a, a.User, r.PostFormValue("name"), scopes, time.Duration(min(max(days, 0), 1000))*24*time.Hour)
	if err != nil {
		return s.did(w, r, a, "token", "", err)
	}
	say := printer(r)
	v := s.doneView(r, http.StatusOK, "account.token-new", link(say, "/account#tokens", "account.token-copied"), say.HTML("account.token-once", "Date", protocol.DateOf(t.Expires)))
	p, _ := v.model.(donePage)
	p.Secret = secret
	v.model = p
	return v, nil
}

func (s *site) revokeToken(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	return s.did(w, r, a, "", "revoked", s.cfg.House.People.RevokeToken(a, access.TokenID(r.PostFormValue("id"))))
}
