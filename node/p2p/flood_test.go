package p2p

import (
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"

	"github.com/asean-tmh/tmh/protocol"
)

// floodlit is three nodes: AA and CC run, and BB sends on a topic what no node of ours would.
type floodlit struct {
	*federation
	a, c    *node
	publish func([]byte)
}

// flooder lets AA have smaller budgets, so that a small flood will do.
func flooder(t *testing.T, topic string, smaller map[budget]allowance) floodlit {
	t.Helper()
	f := newFederation(t, "test", "AA", "BB", "CC")
	a, b, c := f.open("AA"), f.open("BB"), f.open("CC")
	maps.Copy(a.budgets.each, smaller)
	f.introduce(a, b, c)
	f.run(a)
	f.run(c)
	ps, err := pubsub.NewGossipSub(t.Context(), b.host, pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(messageID), pubsub.WithFloodPublish(true), pubsub.WithPeerOutboundQueueSize(1<<16))
	if err != nil {
		t.Fatal(err)
	}
	tp, err := ps.Join(topicName(f.charter.FederationID(), topic))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.dial(t.Context(), a.host.ID()); err != nil {
		t.Fatal(err)
	}
	heard(t, c.Net, topic, 1)
	eventually(t, "subscription of AA", func() bool { return len(tp.ListPeers()) >= 1 })
	return floodlit{f, a, c, func(b []byte) {
		if err := tp.Publish(t.Context(), b); err != nil {
			t.Error(err)
		}
	}}
}

// counted is how often n named m for a fault.
func counted(n *Net, m protocol.MemberID, what fault) float64 {
	return value(n.metrics.faults.WithLabelValues(string(m), string(what)))
}

// takeChanges counts what arrives at AA of BB until stop, and reports what arrives of CC.
func (x floodlit) takeChanges(t *testing.T) (ofC <-chan uint64, ofB *atomic.Int64, stop func()) {
	seqs, end, ended, ofB := make(chan uint64, 64), make(chan struct{}), make(chan struct{}), new(atomic.Int64)
	go func() {
		defer close(ended)
		for {
			select {
			case d := <-x.a.desk.changes:
				if d.what[0].Origin == "CC" {
					seqs <- d.what[0].Pos.Seq
				} else {
					ofB.Add(int64(len(d.what)))
				}
			case <-end:
				return
			}
		}
	}()
	go func() { // CC's own desk
		for {
			select {
			case <-x.c.desk.changes:
			case <-end:
				return
			}
		}
	}()
	return seqs, ofB, func() { close(end); <-ended }
}

// whileFlooded sends all, again and again interrupted by a change of CC's that must arrive before the flood goes on. It waits
// until at least so many of BB's changes arrived: on a busy machine CC's overtake all of them.
func (x floodlit) whileFlooded(t *testing.T, flood [][]byte, least int64) (got int, took time.Duration) {
	t.Helper()
	ofC, ofB, stop := x.takeChanges(t)
	defer stop()
	start := time.Now()
	const parts = 8
	for i := range parts {
		for _, b := range flood[i*len(flood)/parts : (i+1)*len(flood)/parts] {
			x.publish(b)
		}
		if err := x.c.PublishChanges(t.Context(), []*protocol.Change{x.change("CC", uint64(i+1))}); err != nil {
			t.Fatal(err)
		}
		await(t, ofC, uint64(i+1))
	}
	for _, m := range []protocol.MemberID{"AA", "CC"} {
		for _, what := range []fault{gossipRate, originRate, headRate, evidenceRate} {
			if counted(x.a.Net, m, what) != 0 {
				t.Errorf("%s is named for %s", m, what)
			}
		}
	}
	eventually(t, "BB's changes within its budget arrive", func() bool { return ofB.Load() >= least })
	return int(ofB.Load()), time.Since(start)
}

// most that a budget lets through in a time.
func (b *budgets) most(of budget, in time.Duration) int {
	a := b.each[of]
	return a.burst + int(float64(a.rate)*in.Seconds()) + 1
}

