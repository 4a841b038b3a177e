package protocol

import (
	"slices"
	"strings"
)

// Role of a member.
type Role uint8

// The roles. A secretariat holds no listings of its own and is no root of trust.
const (
	RoleMember      Role = 1
	RoleSecretariat Role = 2
)

func (r Role) String() string {
	switch r {
	case RoleMember:
		return "member"
	case RoleSecretariat:
		return "secretariat"
	}
	return "unknown"
}

// Member of the federation, as its charter says. Field numbers are those of the wire form.
type Member struct {
	ID         MemberID  // 1
	Name       string    // 2
	Country    Country   // 3: absent for a secretariat
	Role       Role      // 4
	Governance PublicKey // 5
	Quota      Quota     // 6, 7
}

// Quota bounds what a member may ask the others to hold. Zero means the default.
type Quota struct {
	Records       uint64 // 6: records in the set, withdrawn ones included
	ChangesPerDay uint64 // 7: changes a day; 0: no bound
}

// DefaultRecords is the quota of records where the charter names none.
const DefaultRecords = 2_000_000

// MaxRecords is the quota in force.
func (q Quota) MaxRecords() uint64 {
	if q.Records == 0 {
		return DefaultRecords
	}
	return q.Records
}

// Charter says who is in. Charters form a chain from version 1. Field numbers are those of the wire form.
type Charter struct {
	Version    uint64   // 1
	Federation Hash     // 2: SHA-256 of charter 1; absent in charter 1
	Prev       Hash     // 3: SHA-256 of the charter before; absent in charter 1
	Name       string   // 4: of the federation
	Members    []Member // 5: ascending by id
	IssuedAt   Instant  // 6
}

// Member by id.
func (c *Charter) Member(id MemberID) (Member, bool) {
	i, ok := slices.BinarySearchFunc(c.Members, id, func(m Member, id MemberID) int { return strings.Compare(string(m.ID), string(id)) })
	if !ok {
		return Member{}, false
	}
	return c.Members[i], true
}

// Threshold is how many distinct governance keys must sign: over half.
func (c *Charter) Threshold() int { return len(c.Members)/2 + 1 }

// Encode writes the canonical form, which is what members sign.
func (c *Charter) Encode() []byte {
	var e encoder
	e.uint(1, c.Version)
	e.hash(2, c.Federation)
	e.hash(3, c.Prev)
	e.string(4, c.Name)
	for _, m := range c.Members {
		var x encoder
		x.string(1, string(m.ID))
		x.string(2, m.Name)
		x.string(3, string(m.Country))
		x.uint(4, uint64(m.Role))
		x.bytes(5, m.Governance[:])
		x.uint(6, m.Quota.Records)
		x.uint(7, m.Quota.ChangesPerDay)
		e.element(5, x.buf)
	}
	e.uint(6, uint64(c.IssuedAt))
	return e.buf
}

func decodeCharter(b []byte) (*Charter, error) {
	d := newDecoder("charter", b, MaxCharter)
	c := new(Charter)
	c.Version = d.uint(1, "version")
	c.Federation = d.hash(2, "federation")
	c.Prev = d.hash(3, "prev_hash")
	c.Name = d.string(4, "name", 200)
	d.each(5, "members", MaxMembers, func(b []byte) {
		m := newDecoder("member", b, 1<<10)
		var x Member
		x.ID = MemberID(m.string(1, "id", 16))
		x.Name = m.string(2, "name", 200)
		x.Country = Country(m.string(3, "country", 2))
		role := m.uint(4, "role")
		m.fixed(5, "governance", x.Governance[:])
		x.Quota = Quota{Records: m.uint(6, "records"), ChangesPerDay: m.uint(7, "changes_per_day")}
		d.adopt(m.end())
		x.Role = Role(min(role, 255))
		c.Members = append(c.Members, x)
	})
	c.IssuedAt = Instant(d.uint(6, "issued_at"))
	if err := d.end(); err != nil {
		return nil, err
	}
	return c, c.Validate()
}

