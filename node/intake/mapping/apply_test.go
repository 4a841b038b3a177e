package mapping_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/google/go-cmp/cmp"
)

// row of "name=value" pairs; "name@lang=value" declares a language.
func row(pairs ...string) table.Row {
	r := table.Row{N: 2, ID: "7"}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		name, lang, _ := strings.Cut(name, "@")
		r.Fields = append(r.Fields, table.Field{Name: name, Value: value, Lang: lang})
	}
	return r
}

// with is a mapping whose listings are complete beside these rules.
func with(rules ...mapping.Rule) *mapping.Mapping {
	m := &mapping.Mapping{ID: []string{"", "id"}}
	for to, v := range map[string]string{"listing.kind": "TO", "listing.country": "KH", "listing.texts.en.title": "Pump"} {
		if !slices.ContainsFunc(rules, func(r mapping.Rule) bool { return r.To == to }) {
			m.Rules = append(m.Rules, mapping.Rule{To: to, Constant: v})
		}
	}
	m.Rules = append(m.Rules, rules...)
	return m
}

// at is what stands at a path of an item, in JSON.
func at(t *testing.T, item mapping.Item, path string) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"listing": item.Listing, "record": item.Record})
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	if b, err = json.Marshal(v); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b))
}

func told(err error) (s []string) {
	for _, e := range protocol.All(err) {
		s = append(s, string(e.Code)+" "+e.Field+": "+e.Message)
	}
	return s
}

