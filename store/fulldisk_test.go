package store

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// smallDisk mounts a tmpfs for the test.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may mount a file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a tmpfs cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
			_ = syscall.Unmount(dir, syscall.MNT_DETACH)
		}
	})
	return dir
}

func freeOn(t *testing.T, dir string) uint64 {
	t.Helper()
	free, _, err := statfs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return free
}

// fill the disk with another program's file until so much is left.
func fill(t *testing.T, path string, left uint64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if free := freeOn(t, filepath.Dir(path)); free > left {
		if err := syscall.Fallocate(int(f.Fd()), 0, 0, int64(free-left)); err != nil {
			t.Fatal(err)
		}
	}
}

// On a disk that is really full nothing is lost and nobody dies: a write to it would be a SIGBUS that ends this test's
// process. Writes are refused in time, go on by themselves once there is room, and opening is refused where it is not safe.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, "160m")
	cfg := Config{Dir: filepath.Join(disk, "db"), Memtable: 8 << 20, MinFree: 24 << 20}
	other, more := filepath.Join(disk, "other"), filepath.Join(disk, "more")
	w := &filler{TB: t, f: federation(t), rnd: rand.New(rand.NewPCG(1, 1))}
	rounds := 2
	if testing.Short() {
		rounds = 1
	}
	for round := range rounds {
		fill(t, other, freeOn(t, disk)-30<<20) // another program takes 30 MiB
		s := open(t, cfg)
		wrote, refused := 0, 0
		for refused < 300 { // compaction goes on meanwhile and may give room back
			switch err := w.some(s); protocol.CodeOf(err) {
			case "":
				wrote++
			case protocol.CodeReadOnly:
				refused++
			default:
				t.Fatal(err)
			}
		}
		t.Logf("round %d: %d batches written, then refused at %s free of %s wanted, %s of tables", round, wrote,
			bytesText(s.Space().Free), bytesText(s.Space().MinFree), bytesText(s.tables()))
		fill(t, more, freeOn(t, disk)*3/4) // and then a part of the rest
		w.holds(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}

		s = open(t, cfg)
		w.holds(s)
		if err := w.some(s); protocol.CodeOf(err) != protocol.CodeReadOnly {
			t.Fatalf("a write on a nearly full disk: %v", err)
		}
		if err := errors.Join(os.Remove(other), os.Remove(more)); err != nil {
			t.Fatal(err)
		}
		if err := w.some(s); err != nil {
			t.Fatalf("there is room again: %v", err)
		}
		if info, err := os.Stat(filepath.Join(cfg.Dir, ballastName)); round == 0 && (err != nil || info.Size() != 12<<20) {
			t.Errorf("no ballast: %v", err)
		}
		w.holds(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}

		fill(t, other, 1<<20) // nothing is left: opening would die
		if _, err := Open(cfg); protocol.CodeOf(err) != protocol.CodeReadOnly {
			t.Fatalf("opening on a full disk: %v", err)
		}
		if err := os.Remove(other); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, cfg)
	w.holds(s)
	proven(t, s, "KH")
}

// filler writes batches and remembers what was acknowledged.
type filler struct {
	testing.TB
	f            *replicatest.Federation
	rnd          *rand.Rand
	acknowledged *protocol.Change
}

func (w *filler) some(s *Store) error {
	var batch []draft
	for range 200 {
		body := make([]byte, 1400)
		binary.BigEndian.PutUint64(body, w.rnd.Uint64())
		batch = append(batch, draft{protocol.Put, replicatest.Key(w.rnd.IntN(40000)), body})
	}
	made, err := author(s, w.f, "KH", batch...)
	if err == nil {
		w.acknowledged = made[len(made)-1]
	}
	return err
}

// holds checks that the store ends with what was acknowledged last, and counts its records.
func (w *filler) holds(s *Store) {
	w.Helper()
	c := frontier(w, s, "KH")
	if c.Header != w.acknowledged.Raw {
		w.Fatalf("holds %s, but %s was acknowledged", c.Proven, w.acknowledged.Pos)
	}
	n := uint64(0)
	view(w, s, func(tx *Tx) error {
		return tx.Records("KH", "", func(*protocol.Change) (bool, error) { n++; return true, nil })
	})
	if n != c.Count {
		w.Fatalf("holds %d records of %d", n, c.Count)
	}
}
