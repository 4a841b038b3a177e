package replica

import (
	"encoding/binary"

	"github.com/asean-tmh/tmh/protocol"
)

// Set is one origin's records within one transaction of the store.
type Set interface {
	// Newest is the newest record held under key; ok is false where there is none.
	Newest(key protocol.RecordKey) (e protocol.Element, ok bool, err error)
	// HeaderAt is the signed header retained at pos, or nil. Headers of superseded records are kept for a while only.
	HeaderAt(pos protocol.Position) (*protocol.SignedHeader, error)
	// Replace makes c the newest record of its key. old is what Newest said, nil for nothing.
	Replace(c *protocol.Change, old *protocol.Element) error
	// Withdrawn lists at most limit withdrawals at or below a seq, in order.
	Withdrawn(upTo uint64, limit int) ([]protocol.Element, error)
	// Drop forgets a withdrawal.
	Drop(e protocol.Element) error
	// Opening of an epoch, as its change says; nil where the set does not hold it.
	Opening(epoch uint64) (*protocol.Opening, error)
}

// Copy is what a node knows of one origin's catalogue, beside the records: how far it is proven, how far an unproven pull
// has come, and the hash of the set as it is stored. It is a value: take it with the records from one transaction, step
// it, and store it in the same transaction. A step that fails leaves a Copy that must be thrown away.
type Copy struct {
	Origin protocol.MemberID

	Proven protocol.Position // everything up to here is exactly what the origin signed
	Header protocol.Hash     // of the header at Proven

	Cursor protocol.Position // everything up to here was drawn; above Proven only during a pull
	Chain  protocol.Hash     // of the header at Cursor where it was drawn, else zero
	Drawn  protocol.Position // the highest head of any holder drawn from since Proven
	First  protocol.Position // the first such head; Proven where none was

	Charter  uint64 // the latest under which anything up to Proven was signed
	Drawing  uint64 // the same up to Cursor
	Floor    uint64 // of the header at Proven: withdrawals at or below it have left the set
	Count    uint64 // records in the stored set
	Disputed bool   // two histories were signed: the copy is frozen, until a new epoch

	hash protocol.SetHash // of the stored set
}

// New is the copy of an origin from which nothing was received.
func New(origin protocol.MemberID) *Copy {
	return &Copy{Origin: origin, Proven: protocol.Start, Cursor: protocol.Start, Drawn: protocol.Start, First: protocol.Start}
}

// CatchingUp reports whether a pull stored records that are not proven as a whole yet. Such a copy serves nobody.
func (c *Copy) CatchingUp() bool { return c.Drawn.Compare(c.Proven) > 0 }

// Digest of the stored set: proven unless CatchingUp.
func (c *Copy) Digest() protocol.Hash { return c.hash.Digest() }

// ForkError carries two signed headers of one origin that cannot both belong to one history.
type ForkError struct {
	Held, Other *protocol.SignedHeader
}

func (e *ForkError) Error() string {
	return "fork: " + string(e.Held.Origin) + " signed two histories at " + e.Held.Pos.String()
}

// Unwrap gives the code.
func (e *ForkError) Unwrap() error {
	return protocol.Errorf(protocol.CodeFork, "header.seq", "%s signed two histories at %s", e.Held.Origin, e.Held.Pos)
}

// Author signs the next change of the node's own catalogue and applies it. draft.Floor may be raised, which forgets the
// withdrawals up to there: at most MaxPurge of them.
func (c *Copy) Author(set Set, signer *protocol.Signer, draft protocol.Header, body []byte) (*protocol.Change, error) {
	switch {
	case c.Disputed && draft.Kind != protocol.OpenEpoch:
		return nil, protocol.Errorf(protocol.CodeFork, "", "the catalogue of %s is disputed: nothing can be signed until a new epoch is opened", c.Origin)
	case c.CatchingUp():
		return nil, protocol.Errorf(protocol.CodeUnavailable, "", "own history is still being recovered")
	}
	draft.Origin = c.Origin
	if draft.Kind != protocol.OpenEpoch {
		draft.Pos = protocol.Position{Epoch: c.Proven.Epoch, Seq: c.Proven.Seq + 1}
	} else if err := c.opens(&protocol.Change{SignedHeader: protocol.SignedHeader{Header: draft}, Body: body}); err != nil {
		return nil, err
	}
	old, held, err := set.Newest(draft.RecordKey)
	if err != nil {
		return nil, err
	}
	draft.Prev = c.Header
	if held {
		draft.PrevSeq = old.Pos.Seq
	}
	draft.Floor = max(draft.Floor, c.Floor)
	draft.BodyLen, draft.BodyHash = uint64(len(body)), protocol.Sum(body)
	c.swap(draft.Element(), old, held)
	forgotten, err := c.forget(set, draft.Floor, draft.RecordKey)
	if err != nil {
		return nil, err
	}
	draft.Count, draft.Digest = c.Count, c.hash.Digest()
	ch, err := protocol.SignChange(signer, draft, body)
	if err != nil {
		return nil, err
	}
	c.prove(&ch.SignedHeader)
	return ch, settle(set, ch, element(&old, held), forgotten)
}

