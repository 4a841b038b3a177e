package posting

import (
	"slices"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
)

// Limits of this package.
const (
	MaxDraft    = 400 << 10 // bytes of a draft as JSON; what is published has protocol's limits
	MaxDrafts   = 2000      // of one organisation, never published
	MaxNote     = 500       // characters of a note in the history
	MaxComment  = 2000      // characters of a review's comment
	MaxSource   = 200       // characters of the id in the system that a listing came from
	MaxPage     = 200       // postings on a page
	keptHistory = 100       // entries; the audit log has all
)

// State of a posting, of its draft, or of its audit.
type State string

// The states. Expired is computed.
const (
	None       State = ""
	Draft      State = "draft"
	Submitted  State = "submitted"
	InReview   State = "in-review"
	Rejected   State = "rejected"
	Published  State = "published"
	Expired    State = "expired"
	OnHold     State = "on-hold"
	Withdrawn  State = "withdrawn"
	Superseded State = "superseded"
	Revoked    State = "revoked"
	Due        State = "due" // of an audit
)

// Content of a listing: its public summary and its full record.
type Content struct {
	Listing protocol.Listing `json:"listing"`
	Record  protocol.Record  `json:"record"`
}

// Posting is a listing at its origin, without its texts.
type Posting struct {
	ID           protocol.ListingID    `json:"id"`
	Reference    string                `json:"reference,omitempty"` // from its first publication on: TO-KH-20260921-001
	Organisation access.OrganisationID `json:"organisation"`
	Author       access.UserID         `json:"author,omitempty"`
	Submitter    access.UserID         `json:"submitter,omitempty"` // who submitted it last
	SourceID     string                `json:"source_id,omitempty"` // in the system it came from, unique in the organisation
	Version      uint64                `json:"version"`             // rises with every change that people see
	Serial       uint64                `json:"serial"`

	Kind    protocol.Kind    `json:"kind,omitempty"`
	Country protocol.Country `json:"country,omitempty"`
	Title   string           `json:"title,omitempty"`

	Live  State `json:"live,omitempty"`
	Draft State `json:"draft,omitempty"`
	Audit State `json:"audit,omitempty"`

	Created   protocol.Instant `json:"created"`
	Updated   protocol.Instant `json:"updated"`
	Submitted protocol.Instant `json:"submitted,omitzero"` // or put aside for an audit
	Reviewer  access.UserID    `json:"reviewer,omitempty"` // who has the case
	Taken     protocol.Instant `json:"taken,omitzero"`
	Review    *Review          `json:"review,omitempty"` // the newest
	Reviews   int              `json:"reviews,omitempty"`

	Level        protocol.Level     `json:"level,omitempty"` // of what is live
	PublishedOn  protocol.Date      `json:"published_on,omitzero"`
	ValidUntil   protocol.Date      `json:"valid_until,omitzero"`
	Publications uint64             `json:"publications,omitempty"` // first one, revisions and renewals
	Renewals     int                `json:"renewals,omitempty"`
	Reminded     protocol.Date      `json:"reminded,omitzero"` // up to this day nothing is left to remind of
	ReplacedBy   protocol.ListingID `json:"replaced_by,omitempty"`

	Origin        string           `json:"imported_from,omitempty"`    // the import that it came by
	Imported      protocol.Instant `json:"imported,omitzero"`          // when the source last said something new
	ImportedHash  protocol.Hash    `json:"imported_hash,omitzero"`     // of that
	ImportedDraft bool             `json:"imported_draft,omitempty"`   // the draft is as an import left it
	Edited        bool             `json:"edited,omitempty"`           // people changed what is live since the last import
	EndedByImport bool             `json:"ended_by_import,omitempty"`  // it may come back, under a new id
	Owed          ImportOutcome    `json:"imported_outcome,omitempty"` // of an import that was cut off, and has yet to hear of it

	History []Entry `json:"history"`
	Dropped int     `json:"dropped,omitempty"` // older entries of the history

	Pending *Pending `json:"pending,omitempty"` // an action that the desk has yet to carry out
}

// Entry of a posting's history.
type Entry struct {
	At     protocol.Instant `json:"at"`
	Action Action           `json:"action"`
	From   string           `json:"from"` // both states, "published+draft"
	To     string           `json:"to"`
	Actor  access.UserID    `json:"actor,omitempty"` // "" for the operator and the node itself
	Note   string           `json:"note,omitempty"`
}

// State of the posting as people are told.
func (p *Posting) State(today protocol.Date) State {
	switch {
	case p.Live == None:
		return p.Draft
	case p.Live == Published && p.expired(today):
		return Expired
	}
	return p.Live
}

func (p *Posting) expired(today protocol.Date) bool {
	return p.ValidUntil != 0 && p.ValidUntil < today
}

// Ended reports whether nothing can be done with the posting any more.
func (p *Posting) Ended() bool { return slices.Contains(final(), p.Live) }

// arriving reports whether an import made it to be published at once, and the desk has yet to sign.
func (p *Posting) arriving() bool {
	return p.Live == None && p.Pending != nil && p.Pending.Import != nil && p.Pending.Import.Outcome == ImportCreated
}

func (p *Posting) states() string {
	switch {
	case p.Live == None:
		return string(p.Draft)
	case p.Draft == None:
		return string(p.Live)
	}
	return string(p.Live) + "+" + string(p.Draft)
}

func (p *Posting) resource() access.Resource {
	return access.Resource{Organisation: p.Organisation, Author: p.Author}
}

// can asks the table of rules. Nobody reviews what he submitted for somebody else either.
func (p *Posting) can(a access.Actor, action access.Action) error {
	r := p.resource()
	if err := access.Can(a, action, r); err != nil || p.Submitter == "" {
		return err
	}
	r.Author = p.Submitter
	return access.Can(a, action, r)
}

// sitting is how long the edits of one person are one entry of the history and of the audit log: a page saves while somebody writes.
const sitting = 60 * 60 // seconds

// goesOn reports whether an entry is of the sitting that the newest one began.
func (p *Posting) goesOn(e Entry) bool {
	if len(p.History) == 0 || e.Action != Edit || e.Actor == "" {
		return false
	}
	last := p.History[len(p.History)-1]
	return last.Action == Edit && last.Actor == e.Actor && last.To == e.To && e.From == e.To && e.At >= last.At && e.At-last.At < sitting
}

// record adds to the history; the oldest entries but the first make room.
func (p *Posting) record(e Entry) {
	p.History = append(p.History, e)
	if len(p.History) > keptHistory {
		p.History = slices.Delete(p.History, 1, 2)
		p.Dropped++
	}
}

// title to list a content under: the English one, else the first.
func title(l *protocol.Listing) string {
	_, t := l.Text()
	if r := []rune(t.Title); len(r) > protocol.MaxTitle {
		return string(r[:protocol.MaxTitle])
	}
	return t.Title
}
