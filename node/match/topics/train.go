package topics

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Bounds of what is learnt from.
const (
	MaxDocs     = 60_000 // a sample of so many teaches what a million would
	maxDocTerms = 1 << 14
	maxTerms    = 1 << 18
	maxTermSize = 255
	maxRows     = 1 << 14 // terms of a cluster
	maxClusters = 48
)

// Options of the training. Zero values stand for the defaults, which are those that the ranking was measured with.
type Options struct {
	Seed           uint64 // of the random start, best from the catalogue's digest
	DocsPerCluster int    // how many documents make a cluster, on average: 1200
}

// rows are the documents by term numbers.
type rows struct {
	sparse
	names []string
}

// Train learns a model. It is a function of docs, their order and opt alone. The error is ctx's, or says what bound docs
// exceed.
func Train(ctx context.Context, docs []Doc, opt Options) (*Model, error) {
	if len(docs) > MaxDocs {
		return nil, fmt.Errorf("topics: %d documents to learn from: pass a sample of at most %d", len(docs), MaxDocs)
	}
	for i, d := range docs {
		if len(d.Terms) > maxDocTerms {
			return nil, fmt.Errorf("topics: document %d has %d terms: at most %d are taken", i, len(d.Terms), maxDocTerms)
		}
	}
	if opt.DocsPerCluster <= 0 {
		opt.DocsPerCluster = 1200
	}
	t := trainer{
		workers: runtime.GOMAXPROCS(0), random: random{opt.Seed},
		clusters: min(max(1, len(docs)/opt.DocsPerCluster), maxClusters),
	}
	t.read(docs)
	if t.clusters > 1 {
		t.sort(ctx)
	} else {
		t.of = make([]int, len(docs))
	}
	t.learn(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return Parse(t.bytes())
}

type trainer struct {
	workers  int
	random   random
	rows     rows
	clusters int
	coarse   []coded   // by term number: its vector in the coarse model, which sorts documents into clusters
	centres  []float32 // clusters · coarseDimensions
	of       []int     // by document: its cluster
	fine     [][]fine  // by cluster
}

// coded is a vector of bytes with what one of them is worth.
type coded struct {
	scale  float32
	values []byte
}

// fine is a term's vector in a cluster.
type fine struct {
	number uint32
	coded
}

func code(v []float32, factor float64) coded {
	greatest := 0.0
	for _, x := range v {
		greatest = max(greatest, math.Abs(float64(x)))
	}
	c := coded{scale: float32(greatest * factor / 127), values: make([]byte, len(v))}
	if greatest > 0 {
		for i, x := range v {
			c.values[i] = byte(int8(math.RoundToEven(float64(x) / greatest * 127)))
		}
	}
	return c
}

// read numbers the terms that at least two documents have, in the order of the alphabet.
func (t *trainer) read(docs []Doc) {
	df := make(map[string]int)
	var terms []Term
	for _, d := range docs {
		terms = bag(terms[:0], d.Terms)
		for _, term := range terms {
			df[term.Term]++
		}
	}
	names := make([]string, 0, len(df))
	for name, n := range df {
		if n >= 2 {
			names = append(names, name)
		}
	}
	if len(names) > maxTerms {
		slices.SortFunc(names, func(a, b string) int { return cmp.Or(df[b]-df[a], strings.Compare(a, b)) })
		names = names[:maxTerms]
	}
	slices.Sort(names)
	number := make(map[string]uint32, len(names))
	for i, name := range names {
		number[name] = uint32(i)
	}
	t.rows = rows{sparse{rows: len(docs), cols: len(names), off: make([]int32, 1, len(docs)+1)}, names}
	for _, d := range docs {
		terms = bag(terms[:0], d.Terms)
		for _, term := range terms {
			if n, ok := number[term.Term]; ok {
				t.rows.col = append(t.rows.col, n)
				t.rows.val = append(t.rows.val, term.Weight)
			}
		}
		t.rows.off = append(t.rows.off, int32(len(t.rows.col)))
	}
}

// bag appends the usable terms to out, which is empty, in order, each once.
func bag(out, terms []Term) []Term {
	for _, t := range terms {
		if t.Weight > 0 && t.Weight <= maxWeight && t.Term != "" && len(t.Term) <= maxTermSize {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Term) int { return cmp.Or(strings.Compare(a.Term, b.Term), cmp.Compare(b.Weight, a.Weight)) })
	return slices.CompactFunc(out, func(a, b Term) bool { return a.Term == b.Term })
}

// weighted is the matrix of some documents: weight · idf, every row of length 1. Terms in fewer than least documents say
// nothing about others, those in more than half of them nothing about any. terms are the columns' numbers.
func (t *trainer) weighted(docs []int, least int) (a *sparse, terms []uint32, idf []float64) {
	df := make([]int, t.rows.cols)
	for _, d := range docs {
		for _, n := range t.rows.col[t.rows.off[d]:t.rows.off[d+1]] {
			df[n]++
		}
	}
	for n, x := range df {
		if x >= least && (x <= len(docs)/2 || len(docs) < 50) {
			terms = append(terms, uint32(n))
		}
	}
	if len(terms) > maxRows {
		slices.SortFunc(terms, func(a, b uint32) int { return cmp.Or(df[b]-df[a], int(a)-int(b)) })
		terms = terms[:maxRows]
		slices.Sort(terms)
	}
	column := make([]int32, t.rows.cols)
	for i := range column {
		column[i] = -1
	}
	idf = make([]float64, len(terms))
	for i, n := range terms {
		column[n] = int32(i)
		idf[i] = Ln(1 + (float64(len(docs)-df[n])+0.5)/(float64(df[n])+0.5))
	}
	a = &sparse{rows: len(docs), cols: len(terms), off: make([]int32, 1, len(docs)+1)}
	for _, d := range docs {
		start, squares := len(a.val), 0.0
		for p := t.rows.off[d]; p < t.rows.off[d+1]; p++ {
			c := column[t.rows.col[p]]
			if c < 0 {
				continue
			}
			x := float64(t.rows.val[p]) * idf[c]
			squares += float64(x * x)
			a.col, a.val = append(a.col, uint32(c)), append(a.val, float32(x))
		}
		unit(a.val[start:], squares)
		a.off = append(a.off, int32(len(a.col)))
	}
	return a, terms, idf
}

// unit scales v, of which squares is the sum of the squares, to the length 1.
func unit(v []float32, squares float64) {
	if squares > 0 {
		f := 1 / math.Sqrt(squares)
		for i := range v {
			v[i] = float32(float64(v[i]) * f)
		}
	}
}

// learn makes the clusters' models, several at once.
func (t *trainer) learn(ctx context.Context) {
	members := make([][]int, t.clusters)
	for d, c := range t.of {
		members[c] = append(members[c], d)
	}
	starts := make([]random, t.clusters)
	for c := range starts {
		starts[c] = random{t.random.next()}
	}
	t.fine = make([][]fine, t.clusters)
	inner := max(1, t.workers/t.clusters)
	places := make(chan struct{}, t.workers)
	var all sync.WaitGroup
	for c := range t.clusters {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			t.fine[c] = t.model(ctx, members[c], inner, &starts[c])
		})
	}
	all.Wait()
}

// model is the term vectors of one cluster. A document's coordinates are Σ weight · idf · v, so idf is put into the
// vectors.
func (t *trainer) model(ctx context.Context, docs []int, workers int, random *random) []fine {
	k := min(Dimensions, len(docs)/4)
	a, terms, idf := t.weighted(docs, 2)
	if k == 0 || len(terms) == 0 || ctx.Err() != nil {
		return nil
	}
	v := a.rightVectors(ctx, workers, k, random)
	out := make([]fine, 0, len(terms))
	values := make([]float32, Dimensions)
	for i, n := range terms {
		copy(values, v.row(i))
		if c := code(values, idf[i]); c.scale > 0 {
			out = append(out, fine{n, c})
		}
	}
	return out
}
