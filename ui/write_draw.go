package ui

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// A section of a listing is described once, by a function that names its fields and where each is kept. That function is called to
// read what was sent into the content, and to show what the content has: so the two cannot differ. Fields go by the name under
// which a fault of the content tells of them.

// writing is one pass over a section.
type writing struct {
	p       *lang.Printer
	sent    url.Values // nil: the content is shown
	light   bool       // names and values alone are wanted
	lang    protocol.Lang
	groups  []entryGroup
	said    []string          // what the fields hold, with their names
	names   []string          // of all fields
	typed   map[string]string // what the content cannot keep, as it was typed
	refused protocol.Errors   // of that
}

// entryGroup is a part of a section's form.
type entryGroup struct {
	Heading, Hint template.HTML
	Entries       []*entry
	Rows          []entryRow // of a list: the last is empty
	Name          string     // of that list
	Closed        bool       // shown when it is asked for
}

type entryRow struct {
	At      string // its name: record.rights[0]
	Legend  template.HTML
	Entries []*entry
	Drop    bool // can be removed
}

// entry is a field of a section's form.
type entry struct {
	Name, ID    string
	Type        string // of an input; "text", "select", "radios", "many", "yes"
	Label, Hint template.HTML
	Value       string
	Lang        protocol.Lang // of what is written in it
	Rows, Most  int
	Count       string // id of what counts the letters; "" for none
	Chosen      bool
	Choices     []option
	Says        []template.HTML // of each choice
	Sets        []choiceSet
	Wrong       template.HTML
	Spelled     bool // by people; not so an address
}

type choiceSet struct {
	Legend  template.HTML // "" for those that are always seen
	Choices []option
	Chosen  int
}

func (w *writing) reads() bool { return w.sent != nil }

func (w *writing) heading(key, hint string) *entryGroup {
	g := entryGroup{}
	if !w.light && key != "" {
		g.Heading = w.p.HTML(key)
		if hint != "" {
			g.Hint = w.p.HTML(hint)
		}
	}
	w.groups = append(w.groups, g)
	return &w.groups[len(w.groups)-1]
}

func idOf(name string) string {
	return strings.NewReplacer(".", "-", "[", "-", "]", "").Replace("w-" + name)
}

func (w *writing) add(e *entry, label string) *entry {
	e.ID = idOf(e.Name)
	if !w.light {
		e.Label = w.p.HTML(label)
	}
	if v, ok := w.typed[e.Name]; ok {
		e.Value = v
	}
	w.names = append(w.names, e.Name)
	if len(w.groups) == 0 {
		w.groups = append(w.groups, entryGroup{})
	}
	g := &w.groups[len(w.groups)-1]
	if n := len(g.Rows); n > 0 && g.Name != "" {
		g.Rows[n-1].Entries = append(g.Rows[n-1].Entries, e)
	} else {
		g.Entries = append(g.Entries, e)
	}
	return e
}

func (w *writing) hold(name, value string) {
	if value != "" {
		w.said = append(w.said, name+"="+value)
	}
}

func (e *entry) hint(w *writing, key string, args ...any) *entry {
	if !w.light {
		e.Hint = w.p.HTML(key, args...)
	}
	return e
}

// typedText is a text as a form sends it, in the form in which listings have it.
func typedText(s string, lines bool) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "\uFFFD")
	s = strings.Map(func(c rune) rune {
		if c == '\t' || !lines && (c == '\n' || c == '\r') {
			return ' '
		}
		return c
	}, s)
	return strings.TrimSpace(s)
}

func (w *writing) line(name, label string, v *string, most int) *entry {
	if w.reads() {
		*v = typedText(w.sent.Get(name), false)
	}
	w.hold(name, *v)
	return w.add(&entry{Name: name, Type: "line", Value: *v, Most: most, Lang: w.lang, Spelled: true}, label)
}

func (w *writing) address(name, label, kind string, v *string) *entry {
	e := w.line(name, label, v, 0)
	e.Type, e.Lang, e.Spelled = kind, "", false
	return e
}

func (w *writing) text(name, label string, v *string, most, rows int) *entry {
	if w.reads() {
		*v = typedText(w.sent.Get(name), true)
	}
	w.hold(name, *v)
	return w.add(&entry{Name: name, Type: "text", Value: *v, Most: most, Rows: rows, Lang: w.lang, Count: idOf(name) + "-info", Spelled: true}, label)
}

// lines is a list with one entry on each line.
func (w *writing) lines(name, label string, v *[]string, rows int) *entry {
	if w.reads() {
		*v = nil
		for part := range strings.SplitSeq(typedText(w.sent.Get(name), true), "\n") {
			if part = strings.TrimSpace(part); part != "" {
				*v = append(*v, part)
			}
		}
	}
	all := strings.Join(*v, "\n")
	w.hold(name, all)
	return w.add(&entry{Name: name, Type: "text", Value: all, Rows: rows, Lang: w.lang, Spelled: true}, label)
}

// one code of a list.
func one[T ~string](w *writing, name, label, list string, in codes.List, v *T, only ...string) *entry {
	if w.reads() {
		*v = T(asCode(w.sent.Get(name)))
	}
	w.hold(name, string(*v))
	e := &entry{Name: name, Type: "select", Value: string(*v)}
	if !w.light {
		e.Choices = choices(w.p, list, in, string(*v), "form.not-said")
		if only != nil {
			e.Choices = slices.DeleteFunc(e.Choices, func(o option) bool { return o.Value != "" && !slices.Contains(only, o.Value) })
		}
		if *v != "" && !slices.ContainsFunc(e.Choices, func(o option) bool { return o.Selected }) {
			e.Choices = append(e.Choices, option{Value: string(*v), Label: string(*v), Selected: true})
		}
	}
	return w.add(e, label)
}

