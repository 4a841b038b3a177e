package match

import (
	"slices"

	"github.com/asean-tmh/tmh/node/match/segment"
	"github.com/asean-tmh/tmh/protocol"
)

// sharedCode is a subject code that two listings have in common.
type sharedCode struct {
	code  Code
	level int // 1 the broadest
	value float64
}

// Codes count by system and depth: the narrower the code, the more it says. Goals of development are so few and broad that
// they say least.
//
//nolint:gochecknoglobals // a table, never changed
var codeValues = map[int][]float64{
	systemFORD: {0.1, 0.35},
	systemISIC: {0.05, 0.2},
	systemIPC:  {0.05, 0.2, 0.35},
	systemSDG:  {0.1},
}

// sharedCodes are the narrowest codes of each system that both have; together they count 1 at most.
func sharedCodes(asked []Code, codes []uint32) (list []sharedCode) {
	total := 0.0
	for system := systemFORD; system <= systemSDG; system++ {
		var best sharedCode
		for _, c := range asked {
			for _, d := range codes {
				if code, level := shared(c, Code(d)); c.system() == system && level > best.level {
					best = sharedCode{code: code, level: level, value: codeValues[system][level-1]}
				}
			}
		}
		if best.level > 0 {
			best.value = min(best.value, 1-total)
			total += best.value
			list = append(list, best)
		}
	}
	return list
}

// fit is a fact by which two listings suit each other.
type fit struct {
	name  string
	value float64
}

// fits of a document with the asking listing: its technology is as ready as wanted, the two wish to work together in the
// same way, and one is the partner that the other seeks. Together they count 1 at most.
func (r *ranking) fits(own *cooperation, seg *segment.Segment, doc uint16) (list []fit) {
	l := r.query.Listing
	offered, wanted := seg.TRLs()[doc], l.TRL
	if l.Kind != protocol.TechnologyRequest {
		offered, wanted = wanted, offered
	}
	if offered > 0 && wanted > 0 && offered >= wanted {
		list = append(list, fit{"readiness", 0.4})
	}
	other := unpackCooperation(seg.Extra(doc))
	if overlap(own.forms, other.forms) {
		list = append(list, fit{"cooperation", 0.3})
	}
	if overlap(own.seeks, other.own) || overlap(other.seeks, own.own) {
		list = append(list, fit{"partner", 0.2})
	}
	country := countryCodes([]protocol.Country{l.Country})
	if slices.Contains(own.countries, seg.Countries()[doc]) || overlap(other.countries, country) {
		list = append(list, fit{"country", 0.1})
	}
	return list
}
