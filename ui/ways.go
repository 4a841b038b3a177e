package ui

import (
	"encoding/json"
	"html/template"
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

func (s *site) eraseView(r *http.Request, err error) view {
	p := printer(r)
	return s.formView(r, "account.erase.title", []template.HTML{p.HTML("account.erase.lead"), p.HTML("account.erase.listings"), p.HTML("account.erase.rest")}, form{
		ID: "erase", Action: "/account/erase", Button: p.HTML("account.erase.button"), Danger: true,
		Groups: []group{{Fields: []field{
			{Name: "confirm", Label: p.HTML("account.erase.email"), Hint: p.HTML("account.erase.email-hint"), Type: "email", Autocomplete: "off"},
		}}},
	}, err, link(p, "/account", "account.erase.keep"), link(p, "/account/data", "account.erase.data"))
}

func (s *site) erasePage(_ http.ResponseWriter, r *http.Request, _ access.Actor) (view, error) {
	return s.eraseView(r, nil), nil
}

func (s *site) erase(w http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	u, err := s.cfg.House.People.User(a, a.User)
	if err != nil {
		return view{}, err
	}
	if typed, err := access.Email(r.PostFormValue("confirm")); err != nil || typed != u.Email {
		return s.eraseView(r, protocol.Errorf(protocol.CodeValue, "confirm", "this is not the address of your account: type it as it stands on the page of your account")), nil
	}
	if err := s.cfg.House.People.Erase(a, a.User); err != nil {
		return s.eraseView(r, s.fault(r, err)), nil
	}
	s.cfg.Door.Keep(w, access.SignedIn{})
	return moved(w, r, "/signed-out?done=erased")
}
