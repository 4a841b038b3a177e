package table

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/asean-tmh/tmh/protocol"
)

// parts of a workbook by name; book fills in those that every workbook has.
type parts map[string]string

const (
	ns      = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	relType = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
)

func sheetXML(rows string) string {
	return `<?xml version="1.0"?><worksheet ` + ns + `><cols><col min="1" max="1" hidden="1"/></cols><sheetData>` + rows + `</sheetData><mergeCells/></worksheet>`
}

const head = `<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>`

func (p parts) zip(t testing.TB) string {
	t.Helper()
	all := parts{
		"[Content_Types].xml":        contentTypes,
		"_rels/.rels":                topRels,
		"xl/workbook.xml":            `<workbook ` + ns + `><sheets><sheet name="one" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="` + relType + `worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="` + relType + `sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="` + relType + `styles" Target="/xl/styles.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   sheetXML(head),
	}
	for name, text := range p {
		all[name] = text
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for name, text := range all {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(text))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return put(t, "x.xlsx", buf.String())
}

func cellsXML(rows string) parts { return parts{"xl/worksheets/sheet1.xml": sheetXML(head + rows)} }

// A workbook that a spreadsheet library wrote, with what people do to theirs.
func TestXLSX(t *testing.T) {
	x := excelize.NewFile()
	defer x.Close()
	iso := "yyyy-mm-dd hh:mm"
	zeros, thai := "00000", `[$-D07041E]d mmmm bbbb;@`
	style := func(s excelize.Style) int {
		id, err := x.NewStyle(&s)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	day, moment, id, th := style(excelize.Style{NumFmt: 14}), style(excelize.Style{CustomNumFmt: &iso}), style(excelize.Style{CustomNumFmt: &zeros}), style(excelize.Style{CustomNumFmt: &thai})
	set := func(cell string, v any) {
		t.Helper()
		if err := x.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{"id", "title", "number", "date", "flag", ""} {
		set(fmt.Sprintf("%c1", 'A'+i), name)
	}
	at := time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)
	set("A2", 1234567890123)
	set("B2", "=SUM(1) as text")
	set("C2", 0.1+0.2)
	set("D2", at)
	set("E2", true)
	x.SetCellStyle("Sheet1", "D2", "D2", day)
	set("A4", 123)
	x.SetCellStyle("Sheet1", "A4", "A4", id)
	set("B4", "ทดสอบ <b>")
	set("C4", 1.5e21)
	set("D4", at.Add(13*time.Hour+30*time.Minute))
	x.SetCellStyle("Sheet1", "D4", "D4", moment)
	set("E4", false)
	x.MergeCell("Sheet1", "B5", "C5")
	set("A5", -3.0)
	set("B5", "merged")
	set("D5", at)
	x.SetCellStyle("Sheet1", "D5", "D5", th)
	set("A6", 6)
	x.SetCellFormula("Sheet1", "C6", "1+1")
	set("A7", 7)
	set("G7", "beyond")
	set("A8", "'=guarded")
	x.SetCellRichText("Sheet1", "B8", []excelize.RichTextRun{{Text: "rich "}, {Text: "text", Font: &excelize.Font{Bold: true}}})
	x.SetColVisible("Sheet1", "A", false)
	x.NewSheet("Other")
	x.SetCellValue("Other", "A1", "only")
	x.SetCellValue("Other", "A2", "here")
	path := filepath.Join(t.TempDir(), "x.xlsx")
	if err := x.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	same(t, read(t, path, "", Limits{}), []string{
		"2 id=1234567890123|title==SUM(1) as text|number=0.3|date=2026-09-14|flag=true",
		"4 id=00123|title=ทดสอบ <b>|number=1500000000000000000000|date=2026-09-14T13:30:00|flag=false",
		"5 id=-3|title=merged|number=|date=2026-09-14|flag=",
		"6 !value: cell C6 has a formula whose result is not stored…",
		"7 !length: cell G7 stands under no column…",
		"8 id==guarded|title=rich text|number=|date=|flag=",
	})
	same(t, read(t, path, XLSX, Limits{Sheet: "Other"}), []string{"2 only=here"})
	same(t, read(t, path, XLSX, Limits{Sheet: "none"}), []string{"open: not-found sheet: the workbook has no sheet “none”; its sheets are “Sheet1”, “Other”"})
	x.SetSheetVisible("Sheet1", false)
	if err := x.SaveAs(path); err == nil {
		x.SetActiveSheet(1)
		x.SetSheetVisible("Sheet1", false)
		x.SaveAs(path)
	}
	same(t, read(t, path, XLSX, Limits{}), []string{"2 only=here"})
}

// What we write, the library reads: header bold and frozen, every cell a text, none a formula.
func TestXLSXIsReadByOthers(t *testing.T) {
	var buf bytes.Buffer
	w, err := NewWriter(&buf, XLSX, []string{"id", "title"})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("\U0001F600", 20_000)
	w.Write([]string{"=1+1", "00123"})
	w.Write([]string{"", "a\r\n<b>&\"_x0041_"})
	w.Write([]string{"x", long})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	x, err := excelize.OpenReader(bytes.NewReader(buf.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	rows, err := x.GetRows("Table")
	if err != nil {
		t.Fatal(err)
	}
	if want := [][]string{{"id", "title"}, {"=1+1", "00123"}, {"", "a\r\n<b>&\"_x0041_"}}; len(rows) != 4 || !reflect.DeepEqual(rows[:3], want) {
		t.Errorf("got %q", rows)
	}
	if got := rows[3][1]; got != strings.Repeat("\U0001F600", 16_383)+"…" {
		t.Errorf("a text that is too long has %d bytes", len(got))
	}
	if f, err := x.GetCellFormula("Table", "A2"); f != "" || err != nil {
		t.Errorf("a formula %q, %v", f, err)
	}
	if kind, _ := x.GetCellType("Table", "A2"); kind != excelize.CellTypeInlineString {
		t.Errorf("type %v", kind)
	}
	if panes, err := x.GetPanes("Table"); err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("panes %+v, %v", panes, err)
	}
	if at, _ := x.GetCellStyle("Table", "A1"); at == 0 {
		t.Error("the header has no style")
	} else if s, err := x.GetStyle(at); err != nil || s.Font == nil || !s.Font.Bold {
		t.Errorf("the header's style %+v, %v", s, err)
	}
}

func TestXLSXCells(t *testing.T) {
	styles := `<styleSheet ` + ns + `><numFmts><numFmt numFmtId="170" formatCode="[h]:mm:ss"/><numFmt numFmtId="171" formatCode="&quot;day &quot;0.0"/></numFmts>` +
		`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="20"/><xf numFmtId="171"/><xf numFmtId="22"/></cellXfs></styleSheet>`
	row := func(cell string) string { return `<row r="2"><c r="A2"><v>1</v></c>` + cell + `</row>` }
	for name, c := range map[string]struct{ rows, want string }{
		"cached formula":     {row(`<c r="B2"><f>1+1</f><v>2</v></c>`), "2 a=1|b=2"},
		"cached text":        {row(`<c r="B2" t="str"><f>T("")</f><v></v></c>`), "2 a=1|b="},
		"text of formula":    {row(`<c r="B2" t="str"><f>x</f><v>_x000D_y</v></c>`), "2 a=1|b=\ry"},
		"error":              {row(`<c r="B2" t="e"><v>#REF!</v></c>`), "2 !value: cell B2 shows the error #REF!: correct it"},
		"no number":          {row(`<c r="B2"><v>0x10</v></c>`), "2 !value: cell B2 holds “0x10”…"},
		"infinity":           {row(`<c r="B2"><v>inf</v></c>`), "2 !value: cell B2 holds “inf”…"},
		"exponent":           {row(`<c r="B2"><v>1.2E+06</v></c>`), "2 a=1|b=1200000"},
		"noise of a float":   {row(`<c r="B2"><v>1.1000000000000001</v></c>`), "2 a=1|b=1.1"},
		"long id":            {row(`<c r="B2"><v>9007199254740993</v></c>`), "2 a=1|b=9007199254740993"},
		"point zero":         {row(`<c r="B2"><v>4.0</v></c>`), "2 a=1|b=4"},
		"date":               {row(`<c r="B2" s="1"><v>46279</v></c>`), "2 a=1|b=2026-09-14"},
		"first day":          {row(`<c r="B2" s="1"><v>1</v></c>`), "2 a=1|b=1900-01-01"},
		"day that never was": {row(`<c r="B2" s="1"><v>60</v></c>`), "2 !value: cell B2 holds “60”…"},
		"far date":           {row(`<c r="B2" s="1"><v>1e9</v></c>`), "2 !value: cell B2 holds…"},
		"time":               {row(`<c r="B2" s="2"><v>0.5</v></c>`), "2 a=1|b=12:00:00"},
		"moment":             {row(`<c r="B2" s="4"><v>46279.99999999</v></c>`), "2 a=1|b=2026-09-15T00:00:00"},
		"quoted day":         {row(`<c r="B2" s="3"><v>5</v></c>`), "2 a=1|b=5"},
		"ISO date":           {row(`<c r="B2" t="d"><v>2026-09-14T00:00:00Z</v></c>`), "2 a=1|b=2026-09-14"},
		"no such style":      {row(`<c r="B2" s="99"><v>5</v></c>`), "2 a=1|b=5"},
		"phonetic":           {row(`<c r="B2" t="inlineStr"><is><r><t>東</t></r><rPh sb="0" eb="1"><t>ひがし</t></rPh></is></c>`), "2 a=1|b=東"},
		"no references":      {`<row><c><v>1</v></c><c t="b"><v>1</v></c></row>`, "2 a=1|b=true"},
		"no such text":       {row(`<c r="B2" t="s"><v>7</v></c>`), "end: text file: the file is no workbook that can be read (a cell points…"},
		"order of cells":     {`<row r="2"><c r="B2"/><c r="A2"/></row>`, "end: text file: the file is no workbook that can be read (its cells…"},
		"order of rows":      {`<row r="1"/>`, "end: text file: the file is no workbook that can be read (its rows…"},
		"far row":            {`<row r="1048577"/>`, "end: text file…"},
		"far cell":           {row(`<c r="ZZZ2"><v>1</v></c>`), "end: text file…"},
		"two faults":         {`<row r="2"><c r="A2"><f>1</f></c><c r="B2" t="e"><v>#N/A</v></c></row>`, "2 !value: cell A2 has a formula whose result is not stored: open the file in a spreadsheet, save it and upload it again, or paste the values; value: cell B2 shows the error #N/A: correct it"},
		"cut off":            {`<row r="2"><c r="A2"><v>1</v></c>`, "end: text file: the file is no workbook that can be read (a part of it is cut off or damaged)…"},
	} {
		t.Run(name, func(t *testing.T) {
			p := cellsXML(c.rows)
			p["xl/styles.xml"] = styles
			same(t, read(t, p.zip(t), XLSX, Limits{}), []string{c.want})
		})
	}
	p := cellsXML(row(`<c r="B2" s="1"><v>44817</v></c>`))
	p["xl/styles.xml"] = styles
	p["xl/workbook.xml"] = `<workbook ` + ns + `><workbookPr date1904="1"/><sheets><sheet name="one" sheetId="1" r:id="rId1"/></sheets></workbook>`
	same(t, read(t, p.zip(t), XLSX, Limits{}), []string{"2 a=1|b=2026-09-14"})
}

