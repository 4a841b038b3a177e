package replica_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// past is an origin's history as the tests below want it, and what a liar would sign instead.
//
//	1.1 L0  1.2 L1  1.3 L2  1.4 L0 again  1.5 L3  1.6 L1 again  1.7 L4  1.8 L2 withdrawn
type past struct {
	testing.TB
	federation *replicatest.Federation
	origin     replicatest.Node
	all        []*protocol.Change
}

func newPast(t testing.TB) *past {
	t.Helper()
	f, err := replicatest.NewFederation("KH", "LA")
	if err != nil {
		t.Fatal(err)
	}
	p := &past{TB: t, federation: f, origin: replicatest.Node{Store: new(replicatest.Map), Origin: "KH"}}
	for i, n := range []int{0, 1, 2, 0, 3, 1, 4, 2} {
		kind, body := protocol.Put, fmt.Appendf(nil, "body %d", i)
		if i == 7 {
			kind, body = protocol.Withdraw, protocol.Tombstone{Reason: "expired", At: 1}.Encode()
		}
		ch, err := p.origin.Author(f, kind, replicatest.Key(n), body)
		if err != nil {
			t.Fatal(err)
		}
		p.all = append(p.all, ch)
	}
	return p
}

// at is the honest change of a seq.
func (p *past) at(seq int) *protocol.Change { return p.all[seq-1] }

// lie signs the change of a seq with something else in it.
func (p *past) lie(seq int, edit func(h *protocol.Header)) *protocol.Change {
	p.Helper()
	h := p.at(seq).Header
	edit(&h)
	ch, err := protocol.SignChange(replicatest.RecordSigner(h.Origin), h, p.at(seq).Body)
	if err != nil {
		p.Fatal(err)
	}
	if err := p.federation.Roster.VerifyHeader(&ch.SignedHeader); err != nil && h.Origin == "KH" {
		p.Fatal(err)
	}
	return ch
}

func (p *past) other(seq int) *protocol.Change {
	return p.lie(seq, func(h *protocol.Header) { h.Digest = protocol.Sum([]byte("other")) })
}

// replica that follows up to a seq.
func (p *past) replica(seq int) *replicatest.Node {
	p.Helper()
	n := &replicatest.Node{Store: new(replicatest.Map), Origin: "KH"}
	for _, ch := range p.all[:seq] {
		if err := n.Next(ch); err != nil {
			p.Fatal(err)
		}
	}
	return n
}

func (p *past) draw(n *replicatest.Node, head *protocol.Change, last bool, changes ...*protocol.Change) error {
	return n.Draw(replicatest.Batch{Head: &head.SignedHeader, Changes: changes, Last: last})
}

// state is all that a refused step must leave alone.
func state(t testing.TB, n *replicatest.Node) string {
	t.Helper()
	c, err := n.Copy()
	if err != nil {
		t.Fatal(err)
	}
	records, digest, err := n.Records()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x %v %v", c.Encode(), records, digest)
}

func (p *past) wantFork(err error, held, other *protocol.Change) {
	p.Helper()
	var fork *replica.ForkError
	switch {
	case !errors.As(err, &fork):
		p.Fatalf("got %v, want a ForkError", err)
	case protocol.CodeOf(err) != protocol.CodeFork:
		p.Errorf("got code %s", protocol.CodeOf(err))
	case fork.Held.Raw != held.Raw || fork.Other.Raw != other.Raw:
		p.Errorf("the evidence is %s and %s of %s and %s, want %s and %s", fork.Held.Pos, fork.Held.Raw.Short(),
			fork.Other.Pos, fork.Other.Raw.Short(), held.Raw.Short(), other.Raw.Short())
	}
	for _, h := range []*protocol.SignedHeader{fork.Held, fork.Other} {
		if err := p.federation.Roster.VerifyHeader(h); err != nil {
			p.Errorf("evidence does not verify: %v", err)
		}
	}
}

func TestNextRefuses(t *testing.T) {
	p := newPast(t)
	for _, x := range []struct {
		name string
		ch   *protocol.Change
		want protocol.Code
	}{
		{"the head again", p.at(5), protocol.CodeReplayed},
		{"one long since applied and superseded", p.at(1), protocol.CodeReplayed},
		{"one beyond the next", p.at(7), protocol.CodeGap},
		{"an epoch nobody opened", p.lie(6, func(h *protocol.Header) { h.Pos.Epoch = 2 }), protocol.CodeEpoch},
		{"the opening of an epoch that begins elsewhere", p.opening(4), protocol.CodeEpoch},
		{"prev_seq 0 of a record held", p.lie(6, func(h *protocol.Header) { h.PrevSeq = 0 }), protocol.CodePrevious},
		{"prev_seq of another record", p.lie(6, func(h *protocol.Header) { h.PrevSeq = 3 }), protocol.CodePrevious},
		{"prev_seq of a record not held", p.lie(6, func(h *protocol.Header) { h.RecordKey = "listing/new" }), protocol.CodePrevious},
		{"a count", p.lie(6, func(h *protocol.Header) { h.Count++ }), protocol.CodeCount},
		{"a digest", p.other(6), protocol.CodeDigest},
		{"another origin's", p.lie(6, func(h *protocol.Header) { h.Origin = "LA" }), protocol.CodeOrigin},
	} {
		t.Run(x.name, func(t *testing.T) {
			n := p.replica(5)
			before := state(t, n)
			if err := n.Next(x.ch); protocol.CodeOf(err) != x.want {
				t.Errorf("got %v, want %s", err, x.want)
			}
			if state(t, n) != before {
				t.Error("something was applied")
			}
			if err := n.Next(p.at(6)); err != nil {
				t.Errorf("the honest change after it: %v", err)
			}
		})
	}
}

func TestForksByGossip(t *testing.T) {
	p := newPast(t)
	p.wantFork(p.replica(5).Next(p.other(5)), p.at(5), p.other(5)) // at the head
	p.wantFork(p.replica(5).Next(p.other(1)), p.at(1), p.other(1)) // superseded: the header was retained

	off := p.lie(6, func(h *protocol.Header) { h.Prev = p.other(5).Raw })
	p.wantFork(p.replica(5).Next(off), p.at(5), off) // by prev_hash

	drawing := p.replica(2)
	if err := p.draw(drawing, p.at(8), false, p.at(4)); err != nil {
		t.Fatal(err)
	}
	p.wantFork(drawing.Next(p.other(4)), p.at(4), p.other(4)) // with what an unproven pull brought

	forgot := p.replica(5)
	forgot.Store.(*replicatest.Map).Forget(p.at(1).Pos)
	if err := forgot.Next(p.other(1)); protocol.CodeOf(err) != protocol.CodeReplayed {
		t.Errorf("beyond the evidence kept: %v", err)
	}
}

func TestDrawRefuses(t *testing.T) {
	p := newPast(t)
	head := p.at(8)
	feed := func(last bool, changes ...*protocol.Change) replicatest.Batch {
		return replicatest.Batch{Head: &head.SignedHeader, Changes: changes, Last: last}
	}
	under := func(h *protocol.Change) replicatest.Batch {
		return replicatest.Batch{Head: &h.SignedHeader, Changes: []*protocol.Change{p.at(5), p.at(6), p.at(7)}, Last: true}
	}
	lie := p.lie
	for _, x := range []struct {
		name string
		b    replicatest.Batch
		want protocol.Code
	}{
		{"a head not above", under(p.at(4)), protocol.CodeReplayed},
		{"a head in an epoch that nobody opened", under(lie(8, func(h *protocol.Header) { h.Pos.Epoch = 2 })), protocol.CodeUnprovenFinal},
		{"a head whose floor is above what is held", under(lie(8, func(h *protocol.Header) { h.Floor = 5 })), protocol.CodeRestart},
		{"a head of an epoch that begins below what is held", under(p.lie(8, func(h *protocol.Header) { h.Pos = protocol.Position{Epoch: 2, Seq: 4}; h.PrevSeq, h.Count = 3, 4 })), protocol.CodeRestart},
		// Else a copy would wait for ever for somebody to hold that much.
		{"another origin's head", under(lie(8, func(h *protocol.Header) { h.Origin, h.Pos.Seq = "LA", 1<<40 })), protocol.CodeOrigin},
		{"an origin's false digest", feed(true, p.at(5), p.at(6), p.at(7), p.at(8)), ""},
		{"a change of another origin", feed(false, lie(5, func(h *protocol.Header) { h.Origin = "LA" })), protocol.CodeHolder},
		{"a change of another epoch", feed(false, lie(5, func(h *protocol.Header) { h.Pos.Epoch = 2 })), protocol.CodeHolder},
		{"changes out of order", feed(false, p.at(6), p.at(5)), protocol.CodeHolder},
		{"a change twice", feed(false, p.at(6), p.at(6)), protocol.CodeHolder},
		{"a change above the head", replicatest.Batch{Head: &p.at(6).SignedHeader, Changes: []*protocol.Change{p.at(7)}}, protocol.CodeHolder},
		{"the opening of an epoch", feed(false, p.opening(4)), protocol.CodeHolder},
		{"prev_seq of another record", feed(false, lie(6, func(h *protocol.Header) { h.PrevSeq = 1 })), protocol.CodePrevious},
		{"prev_seq 0 of a record held", feed(false, lie(6, func(h *protocol.Header) { h.PrevSeq = 0 })), protocol.CodePrevious},
	} {
		t.Run(x.name, func(t *testing.T) {
			n := p.replica(4)
			before := state(t, n)
			err := n.Draw(x.b)
			if protocol.CodeOf(err) != x.want {
				t.Errorf("got %v, want %q", err, x.want)
			}
			if x.want == "" {
				return
			}
			if state(t, n) != before {
				t.Error("something was applied")
			}
			if err := n.Draw(feed(true, p.at(5), p.at(6), p.at(7), p.at(8))); err != nil {
				t.Errorf("the honest feed after it: %v", err)
			}
		})
	}
	for _, edit := range []func(*protocol.Header){func(h *protocol.Header) { h.Count-- }, func(h *protocol.Header) { h.Digest[0]++ }} {
		n := p.replica(4)
		if err := p.draw(n, lie(8, edit), true, p.at(5), p.at(6), p.at(7), lie(8, edit)); protocol.CodeOf(err) != protocol.CodeUnprovenFinal {
			t.Errorf("a head with a false count or digest: %v", err)
		}
	}
}

// After a pull drew from a far holder, a nearer one cannot prove it: it would not bring what was replaced since.
func TestDrawWantsAHolderAsFar(t *testing.T) {
	p := newPast(t)
	n := p.replica(4)
	if err := p.draw(n, p.at(8), false, p.at(5)); err != nil {
		t.Fatal(err)
	}
	for _, rewind := range []bool{false, true} {
		if rewind {
			if err := n.Rewind(); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.draw(n, p.at(7), false, p.at(6)); protocol.CodeOf(err) != protocol.CodeHolder {
			t.Errorf("rewound %v: %v", rewind, err)
		}
	}
	if err := n.Next(p.at(5)); protocol.CodeOf(err) != protocol.CodeGap {
		t.Errorf("gossip during a pull: %v", err)
	}
	if _, err := n.Author(p.federation, protocol.Put, "listing/new", nil); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("authoring during a pull: %v", err)
	}
	if err := p.draw(n, p.at(8), true, p.at(5), p.at(6), p.at(7), p.at(8)); err != nil {
		t.Error(err)
	}
}

// A pull that begins again does not undo what the one before brought.
func TestDrawKeepsTheNewer(t *testing.T) {
	p := newPast(t)
	n := p.replica(0)
	if err := p.draw(n, p.at(8), false, p.at(6)); err != nil {
		t.Fatal(err)
	}
	if err := n.Rewind(); err != nil {
		t.Fatal(err)
	}
	if err := p.draw(n, p.at(8), false, p.at(2)); err != nil { // an old version of the same record
		t.Fatal(err)
	}
	records, _, err := n.Records()
	if err != nil || records[p.at(2).RecordKey] != p.at(6).Raw {
		t.Errorf("the old version took the newer one's place: %v", err)
	}
}

// Gossip that overtook a request does no harm to its answer.
func TestDrawAfterGossip(t *testing.T) {
	p := newPast(t)
	n := p.replica(6)
	if err := p.draw(n, p.at(8), true, p.at(5), p.at(6), p.at(7), p.at(8)); err != nil {
		t.Error(err)
	}
	if err := p.draw(n, p.at(8), true, p.at(7), p.at(8)); protocol.CodeOf(err) != protocol.CodeReplayed {
		t.Errorf("a whole feed too late: %v", err)
	}
}

func TestForksByPull(t *testing.T) {
	p := newPast(t)
	p.wantFork(p.draw(p.replica(5), p.other(5), true), p.at(5), p.other(5))                            // as the head
	p.wantFork(p.draw(p.replica(5), p.at(8), false, p.other(5)), p.at(5), p.other(5))                  // below the proven head
	p.wantFork(p.draw(p.replica(4), p.other(5), true, p.at(5)), p.at(5), p.other(5))                   // head and last change
	p.wantFork(p.draw(p.replica(4), p.at(8), false, p.at(5), p.afterOther()), p.at(5), p.afterOther()) // by prev_hash

	for name, other := range map[string]*protocol.Change{
		"of the same record": p.other(5),
		// Two records at one position: before this was seen, the second took the first one's place in the feed.
		"of another record": p.lie(5, func(h *protocol.Header) { h.RecordKey = "listing/new" }),
	} {
		n := p.replica(4)
		if err := p.draw(n, p.at(8), false, p.at(5), p.at(6)); err != nil {
			t.Fatal(err)
		}
		if err := n.Rewind(); err != nil {
			t.Fatal(err)
		}
		t.Log("another holder, another change", name)
		p.wantFork(p.draw(n, p.at(8), false, other), p.at(5), other)
		p.wantFork(p.draw(n, p.other(6), true), p.at(6), p.other(6)) // another holder, another head
	}
}

// afterOther is a change 1.6 that follows another 1.5 than the one at hand.
func (p *past) afterOther() *protocol.Change {
	return p.lie(6, func(h *protocol.Header) { h.Prev = p.other(5).Raw })
}

func TestDisputedCopyIsFrozen(t *testing.T) {
	p := newPast(t)
	n := p.replica(5)
	if err := n.Dispute(); err != nil {
		t.Fatal(err)
	}
	before := state(t, n)
	_, errAuthor := n.Author(p.federation, protocol.Put, "listing/new", nil)
	for name, err := range map[string]error{
		"gossip": n.Next(p.at(6)), "a replay": n.Next(p.at(5)), "another fork": n.Next(p.other(5)),
		"a pull": p.draw(n, p.at(8), true, p.at(6), p.at(7), p.at(8)), "authoring": errAuthor,
	} {
		var fork *replica.ForkError
		if protocol.CodeOf(err) != protocol.CodeFork || errors.As(err, &fork) {
			t.Errorf("%s: got %v, want code fork without evidence", name, err)
		}
	}
	if state(t, n) != before {
		t.Error("something was applied")
	}
	if b, err := n.Serve(replica.New("KH").Ask(), 100); err != nil || b.Head.Raw != p.at(5).Raw {
		t.Errorf("it still serves what it has proven: %v", err)
	}
}

// What every replica would refuse is not signed.
func TestAuthorRefuses(t *testing.T) {
	p := newPast(t)
	elsewhere := p.opening(4)
	for name, x := range map[string]struct {
		edit func(h *protocol.Header)
		body []byte
		want protocol.Code
	}{
		"an epoch":                        {func(h *protocol.Header) { h.Kind = protocol.OpenEpoch }, []byte("x"), protocol.CodeTruncated},
		"an epoch that begins elsewhere":  {func(h *protocol.Header) { *h = elsewhere.Header }, elsewhere.Body, protocol.CodeEpoch},
		"an opening for another position": {func(h *protocol.Header) { *h = p.opening(8).Header; h.Pos.Seq++ }, p.opening(8).Body, protocol.CodeEpoch},
		"a floor above the head":          {func(h *protocol.Header) { h.Floor = 9 }, []byte("x"), protocol.CodeValue},
	} {
		err := p.origin.Step(func(c *replica.Copy, s replicatest.Set) error {
			h := p.federation.Draft(protocol.Put, "listing/new")
			x.edit(&h)
			_, err := c.Author(s, replicatest.RecordSigner("KH"), h, x.body)
			return err
		})
		if protocol.CodeOf(err) != x.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.origin.Author(p.federation, protocol.Put, "listing/new", make([]byte, protocol.MaxBody+1)); protocol.CodeOf(err) != protocol.CodeTooLarge {
		t.Errorf("a body too large: %v", err)
	}
	if ch, err := p.origin.Author(p.federation, protocol.Put, "listing/new", nil); err != nil || ch.Pos.Seq != 9 || ch.Prev != p.at(8).Raw {
		t.Errorf("nothing of it remains: %v", err)
	}
}
