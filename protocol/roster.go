package protocol

import (
	"maps"
	"slices"
)

// Roster is who is in and with which keys: the charter in force with the newest card of every member. It is immutable
// and safe for concurrent use; With… return a changed copy.
type Roster struct {
	charter *SignedCharter
	past    map[uint64]*SignedCharter // by version, the one in force included
	cards   map[MemberID]*SignedCard
}

// NewRoster begins with a charter whose chain the caller has verified (Follows).
func NewRoster(c *SignedCharter) *Roster {
	return &Roster{charter: c, past: map[uint64]*SignedCharter{c.Version: c}}
}

// Charter in force.
func (r *Roster) Charter() *SignedCharter { return r.charter }

// Federation id.
func (r *Roster) Federation() Hash { return r.charter.FederationID() }

// Member by id, under the charter in force.
func (r *Roster) Member(id MemberID) (Member, bool) { return r.charter.Member(id) }

// Card of a member, nil where none is known.
func (r *Roster) Card(id MemberID) *SignedCard { return r.cards[id] }

// Cards in the order of members.
func (r *Roster) Cards() []*SignedCard {
	var all []*SignedCard
	for _, id := range slices.Sorted(maps.Keys(r.cards)) {
		all = append(all, r.cards[id])
	}
	return all
}

// WithCharter adopts the charter that follows the one in force. Cards of members who left are dropped.
func (r *Roster) WithCharter(c *SignedCharter) (*Roster, error) {
	if err := c.Follows(r.charter); err != nil {
		return nil, err
	}
	n := &Roster{charter: c, past: maps.Clone(r.past), cards: make(map[MemberID]*SignedCard)}
	n.past[c.Version] = c
	for id, card := range r.cards {
		if card.Verify(c) == nil {
			n.cards[id] = card
		}
	}
	return n, nil
}

// Rival reports whether c is another valid charter of a version that this roster went through: signed by as many members,
// and in the place of the one known.
func (r *Roster) Rival(c *SignedCharter) bool {
	known := r.past[c.Version]
	return known != nil && known.Hash != c.Hash && c.Version > 1 && c.Follows(r.past[c.Version-1]) == nil
}

// WithCard takes a member's card if it is newer than the one held. A card that is older is refused as CodeVersion.
func (r *Roster) WithCard(c *SignedCard) (*Roster, error) {
	if err := c.Verify(r.charter); err != nil {
		return nil, err
	}
	if have := r.cards[c.Member]; have != nil && c.Version <= have.Version {
		return nil, Errorf(CodeVersion, "card.version", "%d of %s is not newer than %d", c.Version, c.Member, have.Version)
	}
	for _, other := range r.cards {
		for _, p := range other.Peers {
			if other.Member != c.Member && slices.ContainsFunc(c.Peers, func(q Peer) bool { return q.ID == p.ID }) {
				return nil, Errorf(CodeConflict, "card.peers", "peer %s is on the card of %s already", p.ID, other.Member)
			}
		}
	}
	n := &Roster{charter: r.charter, past: r.past, cards: maps.Clone(r.cards)}
	if n.cards == nil {
		n.cards = make(map[MemberID]*SignedCard)
	}
	n.cards[c.Member] = c
	return n, nil
}

// VerifyHeader checks federation, origin, key and signature of a change's header: all that can be said of it without
// knowing its place among the others.
func (r *Roster) VerifyHeader(h *SignedHeader) error {
	key, err := r.signer("header", h.Federation, h.Origin, h.CharterVersion, h.Key, h.Pos)
	if err != nil {
		return err
	}
	if !key.Key.verify(domainChange, h.raw, h.sig) {
		return Errorf(CodeSignature, "change.signature", "was not made by the record key of %s", h.Origin)
	}
	if h.Pos == key.To && h.Raw != key.Seal {
		return Errorf(CodeFork, "header.seq", "%s sealed %s with another header", h.Origin, h.Pos)
	}
	return nil
}

// VerifyHead checks a head statement in the same way.
func (r *Roster) VerifyHead(h *SignedHead) error {
	pos := h.Pos
	pos.Seq = max(pos.Seq, 1)
	key, err := r.signer("head", h.Federation, h.Origin, h.CharterVersion, h.Key, pos)
	if CodeOf(err) == CodeKey {
		key, err = r.nextKey(h, err)
	}
	if err != nil {
		return err
	}
	if !key.Key.verify(domainHead, h.raw, h.sig) {
		return Errorf(CodeSignature, "head.signature", "was not made by the record key of %s", h.Origin)
	}
	if h.Pos == key.To && h.Header != key.Seal {
		return Errorf(CodeFork, "head.seq", "%s sealed %s with another header", h.Origin, h.Pos)
	}
	return nil
}

// nextKey is the record key that follows on the one that was sealed with this head: nothing was published with it yet, but
// it vouches for what is there.
func (r *Roster) nextKey(h *SignedHead, otherwise error) (RecordKeyRange, error) {
	keys := r.cards[h.Origin].Keys
	for i, k := range keys[:len(keys)-1] {
		if k.To == h.Pos && k.Seal == h.Header && keys[i+1].Key.ID() == h.Key {
			return keys[i+1], nil
		}
	}
	return RecordKeyRange{}, otherwise
}

// SignedOnce reports whether a record key that the origin's card names, in force at this position or not, made the
// signature: what a stolen key signed is told from what anybody invented.
func (r *Roster) SignedOnce(h *SignedHeader) bool {
	card := r.cards[h.Origin]
	return card != nil && h.Federation == r.Federation() && slices.ContainsFunc(card.Keys, func(k RecordKeyRange) bool {
		return k.Key.ID() == h.Key && k.Key.verify(domainChange, h.raw, h.sig)
	})
}

func (r *Roster) signer(name string, federation Hash, origin MemberID, charter uint64, id KeyID, pos Position) (RecordKeyRange, error) {
	if federation != r.Federation() {
		return RecordKeyRange{}, Errorf(CodeFederation, name+".federation", "is another federation's")
	}
	if charter > r.charter.Version {
		return RecordKeyRange{}, Errorf(CodeCharter, name+".charter_version", "charter %d is not known here yet", charter)
	}
	if _, ok := r.charter.Member(origin); !ok {
		return RecordKeyRange{}, Errorf(CodeOrigin, name+".origin", "%s is no member under charter %d", origin, r.charter.Version)
	}
	card := r.cards[origin]
	if card == nil {
		return RecordKeyRange{}, Errorf(CodeCharter, name+".key", "no member card of %s is known here yet", origin)
	}
	key, ok := card.keyAt(pos)
	if !ok || key.Key.ID() != id {
		return RecordKeyRange{}, Errorf(CodeKey, name+".key", "key %s of %s may not sign at %s", id, origin, pos)
	}
	return key, nil
}
