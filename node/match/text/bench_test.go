package text

import (
	"encoding/json"
	"strings"
	"testing"
)

// importedWords are the lists of ../shared as a dictionary.
func importedWords(tb testing.TB) list {
	d := newList(nil)
	for lang, files := range map[string][]string{
		"th": {"segmentation/th_TH.dic", "lexicon/wechsel_en_th.tsv"}, "lo": {"segmentation/lo_LA.dic", "lexicon/wechsel_en_lo.tsv"},
		"km": {"lexicon/wechsel_en_km.tsv"}, "my": {"segmentation/my_unigram_word.txt", "lexicon/wechsel_en_my.tsv"},
		"zh": {"lexicon/wechsel_en_zh.tsv"}, "ta": {"lexicon/wechsel_en_ta.tsv"}, "vi": {"lexicon/wechsel_en_vi.tsv"},
		"id": {"segmentation/id_ID.dic", "lexicon/wechsel_en_id.tsv"}, "ms": {"lexicon/wechsel_en_ms.tsv"}, "fil": {"lexicon/wechsel_en_fil.tsv"},
	} {
		for _, f := range files {
			for _, l := range shared(tb, f) {
				w, rest, tab := strings.Cut(l, "\t")
				if tab && strings.HasSuffix(f, ".tsv") {
					w = rest
				}
				w, _, _ = strings.Cut(w, "/")
				if len(w) < 100 {
					d.add(lang, w)
				}
			}
		}
	}
	return d
}

// With a real dictionary, most of what a text says is words, and nothing is lost where a word ends.
func TestAnalyseNews(t *testing.T) {
	if testing.Short() {
		t.Skip("reads large lists")
	}
	a := NewAnalyser(importedWords(t))
	floors := map[string]int{"en": 99, "id": 99, "ms": 99, "fil": 99, "vi": 99, "ta": 99, "th": 85, "lo": 85, "km": 75, "my": 85, "zh": 50}
	for _, lang := range []string{"en", "id", "ms", "fil", "vi", "th", "lo", "km", "my", "zh", "ta"} {
		var tokens []Token
		words, known, pieces := 0, 0, 0
		for _, l := range shared(t, "ntrex/"+lang+".txt") {
			n := Normalise(l)
			tokens = a.Analyse(tokens[:0], n, lang)
			check(t, n, tokens)
			for _, k := range tokens {
				switch k.Kind {
				case Piece:
					pieces++
				case Word:
					words++
					if a.words.Has(k.Lang, k.Word) {
						known++
					}
				}
			}
		}
		share := 100 * words / (words + pieces)
		t.Logf("%-3s %5d words, %3d%% of them known, %5d pieces", lang, words, 100*known/words, pieces)
		if share < floors[lang] {
			t.Errorf("%s: %d%% words, want %d%%", lang, share, floors[lang])
		}
	}
}

func BenchmarkAnalyse(b *testing.B) {
	d := importedWords(b)
	for _, lang := range []string{"en", "id", "ms", "fil", "vi", "th", "lo", "km", "my", "zh", "ta"} {
		b.Run(lang, func(b *testing.B) {
			name := "ntrex/" + lang + ".txt"
			if lang == "my" {
				name = "ntrex/my_unicode.txt"
			}
			benchmark(b, NewAnalyser(d), Normalise(strings.Join(shared(b, name), "\n")), lang)
		})
	}
}

// BenchmarkNeeds analyses long English descriptions, as bulk indexing does.
func BenchmarkNeeds(b *testing.B) {
	var texts []string
	for _, l := range shared(b, "sbir_needs/needs.jsonl") {
		var n struct{ Title, Description string }
		if err := json.Unmarshal([]byte(l), &n); err != nil {
			b.Fatal(err)
		}
		texts = append(texts, n.Title, n.Description)
	}
	a := NewAnalyser(nil)
	bytes := 0
	for _, t := range texts {
		bytes += len(t)
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	var dst []Token
	for b.Loop() {
		for _, t := range texts {
			dst = a.Analyse(dst[:0], Normalise(t), "en")
		}
	}
}

func benchmark(b *testing.B, a *Analyser, text, lang string) {
	lines := strings.Split(text, "\n")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var dst []Token
	for b.Loop() {
		for _, l := range lines {
			dst = a.Analyse(dst[:0], l, lang)
		}
	}
}

func BenchmarkNormalise(b *testing.B) {
	for _, name := range []string{"en", "vi", "th", "km", "my", "my_unicode", "ta"} {
		b.Run(name, func(b *testing.B) {
			lines := shared(b, "ntrex/"+name+".txt")
			b.SetBytes(int64(len(strings.Join(lines, "\n"))))
			for b.Loop() {
				for _, l := range lines {
					Normalise(l)
				}
			}
		})
	}
}

func BenchmarkDetect(b *testing.B) {
	for _, name := range []string{"en", "id", "th"} {
		b.Run(name, func(b *testing.B) {
			lines := shared(b, "ntrex/"+name+".txt")
			b.SetBytes(int64(len(strings.Join(lines, "\n"))))
			for b.Loop() {
				for _, l := range lines {
					Detect(l, "en")
				}
			}
		})
	}
}
