package protocol

import (
	"slices"
)

// plainHead is Cambodia's statement at the end of feed.json.
func plainHead(change func(*Head)) Head {
	fed := theFederation()
	one := fed.charters["charter-1"]
	h := Head{Federation: one.Hash, Origin: "KH", Key: recordKey("KH").Public().ID(), CharterVersion: 1, CharterHash: one.Hash,
		Pos: Position{1, 12}, Header: theFeed(one.Hash)[11].Raw, Counter: uint64(corpusTime) + 7, IssuedAt: corpusTime, LeaseUntil: corpusTime + 86400}
	if change != nil {
		change(&h)
	}
	return h
}

func headBytes(s *Signer, h Head) []byte { return sealedBy(s, domainHead, h.encode()) }

func buildHeads(c *corpus) {
	bad := func(name, about string, code Code, change func(*Head)) {
		c.invalid(name, "head", about, headBytes(recordKey("KH"), plainHead(change)), nil, code)
	}
	bad("federation-absent", "Federation is absent.", CodeRequired, func(h *Head) { h.Federation = Hash{} })
	bad("origin-absent", "Origin is absent.", CodeValue, func(h *Head) { h.Origin = "" })
	bad("origin-form", "Origin is no member id.", CodeValue, func(h *Head) { h.Origin = "Kh" })
	bad("key-zero", "The key id is zero.", CodeRequired, func(h *Head) { h.Key = KeyID{} })
	bad("charter-absent", "The charter version is absent.", CodeRequired, func(h *Head) { h.CharterVersion = 0 })
	bad("charter-hash-absent", "The charter's hash is absent.", CodeRequired, func(h *Head) { h.CharterHash = Hash{} })
	bad("epoch-absent", "Epoch is absent.", CodeRequired, func(h *Head) { h.Pos.Epoch = 0 })
	bad("counter-absent", "Counter is absent.", CodeRequired, func(h *Head) { h.Counter = 0 })
	bad("issued-absent", "Issued_at is absent.", CodeRequired, func(h *Head) { h.IssuedAt = 0 })
	bad("lease-absent", "Lease_until is absent.", CodeRequired, func(h *Head) { h.LeaseUntil = 0 })
	bad("hash-without-seq", "A head hash stands at seq 0.", CodeValue, func(h *Head) { h.Pos.Seq = 0 })
	bad("seq-without-hash", "The head hash is absent at 1.12.", CodeValue, func(h *Head) { h.Header = Hash{} })
	bad("lease-before-issue", "The lease ends before it begins.", CodeValue, func(h *Head) { h.LeaseUntil = h.IssuedAt - 1 })
	bad("issued-year-10000", "Issued_at is after the year 9999.", CodeValue, func(h *Head) { h.IssuedAt = maxInstant + 1 })
	bad("lease-year-10000", "Lease_until is after the year 9999.", CodeValue, func(h *Head) { h.LeaseUntil = maxInstant + 1 })
	bad("counter-large", "Counter is over 2^53-1.", CodeTooLarge, func(h *Head) { h.Counter = MaxNumber + 1 })

	raw, sig := plainHead(nil), make([]byte, 64)
	shape := func(name, about string, code Code, b ...[]byte) {
		c.invalid(name, "head", about, slices.Concat(b...), nil, code)
	}
	shape("statement-absent", "The statement is absent.", CodeRequired, field(2, sig))
	shape("signature-absent", "The signature is absent.", CodeRequired, field(1, raw.encode()))
	shape("signature-long", "A signature has 64 bytes.", CodeLength, field(1, raw.encode()), field(2, append(sig, 0)))
	shape("unknown-field", "A statement has no field 12.", CodeUnknown, field(1, append(raw.encode(), number(12, 1)...)), field(2, sig))
	shape("too-large", "A head is over 1,024 bytes.", CodeTooLarge, field(1, make([]byte, MaxHead)), field(2, sig))

	roster := func(name, about string, ctx *corpusContext, code Code, s *Signer, change func(*Head)) {
		c.invalid("roster-"+name, "head", about, headBytes(s, plainHead(change)), ctx, code)
	}
	kh := recordKey("KH")
	roster("federation", "The statement is of another federation.", underFirst, CodeFederation, kh, func(h *Head) { h.Federation = Sum([]byte("other")) })
	roster("charter", "The origin holds a newer charter than this node.", underFirst, CodeCharter, kh, func(h *Head) { h.CharterVersion = 2 })
	roster("origin", "The origin is no member.", underFirst, CodeOrigin, kh, func(h *Head) { h.Origin = "VN" })
	roster("no-card", "No card of the member is known.", underFirst, CodeCharter, kh, func(h *Head) { h.Origin = "TH" })
	roster("key-id", "The statement names a key that the card does not have.", underFirst, CodeKey, kh, func(h *Head) { h.Key = recordKey("LA").Public().ID() })
	roster("key-ended", "The first key states a position after its range.", underRotated, CodeKey, kh, func(h *Head) { h.Pos.Seq = 13 })
	roster("stranger", "The signature was made by another key.", underFirst, CodeSignature, recordKey("LA"), nil)
	roster("sealed", "The statement names another header than the sealed one.", underRotated, CodeFork, kh, func(h *Head) { h.Header = Sum([]byte("other")) })
	c.invalid("roster-domain", "head", "The signature was made for a change.", sealedBy(kh, domainChange, raw.encode()), underFirst, CodeSignature)
}
