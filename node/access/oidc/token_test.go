package oidc

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// A provider signs what it likes. What its ID token says must still fit this client and this sign-in.
func TestIDToken(t *testing.T) {
	h := newHouse(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	modulus := encode(key.N.Bytes())
	sign := func(alg string, claims map[string]any) string {
		header, _ := json.Marshal(map[string]string{"alg": alg, "kid": "k", "typ": "JWT"})
		body, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		text := encode(header) + "." + encode(body)
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		if alg == "HS256" { // signed with what everybody knows
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(text))
			signature = mac.Sum(nil)
		}
		return text + "." + encode(signature)
	}
	for name, tt := range map[string]struct {
		alg    string
		change func(map[string]any)
		cause  string // "" where it is accepted
	}{
		"right":                         {"RS256", func(map[string]any) {}, ""},
		"for us among others":           {"RS256", func(m map[string]any) { m["aud"], m["azp"] = []string{clientID, "other"}, clientID }, ""},
		"for another client":            {"RS256", func(m map[string]any) { m["aud"] = "other" }, "expected audience"},
		"for nobody":                    {"RS256", func(m map[string]any) { delete(m, "aud") }, "expected audience"},
		"for several, made for nobody":  {"RS256", func(m map[string]any) { m["aud"] = []string{clientID, "other"} }, "azp"},
		"for several, made for another": {"RS256", func(m map[string]any) { m["aud"], m["azp"] = []string{clientID, "other"}, "other" }, "azp"},
		"made for another":              {"RS256", func(m map[string]any) { m["azp"] = "other" }, "azp"},
		"made for a number":             {"RS256", func(m map[string]any) { m["azp"] = 7 }, "azp"},
		"another issuer":                {"RS256", func(m map[string]any) { m["iss"] = "https://evil.example" }, "issued by a different provider"},
		"no end":                        {"RS256", func(m map[string]any) { delete(m, "exp") }, "expired"},
		"not yet":                       {"RS256", func(m map[string]any) { m["nbf"] = time.Now().Add(time.Hour).Unix() }, "before the nbf"},
		"no subject":                    {"RS256", func(m map[string]any) { delete(m, "sub") }, "subject"},
		"a long subject":                {"RS256", func(m map[string]any) { m["sub"] = strings.Repeat("s", maxSubject+1) }, "subject"},
		"a subject with a line":         {"RS256", func(m map[string]any) { m["sub"] = "a\nb" }, "subject"},
		"signed with the secret":        {"HS256", func(map[string]any) {}, "malformed jwt"},
		"another access token":          {"RS256", func(m map[string]any) { m["at_hash"] = "AAAA" }, "at_hash"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			p := h.provider(c)
			b := h.begin(p, "")
			back := h.browse(b, "sok")
			k, err := p.sealer.open(b.Kept)
			if err != nil {
				t.Fatal(err)
			}
			claims := map[string]any{
				"iss": h.issuer, "aud": clientID, "sub": "sub-sok", "nonce": k.Nonce, "exp": c.now().Add(time.Hour).Unix(),
				"email": "sok@example.org", "email_verified": true, "name": "Sok Dara",
			}
			tt.change(claims)
			answer := changeAnswer(t, "/token", func(m map[string]any) { m["id_token"] = sign(tt.alg, claims) })
			h.intercept(nil, func(r *http.Request, body string) string {
				if strings.HasSuffix(r.URL.Path, "/keys") {
					return fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"k","use":"sig","alg":"RS256","n":%q,"e":%q}]}`, modulus, encode(big.NewInt(int64(key.E)).Bytes()))
				}
				return answer(r, body)
			})
			defer h.intercept(nil, nil)
			id, err := p.Finish(t.Context(), back, b.Kept)
			if tt.cause == "" {
				if err != nil || id.Subject != "sub-sok" || !id.EmailVerified {
					t.Fatalf("got %+v, %v", id, err)
				}
				return
			}
			var e *protocol.Error
			if !errors.As(err, &e) || e.Code != protocol.CodeNotPermitted || !strings.Contains(fmt.Sprint(e.Err), tt.cause) {
				t.Errorf("got %v; want it refused for %s", err, tt.cause)
			}
		})
	}
}
