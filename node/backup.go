package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// BackupConfig says when the node backs itself up.
type BackupConfig struct {
	Dir   string // "": never
	Every time.Duration
	Keep  int
}

// backups of a node: one is written at a time.
type backups struct {
	writing sync.Mutex

	mu       sync.Mutex
	failures int // in a row
	why      string

	total *prometheus.CounterVec // by result: complete, failed
	last  prometheus.Gauge
}

// backupFailures is after how many failures in a row people are told.
const backupFailures = 2

func newBackups(r *prometheus.Registry) *backups {
	b := &backups{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tmh", Name: "backups_total", Help: "Scheduled backups by result."}, []string{"result"}),
		last:  prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "tmh", Name: "backup_last_seconds", Help: "When the newest complete scheduled backup was taken, in Unix seconds; 0: never."}),
	}
	r.MustRegister(b.total, b.last)
	for _, result := range []string{"complete", "failed"} {
		b.total.WithLabelValues(result) // shown as 0, so that an alarm can be set on it
	}
	return b
}

// Backup writes a backup of the store as it is now, for whoever holds the administration socket.
//
// Errors: CodeConflict while another is being written.
func (c counter) Backup(ctx context.Context, w io.Writer) error {
	b := c.n.backups
	if !b.writing.TryLock() {
		return protocol.Errorf(protocol.CodeConflict, "", "another backup is being written: wait until it is complete")
	}
	defer b.writing.Unlock()
	if err := c.n.backup(ctx, w); err != nil {
		return err
	}
	c.n.house.Note(door.ActorOf(ctx), "node.backup", "", "", nil)
	if err := c.n.backupGiven(); err != nil { // the backup is good all the same
		c.n.log.Warn("not noted that a backup was given out", "error", err)
	}
	return nil
}

const (
	rowGiven  = "node/backups"
	mostGiven = 10
)

// backupGiven notes when a backup was given out through the socket. What became of the file nobody here knows.
func (n *Node) backupGiven() error {
	return n.store.Update(func(tx *store.Tx) error {
		all, err := given(tx)
		if err != nil {
			return err
		}
		all = append(all, protocol.InstantOf(n.cfg.Now()))
		b, err := json.Marshal(all[max(0, len(all)-mostGiven):])
		if err != nil {
			return err
		}
		return tx.SetRow(store.TableSetting, rowGiven, b)
	})
}

// given are the last times that a backup was given out, the newest last.
func given(tx *store.Tx) (all []protocol.Instant, err error) {
	b, err := tx.Row(store.TableSetting, rowGiven)
	if err == nil && b != nil {
		err = json.Unmarshal(b, &all)
	}
	return all, err
}

// Health adds what the desk does not know of.
func (c counter) Health() exchange.Health {
	h := c.Desk.Health()
	b := c.n.backups
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures >= backupFailures {
		h.Faults = append(h.Faults, fmt.Sprintf("The last %d scheduled backups failed: %s. Mend it, or take one by hand with tmh backup.", b.failures, b.why))
	}
	return h
}

func (n *Node) backup(ctx context.Context, w io.Writer) error {
	_, err := n.store.Backup(ctx, w, store.BackupHeader{
		Member: n.cfg.Member, Federation: n.roster.Load().Federation(), Created: n.cfg.Now().UTC(), Version: n.cfg.Version,
	})
	return err
}

// backupRetry is how long the node waits after a failed backup at most.
const backupRetry = 15 * time.Minute

// backupLoop takes backups on schedule. The names of the files say when the last one was taken, over restarts too.
func (n *Node) backupLoop(ctx context.Context) {
	c := n.cfg.Backup
	if c.Dir == "" {
		return
	}
	wait := n.untilBackup()
	for sleep(ctx, wait) {
		path, err := n.scheduledBackup(ctx)
		if ctx.Err() != nil {
			return
		}
		n.backups.mu.Lock()
		if err != nil {
			n.backups.failures++
			n.backups.why = protocol.All(err)[0].Message
			if one := new(protocol.Error); !errors.As(err, &one) {
				n.backups.why = err.Error() // of the operating system: names a path, which its operator knows
			}
			n.backups.total.WithLabelValues("failed").Inc()
			n.log.Error("scheduled backup failed", "dir", c.Dir, "error", err)
			wait = min(c.Every, backupRetry)
		} else {
			n.backups.failures = 0
			n.backups.total.WithLabelValues("complete").Inc()
			n.log.Info("backup complete", "file", path)
			wait = n.untilBackup()
		}
		n.backups.mu.Unlock()
	}
}

// untilBackup is when the next backup is due, by the newest that is there.
func (n *Node) untilBackup() time.Duration {
	_, times, err := store.Backups(n.cfg.Backup.Dir, n.cfg.Member)
	if err != nil || len(times) == 0 {
		return 0
	}
	last := times[len(times)-1]
	n.backups.last.Set(float64(last.Unix()))
	every := n.cfg.Backup.Every
	return min(max(every-n.cfg.Now().Sub(last), 0), every) // a clock that was put back delays it once at most
}

