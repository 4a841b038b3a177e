// Package mapped keeps what the match engine derives in files: written whole or not at all, and read by mapping them into
// memory, so that the system may drop and fetch their pages as it likes.
package mapped

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// File is a file mapped read-only. The bytes stay valid as long as the File can be reached: who keeps a slice of them
// keeps the File, too. Whoever cuts the file short while it is mapped kills the process that reads it: files are only
// ever replaced or removed.
type File struct{ bytes []byte }

// Open maps a file. An empty file has no bytes.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	case info.Size() == 0:
		return &File{}, nil
	case info.Size() > math.MaxInt32:
		return nil, fmt.Errorf("%s has %d bytes: such files have less than 2 GiB", path, info.Size())
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	m := &File{bytes: b}
	runtime.AddCleanup(m, func(b []byte) { _ = unix.Munmap(b) }, b)
	return m, nil
}

// Bytes of the file. They must not be written to.
func (f *File) Bytes() []byte { return f.bytes }

// Write puts b into the file at path: after a crash there is the whole of it, or what was there before.
func Write(path string, b []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync())
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// Remove takes a file away for good; an absent one is no error.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
