package table

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

const (
	maxSheetRows    = 1 << 20 // of a sheet, by the format
	maxSheetColumns = 1 << 14
	maxStyles       = 1 << 16
)

// rowBudget is how much XML a row may be: its cells, and what stands around them.
func rowBudget(l Limits) int64 { return int64(2*l.Row + 256*l.Columns + 64<<10) }

// sheetSource reads one sheet of a workbook.
type sheetSource struct {
	e        *elements
	strings  *shared
	styles   []style
	from1904 bool
	limits   Limits
	row      int // number of the last one
	ended    bool
}

func newSheetSource(f *os.File, size int64, l Limits) (_ *sheetSource, err error) {
	b, err := openBook(f, size, l)
	if err != nil {
		return nil, err
	}
	s := &sheetSource{limits: l}
	defer func() {
		if err != nil {
			_ = s.close()
		}
		if errors.Is(err, errBound) {
			err = notWorkbook("a part of it is too large")
		}
	}()
	top, err := b.relations("")
	if err != nil {
		return nil, err
	}
	name := "xl/workbook.xml"
	for _, r := range top {
		if strings.HasSuffix(r.kind, "/officeDocument") {
			name = r.target
		}
	}
	if strings.HasSuffix(name, ".bin") {
		return nil, refuse("is a binary workbook (.xlsb): save it as .xlsx")
	}
	rels, err := b.relations(name)
	if err != nil {
		return nil, err
	}
	sheet, err := s.workbook(b, name, rels)
	if err != nil {
		return nil, err
	}
	for _, r := range rels {
		switch {
		case strings.HasSuffix(r.kind, "/sharedStrings") && s.strings == nil:
			s.strings, err = readShared(b, r.target, l)
		case strings.HasSuffix(r.kind, "/styles") && s.styles == nil:
			err = s.readStyles(b, r.target)
		}
		if err != nil {
			return nil, err
		}
	}
	if s.strings == nil {
		s.strings = &shared{}
	}
	if s.e, err = b.open(sheet, rowBudget(l)); err == nil && s.e == nil {
		err = notWorkbook("its sheet is missing")
	}
	if err != nil {
		return nil, err
	}
	if err = s.begin(); err != nil {
		return nil, err
	}
	return s, nil
}

// relation says which part another one needs, and what for.
type relation struct{ id, kind, target string }

