package api

import (
	"bufio"
	"context"
	"io"
	"iter"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// Downloads: the catalogue, or what of it passes a filter, as a table that flows from the store to who asked. No more than a page
// of it is held at a time.

const (
	downloadsAtOnce = 16        // on each listener
	downloadsOfOne  = 2         // visitor
	downloadLongest = time.Hour // in all
	downloadBuffer  = 64 << 10  // bytes; who reads has feedStalls for each of them
	downloadPage    = 100       // listings that are read in one turn
	sheetRows       = 1<<20 - 1 // of a workbook, below its header

	workbookType  = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	jsonLinesType = "application/jsonl"
)

type downloadInput struct {
	Known
	FilterParams
	Set  string   `query:"set" enum:"import,all" default:"all" doc:"all has every column; import has those that an import takes"`
	Lang []string `query:"lang" pattern:"^[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,2}$" maxItems:"16" doc:"languages that CSV and XLSX have columns of texts for, in this order; all languages of TMH where it is left out"`
}

// langs without those that were named twice: no table has two columns of one name.
func (in *downloadInput) langs() (all []protocol.Lang) {
	for _, l := range typed[protocol.Lang](in.Lang) {
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

// downloads counts those that are under way, so that who reads slowly takes no more than the own places. They are worked on in
// turns, and none has its turn while it waits for the network: all of them together leave room for searches.
type downloads struct {
	turns chan struct{}

	mu    sync.Mutex // guards what follows
	open  int
	whose map[string]int
}

func newDownloads() *downloads {
	return &downloads{turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), whose: map[string]int{}}
}

func (d *downloads) enter(who string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.whose[who] >= downloadsOfOne:
		return protocol.Errorf(protocol.CodeQuota, "", "%d downloads of the catalogue are under way to you already: wait until one of them ends", downloadsOfOne)
	case d.open >= downloadsAtOnce:
		return protocol.Errorf(protocol.CodeUnavailable, "", "%d downloads of the catalogue are under way already: try again in a minute", downloadsAtOnce)
	}
	d.open++
	d.whose[who]++
	return nil
}

func (d *downloads) leave(who string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	if d.whose[who]--; d.whose[who] == 0 {
		delete(d.whose, who)
	}
}

// turn of one download, for one goroutine.
type turn struct {
	ctx   context.Context
	turns chan struct{}
	taken bool
}

func (t *turn) take() error {
	if err := t.ctx.Err(); err != nil { // else either case of a select may win
		return err
	}
	if !t.taken {
		select {
		case t.turns <- struct{}{}:
			t.taken = true
		case <-t.ctx.Done():
			return t.ctx.Err()
		}
	}
	return nil
}

func (t *turn) give() {
	if t.taken {
		<-t.turns
		t.taken = false
	}
}

// entries that pass the filter, after a place, in the order of (origin, id). After each page it is the next one's turn.
func (t *turn) entries(desk Desk, f match.Filter, after match.Ref) iter.Seq2[exchange.Entry, error] {
	return func(yield func(exchange.Entry, error) bool) {
		for {
			t.give()
			err := t.take()
			var page exchange.Page
			if err == nil {
				page, err = desk.Entries(f, after, downloadPage)
			}
			if err != nil {
				yield(exchange.Entry{}, err)
				return
			}
			for _, e := range page.Entries {
				if !yield(e, nil) {
					return
				}
			}
			if page.Next.Compare(after) <= 0 { // the end
				return
			}
			after = page.Next
		}
	}
}

// files are the downloads, with what each is for people and in an Accept header.
func files() []struct {
	Format      table.Format
	Type, Words string
} {
	return []struct {
		Format      table.Format
		Type, Words string
	}{
		{table.CSV, "text/csv", "Listings of the whole federation as CSV, for spreadsheets and imports, streamed"},
		{table.XLSX, workbookType, "Listings of the whole federation as a workbook of at most 1,048,575, streamed"},
		{table.JSONL, jsonLinesType, "Listings of the whole federation as JSON Lines, streamed: a listing a line; of set=all, an entry as /listings has it"},
	}
}

func (a *API) exportRoutes(h huma.API) {
	d := newDownloads()
	for _, file := range files() {
		name := "listings." + string(file.Format)
		answers(h, huma.Operation{OperationID: "export-" + string(file.Format), Path: base + "/" + name, Summary: file.Words}, file.Type,
			func(_ context.Context, in *downloadInput) (*huma.StreamResponse, error) {
				return a.streamed(d, func(t *turn, w io.Writer, r *http.Request) error {
					return a.download(t, w, r, file.Format, in)
				}, func(header http.Header) {
					header.Set("Content-Type", contentType(file.Type))
					header.Set("Content-Disposition", `attachment; filename="tmh-`+string(a.cfg.Member)+"-"+a.today().String()+"-"+name+`"`)
				}), nil
			})
	}
	a.formRoutes(h, d)
}

// answers registers an address that answers in a form of its own.
func answers[I any](h huma.API, op huma.Operation, kind string, handler func(context.Context, *I) (*huma.StreamResponse, error)) {
	op.Method = http.MethodGet
	schema := &huma.Schema{Type: huma.TypeString}
	if kind == workbookType {
		schema.Format = "binary"
	}
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{kind: {Schema: schema}}}}
	huma.Register(h, op, handler)
}

