package table

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// Writer writes one table, row by row, and holds none of it. It is for one goroutine.
type Writer struct {
	names []string
	out   sink
}

// sink writes rows in one format.
type sink interface {
	row(cells []string) error
	close() error
}

// NewWriter begins a table with the names of its columns. The Writer does not close w.
func NewWriter(w io.Writer, f Format, names []string) (*Writer, error) {
	t := &Writer{names: append([]string(nil), names...)}
	switch f {
	case CSV:
		c := &csvSink{w: bufio.NewWriter(w), separator: ','}
		t.out = c
		return t, c.begin(t.names)
	case XLSX:
		x, err := newSheetSink(w, t.names)
		t.out = x
		return t, err
	case JSONL:
		t.out = &jsonSink{w: bufio.NewWriter(w), names: t.names}
		return t, nil
	}
	return nil, noFormat(f)
}

// Write writes a row: a cell for each name. In JSON Lines it is an object of texts, without those that are empty.
func (t *Writer) Write(cells []string) error {
	if len(cells) != len(t.names) {
		return protocol.Errorf(protocol.CodeLength, "", "%d cells for %d columns", len(cells), len(t.names))
	}
	return t.out.row(cells)
}

// Close ends the table. Without it the file is not whole.
func (t *Writer) Close() error { return t.out.close() }

type csvSink struct {
	w         *bufio.Writer
	separator byte
}

// begin writes the mark by which spreadsheets know UTF-8.
func (c *csvSink) begin(names []string) error {
	_, _ = c.w.WriteString("\xef\xbb\xbf")
	return c.row(names)
}

// row ends in CR LF, as RFC 4180 has it. An error of the buffer stays, so the last one tells.
func (c *csvSink) row(cells []string) error {
	for i, cell := range cells {
		if i > 0 {
			_ = c.w.WriteByte(c.separator)
		}
		cell = guard(strings.ToValidUTF8(cell, "\uFFFD"))
		if cell == "" && len(cells) > 1 || cell != "" && !strings.ContainsAny(cell, ",;\t|\"\r\n") && cell[0] != ' ' && cell[len(cell)-1] != ' ' {
			_, _ = c.w.WriteString(cell)
			continue
		}
		_ = c.w.WriteByte('"')
		_, _ = c.w.WriteString(strings.ReplaceAll(cell, `"`, `""`))
		_ = c.w.WriteByte('"')
	}
	_, err := c.w.WriteString("\r\n")
	return err
}

func (c *csvSink) close() error { return c.w.Flush() }

type jsonSink struct {
	w     *bufio.Writer
	names []string
	buf   bytes.Buffer
}

func (j *jsonSink) row(cells []string) error {
	j.buf.Reset()
	j.buf.WriteByte('{')
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		if j.buf.Len() > 1 {
			j.buf.WriteByte(',')
		}
		j.buf.Write(jsonText(j.names[i]))
		j.buf.WriteByte(':')
		j.buf.Write(jsonText(cell))
	}
	j.buf.WriteString("}\n")
	_, err := j.w.Write(j.buf.Bytes())
	return err
}

func (j *jsonSink) close() error { return j.w.Flush() }

// jsonText is s as a JSON string, readable as far as that is safe.
func jsonText(s string) []byte {
	special := func(r rune) bool {
		return r < ' ' || r == '"' || r == '\\' || r == utf8.RuneError || r == '\u2028' || r == '\u2029'
	}
	if !strings.ContainsFunc(s, special) {
		return append(append(append(make([]byte, 0, len(s)+2), '"'), s...), '"')
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
