package protocol

import "slices"

// branchFeed is a second history that Cambodia signed: feed.json up to 1.5, and then something else.
func branchFeed(n int) []*Change {
	h := authorFeed(theFederation().charters["charter-1"].Hash, 5)
	for range n {
		h.add(Put, "listing/other", []byte("other"))
	}
	return h.changes
}

// pair encodes two headers as they are given, contradicting or not.
func pair(a, b *SignedHeader) []byte { return Evidence{a, b}.Encode() }

// corpusEvidence is evidence of both kinds against Cambodia, from feed.json and a second history.
func corpusEvidence() map[string]Evidence {
	all, other := theFeed(theFederation().charters["charter-1"].Hash), branchFeed(2)
	out := make(map[string]Evidence)
	for name, x := range map[string][2]*Change{"position": {all[5], other[5]}, "following": {all[5], other[6]}} {
		out[name], _ = NewEvidence(&x[0].SignedHeader, &x[1].SignedHeader)
	}
	return out
}

// secondKeyFork is two headers at 1.13, above what the newer card seals.
func secondKeyFork() Evidence {
	at := func(record RecordKey) *SignedHeader {
		h := plainHeader(13, nil, bySecond, func(h *Header) { h.RecordKey = record })
		return &rawChange(recordKey("KH second"), h, nil).SignedHeader
	}
	e, _ := NewEvidence(at("listing/a"), at("listing/b"))
	return e
}

func validEvidence(c *corpus) {
	e := corpusEvidence()
	c.valid("position", "evidence", "Two headers at 1.6.", e["position"].Encode(), underFirst)
	c.valid("following", "evidence", "A header at 1.7 that does not follow the one at 1.6.", e["following"].Encode(), underFirst)
	c.valid("above-seal", "evidence", "Two headers at 1.13, above what the card seals.", secondKeyFork().Encode(), underRotated)
	opening := func(seq uint64) *SignedHeader {
		return &rawChange(recordKey("KH"), plainHeader(seq, nil, func(h *Header) { h.Pos.Epoch, h.Kind, h.RecordKey, h.PrevSeq = 2, OpenEpoch, EpochKey(2), 0 }), nil).SignedHeader
	}
	c.valid("openings", "evidence", "Two openings of epoch 2, at 2.13 and 2.20.", pair(ordered(opening(13), opening(20))), underFirst)
	c.valid("form", "evidence", "By its form this is evidence, whoever signed it.", pair(ordered(
		&rawChange(recordKey("LA"), plainHeader(5, nil), nil).SignedHeader, &rawChange(recordKey("LA"), plainHeader(5, []byte("x")), nil).SignedHeader)), nil)
}

func ordered(a, b *SignedHeader) (x, y *SignedHeader) {
	e, _ := NewEvidence(a, b)
	return e.A, e.B
}

func buildEvidence(c *corpus) {
	fed := theFederation().charters["charter-1"].Hash
	all, other := theFeed(fed), branchFeed(2)
	e := corpusEvidence()
	bad := func(name, about string, code Code, b ...[]byte) {
		c.invalid(name, "evidence", about, slices.Concat(b...), nil, code)
	}
	header := func(change func(*Header)) *SignedHeader {
		return &rawChange(recordKey("KH"), with(plainHeader(6, nil), change), nil).SignedHeader
	}
	keep := func(*Header) {}
	bad("same", "The same header twice.", CodeValue, pair(&all[5].SignedHeader, &all[5].SignedHeader))
	bad("descending-hashes", "Headers at one position do not ascend by hash.", CodeValue, pair(e["position"].B, e["position"].A))
	bad("descending-positions", "Headers do not ascend by position.", CodeValue, pair(e["following"].B, e["following"].A))
	bad("follows", "The second header follows the first, as it should.", CodeValue, pair(&all[5].SignedHeader, &all[6].SignedHeader))
	bad("gap", "Between 1.5 and 1.7 lies a change that could have joined them.", CodeValue, pair(&all[4].SignedHeader, &other[6].SignedHeader))
	bad("origin", "The headers are of two origins.", CodeValue, pair(ordered(header(keep), header(func(h *Header) { h.Origin = "LA" }))))
	bad("federation", "The headers are of two federations.", CodeValue, pair(ordered(header(keep), header(func(h *Header) { h.Federation = Hash{1} }))))
	bad("epoch", "The headers are of two epochs.", CodeValue, pair(header(keep), header(func(h *Header) { h.Pos = Position{2, 7} })))
	bad("second-absent", "There is one header.", CodeRequired, field(1, e["position"].A.Bytes()))
	bad("first-absent", "The first header is absent.", CodeRequired, field(2, e["position"].A.Bytes()))
	bad("empty", "A message of no bytes.", CodeRequired)
	bad("header-bad", "A header is malformed.", CodeRequired, field(1, field(2, make([]byte, 64))), field(2, e["position"].B.Bytes()))
	bad("with-body", "A header with its body is no header alone.", CodeUnknown, field(1, all[5].Bytes()), field(2, e["position"].B.Bytes()))
	bad("header-large", "A signed header has at most 1,152 bytes.", CodeTooLarge, field(1, make([]byte, MaxHeader+129)))
	bad("unknown-field", "Evidence has no field 3.", CodeUnknown, e["position"].Encode(), number(3, 1))
	bad("too-large", "Evidence has at most 2,320 bytes.", CodeTooLarge, make([]byte, MaxEvidence+1))

	roster := func(name, about string, ctx *corpusContext, code Code, x Evidence) {
		c.invalid("roster-"+name, "evidence", about, x.Encode(), ctx, code)
	}
	forged := func(s *Signer, change func(*Header)) Evidence {
		h := with(plainHeader(6, nil), change)
		x, _ := NewEvidence(&rawChange(s, h, nil).SignedHeader, &rawChange(s, with(h, func(h *Header) { h.RecordKey = "listing/other" }), nil).SignedHeader)
		return x
	}
	one, _ := NewEvidence(&all[5].SignedHeader, &rawChange(recordKey("LA"), plainHeader(6, nil), nil).SignedHeader)
	roster("one-forged", "One of the headers was signed by another key: nobody is accused by what others sign.", underFirst, CodeSignature, one)
	roster("federation", "Both headers are of another federation.", underFirst, CodeFederation, forged(recordKey("KH"), func(h *Header) { h.Federation = Hash{1} }))
	roster("origin", "The origin is no member.", underFirst, CodeOrigin, forged(recordKey("KH"), func(h *Header) { h.Origin = "VN" }))
	roster("charter", "The headers name a charter that is not known here.", underFirst, CodeCharter, forged(recordKey("KH"), func(h *Header) { h.CharterVersion = 2 }))
	roster("key", "The headers name a key that the card does not have.", underFirst, CodeKey, forged(recordKey("KH"), func(h *Header) { h.Key = recordKey("LA").Public().ID() }))
	roster("settled", "The card seals 1.12: what else was signed below proves nothing any more.", underRotated, CodeReplayed, e["position"])
	roster("settled-following", "The same, of two headers that do not follow each other.", underRotated, CodeReplayed, e["following"])
	seal, _ := NewEvidence(&all[11].SignedHeader, &rawChange(recordKey("KH"), plainHeader(12, nil), nil).SignedHeader)
	roster("sealed", "One of the headers is the sealed one: the other is none of the origin's.", underRotated, CodeFork, seal)
}
