package bench

import (
	"bytes"
	"context"
	"io"
	"math"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

func TestVaried(t *testing.T) {
	v := newVaried(Invented())
	kinds, countries, fields, titles := map[protocol.Kind]int{}, map[protocol.Country]int{}, map[string]int{}, map[string]int{}
	words := 0
	const n = 1000
	for i := range n {
		ref, l := v.listing(i, 0)
		if err := l.Validate(); err != nil {
			t.Fatalf("listing %d: %v", i, err)
		}
		if ref.ID != l.ID {
			t.Fatalf("listing %s stands under %v", l.ID, ref)
		}
		kinds[l.Kind]++
		countries[l.Country]++
		fields[l.FORD[0]]++
		titles[l.Texts["en"].Title]++
		words += len(strings.Fields(textOf(l)))
	}
	if mean := float64(words) / n; math.Abs(mean-180) > 25 {
		t.Errorf("%.0f words a listing", mean)
	}
	if len(kinds) != 6 || len(countries) < 10 || len(fields) < 20 || len(titles) < n*9/10 {
		t.Errorf("%d kinds, %d countries, %d fields, %d titles: not varied", len(kinds), len(countries), len(fields), len(titles))
	}
	ref, first := v.listing(7, 0)
	again, same := v.listing(7, 0)
	if again != ref || !reflect.DeepEqual(first, same) {
		t.Error("the same number makes another listing the second time")
	}
	revised, other := v.listing(7, 1)
	if revised != ref || reflect.DeepEqual(first.Texts, other.Texts) {
		t.Error("a version is to be the same listing with another text")
	}
}

func TestQuestions(t *testing.T) {
	q := newVaried(Invented()).ask(0, 50)
	for i, text := range q.five {
		if n := len(strings.Fields(text)); n != 5 {
			t.Errorf("%q has %d words", text, n)
		}
		if n := len(strings.Fields(q.thirty[i])); n != 30 {
			t.Errorf("%q has %d words", q.thirty[i], n)
		}
		wrong := misspell(text, rand.New(rand.NewPCG(1, uint64(i))))
		a, b := strings.Fields(text), strings.Fields(wrong)
		differ := 0
		for k := range a {
			if a[k] != b[k] {
				differ++
			}
		}
		if differ > 1 || len(wrong) != len(text) {
			t.Errorf("%q misspelt is %q", text, wrong)
		}
	}
}

// measured runs the benchmark on a small catalogue and returns its lines.
func measured(t *testing.T, c MatchConfig) []string {
	t.Helper()
	var out bytes.Buffer
	c.Dir, c.Corpus, c.Out, c.Progress = t.TempDir(), Invented(), &out, io.Discard
	if err := Match(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// figures of the row that begins with a name.
func figures(t *testing.T, lines []string, name string) (list []float64) {
	t.Helper()
	for _, l := range lines {
		rest, ok := strings.CutPrefix(strings.TrimSpace(l), name+"  ")
		if !ok {
			continue
		}
		for _, s := range strings.Fields(rest) {
			if f, err := strconv.ParseFloat(s, 64); err == nil {
				list = append(list, f)
			}
		}
		return list
	}
	t.Errorf("no row %q in\n%s", name, strings.Join(lines, "\n"))
	return []float64{0, 0, 0, 0}
}

func TestMatch(t *testing.T) {
	lines := measured(t, MatchConfig{Listings: 2000, Queries: 10, Changes: 500})
	for _, name := range []string{
		"5 words", "30 words", wholeListing, "whole listing, its counterparts", "whole listing, few pass the filter",
		"whole listing, most pass the filter", "5 words, facets",
	} {
		if f := figures(t, lines, name); len(f) != 4 || f[0] <= 0 || f[1] < f[0] || f[3] < f[2] {
			t.Errorf("%s: %v", name, f)
		}
	}
	for _, name := range []string{"on disk, per listing", "build from texts", "open: ready to answer after", "searchable after, p50", "changes admitted"} {
		if f := figures(t, lines, name); len(f) == 0 || f[0] <= 0 {
			t.Errorf("%s: %v", name, f)
		}
	}
}

// TestMatchBesidePeer builds the peer from its module, as tmh bench match --peer does in a clone.
func TestMatchBesidePeer(t *testing.T) {
	if testing.Short() {
		t.Skip("bleve is built for it: left out with -short")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not here to build the peer")
	}
	lines := measured(t, MatchConfig{Listings: 2000, Queries: 10, Peer: "../match/peer"})
	last := lines[len(lines)-1]
	if !regexp.MustCompile(`^ratio listing p50 bleve/tmh \d+\.\d+$`).MatchString(last) {
		t.Errorf("last line %q", last)
	}
}

func TestMatchRefuses(t *testing.T) {
	for want, c := range map[string]MatchConfig{
		"nothing to measure":        {Queries: 1},
		"no peer to measure beside": {Listings: 10, Queries: 1, Peer: "nowhere/at/all"},
	} {
		c.Dir, c.Corpus, c.Out, c.Progress = t.TempDir(), Invented(), io.Discard, io.Discard
		if err := Match(context.Background(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	err := Match(stopped, MatchConfig{Dir: t.TempDir(), Corpus: Invented(), Listings: 100, Queries: 1, Out: io.Discard, Progress: io.Discard})
	if err == nil {
		t.Error("runs on after it was stopped")
	}
}

// TestMarkedWords: what is looked for after a change stands in no other listing.
func TestMarkedWords(t *testing.T) {
	seen := make(map[string]bool)
	for n := range 2000 {
		w := markWord(n)
		if seen[w] {
			t.Fatalf("%q marks twice", w)
		}
		seen[w] = true
	}
}
