package posting

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Reading postings: one, its content, or a page of them.

// Get a posting.
func (p *Postings) Get(a access.Actor, id protocol.ListingID) (h *Posting, _ error) {
	err := p.cfg.Store.View(func(tx *store.Tx) (err error) {
		if h, err = get(tx, id); err != nil {
			return err
		}
		return h.can(a, access.ReadPosting)
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// Find a posting by its reference.
func (p *Postings) Find(a access.Actor, reference string) (*Posting, error) {
	if _, err := protocol.ParseReference(reference); err != nil {
		return nil, err
	}
	var id []byte
	err := p.cfg.Store.View(func(tx *store.Tx) (err error) {
		id, err = tx.Row(store.TablePostingIndex, "f/"+reference)
		return err
	})
	if err == nil && id == nil {
		err = protocol.Errorf(protocol.CodeNotFound, "reference", "no listing of this node has the reference %s: look whether it is another country's", reference)
	}
	if err != nil {
		return nil, err
	}
	return p.Get(a, protocol.ListingID(id))
}

// Content of a posting as it stands to be edited: its draft, or what is live where there is none. It is nil where the
// listing has ended.
func (p *Postings) Content(a access.Actor, id protocol.ListingID) (*Posting, *Content, error) {
	return p.content(a, id, true)
}

// LiveContent is what is published now, nil where nothing is.
func (p *Postings) LiveContent(a access.Actor, id protocol.ListingID) (*Posting, *Content, error) {
	return p.content(a, id, false)
}

func (p *Postings) content(a access.Actor, id protocol.ListingID, orDraft bool) (h *Posting, c *Content, _ error) {
	err := p.cfg.Store.View(func(tx *store.Tx) (err error) {
		if h, err = get(tx, id); err != nil {
			return err
		}
		if err := h.can(a, access.ReadPosting); err != nil {
			return err
		}
		if orDraft {
			if c, err = draft(tx, id); err != nil || c != nil {
				return err
			}
		}
		kind := "l"
		if orDraft && h.arriving() {
			kind = "n" // there is no draft of it
		}
		x, err := readPrinted(tx, kind, id)
		if err != nil {
			return err
		}
		c, _, err = x.content(id)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return h, c, nil
}

// Filter of a list. The zero value is all of the node.
type Filter struct {
	Organisation access.OrganisationID
	State        State // as Posting.State says
	Revision     State // of the draft beside what is live
}

// Page of postings.
type Page struct {
	Postings []*Posting `json:"postings"`
	Next     string     `json:"next,omitempty"` // what the next page comes after
}

// looked bounds the index rows that one page looks at; where few of them fit, a page is short, and Next leads on.
const looked = 20_000

// List postings, the newest first. after is the Next of the page before, "" for the first.
func (p *Postings) List(a access.Actor, f Filter, after string, limit int) (Page, error) {
	if err := access.Can(a, access.ReadPosting, access.Resource{Organisation: f.Organisation}); err != nil {
		return Page{}, err
	}
	limit = max(1, min(limit, MaxPage))
	prefix := "g"
	if f.Organisation != "" {
		prefix = "o/" + string(f.Organisation)
	}
	state := f.State
	switch {
	case f.Revision != None && !slices.Contains([]State{Draft, Submitted, InReview, Rejected}, f.Revision):
		return Page{}, protocol.Errorf(protocol.CodeValue, "revision", "“%s” is no state of a draft: ask for draft, submitted, in-review or rejected", clip(string(f.Revision), 40))
	case f.Revision != None && state != None:
		return Page{}, protocol.Errorf(protocol.CodeValue, "revision", "ask for a state or for a revision's, not for both")
	case f.Revision != None:
		prefix += "/r/" + string(f.Revision) + "/"
	case state == None:
		prefix += "/a/"
	default:
		if !slices.Contains(States(), state) {
			return Page{}, protocol.Errorf(protocol.CodeValue, "state", "“%s” is none of %v", clip(string(state), 40), States())
		}
		if state == Expired {
			state = Published
		}
		prefix += "/s/" + string(state) + "/"
	}
	if err := checkCursor(after); err != nil {
		return Page{}, err
	}
	today := p.today()
	var page Page
	err := p.cfg.Store.View(func(tx *store.Tx) error {
		ids, next, err := scan(tx, prefix, after, limit, func(value string) bool {
			if state != Published {
				return true
			}
			until, _ := strconv.ParseUint(value, 10, 32)
			return (until != 0 && protocol.Date(until) < today) == (f.State == Expired)
		})
		page.Next = next
		if err != nil {
			return err
		}
		return page.fill(tx, ids)
	})
	return page, err
}

// States that a posting can be listed by.
func States() []State {
	return []State{Draft, Submitted, InReview, Rejected, Published, Expired, OnHold, Withdrawn, Superseded, Revoked}
}

func checkCursor(after string) error {
	if len(after) > 100 || strings.ContainsFunc(after, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return protocol.Errorf(protocol.CodeValue, "after", "is not what a page gave as its next: begin with the first page")
	}
	return nil
}

// scan gathers ids below a prefix of the index.
func scan(tx *store.Tx, prefix, after string, limit int, want func(value string) bool) (ids []protocol.ListingID, next string, _ error) {
	if after != "" {
		after = prefix + after
	}
	n, last := 0, ""
	err := tx.Rows(store.TablePostingIndex, prefix, after, func(key string, value []byte) (bool, error) {
		if n == looked || len(ids) == limit {
			next = last
			return false, nil
		}
		n++
		last = strings.TrimPrefix(key, prefix)
		if want(string(value)) {
			_, id, _ := strings.Cut(last, "/")
			ids = append(ids, protocol.ListingID(id))
		}
		return true, nil
	})
	return ids, next, err
}

func (page *Page) fill(tx *store.Tx, ids []protocol.ListingID) error {
	page.Postings = make([]*Posting, 0, len(ids))
	for _, id := range ids {
		h, err := get(tx, id)
		if err != nil {
			return errors.Join(err, damaged("index", id, nil))
		}
		page.Postings = append(page.Postings, h)
	}
	return nil
}

// Queue lists what waits for reviewers, the oldest first: Submitted, InReview, or Due for audits.
func (p *Postings) Queue(a access.Actor, of State, after string, limit int) (Page, error) {
	prefix := "q/" + string(of) + "/"
	switch of {
	case Submitted, InReview:
	case Due:
		prefix = "q/audit/"
	default:
		return Page{}, protocol.Errorf(protocol.CodeValue, "state", "“%s” is no queue: ask for submitted, in-review or due", clip(string(of), 40))
	}
	if err := errors.Join(access.Can(a, access.ReadPosting, access.Resource{}), checkCursor(after)); err != nil {
		return Page{}, err
	}
	var page Page
	err := p.cfg.Store.View(func(tx *store.Tx) error {
		ids, next, err := scan(tx, prefix, after, max(1, min(limit, MaxPage)), func(string) bool { return true })
		page.Next = next
		if err != nil {
			return err
		}
		return page.fill(tx, ids)
	})
	return page, err
}
