package protocol

import (
	"math/rand/v2"
	"testing"
)

// What a card has sealed is settled: up to the end of the last closed range, whatever epoch comes after.
func TestSettled(t *testing.T) {
	fed := theFederation()
	twice := corpusCard(fed.charters["charter-1"].Hash, "KH", 3,
		RecordKeyRange{Key: recordKey("KH").Public(), From: Position{1, 1}, To: Position{1, 12}, Seal: Hash{1}},
		RecordKeyRange{Key: recordKey("KH second").Public(), From: Position{1, 13}, To: Position{2, 20}, Seal: Hash{2}},
		RecordKeyRange{Key: recordKey("KH third").Public(), From: Position{2, 21}})
	if err := twice.Validate(); err != nil {
		t.Fatal(err)
	}
	later, err := fed.rosters["first"].WithCard(signCard(governance("KH"), twice))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		about  string
		roster *Roster
		origin MemberID
		pos    Position
		want   bool
	}{
		{"a card with an open range only", fed.rosters["first"], "KH", Position{1, 1}, false},
		{"the beginning of a closed range", fed.rosters["rotated"], "KH", Position{1, 1}, true},
		{"the end of a closed range", fed.rosters["rotated"], "KH", Position{1, 12}, true},
		{"the beginning of the open range", fed.rosters["rotated"], "KH", Position{1, 13}, false},
		{"a later epoch in the open range", fed.rosters["rotated"], "KH", Position{2, 5}, false},
		{"another origin", fed.rosters["rotated"], "LA", Position{1, 1}, false},
		{"an origin without a card", fed.rosters["rotated"], "TH", Position{1, 1}, false},
		{"a first of two closed ranges", later, "KH", Position{1, 7}, true},
		{"a second of two closed ranges", later, "KH", Position{1, 500}, true},
		{"the end of the second", later, "KH", Position{2, 20}, true},
		{"above both", later, "KH", Position{2, 21}, false},
	} {
		if got := x.roster.Settled(x.origin, x.pos); got != x.want {
			t.Errorf("%s: %s of %s: settled %v", x.about, x.pos, x.origin, got)
		}
	}
}

func TestNewEvidence(t *testing.T) {
	all, other := theFeed(theFederation().charters["charter-1"].Hash), branchFeed(2)
	for _, x := range []struct {
		about string
		a, b  *Change
		want  bool
	}{
		{"two headers at one position", all[5], other[5], true},
		{"one header twice", all[5], all[5], false},
		{"a header that follows another one", all[5], other[6], true},
		{"a header that follows", all[5], all[6], false},
		{"headers with a gap between", all[4], other[6], false},
	} {
		e, ok := NewEvidence(&x.a.SignedHeader, &x.b.SignedHeader)
		swapped, again := NewEvidence(&x.b.SignedHeader, &x.a.SignedHeader)
		if ok != x.want || again != x.want || swapped.A.Raw != e.A.Raw || swapped.B.Raw != e.B.Raw {
			t.Errorf("%s: evidence %v, and %v the other way round", x.about, ok, again)
		}
		got, err := DecodeEvidence(e.Encode())
		if (err == nil) != x.want {
			t.Errorf("%s: decoded with %v", x.about, err)
		}
		if err == nil && (got.A.Raw != e.A.Raw || got.B.Raw != e.B.Raw || got.Origin() != "KH") {
			t.Errorf("%s: decoded as other evidence", x.about)
		}
	}
}

// Evidence counts until the origin's card seals the position, and no longer.
func TestVerifyEvidence(t *testing.T) {
	fed := theFederation()
	for name, e := range corpusEvidence() {
		if err := fed.rosters["first"].VerifyEvidence(e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		sealed, err := fed.rosters["first"].WithCard(fed.cards["KH-2"])
		if err != nil {
			t.Fatal(err)
		}
		if err := sealed.VerifyEvidence(e); CodeOf(err) != CodeReplayed {
			t.Errorf("%s, sealed: %v", name, err)
		}
		forged := *e.B
		forged.sig[0] ^= 1
		if err := fed.rosters["first"].VerifyEvidence(Evidence{e.A, &forged}); CodeOf(err) != CodeSignature {
			t.Errorf("%s, with the second signature altered: %v", name, err)
		}
	}
	if err := fed.rosters["rotated"].VerifyEvidence(secondKeyFork()); err != nil {
		t.Errorf("above the seal: %v", err)
	}
}

// A roster that did not follow the charter that an opening names cannot judge it: it wants the papers.
func TestOpeningUnderAForgottenCharter(t *testing.T) {
	fed := theFederation()
	r := NewRoster(fed.charters["charter-3"])
	r, err := r.WithCard(fed.cards["KH-3"])
	if err != nil {
		t.Fatal(err)
	}
	old := epochChange(recordKey("KH second"), plainOpening(nil), governance("KH"))
	if err := r.VerifyChange(old); CodeOf(err) != CodeCharter {
		t.Errorf("opened under charter 1: %v", err)
	}
	if err := r.VerifyChange(epochChange(recordKey("KH second"), plainOpening(nil), governance("KH second"), underCharter3)); err != nil {
		t.Errorf("opened under charter 3: %v", err)
	}

	followed := NewRoster(fed.charters["charter-1"])
	for _, name := range []string{"charter-2", "charter-3"} {
		if followed, err = followed.WithCharter(fed.charters[name]); err != nil {
			t.Fatal(err)
		}
	}
	if followed, err = followed.WithCard(fed.cards["KH-3"]); err != nil {
		t.Fatal(err)
	}
	if err := followed.VerifyChange(old); err != nil {
		t.Errorf("a roster that followed all charters: %v", err)
	}
	if o, err := followed.VerifyOpening(old); err != nil || o.Base != (Position{1, 12}) {
		t.Errorf("its opening: %+v, %v", o, err)
	}
}

// Whatever length the digests of buckets have, an answer is read or refused.
func TestBucketDigestsOfAnyLength(t *testing.T) {
	for n := 1; n <= Buckets*len(Hash{})+1; n++ {
		_, err := DecodeAnswer(field(7, make([]byte, n)))
		if (err == nil) != (n == Buckets*len(Hash{})) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestBuckets(t *testing.T) {
	var s BucketSet
	want := make(map[byte]bool)
	r := rand.New(rand.NewPCG(7, 8))
	for range 40 {
		n := byte(r.Uint32())
		s.Add(n)
		want[n] = true
	}
	for n := range Buckets {
		if s.Has(byte(n)) != want[byte(n)] {
			t.Errorf("bucket %d: has %v", n, s.Has(byte(n)))
		}
	}
	one := BucketSet{}
	one.Add(10)
	if one != (BucketSet{1: 1 << 2}) {
		t.Errorf("bucket 10 is not bit 2 of byte 1: %x", one)
	}

	// The buckets together are the whole: lane by lane, their states add up to that of the set.
	var parts [Buckets]SetHash
	var sum, whole SetHash
	for _, e := range randomElements(r, 300) {
		parts[BucketOf(e.Key)].Add(e)
		whole.Add(e)
	}
	for _, p := range parts {
		for i := 0; i < len(sum); i += 2 {
			v := uint16(sum[i]) + uint16(sum[i+1])<<8 + uint16(p[i]) + uint16(p[i+1])<<8
			sum[i], sum[i+1] = byte(v), byte(v>>8)
		}
	}
	if sum != whole {
		t.Error("the buckets do not add up to the set")
	}
}
