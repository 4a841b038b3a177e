package node_test

import (
	"testing"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// TestHolderWhoShowsLessThanItClaims: a claim without a feed behind it once made an endless loop of pulls that counted as
// proven, because an empty answer is no error.
func TestHolderWhoShowsLessThanItClaims(t *testing.T) {
	n, reg, l := newPair(t)
	l.gossip(l.sign(1))
	await(t, "the first is proven", func() bool { return memberState(n, lying).Position.Seq == 1 })
	l.answers(func(_ *protocol.Request, send func(*protocol.Answer) error) error {
		return send(&protocol.Answer{Last: true})
	})
	claim := &protocol.Request{Kind: protocol.AskVector, Vector: []protocol.Claim{{Origin: lying, Pos: protocol.Position{Epoch: 1, Seq: 9_999_999}}}}
	if err := l.net.Ask(t.Context(), honest, claim, func(*protocol.Answer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	await(t, "the holder is found out", func() bool { return counted(t, reg, "tmh_pulls_total", "holder") > 0 })
	if m := memberState(n, lying); m.State != exchange.Proven || m.Claimed.Seq != 1 {
		t.Errorf("an unsigned claim decides what is shown: %+v", m)
	}
	asked := l.pulls()
	l.gossip(l.sign(2))
	await(t, "gossip goes on", func() bool { return memberState(n, lying).Position.Seq == 2 })
	if again := l.pulls(); again > asked+1 {
		t.Errorf("asked %d times more after the claim was found empty", again-asked)
	}
	if counted(t, reg, "tmh_pulls_total", "proven") > 0 {
		t.Error("an empty pull counts as proven")
	}
}

// TestHolderWhoBringsNothingNew: answers that keep a stream open without bringing anything once held one of the few places
// for pulls for ever.
func TestHolderWhoBringsNothingNew(t *testing.T) {
	t.Parallel() // waits more than it computes
	n, reg, l := newPair(t)
	for i := range 3 {
		l.sign(i)
	}
	l.answers(func(r *protocol.Request, send func(*protocol.Answer) error) error {
		for range 100 {
			a := l.feed(r)
			a.Changes, a.Last = a.Changes[:1], false
			if err := send(a); err != nil {
				return err
			}
		}
		return nil
	})
	l.gossip(l.changes[2])
	await(t, "the holder is refused", func() bool { return counted(t, reg, "tmh_pulls_total", "holder") > 0 })
	l.answers(func(r *protocol.Request, send func(*protocol.Answer) error) error { return send(l.feed(r)) })
	await(t, "an honest feed is proven", func() bool { return memberState(n, lying).Position.Seq == 3 })
}

// TestForgedFeeds: what a holder serves is verified as strictly as gossip is.
func TestForgedFeeds(t *testing.T) {
	t.Parallel() // waits more than it computes
	n, reg, l := newPair(t)
	for i := range 3 {
		l.sign(i)
	}
	flip := func(b []byte) []byte {
		forged := append([]byte(nil), b...)
		forged[len(forged)-len(l.changes[1].Body)-10] ^= 1 // in the signature, before the body and its tag
		return forged
	}
	stranger, err := founding.NewSeat(protocol.Member{ID: "ZZ", Country: "ZZ", Name: "Stranger", Role: protocol.RoleMember}, "")
	if err != nil {
		t.Fatal(err)
	}
	sign := func(s *protocol.Signer, federation protocol.Hash, origin protocol.MemberID) []byte {
		c, err := protocol.SignChange(s, protocol.Header{Federation: federation, Origin: origin, CharterVersion: 1, Pos: protocol.Position{Epoch: 1, Seq: 1},
			RecordKey: "listing/X", Kind: protocol.Put, Count: 1, Digest: protocol.Sum([]byte("x"))}, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		return c.Bytes()
	}
	federation := l.roster.Federation()
	ref := match.Ref{Origin: honest, ID: "own"}
	if _, err := n.Counter().Publish(t.Context(), &protocol.Listing{ID: ref.ID, Kind: protocol.TechnologyOffer, Country: "KH",
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: "A listing of the honest node"}}}); err != nil {
		t.Fatal(err)
	}
	own, err := n.Record(ref) // validly signed, but with no place in another origin's feed
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		code   protocol.Code
		change []byte
	}{
		{protocol.CodeSignature, flip(l.changes[1].Bytes())},
		{protocol.CodeKey, sign(stranger.Record, federation, lying)},
		{protocol.CodeFederation, sign(l.seat.Record, protocol.Sum([]byte("another")), lying)},
		{protocol.CodeOrigin, sign(stranger.Record, federation, "ZZ")},
		{protocol.CodeHolder, own.Bytes()},
	} {
		l.answers(func(r *protocol.Request, send func(*protocol.Answer) error) error {
			a := l.feed(r)
			a.Changes[0] = tt.change
			return send(a)
		})
		before := counted(t, reg, "tmh_pulls_total", string(tt.code))
		l.gossip(l.sign(len(l.changes)))
		await(t, "a feed is refused as "+string(tt.code), func() bool { return counted(t, reg, "tmh_pulls_total", string(tt.code)) > before })
	}
	if m := memberState(n, lying); m.Records != 0 {
		t.Errorf("%d records of forged feeds are stored", m.Records)
	}
}
