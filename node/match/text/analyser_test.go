package text

import (
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// shown writes tokens as tests compare them: words as they are, pieces ~, numbers #, names !.
func shown(tokens []Token) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString([...]string{"", "~", "#", "!"}[t.Kind] + t.Term)
	}
	return b.String()
}

func TestAnalyse(t *testing.T) {
	a := NewAnalyser(small())
	for _, tt := range []struct{ lang, text, want string }{
		{"en", "The drying of membranes, and it's RUNNING! Don't re-use waste-water.", "dri|membran|run|reus|re|use|wastewat|wast|water"},
		{"en-GB", "Wastewater at 3.5 kW, 10 µm pores, 25°C and 1,000 mg/L CO2", "wastewat|#3.5 kW|#3.5|#10 μm|#10|pore|#25 °C|#25|#1000 mg/L|#1000|!co2"},
		{"en", "H₂O, TiO2, LiFePO4, Ca(OH)2 and NaCl (salt)", "!h2o|!tio2|!lifepo4|!ca(oh)2|!nacl|salt"},
		{"en", "IoT with 5G, 3D, B12 and SARS-CoV-2 in 10⁶ CFU/mL", "!iot|!5g|!3d|!b12|!sarscov2|!sar|!cov|#2|#10^6 CFU/mL|#10^6"},
		{"en", "AI for LEDs, 95% of version 1.2.3; 5 g, 10KW, 0.50 m2, 4 in", "!ai|!led|#95 %|#95|version|#1.2.3|#5 g|#5|#10 kW|#10|#0.5 m2|#0.5|#4"},
		{"en", "mW is not MW: 5 mW, 5 MW", "!mw|!mw|#5 mW|#5|#5 MW|#5"},
		{"en", "ﬁltration café soft\u00adware \xff\u0301", "filtrat|café|softwar|\u0301"},
		{"en", "WASTE WATER TREATMENT", "wast|water|treatment"},
		{"en", "state-of-the-art low-cost", "state|art|lowcost|low|cost"},
		{"id", "Sistem penyaringan air limbah untuk pabrik-pabrik kecil yang menggunakan energi surya 1.000 kW, IoT",
			"id/sistem|id/saring|id/air|id/limbah|id/pabrik|id/kecil|id/guna|id/energi|id/surya|#1000 kW|#1000|!iot"},
		{"id", "Buku-buku, sayur-sayuran, dibacakannya rumahnya; arus bolak-balik 3,5 kW",
			"id/buku|id/sayur|id/baca|id/rumah|id/arus|id/bolak-balik|#3.5 kW|#3.5"},
		{"ms", "Sistem penapisan air sisa kilang dengan tenaga suria, ketelitian perumahan",
			"id/sistem|id/tapis|id/air|id/sisa|id/kilang|id/tenaga|id/suria|id/teliti|id/rumah"},
		{"ms", "pengering padi", "id/kering|id/padi"},
		{"fil", "Sistemang naglilinis ng tubig gamit ang enerhiya ng araw; pag-aaral, bumabasa, niluto, lutuin, bayaran",
			"fil/sistema|fil/linis|fil/tubig|fil/gamit|fil/enerhiya|fil/araw|fil/aral|fil/basa|fil/luto|fil/luto|fil/bayad"},
		{"vi", "Hệ thống lọc nước thải cho nhà máy nhỏ dùng năng lượng mặt trời, hoá học, hoà tan",
			"vi/hệ thống|vi/lọc|vi/nước thải|vi/nhà máy|vi/nhỏ|vi/dùng|vi/năng lượng mặt trời|vi/hóa học|vi/hòa tan"},
		{"pt", "Sistemas de tratamento de resíduos e painéis solares, produções d'água, guarda-chuva",
			"pt/sistem|pt/tratament|pt/residu|pt/painel|pt/solar|pt/produca|pt/agua|pt/guarda-chuv"},
		{"tet", "Bee moos ne’ebé ema sira uza; enerjia", "tet/bee|tet/moos|tet/ema|tet/uza|tet/enerjia"},
		{"th", "ระบบกรองน้ำเสียสำหรับโรงงานขนาดเล็ก IoT sensors ๒๕ kW โซลาร์", "ระบบ|กรอง|น้ำเสีย|โรงงาน|ขนาด|เล็ก|!iot|sensor|#25 kW|#25|~โซลา|~ลาร์"},
		{"th", "ตากลม", "ตา|กลม"},
		{"lo", "ລະບົບກັ່ນຕອງນ້ຳເປື້ອນສຳລັບໂຮງງານຂະໜາດນ້ອຍ", "ລະບົບ|ກັ່ນຕອງ|ນ້ຳເປື້ອນ|ໂຮງງານ|ຂະຫນາດ|ນ້ອຍ"},
		{"km", "ប្រព័ន្ធ\u200bច្រោះ\u200bទឹក\u200bស្អាតសម្រាប់ភូមិ ថាមពលព្រះអាទិត្យ", "ប្រព័ន្ធ|ច្រោះ|ទឹកស្អាត|ភូមិ|ថាមពលព្រះអាទិត្យ"},
		{"my", "စက်ရုံများအတွက် ရေသန့်စင်စနစ် ၂၅ kW", "စက်ရုံ|ရေသန့်|~စင်|စနစ်|#25 kW|#25"},
		{"my", "စက္႐ုံမ်ားအတြက္ ေရသန္႔စင္စနစ္", "စက်ရုံ|ရေသန့်|~စင်|စနစ်"}, // Zawgyi
		{"zh", "小型工厂的废水膜过滤系统，纳米材料", "小型|工厂|废水|膜|过滤|系统|~纳米|~米材|~材料"},
		{"ta", "தொழிற்சாலைகளுக்கான கழிவுநீர் அமைப்பு, வீட்டில் மரங்களை சூரிய ஆற்றலுடன் நிலத்தில்",
			"தொழிற்சாலை|கழிவு|நீர்|அமைப்பு|வீடு|மரம்|சூரிய|ஆற்றல்|நிலம்"},
		{"fr", "Système de filtration", "système|de|filtration"},
		{"", "ру́сский текст", "ру\u0301сский|текст"},
	} {
		n := Normalise(tt.text)
		got := a.Analyse(nil, n, tt.lang)
		if s := shown(got); s != Normalise(tt.want) {
			t.Errorf("%s %q:\n got %s\nwant %s", tt.lang, tt.text, s, tt.want)
		}
		check(t, n, got)
	}
}

