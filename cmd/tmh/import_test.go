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
					row = fmt.Sprintf(`%s,"full_record":{"text":%q}}`, strings.TrimSuffix(row, "}"), padding(full))
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