// Validate reports every fault of the charter itself, its signatures and its place in the chain apart.
func (c *Charter) Validate() error {
	var f faults
	if c.Version == 0 {
		f.add(CodeRequired, "charter.version", "is absent")
	}
	if first := c.Version == 1; first != (c.Federation == Hash{}) || first != (c.Prev == Hash{}) {
		f.add(CodeValue, "charter.prev_hash", "federation and prev_hash stand in every charter but the first")
	}
	if strings.TrimSpace(c.Name) == "" || !plain(c.Name, false) {
		f.add(CodeText, "charter.name", "wants a name on one line")
	}
	if len(c.Members) == 0 {
		f.add(CodeRequired, "charter.members", "a federation has members")
	}
	keys := make(map[PublicKey]MemberID)
	for i, m := range c.Members {
		field := "charter.members[" + string(m.ID) + "]"
		if _, err := ParseMemberID(string(m.ID)); err != nil {
			f.add(CodeValue, field, "%q is no member id", clip(string(m.ID)))
		}
		if i > 0 && c.Members[i-1].ID >= m.ID {
			f.add(CodeOrder, field, "members ascend by id, each once")
		}
		if strings.TrimSpace(m.Name) == "" || !plain(m.Name, false) {
			f.add(CodeText, field+".name", "wants a name on one line")
		}
		switch m.Role {
		case RoleMember:
			if !m.Country.wellFormed() {
				f.add(CodeValue, field+".country", "%q is no ISO 3166-1 alpha-2 code", clip(string(m.Country)))
			}
		case RoleSecretariat:
			if m.Country != "" {
				f.add(CodeValue, field+".country", "a secretariat has none")
			}
		default:
			f.add(CodeValue, field+".role", "%d is neither member nor secretariat", m.Role)
		}
		if err := m.Governance.Check(); err != nil {
			f.add(CodeKey, field+".governance", "%s", All(err)[0].Message)
		}
		if other, dup := keys[m.Governance]; dup {
			f.add(CodeKey, field+".governance", "is also the key of %s", other)
		}
		keys[m.Governance] = m.ID
	}
	if c.IssuedAt < 0 || c.IssuedAt > maxInstant {
		f.add(CodeValue, "charter.issued_at", "is not between 1970 and the year 9999")
	}
	return f.err()
}

// SignedCharter is a charter with its signatures by governance keys.
type SignedCharter struct {
	Charter
	Hash Hash // SHA-256 of the charter's bytes
	raw  []byte
	sigs []charterSignature
}

type charterSignature struct {
	key PublicKey // 1
	sig Signature // 2
}

// NewCharter validates c and makes it ready for signatures. What a reader would refuse is refused here.
func NewCharter(c Charter) (*SignedCharter, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	raw := c.Encode()
	if _, err := decodeCharter(raw); err != nil {
		return nil, err
	}
	return &SignedCharter{Charter: c, raw: raw, Hash: Sum(raw)}, nil
}

// FederationID is the federation that this charter belongs to.
func (c *SignedCharter) FederationID() Hash {
	if c.Version == 1 {
		return c.Hash
	}
	return c.Federation
}

// Sign adds the signature of one governance key; signing twice changes nothing.
func (c *SignedCharter) Sign(s *Signer) {
	c.add(charterSignature{s.pub, s.sign(domainCharter, c.raw)})
}

func (c *SignedCharter) valid(s charterSignature) bool {
	return s.key.verify(domainCharter, c.raw, s.sig)
}

// add takes a valid signature. It takes the place of one of the same key that does not verify.
func (c *SignedCharter) add(s charterSignature) {
	i, found := slices.BinarySearchFunc(c.sigs, s.key, func(x charterSignature, k PublicKey) int { return strings.Compare(string(x.key[:]), string(k[:])) })
	switch {
	case !found:
		c.sigs = slices.Insert(c.sigs, i, s)
	case !c.valid(c.sigs[i]):
		c.sigs[i] = s
	}
}

