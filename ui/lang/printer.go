package lang

import (
	"fmt"
	"html"
	"html/template"
	"reflect"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	i18ntemplate "github.com/nicksnyder/go-i18n/v2/i18n/template"

	"github.com/asean-tmh/tmh/protocol"
)

// Printer speaks one language. It is safe for concurrent use.
type Printer struct {
	bundle    *Bundle
	tag       Tag
	locale    locale
	localizer *i18n.Localizer
	parser    i18ntemplate.Parser
}

// Text is a text and the language that it is in.
type Text struct {
	Lang     string
	Text     string
	Fallback bool // English, because the language asked for lacks it
}

func (t Text) String() string { return t.Text }

// HTML is the text, in a span with its language where it fell back.
func (t Text) HTML() template.HTML {
	if t.Fallback {
		return spoken(t.Lang, html.EscapeString(t.Text))
	}
	return template.HTML(html.EscapeString(t.Text)) //nolint:gosec // escaped
}

// spoken puts a span with a language round escaped text.
func spoken(lang, escaped string) template.HTML {
	return template.HTML(`<span lang="` + html.EscapeString(lang) + `">` + escaped + `</span>`) //nolint:gosec // both are escaped
}

// Tag of the printer's language.
func (p *Printer) Tag() Tag { return p.tag }

// Checked reports whether a native speaker has checked this language.
func (p *Printer) Checked() bool { return p.locale.Checked }

// T is the text of a key without its language, for attributes and plain text; args are names and values of placeholders.
func (p *Printer) T(key string, args ...any) string { return p.Text(key, args...).Text }

// N is T in the plural form for n, which is the placeholder N.
func (p *Printer) N(key string, n int, args ...any) string { return p.TextN(key, n, args...).Text }

// Text is T with the language that was found.
func (p *Printer) Text(key string, args ...any) Text { return p.plain(key, nil, args) }

// TextN is N with the language that was found.
func (p *Printer) TextN(key string, n int, args ...any) Text { return p.plain(key, &n, args) }

// HTML is T with slots, escaped, in a span with lang="en" where it fell back.
func (p *Printer) HTML(key string, args ...any) template.HTML { return p.rich(key, nil, args) }

// HTMLN is HTML in the plural form for n.
func (p *Printer) HTMLN(key string, n int, args ...any) template.HTML { return p.rich(key, &n, args) }

func (p *Printer) plain(key string, n *int, args []any) Text {
	by, m := p.find(key)
	if m == nil {
		return Text{string(English), key, p.tag != English}
	}
	out := Text{string(by.tag), m.Other, by != p}
	if m.ready {
		return out
	}
	// A value must not be read as a part of the message: its place is held by a mark until the message is taken apart.
	values, held := map[string]any{}, []string{}
	for name, v := range p.arguments(key, n, args).values {
		values[name] = placeMark(len(held))
		held = append(held, p.format(v))
	}
	var b strings.Builder
	pieces(by.execute(key, n, values), func(text string) {
		unmarked(text, held, func(s string) { b.WriteString(s) }, func(s string) { b.WriteString(s) })
	}, func(string, bool) {})
	out.Text = b.String()
	return out
}

func (p *Printer) rich(key string, n *int, args []any) template.HTML {
	by, m := p.find(key)
	if m == nil || m.ready {
		return p.plain(key, n, args).HTML()
	}
	a := p.arguments(key, n, args)
	values, held := map[string]any{}, []string{}
	for name, v := range a.values {
		values[name] = placeMark(len(held))
		held = append(held, string(p.escaped(v, by.tag)))
	}
	body := a.fill(by.execute(key, n, values), held, func(why string) { p.bundle.miss(p.tag, key, why) })
	if by != p {
		return spoken(string(by.tag), body)
	}
	return template.HTML(body) //nolint:gosec // made of escaped parts
}

// find is the message and the printer whose language it is in.
func (p *Printer) find(key string) (*Printer, *message) {
	if m := p.bundle.messages[p.tag][key]; m != nil {
		return p, m
	}
	source := p.bundle.printers[English]
	m := p.bundle.messages[English][key]
	if m == nil {
		p.bundle.miss(p.tag, key, "no such key")
		return source, nil
	}
	p.bundle.miss(p.tag, key, "not translated")
	return source, m
}

// execute fills the placeholders of the form for n.
func (p *Printer) execute(key string, n *int, values map[string]any) string {
	c := &i18n.LocalizeConfig{MessageID: key, TemplateData: values, TemplateParser: p.parser}
	if n != nil {
		c.PluralCount = max(*n, -*n)
	}
	s, err := p.localizer.Localize(c)
	if err != nil {
		p.bundle.miss(p.tag, key, err.Error())
	}
	if s == "" { // a placeholder without a value: the rest may still be read
		s = blank(p.bundle.messages[p.tag][key].Other)
	}
	return s
}

// blank puts dots in the place of placeholders.
func blank(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("…")
		_, text, _ = strings.Cut(rest, "}}")
	}
}

type arguments struct {
	values map[string]any
	slots  map[string]Slot
}

// arguments sorts what a call gave: slots, and pairs of a name and a value.
func (p *Printer) arguments(key string, n *int, args []any) arguments {
	a := arguments{map[string]any{}, map[string]Slot{}}
	if n != nil {
		a.values["N"] = *n
	}
	for i := 0; i < len(args); i++ {
		if s, ok := args[i].(Slot); ok {
			if s.fault != "" {
				p.bundle.miss(p.tag, key, s.fault)
			}
			a.slots[s.name] = s
			continue
		}
		name, ok := args[i].(string)
		if !ok || i+1 == len(args) {
			p.bundle.miss(p.tag, key, fmt.Sprintf("argument %d is neither a slot nor a name with a value", i+1))
			break
		}
		i++
		a.values[name] = args[i]
	}
	return a
}

// format writes a value as this language does.
func (p *Printer) format(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case Text:
		return v.Text
	case template.HTML:
		return html.UnescapeString(stripTags(string(v)))
	case protocol.Date:
		return p.Date(v)
	case protocol.Instant:
		return p.Moment(v)
	case fmt.Stringer:
		return v.String()
	}
	if n, ok := whole(v); ok {
		return p.Number(n)
	}
	return fmt.Sprint(v)
}

// escaped is format for HTML; what is in another language than the message says so.
func (p *Printer) escaped(v any, around Tag) template.HTML {
	switch v := v.(type) {
	case template.HTML:
		return v
	case Text:
		if v.Lang != "" && v.Lang != string(around) {
			return spoken(v.Lang, html.EscapeString(v.Text))
		}
	}
	return template.HTML(html.EscapeString(p.format(v))) //nolint:gosec // escaped
}

// Say is a text for the page, with its language where that differs from the page's.
func (p *Printer) Say(t Text) template.HTML { return p.escaped(t, p.tag) }

// whole is the value of any kind of whole number.
func whole(v any) (int, bool) {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(r.Int()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int(min(r.Uint(), 1<<63-1)), true
	default:
		return 0, false
	}
}

func stripTags(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "<")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if _, s, found = strings.Cut(rest, ">"); !found {
			return b.String()
		}
	}
}
