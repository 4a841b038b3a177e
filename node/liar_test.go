package node_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// A liar is a member with real keys that signs a real history and then does what no node of ours would: it has the
// network of a node, and answers by hand.
type liar struct {
	t       *testing.T
	seat    founding.Seat
	honest  founding.Seat
	papers  *protocol.Papers
	net     *p2p.Net
	roster  *protocol.Roster
	history *store.Store // its true history
	changes []*protocol.Change
	peers   chan protocol.MemberID

	charter uint64 // under which it signs

	mu     sync.Mutex
	serve  *protocol.Papers
	answer func(r *protocol.Request, send func(*protocol.Answer) error) error
	asked  int
}

const (
	honest protocol.MemberID = "KH"
	lying  protocol.MemberID = "VN"
)

// newPair runs a real node of KH and a liar in the place of VN, connected.
func newPair(t *testing.T) (*node.Node, *prometheus.Registry, *liar) {
	t.Helper()
	var seats []founding.Seat
	for _, m := range founding.ASEAN() {
		if m.ID != honest && m.ID != lying {
			continue
		}
		s, err := founding.NewSeat(m, "")
		if err != nil {
			t.Fatal(err)
		}
		s.Addresses = []string{freeAddress(t)}
		seats = append(seats, s)
	}
	papers, err := founding.Found("Test federation", seats, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	n, err := node.New(node.Config{
		Member: honest, Record: seats[0].Record, Transport: seats[0].Transport, Papers: papers, Listen: seats[0].Addresses, Metrics: reg,
	})
	if err != nil {
		t.Fatal(err)
	}
	start(t, n.Run)

	roster := protocol.NewRoster(papers.Charters[0])
	for _, c := range papers.Cards {
		if roster, err = roster.WithCard(c); err != nil {
			t.Fatal(err)
		}
	}
	l := &liar{t: t, seat: seats[1], honest: seats[0], papers: papers, charter: 1, serve: &protocol.Papers{}, roster: roster, peers: make(chan protocol.MemberID, 4)}
	if l.history, err = store.Open(store.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.history.Close() })
	if l.net, err = p2p.New(p2p.Config{Member: lying, Key: l.seat.Transport, Listen: l.seat.Addresses, Roster: roster}); err != nil {
		t.Fatal(err)
	}
	start(t, func(ctx context.Context) error { return l.net.Run(ctx, l) })
	select {
	case <-l.peers:
	case <-time.After(20 * time.Second):
		t.Fatal("the two did not connect")
	}
	await(t, "they gossip with each other", func() bool { return len(l.net.Gossiping()) == 1 && len(n.Net().Gossiping()) == 1 })
	now := protocol.InstantOf(time.Now())
	head, err := protocol.SignHead(l.seat.Record, protocol.Head{
		Federation: roster.Federation(), Origin: lying, CharterVersion: 1, CharterHash: papers.Charters[0].Hash,
		Pos: protocol.Start, Counter: uint64(now), IssuedAt: now, LeaseUntil: now + 3600,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.net.PublishHead(t.Context(), head); err != nil {
		t.Fatal(err)
	}
	await(t, "the empty catalogue is proven", func() bool { return memberState(n, lying).State == exchange.Proven })
	return n, reg, l
}

func start(t *testing.T, run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 { // below the ports that systems give to outgoing connections, which could take one in between
		port := 10_000 + rand.IntN(2000)
		c, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", port)
	}
	t.Fatal("no free port")
	return ""
}

// sign adds a listing to the liar's true history.
func (l *liar) sign(i int) *protocol.Change {
	l.t.Helper()
	listing := &protocol.Listing{ID: protocol.ListingID(fmt.Sprintf("L%03d", i)), Kind: protocol.TechnologyOffer, Country: "VN",
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: fmt.Sprintf("Listing number %d", i)}}}
	return l.author(listing.ID.Key(), listing.Encode())
}

