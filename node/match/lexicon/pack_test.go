package lexicon

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type pair struct {
	lang, word, gloss string
	weight            int
	source            string
}

var samplePairs = []pair{
	{"th", "โซลาร์เซลล์", "solar cell", 12, "ours"},
	{"th", "น้ำ", "water", 4, "a"},
	{"th", "น้ำ", "juice", 2, "b"},
	{"th", "น้ำตาล", "sugar", 4, "a"},
	{"id", "air", "water", 4, "a"},
	{"ms", "air", "water", 4, "b"},
	{"ms", "angin", "wind", 4, "b"},
	{"vi", "nước thải", "waste water", 4, "a"},
}

func packOf(t testing.TB, pairs []pair, words ...pair) []byte {
	t.Helper()
	b := NewBuilder()
	for _, p := range pairs {
		if err := b.AddSource(Source{Name: p.source, Licence: "free", Entries: 1}); err != nil {
			t.Fatal(err)
		}
		if err := b.Add(p.lang, p.word, p.gloss, p.weight, p.source); err != nil {
			t.Fatalf("%v: %v", p, err)
		}
	}
	for _, w := range words {
		if err := b.AddWord(w.lang, w.word); err != nil {
			t.Fatal(err)
		}
	}
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func open(t testing.TB, b []byte) *Lexicon {
	t.Helper()
	l, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func told(l *Lexicon, lang, word string) string {
	var out []string
	for _, t := range l.Translate(nil, lang, word) {
		out = append(out, fmt.Sprintf("%s %.3f %s (%s)", t.Term, t.Weight, t.English, l.Sources()[t.Source].Name))
	}
	return strings.Join(out, "; ")
}

func TestRoundTrip(t *testing.T) {
	l := open(t, packOf(t, samplePairs, pair{lang: "th", word: "น้ำท่วม"}))
	for _, c := range []struct{ lang, word, want string }{
		{"th", "น้ำ", "water 0.667 water (a); juic 0.333 juice (b)"},
		{"th", "โซลาร์เซลล์", "cell 0.500 solar cell (ours); solar 0.500 solar cell (ours)"},
		{"id", "air", "water 1.000 water (a)"}, // Malay says the same
		{"id", "angin", "wind 1.000 wind (b)"}, // only Malay has it
		{"th", "น้ำท่วม", ""},
		{"th", "น้", ""},
		{"th", "air", ""},
		{"xx", "air", ""},
	} {
		if got := told(l, c.lang, c.word); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.lang, c.word, got, c.want)
		}
	}
	if !l.Has("th", "น้ำท่วม") || l.Has("th", "น้ำท") || l.Has("lo", "น้ำ") {
		t.Error("Has is wrong")
	}
	for s, want := range map[string]string{"น้ำตาลทราย": "น้ำตาล", "น้ำตก": "น้ำ", "น้ำท่วม": "น้ำท่วม", "ลม": "", "": ""} {
		if got := l.Longest("th", s); got != len(want) {
			t.Errorf("longest of %s: %d bytes, want %d", s, got, len(want))
		}
	}
	if got := l.Languages(); !slices.Equal(got, []string{"id", "ms", "th", "vi"}) {
		t.Error(got)
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	want := packOf(t, samplePairs)
	for seed := range uint64(20) {
		shuffled := slices.Clone(samplePairs)
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if !bytes.Equal(packOf(t, shuffled), want) {
			t.Fatalf("another pack from the same pairs in another order (%d)", seed)
		}
	}
	a, err := parse(want)
	if err != nil {
		t.Fatal(err)
	}
	b, err := parse(packOf(t, []pair{{"th", "น้ำ", "river", 4, "c"}}))
	if err != nil {
		t.Fatal(err)
	}
	ab, err := merge([]*pack{a, b, a})
	if err != nil {
		t.Fatal(err)
	}
	ba, err := merge([]*pack{b, a})
	if err != nil {
		t.Fatal(err)
	}
	if ab.Digest() != ba.Digest() || told(ab, "th", "น้ำ") != told(ba, "th", "น้ำ") || !slices.Equal(ab.Sources(), ba.Sources()) {
		t.Error("merged in another order, packs say something else")
	}
	if ab.Digest() == open(t, want).Digest() {
		t.Error("another content has the same digest")
	}
	if got, want := told(ab, "th", "น้ำ"), "river 0.400 river (c); water 0.400 water (a); juic 0.200 juice (b)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestRandomRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	letters := []rune("กขคงจabนํ ")
	all := map[string]bool{}
	var pairs []pair
	for range 3000 {
		w := make([]rune, 1+r.IntN(6))
		for i := range w {
			w[i] = letters[r.IntN(len(letters))]
		}
		word := headword("x" + string(w) + "y")
		all[word] = true
		pairs = append(pairs, pair{"vi", word, fmt.Sprint("gloss", r.IntN(500)), 1 + r.IntN(5), "s"})
	}
	l := open(t, packOf(t, pairs))
	for word := range all {
		if !l.Has("vi", word) || len(l.Translate(nil, "vi", word)) == 0 {
			t.Fatalf("%q is lost", word)
		}
		long := word + "zกa"
		best := 0
		for o := range all {
			if strings.HasPrefix(long, o) {
				best = max(best, len(o))
			}
		}
		if got := l.Longest("vi", long); got != best {
			t.Fatalf("longest of %q: %d, want %d", long, got, best)
		}
		sum := 0.0
		for _, x := range l.Translate(nil, "vi", word) {
			sum += float64(x.Weight)
		}
		if sum > 1+1e-5 {
			t.Fatalf("%q: weights add up to %f", word, sum)
		}
	}
}

func TestDamageIsRefused(t *testing.T) {
	good := packOf(t, samplePairs)
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if _, err := Parse(bad); err == nil {
			t.Fatalf("a pack with byte %d damaged is taken", i)
		}
		if _, err := Parse(good[:i]); err == nil {
			t.Fatalf("a pack cut at %d is taken", i)
		}
	}
}

