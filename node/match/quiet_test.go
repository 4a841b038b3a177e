package match

import (
	"fmt"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// TestEqualCataloguesComeToRankAlike: one index grows by less than a tenth after it has learnt, another gets all at once,
// as a node that joins late. When nothing changes any more, both must come to the same ranker.
func TestEqualCataloguesComeToRankAlike(t *testing.T) {
	put := func(x *Index, from, to int) {
		for i := from; i < to; i++ {
			x.Put(Ref{Origin: "KH", ID: protocol.ListingID(fmt.Sprintf("L%d", i))}, &protocol.Listing{
				ID: protocol.ListingID(fmt.Sprintf("L%d", i)), Kind: protocol.TechnologyOffer, Country: "KH",
				Texts: map[protocol.Lang]protocol.Text{"en": {Title: fmt.Sprintf("Pump %d for wells", i%7), Abstract: fmt.Sprintf("Filter %d and membrane %d", i%11, i%13)}},
			})
		}
	}
	upkeep := func(x *Index) {
		if err := x.Upkeep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ranker := func(x *Index) Digest {
		a, err := x.Match(t.Context(), Query{Text: "membrane"})
		if err != nil {
			t.Fatal(err)
		}
		return a.Ranker
	}
	early, late := New(Options{}), New(Options{})
	put(early, 0, 200)
	upkeep(early)
	put(early, 200, 210)
	put(late, 0, 210)
	for range 3 { // changed, quiet, learnt
		upkeep(early)
		upkeep(late)
	}
	if ranker(early) != ranker(late) {
		t.Error("two indexes of one catalogue rank by different topics although nothing changes any more")
	}
}
