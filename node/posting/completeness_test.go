package posting

import (
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// richest says all that a checklist can ask for.
func richest(k protocol.Kind) Content {
	words := strings.Repeat("dryer ", 100)
	text := protocol.Text{Title: "Solar dryer for cashew nuts", Value: "Half the time", Abstract: words, Keywords: []string{"a", "b", "c"}}
	return Content{
		Listing: protocol.Listing{
			Kind: k, Texts: map[protocol.Lang]protocol.Text{"en": text, "km": text}, FORD: []string{"2.11"}, ISIC: []string{"C10"}, IPC: []string{"F26B"},
			SDG: []uint16{9}, TRL: 5, IPR: []string{"patent-granted"}, Cooperation: []string{"licence"}, Seeks: protocol.Seeks{Types: []string{"sme"}},
			Organisation: protocol.Organisation{Type: "university"}, ValidUntil: 20000,
		},
		Record: protocol.Record{
			Texts:      map[protocol.Lang]protocol.RecordText{"en": {Description: words, Problem: words, Advantages: words, Applications: []string{"nuts"}}},
			Comparison: []protocol.Comparison{{Metric: "hours", Baseline: "12", Ours: "6"}}, Stage: "two were built",
			Rights: []protocol.Right{{Type: "patent-granted"}}, Terms: protocol.Terms{Models: []string{"licence"}},
			Partner: protocol.Partner{Role: "maker", Task: "make it"}, Contact: protocol.Contact{Name: "Desk"},
			Funding:      protocol.Funding{Call: "X-1", Deadline: 1, Eligible: "all"},
			Publications: []string{"10.1000/x"},
		},
	}
}

func TestCompleteness(t *testing.T) {
	for _, k := range append(protocol.Kinds(), "") {
		rich, poor := richest(k), Content{Listing: protocol.Listing{Kind: k}}
		full, empty := Completeness(&rich.Listing, &rich.Record), Completeness(&poor.Listing, &poor.Record)
		if full.Points != 100 || empty.Points != 0 {
			t.Errorf("%s: the richest has %d points and the emptiest %d: %+v", k, full.Points, empty.Points, full.Items)
		}
		sum := 0
		seen := make(map[string]bool)
		for i, x := range full.Items {
			sum += x.Points
			if seen[x.Field] || x.Points < 1 || x.Why == "" || x.How == "" || x.Points != empty.Items[i].Points {
				t.Errorf("%s: item %+v", k, x)
			}
			seen[x.Field] = true
		}
		if sum != 100 {
			t.Errorf("%s: %d points in all", k, sum)
		}
	}
	plain := content()
	before := Completeness(&plain.Listing, &plain.Record)
	plain.Listing.ISIC = []string{"C10"}
	after := Completeness(&plain.Listing, &plain.Record)
	gain := 0
	for _, x := range after.Items {
		if x.Field == "isic" && x.Done {
			gain = x.Points
		}
	}
	if gain == 0 || after.Points != before.Points+gain {
		t.Errorf("an industry takes it from %d to %d, it is worth %d", before.Points, after.Points, gain)
	}
}
