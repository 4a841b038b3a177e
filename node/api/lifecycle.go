package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// What becomes of a published listing.

// Noted is a change that somebody may say something about.
type Noted struct {
	Note string `json:"note,omitempty" maxLength:"2000" doc:"at most 500 characters, for the history of the listing"`
}

type notedChange struct {
	PostingChange
	Body *Noted
}

type withdrawal struct {
	PostingChange
	Body struct {
		Noted
		Reason string `json:"reason" doc:"agreement, expired, no-longer-available, duplicate, error or other"`
	}
}

type succession struct {
	PostingChange
	Body struct {
		Noted
		ReplacedBy protocol.ListingID `json:"replaced_by" doc:"another published listing of the organisation"`
	}
}

type revocation struct {
	PostingChange
	Body struct {
		Note string `json:"note" maxLength:"2000" doc:"why, in at most 500 characters: its owner is told"`
	}
}

type adoption struct {
	PostingInput
	Body struct {
		Organisation access.OrganisationID `json:"organisation" maxLength:"40" doc:"whose listing it is, where no posting says so"`
		SourceID     string                `json:"source_id,omitempty" maxLength:"200" doc:"its id in the system that it was imported from: the next import finds the listing by it, and publishes it a second time without it"`
		Origin       string                `json:"imported_from,omitempty" maxLength:"200" doc:"the import that it came by: file, mapping NAME or repository NAME; the next import says it otherwise"`
	}
}

func (a *API) lifeRoutes(h huma.API) {
	const at, post = "/postings/{id}/", http.MethodPost
	postings := a.cfg.House.Postings
	a.change(h, "renew", "Add a year to the validity of what is published", access.RenewPosting, func(ctx context.Context, p place) (*posting.Posting, error) {
		return postings.Renew(ctx, p.actor, p.id, p.version)
	})
	a.change(h, "lift", "Bring back what is on hold", access.HoldPosting, func(ctx context.Context, p place) (*posting.Posting, error) {
		return postings.Lift(ctx, p.actor, p.id, p.version)
	})
	huma.Register(h, a.permitted("hold", post, at+"hold", "Take a published listing out of the catalogue for a while", access.HoldPosting),
		func(ctx context.Context, in *notedChange) (*postingOutput, error) {
			return a.end(ctx, in.PostingChange, access.HoldPosting, func(p place) (*posting.Posting, error) {
				note := ""
				if in.Body != nil {
					note = in.Body.Note
				}
				return postings.Hold(ctx, p.actor, p.id, p.version, note)
			})
		})
	huma.Register(h, a.permitted("withdraw-posting", post, at+"withdraw", "Withdraw a listing for ever: its id never returns", access.WithdrawPosting),
		func(ctx context.Context, in *withdrawal) (*postingOutput, error) {
			return a.end(ctx, in.PostingChange, access.WithdrawPosting, func(p place) (*posting.Posting, error) {
				return postings.Withdraw(ctx, p.actor, p.id, p.version, in.Body.Reason, in.Body.Note)
			})
		})
	huma.Register(h, a.permitted("supersede", post, at+"supersede", "End a listing for ever in favour of another", access.WithdrawPosting),
		func(ctx context.Context, in *succession) (*postingOutput, error) {
			return a.end(ctx, in.PostingChange, access.WithdrawPosting, func(p place) (*posting.Posting, error) {
				return postings.Supersede(ctx, p.actor, p.id, p.version, in.Body.ReplacedBy, in.Body.Note)
			})
		})
	huma.Register(h, a.permitted("revoke", post, at+"revoke", "End a listing for ever, by the agency", access.RevokePosting),
		func(ctx context.Context, in *revocation) (*postingOutput, error) {
			return a.end(ctx, in.PostingChange, access.RevokePosting, func(p place) (*posting.Posting, error) {
				return postings.Revoke(ctx, p.actor, p.id, p.version, in.Body.Note)
			})
		})
	huma.Register(h, a.permitted("adopt", post, at+"adopt", "Keep what the catalogue has of this node's listing and no posting keeps, after a restore", access.RevokePosting), a.adopted)
}

func (a *API) end(ctx context.Context, in PostingChange, action access.Action, do func(place) (*posting.Posting, error)) (*postingOutput, error) {
	at, err := a.begin(ctx, in.ID, &in.IfMatch, action)
	if err != nil {
		return nil, err
	}
	h, err := do(at)
	return a.outcome(ctx, at.actor, h, err)
}

func (a *API) adopted(ctx context.Context, in *adoption) (*postingOutput, error) {
	actor := door.ActorOf(ctx)
	h, err := a.cfg.House.Postings.Adopt(ctx, actor, protocol.ListingID(in.ID), posting.Adoption{
		Organisation: in.Body.Organisation, SourceID: in.Body.SourceID, Origin: in.Body.Origin,
	})
	return a.outcome(ctx, actor, h, err)
}
