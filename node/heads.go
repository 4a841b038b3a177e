package node

import (
	"context"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// heard is the newest head statement of an origin and when it first came here.
type heard struct {
	head *protocol.SignedHead
	at   protocol.Instant
}

// lease is until when the statement vouches for its origin's listings: 24 hours from the earlier of its date and its
// arrival, so that a clock that is ahead wins nothing.
func (h heard) lease() protocol.Instant {
	if h.head == nil {
		return 0
	}
	until := min(h.head.IssuedAt, h.at) + protocol.Instant(protocol.Lease/time.Second)
	return min(until, h.head.LeaseUntil)
}

// Pace of heads and vectors.
const (
	headEvery    = 10 * time.Minute
	vectorEvery  = 10 * time.Second
	vectorJitter = 2 * time.Second
	askTimeout   = 20 * time.Second
	papersRounds = 6 // of vectors, between asking a member for papers
)

// headLoop says where this node stands, at start and every ten minutes.
func (n *Node) headLoop(ctx context.Context) {
	n.announce(ctx)
	for sleep(ctx, headEvery) {
		n.announce(ctx)
	}
}

// announce signs, keeps and publishes a head statement.
func (n *Node) announce(ctx context.Context) {
	h, err := n.signHead()
	if err == nil {
		err = n.net.PublishHead(ctx, h)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Warn("head statement not published", "error", err)
	}
}

func (n *Node) signHead() (h *protocol.SignedHead, err error) {
	if n.blocked.Load() != nil {
		return nil, protocol.Errorf(protocol.CodeReadOnly, "", "nothing is signed now")
	}
	n.signing.RLock()
	defer n.signing.RUnlock()
	roster, now := n.roster.Load(), protocol.InstantOf(n.cfg.Now())
	err = n.store.Update(func(tx *store.Tx) error {
		own := tx.Origin(n.cfg.Member)
		c, err := loadCopy(own, n.cfg.Member)
		if err != nil {
			return err
		}
		last, err := own.Head()
		if err != nil {
			return err
		}
		counter := uint64(now)
		if last != nil {
			counter = max(counter, last.Counter+1)
		}
		h, err = protocol.SignHead(n.cfg.Record, protocol.Head{
			Federation: roster.Federation(), Origin: n.cfg.Member,
			CharterVersion: roster.Charter().Version, CharterHash: roster.Charter().Hash,
			Pos: c.Proven, Header: c.Header, Counter: counter, IssuedAt: now,
			LeaseUntil: now + protocol.Instant(protocol.Lease/time.Second),
		})
		if err != nil {
			return err
		}
		return own.SetHead(h, now)
	})
	if err == nil {
		n.keepHead(h)
	}
	return h, err
}

func (n *Node) keepHead(h *protocol.SignedHead) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if have := n.heads[h.Origin].head; have == nil || have.Counter < h.Counter {
		n.heads[h.Origin] = heard{h, protocol.InstantOf(n.cfg.Now())}
	}
	if h.Pos.Compare(n.signed[h.Origin]) > 0 {
		n.signed[h.Origin] = h.Pos
	}
}

// sayGoodbye tells the others where this node stands before it leaves.
func (n *Node) sayGoodbye(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	n.announce(ctx)
}

// Head implements p2p.Handler: the newest statement is kept; who signed it claims to stand there.
func (h *handler) Head(_ protocol.MemberID, s *protocol.SignedHead) { (*Node)(h).takeHead(s) }

// Bounds of head statements: a counter far above the clock would silence its origin for as long, and storing every
// statement of an origin that sends many would keep the disk busy.
const (
	counterAhead = 24 * 60 * 60 // seconds
	saveEvery    = 5 * time.Second
)

func (n *Node) takeHead(s *protocol.SignedHead) {
	now := n.cfg.Now()
	if s.Counter > uint64(max(now.Unix(), 0))+counterAhead {
		n.metrics.refused.WithLabelValues("head-counter").Inc()
		return
	}
	n.mu.Lock()
	have := n.heads[s.Origin]
	stale := have.head != nil && s.Counter <= have.head.Counter
	save := !stale && (s.Origin == n.cfg.Member || now.Sub(n.saved[s.Origin]).Abs() >= saveEvery)
	if save {
		n.saved[s.Origin] = now
	}
	n.mu.Unlock()
	if stale {
		return
	}
	if save && !n.saveHead(s) {
		return
	}
	n.keepHead(s)
	n.claim(s.Origin, s.Origin, s.Pos)
}

