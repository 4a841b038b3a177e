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

// Query asks with a text, with a listing, or for all: exactly one of the three.
type Query struct {
	All     bool              // everything that passes the filter, without scores: the newest first where Sort is ByScore
	Text    string            // free text in any language
	Lang    protocol.Lang     // that Text claims to be in; "" for unknown
	Listing *protocol.Listing // a listing, or a draft of one, whose counterparts are wanted
	Self    Ref               // where Listing stands in the catalogue, to leave it out of the answer; zero for a draft
	Filter  Filter
	Sort    Sort
	Facets  bool                // wanted, too
	Stale   []protocol.MemberID // origins whose listings may be out of date: they come a little later, and say so
	Limit   int                 // hits wanted, 1 to MaxLimit; 0 means DefaultLimit
	Offset  int                 // hits to pass over; Offset + Limit is at most Depth
	After   string              // Answer.Next of the page before: what comes after it, instead of Offset; of All, Answer.Prev of the page after it, too
}

// Sort is the order of hits.
type Sort string

// The orders. All but the first sort the listings that are at least a fair match, of the Depth best; of Query.All, all.
const (
	ByScore   Sort = ""
	ByNewest  Sort = "newest"  // published last, first
	ByEnd     Sort = "ending"  // valid for the shortest time from today, first
	ByTRL     Sort = "trl"     // the most ready technology first
	ByCountry Sort = "country" // by country, within one by score
)

func sorts() []Sort { return []Sort{ByScore, ByNewest, ByEnd, ByTRL, ByCountry} }

// Filter says which listings may be in the answer. Conditions are joined by and, the entries of a list by or; an empty
// list, and zero, is no condition.
type Filter struct {
	Kinds          []protocol.Kind     // empty in a query by listing: Counterparts of its kind
	Countries      []protocol.Country  // of the listing
	Origins        []protocol.MemberID // that published it
	TRLMin, TRLMax uint8               // either one leaves out listings that state no TRL
	FORD           []string            // one shared code is enough; "2" covers "2.4", "2.1" does not cover "2.11"
	ISIC           []string            // likewise: "C" covers "C10"
	IPC            []string            // likewise: "C12" covers "C12N"
	SDG            []uint16
	Languages      []protocol.Lang // that the listing has a text in
	Today          protocol.Date   // leaves out what expired before this day
	IncludeExpired bool            // keeps the expired whatever Today says
}

// Answer to a Query.
type Answer struct {
	Hits      []Hit    `json:"hits"`                   // best first; equal scores in the order of their refs
	Total     int      `json:"total"`                  // listings that pass the filter and share a term, or its translation, with the query; where they are few, Hits has more
	Listed    int      `json:"-"`                      // hits of all pages
	Counts    Counts   `json:"-"`                      // why that is not Total
	Place     int      `json:"-"`                      // hits on the pages before
	Next      string   `json:"next,omitempty"`         // for Query.After; "" at the end
	Prev      string   `json:"-"`                      // likewise, the page before, of Query.All alone
	Verdict   Verdict  `json:"verdict"`                // of the best hit, or no match
	Languages []string `json:"languages"`              // that the query was read in
	Meant     string   `json:"did_you_mean,omitempty"` // the query with its unknown words put right
	Facets    *Facets  `json:"facets,omitempty"`
	Ranker    Digest   `json:"ranker"` // equal digests give equal answers on every node
	Matched   *Matched `json:"-"`      // finds the query's words in a text
}

// Counts say why not all that is found is listed, and what is listed besides: Listed is Total less Cut, Folded and Weak, and Near.
type Counts struct {
	Cut    int // beyond Depth
	Folded int // into another of the same technology
	Weak   int // no matches, in an order of matches only
	Near   int // share no word with the query, but with what it found
}

// Verdict says how good a match is by itself, whatever else was found.
type Verdict string

// The verdicts, from the best.
const (
	Strong Verdict = "strong"
	Fair   Verdict = "fair"
	Weak   Verdict = "weak" // no good match: said plainly
	None   Verdict = "none" // nothing was found
)

