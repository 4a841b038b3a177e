package protocol

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"
)

const domainEntitlement = "tmh/entitlement/1\x00"

const (
	// MaxEntitlement is how many bytes a signed entitlement may have.
	MaxEntitlement = 1 << 10
	// EntitlementWindow is how far an entitlement's time may be from the origin's clock, either way.
	EntitlementWindow = 10 * time.Minute
)

// Entitlement is what a member asserts of its reader when it asks an origin for a full record. It names nobody: the origin
// sees who vouches, a pseudonym, and no more of the reader than the level's rule looks at. Field numbers are those of the
// wire form.
type Entitlement struct {
	Federation     Hash      // 1
	Member         MemberID  // 2: who asks and vouches
	Key            KeyID     // 3: the record key that signed
	CharterVersion uint64    // 4
	Origin         MemberID  // 5: whom it is meant for
	RecordKey      RecordKey // 6
	Level          Level     // 7: the highest level that is asked for
	IssuedAt       Instant   // 8
	Nonce          Nonce     // 9
	// Of all levels but public.
	Reader Hash // 10: stands for the reader, the same each time that this origin is asked; see Pseudonym
	// Of levels restricted and invited; what the member does not know is absent.
	Organisation     Hash    // 11: stands for the reader's organisation in the same way
	OrganisationType string  // 12: a word
	Country          Country // 13: of the organisation
	// Of level invited: how grants name the reader and the organisation; see Invitee.
	ReaderInvitee       Hash // 14
	OrganisationInvitee Hash // 15
}

// Nonce makes an entitlement good for one request. It is random.
type Nonce [16]byte

// Pseudonym stands for a reader, or an organisation, towards one origin: that one sees the same each time, and two origins
// cannot tell that theirs are one. kind keeps readers and organisations apart; secret is the asking node's own.
func Pseudonym(secret []byte, kind string, origin MemberID, id string) Hash {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("tmh/pseudonym/1\x00" + kind + "\x00" + string(origin) + "\x00" + id))
	return Hash(h.Sum(nil))
}

// Invitee names, in a grant for one record and in an entitlement for it, who is invited: a person by the e-mail address in
// lower case, an organisation by its id at the member's node. Only who knows the name can compute it, or try names.
func Invitee(origin MemberID, key RecordKey, member MemberID, who string) Hash {
	h := sha256.New()
	h.Write([]byte("tmh/invitee/1\x00"))
	for _, s := range []string{string(origin), string(key), string(member), who} {
		n := Sum([]byte(s))
		h.Write(n[:])
	}
	return Hash(h.Sum(nil))
}

func (x *Entitlement) encode() []byte {
	var e encoder
	e.hash(1, x.Federation)
	e.string(2, string(x.Member))
	e.bytes(3, x.Key[:])
	e.uint(4, x.CharterVersion)
	e.string(5, string(x.Origin))
	e.string(6, string(x.RecordKey))
	e.uint(7, x.Level.wire())
	e.uint(8, uint64(x.IssuedAt))
	e.bytes(9, x.Nonce[:])
	e.hash(10, x.Reader)
	e.hash(11, x.Organisation)
	e.string(12, x.OrganisationType)
	e.string(13, string(x.Country))
	e.hash(14, x.ReaderInvitee)
	e.hash(15, x.OrganisationInvitee)
	return e.buf
}

// SignedEntitlement is an entitlement with the exact bytes that were signed.
type SignedEntitlement struct {
	Entitlement
	raw []byte
	sig Signature
}

// SignEntitlement signs x. It fills Key. What a reader would refuse is not signed.
func SignEntitlement(s *Signer, x Entitlement) (*SignedEntitlement, error) {
	x.Key = s.pub.ID()
	raw := x.encode()
	if _, err := decodeEntitlement(raw); err != nil {
		return nil, err
	}
	return &SignedEntitlement{Entitlement: x, raw: raw, sig: s.sign(domainEntitlement, raw)}, nil
}

// Bytes is the wire form: 1 entitlement, 2 signature.
func (s *SignedEntitlement) Bytes() []byte {
	var e encoder
	e.element(1, s.raw)
	e.element(2, s.sig[:])
	return e.buf
}

// DecodeEntitlement reads what Bytes writes. The signature is not verified yet.
func DecodeEntitlement(b []byte) (*SignedEntitlement, error) {
	d := newDecoder("entitlement", b, MaxEntitlement)
	s := new(SignedEntitlement)
	s.raw = d.bytes(1, "entitlement", MaxEntitlement)
	signed := d.fixed(2, "signature", s.sig[:])
	if err := d.end(); err != nil {
		return nil, err
	}
	if s.raw == nil || !signed {
		return nil, Errorf(CodeRequired, "entitlement", "wants an entitlement and a signature")
	}
	var err error
	if s.Entitlement, err = decodeEntitlement(s.raw); err != nil {
		return nil, err
	}
	return s, nil
}

