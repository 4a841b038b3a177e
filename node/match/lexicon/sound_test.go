package lexicon

import (
	"testing"
	"unicode/utf8"
)

func TestNamesAreFoundAcrossScripts(t *testing.T) {
	n := NewNames([]string{"merkel", "washington", "obama", "trump", "facebook", "johnson", "siemen", "toyota", "water", "market", "wast", "polic", "sw", "12345", "naïve"})
	for word, want := range map[string]string{
		"เมอร์เคล": "merkel", "วอชิงตัน": "washington", "โตโยต้า": "toyota", "ເຟສບຸກ": "facebook", "ហ្វេសប៊ុក": "facebook", "பேஸ்புக்": "facebook",
		"ဝါရှင်တန်": "washington", "டிரம்ப்": "trump", "ဂျွန်ဆင်": "johnson", "โอบามา": "obama",
	} {
		got := n.Find(nil, word)
		if len(got) == 0 || got[0].Term != want {
			t.Errorf("%s: %v, want %s", word, got, want)
		}
	}
	for _, word := range []string{"พลังงาน", "น้ำ", "", "a", "water", "水"} {
		if got := n.Find(nil, word); len(got) > 0 {
			t.Errorf("%s: %v", word, got)
		}
	}
}

func FuzzSounds(f *testing.F) {
	f.Add("เมอร์เคล", "merkel")
	f.Add("ហ្វេសប៊ុក", "schach")
	f.Add("ဂျွန်ဆင်", "\xff")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := Sounds(nil, a), Sounds(nil, b)
		if len(x) > maxSounds || len(y) > maxSounds || !utf8.Valid(x) {
			t.Fatalf("%q %q", x, y)
		}
		if there, back := Alike(x, y), Alike(y, x); there != back || there > 1 {
			t.Fatalf("%q %q: %f, %f", x, y, there, back)
		}
		if a != "" {
			NewNames([]string{b}).Find(nil, a)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	var terms []string
	for i := range 26 * 26 * 26 {
		terms = append(terms, "mer"+string(rune('a'+i/676))+"k"+string(rune('a'+i/26%26))+string(rune('a'+i%26)))
	}
	n := NewNames(terms)
	b.ReportAllocs()
	for b.Loop() {
		n.Find(nil, "เมอร์เคล")
	}
}
