package p2p

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/asean-tmh/tmh/protocol"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

func seed(name string) ed25519.PrivateKey {
	s := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(s[:])
}

// federation has the keys of its members and signs its papers.
type federation struct {
	t       testing.TB
	name    string
	charter *protocol.SignedCharter
	version uint64 // of the last card
}

func newFederation(t testing.TB, name string, members ...protocol.MemberID) *federation {
	f := &federation{t: t, name: name}
	c := protocol.Charter{Version: 1, Name: name, IssuedAt: 1}
	f.enact(c, members)
	return f
}

// enact puts a charter of these members in force.
func (f *federation) enact(c protocol.Charter, members []protocol.MemberID) *protocol.SignedCharter {
	f.t.Helper()
	c.Members = nil
	for _, id := range slices.Sorted(slices.Values(members)) {
		c.Members = append(c.Members, protocol.Member{ID: id, Name: string(id), Country: protocol.Country(id), Role: protocol.RoleMember,
			Governance: f.governance(id).Public()})
	}
	s, err := protocol.NewCharter(c)
	if err != nil {
		f.t.Fatal(err)
	}
	signers := members
	if f.charter != nil {
		for _, m := range f.charter.Members {
			signers = append(signers, m.ID)
		}
	}
	for _, id := range signers {
		s.Sign(f.governance(id))
	}
	if err := s.Follows(f.charter); err != nil {
		f.t.Fatal(err)
	}
	f.charter = s
	return s
}

// amend enacts the next charter.
func (f *federation) amend(members ...protocol.MemberID) *protocol.SignedCharter {
	return f.enact(protocol.Charter{Version: f.charter.Version + 1, Federation: f.charter.FederationID(), Prev: f.charter.Hash,
		Name: f.name, IssuedAt: 2}, members)
}

func (f *federation) governance(id protocol.MemberID) *protocol.Signer {
	return protocol.NewSigner(seed(f.name + "/governance/" + string(id)))
}

func (f *federation) recordKey(id protocol.MemberID) *protocol.Signer {
	return protocol.NewSigner(seed(f.name + "/record/" + string(id)))
}

func (f *federation) transport(id protocol.MemberID) ed25519.PrivateKey {
	return seed(f.name + "/transport/" + string(id))
}

func (f *federation) peerID(id protocol.MemberID) string {
	return PeerIDOf(f.transport(id).Public().(ed25519.PublicKey))
}

// card of a member at these addresses; each is newer than all before.
func (f *federation) card(id protocol.MemberID, addrs ...string) *protocol.SignedCard {
	return f.cardOf(id, protocol.Peer{ID: f.peerID(id), Addresses: addrs})
}