// TestValuesAreBroughtIntoOurForm: what stands before " -> " in a column is what stands after it in the listing; "!" begins a part of the
// fault that is told.
func TestValuesAreBroughtIntoOurForm(t *testing.T) {
	long := strings.Repeat("word ", 60)
	for _, c := range []struct {
		rule  mapping.Rule
		cases []string
	}{
		{mapping.Rule{To: "listing.trl"}, []string{"4 -> 4", "TRL 4 -> 4", "trl-4 -> 4", "TRL4: lab -> 4", "4 (lab) -> 4", "4.0 -> 4", "Level 4 -> 4", "TRL 3-4 -> 3", "4/9 -> 4",
			"Technology Readiness Level 9 -> 9", "TKT 6 -> 6", "A prototype has been demonstrated under realistic conditions -> 6", " -> null",
			"0 -> !no technology readiness level", "10 -> !from 1 to 9", "-4 -> !TRL", "4.5 -> !TRL", "prototype -> !TRL", "about 4 -> !TRL", "1000000000000000000000 -> !TRL"}},
		{mapping.Rule{To: "listing.sdg", Split: ";"}, []string{"SDG 7; Goal 2 ; 7 -> [7,2]", "SDG7: Affordable and clean energy -> [7]", "Climate action -> [13]", "18 -> !from 1 to 17", "Energy -> !SDG 7"}},
		{mapping.Rule{To: "listing.published"}, []string{`2026-09-14 -> "2026-09-14"`, `2026/9/14 -> "2026-09-14"`, `20260914 -> "2026-09-14"`, `2026-09-14T10:00:00Z -> "2026-09-14"`, `2026-09-14 10:00:00 -> "2026-09-14"`,
			`14/09/2026 -> "2026-09-14"`, `09/14/2026 -> "2026-09-14"`, `03.04.2026 -> "2026-04-03"`, `05/05/2026 -> "2026-05-05"`, `2026 -> "2026-01-01"`, `2026-09 -> "2026-09-01"`, `09/2026 -> "2026-09-01"`,
			`14 September 2026 -> "2026-09-14"`, `Sep 14, 2026 -> "2026-09-14"`, `14 Agustus 2026 -> "2026-08-14"`, `August 2026 -> "2026-08-01"`, `14/09/2569 -> "2026-09-14"`, `29/02/2567 -> "2024-02-29"`, `2569 -> "2026-01-01"`,
			"03/04/2026 -> !may have the day or the month first", "2026-02-30 -> !no day of the calendar", "2026-00-10 -> !no day", "soon -> !no date", "14/9/26 -> !no date", "1 2 3 4 -> !no date", "1960-01-01 -> !“1960-01-01” is not"}},
		{mapping.Rule{To: "listing.valid_until"}, []string{`2026 -> "2026-12-31"`, `2028-02 -> "2028-02-29"`, `2026-09-14 -> "2026-09-14"`}},
		{mapping.Rule{To: "listing.published", Date: "DD/MM/YYYY"}, []string{`03/04/2026 -> "2026-04-03"`, `03/04/2569 -> "2026-04-03"`, `3/4/2026 10:00 -> "2026-04-03"`, "2026-04-03 -> !as the rule's date says", "3/4/26 -> !as the rule's"}},
		{mapping.Rule{To: "listing.published", Date: "MMM D, YYYY"}, []string{`April 3, 2026 -> "2026-04-03"`, "Foo 3, 2026 -> !as the rule's"}},
		{mapping.Rule{To: "listing.published", Date: "YYYYMMDD"}, []string{`20260403 -> "2026-04-03"`, "202604 -> !as the rule's"}},
		{mapping.Rule{To: "listing.country"}, []string{`KH -> "KH"`, `kh -> "KH"`, `Cambodia -> "KH"`, `VIETNAM -> "VN"`, `Việt Nam -> "VN"`, `ประเทศไทย -> "TH"`, `Lao PDR -> "LA"`, `THA -> "TH"`, `TH - Thailand -> "TH"`, `Cote d’Ivoire -> "CI"`,
			`Bolivia -> "BO"`, `United States -> "US"`, `Timor-Leste -> "TL"`, "Atlantis -> !not in the countries", "Korea -> !", "Congo (Kinshasa) -> !"}},
		{mapping.Rule{To: "listing.kind"}, []string{`to -> "TO"`, `Technology offer -> "TO"`, `Technology Request -> "TR"`, `Funding call -> "FN"`, "Thing -> !kinds"}},
		{mapping.Rule{To: "listing.ipc", Split: "; ,"}, []string{`C12N 15/09; c12p, A01 -> ["C12N","C12P","A01"]`, "Z01 -> !not in the patent classes"}},
		{mapping.Rule{To: "listing.isic", Split: ";"}, []string{`C10; 10; 1030; C; ISIC 62 -> ["C10","C","J62"]`}},
		{mapping.Rule{To: "listing.ford", Split: ";"}, []string{`2.4 Chemical engineering; 2.04; Mathematics; FORD 1.2 -> ["2.4","1.1","1.2"]`}},
		{mapping.Rule{To: "listing.ipr", Split: "|"}, []string{`Patent granted|patent pending|Know-how -> ["patent-granted","patent-applied","secret-know-how"]`, "patent-grantd -> !did you mean “patent-granted”"}},
		{mapping.Rule{To: "listing.cooperation", Split: ","}, []string{`Licensing, joint venture -> ["licence","joint-venture"]`}},
		{mapping.Rule{To: "record.organisation.languages", Split: ";"}, []string{`eng; tha;vie; Khmer; Bahasa Melayu; zh-Hans -> ["en","th","vi","km","ms","zh"]`, "Klingon -> !not well formed"}},
		{mapping.Rule{To: "listing.texts.en.abstract"}, []string{`<p>A &amp; B<br/>x<sub>2</sub></p> -> "A & B\nx2"`, `&lt;p&gt;Twice&lt;/p&gt; &amp;amp; R&D -> "Twice\n& R&D"`, `p<0.05 and a <b -> "p<0.05 and a <b"`, `<jats:p>Rice</jats:p> -> "Rice"`,
			`<script>alert(1)</script>Safe<!-- no --> -> "Safe"`, "a\u00a0 \t b\r\n\r\n\r\nc -> \"a b\\n\\nc\"", "e\u0301te\u0301 -> \"été\"", "\ufeffa\u202eb\x00c -> \"abc\"", strings.Repeat("ab ", 700) + " -> !2099 characters, at most 2000"}},
		{mapping.Rule{To: "listing.texts.en.title"}, []string{"Two\nlines -> \"Two lines\"", long + " -> !299 characters, at most 255", " -> !has a title in at least one"}},
		{mapping.Rule{To: "listing.texts.en.title", Cut: true}, []string{long + ` -> "` + long[:254] + `…"`}},
		{mapping.Rule{To: "listing.texts.en.keywords", Split: "; ,"}, []string{`rice, dryer;Rice;; sun&amp;rain -> ["rice","dryer","sun&rain"]`, "1;2;3;4;5;6;7;8;9;10;11 -> !11 keywords, at most 10"}},
		{mapping.Rule{To: "listing.texts.en.keywords", Split: ";", Cut: true}, []string{`1;2;3;4;5;6;7;8;9;10;11 -> ["1","2","3","4","5","6","7","8","9","10"]`}},
		{mapping.Rule{To: "listing.url"}, []string{`www.example.org/a -> "https://www.example.org/a"`, `HTTPS://example.org/?a=1&amp;b=2 -> "https://example.org/?a=1&b=2"`, "example -> !no http or https address", "javascript:alert(1) -> !no http"}},
		{mapping.Rule{To: "listing.url", Fit: true, Split: " "}, []string{`hdl:1/2 http://example.org/1 -> "http://example.org/1"`, "hdl:1/2 -> null"}},
		{mapping.Rule{To: "listing.demonstration"}, []string{"Yes -> true", "ya -> true", "tidak -> null", "maybe -> !neither yes nor no"}},
		{mapping.Rule{To: "record.publications", Split: ";"}, []string{`https://doi.org/10.1000/182; doi:10.1000/183;DOI: 10.1000/184; dx.doi.org/10.1000/185 -> ["10.1000/182","10.1000/183","10.1000/184","10.1000/185"]`, "10.1000 -> !no DOI"}},
		{mapping.Rule{To: "record.people", Split: ";"}, []string{`Sok, A. (Inventor) [0000-0002-1825-0097]; B https://orcid.org/0000-0002-1694-233x ; C (https://orcid.org/0000-0002-1825-0097) -> [{"name":"Sok, A.","orcid":"0000-0002-1825-0097","role":"Inventor"},{"name":"B","orcid":"0000-0002-1694-233X"},{"name":"C","orcid":"0000-0002-1825-0097"}]`,
			"A [0000-0002-1825-0098] -> !no ORCID iD", "[0000-0002-1825-0097] -> !is empty"}},
		{mapping.Rule{To: "record.rights", Split: "|"}, []string{`Patent granted; Thailand; TH 1; 14.09.2020; granted | copyright -> [{"date":"2020-09-14","number":"TH 1","office":"TH","status":"granted","type":"patent-granted"},{"type":"copyright"}]`, "a;b;c;d;e;f -> !over 5 parts", "copyright;;;soon -> !no date"}},
		{mapping.Rule{To: "record.funding.partners", Split: "|"}, []string{`U; Germany; university; yes|V; Laos -> [{"country":"DE","eligible":true,"name":"U","type":"university"},{"country":"LA","name":"V"}]`, "U; DE; university; perhaps -> !neither"}},
		{mapping.Rule{To: "record.funding.deadline"}, []string{`2026-09-14 17:00:00+0700 -> "2026-09-14T10:00:00Z"`, "2026-09-14 -> !is not a time"}},
		{mapping.Rule{To: "record.organisation.ror"}, []string{`https://ror.org/03yrm5c26 -> "03yrm5c26"`}},
		{mapping.Rule{To: "record.organisation.since"}, []string{"1964 -> 1964", "1964.0 -> 1964", "old -> !no year"}},
		{mapping.Rule{To: "listing.trl", Values: map[string]string{"Lab": "4", "Idea": ""}}, []string{"LAB -> 4", "idea -> null", "5 -> 5"}},
		{mapping.Rule{To: "listing.trl", Values: map[string]string{"Lab": "4"}, Only: true, Constant: "1"}, []string{"lab -> 4", "5 -> 1", " -> 1"}},
	} {
		c.rule.From = []string{"Col"}
		m := with(c.rule)
		compiled, err := m.Compile()
		if err != nil {
			t.Fatalf("%s: %v", c.rule.To, err)
		}
		for _, one := range c.cases {
			value, want, _ := strings.Cut(one, " -> ")
			if i := strings.LastIndex(one, " -> "); i >= 0 {
				value, want = one[:i], one[i+4:]
			}
			item, err := compiled.Apply(row("Col=" + value))
			part, faulty := strings.CutPrefix(want, "!")
			switch {
			case faulty && (err == nil || !strings.Contains(err.Error(), part)):
				t.Errorf("%s, %.60q: fault %v, want one with %q", c.rule.To, value, err, part)
			case faulty:
				for _, e := range protocol.All(err) {
					if e.Field != c.rule.To || !strings.HasPrefix(e.Message, "column “Col”") {
						t.Errorf("%s, %.60q: the fault names neither member nor column: %v", c.rule.To, value, err)
					}
				}
			case err != nil:
				t.Errorf("%s, %.60q: %v", c.rule.To, value, err)
			default:
				if got := at(t, item, c.rule.To); got != want {
					t.Errorf("%s, %.60q: %s, want %s", c.rule.To, value, got, want)
				}
			}
		}
	}
}

