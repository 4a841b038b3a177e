// Package docs holds the project's documents. Its tests execute what in them can be executed.
package docs

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/asean-tmh/tmh/"

type row struct {
	imports []string
	sole    []string
}

// importTable reads the table of ARCHITECTURE.md.
func importTable(t *testing.T) map[string]row {
	t.Helper()
	b, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]+)`")
	names := func(cell string) (list []string) {
		for _, m := range code.FindAllStringSubmatch(cell, -1) {
			list = append(list, m[1])
		}
		return list
	}
	table := make(map[string]row)
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		table[names(cells[1])[0]] = row{imports: names(cells[3]), sole: names(cells[4])}
	}
	if len(table) < 15 {
		t.Fatalf("read only %d rows of the import table", len(table))
	}
	return table
}

// files lists every Go file of the module and what it imports, without asking the go command: a cached test would not
// notice a new file.
func files(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || p != ".." && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if d.IsDir() && p != ".." {
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil {
				return fs.SkipDir
			}
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(p, ".."+string(filepath.Separator)))
		found[rel] = []string{}
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			found[rel] = append(found[rel], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestImportsFollowTheTable(t *testing.T) {
	table := importTable(t)
	used := make(map[string]map[string]bool)
	for file, imports := range files(t) {
		pkg := path.Dir(file)
		allowed, known := table[pkg]
		if !known {
			if pkg != "docs" {
				t.Errorf("%s: package %s is not in the import table", file, pkg)
			}
			continue
		}
		if used[pkg] == nil {
			used[pkg] = make(map[string]bool)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, name := range imports {
			ours, ok := strings.CutPrefix(name, module)
			if ok {
				used[pkg][ours] = true
				if !slices.Contains(allowed.imports, ours) {
					t.Errorf("%s imports %s, which the table does not allow", file, ours)
				}
				continue
			}
			for owner, r := range table {
				for _, dep := range r.sole {
					if owner != pkg && (name == dep || strings.HasPrefix(name, dep+"/")) {
						t.Errorf("%s imports %s, which belongs to %s", file, name, owner)
					}
				}
			}
		}
	}
	for pkg, r := range table {
		if used[pkg] == nil {
			t.Errorf("the table lists %s, which has no Go file", pkg)
			continue
		}
		for _, i := range r.imports {
			if !used[pkg][i] {
				t.Errorf("the table allows %s to import %s, which it does not", pkg, i)
			}
		}
	}
}

func TestTopLevelExplainsItself(t *testing.T) {
	want := []string{"LICENSE", "Makefile", "README.md", "cmd", "configs", "docs", "go.mod", "go.sum", "node", "protocol", "store", "ui"}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && e.Name() != "tmh" && !slices.Contains(want, e.Name()) {
			t.Errorf("%s stands at the top level, where nobody looks for it", e.Name())
		}
	}
}

// TestFilesStayReadable keeps files at a size that a person takes in at once. Tests are not counted.
func TestFilesStayReadable(t *testing.T) {
	const most = 400
	for file := range files(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		b, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n > most {
			t.Errorf("%s has %d lines: is it one thing?", file, n)
		}
	}
}
