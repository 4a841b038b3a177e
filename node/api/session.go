package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/access/oidc"
	"github.com/asean-tmh/tmh/node/access/passkey"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/protocol"
)

// The ways in, and who one is.

// browser is a request's own connection, for cookies.
type browser struct {
	w http.ResponseWriter
	r *http.Request
}

type browserKey struct{}

func browserOf(ctx context.Context) browser { return ctx.Value(browserKey{}).(browser) }

// private is for answers about people: nothing on the way may keep them.
func private(ctx huma.Context, next func(huma.Context)) {
	r, w := humachi.Unwrap(ctx)
	w.Header().Set("Cache-Control", "no-store")
	next(huma.WithValue(ctx, browserKey{}, browser{w, r}))
}

// ours is an operation about people or by them.
func ours(id, method, path, summary string, more ...func(huma.Context, func(huma.Context))) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: base + path, Summary: summary, MaxBodyBytes: maxBody,
		Middlewares: append(huma.Middlewares{private}, more...), Security: []map[string][]string{{"session": {}}, {"token": {}}},
	}
}

// open is an operation for who is not signed in: each attempt counts.
func open(lim limits, id, method, path, summary string) huma.Operation {
	o := ours(id, method, path, summary, guardOperation(lim.doors))
	o.Security = nil
	return o
}

// refusal is refuse's, for operations of huma's.
func (a *API) refusal(ctx context.Context, err error) error {
	p := a.problem(err)
	switch {
	case p.Status == http.StatusForbidden && door.ActorOf(ctx).Anonymous():
		p.Status, p.Title = http.StatusUnauthorized, http.StatusText(http.StatusUnauthorized)
		return huma.ErrorWithHeaders(p, http.Header{"WWW-Authenticate": {`Bearer realm="tmh"`}})
	case p.Status == http.StatusConflict && outdated(err):
		p.Status, p.Title = http.StatusPreconditionFailed, http.StatusText(http.StatusPreconditionFailed)
	}
	return p
}

// unproven refuses who did not prove to be somebody: too many attempts are his doing, not a fault of the node.
func (a *API) unproven(err error) error {
	if protocol.CodeOf(err) == protocol.CodeUnavailable {
		p := newProblem(http.StatusTooManyRequests, protocol.All(err))
		return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {"60"}})
	}
	return a.refusal(context.Background(), err) // as a stranger's
}

// Nothing is the input of an operation that takes none.
type nothing struct{ Known }

// SessionView says who asks.
type SessionView struct {
	Kind         string             `json:"kind" enum:"stranger,person,token,operator"`
	User         access.UserID      `json:"user,omitempty"`
	Name         string             `json:"name,omitempty"`
	Organisation *OrganisationShort `json:"organisation,omitempty"`
	Roles        []access.Role      `json:"roles" doc:"none while the e-mail address is not verified"`
	Scopes       []access.Scope     `json:"scopes,omitempty" doc:"of a token"`
	Member       protocol.MemberID  `json:"member" doc:"whose node this is"`
	May          []access.Action    `json:"may" doc:"actions that are permitted with what is one's own, or with anybody's; of one's own alone unless the role is for the whole node"`
	SignIn       SignInWays         `json:"sign_in" doc:"ways to sign in here"`
}

// OrganisationShort names an organisation.
type OrganisationShort struct {
	ID      access.OrganisationID `json:"id"`
	Name    string                `json:"name"`
	Type    string                `json:"type"`
	Country protocol.Country      `json:"country"`
}

// SignInWays that a node offers beside the password.
type SignInWays struct {
	Passkey  bool   `json:"passkey"`
	Provider string `json:"provider,omitempty" doc:"host of the provider of identities"`
	Mail     bool   `json:"mail" doc:"the node sends mail, so a forgotten password can be set anew"`
}

type sessionOutput struct{ Body SessionView }

