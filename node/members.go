package node

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// copyView is what is shown of a copy without asking the store.
type copyView struct {
	Proven     protocol.Position
	Header     protocol.Hash
	Drawn      protocol.Position
	Digest     protocol.Hash
	Count      uint64
	Floor      uint64
	CatchingUp bool
	Disputed   bool
}

func (n *Node) showCopy(origin protocol.MemberID, c *replica.Copy) {
	v := copyView{Proven: c.Proven, Header: c.Header, Drawn: c.Drawn, Count: c.Count, Floor: c.Floor, CatchingUp: c.CatchingUp(), Disputed: c.Disputed}
	v.Digest = c.Digest()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.copies[origin].Proven.Epoch >= v.Proven.Epoch { // a fork is final within its epoch, whoever comes late with an older view
		v.Disputed = v.Disputed || n.copies[origin].Disputed
	}
	if have := n.copies[origin]; have.Proven.Compare(v.Proven) > 0 || have.Proven == v.Proven && have.Drawn.Compare(v.Drawn) > 0 {
		have.Disputed = v.Disputed
		v = have // told out of order by two goroutines
	}
	n.copies[origin] = v
}

func (n *Node) copyViews() []copyView {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]copyView, 0, len(n.copies))
	for _, c := range n.copies {
		all = append(all, c)
	}
	return all
}

