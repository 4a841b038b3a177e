package node

import (
	"context"
	"sync"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Feed gives the lines of an origin's feed, from the papers that authenticate it to the change at its proven head, all of
// one moment.
//
// Errors: CodeOrigin for who is no member, CodeUnavailable while the copy is not proven, CodeNotFound where there is
// nothing; and what each returns.
func (c counter) Feed(ctx context.Context, origin protocol.MemberID, each func(api.FeedLine) error) error {
	n := c.n
	if !n.isMember(origin) {
		return protocol.Errorf(protocol.CodeOrigin, "id", "%s is no member of this federation", origin)
	}
	// What is committed but not guarded yet must not be heard of. The lock is only held until the moment is fixed: who reads
	// slowly must not keep this node from signing.
	unlock := func() {}
	if origin == n.cfg.Member {
		n.signing.RLock()
		unlock = sync.OnceFunc(n.signing.RUnlock)
		defer unlock()
	}
	return n.store.View(func(tx *store.Tx) error {
		unlock()
		return feedOf(ctx, tx, origin, each)
	})
}

func feedOf(ctx context.Context, tx *store.Tx, origin protocol.MemberID, each func(api.FeedLine) error) error {
	set := tx.Origin(origin)
	held, err := loadCopy(set, origin)
	switch {
	case err != nil:
		return err
	case held.CatchingUp():
		return protocol.Errorf(protocol.CodeUnavailable, "", "the copy of %s is catching up and proven only to %s: try again when tmh status says that it is proven", origin, held.Proven)
	case held.Proven.Seq == 0:
		return protocol.Errorf(protocol.CodeNotFound, "", "%s has published nothing that is held here", origin)
	}
	head, err := set.HeaderAt(held.Proven)
	if err != nil {
		return err
	}
	if head == nil {
		return protocol.Errorf(protocol.CodeInternal, "", "the header of %s at %s is missing: stop the node and run tmh verify", origin, held.Proven)
	}
	roster, err := tx.Roster()
	if err != nil {
		return err
	}
	charters, err := tx.Charters()
	if err != nil {
		return err
	}
	statement, err := set.Head()
	if err != nil {
		return err
	}
	lines := []api.FeedLine{
		{Type: "papers", Bytes: (&protocol.Papers{Charters: charters, Cards: roster.Cards()}).Encode()},
		{Type: "head", Bytes: head.Bytes()},
	}
	if statement != nil {
		lines = append(lines, api.FeedLine{Type: "statement", Bytes: statement.Bytes()})
	}
	for _, l := range lines {
		if err := each(l); err != nil {
			return err
		}
	}
	return set.Feed(protocol.Position{}, func(_ protocol.Position, change []byte) (bool, error) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		return true, each(api.FeedLine{Type: "change", Bytes: change})
	})
}

// Changes lists what is stored of an origin above a position, proven or not.
func (n *Node) Changes(origin protocol.MemberID, above protocol.Position) (all []*protocol.Change, err error) {
	err = n.store.View(func(tx *store.Tx) error {
		return tx.Origin(origin).Feed(above, func(_ protocol.Position, b []byte) (bool, error) {
			c, err := protocol.DecodeChange(b)
			all = append(all, c)
			return true, err
		})
	})
	return all, err
}