// Next applies the change that follows the proven head, as gossip brings it. The caller has verified it, with the
// countersignature where it opens an epoch (Roster.VerifyChange).
//
// Errors: CodeOrigin for another origin's; CodeReplayed at or below the proven head; CodeGap beyond the next position, and
// while a pull runs; CodeEpoch of an epoch that begins elsewhere; CodeFloor, CodePrevious, CodeCount and CodeDigest where
// the change contradicts what is held; a *ForkError where two signed headers contradict each other, after which the caller
// stores the evidence and a Disputed copy.
func (c *Copy) Next(set Set, ch *protocol.Change) error {
	if err := c.place(set, &ch.SignedHeader); err != nil {
		return err
	}
	opens := ch.Pos.Epoch > c.Proven.Epoch
	if c.CatchingUp() || !opens && ch.Pos.Seq != c.Proven.Seq+1 {
		if err := c.Conflict(set, &ch.SignedHeader); err != nil { // with what an unproven pull brought
			return err
		}
		return protocol.Errorf(protocol.CodeGap, "header.seq", "%s does not follow %s", ch.Pos, c.Proven)
	}
	if opens {
		if err := c.opens(ch); err != nil {
			return err
		}
	} else if ch.Prev != c.Header {
		return c.broken(set, ch, c.Proven)
	}
	old, held, err := set.Newest(ch.RecordKey)
	if err != nil {
		return err
	}
	if held != (ch.PrevSeq != 0) || old.Pos.Seq != ch.PrevSeq {
		return protocol.Errorf(protocol.CodePrevious, "header.prev_seq", "is %d, but the record held is of %d", ch.PrevSeq, old.Pos.Seq)
	}
	if err := c.under(&ch.Header); err != nil {
		return err
	}
	c.swap(ch.Element(), old, held)
	forgotten, err := c.forget(set, ch.Floor, ch.RecordKey)
	if err != nil {
		return err
	}
	if ch.Count != c.Count {
		return protocol.Errorf(protocol.CodeCount, "header.count", "is %d, but the set holds %d", ch.Count, c.Count)
	}
	if ch.Digest != c.hash.Digest() {
		return protocol.Errorf(protocol.CodeDigest, "header.state_digest", "differs from the set at %s", ch.Pos)
	}
	c.prove(&ch.SignedHeader)
	return settle(set, ch, element(&old, held), forgotten)
}

// opens checks that the epoch which ch opens goes on from where this copy stands. Where it does not, a pull brings it.
func (c *Copy) opens(ch *protocol.Change) error {
	if ch.Kind != protocol.OpenEpoch {
		return protocol.Errorf(protocol.CodeEpoch, "header.epoch", "epoch %d was not opened here", ch.Pos.Epoch)
	}
	o, err := protocol.DecodeOpening(ch.Body)
	if err != nil {
		return err
	}
	if o.Pos != ch.Pos || o.Base != c.Proven || o.BaseHeader != c.Header || o.BaseDigest != c.hash.Digest() {
		return protocol.Errorf(protocol.CodeEpoch, "opening.base", "epoch %d goes on from %s (%s), and %s (%s) is held", ch.Pos.Epoch, o.Base, o.BaseHeader.Short(), c.Proven, c.Header.Short())
	}
	return nil
}

