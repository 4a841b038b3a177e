package demo_test

import (
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/record"
)

// TestFullRecordIsFetchedFromItsOrigin: the summary is everywhere, the full record at its origin alone. Another node fetches
// it on demand for its readers, checks it against the signed summary, shows no section above their level, and shows its copy
// where the origin cannot be reached.
func TestFullRecordIsFetchedFromItsOrigin(t *testing.T) {
	f := newFederation(t, smaller(2))
	members := f.Members()
	origin, other := members[0], members[1]
	for _, m := range members {
		f.start(m)
	}
	line := `{"id":"F1","kind":"TO","country":"BN","texts":{"en":{"title":"Full record"}},"full_record":{"level":"public","texts":{"en":{"description":"All of it."}},"contact":{"name":"Desk"},"sections":{"contact":"registered"}}}`
	if _, err := f.Publish(t.Context(), origin, []byte(line)); err != nil {
		t.Fatal(err)
	}
	ref := match.Ref{Origin: origin, ID: "F1"}
	desk, records := f.Node(other).Desk(), f.Node(other).House().Records
	stranger := access.Actor{}
	if err := demo.Await(t.Context(), "the summary is at the other node", func() bool {
		_, err := desk.Entry(ref)
		return err == nil && len(f.Node(other).Net().Connected()) == len(members)-1
	}); err != nil {
		t.Fatal(err)
	}
	shown, err := records.Get(t.Context(), record.Ref{Origin: origin, ID: "F1"}, stranger)
	if err != nil || shown.Record.Texts["en"].Description != "All of it." || shown.Record.Contact.Name != "" || !shown.Verified || len(shown.Withheld) != 1 {
		t.Fatalf("%+v, %v", shown, err)
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
	if again, err := records.Get(t.Context(), record.Ref{Origin: origin, ID: "F1"}, stranger); err != nil || !again.FromCache || again.Record.Texts["en"].Description != "All of it." {
		t.Errorf("the copy, with the origin away: %+v, %v", again, err)
	}
}