func TestEveryFaultNamesItsColumn(t *testing.T) {
	m := &mapping.Mapping{ID: []string{"Ref"}, Rules: []mapping.Rule{
		{To: "listing.texts.en.title", From: []string{"Title", "Name"}}, {To: "listing.kind", Constant: "TO"}, {To: "listing.trl", From: []string{"TRL level"}},
		{To: "listing.published", From: []string{"Date"}}, {To: "listing.ipc", From: []string{"IPC"}, Split: ";"}, {To: "listing.sdg", From: []string{"SDG"}, Split: ";"},
		{To: "record.people", From: []string{"Inventor", "Author"}}, {To: "record.contact.email", From: []string{"E-mail"}},
	}}
	r := row("Title=", "TRL level=twelve", "Date=03/04/2026", "IPC=A01;Z99", "SDG=x;7;99", "Inventor=A [0000-0002-1825-0098]", "Author=B [0000-0002-1825-0099]", "E-mail=no", "Other=x")
	r.ID = ""
	_, err := m.Apply(r)
	want := []string{
		"required id: column “Ref”: the row has no id at its source: without one it could not be known again",
		"required listing.texts.en.title: columns “Title”, “Name”: a listing has a title in at least one language",
		"value listing.trl: column “TRL level”: “twelve” is no technology readiness level from 1 to 9: write it as 4 or “TRL 4”",
		"value listing.ipc: column “IPC”, value 2: “Z99” is not in the patent classes (IPC) (did you mean “A99”?); a valid code is for example “C12N” (Biochemistry, microorganisms, enzymes and genetic engineering)",
		"value listing.sdg: column “SDG”: “x” is no sustainable development goal from 1 to 17: write it as 7 or “SDG 7”",
		"value listing.sdg: column “SDG”: “99” is no sustainable development goal from 1 to 17: write it as 7 or “SDG 7”",
		"value listing.published: column “Date”: “03/04/2026” may have the day or the month first: say which with the rule's date, such as DD/MM/YYYY",
		"value record.people: columns “Inventor”, “Author”, value 1: is no ORCID iD such as 0000-0002-1825-0097: one of its digits is wrong",
		"value record.people: columns “Inventor”, “Author”, value 2: is no ORCID iD such as 0000-0002-1825-0097: one of its digits is wrong",
		"value record.contact.email: column “E-mail”: is no e-mail address such as office@example.org",
		"value listing.country: no column is mapped to it: is absent: take two letters such as KH",
	}
	got := told(err)
	for i := range got { // which code is nearest is package ingest's to say
		if strings.Contains(got[i], "listing.ipc") {
			got[i], want[3] = got[i][:60], want[3][:60]
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("faults (-want +got):\n%s", d)
	}
}

func TestSourceOfARow(t *testing.T) {
	m := with(mapping.Rule{To: "listing.trl", From: []string{"trl"}})
	m.ID = []string{"Ref", "", "id"}
	c, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ ref, own, id, want string }{
		{" R-1 ", "7", "9", "R-1"}, {"", "7", "9", "7"}, {"", "", "9", "9"}, {"", " ", "", "!has no id"}, {"a\nb", "", "", "!“Ref”"}, {"\xff", "", "", "!is no id"}, {"\u202e", "", "", "!is no id"},
		{strings.Repeat("ก", 200), "", "", strings.Repeat("ก", 200)}, {strings.Repeat("ก", 201), "", "", "!over 200"},
	} {
		r := row("ref="+x.ref, "id="+x.id)
		r.ID = x.own
		got, err := c.Source(r)
		if part, faulty := strings.CutPrefix(x.want, "!"); faulty != (err != nil) || (faulty && !strings.Contains(err.Error(), part)) || (!faulty && got != x.want) {
			t.Errorf("%+v: %q, %v", x, got, err)
		}
	}
}

