package table

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// WriteErrors writes the rows of a file that were refused, in its own format and order, each with the reasons in the column or
// member ErrorColumn: a person corrects them there and sends that file in. faults says of row N whether it was refused, and
// why. A row that could not be taken apart stands in the first column, or the member tmh_line, as far as it is text; and where
// the file cannot be read to its end, the rows up to there are written and the error is given.
func WriteErrors(w io.Writer, path string, f Format, l Limits, faults func(n int) (text string, refused bool)) error {
	r, err := Open(path, f, l)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, is := r.src.(*jsonSource); is {
		return r.writeLines(w, faults)
	}
	var out sink
	names := append(r.Names(), ErrorColumn)
	if c, ok := r.src.(*csvSource); ok {
		to := &csvSink{w: bufio.NewWriter(w), separator: c.separator}
		out, err = to, to.begin(names)
	} else {
		out, err = newSheetSink(w, names)
	}
	if err != nil {
		return err
	}
	end := r.refused(faults, func(rec record, text string) error {
		if r.errors >= 0 && len(rec.cells) > r.errors {
			rec.cells = slices.Delete(rec.cells, r.errors, r.errors+1)
		}
		if rec.cells == nil {
			rec.cells = []string{string(rec.raw)}
		}
		for len(rec.cells) < len(names)-1 {
			rec.cells = append(rec.cells, "")
		}
		return out.row(append(rec.cells, text))
	})
	return errors.Join(end, out.close())
}

// refused gives each refused row, and the error that ended the file early.
func (r *Reader) refused(faults func(int) (string, bool), write func(record, string) error) error {
	for {
		rec, err := r.nextRecord()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if text, is := faults(rec.n); is {
			if err := write(rec, text); err != nil {
				return err
			}
		}
	}
}

// writeLines leaves the bytes of an object as they are, but for the member that it adds.
func (r *Reader) writeLines(w io.Writer, faults func(int) (string, bool)) error {
	out := bufio.NewWriter(w)
	end := r.refused(faults, func(rec record, text string) error {
		line := rec.raw
		if from, to := rec.cut[0], rec.cut[1]; to > 0 { // of an earlier time
			head, tail := line[:from], line[to:]
			if string(bytes.TrimSpace(head)) == "{" {
				tail = bytes.TrimPrefix(bytes.TrimSpace(tail), []byte(","))
			}
			line = slices.Concat(head, tail)
		}
		var b bytes.Buffer
		if utf8.Valid(line) && json.Valid(line) && line[0] == '{' {
			body := bytes.TrimSuffix(line, []byte("}"))
			b.Write(body)
			if last := bytes.TrimSpace(body); last[len(last)-1] != '{' {
				b.WriteByte(',')
			}
		} else {
			b.WriteString(`{"tmh_line":`)
			b.Write(jsonText(strings.ToValidUTF8(string(line), "\uFFFD")))
			b.WriteByte(',')
		}
		b.Write(jsonText(ErrorColumn))
		b.WriteByte(':')
		b.Write(jsonText(text))
		b.WriteString("}\n")
		_, err := out.Write(b.Bytes())
		return err
	})
	return errors.Join(end, out.Flush())
}
