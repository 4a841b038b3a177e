package demo_test

import (
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// TestFullRecordIsFetchedFromItsOrigin: the summary is everywhere, the full record at its origin alone. Another node fetches
// it on demand, checks it against the signed summary, and says so where the origin cannot be reached.
func TestFullRecordIsFetchedFromItsOrigin(t *testing.T) {
	f := newFederation(t, smaller(2))
	members := f.Members()
	origin, other := members[0], members[1]
	for _, m := range members {
		f.start(m)
	}
	line := `{"id":"F1","kind":"TO","country":"BN","texts":{"en":{"title":"Full record"}},"full_record":{"description":{"en":"All of it."}}}`
	if _, err := f.Publish(t.Context(), origin, []byte(line)); err != nil {
		t.Fatal(err)
	}
	ref := match.Ref{Origin: origin, ID: "F1"}
	desk := f.Node(other).Desk()
	if err := demo.Await(t.Context(), "the summary is at the other node", func() bool {
		_, err := desk.Entry(ref)
		return err == nil && len(f.Node(other).Net().Connected()) == len(members)-1
	}); err != nil {
		t.Fatal(err)
	}
	b, err := desk.FullRecord(t.Context(), ref)
	if err != nil || !strings.Contains(string(b), "All of it.") {
		t.Fatalf("%q, %v", b, err)
	}
	if err := f.Stop(origin); err != nil {
		t.Fatal(err)
	}
	if err := demo.Await(t.Context(), "the origin is seen to be away", func() bool {
		e, err := desk.Entry(ref)
		return err == nil && !e.Fresh.Connected
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.FullRecord(t.Context(), ref); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("with the origin away: %v", err)
	}
}
