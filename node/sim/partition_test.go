package sim

import (
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// split is what a partition cost.
type split struct {
	links   int           // pairs connected when it was healed
	relink  time.Duration // after healing, until all were connected
	equal   time.Duration // after healing, until all were equal and proven
	healing Measured      // since healing
	crossed float64       // bytes received since healing per text byte that had to cross the cut
}

// partition cuts the members into two groups by turns for a while, in which all origins publish, and heals it.
func partition(t *testing.T, f *Federation, s *source, cut time.Duration, changes int) (p split) {
	t.Helper()
	var halves [2][]protocol.MemberID
	group := make(map[protocol.MemberID]int)
	for i, m := range f.Members() {
		group[m] = i % 2
		halves[i%2] = append(halves[i%2], m)
	}
	f.Cut(halves[:]...)
	f.Mark()
	origins := f.Origins()
	for i := range changes {
		m := origins[i%len(origins)]
		f.Publish(m, s.listing(m))
		time.Sleep(cut / time.Duration(changes))
	}
	var due int64
	f.probe.mu.Lock()
	for m, n := range f.probe.payload {
		due += n * int64(len(halves[1-group[m]]))
	}
	f.probe.mu.Unlock()

	p.links = f.Links()
	k, healed := f.Mark(), time.Now()
	f.Heal()
	p.relink = f.AwaitLinked(5 * time.Minute)
	f.AwaitEqual(5 * time.Minute)
	p.equal = time.Since(healed)
	p.healing = k.End()
	p.crossed = float64(p.healing.Bytes) / float64(due)
	return p
}

// Half of the members cannot reach the other half for 90 s, long enough for every connection across to be given up. Both
// halves go on publishing.
func TestPartition(t *testing.T) {
	Run(t, Config{}, func(t *testing.T, f *Federation) {
		p := partition(t, f, newSource(t, 2), 90*time.Second, 450)
		t.Logf("12 nodes, 6/6 for 90 s, 450 changes: %d of 66 pairs connected at healing, all again after %v, equal and proven after %v; %.2f bytes for each byte of text that had to cross; %d of %d by pull",
			p.links, p.relink, p.equal, p.crossed, p.healing.Samples-p.healing.Gossiped, p.healing.Samples)
		if p.equal > floor {
			t.Errorf("equal after %v, at most %v", p.equal, floor)
		}
		// Whoever was cut off applies what it pulls; what gossip brought meanwhile must follow (AwaitEqual looks).
		if p.healing.Gossiped == p.healing.Samples {
			t.Error("nothing was pulled")
		}
	})
}

// Ten minutes are hundreds of dials in vain. They must not keep anybody from dialling on: libp2p's detector of UDP black
// holes, left on, refuses nearly every dial after that many failures, and the halves found each other after 66 to 101 s.
func TestLongPartition(t *testing.T) {
	Run(t, Config{}, func(t *testing.T, f *Federation) {
		p := partition(t, f, newSource(t, 7), 10*time.Minute, 110)
		t.Logf("12 nodes, 6/6 for 10 min: all connected after %v, equal and proven after %v", p.relink, p.equal)
		if p.equal > floor/2 {
			t.Errorf("equal after %v, at most %v", p.equal, floor/2)
		}
	})
}

// floor is within what time after any partition all must be equal and proven.
const floor = 120 * time.Second

// burst lets one origin publish n changes at once and waits until all have proven them.
func burst(t *testing.T, f *Federation, s *source, n int) (took time.Duration, m Measured) {
	t.Helper()
	origin := f.Origins()[0]
	k := f.Mark()
	f.Publish(origin, s.listings(origin, n)...)
	took = f.AwaitEqual(5 * time.Minute)
	return took, k.End()
}

// An import is more than gossip can carry: the origin announces its head, and the others pull.
func TestBurst(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 300
	}
	Run(t, Config{}, func(t *testing.T, f *Federation) {
		took, m := burst(t, f, newSource(t, 3), n)
		t.Logf("12 nodes, burst of %d: equal and proven after %v; %v", n, took, m)
		if m.Gossiped > m.Samples/20 {
			t.Errorf("%d of %d were gossiped", m.Gossiped, m.Samples)
		}
		if m.Wire > 1.15 {
			t.Errorf("pulling takes %.2f times its payload, at most 1.15", m.Wire)
		}
		if took > 30*time.Second {
			t.Errorf("proven after %v, at most 30 s", took)
		}
	})
}
