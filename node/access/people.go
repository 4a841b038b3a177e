package access

import (
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// People, as administrators find and change them.

// LookupUser reads a person for another package of the node, which has asked Can.
//
// Errors: CodeNotFound.
func (r *Registry) LookupUser(tx *store.Tx, id UserID) (*User, error) {
	u, err := userOf(tx, id)
	if err != nil {
		return nil, err
	}
	return &u.User, nil
}

// User reads a person.
//
// Errors: CodeNotPermitted, CodeNotFound.
func (r *Registry) User(by Actor, id UserID) (x User, err error) {
	if err := Can(by, ReadPeople, Resource{User: id}); err != nil {
		return x, err
	}
	err = r.view(func(tx *store.Tx) error {
		u, err := userOf(tx, id)
		if err == nil {
			x = u.User
		}
		return err
	})
	return x, err
}

// UserOf reads the person who has an address.
//
// Errors: CodeNotPermitted, CodeNotFound.
func (r *Registry) UserOf(by Actor, email string) (x User, err error) {
	if err := Can(by, ReadPeople, Resource{}); err != nil {
		return x, err
	}
	absent := protocol.Errorf(protocol.CodeNotFound, "email", "nobody on this node has this address")
	address, err := Email(email)
	if err != nil {
		return x, absent
	}
	err = r.view(func(tx *store.Tx) error {
		u, err := userBy(tx, address)
		switch {
		case err != nil:
			return err
		case u == nil:
			return absent
		}
		x = u.User
		return nil
	})
	return x, err
}

// UserFilter narrows a list of people; zero fields do not.
type UserFilter struct {
	Organisation OrganisationID
	Role         Role
	Text         string // part of the name or the address
	Disabled     bool   // those only who are shut out
}

func (f UserFilter) takes(u *User, text string) bool {
	return !u.Erased && (u.Disabled || !f.Disabled) && (f.Role == "" || slices.Contains(u.Roles, f.Role)) &&
		(text == "" || strings.Contains(fold(u.Name), text) || strings.Contains(u.Email, text))
}

const maxLook = 5000 // people looked at for one page, so that a rare text ends in a short page and a cursor

// Users lists people, in the order of their ids. A page may be short, or empty, although another follows.
//
// Errors: CodeNotPermitted, CodeValue.
func (r *Registry) Users(by Actor, filter UserFilter, p Page) (all []User, next string, err error) {
	if err := Can(by, ReadPeople, Resource{Organisation: filter.Organisation}); err != nil {
		return nil, "", err
	}
	if p, err = p.check(); err != nil {
		return nil, "", err
	}
	if len(filter.Text) > 200 {
		return nil, "", protocol.Errorf(protocol.CodeValue, "text", "at most 200 bytes of text")
	}
	text, prefix := fold(filter.Text), "u/"
	if filter.Organisation != "" {
		prefix = "o/" + string(filter.Organisation) + "/"
	}
	err = r.view(func(tx *store.Tx) error {
		ids, err := keys(tx, store.TableUser, prefix, p.Cursor, maxLook+1)
		if err != nil {
			return err
		}
		for i, id := range ids {
			if len(all) == p.Limit || i == maxLook {
				next = ids[i-1]
				return nil
			}
			u, err := userOf(tx, UserID(id))
			if err != nil {
				return err
			}
			if filter.takes(&u.User, text) {
				all = append(all, u.User)
			}
		}
		return nil
	})
	return all, next, err
}

// edit a person at a version: change says what, and whether the sessions end with it.
func (r *Registry) edit(by Actor, id UserID, version uint64, event string, change func(tx *store.Tx, u *user) (ends bool, detail map[string]string, err error)) (x User, err error) {
	err = r.update(func(tx *store.Tx) error {
		before, err := userOf(tx, id)
		if err != nil {
			return err
		}
		if before.Erased {
			return notFound("person")
		}
		if err := stale(before.Version, version); err != nil {
			return err
		}
		u := *before
		u.Roles = slices.Clone(before.Roles)
		ends, detail, err := change(tx, &u)
		if err != nil {
			return err
		}
		if before.administers() {
			if err := keepsAdmin(tx, func(x *user) bool { return x.ID != id || u.administers() }); err != nil {
				return err
			}
		}
		if ends {
			u.Epoch++
			if err := endSessions(tx, id, ""); err != nil {
				return err
			}
		}
		if err := putUser(tx, before, &u); err != nil {
			return err
		}
		x = u.User
		return r.log(tx, by, event, "user", string(id), detail)
	})
	return x, err
}

// EditAccount changes one's own name and language.
//
// Errors: CodeNotPermitted, CodeNotFound, CodeValue; CodeConflict where the account is at another version.
func (r *Registry) EditAccount(by Actor, id UserID, version uint64, name, language string) (User, error) {
	if err := Can(by, EditAccount, Resource{User: id}); err != nil {
		return User{}, err
	}
	return r.edit(by, id, version, "user.edit", func(_ *store.Tx, u *user) (bool, map[string]string, error) {
		var f faults
		u.Name, u.Language = f.line("name", name, 1, 120), f.language(language)
		return false, nil, f.err()
	})
}

// ChangeRoles gives a person other roles, and another organisation where that changed. The person's sessions end; what the
// roles do to tokens counts at once.
//
// Errors: as EditAccount; CodeConflict also where the node would be left without an administrator.
func (r *Registry) ChangeRoles(by Actor, id UserID, version uint64, organisation OrganisationID, roles []Role) (User, error) {
	if err := Can(by, ChangeRoles, Resource{User: id}); err != nil {
		return User{}, err
	}
	if slices.Contains(roles, Admin) {
		if err := Can(by, EmpowerPerson, Resource{User: id}); err != nil {
			return User{}, err
		}
	}
	return r.edit(by, id, version, "user.roles", func(tx *store.Tx, u *user) (bool, map[string]string, error) {
		var f faults
		u.Roles = f.roles(roles)
		if err := f.err(); err != nil {
			return false, nil, err
		}
		o, err := r.LookupOrganisation(tx, organisation)
		if err != nil {
			return false, nil, err
		}
		if o.Disabled && u.Organisation != organisation {
			err = protocol.Errorf(protocol.CodeConflict, "organisation", "this organisation is disabled: enable it first, or take another one")
		}
		u.Organisation = organisation
		return true, map[string]string{"roles": joined(u.Roles), "organisation": string(organisation)}, err
	})
}

// SetDisabled shuts a person out, or lets the person in again. Sessions end; tokens sleep meanwhile.
//
// Errors: as ChangeRoles.
func (r *Registry) SetDisabled(by Actor, id UserID, version uint64, disabled bool) (User, error) {
	if err := Can(by, DisablePerson, Resource{User: id}); err != nil {
		return User{}, err
	}
	event := "user.enable"
	if disabled {
		event = "user.disable"
	}
	return r.edit(by, id, version, event, func(_ *store.Tx, u *user) (bool, map[string]string, error) {
		u.Disabled = disabled
		return true, nil, nil
	})
}
