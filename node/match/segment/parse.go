package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// Parse reads a segment. It looks through all of it, so that what a damaged file says can neither crash nor hold up its
// readers; the error says what is damaged. The segment keeps b, or a copy if b does not begin at a multiple of 8.
func Parse(b []byte) (*Segment, error) {
	if !littleEndian() {
		return nil, errBigEndian
	}
	if uintptr(unsafe.Pointer(unsafe.SliceData(b)))%8 != 0 {
		c := aligned(len(b))
		copy(c, b)
		b = c
	}
	s := &Segment{bytes: b}
	if err := s.parseTable(); err != nil {
		return nil, err
	}
	for i := range sections {
		if want := binary.LittleEndian.Uint32(b[headerSize+i*entrySize+8:]); checksum(s.padded(i)) != want {
			return nil, damaged(i, errors.New("its checksum is wrong"))
		}
	}
	s.bind()
	for _, check := range []func() (int, error){s.checkDocs, s.checkTerms, s.checkPostings, s.checkTexts, s.checkPhrases} {
		if section, err := check(); err != nil {
			return nil, damaged(section, err)
		}
	}
	return s, nil
}

func damaged(section int, err error) error {
	return fmt.Errorf("this part of the match index is damaged in section %q: %w; remove the file, and it will be rebuilt",
		sectionName(section), err)
}

func (s *Segment) parseTable() error {
	b, le := s.bytes, binary.LittleEndian
	bad := func(why string) error {
		return fmt.Errorf("this is no part of the match index, or it is damaged: %s; remove the file, and it will be rebuilt", why)
	}
	switch {
	case len(b) < tableEnd() || string(b[:8]) != magic:
		return bad("it does not begin as one")
	case len(b) > maxSize:
		return bad("it is too large")
	case le.Uint32(b[8:]) != version || le.Uint32(b[12:]) != sections:
		return bad(fmt.Sprintf("it has version %d, not %d", le.Uint32(b[8:]), version))
	case le.Uint32(b[32:]) != s.headerSum():
		return bad("the checksum of its header is wrong")
	case le.Uint32(b[24:]) > MaxDocs || le.Uint32(b[28:]) > maxAllTerms:
		return bad("it has too many documents or terms")
	}
	s.seed, s.docs, s.terms = le.Uint64(b[16:]), int(le.Uint32(b[24:])), int(le.Uint32(b[28:]))
	var want lengths
	for i := range want {
		want[i] = -1 // any
	}
	want.fixed(s.docs, s.terms)
	at := tableEnd()
	for i := range sections {
		off, n := s.entry(i)
		if off != at || n > len(b)-at || padded(n) > len(b)-at || n%width(i) != 0 || want[i] >= 0 && n != want[i]*width(i) {
			return damaged(i, errors.New("it does not stand where it should, or has not the length that it should have"))
		}
		at += padded(n)
	}
	if at != len(b) {
		return bad("it does not end where it should")
	}
	return nil
}

var (
	errEnds  = errors.New("its offsets are out of order")
	errRange = errors.New("a number is out of range")
)

// checkEnds checks an offset array over a section of n elements, whose parts have at least the given length.
func checkEnds(ends []uint32, n int, least uint32) error {
	if len(ends) == 0 || ends[0] != 0 || uint64(ends[len(ends)-1]) != uint64(n) {
		return errEnds
	}
	for i, end := range ends[1:] {
		if end < ends[i] || end-ends[i] < least {
			return errEnds
		}
	}
	return nil
}

func (s *Segment) checkDocs() (int, error) {
	for _, c := range []struct {
		section int
		ends    []uint32
		n       int
	}{
		{originEnds, s.originEnds, len(s.originBytes)},
		{idEnds, s.idEnds, len(s.ids)},
		{extraEnds, s.extraEnds, len(s.extras)},
		{codeEnds, s.codeEnds, len(s.codes)},
	} {
		if err := checkEnds(c.ends, c.n, 0); err != nil {
			return c.section, err
		}
	}
	names := len(s.originEnds) - 1
	if names > s.docs {
		return originEnds, errRange
	}
	for _, o := range s.origins {
		if int(o) >= names {
			return origins, errRange
		}
	}
	s.nameOrigins()
	return 0, nil
}

func (s *Segment) nameOrigins() {
	s.originNames = make([]string, len(s.originEnds)-1)
	for i := range s.originNames {
		s.originNames[i] = alias(s.originBytes[s.originEnds[i]:s.originEnds[i+1]])
	}
}

