package store

import (
	"encoding/binary"

	"github.com/asean-tmh/tmh/protocol"
)

// The key layout, in one place. Every key begins with one of these bytes. Origins are length-prefixed, so that no origin's
// range contains another's; numbers are big-endian, so that keys sort as positions do.
//
//	prefix  rest of the key                     value
//	m       name                                facts about the store: its schema version
//	c       version u64                         signed charter
//	k       member                              the member's newest signed card
//	r       origin, record key                  the newest change of the record, verbatim
//	s       origin, epoch u64, seq u64          kind u8, record key of the newest record made at this position
//	h       origin, epoch u64, seq u64          signed header of a superseded record, kept as evidence
//	f       origin                              frontier: the state of the copy, opaque here
//	t       origin                              newest head statement
//	a       origin, hour u64                    head statement archived for that hour
//	e       origin, epoch u64, seq u64          evidence of a fork: the two signed headers
//	x       record key                          full record, at its origin only
const (
	keyMeta     = 'm'
	keyCharter  = 'c'
	keyCard     = 'k'
	keyRecord   = 'r'
	keySeq      = 's'
	keyHeader   = 'h'
	keyFrontier = 'f'
	keyHead     = 't'
	keyArchive  = 'a'
	keyEvidence = 'e'
	keyFull     = 'x'
)

func named(prefix byte, name string) []byte { return append([]byte{prefix}, name...) }

func originKey(prefix byte, origin protocol.MemberID, extra int) []byte {
	k := make([]byte, 0, 2+len(origin)+extra)
	k = append(k, prefix, byte(len(origin)))
	return append(k, origin...)
}

func recordKey(origin protocol.MemberID, key protocol.RecordKey) []byte {
	return append(originKey(keyRecord, origin, len(key)), key...)
}

func posKey(prefix byte, origin protocol.MemberID, pos protocol.Position) []byte {
	k := binary.BigEndian.AppendUint64(originKey(prefix, origin, 16), pos.Epoch)
	return binary.BigEndian.AppendUint64(k, pos.Seq)
}

// posOf reads the position at the end of a posKey.
func posOf(key []byte) protocol.Position {
	n := len(key)
	return protocol.Position{Epoch: binary.BigEndian.Uint64(key[n-16:]), Seq: binary.BigEndian.Uint64(key[n-8:])}
}

func charterKey(version uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{keyCharter}, version)
}
