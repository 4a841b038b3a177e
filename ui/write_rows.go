package ui

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"reflect"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// Of a section's form: lists whose entries have fields of their own, and which fault is told at which field.

// rows of a list, each with fields of its own, and an empty one to write the next. An empty row is none.
func rows[T any](w *writing, name, heading, hint, legend string, list *[]T, most int, draw func(at string, v *T)) {
	g := w.heading(heading, hint)
	g.Name = name
	open := func(i int, drop bool) string {
		at := fmt.Sprintf("%s[%d]", name, i)
		row := entryRow{At: at, Drop: drop}
		if !w.light {
			row.Legend = w.p.HTML(legend, "Number", strconv.Itoa(i+1))
		}
		g := &w.groups[len(w.groups)-1]
		g.Rows = append(g.Rows, row)
		return at
	}
	if !w.reads() {
		for i := range *list {
			draw(open(i, true), &(*list)[i])
		}
		if len(*list) < most {
			draw(open(len(*list), false), new(T))
		}
		return
	}
	var read []T
	for i := 0; i <= most && w.has(fmt.Sprintf("%s[%d].", name, i)); i++ {
		var v T
		if at := open(i, true); w.sent.Get("drop") != at {
			if draw(at, &v); !reflect.ValueOf(v).IsZero() {
				read = append(read, v)
			}
		}
	}
	*list = read
}

func (w *writing) has(prefix string) bool {
	for name := range w.sent {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// digest of what the fields hold: two tabs that write different sections do not get in each other's way.
func (w *writing) digest() string {
	sum := sha256.Sum256([]byte(strings.Join(w.said, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// about reports whether a fault is about one of the fields, and which; of a fault of several fields, the first.
func (w *writing) about(fault string) (string, bool) {
	best := ""
	for _, n := range w.names {
		switch {
		case n == fault:
			return n, true
		case strings.HasPrefix(fault, n+"[") || strings.HasPrefix(fault, n+"."):
			if len(n) > len(best) {
				best = n
			}
		case best == "" && (strings.HasPrefix(n, fault+".") || strings.HasPrefix(n, fault+"[")) && strings.Contains(fault, "."):
			best = n
		}
	}
	return best, best != ""
}

// dress gives the faults to the fields that they name, and returns what to put right.
func (w *writing) dress(faults protocol.Errors) (wrong []mistake) {
	all := map[string]*entry{}
	for _, g := range w.groups {
		for _, e := range g.Entries {
			all[e.Name] = e
		}
		for _, row := range g.Rows {
			for _, e := range row.Entries {
				all[e.Name] = e
			}
		}
	}
	tell := func(f *protocol.Error, said template.HTML) {
		name, ok := w.about(f.Field)
		if !ok {
			return
		}
		e := all[name]
		if e.Wrong != "" {
			e.Wrong += " "
		}
		e.Wrong += said
		wrong = append(wrong, mistake{e.ID, w.p.HTML("form.fault", "Field", e.Label, "Fault", said)})
	}
	for _, f := range w.refused { // in the page's language
		tell(f, voice(f.Message))
	}
	for _, f := range faults {
		tell(f, stated(w.p, f.Message))
	}
	return wrong
}
