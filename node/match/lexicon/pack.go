package lexicon

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/cespare/xxhash/v2"
)

// A pack is one run of bytes, the same in a file, in a mapping and in memory. All numbers are little-endian uint32 unless
// said otherwise. After the magic and the counts stand, without gaps:
//
//	languages   tag in 8 bytes, first headword, longest headword in bytes
//	head        offsets into the blob of headwords: sorted by language, then by bytes
//	parent      1 + the longest other headword of the language that a headword begins with, 0 for none
//	entry       of each headword, where its entries begin
//	slots       open hash table of 1 + headword, 0 where empty
//	entries     gloss, weight uint16, source uint8, 0: the translations of a headword, by gloss
//	gloss       offsets into the blob of glosses
//	glossTerm   of each gloss, where its terms begin
//	glossTerms  term
//	term        offsets into the blob of terms
//	blobs       headwords, glosses, terms, sources (JSON)
//	checksum    SHA-256 of everything before it
const (
	magic      = "TMHLEX\x00\x02"
	headerSize = len(magic) + 4*countsOfHeader
	maxPack    = 1 << 30
	maxProbe   = 128
	maxSources = 64 // in a pack
	maxWord    = 255
	maxEntries = 48 // translations of one headword
	maxWords   = 8  // terms of one gloss
	tagSize    = 8
	maxLangs   = 64
)

// The counts that follow the magic.
const (
	nAnalysis = iota // version of the English analysis by which terms were made
	nLangs
	nHeads
	nSlots
	nEntries
	nGlosses
	nGlossTerms
	nTerms
	headBytes
	glossBytes
	termBytes
	sourceBytes
	countsOfHeader
)

type pack struct {
	b      []byte
	keep   any // what owns b, where that is a mapping
	counts [countsOfHeader]uint32
	langs  []packLang
	// Each is a section of b.
	head, parent, entry, slots, entries, gloss, glossTerm, glossTerms, term []byte
	headBlob, glossBlob, termBlob                                           string
	sources                                                                 []Source
	base                                                                    int // of its sources among those of the lexicon
	digest                                                                  [sha256.Size]byte
}

type packLang struct {
	tag                  string
	first, last, longest int
}

func u32(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }

func damaged(where string) error {
	return fmt.Errorf("the pack is damaged (%s): import it again", where)
}

// Parse reads a pack and checks everything that look-ups rely on. The pack keeps b.
func Parse(b []byte) (*Lexicon, error) {
	p, err := parse(b)
	if err != nil {
		return nil, err
	}
	return merge([]*pack{p})
}

func parse(b []byte) (*pack, error) {
	if len(b) < headerSize+sha256.Size || len(b) > maxPack {
		return nil, damaged("size")
	}
	if string(b[:len(magic)]) != magic {
		if bytes.HasPrefix(b, []byte(magic[:6])) {
			return nil, errors.New("the pack is of another version of this program: import its sources again")
		}
		return nil, errors.New("this is no language pack")
	}
	p := &pack{b: b}
	for i := range p.counts {
		p.counts[i] = u32(b[len(magic):], i)
		if p.counts[i] > maxPack {
			return nil, damaged("counts")
		}
	}
	if p.counts[nAnalysis] != analysisVersion {
		return nil, errors.New("the pack was made with another analysis of English: import its sources again")
	}
	body, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	p.digest = sha256.Sum256(body)
	if !bytes.Equal(p.digest[:], sum) {
		return nil, damaged("checksum")
	}
	if err := p.cut(body[headerSize:]); err != nil {
		return nil, err
	}
	return p, p.check()
}

// cut finds the sections.
func (p *pack) cut(rest []byte) error {
	n := func(i int) int { return int(p.counts[i]) }
	var langs, headBlob, glossBlob, termBlob, sources []byte
	for _, s := range []struct {
		to   *[]byte
		size int
	}{
		{&langs, (tagSize + 8) * n(nLangs)},
		{&p.head, 4 * (n(nHeads) + 1)}, {&p.parent, 4 * n(nHeads)}, {&p.entry, 4 * (n(nHeads) + 1)}, {&p.slots, 4 * n(nSlots)},
		{&p.entries, 8 * n(nEntries)},
		{&p.gloss, 4 * (n(nGlosses) + 1)}, {&p.glossTerm, 4 * (n(nGlosses) + 1)}, {&p.glossTerms, 4 * n(nGlossTerms)},
		{&p.term, 4 * (n(nTerms) + 1)},
		{&headBlob, n(headBytes)}, {&glossBlob, n(glossBytes)}, {&termBlob, n(termBytes)}, {&sources, n(sourceBytes)},
	} {
		if s.size > len(rest) {
			return damaged("sections")
		}
		*s.to, rest = rest[:s.size:s.size], rest[s.size:]
	}
	if len(rest) != 0 {
		return damaged("sections")
	}
	p.headBlob, p.glossBlob, p.termBlob = alias(headBlob), alias(glossBlob), alias(termBlob)
	if err := json.Unmarshal(sources, &p.sources); err != nil || len(p.sources) == 0 || len(p.sources) > maxSources {
		return damaged("sources")
	}
	return p.cutLanguages(langs)
}

