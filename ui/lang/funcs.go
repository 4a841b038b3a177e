package lang

import (
	"html/template"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// Each makes one clone of a parsed template for each language, with Funcs that speak it. The template must have been parsed with
// the Funcs of any printer, and not been executed.
func (b *Bundle) Each(t *template.Template) (map[Tag]*template.Template, error) {
	all := make(map[Tag]*template.Template, len(b.printers))
	for tag, p := range b.printers {
		c, err := t.Clone()
		if err != nil {
			return nil, err
		}
		all[tag] = c.Funcs(p.Funcs())
	}
	return all, nil
}

// Funcs are the functions of templates; the package comment shows them.
func (p *Printer) Funcs() template.FuncMap {
	return template.FuncMap{
		"t":       p.HTML,
		"tn":      func(key string, n any, args ...any) template.HTML { return p.HTMLN(key, count(n), args...) },
		"ts":      p.T,
		"tsn":     func(key string, n any, args ...any) string { return p.N(key, count(n), args...) },
		"slot":    NewSlot,
		"in":      func(lang any, text string) Text { return Text{Lang: p.format(named(lang)), Text: text} },
		"say":     p.Say,
		"lang":    func() Tag { return p.tag },
		"checked": p.Checked,

		"number":  func(n any) string { return p.Number(count(n)) },
		"percent": p.Percent,
		"bytes":   func(n any) string { return p.Bytes(int64(count(n))) },
		"date":    p.Date,
		"moment":  p.Moment,
		"month":   p.Month,
		"ago":     func(d time.Duration) template.HTML { return p.Say(p.AgoText(d)) },
		"list":    p.List,

		"label":    func(list string, code any) template.HTML { return p.Say(p.Label(list, p.format(code))) },
		"country":  func(code any) template.HTML { return p.Say(p.Country(p.format(code))) },
		"language": func(code any) template.HTML { return p.Say(p.Language(p.format(code))) },
	}
}

// named lets templates say a language as any of our types.
func named(lang any) any {
	switch l := lang.(type) {
	case Tag:
		return string(l)
	case protocol.Lang:
		return string(l)
	}
	return lang
}

// count is a whole number of any type, 0 for anything else.
func count(n any) int {
	i, _ := whole(n)
	return i
}
