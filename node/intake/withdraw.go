package intake

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/store"
)

// What a source does not have any more, after the last of its rows.

const (
	freely   = 10 // listings that may go without anybody confirming it, or
	freePart = 4  // so small a part of all from this origin
)

// withdraw what is to go, and end the job.
func (w *work) withdraw(ctx context.Context) error {
	gone, notice := w.gone()
	if gone != nil {
		leave, stock, err := w.count(ctx, gone)
		if err != nil {
			return err
		}
		if !w.rec.DryRun && w.rec.At.After == "" && leave > freely && leave*freePart > stock && leave > w.rec.Confirmed {
			return w.commit(func(_ *store.Tx, r *record) error {
				r.State, r.Gone, r.Stock, r.Notice = Waiting, leave, stock, fmt.Sprintf("%d of the %d listings that came from here would be withdrawn: look at them in a dry run, then confirm that number or cancel", leave, stock)
				return nil
			})
		}
		if w.rec.DryRun && notice == "" && leave > freely && leave*freePart > stock {
			notice = fmt.Sprintf("%d of the %d listings that came from here would be withdrawn: the import will wait until somebody confirms that", leave, stock)
		}
		if err := w.end(ctx, gone); err != nil {
			return err
		}
		return w.commit(func(_ *store.Tx, r *record) error {
			r.State, r.Notice = Done, w.also(notice)
			if r.DryRun {
				r.Gone, r.Stock = leave, stock
			}
			return nil
		})
	}
	return w.commit(func(_ *store.Tx, r *record) error { r.State, r.Notice = Done, w.also(notice); return nil })
}

// also says, where nothing else is to be said, that records come again.
func (w *work) also(notice string) string {
	if notice == "" && w.rec.Format == Harvested && w.rec.At.Held {
		return "some records were refused for what is here already: the next harvest asks for them again"
	}
	return notice
}

// gone tells of a listing of this origin whether it is to go; nil where none is. notice says why not, where that was asked for.
func (w *work) gone() (gone func(source string) bool, notice string) {
	full := w.rec.FullSync
	switch {
	case full && w.unsure:
		full, notice = false, "nothing was withdrawn for not being in the source: the id of some rows could not be read, so that nobody knows whether they are there. Correct these rows and import again"
	case full && w.rec.At.Rows == 0:
		full, notice = false, "nothing was withdrawn: the source is empty, which is more likely a mistake. Withdraw listings by hand if it is none"
	}
	explicit := w.rec.At.Withdraw && len(w.deleted) > 0
	if !full && !explicit {
		return nil, notice
	}
	return func(source string) bool {
		k := keyOf(source)
		if _, deleted := w.deleted[k]; deleted {
			return explicit
		}
		_, there := w.seen[k]
		return full && !there
	}, notice
}

// count what is to go, and all that came from here.
func (w *work) count(ctx context.Context, gone func(string) bool) (n, stock int, err error) {
	return n, stock, w.each(ctx, "", func(sources []string, _ string) error {
		for _, s := range sources {
			if stock++; gone(s) {
				n++
			}
		}
		return nil
	})
}

// each calls f with the ids of this origin, some at a time, after one on.
func (w *work) each(ctx context.Context, after string, f func(sources []string, last string) error) error {
	for {
		if err := halted(ctx); err != nil {
			return err
		}
		a, err := w.actor()
		if err != nil {
			return err
		}
		all, err := w.p.cfg.Postings.ImportedFrom(a, w.batch(), after, w.p.group)
		if err != nil || len(all) == 0 {
			return err
		}
		after = all[len(all)-1]
		if err := f(all, after); err != nil {
			return err
		}
	}
}

// leaving is a group of listings that is being withdrawn: after a kill the same ones are asked for again, and none is left out of the report.
type leaving struct {
	Sources []string `json:"sources"`
	After   string   `json:"after"`
}

func (w *work) end(ctx context.Context, gone func(string) bool) error {
	key := "g/" + string(w.rec.ID)
	var begun leaving
	if err := w.p.cfg.Store.View(func(tx *store.Tx) error { _, err := load(tx, key, &begun); return err }); err != nil {
		return err
	}
	if begun.Sources = begun.Sources[min(w.rec.At.Taken, len(begun.Sources)):]; len(begun.Sources) > 0 {
		if err := w.take(ctx, begun); err != nil {
			return err
		}
	}
	return w.each(ctx, w.rec.At.After, func(sources []string, last string) error {
		l := leaving{After: last}
		for _, s := range sources {
			if gone(s) {
				l.Sources = append(l.Sources, s)
			}
		}
		if len(l.Sources) == 0 {
			return nil
		}
		if !w.rec.DryRun {
			b, err := json.Marshal(l)
			if err != nil {
				return err
			}
			if err := w.commit(func(tx *store.Tx, _ *record) error { return tx.SetRow(store.TableIntake, key, b) }); err != nil {
				return err
			}
		}
		return w.take(ctx, l)
	})
}

// take a group out, or say in a dry run that it would go.
func (w *work) take(ctx context.Context, l leaving) error {
	a, err := w.actor()
	if err != nil {
		return err
	}
	done := 0
	note := func(tx *store.Tx, part []posting.ImportResult) error {
		next, lines := w.rec, make([]Row, len(part))
		for i, x := range part {
			lines[i] = Row{Source: x.Source}
			w.result(&lines[i], x, nil)
		}
		if done+len(part) == len(l.Sources) {
			next.At.After = l.After
			if err := tx.DeleteRow(store.TableIntake, "g/"+string(w.rec.ID)); err != nil {
				return err
			}
			next.At.Taken = 0
		} else {
			next.At.Taken += len(part)
		}
		if err := w.append(tx, &next, lines); err != nil {
			return err
		}
		done += len(part)
		return nil
	}
	var results []posting.ImportResult
	if w.rec.DryRun {
		for _, s := range l.Sources {
			results = append(results, posting.ImportResult{Source: s, Outcome: posting.ImportWithdrawn})
		}
	} else {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupTime)
		defer cancel()
		if results, err = w.p.cfg.Postings.WithdrawImported(ctx, a, w.batch(), l.Sources, note); err != nil {
			return ifLater(err)
		}
		results = results[min(done, len(results)):]
	}
	if len(results) > 0 {
		if err := w.p.cfg.Store.Update(func(tx *store.Tx) error { return note(tx, results) }); err != nil {
			return ifLater(err)
		}
	}
	w.p.changed.wake()
	return w.p.at("noted", w.rec.ID)
}
