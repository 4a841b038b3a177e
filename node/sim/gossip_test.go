package sim

import (
	"testing"
	"time"
)

// steady lets all origins publish in turn, at rate changes a second in all, and waits until everybody has proven them.
func steady(t *testing.T, f *Federation, s *source, changes, rate int) Measured {
	t.Helper()
	k := f.Mark()
	origins := f.Origins()
	for i := range changes {
		m := origins[i%len(origins)]
		f.Publish(m, s.listing(m))
		time.Sleep(time.Second / time.Duration(rate))
	}
	f.AwaitEqual(time.Minute)
	m := k.End()
	if want := changes * (len(f.ids) - 1); m.Samples != want {
		t.Errorf("%d changes were proven elsewhere, want %d", m.Samples, want)
	}
	return m
}

// Changes at a moderate pace reach everybody by gossip, within a fraction of a second.
func TestGossip(t *testing.T) {
	Run(t, Config{}, func(t *testing.T, f *Federation) {
		m := steady(t, f, newSource(t, 1), 220, 20)
		t.Logf("12 nodes, 220 changes at 20/s: %v", m)
		if m.P99 > 300*time.Millisecond {
			t.Errorf("p99 is %v, at most 300 ms", m.P99)
		}
		if m.Wire > 6 {
			t.Errorf("gossip takes %.2f times its payload, at most 6", m.Wire)
		}
	})
}