func TestLanguages(t *testing.T) {
	m := with(
		mapping.Rule{To: "listing.texts.*.title", From: []string{"t"}}, mapping.Rule{To: "listing.texts.*.abstract", From: []string{"a"}, Join: "\n"},
		mapping.Rule{To: "listing.texts.*.keywords", From: []string{"k"}, Split: ";"})
	m.Rules = slices.DeleteFunc(m.Rules, func(r mapping.Rule) bool { return r.Constant == "Pump" })
	for _, c := range []struct {
		row  table.Row
		want string
	}{
		{row("t@eng=Pump", "t@tha=ปั๊มน้ำ", "t@en=Other", "a@en_US=A pump."), `{"en":{"title":"Pump","abstract":"A pump."},"th":{"title":"ปั๊มน้ำ"}}`},
		{row("t@en=ปั๊มน้ำพลังงานแสงอาทิตย์", "k=solar;น้ำ"), `{"th":{"title":"ปั๊มน้ำพลังงานแสงอาทิตย์","keywords":["solar","น้ำ"]}}`},
		{row("t=Pump", "a@id=Sebuah pompa."), `{"en":{"title":"Pump"},"id":{"title":"Pump","abstract":"Sebuah pompa."}}`},
		{row("t=Máy bơm nước năng lượng mặt trời"), `{"vi":{"title":"Máy bơm nước năng lượng mặt trời"}}`},
		{row("t=Pengembangan alat pengering padi dengan tenaga surya untuk petani dan koperasi"), `{"id":{"title":"Pengembangan alat pengering padi dengan tenaga surya untuk petani dan koperasi"}}`},
		{row("t=Pump", "t@fr=Pompe", "a=ポンプの開発について", "a=One", "a=Two"), `{"en":{"title":"Pump","abstract":"One\nTwo"}}`},
		{row("t=水泵", "t=ម៉ាស៊ីនបូមទឹក"), `{"km":{"title":"ម៉ាស៊ីនបូមទឹក"},"zh":{"title":"水泵"}}`},
	} {
		item, err := m.Apply(c.row)
		if err != nil {
			t.Errorf("%v: %v", c.row.Fields, err)
			continue
		}
		got, _ := json.Marshal(item.Listing.Texts)
		if string(got) != c.want {
			t.Errorf("%v:\n%s, want\n%s", c.row.Fields, got, c.want)
		}
	}
	if _, err := m.Apply(row("t@fr=Pompe")); !slices.Contains(told(err), "required listing.texts.en.title: column “t”: a listing has a title in at least one language") {
		t.Errorf("a title in no language of TMH: %v", told(err))
	}
	by := with(mapping.Rule{To: "listing.texts.th.title", From: []string{"t"}, Lang: "th"}, mapping.Rule{To: "listing.texts.en.title", From: []string{"t"}, Lang: "eng"}, mapping.Rule{To: "listing.texts.en.title", From: []string{"t"}, Lang: "und"})
	item, err := by.Apply(row("t=Undeclared", "t@th_TH=ปั๊ม", "t@en-GB=Pump"))
	if err != nil || item.Listing.Texts["en"].Title != "Pump" || item.Listing.Texts["th"].Title != "ปั๊ม" {
		t.Errorf("by language: %+v, %v", item.Listing.Texts, err)
	}
	if item, err = by.Apply(row("t=Undeclared", "t@th=ปั๊ม")); err != nil || item.Listing.Texts["en"].Title != "Undeclared" {
		t.Errorf("undeclared: %+v, %v", item.Listing.Texts, err)
	}
}

