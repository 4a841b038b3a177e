package demo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/protocol"
)

// tenNeeds are ids of the source, chosen from the first 2,000 for their different fields; docs/real-input.md judges what
// the engine finds for each.
func tenNeeds() []string {
	return []string{
		"A92-151",   // soil
		"A87-275",   // wounds
		"A94-071",   // fuel cells
		"A93-234",   // malaria
		"N88-086",   // ice
		"SB91-185",  // search in databases
		"A93-147",   // machines that wear
		"SB072-001", // poisons in the air
		"A93-228",   // roadside barriers
		"A87-029",   // enzymes
	}
}

// realIndex holds the mapped data as every node of the federation has to hold it.
func realIndex(t *testing.T, in *realInput) (x *match.Index, byID map[string]*protocol.Listing) {
	t.Helper()
	x, byID = match.New(match.Options{Lexicon: lexicon.Builtin()}), make(map[string]*protocol.Listing)
	for _, m := range in.members() {
		listings, refused := indexed(x, m, in.lines[m])
		var rows []int
		for _, row := range refused {
			rows = append(rows, row.N)
		}
		if !slices.Equal(rows, in.empty[m]) {
			t.Errorf("%s: rows %v are refused, want those with an empty title, %v", m, rows, in.empty[m])
		}
		for _, l := range listings {
			byID[string(l.ID)] = l
		}
	}
	return x, byID
}

// imported is what a node said about an import.
type imported struct {
	done    exchange.ImportCount
	refused []int
	faults  []string
}

func (f *federation) importAt(m protocol.MemberID, lines []byte) (r imported, err error) {
	var complete bool
	err = f.Node(m).Counter().Import(f.t.Context(), "jsonl", bytes.NewReader(lines), func(e exchange.ImportEvent) error {
		switch {
		case len(e.Errors) > 0:
			r.refused = append(r.refused, e.Row)
			r.faults = append(r.faults, fmt.Sprintf("%s row %d %s: %v", m, e.Row, e.ID, e.Errors))
		case e.Fault != nil:
			return e.Fault
		case e.Done != nil:
			r.done, complete = *e.Done, true
		}
		return nil
	})
	if err == nil && !complete {
		err = errors.New("the import ended without a count")
	}
	return r, err
}

// TestRealInput imports real offers and needs at eleven nodes at a time, and wants all twelve to hold and answer the same.
func TestRealInput(t *testing.T) {
	if testing.Short() {
		t.Skip("a federation of twelve on real input takes a minute: left out with -short")
	}
	in := readReal(t)
	start := time.Now()
	f := newFederation(t, nil)
	f.start()
	t.Logf("%d nodes are connected after %.1f s", len(f.Members()), time.Since(start).Seconds())

	begun := time.Now()
	results := make(map[protocol.MemberID]imported)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, m := range in.members() {
		wg.Go(func() {
			r, err := f.importAt(m, in.lines[m])
			if err != nil {
				t.Errorf("import at %s: %v", m, err)
			}
			mu.Lock()
			defer mu.Unlock()
			results[m] = r
		})
	}
	wg.Wait()
	importing := time.Since(begun)
	want := 0
	for _, r := range results {
		want += r.done.Published
	}
	f.await(2*time.Minute, "all nodes have proven all records", func() bool { return f.proven(want) })
	proven := time.Since(begun)
	f.equal(2 * time.Minute)
	equal := time.Since(begun)

	rows, published, refused := 0, 0, 0
	for _, m := range in.members() {
		r := results[m]
		rows, published, refused = rows+r.done.Rows, published+r.done.Published, refused+r.done.Refused
		t.Logf("%s: %d rows, %d published, %d refused in %.1f s", m, r.done.Rows, r.done.Published, r.done.Refused, r.done.Seconds)
		if r.done.Rows != in.count[m] || r.done.Published != in.count[m]-len(in.empty[m]) || r.done.Refused != len(in.empty[m]) {
			t.Errorf("%s: %+v of %d rows, of which %d have no title", m, r.done, in.count[m], len(in.empty[m]))
		}
		if !slices.Equal(r.refused, in.empty[m]) {
			t.Errorf("%s refused rows %v, want %v", m, r.refused, in.empty[m])
		}
		for _, fault := range r.faults {
			t.Log("refused: " + fault)
			if !strings.Contains(fault, "texts.en.title") {
				t.Errorf("refused for something else than its title: %s", fault)
			}
		}
	}
	t.Logf("%d rows (%d offers, %d needs): %d published, %d refused", rows, in.offers, in.needs, published, refused)
	t.Logf("eleven imports at a time: %.1f s, %.0f listings/s; all twelve nodes hold the same proven digests %.1f s after the begin, and have indexed all of it after %.1f s",
		importing.Seconds(), float64(published)/importing.Seconds(), proven.Seconds(), equal.Seconds())

	for _, at := range f.Members() {
		if got := f.Node(at).Figures().Listings; got != published {
			t.Errorf("%s lists %d, want %d", at, got, published)
		}
	}
	f.sameAnswers(in)
	peak := memoryPeak()
	t.Logf("whole test %.1f s; the process's memory peaked at %d MiB", time.Since(start).Seconds(), peak)
	if peak > 4<<10 {
		t.Errorf("%d MiB, at most 4096", peak)
	}
	f.alone(in)
}

