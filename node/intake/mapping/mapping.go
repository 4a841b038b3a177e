// Package mapping says which column of a source becomes which member of a listing, and applies that to rows.
//
// A rule's target is a path in the JSON form of a listing ("title" of texts is "listing.texts.en.title") or of its full record
// ("record.texts.en.description"). In place of a language may stand "*": then every value goes where its own language is, which
// the source declares or the script tells. Values are brought into our form on the way, as a librarian would: "TRL 4 (lab)" is
// 4, "Lao PDR" is LA, "tha" is th, markup becomes plain text.
//
// What comes out goes through the one strict door of package ingest, so that a row is judged as what anybody else sends; faults
// name the column they came from.
package mapping

import (
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"golang.org/x/text/unicode/norm"
)

// Mapping of one kind of source. Its JSON form is what organisations save.
type Mapping struct {
	Title string   `json:"title,omitempty"` // for people
	ID    []string `json:"id"`              // names whose value is the source's id, the first that is there; "" is the repository's own identifier
	Rules []Rule   `json:"rules"`
}

// Rule fills one target. From is read in order; Constant stands where nothing else does. Of several rules for one target the
// first that finds a value fills it.
type Rule struct {
	To       string            `json:"to"`
	From     []string          `json:"from,omitempty"`     // names of columns; "" is the repository's own identifier
	Lang     string            `json:"lang,omitempty"`     // only values that the source declares to be in this language; "und": in none
	Join     string            `json:"join,omitempty"`     // several values become one, with this between; "" takes the first
	Split    string            `json:"split,omitempty"`    // a value becomes several at this; "; ," with a space between is either
	Values   map[string]string `json:"values,omitempty"`   // what a value of the source means here, in any case; others stay as they are; "" leaves it out
	Only     bool              `json:"only,omitempty"`     // values that Values does not have are left out
	Fit      bool              `json:"fit,omitempty"`      // values that are not of the target's kind are left out instead of being a fault
	Date     string            `json:"date,omitempty"`     // how the source writes dates: "DD/MM/YYYY"
	Cut      bool              `json:"cut,omitempty"`      // what is too long is cut at a word, a list after its most, instead of being a fault
	Else     protocol.Lang     `json:"else,omitempty"`     // of a target with "*": language of values that do not tell theirs; "" is en
	Constant string            `json:"constant,omitempty"` // where there is no value
}

// Item is what a row says in our terms.
type Item struct {
	Source  string // its id at the source
	Listing protocol.Listing
	Record  protocol.Record
	Hash    protocol.Hash // of all the above as the mapping made it: equal hashes are equal items
}

// Apply compiles the mapping for one row. Who has more of them calls Compile once.
func (m *Mapping) Apply(row table.Row) (Item, error) {
	c, err := m.Compile()
	if err != nil {
		return Item{}, err
	}
	return c.Apply(row)
}

// Names of the columns that the mapping reads, each once.
func (m *Mapping) Names() []string {
	var names []string
	add := func(list []string) {
		for _, name := range list {
			if name != "" && !slices.ContainsFunc(names, func(s string) bool { return same(s) == same(name) }) {
				names = append(names, name)
			}
		}
	}
	add(m.ID)
	for _, r := range m.Rules {
		add(r.From)
	}
	return names
}

// Missing are the columns that the mapping reads and that are not among names.
func (m *Mapping) Missing(names []string) []string { return without(m.Names(), names) }

// Unused are those of names that the mapping does not read.
func (m *Mapping) Unused(names []string) []string { return without(names, m.Names()) }

// Lacks are the paths of what every listing has to have and no rule fills.
func (m *Mapping) Lacks() []string {
	var paths []string
	has := func(what func(to string) bool) bool {
		return slices.ContainsFunc(m.Rules, func(r Rule) bool { return what(r.To) && (len(r.From) > 0 || r.Constant != "") })
	}
	for _, path := range []string{pathKind, pathCountry} {
		if !has(func(to string) bool { return to == path }) {
			paths = append(paths, path)
		}
	}
	if !has(isTitle) {
		paths = append(paths, "listing.texts.en.title")
	}
	return paths
}

// SetConstant gives a target a value for rows that have none, as an organisation gives its country.
func (m *Mapping) SetConstant(to, value string) {
	i := slices.IndexFunc(m.Rules, func(r Rule) bool { return r.To == to && r.Lang == "" })
	if i < 0 {
		i = len(m.Rules)
		m.Rules = append(m.Rules, Rule{To: to})
	}
	m.Rules[i].Constant = value
}

func without(all, others []string) []string {
	known := make(map[string]bool, len(others))
	for _, name := range others {
		known[same(name)] = true
	}
	var left []string
	for _, name := range all {
		if !known[same(name)] {
			left = append(left, name)
		}
	}
	return left
}

// same gives one form to names of columns that people hold to be equal. Headers of spreadsheets may have several lines.
func same(name string) string {
	return strings.ToLower(spaced(norm.NFC.String(name)))
}

func spaced(s string) string { return strings.Join(strings.Fields(s), " ") }
