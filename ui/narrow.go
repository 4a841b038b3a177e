package ui

import (
	"slices"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/match"
)

// choice is a link that changes the search: a value of a facet, an order, a filter to take off.
type choice struct {
	Label, Href string
	Count       string
	Chosen      bool
}

type facetGroup struct {
	Name, ID string
	Choices  []choice
}

// filters of the address, in the order in which they are shown.
func filters() []string {
	return []string{"kind", "country", "ford", "trl_min", "trl_max", "language", "origin"}
}

// filtered reports whether anything is left out.
func (in asked) filtered() bool { return slices.ContainsFunc(filters(), in.values.Has) }

// chosen are the filters in force, each with the way to take it off.
func (s *site) chosen(in asked) (list []choice) {
	for _, name := range filters() {
		v := in.values.Get(name)
		if v == "" {
			continue
		}
		said, off := v, map[string]string{name: ""}
		switch name {
		case "kind":
			said = label(codes.Kind(), v)
		case "country":
			said = label(codes.Country(), v)
		case "ford":
			said = label(codes.FORD(), v)
		case "language":
			said = "In " + label(codes.Language(), v)
		case "origin":
			said = "Published by " + s.memberName(in.filter.Origins[0])
		case "trl_min":
			said = "TRL from " + v
			if in.values.Get("trl_max") == v {
				said, off = "TRL "+v, map[string]string{"trl_min": "", "trl_max": ""}
			}
		case "trl_max":
			if said = "TRL up to " + v; in.values.Get("trl_min") == v {
				continue
			}
		}
		list = append(list, choice{Label: said, Href: in.address(off)})
	}
	return list
}

// mostChoices of one facet are shown.
const mostChoices = 12

// facets are the ways to narrow an answer down, each with the number of listings that it leaves.
func (in asked) facets(f *match.Facets) (groups []facetGroup) {
	if f == nil {
		return nil
	}
	group := func(name, id string, counts []match.FacetCount, in_ codes.List, set func(v string) map[string]string) {
		g := facetGroup{Name: name, ID: "facet-" + id}
		for _, c := range counts {
			chosen, to := true, set(c.Value)
			for k, v := range to {
				chosen = chosen && in.values.Get(k) == v
			}
			if len(g.Choices) >= mostChoices && !chosen {
				continue
			}
			if chosen {
				for k := range to {
					to[k] = ""
				}
			}
			said := label(in_, c.Value)
			if id == "trl" {
				said = "TRL " + c.Value
			}
			g.Choices = append(g.Choices, choice{Label: said, Count: number(c.Count), Href: in.address(to), Chosen: chosen})
		}
		if len(g.Choices) > 0 {
			groups = append(groups, g)
		}
	}
	one := func(name string) func(string) map[string]string {
		return func(v string) map[string]string { return map[string]string{name: v} }
	}
	group("Kind", "kind", f.Kinds, codes.Kind(), one("kind"))
	group("Country", "country", f.Countries, codes.Country(), one("country"))
	group("Field of research", "ford", f.FORD, codes.FORD(), one("ford"))
	group("Technology readiness", "trl", f.TRL, codes.TRL(), func(v string) map[string]string { return map[string]string{"trl_min": v, "trl_max": v} })
	group("Written in", "language", f.Languages, codes.Language(), one("language"))
	return groups
}

// orders of an answer, with how a heading says them.
func orders() []struct {
	by          match.Sort
	label, said string
} {
	return []struct {
		by          match.Sort
		label, said string
	}{
		{match.ByScore, "Best match", "best first"}, {match.ByNewest, "Newest", "matches only, newest first"}, {match.ByEnd, "Ending soon", "matches only, ending soonest first"},
		{match.ByTRL, "Readiness", "matches only, most ready first"}, {match.ByCountry, "Country", "matches only, by country"},
	}
}

func isOrder(v string) bool {
	for _, o := range orders() {
		if v != "" && string(o.by) == v {
			return true
		}
	}
	return false
}

// sorts are links to the other orders; said is the present one in words.
func (in asked) sorts() (list []choice, said string) {
	for _, o := range orders() {
		chosen := o.by == in.sort
		if chosen {
			said = o.said
		}
		list = append(list, choice{Label: o.label, Href: in.address(map[string]string{"sort": string(o.by)}), Chosen: chosen})
	}
	return list, said
}
