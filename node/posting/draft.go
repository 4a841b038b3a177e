package posting

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"reflect"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// newID of a listing: 80 random bits, so that it tells nothing and is nobody else's.
func newID() protocol.ListingID {
	b := make([]byte, 10)
	_, _ = rand.Read(b) // never fails
	return protocol.ListingID(strings.ToLower(base32.StdEncoding.EncodeToString(b)))
}

// Create begins a listing of an organisation. source is its id in the system that it came from, "" for none.
//
// Errors: CodeConflict where the organisation has a listing of that source already, or too many drafts.
func (p *Postings) Create(a access.Actor, org access.OrganisationID, source string, c Content) (*Posting, error) {
	if err := access.Can(a, access.CreateDraft, access.Resource{Organisation: org}); err != nil {
		return nil, err
	}
	source, err := text("source_id", source, MaxSource)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(source, "\n\t") {
		return nil, protocol.Errorf(protocol.CodeText, "source_id", "is more than one line")
	}
	h := &Posting{ID: newID(), Organisation: org, Author: a.User, SourceID: source, Draft: Draft, Created: p.now(), Updated: p.now(), Version: 1}
	prepare(&c, h)
	err = p.cfg.Store.Update(func(tx *store.Tx) error {
		if err := p.mayBegin(tx, org, source); err != nil {
			return err
		}
		var err error
		if h.Serial, err = count(tx, keySerial); err != nil {
			return err
		}
		if err := setDraft(tx, h.ID, &c); err != nil {
			return err
		}
		s := p.step(a, Create)
		h.record(Entry{At: s.At, Action: Create, To: h.states(), Actor: a.User})
		if err := p.audit(tx, h, s, ""); err != nil {
			return err
		}
		if err := put(tx, h, nil); err != nil {
			return err
		}
		return p.documents(tx, h)
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (p *Postings) mayBegin(tx *store.Tx, org access.OrganisationID, source string) error {
	if _, err := p.standing(tx, org); err != nil {
		return err // no such organisation
	}
	if source != "" {
		if id, err := bySource(tx, org, source); err != nil || id != "" {
			if err != nil {
				return err
			}
			return protocol.Errorf(protocol.CodeConflict, "source_id", "listing %s came from there already: edit that one", id)
		}
	}
	n, err := unpublished(tx, org)
	if err == nil && n >= MaxDrafts {
		err = tooMany()
	}
	return err
}

func tooMany() error {
	return protocol.Errorf(protocol.CodeConflict, "", "your organisation has %d listings that were never published, which is as many as may be: discard some first, or wait for their reviews", MaxDrafts)
}

// unpublished counts an organisation's listings that were never published, up to MaxDrafts.
func unpublished(tx *store.Tx, org access.OrganisationID) (n int, _ error) {
	for _, s := range []State{Draft, Submitted, InReview, Rejected} {
		if err := tx.Rows(store.TablePostingIndex, "o/"+string(org)+"/s/"+string(s)+"/", "", func(string, []byte) (bool, error) {
			n++
			return n < MaxDrafts, nil
		}); err != nil {
			return 0, err
		}
	}
	return min(n, MaxDrafts), nil
}

// prepare a content for a posting: what is not its author's to say is set.
func prepare(c *Content, h *Posting) {
	c.Listing.ID = h.ID
	c.Listing.BindFull(nil)
	c.Listing.Updated, c.Listing.Published = 0, h.PublishedOn
	if h.Live == None {
		h.Kind, h.Country, h.Title = c.Listing.Kind, c.Listing.Country, title(&c.Listing)
	}
}

// Edit replaces the draft, or begins one beside what is published.
func (p *Postings) Edit(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, c Content) (*Posting, error) {
	return p.change(ctx, a, id, version, Edit, func(tx *store.Tx, h *Posting, _ *Pending) error {
		prepare(&c, h)
		h.ImportedDraft = false
		return setDraft(tx, id, &c)
	})
}

// Discard the draft; the posting with it where it was never published.
func (p *Postings) Discard(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64) (*Posting, error) {
	return p.change(ctx, a, id, version, Discard, func(tx *store.Tx, _ *Posting, _ *Pending) error {
		return tx.DeleteRow(store.TablePosting, rowOf("d", id))
	})
}

// Recall a submission that no reviewer has taken yet.
func (p *Postings) Recall(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64) (*Posting, error) {
	return p.change(ctx, a, id, version, Recall, nil)
}

// Submit the draft for review, or for publication at once where the organisation publishes by itself. The suspects are
// listings like it: they are for people to look at, and hinder nothing.
//
// Errors: every fault of the draft at once.
func (p *Postings) Submit(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64) (*Posting, []Suspect, error) {
	var c *Content
	h, err := p.change(ctx, a, id, version, Submit, func(tx *store.Tx, h *Posting, s *Pending) (err error) {
		st, err := p.standing(tx, h.Organisation)
		if err != nil {
			return err
		}
		if st.Disabled {
			return protocol.Errorf(protocol.CodeNotPermitted, "", "the organisation is disabled on this node: ask the agency")
		}
		if c, err = draft(tx, id); err != nil {
			return err
		}
		if c == nil {
			return damaged("draft", id, nil)
		}
		if err := c.validate(h, p.today()); err != nil {
			return err
		}
		h.Submitter = a.User
		if st.SelfPublish {
			s.Action = Publish
			s.Sampled = p.sampled(h)
			return p.print(tx, h, s, c)
		}
		h.Submitted = s.At
		_, err = p.printable(tx, h, *c) // what cannot be published must not wait for a review first
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return h, p.suspects(ctx, c), nil
}

// Similar looks for listings like the draft, or like what is live where there is none.
func (p *Postings) Similar(ctx context.Context, a access.Actor, id protocol.ListingID) ([]Suspect, error) {
	_, c, err := p.Content(a, id)
	if err != nil {
		return nil, err
	}
	return p.suspects(ctx, c), nil
}

// similarTime bounds the search, because somebody waits for it.
const similarTime = 2 * time.Second

func (p *Postings) suspects(ctx context.Context, c *Content) []Suspect {
	all, _ := p.compare(ctx, c)
	return all
}

func (p *Postings) compare(ctx context.Context, c *Content) ([]Suspect, error) {
	if p.cfg.Similar == nil || c == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, similarTime)
	defer cancel()
	var rights []string
	for _, r := range c.Record.Rights {
		if r.Number != "" {
			rights = append(rights, r.Office+r.Number)
		}
	}
	all, err := p.cfg.Similar(ctx, &c.Listing, rights)
	if err != nil {
		p.cfg.Log.Warn("no search for listings like it", "listing", c.Listing.ID, "error", err)
		return nil, err
	}
	return all, nil
}

// print writes down what is to be live, and gives the posting its reference.
func (p *Postings) print(tx *store.Tx, h *Posting, s *Pending, c *Content) error {
	x, err := p.printable(tx, h, *c)
	if err != nil {
		return err
	}
	if h.Reference == "" {
		if err := giveReference(tx, h, &c.Listing, p.today()); err != nil {
			return err
		}
	}
	s.Content, s.Level = true, x.Level
	return x.write(tx, "n", h.ID)
}

func (p *Postings) printable(tx *store.Tx, h *Posting, c Content) (*printed, error) {
	live, err := readPrinted(tx, "l", h.ID)
	if err != nil {
		return nil, err
	}
	_, before, err := live.content(h.ID)
	if err != nil {
		return nil, err
	}
	return p.toPrint(h, c, before, func(id access.OrganisationID) (protocol.Contact, error) { return p.cfg.Contact(tx, id) })
}

// toPrint fills in what the author left to the node. before are the parts of what is live.
func (p *Postings) toPrint(h *Posting, c Content, before []*protocol.Part, contact func(access.OrganisationID) (protocol.Contact, error)) (_ *printed, err error) {
	if p.cfg.Contact != nil && c.Record.Contact == (protocol.Contact{}) {
		if reflect.ValueOf(c.Record).IsZero() {
			c.Record.Level = protocol.LevelPublic // nothing in it but where to ask
		}
		owner := h.Organisation
		if c.Listing.Organisation.Name == "" {
			owner = "" // it stays unnamed, and its desk would name it
		}
		if c.Record.Contact, err = contact(owner); err != nil {
			return nil, err
		}
	}
	l := &c.Listing
	if l.Published = h.PublishedOn; l.Published == 0 {
		l.Published = p.today()
	}
	if l.ValidUntil == 0 {
		if l.ValidUntil = h.ValidUntil; h.Live == None || h.expired(p.today()) {
			l.ValidUntil = later(p.today(), 12)
		}
	}
	return c.print(h.ID, before)
}

func referenceKey(l *protocol.Listing, today protocol.Date) string {
	return "n/" + string(l.Kind) + "-" + string(l.Country) + "-" + today.String()
}

func giveReference(tx *store.Tx, h *Posting, l *protocol.Listing, today protocol.Date) error {
	n, err := count(tx, referenceKey(l, today))
	if err == nil {
		setReference(h, l, today, n)
	}
	return err
}

// setReference, unless there are more on one day than references go: such a listing has its id alone.
func setReference(h *Posting, l *protocol.Listing, today protocol.Date, n uint64) {
	if n <= protocol.MaxSerial {
		r := protocol.Reference{Kind: l.Kind, Country: l.Country, Date: today, Serial: uint16(n)}
		h.Reference = r.String()
	}
}

// later is some months after a day.
func later(d protocol.Date, months int) protocol.Date {
	return protocol.DateOf(d.Time().AddDate(0, months, 0))
}
