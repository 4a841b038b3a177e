package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Which job is carried out next, and what becomes of one that does not end well.

// delay of a job that could not go on.
type delay struct {
	until time.Time
	tries int
}

// again marks an error that does not end a job: the node could not go on just now.
type again struct{ error }

func (a again) Unwrap() error { return a.error }

// ifLater marks those errors of the node itself that pass by themselves.
func ifLater(err error) error {
	if c := protocol.CodeOf(err); c == protocol.CodeUnavailable || c == protocol.CodeReadOnly {
		return again{err}
	}
	return err
}

var (
	errStopped   = errors.New("the node stops")
	errCancelled = errors.New("the import was cancelled")
	errSlow      = errors.New("the file came too slowly")
)

// maxFetchTries is how often a repository that does not answer is asked again before the harvest fails.
const maxFetchTries = 5

// lane carries out one job after the other: those that have to fetch, or those that have a file.
func (p *Imports) lane(ctx context.Context, fetching bool) error {
	for ctx.Err() == nil {
		wait := p.queued.wait()
		job, when, err := p.next(fetching)
		if err != nil {
			p.cfg.Log.Warn("imports wait: what is queued cannot be read", "error", err)
			when = time.Now().Add(p.pause)
		}
		if job != nil {
			p.carryOut(ctx, job.ID)
			p.release(job, fetching)
			continue
		}
		pause := time.Minute
		if !when.IsZero() {
			pause = min(max(time.Until(when), time.Millisecond), pause)
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-wait:
		case <-t.C:
		}
		t.Stop()
	}
	return nil
}

// fetches reports whether the job has to ask its repository before it has a file.
func (r *record) fetches() bool { return r.Format == Harvested && !r.At.Complete }

// next takes the job whose turn it is: of the organisation that was served longest ago, its oldest. Where none is ready it says when one may be.
func (p *Imports) next(fetching bool) (job *record, when time.Time, err error) {
	var all []*record
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		var ids []JobID
		if err := tx.Rows(store.TableIntake, "u/", "", func(key string, _ []byte) (bool, error) {
			ids = append(ids, JobID(key[len("u/"):]))
			return true, nil
		}); err != nil {
			return err
		}
		for _, id := range ids {
			r, err := read(tx, id)
			if err != nil {
				return err
			}
			all = append(all, r)
		}
		return nil
	})
	if err != nil {
		return nil, when, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var best *record
	for _, r := range all {
		if r.State == Waiting || r.State.Finished() || r.fetches() != fetching || p.running[r.ID] != nil || fetching && p.serving[r.Organisation] > 0 {
			continue
		}
		if d, held := p.later[r.ID]; held && time.Now().Before(d.until) {
			if when.IsZero() || d.until.Before(when) {
				when = d.until
			}
			continue
		}
		if best == nil || cmp.Compare(p.turn[r.Organisation], p.turn[best.Organisation]) < 0 {
			best = r
		}
	}
	if best == nil {
		return nil, when, nil
	}
	p.turns++
	p.turn[best.Organisation] = p.turns
	p.running[best.ID] = func() {}
	if fetching {
		p.serving[best.Organisation]++
	}
	return best, when, nil
}

// release a job that next took.
func (p *Imports) release(r *record, fetching bool) {
	p.mu.Lock()
	delete(p.running, r.ID)
	if fetching {
		p.serving[r.Organisation]--
	}
	p.mu.Unlock()
	p.queued.wake()
}

// carryOut does of a job what can be done now.
func (p *Imports) carryOut(ctx context.Context, id JobID) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p.mu.Lock()
	p.running[id] = func() { stop(errCancelled) }
	p.mu.Unlock()

	var r *record
	cancelled := false
	err := p.cfg.Store.View(func(tx *store.Tx) (err error) {
		if r, err = read(tx, id); err != nil {
			return err
		}
		b, err := tx.Row(store.TableIntake, "c/"+string(id))
		cancelled = b != nil
		return err
	})
	if err != nil {
		p.cfg.Log.Error("import not carried out", "job", id, "error", err)
		p.put(id)
		return
	}
	switch {
	case cancelled:
		err = errCancelled
	case r.State.Finished() || r.State == Waiting: // since it was chosen
		return
	case r.fetches():
		err = p.fetch(ctx, r)
	default:
		err = p.work(ctx, r)
	}
	if err != nil {
		p.settle(ctx, r, err)
	} else {
		p.mu.Lock()
		delete(p.later, id)
		p.mu.Unlock()
	}
}

