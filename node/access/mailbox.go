package access

import (
	"context"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What a mailbox proves: that an address is a person's own, and that somebody may set a new password.

// VerificationLink has a link sent that proves an address: the account's own, or the one that it shall have. Whether another
// account has it is told only to who holds the mailbox. The caller must not show the secret to the person: it proves only that
// the mail arrived.
//
// Errors: CodeNotPermitted, also where the sign-in is too long ago for another address; CodeUnavailable after too many links; CodeNotFound, CodeValue.
func (r *Registry) VerificationLink(by Actor, id UserID, email string) (secret string, err error) {
	if err := Can(by, EditAccount, Resource{User: id}); err != nil {
		return "", err
	}
	e, err := Email(email)
	if err != nil {
		return "", err
	}
	var refused error
	err = r.update(func(tx *store.Tx) error {
		u, err := userOf(tx, id)
		if err != nil {
			return err
		}
		if often, err := r.often(tx, "person "+string(id), e); err != nil || often {
			refused = tooMany()
			return err
		}
		if e != u.Email {
			if err := r.Fresh(tx, by); err != nil {
				return err
			}
		}
		if secret, _, err = r.makeLink(tx, link{Purpose: PurposeVerification, Subject: string(id), Email: e, Language: u.Language, By: by.User}, u.Name); err != nil {
			return err
		}
		return r.log(tx, by, "user.verification-link", "user", string(id), nil)
	})
	if err == nil {
		err = refused
	}
	return secret, err
}

// Verify an address by the link that was sent to it.
//
// Errors: CodeNotFound and CodeConflict, with the reason.
func (r *Registry) Verify(secret string) (id UserID, err error) {
	err = r.update(func(tx *store.Tx) error {
		l, err := r.use(tx, secret, PurposeVerification)
		if err != nil {
			return err
		}
		before, err := userOf(tx, UserID(l.Subject))
		if err != nil {
			return err
		}
		u := *before
		u.Email, u.Verified = l.Email, true
		if before.Email != u.Email {
			if err := replaceLink(tx, PurposeReset, string(u.ID)); err != nil { // it lies in the old mailbox
				return err
			}
		}
		if err := putUser(tx, before, &u); err != nil {
			return err
		}
		id = u.ID
		return r.log(tx, Actor{User: id}, "user.verified", "user", string(id), nil)
	})
	return id, err
}

// resetLink for an account.
func (r *Registry) resetLink(tx *store.Tx, by Actor, u *user) (string, error) {
	secret, _, err := r.makeLink(tx, link{Purpose: PurposeReset, Subject: string(u.ID), Email: u.Email, Language: u.Language, By: by.User}, u.Name)
	if err != nil {
		return "", err
	}
	return secret, r.log(tx, by, "user.reset-link", "user", string(u.ID), nil)
}

// ResetLink makes a link for a new password, for an administrator to hand over where there is no mail.
//
// Errors: CodeNotPermitted, CodeNotFound; CodeConflict where the account is disabled.
func (r *Registry) ResetLink(by Actor, id UserID) (secret string, err error) {
	if err := Can(by, EmpowerPerson, Resource{User: id}); err != nil {
		return "", err
	}
	err = r.update(func(tx *store.Tx) error {
		u, err := userOf(tx, id)
		if err != nil {
			return err
		}
		if u.Disabled || u.Erased {
			return protocol.Errorf(protocol.CodeConflict, "", "this account is disabled: enable it first")
		}
		secret, err = r.resetLink(tx, by, u)
		return err
	})
	return secret, err
}

// often counts a link that somebody asks for and that goes to an address, and reports whether there were too many of either
// within an hour. "" is not counted.
func (r *Registry) often(tx *store.Tx, asker, email string) (bool, error) {
	if err := throttleKey(tx); err != nil {
		return false, err
	}
	for _, x := range []struct {
		kind, name string
		most       int
	}{{resetAddress, asker, resetAsked}, {resetEmail, email, resetMost}} {
		if x.name == "" {
			continue
		}
		key, err := subject(tx, x.kind, x.name)
		if err != nil {
			return false, err
		}
		if n, err := r.count(tx, key, resetIn); err != nil || n.Count > x.most {
			return true, err
		}
	}
	return false, nil
}

func tooMany() error {
	return protocol.Errorf(protocol.CodeUnavailable, "", "too many links were asked for from here: try again in an hour")
}

// RequestReset has a link for a new password sent to an address, where it has an account. Nothing in the answer tells whether
// it has; at most three links an hour are sent to one address. Making a link and its mail takes a little longer than making
// none: a door that wants to hide that too answers before it calls this.
//
// Errors: CodeValue where it is no address; CodeUnavailable after too many requests from one network address.
func (r *Registry) RequestReset(email string, c Client) error {
	e, err := Email(email)
	if err != nil {
		return err
	}
	var refused error
	err = r.update(func(tx *store.Tx) error {
		// The throttle counts for every address, with an account or without, so that its answer tells nothing.
		if often, err := r.often(tx, network(c.Address), ""); err != nil || often {
			refused = tooMany()
			return err
		}
		if often, err := r.often(tx, "", e); err != nil || often {
			return err
		}
		u, err := userBy(tx, e)
		if err != nil || u == nil || u.Disabled {
			return err
		}
		_, err = r.resetLink(tx, Actor{}, u)
		return err
	})
	if err == nil {
		err = refused
	}
	return err
}

// OpenReset tells whether a link for a new password works, to show its form.
//
// Errors: CodeNotFound and CodeConflict, with the reason.
func (r *Registry) OpenReset(secret string) error {
	return r.view(func(tx *store.Tx) error {
		_, _, err := r.openLink(tx, secret, PurposeReset)
		return err
	})
}

// Reset sets a new password by a link. All sessions end, and wrong attempts are forgotten.
//
// Errors: as OpenReset; CodeValue; CodeUnavailable.
func (r *Registry) Reset(ctx context.Context, secret, password string) error {
	var u *user
	err := r.view(func(tx *store.Tx) error {
		l, _, err := r.openLink(tx, secret, PurposeReset)
		if err == nil {
			u, err = userOf(tx, UserID(l.Subject))
		}
		return err
	})
	if err != nil {
		return err
	}
	hash, err := r.hashNew(ctx, u, password)
	if err != nil {
		return err
	}
	return r.update(func(tx *store.Tx) error {
		l, err := r.use(tx, secret, PurposeReset)
		if err != nil {
			return err
		}
		u, err := userOf(tx, UserID(l.Subject))
		if err != nil {
			return err
		}
		before := *u
		u.Verified = true // the link came to its address, or from an administrator who knows the person
		return r.setPassword(tx, Actor{User: u.ID}, &before, u, hash)
	})
}
