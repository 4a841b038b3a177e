package ui

import (
	"html/template"
	"net/http"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// Pages that a link opens which works once. Opening one uses nothing up: programs that look through mail open links, too. Only
// the form's button does.

// deadLink says why a link does not work, and what to do, which is the text of the key next.
func (s *site) deadLink(r *http.Request, err error, next string) (view, error) {
	p, code, heading := printer(r), http.StatusNotFound, "door.link-invalid"
	switch protocol.CodeOf(err) {
	case protocol.CodeNotFound:
	case protocol.CodeConflict:
		code, heading = http.StatusGone, "door.link-over"
	default:
		return view{}, err
	}
	return s.doneView(r, code, heading, link(p, "/sign-in", "act.sign-in"), stated(p, protocol.All(err)[0].Message), p.HTML(next)), nil
}

func keyOf(r *http.Request) []option { return []option{{Value: key(r), Label: "key"}} }

// setup is the form for the first administrator and the agency that hosts the node.
func (s *site) setup(_ http.ResponseWriter, r *http.Request) (view, error) {
	if err := s.cfg.House.People.OpenSetup(key(r)); err != nil {
		return s.deadLink(r, err, "door.setup.next")
	}
	agency := s.cfg.House.Agency()
	name := agency.Name
	if name == "" {
		name = s.cfg.Name
	}
	return s.setupView(r, "", access.NewAccount{}, access.OrganisationFields{
		Name: name, Type: "agency", Country: protocol.Country(s.cfg.Door.Member),
		Contact: access.Contact{Email: agency.Email, Phone: agency.Phone, URL: agency.URL},
	}, nil), nil
}

func (s *site) setupView(r *http.Request, email string, in access.NewAccount, o access.OrganisationFields, err error) view {
	p := printer(r)
	desk := func(name, kind, value string) field {
		return field{Name: "organisation.contact." + name, Label: p.HTML("door.desk." + name), Type: kind, Autocomplete: "off", Value: value, Optional: true}
	}
	return s.formView(r, "door.setup.title", []template.HTML{p.HTML("door.setup.lead")}, form{
		ID: "setup", Action: "/setup", Button: p.HTML("door.setup.button"), Hidden: keyOf(r),
		Groups: []group{
			{Legend: p.HTML("door.setup.you"), Fields: []field{nameField(p, in.Name), emailField(p, email), newPasswordField(p), languageField(p, in.Language)}},
			{Legend: p.HTML("door.setup.agency"), Fields: []field{
				{Name: "organisation.name", Label: p.HTML("door.agency.name"), Type: "text", Autocomplete: "organization", Value: o.Name},
				{Name: "organisation.type", Label: p.HTML("record.owner.type"), Type: "select", Choices: choices(p, "organisation", codes.Organisation(), o.Type, "")},
				{Name: "organisation.country", Label: p.HTML("field.country"), Type: "select", Autocomplete: "country", Choices: choices(p, "country", codes.Country(), string(o.Country), "form.choose-one")},
				{Name: "organisation.size", Label: p.HTML("record.owner.size"), Type: "select", Optional: true, Choices: choices(p, "size", codes.Size(), o.Size, "form.not-said")},
				{Name: "organisation.ror", Label: p.HTML("record.owner.ror"), Hint: p.HTML("door.agency.ror-hint"), Type: "text", Autocomplete: "off", Value: o.ROR, Optional: true},
			}},
			{Legend: p.HTML("field.contact"), Hint: p.HTML("door.desk.hint"), Fields: []field{
				desk("name", "text", o.Contact.Name), desk("email", "email", o.Contact.Email), desk("phone", "tel", o.Contact.Phone), desk("url", "url", o.Contact.URL),
			}},
		},
	}, err)
}

func (s *site) setUp(w http.ResponseWriter, r *http.Request) (view, error) {
	sent := func(name string) string { return r.PostFormValue("organisation." + name) }
	email, in := r.PostFormValue("email"), account(r)
	o := access.OrganisationFields{
		Name: sent("name"), Type: sent("type"), Size: sent("size"), Country: protocol.Country(sent("country")), ROR: sent("ror"),
		Contact: access.Contact{Name: sent("contact.name"), Email: sent("contact.email"), Phone: sent("contact.phone"), URL: sent("contact.url")},
	}
	if err := s.cfg.House.People.OpenSetup(key(r)); err != nil {
		return s.deadLink(r, err, "door.setup.next")
	}
	in2, err := s.cfg.House.People.Setup(r.Context(), key(r), email, in, o, door.ClientOf(r.Context()))
	if err != nil {
		var faults protocol.Errors
		for _, e := range protocol.All(err) {
			if e.Code == protocol.CodeConflict && e.Field == "name" { // there is an organisation of that name, made on the node itself
				e = protocol.Errorf(e.Code, "organisation.name", "%s", e.Message)
			}
			faults = append(faults, e)
		}
		return s.setupView(r, email, in, o, s.fault(r, faults)), nil
	}
	s.cfg.Door.Keep(w, in2)
	return moved(w, r, "/welcome?done=setup")
}

// invitation is the form for who was invited.
func (s *site) invitation(_ http.ResponseWriter, r *http.Request) (view, error) {
	i, o, err := s.cfg.House.People.OpenInvitation(key(r))
	if err != nil {
		return s.deadLink(r, err, "door.invitation.next")
	}
	return s.invitationView(r, i, o, access.NewAccount{Language: i.Language}, nil), nil
}

func (s *site) invitationView(r *http.Request, i access.Invitation, o access.Organisation, in access.NewAccount, err error) view {
	p := printer(r)
	return s.formView(r, "door.invitation.title", []template.HTML{p.HTML("door.invitation.lead", "Organisation", voice(o.Name), "Roles", rolesInWords(p, i.Roles))}, form{
		ID: "invitation", Action: "/invitation", Button: p.HTML("door.invitation.button"), Hidden: keyOf(r),
		Groups: []group{{Fields: []field{
			{Name: "email", Label: p.HTML("form.email"), Type: "fixed", Autocomplete: "username", Value: i.Email}, nameField(p, in.Name), newPasswordField(p), languageField(p, in.Language),
		}}},
	}, err, link(p, "/sign-in", "door.invitation.have"))
}

func (s *site) accept(w http.ResponseWriter, r *http.Request) (view, error) {
	i, o, err := s.cfg.House.People.OpenInvitation(key(r))
	if err != nil {
		return s.deadLink(r, err, "door.invitation.next")
	}
	in := account(r)
	made, err := s.cfg.House.People.Accept(r.Context(), key(r), in, door.ClientOf(r.Context()))
	if err != nil {
		return s.invitationView(r, i, o, in, s.fault(r, err)), nil
	}
	s.cfg.Door.Keep(w, made)
	return moved(w, r, "/account?done=invitation")
}

func rolesInWords(p *lang.Printer, roles []access.Role) template.HTML {
	var list []template.HTML
	for _, r := range roles {
		list = append(list, p.HTML("role."+string(r)))
	}
	return listOf(p, list)
}

// verification has a button, so that opening the link confirms nothing yet.
func (s *site) verification(_ http.ResponseWriter, r *http.Request) (view, error) {
	p := printer(r)
	return s.formView(r, "door.verify.title", []template.HTML{p.HTML("door.verify.lead")}, form{ID: "verify", Action: "/verify", Button: p.HTML("act.confirm"), Hidden: keyOf(r)}, nil), nil
}

func (s *site) verify(_ http.ResponseWriter, r *http.Request) (view, error) {
	if _, err := s.cfg.House.People.Verify(key(r)); err != nil {
		return s.deadLink(r, err, "door.verify.next")
	}
	return s.doneView(r, http.StatusOK, "door.verify.done", link(printer(r), "/account", "door.to-account")), nil
}

// reset asks for a link where it was opened without one, and for a new password where it was opened by one.
func (s *site) reset(_ http.ResponseWriter, r *http.Request) (view, error) {
	if !r.URL.Query().Has("key") {
		return s.askView(r, "", nil), nil
	}
	if err := s.cfg.House.People.OpenReset(key(r)); err != nil {
		return s.deadReset(r, err)
	}
	return s.resetView(r, nil), nil
}

func (s *site) deadReset(r *http.Request, err error) (view, error) {
	v, err := s.deadLink(r, err, "door.reset.next")
	if p, ok := v.model.(donePage); ok {
		p.Next = link(printer(r), "/reset", "door.reset.again")
		v.model = p
	}
	return v, err
}

func (s *site) askView(r *http.Request, email string, err error) view {
	p := printer(r)
	back := link(p, "/sign-in", "door.back")
	if !s.cfg.House.Mail.Enabled() {
		return s.doneView(r, http.StatusOK, "door.forgotten.title", back, p.HTML("door.forgotten.no-mail"))
	}
	return s.formView(r, "door.forgotten.title", []template.HTML{p.HTML("door.forgotten.lead")},
		form{ID: "ask", Action: "/reset", Button: p.HTML("door.send-link"), Groups: []group{{Fields: []field{emailField(p, email)}}}}, err, back)
}

func (s *site) resetView(r *http.Request, err error) view {
	p := printer(r)
	return s.formView(r, "door.reset.title", []template.HTML{p.HTML("door.reset.lead")},
		form{ID: "reset", Action: "/reset", Button: p.HTML("door.reset.button"), Hidden: keyOf(r), Groups: []group{{Fields: []field{newPasswordField(p)}}}}, err)
}

func (s *site) setPassword(w http.ResponseWriter, r *http.Request) (view, error) {
	if key(r) == "" {
		return s.askReset(w, r)
	}
	if err := s.cfg.House.People.OpenReset(key(r)); err != nil {
		return s.deadReset(r, err)
	}
	if err := s.cfg.House.People.Reset(r.Context(), key(r), r.PostFormValue("password")); err != nil {
		return s.resetView(r, s.fault(r, err)), nil
	}
	return s.doneView(r, http.StatusOK, "door.reset.done", link(printer(r), "/sign-in", "act.sign-in"), printer(r).HTML("door.reset.ended")), nil
}

// askReset answers before it looks whether there is an account: neither words nor time tell.
func (s *site) askReset(w http.ResponseWriter, r *http.Request) (view, error) {
	email := r.PostFormValue("email")
	// A link that nobody gets would end the one that an administrator handed over.
	if _, err := access.Email(email); err != nil || !s.cfg.House.Mail.Enabled() {
		return s.askView(r, email, err), nil
	}
	s.write(w, r, s.doneView(r, http.StatusOK, "door.forgotten.sent", link(printer(r), "/sign-in", "door.back"), printer(r).HTML("door.forgotten.way"), printer(r).HTML("door.forgotten.nothing")))
	_ = http.NewResponseController(w).Flush()
	if err := s.cfg.House.People.RequestReset(email, door.ClientOf(r.Context())); err != nil {
		s.cfg.Log.Info("no link for a new password was made", "code", string(protocol.CodeOf(err)))
	}
	return view{}, nil
}
