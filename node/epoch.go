package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// ProposeEpoch makes the opening that this node's history wants now, for the governance key to sign. It is refused where
// nothing was lost, forked or stolen: an epoch leaves changes behind for ever.
func (n *Node) ProposeEpoch(reason, note string) (o protocol.Opening, err error) {
	if err := n.heardEnough(); err != nil {
		return o, err
	}
	n.own.mu.Lock()
	seen, stray := n.own.seen, slices.Collect(maps.Values(n.own.stray))
	n.own.mu.Unlock()
	err = n.store.View(func(tx *store.Tx) error {
		set := tx.Origin(n.cfg.Member)
		c, err := loadCopy(set, n.cfg.Member)
		if err != nil {
			return err
		}
		if c.CatchingUp() {
			return protocol.Errorf(protocol.CodeUnavailable, "", "the own catalogue is not proven as a whole: wait until it is drawn from the other members, or restore a backup")
		}
		forks, err := set.Evidence()
		if err != nil {
			return err
		}
		head, err := set.HeaderAt(c.Proven)
		if err != nil {
			return err
		}
		if err := n.epochWanted(reason, c, seen, head); err != nil {
			return err
		}
		if head != nil {
			if err := n.roster.Load().VerifyHeader(head); err != nil {
				return protocol.Errorf(protocol.CodeConflict, "base", "the card in force does not let stand what is held at %s: put a backup of before the seal in place, and start again", c.Proven)
			}
		}
		o = protocol.Opening{
			Federation: n.roster.Load().Federation(), Origin: n.cfg.Member, Base: c.Proven, BaseHeader: c.Header, BaseDigest: c.Digest(),
			Reason: reason, Note: note, IssuedAt: protocol.InstantOf(n.cfg.Now()),
		}
		var void []*protocol.SignedHeader
		for _, f := range forks {
			void = append(void, f.A, f.B)
		}
		for _, s := range stray {
			void = append(void, &s.SignedHeader)
		}
		void = append(void, n.closedHeaders()...)
		return listVoid(set, &o, seen, void)
	})
	return o, err
}

// listVoid names what the epoch leaves behind and the position at which it begins.
func listVoid(set *store.Origin, o *protocol.Opening, seen protocol.Position, signed []*protocol.SignedHeader) error {
	o.Last = o.Base
	last := o.Base.Seq
	note := func(pos protocol.Position) {
		if !inReach(o.Base, pos) {
			return
		}
		if pos.Compare(o.Last) > 0 {
			o.Last = pos
		}
		last = max(last, pos.Seq)
	}
	note(seen)
	known := make(map[protocol.Hash]bool)
	for _, h := range signed {
		note(h.Pos)
		held, err := set.HeaderAt(h.Pos)
		if err != nil {
			return err
		}
		if held != nil && held.Raw == h.Raw || h.Pos.Epoch != o.Base.Epoch || !inReach(o.Base, h.Pos) || known[h.Raw] {
			continue
		}
		known[h.Raw] = true
		o.Voided = append(o.Voided, protocol.Voided{Pos: h.Pos, Header: h.Raw, Key: h.RecordKey, Kind: h.Kind})
	}
	slices.SortFunc(o.Voided, func(a, b protocol.Voided) int {
		if order := a.Pos.Compare(b.Pos); order != 0 {
			return order
		}
		return strings.Compare(string(a.Header[:]), string(b.Header[:]))
	})
	o.Voided = o.Voided[:min(len(o.Voided), protocol.MaxVoided)]
	o.Last.Seq = max(o.Last.Seq, last)
	o.Pos = protocol.Position{Epoch: o.Last.Epoch + 1, Seq: o.Last.Seq + 1}
	return nil
}

// heardEnough refuses while members who may hold the missing history were not heard.
func (n *Node) heardEnough() error {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	others := len(n.roster.Load().Charter().Members) - 1
	answered := 0
	for m := range n.own.answered {
		if n.isMember(m) {
			answered++
		}
	}
	if answered <= others/2 && others > 0 && !n.cfg.Alone {
		return protocol.Errorf(protocol.CodeUnavailable, "", "%d of the %d other members said what they hold of this catalogue: an epoch wants over half of them, since they may hold what is missing", answered, others)
	}
	return nil
}

// epochWanted checks that there is a reason.
func (n *Node) epochWanted(reason string, c *replica.Copy, seen protocol.Position, head *protocol.SignedHeader) error {
	switch reason {
	case "loss":
		if seen.Compare(c.Proven) <= 0 {
			return protocol.Errorf(protocol.CodeConflict, "reason", "nothing is lost: this node holds everything that it is known to have signed, up to %s", c.Proven)
		}
	case "fork":
		if !c.Disputed {
			return protocol.Errorf(protocol.CodeConflict, "reason", "no fork of this catalogue is proven: no epoch is needed")
		}
	case "key":
		if head == nil || head.Key == n.cfg.Record.Public().ID() && len(n.whoShowsClosed()) == 0 {
			return protocol.Errorf(protocol.CodeConflict, "reason", "the newest change was signed with the record key in use: seal the stolen key with a new card first (tmh card new --seal)")
		}
	default:
		return protocol.Errorf(protocol.CodeValue, "reason", "%q is none of %v", reason, protocol.EpochReasons())
	}
	return nil
}

