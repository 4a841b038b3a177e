package p2p

import (
	"bytes"
	"testing"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/prometheus/client_golang/prometheus"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/asean-tmh/tmh/protocol"
)

// A ── B ── C: C hears of A's change by B, which verifies it in between.
func TestChangeIsPassedOn(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB", "CC")
	a, b, c := f.open("AA"), f.open("BB"), f.open("CC")
	cardA, cardB, cardC := f.card("AA", a.Addrs()...), f.card("BB", b.Addrs()...), f.card("CC", c.Addrs()...)
	a.SetRoster(f.roster(cardA, cardB)) // knows no peer of CC
	b.SetRoster(f.roster(cardA, cardB, cardC))
	c.SetRoster(f.roster(f.card("AA"), cardB, cardC)) // does not know where AA is
	for _, n := range []*node{a, b, c} {
		f.run(n)
	}
	heard(t, a.Net, "changes", 1)
	heard(t, b.Net, "changes", 2)
	// The mesh forms with a heartbeat: what B gets before it is not passed on. So A publishes until C has something.
	seq := uint64(0)
	eventually(t, "a change at CC", func() bool {
		seq += 2
		if err := a.PublishChanges(t.Context(), []*protocol.Change{f.change("AA", seq), f.change("AA", seq+1)}); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, b.desk.changes); got.from != "AA" || got.what[0].Pos.Seq != seq {
			t.Errorf("BB: got %v from %s", got.what[0].Pos, got.from)
		}
		return len(c.desk.changes) > 0
	})
	got := receive(t, c.desk.changes)
	if len(got.what) != 2 || got.from != "BB" {
		t.Fatalf("CC: got %d changes from %s", len(got.what), got.from)
	}
	if want := f.change("AA", got.what[0].Pos.Seq); !bytes.Equal(got.what[0].Bytes(), want.Bytes()) {
		t.Error("CC: got other bytes than were signed")
	}
	heard(t, b.Net, "heads", 2)
	if err := b.PublishHead(t.Context(), f.head("BB", 7)); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*node{a, c} { // BB's own, so to all at once
		if got := receive(t, n.desk.heads); got.from != "BB" || got.what.Counter != 7 {
			t.Errorf("%s: got head %d from %s", n.id, got.what.Counter, got.from)
		}
	}
	if len(a.desk.changes) != 0 || len(b.desk.heads) != 0 {
		t.Error("a node was delivered its own message")
	}
}

