package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/live"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/embed"
	"github.com/asean-tmh/tmh/node/oai"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// Config of a node.
type Config struct {
	Member    protocol.MemberID
	Record    *protocol.Signer   // signs this node's changes and head statements
	Transport ed25519.PrivateKey // identity on the network
	Papers    *protocol.Papers   // charters and cards to begin with, or to add; nil: those in the store

	Store store.Config
	Guard string // path of the guard file, outside the store. Empty: none, for simulations

	Backup BackupConfig // scheduled backups

	Listen   []string // multiaddrs of the federation's network
	Announce []string // addresses for the card, where they differ
	Relay    bool     // relay for members that cannot be reached (a secretariat's task)

	Alone       bool          // sign though fewer than half of the other members said what they hold of this node's catalogue
	RetainLeast time.Duration // how long a withdrawal stays in the set; 0: 90 days, and until everybody has it
	RetainMost  time.Duration // the longest; 0: 400 days
	AuditEvery  time.Duration // between background audits of everything held; 0: a week

	WithoutIndex bool   // matches nothing: for measurements of all the rest
	Index        string // folder of the match index, which is made anew where it is absent; empty: in memory only
	Lexicon      string // folder of imported language packs; empty: only the built-in pack

	Embedder     embed.Embedder // an outside model that helps to rank; nil: none
	EmbedTimeout time.Duration  // how long a query waits for it; 0: 300 ms

	House house.Config // what the operator sets of it: public address, agency, mail, provider of identities, limits

	HTTP          string         // address of pages and API; empty: none
	Socket        string         // path of the administration socket; empty: none
	Certificate   string         // file of a certificate that pages and API are served with, read anew when it changes; empty: without TLS
	Key           string         // file of its key
	Proxies       []netip.Prefix // in front of that address, whose word about where a request came from is taken
	Token         string         // operator token for writing over HTTP; empty: none
	Limits        *api.Limits    // how often one visitor may ask; nil: api.DefaultLimits
	Demonstration bool           // says on every page that the content is invented
	Version       string

	Now       func() time.Time // the wall clock, for facts that a clock states; nil: the real one
	Log       *slog.Logger     // nil: silent
	Metrics   *prometheus.Registry
	ListenUDP func(*net.UDPAddr) (net.PacketConn, error) // instead of real sockets, for simulations
	Tap       func(Event)                                // told of what is admitted and proven, for tests and measurements; must return soon
}

// Event is told to Config.Tap.
type Event struct {
	Origin  protocol.MemberID
	Pos     protocol.Position
	Gossip  bool // admitted by gossip; else proven by a pull
	Changes int
}

// Node of a member. Make it with New and run it once.
type Node struct {
	cfg     Config
	log     *slog.Logger
	store   *store.Store
	guard   *store.Guard // nil in simulations
	net     *p2p.Net
	index   *match.Index
	counts  *stats.Counters
	history *stats.History
	desk    *exchange.Desk
	live    *live.Hub
	oai     *oai.Provider // nil where nobody can ask
	house   *house.House
	metrics *metrics
	refused atomic.Uint64 // requests, because the node was busy
	roster  atomic.Pointer[protocol.Roster]
	rivals  atomic.Pointer[protocol.SignedCharter] // a second valid charter of one version

	writes    chan *writing // to the journal
	inbox     chan arrival  // to admission
	outbox    outbox
	backups   *backups
	follow    *follower
	nextFloor time.Time              // when withdrawals are looked at again; the journal's
	blocked   atomic.Pointer[string] // why nothing may be signed; nil: it may

	own       own // what is known of this node's own history elsewhere
	buckets   bucketCache
	papers    sync.Mutex   // serialises Adopt
	signing   sync.RWMutex // held while own changes are committed but not guarded yet: nobody may hear of them
	stageLock sync.RWMutex // held while a staged copy is begun; read-held while one is drawn
	mu        sync.Mutex   // guards what follows
	claims    map[protocol.MemberID]*replica.Claims
	early     map[protocol.MemberID]*replica.Early
	kicks     map[protocol.MemberID]chan struct{} // one a running puller
	copies    map[protocol.MemberID]copyView
	signed    map[protocol.MemberID]protocol.Position         // seen in verified headers and statements
	asking    map[question]bool                               // whose heads are being fetched
	staging   map[protocol.MemberID]*staging                  // copies that are drawn beside the ones held
	days      map[protocol.MemberID]day                       // of changes, where the charter grants so many a day
	stuck     map[protocol.MemberID]time.Time                 // since when nobody holds as much as was drawn from
	proofs    map[protocol.MemberID]bool                      // evidence of a fork in the epoch in force is held
	damage    map[protocol.MemberID]string                    // what the audit found
	failed    map[protocol.MemberID]map[protocol.MemberID]int // of each origin, by holder: pulls that ended without proof
	saved     map[protocol.MemberID]time.Time                 // when a head statement was last stored
	heads     map[protocol.MemberID]heard
	spawn     func(func(context.Context)) // starts a goroutine that Run waits for; set by Run
	pulling   chan struct{}

	ready    chan struct{} // closed when the doors are open
	httpAddr atomic.Pointer[string]
	pair     atomic.Pointer[certificate] // that pages and API are served with; nil: none
}

