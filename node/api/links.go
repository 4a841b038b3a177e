package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/protocol"
)

// What is done with a link that works once: the first administrator, invitations, addresses, new passwords. A link's secret
// stands in the body of what uses it, where no log keeps it.

type keyInput struct {
	Known
	Key string `query:"key" maxLength:"200" doc:"the link's secret"`
}

// SetupState tells whether the node waits for its first administrator.
type SetupState struct {
	Needed bool `json:"needed"`
}

type setupStateOutput struct{ Body SetupState }

// NewAccount is what a person says of the account that a link gives.
type NewAccount struct {
	Key      string `json:"key" maxLength:"200" doc:"the link's secret"`
	Name     string `json:"name,omitempty" maxLength:"1000"`
	Language string `json:"language,omitempty" maxLength:"20" doc:"of pages and mail, such as km"`
	Password string `json:"password,omitempty" maxLength:"4000"`
	// WithoutPassword is for who adds a passkey at once.
	WithoutPassword bool `json:"without_password,omitempty" doc:"true where a passkey is registered next, in the session that this begins"`
}

func (n NewAccount) account() access.NewAccount {
	return access.NewAccount{Name: n.Name, Language: n.Language, Password: n.Password, WithoutPassword: n.WithoutPassword}
}

// FirstAccount is the first administrator's, with the agency that hosts the node.
type FirstAccount struct {
	NewAccount
	Email        string             `json:"email,omitempty" maxLength:"300"`
	Organisation OrganisationFields `json:"organisation,omitempty"`
}

type setupInput struct {
	Known
	Body FirstAccount
}

type acceptInput struct {
	Known
	Body NewAccount
}

// LinkView is a link to hand over, or the word that it was mailed.
type LinkView struct {
	Mailed  bool      `json:"mailed" doc:"the node has put it into its mail"`
	Link    string    `json:"link,omitempty" doc:"to hand over, where the node sends no mail; without a public address the path alone"`
	Expires time.Time `json:"expires,omitzero"`
}

type linkOutput struct {
	Status int
	Body   LinkView
}

// linkView says where a link is: in the mail, or here, for who asked for it to pass it on.
func (a *API) linkView(p access.Purpose, secret string) LinkView {
	v := LinkView{Mailed: p != access.PurposeSetup && a.cfg.House.Mail.Enabled(), Expires: a.cfg.Now().Add(p.Lasts()).UTC().Truncate(time.Second)}
	if !v.Mailed {
		v.Link = a.cfg.House.Link(p, secret)
	}
	return v
}

// OpenInvitationView is what an invitation says to who holds it.
type OpenInvitationView struct {
	Email        string            `json:"email"`
	Organisation OrganisationShort `json:"organisation"`
	Roles        []access.Role     `json:"roles"`
	Language     string            `json:"language,omitempty"`
	Expires      time.Time         `json:"expires"`
}

type openInvitationOutput struct{ Body OpenInvitationView }

type secretInput struct {
	Known
	Body struct {
		Key string `json:"key" maxLength:"200" doc:"the link's secret"`
	}
}

type resetInput struct {
	Known
	Body struct {
		Key      string `json:"key" maxLength:"200" doc:"the link's secret"`
		Password string `json:"password" maxLength:"4000"`
	}
}

type emailInput struct {
	Known
	Body struct {
		Email string `json:"email" maxLength:"300"`
	}
}

// SaidView is an answer in words.
type SaidView struct {
	Message string `json:"message"`
}

type saidOutput struct {
	Status int
	Body   SaidView
}

