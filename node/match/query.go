package match

import (
	"cmp"
	"maps"
	"slices"

	"github.com/asean-tmh/tmh/protocol"
)

// wish is a term, or two neighbouring ones, that a query looks for.
type wish struct {
	wishKey
	weight     float64 // occurrences in the query
	text       string  // where it stands first, normalised
	order      int     // of that text among the query's
	start, end int     // bytes of text
	piece      bool
}

type wishKey struct{ term, next string } // next is "" for a single term

// wishes are what a checked query looks for: one list for a text, one a language for a listing, each in one order for all
// nodes. Whatever language a text claims to be in, its a-to-z words are looked up both as English stems and as written:
// listings in Indonesian, say, are indexed as written.
func (s *stemmer) wishes(q Query) (lists []wishList) {
	if q.Listing == nil {
		return []wishList{{wishes: s.wishList([]string{q.Text})}}
	}
	for _, lang := range q.Listing.Languages() {
		t := q.Listing.Texts[lang]
		lists = append(lists, wishList{lang, s.wishList(append([]string{t.Title, t.Value, t.Abstract}, t.Keywords...))})
	}
	return lists
}

// wishList is what a text in one language looks for; lang is "" where it is not known.
type wishList struct {
	lang   protocol.Lang
	wishes []wish
}

func (s *stemmer) wishList(texts []string) []wish {
	own := make(map[wishKey]wish)
	for order, text := range texts {
		s.wishFor(own, normalise(text), order)
	}
	return slices.SortedFunc(maps.Values(own), func(a, b wish) int {
		return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.next, b.next))
	})
}

// wishFor adds the terms and neighbours of a text to own.
func (s *stemmer) wishFor(own map[wishKey]wish, text string, order int) {
	add := func(key wishKey, from, to token) {
		w, ok := own[key]
		if !ok {
			w = wish{wishKey: key, text: text, order: order, start: from.start, end: to.end, piece: from.piece && to.piece}
		}
		w.weight++
		own[key] = w
	}
	var last token
	for i, t := range analyse(text, s) {
		add(wishKey{t.term, ""}, t, t)
		if t.word != t.term {
			add(wishKey{t.word, ""}, t, t)
		}
		if i > 0 {
			add(wishKey{last.term, t.term}, last, t)
			if t.word != t.term || last.word != last.term {
				add(wishKey{last.word, t.word}, last, t)
			}
		}
		last = t
	}
}

// wanted is a wish that the index can fulfil.
type wanted struct {
	*wish
	number uint32  // of a single term
	factor float64 // what the saturated frequency is multiplied with
}

// plans are a query made ready for one snapshot of an index.
type plans struct {
	each  []*plan // one a list of wishes
	norm  norms
	sieve sieve
}

// plan is one list of wishes made ready.
type plan struct {
	terms, pairs []wanted
	pairOf       map[[2]uint32]int // term numbers: place in pairs
	begins       [4096]bool        // by term number modulo 4096: may begin a pair, which spares most look-ups
}

// norms are the length normalisation of one snapshot: fixed + slope·length.
type norms struct{ fixed, slope float64 }

func (n norms) of(length float64) float64 { return n.fixed + float64(n.slope*length) }

// plan looks up what is wished for. The caller holds the lock.
func (x *Index) plan(q Query, lists []wishList) *plans {
	ps := &plans{norm: x.norms(), sieve: x.sieve(q)}
	for _, l := range lists {
		ps.each = append(ps.each, x.planOne(l))
	}
	return ps
}

func (x *Index) planOne(l wishList) *plan {
	p := &plan{pairOf: make(map[[2]uint32]int)}
	for i := range l.wishes {
		w := &l.wishes[i]
		number, idf, ok := x.lookUp(w.term, l.lang)
		if !ok {
			continue
		}
		if w.next == "" {
			p.terms = append(p.terms, wanted{wish: w, number: number, factor: w.weight * idf})
			continue
		}
		if next, nextIDF, ok := x.lookUp(w.next, l.lang); ok && x.weights.Bigram > 0 {
			p.begins[number%4096] = true
			p.pairOf[[2]uint32{number, next}] = len(p.pairs)
			p.pairs = append(p.pairs, wanted{wish: w, factor: x.weights.Bigram * w.weight * (idf + nextIDF)})
		}
	}
	return p
}

// lookUp is false for a term that no living document has.
func (x *Index) lookUp(t string, lang protocol.Lang) (number uint32, weight float64, ok bool) {
	number, ok = x.dict[t]
	if !ok || x.terms[number].df == 0 {
		return 0, 0, false
	}
	df := int(x.terms[number].df)
	return number, idf(max(x.among(t, lang), df), df), true
}

func (x *Index) norms() norms {
	w := &x.weights
	total := w.weigh(float64(x.total[title]), float64(x.total[keywords]), float64(x.total[abstract]))
	n := norms{fixed: w.K1 * (1 - w.B)}
	if total > 0 {
		n.slope = w.K1 * w.B * float64(len(x.byRef)) / total
	}
	return n
}
