package store

import (
	"bytes"
	"errors"
	"slices"

	badger "github.com/dgraph-io/badger/v4"

	"github.com/asean-tmh/tmh/protocol"
)

// A staged copy is built beside the one in force, under the other generation's prefixes, and takes its place in one
// transaction once it is proven: readers are never without a copy, and never see half of one.

// Staged is the copy of an origin that is being built, with a frontier of its own: nil where there is none.
func (t *Tx) Staged(origin protocol.MemberID) *Origin {
	return &Origin{tx: t, origin: origin, generation: 1 - t.generation(origin), staged: true}
}

// Empty reports that nothing is stored of a copy, not even a frontier.
func (o *Origin) Empty() (empty bool, err error) {
	b, err := o.Frontier()
	empty = b == nil
	for _, p := range []byte{keyRecord, keySeq, keyWithdrawn} {
		if err == nil && empty {
			err = o.tx.keys(originKey(inGeneration(p, o.generation), o.origin, 0), func([]byte) bool { empty = false; return false })
		}
	}
	return empty, err
}

// Wipe deletes up to limit keys of a staged copy, or of what a swap left in its place. done reports that nothing is left.
func (o *Origin) Wipe(limit int) (done bool, err error) {
	if !o.staged {
		return false, errors.New("only a staged copy is wiped")
	}
	if err := o.tx.delete(o.frontier()); err != nil {
		return false, err
	}
	var all [][]byte
	for _, p := range []byte{keyRecord, keySeq, keyWithdrawn} {
		prefix := originKey(inGeneration(p, o.generation), o.origin, 0)
		if err := o.tx.keys(prefix, func(key []byte) bool {
			all = append(all, bytes.Clone(key))
			return len(all) < limit
		}); err != nil {
			return false, err
		}
		if len(all) >= limit {
			break
		}
	}
	for _, k := range all {
		if err := o.tx.delete(k); err != nil {
			return false, err
		}
	}
	return len(all) < limit, nil
}

// keys calls f for every key of prefix until it reports false.
func (t *Tx) keys(prefix []byte, f func(key []byte) bool) error {
	it := t.txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	for it.Seek(prefix); it.Valid(); it.Next() {
		if !f(it.Item().Key()) {
			return nil
		}
	}
	return nil
}

// Swapping says how a staged copy takes the place of the one held. Ready is asked first, in one state with both: an error
// leaves everything as it is. Fate is asked, in that state too, about headers that are only in the old copy. Each is told
// what differs, as it was at that moment, once the swap is durable. Bury: withdrawals that left the set are remembered.
type Swapping struct {
	Ready func(staged, held *Origin) error
	Fate  func(staged *Origin, h *protocol.SignedHeader) Fate
	Each  func(Replacement)
	Bury  bool
}

// Swap puts the staged copy of an origin in the place of the one in force. It holds no more than the keys of what differs.
func (s *Store) Swap(origin protocol.MemberID, w Swapping) error {
	s.mu.Lock()
	locked := true
	unlock := func() {
		if locked {
			locked = false
			s.mu.Unlock()
		}
	}
	defer unlock()
	if err := s.space.check(); err != nil {
		return err
	}
	return s.View(func(tx *Tx) error {
		staged, held := tx.Staged(origin), tx.Origin(origin)
		if err := w.Ready(staged, held); err != nil {
			return err
		}
		frontier, err := staged.Frontier()
		if err != nil {
			return err
		}
		keys, err := difference(staged, held)
		if err != nil {
			return err
		}
		fate := func(h *protocol.SignedHeader) Fate { return w.Fate(staged, h) }
		if w.Bury {
			if err := s.burySwapped(staged, held, keys, fate); err != nil {
				return err
			}
		}
		left, err := held.leaves(keys, fate, int(min(EvidenceRing, s.MaxWrite()/4/headerRoom)))
		if err != nil {
			return err
		}
		if err := s.update(func(tx *Tx) error {
			staged, held := tx.Staged(origin), tx.Origin(origin)
			return errors.Join(held.leave(left), tx.set(originKey(keyGeneration, origin, 0), []byte{staged.generation}),
				held.SetFrontier(frontier), tx.delete(staged.frontier()))
		}); err != nil {
			return err
		}
		unlock()
		return replacements(staged, held, keys, func(r Replacement) error { w.Each(r); return nil })
	})
}

// headerRoom is what a header takes in a transaction, its key and the one that is deleted included.
const headerRoom = 1 << 10

