package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
)

// Listings at their origin, from the draft to the end. Whose they are not learns nothing of them, not even that they are.

// PostingView is a posting as the actor sees it.
type PostingView struct {
	Posting   *posting.Posting   `json:"posting"`
	State     posting.State      `json:"state" doc:"as people are told; expired is computed"`
	Waits     posting.Action     `json:"waits,omitempty" doc:"an action that was asked for and waits to be signed"`
	Actions   []string           `json:"actions" doc:"what the actor may do now, by the addresses' last words"`
	Content   *posting.Content   `json:"content,omitempty" doc:"the draft, or what is published where nothing is being written"`
	Checklist *posting.Checklist `json:"checklist,omitempty"`
	Reviews   []posting.Review   `json:"reviews,omitempty" doc:"the oldest first"`
	Suspects  []posting.Suspect  `json:"suspects,omitempty" doc:"listings that look like it: to look at, they hinder nothing"`
}

type postingOutput struct {
	Status   int
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     *PostingView
}

type PostingInput struct {
	Known
	ID string `path:"id" maxLength:"100"`
}

// PostingsPage is a page of postings, the newest first.
type PostingsPage struct {
	Postings []PostingView `json:"postings" doc:"without contents and histories"`
	Next     string        `json:"next,omitempty" doc:"cursor of the next page; absent at the end. A page may be short although more follow"`
}

type postingsInput struct {
	Known
	PageParams
	Organisation access.OrganisationID `query:"organisation" maxLength:"40" doc:"one's own by default; all: everybody's, for the agency"`
	State        posting.State         `query:"state" maxLength:"20" doc:"draft, submitted, in-review, rejected, published, expired, on-hold, withdrawn, superseded or revoked"`
	Revision     posting.State         `query:"revision" maxLength:"20" doc:"of the draft beside what is published: draft, submitted, in-review or rejected"`
}

type postingsOutput struct {
	Link string `header:"Link" doc:"rel=next, unless this is the last page"`
	Body PostingsPage
}

func (a *API) postingRoutes(h huma.API) {
	const get = http.MethodGet
	huma.Register(h, a.permitted("postings", get, "/postings", "Listings at their origin, the newest first", access.ReadPosting), a.postings)
	huma.Register(h, a.permitted("missing", get, "/postings/missing", "What a restore left incomplete", access.ReadPosting), a.missing)
	huma.Register(h, a.permitted("by-reference", get, "/postings/by-reference/{reference}", "One by its reference, such as TO-KH-20260921-001", access.ReadPosting),
		func(ctx context.Context, in *referenceInput) (*postingOutput, error) {
			found, err := a.cfg.House.Postings.Find(unscoped(ctx), in.Reference)
			if err != nil {
				return nil, a.hidden(ctx, err)
			}
			return a.whole(ctx, string(found.ID))
		})
	huma.Register(h, a.permitted("posting", get, "/postings/{id}", "One, with its content, checklist and reviews", access.ReadPosting),
		func(ctx context.Context, in *PostingInput) (*postingOutput, error) { return a.whole(ctx, in.ID) })
	huma.Register(h, a.permitted("preview", get, "/postings/{id}/preview", "What a reader of a level would see", access.ReadPosting), a.preview)
	a.lifeRoutes(h)
}

// permitted is an operation that wants an action. Who could not do it with any posting is refused before anything is read.
func (a *API) permitted(id, method, path, summary string, action access.Action) huma.Operation {
	return ours(id, method, path, summary, guardOperation(a.could(action)))
}

