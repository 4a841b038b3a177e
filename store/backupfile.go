package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// Saving says how a backup file is written.
type Saving struct {
	Path string // must not exist; "" makes a name of member and time below Dir
	Dir  string

	Data    string // the database, and what must stay free where it is on the same disk (0: by default)
	MinFree uint64

	Produce  func(io.Writer) error // writes the backup
	Progress func(entries uint64)  // nil: nobody asks
}

// partSuffix marks a file that is not complete.
const partSuffix = ".part"

// SaveBackup writes a backup file under a temporary name, syncs it, reads it back with its checksum, and only then gives it
// its name. Nothing remains where a step fails.
func SaveBackup(s Saving) (path string, h BackupHeader, n BackupCount, err error) {
	dir := s.Dir
	if s.Path != "" {
		dir = filepath.Dir(s.Path)
		if _, err := os.Lstat(s.Path); err == nil {
			return "", h, n, protocol.Errorf(protocol.CodeConflict, "", "%s exists already and is not overwritten: name another file", s.Path)
		}
	}
	f, err := os.CreateTemp(dir, "backup-*"+partSuffix) // readable by its owner alone: it holds full records
	if err != nil {
		return "", h, n, fmt.Errorf("write a backup: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	h, err = s.stream(f, dir)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", h, n, err
	}
	if h, n, err = CheckBackup(f.Name(), nil); err != nil {
		return "", h, n, fmt.Errorf("read back what was written: %w", err)
	}
	if path = s.Path; path == "" {
		path = filepath.Join(dir, BackupName(h.Member, h.Created))
	}
	if err := os.Link(f.Name(), path); err != nil { // never over another file
		return "", h, n, fmt.Errorf("name the backup: %w", err)
	}
	return path, h, n, errors.Join(os.Remove(f.Name()), syncDir(dir))
}

// stream writes what is produced, and reads it at the same time: for the header, which says how much will come, and for
// progress.
func (s Saving) stream(f io.Writer, dir string) (h BackupHeader, err error) {
	r, w := io.Pipe()
	watched := make(chan error, 1)
	go func() {
		watched <- func() error {
			b, err := OpenBackup(r)
			if err != nil {
				return err
			}
			h = b.Header
			if err := RoomFor(dir, h.Size, s.Data, s.MinFree); err != nil {
				return err
			}
			var entries uint64
			_, err = b.Each(func(_, _ []byte) error {
				if entries++; entries%1000 == 0 && s.Progress != nil {
					s.Progress(entries)
				}
				return nil
			})
			return err
		}()
		_ = r.CloseWithError(unwanted{})
	}()
	err = s.Produce(io.MultiWriter(f, w))
	_ = w.Close()
	seen := <-watched
	if seen != nil && (err == nil || errors.Is(err, unwanted{})) {
		return h, seen
	}
	return h, err
}

// unwanted ends writing where reading found a reason to stop, which is then the error.
type unwanted struct{}

func (unwanted) Error() string { return "nobody reads on" }

// CheckBackup reads a whole backup file and compares its checksum.
func CheckBackup(path string, progress func(entries uint64)) (h BackupHeader, n BackupCount, err error) {
	f, err := os.Open(path)
	if err != nil {
		return h, n, err
	}
	defer f.Close()
	b, err := OpenBackup(f)
	if err != nil {
		return h, n, fmt.Errorf("%s: %w", path, err)
	}
	entries := uint64(0)
	n, err = b.Each(func(_, _ []byte) error {
		if entries++; entries%1000 == 0 && progress != nil {
			progress(entries)
		}
		return nil
	})
	if err != nil {
		return b.Header, n, fmt.Errorf("%s: %w", path, err)
	}
	return b.Header, n, nil
}

// Load makes a database in cfg.Dir, which must not hold one, of a backup. The caller removes the folder where it fails:
// until Load returns nobody knows that the backup is whole.
func Load(ctx context.Context, cfg Config, b *BackupReader, progress func(entries uint64)) (n BackupCount, err error) {
	if Exists(cfg.Dir) {
		return n, protocol.Errorf(protocol.CodeConflict, "", "%s holds a database already", cfg.Dir)
	}
	s, err := openDatabase(cfg)
	if err != nil {
		return n, err
	}
	defer func() { err = errors.Join(err, s.db.Sync(), s.Close()) }()
	batch := s.db.NewTransaction(true)
	defer func() { batch.Discard() }()
	var size int64
	commit := func() error {
		if err := s.space.check(); err != nil {
			return err
		}
		if err := batch.Commit(); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		batch, size = s.db.NewTransaction(true), 0
		return ctx.Err()
	}
	entries := uint64(0)
	n, err = b.Each(func(key, value []byte) error {
		add := int64(len(key)+len(value)) + 64
		if size+add > s.MaxWrite()/2 && size > 0 {
			if err := commit(); err != nil {
				return err
			}
		}
		size += add
		if entries++; entries%1000 == 0 && progress != nil {
			progress(entries)
		}
		return (&Tx{txn: batch}).set(append([]byte(nil), key...), append([]byte(nil), value...))
	})
	if err != nil {
		return n, err
	}
	return n, commit()
}

// Backup files are named by member and time, so that names sort by age.
const (
	backupSuffix = ".tmhbackup"
	backupTime   = "20060102T150405Z"
)

// BackupName is the name of a member's backup file.
func BackupName(member protocol.MemberID, at time.Time) string {
	return string(member) + "-" + at.UTC().Format(backupTime) + backupSuffix
}

// Backups lists a member's backup files in dir by their names, the oldest first, with the time of each.
func Backups(dir string, member protocol.MemberID) (paths []string, times []time.Time, err error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name, ours := strings.CutPrefix(e.Name(), string(member)+"-")
		name, whole := strings.CutSuffix(name, backupSuffix)
		if at, err := time.Parse(backupTime, name); ours && whole && err == nil && e.Type().IsRegular() {
			paths, times = append(paths, filepath.Join(dir, e.Name())), append(times, at)
		}
	}
	return paths, times, nil
}

// TidyBackups removes all but the newest keep of a member's backups, and what interrupted ones left behind. Call it when
// no backup is being written there.
//
// now decides about names that a clock which was ahead gave: they are the first to go.
func TidyBackups(dir string, member protocol.MemberID, keep int, now time.Time) error {
	paths, times, err := Backups(dir, member)
	if err != nil {
		return err
	}
	past, _ := slices.BinarySearchFunc(times, now.Add(time.Minute), time.Time.Compare)
	paths = append(slices.Clone(paths[past:]), paths[:past]...)
	parts, err := filepath.Glob(filepath.Join(dir, "backup-*"+partSuffix))
	for _, p := range append(parts, paths[:max(0, len(paths)-keep)]...) {
		err = errors.Join(err, os.Remove(p))
	}
	return err
}
