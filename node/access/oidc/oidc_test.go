package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

func TestSignInAtProvider(t *testing.T) {
	h, c := newHouse(t), newClock()
	p := h.provider(c)
	if h.requests.Load() != 0 {
		t.Error("the provider was asked before anybody signed in")
	}
	b := h.begin(p, "")
	u, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 26 || len(q.Get("nonce")) < 26 || q.Get("response_type") != "code" {
		t.Errorf("query %v", q)
	}
	if got := strings.Fields(q.Get("scope")); !slices.Equal(got, []string{"openid", "profile", "email"}) {
		t.Errorf("scopes %v", got)
	}
	for _, secret := range []string{q.Get("state"), q.Get("nonce")} {
		if strings.Contains(b.Kept, secret) {
			t.Error("what the browser keeps can be read")
		}
	}
	id, err := p.Finish(t.Context(), h.browse(b, "sok"), b.Kept)
	if err != nil {
		t.Fatal(err)
	}
	want := Identity{Issuer: h.issuer, Subject: "sub-sok", Email: "sok@example.org", EmailVerified: true, Name: "Sok Dara"}
	if fmt.Sprint(id) != fmt.Sprint(want) {
		t.Errorf("got %+v\nwant %+v", id, want)
	}
	b = h.begin(p, "uaaaa")
	if id, err = p.Finish(t.Context(), h.browse(b, "chanh"), b.Kept); err != nil {
		t.Fatal(err)
	}
	if id.Subject != "sub-chanh" || id.EmailVerified || id.Email != "chanh@example.org" || id.For != "uaaaa" {
		t.Errorf("got %+v", id)
	}
}

