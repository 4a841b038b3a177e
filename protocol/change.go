package protocol

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// ChangeKind says what a change does to its record.
type ChangeKind uint8

// The kinds of change.
const (
	Put       ChangeKind = 1 // the body is the record's new content
	Withdraw  ChangeKind = 2 // the record is withdrawn for ever; the body is a Tombstone
	OpenEpoch ChangeKind = 3 // history goes on from an earlier state; the body is an Opening
)

func (k ChangeKind) String() string {
	switch k {
	case Put:
		return "put"
	case Withdraw:
		return "withdraw"
	case OpenEpoch:
		return "epoch"
	}
	return "unknown"
}

// Header is the signed part of a change. Field numbers are those of the wire form.
type Header struct {
	Federation     Hash       // 1: SHA-256 of charter 1
	Origin         MemberID   // 2
	Key            KeyID      // 3: the record key that signed
	CharterVersion uint64     // 4: the charter that the origin held
	Pos            Position   // 5, 6
	Prev           Hash       // 7: SHA-256 of the header before; absent at 1.1, and where an epoch begins with nothing
	RecordKey      RecordKey  // 8
	Kind           ChangeKind // 9
	PrevSeq        uint64     // 10: seq of the change of the same record that this one replaces, 0 for none
	BodyLen        uint64     // 11
	BodyHash       Hash       // 12
	Floor          uint64     // 13: withdrawals at or below it have left the set
	Count          uint64     // 14: size of the set after this change
	Digest         Hash       // 15: state_digest of the set after this change
}

func (h *Header) encode() []byte {
	e := encoder{buf: make([]byte, 0, 320)}
	e.hash(1, h.Federation)
	e.string(2, string(h.Origin))
	e.bytes(3, h.Key[:])
	e.uint(4, h.CharterVersion)
	e.uint(5, h.Pos.Epoch)
	e.uint(6, h.Pos.Seq)
	e.hash(7, h.Prev)
	e.string(8, string(h.RecordKey))
	e.uint(9, uint64(h.Kind))
	e.uint(10, h.PrevSeq)
	e.uint(11, h.BodyLen)
	e.hash(12, h.BodyHash)
	e.uint(13, h.Floor)
	e.uint(14, h.Count)
	e.hash(15, h.Digest)
	return e.buf
}

func decodeHeader(b []byte) (h Header, err error) {
	d := newDecoder("header", b, MaxHeader)
	h.Federation = d.hash(1, "federation")
	origin := d.string(2, "origin", 16)
	d.fixed(3, "key", h.Key[:])
	h.CharterVersion = d.uint(4, "charter_version")
	h.Pos.Epoch = d.uint(5, "epoch")
	h.Pos.Seq = d.uint(6, "seq")
	h.Prev = d.hash(7, "prev_hash")
	key := d.string(8, "record_key", MaxRecordKey)
	kind := d.uint(9, "kind")
	h.PrevSeq = d.uint(10, "prev_seq")
	h.BodyLen = d.uint(11, "body_len")
	h.BodyHash = d.hash(12, "body_hash")
	h.Floor = d.uint(13, "floor")
	h.Count = d.uint(14, "count")
	h.Digest = d.hash(15, "state_digest")
	if err := d.end(); err != nil {
		return h, err
	}
	h.Origin, h.RecordKey = MemberID(origin), RecordKey(key)
	if kind < uint64(Put) || kind > uint64(OpenEpoch) {
		return h, Errorf(CodeValue, "header.kind", "kind %d is not put, withdraw or epoch", kind)
	}
	h.Kind = ChangeKind(kind)
	return h, h.check()
}

