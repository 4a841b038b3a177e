package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/protocol"
)

func TestDemoFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	remove, err := takeDemoDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := takeDemoDir(dir); err == nil {
		t.Error("two demonstrations take one folder")
	}
	remove()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder stays: %v", err)
	}

	killed := filepath.Join(t.TempDir(), "demo")
	if err := os.MkdirAll(filepath.Join(killed, "KH"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(killed, "lock"), []byte(demoMark), 0o600); err != nil {
		t.Fatal(err)
	}
	remove, err = takeDemoDir(killed)
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	if _, err := os.Stat(filepath.Join(killed, "KH")); !os.IsNotExist(err) {
		t.Errorf("what a killed one left stays: %v", err)
	}
}

// Nothing of a folder that is not the demonstration's own is touched.
func TestDemoFolderOfOthers(t *testing.T) {
	precious := func(name string) string {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"precious": "all there is", "lock": ""} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	folder := precious("foreign")
	link := filepath.Join(t.TempDir(), "link")
	target := precious("target")
	if err := os.WriteFile(filepath.Join(target, "lock"), []byte(demoMark), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	open := precious("open")
	if err := os.WriteFile(filepath.Join(open, "lock"), []byte(demoMark), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	linked := precious("linked")
	if err := os.Remove(filepath.Join(linked, "lock")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(target, "lock"), filepath.Join(linked, "lock")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{folder, link, open, linked, file} {
		if _, err := takeDemoDir(dir); err == nil {
			t.Errorf("%s was taken", dir)
		}
	}
	for _, dir := range []string{folder, target, open, linked} {
		if b, err := os.ReadFile(filepath.Join(dir, "precious")); err != nil || string(b) != "all there is" {
			t.Errorf("%s: %q, %v", dir, b, err)
		}
	}
}

// The keys of a demonstration end with it: what it left is not taken for the new one's, and nothing of it is touched.
func TestDemoDoesNotGoOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	if demo.Used(dir) {
		t.Error("a folder that is not there is used")
	}
	members := []protocol.Member{founding.ASEAN()[2]}
	f, err := demo.New(demo.Config{Dir: dir, Members: members})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.StartAll(), f.Close()); err != nil {
		t.Fatal(err)
	}
	cmd := demoCmd()
	cmd.SetArgs([]string{"--dir", dir, "--once"})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "rm -r "+dir) {
		t.Errorf("the folder was taken again: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, string(members[0].ID), "data")); err != nil {
		t.Error(err)
	}
}
