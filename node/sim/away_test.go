package sim

import (
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// LA joins when there is a catalogue already, MM is stopped and started again, KH crashes in the middle of publishing:
// all catch up by pulling what they lack, and KH goes on where it was.
func TestAway(t *testing.T) {
	const la, mm, kh, sg = "LA", "MM", "KH", "SG"
	Run(t, Config{Members: 6, Late: []protocol.MemberID{la}, Disk: []protocol.MemberID{mm, kh}}, func(t *testing.T, f *Federation) {
		s := newSource(t, 4)
		for range 10 {
			for _, m := range f.up() {
				f.Publish(m, s.listing(m))
			}
			time.Sleep(200 * time.Millisecond)
		}
		f.AwaitEqual(10 * time.Second)

		f.Stop(mm)
		f.Publish(kh, s.listings(kh, 120)...)
		f.Crash(kh)
		my := protocol.MemberID("MY")
		f.Publish(my, s.listings(my, 150)...)
		revised := s.listing(my)
		f.Publish(my, revised)
		revised.TRL = 1 + revised.TRL%9
		f.Publish(my, revised)
		time.Sleep(2 * time.Minute)

		start := time.Now()
		for _, m := range []protocol.MemberID{la, mm, kh} {
			f.Start(m)
		}
		linked := f.AwaitLinked(time.Minute)
		f.AwaitEqual(time.Minute)
		t.Logf("all connected %v after they were started, and equal after %v", linked, time.Since(start))
		for _, m := range []protocol.MemberID{la, mm, kh} {
			if v := f.View(m, my); v.State != exchange.Proven || v.Position.Seq != 162 || v.Listings != 161 {
				t.Errorf("%s holds %+v of %s", m, v, my)
			}
		}
		// Of KH's 130 changes none is lost, though nobody heard of the last ones before it crashed.
		if v := f.View(la, kh); v.Position.Seq != 130 {
			t.Errorf("LA holds KH at %s, want 130", v.Position)
		}
		if n := f.Count(mm, "tmh_changes_admitted_total", "pull"); n >= 300 {
			t.Errorf("MM pulled %v changes: it began from nothing", n)
		}
		for _, m := range f.up() {
			f.Publish(m, s.listing(m))
		}
		f.AwaitEqual(10 * time.Second)
	})
}

// BN is cut off until its connections are lost, while ID revises the same listing again and again. What gossip brings
// when BN is back does not follow what it has: it is held back until a pull closed the gap.
func TestGap(t *testing.T) {
	const bn, id = "BN", "ID"
	Run(t, Config{Members: 5}, func(t *testing.T, f *Federation) {
		s := newSource(t, 5)
		l := s.listing(id)
		publish := func(n int) {
			for range n {
				l.TRL = 1 + l.TRL%9
				f.Publish(id, l, s.listing(id))
				time.Sleep(200 * time.Millisecond)
			}
		}
		publish(5)
		f.AwaitEqual(10 * time.Second)
		f.Mark()
		f.Cut([]protocol.MemberID{bn})
		publish(200)
		f.Heal()
		publish(100) // while BN finds back
		f.AwaitEqual(time.Minute)

		gossiped, pulled := 0, 0
		for _, x := range f.Samples() {
			if x.Node != bn {
				continue
			}
			if x.Gossip {
				gossiped++
			} else {
				pulled++
			}
		}
		t.Logf("of 600 changes BN got %d by gossip and %d by pull; it held back %v", gossiped, pulled, f.Count(bn, "tmh_changes_refused_total", string(protocol.CodeGap)))
		if pulled < 200 || gossiped == 0 || gossiped+pulled != 600 {
			t.Errorf("of 600 changes BN got %d by gossip and %d by pull", gossiped, pulled)
		}
	})
}

// The clocks of BN and MY are an hour off. Nothing depends on them but leases, and a clock that is ahead wins none.
func TestClocks(t *testing.T) {
	const bn, my = "BN", "MY"
	Run(t, Config{Members: 6, Clock: map[protocol.MemberID]time.Duration{bn: time.Hour, my: -time.Hour}}, func(t *testing.T, f *Federation) {
		s := newSource(t, 6)
		for range 10 {
			for _, m := range f.up() {
				f.Publish(m, s.listing(m))
			}
			time.Sleep(100 * time.Millisecond)
		}
		f.AwaitEqual(10 * time.Second)
		time.Sleep(11 * time.Minute) // another head statement of each
		for _, a := range f.up() {
			for _, b := range f.up() {
				v := f.View(a, b)
				if a != b && v.State != exchange.Proven {
					t.Errorf("%s holds %s as %s: %s", a, b, v.State, v.Why)
				}
				if most := f.Clock(a).Add(protocol.Lease); v.LeaseUntil.Time().After(most) {
					t.Errorf("%s gives %s a lease until %s, at most %s by its own clock", a, b, v.LeaseUntil.Time(), most)
				}
			}
		}
		// MY falls silent, and a day later it is stale everywhere. BN is not, although its clock was ahead.
		f.Stop(my)
		for _, m := range f.up() {
			f.SetClock(m, f.cfg.Clock[m]+protocol.Lease)
		}
		time.Sleep(11 * time.Minute)
		for _, a := range f.up() {
			if v := f.View(a, my); v.State != exchange.Stale {
				t.Errorf("%s holds MY as %s after a day's silence", a, v.State)
			}
			if v := f.View(a, bn); a != bn && v.State != exchange.Proven {
				t.Errorf("%s holds BN as %s: %s", a, v.State, v.Why)
			}
		}
	})
}
