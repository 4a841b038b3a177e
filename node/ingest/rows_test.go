package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/google/go-cmp/cmp"
)

const (
	csvHead = "id,kind,country,title_en"
	csvRow  = "A-1,TO,KH,Pump"
)

// told is a row as the tests write it: "3 A-1 ok", or its number, id and the codes and fields of its faults.
func told(row ingest.Row) string {
	s := fmt.Sprintf("%d %s", row.N, row.ID)
	if row.Listing != nil {
		s += " ok"
	}
	for _, e := range protocol.All(row.Err) {
		s += " " + strings.TrimSpace(string(e.Code)+" "+e.Field)
	}
	return s
}

func all(format, file string) (rows []string) {
	for row := range ingest.Rows(format, strings.NewReader(file)) {
		rows = append(rows, told(row))
	}
	return rows
}

func TestRowsOfCSV(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{"empty file", "", []string{"1  required"}},
		{"only a byte order mark", "\ufeff", []string{"1  required"}},
		{"header only", csvHead + "\n", nil},
		{"header without an end of line", csvHead, nil},
		{"a quote in the header", "id,ki\"nd\n", []string{"1  required"}},
		{"one row", csvHead + "\n" + csvRow + "\n", []string{"2 A-1 ok"}},
		{"byte order mark, carriage returns", "\ufeff" + csvHead + "\r\n" + csvRow + "\r\n", []string{"2 A-1 ok"}},
		{"byte order mark and quotes", "\ufeff\"id\",kind,country,title_en\n" + csvRow, []string{"2 A-1 ok"}},
		{"large letters and spaces in the header", " ID ,Kind,COUNTRY,Title_EN\n" + csvRow, []string{"2 A-1 ok"}},
		{"quotes over lines", csvHead + "\nA-1,TO,KH,\"Pump, \"\"new\"\"\nand filter\"\n\nA-2,TO,KH,Fan", []string{"2 A-1 text texts.en.title", "5 A-2 ok"}},
		{"too few and too many cells", csvHead + "\nA-1,TO\nA-2,TO,KH,Fan,\nA-3,TO,KH,Fan", []string{"2  length", "3  length", "4 A-3 ok"}},
		{"unknown column", "id,kidn\n1,2\n", []string{"1  unknown kidn"}},
		{"repeated column", "id,kind,ID\n1,2,3\n", []string{"1  repeated id"}},
		{"a fault of a code", csvHead + "\nA-1,XX,KH,Pump", []string{"2 A-1 value kind"}},
		// These three once ended the process: where the first cell does not parse, the reader knows no place of it.
		{"a quote in the first cell", "id,kind\nab\"c,TO\n", []string{"2  text"}},
		{"a first cell that does not end", "id,kind\n\"unterminated", []string{"2  text"}},
		{"the same after a good row", csvHead + "\n" + csvRow + "\n\"A\"B,TO,KH,x\nA-2,TO,KH,Fan\n", []string{"2 A-1 ok", "3  text"}},
		{"a quote in a later cell", csvHead + "\n" + csvRow + "\nA-2,TO,KH,a\"b\nA-3,TO,KH,Fan\n", []string{"2 A-1 ok", "3  text"}},
		{"a quote over lines that does not end", csvHead + "\n" + csvRow + "\nA-2,TO,KH,\"a\nb\nc", []string{"2 A-1 ok", "3  text"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, all("csv", c.file)); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
		})
	}
}