// A pack that was made to harm has the right checksum: nothing in it may lead a look-up astray.
func TestForgedIsRefusedOrHarmless(t *testing.T) {
	good := packOf(t, samplePairs)
	taken := 0
	for i := len(magic); i < len(good)-sha256.Size; i++ {
		for _, v := range []byte{0, 1, 0x7f, 0xff} {
			bad := slices.Clone(good)
			bad[i] = v
			if use(resum(bad)) {
				taken++
			}
		}
	}
	if taken == 0 {
		t.Error("not even a changed letter of a gloss was taken: the checksum was not made anew")
	}
}

func resum(b []byte) []byte {
	body := b[:len(b)-sha256.Size]
	sum := sha256.Sum256(body)
	return append(slices.Clone(body), sum[:]...)
}

// use calls everything that reads a pack.
func use(b []byte) bool {
	l, err := Parse(b)
	if err != nil {
		return false
	}
	for _, lang := range append(l.Languages(), "th", "id") {
		for _, w := range []string{"น้ำ", "น้ำตาลทราย", "air", "", "nước thải", "\xff"} {
			l.Has(lang, w)
			l.Longest(lang, w)
			for _, t := range l.Translate(nil, lang, w) {
				_ = l.Sources()[t.Source].Name + t.Term + t.English
			}
		}
		l.Headwords(lang)
	}
	return true
}

func FuzzParse(f *testing.F) {
	good := packOf(f, samplePairs)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(magic))
	f.Fuzz(func(_ *testing.T, b []byte) {
		use(b)
		if len(b) > sha256.Size {
			use(resum(b))
		}
	})
}

func TestOpenNamesDamagedPacks(t *testing.T) {
	dir := t.TempDir()
	good := packOf(t, []pair{{"tet", "loromatan-mean", "sunrise", 4, "x"}})
	for name, b := range map[string][]byte{"good": good, "cut": good[:len(good)-1], "text": []byte("no pack"), "empty": nil} {
		if err := os.WriteFile(filepath.Join(dir, name+Extension), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, problems, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 3 {
		t.Errorf("problems %v, want those of cut, empty and text", problems)
	}
	for _, p := range problems {
		if strings.Contains(p.Error(), "good") {
			t.Error(p)
		}
	}
	if !strings.Contains(told(l, "tet", "loromatan-mean"), "sunris") {
		t.Error("the pack that is whole was not used")
	}
	if !l.Has("th", "น้ำ") && len(l.Languages()) < 12 {
		t.Error("the built-in pack was not used")
	}
	if l.Digest() == Builtin().Digest() {
		t.Error("the digest does not tell the packs")
	}
	if none, problems, err := Open(filepath.Join(dir, "absent")); err != nil || len(problems) > 0 || none.Digest() != Builtin().Digest() {
		t.Errorf("an absent folder: %v %v", problems, err)
	}
}

func TestBuiltin(t *testing.T) {
	for _, err := range ownPack().faults {
		t.Error(err)
	}
	l := Builtin()
	for _, lang := range []string{"id", "ms", "th", "vi", "fil", "km", "lo", "my", "zh", "ta", "pt", "tet"} {
		if n := l.Headwords(lang); n < 300 {
			t.Errorf("%s has %d headwords", lang, n)
		}
	}
	if got := told(l, "th", "พลังงาน"); !strings.Contains(got, "energi") {
		t.Errorf("พลังงาน: %s", got)
	}
	if !l.Stop("th", "และ") || l.Stop("th", "พลังงาน") || len(l.Translate(nil, "th", "และ")) > 0 && l.Stop("id", "และ") {
		t.Error("stop words are wrong")
	}
}

func TestBuilderRefuses(t *testing.T) {
	b := NewBuilder()
	for _, c := range []struct {
		lang, word, gloss string
		want              error
	}{
		{"xx", "a", "water", errBadLang},
		{"th", " ", "water", errNoWord},
		{"id", strings.Repeat("a", 300), "water", errLongWord},
		{"id", "air", "of the", errNoMeaning},
		{"id", "air", "น้ำ", errNoMeaning},
		{"id", "air", strings.Repeat("water ", 60), errLongGloss},
		{"th", "น้ำ/ลม", "water", errSigns},
	} {
		if err := b.Add(c.lang, c.word, c.gloss, 1, "s"); err != c.want { //nolint:errorlint // the very error
			t.Errorf("%v: %v", c, err)
		}
	}
	if _, err := b.Bytes(); err == nil {
		t.Error("a pack without a source was made")
	}
}

func BenchmarkTranslate(b *testing.B) {
	l := Builtin()
	var words []string
	p := l.packs[0]
	th, _ := p.lang("th")
	for h := th.first; h < th.last; h++ {
		words = append(words, strings.Clone(p.headword(h)))
	}
	var dst []Target
	b.Run("translate", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			dst = l.Translate(dst[:0], "th", words[i%len(words)])
		}
	})
	b.Run("has", func(b *testing.B) {
		for i := range b.N {
			l.Has("th", words[i%len(words)])
		}
	})
	b.Run("longest", func(b *testing.B) {
		for i := range b.N {
			l.Longest("th", words[i%len(words)])
		}
	})
}
