package ui_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/ui/lang"
)

// Sentences that packages below make are translated by their English patterns (fault.json). What is found here by reading the source
// must have its pattern there, or a reason why not.

// spokenIn are the folders whose faults reach pages.
func spokenIn() []string {
	return []string{
		"node/access", "node/access/oidc", "node/access/passkey", "node/posting", "node/saved", "node/record", "node/house", "node/document",
		"node/intake", "node/intake/mapping", "node/ingest", "node/table", "node/oai/harvest", "node/exchange", "node/door", "node/mail", "node/match", "protocol", "store", "node", "ui",
	}
}

// ofNode are the files of package node that speak to people on pages; the others speak to other nodes and to the command line.
func ofNode(file string) bool {
	return slices.Contains([]string{"journal.go", "keep.go", "members.go", "catalogue.go", "doctor.go", "doctor_house.go", "system.go"}, file)
}

// prose are files of which every literal of several words is a sentence for people.
func prose(file string) bool {
	switch file {
	case "node/catalogue.go", "node/members.go", "node/keep.go", "node/intake/withdraw.go", "node/intake/mapping/dates.go":
		return true
	}
	return false
}

type sentenceAt struct{ at, format string }

// formats are the literal patterns of what is said to people in a folder.
func formats(t *testing.T, dir string) (list []sentenceAt) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no source: %v", dir, err)
	}
	set := token.NewFileSet()
	var parsed []*ast.File
	makers := map[string]int{"Errorf": 2} // by name: which argument is the pattern
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || dir == "node" && !ofNode(filepath.Base(name)) {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(set, name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if at := patternOf(n.Type); at >= 0 {
					makers[n.Name.Name] = at
				}
			case *ast.AssignStmt:
				for i, right := range n.Rhs {
					if lit, ok := right.(*ast.FuncLit); ok {
						if at := patternOf(lit.Type); at >= 0 {
							if id, ok := n.Lhs[i].(*ast.Ident); ok {
								makers[id.Name] = at
							}
						}
					}
				}
			}
			return true
		})
	}
	if dir == "node" {
		makers["Fault"], makers["Warn"], makers["Fine"] = 2, 2, 1
	}
	for _, f := range parsed {
		name, _ := filepath.Rel("..", set.Position(f.Pos()).Filename)
		add := func(e ast.Expr) {
			lit, ok := e.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return
			}
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, sentenceAt{name + ":" + strconv.Itoa(set.Position(lit.Pos()).Line), s})
		}
		all := prose(name)
		advice := name == "node/posting/table.go"
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ReturnStmt:
				if advice && len(n.Results) == 1 {
					if l, ok := n.Results[0].(*ast.BasicLit); ok && strings.Contains(l.Value, " listing ") {
						add(l)
					}
				}
			case *ast.BasicLit:
				if all && strings.Count(n.Value, " ") >= 3 {
					add(n)
				}
			case *ast.KeyValueExpr:
				if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Message" {
					add(within(n.Value))
				}
			case *ast.AssignStmt:
				if x, ok := n.Lhs[0].(*ast.SelectorExpr); ok && x.Sel.Name == "Message" {
					add(within(n.Rhs[0]))
				}
			case *ast.CallExpr:
				called, of := "", ""
				switch fun := n.Fun.(type) {
				case *ast.Ident:
					called = fun.Name
				case *ast.SelectorExpr:
					called = fun.Sel.Name
					if x, ok := fun.X.(*ast.Ident); ok {
						of = x.Name
					}
				}
				at, ok := makers[called]
				if !ok || all || of == "fmt" || at >= len(n.Args) {
					return true
				}
				if name == "node/posting/completeness.go" {
					at = len(n.Args) - 1
				}
				add(n.Args[at])
				if dir == "node" && (called == "Fault" || called == "Warn") {
					add(n.Args[1])
				}
			}
			return true
		})
	}
	return list
}

// within fmt.Sprintf, or the literal itself.
func within(e ast.Expr) ast.Expr {
	if c, ok := e.(*ast.CallExpr); ok && len(c.Args) > 0 {
		return c.Args[0]
	}
	return e
}

// patternOf a function is the place of the pattern among its arguments, -1 where it has none.
func patternOf(f *ast.FuncType) int {
	at := 0
	for _, p := range f.Params.List {
		for _, n := range p.Names {
			if slices.Contains([]string{"format", "why", "words", "message"}, n.Name) {
				return at
			}
			at++
		}
	}
	return -1
}