func (s *Segment) checkTerms() (int, error) {
	if err := checkEnds(s.termEnds, len(s.termBytes), 2); err != nil {
		return termEnds, err
	}
	for i, at := range s.termEnds[:s.terms] {
		if uint32(s.termBytes[at])+1 != s.termEnds[i+1]-at {
			return termBytes, errors.New("the length of a term is wrong")
		}
	}
	used := 0
	for _, slot := range s.slots {
		if slot == 0 {
			continue
		}
		used++
		if id := uint32(slot>>32) & 0xffffff; id == 0 || int(id) > s.terms || uint32(slot) != s.termEnds[id-1] {
			return slots, errRange
		}
	}
	if used != s.terms { // there are more slots than terms: a search ends at a free one
		return slots, errors.New("it holds too many or too few terms")
	}
	return 0, nil
}

func (s *Segment) checkPostings() (int, error) {
	if len(s.postingDocs) != len(s.postingImpacts) {
		return postingImpacts, errRange
	}
	if err := checkEnds(s.postingEnds, len(s.postingDocs), 1); err != nil {
		return postingEnds, err
	}
	for id := range s.terms {
		docs, impacts := s.Postings(uint32(id))
		next := 0
		for _, doc := range docs {
			if int(doc) < next {
				return postingDocs, errors.New("documents are out of order")
			}
			next = int(doc) + 1
		}
		if next > s.docs {
			return postingDocs, errRange
		}
		var most uint8
		for _, impact := range impacts {
			if most = max(most, impact); impact == 0 {
				return postingImpacts, errRange
			}
		}
		if most != s.maxImpacts[id] {
			return maxImpacts, errRange
		}
	}
	return 0, nil
}

func (s *Segment) checkTexts() (int, error) {
	if err := checkEnds(s.textEnds, len(s.texts)-4, 2); err != nil {
		return textEnds, err
	}
	total := 0
	for doc := range s.docs {
		from, to := s.textEnds[doc], s.textEnds[doc+1]
		m, err := s.checkText(s.texts[from:], int(to-from))
		if err != nil {
			return texts, err
		}
		total += m
	}
	if total != len(s.postingDocs) {
		return texts, errors.New("it has more or fewer terms than there are postings")
	}
	return 0, nil
}

// checkText checks the record of size bytes that r begins with, and gives the number of its terms.
func (s *Segment) checkText(r []byte, size int) (int, error) {
	m := int(binary.LittleEndian.Uint16(r))
	gaps := 2 + (m+3)/4
	if m > MaxTerms || gaps > size {
		return 0, errRange
	}
	var next uint64
	at := gaps
	for i := range m {
		w := r[2+i/4] >> (i % 4 * 2) & 3
		if at >= size {
			return 0, errRange
		}
		next += uint64(binary.LittleEndian.Uint32(r[at:])&masks(w)) + 1
		at += int(w) + 1
	}
	if next > uint64(s.terms) || at+m > size {
		return 0, errRange
	}
	places := r[at+m : size]
	if m <= narrow {
		for _, p := range places {
			if int(p) >= m && p < narrow {
				return 0, errRange
			}
		}
		return m, nil
	}
	if len(places)%2 != 0 {
		return 0, errRange
	}
	for i := 0; i < len(places); i += 2 {
		if p := binary.LittleEndian.Uint16(places[i:]); int(p) >= m && p < endField {
			return 0, errRange
		}
	}
	return m, nil
}

func (s *Segment) checkPhrases() (int, error) {
	if err := checkEnds(s.phraseEnds, len(s.phrases), 1); err != nil {
		return phraseEnds, err
	}
	if len(s.phraseDocs) != len(s.phraseEnds)-1 {
		return phraseDocs, errRange
	}
	for i := 1; i < len(s.phraseDocs); i++ {
		if s.phrase(i-1) >= s.phrase(i) {
			return phrases, errors.New("phrases are out of order")
		}
	}
	if err := checkEnds(s.docPhraseEnds, len(s.docPhrases), 0); err != nil {
		return docPhraseEnds, err
	}
	for _, p := range s.docPhrases {
		if int(p) >= len(s.phraseDocs) {
			return docPhrases, errRange
		}
	}
	return 0, nil
}

// checkAgreement checks that vectors and postings say the same, and that every term is found by its name, once. Readers
// of one document or one term need not care; a merge, which takes the ones from the others, would spread what is wrong.
func (s *Segment) checkAgreement() (int, error) {
	for id := range uint32(s.terms) {
		if found, ok := s.Term(s.TermString(id)); !ok || found != id {
			return slots, fmt.Errorf("the term %q is not found", s.TermString(id))
		}
	}
	at := append([]uint32(nil), s.postingEnds...)
	var vector []Weight
	for doc := range s.docs {
		vector = s.Vector(vector[:0], uint16(doc))
		for _, w := range vector {
			k := at[w.Term]
			if k >= s.postingEnds[w.Term+1] || s.postingDocs[k] != uint16(doc) || s.postingImpacts[k] != w.Impact {
				return texts, errors.New("a vector differs from the postings")
			}
			at[w.Term]++
		}
	}
	return 0, nil
}
