package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/access/oidc"
	"github.com/asean-tmh/tmh/node/access/passkey"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/protocol"
)

// One's own account. Nobody but the person signed in has one: the operator and strangers are refused by access.Can.

// AccountView is a person as that one sees itself.
type AccountView struct {
	access.User
	HasPassword bool `json:"has_password"`
}

type accountOutput struct {
	ETag string `header:"ETag"`
	Body AccountView
}

type accountEdit struct {
	Known
	IfMatch
	Body struct {
		Name     *string `json:"name,omitempty" maxLength:"1000"`
		Language *string `json:"language,omitempty" maxLength:"20" doc:"of pages and mail, such as km; empty: that of the browser"`
	}
}

type passwordInput struct {
	Known
	Body struct {
		Current  string `json:"current,omitempty" maxLength:"4000" doc:"left out by who has none yet and signed in just now"`
		Password string `json:"password" maxLength:"4000"`
	}
}

// SessionsView are the places where a person is signed in.
type SessionsView struct {
	Sessions []SessionShort `json:"sessions"`
}

// SessionShort is one of them.
type SessionShort struct {
	access.Session
	Current bool `json:"current" doc:"the one that asks"`
}

type sessionsOutput struct{ Body SessionsView }

type idInput struct {
	Known
	ID string `path:"id" maxLength:"100"`
}

type passkeysOutput struct {
	Body struct {
		Passkeys []passkey.Passkey `json:"passkeys"`
	}
}

type newPasskeyInput struct {
	Known
	Body struct {
		Name     string `json:"name,omitempty" maxLength:"300" doc:"what its owner calls it; left out: the day's date"`
		Response any    `json:"response" doc:"the credential that navigator.credentials gave, as JSON"`
	}
}

type passkeyOutput struct {
	Status int
	Body   passkey.Passkey
}

type renameInput struct {
	Known
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		Name string `json:"name" maxLength:"300"`
	}
}

type identitiesOutput struct {
	Body struct {
		Identities []oidc.Link `json:"identities"`
	}
}

type linkingOutput struct {
	Body struct {
		Location string `json:"location" doc:"where the browser goes to prove the identity"`
	}
}

type exportOutput struct {
	Disposition string `header:"Content-Disposition"`
	Body        house.PersonalData
}

func (a *API) accountRoutes(h huma.API, lim limits) {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	people := a.cfg.House.People
	huma.Register(h, ours("account", get, "/account", "One's own account"), func(ctx context.Context, _ *nothing) (*accountOutput, error) {
		by := door.ActorOf(ctx)
		u, err := people.User(by, by.User)
		return a.account(ctx, u, err)
	})
	huma.Register(h, ours("account-edit", patch, "/account", "Change one's name and language; what is left out stays"), a.editAccount)
	huma.Register(h, ours("account-erase", remove, "/account", "Erase one's account and all that is about oneself; it cannot be taken back"),
		func(ctx context.Context, _ *nothing) (*struct{}, error) {
			by := door.ActorOf(ctx)
			if err := people.Erase(by, by.User); err != nil {
				return nil, a.refusal(ctx, err)
			}
			a.door.Keep(browserOf(ctx).w, access.SignedIn{})
			return nil, nil
		})
	huma.Register(h, ours("account-password", post, "/account/password", "Change one's password; the other sessions end", guardOperation(lim.doors)), a.changePassword)
	huma.Register(h, ours("account-email", post, "/account/email", "Have a link sent to one's address, or to another one that the account then has"), a.changeEmail)
	huma.Register(h, ours("account-sessions", get, "/account/sessions", "Where one is signed in"), a.sessions)
	huma.Register(h, ours("account-sessions-end", remove, "/account/sessions", "Sign out everywhere else"), func(ctx context.Context, _ *nothing) (*struct{}, error) {
		by := door.ActorOf(ctx)
		if err := access.Can(by, access.EditAccount, access.Resource{User: by.User}); err != nil {
			return nil, a.refusal(ctx, err) // EndSessions lets administrators end anybody's
		}
		return a.done(ctx, people.EndSessions(by, by.User, true))
	})
	huma.Register(h, ours("account-session-end", remove, "/account/sessions/{id}", "Sign out in one place"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		by := door.ActorOf(ctx)
		err := people.EndSession(by, by.User, access.SessionID(in.ID))
		if err == nil && in.ID == string(by.Session) {
			a.door.Keep(browserOf(ctx).w, access.SignedIn{})
		}
		return a.done(ctx, err)
	})
	a.passkeyRoutes(h)
	a.identityRoutes(h)
	huma.Register(h, ours("account-export", get, "/account/export", "All that the node holds about oneself"), func(ctx context.Context, _ *nothing) (*exportOutput, error) {
		return a.export(ctx, door.ActorOf(ctx).User)
	})
}

