package match

import (
	"context"
	"math/bits"
	"runtime"
	"slices"
	"sync"

	"github.com/asean-tmh/tmh/node/match/segment"
)

// candidate is a document that stage one found.
type candidate struct {
	part int // place in the snapshot
	doc  uint16
	plan int    // which gives it its score
	sum  uint32 // BM25F, as plan.score reads it
}

// found is what stage one makes of a query.
type found struct {
	best   []candidate
	total  int
	facets *tally // nil where they were not wanted
}

// scratch is the memory of a query's pass over one part.
type scratch struct {
	sums  [][segment.MaxDocs]uint32 // one a plan
	one   [segment.MaxDocs]uint32   // of one wish
	touch []uint16
	// of a filter
	allowed bitmap
	keep    keeper
}

func (x *Index) borrowScratch(plans int) *scratch {
	s, ok := x.scratch.Get().(*scratch)
	if !ok {
		s = new(scratch)
	}
	for len(s.sums) < plans {
		s.sums = append(s.sums, [segment.MaxDocs]uint32{})
	}
	return s
}

// stageOne sums up the BM25F of every document of every part, exhaustively, and keeps the best. The languages of a listing
// that asks say the same thing, so a document's score is that of the language which fits it best.
func (x *Index) stageOne(ctx context.Context, s *snapshot, plans []*plan, v *sieve, self place, depth int, facets bool) (found, error) {
	f, err := x.findBest(ctx, s, plans, v, self, depth, facets)
	slices.SortFunc(f.best, func(a, b candidate) int { return s.compare(&a, &b) })
	return f, err
}

// findBest is stageOne with the best in no order.
func (x *Index) findBest(ctx context.Context, s *snapshot, plans []*plan, v *sieve, self place, depth int, facets bool) (found, error) {
	workers := min(runtime.GOMAXPROCS(0), len(s.parts))
	results := make([]found, workers)
	room := make([]*scratch, workers)
	var next struct {
		sync.Mutex
		part int
	}
	order := bySize(s.parts)
	take := func() (int, bool) {
		next.Lock()
		defer next.Unlock()
		if next.part == len(order) || ctx.Err() != nil {
			return 0, false
		}
		next.part++
		return order[next.part-1], true
	}
	work := func(w int) {
		sc := x.borrowScratch(len(plans))
		room[w] = sc
		keep := &sc.keep
		keep.begin(s, depth)
		r := &results[w]
		if facets {
			r.facets = new(tally)
		}
		for i, ok := take(); ok; i, ok = take() {
			for n, p := range plans {
				p.accumulate(i, &sc.sums[n], sc)
			}
			r.total += collect(s, i, plans, sc, v, self, keep, r.facets)
		}
		keep.cut()
		r.best = keep.list
	}
	var wg sync.WaitGroup
	for w := 1; w < workers; w++ {
		wg.Go(func() { work(w) })
	}
	if workers > 0 {
		work(0)
	}
	wg.Wait()
	defer func() {
		for _, sc := range room {
			sc.keep.snap = nil
			x.scratch.Put(sc)
		}
	}()
	if err := ctx.Err(); err != nil || workers == 0 {
		return found{}, err
	}
	return join(results, &room[0].keep), nil
}

// bySize orders parts from the largest, so that workers end together.
func bySize(parts []*part) []int {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return parts[b].seg.Docs() - parts[a].seg.Docs() })
	return order
}

// join puts the workers' best together in the keeper of the first.
func join(results []found, keep *keeper) (all found) {
	for w, r := range results {
		for i := range r.best {
			if w > 0 && r.best[i].sum >= keep.floor {
				keep.offer(r.best[i])
			}
		}
		all.total += r.total
		if r.facets != nil {
			if all.facets == nil {
				all.facets = new(tally)
			}
			all.facets.add(r.facets)
		}
	}
	keep.cut()
	all.best = slices.Clone(keep.list)
	return all
}

// accumulate adds up the sums of one part.
func (p *plan) accumulate(part int, sums *[segment.MaxDocs]uint32, sc *scratch) {
	seg, ids := p.snap.parts[part].seg, p.ids[part]
	for i := range p.wants {
		w := &p.wants[i]
		switch {
		case len(w.native) == 0 && len(w.terms) == 1 && w.terms[0].part == 256:
			add(sums, seg, ids[w.terms[0].term], w.factor)
		case len(w.native) == 1 && len(w.terms) == 0:
			add(sums, seg, ids[w.native[0].term], w.native[0].factor)
		default:
			w.addForms(sums, seg, ids, sc)
		}
	}
}

