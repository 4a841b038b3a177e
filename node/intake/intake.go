package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Organisation as far as an import needs it: what its listings say of it where the source says nothing.
type Organisation struct {
	Name     string
	Type     string // a code of the list of organisation types
	Country  protocol.Country
	Disabled bool // imports nothing
}

// Event is one act, for the audit log. Detail holds no personal data and nothing of a file.
type Event struct {
	Actor        access.UserID // "" for the operator, and for the node itself
	Token        access.TokenID
	Operator     bool
	Action       string // such as import.start
	Kind         string // of what ID names: "import", "mapping" or "repository"
	ID           string
	Organisation access.OrganisationID
	Detail       map[string]string
}

// Config of the imports of a node.
type Config struct {
	Store  *store.Store
	Dir    string // for files and reports; created
	Member protocol.MemberID
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: silent

	Postings     *posting.Postings
	Actor        func(access.UserID, access.TokenID) (access.Actor, error) // who that is, with the rights of this moment, those of the token where it was one
	Organisation func(access.OrganisationID) (Organisation, error)         // CodeNotFound where there is none
	Audit        func(tx *store.Tx, e Event) error                         // nil: nothing is noted
	Bulk         func(on bool)                                             // many listings are coming, or no more; nil: nobody needs to know
	Harvester    *harvest.Client                                           // nil: the zero one
	Limits       Limits
}

// Limits of imports. Zero fields take those of DefaultLimits.
type Limits struct {
	Table     table.Limits
	Jobs      int           // of an organisation, unfinished
	Mappings  int           // of an organisation
	Sources   int           // of an organisation
	Files     int64         // bytes of all files and reports; never more than a tenth of what the disk has left for them
	KeepFiles time.Duration // after a job ended
	KeepJobs  time.Duration // after a job began
	Fetch     time.Duration // that fetching one harvest may take
}

// DefaultLimits of a node.
func DefaultLimits() Limits {
	return Limits{Table: table.DefaultLimits(), Jobs: 5, Mappings: 50, Sources: 20, Files: 20 << 30,
		KeepFiles: 30 * 24 * time.Hour, KeepJobs: 400 * 24 * time.Hour, Fetch: 6 * time.Hour}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	if l.Table == (table.Limits{}) {
		l.Table = d.Table
	}
	for _, f := range []struct{ value, or *int }{{&l.Jobs, &d.Jobs}, {&l.Mappings, &d.Mappings}, {&l.Sources, &d.Sources}} {
		if *f.value == 0 {
			*f.value = *f.or
		}
	}
	for _, f := range []struct{ value, or *time.Duration }{{&l.KeepFiles, &d.KeepFiles}, {&l.KeepJobs, &d.KeepJobs}, {&l.Fetch, &d.Fetch}} {
		if *f.value == 0 {
			*f.value = *f.or
		}
	}
	if l.Files == 0 {
		l.Files = d.Files
	}
	return l
}

const (
	groupRows  = 256     // that are imported together; tests take fewer
	groupBytes = 8 << 20 // of a group's cells: a group of long rows is shorter
	uploads    = 4       // files that arrive at the same time; one of them is opened
	trials     = 2       // repositories that are tried at the same time, each by another organisation
	lists      = 2       // files of errors that are written at the same time
	fetchers   = 3       // repositories that are harvested at the same time, each of another organisation
)

// Imports of a node. Its methods are safe for concurrent use.
type Imports struct {
	cfg     Config
	uploads *semaphore.Weighted
	opening *semaphore.Weighted
	lists   *semaphore.Weighted
	queued  signal // a job may have to be carried out
	changed signal // a job's row was written

	pause time.Duration                    // before the first new attempt where the node could not go on
	group int                              // groupRows
	beat  time.Duration                    // between two calls of a watcher at least
	hook  func(at string, job JobID) error // of tests: an error is as if the node had been killed there

	mu      sync.Mutex                       // guards what follows
	last    uint64                           // time in the newest id
	running map[JobID]func()                 // what stops it
	serving map[access.OrganisationID]int    // jobs that are being fetched
	turn    map[access.OrganisationID]uint64 // when it was served last
	turns   uint64
	later   map[JobID]delay
	arrive  map[JobID]bool // files on their way in
	sending map[access.OrganisationID]int
	trying  map[access.OrganisationID]bool
}

