package lang

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// FuzzArguments: whatever people wrote is text on the page, and never an element, an attribute or a part of the message.
func FuzzArguments(f *testing.F) {
	b := some(f)
	for _, s := range []string{"", "x", "<script>alert(1)</script>", "</a><b onclick=x>", "{{.Name}}", "\uE0000\uE001", "\uE0005\uE001", "&lt;", "\x00\xff", `" href="javascript:x`, "<a>", "java\tscript:x"} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, value, lang, href string) {
		p := b.Printer("vi")
		if got, want := p.T("x.one", "Name", value), "One "+value+" here"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		out := string(p.HTML("x.link", "Who", Text{Lang: lang, Text: value}, NewSlot("a", "href", href, "title", value)))
		shape := ""
		z := html.NewTokenizer(strings.NewReader(out))
		for z.Next() != html.ErrorToken {
			switch token := z.Token(); token.Type {
			case html.TextToken:
			case html.StartTagToken, html.EndTagToken:
				shape += token.String()[:2]
				for _, a := range token.Attr {
					if !strings.Contains("a href, a title, span lang", token.Data+" "+a.Key) {
						t.Errorf("attribute %s of %s", a.Key, token.Data)
					}
					scheme, _, found := strings.Cut(strings.ToLower(a.Val), ":")
					if a.Key == "href" && found && !strings.ContainsAny(scheme, "/#?") && scheme != "https" && scheme != "http" && scheme != "mailto" {
						t.Errorf("a link to %q", a.Val)
					}
				}
			default:
				t.Errorf("a token of type %v in %q", token.Type, out)
			}
		}
		if shape != "<a</<c</" && shape != "<a<s</</<c</" {
			t.Errorf("the elements are %s in %q", shape, out)
		}
	})
}

// FuzzMessage: a translator's slip does not break the page around it.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{"", "<a>x</a>", "</a>", "<a><b></a></b>", "<a", "<a2>x", "<a22>", "<a0>", "<script>", "\uE0009\uE001", "\uE000", "<b>\uE0000\uE001</b>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, message string) {
		a := arguments{slots: map[string]Slot{"a": NewSlot("a", "href", "/")}}
		out := a.fill(message, []string{"<i>held</i>"}, func(string) {})
		var open []string
		z := html.NewTokenizer(strings.NewReader(out))
		for z.Next() != html.ErrorToken {
			switch token := z.Token(); token.Type {
			case html.StartTagToken:
				if !strings.Contains("a b abbr code time i", token.Data) {
					t.Errorf("element %s in %q", token.Data, out)
				}
				open = append(open, token.Data)
			case html.EndTagToken:
				if len(open) == 0 || open[len(open)-1] != token.Data {
					t.Fatalf("%s is closed where it is not open: %q", token.Data, out)
				}
				open = open[:len(open)-1]
			case html.TextToken:
			default:
				t.Errorf("a token of type %v in %q", token.Type, out)
			}
		}
		if len(open) > 0 {
			t.Errorf("%v are left open: %q", open, out)
		}
	})
}
