package topics

import (
	"fmt"
	"math"
	"testing"
)

// catalogue is documents of about 80 terms with frequencies as in real texts: 40 fields of 3,000 words, and 30,000 words
// of all.
func catalogue(n int) []Doc {
	r := random{11}
	uniform := func() float64 { return float64(r.next()>>11) / (1 << 53) }
	docs := make([]Doc, n)
	for i := range docs {
		field, seen := r.next()%40, make(map[string]bool, 80)
		for len(seen) < 80 {
			w := fmt.Sprintf("g%d", int(math.Pow(30_000, uniform())))
			if uniform() < 0.5 {
				w = fmt.Sprintf("f%dw%d", field, int(math.Pow(3_000, uniform())))
			}
			if !seen[w] {
				seen[w] = true
				docs[i].Terms = append(docs[i].Terms, Term{w, ImpactWeight(uint8(60 + r.next()%120))})
			}
		}
	}
	return docs
}

func BenchmarkTrain(b *testing.B) {
	for _, n := range []int{10_000, MaxDocs} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			docs := catalogue(n)
			for b.Loop() {
				m := train(b, docs, Options{})
				b.ReportMetric(float64(len(m.Bytes())), "bytes")
				b.ReportMetric(float64(m.Clusters()), "clusters")
			}
		})
	}
}

func BenchmarkUse(b *testing.B) {
	docs := catalogue(5000)
	m := train(b, docs, Options{})
	vectors := make([]Vector, 1000)
	for i := range vectors {
		vectors[i] = m.Fold(docs[i].Terms)
	}
	b.Run("Fold", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			m.Fold(docs[i%len(docs)].Terms)
		}
	})
	b.Run("FoldNumbers", func(b *testing.B) {
		var numbers []uint32
		var weights []float32
		for _, t := range docs[0].Terms {
			n, _ := m.Number(t.Term)
			numbers, weights = append(numbers, n), append(weights, t.Weight)
		}
		for b.Loop() {
			m.FoldNumbers(numbers, weights)
		}
	})
	b.Run("Score1000", func(b *testing.B) {
		q := m.Query(docs[0].Terms, vectors[:voters])
		for b.Loop() {
			for i := range vectors {
				q.Score(&vectors[i])
			}
		}
	})
	b.Run("QueryAndScore1000", func(b *testing.B) {
		for b.Loop() {
			q := m.Query(docs[0].Terms, vectors[:voters])
			for i := range vectors {
				q.Score(&vectors[i])
			}
		}
	})
	b.Run("Pairs", func(b *testing.B) {
		q := m.Query(docs[0].Terms, vectors[:voters])
		for i := 0; b.Loop(); i++ {
			q.Pairs(docs[i%1000].Terms, &vectors[i%1000], 5)
		}
	})
	b.Run("Parse", func(b *testing.B) {
		for b.Loop() {
			if _, err := Parse(m.Bytes()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