// TestCellsOfCSV: a cell becomes what the JSON form has in its place.
func TestCellsOfCSV(t *testing.T) {
	file := "id,kind,country,region,title_en,keywords_en,title_th,organisation_name,organisation_type,seeks_types,seeks_countries,ford,ipr,sdg,trl,demonstration,published\n" +
		"A-1,TO,KH,KH-12,Pump, fish ; solar;,ปั๊ม,ITC,university,sme,LA;TH,2.4;4.1,patent-granted,2;7,7,Yes,2026-01-02\n"
	want, err := ingest.DecodeListingJSON([]byte(`{"id":"A-1","kind":"TO","country":"KH","region":"KH-12",
		"texts":{"en":{"title":"Pump","keywords":["fish","solar"]},"th":{"title":"ปั๊ม"}},"organisation":{"name":"ITC","type":"university"},
		"seeks":{"types":["sme"],"countries":["LA","TH"]},"ford":["2.4","4.1"],"ipr":["patent-granted"],"sdg":[2,7],"trl":7,
		"demonstration":true,"published":"2026-01-02"}`))
	if err != nil {
		t.Fatal(err)
	}
	for row := range ingest.Rows("csv", strings.NewReader(file)) {
		if d := cmp.Diff(want, row.Listing); row.Err != nil || d != "" {
			t.Errorf("%v (-want +got):\n%s", row.Err, d)
		}
	}
	for _, c := range []struct{ column, cell, want string }{
		{"trl", "7", "2 A-1 ok"},
		{"trl", "", "2 A-1 ok"},
		{"trl", "seven", "2 A-1 wire-type trl"},
		{"trl", "7.5", "2 A-1 wire-type trl"},
		{"trl", "10", "2 A-1 value trl"},
		{"trl", "-1", "2 A-1 value trl"},
		{"sdg", "2;7", "2 A-1 ok"},
		{"sdg", ";", "2 A-1 ok"},
		{"sdg", "2;no", "2 A-1 wire-type sdg[1]"},
		{"sdg", "18", "2 A-1 value sdg[0]"},
		{"demonstration", "NO", "2 A-1 ok"},
		{"demonstration", "1", "2 A-1 ok"},
		{"demonstration", "perhaps", "2 A-1 wire-type demonstration"},
		{"published", "2.1.2026", "2 A-1 value published"},
	} {
		got := all("csv", csvHead+","+c.column+"\n"+csvRow+",\""+c.cell+"\"\n")
		if !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s %q: %q, want %q", c.column, c.cell, got, c.want)
		}
	}
}

func TestRowsOfJSON(t *testing.T) {
	const listing = `{"id":"A-1","kind":"TO","country":"KH","texts":{"en":{"title":"Pump"}}`
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{"empty file", "", nil},
		{"empty lines count", "\n\n" + listing + "}\r\n\n" + listing + "}", []string{"3 A-1 ok", "5 A-1 ok"}},
		{"a fault leaves the rest", "{\n" + listing + `,"trl":"7"}` + "\n" + listing + "}", []string{"1  truncated listing", "2 A-1 wire-type trl", "3 A-1 ok"}},
		{"full record", listing + `,"full_record":{"stage":"Runs."}}`, []string{"1 A-1 ok"}},
		{"no full record", listing + `,"full_record":null}`, []string{"1 A-1 ok"}},
		{"full record of another form", listing + `,"full_record":"all of it"}`, []string{"1 A-1 wire-type full_record"}},
		{"faults of both", listing + `,"trl":"7","full_record":{"a":[1],"contact":{"email":"x"}}}`, []string{"1 A-1 wire-type trl value full_record.contact.email unknown full_record.a"}},
		{"two full records", listing + `,"full_record":{"a":1},"full_record":{}}`, []string{"1 A-1 unknown full_record.a repeated full_record"}},
		{"a member twice beside a full record", listing + `,"id":"A-2","full_record":{}}`, []string{"1 A-2 repeated id"}},
		{"full record that is too large", listing + `,"full_record":{"stage":"` + strings.Repeat("x", protocol.MaxFullRecord) + `"}}`, []string{"1 A-1 too-large full_record.stage"}},
		{"a line that is too long", listing + "}\n" + strings.Repeat(" ", protocol.MaxFullRecord+300<<10) + "\n" + listing + "}", []string{"1 A-1 ok", "2  too-large"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, all("jsonl", c.file)); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
		})
	}
	for row := range ingest.Rows("jsonl", strings.NewReader(listing+`,"full_record":{"stage": "Runs."}}`)) {
		if row.Listing == nil || row.Record == nil || row.Record.Stage != "Runs." {
			t.Errorf("full record %v of %v", row.Record, row.Listing)
		}
	}
}

// metered counts what is drawn from it.
type metered struct {
	io.Reader
	n int
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.n += n
	return n, err
}

// TestUnclosedQuoteDoesNotReadTheFile: a quote that was never closed once took all that followed into memory.
func TestUnclosedQuoteDoesNotReadTheFile(t *testing.T) {
	const bound = protocol.MaxFullRecord + 256<<10
	good := csvHead + "\n" + strings.Repeat(csvRow+"\n", 50_000) // more than the bound, in rows that are not
	for _, c := range []struct {
		name, before string
		want         int // the row named
	}{{"in a row", good, 50_002}, {"in the header", "", 1}} {
		t.Run(c.name, func(t *testing.T) {
			file := &metered{Reader: io.MultiReader(strings.NewReader(c.before+"\""), bytes.NewReader(bytes.Repeat([]byte("a,\n"), 8<<20)))}
			var last ingest.Row
			for row := range ingest.Rows("csv", file) {
				if last.Err != nil {
					t.Fatalf("a row follows %s", told(last))
				}
				last = row
			}
			if protocol.CodeOf(last.Err) != protocol.CodeTooLarge || last.N != c.want || !strings.Contains(last.Err.Error(), fmt.Sprintf("line %d ", c.want)) {
				t.Errorf("%s (%v), want row %d too large", told(last), last.Err, c.want)
			}
			if most := len(c.before) + bound + 16<<10; file.n > most {
				t.Errorf("drew %d bytes, want at most %d", file.n, most)
			}
		})
	}
}

