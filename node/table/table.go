// Package table reads and writes tables in files: CSV, XLSX and JSON Lines. A file may come from anybody: everything that is
// read of it is bounded, and what is written can be opened in a spreadsheet without running anything.
//
// A row that cannot be read comes as a Row with Err, and the rows after it are read. What ends a file before its end is an
// error of Open or Next; io.EOF alone means that nothing is missing.
//
// Cells that a spreadsheet would take for a formula (they begin with = + - @, a tab or a line break) are written to CSV with a
// guarding ' before them, and the guard is taken off in reading: what is written is what is read again. XLSX tells text from
// formulas itself; there the guard is only taken off. JSON Lines has none.
package table

import (
	"github.com/asean-tmh/tmh/protocol"
)

// Format of a file.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	XLSX  Format = "xlsx"
	JSONL Format = "jsonl"
)

// Formats that can be read and written.
func Formats() []Format { return []Format{CSV, XLSX, JSONL} }

// ErrorColumn is the column, or member, in which WriteErrors says why a row was refused. Reading a file passes over it.
const ErrorColumn = "tmh_errors"

// Limits of what is read of one file. Zero takes the value of DefaultLimits.
type Limits struct {
	File     int64 // bytes of the file
	Unpacked int64 // bytes of an XLSX when unpacked
	Rows     int
	Columns  int
	Row      int    // bytes of all cells of a row
	Temp     string // folder for temporary files of an XLSX; "" is the system's
	Sheet    string // of an XLSX; "" is the first that is not hidden
}

// DefaultLimits fit a million listings.
func DefaultLimits() Limits {
	return Limits{File: 1 << 30, Unpacked: 4 << 30, Rows: 2_000_000, Columns: 500, Row: protocol.MaxFullRecord + 256<<10}
}

func (l Limits) filled() Limits {
	d := DefaultLimits()
	fill(&l.File, d.File)
	fill(&l.Unpacked, d.Unpacked)
	fill(&l.Rows, d.Rows)
	fill(&l.Columns, d.Columns)
	fill(&l.Row, d.Row)
	return l
}

func fill[T int | int64](have *T, standard T) {
	if *have <= 0 {
		*have = standard
	}
}

// Row of a table, or record of a repository: what stands under every name, in the order of the source.
type Row struct {
	N       int    // from 1, as the sender's editor or spreadsheet counts: a header is row 1
	ID      string // of a repository's record; "" of a file's row, where a mapping says which column it is
	Deleted bool   // a repository says that it is no more
	Fields  []Field
	Err     error // protocol.Errors: why the row cannot be read; the rows after it can
}

// Field of a row. A name may come several times, each with a value of its own.
type Field struct {
	Name, Value string
	Lang        string // that the source declares, as it writes it; mostly ""
}
