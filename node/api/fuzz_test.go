package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/match"
)

// unlimited is the API of a desk for fuzzing.
func unlimited(d *desk) http.Handler {
	return newAPI(d, "", func(c *api.Config) { c.Limits, c.Secret = &api.Limits{}, []byte("secret") }).Public()
}

// orderly is an answer that a client can work with: a success, or a problem that is not the node's fault.
func orderly(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	switch {
	case w.Code == 200:
	case w.Code >= 500 || w.Code < 400:
		t.Fatalf("%d %s", w.Code, w.Body)
	default:
		problem(t, w, w.Code)
	}
}

// FuzzCursor: no cursor but the one that was given is taken, and it leads to the place that it was given for.
func FuzzCursor(f *testing.F) {
	d := newDesk(f)
	h := unlimited(d)
	given := cursorOf(f, h)
	for _, s := range []string{given, given[:20], given + "A", "S0gvVE8tMQ", "", "%", "=", strings.Repeat("A", 300), "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d.after = match.Ref{}
		w := ask(h, "GET", "/api/v1/listings?cursor="+url.QueryEscape(s), "")
		orderly(t, w)
		switch {
		case s == given:
			if w.Code != 200 || d.after != d.page.Next {
				t.Errorf("%d, after %v", w.Code, d.after)
			}
		case s != "" && w.Code == 200:
			t.Errorf("took %q", s)
		}
	})
}

// FuzzMatchRequest: whatever the body, the desk is asked within its bounds or a problem names the faults.
func FuzzMatchRequest(f *testing.F) {
	d := newDesk(f)
	h := unlimited(d)
	for _, s := range []string{
		`{"text":"drying fish","filter":{"kinds":["TO"],"ford":["2"],"sdg":[7]},"limit":5,"offset":10,"sort":"newest","lang":"th","facets":true}`,
		`{"ref":{"origin":"KH","id":"TO-1"}}`, `{"listing":{"kind":"TO","country":"KH","texts":{"km":{"title":"ឡ"}},"trl":5}}`, `{"listing":{"texts":{"en":{"title":""}}}}`,
		`{"text":"a","after":"x"}`, `{"text":"a","limit":1e9}`, `{"text":null}`, `[]`, `{"listing":{"id":{}}}`, `{"filter":{"trl_min":-1}}`, "{\"text\":\"\xff\"}", `{"text":"a","text":"b"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d.query = match.Query{}
		w := ask(h, "POST", "/api/v1/match", string(body))
		orderly(t, w)
		q := d.query
		if w.Code != 200 {
			return
		}
		said := 0
		for _, is := range []bool{q.Text != "", q.Listing != nil, q.Self != (match.Ref{})} {
			if is {
				said++
			}
		}
		if said != 1 || q.Limit < 1 || q.Limit > match.MaxLimit || q.Offset < 0 || q.Offset+q.Limit > match.Depth || len([]rune(q.Text)) > match.MaxText || len(q.Filter.Kinds) > 16 {
			t.Errorf("asked %+v", q)
		}
	})
}

// FuzzFilters: filters that are taken lead to the same filters on the next page.
func FuzzFilters(f *testing.F) {
	d := newDesk(f)
	h := unlimited(d)
	for _, s := range []string{
		"kind=TO,TR&country=KH&origin=LA&trl_min=2&trl_max=5&ford=2.4&isic=C,C10&ipc=C12N&sdg=7,17&language=th,zh-Hant&expired=true", "limit=100", "limit=0", "kind=", "kind=,", "sdg=1,,2",
		"trl_min=9&trl_max=1", "kind=TO&kind=TR", "q=%00", "%zz=1", "a;b", "country=kh&x=y", "expired=1", "cursor=AAAA", "language=" + strings.Repeat("a,", 20),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/api/v1/listings", RawQuery: query}, Header: http.Header{}, Body: http.NoBody, RemoteAddr: "192.0.2.1:1"}
		d.filter = match.Filter{}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(t.Context()))
		orderly(t, w)
		if w.Code != 200 {
			return
		}
		first := d.filter
		next, _, _ := strings.Cut(strings.TrimPrefix(w.Header().Get("Link"), "<"), ">")
		if strings.ContainsAny(next, "\r\n <\"") || next == "" {
			t.Fatalf("Link: %q", w.Header().Get("Link"))
		}
		if w := ask(h, "GET", next, ""); w.Code != 200 {
			t.Fatalf("%s, after %q: %d %s", next, query, w.Code, w.Body)
		}
		if fmt.Sprintf("%+v", first) != fmt.Sprintf("%+v", d.filter) { // an empty list is as good as none
			t.Errorf("%+v became %+v", first, d.filter)
		}
	})
}
