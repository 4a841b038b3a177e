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

	Count    uint64 // records in the stored set
	Disputed bool   // two histories were signed: the copy is frozen

	hash protocol.SetHash // of the stored set
}

// New is the copy of an origin from which nothing was received.
func New(origin protocol.MemberID) *Copy {
	return &Copy{Origin: origin, Proven: protocol.Start, Cursor: protocol.Start, Drawn: protocol.Start}
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

// Author signs the next change of the node's own catalogue and applies it.
func (c *Copy) Author(set Set, signer *protocol.Signer, draft protocol.Header, body []byte) (*protocol.Change, error) {
	switch {
	case c.Disputed:
		return nil, protocol.Errorf(protocol.CodeFork, "", "the catalogue of %s is disputed: nothing can be signed until a new epoch is opened", c.Origin)
	case c.CatchingUp():
		return nil, protocol.Errorf(protocol.CodeUnavailable, "", "own history is still being recovered")
	case draft.Kind == protocol.OpenEpoch || draft.Floor != 0:
		return nil, protocol.Errorf(protocol.CodeConflict, "", "this version opens no epoch and forgets no withdrawal: every replica would refuse the change")
	}
	old, held, err := set.Newest(draft.RecordKey)
	if err != nil {
		return nil, err
	}
	draft.Origin = c.Origin
	draft.Pos = protocol.Position{Epoch: c.Proven.Epoch, Seq: c.Proven.Seq + 1}
	draft.Prev = c.Header
	if held {
		draft.PrevSeq = old.Pos.Seq
	}
	draft.BodyLen, draft.BodyHash = uint64(len(body)), protocol.Sum(body)
	c.swap(draft.Element(), old, held)
	draft.Count, draft.Digest = c.Count, c.hash.Digest()
	ch, err := protocol.SignChange(signer, draft, body)
	if err != nil {
		return nil, err
	}
	c.prove(&ch.SignedHeader)
	return ch, set.Replace(ch, element(&old, held))
}

// Next applies the change that follows the proven head, as gossip brings it. The caller has verified its signature.
//
// Errors: CodeOrigin for another origin's; CodeReplayed at or below the proven head; CodeGap beyond the next position, and while a pull runs; CodeEpoch;
// CodeFloor; CodePrevious, CodeCount and CodeDigest where the change contradicts what is held; a *ForkError where two
// signed headers contradict each other, after which the caller stores the evidence and a Disputed copy.
func (c *Copy) Next(set Set, ch *protocol.Change) error {
	if err := c.place(set, &ch.SignedHeader); err != nil {
		return err
	}
	if c.CatchingUp() || ch.Pos.Seq != c.Proven.Seq+1 {
		if err := c.Conflict(set, &ch.SignedHeader); err != nil { // with what an unproven pull brought
			return err
		}
		return protocol.Errorf(protocol.CodeGap, "header.seq", "%s does not follow %s", ch.Pos, c.Proven)
	}
	if ch.Prev != c.Header {
		return c.broken(set, ch, c.Proven)
	}
	old, held, err := set.Newest(ch.RecordKey)
	if err != nil {
		return err
	}
	if held != (ch.PrevSeq != 0) || old.Pos.Seq != ch.PrevSeq {
		return protocol.Errorf(protocol.CodePrevious, "header.prev_seq", "is %d, but the record held is of %d", ch.PrevSeq, old.Pos.Seq)
	}
	c.swap(ch.Element(), old, held)
	if ch.Count != c.Count {
		return protocol.Errorf(protocol.CodeCount, "header.count", "is %d, but the set holds %d", ch.Count, c.Count)
	}
	if ch.Digest != c.hash.Digest() {
		return protocol.Errorf(protocol.CodeDigest, "header.state_digest", "differs from the set at %s", ch.Pos)
	}
	c.prove(&ch.SignedHeader)
	return set.Replace(ch, element(&old, held))
}

// place refuses what has no place above the proven head.
func (c *Copy) place(set Set, h *protocol.SignedHeader) error {
	switch {
	case h.Origin != c.Origin:
		return protocol.Errorf(protocol.CodeOrigin, "header.origin", "is %s in the catalogue of %s", h.Origin, c.Origin)
	case c.Disputed:
		return protocol.Errorf(protocol.CodeFork, "header.seq", "the catalogue of %s is disputed and frozen at %s", c.Origin, c.Proven)
	case h.Pos.Epoch > c.Proven.Epoch:
		return protocol.Errorf(protocol.CodeEpoch, "header.epoch", "epoch %d was not opened", h.Pos.Epoch)
	case h.Kind == protocol.OpenEpoch:
		return protocol.Errorf(protocol.CodeEpoch, "header.kind", "this version knows no epoch but the first")
	case h.Floor != 0:
		return protocol.Errorf(protocol.CodeFloor, "header.floor", "this version keeps every withdrawal, so the floor is 0")
	case h.Pos.Compare(c.Proven) <= 0:
		if err := c.Conflict(set, h); err != nil {
			return err
		}
		return protocol.Errorf(protocol.CodeReplayed, "header.seq", "%s is not above %s", h.Pos, c.Proven)
	}
	return nil
}

// Conflict compares a verified header with the one retained at its position: a *ForkError where they differ.
func (c *Copy) Conflict(set Set, h *protocol.SignedHeader) error {
	held, err := set.HeaderAt(h.Pos)
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
	c.Proven, c.Header = h.Pos, h.Raw
	c.Cursor, c.Chain, c.Drawn = c.Proven, c.Header, c.Proven
}

func element(e *protocol.Element, held bool) *protocol.Element {
	if !held {
		return nil
	}
	return e
}

const copyVersion = 1

// Encode writes the copy for the store, which keeps it opaque.
func (c *Copy) Encode() []byte {
	b := make([]byte, 0, 2300)
	b = append(b, copyVersion)
	for _, p := range []protocol.Position{c.Proven, c.Cursor, c.Drawn} {
		b = binary.BigEndian.AppendUint64(b, p.Epoch)
		b = binary.BigEndian.AppendUint64(b, p.Seq)
	}
	b = append(b, c.Header[:]...)
	b = append(b, c.Chain[:]...)
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
	if want := 1 + 6*8 + 2*32 + 8 + 1 + len(c.hash); len(b) != want || b[0] != copyVersion {
		return nil, damaged
	}
	b = b[1:]
	for _, p := range []*protocol.Position{&c.Proven, &c.Cursor, &c.Drawn} {
		p.Epoch, p.Seq = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
		b = b[16:]
	}
	b = b[copy(c.Header[:], b):]
	b = b[copy(c.Chain[:], b):]
	c.Count = binary.BigEndian.Uint64(b)
	c.Disputed = b[8] == 1
	copy(c.hash[:], b[9:])
	if b[8] > 1 || !c.consistent() {
		return nil, damaged
	}
	return c, nil
}

// consistent reports whether the positions of c can stand beside one another.
func (c *Copy) consistent() bool {
	none := protocol.Hash{}
	switch {
	case c.Proven.Epoch == 0, c.Cursor.Epoch != c.Proven.Epoch, c.Drawn.Epoch != c.Proven.Epoch:
		return false
	case c.Cursor.Compare(c.Proven) < 0, c.Drawn.Compare(c.Cursor) < 0, c.Count > c.Drawn.Seq:
		return false
	case (c.Proven.Seq == 0) != (c.Header == none):
		return false
	}
	return c.Cursor != c.Proven || c.Chain == c.Header
}
