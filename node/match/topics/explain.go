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
	Alike      float64 // cosine of the two words themselves
}

// sides is how many terms of the query, and of the document, pairs are looked for among.
const sides = 8

// hardly is too little to divide by.
const hardly = 1e-12

// Pairs says which pairs of terms make the cosine of the query and a document of these terms, whose vector is v: at most
// n, the heaviest first. rest is what remains: all shares and rest sum to Cosine(v). A term that both have makes a pair
// with itself.
func (q *Query) Pairs(doc []Term, v *Vector, n int) (pairs []Pair, rest float64) {
	cosine, cluster := q.Cosine(v), v.Cluster()
	if cosine == 0 || n <= 0 {
		return nil, cosine
	}
	terms := q.model.known(nil, doc)
	whole, other := q.model.whole(q.terms, cluster), q.model.whole(terms, cluster)
	norms := length(whole) * length(other)
	if norms == 0 {
		return nil, cosine
	}
	heavy := q.model.heaviest(q.terms, cluster, other)
	lengths := make([]float64, len(heavy))
	for i, a := range heavy {
		lengths[i] = length(q.model.whole([]numbered{a}, cluster))
	}
	for _, d := range q.model.heaviest(terms, cluster, whole) {
		vector := q.model.whole([]numbered{d}, cluster)
		for i, a := range heavy {
			product := q.model.product(a, cluster, vector)
			if share := product / norms; share > 0 {
				pairs = append(pairs, Pair{string(q.model.name(a.number)), string(q.model.name(d.number)), share, product / max(lengths[i]*length(vector), hardly)})
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

// whole is the vector of some terms as it is before it is made bytes.
func (m *Model) whole(terms []numbered, cluster int) *[Dimensions]float64 {
	var sum [Dimensions]int64
	worth := m.sum(&sum, cluster, terms)
	var whole [Dimensions]float64
	for i, x := range sum {
		whole[i] = float64(x) * worth
	}
	return &whole
}

// product of one term's vector and another vector.
func (m *Model) product(t numbered, cluster int, other *[Dimensions]float64) (sum float64) {
	row, ok := m.row(t.number, cluster)
	if !ok {
		return 0
	}
	values := row.values[:Dimensions]
	for i, x := range other {
		sum += float64(float64(int8(values[i])) * x)
	}
	return sum * float64(t.weight*row.scale)
}

// heaviest are the terms that add most to the product with other.
func (m *Model) heaviest(terms []numbered, cluster int, other *[Dimensions]float64) []numbered {
	type weighed struct {
		numbered
		adds float64
	}
	all := make([]weighed, 0, len(terms))
	for _, t := range terms {
		if adds := m.product(t, cluster, other); adds != 0 {
			all = append(all, weighed{t, adds})
		}
	}
	slices.SortFunc(all, func(a, b weighed) int {
		return cmp.Or(cmp.Compare(b.adds, a.adds), cmp.Compare(a.number, b.number), cmp.Compare(a.weight, b.weight))
	})
	out := make([]numbered, 0, sides)
	for _, w := range all[:min(sides, len(all))] {
		out = append(out, w.numbered)
	}
	return out
}

func length(v *[Dimensions]float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x * x)
	}
	return math.Sqrt(sum)
}
