package segment

import (
	"encoding/binary"
	"math/bits"
)

// source is what a segment is written from, document by document: texts that were analysed, or older segments.
type source interface {
	fields(doc int) fields
	sequenceLen(doc int) int
	// sequence appends the tokens by their numbers in the dictionary.
	sequence(dst []uint32, doc int) []uint32
	surfaces(dst []string, doc int) []string
}

type fields struct {
	origin, id            string
	body                  *[32]byte
	kind, trl             uint8
	country               uint16
	published, validUntil int32
	languages             uint32
	codes                 []uint32
	extra                 []byte
}

// postings are those of a segment, by rank of their terms.
type postings struct {
	ends    []uint32
	docs    []uint16
	impacts []uint8
}

// newPostings makes room for what the dictionary counted, and gives where each term's postings begin.
func newPostings(d *dictionary, ranks []uint32) (p postings, starts []uint32, err error) {
	var sum uint64
	for _, df := range d.df {
		sum += uint64(df)
	}
	if sum > maxSize/4 || len(d.names) > maxAllTerms { // a posting takes 3 bytes, and more in the vector
		return p, nil, ErrTooLarge
	}
	p.ends = make([]uint32, len(ranks)+1)
	for i, r := range ranks {
		p.ends[r+1] = d.df[i]
	}
	for i := range ranks {
		p.ends[i+1] += p.ends[i]
	}
	n := p.ends[len(ranks)]
	p.docs, p.impacts = make([]uint16, n), make([]uint8, n)
	return p, append([]uint32(nil), p.ends[:len(ranks)]...), nil
}

// write makes the segment.
func write(docs int, d *dictionary, ranks []uint32, p postings, src source) ([]byte, error) {
	var l lengths
	l.fixed(docs, len(d.names))
	l[termBytes] = d.bytes
	l[postingDocs], l[postingImpacts] = len(p.docs), len(p.docs)

	vectors := measure(docs, p)
	names := originTable{places: make(map[string]uint16)}
	l[texts] = 4
	for i := range docs {
		f := src.fields(i)
		l[ids] += len(f.id)
		l[extras] += len(f.extra)
		l[codes] += len(f.codes)
		names.add(f.origin)
		tokens := src.sequenceLen(i)
		if vectors[i].terms > narrow {
			tokens *= 2
		}
		vectors[i].size = 2 + (vectors[i].terms+3)/4 + vectors[i].gaps + vectors[i].terms + uint32(tokens)
		l[texts] += int(vectors[i].size)
	}
	l[originEnds], l[originNames] = len(names.list)+1, names.bytes
	ph := collectPhrases(docs, src)
	l[phraseEnds], l[phrases], l[phraseDocs], l[docPhrases] = len(ph.distinct)+1, ph.bytes, len(ph.distinct), len(ph.entries)

	s, err := allocate(docs, len(d.names), d.seed, &l)
	if err != nil {
		return nil, err
	}
	s.putFields(src, &names)
	s.putTerms(d, ranks)
	copy(s.postingEnds, p.ends)
	copy(s.postingDocs, p.docs)
	copy(s.postingImpacts, p.impacts)
	s.putVectors(vectors)
	s.putSequences(ranks, src)
	s.putPhrases(ph)
	return s.seal(), nil
}

// originTable numbers the origins in the order in which they appear.
type originTable struct {
	places map[string]uint16
	list   []string
	bytes  int
	last   string
	place  uint16
}

func (t *originTable) add(name string) uint16 {
	if len(t.list) > 0 && name == t.last { // documents of one origin stand together
		return t.place
	}
	place, ok := t.places[name]
	if !ok {
		place = uint16(len(t.list))
		t.places[name] = place
		t.list = append(t.list, name)
		t.bytes += len(name)
	}
	t.last, t.place = name, place
	return place
}

func (s *Segment) putFields(src source, names *originTable) {
	var ids, extras, codes, bytes uint32
	for i := range s.docs {
		f := src.fields(i)
		s.bodies[i] = *f.body
		s.kinds[i], s.trls[i], s.countries[i] = f.kind, f.trl, f.country
		s.origins[i] = names.add(f.origin)
		s.published[i], s.validUntil[i], s.languages[i] = f.published, f.validUntil, f.languages
		ids += uint32(copy(s.ids[ids:], f.id))
		extras += uint32(copy(s.extras[extras:], f.extra))
		codes += uint32(copy(s.codes[codes:], f.codes))
		s.idEnds[i+1], s.extraEnds[i+1], s.codeEnds[i+1] = ids, extras, codes
	}
	for i, name := range names.list {
		bytes += uint32(copy(s.originBytes[bytes:], name))
		s.originEnds[i+1] = bytes
	}
}

