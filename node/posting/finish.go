package posting

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// How a posting takes its new state, with all that belongs to it: the last step of every action.

// finish takes the posting along its rule, with all that belongs to the action. was is its index before.
func (p *Postings) finish(tx *store.Tx, h *Posting, s *Pending, was map[string]string) error {
	k := &hand{drafted: true, documents: true}
	if s.Content {
		k.kept = true
		var err error
		if k.x, err = readPrinted(tx, "n", h.ID); err != nil {
			return err
		}
	}
	if err := p.advance(tx, h, s, k); err != nil {
		return err
	}
	return p.settle(tx, h, s, k, was)
}

// hand is what is known of a posting when an action is finished, so that an import of many reads and deletes nothing for
// nothing.
type hand struct {
	x         *printed // what is to be live, where there is something
	kept      bool     // n/ID holds that
	drafted   bool     // d/ID may be there
	draft     []byte   // goes there
	documents bool     // there are some, before or after
	live      State    // before the action
}

// advance takes the posting itself along its rule, and tells the audit log and its author.
func (p *Postings) advance(tx *store.Tx, h *Posting, s *Pending, k *hand) error {
	from := h.states()
	k.live = h.Live
	if s.Import != nil {
		h.beforeImport(s)
	}
	r, err := find(s.Action, h)
	if err != nil {
		return err
	}
	began := h.states()
	r.move(h)
	h.Pending = nil
	h.Version++
	h.Updated = s.At
	if s.Content {
		if err := adoptContent(tx, h, s, k.x); err != nil {
			return err
		}
	}
	if h.Draft == None {
		h.ImportedDraft = false
	}
	if s.Sampled && h.Audit == None {
		h.Audit, h.Submitted = Due, s.At
	}
	if h.Draft != InReview && h.Audit != InReview {
		h.Reviewer, h.Taken = "", 0
	}
	if s.Review != nil {
		if err := p.keepReview(tx, h, s); err != nil {
			return err
		}
	}
	if k.live == OnHold && h.Live == Published {
		h.Reminded = protocol.DateOf(s.At.Time())
	}
	if h.Ended() {
		h.ReplacedBy = s.ReplacedBy
	}
	e := Entry{At: s.At, Action: s.Action, From: began, To: h.states(), Actor: s.Actor, Note: s.Note}
	if s.Token == "" && h.goesOn(e) {
		return p.tell(tx, h, s)
	}
	h.record(e)
	if err := p.audit(tx, h, s, from); err != nil {
		return err
	}
	return p.tell(tx, h, s)
}

// settle writes what advance led to.
func (p *Postings) settle(tx *store.Tx, h *Posting, s *Pending, k *hand, was map[string]string) error {
	var errs []error
	drop := func(kind string) { errs = append(errs, tx.DeleteRow(store.TablePosting, rowOf(kind, h.ID))) }
	if s.Content {
		errs = append(errs, k.x.write(tx, "l", h.ID))
		if k.kept {
			drop("n")
		}
	}
	if k.drafted && (h.Ended() || s.Content && s.Action != Renew) {
		drop("d")
	}
	if k.draft != nil {
		errs = append(errs, tx.SetRow(store.TablePosting, rowOf("d", h.ID), k.draft))
	}
	if h.Ended() {
		drop("l")
	}
	if s.Content || h.Live != k.live {
		errs = append(errs, keepFull(tx, h, k.x))
	}
	if s.Action == Discard && h.Live == None {
		errs = append(errs, remove(tx, h, was))
	} else {
		errs = append(errs, put(tx, h, was))
	}
	if err := errors.Join(errs...); err != nil || !k.documents {
		return err
	}
	return p.documents(tx, h)
}

// adoptContent takes over what is to be live.
func adoptContent(tx *store.Tx, h *Posting, s *Pending, x *printed) error {
	l, err := x.decode(h.ID)
	if err != nil {
		return err
	}
	if s.Action == Renew {
		h.Renewals++
		if err := renewDraft(tx, h, l.ValidUntil); err != nil {
			return err
		}
	} else {
		h.Edited = h.Origin != "" && !h.ImportedDraft
	}
	h.Publications++
	h.Kind, h.Country, h.Title = l.Kind, l.Country, title(l)
	h.Level, h.PublishedOn, h.ValidUntil = x.Level, l.Published, l.ValidUntil
	h.Reminded = protocol.DateOf(s.At.Time())
	return nil
}

// keepFull puts the full record where readers are served from, while the listing is published. x is what is live, nil to
// read it.
func keepFull(tx *store.Tx, h *Posting, x *printed) (err error) {
	if h.Live != Published {
		return tx.SetFull(h.ID.Key(), nil)
	}
	if x == nil {
		if x, err = readPrinted(tx, "l", h.ID); err != nil {
			return err
		}
	}
	if x == nil {
		return damaged("publication", h.ID, nil)
	}
	return tx.SetFull(h.ID.Key(), x.Record)
}

func (p *Postings) audit(tx *store.Tx, h *Posting, s *Pending, from string) error {
	if p.cfg.Audit == nil {
		return nil
	}
	d := map[string]string{"from": from, "to": h.states()}
	maps.DeleteFunc(d, func(_, v string) bool { return v == "" })
	if h.Reference != "" {
		d["reference"] = h.Reference
	}
	if s.Review != nil {
		d["score"] = strconv.Itoa(s.Review.Total())
	}
	if s.Reason != "" {
		d["reason"] = s.Reason
	}
	if s.Import != nil {
		d["by"] = "import"
	}
	return p.cfg.Audit(tx, Event{Actor: s.Actor, Token: s.Token, Operator: s.Operator, Action: "posting." + string(s.Action), ID: h.ID, Reviewer: s.Reviewer, Detail: d})
}

// tell the author what was decided.
func (p *Postings) tell(tx *store.Tx, h *Posting, s *Pending) error {
	n := Notice{Occasion: map[Action]Occasion{Pass: OnPublished, Return: OnReturned, Reject: OnRejected, Fault: OnFault, Revoke: OnRevoked}[s.Action]}
	if n.Occasion == "" {
		return nil
	}
	if s.Review != nil {
		n.Score, n.Comment = s.Review.Total(), s.Review.Comment
	} else {
		n.Comment = s.Note
	}
	return p.notify(tx, h, n)
}

// documents tells which ones the posting names.
func (p *Postings) documents(tx *store.Tx, h *Posting) error {
	if p.cfg.Documents == nil {
		return nil
	}
	var all []protocol.Document
	add := func(c *Content) {
		if c == nil {
			return
		}
		for _, d := range c.Record.Documents {
			if !slices.ContainsFunc(all, func(x protocol.Document) bool { return x.Hash == d.Hash && x.Preview == d.Preview }) {
				all = append(all, d)
			}
		}
	}
	d, err := draft(tx, h.ID)
	if err != nil {
		return err
	}
	x, err := readPrinted(tx, "l", h.ID)
	if err != nil {
		return err
	}
	live, _, err := x.content(h.ID)
	if err != nil {
		return err
	}
	add(d)
	add(live)
	return p.cfg.Documents(tx, h, all)
}
