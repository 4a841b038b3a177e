package protocol

import (
	"slices"
	"strings"
)

// Peer is one transport identity of a member.
type Peer struct {
	ID        string   `json:"id"`        // 1: libp2p peer id, in its base58 text form
	Addresses []string `json:"addresses"` // 2: multiaddrs at which it listens
}

// RecordKeyRange is a record key and the positions for which it may sign.
type RecordKeyRange struct {
	Key  PublicKey // 1
	From Position  // 2, 3: first position, inclusive
	To   Position  // 4, 5: last position, inclusive; absent while the range is open
	Seal Hash      // 6: hash of the header at To
}

func (r RecordKeyRange) open() bool { return r.To == Position{} }

// Card is what a member says of itself: where its node is reached and which keys sign its records. Its own governance
// key signs it. Field numbers are those of the wire form.
type Card struct {
	Federation Hash             // 1
	Member     MemberID         // 2
	Version    uint64           // 3: the highest is in force
	Peers      []Peer           // 4
	Keys       []RecordKeyRange // 5: in order, without gaps, the last one open
	URL        string           // 6: public pages of the node
	IssuedAt   Instant          // 7
}

func (c *Card) encode() []byte {
	var e encoder
	e.hash(1, c.Federation)
	e.string(2, string(c.Member))
	e.uint(3, c.Version)
	for _, p := range c.Peers {
		var x encoder
		x.string(1, p.ID)
		for _, a := range p.Addresses {
			x.element(2, []byte(a))
		}
		e.element(4, x.buf)
	}
	for _, k := range c.Keys {
		var x encoder
		x.bytes(1, k.Key[:])
		x.uint(2, k.From.Epoch)
		x.uint(3, k.From.Seq)
		x.uint(4, k.To.Epoch)
		x.uint(5, k.To.Seq)
		x.hash(6, k.Seal)
		e.element(5, x.buf)
	}
	e.string(6, c.URL)
	e.uint(7, uint64(c.IssuedAt))
	return e.buf
}

// SignedCard is a member card with the exact bytes that were signed.
type SignedCard struct {
	Card
	raw []byte
	sig Signature
}

// SignCard validates and signs c with the member's governance key. What a reader would refuse is not signed.
func SignCard(governance *Signer, c Card) (*SignedCard, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	raw := c.encode()
	if _, err := decodeCard(raw); err != nil {
		return nil, err
	}
	s := &SignedCard{Card: c, raw: raw}
	s.sig = governance.sign(domainCard, s.raw)
	return s, nil
}

// Bytes is the wire form: 1 card, 2 signature.
func (s *SignedCard) Bytes() []byte {
	var e encoder
	e.element(1, s.raw)
	e.element(2, s.sig[:])
	return e.buf
}

// DecodeCard reads what Bytes writes. The signature is not verified yet: see Verify.
func DecodeCard(b []byte) (*SignedCard, error) {
	d := newDecoder("card", b, MaxCard+128)
	s := new(SignedCard)
	s.raw = d.bytes(1, "card", MaxCard)
	signed := d.fixed(2, "signature", s.sig[:])
	if err := d.end(); err != nil {
		return nil, err
	}
	if s.raw == nil || !signed {
		return nil, Errorf(CodeRequired, "card", "wants a card and a signature")
	}
	var err error
	if s.Card, err = decodeCard(s.raw); err != nil {
		return nil, err
	}
	return s, nil
}