// answer is what has to be equal on all nodes.
type answer struct {
	Hits []struct {
		Origin protocol.MemberID  `json:"origin"`
		ID     protocol.ListingID `json:"id"`
		Score  float64            `json:"score"`
	} `json:"hits"`
	Total  int    `json:"total"`
	Ranker string `json:"ranker"`
}

func (a answer) String() string {
	var b strings.Builder
	for _, h := range a.Hits {
		fmt.Fprintf(&b, "%s/%s %x\n", h.Origin, h.ID, math.Float64bits(h.Score))
	}
	fmt.Fprintf(&b, "of %d", a.Total)
	return b.String()
}

// oneIndex holds what a node's store holds, in another order than any node got it, and has learnt from all of it.
func (f *federation) oneIndex(at protocol.MemberID) *match.Index {
	f.t.Helper()
	var changes []match.Change
	err := f.Node(at).Desk().Scan(match.Ref{}, func(c *protocol.Change) bool {
		l, _, err := exchange.Open(c)
		if err != nil || l == nil {
			f.t.Fatalf("%s holds something that is no listing: %v", at, err)
		}
		changes = append(changes, match.Change{Ref: match.Ref{Origin: c.Origin, ID: l.ID}, Listing: l, Body: c.BodyHash})
		return true
	})
	if err != nil {
		f.t.Fatal(err)
	}
	slices.Reverse(changes)
	x := match.New(match.Options{Lexicon: lexicon.Builtin()})
	for some := range slices.Chunk(changes, 100) {
		x.Apply(some...)
	}
	if err := x.Train(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return x
}

// sameAnswers waits until every node ranks as one index of the same listings does that knows no network, then asks all of
// them with the ten needs, as words and as listings, and wants the same to the last bit.
func (f *federation) sameAnswers(in *realInput) {
	f.t.Helper()
	asked := time.Now()
	x := f.oneIndex(founding.Secretariat)
	ranks, err := x.Match(f.t.Context(), match.Query{Text: "water"})
	if err != nil {
		f.t.Fatal(err)
	}
	ranker := ranks.Ranker.String()
	var others []string
	ctx, cancel := context.WithTimeout(f.t.Context(), 2*time.Minute)
	defer cancel()
	err = demo.Await(ctx, "every node ranks as one index of the same catalogue", func() bool {
		others = nil
		for _, at := range f.Members() {
			var got answer
			if f.ask(at, "/api/v1/match", map[string]any{"text": "water"}, &got); got.Ranker != ranker {
				others = append(others, string(at))
			}
		}
		return len(others) == 0
	})
	if err != nil {
		f.t.Fatalf("%v: %v do not, so equal catalogues give unequal answers", err, others)
	}
	f.t.Logf("all nodes rank alike %.1f s after they were equal", time.Since(asked).Seconds())

	asked = time.Now()
	n := 0
	for _, id := range tenNeeds() {
		ref := match.Ref{Origin: in.origin[id], ID: protocol.ListingID(id)}
		e, err := f.Node(founding.Secretariat).Desk().Entry(ref)
		if err != nil || e.Listing == nil {
			f.t.Fatalf("%v: %v", ref, err)
		}
		text := e.Listing.Texts["en"].Title
		for _, q := range []struct {
			body  map[string]any
			query match.Query
		}{
			{map[string]any{"text": text, "limit": 50}, match.Query{Text: text, Limit: 50}},
			{map[string]any{"ref": ref, "limit": 50}, match.Query{Listing: e.Listing, Self: ref, Limit: 50}},
		} {
			direct, err := x.Match(f.t.Context(), q.query)
			if err != nil {
				f.t.Fatal(err)
			}
			want := answer{Total: direct.Total}
			for _, h := range direct.Hits {
				want.Hits = append(want.Hits, struct {
					Origin protocol.MemberID  `json:"origin"`
					ID     protocol.ListingID `json:"id"`
					Score  float64            `json:"score"`
				}{h.Ref.Origin, h.Ref.ID, h.Score})
			}
			for _, at := range f.Members() {
				var got answer
				f.ask(at, "/api/v1/match", q.body, &got)
				n++
				if got.Ranker != ranker {
					f.t.Errorf("%s ranks with %s, others with %s", at, got.Ranker, ranker)
				}
				if diff := cmp.Diff(want.String(), got.String()); diff != "" {
					f.t.Errorf("%s answers %v otherwise (-want +got):\n%s", at, q.body, diff)
				}
			}
		}
	}
	f.t.Logf("%d queries over HTTP gave %d equal answers in %.1f s; ranker %s", 2*len(tenNeeds()), n, time.Since(asked).Seconds(), ranker)
}

// alone measures an import while nothing else is imported: the same rows again, which sign nothing.
func (f *federation) alone(in *realInput) {
	f.t.Helper()
	m := in.members()[0]
	r, err := f.importAt(m, in.lines[m])
	if err != nil {
		f.t.Fatal(err)
	}
	if r.done.Unchanged != in.count[m]-len(in.empty[m]) || r.done.Published != 0 || r.done.Revised != 0 {
		f.t.Errorf("%s took the same file again as %+v", m, r.done)
	}
	f.t.Logf("%s was sent the same file again: %d unchanged in %.1f s", m, r.done.Unchanged, r.done.Seconds)
}

// TestTenNeeds writes what the engine finds for ten real needs, as people are shown it; the judgements around it in
// docs/real-input.md are a person's.
func TestTenNeeds(t *testing.T) {
	in := readReal(t)
	x, byID := realIndex(t, in)
	if err := x.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range tenNeeds() {
		need := byID[id]
		if need == nil {
			t.Fatalf("%s is not in the data", id)
		}
		q := match.Query{Listing: need, Self: match.Ref{Origin: in.origin[id], ID: need.ID}, Limit: 3}
		a, err := x.Match(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s %s\n%s", id, title(need), need.Texts["en"].Abstract)
		wording := a.Matched.Wording(&q)
		var b strings.Builder
		for i, h := range a.Hits {
			offer := byID[string(h.Ref.ID)]
			wording.Read(offer).Reword(&h.Explanation)
			fmt.Fprintf(&b, "%d. %s/%s “%s”, score %.2f, strength %.2f. %s Parts: %s.\n",
				i+1, h.Ref.Origin, h.Ref.ID, title(offer), h.Score, h.Strength, h.Explanation.Sentence, topParts(h.Explanation, 6))
			t.Logf("%d. %s\n%s", i+1, title(offer), offer.Texts["en"].Abstract)
		}
		t.Log("\n" + b.String())
		inDocs(t, "real-input.md", id, b.String())
	}
}

// topParts are the heaviest, each with its kind unless it is a word, and with the fields that it stands in.
func topParts(e match.Explanation, n int) string {
	var parts []string
	for _, p := range e.Parts[:min(n, len(e.Parts))] {
		s := p.Term
		if p.Found != "" {
			s += " → " + p.Found
		}
		if p.Kind != match.PartTerm {
			s = strings.TrimSpace(p.Kind + " " + s)
		}
		s += fmt.Sprintf(" %.3f", p.Weight)
		if len(p.Fields) > 0 {
			s += " (" + strings.Join(p.Fields, ", ") + ")"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}
