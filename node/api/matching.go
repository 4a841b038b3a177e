package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

type searchInput struct {
	Known
	FilterParams
	Q      string `query:"q" required:"true" maxLength:"2000" doc:"words in any language; POST longer texts"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"10"`
	Offset int    `query:"offset" minimum:"0" maximum:"999"`
}

type matchInput struct {
	Known
	Payload
}

// MatchRequest documents the body of POST /match: exactly one of text, listing and ref.
type MatchRequest struct {
	Text    string            `json:"text,omitempty" doc:"words in any language"`
	Listing *protocol.Listing `json:"listing,omitempty" doc:"a draft whose counterparts are wanted; its id may be left out"`
	Ref     *match.Ref        `json:"ref,omitempty" doc:"a listing of the catalogue whose counterparts are wanted"`
	Filter  FilterRequest     `json:"filter,omitzero"`
	Limit   int               `json:"limit,omitempty" minimum:"1" maximum:"100" default:"10"`
	Offset  int               `json:"offset,omitempty" minimum:"0"`
}

// FilterRequest is FilterParams in JSON.
type FilterRequest struct {
	Kinds     []string `json:"kinds,omitempty" enum:"TO,TR,RD,EX,FC,FN"`
	Countries []string `json:"countries,omitempty"`
	Origins   []string `json:"origins,omitempty"`
	TRLMin    int      `json:"trl_min,omitempty" minimum:"1" maximum:"9"`
	TRLMax    int      `json:"trl_max,omitempty" minimum:"1" maximum:"9"`
	FORD      []string `json:"ford,omitempty"`
	Expired   bool     `json:"expired,omitempty"`
}

// MatchView is exchange.MatchAnswer as the API writes it.
type MatchView struct {
	Hits     []exchange.Hit         `json:"hits"`
	Total    int                    `json:"total" doc:"hits in all, beyond this page"`
	Ranker   match.Digest           `json:"ranker" doc:"equal digests give equal answers on every node"`
	Behind   []exchange.MemberState `json:"behind" doc:"members whose catalogue may be newer than what was searched"`
	Indexing float64                `json:"indexing,omitempty" doc:"share of the catalogue still to be read in after a start"`
}

type matchOutput struct{ Body MatchView }

func (a *API) matchRoutes(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "search", Method: http.MethodGet, Path: base + "/match", Summary: "Match words against all listings",
	}, a.search)
	huma.Register(h, huma.Operation{
		OperationID: "match", Method: http.MethodPost, Path: base + "/match",
		Summary:       "Match a text, a listing or a draft against all listings",
		DefaultStatus: http.StatusOK,
	}, a.match)
}

func (a *API) search(ctx context.Context, in *searchInput) (*matchOutput, error) {
	if strings.TrimSpace(in.Q) == "" {
		return nil, a.problem(protocol.Errorf(protocol.CodeRequired, "q", "say what to look for"))
	}
	if in.Offset+in.Limit > match.Depth {
		return nil, a.problem(tooDeep())
	}
	return a.answer(a.cfg.Desk.Match(ctx, match.Query{Text: in.Q, Filter: in.filter(a.today()), Limit: in.Limit, Offset: in.Offset}))
}

func tooDeep() *protocol.Error {
	return protocol.Errorf(protocol.CodeValue, "offset", "only the first %d hits can be seen: narrow the filter instead", match.Depth)
}

func (a *API) answer(m exchange.MatchAnswer, err error) (*matchOutput, error) {
	if err != nil {
		return nil, a.problem(err)
	}
	v := MatchView{
		Hits: append([]exchange.Hit{}, m.Hits...), Total: m.Total, Ranker: m.Ranker,
		Behind: append([]exchange.MemberState{}, m.Behind...), Indexing: m.Indexing,
	}
	return &matchOutput{v}, nil
}

func (a *API) match(ctx context.Context, in *matchInput) (*matchOutput, error) {
	q, faults := a.parseMatch(in.bytes)
	if len(faults) > 0 {
		return nil, a.problem(faults)
	}
	if q.Self != (match.Ref{}) {
		return a.answer(a.cfg.Desk.Counterparts(ctx, q.Self, q.Filter, q.Limit, q.Offset))
	}
	return a.answer(a.cfg.Desk.Match(ctx, q))
}

