// Package live tells of matches as they come. Who follows a query hears of every listing, of any member, that is published or revised
// and then stands among the query's first hundred hits, and of what he was told of and is no more. A follower who lost the connection
// goes on from the last event that he has, as long as the node remembers what changed since.
package live

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// Limits of a hub.
const (
	maxFollowers = 64      // at a time
	remembered   = 1 << 16 // changes of listings that a follower may be behind
	looked       = match.MaxLimit
)

// pause is how long a follower rests between two looks: what changes meanwhile is looked at together.
const pause = 500 * time.Millisecond

// Kind of an event.
type Kind string

// The kinds.
const (
	Ready Kind = "ready" // the query is followed from now on
	Match Kind = "match" // a listing matches that was published or revised
	Gone  Kind = "gone"  // a listing is no more in the catalogue
	Reset Kind = "reset" // more changed than is remembered: ask the whole query again; events go on from now
)

// Event of a follower.
type Event struct {
	ID   string // to go on from; "" where there is none
	Kind Kind
	Hit  *exchange.Hit // of a match
	Ref  match.Ref     // what matches or is gone; what matches can be one of Hit.Same
}

// Desk is what a hub asks of the node.
type Desk interface {
	Match(ctx context.Context, q match.Query) (exchange.MatchAnswer, error)
	Entry(ref match.Ref) (exchange.Entry, error)
}

// Hub of a node. Its methods are safe for concurrent use.
type Hub struct {
	desk Desk
	run  string        // tells the numbers of this run from those of another
	one  chan struct{} // one look at a time: followers share one core, and others want to search

	mu        sync.Mutex
	last      uint64      // number of the newest change
	ring      []match.Ref // the newest changes; number n lies at n % remembered
	wake      chan struct{}
	followers int
}

// New hub. desk answers its queries.
func New(desk Desk) *Hub {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails
	return &Hub{desk: desk, run: hex.EncodeToString(b), one: make(chan struct{}, 1), ring: make([]match.Ref, remembered), wake: make(chan struct{})}
}

// Changed notes listings that the index knows as they are now. It returns at once.
func (h *Hub) Changed(refs ...match.Ref) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ref := range refs {
		h.last++
		h.ring[h.last%remembered] = ref
	}
	if h.followers > 0 {
		close(h.wake)
		h.wake = make(chan struct{})
	}
}

// since is what changed after a number, each listing once, and the newest number; known is false where it is too long ago.
func (h *Hub) since(n uint64) (refs map[match.Ref]bool, last uint64, wake <-chan struct{}, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n > h.last || h.last-n > remembered {
		return nil, h.last, h.wake, false
	}
	refs = make(map[match.Ref]bool)
	for i := n + 1; i <= h.last; i++ {
		refs[h.ring[i%remembered]] = true
	}
	return refs, h.last, h.wake, true
}

// Follow a query until ctx ends or each fails. after is the ID of the last event that the follower has, "" for none. Hits that are
// worse than least are not told of. The query's limit, order and place do not matter.
//
// Errors: CodeUnavailable where too many follow already; those of Desk.Match.
func (h *Hub) Follow(ctx context.Context, q match.Query, least match.Verdict, after string, each func(Event) error) error {
	if !h.enter() {
		return protocol.Errorf(protocol.CodeUnavailable, "", "%d queries are followed already, at most so many: try again in a minute, or ask by GET /match from time to time", maxFollowers)
	}
	defer h.leave()
	f := follower{h: h, q: q, least: least, each: each, told: make(map[match.Ref]bool)}
	f.q.Limit, f.q.Offset, f.q.After, f.q.Facets, f.q.Sort = looked, 0, "", false, match.ByScore
	if err := f.begin(ctx, after); err != nil {
		return err
	}
	for {
		wake, err := f.look(ctx)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-wake:
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		case <-t.C:
		}
	}
}

func (h *Hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.followers == maxFollowers {
		return false
	}
	h.followers++
	return true
}

func (h *Hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.followers--
}