// Every way to bend an answer is refused, and each uses up what was begun.
func TestFinishRefused(t *testing.T) {
	bend := func(b Begun, key, value string) Begun {
		u, _ := url.Parse(b.URL)
		q := u.Query()
		if q.Set(key, value); value == "" {
			q.Del(key)
		}
		u.RawQuery = q.Encode()
		b.URL = u.String()
		return b
	}
	reseal := func(t *testing.T, p *Provider, b Begun, f func(*kept)) string {
		k, err := p.sealer.open(b.Kept)
		if err != nil {
			t.Fatal(err)
		}
		f(&k)
		s, err := p.sealer.seal(k)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	const over, bad, down = "is over, or was not begun in this browser", "was not accepted", "does not answer"
	h := newHouse(t)
	cases := map[string]struct {
		run   func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string)
		want  string
		cause string
	}{
		"another state": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			back.State = h.browse(h.begin(p, ""), "sok").State
			return back, b.Kept
		}, over, ""},
		"no state": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			back.State = ""
			return back, b.Kept
		}, over, ""},
		"another browser": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			return h.browse(b, "sok"), h.begin(p, "").Kept
		}, over, ""},
		"no cookie": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) { return h.browse(b, "sok"), "" }, over, ""},
		"a changed cookie": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			last := byte('A')
			if b.Kept[20] == last {
				last = 'B'
			}
			return h.browse(b, "sok"), b.Kept[:20] + string(last) + b.Kept[21:]
		}, over, ""},
		"another process's cookie": {func(t *testing.T, p *Provider, c *clock, _ Begun) (Callback, string) {
			b := h.begin(h.provider(c), "")
			return h.browse(b, "sok"), b.Kept
		}, over, ""},
		"late": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			c.pass(Lifetime)
			return back, b.Kept
		}, over, ""},
		"a replayed answer": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			if _, err := p.Finish(t.Context(), back, b.Kept); err != nil {
				t.Fatal(err)
			}
			return back, b.Kept
		}, over, ""},
		"a replayed code": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			if _, err := p.Finish(t.Context(), back, b.Kept); err != nil {
				t.Fatal(err)
			}
			return back, reseal(t, p, b, func(k *kept) { k.ID = "never used" })
		}, bad, "exchange the code: status 400"},
		"a made-up code": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			back.Code = "0123456789"
			return back, b.Kept
		}, bad, "exchange the code: status 400"},
		"another person's code": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			back.Code = h.browse(h.begin(p, ""), "chanh").Code // injected: its PKCE challenge is another browser's
			return back, b.Kept
		}, bad, "exchange the code: status 400"},
		"no code": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			back.Code = ""
			return back, b.Kept
		}, bad, "neither code nor error"},
		"no verifier": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			return h.browse(b, "sok"), reseal(t, p, b, func(k *kept) { k.Verifier = "" })
		}, over, ""},
		"another verifier": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			return h.browse(b, "sok"), reseal(t, p, b, func(k *kept) { k.Verifier = strings.Repeat("v", 43) })
		}, bad, "exchange the code: status 400"},
		"another nonce": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			return h.browse(bend(b, "nonce", "somebody-elses"), "sok"), b.Kept
		}, bad, "nonce"},
		"no nonce": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			return h.browse(bend(b, "nonce", ""), "sok"), b.Kept
		}, bad, "nonce"},
		"another issuer in the answer": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			back.Issuer = "https://evil.example"
			return back, b.Kept
		}, bad, "another issuer"},
		"an expired ID token": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			h.intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/token") {
					c.pass(2 * time.Hour) // while the code is exchanged
				}
				return false
			}, nil)
			return back, b.Kept
		}, bad, "expired"},
		"a changed ID token": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			h.intercept(nil, changeToken(t, func(parts []string) []string {
				last := parts[2]
				parts[2] = last[:10] + map[bool]string{true: "A", false: "B"}[last[10] != 'A'] + last[11:]
				return parts
			}))
			return back, b.Kept
		}, bad, "signature"},
		"an unsigned ID token": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			h.intercept(nil, changeToken(t, func(parts []string) []string {
				return []string{"eyJhbGciOiJub25lIn0", parts[1], ""} // {"alg":"none"}
			}))
			return back, b.Kept
		}, bad, "malformed jwt"},
		"no ID token": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			h.intercept(nil, changeToken(t, func([]string) []string { return nil }))
			return back, b.Kept
		}, bad, "no ID token"},
		"another access token": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			h.intercept(nil, changeAnswer(t, "/token", func(m map[string]any) { m["access_token"] = "another" }))
			return back, b.Kept
		}, bad, "at_hash"},
		"userinfo of somebody else": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			h.intercept(nil, changeAnswer(t, "/userinfo", func(m map[string]any) { m["sub"] = "sub-chanh" }))
			return back, b.Kept
		}, bad, "somebody else"},
		"the person declined": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			return Callback{State: h.browse(b, "sok").State, Error: "access_denied"}, b.Kept
		}, "did not sign you in", ""},
		"an endless answer": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			h.intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "/userinfo") {
					return false
				}
				fmt.Fprint(w, `{"sub":"sub-sok","email":"sok@example.org","pad":"`)
				for chunk := strings.Repeat("x", 64<<10); ; {
					if _, err := io.WriteString(w, chunk); err != nil {
						return true // the reader gave up
					}
				}
			}, nil)
			return back, b.Kept
		}, down, "userinfo"},
		"a failing token endpoint": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			h.intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/token") {
					http.Error(w, "the-body-of-an-error", http.StatusBadGateway)
					return true
				}
				return false
			}, nil)
			return back, b.Kept
		}, down, "status 502"},
		"a token endpoint that redirects": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			h.intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/token") {
					http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
					return true
				}
				if r.URL.Path == "/elsewhere" {
					t.Error("the code and the client's secret were sent elsewhere")
				}
				return false
			}, nil)
			return back, b.Kept
		}, bad, "status 307"},
		"a long code": {func(t *testing.T, p *Provider, c *clock, b Begun) (Callback, string) {
			back := h.browse(b, "sok")
			back.Code = strings.Repeat("c", MaxCallback+1)
			return back, b.Kept
		}, "over 4096 bytes", ""},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			p := h.provider(c)
			back, kept := tt.run(t, p, c, h.begin(p, ""))
			defer h.intercept(nil, nil)
			id, err := p.Finish(t.Context(), back, kept)
			var e *protocol.Error
			if !errors.As(err, &e) || !strings.Contains(e.Message, tt.want) || id.Subject != "" {
				t.Fatalf("got %+v, %v; want %q", id, err, tt.want)
			}
			if cause := fmt.Sprint(e.Err); !strings.Contains(cause, tt.cause) {
				t.Errorf("refused because %s; want %s", cause, tt.cause)
			}
			for _, word := range []string{secret, "the-body-of-an-error", "sok@example.org", back.Code} {
				if word != "" && strings.Contains(err.Error(), word) {
					t.Errorf("the error holds %q: %v", word, err)
				}
			}
			if tt.want == down && e.Code != protocol.CodeUnavailable || tt.want == bad && e.Code != protocol.CodeNotPermitted {
				t.Errorf("code %s", e.Code)
			}
		})
	}
}

