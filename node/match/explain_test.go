package match

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

func TestPartsSumToTheScore(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		x := New(DefaultWeights())
		walk(r, x, 100)
		for _, q := range []Query{{Text: phrase(r, 1+r.IntN(60)), Limit: 50}, {Listing: randomListing(r, 7), Limit: 50}} {
			for _, h := range ask(t, x, q).Hits {
				sum := 0.0
				for i, p := range h.Explanation.Parts {
					sum += p.Weight
					if p.Weight <= 0 || len(p.Fields) == 0 || (p.Term == "") != (i == MaxParts) || (p.Kind == PartOther) != (i == MaxParts) {
						t.Errorf("seed %d: part %d is %+v", seed, i, p)
					}
				}
				if math.Abs(sum-h.Score) > 1e-6 || !strings.HasPrefix(h.Explanation.Sentence, "Shares “") {
					t.Errorf("seed %d: parts sum to %v, score %v: %s", seed, sum, h.Score, h.Explanation.Sentence)
				}
			}
		}
	}
}

func TestExplanationReadsWell(t *testing.T) {
	x := New(DefaultWeights())
	put := func(id string, lang protocol.Lang, text protocol.Text) {
		x.Put(Ref{"KH", protocol.ListingID(id)}, listing(id, "TO", lang, text))
	}
	put("a", "en", protocol.Text{Title: "Ultrafiltration membranes", Abstract: "For river water.", Keywords: []string{"filters"}})
	put("b", "th", protocol.Text{Title: "เยื่อกรองน้ำสำหรับโรงงาน"})
	put("c", "id", protocol.Text{Title: "Filtration dengan membran"})
	put("d", "en", protocol.Text{Abstract: "alpha beta gamma delta epsilon"})
	tests := []struct{ id, query, parts, sentence string }{
		{"a", "Membranes", "term Membranes [title]", "Shares “Membranes” in the title."},
		{"a", "filter, membrane", "term filter [keywords]; term membrane [title]", "Shares “filter” and “membrane”, mostly in the keywords."},
		{"a", "the ultrafiltration MEMBRANE", "term ultrafiltration [title]; term MEMBRANE [title]; bigram ultrafiltration MEMBRANE [title]",
			"Shares “ultrafiltration” and “MEMBRANE”, all in the title."},
		{"c", "filtration", "term filtration [title]", "Shares “filtration” in the title."},
		{"d", "delta, gamma, beta, alpha", "", "Shares “alpha”, “beta” and 2 more terms, all in the abstract."},
		{"b", "การใช้เยื่อกรองน้ำ", "", "Shares “เยื่อกรองน้ำ” in the title."},
	}
	for _, tt := range tests {
		hits := ask(t, x, Query{Text: tt.query}).Hits
		i := slices.IndexFunc(hits, func(h Hit) bool { return string(h.Ref.ID) == tt.id })
		if i < 0 {
			t.Errorf("%s does not find %s", tt.query, tt.id)
			continue
		}
		var parts []string
		for _, p := range hits[i].Explanation.Parts {
			parts = append(parts, fmt.Sprintf("%s %s %v", p.Kind, p.Term, p.Fields))
		}
		if got := strings.Join(parts, "; "); tt.parts != "" && got != tt.parts {
			t.Errorf("%s finds %s by\n%s, want\n%s", tt.query, tt.id, got, tt.parts)
		}
		if got := hits[i].Explanation.Sentence; got != tt.sentence {
			t.Errorf("%s finds %s: %s want\n%s", tt.query, tt.id, got, tt.sentence)
		}
	}
}

// What a listing says in two languages counts once: as much as in the language that fits a document better.
func TestLanguagesDoNotCountTwice(t *testing.T) {
	x := New(DefaultWeights())
	for i, text := range []string{"photovoltaic pump for rice", "pam fotovoltaik padi", "photovoltaic pump for rice, pam fotovoltaik padi"} {
		x.Put(Ref{"MY", protocol.ListingID(fmt.Sprint(i))}, listing(fmt.Sprint(i), "TO", "en", protocol.Text{Title: text}))
	}
	need := listing("n", "TR", "en", protocol.Text{Title: "photovoltaic pump for rice"})
	english := ask(t, x, Query{Listing: need})
	need.Texts["ms"] = protocol.Text{Title: "pam fotovoltaik padi"}
	both := ask(t, x, Query{Listing: need})
	if len(both.Hits) != 3 || len(english.Hits) != 2 {
		t.Fatalf("%d hits in English, %d in both languages, want 2 and 3", len(english.Hits), len(both.Hits))
	}
	for _, e := range english.Hits {
		for _, b := range both.Hits {
			if e.Ref == b.Ref && b.Score > e.Score+1e-9 && b.Ref.ID != "1" {
				t.Errorf("%s scores %.3f with a second language and %.3f without", b.Ref.ID, b.Score, e.Score)
			}
		}
	}
}
