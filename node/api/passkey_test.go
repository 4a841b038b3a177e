package api_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/house"
)

// device holds one passkey, in software.
type device struct {
	key     *ecdsa.PrivateKey
	handle  string
	counter uint32
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// answer the options of a ceremony as a browser at the public address of a hub does.
func (d *device) answer(t *testing.T, options any) map[string]any {
	t.Helper()
	o := options.(map[string]any)["publicKey"].(map[string]any)
	user, create := o["user"].(map[string]any)
	kind, flags := "webauthn.get", byte(0x05)
	if create {
		kind, flags = "webauthn.create", 0x45
	}
	client, err := json.Marshal(map[string]any{"type": kind, "challenge": o["challenge"], "origin": "http://localhost:8080"})
	if err != nil {
		t.Fatal(err)
	}
	domain := sha256.Sum256([]byte("localhost"))
	d.counter++
	data := binary.BigEndian.AppendUint32(append(domain[:], flags), d.counter)
	id := []byte("a passkey of the hub's tests")
	response := map[string]any{"clientDataJSON": b64(client)}
	if create {
		d.handle = user["id"].(string)
		point, err := d.key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		cose, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
		if err != nil {
			t.Fatal(err)
		}
		data = binary.BigEndian.AppendUint16(append(data, make([]byte, 16)...), uint16(len(id)))
		object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": append(append(data, id...), cose...)})
		if err != nil {
			t.Fatal(err)
		}
		response["attestationObject"] = b64(object)
	} else {
		hash := sha256.Sum256(client)
		digest := sha256.Sum256(append(append([]byte(nil), data...), hash[:]...))
		signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(response, map[string]any{"authenticatorData": b64(data), "signature": b64(signature), "userHandle": d.handle})
	}
	return map[string]any{"id": b64(id), "rawId": b64(id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response}
}

func TestPasskeys(t *testing.T) {
	h := newHub(t)
	admin := h.admin()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &device{key: key}
	link := admin.do(201, "POST", "/invitations", map[string]any{"email": "p@example.org", "organisation": admin.org, "roles": []string{"reader"}})["link"]
	p := h.visitor()
	p.do(200, "POST", "/invitations/accept", map[string]any{"key": keyOf(t, link), "name": "Chan Thida", "without_password": true})
	options := p.do(200, "POST", "/account/passkeys", nil)["options"]
	if p.cookies["tmh-passkey"] == "" {
		t.Fatal("the ceremony is not kept in the browser")
	}
	made := p.do(201, "POST", "/account/passkeys/finish", map[string]any{"name": "My telephone", "response": d.answer(t, options)})
	if made["name"] != "My telephone" || p.cookies["tmh-passkey"] != "" {
		t.Errorf("registered: %v, cookies %v", made, p.cookies)
	}
	p.refused(403, "is over or was used already", "POST", "/account/passkeys/finish", map[string]any{"response": d.answer(t, options)})
	path := "/account/passkeys/" + made["id"].(string)
	if m := p.do(200, "PATCH", path, map[string]any{"name": "Old telephone"}); m["name"] != "Old telephone" {
		t.Errorf("renamed: %v", m)
	}
	admin.refused(404, "no such passkey", "PATCH", path, map[string]any{"name": "Mine"})
	p.refused(409, "the last way into your account", "DELETE", path, nil)
	if all := p.do(200, "GET", "/account/passkeys", nil)["passkeys"].([]any); len(all) != 1 {
		t.Errorf("passkeys: %v", all)
	}

	fresh := h.visitor()
	options = fresh.do(200, "POST", "/session/passkey", nil)["options"]
	answer := d.answer(t, options)
	elsewhere := h.visitor() // has not begun it
	elsewhere.refused(401, "is over or was used already", "POST", "/session/passkey/finish", map[string]any{"response": answer})
	if m := fresh.do(200, "POST", "/session/passkey/finish", map[string]any{"response": answer}); m["name"] != "Chan Thida" || fresh.cookies["tmh"] == "" {
		t.Errorf("signed in: %v", m)
	}
	fresh.do(200, "GET", "/account", nil)
	fresh.refused(401, "is over or was used already", "POST", "/session/passkey/finish", map[string]any{"response": answer})

	none := newHub(t, func(c *house.Config) { c.PublicURL = "" })
	none.visitor().refused(503, "set public_url", "POST", "/session/passkey", nil)
	none.visitor().refused(404, "no provider of identities", "GET", "/session/provider", nil)
}

// provider of identities, which signs in whoever comes as subject.
type provider struct {
	*httptest.Server
	key     *rsa.PrivateKey
	subject string
	email   string
	nonce   string
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key}
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"},
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		head := b64([]byte(`{"alg":"RS256","kid":"1","typ":"JWT"}`))
		claims, _ := json.Marshal(map[string]any{
			"iss": p.URL, "sub": p.subject, "aud": "hub", "nonce": p.nonce, "email": p.email, "email_verified": true, "name": "Chan Thida",
			"iat": 1789977600, "exp": 1789977600 + 3600, // when a hub's clock begins
		})
		signed := head + "." + b64(claims)
		sum := sha256.Sum256([]byte(signed))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Error(err)
		}
		reply(w, map[string]any{"access_token": "x", "token_type": "Bearer", "expires_in": 3600, "id_token": signed + "." + b64(signature)})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// back is where the provider sends the browser that came to an address of it.
func (p *provider) back(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, p.URL+"/authorize?") {
		t.Fatalf("%q is no address at the provider", address)
	}
	q := u.Query()
	if p.nonce = q.Get("nonce"); q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != "http://localhost:8080"+house.CallbackPath {
		t.Fatalf("asks %v", q)
	}
	return strings.TrimPrefix(house.CallbackPath, "/api/v1") + "?" + url.Values{"code": {"abc"}, "state": {q.Get("state")}, "session_state": {"more"}}.Encode()
}

