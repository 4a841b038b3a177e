package oidc

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// MaxLinks is how many identities a user may have.
const MaxLinks = 10

// Link says that an identity stands for a user. Rows of store.TableIdentity: "i/" and the link's id hold it; "u/", the user,
// "/" and the id find it.
type Link struct {
	ID       string    `json:"id"` // derived from issuer and subject
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject"`
	User     string    `json:"user"`
	Created  time.Time `json:"created"`
	LastUsed time.Time `json:"last_used,omitzero"`
}

// Accept takes up the open invitation that was sent to an e-mail address and gives the user made of it. It never gives a user
// who had an account before: where there is no invitation, or an account, it fails with CodeNotFound or CodeConflict.
type Accept func(tx *store.Tx, email, name string) (user string, err error)

// LinkID names the link of an identity. Both parts are hashed with their lengths, so that no two identities share one.
func LinkID(issuer, subject string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %d %s", len(issuer), issuer, len(subject), subject))
	return hex.EncodeToString(sum[:16])
}

// SignIn tells which user an identity stands for, and links it where that is allowed: to the user who is signed in and began
// it for that (id.For), or to an open invitation for its verified e-mail address. An e-mail address alone never opens an
// account that is there already: whoever could make a provider write it would own the account.
//
// Errors: CodeNotPermitted where no account belongs to the identity, with the same message whether or not its address is
// known here, and where a link was begun by another user than session, whose session it is now ("" for nobody's);
// CodeConflict where the identity belongs to somebody else, or the user has MaxLinks.
func SignIn(tx *store.Tx, id Identity, session string, accept Accept, now time.Time) (user string, err error) {
	if id.For != "" && id.For != session {
		return "", protocol.Errorf(protocol.CodeNotPermitted, "", "you are no longer signed in with the account that this identity was to be linked to: sign in and begin again")
	}
	l, err := find(tx, LinkID(id.Issuer, id.Subject))
	if err != nil {
		return "", err
	}
	if l != nil {
		if id.For != "" && id.For != l.User {
			return "", protocol.Errorf(protocol.CodeConflict, "", "this identity belongs to another account: sign in with it, or remove it there first")
		}
		l.LastUsed = now.UTC()
		return l.User, write(tx, l)
	}
	if user = id.For; user == "" && id.EmailVerified && id.Email != "" {
		if id.Name == "" {
			id.Name, _, _ = strings.Cut(id.Email, "@") // an account needs one; its owner changes it
		}
		switch user, err = accept(tx, id.Email, id.Name); protocol.CodeOf(err) {
		case "":
		case protocol.CodeNotFound, protocol.CodeConflict:
			user = ""
		default:
			return "", err
		}
	}
	if user == "" {
		return "", protocol.Errorf(protocol.CodeNotPermitted, "", "no account here is linked with this identity: sign in another way and link it in your account, or ask this node's administrator for an invitation")
	}
	if len(user) > maxSubject || strings.Contains(user, "/") {
		return "", protocol.Errorf(protocol.CodeValue, "user", "no id of a user")
	}
	links, err := Links(tx, user)
	if err != nil {
		return "", err
	}
	if len(links) >= MaxLinks {
		return "", protocol.Errorf(protocol.CodeConflict, "", "an account holds at most %d identities: remove one that you no longer use", MaxLinks)
	}
	l = &Link{ID: LinkID(id.Issuer, id.Subject), Issuer: id.Issuer, Subject: id.Subject, User: user, Created: now.UTC(), LastUsed: now.UTC()}
	if err := tx.SetRow(store.TableIdentity, userPrefix(user)+l.ID, []byte{1}); err != nil {
		return "", err
	}
	return user, write(tx, l)
}

// Links gives a user's identities.
func Links(tx *store.Tx, user string) ([]Link, error) {
	var ids []string
	if err := tx.Rows(store.TableIdentity, userPrefix(user), "", func(key string, _ []byte) (bool, error) {
		ids = append(ids, strings.TrimPrefix(key, userPrefix(user)))
		return true, nil
	}); err != nil {
		return nil, err
	}
	var all []Link
	for _, id := range ids {
		l, err := find(tx, id)
		if err != nil {
			return nil, err
		}
		if l != nil {
			all = append(all, *l)
		}
	}
	return all, nil
}

// Unlink takes an identity from a user and tells how many are left, so that the caller can see to it that a way to sign in
// remains.
//
// Errors: CodeNotFound where the user has no such identity.
func Unlink(tx *store.Tx, user, id string) (left int, err error) {
	links, err := Links(tx, user)
	if err != nil {
		return 0, err
	}
	for _, l := range links {
		if l.ID == id {
			return len(links) - 1, remove(tx, l)
		}
	}
	return 0, protocol.Errorf(protocol.CodeNotFound, "", "you have no such identity: it may have been removed already")
}

// Erase removes everything that is kept of a user.
func Erase(tx *store.Tx, user string) error {
	links, err := Links(tx, user)
	if err != nil {
		return err
	}
	for _, l := range links {
		if err := remove(tx, l); err != nil {
			return err
		}
	}
	return nil
}

// Linked reports whether an identity stands for a user.
func Linked(tx *store.Tx, id Identity) (bool, error) {
	l, err := find(tx, LinkID(id.Issuer, id.Subject))
	return l != nil, err
}

func linkKey(id string) string      { return "i/" + id }
func userPrefix(user string) string { return "u/" + user + "/" }

func find(tx *store.Tx, id string) (*Link, error) {
	b, err := tx.Row(store.TableIdentity, linkKey(id))
	if b == nil || err != nil {
		return nil, err
	}
	l := &Link{}
	if err := json.Unmarshal(b, l); err != nil {
		return nil, fmt.Errorf("read a row of identities: %w", err)
	}
	return l, nil
}

func write(tx *store.Tx, l *Link) error {
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write a row of identities: %w", err)
	}
	return tx.SetRow(store.TableIdentity, linkKey(l.ID), b)
}

func remove(tx *store.Tx, l Link) error {
	if err := tx.DeleteRow(store.TableIdentity, linkKey(l.ID)); err != nil {
		return err
	}
	return tx.DeleteRow(store.TableIdentity, userPrefix(l.User)+l.ID)
}
