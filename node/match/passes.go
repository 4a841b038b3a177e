package match

import (
	"slices"

	"github.com/asean-tmh/tmh/protocol"
)

// Passes reports whether a listing that is not searched for but met while browsing passes the filter: by the same rule
// as in an answer.
func (f Filter) Passes(ref Ref, l *protocol.Listing) bool {
	if len(f.Origins) > 0 && !slices.Contains(f.Origins, ref.Origin) {
		return false
	}
	f.Origins = nil
	var none Index
	s := none.sieve(Query{Filter: f})
	d := doc{live: true, validUntil: l.ValidUntil, kind: kindSetOf(l.Kind), trl: l.TRL, ford: fordCodes(l.FORD), country: countryCode(l.Country)}
	return s.passes(0, &d)
}
