package eval

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/node/match/text"
)

// Ranker answers queries with document numbers, best first, at most Depth. It says how long one answer takes a user.
type Ranker interface {
	Rank(ctx context.Context, q *Query) (docs []int, took time.Duration, err error)
}

// BM25 is the textbook ranker (k1 1.2, b 0.75) over the terms that the engine's own text analysis makes: what is gained
// over it is gained by ranking. Over several fields it is BM25F: occurrences and lengths are weighted before they are
// saturated.
type BM25 struct {
	analyser *text.Analyser
	postings map[string][]occurrence
	norm     []float64 // k1·(1 − b + b·length/mean) of each document
	mean     float64
}

type occurrence struct {
	doc int32
	tf  float64
}

const (
	k1 = 1.2
	b  = 0.75
)

// FieldWeights are those of BM25F.
type FieldWeights struct{ Title, Keywords, Text float64 }

// OneField makes BM25 of BM25F.
func OneField() FieldWeights { return FieldWeights{1, 1, 1} }

// ThreeFields are the weights that published experience gives titles and keywords.
func ThreeFields() FieldWeights { return FieldWeights{3, 3, 1} }

// NewBM25 indexes documents.
func NewBM25(docs []Document, w FieldWeights, words text.Words) *BM25 {
	x := &BM25{analyser: text.NewAnalyser(words), postings: make(map[string][]occurrence), norm: make([]float64, len(docs))}
	var tokens []text.Token
	total := 0.0
	for i := range docs {
		d := &docs[i]
		tf := make(map[string]float64)
		add := func(s string, weight float64) {
			tokens = x.analyse(tokens[:0], s, d.Lang)
			for _, t := range tokens {
				tf[t.Term] += weight
				x.norm[i] += weight
			}
		}
		add(d.Title, w.Title)
		for _, k := range d.Keywords {
			add(k, w.Keywords)
		}
		add(d.Text, w.Text)
		total += x.norm[i]
		for t, n := range tf {
			if list, ok := x.postings[t]; ok {
				x.postings[t] = append(list, occurrence{int32(i), n})
			} else {
				x.postings[string([]byte(t))] = []occurrence{{int32(i), n}}
			}
		}
	}
	x.mean = max(total/float64(max(len(docs), 1)), 1)
	for i, length := range x.norm {
		x.norm[i] = x.normOf(length)
	}
	return x
}

func (x *BM25) normOf(length float64) float64 { return k1 * (1 - b + b*length/x.mean) }

func (x *BM25) analyse(dst []text.Token, s, lang string) []text.Token {
	if lang == "" {
		lang = "en"
	}
	return x.analyser.Analyse(dst, text.Normalise(s), lang)
}

func (x *BM25) idf(t string) float64 {
	df := float64(len(x.postings[t]))
	return math.Log(1 + (float64(len(x.norm))-df+0.5)/(df+0.5))
}

// score every document, those of zero score included.
func (x *BM25) score(text, lang string) []float64 {
	scores := make([]float64, len(x.norm))
	qtf := make(map[string]float64)
	for _, t := range x.analyse(nil, text, lang) {
		qtf[t.Term]++
	}
	for _, t := range slices.Sorted(maps.Keys(qtf)) {
		factor := qtf[t] * x.idf(t)
		for _, o := range x.postings[t] {
			scores[o.doc] += factor * o.tf / (o.tf + x.norm[o.doc])
		}
	}
	return scores
}

// Rank implements Ranker. Equal scores stand in the order of the collection.
func (x *BM25) Rank(_ context.Context, q *Query) (docs []int, took time.Duration, err error) {
	start := time.Now()
	scores := x.score(q.Text, q.Lang)
	for d, s := range scores {
		if s > 0 {
			docs = append(docs, d)
		}
	}
	slices.SortStableFunc(docs, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	return docs[:min(len(docs), Depth+len(q.Self))], time.Since(start), nil
}
