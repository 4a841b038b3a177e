package interop

import (
	"cmp"
	"strconv"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/protocol"
)

// This file names a listing's codes: every form says them with their list, so that a "2.4" can be told from another.

// term is a code with its list.
type term struct {
	list, code, label string
}

// scheme names a code list for programs. It leads nowhere on purpose: the lists are in the binary.
func scheme(list string) string { return "urn:asean-tmh:codes:" + list }

func (t term) urn() string { return scheme(t.list) + ":" + t.code }

// short is the list's usual abbreviation, in front of a code where a form has no place for the list.
func (t term) short() string {
	switch t.list {
	case "ford":
		return "FORD"
	case "isic":
		return "ISIC"
	case "ipc":
		return "IPC"
	case "sdg":
		return "SDG"
	case "trl":
		return "TRL"
	}
	return t.list
}

// listName says in words what a list is.
func listName(list string) string {
	switch list {
	case "ford":
		return "OECD Fields of Research and Development (Frascati Manual 2015)"
	case "isic":
		return "International Standard Industrial Classification, Revision 4"
	case "ipc":
		return "International Patent Classification"
	case "sdg":
		return "United Nations Sustainable Development Goals"
	case "trl":
		return "Technology readiness level"
	case "ipr":
		return "Protection of intellectual property"
	case "cooperation":
		return "Form of cooperation"
	case "kind":
		return "Kind of listing"
	case "organisation":
		return "Type of organisation"
	}
	return list
}

// named looks the code up. A code of a later edition than this node's has its parent's label, or itself.
func named(list string, in codes.List, code string) term {
	return term{list, code, cmp.Or(in.Label(code), in.Label(in.Parent(code)), code)}
}

func namedAll(list string, in codes.List, all []string) []term {
	var out []term
	for _, code := range all {
		out = append(out, named(list, in, code))
	}
	return out
}

func kindOf(l *protocol.Listing) term { return named("kind", codes.Kind(), string(l.Kind)) }

// subjects say what the listing is about.
func subjects(l *protocol.Listing) []term {
	all := namedAll("ford", codes.FORD(), l.FORD)
	all = append(all, namedAll("isic", codes.ISIC(), l.ISIC)...)
	all = append(all, namedAll("ipc", codes.IPC(), l.IPC)...)
	for _, goal := range l.SDG {
		all = append(all, named("sdg", codes.SDG(), strconv.Itoa(int(goal))))
	}
	return all
}

// maturity is the technology readiness level; of a request, the least that would do.
func maturity(l *protocol.Listing) []term {
	if l.TRL == 0 {
		return nil
	}
	return []term{named("trl", codes.TRL(), strconv.Itoa(int(l.TRL)))}
}

func protection(l *protocol.Listing) []term { return namedAll("ipr", codes.IPR(), l.IPR) }
func cooperation(l *protocol.Listing) []term {
	return namedAll("cooperation", codes.Cooperation(), l.Cooperation)
}
func partners(l *protocol.Listing) []term {
	return namedAll("organisation", codes.Organisation(), l.Seeks.Types)
}

func countryName(c protocol.Country) string {
	return cmp.Or(codes.Country().Label(string(c)), string(c))
}
