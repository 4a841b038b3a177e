package node

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// openIndex opens the match index with the language packs that are there. A pack that cannot be used is named and left out.
func (n *Node) openIndex() (err error) {
	packs := lexicon.Builtin()
	if n.cfg.Lexicon != "" {
		var problems []lexicon.Problem
		if packs, problems, err = lexicon.Open(n.cfg.Lexicon); err != nil {
			return fmt.Errorf("language packs: %w", err)
		}
		for _, p := range problems {
			n.log.Error("a language pack is left out: import it again with tmh lexicon import", "error", p)
		}
	}
	n.index, err = match.Open(match.Options{
		Dir: n.cfg.Index, Lexicon: packs, Log: n.log,
		Embedder: n.cfg.Embedder, EmbedTimeout: n.cfg.EmbedTimeout, Texts: n.embeddingText,
	})
	return err
}

// embeddingText is what an outside model is given of a listing as the store holds it now.
func (n *Node) embeddingText(ref match.Ref) (string, bool) {
	c, err := n.Record(ref)
	if err != nil || c == nil {
		return "", false
	}
	l, _, err := exchange.Open(c)
	if err != nil || l == nil {
		return "", false
	}
	return match.EmbeddingText(l), true
}

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
	busy  []match.Ref
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

// scan counts what the store holds, and orders what the index does not hold as it is. A listing that the index has and the
// store has not is taken out at the end.
func (f *follower) scan(ctx context.Context, begun chan<- struct{}) {
	err := f.n.index.Reconcile(func(have func(match.Ref, protocol.Hash) bool) error {
		return f.n.store.View(func(tx *store.Tx) error {
			for _, c := range f.n.copyViews() {
				f.total.Add(int64(c.Count))
				f.left.Add(int64(c.Count))
			}
			close(begun)
			for _, m := range f.n.roster.Load().Charter().Members {
				if err := tx.Origin(m.ID).Inspect(store.ShelfRecords, func(e store.Entry) error {
					f.scanned(e, m.ID, have)
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
	})
	if err != nil && ctx.Err() == nil {
		f.n.log.Error("catalogue not read in", "error", err)
	}
}

// scanned takes one record of the scan.
func (f *follower) scanned(e store.Entry, origin protocol.MemberID, have func(match.Ref, protocol.Hash) bool) {
	c, err := protocol.DecodeChange(bytes.Clone(e.Value))
	if err != nil { // the audit draws it anew, and it is counted then; the others must not be missing until a restart
		f.n.log.Error("a damaged record is not shown", "origin", origin, "record", e.Name, "error", err)
		f.left.Add(-1)
		return
	}
	usable := f.count(store.Replacement{New: c})
	if ref, ok := refOf(c); !ok || c.Kind == protocol.Withdraw || !usable || have(ref, c.BodyHash) {
		f.left.Add(-1)
	} else {
		f.mark(ref, true)
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
	n.changed(origin)
	n.showCopy(origin, c) // last: who sees the copy sees what is counted and still to be indexed
}

// replaced counts a replacement and orders its listing to be indexed.
func (f *follower) replaced(r store.Replacement) {
	f.count(r)
	if ref, ok := refOf(r.Of()); ok {
		f.mark(ref, false)
	}
}

// count changes the counters by one replacement, and reports whether what is new can be used.
func (f *follower) count(r store.Replacement) (usable bool) {
	origin := r.Of().Origin
	old, was := f.content(r.Old)
	now, usable := f.content(r.New)
	f.n.counts.Replace(origin, old, now)
	if _, ok := refOf(r.Of()); !ok {
		return usable
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
	return usable
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
		sum += len(s.dirty) + len(s.busy)
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
		busy, done := slices.Contains(s.busy, ref), s.done
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

// together is how many listings a worker brings into the index at once, where so many wait.
const together = 256

// work brings one shard's listings into the index.
func (f *follower) work(ctx context.Context, s *shard) {
	for {
		refs, scanned := s.next()
		if len(refs) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
				continue
			}
		}
		start := time.Now()
		f.index(refs)
		f.n.live.Changed(refs[scanned:]...)
		f.left.Add(-int64(scanned))
		s.finish()
		if f.bulk.Load() > 0 && !sleep(ctx, bulkRest*time.Since(start)) || ctx.Err() != nil {
			return
		}
	}
}

// next takes what is to be done now: first what the scan ordered, of which it says how much that is.
func (s *shard) next() (refs []match.Ref, scanned int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ref, was := range s.dirty {
		delete(s.dirty, ref)
		refs = append(refs, ref)
		if was {
			last := len(refs) - 1
			refs[scanned], refs[last] = refs[last], refs[scanned]
			scanned++
		}
		if len(refs) == together {
			break
		}
	}
	s.busy = refs
	return refs, scanned
}

func (s *shard) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = nil
	close(s.done)
	s.done = make(chan struct{})
}

func (f *follower) index(refs []match.Ref) {
	changes := make([]match.Change, 0, len(refs))
	for _, ref := range refs {
		c, err := f.n.Record(ref)
		if err != nil {
			f.n.log.Error("listing not indexed", "origin", ref.Origin, "id", ref.ID, "error", err)
			continue
		}
		change := match.Change{Ref: ref}
		if c != nil {
			if l, _, err := exchange.Open(c); err == nil && l != nil {
				change.Listing, change.Body = l, c.BodyHash
			}
		}
		changes = append(changes, change)
	}
	f.n.index.Apply(changes...)
	f.n.purge(refs)
}

// upkeepEvery is how often it is looked whether the catalogue changed so much that topics and vocabulary are made anew.
const upkeepEvery = 20 * time.Second

// upkeepLoop learns from the catalogue as a whole, once it is read in.
func (n *Node) upkeepLoop(ctx context.Context) {
	if n.cfg.WithoutIndex {
		return
	}
	for wait := time.Second; sleep(ctx, wait); wait = upkeepEvery {
		for n.follow.indexing() > 0 || n.follow.bulk.Load() > 0 {
			if !sleep(ctx, time.Second) {
				return
			}
		}
		if err := n.index.Upkeep(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("topics and vocabulary are not made anew: matching works on without", "error", err)
		}
	}
}

// indexing is the share of the catalogue that is still to be read in after the start.
func (f *follower) indexing() float64 {
	total, left := f.total.Load(), f.left.Load()
	if total <= 0 || left <= 0 {
		return 0
	}
	return float64(left) / float64(total)
}
