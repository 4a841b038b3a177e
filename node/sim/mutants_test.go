package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A mutant is a small patch that takes out one defence. The scenario named must fail with it: a defence that nothing
// misses is either not tested or not needed.
type mutant struct {
	line     int
	defence  string // in words
	edits    []edit
	scenario string // or
	pkg      string // whose test it is, where a scenario cannot show it
	test     string
	spins    bool // without it a node is busy for ever
}

// edit takes old, which stands in a file exactly once, for new.
type edit struct{ file, old, new string }

const mutantsFile = "testdata/mutants.diff"

// readMutants reads the file: for each mutant "== defence", "scenario: name" (or "test: ./package TestName"), "spins" where
// what fails is that nothing ends, "file: path", and lines that begin with "-" (must stand in the file, exactly once, as one
// block) and "+" (take their place). Another block of the same file begins with "@@", of another one with "file: path".
func readMutants() (all []mutant, err error) {
	b, err := os.ReadFile(mutantsFile)
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(string(b), "\n") {
		bad := func(why string) error { return fmt.Errorf("%s:%d: %s", mutantsFile, i+1, why) }
		if defence, ok := strings.CutPrefix(line, "== "); ok {
			all = append(all, mutant{line: i + 1, defence: defence})
			continue
		}
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		if len(all) == 0 {
			return nil, bad("before the first mutant")
		}
		if err := all[len(all)-1].read(line); err != nil {
			return nil, bad(err.Error())
		}
	}
	for _, m := range all {
		if len(m.edits) == 0 || (m.scenario == "") == (m.test == "") {
			return nil, fmt.Errorf("%s:%d: a mutant has a patch, and a scenario or a test", mutantsFile, m.line)
		}
	}
	return all, nil
}

func (m *mutant) read(line string) error {
	field, value, _ := strings.Cut(line, ": ")
	switch field {
	case "file":
		m.edits = append(m.edits, edit{file: value})
		return nil
	case "scenario":
		m.scenario = value
		return nil
	case "test":
		m.pkg, m.test, _ = strings.Cut(value, " ")
		return nil
	case "spins":
		m.spins = true
		return nil
	}
	if len(m.edits) == 0 {
		return errors.New("a patch begins with its file")
	}
	e := &m.edits[len(m.edits)-1]
	switch line[0] {
	case '@':
		m.edits = append(m.edits, edit{file: e.file})
	case '-':
		e.old += line[1:] + "\n"
	case '+':
		e.new += line[1:] + "\n"
	default:
		return errors.New("neither a field nor a line of a patch")
	}
	return nil
}

const moduleRoot = "../.."

// patched is the files changed, with the defence taken out.
func (m *mutant) patched() (map[string]string, error) {
	files := make(map[string]string)
	for _, e := range m.edits {
		if files[e.file] == "" {
			b, err := os.ReadFile(filepath.Join(moduleRoot, e.file))
			if err != nil {
				return nil, err
			}
			files[e.file] = string(b)
		}
		if n := strings.Count(files[e.file], e.old); n != 1 || e.old == "" {
			return nil, fmt.Errorf("%s:%d: what it takes out stands %d times in %s:\n%s", mutantsFile, m.line, n, e.file, e.old)
		}
		files[e.file] = strings.Replace(files[e.file], e.old, e.new, 1)
	}
	return files, nil
}

// Every patch still fits, and every scenario is there: a mutant that fits nowhere proves nothing.
func TestMutantsFit(t *testing.T) {
	all, err := readMutants()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if _, err := m.patched(); err != nil {
			t.Error(err)
		}
		if m.scenario != "" {
			if _, err := os.Stat("testdata/" + m.scenario + ".txt"); err != nil {
				t.Errorf("%s:%d: %v", mutantsFile, m.line, err)
			}
			continue
		}
		if !slices.ContainsFunc(testsOf(t, m.pkg), func(name string) bool { return name == m.test }) {
			t.Errorf("%s:%d: there is no %s in %s", mutantsFile, m.line, m.test, m.pkg)
		}
	}
}

