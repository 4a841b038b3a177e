package match

import (
	"github.com/asean-tmh/tmh/node/match/segment"
)

// Stage two looks for few terms in many candidates. Where a term's postings are not much longer than the list of candidates, it
// is cheaper to go through them than to decode every candidate's texts.

// worthwhile is how many postings are gone through for one candidate at most: about what decoding its texts costs.
const worthwhile = 150

// spread holds the candidates of one part by their document.
type spread struct {
	at  *[segment.MaxDocs]uint32 // 1 + place in the list of candidates; 0: none
	seg *segment.Segment
}

// eachPart calls f for every part that has candidates, with their places in the list.
func (x *Index) eachPart(s *snapshot, n int, candidate func(i int) *candidate, f func(part int, of []int32, sp *spread)) {
	byPart := make([][]int32, len(s.parts))
	counts := make([]int, len(s.parts))
	for i := range n {
		counts[candidate(i).part]++
	}
	all := make([]int32, n)
	for p, count := range counts {
		byPart[p], all = all[:0:count], all[count:]
	}
	for i := range n {
		p := candidate(i).part
		byPart[p] = append(byPart[p], int32(i))
	}
	sc := x.borrowScratch(0)
	defer x.scratch.Put(sc)
	for p, of := range byPart {
		if len(of) == 0 {
			continue
		}
		for _, i := range of {
			sc.one[candidate(int(i)).doc] = uint32(i) + 1
		}
		f(p, of, &spread{at: &sc.one, seg: s.parts[p].seg})
		for _, i := range of {
			sc.one[candidate(int(i)).doc] = 0
		}
	}
}

// worth reports whether the postings of terms, of which some may be absent, are few enough for n candidates.
func (sp *spread) worth(ids []uint32, n int) bool {
	postings := 0
	for _, id := range ids {
		if id != absent {
			postings += sp.seg.DF(id)
		}
	}
	return postings <= worthwhile*n
}

// mostMarked is how many terms have a bit of their own.
const mostMarked = 64

// pairless finds the candidates that cannot have a pair, since they have not both of its terms; nil where that is not worth its
// while.
func (x *Index) pairless(plans []*plan, found []candidate) []bool {
	if len(plans) != 1 || len(plans[0].pairs) == 0 {
		return nil
	}
	p := plans[0]
	var terms []int // of pairs, places in plan.terms
	bit := make([]uint8, len(p.terms))
	number := func(t int) uint8 {
		if bit[t] == 0 {
			terms = append(terms, t)
			bit[t] = uint8(min(len(terms), mostMarked+1))
		}
		return bit[t] - 1
	}
	pairs := make([]uint64, 0, len(p.pairs))
	for i := range p.pairs {
		if q := &p.pairs[i]; q.factor != 0 {
			pairs = append(pairs, 1<<number(q.a)|1<<number(q.b))
		}
	}
	if len(terms) > mostMarked {
		return nil
	}
	none := make([]bool, len(found))
	marks := make([]uint64, len(found))
	ids := make([]uint32, len(terms))
	x.eachPart(p.snap, len(found), func(i int) *candidate { return &found[i] }, func(part int, of []int32, sp *spread) {
		for i, t := range terms {
			ids[i] = p.ids[part][t]
		}
		if !sp.worth(ids, len(of)) {
			return
		}
		for i, id := range ids {
			if id == absent {
				continue
			}
			docs, _ := sp.seg.Postings(id)
			for _, d := range docs {
				if n := sp.at[d]; n != 0 {
					marks[n-1] |= 1 << i
				}
			}
		}
		for _, i := range of {
			none[i] = true
			for _, both := range pairs {
				if marks[i]&both == both {
					none[i] = false
					break
				}
			}
		}
	})
	return none
}

// spreadExpansion scores the candidates of the parts in which that is worth its while, and returns the others.
func (r *ranking) spreadExpansion() (rest []*scored) {
	terms := r.second.terms
	r.second.numbers = make([][]uint32, len(r.snap.parts))
	r.x.eachPart(r.snap, len(r.list), func(i int) *candidate { return &r.list[i].candidate }, func(part int, of []int32, sp *spread) {
		ids := make([]uint32, len(terms))
		r.second.numbers[part] = ids
		for i := range terms {
			id, ok := sp.seg.Term(terms[i].term)
			if ids[i] = id; !ok {
				ids[i] = absent
			}
		}
		if !sp.worth(ids, len(of)) {
			for _, i := range of {
				rest = append(rest, r.list[i])
			}
			return
		}
		for i, id := range ids { // floats are added up in one order everywhere
			if id == absent {
				continue
			}
			docs, impacts := sp.seg.Postings(id)
			impacts = impacts[:len(docs)]
			for j, d := range docs {
				if n := sp.at[d]; n != 0 {
					r.list[n-1].values.expansion += float64(terms[i].weight * float64(impacts[j]) / 255)
				}
			}
		}
	})
	return rest
}
