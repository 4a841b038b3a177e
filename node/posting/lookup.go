package posting

import (
	"context"
	"slices"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What other parts of a node ask about postings.

// Owner is the organisation whose posting it is, "" where there is none.
func Owner(tx *store.Tx, id protocol.ListingID) (access.OrganisationID, error) {
	h, err := lookUp(tx, id)
	if err != nil || h == nil {
		return "", err
	}
	return h.Organisation, nil
}

// InvitedSummary of a published listing of level invited, which is not in the catalogue; nil where there is none.
func InvitedSummary(tx *store.Tx, id protocol.ListingID) (*protocol.Listing, error) {
	h, err := lookUp(tx, id)
	if err != nil || h == nil || h.Live != Published || h.Level != protocol.LevelInvited {
		return nil, err
	}
	x, err := readPrinted(tx, "l", id)
	if err != nil || x == nil {
		return nil, err
	}
	l, err := protocol.DecodeListing(x.Summary)
	if err != nil {
		return nil, damaged("summary", id, err)
	}
	return l, nil
}

// Compare looks for listings like one that is still being written, of which nothing is kept.
// An error means that the search was not made, or was cut off: then nothing is known of any.
func (p *Postings) Compare(ctx context.Context, c *Content) ([]Suspect, error) {
	return p.compare(ctx, c)
}

// Allowed are the actions that the actor may take on the posting as it stands now, in the order of the table. What a case's
// scores lead to is told as Pass, and of an audit as Clear.
func (p *Postings) Allowed(a access.Actor, h *Posting) []Action {
	all := []Action{}
	if h.Pending != nil {
		return all
	}
	for _, action := range Actions() {
		if slices.Contains([]Action{Publish, Return, Reject, Fault}, action) {
			continue // follow from others
		}
		if _, err := find(action, h); err != nil || h.can(a, who(action)) != nil || !p.turn(a, h, action) {
			continue
		}
		all = append(all, action)
	}
	return all
}

// turn reports whether a case is the reviewer's to do that with. The draft's comes before an audit.
func (p *Postings) turn(a access.Actor, h *Posting, action Action) bool {
	drafted := h.Draft == Submitted || h.Draft == InReview
	mine := a.User != "" && h.Reviewer == a.User
	switch action {
	case Take, Inspect:
		taken := h.Draft == InReview || h.Audit == InReview
		return drafted == (action == Take) && !mine && (!taken || p.now().Time().Sub(h.Taken.Time()) >= takeOver)
	case HandOver, Pass:
		return mine
	case Release:
		return mine && (drafted || h.Audit == InReview)
	case TakeAway:
		return !mine
	case PassOn, Clear:
		return mine && !drafted
	}
	return true
}
