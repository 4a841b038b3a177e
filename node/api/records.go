package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
)

// Full records, of whatever origin, as far as who asks may see them.

// FullView is what the actor sees of a full record.
type FullView struct {
	Listing  *protocol.Listing `json:"listing" doc:"the summary beside which the record stands"`
	Record   *protocol.Record  `json:"record" doc:"what the actor may see of it"`
	Level    protocol.Level    `json:"level" doc:"the highest that is shown"`
	Withheld []protocol.Level  `json:"withheld" doc:"of which the summary says that there is more"`
	Age      int64             `json:"age" doc:"seconds since it came from its origin"`
	FromCopy bool              `json:"from_copy" doc:"the origin could not be asked; or all of it is public, and was fetched within the hour"`
	Verified bool              `json:"verified" doc:"the signed summary names every part of it; not so of level invited, for which the origin's word stands"`
	Contact  *house.Agency     `json:"contact,omitempty" doc:"of this node's own listings: the agency that brokers contacts"`
}

type fullInput struct {
	Known
	RefInput
}

type fullOutput struct {
	Age  string `header:"Age" doc:"seconds since it came from its origin"`
	Body FullView
}

func (a *API) recordRoutes(h huma.API) {
	op := ours("full-record", http.MethodGet, "/listings/{origin}/{id}/full",
		"The full record, as far as one may see it: 401 where signing in may help, 503 where its origin cannot be reached and no copy is here")
	op.Security = append(op.Security, map[string][]string{}) // strangers read what is public
	huma.Register(h, op, a.full)
}

func (a *API) full(ctx context.Context, in *fullInput) (*fullOutput, error) {
	ref, err := match.ParseRef(in.Origin, in.ID)
	if err != nil {
		return nil, a.problem(err)
	}
	x, err := a.cfg.House.Records.Get(ctx, record.Ref(ref), door.ActorOf(ctx))
	if err != nil {
		return nil, a.refusal(ctx, a.foreign(ref, err))
	}
	out := &fullOutput{Body: FullView{
		Listing: x.Listing, Record: x.Record, Level: x.Level, Withheld: append([]protocol.Level{}, x.Withheld...),
		Age: int64(x.Age / time.Second), FromCopy: x.FromCache, Verified: x.Verified,
	}}
	out.Age = strconv.FormatInt(out.Body.Age, 10)
	if c := a.cfg.House.Agency(); ref.Origin == a.cfg.Member && c != (house.Agency{}) {
		out.Body.Contact = &c
	}
	return out, nil
}

// foreign bounds what another node's refusal can make this one say of itself.
func (a *API) foreign(ref match.Ref, err error) error {
	var e *protocol.Error
	if ref.Origin == a.cfg.Member || !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case protocol.CodeNotFound, protocol.CodeNotPermitted, protocol.CodeUnavailable, protocol.CodeReadOnly:
		return err
	}
	return &protocol.Error{Code: protocol.CodeUnavailable, Err: err, Message: string(ref.Origin) + ", where the full record is kept, gave none that its summary names: try again later"}
}
