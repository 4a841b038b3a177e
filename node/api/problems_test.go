package api_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/api"
)

func decode(t testing.TB, w *httptest.ResponseRecorder, into any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		t.Fatalf("%v: %d %s", err, w.Code, w.Body)
	}
}

// TestEveryCodeIsExplained opens the page of every code; TestEveryCodeHasAStatus has found all of them in protocol's source.
func TestEveryCodeIsExplained(t *testing.T) {
	h := newAPI(newDesk(t), "").Public()
	list := ask(h, "GET", "/problems", "")
	for code := range api.Statuses() {
		w := ask(h, "GET", "/problems/"+string(code), "")
		policy := w.Header().Get("Content-Security-Policy")
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") {
			t.Errorf("%s: %d %v", code, w.Code, w.Header())
		}
		if !strings.Contains(list.Body.String(), `href="/problems/`+string(code)+`"`) {
			t.Errorf("%s is not in the list", code)
		}
		said := ask(h, "GET", "/problems/"+string(code), "", "Accept", "text/plain")
		lines := strings.Split(strings.TrimSpace(said.Body.String()), "\n")
		if said.Header().Get("Content-Type") != "text/plain; charset=utf-8" || len(lines) != 3 {
			t.Fatalf("%s: %s", code, said.Body)
		}
		for _, l := range lines {
			if len(strings.TrimSpace(l)) < 8 || strings.HasSuffix(l, ": ") {
				t.Errorf("%s is not explained: %q", code, lines)
			}
		}
	}
	if w := ask(h, "GET", "/problems", "", "Accept", "text/html,*/*"); w.Code != 200 || !strings.Contains(w.Body.String(), "<h1>Problems</h1>") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	problem(t, ask(h, "GET", "/problems/nothing", ""), 404)
	problem(t, ask(h, "POST", "/problems", ""), 405)
}