// forget takes the withdrawals at or below floor out of the hash, the record of key apart, which is being replaced.
func (c *Copy) forget(set Set, floor uint64, key protocol.RecordKey) ([]protocol.Element, error) {
	if floor == c.Floor {
		return nil, nil
	}
	if floor < c.Floor {
		return nil, protocol.Errorf(protocol.CodeFloor, "header.floor", "goes back from %d to %d", c.Floor, floor)
	}
	all, err := set.Withdrawn(floor, protocol.MaxPurge+2)
	if err != nil {
		return nil, err
	}
	var gone []protocol.Element
	for _, e := range all {
		if e.Key != key {
			gone = append(gone, e)
		}
	}
	if len(gone) > protocol.MaxPurge {
		return nil, protocol.Errorf(protocol.CodeFloor, "header.floor", "forgets more than %d withdrawals at once", protocol.MaxPurge)
	}
	for _, e := range gone {
		c.hash.Remove(e)
		c.Count--
	}
	return gone, nil
}

// settle stores what a change does.
func settle(set Set, ch *protocol.Change, old *protocol.Element, forgotten []protocol.Element) error {
	if err := set.Replace(ch, old); err != nil {
		return err
	}
	for _, e := range forgotten {
		if err := set.Drop(e); err != nil {
			return err
		}
	}
	return nil
}

// place refuses what has no place above the proven head.
func (c *Copy) place(set Set, h *protocol.SignedHeader) error {
	switch {
	case h.Origin != c.Origin:
		return protocol.Errorf(protocol.CodeOrigin, "header.origin", "is %s in the catalogue of %s", h.Origin, c.Origin)
	case h.Pos.Epoch < c.Proven.Epoch:
		return protocol.Errorf(protocol.CodeReplayed, "header.epoch", "epoch %d is over: %d was opened", h.Pos.Epoch, c.Proven.Epoch)
	case h.Pos.Epoch > c.Proven.Epoch:
		return nil // whether it was opened shows at its beginning, or at the proof
	case c.Disputed:
		return protocol.Errorf(protocol.CodeFork, "header.seq", "the catalogue of %s is disputed and frozen at %s", c.Origin, c.Proven)
	case h.Pos.Compare(c.Proven) <= 0:
		if err := c.Conflict(set, h); err != nil {
			return err
		}
		return protocol.Errorf(protocol.CodeReplayed, "header.seq", "%s is not above %s", h.Pos, c.Proven)
	}
	return nil
}

// Conflict compares a verified header with the one retained at its position: a *ForkError where they differ. What was
// signed in an earlier epoch is settled.
func (c *Copy) Conflict(set Set, h *protocol.SignedHeader) error {
	if h.Pos.Epoch < c.Proven.Epoch {
		return nil
	}
	pos := h.Pos
	if h.Kind == protocol.OpenEpoch && h.Pos.Epoch == c.Proven.Epoch { // at whatever seq
		e, held, err := set.Newest(h.RecordKey)
		if err != nil {
			return err
		}
		if held {
			pos = e.Pos
		}
	}
	held, err := set.HeaderAt(pos)
	if err != nil || held == nil || held.Raw == h.Raw {
		return err
	}
	return &ForkError{Held: held, Other: h}
}

// broken explains a prev_hash that is not the hash of the header held at pos.
func (c *Copy) broken(set Set, ch *protocol.Change, pos protocol.Position) error {
	held, err := set.HeaderAt(pos)
	if err != nil {
		return err
	}
	if held == nil {
		return protocol.Errorf(protocol.CodeChain, "header.prev_hash", "does not name the header at %s", pos)
	}
	return &ForkError{Held: held, Other: &ch.SignedHeader}
}

// under notes the charter of a change that comes next in order. An epoch is not opened under an earlier charter than what
// it goes on from: a governance key that was replaced opens none any more.
func (c *Copy) under(h *protocol.Header) error {
	if h.Kind == protocol.OpenEpoch && h.CharterVersion < c.Drawing {
		return protocol.Errorf(protocol.CodeEpoch, "header.charter_version", "epoch %d was opened under charter %d, after changes under %d", h.Pos.Epoch, h.CharterVersion, c.Drawing)
	}
	c.Drawing = max(c.Drawing, h.CharterVersion)
	return nil
}