// Hit is a listing found.
type Hit struct {
	Ref         Ref         `json:"ref"`
	Score       float64     `json:"score"`    // 0 to about 1, within this answer
	Strength    float64     `json:"strength"` // 0 to 1, by itself: comparable between answers
	Verdict     Verdict     `json:"verdict"`
	Same        []Ref       `json:"same,omitempty"` // listings of the same technology, folded into this one
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
	Term   string   `json:"term,omitempty"`  // as the query writes it, not its stem; of a code, the code
	Means  string   `json:"means,omitempty"` // English that the term was translated to, or that the listing's word was
	Found  string   `json:"found,omitempty"` // the listing's own word where it is another one
	Level  int      `json:"level,omitempty"` // of a code: 1 the broadest
	Fields []string `json:"fields"`          // where it stands in the listing found: title, keywords, abstract
	Weight float64  `json:"weight"`
	Stem   bool     `json:"-"` // Term is a stem, to be shown as the listing writes the word: see Reword
	Light  bool     `json:"-"` // a word of grammar or a bare number: it counts, but tells a reader little
}

// Kinds of part.
const (
	PartTerm      = "term"      // a word, or in scripts without spaces a stretch of text, that both have
	PartBigram    = "bigram"    // two words that are neighbours in both
	PartTopic     = "topic"     // words of both that belong to one topic
	PartExpansion = "expansion" // words that the best matches share
	PartCode      = "code"      // a subject code that both have
	PartFit       = "fit"       // readiness, cooperation, partner sought
	PartStale     = "stale"     // taken off: the origin was not heard of for long
	PartEmbedding = "embedding" // an outside model finds them alike
	PartOther     = "other"     // the sum of the lighter parts
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
	case q.All && (q.Listing != nil || q.Text != "" || q.Offset != 0):
		return protocol.Errorf(protocol.CodeValue, "text", "ask for all, by words or by a listing: for one of them")
	case !q.All && q.Listing == nil && strings.TrimSpace(q.Text) == "":
		return protocol.Errorf(protocol.CodeRequired, "text", "say what to look for, in words or by a listing")
	case q.Listing != nil && q.Text != "":
		return protocol.Errorf(protocol.CodeValue, "text", "ask by words or by a listing, not by both")
	case q.Listing != nil && len(q.Listing.Texts) > protocol.MaxLanguages:
		return protocol.Errorf(protocol.CodeTooLarge, "texts", "%d languages, at most %d", len(q.Listing.Texts), protocol.MaxLanguages)
	case q.length() > MaxText:
		return protocol.Errorf(protocol.CodeTooLarge, "text", "%d characters, at most %d: leave something out", q.length(), MaxText)
	case q.Limit < 0 || q.Limit > MaxLimit:
		return protocol.Errorf(protocol.CodeValue, "limit", "%d is not between 1 and %d", q.Limit, MaxLimit)
	case q.After != "" && q.Offset != 0:
		return protocol.Errorf(protocol.CodeValue, "after", "give a place to go on from or an offset, not both")
	case !slices.Contains(sorts(), q.Sort):
		return protocol.Errorf(protocol.CodeValue, "sort", "%q is none of score (empty), newest, ending, trl, country", q.Sort)
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
	for _, list := range []struct {
		field, example string
		codes          []string
		parse          func(string) (Code, bool)
	}{
		{"ford", "FORD code such as 2 or 2.4", f.FORD, ParseFORD},
		{"isic", "ISIC code such as C or C10", f.ISIC, ParseISIC},
		{"ipc", "IPC code such as C, C12 or C12N", f.IPC, ParseIPC},
	} {
		for _, c := range list.codes {
			if _, ok := list.parse(c); !ok {
				return protocol.Errorf(protocol.CodeValue, "filter."+list.field, "%q is no %s", c, list.example)
			}
		}
	}
	for _, n := range f.SDG {
		if n < 1 || n > 17 {
			return protocol.Errorf(protocol.CodeValue, "filter.sdg", "%d is no goal from 1 to 17", n)
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

// clone is a copy that keeps nothing else in memory.
func (r Ref) clone() Ref {
	return Ref{protocol.MemberID(strings.Clone(string(r.Origin))), protocol.ListingID(strings.Clone(string(r.ID)))}
}
