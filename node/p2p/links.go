package p2p

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/asean-tmh/tmh/protocol"
)

const (
	firstWait = time.Second
	// longestWait keeps a pair that was cut off apart for less than 20 s after the network is whole again, a dial that
	// hangs included: with both sides trying, a minute would save next to nothing.
	longestWait = 12 * time.Second
	// headStart of the peer with the lower id, so that two peers do not dial each other at the same moment.
	headStart = 3 * time.Second
	// stable is how long a connection must have stood for its loss to be news, and not one more failure: a peer that
	// does not know us yet accepts and then hangs up.
	stable = 10 * time.Second
)

// links are the connections to the peers of other members. One goroutine owns them: the one in run.
type links struct {
	n      *Net
	h      Handler
	all    map[peer.ID]*link
	count  map[protocol.MemberID]int // peers that are up
	dialed chan dialed
	wg     sync.WaitGroup // dials
}

type link struct {
	member  protocol.MemberID
	up      bool
	since   time.Time // of up
	gone    bool      // no longer of that member; waits for the connection to end
	dialing bool
	wait    time.Duration // after the last failure, 0 if there was none
	due     time.Time     // of the next dial, unless up
}

type dialed struct {
	peer peer.ID
	err  error
}

func (n *Net) newLinks(h Handler) *links {
	return &links{n: n, h: h, all: make(map[peer.ID]*link), count: make(map[protocol.MemberID]int), dialed: make(chan dialed)}
}

// run keeps the links up until ctx ends, and waits for its dials.
func (l *links) run(ctx context.Context, changes event.Subscription) {
	defer l.wg.Wait()
	l.adopt()
	for _, p := range l.n.host.Network().Peers() { // connected before changes was subscribed to
		l.changed(p, l.n.host.Network().Connectedness(p))
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(l.dialDue(ctx))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-l.n.rosterChanged:
			l.adopt()
		case d := <-l.dialed:
			l.finished(d)
		case e := <-changes.Out():
			if e, ok := e.(event.EvtPeerConnectednessChanged); ok {
				l.changed(e.Peer, e.Connectedness)
			}
		}
	}
}

// adopt takes over the peers of the roster.
func (l *links) adopt() {
	v := l.n.view.Load()
	for p, k := range l.all {
		k.gone = v.members[p] != k.member
		if k.gone && !k.up {
			delete(l.all, p)
		}
	}
	for p, m := range v.members {
		if m != l.n.cfg.Member && p != l.n.host.ID() && l.all[p] == nil {
			k := &link{member: m}
			k.schedule(l.later(p))
			l.all[p] = k
		}
	}
}

// later is this side's handicap in dialling p.
func (l *links) later(p peer.ID) time.Duration {
	if l.n.host.ID() < p {
		return 0
	}
	return headStart
}

func (k *link) schedule(in time.Duration) { k.due = time.Now().Add(in) }

// failed puts the next dial off, up to half as long again as the time before, so that nodes which lost each other at
// one moment do not stay in step.
func (k *link) failed() {
	k.wait = min(max(2*k.wait, firstWait), longestWait)
	k.schedule(k.wait/2 + rand.N(k.wait/2))
}

// dialDue starts the dials that are due and returns the time until the next one.
func (l *links) dialDue(ctx context.Context) time.Duration {
	now, next := time.Now(), time.Hour
	for p, k := range l.all {
		switch in := k.due.Sub(now); {
		case k.up || k.gone || k.dialing:
		case in > 0:
			next = min(next, in)
		default:
			k.dialing = true
			l.wg.Go(func() {
				d := dialed{p, l.n.dial(ctx, p)}
				select {
				case l.dialed <- d:
				case <-ctx.Done():
				}
			})
		}
	}
	return next
}

func (n *Net) dial(ctx context.Context, p peer.ID) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	n.swarm().Backoff().Clear(p) // the swarm's own, of up to 5 minutes, would refuse to try
	return n.host.Connect(ctx, peer.AddrInfo{ID: p})
}

func (l *links) finished(d dialed) {
	l.n.metrics.dialed(d.err)
	k := l.all[d.peer]
	if k == nil {
		return
	}
	k.dialing = false
	if !k.up {
		k.failed() // also after success: the other side may still refuse, and the news of a connection is under way
	}
	if d.err != nil {
		l.n.log.Debug("cannot reach a peer", "member", k.member, "peer", d.peer, "again_in", time.Until(k.due), "err", d.err)
	}
}

// changed follows a peer's connection and reports the member's first and last.
func (l *links) changed(p peer.ID, c network.Connectedness) {
	k := l.all[p]
	if k == nil {
		// Admitted by the gater a moment before it left the roster; or another node of our own member.
		if c == network.Connected && !l.n.view.Load().has(p) {
			l.n.evict(p)
		}
		return
	}
	up := c == network.Connected
	if up == k.up {
		return
	}
	k.up = up
	if up {
		k.since = time.Now()
		if l.count[k.member]++; l.count[k.member] == 1 {
			l.n.metrics.connected.Inc()
			l.n.log.Info("member connected", "member", k.member, "peer", p)
			l.h.Connected(k.member)
		}
		return
	}
	if time.Since(k.since) >= stable {
		k.wait = 0
		k.schedule(l.later(p))
	} else {
		k.failed()
	}
	if l.count[k.member]--; l.count[k.member] == 0 {
		delete(l.count, k.member)
		l.n.metrics.connected.Dec()
		l.n.log.Info("member disconnected", "member", k.member, "peer", p)
		l.h.Disconnected(k.member)
	}
	if k.gone {
		delete(l.all, p)
		l.adopt() // it may be another member's now
	}
}
