package match

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

// Numbers of patents stand in full records, which stay at their origins, so two nodes cannot compare them; a hash of a
// number would hide nothing, since all numbers can be tried. What is compared is what the public texts name, and, among
// this node's own listings, what their full records name.

// Limits of the search for patents.
const (
	maxPatents   = 16  // of a draft
	commonNumber = 200 // listings; a term that more have is no number of a patent
	maxNamed     = 128 // listings whose texts are read for them

	patentHeld  = 1.0 // a full record names it as its own
	patentNamed = 0.8 // a text does: it may only cite it
)

// patentNumber is an office's letters and six to fourteen digits, grouped as offices group them, and a kind code. The
// letters must be capitals: "in 123456" is no patent of India.
var patentNumber = regexp.MustCompile(`\b(PCT[ /-]?)?(AP|AU|BN|CN|DE|EA|EP|FR|GB|HK|ID[PS]?|IN|JP|KH|KR|LA|MM|MY|PH|SG|TH|TL|TW|US|VN|WO)` +
	`[ -]?((?:[0-9]{1,4}[ ,./-]){0,4}[0-9]{3,13})((?:[ -]?[A-CTUY][0-9]?)?|[A-Z])\b`)

// ParsePatent writes a patent's number as letters and digits without a kind code, as two spellings of it are compared:
// "US 10,123,456 B2" is US10123456. It is false for what is no number of a patent.
func ParsePatent(s string) (string, bool) {
	s = strings.ToUpper(strings.TrimSpace(text.Normalise(clipped(s))))
	m := patentNumber.FindStringSubmatchIndex(s)
	if m == nil || m[0] != 0 || m[1] != len(s) {
		return "", false
	}
	return writePatent(s, m)
}

func clipped(s string) string { return s[:min(len(s), 64)] }

func writePatent(s string, m []int) (string, bool) {
	var b strings.Builder
	if m[2] >= 0 {
		b.WriteString("PCT")
	}
	b.WriteString(s[m[4]:m[5]])
	digits := 0
	for _, c := range s[m[6]:m[7]] {
		if c >= '0' && c <= '9' {
			b.WriteRune(c)
			digits++
		}
	}
	least := 6
	if s[m[4]:m[5]] == "US" { // "US 100,000 households"
		least = 7
	}
	return b.String(), digits >= least && digits <= 14
}

// PatentsIn are the numbers of patents that a listing's texts name, in order, each once.
func PatentsIn(l *protocol.Listing) (list []string) {
	for _, lang := range l.Languages() {
		t := l.Texts[lang]
		for _, s := range append([]string{t.Title, t.Value, t.Abstract}, t.Keywords...) {
			s = text.Normalise(s)
			for _, m := range patentNumber.FindAllStringSubmatchIndex(s, maxPatents) {
				if p, ok := writePatent(s, m); ok && !slices.Contains(list, p) && len(list) < maxPatents {
					list = append(list, p)
				}
			}
		}
	}
	return list
}

func (s *similar) comparePatents(ctx context.Context) error {
	all := PatentsIn(s.draft.Listing)
	for _, p := range s.draft.Patents {
		if p, ok := ParsePatent(p); ok && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil
	}
	if s.from.Holders != nil {
		for _, p := range all {
			if err := ctx.Err(); err != nil {
				return err
			}
			for i, ref := range s.from.Holders(p) {
				if i < maxNamed {
					s.add(ref, Likeness{Kind: LikePatent, Score: patentHeld, Patent: p})
				}
			}
		}
	}
	if s.from.Texts == nil {
		return nil
	}
	for _, ref := range s.naming(all) {
		if err := ctx.Err(); err != nil {
			return err
		}
		other, err := s.text(ref)
		if err != nil {
			return err
		}
		if other == nil {
			continue
		}
		for _, p := range PatentsIn(other) {
			if slices.Contains(all, p) {
				s.add(ref, Likeness{Kind: LikePatent, Score: patentNamed, Patent: p})
				break
			}
		}
	}
	return nil
}

// naming are listings that may name one of the patents: they have a term that the analysis makes of one of its spellings.
func (s *similar) naming(patents []string) (refs []Ref) {
	for _, p := range patents {
		for _, term := range patentTerms(p) {
			var these []Ref
			if df := s.snap.df(term); df == 0 || df > commonNumber {
				continue
			}
			for _, part := range s.snap.parts {
				id, ok := part.seg.Term(term)
				if !ok {
					continue
				}
				docs, _ := part.seg.Postings(id)
				for _, d := range docs {
					if part.alive(d) {
						these = append(these, part.ref(d).clone())
					}
				}
			}
			slices.SortFunc(these, Ref.Compare)
			for _, ref := range these {
				if len(refs) < maxNamed && !slices.Contains(refs, ref) {
					refs = append(refs, ref)
				}
			}
		}
	}
	return refs
}

// patentTerms are the terms that a text may have of a patent, the surest first.
func patentTerms(p string) (terms []string) {
	low := strings.ToLower(p)
	at := strings.IndexAny(low, "0123456789")
	office, digits := strings.TrimPrefix(low[:at], "pct"), low[at:]
	for _, number := range []string{office + digits, digits} {
		terms = append(terms, number)
		for _, letter := range "abctuy" {
			terms = append(terms, number+string(letter))
			for n := range 10 {
				terms = append(terms, number+string(letter)+strconv.Itoa(n))
			}
		}
		for letter := 'A'; letter <= 'Z'; letter++ {
			terms = append(terms, number+" "+string(letter))
		}
	}
	if len(digits) > 8 { // a year before the number
		terms = append(terms, digits[4:], office+digits[:4])
	}
	if len(digits) > 10 { // a branch of the office before the year
		terms = append(terms, digits[6:])
	}
	return append(terms, office)
}
