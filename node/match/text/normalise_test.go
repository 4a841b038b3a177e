package text

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNormalise(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                    "plain",
		"ﬁne Ｈ２Ｏ soft\u00adware":   "fine H2O software",
		"10⁶ m² CO₂ 10⁻³":          "10^6 m2 CO2 10^−3",
		"\xffa\xc3":                " a ",
		"hoà khoẻ uỷ quý toán HOÀ": "hòa khỏe ủy quý toán HÒA",
		"น\u0e4d\u0e49า":           "น้ำ", // nikhahit, tone, AA
		"ท\u0e49\u0e35":            "ที้", // tone before its vowel
		"เเม่":                     "แม่",
		"ນ\u0ecd\u0ec9າ":           "ນ້ຳ",
		"ស\u17d2\u178a\u17b6":      "ស\u17d2\u178f\u17b6", // stacked DA looks like TA
		"ក\u17c1\u17b8":            "ក\u17be",             // a vowel in two halves
		"ស\u17b6\u17d2\u178f":      "ស\u17d2\u178f\u17b6", // the stacked letter typed late
		"က\u102f\u102d":            "က\u102d\u102f",
		"ပါ၀င်":                    "ပါဝင်",
		"၂၀၂၄":                     "၂၀၂၄",
		"ទឹក\u200bស្អាត":           "ទឹក\u200bស្អាត",
		"a\u200d\u0301":            "á",
	} {
		got := Normalise(in)
		if got != want {
			t.Errorf("%+q: %+q, want %+q", in, got, want)
		}
		if again := Normalise(got); again != got {
			t.Errorf("%+q again: %+q", got, again)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Café": "cafe", "NƯỚC thải Đà Nẵng": "nuoc thai da nang", "Ne’ebé": "ne'ebe", "น้ำ": "น้ำ", "Água": "agua", "Mañana": "manana",
	} {
		if got := Fold(Normalise(in)); got != want && Normalise(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func seeds(f *testing.F) {
	for _, s := range []string{
		"", "The drying of membranes at 3.5 kW/m2, COVID-19, Ca(OH)2, it's 10⁶", "hoà tan nước-thải d'água ne'ebé", "ระบบกรองน้ำเสีย\u200b๒๕ kW",
		"ນ\u0ecd\u0ec9າ", "ប្រព័ន្ធ\u200bច្រោះ", "ေရသန္႔စင္စနစ္", "ရေသန့်စင်စနစ်", "小型工厂", "தொழிற்சாலைகளுக்கான", "\xff\xfe\u0301\u17d2\u1039\u0e33",
		strings.Repeat("ก", 600), strings.Repeat("a-", 50), strings.Repeat("9,", 50), strings.Repeat("\u0e48", 40),
	} {
		f.Add(s)
	}
}

func FuzzNormalise(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, s string) {
		n := Normalise(s)
		if !utf8.ValidString(n) {
			t.Fatalf("%+q: not UTF-8: %+q", s, n)
		}
		if again := Normalise(n); again != n {
			t.Fatalf("%+q\n%+q\n%+q", s, n, again)
		}
		if len(n) > 40*len(s)+8 {
			t.Fatalf("%d bytes became %d", len(s), len(n))
		}
		if g := Detect(n, "id"); g.Sure < 0 || g.Sure > 1 {
			t.Fatalf("%+v", g)
		}
		if fold := Fold(n); !utf8.ValidString(fold) {
			t.Fatalf("%+q", fold)
		}
	})
}

func FuzzAnalyse(f *testing.F) {
	seeds(f)
	with, without := NewAnalyser(small()), NewAnalyser(nil)
	f.Fuzz(func(t *testing.T, s string) {
		n := Normalise(s)
		var dst []Token
		for _, lang := range []string{"en", "id", "ms", "fil", "vi", "pt", "tet", "th", "lo", "km", "my", "zh", "ta", "fr", ""} {
			for _, a := range []*Analyser{with, without} {
				dst = a.Analyse(dst[:0], n, lang)
				check(t, n, dst)
			}
		}
	})
}
