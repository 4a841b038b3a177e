package lexicon

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// planted texts: word i of one language means word i of the other.
func planted(n int) []BilingualText {
	r := rand.New(rand.NewPCG(3, 4))
	var out []BilingualText
	for i := range n {
		t := BilingualText{Lang: "tet", Origin: []string{"TL", "ID", "KH"}[i%3], Ref: fmt.Sprint("TO-", i)}
		for range 6 {
			w := r.IntN(40)
			t.Foreign, t.English = append(t.Foreign, foreignWord(w)), append(t.English, englishWord(w))
		}
		r.Shuffle(len(t.English), func(i, j int) { t.English[i], t.English[j] = t.English[j], t.English[i] })
		out = append(out, t)
	}
	return out
}

func foreignWord(i int) string { return fmt.Sprintf("lia%c%c", 'a'+i/6, 'a'+i%6) }
func englishWord(i int) string { return fmt.Sprintf("zonk%c%cx", 'a'+i/6, 'a'+i%6) }

func TestLearnFindsPlantedPairs(t *testing.T) {
	known := open(t, packOf(t, []pair{{"tet", foreignWord(0), "something", 4, "s"}, {"tet", foreignWord(7), englishWord(7), 4, "s"}}))
	texts := planted(300)
	got := Learn(texts, known, LearnOptions{})
	right := 0
	for _, p := range got {
		if p.Word == foreignWord(0) || p.Word == foreignWord(7) {
			t.Errorf("%s is known already", p.Word)
		}
		for i := range 40 {
			if p.Word == foreignWord(i) && p.English == englishWord(i) {
				right++
			}
		}
		if p.Seen < 3 || p.Origins < 2 || p.Probability <= .2 || len(p.Examples) == 0 {
			t.Errorf("%+v is not sure enough", p)
		}
	}
	if right < 36 || len(got) > 40 {
		t.Errorf("%d proposals, %d of the 38 planted", len(got), right)
	}
	slices.Reverse(texts)
	again := Learn(texts, known, LearnOptions{})
	if fmt.Sprint(again) != fmt.Sprint(got) {
		t.Error("listings in another order give other proposals")
	}
}

func TestOneMemberCannotPlant(t *testing.T) {
	texts := planted(300)
	for i := range texts {
		texts[i].Origin = "XX"
	}
	if got := Learn(texts, Builtin(), LearnOptions{}); len(got) > 0 {
		t.Errorf("%d proposals from one member's listings alone", len(got))
	}
}

func TestAcceptedProposals(t *testing.T) {
	all := Learn(planted(300), Builtin(), LearnOptions{})
	var table bytes.Buffer
	if err := WriteProposals(&table, all); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Accept(strings.NewReader(table.String()), "test"); err == nil {
		t.Error("nothing was accepted, yet a pack was made")
	}
	edited := strings.Replace(table.String(), "no\t", "yes\t", 2)
	b, n, err := Accept(strings.NewReader(edited), "test")
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	l := open(t, b)
	if l.Headwords("tet") != 2 || len(l.Translate(nil, "tet", all[0].Word)) != 1 || l.Has("tet", all[5].Word) {
		t.Error("the pack does not have the two that were accepted")
	}
	for _, bad := range []string{"", "x\n", proposalsHead + "\nmaybe\ttet\ta\tb\t1\t3\t2\tx\n", proposalsHead + "\nyes\ttet\n", proposalsHead + "\nyes\txx\tword\tmeaning\t1\t3\t2\tx\n"} {
		if _, _, err := Accept(strings.NewReader(bad), "test"); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
