package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/protocol"
)

// TestStreamOfEvents is on the bubble's clock: a quarter of an hour passes at once.
func TestStreamOfEvents(t *testing.T) {
	a := newHub(t).api
	for name, c := range map[string]struct {
		fill  func(context.Context, *api.EventStream) error
		want  string // the stream, without the signs of life
		beats int
		code  int
	}{
		"events": {func(_ context.Context, e *api.EventStream) error {
			if e.LastID != "41" {
				return fmt.Errorf("last event %q", e.LastID)
			}
			time.Sleep(50 * time.Second)
			return e.Send("match", "42", map[string]string{"x": "a\nb"})
		}, "id: 42\nevent: match\ndata: {\"x\":\"a\\nb\"}\n\n", 3, 200},
		"its time is up": {func(ctx context.Context, e *api.EventStream) error {
			if err := e.Open(); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}, ": open\n\n", 59, 200}, // or one more, at the very end
		"nothing yet": {func(context.Context, *api.EventStream) error {
			return protocol.Errorf(protocol.CodeNotFound, "id", "there is none")
		}, `"there is none"`, 0, 404},
		"a fault on the way": {func(_ context.Context, e *api.EventStream) error {
			if err := e.Send("match", "", 1); err != nil {
				return err
			}
			return fmt.Errorf("secret cause")
		}, "event: problem\ndata: {", 0, 200},
		"no event of several lines": {func(_ context.Context, e *api.EventStream) error {
			return e.Send("match\ndata: x", "", 1)
		}, `"a fault of this node`, 0, 500},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/x", nil)
				r.Header.Set("Last-Event-ID", "41")
				w := httptest.NewRecorder()
				a.Events(w, r, c.fill)
				const beat = ": still here\n\n"
				got := w.Body.String()
				if n := strings.Count(got, beat); n < c.beats || n > c.beats+1 || w.Code != c.code || !strings.Contains(strings.ReplaceAll(got, beat, ""), c.want) || strings.Contains(got, "secret") {
					t.Errorf("%d, %d signs of life, %q", w.Code, n, got)
				}
			})
		})
	}
}

func TestStreamsAreBounded(t *testing.T) {
	var s api.Streams
	var one *api.EventStream
	for range 20 {
		e, err := s.Enter("one")
		if err != nil {
			t.Fatal(err)
		}
		one = e
	}
	if _, err := s.Enter("one"); protocol.CodeOf(err) != protocol.CodeQuota {
		t.Errorf("the 21st stream of one visitor: %v", err)
	}
	if _, err := s.Enter("another"); err != nil {
		t.Error(err)
	}
	s.Leave("one", one)
	if _, err := s.Enter("one"); err != nil {
		t.Error(err)
	}
}

// TestEndStreams: a server that shuts down does not wait for streams.
func TestEndStreams(t *testing.T) {
	a := newHub(t).api
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.Events(w, r, func(ctx context.Context, e *api.EventStream) error {
			if err := e.Open(); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		})
	}))
	server.Config.RegisterOnShutdown(a.EndStreams)
	server.Start()
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Errorf("shut down: %v", err)
	}
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != ": open\n\n" {
		t.Errorf("the stream ended with %q, %v", b, err)
	}
	w := httptest.NewRecorder()
	a.Events(w, httptest.NewRequest(http.MethodGet, "/", nil), func(context.Context, *api.EventStream) error { return nil })
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("a stream after the end: %d %s", w.Code, w.Body)
	}
}

// FuzzFileOf: whatever a body claims to be, its file is found or the fault named, and what is read is no longer than what came.
func FuzzFileOf(f *testing.F) {
	const form = "--b\r\nContent-Disposition: form-data; name=\"mapping\"\r\n\r\n{\"id\":[\"id\"],\"rules\":[]}\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\n\r\nid\n1\n\r\n--b--\r\n"
	for _, s := range [][2]string{
		{"id\n1\n", "text/csv"}, {form, "multipart/form-data; boundary=b"}, {form[:60], "multipart/form-data; boundary=b"}, {form, "multipart/form-data"},
		{"", ""}, {"x", "/"}, {strings.Repeat("--b\r\n\r\n\r\n", 20), "multipart/form-data; boundary=b"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, body, kind string) {
		r, _, _, err := api.FileOf(strings.NewReader(body), kind, "")
		if err != nil {
			if c := protocol.CodeOf(err); c == protocol.CodeInternal || c == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		if b, err := io.ReadAll(r); err == nil && len(b) > len(body) {
			t.Fatalf("%d bytes of %d", len(b), len(body))
		}
	})
}
