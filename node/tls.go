package node

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// What stands between people and the node: the certificate, which is renewed while the node runs, and the proxies that say
// whom they speak for.

// certificateEvery is how often, at most, the files of a certificate are looked at.
const certificateEvery = 10 * time.Second

// certificate is a key pair read from files, and read anew when they change. A new pair that is broken, such as while only one
// of the files is replaced, leaves the old one in use.
type certificate struct {
	cert, key string
	now       func() time.Time
	log       *slog.Logger

	mu     sync.Mutex // guards what follows
	pair   *tls.Certificate
	read   [2]stamp // of the files that pair came from
	looked time.Time
	fault  string // of the last attempt, so that it is logged once
}

// stamp tells a replaced file from the one before.
type stamp struct {
	modified time.Time
	size     int64
}

// newCertificate reads the pair. now nil: time.Now.
func newCertificate(cert, key string, now func() time.Time, log *slog.Logger) (*certificate, error) {
	if now == nil {
		now = time.Now
	}
	c := &certificate{cert: cert, key: key, now: now, log: log, looked: now()}
	stamps, err := c.stamps()
	if err == nil {
		c.pair, err = c.load()
	}
	if err != nil {
		return nil, fmt.Errorf("the certificate of tls.cert and tls.key: %w", err)
	}
	c.read = stamps
	return c, nil
}

// config is for a server's ServeTLS, which adds HTTP/2 to it.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil }}
}

// expires is when the certificate in use ends.
func (c *certificate) expires() time.Time { return c.current().Leaf.NotAfter }

func (c *certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if since := now.Sub(c.looked); since >= 0 && since < certificateEvery {
		return c.pair
	}
	c.looked = now
	stamps, err := c.stamps()
	if err == nil && stamps == c.read {
		c.fault = ""
		return c.pair
	}
	var pair *tls.Certificate
	if err == nil {
		pair, err = c.load()
	}
	if err != nil {
		if c.fault != err.Error() {
			c.fault = err.Error()
			c.log.Error("the new certificate cannot be used; the old one stays", "error", err, "expires", c.pair.Leaf.NotAfter)
		}
		return c.pair
	}
	c.pair, c.read, c.fault = pair, stamps, ""
	c.log.Info("new certificate in use", "expires", pair.Leaf.NotAfter)
	return c.pair
}

// stamps are taken before the files are read: what is replaced in between is read anew at the next look.
func (c *certificate) stamps() (s [2]stamp, err error) {
	for i, path := range []string{c.cert, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return s, err
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}

func (c *certificate) load() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}

// mostHops of X-Forwarded-For are looked at.
const mostHops = 32

// clientIP tells where a request comes from. Where the peer is a trusted proxy that is the right-most address of
// X-Forwarded-For that is no trusted proxy itself: what stands left of it anybody may have written. Where a proxy wrote
// something that is no address, it is that proxy. The address is invalid where there is none, as at a unix socket.
func clientIP(trusted []netip.Prefix) func(*http.Request) netip.Addr {
	believed := func(a netip.Addr) bool {
		for _, p := range trusted {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	return func(r *http.Request) netip.Addr {
		at := address(r.RemoteAddr)
		header := r.Header["X-Forwarded-For"]
		for i, hops := len(header)-1, 0; i >= 0; i-- {
			rest, more := header[i], true
			for more {
				if hops++; hops > mostHops || !at.IsValid() || !believed(at) {
					return at
				}
				cut := strings.LastIndexByte(rest, ',')
				more = cut >= 0
				next := address(strings.TrimSpace(rest[cut+1:]))
				if !next.IsValid() {
					return at
				}
				at, rest = next, rest[:max(cut, 0)]
			}
		}
		return at
	}
}

// address reads an address with or without a port, an IPv4 one in IPv6 form as IPv4, and without a zone.
func address(s string) netip.Addr {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		p, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}
		}
		a = p.Addr()
	}
	return a.Unmap().WithZone("")
}
