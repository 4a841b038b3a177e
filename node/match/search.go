package match

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/asean-tmh/tmh/protocol"
)

// Match answers q from the catalogue as it is now. A query at fault is a *protocol.Error; otherwise the error is ctx's.
func (x *Index) Match(ctx context.Context, q Query) (Answer, error) {
	if err := q.check(); err != nil {
		return Answer{}, err
	}
	if q.All {
		return x.browse(ctx, &q)
	}
	r, err := x.rankFirst(ctx, &q, Depth, q.shown(), q.Facets)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Hits: []Hit{}, Total: r.total, Ranker: r.digest(), Languages: r.languages(), Matched: r.matched(), Verdict: None}
	if r.facets != nil {
		a.Facets = r.facets.facets()
	}
	if len(r.list) > 0 {
		a.Verdict = r.list[0].verdict
	}
	if q.Listing == nil {
		a.Meant = x.didYouMean(r.snap, q.Text, a.Languages)
	}
	first := r.sharing()
	r.fold()
	unfolded := r.sharing()
	r.sort(q.Sort, int32(q.Filter.Today))
	kept := r.sharing()
	a.Counts = Counts{Cut: r.total - first, Folded: first - unfolded, Weak: unfolded - kept, Near: len(r.list) - kept}
	from, err := r.start(&q)
	if err != nil {
		return Answer{}, err
	}
	to := min(from+q.limit(), len(r.list))
	a.Listed, a.Place = len(r.list), from
	if a.Hits, err = r.hits(ctx, r.list[from:to]); err != nil {
		return Answer{}, err
	}
	if to < len(r.list) {
		a.Next = r.cursor(&q, to)
	}
	runtime.KeepAlive(r)
	return a, nil
}

// sharing counts the documents of the list that share a word with the query.
func (r *ranking) sharing() (n int) {
	for _, s := range r.list {
		if s.sum > 0 {
			n++
		}
	}
	return n
}

// hits explains the documents, on two processors where there are two. The documents do not depend on each other.
func (r *ranking) hits(ctx context.Context, list []*scored) ([]Hit, error) {
	all := make([]Hit, len(list))
	half := func(first, step int) {
		for i := first; i < len(list) && ctx.Err() == nil; i += step {
			all[i] = r.hit(list[i])
		}
	}
	if len(list) < 2 || runtime.GOMAXPROCS(0) < 2 {
		half(0, 1)
		return all, ctx.Err()
	}
	var other sync.WaitGroup
	other.Go(func() { half(1, 2) })
	half(0, 2)
	other.Wait()
	return all, ctx.Err()
}

// Ranked is a document with its score.
type Ranked struct {
	Ref      Ref
	Score    float64
	Strength float64
}

// Rank is the whole ranking of q down to depth, at most Depth, before near-duplicates are folded, without explanations.
// The limits of a query do not apply: it is for evaluation.
func (x *Index) Rank(ctx context.Context, q Query, depth int) ([]Ranked, error) {
	r, err := x.rank(ctx, &q, Depth, false)
	if err != nil {
		return nil, err
	}
	list := make([]Ranked, 0, min(depth, len(r.list)))
	for i := range r.list[:min(depth, len(r.list))] {
		s := r.list[i]
		list = append(list, Ranked{Ref: r.snap.refOf(&s.candidate).clone(), Score: s.score, Strength: s.strength})
	}
	return list, nil
}

// ranking is a query while it is answered.
type ranking struct {
	x      *Index
	snap   *snapshot
	query  *Query
	asked  []asked
	plans  []*plan
	terms  map[string]bool // of all plans
	list   []*scored       // best first
	shown  int             // how many of the list must be in order; 0: all
	total  int
	facets *tally
	codes  []Code // of the asking listing
	second *secondStage
}

// scored is a candidate after stage two.
type scored struct {
	candidate
	text     float64 // BM25F and pairs
	values   values  // of the parts of stage two, each from 0 to 1
	score    float64
	strength float64
	verdict  Verdict
	same     []Ref
}

// shown is how many of the best must be in order: all, as 0, where another order or a cursor is asked for.
func (q *Query) shown() int {
	if q.Sort != ByScore || q.After != "" {
		return 0
	}
	return q.Offset + q.limit() + foldAmong
}

func (x *Index) rank(ctx context.Context, q *Query, depth int, facets bool) (*ranking, error) {
	return x.rankFirst(ctx, q, depth, 0, facets)
}

// rankFirst is rank with so many of the best in order, or all, as 0. The others follow in any order.
func (x *Index) rankFirst(ctx context.Context, q *Query, depth, shown int, facets bool) (*ranking, error) {
	r := &ranking{x: x, query: q, shown: shown}
	var self place
	x.writing.Lock()
	r.snap = x.snap.Load()
	if q.Self != (Ref{}) {
		self, _ = x.where.get(q.Self, x.key(q.Self), x.refAt)
	}
	x.writing.Unlock()
	r.read()
	sieve := q.Filter.sieve(q)
	f, err := x.findBest(ctx, r.snap, r.plans, &sieve, self, depth, facets)
	if err != nil {
		return nil, err
	}
	r.total, r.facets = f.total, f.facets
	return r, r.stageTwo(ctx, f.best, &sieve, self)
}

// read makes plans of the query: one of a text, one a language of a listing.
func (r *ranking) read() {
	if l := r.query.Listing; l != nil {
		for _, lang := range l.Languages() {
			t := l.Texts[lang]
			r.asked = append(r.asked, r.x.ask(r.snap.names, append([]string{t.Title, t.Value, t.Abstract}, t.Keywords...), primary(lang)))
		}
		r.codes = factsOf(l).Codes
	} else {
		r.asked = []asked{r.x.ask(r.snap.names, []string{r.query.Text}, primary(r.query.Lang))}
	}
	for i := range r.asked {
		r.plans = append(r.plans, r.x.plan(r.snap, &r.asked[i]))
	}
	scaled(r.plans)
	r.askTerms()
}

func (r *ranking) languages() []string {
	langs := []string{}
	for _, a := range r.asked {
		for _, l := range a.langs {
			if !slices.Contains(langs, l) {
				langs = append(langs, l)
			}
		}
	}
	return langs
}

// compare orders from the best, by score, then by ref.
func (r *ranking) compare(a, b *scored) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return r.snap.refOf(&a.candidate).Compare(r.snap.refOf(&b.candidate))
}

// hit is what leaves the engine of a candidate: nothing in it points into a segment, which may be unmapped once nobody asks.
func (r *ranking) hit(s *scored) Hit {
	same := slices.Clone(s.same)
	for i := range same {
		same[i] = same[i].clone()
	}
	return Hit{
		Ref: r.snap.refOf(&s.candidate).clone(), Score: s.score, Strength: s.strength, Verdict: s.verdict, Same: same, Explanation: r.explain(s),
	}
}

// stale reports whether a candidate's origin was not heard of for long.
func (r *ranking) stale(c *candidate) bool {
	if len(r.query.Stale) == 0 {
		return false
	}
	origin, _ := r.snap.parts[c.part].seg.Ref(c.doc)
	return slices.Contains(r.query.Stale, protocol.MemberID(origin))
}
