package protocol

import (
	"bytes"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// plainOpening opens epoch 2 at 2.13, where feed.json ends.
func plainOpening(change func(*Opening)) Opening {
	fed := theFederation().charters["charter-1"].Hash
	end := theFeed(fed)[11]
	o := Opening{Federation: fed, Origin: "KH", Pos: Position{2, 13}, Base: end.Pos, BaseHeader: end.Raw, BaseDigest: end.Digest,
		Reason: "key", Last: end.Pos, IssuedAt: corpusTime}
	if change != nil {
		change(&o)
	}
	return o
}

// backTo makes base a position of feed.json; what comes after it is void.
func backTo(seq int) func(*Opening) {
	return func(o *Opening) {
		all := theFeed(o.Federation)
		o.Base, o.BaseHeader, o.BaseDigest = all[seq-1].Pos, all[seq-1].Raw, all[seq-1].Digest
		o.Reason, o.Voided = "fork", voidedBy(all[seq:])
	}
}

func voidedBy(changes []*Change) (out []Voided) {
	for _, c := range changes {
		out = append(out, Voided{c.Pos, c.Raw, c.RecordKey, c.Kind})
	}
	return out
}

func fromNothing(o *Opening) {
	o.Base, o.BaseHeader, o.BaseDigest, o.Reason = Start, Hash{}, new(SetHash).Digest(), "loss"
}

func openingBytes(s *Signer, o Opening) []byte { return sealedBy(s, domainEpoch, o.encode()) }

// epochChange is the change that carries an opening, as its header alone shows it.
func epochChange(s *Signer, o Opening, countersigner *Signer, changes ...func(*Header)) *Change {
	body := openingBytes(countersigner, o)
	return rawChange(s, epochHeader(s, o, body, changes...), body)
}

func epochHeader(s *Signer, o Opening, body []byte, changes ...func(*Header)) Header {
	h := plainHeader(13, body, func(h *Header) {
		h.Key, h.Kind, h.Pos, h.RecordKey, h.Prev = s.Public().ID(), OpenEpoch, o.Pos, EpochKey(o.Pos.Epoch), o.BaseHeader
	})
	for _, f := range changes {
		f(&h)
	}
	return h
}

func underCharter3(h *Header) { h.CharterVersion = 3 }

func validOpenings(c *corpus) {
	good := func(name, about string, change func(*Opening)) {
		c.valid(name, "opening", about, openingBytes(governance("KH"), plainOpening(change)), nil)
	}
	good("key", "The record key was stolen: history goes on from the last good position, under the next key.", nil)
	good("loss", "History was lost, and nobody holds what lay between 1.12 and the 1.20 that the guard file remembers.", func(o *Opening) {
		o.Reason, o.Last, o.Pos = "loss", Position{1, 20}, Position{2, 21}
	})
	good("fork", "Two histories were signed; the one after 1.9 is void, change by change.", backTo(9))
	good("voided-twice-at-a-position", "Both of two changes at one position are void: they ascend by hash.", func(o *Opening) {
		backTo(11)(o)
		other := Voided{Pos: Position{1, 12}, Header: Hash{}, Key: "listing/other", Kind: Withdraw}
		other.Header[31] = 1
		o.Voided = slices.Insert(o.Voided, 0, other)
	})
	good("voided-64", "As many void changes as one opening lists.", func(o *Opening) {
		o.Last, o.Pos, o.Voided = Position{1, 99}, Position{2, 100}, manyVoided(MaxVoided)
	})
	good("from-nothing", "Nothing is left: base is 1.0, without a header, and its digest is that of the empty set.", fromNothing)
	good("skips-an-epoch", "Epoch 2 is left behind as a whole: epoch 3 goes on from epoch 1.", func(o *Opening) {
		o.Pos, o.Last = Position{3, 21}, Position{2, 20}
	})
	good("largest", "Every text as long as it may be.", func(o *Opening) { o.Note = strings.Repeat("n", MaxAbstract) })
	good("note", "A note for people.", func(o *Opening) {
		o.Note = "អេឡិចត្រូនិក: the key was on a laptop that is gone"
	})
	good("time-absent", "The time may be absent.", func(o *Opening) { o.IssuedAt = 0 })

	kh, second := recordKey("KH"), recordKey("KH second")
	change := func(name, about string, ctx *corpusContext, x *Change) {
		c.valid("epoch-"+name, "change", about, x.Bytes(), ctx)
	}
	change("opened", "A change that opens an epoch, countersigned by the governance key.", underFirst, epochChange(kh, plainOpening(nil), governance("KH")))
	change("from-nothing", "An epoch that begins with nothing names no header before.", underFirst, epochChange(kh, plainOpening(fromNothing), governance("KH")))
	change("voided", "An epoch that lists what it left behind.", underFirst, epochChange(kh, plainOpening(backTo(9)), governance("KH")))
	change("old-governance", "The header names charter 1: that the member has another governance key since charter 3 does not undo it.",
		underRekeyed, epochChange(second, plainOpening(nil), governance("KH")))
	change("new-governance", "The header names charter 3, under which the new governance key countersigns.",
		underRekeyed, epochChange(second, plainOpening(nil), governance("KH second"), underCharter3))
}

func manyVoided(n int) (out []Voided) {
	for i := range n {
		out = append(out, Voided{Position{1, uint64(20 + i)}, Sum([]byte{byte(i)}), RecordKey(strings.Repeat("k", MaxRecordKey)), Put})
	}
	return out
}

func buildOpenings(c *corpus) {
	bad := func(name, about string, code Code, change func(*Opening)) {
		c.invalid(name, "opening", about, openingBytes(governance("KH"), plainOpening(change)), nil, code)
	}
	bad("federation-absent", "Federation is absent.", CodeRequired, func(o *Opening) { o.Federation = Hash{} })
	bad("origin-absent", "Origin is absent.", CodeValue, func(o *Opening) { o.Origin = "" })
	bad("origin-form", "Origin is no member id.", CodeValue, func(o *Opening) { o.Origin = "kh" })
	bad("digest-absent", "The digest of the base is absent.", CodeRequired, func(o *Opening) { o.BaseDigest = Hash{} })
	bad("epoch-absent", "The epoch is absent.", CodeValue, func(o *Opening) { o.Pos.Epoch = 0 })
	bad("epoch-of-base", "The epoch is that of the base.", CodeValue, func(o *Opening) { o.Pos.Epoch = 1 })
	bad("epoch-before-base", "The epoch comes before that of the base.", CodeValue, func(o *Opening) { o.Base.Epoch, o.Last.Epoch = 3, 3 })
	bad("epoch-of-last", "Something was signed in this epoch already.", CodeValue, func(o *Opening) { o.Last.Epoch = 2 })
	bad("base-in-epoch-0", "The base is of epoch 0.", CodeValue, func(o *Opening) { o.Base.Epoch = 0 })
	bad("seq-of-last", "The seq is that of the last change that was signed.", CodeValue, func(o *Opening) { o.Pos.Seq = 12 })
	bad("seq-below-last", "The seq is below that of the last change that was signed.", CodeValue, func(o *Opening) { o.Last.Seq = 20 })
	bad("last-absent", "Where history was last signed is absent.", CodeValue, func(o *Opening) { o.Last = Position{} })
	bad("last-below-base", "Last is below the base.", CodeValue, func(o *Opening) { o.Last.Seq = 11 })
	bad("last-seq-below-base", "Last is of a later epoch than the base, but its seq is lower: seq never goes back.", CodeValue,
		func(o *Opening) { o.Pos.Epoch, o.Last = 3, Position{2, 11} })
	bad("base-header-absent", "The base is 1.12, but its header is absent.", CodeValue, func(o *Opening) { o.BaseHeader = Hash{} })
	bad("base-header-of-nothing", "The base is 1.0, and has no header.", CodeValue, func(o *Opening) { o.Base.Seq = 0 })
	bad("reason-absent", "The reason is absent.", CodeValue, func(o *Opening) { o.Reason = "" })
	bad("reason-unknown", "The reason is none of the list.", CodeValue, func(o *Opening) { o.Reason = "rollback" })
	bad("reason-long", "A reason has at most 40 bytes.", CodeTooLarge, func(o *Opening) { o.Reason = strings.Repeat("r", 41) })
	bad("note-control", "The note has a control character.", CodeText, func(o *Opening) { o.Note = "a\tb" })
	bad("note-two-lines", "The note has two lines.", CodeText, func(o *Opening) { o.Note = "a\nb" })
	bad("note-direction", "The note turns the direction of writing.", CodeText, func(o *Opening) { o.Note = "a\u202eb" })
	bad("note-long", "A note has at most 2,000 bytes.", CodeTooLarge, func(o *Opening) { o.Note = strings.Repeat("n", MaxAbstract+1) })
	bad("issued-year-10000", "Issued_at is after the year 9999.", CodeValue, func(o *Opening) { o.IssuedAt = maxInstant + 1 })
	bad("voided-65", "Over 64 void changes are listed.", CodeTooLarge, func(o *Opening) {
		o.Last, o.Pos, o.Voided = Position{1, 99}, Position{2, 100}, manyVoided(MaxVoided+1)
	})
	voided := func(name, about string, code Code, edit func(*Voided)) {
		bad("voided-"+name, about, code, func(o *Opening) { backTo(11)(o); edit(&o.Voided[0]) })
	}
	voided("above-last", "A void change lies above the last that was signed.", CodeValue, func(v *Voided) { v.Pos.Seq = 13 })
	voided("later-epoch", "A void change is of an epoch that was not begun.", CodeValue, func(v *Voided) { v.Pos.Epoch = 2 })
	voided("epoch-absent", "A void change has no epoch.", CodeValue, func(v *Voided) { v.Pos.Epoch = 0 })
	voided("seq-absent", "A void change has no seq.", CodeValue, func(v *Voided) { v.Pos.Seq = 0 })
	voided("header-absent", "A void change has no hash.", CodeValue, func(v *Voided) { v.Header = Hash{} })
	voided("key-absent", "A void change has no record key.", CodeValue, func(v *Voided) { v.Key = "" })
	voided("key-form", "A void change has a record key with a space.", CodeValue, func(v *Voided) { v.Key = "listing/a b" })
	voided("key-long", "A void change has a record key of over 128 bytes.", CodeTooLarge, func(v *Voided) { v.Key = RecordKey(strings.Repeat("k", 129)) })
	voided("kind-absent", "A void change has no kind.", CodeValue, func(v *Voided) { v.Kind = 0 })
	voided("kind-unknown", "A void change is of kind 4.", CodeValue, func(v *Voided) { v.Kind = 4 })
	bad("voided-descend", "Void changes do not ascend by position.", CodeOrder, func(o *Opening) { backTo(10)(o); slices.Reverse(o.Voided) })
	bad("voided-twice", "A void change stands twice.", CodeOrder, func(o *Opening) { backTo(11)(o); o.Voided = slices.Repeat(o.Voided, 2) })
	bad("voided-hash-descends", "Void changes at one position do not ascend by hash.", CodeOrder, func(o *Opening) {
		backTo(11)(o)
		other := Voided{Pos: Position{1, 12}, Key: "listing/other", Kind: Put}
		other.Header[31] = 1
		o.Voided = append(o.Voided, other)
	})

	raw, sig := plainOpening(nil), make([]byte, 64)
	shape := func(name, about string, code Code, b ...[]byte) {
		c.invalid(name, "opening", about, slices.Concat(b...), nil, code)
	}
	entry := func(extra ...[]byte) []byte {
		return slices.Concat(append([][]byte{number(1, 1), number(2, 12), field(3, make32(1)), field(4, []byte("listing/other"))}, extra...)...)
	}
	listed := func(name, about string, code Code, e []byte) {
		one := raw.encode()
		at := bytes.Index(one, number(14, uint64(corpusTime)))
		shape("voided-"+name, about, code, field(1, slices.Concat(one[:at], field(12, e), one[at:])), field(2, sig))
	}
	listed("empty", "An entry of the void changes is empty.", CodeValue, nil)
	listed("kind-257", "Kind 257 is not kind 1.", CodeValue, entry(number(5, 257)))
	listed("unknown-field", "A void change has no field 6.", CodeUnknown, entry(number(5, 1), number(6, 1)))
	listed("large", "A void change has at most 256 bytes.", CodeTooLarge, entry(number(5, 1), field(6, make([]byte, 256))))
	shape("absent", "The opening is absent.", CodeRequired, field(2, sig))
	shape("signature-absent", "The countersignature is absent.", CodeRequired, field(1, raw.encode()))
	shape("signature-short", "A signature has 64 bytes.", CodeLength, field(1, raw.encode()), field(2, sig[:63]))
	shape("unknown-field", "An opening has no field 15.", CodeUnknown, field(1, append(raw.encode(), number(15, 1)...)), field(2, sig))
	shape("field-3", "The signed message has no field 3.", CodeUnknown, field(1, raw.encode()), field(2, sig), number(3, 1))
	shape("inner-too-large", "An opening has at most 16,256 bytes.", CodeTooLarge, field(1, append(raw.encode(), field(protowire.Number(15), make([]byte, MaxBody-128-len(raw.encode())))...)), field(2, sig))
	shape("too-large", "An opening with its signature has at most 16,384 bytes.", CodeTooLarge, field(1, make([]byte, MaxBody)), field(2, sig))
	shape("empty", "A body of no bytes is no opening.", CodeRequired)
	buildEpochChanges(c)
}

// buildEpochChanges breaks the bond between a change that opens an epoch and its countersignature.
func buildEpochChanges(c *corpus) {
	kh, second := recordKey("KH"), recordKey("KH second")
	bad := func(name, about string, ctx *corpusContext, code Code, x *Change) {
		c.invalid("epoch-"+name, "change", about, x.Bytes(), ctx, code)
	}
	// bound carries an opening that was made for another change: the header is that of the plain one.
	bound := func(name, about string, change func(*Opening)) {
		body := openingBytes(governance("KH"), plainOpening(change))
		bad("bound-"+name, about, underFirst, CodeEpoch, rawChange(kh, epochHeader(kh, plainOpening(nil), body), body))
	}
	carrying := func(body []byte) *Change { return rawChange(kh, epochHeader(kh, plainOpening(nil), body), body) }
	bound("federation", "The opening was made in another federation.", func(o *Opening) { o.Federation = Hash{1} })
	bound("origin", "The opening is that of another origin.", func(o *Opening) { o.Origin = "LA" })
	bound("epoch", "The opening is that of epoch 3.", func(o *Opening) { o.Pos.Epoch = 3 })
	bound("seq", "The opening is for another seq.", func(o *Opening) { o.Pos.Seq = 14 })
	bound("base", "The opening names another header than prev_hash.", func(o *Opening) { o.BaseHeader = Hash{1} })
	bound("nothing", "The opening goes on from nothing, but prev_hash names a header.", fromNothing)
	bad("body-empty", "The body is no opening.", underFirst, CodeRequired, carrying(nil))
	bad("body-listing", "The body is a listing.", underFirst, CodeWireType, carrying(leastListing().Encode()))
	bad("unsigned", "The countersignature does not verify.", underFirst, CodeSignature, carrying(slices.Concat(field(1, encodedOpening()), field(2, make([]byte, 64)))))
	bad("record-key", "The record key countersigned: a stolen one would be enough.", underFirst, CodeSignature, epochChange(kh, plainOpening(nil), kh))
	bad("other-member", "Another member's governance key countersigned.", underFirst, CodeSignature, epochChange(kh, plainOpening(nil), governance("LA")))
	bad("domain", "The countersignature was made for a card.", underFirst, CodeSignature, carrying(sealedBy(governance("KH"), domainCard, encodedOpening())))
	bad("header-signature", "The countersignature is right, but the header was signed by another member's record key.", underFirst, CodeSignature,
		epochChange(recordKey("LA"), plainOpening(nil), governance("KH"), func(h *Header) { h.Key = kh.Public().ID() }))
	bad("key-ended", "The first key is sealed at 1.12: it opens no epoch.", underRotated, CodeKey, epochChange(kh, plainOpening(nil), governance("KH")))
	bad("charter", "The header names a charter that is not known here.", underFirst, CodeCharter, epochChange(kh, plainOpening(nil), governance("KH"), func(h *Header) { h.CharterVersion = 2 }))
	bad("governance-not-yet", "The header names charter 1, under which the new governance key was not the member's.", underRekeyed, CodeSignature,
		epochChange(second, plainOpening(nil), governance("KH second")))
	bad("governance-no-longer", "The header names charter 3, under which the old governance key is not the member's.", underRekeyed, CodeSignature,
		epochChange(second, plainOpening(nil), governance("KH"), underCharter3))
	vn := recordKey("VN")
	bad("no-member-then", "The header names charter 1, under which Viet Nam was no member.", underRekeyed, CodeOrigin,
		epochChange(vn, plainOpening(func(o *Opening) { o.Origin = "VN" }), governance("VN"), func(h *Header) { h.Origin = "VN" }))
}

func encodedOpening() []byte { o := plainOpening(nil); return o.encode() }
