package match

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/segment"
)

// share is what one wish, or one pair, gives to the text score of a document.
type share struct {
	wish   *wish
	kind   string
	weight float64
	fields fieldSet
	means  string // English it was translated to, or that the document's word was translated to
	found  string // the document's own word
	end    int    // of the text it covers: beyond the wish's own where several were joined
}

// fieldSet has a bit for each field.
type fieldSet uint8

func (s fieldSet) names() []string {
	names := []string{}
	for f := range fields {
		if s&(1<<f) != 0 {
			names = append(names, f.String())
		}
	}
	return names
}

// anatomy is a document taken apart for one plan.
type anatomy struct {
	seg    *segment.Segment
	ids    []uint32
	vector []segment.Weight
	seq    []uint32
	fields map[uint32]fieldSet // by term number
	said   map[string]said     // by English stem; nil until asked for
}

// said is what a document writes for an English stem, and where.
type said struct {
	in   fieldSet
	word string
}

func (x *Index) anatomy(p *plan, part int, doc uint16) *anatomy {
	a := &anatomy{seg: p.snap.parts[part].seg, ids: p.ids[part], fields: make(map[uint32]fieldSet)}
	a.vector = a.seg.Vector(nil, doc)
	a.seq = a.seg.Sequence(nil, doc)
	var at field
	for _, t := range a.seq {
		switch t {
		case segment.EndFieldID:
			at++
		case segment.EndTextID:
		default:
			if at < fields {
				a.fields[t] |= 1 << at
			}
		}
	}
	return a
}

// impact of a term in the document, 0 if it has none.
func (a *anatomy) impact(id uint32) uint32 {
	if id == absent {
		return 0
	}
	i := sort.Search(len(a.vector), func(i int) bool { return a.vector[i].Term >= id })
	if i == len(a.vector) || a.vector[i].Term != id {
		return 0
	}
	return uint32(a.vector[i].Impact)
}

// shares computes the parts of a document's text score exactly as the stages do.
func (x *Index) shares(p *plan, part int, doc uint16, a *anatomy) (list []share) {
	for i := range p.wants {
		if s, ok := x.shareOf(p, &p.wants[i], a); ok {
			list = append(list, s)
		}
	}
	counts := p.countPairs(part, doc, a.seq, &x.weights)
	for i, n := range counts {
		if q := &p.pairs[i]; n.score > 0 {
			list = append(list, share{wish: &q.wish, kind: PartBigram, weight: n.score, fields: n.fields, end: q.end})
		}
	}
	return list
}

// shareOf is what the best form of a wish gives.
func (x *Index) shareOf(p *plan, w *want, a *anatomy) (share, bool) {
	s := share{wish: w.wish, kind: PartTerm, end: w.wish.end}
	var sum, best uint32
	for _, f := range w.terms {
		sum += f.part * frequency[a.impact(a.ids[f.term])]
	}
	if len(w.terms) == 1 && w.terms[0].part == 256 && len(w.native) == 0 {
		best = w.factor * a.impact(a.ids[w.terms[0].term])
	} else {
		best = w.factor * meant(sum)
	}
	if best > 0 {
		x.describe(&s, w, a)
	}
	for _, f := range w.native {
		if score := f.factor * a.impact(a.ids[f.term]); score > best {
			best = score
			s.means, s.found, s.fields = "", "", a.fields[a.ids[f.term]]
		}
	}
	s.weight = p.score(best)
	return s, best > 0
}

// describe says by which meaning a wish was fulfilled: the heaviest, and the word of the document that has it.
func (x *Index) describe(s *share, w *want, a *anatomy) {
	var heaviest uint32
	for _, f := range w.terms {
		id := a.ids[f.term]
		n := f.part * a.impact(id)
		if n == 0 {
			continue
		}
		fields, found := a.fields[id], ""
		if fields == 0 {
			fields, found = x.source(a, a.seg.TermString(id))
		}
		s.fields |= fields
		if n > heaviest {
			heaviest, s.means, s.found = n, f.gloss, found
			if found != "" && s.means == "" {
				s.means = word(a.seg.TermString(id))
			}
		}
	}
}

// source is the word of the document that means an English stem, and where it stands.
func (x *Index) source(a *anatomy, stem string) (in fieldSet, word string) {
	if a.said == nil {
		a.said = x.sources(a)
	}
	s := a.said[stem]
	return s.in, s.word
}

// sources turns the translation of a document round, once for all of its reasons.
func (x *Index) sources(a *anatomy) map[string]said {
	ids := slices.Collect(maps.Keys(a.fields))
	slices.SortFunc(ids, func(i, j uint32) int { return cmp.Compare(a.seg.TermString(i), a.seg.TermString(j)) })
	all := make(map[string]said)
	var targets []lexicon.Target
	for _, id := range ids { // numbers of terms differ from segment to segment
		term := a.seg.TermString(id)
		sp := spaceOf(term)
		if sp == common {
			continue
		}
		own := word(term)
		add := func(stem string) {
			s := all[stem]
			s.in |= a.fields[id]
			if s.word == "" {
				s.word = own
			}
			all[stem] = s
		}
		for _, lang := range sp.spoken() {
			if x.lexicon != nil {
				targets = x.lexicon.Translate(targets[:0], lang, own)
				for _, t := range targets {
					add(t.Term)
				}
			}
			if stem, ok := x.borrowed(own); ok {
				add(stem)
			}
		}
	}
	return all
}

// joinShares makes one share of those that a reader sees as one: pieces of a script without spaces that overlap in the query.
func joinShares(shares []share) []share {
	slices.SortStableFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.wish.order, b.wish.order), cmp.Compare(a.wish.start, b.wish.start), cmp.Compare(a.end, b.end))
	})
	out := shares[:0]
	for _, s := range shares {
		if n := len(out) - 1; n >= 0 && sameForReader(&out[n], &s) {
			out[n].weight += s.weight
			out[n].end = max(out[n].end, s.end)
			out[n].fields |= s.fields
			continue
		}
		out = append(out, s)
	}
	return out
}

func sameForReader(a, b *share) bool {
	if a.kind != b.kind || a.wish.order != b.wish.order {
		return false
	}
	return a.wish.start == b.wish.start && a.end == b.end || a.wish.piece && b.wish.piece && b.wish.start < a.end
}

// surface is the share's text as the query writes it.
func (s *share) surface() string { return display(s.wish.text[s.wish.start:s.end]) }

// display undoes for the reader what NFKC does to Thai and Lao AM, which fonts join badly when it is taken apart, and to Lao HO NO
// and HO MO, which nobody writes as two letters today.
func display(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r == 0x0e4d || r == 0x0ecd || r == 0x0eab }) < 0 {
		return s
	}
	return strings.NewReplacer("\u0e4d\u0e32", "\u0e33", "\u0ecd\u0eb2", "\u0eb3", "\u0eab\u0e99", "\u0edc", "\u0eab\u0ea1", "\u0edd").Replace(s)
}
