package match

import (
	"slices"

	"github.com/asean-tmh/tmh/node/match/segment"
)

// The same technology is often listed twice, by two offices or in two years. Listings of one kind whose words are nearly
// the same are shown as one.

const (
	foldAmong  = 100 // best listings that are compared
	sameWords  = 0.8 // of the distinct terms of both, those that both have
	fewestSame = 8   // distinct terms; shorter texts are alike too easily
)

type outline struct {
	terms []uint64 // hashes, ascending
	kind  uint8
}

func (r *ranking) fold() {
	n := min(foldAmong, len(r.list))
	outlines := make([]outline, n)
	var buf []segment.Weight
	for i := range n {
		outlines[i], buf = r.outline(r.list[i], buf)
	}
	folded := make([]bool, len(r.list))
	for i := range n {
		if folded[i] {
			continue
		}
		for j := i + 1; j < n; j++ {
			if !folded[j] && outlines[i].like(&outlines[j]) {
				folded[j] = true
				r.list[i].same = append(r.list[i].same, r.snap.refOf(&r.list[j].candidate))
			}
		}
	}
	kept := r.list[:0]
	for i := range r.list {
		if !folded[i] {
			kept = append(kept, r.list[i])
		}
	}
	r.list = kept
}

func (r *ranking) outline(s *scored, buf []segment.Weight) (o outline, _ []segment.Weight) {
	seg := r.snap.parts[s.part].seg
	buf = seg.Vector(buf[:0], s.doc)
	o.kind = seg.Kinds()[s.doc]
	for _, w := range buf {
		o.terms = append(o.terms, hashTerm(seg.TermString(w.Term)))
	}
	slices.Sort(o.terms)
	return o, buf
}

// hashTerm is FNV-1a with a last mixing: equal on all nodes.
func hashTerm(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h ^= h >> 32
	return h * 0x9e3779b97f4a7c15
}

func (o *outline) like(p *outline) bool {
	a, b := len(o.terms), len(p.terms)
	if o.kind != p.kind || min(a, b) < fewestSame || float64(min(a, b)) < sameWords*float64(max(a, b)) {
		return false
	}
	const few = 16 // the lowest hashes are a fair sample of both: where they differ, all do
	if a > few && b > few && inBoth(o.terms[:few], p.terms[:few]) < few/2 {
		return false
	}
	both := inBoth(o.terms, p.terms)
	return float64(both) >= sameWords*float64(a+b-both)
}

// inBoth counts what two ascending lists have in common.
func inBoth(a, b []uint64) (both int) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			both++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return both
}
