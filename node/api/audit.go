package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/protocol"
)

// The audit log, for auditors and administrators.

// AuditFilter narrows the audit log.
type AuditFilter struct {
	Actor        string    `query:"actor" maxLength:"64" doc:"a person's id, or a pseudonym of the log"`
	Kind         string    `query:"kind" enum:"person,token,operator,node" doc:"who acted"`
	Action       string    `query:"action" maxLength:"64" doc:"such as user.roles; with a dot at its end all that begin so"`
	ResourceKind string    `query:"resource_kind" maxLength:"64" doc:"what was acted on, such as posting or person"`
	Resource     string    `query:"resource" maxLength:"256" doc:"its id"`
	Since        time.Time `query:"since" doc:"from then on"`
	Until        time.Time `query:"until" doc:"before then"`
}

func (f *AuditFilter) filter() audit.Filter {
	return audit.Filter{
		Actor: f.Actor, Kind: audit.ActorKind(f.Kind), Action: f.Action, ResourceKind: f.ResourceKind, Resource: f.Resource, From: f.Since, Until: f.Until,
	}
}

func (f *AuditFilter) values() url.Values {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339Nano)
	}
	return url.Values{
		"actor": {f.Actor}, "kind": {f.Kind}, "action": {f.Action}, "resource_kind": {f.ResourceKind}, "resource": {f.Resource},
		"since": {at(f.Since)}, "until": {at(f.Until)},
	}
}

type auditInput struct {
	Known
	PageParams
	AuditFilter
}

// AuditPage is a page of the audit log, the newest first. It may be short, and even empty, although another follows.
type AuditPage struct {
	Entries []house.LogEntry `json:"entries"`
	Next    string           `json:"next,omitempty"`
}

type auditOutput struct {
	Link string `header:"Link"`
	Body AuditPage
}

type auditExportInput struct {
	Known
	AuditFilter
}

// exportsAtOnce bounds how many read the whole log at the same time.
const exportsAtOnce = 2

func (a *API) auditRoutes(h huma.API) {
	huma.Register(h, ours("audit", http.MethodGet, "/audit", "What was done on this node and by whom, the newest first"), a.auditPage)
	slots := make(chan struct{}, exportsAtOnce)
	export := ours("audit-export", http.MethodGet, "/audit/export", "The audit log as JSON Lines, the oldest first, with its chain of hashes")
	export.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/jsonl": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	huma.Register(h, export,
		func(ctx context.Context, in *auditExportInput) (*huma.StreamResponse, error) {
			if err := access.Can(door.ActorOf(ctx), access.ReadAudit, access.Resource{}); err != nil {
				return nil, a.refusal(ctx, err)
			}
			select {
			case slots <- struct{}{}:
			default:
				return nil, a.refusal(ctx, protocol.Errorf(protocol.CodeUnavailable, "", "%d exports of the audit log are under way already: try again in a minute", exportsAtOnce))
			}
			return &huma.StreamResponse{Body: func(huma.Context) {
				defer func() { <-slots }()
				a.exportAudit(ctx, browserOf(ctx), in.filter())
			}}, nil
		})
}

func (a *API) exportAudit(ctx context.Context, b browser, f audit.Filter) {
	ctx, cancel := context.WithTimeout(ctx, feedLongest)
	defer cancel()
	b.w.Header().Set("Content-Type", "application/jsonl")
	b.w.Header().Set("X-Accel-Buffering", "no")
	if b.r.Method == http.MethodHead {
		return
	}
	if err := a.cfg.House.ExportLog(ctx, door.ActorOf(ctx), steady{b.w, http.NewResponseController(b.w)}, f); err != nil {
		if !errors.Is(err, context.Canceled) {
			a.cfg.Log.Warn("export of the audit log ended early", "error", err)
		}
		panic(http.ErrAbortHandler) // so that the reader sees that it is not complete
	}
}

func (a *API) auditPage(ctx context.Context, in *auditInput) (*auditOutput, error) {
	list := "audit?" + in.values().Encode()
	place, err := a.cursorPlace(door.ActorOf(ctx), list, in.Cursor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	before, _ := strconv.ParseUint(place, 10, 64) // ours, or nothing
	var page AuditPage
	var next uint64
	page.Entries, next, err = a.cfg.House.Log(door.ActorOf(ctx), in.filter(), before, in.Limit)
	if next > 0 {
		page.Next = a.placeCursor(door.ActorOf(ctx), list, strconv.FormatUint(next, 10))
	}
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &auditOutput{nextLink(base+"/audit", in.values(), in.Limit, page.Next), page}, nil
}
