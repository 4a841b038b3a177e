package sim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScenarios plays every file of testdata. Its name and its first comment say what is promised.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := parse(string(b))
			if err != nil {
				t.Fatalf("%s:\n%v", path, err)
			}
			if bad, _ := perform(t, s, false); bad != nil {
				t.Errorf("%s, %v", path, bad)
			}
		})
	}
}
