package match

import "slices"

// keeper keeps the best candidates offered, in no order. It takes more than are wanted, and now and then drops the worst: that
// is cheaper than to keep them in order.
type keeper struct {
	snap  *snapshot
	depth int
	list  []candidate
	floor uint32    // below it nothing is kept
	last  candidate // the worst kept of those at the floor, where others of the same sum were dropped; else its sum is 0
	sums  []uint32  // scratch
	ties  []candidate
}

// begin anew, with the memory of before.
func (k *keeper) begin(s *snapshot, depth int) {
	*k = keeper{snap: s, depth: depth, list: k.list[:0], sums: k.sums[:0], ties: k.ties[:0]}
}

// compare orders from the best: by score, then by ref, never by the place of a document, which depends on history.
func (s *snapshot) compare(a, b *candidate) int {
	switch {
	case a.sum > b.sum:
		return -1
	case a.sum < b.sum:
		return 1
	}
	return s.refOf(a).Compare(s.refOf(b))
}

func (s *snapshot) refOf(c *candidate) Ref { return s.parts[c.part].ref(c.doc) }

// offer a candidate whose sum is not below the floor.
func (k *keeper) offer(c candidate) {
	if k.depth == 0 || c.sum == k.last.sum && k.last.sum != 0 && k.snap.compare(&c, &k.last) >= 0 {
		return
	}
	if k.list = append(k.list, c); len(k.list) >= 4*k.depth {
		k.cut()
	}
}

// cut drops what is worse than the best.
func (k *keeper) cut() {
	if len(k.list) <= k.depth {
		return
	}
	k.sums = k.sums[:0]
	for i := range k.list {
		k.sums = append(k.sums, k.list[i].sum)
	}
	k.floor = greatest(k.sums, k.depth)
	kept := k.list[:0]
	k.ties = k.ties[:0]
	for _, c := range k.list {
		switch {
		case c.sum > k.floor:
			kept = append(kept, c)
		case c.sum == k.floor:
			k.ties = append(k.ties, c)
		}
	}
	k.last = candidate{}
	if n := k.depth - len(kept); n < len(k.ties) {
		bestFirst(k.ties, n, func(a, b candidate) int { return k.snap.compare(&a, &b) })
		k.ties = k.ties[:n]
		k.last = k.ties[n-1]
	}
	k.list = append(kept, k.ties...)
}

// greatest is the n-th greatest of a list, which is left in another order. n is from 1 to its length.
func greatest(list []uint32, n int) uint32 {
	from, to, at := 0, len(list)-1, n-1
	for tries := 64; from < to; tries-- {
		if tries == 0 { // somebody chose the numbers
			slices.SortFunc(list[from:to+1], func(a, b uint32) int { return int(int64(b) - int64(a)) })
			break
		}
		a, b, c := list[from], list[from+(to-from)/2], list[to]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := from, to
		for i <= j {
			for list[i] > pivot {
				i++
			}
			for list[j] < pivot {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i++
				j--
			}
		}
		switch {
		case at <= j:
			to = j
		case at >= i:
			from = i
		default:
			return list[at]
		}
	}
	return list[at]
}

// bestFirst puts the n first of a list, by an order in which no two are equal, in order to its front. The others follow in any
// order.
func bestFirst[T any](list []T, n int, compare func(a, b T) int) {
	if n <= 0 {
		return
	}
	from, to := 0, len(list)-1
	for tries := 64; n < len(list) && from < to; tries-- {
		if tries == 0 {
			slices.SortFunc(list[from:to+1], compare)
			break
		}
		pivot := list[from+(to-from)/2]
		i, j := from, to
		for i <= j {
			for compare(list[i], pivot) < 0 {
				i++
			}
			for compare(list[j], pivot) > 0 {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i++
				j--
			}
		}
		switch {
		case n-1 <= j:
			to = j
		case n-1 >= i:
			from = i
		default:
			from = to
		}
	}
	slices.SortFunc(list[:min(n, len(list))], compare)
}
