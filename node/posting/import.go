package posting

import (
	"context"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Many listings at once, from a file or a repository.

// Imported is one listing of an import: what the source says of it.
type Imported struct {
	Source  string // its id at the source, unique in the organisation
	Content Content
	Hash    protocol.Hash // of what the source says: equal hashes are equal contents
}

// Batch of an import.
type Batch struct {
	Organisation access.OrganisationID
	Origin       string // name of the mapping or repository that they come from: what a full synchronisation is about
	DraftsOnly   bool   // submit nothing
}

// ImportOutcome of one listing.
type ImportOutcome string

// The outcomes.
const (
	ImportCreated   ImportOutcome = "created"   // and published or submitted, unless drafts only
	ImportChanged   ImportOutcome = "changed"   // likewise
	ImportUnchanged ImportOutcome = "unchanged" // the source says what it said before
	ImportRefused   ImportOutcome = "refused"   // Err says why
	ImportEnded     ImportOutcome = "ended"     // people ended the listing here; it does not return by itself
	ImportWithdrawn ImportOutcome = "withdrawn" // the source has it no more
)

// ImportResult of one listing.
type ImportResult struct {
	Source  string
	Outcome ImportOutcome
	ID      protocol.ListingID // "" where none was made
	State   State              // afterwards
	Err     error
	Before  *Content // of Plan alone: what is here now, nil for nothing
	Edited  bool     // of Plan alone: people changed it here since the last import, which is overwritten
}

// Import carries out a batch: durable when it returns, idempotent by (organisation, source). note, where it is not nil, is called in the
// transaction that finishes some of the listings, so that a job's progress is exact after a crash; it may be called several times, each with
// the next results in order.
func (p *Postings) Import(ctx context.Context, a access.Actor, b Batch, all []Imported, note func(*store.Tx, []ImportResult) error) ([]ImportResult, error) {
	panic("to be written")
}

// Plan says what Import would do, and changes nothing.
func (p *Postings) Plan(a access.Actor, b Batch, all []Imported) ([]ImportResult, error) {
	panic("to be written")
}

// ImportedFrom lists the sources' ids of what came from b.Origin and is not ended, in order after one, at most limit.
func (p *Postings) ImportedFrom(a access.Actor, b Batch, after string, limit int) ([]string, error) {
	panic("to be written")
}

// WithdrawImported ends listings that their source has no more (reason "no-longer-available"; drafts that were never published are discarded).
func (p *Postings) WithdrawImported(ctx context.Context, a access.Actor, b Batch, sources []string, note func(*store.Tx, []ImportResult) error) ([]ImportResult, error) {
	panic("to be written")
}
