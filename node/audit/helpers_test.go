package audit

import (
	"fmt"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

var start = time.Date(2026, 9, 21, 8, 30, 0, 123456789, time.UTC)

// ticking is a clock that goes on by a second at every look.
func ticking() func() time.Time {
	now := start
	return func() time.Time { now = now.Add(time.Second); return now }
}

func open(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	cfg.MinFree = 1
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func update(t testing.TB, s *store.Store, f func(tx *store.Tx) error) {
	t.Helper()
	if err := s.Update(f); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s *store.Store, f func(tx *store.Tx) error) {
	t.Helper()
	if err := s.View(f); err != nil {
		t.Fatal(err)
	}
}

func someone(i int) string { return fmt.Sprintf("u%026d", i) }

func event(i int) Event {
	return Event{
		Kind: Person, Actor: someone(i % 3), Action: []string{"posting.publish", "posting.renew", "people.invite"}[i%3],
		ResourceKind: "listing", Resource: fmt.Sprintf("TO-KH-20260921-%03d", i),
		Detail: map[string]string{"state": "published", "from": "review"},
		Before: protocol.Sum([]byte{byte(i)}), After: protocol.Sum([]byte{byte(i), 1}),
	}
}

// filled is a log of n entries.
func filled(t testing.TB, n int) (*Log, *store.Store) {
	t.Helper()
	s, l := open(t, store.Config{}), New("KH", ticking())
	for i := 0; i < n; i += 100 {
		update(t, s, func(tx *store.Tx) error {
			for j := i; j < min(i+100, n); j++ {
				if err := l.Append(tx, event(j)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return l, s
}

// faults is what a verification of the whole log says.
func faults(t testing.TB, s *store.Store, member protocol.MemberID, kept Anchor) (all []string) {
	t.Helper()
	view(t, s, func(tx *store.Tx) error {
		_, err := VerifyFrom(tx, member, kept, func(f Fault) { all = append(all, f.String()) })
		return err
	})
	return all
}

func rowOf(t testing.TB, s *store.Store, seq uint64) (row []byte) {
	t.Helper()
	view(t, s, func(tx *store.Tx) (err error) { row, err = tx.Row(store.TableAudit, entryKey(seq)); return err })
	if row == nil {
		t.Fatalf("there is no entry %d", seq)
	}
	return row
}

func setRow(t testing.TB, s *store.Store, seq uint64, row []byte) {
	t.Helper()
	update(t, s, func(tx *store.Tx) error {
		if row == nil {
			return tx.DeleteRow(store.TableAudit, entryKey(seq))
		}
		return tx.SetRow(store.TableAudit, entryKey(seq), row)
	})
}