// check is what a header must satisfy on its own.
func (h *Header) check() error {
	if _, err := ParseMemberID(string(h.Origin)); err != nil {
		return Errorf(CodeValue, "header.origin", "%q is no member id", clip(string(h.Origin)))
	}
	if _, err := ParseRecordKey(string(h.RecordKey)); err != nil {
		return Errorf(CodeValue, "header.record_key", "is no record key")
	}
	required := []struct {
		field  string
		absent bool
	}{
		{"federation", h.Federation == Hash{}},
		{"key", h.Key == KeyID{}},
		{"charter_version", h.CharterVersion == 0},
		{"epoch", h.Pos.Epoch == 0},
		{"seq", h.Pos.Seq == 0},
		{"body_hash", h.BodyHash == Hash{}},
		{"count", h.Count == 0},
		{"state_digest", h.Digest == Hash{}},
	}
	for _, r := range required {
		if r.absent {
			return Errorf(CodeRequired, "header."+r.field, "is absent")
		}
	}
	switch first := h.Pos == (Position{1, 1}); {
	case (h.Kind == OpenEpoch) != (h.RecordKey == EpochKey(h.Pos.Epoch)) || h.Kind != OpenEpoch && strings.HasPrefix(string(h.RecordKey), EpochPrefix):
		return Errorf(CodeValue, "header.record_key", "%s is the record of the change that opens epoch %d, and of no other", EpochKey(h.Pos.Epoch), h.Pos.Epoch)
	case h.Kind == OpenEpoch && (h.Pos.Epoch == 1 || h.PrevSeq != 0):
		return Errorf(CodeValue, "header.kind", "opens epoch 2 or a later one, and replaces no record")
	case first && h.Prev != (Hash{}):
		return Errorf(CodeValue, "header.prev_hash", "nothing comes before 1.1")
	case !first && h.Prev == (Hash{}) && h.Kind != OpenEpoch:
		return Errorf(CodeRequired, "header.prev_hash", "is absent though %s is not the first change", h.Pos)
	case h.PrevSeq >= h.Pos.Seq:
		return Errorf(CodeValue, "header.prev_seq", "%d is not below seq %d", h.PrevSeq, h.Pos.Seq)
	case h.Kind == Withdraw && h.PrevSeq == 0:
		return Errorf(CodeValue, "header.prev_seq", "a withdrawal replaces a record")
	case h.Floor >= h.Pos.Seq && h.Floor > 0:
		return Errorf(CodeValue, "header.floor", "%d is not below seq %d", h.Floor, h.Pos.Seq)
	case h.Count > h.Pos.Seq:
		return Errorf(CodeValue, "header.count", "%d records from %d changes", h.Count, h.Pos.Seq)
	case h.BodyLen > MaxBody:
		return Errorf(CodeTooLarge, "header.body_len", "%d bytes, at most %d", h.BodyLen, MaxBody)
	}
	return nil
}

// Element of the set that this change's record is.
func (h *Header) Element() Element {
	return Element{Origin: h.Origin, Pos: h.Pos, Kind: h.Kind, Key: h.RecordKey, Body: h.BodyHash}
}

// SignedHeader is a header with the exact bytes that were signed.
type SignedHeader struct {
	Header
	Raw Hash // SHA-256 of the header's bytes: what the next change names as prev_hash
	raw []byte
	sig Signature
}

// Bytes is the wire form: 1 header, 2 signature.
func (s *SignedHeader) Bytes() []byte {
	e := encoder{buf: make([]byte, 0, len(s.raw)+80)}
	e.element(1, s.raw)
	e.element(2, s.sig[:])
	return e.buf
}

// DecodeSignedHeader reads what Bytes writes. The signature is not verified yet.
func DecodeSignedHeader(b []byte) (*SignedHeader, error) {
	d := newDecoder("change", b, MaxHeader+128)
	s, err := takeSignedHeader(d)
	if err != nil {
		return nil, err
	}
	return s, d.end()
}

func takeSignedHeader(d *decoder) (*SignedHeader, error) {
	s := new(SignedHeader)
	raw := d.bytes(1, "header", MaxHeader)
	signed := d.fixed(2, "signature", s.sig[:])
	switch {
	case d.err != nil:
		return nil, d.err
	case raw == nil:
		return nil, Errorf(CodeRequired, "change.header", "is absent")
	case !signed:
		if err := d.end(); err != nil {
			return nil, err
		}
		return nil, Errorf(CodeRequired, "change.signature", "is absent")
	}
	h, err := decodeHeader(raw)
	if err != nil {
		return nil, err
	}
	s.Header, s.raw, s.Raw = h, raw, Sum(raw)
	return s, nil
}

// Change is a signed header with its body. It is immutable; its slices are those it was decoded from.
type Change struct {
	SignedHeader
	Body []byte
}

// SignChange builds and signs a change over body. It fills BodyLen, BodyHash and Key. What a reader would refuse is not
// signed.
func SignChange(s *Signer, h Header, body []byte) (*Change, error) {
	h.Key, h.BodyLen, h.BodyHash = s.pub.ID(), uint64(len(body)), Sum(body)
	raw := h.encode()
	if _, err := decodeHeader(raw); err != nil {
		return nil, err
	}
	c := &Change{Body: body}
	c.Header, c.raw = h, raw
	c.Raw, c.sig = Sum(c.raw), s.sign(domainChange, c.raw)
	return c, nil
}

