package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// What became of an import: its rows, a file of those that were refused, and how it goes on while it does.

// ImportRow is what became of one row, or of a listing that left with its source.
type ImportRow struct{ intake.Row }

type rowsInput struct {
	ImportInput
	PageParams
	Outcome []string `query:"outcome" maxItems:"20" doc:"only rows of these outcomes; several by commas"`
}

// ImportRowsPage is a page of an import's report, in the order of its file.
type ImportRowsPage struct {
	Rows []ImportRow `json:"rows"`
	Next string      `json:"next,omitempty" doc:"cursor of the next page; absent at the end of a finished import. While it is not finished, it leads to what is yet to come. A page may be short or empty although more follow"`
}

type rowsOutput struct {
	Link string `header:"Link"`
	Body ImportRowsPage
}

type importMappingOutput struct{ Body mapping.Mapping }

func (a *API) reportRoutes(h huma.API) {
	const get = http.MethodGet
	huma.Register(h, a.permitted("import-rows", get, "/imports/{id}/rows", "What became of the rows of an import; of a dry run, what would, with all changes", access.ReadImport), a.importRows)
	faults := a.permitted("import-errors", get, "/imports/{id}/errors", "The refused rows of a finished import, as a file to be corrected and sent again: as they came, with a column that says what is wrong", access.ReadImport)
	huma.Register(h, faults, a.importErrors)
	huma.Register(h, a.permitted("import-mapping", get, "/imports/{id}/mapping", "The mapping of an import, as it was when that began", access.ReadImport),
		func(ctx context.Context, in *ImportInput) (*importMappingOutput, error) {
			if err := a.ofImport(ctx, in.ID, access.ReadImport); err != nil {
				return nil, err
			}
			m, err := a.cfg.House.Imports.MappingOf(door.ActorOf(ctx), in.ID)
			if err != nil {
				return nil, a.refusal(ctx, err)
			}
			return &importMappingOutput{wholeMapping(m)}, nil
		})
	events := a.permitted("import-events", get, "/imports/{id}/events", "How an import goes on, as server-sent events: “import” with the import whenever it changed, until it is finished", access.ReadImport)
	events.Description = "The id of an event is the import's version. The stream ends after the last state, and after a quarter of an hour, when a client asks again. 204 to who has heard the last state already."
	huma.Register(h, events, a.importEvents)
	doc := h.OpenAPI()
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	doc.Paths[faults.Path].Get.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
		fileType(table.CSV): binary, fileType(table.XLSX): binary, fileType(table.JSONL): binary,
	}}
	doc.Paths[events.Path].Get.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{eventMediaType: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	doc.Paths[events.Path].Get.Responses["204"] = &huma.Response{Description: "The import is finished, and Last-Event-ID names its last state"}
}

func (a *API) importRows(ctx context.Context, in *rowsInput) (*rowsOutput, error) {
	if err := a.ofImport(ctx, in.ID, access.ReadImport); err != nil {
		return nil, err
	}
	slices.Sort(in.Outcome)
	var want []posting.ImportOutcome
	for _, s := range in.Outcome {
		if !slices.Contains(outcomes(), s) {
			return nil, a.problem(protocol.Errorf(protocol.CodeValue, "outcome", "is none: take of %s", strings.Join(outcomes(), ", ")))
		}
		want = append(want, posting.ImportOutcome(s))
	}
	by, kinds := door.ActorOf(ctx), strings.Join(in.Outcome, ",")
	list := "import rows " + string(in.ID) + " " + kinds
	place, err := a.cursorPlace(by, list, in.Cursor)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	after := int64(0)
	if place != "" {
		if after, err = strconv.ParseInt(place, 10, 64); err != nil {
			return nil, a.refusal(ctx, err)
		}
	}
	page, err := a.cfg.House.Imports.Rows(by, in.ID, want, after, in.Limit)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	out := &rowsOutput{Body: ImportRowsPage{Rows: make([]ImportRow, len(page.Rows))}}
	for i, r := range page.Rows {
		out.Body.Rows[i] = ImportRow{r}
	}
	if page.Next > 0 {
		out.Body.Next = a.placeCursor(by, list, strconv.FormatInt(page.Next, 10))
	}
	out.Link = nextLink(base+"/imports/"+string(in.ID)+"/rows", url.Values{"outcome": {kinds}}, in.Limit, out.Body.Next)
	return out, nil
}

func fileType(f table.Format) string {
	switch f {
	case table.CSV, intake.Harvested:
		return "text/csv"
	case table.XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case table.JSONL:
		return "application/jsonl"
	}
	return "application/octet-stream"
}

// errorsName is what the file of a job's refused rows is called.
func errorsName(j intake.Job) string {
	end := string(j.Format)
	if j.Format == intake.Harvested {
		end = string(table.CSV)
	}
	name := j.Filename
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	if name = strings.Trim(name, " ."); name == "" {
		name = "import"
	}
	return name + ".errors." + end
}

func (a *API) importErrors(ctx context.Context, in *ImportInput) (*huma.StreamResponse, error) {
	if err := a.ofImport(ctx, in.ID, access.ReadImport); err != nil {
		return nil, err
	}
	by := door.ActorOf(ctx)
	j, err := a.cfg.House.Imports.Job(by, in.ID)
	if err != nil {
		return nil, a.refusal(ctx, err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humachi.Unwrap(hc)
		d := &download{w: w, rc: http.NewResponseController(w), head: r.Method == http.MethodHead, kind: fileType(j.Format), name: errorsName(j)}
		err := a.cfg.House.Imports.Errors(by, in.ID, d)
		switch {
		case err == nil && !d.begun:
			d.begin() // of an empty file
		case err == nil, d.head && d.begun:
		case !d.begun:
			a.refuse(w, by, err)
		default:
			if !errors.Is(err, context.Canceled) {
				a.cfg.Log.Info("a file of errors was not delivered whole", "error", err)
			}
			panic(http.ErrAbortHandler) // so that its receiver sees it
		}
	}}, nil
}

// download is a file that begins with its first byte: what goes wrong before is a problem. Every write has its own deadline.
type download struct {
	w          http.ResponseWriter
	rc         *http.ResponseController
	head       bool
	kind, name string
	begun      bool
}

func (d *download) begin() {
	d.begun = true
	h := d.w.Header()
	h.Set("Content-Type", d.kind)
	h.Set("Content-Disposition", "attachment")
	if s := mime.FormatMediaType("attachment", map[string]string{"filename": d.name}); s != "" {
		h.Set("Content-Disposition", s)
	}
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
}

func (d *download) Write(b []byte) (int, error) {
	if !d.begun {
		d.begin()
	}
	if d.head {
		return 0, io.ErrShortWrite // the rest need not be made
	}
	_ = d.rc.SetWriteDeadline(time.Now().Add(idle)) // not all writers have deadlines
	return d.w.Write(b)
}

func (a *API) importEvents(ctx context.Context, in *ImportInput) (*huma.StreamResponse, error) {
	if err := a.ofImport(ctx, in.ID, access.ReadImport); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humachi.Unwrap(hc)
		by := door.ActorOf(r.Context())
		if j, err := a.cfg.House.Imports.Job(by, in.ID); err == nil && j.State.Finished() && r.Header.Get("Last-Event-ID") == strconv.FormatUint(j.Version, 10) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		a.events(w, r, func(ctx context.Context, e *eventStream) error {
			return a.cfg.House.Imports.Watch(ctx, by, in.ID, func(j intake.Job) error {
				return e.Send("import", strconv.FormatUint(j.Version, 10), ImportJob{j})
			})
		})
	}}, nil
}
