package api_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

func TestOnlyTheOperatorWrites(t *testing.T) {
	d := newDesk(t)
	d.imports = func(io.Reader, func(exchange.ImportEvent) error) error { return nil }
	open, guarded := newAPI(d, ""), newAPI(d, "secret")
	for _, c := range []struct{ method, target, body string }{
		{"POST", "/api/v1/listings", listingJSON},
		{"PUT", "/api/v1/listings/TO-1", listingJSON},
		{"DELETE", "/api/v1/listings/TO-1?reason=other", ""},
		{"POST", "/api/v1/imports?format=jsonl", ""},
		{"GET", "/api/v1/metrics", ""},
	} {
		name := c.method + " " + c.target
		if p := problem(t, ask(open.Public(), c.method, c.target, c.body, auth, "Bearer "), 401); p.Code != protocol.CodeNotPermitted {
			t.Errorf("%s without any token: %s", name, p.Code)
		}
		for _, header := range []string{"", "Bearer wrong", "Bearer", "Basic secret", "Bearer secret2"} {
			w := ask(guarded.Public(), c.method, c.target, c.body, auth, header)
			problem(t, w, 401)
			if w.Header().Get("WWW-Authenticate") == "" || d.published != nil {
				t.Errorf("%s with %q: no challenge, or it was done", name, header)
			}
		}
		if w := ask(open.Operator(), c.method, c.target, c.body); w.Code >= 300 {
			t.Errorf("%s on the socket: %d %s", name, w.Code, w.Body)
		}
		if w := ask(guarded.Public(), c.method, c.target, c.body, auth, bearer); w.Code >= 300 {
			t.Errorf("%s with the token: %d %s", name, w.Code, w.Body)
		}
		d.published = nil
	}
}

func TestPublish(t *testing.T) {
	d := newDesk(t)
	h := newAPI(d, "secret").Public()
	w := ask(h, "POST", "/api/v1/listings", listingJSON, auth, bearer)
	if w.Code != 201 || w.Header().Get("Location") != "/api/v1/listings/KH/TO-1" || d.published.SDG[1] != 7 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := ask(h, "PUT", "/api/v1/listings/TO-9", strings.Replace(listingJSON, `"id":"TO-1",`, "", 1), auth, bearer); w.Code != 201 || d.published.ID != "TO-9" {
		t.Errorf("id of the address: got %d %s", w.Code, w.Body)
	}
	if p := problem(t, ask(h, "PUT", "/api/v1/listings/TO-9", listingJSON, auth, bearer), 422); fields(p) != "value id" {
		t.Errorf("two ids: %s", fields(p))
	}
	p := problem(t, ask(h, "POST", "/api/v1/listings", `{"id":"x","kind":"TO","country":"KH","texts":{"en":{"title":""}},"a":1,"b":2,"trl":"x"}`, auth, bearer), 422)
	if got := fields(p); got != "required texts.en.title, wire-type trl, unknown a, unknown b" {
		t.Errorf("got %s", got)
	}
	problem(t, ask(h, "POST", "/api/v1/listings", "{", auth, bearer), 400)
	problem(t, ask(h, "POST", "/api/v1/listings", `{"id":"`+strings.Repeat("x", 65<<10), auth, bearer), 413)
	problem(t, ask(h, "POST", "/api/v1/listings", listingJSON, auth, bearer, "Content-Type", "text/xml"), 415)
}

func TestWithdraw(t *testing.T) {
	d := newDesk(t)
	h := newAPI(d, "secret").Public()
	for _, c := range []struct{ target, body string }{
		{"/api/v1/listings/TO-1?reason=duplicate&replaced_by=TO-3", ""},
		{"/api/v1/listings/TO-1", `{"reason":"duplicate","replaced_by":"TO-3"}`},
	} {
		d.withdrawn = protocol.Tombstone{}
		w := ask(h, "DELETE", c.target, c.body, auth, bearer)
		if w.Code != 200 || d.withdrawn.Reason != "duplicate" || d.withdrawn.ReplacedBy != "TO-3" || d.withdrawn.At == 0 {
			t.Errorf("%v: %d %+v %s", c, w.Code, d.withdrawn, w.Body)
		}
	}
	if p := problem(t, ask(h, "DELETE", "/api/v1/listings/TO-1?reason=boring", "", auth, bearer), 422); fields(p) != "value reason" {
		t.Errorf("got %s", fields(p))
	}
}

