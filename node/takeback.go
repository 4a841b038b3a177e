package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// The other members are a node's backup: what it signed and lost is taken back from whoever holds it.

// askOwn asks a member what it holds of this catalogue and takes back what is missing here.
func (n *Node) askOwn(ctx context.Context, m protocol.MemberID) error {
	open := n.wasOpen()
	for range 8 { // a member may hold proven changes, and unproven ones above them
		before, err := n.ownPosition()
		if err != nil {
			return err
		}
		head, foreign, err := n.drawStray(ctx, m, before)
		if err != nil {
			return err
		}
		if n.forked(n.cfg.Member) { // what else is on the other history, as far back as headers are kept
			deeper := before
			deeper.Seq -= min(deeper.Seq, store.EvidenceRing)
			_, _, err := n.drawStray(ctx, m, deeper)
			return err
		}
		after, err := n.ownPosition()
		if err != nil {
			return err
		}
		if open && (foreign || head != nil && head.Pos.Compare(after) > 0) { // what is signed here is held here before anybody else has it
			n.suspectTwin(m, fmt.Sprintf("%s holds changes of this catalogue that this node did not sign since its start: another copy of it runs, or what was lost in a restore comes to light only now.", m))
		}
		if head != nil && head.Pos.Compare(after) > 0 {
			if err := n.pullOwn(ctx, m); err != nil {
				return err
			}
			continue
		}
		if after == before {
			return nil
		}
	}
	return nil
}

func (n *Node) ownPosition() (pos protocol.Position, err error) {
	err = n.store.View(func(tx *store.Tx) error {
		c, err := loadCopy(tx.Origin(n.cfg.Member), n.cfg.Member)
		if err == nil {
			pos = c.Proven
		}
		return err
	})
	return pos, err
}

// drawStray takes from a member what follows the own history one by one, and keeps aside what does not. It returns the
// proven head that the member shows, and whether there was anything of which nothing was known here.
func (n *Node) drawStray(ctx context.Context, m protocol.MemberID, above protocol.Position) (head *protocol.SignedHeader, foreign bool, err error) {
	var request *protocol.Request
	if err := n.store.View(func(tx *store.Tx) error {
		c, err := loadCopy(tx.Origin(n.cfg.Member), n.cfg.Member)
		if err == nil {
			request = c.Ask()
			request.Kind, request.Cursor = protocol.AskOwn, above
		}
		return err
	}); err != nil {
		return nil, false, err
	}
	last := above
	err = n.net.Ask(ctx, m, request, func(a *protocol.Answer) error {
		if a.Refused != "" {
			return protocol.Errorf(a.Refused, "", "the holder refused")
		}
		roster := n.roster.Load()
		for _, b := range a.Heads {
			if s, err := protocol.DecodeHead(b); err != nil {
				return err
			} else if s.Origin == n.cfg.Member && roster.VerifyHead(s) == nil {
				n.sawOwnPosition(s.Pos)
				if s.Counter <= uint64(max(n.cfg.Now().Unix(), 0))+counterAhead {
					n.saveHead(s)
				}
			}
		}
		if len(a.Head) > 0 {
			if head, err = protocol.DecodeSignedHeader(a.Head); err != nil {
				return err
			}
			switch err := n.checkOwn(roster, head); protocol.CodeOf(err) {
			case "":
			case protocol.CodeKey, protocol.CodeFork:
				head = nil
			default:
				head = nil
				return err
			}
		}
		changes := make([]*protocol.Change, 0, len(a.Changes))
		for _, b := range a.Changes {
			c, err := protocol.DecodeChange(b)
			if err != nil {
				return err
			}
			if c.Pos.Compare(last) <= 0 {
				return protocol.Errorf(protocol.CodeHolder, "answer.changes", "%s is out of place after %s", c.Pos, last)
			}
			last = c.Pos
			switch err := roster.VerifyChange(c); protocol.CodeOf(err) {
			case "":
				changes = append(changes, c)
				n.sawOwnPosition(c.Pos)
			case protocol.CodeKey, protocol.CodeFork: // signed with a key that the card has closed since
				if roster.SignedOnce(&c.SignedHeader) {
					n.sawClosed(m, &c.SignedHeader)
				}
			default:
				return err
			}
		}
		more, err := n.takeBack(changes)
		foreign = foreign || more
		return err
	})
	return head, foreign, err
}

