package node_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/embed"
	"github.com/asean-tmh/tmh/protocol"
)

// TestOutsideModel: a node asks no model unless it is given one; then it embeds what it holds, and queries too.
func TestOutsideModel(t *testing.T) {
	var listings, queries atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Inputs []string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Inputs) != 1 {
			http.Error(w, "one text is wanted", http.StatusBadRequest)
			return
		}
		switch in.Inputs[0] {
		case "Clay membrane\nIt filters water.":
			listings.Add(1)
		case "membrane":
			queries.Add(1)
		}
		_ = json.NewEncoder(w).Encode([][]float32{{1, 2, 3}})
	}))
	defer server.Close()
	l := newLone(t, t.TempDir())
	l.cfg.EmbedTimeout = 10 * time.Second
	run := func(e embed.Embedder, f func(*node.Node)) {
		t.Helper()
		l.cfg.Embedder = e
		l.run(f)
	}
	part := func(n *node.Node) (weight float64) {
		a, err := n.Desk().Match(t.Context(), match.Query{Text: "membrane"})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range a.Hits {
			for _, p := range h.Explanation.Parts {
				if p.Kind == match.PartEmbedding {
					weight += p.Weight
				}
			}
		}
		return weight
	}
	run(nil, func(n *node.Node) {
		await(t, "the node may publish", func() bool {
			_, err := n.Desk().Publish(t.Context(), &protocol.Listing{
				ID: "KH-1", Kind: protocol.TechnologyOffer, Country: "KH",
				Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Clay membrane", Abstract: "It filters water."}},
			})
			return err == nil
		})
		if w := part(n); w != 0 {
			t.Errorf("a part of %v without a model", w)
		}
	})
	if listings.Load()+queries.Load() != 0 {
		t.Error("a node without a model asked one")
	}
	model, err := embed.New(embed.Config{URL: server.URL, Kind: embed.TEI, Model: "three"})
	if err != nil {
		t.Fatal(err)
	}
	run(model, func(n *node.Node) {
		await(t, "the model has a part in the answer", func() bool { return part(n) > 0 })
	})
	if listings.Load() != 1 || queries.Load() == 0 {
		t.Errorf("asked about the listing %d times, about queries %d times", listings.Load(), queries.Load())
	}
	run(model, func(n *node.Node) {
		await(t, "the vectors are still there", func() bool { return part(n) > 0 })
	})
	if listings.Load() != 1 {
		t.Errorf("asked about the listing %d times", listings.Load())
	}
}
