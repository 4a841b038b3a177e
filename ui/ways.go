package ui

import (
	"encoding/json"
	"net/http"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
)

// Ways into the own account, what the node holds about its person, and the way out for ever.

func (s *site) beginPasskey(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	b, err := s.cfg.House.BeginPasskey(a)
	return s.begun(w, r, b, err)
}

func (s *site) finishPasskey(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	answer, err := answerOf(r)
	if err != nil {
		return s.refuse(w, r, err)
	}
	if _, err := s.cfg.House.FinishPasskey(a, s.cfg.Door.BriefOf(r, ceremony), answer, r.URL.Query().Get("name")); err != nil {
		return s.refuse(w, r, err)
	}
	return s.answered(w, "/account?done=passkey")
}

func (s *site) renamePasskey(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	_, err := s.cfg.House.RenamePasskey(a, r.PostFormValue("id"), r.PostFormValue("name"))
	return s.did(w, r, a, "", "renamed", err)
}

func (s *site) removePasskey(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	return s.did(w, r, a, "", "removed", s.cfg.House.RemovePasskey(a, r.PostFormValue("id")))
}

func (s *site) removeIdentity(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	return s.did(w, r, a, "", "removed", s.cfg.House.RemoveIdentity(a, r.PostFormValue("id")))
}

// personalData is everything that the node holds about the person, to take along.
func (s *site) personalData(w http.ResponseWriter, _ *http.Request, a access.Actor) (view, error) {
	all, err := s.cfg.House.Export(a, a.User)
	if err != nil {
		return view{}, err
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return view{}, err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="tmh-personal-data.json"`)
	_, _ = w.Write(b)
	return view{}, nil
}

func (s *site) eraseView(err error) view {
	return s.formView("Erase your account", []string{
		"Your name, address, password, passkeys, sessions and tokens are removed from this node for ever. Nobody can bring them back.",
		"Listings stay: they belong to your organisation. Their history then names you by a number that leads to nobody.",
		"Where the text of a full record names you, ask its editor to change that. Backups of this node hold your data until they are replaced.",
	}, form{
		ID: "erase", Action: "/account/erase", Button: "Erase my account", Danger: true,
		Groups: []group{{Fields: []field{
			{Name: "confirm", Label: "Your e-mail address", Hint: "Type it to confirm.", Type: "email", Autocomplete: "off"},
		}}},
	}, err, option{Value: "/account", Label: "Keep my account"}, option{Value: "/account/data", Label: "Download my data first"})
}

func (s *site) erasePage(_ http.ResponseWriter, _ *http.Request, _ access.Actor) (view, error) {
	return s.eraseView(nil), nil
}

func (s *site) erase(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	u, err := s.cfg.House.People.User(a, a.User)
	if err != nil {
		return view{}, err
	}
	if typed, err := access.Email(r.PostFormValue("confirm")); err != nil || typed != u.Email {
		return s.eraseView(protocol.Errorf(protocol.CodeValue, "confirm", "this is not the address of your account: type it as it stands on the page of your account")), nil
	}
	if err := s.cfg.House.People.Erase(a, a.User); err != nil {
		return s.eraseView(s.fault(r, err)), nil
	}
	s.cfg.Door.Keep(w, access.SignedIn{})
	return moved(w, r, "/signed-out?done=erased")
}