// halted says why a job should stop between two steps; nil: it should not.
func halted(ctx context.Context) error {
	switch {
	case ctx.Err() == nil:
		return nil
	case errors.Is(context.Cause(ctx), errCancelled):
		return errCancelled
	}
	return errStopped
}

// put a job off. It reports how often that was so.
func (p *Imports) put(id JobID) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.later[id]
	d.tries++
	d.until = time.Now().Add(p.pause << min(d.tries-1, 6))
	p.later[id] = d
	return d.tries
}

// settle what a job's work ended with.
func (p *Imports) settle(ctx context.Context, r *record, cause error) {
	if errors.Is(cause, errStopped) || errors.Is(cause, errKilled) {
		return
	}
	if h := halted(ctx); h != nil && !errors.Is(cause, errCancelled) {
		if cause = h; errors.Is(h, errStopped) {
			return // its errors are those of the stop
		}
	}
	var soon again
	if errors.As(cause, &soon) {
		if tries := p.put(r.ID); !r.fetches() || tries <= maxFetchTries {
			p.finish(r.ID, func(r *record) { r.Delayed = p.shown(soon.error, r.ID).Message })
			return
		}
		cause = soon.error
	}
	p.finish(r.ID, func(r *record) {
		if r.Delayed = ""; errors.Is(cause, errCancelled) {
			r.State = Cancelled
			return
		}
		r.State, r.Error = Failed, p.shown(cause, r.ID)
	})
}

// finish writes how a job stands, from what is durable of it. Where even that cannot be written, the job is looked at again later.
func (p *Imports) finish(id JobID, change func(*record)) {
	ended := false
	err := p.cfg.Store.Update(func(tx *store.Tx) error {
		r, err := read(tx, id)
		if err != nil || r.State.Finished() {
			return err
		}
		if change(r); r.State.Finished() {
			ended = true
			return p.end(tx, r)
		}
		return write(tx, r)
	})
	if err != nil && protocol.CodeOf(err) != protocol.CodeNotFound {
		ended = false
		p.put(id)
		p.cfg.Log.Warn("the state of an import is not noted", "job", id, "error", err)
	}
	p.mu.Lock()
	if ended {
		delete(p.later, id)
	}
	p.mu.Unlock()
	p.changed.wake()
}

// end writes a job that is finished.
func (p *Imports) end(tx *store.Tx, r *record) error {
	r.Ended = p.now()
	if err := write(tx, r); err != nil {
		return err
	}
	if r.Format == Harvested && !r.DryRun {
		if err := p.noteHarvest(tx, r); err != nil {
			return err
		}
	}
	c := r.Counts
	detail := map[string]string{"state": string(r.State)}
	for k, n := range map[string]int{"created": c.Created, "changed": c.Changed, "unchanged": c.Unchanged, "refused": c.Refused, "ended": c.Ended, "withdrawn": c.Withdrawn} {
		detail[k] = fmt.Sprint(n)
	}
	return p.audit(tx, access.Actor{User: r.By, Token: r.Token, Operator: r.Operator}, "import.end", "import", string(r.ID), r.Organisation, detail)
}

