package lang

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
)

// Slots are the parts of a message that become elements of HTML: which element is said by the message, its attributes by the
// template, and neither can bring in anything else.

// Slot fills the slot of that name in a message.
type Slot struct {
	name  string
	attrs string // escaped, with a space before each
	fault string
}

// NewSlot makes a slot: its name (a, b, abbr, code or time, with a digit behind where a message has several), and pairs of
// attribute and value. An attribute that a slot may not have, and a link that is neither on this node nor http, https or mailto, is
// left out and noted as a miss.
func NewSlot(name string, attrs ...string) Slot {
	s := Slot{name: name}
	element, ok := elementOf(name)
	if !ok {
		s.fault = fmt.Sprintf("no slot is named %q", name)
		return s
	}
	for i := 0; i < len(attrs); i += 2 {
		switch {
		case i+1 == len(attrs):
			s.fault = fmt.Sprintf("slot %s: attribute %s has no value", name, attrs[i])
		case !slices.Contains(attributes(element), attrs[i]):
			s.fault = fmt.Sprintf("slot %s: no attribute %s", name, attrs[i])
		case attrs[i] == "href" && !safeLink(attrs[i+1]):
			s.fault = fmt.Sprintf("slot %s: not a link to follow", name)
		default:
			s.attrs += " " + attrs[i] + `="` + html.EscapeString(attrs[i+1]) + `"`
		}
	}
	return s
}

// elementOf is the element of a slot's name.
func elementOf(name string) (string, bool) {
	element := strings.TrimRight(name, "123456789")
	return element, len(name)-len(element) <= 1 && slices.Contains([]string{"a", "b", "abbr", "code", "time"}, element)
}

func attributes(element string) []string {
	common := []string{"class", "id", "lang", "title"}
	switch element {
	case "a":
		return append(common, "href", "rel", "hreflang", "aria-current", "aria-label", "download")
	case "time":
		return append(common, "datetime")
	}
	return common
}

func safeLink(href string) bool {
	if strings.ContainsAny(href, "\\\t\r\n") || strings.HasPrefix(href, "//") {
		return false
	}
	for _, start := range []string{"/", "#", "?", "https://", "http://", "mailto:"} {
		if strings.HasPrefix(href, start) {
			return true
		}
	}
	return href == ""
}

// Marks hold the places of values; messages hold no character of the private range.
const (
	markStart = "\uE000"
	markEnd   = "\uE001"
)

func placeMark(i int) string { return markStart + strconv.Itoa(i) + markEnd }

// fill makes HTML of a message: text escaped, marks replaced by what is held for them, slots made elements.
func (a arguments) fill(message string, held []string, fault func(why string)) string {
	var b strings.Builder
	var open []string // names of slots
	write := func(text string) {
		unmarked(text, held, func(s string) { b.WriteString(html.EscapeString(s)) }, func(s string) { b.WriteString(s) })
	}
	end := func() {
		element, _ := elementOf(open[len(open)-1])
		open = open[:len(open)-1]
		b.WriteString("</" + element + ">")
	}
	pieces(message, write, func(name string, closing bool) {
		switch {
		case closing && len(open) > 0 && open[len(open)-1] == name:
			end()
		case closing:
			fault("slot " + name + " is closed where it is not open")
		default:
			element, _ := elementOf(name)
			s, given := a.slots[name]
			if !given && element != "b" && element != "code" {
				fault("slot " + name + " is not filled")
			}
			b.WriteString("<" + element + s.attrs + ">")
			open = append(open, name)
		}
	})
	for len(open) > 0 {
		fault("slot " + open[len(open)-1] + " is not closed")
		end()
	}
	return b.String()
}

// pieces takes a message apart into text and the beginnings and ends of slots.
func pieces(message string, text func(string), slot func(name string, closing bool)) {
	from := 0
	for i := 0; i < len(message); i++ {
		if message[i] != '<' {
			continue
		}
		n := strings.IndexByte(message[i:], '>')
		if n < 0 {
			break
		}
		name, closing := strings.CutPrefix(message[i+1:i+n], "/")
		if _, ok := elementOf(name); !ok {
			continue
		}
		text(message[from:i])
		slot(name, closing)
		i += n
		from = i + 1
	}
	text(message[from:])
}

// unmarked takes text apart into the message's own and what is held at its marks.
func unmarked(text string, held []string, own, value func(string)) {
	for {
		before, rest, found := strings.Cut(text, markStart)
		own(before)
		if !found {
			return
		}
		number, after, _ := strings.Cut(rest, markEnd)
		if i, err := strconv.Atoi(number); err == nil && i >= 0 && i < len(held) {
			value(held[i])
		}
		text = after
	}
}