func decodeEntitlement(b []byte) (x Entitlement, err error) {
	d := newDecoder("entitlement", b, MaxEntitlement)
	x.Federation = d.hash(1, "federation")
	x.Member = MemberID(d.string(2, "member", 16))
	d.fixed(3, "key", x.Key[:])
	x.CharterVersion = d.uint(4, "charter_version")
	x.Origin = MemberID(d.string(5, "origin", 16))
	x.RecordKey = RecordKey(d.string(6, "record_key", MaxRecordKey))
	level := d.uint(7, "level")
	issued := d.uint(8, "issued_at")
	d.fixed(9, "nonce", x.Nonce[:])
	x.Reader = d.hash(10, "reader")
	x.Organisation = d.hash(11, "organisation")
	x.OrganisationType = d.string(12, "organisation_type", 40)
	x.Country = Country(d.string(13, "country", 2))
	x.ReaderInvitee = d.hash(14, "reader_invitee")
	x.OrganisationInvitee = d.hash(15, "organisation_invitee")
	if err := d.end(); err != nil {
		return x, err
	}
	var ok bool
	if x.Level, ok = levelOf(level); !ok {
		return x, Errorf(CodeValue, "entitlement.level", "%d is no level", level)
	}
	if issued > maxInstant {
		return x, Errorf(CodeValue, "entitlement.issued_at", "is after the year 9999")
	}
	x.IssuedAt = Instant(issued)
	return x, x.check()
}

func (x *Entitlement) check() error {
	if _, err := ParseMemberID(string(x.Member)); err != nil {
		return Errorf(CodeValue, "entitlement.member", "%q is no member id", clip(string(x.Member)))
	}
	if _, err := ParseMemberID(string(x.Origin)); err != nil {
		return Errorf(CodeValue, "entitlement.origin", "%q is no member id", clip(string(x.Origin)))
	}
	if _, err := ParseRecordKey(string(x.RecordKey)); err != nil {
		return Errorf(CodeValue, "entitlement.record_key", "%q is no record key", clip(string(x.RecordKey)))
	}
	for _, r := range []struct {
		field  string
		absent bool
	}{
		{"federation", x.Federation == Hash{}},
		{"key", x.Key == KeyID{}},
		{"charter_version", x.CharterVersion == 0},
		{"issued_at", x.IssuedAt == 0},
		{"nonce", x.Nonce == Nonce{}},
		{"reader", x.Level != LevelPublic && x.Reader == Hash{}},
	} {
		if r.absent {
			return Errorf(CodeRequired, "entitlement."+r.field, "is absent")
		}
	}
	if x.OrganisationType != "" && !isWord(x.OrganisationType) {
		return Errorf(CodeValue, "entitlement.organisation_type", "%q is no code", clip(x.OrganisationType))
	}
	if x.Country != "" && !x.Country.wellFormed() {
		return Errorf(CodeValue, "entitlement.country", "%q is no ISO 3166-1 alpha-2 code such as KH", clip(string(x.Country)))
	}
	return x.sparing()
}

// sparing refuses what says more of a reader than the level's rule looks at.
func (x *Entitlement) sparing() error {
	organisation := x.Organisation != Hash{} || x.OrganisationType != "" || x.Country != ""
	invitee := x.ReaderInvitee != Hash{} || x.OrganisationInvitee != Hash{}
	switch {
	case x.Level == LevelPublic && x.Reader != Hash{}:
		return Errorf(CodeValue, "entitlement.reader", "is not of level %s", LevelPublic)
	case organisation && !x.Level.Covers(LevelRestricted):
		return Errorf(CodeValue, "entitlement.organisation", "is not of level %s", x.Level)
	case invitee && x.Level != LevelInvited:
		return Errorf(CodeValue, "entitlement.reader_invitee", "and organisation_invitee are of level %s only", LevelInvited)
	}
	return nil
}

// RecordAnswer is what an origin answers to an entitlement: the parts of the record that its reader may see, from the lowest
// level, or why there are none.
type RecordAnswer struct {
	Listing []byte   // the summary, of an invited listing only: it is not in the catalogue
	Parts   [][]byte // Part.Bytes
	Refused *Error   // only Code and Message travel
}

// MeantFor checks what the origin alone can: that x is for it, and was made now. Time is a label: it bounds how long nonces
// are remembered, and orders nothing.
func (x *Entitlement) MeantFor(origin MemberID, now time.Time) error {
	if x.Origin != origin {
		return Errorf(CodeOrigin, "entitlement.origin", "is meant for %s, not for %s", x.Origin, origin)
	}
	if age := now.Sub(x.IssuedAt.Time()); age > EntitlementWindow || age < -EntitlementWindow {
		return Errorf(CodeReplayed, "entitlement.issued_at", "%s is over %s from this node's clock: ask again, and compare the clocks of both nodes",
			x.IssuedAt.Time().Format(time.RFC3339), EntitlementWindow)
	}
	return nil
}

// VerifyEntitlement checks federation, member, key and signature. The key must be the one that the member's card leaves
// open: what was sealed signs nothing new.
func (r *Roster) VerifyEntitlement(x *SignedEntitlement) error {
	if x.Federation != r.Federation() {
		return Errorf(CodeFederation, "entitlement.federation", "is another federation's")
	}
	if x.CharterVersion > r.charter.Version {
		return Errorf(CodeCharter, "entitlement.charter_version", "charter %d is not known here yet", x.CharterVersion)
	}
	if _, ok := r.charter.Member(x.Member); !ok {
		return Errorf(CodeOrigin, "entitlement.member", "%s is no member under charter %d", x.Member, r.charter.Version)
	}
	card := r.cards[x.Member]
	if card == nil {
		return Errorf(CodeCharter, "entitlement.key", "no member card of %s is known here yet", x.Member)
	}
	key := card.Keys[len(card.Keys)-1]
	if key.Key.ID() != x.Key {
		return Errorf(CodeKey, "entitlement.key", "key %s of %s is not in force", x.Key, x.Member)
	}
	if !key.Key.verify(domainEntitlement, x.raw, x.sig) {
		return Errorf(CodeSignature, "entitlement.signature", "was not made by the record key of %s", x.Member)
	}
	return nil
}
