package p2p

import (
	"log/slog"
	"slices"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/asean-tmh/tmh/protocol"
)

// view is a roster as libp2p needs it. It is immutable and replaced whole.
type view struct {
	roster  *protocol.Roster
	members map[peer.ID]protocol.MemberID
	addrs   map[peer.ID][]ma.Multiaddr
}

// newView reads the cards of r. What is malformed in a card is left out and logged: a card is its member's own work, and
// a fault in it must not stop the others. A peer id counts in its base58 form alone: protocol sees to it that no two members
// name the same, and compares the texts.
func newView(r *protocol.Roster, log *slog.Logger) *view {
	v := &view{roster: r}
	v.members, v.addrs = readCards(r.Cards(), log)
	return v
}

func readCards(cards []*protocol.SignedCard, log *slog.Logger) (members map[peer.ID]protocol.MemberID, addrs map[peer.ID][]ma.Multiaddr) {
	members, addrs = make(map[peer.ID]protocol.MemberID), make(map[peer.ID][]ma.Multiaddr)
	for _, card := range cards {
		log := log.With("member", card.Member, "card", card.Version)
		for _, p := range card.Peers {
			id, err := peer.Decode(p.ID)
			if err != nil || id.String() != p.ID {
				log.Warn("card names a malformed peer id", "peer", p.ID, "error", err)
				continue
			}
			members[id] = card.Member
			addrs[id] = cardAddresses(p, log)
		}
	}
	return members, addrs
}

func cardAddresses(p protocol.Peer, log *slog.Logger) []ma.Multiaddr {
	var out []ma.Multiaddr
	for _, s := range p.Addresses {
		if err := CheckAddress(s); err != nil {
			log.Warn("card names an address that cannot be used", "peer", p.ID, "error", err)
			continue
		}
		out = append(out, ma.StringCast(s))
	}
	return out
}

func (v *view) has(p peer.ID) bool {
	_, ok := v.members[p]
	return ok
}

// SetRoster takes over a new charter or new cards. Peers that are no longer a current member's are disconnected before
// it returns and refused from then on; the new ones are dialled if Run is running.
func (n *Net) SetRoster(r *protocol.Roster) {
	n.setting.Lock()
	defer n.setting.Unlock()
	before := n.view.Load()
	now := newView(r, n.log)
	n.view.Store(now) // first, so that the gater refuses a peer before it is disconnected
	for p, m := range before.members {
		if p != n.host.ID() && now.members[p] != m {
			n.evict(p)
		}
	}
	member := func(m protocol.MemberID) bool { _, ok := r.Member(m); return ok }
	n.budgets.keep(member)
	n.faults.keep(member)
	n.learn(before)
	select {
	case n.rosterChanged <- struct{}{}:
	default:
	}
}

// learn takes over the addresses that are not those of the view before.
func (n *Net) learn(before *view) {
	now, book := n.view.Load(), n.host.Peerstore()
	for p, addrs := range now.addrs {
		if p == n.host.ID() || before.members[p] == now.members[p] && slices.EqualFunc(before.addrs[p], addrs, ma.Multiaddr.Equal) {
			continue
		}
		book.ClearAddrs(p)
		book.AddAddrs(p, addrs, peerstore.PermanentAddrTTL)
	}
}

// evict enforces on what is connected already what the gater enforces on new connections.
func (n *Net) evict(p peer.ID) {
	n.host.Peerstore().ClearAddrs(p)
	if err := n.host.Network().ClosePeer(p); err != nil {
		n.log.Warn("cannot close a connection", "peer", p, "error", err)
	}
}

// gater admits peers of current members, as connections, as gossip partners and as users of the relay.
type gater struct{ n *Net }

// InterceptPeerDial refuses to dial a stranger.
func (g gater) InterceptPeerDial(p peer.ID) bool { return g.n.view.Load().has(p) }

// InterceptAddrDial leaves addresses to the cards.
func (g gater) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

// InterceptAccept knows no identity yet.
func (g gater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured is the first to know who the other side is.
func (g gater) InterceptSecured(_ network.Direction, p peer.ID, a network.ConnMultiaddrs) bool {
	if g.n.view.Load().has(p) {
		return true
	}
	g.n.metrics.refused.Inc()
	g.n.log.Debug("refused a peer that no member's card names", "peer", p, "address", a.RemoteMultiaddr())
	return false
}

// InterceptUpgraded has nothing to add.
func (g gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

// AllowReserve and AllowConnect are the relay's.
func (g gater) AllowReserve(p peer.ID, _ ma.Multiaddr) bool { return g.n.view.Load().has(p) }

// AllowConnect wants members at both ends.
func (g gater) AllowConnect(src peer.ID, _ ma.Multiaddr, dst peer.ID) bool {
	v := g.n.view.Load()
	return v.has(src) && v.has(dst)
}

// Add and Contains are gossipsub's blacklist, whose own one has no way back for a member that returns.
func (g gater) Add(peer.ID) bool { return false }

// Contains everybody who is no member. It is also asked for the author of a message, which ours do not name.
func (g gater) Contains(p peer.ID) bool {
	return p != "" && p != g.n.host.ID() && !g.n.view.Load().has(p)
}
