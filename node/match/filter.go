package match

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/protocol"
)

// kindSet has a bit for each kind, in the order of protocol.Kinds.
type kindSet uint8

const allKinds kindSet = 1<<6 - 1

func kindSetOf(kinds ...protocol.Kind) (s kindSet) {
	for i, k := range protocol.Kinds() {
		if slices.Contains(kinds, k) {
			s |= 1 << i
		}
	}
	return s
}

// countryCode is zero, which no listing and no filter has, unless c is two letters.
func countryCode(c protocol.Country) (code [2]byte) {
	if len(c) == 2 {
		copy(code[:], c)
	}
	return code
}

// criterion is one condition of a filter. A facet counts what passes all criteria but its own.
type criterion uint8

const (
	byKind criterion = iota
	byCountry
	byOrigin
	byTRL
	byFORD
	bySubject // ISIC, IPC, SDG
	byLanguage
	byValidity
	criteria
)

// sieve is a Filter made ready.
type sieve struct {
	kinds          kindSet
	origins        []protocol.MemberID
	countries      []uint16
	languages      spaceSet
	ford           []Code
	subjects       [][]Code // one of each list
	trlMin, trlMax uint8
	today          int32
	open           bool // nothing is left out
}

func (f Filter) sieve(q *Query) sieve {
	s := sieve{kinds: allKinds, origins: unique(slices.Clone(f.Origins), len(f.Origins)), trlMin: f.TRLMin, trlMax: f.TRLMax, today: int32(f.Today)}
	kinds := f.Kinds
	if len(kinds) == 0 && q.Listing != nil {
		kinds = Counterparts(q.Listing.Kind)
	}
	if len(kinds) > 0 {
		s.kinds = kindSetOf(kinds...)
	}
	for _, c := range f.Countries {
		code := countryCode(c)
		s.countries = append(s.countries, binary.BigEndian.Uint16(code[:]))
	}
	s.countries = unique(s.countries, len(s.countries))
	for _, l := range f.Languages {
		s.languages |= claims(primary(l))
	}
	s.ford = sorted(parseCodes(f.FORD, ParseFORD))
	for _, list := range [][]Code{parseCodes(f.ISIC, ParseISIC), parseCodes(f.IPC, ParseIPC), sdgCodes(f.SDG)} {
		if len(list) > 0 {
			s.subjects = append(s.subjects, sorted(list))
		}
	}
	if f.IncludeExpired {
		s.today = 0
	}
	if s.trlMin > 0 && s.trlMax == 0 {
		s.trlMax = 9
	}
	s.open = s.kinds == allKinds && len(s.origins)+len(s.countries)+len(s.ford)+len(s.subjects) == 0 && s.languages == 0 && s.trlMax == 0 && s.today == 0
	return s
}

func sdgCodes(list []uint16) (codes []Code) {
	for _, n := range list {
		codes = append(codes, systemSDG<<28|Code(n))
	}
	return codes
}

// columns of a segment, and what a sieve looks for in them.
type columns struct {
	sieve              *sieve
	seg                *segment.Segment
	kinds, trls        []uint8
	countries, origins []uint16
	valid              []int32
	languages          []uint32
	names              []string // of origins
	origin             []bool   // by origin number of the segment; nil: all
	coded              bool
}

func (s *sieve) columns(seg *segment.Segment) columns {
	c := columns{
		sieve: s, seg: seg, kinds: seg.Kinds(), trls: seg.TRLs(), countries: seg.Countries(), origins: seg.Origins(),
		valid: seg.ValidUntil(), languages: seg.Languages(), names: seg.OriginNames(), coded: len(s.ford)+len(s.subjects) > 0,
	}
	if len(s.origins) > 0 {
		names := seg.OriginNames()
		c.origin = make([]bool, len(names))
		for i, name := range names {
			_, c.origin[i] = slices.BinarySearch(s.origins, protocol.MemberID(name))
		}
	}
	return c
}

// row is what a sieve looks at of one document.
type row struct {
	kinds     kindSet
	trl       uint8
	country   uint16
	valid     int32
	languages spaceSet
	origin    bool     // is one of those wanted
	codes     []uint32 // where codes are wanted
}

func (c *columns) row(d uint16) (r row) {
	r = row{kinds: kindSet(c.kinds[d]), trl: c.trls[d], country: c.countries[d], valid: c.valid[d], languages: spaceSet(c.languages[d]), origin: true}
	if c.origin != nil {
		r.origin = c.origin[c.origins[d]]
	}
	if c.coded {
		r.codes = c.seg.Codes(d)
	}
	return r
}

