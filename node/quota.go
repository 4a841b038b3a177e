package node

import (
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// A day of an origin's changes, as this node's clock saw it begin.
type day struct {
	since   time.Time
	from    uint64 // seq
	joining bool   // nothing was held of it before: the first day has no bound
}

// beginDay counts from what the origin said of itself before this node stopped, or from now on where nothing is held.
func beginDay(c *replica.Copy, h *protocol.SignedHead, now time.Time) day {
	switch {
	case c.Proven.Seq == 0:
		return day{since: now, joining: true}
	case h == nil:
		return day{since: now, from: c.Proven.Seq}
	}
	since := h.IssuedAt.Time()
	if since.After(now) {
		since = now
	}
	return day{since: since, from: max(c.Proven.Seq, h.Pos.Seq)}
}

const aDay = 24 * time.Hour

// withinQuota refuses what an origin signed beyond what the charter grants its member: more records than may be held, or
// more changes a day. The copy stops before it. Changes count twice the quota, since days begin at another moment
// everywhere; what was signed while the origin could not be heard counts for the days that passed.
func (n *Node) withinQuota(h *protocol.SignedHeader) error {
	m, ok := n.roster.Load().Member(h.Origin)
	if !ok {
		return nil
	}
	if most := m.Quota.MaxRecords(); h.Count > most {
		return protocol.Errorf(protocol.CodeQuota, "header.count", "%s would hold %d records, and the charter grants it %d", h.Origin, h.Count, most)
	}
	if most := m.Quota.ChangesPerDay; most > 0 && !n.spend(h.Origin, h.Pos.Seq, 2*most) {
		return protocol.Errorf(protocol.CodeQuota, "header.seq", "%s signed more than the %d changes a day that the charter grants it", h.Origin, most)
	}
	return nil
}

// spend reports whether an origin may go on to seq with so many changes a day.
func (n *Node) spend(origin protocol.MemberID, seq, most uint64) bool {
	now := n.cfg.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	d, ok := n.days[origin]
	if !ok { // it joined while this node ran: how much it did before nobody can tell
		d = day{since: now, joining: true}
		n.days[origin] = d
	}
	if d.joining {
		if now.Sub(d.since) >= aDay {
			n.days[origin] = day{since: now, from: seq}
		}
		return true
	}
	passed := uint64(max(now.Sub(d.since), 0) / aDay)
	if seq > d.from && seq-d.from > most*(passed+1) {
		return false
	}
	if passed > 0 {
		n.days[origin] = day{since: now, from: max(seq, d.from)}
	}
	return true
}
