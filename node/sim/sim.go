package sim

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/protocol"
)

// Config of a federation.
type Config struct {
	Members   int                                 // 0: 12
	Who       []protocol.MemberID                 // of ASEAN's, who takes part instead of the first so many, ascending
	Seed      uint64                              // the keys follow from it, and which packets are lost
	Latency   func(i, j int) time.Duration        // one way, between the i-th and j-th member; nil: ASEAN
	Bandwidth int                                 // of each node's link, each way, in Mbit/s; 0: 50
	Clock     map[protocol.MemberID]time.Duration // how far a node's wall clock is ahead at first; see SetClock
	Disk      []protocol.MemberID                 // whose store is in a folder, so that they keep it while they are away
	Late      []protocol.MemberID                 // who is not started by New
	NoIndex   bool                                // nodes match nothing: for measurements of replication
	Liars     []protocol.MemberID                 // whose place in the network something else takes than a node
	Outside   []protocol.MemberID                 // who has a place in the network, and no seat in charter 1
	Node      node.Config                         // what it says of retention, audit and scrubs holds for every node
	Log       *slog.Logger                        // nil: silent
}

// Federation of simulated nodes. Its methods fail the test where they cannot do what they say.
type Federation struct {
	t      testing.TB
	cfg    Config
	ids    []protocol.MemberID
	seats  map[protocol.MemberID]founding.Seat
	papers *protocol.Papers                       // charter 1 and the first cards
	given  map[protocol.MemberID]*protocol.Papers // what a member's operator put beside them
	net    *network
	probe  *probe
	disk   string // below which all folders and guard files are

	mu      sync.Mutex
	running map[protocol.MemberID]*running
	ahead   map[protocol.MemberID]time.Duration // wall clocks
	full    map[protocol.MemberID]bool          // whose disk is
	dirs    map[protocol.MemberID]string        // of those who have one; each has its guard file beside it
	twins   map[protocol.MemberID]protocol.MemberID
	moved   map[protocol.MemberID]bool // who has its second place in the network now
	alone   map[protocol.MemberID]bool // who signs though nobody answers
	copies  int                        // of folders made
}

type running struct {
	*node.Node
	metrics *prometheus.Registry
	stop    context.CancelFunc
	done    chan error
}

// Run makes a federation in a bubble of its own, all connected, and lets f use it.
func Run(t *testing.T, cfg Config, f func(t *testing.T, f *Federation)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // golang/go#78156; and other packages' tests run beside
	synctest.Test(t, func(t *testing.T) { f(t, New(t, cfg)) })
}