// swap replaces old by e in the hash and the count.
func (c *Copy) swap(e, old protocol.Element, held bool) {
	if held {
		c.hash.Remove(old)
	} else {
		c.Count++
	}
	c.hash.Add(e)
}

// prove makes h the proven head.
func (c *Copy) prove(h *protocol.SignedHeader) {
	if h.Pos.Epoch > c.Proven.Epoch {
		c.Disputed = false // a new epoch ends the dispute
	}
	c.Proven, c.Header, c.Floor = h.Pos, h.Raw, h.Floor
	c.Charter = max(c.Charter, c.Drawing, h.CharterVersion)
	c.Drawing = c.Charter
	c.Cursor, c.Chain, c.Drawn, c.First = c.Proven, c.Header, c.Proven, c.Proven
}

func element(e *protocol.Element, held bool) *protocol.Element {
	if !held {
		return nil
	}
	return e
}

// copyVersion 1 had neither First, Charter nor Floor: there were no floors and no epochs.
const copyVersion = 2

// Encode writes the copy for the store, which keeps it opaque.
func (c *Copy) Encode() []byte {
	b := make([]byte, 0, 2300)
	b = append(b, copyVersion)
	for _, p := range []protocol.Position{c.Proven, c.Cursor, c.Drawn, c.First} {
		b = binary.BigEndian.AppendUint64(b, p.Epoch)
		b = binary.BigEndian.AppendUint64(b, p.Seq)
	}
	b = append(b, c.Header[:]...)
	b = append(b, c.Chain[:]...)
	b = binary.BigEndian.AppendUint64(b, c.Charter)
	b = binary.BigEndian.AppendUint64(b, c.Drawing)
	b = binary.BigEndian.AppendUint64(b, c.Floor)
	b = binary.BigEndian.AppendUint64(b, c.Count)
	disputed := byte(0)
	if c.Disputed {
		disputed = 1
	}
	b = append(b, disputed)
	return append(b, c.hash[:]...)
}

// Decode reads what Encode wrote; nil is a new copy. The set's hash is not covered: a fault in it shows at the next proof.
func Decode(origin protocol.MemberID, b []byte) (*Copy, error) {
	if b == nil {
		return New(origin), nil
	}
	c := &Copy{Origin: origin}
	damaged := protocol.Errorf(protocol.CodeInternal, "frontier", "the stored frontier of %s is damaged: run tmh verify", origin)
	positions := []*protocol.Position{&c.Proven, &c.Cursor, &c.Drawn, &c.First}
	numbers := []*uint64{&c.Charter, &c.Drawing, &c.Floor, &c.Count}
	switch {
	case len(b) > 0 && b[0] == copyVersion:
	case len(b) > 0 && b[0] == 1:
		positions, numbers = positions[:3], numbers[3:]
	default:
		return nil, damaged
	}
	if want := 1 + 16*len(positions) + 2*len(protocol.Hash{}) + 8*len(numbers) + 1 + len(c.hash); len(b) != want {
		return nil, damaged
	}
	b = b[1:]
	for _, p := range positions {
		p.Epoch, p.Seq = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
		b = b[16:]
	}
	if len(positions) == 3 {
		c.First = c.Drawn
	}
	b = b[copy(c.Header[:], b):]
	b = b[copy(c.Chain[:], b):]
	for _, n := range numbers {
		*n = binary.BigEndian.Uint64(b)
		b = b[8:]
	}
	c.Disputed = b[0] == 1
	copy(c.hash[:], b[1:])
	if b[0] > 1 || !c.consistent() {
		return nil, damaged
	}
	return c, nil
}

// consistent reports whether the positions of c can stand beside one another.
func (c *Copy) consistent() bool {
	none := protocol.Hash{}
	switch {
	case c.Proven.Epoch == 0, c.Cursor.Compare(c.Proven) < 0, c.Drawn.Compare(c.Cursor) < 0:
		return false
	case c.First.Compare(c.Proven) < 0, c.Drawn.Compare(c.First) < 0, c.Floor > c.Proven.Seq:
		return false
	case !c.CatchingUp() && c.Count > c.Proven.Seq: // what is not proven may hold more: a liar can serve what an epoch left behind
		return false
	case (c.Proven.Seq == 0) != (c.Header == none):
		return false
	}
	return c.Cursor != c.Proven || c.Chain == c.Header
}
