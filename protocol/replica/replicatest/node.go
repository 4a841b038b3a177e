package replicatest

import (
	"errors"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// Node holds one copy of an origin, in force or staged. Every step loads the copy, and stores it in the same transaction, as
// a node does: so every step is also a restart.
type Node struct {
	Store  Transactions
	Origin protocol.MemberID
}

// Step runs f over the copy in one transaction, which is dropped where f fails.
func (n *Node) Step(f func(c *replica.Copy, s Set) error) error {
	return n.Store.Update(func(s Set) error {
		c, err := load(s, n.Origin)
		if err != nil {
			return err
		}
		if err := f(c, s); err != nil {
			return err
		}
		return s.SetFrontier(c.Encode())
	})
}

func load(s Set, origin protocol.MemberID) (*replica.Copy, error) {
	b, err := s.Frontier()
	if err != nil {
		return nil, err
	}
	return replica.Decode(origin, b)
}

// Copy as it is stored.
func (n *Node) Copy() (c *replica.Copy, err error) {
	err = n.Store.View(func(s Set) (err error) {
		c, err = load(s, n.Origin)
		return err
	})
	return c, err
}

// Author signs and applies one change.
func (n *Node) Author(f *Federation, kind protocol.ChangeKind, key protocol.RecordKey, body []byte) (ch *protocol.Change, err error) {
	err = n.Step(func(c *replica.Copy, s Set) (err error) {
		ch, err = c.Author(s, RecordSigner(n.Origin), f.Draft(kind, key), body)
		return err
	})
	return ch, err
}

// Next applies a gossiped change.
func (n *Node) Next(ch *protocol.Change) error {
	return n.Step(func(c *replica.Copy, s Set) error { return c.Next(s, ch) })
}

// Draw applies a batch.
func (n *Node) Draw(b Batch) error {
	for proven := false; ; b.Changes = nil { // withdrawals beyond a step are forgotten in further ones
		if err := n.Step(func(c *replica.Copy, s Set) (err error) {
			proven, err = c.Draw(s, b.Head, b.Changes, b.Last)
			return err
		}); err != nil || proven || !b.Last {
			return err
		}
	}
}

// Rewind begins the pull again.
func (n *Node) Rewind() error {
	return n.Step(func(c *replica.Copy, _ Set) error { c.Rewind(); return nil })
}

// Dispute freezes the copy.
func (n *Node) Dispute() error {
	return n.Step(func(c *replica.Copy, _ Set) error { c.Disputed = true; return nil })
}

// Batch of a holder's feed.
type Batch struct {
	Head    *protocol.SignedHeader
	Changes []*protocol.Change
	Last    bool
}

// Serve answers a request by at most a number of changes.
func (n *Node) Serve(r *protocol.Request, most int) (b Batch, err error) {
	err = n.Store.View(func(s Set) error {
		c, err := load(s, n.Origin)
		if err != nil {
			return err
		}
		if err := c.Verdict(s, r); err != nil {
			return err
		}
		if b.Head, err = s.HeaderAt(c.Proven); err != nil || b.Head == nil {
			return errors.Join(err, protocol.Errorf(protocol.CodeUnavailable, "", "nothing held"))
		}
		b.Last = true
		return s.Feed(r.Cursor, func(pos protocol.Position, raw []byte) (bool, error) {
			ch, err := protocol.DecodeChange(raw)
			if err != nil || r.Buckets != nil && pos.Seq <= r.Above && !r.Buckets.Has(protocol.BucketOf(ch.RecordKey)) {
				return true, err
			}
			if len(b.Changes) == most {
				b.Last = false
				return false, nil
			}
			b.Changes = append(b.Changes, ch)
			return true, nil
		})
	})
	return b, err
}

// Records held, by key, with the digest computed over them afresh.
func (n *Node) Records() (records map[protocol.RecordKey]protocol.Hash, digest protocol.Hash, err error) {
	records = make(map[protocol.RecordKey]protocol.Hash)
	var set protocol.SetHash
	last := protocol.Position{}
	err = n.Store.View(func(s Set) error {
		return s.Feed(protocol.Position{}, func(pos protocol.Position, raw []byte) (bool, error) {
			ch, err := protocol.DecodeChange(raw)
			if err != nil {
				return false, err
			}
			if _, twice := records[ch.RecordKey]; twice || pos != ch.Pos || pos.Compare(last) <= 0 {
				return false, errors.New("the feed is not one change a key in order at " + pos.String())
			}
			last = pos
			records[ch.RecordKey] = ch.Raw
			set.Add(ch.Element())
			return true, nil
		})
	})
	return records, set.Digest(), err
}

// buckets of the records held, and the head under which they are proven.
func (n *Node) buckets() (parts map[byte][]*protocol.Change, head *protocol.SignedHeader, err error) {
	parts = make(map[byte][]*protocol.Change)
	err = n.Store.View(func(s Set) error {
		c, err := load(s, n.Origin)
		if err != nil {
			return err
		}
		if head, err = s.HeaderAt(c.Proven); err != nil {
			return err
		}
		return s.Feed(protocol.Position{}, func(_ protocol.Position, raw []byte) (bool, error) {
			ch, err := protocol.DecodeChange(raw)
			if err == nil {
				i := protocol.BucketOf(ch.RecordKey)
				parts[i] = append(parts[i], ch)
			}
			return true, err
		})
	})
	return parts, head, err
}
