package node

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/protocol"
)

// TestMetricsAreDocumented: an operator who sees a name in an alarm finds it in docs/operations.md, with what to do.
func TestMetricsAreDocumented(t *testing.T) {
	seat, err := founding.NewSeat(founding.ASEAN()[0], "metrics")
	if err != nil {
		t.Fatal(err)
	}
	seat.Addresses = []string{"/ip4/127.0.0.1/tcp/4001"}
	papers, err := founding.Found("Alone", []founding.Seat{seat}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	n, err := New(Config{
		Member: seat.Member.ID, Record: seat.Record, Transport: seat.Transport, Papers: papers, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Metrics: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	known := make(map[string]bool)
	for _, c := range append(n.metrics.all, n.backups.total, n.backups.last) {
		for _, name := range namesOf(c) {
			if !foreign(name) {
				known[name] = true
			}
		}
	}
	n.blame("SG", protocol.CodeSignature)
	shown, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range shown {
		if name := f.GetName(); !known[name] && !foreign(name) {
			t.Errorf("%s is shown and not known of here", name)
		}
	}
	b, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, m := range regexp.MustCompile("(?m)^\\| `(tmh_[a-z0-9_]+)`").FindAllStringSubmatch(string(b), -1) {
		if documented[m[1]] {
			t.Errorf("docs/operations.md has %s twice", m[1])
		}
		documented[m[1]] = true
	}
	var missing []string
	for name := range known {
		if !documented[name] {
			missing = append(missing, name)
		}
	}
	if slices.Sort(missing); len(missing) > 0 {
		t.Errorf("docs/operations.md lacks:\n%s", strings.Join(missing, "\n"))
	}
	for name := range documented {
		if !known[name] {
			t.Errorf("docs/operations.md has %s, which there is not", name)
		}
	}
	if d, err := n.Member(seat.Member.ID); err != nil || len(d.Faults) != 0 || !d.Self || !d.Proven {
		t.Errorf("got %+v, %v", d, err)
	}
	if faults := n.faultsOf("SG"); len(faults) != 1 || faults[0].Code != "signature" || faults[0].Count != 1 {
		t.Errorf("got faults %+v", faults)
	}
}

// foreign names are those of the Go runtime, the process and libp2p, which document theirs.
func foreign(name string) bool {
	return slices.ContainsFunc([]string{"go_", "process_", "libp2p_"}, func(p string) bool { return strings.HasPrefix(name, p) })
}
