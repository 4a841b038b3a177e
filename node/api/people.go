package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
)

// People and invitations, for administrators. The registry judges who asks.

type peopleInput struct {
	Known
	PageParams
	Q            string `query:"q" maxLength:"200" doc:"part of the name or of the e-mail address"`
	Role         string `query:"role" enum:"reader,scout,editor,reviewer,admin,analyst,auditor"`
	Organisation string `query:"organisation" maxLength:"40"`
}

// PeoplePage is a page of people by id. It may be short although another follows.
type PeoplePage struct {
	People []access.User `json:"people"`
	Next   string        `json:"next,omitempty" doc:"cursor of the next page; absent at the end"`
}

type peopleOutput struct {
	Link string `header:"Link" doc:"rel=next, unless this is the last page"`
	Body PeoplePage
}

type personOutput struct {
	ETag string `header:"ETag"`
	Body access.User
}

type personEdit struct {
	Known
	IfMatch
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Organisation *access.OrganisationID `json:"organisation,omitempty"`
		Roles        *[]access.Role         `json:"roles,omitempty" maxItems:"20"`
	}
}

type personVersion struct {
	Known
	IfMatch
	ID string `path:"id" maxLength:"40"`
}

type inviteInput struct {
	Known
	Body struct {
		Email        string                `json:"email" maxLength:"300"`
		Organisation access.OrganisationID `json:"organisation" maxLength:"40"`
		Roles        []access.Role         `json:"roles" maxItems:"20"`
		Language     string                `json:"language,omitempty" maxLength:"20" doc:"of the invitation, such as km"`
	}
}

// InvitedView is an invitation that was made, with its link where the node does not mail it.
type InvitedView struct {
	access.Invitation
	Mailed bool   `json:"mailed" doc:"the node has put it into its mail"`
	Link   string `json:"link,omitempty" doc:"to hand over, where the node sends no mail; shown once"`
}

type invitedOutput struct {
	Status int
	Body   InvitedView
}

type invitationsInput struct {
	Known
	PageParams
}

// InvitationsPage is a page of open invitations.
type InvitationsPage struct {
	Invitations []access.Invitation `json:"invitations"`
	Next        string              `json:"next,omitempty"`
}

type invitationsOutput struct {
	Link string `header:"Link"`
	Body InvitationsPage
}

func (a *API) peopleRoutes(h huma.API) {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	people := a.cfg.House.People
	huma.Register(h, ours("people", get, "/people", "People with an account"), a.people)
	huma.Register(h, ours("person", get, "/people/{id}", "One person"), func(ctx context.Context, in *idInput) (*personOutput, error) {
		u, err := people.User(door.ActorOf(ctx), access.UserID(in.ID))
		return a.person(ctx, u, err)
	})
	huma.Register(h, ours("person-edit", patch, "/people/{id}", "Give a person other roles or another organisation; what is left out stays, sessions end"), a.editPerson)
	for name, disabled := range map[string]bool{"disable": true, "enable": false} {
		summary := map[bool]string{true: "Shut a person out: sessions end, tokens sleep", false: "Let a person in again"}[disabled]
		huma.Register(h, ours("person-"+name, post, "/people/{id}/"+name, summary), func(ctx context.Context, in *personVersion) (*personOutput, error) {
			by := door.ActorOf(ctx)
			if err := access.Can(by, access.DisablePerson, access.Resource{User: access.UserID(in.ID)}); err != nil {
				return nil, a.refusal(ctx, err)
			}
			v, err := in.version()
			if err != nil {
				return nil, err
			}
			u, err := people.SetDisabled(by, access.UserID(in.ID), v, disabled)
			return a.person(ctx, u, err)
		})
	}
	huma.Register(h, ours("person-reset-link", post, "/people/{id}/reset-link", "Make a link by which a person sets a new password"), func(ctx context.Context, in *idInput) (*linkOutput, error) {
		secret, err := people.ResetLink(door.ActorOf(ctx), access.UserID(in.ID))
		if err != nil {
			return nil, a.refusal(ctx, err)
		}
		return &linkOutput{http.StatusCreated, a.linkView(access.PurposeReset, secret)}, nil
	})
	huma.Register(h, ours("person-export", get, "/people/{id}/export", "All that the node holds about a person"), func(ctx context.Context, in *idInput) (*exportOutput, error) {
		return a.export(ctx, access.UserID(in.ID))
	})
	huma.Register(h, ours("person-erase", remove, "/people/{id}", "Erase a person's account and data; it cannot be taken back"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		return a.done(ctx, people.Erase(door.ActorOf(ctx), access.UserID(in.ID)))
	})
	huma.Register(h, ours("invitations", get, "/invitations", "Open invitations"), a.invitations)
	huma.Register(h, ours("invite", post, "/invitations", "Invite somebody to have an account; an earlier invitation of the address ends"), a.invite)
	huma.Register(h, ours("invitation-cancel", remove, "/invitations/{id}", "Take an open invitation back"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		return a.done(ctx, people.CancelInvitation(door.ActorOf(ctx), in.ID))
	})
}

