package api_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/node/live"
	"github.com/asean-tmh/tmh/node/mail"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// hub is a house with its API, on a clock of its own; nothing of it is on a network.
type hub struct {
	t     *testing.T
	clock time.Time
	store *store.Store
	house *house.House
	api   *api.API
	says  *description // of the API, where it was read already
}

func newHub(t *testing.T, change ...func(*house.Config)) *hub {
	t.Helper()
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h := &hub{t: t, clock: time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC), store: s}
	cfg := house.Config{
		Store: s, Member: "KH", Now: h.now, Roster: func() *protocol.Roster { return nil },
		Sign: func(protocol.Entitlement) (*protocol.SignedEntitlement, error) {
			return nil, protocol.Errorf(protocol.CodeUnavailable, "", "no network here")
		},
		PublicURL: "http://localhost:8080", Hashes: 2, Imports: t.TempDir(),
	}
	for _, f := range change {
		f(&cfg)
	}
	if h.house, err = house.New(cfg); err != nil {
		t.Fatal(err)
	}
	desk := newDesk(t)
	h.api = api.New(api.Config{
		Desk: desk, Live: live.New(desk), Decode: ingest.DecodeListingJSON, Door: &door.Keeper{House: h.house, Member: "KH", Token: "operators-secret"}, House: h.house,
		Member: "KH", Version: "test", Now: cfg.Now, Log: slog.New(slog.DiscardHandler),
	})
	return h
}

func withMail(c *house.Config) {
	c.Mail = mail.Server{Host: "mail.example.org", Port: 587, TLS: "starttls", From: "hub@example.org"}
}

func (h *hub) now() time.Time { return h.clock }

// visitor of a hub, with the cookies of a browser.
type visitor struct {
	hub     *hub
	cookies map[string]string
	token   string
	socket  bool
	address string
	id      access.UserID
	org     access.OrganisationID
}

func (h *hub) visitor() *visitor {
	return &visitor{hub: h, cookies: map[string]string{}, address: "192.0.2.1:1000"}
}
func (h *hub) operator() *visitor { return &visitor{hub: h, socket: true} }
func (h *hub) program(token string) *visitor {
	return &visitor{hub: h, token: token, address: "192.0.2.9:1000"}
}

// ask under /api/v1. A body that is no string is sent as JSON; headers come in pairs.
func (v *visitor) ask(method, path string, body any, header ...string) *httptest.ResponseRecorder {
	v.hub.t.Helper()
	text, ok := body.(string)
	if body != nil && !ok {
		b, err := json.Marshal(body)
		if err != nil {
			v.hub.t.Fatal(err)
		}
		text = string(b)
	}
	r := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(text))
	r.RemoteAddr = v.address
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	if v.socket {
		v.hub.api.Operator().ServeHTTP(w, r)
	} else {
		v.hub.api.Public().ServeHTTP(w, r)
	}
	v.hub.described(method, r.URL.Path, w.Code)
	for _, c := range w.Result().Cookies() {
		if !c.HttpOnly || c.Path != "/" || c.SameSite == http.SameSiteNoneMode || c.SameSite == 0 {
			v.hub.t.Errorf("%s %s: cookie %s is not kept from scripts or other sites", method, path, c.Name)
		}
		if v.cookies == nil || c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		} else {
			v.cookies[c.Name] = c.Value
		}
	}
	return w
}

// do is ask with an answer of that status, read into a map.
func (v *visitor) do(status int, method, path string, body any, header ...string) map[string]any {
	v.hub.t.Helper()
	w := v.ask(method, path, body, header...)
	if w.Code != status {
		v.hub.t.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		v.hub.t.Errorf("%s %s may be kept: %q", method, path, w.Header().Get("Cache-Control"))
	}
	if w.Body.Len() == 0 {
		return nil
	}
	m := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		v.hub.t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
	}
	if tag := w.Header().Get("ETag"); tag != "" {
		m["etag"] = tag
	}
	return m
}

// refused is ask with a problem of that status, whose words hold want.
func (v *visitor) refused(status int, want, method, path string, body any, header ...string) api.Problem {
	v.hub.t.Helper()
	p := problem(v.hub.t, v.ask(method, path, body, header...), status)
	if !strings.Contains(p.Detail, want) {
		v.hub.t.Errorf("%s %s: %q, want %q", method, path, p.Detail, want)
	}
	return p
}

const goodPassword = "seven dry mangoes"

// keyOf a link.
func keyOf(t *testing.T, link any) string {
	t.Helper()
	u, err := url.Parse(fmt.Sprint(link))
	if err != nil || u.Query().Get("key") == "" {
		t.Fatalf("%v is no link: %v", link, err)
	}
	return u.Query().Get("key")
}

// admin sets the node up and is its first administrator, of the agency.
func (h *hub) admin() *visitor {
	h.t.Helper()
	link := h.operator().do(201, "POST", "/setup/link", nil)["link"]
	v := h.visitor()
	m := v.do(200, "POST", "/setup", map[string]any{
		"key": keyOf(h.t, link), "email": "admin@example.org", "name": "Sok Dara", "password": goodPassword,
		"organisation": map[string]any{"name": "National Agency", "type": "agency", "country": "KH"},
	})
	v.id, v.org = access.UserID(m["user"].(string)), access.OrganisationID(m["organisation"].(map[string]any)["id"].(string))
	return v
}

// organisation that an administrator adds.
func (v *visitor) organisation(name string) access.OrganisationID {
	v.hub.t.Helper()
	return access.OrganisationID(v.do(201, "POST", "/organisations", map[string]any{"name": name, "type": "university", "country": "KH"})["id"].(string))
}

// person invited by an administrator, who has accepted.
func (v *visitor) person(email string, o access.OrganisationID, roles ...access.Role) *visitor {
	v.hub.t.Helper()
	link := v.do(201, "POST", "/invitations", map[string]any{"email": email, "organisation": o, "roles": roles})["link"]
	p := v.hub.visitor()
	m := p.do(200, "POST", "/invitations/accept", map[string]any{"key": keyOf(v.hub.t, link), "name": "Chan Thida", "password": goodPassword})
	p.id, p.org = access.UserID(m["user"].(string)), o
	return p
}

// acts that the audit log holds, the newest first.
func (h *hub) acts(f audit.Filter) (all []string) {
	h.t.Helper()
	err := h.store.View(func(tx *store.Tx) error {
		entries, _, err := h.house.Audit.List(tx, f, 0, 500)
		for _, e := range entries {
			all = append(all, e.Action)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}
