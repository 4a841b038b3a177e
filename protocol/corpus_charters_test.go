package protocol

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"filippo.io/edwards25519"
)

// withSignatures adds signatures that do not verify.
func withSignatures(c *SignedCharter, ids ...string) *SignedCharter {
	for _, id := range ids {
		c.add(charterSignature{key: governance(id).Public()})
	}
	return c
}

// badKeys are public keys that Check refuses, by name.
func badKeys() map[string]PublicKey {
	noPoint, twin := PublicKey{}, PublicKey{}
	for y := byte(2); ; y++ {
		if _, err := new(edwards25519.Point).SetBytes(append([]byte{y}, make([]byte, 31)...)); err != nil {
			noPoint[0] = y
			break
		}
	}
	// y + p is another encoding of y, for the few y below 19.
	for y := byte(2); ; y++ {
		twin = PublicKey(slices.Concat([]byte{0xed + y}, bytes.Repeat([]byte{0xff}, 30), []byte{0x7f}))
		p, err := new(edwards25519.Point).SetBytes(twin[:])
		if err == nil && new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 0 {
			break
		}
	}
	return map[string]PublicKey{"zero": {}, "identity": {1}, "no-point": noPoint, "second-encoding": twin,
		"order-2": PublicKey(slices.Concat([]byte{0xec}, bytes.Repeat([]byte{0xff}, 30), []byte{0x7f}))}
}

var badKeyAbout = map[string]string{
	"zero": "all zeros: absent, and a point of order 4", "identity": "the identity, of order 1", "order-2": "a point of order 2",
	"no-point": "no point of the curve", "second-encoding": "a second encoding of a point: y is not below 2^255-19",
}

