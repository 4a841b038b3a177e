package protocol

import (
	"slices"
	"strconv"
	"strings"
)

// EpochPrefix begins the record keys of the changes that open epochs.
const EpochPrefix = "epoch/"

// EpochKey is the record key of the change that opens epoch n.
func EpochKey(n uint64) RecordKey { return RecordKey(EpochPrefix + strconv.FormatUint(n, 10)) }

// Opening is the body of the change that opens an epoch: which state of the catalogue goes on, what is void, and why. The
// member's governance key countersigns it, so that a stolen record key alone cannot rewrite history. Field numbers are
// those of the wire form.
type Opening struct {
	Federation Hash     `json:"federation"`     // 1
	Origin     MemberID `json:"origin"`         // 2
	Pos        Position `json:"position"`       // 3, 4: of the change that opens the epoch
	Base       Position `json:"base"`           // 5, 6: the state that goes on; seq 0 where nothing is left
	BaseHeader Hash     `json:"base_header"`    // 7: hash of the header there; absent at seq 0
	BaseDigest Hash     `json:"base_digest"`    // 8: digest of the set there
	Reason     string   `json:"reason"`         // 9: one of EpochReasons
	Last       Position `json:"last"`           // 10, 11: the furthest that is known to have been signed; what lies between base and it is void
	Voided     []Voided `json:"voided"`         // 12: the void changes that are known, ascending
	Note       string   `json:"note,omitempty"` // 13: for people
	IssuedAt   Instant  `json:"issued_at"`      // 14
}

// Voided is a signed change that an epoch leaves behind.
type Voided struct {
	Pos    Position   `json:"position"` // 1, 2
	Header Hash       `json:"header"`   // 3
	Key    RecordKey  `json:"key"`      // 4
	Kind   ChangeKind `json:"kind"`     // 5
}

// EpochReasons for which an epoch may be opened: history was lost that nobody else holds; two histories were signed; the
// record key was stolen.
func EpochReasons() []string { return []string{"loss", "fork", "key"} }

// MaxVoided bounds the void changes that an opening lists one by one.
const MaxVoided = 64

func (o *Opening) encode() []byte {
	var e encoder
	e.hash(1, o.Federation)
	e.string(2, string(o.Origin))
	e.uint(3, o.Pos.Epoch)
	e.uint(4, o.Pos.Seq)
	e.uint(5, o.Base.Epoch)
	e.uint(6, o.Base.Seq)
	e.hash(7, o.BaseHeader)
	e.hash(8, o.BaseDigest)
	e.string(9, o.Reason)
	e.uint(10, o.Last.Epoch)
	e.uint(11, o.Last.Seq)
	for _, v := range o.Voided {
		var x encoder
		x.uint(1, v.Pos.Epoch)
		x.uint(2, v.Pos.Seq)
		x.hash(3, v.Header)
		x.string(4, string(v.Key))
		x.uint(5, uint64(v.Kind))
		e.element(12, x.buf)
	}
	e.string(13, o.Note)
	e.uint(14, uint64(o.IssuedAt))
	return e.buf
}

// SignedOpening is an opening with the exact bytes that were signed.
type SignedOpening struct {
	Opening
	raw []byte
	sig Signature
}

