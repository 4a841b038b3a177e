package node

import (
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// An origin that may make ten changes a day is stopped after as many, goes on the next day, and may catch up on the days
// on which it was not heard.
func TestChangesADay(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	n := &Node{
		cfg: Config{Now: func() time.Time { return now }}, days: make(map[protocol.MemberID]day),
		copies: make(map[protocol.MemberID]copyView), heads: make(map[protocol.MemberID]heard),
	}
	held := replica.New("KH")
	held.Proven.Seq = 100
	n.days["KH"] = beginDay(held, nil, now)
	for _, x := range []struct {
		after time.Duration
		seq   uint64
		want  bool
	}{
		{0, 101, true}, {time.Hour, 110, true}, {0, 111, false}, {22 * time.Hour, 111, false},
		{time.Hour, 111, true}, // the day is over: it may make ten more
		{0, 121, true}, {0, 122, false},
		{10 * 24 * time.Hour, 221, true}, {0, 232, false}, // ten days later: ten days' changes, and the day's
	} {
		now = now.Add(x.after)
		if got := n.spend("KH", x.seq, 10); got != x.want {
			t.Errorf("at %s, seq %d: %v", now.Format(time.DateTime), x.seq, got)
		}
	}
	if !n.spend("LA", 1_000_000, 10) { // drawn for the first time
		t.Error("the first that is heard of a catalogue is refused")
	}
	for _, seq := range []uint64{5, 1_000_000} { // from whoever lags behind first
		if !n.spend("MY", seq, 10) {
			t.Errorf("seq %d of a catalogue that is drawn for the first time is refused", seq)
		}
	}
	now = now.Add(25 * time.Hour)
	if !n.spend("MY", 1_000_000, 10) || n.spend("MY", 1_000_011, 10) {
		t.Error("after its first day it has no bound, or the wrong one")
	}
	// Ten days away: the statement that was stored before says when, and how far.
	before := &protocol.SignedHead{Head: protocol.Head{Pos: protocol.Position{Epoch: 1, Seq: 100}, IssuedAt: protocol.InstantOf(now.Add(-10 * 24 * time.Hour))}}
	n.days["TH"] = beginDay(held, before, now)
	if !n.spend("TH", 200, 10) || n.spend("TH", 250, 10) {
		t.Error("who was away for ten days may not catch up on ten days' changes, or on more")
	}
}
