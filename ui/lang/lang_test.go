package lang

import (
	"html/template"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/asean-tmh/tmh/protocol"
)

func opened(t testing.TB) *Bundle {
	t.Helper()
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// some are a few messages, so that what the engine does is not tied to what is translated so far.
func some(t testing.TB) *Bundle {
	t.Helper()
	locales, err := fs.ReadFile(files, "locales.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := open(fstest.MapFS{
		"locales.json": {Data: locales},
		"messages/en/a.json": {Data: []byte(`{
			"x.plain": "Search", "x.only": "In English <b>& only</b>", "x.one": "One {{.Name}} here",
			"x.link": "Read <a>how {{.Who}} proves</a> it in <code>tmh</code>.", "x.two": "<a>this</a> and <a2>that</a2>",
			"x.count": {"one": "{{.N}} listing of {{.Name}}", "other": "{{.N}} listings of {{.Name}}"},
			"ago.hours": {"one": "{{.N}} hour ago", "other": "{{.N}} hours ago"}, "x.heard": "Heard {{.Ago}}"}`)},
		"messages/th/a.json":  {Data: []byte(`{"x.plain": "ค้นหา", "x.count": "{{.Name}} {{.N}} รายการ", "x.heard": "ได้ยิน{{.Ago}}"}`)},
		"messages/vi/a.json":  {Data: []byte(`{"x.count": "{{.N}} tin của {{.Name}}", "x.link": {"description": "unsure of this", "other": "Xem <a>cách {{.Who}} chứng minh</a> trong <code>tmh</code>."}}`)},
		"messages/tet/a.json": {Data: []byte(`{"x.count": "anúnsiu {{.N}} husi {{.Name}}"}`)},
		"messages/pt/a.json":  {Data: []byte(`{"x.count": {"one": "{{.N}} anúncio de {{.Name}}", "other": "{{.N}} anúncios de {{.Name}}"}}`)},
		"messages/fil/a.json": {Data: []byte(`{"x.count": {"one": "{{.N}} listahan ng {{.Name}}", "other": "{{.N}} na listahan ng {{.Name}}"}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTexts(t *testing.T) {
	b := some(t)
	en, th, vi := b.Printer("en"), b.Printer("th"), b.Printer("vi")
	for _, c := range []struct{ name, got, want string }{
		{"plain", en.T("x.plain"), "Search"},
		{"translated", th.T("x.plain"), "ค้นหา"},
		{"fell back", th.T("x.only"), "In English & only"},
		{"fell back, in HTML", string(th.HTML("x.only")), `<span lang="en">In English <b>&amp; only</b></span>`},
		{"English in English", string(en.HTML("x.only")), "In English <b>&amp; only</b>"},
		{"value", en.T("x.one", "Name", "<b>{{.Name}}"), "One <b>{{.Name}} here"},
		{"value in HTML", string(en.HTML("x.one", "Name", "<b>{{.Name}}")), "One &lt;b&gt;{{.Name}} here"},
		{"number", vi.T("x.one", "Name", uint16(12345)), "One 12.345 here"},
		{"date", th.T("x.one", "Name", protocol.DateOf(morning())), "One 21 กันยายน พ.ศ. 2569 here"},
		{"other language", string(en.HTML("x.one", "Name", Text{Lang: "km", Text: "ត្រី"})), `One <span lang="km">ត្រី</span> here`},
		{"same language", string(en.HTML("x.one", "Name", Text{Lang: "en", Text: "fish"})), "One fish here"},
		{"fallback in a translation", string(th.HTML("x.heard", "Ago", th.AgoText(3*hour))), `ได้ยิน<span lang="en">3 hours ago</span>`},
		{"link", string(vi.HTML("x.link", "Who", "A&B", NewSlot("a", "href", "/p?a=1&b=2"))), `Xem <a href="/p?a=1&amp;b=2">cách A&amp;B chứng minh</a> trong <code>tmh</code>.`},
		{"link as text", vi.T("x.link", "Who", "A&B"), "Xem cách A&B chứng minh trong tmh."},
		{"two links", string(en.HTML("x.two", NewSlot("a2", "href", "/2"), NewSlot("a", "href", "/1"))), `<a href="/1">this</a> and <a href="/2">that</a>`},
		{"plural", en.N("x.count", 1, "Name", "X"), "1 listing of X"},
		{"plural", en.N("x.count", 12345, "Name", "X"), "12,345 listings of X"},
		{"plural", th.N("x.count", 1, "Name", "X"), "X 1 รายการ"},
		{"plural", vi.N("x.count", 1, "Name", "X"), "1 tin của X"},
		{"plural", vi.N("x.count", 0, "Name", "X"), "0 tin của X"},
		{"plural", b.Printer("tet").N("x.count", 1, "Name", "X"), "anúnsiu 1 husi X"},
		{"plural", b.Printer("pt").N("x.count", 0, "Name", "X"), "0 anúncios de X"},
		{"plural", b.Printer("pt").N("x.count", 1000000, "Name", "X"), "1.000.000 anúncios de X"},
		{"plural", b.Printer("pt").N("x.count", 1, "Name", "X"), "1 anúncio de X"},
		{"plural", b.Printer("fil").N("x.count", 5, "Name", "X"), "5 listahan ng X"},
		{"plural", b.Printer("fil").N("x.count", 14, "Name", "X"), "14 na listahan ng X"},
		{"plural that fell back", b.Printer("id").N("x.count", 1, "Name", "X"), "1 listing of X"},
		{"no such language", b.Printer("xx").T("x.plain"), "Search"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
	if got := th.Text("x.only"); got != (Text{"en", "In English & only", true}) {
		t.Errorf("a text that fell back: %+v", got)
	}
	if got := b.Unsure("vi"); !slices.Equal(got, []string{"x.link"}) {
		t.Errorf("unsure: %v", got)
	}
	if got := b.Missing("th"); !slices.Equal(got, []string{"ago.hours", "x.link", "x.one", "x.only", "x.two"}) {
		t.Errorf("missing: %v", got)
	}
	for _, m := range b.Misses() {
		if m.Why != "not translated" {
			t.Errorf("a fault that nobody made: %+v", m)
		}
	}
}

// TestFaults says what each fault of a caller leads to: something readable, and a miss that tests of pages can find.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		print func(p *Printer) string
		shown string
		why   string
	}{
		{func(p *Printer) string { return p.T("x.none") }, "x.none", "no such key"},
		{func(p *Printer) string { return string(p.HTML("x.none")) }, "x.none", "no such key"},
		{func(p *Printer) string { return p.T("x.one") }, "One … here", "no entry for key"},
		{func(p *Printer) string { return p.T("x.one", "Name") }, "One … here", "neither a slot nor a name"},
		{func(p *Printer) string { return p.T("x.one", 1, 2) }, "One … here", "neither a slot nor a name"},
		{func(p *Printer) string { return p.N("x.plain", 1) }, "Search", ""},
		{func(p *Printer) string { return p.N("x.one", 1, "Name", "X") }, "One X here", "no plural form"},
		{func(p *Printer) string { return string(p.HTML("x.two", NewSlot("a", "href", "/1"))) }, `<a href="/1">this</a> and <a>that</a>`, "a2 is not filled"},
		{func(p *Printer) string {
			return string(p.HTML("x.two", NewSlot("a", "href", "javascript:alert(1)", "onclick", "x"), NewSlot("a2", "href", "//evil.example")))
		}, `<a>this</a> and <a>that</a>`, "not a link"},
		{func(p *Printer) string { return string(p.HTML("x.one", "Name", "X", NewSlot("script"))) }, "One X here", "no slot is named"},
		{func(p *Printer) string { return string(p.HTML("x.one", "Name", "X", NewSlot("a", "href"))) }, "One X here", "has no value"},
	} {
		b := some(t)
		if got := c.print(b.Printer("en")); got != c.shown {
			t.Errorf("%s: shown as %q, want %q", c.why, got, c.shown)
		}
		if got := b.Misses(); c.why != "" && !slices.ContainsFunc(got, func(m Miss) bool { return strings.Contains(m.Why, c.why) }) {
			t.Errorf("no miss says %q: %v", c.why, got)
		}
	}
	b := some(t)
	for i := range 2 * mostMisses {
		b.Printer("en").T("x." + strings.Repeat("y", i))
	}
	if got := len(b.Misses()); got != mostMisses {
		t.Errorf("%d misses are kept", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	locales, err := fs.ReadFile(files, "locales.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]fstest.MapFS{
		"no locales":      {"messages/en/a.json": {Data: []byte(`{}`)}},
		"unknown field":   {"locales.json": {Data: []byte(`{"en": {"wrong": 1}}`)}},
		"language absent": {"locales.json": {Data: []byte(`{"en": {}}`)}},
		"not JSON":        {"locales.json": {Data: locales}, "messages/en/a.json": {Data: []byte(`x`)}},
		"key twice":       {"locales.json": {Data: locales}, "messages/en/a.json": {Data: []byte(`{"a":"b"}`)}, "messages/en/b.json": {Data: []byte(`{"a":"b"}`)}},
	} {
		if _, err := open(from); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestTemplates(t *testing.T) {
	b := some(t)
	page := template.Must(template.New("page").Funcs(b.Printer(English).Funcs()).Parse(
		`<html lang="{{lang}}"><title>{{ts "x.only"}}</title><p title="{{t "x.only"}}">{{t "x.plain"}}; {{tn "x.count" .Total "Name" (in .Lang .Name)}}; ` +
			`{{tsn "x.count" .Total "Name" "X"}}; {{t "x.link" "Who" "W" (slot "a" "href" .URL)}}; {{number .Total}}; {{percent .Share}}; {{bytes .Total}}; ` +
			`{{date .Date}}; {{month .Date}}; {{list .Names}}; {{label "turnover" "none"}}; {{label "ford" "2.4"}}; {{country "FR"}}; {{language "zz"}}; {{ago .Age}}{{if not checked}} !{{end}}`))
	all, err := b.Each(page)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(Tags()) {
		t.Fatalf("%d clones", len(all))
	}
	model := map[string]any{
		"Total": int64(1500), "Lang": protocol.Lang("km"), "Name": "<ត្រី>", "URL": "/a", "Share": .5, "Date": protocol.DateOf(morning()),
		"Names": []string{"a", "b", "c"}, "Age": 3 * hour,
	}
	for tag, want := range map[Tag]string{
		"en": `<html lang="en"><title>In English &amp; only</title><p title="In English &amp; only">Search; 1,500 listings of <span lang="km">&lt;ត្រី&gt;</span>; ` +
			`1,500 listings of X; Read <a href="/a">how W proves</a> it in <code>tmh</code>.; 1,500; 50%; 1.5` + "\u00a0" + `kB; ` +
			`21 September 2026; September 2026; a, b and c; No turnover yet; Chemical engineering; France; zz; 3 hours ago`,
		"th": `<html lang="th"><title>In English &amp; only</title><p title="In English &amp; only">ค้นหา; <span lang="km">&lt;ត្រី&gt;</span> 1,500 รายการ; ` +
			`X 1,500 รายการ; <span lang="en">Read <a href="/a">how W proves</a> it in <code>tmh</code>.</span>; 1,500; 50%; 1.5` + "\u00a0" + `kB; ` +
			`21 กันยายน พ.ศ. 2569; กันยายน พ.ศ. 2569; a b และc; <span lang="en">No turnover yet</span>; วิศวกรรมเคมี; ฝรั่งเศส; zz; <span lang="en">3 hours ago</span> !`,
	} {
		var out strings.Builder
		if err := all[tag].Execute(&out, model); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%s:\n got %s\nwant %s", tag, out.String(), want)
		}
	}
}

func BenchmarkTexts(b *testing.B) {
	p := opened(b).Printer("en")
	slot := NewSlot("a", "href", "/federation")
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			p.HTML("nav.search")
		}
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			p.HTMLN("count.listings", 12345)
		}
	})
	b.Run("link", func(b *testing.B) {
		for b.Loop() {
			_, _ = io.WriteString(io.Discard, string(p.HTML("layout.proof", slot)))
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		opened(b)
	}
}
