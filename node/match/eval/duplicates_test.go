package eval

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

const shared = "../../../../shared/data/"

// documents of SBIR: the thresholds of Similar were chosen on the offers alone.
func documents(t *testing.T, path string) (docs []Document) {
	t.Helper()
	f, err := os.Open(filepath.FromSlash(shared + path))
	if err != nil {
		t.Skip("the collection is not beside the project: ", err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		var d struct{ ID, Title, Text, Objective, Description string }
		if err := json.Unmarshal(s.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, Document{ID: d.ID, Title: strings.ReplaceAll(d.Title, "\t", " "), Text: strings.TrimSpace(d.Text + d.Objective + " " + d.Description)})
	}
	return docs
}

// concepts of the built-in lexicon, as it is written.
func concepts(t *testing.T) (list []Concept) {
	t.Helper()
	files, err := filepath.Glob("../lexicon/builtin/terms-*.tsv")
	if err != nil || len(files) == 0 {
		t.Fatal("no built-in terms: ", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		langs := strings.Split(lines[1], "\t")
		for _, line := range lines[2:] {
			c := make(Concept)
			for i, cell := range strings.Split(line, "\t") {
				for _, form := range strings.Split(cell, "|") {
					if form = strings.TrimSpace(form); form != "" && i < len(langs) {
						c[langs[i]] = append(c[langs[i]], form)
					}
				}
			}
			list = append(list, c)
		}
	}
	return list
}

func printDuplicates(t *testing.T, name string, d *Duplicates) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s: %d copies of each kind\trecall\t\n", name, d.Copies)
	for i, c := range Copyings() {
		fmt.Fprintf(w, "%s\t%.3f\t\n", c.Name, d.Recall(i))
	}
	per1000 := func(n int) float64 { return 1000 * float64(n) / float64(d.Genuine) }
	fmt.Fprintf(w, "%d genuine documents\tper 1,000\t\n", d.Genuine)
	fmt.Fprintf(w, "re-listings told\t%.1f\t\n", per1000(d.Relisted))
	fmt.Fprintf(w, "borrowed passages told\t%.1f\t\n", per1000(d.Borrowed))
	fmt.Fprintf(w, "false alarms\t%.1f\t\n", d.AlarmsPer1000())
	_ = w.Flush()
	t.Log("\n" + b.String())
	for _, p := range d.Pairs {
		t.Logf("%.2f %s: %q and %q", p.Score, p.Why, p.A, p.B)
	}
}

// TestDuplicates holds what docs/benchmarks.md says of near-copies, less a margin.
func TestDuplicates(t *testing.T) {
	if testing.Short() {
		t.Skip("compares some thousands of drafts")
	}
	for _, set := range []struct {
		name, path      string
		copies, genuine int
		recall          float64 // of every kind of copy
		alarms          float64 // per 1,000
	}{
		{"sbir_offers", "sbir_offers/docs.jsonl", 200, 1651, 0.94, 6},
		{"sbir_needs", "sbir_needs/needs.jsonl", 50, 500, 0.92, 6},
	} {
		t.Run(set.name, func(t *testing.T) {
			d, err := MeasureDuplicates(t.Context(), documents(t, set.path), concepts(t), lexicon.Builtin(), set.copies, set.genuine)
			if err != nil {
				t.Fatal(err)
			}
			printDuplicates(t, set.name, d)
			for i, c := range Copyings() {
				if d.Recall(i) < set.recall {
					t.Errorf("%s: recall %.3f, at least %.2f is promised", c.Name, d.Recall(i), set.recall)
				}
			}
			if d.AlarmsPer1000() > set.alarms {
				t.Errorf("%.1f false alarms per 1,000, at most %.0f are promised", d.AlarmsPer1000(), set.alarms)
			}
			if d.Genuine != set.genuine || d.Relisted == 0 {
				t.Errorf("%d genuine documents, %d of them re-listed: the measure measures nothing", d.Genuine, d.Relisted)
			}
		})
	}
}

// TestTranslatedDuplicates enters the translations of news articles as drafts beside the English ones. The built-in
// lexicon knows the words of technology, not of news, so this is a lower bound.
func TestTranslatedDuplicates(t *testing.T) {
	if testing.Short() {
		t.Skip("compares some hundreds of drafts")
	}
	p, err := ReadParallel(os.DirFS(shared + "ntrex"))
	if err != nil {
		t.Skip("the collection ntrex is not beside the project: ", err)
	}
	b, err := os.ReadFile(shared + "ntrex/docids.tsv")
	if err != nil {
		t.Skip("the collection ntrex is not beside the project: ", err)
	}
	articles := strings.Fields(string(b))
	x := match.New(match.Options{Lexicon: lexicon.Builtin()})
	for i, d := range documents(t, "sbir_needs/needs.jsonl")[:1000] {
		x.Put(match.Ref{Origin: "TH", ID: refOf(i).ID}, listingOf(i, d))
	}
	drafts := func(lang string) (list []*protocol.Listing) {
		lines := p.Lines[lang]
		for i := 0; i+6 <= len(articles); i++ {
			if (i == 0 || articles[i] != articles[i-1]) && articles[i+5] == articles[i] {
				l := listingOf(i, Document{Title: lines[i], Text: strings.Join(lines[i+1:i+6], " ")})
				l.Texts = map[protocol.Lang]protocol.Text{protocol.Lang(lang): l.Texts["en"]}
				list = append(list, l)
			}
		}
		return list
	}
	for _, l := range drafts("en") {
		x.Put(match.Ref{Origin: "SG", ID: l.ID}, l)
	}
	for lang, least := range map[string]float64{"id": 0.7, "ms": 0.7, "vi": 0.7, "fil": 0.7, "th": 0.7, "km": 0.6, "lo": 0.7, "my": 0.4, "ta": 0.1, "zh": 0.3} {
		found, alarms, all := 0, 0, drafts(lang)
		for _, l := range all {
			list, err := x.Similar(t.Context(), match.Draft{Listing: l}, match.MaxSuspects, match.Sources{})
			if err != nil {
				t.Fatal(err)
			}
			itself := func(s match.Suspect) bool { return s.Ref.ID == l.ID && s.Ref.Origin == "SG" }
			if slices.ContainsFunc(list, itself) {
				found++
			}
			if slices.ContainsFunc(list, func(s match.Suspect) bool { return !itself(s) }) {
				alarms++
			}
		}
		recall, wrong := float64(found)/float64(len(all)), float64(alarms)/float64(len(all))
		t.Logf("%s: %d articles, recall %.2f, of another article %.2f", lang, len(all), recall, wrong)
		if recall < least || wrong > 0.12 {
			t.Errorf("%s: recall %.2f, at least %.2f is promised; %.2f false, at most 0.12", lang, recall, least, wrong)
		}
	}
}
