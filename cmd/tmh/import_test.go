package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportLargeRows: rows at their largest, and with full records, once exceeded what Badger takes in one transaction, so
// that such a file could not be imported at all ("Txn is too big").
func TestImportLargeRows(t *testing.T) {
	if testing.Short() {
		t.Skip("imports 30 MB")
	}
	t.Parallel()
	const rows = 280 // more than share a group
	for memtable, full := range map[string]int{"8MiB": 0, "64MiB": 48 << 10} {
		t.Run(memtable, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "kh")
			lonelyNode(t, dir)
			if err := setting(dir, "memtable", memtable); err != nil {
				t.Fatal(err)
			}
			p := start(t, dir)
			p.ready(t)
			var file strings.Builder
			for i := range rows {
				row := largeRow(i)
				if full > 0 {
					row = fmt.Sprintf(`%s,"full_record":{"level":"public","texts":%s}}`, strings.TrimSuffix(row, "}"), descriptions(full))
				}
				fmt.Fprintln(&file, row)
			}
			cmd := exec.Command("tmh", "import", "--dir", dir, "--format", "jsonl", "-")
			cmd.Stdin = strings.NewReader(file.String())
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), fmt.Sprintf("%d rows: %d published", rows, rows)) {
				t.Errorf("import: %v\n%s", err, out)
			}
			present(t, p, rows)
			p.stop(t)
			verified(t, dir)
		})
	}
}

// descriptions are texts of a full record of so many bytes, in as many languages as that takes.
func descriptions(size int) string {
	const most = 4000
	var texts []string
	for _, lang := range []string{"en", "id", "ms", "th", "vi", "fil", "km", "lo", "my", "zh", "ta", "pt", "tet"}[:(size+most-1)/most] {
		texts = append(texts, fmt.Sprintf(`%q:{"description":%q}`, lang, padding(most)))
	}
	return "{" + strings.Join(texts, ",") + "}"
}