// checkOwn compares a header of this node's that another one shows with the own history.
func (n *Node) checkOwn(roster *protocol.Roster, h *protocol.SignedHeader) error {
	if h.Origin != n.cfg.Member {
		return protocol.Errorf(protocol.CodeHolder, "answer.head", "is of %s, asked was %s", h.Origin, n.cfg.Member)
	}
	if err := roster.VerifyHeader(h); err != nil {
		return err
	}
	n.sawOwnPosition(h.Pos)
	var found error
	if err := n.store.View(func(tx *store.Tx) error {
		set := tx.Origin(n.cfg.Member)
		c, err := loadCopy(set, n.cfg.Member)
		if err == nil {
			found = c.Conflict(set, h)
		}
		return err
	}); err != nil {
		return err
	}
	var fork *replica.ForkError
	if errors.As(found, &fork) {
		return n.freeze(fork)
	}
	return found
}

// takeBack applies own changes that follow what is held; others are kept aside. foreign reports that there were either.
func (n *Node) takeBack(changes []*protocol.Change) (foreign bool, err error) {
	if len(changes) == 0 {
		return false, nil
	}
	var c *replica.Copy
	var set *store.Origin
	var fork *replica.ForkError
	err = n.store.Update(func(tx *store.Tx) (err error) {
		set = tx.Origin(n.cfg.Member)
		if c, err = loadCopy(set, n.cfg.Member); err != nil {
			return err
		}
		for _, ch := range changes {
			trial := *c
			switch err := trial.Next(set, ch); {
			case err == nil:
				*c = trial
			case errors.As(err, &fork):
				n.keepStray(ch)
				foreign = true
			case protocol.CodeOf(err) == protocol.CodeInternal:
				return err
			case protocol.CodeOf(err) != protocol.CodeReplayed:
				n.keepStray(ch)
				foreign = true
			}
		}
		return errors.Join(buryIn(tx, set.Replaced), set.SetFrontier(c.Encode()))
	})
	if err != nil {
		return false, err
	}
	if len(set.Replaced) > 0 {
		foreign = true
		n.log.Info("own changes taken back", "position", c.Proven.String(), "records", len(set.Replaced))
		if err := n.guardOwn(c); err != nil {
			return foreign, err
		}
		n.admitted(n.cfg.Member, set.Replaced, c)
	}
	if fork != nil {
		return foreign, n.freeze(fork)
	}
	return foreign, nil
}

func (n *Node) keepStray(c *protocol.Change) {
	n.own.mu.Lock()
	defer n.own.mu.Unlock()
	if len(n.own.stray) < maxStray {
		n.own.stray[c.Raw] = c
	}
}

// guardOwn makes the guard know how far the own history goes.
func (n *Node) guardOwn(c *replica.Copy) error {
	if n.guard == nil {
		return nil
	}
	return n.guard.Advance(store.Mark{Pos: c.Proven, Header: c.Header})
}

// pullOwn draws the own catalogue as a member has proven it: at once where one transaction holds what is missing, so that
// the own copy stays proven, else beside it.
func (n *Node) pullOwn(ctx context.Context, m protocol.MemberID) error {
	select { // no mutex: it is held while the network is waited for
	case n.own.drawing <- struct{}{}:
		defer func() { <-n.own.drawing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	self := n.cfg.Member
	err := n.pullBy(ctx, self, m, false, n.applyAtOnce)
	if code := protocol.CodeOf(err); code == protocol.CodeTooLarge || code == protocol.CodeRestart || code == protocol.CodeUnprovenFinal {
		if err = n.stage(self, "own history is taken back", false); err != nil {
			return err
		}
		err = n.pull(ctx, self, m, true)
	}
	if err != nil {
		return err
	}
	var c *replica.Copy
	if err := n.store.View(func(tx *store.Tx) (err error) {
		c, err = loadCopy(tx.Origin(self), self)
		return err
	}); err != nil {
		return err
	}
	n.log.Info("own history taken back", "from", m, "position", c.Proven.String())
	return n.guardOwn(c)
}

// applyAtOnce draws all batches in one transaction, or none.
func (n *Node) applyAtOnce(origin protocol.MemberID, _ bool, batches <-chan drawn) error {
	var group []drawn
	room := n.store.MaxWrite() / 2
	for d := range batches {
		if room -= d.weight(); room < 0 {
			return protocol.Errorf(protocol.CodeTooLarge, "", "more is missing than one transaction holds")
		}
		group = append(group, d)
	}
	if len(group) == 0 || !group[len(group)-1].last {
		return protocol.Errorf(protocol.CodeUnavailable, "", "the feed ended early")
	}
	_, err := n.draw(origin, false, group, true)
	return err
}

// buryIn remembers own withdrawals that left the set: their ids never return.
func buryIn(tx *store.Tx, replaced []store.Replacement) error {
	for _, r := range replaced {
		if r.New == nil && r.Old != nil && r.Old.Kind == protocol.Withdraw {
			if err := tx.Bury(r.Old); err != nil {
				return err
			}
		}
	}
	return nil
}
