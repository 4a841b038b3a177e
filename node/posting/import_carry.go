package posting

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// How a group of an import is carried out: what wants a signature is written down first, then the desk signs all of it, then
// one transaction finishes the group and tells of it. What wants none waits for that transaction, or is all there is to do.

const (
	claimTime   = time.Second // a group waits for postings that others are changing
	withdrawers = 32          // withdrawals at a time, which share the journal's transactions
	importTries = 3           // where the node changes below a decision
)

// errStale says that something was changed since it was decided on.
var errStale = errors.New("changed meanwhile")

// group carries out the listings from one to another, or those at the beginning that fit into a transaction.
func (m *importer) group(ctx context.Context, from, to int, note func(*store.Tx, []ImportResult) error) ([]ImportResult, error) {
	free, counted := m.free, m.counted
	for range importTries {
		m.free, m.counted = free, counted
		results, err := m.attempt(ctx, from, to, note)
		if !errors.Is(err, errStale) {
			return results, err
		}
	}
	return nil, protocol.Errorf(protocol.CodeUnavailable, "", "others are changing the same listings at this moment: send the import again")
}

func (m *importer) attempt(ctx context.Context, from, to int, note func(*store.Tx, []ImportResult) error) ([]ImportResult, error) {
	ids, err := m.look(from, to)
	if err != nil {
		return nil, err
	}
	m.claimed = make(map[protocol.ListingID]bool, len(ids))
	defer func() {
		for id := range m.claimed {
			m.unclaim(id)
		}
	}()
	m.claimAll(ctx, ids)
	if err := ctx.Err(); err != nil {
		return nil, stopped(err)
	}
	steps, err := m.decideOn(from, to)
	if err != nil {
		return nil, err
	}
	for _, id := range m.waiting { // left by a crash, or asked for by people while the desk could not sign
		if _, err := m.carryOut(context.WithoutCancel(ctx), id); err != nil && !forGood(err) {
			return nil, err
		}
	}
	if len(m.waiting) > 0 {
		return nil, errStale
	}
	desk, idle := false, note == nil
	for _, st := range steps {
		if st.s != nil && st.s.Sign != signNothing {
			desk = true
		}
		idle = idle && st.s == nil && !st.note
	}
	if idle {
		return resultsOf(steps), nil
	}
	if desk {
		if err := m.cfg.Store.Update(func(tx *store.Tx) error { return m.begin(tx, steps) }); err != nil {
			return nil, err
		}
		if err := m.signAll(context.WithoutCancel(ctx), steps); err != nil {
			return nil, err
		}
	}
	var results []ImportResult
	err = m.cfg.Store.Update(func(tx *store.Tx) (err error) {
		results, err = m.end(tx, steps, desk, note)
		return err
	})
	return results, err
}

func resultsOf(steps []*importStep) []ImportResult {
	all := make([]ImportResult, len(steps))
	for i, st := range steps {
		all[i] = st.result
	}
	return all
}

// look which postings a group is about.
func (m *importer) look(from, to int) (ids []protocol.ListingID, _ error) {
	err := m.cfg.Store.View(func(tx *store.Tx) error {
		for i := from; i < to; i++ {
			if m.faults[i] != nil {
				continue
			}
			id, err := bySource(tx, m.batch.Organisation, m.keys[i])
			if err != nil {
				return err
			}
			if id != "" {
				ids = append(ids, id)
			}
		}
		return nil
	})
	return ids, err
}

// claimAll waits a little for those that others have; what is not claimed then is refused.
func (m *importer) claimAll(ctx context.Context, ids []protocol.ListingID) {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	for _, id := range ids {
		for {
			other := m.tryClaim(id)
			if other == nil {
				m.claimed[id] = true
				break
			}
			select {
			case <-other:
				continue
			case <-ctx.Done():
			}
			break
		}
	}
}

// decideOn as many as fit into a transaction with half of its room left to others: note, the audit log.
func (m *importer) decideOn(from, to int) (steps []*importStep, _ error) {
	m.waiting = nil
	err := m.cfg.Store.View(func(tx *store.Tx) (err error) {
		if m.standing, err = m.mayImport(tx); err != nil {
			return err
		}
		room := int(m.cfg.Store.MaxWrite() / 2)
		for i := from; i < to; i++ {
			free, counted := m.free, m.counted
			st, err := m.decide(tx, i)
			if err != nil {
				return err
			}
			if room -= st.size; room < 0 && len(steps) > 0 {
				m.free, m.counted = free, counted
				return nil
			}
			steps = append(steps, st)
		}
		return nil
	})
	return steps, err
}

// begin writes down what the desk is to sign.
func (m *importer) begin(tx *store.Tx, steps []*importStep) error {
	s, err := m.mayImport(tx)
	if err != nil {
		return err
	}
	if s.SelfPublish != m.standing.SelfPublish {
		return errStale
	}
	c := make(counters)
	for _, st := range steps {
		if st.s == nil || st.s.Sign == signNothing {
			continue
		}
		if ok, err := m.fresh(tx, st); err != nil {
			return err
		} else if !ok {
			return errStale
		}
		if err := m.beginOne(tx, st, c); err != nil {
			return err
		}
	}
	return c.write(tx)
}

func (m *importer) beginOne(tx *store.Tx, st *importStep, c counters) error {
	h := st.h
	var was map[string]string
	if !st.made {
		was = index(h)
		h.Version++
	} else {
		m.claim(h.ID) // nobody else knows it
		m.claimed[h.ID] = true
	}
	if err := m.number(tx, st, c); err != nil {
		return err
	}
	h.Pending = st.s
	if st.s.Content {
		st.k.kept = true
		if err := st.k.x.write(tx, "n", h.ID); err != nil {
			return err
		}
	}
	if err := follow(tx, st); err != nil {
		return err
	}
	var err error
	st.row, err = putRow(tx, h, was)
	return err
}

// follow takes the source's id from the posting that an import ended.
func follow(tx *store.Tx, st *importStep) error {
	if st.old == nil {
		return nil
	}
	was := index(st.old)
	st.old.ReplacedBy = st.h.ID
	st.old.Version++
	return put(tx, st.old, was)
}

// signAll has the desk sign what begin wrote down. Refusals for good stand in the steps.
func (m *importer) signAll(ctx context.Context, steps []*importStep) error {
	ctx, cancel := context.WithTimeout(ctx, deskTime)
	defer cancel()
	var all []exchange.Publication
	var of, ends []*importStep
	for _, st := range steps {
		switch {
		case st.s == nil:
		case st.s.Sign == signPut:
			all, of = append(all, publication(st.k.x.listing)), append(of, st)
		case st.s.Sign == signWithdraw:
			ends = append(ends, st)
		}
	}
	if len(all) > 0 {
		signed, err := m.cfg.Desk.PublishAll(ctx, all)
		if err != nil {
			return err
		}
		for i, r := range signed {
			of[i].refusal = r.Err
		}
	}
	m.withdrawAll(ctx, ends)
	for _, st := range slices.Concat(of, ends) {
		if st.refusal != nil && !forGood(st.refusal) {
			return st.refusal
		}
	}
	return nil
}

func (m *importer) withdrawAll(ctx context.Context, ends []*importStep) {
	var done sync.WaitGroup
	next := make(chan *importStep)
	for range min(withdrawers, len(ends)) {
		done.Go(func() {
			for st := range next {
				st.refusal = m.sign(ctx, st.h, nil)
			}
		})
	}
	for _, st := range ends {
		next <- st
	}
	close(next)
	done.Wait()
}
