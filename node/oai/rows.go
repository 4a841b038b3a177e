package oai

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// The rows of the chronicle; the package comment says what they hold.

const rowVersion = 1

// unknownKind stands where a withdrawal does not say of what kind its listing was.
const unknownKind protocol.Kind = "--"

// mark tells two changes of one record apart.
type mark [8]byte

func markOf(h protocol.Hash) mark { return mark(h[:8]) }

// note is what the chronicle holds of one listing.
type note struct {
	deleted bool
	kind    protocol.Kind
	at      int64
	mark    mark // of the change; of a deleted listing, of the last one that was no withdrawal
}

func noteKey(ref match.Ref) string { return "d/" + string(ref.Origin) + "/" + string(ref.ID) }

func notesOf(origin protocol.MemberID) string { return "d/" + string(origin) + "/" }

func (n note) encode() []byte {
	b := []byte{rowVersion, flag(n.deleted), n.kind[0], n.kind[1]}
	b = binary.BigEndian.AppendUint64(b, uint64(n.at))
	return append(b, n.mark[:]...)
}

func decodeNote(b []byte) (n note, err error) {
	if len(b) != 20 || b[0] != rowVersion || b[1] > 1 {
		return n, damaged("listing")
	}
	n.deleted, n.kind, n.at = b[1] == 1, protocol.Kind(b[2:4]), int64(binary.BigEndian.Uint64(b[4:]))
	n.mark = mark(b[12:])
	return n, nil
}

func damaged(what string) error {
	return protocol.Errorf(protocol.CodeInternal, "", "a row of the OAI-PMH chronicle is damaged (%s): restore the newest backup", what)
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// A stream is the records of one origin and kind. Every record is in one, and lists go through one after the other, so
// that a set of few members costs no more than a full list.
type stream struct {
	origin protocol.MemberID
	kind   protocol.Kind
}

func (s stream) prefix() string { return "t/" + string(s.origin) + "/" + string(s.kind) + "/" }

// after is the key that comes before all rows of a time.
func (s stream) after(at int64) string { return fmt.Sprintf("%s%010x", s.prefix(), at) }

// kinds in the order of streams.
func kinds() []protocol.Kind {
	all := append(protocol.Kinds(), unknownKind)
	slices.Sort(all)
	return all
}

// entry is a row of a stream.
type entry struct {
	match.Ref
	kind    protocol.Kind
	at      int64
	deleted bool
}

func (e entry) key() string {
	return stream{e.Origin, e.kind}.after(e.at) + "/" + string(e.ID)
}

func decodeEntry(key string, value []byte) (e entry, err error) {
	p := strings.Split(key, "/")
	if len(p) != 5 || p[0] != "t" || len(p[3]) != 10 || len(value) != 1 || value[0] > 1 {
		return e, damaged("order")
	}
	at, err := strconv.ParseInt(p[3], 16, 64)
	if err != nil {
		return e, damaged("order")
	}
	return entry{match.Ref{Origin: protocol.MemberID(p[1]), ID: protocol.ListingID(p[4])}, protocol.Kind(p[2]), at, value[0] == 1}, nil
}

// cursor says how far an origin's copy was followed. The zero value: it was not, or its origin left.
type cursor struct {
	pos    protocol.Position
	header protocol.Hash // at pos; zero where pos is within what is being followed
}

func cursorKey(origin protocol.MemberID) string { return "c/" + string(origin) }

func (c cursor) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, c.pos.Epoch)
	b = binary.BigEndian.AppendUint64(b, c.pos.Seq)
	return append(b, c.header[:]...)
}

func loadCursor(tx *store.Tx, origin protocol.MemberID) (c cursor, err error) {
	b, err := tx.Row(store.TableChronicle, cursorKey(origin))
	if err != nil || b == nil {
		return c, err
	}
	if len(b) != 16+len(c.header) {
		return c, damaged("cursor")
	}
	c.pos = protocol.Position{Epoch: binary.BigEndian.Uint64(b), Seq: binary.BigEndian.Uint64(b[8:])}
	copy(c.header[:], b[16:])
	return c, nil
}

func loadNote(tx *store.Tx, ref match.Ref) (*note, error) {
	b, err := tx.Row(store.TableChronicle, noteKey(ref))
	if err != nil || b == nil {
		return nil, err
	}
	n, err := decodeNote(b)
	return &n, err
}

const timesKey = "m"

// loadTimes reads the first time ever written and the last that may have been shown as over.
func loadTimes(tx *store.Tx) (first, over int64, err error) {
	b, err := tx.Row(store.TableChronicle, timesKey)
	if err != nil || b == nil {
		return 0, 0, err
	}
	if len(b) != 16 {
		return 0, 0, damaged("times")
	}
	return int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:])), nil
}

func encodeTimes(first, over int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(first)), uint64(over))
}
