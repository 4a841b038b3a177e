package segment

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"unsafe"
)

const (
	magic      = "tmhmatch"
	version    = 1
	headerSize = 40
	entrySize  = 12
)

// The sections, in the order in which they stand.
const (
	bodies = iota
	kinds
	trls
	countries
	origins
	published
	validUntil
	languages
	originEnds
	originNames
	idEnds
	ids
	extraEnds
	extras
	codeEnds
	codes
	textEnds
	texts
	termEnds
	termBytes
	slots
	postingEnds
	postingDocs
	postingImpacts
	maxImpacts
	phraseEnds
	phrases
	phraseDocs
	docPhraseEnds
	docPhrases
	sections
)

// sectionName is for whoever reads of a damaged file.
func sectionName(i int) string {
	return [sections]string{
		"bodies", "kinds", "TRLs", "countries", "origins", "published", "valid until", "languages", "ends of origins",
		"origin names", "ends of ids", "ids", "ends of extras", "extras", "ends of codes", "codes", "ends of texts", "texts",
		"ends of terms", "terms", "slots", "ends of postings", "posting docs", "posting impacts", "highest impacts",
		"ends of phrases", "phrases", "phrase docs", "ends of document phrases", "document phrases",
	}[i]
}

// width is the size of a section's elements in bytes.
func width(section int) int {
	switch section {
	case bodies:
		return 32
	case slots:
		return 8
	case countries, origins, postingDocs:
		return 2
	case published, validUntil, languages, originEnds, idEnds, extraEnds, codeEnds, codes, textEnds, termEnds, postingEnds,
		phraseEnds, phraseDocs, docPhraseEnds, docPhrases:
		return 4
	}
	return 1
}

func padded(n int) int { return (n + 7) &^ 7 }

func tableEnd() int { return padded(headerSize + sections*entrySize) }

// lengths of the sections, in elements.
type lengths [sections]int

// fixed sets the lengths that follow from the numbers of documents and terms.
func (l *lengths) fixed(docs, terms int) {
	for _, s := range []int{bodies, kinds, trls, countries, origins, published, validUntil, languages} {
		l[s] = docs
	}
	for _, s := range []int{idEnds, extraEnds, codeEnds, textEnds, docPhraseEnds} {
		l[s] = docs + 1
	}
	l[termEnds], l[postingEnds], l[maxImpacts] = terms+1, terms+1, terms
	l[slots] = terms + terms/2 + 1
}

// allocate gives a segment of these lengths, to be filled in and sealed.
func allocate(docs, terms int, seed uint64, l *lengths) (*Segment, error) {
	if !littleEndian() {
		return nil, errBigEndian
	}
	size := tableEnd()
	for i, n := range l {
		if size += padded(n * width(i)); n > maxSize || size > maxSize {
			return nil, ErrTooLarge
		}
	}
	b := aligned(size)
	copy(b, magic)
	le := binary.LittleEndian
	le.PutUint32(b[8:], version)
	le.PutUint32(b[12:], sections)
	le.PutUint64(b[16:], seed)
	le.PutUint32(b[24:], uint32(docs))
	le.PutUint32(b[28:], uint32(terms))
	off := tableEnd()
	for i, n := range l {
		e := b[headerSize+i*entrySize:]
		le.PutUint32(e, uint32(off))
		le.PutUint32(e[4:], uint32(n*width(i)))
		off += padded(n * width(i))
	}
	s := &Segment{bytes: b, seed: seed, docs: docs, terms: terms}
	s.bind()
	return s, nil
}

// seal adds the checksums.
func (s *Segment) seal() []byte {
	for i := range sections {
		e := s.bytes[headerSize+i*entrySize:]
		binary.LittleEndian.PutUint32(e[8:], checksum(s.padded(i)))
	}
	binary.LittleEndian.PutUint32(s.bytes[32:], s.headerSum())
	return s.bytes
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func (s *Segment) headerSum() uint32 {
	head := make([]byte, tableEnd())
	copy(head, s.bytes)
	clear(head[32:36])
	return checksum(head)
}

// entry of the table.
func (s *Segment) entry(i int) (off, length int) {
	e := s.bytes[headerSize+i*entrySize:]
	return int(binary.LittleEndian.Uint32(e)), int(binary.LittleEndian.Uint32(e[4:]))
}

func (s *Segment) padded(i int) []byte {
	off, n := s.entry(i)
	return s.bytes[off : off+padded(n)]
}

func (s *Segment) section(i int) []byte {
	off, n := s.entry(i)
	return s.bytes[off : off+n : off+n]
}

// bind lets the fields point at the sections, whose places and lengths are good.
func (s *Segment) bind() {
	s.bodies = view[[32]byte](s.section(bodies))
	s.kinds, s.trls = s.section(kinds), s.section(trls)
	s.countries, s.origins = view[uint16](s.section(countries)), view[uint16](s.section(origins))
	s.published, s.validUntil = view[int32](s.section(published)), view[int32](s.section(validUntil))
	s.languages = view[uint32](s.section(languages))
	s.originEnds, s.originBytes = view[uint32](s.section(originEnds)), s.section(originNames)
	s.idEnds, s.ids = view[uint32](s.section(idEnds)), s.section(ids)
	s.extraEnds, s.extras = view[uint32](s.section(extraEnds)), s.section(extras)
	s.codeEnds, s.codes = view[uint32](s.section(codeEnds)), view[uint32](s.section(codes))
	s.textEnds, s.texts = view[uint32](s.section(textEnds)), s.section(texts)
	s.termEnds, s.termBytes = view[uint32](s.section(termEnds)), s.section(termBytes)
	s.slots = view[uint64](s.section(slots))
	s.postingEnds, s.postingDocs = view[uint32](s.section(postingEnds)), view[uint16](s.section(postingDocs))
	s.postingImpacts, s.maxImpacts = s.section(postingImpacts), s.section(maxImpacts)
	s.phraseEnds, s.phrases = view[uint32](s.section(phraseEnds)), s.section(phrases)
	s.phraseDocs = view[uint32](s.section(phraseDocs))
	s.docPhraseEnds, s.docPhrases = view[uint32](s.section(docPhraseEnds)), view[uint32](s.section(docPhrases))
}

// view is the same bytes as values of T; sections begin at multiples of 8.
func view[T any](b []byte) []T {
	var t T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(t)))
}

// aligned gives n zeros that begin at a multiple of 8.
func aligned(n int) []byte {
	words := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), n)
}

func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

var errBigEndian = errors.New("segments can be read only by processors that store the low byte first; run the node on such a one")
