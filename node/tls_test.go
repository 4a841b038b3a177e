package node

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// writePair makes a certificate with a serial number, and writes certificate and key where they are not "".
func writePair(t testing.TB, serial int64, cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "hub"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Duration(serial) * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if path == "" {
			continue
		}
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
		// The next version of a file has another time, even where the file system's clock is coarse.
		at := time.Unix(1700000000+serial, 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificateIsReloaded(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	var passed atomic.Int64
	begin := time.Now()
	now := func() time.Time { return begin.Add(time.Duration(passed.Load())) }
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	if _, err := newCertificate(cert, key, now, logger); err == nil || !strings.Contains(err.Error(), "tls.cert") {
		t.Fatalf("files that are not there: %v", err)
	}
	writePair(t, 1, cert, key)
	c, err := newCertificate(cert, key, now, logger)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{TLSConfig: c.config(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(l, "", "") }()
	defer func() {
		server.Close()
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	}()
	serial := func(max uint16) (n int64, err error) {
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: max, MinVersion: tls.VersionTLS10})
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
	}
	expect := func(when string, want int64) {
		t.Helper()
		if got, err := serial(tls.VersionTLS13); err != nil || got != want {
			t.Errorf("%s: certificate %d, want %d: %v", when, got, want, err)
		}
	}
	pass := func(d time.Duration) { passed.Add(int64(d)) }
	logged := func() string {
		c.mu.Lock() // whoever logs holds it
		defer c.mu.Unlock()
		return log.String()
	}
	expect("at first", 1)
	writePair(t, 2, cert, key)
	expect("before ten seconds passed", 1)
	pass(certificateEvery)
	expect("after ten seconds", 2)
	writePair(t, 3, cert, "")
	pass(certificateEvery)
	expect("a certificate without its key", 2)
	pass(certificateEvery)
	expect("and still", 2)
	if n := strings.Count(logged(), "the old one stays"); n != 1 {
		t.Errorf("the broken pair is logged %d times, want once:\n%s", n, logged())
	}
	writePair(t, 4, cert, key)
	pass(certificateEvery)
	expect("a whole pair again", 4)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	pass(certificateEvery)
	expect("a key that is gone", 4)
	writePair(t, 5, cert, key)
	if err := os.WriteFile(cert, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	pass(certificateEvery)
	expect("a certificate that is none", 4)
	writePair(t, 6, cert, key)
	pass(-time.Hour)
	expect("after the clock went back", 6)
	if got := c.expires(); time.Until(got) < 5*time.Hour || time.Until(got) > 6*time.Hour {
		t.Errorf("expires %s", got)
	}
	if strings.Contains(logged(), "PRIVATE") {
		t.Error("the log holds a key")
	}
	if _, err := serial(tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
	if _, err := serial(tls.VersionTLS12); err != nil {
		t.Errorf("TLS 1.2 is refused: %v", err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "HTTP/2.0" {
		t.Errorf("%q: %v", b, err)
	}
}

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, s := range texts {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func TestClientIP(t *testing.T) {
	trusted := prefixes("127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32")
	for _, c := range []struct {
		peer    string
		headers []string
		want    string
	}{
		{"192.0.2.1:5000", nil, "192.0.2.1"},
		{"192.0.2.1:5000", []string{"198.51.100.7"}, "192.0.2.1"}, // a stranger's word
		{"127.0.0.1:5000", nil, "127.0.0.1"},
		{"127.0.0.1:5000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"1.2.3.4, 198.51.100.7"}, "198.51.100.7"}, // the left one is the client's own claim
		{"127.0.0.1:5000", []string{"1.2.3.4", "198.51.100.7"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"198.51.100.7, 10.1.1.1 ,10.2.2.2"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"198.51.100.7, 10.1.1.1", "10.2.2.2"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1"}, // nobody but proxies
		{"127.0.0.1:5000", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"[2001:db9::7]:4711"}, "2001:db9::7"},
		{"127.0.0.1:5000", []string{"2001:db9::7"}, "2001:db9::7"},
		{"127.0.0.1:5000", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"[::ffff:127.0.0.1]:5000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"[2001:db8::1]:5000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"198.51.100.7, unknown"}, "127.0.0.1"}, // the nearest proxy did not know
		{"127.0.0.1:5000", []string{"198.51.100.7, unknown, 10.1.1.1"}, "10.1.1.1"},
		{"127.0.0.1:5000", []string{""}, "127.0.0.1"},
		{"127.0.0.1:5000", []string{"198.51.100.7,"}, "127.0.0.1"},
		{"127.0.0.1:5000", []string{"198.51.100.7", ""}, "127.0.0.1"},
		{"@", []string{"198.51.100.7"}, "invalid IP"},
		{"", nil, "invalid IP"},
		{"127.0.0.1:5000", []string{"198.51.100.7" + strings.Repeat(", 10.1.1.1", 100)}, "10.1.1.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.headers}}
		if got := clientIP(trusted)(r).String(); got != c.want {
			t.Errorf("%s with %.80q: %s, want %s", c.peer, c.headers, got, c.want)
		}
	}
	r := &http.Request{RemoteAddr: "127.0.0.1:5000", Header: http.Header{"X-Forwarded-For": {"198.51.100.7"}}}
	if got := clientIP(nil)(r).String(); got != "127.0.0.1" {
		t.Errorf("without trusted proxies: %s", got)
	}
}

// Whatever a client writes itself: behind an honest proxy, which adds the client's address on the right, it is known by that
// address, and nothing it writes makes it another.
func FuzzClientIP(f *testing.F) {
	f.Add("10.0.0.1", "198.51.100.7", "127.0.0.1:5000")
	f.Add("\r\n, ,,", "2001:db9::1", "10.0.0.1:1")
	f.Add(strings.Repeat("1.1.1.1,", 1000), "192.0.2.1", "192.0.2.1:80")
	trusted := prefixes("127.0.0.0/8", "10.0.0.0/8")
	tell := clientIP(trusted)
	f.Fuzz(func(t *testing.T, claims, client, peer string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {claims}}}
		at := address(peer)
		if got := tell(r); at.IsValid() && !trusted[0].Contains(at) && !trusted[1].Contains(at) && got != at {
			t.Errorf("a stranger at %s is taken for %s", at, got)
		}
		addr, err := netip.ParseAddr(client)
		if err != nil || trusted[0].Contains(addr.Unmap()) || trusted[1].Contains(addr.Unmap()) {
			return
		}
		r.RemoteAddr = "10.0.0.1:4000"
		for _, headers := range [][]string{{claims + ", " + client}, {claims, client}, {claims, client + ", 10.0.0.2"}} {
			r.Header["X-Forwarded-For"] = headers
			if got := tell(r); got != addr.Unmap().WithZone("") {
				t.Errorf("%q: %s, want %s", headers, got, addr)
			}
		}
	})
}