// noteHarvest writes into the repository what became of its harvest, and where the next begins.
func (p *Imports) noteHarvest(tx *store.Tx, r *record) error {
	s, err := source(tx, r.Organisation, r.Repository)
	if protocol.CodeOf(err) == protocol.CodeNotFound {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	if s.LastError = r.Error; r.State == Done {
		s.LastSuccess = r.Ended
	}
	same := !r.At.Held && s.URL == r.At.Source.URL && s.Prefix == r.At.Source.Prefix && s.Set == r.At.Source.Set
	if r.State == Done && same && r.At.Response.After(s.Since) {
		s.Since, s.Granularity, s.MappingVersion = r.At.Response, r.At.Granularity, r.MappingVersion
		if r.All {
			s.LastAll = r.Created
		}
	}
	return save(tx, sourceKey(r.Organisation, r.Repository), &s)
}

// shown is an error as people see it; what only the node's operator understands goes to the log.
func (p *Imports) shown(err error, id JobID) *protocol.Error {
	e := protocol.All(err)[0]
	if e.Code == protocol.CodeInternal {
		p.cfg.Log.Error("an import failed", "job", id, "error", err)
		return protocol.Errorf(protocol.CodeInternal, "", "a fault of this node, which its log names: ask its operator, and begin the import again")
	}
	return &protocol.Error{Code: e.Code, Field: e.Field, Message: clip(e.Message, 1000)}
}

// actor is who started a job, with the rights of this moment.
func (p *Imports) actor(user access.UserID, token access.TokenID, operator bool) (access.Actor, error) {
	if operator {
		return access.Operator(p.cfg.Member), nil
	}
	a, err := p.cfg.Actor(user, token)
	if protocol.CodeOf(err) == protocol.CodeNotFound {
		err = protocol.Errorf(protocol.CodeNotPermitted, "", "the person who started this import is not here any more: let somebody else start it")
	}
	return a, err
}

// Cancel an import that is not finished. What it did stays; it withdraws nothing any more.
//
// Errors: CodeConflict where it is finished.
func (p *Imports) Cancel(a access.Actor, id JobID) error {
	if _, err := p.get(a, id, access.ImportPosting); err != nil {
		return err
	}
	p.mu.Lock()
	stop := p.running[id]
	p.mu.Unlock()
	err := p.cfg.Store.Update(func(tx *store.Tx) error {
		r, err := read(tx, id)
		if err != nil {
			return err
		}
		if r.State.Finished() {
			return protocol.Errorf(protocol.CodeConflict, "import", "this import is %s already", r.State)
		}
		if err := p.audit(tx, a, "import.cancel", "import", string(id), r.Organisation, nil); err != nil {
			return err
		}
		if stop != nil { // whoever carries it out writes the rest
			return tx.SetRow(store.TableIntake, "c/"+string(id), []byte{1})
		}
		r.State, r.Delayed = Cancelled, ""
		return p.end(tx, r)
	})
	if err == nil && stop != nil {
		p.mu.Lock()
		stop = p.running[id]
		p.mu.Unlock()
		if stop != nil {
			stop()
		} else { // it was let go meanwhile
			p.finish(id, func(r *record) { r.State, r.Delayed = Cancelled, "" })
		}
	}
	p.queued.wake()
	p.changed.wake()
	return err
}

// Confirm that a job that waits may withdraw as many listings as it says.
//
// Errors: CodeConflict where it does not wait, or says another number by now.
func (p *Imports) Confirm(a access.Actor, id JobID, gone int) error {
	r, err := p.get(a, id, access.ImportPosting)
	if err != nil {
		return err
	}
	if _, err := p.may(a, r.Organisation); err != nil {
		return err
	}
	err = p.cfg.Store.Update(func(tx *store.Tx) error {
		r, err := read(tx, id)
		if err != nil {
			return err
		}
		switch {
		case r.State != Waiting:
			return protocol.Errorf(protocol.CodeConflict, "import", "this import is %s: nothing waits to be confirmed", r.State)
		case r.Gone != gone:
			return protocol.Errorf(protocol.CodeConflict, "gone", "%d listings would be withdrawn, not %d: look at the import again", r.Gone, gone)
		}
		r.State, r.Confirmed = Queued, gone
		if err := write(tx, r); err != nil {
			return err
		}
		return p.audit(tx, a, "import.confirm", "import", string(id), r.Organisation, map[string]string{"withdrawn": fmt.Sprint(gone)})
	})
	p.queued.wake()
	p.changed.wake()
	return err
}
