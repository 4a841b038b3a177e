package match

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/node/match/topics"
)

// The second stage scores the candidates of the first by what is too dear, or makes no sense, for all documents. Every part
// is at least 0 and divided by its greatest value among the candidates, so that the score is a sum of shares that can be
// told one by one.

// values are the parts of a score, before weighting.
type values struct{ text, expansion, topics, codes, fit, embedding, stale float64 }

// secondStage is what the parts of a ranking were divided by, and what they were made of.
type secondStage struct {
	agree     float64 // how much expansion counts, from 0 to 1
	greatest  values
	terms     []expansionTerm
	numbers   [][]uint32 // of the terms, by part; nil where there is no candidate
	topics    *topicQuery
	vectors   [][]topics.Vector // by part; nil where they are of another model
	embedding embeddingShare
}

// Documents that stage one finds too few of are filled up by the expansion.
const (
	fewCandidates = 300
	fillTerms     = 20
)

func (r *ranking) stageTwo(ctx context.Context, best []candidate, v *sieve, self place) error {
	texts := make([]float64, len(best))
	for i, c := range best {
		texts[i] = r.plans[c.plan].score(c.sum)
	}
	r.x.scorePairs(r.plans, best, texts)
	all := make([]scored, len(best))
	r.list = make([]*scored, len(best))
	for i, c := range best {
		all[i] = scored{candidate: c, text: texts[i], values: values{text: texts[i]}, score: texts[i]}
		r.list[i] = &all[i]
	}
	if r.x.embedding != nil { // which hashes what it finds in this order
		slices.SortFunc(r.list, r.compare)
	} else {
		bestFirst(r.list, max(expandFrom, votersAmong), r.compare)
	}
	w := &r.x.weights
	r.second = &secondStage{}
	if len(r.list) == 0 {
		return nil
	}
	if w.Expansion > 0 {
		r.second.terms = r.expand()
		if err := r.fill(ctx, v, self); err != nil {
			return err
		}
		r.scoreExpansion()
	}
	if w.Topics > 0 {
		r.scoreTopics()
	}
	r.scoreEmbedding(ctx)
	r.scoreFacts()
	r.combine()
	return nil
}

// fill adds documents that share no term with the query but with its best documents, where stage one found few.
func (r *ranking) fill(ctx context.Context, v *sieve, self place) error {
	if len(r.list) >= fewCandidates || len(r.second.terms) == 0 {
		return nil
	}
	terms := r.second.terms[:min(fillTerms, len(r.second.terms))]
	p := &plan{snap: r.snap}
	for i, t := range terms {
		p.terms = append(p.terms, t.term)
		p.wants = append(p.wants, want{wish: &wish{times: t.weight}, idf: 1, terms: []form{{term: i, weight: 1, part: 256}}})
		p.self += t.weight
	}
	p.look()
	plans := []*plan{p}
	scaled(plans)
	f, err := r.x.stageOne(ctx, r.snap, plans, v, self, Depth, false)
	if err != nil {
		return err
	}
	type at struct {
		part int
		doc  uint16
	}
	known := make(map[at]bool, len(r.list))
	for i := range r.list {
		known[at{r.list[i].part, r.list[i].doc}] = true
	}
	for _, c := range f.best {
		if len(r.list) < fewCandidates && !known[at{c.part, c.doc}] {
			r.list = append(r.list, &scored{candidate: candidate{part: c.part, doc: c.doc}})
		}
	}
	return nil
}

// inHalves does the work on n things on two processors where it is worth it. What is done to a thing must not depend on
// the others.
func inHalves(n int, work func(from, to int)) {
	if n < 200 || runtime.GOMAXPROCS(0) < 2 {
		work(0, n)
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { work(0, n/2) })
	work(n/2, n)
	wg.Wait()
}

// agreement is how much the best documents by text stand together: where one of them leads clearly, it is what was looked
// for, and what the others share must not sink it.
func (r *ranking) agreement() float64 {
	texts := make([]float64, 0, expandFrom)
	for _, s := range r.list[:min(expandFrom, len(r.list))] { // still by text
		if s.text > 0 {
			texts = append(texts, s.text)
		}
	}
	if len(texts) < 2 {
		return 1
	}
	sum := 0.0
	for _, text := range texts[1:] {
		sum += text / texts[0]
	}
	return max(0, min(1, float64(3*(sum/float64(len(texts)-1)))-1))
}

// combine sums up the weighted parts, and sorts.
func (r *ranking) combine() {
	g := &r.second.greatest
	r.second.agree = r.agreement()
	for i := range r.list {
		v := &r.list[i].values
		g.text, g.expansion, g.topics = max(g.text, v.text), max(g.expansion, v.expansion), max(g.topics, v.topics)
		g.embedding = max(g.embedding, v.embedding)
	}
	for i := range r.list {
		s := r.list[i]
		p := r.partsOf(&s.values)
		s.score = p.text + p.expansion + p.topics + p.codes + p.fit + p.embedding + p.stale
		s.strength = r.strength(s)
		s.verdict = verdictOf(s.strength)
	}
	if r.shown > 0 {
		bestFirst(r.list, r.shown, r.compare)
	} else {
		slices.SortFunc(r.list, r.compare)
	}
}

