package store

import (
	"encoding/binary"

	"github.com/asean-tmh/tmh/protocol"
)

// Shelf is a kind of entry, for who looks at all of them one by one, damaged or not.
type Shelf byte

// The shelves. Those of an origin are read by Origin.Inspect, the others by Tx.Inspect.
const (
	ShelfRecords   Shelf = keyRecord    // Name: the record key
	ShelfIndex     Shelf = keySeq       // Pos
	ShelfWithdrawn Shelf = keyWithdrawn // Pos
	ShelfHeaders   Shelf = keyHeader    // Pos
	ShelfArchive   Shelf = keyArchive   // Hour
	ShelfEvidence  Shelf = keyEvidence  // Pos
	ShelfCharters  Shelf = keyCharter   // Hour: the version
	ShelfCards     Shelf = keyCard      // Name: the member
	ShelfFull      Shelf = keyFull      // Name: the record key
)

// Entry of a shelf as it is stored.
type Entry struct {
	Name  string
	Pos   protocol.Position
	Hour  uint64
	Value []byte // valid during the call
	Bad   bool   // the key itself has the wrong form
}

// Inspect calls f for every entry of an origin's shelf in the order of keys.
func (o *Origin) Inspect(shelf Shelf, f func(Entry) error) error {
	prefix := byte(shelf)
	switch shelf {
	case ShelfRecords, ShelfIndex, ShelfWithdrawn:
		prefix = inGeneration(prefix, o.generation)
	}
	return o.tx.inspect(shelf, originKey(prefix, o.origin, 0), f)
}

// Inspect calls f for every entry of a shelf that is no origin's.
func (t *Tx) Inspect(shelf Shelf, f func(Entry) error) error {
	return t.inspect(shelf, []byte{byte(shelf)}, f)
}

func (t *Tx) inspect(shelf Shelf, prefix []byte, f func(Entry) error) error {
	return t.scan(prefix, prefix, func(key, value []byte) (bool, error) {
		e := Entry{Value: value}
		rest := key[len(prefix):]
		switch shelf {
		case ShelfRecords, ShelfCards, ShelfFull:
			e.Name = string(rest)
		case ShelfIndex, ShelfWithdrawn, ShelfHeaders, ShelfEvidence:
			if e.Bad = len(rest) != 16; !e.Bad {
				e.Pos = posOf(key)
			}
		case ShelfArchive, ShelfCharters:
			if e.Bad = len(rest) != 8; !e.Bad {
				e.Hour = binary.BigEndian.Uint64(rest)
			}
		}
		return true, f(e)
	})
}

// CheckFiles compares the tables with their checksums. It names the first that differs.
func (s *Store) CheckFiles() error { return s.db.VerifyChecksum() }