// testsOf names the tests of a package.
func testsOf(t *testing.T, pkg string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(moduleRoot, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(b, -1) {
			names = append(names, string(found[1]))
		}
	}
	return names
}

// TestMutants takes out one defence after another and lets the scenario run that it is for (make mutants). What each came to
// is printed as it comes, and as a table at the end. TMH_MUTANTS is a pattern for their names, or 1 for all.
func TestMutants(t *testing.T) {
	only := os.Getenv("TMH_MUTANTS")
	if only == "" {
		t.Skip("builds the tests anew for every defence: make mutants")
	}
	all, err := readMutants()
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := regexp.Compile(strings.TrimPrefix(only, "1"))
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	rows := make([]string, len(all))
	t.Cleanup(func() { // after all of them
		var table []string
		for _, row := range rows {
			if row != "" {
				table = append(table, row)
			}
		}
		fmt.Fprintf(t.Output(), "defence → scenario → how it failed\n%s\n%d defences taken out in %.0f s; each was missed but for those that failed above\n",
			strings.Join(table, "\n"), len(table), time.Since(begun).Seconds())
	})
	for i, m := range all {
		if !wanted.MatchString(m.defence) {
			continue
		}
		t.Run(m.defence, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			out, err := m.run(t)
			what := m.scenario + m.test
			switch {
			case err == nil:
				rows[i] = m.defence + " → " + what + " → SURVIVED"
				t.Errorf("SURVIVED: %s passes without it\n%s", what, out)
			case m.spins && strings.Contains(out, "panic: test timed out"):
				rows[i] = fmt.Sprintf("%s → %s → a node spins and nothing ends", m.defence, what)
			case !strings.Contains(out, "--- FAIL: ") || strings.Contains(out, "panic: "):
				rows[i] = m.defence + " → " + what + " → NO VERDICT"
				t.Fatalf("it did not come to a verdict: %v\n%s", err, out)
			default:
				rows[i] = fmt.Sprintf("%s → %s → %s", m.defence, what, verdict(out))
			}
			fmt.Fprintf(t.Output(), "%s (%.0f s)\n", rows[i], time.Since(start).Seconds())
		})
	}
}

// patience with a mutant's scenario, which takes some seconds of real time with the defence in.
const patience = 40 * time.Second

func (m *mutant) run(t *testing.T) (string, error) {
	t.Helper()
	files, err := m.patched()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := make(map[string]string)
	for name, text := range files {
		replaced := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(replaced, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := filepath.Abs(filepath.Join(moduleRoot, name))
		if err != nil {
			t.Fatal(err)
		}
		replace[file] = replaced
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	pkg, pattern := "./node/sim", "^TestScenarios$/^"+regexp.QuoteMeta(m.scenario)+"$"
	if m.test != "" {
		pkg, pattern = m.pkg, "^"+m.test+"$"
	}
	binary := filepath.Join(dir, "mutant.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-ldflags=-s -w", "-o", binary, "-overlay", filepath.Join(dir, "overlay.json"), pkg)
	build.Dir = moduleRoot
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("it does not build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.timeout", patience.String(), "-test.run", pattern)
	cmd.Dir = filepath.Join(moduleRoot, pkg)
	cmd.Env = append(os.Environ(), "TMH_MUTANTS=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// verdict is what a failed test says first, without where it says so.
func verdict(out string) string {
	said := regexp.MustCompile(`(?m)^ +\w+\.go:\d+: (.*)$`).FindAllStringSubmatch(out, -1)
	if len(said) == 0 {
		return "failed without a word"
	}
	line := said[0][1]
	for _, x := range said { // a scenario logs before it fails
		if _, after, ok := strings.Cut(x[1], ".txt, "); ok {
			line = after
		}
	}
	if short := []rune(line); len(short) > 240 {
		line = string(short[:240]) + "…"
	}
	return line
}
