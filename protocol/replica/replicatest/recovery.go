package replicatest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/asean-tmh/tmh/protocol"
)

// recover asks one copy what it holds of the origin's history, proven or not, and takes back what is missing.
func (w *world) recover(n int) (bool, error) {
	i := n % len(w.copies)
	f := w.copies[i]
	theirs, err := f.Copy()
	if err != nil {
		return false, err
	}
	before, err := w.Copy()
	if err != nil {
		return false, err
	}
	w.asked[i] = true
	if theirs.Proven.Epoch > before.Proven.Epoch || !before.Disputed && theirs.Proven.Compare(before.Proven) > 0 {
		w.sees(theirs.Proven)
		w.blind = true
		for range 200 {
			b, refusal, err := w.follower.ask(&f.Node, 1+n/8%9)
			if err != nil {
				return false, err
			}
			if refusal != nil && protocol.CodeOf(refusal) != protocol.CodeRestart || refusal == nil && b.Last && !w.staging {
				break
			}
		}
		if err := w.follower.rewind(); err != nil {
			return false, err
		}
	}
	// What is not proven there follows one by one, where it follows.
	var loose []*protocol.Change
	if err := f.Store.View(func(s Set) error {
		return s.Feed(before.Proven, func(_ protocol.Position, raw []byte) (bool, error) {
			ch, err := protocol.DecodeChange(raw)
			loose = append(loose, ch)
			return true, err
		})
	}); err != nil {
		return false, err
	}
	for _, ch := range loose {
		w.sees(ch.Pos)
		if err := w.follower.Next(ch); protocol.CodeOf(err) == protocol.CodeFork {
			if err := w.accuse(err); err != nil {
				return false, err
			}
		}
	}
	after, err := w.Copy()
	if err != nil {
		return false, err
	}
	if after.Proven.Compare(w.guard) > 0 || after.Proven == w.guard { // what others hold beyond the guard was signed
		w.guard, w.mark = after.Proven, after.Header
	}
	return after.Proven != before.Proven, w.freeze()
}

// openEpoch where there is reason: two histories, a loss that nobody made good, or, freely, a stolen key.
func (w *world) openEpoch(n int, freely bool) (bool, error) {
	c, ready, err := w.ready()
	if err != nil {
		return false, err
	}
	var reason string
	switch {
	case c.CatchingUp():
		if len(w.asked) < len(w.copies) {
			return false, nil
		}
		// What was drawn and cannot be proven is given up, and what is proven goes on.
		s := w.open()
		if err := w.back(s, c.Header); err != nil {
			return false, err
		}
		w.place, w.Store, w.staging, reason = s, s, false, "loss"
		if c.Disputed {
			if err := w.Dispute(); err != nil {
				return false, err
			}
		}
	case c.Disputed:
		reason = "fork"
	case !ready && len(w.asked) == len(w.copies):
		reason = "loss"
	case ready && freely && n%4 == 0:
		reason = "key"
	default:
		return false, nil
	}
	on := make(map[protocol.Hash]bool)
	for _, ch := range w.path(c.Header) {
		on[ch.Raw] = true
	}
	last := w.seen
	var void []*protocol.Change
	for _, e := range w.evidence {
		for _, h := range []*protocol.SignedHeader{e.A, e.B} {
			last = protocol.Position{Epoch: max(last.Epoch, h.Pos.Epoch), Seq: max(last.Seq, h.Pos.Seq)}
			if ch := w.by[h.Raw]; ch == nil {
				return false, errors.New("evidence of what was never signed")
			} else if !on[h.Raw] && h.Pos.Epoch == c.Proven.Epoch && !slices.Contains(void, ch) {
				void = append(void, ch)
			}
		}
	}
	last = protocol.Position{Epoch: max(last.Epoch, w.guard.Epoch), Seq: max(last.Seq, w.guard.Seq)}
	ch, err := w.epoch(reason, last, void)
	if err != nil {
		return false, fmt.Errorf("the origin cannot open an epoch: %w", err)
	}
	w.counts.by["epochs for "+reason]++
	w.release(ch, true)
	return true, nil
}
