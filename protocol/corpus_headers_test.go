package protocol

import (
	"bytes"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// plainHeader is a header at 1.seq that breaks no rule of its own.
func plainHeader(seq uint64, body []byte, changes ...func(*Header)) Header {
	h := Header{Federation: theFederation().charters["charter-1"].Hash, Origin: "KH", Key: recordKey("KH").Public().ID(), CharterVersion: 1,
		Pos: Position{1, seq}, RecordKey: "listing/solar-pump", Kind: Put, BodyLen: uint64(len(body)), BodyHash: Sum(body),
		Count: 1, Digest: Sum([]byte("state"))}
	if seq > 1 {
		h.Prev = Sum([]byte("before"))
	}
	for _, f := range changes {
		f(&h)
	}
	return h
}

// buildWire breaks each rule of the wire form once, mostly in a request, the simplest message.
func buildWire(c *corpus) {
	bad := func(name, about string, code Code, b ...[]byte) {
		c.invalid("wire-"+name, "request", about, slices.Concat(b...), nil, code)
	}
	kind := number(1, uint64(AskChanges))
	origin := field(2, []byte("KH"))
	bad("tag-cut", "The message ends within a tag.", CodeTruncated, kind, []byte{0x92})
	bad("number-absent", "The message ends after a tag.", CodeTruncated, tag(1, protowire.VarintType))
	bad("number-cut", "The message ends within a number.", CodeTruncated, tag(1, protowire.VarintType), []byte{0x82})
	bad("length-absent", "The message ends before a length.", CodeTruncated, kind, tag(2, protowire.BytesType))
	bad("length-beyond", "A length points beyond the end.", CodeTruncated, kind, tag(2, protowire.BytesType), []byte{3}, []byte("KH"))
	bad("length-huge", "A length of 2^63.", CodeTruncated, kind, protowire.AppendVarint(tag(2, protowire.BytesType), 1<<63))
	bad("tag-long", "A tag is not in its shortest form.", CodeVarint, []byte{0x88, 0x00, 2}, origin)
	bad("number-long", "A number is not in its shortest form.", CodeVarint, tag(1, protowire.VarintType), []byte{0x82, 0x00}, origin)
	bad("length-long", "A length is not in its shortest form.", CodeVarint, kind, tag(2, protowire.BytesType), []byte{0x82, 0x00}, []byte("KH"))
	bad("number-65-bits", "A number has over 64 bits.", CodeVarint, tag(1, protowire.VarintType), bytes.Repeat([]byte{0xff}, 9), []byte{0x02})
	bad("number-11-bytes", "A number has eleven bytes.", CodeVarint, tag(1, protowire.VarintType), bytes.Repeat([]byte{0x80}, 10), []byte{0x01})
	bad("number-large", "A number is over 2^53-1.", CodeTooLarge, kind, origin, number(3, 1), number(4, MaxNumber+1))
	bad("number-64-bits", "A number of 64 bits is well formed, but over 2^53-1.", CodeTooLarge, kind, origin, number(3, 1<<64-1))
	bad("descending", "Field 1 stands after field 2.", CodeOrder, origin, kind)
	bad("number-twice", "A single number stands twice.", CodeRepeated, kind, kind, origin)
	bad("bytes-twice", "A single string stands twice.", CodeRepeated, kind, origin, origin)
	bad("zero-number", "A zero is written out.", CodeZero, kind, origin, number(3, 0))
	bad("zero-bytes", "An empty string is written out.", CodeZero, kind, field(2, nil))
	bad("zero-hash", "An absent hash is written out as 32 zeros.", CodeZero, kind, origin, field(5, make([]byte, 32)))
	bad("short-hash", "A hash has 31 bytes.", CodeLength, kind, origin, field(5, make([]byte, 31)))
	bad("long-hash", "A hash has 33 bytes.", CodeLength, kind, origin, field(5, make([]byte, 33)))
	bad("number-for-bytes", "A number stands where bytes are wanted.", CodeWireType, kind, number(2, 1))
	bad("bytes-for-number", "Bytes stand where a number is wanted.", CodeWireType, field(1, []byte{2}), origin)
	for typ, name := range map[protowire.Type]string{1: "fixed64", 3: "group-start", 4: "group-end", 5: "fixed32", 6: "type-6", 7: "type-7"} {
		bad(name, "Wire type "+name+" is never used.", CodeWireType, kind, tag(2, typ), make([]byte, 8))
	}
	bad("field-zero", "Field number 0 is not valid.", CodeUnknown, []byte{0x00, 0x01}, kind)
	bad("field-over", "Field number 2^29 is not valid.", CodeUnknown, kind, origin, protowire.AppendVarint(nil, 1<<29<<3), []byte{1})
	bad("field-last", "The largest field number is valid, but not known.", CodeUnknown, kind, origin, number(1<<29-1, 1))
	bad("field-above", "An unknown field stands after the known ones.", CodeUnknown, kind, origin, number(11, 1))
	bad("long-string", "A string is over its limit.", CodeTooLarge, kind, field(2, []byte(strings.Repeat("A", 17))))
	bad("not-utf8", "A string is not UTF-8.", CodeText, kind, field(2, []byte{0xc3, 0x28}))
	bad("too-many", "257 elements of a repeated field that takes 256.", CodeTooLarge, number(1, 1), bytes.Repeat(field(8, (&Claim{Origin: "KH"}).encode()), 257))
	bad("nested", "The rules hold in nested messages too: an unknown field in a claim.", CodeUnknown, number(1, 1),
		field(8, slices.Concat(field(1, []byte("KH")), number(7, 1))))
}

func buildHeaders(c *corpus) {
	good := plainHeader(5, nil)
	bad := func(name, about string, code Code, change func(*Header)) {
		h := rawChange(recordKey("KH"), with(good, change), nil).SignedHeader
		c.invalid(name, "header", about, h.Bytes(), nil, code)
	}
	bad("federation-absent", "Federation is absent.", CodeRequired, func(h *Header) { h.Federation = Hash{} })
	bad("key-zero", "The key id is zero.", CodeRequired, func(h *Header) { h.Key = KeyID{} })
	bad("charter-absent", "The charter version is absent.", CodeRequired, func(h *Header) { h.CharterVersion = 0 })
	bad("epoch-absent", "Epoch is absent.", CodeRequired, func(h *Header) { h.Pos.Epoch = 0 })
	bad("seq-absent", "Seq is absent.", CodeRequired, func(h *Header) { h.Pos.Seq = 0 })
	bad("body-hash-absent", "The body's hash is absent.", CodeRequired, func(h *Header) { h.BodyHash = Hash{} })
	bad("count-absent", "Count is absent.", CodeRequired, func(h *Header) { h.Count = 0 })
	bad("digest-absent", "The state digest is absent.", CodeRequired, func(h *Header) { h.Digest = Hash{} })
	bad("prev-absent", "Prev_hash is absent after 1.1.", CodeRequired, func(h *Header) { h.Prev = Hash{} })
	bad("prev-at-first", "Prev_hash stands at 1.1.", CodeValue, func(h *Header) { h.Pos.Seq = 1 })
	bad("origin-absent", "Origin is absent.", CodeValue, func(h *Header) { h.Origin = "" })
	bad("origin-short", "A member id has at least two characters.", CodeValue, func(h *Header) { h.Origin = "K" })
	bad("origin-lower", "A member id has capital letters.", CodeValue, func(h *Header) { h.Origin = "kh" })
	bad("origin-digit", "A member id begins with a letter.", CodeValue, func(h *Header) { h.Origin = "1KH" })
	bad("origin-sign", "A member id has letters and digits.", CodeValue, func(h *Header) { h.Origin = "K-H" })
	bad("record-key-absent", "The record key is absent.", CodeValue, func(h *Header) { h.RecordKey = "" })
	bad("record-key-space", "A record key has no spaces.", CodeValue, func(h *Header) { h.RecordKey = "listing/a b" })
	bad("record-key-letter", "A record key is ASCII.", CodeValue, func(h *Header) { h.RecordKey = "listing/é" })
	bad("record-key-long", "A record key has at most 128 bytes.", CodeTooLarge, func(h *Header) { h.RecordKey = RecordKey(strings.Repeat("k", 129)) })
	bad("kind-absent", "Kind is absent.", CodeValue, func(h *Header) { h.Kind = 0 })
	bad("kind-unknown", "Kind 4 is none.", CodeValue, func(h *Header) { h.Kind = 4 })
	bad("prev-seq-self", "Prev_seq is not below seq.", CodeValue, func(h *Header) { h.PrevSeq = 5 })
	bad("withdraw-nothing", "A withdrawal replaces a record.", CodeValue, func(h *Header) { h.Kind = Withdraw })
	bad("floor-above", "Floor is above seq.", CodeValue, func(h *Header) { h.Floor = 6 })
	bad("floor-self", "Floor is seq itself: a change does not forget itself.", CodeValue, func(h *Header) { h.Floor = 5 })
	bad("prev-absent-in-epoch", "Prev_hash is absent in epoch 2, though the change opens no epoch.", CodeRequired, func(h *Header) { h.Pos.Epoch, h.Prev = 2, Hash{} })
	bad("epoch-key-of-put", "A record key that begins with epoch/ is of kind epoch only.", CodeValue, func(h *Header) { h.Pos.Epoch, h.RecordKey = 2, EpochKey(2) })
	opens := func(h *Header) { h.Pos.Epoch, h.Kind, h.RecordKey = 2, OpenEpoch, EpochKey(2) }
	bad("epoch-key-absent", "The record of a change that opens an epoch is called epoch/ and its number.", CodeValue,
		func(h *Header) { opens(h); h.RecordKey = "listing/solar-pump" })
	bad("epoch-key-other", "The change opens epoch 2, but its record is that of epoch 3.", CodeValue, func(h *Header) { opens(h); h.RecordKey = EpochKey(3) })
	bad("epoch-key-zeros", "The number in the record key has no leading zeros.", CodeValue, func(h *Header) { opens(h); h.RecordKey = "epoch/02" })
	bad("epoch-first", "Epoch 1 is not opened: it is there.", CodeValue, func(h *Header) { opens(h); h.Pos.Epoch, h.RecordKey = 1, EpochKey(1) })
	bad("epoch-prev-seq", "A change that opens an epoch replaces no record.", CodeValue, func(h *Header) { opens(h); h.PrevSeq = 3 })
	bad("count-above", "The set has more records than there were changes.", CodeValue, func(h *Header) { h.Count = 6 })
	bad("body-len-large", "Body_len is over 16,384.", CodeTooLarge, func(h *Header) { h.BodyLen = MaxBody + 1 })
	bad("seq-large", "Seq is 2^53.", CodeTooLarge, func(h *Header) { h.Pos.Seq = MaxNumber + 1 })

	kind260 := rawChange(recordKey("KH"), with(good, func(h *Header) { h.Kind = 0 }), nil)
	at := bytes.Index(kind260.raw, field(12, good.BodyHash[:]))
	c.invalid("kind-257", "header", "Kind 257 is not kind 1.", sealedBy(recordKey("KH"), domainChange,
		slices.Concat(kind260.raw[:at], number(9, 257), kind260.raw[at:])), nil, CodeValue)
	raw, sig := good.encode(), make([]byte, 64)
	shape := func(name, about string, code Code, b ...[]byte) {
		c.invalid(name, "header", about, slices.Concat(b...), nil, code)
	}
	shape("unknown-field", "A header has no field 16: an unknown field changes what is signed.", CodeUnknown, field(1, append(slices.Clone(raw), number(16, 1)...)), field(2, sig))
	shape("header-absent", "The header is absent.", CodeRequired, field(2, sig))
	shape("signature-absent", "The signature is absent.", CodeRequired, field(1, raw))
	shape("signature-short", "A signature has 64 bytes.", CodeLength, field(1, raw), field(2, sig[:63]))
	shape("with-body", "A header alone has no field 3.", CodeUnknown, field(1, raw), field(2, sig), field(3, []byte("body")))
	shape("too-large", "A header is over 1,024 bytes.", CodeTooLarge, field(1, make([]byte, MaxHeader+1)), field(2, sig))

	change := func(name, about string, code Code, bound, body []byte, more ...byte) {
		x := rawChange(recordKey("KH"), plainHeader(1, bound), body)
		c.invalid(name, "change", about, append(x.Bytes(), more...), nil, code)
	}
	change("body-short", "The body is shorter than the header says.", CodeBody, []byte("body"), []byte("bod"))
	change("body-absent", "The body is absent though the header binds one.", CodeBody, []byte("body"), nil)
	change("body-other", "The body has the length but not the hash that the header binds.", CodeBody, []byte("body"), []byte("bode"))
	change("body-large", "The body is over 16,384 bytes.", CodeTooLarge, nil, make([]byte, MaxBody+1))
	change("too-large", "The change is over its limit.", CodeTooLarge, nil, make([]byte, MaxChange))
	change("body-written-empty", "An empty body is written out.", CodeZero, nil, nil, field(3, nil)...)
	change("field-4", "A change has no field 4.", CodeUnknown, []byte("body"), []byte("body"), number(4, 1)...)
}

func buildRoster(c *corpus) {
	kh := recordKey("KH")
	bad := func(name, about string, ctx *corpusContext, code Code, s *Signer, change func(*Header)) {
		h := rawChange(s, plainHeader(5, nil, change), nil).SignedHeader
		c.invalid("roster-"+name, "header", about, h.Bytes(), ctx, code)
	}
	bad("federation", "The header is of another federation.", underFirst, CodeFederation, kh, func(h *Header) { h.Federation = Sum([]byte("other")) })
	bad("charter", "The origin holds a newer charter than this node.", underFirst, CodeCharter, kh, func(h *Header) { h.CharterVersion = 2 })
	bad("origin", "The origin is no member.", underFirst, CodeOrigin, kh, func(h *Header) { h.Origin = "VN" })
	bad("no-card", "No card of the member is known, so none of its keys.", underFirst, CodeCharter, kh, func(h *Header) { h.Origin = "TH" })
	bad("key-id", "The header names a key that the card does not have.", underFirst, CodeKey, kh, func(h *Header) { h.Key = recordKey("LA").Public().ID() })
	bad("key-ended", "The first key signs after its range.", underRotated, CodeKey, kh, func(h *Header) { h.Pos.Seq = 13 })
	bad("key-not-begun", "The second key signs before its range.", underRotated, CodeKey, recordKey("KH second"), bySecond)
	bad("stranger", "The signature was made by another key than the one named.", underFirst, CodeSignature, recordKey("LA"), func(*Header) {})
	bad("sealed", "At the end of a closed range stands another header than the sealed one.", underRotated, CodeFork, kh, func(h *Header) { h.Pos.Seq = 12 })

	raw := plainHeader(5, nil)
	good := rawChange(kh, raw, nil)
	flipped := good.SignedHeader
	flipped.sig[40] ^= 1
	c.invalid("roster-signature-bit", "header", "One bit of the signature is flipped.", flipped.Bytes(), underFirst, CodeSignature)
	altered := good.SignedHeader
	altered.raw = bytes.Replace(altered.raw, []byte("solar-pump"), []byte("solar-pamp"), 1)
	c.invalid("roster-altered", "header", "One letter of the header was altered after signing.", altered.Bytes(), underFirst, CodeSignature)
	c.invalid("roster-domain", "header", "The signature was made for a head statement: domains keep purposes apart.",
		sealedBy(kh, domainHead, raw.encode()), underFirst, CodeSignature)
	c.invalid("roster-no-domain", "header", "The signature covers the header without its domain.", sealedBy(kh, "", raw.encode()), underFirst, CodeSignature)
	mall := good.SignedHeader
	addOrder(mall.sig[32:])
	c.invalid("roster-signature-malleable", "header", "S of the signature is not below the group order: the same signature in other bytes.",
		mall.Bytes(), underFirst, CodeSignature)
}

// addOrder adds the order of the ed25519 group to a little-endian number.
func addOrder(s []byte) {
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10}
	carry := 0
	for i := range s {
		carry += int(s[i]) + int(order[i])
		s[i] = byte(carry)
		carry >>= 8
	}
}
