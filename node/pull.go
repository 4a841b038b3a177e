package node

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// claim notes that a member says to hold an origin up to pos, and wakes the origin's puller where that is news.
func (n *Node) claim(from, origin protocol.MemberID, pos protocol.Position) {
	if origin == n.cfg.Member || from == n.cfg.Member {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.claims[origin]
	if c == nil {
		c = new(replica.Claims)
		n.claims[origin] = c
	}
	c.Heard(from, pos)
	if pos.Compare(n.copies[origin].Proven) > 0 {
		n.kick(origin)
	}
}

// kick wakes an origin's puller. The caller holds n.mu.
func (n *Node) kick(origin protocol.MemberID) {
	if k := n.kicks[origin]; k != nil {
		select {
		case k <- struct{}{}:
		default:
		}
	}
}

func (n *Node) isMember(m protocol.MemberID) bool {
	_, ok := n.roster.Load().Member(m)
	return ok
}

// spawnPullers starts a puller for every member that has none yet.
func (n *Node) spawnPullers() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range n.roster.Load().Charter().Members {
		if m.ID == n.cfg.Member || n.kicks[m.ID] != nil || n.spawn == nil {
			continue
		}
		kick := make(chan struct{}, 1)
		n.kicks[m.ID] = kick
		n.spawn(func(ctx context.Context) { n.pullLoop(ctx, m.ID, kick) })
	}
}

// Pace of pulling.
const (
	pullSettle = 150 * time.Millisecond // for gossip that is only reordered
	pullJitter = 350 * time.Millisecond // so that not all members draw from one at the same moment
	pullRetry  = time.Second            // before looking again for a holder that may be asked
)

// pullLoop keeps the copy of one origin as far as anybody claims to hold it.
func (n *Node) pullLoop(ctx context.Context, origin protocol.MemberID, kick <-chan struct{}) {
	defer func() {
		n.mu.Lock()
		delete(n.kicks, origin)
		n.mu.Unlock()
	}()
	for n.isMember(origin) {
		select {
		case <-ctx.Done():
			return
		case <-kick:
		}
		if !sleep(ctx, pullSettle+jitter(pullJitter)) {
			return
		}
		for {
			holder, wanted := n.holder(origin)
			if !wanted {
				break
			}
			wait := pullRetry
			if holder != "" {
				if n.pullFrom(ctx, origin, holder) {
					wait = 0
					n.nudge(origin)
				}
			}
			if ctx.Err() != nil || wait > 0 && !sleep(ctx, wait) || !n.isMember(origin) {
				return
			}
		}
		n.nudge(origin)
	}
}

// holder is whom to ask for an origin next, "" where all who could help are resting. wanted is false where the copy is as
// far as anybody who is connected claims, or frozen.
func (n *Node) holder(origin protocol.MemberID) (m protocol.MemberID, wanted bool) {
	connected := n.net.Connected()
	n.mu.Lock()
	defer n.mu.Unlock()
	c, have := n.claims[origin], n.copies[origin]
	if c == nil || have.Disputed {
		return "", false
	}
	c.Among(connected)
	if c.Top().Compare(have.Proven) <= 0 {
		return "", false
	}
	m, _ = c.Holder(&replica.Copy{Proven: have.Proven, Drawn: have.Drawn}, time.Now(), rand.IntN)
	return m, true
}

// pullFrom draws an origin's feed from a holder and reports whether it ended in proof.
func (n *Node) pullFrom(ctx context.Context, origin, holder protocol.MemberID) bool {
	select {
	case n.pulling <- struct{}{}:
		defer func() { <-n.pulling }()
	case <-ctx.Done():
		return false
	}
	n.mu.Lock()
	before := n.copies[origin].Proven
	n.mu.Unlock()
	err := n.pull(ctx, origin, holder)
	if protocol.CodeOf(err) == protocol.CodeCharter {
		n.fetchPapers(ctx, holder)
	}
	n.mu.Lock()
	after, claims := n.copies[origin].Proven, n.claims[origin]
	switch {
	case claims == nil: // the origin left meanwhile
	case after.Compare(before) > 0 && (err == nil || protocol.CodeOf(err) == protocol.CodeReplayed):
		err = nil // replayed: gossip was faster than the feed
		claims.Proved(holder)
	case err == nil || protocol.CodeOf(err) == protocol.CodeReplayed:
		err = protocol.Errorf(protocol.CodeHolder, "answer", "%s claimed more of %s than it showed", holder, origin)
		claims.Lower(holder, after)
		fallthrough
	default:
		claims.Failed(holder, time.Now())
	}
	n.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		n.metrics.pulls.WithLabelValues(string(protocol.CodeOf(err))).Inc()
		n.log.Info("pull did not end in proof", "origin", origin, "holder", holder, "error", err)
		n.rewind(origin, err)
	} else {
		n.metrics.pulls.WithLabelValues("proven").Inc()
	}
	return err == nil
}

// A drawn batch has been verified and waits for its transaction.
type drawn struct {
	head    *protocol.SignedHeader
	changes []*protocol.Change
	last    bool
}

func (d drawn) weight() (sum int64) {
	for _, c := range d.changes {
		sum += weight(c)
	}
	return sum
}

