package protocol

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// Signing makes what decoding takes.
func TestSignedRoundTrip(t *testing.T) {
	c, err := SignChange(recordKey("KH"), plainHeader(1, nil), []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeChange(c.Bytes())
	if err != nil || again.Header != c.Header || again.Raw != c.Raw || !bytes.Equal(again.Body, c.Body) {
		t.Errorf("change %+v, %v", again, err)
	}
	h, err := SignHead(recordKey("KH"), plainHead(nil))
	if err != nil {
		t.Fatal(err)
	}
	if x, err := DecodeHead(h.Bytes()); err != nil || x.Head != h.Head {
		t.Errorf("head %+v, %v", x, err)
	}
	card, err := SignCard(governance("KH"), corpusCard(Hash{1}, "KH", 1, openFrom(recordKey("KH"), 1)))
	if err != nil {
		t.Fatal(err)
	}
	if x, err := DecodeCard(card.Bytes()); err != nil || !bytes.Equal(x.encode(), card.raw) {
		t.Errorf("card %+v, %v", x, err)
	}
	o, err := SignOpening(governance("KH"), plainOpening(backTo(9)))
	if err != nil {
		t.Fatal(err)
	}
	if x, err := DecodeOpening(o.Bytes()); err != nil || !bytes.Equal(x.encode(), o.raw) || len(x.Voided) != 3 {
		t.Errorf("opening %+v, %v", x, err)
	}
	charter, err := NewCharter(charter1())
	if err != nil {
		t.Fatal(err)
	}
	charter.Sign(governance("KH"))
	charter.Sign(governance("KH"))
	if x, err := DecodeCharter(charter.Bytes()); err != nil || x.Hash != charter.Hash || len(x.sigs) != 1 {
		t.Errorf("charter %+v, %v", x, err)
	}
}

// A node that signed what others refuse would stall its own chain: so nothing is signed that does not decode.
func TestNothingIsSignedThatReadersRefuse(t *testing.T) {
	for name, change := range map[string]func(*Header){
		"origin": func(h *Header) { h.Origin = "kh" }, "record key": func(h *Header) { h.RecordKey = "" }, "kind": func(h *Header) { h.Kind = 9 },
		"long record key": func(h *Header) { h.RecordKey = RecordKey(strings.Repeat("k", 129)) }, "seq": func(h *Header) { h.Pos.Seq = 1 << 53 },
		"federation": func(h *Header) { h.Federation = Hash{} },
	} {
		if _, err := SignChange(recordKey("KH"), plainHeader(5, nil, change), nil); err == nil {
			t.Errorf("signed a header with a bad %s", name)
		}
	}
	for name, change := range map[string]func(*Head){
		"origin": func(h *Head) { h.Origin = "" }, "counter": func(h *Head) { h.Counter = 1 << 53 }, "time": func(h *Head) { h.IssuedAt, h.LeaseUntil = -2, -1 },
	} {
		if _, err := SignHead(recordKey("KH"), plainHead(change)); err == nil {
			t.Errorf("signed a head with a bad %s", name)
		}
	}
	for name, change := range map[string]func(*Opening){
		"reason": func(o *Opening) { o.Reason = "" }, "time": func(o *Opening) { o.IssuedAt = -1 }, "note": func(o *Opening) { o.Note = "\x00" },
		"seq": func(o *Opening) { o.Pos.Seq = 12 }, "list": func(o *Opening) { o.Voided = manyVoided(MaxVoided + 1) },
	} {
		if _, err := SignOpening(governance("KH"), plainOpening(change)); err == nil {
			t.Errorf("signed an opening with a bad %s", name)
		}
	}
	for name, change := range map[string]func(*Card){
		"empty address": func(c *Card) { c.Peers[0].Addresses = []string{""} }, // indexed out of range once
		"long address":  func(c *Card) { c.Peers[0].Addresses = []string{"/" + strings.Repeat("a", 256)} },
		"many peers":    func(c *Card) { c.Peers = slices.Repeat(c.Peers, 9) }, "time": func(c *Card) { c.IssuedAt = -1 },
	} {
		c := corpusCard(Hash{1}, "KH", 1, openFrom(recordKey("KH"), 1))
		change(&c)
		if _, err := SignCard(governance("KH"), c); err == nil {
			t.Errorf("signed a card with %s", name)
		}
	}
	for name, change := range map[string]func(*Charter){
		"long name": func(c *Charter) { c.Name = strings.Repeat("n", 201) }, "time": func(c *Charter) { c.IssuedAt = -1 },
	} {
		c := charter1()
		change(&c)
		if _, err := NewCharter(c); err == nil {
			t.Errorf("made a charter with a bad %s", name)
		}
	}
}

// A signature that does not verify must not keep the valid one of the same key out.
func TestMergeTakesValidSignatures(t *testing.T) {
	mine := withSignatures(signCharter(charter1(), "KH"), "LA", "SEC")
	theirs := withSignatures(signCharter(charter1(), "LA"), "TH")
	if err := mine.Merge(theirs); err != nil {
		t.Fatal(err)
	}
	mine.Sign(governance("SEC"))
	if got := mine.Signers(&mine.Charter); !slices.Equal(got, []MemberID{"KH", "LA", "SEC"}) {
		t.Errorf("signed by %v", got)
	}
	if len(mine.sigs) != 3 {
		t.Errorf("%d signatures: the invalid one of TH came along", len(mine.sigs))
	}
	other := charter1()
	other.Name = "Another"
	if err := mine.Merge(signCharter(other, "KH")); CodeOf(err) != CodeConflict {
		t.Errorf("merged with another charter: %v", err)
	}
	full := signCharter(charter1())
	for i := range MaxSignatures {
		full.Sign(key(string(rune('a' + i))))
	}
	if err := full.Merge(signCharter(charter1(), "KH")); CodeOf(err) != CodeTooLarge {
		t.Errorf("merged over the limit: %v", err)
	}
}

func TestRosterFollowsCharters(t *testing.T) {
	fed := theFederation()
	r := NewRoster(fed.charters["charter-1"])
	for _, name := range []string{"KH-1", "LA-1", "KH-2"} {
		next, err := r.WithCard(fed.cards[name])
		if err != nil {
			t.Fatal(err)
		}
		r = next
	}
	if _, err := r.WithCharter(fed.charters["charter-1"]); CodeOf(err) != CodeVersion {
		t.Errorf("took charter 1 after charter 1: %v", err)
	}
	without := signCharter(after(fed.charters["charter-1"], func(c *Charter) { c.Members = slices.Delete(c.Members, 1, 2) }), "KH", "SEC", "TH")
	left, err := r.WithCharter(without)
	if err != nil {
		t.Fatal(err)
	}
	if left.Card("LA") != nil || left.Card("KH") == nil || r.Card("LA") == nil {
		t.Error("the card of the member that left goes, the others stay, and the old roster does not change")
	}
	if got := left.Cards(); len(got) != 1 || got[0].Version != 2 {
		t.Errorf("%d cards", len(got))
	}
}

// What the feeds hold is refused for its place, if at all: every signature in them verifies.
func TestEveryFeedVerifies(t *testing.T) {
	decode := func(s string) *Change {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		c, err := DecodeChange(b)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, f := range readFeeds(t) {
		r := theFederation().rosters[f.Roster]
		verify := func(about, s string) {
			if err := r.VerifyChange(decode(s)); err != nil {
				t.Errorf("%s: %v", about, err)
			}
		}
		for _, x := range f.Changes {
			verify(x.About, x.Bytes)
		}
		for _, x := range f.Void {
			verify("void", x)
		}
		for _, x := range f.Refused {
			verify(x.About, x.Bytes)
		}
		for _, x := range f.Pulls {
			for _, s := range x.Changes {
				verify(x.About, s)
			}
			b, err := hex.DecodeString(x.Head)
			if err != nil {
				t.Fatal(err)
			}
			h, err := DecodeSignedHeader(b)
			if err == nil {
				err = r.VerifyHeader(h)
			}
			if err != nil {
				t.Errorf("head of %s: %v", x.About, err)
			}
		}
	}
}

func TestEveryFeedChangeVerifies(t *testing.T) {
	fed := theFederation()
	for i, c := range theFeed(fed.charters["charter-1"].Hash) {
		for name, r := range fed.rosters {
			if err := r.VerifyHeader(&c.SignedHeader); err != nil {
				t.Errorf("change %d under %s: %v", i+1, name, err)
			}
		}
	}
}

// Limits whose files would be too big for the corpus.
func TestLargeLimits(t *testing.T) {
	request := slices.Concat(number(1, 1), bytes.Repeat(field(8, (&Claim{Origin: "KH"}).encode()), MaxVector/6))
	card := field(2, theFederation().cards["LA-1"].Bytes())
	for name, x := range map[string]struct {
		typ string
		b   []byte
	}{
		"request":  {"request", request},
		"answer":   {"answer", make([]byte, MaxAnswer+1)},
		"gossip":   {"gossip", make([]byte, MaxBatch+MaxChange+1)},
		"papers":   {"papers", make([]byte, MaxPapers+1)},
		"cards":    {"papers", bytes.Repeat(card, MaxMembers+1)},
		"charters": {"papers", bytes.Repeat(field(1, theFederation().charters["charter-1"].Bytes()), 4097)},
		"changes":  {"gossip", bytes.Repeat(field(1, theFeed(Hash{1})[9].Bytes()), MaxBatch/64)},
		"charter":  {"charter", field(1, make([]byte, MaxCharter+1))},
		"message":  {"charter", make([]byte, MaxCharter+MaxSignatures*128+1)},
	} {
		if _, err := rewrite(x.typ, x.b); CodeOf(err) != CodeTooLarge {
			t.Errorf("%s: %v, want it refused as too large", name, err)
		}
	}
}

// A card that names another member's peer could take that member's place on the network.
func TestCardWithAnotherMembersPeerIsRefused(t *testing.T) {
	seat := func(id MemberID) (Member, *Signer, *Signer) {
		governance, record := governance(string(id)), recordKey(string(id))
		return Member{ID: id, Name: string(id), Country: Country(id), Role: RoleMember, Governance: governance.Public()}, governance, record
	}
	kh, khGovernance, khRecord := seat("KH")
	vn, vnGovernance, vnRecord := seat("VN")
	charter, err := NewCharter(Charter{Version: 1, Name: "Test", Members: []Member{kh, vn}})
	if err != nil {
		t.Fatal(err)
	}
	card := func(id MemberID, governance, record *Signer, peer string) *SignedCard {
		c, err := SignCard(governance, Card{Federation: charter.FederationID(), Member: id, Version: 1,
			Peers: []Peer{{ID: peer, Addresses: []string{"/ip4/127.0.0.1/tcp/1"}}},
			Keys:  []RecordKeyRange{{Key: record.Public(), From: Position{1, 1}}}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	r, err := NewRoster(charter).WithCard(card("VN", vnGovernance, vnRecord, "12D3Vietnam"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.WithCard(card("KH", khGovernance, khRecord, "12D3Vietnam")); CodeOf(err) != CodeConflict {
		t.Errorf("a card with another member's peer: %v", err)
	}
	if _, err := r.WithCard(card("KH", khGovernance, khRecord, "12D3Cambodia")); err != nil {
		t.Error(err)
	}
}
