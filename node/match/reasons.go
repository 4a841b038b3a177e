package match

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// reason is one part of an explanation before the parts are cut to MaxParts.
type reason struct {
	Part
	fields fieldSet
}

// explain takes a score apart. What a part was divided by, each of its reasons is divided by, too: so they add up.
func (r *ranking) explain(s *scored) Explanation {
	parts := r.partsOf(&s.values)
	var list []reason
	a := r.x.anatomy(r.plans[s.plan], s.part, s.doc)
	var direct map[string]bool
	if s.text > 0 {
		unit := parts.text / s.text
		shares := r.x.shares(r.plans[s.plan], s.part, s.doc, a)
		direct = fulfilled(shares)
		for _, h := range joinShares(shares) {
			list = append(list, reason{
				Part:   Part{Kind: h.kind, Term: h.surface(), Means: h.means, Found: display(h.found), Weight: h.weight * unit, Light: r.x.light(h.surface())},
				fields: h.fields,
			})
		}
	}
	list = append(list, r.expansionReasons(s, a, parts.expansion)...)
	list = append(list, r.topicReasons(s, a, parts.topics, direct)...)
	list = append(list, r.factReasons(s)...)
	if parts.embedding > 0 {
		list = append(list, reason{Part: Part{Kind: PartEmbedding, Weight: parts.embedding}})
	}
	if parts.stale < 0 {
		list = append(list, reason{Part: Part{Kind: PartStale, Weight: parts.stale}})
	}
	slices.SortStableFunc(list, func(a, b reason) int {
		if c := cmp.Compare(abs(b.Weight), abs(a.Weight)); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Term, b.Term))
	})
	e := Explanation{Parts: cut(list)}
	e.Sentence = r.sentence(s, list)
	return e
}

// light tells words that say little by themselves.
func (x *Index) light(word string) bool {
	return strings.IndexFunc(word, unicode.IsLetter) < 0 || x.grammar(word)
}

// grammar tells words that bind others together. They count for the score all the same: without them ranking is worse, by .003 of
// the mean nDCG of four collections.
func (x *Index) grammar(word string) bool {
	return x.lexicon != nil && x.lexicon.Stop("en", strings.ToLower(word))
}

func abs(f float64) float64 { return max(f, -f) }

// cut names the heaviest reasons and sums up the others.
func cut(list []reason) []Part {
	parts := make([]Part, 0, min(len(list), MaxParts+1))
	var rest reason
	for i, h := range list {
		h.Fields = h.fields.names()
		h.Term, h.Means, h.Found = strings.Clone(h.Term), strings.Clone(h.Means), strings.Clone(h.Found)
		if i < MaxParts {
			parts = append(parts, h.Part)
			continue
		}
		rest.Weight += h.Weight
		rest.fields |= h.fields
	}
	if len(list) > MaxParts {
		parts = append(parts, Part{Kind: PartOther, Fields: rest.fields.names(), Weight: rest.Weight})
	}
	return parts
}

// expansionReasons are the terms that a document shares with the best ones.
func (r *ranking) expansionReasons(s *scored, a *anatomy, total float64) (list []reason) {
	if total <= 0 {
		return nil
	}
	unit := total / s.values.expansion
	for i, t := range r.second.terms {
		id := r.second.numbers[s.part][i]
		if n := a.impact(id); n > 0 {
			fields, found := a.fields[id], ""
			if fields == 0 {
				fields, found = r.x.source(a, t.term)
			}
			list = append(list, reason{
				Part:   Part{Kind: PartExpansion, Term: word(t.term), Found: display(found), Stem: true, Weight: t.weight * float64(n) / 255 * unit},
				fields: fields,
			})
		}
	}
	return list
}

// factReasons are codes and fit.
func (r *ranking) factReasons(s *scored) (list []reason) {
	if r.query.Listing == nil {
		return nil
	}
	seg := r.snap.parts[s.part].seg
	w := &r.x.weights
	for _, c := range sharedCodes(r.codes, seg.Codes(s.doc)) {
		if c.value > 0 && w.Codes > 0 {
			list = append(list, reason{Part: Part{Kind: PartCode, Term: c.code.String(), Level: c.level, Weight: w.Codes * c.value}})
		}
	}
	own := factsOf(r.query.Listing).terms
	for _, f := range r.fits(&own, seg, s.doc) {
		if w.Fit > 0 {
			list = append(list, reason{Part: Part{Kind: PartFit, Term: f.name, Weight: w.Fit * f.value}})
		}
	}
	return list
}
