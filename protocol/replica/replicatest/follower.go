package replicatest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// follower keeps a copy as a node does: it applies gossip, draws from holders, and draws anew beside what it holds where
// nothing else helps.
type follower struct {
	Node              // the copy in force
	place    Store    // of it, and of the one beside
	verify   verifier // of what others send
	tally    *Tally
	staging  bool
	unproven int                 // feeds since a proof that did not fit what is held
	unseeded bool                // nothing of what is held was taken over yet
	wanted   *protocol.BucketSet // what the feed must bring up to seq above; nil: all
	above    uint64
	short    int // holders in a row that hold less than was drawn
	inbox    []*protocol.Change
	early    replica.Early
	evidence []protocol.Evidence
	holder   int // whom it draws from, -1 for nobody
}

// verifier checks what a change says of itself.
type verifier func(*protocol.Change) error

func newFollower(s Store, origin protocol.MemberID, tally *Tally, verify verifier) *follower {
	return &follower{Node: Node{s, origin}, place: s, verify: verify, tally: tally, holder: -1}
}

// target is the copy that pulls go to.
func (f *follower) target() *Node {
	if f.staging {
		return &Node{f.place.Staged(), f.Origin}
	}
	return &f.Node
}

// deliver a gossiped change, and what it sets free.
func (f *follower) deliver(ch *protocol.Change) error {
	if err := f.verify(ch); err != nil {
		return fmt.Errorf("gossip of %s does not verify: %w", ch.Pos, err)
	}
	for ch != nil {
		err := f.Next(ch)
		switch protocol.CodeOf(err) {
		case "":
			f.tally.Gossiped++
			if err := f.freeze(); err != nil {
				return err
			}
		case protocol.CodeReplayed:
			f.tally.Replayed++
			return nil
		case protocol.CodeGap:
			f.tally.Held++
			f.early.Hold(ch)
			return nil
		case protocol.CodeEpoch: // begins elsewhere: a pull brings it
			f.tally.Elsewhere++
			return nil
		case protocol.CodeFork:
			return f.accuse(err)
		default:
			return fmt.Errorf("gossip of %s refused: %w", ch.Pos, err)
		}
		ch = f.early.After(ch.Pos)
	}
	return nil
}

// ask a holder for one batch and take it. refusal is what the rules said to it, err a fault.
func (f *follower) ask(holder *Node, most int) (b Batch, refusal, err error) {
	c, err := f.Copy()
	if err != nil {
		return b, nil, err
	}
	if c.Disputed { // only another epoch ends that
		theirs, err := holder.Copy()
		if err != nil {
			return b, nil, err
		}
		if theirs.Proven.Epoch <= c.Proven.Epoch {
			return b, protocol.Errorf(protocol.CodeUnavailable, "", "holds no other epoch"), nil
		}
		if !f.staging {
			if err := f.restart(); err != nil {
				return b, nil, err
			}
		}
	}
	if f.staging && f.unseeded {
		if err := f.seed(holder); err != nil {
			return b, nil, err
		}
	}
	if c, err = f.target().Copy(); err != nil {
		return b, nil, err
	}
	r := c.Ask()
	if f.staging {
		r.Buckets, r.Above = f.wanted, f.above
	}
	b, refusal = holder.Serve(r, most)
	if refusal == nil && b.Head.Pos.Compare(c.Drawn) < 0 {
		refusal = protocol.Errorf(protocol.CodeUnavailable, "", "holds less than was drawn")
		// One who serves a head that nobody else holds any more must not stop a copy for ever.
		if f.short++; f.short >= 8 {
			return b, refusal, f.restart()
		}
	}
	switch protocol.CodeOf(refusal) {
	case "":
		refusal, err = f.take(b)
		return b, refusal, err
	case protocol.CodeUnavailable:
	case protocol.CodeRestart:
		err = f.restart()
	case protocol.CodeFork: // the holder shows its header at the place where this copy stands
		var fork *replica.ForkError
		if !errors.As(refusal, &fork) {
			return b, nil, fmt.Errorf("a fork without its header: %w", refusal)
		}
		err = f.target().Store.View(func(s Set) error { return c.Conflict(s, fork.Held) })
		err = f.accuse(err)
	default:
		err = fmt.Errorf("request refused: %w", refusal)
	}
	return b, refusal, err
}

// take draws a batch, and does what a node does where it is refused.
func (f *follower) take(b Batch) (refusal, err error) {
	for _, ch := range b.Changes {
		if err := f.verify(ch); err != nil {
			return err, f.target().Rewind()
		}
	}
	f.tally.Batches++
	refusal = f.target().Draw(b)
	f.tally.say("    %d changes under %s to %p, beside the copy %v: %v", len(b.Changes), b.Head.Pos, f, f.staging, refusal)
	switch protocol.CodeOf(refusal) {
	case "":
		if !b.Last {
			return nil, nil
		}
		f.tally.Proofs++
		f.unproven, f.short = 0, 0
		if f.staging {
			if err := f.swap(); err != nil {
				return nil, err
			}
		}
		return nil, f.freeze()
	case protocol.CodeReplayed, protocol.CodeUnavailable:
		return refusal, nil
	case protocol.CodeRestart:
		return refusal, f.restart()
	case protocol.CodeFork:
		if err := f.accuse(refusal); err != nil {
			return refusal, err
		}
		if f.staging {
			return refusal, f.restart()
		}
		return refusal, f.rewind()
	case protocol.CodeUnprovenFinal, protocol.CodePrevious, protocol.CodeChain, protocol.CodeFloor:
		if f.unproven++; f.unproven >= 3 {
			return refusal, f.restart()
		}
	case protocol.CodeHolder, protocol.CodeEpoch, protocol.CodeOrigin:
	default:
		return refusal, fmt.Errorf("a feed refused in a way that says nothing: %w", refusal)
	}
	if f.staging {
		return refusal, f.restart()
	}
	return refusal, f.rewind()
}

