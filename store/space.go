package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/asean-tmh/tmh/protocol"
)

// Badger maps its files into memory, so a write to a full disk is a bus error that kills the process, and opening on a
// full disk dies in the same way. The guard stops writing before that, and a ballast file is room to open in.
//
// How much room is safe: a write that was let through may still fill the memtable in use, while up to four others wait;
// each is written out as a table before its log is deleted (together, with the rounding of files, below roomMemtables).
// Then compaction writes new tables before it deletes the old: at most as much as all tables hold, and by measurement
// half of roomTables (450 MiB, with up to 6.6 GB of records revised at random). So nothing is written with less free than
// MinFree or
//
//	8 memtables + the smaller of all tables and 1 GiB
//
// whichever is more: at most 1.5 GiB with memtables of 64 MiB, which is below the least MinFree by default. What other programs
// write at the same time is not foreseen: MinFree above that bound is what is left to them.

// Space is the state of the guard.
type Space struct {
	Free     uint64 // bytes
	MinFree  uint64 // bytes below which nothing is written: Config.MinFree, or more where that would not be safe
	ReadOnly bool
}

const (
	ballastName = "ballast"
	ballastMost = 64 << 20

	roomMemtables = 8       // memtables: to finish what was accepted
	roomTables    = 1 << 30 // bytes: for compaction
	roomToOpen    = 2       // memtables: besides the logs that opening writes out as tables
)

type space struct {
	free     func() (free, total uint64, err error)
	minFree  uint64
	memtable uint64
	dir      string        // empty in memory, where Badger needs no disk
	tables   func() uint64 // bytes of all tables; set when the database is open

	mu   sync.Mutex
	last Space
	laid bool // the ballast, or an attempt at it
}

func newSpace(cfg Config) (*space, error) {
	s := &space{free: cfg.Free, minFree: cfg.MinFree, memtable: uint64(cfg.Memtable), dir: cfg.Dir}
	if s.free == nil {
		if cfg.Dir == "" {
			s.free = func() (uint64, uint64, error) { return 1 << 60, 1 << 60, nil }
		} else {
			s.free = func() (uint64, uint64, error) { return statfs(cfg.Dir) }
		}
	}
	free, total, err := s.free()
	if err != nil {
		return nil, fmt.Errorf("ask for free space of %s: %w", cfg.Dir, err)
	}
	if s.minFree == 0 {
		s.minFree = max(2<<30, total/20)
	}
	if cfg.Dir != "" {
		if err := s.makeRoom(free); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// need is how much must be free for a write. Only where Config.MinFree does not cover the worst case, and the disk is
// that full, are the tables counted.
func (s *space) need(free uint64) uint64 {
	finish := roomMemtables * s.memtable
	if s.dir == "" || s.minFree >= finish+roomTables || free >= finish+roomTables {
		return s.minFree
	}
	return max(s.minFree, finish+min(s.tables(), roomTables))
}

// makeRoom prepares for opening: where there is not enough room it gives up the ballast.
func (s *space) makeRoom(free uint64) error {
	logs, err := allocated(s.dir, "*.mem")
	if err != nil {
		return err
	}
	tables, err := allocated(s.dir, "*.sst")
	if err != nil {
		return err
	}
	need := roomToOpen*s.memtable + logs + min(tables+logs, roomTables)
	if free >= need {
		return nil
	}
	ballast, err := allocated(s.dir, ballastName)
	if err != nil {
		return err
	}
	if ballast > 0 {
		free += ballast
		if err := os.Remove(filepath.Join(s.dir, ballastName)); err != nil {
			return fmt.Errorf("give up ballast: %w", err)
		}
	}
	if free < need {
		return protocol.Errorf(protocol.CodeReadOnly, "", "the disk is full: %s free, opening the database needs %s. Make room and start again; nothing acknowledged is lost",
			bytesText(free), bytesText(need))
	}
	return nil
}

// allocated counts the bytes that files of the folder take on disk. Badger's are sparse.
func allocated(dir, pattern string) (n uint64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if ok, err := filepath.Match(pattern, e.Name()); err != nil || !ok {
			continue
		}
		var st syscall.Stat_t
		if err := syscall.Stat(filepath.Join(dir, e.Name()), &st); err != nil {
			return 0, fmt.Errorf("size of %s: %w", e.Name(), err)
		}
		n += uint64(st.Blocks) * 512
	}
	return n, nil
}

func (s *space) ballastSize() uint64 { return min(ballastMost, s.minFree/2) }

// layBallast reserves room to open in. Where the file system reserves nothing the store does without.
func (s *space) layBallast() error {
	path := filepath.Join(s.dir, ballastName)
	size := int64(s.ballastSize())
	if info, err := os.Stat(path); err == nil && info.Size() == size {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("lay ballast: %w", err)
	}
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		return errors.Join(f.Truncate(0), f.Close())
	}
	return f.Close()
}

// check refuses writes while there is too little room, and takes them again by itself once there is.
func (s *space) check() error {
	st, err := s.note()
	if err != nil {
		return fmt.Errorf("ask for free space: %w", err)
	}
	if st.ReadOnly {
		return protocol.Errorf(protocol.CodeReadOnly, "", "the disk is nearly full: %s free, %s wanted. This node answers queries but takes no changes until there is room",
			bytesText(st.Free), bytesText(st.MinFree))
	}
	return nil
}

// note takes a look at the disk, and lays the ballast where there is room for it.
func (s *space) note() (Space, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	free, _, err := s.free()
	if err != nil {
		return s.last, err
	}
	need := s.need(free)
	s.last = Space{Free: free, MinFree: need, ReadOnly: free < need}
	if s.dir != "" && !s.laid && free >= need+s.ballastSize() {
		s.laid = true
		_ = s.layBallast() // without it the next full disk is met with less room, which check still sees in time
	}
	return s.last, nil
}

func (s *space) state() Space {
	st, _ := s.note() // the last known where the disk does not answer
	return st
}

func statfs(dir string) (free, total uint64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}

func bytesText(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", n>>10)
}