// pull asks a holder and applies what comes, verification of one batch beside the commit of the one before.
func (n *Node) pull(ctx context.Context, origin, holder protocol.MemberID) error {
	var request *protocol.Request
	err := n.store.View(func(tx *store.Tx) error {
		c, err := loadCopy(tx.Origin(origin), origin)
		if err == nil {
			request = c.Ask()
		}
		return err
	})
	if err != nil {
		return err
	}
	n.follow.bulk.Add(1)
	defer n.follow.bulk.Add(-1)
	batches := make(chan drawn, 8)
	pace := pace{last: request.Cursor, since: time.Now()}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.apply(origin, batches) })
	g.Go(func() error {
		defer close(batches)
		return n.net.Ask(ctx, holder, request, func(a *protocol.Answer) error {
			d, err := n.open(origin, a)
			if err == nil {
				err = pace.check(d)
			}
			if err != nil || d.head == nil {
				return err
			}
			select {
			case batches <- d:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	})
	return g.Wait()
}

// pace bounds what a holder may take of our time: every answer but the last brings something new, and a feed that is
// slower than a bad telephone line gives up its place.
type pace struct {
	last  protocol.Position
	bytes int64
	since time.Time
}

const (
	paceWindow = 30 * time.Second
	paceLeast  = 32 << 10 // bytes in a window
)

func (p *pace) check(d drawn) error {
	if n := len(d.changes); n > 0 && d.changes[n-1].Pos.Compare(p.last) > 0 {
		p.last = d.changes[n-1].Pos
	} else if !d.last {
		return protocol.Errorf(protocol.CodeHolder, "answer.changes", "bring nothing above %s", p.last)
	}
	p.bytes += d.weight()
	if time.Since(p.since) > paceWindow {
		if p.bytes < paceLeast && !d.last {
			return protocol.Errorf(protocol.CodeHolder, "answer", "%d bytes in %s are too slow", p.bytes, paceWindow)
		}
		p.bytes, p.since = 0, time.Now()
	}
	return nil
}

// open decodes and verifies an answer.
func (n *Node) open(origin protocol.MemberID, a *protocol.Answer) (d drawn, err error) {
	roster := n.roster.Load()
	if len(a.Head) > 0 {
		if d.head, err = protocol.DecodeSignedHeader(a.Head); err != nil {
			return d, err
		}
		if err := roster.VerifyHeader(d.head); err != nil {
			return d, err
		}
		if err := n.withinQuota(d.head); err != nil {
			return d, err
		}
		if d.head.Origin != origin {
			return d, protocol.Errorf(protocol.CodeHolder, "answer.head", "is of %s, asked was %s", d.head.Origin, origin)
		}
	}
	if a.Refused != "" {
		if a.Refused == protocol.CodeFork && d.head != nil {
			return d, n.examineFork(d.head)
		}
		return d, protocol.Errorf(a.Refused, "", "the holder refused")
	}
	d.changes, d.last = make([]*protocol.Change, len(a.Changes)), a.Last
	if d.head == nil && len(a.Changes) > 0 {
		return d, protocol.Errorf(protocol.CodeHolder, "answer.head", "is absent")
	}
	return d, verifyAll(roster, a.Changes, d.changes)
}

// verifyAll decodes and verifies changes on all cores.
func verifyAll(roster *protocol.Roster, raw [][]byte, out []*protocol.Change) error {
	var g errgroup.Group
	workers := min(runtime.GOMAXPROCS(0), len(raw))
	for w := range workers {
		g.Go(func() error {
			for i := w; i < len(raw); i += workers {
				c, err := protocol.DecodeChange(raw[i])
				if err != nil {
					return err
				}
				if err := roster.VerifyHeader(&c.SignedHeader); err != nil {
					return err
				}
				out[i] = c
			}
			return nil
		})
	}
	return g.Wait()
}

// apply draws batches into the store: several in one transaction where several wait because the disk is the slower part,
// up to half of what the store takes in one.
func (n *Node) apply(origin protocol.MemberID, batches <-chan drawn) error {
	for d := range batches {
		group := []drawn{d}
		room := n.store.MaxWrite()/2 - d.weight()
	more:
		for room > 0 {
			select {
			case next, ok := <-batches:
				if !ok {
					break more
				}
				group = append(group, next)
				room -= next.weight()
			default:
				break more
			}
		}
		if err := n.draw(origin, group); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) draw(origin protocol.MemberID, group []drawn) error {
	var c *replica.Copy
	var set *store.Origin
	err := n.store.Update(func(tx *store.Tx) (err error) {
		set = tx.Origin(origin)
		if c, err = loadCopy(set, origin); err != nil {
			return err
		}
		for _, d := range group {
			if err := c.Draw(set, d.head, d.changes, d.last); err != nil {
				return err
			}
		}
		return errors.Join(set.SetFrontier(c.Encode()), set.TrimHeaders(c.Proven, 2*maxAdmit))
	})
	var fork *replica.ForkError
	if errors.As(err, &fork) {
		return errors.Join(err, n.freeze(fork))
	}
	if err != nil {
		return err
	}
	n.metrics.admitted.WithLabelValues("pull").Add(float64(len(set.Replaced)))
	n.admitted(origin, set.Replaced, c)
	if !c.CatchingUp() {
		n.tap(Event{Origin: origin, Pos: c.Proven, Changes: len(set.Replaced)})
	}
	return nil
}

// rewind makes the next pull begin at the proven head, where the failure may have been the feed's and not the
// connection's.
func (n *Node) rewind(origin protocol.MemberID, why error) {
	switch protocol.CodeOf(why) {
	case protocol.CodeInternal, protocol.CodeUnavailable, protocol.CodeReadOnly:
		return // resume at the cursor
	}
	var c *replica.Copy
	err := n.store.Update(func(tx *store.Tx) (err error) {
		set := tx.Origin(origin)
		if c, err = loadCopy(set, origin); err != nil || c.Cursor == c.Proven {
			return err
		}
		c.Rewind()
		return set.SetFrontier(c.Encode())
	})
	if err != nil {
		n.log.Warn("pull not rewound", "origin", origin, "error", err)
	}
}