func (p *pack) cutLanguages(b []byte) error {
	heads := int(p.counts[nHeads])
	if n := len(b) / (tagSize + 8); n > maxLangs || (n == 0) != (heads == 0) {
		return damaged("languages")
	}
	for ; len(b) > 0; b = b[tagSize+8:] {
		l := packLang{tag: strings.TrimRight(string(b[:tagSize]), "\x00"), first: int(u32(b, 2)), last: heads, longest: int(u32(b, 3))}
		if n := len(p.langs); n > 0 {
			if p.langs[n-1].last = l.first; p.langs[n-1].tag >= l.tag || p.langs[n-1].first >= l.first {
				return damaged("languages")
			}
		} else if l.first != 0 {
			return damaged("languages")
		}
		if l.first >= heads || l.tag == "" || l.longest > maxWord {
			return damaged("languages")
		}
		p.langs = append(p.langs, l)
	}
	return nil
}

// check looks at every number that a look-up follows.
func (p *pack) check() error {
	n := func(i int) int { return int(p.counts[i]) }
	switch {
	case bits.OnesCount32(p.counts[nSlots]) != 1:
		return damaged("slots")
	case !ascending(p.head, n(nHeads), n(headBytes)):
		return damaged("headwords")
	case !ascending(p.entry, n(nHeads), n(nEntries)):
		return damaged("entries of headwords")
	case !ascending(p.gloss, n(nGlosses), n(glossBytes)):
		return damaged("glosses")
	case !ascending(p.glossTerm, n(nGlosses), n(nGlossTerms)):
		return damaged("terms of glosses")
	case !ascending(p.term, n(nTerms), n(termBytes)):
		return damaged("terms")
	case !below(p.glossTerms, n(nGlossTerms), p.counts[nTerms]):
		return damaged("terms of glosses")
	case !below(p.slots, n(nSlots), p.counts[nHeads]+1):
		return damaged("slots")
	case !utf8.ValidString(p.headBlob), !utf8.ValidString(p.glossBlob), !utf8.ValidString(p.termBlob):
		return damaged("text")
	}
	for i := range n(nEntries) {
		if u32(p.entries, 2*i) >= p.counts[nGlosses] || int(p.entries[8*i+6]) >= len(p.sources) || p.weight(i) == 0 {
			return damaged("entries")
		}
	}
	for i := range n(nGlosses) {
		if u32(p.glossTerm, i+1)-u32(p.glossTerm, i) > maxWords {
			return damaged("terms of glosses")
		}
	}
	for _, l := range p.langs {
		for h := l.first; h < l.last; h++ {
			word := p.headword(h)
			up := int(u32(p.parent, h)) - 1
			switch {
			case word == "" || len(word) > l.longest || h > l.first && p.headword(h-1) >= word:
				return damaged("order of headwords")
			case up >= h, up >= 0 && (up < l.first || !strings.HasPrefix(word, p.headword(up))): // so every chain ends
				return damaged("prefixes of headwords")
			case u32(p.entry, h+1)-u32(p.entry, h) > maxEntries:
				return damaged("entries of headwords")
			case p.find(l.tag, word) != h:
				return damaged("slots")
			}
		}
	}
	return nil
}

// ascending says whether the n+1 offsets rise from 0 to end.
func ascending(b []byte, n, end int) bool {
	last := uint32(0)
	for i := range n + 1 {
		v := u32(b, i)
		if v < last || i == 0 && v != 0 {
			return false
		}
		last = v
	}
	return int(last) == end
}

func below(b []byte, n int, limit uint32) bool {
	for i := range n {
		if u32(b, i) >= limit {
			return false
		}
	}
	return true
}

func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func piece(blob string, offsets []byte, i int) string {
	return blob[u32(offsets, i):u32(offsets, i+1)]
}

func (p *pack) headword(h int) string { return piece(p.headBlob, p.head, h) }
func (p *pack) weight(entry int) uint16 {
	return binary.LittleEndian.Uint16(p.entries[8*entry+4:])
}

func (p *pack) lang(tag string) (packLang, int) {
	for i := range p.langs {
		if p.langs[i].tag == tag {
			return p.langs[i], i
		}
	}
	return packLang{}, -1
}

// slot is where the search for a word begins.
func slot(word string, lang int, slots uint32) uint32 {
	h := (xxhash.Sum64String(word) ^ uint64(lang+1)*0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93
	return uint32(h>>32) & (slots - 1)
}

// find gives the number of a headword, -1 where it is none.
func (p *pack) find(tag, word string) int {
	l, i := p.lang(tag)
	if i < 0 || len(word) > l.longest {
		return -1
	}
	mask := p.counts[nSlots] - 1
	at := slot(word, i, p.counts[nSlots])
	for range maxProbe {
		h := int(u32(p.slots, int(at))) - 1
		if h < 0 {
			return -1
		}
		if h >= l.first && h < l.last && p.headword(h) == word {
			return h
		}
		at = (at + 1) & mask
	}
	return -1
}

// longest finds the headword before which s would stand in order: the longest that s begins with is it, or one that it
// begins with itself.
func (p *pack) longest(tag, s string) int {
	l, i := p.lang(tag)
	if i < 0 {
		return 0
	}
	s = s[:min(len(s), l.longest)]
	lo, hi := l.first, l.last // headwords below lo are at most s
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); p.headword(mid) <= s {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for h := lo - 1; h >= l.first; h = int(u32(p.parent, h)) - 1 {
		if word := p.headword(h); strings.HasPrefix(s, word) {
			return len(word)
		}
	}
	return 0
}

func (p *pack) languages() []string {
	var out []string
	for _, l := range p.langs {
		out = append(out, l.tag)
	}
	return slices.Clip(out)
}
