package intake

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Importing a job's file: group after group, each with its checkpoint.

// errKilled is what tests break a job off with: nothing more is written, as after a kill.
var errKilled = errors.New("killed")

// work on one job. It is for one goroutine; after any error it is thrown away, and what is durable counts.
type work struct {
	p      *Imports
	rec    record // as it was committed
	rules  *mapping.Compiled
	report *os.File
	own    bool // the mapping takes the repository's own identifiers
	unsure bool // the id of some row could not be read

	seen    map[sourceKeyed]uint32   // sources' ids → the row that had them first
	deleted map[sourceKeyed]struct{} // of these, what the repository says is no more
}

// sourceKeyed stands for a source's id in sets of millions.
type sourceKeyed [12]byte

func keyOf(source string) sourceKeyed {
	sum := sha256.Sum256([]byte(source))
	return sourceKeyed(sum[:12])
}

// rows of a job's file.
type rows interface {
	Next() (table.Row, error)
	Done() (read, size int64)
	Close() error
}

// work imports a job's file, from where its checkpoint is to its end.
func (p *Imports) work(ctx context.Context, r *record) error {
	w := &work{p: p, rec: *r, seen: map[sourceKeyed]uint32{}, deleted: map[sourceKeyed]struct{}{}}
	if err := w.open(); err != nil {
		return err
	}
	defer w.report.Close()
	if !w.rec.DryRun && p.cfg.Bulk != nil {
		p.cfg.Bulk(true)
		defer p.cfg.Bulk(false)
	}
	defer thrifty()()
	if !w.rec.At.Imported {
		if err := w.rowsOf(ctx); err != nil {
			return err
		}
	}
	return w.withdraw(ctx)
}

// open the report, cut to the checkpoint, and learn from it what the rows before were.
func (w *work) open() error {
	if err := w.compile(); err != nil {
		return err
	}
	if err := w.commit(func(_ *store.Tx, r *record) error {
		if r.State, r.Delayed = Running, ""; r.Started == 0 {
			r.Started = w.p.now()
		}
		return nil
	}); err != nil {
		return err
	}
	flags := os.O_RDWR
	if w.rec.At.Report == 0 {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(w.p.path(w.rec.ID, reportEnd), flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return noFile()
	}
	if err != nil {
		return fmt.Errorf("open a report: %w", err)
	}
	w.report = f
	err = f.Truncate(w.rec.At.Report)
	if err == nil && w.rec.At.Report == 0 {
		err = w.p.syncFolder()
	}
	if err == nil {
		err = w.replay()
	}
	if err != nil {
		_ = f.Close()
	}
	return err
}

// compile the mapping as it was when the job began.
func (w *work) compile() error {
	var m mapping.Mapping
	err := w.p.cfg.Store.View(func(tx *store.Tx) error {
		found, err := load(tx, "t/"+string(w.rec.ID), &m)
		if err == nil && !found {
			err = protocol.Errorf(protocol.CodeNotFound, "mapping", "the mapping of this import is not here any more: begin it again")
		}
		return err
	})
	if err != nil {
		return err
	}
	w.own = ownIdentifier(m)
	w.rules, err = m.Compile()
	return err
}

// replay the report: which ids the rows had.
func (w *work) replay() error {
	info, err := w.report.Stat()
	if err != nil {
		return err
	}
	if info.Size() < w.rec.At.Report {
		return protocol.Errorf(protocol.CodeInternal, "", "the report of import %s is shorter than it was", w.rec.ID)
	}
	return lines(w.report, 0, w.rec.At.Report, func(b []byte, _ int64) (bool, error) {
		var x Row
		if err := json.Unmarshal(b, &x); err != nil {
			return false, fmt.Errorf("read a report: %w", err)
		}
		if x.N > 0 {
			w.learn(&x)
		}
		return true, nil
	})
}

// learn a row's id; deleted ids may return, and the last word counts.
func (w *work) learn(x *Row) {
	if x.Unnamed || x.Source == "" {
		w.unsure = w.unsure || x.Outcome != Deleted
		return
	}
	k := keyOf(x.Source)
	if x.Outcome == Deleted {
		w.deleted[k] = struct{}{}
		delete(w.seen, k)
		return
	}
	delete(w.deleted, k)
	if _, there := w.seen[k]; !there {
		w.seen[k] = uint32(min(x.N, 1<<32-1))
	}
}

// openRows of the job's file.
func (w *work) openRows() (rows, error) {
	path := w.p.path(w.rec.ID, spoolEnd)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, noFile()
	}
	if w.rec.Format == Harvested {
		return openHarvested(path, w.rec.At.Spool)
	}
	return table.Open(path, w.rec.Format, w.p.tableLimits())
}

// rowsOf the file go through the mapping and on to the postings.
func (w *work) rowsOf(ctx context.Context) error {
	in, err := w.openRows()
	if err != nil {
		return err
	}
	defer in.Close()
	for n := range w.rec.At.Rows {
		if n%w.p.group == 0 && halted(ctx) != nil {
			return halted(ctx)
		}
		if _, err := in.Next(); err != nil {
			return fmt.Errorf("find the place in the file again: %w", err)
		}
	}
	groups, stop := make(chan *group), make(chan struct{})
	var cut error
	go func() { // the next group is gathered while the one before is carried out; only here the sets of ids are written
		defer close(groups)
		var left *table.Row
		for more := true; more && cut == nil; {
			g := &group{within: map[sourceKeyed]bool{}}
			more, left, cut = w.gather(ctx, in, g, left)
			g.read, g.size = in.Done()
			select {
			case groups <- g: // also what was read before a cut stays imported
			case <-stop:
				return
			}
		}
	}()
	defer func() {
		close(stop)
		for range groups { // until nobody reads the file
			continue
		}
	}()
	for g := range groups {
		if err := halted(ctx); err != nil {
			return err
		}
		if err := w.carry(ctx, g); err != nil {
			return err
		}
	}
	if cut != nil {
		return cut
	}
	return w.commit(func(_ *store.Tx, r *record) error { r.At.Imported = true; return nil })
}

// commit a change of the job in a transaction of its own.
func (w *work) commit(change func(tx *store.Tx, r *record) error) error {
	next := w.rec
	if err := w.p.cfg.Store.Update(func(tx *store.Tx) error {
		if err := change(tx, &next); err != nil {
			return err
		}
		if next.State.Finished() {
			return w.p.end(tx, &next)
		}
		return write(tx, &next)
	}); err != nil {
		return ifLater(err)
	}
	w.rec = next
	w.p.changed.wake()
	return w.p.at("committed", w.rec.ID)
}