// made are messages that no single literal shows: texts that are put together, and ui's own.
func made() []string {
	return []string{
		"fault.in-column", "fault.in-columns", "fault.in-columns-and-others", "fault.in-column-value", "fault.in-columns-value", "fault.in-constant", "fault.no-column",
		"fault.value-why", "fault.why-no-date", "fault.why-total", "fault.why-zero", "fault.what-mapping", "fault.what-repository", "fault.refused",
	}
}

// faultMessages are the English texts.
func faultMessages(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("lang/messages/en/fault.json")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for key, m := range raw {
		switch m := m.(type) {
		case string:
			all[key] = m
		case map[string]any:
			all[key], _ = m["other"].(string)
		}
	}
	return all
}

var (
	verbs  = regexp.MustCompile(`(?:%(?:\.\d+)?[sdqvf])+`)
	places = regexp.MustCompile(`\{\{\.(\w+)\}\}`)
	words  = regexp.MustCompile(`\pL\pL`)
)

// TestFaultsHaveMessages: what the packages below say on pages has a message, or stands in testdata/unspoken.tsv with a reason:
// file, the beginning of what is said, and why no page shows it.
func TestFaultsHaveMessages(t *testing.T) {
	known := map[string]string{}
	for key, text := range faultMessages(t) {
		skeleton := places.ReplaceAllString(text, "%")
		if other := known[skeleton]; other != "" {
			t.Errorf("%s and %s say the same", key, other)
		}
		known[skeleton] = key
	}
	text, err := os.ReadFile("testdata/unspoken.tsv")
	if err != nil {
		t.Fatal(err)
	}
	excused := map[string][]string{} // by file: beginnings
	met := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(row) != 3 || row[2] == "" {
			t.Fatalf("testdata/unspoken.tsv: want file, beginning and reason: %q", line)
		}
		excused[row[0]] = append(excused[row[0]], row[1])
		met[row[0]+"\t"+row[1]] = false
	}
	said := map[string]bool{}
	for _, dir := range spokenIn() {
		for _, x := range formats(t, dir) {
			file, _, _ := strings.Cut(x.at, ":")
			format := x.format
			if rest, ok := strings.CutPrefix(format, "%s"); ok && dir == "node/intake/mapping" && !strings.HasPrefix(rest, " ") {
				format = rest // behind the columns, which fault.in-column says
			}
			skeleton := strings.ReplaceAll(verbs.ReplaceAllString(format, "%"), "%%", "%")
			if key := known[skeleton]; key != "" {
				said[key] = true
			}
			mine := slices.IndexFunc(excused[file], func(begin string) bool { return begin == "*" || strings.HasPrefix(x.format, begin) })
			switch {
			case !words.MatchString(verbs.ReplaceAllString(format, "")):
			case mine >= 0:
				met[file+"\t"+excused[file][mine]] = true
			case known[skeleton] == "":
				t.Errorf("%s: %q has no message in ui/lang/messages/en/fault.json: write one, or a line in ui/testdata/unspoken.tsv", x.at, x.format)
			}
		}
	}
	for row, ok := range met {
		if !ok {
			t.Errorf("testdata/unspoken.tsv: nothing is excused by %q", row)
		}
	}
	for _, key := range made() {
		said[key] = true
	}
	for _, key := range known {
		if !said[key] {
			t.Errorf("%s: nothing says it any more", key)
		}
	}
}

// sample of an argument by the placeholder's name.
func sample(name string) string {
	switch {
	case strings.HasPrefix(name, "Why"):
		return "is a PDF"
	case strings.HasPrefix(name, "What"):
		return "mapping"
	case strings.HasPrefix(name, "Fault"):
		return "give the search a name"
	case name == "State":
		return "done"
	case name == "Level":
		return "registered"
	case name == "Field":
		return "listing.kind"
	}
	return "7" + name
}

// TestFaultsAreRecognised: each message is found by the sentence that it says.
func TestFaultsAreRecognised(t *testing.T) {
	b, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	for key, text := range faultMessages(t) {
		said := places.ReplaceAllStringFunc(text, func(s string) string { return sample(places.FindStringSubmatch(s)[1]) })
		found := b.Sentence(said)
		if found == nil || found.Key != key {
			t.Errorf("%s: %q is taken for %+v", key, said, found)
			continue
		}
		for _, part := range found.Parts {
			if want := sample(part.Name); part.Text != want {
				t.Errorf("%s: %s is %q in %q, want %q", key, part.Name, part.Text, said, want)
			}
		}
	}
}