func (f *federation) cardOf(id protocol.MemberID, peers ...protocol.Peer) *protocol.SignedCard {
	f.t.Helper()
	f.version++
	c, err := protocol.SignCard(f.governance(id), protocol.Card{
		Federation: f.charter.FederationID(), Member: id, Version: f.version, IssuedAt: 1, Peers: peers,
		Keys: []protocol.RecordKeyRange{{Key: f.recordKey(id).Public(), From: protocol.Position{Epoch: 1, Seq: 1}}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *federation) roster(cards ...*protocol.SignedCard) *protocol.Roster {
	f.t.Helper()
	r := protocol.NewRoster(f.charter)
	for _, c := range cards {
		var err error
		if r, err = r.WithCard(c); err != nil {
			f.t.Fatal(err)
		}
	}
	return r
}

// header of a change that would verify.
func (f *federation) header(id protocol.MemberID, seq uint64) protocol.Header {
	h := protocol.Header{Federation: f.charter.FederationID(), Origin: id, CharterVersion: f.charter.Version,
		Pos: protocol.Position{Epoch: 1, Seq: seq}, RecordKey: "listing/a", Kind: protocol.Put, Count: 1, Digest: protocol.Hash{1}}
	if seq > 1 {
		h.Prev = protocol.Hash{1}
	}
	return h
}

func (f *federation) change(id protocol.MemberID, seq uint64) *protocol.Change {
	return f.sign(id, f.header(id, seq))
}

func (f *federation) sign(id protocol.MemberID, h protocol.Header) *protocol.Change {
	f.t.Helper()
	c, err := protocol.SignChange(f.recordKey(id), h, []byte("ten bytes!"))
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *federation) head(id protocol.MemberID, counter uint64) *protocol.SignedHead {
	f.t.Helper()
	h, err := protocol.SignHead(f.recordKey(id), protocol.Head{Federation: f.charter.FederationID(), Origin: id,
		CharterVersion: f.charter.Version, CharterHash: f.charter.Hash, Pos: protocol.Position{Epoch: 1}, Counter: counter,
		IssuedAt: 1, LeaseUntil: 2})
	if err != nil {
		f.t.Fatal(err)
	}
	return h
}

// entitlement of a reader of one member's to a record of another's.
func (f *federation) entitlement(from, to protocol.MemberID) *protocol.SignedEntitlement {
	f.t.Helper()
	e, err := protocol.SignEntitlement(f.recordKey(from), protocol.Entitlement{Federation: f.charter.FederationID(), Member: from,
		CharterVersion: f.charter.Version, Origin: to, RecordKey: "listing/a", Level: protocol.LevelRegistered, IssuedAt: 1,
		Nonce: protocol.Nonce{1}, Reader: protocol.Hash{1}})
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

type delivery[T any] struct {
	from protocol.MemberID
	what T
}

// desk is a Handler that tells the test what arrives.
type desk struct {
	changes  chan delivery[[]*protocol.Change]
	heads    chan delivery[*protocol.SignedHead]
	evidence chan delivery[protocol.Evidence]
	up, down chan protocol.MemberID

	mu       sync.Mutex // guards the rest
	answerer func(ctx context.Context, from protocol.MemberID, r *protocol.Request, send func(*protocol.Answer) error) error
	papers   func(from uint64) *protocol.Papers
	parts    func(from protocol.MemberID, e *protocol.SignedEntitlement) (*protocol.RecordAnswer, error)
	document func(from protocol.MemberID, e *protocol.SignedEntitlement, hash protocol.Hash) (io.ReadCloser, error)
}

func newDesk() *desk {
	return &desk{changes: make(chan delivery[[]*protocol.Change], 64), heads: make(chan delivery[*protocol.SignedHead], 64),
		evidence: make(chan delivery[protocol.Evidence], 64),
		up:       make(chan protocol.MemberID, 64), down: make(chan protocol.MemberID, 64)}
}

func (d *desk) Changes(from protocol.MemberID, cs []*protocol.Change) {
	d.changes <- delivery[[]*protocol.Change]{from, cs}
}
func (d *desk) Evidence(from protocol.MemberID, e protocol.Evidence) {
	d.evidence <- delivery[protocol.Evidence]{from, e}
}
func (d *desk) Head(from protocol.MemberID, h *protocol.SignedHead) {
	d.heads <- delivery[*protocol.SignedHead]{from, h}
}
func (d *desk) Connected(m protocol.MemberID)    { d.up <- m }
func (d *desk) Disconnected(m protocol.MemberID) { d.down <- m }
func (d *desk) Papers(from uint64) *protocol.Papers {
	d.mu.Lock()
	f := d.papers
	d.mu.Unlock()
	return f(from)
}
func (d *desk) Answer(ctx context.Context, from protocol.MemberID, r *protocol.Request, send func(*protocol.Answer) error) error {
	d.mu.Lock()
	f := d.answerer
	d.mu.Unlock()
	return f(ctx, from, r, send)
}
func (d *desk) Parts(_ context.Context, from protocol.MemberID, e *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
	d.mu.Lock()
	f := d.parts
	d.mu.Unlock()
	return f(from, e)
}
func (d *desk) Document(_ context.Context, from protocol.MemberID, e *protocol.SignedEntitlement, hash protocol.Hash) (io.ReadCloser, error) {
	d.mu.Lock()
	f := d.document
	d.mu.Unlock()
	return f(from, e, hash)
}

// answer, paper and serve say what the desk answers from now on.
func (d *desk) answer(f func(ctx context.Context, from protocol.MemberID, r *protocol.Request, send func(*protocol.Answer) error) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answerer = f
}
func (d *desk) paper(f func(from uint64) *protocol.Papers) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.papers = f
}
func (d *desk) serve(parts func(protocol.MemberID, *protocol.SignedEntitlement) (*protocol.RecordAnswer, error),
	document func(protocol.MemberID, *protocol.SignedEntitlement, protocol.Hash) (io.ReadCloser, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.parts, d.document = parts, document
}

// one says that this part is what the desk serves of every record from now on.
func (d *desk) one(part string) {
	d.serve(func(protocol.MemberID, *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
		return &protocol.RecordAnswer{Parts: [][]byte{[]byte(part)}}, nil
	}, nil)
}

// fetchOne is that part as n fetches it from m.
func (f *federation) fetchOne(ctx context.Context, n *node, m protocol.MemberID) (string, error) {
	a, err := n.FetchParts(ctx, m, f.entitlement(n.id, m))
	switch {
	case err != nil:
		return "", err
	case a.Refused != nil:
		return "", a.Refused
	}
	return string(bytes.Join(a.Parts, []byte(", "))), nil
}

// node is a Net with its desk.
type node struct {
	*Net
	desk *desk
	id   protocol.MemberID
}

func loopback() []string {
	return []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws", "/ip4/127.0.0.1/udp/0/quic-v1"}
}

// open makes a node that does not run.
func (f *federation) open(id protocol.MemberID) *node {
	f.t.Helper()
	n, err := New(Config{Member: id, Key: f.transport(id), Listen: loopback(), Roster: f.roster()})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = n.Close() })
	return &node{Net: n, desk: newDesk(), id: id}
}

// run runs it until the test ends, and then within the time that stopping may take.
func (f *federation) run(n *node) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx, n.desk) }()
	f.t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				f.t.Errorf("%s: Run: %v", n.id, err)
			}
		case <-time.After(patience):
			f.t.Errorf("%s did not stop", n.id)
		}
	})
}

