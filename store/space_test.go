package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

const mib = 1 << 20

// disk is what Config.Free says of a disk.
type disk struct {
	free   atomic.Uint64
	broken atomic.Bool
}

func newDisk(free uint64) *disk {
	d := new(disk)
	d.free.Store(free)
	return d
}

func (d *disk) ask() (free, total uint64, err error) {
	if d.broken.Load() {
		return 0, 0, errors.New("no answer")
	}
	return d.free.Load(), 100 << 30, nil
}

func write(s *Store) error {
	return s.Update(func(tx *Tx) error { return tx.SetMeta("x", []byte("y")) })
}

func TestReadOnlyWhileTheDiskIsNearlyFull(t *testing.T) {
	for name, dir := range map[string]string{"memory": "", "disk": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(20 << 30)
			s := open(t, Config{Dir: dir, MinFree: 3 << 30, Free: d.ask})
			for range 3 {
				if err := write(s); err != nil {
					t.Fatal(err)
				}
				d.free.Store(3<<30 - 1)
				called := false
				err := s.Update(func(*Tx) error { called = true; return nil })
				if protocol.CodeOf(err) != protocol.CodeReadOnly || called {
					t.Errorf("a write on a nearly full disk: called %v, %v", called, err)
				}
				view(t, s, func(tx *Tx) error {
					b, err := tx.Meta("x")
					if string(b) != "y" {
						t.Error("nothing to read while read-only")
					}
					return err
				})
				if st := s.Space(); !st.ReadOnly || st.Free != 3<<30-1 || st.MinFree != 3<<30 {
					t.Errorf("space is %+v", st)
				}
				d.free.Store(3 << 30)
				if err := write(s); err != nil {
					t.Errorf("there is room again: %v", err)
				}
				if st := s.Space(); st.ReadOnly {
					t.Errorf("space is %+v", st)
				}
			}
			d.broken.Store(true)
			if err := write(s); err == nil {
				t.Error("a write to a disk that does not answer")
			}
			if st := s.Space(); st.Free != 3<<30 {
				t.Errorf("the last known is %+v", st)
			}
		})
	}
}

func TestMinFreeByDefault(t *testing.T) {
	for total, want := range map[uint64]uint64{10 << 30: 2 << 30, 40 << 30: 2 << 30, 1000 << 30: 50 << 30} {
		s, err := Open(Config{Free: func() (uint64, uint64, error) { return total, total, nil }})
		if err != nil {
			t.Fatal(err)
		}
		if st := s.Space(); st.MinFree != want {
			t.Errorf("of %d GiB %d MiB stay free, want %d", total>>30, st.MinFree/mib, want/mib)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A MinFree that does not cover what Badger may need to finish is raised: see space.go.
func TestMinFreeIsSafe(t *testing.T) {
	tables := uint64(0)
	for _, x := range []struct {
		name                                  string
		dir                                   string
		minFree, memtable, tables, free, want uint64
	}{
		{"in memory", "", 1, 8 * mib, 0, 0, 1},
		{"an empty database", "d", 1, 8 * mib, 0, 100 * mib, 64 * mib},
		{"a small one", "d", 1, 8 * mib, 30 * mib, 100 * mib, 94 * mib},
		{"a great one", "d", 1, 8 * mib, 9 << 30, 100 * mib, 64*mib + 1<<30},
		{"more was wanted", "d", 500 * mib, 8 * mib, 30 * mib, 100 * mib, 500 * mib},
		{"enough by far", "d", 1, 8 * mib, 9 << 30, 9 << 30, 1},
		{"by default", "d", 2 << 30, 64 * mib, 9 << 30, 100 * mib, 2 << 30},
	} {
		tables = x.tables
		s := &space{dir: x.dir, minFree: x.minFree, memtable: x.memtable, tables: func() uint64 { return tables }}
		if got := s.need(x.free); got != x.want {
			t.Errorf("%s: %d MiB, want %d", x.name, got/mib, x.want/mib)
		}
	}
}

func TestBallast(t *testing.T) {
	dir := t.TempDir()
	ballast := filepath.Join(dir, ballastName)
	size := func() int64 {
		info, err := os.Stat(ballast)
		if err != nil {
			return -1
		}
		return info.Size()
	}
	d := newDisk(100 * mib)
	cfg := Config{Dir: dir, MinFree: 90 * mib, Free: d.ask}
	s := open(t, cfg)
	if err := write(s); err != nil {
		t.Fatal(err)
	}
	if size() >= 0 {
		t.Error("ballast was laid where it would have made the store read-only")
	}
	d.free.Store(135 * mib)
	if err := write(s); err != nil {
		t.Fatal(err)
	}
	if size() != 45*mib {
		t.Errorf("ballast has %d bytes, want half of MinFree", size())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	// With 16 MiB for memtables wanted and less there, opening gives the ballast up.
	d.free.Store(10 * mib)
	s = open(t, cfg)
	if size() >= 0 {
		t.Error("the ballast was kept though there was no room to open")
	}
	if err := write(s); protocol.CodeOf(err) != protocol.CodeReadOnly {
		t.Errorf("a write: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	// With no ballast to give up it is refused, with what to do. Nothing is touched.
	if _, err := Open(Config{Dir: dir, MinFree: 90 * mib, Memtable: 8 * mib, Free: d.ask}); protocol.CodeOf(err) != protocol.CodeReadOnly {
		t.Errorf("opening on a full disk: %v", err)
	}

	// There is room again: the store opens, and lays the ballast anew, of another size now.
	d.free.Store(10 << 30)
	if err := os.WriteFile(ballast, make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.MinFree = 1 << 30
	s = open(t, cfg)
	if err := write(s); err != nil {
		t.Fatal(err)
	}
	if size() != ballastMost {
		t.Errorf("ballast has %d bytes", size())
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 KiB", 5000: "4 KiB", 3 * mib / 2: "1.5 MiB", 5 << 29: "2.5 GiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
