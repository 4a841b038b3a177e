package document_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func TestWhatWaitsIsBounded(t *testing.T) {
	a, s, clock := kept(t, store.Config{})
	var all []*document.Clean
	for i := range 4 {
		all = append(all, accept(t, plainPDF(i+1, "")))
	}
	limits := document.Limits{Waiting: all[0].Size + all[2].Size}
	send := func(c *document.Clean, sender string) error {
		return s.Update(func(tx *store.Tx) error { return a.Reserve(tx, c, sender, limits) })
	}
	for range 2 { // the same document again takes no more room
		for _, c := range all[:2] {
			if err := send(c, "institute"); err != nil {
				t.Fatal(err)
			}
			put(t, a, c)
		}
	}
	if err := send(all[2], "institute"); protocol.CodeOf(err) != protocol.CodeQuota || !strings.Contains(err.Error(), "name those documents in their listings") {
		t.Errorf("a third: %v", err)
	}
	if err := send(all[2], "college"); err != nil {
		t.Errorf("of another sender: %v", err)
	}
	update(t, s, func(tx *store.Tx) error { return document.Attach(tx, "one", all[1].Hash, document.Limits{}) })
	if err := send(all[2], "institute"); err != nil {
		t.Errorf("when a listing keeps one: %v", err)
	}
	if err := send(all[3], "institute"); protocol.CodeOf(err) != protocol.CodeQuota {
		t.Errorf("one more: %v", err)
	}
	clock.at = clock.at.Add(24 * time.Hour)
	if err := send(all[3], "institute"); err != nil {
		t.Errorf("a day later: %v", err)
	}
}

func TestSenderIsToldWhatIsLeftOut(t *testing.T) {
	c := accept(t, loadedPDF(t))
	if want := []document.Left{document.LeftFields, document.LeftFiles, document.LeftLinks, document.LeftRemarks, document.LeftScripts}; !slices.Equal(c.Left, want) {
		t.Errorf("left out are %v, want %v", c.Left, want)
	}
	if c := accept(t, c.Bytes()); len(c.Left) != 0 {
		t.Errorf("of a clean document %v", c.Left)
	}
	signed := pdf("", "<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[6 0 R]>>>>", "<</Type/Pages/Count 1/MediaBox[0 0 595 842]/Kids[4 0 R]>>",
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", "<</Type/Page/Parent 2 0 R/Contents 5 0 R/Annots[6 0 R]/Resources<</Font<</F1 3 0 R>>>>>>", stream("", pageText),
		"<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/Rect[0 0 0 0]>>")
	if c := accept(t, signed); !slices.Equal(c.Left, []document.Left{document.LeftSignatures}) {
		t.Errorf("of a signed document %v", c.Left)
	}
	for _, plain := range [][]byte{plainPDF(2, ""), jpegOf(t, photo(40, 30))} {
		if c := accept(t, plain); len(c.Left) != 0 {
			t.Errorf("of a plain document %v", c.Left)
		}
	}
}
