package node

import (
	"context"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
)

// How the federation stands is written down once a day, so that its pages can show how it came about.

const (
	settling     = 10 * time.Minute // after a start the first record waits so long at most for copies that are catching up
	still        = 5                // looks, a second apart, between which nothing is published or drawn
	historyEvery = time.Minute      // how often it is looked whether a new day began
)

// historyLoop records a day as soon as the node knows how it stands.
func (n *Node) historyLoop(ctx context.Context) {
	began := time.Now()
	var last protocol.Date
	total, calm := 0, 0
	for wait := time.Second; sleep(ctx, wait); {
		today := protocol.DateOf(n.cfg.Now())
		if today == last {
			continue
		}
		members := n.Members()
		if calm++; n.counts.Total() != total || !n.settled(members) {
			total, calm = n.counts.Total(), 0
		}
		if calm < still && time.Since(began) < settling {
			continue
		}
		wait = historyEvery
		if err := n.record(today, members); err == nil {
			last = today
		} else if protocol.CodeOf(err) != protocol.CodeReadOnly {
			n.log.Warn("how the federation stands was not recorded", "day", today, "error", err)
		}
	}
}

// settled reports whether the counters have everything that is held, and what is held is all that is known of.
func (n *Node) settled(members []exchange.MemberState) bool {
	for _, m := range members {
		if m.State == exchange.CatchingUp || m.Connected && m.State == exchange.Unheard {
			return false
		}
	}
	return n.follow.indexing() == 0 && n.counts.Total() > 0
}

// record a day that was not recorded yet.
func (n *Node) record(day protocol.Date, members []exchange.MemberState) error {
	if is, err := n.history.Recorded(day); is || err != nil {
		return err
	}
	d := stats.Day{Day: day, Members: map[protocol.MemberID]stats.MemberDay{}}
	for _, m := range members {
		if m.State != exchange.Unheard {
			d.Members[m.ID] = stats.MemberDay{Kinds: map[string]int{}, Lag: m.Lag, Heard: m.Self || m.LeaseUntil.Time().After(n.cfg.Now())}
		}
	}
	for _, cell := range n.counts.Report(day).Matrix {
		if m, ok := d.Members[protocol.MemberID(cell.Member)]; ok {
			m.Kinds[cell.Kind] = cell.Count
		}
	}
	return n.history.Record(d)
}

// History is how the federation stood on the days up to today, at most so many.
func (n *Node) History(most int) ([]stats.Day, error) {
	return n.history.Days(protocol.DateOf(n.cfg.Now()), most)
}

// development reports whether a build is nobody's release: it shows pages for those who work on it.
func development(version string) bool {
	return version == "" || version == "unversioned" || strings.HasPrefix(version, "development") || strings.HasSuffix(version, "-dirty")
}