// Every workbook here is made to harm: each must be refused with a message, without much memory and without what it holds.
func TestXLSXHostile(t *testing.T) {
	entity := `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>`
	l := Limits{Unpacked: 32 << 20}
	text := func(s string) parts {
		return parts{"xl/sharedStrings.xml": `<sst ` + ns + `>` + s + `</sst>`, "xl/worksheets/sheet1.xml": sheetXML(head)}
	}
	for name, c := range map[string]struct {
		p    parts
		want string
	}{
		"document type in the sheet":     {parts{"xl/worksheets/sheet1.xml": entity + sheetXML(head)}, "open: text file: the file is no workbook that can be read (a part of it declares a document type)…"},
		"document type in the strings":   {parts{"xl/sharedStrings.xml": entity + "<sst/>"}, "open: text file: the file is no workbook that can be read (a part of it declares…"},
		"document type in the workbook":  {parts{"xl/workbook.xml": entity + "<workbook/>"}, "open: text file: the file is no workbook that can be read (a part of it declares…"},
		"document type in the styles":    {parts{"xl/styles.xml": entity + "<styleSheet/>"}, "open: text file: the file is no workbook that can be read (a part of it declares…"},
		"document type in the relations": {parts{"_rels/.rels": entity + "<Relationships/>"}, "open: text file: the file is no workbook that can be read (a part of it declares…"},
		"unknown entity":                 {cellsXML(`<row r="2"><c r="A2" t="inlineStr"><is><t>&a;</t></is></c></row>`), "end: text file…"},
		"one huge cell":                  {cellsXML(`<row r="2"><c r="A2" t="inlineStr"><is><t>` + strings.Repeat("x", 20<<20) + `</t></is></c></row>`), "end: too-large: row 2 is over 512 KiB…"},
		"one huge attribute":             {cellsXML(`<row r="2" x="` + strings.Repeat("x", 20<<20) + `"></row>`), "end: too-large: what follows row 1 is over 512 KiB…"},
		"one huge string":                {text("<si><t>" + strings.Repeat("x", 20<<20) + "</t></si>"), "open: too-large file: a cell of the workbook has over 512 KiB"},
		"deep elements":                  {cellsXML(strings.Repeat("<x>", 1<<20)), "end: text file: the file is no workbook that can be read (elements stand too deep…"},
		"more than it may unpack":        {cellsXML(strings.Repeat(" ", 33<<20)), "open: too-large file: the workbook has over 32.0 MiB when unpacked…"},
		"many small cells":               {cellsXML(`<row r="2">` + strings.Repeat("<c/>", 4<<20) + `</row>`), "end: text file: the file is no workbook that can be read (its cells…"},
		"wide row":                       {cellsXML(`<row r="2"><c r="XFD2"><v>1</v></c></row>`), "2 !length: cell XFD2 stands under no column…"},
		"not the sheet":                  {parts{"xl/worksheets/sheet1.xml": "<x/>"}, "open: text file…"},
		"no workbook":                    {parts{"xl/workbook.xml": "<x/>"}, "open: text file: the file is no workbook that can be read (it has no sheet…"},
		"another encoding":               {parts{"xl/worksheets/sheet1.xml": `<?xml version="1.0" encoding="utf-7"?>` + sheetXML(head)}, "open: text file…"},
	} {
		t.Run(name, func(t *testing.T) {
			path := c.p.zip(t)
			debug.SetGCPercent(20)
			defer debug.SetGCPercent(100)
			before := peak()
			same(t, read(t, path, XLSX, l), []string{c.want})
			if grown := peak() - before; grown > 64<<20 {
				t.Errorf("reading took %d MiB", grown>>20)
			}
		})
	}
	t.Run("many strings", func(t *testing.T) {
		p := text(strings.Repeat("<si/>", 1<<20))
		p["xl/worksheets/sheet1.xml"] = sheetXML(head + `<row r="2"><c r="A2" t="s"><v>1048575</v></c><c r="B2"><v>1</v></c></row>`)
		same(t, read(t, p.zip(t), XLSX, l), []string{"2 a=|b=1"})
	})
	t.Run("rows over the limit", func(t *testing.T) {
		p := cellsXML(`<row r="2"><c r="A2"><v>1</v></c></row><row r="9"><c r="A9"><v>1</v></c></row>`)
		same(t, read(t, p.zip(t), XLSX, Limits{Rows: 1}), []string{"2 a=1|b=", "end: too-large: the file has more than 1 rows…"})
	})
	t.Run("one text many times", func(t *testing.T) {
		p := text("<si><t>" + strings.Repeat("x", 400<<10) + "</t></si>")
		var row strings.Builder
		for i := range 200 {
			fmt.Fprintf(&row, `<c r="%s2" t="s"><v>0</v></c>`, letters(i+1))
		}
		p["xl/worksheets/sheet1.xml"] = sheetXML(head + `<row r="2">` + row.String() + `</row>`)
		same(t, read(t, p.zip(t), XLSX, l), []string{"2 !too-large: the row is over 512 KiB"})
	})
}

