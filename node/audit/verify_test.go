package audit

import (
	"bytes"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

func TestWholeLogVerifies(t *testing.T) {
	l, s := filled(t, 250)
	var head Anchor
	view(t, s, func(tx *store.Tx) (err error) { head, err = l.Head(tx); return err })
	if head.Seq != 250 {
		t.Errorf("the newest entry is %d, want 250", head.Seq)
	}
	if f := faults(t, s, "KH", head); f != nil {
		t.Errorf("a log that nobody touched: %q", f)
	}
	empty := open(t, store.Config{})
	if f := faults(t, empty, "KH", Anchor{}); f != nil {
		t.Errorf("an empty log: %q", f)
	}
}

func TestAnotherNodesLogDoesNotVerify(t *testing.T) {
	_, s := filled(t, 3)
	if f := faults(t, s, "VN", Anchor{}); len(f) != 3 {
		t.Errorf("three entries of KH in VN's log: %q", f)
	}
}

// Every field of an entry, changed and written back in the right form, is found; so is a hash that was computed anew.
func TestTamperedFields(t *testing.T) {
	changes := map[string]func(e *Entry){
		"time":          func(e *Entry) { e.At = e.At.Add(time.Millisecond) },
		"actor kind":    func(e *Entry) { e.Kind = Token },
		"actor":         func(e *Entry) { e.Actor = "n" + strings.Repeat("a", 26) },
		"token":         func(e *Entry) { e.Token = "t1" },
		"action":        func(e *Entry) { e.Action = "posting.revoke" },
		"resource kind": func(e *Entry) { e.ResourceKind = "document" },
		"resource":      func(e *Entry) { e.Resource = "TO-KH-20260921-999" },
		"detail value":  func(e *Entry) { e.Detail["state"] = "revoked" },
		"detail key":    func(e *Entry) { delete(e.Detail, "from"); e.Detail["form"] = "review" },
		"detail gone":   func(e *Entry) { delete(e.Detail, "from") },
		"before":        func(e *Entry) { e.Before[0] ^= 1 },
		"before gone":   func(e *Entry) { e.Before = protocol.Hash{} },
		"after":         func(e *Entry) { e.After[31] ^= 1 },
		"previous":      func(e *Entry) { e.Prev[7] ^= 1 },
		"number":        func(e *Entry) { e.Seq = 4 },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			_, s := filled(t, 10)
			for _, seq := range []uint64{1, 5, 10} {
				row := rowOf(t, s, seq)
				e, err := decode(row)
				if err != nil {
					t.Fatal(err)
				}
				before := e.body()
				change(e)
				if bytes.Equal(before, e.body()) {
					t.Fatal("the change changes nothing")
				}
				setRow(t, s, seq, append(e.body(), e.Hash[:]...))
				if f := faults(t, s, "KH", Anchor{}); len(f) == 0 || !strings.Contains(strings.Join(f, "\n"), "was changed") {
					t.Errorf("entry %d with its old hash: %q", seq, f)
				}
				setRow(t, s, seq, e.encode("KH")) // with a new hash
				if f := faults(t, s, "KH", Anchor{}); len(f) == 0 {
					t.Errorf("entry %d with a hash computed anew is not found", seq)
				}
				setRow(t, s, seq, row)
			}
			if f := faults(t, s, "KH", Anchor{}); f != nil {
				t.Errorf("put back as it was: %q", f)
			}
		})
	}
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	_, s := filled(t, 3)
	row := rowOf(t, s, 2)
	for i := range 8 * len(row) {
		bent := bytes.Clone(row)
		bent[i/8] ^= 1 << (i % 8)
		setRow(t, s, 2, bent)
		if f := faults(t, s, "KH", Anchor{}); len(f) == 0 {
			t.Fatalf("bit %d of the row is not found", i)
		}
	}
}

