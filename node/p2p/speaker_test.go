package p2p

import (
	"context"
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/asean-tmh/tmh/protocol"
)

// Two copies of BB run under one peer id, both connected to AA. Whoever of them claimed to have signed most is asked, and
// when it goes, the other one.
func TestOfTwoCopiesTheOneThatClaimsMostIsAsked(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB", "CC")
	a, first, second := f.open("AA"), f.open("BB"), f.open("BB")
	second.SetRoster(f.introduce(a, first))
	a.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send func(*protocol.Answer) error) error {
		return send(&protocol.Answer{Last: true})
	})
	for name, n := range map[string]*node{"first": first, "second": second} {
		n.desk.one(name)
		n.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send func(*protocol.Answer) error) error {
			return send(&protocol.Answer{Last: true, Vector: []protocol.Claim{{Origin: "BB", Pos: protocol.Position{Epoch: 1, Seq: 10}}}})
		})
	}
	for _, n := range []*node{a, first, second} {
		f.run(n)
	}
	await(t, first.desk.up, "AA")
	await(t, second.desk.up, "AA")
	claims := func(n *node, seq uint64) {
		t.Helper()
		vector := []protocol.Claim{{Origin: "AA", Pos: protocol.Position{Epoch: 1, Seq: 99}}, {Origin: "BB", Pos: protocol.Position{Epoch: 1, Seq: seq}}}
		if err := n.Ask(t.Context(), "AA", &protocol.Request{Kind: protocol.AskVector, Vector: vector}, func(*protocol.Answer) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	asked := func(want string) {
		t.Helper()
		if got, err := f.fetchOne(t.Context(), a, "BB"); err != nil || got != want {
			t.Errorf("AA asked %q (%v), want %q", got, err, want)
		}
	}
	for _, n := range []*node{first, second} {
		eventually(t, "AA serves", func() bool {
			return n.Ask(t.Context(), "AA", &protocol.Request{Kind: protocol.AskHeads}, func(*protocol.Answer) error { return nil }) == nil
		})
	}
	claims(second, 8)
	asked("second")
	claims(first, 9)
	asked("first")
	claims(second, 8)
	asked("first")
	claims(second, 9)
	asked("second") // of equals the last
	claims(first, 8)
	asked("second")
	answered := func(*protocol.Answer) error { return nil }
	if err := a.Ask(t.Context(), "BB", &protocol.Request{Kind: protocol.AskVector}, answered); err != nil { // it says 10
		t.Fatal(err)
	}
	claims(first, 9)
	asked("second")

	p := second.host.ID()
	for _, c := range a.host.Network().ConnsToPeer(p) { // what the second one is connected by
		if own := func(d network.Conn) bool { return d.LocalMultiaddr().Equal(c.RemoteMultiaddr()) }; slices.ContainsFunc(second.host.Network().Conns(), own) {
			_ = c.Close()
		}
	}
	asked("first")
}
