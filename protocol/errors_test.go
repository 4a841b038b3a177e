package protocol

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

type codeDoc struct{ name, value, means string }

// documentedCodes reads the constants of errors.go with their comments, in order.
func documentedCodes(t *testing.T) (codes []codeDoc) {
	f, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 || !strings.HasPrefix(v.Names[0].Name, "Code") {
			return true
		}
		s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, codeDoc{v.Names[0].Name, s, strings.TrimSpace(v.Comment.Text())})
		return true
	})
	if len(codes) < 30 {
		t.Fatalf("found only %d codes in errors.go", len(codes))
	}
	return codes
}

// usedCodes are the names of the Code constants that the sources of this package and of protocol/replica mention.
func usedCodes(t *testing.T) map[string]bool {
	used := make(map[string]bool)
	for _, pattern := range []string{"*.go", "replica/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no sources match %s (%v)", pattern, err)
		}
		for _, path := range paths {
			if path == "errors.go" || strings.HasSuffix(path, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && strings.HasPrefix(id.Name, "Code") {
					used[id.Name] = true
				}
				return true
			})
		}
	}
	return used
}

func readFeeds(t *testing.T) (all []feedFile) {
	paths, err := filepath.Glob("testdata/feed*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no feeds in testdata: run go generate ./protocol (%v)", err)
	}
	for _, path := range paths {
		var f feedFile
		b, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(b, &f)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, f)
	}
	return all
}

func TestEveryCodeStandsInTheCorpus(t *testing.T) {
	exceptions := map[string]string{
		"CodeConflict": "joining signature files of two charters is an operator's act, no message (SignedCharter.Merge)",
		"CodeInternal": "a damaged store is no message (replica.Decode)",
	}
	have := make(map[Code]bool)
	for _, f := range readCorpus(t, "invalid") {
		have[f.Refused] = true
	}
	for _, feed := range readFeeds(t) {
		for _, x := range feed.Refused {
			have[x.Refused] = true
		}
		for _, x := range feed.Pulls {
			have[x.Refused] = true
		}
		for _, x := range feed.Asked {
			have[x.Refused] = true
		}
	}
	used := usedCodes(t)
	for _, c := range documentedCodes(t) {
		reason, excepted := exceptions[c.name]
		switch {
		case excepted && (!used[c.name] || have[Code(c.value)]):
			t.Errorf("%s needs no exception (%s)", c.name, reason)
		case used[c.name] && !excepted && !have[Code(c.value)]:
			t.Errorf("no invalid file is refused as %s", c.name)
		}
	}
}

func TestDocumentedCodes(t *testing.T) {
	b, err := os.ReadFile("../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| code | means |\n|---|---|\n")
	for _, c := range documentedCodes(t) {
		want.WriteString("| `" + c.value + "` | " + c.means + " |\n")
	}
	_, rest, _ := strings.Cut(string(b), "<!-- codes -->\n")
	got, _, ok := strings.Cut(rest, "<!-- end of codes -->")
	if !ok || got != want.String() {
		t.Errorf("the table of docs/PROTOCOL.md between the marks for codes should be\n%s", want.String())
	}
}

// The numbers of the worked example are those of the corpus.
func TestDocumentedExample(t *testing.T) {
	b, err := os.ReadFile("../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for _, s := range exampleLines(t) {
		if !strings.Contains(doc, s) {
			t.Errorf("docs/PROTOCOL.md lacks %q", s)
		}
	}
}

func TestErrorsAreListed(t *testing.T) {
	l := Listing{ID: "a b", Kind: "XX", Country: "kh"}
	err := l.Validate()
	var got []string
	for _, e := range All(err) {
		got = append(got, e.Field)
	}
	if want := "id kind country texts"; strings.Join(got, " ") != want {
		t.Errorf("fields %v, want %s", got, want)
	}
	if CodeOf(err) != CodeValue || CodeOf(nil) != "" || CodeOf(os.ErrNotExist) != CodeInternal {
		t.Error("CodeOf is that of the first fault, internal for strangers, and empty for nil")
	}
}