// EncodeOpening writes an opening that is not signed yet, to be carried to the governance key: the exact bytes that
// SignOpening signs. What a reader would refuse is not written.
func EncodeOpening(o Opening) ([]byte, error) {
	raw := o.encode()
	if _, err := decodeOpening(raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// ParseOpening reads what EncodeOpening writes.
func ParseOpening(b []byte) (Opening, error) { return decodeOpening(b) }

// SignOpening validates and signs o with the member's governance key. What a reader would refuse is not signed.
func SignOpening(governance *Signer, o Opening) (*SignedOpening, error) {
	raw, err := EncodeOpening(o)
	if err != nil {
		return nil, err
	}
	return &SignedOpening{Opening: o, raw: raw, sig: governance.sign(domainEpoch, raw)}, nil
}

// Bytes is the wire form: 1 opening, 2 signature.
func (s *SignedOpening) Bytes() []byte {
	var e encoder
	e.element(1, s.raw)
	e.element(2, s.sig[:])
	return e.buf
}

// DecodeOpening reads what Bytes writes. The signature is not verified yet: see Roster.VerifyOpening.
func DecodeOpening(b []byte) (*SignedOpening, error) {
	d := newDecoder("opening", b, MaxBody)
	s := new(SignedOpening)
	s.raw = d.bytes(1, "opening", MaxBody)
	signed := d.fixed(2, "signature", s.sig[:])
	if err := d.end(); err != nil {
		return nil, err
	}
	if s.raw == nil || !signed {
		return nil, Errorf(CodeRequired, "opening", "wants an opening and a signature")
	}
	var err error
	if s.Opening, err = decodeOpening(s.raw); err != nil {
		return nil, err
	}
	return s, nil
}

func decodeOpening(b []byte) (o Opening, err error) {
	d := newDecoder("opening", b, MaxBody-128)
	o.Federation = d.hash(1, "federation")
	o.Origin = MemberID(d.string(2, "origin", 16))
	o.Pos = Position{d.uint(3, "epoch"), d.uint(4, "seq")}
	o.Base = Position{d.uint(5, "base_epoch"), d.uint(6, "base_seq")}
	o.BaseHeader = d.hash(7, "base_header")
	o.BaseDigest = d.hash(8, "base_digest")
	o.Reason = d.string(9, "reason", 40)
	o.Last = Position{d.uint(10, "last_epoch"), d.uint(11, "last_seq")}
	d.each(12, "voided", MaxVoided, func(b []byte) {
		x := newDecoder("opening.voided", b, 256)
		v := Voided{Pos: Position{x.uint(1, "epoch"), x.uint(2, "seq")}, Header: x.hash(3, "header")}
		v.Key = RecordKey(x.string(4, "key", MaxRecordKey))
		kind := x.uint(5, "kind")
		d.adopt(x.end())
		if kind < uint64(Put) || kind > uint64(OpenEpoch) {
			d.fail(CodeValue, "voided", "kind %d is not put, withdraw or epoch", kind)
		}
		v.Kind = ChangeKind(kind)
		o.Voided = append(o.Voided, v)
	})
	o.Note = d.string(13, "note", MaxAbstract)
	o.IssuedAt = Instant(d.uint(14, "issued_at"))
	if err := d.end(); err != nil {
		return o, err
	}
	return o, o.Validate()
}

// Validate reports every fault of the opening itself.
func (o *Opening) Validate() error {
	var f faults
	if (o.Federation == Hash{}) {
		f.add(CodeRequired, "opening.federation", "is absent")
	}
	if _, err := ParseMemberID(string(o.Origin)); err != nil {
		f.add(CodeValue, "opening.origin", "%q is no member id", clip(string(o.Origin)))
	}
	if (o.BaseDigest == Hash{}) {
		f.add(CodeRequired, "opening.base_digest", "is absent")
	}
	switch {
	case o.Base.Epoch == 0 || o.Pos.Epoch <= o.Base.Epoch:
		f.add(CodeValue, "opening.epoch", "%d does not come after the base's epoch %d", o.Pos.Epoch, o.Base.Epoch)
	case o.Pos.Epoch <= o.Last.Epoch || o.Pos.Seq <= o.Last.Seq:
		f.add(CodeValue, "opening.seq", "%s is not above %s, which was signed already", o.Pos, o.Last)
	case o.Last.Compare(o.Base) < 0 || o.Last.Seq < o.Base.Seq:
		f.add(CodeValue, "opening.last", "%s is below the base %s", o.Last, o.Base)
	}
	if (o.Base.Seq == 0) != (o.BaseHeader == Hash{}) {
		f.add(CodeValue, "opening.base_header", "names a header exactly when the base's seq is above 0")
	}
	if !slices.Contains(EpochReasons(), o.Reason) {
		f.add(CodeValue, "opening.reason", "%q is no reason: take %s", clip(o.Reason), oneOf(EpochReasons()))
	}
	for i, v := range o.Voided {
		if _, err := ParseRecordKey(string(v.Key)); err != nil || v.Header == (Hash{}) || v.Pos.Epoch == 0 || v.Pos.Seq == 0 || v.Pos.Compare(o.Last) > 0 {
			f.add(CodeValue, "opening.voided", "entry %d names no change at or below %s", i+1, o.Last)
		}
		if i > 0 && (o.Voided[i-1].Pos.Compare(v.Pos) > 0 || o.Voided[i-1].Pos == v.Pos && strings.Compare(string(o.Voided[i-1].Header[:]), string(v.Header[:])) >= 0) {
			f.add(CodeOrder, "opening.voided", "entries ascend by position and hash, each once")
		}
	}
	if !plain(o.Note, false) {
		f.add(CodeText, "opening.note", "is not one line of text")
	}
	if o.IssuedAt < 0 || o.IssuedAt > maxInstant {
		f.add(CodeValue, "opening.issued_at", "is not between 1970 and the year 9999")
	}
	return f.err()
}

// VerifyChange checks a change as VerifyHeader does, and the countersignature where it opens an epoch.
func (r *Roster) VerifyChange(c *Change) error {
	if err := r.VerifyHeader(&c.SignedHeader); err != nil || c.Kind != OpenEpoch {
		return err
	}
	_, err := r.VerifyOpening(c)
	return err
}

// VerifyOpening checks that c, whose header was verified, carries its member's leave to open the epoch: signed by the
// governance key that the charter named which the header names.
func (r *Roster) VerifyOpening(c *Change) (*SignedOpening, error) {
	o, err := DecodeOpening(c.Body)
	if err != nil {
		return nil, err
	}
	charter := r.past[c.CharterVersion]
	if charter == nil {
		return nil, Errorf(CodeCharter, "header.charter_version", "charter %d is not known here", c.CharterVersion)
	}
	m, ok := charter.Member(c.Origin)
	switch {
	case !ok:
		return nil, Errorf(CodeOrigin, "header.origin", "%s was no member under charter %d", c.Origin, c.CharterVersion)
	case !m.Governance.verify(domainEpoch, o.raw, o.sig):
		return nil, Errorf(CodeSignature, "opening.signature", "was not made by the governance key of %s", c.Origin)
	case o.Federation != c.Federation || o.Origin != c.Origin || o.Pos != c.Pos || o.BaseHeader != c.Prev:
		return nil, Errorf(CodeEpoch, "opening", "was countersigned for another change than this one")
	}
	return o, nil
}
