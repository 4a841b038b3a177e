package replicatest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// act does what a verb says, and reports whether there was anything to do.
func (w *world) act(verb string, n int) (did bool, err error) {
	f := w.copies[n%len(w.copies)]
	rest := n / len(w.copies)
	switch verb {
	case "publish", "revise", "withdraw", "report", "revive", "floor":
		return w.author(verb, n)
	case "gossip":
		return w.gossip(f, rest)
	case "pull":
		return w.pull(n%len(w.copies), rest)
	case "rewind":
		return true, f.target().Rewind()
	case "crash":
		return true, w.crash(f, rest)
	case "forget":
		return w.forget(f, rest), nil
	case "lie":
		return w.lie(f, rest)
	case "restore":
		return w.restore(n, false)
	case "rollback":
		return w.restore(n, true)
	case "recover":
		return w.recover(n)
	case "epoch":
		return w.openEpoch(n, true)
	case "twin":
		return w.twin(n)
	case "tell":
		return w.tell(n)
	}
	return false, errors.New("no such verb")
}

// ready reports whether the origin may sign: its copy is whole and reaches as far as it knows to have signed.
func (w *world) ready() (*replica.Copy, bool, error) {
	c, err := w.Copy()
	if err != nil {
		return nil, false, err
	}
	return c, !c.Disputed && !c.CatchingUp() && c.Proven.Compare(w.seen) >= 0 && (c.Proven != w.guard || c.Header == w.mark), nil
}

func (w *world) author(verb string, n int) (bool, error) {
	c, ready, err := w.ready()
	if err != nil {
		return false, err
	}
	if !ready {
		if c.Disputed || c.CatchingUp() { // whoever asks for it
			if _, err := w.publish(); err == nil {
				return false, errors.New("the origin signed on top of a copy that is disputed or not proven")
			}
		}
		return false, nil
	}
	live, gone, err := w.live()
	if err != nil {
		return false, err
	}
	var ch *protocol.Change
	switch {
	case verb == "revise" && len(live) > 0:
		ch, err = w.change(protocol.Put, live[n%len(live)], 0)
	case verb == "withdraw" && len(live) > 0:
		ch, err = w.change(protocol.Withdraw, live[n%len(live)], 0)
	case verb == "revive" && len(gone) > 0:
		ch, err = w.change(protocol.Put, gone[n%len(gone)], 0)
	case verb == "report":
		if n%2 == 0 || w.reports == 0 {
			w.reports++
		}
		ch, err = w.change(protocol.Put, ReportKey(n%w.reports), 0)
	case verb == "floor":
		ch, err = w.raise(n)
	case verb == "publish":
		ch, err = w.publish()
	default:
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("the origin cannot sign: %w", err)
	}
	w.release(ch, true)
	return true, nil
}

// release tells the guard, if the origin is the one that has it, and then everybody.
func (w *world) release(ch *protocol.Change, guarded bool) {
	w.verified[ch.Raw] = true
	if guarded {
		w.guard, w.mark = ch.Pos, ch.Raw
		w.acked[ch.Raw] = true
		w.sees(ch.Pos)
	}
	for _, f := range w.copies {
		f.inbox = append(f.inbox, ch)
	}
}

func (w *world) sees(pos protocol.Position) {
	if pos.Compare(w.seen) > 0 {
		w.seen = pos
	}
}

// gossip brings a copy one message: mostly the oldest under way, by a chance another, by a chance it is lost or comes
// again.
func (w *world) gossip(f *follower, n int) (bool, error) {
	if len(f.inbox) == 0 {
		return false, nil
	}
	i := 0
	if n%5 == 0 {
		i = n / 16 % len(f.inbox)
	}
	ch := f.inbox[i]
	if n%7 != 0 {
		f.inbox = slices.Delete(f.inbox, i, i+1)
	}
	if n%9 == 0 {
		w.counts.by["gossip lost"]++
		return true, nil
	}
	return true, f.deliver(ch)
}

// ask a holder (a copy by number, or the origin) for a batch. An honest holder is never refused where there is one
// history and no liar was heard.
func (w *world) ask(i, holder, most int) (Batch, error, error) {
	f, h := w.copies[i], w.follower
	if holder < len(w.copies) {
		h = w.copies[holder]
	}
	if f == h {
		return Batch{}, protocol.Errorf(protocol.CodeUnavailable, "", "itself"), nil
	}
	staging := f.staging
	rivals, err := w.rivals(f, h)
	if err != nil {
		return Batch{}, nil, err
	}
	b, refusal, err := f.ask(&h.Node, most)
	w.tally.say("  copy %d asked %d: %v", i, holder, refusal)
	if err != nil {
		return b, refusal, err
	}
	w.blind = w.blind || h != w.follower && refusal == nil && b.Last
	if c, err := f.Copy(); err != nil || rivals && !c.Disputed && protocol.CodeOf(refusal) != protocol.CodeUnavailable {
		return b, refusal, errors.Join(err, fmt.Errorf("a holder keeps another header at %s than this copy proved, and nobody noticed: %w", c.Proven, refusal))
	}
	switch code := protocol.CodeOf(refusal); code {
	case "", protocol.CodeUnavailable, protocol.CodeReplayed, protocol.CodeRestart:
	default:
		if !w.forked && !w.tainted[f] {
			return b, refusal, fmt.Errorf("an honest feed was refused: %w", refusal)
		}
		w.counts.by["refused "+string(code)]++
	}
	if c, err := f.target().Copy(); err != nil || !c.CatchingUp() || f.staging && !staging {
		w.tainted[f] = false
		return b, refusal, err
	}
	return b, refusal, nil
}

