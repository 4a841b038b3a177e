package topics

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestParseReadsBytes(t *testing.T) {
	docs := fields(700, 3)
	want := train(t, docs, Options{DocsPerCluster: 200})
	got, err := Parse(slices.Clone(want.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest() != want.Digest() || got.Clusters() != want.Clusters() || got.Terms() != want.Terms() {
		t.Errorf("read %d clusters and %d terms, want %d and %d", got.Clusters(), got.Terms(), want.Clusters(), want.Terms())
	}
	for i, d := range docs {
		if got.Fold(d.Terms) != want.Fold(d.Terms) {
			t.Fatalf("document %d has another vector", i)
		}
	}
}

func TestParseRefusesDamage(t *testing.T) {
	b := train(t, fields(60, 2), Options{}).Bytes()
	for i := 0; i < len(b); i += 1 + len(b)/500 {
		bad := slices.Clone(b)
		bad[i] ^= 1 << (i % 8)
		if _, err := Parse(bad); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d of %d changed: error %v, want ErrDamaged", i, len(b), err)
		}
	}
	for _, n := range []int{0, 7, 8, headerSize, len(b) / 2, len(b) - 1} {
		if _, err := Parse(b[:n]); !errors.Is(err, ErrDamaged) {
			t.Errorf("the first %d bytes are taken: %v", n, err)
		}
	}
	if _, err := Parse(append(slices.Clone(b), 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a byte too many is taken: %v", err)
	}
}

// sealed puts a right checksum at the end of b.
func sealed(b []byte) []byte {
	b = slices.Clone(b)
	if len(b) < sha256.Size {
		return b
	}
	sum := sha256.Sum256(b[:len(b)-sha256.Size])
	copy(b[len(b)-sha256.Size:], sum[:])
	return b
}

// tiny is a catalogue of two fields with a dozen terms, whose model is small enough to be fuzzed quickly.
func tiny() []Doc {
	docs := make([]Doc, 240)
	for i := range docs {
		word := func(n int) Term { return Term{fmt.Sprintf("f%dw%d", i%2, n%5), 1} }
		docs[i].Terms = []Term{word(i / 2), word(i / 10), {"all", 0.5}}
	}
	return docs
}

// Whoever can write the file can also write its checksum: what Parse takes must be safe to use.
func FuzzParse(f *testing.F) {
	docs := tiny()
	for _, per := range []int{100, 1000} {
		m, err := Train(context.Background(), docs, Options{DocsPerCluster: per})
		if err != nil {
			f.Fatal(err)
		}
		if want := 2 - per/1000; m.Clusters() != want {
			f.Fatalf("%d clusters, want %d", m.Clusters(), want)
		}
		b := m.Bytes()
		f.Add(b, uint32(0), uint32(0))
		f.Add(b, uint32(20), uint32(1<<20))
		f.Add(b, uint32(headerSize), binary.LittleEndian.Uint32(b[headerSize:])+1)
		f.Add(b, uint32(len(b)-500), ^uint32(0))
		f.Add(bytes.Repeat(b, 2), uint32(len(b)), uint32(0))
	}
	f.Fuzz(func(t *testing.T, b []byte, place, value uint32) {
		b = slices.Clone(b)
		if int(place) <= len(b)-4 {
			binary.LittleEndian.PutUint32(b[place:], value)
		}
		m, err := Parse(sealed(b))
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("error %v, want ErrDamaged", err)
			}
			return
		}
		for _, d := range docs[:5] {
			v := m.Fold(d.Terms)
			q := m.Query(d.Terms, []Vector{v, {255}})
			if c := q.Cosine(&v); !(c >= -1 && c <= 1) {
				t.Fatalf("cosine %v", c)
			}
			q.Score(&Vector{200, 1})
			q.Pairs(d.Terms, &v, 5)
			q.Pairs(d.Terms, &Vector{200, 1}, 5)
			m.Number("")
		}
	})
}
