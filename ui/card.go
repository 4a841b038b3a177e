package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// card is a listing as lists show it.
type card struct {
	Href          string
	Lang          protocol.Lang // of Title and Teaser
	Title         string
	Heading       []match.Piece // the title, with what was looked for marked
	Teaser        []match.Piece
	Also          string // other languages it is written in
	Kind, Code    string // "Technology offer", "TO"
	Country       string
	Organisation  string
	TRL           string
	Expired       string // since when
	Demonstration bool
	Unusable      bool
	Fresh         freshness
	Verdict       match.Verdict // "" outside answers, as are the following
	Says          string        // the verdict in words
	Same          []sameLink
	Why           *why
}

// sameLink leads to another listing of the same technology.
type sameLink struct {
	Href, Member string
	Lang         protocol.Lang // of Title
	Title        string
}

func (s *site) card(e exchange.Entry, langs []protocol.Lang) card {
	c := card{Href: href(e.Ref), Fresh: fresh(e.Fresh, s.cfg.Now())}
	l := e.Listing
	if l == nil {
		c.Lang, c.Title, c.Unusable = "en", string(e.Origin)+" / "+string(e.ID), true
		c.Heading = plain(c.Title)
		return c
	}
	var t protocol.Text
	c.Lang, t = l.Text(langs...)
	c.Title, c.Heading, c.Teaser = t.Title, plain(t.Title), snippet(plain(t.Value), plain(t.Abstract))
	var also []string
	for _, lang := range l.Languages() {
		if lang != c.Lang {
			_, english := languageName(lang)
			also = append(also, english)
		}
	}
	c.Also = strings.Join(also, ", ")
	c.Kind, c.Code = label(codes.Kind(), string(l.Kind)), string(l.Kind)
	c.Country = label(codes.Country(), string(l.Country))
	c.Organisation = l.Organisation.Name
	if c.Organisation == "" {
		c.Organisation = label(codes.Organisation(), l.Organisation.Type)
	}
	if l.TRL > 0 {
		c.TRL = strconv.Itoa(int(l.TRL))
	}
	if e.State == exchange.Expired || l.Expired(s.today()) {
		c.Expired = day(l.ValidUntil)
	}
	c.Demonstration = l.Demonstration
	return c
}

func (s *site) hits(hits []exchange.Hit, langs []protocol.Lang) []card {
	var cards []card
	for i, h := range hits {
		c := s.card(h.Entry, langs)
		if marked, ok := h.Highlights[c.Lang]; ok {
			c.Heading, c.Teaser = marked.Title, snippet(marked.Value, marked.Abstract)
		}
		c.Verdict, c.Says = h.Verdict, verdictWords(h.Verdict)
		for _, other := range h.Same {
			c.Same = append(c.Same, sameLink{href(other.Ref), s.memberName(other.Origin), other.Lang, other.Title})
		}
		c.Why = explain(h, fmt.Sprintf("why-%d", i+1))
		cards = append(cards, c)
	}
	return cards
}

func verdictWords(v match.Verdict) string {
	switch v {
	case match.Strong:
		return "Strong match"
	case match.Fair:
		return "Fair match"
	case match.Weak:
		return "Weak match"
	}
	return ""
}

func href(ref match.Ref) string { return "/listings/" + string(ref.Origin) + "/" + string(ref.ID) }

// notes tell what an answer may lack.
func notes(a exchange.MatchAnswer, now time.Time) (out []string) {
	if a.Indexing > 0 {
		out = append(out, fmt.Sprintf("The catalogue is being read in after a start: %.0f%% is still to come, so listings may be missing here.", 100*a.Indexing))
	}
	if len(a.Behind) == 0 {
		return out
	}
	var names []string
	for _, m := range a.Behind {
		names = append(names, m.Name+" ("+fresh(freshnessOf(m), now).Short+")")
	}
	return append(out, "Newer listings may exist that were not searched, of "+strings.Join(names, "; ")+".")
}

func freshnessOf(m exchange.MemberState) exchange.Freshness {
	return exchange.Freshness{State: m.State, Position: m.Position, LastHeard: m.LastHeard, LeaseUntil: m.LeaseUntil, Connected: m.Connected}
}