// asCode keeps a code that somebody made up from being longer than any code is.
func asCode(s string) string { return strings.ToValidUTF8(s[:min(len(s), 60)], "") }

// many codes of a list. set says under which legend a code stands; "" for all that are always seen.
func many[T ~string](w *writing, name, label, list string, in codes.List, v *[]T, set func(codes.Code) string) *entry {
	if w.reads() {
		*v = nil
		for _, x := range w.sent[name] {
			if x = asCode(x); x != "" && len(*v) <= 2*protocol.MaxCodes && !slices.Contains(*v, T(x)) {
				*v = append(*v, T(x))
			}
		}
	}
	e := &entry{Name: name, Type: "many"}
	for _, x := range *v {
		w.hold(name, string(x))
	}
	if !w.light {
		e.Sets = choiceSets(w.p, list, in, *v, set)
	}
	return w.add(e, label)
}

func choiceSets[T ~string](p *lang.Printer, list string, in codes.List, chosen []T, set func(codes.Code) string) (sets []choiceSet) {
	at, legends := map[string]int{}, map[string]template.HTML{}
	put := func(c codes.Code, label, tongue string) {
		under := ""
		if set != nil {
			under = set(c)
		}
		i, ok := at[under]
		if !ok {
			i = len(sets)
			at[under] = i
			sets = append(sets, choiceSet{Legend: legends[under]})
			if under != "" && sets[i].Legend == "" {
				sets[i].Legend = p.Say(p.Label(list, under))
				if under == "other" && list == "country" {
					sets[i].Legend = p.HTML("write.other-countries")
				}
			}
		}
		is := slices.Contains(chosen, T(c.Code))
		if is {
			sets[i].Chosen++
		}
		sets[i].Choices = append(sets[i].Choices, option{Value: c.Code, Label: label, Selected: is, Lang: tongue})
	}
	for _, c := range in.All() {
		text := p.Label(list, c.Code)
		label := text.Text
		if list == "ford" || list == "isic" || list == "ipc" || list == "sdg" {
			label += " (" + c.Code + ")"
		}
		put(c, label, tongueOf(text))
	}
	for _, c := range chosen {
		if in.Label(string(c)) == "" { // of no list: seen, so that it can be taken off
			put(codes.Code{Code: string(c), Parent: in.Parent(string(c))}, string(c), "")
		}
	}
	if list == "country" {
		for i := range sets {
			lang.SortBy(p, sets[i].Choices, func(o option) string { return o.Label })
		}
	}
	return sets
}

func (w *writing) yes(name, label string, v *bool) {
	if w.reads() {
		*v = w.sent.Get(name) == "yes"
	}
	if *v {
		w.hold(name, "yes")
	}
	w.add(&entry{Name: name, Type: "yes", Chosen: *v}, label)
}

// refuse what was typed and cannot be kept: it is shown again.
func (w *writing) refuse(name, typed, key string, args ...any) {
	if w.typed == nil {
		w.typed = map[string]string{}
	}
	w.typed[name] = typed
	w.refused = append(w.refused, protocol.Errorf(protocol.CodeValue, name, "%s", w.p.T(key, args...)))
}

func (w *writing) date(name, label string, v *protocol.Date) *entry {
	if w.reads() {
		typed := asCode(typedText(w.sent.Get(name), false))
		*v = 0
		if err := v.UnmarshalText([]byte(typed)); err != nil {
			*v = 0
			w.refuse(name, typed, "form.not-date")
		}
	}
	w.hold(name, v.String())
	return w.add(&entry{Name: name, Type: "date", Value: v.String()}, label)
}

const minutes = "2006-01-02T15:04"

// moment in a time zone; one that says none is UTC.
func (w *writing) moment(name, label string, v *protocol.Instant, zone string) *entry {
	at, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		at = time.UTC
	}
	if w.reads() {
		typed := asCode(typedText(w.sent.Get(name), false))
		*v = 0
		if t, err := time.ParseInLocation(minutes, typed, at); err == nil && t.Unix() > 0 && t.Year() < 10000 {
			*v = protocol.InstantOf(t)
		} else if typed != "" {
			w.refuse(name, typed, "form.not-date")
		}
	}
	e := &entry{Name: name, Type: "datetime-local"}
	if *v != 0 {
		e.Value = v.Time().In(at).Format(minutes)
	}
	w.hold(name, e.Value)
	return w.add(e, label)
}

func number[T ~uint8 | ~uint16](w *writing, name, label string, v *T, from, to int) *entry {
	if w.reads() {
		typed := asCode(typedText(w.sent.Get(name), false))
		*v = 0
		if n, err := strconv.Atoi(typed); err == nil && n >= from && n <= to {
			*v = T(n) //nolint:gosec // within the bounds, which fit
		} else if typed != "" {
			w.refuse(name, typed, "form.not-number", "Min", strconv.Itoa(from), "Max", strconv.Itoa(to))
		}
	}
	e := &entry{Name: name, Type: "number"}
	if *v != 0 {
		e.Value = strconv.Itoa(int(*v))
	}
	w.hold(name, e.Value)
	return w.add(e, label)
}
