package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/live"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// Live matches: a query that stays open.

type liveInput struct {
	Known
	FilterParams
	Q       string `query:"q" maxLength:"2000" doc:"words in any language; either these, or listing"`
	Lang    string `query:"lang" pattern:"^[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,2}$" doc:"language that the words are said to be in; recognised where it is left out"`
	Listing string `query:"listing" maxLength:"90" pattern:"^[A-Z][A-Z0-9]{1,15}/[A-Za-z0-9._~-]{1,64}$" doc:"a listing whose counterparts are wanted, as ORIGIN/ID"`
	Least   string `query:"least" enum:"strong,fair,weak" default:"fair" doc:"how good a match has to be, to be told of"`
}

// LiveView is what an event of a query that is followed says.
type LiveView struct {
	Ref match.Ref     `json:"ref,omitzero" doc:"the listing that matches, or is gone"`
	Hit *exchange.Hit `json:"hit,omitempty" doc:"of a match, as POST /match answers; the listing itself, or one that describes the same technology"`
}

func (a *API) liveRoutes(h huma.API) {
	op := huma.Operation{
		OperationID: "match-live", Method: http.MethodGet, Path: base + "/match/live",
		Summary: "Follow a query: hear of listings that come to match, as server-sent events",
		Description: "Events are ready (the query is followed from now on), match (a listing was published or revised, and stands among the first hundred hits), " +
			"gone (one that was told of is withdrawn) and reset (more changed than this node remembers: ask GET /match again). The stream ends after a quarter " +
			"of an hour; a client that asks again with Last-Event-ID misses nothing meanwhile.",
	}
	huma.Register(h, op, a.followQuery)
	h.OpenAPI().Paths[op.Path].Get.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{eventMediaType: {Schema: &huma.Schema{Type: huma.TypeString}}}}
}

func (a *API) followQuery(_ context.Context, in *liveInput) (*huma.StreamResponse, error) {
	q := match.Query{Text: strings.TrimSpace(in.Q), Lang: protocol.Lang(in.Lang), Filter: in.filter(0)}
	if (q.Text == "") == (in.Listing == "") {
		return nil, a.problem(protocol.Errorf(protocol.CodeRequired, "q", "say what to follow: either words in q, or a listing"))
	}
	if in.Listing != "" {
		origin, id, _ := strings.Cut(in.Listing, "/")
		var err error
		if q.Self, err = match.ParseRef(origin, id); err != nil {
			return nil, a.problem(err)
		}
		e, err := a.cfg.Desk.Entry(q.Self)
		if err != nil {
			return nil, a.problem(err)
		}
		if q.Listing = e.Listing; q.Listing == nil {
			return nil, a.problem(protocol.Errorf(protocol.CodeWithdrawn, "listing", "%s is no longer listed, so nothing is matched with it", in.Listing))
		}
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humachi.Unwrap(hc)
		a.events(w, r, func(ctx context.Context, e *eventStream) error {
			return a.cfg.Live.Follow(ctx, q, match.Verdict(in.Least), e.LastID, func(x live.Event) error {
				return e.Send(string(x.Kind), x.ID, LiveView{x.Ref, x.Hit})
			})
		})
	}}, nil
}
