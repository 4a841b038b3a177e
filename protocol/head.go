package protocol

// Head is an origin's own statement of where its history stands: heartbeat, lease and checkpoint in one. It is outside
// the chain and uses no seq. Field numbers are those of the wire form.
type Head struct {
	Federation     Hash     // 1
	Origin         MemberID // 2
	Key            KeyID    // 3: the record key that signed
	CharterVersion uint64   // 4
	CharterHash    Hash     // 5: SHA-256 of that charter
	Pos            Position // 6, 7: seq 0 where nothing was published yet
	Header         Hash     // 8: SHA-256 of the head's header; absent at seq 0
	Counter        uint64   // 9: rises with every statement; the newest is the one with the highest
	IssuedAt       Instant  // 10
	LeaseUntil     Instant  // 11
}

func (h *Head) encode() []byte {
	var e encoder
	e.hash(1, h.Federation)
	e.string(2, string(h.Origin))
	e.bytes(3, h.Key[:])
	e.uint(4, h.CharterVersion)
	e.hash(5, h.CharterHash)
	e.uint(6, h.Pos.Epoch)
	e.uint(7, h.Pos.Seq)
	e.hash(8, h.Header)
	e.uint(9, h.Counter)
	e.uint(10, uint64(h.IssuedAt))
	e.uint(11, uint64(h.LeaseUntil))
	return e.buf
}

// SignedHead is a head statement with the exact bytes that were signed.
type SignedHead struct {
	Head
	raw []byte
	sig Signature
}

// SignHead signs h. It fills Key. What a reader would refuse is not signed.
func SignHead(s *Signer, h Head) (*SignedHead, error) {
	h.Key = s.pub.ID()
	raw := h.encode()
	if _, err := decodeHead(raw); err != nil {
		return nil, err
	}
	x := &SignedHead{Head: h, raw: raw}
	x.sig = s.sign(domainHead, x.raw)
	return x, nil
}

// Bytes is the wire form: 1 statement, 2 signature.
func (s *SignedHead) Bytes() []byte {
	var e encoder
	e.element(1, s.raw)
	e.element(2, s.sig[:])
	return e.buf
}

// DecodeHead reads what Bytes writes. The signature is not verified yet.
func DecodeHead(b []byte) (*SignedHead, error) {
	d := newDecoder("head", b, MaxHead)
	s := new(SignedHead)
	s.raw = d.bytes(1, "statement", MaxHead)
	signed := d.fixed(2, "signature", s.sig[:])
	if err := d.end(); err != nil {
		return nil, err
	}
	if s.raw == nil || !signed {
		return nil, Errorf(CodeRequired, "head", "wants a statement and a signature")
	}
	var err error
	if s.Head, err = decodeHead(s.raw); err != nil {
		return nil, err
	}
	return s, nil
}

func decodeHead(b []byte) (h Head, err error) {
	d := newDecoder("head", b, MaxHead)
	h.Federation = d.hash(1, "federation")
	origin := d.string(2, "origin", 16)
	d.fixed(3, "key", h.Key[:])
	h.CharterVersion = d.uint(4, "charter_version")
	h.CharterHash = d.hash(5, "charter_hash")
	h.Pos.Epoch = d.uint(6, "epoch")
	h.Pos.Seq = d.uint(7, "seq")
	h.Header = d.hash(8, "head_hash")
	h.Counter = d.uint(9, "counter")
	issued, lease := d.uint(10, "issued_at"), d.uint(11, "lease_until")
	if err := d.end(); err != nil {
		return h, err
	}
	h.Origin, h.IssuedAt, h.LeaseUntil = MemberID(origin), Instant(issued), Instant(lease)
	return h, h.check()
}

func (h *Head) check() error {
	if _, err := ParseMemberID(string(h.Origin)); err != nil {
		return Errorf(CodeValue, "head.origin", "%q is no member id", clip(string(h.Origin)))
	}
	required := []struct {
		field  string
		absent bool
	}{
		{"federation", h.Federation == Hash{}},
		{"key", h.Key == KeyID{}},
		{"charter_version", h.CharterVersion == 0},
		{"charter_hash", h.CharterHash == Hash{}},
		{"epoch", h.Pos.Epoch == 0},
		{"counter", h.Counter == 0},
		{"issued_at", h.IssuedAt == 0},
		{"lease_until", h.LeaseUntil == 0},
	}
	for _, r := range required {
		if r.absent {
			return Errorf(CodeRequired, "head."+r.field, "is absent")
		}
	}
	if (h.Pos.Seq == 0) != (h.Header == Hash{}) {
		return Errorf(CodeValue, "head.head_hash", "names a header exactly when seq is above 0")
	}
	switch {
	case h.IssuedAt < 0 || h.IssuedAt > maxInstant:
		return Errorf(CodeValue, "head.issued_at", "is not between 1970 and the year 9999")
	case h.LeaseUntil > maxInstant:
		return Errorf(CodeValue, "head.lease_until", "is after the year 9999")
	case h.LeaseUntil < h.IssuedAt:
		return Errorf(CodeValue, "head.lease_until", "is before issued_at")
	}
	return nil
}