func TestDublinCore(t *testing.T) {
	m := mapping.DublinCore()
	if _, err := m.Compile(); protocol.CodeOf(err) != protocol.CodeRequired {
		t.Errorf("without a country: %v", err)
	}
	if d := cmp.Diff([]string{"listing.country"}, m.Lacks()); d != "" {
		t.Error(d)
	}
	m.SetConstant("listing.country", "TH")
	r := row("dc:title@en_US=Rice dryer", "dc:title@th=เครื่องอบข้าว", "dc:creator=Sok, A.", "dc:creator=Sok, A.", "dc:subject=rice; drying, sun", "dc:description=<p>Dries rice.</p>", "dc:description=12 pages",
		"dc:date=2020-01-02T03:04:05Z", "dc:date=2019", "dc:identifier=hdl:1/2", "dc:identifier=https://example.org/1", "dc:identifier=10.1000/182", "dc:rights=CC BY 4.0", "dc:publisher=Elsevier")
	r.ID = "oai:example.org:1"
	item, err := m.Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal([]any{item.Source, item.Listing, item.Record})
	want := `["oai:example.org:1",{"id":"","kind":"TO","country":"TH","texts":{"en":{"title":"Rice dryer","abstract":"Dries rice.\n\n12 pages","keywords":["rice","drying","sun"]},"th":{"title":"เครื่องอบข้าว"}},"published":"2020-01-02","url":"https://example.org/1"},` +
		`{"people":[{"name":"Sok, A."}],"publications":["10.1000/182"],"provenance":{"id":"oai:example.org:1","licence":"CC BY 4.0"}}]`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestHashOfAnItem: the same row has the same hash in whatever order a source writes its columns, another content another.
func TestHashOfAnItem(t *testing.T) {
	m := with(mapping.Rule{To: "listing.texts.en.title", From: []string{"t"}}, mapping.Rule{To: "listing.texts.th.title", From: []string{"th"}}, mapping.Rule{To: "record.stage", From: []string{"s"}})
	hash := func(m *mapping.Mapping, r table.Row) protocol.Hash {
		item, err := m.Apply(r)
		if err != nil {
			t.Fatal(err)
		}
		return item.Hash
	}
	first := hash(m, row("t=Pump", "th=ปั๊ม", "s=New"))
	turned := *m
	turned.Rules = slices.Clone(m.Rules)
	slices.Reverse(turned.Rules)
	for range 20 {
		if hash(m, row("s=New", "th= ปั๊ม ", "t=Pump", "x=y")) != first || hash(&turned, row("t=Pump", "th=ปั๊ม", "s=New")) != first {
			t.Fatal("the hash changes from run to run")
		}
	}
	other := row("t=Pump", "th=ปั๊ม", "s=New")
	other.ID = "8"
	for _, r := range []table.Row{other, row("t=Pumps", "th=ปั๊ม", "s=New"), row("t=Pump", "th=ปั๊ม", "s=Old"), row("t=Pump", "s=New")} {
		if hash(m, r) == first {
			t.Errorf("%v has the same hash", r)
		}
	}
}

// TestOffersOfSBIR reads real offers through the mapping that their columns suggest.
func TestOffersOfSBIR(t *testing.T) {
	b, err := os.ReadFile("../../../../shared/data/sbir_offers/docs.jsonl")
	if err != nil {
		t.Skip("the collection sbir_offers is absent: ", err)
	}
	m := mapping.Suggest([]string{"id", "title", "text"}, nil)
	m.SetConstant("listing.country", "US")
	c, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	good, bad := 0, 0
	for line := range strings.Lines(string(b)) {
		var doc struct{ ID, Title, Text string }
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatal(err)
		}
		r := row("id="+doc.ID, "title="+doc.Title, "text="+doc.Text)
		r.ID = ""
		item, err := c.Apply(r)
		switch {
		case strings.TrimSpace(doc.Title) == "":
			if bad++; err == nil || protocol.All(err)[0].Field != "listing.texts.en.title" {
				t.Errorf("%s has no title: %v", doc.ID, err)
			}
		case err != nil:
			t.Errorf("%s: %v", doc.ID, err)
		default:
			good++
			if len(item.Listing.Texts) != 1 || item.Source != doc.ID || (doc.Text != "") != (item.Listing.Texts["en"].Abstract != "") {
				t.Errorf("%s: %+v", doc.ID, item)
			}
		}
	}
	if good < 1600 || bad != 4 {
		t.Errorf("%d offers read, %d without a title", good, bad)
	}
}

