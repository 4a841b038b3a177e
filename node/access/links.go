package access

import (
	"slices"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Purpose of a link that works once.
type Purpose string

// The purposes.
const (
	PurposeSetup        Purpose = "setup"        // the first administrator
	PurposeInvitation   Purpose = "invitation"   // an account, with organisation and roles
	PurposeVerification Purpose = "verification" // an e-mail address of an account
	PurposeReset        Purpose = "reset"        // a new password
)

// Lasts is how long a link of that purpose works.
func (p Purpose) Lasts() time.Duration {
	switch p {
	case PurposeSetup:
		return 30 * time.Minute
	case PurposeInvitation:
		return 7 * 24 * time.Hour
	case PurposeVerification:
		return 24 * time.Hour
	}
	return time.Hour
}

// link is the row, under the hash of its secret.
type link struct {
	Purpose      Purpose        `json:"purpose"`
	Subject      string         `json:"subject"` // whom a newer one replaces: user id, address, or "" for setup
	Email        string         `json:"email,omitempty"`
	Organisation OrganisationID `json:"organisation,omitempty"`
	Roles        []Role         `json:"roles,omitempty"`
	Language     string         `json:"language,omitempty"`
	By           UserID         `json:"by,omitempty"`
	Created      time.Time      `json:"created"`
	Expires      time.Time      `json:"expires"`
	Used         bool           `json:"used,omitempty"`
	Replaced     bool           `json:"replaced,omitempty"`
	Cancelled    bool           `json:"cancelled,omitempty"`
	Generation   uint64         `json:"generation,omitempty"`
}

// newest link of a purpose for a subject: its hash, "" where there is none.
func newest(tx *store.Tx, p Purpose, subject string) (string, error) {
	h, err := tx.Row(store.TableInvitation, "s/"+string(p)+"/"+subject)
	return string(h), err
}

// makeLink writes a link, which takes the place of an earlier one of its purpose and subject, and has it delivered.
func (r *Registry) makeLink(tx *store.Tx, l link, name string) (secret string, made link, err error) {
	g, err := generationOf(tx, store.TableInvitation)
	if err != nil {
		return "", l, err
	}
	l.Created, l.Expires, l.Generation = r.now(), r.now().Add(l.Purpose.Lasts()), g.Current
	if err := replaceLink(tx, l.Purpose, l.Subject); err != nil {
		return "", l, err
	}
	secret, hash := newSecret()
	if err := write(tx, store.TableInvitation, "l/"+hash, l); err != nil {
		return "", l, err
	}
	if err := tx.SetRow(store.TableInvitation, "s/"+string(l.Purpose)+"/"+l.Subject, []byte(hash)); err != nil {
		return "", l, err
	}
	if r.cfg.Deliver != nil && l.Email != "" {
		err = r.cfg.Deliver(tx, Delivery{Purpose: l.Purpose, Email: l.Email, Name: name, Language: l.Language, Secret: secret, Expires: l.Expires, Organisation: l.Organisation, Roles: l.Roles})
	}
	return secret, l, err
}

// replaceLink ends the open link of a purpose for a subject, where there is one.
func replaceLink(tx *store.Tx, p Purpose, subject string) error {
	hash, err := newest(tx, p, subject)
	if err != nil || hash == "" {
		return err
	}
	l, err := read[link](tx, store.TableInvitation, "l/"+hash)
	if err != nil || l == nil || l.Used {
		return err
	}
	l.Replaced = true
	return write(tx, store.TableInvitation, "l/"+hash, l)
}

// dropLink of a hash.
func dropLink(tx *store.Tx, hash string) error {
	l, err := read[link](tx, store.TableInvitation, "l/"+hash)
	if err != nil || l == nil {
		return err
	}
	now, err := newest(tx, l.Purpose, l.Subject)
	if err != nil {
		return err
	}
	if now == hash {
		if err := tx.DeleteRow(store.TableInvitation, "s/"+string(l.Purpose)+"/"+l.Subject); err != nil {
			return err
		}
	}
	return tx.DeleteRow(store.TableInvitation, "l/"+hash)
}

// openLink finds the link of a secret, or says why it does not work.
func (r *Registry) openLink(tx *store.Tx, secret string, p Purpose) (l *link, hash string, err error) {
	unknown := protocol.Errorf(protocol.CodeNotFound, "", "this link is not valid: see whether it was copied whole, or ask for a new one")
	if len(secret) != 43 {
		return nil, "", unknown
	}
	hash = hashOf(secret)
	if l, err = read[link](tx, store.TableInvitation, "l/"+hash); err != nil {
		return nil, "", err
	}
	if l == nil || l.Purpose != p {
		return nil, "", unknown
	}
	g, err := generationOf(tx, store.TableInvitation)
	if err != nil {
		return nil, "", err
	}
	conflict := func(words string) (*link, string, error) {
		return nil, "", protocol.Errorf(protocol.CodeConflict, "", "%s", words)
	}
	switch {
	case l.Used:
		return conflict("this link was used already, and works once: sign in, or ask for a new one")
	case l.Cancelled:
		return conflict("this invitation was taken back: ask whoever sent it")
	case l.Replaced:
		return conflict("a newer link or a change of the account took the place of this one: use the newest link, or ask for one")
	case !r.now().Before(l.Expires):
		return conflict("this link has expired: ask for a new one")
	case l.Generation != g.Current:
		return conflict("this node was restored from a backup, and links from before have ended: ask for a new one")
	}
	return l, hash, nil
}

// use a link: it never works again.
func (r *Registry) use(tx *store.Tx, secret string, p Purpose) (*link, error) {
	l, hash, err := r.openLink(tx, secret, p)
	if err != nil {
		return nil, err
	}
	l.Used = true
	return l, write(tx, store.TableInvitation, "l/"+hash, l)
}

// Invitation to have an account. ID proves nothing.
type Invitation struct {
	ID           string         `json:"id"`
	Email        string         `json:"email"`
	Organisation OrganisationID `json:"organisation"`
	Roles        []Role         `json:"roles"`
	Language     string         `json:"language,omitempty"`
	By           UserID         `json:"by,omitempty"`
	Created      time.Time      `json:"created"`
	Expires      time.Time      `json:"expires"`
}

func (l *link) invitation(hash string) Invitation {
	return Invitation{
		ID: hash, Email: l.Email, Organisation: l.Organisation, Roles: slices.Clone(l.Roles), Language: l.Language, By: l.By, Created: l.Created, Expires: l.Expires,
	}
}

// Invite somebody to have an account. An earlier invitation of the address ends. The secret is for the administrator to hand
// over where there is no mail.
//
// Errors: CodeNotPermitted; CodeValue, a fault a field; CodeNotFound, no such organisation; CodeConflict where the address has
// an account.
func (r *Registry) Invite(by Actor, email string, o OrganisationID, roles []Role, language string) (secret string, i Invitation, err error) {
	if err := Can(by, InvitePerson, Resource{Organisation: o}); err != nil {
		return "", i, err
	}
	if slices.Contains(roles, Admin) {
		if err := Can(by, EmpowerPerson, Resource{Organisation: o}); err != nil {
			return "", i, err
		}
	}
	var f faults
	l := link{Purpose: PurposeInvitation, Email: f.email(email), Organisation: o, Roles: f.roles(roles), Language: f.language(language), By: by.User}
	if err := f.err(); err != nil {
		return "", i, err
	}
	l.Subject = l.Email
	err = r.update(func(tx *store.Tx) error {
		org, err := r.LookupOrganisation(tx, o)
		if err != nil {
			return err
		}
		if org.Disabled {
			return protocol.Errorf(protocol.CodeConflict, "organisation", "this organisation is disabled: enable it first")
		}
		u, err := userBy(tx, l.Email)
		if err != nil {
			return err
		}
		if u != nil {
			return protocol.Errorf(protocol.CodeConflict, "email", "this address has an account already: change its roles instead")
		}
		if secret, l, err = r.makeLink(tx, l, ""); err != nil {
			return err
		}
		i = l.invitation(hashOf(secret))
		return r.log(tx, by, "invitation.create", "invitation", i.ID, map[string]string{"organisation": string(o), "roles": joined(l.Roles)})
	})
	if err != nil {
		return "", Invitation{}, err
	}
	return secret, i, nil
}

// OpenInvitation reads the invitation of a secret, to show who is invited to what before it is accepted.
//
// Errors: CodeNotFound and CodeConflict, with the reason.
func (r *Registry) OpenInvitation(secret string) (i Invitation, o Organisation, err error) {
	err = r.view(func(tx *store.Tx) error {
		l, hash, err := r.openLink(tx, secret, PurposeInvitation)
		if err != nil {
			return err
		}
		org, err := r.LookupOrganisation(tx, l.Organisation)
		if err != nil {
			return err
		}
		i, o = l.invitation(hash), *org
		return nil
	})
	return i, o, err
}

// Invitations that are open, in the order of their ids, at most a page: Limit is how many rows are looked at.
//
// Errors: CodeNotPermitted, CodeValue.
func (r *Registry) Invitations(by Actor, p Page) (all []Invitation, next string, err error) {
	if err := Can(by, InvitePerson, Resource{}); err != nil {
		return nil, "", err
	}
	if p, err = p.check(); err != nil {
		return nil, "", err
	}
	err = r.view(func(tx *store.Tx) error {
		prefix := "s/" + string(PurposeInvitation) + "/"
		emails, err := keys(tx, store.TableInvitation, prefix, p.Cursor, p.Limit+1)
		if err != nil {
			return err
		}
		g, err := generationOf(tx, store.TableInvitation)
		if err != nil {
			return err
		}
		for i, email := range emails {
			if i == p.Limit {
				next = emails[i-1]
				break
			}
			hash, err := newest(tx, PurposeInvitation, email)
			if err != nil {
				return err
			}
			l, err := read[link](tx, store.TableInvitation, "l/"+hash)
			if err != nil {
				return err
			}
			if l != nil && !l.Used && !l.Cancelled && l.Generation == g.Current && r.now().Before(l.Expires) {
				all = append(all, l.invitation(hash))
			}
		}
		return nil
	})
	return all, next, err
}

// CancelInvitation takes an open invitation back.
//
// Errors: CodeNotPermitted, CodeNotFound; CodeConflict where it was used already.
func (r *Registry) CancelInvitation(by Actor, id string) error {
	if err := Can(by, InvitePerson, Resource{}); err != nil {
		return err
	}
	return r.update(func(tx *store.Tx) error {
		if len(id) != 64 {
			return notFound("invitation")
		}
		l, err := read[link](tx, store.TableInvitation, "l/"+id)
		if err != nil {
			return err
		}
		if l == nil || l.Purpose != PurposeInvitation {
			return notFound("invitation")
		}
		if l.Used {
			return protocol.Errorf(protocol.CodeConflict, "", "this invitation was accepted already: disable the account instead")
		}
		l.Cancelled = true
		if err := write(tx, store.TableInvitation, "l/"+id, l); err != nil {
			return err
		}
		return r.log(tx, by, "invitation.cancel", "invitation", id, nil)
	})
}
