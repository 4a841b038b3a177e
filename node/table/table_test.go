package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"github.com/asean-tmh/tmh/protocol"
)

// put writes a file and gives its path.
func put(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// read gives every row as one line, "2 name=Ana|id=1" or "3 !code field: message"; what ends the file comes last.
func read(t testing.TB, path string, f Format, l Limits) []string {
	t.Helper()
	r, err := Open(path, f, l)
	if err != nil {
		return []string{"open: " + err.Error()}
	}
	defer r.Close()
	var all []string
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			if got, size := r.Done(); got != size {
				t.Errorf("at the end %d of %d are done", got, size)
			}
			return all
		}
		if err != nil {
			if _, again := r.Next(); again == nil || again.Error() != err.Error() {
				t.Errorf("after %v comes %v", err, again)
			}
			return append(all, "end: "+err.Error())
		}
		all = append(all, line(row))
	}
}

func line(row Row) string {
	if row.Err != nil {
		return fmt.Sprintf("%d !%v", row.N, row.Err)
	}
	var s []string
	for _, f := range row.Fields {
		s = append(s, f.Name+"="+f.Value)
	}
	return fmt.Sprintf("%d %s", row.N, strings.Join(s, "|"))
}

// same compares got with want, of which a line that ends in … need only begin so.
func same(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if part, ok := strings.CutSuffix(w, "…"); g != w && (!ok || !strings.HasPrefix(g, part)) {
			t.Errorf("row %d:\ngot  %q\nwant %q", i, g, w)
		}
	}
}

func TestCSV(t *testing.T) {
	wide := func(s string, e unicode.Endianness) string {
		s, err := unicode.UTF16(e, unicode.UseBOM).NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"plain":             {"a,b\n1,2\n", []string{"2 a=1|b=2"}},
		"mark, CRLF":        {"\xef\xbb\xbfa,b\r\n1,2\r\n", []string{"2 a=1|b=2"}},
		"old line ends":     {"a,b\r1,2\r3,4", []string{"2 a=1|b=2", "3 a=3|b=4"}},
		"semicolons":        {"a;b\n1,5;2\n", []string{"2 a=1,5|b=2"}},
		"tabs":              {"a\tb\n1;2\t3,4\n", []string{"2 a=1;2|b=3,4"}},
		"quoted header":     {"\"a,b,c\";d\n1;2\n", []string{"2 a,b,c=1|d=2"}},
		"one column":        {"a\n1\n\n2\n", []string{"2 a=1", "4 a=2"}},
		"sep=":              {"sep=;\r\na;b\r\n1,2;3\r\n", []string{"3 a=1,2|b=3"}},
		"sep= of none":      {"sep=x\na;b\n", []string{"open: value: the first line asks…"}},
		"UTF-16LE":          {wide("a,b\nทดสอบ,é\n", unicode.LittleEndian), []string{"2 a=ทดสอบ|b=é"}},
		"UTF-16BE":          {wide("a,b\r\nทดสอบ,é", unicode.BigEndian), []string{"2 a=ทดสอบ|b=é"}},
		"line break quoted": {"a,b\n\"x\r\ny\",2\n3,4\n", []string{"2 a=x\ny|b=2", "4 a=3|b=4"}},
		"quotes":            {"a,b\n\"x \"\"y\"\"\",z \"w\"\n", []string{"2 a=x \"y\"|b=z \"w\""}},
		"no end of line":    {"a,b\n1,\"2\"", []string{"2 a=1|b=2"}},
		"cells missing":     {"a,b\n1\n1,2\n", []string{"2 !length: 1 cells under 2 columns…", "3 a=1|b=2"}},
		"cells too many":    {"a,b\n1,2,3\n1,2,,\n", []string{"2 !length: 3 cells under 2 columns…", "3 a=1|b=2"}},
		"rows of nothing":   {"a,b\n,\n\n1,2\n,\n", []string{"4 a=1|b=2"}},
		"trailing columns":  {"a,b,,\n1,2,,\n1,2\n", []string{"2 a=1|b=2", "3 a=1|b=2"}},
		"not UTF-8":         {"a,b\ncaf\xe9,2\n3,4\n", []string{"2 !text a: is not UTF-8: save the file as “CSV UTF-8”…", "3 a=3|b=4"}},
		"header not UTF-8":  {"a,caf\xe9\n", []string{"open: text column B: is not UTF-8…"}},
		"quote not closed":  {"a,b\n1,\"2\n3,4\n5,6\n", []string{"2 !text: a quote that opens a cell in this line is not closed…", "3 a=3|b=4", "4 a=5|b=6"}},
		"quote in the way":  {"a,b\n1,\"2\"x\n3,4\n", []string{"2 !text: a quote stands where none may…", "3 a=3|b=4"}},
		"quote meets quote": {"a,b\n1,\"2\n3,4\n5,\"6\"\n", []string{"2 !text: a quote stands…", "3 a=3|b=4", "4 a=5|b=6"}},
		"guards":            {"a,b\n'=1+1,''-x\n'abc,'@\n=1,'''\n", []string{"2 a==1+1|b='-x", "3 a='abc|b=@", "4 a==1|b='''"}},
		"column of errors":  {"a,TMH_errors,b\n1,bad,2\n", []string{"2 a=1|b=2"}},
		"errors cut off":    {"a,b,tmh_errors\n1,2\n", []string{"2 a=1|b=2"}},
		"bad header":        {"a,,A,b\x01,a\n", []string{"open: required column B: has no name: name it in the first row, or delete it; repeated A: column C has the same name as column A: give each its own; value column D:…"}},
		"empty":             {"\n\n", []string{"open: required: the table is empty…"}},
		"header alone":      {"a,b\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			same(t, read(t, put(t, "x.csv", c.in), CSV, Limits{}), c.want)
		})
	}
}

