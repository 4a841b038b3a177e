package node

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// The certificate of pages and API, which is renewed while the node runs.

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
