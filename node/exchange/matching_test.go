package exchange_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
)

// catalogue holds records in memory and keeps a real match index equal to them.
type catalogue struct {
	records map[match.Ref]*protocol.Change
	members []exchange.MemberState
	index   *match.Index
}

func (c *catalogue) Record(ref match.Ref) (*protocol.Change, error)    { return c.records[ref], nil }
func (c *catalogue) Scan(match.Ref, func(*protocol.Change) bool) error { return nil }
func (c *catalogue) Members() []exchange.MemberState                   { return c.members }
func (c *catalogue) MemberState(id protocol.MemberID) (s exchange.MemberState, known bool) {
	i := slices.IndexFunc(c.members, func(m exchange.MemberState) bool { return m.ID == id })
	if i < 0 {
		return s, false
	}
	return c.members[i], true
}
func (c *catalogue) Member(protocol.MemberID) (d exchange.MemberDetail, err error) { return d, nil }
func (c *catalogue) Figures() stats.Report                                         { return stats.Report{} }
func (c *catalogue) Health() exchange.Health                                       { return exchange.Health{} }
func (c *catalogue) Fetch(context.Context, match.Ref) ([]byte, error)              { return nil, nil }
func (c *catalogue) Append(context.Context, []exchange.Intent) ([]exchange.Written, error) {
	return nil, nil
}

func (c *catalogue) put(origin protocol.MemberID, l *protocol.Listing) {
	ref := match.Ref{Origin: origin, ID: l.ID}
	change := &protocol.Change{Body: l.Encode()}
	change.Origin, change.RecordKey, change.Kind = origin, l.ID.Key(), protocol.Put
	c.records[ref] = change
	c.index.Put(ref, l)
}

func listing(id string, kind protocol.Kind, lang protocol.Lang, title, abstract string) *protocol.Listing {
	return &protocol.Listing{ID: protocol.ListingID(id), Kind: kind, Country: "KH", Texts: map[protocol.Lang]protocol.Text{lang: {Title: title, Abstract: abstract}}}
}

const (
	dryer = "A tunnel with two fans keeps the moisture of freshwater fish low, and a rice husk burner takes over when clouds come"
	noise = "Bricks of river clay fired in a kiln with sawdust for walls of houses number %d"
)

func newDesk(t *testing.T) (*exchange.Desk, *catalogue) {
	t.Helper()
	c := &catalogue{records: map[match.Ref]*protocol.Change{}, index: match.New(match.Options{Lexicon: lexicon.Builtin()})}
	for _, id := range []protocol.MemberID{"KH", "LA", "TH"} {
		c.members = append(c.members, exchange.MemberState{ID: id, Role: "member", State: exchange.Proven})
	}
	c.members[0].State = exchange.Own
	c.put("KH", listing("DRYER", protocol.TechnologyOffer, "en", "Solar tunnel dryer for fish", dryer))
	c.put("LA", listing("DRYER", protocol.TechnologyOffer, "en", "Solar tunnel dryer for fish", dryer))
	c.put("TH", listing("NEED", protocol.TechnologyRequest, "en", "Drying fish in the rainy season", "We look for a solar dryer for small fish with a burner"))
	c.put("TH", listing("WATER", protocol.TechnologyOffer, "th", "เครื่องกรองน้ำสำหรับหมู่บ้าน", "กรองน้ำบาดาลให้สะอาดด้วยเซรามิกราคาถูก"))
	for i := range 20 {
		c.put("LA", listing(fmt.Sprintf("BRICK-%d", i), protocol.TechnologyOffer, "en", "Clay bricks", fmt.Sprintf(noise, i*i*i)))
	}
	return exchange.NewDesk("KH", c, c, c.index, func() time.Time { return time.Unix(1_790_000_000, 0) }), c
}

