package api

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// In a burst who came first goes first, and all are served; where the queue does not end, who came last goes first.
func TestGateInABurstAndInARush(t *testing.T) {
	for _, c := range []struct {
		name string
		work time.Duration
		n    int
		want func(served []int) bool
	}{
		{"burst", time.Millisecond, 20, func(s []int) bool { return slices.IsSorted(s) && len(s) == 20 }},
		{"rush", 20 * time.Millisecond, 200, func(s []int) bool { return !slices.IsSorted(s[len(s)/2:]) && len(s) < 60 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gate{cfg: Gate{AtOnce: 1, Waiting: 64, Wait: 50 * time.Millisecond}}
				var served []int
				waited := make(map[int]time.Duration)
				for i := range c.n {
					go func() {
						begun := time.Now()
						if !g.enter(context.Background()) {
							return
						}
						served, waited[i] = append(served, i), time.Since(begun)
						time.Sleep(c.work)
						g.leave()
					}()
					time.Sleep(c.work / 5)
				}
				synctest.Wait()
				time.Sleep(time.Minute)
				synctest.Wait()
				if !c.want(served) {
					t.Errorf("served %v", served)
				}
				for i, w := range waited {
					if w > g.cfg.Wait {
						t.Errorf("%d waited %s", i, w)
					}
				}
			})
		})
	}
}