// OpenEpoch opens the epoch that the governance key signed, if that is still the one which this node's history wants, and
// publishes again what others held of its lost changes.
func (n *Node) OpenEpoch(ctx context.Context, s *protocol.SignedOpening) (exchange.EpochReceipt, error) {
	var r exchange.EpochReceipt
	want, err := n.ProposeEpoch(s.Reason, s.Note)
	if err != nil {
		return r, err
	}
	if s.Federation != want.Federation || s.Origin != want.Origin || s.Base != want.Base || s.BaseHeader != want.BaseHeader || s.BaseDigest != want.BaseDigest || s.Pos.Compare(want.Pos) < 0 || s.Pos.Seq < want.Pos.Seq {
		return r, protocol.Errorf(protocol.CodeConflict, "", "this opening was made for another state of the catalogue (base %s, epoch from %s; wanted now: base %s, from %s): make and sign a new one", s.Base, s.Pos, want.Base, want.Pos)
	}
	ch, err := n.signOpening(s)
	if err != nil {
		return r, err
	}
	r.Position, r.Base, r.Last, r.Voided = ch.Pos, s.Base, s.Last, s.Voided
	n.log.Warn("an epoch was opened", "position", ch.Pos.String(), "base", s.Base.String(), "reason", s.Reason)
	n.outbox.add([]*protocol.Change{ch})
	n.own.mu.Lock()
	stray := slices.Collect(maps.Values(n.own.stray))
	clear(n.own.stray)
	clear(n.own.closed)
	n.own.mu.Unlock()
	n.reviewOwn()
	if s.Reason == "loss" {
		r.Saved, err = n.salvage(ctx, stray)
	}
	return r, err
}

func (n *Node) signOpening(s *protocol.SignedOpening) (ch *protocol.Change, err error) {
	n.signing.Lock()
	defer n.signing.Unlock()
	var set *store.Origin
	var c *replica.Copy
	err = n.store.Update(func(tx *store.Tx) error {
		roster := n.roster.Load()
		set = tx.Origin(n.cfg.Member)
		var err error
		if c, err = loadCopy(set, n.cfg.Member); err != nil {
			return err
		}
		ch, err = c.Author(set, n.cfg.Record, protocol.Header{
			Federation: roster.Federation(), CharterVersion: roster.Charter().Version,
			RecordKey: protocol.EpochKey(s.Pos.Epoch), Kind: protocol.OpenEpoch, Pos: s.Pos,
		}, s.Bytes())
		if err != nil {
			return err
		}
		if err := roster.VerifyChange(ch); err != nil {
			return err
		}
		return errors.Join(set.SetFrontier(c.Encode()), set.TrimHeaders(c.Proven, 2))
	})
	if err != nil {
		return nil, err
	}
	if err := n.advanceGuard(c); err != nil {
		return nil, err
	}
	n.admitted(n.cfg.Member, set.Replaced, c)
	n.sawOwnPosition(c.Proven)
	return ch, nil
}

func (n *Node) advanceGuard(c *replica.Copy) error {
	if err := n.guardOwn(c); err != nil {
		n.blockUntilRestart("The guard file could not be written, so nothing more is signed: " + err.Error() + ". Mend the disk and restart.")
		return err
	}
	return nil
}

// salvage publishes anew what other members held of lost changes: the newest of every record, unless a newer one is held.
func (n *Node) salvage(ctx context.Context, stray []*protocol.Change) (saved int, err error) {
	newest := make(map[protocol.RecordKey]*protocol.Change)
	for _, s := range stray {
		if have := newest[s.RecordKey]; s.Kind != protocol.OpenEpoch && (have == nil || s.Pos.Compare(have.Pos) > 0) {
			newest[s.RecordKey] = s
		}
	}
	var intents []exchange.Intent
	for key, s := range newest {
		intents = append(intents, exchange.Intent{Key: key, Decide: func(current *protocol.Change, _ []byte) (*exchange.Act, error) {
			switch {
			case current != nil && current.Pos.Seq >= s.Pos.Seq, current == nil && s.Kind == protocol.Withdraw:
				return nil, nil
			case current != nil && current.Kind == protocol.Withdraw:
				return nil, nil
			}
			return &exchange.Act{Kind: s.Kind, Body: s.Body}, nil
		}})
	}
	if len(intents) == 0 {
		return 0, nil
	}
	written, err := n.Append(ctx, intents)
	for _, w := range written {
		if w.Signed {
			saved++
		}
	}
	if err != nil {
		return saved, fmt.Errorf("the epoch is open, but not all that others held of the lost changes was published again: %w", err)
	}
	return saved, nil
}
