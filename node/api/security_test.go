package api_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// A rule of the API a test.

// What another site's page makes a browser send is refused as a problem; what a program sends with a token is not.
func TestOtherSitesCannotUseASession(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	srv := httptest.NewServer(door.ProtectWith(h.api.Public(), h.api.Denied()))
	defer srv.Close()
	token := admin.do(201, "POST", "/tokens", map[string]any{"name": "x", "scopes": []string{"read", "admin"}})["secret"].(string)
	n := 0
	post := func(path string, header ...string) *httptest.ResponseRecorder {
		n++
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(fmt.Sprintf(`{"name":"Added %d","type":"university","country":"KH"}`, n)))
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		srv.Config.Handler.ServeHTTP(w, r)
		return w
	}
	cookie := "tmh=" + admin.cookies["tmh"]
	const at = "/api/v1/organisations"
	for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		w := post(at, append(from, "Cookie", cookie)...)
		if p := problem(t, w, 403); fields(p) != "not-permitted Origin" {
			t.Errorf("%v: %s", from, w.Body)
		}
	}
	if w := post("/sign-in", "Sec-Fetch-Site", "cross-site"); w.Code != 403 || strings.Contains(w.Header().Get("Content-Type"), "json") {
		t.Errorf("a page: %d %v", w.Code, w.Header())
	}
	if w := post(at, "Sec-Fetch-Site", "cross-site", "Authorization", "Bearer "+token); w.Code != 201 {
		t.Errorf("with a token: %d %s", w.Code, w.Body)
	}
	if w := post(at, "Sec-Fetch-Site", "cross-site", "Authorization", "Bearer x", "Cookie", cookie); w.Code != 401 {
		t.Errorf("with a wrong token beside the cookie: %d", w.Code)
	}
	if w := post(at, "Sec-Fetch-Site", "same-origin", "Cookie", cookie); w.Code != 201 {
		t.Errorf("from the own pages: %d %s", w.Code, w.Body)
	}
}

func TestRequestsAreNamedByTheNode(t *testing.T) {
	var log bytes.Buffer
	d := newDesk(t)
	h := newAPI(d, "", func(c *api.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) }).Public()
	d.fault = io.ErrUnexpectedEOF
	w := ask(h, "GET", "/api/v1/listings", "", "X-Request-Id", "mine\r\nX-Evil: 1")
	id := w.Header().Get("X-Request-Id")
	problem(t, w, 500)
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) || strings.Count(log.String(), id) != 1 {
		t.Errorf("named %q, logged %s", id, &log)
	}
	if again := ask(h, "GET", "/api/v1/health", "").Header().Get("X-Request-Id"); again == "" || again == id {
		t.Errorf("the next is named %q", again)
	}
}

