package demo_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated parts of docs/ anew")

// inDocs compares a generated part of a document with what is committed between its marks, or writes it with -update.
// The marks are "<!-- generated: NAME -->" and "<!-- end: NAME -->", each a line of its own.
func inDocs(t *testing.T, file, name, want string) {
	t.Helper()
	path := "../../docs/" + file
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := fmt.Sprintf("<!-- generated: %s -->\n", name), fmt.Sprintf("<!-- end: %s -->\n", name)
	head, rest, ok := strings.Cut(string(b), begin)
	got, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("docs/%s has no part %q", file, name)
	}
	if got == want {
		return
	}
	if !*update {
		t.Errorf("docs/%s, part %q, is out of date: run the test with -update, read what changed, and correct the text around it\n%s",
			file, name, firstDifference(got, want))
		return
	}
	if err := os.WriteFile(path, []byte(head+begin+want+end+tail), 0o600); err != nil {
		t.Fatal(err)
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("committed: %s\nnow:       %s", g[i], w[i])
		}
	}
	return fmt.Sprintf("committed: %d lines\nnow:       %d lines", len(g), len(w))
}

// cell of a Markdown table.
func cell(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "|", "\\|") }
