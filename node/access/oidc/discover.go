package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// settings are what the provider publishes about itself. busy guards them: it is held while they are fetched, and whoever
// waits for it can give up.
type settings struct {
	busy     chan struct{}
	provider *oidc.Provider
	fetched  time.Time
	failed   time.Time // the last attempt, where it failed
	cause    error
}

// discover gives the provider's settings, fetched at most every hour. Where fetching them again fails, the ones held serve.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	s := &p.settings
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	case <-ctx.Done():
		return nil, p.unavailable(ctx.Err())
	}
	now := p.cfg.Now()
	if s.provider != nil && now.Sub(s.fetched) < freshFor {
		return s.provider, nil
	}
	if s.cause != nil && now.Sub(s.failed) < retryAfter {
		return s.held(p)
	}
	// Not the caller's context: one who gives up must not leave a failure for those who wait behind.
	fetching, cancel := context.WithTimeout(oidc.ClientContext(context.WithoutCancel(ctx), p.client), slowest)
	defer cancel()
	provider, err := oidc.NewProvider(fetching, p.cfg.Issuer)
	if err == nil {
		err = checkSettings(provider)
	}
	if err != nil {
		s.failed, s.cause = now, fmt.Errorf("fetch the provider's settings: %w", err)
		return s.held(p)
	}
	s.provider, s.fetched, s.cause = provider, now, nil
	return provider, nil
}

func (s *settings) held(p *Provider) (*oidc.Provider, error) {
	if s.provider != nil {
		return s.provider, nil
	}
	return nil, p.unavailable(s.cause)
}

// checkSettings refuses endpoints that would take a code or a secret in the clear.
func checkSettings(provider *oidc.Provider) error {
	var keys struct {
		URL string `json:"jwks_uri"`
	}
	if err := provider.Claims(&keys); err != nil {
		return err
	}
	all := map[string]string{
		"authorization_endpoint": provider.Endpoint().AuthURL, "token_endpoint": provider.Endpoint().TokenURL, "jwks_uri": keys.URL,
	}
	if u := provider.UserInfoEndpoint(); u != "" {
		all["userinfo_endpoint"] = u
	}
	for name, address := range all {
		if err := checkAddress(address); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Check asks the provider for its settings, unless they were asked for lately.
//
// Errors: CodeUnavailable.
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.discover(ctx)
	return err
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// newClient makes a client that waits and reads within bounds and follows no redirect: a provider's endpoints are where it
// says they are.
func newClient() *http.Client {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: slowest}).DialContext,
		TLSHandshakeTimeout: slowest, ResponseHeaderTimeout: slowest, IdleConnTimeout: time.Minute,
		MaxIdleConnsPerHost: 4, MaxConnsPerHost: 32, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
	}
	return &http.Client{
		Transport: bounded{transport}, Timeout: slowest,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded ends an answer's body with an error where it is longer than maxAnswer.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer}
	}
	return resp, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the provider's answer is too long")
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
