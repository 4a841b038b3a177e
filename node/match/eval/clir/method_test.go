package clir

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestMethod(t *testing.T) {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"wechsel_en_th.tsv": "water\tน้ำ\nflood\tท่วม\nrice\tข้าว\n", "wechsel_en_id.tsv": "write\ttulis\nwater\tair\n", "wechsel_en_vi.tsv": "waste water\tnước thải\nwater\tnước\n",
		"wechsel_en_my.tsv": "water\tရေ\n", "wechsel_en_ta.tsv": "tree\tமரம்\n", "wechsel_en_fil.tsv": "read\tbasa\n", "wn-wikt-tha.tab": "00000001-n\ttha:lemma\tลม\n",
		"data.noun": "00000001 17 n 02 wind 0 air_current 0 000 | moving air\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	wn, err := ReadWordNet(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ lang, text, want string }{
		{"th", "น้ำท่วมข้าว 2020", "น้ำ ท่วม ข้าว 2020"},
		{"th", "ลมพา", "ลม"}, // one unknown cluster alone says nothing
		{"id", "menulis air", "tulis air"},
		{"vi", "nước thải nước", "nước thải|nước"},
		{"fil", "bumasa ng basahin", "basa ng basa"},
		{"ta", "மரம்", "மரம்"},
	} {
		d, err := ReadDictionary(files, wn, c.lang)
		if err != nil {
			t.Fatal(err)
		}
		sep := " "
		if strings.Contains(c.want, "|") {
			sep = "|"
		}
		if got := strings.Join(d.segment(c.text), sep); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.lang, c.text, got, c.want)
		}
	}
	if _, err := ReadDictionary(files, wn, "km"); err == nil {
		t.Error("a language without a word list has a dictionary")
	}
	d, err := ReadDictionary(files, wn, "th")
	if err != nil {
		t.Fatal(err)
	}
	x := NewIndex([][]string{Stems("Rice and fish"), Stems("A flooded field of rice: water"), Stems("Wind turbines")})
	if got := x.Rank(d.Query("น้ำท่วมข้าว"), 10); !slices.Equal(got, []int{1, 0}) {
		t.Errorf("ranked %v, want the flood first, then rice", got)
	}
	if got := x.Rank(d.Query("ลม"), 10); !slices.Equal(got, []int{2}) {
		t.Errorf("ranked %v, want the wind by WordNet's synset", got)
	}
	if at1, at10 := Recall(func(i int) []int { return []int{0, i} }, 3); at1 != 1.0/3 || at10 != 1 {
		t.Errorf("recall %f %f", at1, at10)
	}
}