// New opens the store, checks the papers and builds the network; it serves nobody yet. Run must follow, or Close.
func New(cfg Config) (_ *Node, err error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.NewRegistry()
	}
	if cfg.RetainLeast == 0 {
		cfg.RetainLeast = retainLeast
	}
	if cfg.RetainMost == 0 {
		cfg.RetainMost = retainMost
	}
	if cfg.AuditEvery == 0 {
		cfg.AuditEvery = auditEvery
	}
	n := &Node{
		cfg: cfg, log: cfg.Log, counts: stats.New(),
		writes: make(chan *writing), inbox: make(chan arrival, 8192),
		claims: make(map[protocol.MemberID]*replica.Claims), early: make(map[protocol.MemberID]*replica.Early),
		kicks: make(map[protocol.MemberID]chan struct{}), copies: make(map[protocol.MemberID]copyView),
		signed: make(map[protocol.MemberID]protocol.Position), asking: make(map[question]bool),
		saved: make(map[protocol.MemberID]time.Time), staging: make(map[protocol.MemberID]*staging),
		damage: make(map[protocol.MemberID]string), proofs: make(map[protocol.MemberID]bool), stuck: make(map[protocol.MemberID]time.Time), days: make(map[protocol.MemberID]day), failed: make(map[protocol.MemberID]map[protocol.MemberID]int),
		heads: make(map[protocol.MemberID]heard), pulling: make(chan struct{}, maxPulls),
		ready: make(chan struct{}), own: newOwn(),
		buckets: bucketCache{of: make(map[protocol.MemberID]*protocol.SignedHeader), sums: make(map[protocol.MemberID][]protocol.Hash)},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if cfg.Guard != "" {
		if n.guard, err = store.OpenGuard(cfg.Guard); err != nil {
			return nil, err
		}
	}
	cfg.Store.Log = cfg.Log
	if n.store, err = store.Open(cfg.Store); err != nil {
		return nil, err
	}
	if err := n.loadPapers(); err != nil {
		return nil, err
	}
	if err := n.openIndex(); err != nil {
		return nil, err
	}
	n.history = stats.NewHistory(n.store)
	n.follow = newFollower(n)
	n.metrics = newMetrics(n)
	if err := n.loadCopies(); err != nil {
		return nil, err
	}
	n.backups = newBackups(cfg.Metrics)
	n.net, err = p2p.New(p2p.Config{
		Member: cfg.Member, Key: cfg.Transport, Listen: cfg.Listen, Announce: cfg.Announce, Roster: n.roster.Load(),
		Relay: cfg.Relay, Log: cfg.Log, Metrics: n.metrics.forNetwork(cfg.Metrics), ListenUDP: cfg.ListenUDP,
	})
	if err != nil {
		return nil, fmt.Errorf("join the network: %w", err)
	}
	if err := n.resumeStaged(); err != nil { // may put a copy that was proven before the stop in its place
		return nil, err
	}
	for _, m := range n.roster.Load().Charter().Members {
		n.recheck(m.ID) // cards may have been taken while the node was stopped
	}
	n.reviewOwn()
	n.desk = exchange.NewDesk(cfg.Member, n, n, n.index, cfg.Now)
	n.live = live.New(n.desk)
	if err := n.openHouse(); err != nil {
		return nil, err
	}
	return n, n.openOAI()
}