func decodeCard(b []byte) (c Card, err error) {
	d := newDecoder("card", b, MaxCard)
	c.Federation = d.hash(1, "federation")
	c.Member = MemberID(d.string(2, "member", 16))
	c.Version = d.uint(3, "version")
	d.each(4, "peers", MaxPeers, func(b []byte) {
		x := newDecoder("card.peer", b, MaxCard)
		p := Peer{ID: x.string(1, "id", 128)}
		x.each(2, "addresses", MaxAddresses, func(b []byte) {
			if len(b) > MaxAddress {
				x.fail(CodeTooLarge, "addresses", "%d bytes, at most %d", len(b), MaxAddress)
			}
			p.Addresses = append(p.Addresses, string(b))
		})
		d.adopt(x.end())
		c.Peers = append(c.Peers, p)
	})
	d.each(5, "keys", MaxRecordKeys, func(b []byte) {
		x := newDecoder("card.key", b, 256)
		var k RecordKeyRange
		x.fixed(1, "key", k.Key[:])
		k.From = Position{x.uint(2, "from_epoch"), x.uint(3, "from_seq")}
		k.To = Position{x.uint(4, "to_epoch"), x.uint(5, "to_seq")}
		k.Seal = x.hash(6, "seal")
		d.adopt(x.end())
		c.Keys = append(c.Keys, k)
	})
	c.URL = d.string(6, "url", MaxURL)
	c.IssuedAt = Instant(d.uint(7, "issued_at"))
	if err := d.end(); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// Validate reports every fault of the card itself.
func (c *Card) Validate() error {
	var f faults
	if (c.Federation == Hash{}) {
		f.add(CodeRequired, "card.federation", "is absent")
	}
	if _, err := ParseMemberID(string(c.Member)); err != nil {
		f.add(CodeValue, "card.member", "%q is no member id", clip(string(c.Member)))
	}
	if c.Version == 0 {
		f.add(CodeRequired, "card.version", "is absent")
	}
	for i, p := range c.Peers {
		if p.ID == "" || !plain(p.ID, false) {
			f.add(CodeValue, "card.peers", "peer %d has no usable id", i+1)
		}
		if slices.ContainsFunc(c.Peers[:i], func(q Peer) bool { return q.ID == p.ID }) {
			f.add(CodeRepeated, "card.peers", "%q stands twice", clip(p.ID))
		}
		for _, a := range p.Addresses {
			if !plain(a, false) || !strings.HasPrefix(a, "/") {
				f.add(CodeValue, "card.peers", "%q is no multiaddr", clip(a))
			}
		}
	}
	if len(c.Peers) == 0 {
		f.add(CodeRequired, "card.peers", "a card names at least one peer")
	}
	if len(c.Keys) == 0 {
		f.add(CodeRequired, "card.keys", "a card names at least one record key")
	}
	next := Position{1, 1}
	for i, k := range c.Keys {
		if err := k.Key.Check(); err != nil {
			f.add(CodeKey, "card.keys", "key %d: %s", i+1, All(err)[0].Message)
		}
		if k.From != next {
			f.add(CodeOrder, "card.keys", "key %d begins at %s, want %s: ranges have no gaps", i+1, k.From, next)
		}
		last := i == len(c.Keys)-1
		switch {
		case k.open() && !last:
			f.add(CodeOrder, "card.keys", "key %d is open but not the last", i+1)
		case !k.open() && last:
			f.add(CodeOrder, "card.keys", "the last key is closed, so nothing can be signed")
		case !k.open() && (k.Seal == Hash{} || k.To.Seq == 0 || k.To.Compare(k.From) < 0):
			f.add(CodeValue, "card.keys", "key %d is closed: it wants an end at or after its beginning and the hash of the last header", i+1)
		case k.open() && k.Seal != Hash{}:
			f.add(CodeValue, "card.keys", "key %d is open and sealed", i+1)
		}
		next = Position{k.To.Epoch, k.To.Seq + 1}
	}
	if c.URL != "" && !httpURL(c.URL) {
		f.add(CodeValue, "card.url", "%q is no http or https address", clip(c.URL))
	}
	if c.IssuedAt < 0 || c.IssuedAt > maxInstant {
		f.add(CodeValue, "card.issued_at", "is not between 1970 and the year 9999")
	}
	return f.err()
}

// Verify checks that c is the card of a member of charter, signed by that member's governance key.
func (s *SignedCard) Verify(charter *SignedCharter) error {
	if s.Federation != charter.FederationID() {
		return Errorf(CodeFederation, "card.federation", "is another federation's")
	}
	m, ok := charter.Member(s.Member)
	if !ok {
		return Errorf(CodeOrigin, "card.member", "%s is no member under charter %d", s.Member, charter.Version)
	}
	if !m.Governance.verify(domainCard, s.raw, s.sig) {
		return Errorf(CodeSignature, "card.signature", "was not made by the governance key of %s", s.Member)
	}
	return nil
}

// keyAt is the record key that may sign at pos.
func (c *Card) keyAt(pos Position) (RecordKeyRange, bool) {
	i := slices.IndexFunc(c.Keys, func(k RecordKeyRange) bool {
		return k.From.Compare(pos) <= 0 && (k.open() || pos.Compare(k.To) <= 0)
	})
	if i < 0 {
		return RecordKeyRange{}, false
	}
	return c.Keys[i], true
}
