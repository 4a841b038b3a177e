package ui

// Sentences of other parts of the node, which speak English, said in the language of the page: the messages fault.* are found by them.

import (
	"html"
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// clause is a sentence as it stands behind a name and a colon, in English and marked so where no message says it.
func clause(p *lang.Printer, s string) template.HTML {
	if h, ok := rendered(p, s); ok {
		return h
	}
	return english(p, s)
}

// stated is a sentence that stands by itself.
func stated(p *lang.Printer, s string) template.HTML {
	h, ok := rendered(p, s)
	if !ok {
		return english(p, said(s))
	}
	text := string(h)
	if c, n := utf8.DecodeRuneInString(text); unicode.IsLower(c) {
		text = string(unicode.ToUpper(c)) + text[n:]
	}
	if last, _ := utf8.DecodeLastRuneInString(strings.TrimSuffix(text, "</span>")); !strings.ContainsRune(".!?។။。！？", last) {
		text += stop(p.Tag())
	}
	return template.HTML(text) //nolint:gosec // escaped by the printer
}

// stop ends a sentence. Thai has none.
func stop(t lang.Tag) string {
	switch t {
	case "th":
		return ""
	case "km":
		return "\u17d4" // khan
	case "my":
		return "\u104b" // section
	case "zh":
		return "。"
	}
	return "."
}

// deepest is how far sentences stand in each other.
const deepest = 4

func rendered(p *lang.Printer, s string) (template.HTML, bool) {
	if p.Tag() == lang.English {
		return "", false
	}
	if strings.HasPrefix(s, "you may not ") && p.Has("fault.refused") { // it names actions and roles by words of programs
		return p.HTML("fault.refused"), true
	}
	return sentenceIn(p, p.Sentence(s), deepest)
}

func sentenceIn(p *lang.Printer, x *lang.Sentence, deep int) (template.HTML, bool) {
	if x == nil || deep == 0 || !p.Has(x.Key) {
		return "", false
	}
	var args []any
	for _, part := range x.Parts {
		value, ok := sentenceIn(p, part.In, deep-1)
		if !ok {
			value = partOf(p, part)
		}
		args = append(args, part.Name, value)
	}
	return p.HTML(x.Key, args...), true
}

// partOf a sentence: a word of programs by the page's word for it, where there is one.
func partOf(p *lang.Printer, part lang.SentencePart) template.HTML {
	key := ""
	switch {
	case part.In != nil || strings.HasPrefix(part.Name, "Detail") || strings.HasPrefix(part.Name, "Fault"):
		return english(p, part.Text)
	case part.Name == "State":
		key = "imports.state." + part.Text
	case part.Name == "Level":
		key = "level." + part.Text
	case part.Name == "Field":
		return placeName(p, placeNames(p), part.Text)
	}
	if key != "" && p.Has(key) {
		return p.HTML(key)
	}
	return voice(part.Text)
}

// bare is a text of ours without its marks of language, for what is no page.
func bare(h template.HTML) string {
	var b strings.Builder
	for part := range strings.SplitSeq(string(h), "<") {
		if _, behind, of := strings.Cut(part, ">"); of {
			part = behind
		}
		b.WriteString(part)
	}
	return html.UnescapeString(b.String())
}

// searchFault is a fault of an address, with the name of the parameter.
func searchFault(p *lang.Printer, e *protocol.Error) template.HTML {
	if e.Field == "" {
		return stated(p, e.Message)
	}
	return p.HTML("form.fault", "Field", english(p, e.Field), "Fault", clause(p, e.Message))
}
