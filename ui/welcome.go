package ui

import (
	"html/template"
	"net/http"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/ui/lang"
)

// The first steps of a node that was just set up: what is done and what is not, read off the node itself, so that there is nothing
// to keep up to date.

const (
	welcomePath = "/welcome"
	stepsCookie = "steps" // "done" where the visitor took them off the overview
)

// stepState is how far a step is.
type stepState string

const (
	stepDone  stepState = "done"
	stepBegun stepState = "begun"
	stepOpen  stepState = "open"
	stepSpare stepState = "spare" // open, and the node works without it
)

type welcomePage struct {
	adminFrame
	Tasks  []firstStep
	DoneOf int
	Left   int // necessary ones that are not done
}

type firstStep struct {
	ID, Href   string
	Name, Hint template.HTML
	State      template.HTML
	Class      string // of the tag
	Done       bool
}

// stepPage tells what is set in the configuration, which no page can change.
type stepPage struct {
	adminFrame
	Text   []template.HTML
	Config string // lines of tmh.yaml
	Facts  []fact
	Test   bool // a mail to oneself can be sent
}

func (s *site) welcomePages(get, post func(string, http.HandlerFunc)) {
	get(welcomePath, s.behind(s.welcome))
	get(welcomePath+"/agency", s.administered(access.EditSettings, s.agencyStep))
	get(welcomePath+"/mail", s.administered(access.EditSettings, s.mailStep))
	post(welcomePath+"/mail", s.administered(access.EditSettings, s.testMail))
	get(welcomePath+"/listing", s.administered(access.EditSettings, s.listingStep))
	get(welcomePath+"/finish", s.sentTo(welcomePath))
	post(welcomePath+"/finish", s.administered(access.EditSettings, s.finishSteps))
}

// welcome also tells strangers how a node without an administrator gets one.
func (s *site) welcome(w http.ResponseWriter, r *http.Request) (view, error) {
	needed, err := s.cfg.House.People.SetupNeeded()
	if err != nil {
		return view{}, err
	}
	if needed {
		p := printer(r)
		return s.doneView(r, http.StatusOK, "welcome.unowned", link(p, "/", "nav.start"), p.HTML("welcome.setup-link", lang.NewSlot("code"))), nil
	}
	a, ok := s.signedIn(w, r)
	if !ok {
		return view{}, nil
	}
	if !may(a, access.EditSettings) {
		return s.closed(r, a, "admin.closed"), nil
	}
	page, err := s.steps(r, a)
	if err != nil {
		return view{}, err
	}
	p := printer(r)
	if r.URL.Query().Get("done") == "setup" {
		page.Done = p.HTML("account.done.setup")
	}
	return view{"welcome", page, http.StatusOK}, nil
}

// steps as they stand now.
func (s *site) steps(r *http.Request, a access.Actor) (page welcomePage, err error) {
	p := printer(r)
	page = welcomePage{adminFrame: s.keyed(r, a, welcomePath, "welcome.title")}
	for _, step := range []func(access.Actor) (id, href string, state stepState, err error){
		s.passkeyStep, s.contactStep, s.organisationStep, s.reviewerStep, s.mailState, s.backupStep, s.federationStep, s.firstListing,
	} {
		id, href, state, err := step(a)
		if err != nil {
			return page, err
		}
		t := firstStep{ID: id, Href: href, Name: p.HTML("welcome." + id), Hint: p.HTML("welcome." + id + ".says"), State: p.HTML("welcome.state." + string(state)), Done: state == stepDone}
		switch state {
		case stepDone:
			t.Class = "good"
			page.DoneOf++
		case stepSpare:
			t.Class = "outline"
		case stepBegun, stepOpen:
			t.Class = "wait"
			page.Left++
		}
		page.Tasks = append(page.Tasks, t)
	}
	return page, nil
}

// when is the state of a step that is done or not, and needed or not.
func when(done bool, otherwise stepState) stepState {
	if done {
		return stepDone
	}
	return otherwise
}

func (s *site) passkeyStep(a access.Actor) (id, href string, state stepState, err error) {
	keys, err := s.cfg.House.PasskeysOf(a)
	return "passkey", "/account#passkeys", when(len(keys) > 0, stepSpare), err
}

func (s *site) contactStep(access.Actor) (id, href string, state stepState, err error) {
	c := s.cfg.House.Agency()
	return "agency", welcomePath + "/agency", when(c.Email != "" || c.Phone != "" || c.URL != "", stepOpen), nil
}

func (s *site) organisationStep(a access.Actor) (id, href string, state stepState, err error) {
	all, _, err := s.cfg.House.People.Organisations(a, access.Page{Limit: 2})
	return "organisation", organisationsPath + "/new", when(len(all) > 1, stepOpen), err // the first is the agency
}

// reviewerStep is done when somebody can judge listings; an invitation is on its way there.
func (s *site) reviewerStep(a access.Actor) (id, href string, state stepState, err error) {
	id, href = "people", invitePath+"?roles=reviewer"
	if a.Organisation != "" {
		href = invitePath + "?organisation=" + string(a.Organisation) + "&roles=reviewer"
	}
	state = stepOpen
	for q := (access.Page{Limit: 500}); ; {
		all, next, err := s.cfg.House.People.Users(a, access.UserFilter{Role: access.Reviewer}, q)
		if err != nil {
			return id, href, state, err
		}
		for _, u := range all {
			if !u.Disabled {
				return id, href, stepDone, nil
			}
		}
		if q.Cursor = next; next == "" {
			break
		}
	}
	open, _, err := s.cfg.House.People.Invitations(a, access.Page{Limit: 500})
	for _, i := range open {
		for _, role := range i.Roles {
			if role == access.Reviewer {
				return id, peoplePath + "#open", stepBegun, err
			}
		}
	}
	return id, href, state, err
}

