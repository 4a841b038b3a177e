package node

import (
	"context"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Pace of the audit of everything held.
const (
	auditEvery = 7 * 24 * time.Hour
	auditFirst = 10 * time.Minute // after the start
	auditShare = 4                // of one core's time, one part in so many
)

// auditLoop looks through every record now and then. Disks forget: what was proven when it came may be damaged since, and
// would be shown, and served, until somebody looks.
func (n *Node) auditLoop(ctx context.Context) {
	for wait := min(auditFirst, n.cfg.AuditEvery); sleep(ctx, wait+jitter(wait/8)); wait = n.cfg.AuditEvery {
		for _, m := range n.roster.Load().Charter().Members {
			if ctx.Err() != nil {
				return
			}
			n.audit(ctx, m.ID)
		}
		n.metrics.audited.Store(n.cfg.Now().Unix())
		if err := n.trimArchive(); err != nil {
			n.log.Warn("old head statements not deleted", "error", err)
		}
	}
}

// audit compares a copy with what its origin signed. A damaged one is drawn anew from the other members, the own one too.
func (n *Node) audit(ctx context.Context, origin protocol.MemberID) {
	fault := n.auditCopy(ctx, origin)
	if ctx.Err() != nil {
		return
	}
	n.mu.Lock()
	before := n.damage[origin]
	n.damage[origin] = fault
	staging := n.staging[origin] != nil
	if staging && fault != "" { // drawn anew already, perhaps since before a restart: now the same state will do
		n.staging[origin].mend = true
		n.kick(origin)
	}
	n.mu.Unlock()
	if fault == "" {
		if before != "" {
			n.log.Info("copy is whole again", "origin", origin)
		}
		return
	}
	n.metrics.repairs.WithLabelValues(string(origin)).Inc()
	n.log.Error("the audit found damage; the copy is drawn anew", "origin", origin, "fault", fault)
	if staging {
		return
	}
	if err := n.stage(origin, "the audit found damage", true); err != nil {
		n.log.Error("damaged copy not drawn anew", "origin", origin, "error", err)
		return
	}
	if origin == n.cfg.Member {
		n.mendOwn(ctx)
	}
}

// mendOwn draws the own catalogue from whoever holds it as far.
func (n *Node) mendOwn(ctx context.Context) {
	for _, m := range n.net.Connected() {
		err := n.pull(ctx, n.cfg.Member, m, true)
		if err == nil {
			n.mu.Lock()
			delete(n.damage, n.cfg.Member)
			n.mu.Unlock()
			return
		}
		n.log.Info("own catalogue not mended", "from", m, "error", err)
	}
}

// auditCopy says what is wrong with a copy, "" for nothing: first whether what is held is the set whose digest was signed,
// then, which takes longer, every signature.
func (n *Node) auditCopy(ctx context.Context, origin protocol.MemberID) (fault string) {
	err := n.auditDigest(ctx, origin)
	if err == nil {
		err = n.auditSignatures(ctx, origin)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func (n *Node) auditDigest(ctx context.Context, origin protocol.MemberID) error {
	var hash protocol.SetHash
	count, feed := uint64(0), uint64(0)
	share := newShare(2)
	return n.store.View(func(tx *store.Tx) error {
		set := tx.Origin(origin)
		c, err := loadCopy(set, origin)
		if err != nil || c.CatchingUp() {
			return err
		}
		if err := set.Records("", func(ch *protocol.Change) (bool, error) {
			hash.Add(ch.Element())
			count++
			return true, share.rest(ctx)
		}); err != nil {
			return err
		}
		if count != c.Count || hash.Digest() != c.Digest() {
			return protocol.Errorf(protocol.CodeDigest, "", "the set's hash is not that of its %d records", count)
		}
		if err := set.Seqs(func(protocol.Position, protocol.ChangeKind, protocol.RecordKey) error { feed++; return share.rest(ctx) }); err != nil {
			return err
		}
		if feed != count {
			return protocol.Errorf(protocol.CodeCount, "", "the feed has %d entries for %d records", feed, count)
		}
		return nil
	})
}

// auditSignatures looks at pages of records, each in a short view: a long one would hold back the store's clean-up.
func (n *Node) auditSignatures(ctx context.Context, origin protocol.MemberID) error {
	const page = 512
	roster := n.roster.Load()
	share := newShare(auditShare)
	for from := protocol.RecordKey(""); ; {
		seen, last := 0, from
		err := n.store.View(func(tx *store.Tx) error {
			return tx.Records(origin, from, func(ch *protocol.Change) (bool, error) {
				if seen++; ch.RecordKey != from {
					if err := roster.VerifyChange(ch); err != nil && protocol.CodeOf(err) != protocol.CodeKey { // a key that was closed since
						return false, err
					}
				}
				last = ch.RecordKey
				return seen < page, share.rest(ctx)
			})
		})
		if err != nil || seen < page {
			return err
		}
		from = last
	}
}

// share takes one part in so many of a core's time.
type share struct {
	parts int
	n     int
	since time.Time
}

func newShare(parts int) *share { return &share{parts: parts, since: time.Now()} }

// rest is called after every piece of work.
func (s *share) rest(ctx context.Context) error {
	if s.n++; s.n%256 != 0 {
		return nil
	}
	if !sleep(ctx, time.Duration(s.parts-1)*time.Since(s.since)) {
		return ctx.Err()
	}
	s.since = time.Now()
	return nil
}

// Audit looks through everything held, now, and returns how long that took and what was found. It is for measurements.
func (n *Node) Audit(ctx context.Context) (digests, signatures time.Duration, err error) {
	start := time.Now()
	for _, m := range n.roster.Load().Charter().Members {
		if err := n.auditDigest(ctx, m.ID); err != nil {
			return 0, 0, err
		}
	}
	digests = time.Since(start)
	for _, m := range n.roster.Load().Charter().Members {
		if err := n.auditSignatures(ctx, m.ID); err != nil {
			return digests, 0, err
		}
	}
	return digests, time.Since(start) - digests, nil
}