// changeToken bends the three parts of the ID token in the token endpoint's answer; nil takes it away.
func changeToken(t *testing.T, f func(parts []string) []string) func(*http.Request, string) string {
	return changeAnswer(t, "/token", func(m map[string]any) {
		if parts := f(strings.Split(m["id_token"].(string), ".")); parts != nil {
			m["id_token"] = strings.Join(parts, ".")
			return
		}
		delete(m, "id_token")
	})
}

func changeAnswer(t *testing.T, path string, f func(map[string]any)) func(*http.Request, string) string {
	return func(r *http.Request, body string) string {
		m := map[string]any{}
		if !strings.HasSuffix(r.URL.Path, path) {
			return body
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Errorf("answer of %s: %v", r.URL.Path, err)
			return body
		}
		f(m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
}

// The provider itself holds the code against the challenge: a thief of the code alone gets nothing, the client's secret or not.
func TestProviderWantsVerifier(t *testing.T) {
	h, c := newHouse(t), newClock()
	p := h.provider(c)
	back := h.browse(h.begin(p, ""), "sok")
	settings, err := p.discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, settings.Endpoint().TokenURL, strings.NewReader(url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Code}, "redirect_uri": {h.redirect},
	}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(clientID, secret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("without a verifier: %s", resp.Status)
	}
}

func TestWrongIssuer(t *testing.T) {
	h, c := newHouse(t), newClock()
	// The settings name another issuer than the one asked for.
	cfg := h.config(c)
	cfg.Issuer = strings.Replace(h.issuer, "localhost", "127.0.0.1", 1)
	_, err := h.providerOf(cfg).Begin(t.Context(), "")
	if protocol.CodeOf(err) != protocol.CodeUnavailable || !strings.Contains(fmt.Sprint(err), "did not match the issuer") {
		t.Errorf("settings of another issuer: %v", err)
	}
	// Settings that lie: they name the issuer asked for, and lead to another's endpoints, whose ID tokens name that other one.
	var liar *httptest.Server
	liar = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := http.Get(h.issuer + "/.well-known/openid-configuration")
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		m := map[string]any{}
		if err := json.NewDecoder(resp.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		m["issuer"] = liar.URL
		if err := json.NewEncoder(w).Encode(m); err != nil {
			t.Error(err)
		}
	}))
	defer liar.Close()
	cfg.Issuer = liar.URL
	p := h.providerOf(cfg)
	b := h.begin(p, "")
	_, err = p.Finish(t.Context(), h.browse(b, "sok"), b.Kept)
	if protocol.CodeOf(err) != protocol.CodeNotPermitted || !strings.Contains(fmt.Sprint(err), "issued by a different provider") {
		t.Errorf("ID token of another issuer: %v", err)
	}
}

