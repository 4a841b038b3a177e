package house

import (
	"context"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/access/oidc"
	"github.com/asean-tmh/tmh/node/access/passkey"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Ways to sign in beside the password.

func noPasskeys() error {
	return protocol.Errorf(protocol.CodeUnavailable, "", "this node has no passkeys yet: its operator has to set public_url in its configuration, since a passkey belongs to a public address")
}

func noProvider() error {
	return protocol.Errorf(protocol.CodeNotFound, "", "this node has no provider of identities: sign in with a password or a passkey")
}

// BeginPasskey gives the options for registering a passkey of the actor.
func (h *House) BeginPasskey(a access.Actor) (passkey.Begun, error) {
	u, err := h.self(a)
	if err != nil {
		return passkey.Begun{}, err
	}
	return h.Passkeys.BeginRegistration(u)
}

// self is the actor's account as passkeys see it, for who signed in just now.
func (h *House) self(a access.Actor) (u passkey.User, err error) {
	if h.Passkeys == nil {
		return u, noPasskeys()
	}
	if err := access.Can(a, access.EditAccount, access.Resource{Member: h.cfg.Member, User: a.User}); err != nil {
		return u, err
	}
	err = h.Store.View(func(tx *store.Tx) error {
		if err := h.People.Fresh(tx, a); err != nil {
			return err
		}
		x, err := h.People.LookupUser(tx, a.User)
		if err == nil {
			u = passkey.User{ID: string(x.ID), Login: x.Email, Name: x.Name}
		}
		return err
	})
	return u, err
}

// FinishPasskey keeps the passkey that the browser made.
func (h *House) FinishPasskey(a access.Actor, ceremony string, response []byte, name string) (k passkey.Passkey, err error) {
	u, err := h.self(a)
	if err != nil {
		return k, err
	}
	err = h.Store.Update(func(tx *store.Tx) error {
		if k, err = h.Passkeys.FinishRegistration(tx, u, ceremony, response, name); err != nil {
			return err
		}
		return h.note(tx, a, "passkey.create", "passkey", k.ID, nil)
	})
	return k, err
}

// PasskeysOf lists the actor's passkeys.
func (h *House) PasskeysOf(a access.Actor) (all []passkey.Passkey, err error) {
	if err := access.Can(a, access.EditAccount, access.Resource{Member: h.cfg.Member, User: a.User}); err != nil {
		return nil, err
	}
	err = h.Store.View(func(tx *store.Tx) error {
		all, err = passkey.List(tx, string(a.User))
		return err
	})
	return all, err
}

// RenamePasskey of the actor.
func (h *House) RenamePasskey(a access.Actor, id, name string) (k passkey.Passkey, err error) {
	if err := access.Can(a, access.EditAccount, access.Resource{Member: h.cfg.Member, User: a.User}); err != nil {
		return k, err
	}
	err = h.Store.Update(func(tx *store.Tx) error {
		if k, err = passkey.Rename(tx, string(a.User), id, name); err != nil {
			return err
		}
		return h.note(tx, a, "passkey.rename", "passkey", id, nil)
	})
	return k, err
}

// RemovePasskey of the actor. The last way into an account stays.
func (h *House) RemovePasskey(a access.Actor, id string) error {
	return h.removeWay(a, "passkey", id, func(tx *store.Tx) error {
		_, err := passkey.Remove(tx, string(a.User), id)
		return err
	})
}

// removeWay into the actor's account, unless it is the last.
func (h *House) removeWay(a access.Actor, kind, id string, remove func(tx *store.Tx) error) error {
	if err := access.Can(a, access.EditAccount, access.Resource{Member: h.cfg.Member, User: a.User}); err != nil {
		return err
	}
	return h.Store.Update(func(tx *store.Tx) error {
		if err := remove(tx); err != nil {
			return err
		}
		if err := h.keepsWay(tx, a.User); err != nil {
			return err
		}
		return h.note(tx, a, kind+".remove", kind, id, nil)
	})
}

// keepsWay refuses what would leave somebody without a way to sign in.
func (h *House) keepsWay(tx *store.Tx, id access.UserID) error {
	keys, err := passkey.List(tx, string(id))
	if err != nil {
		return err
	}
	links, err := oidc.Links(tx, string(id))
	if err != nil {
		return err
	}
	password, err := h.People.HasPassword(tx, id)
	if err == nil && len(keys) == 0 && len(links) == 0 && !password {
		err = protocol.Errorf(protocol.CodeConflict, "", "this is the last way into your account: set a password or register another passkey first")
	}
	return err
}

// BeginPasskeySignIn gives the options for signing in with a passkey.
func (h *House) BeginPasskeySignIn() (passkey.Begun, error) {
	if h.Passkeys == nil {
		return passkey.Begun{}, noPasskeys()
	}
	return h.Passkeys.BeginSignIn()
}

// FinishPasskeySignIn signs in who holds the passkey.
func (h *House) FinishPasskeySignIn(ceremony string, response []byte, c access.Client) (s access.SignedIn, err error) {
	if h.Passkeys == nil {
		return s, noPasskeys()
	}
	_, err = h.Passkeys.FinishSignIn(ceremony, response, func(tx *store.Tx, in passkey.SignIn) (err error) {
		s, err = h.People.SignInAs(tx, access.UserID(in.User), "passkey", c)
		return err
	})
	if err != nil {
		return access.SignedIn{}, err
	}
	return s, nil
}

// cloned notes that a copy of a passkey seems to be in use. Nobody gets in with it any more, its owner included.
func (h *House) cloned(tx *store.Tx, _, id string) error {
	return h.note(tx, access.Actor{}, "passkey.suspected", "passkey", id, nil)
}

// BeginProvider begins a sign-in at the provider of identities, or the linking of the actor's account to it.
func (h *House) BeginProvider(ctx context.Context, a access.Actor) (oidc.Begun, error) {
	if h.Provider == nil {
		return oidc.Begun{}, noProvider()
	}
	if a.User != "" {
		if err := h.Store.View(func(tx *store.Tx) error { return h.People.Fresh(tx, a) }); err != nil {
			return oidc.Begun{}, err
		}
	}
	return h.Provider.Begin(ctx, string(a.User))
}

// FinishProvider signs in whom the provider has proven.
func (h *House) FinishProvider(ctx context.Context, a access.Actor, back oidc.Callback, kept string, c access.Client) (s access.SignedIn, err error) {
	if h.Provider == nil {
		return s, noProvider()
	}
	id, err := h.Provider.Finish(ctx, back, kept)
	if err != nil {
		return s, err
	}
	err = h.Store.Update(func(tx *store.Tx) error {
		known, err := oidc.Linked(tx, id)
		if err != nil {
			return err
		}
		user, err := oidc.SignIn(tx, id, string(a.User), h.invited, h.cfg.Now())
		if err != nil {
			return err
		}
		if !known {
			if err := h.note(tx, access.Actor{User: access.UserID(user)}, "identity.create", "identity", oidc.LinkID(id.Issuer, id.Subject), nil); err != nil {
				return err
			}
		}
		s, err = h.People.SignInAs(tx, access.UserID(user), "oidc", c)
		return err
	})
	return s, err
}

// invited takes up the open invitation of an address that a provider has verified.
func (h *House) invited(tx *store.Tx, email, name string) (string, error) {
	id, err := h.People.AcceptFor(tx, email, name)
	return string(id), err
}

// IdentitiesOf lists the identities at providers that open the actor's account.
func (h *House) IdentitiesOf(a access.Actor) (all []oidc.Link, err error) {
	if err := access.Can(a, access.EditAccount, access.Resource{Member: h.cfg.Member, User: a.User}); err != nil {
		return nil, err
	}
	err = h.Store.View(func(tx *store.Tx) error {
		all, err = oidc.Links(tx, string(a.User))
		return err
	})
	return all, err
}

// RemoveIdentity of the actor. The last way into an account stays.
func (h *House) RemoveIdentity(a access.Actor, id string) error {
	return h.removeWay(a, "identity", id, func(tx *store.Tx) error {
		_, err := oidc.Unlink(tx, string(a.User), id)
		return err
	})
}
