package node

import (
	"context"
	"errors"

	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// operator is what only the administration socket offers.
type operator struct{ n *Node }

// ProposeEpoch implements api.Operator.
func (o operator) ProposeEpoch(reason, note string) (p exchange.EpochProposal, err error) {
	opening, err := o.n.ProposeEpoch(reason, note)
	if err != nil {
		return p, err
	}
	if p.Opening, err = protocol.EncodeOpening(opening); err != nil {
		return p, err
	}
	p.Heard, p.Silent = o.n.heardOwn()
	err = o.n.store.View(func(tx *store.Tx) (err error) {
		p.Void, err = nameVoid(tx.Origin(opening.Origin), opening.Voided)
		return err
	})
	return p, err
}

// OpenEpoch implements api.Operator.
func (o operator) OpenEpoch(ctx context.Context, signed []byte) (r exchange.EpochReceipt, err error) {
	s, err := protocol.DecodeOpening(signed)
	if err != nil {
		return r, err
	}
	if s.Origin != o.n.cfg.Member {
		return r, protocol.Errorf(protocol.CodeOrigin, "opening.origin", "this opening is for the catalogue of %s, and this is the node of %s: open it there", s.Origin, o.n.cfg.Member)
	}
	if r, err = o.n.OpenEpoch(ctx, s); err == nil {
		o.n.house.Note(door.ActorOf(ctx), "epoch.open", "catalogue", string(s.Origin), map[string]string{"reason": s.Reason, "position": r.Position.String()})
	}
	return r, err
}

// Seal implements api.Operator.
func (o operator) Seal(at protocol.Position) (s exchange.Seal, err error) {
	err = o.n.store.View(func(tx *store.Tx) (err error) {
		s, err = readSeal(tx, o.n.roster.Load(), o.n.cfg.Member, at)
		return err
	})
	return s, err
}

// Examine implements api.Operator.
func (o operator) Examine() []exchange.Finding { return o.n.Examine() }

// ReadSeal tells what a new card needs to know of a stopped node's catalogue, and changes nothing. The zero position asks
// for its end.
func ReadSeal(cfg store.Config, member protocol.MemberID, at protocol.Position) (s exchange.Seal, err error) {
	db, err := store.OpenReadOnly(cfg)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.View(func(tx *store.Tx) error {
		roster, err := tx.Roster()
		if err != nil {
			return err
		}
		s, err = readSeal(tx, roster, member, at)
		return err
	})
	return s, err
}

func readSeal(tx *store.Tx, roster *protocol.Roster, member protocol.MemberID, at protocol.Position) (s exchange.Seal, err error) {
	set := tx.Origin(member)
	c, err := loadCopy(set, member)
	if err != nil {
		return s, err
	}
	if roster != nil && roster.Card(member) != nil {
		s.Card = roster.Card(member).Bytes()
	}
	s.Head = c.Proven
	if at == (protocol.Position{}) {
		at = s.Head
	}
	if at.Seq == 0 {
		return s, nil
	}
	h, err := set.HeaderAt(at)
	switch {
	case err != nil:
		return s, err
	case h == nil && at.Compare(s.Head) > 0:
		return s, protocol.Errorf(protocol.CodeNotFound, "seal", "this node holds nothing at %s: its catalogue ends at %s", at, s.Head)
	case h == nil:
		return s, protocol.Errorf(protocol.CodeNotFound, "seal", "what was signed at %s is not kept any more, or nothing was: choose the position of a change that is held (tmh export --feed %s lists them)", at, member)
	}
	s.At, err = nameHeader(set, h)
	return s, err
}

// heardOwn lists who said since the start what they hold of this catalogue, and who did not.
func (n *Node) heardOwn() (heard, silent []protocol.MemberID) {
	heard, silent = []protocol.MemberID{}, []protocol.MemberID{}
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	for _, m := range n.roster.Load().Charter().Members {
		switch {
		case m.ID == n.cfg.Member:
		case n.own.answered[m.ID]:
			heard = append(heard, m.ID)
		default:
			silent = append(silent, m.ID)
		}
	}
	return heard, silent
}
