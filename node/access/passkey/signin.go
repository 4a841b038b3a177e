package passkey

import (
	"errors"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	tmh "github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// BeginSignIn begins a sign-in of somebody not yet known: the device offers the passkeys that it has for this node, so
// nobody types an address, and nothing here tells which accounts exist.
func (s *Service) BeginSignIn() (Begun, error) {
	options, session, err := s.library.BeginDiscoverableLogin()
	if err != nil {
		return Begun{}, internal("begin sign-in", err)
	}
	return s.begun(s.signIns, ceremony{session: *session}, options)
}

// FinishSignIn tells who signed in, notes the use, and calls then in the same transaction: there the caller looks whether the
// account may be used, and makes the session; what it returns ends the sign-in. then may be nil. FinishSignIn itself must not
// be called within a transaction: the signature is checked before one begins, so that strangers' wrong answers do not make
// writers wait.
//
// Errors: CodeNotPermitted, with one and the same message for an unknown passkey and a wrong signature; *CloneError where a
// copy of the passkey seems to be in use, and for each use of it after: then is not called.
func (s *Service) FinishSignIn(ceremonyID string, response []byte, then func(tx *store.Tx, in SignIn) error) (SignIn, error) {
	now := s.cfg.Now().UTC()
	c, ok := s.signIns.take(ceremonyID, now)
	if !ok {
		return SignIn{}, expired()
	}
	if len(response) > MaxResponse {
		return SignIn{}, tmh.Errorf(tmh.CodeTooLarge, "", "the browser's answer has %d bytes, at most %d", len(response), MaxResponse)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return SignIn{}, refused(err)
	}
	found := &person{}
	lookup := func(_, handle []byte) (webauthn.User, error) {
		user, h, err := s.holderOf(handle)
		if err != nil {
			return nil, err
		}
		*found = person{User{ID: user}, h}
		return *found, nil
	}
	_, used, err := s.library.ValidatePasskeyLogin(lookup, c.session, parsed)
	if err != nil {
		return SignIn{}, refused(err)
	}
	flags := parsed.Response.AuthenticatorData.Flags
	var in SignIn
	var clone *CloneError
	if err := s.cfg.Store.Update(func(tx *store.Tx) error {
		h, err := readHolder(tx, found.user.ID)
		if err != nil {
			return err
		}
		at := h.find(PasskeyID(used.ID))
		if at < 0 {
			return refused(errors.New("the passkey was removed meanwhile"))
		}
		row := &h.Credentials[at]
		row.use(parsed.Response.AuthenticatorData.Counter, now)
		row.BackedUp = flags.HasBackupState()
		in = SignIn{User: found.user.ID, Passkey: row.passkey(), Verified: flags.HasUserVerified()}
		if err := writeHolder(tx, in.User, h); err != nil {
			return err
		}
		switch {
		case !row.Suspected.IsZero():
			clone = cloned(in)
			if s.cfg.OnClone != nil {
				return s.cfg.OnClone(tx, in.User, in.Passkey.ID)
			}
		case then != nil:
			return then(tx, in)
		}
		return nil
	}); err != nil {
		return SignIn{}, err
	}
	if clone != nil {
		return SignIn{}, clone
	}
	return in, nil
}

func cloned(in SignIn) *CloneError {
	return &CloneError{User: in.User, Passkey: in.Passkey.ID, err: tmh.Errorf(tmh.CodeNotPermitted, "",
		"a copy of this passkey seems to be in use, so it no longer opens this account: sign in another way, remove it and add a new one")}
}

// use counts one sign-in. A counter that was ever above zero must grow each time (Web Authentication §6.1.1); those of
// synced passkeys stay at zero.
func (c *credential) use(counter uint32, now time.Time) {
	switch {
	case !c.Suspected.IsZero():
	case counter <= c.Counter && (counter != 0 || c.Counter != 0):
		c.Suspected = now
	default:
		c.Counter, c.LastUsed = counter, now
	}
}

// holderOf finds whom a handle names.
func (s *Service) holderOf(handle []byte) (user string, h *holder, err error) {
	if len(handle) != handleSize {
		return "", nil, errors.New("no handle of this node")
	}
	err = s.cfg.Store.View(func(tx *store.Tx) error {
		id, err := tx.Row(store.TablePasskey, handleKey(handle))
		if err != nil {
			return err
		}
		if id == nil {
			return errors.New("unknown handle")
		}
		user = string(id)
		if h, err = readHolder(tx, user); err == nil && h == nil {
			err = errors.New("the handle's user has no passkeys")
		}
		return err
	})
	return user, h, err
}
