package node_test

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/store"
)

// TestVerifyReadsDocuments: what a listing keeps is read to its end, and damage and loss have names.
func TestVerifyReadsDocuments(t *testing.T) {
	l := newLone(t, t.TempDir())
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 30, 20))); err != nil {
		t.Fatal(err)
	}
	var kept document.Document
	l.run(func(n *node.Node) {
		h := n.House()
		c, err := h.Documents.Accept(t.Context(), &picture, document.Declared{Name: "pump.png"}, h.DocumentLimits())
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Documents.Put(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		kept = c.Document
		if err := h.Store.Update(func(tx *store.Tx) error { return document.Attach(tx, "L1", kept.Hash, h.DocumentLimits()) }); err != nil {
			t.Fatal(err)
		}
	})
	verify := func(want string) {
		t.Helper()
		v, err := node.Verify(t.Context(), node.VerifyConfig{Store: l.cfg.Store, Member: l.cfg.Member})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case want == "" && len(v.Findings) > 0:
			t.Errorf("found %v", v.Findings)
		case want != "" && (len(v.Findings) != 1 || !strings.HasPrefix(v.Findings[0].Text, want) || !strings.HasSuffix(v.Findings[0].Text, kept.Hash.String()) || v.Findings[0].Do == ""):
			t.Errorf("found %+v, want %q", v.Findings, want)
		}
	}
	change := func(f func(tx *store.Tx) error) {
		t.Helper()
		s, err := store.Open(l.cfg.Store)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Update(f); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	verify("")
	change(func(tx *store.Tx) error {
		return tx.SetRow(store.TableChunk, kept.Hash.String()+"/0000", bytes.Repeat([]byte{1}, int(kept.Size)))
	})
	verify("a document is damaged: ")
	change(func(tx *store.Tx) error { return tx.DeleteRow(store.TableDocument, "d/"+kept.Hash.String()) })
	verify("a document that a listing names is missing: ")
}
