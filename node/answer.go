package node

import (
	"context"
	"errors"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// Answer implements p2p.Handler.
func (h *handler) Answer(ctx context.Context, from protocol.MemberID, r *protocol.Request, send func(*protocol.Answer) error) error {
	n := (*Node)(h)
	if r.Origin != "" && !n.isMember(r.Origin) {
		return protocol.Errorf(protocol.CodeOrigin, "request.origin", "%s is no member", r.Origin)
	}
	switch r.Kind {
	case protocol.AskVector:
		if n.learn(from, r.Vector) {
			n.fetchHeadsSoon(from) // the asker fetches only what we have and it lacks
		}
		return send(&protocol.Answer{Vector: n.vector(), Last: true})
	case protocol.AskHeads:
		return send(&protocol.Answer{Heads: n.headBytes(), Last: true})
	case protocol.AskOwn:
		if r.Origin != from {
			return protocol.Errorf(protocol.CodeNotPermitted, "request.origin", "is answered to %s itself only", r.Origin)
		}
		return n.serveBatches(ctx, r, n.ownBatch, send)
	case protocol.AskBuckets:
		return n.serveBuckets(r, send)
	case protocol.AskForks:
		return n.serveForks(r, send)
	default:
		return n.serveBatches(ctx, r, n.batch, send)
	}
}

type batchFunc func(r *protocol.Request, cursor protocol.Position) (a *protocol.Answer, next protocol.Position, err error)

// serveBatches sends batches above the request's cursor. Each is one reading transaction and names the proven head of that
// moment, so the feed may grow while it is sent.
func (n *Node) serveBatches(ctx context.Context, r *protocol.Request, batch batchFunc, send func(*protocol.Answer) error) error {
	cursor := r.Cursor
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		a, next, err := batch(r, cursor)
		var fork *replica.ForkError
		if errors.As(err, &fork) {
			return send(&protocol.Answer{Refused: protocol.CodeFork, Head: fork.Held.Bytes()})
		}
		if protocol.CodeOf(err) == protocol.CodeRestart {
			head, headErr := n.provenHeader(r.Origin)
			if headErr != nil || head == nil {
				return errors.Join(headErr, err)
			}
			return send(&protocol.Answer{Refused: protocol.CodeRestart, Head: head.Bytes()}) // which shows why
		}
		if err != nil {
			return err
		}
		n.metrics.served.Add(float64(len(a.Changes)))
		if err := send(a); err != nil || a.Last {
			return err
		}
		cursor = next
	}
}

// batch of the newest change of every record.
func (n *Node) batch(r *protocol.Request, cursor protocol.Position) (a *protocol.Answer, next protocol.Position, err error) {
	if r.Origin == n.cfg.Member {
		n.signing.RLock()
		defer n.signing.RUnlock()
	}
	err = n.store.View(func(tx *store.Tx) error {
		set := tx.Origin(r.Origin)
		c, err := loadCopy(set, r.Origin)
		if err != nil {
			return err
		}
		if err := c.Verdict(set, r); err != nil {
			return err
		}
		if c.Proven.Seq == 0 {
			a, next = &protocol.Answer{Last: true}, cursor
			return nil
		}
		head, err := set.HeaderAt(c.Proven)
		if err != nil {
			return err
		}
		if head == nil {
			return protocol.Errorf(protocol.CodeInternal, "", "the header at the proven head of %s is missing", r.Origin)
		}
		a, next, err = feedBatch(set, r, cursor)
		a.Head = head.Bytes()
		return err
	})
	return a, next, err
}

// provenHeader is the signed header at an origin's proven head, nil where nothing is held.
func (n *Node) provenHeader(origin protocol.MemberID) (head *protocol.SignedHeader, err error) {
	err = n.store.View(func(tx *store.Tx) error {
		set := tx.Origin(origin)
		c, err := loadCopy(set, origin)
		if err == nil {
			head, err = set.HeaderAt(c.Proven)
		}
		return err
	})
	return head, err
}

// feedBatch fills an answer with what lies above a cursor, as far as the request wants it.
func feedBatch(set *store.Origin, r *protocol.Request, cursor protocol.Position) (a *protocol.Answer, next protocol.Position, err error) {
	a, next = &protocol.Answer{Last: true}, cursor
	size := 0
	wanted := func(pos protocol.Position, key protocol.RecordKey) bool {
		return r.Buckets == nil || pos.Seq > r.Above || r.Buckets.Has(protocol.BucketOf(key))
	}
	err = set.FeedOf(cursor, wanted, func(pos protocol.Position, b []byte) (bool, error) {
		if size+len(b) > protocol.MaxBatch && size > 0 {
			a.Last = false
			return false, nil
		}
		size += len(b)
		a.Changes, next = append(a.Changes, b), pos
		return true, nil
	})
	return a, next, err
}

// ownBatch is all that is held of the asker's own catalogue above a position, proven or not: what it lost may be nowhere
// else.
func (n *Node) ownBatch(r *protocol.Request, cursor protocol.Position) (a *protocol.Answer, next protocol.Position, err error) {
	err = n.store.View(func(tx *store.Tx) error {
		set := tx.Origin(r.Origin)
		c, err := loadCopy(set, r.Origin)
		if err != nil {
			return err
		}
		if a, next, err = feedBatch(set, r, cursor); err != nil {
			return err
		}
		if c.Proven.Seq > 0 {
			head, err := set.HeaderAt(c.Proven)
			if err != nil {
				return err
			}
			if head != nil {
				a.Head = head.Bytes()
			}
		}
		if cursor != r.Cursor {
			return nil
		}
		statement, err := set.Head()
		if err == nil && statement != nil {
			a.Heads = [][]byte{statement.Bytes()}
		}
		return err
	})
	return a, next, err
}

func (n *Node) serveForks(r *protocol.Request, send func(*protocol.Answer) error) error {
	forks, err := n.Forks(r.Origin)
	if err != nil {
		return err
	}
	a := &protocol.Answer{Last: true}
	for i := len(forks) - 1; i >= 0 && len(a.Forks) < protocol.MaxForks; i-- { // the latest first
		a.Forks = append(a.Forks, forks[i].Encode())
	}
	return send(a)
}
