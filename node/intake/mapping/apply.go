package mapping

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// maxMany bounds the values that one rule looks at; every list of a listing is far shorter.
const maxMany = 1000

// work is one row on its way.
type work struct {
	c      *Compiled
	row    table.Row
	first  []int // of a slot: the first of its fields, -1 for none
	next   []int // of a field: the next of the same slot
	cells  []cell
	faults []fault
}

// cell is what one outlet gets.
type cell struct {
	values []string
	from   []string // columns
	rule   *rule
	bad    bool // has a fault already
}

type fault struct {
	outlet int
	err    *protocol.Error
}

// Apply makes an item of a row. An error is a protocol.Errors with every fault: Field is the target's path, and the message names the
// column.
func (c *Compiled) Apply(row table.Row) (Item, error) {
	if row.Err != nil {
		return Item{}, row.Err
	}
	var item Item
	source, err := c.Source(row)
	wrong := protocol.All(err)
	w := &work{c: c, row: row, cells: make([]cell, len(c.outlets))}
	w.index()
	for i := range c.rules {
		w.follow(&c.rules[i])
	}
	w.titles()
	listing, err := ingest.DecodeListingJSON(w.document(false))
	w.adopt("listing", false, err)
	record := new(protocol.Record)
	if slices.ContainsFunc(w.cells, func(x cell) bool { return len(x.values) > 0 && x.rule.record() }) {
		record, err = ingest.DecodeRecordJSON(w.document(true))
		w.adopt("record", true, err)
	}
	if len(wrong) > 0 || len(w.faults) > 0 {
		slices.SortStableFunc(w.faults, func(a, b fault) int { return cmp.Compare(a.outlet, b.outlet) })
		for _, f := range w.faults {
			wrong = append(wrong, f.err)
		}
		return Item{}, wrong
	}
	item.Source, item.Listing, item.Record = source, *listing, *record
	item.Listing.ID = ""
	item.Hash, err = item.hash()
	return item, err
}

// hash is over the JSON forms, which are canonical: members stand in their order, and keys of maps are sorted.
func (i *Item) hash() (protocol.Hash, error) {
	b, err := json.Marshal(struct {
		Source  string
		Listing *protocol.Listing
		Record  *protocol.Record
	}{i.Source, &i.Listing, &i.Record})
	if err != nil {
		return protocol.Hash{}, fmt.Errorf("hash an item: %w", err)
	}
	return protocol.Sum(b), nil
}

func (r *rule) record() bool { return strings.HasPrefix(r.To, "record.") }

func (w *work) index() {
	all := make([]int, len(w.c.names)+len(w.row.Fields))
	w.first, w.next = all[:len(w.c.names)], all[len(w.c.names):]
	for i := range all {
		all[i] = -1
	}
	for i := len(w.row.Fields) - 1; i >= 0; i-- {
		if slot, ok := w.c.find(w.row.Fields[i].Name); ok {
			w.next[i], w.first[slot] = w.first[slot], i
		}
	}
}

// follow carries out one rule.
func (w *work) follow(r *rule) {
	if r.any == nil && len(w.cells[r.to].values) > 0 {
		return // an earlier rule filled it
	}
	n, bad := 0, false
	for _, slot := range r.slots {
		if slot == own {
			bad = w.several(r, table.Field{Value: w.row.ID}, nil, &n) || bad
			continue
		}
		for i := w.first[slot]; i >= 0; i = w.next[i] {
			f := w.row.Fields[i]
			if r.lang == "" || r.lang == cmp.Or(langKey(f.Lang), undeclared) {
				bad = w.several(r, f, w.c.names[slot:slot+1], &n) || bad
			}
		}
	}
	if r.any != nil {
		for _, to := range r.any {
			w.finish(r, to)
		}
	} else {
		w.finish(r, r.to)
	}
	if !bad && r.Constant != "" && !w.gave(r) {
		w.put(r, string(r.Else), r.Constant, nil)
	}
}

