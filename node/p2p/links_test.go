package p2p

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/asean-tmh/tmh/protocol"
)

func TestEveryTransportConnects(t *testing.T) {
	for i, name := range []string{"tcp", "websocket", "quic"} {
		t.Run(name, func(t *testing.T) {
			f := newFederation(t, "test", "AA", "BB")
			a, b := f.open("AA"), f.open("BB")
			addrs := a.Addrs()
			if len(addrs) != 3 {
				t.Fatalf("listens on %v", addrs)
			}
			shape := strings.NewReplacer("/tcp/0", "/tcp/", "/udp/0", "/udp/").Replace(loopback()[i])
			prefix, suffix, _ := strings.Cut(shape, "p/")
			at := slices.IndexFunc(addrs, func(s string) bool {
				return strings.HasPrefix(s, prefix) && strings.HasSuffix(s, suffix) && strings.Contains(s, "/ws") == (name == "websocket")
			})
			if at < 0 {
				t.Fatalf("no address like %s among %v", shape, addrs)
			}
			a.SetRoster(f.roster(f.card("AA"), f.card("BB"))) // a cannot dial b
			b.SetRoster(f.roster(f.card("AA", addrs[at]), f.card("BB")))
			f.run(a)
			f.run(b)
			await(t, b.desk.up, "AA")
			await(t, a.desk.up, "BB")
			conns := b.host.Network().ConnsToPeer(a.host.ID())
			if got := conns[0].RemoteMultiaddr().String(); got != addrs[at] {
				t.Errorf("connected by %s, want %s", got, addrs[at])
			}
			if got, want := a.Connected(), []protocol.MemberID{"BB"}; !slices.Equal(got, want) {
				t.Errorf("connected members: got %v, want %v", got, want)
			}
			eventually(t, "traffic", func() bool {
				in, out := a.Traffic()
				return in > 0 && out > 0
			})
		})
	}
}

func TestOutsiderIsRefused(t *testing.T) {
	t.Parallel() // waits more than it computes
	f := newFederation(t, "test", "AA", "BB", "XX")
	a, x := f.open("AA"), f.open("XX")
	card := f.card("AA", a.Addrs()...)
	a.SetRoster(f.roster(card)) // knows no peer of XX
	x.SetRoster(f.roster(card, f.card("XX", x.Addrs()...)))
	f.run(a)
	f.run(x)
	eventually(t, "a refusal", func() bool { return value(a.metrics.refused) >= 1 })
	if len(a.Connected()) != 0 || len(a.desk.up) != 0 || a.host.Network().Connectedness(x.host.ID()) == network.Connected {
		t.Error("the outsider is connected")
	}
	// With the card it is admitted.
	a.SetRoster(f.roster(card, f.card("XX", x.Addrs()...)))
	await(t, a.desk.up, "XX")
}

func TestRevokedMemberIsEvicted(t *testing.T) {
	t.Parallel() // waits more than it computes
	f, a, b := pair(t)
	r, err := a.view.Load().roster.WithCharter(f.amend("AA", "CC"))
	if err != nil {
		t.Fatal(err)
	}
	a.SetRoster(r)
	await(t, a.desk.down, "BB")
	await(t, b.desk.down, "AA")
	if c := a.host.Network().Connectedness(b.host.ID()); c == network.Connected {
		t.Error("the revoked member is connected")
	}
	// It has not heard of its leaving and returns.
	eventually(t, "a refusal", func() bool { return value(a.metrics.refused) >= 1 })
	if len(a.desk.up) != 0 || len(a.Connected()) != 0 {
		t.Error("the revoked member is connected again")
	}
	if !(gater{a.Net}).Contains(b.host.ID()) {
		t.Error("gossip takes the revoked member for one")
	}
}

func TestLostConnectionReturns(t *testing.T) {
	t.Parallel() // waits more than it computes
	_, a, b := pair(t)
	if err := a.host.Network().ClosePeer(b.host.ID()); err != nil {
		t.Fatal(err)
	}
	await(t, a.desk.down, "BB")
	await(t, b.desk.down, "AA")
	await(t, a.desk.up, "BB")
	await(t, b.desk.up, "AA")
}

// A member with two nodes counts as connected while either is.
func TestMemberWithTwoPeers(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB")
	a, b1 := f.open("AA"), f.open("BB")
	second, err := New(Config{Member: "BB", Key: seed("second"), Listen: loopback(), Roster: f.roster()})
	if err != nil {
		t.Fatal(err)
	}
	b2 := &node{Net: second, desk: newDesk(), id: "BB"}
	r := f.roster(f.card("AA", a.Addrs()...), f.cardOf("BB", protocol.Peer{ID: b1.PeerID(), Addresses: b1.Addrs()},
		protocol.Peer{ID: b2.PeerID(), Addresses: b2.Addrs()}))
	for _, n := range []*node{a, b1, b2} {
		n.SetRoster(r)
		f.run(n)
	}
	await(t, b1.desk.up, "AA")
	await(t, b2.desk.up, "AA")
	await(t, a.desk.up, "BB")
	eventually(t, "both peers", func() bool { return a.Net.up(b1.host.ID()) && a.Net.up(b2.host.ID()) })
	only := f.roster(f.card("AA", a.Addrs()...), f.card("BB", b1.Addrs()...))
	a.SetRoster(only)
	await(t, b2.desk.down, "AA")
	if len(a.desk.down) != 0 {
		t.Error("reported as disconnected while one of its peers is connected")
	}
}

