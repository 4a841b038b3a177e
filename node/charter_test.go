package node_test

import (
	"testing"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// next is the charter after prev with these members, signed by both governance keys.
func (l *liar) next(prev *protocol.SignedCharter, members ...protocol.Member) *protocol.SignedCharter {
	l.t.Helper()
	c, err := protocol.NewCharter(protocol.Charter{Version: prev.Version + 1, Federation: prev.FederationID(), Prev: prev.Hash, Name: prev.Name, Members: members})
	if err != nil {
		l.t.Fatal(err)
	}
	c.Sign(l.honest.Governance)
	c.Sign(l.seat.Governance)
	return c
}

// TestMemberLeavesAndComesBack: a charter that drops a member takes its catalogue out of answers and figures, and one that
// takes it back brings in what the store still holds; both while the node runs and is connected.
func TestMemberLeavesAndComesBack(t *testing.T) {
	n, _, l := newPair(t)
	l.gossip(l.sign(1))
	l.gossip(l.sign(2))
	found := func() int {
		a, err := n.Counter().Match(t.Context(), match.Query{Text: "listing number"})
		if err != nil {
			t.Fatal(err)
		}
		return len(a.Hits)
	}
	await(t, "both are proven and found", func() bool { return memberState(n, lying).Position.Seq == 2 && found() == 2 })

	second := l.next(l.papers.Charters[0], l.honest.Member)
	if err := n.Adopt(&protocol.Papers{Charters: []*protocol.SignedCharter{second}}); err != nil {
		t.Fatal(err)
	}
	await(t, "the member that left is disconnected and its listings are gone", func() bool {
		return len(n.Net().Connected()) == 0 && found() == 0 && n.Figures().Listings == 0
	})
	if m := memberState(n, lying); m.ID != "" {
		t.Errorf("it is still shown: %+v", m)
	}
	if e, err := n.Desk().Entry(match.Ref{Origin: lying, ID: "L001"}); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("its listing is still shown: %+v, %v", e, err)
	}

	third := l.next(second, l.honest.Member, l.seat.Member)
	if err := n.Adopt(&protocol.Papers{Charters: []*protocol.SignedCharter{third}, Cards: l.papers.Cards}); err != nil {
		t.Fatal(err)
	}
	await(t, "what is still held is shown, counted and found", func() bool {
		m := memberState(n, lying)
		return m.Position.Seq == 2 && m.Records == 2 && m.Listings == 2 && n.Figures().Listings == 2 && found() == 2
	})
}

// TestNewCharterReachesWhoIsConnected: a member that adopts a charter is not silenced at the others, who do not have it
// yet: they fetch it when its feed names it.
func TestNewCharterReachesWhoIsConnected(t *testing.T) {
	t.Parallel() // waits more than it computes
	n, _, l := newPair(t)
	second := l.next(l.papers.Charters[0], l.honest.Member, l.seat.Member)
	roster, err := l.roster.WithCharter(second)
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.serve = &protocol.Papers{Charters: []*protocol.SignedCharter{second}}
	l.mu.Unlock()
	l.roster = roster
	l.net.SetRoster(roster)
	l.charter = 2
	l.sign(1)
	l.answers(func(r *protocol.Request, send func(*protocol.Answer) error) error { return send(l.feed(r)) })
	if err := l.net.Ask(t.Context(), honest, &protocol.Request{Kind: protocol.AskVector, Vector: []protocol.Claim{{Origin: lying, Pos: protocol.Position{Epoch: 1, Seq: 1}}}},
		func(*protocol.Answer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	await(t, "the change under charter 2 is proven", func() bool {
		m := memberState(n, lying)
		return m.State == exchange.Proven && m.Position.Seq == 1
	})
}
