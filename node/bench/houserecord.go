package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// recordTexts are the corpus's listings whose texts go into full records: far from those that are summaries.
const recordTexts = 2_000_000_011

// content of listing i: a summary with a full record that says something in most sections.
func (v *varied) content(i int) posting.Content {
	_, l := v.listing(i, 0)
	l.ID, l.Published = "", 0
	for k, code := range l.FORD { // the corpus's subfields are rounder than the list
		if code == "6.6" {
			l.FORD[k] = "6"
		}
	}
	r := rand.New(rand.NewPCG(uint64(i), 29))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	l.Organisation = protocol.Organisation{Type: "university", Size: "large"}
	l.IPR = []string{pick("patent-applied", "patent-granted", "secret-know-how", "copyright")}
	l.Cooperation = []string{pick("licence", "research", "technical", "joint-venture")}
	l.Seeks = protocol.Seeks{Types: []string{pick("sme", "large-company", "start-up")}, Countries: []protocol.Country{l.Country}}
	l.ISIC = []string{pick("C10", "C20", "C21", "C26", "C28", "A01")}
	l.SDG = []uint16{uint16(1 + r.IntN(17))}
	text := l.Texts["en"]
	text.Value = clipped(firstSentence(text.Abstract), protocol.MaxValue)
	l.Texts["en"] = text
	return posting.Content{Listing: *l, Record: v.record(i, r, pick)}
}

func (v *varied) record(i int, r *rand.Rand, pick func(...string) string) protocol.Record {
	abstract := func(k int) string { return v.c.Listing(recordTexts + 4*i + k).Texts["en"].Abstract }
	note := func(k, most int) string { return clipped(firstSentence(abstract(k)), most) }
	x := protocol.Record{
		Texts: map[protocol.Lang]protocol.RecordText{"en": {
			Description: clipped(abstract(0)+"\n\n"+abstract(1), protocol.MaxDescription), Problem: clipped(abstract(2), 600), Advantages: clipped(abstract(3), 600),
			Applications: []string{note(0, 120), note(1, 120)},
		}},
		Comparison: []protocol.Comparison{
			{Metric: "throughput", Unit: "kg/h", Baseline: fmt.Sprint(10 + r.IntN(90)), Ours: fmt.Sprint(100 + r.IntN(900)), Evidence: note(2, 200)},
			{Metric: "energy", Unit: "kWh/t", Baseline: fmt.Sprint(500 + r.IntN(500)), Ours: fmt.Sprint(100 + r.IntN(300))},
		},
		Stage:        note(3, 300),
		Rights:       []protocol.Right{{Type: "patent-granted", Office: "SG", Number: fmt.Sprintf("1120%08d", i), Date: protocol.Date(18_000 + r.IntN(2000)), Status: "granted"}},
		Terms:        protocol.Terms{Models: []string{pick("royalty", "lump-sum", "equity")}, Exclusivity: pick("exclusive", "non-exclusive", "negotiable"), Territory: "ASEAN"},
		Partner:      protocol.Partner{Types: []string{"sme", "large-company"}, Role: "Manufacturer", Task: note(1, 200), Area: "Process engineering"},
		Organisation: protocol.Owner{Name: fmt.Sprintf("Institute %d", r.IntN(1000)), Type: "university", Size: "large", Since: uint16(1950 + r.IntN(70)), Languages: []protocol.Lang{"en", "th"}},
		People:       []protocol.Person{{Name: fmt.Sprintf("Inventor %d", r.IntN(10_000)), Role: "inventor"}, {Name: fmt.Sprintf("Officer %d", r.IntN(1000)), Role: "transfer officer"}},
		Contact:      protocol.Contact{Name: "Transfer desk", Email: "desk@example.org", Phone: "+855 23 123 456"},
		Publications: []string{fmt.Sprintf("10.1000/bench.%d", i)},
	}
	switch n := r.IntN(10); {
	case n == 0:
		x.Level = protocol.LevelPublic
	case n <= 3: // what it costs, and who made it, for some
		x.Sections = map[protocol.Section]protocol.Level{protocol.SectionTerms: protocol.LevelRestricted, protocol.SectionPeople: protocol.LevelRestricted}
		x.Audience = protocol.Audience{Types: []string{"sme", "large-company"}}
	}
	return x
}

// firstSentence of a text, without what is beyond.
func firstSentence(s string) string {
	a, _, _ := strings.Cut(s, ". ")
	return a
}

// clipped to so many characters.
func clipped(s string, most int) string {
	if r := []rune(s); len(r) > most {
		s = string(r[:most])
	}
	return strings.TrimSpace(s)
}
