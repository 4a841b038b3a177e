package replica

import "github.com/asean-tmh/tmh/protocol"

// Ask is the request that continues or begins a pull.
func (c *Copy) Ask() *protocol.Request {
	return &protocol.Request{Kind: protocol.AskChanges, Origin: c.Origin, Proven: c.Proven, Header: c.Header, Cursor: c.Cursor}
}

// Draw applies one batch of a holder's feed: verified changes in seq order above the cursor, under the holder's proven
// head. The records are stored but not proven; where last is set the feed is complete and Draw tries the proof. proven
// reports that it succeeded. Where last is set and neither proven nor err, withdrawals that the floor covers are still to
// be forgotten, more than one transaction should: commit, and draw again with no changes.
//
// Errors: CodeOrigin for another origin's head; CodeHolder where the holder broke the rules of a feed, CodePrevious,
// CodeChain and CodeFloor where a change contradicts what is proven, CodeUnprovenFinal where the complete feed does not
// give the head's digest: something was withheld, by this holder or by one before; CodeRestart where withdrawals may have
// been missed that the holder has forgotten, or where an epoch may have left behind what was drawn or proven; CodeReplayed where gossip was faster than the whole feed. None of them
// accuses anybody: the caller drops the batch with its transaction, rewinds the stored copy and asks the next holder. A
// *ForkError is evidence against the origin.
func (c *Copy) Draw(set Set, head *protocol.SignedHeader, changes []*protocol.Change, last bool) (proven bool, err error) {
	if err := c.place(set, head); err != nil {
		return false, err
	}
	if err := c.Conflict(set, head); err != nil {
		return false, err
	}
	for _, ch := range changes { // before a floor or a new beginning hides that an epoch was opened twice
		if ch.Kind == protocol.OpenEpoch && ch.Origin == c.Origin {
			if err := c.Conflict(set, &ch.SignedHeader); err != nil {
				return false, err
			}
		}
	}
	switch {
	case head.Pos.Compare(c.Drawn) < 0:
		return false, protocol.Errorf(protocol.CodeHolder, "answer.head", "%s is below %s, from which was drawn already", head.Pos, c.Drawn)
	case head.Pos.Epoch > c.Proven.Epoch && (head.Pos.Seq <= c.Proven.Seq || head.Floor < c.Floor), head.Pos.Epoch > c.Drawn.Epoch && c.CatchingUp():
		// A record that an epoch left behind is taken out by no feed.
		return false, protocol.Errorf(protocol.CodeRestart, "header.epoch", "epoch %d may have left behind what was drawn up to %s", head.Pos.Epoch, c.Drawn)
	case head.Floor < c.Floor:
		return false, protocol.Errorf(protocol.CodeFloor, "header.floor", "goes back from %d to %d", c.Floor, head.Floor)
	}
	if !c.CatchingUp() {
		c.First = head.Pos
	}
	since := c.Proven.Seq
	if since == 0 {
		since = c.First.Seq
	}
	if head.Floor > since {
		return false, protocol.Errorf(protocol.CodeRestart, "header.floor", "withdrawals up to %d are forgotten, and %s is held", head.Floor, c.Proven)
	}
	c.Drawn = head.Pos
	for _, ch := range changes {
		if err := c.draw(set, head, ch); err != nil {
			return false, err
		}
	}
	if err := c.bounded(set, head); err != nil {
		return false, err
	}
	if !last {
		return false, nil
	}
	return c.finish(set, head)
}

// bounded refuses a feed that brings more records than its head counts, and than are to be forgotten under its floor: else
// a feed without end could fill a disk.
func (c *Copy) bounded(set Set, head *protocol.SignedHeader) error {
	if c.Count <= head.Count {
		return nil
	}
	gone, err := set.Withdrawn(head.Floor, int(c.Count-head.Count))
	if err == nil && uint64(len(gone)) < c.Count-head.Count {
		err = protocol.Errorf(protocol.CodeUnprovenFinal, "answer.changes", "bring more records than the %d that %s counts", head.Count, head.Pos)
	}
	return err
}