// Close ends a node that Run was never called on.
func (n *Node) Close() error {
	var errs []error
	if n.net != nil {
		errs = append(errs, n.net.Close())
	}
	if n.index != nil {
		errs = append(errs, n.index.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.guard != nil {
		errs = append(errs, n.guard.Close())
	}
	return errors.Join(errs...)
}

// Desk is what people and programs ask of the node.
func (n *Node) Desk() *exchange.Desk { return n.desk }

// House is what the node keeps for itself.
func (n *Node) House() *house.House { return n.house }

// Net is the node's place in the network.
func (n *Node) Net() *p2p.Net { return n.net }

// Ready is closed when the doors are open.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// HTTPAddr is the address on which pages and API are served; "" before Ready or where there is none.
func (n *Node) HTTPAddr() string {
	if a := n.httpAddr.Load(); a != nil {
		return *a
	}
	return ""
}

// Run runs the node until ctx ends or a part of it fails. It stops in this order, so that nobody is told what is not kept
// and nothing is cut short: the doors, where open requests get ten seconds, so that nothing more is written; the last head
// statement, which says where this node stands; the network with everything that applies its messages; the store, and
// last the guard's lock, which lets another process in.
func (n *Node) Run(ctx context.Context) error {
	doors, stopDoors := context.WithCancel(ctx)
	defer stopDoors()
	inner, stopInner := context.WithCancel(context.WithoutCancel(ctx))
	defer stopInner()

	g, failed := errgroup.WithContext(inner)
	n.mu.Lock()
	n.spawn = func(f func(context.Context)) { g.Go(func() error { f(failed); return nil }) }
	n.mu.Unlock()
	n.follow.start(n.spawn) // before anything is admitted, which it would count twice
	if n.mayPublish() {     // nobody else is to be asked
		if _, err := n.signHead(); err != nil { // before anybody connects, who would ask for it in vain
			n.log.Warn("head statement not signed", "error", err)
		}
	}
	g.Go(func() error { return n.net.Run(failed, (*handler)(n)) })
	g.Go(func() error { n.admitLoop(failed); return nil })
	g.Go(func() error { n.journalLoop(failed); return nil })
	g.Go(func() error { n.outboxLoop(failed); return nil })
	g.Go(func() error { n.headLoop(failed); return nil })
	g.Go(func() error { n.vectorLoop(failed); return nil })
	g.Go(func() error { n.ownLoop(failed); return nil })
	g.Go(func() error { n.auditLoop(failed); return nil })
	g.Go(func() error { n.store.Maintain(failed.Done()); return nil })
	g.Go(func() error { n.backupLoop(failed); return nil })
	g.Go(func() error { n.upkeepLoop(failed); return nil })
	g.Go(func() error { return n.house.Run(failed) })
	g.Go(func() error { n.oaiLoop(failed); return nil })
	g.Go(func() error { n.historyLoop(failed); return nil })
	n.spawnPullers()

	served := make(chan error, 1)
	go func() { served <- n.serveDoors(doors) }()
	var err error
	select {
	case err = <-served: // ctx ended, or a door failed
	case <-failed.Done():
		stopDoors()
		err = <-served
	}
	n.sayGoodbye(failed)
	stopInner()
	if werr := g.Wait(); werr != nil && !errors.Is(werr, context.Canceled) {
		err = errors.Join(werr, err)
	}
	err = errors.Join(err, n.index.Close(), n.store.Close())
	if n.guard != nil {
		err = errors.Join(err, n.guard.Close())
	}
	return err
}

// maxPulls is how many origins are drawn at a time: more would only share the same two cores and one disk.
const maxPulls = 3

// jitter spreads what many nodes would do at once over d.
func jitter(d time.Duration) time.Duration { return time.Duration(rand.Int64N(int64(d) + 1)) }

// sleep waits for d, or reports false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (n *Node) tap(e Event) {
	if n.cfg.Tap != nil {
		n.cfg.Tap(e)
	}
}
