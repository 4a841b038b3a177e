package suggest

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// large are phrases of made-up words: a few common, most rare, as in a catalogue of a million listings.
var large = sync.OnceValue(func() []Entry {
	r := rand.New(rand.NewPCG(13, 14))
	parts := strings.Fields("an ba ce con di ed el en er es fi ga hy in ing ion is ki la le lo ma me mi ne nic no o on or pa per pho po ra re ri ro sa se si so sta sy ta te ter ti tion to tra tri tro u ul ver vi")
	words := make([]string, 120_000)
	for i := range words {
		for range 2 + r.IntN(4) {
			words[i] += parts[r.IntN(len(parts))]
		}
	}
	often := rand.NewZipf(r, 1.05, 20, uint64(len(words)-1))
	var list []Entry
	for i, w := range words {
		list = append(list, Entry{w, 1 + 200_000/(i+20)})
	}
	for range 180_000 {
		p := words[often.Uint64()] + " " + words[often.Uint64()]
		if r.IntN(4) == 0 {
			p += " " + words[often.Uint64()]
		}
		list = append(list, Entry{p, 1 + int(r.ExpFloat64()*r.ExpFloat64()*20)})
	}
	return list
})

var largeVocabulary = sync.OnceValue(func() *Vocabulary { return Build(slices.Values(large()), Options{}) })

func TestSize(t *testing.T) {
	if testing.Short() {
		t.Skip("builds 200,000 phrases")
	}
	v := largeVocabulary()
	t.Logf("%d phrases, %d words, %.1f MB", v.Len(), v.words.len(), float64(v.Size())/1e6)
	if v.Len() != MaxPhrases || v.Size() > 40e6 {
		t.Errorf("%d phrases take %d bytes", v.Len(), v.Size())
	}
}

func BenchmarkBuild(b *testing.B) {
	list := large()
	b.ResetTimer()
	for b.Loop() {
		Build(slices.Values(list), Options{})
	}
	b.ReportMetric(float64(len(list)), "entries")
}

func BenchmarkComplete(b *testing.B) {
	v := largeVocabulary()
	for _, n := range []int{1, 3, 8} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(15, 16))
			var typed []string
			for len(typed) < 1000 {
				if k := v.phrases.key(r.IntN(v.Len())); len(k) > n {
					typed = append(typed, k[:n])
				}
			}
			each(b, typed, func(s string) { v.Complete(s, 10) })
		})
	}
	b.Run("words", func(b *testing.B) {
		each(b, []string{"sustainable production of tra", "mi te sol la no ra ri re"}, func(s string) { v.Complete(s, 20) })
	})
}

func BenchmarkCorrect(b *testing.B) {
	v := largeVocabulary()
	r := rand.New(rand.NewPCG(17, 18))
	word := func() string {
		for {
			if k := v.words.key(r.IntN(v.words.len())); len(k) > 6 {
				return k
			}
		}
	}
	for _, unknown := range []int{0, 1, 3} {
		b.Run(fmt.Sprint(unknown), func(b *testing.B) {
			var queries []string
			for range 1000 {
				q := []string{word(), word(), word(), word(), word()}
				for i := range unknown {
					q[i] = slip(r, q[i])
				}
				queries = append(queries, strings.Join(q, " "))
			}
			each(b, queries, func(s string) { v.Correct(s) })
		})
	}
	b.Run("hostile", func(b *testing.B) { each(b, hostile(), func(s string) { v.Correct(s) }) })
}

// each reports the slowest in a hundred beside the mean.
func each(b *testing.B, list []string, f func(string)) {
	b.Helper()
	runtime.GC()
	var took []time.Duration
	i := 0
	for b.Loop() {
		start := time.Now()
		f(list[i%len(list)])
		took = append(took, time.Since(start))
		i++
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}
