package store

import (
	"errors"

	"github.com/asean-tmh/tmh/protocol"
)

// EvidenceRing is how many positions back the headers of superseded records are kept.
const EvidenceRing = 4096

// Origin narrows the transaction to one origin's records. It implements replica.Set.
type Origin struct {
	tx         *Tx
	origin     protocol.MemberID
	generation byte
	staged     bool // the copy that is built beside the one in force

	// Replaced lists what Replace did in this transaction, for whoever follows the catalogue.
	Replaced []Replacement
}

// Replacement of a record.
type Replacement struct {
	Old, New *protocol.Change // Old is nil where the record is new
}

// Of is the change that names the record: the new one, or the old one where the record goes.
func (r Replacement) Of() *protocol.Change {
	if r.New != nil {
		return r.New
	}
	return r.Old
}

// Origin of the catalogue.
func (t *Tx) Origin(origin protocol.MemberID) *Origin {
	return &Origin{tx: t, origin: origin, generation: t.generation(origin)}
}

// generation under which an origin's copy is kept. It changes when a staged copy takes the place of the one before.
func (t *Tx) generation(origin protocol.MemberID) byte {
	if g, ok := t.generations[origin]; ok {
		return g
	}
	b, err := t.get(originKey(keyGeneration, origin, 0))
	if err != nil {
		t.err = errors.Join(t.err, err)
		return 0
	}
	if t.generations == nil {
		t.generations = make(map[protocol.MemberID]byte)
	}
	g := byte(0)
	if len(b) == 1 && b[0] == 1 {
		g = 1
	}
	t.generations[origin] = g
	return g
}

func (o *Origin) record(key protocol.RecordKey) []byte {
	return recordKey(inGeneration(keyRecord, o.generation), o.origin, key)
}

func (o *Origin) seq(pos protocol.Position) []byte {
	return posKey(inGeneration(keySeq, o.generation), o.origin, pos)
}

func (o *Origin) withdrawn(pos protocol.Position) []byte {
	return posKey(inGeneration(keyWithdrawn, o.generation), o.origin, pos)
}

// Record is the newest change of a record, nil where there is none.
func (t *Tx) Record(origin protocol.MemberID, key protocol.RecordKey) (*protocol.Change, error) {
	return t.Origin(origin).Record(key)
}

// Record is the newest change of a record, nil where there is none.
func (o *Origin) Record(key protocol.RecordKey) (*protocol.Change, error) {
	b, err := o.tx.get(o.record(key))
	if err != nil || b == nil {
		return nil, err
	}
	c, err := protocol.DecodeChange(b)
	if err != nil {
		return nil, damaged("record "+string(key), err)
	}
	return c, nil
}

// Records calls f for the newest change of every record of origin, in the order of record keys, from key on, until f
// reports false. The change is valid after the call.
func (t *Tx) Records(origin protocol.MemberID, from protocol.RecordKey, f func(*protocol.Change) (bool, error)) error {
	return t.Origin(origin).Records(from, f)
}

// Records is as Tx.Records.
func (o *Origin) Records(from protocol.RecordKey, f func(*protocol.Change) (bool, error)) error {
	prefix := o.record("")
	return o.tx.scan(prefix, o.record(from), func(key, value []byte) (bool, error) {
		c, err := protocol.DecodeChange(append([]byte(nil), value...))
		if err != nil {
			return false, damaged("record "+string(key[len(prefix):]), err)
		}
		return f(c)
	})
}

// Newest implements replica.Set.
func (o *Origin) Newest(key protocol.RecordKey) (protocol.Element, bool, error) {
	c, err := o.Record(key)
	if err != nil || c == nil {
		return protocol.Element{}, false, err
	}
	return c.Element(), true, nil
}

// HeaderAt implements replica.Set.
func (o *Origin) HeaderAt(pos protocol.Position) (*protocol.SignedHeader, error) {
	v, err := o.tx.get(o.seq(pos))
	if err != nil {
		return nil, err
	}
	if v != nil {
		c, err := o.Record(protocol.RecordKey(v[1:]))
		if err != nil {
			return nil, err
		}
		if c == nil || c.Pos != pos {
			return nil, damaged("position "+pos.String(), nil)
		}
		return &c.SignedHeader, nil
	}
	if o.staged {
		return nil, nil // the ring is of the copy in force
	}
	v, err = o.tx.get(posKey(keyHeader, o.origin, pos))
	if err != nil || v == nil {
		return nil, err
	}
	h, err := protocol.DecodeSignedHeader(v)
	if err != nil {
		return nil, damaged("header "+pos.String(), err)
	}
	return h, nil
}

// Replace implements replica.Set.
func (o *Origin) Replace(c *protocol.Change, old *protocol.Element) error {
	r := Replacement{New: c}
	if old != nil {
		var err error
		if r.Old, err = o.Record(c.RecordKey); err != nil {
			return err
		}
		if err := o.retire(r.Old, c.Pos); err != nil {
			return err
		}
	}
	if err := o.tx.set(o.record(c.RecordKey), c.Bytes()); err != nil {
		return err
	}
	if err := o.tx.set(o.seq(c.Pos), seqValue(c)); err != nil {
		return err
	}
	if c.Kind == protocol.Withdraw {
		if err := o.tx.set(o.withdrawn(c.Pos), []byte(c.RecordKey)); err != nil {
			return err
		}
	}
	o.Replaced = append(o.Replaced, r)
	return nil
}

