// Package api is the REST interface of a node, under /api/v1, and what the node serves to strangers at
// /.well-known/tmh/charter.
//
// Who may use which address stands in one table (routes.go). Who asks is told by a session's cookie, a token, the operator's
// token, or the node's own unix socket, which is what Operator is for. Faults are RFC 9457 problems (application/problem+json)
// with a code of package protocol, and name every fault of a request at once, by field; causes are logged and never shown. A
// listing travels in protocol.Listing's own JSON form. The OpenAPI 3.1 description at /api/v1/openapi.json is made from the same
// Go types that answer.
//
// Answers about people must not be kept on the way (Cache-Control: no-store). What is edited has a version, which is its entity
// tag: an edit says in If-Match which one it saw (428 without, 412 where something changed since).
//
// The entity tag of a listing is weak and is made of its header hash and of what the node says about its copy: a listing
// whose copy went stale is sent again, although its origin did not change it.
package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/node/live"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/replay"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
)

// Desk is what the API asks of the node. Errors for people are *protocol.Error or protocol.Errors; any other error is
// answered as a fault of the node. All methods are safe for concurrent use.
type Desk interface {
	// Publish creates or revises a listing of this node; it is idempotent. It returns when the change is durable.
	Publish(ctx context.Context, l *protocol.Listing) (exchange.Receipt, error)
	Withdraw(ctx context.Context, id protocol.ListingID, t protocol.Tombstone) (exchange.Receipt, error)
	// Entry fails with CodeNotFound where nothing is held under ref. A withdrawn listing is an entry.
	Entry(ref match.Ref) (exchange.Entry, error)
	// Entries takes as after the zero Ref, or the Next of the page before.
	Entries(f match.Filter, after match.Ref, limit int) (exchange.Page, error)
	// Match asks with the listing that stands at q.Self where q has neither a text nor a listing.
	Match(ctx context.Context, q match.Query) (exchange.MatchAnswer, error)
	// Suggest completes what is being typed, at most n times.
	Suggest(typed string, n int) []match.Suggestion
	Counterparts(ctx context.Context, ref match.Ref, f match.Filter, limit, offset int) (exchange.MatchAnswer, error)
	Members() []exchange.MemberState
	Member(id protocol.MemberID) (exchange.MemberDetail, error)
	Figures() stats.Report
	Health() exchange.Health
	// Feed gives the lines of a member's exported feed to each, from one goroutine, and ends when each fails. It fails with
	// CodeUnavailable while the copy is not proven.
	Feed(ctx context.Context, origin protocol.MemberID, each func(FeedLine) error) error
	// Papers are the charter chain and the member cards in their wire form.
	Papers() []byte
	// Adopt takes charters and cards in their wire form: what is valid and newer than what the node has.
	Adopt(papers []byte) error
	// Import reads listings from r, in format "jsonl" or "csv", and calls each with its running report, from one goroutine.
	// It ends early when each fails.
	Import(ctx context.Context, format string, r io.Reader, each func(exchange.ImportEvent) error) error
}

// Config of an API.
type Config struct {
	Desk     Desk
	Operator Operator                                // nil: the operator's side has no more than the public one
	Decode   func([]byte) (*protocol.Listing, error) // strict: refuses what the origin must not sign; all faults at once
	Gatherer prometheus.Gatherer                     // nil: /metrics is empty
	Door     *door.Keeper                            // who asks; nil: strangers alone
	House    *house.House                            // people, their listings, full records; nil: none of that is served
	Member   protocol.MemberID                       // whose node this is
	Site     func() interop.Site                     // the node as others' forms name it; nil: by Member and the house's public address
	Backup   func(context.Context, io.Writer) error  // writes a backup, for the operator's listener alone; nil: none
	Version  string                                  // of the software
	Secret   []byte                                  // authenticates cursors; nil: a random one, and a restart ends the cursors that were given
	Limits   *Limits                                 // how much one visitor may ask; nil: DefaultLimits
	Load     *Load                                   // how much is done at once; nil: DefaultLoad
	Refused  func()                                  // is told of each request that was refused because the node is busy; may be nil
	Live     *live.Hub                               // queries that are followed; nil: none are
	Replay   *replay.Log                             // keeps answers to requests with an Idempotency-Key; nil: the header has no effect
	Now      func() time.Time                        // wall clock, by which listings expire; nil: time.Now
	Log      *slog.Logger                            // nil: slog.Default
}

// API is made by New.
type API struct {
	cfg              Config
	door             *door.Keeper
	public, operator http.Handler
	bounded          guard // what bounds reading of strangers
	load             *admission
	secret           []byte
	site             string // the node's public address, "" for none
	description      []byte // OpenAPI, of what strangers reach
	streams          streams
}

