package match

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/node/match/suggest"
	"github.com/asean-tmh/tmh/node/match/topics"
	"github.com/asean-tmh/tmh/protocol"
)

// snapshot is the catalogue at one moment. Nothing in it changes any more, so that a query sees one state from its first
// step to its last, and writers and readers never wait for each other.
type snapshot struct {
	parts     []*part // in the order in which they were made
	live      int
	inSpace   [spaces]int // documents that have a text in the space
	set       setSum
	spelledOn int            // documents, when the vocabulary was made
	trainedOn int            // documents, when the model was trained
	trained   setSum         // the catalogue that the model was trained on
	model     *topics.Model  //  nil before the first training
	names     *lexicon.Names // of the terms that there were then; nil before the first
	named     setSum
	words     *suggest.Vocabulary // nil before the first
}

// part is a segment with what changed since it was made.
type part struct {
	number  uint32 // of the segment; names its file
	seg     *segment.Segment
	keep    any // what the segment's bytes are part of
	onDisk  bool
	dead    *bitmap // documents removed or replaced; nil: none
	gone    *deaths
	vectors *vectors // nil until computed
}

func (p *part) alive(d uint16) bool { return p.dead == nil || !p.dead.has(d) }

func (p *part) live() int {
	if p.dead == nil {
		return p.seg.Docs()
	}
	return p.seg.Docs() - p.dead.count()
}

func (p *part) ref(d uint16) Ref {
	origin, id := p.seg.Ref(d)
	return Ref{Origin: protocol.MemberID(origin), ID: protocol.ListingID(id)}
}

// df is the number of living documents that have a term of the part.
func (p *part) df(term uint32) int {
	n := p.seg.DF(term)
	if p.gone != nil {
		n -= p.gone.of(term)
	}
	return n
}

// without is the part after more documents died.
func (p *part) without(docs []uint16) *part {
	q := *p
	q.dead, q.gone = p.dead.with(docs), p.gone.with(p.seg, docs)
	return &q
}

// bitmap is an immutable set of documents of a segment.
type bitmap [segment.MaxDocs / 64]uint64

func (b *bitmap) has(d uint16) bool { return b[d/64]&(1<<(d%64)) != 0 }

func (b *bitmap) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

func (b *bitmap) with(docs []uint16) *bitmap {
	var c bitmap
	if b != nil {
		c = *b
	}
	for _, d := range docs {
		c[d/64] |= 1 << (d % 64)
	}
	return &c
}

// deaths count, for each term, the dead documents that have it: what was counted a while ago, and what came since, so that
// one more death does not copy all.
type deaths struct{ base, recent map[uint32]uint32 }

const recentDeaths = 4096

func (d *deaths) of(term uint32) int { return int(d.base[term] + d.recent[term]) }

func (d *deaths) with(seg *segment.Segment, docs []uint16) *deaths {
	e := &deaths{recent: make(map[uint32]uint32)}
	if d != nil {
		e.base = d.base
		for t, n := range d.recent {
			e.recent[t] = n
		}
	}
	var buf []segment.Weight
	for _, doc := range docs {
		buf = seg.Vector(buf[:0], doc)
		for _, w := range buf {
			e.recent[w.Term]++
		}
	}
	if len(e.recent) > recentDeaths {
		for t, n := range e.base {
			e.recent[t] += n
		}
		e.base, e.recent = e.recent, nil
	}
	return e
}

// setSum identifies a set of documents whatever their order: the sum of the hashes of its elements, lane by lane. It is
// enough to tell that two catalogues are equal; who could make two different ones collide would gain nothing by it.
type setSum [4]uint64

func (s *setSum) step(ref Ref, body protocol.Hash, minus bool) {
	b := make([]byte, 0, 192)
	b = append(append(b, ref.Origin...), 0)
	b = append(append(b, ref.ID...), 0)
	h := sha256.Sum256(append(b, body[:]...))
	for i := range s {
		n := binary.LittleEndian.Uint64(h[8*i:])
		if minus {
			n = -n
		}
		s[i] += n
	}
}
