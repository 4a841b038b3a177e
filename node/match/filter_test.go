package match

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

func TestFilter(t *testing.T) {
	x := New(Options{})
	put := func(origin protocol.MemberID, id string, kind protocol.Kind, country protocol.Country, trl uint8, until protocol.Date, ford ...string) {
		l := listing(id, kind, map[protocol.Country]protocol.Lang{"TH": "th", "LA": "ms"}[country]+map[protocol.Country]protocol.Lang{"KH": "en"}[country], protocol.Text{Title: "membrane"})
		l.Country, l.TRL, l.ValidUntil, l.FORD = country, trl, until, ford
		l.IPC, l.ISIC, l.SDG = map[string][]string{"a": {"C12N"}, "b": {"C12"}}[id], map[string][]string{"c": {"C10"}, "d": {"D"}}[id], map[string][]uint16{"a": {6}}[id]
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
		{"patent class", Filter{IPC: []string{"C12"}}, "a b"},
		{"patent subclass", Filter{IPC: []string{"C12N", "H"}}, "a"},
		{"industry", Filter{ISIC: []string{"C"}}, "c"},
		{"industry's division", Filter{ISIC: []string{"C11", "D35"}}, ""},
		{"goal", Filter{SDG: []uint16{6, 7}}, "a"},
		{"language", Filter{Languages: []protocol.Lang{"th"}}, "c d"},
		{"languages", Filter{Languages: []protocol.Lang{"en", "ms"}}, "a b"},
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
		{"filter.isic", protocol.CodeValue, Query{Text: "x", Filter: Filter{ISIC: []string{"C1"}}}},
		{"filter.ipc", protocol.CodeValue, Query{Text: "x", Filter: Filter{IPC: []string{"C12n"}}}},
		{"filter.sdg", protocol.CodeValue, Query{Text: "x", Filter: Filter{SDG: []uint16{18}}}},
		{"sort", protocol.CodeValue, Query{Text: "x", Sort: "oldest"}},
		{"after", protocol.CodeValue, Query{Text: "x", After: "AAAA"}},
		{"after", protocol.CodeValue, Query{Text: "x", After: "AAAA", Offset: 3}},
		{"filter.trl", protocol.CodeValue, Query{Text: "x", Filter: Filter{TRLMin: 5, TRLMax: 4}}},
	}
	x := New(Options{})
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
	x := New(Options{})
	x.Put(Ref{"KH", "1"}, listing("1", "TO", "en", protocol.Text{Title: "membrane"}))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := x.Match(ctx, Query{Text: "membrane"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
