package match

import (
	"slices"

	"github.com/asean-tmh/tmh/node/match/segment"
)

// Pairs of neighbouring terms are not indexed: they are counted in the best documents of stage one, and a pair's idf is
// what it would be were its terms independent. That is within .001 nDCG@10 of an index of pairs with their true idf, and
// saves as much room as the index of terms takes.

// pairTable finds the pairs that begin with a term of one part.
type pairTable struct {
	begins [4096]bool // by term number modulo 4096: spares most look-ups
	pairs  map[uint64]int
}

func (p *plan) pairTable(part int) *pairTable {
	t := &pairTable{pairs: make(map[uint64]int, len(p.pairs))}
	ids := p.ids[part]
	for i := range p.pairs {
		q := &p.pairs[i]
		a, b := ids[q.a], ids[q.b]
		if q.factor == 0 || a == absent || b == absent {
			continue
		}
		t.begins[a%4096] = true
		t.pairs[uint64(a)<<32|uint64(b)] = i
	}
	return t
}

// pairCount is what a pair gives to a document.
type pairCount struct {
	tf     float64
	fields fieldSet
	score  float64
}

// count adds up the frequencies of pairs in a sequence; found lists those that occur. It gives the document's weighted
// length, too.
func (t *pairTable) count(seq []uint32, w *Weights, counts []pairCount, found []int) (float64, []int) {
	length := 0.0
	weight := w.field(title)
	var at field
	last := uint32(segment.EndTextID)
	for _, id := range seq {
		if id >= segment.EndFieldID {
			if id == segment.EndFieldID && at < fields-1 {
				at++
				weight = w.field(at)
			}
			last = segment.EndTextID
			continue
		}
		length += weight
		if last < segment.EndFieldID && t.begins[last%4096] {
			if i, ok := t.pairs[uint64(last)<<32|uint64(id)]; ok {
				if counts[i].tf == 0 {
					found = append(found, i)
				}
				counts[i].tf += weight
				counts[i].fields |= 1 << at
			}
		}
		last = id
	}
	return length, found
}

// scorePairs adds the pairs' scores to the text scores of candidates.
func (x *Index) scorePairs(plans []*plan, found []candidate, scores []float64) {
	none := x.pairless(plans, found)
	if none == nil {
		none = make([]bool, len(found))
	}
	inHalves(len(found), func(from, to int) { x.scoreSomePairs(plans, found[from:to], none[from:to], scores[from:to]) })
}

func (x *Index) scoreSomePairs(plans []*plan, found []candidate, none []bool, scores []float64) {
	type key struct{ part, plan int }
	tables := make(map[key]*pairTable)
	var counts []pairCount
	var seq []uint32
	var hit []int
	for i, c := range found {
		p := plans[c.plan]
		if len(p.pairs) == 0 || none[i] {
			continue
		}
		t := tables[key{c.part, c.plan}]
		if t == nil {
			t = p.pairTable(c.part)
			tables[key{c.part, c.plan}] = t
		}
		if len(t.pairs) == 0 {
			continue
		}
		for len(counts) < len(p.pairs) {
			counts = append(counts, pairCount{})
		}
		seg := p.snap.parts[c.part].seg
		seq = seg.Sequence(seq[:0], c.doc)
		var length float64
		length, hit = t.count(seq, &x.weights, counts, hit[:0])
		norm := x.weights.norm(length / spoken(seg, c.doc))
		sum := 0.0
		slices.Sort(hit) // floats are added up in one order everywhere
		for _, n := range hit {
			sum += p.pairScore(n, counts[n].tf, norm)
			counts[n] = pairCount{}
		}
		scores[i] += sum
	}
}

func (p *plan) pairScore(n int, tf, norm float64) float64 {
	return float64(p.pairs[n].factor * (tf / (tf + norm)))
}

// spoken is the number of languages that a document says the same thing in.
func spoken(seg *segment.Segment, doc uint16) float64 {
	return float64(max(1, spaceSet(seg.Languages()[doc]).spoken()))
}

// countPairs is what each pair gives to one document, as scorePairs adds it up.
func (p *plan) countPairs(part int, doc uint16, seq []uint32, w *Weights) []pairCount {
	counts := make([]pairCount, len(p.pairs))
	if len(counts) == 0 {
		return nil
	}
	seg := p.snap.parts[part].seg
	length, hit := p.pairTable(part).count(seq, w, counts, nil)
	norm := w.norm(length / spoken(seg, doc))
	for _, n := range hit {
		counts[n].score = p.pairScore(n, counts[n].tf, norm)
	}
	return counts
}
