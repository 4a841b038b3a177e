// Package table reads and writes tables in files: CSV, XLSX and JSON Lines. A file may come from anybody: everything that is
// read of it is bounded, and what is written can be opened in a spreadsheet without running anything.
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

// Limits of what is read of one file.
type Limits struct {
	File     int64 // bytes of the file
	Unpacked int64 // bytes of an XLSX when unpacked
	Rows     int
	Columns  int
	Row      int // bytes of all cells of a row
}

// DefaultLimits fit a million listings.
func DefaultLimits() Limits {
	return Limits{File: 1 << 30, Unpacked: 4 << 30, Rows: 2_000_000, Columns: 500, Row: protocol.MaxFullRecord + 256<<10}
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