func contentType(kind string) string {
	if kind == "text/csv" {
		return kind + "; charset=utf-8; header=present"
	}
	return kind
}

// streamed sends what write makes for as long as it takes. A fault before the first byte is an answer of its own; a later one
// breaks the connection off, so that the reader sees that it has not all.
func (a *API) streamed(d *downloads, write func(t *turn, w io.Writer, r *http.Request) error, head func(http.Header)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humachi.Unwrap(hc)
		who := door.NetworkOf(r)
		if !door.ActorOf(r.Context()).Anonymous() {
			who = visitorOf(r)
		}
		if err := d.enter(who); err != nil {
			w.Header().Set("Retry-After", "60")
			a.fail(w, err)
			return
		}
		defer d.leave(who)
		ctx, cancel := context.WithTimeout(r.Context(), downloadLongest)
		defer cancel()
		t := &turn{ctx: ctx, turns: d.turns}
		defer t.give()
		out := &begins{Writer: steady{w, http.NewResponseController(w)}, turn: t, begin: func() {
			head(w.Header())
			w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it on its disk
		}}
		buffer := bufio.NewWriterSize(out, downloadBuffer)
		err := t.take()
		if err == nil {
			err = write(t, struct{ io.Writer }{buffer}, r) // a writer of tables that knew it for a buffer would flush it at a fault
		}
		if err == nil {
			out.started()
			err = buffer.Flush()
		}
		switch {
		case err == nil:
		case !out.begun:
			a.fail(w, err)
		default:
			a.cfg.Log.Info("download ended early", "request", w.Header().Get(requestIDHeader), "path", r.URL.Path, "error", err)
			panic(http.ErrAbortHandler)
		}
	}}
}

// begins says when the first byte leaves, and gives the turn to another while bytes are on their way.
type begins struct {
	io.Writer
	turn  *turn
	begin func()
	begun bool
}

func (b *begins) started() {
	if !b.begun {
		b.begun = true
		b.begin()
	}
}

func (b *begins) Write(p []byte) (int, error) {
	b.started()
	b.turn.give()
	n, err := b.Writer.Write(p)
	if err == nil {
		err = b.turn.take()
	}
	return n, err
}

func (a *API) download(t *turn, w io.Writer, r *http.Request, format table.Format, in *downloadInput) error {
	site, err := a.absolute(r)
	if err != nil {
		return err
	}
	f := in.filter(a.today())
	if format == table.XLSX {
		if err := a.fitsSheet(t, f); err != nil {
			return err
		}
	}
	entries := t.entries(a.cfg.Desk, f, match.Ref{})
	if r.Method == http.MethodHead {
		entries = func(func(exchange.Entry, error) bool) {}
	}
	return interop.Write(w, format, interop.Set(in.Set), in.langs(), site, entries)
}

// fitsSheet refuses a workbook that could not hold all, before it begins. Counting is worth its time only where the whole catalogue
// is near the limit.
func (a *API) fitsSheet(t *turn, f match.Filter) error {
	if a.cfg.Desk.Figures().Listings <= sheetRows/2 {
		return nil
	}
	n := 0
	for _, err := range t.entries(a.cfg.Desk, f, match.Ref{}) {
		if err != nil {
			return err
		}
		if n++; n > sheetRows {
			return protocol.Errorf(protocol.CodeTooLarge, "", "a workbook has room for %d listings, and these are more: take listings.csv, or narrow the filter", sheetRows)
		}
	}
	return nil
}
