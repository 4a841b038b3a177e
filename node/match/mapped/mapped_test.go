package mapped

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if _, err := Open(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("an absent file: %v", err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("a folder was mapped")
	}
	for _, want := range [][]byte{{}, []byte("first"), bytes.Repeat([]byte("second "), 10_000)} {
		if err := Write(path, want); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(path, []byte("replaced meanwhile")); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.Bytes(), want) {
			t.Errorf("%d bytes, want %d", len(f.Bytes()), len(want))
		}
		runtime.KeepAlive(f)
	}
	if err := Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := Remove(path); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := Write(filepath.Join(dir, "absent", "x"), nil); err == nil {
		t.Error("written into a folder that is not there")
	}
}
