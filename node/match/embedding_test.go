package match

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/match/embed"
	"github.com/asean-tmh/tmh/protocol"
)

// modelServer is a real embedding endpoint. Its model counts words, in as many dimensions as it is told.
type modelServer struct {
	*httptest.Server
	mu       sync.Mutex
	dims     int
	salt     string
	texts    []string // asked
	requests int
	fault    func(w http.ResponseWriter, r *http.Request, texts []string) bool // answers instead
}

func newModelServer(t testing.TB) *modelServer {
	m := &modelServer{dims: 64}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *modelServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ Input, Inputs []string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	texts := append(in.Input, in.Inputs...)
	m.mu.Lock()
	m.requests++
	fault, dims := m.fault, m.dims
	m.mu.Unlock()
	if fault != nil && fault(w, r, texts) {
		return
	}
	m.mu.Lock()
	m.texts = append(m.texts, texts...)
	m.mu.Unlock()
	type item struct {
		Embedding []float32 `json:"embedding"`
	}
	var data []item
	var plain [][]float32
	for _, text := range texts {
		v := make([]float32, dims)
		for _, word := range strings.Fields(strings.ToLower(text)) {
			h := fnv.New32a()
			h.Write([]byte(m.salt + word))
			v[h.Sum32()%uint32(dims)]++
		}
		data, plain = append(data, item{v}), append(plain, v)
	}
	if r.URL.Path == "/embed" {
		_ = json.NewEncoder(w).Encode(plain)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

func (m *modelServer) asked() (requests int, texts []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.requests, slices.Clone(m.texts)
}

func (m *modelServer) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// options of an index that asks the server about the listings of c.
func (m *modelServer) options(t testing.TB, k embed.Kind, c catalogue) Options {
	client, err := embed.New(embed.Config{URL: m.URL, Kind: k, Model: "words"})
	if err != nil {
		t.Fatal(err)
	}
	return Options{Log: slog.New(slog.DiscardHandler), Embedder: client, EmbedTimeout: 10 * time.Second, Texts: func(ref Ref) (string, bool) {
		l := c[ref]
		if l == nil {
			return "", false
		}
		return EmbeddingText(l), true
	}}
}

func upkeep(t testing.TB, x *Index) {
	t.Helper()
	if err := x.Upkeep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func closeIndex(t testing.TB, x *Index) {
	t.Helper()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
}

func openIndex(t testing.TB, o Options) *Index {
	t.Helper()
	x, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func dated(id, date string, words string) *protocol.Listing {
	l := listing(id, protocol.TechnologyOffer, "en", protocol.Text{Title: words, Abstract: "An abstract of " + id})
	if err := l.Published.UnmarshalText([]byte(date)); err != nil {
		panic(err)
	}
	return l
}

func embeddingOf(h Hit) (weight float64) {
	for _, p := range h.Explanation.Parts {
		if p.Kind == PartEmbedding {
			weight = p.Weight
		}
	}
	return weight
}

func TestEmbeddingAddsAPart(t *testing.T) {
	c := catalogue{
		{"KH", "A"}: dated("A", "2026-01-01", "membrane for clean water in every village"),
		{"KH", "B"}: dated("B", "2026-01-01", "membrane"),
	}
	for _, k := range []embed.Kind{embed.OpenAI, embed.TEI} {
		m := newModelServer(t)
		o := m.options(t, k, c)
		x := c.afresh(rand.New(rand.NewPCG(1, 1)), o)
		q := Query{Text: "membrane for clean water in a village"}
		before := ask(t, x, q)
		if n, _ := m.asked(); n != 0 || embeddingOf(before.Hits[0]) != 0 {
			t.Errorf("%s: %d requests while no listing has a vector", k, n)
		}
		upkeep(t, x)
		if _, texts := m.asked(); len(texts) != 2 || !slices.Contains(texts, "membrane\nAn abstract of B") {
			t.Errorf("%s: the model was asked about %q", k, texts)
		}
		a := ask(t, x, q)
		if got := embeddingOf(a.Hits[0]); a.Hits[0].Ref.ID != "A" || got != x.weights.Embedding {
			t.Errorf("%s: the nearest listing gets %v, want %v", k, got, x.weights.Embedding)
		}
		if got := embeddingOf(a.Hits[1]); got <= 0 || got >= x.weights.Embedding {
			t.Errorf("%s: the other listing gets %v", k, got)
		}
		for i, h := range a.Hits {
			sum := 0.0
			for _, p := range h.Explanation.Parts {
				sum += p.Weight
			}
			if d := sum - h.Score; d > 1e-6 || d < -1e-6 || h.Strength != before.Hits[i].Strength {
				t.Errorf("%s: parts of %v sum to %v", k, h.Score, sum)
			}
		}
		if a.Ranker == before.Ranker {
			t.Error("answers with and without the part have one digest")
		}
		ask(t, x, Query{Listing: c[Ref{"KH", "A"}], Self: Ref{"KH", "A"}, Filter: Filter{Kinds: protocol.Kinds()}})
		if _, texts := m.asked(); texts[2] != q.Text || texts[3] != EmbeddingText(c[Ref{"KH", "A"}]) || len(texts) != 4 {
			t.Errorf("%s: queries asked with %q", k, texts[2:])
		}
		closeIndex(t, x)
	}
}

func TestWithoutEmbedderNothingIsAsked(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	m := newModelServer(t)
	dir := t.TempDir()
	x := openIndex(t, Options{Dir: dir})
	c := walk(r, x, 30)
	off := m.options(t, embed.TEI, c)
	off.Weights = DefaultWeights().Without("embedding")
	y := c.afresh(r, off)
	for _, x := range []*Index{x, y} {
		upkeep(t, x)
		ask(t, x, randomQuery(r))
		closeIndex(t, x)
	}
	if n, _ := m.asked(); n != 0 {
		t.Errorf("%d requests", n)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.embeddings*")); len(files) != 0 {
		t.Errorf("files %v", files)
	}
}

// An endpoint that fails changes nothing but that its part is absent.
func TestEmbeddingFaults(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	plain := New(Options{Log: slog.New(slog.DiscardHandler)})
	c := walk(r, plain, 40)
	other := newModelServer(t)
	m := newModelServer(t)
	o := m.options(t, embed.TEI, c)
	x := c.afresh(r, o)
	upkeep(t, x)
	upkeep(t, plain)
	x.embedding.timeout = time.Minute
	faults := x.Stats().EmbeddingFaults
	if st := x.Stats(); st.Embedded != len(c) || faults != 0 {
		t.Fatalf("%+v, want %d vectors", st, len(c))
	}
	say := func(s string) func(http.ResponseWriter, *http.Request, []string) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ []string) bool { _, _ = w.Write([]byte(s)); return true }
	}
	var silent Digest
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request, []string) bool{
		"500": func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		},
		"429": func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		},
		"400": func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
			w.WriteHeader(http.StatusBadRequest)
			return true
		},
		"NaN":        say(`[[NaN]]`),
		"null":       say(`[[` + strings.Repeat("null,", 63) + `1]]`),
		"dimensions": say(`[[1,2,3]]`),
		"too many":   say(`[[1],[2]]`),
		"huge":       say(`[[` + strings.Repeat("1,", 1<<20) + `1]]`),
		"redirect": func(w http.ResponseWriter, r *http.Request, _ []string) bool {
			http.Redirect(w, r, other.URL+"/embed", http.StatusPermanentRedirect)
			return true
		},
		"slow": func(_ http.ResponseWriter, r *http.Request, _ []string) bool { <-r.Context().Done(); return true },
	} {
		m.set(func() { m.fault = fault })
		x.embedding.timeout = time.Minute
		if name == "slow" {
			x.embedding.timeout = 20 * time.Millisecond
		}
		q := Query{Text: phrase(r, 6), Limit: 50}
		got, want := ask(t, x, q), ask(t, plain, q)
		if silent == (Digest{}) {
			silent = got.Ranker
		}
		if got.Ranker != silent || got.Ranker == want.Ranker {
			t.Errorf("%s: digests %v and %v", name, got.Ranker, want.Ranker)
		}
		got.Ranker, want.Ranker = Digest{}, Digest{}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s: without embedder (-), with one that fails (+):\n%s", name, diff)
		}
		faults++
		if n := x.Stats().EmbeddingFaults; n != faults {
			t.Errorf("%s: %d faults, want %d", name, n, faults)
		}
	}
	if n, _ := other.asked(); n != 0 {
		t.Error("a redirection to another host was followed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Match(ctx, Query{Text: "water"}); err == nil || x.Stats().EmbeddingFaults != faults {
		t.Errorf("who goes away is no fault of the endpoint: %v", err)
	}
}

