package access

import (
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// The rows of people, and the ways to find them.

// User is a person with an account. An erased person's has nothing but ID and Erased.
type User struct {
	ID           UserID         `json:"id"`
	Name         string         `json:"name,omitempty"`
	Email        string         `json:"email,omitempty"` // as Email normalises it
	Organisation OrganisationID `json:"organisation,omitempty"`
	Roles        []Role         `json:"roles,omitempty"`
	Language     string         `json:"language,omitempty"` // of pages and mail; a code of configs/codes
	Verified     bool           `json:"verified"`           // the address is the person's: until then the roles sleep
	Disabled     bool           `json:"disabled"`
	Erased       bool           `json:"erased,omitempty"`
	Created      time.Time      `json:"created"`
	LastSignIn   time.Time      `json:"last_sign_in,omitzero"`
	Version      uint64         `json:"version"`
}

// user is the row.
type user struct {
	User
	PasswordHash string `json:"password_hash,omitempty"`
	Epoch        uint64 `json:"epoch"` // sessions of another one have ended
}

func userOf(tx *store.Tx, id UserID) (*user, error) {
	u, err := read[user](tx, store.TableUser, "u/"+string(id))
	if err == nil && u == nil {
		err = notFound("person")
	}
	return u, err
}

// userBy finds the account of a normalised address; nil where there is none.
func userBy(tx *store.Tx, email string) (*user, error) {
	id, err := tx.Row(store.TableLogin, email)
	if id == nil || err != nil {
		return nil, err
	}
	return userOf(tx, UserID(id))
}

// putUser writes a user and what finds it; before is what it replaces, nil for a new one.
func putUser(tx *store.Tx, before, u *user) error {
	var was user
	if before != nil {
		was = *before
	}
	if was.Email != u.Email {
		if u.Email != "" {
			taken, err := tx.Row(store.TableLogin, u.Email)
			if err != nil {
				return err
			}
			if taken != nil {
				return protocol.Errors{protocol.Errorf(protocol.CodeConflict, "email", "an account with this e-mail address is here already: sign in with it, or use another address")}
			}
			if err := tx.SetRow(store.TableLogin, u.Email, []byte(u.ID)); err != nil {
				return err
			}
		}
		if was.Email != "" {
			if err := tx.DeleteRow(store.TableLogin, was.Email); err != nil {
				return err
			}
		}
	}
	if was.Organisation != u.Organisation {
		if was.Organisation != "" {
			if err := tx.DeleteRow(store.TableUser, "o/"+string(was.Organisation)+"/"+string(u.ID)); err != nil {
				return err
			}
		}
		if u.Organisation != "" {
			if err := index(tx, store.TableUser, "o/"+string(u.Organisation)+"/"+string(u.ID)); err != nil {
				return err
			}
		}
	}
	if before == nil || was.administers() != u.administers() {
		key := "a/" + string(u.ID)
		if u.administers() {
			if err := index(tx, store.TableUser, key); err != nil {
				return err
			}
		} else if err := tx.DeleteRow(store.TableUser, key); err != nil {
			return err
		}
	}
	u.Version++
	return write(tx, store.TableUser, "u/"+string(u.ID), u)
}

func (u *user) administers() bool { return !u.Disabled && slices.Contains(u.Roles, Admin) }

// keepsAdmin refuses what would leave the node without an administrator: stays tells which of them remain.
func keepsAdmin(tx *store.Tx, stays func(*user) bool) error {
	some, err := hasAdmin(tx, stays)
	if err == nil && !some {
		err = protocol.Errorf(protocol.CodeConflict, "", "this would leave the node without an administrator: make somebody else one first")
	}
	return err
}

// hasAdmin reports whether an administrator who can sign in is among those that count.
func hasAdmin(tx *store.Tx, counts func(*user) bool) (bool, error) {
	admins, err := keys(tx, store.TableUser, "a/", "", everything)
	if err != nil {
		return false, err
	}
	for _, a := range admins {
		u, err := userOf(tx, UserID(a))
		if err != nil {
			return false, err
		}
		if !counts(u) {
			continue
		}
		o, err := read[Organisation](tx, store.TableOrganisation, "o/"+string(u.Organisation))
		if err != nil {
			return false, err
		}
		if o != nil && !o.Disabled {
			return true, nil
		}
	}
	return false, nil
}

// roles takes a list of roles: known ones, each once, in the order of Roles.
func (f *faults) roles(in []Role) (out []Role) {
	known := Roles()
	for _, x := range in {
		if !slices.Contains(known, x) {
			f.add("roles", "%q is no role: take reader, scout, editor, reviewer, admin, analyst or auditor", cut(string(x)))
			return nil
		}
	}
	for _, x := range known {
		if slices.Contains(in, x) {
			out = append(out, x)
		}
	}
	if len(out) == 0 {
		f.add("roles", "at least one role")
	}
	return out
}

func (f *faults) language(in string) string {
	if in != "" && !codes.Language().Has(in) {
		f.add("language", "not a language that pages are kept in: take a code of the list, such as “en”, or leave it out")
		return ""
	}
	return in
}

// cut what somebody wrote to a length that a message may repeat.
func cut(s string) string {
	if r := []rune(s[:min(len(s), 120)]); len(r) > 30 {
		return string(r[:30]) + "…"
	}
	return s
}

// actorOf a person, for as long as nothing changes.
func (r *Registry) actorOf(tx *store.Tx, u *user) (Actor, error) {
	o, err := r.LookupOrganisation(tx, u.Organisation)
	if err != nil {
		return Actor{}, err
	}
	if err := enabled(u, o); err != nil {
		return Actor{}, err
	}
	a := Actor{
		User: u.ID, Name: u.Name, Organisation: o.ID, OrganisationType: o.Type, Country: o.Country, Member: r.cfg.Member,
	}
	if u.Verified {
		a.Roles = slices.Clone(u.Roles)
	}
	return a, nil
}

// enabled refuses whom an administrator shut out. Said only to who has proven to be that person.
func enabled(u *user, o *Organisation) error {
	if u.Erased || u.Disabled {
		return protocol.Errorf(protocol.CodeNotPermitted, "", "this account is disabled: ask an administrator of this node")
	}
	if o.Disabled {
		return protocol.Errorf(protocol.CodeNotPermitted, "", "the organisation of this account is disabled: ask an administrator of this node")
	}
	return nil
}

func joined[T ~string](list []T) string {
	s := make([]string, len(list))
	for i, x := range list {
		s[i] = string(x)
	}
	return strings.Join(s, " ")
}

// HasPassword reports whether a person can sign in by password.
func (r *Registry) HasPassword(tx *store.Tx, id UserID) (bool, error) {
	u, err := userOf(tx, id)
	return err == nil && u.PasswordHash != "", err
}
