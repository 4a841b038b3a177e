package match

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

func TestAnalyse(t *testing.T) {
	tests := []struct {
		lang       protocol.Lang
		text, want string
	}{
		{"en", "The drying of membranes, and it's RUNNING!", "dri membran run"},
		{"en", "waste-water B12 3.5 café", "wast water b12 3 5 café"},
		{"en", "ﬁltration Ｈ２Ｏ soft\u00adware", "filtrat h2o softwar"},
		{"id", "The drying of padi", "the drying of padi"},
		{"vi", "Lọc nước", "lọc nước"},
		{"th", "น้ำ membranes", "น\u0e49\u0e4dา membran"},
		{"th", "กรองน้ำAI", "กร รอ อง งน\u0e49\u0e4d น\u0e49\u0e4dา ai"},
		{"th", "ก", "ก"},
		{"km", "ច្រោះ\u200bទឹក", "ច្រោះ ទឹក"},
		{"lo", "\u0e99\u0ec9\u0eb3", "ນ\u0ec9\u0ecdາ"},
		{"my", "စက္ကူ", "စက္ကူ"},
		{"zh", "膜过滤 系统", "膜过 过滤 系统"},
		{"zh", "膜", "膜"},
		{"en", "\xff\u0301 ok\xc3", "\u0301 ok"},
	}
	for _, tt := range tests {
		var got []string
		for _, tok := range analyse(normalise(tt.text), newStemmer().of(tt.lang)) {
			got = append(got, tok.term)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.lang, tt.text, strings.Join(got, " "), tt.want)
		}
	}
}

// In each script a query, not equal to any text, finds the listing in its own script first.
func TestScripts(t *testing.T) {
	texts := []struct {
		lang         protocol.Lang
		title, query string
	}{
		{"th", "ระบบเยื่อกรองน้ำเสียสำหรับโรงงานขนาดเล็ก", "น้ำเสียโรงงาน"},
		{"km", "ប្រព័ន្ធច្រោះទឹកស្អាតសម្រាប់ភូមិ", "ទឹកស្អាត"},
		{"lo", "ລະບົບກັ່ນຕອງນ້ຳສຳລັບໂຮງງານ", "ກັ່ນຕອງນ້ຳ"},
		{"my", "ရေသန့်စင်စနစ် စက်ရုံများအတွက်", "ရေသန့်စင်"},
		{"zh", "小型工厂废水膜过滤系统", "废水过滤"},
		{"vi", "Hệ thống lọc nước thải cho nhà máy nhỏ", "lọc nước thải"},
		{"id", "Sistem penyaringan air limbah untuk pabrik kecil", "penyaringan limbah"},
		{"en", "Wastewater filtration system for small factories", "filtering wastewater in a factory"},
	}
	x := New(DefaultWeights())
	for _, l := range texts {
		x.Put(Ref{"KH", protocol.ListingID(l.lang)}, listing(string(l.lang), "TO", l.lang, protocol.Text{Title: l.title}))
	}
	for _, l := range texts {
		if a := ask(t, x, Query{Text: l.query}); len(a.Hits) == 0 || string(a.Hits[0].Ref.ID) != string(l.lang) {
			t.Errorf("%s finds %q, want %s first", l.query, ids(a), l.lang)
		}
	}
}

func TestLn(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 100_000 {
		x := 1 + math.Exp(r.Float64()*40-20)
		if got, want := ln(x), math.Log(x); math.Abs(got-want) > 4e-16*math.Max(1, want) {
			t.Fatalf("ln(%v) = %v, want %v", x, got, want)
		}
	}
	if ln(1) != 0 || ln(2) != math.Ln2 {
		t.Errorf("ln 1 = %v, ln 2 = %v", ln(1), ln(2))
	}
}

func FuzzAnalyse(f *testing.F) {
	for _, s := range []string{"", "The membranes' B12", "กรองน้ำ AI", "ច្រោះទឹក", "စက္ကူ", "ﬁ\xff\u0301", "\u17d2\u17d2a", "İ", strings.Repeat("ly", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := normalise(s)
		if !utf8.ValidString(text) {
			t.Fatalf("%q is not UTF-8", text)
		}
		for _, stem := range []*stemmer{newStemmer(), nil} {
			last := 0
			for _, tok := range analyse(text, stem) {
				if tok.start < last || tok.end <= tok.start || tok.end > len(text) || tok.word == "" || tok.term == "" || !utf8.ValidString(tok.word) {
					t.Fatalf("%q: token %+v after %d", text, tok, last)
				}
				last = tok.start
				if stem == nil && tok.term != tok.word {
					t.Errorf("%q becomes %q though no stem is wanted", tok.word, tok.term)
				}
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	for _, s := range []string{"membrane", "The membranes' B12 B12 membranes", "เยื่อกรองน้ำ", "\u17d2 \xff", "膜过滤 膜"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, query string) {
		x := New(DefaultWeights())
		x.Put(Ref{"KH", "1"}, listing("1", "TO", "en", protocol.Text{Title: text, Keywords: []string{query}, Abstract: text}))
		x.Put(Ref{"KH", "2"}, listing("2", "TO", "th", protocol.Text{Title: query, Value: text}))
		for _, q := range []Query{{Text: query}, {Listing: listing("3", "TR", "id", protocol.Text{Title: query, Abstract: text})}} {
			a, err := x.Match(t.Context(), q)
			if err != nil {
				if q.check() == nil {
					t.Errorf("a good query fails: %v", err)
				}
				continue
			}
			for _, h := range a.Hits {
				sum := 0.0
				for _, p := range h.Explanation.Parts {
					sum += p.Weight
				}
				if !(math.Abs(sum-h.Score) <= 1e-6*math.Max(1, h.Score)) || !(h.Score > 0) {
					t.Errorf("parts sum to %v, score %v", sum, h.Score)
				}
			}
		}
	})
}
