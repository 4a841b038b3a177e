package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/asean-tmh/tmh/protocol"
)

// Schema is the version of the key layout that this program writes.
const Schema = 3

const metaSchema = "schema"

// migrations[i] leads from version i+1 to i+2. Each runs in batches that may be repeated, and ends by stating its version.
func migrations() []func(*Store) error {
	return []func(*Store) error{(*Store).kindsIntoSeqIndex, (*Store).indexWithdrawals}
}

// migrate brings an older database to Schema. A database without a version is new.
func (s *Store) migrate() error {
	var version uint64
	empty := true
	err := s.View(func(t *Tx) error {
		b, err := t.Meta(metaSchema)
		if err != nil {
			return err
		}
		if len(b) == 8 {
			version, empty = binary.BigEndian.Uint64(b), false
			return nil
		}
		return t.scan(nil, nil, func(_, _ []byte) (bool, error) { empty = false; return false, nil })
	})
	switch {
	case err != nil:
		return err
	case empty:
		return s.setSchema(Schema)
	case version == 0:
		return protocol.Errorf(protocol.CodeVersion, "", "%s holds a database that is not TMH's", s.cfg.Dir)
	case version > Schema:
		return protocol.Errorf(protocol.CodeVersion, "", "%s was written by a newer tmh (schema %d, this one knows %d): install that version", s.cfg.Dir, version, Schema)
	}
	for ; version < Schema; version++ {
		s.cfg.Log.Info("migrating", "from", version, "to", version+1)
		if err := migrations()[version-1](s); err != nil {
			return fmt.Errorf("migrate schema %d to %d: %w", version, version+1, err)
		}
		if err := s.setSchema(version + 1); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) setSchema(v uint64) error {
	return s.update(func(t *Tx) error { return t.SetMeta(metaSchema, binary.BigEndian.AppendUint64(nil, v)) })
}

// kindsIntoSeqIndex: schema 1 kept in the seq index the record key alone; since schema 2 the change's kind stands before
// it, so that withdrawals are found without reading records. Record keys begin with a printable character and kinds are
// below 4, so a half-done migration goes on where it stopped.
func (s *Store) kindsIntoSeqIndex() error {
	const batch = 1000
	start := []byte{keySeq}
	for start != nil {
		err := s.Update(func(t *Tx) error {
			type entry struct{ key, value []byte }
			var old []entry
			at := start
			start = nil
			err := t.scan([]byte{keySeq}, at, func(key, v []byte) (bool, error) {
				key = append([]byte(nil), key...)
				if len(old) == batch {
					start = key
					return false, nil
				}
				if len(v) > 0 && v[0] > byte(protocol.OpenEpoch) {
					old = append(old, entry{key, append([]byte(nil), v...)})
				}
				return true, nil
			})
			if err != nil {
				return err
			}
			for _, e := range old {
				origin := protocol.MemberID(e.key[2 : 2+e.key[1]])
				c, err := (&Origin{tx: t, origin: origin}).Record(protocol.RecordKey(e.value))
				if err != nil {
					return err
				}
				if c == nil {
					return damaged("record "+string(e.value), nil)
				}
				if err := t.set(e.key, seqValue(c)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// indexWithdrawals: since schema 3 withdrawals have an index of their own, so that a floor finds them. Writing an entry
// twice changes nothing.
func (s *Store) indexWithdrawals() error {
	const batch = 1000
	if err := s.Update((*Tx).evidenceInWireForm); err != nil {
		return err
	}
	start := []byte{keySeq}
	for start != nil {
		err := s.Update(func(t *Tx) error {
			at := start
			start = nil
			found := make(map[string][]byte)
			err := t.scan([]byte{keySeq}, at, func(key, v []byte) (bool, error) {
				if len(found) == batch {
					start = append([]byte(nil), key...)
					return false, nil
				}
				if len(v) > 1 && v[0] == byte(protocol.Withdraw) {
					k := append([]byte(nil), key...)
					k[0] = keyWithdrawn
					found[string(k)] = append([]byte(nil), v[1:]...)
				}
				return true, nil
			})
			for k, v := range found {
				err = errors.Join(err, t.set([]byte(k), v))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// evidenceInWireForm: before schema 3 the two headers of a fork stood behind the length of the first.
func (t *Tx) evidenceInWireForm() error {
	changed := make(map[string][]byte)
	err := t.scan([]byte{keyEvidence}, []byte{keyEvidence}, func(key, v []byte) (bool, error) {
		if _, err := protocol.DecodeEvidence(v); err == nil {
			return true, nil
		}
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
		changed[string(key)] = nil
		if e, ok := protocol.NewEvidence(a, b); ok { // what proves nothing by today's rules would be taken for damage
			changed[string(key)] = e.Encode()
		}
		return true, nil
	})
	for k, v := range changed {
		err = errors.Join(err, t.delete([]byte(k)))
		if v != nil {
			err = errors.Join(err, t.set([]byte(k), v))
		}
	}
	return err
}
