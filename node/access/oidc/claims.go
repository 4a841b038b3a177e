package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// claims are what we read of an ID token and of the userinfo answer.
type claims struct {
	Email         string
	EmailVerified bool
	Name          string
}

// readClaims takes what has the right form and leaves the rest: only the subject is required of a provider.
func readClaims(all map[string]json.RawMessage) (c claims) {
	_ = json.Unmarshal(all["email"], &c.Email)
	_ = json.Unmarshal(all["name"], &c.Name)
	// Some providers write the boolean as a text.
	switch string(all["email_verified"]) {
	case "true", `"true"`:
		c.EmailVerified = true
	}
	return c
}

// identity gathers the claims: those of the ID token, which is signed, and those that it lacks from the userinfo endpoint.
func (p *Provider) identity(ctx context.Context, settings *oidc.Provider, proof *oidc.IDToken, token *oauth2.Token) (Identity, error) {
	all := map[string]json.RawMessage{}
	if err := proof.Claims(&all); err != nil {
		return Identity{}, p.refused(errors.New("the ID token holds no object"))
	}
	c := readClaims(all)
	if settings.UserInfoEndpoint() != "" && (c.Email == "" || c.Name == "") {
		info, err := settings.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			// Its text may hold the answer's body, and with it a person's data.
			return Identity{}, p.unavailable(errors.New("the userinfo endpoint gave no answer of use"))
		}
		if info.Subject != proof.Subject {
			return Identity{}, p.refused(errors.New("the userinfo answer is about somebody else"))
		}
		more := map[string]json.RawMessage{}
		if err := info.Claims(&more); err != nil {
			return Identity{}, p.refused(errors.New("the userinfo answer holds no object"))
		}
		add := readClaims(more)
		if c.Email == "" { // with its own mark: never one answer's address with the other's
			c.Email, c.EmailVerified = add.Email, add.EmailVerified
		}
		if c.Name == "" {
			c.Name = add.Name
		}
	}
	id := Identity{Issuer: p.cfg.Issuer, Subject: proof.Subject, Email: c.Email, EmailVerified: c.EmailVerified, Name: clean(c.Name)}
	if !plausible(id.Email) {
		id.Email, id.EmailVerified = "", false
	}
	return id, nil
}

// plausible reports whether a text can be an e-mail address; whether it is one is for the account rules to say.
func plausible(email string) bool {
	local, domain, ok := strings.Cut(email, "@")
	return ok && local != "" && domain != "" && len(email) <= maxEmail && utf8.ValidString(email) &&
		!strings.ContainsFunc(email, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) && !strings.Contains(domain, "@")
}

// clean bounds a name and takes out what cannot be shown.
func clean(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, name))
	if utf8.RuneCountInString(name) > maxName {
		name = string([]rune(name)[:maxName])
	}
	return name
}
