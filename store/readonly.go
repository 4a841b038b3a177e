package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/asean-tmh/tmh/protocol"
)

// OpenReadOnly opens the database of a stopped node for looking at, and changes nothing in its folder. Badger's own
// read-only mode refuses a folder that a kill left behind, because its logs want cutting. So this opens a copy beside the
// folder that is gone after Close: tables, which never change, are linked, and the logs are copied. Nothing is compacted
// in the copy, as Badger empties a table before it deletes it, which the link would share. An older schema is migrated in
// the copy. The folder stays locked meanwhile.
//
// Errors: CodeConflict where a process has the database open.
func OpenReadOnly(cfg Config) (*Store, error) {
	lock, err := os.Open(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open data folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(protocol.Errorf(protocol.CodeConflict, "", "another process has the database in %s open: stop the node first", cfg.Dir), lock.Close())
	}
	dir, remove, err := Scratch(cfg.Dir, "copy")
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	after := func() error { return errors.Join(remove(), lock.Close()) }
	if err := copyDatabase(cfg.Dir, filepath.Join(dir, "data")); err != nil {
		return nil, errors.Join(fmt.Errorf("make a copy to look at: %w", err), after())
	}
	from := cfg.Dir
	cfg.Dir, cfg.still, cfg.MinFree = filepath.Join(dir, "data"), true, 1
	s, err := Open(cfg)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s cannot be opened: %w", from, err), after())
	}
	s.after = after
	return s, nil
}

// Scratch makes a folder beside path, on the same disk, or among the system's temporary ones where that may not be written.
// The folder is locked while it is in use, so that those which a kill left behind are known, and removed.
func Scratch(path, use string) (dir string, remove func() error, err error) {
	path = filepath.Clean(path)
	pattern := path + "." + use + "-"
	old, err := filepath.Glob(pattern + "*")
	if err != nil {
		return "", nil, err
	}
	for _, o := range old {
		if f, err := lockFolder(o); err == nil {
			err = errors.Join(os.RemoveAll(o), f.Close())
			if err != nil {
				return "", nil, fmt.Errorf("remove what an interrupted run left: %w", err)
			}
		}
	}
	dir, err = os.MkdirTemp(filepath.Dir(path), filepath.Base(pattern))
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		dir, err = os.MkdirTemp("", "tmh-"+use+"-")
	}
	if err != nil {
		return "", nil, fmt.Errorf("make a folder to work in: %w", err)
	}
	f, err := lockFolder(dir)
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("make a folder to work in: %w", err), os.RemoveAll(dir))
	}
	return dir, func() error { return errors.Join(os.RemoveAll(dir), f.Close()) }, nil
}

func lockFolder(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func copyDatabase(from, to string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if !e.Type().IsRegular() || name == ballastName || name == "LOCK" {
			continue
		}
		source, target := filepath.Join(from, name), filepath.Join(to, name)
		if filepath.Ext(name) == ".sst" && os.Link(source, target) == nil {
			continue
		}
		if err := copySparse(source, target); err != nil {
			return err
		}
	}
	return nil
}

// copySparse leaves blocks of zeros out: Badger's logs are mostly that.
func copySparse(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var at int64
	block := make([]byte, 1<<20)
	for {
		n, err := io.ReadFull(r, block)
		if zero := !containsNonZero(block[:n]); n > 0 && !zero {
			if _, err := w.WriteAt(block[:n], at); err != nil {
				return errors.Join(err, w.Close())
			}
		}
		at += int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.Join(w.Truncate(at), w.Close())
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
}

func containsNonZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return true
		}
	}
	return false
}

// ReadGuard reads the mark of a stopped node's guard file, and changes nothing. held is false where there is no such file.
//
// Errors: CodeConflict where a process holds it.
func ReadGuard(path string) (m Mark, held bool, err error) {
	f, err := lockGuard(path, syscall.LOCK_SH)
	if err != nil || f == nil {
		return m, false, err
	}
	g := Guard{file: f}
	err = g.read()
	return g.mark, true, errors.Join(err, f.Close())
}

// LockGuard keeps a node from starting until release is called, and changes nothing. A guard file that is not there is
// not made.
//
// Errors: CodeConflict where a process holds it.
func LockGuard(path string) (release func() error, err error) {
	f, err := lockGuard(path, syscall.LOCK_EX)
	if err != nil || f == nil {
		return func() error { return nil }, err
	}
	return f.Close, nil
}

func lockGuard(path string, how int) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open guard file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(protocol.Errorf(protocol.CodeConflict, "", "another process holds %s: stop the node first", path), f.Close())
	}
	return f, nil
}

// RoomFor refuses to write size bytes into dir where they would not fit, or where dir shares its disk with the database
// in data and the node would have less than minFree left (0: what a store takes by default).
func RoomFor(dir string, size uint64, data string, minFree uint64) error {
	free, total, err := statfs(dir)
	if err != nil {
		return fmt.Errorf("ask for free space of %s: %w", dir, err)
	}
	var a, b syscall.Stat_t
	if syscall.Stat(dir, &a) == nil && syscall.Stat(data, &b) == nil && a.Dev == b.Dev {
		if minFree == 0 {
			minFree = max(2<<30, total/20)
		}
		size += minFree
	}
	if free < size {
		return protocol.Errorf(protocol.CodeReadOnly, "", "%s has %s free, and %s may be needed: make room, or name a folder on another disk", dir, bytesText(free), bytesText(size))
	}
	return nil
}
