package oidc

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// house is an OpenID provider in this process: zitadel's example server over loopback http.
type house struct {
	t        testing.TB
	issuer   string
	redirect string
	requests atomic.Int32 // that reached the provider

	mu     sync.Mutex
	before func(w http.ResponseWriter, r *http.Request) (done bool) // where set, sees each request first
	after  func(r *http.Request, body string) string                // where set, changes an answer's body
}

const (
	clientID = "tmh"
	secret   = "client-secret-of-this-test"
	password = "verysecure"
)

// people are the provider's users.
type people map[string]*storage.User

func (p people) GetUserByID(id string) *storage.User { return p[id] }
func (p people) GetUserByUsername(name string) *storage.User {
	for _, u := range p {
		if u.Username == name {
			return u
		}
	}
	return nil
}
func (p people) ExampleClientID() string { return "service" }

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, redirect: "http://localhost:10999/auth/callback"} // nobody listens there: the test reads the redirect
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.requests.Add(1)
		h.mu.Lock()
		before, after := h.before, h.after
		h.mu.Unlock()
		if before != nil && before(w, r) {
			return
		}
		if after == nil {
			handler.ServeHTTP(w, r)
			return
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		for k, v := range recorder.Header() {
			if k != "Content-Length" {
				w.Header()[k] = v
			}
		}
		w.WriteHeader(recorder.Code)
		_, _ = io.WriteString(w, after(r, recorder.Body.String()))
	}))
	t.Cleanup(server.Close)
	h.issuer = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	users := people{
		"sub-sok":   {ID: "sub-sok", Username: "sok", Password: password, FirstName: "Sok", LastName: "Dara", Email: "sok@example.org", EmailVerified: true},
		"sub-chanh": {ID: "sub-chanh", Username: "chanh", Password: password, FirstName: "Chanh", LastName: "Le", Email: "chanh@example.org"},
	}
	client := storage.WebClient(clientID, secret, h.redirect)
	store := storage.NewStorageWithClients(users, map[string]*storage.Client{clientID: client})
	handler = exampleop.SetupServer(h.issuer, store, slog.New(slog.DiscardHandler), false)
	return h
}

func (h *house) intercept(before func(http.ResponseWriter, *http.Request) bool, after func(*http.Request, string) string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before, h.after = before, after
}

// clock is a test's own.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now()} } // the provider's clock is the real one

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func (h *house) config(c *clock) Config {
	return Config{Issuer: h.issuer, ClientID: clientID, ClientSecret: secret, RedirectURL: h.redirect, Now: c.now}
}

func (h *house) provider(c *clock) *Provider {
	h.t.Helper()
	return h.providerOf(h.config(c))
}

func (h *house) providerOf(cfg Config) *Provider {
	h.t.Helper()
	p, err := New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(p.client.CloseIdleConnections)
	return p
}

func (h *house) begin(p *Provider, forUser string) Begun {
	h.t.Helper()
	b, err := p.Begin(h.t.Context(), forUser)
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// browse does what a person does at the provider, with cookies and redirects, up to the redirect back to the node.
func (h *house) browse(begun Begun, username string) Callback {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	var back *url.URL
	browser := &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), h.redirect) {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	defer browser.CloseIdleConnections()
	page, err := browser.Get(begun.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	page.Body.Close()
	form := page.Request.URL
	if back == nil {
		if form.Path != "/login/username" {
			h.t.Fatalf("the provider shows %s, status %d", form.Path, page.StatusCode)
		}
		sent, err := browser.PostForm(h.issuer+"/login/username", url.Values{
			"id": {form.Query().Get("authRequestID")}, "username": {username}, "password": {password},
		})
		if err != nil {
			h.t.Fatal(err)
		}
		sent.Body.Close()
	}
	if back == nil {
		h.t.Fatal("the provider did not send the browser back")
	}
	q := back.Query()
	return Callback{Code: q.Get("code"), State: q.Get("state"), Issuer: q.Get("iss"), Error: q.Get("error")}
}