func TestCSVBounds(t *testing.T) {
	l := Limits{Row: 10_000, Rows: 3, Columns: 5}
	long := strings.Repeat("x", 20_000)
	same(t, read(t, put(t, "x.csv", "a,b\n1,"+long+"\n3,4\n"), CSV, l), []string{"2 !too-large: the row is over 9 KiB", "3 a=3|b=4"})
	same(t, read(t, put(t, "x.csv", "a,b\n1,\"2\n"+strings.Repeat("3,4\n", 2)+long+"\n"), CSV, l), []string{"2 !text: a quote that opens a cell…", "3 a=3|b=4", "4 a=3|b=4", "end: too-large: the file has more than 3 rows…"})
	same(t, read(t, put(t, "x.csv", "a\n1\n2\n3\n4\n"), CSV, l), []string{"2 a=1", "3 a=2", "4 a=3", "end: too-large: the file has more than 3 rows; nothing after row 4 was read…"})
	same(t, read(t, put(t, "x.csv", "a,b\n"+strings.Repeat("1,", 100)+"\n"), CSV, l), []string{"2 !too-large: 101 cells, at most 5…"})
	same(t, read(t, put(t, "x.csv", "a,b,c,d,e,f\n"), CSV, l), []string{"open: too-large: 6 columns, at most 5"})
	same(t, read(t, put(t, "x.csv", long), CSV, l), []string{"open: too-large: the first line is over…"})
	same(t, read(t, put(t, "x.csv", "a\n1\n"), CSV, Limits{File: 3}), []string{"open: too-large: the file has 1 KiB…"})
	same(t, read(t, put(t, "x.csv", "a\n1\n"), "ods", Limits{}), []string{"open: value format: \"ods\" is no format…"})

	// A window slides over many rows, whatever their length.
	var in strings.Builder
	in.WriteString("a,b\n")
	for i := range 2000 {
		fmt.Fprintf(&in, "%d,\"%s\n\"\n", i, strings.Repeat("é", i%997))
	}
	rows := read(t, put(t, "x.csv", in.String()), CSV, Limits{Row: 5000})
	if len(rows) != 2000 || rows[1999] != "4000 a=1999|b="+strings.Repeat("é", 1999%997)+"\n" {
		t.Errorf("%d rows, the last one %.40q", len(rows), rows[len(rows)-1])
	}
}

