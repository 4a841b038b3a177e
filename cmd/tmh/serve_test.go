package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/config"
)

func TestEmbedderIsOpenedAsConfigured(t *testing.T) {
	if e, err := openEmbedder(config.Default().Embedding); e != nil || err != nil {
		t.Errorf("by default: %v, %v", e, err)
	}
	c := config.Embedding{URL: "http://127.0.0.1:1", Kind: "tei", Model: "bge-m3"}
	e, err := openEmbedder(c)
	if err != nil || e == nil || e.Name() != "bge-m3" {
		t.Errorf("%v, %v", e, err)
	}
	c.KeyFile = filepath.Join(t.TempDir(), "key")
	for content, want := range map[string]string{"": "is empty", " \n": "is empty", "two\nkeys": "embedding.key_file", "good-key\n": ""} {
		if err := os.WriteFile(c.KeyFile, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openEmbedder(c); (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "keys\"")) {
			t.Errorf("a key file of %q: %v", content, err)
		}
	}
	c.KeyFile += "-absent"
	if _, err := openEmbedder(c); err == nil || !strings.Contains(err.Error(), "read the key") {
		t.Errorf("an absent key file: %v", err)
	}
}
