package interop

import "github.com/asean-tmh/tmh/protocol"

// This file is what the two JSON-LD forms share. Members of an object are written in alphabetical order, so that the same
// listing gives the same bytes.

type object map[string]any

// put sets a member that has a value, and leaves out one that has none.
func (o object) put(member string, v any) {
	switch v := v.(type) {
	case nil:
		return
	case string:
		if v == "" {
			return
		}
	case []any:
		if len(v) == 0 {
			return
		}
	case object:
		if len(v) == 0 {
			return
		}
	}
	o[member] = v
}

func ref(id string) object { return object{"@id": id} }

func said(lang protocol.Lang, value string) object {
	return object{"@language": string(lang), "@value": value}
}

// saidIn is one text in every language that has it.
func saidIn(l *protocol.Listing, of func(protocol.Text) string) []any {
	var all []any
	each(l, func(lang protocol.Lang, t protocol.Text) {
		if s := of(t); s != "" {
			all = append(all, said(lang, s))
		}
	})
	return all
}

func title(t protocol.Text) string     { return t.Title }
func statement(t protocol.Text) string { return t.Value }
func abstract(t protocol.Text) string  { return t.Abstract }

// description is the longest that a text says of the listing.
func description(t protocol.Text) string {
	switch {
	case t.Abstract != "":
		return t.Abstract
	case t.Value != "":
		return t.Value
	}
	return t.Title
}

func keywordsIn(l *protocol.Listing) []any {
	var all []any
	each(l, func(lang protocol.Lang, t protocol.Text) {
		for _, k := range t.Keywords {
			all = append(all, said(lang, k))
		}
	})
	return all
}

func anys[T any](list []T, f func(T) any) []any {
	var out []any
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}
