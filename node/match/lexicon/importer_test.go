package lexicon

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

func folder(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

// wordnetOf writes synsets whose offsets lie shift bytes off for all from the one named.
func wordnetOf(words map[int]string) fstest.MapFS {
	var noun strings.Builder
	noun.WriteString("  1 a licence\n")
	for offset := range 20_000 {
		if w, ok := words[offset]; ok {
			fmt.Fprintf(&noun, "%08d 03 n 02 %s 0 %s_two 0 000 | gloss\n", offset, w, w)
		}
	}
	return folder(map[string]string{"data.noun": noun.String(), "data.verb": "", "data.adj": "", "data.adv": ""})
}

func TestEachForm(t *testing.T) {
	im := NewImporter()
	im.Licence, im.From = "CC BY-SA", "somewhere"
	if err := im.WordNet(wordnetOf(map[int]string{1000: "rice", 1010: "fish"})); err != nil {
		t.Fatal(err)
	}
	reports, err := im.Files(folder(map[string]string{
		"wechsel_en_vi.tsv": "water\tnước\nof\tcủa\nno columns\nfish\tcá\nwind\tgió\n" + strings.Repeat("water\tnước\n", 30),
		"enwikt_en_id.txt":  "# English :: Indonesian dictionary extracted from a wiki\n# License :: free licence\nsolar cell {n} (device) :: sel surya, sel /sel/ fotovoltaik [x]\n",
		"wn-x-tha.tab":      "# Thai net\ttha\thttp://example.org\tMIT\n00001000-n\ttha:lemma\tข้าว\n00001010-n\ttha:def\t0\tปลา\n00009999-n\ttha:lemma\tไม่มี\n",
		"translit.tsv":      "th\ten\tcheck\nกราฟ\tgraph\tTrue\nกราฟิก\tgraphic\tTrue\n",
		"my_words.txt":      "ရေ\t966\nလေ\t16\nငါး\t3\n",
		"lo_LA.dic":         "3\nນ້ຳ\nລົມ/AB\nປາ\n",
		"tl.dic":            "4\nma\xf1ana/A\ntubig\nhangin\npi\xf1a\n",
		"terms.tsv":         "en\tid\tth\ttet\nwater\tair | aer\tน้ำ\tbee\n",
		"id_ID.aff":         "SET UTF-8\nPFX A Y 1\n",
		"thbrk.tri":         "\x00\x01\x02",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Finish(); err != nil {
		t.Fatal(err)
	}
	b, err := im.Builder.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, b)
	for _, c := range []struct{ lang, word, want string }{
		{"vi", "nước", "water 1.000 water (wechsel_en_vi)"},
		{"id", "sel surya", "cell 0.500 solar cell (enwikt_en_id); solar 0.500 solar cell (enwikt_en_id)"},
		{"id", "sel fotovoltaik", "cell 0.500 solar cell (enwikt_en_id); solar 0.500 solar cell (enwikt_en_id)"},
		{"th", "ข้าว", "rice 0.750 rice (Thai net tha); two 0.250 rice two (Thai net tha)"},
		{"th", "กราฟ", "graph 1.000 graph (translit)"},
		{"id", "aer", "water 1.000 water (terms)"},
		{"tet", "bee", "water 1.000 water (terms)"},
	} {
		if got := told(l, c.lang, c.word); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.lang, c.word, got, c.want)
		}
	}
	for _, w := range [][2]string{{"my", "ရေ"}, {"lo", "ນ້ຳ"}, {"lo", "ລົມ"}, {"fil", "mañana"}, {"fil", "tubig"}} {
		if !l.Has(w[0], w[1]) {
			t.Errorf("%s has no %s", w[0], w[1])
		}
	}
	licences := map[string]string{}
	for _, s := range l.Sources() {
		licences[s.Name] = s.Licence
	}
	if licences["enwikt_en_id"] != "free licence" || licences["Thai net tha"] != "MIT" || licences["tl"] != "CC BY-SA" {
		t.Errorf("licences %v", licences)
	}
	byFile := map[string]string{}
	for _, r := range reports {
		byFile[r.File] = fmt.Sprint(r.Form, r.Langs, r.Translations, r.Words, r.Left, r.Note)
	}
	for file, want := range map[string]string{
		"wechsel_en_vi.tsv": "line 3: no columns", "wn-x-tha.tab": "WordNet has no such synset", "tl.dic": "ISO-8859-1", "thbrk.tri": "no text", "id_ID.aff": "left out whole",
	} {
		if !strings.Contains(byFile[file], want) {
			t.Errorf("%s: %q does not say %q", file, byFile[file], want)
		}
	}
}

func TestWordNetWithShiftedOffsets(t *testing.T) {
	words := map[int]string{}
	var table strings.Builder
	table.WriteString("# net\tind\turl\tMIT\n")
	for i := range 400 {
		offset := 1000 + 20*i + i*i*7%13 // at irregular distances, as in the real one
		here := offset
		if i >= 150 { // this WordNet was mended in front of here
			here += 10
		}
		words[here] = fmt.Sprintf("thing%c%c", 'a'+i/26, 'a'+i%26)
		fmt.Fprintf(&table, "%08d-n\tind:lemma\tbenda%c%c\n", offset, 'a'+i/26, 'a'+i%26)
	}
	im := NewImporter()
	if err := im.WordNet(wordnetOf(words)); err != nil {
		t.Fatal(err)
	}
	r, err := im.Read("wn-net-ind.tab", strings.NewReader(table.String()))
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Finish(); err != nil {
		t.Fatal(err)
	}
	if r.Translations < 2*395 {
		t.Errorf("%d translations, %v", r.Translations, r.Left)
	}
	b, err := im.Builder.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, b)
	for _, i := range []int{0, 100, 149, 150, 200, 399} {
		word, want := fmt.Sprintf("benda%c%c", 'a'+i/26, 'a'+i%26), fmt.Sprintf("thing%c%c", 'a'+i/26, 'a'+i%26)
		if got := told(l, "id", word); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
}

func TestWithoutWordNet(t *testing.T) {
	im := NewImporter()
	r, err := im.Read("wn-net-ind.tab", strings.NewReader("# net\tind\turl\tMIT\n00001000-n\tind:lemma\tnasi\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Finish(); err != nil {
		t.Fatal(err)
	}
	if r.Translations != 0 || !strings.Contains(r.Note, "wordnet-base") {
		t.Errorf("%+v", r)
	}
}

func TestCompoundsAndCognates(t *testing.T) {
	im := NewImporter()
	_, err := im.Files(folder(map[string]string{
		"d_en_th.tsv": "water\tน้ำ\nflood\tท่วม\nparliament\tสภา\ncountry\tประเทศ\nlove\tรัก\n",
		"th.dic":      "2\nน้ำท่วม\nน้ำค้าง\n",
		"lo.dic":      "4\nສະພາ\nປະເທດ\nຮັກ\nໄກ່\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Finish(); err != nil {
		t.Fatal(err)
	}
	b, err := im.Builder.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, b)
	if l.Has("th", "น้ำท่วม") || !l.Has("th", "น้ำค้าง") || im.Compounds != 1 {
		t.Error("compounds: น้ำท่วม consists of what is known, น้ำค้าง does not")
	}
	for word, want := range map[string]string{"ສະພາ": "parliament", "ປະເທດ": "countri", "ຮັກ": "love"} {
		if got := told(l, "lo", word); !strings.HasPrefix(got, want) || !strings.Contains(got, "Thai words") {
			t.Errorf("%s: %q", word, got)
		}
	}
	if got := told(l, "lo", "ໄກ່"); got != "" {
		t.Error(got)
	}
}

func TestHostileFiles(t *testing.T) {
	for name, text := range map[string]string{
		"long_en_vi.tsv":  "water\t" + strings.Repeat("a", 1<<20) + "\nwind\tgió\n",
		"utf_en_vi.tsv":   "water\tn\xffc\nwind\tgió\n",
		"empty.tsv":       "",
		"newlines.txt":    strings.Repeat("\n", 1000),
		"tabs_en_vi.tsv":  strings.Repeat("\t", 5000),
		"head.tab":        "#\tx\t\n\t\t\n",
		"headonly.tsv":    "en\tth\tid\tms\n",
		"wide.tsv":        "en\tth\tid\tms\n" + strings.Repeat("a\t", 500) + "\n",
		"bad.dic":         "999999999999\n" + strings.Repeat("/", 100) + "\n",
		"colons_en_ms":    strings.Repeat(":: :: ::\n", 100),
		"braces_en_ms.tx": "a {{{( [ :: / / / , ; [ } ) ]\n",
	} {
		im := NewImporter()
		if _, err := im.Read(name, strings.NewReader(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := im.Finish(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzImport(f *testing.F) {
	for _, s := range []string{
		"water\tnước\n", "# English :: Malay dictionary\nwind {n} :: angin, bayu\n", "# n\ttha\tu\tMIT\n00001000-n\ttha:lemma\tข้าว\n",
		"th\ten\tcheck\nกราฟ\tgraph\tTrue\n", "2\nນ້ຳ\nລົມ/AB\n", "en\tid\tth\tms\nwater\tair | aer\tน้ำ\t\n", "ma\xf1ana\n",
	} {
		f.Add("x_en_id.tsv", s)
	}
	wn := wordnetOf(map[int]string{1000: "rice"})
	f.Fuzz(func(t *testing.T, name, text string) {
		im := NewImporter()
		if err := im.WordNet(wn); err != nil {
			t.Fatal(err)
		}
		r, err := im.Read(name, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := im.Finish(); err != nil {
			t.Fatal(err)
		}
		if r.Translations+r.Words == 0 {
			return
		}
		b, err := im.Builder.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(b); err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
	})
}
