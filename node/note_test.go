package node_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// What the operator publishes and withdraws past the house stands in the audit log; publishing the same again does not.
func TestOperatorsWritesAreNoted(t *testing.T) {
	l := newLone(t, t.TempDir())
	l.run(func(n *node.Node) {
		ctx := (&door.Keeper{Member: l.cfg.Member}).AsOperator(httptest.NewRequest(http.MethodPost, "/", nil)).Context()
		offer := &protocol.Listing{ID: "KETTLE-1", Kind: "TO", Country: "KH", Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Solar kettle"}}}
		for range 2 {
			if _, err := n.Counter().Publish(ctx, offer); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := n.Counter().Withdraw(ctx, offer.ID, protocol.Tombstone{Reason: "agreement"}); err != nil {
			t.Fatal(err)
		}
		list, _, err := n.House().Log(access.Operator(l.cfg.Member), audit.Filter{ResourceKind: "listing"}, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range list {
			got = append(got, string(e.Kind)+" "+e.Action+" "+e.Resource)
		}
		if want := []string{"operator listing.withdraw KETTLE-1", "operator listing.publish KETTLE-1"}; !slices.Equal(got, want) {
			t.Errorf("the log holds %q, want %q", got, want)
		}
	})
}