func (c *Copy) draw(set Set, head *protocol.SignedHeader, ch *protocol.Change) error {
	switch {
	case ch.Origin != c.Origin || ch.Pos.Epoch > head.Pos.Epoch:
		return protocol.Errorf(protocol.CodeHolder, "answer.changes", "holds a change of %s %s in the feed of %s", ch.Origin, ch.Pos, c.Origin)
	case ch.Pos.Compare(c.Proven) <= 0:
		return c.Conflict(set, &ch.SignedHeader) // else gossip was faster
	case ch.Pos.Compare(c.Cursor) <= 0 || ch.Pos.Seq <= c.Cursor.Seq || ch.Pos.Compare(head.Pos) > 0 || ch.Pos.Seq > head.Pos.Seq:
		return protocol.Errorf(protocol.CodeHolder, "answer.changes", "%s is out of place between %s and %s", ch.Pos, c.Cursor, head.Pos)
	}
	// An earlier, unproven pull may have left another change at this position, of whichever record.
	if err := c.Conflict(set, &ch.SignedHeader); err != nil {
		return err
	}
	if c.Chain != (protocol.Hash{}) && ch.Pos.Epoch == c.Cursor.Epoch && ch.Pos.Seq == c.Cursor.Seq+1 && ch.Prev != c.Chain {
		return c.broken(set, ch, c.Cursor)
	}
	old, held, err := set.Newest(ch.RecordKey)
	if err != nil {
		return err
	}
	c.Cursor, c.Chain = ch.Pos, ch.Raw
	if held && old.Pos.Compare(ch.Pos) >= 0 {
		return nil // an earlier, unproven pull brought it or its successor
	}
	if err := c.previous(head, ch, old, held); err != nil {
		return err
	}
	if err := c.under(&ch.Header); err != nil {
		return err
	}
	c.swap(ch.Element(), old, held)
	return set.Replace(ch, element(&old, held))
}

// finish forgets what the head's floor covers, and tries the proof.
func (c *Copy) finish(set Set, head *protocol.SignedHeader) (proven bool, err error) {
	if c.Chain != (protocol.Hash{}) && c.Cursor == head.Pos && c.Chain != head.Raw {
		if err := c.Conflict(set, head); err != nil {
			return false, err
		}
		return false, protocol.Errorf(protocol.CodeHolder, "answer.head", "is not the header of the last change")
	}
	if head.Floor > c.Floor {
		gone, err := set.Withdrawn(head.Floor, protocol.MaxPurge+1)
		if err != nil {
			return false, err
		}
		for i, e := range gone {
			if i == protocol.MaxPurge {
				return false, nil
			}
			c.hash.Remove(e)
			c.Count--
			if err := set.Drop(e); err != nil {
				return false, err
			}
		}
	}
	if c.Count != head.Count || c.hash.Digest() != head.Digest {
		return false, protocol.Errorf(protocol.CodeUnprovenFinal, "answer.head", "the feed ends at %s without giving its digest: a change was withheld", head.Pos)
	}
	if head.Pos.Epoch > c.Proven.Epoch {
		if err := opened(set, head.Pos.Epoch); err != nil {
			return false, err
		}
	}
	c.prove(head)
	return true, nil
}

// opened checks that the set holds the change that opened an epoch. Its countersignature was verified before it was
// stored, so that nobody opens an epoch with a record key alone.
func opened(set Set, epoch uint64) error {
	if epoch == 1 {
		return nil
	}
	e, held, err := set.Newest(protocol.EpochKey(epoch))
	if err != nil {
		return err
	}
	if !held || e.Kind != protocol.OpenEpoch {
		return protocol.Errorf(protocol.CodeEpoch, "answer.head", "is of epoch %d, which was not opened", epoch)
	}
	return nil
}

