package segment

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

var largeSegment = sync.OnceValue(func() *Segment {
	b, err := Build(corpus(MaxDocs), 1)
	if err != nil {
		panic(err)
	}
	s, err := Parse(b)
	if err != nil {
		panic(err)
	}
	return s
})

func BenchmarkBuild(b *testing.B) {
	for _, n := range []struct {
		name string
		docs int
	}{{"1", 1}, {"50", 50}, {"65536", MaxDocs}} {
		b.Run(n.name, func(b *testing.B) {
			docs := corpus(n.docs)
			terms := 0
			for _, d := range docs {
				terms += len(d.Terms)
			}
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				bytes, err := Build(docs, 1)
				if err != nil {
					b.Fatal(err)
				}
				size = len(bytes)
			}
			b.ReportMetric(float64(size)/float64(len(docs)), "bytes/doc")
			b.ReportMetric(float64(terms)/float64(len(docs)), "terms/doc")
		})
	}
}

func BenchmarkMerge(b *testing.B) {
	for _, n := range []struct {
		name  string
		parts int
	}{{"2", 2}, {"64", 64}} {
		b.Run(n.name, func(b *testing.B) {
			parts := partsOf(b, n.parts)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Merge(parts, 2); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func partsOf(b *testing.B, n int) []Part {
	docs := corpus(MaxDocs)
	parts := make([]Part, n)
	for i := range parts {
		parts[i].Segment = build(b, docs[i*MaxDocs/n:(i+1)*MaxDocs/n], 1)
	}
	return parts
}

func BenchmarkParse(b *testing.B) {
	bytes := largeSegment().Bytes()
	for b.Loop() {
		if _, err := Parse(bytes); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTerm(b *testing.B) {
	s := largeSegment()
	r := rand.New(rand.NewPCG(3, 4))
	var asked []string
	for range 1 << 16 {
		v := s.Vector(nil, uint16(r.Uint32()))
		asked = append(asked, strings.Clone(s.TermString(v[r.IntN(len(v))].Term)))
	}
	i := 0
	for b.Loop() {
		if _, ok := s.Term(asked[i&0xffff]); !ok {
			b.Fatal(asked[i&0xffff])
		}
		i++
	}
	b.ReportMetric(float64(s.Terms()), "terms")
}

// One round reads all postings, as stage 1 does.
func BenchmarkPostings(b *testing.B) {
	s := largeSegment()
	scores := make([]uint32, MaxDocs)
	n := 0
	for b.Loop() {
		n = 0
		for id := range uint32(s.Terms()) {
			docs, impacts := s.Postings(id)
			for i, doc := range docs {
				scores[doc] += uint32(impacts[i])
			}
			n += len(docs)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/posting")
}

// One round is 1,000 documents anywhere in the segment.
func BenchmarkSequence(b *testing.B) {
	s := largeSegment()
	r := rand.New(rand.NewPCG(5, 6))
	var dst []uint32
	n := 0
	for b.Loop() {
		n = 0
		for range 1000 {
			dst = s.Sequence(dst[:0], uint16(r.Uint32()))
			n += len(dst)
		}
	}
	b.ReportMetric(float64(n)/1000, "tokens/doc")
}

// One round is 1,000 documents anywhere in the segment.
func BenchmarkVector(b *testing.B) {
	s := largeSegment()
	r := rand.New(rand.NewPCG(5, 6))
	var dst []Weight
	for b.Loop() {
		for range 1000 {
			dst = s.Vector(dst[:0], uint16(r.Uint32()))
		}
	}
}