// gave reports whether the rule found anything.
func (w *work) gave(r *rule) bool {
	full := func(to int) bool { return w.cells[to].rule == r && len(w.cells[to].values) > 0 }
	if r.any != nil {
		return slices.ContainsFunc(r.any, full)
	}
	return full(r.to)
}

// several takes the values of one field; n counts them for the rule. It reports a fault.
func (w *work) several(r *rule, f table.Field, name []string, n *int) bool {
	if tooLong(f.Value) {
		w.fault(r, w.outletOf(r), name, protocol.Errorf(protocol.CodeText, "", "is not UTF-8, or over %d KiB: save the file in that encoding", protocol.MaxFullRecord>>10))
		return true
	}
	rest, bad := f.Value, false
	if len(r.split) > 0 && strings.IndexByte(rest, '&') >= 0 {
		rest = unescape(rest) // a semicolon ends an entity
	}
	for v := range r.parts(rest) {
		if v = strings.TrimSpace(v); v == "" {
			continue
		}
		if r.values != nil {
			meant, ok := r.values[same(v)]
			if ok {
				v = meant
			}
			if v == "" || (!ok && r.Only) {
				continue
			}
		}
		if *n++; *n > maxMany {
			w.fault(r, w.outletOf(r), name, protocol.Errorf(protocol.CodeTooLarge, "", "has over %d values", maxMany))
			return true
		}
		bad = w.put(r, f.Lang, v, name) || bad
	}
	return bad
}

// parts of a value between its separators. Each of them is looked for once and then from where it was found.
func (r *rule) parts(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		from := 0
		next := make([]int, len(r.split))
		for {
			at, size := len(s), 0
			for i, sep := range r.split {
				if next[i] < from || from == 0 {
					next[i] = len(s)
					if n := strings.Index(s[from:], sep); n >= 0 {
						next[i] = from + n
					}
				}
				if next[i] < at || (next[i] == at && at < len(s) && len(sep) > size) {
					at, size = next[i], len(sep)
				}
			}
			if !yield(s[from:at]) || size == 0 {
				return
			}
			from = at + size
		}
	}
}

func (w *work) outletOf(r *rule) int {
	if r.any != nil {
		return r.any[slices.Index(w.c.tongues, string(r.Else))]
	}
	return r.to
}

// put gives one value to its outlet; it reports a fault.
func (w *work) put(r *rule, lang, v string, name []string) bool {
	first := r.any == nil && !r.target.List && r.Join == "" // that it finds is all that is wanted
	if first && len(w.cells[r.to].values) > 0 || r.Fit && name != nil && !r.fits(v) {
		return false
	}
	v, bad := r.value(v)
	if bad != nil {
		w.fault(r, w.outletOf(r), name, bad)
		return true
	}
	if v == "" {
		return false
	}
	to := r.to
	if r.any != nil {
		i := slices.Index(w.c.tongues, w.tongue(r, lang, v))
		if i < 0 {
			return false
		}
		to = r.any[i]
	}
	x := &w.cells[to]
	if x.rule != nil && x.rule != r && len(x.values) > 0 {
		return false // an earlier rule filled it
	}
	if !r.target.List && r.Join == "" && len(x.values) > 0 {
		return false
	}
	if x.rule = r; name != nil && !slices.Contains(x.from, name[0]) {
		x.from = append(x.from, name[0])
	}
	x.values = append(x.values, v)
	return false
}

// tongue of a value of a "*" rule.
func (w *work) tongue(r *rule, declared, v string) string {
	lang := tongue(declared, v)
	if lang != "" {
		return lang
	}
	if r.short && !r.record() { // a keyword belongs to the text that has a title
		titled := func(lang string) bool {
			i := slices.Index(w.c.tongues, lang)
			return len(w.cells[w.c.outlets[r.any[i]].title].values) > 0
		}
		if !titled(string(r.Else)) {
			if i := slices.IndexFunc(w.c.tongues, titled); i >= 0 {
				return w.c.tongues[i]
			}
		}
	}
	return string(r.Else)
}

