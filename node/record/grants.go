package record

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Who is invited to a listing of level invited.

const (
	maxGrants     = 1000                 // of one listing
	maxGrantTime  = 400 * 24 * time.Hour // that a grant may last
	grantKeyBytes = 16
)

// Invitation to a listing of level invited: for a person, or for an organisation, or for everybody at a member's node. It holds
// at that node only, as nobody else can say who its people are.
type Invitation struct {
	Member       protocol.MemberID
	Email        string                // of the person; not kept, only what it hashes to
	Organisation access.OrganisationID // at the member's node
	Expires      protocol.Instant
}

// Grant is an invitation as it is kept.
type Grant struct {
	ID           string                `json:"-"` // unique within the listing
	Listing      protocol.ListingID    `json:"-"`
	Member       protocol.MemberID     `json:"member"`
	Person       protocol.Hash         `json:"person,omitzero"` // protocol.Invitee of the e-mail address
	Organisation access.OrganisationID `json:"organisation,omitempty"`
	Expires      protocol.Instant      `json:"expires"`
	By           access.UserID         `json:"by,omitempty"`
	Created      protocol.Instant      `json:"created"`
}

// Grants of a node's own listings.
type Grants struct {
	member protocol.MemberID
	now    func() time.Time
	owner  func(tx *store.Tx, id protocol.ListingID) (access.OrganisationID, error)
}

