package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	badger "github.com/dgraph-io/badger/v4"

	"github.com/asean-tmh/tmh/protocol"
)

// A value that was superseded or deleted stays in Badger's files until a compaction happens to meet it, which in a quiet
// database is never: the log of a memtable lives until the memtable is full, tables wait at level 0, and what reached the
// last level beside its successor, because somebody was reading then, is not looked at again. Scrub makes it happen:
//
//  1. The memtable is written out as a table and its log is deleted. Badger offers that only as part of DropPrefix, and
//     only where the prefix has a key: one is written for it. DropPrefix refuses writes while it runs, so the writer's
//     lock is held; it writes every memtable out before it deletes a log, so a kill loses nothing.
//  2. All levels are merged into one, which drops every version that has a successor and every deletion's victim.
//  3. A sweep over all versions looks for what stayed. Such a record is written once more as it is, or deleted once more;
//     the new version takes the old ones along on its way down, so the round begins again.
//
// Values never go to the value log: the threshold is 1 MiB, and the largest value (a full record, a charter) has 256 KiB.

const (
	keyScrub     = 'z' // one key, there only while a memtable is written out
	metaScrubbed = "scrubbed"

	scrubEvery  = 7 * 24 * time.Hour
	scrubAgain  = time.Hour // after a scrub that could not finish
	scrubRounds = 4
	sweepKeys   = 20_000 // versions seen in one view: a long view would itself hold back the clean-up
)

// Scrub erases superseded and deleted values from the files. Writes and reads go on, but for the moments in which a
// memtable is written out. What was superseded before the call cannot be read from the files after it.
//
// Errors: CodeUnavailable where somebody was reading an older state all the time: a later scrub does it. CodeReadOnly
// while the disk is too full.
func (s *Store) Scrub(ctx context.Context) error {
	s.scrubbed.Lock()
	defer s.scrubbed.Unlock()
	if s.db.IsClosed() {
		return badger.ErrDBClosed
	}
	before := s.readTs()
	for range scrubRounds {
		for _, step := range []func() error{s.rotate, s.merge} {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := step(); err != nil {
				return err
			}
		}
		stayed, err := s.sweep(ctx, before)
		if err != nil {
			return err
		}
		if stayed == 0 {
			return s.collect()
		}
		s.cfg.Log.Debug("superseded values held back", "records", stayed)
	}
	return protocol.Errorf(protocol.CodeUnavailable, "", "superseded values could not be erased, because somebody reads an older state; the next scrub does it")
}

// readTs is the version up to which a reader sees everything now. Asking tells Badger too that nobody reads below it.
func (s *Store) readTs() uint64 {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	return txn.ReadTs()
}

// rotate writes the memtable out as a table. Level 0 is emptied before, as DropPrefix does so while all reads wait.
func (s *Store) rotate() error {
	if s.db.Levels()[0].NumTables > 2 {
		if err := s.merge(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.space.check(); err != nil {
		return err
	}
	if err := s.update(func(t *Tx) error { return t.set([]byte{keyScrub}, nil) }); err != nil {
		return err
	}
	if err := s.db.DropPrefix([]byte{keyScrub}); err != nil {
		return fmt.Errorf("write out the memtable: %w", err)
	}
	return nil
}

func (s *Store) merge() error {
	s.readTs()
	if err := s.db.Flatten(1); err != nil {
		return fmt.Errorf("merge tables: %w", err)
	}
	return nil
}

// sweep looks for versions that were superseded at before, and touches their keys.
func (s *Store) sweep(ctx context.Context, before uint64) (stayed int, err error) {
	var from []byte
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return stayed, err
		}
		var found [][]byte
		if found, from, err = s.superseded(from, before); err != nil {
			return stayed, err
		}
		more = from != nil
		stayed += len(found)
		if err := s.touch(found); err != nil {
			return stayed, err
		}
	}
	return stayed, nil
}

// superseded lists keys from from on that have an old version, and where the next view goes on; nil at the end.
func (s *Store) superseded(from []byte, before uint64) (found [][]byte, next []byte, err error) {
	err = s.db.View(func(txn *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.AllVersions, o.PrefetchValues = true, false
		it := txn.NewIterator(o)
		defer it.Close()
		var key []byte
		settled := false // a version that was the newest at before, or a later deletion, was passed
		seen := 0
		for it.Seek(from); it.Valid(); it.Next() {
			item := it.Item()
			if seen++; !bytes.Equal(item.Key(), key) {
				if seen > sweepKeys {
					next = item.KeyCopy(nil)
					return nil
				}
				key, settled = item.KeyCopy(key), false
			}
			if settled && (len(found) == 0 || !bytes.Equal(found[len(found)-1], key)) {
				found = append(found, append([]byte(nil), key...))
			}
			settled = settled || item.Version() <= before
		}
		return nil
	})
	return found, next, err
}

// touch writes records once more as they are. Where a record is gone meanwhile it is deleted once more.
func (s *Store) touch(keys [][]byte) error {
	most := s.MaxWrite() / 2
	for len(keys) > 0 {
		if err := s.Update(func(t *Tx) error {
			for size := int64(0); len(keys) > 0 && size < most; keys = keys[1:] {
				v, err := t.txn.Get(keys[0])
				if errors.Is(err, badger.ErrKeyNotFound) {
					size += int64(len(keys[0])) + 64
					if err := t.delete(keys[0]); err != nil {
						return err
					}
					continue
				}
				if err != nil {
					return err
				}
				b, err := v.ValueCopy(nil)
				if err != nil {
					return err
				}
				size += int64(len(keys[0])+len(b)) + 64
				if err := t.set(keys[0], b); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// collect deletes value logs that hold nothing.
func (s *Store) collect() error {
	for {
		switch err := s.db.RunValueLogGC(0.01); {
		case err == nil:
		case errors.Is(err, badger.ErrNoRewrite), errors.Is(err, badger.ErrGCInMemoryMode), errors.Is(err, badger.ErrRejected):
			return nil
		default:
			return fmt.Errorf("collect the value log: %w", err)
		}
	}
}

func (s *Store) scrubEvery() time.Duration {
	if s.cfg.ScrubEvery > 0 {
		return s.cfg.ScrubEvery
	}
	return scrubEvery
}

// untilScrub is when the next scrub is due: it counts over restarts, so that a node that is restarted often scrubs too.
func (s *Store) untilScrub() time.Duration {
	every := s.scrubEvery()
	var last []byte
	err := s.View(func(t *Tx) (err error) {
		last, err = t.Meta(metaScrubbed)
		return err
	})
	if err == nil && len(last) != 8 {
		err = s.noteScrub()
	}
	if err != nil || len(last) != 8 {
		return every
	}
	since := time.Since(time.Unix(int64(binary.BigEndian.Uint64(last)), 0))
	return min(max(every-since, time.Minute), every) // a clock that was put back counts as nothing
}

func (s *Store) noteScrub() error {
	return s.Update(func(t *Tx) error {
		return t.SetMeta(metaScrubbed, binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix())))
	})
}

// scrubNow scrubs and says when to do it again.
func (s *Store) scrubNow(stop <-chan struct{}) time.Duration {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-stop:
			cancel()
		case <-finished:
		}
	}()
	start := time.Now()
	err := s.Scrub(ctx)
	if err == nil {
		err = s.noteScrub()
	}
	if err != nil {
		if ctx.Err() == nil {
			s.cfg.Log.Warn("superseded values not erased from the files", "error", err)
		}
		return min(s.scrubEvery(), scrubAgain)
	}
	s.cfg.Log.Info("superseded values erased from the files", "took", time.Since(start).String())
	return s.scrubEvery()
}