// Bytes is the wire form: 1 header, 2 signature, 3 body.
func (c *Change) Bytes() []byte {
	e := encoder{buf: make([]byte, 0, len(c.raw)+len(c.Body)+96)}
	e.element(1, c.raw)
	e.element(2, c.sig[:])
	e.bytes(3, c.Body)
	return e.buf
}

// DecodeChange reads what Bytes writes and checks that the header binds the body. The signature is not verified yet:
// that wants a roster (Roster.VerifyHeader).
func DecodeChange(b []byte) (*Change, error) {
	d := newDecoder("change", b, MaxChange)
	s, err := takeSignedHeader(d)
	if err != nil {
		return nil, err
	}
	c := &Change{SignedHeader: *s, Body: d.bytes(3, "body", MaxBody)}
	if err := d.end(); err != nil {
		return nil, err
	}
	switch {
	case uint64(len(c.Body)) != c.BodyLen:
		return nil, Errorf(CodeBody, "change.body", "%d bytes, but the header binds %d", len(c.Body), c.BodyLen)
	case Sum(c.Body) != c.BodyHash:
		return nil, Errorf(CodeBody, "change.body", "its SHA-256 differs from the header's body_hash")
	}
	return c, nil
}

// Tombstone is the body of a withdrawal. It repeats of the listing what statistics need once its body is erased.
type Tombstone struct {
	Reason     string    `json:"reason"`                // 1: one of Reasons
	ReplacedBy ListingID `json:"replaced_by,omitempty"` // 2: the listing of the same origin to look at instead
	At         Instant   `json:"at"`                    // 3: a label, never an order
	Kind       Kind      `json:"kind,omitempty"`        // 4: of the listing withdrawn
	Country    Country   `json:"country,omitempty"`     // 5
	Published  Date      `json:"published,omitzero"`    // 6
}

// OnHold is the one reason for a withdrawal after which the listing may return.
const OnHold = "on-hold"

// Reasons for a withdrawal.
func Reasons() []string {
	return []string{"agreement", "expired", "no-longer-available", "duplicate", "superseded", "revoked", OnHold, "error", "other"}
}

const tombstoneFields protowire.Number = 6

// Encode writes the canonical form.
func (t Tombstone) Encode() []byte {
	var e encoder
	e.string(1, t.Reason)
	e.string(2, string(t.ReplacedBy))
	e.uint(3, uint64(t.At))
	e.uint(4, t.Kind.wire())
	e.string(5, string(t.Country))
	e.uint(6, uint64(t.Published))
	return e.buf
}

// DecodeTombstone reads and validates the body of a withdrawal.
func DecodeTombstone(b []byte) (Tombstone, error) {
	d := newDecoder("tombstone", b, MaxBody)
	t := Tombstone{Reason: d.string(1, "reason", 40)}
	t.ReplacedBy = ListingID(d.string(2, "replaced_by", 64))
	at, kind := d.uint(3, "at"), d.uint(4, "kind")
	t.Country = Country(d.string(5, "country", 2))
	published := d.uint(6, "published")
	if err := d.endOpen(tombstoneFields); err != nil {
		return t, err
	}
	if published > maxDate {
		return t, Errorf(CodeValue, "published", "is after the year 9999")
	}
	t.At, t.Published = Instant(at), Date(published)
	var ok bool
	if t.Kind, ok = kindOf(kind); !ok && kind != 0 {
		return t, Errorf(CodeValue, "kind", "%d is no kind of listing", kind)
	}
	return t, t.Validate()
}

// Validate reports every fault of t.
func (t Tombstone) Validate() error {
	var f faults
	if !slices.Contains(Reasons(), t.Reason) {
		f.add(CodeValue, "reason", "%q is no reason: take %s", clip(t.Reason), oneOf(Reasons()))
	}
	if t.ReplacedBy != "" {
		if _, err := ParseListingID(string(t.ReplacedBy)); err != nil {
			f.add(CodeValue, "replaced_by", "%q is no listing id", clip(string(t.ReplacedBy)))
		}
	}
	if t.At < 0 || t.At > maxInstant {
		f.add(CodeValue, "at", "is not between 1970 and the year 9999")
	}
	if t.Kind != "" && t.Kind.wire() == 0 {
		f.add(CodeValue, "kind", "%q is no kind of listing: take %s", clip(string(t.Kind)), oneOf(Kinds()))
	}
	if t.Country != "" && !t.Country.wellFormed() {
		f.add(CodeValue, "country", "%q is no ISO 3166-1 alpha-2 code", clip(string(t.Country)))
	}
	if t.Published > maxDate {
		f.add(CodeValue, "published", "is after the year 9999")
	}
	return f.err()
}
