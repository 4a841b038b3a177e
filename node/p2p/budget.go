package p2p

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/asean-tmh/tmh/protocol"
)

// A budget is a token bucket of one member's for one thing that takes our time or memory. Honest nodes stay far below:
// see doc.go. What is beyond is not worked on; gossip that is left out so comes by pull.
type budget int

// The budgets. Those of gossip are of the member that forwards, unless they say origin.
const (
	gossipRPCs budget = iota
	gossipBytes
	changesMessages
	headsMessages
	controlMessages
	changesVerified
	originChanges  // above the highest position that the origin was seen to have signed
	originRepeated // at or below it: somebody may be replaying what the origin signed once
	originHeads
	originHeadsRepeated
	originEvidence

	syncStreams
	charterStreams
	recordStreams
	askingVector
	askingChanges
	askingHeads
	askingOwn
	askingBuckets
	askingForks
	askingRecord
	askingDocument
)

// allowance is what a budget fills up with in a second, and what it holds.
type allowance struct {
	rate  rate.Limit
	burst int
}

// allowances of an origin's changes are above what the outbox of a node is able to gossip: 64 every 50 ms, and 50 a second
// one by one.
func allowances() map[budget]allowance {
	return map[budget]allowance{
		gossipRPCs:      {5000, 30_000},
		gossipBytes:     {8 << 20, 32 << 20},
		changesMessages: {1000, 10_000},
		headsMessages:   {300, 2000},
		controlMessages: {20, 500},
		changesVerified: {5000, 10_000}, // a third of a core

		originChanges:       {1500, 3000},
		originRepeated:      {1500, 3000},
		originHeads:         {2, 60},
		originHeadsRepeated: {2, 60},
		originEvidence:      {2, 64},

		syncStreams:    {200, 2000},
		charterStreams: {1, 64},
		recordStreams:  {40, 400},
		askingVector:   {1, 32},
		askingChanges:  {100, 1000},
		askingHeads:    {1, 32},
		askingOwn:      {1, 32},
		askingBuckets:  {rate.Every(10 * time.Second), 16}, // the holder may have to read the whole catalogue
		askingForks:    {1, 64},
		askingRecord:   {20, 200},
		askingDocument: {2, 60}, // a listing has 20 at most, of 20 MiB each
	}
}

// budgets of all members. They are kept for current members only.
type budgets struct {
	each map[budget]allowance // not changed after the start

	mu     sync.Mutex
	left   map[account]*rate.Limiter    // guarded by mu
	newest map[protocol.MemberID]newest // guarded by mu
}

type account struct {
	member protocol.MemberID
	of     budget
}

// newest is how far an origin was seen to have signed.
type newest struct {
	pos     protocol.Position
	counter uint64 // of its head statements
}

func newBudgets() *budgets {
	return &budgets{each: allowances(), left: make(map[account]*rate.Limiter), newest: make(map[protocol.MemberID]newest)}
}

// take reports whether n more are within m's budget, and charges them if so.
func (b *budgets) take(m protocol.MemberID, of budget, n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.left[account{m, of}]
	if l == nil {
		a := b.each[of]
		l = rate.NewLimiter(a.rate, a.burst)
		b.left[account{m, of}] = l
	}
	return l.AllowN(time.Now(), n)
}

// takeChanges charges verified changes to their origins. over is an origin beyond its budget, "" if there is none; repeated
// says that it need not be at fault, since others could have sent again what it signed once.
func (b *budgets) takeChanges(cs []*protocol.Change) (over protocol.MemberID, repeated bool) {
	type charge struct{ news, old int }
	charges := make(map[protocol.MemberID]charge)
	b.mu.Lock()
	for _, c := range cs {
		x, top := charges[c.Origin], b.newest[c.Origin]
		if c.Pos.Compare(top.pos) > 0 {
			x.news++
			top.pos = c.Pos
			b.newest[c.Origin] = top
		} else {
			x.old++
		}
		charges[c.Origin] = x
	}
	b.mu.Unlock()
	for m, x := range charges {
		if !b.take(m, originChanges, x.news) {
			return m, false
		}
		if !b.take(m, originRepeated, x.old) {
			return m, true
		}
	}
	return "", false
}

// takeHead does the same for a head statement.
func (b *budgets) takeHead(h *protocol.SignedHead) (ok, repeated bool) {
	b.mu.Lock()
	top := b.newest[h.Origin]
	repeated = h.Counter <= top.counter
	if !repeated {
		top.counter = h.Counter
		b.newest[h.Origin] = top
	}
	b.mu.Unlock()
	if repeated {
		return b.take(h.Origin, originHeadsRepeated, 1), true
	}
	return b.take(h.Origin, originHeads, 1), false
}

// keep forgets who is no member any more.
func (b *budgets) keep(member func(protocol.MemberID) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for a := range b.left {
		if !member(a.member) {
			delete(b.left, a)
		}
	}
	for m := range b.newest {
		if !member(m) {
			delete(b.newest, m)
		}
	}
}
