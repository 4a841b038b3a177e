package store

import (
	"encoding/binary"

	"github.com/asean-tmh/tmh/protocol"
)

// Charters lists the chain of charters from version 1 on.
func (t *Tx) Charters() (chain []*protocol.SignedCharter, err error) {
	err = t.scan([]byte{keyCharter}, []byte{keyCharter}, func(key, v []byte) (bool, error) {
		c, err := protocol.DecodeCharter(append([]byte(nil), v...))
		if err != nil || c.Version != binary.BigEndian.Uint64(key[1:]) {
			return false, damaged("charter", err)
		}
		chain = append(chain, c)
		return true, nil
	})
	return chain, err
}

// AddCharter stores a charter that the caller has verified.
func (t *Tx) AddCharter(c *protocol.SignedCharter) error {
	return t.set(charterKey(c.Version), c.Bytes())
}

// AddRival keeps a second valid charter of a version.
func (t *Tx) AddRival(c *protocol.SignedCharter) error {
	return t.set(append(binary.BigEndian.AppendUint64([]byte{keyRival}, c.Version), c.Hash[:]...), c.Bytes())
}

// Rivals lists second valid charters.
func (t *Tx) Rivals() (all []*protocol.SignedCharter, err error) {
	err = t.scan([]byte{keyRival}, []byte{keyRival}, func(_, v []byte) (bool, error) {
		c, err := protocol.DecodeCharter(append([]byte(nil), v...))
		if err != nil {
			return false, damaged("charter", err)
		}
		all = append(all, c)
		return true, nil
	})
	return all, err
}

// Cards lists the newest card of every member.
func (t *Tx) Cards() (cards []*protocol.SignedCard, err error) {
	err = t.scan([]byte{keyCard}, []byte{keyCard}, func(_, v []byte) (bool, error) {
		c, err := protocol.DecodeCard(append([]byte(nil), v...))
		if err != nil {
			return false, damaged("card", err)
		}
		cards = append(cards, c)
		return true, nil
	})
	return cards, err
}

// SetCard stores a card that the caller has verified and found newer.
func (t *Tx) SetCard(c *protocol.SignedCard) error {
	return t.set(named(keyCard, string(c.Member)), c.Bytes())
}

// Full is the full record behind a summary of this node's own, nil where there is none.
func (t *Tx) Full(key protocol.RecordKey) ([]byte, error) { return t.get(named(keyFull, string(key))) }

// SetFull stores the full record; nil deletes it.
func (t *Tx) SetFull(key protocol.RecordKey, b []byte) error {
	if b == nil {
		return t.delete(named(keyFull, string(key)))
	}
	return t.set(named(keyFull, string(key)), b)
}

// Roster builds who is in from the stored papers, verifying every step. It is nil in a store without a charter.
func (t *Tx) Roster() (*protocol.Roster, error) {
	chain, err := t.Charters()
	if err != nil || len(chain) == 0 {
		return nil, err
	}
	if err := chain[0].Follows(nil); err != nil {
		return nil, err
	}
	r := protocol.NewRoster(chain[0])
	for _, c := range chain[1:] {
		if r, err = r.WithCharter(c); err != nil {
			return nil, err
		}
	}
	cards, err := t.Cards()
	if err != nil {
		return nil, err
	}
	for _, c := range cards {
		if next, err := r.WithCard(c); err == nil {
			r = next
		}
	}
	return r, nil
}
