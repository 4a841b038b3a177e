// Package oidc lets people sign in at a provider of identities that their country or institution runs: OpenID Connect,
// authorization code flow with PKCE (S256), state and nonce.
//
// Begin gives the address at the provider, and a value that the caller keeps in the browser: a cookie that scripts cannot
// read, SameSite=Lax, since the provider's redirect must bring it back. Finish takes what came back. The value is sealed
// with a key that lives as long as the process; it is good for ten minutes and for one answer. So nothing is kept here for
// strangers who begin and never finish.
//
// A provider that is down stops nobody but those who sign in there: its settings are fetched when they are first needed, and
// again after a failure.
//
// Rows of store.TableIdentity say which user an identity stands for (link.go).
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/asean-tmh/tmh/protocol"
)

// Config of a Provider.
type Config struct {
	Issuer       string   // the provider's identifier, an https address, exactly as the provider writes it
	ClientID     string   // of this node at the provider
	ClientSecret string   // "" for a public client
	RedirectURL  string   // where the provider sends people back: an address of this node, registered there
	Scopes       []string // beside openid; nil: profile and email

	Now func() time.Time // nil: time.Now
}

// Limits.
const (
	Lifetime    = 10 * time.Minute // of what Begin gives
	MaxCallback = 4 << 10          // bytes of a code, and of what the browser kept
	maxAnswer   = 1 << 20          // bytes of one answer of the provider
	maxUsed     = 8192             // answers remembered, so that none is taken twice
	slowest     = 10 * time.Second // for one request to the provider
	freshFor    = time.Hour        // the provider's settings
	retryAfter  = 5 * time.Second  // a failure to fetch them
	maxSubject  = 255              // bytes, OpenID Connect Core §2
	maxEmail    = 254
	maxName     = 120
)

// Identity is what the provider says about who signed in. Subject is the one thing that stays; e-mail address and name
// change, and say nothing about accounts here (see SignIn).
type Identity struct {
	Issuer        string
	Subject       string
	Email         string
	EmailVerified bool
	Name          string
	For           string // what Begin was told
}

// Begun is a sign-in's first step.
type Begun struct {
	URL  string // at the provider, where the browser goes
	Kept string // stays with the browser until Finish
}

// Callback is what the provider's redirect brought: the parameters of its query.
type Callback struct {
	Code   string // code
	State  string // state
	Issuer string // iss, where the provider sends it (RFC 9207)
	Error  string // error
}

// Provider is one provider of identities. Its methods are safe for concurrent use.
type Provider struct {
	cfg      Config
	client   *http.Client
	sealer   *sealer
	used     *used
	settings settings
}

// New makes a Provider. It asks nothing yet.
func New(cfg Config) (*Provider, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Scopes == nil {
		cfg.Scopes = []string{"profile", "email"}
	}
	if !slices.Contains(cfg.Scopes, oidc.ScopeOpenID) {
		cfg.Scopes = append([]string{oidc.ScopeOpenID}, cfg.Scopes...)
	}
	for key, address := range map[string]string{"issuer": cfg.Issuer, "redirect_url": cfg.RedirectURL} {
		if err := checkAddress(address); err != nil {
			return nil, fmt.Errorf("oidc.%s: %w", key, err)
		}
	}
	if cfg.ClientID == "" {
		return nil, errors.New("oidc.client_id: missing; the provider gives it when this node is registered there")
	}
	s, err := newSealer()
	if err != nil {
		return nil, err
	}
	p := &Provider{cfg: cfg, client: newClient(), sealer: s, used: newUsed(maxUsed)}
	p.settings.busy = make(chan struct{}, 1)
	return p, nil
}

// checkAddress accepts https, and http on this machine.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("%q is no address: write it as https://login.example.org", address)
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		return fmt.Errorf("%q is not https: names and secrets would travel in the clear", address)
	}
	return nil
}

// Begin begins a sign-in. forUser is the user who is signed in already and links an identity to his account, "" for anybody
// else; SignIn holds it against the session.
//
// Errors: CodeUnavailable where the provider does not answer.
func (p *Provider) Begin(ctx context.Context, forUser string) (Begun, error) {
	if len(forUser) > maxSubject {
		return Begun{}, protocol.Errorf(protocol.CodeTooLarge, "user", "no id of a user")
	}
	settings, err := p.discover(ctx)
	if err != nil {
		return Begun{}, err
	}
	k := kept{ID: rand.Text(), State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), For: forUser, Until: p.cfg.Now().Add(Lifetime).Unix()}
	sealed, err := p.sealer.seal(k)
	if err != nil {
		return Begun{}, p.internal(err)
	}
	return Begun{URL: p.oauth(settings).AuthCodeURL(k.State, oidc.Nonce(k.Nonce), oauth2.S256ChallengeOption(k.Verifier)), Kept: sealed}, nil
}

func (p *Provider) oauth(settings *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, RedirectURL: p.cfg.RedirectURL,
		Endpoint: settings.Endpoint(), Scopes: p.cfg.Scopes,
	}
}

