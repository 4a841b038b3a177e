package sim

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// What takes long is measured by hand, and its rows stand in docs/benchmarks.md:
//
//	TMH_SOAK=1 go test -timeout 3h -v -run Soak ./node/sim
func soak(t *testing.T, cfg Config, row func(t *testing.T, f *Federation) string) {
	t.Helper()
	if os.Getenv("TMH_SOAK") == "" {
		t.Skip("takes minutes: set TMH_SOAK=1")
	}
	start := time.Now()
	var said string
	Run(t, cfg, func(t *testing.T, f *Federation) { said = row(t, f) })
	fmt.Fprintf(t.Output(), "| %s | %s | %.0f s |\n", t.Name(), said, time.Since(start).Seconds())
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
}

func TestSoakGossip(t *testing.T) {
	for _, x := range []struct {
		nodes, rate int
		latency     string
		oneWay      func(i, j int) time.Duration
	}{
		{12, 20, "ASEAN", ASEAN}, {12, 50, "ASEAN", ASEAN}, {24, 20, "ASEAN", ASEAN}, {24, 50, "ASEAN", ASEAN},
		{24, 20, "scattered", scattered},
	} {
		t.Run(fmt.Sprintf("%d nodes, %d/s, %s", x.nodes, x.rate, x.latency), func(t *testing.T) {
			soak(t, Config{Members: x.nodes, Latency: x.oneWay}, func(t *testing.T, f *Federation) string {
				m := steady(t, f, newSource(t, 1), 30*x.rate, x.rate)
				return fmt.Sprintf("p50 %s, p99 %s, worst %s; %d of %d by gossip | %.2f (most %.2f)",
					milliseconds(m.P50), milliseconds(m.P99), milliseconds(m.Worst), m.Gossiped, m.Samples, m.Wire, m.WireMost)
			})
		})
	}
}

// scattered is the delays of the prototypes that came before: 4 to 48 ms without any geography.
func scattered(i, j int) time.Duration {
	return time.Duration(4+(min(i, j)*7+max(i, j)*13)%45) * time.Millisecond
}

func TestSoakPartition(t *testing.T) {
	for _, x := range []struct {
		nodes, changes int
		cut            time.Duration
	}{
		{12, 900, 90 * time.Second}, {24, 900, 90 * time.Second}, {12, 10_000, 10 * time.Minute}, {24, 10_000, 10 * time.Minute},
	} {
		t.Run(fmt.Sprintf("%d nodes, %v, %d changes", x.nodes, x.cut, x.changes), func(t *testing.T) {
			soak(t, Config{Members: x.nodes}, func(t *testing.T, f *Federation) string {
				p := partition(t, f, newSource(t, 2), x.cut, x.changes)
				return fmt.Sprintf("%d of %d pairs connected at healing; all after %s; equal and proven after %s; %d by pull | %.2f",
					p.links, x.nodes*(x.nodes-1)/2, seconds(p.relink), seconds(p.equal), p.healing.Samples-p.healing.Gossiped, p.crossed)
			})
		})
	}
}

func TestSoakBurst(t *testing.T) {
	for _, x := range []struct{ nodes, changes int }{{12, 2000}, {24, 2000}, {12, 10_000}, {24, 10_000}} {
		t.Run(fmt.Sprintf("%d nodes, %d changes", x.nodes, x.changes), func(t *testing.T) {
			soak(t, Config{Members: x.nodes}, func(t *testing.T, f *Federation) string {
				took, m := burst(t, f, newSource(t, 3), x.changes)
				return fmt.Sprintf("equal and proven after %s; %d of %d by gossip | %.2f (most %.2f)", seconds(took), m.Gossiped, m.Samples, m.Wire, m.WireMost)
			})
		})
	}
}
