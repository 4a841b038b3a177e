package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
)

// Invitations to listings of level invited.

// GrantRequest invites a person, or an organisation, or everybody of a member's node.
type GrantRequest struct {
	Member       protocol.MemberID     `json:"member,omitempty" maxLength:"20" doc:"whose node the invited use; this one by default"`
	Email        string                `json:"email,omitempty" maxLength:"300" doc:"of the person; not kept, only what it hashes to"`
	Organisation access.OrganisationID `json:"organisation,omitempty" maxLength:"100" doc:"at that node"`
	Expires      protocol.Instant      `json:"expires" doc:"400 days from now at most"`
}

// GrantView is an invitation as it is kept.
type GrantView struct {
	ID           string                `json:"id"`
	Member       protocol.MemberID     `json:"member"`
	Whom         string                `json:"whom" enum:"person,organisation,member"`
	Organisation access.OrganisationID `json:"organisation,omitempty"`
	Expires      protocol.Instant      `json:"expires"`
	Expired      bool                  `json:"expired"`
	Created      protocol.Instant      `json:"created"`
	By           access.UserID         `json:"by,omitempty"`
}

type grantInput struct {
	PostingInput
	Body GrantRequest
}

type grantOutput struct{ Body GrantView }

type grantsOutput struct {
	Body struct {
		Grants []GrantView `json:"grants"`
	}
}

type grantRef struct {
	PostingInput
	Grant string `path:"grant" maxLength:"64"`
}

func (a *API) grantRoutes(h huma.API) {
	const path = "/postings/{id}/grants"
	huma.Register(h, a.permitted("grants", http.MethodGet, path, "Who is invited to a listing of level invited", access.GrantAccess), a.grants)
	create := a.permitted("grant", http.MethodPost, path, "Invite somebody; the same again sets another end", access.GrantAccess)
	create.DefaultStatus = http.StatusCreated
	huma.Register(h, create, a.grant)
	huma.Register(h, a.permitted("revoke-grant", http.MethodDelete, path+"/{grant}", "Take an invitation back", access.GrantAccess), a.revokeGrant)
}

func (a *API) grantView(g record.Grant) GrantView {
	v := GrantView{
		ID: g.ID, Member: g.Member, Whom: "member", Organisation: g.Organisation, Expires: g.Expires, Created: g.Created, By: g.By,
		Expired: !g.Expires.Time().After(a.cfg.Now()),
	}
	switch {
	case g.Person != protocol.Hash{}:
		v.Whom = "person"
	case g.Organisation != "":
		v.Whom = "organisation"
	}
	return v
}

func (a *API) grants(ctx context.Context, in *PostingInput) (*grantsOutput, error) {
	h, err := a.posting(ctx, in.ID, access.GrantAccess)
	if err != nil {
		return nil, err
	}
	all, err := a.cfg.House.Invited(door.ActorOf(ctx), h.ID)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	out := new(grantsOutput)
	out.Body.Grants = []GrantView{}
	for _, g := range all {
		out.Body.Grants = append(out.Body.Grants, a.grantView(g))
	}
	return out, nil
}

func (a *API) grant(ctx context.Context, in *grantInput) (*grantOutput, error) {
	h, err := a.posting(ctx, in.ID, access.GrantAccess)
	if err != nil {
		return nil, err
	}
	if h.Ended() {
		return nil, a.problem(protocol.Errorf(protocol.CodeConflict, "state", "the listing is %s: there is nothing to invite to", h.Live))
	}
	if in.Body.Member == "" {
		in.Body.Member = a.cfg.Member
	}
	g, err := a.cfg.House.Invite(door.ActorOf(ctx), h.ID, record.Invitation{
		Member: in.Body.Member, Email: in.Body.Email, Organisation: in.Body.Organisation, Expires: in.Body.Expires,
	})
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &grantOutput{a.grantView(g)}, nil
}

func (a *API) revokeGrant(ctx context.Context, in *grantRef) (*struct{}, error) {
	h, err := a.posting(ctx, in.ID, access.GrantAccess)
	if err != nil {
		return nil, err
	}
	if err := a.cfg.House.Disinvite(door.ActorOf(ctx), h.ID, in.Grant); err != nil {
		return nil, a.refusal(ctx, err)
	}
	return nil, nil
}
