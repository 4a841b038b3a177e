package replica_test

import (
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

func at(seq uint64) protocol.Position { return protocol.Position{Epoch: 1, Seq: seq} }

func TestHolder(t *testing.T) {
	type by = map[protocol.MemberID]uint64
	for _, x := range []struct {
		name          string
		claims        by
		failed        []protocol.MemberID // in order, an age ago
		proven, drawn uint64
		tie           int
		want          protocol.MemberID // "" for nobody
	}{
		{name: "nobody claims anything"},
		{name: "nobody claims more", claims: by{"KH": 5, "LA": 3}, proven: 5, drawn: 5},
		{name: "the furthest", claims: by{"KH": 6, "LA": 9, "MY": 7}, proven: 5, drawn: 5, want: "LA"},
		{name: "more than proven but less than drawn", claims: by{"KH": 8}, proven: 5, drawn: 9},
		{name: "exactly what was drawn", claims: by{"KH": 8, "LA": 9}, proven: 5, drawn: 9, want: "LA"},
		{name: "a tie, first", claims: by{"LA": 9, "KH": 9}, proven: 5, drawn: 5, tie: 0, want: "KH"},
		{name: "a tie, second", claims: by{"LA": 9, "KH": 9}, proven: 5, drawn: 5, tie: 1, want: "LA"},
		{name: "the least failed before the furthest", claims: by{"KH": 1 << 60, "LA": 6}, failed: []protocol.MemberID{"KH"}, proven: 5, drawn: 5, want: "LA"},
		{name: "twice failed after once", claims: by{"KH": 9, "LA": 6}, failed: []protocol.MemberID{"KH", "KH", "LA"}, proven: 5, drawn: 5, want: "LA"},
		{name: "one that failed if there is no other", claims: by{"KH": 9}, failed: []protocol.MemberID{"KH"}, proven: 5, drawn: 5, want: "KH"},
	} {
		var c replica.Claims
		for m, seq := range x.claims {
			c.Heard(m, at(seq))
		}
		start := time.Unix(1000, 0)
		for _, m := range x.failed {
			c.Failed(m, start)
		}
		have := replica.New("KH")
		have.Proven, have.Drawn = at(x.proven), at(x.drawn)
		ties := 0
		got, ok := c.Holder(have, start.Add(time.Hour), func(n int) int { ties = n; return min(x.tie, n-1) })
		if got != x.want || ok != (x.want != "") {
			t.Errorf("%s: got %q, %v, want %q", x.name, got, ok, x.want)
		}
		if ok && ties < 1 {
			t.Errorf("%s: tie was asked about %d", x.name, ties)
		}
	}
}

func TestClaimsRiseAndGo(t *testing.T) {
	var c replica.Claims
	if c.Top() != (protocol.Position{}) {
		t.Errorf("top of nothing is %s", c.Top())
	}
	c.Heard("KH", at(7))
	c.Heard("KH", at(5)) // late news
	c.Heard("LA", at(6))
	if c.Top() != at(7) {
		t.Errorf("top is %s", c.Top())
	}
	c.Gone("KH")
	if c.Top() != at(6) {
		t.Errorf("top is %s after the furthest left", c.Top())
	}
	c.Failed("KH", time.Unix(0, 0)) // of somebody gone
	c.Proved("KH")
	if c.Top() != at(6) {
		t.Errorf("one who left came back: top is %s", c.Top())
	}
}

// A holder that fails rests for .5, 1, 2, 4, … and at most 30 seconds; a higher claim does not shorten that, a proof does.
func TestFailedHolderRests(t *testing.T) {
	var c replica.Claims
	now := time.Unix(1000, 0)
	c.Heard("LA", at(9))
	have := replica.New("KH")
	rests := func(d time.Duration) bool {
		_, ok := c.Holder(have, now.Add(d), func(int) int { return 0 })
		return !ok
	}
	want := 500 * time.Millisecond
	for i := range 80 {
		c.Failed("LA", now)
		c.Heard("LA", at(uint64(10+i)))
		if !rests(want-time.Nanosecond) || rests(want) {
			t.Errorf("after %d failures it does not rest for %s", i+1, want)
		}
		want = min(2*want, 30*time.Second)
	}
	c.Proved("LA")
	if rests(0) {
		t.Error("it rests after a proof")
	}
	c.Failed("LA", now)
	if rests(500 * time.Millisecond) {
		t.Error("a proof did not forgive")
	}
}

func TestEarly(t *testing.T) {
	p := newPast(t)
	var e replica.Early
	if e.After(protocol.Start) != nil {
		t.Error("something of nothing")
	}
	for _, seq := range []int{5, 3, 2, 8, 5} {
		e.Hold(p.at(seq))
	}
	for _, x := range []struct{ after, want int }{{1, 2}, {1, 0}, {4, 5}, {2, 0}, {6, 0}, {7, 8}} {
		ch := e.After(at(uint64(x.after)))
		if got := ch; (got == nil) != (x.want == 0) || got != nil && got.Pos.Seq != uint64(x.want) {
			t.Errorf("after %d came %v, want %d", x.after, ch, x.want)
		}
	}
}

// What is held back is bounded; a pull brings what was dropped.
func TestEarlyIsBounded(t *testing.T) {
	f, err := replicatest.NewFederation("KH")
	if err != nil {
		t.Fatal(err)
	}
	origin := replicatest.Node{Store: new(replicatest.Map), Origin: "KH"}
	var e replica.Early
	for i := range 200 {
		ch, err := origin.Author(f, protocol.Put, replicatest.Key(i), nil)
		if err != nil {
			t.Fatal(err)
		}
		e.Hold(ch)
	}
	held := 0
	for i := range uint64(200) {
		if e.After(at(i)) != nil {
			held++
		}
	}
	if held != 128 {
		t.Errorf("%d changes were held", held)
	}
}
