package suggest

import "iter"

// ranking finds the entries of least rank in any range of a list, in the time of a few comparisons each, however long the
// range is: the least of every block of entries is in a sparse table.
type ranking struct {
	rank  []uint32   // of each entry, all different
	least [][]uint32 // least[k][b]: the entry of least rank in the 2^k blocks from b
}

const block = 32

func newRanking(rank []uint32) ranking {
	r := ranking{rank: rank}
	var blocks []uint32
	for lo := 0; lo < len(rank); lo += block {
		blocks = append(blocks, uint32(r.scan(lo, min(lo+block, len(rank)))))
	}
	for half := 1; len(blocks) > 0; half *= 2 {
		r.least = append(r.least, blocks)
		if 2*half > len(r.least[0]) {
			break
		}
		next := make([]uint32, len(r.least[0])-2*half+1)
		for b := range next {
			next[b] = r.lesser(blocks[b], blocks[b+half])
		}
		blocks = next
	}
	return r
}

func (r *ranking) size() int {
	n := 4 * len(r.rank)
	for _, l := range r.least {
		n += 4 * len(l)
	}
	return n
}

func (r *ranking) lesser(a, b uint32) uint32 {
	if r.rank[b] < r.rank[a] {
		return b
	}
	return a
}

// scan is the entry of least rank in [lo, hi), which is not empty.
func (r *ranking) scan(lo, hi int) int {
	for i := lo + 1; i < hi; i++ {
		if r.rank[i] < r.rank[lo] {
			lo = i
		}
	}
	return lo
}

// first is scan by the table.
func (r *ranking) first(lo, hi int) int {
	b, e := (lo+block-1)/block, hi/block // whole blocks
	if b >= e {
		return r.scan(lo, hi)
	}
	k := 0
	for 2<<k <= e-b {
		k++
	}
	best := r.lesser(r.least[k][b], r.least[k][e-1<<k])
	if lo < b*block {
		best = r.lesser(best, uint32(r.scan(lo, b*block)))
	}
	if e*block < hi {
		best = r.lesser(best, uint32(r.scan(e*block, hi)))
	}
	return int(best)
}

// ascending are the entries of [lo, hi) by rank. It is meant for the first few of them.
func (r *ranking) ascending(lo, hi int) iter.Seq[int] {
	type part struct{ lo, hi, first int }
	return func(yield func(int) bool) {
		if lo >= hi {
			return
		}
		parts := append(make([]part, 0, 64), part{lo, hi, r.first(lo, hi)})
		for len(parts) > 0 {
			best := 0
			for i := range parts {
				if r.rank[parts[i].first] < r.rank[parts[best].first] {
					best = i
				}
			}
			p := parts[best]
			if !yield(p.first) {
				return
			}
			parts[best] = parts[len(parts)-1]
			parts = parts[:len(parts)-1]
			if p.lo < p.first {
				parts = append(parts, part{p.lo, p.first, r.first(p.lo, p.first)})
			}
			if p.first+1 < p.hi {
				parts = append(parts, part{p.first + 1, p.hi, r.first(p.first+1, p.hi)})
			}
		}
	}
}
