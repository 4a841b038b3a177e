package node

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/asean-tmh/tmh/protocol"
)

// outbox holds own changes that were not announced yet. Gossip loses what exceeds its queues without a word, so a
// backlog is not gossiped at all: the head is announced, and members pull.
type outbox struct {
	mu      sync.Mutex
	waiting []*protocol.Change
	behind  bool // changes were left out of gossip: the next word is a head statement
	wake    chan struct{}
}

func (o *outbox) add(changes []*protocol.Change) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting = append(o.waiting, changes...); len(o.waiting) > protocol.MaxGossipBacklog {
		o.waiting, o.behind = nil, true
	}
	if o.wake != nil {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// take empties the outbox of what fits into one gossip message.
func (o *outbox) take(most int) (changes []*protocol.Change) {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := 0
	for len(changes) < most && len(changes) < len(o.waiting) {
		size += len(o.waiting[len(changes)].Body) + protocol.MaxHeader
		if size > protocol.MaxBatch && len(changes) > 0 {
			break
		}
		changes = o.waiting[:len(changes)+1]
	}
	o.waiting = o.waiting[len(changes):]
	return changes
}

// fellBehind reports, once, that changes were left out of gossip since it was asked last.
func (o *outbox) fellBehind() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	behind := o.behind
	o.behind = false
	return behind
}

// Pace of the outbox.
const (
	gossipBurst  = 10                    // changes that may follow each other at once; then MaxGossipRate a second
	gossipBatch  = 50 * time.Millisecond // how long a busy outbox gathers
	announceSlot = time.Second           // between head statements during a backlog
)

// outboxLoop gossips one by one while changes are rare, in batches while they are frequent, and announces the head while
// there is a backlog.
func (n *Node) outboxLoop(ctx context.Context) {
	wake := make(chan struct{}, 1)
	n.outbox.mu.Lock()
	n.outbox.wake = wake
	pending := len(n.outbox.waiting) > 0 || n.outbox.behind
	n.outbox.mu.Unlock()
	if pending {
		wake <- struct{}{}
	}
	single := rate.NewLimiter(protocol.MaxGossipRate, gossipBurst)
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
		most := 1
		if !single.Allow() {
			if most = protocol.MaxGossipBacklog; !sleep(ctx, gossipBatch) {
				return
			}
		}
		changes := n.outbox.take(most)
		for len(changes) > 0 {
			if err := n.net.PublishChanges(ctx, changes); err != nil {
				n.log.Warn("changes not gossiped; members will pull them", "error", err)
			} else {
				n.metrics.gossiped.Add(float64(len(changes)))
			}
			if changes = n.outbox.take(protocol.MaxGossipBacklog); len(changes) > 0 && !sleep(ctx, gossipBatch) {
				return
			}
		}
		if n.outbox.fellBehind() { // asked last: a backlog may have begun while changes were sent
			n.announce(ctx)
			if !sleep(ctx, announceSlot) {
				return
			}
		}
	}
}