func ask(t *testing.T, d *exchange.Desk, q match.Query) exchange.MatchAnswer {
	t.Helper()
	a, err := d.Match(t.Context(), q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return a
}

func TestAnswerCarriesWhatTheEngineKnows(t *testing.T) {
	d, _ := newDesk(t)
	a := ask(t, d, match.Query{Text: "solar dryer for fish", Facets: true, Filter: match.Filter{Kinds: []protocol.Kind{protocol.TechnologyOffer}}})
	if len(a.Hits) == 0 || a.Verdict != match.Strong || !slices.Equal(a.Languages, []string{"en"}) || a.Facets == nil || a.Meant != "" {
		t.Fatalf("got %+v", a)
	}
	h := a.Hits[0]
	if h.ID != "DRYER" || h.Verdict != match.Strong || h.Strength <= 0 || h.Strength > 1 {
		t.Errorf("first: %s, %s %v", h.ID, h.Verdict, h.Strength)
	}
	if len(h.Same) != 1 || h.Same[0].ID != "DRYER" || h.Same[0].Origin == h.Origin || h.Same[0].Title != "Solar tunnel dryer for fish" || h.Same[0].Lang != "en" {
		t.Errorf("the same technology: %+v", h.Same)
	}
	var title strings.Builder
	for _, p := range h.Highlights["en"].Title {
		if title.WriteString(p.Text); p.Hit {
			title.WriteString("*")
		}
	}
	if got := title.String(); got != "Solar* tunnel dryer* for fish*" {
		t.Errorf("marked: %s", got)
	}
	if a := ask(t, d, match.Query{Text: "quantum chromodynamics"}); a.Verdict != match.None || len(a.Hits) != 0 {
		t.Errorf("nothing: %s, %d hits", a.Verdict, len(a.Hits))
	}
}

func TestPagesGoOnByCursor(t *testing.T) {
	d, c := newDesk(t)
	q := match.Query{Text: "clay bricks fish", Limit: 3}
	var all []match.Ref
	for range 20 {
		a := ask(t, d, q)
		for _, h := range a.Hits {
			all = append(all, h.Ref)
		}
		if q.After = a.Next; q.After == "" {
			break
		}
		c.members[1].State = exchange.Stale // which does not end the walk
	}
	seen := map[match.Ref]bool{}
	for _, r := range all {
		if seen[r] {
			t.Errorf("%v twice", r)
		}
		seen[r] = true
	}
	if len(all) < 3 || q.After != "" {
		t.Errorf("%d hits, after %q", len(all), q.After)
	}
	first := ask(t, d, match.Query{Text: "clay bricks fish", Limit: 1})
	if first.Next == "" {
		t.Fatal("one page only")
	}
	_, err := d.Match(t.Context(), match.Query{Text: "another query", Limit: 1, After: first.Next})
	if e := protocol.All(err); len(e) != 1 || e[0].Field != "after" {
		t.Errorf("cursor of another query: %v", err)
	}
}

func TestStaleCopiesComeLater(t *testing.T) {
	d, c := newDesk(t)
	part := func(a exchange.MatchAnswer) (weight, sum, score float64) {
		i := slices.IndexFunc(a.Hits, func(h exchange.Hit) bool { return h.ID == "NEED" })
		if i < 0 {
			t.Fatal("not found")
		}
		for _, p := range a.Hits[i].Explanation.Parts {
			if sum += p.Weight; p.Kind == match.PartStale {
				weight = p.Weight
			}
		}
		return weight, sum, a.Hits[i].Score
	}
	q := match.Query{Text: "drying fish", Stale: []protocol.MemberID{"TH"}} // which is the desk's to say
	if w, _, _ := part(ask(t, d, q)); w != 0 {
		t.Errorf("a proven copy loses %v", w)
	}
	c.members[2].State = exchange.Stale
	if w, sum, score := part(ask(t, d, q)); w >= 0 || math.Abs(sum-score) > 1e-6 {
		t.Errorf("a stale copy loses %v; parts sum to %v, score %v", w, sum, score)
	}
}

func TestListingAsksByItsAddress(t *testing.T) {
	d, c := newDesk(t)
	need := match.Ref{Origin: "TH", ID: "NEED"}
	a := ask(t, d, match.Query{Self: need, Sort: match.ByScore, Facets: true, Limit: 5})
	if len(a.Hits) == 0 || a.Hits[0].ID != "DRYER" || a.Facets == nil {
		t.Fatalf("got %+v", a)
	}
	b, err := d.Counterparts(t.Context(), need, match.Filter{}, 5, 0)
	if err != nil || len(b.Hits) != len(a.Hits) || b.Hits[0].Score != a.Hits[0].Score {
		t.Errorf("counterparts differ: %v %+v", err, b)
	}
	if _, err := d.Match(t.Context(), match.Query{Self: match.Ref{Origin: "TH", ID: "NONE"}}); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("no such listing: %v", err)
	}
	gone := protocol.Tombstone{Reason: "agreement", At: 5}
	c.records[need] = &protocol.Change{Body: gone.Encode()}
	c.records[need].Kind, c.records[need].Origin, c.records[need].RecordKey = protocol.Withdraw, "TH", need.ID.Key()
	if _, err := d.Match(t.Context(), match.Query{Self: need}); protocol.CodeOf(err) != protocol.CodeWithdrawn {
		t.Errorf("withdrawn: %v", err)
	}
}

