package audit

import (
	"encoding/binary"
	"fmt"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Fault is something wrong in the log. Seq is the entry's number, 0 where it is no single entry.
type Fault struct {
	Seq  uint64
	Text string
}

// String says where the fault is and what it is.
func (f Fault) String() string {
	if f.Seq == 0 {
		return "audit log: " + f.Text
	}
	return fmt.Sprintf("audit log, entry %d: %s", f.Seq, f.Text)
}

// Verify reads the whole log of member's node and reports every fault. It returns how many entries it read.
func Verify(tx *store.Tx, member protocol.MemberID, report func(Fault)) (entries uint64, err error) {
	return VerifyFrom(tx, member, Anchor{}, report)
}

// VerifyFrom also compares with an anchor that was kept outside the database; a zero one is not compared.
func VerifyFrom(tx *store.Tx, member protocol.MemberID, kept Anchor, report func(Fault)) (entries uint64, err error) {
	c := chain{member: member, kept: kept, report: report}
	if err := tx.Rows(store.TableAudit, "", "", func(key string, row []byte) (bool, error) {
		entries++
		c.row(key, row)
		return true, nil
	}); err != nil {
		return entries, err
	}
	raw, err := tx.Row(store.TableSetting, mirrorKey)
	if err != nil {
		return entries, err
	}
	said, err := mirror(tx)
	if err != nil {
		return entries, err
	}
	last := Anchor{Seq: c.seq, Hash: c.hash}
	switch {
	case raw == nil && entries > 0:
		report(Fault{Text: "the row that repeats the newest entry is missing"})
	case raw != nil && said.Seq == 0:
		report(Fault{Text: "the row that repeats the newest entry is damaged"})
	case said.Seq > last.Seq:
		report(Fault{Text: fmt.Sprintf("the end is cut off: entries %d to %d are missing", last.Seq+1, said.Seq)})
	case said.Seq < last.Seq:
		report(Fault{Text: fmt.Sprintf("entry %d is the newest, but the row that repeats it says %d", last.Seq, said.Seq)})
	case said != last:
		report(Fault{Seq: last.Seq, Text: "is not what the row that repeats the newest entry says"})
	}
	if kept.Seq > last.Seq {
		report(Fault{Text: fmt.Sprintf("the end is cut off: entry %d was kept outside, and %d is the newest", kept.Seq, last.Seq)})
	}
	return entries, nil
}

// chain is where a verification stands: the number and the hash of the entry before.
type chain struct {
	member protocol.MemberID
	kept   Anchor
	report func(Fault)
	seq    uint64
	hash   protocol.Hash
	lost   bool // the entry before is missing or damaged: what follows cannot be compared with it
}

func (c *chain) row(key string, row []byte) {
	if len(key) != 8 {
		c.report(Fault{Text: fmt.Sprintf("a row under a key of %d bytes: it is no entry", len(key))})
		return
	}
	seq := binary.BigEndian.Uint64([]byte(key))
	switch {
	case seq == c.seq+2:
		c.report(Fault{Seq: c.seq + 1, Text: "is missing"})
	case seq > c.seq+1:
		c.report(Fault{Text: fmt.Sprintf("entries %d to %d are missing", c.seq+1, seq-1)})
	case seq == 0:
		c.report(Fault{Text: "there is an entry with the number 0"})
		return
	}
	c.lost = c.lost || seq != c.seq+1
	c.seq = seq
	e, err := decode(row)
	if err != nil {
		c.report(Fault{Seq: seq, Text: "is damaged and cannot be read"})
		c.hash, c.lost = protocol.Hash{}, true
		return
	}
	if e.Seq != seq {
		c.report(Fault{Seq: seq, Text: fmt.Sprintf("entry %d stands in its place", e.Seq)})
	}
	computed := hashOf(c.member, e.body())
	if computed != e.Hash {
		c.report(Fault{Seq: seq, Text: "was changed: its hash does not fit"})
	}
	if !c.lost && e.Prev != c.hash {
		c.report(Fault{Seq: seq, Text: "does not follow the entry before it"})
	}
	if seq == c.kept.Seq && e.Hash != c.kept.Hash {
		c.report(Fault{Seq: seq, Text: "is not the entry that was kept outside"})
	}
	// Going on from the hash that the row states reports one changed entry once, not everything behind it.
	c.hash, c.lost = e.Hash, false
}
