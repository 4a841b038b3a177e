package node

import (
	"fmt"
	"slices"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// catalogue is the check of one origin's catalogue.
type catalogue struct {
	*check
	origin  protocol.MemberID
	set     *store.Origin
	held    map[protocol.Position]held // by whole records, and by headers of superseded ones
	damaged map[protocol.RecordKey]bool
	records int // whole ones
	hash    protocol.SetHash

	epoch    uint64 // in force: what was signed in earlier ones may be void by now
	disputed bool   // statements of the other history are to be expected
}

// held is what is remembered of a header; a million of them must fit into memory.
type held struct {
	key       protocol.RecordKey
	kind      protocol.ChangeKind
	current   bool // it is a record's
	sound     bool // it verifies
	raw, prev protocol.Hash
}

func (c *check) origin(tx *store.Tx, origin protocol.MemberID) {
	o := &catalogue{
		check: c, origin: origin, set: tx.Origin(origin),
		held: make(map[protocol.Position]held), damaged: make(map[protocol.RecordKey]bool),
	}
	if origin == c.member {
		c.fulls = make(map[protocol.RecordKey]*protocol.Listing)
	}
	o.each(store.ShelfRecords, o.record)
	o.index()
	o.withdrawals()
	frontier, err := loadCopy(o.set, origin)
	if err == nil {
		o.epoch = frontier.Proven.Epoch
	}
	o.each(store.ShelfHeaders, o.header)
	o.chain()
	if err != nil {
		o.say("", protocol.Position{}, "how far it is held cannot be read: %v", err)
	} else {
		o.frontier(frontier)
	}
	seen := Catalogue{Origin: origin, Records: o.records + len(o.damaged)}
	if frontier != nil {
		seen.Proven = frontier.Proven
	}
	o.head()
	o.each(store.ShelfArchive, o.archived)
	o.evidence()
	c.Catalogues = append(c.Catalogues, seen)
}

func (o *catalogue) say(key protocol.RecordKey, pos protocol.Position, format string, args ...any) {
	o.found(Finding{Origin: o.origin, Record: key, Position: pos, Text: fmt.Sprintf(format, args...)})
}

// each looks at every entry of a shelf; its value is a copy.
func (o *catalogue) each(shelf store.Shelf, f func(store.Entry)) {
	if err := o.set.Inspect(shelf, func(e store.Entry) error {
		if err := o.ctx.Err(); err != nil {
			return err
		}
		e.Value = slices.Clone(e.Value)
		f(e)
		return nil
	}); err != nil {
		o.say("", protocol.Position{}, "not everything could be read: %v", err)
	}
}

func (o *catalogue) record(e store.Entry) {
	if o.Records++; o.Records%1000 == 0 {
		o.progress(o.Records)
	}
	key := protocol.RecordKey(e.Name)
	ch, err := protocol.DecodeChange(e.Value)
	if err != nil {
		o.damaged[key] = true
		o.say(key, protocol.Position{}, "the record is damaged: %v", err)
		return
	}
	o.hash.Add(ch.Element())
	o.records++
	err = o.members.VerifyChange(ch)
	sound := err == nil && ch.Origin == o.origin && ch.RecordKey == key
	o.held[ch.Pos] = held{ch.RecordKey, ch.Kind, true, sound, ch.Raw, ch.Prev}
	switch {
	case ch.Origin != o.origin:
		o.say(key, ch.Pos, "it is a record of %s", ch.Origin)
	case ch.RecordKey != key:
		o.say(key, ch.Pos, "under this name stands the record %s", ch.RecordKey)
	case err != nil:
		o.say(key, ch.Pos, "%v", err)
	}
	if o.origin != o.member || ch.Kind != protocol.Put {
		return
	}
	if _, ok := protocol.ListingIDOf(ch.RecordKey); ok {
		if l, err := protocol.DecodeListing(ch.Body); err == nil && l.HasFull() {
			o.fulls[ch.RecordKey] = l
		}
	}
}

// index compares the feed's index with the records, entry by entry.
func (o *catalogue) index() {
	named := make(map[protocol.Position]bool)
	o.each(store.ShelfIndex, func(e store.Entry) {
		if e.Bad || len(e.Value) < 2 {
			o.say("", e.Pos, "an entry of the feed's index is damaged")
			return
		}
		kind, key := protocol.ChangeKind(e.Value[0]), protocol.RecordKey(e.Value[1:])
		named[e.Pos] = true
		switch h := o.held[e.Pos]; {
		case o.damaged[key] && !h.current: // said already
		case h.key != key:
			o.say(key, e.Pos, "the feed's index names it there, where it is not")
		case h.kind != kind:
			o.say(key, e.Pos, "the feed's index calls it %s, but it is %s", kind, h.kind)
		}
	})
	for pos, h := range o.held { // records alone so far
		if !named[pos] {
			o.say(h.key, pos, "it is missing in the feed's index, so that nobody would draw it")
		}
	}
}

func (o *catalogue) header(e store.Entry) {
	h, err := protocol.DecodeSignedHeader(e.Value)
	switch {
	case e.Bad || err != nil:
		o.say("", e.Pos, "a header kept as evidence is damaged: %v", err)
		return
	case h.Pos != e.Pos:
		o.say("", e.Pos, "the header kept as evidence is that of %s", h.Pos)
		return
	}
	if err := o.members.VerifyHeader(h); err != nil && e.Pos.Epoch >= o.epoch {
		o.say("", e.Pos, "a header kept as evidence: %v", err)
		return
	}
	if have, ok := o.held[e.Pos]; ok && have.raw != h.Raw {
		o.say(h.RecordKey, e.Pos, "a header kept as evidence is not that of the record held at this position")
	} else if !ok {
		o.held[e.Pos] = held{h.RecordKey, h.Kind, false, true, h.Raw, h.Prev}
	}
}

// chain follows the headers where two that follow each other are held.
func (o *catalogue) chain() {
	for pos, h := range o.held {
		before := protocol.Position{Epoch: pos.Epoch, Seq: pos.Seq - 1}
		if h.kind == protocol.OpenEpoch {
			continue // it follows its base
		}
		if b, ok := o.held[before]; ok && b.sound && h.sound && h.prev != b.raw {
			o.say(h.key, pos, "it does not follow the header at %s that is held", before)
		}
	}
}

// frontier compares what is said of the copy with the records, and the own one with the guard.
func (o *catalogue) frontier(c *replica.Copy) {
	o.disputed = c.Disputed
	whole := len(o.damaged) == 0
	if whole && (uint64(o.records) != c.Count || o.hash.Digest() != c.Digest()) {
		o.say("", protocol.Position{}, "the %d records are not the set of %d whose digest is held", o.records, c.Count)
	}
	if c.Proven.Seq > 0 && !c.CatchingUp() && whole {
		switch h, err := o.set.HeaderAt(c.Proven); {
		case err != nil || h == nil:
			o.say("", c.Proven, "the header at the proven head is missing")
		case h.Raw != c.Header || h.Digest != c.Digest() || h.Count != c.Count:
			o.say("", c.Proven, "the copy is not what the origin signed there")
		}
	}
	if o.origin != o.member {
		return
	}
	switch order := o.mark.Pos.Compare(c.Proven); {
	case o.mark == store.Mark{}:
	case order > 0:
		o.say("", c.Proven, "the store ends here, but the guard file knows that this node signed up to %s: the store is of an older state", o.mark.Pos)
	case order == 0 && o.mark.Header != c.Header:
		o.say("", c.Proven, "the guard file knows of another change signed at this position")
	}
}

func (o *catalogue) head() {
	h, err := o.set.Head()
	switch {
	case err != nil:
		o.say("", protocol.Position{}, "the newest head statement is damaged: %v", err)
	case h != nil:
		o.statement(h, "the newest head statement")
	}
}

func (o *catalogue) statement(h *protocol.SignedHead, what string) {
	switch have, ok := o.held[h.Pos]; {
	case h.Origin != o.origin:
		o.say("", h.Pos, "%s is one of %s", what, h.Origin)
	case h.Pos.Epoch < o.epoch:
		return
	case ok && have.raw != h.Header && !o.disputed:
		o.say("", h.Pos, "%s names another header than the one that is held", what)
	default:
		if err := o.members.VerifyHead(h); err != nil {
			o.say("", h.Pos, "%s: %v", what, err)
		}
	}
}

func (o *catalogue) archived(e store.Entry) {
	h, err := protocol.DecodeHead(e.Value)
	if e.Bad || err != nil {
		o.say("", protocol.Position{}, "an archived head statement is damaged: %v", err)
		return
	}
	o.statement(h, "an archived head statement")
}

func (o *catalogue) evidence() {
	pairs, err := o.set.Evidence()
	if err != nil {
		o.say("", protocol.Position{}, "the evidence of a fork is damaged: %v", err)
	}
	for _, pair := range pairs {
		for _, h := range []*protocol.SignedHeader{pair.A, pair.B} {
			if err := o.members.VerifyHeader(h); err != nil && h.Pos.Epoch >= o.epoch {
				o.say("", h.Pos, "evidence of a fork does not verify: %v", err)
			}
		}
	}
}

// withdrawals compares their index with the records.
func (o *catalogue) withdrawals() {
	named := make(map[protocol.Position]bool)
	o.each(store.ShelfWithdrawn, func(e store.Entry) {
		named[e.Pos] = true
		if h := o.held[e.Pos]; (e.Bad || h.kind != protocol.Withdraw || h.key != protocol.RecordKey(e.Value)) && !o.damaged[protocol.RecordKey(e.Value)] {
			o.say(protocol.RecordKey(e.Value), e.Pos, "the index of withdrawals names it, and it is none")
		}
	})
	for pos, h := range o.held { // records alone so far
		if h.kind == protocol.Withdraw && !named[pos] {
			o.say(h.key, pos, "it is missing in the index of withdrawals, so that it would never be forgotten")
		}
	}
}
