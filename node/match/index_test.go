package match

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// Queries see one state of the catalogue each: the writer moves one listing between two origins in one revision of
// each, and adds and removes others; every answer's parts must fit its own total.
func TestQueriesWhileChanging(t *testing.T) {
	x := New(DefaultWeights())
	var wg sync.WaitGroup
	done := make(chan struct{})
	for seed := range uint64(3) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 4))
			for {
				select {
				case <-done:
					return
				default:
				}
				a, err := x.Match(t.Context(), Query{Text: phrase(r, 6), Limit: MaxLimit})
				if err != nil || a.Total < len(a.Hits) || len(a.Hits) > x.Stats().Documents+MaxLimit {
					t.Errorf("%d hits of %d: %v", len(a.Hits), a.Total, err)
					return
				}
				for _, h := range a.Hits {
					sum := 0.0
					for _, p := range h.Explanation.Parts {
						sum += p.Weight
					}
					if d := sum - h.Score; d > 1e-6 || d < -1e-6 {
						t.Errorf("%v: parts sum to %v, score %v: not one snapshot", h.Ref, sum, h.Score)
						return
					}
				}
			}
		})
	}
	walk(rand.New(rand.NewPCG(9, 9)), x, 1500)
	close(done)
	wg.Wait()
}

// vocabulary of n made-up words, used with the frequencies that words have.
type vocabulary struct {
	words []string
	zipf  *rand.Zipf
}

func newVocabulary(r *rand.Rand, n int) vocabulary {
	syllables := []string{"ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "tion", "ing", "er", "al"}
	v := vocabulary{zipf: rand.NewZipf(r, 1.1, 40, uint64(n-1))}
	for i := range n {
		w := ""
		for k := i + 18; k > 0; k /= 18 {
			w += syllables[k%18]
		}
		v.words = append(v.words, w)
	}
	return v
}

func (v vocabulary) text(n int) string {
	b := make([]byte, 0, 8*n)
	for range n {
		b = append(append(b, v.words[v.zipf.Uint64()]...), ' ')
	}
	return string(b)
}

func (v vocabulary) listing(r *rand.Rand, i int) *protocol.Listing {
	return listing(fmt.Sprintf("L%d", i), protocol.Kinds()[r.IntN(6)], "en", protocol.Text{
		Title: v.text(10), Value: v.text(15), Abstract: v.text(135), Keywords: []string{v.text(2), v.text(2), v.text(2), v.text(2), v.text(2)},
	})
}

func filled(n int) (*Index, vocabulary, *rand.Rand) {
	r := rand.New(rand.NewPCG(5, 5))
	v, x := newVocabulary(r, 50_000), New(DefaultWeights())
	for i := range n {
		x.Put(Ref{"KH", protocol.ListingID(fmt.Sprintf("L%d", i))}, v.listing(r, i))
	}
	return x, v, r
}

func BenchmarkMatchListing(b *testing.B) {
	x, v, r := filled(10_000)
	for b.Loop() {
		ask(b, x, Query{Listing: v.listing(r, 0)})
	}
}

func BenchmarkMatchWords(b *testing.B) {
	x, v, _ := filled(10_000)
	for b.Loop() {
		ask(b, x, Query{Text: v.text(5)})
	}
}

// BenchmarkPut also reports what the index takes in memory.
func BenchmarkPut(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x, v, r := filled(10_000)
	runtime.GC()
	runtime.ReadMemStats(&after)
	size, stats := float64(after.HeapAlloc-before.HeapAlloc), x.Stats()
	l := v.listing(r, 0)
	for i := 0; b.Loop(); i++ {
		l.TRL = uint8(i%9) + 1 // a revision each time
		x.Put(Ref{"KH", protocol.ListingID(fmt.Sprintf("L%d", i%10_000))}, l)
	}
	b.ReportMetric(size/10_000, "B/listing")
	b.ReportMetric(size/float64(stats.Postings), "B/posting")
}
