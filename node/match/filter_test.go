package match

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

func TestFilter(t *testing.T) {
	x := New(DefaultWeights())
	put := func(origin protocol.MemberID, id string, kind protocol.Kind, country protocol.Country, trl uint8, until protocol.Date, ford ...string) {
		l := listing(id, kind, "en", protocol.Text{Title: "membrane"})
		l.Country, l.TRL, l.ValidUntil, l.FORD = country, trl, until, ford
		x.Put(Ref{origin, l.ID}, l)
	}
	put("KH", "a", "TO", "KH", 3, 100, "2.4")
	put("KH", "b", "TR", "LA", 0, 0, "2", "5.1")
	put("TH", "c", "EX", "TH", 9, 200, "2.11")
	put("TH", "d", "TO", "TH", 5, 0)
	tests := []struct {
		name   string
		filter Filter
		want   string
	}{
		{"none", Filter{}, "a b c d"},
		{"kind", Filter{Kinds: []protocol.Kind{"TO"}}, "a d"},
		{"kinds", Filter{Kinds: []protocol.Kind{"TR", "EX"}}, "b c"},
		{"country", Filter{Countries: []protocol.Country{"LA", "KH"}}, "a b"},
		{"origin", Filter{Origins: []protocol.MemberID{"TH"}}, "c d"},
		{"unknown origin", Filter{Origins: []protocol.MemberID{"VN"}}, ""},
		{"malformed country", Filter{Countries: []protocol.Country{"KHM"}}, ""},
		{"least TRL", Filter{TRLMin: 4}, "c d"},
		{"greatest TRL", Filter{TRLMax: 5}, "a d"},
		{"both", Filter{TRLMin: 4, TRLMax: 5}, "d"},
		{"field", Filter{FORD: []string{"2"}}, "a b c"},
		{"subfield", Filter{FORD: []string{"2.4"}}, "a"},
		{"subfield is not a string prefix", Filter{FORD: []string{"2.1"}}, ""},
		{"fields", Filter{FORD: []string{"5", "2.11"}}, "b c"},
		{"last day", Filter{Today: 100}, "a b c d"},
		{"day after", Filter{Today: 101}, "b c d"},
		{"expired wanted", Filter{Today: 999, IncludeExpired: true}, "a b c d"},
		{"joined by and", Filter{Kinds: []protocol.Kind{"TO"}, Origins: []protocol.MemberID{"TH"}, TRLMax: 9}, "d"},
	}
	for _, tt := range tests {
		a := ask(t, x, Query{Text: "membranes", Filter: tt.filter})
		if got := ids(a); got != tt.want || a.Total != len(strings.Fields(tt.want)) {
			t.Errorf("%s: %q of %d, want %q", tt.name, got, a.Total, tt.want)
		}
	}
}

func TestPages(t *testing.T) {
	x := New(DefaultWeights())
	for i := range 5000 { // equal scores: in the order of their refs
		id := string([]byte{'a' + byte(i/676%26), 'a' + byte(i/26%26), 'a' + byte(i%26)})
		x.Put(Ref{"KH", protocol.ListingID(id)}, listing(id, "TO", "en", protocol.Text{Title: "membrane"}))
	}
	a := ask(t, x, Query{Text: "membrane", Limit: 3, Offset: 25})
	if ids(a) != "aaz aba abb" || a.Total != 5000 {
		t.Errorf("got %s of %d", ids(a), a.Total)
	}
	if a := ask(t, x, Query{Text: "membrane", Limit: 100, Offset: 900}); len(a.Hits) != 100 || a.Hits[99].Ref.ID != "bml" {
		t.Errorf("the last page ends with %s", ids(a))
	}
	if a := ask(t, x, Query{Text: "membrane"}); len(a.Hits) != DefaultLimit {
		t.Errorf("%d hits by default", len(a.Hits))
	}
}

func TestBadQueries(t *testing.T) {
	l := listing("1", "TO", "en", protocol.Text{Title: "membrane"})
	long := listing("1", "TO", "en", protocol.Text{Title: "membrane", Abstract: strings.Repeat("é", MaxText)})
	tests := []struct {
		field string
		code  protocol.Code
		query Query
	}{
		{"text", protocol.CodeRequired, Query{}},
		{"text", protocol.CodeRequired, Query{Text: " \n"}},
		{"text", protocol.CodeValue, Query{Text: "x", Listing: l}},
		{"text", protocol.CodeTooLarge, Query{Text: strings.Repeat("é", MaxText+1)}},
		{"text", protocol.CodeTooLarge, Query{Listing: long}},
		{"limit", protocol.CodeValue, Query{Text: "x", Limit: 101}},
		{"limit", protocol.CodeValue, Query{Text: "x", Limit: -1}},
		{"offset", protocol.CodeValue, Query{Text: "x", Offset: -1}},
		{"offset", protocol.CodeValue, Query{Text: "x", Offset: 995}},
		{"filter.kinds", protocol.CodeValue, Query{Text: "x", Filter: Filter{Kinds: []protocol.Kind{"XX"}}}},
		{"filter.ford", protocol.CodeValue, Query{Text: "x", Filter: Filter{FORD: []string{"7"}}}},
		{"filter.ford", protocol.CodeValue, Query{Text: "x", Filter: Filter{FORD: []string{"2."}}}},
		{"filter.trl", protocol.CodeValue, Query{Text: "x", Filter: Filter{TRLMin: 5, TRLMax: 4}}},
	}
	x := New(DefaultWeights())
	for _, tt := range tests {
		_, err := x.Match(context.Background(), tt.query)
		var e *protocol.Error
		if !errors.As(err, &e) || e.Field != tt.field || e.Code != tt.code {
			t.Errorf("%+v: %v, want %s %s", tt.query.Filter, err, tt.code, tt.field)
		}
	}
	if a := ask(t, x, Query{Text: strings.Repeat("é", MaxText)}); a.Hits == nil || a.Total != 0 {
		t.Errorf("the empty index answers %+v", a)
	}
}

func TestMatchStopsWithItsContext(t *testing.T) {
	x := New(DefaultWeights())
	x.Put(Ref{"KH", "1"}, listing("1", "TO", "en", protocol.Text{Title: "membrane"}))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := x.Match(ctx, Query{Text: "membrane"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
