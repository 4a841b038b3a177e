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

// topicReasons are the pairs of words that bring query and document near each other.
func (r *ranking) topicReasons(s *scored, a *anatomy, total float64) (list []reason) {
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
		if p.Share < leastPair*cosine || r.terms[p.Doc] || !readable(p.Query) || !readable(p.Doc) || len(list) == topicPairs { // what both write is named already
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

// readable reports whether a term says something to a reader: it is no number and no single letter.
func readable(term string) bool {
	letters := 0
	for _, r := range term {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	return letters > 1
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
