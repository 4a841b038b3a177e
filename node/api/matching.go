package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
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
	Lang   string `query:"lang" pattern:"^[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,2}$" doc:"language that the words are said to be in; recognised where it is left out"`
	Sort   string `query:"sort" enum:"score,newest,ending,trl,country" default:"score" doc:"orders other than score are of the listings that match at least fairly"`
	Facets bool   `query:"facets" doc:"true counts the listings by what could be filtered for next"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"10"`
	Offset int    `query:"offset" minimum:"0" maximum:"999" doc:"hits to pass over; pages by after neither repeat nor lose a hit when listings come and go"`
	After  string `query:"after" maxLength:"400" doc:"opaque: the next of the page before, of the same query"`
}

type matchInput struct {
	Known
	Payload
}

// MatchRequest documents the body of POST /match: exactly one of text, listing and ref.
type MatchRequest struct {
	Text    string            `json:"text,omitempty" doc:"words in any language"`
	Listing *protocol.Listing `json:"listing,omitempty" doc:"a draft whose counterparts are wanted; what is not known yet may be left out"`
	Ref     *match.Ref        `json:"ref,omitempty" doc:"a listing of the catalogue whose counterparts are wanted"`
	Filter  FilterRequest     `json:"filter,omitzero"`
	Lang    string            `json:"lang,omitempty" doc:"language that text is said to be in; recognised where it is left out"`
	Sort    string            `json:"sort,omitempty" enum:"score,newest,ending,trl,country" default:"score" doc:"orders other than score are of the listings that match at least fairly"`
	Facets  bool              `json:"facets,omitempty" doc:"true counts the listings by what could be filtered for next"`
	Limit   int               `json:"limit,omitempty" minimum:"1" maximum:"100" default:"10"`
	Offset  int               `json:"offset,omitempty" minimum:"0" doc:"hits to pass over"`
	After   string            `json:"after,omitempty" doc:"opaque: the next of the page before, of the same query"`
}

// MatchView is exchange.MatchAnswer as the API writes it.
type MatchView struct {
	Hits      []exchange.Hit         `json:"hits" doc:"best first, or in the order asked for"`
	Total     int                    `json:"total" doc:"listings that share a word with the query, or its translation, beyond this page"`
	Next      string                 `json:"next,omitempty" doc:"after of the next page; absent at the end"`
	Verdict   match.Verdict          `json:"verdict" enum:"strong,fair,weak,none" doc:"how good the best hit is by itself: weak is no good match, none is nothing found"`
	Languages []string               `json:"languages" doc:"that the query was read in"`
	Meant     string                 `json:"did_you_mean,omitempty" doc:"the query with the words put right that no listing has"`
	Facets    *match.Facets          `json:"facets,omitempty" doc:"each count is the total that the one value as filter would give"`
	Ranker    match.Digest           `json:"ranker" doc:"equal digests give equal answers on every node"`
	Behind    []exchange.MemberState `json:"behind" doc:"members whose catalogue may be newer than what was searched"`
	Indexing  float64                `json:"indexing,omitempty" doc:"share of the catalogue still to be read in after a start"`
}

type suggestInput struct {
	Known
	Q     string `query:"q" required:"true" maxLength:"2000" doc:"what is typed so far"`
	Limit int    `query:"limit" minimum:"1" maximum:"20" default:"10"`
}

type suggestOutput struct{ Body SuggestView }

// SuggestView are completions of what is being typed.
type SuggestView struct {
	Suggestions []match.Suggestion `json:"suggestions" doc:"those that take in more of the typed words first, then those of more listings"`
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
	huma.Register(h, huma.Operation{
		OperationID: "suggest", Method: http.MethodGet, Path: base + "/suggest", Summary: "Complete what is being typed, from the listings' own words",
	}, a.suggest)
}

func (a *API) suggest(_ context.Context, in *suggestInput) (*suggestOutput, error) {
	return &suggestOutput{SuggestView{append([]match.Suggestion{}, a.cfg.Desk.Suggest(in.Q, in.Limit)...)}}, nil
}

