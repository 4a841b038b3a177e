package node

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// own is what this node knows of its own history elsewhere. Being restored from an older state is certain to happen one
// day, and so is a second copy of a node: so it asks the others what they hold of its catalogue before it signs anything,
// and takes back what it lacks.
type own struct {
	mu       sync.Mutex
	answered map[protocol.MemberID]bool // since this start
	again    map[protocol.MemberID]bool // to be asked once more, as they claim or show more than they answered
	asked    map[protocol.MemberID]time.Time
	asking   map[protocol.MemberID]bool
	drawing  chan struct{}                                  // one draws the own history at a time
	acks     map[protocol.MemberID]protocol.Position        // how far each member has proven this catalogue
	heard    map[protocol.MemberID]time.Time                // when each member last sent a vector
	seen     protocol.Position                              // the furthest that is known to have been signed
	stray    map[protocol.Hash]*protocol.Change             // own changes that others hold and that do not follow what is held here
	closed   map[protocol.MemberID][]*protocol.SignedHeader // changes signed with a record key that the card closed, by who shows them
	fault    string                                         // why nothing more can be signed until a restart
	twin     string                                         // what showed that another copy of this node signs
	ready    bool                                           // may sign
	wake     chan struct{}
	opened   chan struct{} // closed when signing was open for the first time
}

func newOwn() own {
	return own{
		answered: make(map[protocol.MemberID]bool), again: make(map[protocol.MemberID]bool), asked: make(map[protocol.MemberID]time.Time), asking: make(map[protocol.MemberID]bool),
		acks: make(map[protocol.MemberID]protocol.Position), heard: make(map[protocol.MemberID]time.Time), stray: make(map[protocol.Hash]*protocol.Change),
		closed: make(map[protocol.MemberID][]*protocol.SignedHeader), wake: make(chan struct{}, 1), opened: make(chan struct{}), drawing: make(chan struct{}, 1),
	}
}

// maxStray bounds the changes kept in memory that cannot be applied.
const maxStray = 4096

// Pace of asking.
const (
	ownEvery = 250 * time.Millisecond // looks for members to ask
	ownRest  = 5 * time.Second        // between questions to one member that could not answer
)

// ownLoop asks every member once, as soon as it is connected. Those who come after publishing began are asked too: they may
// hold what shows a fork.
func (n *Node) ownLoop(ctx context.Context) {
	n.reviewOwn()
	for {
		for _, m := range n.net.Connected() {
			n.own.mu.Lock()
			ask := (!n.own.answered[m] || n.own.again[m]) && !n.own.asking[m] && (n.own.asked[m].IsZero() || time.Since(n.own.asked[m]) >= ownRest)
			if ask {
				n.own.asked[m], n.own.asking[m] = time.Now(), true
				delete(n.own.again, m)
			}
			n.own.mu.Unlock()
			if ask {
				n.mu.Lock()
				spawn := n.spawn
				n.mu.Unlock()
				spawn(func(ctx context.Context) { n.askOwnOnce(ctx, m) }) // a slow member holds up nobody's answer
			}
		}
		n.reviewOwn()
		if !sleep(ctx, ownEvery) {
			return
		}
	}
}

func (n *Node) askOwnOnce(ctx context.Context, m protocol.MemberID) {
	err := n.askOwn(ctx, m)
	n.own.mu.Lock()
	delete(n.own.asking, m)
	if err == nil {
		n.own.answered[m] = true
	} else {
		n.own.again[m] = true
	}
	n.own.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		n.log.Info("a member did not say what it holds of this catalogue", "member", m, "error", err)
	}
	n.reviewOwn()
}

