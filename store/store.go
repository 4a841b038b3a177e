package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/asean-tmh/tmh/protocol"
)

// Config of a store.
type Config struct {
	Dir string // of the database; created where absent. Empty: in memory, for simulations

	// MinFree is the free space in bytes below which the store takes no writes. 0: the greater of 2 GiB and 5% of the disk.
	// Where it is less than Badger may need to finish what was accepted (space.go says how much), that counts instead.
	MinFree uint64
	// Free tells the free and the total bytes of the disk under Dir. nil: ask the operating system.
	Free func() (free, total uint64, err error)

	Memtable   int64         // bytes of a memtable, at least 8 MiB. 0: 64 MiB. In memory it is 8 MiB
	GCEvery    time.Duration // between value-log collections. 0: an hour
	ScrubEvery time.Duration // between erasures of superseded values from the files (Scrub). 0: seven days
	Log        *slog.Logger

	still bool // nothing is compacted: the tables are another folder's (OpenReadOnly)
}

// Store is what a node remembers. Its methods are safe for concurrent use; writes run one after another.
type Store struct {
	db    *badger.DB
	cfg   Config
	space *space

	mu       sync.Mutex // held by the one writer
	scrubbed sync.Mutex // held by Scrub, which must not meet Close

	after func() error // after closing: what OpenReadOnly cleans up
}

// Open opens or creates a store, and migrates one of an earlier schema.
//
// Errors: CodeReadOnly where the disk is too full even to open safely; CodeVersion where a newer program wrote it.
func Open(cfg Config) (*Store, error) {
	s, err := openDatabase(cfg)
	if err != nil {
		return nil, err
	}
	if err := s.migrate(); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// openDatabase opens the database as it is.
func openDatabase(cfg Config) (*Store, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Memtable == 0 {
		cfg.Memtable = 64 << 20
	}
	s := &Store{cfg: cfg}
	if cfg.Dir != "" {
		if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("create data folder: %w", err)
		}
	}
	var err error
	if s.space, err = newSpace(cfg); err != nil {
		return nil, err
	}
	if err := dropEmptyLogs(cfg.Dir); err != nil {
		return nil, err
	}
	if s.db, err = badger.Open(badgerOptions(cfg)); err != nil {
		return nil, fmt.Errorf("open database in %s: %w", cfg.Dir, err)
	}
	s.space.tables = s.tables
	return s, nil
}

// dropEmptyLogs deletes log files without a byte. A process killed between making such a file and giving it its size
// leaves one behind, and Badger does not open a folder that holds it; nothing can be in it.
func dropEmptyLogs(dir string) error {
	if dir == "" {
		return nil
	}
	for _, pattern := range []string{"*.vlog", "*.mem"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || info.Size() > 0 {
				continue
			}
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("remove empty log: %w", err)
			}
		}
	}
	return nil
}

// badgerOptions are for two cores and 4 GiB. Every transaction is synced before it is acknowledged: anything less lets a
// later change survive a power cut that an earlier one did not.
func badgerOptions(cfg Config) badger.Options {
	o := badger.DefaultOptions(cfg.Dir).
		WithSyncWrites(true).
		WithDetectConflicts(false). // one writer
		WithMemTableSize(cfg.Memtable).WithNumMemtables(3).
		WithBaseTableSize(8 << 20).
		WithNumLevelZeroTables(3).WithNumLevelZeroTablesStall(8).WithNumCompactors(2).
		WithCompression(options.None).WithBlockCacheSize(0).WithIndexCacheSize(0).
		WithValueLogFileSize(64 << 20).
		WithNumVersionsToKeep(1).
		WithMetricsEnabled(false). // its registry is global; sizes are read off the database
		WithLogger(badgerLog{cfg.Log})
	if cfg.Dir == "" {
		o = o.WithInMemory(true).WithMemTableSize(8 << 20).WithNumMemtables(1).WithNumCompactors(0).WithNumLevelZeroTablesStall(1 << 20) // nothing compacts, so nothing may wait for it
	}
	if cfg.still {
		o = o.WithNumCompactors(0).WithNumLevelZeroTablesStall(1 << 20).WithSyncWrites(false)
	}
	return o
}

// Close flushes and closes the database.
func (s *Store) Close() error {
	s.scrubbed.Lock()
	defer s.scrubbed.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.db.Close()
	if s.after != nil {
		err = errors.Join(err, s.after())
	}
	return err
}

