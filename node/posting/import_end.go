package posting

import (
	"bytes"
	"encoding/binary"
	"encoding/json"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// The transaction that finishes a group of an import, and what it shares with the one that writes down what is to be signed.

// fresh reports whether everything is as it was decided on.
func (m *importer) fresh(tx *store.Tx, st *importStep) (bool, error) {
	same := func(id protocol.ListingID, row []byte) (bool, error) {
		b, err := tx.Row(store.TablePosting, rowOf("p", id))
		return bytes.Equal(b, row), err
	}
	if !st.made {
		return same(st.h.ID, st.row)
	}
	id, err := bySource(tx, m.batch.Organisation, st.key)
	if err != nil || st.old == nil {
		return id == "", err
	}
	if id != st.old.ID {
		return false, nil
	}
	return same(id, st.oldRow)
}

// counters are raised in memory, and written once a transaction.
type counters map[string]uint64

func (c counters) next(tx *store.Tx, key string) (uint64, error) {
	n, ok := c[key]
	if !ok {
		b, err := tx.Row(store.TablePostingIndex, key)
		if err != nil {
			return 0, err
		}
		if len(b) == 8 {
			n = binary.BigEndian.Uint64(b)
		}
	}
	c[key] = n + 1
	return n + 1, nil
}

func (c counters) write(tx *store.Tx) error {
	for key, n := range c {
		if err := tx.SetRow(store.TablePostingIndex, key, binary.BigEndian.AppendUint64(nil, n)); err != nil {
			return err
		}
	}
	return nil
}

// number a new posting, and what is published for the first time.
func (m *importer) number(tx *store.Tx, st *importStep, c counters) (err error) {
	if st.made {
		if st.h.Serial, err = c.next(tx, keySerial); err != nil {
			return err
		}
	}
	if !st.s.Content || st.h.Reference != "" {
		return nil
	}
	n, err := c.next(tx, referenceKey(st.k.x.listing, m.today()))
	if err == nil {
		setReference(st.h, st.k.x.listing, m.today(), n)
	}
	return err
}

// end finishes a group: what was signed, and what wants no signature. The audit log comes first, because whoever looks for
// the end of a table pays for all that the transaction wrote before.
func (m *importer) end(tx *store.Tx, steps []*importStep, began bool, note func(*store.Tx, []ImportResult) error) ([]ImportResult, error) {
	if !began {
		if s, err := m.mayImport(tx); err != nil {
			return nil, err
		} else if s.SelfPublish != m.standing.SelfPublish {
			return nil, errStale
		}
	}
	c := make(counters)
	for _, st := range steps {
		if st.s == nil && !st.note {
			continue
		}
		if err := m.current(tx, st, began); err != nil {
			return nil, err
		}
		if st.s == nil {
			continue // is refused now, or has a note alone
		}
		if st.refusal != nil {
			st.result.Outcome, st.result.Err, st.result.State = ImportRefused, st.refusal, st.h.State(m.today())
			if st.made {
				st.result.ID, st.result.State = "", None
			}
			continue
		}
		if err := m.advanceImport(tx, st, c); err != nil {
			return nil, err
		}
	}
	results := resultsOf(steps)
	if note != nil {
		if err := note(tx, results); err != nil {
			return nil, err
		}
	}
	for _, st := range steps {
		if err := m.settleImport(tx, st); err != nil {
			return nil, err
		}
	}
	return results, c.write(tx)
}

// current sees to it that the step has the posting as it is now.
func (m *importer) current(tx *store.Tx, st *importStep, began bool) error {
	if began && st.s != nil && st.s.Sign != signNothing {
		b, err := tx.Row(store.TablePosting, rowOf("p", st.h.ID))
		if err != nil {
			return err
		}
		if !bytes.Equal(b, st.row) { // it was reminded of meanwhile
			st.h = new(Posting)
			if err := json.Unmarshal(b, st.h); err != nil {
				return damaged("posting", st.result.ID, err)
			}
		}
		st.was = index(st.h)
		return nil
	}
	ok, err := m.fresh(tx, st)
	switch {
	case err != nil:
		return err
	case !ok && !began:
		return errStale
	case !ok:
		st.conflict("the listing is being changed at this moment: import it again")
	case !st.made && st.was == nil:
		st.was = index(st.h)
	}
	return nil
}

func (m *importer) advanceImport(tx *store.Tx, st *importStep, c counters) error {
	h, s := st.h, st.s
	if s.Sign == signNothing {
		if err := m.number(tx, st, c); err != nil {
			return err
		}
	}
	if s.Action == Create {
		h.beforeImport(s)
		h.Owed = ""
		return m.Postings.audit(tx, h, s, "")
	}
	if err := m.advance(tx, h, s, &st.k); err != nil {
		return err
	}
	if h.Owed = ""; st.draft != nil {
		prepare(st.draft, h)
	}
	return nil
}

func (m *importer) settleImport(tx *store.Tx, st *importStep) error {
	switch {
	case st.s == nil && !st.note:
		return nil
	case st.refusal != nil:
		return m.undo(tx, st.h, st.was, st.refusal)
	case st.note:
		return put(tx, st.h, st.was)
	}
	if st.s.Sign == signNothing {
		if err := follow(tx, st); err != nil {
			return err
		}
	}
	return m.settle(tx, st.h, st.s, &st.k, st.was)
}

// undoImport leaves nothing behind of a listing that was never published.
func undoImport(tx *store.Tx, h *Posting, s *imported, was map[string]string) error {
	if err := remove(tx, h, was); err != nil || s.Follows == "" {
		return err
	}
	old, err := get(tx, s.Follows)
	if err != nil {
		return err
	}
	was = index(old)
	old.ReplacedBy = ""
	old.Version++
	return put(tx, old, was)
}
