package topics

import (
	"cmp"
	"math"
	"slices"
)

// Pair is a term of the query and one of the document that stand near each other in meaning.
type Pair struct {
	Query, Doc string
	Share      float64 // of the cosine, to which it adds
}

// sides is how many terms of the query, and of the document, pairs are looked for among.
const sides = 12

// Pairs says which pairs of terms make the cosine of the query and a document, the heaviest first, at most n. rest is
// what remains: all shares and rest sum to Cosine(vector of doc). Terms that both have are pairs, too.
func (q *Query) Pairs(doc []Term, n int) (pairs []Pair, rest float64) {
	terms := q.model.known(nil, doc)
	v := q.model.fold(terms)
	cosine := q.Cosine(&v)
	if cosine == 0 || n <= 0 {
		return nil, cosine
	}
	a, b := q.model.side(q.terms, v.Cluster()), q.model.side(terms, v.Cluster())
	whole, other := a.sum(), b.sum()
	norms := length(whole) * length(other)
	if norms == 0 {
		return nil, cosine
	}
	a.keep(other, sides)
	b.keep(whole, sides)
	for i, x := range a.vectors {
		for j, y := range b.vectors {
			if share := wide(&x, &y) / norms; share > 0 {
				pairs = append(pairs, Pair{string(q.model.name(a.numbers[i])), string(q.model.name(b.numbers[j])), share})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Query, b.Query), cmp.Compare(a.Doc, b.Doc))
	})
	pairs = pairs[:min(n, len(pairs))]
	rest = cosine
	for _, p := range pairs {
		rest -= p.Share
	}
	return pairs, rest
}

// side is the weighted term vectors of a query or a document.
type side struct {
	numbers []uint32
	vectors [][Dimensions]float32
}

func (m *Model) side(terms []numbered, cluster int) (s side) {
	for i := range terms {
		var v [Dimensions]float32
		m.sum(&v, cluster, terms[i:i+1])
		if v != [Dimensions]float32{} {
			s.numbers, s.vectors = append(s.numbers, terms[i].number), append(s.vectors, v)
		}
	}
	return s
}

func (s *side) sum() *[Dimensions]float32 {
	var sum [Dimensions]float32
	for i := range s.vectors {
		for j, x := range s.vectors[i] {
			sum[j] += x
		}
	}
	return &sum
}

// keep drops all but the n terms that add most to the product with other.
func (s *side) keep(other *[Dimensions]float32, n int) {
	order := make([]int, len(s.numbers))
	weight := make([]float64, len(s.numbers))
	for i := range order {
		order[i], weight[i] = i, wide(&s.vectors[i], other)
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(weight[j], weight[i]) })
	var kept side
	for _, i := range order[:min(n, len(order))] {
		kept.numbers, kept.vectors = append(kept.numbers, s.numbers[i]), append(kept.vectors, s.vectors[i])
	}
	*s = kept
}

func wide(a, b *[Dimensions]float32) (sum float64) {
	for i := range a {
		sum += float64(float64(a[i]) * float64(b[i]))
	}
	return sum
}

func length(v *[Dimensions]float32) float64 { return math.Sqrt(wide(v, v)) }
