package protocol

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Evidence is two headers that one origin signed and that cannot both belong to one history: at the same position, one
// after the other without naming it, or opening the same epoch.
type Evidence struct {
	A, B *SignedHeader // 1, 2: in the order of positions, then of hashes
}

// MaxEvidence bounds the bytes of one piece of evidence.
const MaxEvidence = 2*(MaxHeader+128) + 16

// NewEvidence puts two headers in order. ok is false where they do not contradict each other.
func NewEvidence(a, b *SignedHeader) (e Evidence, ok bool) {
	if order := a.Pos.Compare(b.Pos); order > 0 || order == 0 && strings.Compare(string(a.Raw[:]), string(b.Raw[:])) > 0 {
		a, b = b, a
	}
	e = Evidence{a, b}
	return e, e.contradicts()
}

func (e Evidence) contradicts() bool {
	a, b := e.A, e.B
	switch {
	case a.Origin != b.Origin || a.Federation != b.Federation || a.Pos.Epoch != b.Pos.Epoch:
		return false
	case a.Pos == b.Pos || a.Kind == OpenEpoch && b.Kind == OpenEpoch:
		return a.Raw != b.Raw
	}
	return b.Pos.Seq == a.Pos.Seq+1 && b.Prev != a.Raw
}

// Origin that signed both.
func (e Evidence) Origin() MemberID { return e.A.Origin }

// Encode writes the canonical form.
func (e Evidence) Encode() []byte {
	var x encoder
	x.element(1, e.A.Bytes())
	x.element(2, e.B.Bytes())
	return x.buf
}

// DecodeEvidence reads what Encode writes and refuses headers that do not contradict each other. The signatures are not
// verified yet: see Roster.VerifyEvidence.
func DecodeEvidence(b []byte) (e Evidence, err error) {
	d := newDecoder("evidence", b, MaxEvidence)
	take := func(num protowire.Number, name string) (h *SignedHeader) {
		raw := d.bytes(num, name, MaxHeader+128)
		if d.err == nil && raw == nil {
			d.fail(CodeRequired, name, "is absent")
		}
		if d.err == nil {
			var err error
			h, err = DecodeSignedHeader(raw)
			d.adopt(err)
		}
		return h
	}
	e.A, e.B = take(1, "a"), take(2, "b")
	if err := d.end(); err != nil {
		return e, err
	}
	if ordered, ok := NewEvidence(e.A, e.B); !ok || ordered != e {
		return e, Errorf(CodeValue, "evidence", "the headers do not contradict each other, or stand in the wrong order")
	}
	return e, nil
}

// VerifyEvidence checks that both headers were signed by the origin, at positions which its card has not settled.
func (r *Roster) VerifyEvidence(e Evidence) error {
	for _, h := range []*SignedHeader{e.A, e.B} {
		if err := r.VerifyHeader(h); err != nil {
			return err
		}
	}
	if r.Settled(e.Origin(), e.B.Pos) {
		return Errorf(CodeReplayed, "evidence", "the card of %s settles what was signed up to there", e.Origin())
	}
	return nil
}

// Settled reports whether a position lies in a range of record keys that the origin's card has sealed: what else was
// signed there, with a key that was stolen later, proves nothing any more.
func (r *Roster) Settled(origin MemberID, pos Position) bool {
	card := r.cards[origin]
	if card == nil {
		return false
	}
	for _, k := range card.Keys {
		if !k.open() && pos.Compare(k.To) <= 0 {
			return true
		}
	}
	return false
}
