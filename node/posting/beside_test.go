package posting

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// written is an offer with nothing but that in it.
func written(lang protocol.Lang, title, abstract string) Content {
	return Content{Listing: protocol.Listing{
		Kind: protocol.TechnologyOffer, Country: "KH", Texts: map[protocol.Lang]protocol.Text{lang: {Title: title, Abstract: abstract}},
	}}
}

func TestTwinsOfADraft(t *testing.T) {
	h := newHouse(t, "")
	long := strings.Repeat("Air is heated below a black plate and dries the fish in six hours. ", 3)
	x := h.create(written("en", "Solar dryer for small fish landing sites", long))
	patent := written("en", "Something else", "")
	patent.Record.Rights = []protocol.Right{{Type: "patent-granted", Office: "KH", Number: "2024/00017"}}
	numbered := h.create(patent)
	waiting := h.create(func() Content {
		c := content()
		c.Record.Rights = nil
		c.Listing.Texts = map[protocol.Lang]protocol.Text{"en": {Title: "Cold store run by the sun", Abstract: long}}
		return c
	}())
	waiting = h.submit(waiting)
	khmer := h.create(written("km", "ឡសម្ងួតត្រីដោយកម្ដៅព្រះអាទិត្យ", ""))

	for name, tc := range map[string]struct {
		c    Content
		want map[protocol.ListingID]Likeness
	}{
		"title":           {written("en", "A SOLAR DRYER, for small fish-landing sites", ""), map[protocol.ListingID]Likeness{x.ID: SimilarTitle}},
		"text":            {written("en", "Drying chamber", long), map[protocol.ListingID]Likeness{x.ID: SimilarText, waiting.ID: SimilarText}},
		"no spaces":       {written("km", "ឡសម្ងួតត្រីដោយកម្ដៅព្រះអាទិត្យថ្មី", ""), map[protocol.ListingID]Likeness{khmer.ID: SimilarTitle}},
		"another subject": {written("en", "Rapid test for dengue in the field", "A strip of paper."), nil},
		"nothing yet":     {written("en", "", ""), nil},
		"a short text":    {written("en", "", "Air is heated."), nil},
	} {
		y := h.create(tc.c)
		list, err := h.Twins(h.ctx(), editor, y, &tc.c)
		if err != nil || len(list) != len(tc.want) {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
		for _, s := range list {
			if s.Like != tc.want[s.ID] || s.Title == "" || s.State == None {
				t.Errorf("%s: %+v", name, s)
			}
		}
		h.must(h.Discard(h.ctx(), editor, y.ID, y.Version))
	}
	same := written("en", "Chamber", "")
	same.Record.Rights = []protocol.Right{{Type: "patent-granted", Office: "kh", Number: "2024 / 00017"}}
	if list, err := h.Twins(h.ctx(), editor, x, &same); err != nil || len(list) != 1 || list[0].ID != numbered.ID || list[0].Like != SamePatent {
		t.Errorf("the same patent: %+v, %v", list, err)
	}
	need := written("en", "Solar dryer for small fish landing sites", "")
	need.Listing.Kind = protocol.TechnologyRequest
	if list, err := h.Twins(h.ctx(), editor, khmer, &need); err != nil || list != nil {
		t.Errorf("a request is no twin of an offer: %+v, %v", list, err)
	}

	// Who may not read them is not told, and neither is the author of what is published.
	c := written("en", "Solar dryer for small fish landing sites", "")
	if list, err := h.Twins(h.ctx(), stranger, khmer, &c); err != nil || list != nil {
		t.Errorf("another organisation is told of %+v, %v", list, err)
	}
	theirs, err := h.Create(stranger, stranger.Organisation, "", c)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := h.Twins(h.ctx(), stranger, theirs, &c); err != nil || list != nil {
		t.Errorf("their own drafts have no twin, but %+v, %v", list, err)
	}
	gone, cancel := context.WithCancel(h.ctx())
	cancel()
	if _, err := h.Twins(gone, editor, khmer, &c); !errors.Is(err, context.Canceled) {
		t.Errorf("it goes on when nobody waits: %v", err)
	}
}
