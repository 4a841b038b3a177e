package ui

import (
	"encoding/json"
	"html/template"
	"io"
	"net/http"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/access/passkey"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// signInPage has every way in that this node offers.
type signInPage struct {
	frame
	Form     form
	From     string
	Passkeys bool
	Provider string        // name of it; "" where there is none
	Unowned  template.HTML // how the node gets its first administrator; "" where it has one
}

// providerPath begins a sign-in at the provider of identities, of which the API keeps both ends.
const providerPath = "/api/v1/session/provider"

func (s *site) signInView(r *http.Request, from, email string, err error) view {
	say := printer(r)
	p := signInPage{frame: s.frame(r, "", say.T("act.sign-in")), From: local(from), Passkeys: s.cfg.House.Passkeys != nil}
	p.Form = form{
		ID: "sign-in", Action: "/sign-in", Button: say.HTML("act.sign-in"), Hidden: []option{{Value: p.From, Label: "from"}},
		Groups: []group{{Fields: []field{
			emailField(say, email), {Name: "password", Label: say.HTML("form.password"), Type: "password", Autocomplete: "current-password"},
		}}},
	}.dress(say, err)
	p.Unowned = s.unowned(say)
	if p.Passkeys {
		p.Script = s.script
	}
	if x := s.cfg.House.Provider; x != nil {
		p.Provider = x.Host()
	}
	code := http.StatusOK
	if err != nil {
		p.Title, code = say.T("layout.error", "Page", p.Title), status(err)
	}
	return view{"sign-in", p, code}
}

func (s *site) signInPage(w http.ResponseWriter, r *http.Request) (view, error) {
	from := r.URL.Query().Get("from")
	if door.ActorOf(r.Context()).Session != "" {
		return moved(w, r, from)
	}
	return s.signInView(r, from, "", nil), nil
}

func (s *site) signIn(w http.ResponseWriter, r *http.Request) (view, error) {
	email, from := r.PostFormValue("email"), r.PostFormValue("from")
	in, err := s.cfg.House.People.SignIn(r.Context(), email, r.PostFormValue("password"), door.ClientOf(r.Context()))
	if err != nil {
		return s.signInView(r, from, email, s.fault(r, err)), nil
	}
	s.cfg.Door.Keep(w, in)
	return moved(w, r, from)
}

func (s *site) signOut(w http.ResponseWriter, r *http.Request) (view, error) {
	if a := door.ActorOf(r.Context()); a.Session != "" {
		if err := s.cfg.House.People.EndSession(a, a.User, a.Session); err != nil && protocol.CodeOf(err) != protocol.CodeNotFound {
			return view{}, err
		}
	}
	s.cfg.Door.Keep(w, access.SignedIn{})
	return moved(w, r, "/signed-out")
}

// signedOut is what remains: a page that no longer knows who looks at it.
func (s *site) signedOut(_ http.ResponseWriter, r *http.Request) (view, error) {
	p := printer(r)
	next := link(p, "/", "nav.start")
	if r.URL.Query().Get("done") == "erased" {
		return s.doneView(r, http.StatusOK, "account.erase.done", next, p.HTML("account.erase.done-says")), nil
	}
	return s.doneView(r, http.StatusOK, "door.signed-out", next), nil
}

// Passkeys: the script of the page fetches options from one address, asks the browser, and sends its answer to the other.

const (
	ceremony        = "passkey" // name of the cookie that binds an answer to its question
	ceremonySeconds = int(passkey.Lifetime / 1e9)
)

// begun gives the options to the script.
func (s *site) begun(w http.ResponseWriter, r *http.Request, b passkey.Begun, err error) (view, error) {
	if err != nil {
		return s.refuse(w, r, err)
	}
	s.cfg.Door.Brief(w, ceremony, b.Ceremony, http.SameSiteStrictMode, ceremonySeconds)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b.Options)
	return view{}, nil
}

// answered sends the page on.
func (s *site) answered(w http.ResponseWriter, next string) (view, error) {
	s.cfg.Door.Brief(w, ceremony, "", http.SameSiteStrictMode, 0)
	w.Header().Set("Content-Type", "application/json")
	return view{}, json.NewEncoder(w).Encode(map[string]string{"next": next})
}

// answerOf the browser to a question about a passkey.
func answerOf(r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "", "the browser's answer is too large, or was cut off: try again")
	}
	return b, nil
}

// refuse tells the script why not.
func (s *site) refuse(w http.ResponseWriter, r *http.Request, err error) (view, error) {
	shown := protocol.All(s.fault(r, err))[0]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status(shown))
	return view{}, json.NewEncoder(w).Encode(map[string]string{"message": bare(stated(printer(r), shown.Message))})
}

func (s *site) beginSignIn(w http.ResponseWriter, r *http.Request) (view, error) {
	b, err := s.cfg.House.BeginPasskeySignIn()
	return s.begun(w, r, b, err)
}

func (s *site) finishSignIn(w http.ResponseWriter, r *http.Request) (view, error) {
	answer, err := answerOf(r)
	if err != nil {
		return s.refuse(w, r, err)
	}
	in, err := s.cfg.House.FinishPasskeySignIn(s.cfg.Door.BriefOf(r, ceremony), answer, door.ClientOf(r.Context()))
	if err != nil {
		return s.refuse(w, r, err)
	}
	s.cfg.Door.Keep(w, in)
	return s.answered(w, local(r.URL.Query().Get("from")))
}