func (x floodlit) gossip(cs ...*protocol.Change) []byte {
	return x.a.zip.pack(nil, protocol.EncodeGossip(cs))
}

func TestFloodOfSignedChanges(t *testing.T) {
	x := flooder(t, "changes", map[budget]allowance{originChanges: {50, 500}, originRepeated: {50, 500}})
	var flood [][]byte
	seq := uint64(0)
	for range 160 {
		var cs []*protocol.Change
		for range 24 {
			seq++
			cs = append(cs, x.change("BB", seq))
		}
		flood = append(flood, x.gossip(cs...))
	}
	got, took := x.whileFlooded(t, flood, 500)
	t.Logf("%d of %d changes taken in %v", got, seq, took)
	if most := x.a.budgets.most(originChanges, took) + x.a.budgets.most(originRepeated, took); got > most { // messages overtake each other
		t.Errorf("%d changes of BB's were delivered, at most %d are within its budget", got, most)
	}
	eventually(t, "BB is named", func() bool { return counted(x.a.Net, "BB", originRate) > 0 })
}

// Not even verified: one small message holds the same change many times.
func TestFloodOfRepeatedChanges(t *testing.T) {
	x := flooder(t, "changes", map[budget]allowance{changesVerified: {100, 2000}})
	const copies = 200
	var flood [][]byte
	for i := range 40 {
		var cs []*protocol.Change
		for range copies {
			cs = append(cs, x.change("BB", uint64(i+1)))
		}
		flood = append(flood, x.gossip(cs...))
	}
	got, took := x.whileFlooded(t, flood, copies)
	if most := x.a.budgets.most(changesVerified, took); got > most {
		t.Errorf("%d changes of BB's were delivered, at most %d are within its budget", got, most)
	}
	eventually(t, "BB is named", func() bool { return counted(x.a.Net, "BB", gossipRate) > 0 })
	if value(x.a.metrics.verdicts.WithLabelValues("changes", "ignore", string(protocol.CodeUnavailable))) == 0 {
		t.Error("all were verified")
	}
}

func TestFloodOfMessages(t *testing.T) {
	x := flooder(t, "changes", map[budget]allowance{changesMessages: {100, 1000}})
	const messages = 3000
	flood := make([][]byte, messages)
	h := x.header("BB", 1)
	h.CharterVersion = 2 // which another roster could explain, so that gossipsub does not punish it
	for i := range flood {
		h.Pos.Seq = uint64(i + 1)
		h.Prev = protocol.Hash{byte(min(i, 1))}
		flood[i] = x.gossip(x.sign("BB", h))
	}
	start := time.Now()
	x.whileFlooded(t, flood, 0)
	eventually(t, "BB is named", func() bool { return counted(x.a.Net, "BB", gossipRate) > 0 })
	looked := value(x.a.metrics.verdicts.WithLabelValues("changes", "ignore", string(protocol.CodeCharter)))
	took := time.Since(start)
	t.Logf("%v of %d messages looked at in %v", looked, messages, took)
	if most := x.a.budgets.most(changesMessages, took); looked > float64(most) {
		t.Errorf("%v messages were looked at, at most %d are within BB's budget", looked, most)
	}
	if value(x.a.metrics.gossip.WithLabelValues("surplus")) == 0 {
		t.Error("the surplus is not counted")
	}
}

