package exchange

import (
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// CopyState says how far a node may vouch for its copy of an origin's catalogue.
type CopyState string

// The states of a copy.
const (
	Own        CopyState = "own"         // this node is the origin
	Proven     CopyState = "proven"      // equal to what the origin signed, as of Position
	CatchingUp CopyState = "catching-up" // changes are being drawn that are not proven as a whole yet
	Stale      CopyState = "stale"       // the origin's lease lapsed: what is shown may be out of date
	Disputed   CopyState = "disputed"    // the origin signed two histories; the copy is frozen where it stood
	Unheard    CopyState = "unheard"     // nothing was ever received from this origin
)

// MemberState is what this node knows of one member and of its copy of that member's catalogue.
type MemberState struct {
	ID         protocol.MemberID `json:"id"`
	Name       string            `json:"name"`
	Country    protocol.Country  `json:"country,omitempty"`
	Role       string            `json:"role"` // member or secretariat
	Self       bool              `json:"self,omitempty"`
	Connected  bool              `json:"connected"`
	State      CopyState         `json:"state"`
	Why        string            `json:"why,omitempty"` // in words, where State is not own or proven
	Position   protocol.Position `json:"position"`      // proven here
	Digest     protocol.Hash     `json:"digest"`        // state digest proven here; equal on all nodes that stand at Position
	Claimed    protocol.Position `json:"claimed"`       // the furthest that it was seen to have signed
	Records    uint64            `json:"records"`       // in the set, withdrawn ones included
	Listings   int               `json:"listings"`      // current ones
	Unusable   int               `json:"unusable"`      // signed by the origin but not valid listings
	LastHeard  protocol.Instant  `json:"last_heard"`    // when its newest head statement was issued
	LeaseUntil protocol.Instant  `json:"lease_until"`
	URL        string            `json:"url,omitempty"` // of the member's own pages
}

// Freshness is the part of MemberState that every listing of that member is shown with.
type Freshness struct {
	State      CopyState         `json:"state"`
	Position   protocol.Position `json:"position"`
	LastHeard  protocol.Instant  `json:"last_heard"`
	LeaseUntil protocol.Instant  `json:"lease_until"`
	Connected  bool              `json:"connected"` // whether the origin can be reached now
}

// ListingState of an entry.
type ListingState string

// The states of a listing as a summary shows them.
const (
	Current   ListingState = "current"
	Expired   ListingState = "expired"   // its validity ended
	Withdrawn ListingState = "withdrawn" // for ever
	Unusable  ListingState = "unusable"  // signed by its origin, but not a valid listing
)

// Entry is one record of the federated catalogue as this node holds it.
type Entry struct {
	match.Ref
	State     ListingState        `json:"state"`
	Listing   *protocol.Listing   `json:"listing,omitempty"`   // nil where withdrawn or unusable
	Tombstone *protocol.Tombstone `json:"tombstone,omitempty"` // where withdrawn
	Reason    string              `json:"reason,omitempty"`    // where unusable
	Position  protocol.Position   `json:"position"`            // of the change that made it
	Header    protocol.Hash       `json:"header"`              // hash of that change's header
	Fresh     Freshness           `json:"freshness"`
}

// Hit is an entry that matches, with why.
type Hit struct {
	Entry
	Score       float64           `json:"score"`
	Explanation match.Explanation `json:"explanation"`
}

// MatchAnswer is the answer to a match query over the whole federated catalogue.
type MatchAnswer struct {
	Hits   []Hit        `json:"hits"`
	Total  int          `json:"total"`  // hits in all, beyond the page
	Ranker match.Digest `json:"ranker"` // equal digests give equal answers on every node
	// Behind lists the members whose catalogue may be newer than what was searched.
	Behind []MemberState `json:"behind"`
	// Indexing is above 0 while the catalogue is read in after a start: the share still to come.
	Indexing float64 `json:"indexing,omitempty"`
}

// Page is a run of entries in the order of (origin, id).
type Page struct {
	Entries []Entry   `json:"entries"`
	Next    match.Ref `json:"next"` // what the next page comes after; zero at the end
}

// Outcome of publishing.
type Outcome string

// The outcomes of a publication.
const (
	Published Outcome = "published"
	Revised   Outcome = "revised"
	Unchanged Outcome = "unchanged" // it said the same before: nothing was signed
	Removed   Outcome = "withdrawn"
)

// Receipt says that a change is durable at its origin.
type Receipt struct {
	Ref      match.Ref         `json:"ref"`
	Outcome  Outcome           `json:"outcome"`
	Position protocol.Position `json:"position"`
	Header   protocol.Hash     `json:"header"`
}

// Health of a node, for monitors and people.
type Health struct {
	Ready    bool              `json:"ready"`    // answers queries over a complete index
	Writable bool              `json:"writable"` // takes publications
	Faults   []string          `json:"faults"`   // in words, each with its next step; empty when all is well
	Member   protocol.MemberID `json:"member"`
	Version  string            `json:"version"`
	Peers    int               `json:"peers"`   // connected members
	Members  int               `json:"members"` // of the charter, this one included
	Indexing float64           `json:"indexing,omitempty"`
	FreeDisk uint64            `json:"free_disk"` // bytes
}