// TestLargeRowsOfCSVAreRead: the bound is one row's, whatever was read before it.
func TestLargeRowsOfCSVAreRead(t *testing.T) {
	row := "A-1,TO,KH,Pump,\"" + strings.Repeat("x", 400<<10) + "\"\n"
	got := all("csv", csvHead+",abstract_en\n"+strings.Repeat(row, 5))
	if len(got) != 5 || slices.ContainsFunc(got, func(s string) bool { return !strings.HasSuffix(s, " A-1 too-large texts.en.abstract") }) {
		t.Errorf("%q, want five rows with an abstract that is too large", got)
	}
}

func TestFileThatBreaksOff(t *testing.T) {
	broken := errors.New("the line was cut")
	for format, file := range map[string]string{"csv": csvHead + "\n" + csvRow + "\nA-2,TO", "jsonl": ""} {
		var last ingest.Row
		for row := range ingest.Rows(format, io.MultiReader(strings.NewReader(file), iotest.ErrReader(broken))) {
			last = row
		}
		if protocol.CodeOf(last.Err) != protocol.CodeUnavailable || !errors.Is(last.Err, broken) {
			t.Errorf("%s: %v, want unavailable", format, last.Err)
		}
	}
}

// FuzzRows: whatever a file holds, its rows come to an end, and each is a listing or says why not.
func FuzzRows(f *testing.F) {
	for _, s := range []string{
		"", "\ufeff" + csvHead + "\r\n" + csvRow, "id,kind\nab\"c,TO\n", "id,kind\n\"unterminated", csvHead + ",trl,sdg,demonstration\n" + csvRow + ",+7,1;x,yes\n\n\"\n",
		"organisation_name,organisation_type,title_,seeks_types\n,x,y,;\n", strings.ReplaceAll(good, "\n", " "), `{"id":"A","full_record":{}}` + "\n[[[\n\nnull",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file string) {
		for _, format := range []string{"csv", "jsonl"} {
			n, rows := 0, 0
			for row := range ingest.Rows(format, strings.NewReader(file)) {
				if (row.Listing == nil) == (row.Err == nil) {
					t.Fatalf("%s: row %d has listing %v and fault %v", format, row.N, row.Listing, row.Err)
				}
				if row.N <= n {
					t.Fatalf("%s: row %d after row %d", format, row.N, n)
				}
				n = row.N
				if rows++; rows > strings.Count(file, "\n")+1 {
					t.Fatalf("%s: more rows than lines", format)
				}
			}
		}
	})
}

// TestManyFaultsCostLittle: a row of some hundred kilobytes with nothing but faults once took seconds, each code being
// compared with every fault before it.
func TestManyFaultsCostLittle(t *testing.T) {
	many := func(element string) string { return strings.TrimSuffix(strings.Repeat(element+",", 100_000), ",") }
	unknown := new(strings.Builder)
	languages := new(strings.Builder)
	for i := range 20_000 {
		fmt.Fprintf(unknown, `"member%d":1,`, i)
		fmt.Fprintf(languages, `"l%d":{"title":5},`, i)
	}
	for name, row := range map[string]string{
		"codes":     `{"ford":[` + many(`"x"`) + `]}`,
		"goals":     `{"sdg":[` + many("99") + `]}`,
		"countries": `{"seeks":{"countries":[` + many(`"XX"`) + `]}}`,
		"types":     `{"ipr":[` + many("1") + `]}`,
		"members":   `{` + unknown.String() + `"id":"A"}`,
		"languages": `{"texts":{` + strings.TrimSuffix(languages.String(), ",") + `}}`,
	} {
		_, err := ingest.DecodeListingJSON([]byte(row))
		if all := protocol.All(err); len(all) == 0 || len(all) > 100 {
			t.Errorf("%s: %d faults", name, len(all))
		}
	}
}