// Without a dictionary, every language has words or pieces still.
func TestAnalyseWithoutDictionary(t *testing.T) {
	a := NewAnalyser(nil)
	for _, tt := range []struct{ lang, text, want string }{
		{"id", "penyaringan airnya", "id/penyaringan|id/airnya"},
		{"vi", "lọc nước", "vi/lọc|vi/nước"},
		{"th", "กรองน้ำAI", "~กร|~รอ|~อง|~งน้ำ|!ai"},
		{"th", "ก", "~ก"},
		{"km", "ច្រោះ\u200bទឹក", "~ច្រោះ|~ទឹក"},
		{"my", "ရေသန့်စင်", "~ရေသန့်|~သန့်စင်"},
		{"lo", "ນ້ຳ", "~ນ້ຳ"},
		{"zh", "膜过滤 系统", "~膜过|~过滤|~系统"},
		{"ta", "மரங்கள்", "மரம்"},
		{"fil", "naglilinis", "fil/naglilinis"},
		{"pt", "soluções", "pt/soluca"},
		{"tet", "na'in", "tet/nain"},
	} {
		if s := shown(a.Analyse(nil, Normalise(tt.text), tt.lang)); s != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.lang, tt.text, s, tt.want)
		}
	}
}

// What a lexicon is asked for, and in which language, where it is not the term.
func TestWordOfToken(t *testing.T) {
	a := NewAnalyser(small())
	for _, tt := range []struct{ lang, text, word, of string }{
		{"id", "penyaringan", "penyaringan", "id"},
		{"id", "Penapisan", "penapisan", "ms"}, // only Malay knows it
		{"ms", "penyaringan", "penyaringan", "id"},
		{"pt", "Resíduos", "resíduo", "pt"},
		{"tet", "Na’in", "na'in", "tet"},
		{"th", "membranes", "membranes", "en"},
		{"th", "โซลาร์", "", "th"},
		{"my", "စနစ်", "စနစ်", "my"},
	} {
		got := a.Analyse(nil, Normalise(tt.text), tt.lang)
		if len(got) == 0 || got[0].Word != tt.word || got[0].Lang != tt.of {
			t.Errorf("%s %q: %+v, want the word %q of %s", tt.lang, tt.text, got, tt.word, tt.of)
		}
	}
}

// meaning is a dictionary of which some headwords have a meaning.
type meaning struct {
	list
	with list
}

func (m meaning) Means(lang, w string) bool { return m.with.Has(lang, w) }

