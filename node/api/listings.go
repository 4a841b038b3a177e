package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

type listInput struct {
	Known
	FilterParams
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Cursor string `query:"cursor" maxLength:"300" doc:"opaque: the next of the page before"`
}

type listOutput struct {
	Link string `header:"Link" doc:"rel=next, unless this is the last page"`
	Body ListPage
}

// ListPage is a page of listings in the order of (origin, id).
type ListPage struct {
	Entries []exchange.Entry `json:"entries"`
	Next    string           `json:"next,omitempty" doc:"cursor of the next page; absent at the end"`
}

type RefInput struct {
	Origin string `path:"origin" doc:"member that published the listing"`
	ID     string `path:"id" doc:"the id that the member gave it"`
}

type entryInput struct {
	Known
	RefInput
	IfNoneMatch string `header:"If-None-Match"`
}

type ownEntryInput struct {
	Known
	ID          string `path:"id" doc:"the id that this node gave it"`
	IfNoneMatch string `header:"If-None-Match"`
}

type entryOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   *exchange.Entry
}

type publishInput struct {
	Known
	Payload
}

type putInput struct {
	Known
	ID string `path:"id"`
	Payload
}

type withdrawInput struct {
	Known
	ID         string `path:"id"`
	Reason     string `query:"reason" doc:"agreement, expired, no-longer-available, duplicate, superseded, revoked, on-hold (the only one that can be lifted), error or other; also as a member of the body"`
	ReplacedBy string `query:"replaced_by" doc:"the listing of the same origin to look at instead; also as a member of the body"`
	Payload
}

type receiptOutput struct {
	Status   int
	Location string `header:"Location"`
	Body     exchange.Receipt
}

func (a *API) listingRoutes(h huma.API, guarded huma.Middlewares) {
	bearer := []map[string][]string{{"operator": {}}}
	huma.Register(h, huma.Operation{
		OperationID: "list", Method: http.MethodGet, Path: base + "/listings", Summary: "Listings of the whole federation, by origin and id",
	}, a.list)
	huma.Register(h, huma.Operation{
		OperationID: "get", Method: http.MethodGet, Path: base + "/listings/{origin}/{id}",
		Summary: "One listing; 410 with its tombstone where it was withdrawn",
	}, a.entry)
	huma.Register(h, huma.Operation{
		OperationID: "get-own", Method: http.MethodGet, Path: base + "/listings/{id}", Summary: "One listing of this node's own, by its id alone",
	}, func(ctx context.Context, in *ownEntryInput) (*entryOutput, error) {
		return a.entry(ctx, &entryInput{RefInput: RefInput{Origin: string(a.cfg.Member), ID: in.ID}, IfNoneMatch: in.IfNoneMatch})
	})
	huma.Register(h, huma.Operation{
		OperationID: "publish", Method: http.MethodPost, Path: base + "/listings", Summary: "Publish or revise a listing of this node",
		DefaultStatus: http.StatusCreated, Middlewares: guarded, Security: bearer,
	}, func(ctx context.Context, in *publishInput) (*receiptOutput, error) {
		return a.publish(ctx, in.bytes, "")
	})
	huma.Register(h, huma.Operation{
		OperationID: "put", Method: http.MethodPut, Path: base + "/listings/{id}", Summary: "The same, with the id in the address",
		DefaultStatus: http.StatusCreated, Middlewares: guarded, Security: bearer,
	}, func(ctx context.Context, in *putInput) (*receiptOutput, error) {
		return a.publish(ctx, withID(in.bytes, in.ID), in.ID)
	})
	huma.Register(h, huma.Operation{
		OperationID: "withdraw", Method: http.MethodDelete, Path: base + "/listings/{id}",
		Summary:     "Withdraw a listing of this node for ever: its id never returns",
		Middlewares: guarded, Security: bearer, DefaultStatus: http.StatusOK,
	}, a.withdraw)
}

