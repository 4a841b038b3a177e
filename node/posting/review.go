package posting

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What a review decides by.
const (
	MaxScore     = 5  // of one criterion
	passTotal    = 10 // and no zero
	rejectTotal  = 4  // at most
	trustedTotal = 15 // lets the organisation publish by itself
	sampleOneIn  = 10 // of what it publishes by itself is audited
	takeOver     = 7 * 24 * time.Hour
)

// Scores of a review, 0 to 5 each.
type Scores struct {
	Advantages  int `json:"advantages"`  // and what is new
	Clarity     int `json:"clarity"`     // can it be understood, does it hold together
	Cooperation int `json:"cooperation"` // is it said what is expected of a partner
	Guidelines  int `json:"guidelines"`  // are they followed, is the language right
}

func (s Scores) all() []int { return []int{s.Advantages, s.Clarity, s.Cooperation, s.Guidelines} }

// Total of the four.
func (s Scores) Total() int { return s.Advantages + s.Clarity + s.Cooperation + s.Guidelines }

// Verdict that follows from the scores.
func (s Scores) Verdict() Action {
	zero := false
	for _, n := range s.all() {
		zero = zero || n == 0
	}
	switch {
	case s.Total() <= rejectTotal:
		return Reject
	case s.Total() < passTotal, zero:
		return Return
	}
	return Pass
}

func (s Scores) validate() protocol.Errors {
	var faults protocol.Errors
	for i, field := range []string{"advantages", "clarity", "cooperation", "guidelines"} {
		if n := s.all()[i]; n < 0 || n > MaxScore {
			faults = append(faults, protocol.Errorf(protocol.CodeValue, field, "%d is no score: give 0 to %d", n, MaxScore))
		}
	}
	return faults
}

// Review of a posting.
type Review struct {
	Scores
	Comment  string           `json:"comment,omitempty"`
	Reviewer access.UserID    `json:"reviewer"`
	At       protocol.Instant `json:"at"`
	Verdict  Action           `json:"verdict"`         // pass, return or reject
	Audit    bool             `json:"audit,omitempty"` // after publication
}

func reviewKey(id protocol.ListingID, n int) string { return fmt.Sprintf("%s/%08d", id, n) }

// keepReview stores a review and what it means for the organisation.
func (p *Postings) keepReview(tx *store.Tx, h *Posting, s *Pending) error {
	h.Reviews++
	h.Review = s.Review
	b, err := json.Marshal(s.Review)
	if err != nil {
		return fmt.Errorf("write review: %w", err)
	}
	if err := tx.SetRow(store.TableReview, reviewKey(h.ID, h.Reviews), b); err != nil || p.cfg.SetStanding == nil {
		return err
	}
	st, err := p.standing(tx, h.Organisation)
	if err != nil {
		return err
	}
	st.LastScore = s.Review.Total()
	switch r := s.Review; {
	case r.Audit && r.Verdict != Pass:
		st.SelfPublish = false
	case !r.Audit && r.Verdict == Pass && r.Total() >= trustedTotal:
		st.SelfPublish = true
	}
	return p.cfg.SetStanding(tx, h.Organisation, st)
}

// sampled reports whether what is published next is audited. Only who has the key can tell before.
func (p *Postings) sampled(h *Posting) bool {
	m := hmac.New(sha256.New, p.key)
	m.Write([]byte(string(h.ID) + "/" + strconv.FormatUint(h.Publications+1, 10)))
	return binary.BigEndian.Uint64(m.Sum(nil))%sampleOneIn == 0
}

// Take a case, which is the reviewer's own from then on: a draft that was submitted, or a published listing that is to be
// audited. A case that lay for a week with another reviewer can be taken over.
func (p *Postings) Take(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64) (*Posting, error) {
	action, err := p.caseOf(a, id, Take, Inspect)
	if err != nil {
		return nil, err
	}
	return p.change(ctx, a, id, version, action, func(_ *store.Tx, h *Posting, s *Pending) error {
		if (h.Draft == InReview || h.Audit == InReview) && h.Reviewer != a.User && s.At.Time().Sub(h.Taken.Time()) < takeOver {
			return protocol.Errorf(protocol.CodeConflict, "reviewer", "another reviewer has this case: ask for a hand-over, or take it over when it lay for a week")
		}
		h.Reviewer, h.Taken = a.User, s.At
		return nil
	})
}

// caseOf tells whether the case of a posting is its draft or its audit.
func (p *Postings) caseOf(a access.Actor, id protocol.ListingID, ofDraft, ofAudit Action) (Action, error) {
	a.Scopes = nil // the action asks for its own
	h, err := p.Get(a, id)
	if err != nil {
		return "", err
	}
	if h.Audit != None && h.Draft != Submitted && h.Draft != InReview {
		return ofAudit, nil
	}
	return ofDraft, nil
}

func owned(h *Posting, a access.Actor) error {
	if h.Reviewer != a.User || a.User == "" {
		return protocol.Errorf(protocol.CodeNotPermitted, "reviewer", "another reviewer has this case: only who took it decides")
	}
	return nil
}

