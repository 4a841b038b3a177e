package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// jsonSource reads one object a line.
type jsonSource struct {
	*lines
	most int // fields of one row
}

// fieldsPerColumn is how many values a member may have on average, where a row of cells has one.
const fieldsPerColumn = 20

func newJSONSource(f *os.File, size int64, l Limits) *jsonSource {
	return &jsonSource{lines: newLines(f, size, l.Row), most: fieldsPerColumn * l.Columns}
}

func (s *jsonSource) close() error { return nil }

func (s *jsonSource) next() (record, error) {
	for {
		text, used, fits, err := s.line(false)
		if err != nil {
			return record{}, err
		}
		if used == 0 {
			return record{}, io.EOF
		}
		rec := record{n: s.n}
		if !fits {
			rec.raw = append([]byte(nil), text[:rowRoom]...)
			rec.faults = protocol.Errors{protocol.Errorf(protocol.CodeTooLarge, "", "the line is over %d KiB", (s.max-rowRoom)>>10)}
			return rec, s.skipLine(false)
		}
		s.use(used, 1)
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		rec.raw = text
		if rec.fields, rec.cut, rec.faults = flatten(text, s.most); rec.faults != nil {
			rec.fields = nil
		}
		return rec, nil
	}
}

// maxDepth bounds objects and lists in each other.
const maxDepth = 16

// flatten takes an object apart: members of members get dotted names, each value of a list is a field of its own.
func flatten(line []byte, most int) ([]Field, [2]int, protocol.Errors) {
	fault := func(code protocol.Code, format string, args ...any) ([]Field, [2]int, protocol.Errors) {
		return nil, [2]int{}, protocol.Errors{protocol.Errorf(code, "", format, args...)}
	}
	if !utf8.Valid(line) {
		return nil, [2]int{}, protocol.Errors{notUTF8("")}
	}
	if !json.Valid(line) {
		var syntax *json.SyntaxError
		err := json.Unmarshal(line, new(json.RawMessage))
		switch {
		case errors.As(err, &syntax) && strings.HasPrefix(syntax.Error(), "unexpected end"):
			return fault(protocol.CodeText, "the line ends before its object does: write each object in one line")
		case errors.As(err, &syntax) && strings.HasSuffix(syntax.Error(), "after top-level value"):
			return fault(protocol.CodeText, "something follows the object: each line is one object in braces")
		case errors.As(err, &syntax):
			return fault(protocol.CodeText, "the line is no JSON object (%s, at byte %d)", clip(syntax.Error()), syntax.Offset)
		}
		return fault(protocol.CodeText, "the line is no JSON object")
	}
	if line[0] != '{' {
		return fault(protocol.CodeValue, "the line is no object: each line is one object in braces")
	}
	o := flat{s: string(line), most: most, fields: make([]Field, 0, 16)}
	if fault := o.members("", 1); fault != nil {
		o.faults = append(o.faults, fault)
	}
	return o.fields, o.cut, o.faults
}

// flat walks over JSON that is known to be valid.
type flat struct {
	s      string
	i      int
	most   int
	fields []Field
	faults protocol.Errors
	cut    [2]int
}

// blank passes over white space, and any commas and colons, which say nothing that is not known.
func (o *flat) blank() byte {
	for strings.IndexByte(" \t\r\n,:", o.s[o.i]) >= 0 {
		o.i++
	}
	return o.s[o.i]
}

// text reads a string.
func (o *flat) text() string {
	from := o.i
	for o.i++; o.s[o.i] != '"'; o.i++ {
		if o.s[o.i] == '\\' {
			o.i++
		}
	}
	o.i++
	inner := o.s[from+1 : o.i-1]
	if strings.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var s string
	_ = json.Unmarshal([]byte(o.s[from:o.i]), &s) // it is valid
	return s
}

func (o *flat) members(name string, depth int) *protocol.Error {
	o.i++
	seen := make(map[string]bool, 8)
	for before := o.i; o.blank() != '}'; before = o.i {
		key := o.text()
		if seen[key] {
			if len(o.faults) >= 100 {
				return protocol.Errorf(protocol.CodeTooLarge, "", "the row has more faults than these")
			}
			o.faults = append(o.faults, protocol.Errorf(protocol.CodeRepeated, clip(name+key), "stands twice in one object"))
		}
		seen[key] = true
		full := name + key
		if len(full) > maxName {
			return protocol.Errorf(protocol.CodeTooLarge, clip(full), "the name of a member has over %d bytes, those that it stands in included", maxName)
		}
		have := len(o.fields)
		if fault := o.value(full, depth); fault != nil {
			return fault
		}
		if full == ErrorColumn && depth == 1 {
			o.fields = o.fields[:have]
			o.cut = [2]int{before, o.i}
		}
	}
	o.i++
	return nil
}

func (o *flat) value(name string, depth int) *protocol.Error {
	var value string
	switch c := o.blank(); c {
	case '{', '[':
		if depth++; depth > maxDepth {
			return protocol.Errorf(protocol.CodeTooLarge, clip(name), "over %d objects and lists in each other", maxDepth)
		}
		if c == '{' {
			return o.members(name+".", depth)
		}
		for o.i++; o.blank() != ']'; {
			if fault := o.value(name, depth); fault != nil {
				return fault
			}
		}
		o.i++
		return nil
	case '"':
		value = o.text()
	default:
		n := strings.IndexAny(o.s[o.i:], " \t\r\n,]}")
		value = o.s[o.i : o.i+n]
		if o.i += n; value == "null" {
			return nil
		}
	}
	if len(o.fields) >= o.most {
		return protocol.Errorf(protocol.CodeTooLarge, "", "the row has over %d values", o.most)
	}
	o.fields = append(o.fields, Field{Name: name, Value: value})
	return nil
}