// TestOwnColumnsMapToThemselves: a file of ours is read by the suggested mapping as it is by package ingest.
func TestOwnColumnsMapToThemselves(t *testing.T) {
	head := "id,kind,country,region,title_en,value_en,abstract_en,keywords_en,title_th,keywords_th,title_fil,organisation_name,organisation_type,organisation_size,trl,ipr,cooperation,seeks_types,seeks_countries,ford,isic,ipc,sdg,published,valid_until,url,demonstration"
	cells := []string{"A-1", "TR", "KH", "KH-12", "Pump, solar", "Water without fuel", "Two lines", "fish, fresh; solar", "ปั๊ม", "น้ำ", "Bomba ng tubig", "ITC", "university", "medium", "4", "patent-granted; design", "licence; research", "sme; university", "LA; TH", "2.4; 1", "C10; C", "C12N; A01", "2; 17", "2026-03-04", "2027-01-02", "https://example.org/a?b=1&c=2", "true"}
	var quoted []string
	r := table.Row{N: 2}
	for i, name := range strings.Split(head, ",") {
		quoted = append(quoted, `"`+cells[i]+`"`)
		r.Fields = append(r.Fields, table.Field{Name: name, Value: cells[i]})
	}
	m := mapping.Suggest(strings.Split(head, ","), []table.Row{r})
	if unused := m.Unused(strings.Split(head, ",")); unused != nil {
		t.Errorf("unused: %q", unused)
	}
	item, err := m.Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	for want := range ingest.Rows("csv", strings.NewReader(head+"\n"+strings.Join(quoted, ","))) {
		if want.Err != nil || item.Source != want.ID {
			t.Fatal(want.Err, item.Source)
		}
		want.Listing.ID = ""
		if d := cmp.Diff(*want.Listing, item.Listing); d != "" {
			t.Errorf("unlike ingest (-ingest +mapping):\n%s", d)
		}
	}
}