// scheduledBackup takes one and then, and only then, removes what is more than is to be kept.
func (n *Node) scheduledBackup(ctx context.Context) (path string, err error) {
	c := n.cfg.Backup
	n.backups.writing.Lock()
	defer n.backups.writing.Unlock()
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return "", fmt.Errorf("make the folder of backups: %w", err)
	}
	path, h, _, err := store.SaveBackup(store.Saving{
		Dir: c.Dir, Data: n.cfg.Store.Dir, MinFree: n.cfg.Store.MinFree,
		Produce: func(w io.Writer) error { return n.backup(ctx, w) },
	})
	if err != nil {
		return "", err
	}
	n.backups.last.Set(float64(h.Created.Unix()))
	return path, store.TidyBackups(c.Dir, n.cfg.Member, c.Keep, h.Created)
}

// Restoring says what is restored, and where to.
type Restoring struct {
	File     string
	Dry      bool              // verify only
	Member   protocol.MemberID // whose node it is; "": whoever's backup it is
	Data     string            // the database to make. "": none, verify only
	Guard    string            // the guard file, which stays as it is
	Store    store.Config      // for the rest
	Progress func(step string, n uint64)
}

// Restored is what a backup holds.
type Restored struct {
	Header       store.BackupHeader
	Count        store.BackupCount
	Verification Verification
	Signed       store.Mark // what the guard knows of; zero where there is none
}

// Restore makes a database of a backup: beside its place at first, where everything in it is verified, so that no half of
// one is ever there. It refuses where something is in that place already. A backup in which something is found wrong is
// not restored: Verification says what.
func Restore(ctx context.Context, r Restoring) (out Restored, err error) {
	f, err := os.Open(r.File)
	if err != nil {
		return out, err
	}
	defer f.Close()
	b, err := store.OpenBackup(f)
	if err != nil {
		return out, fmt.Errorf("%s: %w", r.File, err)
	}
	out.Header = b.Header
	if r.Member != "" && b.Header.Member != r.Member {
		return out, protocol.Errorf(protocol.CodeOrigin, "", "%s is a backup of %s, and this is the node of %s", r.File, b.Header.Member, r.Member)
	}
	if r.Guard != "" {
		if out.Signed, _, err = store.ReadGuard(r.Guard); err != nil && !r.Dry {
			return out, err
		}
	}
	if !r.Dry {
		release, taken := store.LockGuard(r.Guard)
		if taken != nil {
			return out, taken
		}
		defer func() { err = errors.Join(err, release()) }()
		if err := free(r.Data); err != nil {
			return out, err
		}
	}
	beside := r.Data
	if beside == "" {
		beside = r.File
	}
	dir, remove, err := store.Scratch(beside, "restore")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, remove()) }() // nothing is there any more when it was renamed
	if err := store.RoomFor(dir, b.Header.Size, dir, r.Store.MinFree); err != nil {
		return out, err
	}
	if err := r.load(ctx, b, filepath.Join(dir, "data"), &out); err != nil || r.Dry {
		return out, err
	}
	if err := os.Remove(r.Data); err != nil && !errors.Is(err, os.ErrNotExist) {
		return out, fmt.Errorf("take the place of the empty data folder: %w", err)
	}
	if err := os.Rename(filepath.Join(dir, "data"), r.Data); err != nil {
		return out, fmt.Errorf("put the restored database in its place: %w", err)
	}
	return out, syncFolder(filepath.Dir(filepath.Clean(r.Data)))
}

// load makes the database in dir and verifies it.
func (r Restoring) load(ctx context.Context, b *store.BackupReader, dir string, out *Restored) error {
	progress := r.Progress
	if progress == nil {
		progress = func(string, uint64) {}
	}
	cfg := r.Store
	cfg.Dir = dir
	var err error
	if out.Count, err = store.Load(ctx, cfg, b, func(n uint64) { progress("entries read", n) }); err != nil {
		return fmt.Errorf("%s: %w", r.File, err)
	}
	s, err := store.Open(cfg)
	if err != nil {
		return err
	}
	out.Verification, err = verifyStore(ctx, s, VerifyConfig{Member: b.Header.Member, Progress: func(n int) { progress("records verified", uint64(n)) }}, store.Mark{})
	if err == nil && !r.Dry && len(out.Verification.Findings) == 0 {
		err = house.AfterRestore(s, b.Header.Member, time.Now)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	if n := len(out.Verification.Findings); n > 0 && !r.Dry {
		return protocol.Errorf(protocol.CodeInternal, "", "%d things are wrong in this backup, so it was not restored: take an older one, or start the node with an empty data folder, which asks the other members for everything", n)
	}
	return nil
}

// free reports why a database cannot be made at dir.
func free(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	what := "something"
	if store.Exists(dir) {
		what = "a database"
	}
	return protocol.Errorf(protocol.CodeConflict, "", "%s holds %s, and a backup is restored into an empty place only: move that folder away, keep it until the node runs again, and leave guard, keys and papers where they are", dir, what)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
