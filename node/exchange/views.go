package exchange

import (
	"fmt"

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

	Proven       bool              `json:"proven"`            // what is held equals, as a whole, what the origin signed up to Position
	Lag          uint64            `json:"lag"`               // changes that it was seen to have signed and that are not proven here
	Acknowledged protocol.Position `json:"acknowledged"`      // how far it says to have proven this node's catalogue
	Staging      *Staging          `json:"staging,omitempty"` // a second copy is being drawn beside the one shown
	Damage       string            `json:"damage,omitempty"`  // what the audit found in this node's copy
}

// Staging is a copy that is drawn from the beginning beside the one that is shown until it is proven.
type Staging struct {
	Drawn protocol.Position `json:"drawn"` // the furthest state drawn from so far
	Mends bool              `json:"mends"` // because what is held is damaged
}

// MemberDetail is what the page of the federation and the operator are told of one member beyond its state.
type MemberDetail struct {
	MemberState
	Unacknowledged uint64        `json:"unacknowledged"` // changes of this node that it does not say to have proven
	Forks          []Fork        `json:"forks"`          // contradictions that it signed, the latest first
	Epochs         []Epoch       `json:"epochs"`         // that it opened, the latest first
	Faults         []MemberFault `json:"faults"`         // what it did here since the start that no node of ours does
}

// Fork is a pair of signed changes that cannot both belong to one history.
type Fork struct {
	One   SignedChange `json:"one"`
	Other SignedChange `json:"other"`
	Over  bool         `json:"over"` // a later epoch ended it
}

// SignedChange names a change that an origin signed.
type SignedChange struct {
	Position protocol.Position  `json:"position"`
	Kind     string             `json:"kind"`
	Key      protocol.RecordKey `json:"key"`
	Header   protocol.Hash      `json:"header"`
	Lang     protocol.Lang      `json:"lang,omitempty"`  // of the title
	Title    string             `json:"title,omitempty"` // of the listing as it is held now, where it is held
}

// Epoch is what was said when an origin's history went on from an earlier state.
type Epoch struct {
	Position protocol.Position `json:"position"`
	Base     protocol.Position `json:"base"`           // the state that goes on
	Last     protocol.Position `json:"last"`           // what lies between base and it is void
	Reason   string            `json:"reason"`         // loss, fork or key
	Note     string            `json:"note,omitempty"` // of the origin's operator
	OpenedAt protocol.Instant  `json:"opened_at"`
	Void     []SignedChange    `json:"void"` // as far as anybody showed it
}

// MemberFault counts how often a member did one thing that it must not.
type MemberFault struct {
	Code  string `json:"code"`
	Count uint64 `json:"count"`
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
	Warnings []string          `json:"warnings"` // likewise, of what works for now
	Member   protocol.MemberID `json:"member"`
	Version  string            `json:"version"`
	Peers    int               `json:"peers"`   // connected members
	Members  int               `json:"members"` // of the charter, this one included
	Indexing float64           `json:"indexing,omitempty"`
	FreeDisk uint64            `json:"free_disk"` // bytes
}

// EpochReceipt says that an epoch was opened.
type EpochReceipt struct {
	Position protocol.Position `json:"position"`
	Base     protocol.Position `json:"base"`   // the state that goes on
	Last     protocol.Position `json:"last"`   // what lies between base and it is void
	Voided   []protocol.Voided `json:"voided"` // as far as anybody showed it
	Saved    int               `json:"saved"`  // records of void changes that were published again
}

// EpochProposal is the epoch that this node's history wants now, to be signed with the governance key.
type EpochProposal struct {
	Opening []byte              `json:"opening"` // protocol.Opening, encoded and not signed
	Heard   []protocol.MemberID `json:"heard"`   // who said since the start what they hold of this catalogue
	Silent  []protocol.MemberID `json:"silent"`  // who did not, and may hold more
	Void    []SignedChange      `json:"void"`    // as in the opening, with titles
}

// Seal is what a new card needs to know of the end of a record key's range.
type Seal struct {
	Head protocol.Position `json:"head"`           // of the catalogue
	At   SignedChange      `json:"at"`             // the change that ends the range; zero where nothing was signed
	Card []byte            `json:"card,omitempty"` // in force, signed
}

// Level of a finding.
type Level string

// The levels of a finding.
const (
	Fine    Level = "ok"
	Warning Level = "warning" // works for now
	Fault   Level = "fault"   // does not work, or not for long
)

// Finding is the outcome of one check of a node: what is so, and what to do next.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	What  string `json:"what"`
	Next  string `json:"next,omitempty"`
}

// Findings are gathered check by check.
type Findings []Finding

// Fine notes a check that found nothing wrong.
func (f *Findings) Fine(check, format string, args ...any) {
	*f = append(*f, Finding{Check: check, Level: Fine, What: fmt.Sprintf(format, args...)})
}

// Warn notes what works for now, and what to do next.
func (f *Findings) Warn(check, next, format string, args ...any) {
	*f = append(*f, Finding{Check: check, Level: Warning, What: fmt.Sprintf(format, args...), Next: next})
}

// Fault notes what does not work, or not for long, and what to do next.
func (f *Findings) Fault(check, next, format string, args ...any) {
	*f = append(*f, Finding{Check: check, Level: Fault, What: fmt.Sprintf(format, args...), Next: next})
}
