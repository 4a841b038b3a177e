package segment

import (
	"encoding/binary"
	"slices"
	"sort"
	"strings"
	"unsafe"
)

// Bytes are the segment, to be written to a file.
func (s *Segment) Bytes() []byte { return s.bytes }

// Docs is the number of documents; they are numbered from 0.
func (s *Segment) Docs() int { return s.docs }

// Terms is the number of terms; they are numbered from 0, by descending document frequency.
func (s *Segment) Terms() int { return s.terms }

// Term gives the number of a term.
func (s *Segment) Term(term string) (id uint32, ok bool) {
	h := hash(s.seed, term)
	at := home(h, len(s.slots))
	for range s.slots { // one is free, unless somebody wrote into the file meanwhile
		slot := s.slots[at]
		if slot == 0 {
			return 0, false
		}
		if slot>>56 == h&0xff && s.termAt(uint32(slot)) == term {
			return uint32(slot>>32)&0xffffff - 1, true
		}
		if at++; at == len(s.slots) {
			at = 0
		}
	}
	return 0, false
}

// home is the slot from which a term with this hash is looked for.
func home(h uint64, slots int) int { return int((h >> 32) * uint64(slots) >> 32) }

func (s *Segment) termAt(off uint32) string {
	return alias(s.termBytes[off+1 : off+1+uint32(s.termBytes[off])])
}

// TermString is the term with this number.
func (s *Segment) TermString(id uint32) string { return s.termAt(s.termEnds[id]) }

// DF is the number of documents that have the term.
func (s *Segment) DF(id uint32) int { return int(s.postingEnds[id+1] - s.postingEnds[id]) }

// MaxImpact is the highest impact that the term has in a document.
func (s *Segment) MaxImpact(id uint32) uint8 { return s.maxImpacts[id] }

// Postings are the documents that have the term, ascending, and its impacts there.
func (s *Segment) Postings(id uint32) (docs []uint16, impacts []uint8) {
	from, to := s.postingEnds[id], s.postingEnds[id+1]
	return s.postingDocs[from:to:to], s.postingImpacts[from:to:to]
}

// Vector appends the terms of a document, ascending by number.
func (s *Segment) Vector(dst []Weight, doc uint16) []Weight {
	r := s.texts[s.textEnds[doc]:]
	m := int(binary.LittleEndian.Uint16(r))
	widths, gaps := r[2:], r[2+(m+3)/4:]
	from := len(dst)
	dst = slices.Grow(dst, m)[:from+m]
	out := dst[from:]
	var next uint32
	p := 0
	for i := range out {
		w := widths[i/4] >> (i % 4 * 2) & 3
		next += binary.LittleEndian.Uint32(gaps[p:]) & masks(w)
		out[i].Term = next
		next++
		p += int(w) + 1
	}
	for i, impact := range gaps[p : p+m] {
		out[i].Impact = impact
	}
	return dst
}

// masks keeps the w + 1 lowest bytes.
func masks(w byte) uint32 { return 0xffffffff >> ((24 - 8*(w&3)) & 31) }

// terms decodes the term numbers of a record into dst, which has room for them, and says where the impacts begin.
func terms(dst []uint32, r []byte) (impacts int) {
	m := len(dst)
	widths, gaps := r[2:2+(m+3)/4], r[2+(m+3)/4:]
	var next uint32
	p, i := 0, 0
	for ; i+4 <= m; i += 4 {
		w := widths[i/4]
		out := dst[i : i+4 : i+4]
		out[0] = next + binary.LittleEndian.Uint32(gaps[p:])&masks(w)
		p += int(w&3) + 1
		out[1] = out[0] + 1 + binary.LittleEndian.Uint32(gaps[p:])&masks(w>>2)
		p += int(w>>2&3) + 1
		out[2] = out[1] + 1 + binary.LittleEndian.Uint32(gaps[p:])&masks(w>>4)
		p += int(w>>4&3) + 1
		out[3] = out[2] + 1 + binary.LittleEndian.Uint32(gaps[p:])&masks(w>>6)
		p += int(w>>6) + 1
		next = out[3] + 1
	}
	for ; i < m; i++ {
		w := widths[i/4] >> (i % 4 * 2) & 3
		dst[i] = next + binary.LittleEndian.Uint32(gaps[p:])&masks(w)
		next = dst[i] + 1
		p += int(w) + 1
	}
	return 2 + len(widths) + p
}

// narrow is the most terms that a vector can have so that a place in it takes one byte.
const narrow = 254

