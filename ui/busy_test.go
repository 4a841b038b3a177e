package ui

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/ui/lang"
)

// TestBusyNodeSaysSo: in a rush the pages that take much work are refused in the visitor's language, and others are not.
func TestBusyNodeSaysSo(t *testing.T) {
	h := New(Config{
		Name: "Cambodia", Now: func() time.Time { return time.Unix(1_790_000_000, 0) }, Log: slog.New(slog.DiscardHandler),
		Costly: func(_, refused http.Handler) http.Handler { return refused },
	})
	b, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range lang.Tags() {
		for path, want := range map[string]int{"/": 503, "/?q=fish": 503, "/listings/KH/TO-1": 503, "/nowhere": 404} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Accept-Language", string(tag))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s %s: %d", tag, path, w.Code)
			}
			says := string(b.Printer(tag).HTML("trouble.busy.title"))
			if body := w.Body.String(); want == 503 && (!strings.Contains(body, "<h1>"+says+"</h1>") || !strings.Contains(body, `lang="`+string(tag)+`"`) || len(body) > 2000) {
				t.Errorf("%s %s: %s", tag, path, body)
			}
		}
	}
}
