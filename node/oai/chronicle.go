package oai

import (
	"context"
	"errors"
	"strings"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// batch is how many records are looked at in one view, and written in one transaction.
const batch = 1000

// An order is one change of the chronicle.
type order struct {
	ref match.Ref
	old *note
	now note // its time is given when it is written
}

// follow brings the chronicle in line with what is held of an origin. rest is called between transactions.
func (p *Provider) follow(ctx context.Context, origin protocol.MemberID, member bool, rest func()) error {
	for ctx.Err() == nil {
		var at cursor
		var c *replica.Copy
		var orders []order
		next, leads := cursor{}, false
		if err := p.cfg.Store.View(func(tx *store.Tx) (err error) {
			if at, err = loadCursor(tx, origin); err != nil || !member {
				return err
			}
			set := tx.Origin(origin)
			b, err := set.Frontier()
			if err != nil {
				return err
			}
			if c, err = replica.Decode(origin, b); err != nil || c.CatchingUp() {
				return err
			}
			if leads, err = leadsOn(set, at, c); err != nil || !leads {
				return err
			}
			orders, next, err = p.feed(tx, set, at, c)
			return err
		}); err != nil {
			return err
		}
		switch {
		case !member && at == (cursor{}), member && c.CatchingUp():
			return nil // what is not proven as a whole is not listed yet
		case !member:
			return p.compare(ctx, origin, nil, rest)
		case at.pos == c.Proven && at.header == c.Header:
			return nil
		case !leads:
			return p.compare(ctx, origin, c, rest)
		}
		if err := p.write(origin, orders, &next); err != nil {
			return err
		}
		if next.pos != c.Proven {
			rest()
		}
	}
	return ctx.Err()
}

// leadsOn reports whether everything that differs from what was followed up to a cursor lies above it in the feed.
func leadsOn(set *store.Origin, at cursor, c *replica.Copy) (bool, error) {
	if at.pos.Seq == 0 || at.pos.Epoch != c.Proven.Epoch || at.pos.Seq > c.Proven.Seq || c.Floor > at.pos.Seq {
		return false, nil
	}
	if at.header == (protocol.Hash{}) {
		return at.pos != c.Proven, nil
	}
	if at.pos == c.Proven {
		return at.header == c.Header, nil
	}
	h, err := set.HeaderAt(at.pos)
	return h == nil || h.Raw == at.header, err
}

// feed reads what changed above a cursor.
func (p *Provider) feed(tx *store.Tx, set *store.Origin, at cursor, c *replica.Copy) (orders []order, next cursor, err error) {
	next = cursor{c.Proven, c.Header}
	seen := 0
	err = set.Feed(at.pos, func(pos protocol.Position, b []byte) (bool, error) {
		if seen == p.batch {
			next = cursor{pos: protocol.Position{Epoch: pos.Epoch, Seq: pos.Seq - 1}}
			return false, nil
		}
		seen++
		ch, err := protocol.DecodeChange(b)
		if err != nil {
			return false, err
		}
		id, ok := protocol.ListingIDOf(ch.RecordKey)
		if !ok {
			return true, nil
		}
		ref := match.Ref{Origin: ch.Origin, ID: id}
		old, err := loadNote(tx, ref)
		if err != nil {
			return false, err
		}
		if o, changes := judge(ref, old, ch); changes {
			orders = append(orders, o)
		}
		return true, nil
	})
	return orders, next, err
}

// judge says what a change of a listing means for the chronicle, nil: the store does not hold the listing any more.
func judge(ref match.Ref, old *note, ch *protocol.Change) (o order, changes bool) {
	o = order{ref: ref, old: old, now: note{deleted: true, kind: unknownKind}}
	if old != nil {
		o.now.kind, o.now.mark = old.kind, old.mark
	}
	if ch == nil {
		return o, old != nil && !old.deleted
	}
	if old != nil && !old.deleted && old.mark == markOf(ch.Raw) {
		return o, false
	}
	l, t, err := exchange.Open(ch)
	switch {
	case err == nil && l != nil:
		o.now = note{kind: l.Kind, mark: markOf(ch.Raw)}
		return o, true
	case old != nil && old.deleted:
		return o, false // a second withdrawal, or something unusable after it
	case err != nil:
		return o, old != nil // what was never a listing is no record
	}
	if t.Kind != "" && o.now.kind == unknownKind {
		o.now.kind = t.Kind
	}
	return o, true
}

// compare holds everything that the chronicle says of an origin against the store, part by part. c is the copy as it was
// before; nil: nothing of the origin counts any more. What changes meanwhile lies above c, or makes the next comparison.
func (p *Provider) compare(ctx context.Context, origin protocol.MemberID, c *replica.Copy, rest func()) error {
	changed := 0
	for from, more := "", true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var orders []order
		if err := p.cfg.Store.View(func(tx *store.Tx) (err error) {
			orders, from, more, err = p.comparePart(tx, origin, c != nil, from)
			return err
		}); err != nil {
			return err
		}
		if err := p.write(origin, orders, nil); err != nil {
			return err
		}
		changed += len(orders)
		rest()
	}
	var next cursor
	var orders []order
	if c != nil {
		next = cursor{c.Proven, c.Header}
		if err := p.cfg.Store.View(func(tx *store.Tx) (err error) {
			orders, err = voided(tx, origin)
			return err
		}); err != nil {
			return err
		}
	}
	if changed += len(orders); changed > 0 {
		p.cfg.Log.Info("the OAI-PMH chronicle of an origin was compared with the store", "origin", origin, "changed", changed)
	}
	return p.write(origin, orders, &next)
}

