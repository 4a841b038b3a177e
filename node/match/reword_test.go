package match

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

// solar packs one word, so that the test does not hang on what the built-in pack knows.
func solar(t *testing.T) *lexicon.Lexicon {
	t.Helper()
	b := lexicon.NewBuilder()
	if err := b.AddSource(lexicon.Source{Name: "test", Licence: "free"}); err != nil {
		t.Fatal(err)
	}
	for _, w := range []struct{ lang, word, english string }{
		{"th", "โซลาร์เซลล์", "solar cell"}, {"th", "น้ำ", "water"}, {"id", "pengeringan", "drying"}, {"km", "ទឹក", "water"},
	} {
		if err := b.Add(w.lang, w.word, w.english, 1, "test"); err != nil {
			t.Fatal(err)
		}
	}
	pack, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	lex, err := lexicon.Parse(pack)
	if err != nil {
		t.Fatal(err)
	}
	return lex
}

// titleOf a listing, in pieces.
func titleOf(m *Matched, s string, lang protocol.Lang) []Piece {
	r := m.Wording(&Query{Text: "x"}).Read(listing("A", protocol.TechnologyOffer, lang, protocol.Text{Title: s}))
	pieces, _ := r.pieces(&r.texts[0])
	return pieces
}

func marked(pieces []Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Hit {
			b.WriteString("[" + p.Text + "]")
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func TestPiecesAreTheTextAsWritten(t *testing.T) {
	x := New(Options{Lexicon: solar(t)})
	l := listing("A", protocol.TechnologyOffer, "en", protocol.Text{Title: "Water filter"})
	x.Put(Ref{"KH", "A"}, l)
	a, err := x.Match(t.Context(), Query{Text: "water of 10⁶ cells, drying"})
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string]string{
		"Clean waters, dried fish":     "Clean [waters], [dried] fish",
		"":                             "",
		"nothing":                      "nothing",
		"5 m² of water at ½ of 10⁶ Pa": "5 m² of [water] at ½ of [10⁶] Pa",
		"กรองน้ำด้วยเซรามิก": "กรอง[น้ำ]ด้วยเซรามิก",
		"ต้ม\u200bน้ำ ﬁlter": "ต้ม\u200b[น้ำ] ﬁlter",
		"Pengeringan ikan":   "[Pengeringan] ikan",
		"ទឹក\u200bស្អាត":     "[ទឹក]\u200bស្អាត",
		"\xff water":         "\xff [water]",
		"Ｗａｔｅｒ, full width":  "[Ｗａｔｅｒ], full width",
	} {
		lang := protocol.Lang("en")
		switch {
		case strings.Contains(s, "น"):
			lang = "th"
		case strings.Contains(s, "ikan"):
			lang = "id"
		case strings.Contains(s, "ទ"):
			lang = "km"
		}
		if got := marked(titleOf(a.Matched, s, lang)); got != want {
			t.Errorf("%q:\n got %s\nwant %s", s, got, want)
		}
	}
}

func TestOnlyTellingWordsOfALongQueryAreMarked(t *testing.T) {
	x := New(Options{})
	for i := range 100 {
		l := listing(fmt.Sprint(i), protocol.TechnologyOffer, "en", protocol.Text{Title: "Project of three years", Abstract: fmt.Sprintf("budget%d", i)})
		x.Put(Ref{"KH", l.ID}, l)
	}
	x.Put(Ref{"KH", "ICE"}, listing("ICE", protocol.TechnologyOffer, "en", protocol.Text{Title: "Ice project"}))
	for text, want := range map[string]string{
		"ice project": "[Ice] [project]",
		"ice project of one two three four five six seven eight nine ten eleven twelve years": "[Ice] project",
	} {
		a, err := x.Match(t.Context(), Query{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if got := marked(titleOf(a.Matched, "Ice project", "en")); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// Whatever is written, the pieces hold all of it, and the hits do not overlap.
func FuzzPieces(f *testing.F) {
	x := New(Options{Lexicon: lexicon.Builtin()})
	l := listing("A", protocol.TechnologyOffer, "en", protocol.Text{Title: "Water filter"})
	x.Put(Ref{"KH", "A"}, l)
	a, err := x.Match(f.Context(), Query{Text: "water filter กรองน้ำ ទឹក"})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"water", "กรองน้ำ 10⁶", "ទឹក\u200bស្អាត", "\xff\u0e33\u0e4d\u0e32", "ေမာင္ water"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1000 {
			t.Skip("long")
		}
		var b strings.Builder
		for _, p := range titleOf(a.Matched, s, "") {
			if p.Text == "" {
				t.Error("an empty piece")
			}
			b.WriteString(p.Text)
		}
		if got := b.String(); got != s && got != display(text.Normalise(s)) {
			t.Errorf("pieces of %q are %q", s, got)
		}
	})
}

func TestStemsAreShownAsWritten(t *testing.T) {
	x := New(Options{Lexicon: solar(t)})
	offer := listing("A", protocol.TechnologyOffer, "en", protocol.Text{Title: "Dryers for moistened Rice", Abstract: "Solar cells drive a fan."})
	x.Put(Ref{"KH", "A"}, offer)
	a, err := x.Match(t.Context(), Query{Text: "โซลาร์เซลล์"})
	if err != nil {
		t.Fatal(err)
	}
	w := a.Matched.Wording(&Query{Text: "โซลาร์เซลล์"})
	e := Explanation{
		Sentence: "Fair match: shares “โซลาร์เซลล์” (solar cell); “solar” goes with “moisten”.",
		Parts: []Part{
			{Kind: PartTopic, Term: "solar", Found: "moisten", Stem: true, Weight: 1},
			{Kind: PartExpansion, Term: "rice", Stem: true, Weight: 1},
			{Kind: PartExpansion, Term: "unheard", Stem: true, Weight: 1},
			{Kind: PartTopic, Stem: false, Weight: 1},
		},
	}
	w.Read(offer).Reword(&e)
	want := []Part{
		{Kind: PartTopic, Term: "โซลาร์เซลล์", Means: "solar cell", Found: "moistened", Weight: 1},
		{Kind: PartExpansion, Term: "Rice", Weight: 1},
		{Kind: PartExpansion, Term: "unheard", Weight: 1},
		{Kind: PartTopic, Weight: 1},
	}
	for i := range want {
		if got := e.Parts[i]; got.Term != want[i].Term || got.Means != want[i].Means || got.Found != want[i].Found || got.Stem {
			t.Errorf("part %d: %+v, want %+v", i, got, want[i])
		}
	}
	if want := "Fair match: shares “โซลาร์เซลล์” (solar cell); “โซลาร์เซลล์” goes with “moistened”."; e.Sentence != want {
		t.Errorf("sentence: %s", e.Sentence)
	}

	// A listing in another language, found by an English stem.
	indonesian := listing("B", protocol.TechnologyOffer, "id", protocol.Text{Title: "Alat pengeringan ikan"})
	e = Explanation{
		Sentence: "Fair match: shares “drying” (here “pengering”).",
		Parts: []Part{
			{Kind: PartTerm, Term: "drying", Found: slices.Collect(termsIn(x, indonesian, "pengeringan"))[0]},
			{Kind: PartExpansion, Term: "dri", Stem: true},
		},
	}
	e.Sentence = "Fair match: shares “drying” (here “" + e.Parts[0].Found + "”)."
	w.Read(indonesian).Reword(&e)
	if e.Parts[0].Found != "pengeringan" || e.Sentence != "Fair match: shares “drying” (here “pengeringan”)." {
		t.Errorf("found: %+v, %s", e.Parts[0], e.Sentence)
	}
	if p := e.Parts[1]; p.Term != "pengeringan" || p.Means != "drying" {
		t.Errorf("expansion: %+v", p)
	}
	var none *Wording
	none.Read(offer).Reword(&e)
	if none.Read(offer).Marked() != nil {
		t.Error("nothing was asked, but something is marked")
	}
}

// termsIn are the terms that the index has of a word of a listing, without their space.
func termsIn(x *Index, l *protocol.Listing, written string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, lang := range l.Languages() {
			title := text.Normalise(l.Texts[lang].Title)
			for _, t := range x.analyser.Analyse(nil, title, string(lang)) {
				if title[t.Start:t.End] == written && !yield(word(t.Term)) {
					return
				}
			}
		}
	}
}
