package protocol

import (
	"bytes"
	"testing"
	"time"
)

func FuzzDecodeEntitlement(f *testing.F) {
	for _, x := range []Entitlement{publicEntitlement(), registeredEntitlement(), restrictedEntitlement(), invitedEntitlement()} {
		s, err := SignEntitlement(recordKey("KH"), x)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s.Bytes())
		f.Add(s.raw)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeEntitlement(b)
		switch {
		case err != nil && CodeOf(err) == CodeInternal:
			t.Errorf("refused without a code: %v", err)
		case err == nil && (!bytes.Equal(s.Bytes(), b) || !bytes.Equal(s.encode(), s.raw)):
			t.Errorf("decodes, but is written again as\n%x, not\n%x", s.Bytes(), b)
		}
	})
}

func publicEntitlement() Entitlement {
	return Entitlement{Federation: theFederation().rosters["first"].Federation(), Member: "KH", CharterVersion: 1, Origin: "LA", RecordKey: "listing/a", Level: LevelPublic,
		IssuedAt: 1_800_000_000, Nonce: Nonce{1}}
}

func registeredEntitlement() Entitlement {
	x := publicEntitlement()
	x.Level, x.Reader = LevelRegistered, Hash{2}
	return x
}

func restrictedEntitlement() Entitlement {
	x := registeredEntitlement()
	x.Level, x.Organisation, x.OrganisationType, x.Country = LevelRestricted, Hash{3}, "university", "KH"
	return x
}

func invitedEntitlement() Entitlement {
	x := restrictedEntitlement()
	x.Level, x.ReaderInvitee, x.OrganisationInvitee = LevelInvited, Hash{4}, Hash{5}
	return x
}

func TestEntitlementRoundTrip(t *testing.T) {
	for _, x := range []Entitlement{publicEntitlement(), registeredEntitlement(), restrictedEntitlement(), invitedEntitlement()} {
		s, err := SignEntitlement(recordKey("KH"), x)
		if err != nil {
			t.Fatalf("%s: %v", x.Level, err)
		}
		got, err := DecodeEntitlement(s.Bytes())
		if x.Key = recordKey("KH").Public().ID(); err != nil || got.Entitlement != x {
			t.Errorf("%s: got %+v, %v", x.Level, got, err)
		}
		if err := theFederation().rosters["first"].VerifyEntitlement(got); err != nil {
			t.Errorf("%s: %v", x.Level, err)
		}
		if n := len(s.Bytes()); n > MaxEntitlement/2 {
			t.Errorf("%s: %d bytes", x.Level, n)
		}
	}
}