// introduce gives every node the cards of all.
func (f *federation) introduce(nodes ...*node) *protocol.Roster {
	f.t.Helper()
	var cards []*protocol.SignedCard
	for _, n := range nodes {
		cards = append(cards, f.card(n.id, n.Addrs()...))
	}
	r := f.roster(cards...)
	for _, n := range nodes {
		n.SetRoster(r)
	}
	return r
}

// pair is two nodes that run and are connected, with gossip between them.
func pair(t *testing.T) (f *federation, a, b *node) {
	t.Helper()
	f = newFederation(t, "test", "AA", "BB", "CC")
	a, b = f.open("AA"), f.open("BB")
	f.introduce(a, b)
	f.run(a)
	f.run(b)
	await(t, a.desk.up, "BB")
	await(t, b.desk.up, "AA")
	return f, a, b
}

func receive[T any](t testing.TB, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatalf("nothing arrived within %v", patience)
	}
	return v
}

func await[T comparable](t testing.TB, ch <-chan T, want T) {
	t.Helper()
	if got := receive(t, ch); got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// eventually waits for a condition that nobody announces.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// heard waits until n knows of subscribers to a topic.
func heard(t testing.TB, n *Net, topic string, subscribers int) {
	t.Helper()
	eventually(t, "subscriptions to "+topic, func() bool {
		g := n.gossip.Load()
		return g != nil && len(g.topics[topic].ListPeers()) >= subscribers
	})
}

// value of a counter.
func value(c prometheus.Counter) float64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		panic(err)
	}
	return m.GetCounter().GetValue()
}