func TestFloodOfHeads(t *testing.T) {
	x := flooder(t, "heads", nil)
	start := time.Now()
	for i := range 400 {
		x.publish(x.head("BB", uint64(i+1)).Bytes())
	}
	if err := x.c.PublishHead(t.Context(), x.head("CC", 1)); err != nil {
		t.Fatal(err)
	}
	ofB, ofC := 0, 0
	for ofC == 0 || counted(x.a.Net, "BB", headRate) == 0 {
		if receive(t, x.a.desk.heads).what.Origin == "CC" {
			ofC++
		} else {
			ofB++
		}
		if ofC > 0 {
			eventually(t, "BB is named", func() bool { return counted(x.a.Net, "BB", headRate) > 0 })
		}
	}
	in := time.Since(start)
	if most := x.a.budgets.most(originHeads, in) + x.a.budgets.most(originHeadsRepeated, in); ofB > most { // they overtake each other
		t.Errorf("%d head statements of BB's were delivered, at most %d are within its budget", ofB, most)
	}
	if counted(x.a.Net, "CC", headRate) != 0 {
		t.Error("CC is named")
	}
}

// evidence that a member signed two histories at seq.
func (f *federation) evidence(m protocol.MemberID, seq uint64) protocol.Evidence {
	h := f.header(m, seq)
	one := f.sign(m, h)
	h.Digest = protocol.Hash{2}
	two := f.sign(m, h)
	e, ok := protocol.NewEvidence(&one.SignedHeader, &two.SignedHeader)
	if !ok {
		f.t.Fatal("no contradiction")
	}
	return e
}

func TestFloodOfEvidence(t *testing.T) {
	x := flooder(t, "control", nil)
	start := time.Now()
	for i := range 200 {
		x.publish(x.evidence("BB", uint64(i+1)).Encode())
	}
	if err := x.c.PublishEvidence(t.Context(), x.evidence("CC", 1)); err != nil {
		t.Fatal(err)
	}
	ofB, ofC := 0, 0
	for ofC == 0 {
		if receive(t, x.a.desk.evidence).what.Origin() == "CC" {
			ofC++
		} else {
			ofB++
		}
	}
	eventually(t, "BB is named", func() bool { return counted(x.a.Net, "BB", evidenceRate) > 0 })
	if most := x.a.budgets.most(originEvidence, time.Since(start)); ofB > most {
		t.Errorf("%d pieces of evidence against BB were delivered, at most %d are within its budget", ofB, most)
	}
}

// The budgets that the floods above do not reach first.
func TestInspectorCountsBytesAndRPCs(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB", "CC")
	a := f.open("AA")
	a.SetRoster(f.roster(f.card("AA"), f.card("BB"), f.card("CC")))
	maps.Copy(a.budgets.each, map[budget]allowance{gossipRPCs: {0, 10}, gossipBytes: {0, 3 * (1000 + 128)}})
	inspect := a.inspector(f.charter.FederationID())
	topic, other := topicName(f.charter.FederationID(), "changes"), "/another"
	passed := func(m protocol.MemberID, topic string) int {
		rpc := &pubsub.RPC{RPC: pb.RPC{Publish: []*pb.Message{{Topic: &topic, Data: make([]byte, 1000)}, {Topic: &topic, Data: make([]byte, 1000)}}}}
		if err := inspect(peerOf(f, m), rpc); err != nil {
			return -1
		}
		return len(rpc.Publish)
	}
	for i, want := range []int{2, 1, 0, 0, 0, 0, 0, 0, 0, 0, -1} {
		if got := passed("BB", topic); got != want {
			t.Errorf("RPC %d of BB: %d messages passed, want %d", i, got, want)
		}
	}
	if got := passed("CC", topic); got != 2 {
		t.Errorf("RPC of CC: %d messages passed", got)
	}
	if got := passed("CC", other); got != 0 {
		t.Errorf("on a topic that is not ours: %d messages passed", got)
	}
	if got := counted(a.Net, "BB", gossipRate); got != 10 {
		t.Errorf("BB is named %v times", got)
	}
	if err := inspect("a stranger", new(pubsub.RPC)); err == nil {
		t.Error("a stranger's RPC passed")
	}
}

