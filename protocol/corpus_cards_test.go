package protocol

import (
	"slices"
	"strings"
)

func buildCards(c *corpus) {
	fed := theFederation()
	id := fed.charters["charter-1"].Hash
	kh, second := recordKey("KH"), recordKey("KH second")
	bad := func(name, about string, code Code, change func(*Card)) {
		x := corpusCard(id, "KH", 3, openFrom(kh, 1))
		change(&x)
		c.invalid(name, "card", about, signCard(governance("KH"), x).Bytes(), nil, code)
	}
	bad("federation-absent", "Federation is absent.", CodeRequired, func(x *Card) { x.Federation = Hash{} })
	bad("member-absent", "The member is absent.", CodeValue, func(x *Card) { x.Member = "" })
	bad("member-form", "The member is no member id.", CodeValue, func(x *Card) { x.Member = "K H" })
	bad("version-absent", "The version is absent.", CodeRequired, func(x *Card) { x.Version = 0 })
	bad("peers-absent", "A card names a peer.", CodeRequired, func(x *Card) { x.Peers = nil })
	bad("peers-9", "A card names at most eight peers.", CodeTooLarge, func(x *Card) { x.Peers = slices.Repeat(x.Peers, 9) })
	bad("peer-twice", "A peer stands twice.", CodeRepeated, func(x *Card) { x.Peers = slices.Repeat(x.Peers, 2) })
	bad("peer-id-absent", "A peer has no id.", CodeValue, func(x *Card) { x.Peers[0].ID = "" })
	bad("peer-empty", "A peer is empty.", CodeValue, func(x *Card) { x.Peers[0] = Peer{} })
	bad("peer-id-control", "A peer's id has a control character.", CodeValue, func(x *Card) { x.Peers[0].ID = "12D3\x00" })
	bad("peer-id-long", "A peer's id has at most 128 bytes.", CodeTooLarge, func(x *Card) { x.Peers[0].ID = strings.Repeat("Q", 129) })
	bad("addresses-17", "A peer has at most 16 addresses.", CodeTooLarge, func(x *Card) { x.Peers[0].Addresses = slices.Repeat([]string{"/ip4/192.0.2.1"}, 17) })
	bad("address-empty", "An address is empty.", CodeValue, func(x *Card) { x.Peers[0].Addresses = []string{""} })
	bad("address-form", "An address is no multiaddr: it begins with a slash.", CodeValue, func(x *Card) { x.Peers[0].Addresses = []string{"tmh.example:4001"} })
	bad("address-long", "An address has at most 256 bytes.", CodeTooLarge, func(x *Card) { x.Peers[0].Addresses = []string{"/" + strings.Repeat("a", 256)} })
	bad("address-not-utf8", "An address is not UTF-8.", CodeValue, func(x *Card) { x.Peers[0].Addresses = []string{"/\xff"} })
	bad("url-form", "The pages are at no http or https address.", CodeValue, func(x *Card) { x.URL = "ftp://tmh.example" })
	bad("url-long", "The address of the pages has at most 512 bytes.", CodeTooLarge, func(x *Card) { x.URL = "https://" + strings.Repeat("a", 512) })
	bad("issued-year-10000", "Issued_at is after the year 9999.", CodeValue, func(x *Card) { x.IssuedAt = maxInstant + 1 })

	keys := func(name, about string, code Code, ranges ...RecordKeyRange) {
		bad("keys-"+name, about, code, func(x *Card) { x.Keys = ranges })
	}
	upTo := func(s *Signer, from, to uint64) RecordKeyRange {
		return RecordKeyRange{Key: s.Public(), From: Position{1, from}, To: Position{1, to}, Seal: Hash{1}}
	}
	edit := func(r RecordKeyRange, change func(*RecordKeyRange)) RecordKeyRange { change(&r); return r }
	keys("absent", "A card names a record key.", CodeRequired)
	keys("65", "A card names at most 64 record keys.", CodeTooLarge, slices.Repeat([]RecordKeyRange{openFrom(kh, 1)}, 65)...)
	keys("begin-late", "The first range begins at 1.1.", CodeOrder, openFrom(kh, 2))
	keys("begin-absent", "A range has no beginning.", CodeOrder, RecordKeyRange{Key: kh.Public()})
	keys("gap", "There is a gap between two ranges.", CodeOrder, upTo(kh, 1, 12), openFrom(second, 14))
	keys("overlap", "Two ranges overlap.", CodeOrder, upTo(kh, 1, 12), openFrom(second, 12))
	keys("all-closed", "The last range is closed, so nothing can be signed.", CodeOrder, upTo(kh, 1, 12))
	keys("seal-absent", "A closed range has no seal.", CodeValue, edit(upTo(kh, 1, 12), func(r *RecordKeyRange) { r.Seal = Hash{} }), openFrom(second, 13))
	keys("ends-before", "A range ends before it begins.", CodeValue, upTo(kh, 1, 12), upTo(second, 13, 11), openFrom(kh, 12))
	keys("ends-at-seq-0", "A range ends at 2.0, which is no change's position.", CodeValue,
		edit(upTo(kh, 1, 12), func(r *RecordKeyRange) { r.To = Position{2, 0} }), edit(openFrom(second, 1), func(r *RecordKeyRange) { r.From = Position{2, 1} }))
	keys("ends-in-epoch-0", "A range ends in epoch 0.", CodeValue,
		edit(upTo(kh, 1, 12), func(r *RecordKeyRange) { r.To = Position{0, 12} }), edit(openFrom(second, 13), func(r *RecordKeyRange) { r.From = Position{0, 13} }))
	keys("end-large", "A range ends at 2^53, which nothing could follow.", CodeTooLarge, upTo(kh, 1, MaxNumber+1), openFrom(second, MaxNumber+2))
	keys("open-sealed", "An open range is sealed.", CodeValue, edit(openFrom(kh, 1), func(r *RecordKeyRange) { r.Seal = Hash{1} }))
	for name, k := range badKeys() {
		keys("key-"+name, "A record key is "+badKeyAbout[name]+".", CodeKey, RecordKeyRange{Key: k, From: Position{1, 1}})
	}
	// An open range before another has no end at which the next could begin: the beginning after it breaks a rule too.
	open := corpusCard(id, "KH", 3, openFrom(kh, 1), edit(openFrom(second, 1), func(r *RecordKeyRange) { r.From = Position{0, 1} }))
	c.invalid("keys-two-open", "card", "Two ranges are open.", signCard(governance("KH"), open).Bytes(), nil, CodeOrder)

	good := corpusCard(id, "KH", 3, openFrom(kh, 1))
	raw, sig := good.encode(), make([]byte, 64)
	shape := func(name, about string, code Code, b ...[]byte) {
		c.invalid(name, "card", about, slices.Concat(b...), nil, code)
	}
	shape("absent", "The card is absent.", CodeRequired, field(2, sig))
	shape("signature-absent", "The signature is absent.", CodeRequired, field(1, raw))
	shape("unknown-field", "A card has no field 8.", CodeUnknown, field(1, append(slices.Clone(raw), number(8, 1)...)), field(2, sig))
	shape("too-large", "A card is over 16,384 bytes.", CodeTooLarge, field(1, append(slices.Clone(raw), field(8, make([]byte, MaxCard-len(raw)))...)), field(2, sig))

	verify := func(name, about, under string, code Code, s *Signer, change func(*Card)) {
		x := corpusCard(id, "KH", 3, openFrom(kh, 1))
		change(&x)
		c.invalid("verify-"+name, "card", about, signCard(s, x).Bytes(), &corpusContext{Charter: under}, code)
	}
	verify("federation", "The card is of another federation.", "charter-1", CodeFederation, governance("KH"), func(x *Card) { x.Federation = Hash{1} })
	verify("member", "Viet Nam is no member under charter 1.", "charter-1", CodeOrigin, governance("VN"), func(x *Card) { x.Member = "VN" })
	verify("other-key", "The card was signed by another member's governance key.", "charter-1", CodeSignature, governance("LA"), func(*Card) {})
	verify("record-key", "The card was signed by the record key that it names.", "charter-1", CodeSignature, kh, func(*Card) {})
	domain := sealedBy(governance("KH"), domainCharter, raw)
	c.invalid("verify-domain", "card", "The signature was made for a charter.", domain, &corpusContext{Charter: "charter-1"}, CodeSignature)
	c.invalid("roster-same-version", "card", "The card has the version of the card held.", fed.cards["KH-2"].Bytes(), underRotated, CodeVersion)
	c.invalid("roster-older", "card", "The card is older than the card held.", fed.cards["KH-1"].Bytes(), underRotated, CodeVersion)
}