// previous checks prev_seq as far as a compacted feed allows: at or below the proven head the record must be the one held
// there, unless this pull or an earlier unproven one replaced it, or it was a withdrawal that is forgotten.
func (c *Copy) previous(head *protocol.SignedHeader, ch *protocol.Change, old protocol.Element, held bool) error {
	switch {
	case ch.PrevSeq > c.Proven.Seq, held && old.Pos.Seq > c.Proven.Seq:
		return nil
	case held && ch.PrevSeq == 0 && old.Kind == protocol.Withdraw && old.Pos.Seq <= head.Floor, !held && ch.PrevSeq <= head.Floor:
		return nil
	case held != (ch.PrevSeq != 0) || old.Pos.Seq != ch.PrevSeq:
		return protocol.Errorf(protocol.CodePrevious, "header.prev_seq", "is %d, but the record held is of %d", ch.PrevSeq, old.Pos.Seq)
	}
	return nil
}

// Seed takes records into a copy that is drawn from the beginning, which are known to be in the set at head: the pull need
// not bring them.
func (c *Copy) Seed(set Set, head *protocol.SignedHeader, changes []*protocol.Change) error {
	if c.Proven.Seq > 0 || head.Pos.Compare(c.Drawn) < 0 {
		return protocol.Errorf(protocol.CodeConflict, "", "only a copy at its beginning is seeded")
	}
	if !c.CatchingUp() {
		c.First = head.Pos
	}
	c.Drawn = head.Pos
	for _, ch := range changes {
		old, held, err := set.Newest(ch.RecordKey)
		if err != nil {
			return err
		}
		if held && old.Pos.Compare(ch.Pos) >= 0 {
			continue
		}
		c.swap(ch.Element(), old, held)
		if err := set.Replace(ch, element(&old, held)); err != nil {
			return err
		}
	}
	return nil
}

// Rewind makes a pull begin again at the proven head, with another holder. The records stay, and the other holder's head
// must reach as far as any that was drawn from.
func (c *Copy) Rewind() { c.Cursor, c.Chain, c.Drawing = c.Proven, c.Header, c.Charter }

// Verdict says what a holder can answer to a request before it looks at the feed.
//
// It is nil where the feed may begin; CodeUnavailable while the holder's own copy is unproven or behind the asker;
// CodeRestart where the asker must begin anew, beside what it holds: it stands on what an epoch left behind, or below
// withdrawals that are forgotten; a *ForkError where the asker stands on another history.
func (c *Copy) Verdict(set Set, r *protocol.Request) error {
	if c.CatchingUp() {
		return protocol.Errorf(protocol.CodeUnavailable, "", "the copy of %s is being drawn here too", c.Origin)
	}
	if r.Proven.Seq == 0 {
		return nil
	}
	if r.Proven.Compare(c.Proven) > 0 {
		return protocol.Errorf(protocol.CodeUnavailable, "", "held up to %s only", c.Proven)
	}
	earlier := r.Proven.Epoch < c.Proven.Epoch
	if earlier {
		if kept, err := OnPath(set, c.Proven.Epoch, r.Proven); err != nil || !kept {
			return orRestart(err, "the epoch %d left %s behind", c.Proven.Epoch, r.Proven)
		}
	}
	held, err := set.HeaderAt(r.Proven)
	switch {
	case err != nil:
		return err
	case held != nil && held.Raw != r.Header && earlier:
		return orRestart(nil, "the epoch %d left another history behind", c.Proven.Epoch)
	case held != nil && held.Raw != r.Header: // whatever the floor: a feed from the beginning would hide it
		return &ForkError{Held: held, Other: held}
	case r.Proven.Seq < c.Floor:
		return orRestart(nil, "withdrawals up to %d are forgotten here", c.Floor)
	}
	return nil
}

func orRestart(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return protocol.Errorf(protocol.CodeRestart, "request.seq", format+": draw from the beginning", args...)
}

// OnPath reports whether pos, of an earlier epoch, belongs to the history that led to epoch. It walks back from base to
// base: what lies above the base of the epoch that came next is void.
func OnPath(set Set, epoch uint64, pos protocol.Position) (bool, error) {
	for epoch > pos.Epoch {
		o, err := set.Opening(epoch)
		if err != nil || o == nil {
			return false, err
		}
		base := o.Base
		if base.Epoch == pos.Epoch {
			return pos.Compare(base) <= 0, nil
		}
		epoch = base.Epoch
	}
	return false, nil
}
