// Package ingest takes listings in from outside. This file is its one door for a listing in JSON form; every format ends there,
// so that what an origin may sign is judged in one place.
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

// DecodeListingJSON reads one listing in protocol.Listing's JSON form, as strictly as its origin must before it signs:
// every member has to be one of the form's, of the right type, once; every code has to stand in its list (configs/codes);
// and protocol's own Validate has to agree. Members that are null are read as absent.
//
// An error is a protocol.Errors with every fault found, in the order of the form's members. What was sent is quoted back
// only shortened.
func DecodeListingJSON(b []byte) (*protocol.Listing, error) {
	root, fault := parse(b)
	if fault != nil {
		return nil, protocol.Errors{fault}
	}
	l := new(protocol.Listing)
	var r form
	if _, ok := root.value.([]member); !ok {
		r.wrongType("listing", root, "an object in { }")
		return nil, r.faults
	}
	r.object("", root, listingForm(&r, l))
	r.codes(l)
	if err := l.Validate(); err != nil && !r.full() {
		r.adopt(protocol.All(err))
	}
	if len(r.faults) == 0 {
		return l, nil
	}
	order := memberNames()
	slices.SortStableFunc(r.faults, func(a, b *protocol.Error) int { return cmp.Compare(place(order, a), place(order, b)) })
	return nil, r.faults
}

// memberNames of a listing, in the order in which its form and its faults are shown.
func memberNames() []string {
	return []string{
		"id", "kind", "country", "region", "texts", "organisation", "trl", "ipr", "cooperation", "seeks", "ford", "isic", "ipc",
		"sdg", "published", "valid_until", "url", "full", "demonstration", "updated",
	}
}

func place(order []string, e *protocol.Error) int {
	head, _, _ := strings.Cut(e.Field, ".")
	head, _, _ = strings.Cut(head, "[")
	if i := slices.Index(order, head); i >= 0 {
		return i
	}
	return len(order)
}

func listingForm(r *form, l *protocol.Listing) members {
	return members{
		"id": text(r, &l.ID), "kind": text(r, &l.Kind), "country": text(r, &l.Country), "region": text(r, &l.Region),
		"texts": func(at string, n node) { r.texts(at, n, l) },
		"organisation": func(at string, n node) {
			o := &l.Organisation
			r.object(at, n, members{"name": text(r, &o.Name), "type": text(r, &o.Type), "size": text(r, &o.Size)})
		},
		"trl": func(at string, n node) { l.TRL = r.small(at, n) },
		"ipr": texts(r, &l.IPR), "cooperation": texts(r, &l.Cooperation),
		"seeks": func(at string, n node) {
			r.object(at, n, members{"types": texts(r, &l.Seeks.Types), "countries": texts(r, &l.Seeks.Countries)})
		},
		"ford": texts(r, &l.FORD), "isic": texts(r, &l.ISIC), "ipc": texts(r, &l.IPC),
		"sdg": func(at string, n node) {
			for i, e := range r.list(at, n) {
				l.SDG = append(l.SDG, uint16(r.small(element(at, i), e)))
			}
		},
		"published": read(r, &l.Published, "a date such as \"2026-09-14\""), "valid_until": read(r, &l.ValidUntil, "a date such as \"2027-09-14\""),
		"url": text(r, &l.URL), "full": read(r, &l.Full, "64 hexadecimal digits in quotes"),
		"demonstration": func(at string, n node) {
			v, ok := n.value.(bool)
			if l.Demonstration = v; !ok {
				r.wrongType(at, n, "true or false")
			}
		},
		"updated": read(r, &l.Updated, "a time such as \"2026-09-14T08:30:00Z\""),
	}
}

// form collects the faults of a listing while its members are read.
type form struct{ faults protocol.Errors }

type members map[string]func(at string, n node)

// maxFaults bounds what is said of one listing: beyond it nobody reads on, and a stranger could ask for any amount of work.
const maxFaults = 100

func (r *form) full() bool { return len(r.faults) >= maxFaults }

func (r *form) add(code protocol.Code, field, format string, args ...any) {
	if r.full() {
		return
	}
	if len(r.faults) == maxFaults-1 {
		code, field, format, args = protocol.CodeTooLarge, "listing", "has more faults than the %d shown", []any{maxFaults - 1}
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
			r.add(protocol.CodeUnknown, path, "is no member of a listing%s", nearest(m.name, keys(known)))
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

func (r *form) texts(at string, n node, l *protocol.Listing) {
	all, ok := n.value.([]member)
	if !ok {
		r.wrongType(at, n, `an object with one member a language, such as {"en": {"title": "..."}}`)
		return
	}
	l.Texts = make(map[protocol.Lang]protocol.Text, len(all))
	for _, m := range all {
		lang, path := protocol.Lang(m.name), join(at, m.name)
		if _, twice := l.Texts[lang]; twice {
			r.add(protocol.CodeRepeated, path, "stands twice")
			continue
		}
		var t protocol.Text
		r.object(path, m.node, members{
			"title": text(r, &t.Title), "value": text(r, &t.Value), "abstract": text(r, &t.Abstract), "keywords": texts(r, &t.Keywords),
		})
		l.Texts[lang] = t
	}
}

func (r *form) small(at string, n node) uint8 {
	num, ok := n.value.(json.Number)
	if !ok {
		r.wrongType(at, n, "a whole number without quotes")
		return 0
	}
	v, err := strconv.ParseUint(num.String(), 10, 8)
	if err != nil {
		r.add(protocol.CodeValue, at, "%s is no whole number between 0 and 255", clip(num.String()))
	}
	return uint8(v) // ParseUint was told 8 bits
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
				(e.Field == "texts" && strings.HasPrefix(f.Field, "texts."))
		})
		if !covered {
			r.faults = append(r.faults, e)
		}
	}
}

// codes judges every code against its list.
func (r *form) codes(l *protocol.Listing) {
	for _, lang := range l.Languages()[:min(len(l.Texts), protocol.MaxLanguages)] {
		r.code("texts."+clip(string(lang)), string(lang), codes.Language(), "the languages of TMH", "th")
	}
	r.code("kind", string(l.Kind), codes.Kind(), "the kinds of listing", "TO")
	r.code("country", string(l.Country), codes.Country(), "the countries (ISO 3166-1 alpha-2)", "KH")
	r.code("organisation.type", l.Organisation.Type, codes.Organisation(), "the types of organisation", "university")
	r.code("organisation.size", l.Organisation.Size, codes.Size(), "the sizes of organisation", "small")
	r.each("ipr", l.IPR, codes.IPR(), "the states of protection (IPR)", "patent-granted")
	r.each("cooperation", l.Cooperation, codes.Cooperation(), "the forms of cooperation", "licence")
	r.each("seeks.types", l.Seeks.Types, codes.Organisation(), "the types of organisation", "sme")
	countries := make([]string, len(l.Seeks.Countries))
	for i, c := range l.Seeks.Countries {
		countries[i] = string(c)
	}
	r.each("seeks.countries", countries, codes.Country(), "the countries (ISO 3166-1 alpha-2)", "LA")
	r.each("ford", l.FORD, codes.FORD(), "the fields of research (OECD FORD)", "2.4")
	r.each("isic", l.ISIC, codes.ISIC(), "the industries (ISIC Rev.4)", "C10")
	r.each("ipc", l.IPC, codes.IPC(), "the patent classes (IPC)", "C12N")
	for i, n := range l.SDG[:min(len(l.SDG), protocol.MaxCodes)] {
		r.code(element("sdg", i), strconv.Itoa(int(n)), codes.SDG(), "the sustainable development goals (SDG)", "7")
	}
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