func peak() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapSys - m.HeapReleased)
}

// Bombs that no well-behaved zip writer makes.
func TestXLSXBombs(t *testing.T) {
	raw := func(t *testing.T, method uint16, packed []byte, says uint64) string {
		var buf bytes.Buffer
		z := zip.NewWriter(&buf)
		for name, text := range map[string]string{"_rels/.rels": topRels, "xl/workbook.xml": workbook, "xl/_rels/workbook.xml.rels": workbookRels} {
			w, _ := z.Create(name)
			w.Write([]byte(text))
		}
		w, err := z.CreateRaw(&zip.FileHeader{Name: "xl/worksheets/sheet1.xml", Method: method, CRC32: crc32.ChecksumIEEE(packed), CompressedSize64: uint64(len(packed)), UncompressedSize64: says})
		if err != nil {
			t.Fatal(err)
		}
		w.Write(packed)
		z.Close()
		return put(t, "x.xlsx", buf.String())
	}
	var packed bytes.Buffer
	d, _ := flate.NewWriter(&packed, 9)
	d.Write([]byte(sheetXML(head)[:len(sheetXML(head))-len("</sheetData><mergeCells/></worksheet>")]))
	blank := bytes.Repeat([]byte("<row></row>"), 1<<16)
	for range 40 {
		d.Write(blank)
	}
	d.Close()
	t.Logf("%d KiB unpack to %d MiB", packed.Len()>>10, 40*len(blank)>>20)
	for name, c := range map[string]struct {
		says uint64
		want string
	}{
		"a size that is too small": {100, "text file"},
		"a ratio":                  {1 << 30, "too-large file: the workbook unpacks to more than 300 times"},
		"an honest size":           {5 << 40, "too-large file: the workbook has over 4.0 GiB"},
		"a size that overflows":    {1<<64 - 1, "too-large file: the workbook has over 4.0 GiB"},
		"too many rows":            {uint64(40*len(blank)) + 200, "text file: the file is no workbook that can be read (it has more rows"},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, raw(t, zip.Deflate, packed.Bytes(), c.says), XLSX, Limits{})
			if len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("got %.300q", got)
			}
		})
	}
	t.Run("damaged", func(t *testing.T) { // the checksum is of the packed bytes, so it does not fit
		var p bytes.Buffer
		d, _ := flate.NewWriter(&p, 9)
		d.Write([]byte(sheetXML(head)))
		d.Close()
		got := read(t, raw(t, zip.Deflate, p.Bytes(), uint64(len(sheetXML(head)))), XLSX, Limits{})
		if len(got) != 1 || !strings.Contains(got[0], "cut off or damaged") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("many entries", func(t *testing.T) {
		for _, n := range []int{maxParts + 1, 200_000} {
			var buf bytes.Buffer
			z := zip.NewWriter(&buf)
			for i := range n {
				z.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("xl/%d", i), Method: zip.Store})
			}
			z.Close()
			same(t, read(t, put(t, "x.xlsx", buf.String()), XLSX, Limits{}), []string{"open: too-large file: the workbook has more than 10000 parts…"})
		}
	})
	t.Run("two parts of one name", func(t *testing.T) {
		var buf bytes.Buffer
		z := zip.NewWriter(&buf)
		z.Create("xl/workbook.xml")
		z.Create("xl\\Workbook.xml")
		z.Close()
		same(t, read(t, put(t, "x.xlsx", buf.String()), XLSX, Limits{}), []string{"open: text file: the file is no workbook that can be read (two parts…"})
	})
	t.Run("a password", func(t *testing.T) {
		path := cellsXML("").zip(t)
		b, _ := os.ReadFile(path)
		for at := 0; ; at++ { // the flag of encryption in every entry of the directory
			i := bytes.Index(b[at:], []byte("PK\x01\x02"))
			if i < 0 {
				break
			}
			at += i
			binary.LittleEndian.PutUint16(b[at+8:], binary.LittleEndian.Uint16(b[at+8:])|1)
		}
		same(t, read(t, put(t, "x.xlsx", string(b)), XLSX, Limits{}), []string{"open: text file: the file is no workbook that can be read (it is protected…"})
	})
	t.Run("cut off anywhere", func(t *testing.T) {
		b, _ := os.ReadFile(cellsXML(`<row r="2"><c r="A2"><v>1</v></c></row>`).zip(t))
		for n := 0; n < len(b); n += 7 {
			if got := read(t, put(t, "x.xlsx", string(b[:n])), XLSX, Limits{}); len(got) != 1 || !strings.HasPrefix(got[0], "open: text file") {
				t.Fatalf("%d bytes: %q", n, got)
			}
		}
	})
}