func (a *API) sessionView(ctx context.Context, actor access.Actor) (*sessionOutput, error) {
	h := a.cfg.House
	v := SessionView{
		Kind: actor.Kind(), User: actor.User, Name: actor.Name, Roles: append([]access.Role{}, actor.Roles...), Scopes: actor.Scopes,
		Member: a.cfg.Member, May: mayDo(actor), SignIn: SignInWays{Passkey: h.Passkeys != nil, Mail: h.Mail.Enabled()},
	}
	if h.Provider != nil {
		v.SignIn.Provider = h.Provider.Host()
	}
	o, err := h.OrganisationOf(actor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	if o != nil {
		v.Organisation = &OrganisationShort{ID: o.ID, Name: o.Name, Type: o.Type, Country: o.Country}
	}
	return &sessionOutput{v}, nil
}

// mayDo lists the actions of the API that an actor may take with what is its own or, by its role, with what is not.
func mayDo(actor access.Actor) []access.Action {
	all := []access.Action{}
	for _, r := range routes() {
		if r.Action == "" || slices.Contains(all, r.Action) {
			continue
		}
		own := access.Resource{Organisation: actor.Organisation, User: actor.User}
		if access.Can(actor, r.Action, own) == nil || access.Can(actor, r.Action, access.Resource{Organisation: "another"}) == nil {
			all = append(all, r.Action)
		}
	}
	return all
}

func (a *API) sessionRoutes(h huma.API, lim limits) {
	people, at := a.cfg.House.People, http.MethodPost
	huma.Register(h, ours("session", http.MethodGet, "/session", "Who asks, and what that one may do"),
		func(ctx context.Context, _ *nothing) (*sessionOutput, error) {
			return a.sessionView(ctx, door.ActorOf(ctx))
		})
	huma.Register(h, open(lim, "sign-in", at, "/session", "Sign in by password; the session is a cookie"),
		func(ctx context.Context, in *signInInput) (*sessionOutput, error) {
			s, err := people.SignIn(ctx, in.Body.Email, in.Body.Password, door.ClientOf(ctx))
			if err != nil {
				return nil, a.unproven(err)
			}
			return a.signedIn(ctx, s)
		})
	huma.Register(h, ours("sign-out", http.MethodDelete, "/session", "Sign out"), a.signOut)
	huma.Register(h, open(lim, "passkey-begin", at, "/session/passkey", "Begin to sign in with a passkey: options for navigator.credentials.get"),
		func(ctx context.Context, _ *nothing) (*optionsOutput, error) {
			b, err := a.cfg.House.BeginPasskeySignIn()
			return a.ceremony(ctx, b, err)
		})
	huma.Register(h, open(lim, "passkey-finish", at, "/session/passkey/finish", "Sign in with what the browser answered"),
		func(ctx context.Context, in *passkeyInput) (*sessionOutput, error) {
			response, err := json.Marshal(in.Body.Response)
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			s, err := a.cfg.House.FinishPasskeySignIn(a.ceremonyOf(ctx), response, door.ClientOf(ctx))
			if err != nil {
				return nil, a.refusal(context.Background(), err)
			}
			return a.signedIn(ctx, s)
		})
	huma.Register(h, open(lim, "provider", http.MethodGet, "/session/provider", "Go to the provider of identities to sign in there"),
		func(ctx context.Context, _ *nothing) (*elsewhereOutput, error) {
			// As a stranger: a link from elsewhere must not tie somebody's identity to the account whose session the browser holds.
			b, err := a.cfg.House.BeginProvider(ctx, access.Actor{})
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			a.keepProvider(ctx, b.Kept, "")
			return &elsewhereOutput{http.StatusSeeOther, b.URL}, nil
		})
	back := open(lim, "provider-callback", http.MethodGet, "", "Where the provider of identities sends people back")
	back.Path = house.CallbackPath
	huma.Register(h, back, a.fromProvider)
}

type signInInput struct {
	Known
	Body struct {
		Email    string `json:"email" maxLength:"300"`
		Password string `json:"password" maxLength:"4000"`
	}
}

// signedIn gives the session to the browser. The session that the browser had before ends.
func (a *API) signedIn(ctx context.Context, s access.SignedIn) (*sessionOutput, error) {
	a.startSession(ctx, s)
	return a.sessionView(ctx, s.Actor)
}

func (a *API) startSession(ctx context.Context, s access.SignedIn) {
	a.endCurrent(ctx)
	a.door.Keep(browserOf(ctx).w, s)
}

// endCurrent ends the session that the browser shows. Where that fails it lives no longer than it would have.
func (a *API) endCurrent(ctx context.Context) {
	if by := door.ActorOf(ctx); by.Session != "" {
		if err := a.cfg.House.People.EndSession(by, by.User, by.Session); err != nil && protocol.CodeOf(err) != protocol.CodeNotFound {
			a.cfg.Log.Warn("session not ended", "error", err)
		}
	}
}

func (a *API) signOut(ctx context.Context, _ *nothing) (*struct{}, error) {
	a.endCurrent(ctx)
	a.door.Keep(browserOf(ctx).w, access.SignedIn{})
	return nil, nil
}

// optionsOutput is what the browser's navigator.credentials takes.
type optionsOutput struct {
	Body struct {
		Options any `json:"options" doc:"for navigator.credentials"`
	}
}

type passkeyInput struct {
	Known
	Body struct {
		Response any `json:"response" doc:"the credential that navigator.credentials gave, as JSON"`
	}
}

const passkeyCookie = "passkey"

// ceremony goes on in the browser; its name stays there in a cookie that scripts cannot read.
func (a *API) ceremony(ctx context.Context, b passkey.Begun, err error) (*optionsOutput, error) {
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	a.door.Brief(browserOf(ctx).w, passkeyCookie, b.Ceremony, http.SameSiteStrictMode, int(passkey.Lifetime.Seconds()))
	out := new(optionsOutput)
	out.Body.Options = json.RawMessage(b.Options)
	return out, nil
}

// ceremonyOf the browser, which ends there.
func (a *API) ceremonyOf(ctx context.Context) string {
	b := browserOf(ctx)
	a.door.Brief(b.w, passkeyCookie, "", http.SameSiteStrictMode, 0)
	return a.door.BriefOf(b.r, passkeyCookie)
}

type elsewhereOutput struct {
	Status   int
	Location string `header:"Location"`
}

// What is kept of a visit to the provider: to sign in, or to link an identity to the account that is signed in.
const (
	providerCookie = "provider"
	linkCookie     = "link"
)

func (a *API) keepProvider(ctx context.Context, signIn, link string) {
	w := browserOf(ctx).w
	a.door.Brief(w, providerCookie, signIn, http.SameSiteLaxMode, int(oidc.Lifetime.Seconds()))
	a.door.Brief(w, linkCookie, link, http.SameSiteLaxMode, int(oidc.Lifetime.Seconds()))
}

// callbackInput has no Known: providers add parameters of their own.
type callbackInput struct {
	Code   string `query:"code" maxLength:"4096"`
	State  string `query:"state" maxLength:"4096"`
	Issuer string `query:"iss" maxLength:"4096"`
	Error  string `query:"error" maxLength:"4096"`
}

func (a *API) fromProvider(ctx context.Context, in *callbackInput) (*elsewhereOutput, error) {
	b := browserOf(ctx)
	kept, to := a.door.BriefOf(b.r, providerCookie), "/"
	if link := a.door.BriefOf(b.r, linkCookie); link != "" {
		kept, to = link, "/account"
	}
	a.keepProvider(ctx, "", "")
	s, err := a.cfg.House.FinishProvider(ctx, door.ActorOf(ctx), oidc.Callback{Code: in.Code, State: in.State, Issuer: in.Issuer, Error: in.Error}, kept, door.ClientOf(ctx))
	if err != nil {
		return nil, a.refusal(context.Background(), err)
	}
	a.startSession(ctx, s)
	return &elsewhereOutput{http.StatusSeeOther, to}, nil
}
