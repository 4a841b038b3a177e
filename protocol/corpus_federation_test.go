package protocol

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// The federation of the corpus: Cambodia, Lao PDR, Thailand and a secretariat, with Viet Nam joining by charter 2.
// Cambodia's first record key is sealed at 1.12, the end of feed.json; a second is open from 1.13. By charter 3 Cambodia
// has another governance key. Thailand has no card.
type federation struct {
	charters map[string]*SignedCharter
	cards    map[string]*SignedCard
	rosters  map[string]*Roster
}

// key is made of the SHA-256 of its name, so that the corpus is the same whoever generates it.
func key(name string) *Signer {
	seed := sha256.Sum256([]byte("tmh corpus " + name))
	return NewSigner(ed25519.NewKeyFromSeed(seed[:]))
}

func governance(id string) *Signer { return key("governance " + id) }
func recordKey(id string) *Signer  { return key("record " + id) }

const corpusTime Instant = 1788220800 // 2026-09-01T00:00:00Z

func member(id string, country Country) Member {
	return Member{ID: MemberID(id), Name: "Ministry of " + id, Country: country, Role: RoleMember, Governance: governance(id).Public()}
}

func secretariat() Member {
	return Member{ID: "SEC", Name: "Secretariat", Role: RoleSecretariat, Governance: governance("SEC").Public(), Quota: Quota{Records: 1000, ChangesPerDay: 50}}
}

func charter1() Charter {
	return Charter{Version: 1, Name: "Corpus federation", IssuedAt: corpusTime,
		Members: []Member{member("KH", "KH"), member("LA", "LA"), secretariat(), member("TH", "TH")}}
}

// after drafts the charter that follows prev, with changes.
func after(prev *SignedCharter, change func(*Charter)) Charter {
	c := prev.Charter
	c.Version, c.Federation, c.Prev = prev.Version+1, prev.FederationID(), prev.Hash
	c.Members = slices.Clone(c.Members)
	change(&c)
	return c
}

func joinVN(c *Charter) { c.Members = append(c.Members, member("VN", "VN")) }

// rekeyKH gives Cambodia another governance key.
func rekeyKH(c *Charter) { c.Members[0].Governance = governance("KH second").Public() }

// signCharter signs without validation: the corpus also wants charters that NewCharter refuses.
func signCharter(c Charter, signers ...string) *SignedCharter {
	raw := c.Encode()
	s := &SignedCharter{Charter: c, raw: raw, Hash: Sum(raw)}
	for _, id := range signers {
		s.Sign(governance(id))
	}
	return s
}

func corpusCard(fed Hash, id string, version uint64, keys ...RecordKeyRange) Card {
	return Card{Federation: fed, Member: MemberID(id), Version: version, Keys: keys, IssuedAt: corpusTime, URL: "https://tmh.example/" + id,
		Peers: []Peer{{ID: "12D3KooW" + id, Addresses: []string{"/dns4/tmh.example/udp/4001/quic-v1"}}}}
}

func openFrom(s *Signer, seq uint64) RecordKeyRange {
	return RecordKeyRange{Key: s.Public(), From: Position{1, seq}}
}

// signCard signs without validation.
func signCard(s *Signer, c Card) *SignedCard {
	x := &SignedCard{Card: c, raw: c.encode()}
	x.sig = s.sign(domainCard, x.raw)
	return x
}

var theFederation = sync.OnceValue(func() *federation {
	one := signCharter(charter1(), "KH", "LA", "SEC")
	two := signCharter(after(one, joinVN), "KH", "TH", "SEC")
	three := signCharter(after(two, rekeyKH), "LA", "TH", "SEC", "VN")
	fed := one.Hash
	sealed := RecordKeyRange{Key: recordKey("KH").Public(), From: Position{1, 1}, To: Position{1, 12}, Seal: theFeed(fed)[11].Raw}
	f := &federation{
		charters: map[string]*SignedCharter{"charter-1": one, "charter-2": two, "charter-3": three},
		cards: map[string]*SignedCard{
			"KH-1": signCard(governance("KH"), corpusCard(fed, "KH", 1, openFrom(recordKey("KH"), 1))),
			"KH-2": signCard(governance("KH"), corpusCard(fed, "KH", 2, sealed, openFrom(recordKey("KH second"), 13))),
			"KH-3": signCard(governance("KH second"), corpusCard(fed, "KH", 3, sealed, openFrom(recordKey("KH second"), 13))),
			"LA-1": signCard(governance("LA"), corpusCard(fed, "LA", 1, openFrom(recordKey("LA"), 1))),
			"VN-1": signCard(governance("VN"), corpusCard(fed, "VN", 1, openFrom(recordKey("VN"), 1))),
		},
	}
	f.rosters = make(map[string]*Roster)
	for name, x := range corpusRosters() {
		r := NewRoster(f.charters[x.Charter])
		r.cards = make(map[MemberID]*SignedCard)
		for _, c := range x.Past {
			r.past[f.charters[c].Version] = f.charters[c]
		}
		for _, c := range x.Cards {
			r.cards[f.cards[c].Member] = f.cards[c]
		}
		f.rosters[name] = r
	}
	return f
})

func corpusRosters() map[string]rosterFile {
	return map[string]rosterFile{
		"first":   {Charter: "charter-1", Cards: []string{"KH-1", "LA-1"}},
		"rotated": {Charter: "charter-2", Past: []string{"charter-1"}, Cards: []string{"KH-2", "LA-1"}},
		"rekeyed": {Charter: "charter-3", Past: []string{"charter-1", "charter-2"}, Cards: []string{"KH-3", "LA-1", "VN-1"}},
	}
}

type federationFile struct {
	About    string                `json:"about"`
	ID       Hash                  `json:"federation_id"`
	Charters map[string]string     `json:"charters"`
	Cards    map[string]string     `json:"cards"`
	Rosters  map[string]rosterFile `json:"rosters"`
}

type rosterFile struct {
	Charter string   `json:"charter"`        // in force
	Past    []string `json:"past,omitempty"` // the charters before it
	Cards   []string `json:"cards"`
}

func (f *federation) file() federationFile {
	out := federationFile{About: "What the other files are verified against: charters and cards by name, and rosters made of them.",
		ID: f.charters["charter-1"].Hash, Charters: map[string]string{}, Cards: map[string]string{}, Rosters: corpusRosters()}
	for name, c := range f.charters {
		out.Charters[name] = hex.EncodeToString(c.Bytes())
	}
	for name, c := range f.cards {
		out.Cards[name] = hex.EncodeToString(c.Bytes())
	}
	return out
}

// field and number write one field, whatever it holds; tag alone begins one.
func field(num protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(tag(num, protowire.BytesType), b)
}

func number(num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(tag(num, protowire.VarintType), v)
}

func tag(num protowire.Number, typ protowire.Type) []byte { return protowire.AppendTag(nil, num, typ) }

// sealedBy wraps and signs the bytes of any message.
func sealedBy(s *Signer, domain string, raw []byte) []byte {
	sig := s.sign(domain, raw)
	return slices.Concat(field(1, raw), field(2, sig[:]))
}

var (
	underFirst   = &corpusContext{Roster: "first"}
	underRotated = &corpusContext{Roster: "rotated"}
	underRekeyed = &corpusContext{Roster: "rekeyed"}
)
