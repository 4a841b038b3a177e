// Package topics finds documents that mean the same in other words: latent semantic indexing (LSI), one model a cluster of
// the catalogue. A term that often stands beside the same others as a second term gets a vector near that of the second;
// a document's vector is the sum of its terms', and the cosine of two vectors says how near their meanings are.
//
// # Why clusters
//
// One model of a catalogue of many fields spends its dimensions on telling fields apart, and ranks no better than terms
// alone. So documents are first sorted into clusters (spherical k-means on a coarse model of all of them), and each
// cluster has a model of its own with its own term statistics: "model" says much in medicine and nothing in computing.
//
// # Equal answers
//
// Training gives the same bits for the same documents in the same order, however many processors share the work and
// whichever make they are: sums run in a fixed order, products are never fused with additions, the logarithm is our own.
// Vectors are bytes; folding and cosines sum exact integers, so the order of terms does not matter.
package topics

import "math"

// Doc is a document to learn from.
type Doc struct{ Terms []Term }

// Term of a document or a query, with the weight that ImpactWeight or CountWeight gives.
type Term struct {
	Term   string
	Weight float32
}

// Dimensions of a vector.
const Dimensions = 100

// VectorSize is the length of a Vector in bytes.
const VectorSize = 4 + Dimensions

// Vector is a document's place in its cluster's model: the cluster (1 byte), the sum of the squares of what follows
// (3 bytes, the lowest first), and Dimensions signed bytes. The cosine knows no lengths, so the bytes are scaled to make
// the greatest 127. All zeros mean that no term is known.
type Vector [VectorSize]byte

// Cluster the vector belongs to.
func (v *Vector) Cluster() int { return int(v[0]) }

// ImpactWeight is the weight of a document's term with the impact s = impact/255, which is tf/(tf + norm): the logarithm
// of one plus the term frequency in a document of the reference length that has this impact. Impacts near 1 are bounded.
func ImpactWeight(impact uint8) float32 {
	s := min(float64(impact)/255, 0.97)
	return float32(Ln(1 + float64(1.2*s)/(1-s)))
}

// CountWeight is the weight of a query's term that occurs n times.
func CountWeight(n float64) float32 {
	if !(n > 0) {
		return 0
	}
	return float32(Ln(1 + min(n, 1<<20)))
}

// numbered is a term by its number in the model.
type numbered struct {
	number uint32
	weight float32
}

// known appends the terms that the model knows.
func (m *Model) known(buffer []numbered, terms []Term) []numbered {
	for _, t := range terms {
		if !(t.Weight > 0) || t.Weight > maxWeight {
			continue
		}
		if n, ok := m.Number(t.Term); ok {
			buffer = append(buffer, numbered{n, t.Weight})
		}
	}
	return buffer
}

// maxWeight keeps sums far from infinity whatever a caller passes.
const maxWeight = 1 << 20

// Fold is the vector of a document.
func (m *Model) Fold(terms []Term) Vector {
	var room [256]numbered
	return m.fold(m.known(room[:0], terms))
}

// FoldNumbers is Fold for terms that were looked up before: numbers[i] weighs weights[i]. Numbers of terms that the model
// does not have, such as Unknown, are passed over.
func (m *Model) FoldNumbers(numbers []uint32, weights []float32) Vector {
	var room [256]numbered
	terms := room[:0]
	for i, n := range numbers {
		if w := weights[i]; n < m.terms && w > 0 && w <= maxWeight {
			terms = append(terms, numbered{n, w})
		}
	}
	return m.fold(terms)
}

func (m *Model) fold(terms []numbered) Vector {
	cluster := m.nearest(terms)
	var sum [Dimensions]int64
	m.sum(&sum, cluster, terms)
	v := Vector{byte(cluster)}
	scale := greatest(sum[:])
	if scale == 0 {
		return v
	}
	squares := 0
	for i, x := range sum {
		q := int(math.RoundToEven(float64(x) / scale * 127))
		v[4+i] = byte(int8(q))
		squares += q * q
	}
	v[1], v[2], v[3] = byte(squares), byte(squares>>8), byte(squares>>16)
	return v
}

func greatest(v []int64) float64 {
	most := int64(0)
	for _, x := range v {
		most = max(most, x, -x)
	}
	return float64(most)
}

// sum adds up the terms' vectors in a cluster and returns what one is worth. Factors are rounded to 15 bits, so that the
// sum is one of integers and the order of the terms does not matter.
func (m *Model) sum(sum *[Dimensions]int64, cluster int, terms []numbered) (worth float64) {
	var room [256]factored
	rows := room[:0]
	for _, t := range terms {
		if row, ok := m.row(t.number, cluster); ok {
			rows = append(rows, factored{t.weight * row.scale, row.values})
		}
	}
	return addUp(sum[:], rows)
}

// factored is a coded vector and what it is multiplied with.
type factored struct {
	factor float32
	values []byte
}