// Shared strings go through a temporary file, of which nothing is left.
func TestSharedStrings(t *testing.T) {
	var sst, rows strings.Builder
	const n = 3000
	for i := range n {
		fmt.Fprintf(&sst, "<si><t>text %d %s</t></si>", i, strings.Repeat("é", i%500))
	}
	want := []string{}
	for i := range n {
		j := (i * 7919) % n
		fmt.Fprintf(&rows, `<row r="%d"><c r="A%[1]d" t="s"><v>%d</v></c></row>`, i+2, j)
		want = append(want, fmt.Sprintf("%d a=text %d %s|b=", i+2, j, strings.Repeat("é", j%500)))
	}
	p := cellsXML(rows.String())
	p["xl/sharedStrings.xml"] = "<sst>" + sst.String() + "</sst>"
	temp := t.TempDir()
	same(t, read(t, p.zip(t), XLSX, Limits{Temp: temp}), want)
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	_, err := Open(p.zip(t), XLSX, Limits{Temp: filepath.Join(temp, "none")})
	if protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("no folder for temporary files: %v", err)
	}
}

func TestXLSXWriteErrors(t *testing.T) {
	p := cellsXML(`<row r="2"><c r="A2"><v>1</v></c></row><row r="3"><c r="A3"><v>2</v></c><c r="B3"><f>1</f></c></row><row r="7"><c r="A7" t="inlineStr"><is><t>=x</t></is></c></row>`)
	var out bytes.Buffer
	err := WriteErrors(&out, p.zip(t), XLSX, Limits{}, func(n int) (string, bool) { return fmt.Sprint("=", n), n > 2 })
	if err != nil {
		t.Fatal(err)
	}
	x, err := excelize.OpenReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	rows, err := x.GetRows("Table")
	if want := [][]string{{"a", "b", ErrorColumn}, {"2", "", "=3"}, {"=x", "", "=7"}}; err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("got %q, %v; want %q", rows, err, want)
	}
	same(t, read(t, put(t, "again.xlsx", out.String()), "", Limits{}), []string{"2 a=2|b=", "3 a==x|b="})
}