// The newest listings come first; what was computed before a stop is not asked for again, nor where the index itself is lost.
func TestFillingResumes(t *testing.T) {
	c := make(catalogue)
	for i := range 100 {
		id := fmt.Sprintf("L%03d", i)
		c[Ref{"KH", protocol.ListingID(id)}] = dated(id, fmt.Sprintf("2026-%02d-%02d", 1+i/25, 1+i%25), "membrane "+id)
	}
	answer := func(x *Index) string { // as text, which outlives the index
		b, err := json.Marshal(ask(t, x, Query{Text: "membrane L050", Limit: 100}))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	m := newModelServer(t)
	o := m.options(t, embed.OpenAI, c)
	o.Dir = t.TempDir()
	m.fault = func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
		down := m.requests > 2
		if down {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return down
	}
	x := openIndex(t, o)
	c.reconcile(t, x)
	upkeep(t, x)
	_, texts := m.asked()
	if len(texts) != 64 || !strings.HasPrefix(texts[0], "membrane L099") || !strings.HasPrefix(texts[63], "membrane L036") {
		t.Fatalf("%d texts before the endpoint failed, the first %q", len(texts), texts[0])
	}
	if st := x.Stats(); st.Embedded != 64 || st.EmbeddingFaults != 2 {
		t.Errorf("%+v", st)
	}
	closeIndex(t, x)

	m.set(func() { m.fault = nil })
	x = openIndex(t, o)
	c.reconcile(t, x)
	upkeep(t, x)
	_, texts = m.asked()
	if want := len(slices.Compact(slices.Sorted(slices.Values(texts)))); len(texts) != 100 || want != 100 {
		t.Errorf("%d texts were asked for, %d different, want each of 100 once", len(texts), want)
	}
	want := answer(x)
	closeIndex(t, x)

	lost, _ := filepath.Glob(filepath.Join(o.Dir, "*.segment"))
	for _, name := range append(lost, filepath.Join(o.Dir, manifestName)) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	x = openIndex(t, o)
	c.reconcile(t, x)
	upkeep(t, x)
	if _, texts := m.asked(); len(texts) != 101 {
		t.Errorf("%d texts, want the 100 listings' and one query's", len(texts))
	}
	if diff := gocmp.Diff(want, answer(x)); diff != "" {
		t.Errorf("before (-), after the index was built anew (+):\n%s", diff)
	}
	closeIndex(t, x)
}

// While the endpoint takes its time, changes and queries go on.
func TestFillingBlocksNobody(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	m := newModelServer(t)
	c := catalogue{{"KH", "A"}: dated("A", "2026-01-01", "membrane")}
	x := c.afresh(r, m.options(t, embed.TEI, c))
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	m.fault = func(http.ResponseWriter, *http.Request, []string) bool {
		once.Do(func() { close(entered); <-release })
		return false
	}
	done := make(chan error, 1)
	go func() { done <- x.Upkeep(t.Context()) }()
	<-entered
	x.Put(Ref{"KH", "B"}, dated("B", "2026-01-02", "membrane of clay"))
	x.Remove(Ref{"KH", "A"})
	if got := ids(ask(t, x, Query{Text: "membrane"})); got != "B" {
		t.Errorf("found %q", got)
	}
	upkeep(t, x) // a second one leaves the filling to the first
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	m.set(func() {
		m.fault = func(_ http.ResponseWriter, r *http.Request, _ []string) bool {
			cancel()
			<-r.Context().Done()
			return true
		}
	})
	x.embedding.texts = func(Ref) (string, bool) { return "text", true }
	_ = x.Upkeep(ctx) // returns
	if n := x.Stats().EmbeddingFaults; n != 0 {
		t.Errorf("%d faults of an endpoint that has none", n)
	}
	closeIndex(t, x)
}

// What a model cannot take is passed over, and does not keep the others from their vectors.
func TestTextsThatAModelRefuses(t *testing.T) {
	c := make(catalogue)
	for i := range 120 {
		id := fmt.Sprintf("L%03d", i)
		words := "membrane"
		switch i {
		case 7:
			words = "refused"
		case 8:
			words = "long " + strings.Repeat("word ", 500)
		case 110:
			words = "broken"
		}
		c[Ref{"KH", protocol.ListingID(id)}] = dated(id, "2026-01-01", words)
	}
	m := newModelServer(t)
	m.fault = func(w http.ResponseWriter, _ *http.Request, texts []string) bool {
		for _, text := range texts {
			switch {
			case strings.HasPrefix(text, "refused"):
				w.WriteHeader(http.StatusUnprocessableEntity)
				return true
			case len(text) > 1000:
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return true
			case strings.HasPrefix(text, "broken"):
				w.WriteHeader(http.StatusInternalServerError)
				return true
			}
		}
		return false
	}
	x := c.afresh(rand.New(rand.NewPCG(5, 5)), m.options(t, embed.TEI, c))
	upkeep(t, x)
	if st := x.Stats(); st.Embedded != 120-1-24 || st.EmbeddingFaults != 2 { // one refused; one batch, the last, failed
		t.Errorf("%+v", st)
	}
	m.set(func() { m.fault = nil })
	upkeep(t, x)
	if st := x.Stats(); st.Embedded != 120 {
		t.Errorf("%+v", st)
	}
}

// A model of the same name that answers other vectors makes all of them be computed anew.
func TestModelChangesItsDimensions(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	m := newModelServer(t)
	c := catalogue{{"KH", "A"}: dated("A", "2026-01-01", "membrane"), {"KH", "B"}: dated("B", "2026-01-01", "clay membrane")}
	x := c.afresh(r, m.options(t, embed.TEI, c))
	upkeep(t, x)
	m.set(func() { m.dims = 32 })
	if got := embeddingOf(ask(t, x, Query{Text: "membrane"}).Hits[0]); got != 0 || x.Stats().EmbeddingFaults != 1 {
		t.Errorf("vectors of 64 and of 32 dimensions were compared: %v", got)
	}
	upkeep(t, x)
	if got := embeddingOf(ask(t, x, Query{Text: "membrane"}).Hits[0]); got == 0 || x.embedding.store.Dims() != 32 {
		t.Errorf("part %v with vectors of %d dimensions", got, x.embedding.store.Dims())
	}
}

func TestVectorsThatNothingNeedsAreDropped(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	m := newModelServer(t)
	c := catalogue{{"KH", "A"}: dated("A", "2026-01-01", "membrane")}
	o := m.options(t, embed.TEI, c)
	o.Dir = t.TempDir()
	x := openIndex(t, o)
	c.reconcile(t, x)
	upkeep(t, x)
	var old []embed.Entry
	for range 2 + embedRound {
		var k embed.Key
		for i := range k {
			k[i] = byte(r.Uint32())
		}
		old = append(old, embed.Entry{Key: k, Vector: embed.Quantise(make([]float32, 64))})
	}
	if err := x.embedding.store.Put(old); err != nil {
		t.Fatal(err)
	}
	upkeep(t, x)
	if _, texts := m.asked(); x.Stats().Embedded != 1 || len(texts) != 1 {
		t.Errorf("%d vectors are kept, of %d texts", x.Stats().Embedded, len(texts))
	}
	if a := ask(t, x, Query{Text: "membrane"}); embeddingOf(a.Hits[0]) == 0 {
		t.Error("the listing's own vector was dropped")
	}
	closeIndex(t, x)
}

// Nodes that got a catalogue in different orders agree, and the digest tells models apart that say other things.
func TestEmbeddingIsTheSameEverywhere(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 8))
		m, liar := newModelServer(t), newModelServer(t)
		liar.salt = "other"
		c := make(catalogue)
		o := m.options(t, embed.OpenAI, c)
		o.Dir = t.TempDir()
		x := openIndex(t, o)
		for i := range 40 {
			c.step(r, x, 40)
			if i%13 == 0 {
				upkeep(t, x)
			}
		}
		y, z := c.afresh(r, m.options(t, embed.TEI, c)), c.afresh(r, liar.options(t, embed.TEI, c))
		for _, i := range []*Index{x, y, z} {
			upkeep(t, i)
		}
		parts, apart := 0, 0
		for range 10 {
			q := randomQuery(r)
			a, b, other := ask(t, x, q), ask(t, y, q), ask(t, z, q)
			if diff := gocmp.Diff(a, b); diff != "" {
				t.Fatalf("seed %d: with a history (-) and without (+):\n%s", seed, diff)
			}
			for _, h := range a.Hits {
				if embeddingOf(h) > 0 {
					parts++
				}
			}
			if a.Ranker != other.Ranker {
				apart++
			} else if diff := gocmp.Diff(a, other); diff != "" {
				t.Errorf("seed %d: two models have one digest, and their answers differ:\n%s", seed, diff)
			}
		}
		if parts == 0 || apart == 0 {
			t.Errorf("seed %d: the model had a part in %d hits, and was told apart %d times", seed, parts, apart)
		}
		closeIndex(t, x)
	}
}