// Old head statements of CC's, sent again by BB, use up neither CC's budget nor our time.
func TestReplayedHeadsAreBounded(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB", "CC")
	b := newBudgets()
	newest := f.head("CC", 1000)
	if ok, _ := b.takeHead(newest); !ok {
		t.Fatal("not taken")
	}
	passed := 0
	for i := range 999 {
		ok, repeated := b.takeHead(f.head("CC", uint64(i+1)))
		if !repeated {
			t.Fatalf("statement %d counts as new", i+1)
		}
		if ok {
			passed++
		}
	}
	if most := b.most(originHeadsRepeated, patience); passed > most {
		t.Errorf("%d of 999 passed, at most %d are within the budget", passed, most)
	}
	if ok, repeated := b.takeHead(f.head("CC", 1001)); !ok || repeated {
		t.Error("CC's next statement does not pass")
	}
}

// BB sends again and again what CC signed once, each time in another message. CC is not held responsible, and what it signs
// next arrives.
func TestReplayIsNotHeldAgainstTheOrigin(t *testing.T) {
	x := flooder(t, "changes", nil)
	old := make([]*protocol.Change, 100)
	for i := range old {
		old[i] = x.change("CC", uint64(i+1))
	}
	ofC, _, stop := x.takeChanges(t)
	x.publish(x.gossip(old...))
	await(t, ofC, 1)
	for i := range 99 { // 9,900 changes, in messages that all differ
		x.publish(x.gossip(append(append([]*protocol.Change(nil), old[i+1:]...), old[:i+1]...)...))
	}
	replayed := x.a.metrics.verdicts.WithLabelValues("changes", "ignore", string(protocol.CodeReplayed))
	go func() {
		for range ofC { //nolint:revive // those within the budget
		}
	}()
	eventually(t, "replays are ignored", func() bool { return value(replayed) > 0 })
	if got := counted(x.a.Net, "CC", originRate); got != 0 {
		t.Errorf("CC is named %v times", got)
	}
	stop()
	if err := x.c.PublishChanges(t.Context(), []*protocol.Change{x.change("CC", 1000)}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "CC's next change", func() bool {
		d := receive(t, x.a.desk.changes)
		return d.what[0].Pos.Seq == 1000
	})
}

// What honest nodes send at their busiest, through one forwarder, is within the budgets.
func TestHonestTrafficIsWithinBudgets(t *testing.T) {
	if testing.Short() {
		t.Skip("signs 50,000 changes")
	}
	for _, tt := range []struct {
		origins, rate int // changes a second of each
		time          time.Duration
	}{
		{12, 50, time.Minute},
		{24, 50, 20 * time.Second},
		{12, 200, 20 * time.Second},
		{24, 200, 2 * time.Second},
		{1, 1280, 10 * time.Second}, // all that an outbox can send
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBudgets()
			const beat = 50 * time.Millisecond
			f := newFederation(t, "test", "AA")
			one := f.change("AA", 1)
			seq := uint64(0)
			for since := time.Duration(0); since < tt.time; since += beat {
				for o := range tt.origins {
					m := protocol.MemberID([]string{"A", "B", "C"}[o%3] + string(rune('A'+o/3)))
					var cs []*protocol.Change
					for range tt.rate / int(time.Second/beat) {
						seq++
						c := *one
						c.Origin, c.Pos = m, protocol.Position{Epoch: 1, Seq: seq}
						cs = append(cs, &c)
					}
					for i, message := range [][]*protocol.Change{cs[:1], cs[1:2], cs[2:]} { // two of the 50 a second, and a batch
						if len(message) == 0 {
							continue
						}
						if !b.take("ZZ", gossipRPCs, 3) || !b.take("ZZ", changesMessages, 1) || !b.take("ZZ", gossipBytes, 128+1300*len(message)) ||
							!b.take("ZZ", changesVerified, len(message)) {
							t.Fatalf("%+v: the forwarder is beyond its budget after %v", tt, since)
						}
						if over, _ := b.takeChanges(message); over != "" {
							t.Fatalf("%+v: origin %s is beyond its budget after %v (message %d)", tt, over, since, i)
						}
					}
				}
				time.Sleep(beat)
			}
		})
	}
}
