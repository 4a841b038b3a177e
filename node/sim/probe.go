package sim

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/protocol"
)

// Sample is one change that one node has proven.
type Sample struct {
	Node, Origin protocol.MemberID
	Seq          uint64
	Took         time.Duration // since its origin began to publish it
	Gossip       bool          // else by a pull
}

// probe notes when what was published and where it was proven.
type probe struct {
	mu      sync.Mutex
	begun   map[protocol.MemberID][]time.Time                  // of each origin, by seq - 1
	seen    map[protocol.MemberID]map[protocol.MemberID]uint64 // of each node, how far it has proven each origin
	samples []Sample
	bases   map[opened]protocol.Position
	stood   map[step]bool // after a transaction
	led     map[step]bool // where gossip led on from; every one of them must be in stood
	faults  []string
	liars   []protocol.MemberID         // who publish what is not told here
	payload map[protocol.MemberID]int64 // text bytes that each origin has published since the last reset
}

// step is a place in an origin's history at which a node stood.
type step struct {
	node, origin protocol.MemberID
	pos          protocol.Position
}

// opened is the change that opened an epoch.
type opened struct {
	origin protocol.MemberID
	pos    protocol.Position
}

func newProbe(ids, liars []protocol.MemberID) *probe {
	p := &probe{
		liars: liars,
		begun: make(map[protocol.MemberID][]time.Time), seen: make(map[protocol.MemberID]map[protocol.MemberID]uint64),
		payload: make(map[protocol.MemberID]int64), bases: make(map[opened]protocol.Position), stood: make(map[step]bool), led: make(map[step]bool),
	}
	for _, m := range ids {
		p.seen[m] = make(map[protocol.MemberID]uint64)
	}
	return p
}

// join counts a node that is no member's first, which stands where another copy stood.
func (p *probe) join(m, like protocol.MemberID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen[m] == nil {
		p.seen[m] = make(map[protocol.MemberID]uint64)
	}
	for s := range maps.Clone(p.stood) {
		if s.node == like {
			p.stood[step{m, s.origin, s.pos}] = true
		}
	}
}

// opens notes the position from which an epoch goes on.
func (p *probe) opens(origin protocol.MemberID, pos, base protocol.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bases[opened{origin, pos}] = base
}

// before is where a node stood before it applied so many changes, of which the last is at pos.
func (p *probe) before(origin protocol.MemberID, pos protocol.Position, changes int) protocol.Position {
	for range changes {
		if base, ok := p.bases[opened{origin, pos}]; ok {
			pos = base
		} else {
			pos.Seq--
		}
	}
	return pos
}

// sent is called in the order of each origin's positions, and before anybody else can have heard: a packet takes time,
// and time stands still while the publisher runs.
func (p *probe) sent(origin protocol.MemberID, pos protocol.Position, at time.Time, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for uint64(len(p.begun[origin])) < pos.Seq {
		p.begun[origin] = append(p.begun[origin], at)
	}
	p.payload[origin] += int64(size)
}

// tap is a node's.
func (p *probe) tap(m protocol.MemberID, e node.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stood[step{m, e.Origin, e.Pos}] = true
	if e.Gossip {
		p.led[step{m, e.Origin, p.before(e.Origin, e.Pos, e.Changes)}] = true
	}
	from, begun := p.seen[m][e.Origin], p.begun[e.Origin]
	switch {
	case e.Pos.Seq <= from: // told out of order by two goroutines, or a node that came back empty
		return
	case e.Pos.Seq > uint64(len(begun)) && slices.Contains(p.liars, e.Origin):
		return
	case e.Pos.Seq > uint64(len(begun)):
		p.faults = append(p.faults, fmt.Sprintf("%s proved %s %s, which was never published", m, e.Origin, e.Pos))
		return
	}
	for q := from + 1; q <= e.Pos.Seq; q++ {
		p.samples = append(p.samples, Sample{m, e.Origin, q, time.Since(begun[q-1]), e.Gossip})
	}
	p.seen[m][e.Origin] = e.Pos.Seq
}

// unlawful says what no node may ever do, of what was seen since it was asked before.
func (p *probe) unlawful() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.led {
		if s.pos.Seq > 0 && !p.stood[s] {
			p.faults = append(p.faults, fmt.Sprintf("%s applied gossip after %s of %s, where it never stood: over a gap", s.node, s.pos, s.origin))
		}
	}
	clear(p.led)
	faults := p.faults
	p.faults = nil
	return faults
}

// Mark begins a measurement: samples, payload and traffic are counted from here on.
type Mark struct {
	f        *Federation
	at       time.Time
	received []int64
}

// Mark begins a measurement and ends the one before.
func (f *Federation) Mark() *Mark {
	f.probe.mu.Lock()
	defer f.probe.mu.Unlock()
	f.probe.samples = nil
	clear(f.probe.payload)
	k := &Mark{f: f, at: time.Now()}
	for i := range f.ids {
		k.received = append(k.received, f.net.received(i))
	}
	return k
}

// Measured is what happened since a Mark.
type Measured struct {
	Span     time.Duration
	Samples  int           // changes × nodes
	Gossiped int           // of them, applied as gossip brought them
	P50, P99 time.Duration // from publishing to proven elsewhere
	Worst    time.Duration
	Payload  int64   // text bytes published
	Wire     float64 // bytes received per byte of payload to be received: mean of all nodes
	WireMost float64 // of the node that received most
	Bytes    int64   // received by all
}

// End ends the measurement.
func (k *Mark) End() (m Measured) {
	f := k.f
	f.probe.mu.Lock()
	defer f.probe.mu.Unlock()
	m.Span, m.Samples = time.Since(k.at), len(f.probe.samples)
	took := make([]time.Duration, 0, m.Samples)
	for _, s := range f.probe.samples {
		took = append(took, s.Took)
		if s.Gossip {
			m.Gossiped++
		}
	}
	slices.Sort(took)
	if n := len(took); n > 0 {
		m.P50, m.P99, m.Worst = took[n/2], took[n*99/100], took[n-1]
	}
	for _, n := range f.probe.payload {
		m.Payload += n
	}
	var due int64
	for i, id := range f.ids {
		got := f.net.received(i) - k.received[i]
		own := m.Payload - f.probe.payload[id]
		m.Bytes, due = m.Bytes+got, due+own
		if own > 0 {
			m.WireMost = max(m.WireMost, float64(got)/float64(own))
		}
	}
	if due > 0 {
		m.Wire = float64(m.Bytes) / float64(due)
	}
	return m
}

func (m Measured) String() string {
	return fmt.Sprintf("%d samples (%d by gossip), p50 %v p99 %v worst %v; payload %d KB, wire %.2f× (most %.2f×)", m.Samples, m.Gossiped,
		m.P50.Round(100*time.Microsecond), m.P99.Round(100*time.Microsecond), m.Worst.Round(100*time.Microsecond), m.Payload/1000, m.Wire, m.WireMost)
}

// Samples since the last Mark.
func (f *Federation) Samples() []Sample {
	f.probe.mu.Lock()
	defer f.probe.mu.Unlock()
	return slices.Clone(f.probe.samples)
}
