package match

import (
	"unicode"

	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/node/match/topics"
)

// What brings a document near a query among the topics is told as pairs of words, one of each.

// topicPairs is how many pairs of words of one topic an explanation names.
const topicPairs = 3

// leastPair is the share of the cosine from which a pair is worth naming: a chance pair convinces nobody.
const leastPair = 0.04

// When two words go together for a reader, too: the topics find them alike, and they stand together in some listings, more often
// than by chance. Words of one or two listings are as alike as can be, and say nothing.
const (
	leastAlike    = 0.4
	leastTogether = 3 // listings
	overChance    = 4 // times
)

// goTogether reports whether enough listings have both terms.
func (s *snapshot) goTogether(a, b string) bool {
	together, one, other := 0, 0, 0
	for _, p := range s.parts {
		i, first := p.seg.Term(a)
		j, second := p.seg.Term(b)
		if first {
			one += p.df(i)
		}
		if second {
			other += p.df(j)
		}
		if !first || !second {
			continue
		}
		docs, _ := p.seg.Postings(i)
		others, _ := p.seg.Postings(j)
		for len(docs) > 0 && len(others) > 0 {
			switch d := docs[0]; {
			case d < others[0]:
				docs = docs[1:]
			case d > others[0]:
				others = others[1:]
			default:
				if p.alive(d) {
					together++
				}
				docs, others = docs[1:], others[1:]
			}
		}
	}
	return together >= leastTogether && together*s.live >= overChance*one*other
}

// fulfilled are the terms of the words that a document has itself, in whatever form.
func fulfilled(shares []share) map[string]bool {
	direct := make(map[string]bool)
	for _, s := range shares {
		if s.kind == PartTerm {
			for _, t := range s.wish.terms {
				direct[t.term] = true
			}
		}
	}
	return direct
}

// topicReasons are the pairs of words that bring query and document near each other: those of words that the document has itself,
// and those that would convince nobody, are told in one sum.
func (r *ranking) topicReasons(s *scored, a *anatomy, total float64, direct map[string]bool) (list []reason) {
	if total <= 0 || r.second.topics == nil {
		return nil
	}
	seg := r.snap.parts[s.part].seg
	doc := sharedTerms(seg, a.vector)
	v := r.vector(&s.candidate)
	cosine := r.second.topics.query.Cosine(v)
	if cosine <= 0 {
		return nil
	}
	rest := total
	pairs, _ := r.second.topics.query.Pairs(doc, v, 4*topicPairs)
	for _, p := range pairs {

		if direct[p.Query] || p.Alike < leastAlike || p.Share < leastPair*cosine || r.terms[p.Doc] || !readable(p.Query) || !readable(p.Doc) ||
			len(list) == topicPairs || !r.snap.goTogether(p.Query, p.Doc) { // what both write is named already
			continue
		}
		weight := min(rest, total*p.Share/cosine)
		if weight <= 0 {
			continue
		}
		rest -= weight
		id, _ := seg.Term(p.Doc)
		fields, found := a.fields[id], p.Doc
		if fields == 0 {
			if f, w := r.x.source(a, p.Doc); w != "" {
				fields, found = f, display(w)
			}
		}
		list = append(list, reason{Part: Part{Kind: PartTopic, Term: p.Query, Found: found, Stem: true, Weight: weight}, fields: fields})
	}
	if rest > 0 {
		list = append(list, reason{Part: Part{Kind: PartTopic, Weight: rest}})
	}
	return list
}

// readable reports whether a term says something to a reader: it is no number, no measure and no abbreviation of two letters.
func readable(term string) bool {
	letters := 0
	for _, r := range term {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '-' {
			return false
		}
		letters++
	}
	return letters > 2
}

// sharedTerms are the terms of one document that all languages share.
func sharedTerms(seg *segment.Segment, vector []segment.Weight) []topics.Term {
	terms := make([]topics.Term, 0, len(vector))
	for _, w := range vector {
		if term := seg.TermString(w.Term); spaceOf(term) == common {
			terms = append(terms, topics.Term{Term: term, Weight: topics.ImpactWeight(w.Impact)})
		}
	}
	return terms
}