// Merge takes over the valid signatures of another copy of the same charter.
func (c *SignedCharter) Merge(other *SignedCharter) error {
	if c.Hash != other.Hash {
		return Errorf(CodeConflict, "charter", "the files hold two different charters (%s and %s)", c.Hash.Short(), other.Hash.Short())
	}
	for _, s := range other.sigs {
		if c.valid(s) {
			c.add(s)
		}
	}
	if n := len(c.sigs); n > MaxSignatures {
		return Errorf(CodeTooLarge, "charter.signatures", "%d, at most %d", n, MaxSignatures)
	}
	return nil
}

// Signers lists the members of charter whose governance key signed c with a valid signature.
func (c *SignedCharter) Signers(charter *Charter) []MemberID {
	var ids []MemberID
	for _, m := range charter.Members {
		for _, s := range c.sigs {
			if s.key == m.Governance && c.valid(s) {
				ids = append(ids, m.ID)
			}
		}
	}
	return ids
}

// Bytes is the wire form: 1 charter, 2 repeated signature {1 key, 2 signature}, ascending by key.
func (c *SignedCharter) Bytes() []byte {
	var e encoder
	e.element(1, c.raw)
	for _, s := range c.sigs {
		var x encoder
		x.element(1, s.key[:])
		x.element(2, s.sig[:])
		e.element(2, x.buf)
	}
	return e.buf
}

// DecodeCharter reads what Bytes writes. Signatures are not verified yet: see Follows.
func DecodeCharter(b []byte) (*SignedCharter, error) {
	d := newDecoder("charter", b, MaxCharter+MaxSignatures*128)
	c := &SignedCharter{raw: d.bytes(1, "charter", MaxCharter)}
	d.each(2, "signatures", MaxSignatures, func(b []byte) {
		x := newDecoder("charter.signature", b, 128)
		var s charterSignature
		if !x.fixed(1, "key", s.key[:]) || !x.fixed(2, "signature", s.sig[:]) {
			x.fail(CodeRequired, "", "wants a key and a signature")
		}
		d.adopt(x.end())
		if n := len(c.sigs); n > 0 && strings.Compare(string(c.sigs[n-1].key[:]), string(s.key[:])) >= 0 {
			d.fail(CodeOrder, "signatures", "ascend by key, each once")
		}
		c.sigs = append(c.sigs, s)
	})
	if err := d.end(); err != nil {
		return nil, err
	}
	if c.raw == nil {
		return nil, Errorf(CodeRequired, "charter.charter", "is absent")
	}
	x, err := decodeCharter(c.raw)
	if err != nil {
		return nil, err
	}
	c.Charter, c.Hash = *x, Sum(c.raw)
	return c, nil
}

// Follows verifies that c is a valid successor of prev, or a valid first charter where prev is nil: the version that
// comes next, in the same federation and chain, signed by over half of the governance keys of prev and of its own.
// Signatures are counted by distinct key.
func (c *SignedCharter) Follows(prev *SignedCharter) error {
	if prev == nil {
		if c.Version != 1 {
			return Errorf(CodeVersion, "charter.version", "%d is not the first: begin with charter 1", c.Version)
		}
	} else {
		switch {
		case c.Version != prev.Version+1:
			return Errorf(CodeVersion, "charter.version", "%d does not follow %d", c.Version, prev.Version)
		case c.Federation != prev.FederationID():
			return Errorf(CodeFederation, "charter.federation", "is another federation's")
		case c.Prev != prev.Hash:
			return Errorf(CodeChain, "charter.prev_hash", "is not the hash of charter %d", prev.Version)
		}
		if n, want := len(c.Signers(&prev.Charter)), prev.Threshold(); n < want {
			return Errorf(CodeThreshold, "charter.signatures", "%d of the %d signatures wanted from members of charter %d", n, want, prev.Version)
		}
	}
	if n, want := len(c.Signers(&c.Charter)), c.Threshold(); n < want {
		return Errorf(CodeThreshold, "charter.signatures", "%d of the %d signatures wanted from its own members: pass it to more members and run tmh charter sign", n, want)
	}
	return nil
}
