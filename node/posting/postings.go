package posting

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Desk signs what the region sees.
type Desk interface {
	// PublishAll signs nothing where the same is published already, and brings back what was withdrawn as on-hold.
	PublishAll(ctx context.Context, all []exchange.Publication) ([]exchange.Result, error)
	Withdraw(ctx context.Context, id protocol.ListingID, t protocol.Tombstone) (exchange.Receipt, error)
}

// Standing of an organisation.
type Standing struct {
	LastScore   int  // of its newest review, 0 to 20
	SelfPublish bool // publishes without a review
	Disabled    bool // may submit nothing
}

// Event is one change, for the audit log. Detail holds no personal data.
type Event struct {
	Actor    access.UserID // "" for the operator, and for the node itself
	Token    access.TokenID
	Operator bool
	Action   string // such as posting.publish
	ID       protocol.ListingID
	Reviewer access.UserID // whom a case was handed to, or taken from
	Detail   map[string]string
}

// Occasion of a notice.
type Occasion string

// The occasions.
const (
	OnPublished Occasion = "published" // after a review
	OnReturned  Occasion = "returned"
	OnRejected  Occasion = "rejected"
	OnFault     Occasion = "audit-failed"
	OnRevoked   Occasion = "revoked"
	OnReminder  Occasion = "reminder"
	OnExpired   Occasion = "expired"

	OnImportEnds Occasion = "import-ends" // listings that came from an origin end, this one among them
)

// Notice is what the author of a listing is to be told.
type Notice struct {
	Occasion     Occasion
	ID           protocol.ListingID
	Reference    string
	Title        string
	Organisation access.OrganisationID
	Author       access.UserID
	Days         int // until it expires, of a reminder
	ValidUntil   protocol.Date
	Score        int    // of a review
	Origin       string // of imported listings
	Comment      string
}

// Suspect is a listing that looks like the one at hand.
type Suspect struct {
	Origin protocol.MemberID  `json:"origin"`
	ID     protocol.ListingID `json:"id"`
	Title  string             `json:"title,omitempty"`
	Score  float64            `json:"score"` // 0 to 1
	Why    []string           `json:"why,omitempty"`
}

// Config of the postings of a node. Functions that take a transaction write in it, so that all or nothing is done; a nil one
// is not called.
type Config struct {
	Store  *store.Store
	Member protocol.MemberID
	Desk   Desk
	Now    func() time.Time
	Log    *slog.Logger

	Audit       func(tx *store.Tx, e Event) error
	Standing    func(tx *store.Tx, id access.OrganisationID) (Standing, error) // CodeNotFound where there is none
	SetStanding func(tx *store.Tx, id access.OrganisationID, s Standing) error
	Notify      func(tx *store.Tx, n Notice) error

	// Contact of listings that name none: where to ask about them, "" for those whose owner stays unnamed. nil: they go without.
	Contact func(tx *store.Tx, id access.OrganisationID) (protocol.Contact, error)

	// Documents hears of all documents that a posting names, as draft or live, when these may have changed; of none when it
	// is gone.
	Documents func(tx *store.Tx, h *Posting, all []protocol.Document) error

	// Similar looks for listings like this one. rights are numbers of its patents, with their offices before them.
	Similar func(ctx context.Context, l *protocol.Listing, rights []string) ([]Suspect, error)
}

// Postings of a node. Its methods are safe for concurrent use.
type Postings struct {
	cfg Config
	key []byte // of sampling

	mu   sync.Mutex
	busy map[protocol.ListingID]chan struct{} // the desk is at work on them; closed when it is done
}

// New reads what the store holds; Resume is to be called before people come in.
func New(cfg Config) (*Postings, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p := &Postings{cfg: cfg, busy: make(map[protocol.ListingID]chan struct{})}
	read := func(tx *store.Tx) (err error) {
		p.key, err = tx.Row(store.TablePostingIndex, keySample)
		return err
	}
	if err := cfg.Store.View(read); err != nil {
		return nil, err
	}
	if p.key != nil {
		return p, nil
	}
	p.key = make([]byte, 32)
	_, _ = rand.Read(p.key) // never fails
	err := cfg.Store.Update(func(tx *store.Tx) error { return tx.SetRow(store.TablePostingIndex, keySample, p.key) })
	if err != nil {
		return nil, fmt.Errorf("keep the key of sampling: %w", err)
	}
	return p, nil
}

func (p *Postings) now() protocol.Instant { return protocol.InstantOf(p.cfg.Now()) }
func (p *Postings) today() protocol.Date  { return protocol.DateOf(p.cfg.Now()) }

func (p *Postings) standing(tx *store.Tx, id access.OrganisationID) (Standing, error) {
	if p.cfg.Standing == nil {
		return Standing{}, nil
	}
	return p.cfg.Standing(tx, id)
}

func (p *Postings) notify(tx *store.Tx, h *Posting, n Notice) error {
	if p.cfg.Notify == nil {
		return nil
	}
	n.ID, n.Reference, n.Title = h.ID, h.Reference, h.Title
	n.Organisation, n.Author, n.ValidUntil = h.Organisation, h.Author, h.ValidUntil
	return p.cfg.Notify(tx, n)
}

// claim keeps two from handing one posting to the desk at a time.
func (p *Postings) claim(id protocol.ListingID) bool { return p.tryClaim(id) == nil }

// tryClaim gives what to wait for where another has it, nil where it is claimed now.
func (p *Postings) tryClaim(id protocol.ListingID) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.busy[id]; other != nil {
		return other
	}
	p.busy[id] = make(chan struct{})
	return nil
}

func (p *Postings) unclaim(id protocol.ListingID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.busy[id])
	delete(p.busy, id)
}
