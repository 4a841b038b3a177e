package protocol

// The messages of the sync stream. A stream carries one Request and its answers, until one is Last or Refused.

// RequestKind says what a request asks for.
type RequestKind uint8

// The kinds of request.
const (
	AskVector  RequestKind = 1 // what do you hold? The request carries the asker's own vector
	AskChanges RequestKind = 2 // the feed of one origin above a position
	AskHeads   RequestKind = 3 // the newest head statements you hold
	AskOwn     RequestKind = 4 // everything of the asker's own catalogue that you hold above a position, proven or not
	AskBuckets RequestKind = 5 // the digests of the 256 buckets of an origin's set, at your proven head
	AskForks   RequestKind = 6 // your evidence that an origin signed two histories
)

// Request opens a sync stream. Field numbers are those of the wire form.
type Request struct {
	Kind   RequestKind // 1
	Origin MemberID    // 2: of all but AskVector and AskHeads
	Proven Position    // 3, 4: the asker's proven position
	Header Hash        // 5: hash of the header there
	Cursor Position    // 6, 7: everything up to here was drawn already
	Vector []Claim     // 8: of AskVector
	// Of AskChanges from the beginning: up to seq Above, only records in these buckets are wanted.
	Buckets *BucketSet // 9
	Above   uint64     // 10
}

// Claim says how far a node holds an origin, proven. Field numbers are those of the wire form.
type Claim struct {
	Origin  MemberID // 1
	Pos     Position // 2, 3
	Header  Hash     // 4
	Counter uint64   // 5: of the newest head statement held
	Forked  bool     // 6: evidence is held that it signed two histories in this epoch
}

func (c *Claim) encode() []byte {
	var e encoder
	e.string(1, string(c.Origin))
	e.uint(2, c.Pos.Epoch)
	e.uint(3, c.Pos.Seq)
	e.hash(4, c.Header)
	e.uint(5, c.Counter)
	if c.Forked {
		e.uint(6, 1)
	}
	return e.buf
}

func takeClaims(d *decoder) (claims []Claim) {
	d.each(8, "vector", MaxMembers, func(b []byte) {
		x := newDecoder("claim", b, 256)
		var c Claim
		origin := x.string(1, "origin", 16)
		c.Pos = Position{x.uint(2, "epoch"), x.uint(3, "seq")}
		c.Header = x.hash(4, "header")
		c.Counter = x.uint(5, "counter")
		forked := x.uint(6, "forked")
		if c.Forked = forked == 1; forked > 1 {
			x.fail(CodeValue, "forked", "is neither absent nor 1")
		}
		d.adopt(x.end())
		if _, err := ParseMemberID(origin); err != nil {
			d.fail(CodeValue, "vector", "%q is no member id", clip(origin))
		}
		c.Origin = MemberID(origin)
		claims = append(claims, c)
	})
	return claims
}

// Encode writes the canonical form.
func (r *Request) Encode() []byte {
	var e encoder
	e.uint(1, uint64(r.Kind))
	e.string(2, string(r.Origin))
	e.uint(3, r.Proven.Epoch)
	e.uint(4, r.Proven.Seq)
	e.hash(5, r.Header)
	e.uint(6, r.Cursor.Epoch)
	e.uint(7, r.Cursor.Seq)
	for i := range r.Vector {
		e.element(8, r.Vector[i].encode())
	}
	if r.Buckets != nil {
		e.bytes(9, r.Buckets[:])
	}
	e.uint(10, r.Above)
	return e.buf
}

// DecodeRequest reads what Encode writes.
func DecodeRequest(b []byte) (*Request, error) {
	d := newDecoder("request", b, MaxVector)
	r := new(Request)
	kind := d.uint(1, "kind")
	origin := d.string(2, "origin", 16)
	r.Proven = Position{d.uint(3, "epoch"), d.uint(4, "seq")}
	r.Header = d.hash(5, "header")
	r.Cursor = Position{d.uint(6, "cursor_epoch"), d.uint(7, "cursor_seq")}
	r.Vector = takeClaims(d)
	var buckets BucketSet
	if d.fixed(9, "buckets", buckets[:]) {
		r.Buckets = &buckets
	}
	r.Above = d.uint(10, "above")
	if err := d.end(); err != nil {
		return nil, err
	}
	if kind < uint64(AskVector) || kind > uint64(AskForks) {
		return nil, Errorf(CodeValue, "request.kind", "%d is no kind of request", kind)
	}
	r.Kind = RequestKind(kind)
	if (r.Buckets != nil) != (r.Above > 0) || r.Buckets != nil && (r.Kind != AskChanges || r.Proven.Seq > 0) {
		return nil, Errorf(CodeValue, "request.buckets", "and above are of a request for changes from the beginning only, both or none")
	}
	if r.Kind == AskVector || r.Kind == AskHeads {
		if origin != "" {
			return nil, Errorf(CodeValue, "request.origin", "is not of a request of this kind")
		}
		return r, nil
	}
	if _, err := ParseMemberID(origin); err != nil {
		return nil, Errorf(CodeValue, "request.origin", "%q is no member id", clip(origin))
	}
	r.Origin = MemberID(origin)
	return r, nil
}

