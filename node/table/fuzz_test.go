package table

import (
	"errors"
	"io"
	"os"
	"testing"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// fuzzed reads a file to its end: every fault has a code and a message, rows come in order, and the file of errors is one of
// the same format that can be read.
func fuzzed(t *testing.T, content []byte, f Format) {
	l := Limits{Row: 4 << 10, Columns: 20, Rows: 1000, Unpacked: 4 << 20, Temp: t.TempDir()}
	path := put(t, "x", string(content))
	r, err := Open(path, f, l)
	if err != nil {
		told(t, err)
		return
	}
	defer r.Close()
	last := 0
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			told(t, err)
			break
		}
		if row.N <= last {
			t.Fatalf("row %d after row %d", row.N, last)
		}
		last = row.N
		size := 0
		for _, field := range row.Fields {
			if size += len(field.Value); field.Name == "" && f != JSONL || !utf8.ValidString(field.Name+field.Value) {
				t.Fatalf("field %+v", field)
			}
		}
		if size > l.Row+rowRoom {
			t.Fatalf("a row of %d bytes", size)
		}
		if row.Err != nil {
			told(t, row.Err)
		}
	}
	out, err := os.Create(path + ".out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	rows := 0
	if err := WriteErrors(out, path, f, l, func(int) (string, bool) { rows++; return "fault", true }); err != nil {
		told(t, err)
		return
	}
	again, err := Open(path+".out", f, DefaultLimits())
	if err != nil {
		t.Fatalf("the file of errors: %v", err)
	}
	defer again.Close()
	for ; ; rows-- {
		if _, err := again.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the file of errors: %v", err)
		}
	}
	if rows != 0 {
		t.Fatalf("%d rows are missing in the file of errors", rows)
	}
}

func told(t *testing.T, err error) {
	for _, e := range protocol.All(err) {
		if e.Code == protocol.CodeInternal || e.Message == "" || !utf8.ValidString(e.Message+e.Field) {
			t.Fatalf("fault %q", e)
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\xef\xbb\xbfa;b\r\n\"x\r\n\";'=2\r\n", "sep=\t\na\tb\n1\t2", "\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00",
		"a,b\n1,\"2\n3,4\n\"5\"x,6\n\xe9,1", "a,tmh_errors,b,,\n1,2,3\n,,\n1,2,3,4,5,6\r7"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { fuzzed(t, b, CSV) })
}

func FuzzJSONL(f *testing.F) {
	for _, s := range []string{`{"a":1}`, "\xef\xbb\xbf{\"a\":{\"b\":[1,null,true,\"x\"]},\"a\":2}\n\n[]\n", `{"tmh_errors":"x","a":1.50e3}` + "\n" + `{ "a":1 , "tmh_errors" : {} }`,
		"{\"a\":\"\xe9\"}\n{\"a\"", `{"":{"":""}}`, "\xfe\xff\x00{\x00}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { fuzzed(t, b, JSONL) })
}

// FuzzXLSX is given the sheet, the strings and the styles, since no mutation of packed bytes gets that far; and, where the
// sheet is empty, the bytes of the zip.
func FuzzXLSX(f *testing.F) {
	f.Add(sheetXML(head+`<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" s="1"><v>46279.5</v></c></row>`), `<sst><si><t>x</t></si></sst>`, `<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`)
	f.Add(sheetXML(head+`<row><c t="b"><v>1</v></c><c><f>1</f></c></row><row r="9"><c r="XFD9" t="e"><v>#N/A</v></c></row>`), `<sst><si><r><t>_x000D_</t></r><rPh/></si></sst>`, `<styleSheet><numFmts><numFmt numFmtId="200" formatCode="[$-1]yy;@"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs></styleSheet>`)
	f.Add(`<!DOCTYPE x [<!ENTITY a "b">]>`+sheetXML("&a;"), "", "")
	whole, err := os.ReadFile(parts{}.zip(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("", string(whole), "")
	f.Fuzz(func(t *testing.T, sheet, texts, styles string) {
		if sheet == "" {
			fuzzed(t, []byte(texts), XLSX)
			return
		}
		b, err := os.ReadFile(parts{"xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": texts, "xl/styles.xml": styles}.zip(t))
		if err != nil {
			t.Fatal(err)
		}
		fuzzed(t, b, XLSX)
	})
}