func TestMatchRequests(t *testing.T) {
	d := newDesk(t)
	h := newAPI(d, "").Public()
	if w := ask(h, "POST", "/api/v1/match", `{"text":"drying fish","filter":{"kinds":["TO"],"ford":["2"]},"limit":5,"offset":10}`); w.Code != 200 ||
		d.query.Text != "drying fish" || d.query.Limit != 5 || d.query.Offset != 10 || d.query.Filter.Kinds[0] != "TO" {
		t.Errorf("text: %d %+v %s", w.Code, d.query, w.Body)
	}
	if w := ask(h, "POST", "/api/v1/match", `{"ref":{"origin":"KH","id":"TO-1"}}`); w.Code != 200 || d.query.Self != (match.Ref{Origin: "KH", ID: "TO-1"}) || d.query.Limit != 10 {
		t.Errorf("ref: %d %+v %s", w.Code, d.query, w.Body)
	}
	if w := ask(h, "POST", "/api/v1/match", `{"listing":{"kind":"TO","country":"KH","texts":{"km":{"title":"ឡ"}}}}`); w.Code != 200 || d.query.Listing.Texts["km"].Title != "ឡ" {
		t.Errorf("draft: %d %+v %s", w.Code, d.query, w.Body)
	}
	// Somebody is still writing.
	for body, want := range map[string]protocol.Listing{
		`{"texts":{"en":{"title":"Solar dryer"}}}`: {Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Solar dryer"}}},
		`{"id":"","kind":"TR","country":"","texts":{"en":{"title":"","abstract":"We look for","keywords":["fish",""]}}}`: {
			Kind: "TR", Texts: map[protocol.Lang]protocol.Text{"en": {Abstract: "We look for", Keywords: []string{"fish", ""}}},
		},
	} {
		if w := ask(h, "POST", "/api/v1/match", `{"listing":`+body+`}`); w.Code != 200 || !reflect.DeepEqual(d.query.Listing, &want) {
			t.Errorf("%s: %d %+v %s", body, w.Code, d.query.Listing, w.Body)
		}
	}
	for body, want := range map[string]string{
		`{}`:                                 "required text",
		`[]`:                                 "text body",
		`null`:                               "text body",
		`{"text":"   "}`:                     "required text",
		`{"text":"a","ref":{"origin":"KH"}}`: "value ref.id",
		`{"text":"a","limit":101}`:           "value limit",
		`{"text":"a","offset":-1}`:           "value offset",
		`{"text":"a","offset":9223372036854775807}`:                                                           "value offset",
		`{"txet":"a","limit":"5","filter":{"kind":["TO"],"kinds":["XX"],"trl_min":99,"countries":["kh"]}}`:    "wire-type limit, unknown txet, unknown filter.kind, value filter.kinds, value filter.countries, value filter.trl_min",
		`{"listing":{"kind":"TO","country":"KH","texts":{"en":{"title":"x"}},"ford":["9"]}}`:                  "value listing.ford[0]",
		`{"listing":{"ford":["9"],"titel":"x"}}`:                                                              "required listing.texts, value listing.ford[0], unknown listing.titel",
		`{"listing":{"kind":"XX","texts":{"en":{"title":5}}}}`:                                                "value listing.kind, value listing.country, wire-type listing.texts.en.title",
		`{"text":"a","lang":"THAI","sort":"best","after":"x","offset":1,"facets":"yes"}`:                      "wire-type facets, value lang, value sort, value after",
		`{"text":"a","filter":{"isic":["Z9"],"ipc":["C1"],"sdg":[0,18],"languages":["th","t"]}}`:              "value filter.isic, value filter.ipc, value filter.languages, value filter.sdg, value filter.sdg",
		`{"text":"a","filter":{"sdg":["7"]}}`:                                                                 "wire-type filter.sdg",
		`{"text":"a","filter":{"ipc":["A","A","A","A","A","A","A","A","A","A","A","A","A","A","A","A","A"]}}`: "too-large filter.ipc",
	} {
		if p := problem(t, ask(h, "POST", "/api/v1/match", body), 422); fields(p) != want {
			t.Errorf("%s:\n got %s\nwant %s", body, fields(p), want)
		}
	}
}

func TestCausesAreNotShown(t *testing.T) {
	d := newDesk(t)
	h := newAPI(d, "").Operator()
	for _, err := range []error{errors.New("/var/lib/secret is full"), protocol.Errorf(protocol.CodeInternal, "", "secret"), protocol.Errors{{Code: "new", Message: "secret"}}} {
		d.fault = err
		w := ask(h, "POST", "/api/v1/listings", listingJSON)
		if problem(t, w, 500); strings.Contains(w.Body.String(), "secret") {
			t.Errorf("shows %s", w.Body)
		}
	}
	d.fault = &protocol.Error{Code: protocol.CodeUnavailable, Message: "the origin cannot be reached", Err: errors.New("dial secret")}
	if w := ask(h, "GET", "/api/v1/listings", ""); !strings.Contains(w.Body.String(), "cannot be reached") || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("got %s", w.Body)
	}
}