// A headword without a meaning stands back behind a form, or behind as many words, that have one.
func TestMeaningsGoFirst(t *testing.T) {
	words := map[string]string{"fil": "naglilinis, linis", "my": "ကခ, ဂဃ, ကခဂ, ဃ"}
	a := NewAnalyser(meaning{newList(words), newList(map[string]string{"fil": "linis", "my": "ကခ, ဂဃ"})})
	for _, tt := range []struct{ lang, text, want string }{{"fil", "naglilinis", "fil/linis"}, {"my", "ကခဂဃ", "ကခ|ဂဃ"}} {
		if got := shown(a.Analyse(nil, tt.text, tt.lang)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.text, got, tt.want)
		}
	}
	if got := shown(NewAnalyser(newList(words)).Analyse(nil, "naglilinis", "fil")); got != "fil/naglilinis" {
		t.Errorf("where all are alike: %s", got)
	}
}

// Endings of Tamil, one behind the other, and the letter that a hard one calls for.
func TestTamilEndings(t *testing.T) {
	a := NewAnalyser(small())
	for text, want := range map[string]string{
		"மரங்களுக்கு": "மரம்", "நிலத்தைப்": "நிலம்", "வீட்டின்": "வீடு", "கருவிகளின்": "கருவி", "அமைப்புகளை": "அமைப்பு",
		"தொழில்நுட்பத்திற்கான": "தொழில்நுட்பம்", "நெல்லுக்கு": "நெல்",
	} {
		if got := shown(a.Analyse(nil, Normalise(text), "ta")); got != Normalise(want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// Different spellings find each other.
func TestSpellings(t *testing.T) {
	a := NewAnalyser(small())
	for _, tt := range []struct{ lang, one, other string }{
		{"en", "waste-water", "wastewater"},
		{"en", "COVID-19", "covid19"},
		{"en", "H₂O", "h2o"},
		{"en", "25 °C", "25℃"},
		{"en", "3.50 kW", "3,5kw"},
		{"en", "1,000,000", "1000000"},
		{"id", "1.500,5", "1500,50"},
		{"vi", "khoẻ", "khỏe"},
		{"tet", "ne'ebé", "neebe"},
		{"tet", "ha’u", "ha'u"},
		{"th", "น\u0e4d\u0e49า", "น้ำ"},
		{"th", "เเสง", "แสง"},
		{"lo", "ຂະໜາດ", "ຂະຫນາດ"},
		{"km", "ទឹក\u200bស្អាត", "ទឹកស្អាត"},
		{"my", "ေရ", "ရေ"},
		{"th", "๑๒.๕ kW", "12.5 kW"},
	} {
		terms := map[string]bool{}
		for _, k := range a.Analyse(nil, Normalise(tt.one), tt.lang) {
			terms[k.Term] = true
		}
		other := a.Analyse(nil, Normalise(tt.other), tt.lang)
		for _, k := range other {
			if !terms[k.Term] {
				t.Errorf("%s: %q has no %q of %q", tt.lang, tt.one, k.Term, tt.other)
			}
		}
	}
}

// Whoever asks and in whatever order, the answer is the same.
func TestAnalyseConcurrently(t *testing.T) {
	text := Normalise("Sistem penyaringan air limbah ระบบกรองน้ำเสีย wastewater treatment தொழிற்சாலைகளுக்கான 25 kW")
	want := shown(NewAnalyser(small()).Analyse(nil, text, "id"))
	a := NewAnalyser(small())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var dst []Token
			for range 200 {
				if dst = a.Analyse(dst[:0], text, "id"); shown(dst) != want {
					t.Errorf("%s, want %s", shown(dst), want)
					return
				}
			}
		})
	}
	wg.Wait()
}

// check verifies what holds for the tokens of any text.
func check(t *testing.T, text string, tokens []Token) {
	t.Helper()
	if len(tokens) > 2*len(text) {
		t.Errorf("%d tokens of %d bytes", len(tokens), len(text))
	}
	before := 0
	for _, k := range tokens {
		switch {
		case k.Start < before || k.End <= k.Start || k.End > len(text):
			t.Fatalf("%+v after %d in %q", k, before, text)
		case !utf8.RuneStart(text[k.Start]) || k.End < len(text) && !utf8.RuneStart(text[k.End]):
			t.Fatalf("%+v cuts a character of %q", k, text)
		case k.Term == "" || !utf8.ValidString(k.Term) || !utf8.ValidString(k.Word) || len(k.Term) > 3*maxTerm:
			t.Fatalf("%+v in %q", k, text)
		case (k.Kind == Piece) != (k.Word == ""):
			t.Fatalf("%+v: a piece has no word, all else has one", k)
		}
		before = k.Start
	}
}
