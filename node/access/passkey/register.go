package passkey

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	tmh "github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// BeginRegistration begins to add a passkey for a person who is signed in, or who holds an invitation. The device is told
// which passkeys the person has, so that it does not make a second one on the same device.
//
// Errors: CodeConflict where the user has MaxPasskeys.
func (s *Service) BeginRegistration(user User) (Begun, error) {
	if err := checkUser(user); err != nil {
		return Begun{}, err
	}
	var h *holder
	if err := s.cfg.Store.View(func(tx *store.Tx) (err error) {
		h, err = readHolder(tx, user.ID)
		return err
	}); err != nil {
		return Begun{}, err
	}
	if h == nil {
		h = &holder{Handle: make([]byte, handleSize)}
		_, _ = rand.Read(h.Handle) // never fails
	}
	if len(h.Credentials) >= MaxPasskeys {
		return Begun{}, tooMany()
	}
	var known []protocol.CredentialDescriptor
	for _, c := range h.Credentials {
		library := c.library()
		known = append(known, library.Descriptor())
	}
	options, session, err := s.library.BeginRegistration(person{user, h}, webauthn.WithExclusions(known))
	if err != nil {
		return Begun{}, internal("begin registration", err)
	}
	return s.begun(s.registers, ceremony{user: user.ID, session: *session}, options)
}

// FinishRegistration adds the passkey that the browser made, in the caller's transaction: so a new account and its first
// passkey are written together. name is what the owner calls it; "" gives it the day's date.
//
// Errors: CodeNotPermitted where the answer does not fit the challenge, CodeConflict where the passkey is there already or
// the user has MaxPasskeys, CodeText and CodeTooLarge for the name.
func (s *Service) FinishRegistration(tx *store.Tx, user User, ceremonyID string, response []byte, name string) (Passkey, error) {
	if err := checkUser(user); err != nil {
		return Passkey{}, err
	}
	now := s.cfg.Now().UTC()
	if name = strings.TrimSpace(name); name == "" {
		name = now.Format("2006-01-02")
	}
	if err := checkName(name); err != nil {
		return Passkey{}, err
	}
	c, ok := s.registers.take(ceremonyID, now)
	if !ok || c.user != user.ID {
		return Passkey{}, expired()
	}
	made, err := s.verifyRegistration(user, c, response)
	if err != nil {
		return Passkey{}, err
	}
	h, err := readHolder(tx, user.ID)
	switch {
	case err != nil:
		return Passkey{}, err
	case h == nil:
		h = &holder{Handle: c.session.UserID}
	case !bytes.Equal(h.Handle, c.session.UserID):
		// Two first registrations ran side by side: the device of the second holds a handle that nobody knows.
		return Passkey{}, tmh.Errorf(tmh.CodeConflict, "", "another passkey was added meanwhile: begin again, and remove the one just made from your device")
	case len(h.Credentials) >= MaxPasskeys:
		return Passkey{}, tooMany()
	}
	made.Name, made.Created = name, now
	owner, err := tx.Row(store.TablePasskey, credentialKey(made.ID))
	if err != nil {
		return Passkey{}, err
	}
	if owner != nil {
		return Passkey{}, tmh.Errorf(tmh.CodeConflict, "", "this passkey is registered already: use it to sign in, or add another")
	}
	h.Credentials = append(h.Credentials, made)
	if err := tx.SetRow(store.TablePasskey, credentialKey(made.ID), []byte(user.ID)); err != nil {
		return Passkey{}, err
	}
	if err := tx.SetRow(store.TablePasskey, handleKey(h.Handle), []byte(user.ID)); err != nil {
		return Passkey{}, err
	}
	if err := writeHolder(tx, user.ID, h); err != nil {
		return Passkey{}, err
	}
	return made.passkey(), nil
}

// verifyRegistration checks the browser's answer against the challenge and gives the new credential.
func (s *Service) verifyRegistration(user User, c ceremony, response []byte) (credential, error) {
	if len(response) > MaxResponse {
		return credential{}, tmh.Errorf(tmh.CodeTooLarge, "", "the browser's answer has %d bytes, at most %d", len(response), MaxResponse)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return credential{}, refused(err)
	}
	made, err := s.library.CreateCredential(person{user, &holder{Handle: c.session.UserID}}, c.session, parsed)
	if err != nil {
		return credential{}, refused(err)
	}
	if len(made.PublicKey) > maxKey {
		return credential{}, tmh.Errorf(tmh.CodeTooLarge, "", "the passkey's key has %d bytes, at most %d: use another device", len(made.PublicKey), maxKey)
	}
	n := credential{
		ID: made.ID, Key: made.PublicKey, Counter: made.Authenticator.SignCount,
		BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState, Verified: made.Flags.UserVerified,
	}
	for _, t := range []protocol.AuthenticatorTransport{protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard, protocol.Hybrid, protocol.Internal} {
		if slices.Contains(made.Transport, t) { // what else a client says is of no use
			n.Transports = append(n.Transports, t)
		}
	}
	return n, nil
}

// begun keeps a ceremony and writes the options for the browser.
func (s *Service) begun(where *pending, c ceremony, options any) (Begun, error) {
	b, err := json.Marshal(options)
	if err != nil {
		return Begun{}, internal("write options", err)
	}
	c.until = s.cfg.Now().Add(Lifetime)
	return Begun{Ceremony: where.put(c), Options: b}, nil
}

func checkUser(u User) error {
	if u.ID == "" || len(u.ID) > maxUser || strings.ContainsFunc(u.ID, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }) {
		return tmh.Errorf(tmh.CodeValue, "user", "no id of a user")
	}
	if len(u.Login) > maxShown || len(u.Name) > maxShown {
		return tmh.Errorf(tmh.CodeTooLarge, "name", "name and e-mail address may have %d bytes each", maxShown)
	}
	return nil
}

func checkName(name string) error {
	switch {
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return tmh.Errorf(tmh.CodeText, "name", "the name holds characters that cannot be shown: use letters, digits and spaces")
	case name == "":
		return tmh.Errorf(tmh.CodeRequired, "name", "a passkey needs a name, so that you can tell it from others")
	case utf8.RuneCountInString(name) > MaxName:
		return tmh.Errorf(tmh.CodeTooLarge, "name", "the name has %d characters, at most %d", utf8.RuneCountInString(name), MaxName)
	}
	return nil
}

func tooMany() error {
	return tmh.Errorf(tmh.CodeConflict, "", "an account holds at most %d passkeys: remove one that you no longer use", MaxPasskeys)
}

func expired() error {
	return tmh.Errorf(tmh.CodeNotPermitted, "", "this request for a passkey is over or was used already (it lasts %d minutes): begin again", int(Lifetime.Minutes()))
}

// refused says the same of every faulty answer; the cause is for the log.
func refused(err error) error {
	e := tmh.Errorf(tmh.CodeNotPermitted, "", "the passkey was not accepted: try again, or sign in another way")
	e.Err = err
	return e
}

func internal(what string, err error) error {
	e := tmh.Errorf(tmh.CodeInternal, "", "passkeys do not work at the moment: sign in another way")
	e.Err = errors.Join(errors.New(what), err)
	return e
}
