package mapping

import (
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// Compiled is a mapping made ready for many rows. It may be used from several goroutines.
type Compiled struct {
	names   []string       // of columns
	slots   map[string]int // their places, by the names as written and by their common form
	ids     []int          // slots; own is the repository's identifier
	rules   []rule
	outlets []outlet // what can be filled, so ordered that the members of an object stand together
	tongues []string // languages in the order of an outlet group of "*"
}

const own = -1

type rule struct {
	Rule
	normaliser
	slots  []int
	lang   string            // of Lang
	split  []string          // separators
	values map[string]string // by folded value
	to     int               // outlet; of "*" none
	any    []int             // of "*": outlets in the order of tongues
	short  bool              // of "*": too short to tell its language
}

// outlet is one member of the JSON forms.
type outlet struct {
	Target
	path    []string // "texts", "en", "title"
	record  bool
	title   int      // of a listing's text: outlet of its title; else -1
	columns []string // of its rules
}

// Compile judges the mapping and makes it ready. An error has all its faults.
func (m *Mapping) Compile() (*Compiled, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	c := &Compiled{slots: map[string]int{}}
	for _, l := range languages()[1:] {
		c.tongues = append(c.tongues, l.tag)
	}
	used, starred := map[string]bool{}, false
	for _, r := range m.Rules {
		if before, after, ok := strings.Cut(r.To, ".texts.*."); ok {
			for _, lang := range c.tongues {
				used[before+".texts."+lang+"."+after] = true
			}
			starred = starred || before == "listing"
		}
		used[r.To] = true
	}
	at, targets := map[string]int{}, map[string]Target{}
	for _, t := range Targets() {
		targets[t.Path] = t
		if strings.Contains(t.Path, ".texts.*.") || (!used[t.Path] && !(starred && isTitle(t.Path))) {
			continue
		}
		at[t.Path] = len(c.outlets)
		path := strings.Split(t.Path, ".")
		c.outlets = append(c.outlets, outlet{Target: t, path: path[1:], record: path[0] == "record", title: -1})
	}
	for i := range c.outlets {
		if o := &c.outlets[i]; !o.record && o.path[0] == "texts" {
			if title, ok := at["listing.texts."+o.path[1]+".title"]; ok {
				o.title = title
			}
		}
	}
	for _, name := range m.ID {
		c.ids = append(c.ids, c.slot(name))
	}
	lists := newLists()
	for _, r := range m.Rules {
		c.rules = append(c.rules, c.rule(r, targets[r.To], at, lists))
	}
	for _, r := range c.rules {
		to := r.any
		if to == nil {
			to = []int{r.to}
		}
		for _, i := range to {
			c.outlets[i].columns = append(c.outlets[i].columns, r.From...)
		}
	}
	// Titles first: they say in which languages a listing is.
	slices.SortStableFunc(c.rules, func(a, b rule) int { return rank(a) - rank(b) })
	return c, nil
}

func rank(r rule) int {
	if isTitle(r.To) {
		return 0
	}
	return 1
}

func (c *Compiled) slot(name string) int {
	if name == "" {
		return own
	}
	key := same(name)
	i, ok := c.slots[key]
	if !ok {
		i = len(c.names)
		c.names = append(c.names, name)
		c.slots[key] = i
	}
	c.slots[name] = i
	return i
}

func (c *Compiled) rule(r Rule, t Target, at map[string]int, lists *lists) rule {
	out := rule{Rule: r, normaliser: normaliser{target: t, lists: lists, cut: r.Cut}, lang: langKey(r.Lang)}
	for _, name := range r.From {
		out.slots = append(out.slots, c.slot(name))
	}
	if out.split = strings.Fields(r.Split); r.Split != "" && len(out.split) == 0 {
		out.split = []string{r.Split}
	}
	if len(r.Values) > 0 {
		out.values = make(map[string]string, len(r.Values))
		for from, to := range r.Values {
			out.values[same(from)] = to
		}
	}
	if r.Date != "" {
		out.pattern, _ = parsePattern(r.Date)
	}
	switch t.Value { // lists are only read from now on
	case ValueCode, ValueNumber:
		if t.Codes != "" {
			lists.of(t.Codes)
		}
	case ValueRight, ValuePartner:
		for _, name := range []string{"ipr", "office", "country", "right", "organisation"} {
			lists.of(name)
		}
	}
	if before, after, ok := strings.Cut(r.To, ".texts.*."); ok {
		out.short = t.List
		for _, lang := range c.tongues {
			out.any = append(out.any, at[before+".texts."+lang+"."+after])
		}
		if out.Else == "" {
			out.Else = "en"
		}
		return out
	}
	out.to = at[r.To]
	return out
}

// Source is the id of a row at its source: all that is known of a record that was deleted there.
func (c *Compiled) Source(row table.Row) (string, error) {
	id, name := "", ""
	for _, slot := range c.ids {
		if id != "" {
			break
		}
		if slot == own {
			id = strings.TrimSpace(row.ID)
			continue
		}
		for _, f := range row.Fields {
			if at, ok := c.find(f.Name); ok && at == slot && strings.TrimSpace(f.Value) != "" {
				id, name = strings.TrimSpace(f.Value), c.names[slot]
				break
			}
		}
	}
	if id == "" {
		id = strings.TrimSpace(row.ID)
	}
	switch {
	case id == "":
		return "", protocol.Errors{protocol.Errorf(protocol.CodeRequired, "id", "%sthe row has no id at its source: without one it could not be known again", c.said(c.idNames()))}
	case tooLong(id), !oneLine(id):
		return "", protocol.Errors{protocol.Errorf(protocol.CodeText, "id", "%s“%s” is no id: it holds line ends or other control characters, or is not UTF-8", c.said([]string{name}), clip(strings.ToValidUTF8(id, "?")))}
	case len([]rune(id)) > MaxSource:
		return "", protocol.Errors{protocol.Errorf(protocol.CodeTooLarge, "id", "%s“%s” is over %d characters", c.said([]string{name}), clip(id), MaxSource)}
	}
	return id, nil
}

// MaxSource is how many characters an id at its source has at most, as package posting has it.
const MaxSource = 200

func (c *Compiled) idNames() []string {
	var names []string
	for _, slot := range c.ids {
		if slot != own {
			names = append(names, c.names[slot])
		}
	}
	return names
}

func (c *Compiled) find(name string) (int, bool) {
	if i, ok := c.slots[name]; ok {
		return i, true
	}
	i, ok := c.slots[same(name)]
	return i, ok
}

// said begins a fault with the columns that it is of.
func (c *Compiled) said(names []string) string {
	var b strings.Builder
	n := 0
	for i, name := range names {
		if name == "" || slices.Contains(names[:i], name) {
			continue
		}
		switch n++; {
		case n == 5:
			b.WriteString(" and others")
			fallthrough
		case n > 5:
			continue
		case n > 1:
			b.WriteString(", ")
		}
		b.WriteString("“" + clip(name) + "”")
	}
	switch n {
	case 0:
		return ""
	case 1:
		return "column " + b.String() + ": "
	}
	return "columns " + b.String() + ": "
}
