package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// TestIndexFollowsTheStore: what the match index holds after a start is what the database holds, whether the index is that
// of the last stop, older, or gone.
func TestIndexFollowsTheStore(t *testing.T) {
	dir := t.TempDir()
	l := newLone(t, dir)
	index := l.cfg.Index
	run := func(f func(*node.Node)) {
		t.Helper()
		l.run(func(n *node.Node) {
			await(t, "the catalogue is read in", func() bool { return n.Waiting() == 0 })
			f(n)
		})
	}
	publish := func(n *node.Node, id, title string) {
		t.Helper()
		await(t, "the listing is published", func() bool {
			_, err := n.Desk().Publish(t.Context(), &protocol.Listing{
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
