package lang

import (
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	b := opened(t)
	for _, c := range []struct {
		header, cookie, query string
		want                  Tag
	}{
		{"", "", "", "en"},
		{"th-TH,th;q=0.9,en;q=0.8", "", "", "th"},
		{"th", "vi", "", "vi"},
		{"th", "vi", "km", "km"},
		{"th", "xx", "<script>", "th"},
		{"fr-FR,fr;q=0.9,ms;q=0.5,en;q=0.4", "", "", "ms"},
		{"fr, en;q=0.1", "", "", "en"},
		{"fr", "", "", "en"},
		{"pt-BR", "", "", "pt"},
		{"tet", "", "", "tet"},
		{"tl-PH", "", "", "fil"},
		{"in-ID", "", "", "id"},
		{"my-MM,en;q=0", "", "", "my"},
		{"zh-CN", "", "", "zh"},
		{"zh-TW,en;q=0.5", "", "", "en"},
		{"zh-Hant-HK", "", "", "zh"},
		{"vi;q=0, lo;q=0.2", "", "", "lo"},
		{"*", "", "", "en"},
		{"th;q=oops", "", "", "en"},
		{strings.Repeat("th,", 1000), "", "", "en"},
	} {
		if got := b.Match(c.header, c.cookie, c.query); got != c.want {
			t.Errorf("%q, cookie %q, query %q: %s, want %s", c.header, c.cookie, c.query, got, c.want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	b := opened(f)
	for _, s := range []string{"", "th-TH,th;q=0.9", "*", "zh-Hant;q=1", "en-u-nu-thai", "x-a;q=", "sgn-SE-,,,;q=0.1", "i-klingon", "art-lojban"} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, header, cookie, query string) {
		if got := b.Match(header, cookie, query); !Known(string(got)) {
			t.Errorf("%q is none of ours", got)
		}
	})
}
