package node

import (
	"context"
	"sync"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Where a copy is drawn anew, most of what is held is right most of the time. A set is divided into 256 buckets by record
// key: the digests of a holder's buckets show which parts need not travel. They are computed on demand.

// bucketCache remembers the digests of the state that was asked for last: they cost a look at every record.
type bucketCache struct {
	mu   sync.Mutex // held while digests are computed: one state at a time
	of   map[protocol.MemberID]*protocol.SignedHeader
	sums map[protocol.MemberID][]protocol.Hash
}

func (n *Node) serveBuckets(r *protocol.Request, send func(*protocol.Answer) error) error {
	a, err := n.bucketDigests(r.Origin)
	if err != nil {
		return err
	}
	return send(a)
}

func (n *Node) bucketDigests(origin protocol.MemberID) (*protocol.Answer, error) {
	n.buckets.mu.Lock()
	defer n.buckets.mu.Unlock()
	a := &protocol.Answer{Last: true}
	err := n.store.View(func(tx *store.Tx) error {
		set := tx.Origin(origin)
		c, err := loadCopy(set, origin)
		if err != nil {
			return err
		}
		if c.CatchingUp() || c.Proven.Seq == 0 {
			return protocol.Errorf(protocol.CodeUnavailable, "", "no proven copy of %s is held", origin)
		}
		head, err := set.HeaderAt(c.Proven)
		if err != nil {
			return err
		}
		if head == nil {
			return protocol.Errorf(protocol.CodeInternal, "", "the header at the proven head of %s is missing", origin)
		}
		a.Head = head.Bytes()
		if known := n.buckets.of[origin]; known != nil && known.Raw == head.Raw {
			a.Buckets = n.buckets.sums[origin]
			return nil
		}
		buckets, err := bucketsOf(set)
		for i := range buckets {
			a.Buckets = append(a.Buckets, buckets[i].Digest())
		}
		if err == nil {
			n.buckets.of[origin], n.buckets.sums[origin] = head, a.Buckets
		}
		return err
	})
	return a, err
}

// bucketsOf hashes an origin's set in parts.
func bucketsOf(set *store.Origin) (*[protocol.Buckets]protocol.SetHash, error) {
	buckets := new([protocol.Buckets]protocol.SetHash)
	return buckets, set.Records("", func(c *protocol.Change) (bool, error) {
		buckets[protocol.BucketOf(c.RecordKey)].Add(c.Element())
		return true, nil
	})
}

// seed begins a staged copy with the parts of the held one that are equal to the holder's, and remembers which the feed
// must still bring. Where it fails the whole feed is drawn.
func (n *Node) seed(ctx context.Context, origin, holder protocol.MemberID) error {
	var head *protocol.SignedHeader
	var theirs []protocol.Hash
	if err := n.net.Ask(ctx, holder, &protocol.Request{Kind: protocol.AskBuckets, Origin: origin}, func(a *protocol.Answer) (err error) {
		if a.Refused != "" {
			return protocol.Errorf(a.Refused, "", "the holder refused")
		}
		if head, err = protocol.DecodeSignedHeader(a.Head); err == nil {
			err = n.roster.Load().VerifyHeader(head)
		}
		if err == nil && (head.Origin != origin || len(a.Buckets) != protocol.Buckets) {
			err = protocol.Errorf(protocol.CodeHolder, "answer.buckets", "are not those of %s", origin)
		}
		theirs = a.Buckets
		return err
	}); err != nil {
		return err
	}
	wanted, equal := new(protocol.BucketSet), 0
	if err := n.store.View(func(tx *store.Tx) error {
		ours, err := bucketsOf(tx.Origin(origin))
		for i := range ours {
			if ours[i].Digest() == theirs[i] {
				equal++
			} else {
				wanted.Add(byte(i))
			}
		}
		return err
	}); err != nil {
		return err
	}
	if err := n.copyBuckets(ctx, origin, head, wanted); err != nil {
		return err
	}
	n.mu.Lock()
	if st := n.staging[origin]; st != nil {
		st.drawn, st.wanted, st.above = head.Pos, wanted, head.Pos.Seq
	}
	n.mu.Unlock()
	n.log.Info("parts of the held copy are taken over", "origin", origin, "buckets", equal, "of", protocol.Buckets)
	return nil
}

// copyBuckets takes the records of all but some buckets into the staged copy, each looked at as if it came from outside.
func (n *Node) copyBuckets(ctx context.Context, origin protocol.MemberID, head *protocol.SignedHeader, but *protocol.BucketSet) error {
	roster := n.roster.Load()
	var part []*protocol.Change
	room := n.store.MaxWrite() / 4
	flush := func() error {
		defer func() { part, room = nil, n.store.MaxWrite()/4 }()
		return n.store.Update(func(tx *store.Tx) error {
			set := tx.Staged(origin)
			c, err := loadCopy(set, origin)
			if err != nil {
				return err
			}
			if err := c.Seed(set, head, part); err != nil {
				return err
			}
			return set.SetFrontier(c.Encode())
		})
	}
	if err := n.store.View(func(tx *store.Tx) error {
		return tx.Origin(origin).Records("", func(ch *protocol.Change) (bool, error) {
			if but.Has(protocol.BucketOf(ch.RecordKey)) {
				return true, ctx.Err()
			}
			if err := roster.VerifyChange(ch); err != nil {
				return false, err
			}
			part = append(part, ch)
			if room -= weight(ch); room > 0 {
				return true, ctx.Err()
			}
			return true, flush()
		})
	}); err != nil {
		return err
	}
	return flush()
}