func (a *API) search(ctx context.Context, in *searchInput) (*matchOutput, error) {
	var faults protocol.Errors
	if strings.TrimSpace(in.Q) == "" {
		faults = append(faults, protocol.Errorf(protocol.CodeRequired, "q", "say what to look for"))
	}
	q := match.Query{
		Text: in.Q, Lang: protocol.Lang(in.Lang), Filter: in.filter(a.today()), Sort: sorting(in.Sort), Facets: in.Facets,
		Limit: in.Limit, Offset: in.Offset, After: in.After,
	}
	if faults = append(faults, a.paging(&q)...); len(faults) > 0 {
		return nil, a.problem(faults)
	}
	return a.answer(a.cfg.Desk.Match(ctx, q))
}

// byScore is what the default order is called here.
const byScore = "score"

func sorting(name string) match.Sort {
	if name == byScore {
		return match.ByScore
	}
	return match.Sort(name)
}

// paging judges which part of an answer is wanted.
func (a *API) paging(q *match.Query) (faults protocol.Errors) {
	switch {
	case q.Limit < 1 || q.Limit > match.MaxLimit:
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "limit", "is not between 1 and %d", match.MaxLimit))
	case q.Offset < 0 || q.Offset > match.Depth-q.Limit:
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "offset", "only the first %d hits can be seen: narrow the filter instead", match.Depth))
	}
	if q.After != "" && q.Offset != 0 {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "after", "goes on from a place by itself: leave offset out"))
	}
	if len(faults) > 0 {
		return faults
	}
	place, err := a.unseal(matchList, "after", q.After)
	q.After = place
	return protocol.All(err)
}

func (a *API) answer(m exchange.MatchAnswer, err error) (*matchOutput, error) {
	if err != nil {
		return nil, a.problem(err)
	}
	return &matchOutput{MatchView{
		Hits: append([]exchange.Hit{}, m.Hits...), Total: m.Total, Next: a.seal(matchList, m.Next), Verdict: m.Verdict, Languages: append([]string{}, m.Languages...),
		Meant: m.Meant, Facets: m.Facets, Ranker: m.Ranker, Behind: append([]exchange.MemberState{}, m.Behind...), Indexing: m.Indexing,
	}}, nil
}

func (a *API) match(ctx context.Context, in *matchInput) (*matchOutput, error) {
	q, faults := a.parseMatch(in.bytes)
	if len(faults) > 0 {
		return nil, a.problem(faults)
	}
	return a.answer(a.cfg.Desk.Match(ctx, q))
}

// parseMatch reads the body of POST /match. A ref is answered in Self.
func (a *API) parseMatch(body []byte) (match.Query, protocol.Errors) {
	var (
		q                    = match.Query{Limit: match.DefaultLimit}
		sort                 = byScore
		listing, ref, filter json.RawMessage
	)
	faults := object(body, "", map[string]any{
		"text": &q.Text, "lang": &q.Lang, "listing": &listing, "ref": &ref, "filter": &filter, "sort": &sort, "facets": &q.Facets,
		"limit": &q.Limit, "offset": &q.Offset, "after": &q.After,
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
		l, err := a.draft(listing)
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
	if q.Lang != "" && !isLanguage(string(q.Lang)) {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "lang", "“%s” is not a language such as th", clip(string(q.Lang))))
	}
	if q.Sort = sorting(sort); !slices.Contains([]match.Sort{match.ByScore, match.ByNewest, match.ByEnd, match.ByTRL, match.ByCountry}, q.Sort) {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "sort", "“%s” is not one of score, newest, ending, trl, country", clip(sort)))
	}
	faults = append(faults, a.paging(&q)...)
	if given(filter) {
		faults = append(faults, a.parseFilter(filter, &q.Filter)...)
	}
	q.Filter.Today = a.today()
	return q, faults
}

// draft reads a listing that somebody is still writing: what is absent or empty is no fault, all else is judged as in a
// publication.
func (a *API) draft(raw json.RawMessage) (*protocol.Listing, error) {
	l, err := a.cfg.Decode(withID(raw, "draft"))
	if err == nil {
		return l, nil
	}
	unfinished := new(protocol.Listing)
	if json.Unmarshal(raw, unfinished) != nil {
		return nil, err
	}
	var faults protocol.Errors
	for _, f := range protocol.All(err) {
		absent := f.Field == "id" && unfinished.ID == "" || f.Field == "kind" && unfinished.Kind == "" || f.Field == "country" && unfinished.Country == "" ||
			f.Code == protocol.CodeRequired && strings.HasPrefix(f.Field, "texts.")
		if !absent {
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return unfinished, nil
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