// A provider that is down makes Begin fail soon and is not asked by each; once it is back, people sign in again.
func TestProviderDown(t *testing.T) {
	h, c := newHouse(t), newClock()
	p := h.provider(c)
	var asked atomic.Int32
	down := func(w http.ResponseWriter, r *http.Request) bool {
		asked.Add(1)
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return true
	}
	h.intercept(down, nil)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := p.Begin(context.Background(), ""); protocol.CodeOf(err) != protocol.CodeUnavailable {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times by 20 people", n)
	}
	h.intercept(nil, nil)
	if _, err := p.Begin(t.Context(), ""); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("asked again at once: %v", err)
	}
	c.pass(retryAfter)
	h.begin(p, "")
	// Settings that were had serve on while the provider is down, and are fetched anew when it is back.
	c.pass(freshFor)
	h.intercept(down, nil)
	asked.Store(0)
	h.begin(p, "")
	h.begin(p, "")
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	p.settings.busy <- struct{}{} // somebody is fetching
	if _, err := p.Begin(ended, ""); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("one who gave up: %v", err)
	}
	<-p.settings.busy
	if err := p.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSettingsRefused(t *testing.T) {
	h := newHouse(t)
	for name, change := range map[string]func(map[string]any){
		"token endpoint in the clear": func(m map[string]any) { m["token_endpoint"] = "http://login.example.org/token" },
		"no authorization endpoint":   func(m map[string]any) { delete(m, "authorization_endpoint") },
		"keys from a file":            func(m map[string]any) { m["jwks_uri"] = "file:///etc/passwd" },
		"endless":                     func(m map[string]any) { m["pad"] = strings.Repeat("x", maxAnswer) },
		"no text":                     func(m map[string]any) { m["issuer"] = 7 },
	} {
		h.intercept(nil, changeAnswer(t, "/.well-known/openid-configuration", change))
		if _, err := h.provider(newClock()).Begin(t.Context(), ""); protocol.CodeOf(err) != protocol.CodeUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a provider writes about a person is bounded before it is used.
func TestClaimsBounded(t *testing.T) {
	h, c := newHouse(t), newClock()
	p := h.provider(c)
	for name, tt := range map[string]struct {
		change          func(map[string]any)
		email, fullName string
		verified        bool
	}{
		"verified as a text":     {func(m map[string]any) { m["email_verified"] = "true" }, "sok@example.org", "Sok Dara", true},
		"not verified":           {func(m map[string]any) { delete(m, "email_verified") }, "sok@example.org", "Sok Dara", false},
		"verified by a number":   {func(m map[string]any) { m["email_verified"] = 1 }, "", "", false},
		"no address":             {func(m map[string]any) { m["email"] = "sok" }, "", "Sok Dara", false},
		"two addresses":          {func(m map[string]any) { m["email"] = "sok@example.org@example.net" }, "", "Sok Dara", false},
		"an address with a line": {func(m map[string]any) { m["email"] = "sok@example.org\r\nBcc: x@y" }, "", "Sok Dara", false},
		"a long address":         {func(m map[string]any) { m["email"] = strings.Repeat("s", 250) + "@example.org" }, "", "Sok Dara", false},
		"a long name":            {func(m map[string]any) { m["name"] = strings.Repeat("ក", 300) }, "sok@example.org", strings.Repeat("ក", maxName), true},
		"a name that turns text": {func(m map[string]any) { m["name"] = "\u202eSok\x00 Dara " }, "sok@example.org", "Sok Dara", true},
	} {
		h.intercept(nil, changeAnswer(t, "/userinfo", tt.change))
		b := h.begin(p, "")
		id, err := p.Finish(t.Context(), h.browse(b, "sok"), b.Kept)
		if name == "verified by a number" { // the library reads only booleans and texts
			if protocol.CodeOf(err) != protocol.CodeUnavailable {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || id.Email != tt.email || id.Name != tt.fullName || id.EmailVerified != tt.verified {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
}

func TestConfig(t *testing.T) {
	good := Config{Issuer: "https://login.example.org", ClientID: "tmh", RedirectURL: "https://hub.example.org/auth/callback"}
	for name, tt := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"good":               {func(*Config) {}, ""},
		"this machine":       {func(c *Config) { c.Issuer = "http://127.0.0.1:9998/realm" }, ""},
		"plain http":         {func(c *Config) { c.Issuer = "http://login.example.org" }, "oidc.issuer"},
		"no address":         {func(c *Config) { c.Issuer = "login" }, "oidc.issuer"},
		"a password in it":   {func(c *Config) { c.Issuer = "https://a:b@login.example.org" }, "oidc.issuer"},
		"a redirect nowhere": {func(c *Config) { c.RedirectURL = "" }, "oidc.redirect_url"},
		"no client":          {func(c *Config) { c.ClientID = "" }, "oidc.client_id"},
	} {
		cfg := good
		tt.change(&cfg)
		_, err := New(cfg)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestUsedIsBounded(t *testing.T) {
	u := newUsed(2)
	for _, tt := range []struct {
		id   string
		want bool
	}{{"a", true}, {"a", false}, {"b", true}, {"c", true}, {"c", false}, {"b", false}, {"a", true}} {
		if got := u.take(tt.id); got != tt.want {
			t.Errorf("%s: %v", tt.id, got)
		}
	}
	if len(u.seen) != 2 || u.order.Len() != 2 {
		t.Errorf("%d and %d kept", len(u.seen), u.order.Len())
	}
}

func FuzzOpen(f *testing.F) {
	p, err := New(Config{Issuer: "https://login.example.org", ClientID: "tmh", RedirectURL: "https://hub.example.org/back"})
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := p.sealer.seal(kept{ID: "i", State: "s", Nonce: "n", Verifier: "v", Until: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed, "s", "code")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, keptValue, state, code string) {
		if _, err := p.open(Callback{Code: code, State: state}, keptValue, time.Unix(1, 0)); err == nil {
			t.Fatal("opened what is over")
		}
	})
}