func TestProviderOfIdentities(t *testing.T) {
	p := newProvider(t)
	h := newHub(t, func(c *house.Config) { c.Provider = house.Provider{Issuer: p.URL, ClientID: "hub", ClientSecret: "s"} })
	admin := h.admin()
	sent := func(w *httptest.ResponseRecorder) string {
		t.Helper()
		if w.Code != http.StatusSeeOther || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return w.Header().Get("Location")
	}

	// An invitation to the verified address makes the account.
	p.subject, p.email = "subject-1", "thida@example.org"
	v := h.visitor()
	to := p.back(t, sent(v.ask("GET", "/session/provider", nil)))
	v.refused(401, "no account here is linked with this identity", "GET", to, nil)
	admin.do(201, "POST", "/invitations", map[string]any{"email": "thida@example.org", "organisation": admin.org, "roles": []string{"reader"}})
	to = p.back(t, sent(v.ask("GET", "/session/provider", nil)))
	h.visitor().refused(401, "", "GET", to, nil) // another browser has not begun it
	if at := sent(v.ask("GET", to, nil)); at != "/" || v.cookies["tmh"] == "" || v.cookies["tmh-provider"] != "" {
		t.Errorf("signed in, sent to %s with %v", at, v.cookies)
	}
	if m := v.do(200, "GET", "/session", nil); m["name"] != "Chan Thida" || fmt.Sprint(m["roles"]) != "[reader]" {
		t.Errorf("signed in as %v", m)
	}
	v.refused(401, "", "GET", to, nil) // twice

	// Linking is begun by the person, and ends in the account; signing in never links to the session that is there.
	p.subject, p.email = "subject-2", ""
	h.visitor().refused(401, "you may not change an account", "POST", "/account/identities", nil)
	v.refused(401, "no account here is linked", "GET", p.back(t, sent(v.ask("GET", "/session/provider", nil))), nil)
	begun := v.do(200, "POST", "/account/identities", nil)
	if at := sent(v.ask("GET", p.back(t, begun["location"].(string)), nil)); at != "/account" {
		t.Errorf("linked, sent to %s", at)
	}
	all := v.do(200, "GET", "/account/identities", nil)["identities"].([]any)
	if len(all) != 2 {
		t.Fatalf("identities: %v", all)
	}
	if n := len(v.do(200, "GET", "/account/sessions", nil)["sessions"].([]any)); n != 1 {
		t.Errorf("%d sessions: the one before the linking lives on", n)
	}
	v.do(204, "DELETE", "/account/identities/"+all[0].(map[string]any)["id"].(string), nil)
	v.refused(409, "the last way into your account", "DELETE", "/account/identities/"+all[1].(map[string]any)["id"].(string), nil)
	if actor, err := h.house.People.Authenticate(v.cookies["tmh"]); err != nil || actor.Roles[0] != access.Reader {
		t.Errorf("%+v %v", actor, err)
	}
}