func (a *API) people(ctx context.Context, in *peopleInput) (*peopleOutput, error) {
	filters := url.Values{"q": {in.Q}, "role": {in.Role}, "organisation": {in.Organisation}}
	list := "people?" + filters.Encode()
	place, err := a.cursorPlace(door.ActorOf(ctx), list, in.Cursor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	all, next, err := a.cfg.House.People.Users(door.ActorOf(ctx), access.UserFilter{
		Organisation: access.OrganisationID(in.Organisation), Role: access.Role(in.Role), Text: in.Q,
	}, access.Page{Cursor: place, Limit: in.Limit})
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	next = a.placeCursor(door.ActorOf(ctx), list, next)
	return &peopleOutput{nextLink(base+"/people", filters, in.Limit, next), PeoplePage{append([]access.User{}, all...), next}}, nil
}

func (a *API) person(ctx context.Context, u access.User, err error) (*personOutput, error) {
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &personOutput{versionTag(u.Version), u}, nil
}

func (a *API) editPerson(ctx context.Context, in *personEdit) (*personOutput, error) {
	by, id := door.ActorOf(ctx), access.UserID(in.ID)
	if err := access.Can(by, access.ChangeRoles, access.Resource{User: id}); err != nil {
		return nil, a.refusal(ctx, err)
	}
	v, err := in.version()
	if err != nil {
		return nil, err
	}
	u, err := a.cfg.House.People.User(by, id)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	u, err = a.cfg.House.People.ChangeRoles(by, id, v, or(in.Body.Organisation, u.Organisation), or(in.Body.Roles, u.Roles))
	return a.person(ctx, u, err)
}

func (a *API) invite(ctx context.Context, in *inviteInput) (*invitedOutput, error) {
	secret, i, err := a.cfg.House.People.Invite(door.ActorOf(ctx), in.Body.Email, in.Body.Organisation, in.Body.Roles, in.Body.Language)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	v := a.linkView(access.PurposeInvitation, secret)
	return &invitedOutput{http.StatusCreated, InvitedView{i, v.Mailed, v.Link}}, nil
}

func (a *API) invitations(ctx context.Context, in *invitationsInput) (*invitationsOutput, error) {
	const list = "invitations"
	place, err := a.cursorPlace(door.ActorOf(ctx), list, in.Cursor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	all, next, err := a.cfg.House.People.Invitations(door.ActorOf(ctx), access.Page{Cursor: place, Limit: in.Limit})
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	next = a.placeCursor(door.ActorOf(ctx), list, next)
	return &invitationsOutput{nextLink(base+"/invitations", nil, in.Limit, next), InvitationsPage{append([]access.Invitation{}, all...), next}}, nil
}