// BB is reached through AA alone; gossip and streams take that way like any other.
func TestRelay(t *testing.T) {
	t.Parallel() // waits more than it computes
	f := newFederation(t, "test", "AA", "BB", "CC")
	open := func(id protocol.MemberID, relay bool, announce []string, cards ...*protocol.SignedCard) *node {
		n, err := New(Config{Member: id, Key: f.transport(id), Listen: loopback(), Announce: announce, Roster: f.roster(cards...), Relay: relay})
		if err != nil {
			t.Fatal(err)
		}
		return &node{n, newDesk(), id}
	}
	a := open("AA", true, nil, f.card("BB"), f.card("CC")) // dials nobody
	cardA := f.card("AA", a.Addrs()...)
	through := a.Addrs()[0] + "/p2p/" + a.PeerID() + "/p2p-circuit"
	b := open("BB", false, []string{through}, cardA, f.card("CC")) // dials AA only
	c := open("CC", false, nil, cardA, f.card("BB", b.Addrs()...))
	b.desk.one("full")
	for _, n := range []*node{a, b, c} {
		f.run(n)
	}
	eventually(t, "CC to reach BB", func() bool { return slices.Contains(c.Connected(), "BB") })
	if got := c.host.Network().ConnsToPeer(b.host.ID())[0].RemoteMultiaddr().String(); !strings.Contains(got, "p2p-circuit") {
		t.Errorf("connected by %s", got)
	}
	if r, err := f.fetchOne(t.Context(), c, "BB"); err != nil || r != "full" {
		t.Errorf("record: got %q, %v", r, err)
	}
	heard(t, c.Net, "changes", 2)
}

func TestListenFailureNamesTheAddress(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f := newFederation(t, "test", "AA")
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	bad := "/ip4/127.0.0.1/tcp/" + port
	_, err = New(Config{Member: "AA", Key: f.transport("AA"), Listen: []string{"/ip4/127.0.0.1/udp/0/quic-v1", bad}, Roster: f.roster()})
	if err == nil || !strings.Contains(err.Error(), bad) {
		t.Errorf("got %v, want an error that names %s", err, bad)
	}
}

func TestConfigFaultsAreReportedTogether(t *testing.T) {
	_, err := New(Config{Member: "aa", Listen: []string{"nonsense"}})
	for _, want := range []string{"aa", "transport key", "roster", "nonsense"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error does not mention %q: %v", want, err)
		}
	}
}

func TestAnnouncedAddresses(t *testing.T) {
	f := newFederation(t, "test", "AA")
	announce := []string{"/dns4/node.example/tcp/4001"}
	n, err := New(Config{Member: "AA", Key: f.transport("AA"), Listen: loopback(), Announce: announce, Roster: f.roster(), Relay: true})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if got := n.Addrs(); !slices.Equal(got, announce) {
		t.Errorf("got %v, want %v", got, announce)
	}
	if got, want := n.PeerID(), f.peerID("AA"); got != want {
		t.Errorf("peer id: got %s, want %s", got, want)
	}
}

func TestMalformedCardsAreLeftOut(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB", "CC")
	a := f.open("AA")
	b := protocol.Peer{ID: f.peerID("BB"), Addresses: []string{"/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/tcp/1/http", "/nonsense"}}
	a.SetRoster(f.roster(f.cardOf("BB", b, protocol.Peer{ID: "QmNonsense"})))
	id, err := peer.Decode(f.peerID("BB"))
	if err != nil {
		t.Fatal(err)
	}
	v := a.view.Load()
	if len(v.members) != 1 || v.members[id] != "BB" || len(v.addrs[id]) != 1 {
		t.Errorf("got %v with addresses %v", v.members, v.addrs)
	}
}

func TestCheckAddress(t *testing.T) {
	relay := "/p2p/12D3KooWL3XJ9EMCyZvmmGXL2LMiVBtrVa2BuESsJiXkSj7333Jw"
	for _, s := range []string{"/ip4/192.0.2.1/tcp/4001", "/ip6/2001:db8::1/udp/4001/quic-v1", "/dns4/a.example/tcp/443/wss",
		"/dns/a.example/tcp/443/tls/ws", "/ip4/192.0.2.1/tcp/80/ws", "/ip4/192.0.2.1/tcp/4001" + relay + "/p2p-circuit"} {
		if err := CheckAddress(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", "192.0.2.1:4001", "/ip4/192.0.2.1", "/ip4/192.0.2.1/udp/4001", "/ip4/192.0.2.1/udp/1/quic-v1/webtransport",
		"/ip4/192.0.2.1/tcp/4001" + relay, "/unix/tmp/x", "/ip4/192.0.2.1/tcp/4001/http",
		relay + "/p2p-circuit", "/dns4/" + strings.Repeat("a", 300) + "/tcp/1"} {
		if err := CheckAddress(s); protocol.CodeOf(err) != protocol.CodeValue && protocol.CodeOf(err) != protocol.CodeTooLarge {
			t.Errorf("%.60s: got %v, want an error of form", s, err)
		}
	}
}
