package audit

import (
	"encoding/binary"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Log is a node's audit log. It holds no state of its own: that is in the transactions it is given.
type Log struct {
	member protocol.MemberID
	now    func() time.Time
}

// New is the log of member's node. now nil: time.Now.
func New(member protocol.MemberID, now func() time.Time) *Log {
	if now == nil {
		now = time.Now
	}
	return &Log{member: member, now: now}
}

// Anchor is the newest entry's number and hash: what has to stand outside the database for a truncation to be found.
type Anchor struct {
	Seq  uint64
	Hash protocol.Hash
}

// mirrorKey is the row of store.TableSetting that repeats the newest number and hash.
const mirrorKey = "audit/head"

func entryKey(seq uint64) string { return string(binary.BigEndian.AppendUint64(nil, seq)) }

// Append writes ev into the log, in the caller's transaction: what is logged and what is done are there together, or neither.
// It must not be called while the caller iterates over rows.
//
// Errors: CodeRequired, CodeValue and CodeTooLarge for an event that callers must not make.
func (l *Log) Append(tx *store.Tx, ev Event) error {
	e := Entry{
		At: l.now().UTC().Truncate(time.Millisecond), Kind: ev.Kind, Token: ev.Token, Action: ev.Action,
		ResourceKind: ev.ResourceKind, Resource: ev.Resource, Detail: maps.Clone(ev.Detail), Before: ev.Before, After: ev.After,
		Actor: ev.Actor,
	}
	for k, v := range e.Detail {
		e.Detail[k] = clip(v)
	}
	if err := e.check(); err != nil {
		return err
	}
	var err error
	if ev.Actor != "" {
		if e.Actor, err = l.Pseudonym(tx, ev.Actor); err != nil {
			return err
		}
	}
	if ev.ResourceKind == ResourcePerson && ev.Resource != "" {
		if e.Resource, err = l.Pseudonym(tx, ev.Resource); err != nil {
			return err
		}
	}
	head, err := l.Head(tx)
	if err != nil {
		return err
	}
	e.Seq, e.Prev = head.Seq+1, head.Hash
	if err := tx.SetRow(store.TableAudit, entryKey(e.Seq), e.encode(l.member)); err != nil {
		return err
	}
	return tx.SetRow(store.TableSetting, mirrorKey, append([]byte(entryKey(e.Seq)), e.Hash[:]...))
}

// clip cuts a detail's value to its bound, at a character.
func clip(v string) string {
	v = strings.ToValidUTF8(v, "\uFFFD")
	if len(v) <= maxValue {
		return v
	}
	cut := maxValue - len("…")
	for !utf8.RuneStart(v[cut]) {
		cut--
	}
	return v[:cut] + "…"
}

// Head is the newest entry. Where the end of the log was cut off it is what the mirror says, so that what is appended then
// cannot hide the gap.
func (l *Log) Head(tx *store.Tx) (Anchor, error) {
	said, err := mirror(tx)
	if err != nil {
		return Anchor{}, err
	}
	key, row, err := tx.LastRow(store.TableAudit, "")
	if err != nil {
		return Anchor{}, err
	}
	if len(key) != 8 || binary.BigEndian.Uint64([]byte(key)) < said.Seq {
		return said, nil
	}
	last := Anchor{Seq: binary.BigEndian.Uint64([]byte(key))}
	if n := len(row) - len(last.Hash); n >= 0 {
		last.Hash = protocol.Hash(row[n:])
	}
	return last, nil
}

// mirror is what the repeated head says, zero where there is none or it is damaged.
func mirror(tx *store.Tx) (a Anchor, err error) {
	b, err := tx.Row(store.TableSetting, mirrorKey)
	if err != nil || len(b) != 8+len(a.Hash) {
		return Anchor{}, err
	}
	return Anchor{Seq: binary.BigEndian.Uint64(b), Hash: protocol.Hash(b[8:])}, nil
}
