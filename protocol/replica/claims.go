package replica

import (
	"cmp"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// Claims is who says to hold how much of one origin. It decides when to pull, and from whom. It is not safe for
// concurrent use.
type Claims struct {
	by map[protocol.MemberID]claim
}

type claim struct {
	pos   protocol.Position
	tries int       // pulls from this holder that failed since one ended in proof; a higher claim forgives nothing
	until time.Time // not to be asked before
}

// Heard notes that a member claims to hold the origin up to pos.
func (c *Claims) Heard(from protocol.MemberID, pos protocol.Position) {
	if c.by == nil {
		c.by = make(map[protocol.MemberID]claim)
	}
	have, ok := c.by[from]
	if ok && pos.Compare(have.pos) <= 0 {
		return
	}
	have.pos = pos
	c.by[from] = have
}

// Lower corrects the claim of a member that was asked and showed no more than pos.
func (c *Claims) Lower(from protocol.MemberID, pos protocol.Position) {
	if x, ok := c.by[from]; ok && x.pos.Compare(pos) > 0 {
		x.pos = pos
		c.by[from] = x
	}
}

// Gone forgets what a member claims that is no longer connected, but not how often it failed: coming back forgives nothing.
func (c *Claims) Gone(from protocol.MemberID) {
	if x, ok := c.by[from]; ok {
		x.pos = protocol.Position{}
		c.by[from] = x
	}
}

// Among forgets the claims of everybody but the given members: who is not connected cannot be asked, and will say anew
// what it holds when it is.
func (c *Claims) Among(members []protocol.MemberID) {
	for m := range c.by {
		if !slices.Contains(members, m) {
			c.Gone(m)
		}
	}
}

// Top is the highest position that anybody claims.
func (c *Claims) Top() (top protocol.Position) {
	for _, x := range c.by {
		if x.pos.Compare(top) > 0 {
			top = x.pos
		}
	}
	return top
}

// Holder picks whom to ask next: of those who claim more than the copy has proven and no less than it has drawn, and who
// are not resting after a failure, the least failed, then the furthest; tie breaks between equals. ok is false where
// there is nobody.
func (c *Claims) Holder(have *Copy, now time.Time, tie func(n int) int) (m protocol.MemberID, ok bool) {
	var best []protocol.MemberID
	var rank claim
	for id, x := range c.by {
		if x.pos.Compare(have.Proven) <= 0 || x.pos.Compare(have.Drawn) < 0 || now.Before(x.until) {
			continue
		}
		order := -1
		if len(best) > 0 {
			order = cmp.Or(cmp.Compare(x.tries, rank.tries), rank.pos.Compare(x.pos))
		}
		switch {
		case order < 0:
			best, rank = append(best[:0], id), x
		case order == 0:
			best = append(best, id)
		}
	}
	if len(best) == 0 {
		return "", false
	}
	slices.Sort(best)
	return best[tie(len(best))], true
}

// Rest after a failed pull, doubled with every failure.
const (
	restFirst = 500 * time.Millisecond
	restMost  = 30 * time.Second
)

// Failed notes that a pull from a member did not end in proof: it rests for a while.
func (c *Claims) Failed(from protocol.MemberID, now time.Time) {
	x, ok := c.by[from]
	if !ok {
		return
	}
	x.until = now.Add(min(restFirst<<min(x.tries, 10), restMost))
	x.tries++
	c.by[from] = x
}

// Proved notes that a pull from a member ended in proof.
func (c *Claims) Proved(from protocol.MemberID) {
	if x, ok := c.by[from]; ok {
		x.tries, x.until = 0, time.Time{}
		c.by[from] = x
	}
}
