package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Groups of rows: gathered from the file, handed to the postings, noted in the report with a checkpoint.

// group of rows that are imported together.
type group struct {
	lines      []Row // of the report, in the order of the rows
	at         []int // which line each item is
	items      []posting.Imported
	within     map[sourceKeyed]bool
	written    int // lines that are in the report
	noted      int // items whose lines are
	read, size int64
}

// gather the next rows. A record that came in this group already is left for the next one.
func (w *work) gather(ctx context.Context, in rows, g *group, left *table.Row) (more bool, next *table.Row, err error) {
	for weight := 0; len(g.lines) < w.p.group && weight < groupBytes; {
		if err := halted(ctx); err != nil { // a row may take a second
			return false, nil, err
		}
		row := left
		if left = nil; row == nil {
			x, err := in.Next()
			if errors.Is(err, io.EOF) {
				return false, nil, nil
			}
			if err != nil {
				return false, nil, unreadable(err)
			}
			row = &x
		}
		if !w.add(g, *row) {
			return true, row, nil
		}
		for _, f := range row.Fields {
			weight += len(f.Name) + len(f.Value)
		}
	}
	return true, nil, nil
}

// unreadable is a file that ends before its end.
func unreadable(err error) error {
	if protocol.CodeOf(err) == protocol.CodeUnavailable { // not to be tried again for ever
		return &protocol.Error{Code: protocol.CodeTruncated, Field: "file", Message: "the file cannot be read to its end: send it again", Err: err}
	}
	return err
}

// add a row to the group; false where it has to wait for the next one.
func (w *work) add(g *group, row table.Row) bool {
	own := strings.TrimSpace(row.ID)
	line := Row{N: row.N, Source: own, Unnamed: own == "" || !w.own}
	refuse := func(err error) bool {
		line.Outcome, line.Faults = posting.ImportRefused, faultsOf(err)
		w.learn(&line)
		g.lines = append(g.lines, line)
		return true
	}
	if row.Err != nil {
		return refuse(row.Err)
	}
	if row.Deleted {
		if g.within[keyOf(line.Source)] {
			return false
		}
		line.Outcome = Deleted
		w.learn(&line)
		g.lines = append(g.lines, line)
		return true
	}
	item, err := w.rules.Apply(row)
	if err != nil {
		item.Source, _ = w.rules.Source(row) // a row at fault is there as well
	}
	if s := strings.TrimSpace(item.Source); s != "" {
		line.Source, line.Unnamed = clip(s, 2*posting.MaxSource), false
	}
	_, text := item.Listing.Text()
	line.Title = clip(text.Title, maxShown)
	k := keyOf(line.Source)
	if first, twice := w.seen[k]; twice && line.Source != own {
		return refuse(protocol.Errorf(protocol.CodeRepeated, "source_id", "row %d has the id “%s” already: keep one of the two, or give each its own", first, clip(line.Source, 80)))
	}
	if g.within[k] {
		return false
	}
	if err != nil {
		return refuse(err)
	}
	w.learn(&line)
	g.within[k] = true
	g.at = append(g.at, len(g.lines))
	g.items = append(g.items, posting.Imported{Source: line.Source, Content: posting.Content{Listing: item.Listing, Record: item.Record}, Hash: item.Hash})
	g.lines = append(g.lines, line)
	return true
}

// batch of the job: whose listings, and where from.
func (w *work) batch() posting.Batch {
	from := "file"
	switch {
	case w.rec.Repository != "":
		from = "repository " + w.rec.Repository
	case w.rec.Mapping != "":
		from = "mapping " + w.rec.Mapping
	}
	return posting.Batch{Organisation: w.rec.Organisation, Origin: from, DraftsOnly: w.rec.DraftsOnly}
}

// groupTime bounds how long a group may take, also while the node stops.
const groupTime = 2 * time.Minute