// Cells may point to texts in any order: none costs more than a block and its own length, and a row that is too long costs no more texts.
func TestSharedStringsFarApart(t *testing.T) {
	const many, long = 40, 200 << 10
	var texts, cells strings.Builder
	for range many {
		texts.WriteString("<si><t>x</t></si><si><t>" + strings.Repeat("a", long) + "</t></si>")
	}
	for n := range 2000 {
		fmt.Fprintf(&cells, `<c t="s"><v>%d</v></c>`, 2*(n%many))
	}
	p := cellsXML(`<row>` + cells.String() + `</row>`)
	p["xl/sharedStrings.xml"] = `<sst>` + texts.String() + `</sst>`
	r, err := Open(p.zip(t), XLSX, Limits{Temp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := r.src.(*sheetSource).strings
	for i, b := range s.blocks {
		end, last := s.size, s.count
		if i+1 < len(s.blocks) {
			end, last = s.blocks[i+1].at, s.blocks[i+1].first
		}
		if end-b.at > 2*blockBytes && last-b.first > 1 {
			t.Errorf("block %d has %d texts and %d bytes", i, last-b.first, end-b.at)
		}
	}
	if row, err := r.Next(); err != nil || row.Err == nil {
		t.Errorf("row %+v, %v; want faults: its cells stand under no column", row.N, err)
	}
}
