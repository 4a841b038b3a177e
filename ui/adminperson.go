package ui

import (
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// One person, as administrators see and change the account.

type personPage struct {
	adminFrame
	Path     string
	Version  uint64
	Self     bool // it is the visitor's own account
	Disabled bool
	Mails    bool
	Facts    []fact
	Roles    form
	Tokens   []tokenRow
	Acts     string // address of what the person did, in the audit log
}

func (s *site) personPages(get, post func(string, http.HandlerFunc)) {
	get(peoplePath+"/{id}", s.administered(access.InvitePerson, s.one(func(_ http.ResponseWriter, r *http.Request, a access.Actor, u access.User) (view, error) {
		return s.personView(r, a, u, nil)
	})))
	get(peoplePath+"/{id}/{what}", s.administered(access.InvitePerson, func(w http.ResponseWriter, r *http.Request, _ access.Actor) (view, error) {
		return moved(w, r, personPath(access.UserID(r.PathValue("id"))))
	}))
	get(peoplePath+"/{id}/erase", s.administered(access.ErasePerson, s.one(func(_ http.ResponseWriter, r *http.Request, a access.Actor, u access.User) (view, error) {
		return s.erasePersonView(r, a, u, nil), nil
	})))
	for what, act := range map[string]func(http.ResponseWriter, *http.Request, access.Actor, access.User) (view, error){
		"roles": s.changeRoles, "disable": s.disablePerson, "enable": s.disablePerson, "reset": s.resetPerson, "sessions": s.endPersonSessions, "revoke": s.revokePersonToken,
		"confirm": s.confirmPersonToken, "export": s.exportPerson, "erase": s.erasePerson,
	} {
		post(peoplePath+"/{id}/"+what, s.administered(access.InvitePerson, s.one(act)))
	}
}

// one hands on the person that the address names.
func (s *site) one(mk func(http.ResponseWriter, *http.Request, access.Actor, access.User) (view, error)) func(http.ResponseWriter, *http.Request, access.Actor) (view, error) {
	return func(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
		u, err := s.cfg.House.People.User(a, access.UserID(r.PathValue("id")))
		if protocol.CodeOf(err) == protocol.CodeNotFound || err == nil && u.Erased {
			return s.nothing(r, "page", peoplePath, "nav.people"), nil
		}
		if err != nil {
			return view{}, err
		}
		return mk(w, r, a, u)
	}
}

// personDone says what was done; nothing else of the address is shown.
func personDone(p *lang.Printer, code string) template.HTML {
	switch code {
	case "roles", "disable", "enable", "sessions", "revoke", "confirm":
		return p.HTML("admin.person.done." + code)
	}
	return ""
}

func (s *site) personView(r *http.Request, a access.Actor, u access.User, err error) (view, error) {
	say := printer(r)
	organisations, failed := s.organisations(a)
	if failed != nil {
		return view{}, failed
	}
	p := personPage{
		adminFrame: s.adminFrame(r, a, peoplePath, u.Name), Path: personPath(u.ID), Version: u.Version, Self: u.ID == a.User, Disabled: u.Disabled,
		Mails: s.cfg.House.Mail.Enabled(), Acts: auditPath + "?actor=" + string(u.ID),
	}
	if r.Method == http.MethodGet {
		p.Done = personDone(say, r.URL.Query().Get("done"))
	}
	f := factList{p: say}
	f.add("form.email", voice(u.Email))
	f.add("field.organisation", organisationName(organisations, u.Organisation))
	f.add("account.roles", rolesInWords(say, u.Roles))
	f.add("nav.language", languageOf(say, u.Language))
	created, _ := s.moment(say, u.Created)
	f.add("admin.person.since", voice(created))
	last, _ := s.moment(say, u.LastSignIn)
	if last == "" {
		last = say.T("word.never")
	}
	f.add("admin.person.last", voice(last))
	if !u.Verified {
		f.add("field.state", say.HTML("admin.person.unverified"))
	}
	p.Facts = f.list
	tokens, failed := s.cfg.House.People.Tokens(a, u.ID)
	if failed != nil {
		return view{}, failed
	}
	for _, t := range tokens {
		var scopes []template.HTML
		for _, x := range t.Scopes {
			scopes = append(scopes, say.HTML("scope."+string(x)))
		}
		used := ""
		if !t.Used.IsZero() {
			used = say.Date(protocol.DateOf(t.Used))
		}
		p.Tokens = append(p.Tokens, tokenRow{string(t.ID), t.Name, say.Date(protocol.DateOf(t.Expires)), used, listOf(say, scopes), t.Unconfirmed})
	}
	roles, organisation := u.Roles, u.Organisation
	if err != nil && len(r.PostForm["roles"])+len(r.PostForm["organisation"]) > 0 {
		in := inviteeOf(r.PostForm)
		roles, organisation = in.roles, in.organisation
	}
	code := p.refused(say, err)
	without, hint := access.Role(""), say.HTML("admin.person.roles-hint")
	if p.Self {
		without, hint = access.Admin, say.HTML("admin.person.own-roles")
	}
	p.Roles = form{
		ID: "roles", Action: p.Path + "/roles", Button: say.HTML("act.save"), Hidden: []option{{Value: strconv.FormatUint(u.Version, 10), Label: "version"}},
		Groups: []group{{Fields: []field{
			{Name: "organisation", Label: say.HTML("field.organisation"), Type: "select", Choices: organisationChoices(say, organisations, organisation, "")},
			{Name: "roles", Label: say.HTML("account.roles"), Hint: hint, Type: "checks", Choices: roleChoices(say, roles, without)},
		}}},
	}.dress(say, err)
	if err != nil && len(p.Roles.Wrong) > 0 && protocol.CodeOf(err) == protocol.CodeValue {
		p.Wrong = p.Roles.Wrong // these lead to the fields
	}
	return view{"admin-person", p, code}, nil
}

// changed leads back to the person, or shows why nothing was done.
func (s *site) changed(w http.ResponseWriter, r *http.Request, a access.Actor, id access.UserID, code string, err error) (view, error) {
	if err == nil {
		return moved(w, r, personPath(id)+"?done="+code)
	}
	u, again := s.cfg.House.People.User(a, id)
	if again != nil {
		return view{}, again
	}
	return s.personView(r, a, u, s.fault(r, err))
}

// changeRoles keeps administrators what they are: another one can take that from them, so that nobody shuts himself out.
func (s *site) changeRoles(w http.ResponseWriter, r *http.Request, a access.Actor, u access.User) (view, error) {
	in := inviteeOf(r.PostForm)
	if u.ID == a.User && !slices.Contains(in.roles, access.Admin) && slices.Contains(u.Roles, access.Admin) {
		in.roles = append(in.roles, access.Admin)
	}
	_, err := s.cfg.House.People.ChangeRoles(a, u.ID, formVersion(r), in.organisation, in.roles)
	if err == nil && u.ID == a.User { // the own sessions have ended
		return moved(w, r, "/sign-in?from="+personPath(u.ID))
	}
	return s.changed(w, r, a, u.ID, "roles", err)
}

// ownAccount refuses what would shut the visitor out.
func ownAccount() error {
	return protocol.Errorf(protocol.CodeConflict, "", "this is your own account: another administrator can do that, so that nobody is shut out by mistake")
}

func (s *site) disablePerson(w http.ResponseWriter, r *http.Request, a access.Actor, u access.User) (view, error) {
	code, disable := "enable", false
	if r.URL.Path == personPath(u.ID)+"/disable" {
		code, disable = "disable", true
	}
	if disable && u.ID == a.User {
		return s.changed(w, r, a, u.ID, "", ownAccount())
	}
	_, err := s.cfg.House.People.SetDisabled(a, u.ID, formVersion(r), disable)
	return s.changed(w, r, a, u.ID, code, err)
}

func (s *site) resetPerson(w http.ResponseWriter, r *http.Request, a access.Actor, u access.User) (view, error) {
	secret, err := s.cfg.House.People.ResetLink(a, u.ID)
	if err != nil {
		return s.changed(w, r, a, u.ID, "", err)
	}
	say := printer(r)
	p := s.handed(r, a, "admin.reset.title", access.PurposeReset, secret, u.Email)
	p.Text = append(p.Text, say.HTML("admin.reset.hour"))
	p.Next = []option{link(say, personPath(u.ID), "act.back")}
	return view{"admin-handed", p, http.StatusOK}, nil
}

func (s *site) endPersonSessions(w http.ResponseWriter, r *http.Request, a access.Actor, u access.User) (view, error) {
	return s.changed(w, r, a, u.ID, "sessions", s.cfg.House.People.EndSessions(a, u.ID, u.ID == a.User))
}

func (s *site) revokePersonToken(w http.ResponseWriter, r *http.Request, a access.Actor, u access.User) (view, error) {
	return s.changed(w, r, a, u.ID, "revoke", s.cfg.House.People.RevokeToken(a, access.TokenID(r.PostFormValue("id"))))
}

func (s *site) confirmPersonToken(w http.ResponseWriter, r *http.Request, a access.Actor, u access.User) (view, error) {
	return s.changed(w, r, a, u.ID, "confirm", s.cfg.House.People.ConfirmToken(a, access.TokenID(r.PostFormValue("id"))))
}

// exportPerson is asked for by a form: that somebody looks at another's data is on record.
func (s *site) exportPerson(w http.ResponseWriter, r *http.Request, a access.Actor, u access.User) (view, error) {
	all, err := s.cfg.House.Export(a, u.ID)
	if err != nil {
		return s.changed(w, r, a, u.ID, "", err)
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return view{}, err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="tmh-personal-data-`+string(u.ID)+`.json"`)
	_, _ = w.Write(b)
	return view{}, nil
}

func (s *site) erasePersonView(r *http.Request, a access.Actor, u access.User, err error) view {
	say := printer(r)
	p := adminFormPage{
		adminFrame: s.keyed(r, a, peoplePath, "admin.erase.title"),
		Lead: []template.HTML{
			say.HTML("admin.erase.lead", "Name", voice(u.Name), "Email", voice(u.Email)), say.HTML("admin.erase.note", "ID", string(u.ID), lang.NewSlot("code")),
		},
		After: []option{link(say, personPath(u.ID), "admin.erase.keep")},
		Form: form{ID: "erase", Action: personPath(u.ID) + "/erase", Button: say.HTML("admin.erase.button"), Danger: true, Groups: []group{{Fields: []field{
			{Name: "confirm", Label: say.HTML("form.email"), Hint: say.HTML("account.erase.email-hint"), Type: "email", Autocomplete: "off"},
		}}}}.dress(say, err),
	}
	code := http.StatusOK
	if err != nil {
		p.Title, code = say.T("layout.error", "Page", p.Title), status(err)
	}
	return view{"admin-form", p, code}
}

func (s *site) erasePerson(w http.ResponseWriter, r *http.Request, a access.Actor, u access.User) (view, error) {
	if u.ID == a.User {
		return moved(w, r, "/account/erase")
	}
	if typed, err := access.Email(r.PostFormValue("confirm")); err != nil || typed != u.Email {
		return s.erasePersonView(r, a, u, protocol.Errorf(protocol.CodeValue, "confirm", "this is not the address of that account: type it as it stands above")), nil
	}
	if err := s.cfg.House.People.Erase(a, u.ID); err != nil {
		return s.erasePersonView(r, a, u, s.fault(r, err)), nil
	}
	say := printer(r)
	p := handedPage{adminFrame: s.keyed(r, a, peoplePath, "admin.erased.title"), Text: []template.HTML{say.HTML("admin.erased.says", "ID", string(u.ID), lang.NewSlot("code"))}}
	p.Next = []option{link(say, peoplePath, "admin.people.back")}
	return view{"admin-handed", p, http.StatusOK}, nil
}