// Update runs f in the one writing transaction and commits it durably. Nothing of it remains where f or the commit
// fails.
//
// Errors: CodeReadOnly while the disk is too full.
func (s *Store) Update(f func(*Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.space.check(); err != nil {
		return err
	}
	return s.update(f)
}

func (s *Store) update(f func(*Tx) error) error {
	txn := s.db.NewTransaction(true)
	defer txn.Discard()
	tx := &Tx{txn: txn}
	if err := errors.Join(f(tx), tx.err); err != nil {
		return err
	}
	if err := txn.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// View runs f over one consistent state. Keep it short: a long view holds back the clean-up of old versions.
func (s *Store) View(f func(*Tx) error) error {
	return s.db.View(func(txn *badger.Txn) error {
		tx := &Tx{txn: txn}
		return errors.Join(f(tx), tx.err)
	})
}

// Maintain collects garbage of the value log, and scrubs when it is time, until stop is closed.
func (s *Store) Maintain(stop <-chan struct{}) {
	every := s.cfg.GCEvery
	if every == 0 {
		every = time.Hour
	}
	t := time.NewTicker(every)
	defer t.Stop()
	scrub := time.NewTimer(s.untilScrub())
	defer scrub.Stop()
	for {
		select {
		case <-stop:
			return
		case <-scrub.C:
			scrub.Reset(s.scrubNow(stop))
		case <-t.C:
			if err := s.db.RunValueLogGC(0.5); err != nil && !errors.Is(err, badger.ErrNoRewrite) && !errors.Is(err, badger.ErrGCInMemoryMode) {
				s.cfg.Log.Warn("value log not collected", "error", err)
			}
		}
	}
}

// Size on disk in bytes.
func (s *Store) Size() int64 {
	lsm, vlog := s.db.Size()
	return lsm + vlog
}

// tables is the size of all tables in bytes as they stand now; Badger's own Size lags by up to a minute.
func (s *Store) tables() (n uint64) {
	for _, t := range s.db.Tables() {
		n += uint64(t.OnDiskSize)
	}
	return n
}

// Space says whether the store takes writes now, and how much room is left.
func (s *Store) Space() Space { return s.space.state() }

// Tx is one transaction. It must not be used after the function that got it returned, nor by two goroutines.
type Tx struct {
	txn         *badger.Txn
	generations map[protocol.MemberID]byte // read already
	err         error                      // sticky: fails the transaction
}

// get returns a copy of the value, nil where there is none.
func (t *Tx) get(key []byte) ([]byte, error) {
	item, err := t.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", key[:1], err)
	}
	b, err := item.ValueCopy(nil)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", key[:1], err)
	}
	return b, nil
}

func (t *Tx) set(key, value []byte) error {
	if err := t.txn.Set(key, value); err != nil {
		return fmt.Errorf("write %q: %w", key[:1], err)
	}
	return nil
}

func (t *Tx) delete(key []byte) error {
	if err := t.txn.Delete(key); err != nil {
		return fmt.Errorf("delete %q: %w", key[:1], err)
	}
	return nil
}

// scan calls f for every key of prefix from start on, until f reports false. Key and value are valid during the call.
func (t *Tx) scan(prefix, start []byte, f func(key, value []byte) (bool, error)) error {
	o := badger.DefaultIteratorOptions
	o.Prefix = prefix
	o.PrefetchSize = 64
	it := t.txn.NewIterator(o)
	defer it.Close()
	for it.Seek(start); it.Valid(); it.Next() {
		item := it.Item()
		more := true
		if err := item.Value(func(v []byte) (err error) {
			more, err = f(item.Key(), v)
			return err
		}); err != nil || !more {
			return err
		}
	}
	return nil
}

// Meta is a fact about the node, nil where it was never set.
func (t *Tx) Meta(name string) ([]byte, error) { return t.get(named(keyMeta, name)) }

// SetMeta states a fact about the node.
func (t *Tx) SetMeta(name string, value []byte) error { return t.set(named(keyMeta, name), value) }

// Exists reports whether dir holds a database.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "MANIFEST"))
	return err == nil
}

// badgerLog passes Badger's messages on; its information is our debugging.
type badgerLog struct{ log *slog.Logger }

func (l badgerLog) Errorf(f string, a ...any) { l.log.Error("badger", "message", fmt.Sprintf(f, a...)) }
func (l badgerLog) Warningf(f string, a ...any) {
	l.log.Warn("badger", "message", fmt.Sprintf(f, a...))
}
func (l badgerLog) Infof(f string, a ...any) { l.log.Debug("badger", "message", fmt.Sprintf(f, a...)) }
func (l badgerLog) Debugf(string, ...any)    {}

func damaged(what string, err error) error {
	return &protocol.Error{Code: protocol.CodeInternal, Message: "the stored " + what + " is damaged: run tmh verify", Err: err}
}
