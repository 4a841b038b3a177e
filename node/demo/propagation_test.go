package demo_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/protocol"
)

// TestSoakPropagation measures how long a change takes from its publication until the other eleven nodes hold it proven
// and synced, over real connections on loopback with all twelve databases on one disk: 50 changes a second for 20 s.
func TestSoakPropagation(t *testing.T) {
	if os.Getenv("TMH_SOAK") == "" {
		t.Skip("measures for 20 s: set TMH_SOAK=1")
	}
	const rate, count = 50, 1000
	const origin protocol.MemberID = "KH"
	var mu sync.Mutex
	published := make(map[uint64]time.Time)
	arrived := make(map[protocol.MemberID]map[uint64]time.Time)
	f, err := demo.New(demo.Config{Dir: t.TempDir(), Version: "test", Tap: func(m protocol.MemberID, e node.Event) {
		if e.Origin != origin {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if arrived[m] == nil {
			arrived[m] = make(map[uint64]time.Time)
		}
		for seq := e.Pos.Seq; seq > 0 && arrived[m][seq].IsZero(); seq-- { // what one transaction admitted
			arrived[m][seq] = time.Now()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := f.StartAll(); err != nil {
		t.Fatal(err)
	}
	if err := demo.Await(t.Context(), "all gossip with all", func() bool {
		for _, m := range f.Members() {
			if len(f.Node(m).Net().Gossiping()) < len(f.Members())-1 {
				return false
			}
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	for i := range count {
		<-tick.C
		start := time.Now()
		r, err := f.Node(origin).Desk().Publish(t.Context(), invented(origin, i, fmt.Sprintf("propagation %d", i)))
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		published[r.Position.Seq] = start
		mu.Unlock()
	}
	if err := demo.Await(t.Context(), "all nodes are equal", func() bool { ok, _ := f.Equal(); return ok }); err != nil {
		t.Fatal(err)
	}
	var took []time.Duration
	mu.Lock()
	defer mu.Unlock()
	for _, at := range arrived {
		for seq, when := range at {
			took = append(took, when.Sub(published[seq]))
		}
	}
	slices.Sort(took)
	if want := count * (len(f.Members()) - 1); len(took) != want {
		t.Errorf("%d arrivals, want %d", len(took), want)
	}
	t.Logf("%d changes at %d/s, %d arrivals: p50 %v, p99 %v, worst %v", count, rate, len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
}
