package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/api"
)

// TestEveryRouteIsInTheTable compares what is served with the table, both ways.
func TestEveryRouteIsInTheTable(t *testing.T) {
	h := newHub(t)
	public, socket := map[string]bool{}, map[string]bool{}
	for _, r := range api.Routes() {
		at := r.Method + " " + r.Path
		if socket[at] {
			t.Errorf("%s stands in the table twice", at)
		}
		if r.Who == "" {
			t.Errorf("%s does not say who uses it", at)
		}
		socket[at] = true
		if !r.Socket {
			public[at] = true
		}
	}
	for name, c := range map[string]struct {
		handler http.Handler
		want    map[string]bool
	}{"public": {h.api.Public(), public}, "operator": {h.api.Operator(), socket}} {
		served := map[string]bool{}
		err := chi.Walk(c.handler.(chi.Routes), func(method, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			served[method+" "+path] = true
			if !c.want[method+" "+path] {
				t.Errorf("%s: %s %s is served, and is not in the table", name, method, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for at := range c.want {
			if !served[at] && !strings.Contains(at, "/operator/") { // an API without Config.Operator has none of those
				t.Errorf("%s: %s is in the table, and is not served", name, at)
			}
		}
	}
}

// TestRoutesAskTheirAction walks the addresses about people as a stranger and as people of each role: who may not by the rules
// is refused, and who may is not.
func TestRoutesAskTheirAction(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	askers := map[string]*visitor{"stranger": h.visitor()}
	actors := map[string]access.Actor{"stranger": {}}
	for _, role := range access.Roles() {
		v := admin.person(string(role)+"@roles.example.org", admin.organisation("Of the "+string(role)), role)
		askers[string(role)] = v
		actors[string(role)] = access.Actor{User: v.id, Organisation: v.org, Member: "KH", Roles: []access.Role{role}}
	}
	target := admin.person("target@example.org", admin.org, access.Reader)
	const tags = `"999"` // nothing is changed by an edit of that version
	walked := 0
	for _, r := range api.Routes() {
		path := strings.TrimPrefix(r.Path, "/api/v1")
		if r.Action == "" || r.Socket || !slices.ContainsFunc([]string{"/account", "/people", "/invitations", "/organisations", "/tokens", "/audit", "/setup"}, func(s string) bool { return strings.HasPrefix(path, s) }) {
			continue
		}
		if strings.Contains(r.Path, "/account") && r.Method == http.MethodDelete || r.Path == "/api/v1/account/password" {
			continue // would end the session that walks on
		}
		for name, v := range askers {
			res := access.Resource{Member: "KH"}
			at := path
			switch {
			case strings.HasPrefix(path, "/account"), path == "/tokens":
				res.User = v.id
			case strings.HasPrefix(path, "/people/"):
				res.User, at = target.id, strings.Replace(path, "{id}", string(target.id), 1)
				if r.Method == http.MethodDelete {
					at = strings.Replace(path, "{id}", "unone", 1)
				}
			case strings.HasPrefix(path, "/organisations/"):
				res.Organisation, at = admin.org, strings.Replace(path, "{id}", string(admin.org), 1)
			default:
				at = strings.Replace(path, "{id}", "none", 1)
			}
			may := access.Can(actors[name], r.Action, res) == nil
			w := v.ask(r.Method, at, body(r.Method, path), "If-Match", tags)
			refused := (w.Code == http.StatusForbidden || w.Code == http.StatusUnauthorized) && strings.Contains(w.Body.String(), `"you may not `)
			if may == refused {
				t.Errorf("%s %s as %s: may %v, answered %d %s", r.Method, at, name, may, w.Code, w.Body)
			}
			if refused && (name == "stranger") != (w.Code == http.StatusUnauthorized) {
				t.Errorf("%s %s as %s: refused with %d", r.Method, at, name, w.Code)
			}
			if w.Code >= 500 && w.Code != 503 || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s as %s: %d, to keep %q: %s", r.Method, at, name, w.Code, w.Header().Get("Cache-Control"), w.Body)
			}
			walked++
		}
	}
	if walked < 200 {
		t.Errorf("only %d walked", walked)
	}
}

// body that is complete, so that who asks is what an answer hangs on.
func body(method, path string) any {
	switch {
	case method == http.MethodGet || method == http.MethodDelete:
		return nil
	case path == "/invitations":
		return map[string]any{"email": "x", "organisation": "none", "roles": []string{"reader"}}
	case path == "/tokens":
		return map[string]any{"name": "x", "scopes": []string{"none"}}
	case strings.HasSuffix(path, "/finish"):
		return map[string]any{"response": map[string]any{}}
	case path == "/account/email":
		return map[string]any{"email": "x@example.org"}
	case strings.Contains(path, "/passkeys/"):
		return map[string]any{"name": "x"}
	case method == http.MethodPatch || path == "/organisations":
		return map[string]any{}
	}
	return nil
}

func TestDescriptionOfPeople(t *testing.T) {
	w := newHub(t).visitor().ask("GET", "/openapi.json", nil)
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range api.Routes() {
		if m := strings.ToLower(r.Method); doc.Paths[r.Path][m] == nil && !r.Socket {
			t.Errorf("%s %s is not described", r.Method, r.Path)
		}
	}
	if strings.Contains(w.Body.String(), `["array","null"]`) {
		t.Error("a list may be null")
	}
}
