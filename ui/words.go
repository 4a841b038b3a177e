package ui

import (
	"html/template"
	"time"

	"golang.org/x/text/language"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// freshness says in words how far a copy can be trusted.
type freshness struct {
	Class       string // own, proven, catching-up, stale, disputed or never: each has a shape of its own
	Short, Long template.HTML
	At          string // RFC 3339, for <time>; may be empty
}

func fresh(p *lang.Printer, f exchange.Freshness, now time.Time) freshness {
	out := freshness{Class: classOf(f.State)}
	ago, since := p.Text("word.unknown"), p.Text("word.unknown")
	if f.LastHeard != 0 {
		out.At = f.LastHeard.Time().Format(time.RFC3339)
		ago, since = p.AgoText(now.Sub(f.LastHeard.Time())), lang.Text{Text: p.Moment(f.LastHeard)}
	}
	key := out.Class
	if key == "never" {
		key = "unheard"
	}
	switch f.State {
	case exchange.Proven:
		out.Short, out.Long = p.HTML("fresh.proven.short", "Ago", ago), p.HTML("fresh.proven.long", "Ago", ago)
	case exchange.Stale:
		out.Short, out.Long = p.HTML("fresh.stale.short", "Since", since), p.HTML("fresh.stale.long", "Since", since)
	default:
		out.Short, out.Long = p.HTML("fresh."+key+".short"), p.HTML("fresh."+key+".long")
	}
	return out
}

func classOf(s exchange.CopyState) string {
	switch s {
	case exchange.Own:
		return "own"
	case exchange.Proven:
		return "proven"
	case exchange.CatchingUp:
		return "catching-up"
	case exchange.Stale:
		return "stale"
	case exchange.Disputed:
		return "disputed"
	}
	return "never"
}

// preferred are the visitor's languages that listings may be written in, best first.
func preferred(acceptLanguage string) (langs []protocol.Lang) {
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return nil
	}
	for _, t := range tags {
		b, _ := t.Base()
		langs = append(langs, protocol.Lang(t.String()), protocol.Lang(b.String()))
	}
	return langs[:min(len(langs), 20)]
}

// coded is the name of a code with the code behind it; of one that has no name, within which other it lies.
func coded(p *lang.Printer, list string, in codes.List, code string) template.HTML {
	if in.Label(code) != "" {
		return p.HTML("find.code", "Name", p.Label(list, code), "Code", code)
	}
	if parent := in.Parent(code); parent != "" {
		return p.HTML("find.code-within", "Name", p.Label(list, parent), "Code", code, "Parent", parent)
	}
	return voice(code)
}

// languageName is the language's name in itself.
func languageName(l protocol.Lang) string {
	if own := codes.Language().Parent(string(l)); own != "" {
		return own
	}
	return string(l)
}

// memberText is a member's name: a country's in the language of the page, any other as it stands.
func memberText(p *lang.Printer, m exchange.MemberState) lang.Text {
	switch {
	case m.Name == "":
		return lang.Text{Text: string(m.ID)}
	case m.Country != "" && m.Name == codes.Country().Label(string(m.Country)):
		return p.Country(string(m.Country))
	}
	return lang.Text{Text: m.Name}
}

// memberName is a member's name by its id.
func (s *site) memberName(p *lang.Printer, id protocol.MemberID) lang.Text {
	for _, m := range s.cfg.Desk.Members() {
		if m.ID == id {
			return memberText(p, m)
		}
	}
	return lang.Text{Text: string(id)}
}
