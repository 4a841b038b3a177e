package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
)

type plainInput struct{ Known }

// MemberList is the body of GET /members.
type MemberList struct {
	Members []exchange.MemberState `json:"members"`
}

type membersOutput struct{ Body MemberList }

type memberInput struct {
	Known
	ID string `path:"id" doc:"Member id, such as KH"`
}

type memberOutput struct{ Body exchange.MemberDetail }

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
		OperationID: "member", Method: http.MethodGet, Path: base + "/members/{id}",
		Summary: "One member in detail: contradictions that it signed, epochs that it opened, and faults seen here",
	}, func(_ context.Context, in *memberInput) (*memberOutput, error) {
		id, err := protocol.ParseMemberID(in.ID)
		if err != nil {
			return nil, a.problem(protocol.Errorf(protocol.CodeNotFound, "id", "no member has such an id"))
		}
		d, err := a.cfg.Desk.Member(id)
		if err != nil {
			return nil, a.problem(err)
		}
		return &memberOutput{d}, nil
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
		if out.Body.Warnings == nil {
			out.Body.Warnings = []string{}
		}
		if !out.Body.Ready {
			out.Status = http.StatusServiceUnavailable
		}
		return out, nil
	})
}
