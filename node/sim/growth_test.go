package sim

import (
	"fmt"
	"testing"
	"time"
)

// Growth along the number of nodes: the same 10,000 summaries, published by all in turn, then a steady trickle.
func TestSoakGrowth(t *testing.T) {
	for _, nodes := range []int{12, 24, 60, 120} {
		t.Run(fmt.Sprintf("%d nodes", nodes), func(t *testing.T) {
			soak(t, Config{Members: nodes, NoIndex: true}, func(t *testing.T, f *Federation) string {
				s := newSource(t, 7)
				const summaries = 10_000
				origins := f.Origins()
				k := f.Mark()
				for i, m := range origins {
					n := summaries / len(origins)
					if i < summaries%len(origins) {
						n++
					}
					f.Publish(m, s.listings(m, n)...)
				}
				equal := f.AwaitEqual(10 * time.Minute)
				burst := k.End()
				m := steady(t, f, s, 200, 20)
				return fmt.Sprintf("%d pairs connected; %d summaries equal and proven everywhere after %s, %.2f bytes received per byte of text | then 20/s: p50 %s, p99 %s, %.2f",
					f.Links(), summaries, seconds(equal), burst.Wire, milliseconds(m.P50), milliseconds(m.P99), m.Wire)
			})
		})
	}
}
