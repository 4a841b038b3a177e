package replica

import "github.com/asean-tmh/tmh/protocol"

// Ask is the request that continues or begins a pull.
func (c *Copy) Ask() *protocol.Request {
	return &protocol.Request{Kind: protocol.AskChanges, Origin: c.Origin, Proven: c.Proven, Header: c.Header, Cursor: c.Cursor}
}

// Draw applies one batch of a holder's feed: verified changes in seq order above the cursor, under the holder's proven
// head. The records are stored but not proven; where last is set the feed is complete and Draw tries the proof.
//
// Errors: CodeOrigin for another origin's head; CodeHolder where the holder broke the rules of a feed, CodePrevious and CodeChain where a change contradicts
// what is proven, CodeUnprovenFinal where the complete feed does not give the head's digest: something was withheld,
// by this holder or by one before; CodeReplayed where gossip was faster than the whole feed. None of them accuses anybody:
// the caller drops the batch with its transaction, rewinds the stored copy and asks the next holder. A *ForkError is
// evidence against the origin.
func (c *Copy) Draw(set Set, head *protocol.SignedHeader, changes []*protocol.Change, last bool) error {
	if err := c.place(set, head); err != nil {
		return err
	}
	if err := c.Conflict(set, head); err != nil {
		return err
	}
	if head.Pos.Compare(c.Drawn) < 0 {
		return protocol.Errorf(protocol.CodeHolder, "answer.head", "%s is below %s, from which was drawn already", head.Pos, c.Drawn)
	}
	c.Drawn = head.Pos
	for _, ch := range changes {
		if err := c.draw(set, head, ch); err != nil {
			return err
		}
	}
	if !last {
		return nil
	}
	if c.Chain != (protocol.Hash{}) && c.Cursor == head.Pos && c.Chain != head.Raw {
		if err := c.Conflict(set, head); err != nil {
			return err
		}
		return protocol.Errorf(protocol.CodeHolder, "answer.head", "is not the header of the last change")
	}
	if c.Count != head.Count || c.hash.Digest() != head.Digest {
		return protocol.Errorf(protocol.CodeUnprovenFinal, "answer.head", "the feed ends at %s without giving its digest: a change was withheld", head.Pos)
	}
	c.prove(head)
	return nil
}

func (c *Copy) draw(set Set, head *protocol.SignedHeader, ch *protocol.Change) error {
	switch {
	case ch.Origin != c.Origin || ch.Pos.Epoch != c.Proven.Epoch:
		return protocol.Errorf(protocol.CodeHolder, "answer.changes", "holds a change of %s %s in the feed of %s", ch.Origin, ch.Pos, c.Origin)
	case ch.Pos.Compare(c.Proven) <= 0:
		return c.Conflict(set, &ch.SignedHeader) // else gossip was faster
	case ch.Pos.Compare(c.Cursor) <= 0 || ch.Pos.Compare(head.Pos) > 0:
		return protocol.Errorf(protocol.CodeHolder, "answer.changes", "%s is out of place between %s and %s", ch.Pos, c.Cursor, head.Pos)
	case ch.Floor != 0:
		return protocol.Errorf(protocol.CodeFloor, "header.floor", "this version keeps every withdrawal, so the floor is 0")
	case ch.Kind == protocol.OpenEpoch:
		return protocol.Errorf(protocol.CodeEpoch, "header.kind", "this version knows no epoch but the first")
	}
	// An earlier, unproven pull may have left another change at this position, of whichever record.
	if err := c.Conflict(set, &ch.SignedHeader); err != nil {
		return err
	}
	if c.Chain != (protocol.Hash{}) && ch.Pos.Seq == c.Cursor.Seq+1 && ch.Prev != c.Chain {
		return c.broken(set, ch, c.Cursor)
	}
	old, held, err := set.Newest(ch.RecordKey)
	if err != nil {
		return err
	}
	c.Cursor, c.Chain = ch.Pos, ch.Raw
	if held && old.Pos.Seq >= ch.Pos.Seq {
		return nil // an earlier, unproven pull brought it or its successor
	}
	if err := c.previous(ch, old, held); err != nil {
		return err
	}
	c.swap(ch.Element(), old, held)
	return set.Replace(ch, element(&old, held))
}

// previous checks prev_seq as far as a compacted feed allows: at or below the proven head the record must be the one held
// there, unless this pull or an earlier unproven one replaced it.
func (c *Copy) previous(ch *protocol.Change, old protocol.Element, held bool) error {
	switch {
	case ch.PrevSeq > c.Proven.Seq, held && old.Pos.Seq > c.Proven.Seq:
		return nil
	case held != (ch.PrevSeq != 0) || old.Pos.Seq != ch.PrevSeq:
		return protocol.Errorf(protocol.CodePrevious, "header.prev_seq", "is %d, but the record held is of %d", ch.PrevSeq, old.Pos.Seq)
	}
	return nil
}

// Rewind makes a pull begin again at the proven head, with another holder. The records stay, and the other holder's head
// must reach as far as any that was drawn from.
func (c *Copy) Rewind() { c.Cursor, c.Chain = c.Proven, c.Header }

// Verdict says what a holder can answer to a request before it looks at the feed.
//
// It is nil where the feed may begin; CodeUnavailable while the holder's own copy is unproven or behind the asker;
// a *ForkError where the asker stands on another history.
func (c *Copy) Verdict(set Set, r *protocol.Request) error {
	if c.CatchingUp() {
		return protocol.Errorf(protocol.CodeUnavailable, "", "the copy of %s is being drawn here too", c.Origin)
	}
	if r.Proven.Epoch != c.Proven.Epoch && r.Proven.Epoch != 0 {
		return protocol.Errorf(protocol.CodeEpoch, "request.epoch", "epoch %d is not the one held", r.Proven.Epoch)
	}
	if r.Proven.Compare(c.Proven) > 0 {
		return protocol.Errorf(protocol.CodeUnavailable, "", "held up to %s only", c.Proven)
	}
	if r.Proven.Seq == 0 {
		return nil
	}
	held, err := set.HeaderAt(r.Proven)
	if err != nil || held == nil || held.Raw == r.Header {
		return err
	}
	return &ForkError{Held: held, Other: held}
}