// loadCopies reads at start how far every origin is held, and compares the own one with the guard.
func (n *Node) loadCopies() error {
	now := protocol.InstantOf(n.cfg.Now())
	return n.store.View(func(tx *store.Tx) error {
		for _, m := range n.roster.Load().Charter().Members {
			set := tx.Origin(m.ID)
			c, err := loadCopy(set, m.ID)
			if err != nil {
				return err
			}
			n.showCopy(m.ID, c)
			forks, err := set.Evidence()
			if err != nil {
				return err
			}
			n.proofs[m.ID] = len(forks) > 0 && forks[len(forks)-1].A.Pos.Epoch == c.Proven.Epoch
			h, err := set.Head()
			if err != nil {
				return err
			}
			if h != nil && n.roster.Load().VerifyHead(h) != nil { // its key was closed since
				h = nil
			}
			n.days[m.ID] = beginDay(c, h, n.cfg.Now())
			if h != nil {
				n.heads[m.ID] = heard{head: h}
				if h.IssuedAt <= now {
					n.heads[m.ID] = heard{h, h.IssuedAt} // else it vouches for nothing: when it came is not known any more
				}
				n.signed[m.ID] = h.Pos
			}
			if m.ID == n.cfg.Member && n.guard != nil {
				if err := n.checkGuard(c); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// checkGuard compares the own copy with the guard, which knows of changes that a store restored from an older state does
// not: signing on would use positions twice.
func (n *Node) checkGuard(c *replica.Copy) error {
	mark := n.guard.Mark()
	switch order := mark.Pos.Compare(c.Proven); {
	case order == 0 && mark.Header != c.Header && c.Proven.Seq > 0:
		n.own.fault = fmt.Sprintf("The guard file names another change at %s than the store: they belong to different histories. Put the data folder and the guard of one and the same node together.", c.Proven)
	case order < 0 && c.Proven.Seq > 0 && !c.CatchingUp():
		return n.guard.Advance(store.Mark{Pos: c.Proven, Header: c.Header})
	}
	n.sawOwnPosition(mark.Pos)
	return nil
}

// Members implements exchange.Catalogue.
func (n *Node) Members() []exchange.MemberState {
	connected := make(map[protocol.MemberID]bool)
	for _, m := range n.net.Connected() {
		connected[m] = true
	}
	roster, now := n.roster.Load(), protocol.InstantOf(n.cfg.Now())
	var all []exchange.MemberState
	for _, m := range roster.Charter().Members {
		all = append(all, n.memberState(roster, m, connected[m.ID], now))
	}
	exchange.SortMembers(all)
	return all
}

// MemberState is one of Members.
func (n *Node) MemberState(id protocol.MemberID) (s exchange.MemberState, known bool) {
	roster := n.roster.Load()
	m, known := roster.Member(id)
	if !known {
		return s, false
	}
	return n.memberState(roster, m, slices.Contains(n.net.Connected(), id), protocol.InstantOf(n.cfg.Now())), true
}

func (n *Node) memberState(roster *protocol.Roster, m protocol.Member, connected bool, now protocol.Instant) exchange.MemberState {
	s := exchange.MemberState{ID: m.ID, Name: m.Name, Country: m.Country, Role: m.Role.String(), Self: m.ID == n.cfg.Member, Connected: connected}
	if card := roster.Card(m.ID); card != nil {
		s.URL = card.URL
	}
	n.describe(&s, m.Quota.MaxRecords(), now)
	return s
}

func (n *Node) describe(s *exchange.MemberState, quota uint64, now protocol.Instant) {
	n.mu.Lock()
	c, h, proof := n.copies[s.ID], n.heads[s.ID], n.proofs[s.ID]
	s.Claimed, s.Damage = n.signed[s.ID], n.damage[s.ID]
	if g := n.staging[s.ID]; g != nil {
		s.Staging = &exchange.Staging{Drawn: g.drawn, Mends: g.mend}
	}
	n.mu.Unlock()
	n.own.mu.Lock()
	s.Acknowledged = n.own.acks[s.ID]
	n.own.mu.Unlock()
	n.follow.mu.Lock()
	s.Listings, s.Unusable = n.follow.live[s.ID], n.follow.bad[s.ID]
	n.follow.mu.Unlock()

	s.Position, s.Records, s.LeaseUntil = c.Proven, c.Count, h.lease()
	if !c.CatchingUp {
		s.Digest = c.Digest
	}
	if h.head != nil {
		s.LastHeard = min(h.head.IssuedAt, h.at)
	}
	if c.Proven.Compare(s.Claimed) > 0 {
		s.Claimed = c.Proven
	}
	s.Lag = lag(s.Claimed, c.Proven)
	s.Proven = !c.CatchingUp && (s.Self || h.head != nil || c.Proven.Seq > 0)
	switch {
	case s.Self:
		s.State = exchange.Own
	case c.Disputed && !proof:
		s.State, s.Why = exchange.Disputed, fmt.Sprintf("%s has closed the record key that signed what is held here up to %s: it may have been stolen. The copy is frozen until %s says from where its catalogue goes on.", s.Name, c.Proven, s.Name)
	case c.Disputed:
		s.State, s.Why = exchange.Disputed, fmt.Sprintf("%s signed two different histories; what is shown is as of %s, before they part. Tell its operator: most often two copies of one node run, or an old backup was put back.", s.Name, c.Proven)
	case h.head == nil && c.Proven.Seq == 0:
		s.State, s.Why = exchange.Unheard, "Nothing was received from this member yet."
	case h.head == nil:
		s.State, s.Why = exchange.Stale, "No statement of this member was received yet that vouches for its listings."
	case s.LeaseUntil < now:
		s.State, s.Why = exchange.Stale, fmt.Sprintf("Not heard since %s; its listings may have changed.", s.LastHeard.Time().Format(time.DateTime+" UTC"))
	case s.Claimed.Compare(c.Proven) > 0 && c.Count >= quota:
		s.State, s.Why = exchange.CatchingUp, fmt.Sprintf("Its quota of %d records is used up; what it signed after %s is not taken until the charter grants more.", quota, c.Proven)
	case c.CatchingUp || s.Claimed.Compare(c.Proven) > 0:
		s.State, s.Why = exchange.CatchingUp, fmt.Sprintf("Changes up to %s are known of; proven here is %s.", s.Claimed, c.Proven)
	default:
		s.State = exchange.Proven
	}
}

// lag is how many changes lie between two positions. Seq goes on rising from epoch to epoch.
func lag(signed, proven protocol.Position) uint64 {
	if signed.Compare(proven) <= 0 {
		return 0
	}
	return max(signed.Seq, proven.Seq+1) - proven.Seq
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }
