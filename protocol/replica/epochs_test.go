package replica_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// opening of epoch 2 on top of what the origin had proven at a seq, above everything that it signed.
func (p *past) opening(base int) *protocol.Change {
	p.Helper()
	n := p.replica(base)
	var ch *protocol.Change
	if err := n.Step(func(c *replica.Copy, s replicatest.Set) error {
		d, body, err := p.federation.Open(c, "loss", p.all[len(p.all)-1].Pos, p.all[base:])
		if err == nil {
			ch, err = c.Author(s, replicatest.RecordSigner("KH"), d, body)
		}
		return err
	}); err != nil {
		p.Fatal(err)
	}
	if err := p.federation.Roster.VerifyChange(ch); err != nil {
		p.Fatal(err)
	}
	return ch
}

// later is a node that went on in epoch 2 from a seq: after the opening at 2.9 it withdraws L1 at 2.10, and says so that
// withdrawals up to floor are forgotten at 2.11.
func (p *past) later(base int, floor uint64) (n *replicatest.Node, made []*protocol.Change) {
	p.Helper()
	n = p.replica(base)
	made = []*protocol.Change{p.opening(base)}
	if err := n.Next(made[0]); err != nil {
		p.Fatal(err)
	}
	for i, d := range []protocol.Header{
		p.federation.Draft(protocol.Withdraw, replicatest.Key(1)), p.federation.Draft(protocol.Put, "report/2026-09/r1"),
	} {
		body := protocol.Tombstone{Reason: "expired", At: 1}.Encode()
		if i == 1 {
			d.Floor, body = floor, []byte("numbers")
		}
		if err := n.Step(func(c *replica.Copy, s replicatest.Set) error {
			ch, err := c.Author(s, replicatest.RecordSigner("KH"), d, body)
			made = append(made, ch)
			return err
		}); err != nil {
			p.Fatal(err)
		}
	}
	return n, made
}

func (p *past) wantProven(n *replicatest.Node, at *protocol.Change) {
	p.Helper()
	c, err := n.Copy()
	if err != nil {
		p.Fatal(err)
	}
	_, digest, err := n.Records()
	if err != nil || c.Header != at.Raw || c.CatchingUp() || c.Disputed || digest != at.Digest {
		p.Errorf("stands at %s, want %s proven: %v", c.Proven, at.Pos, err)
	}
}

// A copy at the base takes the opening by gossip; one below it draws across it; one above it begins anew.
func TestEpochIsReached(t *testing.T) {
	p := newPast(t)
	holder, made := p.later(6, 0)
	n := p.replica(6)
	for _, ch := range made {
		if err := n.Next(ch); err != nil {
			t.Fatal(err)
		}
	}
	p.wantProven(n, made[2])
	for seq := range 9 {
		n := p.replica(seq)
		c, err := n.Copy()
		if err != nil {
			t.Fatal(err)
		}
		b, err := holder.Serve(c.Ask(), 100)
		want := protocol.Code("")
		if seq > 6 {
			want = protocol.CodeRestart
		}
		if protocol.CodeOf(err) != want {
			t.Errorf("asked from 1.%d: %v", seq, err)
		}
		if err == nil {
			if err := n.Draw(b); err != nil {
				t.Errorf("drawn from 1.%d: %v", seq, err)
			}
			p.wantProven(n, made[2])
			continue
		}
		if err := n.Next(made[0]); protocol.CodeOf(err) != protocol.CodeEpoch {
			t.Errorf("the opening by gossip at 1.%d: %v", seq, err)
		}
	}
}

// A new epoch ends a dispute, by whichever way it comes; nothing else does.
func TestEpochEndsDispute(t *testing.T) {
	p := newPast(t)
	holder, made := p.later(6, 0)
	for _, gossip := range []bool{true, false} {
		n := p.replica(6)
		if err := n.Dispute(); err != nil {
			t.Fatal(err)
		}
		b, err := holder.Serve(replica.New("KH").Ask(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if gossip {
			b.Head, err = nil, n.Next(made[0])
		} else {
			err = n.Draw(b)
		}
		if err != nil {
			t.Fatal(err)
		}
		if gossip {
			p.wantProven(n, made[0])
		} else {
			p.wantProven(n, made[2])
		}
	}
	signed := p.replica(6)
	err := signed.Dispute()
	if err == nil {
		err = signed.Step(func(c *replica.Copy, s replicatest.Set) error {
			d, body, err := p.federation.Open(c, "fork", p.at(8).Pos, nil)
			if err == nil {
				_, err = c.Author(s, replicatest.RecordSigner("KH"), d, body)
			}
			return err
		})
	}
	if c, errCopy := signed.Copy(); err != nil || errCopy != nil || c.Disputed || c.Proven != (protocol.Position{Epoch: 2, Seq: 9}) {
		t.Errorf("the origin does not go on: %v", err)
	}
}

// Found by random histories (seed 1, history 1): a pull that began under a head which an epoch then left behind held
// records that no feed takes out, and every honest holder was refused as unproven for ever.
func TestEpochInTheMiddleOfAPull(t *testing.T) {
	p := newPast(t)
	holder, _ := p.later(4, 0)
	for _, rewind := range []bool{false, true} {
		n := p.replica(2)
		if err := p.draw(n, p.at(8), false, p.at(4), p.at(5)); err != nil {
			t.Fatal(err)
		}
		if rewind {
			if err := n.Rewind(); err != nil {
				t.Fatal(err)
			}
		}
		c, err := n.Copy()
		if err != nil {
			t.Fatal(err)
		}
		b, err := holder.Serve(c.Ask(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Draw(b); protocol.CodeOf(err) != protocol.CodeRestart {
			t.Errorf("rewound %v: %v, want restart", rewind, err)
		}
	}
}

// A floor that moves above what is held, or above the first head of a pull from nothing, wants a beginning.
func TestFloorInTheMiddleOfAPull(t *testing.T) {
	p := newPast(t)
	holder, made := p.later(8, 8)
	n := p.replica(0)
	if err := p.draw(n, p.at(7), false, p.at(3)); err != nil { // L2, the withdrawal of which is forgotten
		t.Fatal(err)
	}
	b, err := holder.Serve(replica.New("KH").Ask(), 100)
	if err != nil {
		t.Fatal(err)
	}
	b.Head = &made[2].SignedHeader
	if err := n.Draw(b); protocol.CodeOf(err) != protocol.CodeRestart {
		t.Errorf("from nothing: %v", err)
	}
	for seq := 1; seq < 8; seq++ {
		c, err := p.replica(seq).Copy()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := holder.Serve(c.Ask(), 100); protocol.CodeOf(err) != protocol.CodeRestart {
			t.Errorf("asked from 1.%d below the floor: %v", seq, err)
		}
		if err := p.replica(seq).Draw(b); protocol.CodeOf(err) != protocol.CodeRestart {
			t.Errorf("drawn at 1.%d below the floor: %v", seq, err)
		}
	}
}

// Found by random walks (seed 1): a holder whose floor had passed the asker's position said only that the asker must
// begin anew, though it kept another header there; the copy then took the other history's place, and no fork was seen.
func TestForkBelowTheFloorIsShown(t *testing.T) {
	p := newPast(t)
	holder := p.replica(8)
	if err := holder.Step(func(c *replica.Copy, s replicatest.Set) error {
		d := p.federation.Draft(protocol.Put, "report/2026-09/r1")
		d.Floor = 8
		_, err := c.Author(s, replicatest.RecordSigner("KH"), d, nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, seq := range []int{1, 5, 8} { // superseded, newest of its record, a withdrawal that is forgotten
		err := holder.Step(func(c *replica.Copy, s replicatest.Set) error {
			return c.Verdict(s, &protocol.Request{Kind: protocol.AskChanges, Origin: "KH", Proven: p.at(seq).Pos, Header: p.other(seq).Raw})
		})
		p.wantFork(err, p.at(seq), p.at(seq))
	}
}

// A liar serves what an epoch left behind, above the seq at which the epoch began: before this was refused, more records
// were stored than the head has seqs, and the copy's frontier could not be read any more.
func TestVoidChangesAboveTheHead(t *testing.T) {
	p := newPast(t)
	origin := p.replica(2)
	var made []*protocol.Change
	if err := origin.Step(func(c *replica.Copy, s replicatest.Set) error {
		d, body, err := p.federation.Open(c, "loss", p.at(2).Pos, nil) // the others are known to nobody any more
		if err != nil {
			return err
		}
		ch, err := c.Author(s, replicatest.RecordSigner("KH"), d, body)
		made = append(made, ch)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	n := p.replica(0)
	for seq := 1; seq <= 8; seq++ {
		err := p.draw(n, made[0], false, p.at(seq))
		if want := map[bool]protocol.Code{true: protocol.CodeHolder}[seq > 3]; protocol.CodeOf(err) != want {
			t.Fatalf("1.%d under 2.3: %v, want %q", seq, err, want)
		}
		if _, err := n.Copy(); err != nil {
			t.Fatal(err)
		}
	}
	// More than the head counts is not stored: a feed without end would fill the disk.
	if err := n.Rewind(); err != nil {
		t.Fatal(err)
	}
	if err := p.draw(n, made[0], true, p.at(1), p.at(2), made[0]); protocol.CodeOf(err) != protocol.CodeUnprovenFinal {
		t.Errorf("with a void change among it: %v", err)
	}
	if err := p.draw(n, made[0], false, p.at(1), p.at(2), made[0]); protocol.CodeOf(err) != protocol.CodeUnprovenFinal {
		t.Error(err)
	}
	if c, err := n.Copy(); err != nil || c.Count != 3 {
		t.Errorf("%d records, %v", c.Count, err)
	}
}

// More withdrawals than one transaction should forget: by gossip such a change is refused, by a pull they go in steps.
func TestManyAreForgotten(t *testing.T) {
	f, err := replicatest.NewFederation("KH")
	if err != nil {
		t.Fatal(err)
	}
	const gone = protocol.MaxPurge + 300
	origin := &replicatest.Node{Store: new(replicatest.Map), Origin: "KH"}
	author := func(d protocol.Header, body []byte) (ch *protocol.Change, err error) {
		err = origin.Step(func(c *replica.Copy, s replicatest.Set) error {
			ch, err = c.Author(s, replicatest.RecordSigner("KH"), d, body)
			return err
		})
		return ch, err
	}
	for i := range gone {
		if _, err := author(f.Draft(protocol.Put, replicatest.Key(i)), nil); err != nil {
			t.Fatal(err)
		}
	}
	behind := &replicatest.Node{Store: new(replicatest.Map), Origin: "KH"}
	take := func() (b replicatest.Batch) {
		t.Helper()
		c, err := behind.Copy()
		if err == nil {
			b, err = origin.Serve(c.Ask(), 1<<20)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for i := range gone {
		if _, err := author(f.Draft(protocol.Withdraw, replicatest.Key(i)), protocol.Tombstone{Reason: "error"}.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	if err := behind.Draw(take()); err != nil {
		t.Fatal(err)
	}
	d := f.Draft(protocol.Put, "report/2026-09/r1")
	d.Floor = 2 * gone
	if _, err := author(d, nil); protocol.CodeOf(err) != protocol.CodeFloor {
		t.Errorf("more than %d at once: %v", protocol.MaxPurge, err)
	}
	var head *protocol.Change
	for _, floor := range []uint64{gone + protocol.MaxPurge, 2 * gone} {
		d.Floor = floor
		if head, err = author(d, fmt.Append(nil, floor)); err != nil {
			t.Fatal(err)
		}
	}
	b := take()
	steps := 0
	for proven := false; !proven; steps++ {
		if err := behind.Step(func(c *replica.Copy, s replicatest.Set) (err error) {
			proven, err = c.Draw(s, b.Head, b.Changes, b.Last)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		b.Changes = nil
		if c, err := behind.Copy(); err != nil || !proven && !c.CatchingUp() {
			t.Fatalf("between the steps it is taken for proven: %v", err)
		}
	}
	if c, err := behind.Copy(); steps != 2 || err != nil || c.Header != head.Raw || c.Count != 1 {
		t.Errorf("%d steps lead to %s with %d records: %v", steps, c.Proven, c.Count, err)
	}
}

// OnPath walks from base to base; an epoch that was left behind itself is on no path.
func TestOnPath(t *testing.T) {
	p := newPast(t)
	n, _ := p.later(6, 0)
	if err := n.Step(func(c *replica.Copy, s replicatest.Set) error {
		for pos, want := range map[protocol.Position]bool{
			{Epoch: 1, Seq: 1}: true, {Epoch: 1, Seq: 6}: true, {Epoch: 1, Seq: 7}: false, {Epoch: 1, Seq: 99}: false,
			{Epoch: 2, Seq: 9}: false, // not of an earlier epoch: nothing is known of it
		} {
			if kept, err := replica.OnPath(s, 2, pos); err != nil || kept != want {
				t.Errorf("%s: %v, %v", pos, kept, err)
			}
		}
		if kept, err := replica.OnPath(s, 3, protocol.Position{Epoch: 1, Seq: 1}); err != nil || kept {
			t.Errorf("by an epoch that is not held: %v, %v", kept, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var fork *replica.ForkError
	if err := p.replica(8).Step(func(c *replica.Copy, s replicatest.Set) error { return c.Conflict(s, &p.other(8).SignedHeader) }); !errors.As(err, &fork) {
		t.Errorf("another header at the head: %v", err)
	}
}

// Found by random walks (seed 1, walk 3118): an origin that was set back opened the same epoch twice. The second time its
// floor was lower, and the copy refused the floor before it looked at the opening.
func TestEpochOpenedTwice(t *testing.T) {
	p := newPast(t)
	n, made := p.later(6, 6)
	again := p.replica(4)
	if err := again.Step(func(c *replica.Copy, s replicatest.Set) error {
		d, body, err := p.federation.Open(c, "loss", at(20), nil)
		if err != nil {
			return err
		}
		ch, err := c.Author(s, replicatest.RecordSigner("KH"), d, body)
		made = append(made, ch)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	head, err := again.Author(p.federation, protocol.Put, "report/2026-09/r2", nil)
	if err != nil {
		t.Fatal(err)
	}
	if made[2].Floor <= head.Floor || made[3].Pos.Compare(made[2].Pos) <= 0 {
		t.Fatalf("floors %d and %d at %s and %s do not show it", made[2].Floor, head.Floor, made[2].Pos, made[3].Pos)
	}
	p.wantFork(p.draw(n, head, true, made[3], head), made[0], made[3])
	p.wantFork(n.Next(made[3]), made[0], made[3])
}

// A governance key that a later charter replaced opens no epoch any more, where anything was signed under that charter.
func TestEpochUnderAnEarlierCharter(t *testing.T) {
	p := newPast(t)
	n := p.replica(5)
	h := p.at(6).Header
	h.CharterVersion = 2
	later, err := protocol.SignChange(replicatest.RecordSigner("KH"), h, p.at(6).Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Next(later); err != nil {
		t.Fatal(err)
	}
	c, err := n.Copy()
	if err != nil {
		t.Fatal(err)
	}
	if c.Charter != 2 {
		t.Fatalf("held under charter %d", c.Charter)
	}
	d, body, err := p.federation.Open(c, "loss", protocol.Position{Epoch: 1, Seq: 9}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.CharterVersion != 1 {
		t.Fatalf("the opening is under charter %d", d.CharterVersion)
	}
	trial := *c
	var ch *protocol.Change
	if err := n.Step(func(_ *replica.Copy, s replicatest.Set) (err error) {
		ch, err = trial.Author(s, replicatest.RecordSigner("KH"), d, body)
		return errors.Join(err, errors.New("only signed"))
	}); ch == nil {
		t.Fatal(err)
	}
	if err := n.Next(ch); protocol.CodeOf(err) != protocol.CodeEpoch {
		t.Errorf("an epoch opened under charter 1 after changes under 2: %v", err)
	}
}