// comparePart merges a part of the notes with the records of the same ids, both in order: those above from, up to the id
// that is returned.
func (p *Provider) comparePart(tx *store.Tx, origin protocol.MemberID, held bool, from string) (orders []order, to string, more bool, err error) {
	type noted struct {
		id  string
		old note
	}
	var notes []noted
	prefix := notesOf(origin)
	after := ""
	if from != "" {
		after = prefix + from
	}
	end, limited := "", false // ids above end are another part's
	if err := tx.Rows(store.TableChronicle, prefix, after, func(key string, value []byte) (bool, error) {
		n, err := decodeNote(value)
		id := strings.TrimPrefix(key, prefix)
		notes = append(notes, noted{id, n})
		if len(notes) == p.batch {
			end, limited = id, true
		}
		return !limited, err
	}); err != nil {
		return nil, "", false, err
	}
	take := func(id string, ch *protocol.Change) {
		var old *note
		for len(notes) > 0 && notes[0].id <= id {
			n := notes[0]
			notes = notes[1:]
			if n.id == id {
				old = &n.old
				continue
			}
			if o, changes := judge(match.Ref{Origin: origin, ID: protocol.ListingID(n.id)}, &n.old, nil); changes {
				orders = append(orders, o)
			}
		}
		if ch != nil || old != nil {
			if o, changes := judge(match.Ref{Origin: origin, ID: protocol.ListingID(id)}, old, ch); changes {
				orders = append(orders, o)
			}
		}
	}
	seen := 0
	if held {
		if err := tx.Records(origin, protocol.ListingID(from).Key(), func(ch *protocol.Change) (bool, error) {
			listing, ok := protocol.ListingIDOf(ch.RecordKey)
			id := string(listing)
			if !ok || limited && id > end {
				return ok && !limited, nil
			}
			if id <= from {
				return true, nil
			}
			take(id, ch)
			if seen++; seen == p.batch {
				end, limited = id, true
			}
			return !limited || id < end, nil
		}); err != nil {
			return nil, "", false, err
		}
	}
	if limited {
		for len(notes) > 0 && notes[0].id <= end {
			take(notes[0].id, nil)
		}
		return orders, end, true, nil
	}
	for len(notes) > 0 {
		take(notes[0].id, nil)
	}
	return orders, "", false, nil
}

// voided orders that listings are deleted which an epoch left behind and of which nothing is known here: this node may have
// listed them before it was restored from an older state.
func voided(tx *store.Tx, origin protocol.MemberID) (orders []order, err error) {
	headers, err := tx.Origin(origin).Voided()
	if err != nil {
		return nil, err
	}
	seen := make(map[protocol.ListingID]bool)
	for _, h := range headers {
		id, ok := protocol.ListingIDOf(h.RecordKey)
		if !ok || seen[id] {
			continue
		}
		seen[id] = true
		ref := match.Ref{Origin: origin, ID: id}
		old, err := loadNote(tx, ref)
		if err != nil || old != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		if c, err := tx.Record(origin, h.RecordKey); err != nil || c != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		orders = append(orders, order{ref: ref, now: note{deleted: true, kind: unknownKind}})
	}
	return orders, nil
}

// write carries out orders under one time, and moves the cursor with them. All that is beyond a transaction's room goes
// before, without the cursor.
func (p *Provider) write(origin protocol.MemberID, orders []order, to *cursor) error {
	for len(orders) > 2*p.batch {
		if err := p.write(origin, orders[:p.batch], nil); err != nil {
			return err
		}
		orders = orders[p.batch:]
	}
	if len(orders) == 0 && to == nil {
		return nil
	}
	defer p.clock.done()
	var at int64
	err := p.cfg.Store.Update(func(tx *store.Tx) error {
		at = p.clock.begin()
		if err := p.begins(tx, at); err != nil {
			return err
		}
		for _, o := range orders {
			if o.old != nil {
				if err := tx.DeleteRow(store.TableChronicle, entry{o.ref, o.old.kind, o.old.at, o.old.deleted}.key()); err != nil {
					return err
				}
			}
			o.now.at = at
			if err := errors.Join(
				tx.SetRow(store.TableChronicle, noteKey(o.ref), o.now.encode()),
				tx.SetRow(store.TableChronicle, entry{o.ref, o.now.kind, at, o.now.deleted}.key(), []byte{flag(o.now.deleted)}),
			); err != nil {
				return err
			}
		}
		if to == nil {
			return nil
		}
		return tx.SetRow(store.TableChronicle, cursorKey(origin), to.encode())
	})
	if err == nil {
		p.wrote(origin, at)
	}
	return err
}
