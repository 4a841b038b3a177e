package node

import (
	"context"
	"errors"
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
	headEvery     = 10 * time.Minute
	vectorEvery   = 10 * time.Second
	vectorJitter  = 2 * time.Second
	vectorSilence = 2 * (vectorEvery + vectorJitter)
	askTimeout    = 20 * time.Second
	papersRounds  = 6 // of vectors, between asking a member for papers
)

// headLoop says where this node stands, at start and every ten minutes.
func (n *Node) headLoop(ctx context.Context) {
	t := time.NewTicker(headEvery)
	defer t.Stop()
	for ctx.Err() == nil {
		if n.mayPublish() {
			n.announce(ctx)
		}
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-n.own.wake: // publishing was opened
		}
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
		// The origin's newest word counts: what it signed above and lost since, nobody can ever show.
		n.signed[h.Origin] = h.Pos
	}
	if h.Pos.Compare(n.signed[h.Origin]) > 0 {
		n.signed[h.Origin] = h.Pos
	}
}

// sayGoodbye tells the others where this node stands before it leaves.
func (n *Node) sayGoodbye(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if n.mayPublish() {
		n.announce(ctx)
	}
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
	if s.Origin == n.cfg.Member {
		n.sawOwnHead(s)
	}
	n.mu.Lock()
	within := inReach(n.copies[s.Origin].Proven, s.Pos)
	n.mu.Unlock()
	if !within {
		n.metrics.refused.WithLabelValues("head-position").Inc()
		return
	}
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
	n.mu.Lock()
	defer n.mu.Unlock()
	if have := n.copies[s.Origin]; s.Pos == have.Proven && s.Header != have.Header && s.Pos.Seq > 0 && !have.Disputed && !have.CatchingUp && s.Origin != n.cfg.Member {
		n.askHistory(s.Origin, s.Origin)
	}
}

// askHistory asks a member that stands, or says to stand, on another history of an origin: asked for changes, it shows the
// header or is found out. The caller holds n.mu.
func (n *Node) askHistory(m, origin protocol.MemberID) {
	n.askSoon(m, "history of "+string(origin), func(ctx context.Context) error { return n.probe(ctx, m, origin) })
}

// errSeen ends an answer of which enough was seen.
var errSeen = errors.New("enough was seen") //nolint:gochecknoglobals // a constant

// probe asks for changes above the proven head and looks at the verdict alone.
func (n *Node) probe(ctx context.Context, m, origin protocol.MemberID) error {
	var request *protocol.Request
	if err := n.store.View(func(tx *store.Tx) error {
		c, err := loadCopy(tx.Origin(origin), origin)
		if err == nil {
			request = c.Ask()
			request.Cursor = c.Proven
		}
		return err
	}); err != nil {
		return err
	}
	err := n.net.Ask(ctx, m, request, func(a *protocol.Answer) error {
		if _, err := n.open(request, a); a.Refused == protocol.CodeFork && err != nil {
			return err
		}
		return errSeen
	})
	if errors.Is(err, errSeen) {
		return nil
	}
	return err
}

// saveHead stores a statement, of this node's own origin too: after a restore, the next one's counter must be above it.
func (n *Node) saveHead(s *protocol.SignedHead) bool {
	if err := n.store.Update(func(tx *store.Tx) error {
		set := tx.Origin(s.Origin)
		if kept, err := set.Head(); err != nil || kept != nil && kept.Counter >= s.Counter && n.roster.Load().VerifyHead(kept) == nil {
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
		claim := protocol.Claim{Origin: id, Pos: c.Proven, Header: c.Header, Forked: c.Disputed && n.proofs[id]}
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
	n.own.mu.Lock()
	n.own.heard[from] = time.Now()
	n.own.mu.Unlock()
	for _, c := range vector {
		if _, ok := roster.Member(c.Origin); !ok {
			continue
		}
		if c.Origin == n.cfg.Member {
			n.acknowledged(from, c.Pos)
			n.claimedOwn(from, c.Pos)
		}
		n.claim(from, c.Origin, c.Pos)
		n.mu.Lock()
		if have := n.copies[c.Origin]; c.Forked && !have.Disputed && c.Pos.Epoch >= have.Proven.Epoch {
			n.askSoon(from, string(c.Origin), func(ctx context.Context) error { return n.fetchForks(ctx, from, c.Origin) })
		}
		if have := n.copies[c.Origin]; c.Pos == have.Proven && c.Header != have.Header && !have.Disputed && !have.CatchingUp && c.Pos.Seq > 0 && c.Origin != n.cfg.Member {
			n.askHistory(from, c.Origin)
		}
		h := n.heads[c.Origin].head
		newer = newer || c.Counter > 0 && (h == nil || c.Counter > h.Counter)
		n.mu.Unlock()
	}
	return newer
}

// vectorLoop exchanges vectors with every connected member: one exchange a pair, begun by the lower id, or by who is
// not heard. Now and then it asks each for charters and cards that came since they connected.
func (n *Node) vectorLoop(ctx context.Context) {
	for round := 1; sleep(ctx, vectorEvery+jitter(vectorJitter)); round++ {
		n.unstick()
		for _, m := range n.net.Connected() {
			if round%papersRounds == 0 {
				n.fetchPapers(ctx, m)
			}
			if n.cfg.Member < m || n.unheard(m) {
				n.exchangeVectors(ctx, m)
			}
		}
	}
}

// unheard reports whether a member sent no vector for a while, or none that has this node's newest change. It may be talking
// to another copy of this node, which has the same peer id: then this one speaks up.
func (n *Node) unheard(m protocol.MemberID) bool {
	n.mu.Lock()
	pos := n.copies[n.cfg.Member].Proven
	n.mu.Unlock()
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	return pos.Compare(n.own.acks[m]) > 0 || time.Since(n.own.heard[m]) > vectorSilence
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
	defer n.mu.Unlock()
	n.askSoon(m, "heads", func(ctx context.Context) error { return n.fetchHeads(ctx, m) })
}

// askSoon asks a member beside what the caller does, unless it is being asked the same already. The caller holds n.mu.
func (n *Node) askSoon(m protocol.MemberID, what string, ask func(context.Context) error) {
	question := question{m, what}
	if n.asking[question] || n.spawn == nil {
		return
	}
	n.asking[question] = true
	n.spawn(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		defer func() {
			n.mu.Lock()
			delete(n.asking, question)
			n.mu.Unlock()
		}()
		if err := ask(ctx); err != nil && ctx.Err() == nil {
			n.blame(m, protocol.CodeOf(err))
			n.log.Debug("not answered as it should be", "member", m, "asked", what, "error", err)
		}
	})
}

// question is what a member is being asked.
type question struct {
	of   protocol.MemberID
	what string
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
