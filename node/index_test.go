package node_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// TestIndexFollowsTheStore: what the match index holds after a start is what the database holds, whether the index is that
// of the last stop, older, or gone.
func TestIndexFollowsTheStore(t *testing.T) {
	seat, err := founding.NewSeat(founding.ASEAN()[2], "")
	if err != nil {
		t.Fatal(err)
	}
	seat.Addresses = []string{freeAddress(t)}
	papers, err := founding.Found("Test federation", []founding.Seat{seat}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	index := filepath.Join(dir, "index")
	run := func(f func(*node.Node)) {
		t.Helper()
		n, err := node.New(node.Config{
			Member: seat.Member.ID, Record: seat.Record, Transport: seat.Transport, Papers: papers, Listen: seat.Addresses,
			Store: store.Config{Dir: filepath.Join(dir, "data"), Memtable: 8 << 20}, Index: index,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- n.Run(ctx) }()
		<-n.Ready()
		await(t, "the catalogue is read in", func() bool { return n.Waiting() == 0 })
		f(n)
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	publish := func(n *node.Node, id, title string) {
		t.Helper()
		await(t, "the listing is published", func() bool {
			_, err = n.Desk().Publish(t.Context(), &protocol.Listing{
				ID: protocol.ListingID(id), Kind: protocol.TechnologyOffer, Country: "KH", Texts: map[protocol.Lang]protocol.Text{"en": {Title: title}},
			})
			return err == nil
		})
	}
	found := func(n *node.Node, text string) (ids string) {
		t.Helper()
		a, err := n.Desk().Match(t.Context(), match.Query{Text: text, Lang: "en"})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range a.Hits {
			ids += string(h.Ref.ID) + " "
		}
		return ids
	}
	run(func(n *node.Node) {
		for i := range 30 {
			publish(n, fmt.Sprintf("KH-%d", i), fmt.Sprintf("Clay membrane number%d", i))
		}
	})
	old := filepath.Join(dir, "old")
	if err := os.CopyFS(old, os.DirFS(index)); err != nil {
		t.Fatal(err)
	}
	run(func(n *node.Node) {
		if got := found(n, "number7"); got != "KH-7 " {
			t.Errorf("after a stop %q is found", got)
		}
		publish(n, "KH-7", "Bamboo bridge")
		if _, err := n.Desk().Withdraw(t.Context(), "KH-8", protocol.Tombstone{Reason: "other"}); err != nil {
			t.Fatal(err)
		}
		publish(n, "KH-new", "Tidal turbine")
	})
	check := func(n *node.Node) {
		t.Helper()
		for text, want := range map[string]string{"number7": "", "bamboo": "KH-7 ", "number8": "", "tidal": "KH-new ", "number9": "KH-9 "} {
			await(t, text+" finds "+want, func() bool { return found(n, text) == want })
		}
	}
	run(check)
	if err := os.RemoveAll(index); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(old, index); err != nil { // as after a crash that came before anything was written
		t.Fatal(err)
	}
	run(check)
	if err := os.RemoveAll(index); err != nil {
		t.Fatal(err)
	}
	run(check)
}