// done answers what has no answer but that it was done.
func (a *API) done(ctx context.Context, err error) (*struct{}, error) {
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return nil, nil
}

func (a *API) account(ctx context.Context, u access.User, err error) (*accountOutput, error) {
	out := &accountOutput{ETag: versionTag(u.Version), Body: AccountView{User: u}}
	if err == nil {
		out.Body.HasPassword, err = a.cfg.House.HasPassword(u.ID)
	}
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return out, nil
}

func (a *API) editAccount(ctx context.Context, in *accountEdit) (*accountOutput, error) {
	by := door.ActorOf(ctx)
	if err := access.Can(by, access.EditAccount, access.Resource{User: by.User}); err != nil {
		return nil, a.refusal(ctx, err)
	}
	v, err := in.version()
	if err != nil {
		return nil, err
	}
	u, err := a.cfg.House.People.User(by, by.User)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	u, err = a.cfg.House.People.EditAccount(by, by.User, v, or(in.Body.Name, u.Name), or(in.Body.Language, u.Language))
	return a.account(ctx, u, err)
}

// or is what was said, or what stands where nothing was.
func or[T any](said *T, stands T) T {
	if said != nil {
		return *said
	}
	return stands
}

func (a *API) changePassword(ctx context.Context, in *passwordInput) (*struct{}, error) {
	by := door.ActorOf(ctx)
	if err := access.Can(by, access.EditAccount, access.Resource{User: by.User}); err != nil {
		return nil, a.refusal(ctx, err)
	}
	b := browserOf(ctx)
	next, err := a.cfg.House.People.ChangePassword(ctx, a.door.Session(b.r), in.Body.Current, in.Body.Password, door.ClientOf(ctx))
	switch protocol.CodeOf(err) {
	case "":
	case protocol.CodeUnavailable:
		return nil, a.unproven(err)
	default:
		return nil, a.refusal(ctx, err)
	}
	a.door.Keep(b.w, next)
	return nil, nil
}

func (a *API) changeEmail(ctx context.Context, in *emailInput) (*saidOutput, error) {
	by, h := door.ActorOf(ctx), a.cfg.House
	if err := access.Can(by, access.EditAccount, access.Resource{User: by.User}); err != nil {
		return nil, a.refusal(ctx, err)
	}
	if !h.Mail.Enabled() {
		return nil, a.refusal(ctx, protocol.Errorf(protocol.CodeUnavailable, "email",
			"this node sends no mail, so it cannot prove an address: ask an administrator for an invitation to the other address"))
	}
	if _, err := h.People.VerificationLink(by, by.User, in.Body.Email); err != nil { // the link goes to the mailbox alone
		return nil, a.refusal(ctx, err)
	}
	return &saidOutput{http.StatusAccepted, SaidView{"a link is on its way to this address; the account has it once the link was opened"}}, nil
}

func (a *API) sessions(ctx context.Context, _ *nothing) (*sessionsOutput, error) {
	by := door.ActorOf(ctx)
	all, err := a.cfg.House.People.Sessions(by, by.User)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	out := &sessionsOutput{SessionsView{[]SessionShort{}}}
	for _, s := range all {
		out.Body.Sessions = append(out.Body.Sessions, SessionShort{s, s.ID == by.Session})
	}
	return out, nil
}