func TestRemovedMovedAndInserted(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, s *store.Store)
		want []string
	}{
		"first removed": {func(t *testing.T, s *store.Store) { setRow(t, s, 1, nil) }, []string{"audit log, entry 1: is missing"}},
		"one removed":   {func(t *testing.T, s *store.Store) { setRow(t, s, 5, nil) }, []string{"audit log, entry 5: is missing"}},
		"three removed": {func(t *testing.T, s *store.Store) { setRow(t, s, 5, nil); setRow(t, s, 6, nil); setRow(t, s, 7, nil) },
			[]string{"audit log: entries 5 to 7 are missing"}},
		"end removed": {func(t *testing.T, s *store.Store) { setRow(t, s, 10, nil); setRow(t, s, 9, nil) },
			[]string{"audit log: the end is cut off: entries 9 to 10 are missing"}},
		"all removed": {func(t *testing.T, s *store.Store) {
			for i := range uint64(10) {
				setRow(t, s, i+1, nil)
			}
		}, []string{"audit log: the end is cut off: entries 1 to 10 are missing"}},
		"two swapped": {func(t *testing.T, s *store.Store) {
			a, b := rowOf(t, s, 4), rowOf(t, s, 5)
			setRow(t, s, 4, b)
			setRow(t, s, 5, a)
		}, []string{"audit log, entry 4: entry 5 stands in its place", "audit log, entry 4: does not follow the entry before it",
			"audit log, entry 5: entry 4 stands in its place", "audit log, entry 5: does not follow the entry before it",
			"audit log, entry 6: does not follow the entry before it"}},
		"one repeated": {func(t *testing.T, s *store.Store) { setRow(t, s, 5, rowOf(t, s, 4)) },
			[]string{"audit log, entry 5: entry 4 stands in its place", "audit log, entry 5: does not follow the entry before it",
				"audit log, entry 6: does not follow the entry before it"}},
		"one removed, the rest moved up": {func(t *testing.T, s *store.Store) {
			for i := uint64(5); i < 10; i++ {
				setRow(t, s, i, rowOf(t, s, i+1))
			}
			setRow(t, s, 10, nil)
		}, []string{"audit log, entry 5: entry 6 stands in its place", "audit log, entry 5: does not follow the entry before it",
			"audit log, entry 6: entry 7 stands in its place", "audit log, entry 7: entry 8 stands in its place",
			"audit log, entry 8: entry 9 stands in its place", "audit log, entry 9: entry 10 stands in its place",
			"audit log: the end is cut off: entries 10 to 10 are missing"}},
		"one put at the end": {func(t *testing.T, s *store.Store) {
			e, _ := decode(rowOf(t, s, 10))
			e.Seq, e.Prev = 11, e.Hash
			setRow(t, s, 11, e.encode("KH"))
		}, []string{"audit log: entry 11 is the newest, but the row that repeats it says 10"}},
		"the last written anew": {func(t *testing.T, s *store.Store) {
			e, _ := decode(rowOf(t, s, 10))
			e.Action = "posting.revoke"
			setRow(t, s, 10, e.encode("KH"))
		}, []string{"audit log, entry 10: is not what the row that repeats the newest entry says"}},
		"garbage": {func(t *testing.T, s *store.Store) { setRow(t, s, 5, []byte("nothing of the kind")) },
			[]string{"audit log, entry 5: is damaged and cannot be read"}},
		"a row under another key": {func(t *testing.T, s *store.Store) {
			update(t, s, func(tx *store.Tx) error { return tx.SetRow(store.TableAudit, "odd", []byte("x")) })
		}, []string{"audit log: a row under a key of 3 bytes: it is no entry"}},
		"number 0": {func(t *testing.T, s *store.Store) { setRow(t, s, 0, rowOf(t, s, 1)) }, []string{"audit log: there is an entry with the number 0"}},
		"mirror removed": {func(t *testing.T, s *store.Store) {
			update(t, s, func(tx *store.Tx) error { return tx.DeleteRow(store.TableSetting, mirrorKey) })
		}, []string{"audit log: the row that repeats the newest entry is missing"}},
		"mirror damaged": {func(t *testing.T, s *store.Store) {
			update(t, s, func(tx *store.Tx) error { return tx.SetRow(store.TableSetting, mirrorKey, []byte("x")) })
		}, []string{"audit log: the row that repeats the newest entry is damaged"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, s := filled(t, 10)
			c.do(t, s)
			if d := cmp.Diff(c.want, faults(t, s, "KH", Anchor{})); d != "" {
				t.Error(d)
			}
		})
	}
}

