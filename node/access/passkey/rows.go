package passkey

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	tmh "github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// holder is a user's row.
type holder struct {
	Handle      []byte       `json:"handle"`
	Credentials []credential `json:"credentials"`
}

// credential is a passkey as kept.
type credential struct {
	ID             []byte                            `json:"id"`
	Key            []byte                            `json:"key"` // public, COSE
	Counter        uint32                            `json:"counter,omitzero"`
	Transports     []protocol.AuthenticatorTransport `json:"transports,omitempty"`
	BackupEligible bool                              `json:"backup_eligible,omitzero"`
	BackedUp       bool                              `json:"backed_up,omitzero"`
	Verified       bool                              `json:"verified,omitzero"`
	Name           string                            `json:"name"`
	Created        time.Time                         `json:"created"`
	LastUsed       time.Time                         `json:"last_used,omitzero"`
	Suspected      time.Time                         `json:"suspected,omitzero"`
}

func (c *credential) passkey() Passkey {
	return Passkey{ID: PasskeyID(c.ID), Name: c.Name, Created: c.Created, LastUsed: c.LastUsed, Synced: c.BackupEligible, Suspected: c.Suspected}
}

func (c *credential) library() webauthn.Credential {
	return webauthn.Credential{
		ID: c.ID, PublicKey: c.Key, Transport: c.Transports,
		Flags:         webauthn.CredentialFlags{UserVerified: c.Verified, BackupEligible: c.BackupEligible, BackupState: c.BackedUp},
		Authenticator: webauthn.Authenticator{SignCount: c.Counter},
	}
}

func (h *holder) find(id string) int {
	if h == nil {
		return -1
	}
	return slices.IndexFunc(h.Credentials, func(c credential) bool { return PasskeyID(c.ID) == id })
}

// person is a user as the library wants it.
type person struct {
	user User
	*holder
}

func (p person) WebAuthnID() []byte          { return p.Handle }
func (p person) WebAuthnName() string        { return p.user.Login }
func (p person) WebAuthnDisplayName() string { return p.user.Name }
func (p person) WebAuthnCredentials() []webauthn.Credential {
	all := make([]webauthn.Credential, len(p.Credentials))
	for i, c := range p.Credentials {
		all[i] = c.library()
	}
	return all
}

// PasskeyID names a passkey to people: a hash of the credential's id, which may be long.
func PasskeyID(credentialID []byte) string {
	sum := sha256.Sum256(credentialID)
	return hex.EncodeToString(sum[:16])
}

func userKey(user string) string     { return "u/" + user }
func credentialKey(id []byte) string { return "c/" + PasskeyID(id) }
func handleKey(handle []byte) string { return "h/" + base64.RawURLEncoding.EncodeToString(handle) }

func readHolder(tx *store.Tx, user string) (*holder, error) {
	b, err := tx.Row(store.TablePasskey, userKey(user))
	if b == nil || err != nil {
		return nil, err
	}
	h := &holder{}
	if err := json.Unmarshal(b, h); err != nil {
		return nil, fmt.Errorf("read a row of passkeys: %w", err)
	}
	return h, nil
}

func writeHolder(tx *store.Tx, user string, h *holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("write a row of passkeys: %w", err)
	}
	return tx.SetRow(store.TablePasskey, userKey(user), b)
}

// List gives a user's passkeys, the oldest first.
func List(tx *store.Tx, user string) ([]Passkey, error) {
	h, err := readHolder(tx, user)
	if h == nil || err != nil {
		return nil, err
	}
	all := make([]Passkey, len(h.Credentials))
	for i := range h.Credentials {
		all[i] = h.Credentials[i].passkey()
	}
	return all, nil
}

// Rename gives a passkey another name.
//
// Errors: CodeNotFound where the user has no such passkey; CodeText, CodeRequired and CodeTooLarge for the name.
func Rename(tx *store.Tx, user, id, name string) (Passkey, error) {
	name = strings.TrimSpace(name)
	if err := checkName(name); err != nil {
		return Passkey{}, err
	}
	h, err := readHolder(tx, user)
	if err != nil {
		return Passkey{}, err
	}
	at := h.find(id)
	if at < 0 {
		return Passkey{}, unknown()
	}
	h.Credentials[at].Name = name
	return h.Credentials[at].passkey(), writeHolder(tx, user, h)
}

// Remove takes a passkey from a user and tells how many are left, so that the caller can see to it that a way to sign in
// remains. The handle stays: devices that hold other keys of it go on working.
//
// Errors: CodeNotFound where the user has no such passkey.
func Remove(tx *store.Tx, user, id string) (left int, err error) {
	h, err := readHolder(tx, user)
	if err != nil {
		return 0, err
	}
	at := h.find(id)
	if at < 0 {
		return 0, unknown()
	}
	if err := tx.DeleteRow(store.TablePasskey, credentialKey(h.Credentials[at].ID)); err != nil {
		return 0, err
	}
	h.Credentials = slices.Delete(h.Credentials, at, at+1)
	return len(h.Credentials), writeHolder(tx, user, h)
}

// Erase removes everything that is kept of a user.
func Erase(tx *store.Tx, user string) error {
	h, err := readHolder(tx, user)
	if h == nil || err != nil {
		return err
	}
	for _, c := range h.Credentials {
		if err := tx.DeleteRow(store.TablePasskey, credentialKey(c.ID)); err != nil {
			return err
		}
	}
	if err := tx.DeleteRow(store.TablePasskey, handleKey(h.Handle)); err != nil {
		return err
	}
	return tx.DeleteRow(store.TablePasskey, userKey(user))
}

func unknown() error {
	return tmh.Errorf(tmh.CodeNotFound, "", "you have no such passkey: it may have been removed already")
}