// take the place of the one that looks; give it back.
func (h *Hub) take(ctx context.Context) error {
	select {
	case h.one <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (h *Hub) give() { <-h.one }

func (h *Hub) id(n uint64) string { return h.run + "-" + strconv.FormatUint(n, 10) }

// number that an event's ID stands for. One of another run has none.
func (h *Hub) number(id string) (uint64, bool) {
	run, n, ok := strings.Cut(id, "-")
	v, err := strconv.ParseUint(n, 10, 64)
	return v, ok && err == nil && run == h.run
}

// follower of one query.
type follower struct {
	h      *Hub
	q      match.Query
	least  match.Verdict
	each   func(Event) error
	at     uint64             // changes up to here were looked at
	told   map[match.Ref]bool // what the follower heard of here
	behind bool               // it heard of others on an earlier connection
}

func (f *follower) begin(ctx context.Context, after string) error {
	if n, ok := f.h.number(after); ok {
		if _, _, _, known := f.h.since(n); known {
			f.at, f.behind = n, true
			return f.each(Event{ID: f.h.id(n), Kind: Ready})
		}
	}
	probe := f.q
	probe.Limit = 1
	if err := f.h.take(ctx); err != nil {
		return err
	}
	_, err := f.h.desk.Match(ctx, probe)
	f.h.give()
	if err != nil { // a query that cannot be asked is said at once
		return err
	}
	_, f.at, _, _ = f.h.since(0)
	kind := Ready
	if after != "" {
		kind = Reset
	}
	return f.each(Event{ID: f.h.id(f.at), Kind: kind})
}

// look tells of what changed since the last look, and gives what wakes for the next.
func (f *follower) look(ctx context.Context) (<-chan struct{}, error) {
	changed, last, wake, known := f.h.since(f.at)
	if !known {
		f.at = last
		return wake, f.each(Event{ID: f.h.id(last), Kind: Reset})
	}
	if len(changed) == 0 {
		return wake, nil
	}
	events, err := f.events(ctx, changed)
	if err != nil {
		return nil, err
	}
	for i, e := range events {
		if i == len(events)-1 {
			e.ID = f.h.id(last) // who has all of them goes on after them; who has not hears them again
		}
		if err := f.each(e); err != nil {
			return nil, err
		}
	}
	f.at, f.behind = last, false
	return wake, nil
}

func (f *follower) events(ctx context.Context, changed map[match.Ref]bool) (events []Event, err error) {
	if err := f.h.take(ctx); err != nil {
		return nil, err
	}
	defer f.h.give()
	candidates := 0
	for ref := range changed {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		e, err := f.h.desk.Entry(ref)
		gone := protocol.CodeOf(err) == protocol.CodeNotFound
		if err != nil && !gone {
			return nil, fmt.Errorf("look at a change: %w", err)
		}
		switch {
		case gone || e.Listing == nil:
			if f.told[ref] || f.behind {
				events = append(events, Event{Kind: Gone, Ref: ref})
			}
			delete(f.told, ref)
		case f.passes(ref, e.Listing):
			candidates++
		}
	}
	if candidates == 0 {
		return events, nil
	}
	a, err := f.h.desk.Match(ctx, f.q)
	if err != nil {
		return nil, err
	}
	for i := range a.Hits {
		hit := &a.Hits[i]
		if ref, ok := news(hit, changed); ok && atLeast(hit.Verdict, f.least) {
			f.told[ref] = true
			events = append(events, Event{Kind: Match, Hit: hit, Ref: ref})
		}
	}
	return events, nil
}

// news is what changed of a hit: the listing itself, or one of the same technology that is folded into it.
func news(hit *exchange.Hit, changed map[match.Ref]bool) (match.Ref, bool) {
	if changed[hit.Ref] {
		return hit.Ref, true
	}
	for _, s := range hit.Same {
		if changed[s.Ref] {
			return s.Ref, true
		}
	}
	return match.Ref{}, false
}

func (f *follower) passes(ref match.Ref, l *protocol.Listing) bool {
	filter := f.q.Filter
	if len(filter.Kinds) == 0 && f.q.Listing != nil {
		filter.Kinds = match.Counterparts(f.q.Listing.Kind)
	}
	return filter.Passes(ref, l)
}

func atLeast(v, least match.Verdict) bool {
	rank := map[match.Verdict]int{match.Strong: 3, match.Fair: 2, match.Weak: 1}
	return rank[v] >= rank[least]
}
