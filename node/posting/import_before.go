package posting

import (
	"encoding/json"
	"reflect"

	"github.com/asean-tmh/tmh/protocol"
)

// What an import leaves on a posting, and how it compares with what is there.

// beforeImport takes the posting to where the import's own action begins, as people would who do one after the other.
func (h *Posting) beforeImport(s *Pending) {
	m := s.Import
	via := func(a Action, to State) {
		from := h.states()
		h.Draft = to
		h.record(Entry{At: s.At, Action: a, From: from, To: h.states(), Actor: s.Actor, Note: s.Note})
	}
	h.Origin, h.Owed = m.Origin, m.Outcome
	if m.Outcome == ImportWithdrawn {
		h.EndedByImport = true
		if s.Action == Discard && h.Draft == Submitted {
			via(Recall, Draft)
		}
		return
	}
	if s.Action == Renew {
		h.Imported = s.At
		return
	}
	h.Imported, h.ImportedHash, h.ImportedDraft = s.At, m.Hash, true
	if h.Draft == Rejected {
		via(Discard, None)
	}
	switch s.Action {
	case Create, Edit:
		return
	case Submit:
		h.Submitted = s.At
	}
	h.Submitter = s.Actor
	if m.Outcome == ImportChanged {
		via(Edit, Draft)
	}
}

// sameAs reports whether a source says what is here already, as far as it says anything.
func (c Content) sameAs(here *Content) bool {
	mine, its := *here, c
	if its.Listing.ValidUntil == 0 {
		mine.Listing.ValidUntil = 0
	}
	if its.Record.Contact == (protocol.Contact{}) {
		mine.Record.Contact = protocol.Contact{}
	}
	if len(its.Record.Documents) == 0 {
		mine.Record.Documents = nil
	}
	its.Listing.ID = mine.Listing.ID
	if !sameText(&mine.Listing, &its.Listing) {
		return false
	}
	for _, r := range []*protocol.Record{&mine.Record, &its.Record} {
		bare := *r
		if bare.Level = ""; reflect.ValueOf(bare).IsZero() {
			*r = bare // there is nothing that could have a level
			continue
		}
		r.Level = r.Visibility()
	}
	a, errA := json.Marshal(mine.Record)
	b, errB := json.Marshal(its.Record)
	return errA == nil && errB == nil && string(a) == string(b)
}
