package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

func mark(seq uint64) Mark {
	return Mark{Pos: protocol.Position{Epoch: 1, Seq: seq}, Header: protocol.Sum(fmt.Append(nil, seq))}
}

func openGuard(t testing.TB, path string) *Guard {
	t.Helper()
	g, err := OpenGuard(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// advanced is the file after a number of marks.
func advanced(t testing.TB, path string, n uint64) []byte {
	t.Helper()
	g := openGuard(t, path)
	for seq := uint64(1); seq <= n; seq++ {
		if err := g.Advance(mark(seq)); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGuardRemembers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	if m := openGuard(t, path).Mark(); m != (Mark{}) {
		t.Errorf("a new guard says %v", m)
	}
	var before []byte
	for seq := uint64(1); seq < 8; seq++ {
		path := filepath.Join(t.TempDir(), "guard")
		b := advanced(t, path, seq)
		if g := openGuard(t, path); g.Mark() != mark(seq) {
			t.Errorf("after %d marks it says %v", seq, g.Mark())
		}
		if len(b) != 2*guardSlot {
			t.Fatalf("the file has %d bytes", len(b))
		}
		if before != nil { // exactly the slot of the mark before last was written
			first, second := bytes.Equal(b[:guardSlot], before[:guardSlot]), bytes.Equal(b[guardSlot:], before[guardSlot:])
			if first == second || first != (seq%2 == 0) {
				t.Errorf("mark %d: first slot kept %v, second %v", seq, first, second)
			}
		}
		before = b
	}
}

// A mark never falls: two writers may come in the wrong order.
func TestGuardNeverFalls(t *testing.T) {
	g := openGuard(t, filepath.Join(t.TempDir(), "guard"))
	for _, seq := range []uint64{5, 3, 5, 4} {
		if err := g.Advance(mark(seq)); err != nil {
			t.Fatal(err)
		}
		if g.Mark() != mark(5) {
			t.Errorf("after %d it says %v", seq, g.Mark())
		}
	}
	var all sync.WaitGroup
	for seq := uint64(6); seq < 40; seq++ {
		all.Go(func() {
			if err := g.Advance(mark(seq)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if g.Mark() != mark(39) {
		t.Errorf("ends at %v", g.Mark())
	}
}

// However far the write of a mark came before the power failed, the mark before it stands; so also for the first one.
func TestGuardSurvivesATornWrite(t *testing.T) {
	for marks := range uint64(6) {
		folder := t.TempDir()
		before := advanced(t, filepath.Join(folder, "before"), marks)
		after := advanced(t, filepath.Join(folder, "after"), marks+1)
		at := int(marks%2) * guardSlot // of the slot that is written
		for n := range guardSlot + 1 {
			for _, garbage := range []bool{false, true} {
				torn := bytes.Clone(before)
				copy(torn[at:at+n], after[at:at+n])
				for i := at + n; garbage && i < at+guardSlot; i++ {
					torn[i] = 0xa5
				}
				path := filepath.Join(folder, "torn")
				if err := os.WriteFile(path, torn, 0o600); err != nil {
					t.Fatal(err)
				}
				want := mark(marks)
				if marks == 0 {
					want = Mark{}
				}
				if bytes.Equal(torn, after) {
					want = mark(marks + 1)
				}
				g, err := OpenGuard(path)
				if err != nil {
					t.Fatalf("mark %d torn after %d bytes: %v", marks+1, n, err)
				}
				if g.Mark() != want {
					t.Errorf("mark %d torn after %d bytes: says %v, want %v", marks+1, n, g.Mark(), want)
				}
				// The next mark goes over the torn slot, so that the whole one stays until it is durable.
				if err := g.Advance(mark(marks + 9)); err != nil {
					t.Fatal(err)
				}
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if other := guardSlot - at; n < guardSlot && garbage && !bytes.Equal(b[other:other+guardSlot], before[other:other+guardSlot]) {
					t.Errorf("mark %d torn after %d bytes: the whole slot was overwritten", marks+1, n)
				}
				if err := g.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// One damaged slot leaves the other; two are refused, and so is what is left of a file that was cut.
func TestDamagedGuardIsRefused(t *testing.T) {
	folder := t.TempDir()
	whole := advanced(t, filepath.Join(folder, "whole"), 4) // 3 in the first slot, 4 in the second
	try := func(b []byte) (Mark, error) {
		path := filepath.Join(folder, "damaged")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		g, err := OpenGuard(path)
		if err != nil {
			return Mark{}, err
		}
		defer g.Close()
		return g.Mark(), nil
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0x10
		want := mark(4)
		if i >= guardSlot {
			want = mark(3)
		}
		if m, err := try(b); err != nil || m != want {
			t.Errorf("byte %d damaged: says %v, %v", i, m, err)
		}
		b[(i+guardSlot)%len(b)] ^= 0x10
		if m, err := try(b); protocol.CodeOf(err) != protocol.CodeInternal {
			t.Errorf("byte %d of both slots damaged: says %v, %v", i, m, err)
		}
	}
	for n := 1; n < len(whole); n++ {
		m, err := try(whole[:n])
		if n < guardSlot && protocol.CodeOf(err) != protocol.CodeInternal || n >= guardSlot && (err != nil || m != mark(3)) {
			t.Errorf("cut to %d bytes: says %v, %v", n, m, err)
		}
	}
	if m, err := try(nil); err != nil || m != (Mark{}) {
		t.Errorf("an empty file, as the first version made it: says %v, %v", m, err)
	}
}

func TestGuardIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard")
	g := openGuard(t, path)
	if _, err := OpenGuard(path); protocol.CodeOf(err) != protocol.CodeConflict {
		t.Errorf("a second process: %v", err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	openGuard(t, path)
	if _, err := OpenGuard(filepath.Join(t.TempDir(), "none", "guard")); err == nil {
		t.Error("a guard in a folder that does not exist")
	}
	left, err := filepath.Glob(path + "?*")
	if err != nil || left != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
