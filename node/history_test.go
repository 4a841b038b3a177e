package node_test

import (
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
)

// A day is written down at the start, and is there after a restart; a day on which the node did not run is a gap.
func TestHistoryIsWrittenDown(t *testing.T) {
	t.Parallel() // waits more than it computes
	l := newLone(t, t.TempDir())
	ahead := time.Duration(0)
	l.cfg.Now = func() time.Time { return time.Now().Add(ahead) }
	recorded := func(n *node.Node, want int) []stats.Day {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for late := time.After(20 * time.Second); ; {
			days, err := n.History(10)
			if err != nil {
				t.Fatal(err)
			}
			if len(days) == want {
				return days
			}
			select {
			case <-tick.C:
			case <-late:
				t.Fatalf("recorded are %+v, want %d days", days, want)
			}
		}
	}
	l.run(func(n *node.Node) {
		kettle := &protocol.Listing{ID: "KETTLE-1", Kind: "TO", Country: "KH", Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Solar kettle"}}}
		if _, err := n.Desk().Publish(t.Context(), kettle); err != nil {
			t.Fatal(err)
		}
		if m := recorded(n, 1)[0].Members[l.cfg.Member]; m.Kinds["TO"] != 1 || !m.Heard || m.Lag != 0 {
			t.Errorf("recorded %+v", m)
		}
	})
	ahead = 48 * time.Hour
	l.run(func(n *node.Node) {
		if days := recorded(n, 2); !days[1].Gap || days[1].Day != days[0].Day+2 || days[1].Listings() != 1 {
			t.Errorf("recorded %+v", days)
		}
	})
}
