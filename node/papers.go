package node

import (
	"context"

	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// loadPapers builds the roster from the store and the papers given, and checks that this node is who its keys say.
func (n *Node) loadPapers() error {
	var roster *protocol.Roster
	err := n.store.View(func(tx *store.Tx) (err error) {
		roster, err = tx.Roster()
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

func (n *Node) checkSelf(roster *protocol.Roster) error {
	if _, ok := roster.Member(n.cfg.Member); !ok {
		return protocol.Errorf(protocol.CodeOrigin, "member", "%s is no member under charter %d: ask the members to amend the charter, or mend the member id in the configuration", n.cfg.Member, roster.Charter().Version)
	}
	card := roster.Card(n.cfg.Member)
	if card == nil {
		return protocol.Errorf(protocol.CodeCharter, "card", "no member card of %s is known: run tmh card new, and give the card to the other members", n.cfg.Member)
	}
	if last := card.Keys[len(card.Keys)-1]; last.Key != n.cfg.Record.Public() {
		return protocol.Errorf(protocol.CodeKey, "card", "card %d names another record key than this node holds: run tmh card new", card.Version)
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
	var charters []*protocol.SignedCharter
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
	if len(charters)+len(cards) == 0 {
		return r, nil
	}
	return r, n.store.Update(func(tx *store.Tx) error {
		for _, c := range charters {
			if err := tx.AddCharter(c); err != nil {
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
		return err
	})
	if err != nil {
		n.log.Error("charters not read", "error", err)
	}
	return p
}

// fetchPapers asks a member for charters above the one in force and for cards.
func (n *Node) fetchPapers(ctx context.Context, m protocol.MemberID) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	p, err := n.net.FetchPapers(ctx, m, n.roster.Load().Charter().Version+1)
	if err == nil {
		err = n.Adopt(p)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Info("papers of a member not taken", "member", m, "error", err)
	}
}
