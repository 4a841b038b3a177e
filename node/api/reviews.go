package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// Reviews of what is to be published, and audits of what was.

type queueInput struct {
	Known
	PageParams
	State posting.State `query:"state" enum:"submitted,in-review,due" default:"submitted" doc:"due: published listings that are to be audited"`
}

type verdict struct {
	PostingChange
	Body struct {
		Scores  posting.Scores `json:"scores" doc:"0 to 5 each. A total of 10 or more without a zero publishes, 4 or less rejects, all else returns the draft"`
		Comment string         `json:"comment,omitempty" maxLength:"8000" doc:"what is to be mended, in at most 2000 characters; may be absent where the listing passes"`
	}
}

type handOver struct {
	PostingChange
	Body struct {
		To access.UserID `json:"to" maxLength:"40" doc:"a reviewer of another organisation than the listing's"`
	}
}

type reviewsOutput struct {
	Body struct {
		Reviews []posting.Review `json:"reviews" doc:"the oldest first"`
	}
}

func (a *API) reviewRoutes(h huma.API) {
	const at, post = "/postings/{id}/", http.MethodPost
	postings := a.cfg.House.Postings
	huma.Register(h, a.permitted("queue", http.MethodGet, "/reviews", "What waits for reviewers, the oldest first", access.ReviewPosting), a.queue)
	huma.Register(h, a.permitted("reviews", http.MethodGet, at+"reviews", "Reviews of a listing", access.ReadPosting), a.reviews)
	a.change(h, "take", "Take a case: a submission, or an audit that is due", access.ReviewPosting, func(ctx context.Context, p place) (*posting.Posting, error) {
		return postings.Take(ctx, p.actor, p.id, p.version)
	})
	a.change(h, "release", "Give a case back: any reviewer may take it", access.ReviewPosting, func(ctx context.Context, p place) (*posting.Posting, error) {
		return postings.Release(ctx, p.actor, p.id, p.version, "")
	})
	huma.Register(h, a.permitted("hand-over", post, at+"hand-over", "Hand a case over to another reviewer", access.ReviewPosting), a.handOver)
	huma.Register(h, a.permitted("review", post, at+"review", "Judge the case that one took; what follows is done at once", access.ReviewPosting),
		func(ctx context.Context, in *verdict) (*postingOutput, error) {
			return a.end(ctx, in.PostingChange, access.ReviewPosting, func(p place) (*posting.Posting, error) {
				return postings.Judge(ctx, p.actor, p.id, p.version, in.Body.Scores, in.Body.Comment)
			})
		})
}

func (a *API) queue(ctx context.Context, in *queueInput) (*postingsOutput, error) {
	list := "reviews " + string(in.State)
	after, err := a.cursorPlace(door.ActorOf(ctx), list, in.Cursor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	actor := door.ActorOf(ctx)
	page, err := a.cfg.House.Postings.Queue(actor, in.State, after, in.Limit)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return a.page(actor, page, "/reviews", list, url.Values{"state": {string(in.State)}}, in.Limit), nil
}

func (a *API) reviews(ctx context.Context, in *PostingInput) (*reviewsOutput, error) {
	if _, err := a.posting(ctx, in.ID, access.ReadPosting); err != nil {
		return nil, err
	}
	all, err := a.cfg.House.Postings.Reviews(door.ActorOf(ctx), protocol.ListingID(in.ID))
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	out := new(reviewsOutput)
	out.Body.Reviews = append([]posting.Review{}, all...)
	return out, nil
}

func (a *API) handOver(ctx context.Context, in *handOver) (*postingOutput, error) {
	at, err := a.begin(ctx, in.ID, &in.IfMatch, access.ReviewPosting)
	if err != nil {
		return nil, err
	}
	to, err := a.cfg.House.Colleague(in.Body.To)
	if err != nil && protocol.CodeOf(err) != protocol.CodeNotFound {
		return nil, a.refusal(ctx, err)
	} // nobody may not review it either: it is refused in the same words
	h, err := a.cfg.House.Postings.HandOver(ctx, at.actor, at.id, at.version, to, "")
	return a.outcome(ctx, at.actor, h, err)
}