// New makes a federation and starts its nodes. It must be called in a bubble; the test's cleanup closes it.
func New(t testing.TB, cfg Config) *Federation {
	t.Helper()
	if len(cfg.Who) > 0 {
		cfg.Members = len(cfg.Who)
	}
	if cfg.Members == 0 {
		cfg.Members = 12
	}
	if cfg.Latency == nil {
		cfg.Latency = ASEAN
	}
	if cfg.Bandwidth == 0 {
		cfg.Bandwidth = 50
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	f := &Federation{
		t: t, cfg: cfg, seats: make(map[protocol.MemberID]founding.Seat), dirs: make(map[protocol.MemberID]string),
		running: make(map[protocol.MemberID]*running), ahead: make(map[protocol.MemberID]time.Duration),
		full: make(map[protocol.MemberID]bool), twins: make(map[protocol.MemberID]protocol.MemberID),
		given: make(map[protocol.MemberID]*protocol.Papers), moved: make(map[protocol.MemberID]bool), alone: make(map[protocol.MemberID]bool),
	}
	maps.Copy(f.ahead, cfg.Clock)
	f.found()
	f.net = newNetwork(cfg.Members, cfg.Bandwidth, cfg.Seed, cfg.Latency)
	f.probe = newProbe(f.ids, cfg.Liars)
	f.disk = t.TempDir() // before close, which so comes before the folder's removal
	t.Cleanup(f.close)
	for _, m := range f.ids {
		if slices.Contains(cfg.Disk, m) {
			f.dirs[m] = f.folder(m)
		}
		if !slices.Contains(cfg.Late, m) && !slices.Contains(cfg.Liars, m) && !slices.Contains(cfg.Outside, m) {
			f.Start(m)
		}
	}
	f.AwaitLinked(time.Minute)
	time.Sleep(settle)
	return f
}

// settle is how long the gossip mesh and the first exchange of papers take.
const settle = 5 * time.Second

func (f *Federation) found() {
	f.t.Helper()
	var seats []founding.Seat
	for i, m := range f.members() {
		s, err := founding.NewSeat(m, fmt.Sprintf("simulation %d", f.cfg.Seed))
		if err != nil {
			f.t.Fatal(err)
		}
		s.Addresses = []string{address(i)}
		f.ids, f.seats[m.ID] = append(f.ids, m.ID), s
		if !slices.Contains(f.cfg.Outside, m.ID) {
			seats = append(seats, s)
		}
	}
	var err error
	if f.papers, err = founding.Found("Simulation", seats, time.Now()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *Federation) members() []protocol.Member {
	if len(f.cfg.Who) == 0 {
		return founding.Members(f.cfg.Members)
	}
	return slices.DeleteFunc(founding.ASEAN(), func(m protocol.Member) bool { return !slices.Contains(f.cfg.Who, m.ID) })
}

// Members ascending by id, running or not.
func (f *Federation) Members() []protocol.MemberID { return slices.Clone(f.ids) }

// Origins are those who publish: all but the secretariat.
func (f *Federation) Origins() []protocol.MemberID {
	return slices.DeleteFunc(f.Members(), func(m protocol.MemberID) bool { return m == founding.Secretariat })
}

// member whose copy m names: itself, but for a second copy.
func (f *Federation) member(m protocol.MemberID) protocol.MemberID {
	f.mu.Lock()
	defer f.mu.Unlock()
	if of, ok := f.twins[m]; ok {
		return of
	}
	return m
}

// index of a member's place in the network, or of its second copy's.
func (f *Federation) index(m protocol.MemberID) int {
	of := f.member(m)
	i, ok := slices.BinarySearch(f.ids, of)
	if !ok {
		f.t.Fatalf("%s is no member of this federation", m)
	}
	if of != m || f.moved[m] {
		i += len(f.ids)
	}
	return i
}

func (f *Federation) close() {
	var all sync.WaitGroup
	for _, m := range f.up() {
		all.Go(func() {
			if err := f.end(m); err != nil {
				f.t.Errorf("stop %s: %v", m, err)
			}
		})
	}
	all.Wait()
	f.net.sim.Close()
	synctest.Wait()
}

// up is the members whose nodes run, ascending, second copies included.
func (f *Federation) up() []protocol.MemberID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.running))
}

// Node of a member, nil where it does not run.
func (f *Federation) Node(m protocol.MemberID) *node.Node {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.running[m]; r != nil {
		return r.Node
	}
	return nil
}

// Clock is what a member's wall clock shows.
func (f *Federation) Clock(m protocol.MemberID) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(f.ahead[m])
}

// SetClock puts a member's wall clock that far ahead of the true time, or behind. Timers are not touched: they follow
// the bubble's clock, as a machine's follow the one that only ever runs forward.
func (f *Federation) SetClock(m protocol.MemberID, ahead time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ahead[m] = ahead
}

// Publish lets a member publish listings, durable all at once.
func (f *Federation) Publish(m protocol.MemberID, all ...*protocol.Listing) {
	f.t.Helper()
	ps := make([]exchange.Publication, len(all))
	for i, l := range all {
		ps[i].Listing = l
	}
	start := time.Now()
	results, err := f.Node(m).Desk().PublishAll(context.Background(), ps)
	if err != nil {
		f.t.Fatalf("%s publishes: %v", m, err)
	}
	for i, r := range results {
		if r.Err != nil {
			f.t.Fatalf("%s publishes %s: %v", m, all[i].ID, r.Err)
		}
		f.probe.sent(m, r.Position, start, textBytes(all[i]))
	}
}

// textBytes is what people wrote of a listing: the payload that figures of traffic relate to.
func textBytes(l *protocol.Listing) (n int) {
	for _, t := range l.Texts {
		n += len(t.Title) + len(t.Value) + len(t.Abstract)
		for _, k := range t.Keywords {
			n += len(k)
		}
	}
	return n
}

// Cut lets packets pass only within each of the groups, and among those who are in none. A second copy is in its member's
// group only where it is named itself.
func (f *Federation) Cut(groups ...[]protocol.MemberID) {
	f.Heal()
	for g, members := range groups {
		for _, m := range members {
			f.net.group[f.index(m)].Store(int32(g + 1))
		}
	}
}

// Heal makes the network whole.
func (f *Federation) Heal() {
	for i := range f.net.group {
		f.net.group[i].Store(0)
	}
}
