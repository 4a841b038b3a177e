package posting

import (
	"encoding/json"
	"slices"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What becomes of each listing of an import. Nothing is written here, so that Plan and Import decide alike. The package's
// description has the outcomes by state.

// imported is what an action on its way has of the import that asked for it.
type imported struct {
	Origin  string             `json:"origin"`
	Hash    protocol.Hash      `json:"hash,omitzero"`
	Outcome ImportOutcome      `json:"outcome"`
	Follows protocol.ListingID `json:"follows,omitempty"` // an earlier import ended that one, and its source's id comes over
}

// importStep is what is to be done with one listing.
type importStep struct {
	result ImportResult
	key    string

	h       *Posting          // nil: nothing is here, and nothing is to be made
	made    bool              // h is new
	row     []byte            // of h as it was read, or as it was last written
	was     map[string]string // index of h before
	old     *Posting          // whose source's id goes over to h
	oldRow  []byte
	s       *Pending // nil: h stays as it is
	note    bool     // of an unchanged one: what is known of its source is written down
	k       hand
	draft   *Content // that h is told by while it was never published
	refusal error    // the desk's
	size    int      // bytes that carrying it out may write to a transaction
}

// Room in a transaction for what a step writes beside texts: the posting twice, its index, the audit log, the note.
const (
	stepLeast = 1 << 10
	stepRoom  = 6 << 10
)

func (st *importStep) refuse(err error) *importStep {
	st.result.Outcome, st.result.Err = ImportRefused, err
	st.s, st.note = nil, false
	if st.made {
		st.h, st.result.ID, st.result.State = nil, "", None
	}
	return st
}

func (st *importStep) conflict(format string, args ...any) *importStep {
	return st.refuse(protocol.Errorf(protocol.CodeConflict, "state", format, args...))
}

// find what is here of a source's id.
func (m *importer) find(tx *store.Tx, i int) (*importStep, bool, error) {
	st := &importStep{result: ImportResult{Source: m.sources[i]}, key: m.keys[i], size: stepLeast}
	if m.faults[i] != nil {
		return st.refuse(m.faults[i]), false, nil
	}
	id, err := bySource(tx, m.batch.Organisation, st.key)
	if err != nil || id == "" {
		return st, true, err
	}
	if st.row, err = tx.Row(store.TablePosting, rowOf("p", id)); err != nil {
		return nil, false, err
	}
	st.h = new(Posting)
	if err := json.Unmarshal(st.row, st.h); err != nil {
		return nil, false, damaged("posting", id, err)
	}
	st.result.ID, st.result.State = id, st.h.State(m.today())
	switch {
	case !m.plan && !m.claimed[id]:
		return st.conflict("the listing is being changed at this moment: import it again"), false, nil
	case st.h.Pending != nil && (!m.plan || st.h.Pending.Import == nil):
		m.waiting = append(m.waiting, id)
		return st.conflict("a change was asked for already and waits to be signed: import it again in a minute"), false, nil
	}
	return st, true, nil
}

// listing decides on one that its source has.
func (m *importer) listing(tx *store.Tx, i int) (*importStep, error) {
	st, more, err := m.find(tx, i)
	if err != nil || !more {
		return st, err
	}
	in, h := &m.all[i], st.h
	switch {
	case in.Hash == protocol.Hash{}:
		return st.refuse(protocol.Errorf(protocol.CodeRequired, "hash", "is absent: it tells whether the source says something new")), nil
	case h == nil:
		return m.create(tx, st, in)
	case h.Pending != nil: // of an import that was cut off, as Plan sees it
		if st.result.Outcome = h.Pending.Import.Outcome; h.Pending.Import.Hash != in.Hash {
			st.conflict("an earlier import waits to be signed: try again in a minute")
		}
		return st, nil
	case h.EndedByImport:
		st.old, st.oldRow = h, st.row
		return m.create(tx, st, in)
	case h.Ended():
		st.result.Outcome = ImportEnded
		return st, nil
	case h.ImportedHash == in.Hash && m.renews(h, in):
		return m.renew(tx, st)
	case h.ImportedHash == in.Hash:
		m.unchanged(st, h.ImportedHash)
		return st, nil
	}
	return m.revise(tx, st, in)
}

// unchanged listings may yet owe the outcome of an import that was cut off, or have come from elsewhere before.
func (m *importer) unchanged(st *importStep, hash protocol.Hash) {
	h := st.h
	st.result.Outcome = ImportUnchanged
	if h.Owed == ImportCreated || h.Owed == ImportChanged {
		st.result.Outcome = h.Owed
	}
	st.note = h.Owed != "" || h.Origin != m.batch.Origin || h.ImportedHash != hash
	if !st.note {
		return
	}
	st.was, st.size = index(h), stepRoom
	if h.ImportedHash != hash {
		h.ImportedHash, h.Imported = hash, m.at
	}
	h.Owed, h.Origin = "", m.batch.Origin
}

func (m *importer) step(action Action, outcome ImportOutcome, hash protocol.Hash) *Pending {
	return &Pending{
		Action: action, At: m.at, Actor: m.actor.User, Token: m.actor.Token, Operator: m.actor.Operator,
		Note:   clip("imported from "+m.batch.Origin, MaxNote),
		Import: &imported{Origin: m.batch.Origin, Hash: hash, Outcome: outcome},
	}
}

func (m *importer) create(tx *store.Tx, st *importStep, in *Imported) (*importStep, error) {
	st.made = true
	st.h = &Posting{
		ID: newID(), Organisation: m.batch.Organisation, Author: m.actor.User, SourceID: st.key,
		Draft: Draft, Created: m.at, Updated: m.at, Version: 1,
	}
	s := m.step(Create, ImportCreated, in.Hash)
	if st.old != nil {
		s.Import.Follows = st.old.ID
	}
	st.h.record(Entry{At: s.At, Action: Create, To: st.h.states(), Actor: s.Actor})
	return m.submit(tx, st, s, in.Content, nil, nil)
}

// revise what is here, unless people are at it.
func (m *importer) revise(tx *store.Tx, st *importStep, in *Imported) (*importStep, error) {
	h := st.h
	x, err := readPrinted(tx, "l", h.ID)
	if err != nil {
		return nil, err
	}
	live, before, err := x.content(h.ID)
	if err != nil {
		return nil, err
	}
	written, err := draft(tx, h.ID)
	if err != nil {
		return nil, err
	}
	here := live
	if written != nil {
		here = written
	}
	if h.ImportedHash == (protocol.Hash{}) && here != nil && in.Content.sameAs(here) {
		m.unchanged(st, in.Hash)
		return st, nil
	}
	if m.plan {
		st.result.Before, st.result.Edited = here, h.Edited || h.ImportedHash == protocol.Hash{}
	}
	switch {
	case h.Draft == Submitted:
		return st.conflict("the listing waits for its review here: recall it, or wait for the decision, and import it again"), nil
	case h.Draft == InReview:
		return st.conflict("the listing is in review here: wait for the decision, and import it again"), nil
	case h.Draft == Draft && !h.ImportedDraft:
		return st.conflict("people have written a draft of it here: submit or discard that, and import it again"), nil
	case h.Draft == Rejected && !h.ImportedDraft:
		return st.conflict("a draft that people wrote here was rejected: discard it, and import the listing again"), nil
	}
	var held []protocol.Document
	for _, c := range []*Content{live, written} {
		if c != nil && len(c.Record.Documents) > 0 {
			held = c.Record.Documents
		}
	}
	return m.submit(tx, st, m.step(Edit, ImportChanged, in.Hash), in.Content, before, held)
}

// submit decides where a content goes, and refuses one with faults. held are the documents that people attached here: they
// stay, and a source cannot name others.
func (m *importer) submit(tx *store.Tx, st *importStep, s *Pending, c Content, before []*protocol.Part, held []protocol.Document) (*importStep, error) {
	direct := m.standing.SelfPublish && !m.batch.DraftsOnly
	switch {
	case direct:
		s.Action = Publish
	case !m.batch.DraftsOnly:
		s.Action = Submit
	}
	q := *st.h
	q.History = nil
	q.beforeImport(s)
	prepare(&c, &q)
	if st.made {
		st.h.Kind, st.h.Country, st.h.Title = q.Kind, q.Country, q.Title
	}
	faults := slices.Clone(protocol.All(c.validate(&q, m.today())))
	for _, d := range c.Record.Documents {
		if !slices.ContainsFunc(held, func(x protocol.Document) bool { return x.Hash == d.Hash && x.Preview == d.Preview }) {
			faults = append(faults, protocol.Errorf(protocol.CodeValue, "record.documents", "the listing has no such document here: leave documents out, and attach them on this node"))
			break
		}
	}
	if len(faults) > 0 {
		return st.refuse(faults), nil
	}
	if len(c.Record.Documents) == 0 {
		c.Record.Documents = held
	}
	x, err := m.toPrint(&q, c, before, m.contact(tx))
	if err != nil {
		return st.orRefuse(err)
	}
	st.k = hand{drafted: st.h.Draft != None && !st.made, documents: len(c.Record.Documents) > 0}
	if direct {
		s.Content, s.Level, s.Sampled = true, x.Level, m.sampled(st.h)
		st.k.x = x
		st.size = stepRoom + 2*len(x.Summary) + 3*len(x.Record)
	} else {
		if st.k.draft, err = c.encode(); err != nil {
			return st.orRefuse(err)
		}
		st.size, st.draft = stepRoom+len(st.k.draft), &c
		if st.made {
			if ok, err := m.mayWait(tx); err != nil {
				return nil, err
			} else if !ok {
				return st.refuse(tooMany()), nil
			}
		}
	}
	if s.Action != Create {
		r, err := find(s.Action, &q)
		if err != nil {
			return st.refuse(err), nil
		}
		s.Sign = toSign(r, &q, s)
		r.move(&q)
		if s.Content {
			q.ValidUntil = x.listing.ValidUntil
		}
	}
	st.s = s
	st.result.Outcome, st.result.ID, st.result.State = s.Import.Outcome, st.h.ID, q.State(m.today())
	return st, nil
}

// mayWait reports whether one more listing may wait for its review.
func (m *importer) mayWait(tx *store.Tx) (bool, error) {
	if !m.counted {
		n, err := unpublished(tx, m.batch.Organisation)
		if err != nil {
			return false, err
		}
		m.free, m.counted = MaxDrafts-n, true
	}
	m.free--
	return m.free >= 0, nil
}

// orRefuse tells faults of the content from those of the node.
func (st *importStep) orRefuse(err error) (*importStep, error) {
	if protocol.CodeOf(err) == protocol.CodeInternal {
		return nil, err
	}
	return st.refuse(err), nil
}

// contact of listings that name none, looked up once.
func (m *importer) contact(tx *store.Tx) func(access.OrganisationID) (protocol.Contact, error) {
	return func(id access.OrganisationID) (c protocol.Contact, err error) {
		c, ok := m.contacts[id]
		if !ok {
			if c, err = m.cfg.Contact(tx, id); err == nil {
				m.contacts[id] = c
			}
		}
		return c, err
	}
}

// gone decides on one that its source has no more.
func (m *importer) gone(tx *store.Tx, i int) (*importStep, error) {
	st, more, err := m.find(tx, i)
	if err != nil || !more {
		return st, err
	}
	h := st.h
	switch {
	case h == nil:
		st.result.Outcome = ImportUnchanged
		return st, nil
	case h.EndedByImport:
		st.result.Outcome = ImportUnchanged
		if h.Owed == ImportWithdrawn {
			st.result.Outcome, st.note, st.size, st.was = ImportWithdrawn, true, stepRoom, index(h)
			h.Owed = ""
		}
		return st, nil
	case h.Ended():
		st.result.Outcome = ImportEnded
		return st, nil
	case h.Origin != m.batch.Origin:
		return st.conflict("the listing did not come from “%s”: withdraw it by hand", clip(m.batch.Origin, 80)), nil
	case h.Live == None && h.Draft == InReview:
		return st.conflict("the listing is in review here: wait for the decision, and synchronise again"), nil
	case h.Live == None && !h.ImportedDraft:
		return st.conflict("people have written a draft of it here: submit or discard that, and synchronise again"), nil
	}
	action, to := Withdraw, Withdrawn
	if h.Live == None {
		action, to = Discard, None
	}
	st.s, st.size = m.step(action, ImportWithdrawn, protocol.Hash{}), stepRoom
	st.k = hand{drafted: h.Draft != None, documents: true}
	if action == Withdraw {
		st.s.Reason = importReason
	}
	q := *h
	q.History = nil
	q.beforeImport(st.s)
	r, err := find(action, &q)
	if err != nil {
		return st.refuse(err), nil
	}
	if action == Withdraw {
		st.s.Sign = toSign(r, &q, st.s)
	}
	st.result.Outcome, st.result.State = ImportWithdrawn, to
	return st, nil
}
