package table

import (
	"errors"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// Reader reads one file, row by row. It is for one goroutine.
type Reader struct {
	file    *os.File
	limits  Limits
	src     source
	columns []string // of the header, ErrorColumn among them
	errors  int      // which column is ErrorColumn; -1: none
	rows    int
	end     error // what ended the file
}

// source is a file of one format.
type source interface {
	next() (record, error) // io.EOF after the last
	done() (read, size int64)
	close() error
}

// record is a row as its source gives it: cells by column, or fields with the text that they were read from.
type record struct {
	n      int
	cells  []string
	sparse bool // cells that are missing at the end are empty ones
	fields []Field
	faults protocol.Errors
	raw    []byte // JSON Lines: the line, valid until the next one. CSV: the line that could not be read
	cut    [2]int // where in raw the member ErrorColumn stands, its comma included
}

// Open opens a file in format f; "" detects it. The caller closes the Reader. Faults of a header come all at once, as
// protocol.Errors.
func Open(path string, f Format, l Limits) (*Reader, error) {
	l = l.filled()
	file, err := os.Open(path)
	if err != nil {
		return nil, unread(err)
	}
	r := &Reader{file: file, limits: l, errors: -1}
	if err := r.open(f); err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Reader) open(f Format) error {
	info, err := r.file.Stat()
	if err != nil {
		return unread(err)
	}
	if info.Size() > r.limits.File {
		return protocol.Errorf(protocol.CodeTooLarge, "", "the file has %s, at most %s are taken: split it", size(info.Size()), size(r.limits.File))
	}
	if f == "" {
		if f, err = detect(r.file, r.file.Name()); err != nil {
			return err
		}
	}
	switch f {
	case CSV:
		src, err := newCSVSource(r.file, info.Size(), r.limits)
		if err != nil {
			return err
		}
		r.src = src
	case JSONL:
		r.src = newJSONSource(r.file, info.Size(), r.limits)
		return nil
	case XLSX:
		src, err := newSheetSource(r.file, info.Size(), r.limits)
		if err != nil {
			return err
		}
		r.src = src
	default:
		return noFormat(f)
	}
	return r.header()
}

// header reads the names of the columns, and tells everything that is wrong with them at once.
func (r *Reader) header() error {
	rec, err := r.src.next()
	switch {
	case errors.Is(err, io.EOF):
		return protocol.Errorf(protocol.CodeRequired, "", "the table is empty: its first row must name the columns")
	case err != nil:
		return err
	case rec.faults != nil:
		return rec.faults
	}
	names := rec.cells
	for len(names) > 0 && strings.TrimSpace(names[len(names)-1]) == "" {
		names = names[:len(names)-1]
	}
	if len(names) > r.limits.Columns {
		return protocol.Errors{protocol.Errorf(protocol.CodeTooLarge, "", "%d columns, at most %d", len(names), r.limits.Columns)}
	}
	var faults protocol.Errors
	seen := make(map[string]string, len(names))
	for i, name := range names {
		name = strings.TrimSpace(unguard(name))
		folded := strings.ToLower(name)
		first, twice := seen[folded]
		switch {
		case name == "":
			faults = append(faults, protocol.Errorf(protocol.CodeRequired, "column "+letters(i+1), "has no name: name it in the first row, or delete it"))
		case !utf8.ValidString(name):
			faults = append(faults, notUTF8("column "+letters(i+1)))
		case len(name) > maxName || strings.ContainsFunc(name, unicode.IsControl):
			faults = append(faults, protocol.Errorf(protocol.CodeValue, "column "+letters(i+1), "“%s” is no name of a column: at most %d bytes in one line", clip(name), maxName))
		case twice:
			faults = append(faults, protocol.Errorf(protocol.CodeRepeated, name, "column %s has the same name as column %s: give each its own", letters(i+1), first))
		default:
			seen[folded] = letters(i + 1)
		}
		if folded == ErrorColumn && !twice {
			r.errors = i
		}
		r.columns = append(r.columns, name)
	}
	if faults != nil {
		return faults
	}
	return nil
}

// maxName bounds the name of a column or member, in bytes.
const maxName = 200

// Names of the columns, in order; nil of JSON Lines, where each row has its own.
func (r *Reader) Names() []string {
	if r.errors < 0 {
		return append([]string(nil), r.columns...)
	}
	names := make([]string, 0, len(r.columns))
	return append(append(names, r.columns[:r.errors]...), r.columns[r.errors+1:]...)
}

// Next row; io.EOF after the last. Any other error says why the rest of the file cannot be read, and stays.
func (r *Reader) Next() (Row, error) {
	rec, err := r.nextRecord()
	if err != nil {
		return Row{}, err
	}
	row := Row{N: rec.n, Fields: rec.fields}
	if rec.faults != nil {
		return Row{N: rec.n, Err: rec.faults}, nil
	}
	if rec.cells != nil {
		row.Fields = make([]Field, 0, len(r.columns))
		for i, name := range r.columns {
			if i != r.errors {
				row.Fields = append(row.Fields, Field{Name: name, Value: rec.cells[i]})
			}
		}
	}
	return row, nil
}

// nextRecord judges the cells of a row. A row with faults keeps the cells that it has.
func (r *Reader) nextRecord() (record, error) {
	if r.end != nil {
		return record{}, r.end
	}
	rec, err := r.src.next()
	if err == nil && r.rows >= r.limits.Rows {
		err = protocol.Errorf(protocol.CodeTooLarge, "", "the file has more than %d rows; nothing after row %d was read: split it", r.limits.Rows, rec.n-1)
	}
	if err != nil {
		r.end = err
		return record{}, err
	}
	r.rows++
	if rec.cells != nil {
		r.judge(&rec)
	}
	return rec, nil
}

func (r *Reader) judge(rec *record) {
	if n := len(r.columns); len(rec.cells) > n {
		extra := rec.cells[n:]
		for len(extra) > 0 && extra[len(extra)-1] == "" {
			extra = extra[:len(extra)-1]
		}
		rec.cells = rec.cells[:n+len(extra)]
	} else if len(rec.cells) < n && (rec.sparse || len(rec.cells) == n-1 && r.errors == n-1) {
		rec.cells = append(rec.cells, make([]string, n-len(rec.cells))...)
	}
	switch n := len(r.columns); {
	case len(rec.cells) > n && rec.sparse:
		rec.faults = append(rec.faults, protocol.Errorf(protocol.CodeLength, "", "cell %s%d stands under no column: name the column in the first row, or empty the cell", letters(len(rec.cells)), rec.n))
	case len(rec.cells) != n && rec.faults == nil:
		rec.faults = protocol.Errors{protocol.Errorf(protocol.CodeLength, "", "%d cells under %d columns: is a quote or a separator missing, or one too many?", len(rec.cells), n)}
	}
	for i, cell := range rec.cells {
		if !utf8.ValidString(cell) {
			rec.faults = append(rec.faults, notUTF8(r.columnName(i)))
		}
		rec.cells[i] = unguard(cell)
	}
}

func (r *Reader) columnName(i int) string {
	if i < len(r.columns) {
		return r.columns[i]
	}
	return "column " + letters(i+1)
}

// Done says how much of the file was read, in a measure of the format's own: only the ratio has a meaning.
func (r *Reader) Done() (read, size int64) { return r.src.done() }

// Close closes the file and removes what it needed for a time.
func (r *Reader) Close() error {
	var err error
	if r.src != nil {
		err = r.src.close()
	}
	return errors.Join(err, r.file.Close())
}

func noFormat(f Format) *protocol.Error {
	return protocol.Errorf(protocol.CodeValue, "format", "%q is no format of a table: take csv, xlsx or jsonl", clip(string(f)))
}

func unread(err error) *protocol.Error {
	return &protocol.Error{Code: protocol.CodeUnavailable, Message: "the file could not be read to its end", Err: err}
}

func notUTF8(field string) *protocol.Error {
	return protocol.Errorf(protocol.CodeText, field, "is not UTF-8: save the file as “CSV UTF-8”, in a text editor choose the encoding UTF-8")
}

// clip shortens what a message quotes.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= 60 {
		return s
	}
	return string([]rune(s)[:60]) + "…"
}

// letters names the nth column as spreadsheets do: A, Z, AA.
func letters(n int) string {
	var b []byte
	for ; n > 0; n = (n - 1) / 26 {
		b = append([]byte{byte('A' + (n-1)%26)}, b...)
	}
	return string(b)
}