// forger is BB's node, but its gossip is not verified by BB itself.
func forger(t *testing.T, f *federation, topic string) (a *node, publish func([]byte)) {
	a, b := f.open("AA"), f.open("BB")
	f.introduce(a, b)
	f.run(a)
	ps, err := pubsub.NewGossipSub(t.Context(), b.host, pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(messageID), pubsub.WithFloodPublish(true))
	if err != nil {
		t.Fatal(err)
	}
	name := topicName(f.charter.FederationID(), topic)
	tp, err := ps.Join(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.dial(t.Context(), a.host.ID()); err != nil { // b does not run
		t.Fatal(err)
	}
	eventually(t, "subscription of AA", func() bool { return len(tp.ListPeers()) == 1 })
	return a, func(b []byte) {
		if err := tp.Publish(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

type badGossip struct {
	name, topic, verdict string
	code                 protocol.Code
	data                 []byte
}

// badGossips of BB to AA, in federation f where AA knows the cards of both.
func badGossips(f *federation) []badGossip {
	t := f.t
	other := newFederation(t, "other", "AA", "BB", "CC")
	n := f.open("CC")
	zip := func(b []byte) []byte { return n.zip.pack(nil, b) }
	gossip := func(c *protocol.Change) []byte { return zip(protocol.EncodeGossip([]*protocol.Change{c})) }

	stranger := f.header("ZZ", 1)
	newer := f.header("BB", 1)
	newer.CharterVersion = 2
	const afterSignature = 12 // bytes of the body and its tag and length
	forged := protocol.EncodeGossip([]*protocol.Change{f.change("BB", 1)})
	forged[len(forged)-afterSignature-1] ^= 1
	altered := protocol.EncodeGossip([]*protocol.Change{f.change("BB", 1)})
	altered[len(altered)-1] ^= 1
	signed := f.change("BB", 1).SignedHeader.Bytes() // header and signature, to which a body over the limit is added
	large := protowire.AppendBytes(protowire.AppendTag(signed, 3, protowire.BytesType), make([]byte, protocol.MaxBody+1))
	oversized := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), large)
	head := f.head("BB", 1).Bytes()
	badHead := bytes.Clone(head)
	badHead[len(badHead)-1] ^= 1
	badEvidence := f.evidence("BB", 1).Encode()
	badEvidence[len(badEvidence)-1] ^= 1
	newerTwin := newer
	newerTwin.Digest = protocol.Hash{2}
	newerEvidence, _ := protocol.NewEvidence(&f.sign("BB", newer).SignedHeader, &f.sign("BB", newerTwin).SignedHeader)

	return []badGossip{
		{"garbage", "changes", "reject", protocol.CodeValue, []byte("no zstd at all")},
		{"garbage within zstd", "changes", "reject", protocol.CodeWireType, zip([]byte("no changes"))},
		{"nothing within zstd", "changes", "reject", protocol.CodeRequired, zip(nil)},
		{"too large", "changes", "reject", protocol.CodeTooLarge, zip(make([]byte, 200<<10))},
		{"a bomb", "changes", "reject", protocol.CodeTooLarge, zip(make([]byte, 100<<20))},
		{"other federation", "changes", "reject", protocol.CodeFederation, gossip(other.change("BB", 1))},
		{"no member", "changes", "reject", protocol.CodeOrigin, gossip(f.sign("BB", stranger))},
		{"forged signature", "changes", "reject", protocol.CodeSignature, zip(forged)},
		{"oversized body", "changes", "reject", protocol.CodeTooLarge, zip(oversized)},
		{"altered body", "changes", "reject", protocol.CodeBody, zip(altered)},
		{"another member's key", "changes", "ignore", protocol.CodeKey, gossip(f.sign("AA", f.header("BB", 1)))},
		{"newer charter", "changes", "ignore", protocol.CodeCharter, gossip(f.sign("BB", newer))},
		{"card not known", "changes", "ignore", protocol.CodeCharter, gossip(f.change("CC", 1))},
		{"one bad of two", "changes", "reject", protocol.CodeFederation,
			zip(protocol.EncodeGossip([]*protocol.Change{f.change("BB", 1), other.change("BB", 1)}))},
		{"garbage", "heads", "reject", protocol.CodeWireType, []byte("no head")},
		{"forged signature", "heads", "reject", protocol.CodeSignature, badHead},
		{"other federation", "heads", "reject", protocol.CodeFederation, other.head("BB", 1).Bytes()},
		{"garbage", "control", "reject", protocol.CodeWireType, []byte("no evidence")},
		{"forged signature", "control", "reject", protocol.CodeSignature, badEvidence},
		{"other federation", "control", "reject", protocol.CodeFederation, other.evidence("BB", 1).Encode()},
		{"newer charter", "control", "ignore", protocol.CodeCharter, newerEvidence.Encode()},
	}
}

func TestBadGossipIsNotDelivered(t *testing.T) {
	for _, tt := range badGossips(newFederation(t, "test", "AA", "BB", "CC")) {
		t.Run(tt.topic+"/"+tt.name, func(t *testing.T) {
			f := newFederation(t, "test", "AA", "BB", "CC") // the same keys, but this test's end
			a, publish := forger(t, f, tt.topic)
			publish(tt.data)
			count := a.metrics.verdicts.WithLabelValues(tt.topic, tt.verdict, string(tt.code))
			eventually(t, "a verdict", func() bool { return sum(a.metrics.verdicts) > 0 })
			if value(count) != 1 {
				t.Errorf("not counted as %s for %q", tt.verdict, tt.code)
			}
			want := 0.0
			if tt.verdict == "reject" {
				want = 1
			}
			if got := counted(a.Net, "BB", gossipInvalid+fault(tt.code)); got != want {
				t.Errorf("BB is named %v times for %q, want %v", got, tt.code, want)
			}
			// What follows is delivered, and is the first to be.
			if tt.topic == "changes" {
				publish(a.zip.pack(nil, protocol.EncodeGossip([]*protocol.Change{f.change("BB", 9)})))
				if got := receive(t, a.desk.changes); got.what[0].Pos.Seq != 9 {
					t.Errorf("delivered: %v", got.what[0].Pos)
				}
				return
			}
			if tt.topic == "control" {
				publish(f.evidence("BB", 9).Encode())
				if got := receive(t, a.desk.evidence); got.what.A.Pos.Seq != 9 {
					t.Errorf("delivered: %v", got.what.A.Pos)
				}
				return
			}
			publish(f.head("BB", 9).Bytes())
			if got := receive(t, a.desk.heads); got.what.Counter != 9 {
				t.Errorf("delivered: counter %d", got.what.Counter)
			}
		})
	}
}

// sum of all counters of v.
func sum(v *prometheus.CounterVec) (total float64) {
	ch := make(chan prometheus.Metric, 64)
	go func() { v.Collect(ch); close(ch) }()
	for m := range ch {
		total += value(m.(prometheus.Counter))
	}
	return total
}

// Only what no honest forwarder could have passed on is held against it: one that has not seen charter 2 yet passes on
// what a member that left by it signed before.
func TestJudgement(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB", "CC")
	a := f.open("AA")
	r := f.roster(f.card("AA"), f.card("BB"), f.card("CC"))
	a.SetRoster(r)
	verdict := func(c *protocol.Change) pubsub.ValidationResult {
		data := a.zip.pack(nil, protocol.EncodeGossip([]*protocol.Change{c}))
		m := &pubsub.Message{Message: &pb.Message{Data: data}}
		return a.validateChanges(t.Context(), "", m)
	}
	before := f.change("CC", 1)
	if got := verdict(before); got != pubsub.ValidationAccept {
		t.Errorf("of a member: got %v", got)
	}
	next, err := r.WithCharter(f.amend("AA", "BB"))
	if err != nil {
		t.Fatal(err)
	}
	a.SetRoster(next)
	if got := verdict(before); got != pubsub.ValidationIgnore {
		t.Errorf("of a member that left, under the charter before: got %v", got)
	}
	if got := verdict(f.change("CC", 2)); got != pubsub.ValidationReject {
		t.Errorf("of a member that left, under the charter it left by: got %v", got)
	}
}

func TestPublishRefuses(t *testing.T) {
	f, a, _ := pair(t)
	many := make([]*protocol.Change, 400)
	for i := range many {
		many[i] = f.change("AA", uint64(i+1))
	}
	if err := a.PublishChanges(t.Context(), many); protocol.CodeOf(err) != protocol.CodeTooLarge {
		t.Errorf("too much: got %v", err)
	}
	if err := a.PublishChanges(t.Context(), []*protocol.Change{newFederation(t, "other", "AA").change("AA", 1)}); err == nil {
		t.Error("published what its own roster refuses")
	}
	if err := f.open("CC").PublishHead(t.Context(), f.head("CC", 1)); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("not running: got %v", err)
	}
}
