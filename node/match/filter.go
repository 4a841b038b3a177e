package match

import (
	"slices"
	"strconv"
	"strings"

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

// fordCode is a FORD code as field·256 + subfield; the subfield is 0 where none is named.
type fordCode uint16

func parseFORD(s string) (fordCode, bool) {
	main, sub, found := strings.Cut(s, ".")
	f, err := strconv.ParseUint(main, 10, 8)
	if err != nil || f < 1 || f > 6 || !found {
		return fordCode(f << 8), err == nil && f >= 1 && f <= 6
	}
	n, err := strconv.ParseUint(sub, 10, 8)
	return fordCode(f<<8 | n), err == nil && n >= 1
}

func fordCodes(list []string) []fordCode {
	var codes []fordCode
	for _, s := range list {
		if c, ok := parseFORD(s); ok {
			codes = append(codes, c)
		}
	}
	return codes
}

func (c fordCode) covers(d fordCode) bool { return c == d || (c&0xff == 0 && c == d&0xff00) }

// countryCode is zero, which no listing and no filter has, unless c is two letters.
func countryCode(c protocol.Country) (code [2]byte) {
	if len(c) == 2 {
		copy(code[:], c)
	}
	return code
}

// sieve is a Filter made ready for one snapshot of an index.
type sieve struct {
	kinds     kindSet
	origins   []bool // by origin number; nil: all
	countries map[[2]byte]bool
	ford      []fordCode
	trlMin    uint8
	trlMax    uint8
	today     protocol.Date
	self      uint32 // document number; gone: none
}

// sieve reads the index: the caller holds its lock.
func (x *Index) sieve(q Query) sieve {
	f := q.Filter
	s := sieve{kinds: allKinds, ford: fordCodes(f.FORD), trlMin: f.TRLMin, trlMax: f.TRLMax, today: f.Today, self: gone}
	kinds := f.Kinds
	if len(kinds) == 0 && q.Listing != nil {
		kinds = Counterparts(q.Listing.Kind)
	}
	if len(kinds) > 0 {
		s.kinds = kindSetOf(kinds...)
	}
	if len(f.Origins) > 0 {
		s.origins = make([]bool, len(x.origins))
		for i, o := range x.origins {
			s.origins[i] = slices.Contains(f.Origins, o)
		}
	}
	if len(f.Countries) > 0 {
		s.countries = make(map[[2]byte]bool)
		for _, c := range f.Countries {
			s.countries[countryCode(c)] = true
		}
	}
	if f.IncludeExpired {
		s.today = 0
	}
	if s.trlMin > 0 && s.trlMax == 0 {
		s.trlMax = 9
	}
	if n, ok := x.byRef[q.Self]; ok {
		s.self = n
	}
	return s
}

// passes reports whether document number n, which is d, may be in the answer.
func (s *sieve) passes(n uint32, d *doc) bool {
	switch {
	case !d.live, n == s.self, d.kind&s.kinds == 0 && s.kinds != allKinds:
		return false
	case s.trlMax > 0 && (d.trl < max(s.trlMin, 1) || d.trl > s.trlMax):
		return false
	case s.today > 0 && d.validUntil > 0 && d.validUntil < s.today:
		return false
	case s.origins != nil && !s.origins[d.origin]:
		return false
	case s.countries != nil && !s.countries[d.country]:
		return false
	case len(s.ford) == 0:
		return true
	}
	return slices.ContainsFunc(d.ford, func(c fordCode) bool {
		return slices.ContainsFunc(s.ford, func(wanted fordCode) bool { return wanted.covers(c) })
	})
}
