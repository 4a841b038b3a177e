// Package founding makes a whole federation at once: keys, charter 1 with everybody's signature, and member cards. That is
// for demonstrations, simulations and measurements. Real members each make their own keys, and pass files to each other
// (tmh init, tmh charter, tmh card).
package founding

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
)

// Seat is a member with all of its keys.
type Seat struct {
	Member     protocol.Member
	Governance *protocol.Signer
	Record     *protocol.Signer
	Transport  ed25519.PrivateKey
	Addresses  []string // multiaddrs
	URL        string
}

// Secretariat is the member id of the secretariat by custom.
const Secretariat protocol.MemberID = "SEC"

// ASEAN lists the eleven members and the secretariat as invented agencies, ascending by id.
func ASEAN() []protocol.Member {
	var all []protocol.Member
	for _, m := range [][2]string{
		{"BN", "Brunei Darussalam"}, {"ID", "Indonesia"}, {"KH", "Cambodia"}, {"LA", "Lao PDR"}, {"MM", "Myanmar"},
		{"MY", "Malaysia"}, {"PH", "the Philippines"}, {"SG", "Singapore"}, {"TH", "Thailand"}, {"TL", "Timor-Leste"}, {"VN", "Viet Nam"},
	} {
		all = append(all, protocol.Member{ID: protocol.MemberID(m[0]), Country: protocol.Country(m[0]), Name: "Demonstration agency of " + m[1], Role: protocol.RoleMember})
	}
	return append(all[:7:7], append([]protocol.Member{{ID: Secretariat, Name: "Demonstration secretariat", Role: protocol.RoleSecretariat}}, all[7:]...)...)
}

// Members is n members for measurements of any size: the first twelve are ASEAN's, the others are invented.
func Members(n int) []protocol.Member {
	all := ASEAN()
	for i := len(all); i < n; i++ {
		all = append(all, protocol.Member{ID: protocol.MemberID(fmt.Sprintf("X%03d", i)), Country: "XX", Name: fmt.Sprintf("Invented member %d", i), Role: protocol.RoleMember})
	}
	all = all[:n]
	slices.SortFunc(all, func(a, b protocol.Member) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

// NewSeat makes keys for a member. Where seed is not empty they follow from it, so that a simulation can be repeated.
func NewSeat(m protocol.Member, seed string) (Seat, error) {
	key := func(purpose string) (ed25519.PrivateKey, error) {
		if seed == "" {
			_, k, err := ed25519.GenerateKey(rand.Reader)
			return k, err
		}
		s := sha256.Sum256([]byte(seed + "/" + string(m.ID) + "/" + purpose))
		return ed25519.NewKeyFromSeed(s[:]), nil
	}
	var keys [3]ed25519.PrivateKey
	for i, purpose := range []string{"governance", "record", "transport"} {
		var err error
		if keys[i], err = key(purpose); err != nil {
			return Seat{}, fmt.Errorf("make the %s key of %s: %w", purpose, m.ID, err)
		}
	}
	s := Seat{Member: m, Governance: protocol.NewSigner(keys[0]), Record: protocol.NewSigner(keys[1]), Transport: keys[2]}
	s.Member.Governance = s.Governance.Public()
	return s, nil
}

// Found makes charter 1 of the seats, signed by all, and their cards.
func Found(name string, seats []Seat, now time.Time) (*protocol.Papers, error) {
	c := protocol.Charter{Version: 1, Name: name, IssuedAt: protocol.InstantOf(now)}
	for _, s := range seats {
		c.Members = append(c.Members, s.Member)
	}
	charter, err := protocol.NewCharter(c)
	if err != nil {
		return nil, err
	}
	for _, s := range seats {
		charter.Sign(s.Governance)
	}
	p := &protocol.Papers{Charters: []*protocol.SignedCharter{charter}}
	for _, s := range seats {
		card, err := Card(s, charter.FederationID(), 1, now)
		if err != nil {
			return nil, err
		}
		p.Cards = append(p.Cards, card)
	}
	return p, nil
}

// Card of a seat.
func Card(s Seat, federation protocol.Hash, version uint64, now time.Time) (*protocol.SignedCard, error) {
	return protocol.SignCard(s.Governance, protocol.Card{
		Federation: federation, Member: s.Member.ID, Version: version, URL: s.URL, IssuedAt: protocol.InstantOf(now),
		Peers: []protocol.Peer{{ID: p2p.PeerIDOf(s.Transport.Public().(ed25519.PublicKey)), Addresses: s.Addresses}},
		Keys:  []protocol.RecordKeyRange{{Key: s.Record.Public(), From: protocol.Position{Epoch: 1, Seq: 1}}},
	})
}