// normal is the form of an e-mail address under which a person is invited, and that the asking node uses likewise.
func normal(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Create invites. The same invitation again replaces the one before.
//
// Errors: CodeNotPermitted for who may not invite to the listing; every fault of the invitation.
func (g *Grants) Create(tx *store.Tx, a access.Actor, id protocol.ListingID, in Invitation) (Grant, error) {
	if err := g.may(tx, a, id); err != nil {
		return Grant{}, err
	}
	if err := g.check(in); err != nil {
		return Grant{}, err
	}
	x := Grant{Listing: id, Member: in.Member, Organisation: in.Organisation, Expires: in.Expires, By: a.User, Created: protocol.InstantOf(g.now())}
	if in.Email != "" {
		x.Person = protocol.Invitee(g.member, id.Key(), in.Member, normal(in.Email))
	}
	x.ID = x.name()
	n, known := 0, false
	if err := tx.Rows(store.TableGrant, string(id)+"/", "", func(key string, _ []byte) (bool, error) {
		n++
		known = known || key == x.key()
		return true, nil
	}); err != nil {
		return Grant{}, err
	}
	if n >= maxGrants && !known {
		return Grant{}, protocol.Errorf(protocol.CodeTooLarge, "grants", "%d stand already, at most %d: invite an organisation or a member instead of single people", n, maxGrants)
	}
	b, err := json.Marshal(&x)
	if err != nil {
		return Grant{}, fmt.Errorf("grant: %w", err)
	}
	return x, tx.SetRow(store.TableGrant, x.key(), b)
}

func (g *Grants) check(in Invitation) error {
	var faults protocol.Errors
	add := func(field, format string, args ...any) {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, field, format, args...))
	}
	if _, err := protocol.ParseMemberID(string(in.Member)); err != nil {
		add("member", "name the member whose node the person or organisation uses, such as KH")
	}
	if in.Email != "" {
		if _, err := access.Email(in.Email); err != nil {
			add("email", "is no e-mail address: write it as name@example.org")
		}
	}
	if in.Email != "" && in.Organisation != "" {
		add("organisation", "invite either a person or an organisation")
	}
	if len(in.Organisation) > 64 {
		add("organisation", "is no id of an organisation")
	}
	switch now := g.now(); {
	case in.Expires == 0:
		add("expires", "say until when the invitation holds, %d days from now at most", int(maxGrantTime.Hours()/24))
	case !in.Expires.Time().After(now):
		add("expires", "is over already")
	case in.Expires.Time().Sub(now) > maxGrantTime:
		add("expires", "is over %d days from now", int(maxGrantTime.Hours()/24))
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// List the grants of a listing, those that are over included.
func (g *Grants) List(tx *store.Tx, a access.Actor, id protocol.ListingID) ([]Grant, error) {
	if err := g.may(tx, a, id); err != nil {
		return nil, err
	}
	return grantsOf(tx, id)
}

// Revoke a grant. It holds for nothing that was fetched before.
//
// Errors: CodeNotPermitted; CodeNotFound where there is no such grant.
func (g *Grants) Revoke(tx *store.Tx, a access.Actor, id protocol.ListingID, grant string) error {
	if err := g.may(tx, a, id); err != nil {
		return err
	}
	x := Grant{ID: grant, Listing: id}
	if len(grant) != 2*grantKeyBytes {
		return protocol.Errorf(protocol.CodeNotFound, "grant", "there is no such grant")
	}
	b, err := tx.Row(store.TableGrant, x.key())
	if err != nil {
		return err
	}
	if b == nil {
		return protocol.Errorf(protocol.CodeNotFound, "grant", "there is no such grant")
	}
	return tx.DeleteRow(store.TableGrant, x.key())
}

// Drop deletes all grants of a listing that is withdrawn for ever.
func (g *Grants) Drop(tx *store.Tx, id protocol.ListingID) error {
	all, err := grantsOf(tx, id)
	if err != nil {
		return err
	}
	for i := range all {
		if err := tx.DeleteRow(store.TableGrant, all[i].key()); err != nil {
			return err
		}
	}
	return nil
}

// Erase deletes the grants for a person at a member's node, whose e-mail address this is or was: the caller has asked whether it may.
func (g *Grants) Erase(tx *store.Tx, m protocol.MemberID, email string) error {
	var keys []string
	if err := tx.Rows(store.TableGrant, "", "", func(key string, value []byte) (bool, error) {
		x, err := grantOf(key, value)
		if err == nil && x.Person != (protocol.Hash{}) && x.Person == protocol.Invitee(g.member, x.Listing.Key(), m, normal(email)) {
			keys = append(keys, key)
		}
		return true, err
	}); err != nil {
		return err
	}
	for _, key := range keys {
		if err := tx.DeleteRow(store.TableGrant, key); err != nil {
			return err
		}
	}
	return nil
}

func (g *Grants) may(tx *store.Tx, a access.Actor, id protocol.ListingID) error {
	if _, err := protocol.ParseListingID(string(id)); err != nil {
		return err
	}
	r := access.Resource{Member: g.member}
	if g.owner != nil {
		var err error
		if r.Organisation, err = g.owner(tx, id); err != nil {
			return err
		}
	}
	return access.Can(a, access.GrantAccess, r)
}

// holds reports whether who is named so was invited.
func (g *Grants) holds(tx *store.Tx, id protocol.ListingID, m protocol.MemberID, person, organisation protocol.Hash) (bool, error) {
	all, err := grantsOf(tx, id)
	if err != nil {
		return false, err
	}
	for _, x := range all {
		if x.Member != m || !x.Expires.Time().After(g.now()) {
			continue
		}
		switch {
		case x.Person != protocol.Hash{}:
			if x.Person == person {
				return true, nil
			}
		case x.Organisation != "":
			if protocol.Invitee(g.member, id.Key(), m, string(x.Organisation)) == organisation {
				return true, nil
			}
		default:
			return true, nil
		}
	}
	return false, nil
}

func grantsOf(tx *store.Tx, id protocol.ListingID) (all []Grant, err error) {
	err = tx.Rows(store.TableGrant, string(id)+"/", "", func(key string, value []byte) (bool, error) {
		x, err := grantOf(key, value)
		all = append(all, x)
		return true, err
	})
	return all, err
}

func grantOf(key string, value []byte) (x Grant, err error) {
	id, name, _ := strings.Cut(key, "/")
	x.Listing, x.ID = protocol.ListingID(id), name
	if err := json.Unmarshal(value, &x); err != nil {
		return x, fmt.Errorf("grant %q: %w", key, err)
	}
	return x, nil
}

func (x *Grant) key() string { return string(x.Listing) + "/" + x.ID }

func (x *Grant) name() string {
	h := protocol.Sum([]byte(string(x.Member) + "\x00" + string(x.Organisation) + "\x00" + x.Person.String()))
	return fmt.Sprintf("%x", h[:grantKeyBytes])
}
