package mail

import (
	"bytes"
	"context"
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
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/asean-tmh/tmh/store"
)

// postbox is a real SMTP server that keeps what it is given.
type postbox struct {
	mu       sync.Mutex
	got      []letter
	refuse   map[string]*smtp.SMTPError // by recipient
	sender   *smtp.SMTPError
	content  *smtp.SMTPError
	drop     bool // break the connection after taking a message, without saying so
	password string
	methods  []string
	hello    string
	arrived  chan struct{}
	server   *smtp.Server
	port     int
	listener net.Listener
	done     chan error
}

type letter struct {
	from string
	to   []string
	raw  []byte
}

type session struct {
	box  *postbox
	conn *smtp.Conn
	letter
	known bool
}

func (b *postbox) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{box: b, conn: c, known: b.password == ""}, nil
}

func (s *session) Reset()                   { s.letter = letter{} }
func (s *session) Logout() error            { return nil }
func (s *session) AuthMechanisms() []string { return s.box.methods }

func (s *session) check(user, password string) error {
	s.known = user == "hub" && password == s.box.password
	if !s.known {
		return smtp.ErrAuthFailed
	}
	return nil
}

func (s *session) Auth(mech string) (sasl.Server, error) {
	if mech == sasl.Login {
		return &loginServer{check: s.check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return s.check(user, password) }), nil
}

// loginServer asks for name and password, as LOGIN does.
type loginServer struct {
	check func(user, password string) error
	step  int
	user  string
}

func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.user, string(response))
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.hello = s.conn.Hostname()
	if !s.known {
		return smtp.ErrAuthRequired
	}
	if s.box.sender != nil {
		return s.box.sender
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	if err := s.box.refuse[to]; err != nil {
		return err
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	if s.box.content != nil {
		return s.box.content
	}
	s.raw = raw
	s.box.got = append(s.box.got, s.letter)
	if s.box.drop {
		s.box.drop = false
		return s.conn.Conn().Close()
	}
	select {
	case s.box.arrived <- struct{}{}:
	default:
	}
	return nil
}

func (b *postbox) letters() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]letter(nil), b.got...)
}

// open listens; change prepares server and box before. A port of 0 takes any free one.
func (b *postbox) open(t testing.TB, port int, conf *tls.Config, implicit bool) {
	t.Helper()
	b.server = smtp.NewServer(b)
	b.server.Domain, b.server.TLSConfig, b.server.AllowInsecureAuth = "mx.test", conf, !implicit && conf == nil
	b.server.ReadTimeout, b.server.WriteTimeout = 10*time.Second, 10*time.Second
	b.server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	tcp, err := net.ListenTCP("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	b.port = tcp.Addr().(*net.TCPAddr).Port
	var l net.Listener = tcp
	if implicit {
		l = tls.NewListener(l, conf)
	}
	b.listener, b.done = l, make(chan error, 1)
	server, done := b.server, b.done
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() { b.close(t) })
}

func (b *postbox) close(t testing.TB) {
	if b.server == nil {
		return
	}
	_ = b.server.Close()
	_ = b.listener.Close() // which the server does not know yet where it was only just started
	if err := <-b.done; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	b.server = nil
}

func newPostbox(t testing.TB) *postbox {
	t.Helper()
	b := &postbox{refuse: map[string]*smtp.SMTPError{}, methods: []string{sasl.Plain, sasl.Login}, arrived: make(chan struct{}, 1000)}
	b.open(t, 0, nil, false)
	return b
}

// certificate for a name, and its file as a trusted root.
func certificate(t testing.TB, names ...string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}