func TestHealthSaysNotReady(t *testing.T) {
	d := newDesk(t)
	d.health.Ready = false
	if w := ask(newAPI(d, "").Public(), "GET", "/api/v1/health", ""); w.Code != 503 || !strings.Contains(w.Body.String(), `"ready":false`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// TestEveryCodeHasAStatus reads the codes from protocol's source: a new one may not be forgotten here.
func TestEveryCodeHasAStatus(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../../protocol/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(x ast.Node) bool {
		v, ok := x.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 || !strings.HasPrefix(v.Names[0].Name, "Code") {
			return true
		}
		code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if s, ok := api.Statuses()[protocol.Code(code)]; !ok || s < 400 {
			t.Errorf("%s (%s) has no status", v.Names[0].Name, code)
		}
		return true
	})
	if n != len(api.Statuses()) || n < 30 {
		t.Errorf("%d codes, %d statuses", n, len(api.Statuses()))
	}
}

// TestImportReportsWhileItReads holds a real connection: the second row is sent only after the report on the first came.
func TestImportReportsWhileItReads(t *testing.T) {
	d := newDesk(t)
	d.imports = func(r io.Reader, each func(exchange.ImportEvent) error) error {
		rows := bufio.NewScanner(r)
		for n := 1; rows.Scan(); n++ {
			if err := each(exchange.ImportEvent{Progress: &exchange.ImportCount{Rows: n}}); err != nil {
				return err
			}
			if rows.Text() == "bad" {
				return protocol.Errorf(protocol.CodeQuota, "", "the charter allows no more")
			}
		}
		return each(exchange.ImportEvent{Done: &exchange.ImportCount{}})
	}
	srv := httptest.NewServer(newAPI(d, "secret").Public())
	defer srv.Close()
	for last, want := range map[string]string{"row": `"done"`, "bad": `"fault":{"code":"quota"`} {
		body, send := io.Pipe()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/api/v1/imports?format=jsonl", body)
		req.Header.Set(auth, bearer)
		go func() { _, _ = io.WriteString(send, "row\n") }()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(resp.Body)
		if !lines.Scan() || resp.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Fatalf("no first line, %v", resp.Header)
		}
		_, _ = io.WriteString(send, last+"\n")
		_ = send.Close()
		var events []string
		for lines.Scan() {
			if !json.Valid(lines.Bytes()) {
				t.Errorf("no JSON: %s", lines.Text())
			}
			events = append(events, lines.Text())
		}
		_ = resp.Body.Close()
		if len(events) != 2 || !strings.Contains(events[1], want) {
			t.Errorf("%s: %q, want %s at the end", last, events, want)
		}
	}
	problem(t, ask(newAPI(d, "").Operator(), "POST", "/api/v1/imports?format=xls", ""), 422)
	d.imports = func(io.Reader, func(exchange.ImportEvent) error) error {
		return protocol.Errorf(protocol.CodeReadOnly, "", "this node takes no writes now")
	}
	problem(t, ask(newAPI(d, "").Operator(), "POST", "/api/v1/imports?format=csv", ""), 503)
}

func TestDescription(t *testing.T) {
	w := ask(newAPI(newDesk(t), "").Public(), "GET", "/api/v1/openapi.json", "")
	var doc struct {
		Paths      map[string]map[string]any
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range map[string]string{
		"/api/v1/listings": "get post", "/api/v1/listings/{origin}/{id}": "get", "/api/v1/listings/{id}": "put delete",
		"/api/v1/match": "get post", "/api/v1/suggest": "get", "/api/v1/members": "get", "/api/v1/statistics": "get", "/api/v1/health": "get", "/api/v1/metrics": "get",
		"/api/v1/imports": "post", "/.well-known/tmh/charter": "get",
	} {
		for _, m := range strings.Fields(methods) {
			if doc.Paths[path][m] == nil {
				t.Errorf("no %s %s", m, path)
			}
		}
	}
	if doc.Components.Schemas["Problem"].Properties["code"] == nil || doc.Components.Schemas["ErrorModel"].Properties != nil {
		t.Error("errors are not described as they are")
	}
	if l := doc.Components.Schemas["Listing"].Properties; l["title"] != nil || l["texts"] == nil || l["sdg"] == nil {
		t.Errorf("listing described as %v", l)
	}
	if s := w.Body.String(); strings.Contains(s, `["array","null"]`) {
		t.Error("a list may be null")
	}
}
