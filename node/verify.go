package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/store"
)

// Finding is something wrong in a store. What to do depends on whose catalogue it is in: the own one cannot be drawn again.
type Finding struct {
	Origin protocol.MemberID
	Record protocol.RecordKey
	Text   string
}

// Verification is what Verify saw.
type Verification struct {
	Origins  int
	Records  int
	Findings []Finding
	Took     time.Duration
}

// Verify checks a store that no node has open: every charter, card, signature and head statement, the feed index against
// the records, and the hash and count of every set against its frontier. progress is called now and then.
func Verify(cfg store.Config, progress func(records int)) (v Verification, err error) {
	start := time.Now()
	s, err := store.Open(cfg)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.View(func(tx *store.Tx) error {
		roster, err := tx.Roster()
		if err != nil {
			return err
		}
		if roster == nil {
			return protocol.Errorf(protocol.CodeNotFound, "", "the store holds no charter: nothing can be verified")
		}
		for _, m := range roster.Charter().Members {
			if err := v.origin(tx, roster, m.ID, progress); err != nil {
				return err
			}
		}
		return nil
	})
	v.Took = time.Since(start)
	return v, err
}

func (v *Verification) found(origin protocol.MemberID, key protocol.RecordKey, format string, args ...any) {
	v.Findings = append(v.Findings, Finding{origin, key, fmt.Sprintf(format, args...)})
}

func (v *Verification) origin(tx *store.Tx, roster *protocol.Roster, origin protocol.MemberID, progress func(int)) error {
	set := tx.Origin(origin)
	c, err := loadCopy(set, origin)
	if err != nil {
		v.found(origin, "", "%v", err)
		return nil
	}
	v.Origins++
	seen := make(map[protocol.Position]protocol.RecordKey)
	var hash protocol.SetHash
	err = tx.Records(origin, "", func(ch *protocol.Change) (bool, error) {
		if v.Records++; v.Records%1000 == 0 {
			progress(v.Records)
		}
		if err := roster.VerifyHeader(&ch.SignedHeader); err != nil {
			v.found(origin, ch.RecordKey, "%v", err)
		}
		if ch.Origin != origin {
			v.found(origin, ch.RecordKey, "is a record of %s", ch.Origin)
		}
		seen[ch.Pos] = ch.RecordKey
		hash.Add(ch.Element())
		return true, nil
	})
	if err != nil {
		v.found(origin, "", "%v", err)
		return nil
	}
	v.index(set, origin, seen)
	if uint64(len(seen)) != c.Count || hash.Digest() != c.Digest() {
		v.found(origin, "", "the set's hash is not that of its %d records", len(seen))
	}
	v.head(set, roster, origin, c)
	return nil
}

func (v *Verification) index(set *store.Origin, origin protocol.MemberID, seen map[protocol.Position]protocol.RecordKey) {
	entries := 0
	err := set.Seqs(func(pos protocol.Position, _ protocol.ChangeKind, key protocol.RecordKey) error {
		entries++
		if seen[pos] != key {
			v.found(origin, key, "the feed index names it at %s, where it is not", pos)
		}
		return nil
	})
	if err != nil {
		v.found(origin, "", "%v", err)
	}
	if entries != len(seen) {
		v.found(origin, "", "the feed index has %d entries for %d records", entries, len(seen))
	}
}

// head compares what is said to be proven with the header that the origin signed there.
func (v *Verification) head(set *store.Origin, roster *protocol.Roster, origin protocol.MemberID, c *replica.Copy) {
	if c.Proven.Seq > 0 && !c.CatchingUp() {
		h, err := set.HeaderAt(c.Proven)
		switch {
		case err != nil || h == nil:
			v.found(origin, "", "the header at the proven head %s is missing", c.Proven)
		case h.Raw != c.Header || h.Digest != c.Digest() || h.Count != c.Count:
			v.found(origin, "", "the copy is not what the origin signed at %s", c.Proven)
		}
	}
	h, err := set.Head()
	if err == nil && h != nil {
		err = roster.VerifyHead(h)
	}
	if err != nil {
		v.found(origin, "", "head statement: %v", err)
	}
	forks, err := set.Evidence()
	if err != nil {
		v.found(origin, "", "%v", err)
	}
	for _, f := range forks {
		for _, h := range f {
			if err := roster.VerifyHeader(h); err != nil {
				v.found(origin, "", "evidence of a fork at %s does not verify: %v", h.Pos, err)
			}
		}
	}
}
