package ui

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// Organisations whose people use the node, as its administrators enter and change them.

const organisationsPath = adminPath + "/organisations"

type organisationsPage struct {
	adminFrame
	Organisations []organisationRow
	Asked         bool
	Prev, Next    string
}

type organisationRow struct {
	Href, People        string
	Name, Type, Country template.HTML
	Publishes           template.HTML
	Disabled            bool
}

// organisationPage is the form of one organisation.
type organisationPage struct {
	adminFrame
	Path     string
	Version  uint64
	New      bool
	Own      bool // the visitor's own
	Disabled bool
	People   string // address of the list of its people
	Invite   string
	Standing template.HTML
	Form     form
}

func (s *site) adminOrganisations(get, post func(string, http.HandlerFunc)) {
	get(organisationsPath, s.administered(access.CreateOrganisation, s.organisationList))
	get(organisationsPath+"/new", s.administered(access.CreateOrganisation, s.newOrganisation))
	post(organisationsPath+"/new", s.administered(access.CreateOrganisation, s.createOrganisation))
	get(organisationsPath+"/{id}", s.administered(access.EditOrganisation, s.entered(func(_ http.ResponseWriter, r *http.Request, a access.Actor, o access.Organisation) (view, error) {
		return s.organisationView(r, a, &o, fieldsOf(o), nil), nil
	})))
	post(organisationsPath+"/{id}", s.administered(access.EditOrganisation, s.entered(s.editOrganisation)))
	for _, what := range []string{"disable", "enable"} {
		path := organisationsPath + "/{id}/" + what
		get(path, s.administered(access.EditOrganisation, func(w http.ResponseWriter, r *http.Request, _ access.Actor) (view, error) {
			return moved(w, r, adminOrganisation(access.OrganisationID(r.PathValue("id"))))
		}))
		post(path, s.administered(access.EditOrganisation, s.entered(func(w http.ResponseWriter, r *http.Request, a access.Actor, o access.Organisation) (view, error) {
			return s.shutOrganisation(w, r, a, o, what == "disable")
		})))
	}
}

func adminOrganisation(id access.OrganisationID) string {
	return organisationsPath + "/" + url.PathEscape(string(id))
}

// entered hands on the organisation that the address names.
func (s *site) entered(mk func(http.ResponseWriter, *http.Request, access.Actor, access.Organisation) (view, error)) func(http.ResponseWriter, *http.Request, access.Actor) (view, error) {
	return func(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
		o, err := s.cfg.House.People.Organisation(a, access.OrganisationID(r.PathValue("id")))
		if protocol.CodeOf(err) == protocol.CodeNotFound {
			return s.nothing(r, "page", organisationsPath, "admin.organisations"), nil
		}
		if err != nil {
			return view{}, err
		}
		return mk(w, r, a, o)
	}
}

func publishes(p *lang.Printer, self bool) template.HTML {
	if self {
		return p.HTML("admin.organisation.publishes-self")
	}
	return p.HTML("admin.organisation.publishes-reviewed")
}

func (s *site) organisationList(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	say, q := printer(r), r.URL.Query()
	p := organisationsPage{adminFrame: s.keyed(r, a, organisationsPath, "admin.organisations"), Asked: q.Get("after") != ""}
	if q.Get("done") == "created" {
		p.Done = say.HTML("admin.organisation.created")
	}
	all, next, err := s.cfg.House.People.Organisations(a, access.Page{Cursor: q.Get("after"), Limit: peopleShown})
	if err != nil {
		return view{}, err
	}
	for _, o := range all {
		p.Organisations = append(p.Organisations, organisationRow{
			Href: adminOrganisation(o.ID), People: peoplePath + "?organisation=" + url.QueryEscape(string(o.ID)), Name: voice(o.Name), Type: named(say, "organisation", o.Type),
			Country: named(say, "country", string(o.Country)), Publishes: publishes(say, o.SelfPublish), Disabled: o.Disabled,
		})
	}
	p.Prev, p.Next = turned(r, organisationsPath, "after", "", p.Asked), turned(r, organisationsPath, "after", next, next != "")
	return view{"admin-organisations", p, http.StatusOK}, nil
}

func fieldsOf(o access.Organisation) access.OrganisationFields {
	return access.OrganisationFields{
		Name: o.Name, Type: o.Type, Size: o.Size, Country: o.Country, ROR: o.ROR, Contact: o.Contact, SelfPublish: o.SelfPublish, Disabled: o.Disabled,
	}
}

func sentOrganisation(r *http.Request, disabled bool) access.OrganisationFields {
	sent := r.PostFormValue
	return access.OrganisationFields{
		Name: sent("name"), Type: sent("type"), Size: sent("size"), Country: protocol.Country(sent("country")), ROR: sent("ror"),
		Contact:     access.Contact{Name: sent("contact.name"), Email: sent("contact.email"), Phone: sent("contact.phone"), URL: sent("contact.url")},
		SelfPublish: sent("self_publish") == "yes", Disabled: disabled,
	}
}

