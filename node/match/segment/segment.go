// Package segment is one immutable part of the match index: up to 65,536 documents in one run of bytes, which is the same
// in memory and in a file. Readers index straight into the bytes; nothing is decoded or copied when a segment is opened.
//
// # Bytes
//
// All numbers are little-endian. A segment is a header, a table of sections, and the sections without gaps, in the order
// of the table, each padded with zeros to a multiple of 8 bytes. A segment has less than 2 GiB.
//
//	 0  8  "tmhmatch"
//	 8  4  version, 1
//	12  4  number of sections, 30
//	16  8  seed of the hash table of terms
//	24  4  number of documents, at most 65,536
//	28  4  number of terms
//	32  4  CRC-32C of header and table, taken with zeros here
//	36  4  zero
//	40     table: for each section its offset, its length without padding, CRC-32C with padding, 4 bytes each
//
// The sections, n documents, t terms, p postings, s phrases:
//
//	 0 bodies           n × 32
//	 1 kinds            n × 1
//	 2 TRLs             n × 1
//	 3 countries        n × 2   two letters, the first in the high byte
//	 4 origins          n × 2   which of the origin names
//	 5 published        n × 4   days, 0 none
//	 6 valid until      n × 4   days, 0 none
//	 7 languages        n × 4   a set of bits
//	 8 ends of origins  u32     an offset array, see below
//	 9 origin names
//	10 ends of ids      n + 1
//	11 ids
//	12 ends of extras   n + 1
//	13 extras
//	14 ends of codes    n + 1   in codes, not in bytes
//	15 codes            u32
//	16 ends of texts    n + 1
//	17 texts            a record a document, see below; then 4 zeros, so that a reader may load 4 bytes anywhere
//	18 ends of terms    t + 1
//	19 terms            length in one byte, then the bytes of the term
//	20 slots            u64     hash table of terms, see below
//	21 ends of postings t + 1   in postings
//	22 posting docs     p × 2   ascending within a term
//	23 posting impacts  p × 1   1 to 255
//	24 highest impacts  t × 1
//	25 ends of phrases  s + 1
//	26 phrases          ascending
//	27 phrase docs      s × 4   how many documents have the phrase
//	28 ends of a document's phrases  n + 1, in phrases
//	29 document phrases u32     numbers of phrases, ascending within a document
//
// An offset array of m parts has m + 1 numbers of 4 bytes: part i goes from number i to number i + 1; the first is 0.
//
// Terms are numbered by descending document frequency, so that the common ones have small numbers and the gaps between a
// document's terms are short. A text record is the document's vector and its sequence:
//
//	number of terms m, 2 bytes
//	widths: 2 bits a term, the first in the lowest bits: bytes of its gap − 1
//	gaps: term number − (the term number before + 1)
//	impacts: m bytes
//	sequence: places in the vector, one byte each if m ≤ 254, else two; the highest value ends a text, the one below a field
//
// The hash table has more slots than terms, and a term stands in the first free slot from slots·(high half of hash)/2³² on,
// cyclically. A slot is 0 when free, else: offset of the term in section 19 (32 bits, lowest), its number + 1 (24 bits), the
// lowest 8 bits of its hash.
package segment

import (
	"errors"
	"math"
)

// Limits of a segment and of its documents.
const (
	MaxDocs     = 1 << 16
	MaxName     = 64          // bytes of an origin, an id or a phrase
	MaxExtra    = 255         // bytes
	MaxCodes    = 64          // of a document
	MaxTerms    = 1<<16 - 2   // distinct terms of a document
	MaxTerm     = 255         // bytes of a term
	MaxSequence = 1 << 15     // tokens of a document, ends included
	MaxSurfaces = 64          // phrases of a document
	maxAllTerms = 1<<24 - 2   // terms of a segment: a slot has 24 bits for them
	maxSize     = 1<<31 - 256 // bytes of a segment: offsets have 32 bits, and files less than 2 GiB
)

// The ends in a Doc's Sequence, and as Segment.Sequence gives them.
const (
	EndText    = ""
	EndField   = "\x00"
	EndTextID  = math.MaxUint32
	EndFieldID = math.MaxUint32 - 1
)

// ErrTooLarge says that documents do not fit into one segment together, though each may by itself: use fewer.
var ErrTooLarge = errors.New("these documents are too many or too large for one segment; use fewer")

// Doc is what a segment is built of.
type Doc struct {
	Origin, ID            string // at most MaxName bytes each
	Body                  [32]byte
	Kind, TRL             uint8
	Country               [2]byte
	Published, ValidUntil int32    // days, 0 none
	Languages             uint32   // a set of bits; what they mean is the caller's business
	Codes                 []uint32 // ascending; what they mean is the caller's business
	Extra                 []byte   // for the caller
	Terms                 []Impact // distinct, in any order
	// Sequence is the tokens as they stand in the texts, with EndText and EndField. Every token is one of Terms.
	Sequence []string
	Surfaces []string // phrases for typeahead
}

// Impact is what a term contributes to a document's score, quantised; at least 1.
type Impact struct {
	Term   string
	Impact uint8
}

// Weight is a term of a document's vector.
type Weight struct {
	Term   uint32
	Impact uint8
}

// Segment reads one. It may be read from many goroutines. Strings and slices that it gives alias its bytes: they must not
// be changed, and where the bytes are a mapped file, not be kept longer than the mapping.
type Segment struct {
	bytes []byte
	seed  uint64
	docs  int
	terms int

	bodies                                [][32]byte
	kinds, trls                           []uint8
	countries, origins                    []uint16
	published, validUntil                 []int32
	languages                             []uint32
	originEnds, idEnds, extraEnds         []uint32
	originBytes, ids, extras              []byte
	codeEnds, codes                       []uint32
	textEnds                              []uint32
	texts                                 []byte
	termEnds                              []uint32
	termBytes                             []byte
	slots                                 []uint64
	postingEnds                           []uint32
	postingDocs                           []uint16
	postingImpacts, maxImpacts            []uint8
	phraseEnds                            []uint32
	phrases                               []byte
	phraseDocs, docPhraseEnds, docPhrases []uint32

	originNames []string
}
