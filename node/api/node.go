package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/stats"
)

type plainInput struct{ Known }

// MemberList is the body of GET /members.
type MemberList struct {
	Members []exchange.MemberState `json:"members"`
}

type membersOutput struct{ Body MemberList }

type statisticsOutput struct{ Body stats.Report }

type healthOutput struct {
	Status int
	Body   exchange.Health
}

func (a *API) nodeRoutes(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "members", Method: http.MethodGet, Path: base + "/members",
		Summary: "Members of the federation, and how far this node may vouch for its copy of each catalogue",
	}, func(context.Context, *plainInput) (*membersOutput, error) {
		return &membersOutput{MemberList{append([]exchange.MemberState{}, a.cfg.Desk.Members()...)}}, nil
	})
	huma.Register(h, huma.Operation{
		OperationID: "statistics", Method: http.MethodGet, Path: base + "/statistics", Summary: "Counts of current listings; stock and flow by month",
	}, func(context.Context, *plainInput) (*statisticsOutput, error) {
		return &statisticsOutput{a.cfg.Desk.Figures()}, nil
	})
	huma.Register(h, huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: base + "/health", Summary: "Health for monitors: 503 where the node is not ready",
	}, func(context.Context, *plainInput) (*healthOutput, error) {
		out := &healthOutput{Status: http.StatusOK, Body: a.cfg.Desk.Health()}
		if out.Body.Faults == nil {
			out.Body.Faults = []string{}
		}
		if !out.Body.Ready {
			out.Status = http.StatusServiceUnavailable
		}
		return out, nil
	})
}
