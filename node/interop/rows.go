package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// Set says what a download is for.
type Set string

// The sets.
const (
	ForImport Set = "import" // exactly the columns that an import takes, and only rows that it can take
	All       Set = "all"    // everything known of an entry, withdrawn ones included
)

// columnOf names one column and says what stands in it.
type columnOf struct {
	name string
	cell func(l *protocol.Listing) string
}

// columns are node/ingest's, in an order for people: first what it is, then what it says, then its codes and terms.
func columns(langs []protocol.Lang) []columnOf {
	if len(langs) == 0 {
		for _, c := range codes.Language().All() {
			langs = append(langs, protocol.Lang(c.Code))
		}
	}
	all := []columnOf{
		{"id", func(l *protocol.Listing) string { return string(l.ID) }},
		{"kind", func(l *protocol.Listing) string { return string(l.Kind) }},
		{"country", func(l *protocol.Listing) string { return string(l.Country) }},
		{"region", func(l *protocol.Listing) string { return l.Region }},
	}
	for _, lang := range langs {
		for _, part := range []columnOf{
			{"title", func(l *protocol.Listing) string { return l.Texts[lang].Title }},
			{"value", func(l *protocol.Listing) string { return l.Texts[lang].Value }},
			{"abstract", func(l *protocol.Listing) string { return l.Texts[lang].Abstract }},
			{"keywords", func(l *protocol.Listing) string { return joined(l.Texts[lang].Keywords) }},
		} {
			all = append(all, columnOf{part.name + "_" + string(lang), part.cell})
		}
	}
	return append(all,
		columnOf{"organisation_name", func(l *protocol.Listing) string { return l.Organisation.Name }},
		columnOf{"organisation_type", func(l *protocol.Listing) string { return l.Organisation.Type }},
		columnOf{"organisation_size", func(l *protocol.Listing) string { return l.Organisation.Size }},
		columnOf{"trl", func(l *protocol.Listing) string { return number(uint64(l.TRL)) }},
		columnOf{"ipr", func(l *protocol.Listing) string { return joined(l.IPR) }},
		columnOf{"cooperation", func(l *protocol.Listing) string { return joined(l.Cooperation) }},
		columnOf{"seeks_types", func(l *protocol.Listing) string { return joined(l.Seeks.Types) }},
		columnOf{"seeks_countries", func(l *protocol.Listing) string { return joined(strs(l.Seeks.Countries)) }},
		columnOf{"ford", func(l *protocol.Listing) string { return joined(l.FORD) }},
		columnOf{"isic", func(l *protocol.Listing) string { return joined(l.ISIC) }},
		columnOf{"ipc", func(l *protocol.Listing) string { return joined(l.IPC) }},
		columnOf{"sdg", goals},
		columnOf{"published", func(l *protocol.Listing) string { return l.Published.String() }},
		columnOf{"valid_until", func(l *protocol.Listing) string { return l.ValidUntil.String() }},
		columnOf{"url", func(l *protocol.Listing) string { return l.URL }},
		columnOf{"demonstration", func(l *protocol.Listing) string {
			if l.Demonstration {
				return "true"
			}
			return ""
		}},
	)
}

// joined puts a list into a cell. A keyword's own semicolon would part it in two when it is read, so it becomes a comma.
func joined(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ReplaceAll(s, ";", ",")
	}
	return strings.Join(out, "; ")
}

func number(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func goals(l *protocol.Listing) string {
	var all []string
	for _, n := range l.SDG {
		all = append(all, strconv.Itoa(int(n)))
	}
	return joined(all)
}

func instant(i protocol.Instant) string {
	if i == 0 {
		return ""
	}
	return i.Time().Format(time.RFC3339)
}

// extra are the names of what this node knows of an entry beyond the listing, in the order of extras.
func extra() []string {
	return []string{"origin", "state", "page", "freshness", "last_heard", "position", "header", "updated", "withdrawn", "withdrawn_reason", "replaced_by"}
}

func extras(s Site, e exchange.Entry) []string {
	var updated, withdrawn, reason, replaced string
	switch t := e.Tombstone; {
	case t != nil:
		withdrawn, reason, replaced = instant(t.At), t.Reason, string(t.ReplacedBy)
	case e.Listing != nil:
		updated = instant(e.Listing.Updated)
	default:
		reason = e.Reason
	}
	return []string{
		string(e.Origin), string(e.State), Canonical(s, e.Ref), string(e.Fresh.State), instant(e.Fresh.LastHeard), e.Position.String(),
		e.Header.String(), updated, withdrawn, reason, replaced,
	}
}

// Columns names the columns of a table of listings with texts in these languages, all of TMH's where none is given.
func Columns(set Set, langs []protocol.Lang) []string {
	var names []string
	for _, c := range columns(langs) {
		names = append(names, c.name)
	}
	if set == All {
		names = append(names, extra()...)
	}
	return names
}

// Cells of an entry under Columns. Texts in other languages are left out; so is what surrounds a text as white space when
// it is read again.
func Cells(set Set, langs []protocol.Lang, s Site, e exchange.Entry) []string {
	return cells(columns(langs), set, s, e)
}

func cells(all []columnOf, set Set, s Site, e exchange.Entry) []string {
	l := e.Listing
	if l == nil { // what a tombstone says of it
		l = &protocol.Listing{ID: e.ID}
		if t := e.Tombstone; t != nil {
			l.Kind, l.Country, l.Published = t.Kind, t.Country, t.Published
		}
	}
	out := make([]string, 0, len(all)+len(extra()))
	for _, c := range all {
		out = append(out, c.cell(l))
	}
	if set == All {
		out = append(out, extras(s, e)...)
	}
	return out
}

// Write streams a table of the entries, holding one at a time. In JSON Lines a row is a listing in protocol.Listing's
// form, of All an entry as the API shows it. An error of entries ends it: what was written till then is not whole.
func Write(w io.Writer, format table.Format, set Set, langs []protocol.Lang, s Site, entries iter.Seq2[exchange.Entry, error]) error {
	if format == table.JSONL {
		return writeJSON(w, set, entries)
	}
	all := columns(langs)
	t, err := table.NewWriter(w, format, Columns(set, langs))
	if err != nil {
		return err
	}
	for e, err := range entries {
		if err == nil && (set == All || e.Listing != nil) {
			err = t.Write(cells(all, set, s, e))
		}
		if err != nil {
			_ = t.Close() // for what it holds; the table is lost
			return fmt.Errorf("write the table: %w", err)
		}
	}
	return t.Close()
}

func writeJSON(w io.Writer, set Set, entries iter.Seq2[exchange.Entry, error]) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for e, err := range entries {
		switch {
		case err != nil:
		case set == All:
			err = out.Encode(e)
		case e.Listing != nil:
			err = out.Encode(e.Listing)
		}
		if err != nil {
			return fmt.Errorf("write the listings: %w", err)
		}
	}
	return nil
}

// Known refuses formats and sets that Write does not take, in words for whoever named them.
func Known(format table.Format, set Set) error {
	if !slices.Contains(table.Formats(), format) {
		return protocol.Errorf(protocol.CodeValue, "format", "is none that can be written: take csv, xlsx or jsonl")
	}
	if set != ForImport && set != All {
		return protocol.Errorf(protocol.CodeValue, "columns", "is no set of columns: take import or all")
	}
	return nil
}
