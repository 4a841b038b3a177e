package ui

import (
	"net/http"
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// Pages that a link opens which works once. Opening one uses nothing up: programs that look through mail open links, too. Only
// the form's button does.

// deadLink says why a link does not work, and what to do.
func (s *site) deadLink(err error, next string) (view, error) {
	code, heading := http.StatusNotFound, "This link is not valid"
	switch protocol.CodeOf(err) {
	case protocol.CodeNotFound:
	case protocol.CodeConflict:
		code, heading = http.StatusGone, "This link does not work any more"
	default:
		return view{}, err
	}
	return s.doneView(code, heading, option{Value: "/sign-in", Label: "Sign in"}, said(protocol.All(err)[0].Message), next), nil
}

func keyOf(r *http.Request) []option { return []option{{Value: key(r), Label: "key"}} }

const nextSetup = "A new setup link is made on the node itself: tmh user setup-link."

// setup is the form for the first administrator and the agency that hosts the node.
func (s *site) setup(_ http.ResponseWriter, r *http.Request) (view, error) {
	if err := s.cfg.House.People.OpenSetup(key(r)); err != nil {
		return s.deadLink(err, nextSetup)
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
	desk := func(name, label, kind, value string) field {
		return field{Name: "organisation.contact." + name, Label: label, Type: kind, Autocomplete: "off", Value: value, Optional: true}
	}
	return s.formView("Set up this node", []string{
		"You become its first administrator, who invites all others. The organisation is the agency that hosts the node.",
	}, form{
		ID: "setup", Action: "/setup", Button: "Set up", Hidden: keyOf(r),
		Groups: []group{
			{Legend: "You", Fields: []field{nameField(in.Name), emailField(email), newPasswordField(), languageField(in.Language)}},
			{Legend: "Your agency", Fields: []field{
				{Name: "organisation.name", Label: "Name of the agency", Type: "text", Autocomplete: "organization", Value: o.Name},
				{Name: "organisation.type", Label: "Type", Type: "select", Choices: choices(codes.Organisation(), o.Type, "")},
				{Name: "organisation.country", Label: "Country", Type: "select", Autocomplete: "country", Choices: choices(codes.Country(), string(o.Country), "Choose one")},
				{Name: "organisation.size", Label: "Size", Type: "select", Optional: true, Choices: choices(codes.Size(), o.Size, "Not said")},
				{Name: "organisation.ror", Label: "ROR identifier", Hint: "Of the Research Organization Registry, such as 03yrm5c26.", Type: "text", Autocomplete: "off", Value: o.ROR, Optional: true},
			}},
			{Legend: "Contact point", Hint: "Where to ask about listings that name your organisation: a desk rather than a person. Readers of their full records see it.", Fields: []field{
				desk("name", "Name of the desk", "text", o.Contact.Name),
				desk("email", "E-mail address of the desk", "email", o.Contact.Email),
				desk("phone", "Telephone", "tel", o.Contact.Phone),
				desk("url", "Page on the web", "url", o.Contact.URL),
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
		return s.deadLink(err, nextSetup)
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
	return moved(w, r, "/account?done=setup")
}

const nextInvitation = "If you have an account already, sign in. Otherwise ask the administrator who invited you to send a new invitation."

// invitation is the form for who was invited.
func (s *site) invitation(_ http.ResponseWriter, r *http.Request) (view, error) {
	i, o, err := s.cfg.House.People.OpenInvitation(key(r))
	if err != nil {
		return s.deadLink(err, nextInvitation)
	}
	return s.invitationView(r, i, o, access.NewAccount{Language: i.Language}, nil), nil
}

func (s *site) invitationView(r *http.Request, i access.Invitation, o access.Organisation, in access.NewAccount, err error) view {
	return s.formView("Make your account", []string{
		"You are invited to this node for " + o.Name + ", as " + rolesInWords(i.Roles) + ".",
	}, form{
		ID: "invitation", Action: "/invitation", Button: "Make my account", Hidden: keyOf(r),
		Groups: []group{{Fields: []field{
			{Name: "email", Label: "E-mail address", Type: "fixed", Autocomplete: "username", Value: i.Email}, nameField(in.Name), newPasswordField(), languageField(in.Language),
		}}},
	}, err, option{Value: "/sign-in", Label: "I have an account already"})
}

func (s *site) accept(w http.ResponseWriter, r *http.Request) (view, error) {
	i, o, err := s.cfg.House.People.OpenInvitation(key(r))
	if err != nil {
		return s.deadLink(err, nextInvitation)
	}
	in := account(r)
	made, err := s.cfg.House.People.Accept(r.Context(), key(r), in, door.ClientOf(r.Context()))
	if err != nil {
		return s.invitationView(r, i, o, in, s.fault(r, err)), nil
	}
	s.cfg.Door.Keep(w, made)
	return moved(w, r, "/account?done=invitation")
}

func rolesInWords(roles []access.Role) string {
	names := map[access.Role]string{access.Admin: "administrator", access.Editor: "editor of its listings", access.Analyst: "analyst of statistics", access.Auditor: "auditor"}
	var list []string
	for _, r := range roles {
		name := names[r]
		if name == "" {
			name = string(r)
		}
		list = append(list, name)
	}
	return strings.Join(list, ", ")
}

// verification has a button, so that opening the link confirms nothing yet.
func (s *site) verification(_ http.ResponseWriter, r *http.Request) (view, error) {
	return s.formView("Confirm your e-mail address", []string{"Press the button to confirm that this mail reached you."},
		form{ID: "verify", Action: "/verify", Button: "Confirm", Hidden: keyOf(r)}, nil), nil
}

func (s *site) verify(_ http.ResponseWriter, r *http.Request) (view, error) {
	if _, err := s.cfg.House.People.Verify(key(r)); err != nil {
		return s.deadLink(err, "Ask for a new link on the page of your account.")
	}
	return s.doneView(http.StatusOK, "Your e-mail address is confirmed", option{Value: "/account", Label: "To your account"}), nil
}

// reset asks for a link where it was opened without one, and for a new password where it was opened by one.
func (s *site) reset(_ http.ResponseWriter, r *http.Request) (view, error) {
	if !r.URL.Query().Has("key") {
		return s.askView("", nil), nil
	}
	if err := s.cfg.House.People.OpenReset(key(r)); err != nil {
		return s.deadReset(err)
	}
	return s.resetView(r, nil), nil
}

func (s *site) deadReset(err error) (view, error) {
	v, err := s.deadLink(err, "You can ask for a new link to set a password.")
	if p, ok := v.model.(donePage); ok {
		p.Next = option{Value: "/reset", Label: "Ask for a new link"}
		v.model = p
	}
	return v, err
}

func (s *site) askView(email string, err error) view {
	if !s.cfg.House.Mail.Enabled() {
		return s.doneView(http.StatusOK, "Forgotten password", option{Value: "/sign-in", Label: "Back to signing in"},
			"This node sends no mail: ask its administrator for a link to set a new password.")
	}
	return s.formView("Forgotten password", []string{"Give the address of your account. If there is one, a link is sent there."}, form{ID: "ask", Action: "/reset", Button: "Send the link", Groups: []group{{Fields: []field{emailField(email)}}}}, err,
		option{Value: "/sign-in", Label: "Back to signing in"})
}

func (s *site) resetView(r *http.Request, err error) view {
	return s.formView("Set a new password", []string{"It ends all sessions of your account."},
		form{ID: "reset", Action: "/reset", Button: "Set the password", Hidden: keyOf(r), Groups: []group{{Fields: []field{newPasswordField()}}}}, err)
}

func (s *site) setPassword(w http.ResponseWriter, r *http.Request) (view, error) {
	if key(r) == "" {
		return s.askReset(w, r)
	}
	if err := s.cfg.House.People.OpenReset(key(r)); err != nil {
		return s.deadReset(err)
	}
	if err := s.cfg.House.People.Reset(r.Context(), key(r), r.PostFormValue("password")); err != nil {
		return s.resetView(r, s.fault(r, err)), nil
	}
	return s.doneView(http.StatusOK, "Your new password is set", option{Value: "/sign-in", Label: "Sign in"}, "All sessions of your account have ended."), nil
}

// askReset answers before it looks whether there is an account: neither words nor time tell.
func (s *site) askReset(w http.ResponseWriter, r *http.Request) (view, error) {
	email := r.PostFormValue("email")
	// A link that nobody gets would end the one that an administrator handed over.
	if _, err := access.Email(email); err != nil || !s.cfg.House.Mail.Enabled() {
		return s.askView(email, err), nil
	}
	s.write(w, r, s.doneView(http.StatusOK, "Look into your mail", option{Value: "/sign-in", Label: "Back to signing in"},
		"If there is an account with this address, a link to set a new password is on its way. It works for a short time, and once.",
		"Nothing came? Look among unwanted mail, or ask the administrator of this node."))
	_ = http.NewResponseController(w).Flush()
	if err := s.cfg.House.People.RequestReset(email, door.ClientOf(r.Context())); err != nil {
		s.cfg.Log.Info("no link for a new password was made", "code", string(protocol.CodeOf(err)))
	}
	return view{}, nil
}