// mailState is done when something was taken by the server and nothing is in its way.
func (s *site) mailState(access.Actor) (id, href string, state stepState, err error) {
	h, err := s.cfg.House.Mail.Health()
	switch state = stepSpare; {
	case h.Enabled && h.Trouble == "" && h.Sent > 0:
		state = stepDone
	case h.Enabled:
		state = stepBegun
	}
	return "mail", welcomePath + "/mail", state, err
}

func (s *site) backupStep(access.Actor) (id, href string, state stepState, err error) {
	state = stepOpen
	if s.cfg.Backups != nil {
		if b, err := s.cfg.Backups(); err == nil && b.Failures == 0 && len(b.Made) > 0 && !b.late(s.cfg.Now()) {
			state = stepDone
		}
	}
	return "backup", adminPath + "/backup", state, nil
}

func (s *site) federationStep(access.Actor) (id, href string, state stepState, err error) {
	heard, others := s.heard()
	switch state = stepOpen; {
	case others > 0 && heard == others:
		state = stepDone
	case heard > 0:
		state = stepBegun
	}
	return "federation", "/federation", state, nil
}

func (s *site) firstListing(access.Actor) (id, href string, state stepState, err error) {
	state = stepOpen
	for _, m := range s.cfg.Desk.Members() {
		if m.Self && m.Listings > 0 {
			state = stepDone
		}
	}
	return "listing", welcomePath + "/listing", state, nil
}

func (s *site) agencyStep(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	say, c := printer(r), s.cfg.House.Agency()
	p := stepPage{
		adminFrame: s.keyed(r, a, welcomePath, "welcome.agency"), Text: []template.HTML{say.HTML("welcome.agency.what"), say.HTML("welcome.config", lang.NewSlot("code"))},
		Config: "agency:\n  name: \"\"\n  email: \"\"\n  phone: \"\"\n  url: \"\"\n",
	}
	f := factList{p: say}
	f.add("field.organisation", voice(c.Name))
	f.add("form.email", voice(c.Email))
	f.add("form.phone", voice(c.Phone))
	f.add("field.url", voice(c.URL))
	p.Facts = f.list
	return view{"welcome-step", p, http.StatusOK}, nil
}

func (s *site) mailStep(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	return s.mailView(r, a, nil)
}

func (s *site) mailView(r *http.Request, a access.Actor, failed error) (view, error) {
	say := printer(r)
	p := stepPage{adminFrame: s.keyed(r, a, welcomePath, "welcome.mail")}
	h, err := s.cfg.House.Mail.Health()
	if err != nil {
		return view{}, err
	}
	if r.Method == http.MethodGet && r.URL.Query().Get("done") == "sent" {
		p.Done = say.HTML("welcome.mail.sent")
	}
	if p.Test = h.Enabled; p.Test {
		p.Text = []template.HTML{say.HTML("welcome.mail.what")}
		f := factList{p: say}
		f.add("welcome.mail.waiting", voice(say.Number(h.Waiting)))
		f.add("welcome.mail.sent-count", voice(say.Number(int(min(h.Sent, 1<<31)))))
		f.add("welcome.mail.failed", voice(say.Number(h.Failed)))
		if h.Trouble != "" {
			f.add("welcome.mail.trouble", stated(say, h.Trouble))
		}
		p.Facts = f.list
	} else {
		p.Text = []template.HTML{say.HTML("welcome.mail.none"), say.HTML("welcome.config", lang.NewSlot("code"))}
		p.Config = "public_url: https://hub.example.org\nsmtp:\n  host: mail.example.org\n  port: 587\n  tls: starttls\n  username: \"\"\n  password_file: \"\"\n  from: National Hub <hub@example.org>\n"
	}
	code := p.refused(say, failed)
	return view{"welcome-step", p, code}, nil
}

// testMail sends the visitor a link that proves the address of the own account: the mail that is there for that.
func (s *site) testMail(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	if !s.cfg.House.Mail.Enabled() {
		return s.mailView(r, a, nil)
	}
	u, err := s.cfg.House.People.User(a, a.User)
	if err != nil {
		return view{}, err
	}
	if _, err := s.cfg.House.People.VerificationLink(a, u.ID, u.Email); err != nil {
		return s.mailView(r, a, s.fault(r, err))
	}
	return moved(w, r, welcomePath+"/mail?done=sent")
}

func (s *site) listingStep(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	say := printer(r)
	p := stepPage{adminFrame: s.keyed(r, a, welcomePath, "welcome.listing"), Text: []template.HTML{
		say.HTML("welcome.listing.what"), say.HTML("welcome.listing.editor", lang.NewSlot("a", "href", invitePath+"?roles=editor")),
	}}
	return view{"welcome-step", p, http.StatusOK}, nil
}

func (s *site) finishSteps(w http.ResponseWriter, r *http.Request, _ access.Actor) (view, error) {
	s.keep(w, r, stepsCookie, "done")
	return moved(w, r, adminPath)
}

// unowned tells, on the page for signing in, how a node without an administrator gets one.
func (s *site) unowned(p *lang.Printer) template.HTML {
	if needed, err := s.cfg.House.People.SetupNeeded(); err != nil || !needed {
		return ""
	}
	return p.HTML("welcome.setup-link", lang.NewSlot("code"))
}