// partsOf are the weighted parts, which add up to the score.
func (r *ranking) partsOf(v *values) values {
	w, g := &r.x.weights, &r.second.greatest
	share := func(weight, value, greatest float64) float64 {
		if greatest <= 0 {
			return 0
		}
		return float64(weight * (value / greatest))
	}
	return values{
		text: share(w.Text, v.text, g.text), expansion: share(float64(w.Expansion*r.second.agree), v.expansion, g.expansion), topics: share(w.Topics, v.topics, g.topics),
		codes: float64(w.Codes * v.codes), fit: float64(w.Fit * v.fit), embedding: share(w.Embedding, v.embedding, g.embedding),
		stale: -float64(w.Stale * v.stale),
	}
}

// askTerms notes the terms that the query looks for.
func (r *ranking) askTerms() {
	r.terms = make(map[string]bool)
	for _, p := range r.plans {
		for _, t := range p.terms {
			r.terms[t] = true
		}
	}
}

// expansionTerm is a term that the best documents share.
type expansionTerm struct {
	term   string
	weight float64
}

// Measured on the test collections: more documents or terms bring nothing.
const (
	expandFrom  = 10
	expandTerms = 30
)

// expand finds the heaviest terms of the best documents.
func (r *ranking) expand() (list []expansionTerm) {
	sums := make(map[string]float64)
	var buf []segment.Weight
	for i := range r.list[:min(expandFrom, len(r.list))] {
		c := r.list[i]
		part := r.snap.parts[c.part]
		buf = part.seg.Vector(buf[:0], c.doc)
		for _, t := range buf {
			sums[part.seg.TermString(t.Term)] += float64(float64(t.Impact) / 255 / float64(i+2) * (c.text / r.list[0].text))
		}
	}
	for term := range r.terms {
		delete(sums, term)
	}
	heavier := func(a, b expansionTerm) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.term, b.term))
	}
	order := make([]expansionTerm, 0, len(sums))
	for term, sum := range sums {
		order = append(order, expansionTerm{term, sum})
	}
	slices.SortFunc(order, heavier)
	most, rarest := float64(r.snap.live)/10, idf(float64(r.snap.live), 2)
	for _, t := range order { // heaviest sums first, so that not every term's frequency must be looked up
		if len(list) == expandTerms && float64(t.weight*rarest) < list[expandTerms-1].weight {
			break
		}
		df := r.snap.df(t.term)
		if df < 2 || df > most {
			continue
		}
		t.weight = float64(t.weight * idf(float64(r.snap.inSpace[spaceOf(t.term)]), df))
		at, _ := slices.BinarySearchFunc(list, t, heavier)
		if list = slices.Insert(list, at, t); len(list) > expandTerms {
			list = list[:expandTerms]
		}
	}
	return list
}

// df is the number of living documents that have a term.
func (s *snapshot) df(term string) float64 {
	n := 0
	for _, p := range s.parts {
		if id, ok := p.seg.Term(term); ok {
			n += p.df(id)
		}
	}
	return float64(n)
}

// scoreExpansion scores the candidates by the expansion's terms.
func (r *ranking) scoreExpansion() {
	if len(r.second.terms) == 0 {
		return
	}
	rest := r.spreadExpansion()
	inHalves(len(rest), func(from, to int) { r.scoreSomeExpansion(rest[from:to]) })
}

func (r *ranking) scoreSomeExpansion(list []*scored) {
	tables := make([]*expansionTable, len(r.snap.parts))
	var buf []segment.Weight
	for _, s := range list {
		t := tables[s.part]
		if t == nil {
			t = r.expansionTable(s.part)
			tables[s.part] = t
		}
		buf = r.snap.parts[s.part].seg.Vector(buf[:0], s.doc)
		impacts := [expandTerms]uint8{}
		for _, w := range buf {
			if t.any[w.Term%1024] {
				if n, ok := t.number[w.Term]; ok {
					impacts[n] = w.Impact
				}
			}
		}
		for n, impact := range impacts[:len(r.second.terms)] {
			s.values.expansion += float64(r.second.terms[n].weight * float64(impact) / 255)
		}
	}
}

// expansionTable finds the expansion's terms among those of one part.
type expansionTable struct {
	any    [1024]bool
	number map[uint32]int
}

func (r *ranking) expansionTable(part int) *expansionTable {
	t := &expansionTable{number: make(map[uint32]int, len(r.second.terms))}
	for n, e := range r.second.terms {
		if id, ok := r.snap.parts[part].seg.Term(e.term); ok {
			t.any[id%1024] = true
			t.number[id] = n
		}
	}
	return t
}

// scoreFacts scores what listings say besides their texts.
func (r *ranking) scoreFacts() {
	var own *cooperation
	if r.query.Listing != nil {
		f := factsOf(r.query.Listing)
		own = &f.terms
	}
	for i := range r.list {
		s := r.list[i]
		if r.stale(&s.candidate) {
			s.values.stale = 1
		}
		if r.query.Listing == nil {
			continue
		}
		seg := r.snap.parts[s.part].seg
		s.values.codes = 0
		for _, m := range sharedCodes(r.codes, seg.Codes(s.doc)) {
			s.values.codes += m.value
		}
		for _, f := range r.fits(own, seg, s.doc) {
			s.values.fit += f.value
		}
	}
}

// strength is how good a match is by itself: the text score relative to that of a document which fulfils the query's most
// telling words.
func (r *ranking) strength(s *scored) float64 {
	gist := r.plans[s.plan].gist
	if gist <= 0 {
		return 0
	}
	return min(1, max(0, s.text/gist))
}

func verdictOf(strength float64) Verdict {
	switch {
	case strength >= strongFrom:
		return Strong
	case strength >= fairFrom:
		return Fair
	}
	return Weak
}

// The strengths from which a match is called so; see the calibration in docs/benchmarks.md.
const (
	strongFrom = 0.5
	fairFrom   = 0.3
)
