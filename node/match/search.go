package match

import (
	"context"
	"slices"
)

// Match answers q from the catalogue as it is now. A query at fault is a *protocol.Error; otherwise the error is ctx's.
func (x *Index) Match(ctx context.Context, q Query) (Answer, error) {
	if err := q.check(); err != nil {
		return Answer{}, err
	}
	wished := x.stemmer.wishes(q)
	x.mu.RLock()
	defer x.mu.RUnlock()
	p := x.plan(q, wished)
	found, total, err := x.rank(ctx, p)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Total: total, Ranker: digest(x.weights, &x.set), Hits: []Hit{}}
	for _, c := range found[min(q.Offset, len(found)):min(q.Offset+q.limit(), len(found))] {
		a.Hits = append(a.Hits, Hit{Ref: x.ref(c.doc), Score: c.score, Explanation: x.explain(p.each[c.plan], p.norm, c.doc)})
	}
	return a, nil
}

// candidate is a document with its score, and the plan that gives it.
type candidate struct {
	doc   uint32
	plan  int
	score float64
}

// rank returns the best Depth documents that pass the sieve, and the number of all that do and share a term. The languages
// of a listing say the same thing, so a document's score is that of the language that fits it best: counted together,
// listings in the same two languages would come before those that fit.
func (x *Index) rank(ctx context.Context, ps *plans) ([]candidate, int, error) {
	scores := make([][]float64, len(ps.each))
	for i, p := range ps.each {
		scores[i] = x.buffer()
		defer x.buffers.Put(&scores[i])
		for j := range p.terms {
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			x.accumulate(scores[i], &p.terms[j], ps.norm)
		}
	}
	found, total := x.collect(scores, &ps.sieve)
	for i := range found {
		c := &found[i]
		c.score = 0
		for j, p := range ps.each {
			if score := x.withPairs(p, ps.norm, c.doc, scores[j][c.doc]); score > c.score {
				c.score, c.plan = score, j
			}
		}
	}
	slices.SortFunc(found, x.better)
	return found, total, nil
}

// withPairs adds to the score of a document's terms that of their pairs.
func (x *Index) withPairs(p *plan, norm norms, doc uint32, score float64) float64 {
	if len(p.pairs) == 0 || score == 0 {
		return score
	}
	for j, n := range x.countPairs(p, doc) {
		if n != (counts{}) {
			score += float64(p.pairs[j].factor * x.saturated(n, doc, norm))
		}
	}
	return score
}

// accumulate adds a term's part to the score of every document that has it, the dead included.
func (x *Index) accumulate(scores []float64, t *wanted, norm norms) {
	factor := t.factor
	for _, p := range x.terms[t.number].postings {
		scores[p.doc] += float64(factor * x.saturated(p.counts(), p.doc, norm))
	}
}

// counts are occurrences in a document by field.
type counts [fields]uint32

func (p posting) counts() counts {
	return counts{uint32(p.title), uint32(p.keywords), uint32(p.abstract)}
}

// saturated is tf / (tf + norm): between 0 and 1.
func (x *Index) saturated(n counts, doc uint32, norm norms) float64 {
	tf := x.weights.frequency(n)
	return tf / (tf + norm.of(x.lengths[doc]))
}

// collect picks the best Depth of the scored documents by their best score, best first.
func (x *Index) collect(scores [][]float64, s *sieve) (found []candidate, total int) {
	floor := 0.0
	for n := range x.docs {
		score := 0.0
		for _, each := range scores {
			score = max(score, each[n])
		}
		if score == 0 || !s.passes(uint32(n), &x.docs[n]) {
			continue
		}
		total++
		if score < floor {
			continue
		}
		found = append(found, candidate{doc: uint32(n), score: score})
		if len(found) == 4*Depth {
			slices.SortFunc(found, x.better)
			found = found[:Depth]
			floor = found[Depth-1].score
		}
	}
	slices.SortFunc(found, x.better)
	return found[:min(Depth, len(found))], total
}

// better orders by score from the highest, then by ref: never by document number, which depends on history.
func (x *Index) better(a, b candidate) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return x.ref(a.doc).Compare(x.ref(b.doc))
}

// countPairs counts, for each of the plan's pairs, its occurrences in a document.
func (x *Index) countPairs(p *plan, doc uint32) []counts {
	found := make([]counts, len(p.pairs))
	last, at := uint32(newText), title
	for _, t := range x.docs[doc].sequence {
		if t == newField {
			at++
		} else if p.begins[last%4096] {
			if i, ok := p.pairOf[[2]uint32{last, t}]; ok {
				found[i][at]++
			}
		}
		last = t
	}
	return found
}

func (x *Index) buffer() []float64 {
	if b, ok := x.buffers.Get().(*[]float64); ok && cap(*b) >= len(x.docs) {
		scores := (*b)[:len(x.docs)]
		clear(scores)
		return scores
	}
	return make([]float64, len(x.docs), len(x.docs)+len(x.docs)/8)
}