// rivals reports whether a holder keeps another header at the place where a copy stands, in the same epoch.
func (w *world) rivals(f, h *follower) (bool, error) {
	c, err := f.Copy()
	if err != nil {
		return false, err
	}
	theirs, err := h.Copy()
	if err != nil || f.staging || c.Proven.Seq == 0 || c.Proven.Epoch != theirs.Proven.Epoch || c.Proven.Compare(theirs.Proven) > 0 {
		return false, err
	}
	var kept *protocol.SignedHeader
	err = h.Store.View(func(s Set) (err error) { kept, err = s.HeaderAt(c.Proven); return err })
	return kept != nil && kept.Raw != c.Header, err
}

func (w *world) pull(i, n int) (bool, error) {
	_, refusal, err := w.ask(i, n%(len(w.copies)+1), 1+n/8%9)
	return refusal == nil, err
}

// crash ends a copy's process in the middle of a step: nothing of the step remains, and what was in memory is gone.
func (w *world) crash(f *follower, n int) error {
	if n%8 == 0 {
		w.follower.crash()
	}
	killed := errors.New("killed")
	before, err := f.target().Copy()
	if err != nil {
		return err
	}
	b, refusal := w.Serve(before.Ask(), 1+n%9)
	if refusal == nil {
		err := f.target().Step(func(c *replica.Copy, s Set) error {
			_, _ = c.Draw(s, b.Head, b.Changes, b.Last)
			return killed
		})
		after, errCopy := f.target().Copy()
		if !errors.Is(err, killed) || errCopy != nil || *after != *before {
			return fmt.Errorf("something of a step remains that was not committed: %w", errors.Join(err, errCopy))
		}
	}
	f.crash()
	return nil
}

// forget a header that was kept as evidence, as the ring does in time.
func (w *world) forget(f *follower, n int) bool {
	m, ok := f.place.(interface{ Forget(protocol.Position) })
	if !ok || len(w.signed) == 0 {
		return false
	}
	w.blind = true
	m.Forget(w.signed[n%len(w.signed)].Pos)
	return true
}

// restore the origin from a backup. The guard stays, unless the whole machine is rolled back.
func (w *world) restore(n int, machine bool) (bool, error) {
	c, err := w.Copy()
	if err != nil || c.CatchingUp() {
		return false, err
	}
	path := w.path(c.Header)
	if len(path) == 0 {
		return false, nil
	}
	keep := max(0, len(path)-n%9)
	s := w.open()
	to := protocol.Hash{}
	if keep > 0 {
		to = path[keep-1].Raw
	}
	if err := w.back(s, to); err != nil {
		return false, err
	}
	w.follower.crash()
	w.place, w.Store, w.staging = s, s, false
	delete(w.was, w.follower) // a backup is older
	clear(w.asked)
	if machine {
		w.forked, w.rolled = true, true
		w.evidence, w.guard, w.mark, w.seen = nil, protocol.Position{}, protocol.Hash{}, protocol.Position{}
		if keep > 0 {
			w.guard, w.mark, w.seen = path[keep-1].Pos, to, path[keep-1].Pos
		}
	}
	return true, w.freeze()
}

// twin is a second copy of the origin's machine that signs on its own for a while, and is then stopped.
func (w *world) twin(n int) (bool, error) {
	c, err := w.Copy()
	if err != nil || c.CatchingUp() || c.Disputed {
		return false, err
	}
	path := w.path(c.Header)
	back := n % 4
	if len(path) <= back {
		return false, nil
	}
	to := path[len(path)-1-back]
	s := w.open()
	if err := w.back(s, to.Raw); err != nil {
		return false, err
	}
	for i := range 1 + n/4%3 {
		key := ReportKey(100 + i)
		if n/16%2 == 0 && w.made > 0 {
			key = Key(n / 32 % w.made)
		}
		ch, err := w.sign(&Node{s, w.Origin}, w.federation.Draft(protocol.Put, key), fmt.Appendf(nil, "twin %d", len(w.signed)))
		if err != nil {
			return false, fmt.Errorf("the twin cannot sign: %w", err)
		}
		w.forked = true
		w.release(ch, false)
	}
	return true, nil
}

// tell carries evidence from one to another, or to the origin.
func (w *world) tell(n int) (bool, error) {
	all := append(slices.Clone(w.copies), w.follower)
	from, to := all[n%len(all)], all[n/len(all)%len(all)]
	for _, e := range from.evidence {
		decoded, err := protocol.DecodeEvidence(e.Encode())
		if err != nil {
			return false, fmt.Errorf("evidence does not come through: %w", err)
		}
		if err := to.learn(decoded); err != nil {
			return false, err
		}
		if to == w.follower {
			w.sees(e.B.Pos)
		}
	}
	return len(from.evidence) > 0, nil
}
