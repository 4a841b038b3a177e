package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

// look is how often the waiting methods look.
const look = 100 * time.Millisecond

// await returns how long it took until ok, or fails the test after within.
func (f *Federation) await(within time.Duration, ok func() (bool, string)) time.Duration {
	f.t.Helper()
	start := time.Now()
	for {
		done, why := ok()
		took := time.Since(start)
		if done {
			return took
		}
		if took >= within {
			f.t.Fatalf("not within %v: %s", within, why)
		}
		time.Sleep(look)
	}
}

// AwaitEqual waits until all running nodes have proven every origin at the same position and digest, have nothing left to
// index, and nothing unlawful was seen on the way. It returns how long that took. The catalogues of Config.Liars do not
// count, except those named here.
func (f *Federation) AwaitEqual(within time.Duration, with ...protocol.MemberID) time.Duration {
	f.t.Helper()
	took := f.await(within, func() (bool, string) { return f.equal(with) })
	for _, fault := range f.probe.unlawful() {
		f.t.Error(fault)
	}
	return took
}

func (f *Federation) equal(with []protocol.MemberID) (bool, string) {
	want := make(map[protocol.MemberID]exchange.MemberState) // as its origin has it, or whoever is furthest
	views := make(map[protocol.MemberID][]exchange.MemberState)
	for _, id := range f.up() {
		n := f.Node(id)
		if left := n.Waiting(); left > 0 {
			return false, fmt.Sprintf("%s has %d listings to index", id, left)
		}
		views[id] = n.Members()
		for _, m := range views[id] {
			if m.Self || !want[m.ID].Self && m.Position.Compare(want[m.ID].Position) > 0 {
				want[m.ID] = m
			}
		}
	}
	for id, view := range views {
		for _, m := range view {
			if slices.Contains(f.cfg.Liars, m.ID) && !slices.Contains(with, m.ID) {
				continue
			}
			if w := want[m.ID]; m.Position != w.Position || m.Digest != w.Digest || m.State == exchange.CatchingUp || m.State == exchange.Disputed {
				return false, fmt.Sprintf("%s holds %s at %s (%s), which stands at %s", id, m.ID, m.Position, m.State, w.Position)
			}
		}
	}
	return true, ""
}

// AwaitLinked waits until every running node is connected with every other within its group. Liars are not waited for.
func (f *Federation) AwaitLinked(within time.Duration) time.Duration {
	f.t.Helper()
	return f.await(within, func() (bool, string) {
		up := f.up()
		for _, a := range up {
			linked := f.Node(a).Net().Connected()
			for _, b := range up {
				if f.member(a) != f.member(b) && f.net.group[f.index(a)].Load() == f.net.group[f.index(b)].Load() && !slices.Contains(linked, f.member(b)) {
					return false, fmt.Sprintf("%s is not connected with %s", a, b)
				}
			}
		}
		return true, ""
	})
}

// Links is how many pairs of running nodes are connected, as the first of the pair sees it.
func (f *Federation) Links() (n int) {
	for _, a := range f.up() {
		for _, b := range f.Node(a).Net().Connected() {
			if a < b {
				n++
			}
		}
	}
	return n
}

// View is what a member's node says of another member.
func (f *Federation) View(of, about protocol.MemberID) exchange.MemberState {
	f.t.Helper()
	for _, m := range f.Node(of).Members() {
		if m.ID == about {
			return m
		}
	}
	f.t.Fatalf("%s knows of no %s", of, about)
	return exchange.MemberState{}
}

// Count is the sum of a member's counter over all series whose labels have the given values, since its node started.
func (f *Federation) Count(m protocol.MemberID, name string, labels ...string) (sum float64) {
	f.t.Helper()
	f.mu.Lock()
	r := f.running[m]
	f.mu.Unlock()
	families, err := r.metrics.Gather()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, series := range family.GetMetric() {
			var values []string
			for _, l := range series.GetLabel() {
				values = append(values, l.GetValue())
			}
			if !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(values, l) }) {
				sum += series.GetCounter().GetValue()
			}
		}
	}
	return sum
}
