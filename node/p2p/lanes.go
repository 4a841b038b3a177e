package p2p

import (
	"context"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
)

// laneWidth is how many streams of one protocol are at work between two peers, in each direction.
const laneWidth = 4

// lanes let laneWidth streams per peer through at a time, so that a peer that reads slowly, or asks for much, is in
// nobody's way but its own.
type lanes struct {
	mu    sync.Mutex
	peers map[peer.ID]*lane // guarded by mu; those with users
}

type lane struct {
	slots chan struct{}
	users int // inside or waiting; guarded by lanes.mu
}

func newLanes() *lanes { return &lanes{peers: make(map[peer.ID]*lane)} }

// enter waits for a slot of p's until ctx ends. The caller must call leave if err is nil.
func (l *lanes) enter(ctx context.Context, p peer.ID) (leave func(), err error) {
	l.mu.Lock()
	x := l.peers[p]
	if x == nil {
		x = &lane{slots: make(chan struct{}, laneWidth)}
		l.peers[p] = x
	}
	x.users++
	l.mu.Unlock()

	select {
	case x.slots <- struct{}{}:
		return func() { <-x.slots; l.forget(p, x) }, nil
	case <-ctx.Done():
		l.forget(p, x)
		return nil, context.Cause(ctx)
	}
}

func (l *lanes) forget(p peer.ID, x *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if x.users--; x.users == 0 {
		delete(l.peers, p)
	}
}

// crew counts goroutines that others start for us, until it is dismissed.
type crew struct {
	mu        sync.Mutex
	dismissed bool // guarded by mu
	wg        sync.WaitGroup
}

// join reports false after dismiss. Otherwise leave must follow.
func (c *crew) join() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dismissed {
		return false
	}
	c.wg.Add(1)
	return true
}

func (c *crew) leave() { c.wg.Done() }

// dismiss lets nobody join any more and waits until all have left.
func (c *crew) dismiss() {
	c.mu.Lock()
	c.dismissed = true
	c.mu.Unlock()
	c.wg.Wait()
}