func addUp(sum []int64, rows []factored) (worth float64) {
	most := float32(0)
	for _, r := range rows {
		most = max(most, r.factor)
	}
	if most == 0 {
		return 0
	}
	worth = float64(most) / math.MaxInt16
	for _, r := range rows {
		f := int64(math.RoundToEven(float64(r.factor) / worth))
		values := r.values[:len(sum)]
		for i, x := range values {
			sum[i] += f * int64(int8(x))
		}
	}
	return worth
}

// Query is a query's place in every cluster, folded when it is first asked for. It is not for concurrent use.
type Query struct {
	model   *Model
	terms   []numbered
	factor  []float64 // by cluster: how much a cosine there counts
	folded  []bool
	vectors [][Dimensions]int16
	norms   []float64
}

// voters are the first hits whose clusters show what field a query is about.
const voters = 20

// Query prepares a query. first are the vectors of the best hits by terms alone, best first: the hit of rank r (from 0)
// among the first 20 votes 1/(r+2) for its cluster. A cosine in a cluster with the share v of the votes counts
// min(1, ½ + v): what a query's words mean is what they mean in its field.
func (m *Model) Query(terms []Term, first []Vector) *Query {
	q := &Query{
		model: m, terms: m.known(nil, terms), factor: make([]float64, m.clusters),
		folded: make([]bool, m.clusters), vectors: make([][Dimensions]int16, m.clusters), norms: make([]float64, m.clusters),
	}
	total := 0.0
	for r := range min(len(first), voters) {
		vote := 1 / float64(r+2)
		if c := first[r].Cluster(); c < m.clusters {
			q.factor[c] += vote
			total += vote
		}
	}
	for c := range q.factor {
		if total > 0 {
			q.factor[c] /= total
		}
		q.factor[c] = min(1, 0.5+q.factor[c])
	}
	return q
}

// Score is the cosine of the query and a document, or 0 where it is negative, times what the document's cluster counts.
func (q *Query) Score(doc *Vector) float64 {
	c := doc.Cluster()
	if c >= q.model.clusters {
		return 0
	}
	return float64(q.factor[c] * max(0, q.Cosine(doc)))
}

// Factor is what a cosine in a cluster counts.
func (q *Query) Factor(cluster int) float64 {
	if uint(cluster) >= uint(len(q.factor)) {
		return 0
	}
	return q.factor[cluster]
}

// Cosine of the query and a document, 0 where either has no known term.
func (q *Query) Cosine(doc *Vector) float64 {
	c := doc.Cluster()
	squares := int(doc[1]) | int(doc[2])<<8 | int(doc[3])<<16
	if c >= q.model.clusters || squares == 0 {
		return 0
	}
	if !q.folded[c] {
		q.fold(c)
	}
	if q.norms[c] == 0 {
		return 0
	}
	dot := product(&q.vectors[c], (*[Dimensions]byte)(doc[4:]))
	return max(-1, min(1, float64(dot)/float64(q.norms[c]*math.Sqrt(float64(squares)))))
}

// product fits in 32 bits: 100 · 127 · 32767 < 2³¹. (A damaged byte −128 does no harm: 100 · 128 · 32767 < 2³¹ too.)
func product(q *[Dimensions]int16, doc *[Dimensions]byte) int32 {
	var a, b, c, d int32
	for i := 0; i < Dimensions; i += 4 {
		a += int32(q[i]) * int32(int8(doc[i]))
		b += int32(q[i+1]) * int32(int8(doc[i+1]))
		c += int32(q[i+2]) * int32(int8(doc[i+2]))
		d += int32(q[i+3]) * int32(int8(doc[i+3]))
	}
	return a + b + c + d
}

// fold scales the query's vector in a cluster to make its greatest value 32767.
func (q *Query) fold(cluster int) {
	q.folded[cluster] = true
	var sum [Dimensions]int64
	q.model.sum(&sum, cluster, q.terms)
	scale := greatest(sum[:])
	if scale == 0 {
		return
	}
	squares := 0
	for i, x := range sum {
		v := int(math.RoundToEven(float64(x) / scale * math.MaxInt16))
		q.vectors[cluster][i] = int16(v)
		squares += v * v
	}
	q.norms[cluster] = math.Sqrt(float64(squares))
}

// Ln is the natural logarithm of x ≥ 1. Unlike math.Log, which is assembly on some processors, it gives the same bits on
// all: x = f·2ᵉ with f in [√½, √2), and ln f = 2·artanh((f−1)/(f+1)) as a series.
func Ln(x float64) float64 {
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f, e = 2*f, e-1
	}
	s := (f - 1) / (f + 1)
	square, sum := s*s, 0.0
	for k := 23; k >= 1; k -= 2 {
		sum = 1/float64(k) + float64(square*sum)
	}
	return float64(math.Ln2*float64(e)) + float64(2*s*sum)
}
