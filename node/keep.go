package node

import (
	"context"
	"fmt"
	"io"

	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
)

// What the node keeps for itself (package house), and how it meets the federation: own listings leave through the desk, full
// records are served and fetched over the network.

// openHouse makes it. The desk and the network must be there.
func (n *Node) openHouse() (err error) {
	c := n.cfg.House
	c.Store, c.Member, c.Now, c.Log, c.Desk, c.Roster, c.Network = n.store, n.cfg.Member, n.cfg.Now, n.log, n.desk, n.roster.Load, n.net
	c.Sign = func(e protocol.Entitlement) (*protocol.SignedEntitlement, error) {
		e.Federation = n.roster.Load().Federation()
		return protocol.SignEntitlement(n.cfg.Record, e)
	}
	c.Similar = n.similar
	c.Bulk = func(on bool) {
		if on {
			n.follow.bulk.Add(1)
		} else {
			n.follow.bulk.Add(-1)
		}
	}
	n.house, err = house.New(c)
	return err
}

// maxSuspects is how many listings that look like a draft are shown at most.
const maxSuspects = 10

// similar looks over the whole region for listings that look like the technology of l.
func (n *Node) similar(ctx context.Context, l *protocol.Listing, rights []string) (list []posting.Suspect, err error) {
	if n.cfg.WithoutIndex {
		return nil, nil
	}
	self := match.Ref{Origin: n.cfg.Member, ID: l.ID}
	texts := func(ref match.Ref) (*protocol.Listing, error) {
		e, err := n.desk.Entry(ref)
		return e.Listing, err
	}
	found, err := n.index.Similar(ctx, match.Draft{Listing: l, Self: self, Patents: rights}, maxSuspects, match.Sources{Texts: texts})
	for _, s := range found {
		suspect := posting.Suspect{Origin: s.Ref.Origin, ID: s.Ref.ID, Score: s.Score}
		if e, err := n.desk.Entry(s.Ref); err == nil && e.Listing != nil {
			_, t := e.Listing.Text(l.Languages()...)
			suspect.Title = t.Title
		}
		for _, why := range s.Why {
			suspect.Why = append(suspect.Why, likeness(why))
		}
		list = append(list, suspect)
	}
	return list, err
}

// likeness in words.
func likeness(l match.Likeness) string {
	switch l.Kind {
	case match.LikePatent:
		return fmt.Sprintf("names the same patent, %s", l.Patent)
	case match.LikeTitle:
		return "has the same title"
	case match.LikeTranslation:
		return "says much the same in another language"
	}
	return fmt.Sprintf("shares %.0f%% of the shorter text", 100*l.Share)
}

// Parts implements p2p.Handler.
func (h *handler) Parts(ctx context.Context, from protocol.MemberID, e *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
	return h.house.Library.Parts(ctx, from, e)
}

// Document implements p2p.Handler.
func (h *handler) Document(ctx context.Context, from protocol.MemberID, e *protocol.SignedEntitlement, hash protocol.Hash) (io.ReadCloser, error) {
	return h.house.Library.Document(ctx, from, e, hash)
}

// purge drops copies of full records that their summaries no longer name.
func (n *Node) purge(refs []match.Ref) {
	all := make([]record.Ref, len(refs))
	for i, ref := range refs {
		all[i] = record.Ref{Origin: ref.Origin, ID: ref.ID}
	}
	if err := n.house.Records.Purge(all...); err != nil {
		n.log.Warn("copies of full records not dropped", "error", err)
	}
}