// New makes the folder and reads what is queued. Nothing is carried out before Run.
func New(cfg Config) (*Imports, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Harvester == nil {
		cfg.Harvester = new(harvest.Client)
	}
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.Dir == "" {
		return nil, errors.New("imports need a folder")
	}
	temp := filepath.Join(cfg.Dir, tempName) // of what was unpacked when the node was killed
	if err := errors.Join(os.RemoveAll(temp), os.MkdirAll(temp, 0o700)); err != nil {
		return nil, fmt.Errorf("create the folder of imports: %w", err)
	}
	p := &Imports{cfg: cfg, uploads: semaphore.NewWeighted(uploads), opening: semaphore.NewWeighted(1),
		lists: semaphore.NewWeighted(lists), pause: 5 * time.Second, beat: watchEvery, group: groupRows,
		running: map[JobID]func(){}, serving: map[access.OrganisationID]int{}, turn: map[access.OrganisationID]uint64{},
		later: map[JobID]delay{}, arrive: map[JobID]bool{}, sending: map[access.OrganisationID]int{}, trying: map[access.OrganisationID]bool{}}
	p.queued.c, p.changed.c = make(chan struct{}), make(chan struct{})
	err := cfg.Store.View(func(tx *store.Tx) error {
		key, _, err := tx.LastRow(store.TableIntake, "j/")
		if err == nil && key != "" {
			p.last = JobID(key[len("j/"):]).millis()
		}
		return err
	})
	return p, err
}

// tendEvery is how often the clock is looked at for harvests that are due, sweepEvery how often files and jobs that are too old.
const (
	tendEvery  = time.Minute
	sweepEvery = time.Hour
)

// Run carries jobs out until ctx ends: one import at a time, beside it up to three harvests being fetched. What is under way then goes on at the
// next start.
func (p *Imports) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.lane(ctx, false) })
	for range fetchers {
		g.Go(func() error { return p.lane(ctx, true) })
	}
	g.Go(func() error {
		t := time.NewTicker(tendEvery)
		defer t.Stop()
		for swept := (time.Time{}); ; {
			due, tidy := p.Due(ctx), error(nil)
			if time.Since(swept) > sweepEvery {
				swept, tidy = time.Now(), p.Sweep(ctx)
			}
			for what, err := range map[string]error{"harvests": due, "files": tidy} {
				if err != nil && !errors.Is(err, context.Canceled) && protocol.CodeOf(err) != protocol.CodeReadOnly {
					p.cfg.Log.Warn("imports not looked after", "what", what, "error", err)
				}
			}
			select {
			case <-ctx.Done():
				return nil
			case <-t.C:
			}
		}
	})
	return g.Wait()
}

func (p *Imports) now() protocol.Instant { return protocol.InstantOf(p.cfg.Now()) }

func (p *Imports) resource(org access.OrganisationID) access.Resource {
	return access.Resource{Member: p.cfg.Member, Organisation: org}
}

// may asks whether a may change what an organisation imports, and what that organisation is.
func (p *Imports) may(a access.Actor, org access.OrganisationID) (Organisation, error) {
	if err := access.Can(a, access.ImportPosting, p.resource(org)); err != nil {
		return Organisation{}, err
	}
	o, err := p.cfg.Organisation(org)
	switch {
	case err != nil:
		return o, err
	case o.Disabled:
		return o, protocol.Errorf(protocol.CodeConflict, "organisation", "this organisation is disabled and imports nothing: ask the agency that hosts this node")
	}
	return o, nil
}

func (p *Imports) audit(tx *store.Tx, a access.Actor, action, kind, id string, org access.OrganisationID, detail map[string]string) error {
	if p.cfg.Audit == nil {
		return nil
	}
	return p.cfg.Audit(tx, Event{Actor: a.User, Token: a.Token, Operator: a.Operator, Action: action, Kind: kind, ID: id, Organisation: org, Detail: detail})
}

// at is where tests break off.
func (p *Imports) at(point string, job JobID) error {
	if p.hook == nil {
		return nil
	}
	return p.hook(point, job)
}

// signal wakes all who wait.
type signal struct {
	mu sync.Mutex
	c  chan struct{}
}

// wait is closed at the next call of wake.
func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.c
}

func (s *signal) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.c)
	s.c = make(chan struct{})
}
