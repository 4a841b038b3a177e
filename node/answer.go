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
	switch r.Kind {
	case protocol.AskVector:
		if n.learn(from, r.Vector) {
			n.fetchHeadsSoon(from) // the asker fetches only what we have and it lacks
		}
		return send(&protocol.Answer{Vector: n.vector(), Last: true})
	case protocol.AskHeads:
		return send(&protocol.Answer{Heads: n.headBytes(), Last: true})
	default:
		return n.serveFeed(ctx, r, send)
	}
}

// serveFeed sends the newest change of every record above the request's cursor. Each batch is one reading transaction and
// names the proven head of that moment, so the feed may grow while it is sent.
func (n *Node) serveFeed(ctx context.Context, r *protocol.Request, send func(*protocol.Answer) error) error {
	if _, ok := n.roster.Load().Member(r.Origin); !ok {
		return protocol.Errorf(protocol.CodeOrigin, "request.origin", "%s is no member", r.Origin)
	}
	cursor := r.Cursor
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		a, next, err := n.batch(r, cursor)
		var fork *replica.ForkError
		if errors.As(err, &fork) {
			return send(&protocol.Answer{Refused: protocol.CodeFork, Head: fork.Held.Bytes()})
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
		a, next = &protocol.Answer{Last: true}, cursor
		if c.Proven.Seq == 0 {
			return nil
		}
		head, err := set.HeaderAt(c.Proven)
		if err != nil {
			return err
		}
		a.Head = head.Bytes()
		size := 0
		above := cursor
		above.Epoch = c.Proven.Epoch
		return set.Feed(above, func(pos protocol.Position, change []byte) (bool, error) {
			if size+len(change) > protocol.MaxBatch && size > 0 {
				a.Last = false
				return false, nil
			}
			size += len(change)
			a.Changes, next = append(a.Changes, change), pos
			return true, nil
		})
	})
	return a, next, err
}

// Record implements p2p.Handler.
func (h *handler) Record(_ context.Context, _ protocol.MemberID, key protocol.RecordKey) (b []byte, err error) {
	n := (*Node)(h)
	if err := n.store.View(func(tx *store.Tx) (err error) {
		b, err = tx.Full(key)
		return err
	}); err != nil {
		return nil, err
	}
	if b == nil {
		return nil, protocol.Errorf(protocol.CodeNotFound, "key", "%s keeps no full record under %s", n.cfg.Member, key)
	}
	return b, nil
}
