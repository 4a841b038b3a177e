package node

import (
	"fmt"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/stats"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Record implements exchange.Catalogue.
func (n *Node) Record(ref match.Ref) (c *protocol.Change, err error) {
	if !n.isMember(ref.Origin) {
		return nil, nil
	}
	err = n.store.View(func(tx *store.Tx) error {
		c, err = tx.Record(ref.Origin, ref.ID.Key())
		return err
	})
	return c, err
}

// Scan implements exchange.Catalogue.
func (n *Node) Scan(from match.Ref, f func(*protocol.Change) bool) error {
	return n.store.View(func(tx *store.Tx) error {
		for _, m := range n.roster.Load().Charter().Members {
			start := protocol.RecordKey(protocol.ListingPrefix)
			switch {
			case m.ID < from.Origin:
				continue
			case m.ID == from.Origin:
				start = from.ID.Key()
			}
			more := true
			if err := tx.Records(m.ID, start, func(c *protocol.Change) (bool, error) {
				if _, ok := refOf(c); ok {
					more = f(c)
				}
				return more, nil
			}); err != nil || !more {
				return err
			}
		}
		return nil
	})
}

// Figures implements exchange.Catalogue.
func (n *Node) Figures() stats.Report { return n.counts.Report(protocol.DateOf(n.cfg.Now())) }

// Health implements exchange.Catalogue.
func (n *Node) Health() exchange.Health {
	space := n.store.Space()
	roster := n.roster.Load()
	h := exchange.Health{
		Member: n.cfg.Member, Version: n.cfg.Version, Faults: []string{}, Warnings: []string{},
		Peers: len(n.net.Connected()), Members: len(roster.Charter().Members),
		Indexing: n.follow.indexing(), FreeDisk: space.Free,
	}
	h.Ready, h.Writable = h.Indexing == 0, true
	if space.ReadOnly {
		h.Writable = false
		h.Faults = append(h.Faults, fmt.Sprintf("The disk is nearly full: %d MiB free, %d MiB wanted. Queries are answered, but no change is taken until there is room.", space.Free>>20, space.MinFree>>20))
	}
	if why := n.blocked.Load(); why != nil {
		h.Writable = false
		h.Faults = append(h.Faults, *why)
	}
	if n.cfg.Alone {
		heard, _ := n.heardOwn()
		h.Warnings = append(h.Warnings, fmt.Sprintf("Started with --alone: this node signs though only %d of the %d other members said what they hold of its catalogue. Start it without --alone as soon as over half of them can be reached.", len(heard), h.Members-1))
	}
	if who := n.whoShowsClosed(); len(who) > 0 {
		h.Warnings = append(h.Warnings, fmt.Sprintf("Changes of this catalogue that were signed with a closed record key are shown by %v. Whoever believed them holds a frozen copy: tmh epoch open --reason key ends that.", who))
	}
	if c := n.rival(); c != nil {
		h.Warnings = append(h.Warnings, fmt.Sprintf("There are two valid charters %d. No further charter is adopted: the members must agree which one holds.", c.Version))
	}
	if h.Peers == 0 && h.Members > 1 {
		h.Faults = append(h.Faults, "No other member is connected. Check the network, the firewall, and the addresses on the members' cards (tmh card show).")
	}
	return h
}

// Waiting is how many listings wait to be indexed, those that are being indexed and those of the scan at start included.
func (n *Node) Waiting() int { return max(n.follow.waiting(), int(n.follow.left.Load())) }