// Sequence appends the tokens of a document as they stand in its texts, as term numbers, EndTextID and EndFieldID.
func (s *Segment) Sequence(dst []uint32, doc uint16) []uint32 {
	from, to := s.textEnds[doc], s.textEnds[int(doc)+1]
	r := s.texts[from:]
	m := int(binary.LittleEndian.Uint16(r))
	if m > narrow {
		return s.wideSequence(dst, r, m, int(to-from))
	}
	var table [256]uint32
	at := terms(table[:m], r) + m
	table[narrow], table[narrow+1] = EndFieldID, EndTextID
	places := r[at : to-from]
	n := len(dst)
	dst = slices.Grow(dst, len(places))[:n+len(places)]
	out := dst[n:]
	for i, p := range places {
		out[i] = table[p]
	}
	return dst
}

func (s *Segment) wideSequence(dst []uint32, r []byte, m, size int) []uint32 {
	table := make([]uint32, m)
	for at := terms(table, r) + m; at < size; at += 2 {
		switch p := binary.LittleEndian.Uint16(r[at:]); p {
		case endText:
			dst = append(dst, EndTextID)
		case endField:
			dst = append(dst, EndFieldID)
		default:
			dst = append(dst, table[p])
		}
	}
	return dst
}

// The ends as places in a vector, in two bytes; in one byte they are the low byte of these.
const (
	endText  = 0xffff
	endField = 0xfffe
)

// Ref says whose document it is, and which.
func (s *Segment) Ref(doc uint16) (origin, id string) {
	return s.originNames[s.origins[doc]], alias(s.ids[s.idEnds[doc]:s.idEnds[int(doc)+1]])
}

// Body is the digest of the listing's body.
func (s *Segment) Body(doc uint16) [32]byte { return s.bodies[doc] }

// Extra is what the caller put there.
func (s *Segment) Extra(doc uint16) []byte {
	from, to := s.extraEnds[doc], s.extraEnds[int(doc)+1]
	return s.extras[from:to:to]
}

// Codes of a document, ascending.
func (s *Segment) Codes(doc uint16) []uint32 {
	from, to := s.codeEnds[doc], s.codeEnds[int(doc)+1]
	return s.codes[from:to:to]
}

// Kinds is a column: one entry a document, as in the columns below.
func (s *Segment) Kinds() []uint8 { return s.kinds }

// TRLs is a column.
func (s *Segment) TRLs() []uint8 { return s.trls }

// Countries is a column: two letters, the first in the high byte.
func (s *Segment) Countries() []uint16 { return s.countries }

// Origins is a column: places in OriginNames.
func (s *Segment) Origins() []uint16 { return s.origins }

// OriginNames are the origins that have documents here, in the order in which they first appear.
func (s *Segment) OriginNames() []string { return s.originNames }

// ValidUntil is a column, in days; 0 none.
func (s *Segment) ValidUntil() []int32 { return s.validUntil }

// Published is a column, in days; 0 none.
func (s *Segment) Published() []int32 { return s.published }

// Languages is a column of sets of bits.
func (s *Segment) Languages() []uint32 { return s.languages }

// Surfaces calls f for the phrases that begin with prefix, ascending by their bytes, with the number of documents that have
// the phrase, until f returns false.
func (s *Segment) Surfaces(prefix string, f func(phrase string, docs int) bool) {
	from := sort.Search(len(s.phraseDocs), func(i int) bool { return s.phrase(i) >= prefix })
	for i := from; i < len(s.phraseDocs); i++ {
		if p := s.phrase(i); !strings.HasPrefix(p, prefix) || !f(p, int(s.phraseDocs[i])) {
			return
		}
	}
}

func (s *Segment) phrase(i int) string {
	return alias(s.phrases[s.phraseEnds[i]:s.phraseEnds[i+1]])
}

// surfaces are the numbers of a document's phrases.
func (s *Segment) surfaces(doc uint16) []uint32 {
	return s.docPhrases[s.docPhraseEnds[doc]:s.docPhraseEnds[int(doc)+1]]
}

func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// sequenceLen is the number of tokens of a document, ends included.
func (s *Segment) sequenceLen(doc uint16) int {
	from, to := s.textEnds[doc], s.textEnds[int(doc)+1]
	r := s.texts[from:]
	m := int(binary.LittleEndian.Uint16(r))
	at := 2 + (m+3)/4 + m
	for i := range m {
		at += int(r[2+i/4]>>(i%4*2)&3) + 1
	}
	if m > narrow {
		return (int(to-from) - at) / 2
	}
	return int(to-from) - at
}
