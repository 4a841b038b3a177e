package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// People of the node, as its administrators find and invite them.

const (
	peoplePath = adminPath + "/people"
	invitePath = peoplePath + "/invite"
)

// Bounds of lists: entries of a page, and organisations that a form offers.
const (
	peopleShown          = 50
	organisationsOffered = 2000
)

type accountsPage struct {
	adminFrame
	Filter     peopleFilter
	People     []accountRow
	Filtered   bool
	Asked      bool // this is not the first page
	Prev, Next string
	Open       []invitationRow
	OpenNext   string
}

type peopleFilter struct {
	Text                 string
	Roles, Organisations []option
	Disabled             bool
}

type accountRow struct {
	Href, Email          string
	Name, Roles          template.HTML
	Organisation         template.HTML
	LastSignIn           string
	Disabled, Unverified bool
	sort                 string
}

type invitationRow struct {
	ID, Email, Until    string
	Organisation, Roles template.HTML
}

// adminFormPage is a page of administration that is one form.
type adminFormPage struct {
	adminFrame
	Lead  []template.HTML
	Form  form
	After []option
}

// handedPage gives the administrator a link to hand over.
type handedPage struct {
	adminFrame
	Text []template.HTML
	Link string // shown this once; "" where it was mailed
	Next []option
}

func (s *site) adminPeople(get, post func(string, http.HandlerFunc)) {
	get(peoplePath, s.administered(access.InvitePerson, s.people))
	get(invitePath, s.administered(access.InvitePerson, s.invite))
	post(invitePath, s.administered(access.InvitePerson, s.inviteNow))
	get(peoplePath+"/uninvite", s.sentTo(peoplePath))
	post(peoplePath+"/uninvite", s.administered(access.InvitePerson, s.uninvite))
	s.personPages(get, post)
}

func personPath(id access.UserID) string { return peoplePath + "/" + url.PathEscape(string(id)) }

// organisations of the node by name, as far as forms offer them.
func (s *site) organisations(a access.Actor) (list []access.Organisation, err error) {
	for q := (access.Page{Limit: 500}); ; {
		all, next, err := s.cfg.House.People.Organisations(a, q)
		if err != nil {
			return nil, err
		}
		if list = append(list, all...); next == "" || len(list) >= organisationsOffered {
			return list, nil
		}
		q.Cursor = next
	}
}

func organisationChoices(p *lang.Printer, all []access.Organisation, chosen access.OrganisationID, none string) (list []option) {
	if none != "" {
		list = append(list, option{Label: p.T(none)})
	}
	for _, o := range all {
		list = append(list, option{Value: string(o.ID), Label: o.Name, Selected: o.ID == chosen})
	}
	return list
}

// organisationName by its id, of the list.
func organisationName(all []access.Organisation, id access.OrganisationID) template.HTML {
	for _, o := range all {
		if o.ID == id {
			return voice(o.Name)
		}
	}
	return voice(string(id))
}

// roleChoices say of each role what it is for.
func roleChoices(p *lang.Printer, chosen []access.Role, without access.Role) (list []option) {
	for _, x := range access.Roles() {
		if x != without {
			word := "role." + string(x)
			list = append(list, option{Value: string(x), Label: p.T("form.fault", "Field", p.T(word), "Fault", p.T(word+".says")), Selected: slices.Contains(chosen, x)})
		}
	}
	return list
}

func (s *site) people(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	v, err := s.peopleView(r, a, nil)
	return v, err
}

func (s *site) peopleView(r *http.Request, a access.Actor, failed error) (view, error) {
	say, q := printer(r), r.URL.Query()
	p := accountsPage{adminFrame: s.keyed(r, a, peoplePath, "nav.people")}
	code := p.refused(say, failed)
	if q.Get("done") == "uninvited" && r.Method == http.MethodGet {
		p.Done = say.HTML("admin.people.uninvited")
	}
	organisations, err := s.organisations(a)
	if err != nil {
		return view{}, err
	}
	f := access.UserFilter{Organisation: access.OrganisationID(q.Get("organisation")), Role: access.Role(q.Get("role")), Text: strings.TrimSpace(q.Get("text")), Disabled: q.Get("disabled") != ""}
	p.Filtered, p.Asked = f != access.UserFilter{}, q.Get("after") != ""
	p.Filter = peopleFilter{Text: f.Text, Disabled: f.Disabled, Organisations: organisationChoices(say, organisations, f.Organisation, "")}
	for _, x := range access.Roles() {
		p.Filter.Roles = append(p.Filter.Roles, option{Value: string(x), Label: say.T("role." + string(x)), Selected: x == f.Role})
	}
	all, next, err := s.cfg.House.People.Users(a, f, access.Page{Cursor: q.Get("after"), Limit: peopleShown})
	if err != nil {
		return view{}, err
	}
	for _, u := range all {
		row := accountRow{
			Href: personPath(u.ID), Email: u.Email, Name: voice(u.Name), Roles: rolesInWords(say, u.Roles), Organisation: organisationName(organisations, u.Organisation),
			Disabled: u.Disabled, Unverified: !u.Verified, sort: u.Name,
		}
		row.LastSignIn, _ = s.moment(say, u.LastSignIn)
		p.People = append(p.People, row)
	}
	lang.SortBy(say, p.People, func(x accountRow) string { return x.sort })
	p.Prev, p.Next = turned(r, peoplePath, "after", "", p.Asked), turned(r, peoplePath, "after", next, next != "")
	open, next, err := s.cfg.House.People.Invitations(a, access.Page{Cursor: q.Get("open"), Limit: peopleShown})
	if err != nil {
		return view{}, err
	}
	for _, i := range open {
		p.Open = append(p.Open, invitationRow{i.ID, i.Email, say.Date(protocol.DateOf(i.Expires)), organisationName(organisations, i.Organisation), rolesInWords(say, i.Roles)})
	}
	p.OpenNext = turned(r, peoplePath, "open", next, next != "")
	return view{"admin-people", p, code}, nil
}

