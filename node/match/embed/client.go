package embed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Kind of an endpoint.
type Kind string

// The kinds.
const (
	OpenAI Kind = "openai" // POST {url}/v1/embeddings
	TEI    Kind = "tei"    // POST {url}/embed
)

// Config of a client.
type Config struct {
	URL   string // where the endpoint is, without the path of its kind
	Kind  Kind
	Model string // its name for the endpoint, and that of the vectors
	Key   string // sent as a bearer token; "" for none
}

// Check reports the first fault of a configuration and the key it is at.
func (c Config) Check() (key string, err error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "url", fmt.Errorf("%q is no address: write it as http://127.0.0.1:8081", c.URL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "url", errors.New("holds more than scheme, host and path: a key belongs into key_file")
	case c.Kind == OpenAI && strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/v1"):
		return "url", errors.New("ends in /v1, which is added by itself: leave it out")
	case c.Kind != OpenAI && c.Kind != TEI:
		return "kind", fmt.Errorf("%q is neither %s nor %s", c.Kind, OpenAI, TEI)
	case c.Model == "" || len(c.Model) > 200 || strings.ContainsFunc(c.Model, unicode.IsControl):
		return "model", errors.New("name the model in 1 to 200 characters: its vectors are kept under this name")
	case strings.ContainsFunc(c.Key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "key_file", errors.New("holds more than one key: it must be one line of visible ASCII characters")
	}
	return "", nil
}

// Client of an endpoint. It implements Embedder.
type Client struct {
	config Config
	url    string
	http   *http.Client
}

// Limits of one request.
const (
	batchTexts = 32
	batchBytes = 64 << 10
	perVector  = MaxDims * 32 // bytes of an answer, each
	envelope   = 64 << 10     // of the rest of it
	slowest    = time.Minute
)

// New makes a client. It asks nothing yet.
func New(c Config) (*Client, error) {
	if key, err := c.Check(); err != nil {
		return nil, fmt.Errorf("embedding.%s: %w", key, err)
	}
	path := map[Kind]string{OpenAI: "/v1/embeddings", TEI: "/embed"}[c.Kind]
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute,
		DisableCompression: true, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
	}
	return &Client{config: c, url: strings.TrimRight(c.URL, "/") + path, http: &http.Client{
		Transport: transport, Timeout: slowest,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Name implements Embedder.
func (c *Client) Name() string { return c.config.Model }

// Embed implements Embedder. Errors: *Busy, *Refused, others in plain words, or ctx's.
func (c *Client) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, 0, len(texts))
	for len(texts) > 0 {
		n, size := 0, 0
		for n < min(batchTexts, len(texts)) && size+len(texts[n]) <= batchBytes {
			size += len(texts[n])
			n++
		}
		if n == 0 {
			return nil, fmt.Errorf("a text of %d bytes is too long to be embedded: cut it to %d", len(texts[0]), batchBytes)
		}
		got, err := c.batch(ctx, texts[:n])
		if err != nil {
			return nil, err
		}
		vectors, texts = append(vectors, got...), texts[n:]
	}
	return vectors, Valid(vectors, len(vectors))
}

func (c *Client) batch(ctx context.Context, texts []string) ([][]float32, error) {
	body, err := json.Marshal(c.request(texts))
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	if c.config.Key != "" {
		r.Header.Set("Authorization", "Bearer "+c.config.Key)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, c.plain(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fault(answer)
	}
	most := len(texts)*perVector + envelope
	b, err := io.ReadAll(io.LimitReader(answer.Body, int64(most)+1))
	switch {
	case err != nil:
		return nil, c.plain(err)
	case len(b) > most:
		return nil, fmt.Errorf("the embedding endpoint answered more than %d bytes to %d texts: check its address and kind", most, len(texts))
	}
	return c.decode(b, len(texts))
}

func (c *Client) request(texts []string) any {
	if c.config.Kind == TEI {
		return struct {
			Inputs   []string `json:"inputs"`
			Truncate bool     `json:"truncate"`
		}{texts, true}
	}
	return struct {
		Model string   `json:"model"`
		Input []string `json:"input"`
	}{c.config.Model, texts}
}

func (c *Client) decode(b []byte, n int) ([][]float32, error) {
	if c.config.Kind == TEI {
		return decodeTEI(b, n)
	}
	return decodeOpenAI(b, n)
}

// plain says what a failed request means.
func (c *Client) plain(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the embedding endpoint did not answer in time: it may be overloaded, or need a longer embedding.timeout: %w", err)
	}
	return fmt.Errorf("the embedding endpoint cannot be reached: see that it runs at %s: %w", c.config.URL, err)
}

// fault is the error of an answer that is not 200.
func fault(r *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<10)) // what it says is only shown
	said := ""
	if s := oneLine(string(b)); s != "" {
		said = ", it says: " + s
	}
	switch code := r.StatusCode; {
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
		if err != nil || seconds < 0 {
			seconds = 0
		}
		return &Busy{Status: code, After: time.Duration(min(seconds, 3600)) * time.Second}
	case code == http.StatusBadRequest || code == http.StatusRequestEntityTooLarge || code == http.StatusUnprocessableEntity:
		return &Refused{Status: code, Reason: said}
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("the embedding endpoint does not accept the key (HTTP %d%s): check embedding.key_file", code, said)
	case code == http.StatusNotFound:
		return fmt.Errorf("the embedding endpoint has no such address or model (HTTP 404%s): check embedding.url, kind and model", said)
	case code >= 300 && code < 400:
		return fmt.Errorf("the embedding endpoint sends elsewhere (HTTP %d), which is not followed: set embedding.url to where it is", code)
	default:
		return fmt.Errorf("the embedding endpoint failed (HTTP %d%s): look into its own log", code, said)
	}
}

// oneLine is what a stranger wrote, fit for a log.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return Cut(strings.Join(strings.Fields(s), " "), 200)
}
