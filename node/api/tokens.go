package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// Tokens, by which programs act for people.

type tokensInput struct {
	Known
	PageParams
	All         bool `query:"all" doc:"everybody's, for administrators"`
	Unconfirmed bool `query:"unconfirmed" doc:"those alone that wait to be confirmed after a restore"`
}

// TokensPage is a page of tokens: one's own, the newest first; everybody's by id.
type TokensPage struct {
	Tokens []access.Token `json:"tokens"`
	Next   string         `json:"next,omitempty"`
}

type tokensOutput struct {
	Link string `header:"Link"`
	Body TokensPage
}

type tokenInput struct {
	Known
	Body struct {
		Name   string         `json:"name" maxLength:"1000" doc:"what its owner calls it"`
		Scopes []access.Scope `json:"scopes" maxItems:"20" doc:"read, write, review, admin: what it may do of what its owner may"`
		Days   int            `json:"days,omitempty" minimum:"1" maximum:"400" doc:"how long it lasts; left out: 90"`
		User   access.UserID  `json:"user,omitempty" maxLength:"40" doc:"whose it is, for the operator alone; left out: one's own"`
		Email  string         `json:"email,omitempty" maxLength:"320" doc:"whose it is by e-mail address, instead of user"`
	}
}

// NewTokenView is a token that was made. The secret is shown once.
type NewTokenView struct {
	access.Token
	Secret string `json:"secret" doc:"shown now and never again: send it as Authorization: Bearer"`
}

type newTokenOutput struct {
	Status int
	Body   NewTokenView
}

const tokenDays = 90

func (a *API) tokenRoutes(h huma.API) {
	people := a.cfg.House.People
	huma.Register(h, ours("tokens", http.MethodGet, "/tokens", "One's tokens, or everybody's"), a.tokens)
	huma.Register(h, ours("token-create", http.MethodPost, "/tokens", "Make a token for a program; its secret is shown once"),
		func(ctx context.Context, in *tokenInput) (*newTokenOutput, error) {
			by := door.ActorOf(ctx)
			owner, err := a.tokenOwner(by, in.Body.User, in.Body.Email)
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			secret, t, err := people.CreateToken(by, owner, in.Body.Name, in.Body.Scopes, time.Duration(cmp.Or(in.Body.Days, tokenDays))*24*time.Hour)
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			return &newTokenOutput{http.StatusCreated, NewTokenView{t, secret}}, nil
		})
	huma.Register(h, ours("token-revoke", http.MethodDelete, "/tokens/{id}", "End a token"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		return a.done(ctx, people.RevokeToken(door.ActorOf(ctx), access.TokenID(in.ID)))
	})
	huma.Register(h, ours("token-confirm", http.MethodPost, "/tokens/{id}/confirm", "Let a token from before a restore work again"),
		func(ctx context.Context, in *idInput) (*struct{}, error) {
			return a.done(ctx, people.ConfirmToken(door.ActorOf(ctx), access.TokenID(in.ID)))
		})
	huma.Register(h, ours("tokens-confirm", http.MethodPost, "/tokens/confirm", "Let all tokens from before a restore work again"),
		func(ctx context.Context, _ *nothing) (*struct{}, error) {
			return a.done(ctx, people.ConfirmAllTokens(door.ActorOf(ctx)))
		})
}

// tokenOwner is whom a token is for: whoever asks, unless the operator names another.
func (a *API) tokenOwner(by access.Actor, id access.UserID, email string) (access.UserID, error) {
	switch {
	case id != "" && email != "":
		return "", protocol.Errorf(protocol.CodeValue, "email", "names the owner a second time: give either user or email")
	case email != "" && !by.Operator:
		return "", protocol.Errorf(protocol.CodeNotPermitted, "email", "only the operator makes tokens for others: leave it out")
	case email != "":
		u, err := a.cfg.House.People.UserOf(by, email)
		return u.ID, err
	case id == "" && by.Operator:
		return "", protocol.Errorf(protocol.CodeRequired, "user", "say whose token it is, by user or email: the operator has no account")
	}
	return cmp.Or(id, by.User), nil
}

func (a *API) tokens(ctx context.Context, in *tokensInput) (*tokensOutput, error) {
	by, people := door.ActorOf(ctx), a.cfg.House.People
	if !in.All && !by.Operator {
		own, err := people.Tokens(by, by.User)
		if err != nil {
			return nil, a.refusal(ctx, err)
		}
		page := TokensPage{Tokens: []access.Token{}} // fifty at most
		for _, t := range own {
			if t.Unconfirmed || !in.Unconfirmed {
				page.Tokens = append(page.Tokens, t)
			}
		}
		return &tokensOutput{Body: page}, nil
	}
	filters := url.Values{"all": {"true"}}
	if in.Unconfirmed {
		filters.Set("unconfirmed", "true")
	}
	list := "tokens?" + filters.Encode()
	place, err := a.cursorPlace(door.ActorOf(ctx), list, in.Cursor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	all, next, err := people.AllTokens(by, in.Unconfirmed, access.Page{Cursor: place, Limit: in.Limit})
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	next = a.placeCursor(door.ActorOf(ctx), list, next)
	return &tokensOutput{nextLink(base+"/tokens", filters, in.Limit, next), TokensPage{append([]access.Token{}, all...), next}}, nil
}
