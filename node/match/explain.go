package match

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// share is what one wish, or several that a reader sees as one, gave to a score.
type share struct {
	*wish
	kind   string
	weight float64
	counts counts
	end    int // of the text it covers: beyond the wish's own where several were joined
}

// explain takes the score of a document apart.
func (x *Index) explain(p *plan, norm norms, doc uint32) Explanation {
	shares := x.shares(p, norm, doc)
	var byField [fields]float64
	for _, s := range shares {
		for f, part := range x.split(s) {
			byField[f] += part
		}
	}
	shares = join(shares)
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(-cmp.Compare(a.weight, b.weight), cmp.Compare(a.term, b.term), cmp.Compare(a.next, b.next))
	})
	return Explanation{Parts: parts(shares), Sentence: sentence(shares, byField)}
}

// shares computes the parts of the score exactly as rank does.
func (x *Index) shares(p *plan, norm norms, doc uint32) []share {
	var list []share
	for i := range p.terms {
		t := &p.terms[i]
		postings := x.terms[t.number].postings
		at := sort.Search(len(postings), func(i int) bool { return postings[i].doc >= doc })
		if at == len(postings) || postings[at].doc != doc {
			continue
		}
		n := postings[at].counts()
		list = append(list, share{t.wish, PartTerm, t.factor * x.saturated(n, doc, norm), n, t.end})
	}
	for j, n := range x.countPairs(p, doc) {
		if t := &p.pairs[j]; n != (counts{}) {
			list = append(list, share{t.wish, PartBigram, t.factor * x.saturated(n, doc, norm), n, t.end})
		}
	}
	return list
}

// split divides a share among the fields it comes from.
func (x *Index) split(s share) (part [fields]float64) {
	all := x.weights.frequency(s.counts)
	for f := range fields {
		if n := s.counts[f]; n > 0 && all > 0 {
			part[f] = s.weight * x.weights.field(f) * float64(n) / all
		}
	}
	return part
}

// join makes one share of those that a reader sees as one: the stem of a word and the word as written, and pieces of a
// script without spaces that overlap in the query.
func join(shares []share) []share {
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.order, b.order), cmp.Compare(a.start, b.start),
			cmp.Compare(a.end, b.end), cmp.Compare(a.term, b.term))
	})
	out := shares[:0]
	for _, s := range shares {
		if n := len(out) - 1; n >= 0 && sameForReader(out[n], s) {
			out[n].weight += s.weight
			out[n].end = max(out[n].end, s.end)
			for f, c := range s.counts {
				out[n].counts[f] += c
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

func sameForReader(a, b share) bool {
	if a.kind != b.kind || a.order != b.order {
		return false
	}
	return a.start == b.start && a.end == b.end || a.piece && b.piece && b.start < a.end
}

// surface is the share's text as the query writes it.
func (s share) surface() string { return display(s.text[s.start:s.end]) }

func (s share) fields() []string {
	names := []string{}
	for f := range fields {
		if s.counts[f] > 0 {
			names = append(names, f.String())
		}
	}
	return names
}

// parts names the heaviest shares and sums up the others.
func parts(shares []share) []Part {
	list := make([]Part, 0, min(len(shares), MaxParts+1))
	for _, s := range shares[:min(MaxParts, len(shares))] {
		list = append(list, Part{Kind: s.kind, Term: s.surface(), Fields: s.fields(), Weight: s.weight})
	}
	if len(shares) <= MaxParts {
		return list
	}
	var rest share
	for _, s := range shares[MaxParts:] {
		rest.weight += s.weight
		for f, c := range s.counts {
			rest.counts[f] += c
		}
	}
	return append(list, Part{Kind: PartOther, Fields: rest.fields(), Weight: rest.weight})
}

// sentence names the heaviest terms and the field that gives more than half of the score.
func sentence(shares []share, byField [fields]float64) string {
	var names []string
	for _, s := range shares {
		if s.kind == PartTerm {
			names = append(names, "“"+s.surface()+"”")
		}
	}
	var b strings.Builder
	b.WriteString("Shares ")
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		b.WriteString(names[0])
	case 2, 3:
		b.WriteString(strings.Join(names[:n-1], ", ") + " and " + names[n-1])
	default:
		fmt.Fprintf(&b, "%s, %s and %d more terms", names[0], names[1], n-2)
	}
	sum, best := 0.0, title
	for f, part := range byField {
		sum += part
		if part > byField[best] {
			best = field(f)
		}
	}
	switch {
	case byField[best] == sum && len(names) == 1:
		b.WriteString(" in the " + best.String())
	case byField[best] == sum:
		b.WriteString(", all in the " + best.String())
	case 2*byField[best] > sum:
		b.WriteString(", mostly in the " + best.String())
	}
	return b.String() + "."
}