// finish joins what becomes one value, and leaves out of a list what stands twice.
func (w *work) finish(r *rule, to int) {
	x := &w.cells[to]
	if x.rule != r || len(x.values) < 2 {
		return
	}
	if !r.target.List {
		s := strings.Join(x.values, r.Join)
		if r.Cut && r.target.Max > 0 {
			s = cut(s, r.target.Max)
		}
		x.values = []string{s}
		return
	}
	seen := make(map[string]bool, len(x.values))
	x.values = slices.DeleteFunc(x.values, func(v string) bool {
		key := strings.ToLower(v)
		twice := seen[key]
		seen[key] = true
		return twice
	})
	if r.Cut && r.target.Most > 0 && len(x.values) > r.target.Most {
		x.values = x.values[:r.target.Most]
	}
}

// titles gives a language without a title that of another: that is what the item is called at its source.
func (w *work) titles() {
	best := -1
	for i, o := range w.c.outlets {
		if o.title == i && len(w.cells[i].values) > 0 && (best < 0 || o.path[1] == "en") {
			best = i
		}
	}
	if best < 0 {
		return
	}
	for i, o := range w.c.outlets {
		if o.title >= 0 && o.title != i && len(w.cells[i].values) > 0 && w.cells[i].rule.any != nil && len(w.cells[o.title].values) == 0 && !w.cells[o.title].bad {
			w.cells[o.title] = w.cells[best]
		}
	}
}

func (w *work) fault(r *rule, to int, name []string, err *protocol.Error) {
	w.cells[to].bad = true
	if r.any != nil && isTitle(r.To) { // none of its languages is missed then
		for _, i := range r.any {
			w.cells[i].bad = true
		}
	}
	if len(w.faults) < maxFaults {
		w.faults = append(w.faults, fault{to, protocol.Errorf(err.Code, w.c.outlets[to].Path, "%s%s", cmp.Or(w.c.said(name), "constant of the mapping: "), err.Message)})
	}
}

// adopt takes over the faults that the strict door found, with the columns that they come from.
func (w *work) adopt(at string, record bool, err error) {
	for _, e := range protocol.All(err) {
		path := strings.TrimSuffix(at+"."+e.Field, ".")
		to, nth := w.place(path, record)
		if to < 0 {
			w.faults = append(w.faults, fault{len(w.c.outlets), protocol.Errorf(e.Code, path, "%s%s", w.orphan(path), e.Message)})
			continue
		}
		x := &w.cells[to]
		if x.bad && (e.Code == protocol.CodeRequired || len(x.values) == 0) {
			continue // it is known why
		}
		names := w.c.said(x.from)
		switch {
		case len(x.values) == 0:
			names = w.c.said(w.c.outlets[to].columns)
		case names == "" && x.rule.Constant != "":
			names = "constant of the mapping: "
		case names != "" && nth != "" && len(x.values) > 1:
			names = strings.TrimSuffix(names, ": ") + ", value " + nth + ": "
		}
		w.faults = append(w.faults, fault{to, protocol.Errorf(e.Code, w.c.outlets[to].Path, "%s%s", names, e.Message)})
	}
}

// orphan says of what is required that nothing gives it.
func (w *work) orphan(path string) string {
	if slices.Contains([]string{pathKind, pathCountry, "listing.texts"}, path) || isTitle(path) {
		return "no column is mapped to it: "
	}
	return ""
}

// place is the outlet that a fault's field is of, and which of its values, from "1"; -1 where none is.
func (w *work) place(path string, record bool) (int, string) {
	nth := ""
	if before, rest, ok := strings.Cut(path, "["); ok {
		number, after, _ := strings.Cut(rest, "]")
		if n, err := strconv.Atoi(number); err == nil && utf8.ValidString(after) {
			nth = strconv.Itoa(n + 1)
		}
		path = before
	}
	best := -1
	for i := range w.c.outlets {
		switch o := &w.c.outlets[i]; {
		case o.record != record:
		case o.Path == path:
			return i, nth
		case path == "listing.texts" && isTitle(o.Path) && len(o.columns) > 0 && best < 0:
			best = i
		case path != "listing.texts" && strings.Contains(path, ".") && covers(path, o.Path) && best < 0:
			best = i
		}
	}
	return best, nth
}