func (a *API) linkRoutes(h huma.API, lim limits) {
	people := a.cfg.House.People
	const get, post = http.MethodGet, http.MethodPost
	huma.Register(h, open(lim, "setup-state", get, "/setup", "Whether the node waits for its first administrator; with a key, whether that link works"), a.setupState)
	huma.Register(h, open(lim, "setup", post, "/setup", "Become the first administrator by the setup link, and name the agency that hosts the node"),
		func(ctx context.Context, in *setupInput) (*sessionOutput, error) {
			s, err := people.Setup(ctx, in.Body.Key, in.Body.Email, in.Body.account(), in.Body.Organisation.fields(), door.ClientOf(ctx))
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			return a.signedIn(ctx, s)
		})
	huma.Register(h, ours("setup-link", post, "/setup/link", "Make the link for the first administrator; an earlier one ends"),
		func(ctx context.Context, _ *nothing) (*linkOutput, error) {
			secret, expires, err := people.SetupLink(door.ActorOf(ctx))
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			v := a.linkView(access.PurposeSetup, secret)
			v.Expires = expires
			return &linkOutput{http.StatusCreated, v}, nil
		})
	huma.Register(h, open(lim, "invitation", get, "/invitations/open", "Read an invitation before it is accepted"), a.openInvitation)
	huma.Register(h, open(lim, "accept", post, "/invitations/accept", "Accept an invitation: the account is made, and its session begins"),
		func(ctx context.Context, in *acceptInput) (*sessionOutput, error) {
			s, err := people.Accept(ctx, in.Body.Key, in.Body.account(), door.ClientOf(ctx))
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			return a.signedIn(ctx, s)
		})
	huma.Register(h, open(lim, "verify", post, "/verification", "Prove an e-mail address by the link that was sent to it"),
		func(ctx context.Context, in *secretInput) (*struct{}, error) {
			if _, err := people.Verify(in.Body.Key); err != nil {
				return nil, a.refusal(ctx, err)
			}
			return nil, nil
		})
	huma.Register(h, open(lim, "password-reset", post, "/password-reset", "Have a link for a new password sent; the answer is the same whether or not there is an account"), a.askReset)
	huma.Register(h, open(lim, "password-reset-finish", post, "/password-reset/finish", "Set a new password by the link; all sessions end"),
		func(ctx context.Context, in *resetInput) (*struct{}, error) {
			if err := people.Reset(ctx, in.Body.Key, in.Body.Password); err != nil {
				return nil, a.refusal(ctx, err)
			}
			return nil, nil
		})
}

func (a *API) setupState(ctx context.Context, in *keyInput) (*setupStateOutput, error) {
	needed, err := a.cfg.House.People.SetupNeeded()
	if err == nil && in.Key != "" {
		err = a.cfg.House.People.OpenSetup(in.Key)
	}
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &setupStateOutput{SetupState{needed}}, nil
}

func (a *API) openInvitation(ctx context.Context, in *keyInput) (*openInvitationOutput, error) {
	i, o, err := a.cfg.House.People.OpenInvitation(in.Key)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &openInvitationOutput{OpenInvitationView{
		Email: i.Email, Organisation: OrganisationShort{ID: o.ID, Name: o.Name, Type: o.Type, Country: o.Country}, Roles: i.Roles,
		Language: i.Language, Expires: i.Expires,
	}}, nil
}

// resetTakes is how long an answer about a forgotten password takes, whether or not a link was made: longer than making one.
const resetTakes = 250 * time.Millisecond

func (a *API) askReset(ctx context.Context, in *emailInput) (*saidOutput, error) {
	done := time.After(resetTakes)
	email, err := access.Email(in.Body.Email)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	if !a.cfg.House.Mail.Enabled() { // a link that nobody gets would end the one that an administrator handed over
		return &saidOutput{http.StatusAccepted, SaidView{"this node sends no mail: ask one of its administrators for a link that sets a new password"}}, nil
	}
	// Too many requests are answered alike: how many there were for an address could tell something about it.
	if err := a.cfg.House.People.RequestReset(email, door.ClientOf(ctx)); err != nil && protocol.CodeOf(err) != protocol.CodeUnavailable {
		return nil, a.refusal(ctx, err)
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
	return &saidOutput{http.StatusAccepted, SaidView{"if this address has an account here, a link is on its way to it; a few an hour are sent at most"}}, nil
}