func buildCharters(c *corpus) {
	bad := func(name, about string, code Code, change func(*Charter)) {
		x := charter1()
		change(&x)
		c.invalid(name, "charter", about, signCharter(x, "KH", "LA", "SEC").Bytes(), nil, code)
	}
	two := func(name, about string, code Code, change func(*Charter)) {
		x := after(theFederation().charters["charter-1"], change)
		c.invalid(name, "charter", about, signCharter(x, "KH", "LA", "SEC").Bytes(), nil, code)
	}
	bad("version-absent", "The version is absent.", CodeRequired, func(x *Charter) { x.Version = 0; x.Federation, x.Prev = Hash{1}, Hash{1} })
	bad("first-with-federation", "Charter 1 names a federation: it founds its own.", CodeValue, func(x *Charter) { x.Federation = Hash{1} })
	bad("first-with-prev", "Charter 1 names one before.", CodeValue, func(x *Charter) { x.Prev = Hash{1} })
	two("federation-absent", "Charter 2 names no federation.", CodeValue, func(x *Charter) { x.Federation = Hash{} })
	two("prev-absent", "Charter 2 names none before.", CodeValue, func(x *Charter) { x.Prev = Hash{} })
	bad("name-absent", "The federation has no name.", CodeText, func(x *Charter) { x.Name = "" })
	bad("name-blank", "The federation's name is blank.", CodeText, func(x *Charter) { x.Name = " " })
	bad("name-two-lines", "The federation's name has two lines.", CodeText, func(x *Charter) { x.Name = "a\nb" })
	bad("name-long", "The federation's name is over 200 bytes.", CodeTooLarge, func(x *Charter) { x.Name = strings.Repeat("n", 201) })
	bad("members-absent", "There are no members.", CodeRequired, func(x *Charter) { x.Members = nil })
	bad("members-257", "There are over 256 members.", CodeTooLarge, func(x *Charter) {
		x.Members = nil
		for i := range MaxMembers + 1 {
			x.Members = append(x.Members, Member{ID: MemberID(fmt.Sprintf("M%03d", i))})
		}
	})
	bad("members-descend", "Members do not ascend by id.", CodeOrder, func(x *Charter) { x.Members[0], x.Members[1] = x.Members[1], x.Members[0] })
	bad("member-twice", "A member stands twice.", CodeOrder, func(x *Charter) {
		x.Members = slices.Insert(x.Members, 1, x.Members[0])
		x.Members[1].Governance = governance("other").Public()
	})
	bad("issued-year-10000", "Issued_at is after the year 9999.", CodeValue, func(x *Charter) { x.IssuedAt = maxInstant + 1 })
	one := func(name, about string, code Code, change func(*Member)) {
		bad("member-"+name, about, code, func(x *Charter) { change(&x.Members[0]) })
	}
	one("id-absent", "A member has no id.", CodeValue, func(m *Member) { m.ID = "" })
	one("id-form", "A member's id has a small letter.", CodeValue, func(m *Member) { m.ID = "Kh" })
	one("name-absent", "A member has no name.", CodeText, func(m *Member) { m.Name = "" })
	one("name-control", "A member's name has a control character.", CodeText, func(m *Member) { m.Name = "a\tb" })
	one("name-direction", "A member's name turns the direction of writing.", CodeText, func(m *Member) { m.Name = "a\u202eb" })
	one("country-absent", "A member has no country.", CodeValue, func(m *Member) { m.Country = "" })
	one("country-form", "A member's country has small letters.", CodeValue, func(m *Member) { m.Country = "kh" })
	one("role-absent", "A member has no role.", CodeValue, func(m *Member) { m.Role = 0 })
	one("role-unknown", "Role 3 is none.", CodeValue, func(m *Member) { m.Role = 3 })
	one("quota-large", "A quota is over 2^53-1.", CodeTooLarge, func(m *Member) { m.Quota.Records = MaxNumber + 1 })
	bad("secretariat-with-country", "A secretariat has no country.", CodeValue, func(x *Charter) { x.Members[2].Country = "TH" })
	for name, k := range badKeys() {
		one("key-"+name, "A governance key is "+badKeyAbout[name]+".", CodeKey, func(m *Member) { m.Governance = k })
	}
	bad("key-shared", "Two members share a governance key.", CodeKey, func(x *Charter) { x.Members[1].Governance = x.Members[0].Governance })

	whole := charter1()
	raw := whole.Encode()
	role := slices.Concat(field(1, []byte("KH")), field(2, []byte("Ministry of KH")), field(3, []byte("KH")), number(4, 257), field(5, make([]byte, 32)))
	x := charter1()
	x.Members = x.Members[1:]
	rest := x.Encode()
	at := bytes.Index(rest, tag(5, 2))
	k := governance("KH").Public()
	copy(role[len(role)-32:], k[:])
	c.invalid("member-role-257", "charter", "Role 257 is not role 1.", field(1, slices.Concat(rest[:at], field(5, role), rest[at:])), nil, CodeValue)
	shape := func(name, about string, code Code, b ...[]byte) {
		c.invalid(name, "charter", about, slices.Concat(b...), nil, code)
	}
	entry := func(key PublicKey) []byte { return slices.Concat(field(1, key[:]), field(2, make([]byte, 64))) }
	a, b := governance("KH").Public(), governance("LA").Public()
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	shape("absent", "The charter is absent.", CodeRequired, field(2, entry(a)))
	shape("signature-without-key", "A signature names no key.", CodeRequired, field(1, raw), field(2, field(2, make([]byte, 64))))
	shape("signature-absent", "A signature entry has a key only.", CodeRequired, field(1, raw), field(2, field(1, a[:])))
	shape("signature-empty", "A signature entry is empty.", CodeRequired, field(1, raw), field(2, nil))
	shape("signature-short", "A signature has 64 bytes.", CodeLength, field(1, raw), field(2, slices.Concat(field(1, a[:]), field(2, make([]byte, 63)))))
	shape("signature-unknown-field", "A signature entry has no field 3.", CodeUnknown, field(1, raw), field(2, append(entry(a), number(3, 1)...)))
	shape("signatures-descend", "Signatures do not ascend by key.", CodeOrder, field(1, raw), field(2, entry(b)), field(2, entry(a)))
	shape("signature-twice", "One key signs twice: each key stands once, so that none is counted twice.", CodeOrder, field(1, raw), field(2, entry(a)), field(2, entry(a)))
	shape("signatures-257", "There are over 256 signatures.", CodeTooLarge, field(1, raw), manySignatures())
	shape("unknown-field", "A charter has no field 7.", CodeUnknown, field(1, append(slices.Clone(raw), number(7, 1)...)))
}

