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
//	C       version u64, hash                   a second valid charter of that version: amendments are stopped
//	r R     origin, record key                  the newest change of the record, verbatim
//	s S     origin, epoch u64, seq u64          kind u8, record key of the newest record made at this position
//	w W     origin, epoch u64, seq u64          record key, where the newest record is a withdrawal
//	g       origin                              1 where the copy is under R, S and W, else under r, s and w
//	f       origin                              frontier: the state of the copy, opaque here
//	F       origin                              frontier of the staged copy, which is under the other three letters
//	h       origin, epoch u64, seq u64          signed header of a superseded record, kept as evidence
//	v       origin, epoch u64, seq u64, hash    signed header of a change that an epoch left behind
//	t       origin                              newest head statement
//	a       origin, hour u64                    head statement archived for that hour
//	e       origin, epoch u64, seq u64          evidence of a fork: the two signed headers
//	x       record key                          full record, at its origin only
//	d       record key                          tombstone of an own record that has left the set
//	n       table u8, key                       a row of one of this node's own tables (rows.go)
//	z       …                                   scratch: written and dropped to make the database write out what it holds
const (
	keyMeta       = 'm'
	keyCharter    = 'c'
	keyRival      = 'C'
	keyCard       = 'k'
	keyRecord     = 'r'
	keySeq        = 's'
	keyWithdrawn  = 'w'
	keyGeneration = 'g'
	keyFrontier   = 'f'
	keyStaged     = 'F'
	keyHeader     = 'h'
	keyVoided     = 'v'
	keyHead       = 't'
	keyArchive    = 'a'
	keyEvidence   = 'e'
	keyFull       = 'x'
	keyBuried     = 'd'
	keyRow        = 'n'
)

// upper is what the prefixes of the second generation are less: their capital letters.
const upper = 'a' - 'A'

// inGeneration is the prefix of a generation's keys.
func inGeneration(prefix, generation byte) byte { return prefix - upper*generation }

func named(prefix byte, name string) []byte { return append([]byte{prefix}, name...) }

func originKey(prefix byte, origin protocol.MemberID, extra int) []byte {
	k := make([]byte, 0, 2+len(origin)+extra)
	k = append(k, prefix, byte(len(origin)))
	return append(k, origin...)
}

func recordKey(prefix byte, origin protocol.MemberID, key protocol.RecordKey) []byte {
	return append(originKey(prefix, origin, len(key)), key...)
}

func posKey(prefix byte, origin protocol.MemberID, pos protocol.Position) []byte {
	k := binary.BigEndian.AppendUint64(originKey(prefix, origin, 16), pos.Epoch)
	return binary.BigEndian.AppendUint64(k, pos.Seq)
}

// posOf reads the position at the end of a posKey.
func posOf(key []byte) protocol.Position {
	n := min(len(key), 2+int(key[1])+16)
	return protocol.Position{Epoch: binary.BigEndian.Uint64(key[n-16:]), Seq: binary.BigEndian.Uint64(key[n-8:])}
}

func charterKey(version uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{keyCharter}, version)
}