// What was cut off stays visible after more was appended.
func TestAppendDoesNotHideTruncation(t *testing.T) {
	l, s := filled(t, 10)
	setRow(t, s, 10, nil)
	setRow(t, s, 9, nil)
	update(t, s, func(tx *store.Tx) error { return l.Append(tx, event(0)) })
	if d := cmp.Diff([]string{"audit log: entries 9 to 10 are missing"}, faults(t, s, "KH", Anchor{})); d != "" {
		t.Error(d)
	}
}

// What nothing inside the database can tell, an anchor outside does.
func TestAnchor(t *testing.T) {
	l, s := filled(t, 10)
	var kept Anchor
	view(t, s, func(tx *store.Tx) (err error) { kept, err = l.Head(tx); return err })
	setRow(t, s, 10, nil)
	e, err := decode(rowOf(t, s, 9))
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *store.Tx) error {
		return tx.SetRow(store.TableSetting, mirrorKey, append([]byte(entryKey(9)), e.Hash[:]...))
	})
	if f := faults(t, s, "KH", Anchor{}); f != nil {
		t.Errorf("cut off together with the mirror: %q, but the description says that this cannot be found", f)
	}
	if d := cmp.Diff([]string{"audit log: the end is cut off: entry 10 was kept outside, and 9 is the newest"}, faults(t, s, "KH", kept)); d != "" {
		t.Error(d)
	}
	update(t, s, func(tx *store.Tx) error { return l.Append(tx, event(77)) })
	if d := cmp.Diff([]string{"audit log, entry 10: is not the entry that was kept outside"}, faults(t, s, "KH", kept)); d != "" {
		t.Error(d)
	}
}

// Erasing a person takes the name out of reach and leaves the chain as it is.
func TestErasedPerson(t *testing.T) {
	l, s := filled(t, 30)
	var name string
	update(t, s, func(tx *store.Tx) (err error) {
		if name, err = l.Pseudonym(tx, someone(1)); err != nil {
			return err
		}
		if who, err := l.PersonOf(tx, name); err != nil || who != someone(1) {
			t.Errorf("%s stands for %q: %v", name, who, err)
		}
		return l.Append(tx, Event{Kind: Operator, Action: "people.erase", ResourceKind: ResourcePerson, Resource: someone(1)})
	})
	list := func(f Filter) (n int) {
		view(t, s, func(tx *store.Tx) error {
			entries, _, err := l.List(tx, f, 0, 0)
			n = len(entries)
			return err
		})
		return n
	}
	if got := list(Filter{ResourceKind: ResourcePerson, Resource: someone(1)}); got != 1 {
		t.Errorf("%d entries about the person, want 1", got)
	}
	if got := list(Filter{Actor: someone(1)}); got != 10 {
		t.Errorf("%d entries by the person, want 10", got)
	}
	update(t, s, func(tx *store.Tx) error { return l.Erase(tx, someone(1)) })
	if got := list(Filter{Actor: someone(1)}); got != 0 {
		t.Errorf("%d entries by an erased person's id, want none", got)
	}
	if got := list(Filter{Actor: name}); got != 10 {
		t.Errorf("%d entries under the pseudonym, want 10", got)
	}
	tables := map[store.Table]string{store.TableAudit: "", store.TablePerson: ""}
	for table := range maps.Keys(tables) {
		view(t, s, func(tx *store.Tx) error {
			return tx.Rows(table, "", "", func(key string, value []byte) (bool, error) {
				if strings.Contains(key, someone(1)) || bytes.Contains(value, []byte(someone(1))) {
					t.Errorf("table %c still holds the erased id", table)
				}
				return true, nil
			})
		})
	}
	if f := faults(t, s, "KH", Anchor{}); f != nil {
		t.Errorf("after erasing: %q", f)
	}
	update(t, s, func(tx *store.Tx) error {
		if who, err := l.PersonOf(tx, name); err != nil || who != "" {
			t.Errorf("the pseudonym still stands for %q: %v", who, err)
		}
		again, err := l.Pseudonym(tx, someone(1))
		if again == name {
			t.Error("the old pseudonym came back")
		}
		return err
	})
}
