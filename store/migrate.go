package store

import (
	"encoding/binary"
	"fmt"

	"github.com/asean-tmh/tmh/protocol"
)

// Schema is the version of the key layout that this program writes.
const Schema = 2

const metaSchema = "schema"

// migrations[i] leads from version i+1 to i+2. Each runs in batches that may be repeated, and ends by stating its version.
func migrations() []func(*Store) error {
	return []func(*Store) error{(*Store).kindsIntoSeqIndex}
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
			var todo []entry
			at := start
			start = nil
			err := t.scan([]byte{keySeq}, at, func(key, v []byte) (bool, error) {
				key = append([]byte(nil), key...)
				if len(todo) == batch {
					start = key
					return false, nil
				}
				if len(v) > 0 && v[0] > byte(protocol.OpenEpoch) {
					todo = append(todo, entry{key, append([]byte(nil), v...)})
				}
				return true, nil
			})
			if err != nil {
				return err
			}
			for _, e := range todo {
				origin := protocol.MemberID(e.key[2 : 2+e.key[1]])
				c, err := t.Record(origin, protocol.RecordKey(e.value))
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
