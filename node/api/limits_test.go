package api_test

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/ingest"
)

func TestLimitsAreToldAndKept(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	reader := admin.person("reader@example.org", admin.org, access.Reader)
	h.api = api.New(api.Config{
		Desk: newDesk(t), Decode: ingest.DecodeListingJSON, Door: &door.Keeper{House: h.house, Member: "KH", Token: "operators-secret"}, House: h.house, Member: "KH", Now: h.now,
		Limits: &api.Limits{Reads: 3, KnownReads: 5, Suggestions: 2, Writes: 2, Doors: 2},
	})
	form := regexp.MustCompile(`^"(\w+)";r=(\d+);t=\d+$`)
	until := func(name string, most, window int, ask func() *httptest.ResponseRecorder) {
		t.Helper()
		for i := range most + 2 {
			w := ask()
			policy, left := w.Header().Get("RateLimit-Policy"), form.FindStringSubmatch(w.Header().Get("RateLimit"))
			if policy != fmt.Sprintf("%q;q=%d;w=%d", name, most, window) || left == nil || left[1] != name || left[2] != fmt.Sprint(max(most-i-1, 0)) {
				t.Errorf("%s %d: %q, %q", name, i, policy, w.Header().Get("RateLimit"))
			}
			if w.Header().Get("Tmh-Remaining")+w.Header().Get("Tmh-Reset") != "" {
				t.Errorf("%s: %v", name, w.Header())
			}
			if over := i >= most; over != (w.Code == 429) || over != (w.Header().Get("Retry-After") != "") {
				t.Errorf("%s %d: %d %v", name, i, w.Code, w.Header())
			} else if over {
				problem(t, w, 429)
			}
		}
	}
	stranger := h.visitor()
	until("reads", 3, 60, func() *httptest.ResponseRecorder { return stranger.ask("GET", "/members", nil) })
	other := h.visitor()
	other.address = "198.51.100.7:1"
	if w := other.ask("GET", "/members", nil); w.Code != 200 {
		t.Errorf("another network: %d", w.Code)
	}
	neighbour := h.visitor()
	neighbour.address = "[2001:db8::1]:1"
	until("reads", 3, 60, func() *httptest.ResponseRecorder { return neighbour.ask("POST", "/match", `{"text":"x"}`) })
	neighbour.address = "[2001:db8::2]:1" // of the same network
	if w := neighbour.ask("GET", "/members", nil); w.Code != 429 {
		t.Errorf("the same network: %d", w.Code)
	}
	until("suggestions", 2, 60, func() *httptest.ResponseRecorder { return stranger.ask("GET", "/suggest?q=d", nil) })
	until("reads", 5, 60, func() *httptest.ResponseRecorder { return reader.ask("GET", "/account", nil) })
	until("writes", 2, 60, func() *httptest.ResponseRecorder {
		return reader.ask("PATCH", "/account", map[string]any{"name": "X"}, "If-Match", `"999"`)
	})
	if w := stranger.ask("GET", "/health", nil); w.Code != 200 || w.Header().Get("RateLimit") != "" {
		t.Errorf("health: %d %v", w.Code, w.Header())
	}
	for range 10 {
		if w := h.program("operators-secret").ask("GET", "/members", nil); w.Code != 200 {
			t.Fatalf("the operator: %d", w.Code)
		}
		if w := h.operator().ask("GET", "/members", nil); w.Code != 200 {
			t.Fatalf("the operator at the socket: %d", w.Code)
		}
	}
	h.api = api.New(api.Config{Desk: newDesk(t), House: h.house, Door: &door.Keeper{House: h.house, Member: "KH"}, Member: "KH", Limits: &api.Limits{}})
	for range 20 {
		if w := stranger.ask("GET", "/members", nil); w.Code != 200 || w.Header().Get("RateLimit") != "" {
			t.Fatalf("without limits: %d", w.Code)
		}
	}
}