// Release a case: any reviewer may take it again. The note is for that one; like the whole history, the organisation reads it too.
func (p *Postings) Release(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, note string) (*Posting, error) {
	note, err := text("note", note, MaxNote)
	if err != nil {
		return nil, err
	}
	return p.change(ctx, a, id, version, Release, func(_ *store.Tx, h *Posting, s *Pending) error {
		s.Note = note
		return owned(h, a)
	})
}

// TakeAway a case from the reviewer who has it: any reviewer may take it again.
func (p *Postings) TakeAway(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, note string) (*Posting, error) {
	note, err := text("note", note, MaxNote)
	if err != nil {
		return nil, err
	}
	return p.change(ctx, a, id, version, TakeAway, func(_ *store.Tx, h *Posting, s *Pending) error {
		if owned(h, a) == nil {
			return protocol.Errorf(protocol.CodeConflict, "reviewer", "you have this case yourself: give it back instead")
		}
		s.Note, s.Reviewer = note, h.Reviewer
		return nil
	})
}

// MayReview reports whether the rules let somebody judge the posting, whoever has the case.
func MayReview(a access.Actor, h *Posting) bool {
	return a.User != "" && h.can(a, access.ReviewPosting) == nil
}

// HandOver a case to another reviewer, who must be allowed to review it.
func (p *Postings) HandOver(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, to access.Actor, note string) (*Posting, error) {
	note, err := text("note", note, MaxNote)
	if err != nil {
		return nil, err
	}
	action, err := p.caseOf(a, id, HandOver, PassOn)
	if err != nil {
		return nil, err
	}
	return p.change(ctx, a, id, version, action, func(_ *store.Tx, h *Posting, s *Pending) error {
		if err := owned(h, a); err != nil {
			return err
		}
		if to.User == a.User {
			return protocol.Errorf(protocol.CodeConflict, "to", "you have this case already: choose another reviewer")
		}
		if !MayReview(to, h) {
			return protocol.Errorf(protocol.CodeNotPermitted, "to", "this person may not review the listing: choose a reviewer of another organisation who did not write it")
		}
		h.Reviewer, h.Taken = to.User, s.At
		s.Note, s.Reviewer = note, to.User
		return nil
	})
}

// Judge gives the scores of the case that the reviewer took, and does what follows from them. A comment is wanted unless
// the listing passes.
func (p *Postings) Judge(ctx context.Context, a access.Actor, id protocol.ListingID, version uint64, scores Scores, comment string) (*Posting, error) {
	comment, err := text("comment", comment, MaxComment)
	faults := scores.validate()
	if err != nil {
		faults = append(faults, protocol.All(err)...)
	}
	verdict := scores.Verdict()
	if len(faults) == 0 && verdict != Pass && comment == "" {
		why := fmt.Sprintf("a total of %d does not pass", scores.Total())
		if scores.Total() >= passTotal {
			why = "a zero does not pass, whatever the total"
		}
		faults = append(faults, protocol.Errorf(protocol.CodeRequired, "comment", "%s: say in a comment what is to be mended", why))
	}
	if len(faults) > 0 {
		return nil, faults
	}
	action, err := p.caseOf(a, id, Return, Clear) // whatever it leads to, it begins in the same states
	if err != nil {
		return nil, err
	}
	return p.change(ctx, a, id, version, action, func(tx *store.Tx, h *Posting, s *Pending) error {
		if err := owned(h, a); err != nil {
			return err
		}
		s.Review = &Review{Scores: scores, Comment: comment, Reviewer: a.User, At: s.At, Verdict: verdict, Audit: action == Clear}
		if s.Review.Audit {
			if verdict != Pass {
				s.Action = Fault
			}
			return nil
		}
		if s.Action = verdict; verdict != Pass {
			return nil
		}
		c, err := draft(tx, id)
		if err != nil {
			return err
		}
		if c == nil {
			return damaged("draft", id, nil)
		}
		if l := &c.Listing; l.ValidUntil != 0 && l.ValidUntil < p.today() {
			return protocol.Errorf(protocol.CodeConflict, "valid_until", "its validity ended on %s, while it waited: return it to its author", l.ValidUntil)
		}
		return p.print(tx, h, s, c)
	})
}

// Reviews of a posting, the oldest first.
func (p *Postings) Reviews(a access.Actor, id protocol.ListingID) (all []Review, _ error) {
	err := p.cfg.Store.View(func(tx *store.Tx) error {
		h, err := get(tx, id)
		if err != nil {
			return err
		}
		if err := h.can(a, access.ReadPosting); err != nil {
			return err
		}
		return tx.Rows(store.TableReview, string(id)+"/", "", func(_ string, b []byte) (bool, error) {
			var r Review
			if err := json.Unmarshal(b, &r); err != nil {
				return false, damaged("review", id, err)
			}
			all = append(all, r)
			return true, nil
		})
	})
	return all, err
}