// saveHead stores a statement, of this node's own origin too: after a restore, the next one's counter must be above it.
func (n *Node) saveHead(s *protocol.SignedHead) bool {
	if err := n.store.Update(func(tx *store.Tx) error {
		set := tx.Origin(s.Origin)
		if kept, err := set.Head(); err != nil || kept != nil && kept.Counter >= s.Counter {
			return err // another way was faster
		}
		return set.SetHead(s, protocol.InstantOf(n.cfg.Now()))
	}); err != nil {
		n.log.Warn("head statement not kept", "origin", s.Origin, "error", err)
		return false
	}
	return true
}

func (n *Node) headBytes() (all [][]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.heads {
		all = append(all, h.head.Bytes())
	}
	return all
}

// vector is how far this node holds every origin, proven.
func (n *Node) vector() (claims []protocol.Claim) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, c := range n.copies {
		if c.CatchingUp {
			continue
		}
		claim := protocol.Claim{Origin: id, Pos: c.Proven, Header: c.Header}
		if h := n.heads[id].head; h != nil {
			claim.Counter = h.Counter
		}
		claims = append(claims, claim)
	}
	return claims
}

// learn takes another node's vector: where it holds more, it can be asked. It reports whether it has newer heads.
func (n *Node) learn(from protocol.MemberID, vector []protocol.Claim) (newer bool) {
	roster := n.roster.Load()
	for _, c := range vector {
		if _, ok := roster.Member(c.Origin); !ok {
			continue
		}
		n.claim(from, c.Origin, c.Pos)
		n.mu.Lock()
		h := n.heads[c.Origin].head
		newer = newer || c.Counter > 0 && (h == nil || c.Counter > h.Counter)
		n.mu.Unlock()
	}
	return newer
}

// vectorLoop exchanges vectors with every connected member: one exchange a pair, begun by the lower id. Now and then it
// asks each for charters and cards that came since they connected.
func (n *Node) vectorLoop(ctx context.Context) {
	for round := 1; sleep(ctx, vectorEvery+jitter(vectorJitter)); round++ {
		for _, m := range n.net.Connected() {
			if round%papersRounds == 0 {
				n.fetchPapers(ctx, m)
			}
			if n.cfg.Member < m {
				n.exchangeVectors(ctx, m)
			}
		}
	}
}

func (n *Node) exchangeVectors(ctx context.Context, m protocol.MemberID) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	newer := false
	err := n.net.Ask(ctx, m, &protocol.Request{Kind: protocol.AskVector, Vector: n.vector()}, func(a *protocol.Answer) error {
		newer = n.learn(m, a.Vector)
		return nil
	})
	if err == nil && newer {
		err = n.fetchHeads(ctx, m)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Debug("vectors not exchanged", "member", m, "error", err)
	}
}

// fetchHeadsSoon fetches heads without keeping whoever noticed that there are newer ones.
func (n *Node) fetchHeadsSoon(m protocol.MemberID) {
	n.mu.Lock()
	spawn, asking := n.spawn, n.asking[m]
	n.asking[m] = true
	n.mu.Unlock()
	if asking {
		return
	}
	spawn(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		defer func() {
			n.mu.Lock()
			delete(n.asking, m)
			n.mu.Unlock()
		}()
		if err := n.fetchHeads(ctx, m); err != nil && ctx.Err() == nil {
			n.log.Debug("heads not fetched", "member", m, "error", err)
		}
	})
}

func (n *Node) fetchHeads(ctx context.Context, m protocol.MemberID) error {
	return n.net.Ask(ctx, m, &protocol.Request{Kind: protocol.AskHeads}, func(a *protocol.Answer) error {
		roster := n.roster.Load()
		for _, b := range a.Heads {
			h, err := protocol.DecodeHead(b)
			if err != nil {
				return err
			}
			if err := roster.VerifyHead(h); err != nil {
				n.metrics.refused.WithLabelValues("head-" + string(protocol.CodeOf(err))).Inc()
				continue
			}
			n.takeHead(h)
		}
		return nil
	})
}

// Connected implements p2p.Handler: papers first, then who holds what.
func (h *handler) Connected(m protocol.MemberID) {
	n := (*Node)(h)
	n.mu.Lock()
	spawn := n.spawn
	n.mu.Unlock()
	spawn(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		n.fetchPapers(ctx, m)
		n.exchangeVectors(ctx, m)
		if err := n.fetchHeads(ctx, m); err != nil {
			n.log.Debug("heads not fetched", "member", m, "error", err)
		}
	})
}

// Disconnected implements p2p.Handler.
func (h *handler) Disconnected(m protocol.MemberID) {
	n := (*Node)(h)
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.claims {
		c.Gone(m)
	}
}