func (b *book) relations(of string) ([]relation, error) {
	var all []relation
	folder := path.Dir(of)
	e, err := b.open(path.Join(folder, "_rels", path.Base("/"+of)+".rels"), maxSmallPart)
	if of == "" {
		e, err = b.open("_rels/.rels", maxSmallPart)
	}
	if e == nil || err != nil {
		return nil, err
	}
	defer e.Close()
	err = e.each(func(el xml.StartElement) error {
		if el.Name.Local != "Relationship" || attr(el, "TargetMode", false) == "External" {
			return nil
		}
		target := strings.ReplaceAll(attr(el, "Target", false), `\`, "/")
		if !strings.HasPrefix(target, "/") {
			target = path.Join(folder, target)
		}
		if all = append(all, relation{attr(el, "Id", false), attr(el, "Type", false), target}); len(all) > maxParts {
			return notWorkbook("it has too many parts")
		}
		return nil
	})
	return all, err
}

// each gives every element's beginning.
func (e *elements) each(f func(xml.StartElement) error) error {
	for {
		t, err := e.token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if el, ok := t.(xml.StartElement); ok && err == nil {
			err = f(el)
		}
		if err != nil {
			return err
		}
	}
}

// workbook finds the sheet that is asked for.
func (s *sheetSource) workbook(b *book, name string, rels []relation) (string, error) {
	e, err := b.open(name, maxSmallPart)
	if err == nil && e == nil {
		err = notWorkbook("it has no workbook in it")
	}
	if err != nil {
		return "", err
	}
	defer e.Close()
	var names []string
	found := ""
	err = e.each(func(el xml.StartElement) error {
		switch el.Name.Local {
		case "workbookPr":
			v := attr(el, "date1904", false)
			s.from1904 = v == "1" || v == "true"
		case "sheet":
			for _, r := range rels {
				if r.id == attr(el, "id", true) && strings.HasSuffix(r.kind, "/worksheet") {
					title := attr(el, "name", false)
					hidden := strings.Contains(strings.ToLower(attr(el, "state", false)), "hidden")
					if names = append(names, "“"+clip(title)+"”"); found == "" && (title == s.limits.Sheet || s.limits.Sheet == "" && !hidden) {
						found = r.target
					}
				}
			}
			if len(names) > 1000 {
				return notWorkbook("it has over 1000 sheets")
			}
		}
		return nil
	})
	if err != nil || found != "" {
		return found, err
	}
	if s.limits.Sheet == "" {
		return "", notWorkbook("it has no sheet that is not hidden")
	}
	return "", protocol.Errorf(protocol.CodeNotFound, "sheet", "the workbook has no sheet “%s”; its sheets are %s", clip(s.limits.Sheet), clip(strings.Join(names, ", ")))
}

// begin passes over what stands before the rows.
func (s *sheetSource) begin() error {
	for {
		s.e.left = rowBudget(s.limits)
		t, err := s.e.token()
		if err != nil {
			return noEnd(err)
		}
		if el, ok := t.(xml.StartElement); ok && el.Name.Local == "sheetData" {
			return nil
		}
	}
}

func (s *sheetSource) next() (record, error) {
	rec, err := s.nextRow()
	if errors.Is(err, errBound) {
		err = protocol.Errorf(protocol.CodeTooLarge, "", "what follows row %d is over %d KiB; nothing after that row was read", s.row, s.limits.Row>>10)
	}
	return rec, err
}

func (s *sheetSource) nextRow() (record, error) {
	for !s.ended {
		s.e.left = rowBudget(s.limits)
		t, err := s.e.token()
		if err != nil {
			return record{}, noEnd(err)
		}
		switch el := t.(type) {
		case xml.EndElement: // of sheetData: rows close themselves
			if err := s.e.drain(); err != nil {
				return record{}, err
			}
			s.ended = true
		case xml.StartElement:
			if el.Name.Local != "row" {
				if err := s.e.skip(); err != nil {
					return record{}, err
				}
				continue
			}
			rec, err := s.readRow(el)
			if errors.Is(err, errBound) {
				err = protocol.Errorf(protocol.CodeTooLarge, "", "row %d is over %d KiB; nothing from it on was read", s.row, s.limits.Row>>10)
			}
			if err != nil || len(rec.cells) > 0 || rec.faults != nil {
				return rec, err
			}
		}
	}
	return record{}, io.EOF
}

func (s *sheetSource) readRow(el xml.StartElement) (record, error) {
	n := s.row + 1
	if ref := attr(el, "r", false); ref != "" {
		var err error
		if n, err = strconv.Atoi(ref); err != nil || n <= s.row {
			return record{}, notWorkbook("its rows are not in order")
		}
	}
	if n > maxSheetRows {
		return record{}, notWorkbook("it has more rows than a sheet may have")
	}
	s.row = n
	rec := record{n: n, sparse: true, cells: []string{}}
	last, size := 0, 0
	for to := s.e.depth - 1; s.e.depth > to; {
		t, err := s.e.token()
		if err != nil {
			return record{}, noEnd(err)
		}
		el, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if el.Name.Local != "c" {
			if err := s.e.skip(); err != nil {
				return record{}, err
			}
			continue
		}
		at := last + 1
		if ref := attr(el, "r", false); ref != "" {
			at = column(ref)
		}
		if at <= last || at > maxSheetColumns {
			return record{}, notWorkbook("its cells are not in order")
		}
		last = at
		if size > s.limits.Row { // it is refused anyway
			if err := s.e.skip(); err != nil {
				return record{}, err
			}
			continue
		}
		text, fault, err := s.readCell(el)
		if err != nil {
			return record{}, err
		}
		if fault != "" && len(rec.faults) < 100 {
			rec.faults = append(rec.faults, protocol.Errorf(protocol.CodeValue, "", "cell %s%d %s", letters(at), n, fault))
		}
		if size += len(text); text == "" || size > s.limits.Row {
			continue
		}
		for len(rec.cells) < at-1 {
			rec.cells = append(rec.cells, "")
		}
		rec.cells = append(rec.cells, text)
	}
	if size > s.limits.Row {
		rec.faults = append(rec.faults, protocol.Errorf(protocol.CodeTooLarge, "", "the row is over %d KiB", s.limits.Row>>10))
	}
	return rec, nil
}

// readCell gives a cell's text, or what is wrong with it. Of a formula it is the value that was stored with it.
func (s *sheetSource) readCell(el xml.StartElement) (text, fault string, err error) {
	kind := attr(el, "t", false)
	of := 0
	if ref := attr(el, "s", false); ref != "" {
		of, _ = strconv.Atoi(ref)
	}
	value, hasValue, formula := "", false, false
	for to := s.e.depth - 1; s.e.depth > to; {
		t, err := s.e.token()
		if err != nil {
			return "", "", noEnd(err)
		}
		part, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch part.Name.Local {
		case "v":
			value, err = s.e.text()
			hasValue = true
		case "is":
			text, err = s.e.richText()
		case "f":
			formula = true
			err = s.e.skip()
		default:
			err = s.e.skip()
		}
		if err != nil {
			return "", "", err
		}
	}
	switch {
	case formula && (!hasValue || value == "" && kind != "str"):
		return "", "has a formula whose result is not stored: open the file in a spreadsheet, save it and upload it again, or paste the values", nil
	case kind == "inlineStr":
		return text, "", nil
	case value == "" && kind != "str":
		return "", "", nil
	}
	switch kind {
	case "s":
		text, err = s.strings.string(strings.TrimSpace(value))
		return text, "", err
	case "str":
		return unescape(value), "", nil
	case "b":
		return strconv.FormatBool(strings.TrimSpace(value) != "0" && value != "false"), "", nil
	case "e":
		return "", "shows the error " + clip(value) + ": correct it", nil
	case "d":
		return isoDate(strings.TrimSpace(value)), "", nil
	}
	var by style
	if of >= 0 && of < len(s.styles) {
		by = s.styles[of]
	}
	text, ok := number(value, by, s.from1904)
	if !ok {
		return "", "holds “" + clip(value) + "”, which is no number or date that can be read", nil
	}
	return text, "", nil
}

func (s *sheetSource) done() (read, size int64) {
	if s.ended {
		return s.e.size, s.e.size
	}
	return min(s.e.read, s.e.size), s.e.size
}

func (s *sheetSource) close() error {
	var err error
	if s.e != nil {
		err = s.e.Close()
	}
	return errors.Join(err, s.strings.close())
}
