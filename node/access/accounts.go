package access

import (
	"context"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// How accounts come to be: the first by the setup link, all others by invitation.

// NewAccount is what a person says to get an account.
type NewAccount struct {
	Name     string
	Language string
	Password string

	// WithoutPassword: the door goes on to register a passkey, in the session that it gets.
	WithoutPassword bool
}

// account that the fields make, with all that is wrong with them.
func (in NewAccount) account(email string) (*user, error) {
	var f faults
	u := &user{User: User{Name: f.line("name", in.Name, 1, 120), Language: f.language(in.Language), Email: email, Verified: true}}
	if !in.WithoutPassword {
		f.password(in.Password, email, in.Name)
	}
	return u, f.err()
}

// hashed sets the account's password, outside of any transaction: it takes long.
func (in NewAccount) hashed(ctx context.Context, h *hasher, u *user) (err error) {
	if !in.WithoutPassword {
		u.PasswordHash, err = h.hash(ctx, in.Password)
	}
	return err
}

// create an account from what a link says.
func (r *Registry) create(tx *store.Tx, u *user, o OrganisationID, roles []Role) error {
	u.ID, u.Organisation, u.Roles, u.Created = UserID(newID("u")), o, roles, r.now()
	return putUser(tx, nil, u)
}

// SetupNeeded reports whether the node has no administrator, so that a setup link is due.
func (r *Registry) SetupNeeded() (needed bool, err error) {
	err = r.view(func(tx *store.Tx) error {
		some, err := hasAdmin(tx, func(*user) bool { return true })
		needed = !some
		return err
	})
	return needed, err
}

func setupDone() error {
	return protocol.Errorf(protocol.CodeConflict, "", "this node has an administrator already: sign in, or let that person invite you")
}

// SetupLink makes the link by which the first administrator gets in; an earlier one ends. Only the operator may.
//
// Errors: CodeNotPermitted; CodeConflict where the node has an administrator.
func (r *Registry) SetupLink(by Actor) (secret string, expires time.Time, err error) {
	if err := Can(by, Operate, Resource{}); err != nil {
		return "", expires, err
	}
	err = r.update(func(tx *store.Tx) error {
		some, err := hasAdmin(tx, func(*user) bool { return true })
		if err != nil {
			return err
		}
		if some {
			return setupDone()
		}
		var l link
		if secret, l, err = r.makeLink(tx, link{Purpose: PurposeSetup}, ""); err != nil {
			return err
		}
		expires = l.Expires
		return r.log(tx, by, "setup.link", "node", "", nil)
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return secret, expires, nil
}

// openSetup refuses a setup link that does not work, or came too late.
func (r *Registry) openSetup(tx *store.Tx, secret string) error {
	if _, _, err := r.openLink(tx, secret, PurposeSetup); err != nil {
		return err
	}
	some, err := hasAdmin(tx, func(*user) bool { return true })
	if err == nil && some {
		err = setupDone()
	}
	return err
}

// OpenSetup tells whether a setup link works, to show its form.
//
// Errors: CodeNotFound and CodeConflict, with the reason.
func (r *Registry) OpenSetup(secret string) error {
	return r.view(func(tx *store.Tx) error { return r.openSetup(tx, secret) })
}

// Setup makes the first administrator and the agency that hosts the node, and signs the person in.
//
// Errors: as OpenSetup; CodeValue, a fault a field; CodeUnavailable while too many passwords are hashed.
func (r *Registry) Setup(ctx context.Context, secret, email string, in NewAccount, agency OrganisationFields, c Client) (s SignedIn, err error) {
	if err := r.OpenSetup(secret); err != nil {
		return s, err
	}
	var f faults
	address := f.email(email)
	u, err := in.account(address)
	f.list = append(f.list, protocol.All(err)...)
	if err := new(Organisation).apply(agency); err != nil {
		for _, x := range protocol.All(err) {
			f.list = append(f.list, protocol.Errorf(x.Code, "organisation."+x.Field, "%s", x.Message))
		}
	}
	if err := f.err(); err != nil {
		return s, err
	}
	if err := in.hashed(ctx, r.hasher, u); err != nil {
		return s, err
	}
	err = r.update(func(tx *store.Tx) error {
		if err := r.openSetup(tx, secret); err != nil {
			return err
		}
		if _, err := r.use(tx, secret, PurposeSetup); err != nil {
			return err
		}
		agency.Disabled = false
		o, err := r.createOrganisation(tx, agency)
		if err != nil {
			return err
		}
		if err := r.create(tx, u, o.ID, []Role{Admin}); err != nil {
			return err
		}
		if err := r.log(tx, Actor{User: u.ID}, "setup.done", "user", string(u.ID), map[string]string{"organisation": string(o.ID)}); err != nil {
			return err
		}
		s, err = r.startSession(tx, u, byLink, c)
		return err
	})
	if err != nil {
		return SignedIn{}, err
	}
	return s, nil
}

// Accept an invitation: the account is made, its address counts as verified, and the person is signed in.
//
// Errors: CodeNotFound and CodeConflict, with the reason; CodeValue, a fault a field; CodeUnavailable.
func (r *Registry) Accept(ctx context.Context, secret string, in NewAccount, c Client) (s SignedIn, err error) {
	i, _, err := r.OpenInvitation(secret)
	if err != nil {
		return s, err
	}
	if in.Language == "" {
		in.Language = i.Language
	}
	u, err := in.account(i.Email)
	if err != nil {
		return s, err
	}
	if err := in.hashed(ctx, r.hasher, u); err != nil {
		return s, err
	}
	err = r.update(func(tx *store.Tx) error {
		l, err := r.use(tx, secret, PurposeInvitation)
		if err != nil {
			return err
		}
		if err := r.accepted(tx, u, l); err != nil {
			return err
		}
		s, err = r.startSession(tx, u, byLink, c)
		return err
	})
	if err != nil {
		return SignedIn{}, err
	}
	return s, nil
}

func (r *Registry) accepted(tx *store.Tx, u *user, l *link) error {
	if err := r.create(tx, u, l.Organisation, l.Roles); err != nil {
		return err
	}
	return r.log(tx, Actor{User: u.ID}, "user.create", "user", string(u.ID), map[string]string{
		"organisation": string(l.Organisation), "roles": joined(l.Roles),
	})
}

// AcceptFor accepts the open invitation of an address that a provider has verified, in the transaction that links the identity.
// The account has no password.
//
// Errors: CodeNotFound where there is no open invitation; CodeValue; CodeConflict.
func (r *Registry) AcceptFor(tx *store.Tx, email, name string) (id UserID, err error) {
	e, err := Email(email)
	if err != nil {
		return "", err
	}
	hash, err := newest(tx, PurposeInvitation, e)
	if err != nil {
		return "", err
	}
	g, err := generationOf(tx, store.TableInvitation)
	if err != nil {
		return "", err
	}
	l, err := read[link](tx, store.TableInvitation, "l/"+hash)
	if err != nil {
		return "", err
	}
	if l == nil || l.Used || l.Cancelled || l.Replaced || l.Generation != g.Current || !r.now().Before(l.Expires) {
		return "", protocol.Errorf(protocol.CodeNotFound, "", "no open invitation for this e-mail address: ask an administrator of this node for one")
	}
	u, err := NewAccount{Name: name, Language: l.Language, WithoutPassword: true}.account(e)
	if err != nil {
		return "", err
	}
	l.Used = true
	if err := write(tx, store.TableInvitation, "l/"+hash, l); err != nil {
		return "", err
	}
	return u.ID, r.accepted(tx, u, l)
}
