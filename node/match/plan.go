package match

import (
	"math"
	"slices"
)

// plan is what a text looks for, made ready for one snapshot: which terms there are, how often, and what each adds.
type plan struct {
	snap  *snapshot
	terms []string // distinct
	df    []float64
	ids   [][]uint32 // of each part, the number there of each term
	wants []want
	pairs []wantedPair
	scale float64 // of the integers that stage one sums up
	self  float64 // score of a document that fulfils every wish to the full
	gist  float64 // score of one that fulfils the most telling wishes
}

// absent is the number of a term that a part lacks.
const absent = math.MaxUint32

// want is a wish whose forms were looked up.
type want struct {
	wish   *wish
	native []form  // each scores by itself
	terms  []form  // score together: their frequencies are summed up by the weight of the meaning
	idf    float64 // of terms together
	factor uint32  // of terms together, in stage one
}

// form of a wish.
type form struct {
	term   int // place in plan.terms
	weight float64
	part   uint32 // weight in 256ths, of a meaning
	idf    float64
	factor uint32
	gloss  string
}

type wantedPair struct {
	*adjacent
	a, b   int // places in plan.terms
	factor float64
}

// plan looks up what is asked in the parts of a snapshot.
func (x *Index) plan(s *snapshot, a *asked) *plan {
	p := &plan{snap: s}
	place := make(map[string]int)
	term := func(t string) int {
		n, ok := place[t]
		if !ok {
			n = len(p.terms)
			place[t] = n
			p.terms = append(p.terms, t)
		}
		return n
	}
	for i := range a.wishes {
		w := want{wish: &a.wishes[i]}
		for _, n := range w.wish.native {
			w.native = append(w.native, form{term: term(n), weight: 1})
		}
		for _, alt := range w.wish.terms {
			weight := alt.weight
			if alt.gloss != "" { // an English reading of the word itself is no translation
				weight *= x.weights.Translation
			}
			w.terms = append(w.terms, form{term: term(alt.term), weight: weight, gloss: alt.gloss})
		}
		p.wants = append(p.wants, w)
	}
	for i := range a.pairs {
		q := &a.pairs[i]
		p.pairs = append(p.pairs, wantedPair{adjacent: q, a: term(q.a), b: term(q.b)})
	}
	p.look()
	p.weigh(&x.weights)
	return p
}

// look finds every term in every part, and its exact document frequency.
func (p *plan) look() {
	p.df = make([]float64, len(p.terms))
	p.ids = make([][]uint32, len(p.snap.parts))
	for i, part := range p.snap.parts {
		ids := make([]uint32, len(p.terms))
		for t, term := range p.terms {
			id, ok := part.seg.Term(term)
			if !ok {
				ids[t] = absent
				continue
			}
			ids[t] = id
			p.df[t] += float64(part.df(id))
		}
		p.ids[i] = ids
	}
}

// idf of a term among the documents that can have it.
func (p *plan) idf(t int) float64 {
	return idf(float64(p.snap.inSpace[spaceOf(p.terms[t])]), p.df[t])
}

// unknown is the document frequency of a word that the catalogue does not have: it is what a good answer lacks.
const unknown = 0.5

func (p *plan) weigh(w *Weights) {
	total := 0.0
	idfs := make([]float64, 0, len(p.wants))
	for i := range p.wants {
		n := &p.wants[i]
		best := 0.0
		for j := range n.native {
			f := &n.native[j]
			f.idf = idf(float64(p.snap.inSpace[spaceOf(p.terms[f.term])]), max(p.df[f.term], unknown))
			best = max(best, f.idf)
		}
		df := 0.0
		for j := range n.terms {
			f := &n.terms[j]
			f.part = uint32(math.Round(256 * min(1, f.weight)))
			df += float64(f.weight * p.df[f.term])
		}
		if len(n.terms) > 0 {
			n.idf = idf(float64(p.snap.live), max(df, unknown))
			best = max(best, n.idf)
		}
		total += float64(best * n.wish.times)
		idfs = append(idfs, best)
	}
	p.self, p.gist = total, gist(idfs)
	for i := range p.pairs {
		q := &p.pairs[i]
		if p.df[q.a] > 0 && p.df[q.b] > 0 {
			q.factor = w.Bigram * q.times * (p.idf(q.a) + p.idf(q.b))
		}
	}
}

// gist sums up the most telling words of a query: 1.6·√n of n, at least three. Of few words a good answer has most; of the
// hundred words of a listing nothing has more than some, and how many it can have is not in proportion to their number.
func gist(idfs []float64) (sum float64) {
	slices.Sort(idfs)
	n := max(3, int(math.Ceil(1.6*math.Sqrt(float64(len(idfs))))))
	for _, idf := range idfs[max(0, len(idfs)-n):] {
		sum += idf
	}
	return sum
}

// scaled fixes the scale of the integers that stage one sums up, the same for all plans of a query: as fine as can be
// without a sum that overflows.
func scaled(plans []*plan) {
	most := 1e-6
	for _, p := range plans {
		most = max(most, p.self)
	}
	scale := float64(1<<32-1) / float64(most*255)
	for _, p := range plans {
		p.scale = scale
		for i := range p.wants {
			n := &p.wants[i]
			for j := range n.native {
				n.native[j].factor = p.integer(n.native[j].idf * n.wish.times)
			}
			n.factor = p.integer(n.idf * n.wish.times)
		}
	}
}

// integer is a weight as stage one adds it up.
func (p *plan) integer(weight float64) uint32 { return uint32(max(0, math.Floor(weight*p.scale))) }

// score turns a sum of stage one into a BM25F score.
func (p *plan) score(sum uint32) float64 { return float64(sum) / (255 * p.scale) }
