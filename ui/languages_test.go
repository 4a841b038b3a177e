package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/ui/lang"
)

// Every page in every language: what the pages ask of ui/lang is there, and no text of one language stands in another unmarked.

func speaking(t *testing.T) *site {
	t.Helper()
	return newSite(Config{Name: "Cambodia", Now: func() time.Time { return time.Unix(1_790_000_000, 0) }, Log: slog.New(slog.DiscardHandler)})
}

func request(s *site, target string, header ...string) (*httptest.ResponseRecorder, *http.Request) {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	return w, s.ask(w, r)
}

// TestEveryKeyIsThere reads the keys from templates and code: one that no test's page reaches is found too.
func TestEveryKeyIsThere(t *testing.T) {
	b, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, k := range b.Keys() {
		known[k] = true
	}
	templates := regexp.MustCompile(`[({ ](?:t|ts|tn|tsn) "([^"]+)"`)
	code := regexp.MustCompile(`(?:\.(?:HTML|HTMLN|T|N|Text|TextN|add)|score)\("([a-z]+\.[^"]+)"[,)]`)
	found := 0
	for pattern, of := range map[string]*regexp.Regexp{"pages/*.html": templates, "*.go": code} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range of.FindAllStringSubmatch(string(text), -1) {
				if found++; !known[m[1]] && m[1] != "passkey.js" {
					t.Errorf("%s: no text has the key %s", file, m[1])
				}
			}
		}
	}
	if found < 400 {
		t.Errorf("only %d keys found: the pages are written in another way", found)
	}
}

func TestLanguageAndThemeAreChosen(t *testing.T) {
	s := speaking(t)
	for _, c := range []struct{ target, accept, cookie, want, kept string }{
		{"/", "", "", "en", ""}, {"/", "km-KH, en;q=.5", "", "km", ""}, {"/", "km", "lang=th", "th", ""}, {"/?lang=my", "km", "lang=th", "my", "my"},
		{"/?lang=th", "km", "lang=th", "th", ""}, {"/?lang=xx", "km", "", "km", ""}, {"/", "", "lang=%3Cscript%3E", "en", ""}, {"/", strings.Repeat("km,", 9999), "", "en", ""},
	} {
		w, r := request(s, c.target, "Accept-Language", c.accept, "Cookie", c.cookie)
		if got := string(printer(r).Tag()); got != c.want {
			t.Errorf("%.60v: %s", c, got)
		}
		if got := strings.HasPrefix(w.Header().Get("Set-Cookie"), "lang="+c.kept+"; Path=/; Max-Age="); got != (c.kept != "") {
			t.Errorf("%.60v: keeps %q", c, w.Header().Get("Set-Cookie"))
		}
	}
	h := s.handler()
	for _, c := range []struct{ path, field, value, from, to, kept string }{
		{"/language", "lang", "km", "/figures?lang=en&a=b", "/figures?a=b", "lang=km"}, {"/language", "lang", "xx", "/figures", "/figures", ""},
		{"/theme", "theme", "dark", "/federation", "/federation", "theme=dark"}, {"/theme", "theme", "auto", "//evil.example", "/", "theme=auto"}, {"/theme", "theme", "x\r\n", "", "/", ""},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(url.Values{c.field: {c.value}, "from": {c.from}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		if w.Code != 303 || w.Header().Get("Location") != c.to || got != c.kept {
			t.Errorf("%+v: %d to %s, keeps %s", c, w.Code, w.Header().Get("Location"), got)
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/nowhere", nil)
	r.Header.Set("Cookie", "theme=dark; lang=km")
	h.ServeHTTP(w, r)
	if got := w.Body.String(); !strings.Contains(got, `<html lang="km" data-theme="dark">`) || !strings.Contains(got, `value="dark" aria-pressed="true"`) {
		t.Error("the page is not as it was chosen")
	}
	if a, b := w.Header().Get("Content-Security-Policy"), func() string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Header().Get("Content-Security-Policy")
	}(); a == b {
		t.Error("two answers have the same nonce")
	}
}

// TestNothingHidesTheFrame: a field of a page that is called as one of every page's would stand in the frame instead of it, unseen.
func TestNothingHidesTheFrame(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]bool{}
	for f := range reflect.TypeFor[frame]().Fields() {
		taken[f.Name] = true
	}
	pages := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			s, is := n.(*ast.StructType)
			if !is {
				return true
			}
			var names []string
			embeds := false
			for _, f := range s.Fields.List {
				if id, is := f.Type.(*ast.Ident); is && len(f.Names) == 0 && id.Name == "frame" {
					embeds = true
				}
				for _, name := range f.Names {
					names = append(names, name.Name)
				}
			}
			if !embeds {
				return true
			}
			pages++
			for _, name := range names {
				if taken[name] {
					t.Errorf("%s: a page has a field %s, which hides that of every page", file, name)
				}
			}
			return true
		})
	}
	if pages < 20 {
		t.Errorf("only %d pages found", pages)
	}
}
