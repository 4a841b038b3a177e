package exchange

import (
	"cmp"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// Entry is one record of the catalogue. Error: CodeNotFound.
func (d *Desk) Entry(ref match.Ref) (Entry, error) {
	c, err := d.Record(ref)
	if err != nil {
		return Entry{}, err
	}
	if c == nil {
		return Entry{}, protocol.Errorf(protocol.CodeNotFound, "id", "no listing %s of %s is known here", ref.ID, ref.Origin)
	}
	return d.entry(c, d.freshnessFor(ref.Origin)), nil
}

// freshnessFor one member.
func (d *Desk) freshnessFor(id protocol.MemberID) map[protocol.MemberID]Freshness {
	s, _ := d.MemberState(id)
	return freshnessOf([]MemberState{s})
}

// Open reads what a change makes of its listing: the listing, its tombstone, or why it is unusable.
func Open(c *protocol.Change) (*protocol.Listing, *protocol.Tombstone, error) {
	id, ok := protocol.ListingIDOf(c.RecordKey)
	if !ok {
		return nil, nil, protocol.Errorf(protocol.CodeValue, "record_key", "%s is no listing", c.RecordKey)
	}
	if c.Kind == protocol.Withdraw {
		t, err := protocol.DecodeTombstone(c.Body)
		if err != nil {
			t = protocol.Tombstone{Reason: "other"} // withdrawn all the same
		}
		return nil, &t, nil
	}
	l, err := protocol.DecodeListing(c.Body)
	if err != nil {
		return nil, nil, err
	}
	if l.ID != id {
		return nil, nil, protocol.Errorf(protocol.CodeValue, "id", "the listing calls itself %s, its record %s", l.ID, id)
	}
	return l, nil, nil
}

func (d *Desk) entry(c *protocol.Change, fresh map[protocol.MemberID]Freshness) Entry {
	id, _ := protocol.ListingIDOf(c.RecordKey)
	e := Entry{Ref: match.Ref{Origin: c.Origin, ID: id}, Position: c.Pos, Header: c.Raw, Fresh: fresh[c.Origin], State: Current}
	l, t, err := Open(c)
	switch {
	case err != nil:
		e.State, e.Reason = Unusable, protocol.All(err)[0].Message
	case t != nil:
		e.State, e.Tombstone = Withdrawn, t
	default:
		e.Listing = l
		if l.Expired(d.today()) {
			e.State = Expired
		}
	}
	return e
}

func (d *Desk) freshness() map[protocol.MemberID]Freshness { return freshnessOf(d.Members()) }

func freshnessOf(all []MemberState) map[protocol.MemberID]Freshness {
	m := make(map[protocol.MemberID]Freshness)
	for _, s := range all {
		m[s.ID] = Freshness{State: s.State, Position: s.Position, LastHeard: s.LastHeard, LeaseUntil: s.LeaseUntil, Connected: s.Connected || s.Self}
	}
	return m
}

// maxPage bounds a page of entries, and maxScan what one call reads to fill it.
const (
	maxPage = 100
	maxScan = 20_000
)

// Entries lists current listings that pass the filter, in the order of (origin, id), after a place. A filter that hardly
// anything passes can give a short page with a Next: there may be more.
func (d *Desk) Entries(f match.Filter, after match.Ref, limit int) (Page, error) {
	if limit < 1 || limit > maxPage {
		return Page{}, protocol.Errorf(protocol.CodeValue, "limit", "%d is not between 1 and %d", limit, maxPage)
	}
	if f.Today == 0 {
		f.Today = d.today()
	}
	fresh := d.freshness()
	page := Page{Entries: []Entry{}}
	scanned := 0
	err := d.Scan(after, func(c *protocol.Change) bool {
		e := d.entry(c, fresh)
		if e.Ref == after {
			return true
		}
		if len(page.Entries) == limit || scanned == maxScan {
			return false
		}
		scanned++
		page.Next = e.Ref
		if e.Listing != nil && f.Passes(e.Ref, e.Listing) {
			page.Entries = append(page.Entries, e)
		}
		return true
	})
	if len(page.Entries) < limit && scanned < maxScan {
		page.Next = match.Ref{}
	}
	return page, err
}

// SortMembers puts members before the secretariat, each by id.
func SortMembers(all []MemberState) {
	slices.SortFunc(all, func(a, b MemberState) int {
		return cmp.Or(strings.Compare(a.Role, b.Role), strings.Compare(string(a.ID), string(b.ID)))
	})
}
