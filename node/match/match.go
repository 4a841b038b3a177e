package match

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// Limits of a query.
const (
	MaxText      = 20_000 // characters of a query's text, or of all texts of the listing asked with
	MaxLimit     = 100    // hits in one answer
	DefaultLimit = 10
	Depth        = 1000 // the hits that can be paged through: Offset + Limit
)

// Ref names one listing in the federation.
type Ref struct {
	Origin protocol.MemberID  `json:"origin"`
	ID     protocol.ListingID `json:"id"`
}

// ParseRef reads the two parts of an address. Error: CodeNotFound, since no listing can have another form.
func ParseRef(origin, id string) (Ref, error) {
	o, err1 := protocol.ParseMemberID(origin)
	i, err2 := protocol.ParseListingID(id)
	if err1 != nil || err2 != nil {
		return Ref{}, protocol.Errorf(protocol.CodeNotFound, "", "no listing can have this address")
	}
	return Ref{Origin: o, ID: i}, nil
}

// Compare orders by origin, then id.
func (r Ref) Compare(s Ref) int {
	if c := strings.Compare(string(r.Origin), string(s.Origin)); c != 0 {
		return c
	}
	return strings.Compare(string(r.ID), string(s.ID))
}

// Query asks with a text or with a listing: exactly one of the two.
type Query struct {
	Text    string            // free text in any language
	Listing *protocol.Listing // a listing, or a draft of one, whose counterparts are wanted
	Self    Ref               // where Listing stands in the catalogue, to leave it out of the answer; zero for a draft
	Filter  Filter
	Limit   int // hits wanted, 1 to MaxLimit; 0 means DefaultLimit
	Offset  int // hits to pass over; Offset + Limit is at most Depth
}

// Filter says which listings may be in the answer. Conditions are joined by and, the entries of a list by or; an empty
// list, and zero, is no condition.
type Filter struct {
	Kinds          []protocol.Kind     // empty in a query by listing: Counterparts of its kind
	Countries      []protocol.Country  // of the listing
	Origins        []protocol.MemberID // that published it
	TRLMin, TRLMax uint8               // either one leaves out listings that state no TRL
	FORD           []string            // one shared code is enough; "2" covers "2.4", "2.1" does not cover "2.11"
	Today          protocol.Date       // leaves out what expired before this day
	IncludeExpired bool                // keeps the expired whatever Today says
}

// Answer to a Query.
type Answer struct {
	Hits   []Hit  `json:"hits"`   // best first; equal scores in the order of their refs
	Total  int    `json:"total"`  // listings that pass the filter and share a term with the query
	Ranker Digest `json:"ranker"` // equal digests give equal answers on every node
}

// Hit is a listing found.
type Hit struct {
	Ref         Ref         `json:"ref"`
	Score       float64     `json:"score"`
	Explanation Explanation `json:"explanation"`
}

// Explanation says why a listing was found, and is the score: the weights of its parts sum to it within 1e-6.
type Explanation struct {
	Parts    []Part `json:"parts"`    // heaviest first, at most MaxParts and one PartOther
	Sentence string `json:"sentence"` // the same for a person in a hurry, in English
}

// MaxParts is the number of parts named one by one.
const MaxParts = 20

// Part of a score.
type Part struct {
	Kind   string   `json:"kind"`
	Term   string   `json:"term,omitempty"` // as the query writes it, not its stem
	Fields []string `json:"fields"`         // where it stands in the listing found: title, keywords, abstract
	Weight float64  `json:"weight"`
}

// Kinds of part.
const (
	PartTerm   = "term"   // a word, or in scripts without spaces a stretch of text, that both have
	PartBigram = "bigram" // two words that are neighbours in both
	PartOther  = "other"  // the sum of the lighter parts
)

// Counterparts are the kinds of listing that answer one of kind k; all kinds, as nil, where k is none of the six.
func Counterparts(k protocol.Kind) []protocol.Kind {
	switch k {
	case protocol.TechnologyOffer:
		return []protocol.Kind{protocol.TechnologyRequest, protocol.ResearchPartner}
	case protocol.TechnologyRequest:
		return []protocol.Kind{protocol.TechnologyOffer, protocol.Expertise, protocol.Facility}
	case protocol.ResearchPartner:
		return []protocol.Kind{
			protocol.ResearchPartner, protocol.Expertise, protocol.Facility, protocol.TechnologyOffer, protocol.FundingCall,
		}
	case protocol.Expertise, protocol.Facility:
		return []protocol.Kind{protocol.ResearchPartner, protocol.TechnologyRequest}
	case protocol.FundingCall:
		return []protocol.Kind{protocol.ResearchPartner, protocol.TechnologyOffer}
	}
	return nil
}

// check reports the first fault of the query as a *protocol.Error.
func (q Query) check() error {
	switch {
	case q.Listing == nil && strings.TrimSpace(q.Text) == "":
		return protocol.Errorf(protocol.CodeRequired, "text", "say what to look for, in words or by a listing")
	case q.Listing != nil && q.Text != "":
		return protocol.Errorf(protocol.CodeValue, "text", "ask by words or by a listing, not by both")
	case q.length() > MaxText:
		return protocol.Errorf(protocol.CodeTooLarge, "text", "%d characters, at most %d: leave something out", q.length(), MaxText)
	case q.Limit < 0 || q.Limit > MaxLimit:
		return protocol.Errorf(protocol.CodeValue, "limit", "%d is not between 1 and %d", q.Limit, MaxLimit)
	case q.Offset < 0 || q.Offset+q.limit() > Depth:
		return protocol.Errorf(protocol.CodeValue, "offset", "only the first %d can be seen: narrow the filter instead", Depth)
	}
	return q.Filter.check()
}

func (f Filter) check() error {
	for _, k := range f.Kinds {
		if !slices.Contains(protocol.Kinds(), k) {
			return protocol.Errorf(protocol.CodeValue, "filter.kinds", "%q is none of %v", k, protocol.Kinds())
		}
	}
	for _, c := range f.FORD {
		if _, ok := parseFORD(c); !ok {
			return protocol.Errorf(protocol.CodeValue, "filter.ford", "%q is no FORD code such as 2 or 2.4", c)
		}
	}
	if f.TRLMax != 0 && f.TRLMin > f.TRLMax {
		return protocol.Errorf(protocol.CodeValue, "filter.trl", "%d is above %d", f.TRLMin, f.TRLMax)
	}
	return nil
}

// length in characters of what is asked with.
func (q Query) length() int {
	n := utf8.RuneCountInString(q.Text)
	if q.Listing == nil {
		return n
	}
	for _, t := range q.Listing.Texts {
		n += utf8.RuneCountInString(t.Title) + utf8.RuneCountInString(t.Value) + utf8.RuneCountInString(t.Abstract)
		for _, k := range t.Keywords {
			n += utf8.RuneCountInString(k)
		}
	}
	return n
}

func (q Query) limit() int {
	if q.Limit == 0 {
		return DefaultLimit
	}
	return q.Limit
}
