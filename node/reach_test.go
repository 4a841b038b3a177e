package node_test

import (
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// Whoever held a record key for a moment can sign at the end of all numbers. That freezes nobody, and leaves room for
// every epoch to come.
func TestPositionsOutOfReach(t *testing.T) {
	n, _, l := newPair(t)
	await(t, "publishing is open", func() bool {
		_, err := n.Counter().Publish(t.Context(), &protocol.Listing{ID: "one", Kind: protocol.TechnologyOffer, Country: "KH",
			Texts: map[protocol.Lang]protocol.Text{"en": {Title: "A listing of the honest node"}}})
		return err == nil
	})
	at := func(pos protocol.Position) protocol.Evidence {
		sign := func(body string) *protocol.SignedHeader {
			c, err := protocol.SignChange(l.honest.Record, protocol.Header{
				Federation: l.roster.Federation(), Origin: honest, CharterVersion: 1, Pos: pos, Prev: protocol.Sum([]byte("x")),
				RecordKey: "listing/x", Kind: protocol.Put, Count: 1, Digest: protocol.Sum([]byte(body)),
			}, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			return &c.SignedHeader
		}
		e, ok := protocol.NewEvidence(sign("a"), sign("b"))
		if !ok {
			t.Fatal("no evidence")
		}
		return e
	}
	for _, pos := range []protocol.Position{{Epoch: 1, Seq: protocol.MaxNumber}, {Epoch: protocol.MaxNumber - 1, Seq: 7}, {Epoch: 1, Seq: 2}} {
		if err := l.net.PublishEvidence(t.Context(), at(pos)); err != nil { // the last one is real evidence
			t.Fatal(err)
		}
	}
	await(t, "the fork is known", func() bool { f, _ := n.Forks(honest); return len(f) > 0 })
	if f, err := n.Forks(honest); err != nil || len(f) != 1 || f[0].A.Pos.Seq != 2 {
		t.Errorf("%d pieces of evidence are kept: %v", len(f), err)
	}
	o, err := n.ProposeEpoch("fork", "")
	if err != nil {
		t.Fatal(err)
	}
	if o.Pos.Epoch != 2 || o.Pos.Seq > 10 {
		t.Errorf("the epoch that ends it begins at %s", o.Pos)
	}
	if _, err := protocol.SignOpening(l.honest.Governance, o); err != nil {
		t.Errorf("the epoch that ends it cannot be signed: %v", err)
	}
}
