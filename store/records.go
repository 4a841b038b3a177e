package store

import (
	"encoding/binary"
	"errors"

	"github.com/asean-tmh/tmh/protocol"
)

// EvidenceRing is how many positions back the headers of superseded records are kept.
const EvidenceRing = 4096

// Origin narrows the transaction to one origin's records. It implements replica.Set.
type Origin struct {
	tx     *Tx
	origin protocol.MemberID

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
func (t *Tx) Origin(origin protocol.MemberID) *Origin { return &Origin{tx: t, origin: origin} }

// Record is the newest change of a record, nil where there is none.
func (t *Tx) Record(origin protocol.MemberID, key protocol.RecordKey) (*protocol.Change, error) {
	b, err := t.get(recordKey(origin, key))
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
	prefix := originKey(keyRecord, origin, 0)
	return t.scan(prefix, recordKey(origin, from), func(key, value []byte) (bool, error) {
		c, err := protocol.DecodeChange(append([]byte(nil), value...))
		if err != nil {
			return false, damaged("record "+string(key[len(prefix):]), err)
		}
		return f(c)
	})
}

// Newest implements replica.Set.
func (o *Origin) Newest(key protocol.RecordKey) (protocol.Element, bool, error) {
	c, err := o.tx.Record(o.origin, key)
	if err != nil || c == nil {
		return protocol.Element{}, false, err
	}
	return c.Element(), true, nil
}

// HeaderAt implements replica.Set.
func (o *Origin) HeaderAt(pos protocol.Position) (*protocol.SignedHeader, error) {
	v, err := o.tx.get(posKey(keySeq, o.origin, pos))
	if err != nil {
		return nil, err
	}
	if v != nil {
		c, err := o.tx.Record(o.origin, protocol.RecordKey(v[1:]))
		if err != nil {
			return nil, err
		}
		if c == nil || c.Pos != pos {
			return nil, damaged("position "+pos.String(), nil)
		}
		return &c.SignedHeader, nil
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
		if r.Old, err = o.tx.Record(o.origin, c.RecordKey); err != nil {
			return err
		}
		if err := o.retire(r.Old, c.Pos); err != nil {
			return err
		}
	}
	if err := o.tx.set(recordKey(o.origin, c.RecordKey), c.Bytes()); err != nil {
		return err
	}
	if err := o.tx.set(posKey(keySeq, o.origin, c.Pos), seqValue(c)); err != nil {
		return err
	}
	o.Replaced = append(o.Replaced, r)
	return nil
}

// retire takes a superseded record out of the feed and keeps its header in the ring.
func (o *Origin) retire(old *protocol.Change, now protocol.Position) error {
	if err := o.tx.delete(posKey(keySeq, o.origin, old.Pos)); err != nil {
		return err
	}
	if now.Epoch == old.Pos.Epoch && old.Pos.Seq+EvidenceRing < now.Seq {
		return nil
	}
	return o.tx.set(posKey(keyHeader, o.origin, old.Pos), old.SignedHeader.Bytes())
}

// TrimHeaders deletes up to limit headers that left the ring below head.
func (o *Origin) TrimHeaders(head protocol.Position, limit int) error {
	if head.Seq <= EvidenceRing {
		return nil
	}
	edge := protocol.Position{Epoch: head.Epoch, Seq: head.Seq - EvidenceRing}
	prefix := originKey(keyHeader, o.origin, 0)
	var old [][]byte
	err := o.tx.scan(prefix, prefix, func(key, _ []byte) (bool, error) {
		if posOf(key).Compare(edge) >= 0 || len(old) == limit {
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
	prefix := originKey(keySeq, o.origin, 0)
	start := posKey(keySeq, o.origin, protocol.Position{Epoch: above.Epoch, Seq: above.Seq + 1})
	return o.tx.scan(prefix, start, func(key, value []byte) (bool, error) {
		b, err := o.tx.get(recordKey(o.origin, protocol.RecordKey(value[1:])))
		if err != nil || b == nil {
			return false, errors.Join(err, damaged("feed of "+string(o.origin), nil))
		}
		return f(posOf(key), b)
	})
}

// Seqs calls f for every entry of the feed's index, for verification.
func (o *Origin) Seqs(f func(pos protocol.Position, kind protocol.ChangeKind, key protocol.RecordKey) error) error {
	prefix := originKey(keySeq, o.origin, 0)
	return o.tx.scan(prefix, prefix, func(key, value []byte) (bool, error) {
		if len(value) < 2 {
			return false, damaged("index of "+string(o.origin), nil)
		}
		return true, f(posOf(key), protocol.ChangeKind(value[0]), protocol.RecordKey(value[1:]))
	})
}

// Frontier is the stored state of the copy, nil where nothing was received.
func (o *Origin) Frontier() ([]byte, error) { return o.tx.get(originKey(keyFrontier, o.origin, 0)) }

// SetFrontier stores the state of the copy.
func (o *Origin) SetFrontier(b []byte) error { return o.tx.set(originKey(keyFrontier, o.origin, 0), b) }

// Head is the newest head statement held, nil where none was received.
func (o *Origin) Head() (*protocol.SignedHead, error) {
	b, err := o.tx.get(originKey(keyHead, o.origin, 0))
	if err != nil || b == nil {
		return nil, err
	}
	h, err := protocol.DecodeHead(b)
	if err != nil {
		return nil, damaged("head statement of "+string(o.origin), err)
	}
	return h, nil
}

// SetHead stores the newest head statement, which came at at, and archives the first of every hour by this node's clock:
// an hour that the origin states could be any of millions.
func (o *Origin) SetHead(h *protocol.SignedHead, at protocol.Instant) error {
	if err := o.tx.set(originKey(keyHead, o.origin, 0), h.Bytes()); err != nil {
		return err
	}
	hour := binary.BigEndian.AppendUint64(originKey(keyArchive, o.origin, 8), uint64(max(at, 0))/3600)
	if have, err := o.tx.get(hour); err != nil || have != nil {
		return err
	}
	return o.tx.set(hour, h.Bytes())
}

// AddEvidence keeps two headers that cannot both belong to one history. The first pair at a position stays.
func (o *Origin) AddEvidence(held, other *protocol.SignedHeader) error {
	key := posKey(keyEvidence, o.origin, held.Pos)
	if have, err := o.tx.get(key); err != nil || have != nil {
		return err
	}
	a, b := held.Bytes(), other.Bytes()
	v := binary.BigEndian.AppendUint32(nil, uint32(len(a)))
	return o.tx.set(key, append(append(v, a...), b...))
}

// Evidence lists the forks that are known of the origin.
func (o *Origin) Evidence() (pairs [][2]*protocol.SignedHeader, err error) {
	prefix := originKey(keyEvidence, o.origin, 0)
	err = o.tx.scan(prefix, prefix, func(_, v []byte) (bool, error) {
		if len(v) < 4 || uint64(len(v)) < 4+uint64(binary.BigEndian.Uint32(v)) {
			return false, damaged("evidence", nil)
		}
		v = append([]byte(nil), v...)
		n := 4 + int(binary.BigEndian.Uint32(v))
		a, errA := protocol.DecodeSignedHeader(v[4:n])
		b, errB := protocol.DecodeSignedHeader(v[n:])
		if err := errors.Join(errA, errB); err != nil {
			return false, damaged("evidence", err)
		}
		pairs = append(pairs, [2]*protocol.SignedHeader{a, b})
		return true, nil
	})
	return pairs, err
}