// reviewOwn decides whether this node may sign, and if not, with which words people are told why.
func (n *Node) reviewOwn() {
	n.mu.Lock()
	c, proof := n.copies[n.cfg.Member], n.proofs[n.cfg.Member]
	n.mu.Unlock()
	n.own.mu.Lock()
	why := n.whyBlocked(c, proof)
	opens := why == "" && !n.own.ready
	if opens {
		select {
		case <-n.own.opened:
		default:
			close(n.own.opened)
		}
	}
	if n.own.ready = why == ""; n.own.ready {
		n.blocked.Store(nil)
	} else if old := n.blocked.Swap(&why); old == nil || *old != why {
		n.log.Warn("publishing waits", "why", why)
	}
	n.own.mu.Unlock()
	if opens {
		n.log.Info("publishing is open", "position", c.Proven.String())
		select {
		case n.own.wake <- struct{}{}: // a head statement
		default:
		}
	}
}

func (n *Node) whyBlocked(c copyView, proof bool) string {
	var others, silent []string
	for _, m := range n.roster.Load().Charter().Members {
		if m.ID != n.cfg.Member {
			others = append(others, string(m.ID))
			if !n.own.answered[m.ID] {
				silent = append(silent, string(m.ID))
			}
		}
	}
	answered := len(others) - len(silent)
	enough := answered > len(others)/2 || len(others) == 0 || n.cfg.Alone
	switch {
	case n.own.fault != "":
		return n.own.fault
	case n.own.twin != "":
		return n.own.twin + " Nothing is signed here until that is cleared up: stop all copies but one, and start that one again."
	case c.Disputed && !proof:
		return fmt.Sprintf("The card in force closes this node's record key below %s, which is held here: what was signed above is void. Restore a backup of before that (tmh restore) and start; then run tmh epoch open --reason key.", c.Proven)
	case c.Disputed:
		return fmt.Sprintf("Two histories of this catalogue were signed; every member holds it frozen. Most often two copies of this node ran. Stop all but one, and run tmh epoch open --reason fork. Held here is %s.", c.Proven)
	case c.CatchingUp:
		return "The own catalogue is not proven as a whole, so nothing is signed on top of it. It is drawn from the other members as soon as one of them holds it."
	case !enough:
		return fmt.Sprintf("Before this node signs anything, over half of the other members must say what they hold of its catalogue: %d of %d did; waiting for %s. If they cannot be reached, and no other copy of this node ever signed, start it with --alone.", answered, len(others), strings.Join(silent, ", "))
	case n.own.seen.Compare(c.Proven) > 0:
		text := fmt.Sprintf("This node signed up to %s, and what it holds ends at %s: changes were lost, most likely because it was restored from an older state.", n.own.seen, c.Proven)
		if len(silent) > 0 {
			text += fmt.Sprintf(" Not heard yet: %s. They may hold them.", strings.Join(silent, ", "))
		}
		return text + " Put a newer copy of the data folder in place, or accept the loss with tmh epoch open --reason loss."
	}
	return ""
}

// startPatience is how long a writer waits for the answers that a start awaits, before it is refused with the reason.
const startPatience = 5 * time.Second

func (n *Node) awaitOpen(ctx context.Context) {
	t := time.NewTimer(startPatience)
	defer t.Stop()
	select {
	case <-n.own.opened:
	case <-ctx.Done():
	case <-t.C:
	}
}

// blockUntilRestart stops signing for a fault of this node.
func (n *Node) blockUntilRestart(why string) {
	n.own.mu.Lock()
	n.own.fault = why
	n.own.mu.Unlock()
	n.reviewOwn()
}

// How far beyond what is held a position may lie to be believed. A thief of a record key can sign any: at the end of all
// numbers no epoch could be opened above it, and no catalogue could go on.
const (
	reachSeq   = 1 << 32
	reachEpoch = 16
)

// inReach reports whether an origin that stands at held can have signed at pos in earnest.
func inReach(held, pos protocol.Position) bool {
	return pos.Epoch <= held.Epoch+reachEpoch && pos.Seq <= held.Seq+reachSeq
}

