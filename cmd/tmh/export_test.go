package main

import (
	"bytes"
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

// secondChecker runs the checker that shares no code with the binary over an exported feed.
func secondChecker(t *testing.T, path string) (out string, accepted bool) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed, so the second checker cannot run: .ci/tools installs it")
	}
	cmd := exec.Command(node, filepath.Join("..", "..", "protocol", "testdata", "verify.mjs"), path)
	b, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code > 1 {
		t.Fatalf("verify.mjs did not run: %v\n%s", err, b)
	}
	return string(b), err == nil
}

// TestExportIsWhatTheSecondCheckerWants: a feed of the running binary is accepted, each tampering with it is not.
func TestExportIsWhatTheSecondCheckerWants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lonelyNode(t, dir)
	p := start(t, dir)
	p.ready(t)
	const listings = 12
	for i := range listings {
		if _, err := p.publish(listing(fmt.Sprintf("TO-%d", i), "Well pump", 200)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.publish(listing("TO-3", "Well pump, second design", 100)); err != nil {
		t.Fatal(err)
	}
	if status, b, err := ask(p.http, "DELETE", "/api/v1/listings/TO-5?reason=duplicate", nil); err != nil || status != 200 {
		t.Fatalf("withdraw: %d %s %v", status, b, err)
	}
	path := filepath.Join(dir, "feed.jsonl")
	tmh(t, "export", "--dir", dir, "--feed", "KH", "--out", path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out, ok := secondChecker(t, path)
	if want := fmt.Sprintf("KH 1.%d: %d records, ", listings+2, listings); !ok || !strings.HasPrefix(out, want) {
		t.Fatalf("accepted: %v, want %q:\n%s", ok, want, out)
	}
	lines := slices.Collect(strings.Lines(string(b)))
	first := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, `{"type":"change"`) })
	if len(lines)-first != listings || first < 2 {
		t.Fatalf("%d lines, of which %d before the changes", len(lines), first)
	}
	// turn changes one hexadecimal digit, counted from the end of the line.
	turn := func(line, fromEnd int) func([]string) []string {
		return func(all []string) []string {
			l := []byte(all[line])
			at := len(l) - fromEnd
			l[at] = map[bool]byte{true: '1', false: '0'}[l[at] == '0']
			all[line] = string(l)
			return all
		}
	}
	for name, x := range map[string]struct {
		tamper func([]string) []string
		want   string
	}{
		"papers":              {turn(0, 40), `^line 1: `},
		"head":                {turn(1, 40), `^line 2: signature: `},
		"body":                {turn(first+4, 10), fmt.Sprintf(`^line %d: body: `, first+5)},
		"header":              {turn(first+4, len(lines[first+4])-80), fmt.Sprintf(`^line %d: `, first+5)},
		"left out":            {func(all []string) []string { return slices.Delete(all, first+2, first+3) }, `^line 2: digest: `},
		"end cut off":         {func(all []string) []string { return all[:len(all)-1] }, `^line 2: holder: `},
		"swapped":             {func(all []string) []string { all[first], all[first+1] = all[first+1], all[first]; return all }, fmt.Sprintf(`^line %d: holder: `, first+2)},
		"twice":               {func(all []string) []string { return slices.Insert(all, first+1, all[first]) }, fmt.Sprintf(`^line %d: previous: `, first+2)},
		"last line cut short": {func(all []string) []string { all[len(all)-1] = all[len(all)-1][:50]; return all }, fmt.Sprintf(`^line %d: is not JSON`, len(lines))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "feed.jsonl")
			if err := os.WriteFile(path, []byte(strings.Join(x.tamper(slices.Clone(lines)), "")), 0o600); err != nil {
				t.Fatal(err)
			}
			out, ok := secondChecker(t, path)
			if ok || !regexp.MustCompile("(?m)"+x.want).MatchString(out) {
				t.Errorf("accepted: %v; want a line %s in\n%s", ok, x.want, out)
			}
		})
	}
}

func TestExportSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lonelyNode(t, dir)
	p := start(t, dir)
	p.ready(t)
	for _, id := range []string{"TO-1", "TO-2"} {
		if _, err := p.publish(listing(id, "Well pump", 50)); err != nil {
			t.Fatal(err)
		}
	}
	var told bytes.Buffer
	cmd := exportCmd()
	cmd.SetErr(&told)
	progress := exportProgress{cmd: cmd} // told long ago
	for line := range strings.Lines(tmh(t, "export", "--dir", dir, "--feed", "KH")) {
		if err := progress.see([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := told.String(), "\r0 of 2 records "; got != want || progress.n != 2 {
		t.Errorf("says %q after %d, want %q", got, progress.n, want)
	}
}

// TestExportOfManyRecords: the node goes on signing while an export is read slowly, which says what was true when it began.
func TestExportOfManyRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("imports 10,000 listings")
	}
	t.Parallel()
	dir := t.TempDir()
	lonelyNode(t, dir)
	p := start(t, dir)
	p.ready(t)
	const n = 10_000
	var b bytes.Buffer
	for i := range n {
		b.WriteString(listing(fmt.Sprintf("TO-%d", i), "Well pump", 600) + "\n")
	}
	many, path := filepath.Join(dir, "many.jsonl"), filepath.Join(dir, "feed.jsonl")
	if err := os.WriteFile(many, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	tmh(t, "import", "--dir", dir, "--quiet", many)

	// An export that nobody reads yet: its moment stands, and the node signs all the same.
	resp, err := socketClient(dir).Get("http://node/api/v1/members/KH/feed")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := p.publish(listing("TO-after", "Signed meanwhile", 100)); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err == nil {
		_, err = f.ReadFrom(resp.Body)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, ok := secondChecker(t, path); !ok || !strings.HasPrefix(out, fmt.Sprintf("KH 1.%d: %d records, ", n, n)) {
		t.Errorf("accepted: %v\n%s", ok, out)
	}

	start := time.Now()
	tmh(t, "export", "--dir", dir, "--feed", "KH", "--out", path)
	exported := time.Since(start)
	start = time.Now()
	out, ok := secondChecker(t, path)
	t.Logf("%d records exported in %s, checked in %s", n+1, exported.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
	if !ok || !strings.HasPrefix(out, fmt.Sprintf("KH 1.%d: %d records, ", n+1, n+1)) {
		t.Errorf("accepted: %v\n%s", ok, out)
	}
}
