package posting

import (
	"context"
	"slices"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// renewed is how many months a renewal adds.
const renewed = 12

// Renew adds a year to the validity: from the day on which it ends, or from today where it has ended. More than two years
// ahead nothing is promised.
func (p *Postings) Renew(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64) (*Posting, error) {
	return p.change(ctx, a, id, version, Renew, func(tx *store.Tx, h *Posting, s *Pending) error {
		until := later(max(h.ValidUntil, p.today()), renewed)
		if until > later(p.today(), longest) {
			return protocol.Errorf(protocol.CodeConflict, "valid_until", "it is valid until %s, more than a year from now: renew it when less is left", h.ValidUntil)
		}
		live, err := readPrinted(tx, "l", id)
		if err != nil {
			return err
		}
		c, before, err := live.content(id)
		if err != nil {
			return err
		}
		if c == nil {
			return damaged("publication", id, nil)
		}
		c.Listing.ValidUntil = until
		x, err := c.print(id, before)
		if err != nil {
			return err
		}
		s.Content, s.Level = true, x.Level
		return x.write(tx, "n", id)
	})
}

// renewDraft carries a renewal over to a draft that says the old day.
func renewDraft(tx *store.Tx, h *Posting, until protocol.Date) error {
	d, err := draft(tx, h.ID)
	if err != nil || d == nil || d.Listing.ValidUntil != h.ValidUntil {
		return err
	}
	d.Listing.ValidUntil = until
	return setDraft(tx, h.ID, d)
}

// Hold takes a published listing out of the catalogue until the hold is lifted.
func (p *Postings) Hold(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, note string) (*Posting, error) {
	return p.end(ctx, a, id, version, Hold, protocol.OnHold, "", note)
}

// Lift a hold: the listing returns as it was, or as it was revised meanwhile.
func (p *Postings) Lift(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64) (*Posting, error) {
	return p.change(ctx, a, id, version, Lift, nil)
}

// Withdraw a listing for ever. reason is one of protocol.Reasons, but for those that have an action of their own.
func (p *Postings) Withdraw(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, reason, note string) (*Posting, error) {
	switch reason {
	case protocol.OnHold:
		return nil, protocol.Errorf(protocol.CodeValue, "reason", "a withdrawal is for ever: put the listing on hold instead")
	case "superseded", "revoked":
		return nil, protocol.Errorf(protocol.CodeValue, "reason", "%q is not for a withdrawal: supersede or revoke the listing instead", reason)
	}
	if !slices.Contains(protocol.Reasons(), reason) {
		return nil, protocol.Errorf(protocol.CodeValue, "reason", "%q is no reason: take agreement, expired, no-longer-available, duplicate, error or other", clip(reason, 40))
	}
	return p.end(ctx, a, id, version, Withdraw, reason, "", note)
}

// Supersede ends a listing in favour of another of the same organisation.
func (p *Postings) Supersede(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, by protocol.ListingID, note string) (*Posting, error) {
	return p.end(ctx, a, id, version, Supersede, "superseded", by, note)
}

// Revoke ends a listing by the agency. The note says why, and is wanted.
func (p *Postings) Revoke(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, note string) (*Posting, error) {
	return p.end(ctx, a, id, version, Revoke, "revoked", "", note)
}

func (p *Postings) end(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, action Action, reason string, by protocol.ListingID, note string) (*Posting, error) {
	note, err := text("note", note, MaxNote)
	if err != nil {
		return nil, err
	}
	if action == Revoke && note == "" {
		return nil, protocol.Errorf(protocol.CodeRequired, "note", "say why the listing is revoked: its owner is told")
	}
	t := protocol.Tombstone{Reason: reason, ReplacedBy: by}
	if err := t.Validate(); err != nil {
		return nil, err
	}
	return p.change(ctx, a, id, version, action, func(tx *store.Tx, h *Posting, s *Pending) error {
		s.Reason, s.ReplacedBy, s.Note = reason, by, note
		if action != Supersede {
			return nil
		}
		heir, err := lookUp(tx, by)
		switch {
		case err != nil:
			return err
		case heir == nil || heir.Organisation != h.Organisation || heir.Live != Published || heir.ID == h.ID:
			return protocol.Errorf(protocol.CodeValue, "replaced_by", "%q is no other published listing of your organisation: publish it first", clip(string(by), 70))
		case heir.Level == protocol.LevelInvited && h.Level != protocol.LevelInvited:
			return protocol.Errorf(protocol.CodeValue, "replaced_by", "%s is for invited readers only, so the catalogue cannot point to it", by)
		}
		return nil
	})
}