// Answer is one message of a holder. A feed is a run of answers, the last of which is marked. Field numbers are those of
// the wire form.
type Answer struct {
	Refused Code     // 1: why there is nothing more; CodeFork carries the other header in Head
	Head    []byte   // 2: the signed header at the holder's proven head, absent where it holds nothing
	Changes [][]byte // 3: at most MaxBatch bytes in sum
	Last    bool     // 4
	Heads   [][]byte // 5: head statements, of AskHeads and AskOwn
	Forks   [][]byte // 6: evidence, of AskForks
	Buckets []Hash   // 7: 256 digests, of AskBuckets
	Vector  []Claim  // 8: of AskVector
}

// Encode writes the canonical form.
func (a *Answer) Encode() []byte {
	e := encoder{buf: make([]byte, 0, 4096)}
	e.string(1, string(a.Refused))
	e.bytes(2, a.Head)
	for _, c := range a.Changes {
		e.element(3, c)
	}
	if a.Last {
		e.uint(4, 1)
	}
	for _, h := range a.Heads {
		e.element(5, h)
	}
	for _, f := range a.Forks {
		e.element(6, f)
	}
	if len(a.Buckets) > 0 {
		b := make([]byte, 0, len(a.Buckets)*len(Hash{}))
		for _, h := range a.Buckets {
			b = append(b, h[:]...)
		}
		e.bytes(7, b)
	}
	for i := range a.Vector {
		e.element(8, a.Vector[i].encode())
	}
	return e.buf
}

// MaxAnswer bounds an answer's bytes: a full batch, and a largest change that came last.
const MaxAnswer = MaxBatch + MaxChange + MaxVector

// DecodeAnswer reads what Encode writes. Changes and heads are not decoded yet.
func DecodeAnswer(b []byte) (*Answer, error) {
	d := newDecoder("answer", b, MaxAnswer)
	a := new(Answer)
	a.Refused = Code(d.string(1, "refused", 40))
	a.Head = d.bytes(2, "head", MaxHeader+128)
	d.each(3, "changes", MaxBatch/64, func(b []byte) { a.Changes = append(a.Changes, b) })
	last := d.uint(4, "last")
	d.each(5, "heads", MaxMembers, func(b []byte) { a.Heads = append(a.Heads, b) })
	d.each(6, "forks", MaxForks, func(b []byte) { a.Forks = append(a.Forks, b) })
	buckets := d.bytes(7, "buckets", Buckets*len(Hash{}))
	if len(buckets) > 0 && len(buckets) != Buckets*len(Hash{}) {
		d.fail(CodeLength, "buckets", "%d bytes, want %d", len(buckets), Buckets*len(Hash{}))
	}
	for ; d.err == nil && len(buckets) > 0; buckets = buckets[len(Hash{}):] {
		a.Buckets = append(a.Buckets, Hash(buckets))
	}
	a.Vector = takeClaims(d)
	if err := d.end(); err != nil {
		return nil, err
	}
	if last > 1 {
		return nil, Errorf(CodeValue, "answer.last", "is neither absent nor 1")
	}
	a.Last = last == 1
	return a, nil
}

// EncodeGossip joins changes into one gossip message: field 1, repeated.
func EncodeGossip(changes []*Change) []byte {
	var e encoder
	for _, c := range changes {
		e.element(1, c.Bytes())
	}
	return e.buf
}

// DecodeGossip reads what EncodeGossip writes.
func DecodeGossip(b []byte) ([]*Change, error) {
	d := newDecoder("gossip", b, MaxBatch+MaxChange)
	var all []*Change
	d.each(1, "changes", MaxBatch/64, func(b []byte) {
		c, err := DecodeChange(b)
		d.adopt(err)
		all = append(all, c)
	})
	if err := d.end(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, Errorf(CodeRequired, "gossip.changes", "is absent")
	}
	return all, nil
}

// Papers is the answer of the charter stream: the chain from the asked version on, and all cards. Cards authenticate
// themselves against the newest charter.
type Papers struct {
	Charters []*SignedCharter // 1
	Cards    []*SignedCard    // 2
}

// MaxPapers bounds the bytes of Papers.
const MaxPapers = 8 << 20

// Encode writes the canonical form.
func (p *Papers) Encode() []byte {
	var e encoder
	for _, c := range p.Charters {
		e.element(1, c.Bytes())
	}
	for _, c := range p.Cards {
		e.element(2, c.Bytes())
	}
	return e.buf
}

// DecodePapers reads what Encode writes.
func DecodePapers(b []byte) (*Papers, error) {
	d := newDecoder("papers", b, MaxPapers)
	p := new(Papers)
	d.each(1, "charters", 4096, func(b []byte) {
		c, err := DecodeCharter(b)
		d.adopt(err)
		p.Charters = append(p.Charters, c)
	})
	d.each(2, "cards", MaxMembers, func(b []byte) {
		c, err := DecodeCard(b)
		d.adopt(err)
		p.Cards = append(p.Cards, c)
	})
	return p, d.end()
}
