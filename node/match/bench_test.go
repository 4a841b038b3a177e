package match

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

// needs are real technology needs, as listings.
func needs(tb testing.TB) (list []*protocol.Listing) {
	f, err := os.Open("../../../shared/data/sbir_needs/needs.jsonl")
	if err != nil {
		tb.Skip("the collection sbir_needs is not beside the project: ", err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		var d struct{ ID, Title, Objective, Description string }
		if err := json.Unmarshal(s.Bytes(), &d); err != nil {
			tb.Fatal(err)
		}
		words := strings.Fields(d.Objective + " " + d.Description)
		l := listing(d.ID, protocol.TechnologyRequest, "en", protocol.Text{Title: d.Title, Abstract: strings.Join(words[:min(170, len(words))], " ")})
		list = append(list, l)
	}
	return list
}

func filled(b *testing.B) (*Index, []*protocol.Listing) {
	x, list := New(Options{Lexicon: lexicon.Builtin()}), needs(b)
	var changes []Change
	for _, l := range list {
		changes = append(changes, Change{Ref: Ref{"US", l.ID}, Listing: l})
	}
	x.Apply(changes...)
	if err := x.Train(b.Context()); err != nil {
		b.Fatal(err)
	}
	return x, list
}

func BenchmarkMatchListing(b *testing.B) {
	x, list := filled(b)
	for i := 0; b.Loop(); i++ {
		ask(b, x, Query{Listing: list[i%len(list)], Filter: Filter{Kinds: protocol.Kinds()}})
	}
}

func BenchmarkMatchWords(b *testing.B) {
	x, list := filled(b)
	for i := 0; b.Loop(); i++ {
		ask(b, x, Query{Text: list[i%len(list)].Texts["en"].Title, Lang: "en"})
	}
}

// BenchmarkApply revises one listing at a time.
func BenchmarkApply(b *testing.B) {
	x, list := filled(b)
	for i := 0; b.Loop(); i++ {
		l := list[i%len(list)]
		l.TRL = uint8(i/len(list)%9) + 1
		x.Put(Ref{"US", l.ID}, l)
	}
}