// Finish tells whom the provider signed in. kept is what Begin gave to this browser.
//
// Errors: CodeNotPermitted where the answer does not belong to what was begun, is late, or came before; CodeUnavailable
// where the provider does not answer.
func (p *Provider) Finish(ctx context.Context, back Callback, keptValue string) (Identity, error) {
	now := p.cfg.Now()
	k, err := p.open(back, keptValue, now)
	if err != nil {
		return Identity{}, err
	}
	if back.Error != "" {
		return Identity{}, protocol.Errorf(protocol.CodeNotPermitted, "", "%s did not sign you in: begin again, or sign in another way", p.Host())
	}
	settings, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.oauth(settings).Exchange(ctx, back.Code, oauth2.VerifierOption(k.Verifier))
	if err != nil {
		return Identity{}, p.exchangeFault(err)
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return Identity{}, p.refused(errors.New("no ID token in the provider's answer"))
	}
	proof, err := settings.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: p.cfg.Now}).Verify(ctx, raw)
	if err != nil {
		return Identity{}, p.refused(err)
	}
	if err := p.check(proof, k, token.AccessToken); err != nil {
		return Identity{}, p.refused(err)
	}
	id, err := p.identity(ctx, settings, proof, token)
	id.For = k.For
	return id, err
}

// open checks that the callback belongs to what this browser began, and takes it once.
func (p *Provider) open(back Callback, keptValue string, now time.Time) (kept, error) {
	over := protocol.Errorf(protocol.CodeNotPermitted, "", "this sign-in is over, or was not begun in this browser (it lasts %d minutes): begin again", int(Lifetime.Minutes()))
	if len(keptValue) > MaxCallback || len(back.Code) > MaxCallback || len(back.State) > MaxCallback {
		return kept{}, protocol.Errorf(protocol.CodeTooLarge, "", "the answer of %s has over %d bytes: begin again", p.Host(), MaxCallback)
	}
	k, err := p.sealer.open(keptValue)
	if err != nil || k.Verifier == "" || k.Nonce == "" || k.State == "" || now.Unix() >= k.Until {
		return kept{}, over
	}
	if subtle.ConstantTimeCompare([]byte(k.State), []byte(back.State)) != 1 {
		return kept{}, over
	}
	if !p.used.take(k.ID) {
		return kept{}, over
	}
	if back.Issuer != "" && back.Issuer != p.cfg.Issuer {
		return kept{}, p.refused(errors.New("the answer names another issuer"))
	}
	if back.Code == "" && back.Error == "" {
		return kept{}, p.refused(errors.New("neither code nor error in the answer"))
	}
	return k, nil
}

// check does what the verifier leaves to its caller (OpenID Connect Core §3.1.3.7 and §3.1.3.8).
func (p *Provider) check(proof *oidc.IDToken, k kept, accessToken string) error {
	if subtle.ConstantTimeCompare([]byte(k.Nonce), []byte(proof.Nonce)) != 1 {
		return errors.New("the ID token was made for another sign-in (nonce)")
	}
	var extra struct {
		AuthorizedParty string `json:"azp"`
	}
	if err := proof.Claims(&extra); err != nil {
		return errors.New("the ID token's azp is no text")
	}
	if len(proof.Audience) > 1 && extra.AuthorizedParty == "" || extra.AuthorizedParty != "" && extra.AuthorizedParty != p.cfg.ClientID {
		return errors.New("the ID token was made for another client (azp)")
	}
	if proof.AccessTokenHash != "" && proof.VerifyAccessToken(accessToken) != nil {
		return errors.New("the access token is not the ID token's (at_hash)")
	}
	if proof.Subject == "" || len(proof.Subject) > maxSubject || strings.ContainsFunc(proof.Subject, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("the ID token's subject is empty, too long, or not ASCII")
	}
	return nil
}

// Host names the provider to people.
func (p *Provider) Host() string {
	u, err := url.Parse(p.cfg.Issuer)
	if err != nil {
		return p.cfg.Issuer
	}
	return u.Host
}

// refused says the same of every faulty answer; the cause is for the log.
func (p *Provider) refused(err error) error {
	e := protocol.Errorf(protocol.CodeNotPermitted, "", "the answer of %s was not accepted: begin again, or sign in another way", p.Host())
	e.Err = err
	return e
}

func (p *Provider) unavailable(err error) error {
	e := protocol.Errorf(protocol.CodeUnavailable, "", "%s does not answer: try again in a minute, or sign in another way", p.Host())
	e.Err = err
	return e
}

func (p *Provider) internal(err error) error {
	e := protocol.Errorf(protocol.CodeInternal, "", "signing in at %s does not work at the moment: sign in another way", p.Host())
	e.Err = err
	return e
}

// exchangeFault keeps of a refused exchange what is no secret: the answer's body could hold tokens.
func (p *Provider) exchangeFault(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return p.unavailable(fmt.Errorf("exchange the code: %w", err))
	}
	status := 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	cause := fmt.Errorf("exchange the code: status %d, error %.64q", status, answer.ErrorCode)
	if status >= 500 {
		return p.unavailable(cause)
	}
	return p.refused(cause)
}