func (f *follower) rewind() error {
	f.tally.Rewound++
	return f.target().Rewind()
}

// restart draws from the beginning, beside what is held.
func (f *follower) restart() error {
	f.tally.Restarts++
	f.staging, f.unproven, f.short = true, 0, 0
	f.wanted, f.above, f.unseeded = nil, 0, f.tally.Restarts%2 == 0
	return f.wipe()
}

// seed takes into the staged copy what a holder has too, part by part, so that its feed need not bring it.
func (f *follower) seed(holder *Node) error {
	f.unseeded = false
	c, err := holder.Copy()
	if err != nil || c.CatchingUp() || c.Proven.Seq == 0 {
		return err
	}
	if begun, err := f.target().Copy(); err != nil || begun.CatchingUp() {
		return err
	}
	theirs, head, err := holder.buckets()
	if err != nil {
		return err
	}
	ours, _, err := f.buckets()
	if err != nil {
		return err
	}
	f.wanted, f.above = new(protocol.BucketSet), head.Pos.Seq
	var all []*protocol.Change
	for i := range protocol.Buckets {
		if slices.EqualFunc(ours[byte(i)], theirs[byte(i)], func(x, y *protocol.Change) bool { return x.Element() == y.Element() }) {
			all = append(all, ours[byte(i)]...)
		} else {
			f.wanted.Add(byte(i))
		}
	}
	f.tally.Seeded += len(all)
	return f.target().Step(func(c *replica.Copy, s Set) error { return c.Seed(s, head, all) })
}

// wipe deletes what is beside the copy, in steps.
func (f *follower) wipe() error {
	for {
		if done, err := f.place.Wipe(7); err != nil || done {
			return err
		}
	}
}

// swap puts the staged copy in force, where that is a step forward.
func (f *follower) swap() error {
	err := f.place.Swap(func(staged, held Set) (func(protocol.Position) bool, error) {
		next, err := load(staged, f.Origin)
		if err != nil {
			return nil, err
		}
		have, err := load(held, f.Origin)
		if err != nil {
			return nil, err
		}
		order := next.Proven.Compare(have.Proven)
		if next.CatchingUp() || order < 0 || order == 0 && !have.CatchingUp() || have.Disputed && next.Proven.Epoch == have.Proven.Epoch {
			return nil, protocol.Errorf(protocol.CodeConflict, "", "%s does not replace %s", next.Proven, have.Proven)
		}
		// One history must not take another's place unnoticed.
		if err := staged.Feed(protocol.Position{}, func(pos protocol.Position, raw []byte) (bool, error) {
			ch, err := protocol.DecodeChange(raw)
			if err == nil && next.Proven.Epoch == have.Proven.Epoch { // an epoch settles what came before
				err = have.Conflict(held, &ch.SignedHeader)
			}
			return pos.Compare(have.Proven) < 0, err
		}); err != nil {
			return nil, err
		}
		return func(pos protocol.Position) bool {
			kept, err := replica.OnPath(staged, next.Proven.Epoch, pos)
			return err == nil && !kept
		}, nil
	})
	switch protocol.CodeOf(err) {
	case "":
		f.tally.Swaps++
	case protocol.CodeConflict:
		f.tally.Needless++
	case protocol.CodeFork:
		if err := f.accuse(err); err != nil {
			return err
		}
	default:
		return fmt.Errorf("swap: %w", err)
	}
	f.staging = false
	return f.wipe()
}

// accuse keeps what a ForkError proves; another error of the same code says that the copy is frozen already.
func (f *follower) accuse(err error) error {
	var fork *replica.ForkError
	if !errors.As(err, &fork) {
		return nil
	}
	e, ok := protocol.NewEvidence(fork.Held, fork.Other)
	if !ok {
		return fmt.Errorf("evidence that proves nothing: %s %s and %s %s", e.A.Pos, e.A.Raw.Short(), e.B.Pos, e.B.Raw.Short())
	}
	return f.learn(e)
}

// learn takes evidence, own or another's.
func (f *follower) learn(e protocol.Evidence) error {
	for _, x := range f.evidence {
		if x.A.Pos == e.A.Pos {
			return nil
		}
	}
	f.evidence = append(f.evidence, e)
	f.tally.Evidence++
	return f.freeze()
}

// freeze disputes the copy where there is evidence of the epoch that it is in.
func (f *follower) freeze() error {
	if len(f.evidence) == 0 {
		return nil
	}
	c, err := f.Copy()
	if err != nil || c.Disputed {
		return err
	}
	for _, e := range f.evidence {
		if e.A.Pos.Epoch == c.Proven.Epoch {
			return f.Dispute()
		}
	}
	return nil
}

// crash loses what is in memory.
func (f *follower) crash() {
	f.early, f.holder, f.unproven = replica.Early{}, -1, 0
	f.inbox = nil
}
