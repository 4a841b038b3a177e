package ui

import (
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// withFaults is the messages with some faults in Burmese and Portuguese as a test wants them.
func withFaults(t *testing.T, burmese, portuguese map[string]string) *lang.Bundle {
	t.Helper()
	all := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS("lang"), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".json") {
			return err
		}
		text, err := os.ReadFile("lang/" + name)
		all[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for tag, texts := range map[string]map[string]string{"my": burmese, "pt": portuguese} {
		text, err := json.Marshal(texts)
		if err != nil {
			t.Fatal(err)
		}
		all["messages/"+tag+"/fault.json"] = &fstest.MapFile{Data: text}
	}
	b, err := lang.OpenFrom(all)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFaultsInTheLanguageOfThePage(t *testing.T) {
	b := withFaults(t, map[string]string{
		"fault.give-search-name": "ရှာဖွေမှုကို အမည်ပေးပါ",
	}, map[string]string{
		"fault.give-search-name":        "dê um nome à pesquisa",
		"fault.at-least-characters-not": "pelo menos {{.A}} caracteres, e não {{.B}}",
		"fault.in-column":               "coluna «{{.A}}»: {{.Fault}}",
		"fault.is-no-role-take":         "{{.A}} não é um papel",
		"fault.there-is-no-such-list":   "não existe tal {{.What}}",
		"fault.what-mapping":            "mapeamento",
		"fault.refused":                 "a sua conta não pode fazer isto",
		"fault.import-is-already":       "esta importação já está: {{.State}}",
	})
	for _, c := range []struct{ tag, said, clause, stated string }{
		{"en", "give the search a name", "give the search a name", "Give the search a name."},
		{"pt", "give the search a name", "dê um nome à pesquisa", "Dê um nome à pesquisa."},
		{"my", "give the search a name", "ရှာဖွေမှုကို အမည်ပေးပါ", "ရှာဖွေမှုကို အမည်ပေးပါ။"},
		{"pt", "at least 12 characters, not 3: a few words that do not belong together are easy to remember", "pelo menos 12 caracteres, e não 3", "Pelo menos 12 caracteres, e não 3."},
		{"pt", "column “Nama: <b>”: give the search a name", "coluna «Nama: &lt;b&gt;»: dê um nome à pesquisa", "Coluna «Nama: &lt;b&gt;»: dê um nome à pesquisa."},
		{"pt", "column “A”: nobody ever said this", `coluna «A»: <span lang="en">nobody ever said this</span>`, `Coluna «A»: <span lang="en">nobody ever said this</span>.`},
		{"pt", `"<script>" is no role: take reader, scout, editor, reviewer, admin, analyst or auditor`, "&#34;&lt;script&gt;&#34; não é um papel", "&#34;&lt;script&gt;&#34; não é um papel."},
		{"pt", "you may not review a listing: a reviewer may", "a sua conta não pode fazer isto", "A sua conta não pode fazer isto."},
		{"pt", "nobody ever said this", `<span lang="en">nobody ever said this</span>`, `<span lang="en">Nobody ever said this.</span>`},
		{"my", "at least one role", `<span lang="en">at least one role</span>`, `<span lang="en">At least one role.</span>`}, // not translated
		{"pt", "there is no such mapping: the list has those that there are", "não existe tal mapeamento", "Não existe tal mapeamento."},
		{"pt", "this import is done already", "esta importação já está: " + string(b.Printer("pt").HTML("imports.state.done")), "Esta importação já está: " + string(b.Printer("pt").HTML("imports.state.done")) + "."},
	} {
		p := b.Printer(lang.Tag(c.tag))
		if got := string(clause(p, c.said)); got != c.clause {
			t.Errorf("%s %q: got %s, want %s", c.tag, c.said, got, c.clause)
		}
		if got := string(stated(p, c.said)); got != c.stated {
			t.Errorf("%s %q: got %s, want %s", c.tag, c.said, got, c.stated)
		}
	}
	p := b.Printer("pt")
	f := form{ID: "f", Groups: []group{{Fields: []field{{Name: "name", Label: "Nome"}}}}}.dress(p, protocol.Errorf(protocol.CodeRequired, "name", "give the search a name"))
	if got := string(f.Groups[0].Fields[0].Wrong); got != "Dê um nome à pesquisa." {
		t.Errorf("beside the field: %q", got)
	}
	if got := string(f.Wrong[0].Text); !strings.Contains(got, "Nome") || !strings.Contains(got, ": dê um nome") {
		t.Errorf("in the summary: %q", got)
	}
	if got := bare(stated(b.Printer("pt"), `"<b>" is no role: take reader, scout, editor, reviewer, admin, analyst or auditor`)); got != `"<b>" não é um papel.` {
		t.Errorf("without marks: %q", got)
	}
}

// TestTranslatedFaultsHaveNoEnglish: where a language has a fault, nothing of the English one is left on the page.
func TestTranslatedFaultsHaveNoEnglish(t *testing.T) {
	b, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`\{\{\.(\w+)\}\}`)
	samples := map[string]string{"Why": "is a PDF", "What": "mapping", "Fault": "give the search a name", "State": "done", "Level": "registered", "Field": "listing.kind"}
	text, err := os.ReadFile("lang/messages/en/fault.json")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	for key, m := range raw {
		source, ok := m.(string)
		if forms, many := m.(map[string]any); many {
			source, ok = forms["other"].(string)
		}
		if !ok || key == "fault.refused" {
			continue
		}
		sentence := place.ReplaceAllStringFunc(source, func(s string) string {
			if sample := samples[place.FindStringSubmatch(s)[1]]; sample != "" {
				return sample
			}
			return "7"
		})
		for _, tag := range lang.Tags() {
			p := b.Printer(tag)
			if tag == lang.English || !p.Has(key) || !p.Has("fault.is-pdf") || !p.Has("fault.what-mapping") || !p.Has("fault.give-search-name") {
				continue
			}
			got := string(stated(p, sentence))
			if strings.Contains(got, "{{") || strings.EqualFold(got, said(sentence)) || strings.Contains(got, `lang="en"`) && !strings.Contains(source, ".Detail") && !strings.Contains(source, ".Field") {
				t.Errorf("%s %s: %q comes out as %s", tag, key, sentence, got)
			}
		}
	}
}