func (a *API) list(_ context.Context, in *listInput) (*listOutput, error) {
	f := in.filter(a.today())
	after, err := a.parseCursor(in.Cursor, f)
	if err != nil {
		return nil, a.problem(err)
	}
	page, err := a.cfg.Desk.Entries(f, after, in.Limit)
	if err != nil {
		return nil, a.problem(err)
	}
	out := &listOutput{Body: ListPage{Entries: append([]exchange.Entry{}, page.Entries...), Next: a.cursor(page.Next, f)}}
	if out.Body.Next != "" {
		out.Link = "<" + base + "/listings?" + in.query(out.Body.Next).Encode() + `>; rel="next"`
	}
	return out, nil
}

// query is the address of the page that begins at next.
func (in *listInput) query(next string) url.Values {
	q := url.Values{"cursor": {next}, "limit": {strconv.Itoa(in.Limit)}}
	in.set(q)
	return q
}

func (a *API) entry(_ context.Context, in *entryInput) (*entryOutput, error) {
	ref, err := match.ParseRef(in.Origin, in.ID)
	if err != nil {
		return nil, a.problem(err)
	}
	e, err := a.cfg.Desk.Entry(ref)
	if err != nil {
		return nil, a.problem(err)
	}
	if e.State == exchange.Withdrawn {
		said := "the listing was withdrawn by its origin; the tombstone says why"
		if e.Tombstone != nil && e.Tombstone.Reason == protocol.OnHold {
			said = "the listing is on hold: its origin took it out of the catalogue for a while, and may bring it back"
		}
		p := a.problem(protocol.Errorf(protocol.CodeWithdrawn, "", "%s", said))
		p.Tombstone = e.Tombstone
		return nil, p
	}
	out := &entryOutput{Status: http.StatusOK, ETag: etag(e)}
	if matches(in.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	out.Body = &e
	return out, nil
}

func etag(e exchange.Entry) string {
	return `W/"` + e.Header.String() + "." + string(e.State) + "." + string(e.Fresh.State) + `"`
}

func matches(header, tag string) bool {
	return slices.ContainsFunc(strings.Split(header, ","), func(s string) bool {
		s = strings.TrimSpace(s)
		return s == "*" || strings.TrimPrefix(s, "W/") == strings.TrimPrefix(tag, "W/")
	})
}

func (a *API) publish(ctx context.Context, body []byte, id string) (*receiptOutput, error) {
	l, err := a.cfg.Decode(body)
	if err != nil {
		return nil, a.problem(err)
	}
	if id != "" && string(l.ID) != id {
		return nil, a.problem(protocol.Errorf(protocol.CodeValue, "id", "is another in the address than in the listing: make them equal"))
	}
	r, err := a.cfg.Desk.Publish(ctx, l)
	if err != nil {
		return nil, a.problem(err)
	}
	out := &receiptOutput{Status: http.StatusOK, Location: listingPath(r.Ref), Body: r}
	if r.Outcome == exchange.Published {
		out.Status = http.StatusCreated
	}
	return out, nil
}

func listingPath(ref match.Ref) string {
	return base + "/listings/" + string(ref.Origin) + "/" + string(ref.ID)
}

func (a *API) withdraw(ctx context.Context, in *withdrawInput) (*receiptOutput, error) {
	t := protocol.Tombstone{Reason: in.Reason, ReplacedBy: protocol.ListingID(in.ReplacedBy)}
	var faults protocol.Errors
	if len(in.bytes) > 0 {
		faults = object(in.bytes, "", map[string]any{"reason": &t.Reason, "replaced_by": &t.ReplacedBy})
	}
	id, err := protocol.ParseListingID(in.ID)
	faults = append(faults, protocol.All(err)...)
	if len(faults) == 0 && !slices.Contains(protocol.Reasons(), t.Reason) {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "reason", "say why: one of %s", strings.Join(protocol.Reasons(), ", ")))
	}
	if t.ReplacedBy != "" {
		if _, err := protocol.ParseListingID(string(t.ReplacedBy)); err != nil {
			faults = append(faults, protocol.Errorf(protocol.CodeValue, "replaced_by", "is no id of a listing"))
		}
	}
	if len(faults) > 0 {
		return nil, a.problem(faults)
	}
	t.At = protocol.InstantOf(a.cfg.Now())
	r, err := a.cfg.Desk.Withdraw(ctx, id, t)
	if err != nil {
		return nil, a.problem(err)
	}
	return &receiptOutput{Status: http.StatusOK, Body: r}, nil
}
