package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// ActorKind says what acted.
type ActorKind string

// The kinds of actors.
const (
	Person   ActorKind = "person"   // somebody in a session
	Token    ActorKind = "token"    // a program with somebody's token
	Operator ActorKind = "operator" // somebody at the administration socket
	Node     ActorKind = "node"     // the node by itself, such as at the end of a listing's validity
)

// ResourcePerson is the kind of resource whose ids are people's: the log holds their pseudonyms.
const ResourcePerson = "person"

// Bounds of an entry. A detail's value that is longer is cut.
const (
	maxName    = 64  // bytes of an action, a kind, a token's id or a detail's key
	maxID      = 256 // bytes of a resource's id
	maxDetails = 16
	maxValue   = 512
)

// Event is what a caller wants in the log.
type Event struct {
	Kind         ActorKind
	Actor        string // id of the person, or of the token's owner; "" for operator and node
	Token        string // id of the token
	Action       string // such as posting.publish
	ResourceKind string
	Resource     string
	Detail       map[string]string // at most 16, without names or secrets
	Before       protocol.Hash     // zero: not said
	After        protocol.Hash
}

// Entry is what the log holds. Its encoding is in the package's description.
type Entry struct {
	Seq          uint64            `json:"seq"`
	At           time.Time         `json:"at"` // whole milliseconds, UTC. A label: the numbers are the order
	Kind         ActorKind         `json:"actor_kind"`
	Actor        string            `json:"actor,omitempty"` // a pseudonym
	Token        string            `json:"token,omitempty"`
	Action       string            `json:"action"`
	ResourceKind string            `json:"resource_kind,omitempty"`
	Resource     string            `json:"resource,omitempty"`
	Detail       map[string]string `json:"detail,omitempty"`
	Before       protocol.Hash     `json:"before,omitzero"`
	After        protocol.Hash     `json:"after,omitzero"`
	Prev         protocol.Hash     `json:"prev"`
	Hash         protocol.Hash     `json:"hash"`
}

// body is the bytes that the hash covers, after domain and member.
func (e *Entry) body() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 256), e.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	for _, s := range []string{string(e.Kind), e.Actor, e.Token, e.Action, e.ResourceKind, e.Resource} {
		b = appendText(b, s)
	}
	b = append(b, byte(len(e.Detail)))
	for _, k := range slices.Sorted(maps.Keys(e.Detail)) {
		b = appendText(appendText(b, k), e.Detail[k])
	}
	for _, h := range []protocol.Hash{e.Before, e.After} {
		if h == (protocol.Hash{}) {
			b = append(b, 0)
			continue
		}
		b = append(append(b, 1), h[:]...)
	}
	return append(b, e.Prev[:]...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func hashOf(member protocol.MemberID, body []byte) protocol.Hash {
	h := sha256.New()
	h.Write(appendText([]byte("tmh/audit/1\x00"), string(member)))
	h.Write(body)
	return protocol.Hash(h.Sum(nil))
}

// check reports what keeps an entry out of the log.
func (e *Entry) check() error {
	long := func(field, s string, most int) error {
		if len(s) > most || !utf8.ValidString(s) {
			return protocol.Errorf(protocol.CodeTooLarge, field, "is not UTF-8 or has more than %d bytes", most)
		}
		return nil
	}
	switch e.Kind {
	case Person, Token:
		if e.Actor == "" {
			return protocol.Errorf(protocol.CodeRequired, "actor", "is missing: a %s acts for somebody", e.Kind)
		}
	case Operator, Node:
		if e.Actor != "" {
			return protocol.Errorf(protocol.CodeValue, "actor", "is given, though a %s acts for nobody", e.Kind)
		}
	default:
		return protocol.Errorf(protocol.CodeValue, "actor_kind", "is none of person, token, operator, node")
	}
	if e.Action == "" {
		return protocol.Errorf(protocol.CodeRequired, "action", "is missing")
	}
	if len(e.Detail) > maxDetails {
		return protocol.Errorf(protocol.CodeTooLarge, "detail", "has %d entries, at most %d", len(e.Detail), maxDetails)
	}
	if ms := e.At.UnixMilli(); ms < 0 || ms > maxMillis {
		return protocol.Errorf(protocol.CodeValue, "at", "is before 1970 or after 9999")
	}
	for _, f := range []struct {
		name, value string
		most        int
	}{
		{"actor", e.Actor, maxName}, {"token", e.Token, maxName}, {"action", e.Action, maxName},
		{"resource_kind", e.ResourceKind, maxName}, {"resource", e.Resource, maxID},
	} {
		if err := long(f.name, f.value, f.most); err != nil {
			return err
		}
	}
	for k, v := range e.Detail {
		if k == "" {
			return protocol.Errorf(protocol.CodeRequired, "detail", "has an entry without a name")
		}
		if err := long("detail", k, maxName); err != nil {
			return err
		}
		if err := long("detail", v, maxValue); err != nil {
			return err
		}
	}
	return nil
}

const maxMillis = 253402300799999 // 9999-12-31T23:59:59.999Z

// encode is the row of an entry, whose hash it sets.
func (e *Entry) encode(member protocol.MemberID) []byte {
	b := e.body()
	e.Hash = hashOf(member, b)
	return append(b, e.Hash[:]...)
}

// decode reads a row strictly: what it accepts is what encode writes, but for the hash, which is not compared.
func decode(row []byte) (*Entry, error) {
	if len(row) < 2*sha256.Size {
		return nil, protocol.Errorf(protocol.CodeTruncated, "", "an audit entry of %d bytes", len(row))
	}
	r := &reader{b: row[:len(row)-sha256.Size]}
	e := &Entry{Hash: protocol.Hash(row[len(row)-sha256.Size:])}
	e.Seq = r.number()
	ms := r.number()
	if ms > maxMillis {
		r.bad = true
		ms = 0
	}
	e.At = time.UnixMilli(int64(ms)).UTC()
	e.Kind = ActorKind(r.text())
	for _, s := range []*string{&e.Actor, &e.Token, &e.Action, &e.ResourceKind, &e.Resource} {
		*s = r.text()
	}
	last := ""
	for n := int(r.take(1)[0]); n > 0 && !r.bad; n-- {
		k, v := r.text(), r.text()
		if k <= last {
			r.bad = true
			break
		}
		if e.Detail == nil {
			e.Detail = make(map[string]string, n)
		}
		e.Detail[k], last = v, k
	}
	e.Before, e.After = r.hash(), r.hash()
	e.Prev = protocol.Hash(r.take(sha256.Size))
	if r.bad || len(r.b) > 0 {
		return nil, protocol.Errorf(protocol.CodeTruncated, "", "not an audit entry")
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	return e, nil
}

// reader takes a body apart. Once something is missing, bad stays set and zeros follow.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || len(r.b) < n {
		r.bad = true
		return make([]byte, n)
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) number() uint64 { return binary.BigEndian.Uint64(r.take(8)) }
func (r *reader) text() string   { return string(r.take(int(binary.BigEndian.Uint16(r.take(2))))) }

func (r *reader) hash() (h protocol.Hash) {
	switch r.take(1)[0] {
	case 0:
		return h
	case 1:
		h = protocol.Hash(r.take(sha256.Size))
	}
	r.bad = r.bad || h == (protocol.Hash{})
	return h
}
