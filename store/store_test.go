package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// An error leaves nothing of a transaction, not even of the database's own.
func TestUpdateIsAtomic(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		mustAuthor(t, s, f, "KH", puts(0, 20, "first")...)
		before := proven(t, s, "KH")
		fault := errors.New("half-way")
		batch := puts(5, 30, "second")
		for i := range batch {
			err := s.Update(func(tx *Tx) error {
				o := tx.Origin("KH")
				b, err := o.Frontier()
				if err != nil {
					return err
				}
				if err := o.SetFrontier(append(b, 1)); err != nil {
					return err
				}
				for _, d := range batch[:i] {
					ch, err := protocol.SignChange(replicatest.RecordSigner("KH"), draftOf(f, d, uint64(100+i)), d.body)
					if err != nil {
						return err
					}
					if err := o.Replace(ch, nil); err != nil {
						return err
					}
				}
				return fault
			})
			if !errors.Is(err, fault) {
				t.Fatalf("got %v", err)
			}
		}
		if after := proven(t, s, "KH"); *after != *before {
			t.Error("the frontier moved")
		}
		// More than a transaction holds is an error of the database, with the same outcome.
		err := s.Update(func(tx *Tx) error {
			for i := range 10000 {
				if err := tx.SetMeta(fmt.Sprint("big", i), make([]byte, 4096)); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			t.Error("a transaction beyond the limit was taken")
		}
		view(t, s, func(tx *Tx) error {
			b, err := tx.Meta("big0")
			if b != nil {
				t.Error("part of a transaction remained")
			}
			return err
		})
		mustAuthor(t, s, f, "KH", puts(20, 22, "third")...)
		proven(t, s, "KH")
	})
}

func draftOf(f *replicatest.Federation, d draft, seq uint64) protocol.Header {
	h := f.Draft(d.kind, d.key)
	h.Origin, h.Pos = "KH", protocol.Position{Epoch: 1, Seq: seq}
	h.Prev, h.Count, h.Digest = protocol.Sum(nil), 1, protocol.Sum(nil)
	return h
}

// A view sees one state, whatever is written meanwhile.
func TestViewIsConsistent(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		mustAuthor(t, s, f, "KH", puts(0, 50, "first")...)
		var writing sync.WaitGroup
		view(t, s, func(tx *Tx) error {
			count := func() (n int) {
				if err := tx.Records("KH", "", func(c *protocol.Change) (bool, error) {
					if n++; string(c.Body[:5]) != "first" {
						t.Errorf("sees %q", c.Body)
					}
					return true, nil
				}); err != nil {
					t.Error(err)
				}
				return n
			}
			count()
			mustAuthor(t, s, f, "KH", puts(0, 100, "later")...)
			if n := count(); n != 50 {
				t.Errorf("sees %d records", n)
			}
			return nil
		})
		for w := range 4 {
			writing.Go(func() {
				for i := range 10 {
					if _, err := author(s, f, "KH", puts(0, 20, fmt.Sprint("w", w, i))...); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 40 {
			proven(t, s, "KH")
		}
		writing.Wait()
		if c := proven(t, s, "KH"); c.Proven.Seq != 150+4*10*20 {
			t.Errorf("ends at %s", c.Proven)
		}
	})
}

func TestReopen(t *testing.T) {
	f := federation(t)
	dir := t.TempDir()
	if Exists(dir) {
		t.Error("an empty folder holds a database")
	}
	s := open(t, Config{Dir: dir})
	mustAuthor(t, s, f, "KH", puts(0, 100, "first")...)
	before := proven(t, s, "KH")
	if _, err := Open(Config{Dir: dir, Memtable: 8 << 20, MinFree: 1}); err == nil {
		t.Error("two stores opened one folder")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := author(s, f, "KH", puts(0, 1, "closed")...); err == nil {
		t.Error("a closed store took a write")
	}
	if !Exists(dir) {
		t.Error("no database where one was written")
	}
	s = open(t, Config{Dir: dir})
	if after := proven(t, s, "KH"); *after != *before {
		t.Error("another frontier after opening again")
	}
	if s.Size() < 0 {
		t.Error("a size below nothing")
	}
}

// TestEmptyLogsAreNoObstacle: a node killed while Badger made its next log file did not start again.
func TestEmptyLogsAreNoObstacle(t *testing.T) {
	dir := t.TempDir()
	for round := range 2 {
		s, err := Open(Config{Dir: dir, MinFree: 1, Memtable: 8 << 20})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := s.Update(func(tx *Tx) error { return tx.SetMeta("round", []byte{byte(round)}) }); err != nil {
			t.Fatal(err)
		}
		if err := s.View(func(tx *Tx) error {
			b, err := tx.Meta("round")
			if err == nil && (len(b) != 1 || b[0] != byte(round)) {
				t.Errorf("round %d reads %v", round, b)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"000099.vlog", "00099.mem"} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