// organisationView is the form with in, of o; nil for a new one.
func (s *site) organisationView(r *http.Request, a access.Actor, o *access.Organisation, in access.OrganisationFields, err error) view {
	say := printer(r)
	p := organisationPage{New: o == nil, Path: organisationsPath + "/new"}
	button, hidden := say.HTML("act.create"), []option(nil)
	if o == nil {
		p.adminFrame = s.keyed(r, a, organisationsPath, "admin.organisation.new")
	} else {
		p.adminFrame = s.adminFrame(r, a, organisationsPath, o.Name)
		p.Path, p.Version, p.Own, p.Disabled = adminOrganisation(o.ID), o.Version, o.ID == a.Organisation, o.Disabled
		p.People, p.Invite = peoplePath+"?organisation="+url.QueryEscape(string(o.ID)), invitePath+"?organisation="+url.QueryEscape(string(o.ID))
		button, hidden = say.HTML("act.save"), []option{{Value: strconv.FormatUint(o.Version, 10), Label: "version"}}
		if p.Standing = say.HTML("admin.organisation.unscored"); o.Scored {
			p.Standing = say.HTML("admin.organisation.scored", "Score", o.LastScore)
		}
		if r.Method == http.MethodGet {
			switch done := r.URL.Query().Get("done"); done {
			case "saved", "disable", "enable":
				p.Done = say.HTML("admin.organisation.done." + done)
			}
		}
	}
	desk := func(name, kind, value string) field {
		return field{Name: "contact." + name, Label: say.HTML("door.desk." + name), Type: kind, Autocomplete: "off", Value: value, Optional: true}
	}
	p.Form = form{
		ID: "organisation", Action: p.Path, Button: button, Hidden: hidden,
		Groups: []group{
			{Legend: say.HTML("field.organisation"), Fields: []field{
				{Name: "name", Label: say.HTML("admin.organisation.name"), Type: "text", Autocomplete: "off", Value: in.Name},
				{Name: "type", Label: say.HTML("field.organisation-type"), Type: "select", Choices: choices(say, "organisation", codes.Organisation(), in.Type, "form.choose-one")},
				{Name: "country", Label: say.HTML("field.country"), Type: "select", Choices: choices(say, "country", codes.Country(), string(in.Country), "form.choose-one")},
				{Name: "size", Label: say.HTML("field.size"), Type: "select", Optional: true, Choices: choices(say, "size", codes.Size(), in.Size, "form.not-said")},
				{Name: "ror", Label: say.HTML("record.owner.ror"), Hint: say.HTML("door.agency.ror-hint"), Type: "text", Autocomplete: "off", Value: in.ROR, Optional: true},
				{Name: "self_publish", Label: say.HTML("admin.organisation.publishing"), Hint: say.HTML("admin.organisation.publishing-hint"), Type: "select", Choices: []option{
					{Value: "no", Label: say.T("admin.organisation.publishes-reviewed"), Selected: !in.SelfPublish}, {Value: "yes", Label: say.T("admin.organisation.publishes-self"), Selected: in.SelfPublish},
				}},
			}},
			{Legend: say.HTML("field.contact"), Hint: say.HTML("admin.organisation.desk-hint"), Fields: []field{
				desk("name", "text", in.Contact.Name), desk("email", "email", in.Contact.Email), desk("phone", "tel", in.Contact.Phone), desk("url", "url", in.Contact.URL),
			}},
		},
	}.dress(say, err)
	code := p.refused(say, err)
	if protocol.CodeOf(err) == protocol.CodeValue || err != nil && protocol.All(err)[0].Field == "name" {
		p.Wrong = p.Form.Wrong // these lead to the fields
	}
	return view{"admin-organisation", p, code}
}

func (s *site) newOrganisation(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	return s.organisationView(r, a, nil, access.OrganisationFields{Country: a.Country}, nil), nil
}

func (s *site) createOrganisation(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	in := sentOrganisation(r, false)
	if _, err := s.cfg.House.People.CreateOrganisation(a, in); err != nil {
		return s.organisationView(r, a, nil, in, s.fault(r, err)), nil
	}
	return moved(w, r, organisationsPath+"?done=created")
}

func (s *site) editOrganisation(w http.ResponseWriter, r *http.Request, a access.Actor, o access.Organisation) (view, error) {
	in := sentOrganisation(r, o.Disabled)
	if _, err := s.cfg.House.People.EditOrganisation(a, o.ID, formVersion(r), in); err != nil {
		return s.organisationView(r, a, &o, in, s.fault(r, err)), nil
	}
	return moved(w, r, adminOrganisation(o.ID)+"?done=saved")
}

// shutOrganisation takes the fields as they stand, so that nothing else changes; the version says whether the visitor saw them.
func (s *site) shutOrganisation(w http.ResponseWriter, r *http.Request, a access.Actor, o access.Organisation, disable bool) (view, error) {
	in := fieldsOf(o)
	in.Disabled = disable
	done := "enable"
	if disable {
		done = "disable"
	}
	if disable && o.ID == a.Organisation {
		return s.organisationView(r, a, &o, fieldsOf(o), ownAccount()), nil
	}
	if _, err := s.cfg.House.People.EditOrganisation(a, o.ID, formVersion(r), in); err != nil {
		return s.organisationView(r, a, &o, fieldsOf(o), s.fault(r, err)), nil
	}
	return moved(w, r, adminOrganisation(o.ID)+"?done="+done)
}