// parseMatch reads the body of POST /match. A ref is answered in Self.
func (a *API) parseMatch(body []byte) (match.Query, protocol.Errors) {
	var (
		q                    = match.Query{Limit: match.DefaultLimit}
		listing, ref, filter json.RawMessage
	)
	faults := object(body, "", map[string]any{
		"text": &q.Text, "listing": &listing, "ref": &ref, "filter": &filter, "limit": &q.Limit, "offset": &q.Offset,
	})
	said := 0
	if q.Text != "" {
		said++
		if n := utf8.RuneCountInString(q.Text); n > match.MaxText {
			faults = append(faults, protocol.Errorf(protocol.CodeTooLarge, "text", "%d characters, at most %d", n, match.MaxText))
		}
	}
	if given(listing) {
		said++
		l, err := a.cfg.Decode(withID(listing, "draft"))
		q.Listing = l
		faults = append(faults, within("listing", err)...)
	}
	if given(ref) {
		said++
		faults = append(faults, parseRefBody(ref, &q.Self)...)
	}
	if len(faults) == 0 && (said != 1 || (q.Text != "" && strings.TrimSpace(q.Text) == "")) {
		faults = append(faults, protocol.Errorf(protocol.CodeRequired, "text", "ask with exactly one of text, listing and ref"))
	}
	if q.Limit < 1 || q.Limit > match.MaxLimit {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "limit", "is not between 1 and %d", match.MaxLimit))
	} else if q.Offset < 0 || q.Offset > match.Depth-q.Limit {
		faults = append(faults, tooDeep())
	}
	if given(filter) {
		faults = append(faults, a.parseFilter(filter, &q.Filter)...)
	}
	q.Filter.Today = a.today()
	return q, faults
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// within says of faults in which member of the request they are.
func within(member string, err error) protocol.Errors {
	var out protocol.Errors
	for _, e := range protocol.All(err) {
		moved := *e
		if moved.Field == "" || moved.Field == member {
			moved.Field = member
		} else {
			moved.Field = member + "." + e.Field
		}
		out = append(out, &moved)
	}
	return out
}

func parseRefBody(raw []byte, into *match.Ref) protocol.Errors {
	faults := object(raw, "ref.", map[string]any{"origin": &into.Origin, "id": &into.ID})
	if len(faults) == 0 {
		if _, err := protocol.ParseMemberID(string(into.Origin)); err != nil {
			faults = append(faults, protocol.Errorf(protocol.CodeValue, "ref.origin", "is no member id such as KH"))
		}
		if _, err := protocol.ParseListingID(string(into.ID)); err != nil {
			faults = append(faults, protocol.Errorf(protocol.CodeValue, "ref.id", "is no id of a listing"))
		}
	}
	return faults
}

func (a *API) parseFilter(raw []byte, into *match.Filter) protocol.Errors {
	var f FilterRequest
	faults := object(raw, "filter.", map[string]any{
		"kinds": &f.Kinds, "countries": &f.Countries, "origins": &f.Origins, "trl_min": &f.TRLMin, "trl_max": &f.TRLMax,
		"ford": &f.FORD, "expired": &f.Expired,
	})
	each := func(field string, list []string, ok func(string) bool, want string) {
		if len(list) > 16 {
			faults = append(faults, protocol.Errorf(protocol.CodeTooLarge, "filter."+field, "%d values, at most 16", len(list)))
			return
		}
		for _, s := range list {
			if !ok(s) {
				faults = append(faults, protocol.Errorf(protocol.CodeValue, "filter."+field, "“%s” is not %s", clip(s), want))
			}
		}
	}
	each("kinds", f.Kinds, isKind, "one of TO, TR, RD, EX, FC, FN")
	each("countries", f.Countries, isCountry, "a country such as KH")
	each("origins", f.Origins, func(s string) bool { _, err := protocol.ParseMemberID(s); return err == nil }, "a member such as KH")
	each("ford", f.FORD, isFORD, "a field such as 2 or 2.4")
	if f.TRLMin < 0 || f.TRLMin > 9 || f.TRLMax < 0 || f.TRLMax > 9 || (f.TRLMax != 0 && f.TRLMin > f.TRLMax) {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "filter.trl_min", "and trl_max go from 1 to 9, trl_min first"))
	}
	p := FilterParams{Kind: f.Kinds, Country: f.Countries, Origin: f.Origins, TRLMin: f.TRLMin, TRLMax: f.TRLMax, FORD: f.FORD, Expired: f.Expired}
	*into = p.filter(0)
	return faults
}

func isKind(s string) bool {
	for _, k := range protocol.Kinds() {
		if string(k) == s {
			return true
		}
	}
	return false
}

func isCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

func isFORD(s string) bool {
	field, sub, dotted := strings.Cut(s, ".")
	if len(field) != 1 || field < "1" || field > "6" {
		return false
	}
	return !dotted || (len(sub) > 0 && len(sub) <= 2 && strings.Trim(sub, "0123456789") == "" && sub[0] != '0')
}
