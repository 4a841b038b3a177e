package ui_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/ui"
)

// TestReferenceHasAllOfTheDescription renders the committed description, and looks for every operation in it and for links that
// lead nowhere.
func TestReferenceHasAllOfTheDescription(t *testing.T) {
	description, err := os.ReadFile("../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	h := ui.New(ui.Config{Name: "Cambodia", Description: description, Log: slog.New(slog.DiscardHandler)})
	w := get(h, "/developers")
	if w.Code != 200 {
		t.Fatalf("%d under %s", w.Code, w.Header().Get("Content-Security-Policy"))
	}
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for _, n := range find(root, func(n *html.Node) bool { return has(n, "id") }) {
		if ids[attr(n, "id")]++; ids[attr(n, "id")] > 1 {
			t.Errorf("the id %s stands twice", attr(n, "id"))
		}
	}
	for _, n := range find(root, func(n *html.Node) bool { return strings.HasPrefix(attr(n, "href"), "#") }) {
		if ids[strings.TrimPrefix(attr(n, "href"), "#")] == 0 {
			t.Errorf("%s leads nowhere", attr(n, "href"))
		}
	}
	for _, name := range []string{"style", "iframe", "object"} {
		if len(find(root, func(n *html.Node) bool { return n.Data == name })) > 0 {
			t.Errorf("the page has a %s", name)
		}
	}
	if len(find(root, func(n *html.Node) bool { return has(n, "style") || has(n, "onclick") })) > 0 {
		t.Error("the page has styles or handlers that its policy forbids")
	}
	var doc struct {
		Paths map[string]map[string]struct {
			ID      string `json:"operationId"`
			Summary string
		}
	}
	if err := json.Unmarshal(description, &doc); err != nil {
		t.Fatal(err)
	}
	n := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			n++
			found := find(root, func(n *html.Node) bool { return n.Data == "article" && attr(n, "aria-labelledby") == op.ID })
			if len(found) != 1 {
				t.Errorf("%s %s stands there %d times", method, path, len(found))
				continue
			}
			words := text(found[0])
			for _, want := range []string{strings.ToUpper(method), path, op.Summary, "curl ", "Answers"} {
				if !strings.Contains(words, want) {
					t.Errorf("%s %s: no %q", method, path, want)
				}
			}
		}
	}
	if n < 80 {
		t.Errorf("only %d operations", n)
	}
	if w := get(ui.New(ui.Config{Log: slog.New(slog.DiscardHandler)}), "/developers"); w.Code != 404 {
		t.Errorf("without a description: %d", w.Code)
	}
}

// What a description says is text on the page, never markup or a command of its own.
func TestReferenceIsEscaped(t *testing.T) {
	const hostile = `{"info":{"title":"<script>","description":"**<b>** <img src=x>"},"tags":[{"name":"T<i>"}],"paths":{"/x'y":{"post":{
		"operationId":"a\"b","summary":"<script>alert(1)</script>","tags":["T<i>"],"requestBody":{"content":{"application/json":{"schema":{"type":"object"},"example":{"a":"it's <b>"}}}},
		"responses":{"200":{"description":"</dd><script>"}}}}}}`
	w := get(ui.New(ui.Config{Description: []byte(hostile), Log: slog.New(slog.DiscardHandler)}), "/developers")
	body := w.Body.String()
	if w.Code != 200 || strings.Contains(body, "<script>") || strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x>") || strings.Contains(body, "it's <b>") {
		t.Errorf("%d %s", w.Code, body)
	}
	if !strings.Contains(body, "it&#39;\\&#39;&#39;s") {
		t.Error("the command is not quoted for a shell")
	}
}
