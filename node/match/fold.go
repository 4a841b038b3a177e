package match

import (
	"encoding/binary"
	"slices"

	"github.com/asean-tmh/tmh/node/match/segment"
)

// The same technology is often listed twice, by two offices or in two years. Listings of one kind whose words are nearly
// the same are shown as one.

const (
	foldAmong  = 100 // best listings that are compared
	sameWords  = 0.8 // of the distinct terms of both, those that both have
	fewestSame = 8   // distinct terms; shorter texts are alike too easily
)

// sketch of a document's set of terms (MinHash): the part of two sketches that is equal is about the part of the terms
// that both documents have. It is kept with the document, so that a hundred are compared at once.
type sketch [sketchSize]uint16

const (
	sketchSize = 16
	alike      = 10 // equal places from which the documents themselves are compared
)

func sketchOf(terms []segment.Impact) (s sketch) {
	for i := range s {
		s[i] = 1<<16 - 1
	}
	for _, t := range terms {
		h := hashTerm(t.Term)
		for i := range s {
			h = h*0xd1342543de82ef95 + 0x9e3779b97f4a7c15
			s[i] = min(s[i], uint16((h^h>>29)>>40))
		}
	}
	return s
}

func (s *sketch) pack(b []byte) []byte {
	for _, n := range s {
		b = binary.LittleEndian.AppendUint16(b, n)
	}
	return b
}

func (s *sketch) equal(t *sketch) (n int) {
	for i := range s {
		if s[i] == t[i] {
			n++
		}
	}
	return n
}

func unpackSketch(b []byte) (s sketch) {
	if len(b) >= 2*sketchSize {
		for i := range s {
			s[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
	}
	return s
}

func (r *ranking) fold() {
	n := min(foldAmong, len(r.list))
	sketches := make([]sketch, n)
	for i, s := range r.list[:n] {
		sketches[i] = unpackSketch(r.snap.parts[s.part].seg.Extra(s.doc))
	}
	folded := make([]bool, len(r.list))
	terms := make([][]uint64, n) // of those that were compared
	for i := range n {
		for j := i + 1; j < n && !folded[i]; j++ {
			if !folded[j] && sketches[i].equal(&sketches[j]) >= alike && r.kind(i) == r.kind(j) && sameTerms(r.hashes(terms, i), r.hashes(terms, j)) {
				folded[j] = true
				r.list[i].same = append(r.list[i].same, r.snap.refOf(&r.list[j].candidate))
			}
		}
	}
	kept := r.list[:0]
	for i := range r.list {
		if !folded[i] {
			kept = append(kept, r.list[i])
		}
	}
	r.list = kept
}

func (r *ranking) kind(i int) uint8 { return r.snap.parts[r.list[i].part].seg.Kinds()[r.list[i].doc] }

// sameTerms compares two documents by the hashes of their terms.
func sameTerms(v, w []uint64) bool {
	if min(len(v), len(w)) < fewestSame {
		return false
	}
	both := inBoth(v, w)
	return float64(both) >= sameWords*float64(len(v)+len(w)-both)
}

// hashes of a document's terms, ascending, each list made once.
func (r *ranking) hashes(known [][]uint64, i int) []uint64 {
	if known[i] == nil {
		seg := r.snap.parts[r.list[i].part].seg
		for _, w := range seg.Vector(nil, r.list[i].doc) {
			known[i] = append(known[i], hashTerm(seg.TermString(w.Term)))
		}
		slices.Sort(known[i])
	}
	return known[i]
}

// hashTerm is FNV-1a with a last mixing: equal on all nodes.
func hashTerm(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h ^= h >> 32
	return h * 0x9e3779b97f4a7c15
}

// inBoth counts what two ascending lists have in common.
func inBoth(a, b []uint64) (both int) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			both++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return both
}
