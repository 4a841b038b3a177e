package node_test

import (
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// A hold is a withdrawal that can be lifted, also after a restart; every other withdrawal is for ever, also of what was held.
func TestHoldIsLifted(t *testing.T) {
	l := newLone(t, t.TempDir())
	held := &protocol.Listing{ID: "KETTLE-1", Kind: "TO", Country: "KH", Published: protocol.DateOf(time.Now()) - 30,
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Solar kettle"}}}
	ref := match.Ref{Origin: l.cfg.Member, ID: held.ID}
	withdraw := func(n *node.Node, reason string) exchange.Receipt {
		t.Helper()
		r, err := n.Desk().Withdraw(t.Context(), held.ID, protocol.Tombstone{Reason: reason})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	state := func(n *node.Node) exchange.Entry {
		t.Helper()
		e, err := n.Desk().Entry(ref)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	l.run(func(n *node.Node) {
		if _, err := n.Desk().Publish(t.Context(), held); err != nil {
			t.Fatal(err)
		}
		first := withdraw(n, protocol.OnHold)
		if again := withdraw(n, protocol.OnHold); again.Position != first.Position {
			t.Errorf("a second hold signed %s after %s", again.Position, first.Position)
		}
		if e := state(n); e.State != exchange.Withdrawn || e.Tombstone.Reason != protocol.OnHold {
			t.Errorf("held: %+v", e)
		}
	})
	l.run(func(n *node.Node) {
		back := *held
		back.Published = 0
		if r, err := n.Desk().Publish(t.Context(), &back); err != nil || r.Outcome != exchange.Revised {
			t.Fatalf("lifting the hold: %+v, %v", r, err)
		}
		if e := state(n); e.State != exchange.Current || e.Listing.Published != held.Published {
			t.Errorf("after the hold: %+v", e)
		}
		withdraw(n, protocol.OnHold)
		withdraw(n, "agreement")
		if e := state(n); e.Tombstone == nil || e.Tombstone.Reason != "agreement" || e.Tombstone.Published != held.Published {
			t.Errorf("withdrawn for ever: %+v", e.Tombstone)
		}
		withdraw(n, protocol.OnHold)
		if e := state(n); e.Tombstone.Reason != "agreement" {
			t.Errorf("a hold replaced the final withdrawal: %+v", e.Tombstone)
		}
		if _, err := n.Desk().Publish(t.Context(), held); protocol.CodeOf(err) != protocol.CodeWithdrawn {
			t.Errorf("published after the final withdrawal: %v", err)
		}
	})
}
