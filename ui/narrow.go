package ui

import (
	"html/template"
	"slices"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/ui/lang"
)

// choice is a link that changes the search: a value of a facet, an order, a filter to take off.
type choice struct {
	Label  template.HTML
	Href   string
	Count  int
	Chosen bool
}

type facetGroup struct {
	Name    template.HTML
	ID      string
	Choices []choice
}

// filters of the address, in the order in which they are shown.
func filters() []string {
	return []string{"kind", "country", "ford", "trl_min", "trl_max", "language", "origin"}
}

// filtered reports whether anything is left out.
func (in asked) filtered() bool { return slices.ContainsFunc(filters(), in.values.Has) }

// unfiltered is the address of the search without them.
func (in asked) unfiltered() string {
	off := map[string]string{}
	for _, name := range filters() {
		off[name] = ""
	}
	return in.address(off)
}

// chosen are the filters in force, each with the way to take it off.
func (s *site) chosen(p *lang.Printer, in asked) (list []choice) {
	for _, name := range filters() {
		v := in.values.Get(name)
		if v == "" {
			continue
		}
		said, off := voice(v), map[string]string{name: ""}
		switch name {
		case "kind", "country", "ford":
			said = named(p, name, v)
		case "language":
			said = p.HTML("find.written-in", "Language", p.Language(v))
		case "origin":
			said = p.HTML("proof.origin", "Member", s.memberName(p, in.filter.Origins[0]))
		case "trl_min":
			said = p.HTML("find.trl-from", "Level", v)
			if in.values.Get("trl_max") == v {
				said, off = p.HTML("field.trl.short", "Level", v), map[string]string{"trl_min": "", "trl_max": ""}
			}
		case "trl_max":
			if said = p.HTML("find.trl-to", "Level", v); in.values.Get("trl_min") == v {
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
func (in asked) facets(p *lang.Printer, f *match.Facets) (groups []facetGroup) {
	if f == nil {
		return nil
	}
	group := func(key, id string, counts []match.FacetCount, set func(v string) map[string]string) {
		g := facetGroup{Name: p.HTML(key), ID: "facet-" + id}
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
			said := named(p, id, c.Value)
			if id == "trl" {
				said = p.HTML("field.trl.short", "Level", c.Value)
			}
			g.Choices = append(g.Choices, choice{Label: said, Count: c.Count, Href: in.address(to), Chosen: chosen})
		}
		if len(g.Choices) > 0 {
			groups = append(groups, g)
		}
	}
	one := func(name string) func(string) map[string]string {
		return func(v string) map[string]string { return map[string]string{name: v} }
	}
	group("field.kind", "kind", f.Kinds, one("kind"))
	group("field.country", "country", f.Countries, one("country"))
	group("field.ford", "ford", f.FORD, one("ford"))
	group("field.trl", "trl", f.TRL, func(v string) map[string]string { return map[string]string{"trl_min": v, "trl_max": v} })
	group("field.language", "language", f.Languages, one("language"))
	return groups
}

// order of an answer, with the key of its name.
type order struct {
	by  match.Sort
	key string
}

func orders() []order {
	return append([]order{{match.ByScore, "match"}, {match.ByNewest, "newest"}}, browseOrders()[1:]...)
}

// browseOrders are those of listings that nothing was asked of: the first is the one that is not asked for.
func browseOrders() []order {
	return []order{{match.ByScore, "newest"}, {match.ByEnd, "ending"}, {match.ByTRL, "readiness"}, {match.ByCountry, "country"}}
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
func (in asked) sorts(p *lang.Printer, orders []order) (list []choice, said template.HTML) {
	for _, o := range orders {
		chosen := o.by == in.sort || in.q == "" && o.by == match.ByScore && in.sort == match.ByNewest
		if chosen {
			said = p.HTML("find.order." + o.key)
		}
		list = append(list, choice{Label: p.HTML("sort." + o.key), Href: in.address(map[string]string{"sort": string(o.by)}), Chosen: chosen})
	}
	return list, said
}

// accountFor says what became of listings that are found and not listed, or listed and not found.
func accountFor(p *lang.Printer, c match.Counts) (says []template.HTML) {
	if c.Cut > 0 {
		says = append(says, p.HTML("find.cut", "Most", p.Number(match.Depth)))
	}
	for _, one := range []struct {
		key string
		n   int
	}{{"find.near", c.Near}, {"find.folded", c.Folded}, {"find.left-out", c.Weak}} {
		if one.n > 0 {
			says = append(says, p.HTMLN(one.key, one.n))
		}
	}
	return says
}
