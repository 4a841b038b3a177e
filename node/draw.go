package node

import (
	"context"
	"errors"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

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
func (n *Node) pull(ctx context.Context, origin, holder protocol.MemberID, staged bool) error {
	return n.pullBy(ctx, origin, holder, staged, n.apply)
}

func (n *Node) pullBy(ctx context.Context, origin, holder protocol.MemberID, staged bool, apply func(protocol.MemberID, bool, <-chan drawn) error) error {
	var request *protocol.Request
	err := n.store.View(func(tx *store.Tx) error {
		c, err := loadCopy(side(tx, origin, staged), origin)
		if err == nil {
			request = c.Ask()
		}
		return err
	})
	if err != nil {
		return err
	}
	if staged {
		n.narrow(ctx, request, holder)
	}
	n.follow.bulk.Add(1)
	defer n.follow.bulk.Add(-1)
	batches := make(chan drawn, 8)
	pace := pace{last: request.Cursor, since: time.Now()}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return apply(origin, staged, batches) })
	g.Go(func() error {
		defer close(batches)
		return n.net.Ask(ctx, holder, request, func(a *protocol.Answer) error {
			d, err := n.open(request, a)
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

// narrow asks of a staged copy's feed only what is not held already.
func (n *Node) narrow(ctx context.Context, r *protocol.Request, holder protocol.MemberID) {
	if r.Proven.Seq > 0 {
		return
	}
	n.mu.Lock()
	st := n.staging[r.Origin]
	first := st != nil && !st.tried && r.Cursor.Seq == 0 && n.copies[r.Origin].Count > 0
	if first {
		st.tried = true
	}
	n.mu.Unlock()
	if first {
		if err := n.seed(ctx, r.Origin, holder); err != nil && ctx.Err() == nil {
			n.log.Info("nothing of the held copy taken over", "origin", r.Origin, "holder", holder, "error", err)
		}
	}
	if st != nil {
		n.mu.Lock()
		r.Buckets, r.Above = st.wanted, st.above
		n.mu.Unlock()
	}
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
func (n *Node) open(r *protocol.Request, a *protocol.Answer) (d drawn, err error) {
	origin := r.Origin
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
		if a.Refused == protocol.CodeRestart && (d.head == nil || d.head.Pos.Epoch <= r.Proven.Epoch && d.head.Floor <= r.Proven.Seq) {
			return d, protocol.Errorf(protocol.CodeHolder, "answer.head", "shows no reason to begin anew")
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
				if err := roster.VerifyChange(c); err != nil {
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
func (n *Node) apply(origin protocol.MemberID, staged bool, batches <-chan drawn) error {
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
		if err := n.drawGroup(origin, staged, group); err != nil {
			return err
		}
	}
	return nil
}

// drawGroup draws some batches in one transaction, and where withdrawals beyond a transaction are to be forgotten in
// further ones.
func (n *Node) drawGroup(origin protocol.MemberID, staged bool, group []drawn) error {
	end := group[len(group)-1]
	for {
		proven, err := n.draw(origin, staged, group, false)
		switch {
		case err != nil:
			return err
		case proven && staged:
			return n.swap(origin)
		case proven || !end.last:
			return nil
		}
		group = []drawn{{head: end.head, last: true}}
	}
}

// draw a group of batches in one transaction. atOnce drops it where it does not end in proof.
func (n *Node) draw(origin protocol.MemberID, staged bool, group []drawn, atOnce bool) (proven bool, err error) {
	if staged {
		n.stageLock.RLock()
		defer n.stageLock.RUnlock()
	}
	var c *replica.Copy
	var set *store.Origin
	err = n.store.Update(func(tx *store.Tx) (err error) {
		set = side(tx, origin, staged)
		if c, err = loadCopy(set, origin); err != nil {
			return err
		}
		before := c.Proven.Epoch
		for _, d := range group {
			if proven, err = c.Draw(set, d.head, d.changes, d.last); err != nil {
				return err
			}
		}
		if atOnce && !proven {
			return protocol.Errorf(protocol.CodeTooLarge, "", "more is forgotten than one transaction holds")
		}
		if origin == n.cfg.Member && !staged {
			if err := buryIn(tx, set.Replaced); err != nil {
				return err
			}
		}
		if err := n.entered(tx.Origin(origin), c, before); err != nil {
			return err
		}
		return errors.Join(set.SetFrontier(c.Encode()), set.TrimHeaders(c.Proven, 2*maxAdmit))
	})
	var fork *replica.ForkError
	if errors.As(err, &fork) {
		return false, errors.Join(n.freeze(fork), err)
	}
	if err != nil {
		return false, err
	}
	n.metrics.admitted.WithLabelValues("pull").Add(float64(len(set.Replaced)))
	if staged {
		n.mu.Lock()
		if st := n.staging[origin]; st != nil {
			st.drawn = c.Drawn
		}
		n.mu.Unlock()
		return proven, nil
	}
	n.admitted(origin, set.Replaced, c)
	if !c.CatchingUp() {
		n.tap(Event{Origin: origin, Pos: c.Proven, Changes: len(set.Replaced)})
	}
	return proven, nil
}

// side is the copy held, or the one that is staged beside it.
func side(tx *store.Tx, origin protocol.MemberID, staged bool) *store.Origin {
	if staged {
		return tx.Staged(origin)
	}
	return tx.Origin(origin)
}

// rewind makes the next pull begin at the proven head.
func (n *Node) rewind(origin protocol.MemberID) error {
	return n.store.Update(func(tx *store.Tx) error {
		set := tx.Origin(origin)
		c, err := loadCopy(set, origin)
		if err != nil || c.Cursor == c.Proven {
			return err
		}
		c.Rewind()
		return set.SetFrontier(c.Encode())
	})
}
