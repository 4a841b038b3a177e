package embed

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func keyOf(i int) (k Key) {
	copy(k[:], fmt.Sprintf("document %07d", i))
	return k
}

func randomVector(r *rand.Rand, dims int) []float32 {
	v := make([]float32, dims)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

func entries(r *rand.Rand, from, to, dims int) (list []Entry) {
	for i := from; i < to; i++ {
		list = append(list, Entry{keyOf(i), Quantise(randomVector(r, dims))})
	}
	return list
}

func open(t testing.TB, dir, name string) *Store {
	t.Helper()
	s, err := Open(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t testing.TB, s *Store, list []Entry) {
	t.Helper()
	if err := s.Put(list); err != nil {
		t.Fatal(err)
	}
}

// found is how many of the first n documents have exactly their own vector.
func found(t testing.TB, s *Store, want []Entry) (n int) {
	t.Helper()
	for _, e := range want {
		switch c := s.Cosines(e.Vector, []Key{e.Key})[0]; {
		case math.Abs(c-1) < 1e-9:
			n++
		case c != 0:
			t.Errorf("%s has another vector: cosine %v", e.Key, c)
		}
	}
	return n
}

func TestCosinesAreNearThoseOfFloats(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	s := open(t, "", "m")
	for range 50 {
		v, w := randomVector(r, 300), randomVector(r, 300)
		for i := range w {
			w[i] += v[i] * float32(r.Float64())
		}
		var dot, vv, ww float64
		for i := range v {
			dot, vv, ww = dot+float64(v[i]*w[i]), vv+float64(v[i]*v[i]), ww+float64(w[i]*w[i])
		}
		put(t, s, []Entry{{keyOf(0), Quantise(w)}})
		got, want := s.Cosines(Quantise(v), []Key{keyOf(0), keyOf(1)}), max(0, dot/math.Sqrt(vv*ww))
		if math.Abs(got[0]-want) > 0.01 || got[1] != 0 {
			t.Errorf("cosines %v, want %v and 0", got, want)
		}
	}
	if c := s.Cosines(Quantise(make([]float32, 300)), []Key{keyOf(0)}); c[0] != 0 {
		t.Errorf("cosine of a zero vector %v", c)
	}
	if c := s.Cosines(Quantise(make([]float32, 200)), []Key{keyOf(0)}); c[0] != 0 {
		t.Errorf("cosine of another dimension %v", c)
	}
	if q := Quantise([]float32{math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32}); q.Values[0] != 127 || q.Values[1] != -127 || q.Square != 2*127*127 {
		t.Errorf("%+v", q)
	}
}

func TestStoreKeepsWhatWasPut(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, dir := range []string{"", t.TempDir()} {
		s := open(t, dir, "m")
		list := entries(r, 0, 500, 24)
		put(t, s, list[:300])
		put(t, s, list[300:])
		if n := found(t, s, list); n != 500 {
			t.Errorf("%d of 500 vectors", n)
		}
		if has := s.Has([]Key{keyOf(499), keyOf(500)}); !has[0] || has[1] {
			t.Errorf("has %v", has)
		}
		again := entries(r, 0, 400, 24) // in the place of the first
		put(t, s, again)
		list = append(again, list[400:]...)
		if vectors, records := s.Len(); vectors != 500 || records != 900 || found(t, s, list) != 500 {
			t.Errorf("%d vectors in %d records", vectors, records)
		}
		keep := make(map[Key]bool)
		for i := 100; i < 450; i++ {
			keep[keyOf(i)] = true
		}
		if err := s.Trim(keep); err != nil {
			t.Fatal(err)
		}
		if vectors, records := s.Len(); vectors != 350 || records != 350 || found(t, s, list) != 350 {
			t.Errorf("after trimming %d vectors in %d records", vectors, records)
		}
		put(t, s, entries(r, 500, 510, 24))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if dir == "" {
			continue
		}
		if s = open(t, dir, "m"); found(t, s, list) != 350 {
			t.Errorf("%d vectors after a restart", found(t, s, list))
		}
		put(t, s, entries(r, 0, 10, 32)) // another model of the same name
		if vectors, _ := s.Len(); vectors != 10 || s.Dims() != 32 || found(t, s, list) != 0 {
			t.Errorf("%d vectors of %d dimensions", vectors, s.Dims())
		}
		if err := s.Put([]Entry{{keyOf(0), Quantise(make([]float32, 32))}, {keyOf(1), Quantise(make([]float32, 31))}}); err == nil {
			t.Error("two dimensions were put together")
		}
		if err := s.Forget(); err != nil || s.Dims() != 0 {
			t.Error(err, s.Dims())
		}
	}
}

func TestStoresOfOtherModelsAreRemoved(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	dir := t.TempDir()
	mine := filepath.Join(dir, "00000001.segment")
	if err := os.WriteFile(mine, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, "one")
	put(t, s, entries(r, 0, 9, 8))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if vectors, _ := open(t, dir, "two").Len(); vectors != 0 {
		t.Errorf("another model has %d vectors", vectors)
	}
	if vectors, _ := open(t, dir, "one").Len(); vectors != 0 {
		t.Errorf("%d vectors of a model that was given up", vectors)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
}

// Whatever a crash or a disk does to the file: vectors are their own or absent, and can be put again.
func TestDamagedStore(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for round := range 60 {
		dir := t.TempDir()
		s := open(t, dir, "m")
		list := entries(r, 0, 40, 16)
		put(t, s, list)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		switch round % 3 {
		case 0:
			b = b[:r.IntN(len(b))]
		case 1:
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		default:
			b = append(b, b[:r.IntN(len(b))]...)
		}
		if err := os.WriteFile(s.path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir, "m")
		kept := found(t, s, list)
		if round%3 == 1 && kept < 39 && s.Dims() != 0 {
			t.Errorf("one byte cost %d vectors", 40-kept)
		}
		put(t, s, list)
		if n := found(t, s, list); n != 40 {
			t.Errorf("round %d: %d of 40 vectors after they were put again", round, n)
		}
	}
	s := open(t, t.TempDir(), "m") // damaged while it is open
	list := entries(r, 0, 40, 16)
	put(t, s, list)
	if _, err := s.file.WriteAt([]byte("damage"), s.offset(7)+30); err != nil {
		t.Fatal(err)
	}
	if n := found(t, s, list); n != 39 {
		t.Errorf("%d of 39 undamaged vectors", n)
	}
}

func TestStoreIsSafeForConcurrentUse(t *testing.T) {
	s := open(t, t.TempDir(), "m")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	list := entries(rand.New(rand.NewPCG(5, 5)), 0, 64, 16)
	put(t, s, list)
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if n := found(t, s, list[:32]); n != 32 {
					t.Errorf("%d of 32 vectors", n)
				}
			}
		})
	}
	keep := make(map[Key]bool)
	for _, e := range list[:32] {
		keep[e.Key] = true
	}
	for range 20 {
		put(t, s, list)
		if err := s.Trim(keep); err != nil {
			t.Error(err)
		}
	}
	cancel()
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(list); err == nil {
		t.Error("put into a closed store")
	}
	if n := found(t, s, list); n != 0 {
		t.Errorf("a closed store has %d vectors", n)
	}
}

// What a query pays: the cosines of a thousand candidates, read from the file.
func BenchmarkCosines(b *testing.B) {
	r := rand.New(rand.NewPCG(6, 6))
	s := open(b, b.TempDir(), "m")
	put(b, s, entries(r, 0, 20_000, 1024))
	q := Quantise(randomVector(r, 1024))
	keys := make([]Key, 1000)
	for i := range keys {
		keys[i] = keyOf(r.IntN(20_000))
	}
	for b.Loop() {
		s.Cosines(q, keys)
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir, "m")
	put(b, s, entries(rand.New(rand.NewPCG(7, 7)), 0, 20_000, 1024))
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := open(b, dir, "m").Close(); err != nil {
			b.Fatal(err)
		}
	}
}