// add is the innermost loop of the engine.
func add(sums *[segment.MaxDocs]uint32, seg *segment.Segment, id, factor uint32) {
	if id == absent || factor == 0 {
		return
	}
	docs, impacts := seg.Postings(id)
	impacts = impacts[:len(docs)]
	for i, d := range docs {
		sums[d] += factor * uint32(impacts[i])
	}
}

// addForms adds the best form of a wish that has several.
func (w *want) addForms(sums *[segment.MaxDocs]uint32, seg *segment.Segment, ids []uint32, sc *scratch) {
	one, touched := &sc.one, sc.touch[:0]
	for _, f := range w.terms {
		if ids[f.term] == absent || f.part == 0 {
			continue
		}
		docs, impacts := seg.Postings(ids[f.term])
		for i, d := range docs {
			n := f.part * frequency[impacts[i]]
			if n == 0 { // or the next form would enter the document a second time
				continue
			}
			if one[d] == 0 {
				touched = append(touched, d)
			}
			one[d] += n
		}
	}
	for _, d := range touched {
		one[d] = w.factor * meant(one[d])
		sums[d] += one[d]
	}
	for _, f := range w.native {
		if ids[f.term] == absent {
			continue
		}
		docs, impacts := seg.Postings(ids[f.term])
		for i, d := range docs {
			if score := f.factor * uint32(impacts[i]); score > one[d] {
				if one[d] == 0 {
					touched = append(touched, d)
				}
				sums[d] += score - one[d]
				one[d] = score
			}
		}
	}
	for _, d := range touched {
		one[d] = 0
	}
	sc.touch = touched
}

// frequency turns an impact back into tf/norm, in 64ths: frequencies of meanings are summed up before they are saturated.
//
//nolint:gochecknoglobals // a table, never changed
var frequency = func() (table [256]uint32) {
	for i := range table {
		table[i] = uint32((64*i + (255-min(i, 254))/2) / (255 - min(i, 254)))
	}
	return table
}()

// meant is the impact of a word's meanings together, from the sum of their frequencies in 64ths and their weights in 256ths.
func meant(sum uint32) uint32 {
	const one = 64 * 256
	return uint32((255*uint64(sum) + (uint64(sum)+one)/2) / (uint64(sum) + one))
}

// collect picks the best documents of a part by their best sum, counts all that pass, and clears the sums.
func collect(s *snapshot, at int, plans []*plan, sc *scratch, v *sieve, self place, keep *keeper, facets *tally) (total int) {
	part := s.parts[at]
	n := part.seg.Docs()
	c := v.columns(part.seg)
	leave := -1
	if part.number == self.part {
		leave = int(self.doc)
	}
	if part.dead != nil || leave >= 0 {
		for i := range plans {
			for d := range n {
				if d == leave || !part.alive(uint16(d)) {
					sc.sums[i][d] = 0
				}
			}
		}
	}
	sums := sc.sums[0][:n]
	if len(plans) > 1 {
		sums = sc.best(plans, n)
	}
	offer := func(d int, sum uint32) {
		keep.offer(candidate{part: at, doc: uint16(d), plan: sc.bestOf(plans, d, sum), sum: sum})
	}
	switch {
	case facets != nil:
		facets.begin(&c)
		defer facets.end(&c)
		for d, sum := range sums {
			if sum != 0 {
				failed := c.fails(uint16(d))
				if facets.count(&c, uint16(d), failed); failed != 0 {
					continue
				}
				if total++; sum >= keep.floor {
					offer(d, sum)
				}
			}
		}
	case v.open:
		for d, sum := range sums {
			if sum == 0 {
				continue
			}
			if total++; sum >= keep.floor {
				offer(d, sum)
			}
		}
	default:
		c.allow(&sc.allowed, sums)
		for w := range (n + 63) / 64 {
			total += bits.OnesCount64(sc.allowed[w])
			for left := sc.allowed[w]; left != 0; left &= left - 1 {
				if d := w*64 + bits.TrailingZeros64(left); sums[d] >= keep.floor {
					offer(d, sums[d])
				}
			}
		}
	}
	for i := range plans {
		clear(sc.sums[i][:n])
	}
	if len(plans) > 1 {
		clear(sums)
	}
	return total
}

// best are the greatest sums that any plan gives.
func (sc *scratch) best(plans []*plan, n int) []uint32 {
	sums := sc.one[:n]
	for d := range sums {
		for i := range plans {
			sums[d] = max(sums[d], sc.sums[i][d])
		}
	}
	return sums
}

// bestOf is the first plan that gives a sum.
func (sc *scratch) bestOf(plans []*plan, d int, sum uint32) int {
	for i := range plans {
		if sc.sums[i][d] == sum {
			return i
		}
	}
	return 0
}