func (s *Segment) putTerms(d *dictionary, ranks []uint32) {
	numbers := make([]uint32, len(ranks)) // the dictionary's number of each rank
	for i, r := range ranks {
		numbers[r] = uint32(i)
	}
	var at uint32
	for id, number := range numbers {
		name := d.names[number]
		s.termBytes[at] = uint8(len(name))
		copy(s.termBytes[at+1:], name)
		h := d.hashes[number]
		slot := home(h, len(s.slots))
		for s.slots[slot] != 0 {
			if slot++; slot == len(s.slots) {
				slot = 0
			}
		}
		s.slots[slot] = h<<56 | uint64(id+1)<<32 | uint64(at)
		at += 1 + uint32(len(name))
		s.termEnds[id+1] = at
	}
}

// vector says how a document's text record is made; while it is filled, where its parts go on.
type vector struct {
	next        uint32 // the term number that would have gap 0
	terms, gaps uint32 // how many terms, how many bytes of gaps; while filling, where the next ones go
	size        uint32 // bytes of the record; while filling, where the next impact goes
}

// widthOf is the number of bytes of a gap, less 1.
func widthOf(gap uint32) uint32 { return uint32(bits.Len32(gap|1)-1) / 8 }

// measure finds out the sizes of the vectors.
func measure(docs int, p postings) []vector {
	vectors := make([]vector, docs)
	for id := range uint32(len(p.ends) - 1) {
		for _, doc := range p.docs[p.ends[id]:p.ends[id+1]] {
			v := &vectors[doc]
			v.gaps += widthOf(id-v.next) + 1
			v.next = id + 1
			v.terms++
		}
	}
	return vectors
}

// putVectors turns the postings round. Terms come in ascending order, so each document gets its terms in that order
// without sorting.
func (s *Segment) putVectors(vectors []vector) {
	var at uint32
	for i := range vectors {
		v := &vectors[i]
		s.textEnds[i] = at
		binary.LittleEndian.PutUint16(s.texts[at:], uint16(v.terms))
		gaps := at + 2 + (v.terms+3)/4
		end := at + v.size
		*v = vector{gaps: gaps, size: gaps + v.gaps}
		at = end
	}
	s.textEnds[len(vectors)] = at
	for id := range uint32(s.terms) {
		docs, impacts := s.Postings(id)
		var most uint8
		for i, doc := range docs {
			v := &vectors[doc]
			gap := id - v.next
			w := widthOf(gap)
			s.texts[s.textEnds[doc]+2+v.terms/4] |= byte(w << (v.terms % 4 * 2))
			for k := v.gaps; k <= v.gaps+w; k++ {
				s.texts[k] = byte(gap)
				gap >>= 8
			}
			s.texts[v.size] = impacts[i]
			most = max(most, impacts[i])
			v.next = id + 1
			v.terms++
			v.gaps += w + 1
			v.size++
		}
		s.maxImpacts[id] = most
	}
}

// putSequences stands after putVectors: a sequence is made of places in the vector.
func (s *Segment) putSequences(ranks []uint32, src source) {
	places := make([]uint16, s.terms)
	var vector, sequence []uint32
	for doc := range s.docs {
		r := s.texts[s.textEnds[doc]:s.textEnds[doc+1]:len(s.texts)]
		m := int(binary.LittleEndian.Uint16(r))
		if cap(vector) < m {
			vector = make([]uint32, 2*m)
		}
		vector = vector[:m]
		at := terms(vector, s.texts[s.textEnds[doc]:]) + m
		for i, id := range vector {
			places[id] = uint16(i)
		}
		sequence = src.sequence(sequence[:0], doc)
		for _, number := range sequence {
			var place uint16
			switch number {
			case EndTextID:
				place = endText
			case EndFieldID:
				place = endField
			default:
				place = places[ranks[number]]
			}
			r[at] = byte(place)
			if at++; m > narrow {
				r[at] = byte(place >> 8)
				at++
			}
		}
	}
}