func (a *API) passkeyRoutes(h huma.API) {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	huma.Register(h, ours("account-passkeys", get, "/account/passkeys", "One's passkeys"), func(ctx context.Context, _ *nothing) (*passkeysOutput, error) {
		all, err := a.cfg.House.PasskeysOf(door.ActorOf(ctx))
		if err != nil {
			return nil, a.refusal(ctx, err)
		}
		out := new(passkeysOutput)
		out.Body.Passkeys = append([]passkey.Passkey{}, all...)
		return out, nil
	})
	huma.Register(h, ours("account-passkey-begin", post, "/account/passkeys", "Begin to register a passkey: options for navigator.credentials.create"),
		func(ctx context.Context, _ *nothing) (*optionsOutput, error) {
			b, err := a.cfg.House.BeginPasskey(door.ActorOf(ctx))
			return a.ceremony(ctx, b, err)
		})
	huma.Register(h, ours("account-passkey-finish", post, "/account/passkeys/finish", "Register what the browser made"), func(ctx context.Context, in *newPasskeyInput) (*passkeyOutput, error) {
		response, err := json.Marshal(in.Body.Response)
		if err != nil {
			return nil, a.refusal(ctx, err)
		}
		k, err := a.cfg.House.FinishPasskey(door.ActorOf(ctx), a.ceremonyOf(ctx), response, in.Body.Name)
		if err != nil {
			return nil, a.refusal(ctx, err)
		}
		return &passkeyOutput{http.StatusCreated, k}, nil
	})
	huma.Register(h, ours("account-passkey-rename", patch, "/account/passkeys/{id}", "Call a passkey something else"), func(ctx context.Context, in *renameInput) (*passkeyOutput, error) {
		k, err := a.cfg.House.RenamePasskey(door.ActorOf(ctx), in.ID, in.Body.Name)
		if err != nil {
			return nil, a.refusal(ctx, err)
		}
		return &passkeyOutput{http.StatusOK, k}, nil
	})
	huma.Register(h, ours("account-passkey-remove", remove, "/account/passkeys/{id}", "Remove a passkey; the last way into the account stays"),
		func(ctx context.Context, in *idInput) (*struct{}, error) {
			return a.done(ctx, a.cfg.House.RemovePasskey(door.ActorOf(ctx), in.ID))
		})
}

func (a *API) identityRoutes(h huma.API) {
	huma.Register(h, ours("account-identities", http.MethodGet, "/account/identities", "Identities at providers that open one's account"),
		func(ctx context.Context, _ *nothing) (*identitiesOutput, error) {
			all, err := a.cfg.House.IdentitiesOf(door.ActorOf(ctx))
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			out := new(identitiesOutput)
			out.Body.Identities = append([]oidc.Link{}, all...)
			return out, nil
		})
	huma.Register(h, ours("account-identity-begin", http.MethodPost, "/account/identities", "Begin to link an identity at the provider to one's account"),
		func(ctx context.Context, _ *nothing) (*linkingOutput, error) {
			by := door.ActorOf(ctx)
			if err := access.Can(by, access.EditAccount, access.Resource{User: by.User}); err != nil {
				return nil, a.refusal(ctx, err)
			}
			b, err := a.cfg.House.BeginProvider(ctx, by)
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			a.keepProvider(ctx, "", b.Kept)
			out := new(linkingOutput)
			out.Body.Location = b.URL
			return out, nil
		})
	huma.Register(h, ours("account-identity-remove", http.MethodDelete, "/account/identities/{id}", "Remove an identity; the last way into the account stays"),
		func(ctx context.Context, in *idInput) (*struct{}, error) {
			return a.done(ctx, a.cfg.House.RemoveIdentity(door.ActorOf(ctx), in.ID))
		})
}

// export gathers what the node's parts hold about a person.
func (a *API) export(ctx context.Context, id access.UserID) (*exportOutput, error) {
	d, err := a.cfg.House.Export(door.ActorOf(ctx), id)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &exportOutput{Disposition: `attachment; filename="account.json"`, Body: d}, nil
}
