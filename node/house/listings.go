package house

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Where listings meet people, documents and readers.

// Invite somebody to a listing of level invited.
//
// Errors: those of record.Grants.
func (h *House) Invite(a access.Actor, id protocol.ListingID, in record.Invitation) (g record.Grant, err error) {
	err = h.Store.Update(func(tx *store.Tx) error {
		if g, err = h.Library.Grants().Create(tx, a, id, in); err != nil {
			return err
		}
		return h.note(tx, a, "grant.create", "posting", string(id), map[string]string{"grant": g.ID, "member": string(g.Member)})
	})
	return g, err
}

// Invited lists the invitations to a listing, those that are over included.
func (h *House) Invited(a access.Actor, id protocol.ListingID) (all []record.Grant, err error) {
	err = h.Store.View(func(tx *store.Tx) error {
		all, err = h.Library.Grants().List(tx, a, id)
		return err
	})
	return all, err
}

// Disinvite takes an invitation back.
func (h *House) Disinvite(a access.Actor, id protocol.ListingID, grant string) error {
	return h.Store.Update(func(tx *store.Tx) error {
		if err := h.Library.Grants().Revoke(tx, a, id, grant); err != nil {
			return err
		}
		return h.note(tx, a, "grant.revoke", "posting", string(id), map[string]string{"grant": grant})
	})
}

// Colleague is a person as access.Can would see him, signed in: to judge who may take over a case, and by whose rights an import goes on.
//
// Errors: CodeNotFound.
func (h *House) Colleague(id access.UserID) (a access.Actor, err error) {
	err = h.Store.View(func(tx *store.Tx) error {
		u, err := h.People.LookupUser(tx, id)
		if err != nil {
			return err
		}
		o, err := h.People.LookupOrganisation(tx, u.Organisation)
		if err != nil {
			return err
		}
		a = access.Actor{User: u.ID, Organisation: o.ID, OrganisationType: o.Type, Country: o.Country, Member: h.cfg.Member}
		if u.Verified && !u.Disabled && !u.Erased && !o.Disabled {
			a.Roles = u.Roles
		}
		return nil
	})
	return a, err
}

// mostReviewers that a case can be handed to are named.
const mostReviewers = 200

// Reviewers are those whom the actor can hand a case to, by their names; none for who has no case there. That is all that a reviewer
// sees of the people of this node.
func (h *House) Reviewers(a access.Actor, x *posting.Posting) (all []access.User, err error) {
	may := h.Postings.Allowed(a, x)
	if !slices.Contains(may, posting.HandOver) && !slices.Contains(may, posting.PassOn) {
		return nil, nil
	}
	for q := (access.Page{Limit: 500}); ; {
		page, next, err := h.People.Users(access.Operator(h.cfg.Member), access.UserFilter{Role: access.Reviewer}, q)
		if err != nil {
			return nil, err
		}
		for _, u := range page {
			to, err := h.Colleague(u.ID)
			if err != nil || u.ID == a.User || !posting.MayReview(to, x) {
				continue
			}
			all = append(all, access.User{ID: u.ID, Name: u.Name, Organisation: u.Organisation})
		}
		if q.Cursor = next; next == "" || len(all) >= mostReviewers {
			break
		}
	}
	slices.SortStableFunc(all, func(x, y access.User) int { return strings.Compare(x.Name, y.Name) })
	return all[:min(len(all), mostReviewers)], nil
}

// ended forgets who was invited to a listing that never returns.
func (h *House) ended(tx *store.Tx, e posting.Event) error {
	_, stays := e.Detail["to"]
	switch e.Action {
	case "posting." + string(posting.Withdraw), "posting." + string(posting.Supersede), "posting." + string(posting.Revoke):
	case "posting." + string(posting.Discard):
		if stays {
			return nil // a revision was discarded
		}
	default:
		return nil
	}
	return h.Library.Grants().Drop(tx, e.ID)
}

// KeepDocument keeps what an organisation sent for a posting of its own, which may name it from then on.
func (h *House) KeepDocument(ctx context.Context, a access.Actor, p *posting.Posting, c *document.Clean) error {
	if err := access.Can(a, access.WriteDocument, access.Resource{Member: h.cfg.Member, Organisation: p.Organisation}); err != nil {
		return err
	}
	if err := h.Store.Update(func(tx *store.Tx) error {
		return h.Documents.Reserve(tx, c, string(p.Organisation), h.cfg.Documents)
	}); err != nil {
		return err
	}
	if err := h.Documents.Put(ctx, c); err != nil {
		return err
	}
	return h.Store.Update(func(tx *store.Tx) error {
		if err := document.Send(tx, c.Hash, string(p.Organisation)); err != nil {
			return err
		}
		return h.note(tx, a, "document.send", "posting", string(p.ID), map[string]string{"document": c.Hash.String()})
	})
}

// SentDocument is what is known of a document that the posting's organisation sent, be it named by a listing or not.
//
// Errors: CodeNotFound where the organisation sent none such, or nobody named it in time.
func (h *House) SentDocument(a access.Actor, p *posting.Posting, hash protocol.Hash) (d document.Document, err error) {
	if err := access.Can(a, access.WriteDocument, access.Resource{Member: h.cfg.Member, Organisation: p.Organisation}); err != nil {
		return d, err
	}
	err = h.Store.View(func(tx *store.Tx) error {
		sent, err := document.SentBy(tx, hash, string(p.Organisation))
		if err == nil && !sent {
			err = protocol.Errorf(protocol.CodeNotFound, "document", "there is no such document here any more: send it again")
		}
		if err == nil {
			d, err = document.Describe(tx, hash)
		}
		return err
	})
	return d, err
}

// asKept refuses a document that the record describes otherwise than it is, which readers would be told. One that the listing
// had before can be named on, though it is damaged by now.
func asKept(tx *store.Tx, d protocol.Document, at int, before bool, of access.OrganisationID) error {
	field := fmt.Sprintf("record.documents[%d]", at)
	have, err := document.Describe(tx, d.Hash)
	if err == nil && !before {
		sent, serr := document.SentBy(tx, d.Hash, string(of))
		if serr != nil {
			return serr
		}
		if !sent { // another organisation's: said as if it were not here
			err = protocol.Errorf(protocol.CodeNotFound, "document", "not sent by this organisation")
		}
	}
	switch {
	case err != nil && before:
		return nil
	case protocol.CodeOf(err) == protocol.CodeNotFound:
		return protocol.Errorf(protocol.CodeValue, field, "is not here: send the document first, and name it as the answer says")
	case err != nil:
		return err
	}
	if e := have.Entry(); d.Type != e.Type || d.Size != e.Size || d.Preview != e.Preview {
		return protocol.Errorf(protocol.CodeValue, field, "is described otherwise than it is kept: take hash, type, size and preview from the answer to its sending")
	}
	return nil
}

// ofRecord says that what is at fault stands in the full record.
func ofRecord(err error) error {
	var one *protocol.Error
	if !errors.As(err, &one) || one.Field == "" {
		return err
	}
	moved := *one
	moved.Field = "record." + one.Field
	return &moved
}
