package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Copies of other members' full records, for when their origin cannot be asked.

const (
	// CopyLife is how long a fetched part is kept.
	CopyLife = 7 * 24 * time.Hour
	// fresh is how old a copy gets before fetching the same again is worth a write.
	fresh = time.Hour
	// stampBytes before the part's own.
	stampBytes = 8
)

// copies are parts of other members' records, as they were fetched. They are bounded in bytes, and the oldest go first.
type copies struct {
	store *store.Store
	now   func() time.Time
	most  int64

	mu    sync.Mutex // held while rows change
	kept  map[copyKey]stamp
	total int64
}

type copyKey struct {
	Ref
	level protocol.Level
}

type stamp struct {
	at   int64 // Unix seconds
	size int64
	hash protocol.Hash // of the part
}

func (x stamp) value() []byte { return fmt.Appendf(nil, "%d/%s", x.size, x.hash) }

// keptAs reads an index row.
func keptAs(key string, value []byte) (k copyKey, x stamp, err error) {
	f := strings.Split(key, "/")
	size, hash, _ := strings.Cut(string(value), "/")
	if len(f) != 5 {
		return k, x, fmt.Errorf("copy %q has %d fields", key, len(f))
	}
	var faults [2]error
	x.at, faults[0] = strconv.ParseInt(f[1], 10, 64)
	x.size, faults[1] = strconv.ParseInt(size, 10, 64)
	if err := errors.Join(faults[0], faults[1], x.hash.UnmarshalText([]byte(hash))); err != nil {
		return k, x, fmt.Errorf("copy %q: %w", key, err)
	}
	return copyKey{Ref{protocol.MemberID(f[2]), protocol.ListingID(f[3])}, protocol.Level(f[4])}, x, nil
}

func (k copyKey) tail() string {
	return string(k.Origin) + "/" + string(k.ID) + "/" + string(k.level)
}
func (k copyKey) row() string           { return "c/" + k.tail() }
func (k copyKey) index(at int64) string { return fmt.Sprintf("t/%010d/%s", at, k.tail()) }

// openCopies learns what is kept.
func openCopies(s *store.Store, now func() time.Time, most int64) (*copies, error) {
	c := &copies{store: s, now: now, most: most, kept: make(map[copyKey]stamp)}
	err := s.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableCopy, "t/", "", func(key string, value []byte) (bool, error) {
			k, x, err := keptAs(key, value)
			if err != nil {
				return false, err
			}
			c.kept[k] = x
			c.total += x.size
			return true, nil
		})
	})
	return c, err
}

// get the parts of a record which the summary names and that are not too old, from the lowest level, and when the oldest of
// them was fetched.
func (c *copies) get(ref Ref, l *protocol.Listing) (parts []*protocol.Part, oldest time.Time, err error) {
	err = c.store.View(func(tx *store.Tx) error {
		for _, level := range protocol.Levels() {
			if l.FullHash(level) == (protocol.Hash{}) {
				continue
			}
			b, err := tx.Row(store.TableCopy, copyKey{ref, level}.row())
			if err != nil {
				return err
			}
			if len(b) < stampBytes {
				continue
			}
			at := time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC() //nolint:gosec // as put wrote it
			p, err := protocol.DecodePart(b[stampBytes:])
			if err != nil || p.Level != level || p.Verify(l) != nil || c.now().Sub(at) > CopyLife {
				continue // what is no longer named goes with the next Purge or Sweep
			}
			if parts = append(parts, p); oldest.IsZero() || at.Before(oldest) {
				oldest = at
			}
		}
		return nil
	})
	return parts, oldest, err
}

// put keeps parts that were fetched and verified just now. What has not changed for a short while is not written again.
func (c *copies) put(ref Ref, parts []*protocol.Part) error {
	now := c.now().Unix()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range parts {
		k, x := copyKey{ref, p.Level}, stamp{now, int64(len(p.Bytes())), p.Hash()}
		had := c.kept[k]
		if x.size > c.most || had.hash == x.hash && now >= had.at && now-had.at < int64(fresh/time.Second) {
			continue
		}
		gone, err := c.oldest(c.total-had.size+x.size-c.most, k)
		if err != nil {
			return err
		}
		if err := c.store.Update(func(tx *store.Tx) error {
			for _, g := range append(gone, k) {
				if err := c.drop(tx, g); err != nil {
					return err
				}
			}
			b := binary.BigEndian.AppendUint64(make([]byte, 0, stampBytes+x.size), uint64(now)) //nolint:gosec // after 1970
			if err := tx.SetRow(store.TableCopy, k.row(), append(b, p.Bytes()...)); err != nil {
				return err
			}
			return tx.SetRow(store.TableCopy, k.index(now), x.value())
		}); err != nil {
			return err
		}
		c.forget(append(gone, k)...)
		c.kept[k] = x
		c.total += x.size
	}
	return nil
}

// oldest are the copies, but for k, that have this many bytes together.
func (c *copies) oldest(bytes int64, k copyKey) (gone []copyKey, err error) {
	if bytes <= 0 {
		return nil, nil
	}
	err = c.store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableCopy, "t/", "", func(key string, value []byte) (bool, error) {
			x, of, err := keptAs(key, value)
			if err != nil {
				return false, err
			}
			if x != k {
				gone = append(gone, x)
				bytes -= of.size
			}
			return bytes > 0 && len(gone) < sweepAtOnce, nil
		})
	})
	return gone, err
}

// drop deletes the rows of a copy.
func (c *copies) drop(tx *store.Tx, k copyKey) error {
	had, ok := c.kept[k]
	if !ok {
		return nil
	}
	if err := tx.DeleteRow(store.TableCopy, k.index(had.at)); err != nil {
		return err
	}
	return tx.DeleteRow(store.TableCopy, k.row())
}

func (c *copies) forget(keys ...copyKey) {
	for _, k := range keys {
		c.total -= c.kept[k].size
		delete(c.kept, k)
	}
}

// remove deletes copies; keys that are not kept are passed over.
func (c *copies) remove(keys []copyKey) error {
	for len(keys) > 0 {
		some := keys[:min(len(keys), sweepAtOnce)]
		keys = keys[len(some):]
		if err := c.store.Update(func(tx *store.Tx) error {
			for _, k := range some {
				if err := c.drop(tx, k); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		c.forget(some...)
	}
	return nil
}

// stale are the kept copies of these records that the catalogue does not name any more, or that are too old.
func (c *copies) stale(refs map[Ref]bool) (keys []copyKey, err error) {
	byRef := make(map[Ref][]copyKey)
	for k := range c.kept {
		if refs == nil || refs[k.Ref] {
			byRef[k.Ref] = append(byRef[k.Ref], k)
		}
	}
	now := c.now()
	for ref, of := range byRef {
		if err := c.store.View(func(tx *store.Tx) error {
			l, _, err := summary(tx, ref)
			if err != nil {
				return err
			}
			for _, k := range of {
				x := c.kept[k]
				if l == nil || x.hash != l.FullHash(k.level) || now.Sub(time.Unix(x.at, 0)) > CopyLife {
					keys = append(keys, k)
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// summary of a listing in the catalogue. known says that the catalogue has a record of that key; without a listing it is withdrawn
// or unusable.
func summary(tx *store.Tx, ref Ref) (l *protocol.Listing, known bool, err error) {
	change, err := tx.Record(ref.Origin, ref.ID.Key())
	if err != nil || change == nil {
		return nil, false, err
	}
	if change.Kind == protocol.Put {
		l, _ = protocol.DecodeListing(change.Body) // unusable: not shown, so there is nothing to show beside it
	}
	return l, true, nil
}
