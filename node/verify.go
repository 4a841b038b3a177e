package node

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Finding is something wrong in a store, and what to do about it. That depends on whose catalogue it is in: another
// member's is drawn again from anybody, the own one comes from the newest backup and from what the others hold.
type Finding struct {
	Origin   protocol.MemberID  // "" where it is no member's
	Record   protocol.RecordKey // "" where it is no single record
	Position protocol.Position  // zero where it has none
	Text     string
	Do       string
}

// String says where the finding is and what it is.
func (f Finding) String() string {
	var where string
	if f.Origin != "" {
		where = string(f.Origin)
	}
	if f.Record != "" {
		where += " " + string(f.Record)
	}
	if f.Position.Seq != 0 {
		where += " at " + f.Position.String()
	}
	if where == "" {
		return f.Text
	}
	return where + ": " + f.Text
}

// Catalogue is what a store holds of one origin.
type Catalogue struct {
	Origin  protocol.MemberID
	Proven  protocol.Position
	Records int
}

// Verification is what Verify saw.
type Verification struct {
	Catalogues []Catalogue
	Records    int
	Findings   []Finding
	Took       time.Duration
}

// Own is what is held of a member's catalogue.
func (v *Verification) Own(m protocol.MemberID) Catalogue {
	for _, c := range v.Catalogues {
		if c.Origin == m {
			return c
		}
	}
	return Catalogue{Origin: m}
}

// VerifyConfig says what is verified, and for whom.
type VerifyConfig struct {
	Store    store.Config
	Member   protocol.MemberID // whose node it is
	Guard    string            // its guard file. "": not compared
	Progress func(records int) // nil: nobody asks
}

// Verify checks a store that no node has open, and changes nothing: every charter, card, signature and head statement, the
// feed's index against the records, headers kept as evidence, full records against their listings, the chain of the audit
// log, documents against their hashes, and the hash and count of every set against its frontier. It goes on after what is damaged.
func Verify(ctx context.Context, cfg VerifyConfig) (v Verification, err error) {
	var mark store.Mark
	if cfg.Guard != "" {
		if mark, _, err = store.ReadGuard(cfg.Guard); err != nil {
			return v, err
		}
	}
	s, err := store.OpenReadOnly(cfg.Store)
	if err != nil {
		return v, err
	}
	defer func() {
		if cerr := s.Close(); err == nil {
			err = cerr
		}
	}()
	return verifyStore(ctx, s, cfg, mark)
}

