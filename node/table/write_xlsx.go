package table

import (
	"archive/zip"
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// maxCell is how many characters, as UTF-16 counts them, a cell of a workbook may have.
const maxCell = 32767

// sheetSink writes a workbook of one sheet as a stream: its texts stand in the cells.
type sheetSink struct {
	z    *zip.Writer
	w    *bufio.Writer // of the sheet
	rows int
}

// The parts of a workbook but for its sheet. Style 1 is text: what begins with = stays text also when a person edits the cell.
// Style 2 is the header's.
const (
	xmlHead      = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	contentTypes = xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`
	topRels      = xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	workbook     = xmlHead + `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><bookViews><workbookView/></bookViews><sheets><sheet name="Table" sheetId="1" r:id="rId1"/></sheets></workbook>`
	workbookRels = xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`
	styleSheet   = xmlHead + `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`
	sheetHead    = xmlHead + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><sheetData>`
	sheetEnd     = `</sheetData></worksheet>`
)

func newSheetSink(w io.Writer, names []string) (*sheetSink, error) {
	if len(names) > maxSheetColumns {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "", "%d columns, a workbook has at most %d: take CSV", len(names), maxSheetColumns)
	}
	x := &sheetSink{z: zip.NewWriter(w)}
	for _, part := range []struct{ name, text string }{
		{"[Content_Types].xml", contentTypes}, {"_rels/.rels", topRels}, {"xl/workbook.xml", workbook},
		{"xl/_rels/workbook.xml.rels", workbookRels}, {"xl/styles.xml", styleSheet},
	} {
		to, err := x.z.Create(part.name)
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(to, part.text); err != nil {
			return nil, err
		}
	}
	sheet, err := x.z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, err
	}
	x.w = bufio.NewWriterSize(sheet, 64<<10)
	_, _ = x.w.WriteString(sheetHead)
	return x, x.write(names, "2")
}

func (x *sheetSink) row(cells []string) error { return x.write(cells, "1") }

func (x *sheetSink) write(cells []string, style string) error {
	if x.rows++; x.rows > maxSheetRows {
		return protocol.Errorf(protocol.CodeTooLarge, "", "a workbook has at most %d rows: take CSV", maxSheetRows)
	}
	n := strconv.Itoa(x.rows)
	_, _ = x.w.WriteString(`<row r="` + n + `">`)
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		_, _ = x.w.WriteString(`<c r="` + letters(i+1) + n + `" s="` + style + `" t="inlineStr"><is><t xml:space="preserve">`)
		x.text(guardText(cell))
		_, _ = x.w.WriteString(`</t></is></c>`)
	}
	_, err := x.w.WriteString("</row>")
	return err
}

// text writes what a cell may hold: longer texts end in …, since a spreadsheet would call the whole file damaged.
func (x *sheetSink) text(s string) {
	if len(s) > maxCell {
		s = cut(s, maxCell)
	}
	for i, r := range s {
		switch {
		case r == '&':
			_, _ = x.w.WriteString("&amp;")
		case r == '<':
			_, _ = x.w.WriteString("&lt;")
		case r == '>':
			_, _ = x.w.WriteString("&gt;")
		case r < ' ' && r != '\t' && r != '\n', r == '\uFFFE', r == '\uFFFF':
			_, _ = fmt.Fprintf(x.w, "_x%04X_", r)
		case r == '_' && literalEscape(s[i:]):
			_, _ = x.w.WriteString("_x005F_")
		default:
			_, _ = x.w.WriteRune(r)
		}
	}
}

// literalEscape tells whether a text that was never escaped looks as if it were.
func literalEscape(s string) bool {
	_, ok := escaped(s)
	return ok
}

func cut(s string, most int) string {
	units, end := 0, 0
	for i, r := range s {
		if units += 1; r > 0xFFFF {
			units++
		}
		if units < most {
			end = i + utf8.RuneLen(r)
		}
	}
	if units <= most {
		return s
	}
	return strings.ToValidUTF8(s[:end], "\uFFFD") + "…"
}

func (x *sheetSink) close() error {
	_, _ = x.w.WriteString(sheetEnd)
	if err := x.w.Flush(); err != nil {
		return err
	}
	return x.z.Close()
}
