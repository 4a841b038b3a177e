package api_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// description is what the tests read of a node's OpenAPI description.
type description struct {
	Paths map[string]map[string]struct {
		Responses map[string]json.RawMessage
	}
}

// described wants every success that a test meets to be in the description: a generated client has no member for another one.
func (h *hub) described(method, path string, status int) {
	h.t.Helper()
	if status < 200 || status > 299 || status == http.StatusPartialContent || method == http.MethodHead {
		return // problems are described of every operation; HEAD and ranges come with GET
	}
	if h.says == nil {
		h.says = new(description)
		if err := json.Unmarshal(h.api.Description(), h.says); err != nil {
			h.t.Fatal(err)
		}
	}
	template, most := "", -1
	for candidate, operations := range h.says.Paths {
		if n, ok := resembles(candidate, path); ok && n > most && operations[strings.ToLower(method)].Responses != nil {
			template, most = candidate, n
		}
	}
	switch operation, ok := h.says.Paths[template][strings.ToLower(method)]; {
	case !ok:
		h.t.Errorf("%s %s succeeds, and is in no description", method, path)
	case operation.Responses[strconv.Itoa(status)] == nil:
		h.t.Errorf("%s %s answers %d, which its description leaves out", method, template, status)
	}
}

// resembles reports whether an address fits a template, and in how many words they are alike.
func resembles(template, path string) (alike int, ok bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return 0, false
	}
	for i, w := range want {
		switch {
		case w == got[i]:
			alike++
		case !strings.HasPrefix(w, "{"):
			return 0, false
		}
	}
	return alike, true
}