func verifyStore(ctx context.Context, s *store.Store, cfg VerifyConfig, mark store.Mark) (Verification, error) {
	start := time.Now()
	c := &check{ctx: ctx, member: cfg.Member, mark: mark, progress: cfg.Progress}
	if c.progress == nil {
		c.progress = func(int) {}
	}
	err := s.View(func(tx *store.Tx) error {
		if c.roster(tx) == nil {
			return protocol.Errorf(protocol.CodeNotFound, "", "the store holds no charter: nothing can be verified")
		}
		for _, m := range c.members.Charter().Members {
			c.guarded(m.ID, func() { c.origin(tx, m.ID) })
		}
		c.guarded(cfg.Member, func() { c.full(tx) })
		c.guarded(cfg.Member, func() { c.log(tx) })
		return nil
	})
	if err == nil {
		c.guarded(cfg.Member, func() { c.documents(s) })
	}
	if err == nil && len(c.Findings) == 0 {
		if err := s.CheckFiles(); err != nil {
			c.found(Finding{Text: "a file of the database differs from its checksum, in no entry that is in use: " + err.Error()})
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	c.Took = time.Since(start)
	return c.Verification, err
}

// check is one run of a verification.
type check struct {
	Verification
	ctx      context.Context
	member   protocol.MemberID
	mark     store.Mark
	members  *protocol.Roster
	fulls    map[protocol.RecordKey]*protocol.Listing // own ones that name a full record
	progress func(int)
}

// What to do, by whose it is.
const (
	doOwn      = "This is in the node's own catalogue. Restore the newest backup (tmh restore); the other members hold what was signed since, and the node asks them for it before it publishes again."
	doOther    = "This is in another member's catalogue: nothing is lost. Restore the newest backup (tmh restore); whatever is newer is drawn again from any member that holds it."
	doPapers   = "Bring the papers again: tmh charter import, tmh card import. If it stays, restore the newest backup (tmh restore)."
	doFull     = "Full records are kept at their origin only. Take this one from the newest backup, or publish the listing again with its full record."
	doAudit    = "Somebody may have changed the audit log, or the disk damaged it: keep a copy of this folder, and compare with the log of the newest backup (tmh audit on a node restored from it)."
	doDocument = "Documents are kept at their origin only. Take this one from the newest backup, or let its organisation send it again."
	doFiles    = "Everything in use was read and is right, but the disk may be failing: take a backup now (tmh backup), and look at the disk."
)

// found keeps a finding, with what to do where that does not stand there yet.
func (c *check) found(f Finding) {
	switch {
	case f.Do != "":
	case f.Origin == "":
		f.Do = doFiles
	case f.Origin == c.member:
		f.Do = doOwn
	default:
		f.Do = doOther
	}
	c.Findings = append(c.Findings, f)
}

// guarded turns the panics with which Badger answers damaged tables into findings.
func (c *check) guarded(origin protocol.MemberID, f func()) {
	defer func() {
		if p := recover(); p != nil {
			c.found(Finding{Origin: origin, Text: fmt.Sprintf("a file of the database is damaged, so not everything could be read: %v", p)})
		}
	}()
	f()
}

// roster takes charters and cards as far as they are whole. It is nil without a first charter.
func (c *check) roster(tx *store.Tx) *protocol.Roster {
	broken := func(format string, args ...any) {
		c.found(Finding{Text: fmt.Sprintf(format, args...), Do: doPapers})
	}
	_ = tx.Inspect(store.ShelfCharters, func(e store.Entry) error {
		ch, err := protocol.DecodeCharter(slices.Clone(e.Value))
		switch {
		case err != nil || e.Bad || ch.Version != e.Hour:
			broken("charter %d is damaged: %v", e.Hour, err)
		case c.members == nil:
			if err := ch.Follows(nil); err != nil {
				broken("charter %d: %v", ch.Version, err)
				return nil
			}
			c.members = protocol.NewRoster(ch)
		default:
			next, err := c.members.WithCharter(ch)
			if err != nil {
				broken("charter %d: %v", ch.Version, err)
				return nil
			}
			c.members = next
		}
		return nil
	})
	if c.members == nil {
		return nil
	}
	var cards []*protocol.SignedCard
	_ = tx.Inspect(store.ShelfCards, func(e store.Entry) error {
		card, err := protocol.DecodeCard(slices.Clone(e.Value))
		if err != nil || string(card.Member) != e.Name {
			broken("the card of %.16q is damaged: %v", e.Name, err)
			return nil
		}
		cards = append(cards, card)
		return nil
	})
	slices.SortFunc(cards, func(a, b *protocol.SignedCard) int { return cmp.Compare(a.Member, b.Member) })
	for _, card := range cards {
		if _, ok := c.members.Member(card.Member); !ok {
			continue // left; the store keeps what was
		}
		next, err := c.members.WithCard(card)
		if err != nil {
			broken("the card of %s: %v", card.Member, err)
			continue
		}
		c.members = next
	}
	return c.members
}

// log verifies the chain of the audit log.
func (c *check) log(tx *store.Tx) {
	_, err := audit.Verify(tx, c.member, func(f audit.Fault) { c.found(Finding{Text: f.String(), Do: doAudit}) })
	if err != nil {
		c.found(Finding{Text: "the audit log cannot be read to its end: " + err.Error(), Do: doAudit})
	}
}

// documents compares those that are kept with their hashes, and with what the listings name.
func (c *check) documents(s *store.Store) {
	err := house.VerifyDocuments(c.ctx, s, func(h protocol.Hash, err error) {
		text := "a document is damaged"
		if protocol.CodeOf(err) == protocol.CodeNotFound {
			text = "a document that a listing names is missing"
		}
		c.found(Finding{Text: text + ": " + h.String(), Do: doDocument})
	})
	if err != nil && c.ctx.Err() == nil {
		c.found(Finding{Text: "the documents cannot be read to their end: " + err.Error(), Do: doDocument})
	}
}

// full compares the full records with what the own listings say.
func (c *check) full(tx *store.Tx) {
	_ = tx.Inspect(store.ShelfFull, func(e store.Entry) error {
		key := protocol.RecordKey(e.Name)
		l := c.fulls[key]
		delete(c.fulls, key)
		if text := fullFault(l, e.Value); text != "" {
			c.found(Finding{Origin: c.member, Record: key, Text: text, Do: doFull})
		}
		return nil
	})
	for key := range c.fulls {
		c.found(Finding{Origin: c.member, Record: key, Text: "its full record is missing", Do: doFull})
	}
}

// fullFault says what is wrong with a full record beside its listing, nil where no current one names any; "" for nothing.
func fullFault(l *protocol.Listing, b []byte) string {
	r, parts, err := protocol.DecodeRecord(b)
	if l == nil {
		if err == nil && (r.Visibility() == protocol.LevelInvited || len(parts) == 0) {
			return "" // shown by invitation, or to nobody: the catalogue knows nothing of it
		}
		return "there is a full record that no current listing names"
	}
	const other = "its full record is not the one that the listing names: it is damaged"
	if err != nil {
		return other
	}
	held := make(map[protocol.Level]bool)
	for _, p := range parts {
		if p.Verify(l) != nil {
			return other
		}
		held[p.Level] = true
	}
	for _, level := range protocol.Levels() {
		if l.FullHash(level) != (protocol.Hash{}) && !held[level] {
			return "the part of its full record for the level " + string(level) + " is missing"
		}
	}
	return ""
}
