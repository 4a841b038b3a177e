package node

import (
	"context"

	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// loadPapers builds the roster from the store and the papers given, and checks that this node is who its keys say.
func (n *Node) loadPapers() error {
	var roster *protocol.Roster
	err := n.store.View(func(tx *store.Tx) (err error) {
		if roster, err = tx.Roster(); err != nil {
			return err
		}
		rivals, err := tx.Rivals()
		if len(rivals) > 0 {
			n.rivals.Store(rivals[0])
		}
		return err
	})
	if err != nil {
		return err
	}
	if n.cfg.Papers != nil {
		if roster, err = n.adopt(roster, n.cfg.Papers); err != nil {
			return err
		}
	}
	if roster == nil {
		return protocol.Errorf(protocol.CodeCharter, "", "no charter is known: run tmh charter import FILE with the charter that the members signed")
	}
	n.roster.Store(roster)
	return n.checkSelf(roster)
}

// rival is a second valid charter of a version that is in force or was, nil where there is none. Half of the members may
// follow the one and half the other, so nothing is amended before people have cleared it up.
func (n *Node) rival() *protocol.SignedCharter { return n.rivals.Load() }

func (n *Node) checkSelf(roster *protocol.Roster) error {
	if _, ok := roster.Member(n.cfg.Member); !ok {
		return protocol.Errorf(protocol.CodeOrigin, "member", "%s is no member under charter %d: ask the members to amend the charter, or mend the member id in the configuration", n.cfg.Member, roster.Charter().Version)
	}
	card := roster.Card(n.cfg.Member)
	if card == nil {
		return protocol.Errorf(protocol.CodeCharter, "card", "no member card of %s is known: run tmh card new, and give the card to the other members", n.cfg.Member)
	}
	if last := card.Keys[len(card.Keys)-1]; last.Key != n.cfg.Record.Public() {
		return protocol.Errorf(protocol.CodeKey, "card", "card %d names another record key than this node holds: set record_key in the configuration to the key that the card names, or change keys with tmh card new --seal", card.Version)
	}
	peerID := p2p.PeerIDOf(publicOf(n.cfg.Transport))
	for _, p := range card.Peers {
		if p.ID == peerID {
			return nil
		}
	}
	return protocol.Errorf(protocol.CodeKey, "card", "card %d does not name this node's transport key (peer %s): run tmh card new", card.Version, peerID)
}

// adopt takes over what is valid and newer of p, stores it, and returns the roster that follows. A charter that does not
// follow is an error; a card that does not verify is passed over, since it may belong to a charter still to come.
func (n *Node) adopt(r *protocol.Roster, p *protocol.Papers) (*protocol.Roster, error) {
	var charters, rivals []*protocol.SignedCharter
	var cards []*protocol.SignedCard
	for _, c := range p.Charters {
		switch {
		case r == nil:
			if err := c.Follows(nil); err != nil {
				return nil, err
			}
			r = protocol.NewRoster(c)
		case c.FederationID() != r.Federation():
			return nil, protocol.Errorf(protocol.CodeFederation, "charter.federation", "charter %d of %q is another federation's: this node belongs to %q", c.Version, c.Name, r.Charter().Name)
		case c.Version <= r.Charter().Version:
			if known := n.rival(); r.Rival(c) && (known == nil || known.Hash != c.Hash) {
				rivals = append(rivals, c)
			}
			continue
		case n.rival() != nil:
			n.log.Warn("charter not adopted: two of an earlier version are valid, and the members must agree which one holds", "version", c.Version, "rivals", n.rival().Version)
			continue
		default:
			next, err := r.WithCharter(c)
			if err != nil {
				return nil, err
			}
			r = next
		}
		charters = append(charters, c)
	}
	if r == nil {
		return nil, nil
	}
	for _, c := range p.Cards {
		next, err := r.WithCard(c)
		if err != nil {
			if protocol.CodeOf(err) != protocol.CodeVersion {
				n.log.Warn("card passed over", "member", c.Member, "version", c.Version, "error", err)
			}
			continue
		}
		r = next
		cards = append(cards, c)
	}
	for _, c := range rivals {
		if n.rivals.CompareAndSwap(nil, c) {
			n.log.Error("two valid charters of one version: amendments are stopped", "version", c.Version, "other", c.Hash.Short())
		}
	}
	if len(charters)+len(cards)+len(rivals) == 0 {
		return r, nil
	}
	return r, n.store.Update(func(tx *store.Tx) error {
		for _, c := range charters {
			if err := tx.AddCharter(c); err != nil {
				return err
			}
		}
		for _, c := range rivals {
			if err := tx.AddRival(c); err != nil {
				return err
			}
		}
		for _, c := range cards {
			if err := tx.SetCard(c); err != nil {
				return err
			}
		}
		return nil
	})
}

// Adopt takes charters and cards while the node runs.
func (n *Node) Adopt(p *protocol.Papers) error {
	n.papers.Lock()
	defer n.papers.Unlock()
	before := n.roster.Load()
	after, err := n.adopt(before, p)
	if err != nil || after == before {
		return err
	}
	added, removed := changed(before, after)
	if err := n.welcome(added); err != nil {
		return err
	}
	n.roster.Store(after)
	if err := n.reindex(added); err != nil { // now that they are members: the index takes in nobody else's listings
		return err
	}
	n.net.SetRoster(after)
	for _, card := range after.Cards() {
		if have := before.Card(card.Member); have == nil || have.Version < card.Version {
			n.recheck(card.Member)
		}
	}
	n.spawnPullers()
	if err := n.dismiss(removed); err != nil {
		n.log.Error("catalogue of a member that left not taken out of the index; restart the node", "error", err)
	}
	n.log.Info("papers adopted", "charter", after.Charter().Version, "cards", len(after.Cards()))
	return nil
}

// changed lists who is a member under b only, and who under a only.
func changed(a, b *protocol.Roster) (added, removed []protocol.MemberID) {
	for _, m := range b.Charter().Members {
		if _, ok := a.Member(m.ID); !ok {
			added = append(added, m.ID)
		}
	}
	for _, m := range a.Charter().Members {
		if _, ok := b.Member(m.ID); !ok {
			removed = append(removed, m.ID)
		}
	}
	return added, removed
}

// welcome shows and counts what the store still holds of members who come back. Nothing of theirs is admitted before it
// returns.
func (n *Node) welcome(members []protocol.MemberID) error {
	return n.store.View(func(tx *store.Tx) error {
		for _, m := range members {
			c, err := loadCopy(tx.Origin(m), m)
			if err != nil {
				return err
			}
			if err := tx.Records(m, "", func(ch *protocol.Change) (bool, error) {
				n.follow.count(store.Replacement{New: ch})
				return true, nil
			}); err != nil {
				return err
			}
			n.showCopy(m, c)
		}
		return nil
	})
}

// reindex orders everything of these members to be indexed.
func (n *Node) reindex(members []protocol.MemberID) error {
	return n.store.View(func(tx *store.Tx) error {
		for _, m := range members {
			if err := tx.Records(m, "", func(ch *protocol.Change) (bool, error) {
				if ref, ok := refOf(ch); ok {
					n.follow.mark(ref, false)
				}
				return true, nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// dismiss takes the catalogues of members who left out of counters and index. The store keeps them as they are.
func (n *Node) dismiss(members []protocol.MemberID) error {
	return n.store.View(func(tx *store.Tx) error {
		for _, m := range members {
			n.mu.Lock()
			delete(n.claims, m)
			delete(n.early, m)
			delete(n.copies, m)
			delete(n.heads, m)
			delete(n.signed, m)
			if k := n.kicks[m]; k != nil {
				n.kick(m) // its puller sees that it is to end
			}
			n.mu.Unlock()
			if err := tx.Records(m, "", func(ch *protocol.Change) (bool, error) {
				n.follow.replaced(store.Replacement{Old: ch})
				return true, nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Papers implements p2p.Handler and serves /.well-known/tmh/charter.
func (h *handler) Papers(from uint64) *protocol.Papers { return (*Node)(h).papersFrom(from) }

func (n *Node) papersFrom(from uint64) *protocol.Papers {
	p := &protocol.Papers{Cards: n.roster.Load().Cards()}
	err := n.store.View(func(tx *store.Tx) error {
		chain, err := tx.Charters()
		for _, c := range chain {
			if c.Version >= from {
				p.Charters = append(p.Charters, c)
			}
		}
		if err != nil {
			return err
		}
		rivals, err := tx.Rivals()
		p.Charters = append(p.Charters, rivals...)
		return err
	})
	if err != nil {
		n.log.Error("charters not read", "error", err)
	}
	return p
}

// fetchPapers asks a member for cards and for charters from the one in force on: another one of that version stops
// amendments.
func (n *Node) fetchPapers(ctx context.Context, m protocol.MemberID) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	p, err := n.net.FetchPapers(ctx, m, n.roster.Load().Charter().Version)
	if err == nil {
		err = n.Adopt(p)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Info("papers of a member not taken", "member", m, "error", err)
	}
}

// recheck freezes the copy of an origin whose newest card does not let stand what is held: it closed a record key below. It
// was stolen, so a new epoch is to come.
func (n *Node) recheck(origin protocol.MemberID) {
	roster := n.roster.Load()
	n.mu.Lock()
	if h := n.heads[origin].head; h != nil && roster.VerifyHead(h) != nil { // so was its statement
		delete(n.heads, origin)
		n.signed[origin] = n.copies[origin].Proven
	}
	n.mu.Unlock()
	var c *replica.Copy
	err := n.store.Update(func(tx *store.Tx) error {
		set := tx.Origin(origin)
		held, err := loadCopy(set, origin)
		if err != nil || held.Disputed || held.Proven.Seq == 0 {
			return err
		}
		head, err := set.HeaderAt(held.Proven)
		if err != nil || head == nil {
			return err
		}
		switch protocol.CodeOf(roster.VerifyHeader(head)) {
		case protocol.CodeKey, protocol.CodeFork:
			held.Disputed = true
			c = held
			return set.SetFrontier(held.Encode())
		}
		return nil
	})
	switch {
	case err != nil:
		n.log.Warn("copy not compared with its origin's new card", "origin", origin, "error", err)
	case c != nil:
		n.log.Error("an origin's new card closes its record key below what is held; the copy is frozen until a new epoch", "origin", origin, "held", c.Proven.String())
		n.admitted(origin, nil, c)
		if origin == n.cfg.Member {
			n.reviewOwn()
		}
	}
}
