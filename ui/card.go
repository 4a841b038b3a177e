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
	Title, Teaser string
	Also          string // other languages it is written in
	Kind, Code    string // "Technology offer", "TO"
	Country       string
	Organisation  string
	TRL           string
	Expired       string // since when
	Demonstration bool
	Unusable      bool
	Fresh         freshness
	Why           *why // nil outside answers
}

// why is an explanation: rows whose weights sum to the score.
type why struct {
	Sentence string
	Rows     []whyRow
	Score    string
	ID       string // unique on the page
}

type whyRow struct {
	Kind, Term, Fields, Weight, Share string
	Bar                               string // width in percent of the heaviest
}

func (s *site) card(e exchange.Entry, langs []protocol.Lang) card {
	c := card{Href: href(e.Ref), Fresh: fresh(e.Fresh, s.cfg.Now())}
	l := e.Listing
	if l == nil {
		c.Lang, c.Title, c.Unusable = "en", string(e.Origin)+" / "+string(e.ID), true
		return c
	}
	var t protocol.Text
	c.Lang, t = l.Text(langs...)
	c.Title, c.Teaser = t.Title, teaser(t)
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
		c.Why = explain(h, fmt.Sprintf("why-%d", i+1))
		cards = append(cards, c)
	}
	return cards
}

func explain(h exchange.Hit, id string) *why {
	w := &why{Sentence: h.Explanation.Sentence, Score: fmt.Sprintf("%.3f", h.Score), ID: id}
	heaviest := 0.0
	for _, p := range h.Explanation.Parts {
		heaviest = max(heaviest, p.Weight)
	}
	for _, p := range h.Explanation.Parts {
		row := whyRow{Kind: p.Kind, Term: p.Term, Fields: strings.Join(p.Fields, ", "), Weight: fmt.Sprintf("%.3f", p.Weight), Bar: "0"}
		switch p.Kind {
		case match.PartTerm:
			row.Kind = "word"
		case match.PartBigram:
			row.Kind = "phrase"
		case match.PartOther:
			row.Kind, row.Term = "", "lighter parts together"
		}
		if h.Score > 0 {
			row.Share = fmt.Sprintf("%.0f%%", 100*p.Weight/h.Score)
		}
		if heaviest > 0 {
			row.Bar = fmt.Sprintf("%.1f", max(0, 100*p.Weight/heaviest))
		}
		w.Rows = append(w.Rows, row)
	}
	return w
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