// turned is the address of another page of the list at path; "" where there is none.
func turned(r *http.Request, path, name, value string, there bool) string {
	if !there {
		return ""
	}
	q := r.URL.Query()
	q.Del("done")
	q.Del("lang")
	if q.Set(name, value); value == "" {
		q.Del(name)
	}
	return path + "?" + q.Encode()
}

func (s *site) uninvite(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	if err := s.cfg.House.People.CancelInvitation(a, r.PostFormValue("id")); err != nil {
		return s.peopleView(r, a, s.fault(r, err))
	}
	return moved(w, r, peoplePath+"?done=uninvited")
}

// invitee is what the form for an invitation says.
type invitee struct {
	email, language string
	organisation    access.OrganisationID
	roles           []access.Role
}

func inviteeOf(values url.Values) invitee {
	in := invitee{email: values.Get("email"), language: values.Get("language"), organisation: access.OrganisationID(values.Get("organisation"))}
	for _, x := range values["roles"] {
		in.roles = append(in.roles, access.Role(x))
	}
	return in
}

func (s *site) invite(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	return s.inviteView(r, a, inviteeOf(r.URL.Query()), nil)
}

func (s *site) inviteView(r *http.Request, a access.Actor, in invitee, err error) (view, error) {
	say := printer(r)
	all, failed := s.organisations(a)
	if failed != nil {
		return view{}, failed
	}
	all = slices.DeleteFunc(all, func(o access.Organisation) bool { return o.Disabled })
	email := emailField(say, in.email)
	email.Autocomplete = "off"
	language := languageField(say, in.language)
	language.Hint, language.Autocomplete = say.HTML("admin.invite.language-hint"), "off"
	lead := say.HTML("admin.invite.hand-over")
	if s.cfg.House.Mail.Enabled() {
		lead = say.HTML("admin.invite.mailed")
	}
	p := adminFormPage{
		adminFrame: s.keyed(r, a, peoplePath, "admin.invite.title"), Lead: []template.HTML{lead}, After: []option{link(say, organisationsPath+"/new", "admin.organisation.new")},
		Form: form{ID: "invite", Action: invitePath, Button: say.HTML("act.invite"), Groups: []group{{Fields: []field{
			email,
			{Name: "organisation", Label: say.HTML("field.organisation"), Type: "select", Choices: organisationChoices(say, all, in.organisation, "form.choose-one")},
			{Name: "roles", Label: say.HTML("account.roles"), Hint: say.HTML("form.choose-some"), Type: "checks", Choices: roleChoices(say, in.roles, "")},
			language,
		}}}}.dress(say, err),
	}
	code := http.StatusOK
	if err != nil {
		p.Title, code = say.T("layout.error", "Page", p.Title), status(err)
	}
	return view{"admin-form", p, code}, nil
}

func (s *site) inviteNow(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	in := inviteeOf(r.PostForm)
	secret, i, err := s.cfg.House.People.Invite(a, in.email, in.organisation, in.roles, in.language)
	if err != nil {
		return s.inviteView(r, a, in, s.fault(r, withOrganisation(err, in.organisation)))
	}
	say := printer(r)
	p := s.handed(r, a, "admin.invited.title", access.PurposeInvitation, secret, i.Email)
	p.Text = append(p.Text, say.HTML("admin.handed.until", "Date", protocol.DateOf(i.Expires)))
	p.Next = []option{link(say, peoplePath, "admin.people.back"), link(say, invitePath, "admin.invite.another"), link(say, welcomePath, "welcome.title")}
	return view{"admin-handed", p, http.StatusOK}, nil
}

// withOrganisation adds what the registry says only once all else is right: that none was chosen, or that it is gone.
func withOrganisation(err error, chosen access.OrganisationID) error {
	missing := protocol.Errorf(protocol.CodeValue, "organisation", "choose the organisation that the person acts for")
	switch {
	case protocol.CodeOf(err) == protocol.CodeNotFound:
		return missing
	case protocol.CodeOf(err) == protocol.CodeValue && chosen == "":
		return append(slices.Clone(protocol.All(err)), missing)
	}
	return err
}

// handed says that a link was mailed, or shows it to be handed over: whoever has it gets in.
func (s *site) handed(r *http.Request, a access.Actor, key string, purpose access.Purpose, secret, email string) handedPage {
	say := printer(r)
	p := handedPage{adminFrame: s.keyed(r, a, peoplePath, key)}
	if s.cfg.House.Mail.Enabled() {
		p.Text = []template.HTML{say.HTML("admin.handed.mailed", "Email", voice(email))}
		return p
	}
	p.Link = s.cfg.House.Link(purpose, secret)
	if strings.HasPrefix(p.Link, "/") && s.cfg.Site != nil { // no public address is configured: the one that the visitor used
		p.Link = s.cfg.Site(r).PublicURL + p.Link
	}
	p.Text = []template.HTML{say.HTML("admin.handed.copy", "Email", voice(email))}
	return p
}

// languageOf a code, in the language of the page; "" for none.
func languageOf(p *lang.Printer, code string) template.HTML {
	if !codes.Language().Has(code) {
		return ""
	}
	return named(p, "language", code)
}
