package api_test

import (
	"slices"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/house"
)

// A session that somebody took must not make what outlives it: a passkey, a linked identity, a token.
func TestWhatOutlivesASessionWantsAFreshSignIn(t *testing.T) {
	p := newProvider(t)
	h := newHub(t, func(c *house.Config) { c.Provider = house.Provider{Issuer: p.URL, ClientID: "hub", ClientSecret: "s"} })
	admin := h.admin()
	reader := admin.person("reader@example.org", admin.org, access.Reader)
	token := map[string]any{"name": "sync", "scopes": []string{"read"}}
	reader.do(200, "POST", "/account/passkeys", nil)
	reader.do(201, "POST", "/tokens", token)
	h.clock = h.clock.Add(time.Hour)
	for path, body := range map[string]any{"/account/passkeys": nil, "/account/identities": nil, "/tokens": token} {
		reader.refused(403, "sign in again", "POST", path, body)
	}
	reader.do(200, "GET", "/account", nil)
	reader.do(200, "POST", "/session", map[string]any{"email": "reader@example.org", "password": goodPassword})
	reader.do(200, "POST", "/account/passkeys", nil)
	reader.do(200, "POST", "/account/identities", nil)
	reader.do(201, "POST", "/tokens", token)
}

func TestLinkingAndExportingAreOnRecord(t *testing.T) {
	p := newProvider(t)
	h := newHub(t, func(c *house.Config) { c.Provider = house.Provider{Issuer: p.URL, ClientID: "hub", ClientSecret: "s"} })
	admin := h.admin()
	reader := admin.person("reader@example.org", admin.org, access.Reader)
	p.subject = "subject-1"
	begun := reader.do(200, "POST", "/account/identities", nil)
	if w := reader.ask("GET", p.back(t, begun["location"].(string)), nil); w.Code != 303 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if acts := h.acts(audit.Filter{Actor: string(reader.id)}); !slices.Contains(acts, "identity.create") {
		t.Errorf("linking an identity is not in the log: %v", acts)
	}
	reader.do(200, "GET", "/account/export", nil)
	admin.do(200, "GET", "/people/"+string(reader.id)+"/export", nil)
	if acts := h.acts(audit.Filter{Action: "user.export"}); len(acts) != 1 {
		t.Errorf("of two exports, one's own is no event and the administrator's is: %v", acts)
	}
	if acts := h.acts(audit.Filter{Actor: string(admin.id)}); acts[0] != "user.export" {
		t.Errorf("the administrator's: %v", acts)
	}
}