// carry out a group.
func (w *work) carry(ctx context.Context, g *group) error {
	a, err := w.actor()
	if err != nil {
		return err
	}
	if _, err := w.p.spare(); err != nil { // a report may be far longer than its file
		return ifLater(err)
	}
	var results []posting.ImportResult
	switch {
	case len(g.items) == 0:
	case w.rec.DryRun:
		if results, err = w.p.cfg.Postings.Plan(a, w.batch(), g.items); err != nil {
			return ifLater(err)
		}
	default: // a group that has begun is finished, also where the job is cancelled meanwhile
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupTime)
		defer cancel()
		results, err = w.p.cfg.Postings.Import(ctx, a, w.batch(), g.items, func(tx *store.Tx, part []posting.ImportResult) error {
			return w.note(tx, g, part)
		})
		if err != nil {
			return ifLater(err)
		}
		results = results[min(g.noted, len(results)):]
	}
	if g.written < len(g.lines) {
		if err := w.p.cfg.Store.Update(func(tx *store.Tx) error { return w.note(tx, g, results) }); err != nil {
			return ifLater(err)
		}
	}
	w.p.changed.wake()
	return w.p.at("noted", w.rec.ID)
}

// actor is who started the job, if he still may.
func (w *work) actor() (access.Actor, error) {
	a, err := w.p.actor(w.rec.By, w.rec.Token, w.rec.Operator)
	if err == nil {
		err = access.Can(a, access.ImportPosting, w.p.resource(w.rec.Organisation))
	}
	return a, err
}

// note results in the report and the checkpoint, in the transaction that makes them true.
func (w *work) note(tx *store.Tx, g *group, part []posting.ImportResult) error {
	if g.noted+len(part) > len(g.items) {
		return protocol.Errorf(protocol.CodeInternal, "", "%d results for %d listings", g.noted+len(part), len(g.items))
	}
	for i, x := range part {
		if x.Source != g.items[g.noted+i].Source {
			return protocol.Errorf(protocol.CodeInternal, "", "results in another order than the listings")
		}
		w.result(&g.lines[g.at[g.noted+i]], x, &g.items[g.noted+i].Content)
	}
	noted, upTo := g.noted+len(part), len(g.lines)
	if noted < len(g.items) {
		upTo = g.at[noted]
	}
	next := w.rec
	next.At.Rows += upTo - g.written
	next.BytesRead = g.read
	if g.size > 0 {
		next.Size = g.size
	}
	if err := w.append(tx, &next, g.lines[g.written:upTo]); err != nil {
		return err
	}
	g.noted, g.written = noted, upTo
	return nil
}

// result of a posting becomes the line of a report.
func (w *work) result(line *Row, x posting.ImportResult, after *posting.Content) {
	line.Outcome, line.Listing, line.State, line.Edited = x.Outcome, x.ID, x.State, x.Edited
	if x.Err != nil {
		line.Faults = faultsOf(x.Err)
	}
	if x.Before != nil && after != nil {
		line.Diff = difference(x.Before, after)
	}
}

// append lines to the report, durably, and write the job that covers them.
func (w *work) append(tx *store.Tx, next *record, all []Row) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i := range all {
		if next.At.Report > maxReport {
			all[i].Faults, all[i].Diff = all[i].Faults[:min(1, len(all[i].Faults))], nil
		}
		if err := enc.Encode(&all[i]); err != nil {
			return err
		}
		next.Counts.add(&all[i])
		next.At.Held = next.At.Held || all[i].held()
	}
	if _, err := w.report.WriteAt(b.Bytes(), next.At.Report); err != nil {
		return fmt.Errorf("write a report: %w", err)
	}
	if err := w.report.Sync(); err != nil {
		return fmt.Errorf("write a report: %w", err)
	}
	next.At.Report += int64(b.Len())
	if err := w.p.at("reported", w.rec.ID); err != nil {
		return err
	}
	if err := write(tx, next); err != nil {
		return err
	}
	w.rec = *next
	return nil
}

func (c *Counts) add(x *Row) {
	if x.N > 0 {
		c.Rows++
	}
	switch x.Outcome {
	case posting.ImportCreated:
		c.Created++
	case posting.ImportChanged:
		c.Changed++
	case posting.ImportUnchanged:
		c.Unchanged++
	case posting.ImportRefused:
		c.Refused++
	case posting.ImportEnded:
		c.Ended++
	case posting.ImportWithdrawn:
		c.Withdrawn++
	case Deleted:
		c.Deleted++
	}
}

// held reports whether the row was refused not for what it says, but for what is here: a draft that people are at, or too many of them.
func (x *Row) held() bool {
	if x.Outcome != posting.ImportRefused || len(x.Faults) == 0 {
		return false
	}
	c := x.Faults[0].Code
	return c == protocol.CodeConflict || c == protocol.CodeQuota || c == protocol.CodeUnavailable
}
