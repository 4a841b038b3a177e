package access

import (
	"context"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Sessions, and signing in by password.

// How long a session lasts.
const (
	SessionIdle     = 12 * time.Hour     // without a request
	SessionAbsolute = 7 * 24 * time.Hour // at most
	seenEvery       = 5 * time.Minute    // how exactly the last request is noted: not every request is a write
	maxSessions     = 20                 // a person; a new one ends the one that was idle longest
)

// SessionID names a session in lists. It is the hash of the secret, so it proves nothing.
type SessionID string

// Session of a person. Sessions are rows of our own rather than a session library's: they have to end by person, by epoch and
// all at once after a restore, in the transactions that make them end, and carry nothing but who.
type Session struct {
	ID      SessionID `json:"id"`
	User    UserID    `json:"user"`
	Method  string    `json:"method"` // "password", "passkey", "oidc", "link"
	Agent   string    `json:"agent,omitempty"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"` // to five minutes
	Expires time.Time `json:"expires"`
}

// session is the row.
type session struct {
	Session
	Epoch      uint64 `json:"epoch"`      // of the person
	Generation uint64 `json:"generation"` // of the node: see restore.go
}

// SignedIn is what a sign-in gives. Secret goes into the cookie and nowhere else.
type SignedIn struct {
	Secret  string
	Expires time.Time
	Actor   Actor
}

func (r *Registry) sessionEnded() error {
	return protocol.Errorf(protocol.CodeNotPermitted, "", "your session has ended: sign in again")
}

// Methods of signing in.
const (
	byPassword = "password"
	byLink     = "link"
)

// SignIn by password.
//
// Errors: CodeNotPermitted where address and password do not belong together, or the account is disabled; CodeUnavailable after
// too many wrong attempts, and while too many sign in at once. Neither the words nor the time tell whether there is an account.
func (r *Registry) SignIn(ctx context.Context, email, password string, c Client) (s SignedIn, err error) {
	e, err := Email(email)
	if err != nil {
		e = "not an address: " + hashOf(email) // counted like any other
	}
	address := network(c.Address)
	end, err := r.begin(e, address)
	if err != nil {
		return s, err
	}
	defer end()
	var u *user
	if err := r.view(func(tx *store.Tx) (err error) {
		u, err = userBy(tx, e)
		return err
	}); err != nil {
		return s, err
	}
	hash := ""
	if u != nil {
		hash = u.PasswordHash
	}
	right, err := r.hasher.verify(ctx, password, hash)
	if err != nil {
		return s, err
	}
	var refused error
	err = r.update(func(tx *store.Tx) error {
		if shut, err := r.shut(tx, e); err != nil || shut {
			refused = closed()
			return err
		}
		if right {
			// The account may have changed while the password was hashed.
			if u, err = userOf(tx, u.ID); err != nil {
				return err
			}
			right = u.PasswordHash == hash && u.Email == e
		}
		if !right {
			locked, err := r.failed(tx, e, address)
			if err != nil {
				return err
			}
			if refused = wrong(); !locked {
				return nil
			}
			id := "" // of no account: the event is written all the same, or the time would tell
			if u != nil {
				id = string(u.ID)
			}
			return r.log(tx, Actor{}, "signin.closed", "user", id, nil)
		}
		if err := r.pardon(tx, e); err != nil {
			return err
		}
		s, err = r.startSession(tx, u, byPassword, c)
		return err
	})
	if err == nil {
		err = refused
	}
	return s, err
}

func wrong() error {
	return protocol.Errorf(protocol.CodeNotPermitted, "",
		"e-mail address and password do not belong together: try again, or set a new password by the link “forgotten password”; after %d wrong attempts signing in is closed for %d minutes",
		lockAfter, int(lockFor.Minutes()))
}

// SignInAs signs in a person whom a passkey or a provider has proven, in the transaction that notes its use.
//
// Errors: CodeNotFound, CodeNotPermitted where the account is disabled.
func (r *Registry) SignInAs(tx *store.Tx, id UserID, method string, c Client) (SignedIn, error) {
	u, err := userOf(tx, id)
	if err != nil {
		return SignedIn{}, err
	}
	return r.startSession(tx, u, method, c)
}

// startSession makes a session with a secret of its own: one that somebody planted before does not become signed in.
func (r *Registry) startSession(tx *store.Tx, u *user, method string, c Client) (s SignedIn, err error) {
	if s.Actor, err = r.actorOf(tx, u); err != nil {
		return SignedIn{}, err
	}
	have, err := r.sessionsOf(tx, u)
	if err != nil {
		return SignedIn{}, err
	}
	slices.SortFunc(have, func(a, b Session) int { return a.Seen.Compare(b.Seen) })
	for len(have) >= maxSessions {
		if err := dropSession(tx, u.ID, have[0].ID); err != nil {
			return SignedIn{}, err
		}
		have = have[1:]
	}
	u.LastSignIn = r.now()
	if err := write(tx, store.TableUser, "u/"+string(u.ID), u); err != nil {
		return SignedIn{}, err
	}
	row := session{Session: Session{User: u.ID, Method: method, Agent: label(c.Agent), Created: r.now(), Expires: r.now().Add(SessionAbsolute)}}
	if s.Secret, err = r.putSession(tx, u, &row); err != nil {
		return SignedIn{}, err
	}
	s.Actor.Session, s.Expires = row.ID, row.Expires
	return s, r.log(tx, s.Actor, "session.start", "user", string(u.ID), map[string]string{"method": method})
}

// putSession gives a session a new secret and writes it.
func (r *Registry) putSession(tx *store.Tx, u *user, row *session) (secret string, err error) {
	secret, hash := newSecret()
	g, err := generationOf(tx, store.TableSession)
	if err != nil {
		return "", err
	}
	row.ID, row.Seen, row.Epoch, row.Generation = SessionID(hash), r.now(), u.Epoch, g.Current
	if err := index(tx, store.TableSession, "u/"+string(u.ID)+"/"+hash); err != nil {
		return "", err
	}
	return secret, write(tx, store.TableSession, "s/"+hash, row)
}

func (r *Registry) alive(tx *store.Tx, s *session, u *user) (bool, error) {
	g, err := generationOf(tx, store.TableSession)
	now := r.now()
	return s.Epoch == u.Epoch && s.Generation == g.Current && now.Before(s.Expires) && now.Before(s.Seen.Add(SessionIdle)), err
}

// find the session of a secret with its person; an error where it has ended.
func (r *Registry) find(tx *store.Tx, secret string) (s *session, u *user, err error) {
	if len(secret) != 43 {
		return nil, nil, r.sessionEnded()
	}
	if s, err = read[session](tx, store.TableSession, "s/"+hashOf(secret)); err != nil {
		return nil, nil, err
	}
	if s == nil {
		return nil, nil, r.sessionEnded()
	}
	if u, err = userOf(tx, s.User); err != nil {
		return nil, nil, err
	}
	switch alive, err := r.alive(tx, s, u); {
	case err != nil:
		return nil, nil, err
	case !alive:
		return nil, nil, r.sessionEnded()
	}
	return s, u, nil
}

// Authenticate tells whose session a secret is.
//
// Errors: CodeNotPermitted where there is none, it has ended, or the account or its organisation is disabled.
func (r *Registry) Authenticate(secret string) (a Actor, err error) {
	var note bool
	err = r.view(func(tx *store.Tx) error {
		s, u, err := r.find(tx, secret)
		if err != nil {
			return err
		}
		if a, err = r.actorOf(tx, u); err != nil {
			return err
		}
		a.Session, note = s.ID, r.now().Sub(s.Seen) >= seenEvery
		return nil
	})
	if err != nil {
		return Actor{}, err
	}
	if note {
		// A node that takes no writes now still answers: the session then ends earlier than it might have.
		_ = r.update(func(tx *store.Tx) error {
			s, _, err := r.find(tx, secret)
			if err != nil {
				return err
			}
			s.Seen = r.now()
			return write(tx, store.TableSession, "s/"+string(s.ID), s)
		})
	}
	return a, nil
}

func dropSession(tx *store.Tx, u UserID, id SessionID) error {
	if err := tx.DeleteRow(store.TableSession, "u/"+string(u)+"/"+string(id)); err != nil {
		return err
	}
	return tx.DeleteRow(store.TableSession, "s/"+string(id))
}

// endSessions of a person but one; keep may be "".
func endSessions(tx *store.Tx, u UserID, keep SessionID) error {
	ids, err := keys(tx, store.TableSession, "u/"+string(u)+"/", "", everything)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id == string(keep) {
			continue
		}
		if err := dropSession(tx, u, SessionID(id)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Registry) sessionsOf(tx *store.Tx, u *user) (all []Session, err error) {
	ids, err := keys(tx, store.TableSession, "u/"+string(u.ID)+"/", "", everything)
	for _, id := range ids {
		s, err := read[session](tx, store.TableSession, "s/"+id)
		if err != nil {
			return nil, err
		}
		if s == nil {
			continue
		}
		if alive, err := r.alive(tx, s, u); err != nil {
			return nil, err
		} else if alive {
			all = append(all, s.Session)
		}
	}
	slices.SortFunc(all, func(a, b Session) int { return b.Seen.Compare(a.Seen) })
	return all, err
}

// Sessions of a person, the latest first. Actor.Session tells which one asks.
//
// Errors: CodeNotPermitted, CodeNotFound.
func (r *Registry) Sessions(by Actor, id UserID) (all []Session, err error) {
	if err := Can(by, EditAccount, Resource{User: id}); err != nil {
		return nil, err
	}
	err = r.view(func(tx *store.Tx) error {
		u, err := userOf(tx, id)
		if err != nil {
			return err
		}
		all, err = r.sessionsOf(tx, u)
		return err
	})
	return all, err
}

// EndSession signs out one session of a person.
//
// Errors: CodeNotPermitted, CodeNotFound.
func (r *Registry) EndSession(by Actor, id UserID, s SessionID) error {
	if err := Can(by, EditAccount, Resource{User: id}); err != nil {
		return err
	}
	return r.update(func(tx *store.Tx) error {
		found, err := tx.Row(store.TableSession, "u/"+string(id)+"/"+string(s))
		if err != nil {
			return err
		}
		if found == nil {
			return notFound("session")
		}
		if err := dropSession(tx, id, s); err != nil {
			return err
		}
		return r.log(tx, by, "session.end", "user", string(id), nil)
	})
}

// EndSessions signs a person out everywhere, but for the session that asks where keep is set. An administrator may, too.
//
// Errors: CodeNotPermitted.
func (r *Registry) EndSessions(by Actor, id UserID, keep bool) error {
	if err := Can(by, EditAccount, Resource{User: id}); err != nil {
		if Can(by, DisablePerson, Resource{User: id}) != nil {
			return err
		}
	}
	return r.update(func(tx *store.Tx) error {
		var stays SessionID
		if keep {
			stays = by.Session
		}
		if err := endSessions(tx, id, stays); err != nil {
			return err
		}
		return r.log(tx, by, "session.end-all", "user", string(id), nil)
	})
}
