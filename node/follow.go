package node

import (
	"bytes"
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// follower keeps match index and counters equal to the store. Counters change with every admission. The index follows a
// moment later: analysis costs more than replication, so an admission only marks the listing, and workers read what is
// newest in the store. A listing always falls to the same worker, so an older state never overtakes a newer one.
type follower struct {
	n      *Node
	seed   maphash.Seed
	shards []*shard
	total  atomic.Int64 // to be read in after the start
	left   atomic.Int64
	bulk   atomic.Int32 // imports and pulls under way

	mu   sync.Mutex
	bad  map[protocol.MemberID]int // unusable records
	live map[protocol.MemberID]int
}

// A shard is one worker's listings. An order that is not reached yet is coalesced.
type shard struct {
	mu    sync.Mutex
	dirty map[match.Ref]bool // true: from the scan at start
	busy  match.Ref
	wake  chan struct{}
	done  chan struct{} // closed and renewed after every listing
}

const indexWorkers = 2

// bulkRest is how long a worker rests after each listing while many are imported or drawn, as a multiple of its work:
// being durable comes before being searchable, and both want the same cores.
const bulkRest = 6

func newFollower(n *Node) *follower {
	f := &follower{
		n: n, seed: maphash.MakeSeed(),
		bad: make(map[protocol.MemberID]int), live: make(map[protocol.MemberID]int),
	}
	for range indexWorkers {
		f.shards = append(f.shards, &shard{dirty: make(map[match.Ref]bool), wake: make(chan struct{}, 1), done: make(chan struct{})})
	}
	return f
}

// start begins with a snapshot of the store as it is now; what is admitted later is counted on top of it.
func (f *follower) start(spawn func(func(context.Context))) {
	for _, s := range f.shards {
		spawn(func(ctx context.Context) { f.work(ctx, s) })
	}
	scanning := make(chan struct{})
	spawn(func(ctx context.Context) { f.scan(ctx, scanning) })
	<-scanning
}

// maxAhead bounds the marks that the scan sets ahead of the workers.
const maxAhead = 20_000

func (f *follower) scan(ctx context.Context, begun chan<- struct{}) {
	err := f.n.store.View(func(tx *store.Tx) error {
		for _, c := range f.n.copyViews() {
			f.total.Add(int64(c.Count))
			f.left.Add(int64(c.Count))
		}
		close(begun)
		for _, m := range f.n.roster.Load().Charter().Members {
			if err := tx.Origin(m.ID).Inspect(store.ShelfRecords, func(e store.Entry) error {
				c, err := protocol.DecodeChange(bytes.Clone(e.Value))
				if err != nil { // the audit draws it anew, and it is counted then; the others must not be missing until a restart
					f.n.log.Error("a damaged record is not shown", "origin", m.ID, "record", e.Name, "error", err)
					f.left.Add(-1)
					return ctx.Err()
				}
				f.count(store.Replacement{New: c})
				if ref, ok := refOf(c); !ok || c.Kind == protocol.Withdraw {
					f.left.Add(-1)
				} else {
					f.mark(ref, true)
				}
				for f.waiting() > maxAhead {
					if !sleep(ctx, 5*time.Millisecond) {
						return ctx.Err()
					}
				}
				return ctx.Err()
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		f.n.log.Error("catalogue not read in", "error", err)
	}
}

func refOf(c *protocol.Change) (match.Ref, bool) {
	id, ok := protocol.ListingIDOf(c.RecordKey)
	return match.Ref{Origin: c.Origin, ID: id}, ok
}

// admitted tells the follower what a committed transaction replaced, and shows the copy as it is now.
func (n *Node) admitted(origin protocol.MemberID, replaced []store.Replacement, c *replica.Copy) {
	for _, r := range replaced {
		n.follow.replaced(r)
	}
	n.showCopy(origin, c) // last: who sees the copy sees what is counted and still to be indexed
}

// replaced counts a replacement and orders its listing to be indexed.
func (f *follower) replaced(r store.Replacement) {
	f.count(r)
	if ref, ok := refOf(r.Of()); ok {
		f.mark(ref, false)
	}
}

// count changes the counters by one replacement.
func (f *follower) count(r store.Replacement) {
	origin := r.Of().Origin
	old, was := f.content(r.Old)
	now, usable := f.content(r.New)
	f.n.counts.Replace(origin, old, now)
	if _, ok := refOf(r.Of()); !ok {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if old.Listing != nil {
		f.live[origin]--
	}
	if now.Listing != nil {
		f.live[origin]++
	}
	if !was {
		f.bad[origin]--
	}
	if !usable {
		f.bad[origin]++
	}
}

func (f *follower) content(c *protocol.Change) (r stats.Record, usable bool) {
	if c == nil {
		return r, true
	}
	l, t, err := exchange.Open(c)
	return stats.Record{Listing: l, Tombstone: t}, err == nil
}

func (f *follower) shardOf(ref match.Ref) *shard {
	return f.shards[maphash.Comparable(f.seed, ref)%uint64(len(f.shards))]
}

// mark orders a listing to be indexed. Where it is ordered already, one reading serves both orders; what the scan
// ordered is counted out once, here or when it is done.
func (f *follower) mark(ref match.Ref, scanned bool) {
	if f.n.cfg.WithoutIndex {
		if scanned {
			f.left.Add(-1)
		}
		return
	}
	s := f.shardOf(ref)
	s.mu.Lock()
	was, ordered := s.dirty[ref]
	if ordered && scanned {
		f.left.Add(-1)
	}
	s.dirty[ref] = was || scanned && !ordered
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (f *follower) waiting() (sum int) {
	for _, s := range f.shards {
		s.mu.Lock()
		if sum += len(s.dirty); s.busy != (match.Ref{}) {
			sum++
		}
		s.mu.Unlock()
	}
	return sum
}

// searchable waits until the index knows what was marked of ref, for at most d.
func (f *follower) searchable(ctx context.Context, ref match.Ref, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	s := f.shardOf(ref)
	for {
		s.mu.Lock()
		_, dirty := s.dirty[ref]
		busy, done := s.busy == ref, s.done
		s.mu.Unlock()
		if !dirty && !busy {
			return
		}
		select {
		case <-done:
		case <-ctx.Done():
			return
		}
	}
}

// work brings one shard's listings into the index.
func (f *follower) work(ctx context.Context, s *shard) {
	for {
		ref, scanned, ok := s.next()
		if !ok {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
				continue
			}
		}
		start := time.Now()
		f.index(ref)
		if scanned {
			f.left.Add(-1)
		}
		s.finish()
		if f.bulk.Load() > 0 && !sleep(ctx, bulkRest*time.Since(start)) || ctx.Err() != nil {
			return
		}
	}
}

func (s *shard) next() (ref match.Ref, scanned, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ref, scanned = range s.dirty {
		delete(s.dirty, ref)
		s.busy = ref
		return ref, scanned, true
	}
	return ref, false, false
}

func (s *shard) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = match.Ref{}
	close(s.done)
	s.done = make(chan struct{})
}

func (f *follower) index(ref match.Ref) {
	c, err := f.n.Record(ref)
	if err != nil {
		f.n.log.Error("listing not indexed", "origin", ref.Origin, "id", ref.ID, "error", err)
		return
	}
	if c != nil {
		if l, _, err := exchange.Open(c); err == nil && l != nil {
			f.n.index.Put(ref, l)
			return
		}
	}
	f.n.index.Remove(ref)
}

// indexing is the share of the catalogue that is still to be read in after the start.
func (f *follower) indexing() float64 {
	total, left := f.total.Load(), f.left.Load()
	if total <= 0 || left <= 0 {
		return 0
	}
	return float64(left) / float64(total)
}