// A draft of which only a title is there yet asks too.
func TestDraftAsks(t *testing.T) {
	d, _ := newDesk(t)
	for _, draft := range []protocol.Listing{
		{Texts: map[protocol.Lang]protocol.Text{"en": {Title: "solar dryer fish"}}},
		{Kind: protocol.TechnologyRequest, Texts: map[protocol.Lang]protocol.Text{"en": {Abstract: "solar dryer fish"}}},
		{Kind: protocol.TechnologyRequest, Texts: map[protocol.Lang]protocol.Text{"": {Title: "solar dryer fish"}, "th": {}}},
	} {
		if a := ask(t, d, match.Query{Listing: &draft}); len(a.Hits) == 0 || a.Hits[0].ID != "DRYER" {
			t.Errorf("%+v: %+v", draft, a.Hits)
		}
	}
	if a := ask(t, d, match.Query{Listing: &protocol.Listing{Texts: map[protocol.Lang]protocol.Text{"en": {}}}}); len(a.Hits) != 0 || a.Verdict != match.None {
		t.Errorf("nothing said, but %d found", len(a.Hits))
	}
}

func TestNoStemLeavesTheDesk(t *testing.T) {
	d, _ := newDesk(t)
	for _, q := range []match.Query{{Text: "clay bricks for houses"}, {Text: "drying fish"}, {Self: match.Ref{Origin: "TH", ID: "NEED"}}} {
		for _, h := range ask(t, d, q).Hits {
			texts := ""
			for _, tx := range h.Listing.Texts {
				texts += " " + tx.Title + " " + tx.Abstract
			}
			for _, p := range h.Explanation.Parts {
				if p.Kind == match.PartExpansion && !strings.Contains(texts, p.Term) || p.Stem {
					t.Errorf("%s: %+v is not written so in %s", h.ID, p, texts)
				}
			}
		}
	}
}

func TestSuggest(t *testing.T) {
	d, c := newDesk(t)
	if got := d.Suggest("sol", 5); got == nil || len(got) != 0 {
		t.Errorf("before anything was learnt: %v", got)
	}
	if err := c.index.Upkeep(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := d.Suggest("sola", 5)
	if len(got) == 0 || !strings.HasPrefix(strings.ToLower(got[0].Text), "solar") {
		t.Errorf("got %+v", got)
	}
	if a := ask(t, d, match.Query{Text: "soalr tunnel dryer"}); !strings.EqualFold(a.Meant, "solar tunnel dryer") {
		t.Errorf("did you mean %q", a.Meant)
	}
}