func TestJSONL(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"plain":          {"{\"a\":\"1\",\"b\":2}\n\n{\"a\":true}", []string{"1 a=1|b=2", "3 a=true"}},
		"mark":           {"\xef\xbb\xbf{\"a\":1}\r\n", []string{"1 a=1"}},
		"nested":         {`{"t":{"en":"x","th":{"v":"y"}},"l":["a",{"n":1},["b",null]],"z":null,"e":{}}`, []string{"1 t.en=x|t.th.v=y|l=a|l.n=1|l=b"}},
		"numbers":        {`{"a":1.20,"b":12345678901234567890123,"c":1e6,"d":-0}`, []string{"1 a=1.20|b=12345678901234567890123|c=1e6|d=-0"}},
		"twice":          {`{"a":1,"b":{"c":1,"c":2},"a":3}` + "\n" + `{"a":1}`, []string{"1 !repeated b.c: stands twice in one object; repeated a: stands twice in one object", "2 a=1"}},
		"no object":      {"[1]\n\"x\"\n1\n{}{}\n{} x\n{\"a\":1}", []string{"1 !value: the line is no object…", "2 !value…", "3 !value…", "4 !text: something follows…", "5 !text: something follows…", "6 a=1"}},
		"broken":         {"{\"a\":1\n{\"a\" 1}\n{a:1}\n{\"a\":1,}\n{\"a\":1}", []string{"1 !text: the line ends before its object does…", "2 !text: the line is no JSON object…", "3 !text: the line is no JSON object…", "4 !text: the line is no JSON object…", "5 a=1"}},
		"not UTF-8":      {"{\"a\":\"\xe9\"}\n{\"a\":1}", []string{"1 !text: is not UTF-8…", "2 a=1"}},
		"errors member":  {`{"a":1,"tmh_errors":{"x":["bad"]},"b":{"tmh_errors":2}}`, []string{"1 a=1|b.tmh_errors=2"}},
		"too deep":       {strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17), []string{"1 !too-large a.a.a…"}},
		"lists deep":     {`{"a":` + strings.Repeat("[", 100_000), []string{"1 !text: the line is no JSON object (invalid character '[' exceeded max depth…"}},
		"lists in lists": {`{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "}", []string{"1 !too-large a: over 16…"}},
		"escapes":        {`{"a\u0062":"\ud83d\ude00\n\"\\","\\":"\ud800"}`, []string{"1 ab=😀\n\"\\|\\=\uFFFD"}},
		"long name":      {`{"` + strings.Repeat("n", 300) + `":1}`, []string{"1 !too-large nnn…"}},
		"values":         {`{"a":[1` + strings.Repeat(",1", 10_000) + `]}`, []string{"1 !too-large: the row has over 10000 values"}},
		"long line":      {`{"a":"` + strings.Repeat("x", 2<<20) + "\"}\n{\"a\":1}\n", []string{"1 !too-large: the line is over 512 KiB", "2 a=1"}},
		"nothing":        {"\n\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := put(t, "x.jsonl", c.in)
			same(t, read(t, path, JSONL, Limits{}), c.want)
			if r, err := Open(path, JSONL, Limits{}); err != nil || r.Names() != nil {
				t.Errorf("names %v, %v", r.Names(), err)
			} else {
				r.Close()
			}
		})
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct{ head, name, want string }{
		{"a,b\n", "x.csv", "csv"},
		{"\xef\xbb\xbfa;b\n", "x.txt", "csv"},
		{"\xff\xfea\x00,\x00b\x00", "x.csv", "csv"},
		{"ชื่อ\tb", "x.xls", "csv"},
		{" \n{\"a\":1}", "x", "jsonl"},
		{"PK\x03\x04....[Content_Types].xml...xl/workbook.xml", "x.bin", "xlsx"},
		{"PK\x03\x04....[Content_Types].xml", "x.XLSX", "xlsx"},
		{"PK\x03\x04....word/document.xml", "x.xlsx", "document"},
		{"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "x.xlsx", "OpenDocument"},
		{"PK\x03\x04 table.csv", "x.zip", "unpack"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x.xls", "old Excel"},
		{"%PDF-1.7", "x.csv", "PDF"},
		{"\n<html>", "x.xls", "HTML"},
		{"\xff\xfe<\x00?\x00", "x.xls", "HTML"},
		{"[{\"a\":1}]", "x.json", "list"},
		{"a,b\n", "x.jsonl", "object"},
		{"{\\rtf1", "x.csv", "document"},
		{"a\x00,\x00b\x00", "x.csv", "UTF-16"},
		{"\x1f\x8b\x08", "x.csv.gz", "packed"},
		{"GIF89a\x01", "x.csv", "not text"},
		{"", "x.csv", "empty"},
	} {
		f, err := Detect([]byte(c.head), c.name)
		if err == nil && string(f) == c.want {
			continue
		}
		var e *protocol.Error
		if !errors.As(err, &e) || e.Code != protocol.CodeValue || !strings.Contains(e.Message, c.want) || !strings.Contains(e.Message, "CSV (UTF-8), Excel .xlsx or JSON Lines") {
			t.Errorf("Detect(%q, %q) = %q, %v; want %s", c.head, c.name, f, err, c.want)
		}
	}
}

// odd are cells that formats treat in ways of their own.
func odd() []string {
	return []string{"=1+1", "+66", "-5", "@x", "\tx", "\rx", "\nx", "＝1", "'=1", "''-", "'", "'x", "a,b;c\td|e", "\"q\"", " lead", "trail ", "x\ny",
		"ทดสอบ", "<b>&amp;", "]]>", "_x0041_", "_x000", "\x01\x1f", "00123", "1E+06", "=cmd|' /C calc'!A0", "\U0001F600", "true", "\uFFFE"}
}

func TestWriteIsRead(t *testing.T) {
	for _, f := range Formats() {
		t.Run(string(f), func(t *testing.T) {
			var buf bytes.Buffer
			w, err := NewWriter(&buf, f, []string{"id", "=name", "empty"})
			if err != nil {
				t.Fatal(err)
			}
			want := []string{}
			for i, cell := range odd() {
				if err := w.Write([]string{fmt.Sprint("r", i), cell, ""}); err != nil {
					t.Fatal(err)
				}
				cell = strings.ReplaceAll(cell, "\r\n", "\n")
				if f == JSONL {
					want = append(want, fmt.Sprintf("%d id=r%d|=name=%s", i+1, i, cell))
				} else {
					want = append(want, fmt.Sprintf(" id=r%d|=name=%s|empty=", i, cell))
				}
			}
			if err := w.Write([]string{"short"}); protocol.CodeOf(err) != protocol.CodeLength {
				t.Errorf("a row of another length: %v", err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			path := put(t, "out."+string(f), buf.String())
			if got, err := Detect(buf.Bytes()[:min(buf.Len(), 4096)], path); got != f || err != nil {
				t.Errorf("detected as %q: %v", got, err)
			}
			got := read(t, path, "", Limits{})
			if f != JSONL {
				for i := range got {
					_, got[i], _ = strings.Cut(got[i], " ")
					got[i] = " " + got[i]
				}
			}
			same(t, got, want)
		})
	}
	if _, err := NewWriter(io.Discard, "pdf", nil); protocol.CodeOf(err) != protocol.CodeValue {
		t.Errorf("an unknown format: %v", err)
	}
}

// No cell of a CSV begins so that a spreadsheet runs it.
func TestCSVIsGuarded(t *testing.T) {
	var buf bytes.Buffer
	w, _ := NewWriter(&buf, CSV, []string{"=a"})
	for _, cell := range odd() {
		w.Write([]string{cell})
	}
	w.Close()
	s, err := newCSVSource(mustOpen(t, put(t, "x.csv", buf.String())), int64(buf.Len()), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for {
		rec, err := s.next()
		if err != nil {
			break
		}
		if strings.ContainsAny(rec.cells[0][:1], "=+-@\t\r\n") {
			t.Errorf("%q is written as it is", rec.cells[0])
		}
	}
}

func mustOpen(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestWriteErrors(t *testing.T) {
	faults := func(n int) (string, bool) { return fmt.Sprintf("=fault of %d, \"see\"", n), n%2 == 1 }
	for name, c := range map[string]struct {
		f        Format
		in, want string
		again    []string
	}{
		"csv": {CSV, "id;title;n\r\n1;a;2\r\n2;\"b\nb\";=3\r\n3;c;4\r\n4;x\r\n",
			"\xef\xbb\xbfid;title;n;tmh_errors\r\n2;\"b\nb\";'=3;\"'=fault of 3, \"\"see\"\"\"\r\n3;c;4;\"'=fault of 5, \"\"see\"\"\"\r\n",
			[]string{"2 id=2|title=b\nb|n==3", "4 id=3|title=c|n=4"}},
		"csv again": {CSV, "id,tmh_errors,n\n1,old,2\n2,old,3\n3\n",
			"\xef\xbb\xbfid,n,tmh_errors\r\n2,3,\"'=fault of 3, \"\"see\"\"\"\r\n", []string{"2 id=2|n=3"}},
		"csv unreadable": {CSV, "id,n\n1,2\n2,\"3\n", "\xef\xbb\xbfid,n,tmh_errors\r\n\"2,\"\"3\",,\"'=fault of 3, \"\"see\"\"\"\r\n", []string{"2 id=2,\"3|n="}},
		"jsonl": {JSONL, "{\"b\" : 1.50, \"a\":{}}\n{}\n{ }\n{}\n{x}\n\n{\"a\":1 , \"tmh_errors\":\"old\", \"b\":2}\n{}\n{ \"tmh_errors\":0 ,\"c\":\"{,\"}\n",
			"{\"b\" : 1.50, \"a\":{},\"tmh_errors\":\"=fault of 1, \\\"see\\\"\"}\n{ \"tmh_errors\":\"=fault of 3, \\\"see\\\"\"}\n" +
				"{\"tmh_line\":\"{x}\",\"tmh_errors\":\"=fault of 5, \\\"see\\\"\"}\n{\"a\":1, \"b\":2,\"tmh_errors\":\"=fault of 7, \\\"see\\\"\"}\n" +
				"{\"c\":\"{,\",\"tmh_errors\":\"=fault of 9, \\\"see\\\"\"}\n",
			[]string{"1 b=1.50", "2 ", "3 tmh_line={x}", "4 a=1|b=2", "5 c={,"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := WriteErrors(&out, put(t, "x."+string(c.f), c.in), "", Limits{}, faults); err != nil {
				t.Fatal(err)
			}
			if out.String() != c.want {
				t.Errorf("got  %q\nwant %q", out.String(), c.want)
			}
			same(t, read(t, put(t, "again."+string(c.f), out.String()), c.f, Limits{}), c.again)
		})
	}
	t.Run("cut off", func(t *testing.T) {
		var out bytes.Buffer
		err := WriteErrors(&out, put(t, "x.csv", "a\n1\n2\n3\n"), CSV, Limits{Rows: 2}, faults)
		if protocol.CodeOf(err) != protocol.CodeTooLarge || !strings.Contains(out.String(), "\r\n2,") {
			t.Errorf("%v, %q", err, out.String())
		}
	})
}

func TestNames(t *testing.T) {
	r, err := Open(put(t, "x.csv", " id , tmh_errors,title,\n"), "", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, want := r.Names(), []string{"id", "title"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none.csv"), "", Limits{}); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("a file that is not there: %v", err)
	}
}

// A line of five bytes that opens a quote as the first of a row, and within a quote closes it and opens another, would have the window read
// for every line.
func TestManyOpenQuotes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quotes.csv")
	const lines = 2_000_000
	if err := os.WriteFile(path, []byte("a,b\n"+strings.Repeat("x\",\"\n", lines)), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path, CSV, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for n := 0; ; n++ {
		row, err := r.Next()
		if protocol.CodeOf(err) == protocol.CodeText {
			break
		}
		if err != nil || row.Err == nil || n > 1000 {
			t.Fatalf("after %d rows: %v, %v; want an end, told as a fault of the text", n, row.Err, err)
		}
	}
}