func secret(t testing.TB, s string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// clock is moved by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// desk is a queue over a real store, with what it logs.
type desk struct {
	*Queue
	store *store.Store
	clock *clock
	log   *bytes.Buffer
}

func newDesk(t testing.TB, server Server) *desk {
	t.Helper()
	s, err := store.Open(store.Config{MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d := &desk{store: s, clock: &clock{at: time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC)}, log: new(bytes.Buffer)}
	d.Queue, err = New(Config{Store: s, Server: server, Site: site(), Now: d.clock.now, Log: slog.New(slog.NewTextHandler(d.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func site() Site {
	return Site{Name: "Agency of Technology", Email: "help@agency.example", Phone: "+855 23 000 000", URL: "https://hub.agency.example"}
}

func local(b *postbox) Server {
	return Server{Host: "127.0.0.1", Port: b.port, TLS: None, From: "National Hub <hub@agency.example>"}
}

func invitation(name string) Invitation {
	return Invitation{Name: name, Organisation: "Institute of Rice", Role: "editor", Link: "https://hub.agency.example/join/0123456789abcdef",
		Until: time.Date(2026, 9, 28, 8, 0, 0, 0, time.UTC)}
}

func (d *desk) enqueue(t testing.TB, to string, m Message) {
	t.Helper()
	if err := d.store.Update(func(tx *store.Tx) error { return d.Enqueue(tx, to, m) }); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) health(t testing.TB) Health {
	t.Helper()
	h, err := d.Health()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (d *desk) failed(t testing.TB) (list []Failure) {
	t.Helper()
	if err := d.store.View(func(tx *store.Tx) (err error) { list, err = d.Failures(tx); return err }); err != nil {
		t.Fatal(err)
	}
	return list
}

func parsed(t testing.TB, l letter) *netmail.Message {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(l.raw))
	if err != nil {
		t.Fatalf("%v in\n%s", err, l.raw)
	}
	return m
}

func TestWaysToConnect(t *testing.T) {
	cert, ca := certificate(t, "127.0.0.1", "localhost")
	_, otherCA := certificate(t, "127.0.0.1")
	elsewhere, elsewhereCA := certificate(t, "mx.example.org")
	conf := &tls.Config{Certificates: []tls.Certificate{cert}}
	wrongName := &tls.Config{Certificates: []tls.Certificate{elsewhere}}
	right, wrong := secret(t, "correct horse\n"), secret(t, "battery staple")
	for name, c := range map[string]struct {
		server   Server
		conf     *tls.Config
		implicit bool
		methods  []string
		password string
		trouble  string // "" where it works
	}{
		"plain":                      {server: Server{TLS: None}},
		"plain with PLAIN":           {server: Server{TLS: None, Username: "hub", PasswordFile: right}, methods: []string{"PLAIN"}, password: "correct horse"},
		"plain with LOGIN":           {server: Server{TLS: None, Username: "hub", PasswordFile: right}, methods: []string{"LOGIN"}, password: "correct horse"},
		"starttls":                   {server: Server{TLS: StartTLS, CA: ca}, conf: conf},
		"starttls with PLAIN":        {server: Server{TLS: StartTLS, CA: ca, Username: "hub", PasswordFile: right}, conf: conf, methods: []string{"PLAIN"}, password: "correct horse"},
		"starttls with LOGIN":        {server: Server{TLS: StartTLS, CA: ca, Username: "hub", PasswordFile: right}, conf: conf, methods: []string{"LOGIN"}, password: "correct horse"},
		"implicit":                   {server: Server{TLS: Implicit, CA: ca}, conf: conf, implicit: true},
		"implicit with PLAIN":        {server: Server{TLS: Implicit, CA: ca, Username: "hub", PasswordFile: right}, conf: conf, implicit: true, methods: []string{"PLAIN"}, password: "correct horse"},
		"starttls is not offered":    {server: Server{TLS: StartTLS, CA: ca}, trouble: "does not speak as smtp.tls"},
		"certificate not trusted":    {server: Server{TLS: StartTLS, CA: otherCA}, conf: conf, trouble: "is not trusted"},
		"implicit, not trusted":      {server: Server{TLS: Implicit, CA: otherCA}, conf: conf, implicit: true, trouble: "is not trusted"},
		"certificate of another":     {server: Server{TLS: StartTLS, CA: elsewhereCA}, conf: wrongName, trouble: "not for that name"},
		"wrong password":             {server: Server{TLS: StartTLS, CA: ca, Username: "hub", PasswordFile: wrong}, conf: conf, methods: []string{"PLAIN"}, password: "correct horse", trouble: "refuses the user name or the password (535)"},
		"wrong password by LOGIN":    {server: Server{TLS: StartTLS, CA: ca, Username: "hub", PasswordFile: wrong}, conf: conf, methods: []string{"LOGIN"}, password: "correct horse", trouble: "refuses the user name or the password (535)"},
		"no password file":           {server: Server{TLS: StartTLS, CA: ca, Username: "hub", PasswordFile: right + "x"}, conf: conf, trouble: "cannot be read"},
		"no authority's certificate": {server: Server{TLS: StartTLS, CA: right}, conf: conf, trouble: "smtp.tls"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &postbox{methods: c.methods, password: c.password, arrived: make(chan struct{}, 10)}
			b.open(t, 0, c.conf, c.implicit)
			c.server.Host, c.server.Port, c.server.From = "127.0.0.1", b.port, "hub@agency.example"
			d := newDesk(t, c.server)
			d.enqueue(t, "somebody@uni.example", invitation("Somebody"))
			d.round(t.Context())
			h := d.health(t)
			perr := c.server.Probe(t.Context())
			if c.trouble == "" {
				if n := len(b.letters()); n != 1 || h.Waiting != 0 || h.Trouble != "" || h.Sent != 1 || perr != nil {
					t.Errorf("%d letters, %+v, probe %v\n%s", n, h, perr, d.log)
				}
				return
			}
			if len(b.letters()) != 0 || h.Waiting != 1 || !strings.Contains(h.Trouble, c.trouble) || perr == nil || !strings.Contains(perr.Error(), c.trouble) {
				t.Errorf("%+v, probe %v\n%s", h, perr, d.log)
			}
			for _, s := range []string{"battery", "correct horse", "somebody@", "Somebody"} {
				if strings.Contains(d.log.String()+h.Trouble, s) {
					t.Errorf("log or health names %q:\n%s", s, d.log)
				}
			}
		})
	}
}

func TestServerUnreachable(t *testing.T) {
	b := newPostbox(t)
	s := local(b)
	b.close(t)
	if err := s.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("%v", err)
	}
}

// Without TLS nothing leaves this machine, even where the name of the host resolves elsewhere.
func TestPlainStaysHere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := (Server{TLS: None}).connect(t.Context(), "tcp", l.Addr().String(), nil)
	if err != nil {
		t.Fatalf("to this machine: %v", err)
	}
	conn.Close()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip := a.(*net.IPNet).IP
		if ip.IsLoopback() || ip.To4() == nil {
			continue
		}
		outer, err := net.Listen("tcp", net.JoinHostPort(ip.String(), "0"))
		if err != nil {
			continue
		}
		defer outer.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if conn, err := (Server{TLS: None}).connect(ctx, "tcp", outer.Addr().String(), nil); err == nil {
			conn.Close()
			t.Errorf("a connection without TLS to %s was made", ip)
		}
		return
	}
	t.Skip("this machine has no address but loopback: give it a network interface to see mail without TLS refused")
}

func TestServerCheck(t *testing.T) {
	good := Server{Host: "mx.example.org", Port: 587, TLS: StartTLS, From: "Hub <hub@example.org>", Username: "hub", PasswordFile: "p"}
	faults := func(s Server) (keys string) {
		s.Check(func(key, format string, args ...any) { keys += key + " " })
		return strings.TrimSpace(keys)
	}
	for name, c := range map[string]struct {
		change func(s *Server)
		want   string
	}{
		"good":                 {func(*Server) {}, ""},
		"off":                  {func(s *Server) { *s = Server{Port: 587, TLS: StartTLS} }, ""},
		"off with a sender":    {func(s *Server) { s.Host = "" }, "host"},
		"host with port":       {func(s *Server) { s.Host = "mx.example.org:25" }, "host"},
		"host with break":      {func(s *Server) { s.Host = "mx\r\nRSET" }, "host"},
		"IPv6":                 {func(s *Server) { s.Host = "2001:db8::1" }, ""},
		"socket":               {func(s *Server) { s.Host = "unix:///tmp/x" }, "host"},
		"no sender":            {func(s *Server) { s.From = "" }, "from"},
		"sender with break":    {func(s *Server) { s.From = "hub@example.org\r\nBcc: all@example.org" }, "from"},
		"two senders":          {func(s *Server) { s.From = "a@example.org, b@example.org" }, "from"},
		"no password":          {func(s *Server) { s.PasswordFile = "" }, "password_file"},
		"no user":              {func(s *Server) { s.Username = "" }, "username"},
		"port":                 {func(s *Server) { s.Port = 0 }, "port"},
		"plain elsewhere":      {func(s *Server) { s.TLS = None }, "tls"},
		"plain to a lookalike": {func(s *Server) { s.TLS, s.Host = None, "localhost.example.org" }, "tls"},
		"plain here":           {func(s *Server) { s.TLS, s.Host = None, "::1" }, ""},
		"unknown tls":          {func(s *Server) { s.TLS = "ssl" }, "tls"},
		"all at once":          {func(s *Server) { *s = Server{Host: "a b", Port: 70000, TLS: "x"} }, "host from port tls"},
	} {
		s := good
		c.change(&s)
		if got := faults(s); got != c.want {
			t.Errorf("%s: faults of %q, want %q", name, got, c.want)
		}
	}
	if _, err := New(Config{Server: Server{Host: "a b"}}); err == nil {
		t.Error("a queue with wrong settings was made")
	}
}
