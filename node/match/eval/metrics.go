package eval

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Depth is how far down a ranking is judged.
const Depth = 1000

// Result is how well a ranker answers the queries of a collection.
type Result struct {
	NDCG10, MAP, R100 float64
	P50, P99          time.Duration // time for one answer; 0 where it was not measured
	Each              []float64     // nDCG@10 of each query that has a relevant document, in the collection's order
}

func (r Result) String() string {
	return fmt.Sprintf("nDCG@10 %.4f MAP %.4f R@100 %.4f p50 %s p99 %s", r.NDCG10, r.MAP, r.R100, milliseconds(r.P50), milliseconds(r.P99))
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds()*1000, 'f', 2, 64) + "ms"
}

// tally sums up answers.
type tally struct {
	Result
	took []time.Duration
}

// add judges one answer, a ranking of document numbers.
func (t *tally) add(q *Query, ranked []int, took time.Duration) {
	ideal := q.ideal()
	grades := make([]int, min(len(ranked), Depth))
	for i := range grades {
		grades[i] = max(q.Grades[ranked[i]], 0)
	}
	ndcg := dcg(grades) / dcg(ideal)
	t.Each = append(t.Each, ndcg)
	t.NDCG10 += ndcg
	t.MAP += averagePrecision(grades, len(ideal))
	t.R100 += float64(relevant(grades[:min(100, len(grades))])) / float64(len(ideal))
	t.took = append(t.took, took)
}

func (t *tally) result() Result {
	r := t.Result
	if n := float64(len(r.Each)); n > 0 {
		r.NDCG10, r.MAP, r.R100 = r.NDCG10/n, r.MAP/n, r.R100/n
	}
	r.P50, r.P99 = Percentile(t.took, 50), Percentile(t.took, 99)
	return r
}

// Percentile p of the times, which it sorts: the nearest one not above the rank, 0 of none.
func Percentile(took []time.Duration, p int) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[(len(took)-1)*p/100]
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

// paired is Student's t of the differences b − a, query by query, and how many were better and worse. t is 0 where all
// differences are equal.
func paired(a, b []float64) (t float64, better, worse int) {
	var sum, squares float64
	for i := range a {
		d := b[i] - a[i]
		sum += d
		squares += d * d
		if d > 1e-9 {
			better++
		} else if d < -1e-9 {
			worse++
		}
	}
	n := float64(len(a))
	mean := sum / n
	variance := (squares - n*mean*mean) / (n - 1)
	if n < 2 || variance <= 1e-18 {
		return 0, better, worse
	}
	return mean / math.Sqrt(variance/n), better, worse
}