// New builds the handlers; it starts nothing.
func New(cfg Config) *API {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Gatherer == nil {
		cfg.Gatherer = prometheus.NewRegistry()
	}
	if cfg.Door == nil {
		cfg.Door = &door.Keeper{Member: cfg.Member}
	}
	a := &API{cfg: cfg, door: cfg.Door, secret: cfg.Secret}
	if a.secret == nil {
		a.secret = make([]byte, sha256.Size)
		_, _ = rand.Read(a.secret) // never fails
	}
	if cfg.House != nil {
		a.site = strings.TrimSuffix(cfg.House.PublicURL(), "/")
	}
	if a.cfg.Site == nil {
		a.cfg.Site = func() interop.Site {
			return interop.Site{Member: cfg.Member, MemberName: string(cfg.Member), PublicURL: a.site, Now: cfg.Now}
		}
	}
	operator := a.routes(a.asOperator, limits{}.orNone(), unhindered)
	lim, load := a.newLimits(cfg.Limits), newAdmission(a, cfg.Load)
	public := a.routes(a.identify, lim, load.admit)
	a.load = load
	a.bounded = func(next http.Handler) http.Handler {
		return a.common(load.through(a.identify(lim.reads(next)), http.HandlerFunc(load.refuse)))
	}
	a.operatorRoutes(operator)
	a.public, a.operator = public, a.withBackup(operator)
	return a
}

// Public handles /api/ and /.well-known/tmh/ of the listener that the world reaches.
func (a *API) Public() http.Handler { return a.public }

// Bounded is a handler of reading requests with the bounds that the API's own costly ones have: how often one visitor may ask, and
// how many are worked on at once.
func (a *API) Bounded(next http.Handler) http.Handler { return a.bounded(next) }

// Costly gives a page that takes as much work as a question to the API a place among those. Where none is free in time, refused answers
// with a page of its own; Retry-After is set.
func (a *API) Costly(page, refused http.Handler) http.Handler { return a.load.through(page, refused) }

// Operator handles the same routes, and those of Config.Operator, for a listener that only the node's operator reaches: no
// token is asked for.
func (a *API) Operator() http.Handler { return a.operator }

const base = "/api/v1"

type guard = func(http.Handler) http.Handler

// Description of the API in OpenAPI 3.1, as it is served.
func (a *API) Description() []byte { return a.description }

func (a *API) routes(identify guard, lim limits, admit guard) chi.Router {
	r := chi.NewRouter()
	operatorOnly := a.wants(access.Operate)
	r.Use(a.common, admit, identify, lim.reads, lim.writes, a.replayed, middleware.GetHead)
	r.NotFound(a.noRoute)
	r.MethodNotAllowed(a.noMethod(r))
	h := humachi.New(r, humaConfig(a.cfg.Version, a.explain))
	h.UseMiddleware(a.acceptable)
	guarded := huma.Middlewares{guardOperation(operatorOnly)}
	a.listingRoutes(h, guarded)
	a.matchRoutes(h)
	if a.cfg.Live != nil {
		a.liveRoutes(h)
	}
	a.nodeRoutes(h)
	a.exportRoutes(h)
	if a.cfg.House != nil {
		a.sessionRoutes(h, lim)
		a.linkRoutes(h, lim)
		a.accountRoutes(h, lim)
		a.peopleRoutes(h)
		a.organisationRoutes(h)
		a.tokenRoutes(h)
		a.auditRoutes(h)
		a.postingRoutes(h)
		a.draftRoutes(h)
		a.reviewRoutes(h)
		a.grantRoutes(h)
		a.recordRoutes(h)
		a.documentRoutes(h, lim)
		a.intakeRoutes(h, lim)
	}

	r.Get(base+"/members/{id}/feed", a.feed())
	r.Get("/.well-known/tmh/charter", a.papers)
	r.With(operatorOnly).Post(base+"/imports", a.imports)
	r.With(operatorOnly).Post(base+"/papers", a.adopt)
	metrics := promhttp.HandlerFor(a.cfg.Gatherer, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(a.cfg.Log.Handler(), slog.LevelError)})
	r.With(operatorOnly).Method(http.MethodGet, base+"/metrics", metrics)
	r.Get(problemsPath, a.problemPages)
	r.Get(problemsPath+"/{code}", a.problemPage)
	description := describe(h)
	a.description = description
	r.Get(base+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(description)
	})
	return r
}

func (a *API) noRoute(w http.ResponseWriter, _ *http.Request) {
	a.write(w, newProblem(http.StatusNotFound, protocol.Errors{protocol.Errorf(protocol.CodeNotFound, "",
		"no such address; "+base+"/openapi.json lists all of them")}))
}

func (a *API) noMethod(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			probe := m
			if m == http.MethodHead {
				probe = http.MethodGet
			}
			if routes.Match(chi.NewRouteContext(), probe, r.URL.Path) {
				w.Header().Add("Allow", m)
			}
		}
		a.write(w, newProblem(http.StatusMethodNotAllowed, protocol.Errors{protocol.Errorf(protocol.CodeValue, "method",
			"this address does not take the method; the Allow header says which it takes")}))
	}
}

func (a *API) papers(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(a.cfg.Desk.Papers())
}

// adopt takes charters and cards that the operator brings.
func (a *API) adopt(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, protocol.MaxPapers))
	if err == nil {
		err = a.cfg.Desk.Adopt(b)
	} else {
		err = protocol.Errorf(protocol.CodeTooLarge, "papers", "at most %d bytes", protocol.MaxPapers)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) today() protocol.Date { return protocol.DateOf(a.cfg.Now()) }
