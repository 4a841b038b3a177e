package store

import (
	"encoding/binary"

	"github.com/asean-tmh/tmh/protocol"
)

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

// maxEvidence bounds the forks that are kept of one origin in one epoch: the first is reason enough to freeze its copy.
const maxEvidence = 16

// AddEvidence keeps two headers that cannot both belong to one history, and reports whether that is news. The first pair
// at a position stays.
func (o *Origin) AddEvidence(e protocol.Evidence) (added bool, err error) {
	key := posKey(keyEvidence, o.origin, e.A.Pos)
	if have, err := o.tx.get(key); err != nil || have != nil {
		return false, err
	}
	n := 0
	prefix := binary.BigEndian.AppendUint64(originKey(keyEvidence, o.origin, 8), e.A.Pos.Epoch)
	if err := o.tx.keys(prefix, func([]byte) bool { n++; return true }); err != nil || n >= maxEvidence {
		return false, err
	}
	return true, o.tx.set(key, e.Encode())
}

// Evidence lists the forks that are known of the origin.
func (o *Origin) Evidence() (all []protocol.Evidence, err error) {
	prefix := originKey(keyEvidence, o.origin, 0)
	err = o.tx.scan(prefix, prefix, func(_, v []byte) (bool, error) {
		e, err := protocol.DecodeEvidence(append([]byte(nil), v...))
		if err != nil {
			return false, damaged("evidence", err)
		}
		all = append(all, e)
		return true, nil
	})
	return all, err
}

// TrimArchive deletes up to limit archived head statements of before an instant.
func (o *Origin) TrimArchive(before protocol.Instant, limit int) error {
	prefix := originKey(keyArchive, o.origin, 0)
	var old [][]byte
	if err := o.tx.keys(prefix, func(key []byte) bool {
		if binary.BigEndian.Uint64(key[len(prefix):]) >= uint64(max(before, 0))/3600 || len(old) == limit {
			return false
		}
		old = append(old, append([]byte(nil), key...))
		return true
	}); err != nil {
		return err
	}
	for _, k := range old {
		if err := o.tx.delete(k); err != nil {
			return err
		}
	}
	return nil
}
