package posting

import (
	"context"
	"errors"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Lack is what a restore left incomplete: the catalogue came back from the other members, the rest from a backup.
type Lack struct {
	ID           protocol.ListingID    `json:"id"`
	Title        string                `json:"title"`
	Organisation access.OrganisationID `json:"organisation,omitempty"` // "" where it is not known any more
	What         What                  `json:"what"`
}

// What is lacking.
type What string

// The kinds of lacks.
const (
	LacksPosting  What = "posting"  // the catalogue has a listing of ours that nobody here keeps: an import, or newer than the backup
	LacksRecord   What = "record"   // the summary names a full record, and it is not here
	LacksRevision What = "revision" // the catalogue has another text than the posting
	LacksSummary  What = "summary"  // the posting says published, and the catalogue does not have it
)

const lookedRecords = 2000 // by one page

// Missing lists what is lacking, as far as the actor may see it, from a listing id on. A page may be short, or empty: there
// is more as long as next is not "".
func (p *Postings) Missing(a access.Actor, from protocol.ListingID, limit int) (all []Lack, next protocol.ListingID, _ error) {
	if a.Anonymous() {
		return nil, "", access.Can(a, access.ReadPosting, access.Resource{})
	}
	limit = max(1, min(limit, MaxPage))
	err := p.cfg.Store.View(func(tx *store.Tx) error {
		n := 0
		return tx.Records(p.cfg.Member, from.Key(), func(c *protocol.Change) (bool, error) {
			id, ok := protocol.ListingIDOf(c.RecordKey)
			if !ok {
				return c.RecordKey < protocol.ListingPrefix, nil // reports come behind
			}
			if n++; n > lookedRecords || len(all) == limit {
				next = id
				return false, nil
			}
			h, err := lookUp(tx, id)
			if err != nil {
				return false, err
			}
			if h == nil {
				h = &Posting{ID: id}
			}
			if h.can(a, access.ReadPosting) != nil {
				return true, nil
			}
			what, l, err := lacking(tx, h, c)
			if what != "" {
				all = append(all, Lack{ID: id, Title: title(l), Organisation: h.Organisation, What: what})
			}
			return err == nil, err
		})
	})
	return all, next, err
}

// lacking compares a posting with the newest change of its listing.
func lacking(tx *store.Tx, h *Posting, c *protocol.Change) (What, *protocol.Listing, error) {
	if h.Pending != nil {
		return "", nil, nil // on its way
	}
	if c.Kind == protocol.Withdraw {
		if h.Live == Published && h.Level != protocol.LevelInvited {
			return LacksSummary, &protocol.Listing{Texts: map[protocol.Lang]protocol.Text{"en": {Title: h.Title}}}, nil
		}
		return "", nil, nil
	}
	l, err := protocol.DecodeListing(c.Body)
	if err != nil {
		return "", nil, nil // it is reported as unusable elsewhere
	}
	if h.Version == 0 {
		return LacksPosting, l, nil
	}
	x, err := readPrinted(tx, "l", h.ID)
	if err != nil {
		return "", nil, err
	}
	live, _, err := x.content(h.ID)
	if err != nil {
		return "", nil, err
	}
	if live == nil || h.Live != Published || !sameText(&live.Listing, l) {
		return LacksRevision, l, nil
	}
	if l.HasFull() {
		full, err := tx.Full(c.RecordKey)
		if err != nil {
			return "", nil, err
		}
		if !holds(full, l) {
			return LacksRecord, l, nil
		}
	}
	return "", nil, nil
}

// sameText compares what authors write; the desk sets the rest.
func sameText(a, b *protocol.Listing) bool {
	x, y := *a, *b
	for _, l := range []*protocol.Listing{&x, &y} {
		l.BindFull(nil)
		l.Updated, l.Published = 0, 0
	}
	return string(x.Encode()) == string(y.Encode())
}

// holds reports whether a stored record has every part that the summary names.
func holds(full []byte, l *protocol.Listing) bool {
	if full == nil {
		return false
	}
	_, parts, err := protocol.DecodeRecord(full)
	if err != nil {
		return false
	}
	have := make(map[protocol.Hash]bool, len(parts))
	for _, x := range parts {
		have[x.Hash()] = true
	}
	for _, level := range protocol.Levels() {
		if h := l.FullHash(level); h != (protocol.Hash{}) && !have[h] {
			return false
		}
	}
	return true
}

// Adoption is what only people know of a listing that came back without its posting.
type Adoption struct {
	Organisation access.OrganisationID // of a new posting
	SourceID     string                // in the system that it was imported from, so that the next import finds it; "": as it is
	Origin       string                // the import that it came by, as Batch has it; "": the next import says it
}

// check what is given of the source.
func (d *Adoption) check() (err error) {
	var faults protocol.Errors
	if d.SourceID, err = text("source_id", d.SourceID, MaxSource); err != nil {
		faults = append(faults, protocol.All(err)...)
	}
	switch {
	case strings.ContainsAny(d.SourceID, "\n\t"):
		faults = append(faults, protocol.Errorf(protocol.CodeText, "source_id", "is more than one line"))
	case len(d.SourceID) > maxSourceBytes:
		faults = append(faults, protocol.Errorf(protocol.CodeTooLarge, "source_id", "%d bytes, at most %d: no import can have brought it", len(d.SourceID), maxSourceBytes))
	}
	if d.Origin, err = text("imported_from", d.Origin, MaxOrigin); err != nil {
		faults = append(faults, protocol.All(err)...)
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// Adopt makes the posting of a listing that the catalogue has and no posting keeps, or brings it up to the catalogue's text.
// Only the agency may say whose it is. A full record that is here is taken too.
//
// Errors: CodeConflict where the organisation has another listing of that source, or this one waits to be signed.
func (p *Postings) Adopt(ctx context.Context, a access.Actor, id protocol.ListingID, d Adoption) (h *Posting, _ error) {
	if err := access.Can(a, access.RevokePosting, access.Resource{Organisation: d.Organisation}); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	if !p.claim(id) {
		return nil, protocol.Errorf(protocol.CodeConflict, "", "the listing is being changed at this moment: try again")
	}
	defer p.unclaim(id)
	err := p.cfg.Store.Update(func(tx *store.Tx) error {
		c, err := tx.Record(p.cfg.Member, id.Key())
		if err != nil {
			return err
		}
		if c == nil || c.Kind != protocol.Put {
			return protocol.Errorf(protocol.CodeNotFound, "id", "the catalogue of this node has no listing of that id: look at the list of what is missing")
		}
		l, err := protocol.DecodeListing(c.Body)
		if err != nil {
			return err
		}
		if h, err = lookUp(tx, id); err != nil {
			return err
		}
		var was map[string]string
		switch {
		case h == nil:
			if _, err := p.standing(tx, d.Organisation); err != nil {
				return err
			}
			h = &Posting{ID: id, Organisation: d.Organisation, Created: p.now()}
			if h.Serial, err = count(tx, keySerial); err != nil {
				return err
			}
		case h.Pending != nil:
			return protocol.Errorf(protocol.CodeConflict, "state", "it waits to be signed: try again in a minute")
		default:
			if err := h.can(a, access.RevokePosting); err != nil {
				return err
			}
			was = index(h)
		}
		if err := d.source(tx, h); err != nil {
			return err
		}
		s, from := p.step(a, Adopt), h.states()
		if err := p.take(tx, h, l); err != nil {
			return err
		}
		h.Version++
		h.Updated = s.At
		h.record(Entry{At: s.At, Action: Adopt, From: from, To: h.states(), Actor: a.User})
		return errors.Join(p.audit(tx, h, s, from), put(tx, h, was), p.documents(tx, h))
	})
	if err != nil {
		return nil, err
	}
	return h, ctx.Err()
}

// source gives the posting its id at the source. What is known of the import before stays only where that id does.
func (d *Adoption) source(tx *store.Tx, h *Posting) error {
	if d.SourceID != "" && d.SourceID != h.SourceID {
		if err := release(tx, h, d.SourceID); err != nil {
			return err
		}
		h.SourceID, h.Origin = d.SourceID, ""
		h.Imported, h.ImportedHash, h.ImportedDraft, h.Owed = 0, protocol.Hash{}, false, ""
	}
	switch {
	case d.Origin == "":
	case h.SourceID == "":
		return protocol.Errorf(protocol.CodeRequired, "source_id", "is absent: an import finds its listings by it, so give it beside imported_from")
	default:
		h.Origin = d.Origin
	}
	return nil
}

// release a source's id for h. One that an import ended gives it up, as it does when its source comes back.
func release(tx *store.Tx, h *Posting, source string) error {
	id, err := bySource(tx, h.Organisation, source)
	if err != nil || id == "" {
		return err
	}
	old, err := get(tx, id)
	if err != nil {
		return err
	}
	if !old.EndedByImport {
		return protocol.Errorf(protocol.CodeConflict, "source_id", "listing %s came from there already: withdraw the one of the two that is too many, and adopt the other", id)
	}
	was := index(old)
	old.ReplacedBy = h.ID
	old.Version++
	return put(tx, old, was)
}

// take what the catalogue says as live.
func (p *Postings) take(tx *store.Tx, h *Posting, l *protocol.Listing) error {
	full, err := tx.Full(h.ID.Key())
	if err != nil {
		return err
	}
	x := &printed{Summary: l.Encode(), Level: protocol.LevelPublic}
	if holds(full, l) {
		r, _, err := protocol.DecodeRecord(full)
		if err != nil {
			return err
		}
		x.Record, x.Level = full, r.Visibility()
	}
	if h.Reference == "" {
		if err := giveReference(tx, h, l, p.today()); err != nil {
			return err
		}
	}
	h.Live, h.Level, h.PublishedOn, h.ValidUntil = Published, x.Level, l.Published, l.ValidUntil
	h.Kind, h.Country, h.Title = l.Kind, l.Country, title(l)
	h.Reminded = p.today()
	h.Publications++
	return x.write(tx, "l", h.ID)
}
