package ingest

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// Row is one listing of a file, or why it is none.
type Row struct {
	N       int    // from 1, as the sender's editor or spreadsheet counts: a CSV's header is row 1
	ID      string // as far as it could be read
	Listing *protocol.Listing
	Record  *protocol.Record // the full record that came with it; nil: none
	Err     error            // protocol.Errors with every fault of the row
}

// maxLine bounds one line of JSON, a listing and its full record, and one row of CSV.
const maxLine = protocol.MaxFullRecord + 256<<10

// Rows reads a file in format "jsonl" or "csv". What cannot be read as a whole ends the sequence with a row of only Err.
func Rows(format string, r io.Reader) iter.Seq[Row] {
	if format == "csv" {
		return csvRows(r)
	}
	return jsonRows(r)
}

func jsonRows(r io.Reader) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 64<<10), maxLine)
		n := 0
		for s.Scan() {
			n++
			line := bytes.TrimSpace(s.Bytes())
			if len(line) == 0 {
				continue
			}
			if !yield(jsonRow(n, line)) {
				return
			}
		}
		if err := s.Err(); errors.Is(err, bufio.ErrTooLong) {
			yield(Row{N: n + 1, Err: protocol.Errorf(protocol.CodeTooLarge, "", "the line is over %d KiB; nothing after it was read", maxLine>>10)})
		} else if err != nil {
			yield(Row{N: n + 1, Err: unread(err)})
		}
	}
}

func unread(err error) error {
	return &protocol.Error{Code: protocol.CodeUnavailable, Message: "the file could not be read to its end", Err: err}
}

const fullMember = "full_record"

// jsonRow takes a listing and, in its member full_record, its full record. The faults of both are told.
func jsonRow(n int, line []byte) Row {
	row := Row{N: n}
	root, fault := parse("listing", line)
	if fault != nil {
		row.Err = protocol.Errors{fault}
		return row
	}
	all, _ := root.value.([]member)
	var faults protocol.Errors
	seen := false
	listing := make([]member, 0, len(all))
	for _, m := range all {
		switch name, isName := m.node.value.(string); {
		case m.name == fullMember && seen:
			faults = append(faults, protocol.Errorf(protocol.CodeRepeated, fullMember, "stands twice"))
		case m.name == fullMember && m.node.value == nil:
		case m.name == fullMember:
			seen = true
			var err error
			row.Record, err = decodeRecord(m.node)
			faults = append(faults, below(fullMember, err)...)
		default:
			listing = append(listing, m)
			if m.name == "id" && isName {
				row.ID = clip(name)
			}
		}
	}
	if all != nil {
		root = node{listing}
	}
	l, err := decodeListing(root)
	if faults = append(protocol.All(err), faults...); len(faults) > 0 {
		row.Record, row.Err = nil, faults
		return row
	}
	row.Listing, row.ID = l, string(l.ID)
	return row
}

// below names the member in which the faults were found.
func below(member string, err error) protocol.Errors {
	all := protocol.All(err)
	for i, e := range all {
		named := *e
		named.Field = strings.TrimSuffix(member+"."+e.Field, ".")
		all[i] = &named
	}
	return all
}

func csvRows(r io.Reader) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		br := bufio.NewReader(r)
		if bom, _ := br.Peek(3); string(bom) == "\xef\xbb\xbf" {
			_, _ = br.Discard(3)
		}
		bound := &rowBound{r: br, left: maxLine + 1}
		c := csv.NewReader(bound)
		c.FieldsPerRecord = -1
		header, err := c.Read()
		if err != nil {
			row := csvFault(1, err)
			if bad := new(csv.ParseError); errors.Is(err, io.EOF) || errors.As(err, &bad) {
				row.Err = protocol.Errorf(protocol.CodeRequired, "", "the file has no header row that can be read: %v", err)
			}
			yield(row)
			return
		}
		columns, err := parseHeader(header)
		if err != nil {
			yield(Row{N: 1, Err: err})
			return
		}
		next := 1 + lines(header) // where the next row begins, empty lines before it aside
		for {
			bound.left = maxLine + 1
			cells, err := c.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil { // the reader knows no place of the first cell now, and asking for it panics
				yield(csvFault(next, err))
				return
			}
			line, _ := c.FieldPos(0)
			next = line + lines(cells)
			row := Row{N: line}
			switch {
			case len(cells) != len(columns):
				row.Err = protocol.Errors{protocol.Errorf(protocol.CodeLength, "", "%d cells under %d columns: is a quote or a comma missing?", len(cells), len(columns))}
			default:
				row = csvRow(line, columns, cells)
			}
			if !yield(row) {
				return
			}
		}
	}
}

// lines is how many lines of the file a row takes.
func lines(cells []string) int {
	n := 1
	for _, cell := range cells {
		n += strings.Count(cell, "\n")
	}
	return n
}

