package segment

import (
	"fmt"
	"math"
)

// Part is a segment that goes into a merged one.
type Part struct {
	Segment *Segment
	Dropped func(doc uint16) bool // documents to be left out, asked once for each; nil: none
}

// Moved says where a document is after a merge.
type Moved struct {
	Part     int // which of the parts it was in
	Old, New uint16
}

// none stands for what is not in the merged segment.
const none = math.MaxUint32

// Merge makes one segment of the documents of several, in their order. The seed is as for Build. What moved is ascending by
// its new number, which counts from 0: entry i is document i.
func Merge(parts []Part, seed uint64) ([]byte, []Moved, error) {
	m := &merged{parts: parts, moved: []Moved{}}
	most := 0
	for i, p := range parts {
		if p.Segment == nil {
			return nil, nil, fmt.Errorf("part %d has no segment", i)
		}
		if section, err := p.Segment.checkAgreement(); err != nil {
			return nil, nil, fmt.Errorf("part %d: %w", i, damaged(section, err))
		}
		most = max(most, p.Segment.terms)
		m.live = append(m.live, make([]uint32, p.Segment.docs))
		for doc := range p.Segment.docs {
			m.live[i][doc] = none
			if p.Dropped != nil && p.Dropped(uint16(doc)) {
				continue
			}
			if len(m.moved) == MaxDocs {
				return nil, nil, ErrTooLarge
			}
			m.live[i][doc] = uint32(len(m.moved))
			m.moved = append(m.moved, Moved{Part: i, Old: uint16(doc), New: uint16(len(m.moved))})
		}
	}
	d := newDictionary(seed, most)
	for i := range parts {
		m.number(d, i)
	}
	ranks := d.ranks()
	p, at, err := newPostings(d, ranks)
	if err != nil {
		return nil, nil, err
	}
	for i, part := range parts {
		for id, number := range m.numbers[i] {
			if number == none {
				continue
			}
			docs, impacts := part.Segment.Postings(uint32(id))
			k := at[ranks[number]]
			for j, doc := range docs {
				if to := m.live[i][doc]; to != none {
					p.docs[k], p.impacts[k] = uint16(to), impacts[j]
					k++
				}
			}
			at[ranks[number]] = k
		}
	}
	b, err := write(len(m.moved), d, ranks, p, m)
	if err != nil {
		return nil, nil, err
	}
	return b, m.moved, nil
}

// merged is the source of Merge.
type merged struct {
	parts   []Part
	moved   []Moved
	live    [][]uint32 // by part and old document: the new document, or none
	numbers [][]uint32 // by part and term number: the number in the dictionary, or none
}

// number takes the terms of a part that still have documents into the dictionary.
func (m *merged) number(d *dictionary, part int) {
	s := m.parts[part].Segment
	numbers := make([]uint32, s.terms)
	for id := range numbers {
		df := 0
		docs, _ := s.Postings(uint32(id))
		for _, doc := range docs {
			if m.live[part][doc] != none {
				df++
			}
		}
		numbers[id] = none
		if df > 0 {
			numbers[id] = d.number(s.TermString(uint32(id)))
			d.df[numbers[id]] += uint32(df)
		}
	}
	m.numbers = append(m.numbers, numbers)
}

func (m *merged) at(i int) (*Segment, uint16) {
	return m.parts[m.moved[i].Part].Segment, m.moved[i].Old
}

func (m *merged) fields(i int) fields {
	s, doc := m.at(i)
	origin, id := s.Ref(doc)
	return fields{
		origin: origin, id: id, body: &s.bodies[doc], kind: s.kinds[doc], trl: s.trls[doc], country: s.countries[doc],
		published: s.published[doc], validUntil: s.validUntil[doc], languages: s.languages[doc],
		codes: s.Codes(doc), extra: s.Extra(doc),
	}
}

func (m *merged) sequenceLen(i int) int {
	s, doc := m.at(i)
	return s.sequenceLen(doc)
}

func (m *merged) sequence(dst []uint32, i int) []uint32 {
	s, doc := m.at(i)
	from := len(dst)
	dst = s.Sequence(dst, doc)
	numbers := m.numbers[m.moved[i].Part]
	for k, id := range dst[from:] {
		if id < EndFieldID {
			dst[from+k] = numbers[id]
		}
	}
	return dst
}

func (m *merged) surfaces(dst []string, i int) []string {
	s, doc := m.at(i)
	for _, p := range s.surfaces(doc) {
		dst = append(dst, s.phrase(int(p)))
	}
	return dst
}
