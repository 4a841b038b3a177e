package embed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// vectorOf is a vector of a text's words, so that texts that share words lie near each other.
func vectorOf(text string, dims int) []float32 {
	v := make([]float32, dims)
	for _, w := range strings.Fields(text) {
		h := fnv.New32a()
		h.Write([]byte(w))
		v[h.Sum32()%uint32(dims)]++
	}
	return v
}

// endpoint is a real server of both kinds.
type endpoint struct {
	*httptest.Server
	mu    sync.Mutex
	asked [][]string // texts of each request
	keys  []string
	fault func(w http.ResponseWriter, r *http.Request, request int) bool // answers instead
}

func serve(t testing.TB) *endpoint {
	e := &endpoint{}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Model  string
		Input  []string
		Inputs []string
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	texts := append(in.Input, in.Inputs...)
	e.mu.Lock()
	e.asked = append(e.asked, texts)
	e.keys = append(e.keys, r.Header.Get("Authorization"))
	n, fault := len(e.asked), e.fault
	e.mu.Unlock()
	if fault != nil && fault(w, r, n) {
		return
	}
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/embed" && in.Input == nil:
		list := [][]float32{}
		for _, t := range texts {
			list = append(list, vectorOf(t, 8))
		}
		_ = json.NewEncoder(w).Encode(list)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/embeddings" && in.Inputs == nil && in.Model == "words":
		data := []map[string]any{}
		for i, t := range texts {
			data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": vectorOf(t, 8)})
		}
		slices.Reverse(data) // the index counts, not the order
		_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": data, "model": in.Model})
	default:
		http.NotFound(w, r)
	}
}

