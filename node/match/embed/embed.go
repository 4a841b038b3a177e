// Package embed asks an outside model for vectors of texts, and keeps those of the catalogue. A node does without unless
// its operator names an endpoint: the ranking has a part for it, and no other part depends on it.
//
// Endpoints are OpenAI-compatible or TEI (text-embeddings-inference). What they answer is bounded and checked: as many
// vectors as texts, all of one dimension, every number finite. Vectors are kept as int8 (Vector), in one file (Store).
package embed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// An Embedder turns texts into vectors, one each, in their order.
type Embedder interface {
	Embed(ctx context.Context, texts []string) ([][]float32, error)
	Name() string // of the model: vectors of different names are never compared
}

// Limits of texts and vectors.
const (
	MaxDims = 4096
	MaxText = 4 << 10 // bytes of a text that are embedded; models look at its beginning
)

// Busy is the answer of an endpoint that may serve the same request later.
type Busy struct {
	Status int
	After  time.Duration // it asks to wait so long; 0: it does not say
}

func (e *Busy) Error() string {
	return fmt.Sprintf("the embedding endpoint is busy (HTTP %d): it needs more capacity, or fewer clients", e.Status)
}

// Refused is the answer of an endpoint that cannot take these texts: most often one is too long for the model.
type Refused struct {
	Status int
	Reason string
}

func (e *Refused) Error() string {
	return fmt.Sprintf("the embedding endpoint refuses the texts (HTTP %d%s): check that the model takes texts of %d bytes", e.Status, e.Reason, MaxText)
}

// Valid checks what an embedder answered to n texts.
func Valid(vectors [][]float32, n int) error {
	if len(vectors) != n {
		return fmt.Errorf("the embedding endpoint answered %d texts with %d vectors: check that its kind is the one configured", n, len(vectors))
	}
	for _, v := range vectors {
		switch {
		case len(v) == 0 || len(v) > MaxDims:
			return fmt.Errorf("the embedding endpoint answered a vector of %d dimensions: 1 to %d can be used, choose another model", len(v), MaxDims)
		case len(v) != len(vectors[0]):
			return fmt.Errorf("the embedding endpoint answered vectors of %d and of %d dimensions: they must be equal", len(vectors[0]), len(v))
		}
		for _, f := range v {
			if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
				return errors.New("the embedding endpoint answered a vector with a number that is not finite: its model does not work as it should")
			}
		}
	}
	return nil
}

// Ask embeds texts and checks the answer.
func Ask(ctx context.Context, e Embedder, texts []string) ([][]float32, error) {
	vectors, err := e.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	return vectors, Valid(vectors, len(texts))
}

// Attempts of Patiently, and the longest wait between two.
const (
	attempts = 5
	longest  = 30 * time.Second
)

// Patiently is Ask, again after a while where the endpoint is busy: after what it asks for, else after first, twice as
// long each time.
func Patiently(ctx context.Context, e Embedder, texts []string, first time.Duration) ([][]float32, error) {
	for n := 1; ; n++ {
		vectors, err := Ask(ctx, e, texts)
		var busy *Busy
		if !errors.As(err, &busy) || n == attempts {
			return vectors, err
		}
		wait := time.NewTimer(min(longest, max(first, busy.After)))
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil, ctx.Err()
		case <-wait.C:
		}
		first *= 2
	}
}

// fewest bytes of a text that is still worth a vector.
const fewest = 256

// Shortened embeds one text by ask, and where the endpoint refuses it half of it, and so on.
func Shortened(text string, ask func([]string) ([][]float32, error)) ([]float32, error) {
	for {
		vectors, err := ask([]string{text})
		var refused *Refused
		switch {
		case err == nil:
			return vectors[0], nil
		case !errors.As(err, &refused) || len(text)/2 < fewest:
			return nil, err
		}
		text = Cut(text, len(text)/2)
	}
}

// Cut is the beginning of a text, of at most n bytes.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}

// Faults counts what went wrong, and logs it at most once a minute: an endpoint that is down is asked by every query.
type Faults struct {
	log   *slog.Logger
	count atomic.Uint64
	mu    sync.Mutex
	next  time.Time // when the next one is logged
}

// NewFaults logs to log.
func NewFaults(log *slog.Logger) *Faults { return &Faults{log: log} }

// Count is how many there were.
func (f *Faults) Count() uint64 { return f.count.Load() }

// Report counts one.
func (f *Faults) Report(err error) {
	n := f.count.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); !now.Before(f.next) {
		f.next = now.Add(time.Minute)
		f.log.Warn("the embedding endpoint does not help: matching works on without it", "error", err, "faults", n)
	}
}
