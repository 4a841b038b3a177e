package node_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	badger "github.com/dgraph-io/badger/v4"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
	"github.com/asean-tmh/tmh/store"
)

// shelved is a database of KH with catalogues of KH and LA: LA has ten records, of which 0 to 2 were revised at 1.11 to
// 1.13; KH's the same, with full records behind 0 and 1.
func shelved(t *testing.T) (dir string, f *replicatest.Federation) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	f, err := replicatest.NewFederation("KH", "LA")
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(store.Config{Dir: dir, Memtable: 8 << 20, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	record := &protocol.Record{Level: protocol.LevelPublic, Contact: protocol.Contact{Email: "office@example.org"}}
	parts, err := record.Parts("L1", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	full := protocol.EncodeRecord(record, parts)
	err = s.Update(func(tx *store.Tx) error {
		if err := tx.AddCharter(f.Roster.Charter()); err != nil {
			return err
		}
		for _, c := range f.Roster.Cards() {
			if err := tx.SetCard(c); err != nil {
				return err
			}
		}
		for _, id := range []protocol.MemberID{"KH", "LA"} {
			set, c := tx.Origin(id), replica.New(id)
			for i := range 13 {
				l := protocol.Listing{ID: "L1", Kind: "TO", Country: "KH", Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Pump"}}}
				if i%10 < 2 && id == "KH" {
					l.BindFull(parts)
					if err := tx.SetFull(replicatest.Key(i%10), full); err != nil {
						return err
					}
				}
				if _, err := c.Author(set, replicatest.RecordSigner(id), f.Draft(protocol.Put, replicatest.Key(i%10)), l.Encode()); err != nil {
					return err
				}
			}
			if err := set.SetFrontier(c.Encode()); err != nil {
				return err
			}
			h, err := protocol.SignHead(replicatest.RecordSigner(id), protocol.Head{
				Federation: f.Roster.Federation(), Origin: id, CharterVersion: 1, CharterHash: f.Roster.Charter().Hash,
				Pos: c.Proven, Header: c.Header, Counter: 1, IssuedAt: 7200, LeaseUntil: 7300,
			})
			if err != nil {
				return err
			}
			if err := set.SetHead(h, 7200); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, f
}

// Keys as store/keys.go lays them out.
func rawKey(shelf byte, origin, rest string) []byte {
	return append([]byte{shelf, byte(len(origin))}, origin+rest...)
}

func rawPos(shelf byte, origin string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(rawKey(shelf, origin, ""), 1), seq)
}

// flip turns over one bit in the middle of a value.
func flip(key []byte) func(*badger.Txn) error {
	return func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if err != nil {
			return err
		}
		v, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		v[len(v)/2] ^= 4
		return txn.Set(key, v)
	}
}

func lose(key []byte) func(*badger.Txn) error {
	return func(txn *badger.Txn) error { return txn.Delete(key) }
}

func move(from, to []byte) func(*badger.Txn) error {
	return func(txn *badger.Txn) error {
		item, err := txn.Get(from)
		if err != nil {
			return err
		}
		v, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		return txn.Set(to, v)
	}
}

// Every damage is named by member and record, with what to do about it; what is whole is not complained of.
func TestVerifyNamesEveryFault(t *testing.T) {
	const own, other, papers, fulls = "own catalogue. Restore the newest backup", "another member's catalogue: nothing is lost", "Bring the papers again", "kept at their origin only"
	l0, l5, l7 := string(replicatest.Key(0)), string(replicatest.Key(5)), string(replicatest.Key(7))
	for _, c := range []struct {
		name   string
		damage []func(*badger.Txn) error
		want   []string // of each finding: its words and what to do, in any order
	}{
		{"nothing", nil, nil},
		{"own record", []func(*badger.Txn) error{flip(rawKey('r', "KH", l5))}, []string{"KH " + l5 + ": the record is damaged|" + own}},
		{"other's record", []func(*badger.Txn) error{flip(rawKey('r', "LA", l5))}, []string{"LA " + l5 + ": the record is damaged|" + other}},
		{"several, of which the first is early", []func(*badger.Txn) error{flip(rawKey('r', "LA", l0)), flip(rawKey('r', "LA", l7)), flip(rawKey('r', "KH", l7))},
			[]string{"LA " + l0 + ": the record|" + other, "LA " + l7 + ": the record|" + other, "KH " + l7 + ": the record|" + own}},
		{"record lost", []func(*badger.Txn) error{lose(rawKey('r', "LA", l5))},
			[]string{"LA " + l5 + " at 1.6: the feed's index names it there, where it is not|" + other, "LA: the 9 records are not the set of 10|" + other}},
		{"record of another member", []func(*badger.Txn) error{move(rawKey('r', "LA", l5), rawKey('r', "KH", l5))},
			[]string{"KH " + l5 + " at 1.6: it is a record of LA|" + own, "KH: the 10 records are not the set|" + own}},
		{"index entry lost", []func(*badger.Txn) error{lose(rawPos('s', "LA", 8))}, []string{"LA " + l7 + " at 1.8: it is missing in the feed's index|" + other}},
		{"index entry of nothing", []func(*badger.Txn) error{move(rawPos('s', "KH", 8), rawPos('s', "KH", 99))}, []string{"KH " + l7 + " at 1.99: the feed's index names it there, where it is not|" + own}},
		{"index entry of another kind", []func(*badger.Txn) error{func(txn *badger.Txn) error { return txn.Set(rawPos('s', "LA", 8), []byte("\x02"+l7)) }},
			[]string{"LA " + l7 + " at 1.8: the feed's index calls it withdraw, but it is put|" + other}},
		{"header of the ring", []func(*badger.Txn) error{flip(rawPos('h', "LA", 2))}, []string{"LA at 1.2: |" + other}},
		{"header moved", []func(*badger.Txn) error{move(rawPos('h', "LA", 2), rawPos('h', "LA", 3))}, []string{"LA at 1.3: the header kept as evidence is that of 1.2|" + other}},
		{"frontier", []func(*badger.Txn) error{func(txn *badger.Txn) error { return txn.Set(rawKey('f', "LA", ""), []byte("x")) }},
			[]string{"LA: how far it is held cannot be read|" + other}},
		{"frontier's hash", []func(*badger.Txn) error{flip(rawKey('f', "KH", ""))},
			[]string{"KH: the 10 records are not the set of 10|" + own, "KH at 1.13: the copy is not what the origin signed there|" + own}},
		{"head statement", []func(*badger.Txn) error{flip(rawKey('t', "LA", ""))}, []string{"LA|" + other}},
		{"archived statement", []func(*badger.Txn) error{func(txn *badger.Txn) error {
			return txn.Set(append(rawKey('a', "LA", ""), make([]byte, 8)...), []byte("x"))
		}},
			[]string{"LA: an archived head statement is damaged|" + other}},
		{"statement of another", []func(*badger.Txn) error{move(rawKey('t', "LA", ""), rawKey('t', "KH", ""))}, []string{"KH at 1.13: the newest head statement is one of LA|" + own}},
		{"evidence", []func(*badger.Txn) error{func(txn *badger.Txn) error { return txn.Set(rawPos('e', "LA", 2), []byte("xxxxx")) }},
			[]string{"LA: the evidence of a fork is damaged|" + other}},
		{"full record altered", []func(*badger.Txn) error{flip(append([]byte{'x'}, l0...))}, []string{"KH " + l0 + ": its full record is not the one that the listing names|" + fulls}},
		{"full record lost", []func(*badger.Txn) error{lose(append([]byte{'x'}, l0...))}, []string{"KH " + l0 + ": its full record is missing|" + fulls}},
		{"full record of nothing", []func(*badger.Txn) error{move(append([]byte{'x'}, l0...), append([]byte{'x'}, l7...))}, []string{"KH " + l7 + ": there is a full record that no current listing names|" + fulls}},
		{"card", []func(*badger.Txn) error{flip([]byte("kLA"))}, []string{"the card of |" + papers, "…"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, _ := shelved(t)
			db, err := badger.Open(badger.DefaultOptions(dir).WithLogger(nil))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range c.damage {
				if err := db.Update(f); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			v, err := node.Verify(t.Context(), node.VerifyConfig{Store: store.Config{Dir: dir, Memtable: 8 << 20}, Member: "KH"})
			if err != nil {
				t.Fatal(err)
			}
			left := v.Findings
			open := false
			for _, w := range c.want {
				if open = w == "…"; open { // what follows from it is named too
					break
				}
				text, do, _ := strings.Cut(w, "|")
				found := false
				for i, f := range left {
					if strings.HasPrefix(f.String(), text) && strings.Contains(f.Do, do) {
						left, found = append(append([]node.Finding(nil), left[:i]...), left[i+1:]...), true
						break
					}
				}
				if !found {
					t.Errorf("not found: %s", w)
				}
			}
			for _, f := range left {
				if !open {
					t.Errorf("found too: %s (%s)", f, f.Do)
				}
			}
			if len(v.Catalogues) != 2 || v.Records < 19 {
				t.Errorf("only %d records of %d catalogues were looked at", v.Records, len(v.Catalogues))
			}
		})
	}
}

// The guard file is compared, and neither it nor the database is changed by looking.
func TestVerifyComparesTheGuard(t *testing.T) {
	dir, _ := shelved(t)
	guard := filepath.Join(filepath.Dir(dir), "guard")
	verify := func() []node.Finding {
		t.Helper()
		v, err := node.Verify(t.Context(), node.VerifyConfig{Store: store.Config{Dir: dir, Memtable: 8 << 20}, Member: "KH", Guard: guard})
		if err != nil {
			t.Fatal(err)
		}
		return v.Findings
	}
	if f := verify(); len(f) > 0 {
		t.Errorf("without a guard file: %v", f)
	}
	if _, err := os.Stat(guard); err == nil {
		t.Error("a guard file was made by looking")
	}
	g, err := store.OpenGuard(guard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := node.Verify(t.Context(), node.VerifyConfig{Store: store.Config{Dir: dir, Memtable: 8 << 20}, Member: "KH", Guard: guard}); protocol.CodeOf(err) != protocol.CodeConflict {
		t.Errorf("a running node was verified: %v", err)
	}
	if err := g.Advance(store.Mark{Pos: protocol.Position{Epoch: 1, Seq: 13}, Header: protocol.Sum(nil)}); err != nil {
		t.Fatal(err)
	}
	g.Close()
	if f := verify(); len(f) != 1 || !strings.Contains(f[0].Text, "another change signed at this position") {
		t.Errorf("another header at the same position: %v", f)
	}
	if g, err = store.OpenGuard(guard); err != nil {
		t.Fatal(err)
	}
	if err := g.Advance(store.Mark{Pos: protocol.Position{Epoch: 1, Seq: 15}, Header: protocol.Sum(nil)}); err != nil {
		t.Fatal(err)
	}
	g.Close()
	before, err := os.ReadFile(guard)
	if err != nil {
		t.Fatal(err)
	}
	if f := verify(); len(f) != 1 || !strings.Contains(f[0].String(), "KH at 1.13: the store ends here, but the guard file knows that this node signed up to 1.15") || !strings.Contains(f[0].Do, "Restore the newest backup") {
		t.Errorf("a store of an older state: %v", f)
	}
	if after, _ := os.ReadFile(guard); string(after) != string(before) {
		t.Error("the guard file was changed by looking")
	}
}

// A table whose bytes changed outside of what is in use is found by its checksum.
func TestVerifyReadsTheFiles(t *testing.T) {
	dir, _ := shelved(t)
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	b, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := 10; i < len(b); i += max(len(b)/60, 1) {
		altered := append([]byte(nil), b...)
		altered[i] ^= 16
		if err := os.WriteFile(tables[0], altered, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := node.Verify(t.Context(), node.VerifyConfig{Store: store.Config{Dir: dir, Memtable: 8 << 20}, Member: "KH"})
		if err == nil && len(v.Findings) == 0 {
			t.Errorf("byte %d of %d of a table was altered without notice", i, len(b))
		}
	}
}