// Of what is absent, what is malformed, and what says more than the level's rule looks at.
func TestEntitlementForm(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Entitlement)
		field  string
		want   Code
	}{
		{"federation", func(x *Entitlement) { x.Federation = Hash{} }, "federation", CodeRequired},
		{"member", func(x *Entitlement) { x.Member = "kh" }, "member", CodeValue},
		{"no member", func(x *Entitlement) { x.Member = "" }, "member", CodeValue},
		{"origin", func(x *Entitlement) { x.Origin = "L" }, "origin", CodeValue},
		{"charter", func(x *Entitlement) { x.CharterVersion = 0 }, "charter_version", CodeRequired},
		{"record key", func(x *Entitlement) { x.RecordKey = "listing/a b" }, "record_key", CodeValue},
		{"no record key", func(x *Entitlement) { x.RecordKey = "" }, "record_key", CodeValue},
		{"level", func(x *Entitlement) { x.Level = "secret" }, "level", CodeValue},
		{"no level", func(x *Entitlement) { x.Level = "" }, "level", CodeValue},
		{"time", func(x *Entitlement) { x.IssuedAt = 0 }, "issued_at", CodeRequired},
		{"late time", func(x *Entitlement) { x.IssuedAt = maxInstant + 1 }, "issued_at", CodeValue},
		{"nonce", func(x *Entitlement) { x.Nonce = Nonce{} }, "nonce", CodeRequired},
		{"reader", func(x *Entitlement) { x.Reader = Hash{} }, "reader", CodeRequired},
		{"type", func(x *Entitlement) { x.OrganisationType = "A Company" }, "organisation_type", CodeValue},
		{"country", func(x *Entitlement) { x.Country = "kh" }, "country", CodeValue},
		{"reader of public", func(x *Entitlement) { *x = registeredEntitlement(); x.Level = LevelPublic }, "reader", CodeValue},
		{"organisation of registered", func(x *Entitlement) { *x = registeredEntitlement(); x.Organisation = Hash{1} }, "organisation", CodeValue},
		{"country of registered", func(x *Entitlement) { *x = registeredEntitlement(); x.Country = "KH" }, "organisation", CodeValue},
		{"invitee of restricted", func(x *Entitlement) { x.Level = LevelRestricted }, "reader_invitee", CodeValue},
	} {
		x := invitedEntitlement()
		tt.change(&x)
		_, err := SignEntitlement(recordKey("KH"), x)
		if CodeOf(err) != tt.want || All(err)[0].Field != "entitlement."+tt.field {
			t.Errorf("%s: got %v, want %s of %s", tt.name, err, tt.want, tt.field)
		}
	}
	s, err := SignEntitlement(recordKey("KH"), registeredEntitlement())
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"nothing":       {},
		"no signature":  field(1, s.raw),
		"two":           append(s.Bytes(), s.Bytes()...),
		"unknown field": append(s.Bytes(), field(3, []byte("x"))...),
		"inside":        append(field(1, append(bytes.Clone(s.raw), field(16, []byte("x"))...)), field(2, s.sig[:])...),
		"too large":     append(field(1, make([]byte, MaxEntitlement)), field(2, s.sig[:])...),
		"truncated":     s.Bytes()[:50],
	} {
		if _, err := DecodeEntitlement(b); err == nil || CodeOf(err) == CodeInternal {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestEntitlementIsVerified(t *testing.T) {
	f := theFederation()
	sign := func(s *Signer, change func(*Entitlement)) *SignedEntitlement {
		x := registeredEntitlement()
		change(&x)
		e, err := SignEntitlement(s, x)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	same := func(*Entitlement) {}
	good := sign(recordKey("KH"), same)
	flipped := *good
	flipped.sig[7] ^= 1
	head := *good
	head.sig = recordKey("KH").sign(domainHead, good.raw)
	bare := *good
	bare.sig = recordKey("KH").sign("", good.raw)
	anothers := *good // names KH's key, and LA signed
	anothers.sig = recordKey("LA").sign(domainEntitlement, good.raw)
	for _, tt := range []struct {
		name   string
		e      *SignedEntitlement
		roster string
		want   Code
	}{
		{"good", good, "first", ""},
		{"flipped", &flipped, "first", CodeSignature},
		{"domain of a head", &head, "first", CodeSignature},
		{"no domain", &bare, "first", CodeSignature},
		{"another member's signature", &anothers, "first", CodeSignature},
		{"another member's key", sign(recordKey("LA"), same), "first", CodeKey},
		{"governance key", sign(governance("KH"), same), "first", CodeKey},
		{"sealed key", good, "rotated", CodeKey},
		{"key in force", sign(recordKey("KH second"), same), "rotated", ""},
		{"federation", sign(recordKey("KH"), func(x *Entitlement) { x.Federation = Hash{9} }), "first", CodeFederation},
		{"stranger", sign(recordKey("KH"), func(x *Entitlement) { x.Member = "XX" }), "first", CodeOrigin},
		{"no card", sign(recordKey("TH"), func(x *Entitlement) { x.Member = "TH" }), "first", CodeCharter},
		{"later charter", sign(recordKey("KH"), func(x *Entitlement) { x.CharterVersion = 2 }), "first", CodeCharter},
	} {
		if err := f.rosters[tt.roster].VerifyEntitlement(tt.e); CodeOf(err) != tt.want {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestEntitlementIsMeantForOneOriginNow(t *testing.T) {
	x := publicEntitlement()
	at := x.IssuedAt.Time()
	for _, tt := range []struct {
		origin MemberID
		now    time.Time
		want   Code
	}{
		{"LA", at, ""},
		{"LA", at.Add(EntitlementWindow), ""},
		{"LA", at.Add(-EntitlementWindow), ""},
		{"LA", at.Add(EntitlementWindow + time.Second), CodeReplayed},
		{"LA", at.Add(-EntitlementWindow - time.Second), CodeReplayed},
		{"TH", at, CodeOrigin},
	} {
		if err := x.MeantFor(tt.origin, tt.now); CodeOf(err) != tt.want {
			t.Errorf("%s at %s: got %v, want %q", tt.origin, tt.now, err, tt.want)
		}
	}
}

// A pseudonym is the same each time, and another for every reader, kind, origin and node.
func TestPseudonyms(t *testing.T) {
	seen := make(map[Hash]string)
	add := func(name string, h Hash) {
		if old, ok := seen[h]; ok {
			t.Errorf("%s has the pseudonym of %s", name, old)
		}
		seen[h] = name
	}
	for _, secret := range []string{"one secret", "another"} {
		for _, kind := range []string{"reader", "organisation"} {
			for _, origin := range []MemberID{"LA", "KH"} {
				for _, id := range []string{"u1", "u2", ""} {
					h := Pseudonym([]byte(secret), kind, origin, id)
					if h != Pseudonym([]byte(secret), kind, origin, id) {
						t.Error("it changes")
					}
					add(secret+kind+string(origin)+id, h)
				}
			}
		}
	}
	for _, origin := range []MemberID{"LA", "KH"} {
		for _, key := range []RecordKey{"listing/a", "listing/b"} {
			for _, m := range []MemberID{"TH", "VN"} {
				for _, who := range []string{"a@example.org", "b@example.org"} {
					add(string(origin)+string(key)+string(m)+who, Invitee(origin, key, m, who))
				}
			}
		}
	}
}