func client(t testing.TB, e *endpoint, k Kind) *Client {
	c, err := New(Config{URL: e.URL + "/", Kind: k, Model: "words", Key: "secret-key"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var kinds = []Kind{OpenAI, TEI}

func TestBothKindsAnswerInOrderAndInBatches(t *testing.T) {
	for _, k := range kinds {
		e := serve(t)
		var texts []string
		for i := range 70 {
			texts = append(texts, fmt.Sprintf("text %d of many", i))
		}
		texts = append(texts, strings.Repeat("a ", 20<<10), strings.Repeat("b ", 20<<10))
		got, err := client(t, e, k).Embed(t.Context(), texts)
		if err != nil {
			t.Fatal(k, err)
		}
		for i, text := range texts {
			if !slices.Equal(got[i], vectorOf(text, 8)) {
				t.Errorf("%s: vector %d is %v", k, i, got[i])
			}
		}
		var sizes []int
		for i, batch := range e.asked {
			size := 0
			for _, s := range batch {
				size += len(s)
			}
			if len(batch) > 32 || size > 64<<10 || e.keys[i] != "Bearer secret-key" {
				t.Errorf("%s: request %d has %d texts of %d bytes, key %q", k, i, len(batch), size, e.keys[i])
			}
			sizes = append(sizes, len(batch))
		}
		if want := []int{32, 32, 7, 1}; !slices.Equal(sizes, want) {
			t.Errorf("%s: requests of %v texts, want %v", k, sizes, want)
		}
		if _, err := client(t, e, k).Embed(t.Context(), []string{strings.Repeat("a", 65<<10)}); err == nil || len(e.asked) != 4 {
			t.Errorf("%s: a text that is too long: %v", k, err)
		}
	}
}

// Every fault of an endpoint is an error in words that say what to do, holds no key, and is short.
func TestFaults(t *testing.T) {
	other := serve(t)
	const finite = `[[1,2,3,4,5,6,7,8],[1,2,3,4,5,6,7,%s]]`
	tei := func(body string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool { _, _ = w.Write([]byte(body)); return true }
	}
	status := func(code int, body string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool { http.Error(w, body, code); return true }
	}
	for _, c := range []struct {
		name, want string
		fault      func(http.ResponseWriter, *http.Request, int) bool
	}{
		{"500", "look into its own log", status(http.StatusInternalServerError, "out of\nmemory"+strings.Repeat("!", 5000))},
		{"401", "check embedding.key_file", status(http.StatusUnauthorized, "")},
		{"404", "check embedding.url", status(http.StatusNotFound, "")},
		{"413", "refuses the texts", status(http.StatusRequestEntityTooLarge, "too long")},
		{"429", "is busy", status(http.StatusTooManyRequests, "")},
		{"too few", "answered 2 texts with 1 vectors", tei(`[[1,2]]`)},
		{"too many", "answered 2 texts with 3 vectors", tei(`[[1],[1],[1],[1]]`)},
		{"wrong dimensions", "must be equal", tei(`[[1,2],[1,2,3]]`)},
		{"no dimensions", "0 dimensions", tei(`[[],[]]`)},
		{"too many dimensions", "4097 dimensions", tei(`[[` + strings.Repeat("0,", 4096) + `0],[1]]`)},
		{"NaN", "check embedding.kind", tei(fmt.Sprintf(finite, "NaN"))},
		{"null", "null is no finite number", tei(fmt.Sprintf(finite, "null"))},
		{"infinite", "1e39 is no finite number", tei(fmt.Sprintf(finite, "1e39"))},
		{"a long word", "is no finite number", tei(fmt.Sprintf(finite, `"`+strings.Repeat("x", 100_000)+`"`))},
		{"no JSON", "check embedding.kind", tei("<html>hello</html>")},
		{"other kind", "check embedding.kind", tei(`{"data":[]}`)},
		{"rest", "check embedding.kind", tei(`[[1],[2]] [[3]]`)},
		{"huge", "answered more than", func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			for range 400_000 {
				if _, err := w.Write([]byte(" ")); err != nil {
					return true
				}
			}
			_, _ = w.Write([]byte(`[[1],[2]]`))
			return true
		}},
		{"redirect", "sends elsewhere", func(w http.ResponseWriter, r *http.Request, _ int) bool {
			http.Redirect(w, r, other.URL+"/embed", http.StatusTemporaryRedirect)
			return true
		}},
		{"cut off", "cannot be reached", func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`[[1`))
			return true
		}},
	} {
		e := serve(t)
		e.fault = c.fault
		v, err := client(t, e, TEI).Embed(t.Context(), []string{"one", "two"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want %q", c.name, v, err, c.want)
			continue
		}
		if s := err.Error(); len(s) > 500 || strings.Contains(s, "secret-key") || strings.ContainsAny(s, "\n\r") {
			t.Errorf("%s: %q", c.name, s)
		}
	}
	if len(other.asked) != 0 {
		t.Errorf("a redirection was followed: %v", other.keys)
	}
	e := serve(t)
	c := client(t, e, TEI)
	e.Close()
	if _, err := c.Embed(t.Context(), []string{"a"}); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestSlowEndpoint(t *testing.T) {
	e := serve(t)
	e.fault = func(_ http.ResponseWriter, r *http.Request, _ int) bool { <-r.Context().Done(); return true }
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := client(t, e, OpenAI).Embed(ctx, []string{"a"}); err == nil || !strings.Contains(err.Error(), "did not answer in time") {
		t.Errorf("slow: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := client(t, e, OpenAI).Embed(ctx, []string{"a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestPatiently(t *testing.T) {
	e := serve(t)
	e.fault = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n <= 3 {
			w.WriteHeader([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusTooManyRequests}[n-1])
		}
		return n <= 3
	}
	c := client(t, e, TEI)
	if _, err := c.Embed(t.Context(), []string{"a"}); len(e.asked) != 1 || !errors.As(err, new(*Busy)) {
		t.Fatalf("a query asked %d times: %v", len(e.asked), err)
	}
	v, err := Patiently(t.Context(), c, []string{"a"}, time.Millisecond)
	if err != nil || len(v) != 1 || len(e.asked) != 4 {
		t.Errorf("%d requests, %v, %v", len(e.asked), v, err)
	}
	e.fault = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	if _, err := Patiently(t.Context(), c, []string{"a"}, time.Millisecond); !errors.As(err, new(*Busy)) || len(e.asked) != 4+attempts {
		t.Errorf("%d requests: %v", len(e.asked), err)
	}
	e.fault = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(http.StatusInternalServerError)
		return true
	}
	if _, err := Patiently(t.Context(), c, []string{"a"}, time.Millisecond); err == nil || len(e.asked) != 5+attempts {
		t.Errorf("%d requests: %v", len(e.asked), err)
	}
}

// A busy endpoint says how long to wait; nobody waits longer than half a minute, nor after the end of ctx.
func TestWaitingForABusyEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			after time.Duration
			want  time.Duration
		}{{0, (1 + 2 + 4 + 8) * time.Second}, {5 * time.Second, (5 + 5 + 5 + 8) * time.Second}, {time.Hour, 4 * longest}} {
			start := time.Now()
			_, err := Patiently(t.Context(), busy(c.after), []string{"a"}, time.Second)
			if got := time.Since(start); got != c.want || err == nil {
				t.Errorf("asked to wait %v: waited %v, want %v (%v)", c.after, got, c.want, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := Patiently(ctx, busy(time.Hour), []string{"a"}, time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

type busy time.Duration

func (b busy) Name() string { return "busy" }
func (b busy) Embed(context.Context, []string) ([][]float32, error) {
	return nil, &Busy{Status: 429, After: time.Duration(b)}
}

func TestRetryAfterIsRead(t *testing.T) {
	for value, want := range map[string]time.Duration{"7": 7 * time.Second, "-1": 0, "soon": 0, "99999999": time.Hour, "99999999999999999999": 0} {
		e := serve(t)
		e.fault = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		_, err := client(t, e, TEI).Embed(t.Context(), []string{"a"})
		var busy *Busy
		if !errors.As(err, &busy) || busy.After != want {
			t.Errorf("Retry-After %q: %v", value, err)
		}
	}
}

// A model that takes short texts only gets the beginning of a long one.
func TestShortened(t *testing.T) {
	e := serve(t)
	e.fault = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if long := len(e.asked[n-1][0]) > 1000; long {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return true
		}
		return false
	}
	c := client(t, e, TEI)
	ask := func(texts []string) ([][]float32, error) { return Ask(t.Context(), c, texts) }
	v, err := Shortened(strings.Repeat("เยื่อ ", 200), ask)
	if err != nil || len(v) != 8 {
		t.Fatal(v, err)
	}
	if s := e.asked[len(e.asked)-1][0]; len(s) > 1000 || len(s) < 400 || !strings.HasPrefix(s, "เยื่อ") || strings.ContainsRune(s, '\ufffd') {
		t.Errorf("%q", s)
	}
	e.fault = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return true
	}
	before := len(e.asked)
	if _, err := Shortened(strings.Repeat("x", 4096), ask); !errors.As(err, new(*Refused)) || len(e.asked)-before != 5 {
		t.Errorf("%d requests: %v", len(e.asked)-before, err)
	}
}

func TestConfig(t *testing.T) {
	good := Config{URL: "http://127.0.0.1:8081", Kind: TEI, Model: "bge-m3"}
	if key, err := good.Check(); err != nil {
		t.Error(key, err)
	}
	for want, change := range map[string]func(*Config){
		"url":      func(c *Config) { c.URL = "127.0.0.1:8081" },
		"url ":     func(c *Config) { c.URL = "http://a:b@127.0.0.1" },
		"url  ":    func(c *Config) { c.URL, c.Kind = "https://models.example/v1/", OpenAI },
		"url   ":   func(c *Config) { c.URL = "ftp://127.0.0.1" },
		"kind":     func(c *Config) { c.Kind = "cohere" },
		"model":    func(c *Config) { c.Model = "" },
		"key_file": func(c *Config) { c.Key = "two\nlines" },
	} {
		c := good
		change(&c)
		if key, err := c.Check(); err == nil || key != strings.TrimSpace(want) {
			t.Errorf("%+v: %s: %v, want a fault of %s", c, key, err, want)
		}
		if _, err := New(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

func TestFaultsAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := NewFaults(slog.New(slog.NewTextHandler(&log, nil)))
		for range 125 {
			f.Report(errors.New("it is down"))
			time.Sleep(time.Second) // of the bubble's clock
		}
		if n := strings.Count(log.String(), "it is down"); n != 3 || f.Count() != 125 {
			t.Errorf("%d lines of %d faults:\n%s", n, f.Count(), log.String())
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`[[1,2],[3,4]]`, `{"data":[{"index":1,"embedding":[1]},{"index":0,"embedding":[2]}]}`, `{"data":[{"embedding":[null]}]}`, `[[1e39]]`, `[[[]]]`,
		`{"data":[{"index":-1},{"index":9223372036854775808}]}`, `null`, `[null]`,
	} {
		f.Add([]byte(s), 2)
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = max(0, min(n, 64))
		for _, decode := range []func([]byte, int) ([][]float32, error){decodeTEI, decodeOpenAI} {
			v, err := decode(b, n)
			if err != nil {
				if len(err.Error()) > 500 {
					t.Errorf("%d bytes of error", len(err.Error()))
				}
				continue
			}
			if len(v) != n {
				t.Fatalf("%d vectors of %d texts", len(v), n)
			}
			for _, w := range v {
				if len(w) == 0 || len(w) != len(v[0]) || len(w) > MaxDims {
					t.Fatalf("%d dimensions", len(w))
				}
				for _, x := range w {
					if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
						t.Fatal(x)
					}
				}
				q := Quantise(w)
				values := make([]byte, len(w))
				for i, x := range q.Values {
					values[i] = byte(x)
				}
				if c := q.cosine(values, q.Square); c != 0 && math.Abs(c-1) > 1e-12 {
					t.Fatalf("cosine with itself %v", c)
				}
			}
		}
	})
}
