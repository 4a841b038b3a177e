package match

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// Collection is a test collection: documents and questions, each with an id of its own, and people's judgements of which
// documents answer which.
type Collection struct {
	Documents  []Document
	Questions  []Question
	Judgements map[string]map[string]int // question, document: grade; 0 is judged and found irrelevant
}

// Document of a collection. The limits of listings do not apply: it may be of any length, and empty.
type Document struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// Question of a collection.
type Question struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// ReadCollection reads docs.jsonl, queries.jsonl and qrels.tsv (question, document, grade; no header).
func ReadCollection(dir fs.FS) (c Collection, err error) {
	if c.Documents, err = readLines[Document](dir, "docs.jsonl"); err != nil {
		return Collection{}, err
	}
	seen := make(map[string]bool)
	for _, d := range c.Documents {
		if seen[d.ID] {
			return Collection{}, fmt.Errorf("docs.jsonl: document %q stands twice", d.ID)
		}
		seen[d.ID] = true
	}
	if c.Questions, err = readLines[Question](dir, "queries.jsonl"); err != nil {
		return Collection{}, err
	}
	if c.Judgements, err = readJudgements(dir); err != nil {
		return Collection{}, err
	}
	return c, nil
}

func readJudgements(dir fs.FS) (map[string]map[string]int, error) {
	b, err := fs.ReadFile(dir, "qrels.tsv")
	if err != nil {
		return nil, fmt.Errorf("read judgements: %w", err)
	}
	judgements := make(map[string]map[string]int)
	for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		cells := strings.Split(strings.TrimSuffix(line, "\r"), "\t")
		if len(cells) != 3 {
			return nil, fmt.Errorf("qrels.tsv line %d: has %d columns, want question, document, grade", i+1, len(cells))
		}
		grade, err := strconv.Atoi(cells[2])
		if err != nil {
			return nil, fmt.Errorf("qrels.tsv line %d: grade: %w", i+1, err)
		}
		of := judgements[cells[0]]
		if of == nil {
			of = make(map[string]int)
			judgements[cells[0]] = of
		}
		of[cells[1]] = grade
	}
	return judgements, nil
}

func readLines[T any](dir fs.FS, name string) (list []T, err error) {
	b, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("read collection: %w", err)
	}
	s := bufio.NewScanner(bytes.NewReader(b))
	s.Buffer(nil, len(b)+1)
	for n := 1; s.Scan(); n++ {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%s line %d: %w", name, n, err)
		}
		list = append(list, v)
	}
	return list, s.Err()
}

// Result is how well an engine answers the questions of a collection, as means over those that have a relevant document.
type Result struct {
	NDCG10   float64       // of the first ten: linear gain, log2 discount, unjudged counts as irrelevant
	MAP      float64       // mean average precision of the first Depth
	R100     float64       // part of the relevant documents that is among the first hundred
	P50, P99 time.Duration // time to rank and to explain the first ten
}

func (r Result) String() string {
	ms := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds()*1000, 'f', 2, 64) + "ms" }
	return fmt.Sprintf("nDCG@10 %.4f MAP %.4f R@100 %.4f p50 %s p99 %s", r.NDCG10, r.MAP, r.R100, ms(r.P50), ms(r.P99))
}

// Evaluate puts the collection's questions to a new index of its documents. The clock is read around each question. The
// error is ctx's.
func Evaluate(ctx context.Context, c Collection, w Weights, clock func() time.Time) (Result, error) {
	x := New(w)
	for _, d := range c.Documents {
		var a analysed
		a.add(title, d.Title, x.stemmer)
		a.add(abstract, d.Text, x.stemmer)
		x.put(Ref{ID: protocol.ListingID(d.ID)}, doc{}, a)
	}
	var r Result
	var took []time.Duration
	for _, q := range c.Questions {
		judged := c.Judgements[q.ID]
		best := slices.DeleteFunc(slices.Sorted(maps.Values(judged)), func(grade int) bool { return grade <= 0 })
		if len(best) == 0 {
			continue
		}
		slices.Reverse(best)
		start := clock()
		found, err := x.ask(ctx, q.Text)
		if err != nil {
			return Result{}, err
		}
		took = append(took, clock().Sub(start))
		grades := make([]int, len(found))
		for i, c := range found {
			grades[i] = max(judged[string(x.docs[c.doc].id)], 0)
		}
		r.NDCG10 += dcg(grades) / dcg(best)
		r.MAP += averagePrecision(grades, len(best))
		r.R100 += float64(relevant(grades[:min(100, len(grades))])) / float64(len(best))
	}
	if n := float64(len(took)); n > 0 {
		r.NDCG10, r.MAP, r.R100 = r.NDCG10/n, r.MAP/n, r.R100/n
		slices.Sort(took)
		r.P50, r.P99 = took[(len(took)-1)/2], took[(len(took)-1)*99/100]
	}
	return r, nil
}

// ask does what Match does, without its limits.
func (x *Index) ask(ctx context.Context, text string) ([]candidate, error) {
	q := Query{Text: text}
	p := x.plan(q, x.stemmer.wishes(q))
	found, _, err := x.rank(ctx, p)
	for _, c := range found[:min(10, len(found))] {
		x.explain(p.each[c.plan], p.norm, c.doc)
	}
	return found, err
}

// dcg of the first ten grades.
func dcg(grades []int) (sum float64) {
	for i, g := range grades[:min(10, len(grades))] {
		sum += float64(g) / math.Log2(float64(i+2))
	}
	return sum
}

func averagePrecision(grades []int, all int) (sum float64) {
	seen := 0
	for i, g := range grades {
		if g > 0 {
			seen++
			sum += float64(seen) / float64(i+1)
		}
	}
	return sum / float64(all)
}

func relevant(grades []int) (n int) {
	for _, g := range grades {
		if g > 0 {
			n++
		}
	}
	return n
}