// author adds a change to the liar's true history.
func (l *liar) author(key protocol.RecordKey, body []byte) (c *protocol.Change) {
	l.t.Helper()
	err := l.history.Update(func(tx *store.Tx) error {
		set := tx.Origin(lying)
		b, err := set.Frontier()
		if err != nil {
			return err
		}
		own, err := replica.Decode(lying, b)
		if err != nil {
			return err
		}
		c, err = own.Author(set, l.seat.Record, protocol.Header{Federation: l.roster.Federation(), CharterVersion: l.charter, RecordKey: key, Kind: protocol.Put}, body)
		if err != nil {
			return err
		}
		return set.SetFrontier(own.Encode())
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.changes = append(l.changes, c)
	return c
}

func (l *liar) gossip(cs ...*protocol.Change) {
	l.t.Helper()
	if err := l.net.PublishChanges(l.t.Context(), cs); err != nil {
		l.t.Fatal(err)
	}
}

// feed is the honest answer to a request for changes, less what is withheld.
func (l *liar) feed(r *protocol.Request, withheld ...*protocol.Change) *protocol.Answer {
	head := l.changes[len(l.changes)-1]
	a := &protocol.Answer{Head: head.SignedHeader.Bytes(), Last: true}
next:
	for _, c := range l.changes {
		for _, w := range withheld {
			if c == w {
				continue next
			}
		}
		if c.Pos.Compare(r.Cursor) > 0 {
			a.Changes = append(a.Changes, c.Bytes())
		}
	}
	return a
}

func (l *liar) answers(f func(r *protocol.Request, send func(*protocol.Answer) error) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = f
}

func (l *liar) pulls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// The liar implements p2p.Handler.
func (l *liar) Changes(protocol.MemberID, []*protocol.Change) {}
func (l *liar) Head(protocol.MemberID, *protocol.SignedHead)  {}
func (l *liar) Evidence(protocol.MemberID, protocol.Evidence) {}
func (l *liar) Papers(uint64) *protocol.Papers {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.serve
}
func (l *liar) Connected(m protocol.MemberID)  { l.peers <- m }
func (l *liar) Disconnected(protocol.MemberID) {}
func (l *liar) Parts(context.Context, protocol.MemberID, *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
	return nil, protocol.Errorf(protocol.CodeNotFound, "", "none")
}
func (l *liar) Document(context.Context, protocol.MemberID, *protocol.SignedEntitlement, protocol.Hash) (io.ReadCloser, error) {
	return nil, protocol.Errorf(protocol.CodeNotFound, "", "none")
}

func (l *liar) Answer(_ context.Context, _ protocol.MemberID, r *protocol.Request, send func(*protocol.Answer) error) error {
	if r.Kind != protocol.AskChanges {
		return send(&protocol.Answer{Last: true})
	}
	l.mu.Lock()
	l.asked++
	f := l.answer
	l.mu.Unlock()
	if f == nil {
		return protocol.Errorf(protocol.CodeUnavailable, "", "not now")
	}
	return f(r, send)
}

func memberState(n *node.Node, id protocol.MemberID) exchange.MemberState {
	for _, m := range n.Members() {
		if m.ID == id {
			return m
		}
	}
	return exchange.MemberState{}
}

func counted(t *testing.T, reg *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		<-tick.C
	}
}

func TestReplayIsIgnoredAndCounted(t *testing.T) {
	n, reg, l := newPair(t)
	first, second := l.sign(1), l.sign(2)
	l.gossip(first)
	l.gossip(second)
	await(t, "both are proven", func() bool { return memberState(n, lying).Position.Seq == 2 })
	before := memberState(n, lying)
	l.gossip(first, second) // another message, so that gossip itself does not drop it
	await(t, "the replay is counted", func() bool { return counted(t, reg, "tmh_changes_refused_total", "replayed") >= 2 })
	if after := memberState(n, lying); after.Digest != before.Digest || after.Position != before.Position || after.State != exchange.Proven {
		t.Errorf("a replay changed the copy: %+v", after)
	}
}

func TestGapIsPulledAndNeverAppliedOver(t *testing.T) {
	t.Parallel() // waits more than it computes
	n, reg, l := newPair(t)
	l.gossip(l.sign(1))
	await(t, "the first is proven", func() bool { return memberState(n, lying).Position.Seq == 1 })
	l.sign(2)
	third := l.sign(3)
	l.gossip(third)
	await(t, "the gap is noticed and a pull was tried", func() bool {
		return counted(t, reg, "tmh_changes_refused_total", "gap") > 0 && l.pulls() > 0
	})
	if m := memberState(n, lying); m.Position.Seq != 1 || m.Records != 1 || m.State != exchange.CatchingUp {
		t.Fatalf("applied over a gap: %+v", m)
	}
	if c, err := n.Record(match.Ref{Origin: lying, ID: "L003"}); err != nil || c != nil {
		t.Fatalf("the change beyond the gap is stored: %v, %v", c, err)
	}
	l.answers(func(r *protocol.Request, send func(*protocol.Answer) error) error { return send(l.feed(r)) })
	await(t, "the pull closes the gap", func() bool {
		m := memberState(n, lying)
		return m.State == exchange.Proven && m.Position.Seq == 3 && m.Digest == third.Digest
	})
}

func TestWithheldChangeIsNeverProven(t *testing.T) {
	t.Parallel() // waits more than it computes
	n, reg, l := newPair(t)
	for i := range 20 {
		l.sign(i)
	}
	withheld := l.changes[7]
	l.answers(func(r *protocol.Request, send func(*protocol.Answer) error) error { return send(l.feed(r, withheld)) })
	l.gossip(l.changes[19])
	await(t, "pulls without proof are counted", func() bool { return counted(t, reg, "tmh_pulls_total", "unproven") >= 2 })
	if m := memberState(n, lying); m.State == exchange.Proven || m.Position.Seq != 0 {
		t.Fatalf("a copy without a withheld change counts as proven: %+v", m)
	}
	l.answers(func(r *protocol.Request, send func(*protocol.Answer) error) error { return send(l.feed(r)) })
	await(t, "the whole feed is proven", func() bool { m := memberState(n, lying); return m.State == exchange.Proven && m.Position.Seq == 20 })
}

func TestSecondChangeAtOnePositionIsEvidence(t *testing.T) {
	n, _, l := newPair(t)
	first, second := l.sign(1), l.sign(2)
	l.gossip(first)
	l.gossip(second)
	await(t, "both are proven", func() bool { return memberState(n, lying).Position.Seq == 2 })
	other, err := protocol.SignChange(l.seat.Record, protocol.Header{
		Federation: l.roster.Federation(), Origin: lying, CharterVersion: 1, Pos: second.Pos, Prev: first.Raw,
		RecordKey: "listing/other", Kind: protocol.Put, Count: 2, Digest: protocol.Sum([]byte("another history")),
	}, []byte{})
	if err != nil {
		t.Fatal(err)
	}
	l.gossip(other)
	await(t, "the fork is shown", func() bool { return memberState(n, lying).State == exchange.Disputed })
	m := memberState(n, lying)
	if m.Digest != second.Digest || !strings.Contains(m.Why, "two different histories") {
		t.Errorf("the copy is not frozen where it stood, or it is not said why: %+v", m)
	}
	forks, err := n.Forks(lying)
	if err != nil || len(forks) != 1 {
		t.Fatalf("evidence: %v, %v", forks, err)
	}
	for _, h := range []*protocol.SignedHeader{forks[0].A, forks[0].B} {
		if err := l.roster.VerifyHeader(h); err != nil || h.Pos != second.Pos {
			t.Errorf("evidence does not prove the fork: %v", err)
		}
	}
	l.gossip(l.sign(3))
	await(t, "what follows is refused", func() bool { return memberState(n, lying).Claimed.Seq <= 3 })
	if got := memberState(n, lying).Position; got != second.Pos {
		t.Errorf("a disputed catalogue moved to %s", got)
	}
}

// A holder that shows a header as its reason to refuse must show one that contradicts ours: an alarm needs signatures.
func TestFalseAlarmFreezesNobody(t *testing.T) {
	n, reg, l := newPair(t)
	l.gossip(l.sign(1))
	await(t, "the first is proven", func() bool { return memberState(n, lying).Position.Seq == 1 })
	l.answers(func(_ *protocol.Request, send func(*protocol.Answer) error) error {
		return send(&protocol.Answer{Refused: protocol.CodeFork, Head: l.changes[0].SignedHeader.Bytes()})
	})
	l.sign(2)
	l.gossip(l.sign(3))
	await(t, "the alarm is counted as the holder's", func() bool { return counted(t, reg, "tmh_pulls_total", "holder") > 0 })
	if m := memberState(n, lying); m.State == exchange.Disputed {
		t.Fatalf("a false alarm froze the copy: %+v", m)
	}
}

func TestInvalidListingIsReplicatedAndMarkedUnusable(t *testing.T) {
	n, _, l := newPair(t)
	l.gossip(l.sign(1))
	l.gossip(l.author("listing/odd", []byte("this is no listing")))
	l.gossip(l.sign(3))
	await(t, "all three are proven", func() bool { m := memberState(n, lying); return m.State == exchange.Proven && m.Position.Seq == 3 })
	if m := memberState(n, lying); m.Listings != 2 || m.Unusable != 1 {
		t.Errorf("counted %d listings and %d unusable, want 2 and 1", m.Listings, m.Unusable)
	}
	e, err := n.Desk().Entry(match.Ref{Origin: lying, ID: "odd"})
	if err != nil || e.State != exchange.Unusable || e.Reason == "" {
		t.Errorf("entry %+v, %v", e, err)
	}
}