// retire takes a superseded record out of the feed and keeps its header in the ring.
func (o *Origin) retire(old *protocol.Change, now protocol.Position) error {
	if err := o.tx.delete(o.seq(old.Pos)); err != nil {
		return err
	}
	if old.Kind == protocol.Withdraw {
		if err := o.tx.delete(o.withdrawn(old.Pos)); err != nil {
			return err
		}
	}
	if o.staged || old.Pos.Seq+EvidenceRing < now.Seq {
		return nil
	}
	return o.tx.set(posKey(keyHeader, o.origin, old.Pos), old.SignedHeader.Bytes())
}

// TrimHeaders deletes up to limit headers that left the ring below head.
func (o *Origin) TrimHeaders(head protocol.Position, limit int) error {
	if head.Seq <= EvidenceRing || o.staged {
		return nil
	}
	prefix := originKey(keyHeader, o.origin, 0)
	var old [][]byte
	err := o.tx.scan(prefix, prefix, func(key, _ []byte) (bool, error) {
		if posOf(key).Seq >= head.Seq-EvidenceRing || len(old) == limit {
			return false, nil
		}
		old = append(old, append([]byte(nil), key...))
		return true, nil
	})
	for _, k := range old {
		err = errors.Join(err, o.tx.delete(k))
	}
	return err
}

func seqValue(c *protocol.Change) []byte {
	return append([]byte{byte(c.Kind)}, c.RecordKey...)
}

// Feed calls f for the newest change of every record of the origin above a position, in seq order, verbatim, until f
// reports false. The bytes are valid after the call.
func (o *Origin) Feed(above protocol.Position, f func(pos protocol.Position, change []byte) (bool, error)) error {
	return o.FeedOf(above, nil, f)
}

// FeedOf is Feed of the records that are wanted; nil: of all.
func (o *Origin) FeedOf(above protocol.Position, wanted func(protocol.Position, protocol.RecordKey) bool, f func(pos protocol.Position, change []byte) (bool, error)) error {
	prefix := originKey(inGeneration(keySeq, o.generation), o.origin, 0)
	start := o.seq(protocol.Position{Epoch: above.Epoch, Seq: above.Seq + 1})
	return o.tx.scan(prefix, start, func(key, value []byte) (bool, error) {
		if wanted != nil && !wanted(posOf(key), protocol.RecordKey(value[1:])) {
			return true, nil
		}
		b, err := o.tx.get(o.record(protocol.RecordKey(value[1:])))
		if err != nil || b == nil {
			return false, errors.Join(err, damaged("feed of "+string(o.origin), nil))
		}
		return f(posOf(key), b)
	})
}

// Seqs calls f for every entry of the feed's index, for verification.
func (o *Origin) Seqs(f func(pos protocol.Position, kind protocol.ChangeKind, key protocol.RecordKey) error) error {
	prefix := originKey(inGeneration(keySeq, o.generation), o.origin, 0)
	return o.tx.scan(prefix, prefix, func(key, value []byte) (bool, error) {
		if len(value) < 2 {
			return false, damaged("index of "+string(o.origin), nil)
		}
		return true, f(posOf(key), protocol.ChangeKind(value[0]), protocol.RecordKey(value[1:]))
	})
}

func (o *Origin) frontier() []byte {
	if o.staged {
		return originKey(keyStaged, o.origin, 0)
	}
	return originKey(keyFrontier, o.origin, 0)
}

// Frontier is the stored state of the copy, nil where nothing was received.
func (o *Origin) Frontier() ([]byte, error) { return o.tx.get(o.frontier()) }

// SetFrontier stores the state of the copy.
func (o *Origin) SetFrontier(b []byte) error { return o.tx.set(o.frontier(), b) }

// Withdrawn implements replica.Set.
func (o *Origin) Withdrawn(upTo uint64, limit int) (all []protocol.Element, err error) {
	prefix := originKey(inGeneration(keyWithdrawn, o.generation), o.origin, 0)
	var keys []protocol.RecordKey
	err = o.tx.scan(prefix, prefix, func(key, v []byte) (bool, error) {
		if posOf(key).Seq > upTo || len(keys) == limit {
			return false, nil
		}
		keys = append(keys, protocol.RecordKey(v))
		return true, nil
	})
	for _, k := range keys {
		e, held, newestErr := o.Newest(k)
		if newestErr != nil || !held {
			return nil, errors.Join(err, newestErr, damaged("withdrawal "+string(k), nil))
		}
		all = append(all, e)
	}
	return all, err
}

// Drop implements replica.Set.
func (o *Origin) Drop(e protocol.Element) error {
	c, err := o.Record(e.Key)
	if err != nil {
		return err
	}
	if c == nil || c.Pos != e.Pos {
		return damaged("withdrawal "+string(e.Key), nil)
	}
	o.Replaced = append(o.Replaced, Replacement{Old: c})
	if !o.staged { // it is evidence as that of any superseded record
		if err := o.tx.set(posKey(keyHeader, o.origin, c.Pos), c.SignedHeader.Bytes()); err != nil {
			return err
		}
	}
	return errors.Join(o.tx.delete(o.record(e.Key)), o.tx.delete(o.seq(e.Pos)), o.tx.delete(o.withdrawn(e.Pos)))
}

// Opening implements replica.Set.
func (o *Origin) Opening(epoch uint64) (*protocol.Opening, error) {
	c, err := o.Record(protocol.EpochKey(epoch))
	if err != nil || c == nil {
		return nil, err
	}
	opening, err := protocol.DecodeOpening(c.Body)
	if err != nil {
		return nil, damaged("opening of an epoch", err)
	}
	return &opening.Opening, nil
}