// could lets through whose role, and token, allow the action with some posting or other.
func (a *API) could(action access.Action) guard {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			actor := door.ActorOf(r.Context())
			err := access.Can(actor, action, access.Resource{Organisation: actor.Organisation})
			if err != nil && access.Can(actor, action, access.Resource{Organisation: "another"}) != nil {
				a.refuse(w, actor, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// unscoped is the actor without the bounds of the token: to judge what to hide.
func unscoped(ctx context.Context) access.Actor {
	actor := door.ActorOf(ctx)
	actor.Scopes = nil
	return actor
}

// hidden answers in the same words for a posting that is not there and for one that is not the actor's to see.
func (a *API) hidden(ctx context.Context, err error) error {
	if c := protocol.CodeOf(err); c == protocol.CodeNotFound || c == protocol.CodeNotPermitted {
		err = protocol.Errorf(protocol.CodeNotFound, "id", "there is no such listing on this node, or not for you: look for it in the list of your organisation's")
	}
	return a.refusal(ctx, err)
}

// posting that the actor may do that with.
func (a *API) posting(ctx context.Context, id string, action access.Action) (*posting.Posting, error) {
	h, err := a.cfg.House.Postings.Get(unscoped(ctx), protocol.ListingID(id))
	if err != nil {
		return nil, a.hidden(ctx, err)
	}
	if err := access.Can(door.ActorOf(ctx), action, access.Resource{Organisation: h.Organisation, Author: h.Author}); err != nil {
		return nil, a.refusal(ctx, err)
	}
	return h, nil
}

// place of a change: who, what, and the version that the change began at.
type place struct {
	actor   access.Actor
	id      protocol.ListingID
	version uint64
}

// begin a change: first of all it has to be permitted.
func (a *API) begin(ctx context.Context, id string, in *IfMatch, action access.Action) (place, error) {
	h, err := a.posting(ctx, id, action)
	if err != nil {
		return place{}, err
	}
	v, err := in.version()
	return place{door.ActorOf(ctx), h.ID, v}, err
}

// change registers an operation that wants nothing but the version.
func (a *API) change(h huma.API, verb, summary string, action access.Action, do func(context.Context, place) (*posting.Posting, error)) {
	huma.Register(h, a.permitted(verb, http.MethodPost, "/postings/{id}/"+verb, summary, action), func(ctx context.Context, in *PostingChange) (*postingOutput, error) {
		at, err := a.begin(ctx, in.ID, &in.IfMatch, action)
		if err != nil {
			return nil, err
		}
		p, err := do(ctx, at)
		return a.outcome(ctx, at.actor, p, err)
	})
}

// outcome of a change.
func (a *API) outcome(ctx context.Context, actor access.Actor, h *posting.Posting, err error) (*postingOutput, error) {
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return a.changed(actor, h), nil
}

func (a *API) changed(actor access.Actor, h *posting.Posting) *postingOutput {
	v := a.view(actor, h)
	return &postingOutput{Status: http.StatusOK, ETag: versionTag(h.Version), Body: &v}
}

func (a *API) view(actor access.Actor, h *posting.Posting) PostingView {
	shown := *h
	v := PostingView{Posting: &shown, State: h.State(a.today()), Actions: a.verbs(actor, h)}
	if h.Pending != nil {
		v.Waits, shown.Pending = h.Pending.Action, nil
	}
	return v
}

// verbs are the allowed actions as the addresses call them.
func (a *API) verbs(actor access.Actor, h *posting.Posting) []string {
	all := []string{}
	for _, action := range a.cfg.House.Postings.Allowed(actor, h) {
		switch action {
		case posting.TakeAway:
			continue // at the pages alone
		case posting.Inspect:
			action = posting.Take
		case posting.PassOn:
			action = posting.HandOver
		case posting.Pass, posting.Clear:
			action = "review"
		}
		if !slices.Contains(all, string(action)) {
			all = append(all, string(action))
		}
	}
	r := access.Resource{Organisation: h.Organisation}
	if !h.Ended() && access.Can(actor, access.WriteDocument, r) == nil {
		all = append(all, "documents")
	}
	if !h.Ended() && access.Can(actor, access.GrantAccess, r) == nil {
		all = append(all, "grants")
	}
	return all
}

func (a *API) whole(ctx context.Context, id string) (*postingOutput, error) {
	if _, err := a.posting(ctx, id, access.ReadPosting); err != nil {
		return nil, err
	}
	actor := door.ActorOf(ctx)
	h, c, err := a.cfg.House.Postings.Content(actor, protocol.ListingID(id))
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	reviews, err := a.cfg.House.Postings.Reviews(actor, protocol.ListingID(id))
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	out := a.changed(actor, h)
	if out.Body.Reviews = reviews; c != nil {
		list := posting.Completeness(&c.Listing, &c.Record)
		out.Body.Content, out.Body.Checklist = c, &list
	}
	return out, nil
}

func (a *API) postings(ctx context.Context, in *postingsInput) (*postingsOutput, error) {
	actor, org := door.ActorOf(ctx), in.Organisation
	switch org {
	case "":
		org = actor.Organisation
	case "all":
		org = ""
	}
	list := "postings " + string(org) + " " + string(in.State) + " " + string(in.Revision)
	after, err := a.cursorPlace(door.ActorOf(ctx), list, in.Cursor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	page, err := a.cfg.House.Postings.List(actor, posting.Filter{Organisation: org, State: in.State, Revision: in.Revision}, after, in.Limit)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	filters := url.Values{"organisation": {string(in.Organisation)}, "state": {string(in.State)}, "revision": {string(in.Revision)}}
	return a.page(actor, page, "/postings", list, filters, in.Limit), nil
}

func (a *API) page(actor access.Actor, page posting.Page, path, list string, filters url.Values, limit int) *postingsOutput {
	out := &postingsOutput{Body: PostingsPage{Postings: []PostingView{}, Next: a.placeCursor(actor, list, page.Next)}}
	for _, h := range page.Postings {
		h.History = []posting.Entry{}
		out.Body.Postings = append(out.Body.Postings, a.view(actor, h))
	}
	out.Link = nextLink(base+path, filters, limit, out.Body.Next)
	return out
}

type referenceInput struct {
	Known
	Reference string `path:"reference" maxLength:"60"`
}

type missingInput struct {
	Known
	PageParams
}

// MissingPage is what a restore left incomplete.
type MissingPage struct {
	Missing []posting.Lack `json:"missing"`
	Next    string         `json:"next,omitempty" doc:"cursor of the next page; absent at the end. A page may be empty although more follow"`
}

type missingOutput struct {
	Link string `header:"Link"`
	Body MissingPage
}

func (a *API) missing(ctx context.Context, in *missingInput) (*missingOutput, error) {
	const list = "missing"
	from, err := a.cursorPlace(door.ActorOf(ctx), list, in.Cursor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	all, next, err := a.cfg.House.Postings.Missing(door.ActorOf(ctx), protocol.ListingID(from), in.Limit)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	out := &missingOutput{Body: MissingPage{append([]posting.Lack{}, all...), a.placeCursor(door.ActorOf(ctx), list, string(next))}}
	out.Link = nextLink(base+"/postings/missing", nil, in.Limit, out.Body.Next)
	return out, nil
}

type previewInput struct {
	Known
	ID    string         `path:"id" maxLength:"100"`
	Level protocol.Level `query:"level" required:"true" enum:"public,registered,restricted,invited" doc:"of restricted: as somebody of the audience"`
}

// PreviewView is what a reader of a level sees.
type PreviewView struct {
	Listing  *protocol.Listing `json:"listing,omitempty" doc:"absent where the listing is by invitation, and the reader is not invited"`
	Record   *protocol.Record  `json:"record,omitempty" doc:"absent where that level shows nothing of it"`
	Level    protocol.Level    `json:"level,omitempty" doc:"the highest that is shown"`
	Withheld []protocol.Level  `json:"withheld" doc:"of which the summary says that there is more"`
}

type previewOutput struct{ Body PreviewView }

func (a *API) preview(ctx context.Context, in *previewInput) (*previewOutput, error) {
	if _, err := a.posting(ctx, in.ID, access.ReadPosting); err != nil {
		return nil, err
	}
	h, c, err := a.cfg.House.Postings.Content(door.ActorOf(ctx), protocol.ListingID(in.ID))
	if err == nil && c == nil {
		err = protocol.Errorf(protocol.CodeConflict, "state", "the listing is %s: nobody is shown anything of it", h.State(a.today()))
	}
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	parts, err := c.Record.Parts(protocol.ListingID(in.ID), nil, nil)
	if err != nil {
		return nil, a.problem(within("record", err))
	}
	c.Listing.BindFull(parts)
	out := &previewOutput{PreviewView{Withheld: []protocol.Level{}}}
	var seen []*protocol.Part
	for _, p := range parts {
		if in.Level.Covers(p.Level) {
			seen = append(seen, p)
			out.Body.Level = p.Level
		} else if p.Level != protocol.LevelInvited {
			out.Body.Withheld = append(out.Body.Withheld, p.Level)
		}
	}
	if len(seen) > 0 {
		if out.Body.Record, err = protocol.Merge(seen...); err != nil {
			return nil, a.refusal(ctx, err)
		}
	}
	if c.Record.Visibility() != protocol.LevelInvited || in.Level == protocol.LevelInvited {
		out.Body.Listing = &c.Listing
	}
	return out, nil
}