func TestPanicsAreProblems(t *testing.T) {
	var log bytes.Buffer
	d := newDesk(t)
	d.matching = func() { panic("secret of the node") }
	a := newAPI(d, "", func(c *api.Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
		c.Load = &api.Load{Heavy: api.Gate{AtOnce: 1}}
	})
	for range 3 { // a place that was not given back would be missing
		w := ask(a.Public(), "GET", "/api/v1/match?q=x", "")
		if problem(t, w, 500); strings.Contains(w.Body.String(), "secret") || !strings.Contains(log.String(), w.Header().Get("X-Request-Id")) {
			t.Errorf("%s, logged %s", w.Body, &log)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	large := `{"name":"` + strings.Repeat("x", 70<<10) + `"}`
	deep := strings.Repeat(`{"listing":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/match", large, 413},
		{"POST", "/organisations", large, 413},
		{"POST", "/tokens", large, 413},
		{"POST", "/invitations", large, 413},
		{"PATCH", "/account", large, 413},
		{"POST", "/postings", `{"listing":"` + strings.Repeat("x", 2<<20) + `"}`, 413},
		{"POST", "/match", deep[:60<<10], 422},
		{"POST", "/match", `{"listing":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + `}`, 422},
		{"POST", "/match", "\x00\xff\xfe", 422},
		{"POST", "/organisations", `{"name":`, 400},
		{"POST", "/organisations", strings.Repeat(`{"contact":`, 5000) + "1", 400},
		{"POST", "/organisations", `{"name":{"a":1}}`, 422},
		{"POST", "/organisations", `[]`, 422},
	} {
		v := admin
		if c.path == "/postings" {
			v = admin.person("editor"+c.method+"@example.org", admin.org, access.Editor)
		}
		w := v.ask(c.method, c.path, c.body, "Content-Type", "application/json", "If-Match", `"1"`)
		if p := problem(t, w, c.status); strings.Contains(w.Body.String(), "xxxxxx") || len(p.Detail) > 300 {
			t.Errorf("%s %s echoes what was sent: %.300s", c.method, c.path, w.Body)
		}
	}
}

func TestTypesOfBodiesAndAnswers(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	for _, path := range []string{"/match", "/organisations", "/tokens", "/session"} {
		for _, kind := range []string{"text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/cbor"} {
			if p := admin.refused(415, "application/json", "POST", path, `{}`, "Content-Type", kind); fields(p) != "value Content-Type" {
				t.Errorf("%s as %s: %s", path, kind, fields(p))
			}
		}
	}
	for accept, status := range map[string]int{
		"": 200, "*/*": 200, "application/json": 200, "application/*": 200, "text/html, */*;q=0.1": 200, "APPLICATION/JSON": 200, "application/problem+json": 200,
		"text/html": 406, "image/png, text/csv": 406, "application/json;q=0": 406, ";;;": 406,
	} {
		if w := admin.ask("GET", "/members", nil, "Accept", accept); w.Code != status {
			t.Errorf("Accept %q: %d, want %d", accept, w.Code, status)
		}
	}
}

func TestAddressesAreBounded(t *testing.T) {
	h := newAPI(newDesk(t), "").Public()
	problem(t, ask(h, "GET", "/api/v1/match?q="+strings.Repeat("%E1%9E%80", 4000), ""), 414)
	if w := ask(h, "GET", "/api/v1/match?q="+strings.Repeat("%E1%9E%80", 2000), ""); w.Code != 200 {
		t.Errorf("2000 characters of Khmer: %d", w.Code)
	}
	for _, path := range []string{
		"/api/v1/listings/KH/%2e%2e%2f%2e%2e", "/api/v1/listings/KH/..%2Fsecret", "/api/v1/listings/KH/a%00b", "/api/v1/listings/KH/a%0d%0ab",
		"/api/v1/listings/KH/" + strings.Repeat("x", 5000), "/api/v1/listings/" + strings.Repeat("K", 200) + "/TO-1", "/api/v1/listings/%4b%48/%2e", "/api/v1//listings/KH/TO-1",
		"/api/v1/listings/KH/TO-1/", "/api/v1/../v1/listings", "/api/v1/members/%00", "/api/v1/members/" + strings.Repeat("x", 5000), "/problems/..%2f..", "/problems/%3Cscript%3E",
	} {
		w := ask(h, "GET", path, "")
		problem(t, w, 404)
		if strings.ContainsAny(strings.Join(w.Header().Values("Location"), ""), "\r\n") || len(w.Body.String()) > 1000 || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%.60s: %v %.300s", path, w.Header(), w.Body)
		}
	}
	if p := problem(t, ask(h, "GET", "/api/v1/listings?kind=TO&kind=TR&limit=1&limit=2", ""), 422); fields(p) != "repeated kind, repeated limit" {
		t.Errorf("got %s", fields(p))
	}
}

// What somebody says in an id or a filter does not get into a header as a line of its own.
func TestHeadersCannotBeInjected(t *testing.T) {
	d := newDesk(t)
	srv := httptest.NewServer(newAPI(d, "secret").Public())
	defer srv.Close()
	for _, target := range []string{
		"/api/v1/listings?language=th%0d%0aX-Evil:1", "/api/v1/listings?cursor=%0d%0aX-Evil:1", "/api/v1/listings/KH/TO-1%0d%0aX-Evil:1", "/api/v1/listings?kind=TO%0aX-Evil:1",
		"/api/v1/postings/x%0d%0aX-Evil:1", "/problems/x%0d%0aX-Evil:1",
	} {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")
		b, _ := io.ReadAll(conn)
		_ = conn.Close()
		head, _, _ := strings.Cut(string(b), "\r\n\r\n")
		if strings.Contains(head, "X-Evil") || !strings.HasPrefix(head, "HTTP/1.1 4") {
			t.Errorf("%s: %s", target, head)
		}
	}
	for _, id := range []string{"TO-1\r\nX-Evil: 1", "TO-1\nX", "a/../b", "", strings.Repeat("x", 300)} {
		b := `{"id":` + quote(id) + `,"kind":"TO","country":"KH","texts":{"en":{"title":"x"}}}`
		w := ask(newAPI(d, "secret").Public(), "POST", "/api/v1/listings", b, auth, bearer)
		if problem(t, w, 422); w.Header().Get("Location") != "" {
			t.Errorf("%q: Location %q", id, w.Header().Get("Location"))
		}
	}
}

func quote(s string) string {
	return `"` + strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(s) + `"`
}

// Links are of the node's own address, whatever Host and the forwarding headers say.
func TestLinksAreNotMadeFromTheHost(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	invite := map[string]any{"email": "new@example.org", "organisation": admin.org, "roles": []string{"reader"}}
	for _, header := range []string{"X-Forwarded-Host", "Forwarded", "X-Original-Host", "X-Forwarded-Proto"} {
		m := admin.do(201, "POST", "/invitations", invite, header, "evil.example")
		if link := m["link"].(string); !strings.HasPrefix(link, "http://localhost:8080/") {
			t.Errorf("%s: %s", header, link)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "http://evil.example/api/v1/listings?kind=XX", nil)
	w := httptest.NewRecorder()
	h.api.Public().ServeHTTP(w, r)
	if p := problem(t, w, 422); p.Type != "http://localhost:8080/problems/value" {
		t.Errorf("type %s", p.Type)
	}
	r = httptest.NewRequest(http.MethodGet, "http://evil.example/api/v1/listings", nil)
	w = httptest.NewRecorder()
	h.api.Public().ServeHTTP(w, r)
	if strings.Contains(w.Body.String()+w.Header().Get("Link"), "evil") {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
}

func TestMethods(t *testing.T) {
	d := newDesk(t)
	h := newAPI(d, "").Public()
	for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		if w := ask(h, "POST", "/api/v1/match", `{"text":"x"}`, header, "DELETE"); w.Code != 200 {
			t.Errorf("%s: %d", header, w.Code)
		}
		if w := ask(h, "GET", "/api/v1/listings/KH/TO-1?_method=DELETE", "", header, "DELETE"); w.Code == 200 && d.withdrawn.Reason != "" {
			t.Errorf("%s withdraws", header)
		}
	}
	for _, method := range []string{"OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "PATCH"} {
		w := ask(h, method, "/api/v1/listings/KH/TO-1", "")
		if problem(t, w, 405); w.Header().Get("Access-Control-Allow-Origin") != "" || len(w.Header().Values("Allow")) == 0 {
			t.Errorf("%s: %v", method, w.Header())
		}
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	resp, err := http.Head(srv.URL + "/api/v1/listings/KH/TO-1")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || len(b) > 0 || resp.Header.Get("ETag") == "" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("HEAD: %d %v %s", resp.StatusCode, resp.Header, b)
	}
}

func TestOwnListingByItsID(t *testing.T) {
	h := newHub(t)
	v := h.visitor()
	if w := v.ask("GET", "/listings/TO-1", nil); w.Code != 200 || unnamed(w) != unnamed(v.ask("GET", "/listings/KH/TO-1", nil)) || w.Header().Get("ETag") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	problem(t, v.ask("GET", "/listings/TO-2", nil), 410)
	problem(t, v.ask("GET", "/listings/none", nil), 404)
	problem(t, v.ask("GET", "/listings/a%20b", nil), 404)
}

// Every cursor is taken only where it was given.
func TestCursorsAreAuthentic(t *testing.T) {
	o := newOffice(t)
	var program []string
	for range 3 {
		id := o.editor.do(201, "POST", "/postings", offer("Dryer"))
		program = append(program, id["posting"].(map[string]any)["id"].(string))
	}
	if len(program) != 3 {
		t.Fatal(program)
	}
	next := func(v *visitor, path, member string) string {
		t.Helper()
		m := map[string]any{}
		w := v.ask("GET", path, nil)
		decode(t, w, &m)
		s, _ := m[member].(string)
		if w.Code != 200 || s == "" {
			t.Fatalf("%s: no %s in %d %s", path, member, w.Code, w.Body)
		}
		return s
	}
	lists := map[string]string{ // by address: the cursor's parameter
		"/postings?limit=1": "cursor", "/people?limit=1": "cursor", "/organisations?limit=1": "cursor", "/audit?limit=1": "cursor", "/listings?limit=1": "cursor",
		"/match?q=fish": "after", "/tokens?all=true&limit=1": "cursor", "/invitations?limit=1": "cursor",
	}
	for _, email := range []string{"a@example.org", "b@example.org"} {
		o.admin.do(201, "POST", "/invitations", map[string]any{"email": email, "organisation": o.admin.org, "roles": []string{"reader"}})
		o.admin.do(201, "POST", "/tokens", map[string]any{"name": email, "scopes": []string{"read"}})
	}
	given := map[string]string{}
	askers := map[string]*visitor{}
	for path := range lists {
		v := o.admin
		if strings.HasPrefix(path, "/postings") {
			v = o.editor
		}
		askers[path], given[path] = v, next(v, path, "next")
	}
	for path, field := range lists {
		v, c := askers[path], given[path]
		at := func(cursor string) string { return path + "&" + field + "=" + cursor }
		if w := v.ask("GET", at(c), nil); w.Code != 200 {
			t.Errorf("%s: %d %s", at(c), w.Code, w.Body)
		}
		bad := map[string]string{
			"cut off": c[:len(c)-2], "longer": c + "AA", "first altered": "A" + strings.ToLower(c[1:2]) + "_" + c[3:], "no base64": "%21%21%21", "code alone": c[:22], "padded": c + "%3D",
			"a place without a code": "S0gvVE8tMQ",
		}
		for other, oc := range given {
			if other != path {
				bad["of "+other] = oc
			}
		}
		for name, cursor := range bad {
			if w := v.ask("GET", at(cursor), nil); w.Code != 422 || fields(problem(t, w, 422)) != "value "+field {
				t.Errorf("%s, %s: %d %s", path, name, w.Code, w.Body)
			}
		}
	}
	// Another organisation's, other filters, another node's.
	o.other.do(201, "POST", "/postings", offer("Mill"))
	o.other.refused(422, "this list gave", "GET", "/postings?limit=1&cursor="+given["/postings?limit=1"], nil)
	o.editor.refused(422, "this list gave", "GET", "/postings?limit=1&state=draft&cursor="+given["/postings?limit=1"], nil)
	o.admin.refused(422, "this list gave", "GET", "/people?limit=1&role=admin&cursor="+given["/people?limit=1"], nil)
	d := newDesk(t)
	key := func(secret string) func(*api.Config) { return func(c *api.Config) { c.Secret = []byte(secret) } }
	c := cursorOf(t, newAPI(d, "", key("one")).Public())
	if w := ask(newAPI(d, "", key("one")).Public(), "GET", "/api/v1/listings?cursor="+c, ""); w.Code != 200 {
		t.Errorf("after a restart: %d", w.Code)
	}
	if w := ask(newAPI(d, "", key("two")).Public(), "GET", "/api/v1/listings?cursor="+c, ""); w.Code != 422 {
		t.Errorf("of another node: %d", w.Code)
	}
}

func cursorOf(t testing.TB, h http.Handler) string {
	t.Helper()
	var page api.ListPage
	decode(t, ask(h, "GET", "/api/v1/listings", ""), &page)
	if page.Next == "" {
		t.Fatal("no next")
	}
	return page.Next
}

// A listing whose id is as long as it may be fits a cursor.
func TestCursorsHoldTheLongestPlace(t *testing.T) {
	d := newDesk(t)
	d.page = exchange.Page{Entries: d.page.Entries, Next: match.Ref{Origin: protocol.MemberID("K" + strings.Repeat("H", 15)), ID: protocol.ListingID(strings.Repeat("x", 64))}}
	h := newAPI(d, "").Public()
	if w := ask(h, "GET", "/api/v1/listings?cursor="+cursorOf(t, h), ""); w.Code != 200 || d.after != d.page.Next {
		t.Errorf("%d %v", w.Code, d.after)
	}
}
