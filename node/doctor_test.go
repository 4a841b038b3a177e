package node

import (
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// TestJudgements: what the doctor makes of figures that no test can bring about on a real machine in time.
func TestJudgements(t *testing.T) {
	at := func(seq uint64) protocol.Position { return protocol.Position{Epoch: 1, Seq: seq} }
	one, other := protocol.Sum([]byte("one")), protocol.Sum([]byte("other"))
	type skew = map[protocol.MemberID]time.Duration
	clock := func(ahead skew) func(*exchange.Findings) {
		return func(f *exchange.Findings) { judgeClock(f, ahead) }
	}
	guard := func(m store.Mark, held protocol.Position) func(*exchange.Findings) {
		return func(f *exchange.Findings) { examineGuard(f, m, held, one) }
	}
	space := func(free, wanted uint64, readOnly bool) func(*exchange.Findings) {
		return func(f *exchange.Findings) { examineSpace(f, free, wanted, readOnly) }
	}
	backups := func(c BackupConfig) func(*exchange.Findings) {
		return func(f *exchange.Findings) { ExamineBackups(f, c, "KH", time.Now()) }
	}
	for name, c := range map[string]struct {
		check func(*exchange.Findings)
		want  exchange.Level
	}{
		"nobody's clock":           {clock(nil), exchange.Fine},
		"clocks agree":             {clock(skew{"KH": 0, "LA": -9 * time.Minute}), exchange.Fine},
		"one clock ahead":          {clock(skew{"KH": 0, "LA": 2 * time.Minute}), exchange.Warning},
		"our clock behind":         {clock(skew{"KH": 3 * time.Minute, "LA": 2 * time.Minute, "MM": 0}), exchange.Fault},
		"our clock ahead":          {clock(skew{"KH": -time.Hour, "LA": -2 * time.Hour}), exchange.Fault},
		"one silent for long":      {clock(skew{"KH": -time.Hour, "LA": 0}), exchange.Fine},
		"guard agrees":             {guard(store.Mark{Pos: at(3), Header: one}, at(3)), exchange.Fine},
		"guard of a new node":      {guard(store.Mark{}, protocol.Start), exchange.Fine},
		"guard knows more":         {guard(store.Mark{Pos: at(4), Header: other}, at(3)), exchange.Fault},
		"guard knows less":         {guard(store.Mark{Pos: at(2), Header: other}, at(3)), exchange.Warning},
		"guard of another history": {guard(store.Mark{Pos: at(3), Header: other}, at(3)), exchange.Fault},
		"room":                     {space(9, 3, false), exchange.Fine},
		"little room":              {space(5, 3, false), exchange.Warning},
		"no room":                  {space(2, 3, false), exchange.Fault},
		"no room a moment ago":     {space(9, 3, true), exchange.Fault},
		"no backups on schedule":   {backups(BackupConfig{}), exchange.Warning},
		"no backup yet":            {backups(BackupConfig{Dir: t.TempDir(), Every: time.Hour}), exchange.Warning},
	} {
		var f exchange.Findings
		c.check(&f)
		if len(f) != 1 || f[0].Level != c.want || f[0].What == "" || (f[0].Next == "") != (c.want == exchange.Fine) {
			t.Errorf("%s: got %+v, want %s", name, f, c.want)
		}
	}
}

func TestLagAndAddresses(t *testing.T) {
	for _, c := range []struct {
		signed, proven protocol.Position
		want           uint64
	}{
		{protocol.Position{}, protocol.Start, 0},
		{protocol.Position{Epoch: 1, Seq: 9}, protocol.Position{Epoch: 1, Seq: 9}, 0},
		{protocol.Position{Epoch: 1, Seq: 12}, protocol.Position{Epoch: 1, Seq: 9}, 3},
		{protocol.Position{Epoch: 2, Seq: 12}, protocol.Position{Epoch: 1, Seq: 9}, 3},
		{protocol.Position{Epoch: 2, Seq: 5}, protocol.Position{Epoch: 1, Seq: 9}, 1}, // of a copy that stands on void changes
		{protocol.Position{Epoch: 1, Seq: 12}, protocol.Position{Epoch: 2, Seq: 9}, 0},
	} {
		if got := lag(c.signed, c.proven); got != c.want {
			t.Errorf("lag of %s after %s is %d, want %d", c.signed, c.proven, got, c.want)
		}
	}
	for multiaddr, want := range map[string]string{
		"/ip4/192.0.2.1/tcp/4001": "192.0.2.1:4001", "/ip6/2001:db8::1/tcp/4001": "[2001:db8::1]:4001", "/dns4/node.example/tcp/443/wss": "node.example:443",
		"/ip4/192.0.2.1/udp/4001/quic-v1": "", "/unix/a/tcp/1": "", "/ip4/192.0.2.1/tcp": "", "": "",
	} {
		if got, ok := tcpOf(multiaddr); got != want || ok != (want != "") {
			t.Errorf("%q is %q, want %q", multiaddr, got, want)
		}
	}
}
