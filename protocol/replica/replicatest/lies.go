package replicatest

import (
	"fmt"
	"slices"

	"github.com/asean-tmh/tmh/protocol"
)

// feed is what an honest holder that has proven head serves above a cursor.
func (o *origin) feed(head protocol.Hash, above protocol.Position) (feed []*protocol.Change) {
	for _, ch := range o.state(head) {
		if ch.Pos.Compare(above) > 0 {
			feed = append(feed, ch)
		}
	}
	inOrder(feed)
	return feed
}

func inOrder(feed []*protocol.Change) {
	slices.SortFunc(feed, func(x, y *protocol.Change) int { return x.Pos.Compare(y.Pos) })
}

// lie serves a copy a feed that no honest holder serves, made of what the origin signed at any time, or a change that
// it never signed in good faith. What comes of it shows in the invariants: nothing may be proven that is not exactly what was signed.
func (w *world) lie(f *follower, n int) (bool, error) {
	if len(w.signed) == 0 {
		return false, nil
	}
	kind := n % 12
	n /= 12
	switch kind {
	case 0:
		return true, w.altered(w.signed[n%len(w.signed)], n)
	case 1:
		return true, w.floorBack(f)
	case 2:
		return true, w.openedAlone(f)
	}
	c, err := f.target().Copy()
	if err != nil {
		return false, err
	}
	head := w.signed[len(w.signed)-1-min(n%32/4, len(w.signed)-1)]
	feed := w.feed(head.Raw, c.Cursor)
	n /= 32
	other := w.signed[n%len(w.signed)]
	switch at := n % max(1, len(feed)); {
	case kind == 3 || kind == 4: // anything that was ever signed stands among it
		feed = append(feed, other)
		inOrder(feed)
	case len(feed) == 0:
	case kind <= 6: // withheld
		feed = slices.Delete(feed, at, at+1)
	case kind == 7: // out of order
		feed[at], feed[0] = feed[0], feed[at]
	case kind == 8: // an old version for the newest
		if old := w.at(feed[at].PrevSeq); old != nil {
			feed[at] = old
			inOrder(feed)
		}
	case kind == 9: // another history's feed under this head
		feed = w.feed(other.Raw, c.Cursor)
	case kind == 10: // this feed under another history's head
		head = other
	default: // everything ever signed, superseded or not
		feed = slices.Clone(w.signed)
		inOrder(feed)
	}
	w.tainted[f] = true
	b := Batch{Head: &head.SignedHeader, Changes: feed, Last: true}
	if n%3 == 0 && len(feed) > 0 {
		b.Changes, b.Last = feed[:n%len(feed)], false
	}
	refusal, err := f.take(b)
	w.blind = w.blind || refusal == nil
	w.counts.by["lies answered "+answer(refusal)]++
	return true, err
}

func answer(refusal error) string {
	if refusal == nil {
		return "by nothing"
	}
	return string(protocol.CodeOf(refusal))
}

// at is some change that was signed at a seq.
func (o *origin) at(seq uint64) *protocol.Change {
	for _, ch := range o.signed {
		if ch.Pos.Seq == seq {
			return ch
		}
	}
	return nil
}

// altered changes one bit of a change: it must not be read, or not verify.
func (w *world) altered(ch *protocol.Change, n int) error {
	raw := ch.Bytes()
	at := n * 7919 % len(raw)
	raw[at] ^= 1 << (n % 8)
	read, err := protocol.DecodeChange(raw)
	if err == nil {
		err = w.federation.Roster.VerifyChange(read)
	}
	if err == nil {
		return fmt.Errorf("%s with another bit at byte %d verifies", ch.Pos, at)
	}
	w.counts.by["altered changes refused"]++
	return nil
}

// floorBack: the origin signs a floor below the one before.
func (w *world) floorBack(f *follower) error {
	c, err := f.Copy()
	if err != nil || c.Floor == 0 || c.CatchingUp() || c.Disputed {
		return err
	}
	h := w.by[c.Header].Header
	h.Pos.Seq++
	h.RecordKey, h.Kind, h.PrevSeq, h.Prev, h.Floor = "report/2026-09/back", protocol.Put, 0, c.Header, c.Floor-1
	h.Count++
	ch, err := protocol.SignChange(RecordSigner(w.Origin), h, []byte("back"))
	if err != nil {
		return err
	}
	if err := f.Next(ch); protocol.CodeOf(err) != protocol.CodeFloor {
		return fmt.Errorf("gossip of a floor that goes back to %d: %w", h.Floor, err)
	}
	if err := f.Draw(Batch{&ch.SignedHeader, []*protocol.Change{ch}, true}); protocol.CodeOf(err) != protocol.CodeFloor {
		return fmt.Errorf("a feed under a floor that goes back to %d: %w", h.Floor, err)
	}
	w.counts.by["floors that go back refused"]++
	return nil
}

// openedAlone: a thief of the record key opens an epoch, countersigned by that key or by what was signed for another.
func (w *world) openedAlone(f *follower) error {
	c, err := f.Copy()
	if err != nil || c.CatchingUp() {
		return err
	}
	d, body, err := w.federation.Open(c, "key", c.Proven, nil)
	if err != nil {
		return err
	}
	o, err := protocol.DecodeOpening(body)
	if err != nil {
		return err
	}
	stolen, err := protocol.SignOpening(RecordSigner(w.Origin), o.Opening)
	if err != nil {
		return err
	}
	for i, body := range [][]byte{stolen.Bytes(), body} {
		h := d
		if i == 1 { // for another position
			h.Pos.Seq++
		}
		h.Origin, h.Prev, h.Count, h.Digest, h.Floor = w.Origin, c.Header, c.Count+1, protocol.Sum(body), c.Floor
		ch, err := protocol.SignChange(RecordSigner(w.Origin), h, body)
		if err != nil {
			return err
		}
		if err := w.federation.Roster.VerifyChange(ch); err == nil {
			return fmt.Errorf("the opening of an epoch that no governance key countersigned verifies")
		}
	}
	w.counts.by["openings without leave refused"]++
	return nil
}
