package node

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
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
	pullSettle  = 150 * time.Millisecond // for gossip that is only reordered
	pullJitter  = 350 * time.Millisecond // so that not all members draw from one at the same moment
	pullQuantum = 10 * time.Minute       // after which another origin has its turn
	pullRetry   = time.Second            // before looking again for a holder that may be asked
)

// pullLoop keeps the copy of one origin as far as anybody claims to hold it.
func (n *Node) pullLoop(ctx context.Context, origin protocol.MemberID, kick <-chan struct{}) {
	defer func() {
		n.mu.Lock()
		delete(n.kicks, origin)
		n.mu.Unlock()
	}()
	n.finishStaged(origin)
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
			if holder != "" && n.pullFrom(ctx, origin, holder) {
				wait = 0
				n.nudge(origin)
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
	c := n.claims[origin]
	if c == nil {
		return "", false
	}
	c.Among(connected)
	have := n.wants(origin)
	if c.Top().Compare(have.Proven) <= 0 {
		return "", false
	}
	m, _ = c.Holder(&have, time.Now(), rand.IntN)
	return m, true
}

// wants is what a holder must exceed (Proven) and reach (Drawn) to be asked for an origin. The caller holds n.mu.
func (n *Node) wants(origin protocol.MemberID) replica.Copy {
	have, staging := n.copies[origin], n.staging[origin]
	w := replica.Copy{Proven: have.Proven, Drawn: have.Drawn}
	if staging != nil {
		w.Drawn = staging.drawn
		if staging.mend && w.Proven.Seq > 0 {
			w.Proven.Seq-- // the same state will do: what is held of it is damaged
		}
	}
	if have.Disputed { // only another epoch ends that
		w.Proven.Seq = math.MaxUint64
	}
	return w
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
	before, staged := n.copies[origin], n.staging[origin] != nil
	n.mu.Unlock()
	if before.Disputed && !staged {
		if err := n.stage(origin, "a new epoch follows a dispute", false); err != nil {
			n.log.Warn("copy not staged", "origin", origin, "error", err)
			return false
		}
		staged = true
	}
	fresh := before.Drawn == before.Proven && !staged
	quantum, done := context.WithTimeout(ctx, pullQuantum)
	defer done()
	err := n.pull(quantum, origin, holder, staged)
	if err != nil && quantum.Err() != nil && ctx.Err() == nil { // others wait for their turn; it goes on from its cursor
		return true
	}
	if protocol.CodeOf(err) == protocol.CodeCharter {
		n.fetchPapers(ctx, holder)
	}
	n.mu.Lock()
	after, claims := n.copies[origin], n.claims[origin]
	code, further := protocol.CodeOf(err), staged && err == nil || after.Proven.Compare(before.Proven) > 0
	switch {
	case claims == nil: // the origin left meanwhile
	case further && (err == nil || code == protocol.CodeReplayed):
		err = nil // replayed: gossip was faster than the feed
		claims.Proved(holder)
	case code == protocol.CodeRestart && !staged: // no fault of the holder's
	case err == nil || code == protocol.CodeReplayed:
		err = protocol.Errorf(protocol.CodeHolder, "answer", "%s claimed more of %s than it showed", holder, origin)
		claims.Lower(holder, after.Proven)
		fallthrough
	default:
		claims.Failed(holder, time.Now())
	}
	n.mu.Unlock()
	if err == nil || ctx.Err() != nil {
		n.metrics.pulls.WithLabelValues("proven").Inc()
		n.unproven(origin, "", nil)
		return err == nil
	}
	code = protocol.CodeOf(err)
	n.metrics.pulls.WithLabelValues(string(code)).Inc()
	if fresh || code != protocol.CodeUnprovenFinal && code != protocol.CodePrevious && code != protocol.CodeChain { // else another holder's batch may be at fault
		n.blame(holder, code)
	}
	n.log.Info("pull did not end in proof", "origin", origin, "holder", holder, "staged", staged, "error", err)
	n.begin(origin, holder, staged, err)
	return false
}

// begin decides how the next pull begins after one failed: on from the cursor where the connection or this node was at
// fault, again from the proven head, or from the beginning beside what is held.
func (n *Node) begin(origin, holder protocol.MemberID, staged bool, why error) {
	var err error
	switch code := protocol.CodeOf(why); {
	case code == protocol.CodeInternal || code == protocol.CodeUnavailable || code == protocol.CodeReadOnly:
		return
	case staged:
		err = n.stage(origin, "the feed drawn before was not proven", n.mends(origin))
	case code == protocol.CodeRestart:
		err = n.stage(origin, why.Error(), false)
	case n.unproven(origin, holder, why):
		err = n.stage(origin, "drawing what is missing was not proven, whoever was asked", false)
	default:
		err = n.rewind(origin)
	}
	if err != nil {
		n.log.Warn("pull not begun anew", "origin", origin, "error", err)
	}
}

// maxUnproven is after how many feeds that did not fit what is held, of at least two holders or the origin itself, the
// fault is looked for here: the copy is drawn anew, beside the one that is held.
const maxUnproven = 3

// unproven counts pulls that ended without proof and reports whether what is held is to be suspected. nil forgets them.
func (n *Node) unproven(origin, holder protocol.MemberID, why error) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch protocol.CodeOf(why) {
	case protocol.CodeUnprovenFinal, protocol.CodePrevious, protocol.CodeChain, protocol.CodeFloor:
	case "":
		delete(n.failed, origin)
		return false
	default:
		return false
	}
	f := n.failed[origin]
	if f == nil {
		f = make(map[protocol.MemberID]int)
		n.failed[origin] = f
	}
	f[holder]++
	total := 0
	for _, k := range f {
		total += k
	}
	return total >= maxUnproven && (len(f) > 1 || f[origin] > 0)
}