// fails is the set of criteria that a document does not meet, a bit each.
func (c *columns) fails(d uint16) uint32 {
	if c.sieve.open {
		return 0
	}
	r := c.row(d)
	return c.sieve.fails(&r)
}

func (s *sieve) fails(r *row) (failed uint32) {
	set := func(c criterion, fails bool) {
		if fails {
			failed |= 1 << c
		}
	}
	set(byKind, r.kinds&s.kinds == 0 && s.kinds != allKinds)
	set(byTRL, s.trlMax > 0 && (r.trl < max(s.trlMin, 1) || r.trl > s.trlMax))
	set(byValidity, s.today > 0 && r.valid > 0 && r.valid < s.today)
	set(byOrigin, !r.origin)
	set(byCountry, len(s.countries) > 0 && !has(s.countries, r.country))
	set(byLanguage, s.languages != 0 && r.languages&s.languages == 0)
	set(byFORD, len(s.ford) > 0 && !anyCovers(s.ford, r.codes))
	for _, list := range s.subjects {
		set(bySubject, !anyCovers(list, r.codes))
	}
	return failed
}

// allow marks in the set the documents of a part that pass, of those that have a sum. It looks at one column after another,
// since most filters look at few.
func (c *columns) allow(set *bitmap, sums []uint32) {
	n := len(sums)
	s := c.sieve
	kinds, valid, every := c.kinds[:n], c.valid[:n], s.kinds == allKinds
	for w := range (n + 63) / 64 {
		var word uint64
		from, to := w*64, min(n, w*64+64)
		for d, sum := range sums[from:to] { // what nearly every filter asks for, without branches
			var found, open, later uint64
			if sum != 0 {
				found = 1
			}
			v := valid[from+d]
			if v == 0 {
				open = 1
			}
			if v >= s.today {
				later = 1
			}
			word |= found & (open | later) << (d & 63)
		}
		set[w] = word
	}
	if !every {
		keep(set, n, func(d int) bool { return kindSet(kinds[d])&s.kinds != 0 })
	}
	if s.trlMax > 0 {
		least := max(s.trlMin, 1)
		keep(set, n, func(d int) bool { return c.trls[d] >= least && c.trls[d] <= s.trlMax })
	}
	if c.origin != nil {
		keep(set, n, func(d int) bool { return c.origin[c.origins[d]] })
	}
	if len(s.countries) > 0 {
		keep(set, n, func(d int) bool { return has(s.countries, c.countries[d]) })
	}
	if s.languages != 0 {
		keep(set, n, func(d int) bool { return spaceSet(c.languages[d])&s.languages != 0 })
	}
	if c.coded {
		keep(set, n, func(d int) bool {
			codes := c.seg.Codes(uint16(d))
			for _, list := range s.subjects {
				if !anyCovers(list, codes) {
					return false
				}
			}
			return len(s.ford) == 0 || anyCovers(s.ford, codes)
		})
	}
}

// keep takes out of a set what does not pass.
func keep(set *bitmap, n int, passes func(d int) bool) {
	for w := range (n + 63) / 64 {
		for left := set[w]; left != 0; left &= left - 1 {
			d := w*64 + bits.TrailingZeros64(left)
			if !passes(d) {
				set[w] &^= 1 << (d % 64)
			}
		}
	}
}

// anyCovers reports whether one of the codes is, or lies below, one of those wanted, which are sorted: a filter may have
// thousands.
func anyCovers(wanted []Code, codes []uint32) bool {
	for _, n := range codes {
		for _, mask := range Code(n).levels() {
			if has(wanted, Code(n)&mask) {
				return true
			}
		}
	}
	return false
}

func sorted(codes []Code) []Code { return unique(codes, len(codes)) }

func has[T cmp.Ordered](sorted []T, v T) bool {
	_, ok := slices.BinarySearch(sorted, v)
	return ok
}

// Passes reports whether a listing that is not searched for but met while browsing passes the filter: by the same rule
// as in an answer.
func (f Filter) Passes(ref Ref, l *protocol.Listing) bool {
	country := countryCode(l.Country)
	r := row{
		kinds: kindSetOf(l.Kind), trl: l.TRL, country: binary.BigEndian.Uint16(country[:]), valid: int32(l.ValidUntil),
		origin: len(f.Origins) == 0 || slices.Contains(f.Origins, ref.Origin),
	}
	for lang := range l.Texts {
		r.languages |= claims(primary(lang))
	}
	for _, c := range factsOf(l).Codes {
		r.codes = append(r.codes, uint32(c))
	}
	s := f.sieve(&Query{})
	return s.fails(&r) == 0
}