func manySignatures() (b []byte) {
	for i := range MaxSignatures + 1 {
		k := PublicKey{byte(i >> 8), byte(i)}
		b = append(b, field(2, slices.Concat(field(1, k[:]), field(2, make([]byte, 64))))...)
	}
	return b
}

func buildFollows(c *corpus) {
	fed := theFederation()
	one := fed.charters["charter-1"]
	follow := func(name, about, prev string, code Code, x *SignedCharter) {
		c.invalid("follows-"+name, "charter", about, x.Bytes(), &corpusContext{Follows: &prev}, code)
	}
	second := func(change func(*Charter), signers ...string) *SignedCharter {
		return signCharter(after(one, func(x *Charter) { joinVN(x); change(x) }), signers...)
	}
	all := []string{"KH", "LA", "SEC", "TH", "VN"}
	keep := func(*Charter) {}
	follow("not-first", "A chain begins with charter 1.", "", CodeVersion, second(keep, all...))
	follow("version-skipped", "Charter 3 does not follow charter 1.", "charter-1", CodeVersion, second(func(x *Charter) { x.Version = 3 }, all...))
	follow("version-same", "Charter 2 does not follow itself.", "charter-2", CodeVersion, fed.charters["charter-2"])
	follow("federation", "Charter 2 is another federation's.", "charter-1", CodeFederation, second(func(x *Charter) { x.Federation = Hash{1} }, all...))
	follow("chain", "Charter 2 follows another charter 1.", "charter-1", CodeChain, second(func(x *Charter) { x.Prev = Hash{1} }, all...))
	follow("first-half", "Two of four are not over half.", "", CodeThreshold, signCharter(charter1(), "KH", "LA"))
	follow("first-unsigned", "Nobody signed.", "", CodeThreshold, signCharter(charter1()))
	follow("strangers", "Signatures of keys that are no member's do not count.", "", CodeThreshold, signCharter(charter1(), "KH", "LA", "stranger", "VN"))
	follow("signature-invalid", "A signature that does not verify does not count.", "", CodeThreshold, withSignatures(signCharter(charter1(), "KH", "LA"), "TH"))
	swapped := signCharter(charter1(), "KH", "LA", "TH")
	swapped.sigs[0].sig, swapped.sigs[1].sig = swapped.sigs[1].sig, swapped.sigs[0].sig
	follow("signatures-swapped", "Two signatures stand under each other's key.", "", CodeThreshold, swapped)
	domain := signCharter(charter1(), "KH", "LA")
	domain.add(charterSignature{governance("TH").Public(), governance("TH").sign(domainCard, domain.raw)})
	follow("domain", "A signature made for a card does not count.", "", CodeThreshold, domain)
	follow("previous-half", "Three of five of its own signed, but two of four of the charter before.", "charter-1", CodeThreshold, second(keep, "KH", "LA", "VN"))
	grown := signCharter(after(one, func(x *Charter) {
		x.Members = append(x.Members, member("VA", "VA"), member("VB", "VB"), member("VC", "VC"), member("VN", "VN"))
	}), "KH", "LA", "SEC", "TH")
	follow("own-half", "All four of the charter before signed, but four of eight of its own.", "charter-1", CodeThreshold, grown)
	rekeyed := second(func(x *Charter) {
		for i := range x.Members[:3] {
			x.Members[i].Governance = governance("new " + string(x.Members[i].ID)).Public()
		}
	}, "new KH", "new LA", "new SEC", "TH", "VN")
	follow("keys-replaced", "New keys of old members do not count for the charter before.", "charter-1", CodeThreshold, rekeyed)
}
