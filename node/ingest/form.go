package ingest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

const (
	aDate = "a date such as \"2026-09-14\""
	aTime = "a time such as \"2026-09-14T08:30:00Z\""

	languages = "the languages of TMH"
)

// form collects the faults of what is sent while its members are read.
type form struct {
	what   string // "listing"
	faults protocol.Errors
}

type members map[string]func(at string, n node)

// maxFaults bounds what is said of one listing: beyond it nobody reads on, and a stranger could ask for any amount of work.
const maxFaults = 100

func (r *form) full() bool { return len(r.faults) >= maxFaults }

func (r *form) add(code protocol.Code, field, format string, args ...any) {
	if r.full() {
		return
	}
	if len(r.faults) == maxFaults-1 {
		code, field, format, args = protocol.CodeTooLarge, r.what, "has more faults than the %d shown", []any{maxFaults - 1}
	}
	r.faults = append(r.faults, protocol.Errorf(code, field, format, args...))
}

func (r *form) wrongType(at string, n node, want string) {
	r.add(protocol.CodeWireType, at, "has to be %s, not %s", want, n.kind())
}

func (r *form) object(at string, n node, known members) {
	all, ok := n.value.([]member)
	if !ok {
		r.wrongType(at, n, "an object in { }")
		return
	}
	seen := map[string]bool{}
	for _, m := range all {
		path := join(at, m.name)
		take, ok := known[m.name]
		switch {
		case seen[m.name]:
			r.add(protocol.CodeRepeated, path, "stands twice")
		case r.full():
			return
		case !ok:
			r.add(protocol.CodeUnknown, path, "is no member of a %s%s", r.what, nearest(m.name, keys(known)))
		case m.node.value != nil:
			take(path, m.node)
		}
		seen[m.name] = true
	}
}

func (r *form) list(at string, n node) []node {
	list, ok := n.value.([]node)
	if !ok {
		r.wrongType(at, n, "a list in [ ]")
	}
	return list
}

// whole takes a number that is not negative and has so many bits.
func whole[N ~uint8 | ~uint16 | ~uint64](r *form, into *N, bits int) func(string, node) {
	return func(at string, n node) {
		num, ok := n.value.(json.Number)
		if !ok {
			r.wrongType(at, n, "a whole number without quotes")
			return
		}
		v, err := strconv.ParseUint(num.String(), 10, bits)
		if err != nil {
			r.add(protocol.CodeValue, at, "%s is no whole number between 0 and %d", clip(num.String()), uint64(1)<<bits-1)
		}
		*into = N(v)
	}
}

func truth(r *form, into *bool) func(string, node) {
	return func(at string, n node) {
		v, ok := n.value.(bool)
		if *into = v; !ok {
			r.wrongType(at, n, "true or false")
		}
	}
}

func nested(r *form, known members) func(string, node) {
	return func(at string, n node) { r.object(at, n, known) }
}

// byLang takes an object with one object a language.
func byLang[T any](r *form, at string, n node, into *map[protocol.Lang]T, known func(v *T) members) {
	all, ok := n.value.([]member)
	if !ok {
		r.wrongType(at, n, `an object with one member a language, such as {"en": { }}`)
		return
	}
	*into = make(map[protocol.Lang]T, len(all))
	for _, m := range all {
		lang, path := protocol.Lang(m.name), join(at, m.name)
		if _, twice := (*into)[lang]; twice {
			r.add(protocol.CodeRepeated, path, "stands twice")
			continue
		}
		var v T
		r.object(path, m.node, known(&v))
		(*into)[lang] = v
	}
}

// objects takes a list of objects, each by its own form.
func objects[T any](r *form, into *[]T, known func(v *T) members) func(string, node) {
	return func(at string, n node) {
		for i, e := range r.list(at, n) {
			if r.full() {
				return
			}
			var v T
			r.object(element(at, i), e, known(&v))
			*into = append(*into, v)
		}
	}
}

func text[S ~string](r *form, into *S) func(string, node) {
	return func(at string, n node) {
		s, ok := n.value.(string)
		if *into = S(s); !ok {
			r.wrongType(at, n, "text in quotes")
		}
	}
}

func texts[S ~string](r *form, into *[]S) func(string, node) {
	return func(at string, n node) {
		for i, e := range r.list(at, n) {
			var s S
			text(r, &s)(element(at, i), e)
			*into = append(*into, s)
		}
	}
}

// read fills a value that has its own JSON or text form from a string.
func read(r *form, into any, want string) func(string, node) {
	return func(at string, n node) {
		s, ok := n.value.(string)
		if !ok {
			r.wrongType(at, n, want)
			return
		}
		quoted, _ := json.Marshal(s) // a string always has a JSON form
		if json.Unmarshal(quoted, into) != nil {
			r.add(protocol.CodeValue, at, "“%s” is not %s", clip(s), want)
		}
	}
}

// adopt takes over what Validate found in fields that are not faulty already: a number where a title should be is one
// fault, not two.
func (r *form) adopt(more protocol.Errors) {
	mine := slices.Clone(r.faults)
	for _, e := range more {
		covered := slices.ContainsFunc(mine, func(f *protocol.Error) bool {
			return f.Field == e.Field || strings.HasPrefix(e.Field, f.Field+".") || strings.HasPrefix(f.Field, e.Field+"[") ||
				(e.Field == "texts" && strings.HasPrefix(f.Field, "texts.")) ||
				(e.Code == protocol.CodeRequired && strings.HasPrefix(f.Field, e.Field+"."))
		})
		if !covered {
			r.faults = append(r.faults, e)
		}
	}
}

// judged gives all faults, also those that the thing's own Validate found, in the order of its members; nil for none.
func (r *form) judged(found error, order []string) error {
	if found != nil && !r.full() {
		r.adopt(protocol.All(found))
	}
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(r.faults, func(a, b *protocol.Error) int { return cmp.Compare(place(order, a), place(order, b)) })
	return r.faults
}

func place(order []string, e *protocol.Error) int {
	head, _, _ := strings.Cut(e.Field, ".")
	head, _, _ = strings.Cut(head, "[")
	if i := slices.Index(order, head); i >= 0 {
		return i
	}
	return len(order)
}

func (r *form) each(field string, list []string, in codes.List, name, example string) {
	if len(list) > protocol.MaxCodes {
		return // which Validate says
	}
	for i, c := range list {
		r.code(element(field, i), c, in, name, example)
	}
}

func (r *form) code(field, code string, in codes.List, name, example string) {
	if code == "" || in.Has(code) || slices.ContainsFunc(r.faults, func(f *protocol.Error) bool { return f.Field == field }) {
		return
	}
	label := in.Label(example)
	if label == "" {
		label = in.Label(in.Parent(example))
	}
	r.add(protocol.CodeValue, field, "“%s” is not in %s%s; a valid code is for example “%s” (%s)",
		clip(code), name, suggest(code, in), example, label)
}

func keys(m members) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

func join(at, name string) string {
	if name = clip(name); at == "" {
		return name
	}
	return at + "." + name
}

func element(at string, i int) string { return fmt.Sprintf("%s[%d]", at, i) }

// clip shortens what a stranger wrote before it is quoted back.
func clip(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
