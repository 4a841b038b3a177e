package exchange

import (
	"context"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// Hit is an entry that matches, with why.
type Hit struct {
	Entry
	Score       float64                        `json:"score" doc:"0 to about 1, within this answer: the parts of the explanation sum to it"`
	Strength    float64                        `json:"strength" doc:"0 to 1, by itself: comparable between answers"`
	Verdict     match.Verdict                  `json:"verdict" enum:"strong,fair,weak" doc:"the strength in a word"`
	Same        []Same                         `json:"same,omitempty" doc:"listings of the same technology, folded into this one"`
	Highlights  map[protocol.Lang]match.Marked `json:"highlights,omitempty" doc:"by language, the texts in which something was found, in pieces"`
	Explanation match.Explanation              `json:"explanation"`
}

// Same is a listing of the technology that another one describes too.
type Same struct {
	match.Ref
	Lang  protocol.Lang `json:"lang" doc:"of the title"`
	Title string        `json:"title"`
}

// MatchAnswer is the answer to a match query over the whole federated catalogue.
type MatchAnswer struct {
	Hits      []Hit         `json:"hits"`
	Total     int           `json:"total"` // listings that share a word with the query, beyond the page
	Listed    int           `json:"-"`     // of match.Answer, as are Counts, Place and Prev
	Counts    match.Counts  `json:"-"`
	Place     int           `json:"-"`
	Next      string        `json:"next,omitempty"` // for match.Query.After; empty at the end
	Prev      string        `json:"-"`
	Verdict   match.Verdict `json:"verdict"`                // of the best hit of all pages; weak is no good match, none is nothing
	Languages []string      `json:"languages"`              // that the query was read in
	Meant     string        `json:"did_you_mean,omitempty"` // the query with its unknown words put right
	Facets    *match.Facets `json:"facets,omitempty"`       // where they were asked for
	Ranker    match.Digest  `json:"ranker"`                 // equal digests give equal answers on every node
	// Behind lists the members whose catalogue may be newer than what was searched.
	Behind []MemberState `json:"behind"`
	// Indexing is above 0 while the catalogue is read in after a start: the share still to come.
	Indexing float64 `json:"indexing,omitempty"`
}

// Match answers a query over the whole federated catalogue. One that has only a Self asks with that listing. Expired
// listings are left out unless the filter wants them, listings of stale copies come a little later; every hit is read from
// the store, so what was withdrawn a moment ago is not shown.
func (d *Desk) Match(ctx context.Context, q match.Query) (MatchAnswer, error) {
	if q.Listing == nil && q.Text == "" && q.Self != (match.Ref{}) {
		if err := d.ask(&q); err != nil {
			return MatchAnswer{}, err
		}
	}
	if q.Filter.Today == 0 {
		q.Filter.Today = d.today()
	}
	members := d.Members()
	q.Stale = nil
	for _, m := range members {
		if m.State == Stale {
			q.Stale = append(q.Stale, m.ID)
		}
	}
	a, err := d.engine.Match(ctx, q)
	if err != nil {
		return MatchAnswer{}, err
	}
	out := MatchAnswer{
		Hits: []Hit{}, Total: a.Total, Listed: a.Listed, Counts: a.Counts, Place: a.Place, Next: a.Next, Prev: a.Prev, Verdict: a.Verdict, Languages: a.Languages, Meant: a.Meant, Facets: a.Facets,
		Ranker: a.Ranker, Behind: []MemberState{}, Indexing: d.Health().Indexing,
	}
	fresh, wording := freshnessOf(members), a.Matched.Wording(&q)
	for i := range a.Hits {
		h := &a.Hits[i]
		c, err := d.Record(h.Ref)
		if err != nil {
			return MatchAnswer{}, err
		}
		if c == nil {
			continue
		}
		e := d.entry(c, fresh)
		if e.Listing == nil {
			continue
		}
		same, err := d.same(h.Same)
		if err != nil {
			return MatchAnswer{}, err
		}
		read := wording.Read(e.Listing)
		read.Reword(&h.Explanation)
		out.Hits = append(out.Hits, Hit{
			Entry: e, Score: h.Score, Strength: h.Strength, Verdict: h.Verdict, Same: same,
			Highlights: read.Marked(), Explanation: h.Explanation,
		})
	}
	for _, m := range members {
		if m.State != Own && m.State != Proven && m.Role == protocol.RoleMember.String() {
			out.Behind = append(out.Behind, m)
		}
	}
	return out, nil
}

// ask fills in the listing that stands at q.Self.
func (d *Desk) ask(q *match.Query) error {
	e, err := d.Entry(q.Self)
	if err != nil {
		return err
	}
	if e.Listing == nil {
		return protocol.Errorf(protocol.CodeWithdrawn, "id", "%s is no longer listed, so nothing is matched with it", q.Self.ID)
	}
	q.Listing = e.Listing
	return nil
}

// Counterparts of a listing of any member.
func (d *Desk) Counterparts(ctx context.Context, ref match.Ref, f match.Filter, limit, offset int) (MatchAnswer, error) {
	return d.Match(ctx, match.Query{Self: ref, Filter: f, Limit: limit, Offset: offset})
}

// Suggest completes what is being typed, from the keywords and titles of the whole federated catalogue.
func (d *Desk) Suggest(typed string, n int) []match.Suggestion {
	return append([]match.Suggestion{}, d.engine.Suggest(typed, n)...)
}

// same reads the titles of folded listings. What is no longer there is left out.
func (d *Desk) same(refs []match.Ref) ([]Same, error) {
	var list []Same
	for _, ref := range refs {
		c, err := d.Record(ref)
		if err != nil {
			return nil, err
		}
		if c == nil {
			continue
		}
		if l, _, err := Open(c); err == nil && l != nil {
			lang, t := l.Text("en")
			list = append(list, Same{Ref: ref, Lang: lang, Title: t.Title})
		}
	}
	return list, nil
}
