package ui

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// card is a listing as lists show it.
type card struct {
	Href          string
	Lang          protocol.Lang // of Title and Teaser
	Title         string
	Heading       []match.Piece // the title, with what was looked for marked
	Teaser        []match.Piece
	In            template.HTML // the language of Title and Teaser, where that is not the page's
	Also          template.HTML // other languages it is written in
	Kind, Country template.HTML
	Code          string // of the kind: "TO"
	Organisation  template.HTML
	TRL           int // 0 for none
	Steps         []bool
	Expired       protocol.Date
	Demonstration bool
	Unusable      bool
	Fresh         freshness
	Verdict       match.Verdict // "" outside answers, as are the following
	Same          []sameLink
	Why           *why
}

// sameLink leads to another listing of the same technology.
type sameLink struct {
	Href   string
	Member lang.Text
	Lang   protocol.Lang // of Title
	Title  string
}

func (s *site) card(p *lang.Printer, e exchange.Entry, langs []protocol.Lang) card {
	c := card{Href: href(e.Ref), Fresh: fresh(p, e.Fresh, s.cfg.Now())}
	l := e.Listing
	if l == nil {
		c.Title, c.Unusable = string(e.Origin)+" / "+string(e.ID), true
		c.Heading = plain(c.Title)
		return c
	}
	var t protocol.Text
	c.Lang, t = l.Text(langs...)
	c.Title, c.Heading, c.Teaser = t.Title, plain(t.Title), snippet(plain(t.Value), plain(t.Abstract))
	if string(c.Lang) != string(p.Tag()) {
		c.In = p.HTML("find.written-in", "Language", p.Language(string(c.Lang)))
	}
	var also []template.HTML
	for _, other := range l.Languages() {
		if other != c.Lang {
			also = append(also, named(p, "language", string(other)))
		}
	}
	c.Also = listOf(p, also)
	c.Kind, c.Code = named(p, "kind", string(l.Kind)), string(l.Kind)
	c.Country = named(p, "country", string(l.Country))
	c.Organisation = voice(l.Organisation.Name)
	if l.Organisation.Name == "" {
		c.Organisation = named(p, "organisation", l.Organisation.Type)
	}
	if c.TRL = int(l.TRL); c.TRL > 0 {
		for i := range 9 {
			c.Steps = append(c.Steps, i < c.TRL)
		}
	}
	if e.State == exchange.Expired || l.Expired(s.today()) {
		c.Expired = l.ValidUntil
	}
	c.Demonstration = l.Demonstration
	return c
}

func (s *site) hits(r *http.Request, hits []exchange.Hit) []card {
	var cards []card
	p, langs := printer(r), contentLanguages(r)
	for i, h := range hits {
		c := s.card(p, h.Entry, langs)
		if marked, ok := h.Highlights[c.Lang]; ok {
			c.Heading, c.Teaser = marked.Title, snippet(marked.Value, marked.Abstract)
		}
		if slices.Contains([]match.Verdict{match.Strong, match.Fair, match.Weak}, h.Verdict) {
			c.Verdict = h.Verdict
		}
		for _, other := range h.Same {
			c.Same = append(c.Same, sameLink{href(other.Ref), s.memberName(p, other.Origin), other.Lang, other.Title})
		}
		c.Why = explain(p, h, fmt.Sprintf("why-%d", i+1))
		cards = append(cards, c)
	}
	return cards
}

func href(ref match.Ref) string { return "/listings/" + string(ref.Origin) + "/" + string(ref.ID) }

// notes tell what an answer may lack.
func notes(p *lang.Printer, a exchange.MatchAnswer, now time.Time) (out []template.HTML) {
	if a.Indexing > 0 {
		out = append(out, p.HTML("find.indexing", "Share", p.Percent(a.Indexing)))
	}
	if len(a.Behind) == 0 {
		return out
	}
	var names []template.HTML
	for _, m := range a.Behind {
		names = append(names, p.HTML("find.behind-one", "Member", memberText(p, m), "State", fresh(p, freshnessOf(m), now).Short))
	}
	return append(out, p.HTML("find.behind", "Members", listOf(p, names)))
}

func freshnessOf(m exchange.MemberState) exchange.Freshness {
	return exchange.Freshness{State: m.State, Position: m.Position, LastHeard: m.LastHeard, LeaseUntil: m.LeaseUntil, Connected: m.Connected}
}