// csvFault ends a file at a row that could not be read; n is its line, as far as that is known without the fault.
func csvFault(n int, err error) Row {
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		return Row{N: bad.StartLine, Err: protocol.Errorf(protocol.CodeText, "", "%v; nothing after it was read", err)}
	case errors.Is(err, errRowTooLong):
		return Row{N: n, Err: protocol.Errorf(protocol.CodeTooLarge, "", "the row that begins in line %d is over %d KiB: is a quote not closed? Nothing after it was read", n, maxLine>>10)}
	}
	return Row{N: n, Err: unread(err)}
}

var errRowTooLong = errors.New("row too long")

// rowBound ends a file in errRowTooLong where more than left bytes are asked for. Set before each row, it keeps a quote
// that is never closed from drawing in the rest of the file; csv.Reader's buffer is what a row may have beyond it.
type rowBound struct {
	r    io.Reader
	left int
}

func (b *rowBound) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errRowTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// A column of a CSV file and where its cells belong in the JSON form.
type column struct {
	name string
	lang string // of text columns
	list bool   // cells hold several values, separated by ;
	num  bool
	path []string
}

// plainColumns are those without a language.
func plainColumns() map[string]column {
	m := map[string]column{}
	for _, name := range []string{"id", "kind", "country", "region", "published", "valid_until", "url"} {
		m[name] = column{path: []string{name}}
	}
	for _, name := range []string{"name", "type", "size"} {
		m["organisation_"+name] = column{path: []string{"organisation", name}}
	}
	for _, name := range []string{"ipr", "cooperation", "ford", "isic", "ipc"} {
		m[name] = column{path: []string{name}, list: true}
	}
	m["seeks_types"] = column{path: []string{"seeks", "types"}, list: true}
	m["seeks_countries"] = column{path: []string{"seeks", "countries"}, list: true}
	m["trl"] = column{path: []string{"trl"}, num: true}
	m["sdg"] = column{path: []string{"sdg"}, list: true, num: true}
	m["demonstration"] = column{path: []string{"demonstration"}}
	return m
}

func parseHeader(header []string) ([]column, error) {
	if len(header) == 1 && strings.Contains(header[0], ";") {
		return nil, protocol.Errors{protocol.Errorf(protocol.CodeText, "", "the columns are separated by semicolons: save the file with commas, and write ; only between the values of one cell")}
	}
	known := plainColumns()
	var columns []column
	var faults protocol.Errors
	seen := map[string]bool{}
	for _, h := range header {
		name := strings.ToLower(strings.TrimSpace(h))
		col, ok := known[name]
		if part, lang, text := strings.Cut(name, "_"); !ok && text {
			switch part {
			case "title", "value", "abstract", "keywords":
				col, ok = column{lang: lang, path: []string{part}, list: part == "keywords"}, true
			}
		}
		if !ok {
			faults = append(faults, protocol.Errorf(protocol.CodeUnknown, clip(name), "is no column of a listing%s; texts are title_th, value_th, abstract_th, keywords_th for Thai", nearest(name, keysOf(known))))
		}
		if seen[name] {
			faults = append(faults, protocol.Errorf(protocol.CodeRepeated, clip(name), "stands twice"))
		}
		seen[name] = true
		col.name = name
		columns = append(columns, col)
	}
	if faults != nil {
		return nil, faults
	}
	return columns, nil
}

func keysOf(m map[string]column) []string {
	var names []string
	for k := range m {
		names = append(names, k)
	}
	return names
}

// csvRow writes the row in JSON form and lets that form's door judge it.
func csvRow(n int, columns []column, cells []string) Row {
	listing, texts := map[string]any{}, map[string]map[string]any{}
	row := Row{N: n}
	for i, col := range columns {
		cell := strings.TrimSpace(cells[i])
		if cell == "" {
			continue
		}
		if !utf8.ValidString(cell) {
			row.Err = protocol.Errors{protocol.Errorf(protocol.CodeText, col.name, "is not UTF-8: save the file as “CSV UTF-8”")}
			return row
		}
		if col.name == "id" {
			row.ID = clip(cell)
		}
		into := listing
		if col.lang != "" {
			if texts[col.lang] == nil {
				texts[col.lang] = map[string]any{}
			}
			into = texts[col.lang]
		}
		path := col.path
		if len(path) == 2 {
			if into[path[0]] == nil {
				into[path[0]] = map[string]any{}
			}
			into, path = into[path[0]].(map[string]any), path[1:]
		}
		into[path[0]] = col.value(cell)
	}
	if len(texts) > 0 {
		listing["texts"] = texts
	}
	b, err := json.Marshal(listing)
	if err != nil {
		row.Err = protocol.Errors{protocol.Errorf(protocol.CodeText, "", "the row is not readable text")}
		return row
	}
	row.Listing, row.Err = DecodeListingJSON(b)
	return row
}

func (c column) value(cell string) any {
	if c.list {
		var list []any
		for _, part := range strings.Split(cell, ";") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, c.single(part))
			}
		}
		return list
	}
	return c.single(cell)
}

func (c column) single(s string) any {
	if n, err := strconv.Atoi(s); c.num && err == nil {
		return n
	}
	if c.name == "demonstration" {
		switch strings.ToLower(s) {
		case "true", "yes", "1":
			return true
		case "false", "no", "0":
			return false
		}
	}
	return s
}