// replacements reads what differs.
func replacements(staged, held *Origin, keys []protocol.RecordKey, f func(Replacement) error) error {
	for _, key := range keys {
		var r Replacement
		var err error
		r.Old, _ = held.Record(key) // what is damaged is what is being replaced
		if r.New, err = staged.Record(key); err != nil {
			return err
		}
		if r.Old == nil && r.New == nil {
			continue
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// burySwapped remembers the ids of own records that are not in the new copy, though no epoch left them behind: they were
// withdrawn and forgotten. It may be done before the swap, since they will never be published again in any case.
func (s *Store) burySwapped(staged, held *Origin, keys []protocol.RecordKey, fate func(*protocol.SignedHeader) Fate) error {
	var gone []protocol.RecordKey
	if err := replacements(staged, held, keys, func(r Replacement) error {
		if r.New == nil && fate(&r.Old.SignedHeader) == Kept {
			gone = append(gone, r.Old.RecordKey)
		}
		return nil
	}); err != nil {
		return err
	}
	for part := range slices.Chunk(gone, 500) {
		if err := s.update(func(tx *Tx) error {
			for _, key := range part {
				if have, err := tx.Buried(key); err != nil || have != nil {
					if err != nil {
						return err
					}
					continue
				}
				if err := tx.set(named(keyBuried, string(key)), protocol.Tombstone{Reason: "other"}.Encode()); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// Fate of a header that was held when another copy takes the place of the one held.
type Fate int

// The fates.
const (
	Kept Fate = iota // it was superseded: in the ring
	Void             // its epoch left it behind: kept apart
	Moot             // whether it is void cannot be told any more: forgotten
)

// leaving is what is evidence of a copy that another one replaces.
type leaving struct {
	void  []*protocol.SignedHeader // kept apart
	drop  [][]byte                 // keys of those of them that are in the ring
	rings []*protocol.SignedHeader // merely superseded: into the ring
	most  int
}

// leaves gathers it, the latest most headers of each kind.
func (o *Origin) leaves(keys []protocol.RecordKey, fate func(*protocol.SignedHeader) Fate, most int) (l leaving, err error) {
	prefix := originKey(keyHeader, o.origin, 0)
	if err := o.tx.scan(prefix, prefix, func(key, v []byte) (bool, error) {
		h, err := protocol.DecodeSignedHeader(bytes.Clone(v))
		if err != nil {
			return false, damaged("header", err)
		}
		f := fate(h)
		if f == Void {
			l.void = latest(append(l.void, h), most)
		}
		if f != Kept && len(l.drop) < most {
			l.drop = append(l.drop, bytes.Clone(key))
		}
		return true, nil
	}); err != nil {
		return l, err
	}
	for _, key := range keys {
		old, err := o.Record(key)
		if err != nil || old == nil {
			continue // damaged, or new
		}
		switch h := old.SignedHeader; fate(&h) {
		case Void:
			l.void = latest(append(l.void, &h), most)
		case Kept:
			l.rings = latest(append(l.rings, &h), most)
		}
	}
	newestFirst(l.void)
	newestFirst(l.rings)
	l.most = most
	return l, nil
}

func newestFirst(all []*protocol.SignedHeader) {
	slices.SortFunc(all, func(x, y *protocol.SignedHeader) int { return y.Pos.Compare(x.Pos) })
}

// latest drops the earlier half of what is beyond most, now and then.
func latest(all []*protocol.SignedHeader, most int) []*protocol.SignedHeader {
	if len(all) < 2*most {
		return all
	}
	newestFirst(all)
	return all[:most]
}

func (o *Origin) leave(l leaving) error {
	for _, k := range l.drop {
		if err := o.tx.delete(k); err != nil {
			return err
		}
	}
	for _, h := range l.rings[:min(len(l.rings), l.most)] {
		if err := o.tx.set(posKey(keyHeader, o.origin, h.Pos), h.Bytes()); err != nil {
			return err
		}
	}
	for _, h := range l.void[:min(len(l.void), l.most)] {
		if err := o.AddVoided(h); err != nil {
			return err
		}
	}
	return nil
}

// difference lists the keys of the records in which two copies differ.
func difference(staged, held *Origin) (keys []protocol.RecordKey, err error) {
	iterate := func(o *Origin) *badger.Iterator {
		opts := badger.DefaultIteratorOptions
		opts.Prefix = o.record("")
		it := o.tx.txn.NewIterator(opts)
		it.Rewind()
		return it
	}
	a, b := iterate(held), iterate(staged)
	defer a.Close()
	defer b.Close()
	skip := len(held.record(""))
	for a.Valid() || b.Valid() {
		var order int
		switch {
		case !a.Valid():
			order = 1
		case !b.Valid():
			order = -1
		default:
			order = bytes.Compare(a.Item().Key()[skip:], b.Item().Key()[skip:])
		}
		if order != 0 || !sameValue(a.Item(), b.Item()) {
			it := a
			if order > 0 {
				it = b
			}
			keys = append(keys, protocol.RecordKey(it.Item().Key()[skip:]))
		}
		if order <= 0 {
			a.Next()
		}
		if order >= 0 {
			b.Next()
		}
	}
	return keys, nil
}

func sameValue(a, b *badger.Item) (same bool) {
	err := a.Value(func(x []byte) error {
		return b.Value(func(y []byte) error {
			same = bytes.Equal(x, y)
			return nil
		})
	})
	return same && err == nil
}

// AddVoided keeps the header of a change that an epoch left behind.
func (o *Origin) AddVoided(h *protocol.SignedHeader) error {
	return o.tx.set(append(posKey(keyVoided, o.origin, h.Pos), h.Raw[:]...), h.Bytes())
}

// Voided lists the headers of changes that epochs left behind, as far as they were ever held here.
func (o *Origin) Voided() (all []*protocol.SignedHeader, err error) {
	prefix := originKey(keyVoided, o.origin, 0)
	err = o.tx.scan(prefix, prefix, func(_, v []byte) (bool, error) {
		h, err := protocol.DecodeSignedHeader(bytes.Clone(v))
		if err != nil {
			return false, damaged("void header", err)
		}
		all = append(all, h)
		return true, nil
	})
	return all, err
}

// Bury remembers an own record that was withdrawn and has left the set: its id never returns.
func (t *Tx) Bury(c *protocol.Change) error {
	return t.set(named(keyBuried, string(c.RecordKey)), c.Body)
}

// BuryAs replaces the tombstone of an own record that has left the set.
func (t *Tx) BuryAs(key protocol.RecordKey, tombstone []byte) error {
	return t.set(named(keyBuried, string(key)), tombstone)
}

// Unbury forgets it: the withdrawal was a hold, and the record is back.
func (t *Tx) Unbury(key protocol.RecordKey) error { return t.delete(named(keyBuried, string(key))) }

// Buried is the tombstone of an own record that has left the set, nil where there is none.
func (t *Tx) Buried(key protocol.RecordKey) ([]byte, error) {
	return t.get(named(keyBuried, string(key)))
}
