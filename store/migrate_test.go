package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	badger "github.com/dgraph-io/badger/v4"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// schemaOne turns a database into what the first version of this package wrote: in the seq index, the record key alone.
// Of every origin, only what lies above a position is turned back; what lies below was migrated before an interruption.
func schemaOne(t *testing.T, s *Store, above uint64, origins ...protocol.MemberID) (turned int) {
	t.Helper()
	for _, o := range origins {
		var keys, values [][]byte
		view(t, s, func(tx *Tx) error {
			return tx.scan(originKey(keySeq, o, 0), posKey(keySeq, o, protocol.Position{Epoch: 1, Seq: above}), func(key, v []byte) (bool, error) {
				keys, values = append(keys, bytes.Clone(key)), append(values, bytes.Clone(v[1:]))
				return true, nil
			})
		})
		for len(keys) > 0 {
			n := min(1000, len(keys))
			update(t, s, func(tx *Tx) error {
				for i := range n {
					if err := tx.set(keys[i], values[i]); err != nil {
						return err
					}
				}
				return tx.SetMeta(metaSchema, binary.BigEndian.AppendUint64(nil, 1))
			})
			turned += n
			keys, values = keys[n:], values[n:]
		}
	}
	return turned
}

func TestMigrateSchemaOne(t *testing.T) {
	f := federation(t)
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	for _, o := range []protocol.MemberID{"AB", "ABC"} {
		for n := 0; n < 3000; n += 500 {
			mustAuthor(t, s, f, o, puts(n, n+500, "first")...)
		}
		mustAuthor(t, s, f, o, puts(100, 200, "second")...)
		var gone []draft
		for n := 300; n < 350; n++ {
			gone = append(gone, draft{protocol.Withdraw, replicatest.Key(n), protocol.Tombstone{Reason: "other"}.Encode()})
		}
		mustAuthor(t, s, f, o, gone...)
	}
	index := func(o protocol.MemberID) (all []string) {
		view(t, s, func(tx *Tx) error {
			return tx.Origin(o).Seqs(func(pos protocol.Position, kind protocol.ChangeKind, key protocol.RecordKey) error {
				all = append(all, fmt.Sprint(pos, kind, key))
				return nil
			})
		})
		return all
	}
	want := fmt.Sprint(index("AB"), index("ABC"))
	before := *proven(t, s, "AB")
	for _, x := range []struct {
		name    string
		origins []protocol.MemberID
		above   uint64
	}{
		{"whole", []protocol.MemberID{"AB", "ABC"}, 0},
		{"interrupted in the first origin", []protocol.MemberID{"AB", "ABC"}, 1777},
		{"interrupted in the second origin", []protocol.MemberID{"ABC"}, 2000},
		{"interrupted at the very end", []protocol.MemberID{"ABC"}, 3150},
		{"done, but for the version", []protocol.MemberID{"ABC"}, 9999},
	} {
		turned := schemaOne(t, s, x.above, x.origins...)
		update(t, s, func(tx *Tx) error { return tx.SetMeta(metaSchema, binary.BigEndian.AppendUint64(nil, 1)) })
		if turned > 0 && fmt.Sprint(index("AB"), index("ABC")) == want {
			t.Fatalf("%s: the index was not turned back", x.name)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is nothing to do
			s = open(t, Config{Dir: dir})
			if fmt.Sprint(index("AB"), index("ABC")) != want {
				t.Errorf("%s: another index after migration", x.name)
			}
			if *frontier(t, s, "AB") != before {
				t.Errorf("%s: another frontier", x.name)
			}
			view(t, s, func(tx *Tx) error {
				b, err := tx.Meta(metaSchema)
				if binary.BigEndian.Uint64(b) != Schema {
					t.Errorf("%s: schema is %x", x.name, b)
				}
				return err
			})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		s = open(t, Config{Dir: dir})
		t.Logf("%s: %d entries of schema 1", x.name, turned)
	}
	mustAuthor(t, s, f, "AB", puts(0, 10, "after")...)
	proven(t, s, "AB")
	proven(t, s, "ABC")
}

// On a nearly full disk nothing is migrated, and nothing lost.
func TestMigrationWaitsForRoom(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	mustAuthor(t, s, federation(t), "AB", puts(0, 50, "first")...)
	schemaOne(t, s, 0, "AB")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	d := newDisk(200 * mib)
	if _, err := Open(Config{Dir: dir, Memtable: 8 << 20, MinFree: 300 * mib, Free: d.ask}); protocol.CodeOf(err) != protocol.CodeReadOnly {
		t.Errorf("got %v", err)
	}
	proven(t, open(t, Config{Dir: dir}), "AB")
}

func TestOtherDatabasesAreRefused(t *testing.T) {
	newer := t.TempDir()
	s := open(t, Config{Dir: newer})
	update(t, s, func(tx *Tx) error { return tx.SetMeta(metaSchema, binary.BigEndian.AppendUint64(nil, Schema+1)) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	foreign := t.TempDir()
	db, err := badger.Open(badger.DefaultOptions(foreign).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(txn *badger.Txn) error { return txn.Set([]byte("somebody"), []byte("else's")) }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"a newer schema": newer, "a foreign database": foreign} {
		for range 2 { // it was closed properly the first time
			if _, err := Open(Config{Dir: dir, Memtable: 8 << 20, MinFree: 1}); protocol.CodeOf(err) != protocol.CodeVersion {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	broken := open(t, Config{})
	update(t, broken, func(tx *Tx) error { return tx.set([]byte{keySeq, 2, 'K', 'H', 0}, []byte("listing/x")) })
	update(t, broken, func(tx *Tx) error { return tx.SetMeta(metaSchema, binary.BigEndian.AppendUint64(nil, 1)) })
	if err := broken.migrate(); protocol.CodeOf(err) != protocol.CodeInternal {
		t.Errorf("an index entry without a record: %v", err)
	}
}

// schemaTwo turns a database into what the version before this one wrote: withdrawals without an index of their own, and
// evidence as two headers behind the length of the first. Of the index, what lies above a position is taken away.
func schemaTwo(t *testing.T, s *Store, above uint64, origins ...protocol.MemberID) (turned int) {
	t.Helper()
	update(t, s, func(tx *Tx) error {
		for _, o := range origins {
			prefix := originKey(keyWithdrawn, o, 0)
			var drop [][]byte
			if err := tx.keys(prefix, func(key []byte) bool {
				if posOf(key).Seq > above {
					drop = append(drop, bytes.Clone(key))
				}
				return true
			}); err != nil {
				return err
			}
			for _, k := range drop {
				if err := tx.delete(k); err != nil {
					return err
				}
			}
			all, err := tx.Origin(o).Evidence()
			if err != nil {
				return err
			}
			for _, e := range all {
				a, b := e.A.Bytes(), e.B.Bytes()
				old := append(append(binary.BigEndian.AppendUint32(nil, uint32(len(a))), a...), b...)
				if err := tx.set(posKey(keyEvidence, o, e.A.Pos), old); err != nil {
					return err
				}
			}
			turned += len(drop) + len(all)
		}
		return tx.SetMeta(metaSchema, binary.BigEndian.AppendUint64(nil, 2))
	})
	return turned
}

func TestMigrateSchemaTwo(t *testing.T) {
	f := federation(t)
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	origins := []protocol.MemberID{"AB", "ABC"}
	for i, o := range origins {
		for n := 0; n < 1500; n += 500 {
			mustAuthor(t, s, f, o, puts(n, n+500, "first")...)
		}
		var gone []draft
		for n := range 1200 + 50*i { // more than one batch of the migration
			gone = append(gone, draft{protocol.Withdraw, replicatest.Key(n), protocol.Tombstone{Reason: "other"}.Encode()})
		}
		for len(gone) > 0 {
			n := min(400, len(gone))
			made := mustAuthor(t, s, f, o, gone[:n]...)
			gone = gone[n:]
			h := made[0].Header
			h.Digest = protocol.Sum([]byte("other"))
			other, err := protocol.SignChange(replicatest.RecordSigner(o), h, made[0].Body)
			if err != nil {
				t.Fatal(err)
			}
			e, _ := protocol.NewEvidence(&made[0].SignedHeader, &other.SignedHeader)
			update(t, s, func(tx *Tx) error { _, err := tx.Origin(o).AddEvidence(e); return err })
		}
	}
	state := func() (said string) {
		view(t, s, func(tx *Tx) error {
			for _, o := range origins {
				gone, err := tx.Origin(o).Withdrawn(1<<40, 1<<20)
				if err != nil {
					return err
				}
				all, err := tx.Origin(o).Evidence()
				if err != nil {
					return err
				}
				said += fmt.Sprint(o, len(gone), gone, len(all))
				for _, e := range all {
					said += e.A.Raw.Short() + e.B.Raw.Short()
				}
			}
			return nil
		})
		return said
	}
	want := state()
	for _, x := range []struct {
		name    string
		above   uint64
		origins []protocol.MemberID
	}{
		{"whole", 0, origins},
		{"interrupted in the first origin", 1700, origins},
		{"interrupted in the second origin", 2000, origins[1:]},
		{"done, but for the version", 1 << 40, nil},
	} {
		turned := schemaTwo(t, s, x.above, x.origins...)
		update(t, s, func(tx *Tx) error { return tx.SetMeta(metaSchema, binary.BigEndian.AppendUint64(nil, 2)) })
		for range 2 { // the second time there is nothing to do
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, Config{Dir: dir})
			if state() != want {
				t.Errorf("%s: other withdrawals or evidence after migration", x.name)
			}
		}
		t.Logf("%s: %d entries of schema 2", x.name, turned)
	}
	// Two headers that prove nothing are dropped; bytes that are no headers are named.
	var kept []protocol.Evidence
	view(t, s, func(tx *Tx) (err error) { kept, err = tx.Origin("AB").Evidence(); return err })
	a := kept[0].A.Bytes()
	same := append(append(binary.BigEndian.AppendUint32(nil, uint32(len(a))), a...), a...)
	update(t, s, func(tx *Tx) error { return tx.set(posKey(keyEvidence, "AB", kept[0].A.Pos), same) })
	if err := s.indexWithdrawals(); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		all, err := tx.Origin("AB").Evidence()
		if len(all) != len(kept)-1 {
			t.Errorf("%d pieces of evidence of %d: %v", len(all), len(kept), err)
		}
		return err
	})
	for _, bad := range [][]byte{nil, {0, 0}, {0, 0, 0, 9, 1}, same[:40], bytes.Repeat([]byte{0xff}, 8)} {
		update(t, s, func(tx *Tx) error { return tx.set(posKey(keyEvidence, "LA", at(1)), bad) })
		if err := s.indexWithdrawals(); protocol.CodeOf(err) != protocol.CodeInternal {
			t.Errorf("evidence %x: %v", bad, err)
		}
	}
}

func at(seq uint64) protocol.Position { return protocol.Position{Epoch: 1, Seq: seq} }
