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
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
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
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
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
