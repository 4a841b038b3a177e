package intake

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Fetching a repository into a job's file, page by page, each with its checkpoint.

// fetched is a record in the file of a harvest.
type fetched struct {
	ID      string            `json:"id,omitempty"`
	Deleted bool              `json:"deleted,omitempty"`
	Fields  [][]string        `json:"fields,omitempty"` // name, value, language
	Faults  []*protocol.Error `json:"faults,omitempty"`
}

func rowOf(r harvest.Record, n int) table.Row {
	row := table.Row{N: n, ID: r.Identifier, Deleted: r.Deleted, Err: r.Err}
	for _, f := range r.Fields {
		row.Fields = append(row.Fields, table.Field{Name: f.Name, Value: f.Value, Lang: f.Lang})
	}
	return row
}

// fetch the rest of a harvest.
func (p *Imports) fetch(ctx context.Context, r *record) error {
	w := &work{p: p, rec: *r}
	if _, err := w.actor(); err != nil {
		return err
	}
	if err := w.commit(func(_ *store.Tx, r *record) error {
		if r.State, r.Delayed = Fetching, ""; r.Started == 0 {
			r.Started = p.now()
		}
		return nil
	}); err != nil {
		return err
	}
	f, err := os.OpenFile(p.path(r.ID, spoolEnd), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("keep a harvest: %w", err)
	}
	defer f.Close()
	if err := p.syncFolder(); err != nil {
		return fmt.Errorf("keep a harvest: %w", err)
	}
	if info, err := f.Stat(); err != nil || info.Size() < w.rec.At.Spool {
		w.rec.At.Spool = 0 // a restored node: from the beginning
		w.restart()
	}
	// Time and pages are those of the whole job: a repository that fails now and then has no more of them.
	within, cancel := context.WithTimeout(ctx, p.cfg.Limits.Fetch-p.now().Time().Sub(w.rec.Started.Time()))
	defer cancel()
	id, err := p.cfg.Harvester.Identify(within, w.rec.At.Source)
	switch {
	case halted(ctx) != nil:
		return halted(ctx)
	case within.Err() != nil:
		return p.outOfTime()
	case err != nil:
		return ifLater(err)
	}
	w.rec.At.Granularity = id.Granularity
	course := harvest.Course{Pages: w.rec.At.Pages}
	for !w.rec.At.Complete {
		page, err := p.cfg.Harvester.Page(within, w.rec.At.Source, id, w.rec.At.From, w.rec.At.Token)
		switch {
		case halted(ctx) != nil:
			return halted(ctx)
		case within.Err() != nil:
			return p.outOfTime()
		}
		if errors.Is(err, harvest.ErrToken) && w.rec.At.Token != "" && !w.rec.At.Restarted {
			w.restart()
			w.rec.At.Restarted, course = true, harvest.Course{}
			continue
		}
		if err == nil {
			err = course.Check(page)
		}
		if err != nil {
			return ifLater(err)
		}
		if err := w.keep(f, page); err != nil {
			return err
		}
		p.mu.Lock()
		delete(p.later, r.ID) // it answers: what was before does not count
		p.mu.Unlock()
	}
	return nil
}

func (p *Imports) outOfTime() error {
	return protocol.Errorf(protocol.CodeTooLarge, "repository", "the repository was not fetched within %s: harvest it again, or set by set", p.cfg.Limits.Fetch)
}

// restart the list from its beginning.
func (w *work) restart() {
	at := &w.rec.At
	at.Spool, at.Pages, at.Token, at.Response, w.rec.Fetched = 0, 0, "", time.Time{}, 0
}

// keep a page in the file, and where the next one is.
func (w *work) keep(f *os.File, page harvest.Page) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, r := range page.Records {
		if err := enc.Encode(kept(r)); err != nil {
			return err
		}
	}
	l, at := w.p.cfg.Limits.Table, w.rec.At.Spool
	if at+int64(b.Len()) > l.File || w.rec.Fetched+len(page.Records) > l.Rows {
		return protocol.Errorf(protocol.CodeTooLarge, "repository", "the repository sends over %d records or %d MiB, which is the most that is taken: harvest it set by set", l.Rows, l.File>>20)
	}
	if _, err := w.p.room(w.rec.Organisation); err != nil {
		return ifLater(err)
	}
	if err := f.Truncate(at); err != nil {
		return fmt.Errorf("keep a harvest: %w", err)
	}
	if _, err := f.WriteAt(b.Bytes(), at); err != nil {
		return fmt.Errorf("keep a harvest: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("keep a harvest: %w", err)
	}
	if err := w.p.at("kept", w.rec.ID); err != nil {
		return err
	}
	return w.commit(func(_ *store.Tx, r *record) error {
		r.Fetched += len(page.Records)
		r.Expected = max(page.Size, 0)
		r.At.Spool, r.At.Token, r.At.Complete = at+int64(b.Len()), page.Token, page.Token == ""
		if r.At.Pages++; r.At.Pages == 1 {
			r.At.Response = page.Response
		}
		if r.Size = r.At.Spool; r.At.Complete {
			r.State = Queued
		}
		return nil
	})
}

// kept is a record as the file of a harvest has it.
func kept(r harvest.Record) fetched {
	x := fetched{ID: r.Identifier, Deleted: r.Deleted}
	size := 0
	for _, f := range r.Fields {
		x.Fields = append(x.Fields, []string{f.Name, f.Value, f.Lang})
		size += len(f.Name) + len(f.Value)
	}
	if r.Err != nil {
		x.Fields, x.Faults = nil, faultsOf(r.Err)
	} else if size > table.DefaultLimits().Row {
		x.Fields, x.Faults = nil, []*protocol.Error{protocol.Errorf(protocol.CodeTooLarge, "", "the record is over %d KiB", table.DefaultLimits().Row>>10)}
	}
	return x
}

// harvestedRows reads the file of a harvest.
type harvestedRows struct {
	f    *os.File
	r    *bufio.Reader
	n    int
	read int64
	size int64
}

func openHarvested(path string, size int64) (*harvestedRows, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noFile()
	}
	if err != nil {
		return nil, fmt.Errorf("read a harvest: %w", err)
	}
	return &harvestedRows{f: f, r: bufio.NewReaderSize(io.LimitReader(f, size), 256<<10), size: size}, nil
}

func (h *harvestedRows) Next() (row table.Row, _ error) {
	b, err := h.r.ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(b) == 0 && h.read == h.size {
		return row, io.EOF
	}
	var x fetched
	if err == nil {
		err = json.Unmarshal(b, &x)
	}
	if err != nil {
		return row, fmt.Errorf("read a harvest: %w", err)
	}
	h.n++
	h.read += int64(len(b))
	row = table.Row{N: h.n, ID: x.ID, Deleted: x.Deleted}
	for _, f := range x.Fields {
		if len(f) == 3 {
			row.Fields = append(row.Fields, table.Field{Name: f[0], Value: f[1], Lang: f[2]})
		}
	}
	if len(x.Faults) > 0 {
		row.Err = protocol.Errors(x.Faults)
	}
	return row, nil
}

func (h *harvestedRows) Done() (read, size int64) { return h.read, h.size }

func (h *harvestedRows) Close() error { return h.f.Close() }
