package match

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

// demonstration is an index of the listings of the demonstration, with the words of their titles and keywords.
func demonstration(t testing.TB) (*Index, []string) {
	t.Helper()
	x := New(Options{Lexicon: lexicon.Builtin()})
	seen := map[string]bool{}
	var words []string
	files, err := os.ReadDir("../../configs/demo")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".jsonl") {
			continue
		}
		b, err := os.ReadFile("../../configs/demo/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var l struct {
				ID    protocol.ListingID
				Kind  protocol.Kind
				Texts map[protocol.Lang]protocol.Text
			}
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				t.Fatal(err)
			}
			x.Put(Ref{"KH", l.ID}, &protocol.Listing{ID: l.ID, Kind: l.Kind, Country: "KH", Texts: l.Texts})
			for _, lang := range []protocol.Lang{"en", "id", "ms", "fil"} {
				for _, s := range append([]string{l.Texts[lang].Title}, l.Texts[lang].Keywords...) {
					for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r < 'a' || r > 'z' }) {
						if len(w) >= 6 && !seen[w] {
							seen[w] = true
							words = append(words, w)
						}
					}
				}
			}
		}
	}
	x.spell()
	slices.Sort(words)
	return x, words
}

func instead(t testing.TB, x *Index, query string) string {
	return ask(t, x, Query{Text: query, Limit: 1}).Meant
}

// TestCorrectSentencesAreLeft asks with real sentences, and with three words of each, which nobody mistyped.
func TestCorrectSentencesAreLeft(t *testing.T) {
	x, _ := demonstration(t)
	asked, proposed := 0, 0
	for _, lang := range strings.Fields("en id ms fil vi th lo km my_unicode zh ta") {
		b, err := os.ReadFile("../../../shared/data/ntrex/" + lang + ".txt")
		if err != nil {
			t.Skip("data/ntrex is not beside this repository, so real sentences are not tried")
		}
		lines := strings.Split(string(b), "\n")
		whole, short, in := 0, 0, 0
		for i, line := range lines[:min(len(lines), 300)] {
			words := strings.Fields(line)
			if len(words) < 3 {
				continue
			}
			in++
			if got := instead(t, x, line); got != "" {
				whole++
			}
			at := i % (len(words) - 2)
			q := strings.Trim(strings.Join(words[at:at+3], " "), ".,;:")
			if got := instead(t, x, q); got != "" {
				if short++; testing.Verbose() && short <= 6 {
					t.Logf("%s: %s → %s", lang, q, got)
				}
			}
		}
		t.Logf("%s: of %d sentences %d are said to be wrong, of their three words %d", lang, in, whole, short)
		asked, proposed = asked+2*in, proposed+whole+short
	}
	t.Logf("%d of %d", proposed, asked)
	if asked > 0 && 100*proposed > asked {
		t.Errorf("of %d questions without a mistake %d are said to have one", asked, proposed)
	}
}

// TestTyposAreMended asks with words of the catalogue in which one letter slipped.
func TestTyposAreMended(t *testing.T) {
	x, words := demonstration(t)
	r := rand.New(rand.NewPCG(5, 8))
	mended, wrong, tried := 0, 0, 0
	for tried < 600 {
		w := words[r.IntN(len(words))]
		bad := mistyped(r, w)
		if slices.Contains(words, bad) {
			continue
		}
		tried++
		switch got := instead(t, x, bad); {
		case text.Stem(got) == text.Stem(w):
			mended++
		case got != "":
			wrong++
		}
	}
	t.Logf("of %d mistyped words %d are mended, %d become another word", tried, mended, wrong)
	if 100*mended < 75*tried {
		t.Errorf("of %d mistyped words only %d are mended", tried, mended)
	}
}

// mistyped makes a letter more, less, other, or two swapped.
func mistyped(r *rand.Rand, w string) string {
	const abc = "abcdefghijklmnopqrstuvwxyz"
	for {
		b := []byte(w)
		i, c := 1+r.IntN(len(b)-1), abc[r.IntN(len(abc))]
		switch r.IntN(4) {
		case 0:
			b = slices.Insert(b, i, c)
		case 1:
			b = slices.Delete(b, i, i+1)
		case 2:
			b[i] = c
		default:
			b[i-1], b[i] = b[i], b[i-1]
		}
		if string(b) != w {
			return string(b)
		}
	}
}

// TestWhatIsNoMistake: a syllable of Vietnamese is a word, whatever the catalogue has that is near; and so is what it has in a
// text, and a name.
func TestWhatIsNoMistake(t *testing.T) {
	x, _ := demonstration(t)
	for query, want := range map[string]string{
		"nhiễm khuẩn":                   "",
		"thử nghiêm":                    "",
		"khử trùng ở trường học":        "",
		"xin chào các bạn":              "",
		"desalinaton of brackish water": "desalination of brackish water",
	} {
		if got := instead(t, x, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, s := range []string{"nhiem", "nghiem", "nuoc", "truong", "gi", "giay", "quyen", "khuay", "uyen", "yeu", "xoay", "ba", "a"} {
		if !vietnameseSyllable(s) {
			t.Errorf("%s is a syllable", s)
		}
	}
	for _, s := range []string{"", "ng", "membrane", "solr", "nuocc", "gx", "watr", "strom", "zza"} {
		if vietnameseSyllable(s) {
			t.Errorf("%s is no syllable", s)
		}
	}
	for _, c := range []struct {
		query, word string
		want        bool
	}{
		{"said Palu yesterday", "Palu", true}, {"Palu yesterday", "Palu", false}, {"กล่าวที่ Palu ว่า", "Palu", true}, {"Membrene Filtration", "Membrene", false},
		{"MEMBRENE FILTRATION", "MEMBRENE", false}, {"a membrene", "membrene", false},
	} {
		at := strings.Index(c.query, c.word)
		if got := isName(c.query, at, at+len(c.word)); got != c.want {
			t.Errorf("%s in %s: %v", c.word, c.query, got)
		}
	}
}