// TestHostileCellsCostLittle: what is as long as a cell can be is answered in a time that grows with its length.
func TestHostileCellsCostLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("looks at many large cells")
	}
	some := []string{"listing.texts.*.abstract", "listing.texts.*.keywords", "listing.trl", "listing.ipc", "listing.published", "record.people", "record.rights", "record.publications", "listing.url"}
	var rules []mapping.Rule
	for _, path := range some {
		rules = append(rules, mapping.Rule{To: path, From: []string{"x"}, Split: "; , ||", Cut: true, Values: map[string]string{"a": ""}})
	}
	c, err := with(rules...).Compile()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<!--", "<script>", "<p ", "<p>", "&lt;", "&amp;", "&", ";", "a;", "<", "((", "0000-", "1", "ก", "é", " ", "|", "10.1/1;", "https://", "</", "\u0301"} {
		cell := strings.Repeat(part, protocol.MaxFullRecord/len(part))
		_, err := c.Apply(row("x=" + cell))
		for _, e := range protocol.All(err) {
			if len(e.Message) > 1000 {
				t.Errorf("%.10q: a fault of %d bytes", part, len(e.Message))
			}
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add("TRL 4", "03/04/2026", "<p>a&amp;b</p>", "A (b) [0000-0002-1825-0097]", "en", ";")
	f.Add("\xff", "29/02/2567", "&lt;<script>", "[", "th_TH", "; ,")
	f.Add("C12N 15/00", "Sep 14, 2026", "<!--", "a;b;c;d;e;f", "*", " ")
	f.Add("ปั๊ม", "MMM", strings.Repeat("é ", 1300), "10.1000/1", "zz-", "|")
	made := map[string]*mapping.Compiled{} // compiling takes longer than what is tried
	compiled := func(split string, cut, fit, few bool) *mapping.Compiled {
		key := fmt.Sprint(split, cut, fit, few)
		if made[key] == nil {
			c, err := everything(split, cut, fit, few).Compile()
			if err != nil {
				f.Fatal(err)
			}
			made[key] = c
		}
		return made[key]
	}
	f.Fuzz(func(t *testing.T, a, b, c, d, lang, split string) {
		if !slices.Contains([]string{"; ,", " ", "|", ""}, split) {
			split = ";"
		}
		compiled := compiled(split, len(a)%2 == 0, len(b)%2 == 0, len(c)%2 == 0)
		r := table.Row{ID: a, Fields: []table.Field{{Name: "a", Value: a, Lang: lang}, {Name: "b", Value: b}, {Name: "c", Value: c, Lang: lang}, {Name: "D ", Value: d}}}
		item, err := compiled.Apply(r)
		again, err2 := compiled.Apply(r)
		if item.Hash != again.Hash || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatal("differs from run to run")
		}
		if err == nil && (item.Source == "" || len(item.Listing.Texts) == 0) {
			t.Fatal("an item without an id or title")
		}
		for _, e := range protocol.All(err) {
			if e.Code == protocol.CodeInternal || e.Field == "" || len(e.Message) > 1500 {
				t.Fatalf("%+v", e)
			}
		}
		if len(d)%8 != 0 {
			return
		}
		suggested := mapping.Suggest([]string{a, b, c, d, "title", "keywords"}, []table.Row{r})
		if err := suggested.Validate(); err != nil {
			t.Fatalf("a suggestion that is none: %v", err)
		}
		if _, err := suggested.Apply(r); err != nil && protocol.CodeOf(err) == protocol.CodeInternal {
			t.Fatal(err)
		}
	})
}

// everything is a mapping that fills every target, or where few is true those of the listing with "*".
func everything(split string, cut, fit, few bool) *mapping.Mapping {
	var m mapping.Mapping
	for _, target := range mapping.Targets() {
		rule := mapping.Rule{To: target.Path, From: []string{"a", "b", "c", "d", ""}, Split: split, Cut: cut, Fit: fit}
		switch {
		case target.Path == "listing.kind":
			rule.Constant = "TO"
		case target.Path == "listing.country":
			rule.Constant = "KH"
		case few && (strings.HasPrefix(target.Path, "record.") || strings.Contains(target.Path, ".texts.") && !strings.Contains(target.Path, "*")):
			continue
		}
		m.Rules = append(m.Rules, rule)
	}
	return &m
}
