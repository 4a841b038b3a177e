package match

// keeper keeps the best candidates offered, in a heap with the worst on top.
type keeper struct {
	snap  *snapshot
	depth int
	list  []candidate
	floor uint32 // below it nothing is kept
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

func (k *keeper) offer(c candidate) {
	if len(k.list) < k.depth {
		k.list = append(k.list, c)
		for i := len(k.list) - 1; i > 0; {
			up := (i - 1) / 2
			if k.snap.compare(&k.list[up], &k.list[i]) >= 0 {
				break
			}
			k.list[up], k.list[i] = k.list[i], k.list[up]
			i = up
		}
		if len(k.list) == k.depth {
			k.floor = k.list[0].sum
		}
		return
	}
	if k.depth == 0 || k.snap.compare(&c, &k.list[0]) >= 0 {
		return
	}
	k.list[0] = c
	for i := 0; ; {
		worst := i
		for down := 2*i + 1; down <= 2*i+2 && down < len(k.list); down++ {
			if k.snap.compare(&k.list[down], &k.list[worst]) > 0 {
				worst = down
			}
		}
		if worst == i {
			break
		}
		k.list[i], k.list[worst] = k.list[worst], k.list[i]
		i = worst
	}
	k.floor = k.list[0].sum
}
