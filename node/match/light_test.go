package match

import (
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

// What binds words together counts for the score, and is neither marked nor named before the words that it binds.
func TestWordsOfGrammarAreLight(t *testing.T) {
	x := New(Options{Lexicon: lexicon.Builtin()})
	x.Put(Ref{"TH", "A"}, listing("A", protocol.TechnologyOffer, "en", protocol.Text{Title: "Drying fish without firewood", Abstract: "It works without 35 kg of wood."}))
	a, err := x.Match(t.Context(), Query{Text: "drying fish without 35"})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Hits) != 1 {
		t.Fatalf("%d hits", len(a.Hits))
	}
	light := map[string]bool{}
	for _, p := range a.Hits[0].Explanation.Parts {
		if p.Kind == PartTerm {
			light[p.Term] = p.Light
		}
	}
	if len(light) != 4 || !light["without"] || !light["35"] || light["fish"] || light["drying"] {
		t.Errorf("light are %v", light)
	}
	if s := a.Hits[0].Explanation.Sentence; strings.Contains(s, "without") && strings.Index(s, "without") < strings.Index(s, "fish") {
		t.Errorf("it says %q", s)
	}
	if got := marked(titleOf(a.Matched, "Drying fish without firewood", "en")); got != "[Drying] [fish] without firewood" {
		t.Errorf("marked is %s", got)
	}
	only, err := x.Match(t.Context(), Query{Text: "without"})
	if err != nil {
		t.Fatal(err)
	}
	if got := marked(titleOf(only.Matched, "Drying fish without firewood", "en")); len(only.Hits) != 1 || got != "Drying fish [without] firewood" {
		t.Errorf("who asks for nothing else is shown %s", got)
	}
}