// sawOwnPosition notes that this node's keys signed at pos.
func (n *Node) sawOwnPosition(pos protocol.Position) {
	n.mu.Lock()
	within := inReach(n.copies[n.cfg.Member].Proven, pos)
	n.mu.Unlock()
	if !within {
		return
	}
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	if pos.Compare(n.own.seen) > 0 {
		n.own.seen = pos
	}
}

// sawOwnChange compares a change of this node's own that gossip brought with what it signed.
func (n *Node) sawOwnChange(from protocol.MemberID, h *protocol.SignedHeader) {
	n.metrics.refused.WithLabelValues("own").Inc()
	if err := n.checkOwn(n.roster.Load(), h); err != nil {
		n.log.Error("a change of this node's own came back altered", "position", h.Pos.String(), "error", err)
	}
	n.mu.Lock()
	beyond := h.Pos.Compare(n.copies[n.cfg.Member].Proven) > 0
	n.mu.Unlock()
	if beyond {
		n.suspectTwin(from, fmt.Sprintf("A change of this catalogue at %s came that this node did not sign: another copy of it runs.", h.Pos))
	}
}

// sawOwnHead compares a head statement of this node's own that another one passed on with what it stated itself.
func (n *Node) sawOwnHead(s *protocol.SignedHead) {
	n.sawOwnPosition(s.Pos)
	n.mu.Lock()
	have, c := n.heads[n.cfg.Member], n.copies[n.cfg.Member]
	n.mu.Unlock()
	if s.Pos.Compare(c.Proven) > 0 || have.head != nil && s.Counter > have.head.Counter && s.IssuedAt >= have.head.IssuedAt && n.mayPublish() {
		n.suspectTwin("", fmt.Sprintf("A statement of this node at %s came that it did not make: another copy of it runs.", s.Pos))
	}
}

// sawClosed notes that a member shows a change of this node's own that was signed with a record key which the card has
// closed since. It is void, and is listed as such; it is never published again, and never keeps this node from signing.
func (n *Node) sawClosed(by protocol.MemberID, h *protocol.SignedHeader) {
	n.mu.Lock()
	epoch := n.copies[n.cfg.Member].Proven.Epoch
	n.mu.Unlock()
	if h.Pos.Epoch != epoch {
		return
	}
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	if len(n.own.closed[by]) < protocol.MaxVoided {
		n.own.closed[by] = append(n.own.closed[by], h)
	}
}

// closedHeaders are the headers of such changes.
func (n *Node) closedHeaders() (all []*protocol.SignedHeader) {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	for _, headers := range n.own.closed {
		all = append(all, headers...)
	}
	return all
}

// whoShowsClosed are the members who show such changes. Where they believed them, their copies are frozen.
func (n *Node) whoShowsClosed() []protocol.MemberID {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	return slices.Sorted(maps.Keys(n.own.closed))
}

func (n *Node) mayPublish() bool { return n.blocked.Load() == nil }

// claimedOwn has a member asked again that claims to hold more of this catalogue than is held here.
func (n *Node) claimedOwn(from protocol.MemberID, pos protocol.Position) {
	n.mu.Lock()
	beyond := pos.Compare(n.copies[n.cfg.Member].Proven) > 0
	n.mu.Unlock()
	if beyond { // what it said before still counts: a claim alone must not keep this node from signing
		n.own.mu.Lock()
		n.own.again[from] = true
		n.own.mu.Unlock()
	}
}

// wasOpen reports whether this node might sign at any time since its start.
func (n *Node) wasOpen() bool {
	select {
	case <-n.own.opened:
		return true
	default:
		return false
	}
}

// suspectTwin stops signing once this node had begun to: before that, it only was not told yet what it had signed.
func (n *Node) suspectTwin(from protocol.MemberID, why string) {
	n.own.mu.Lock()
	if n.wasOpen() && n.own.twin == "" {
		n.own.twin = why
		n.log.Error("another copy of this node signs", "why", why)
		n.metrics.twins.Inc()
	}
	n.own.again[from] = true // it holds more than it said
	n.own.mu.Unlock()
	n.reviewOwn()
}
