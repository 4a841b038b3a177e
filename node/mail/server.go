package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/asean-tmh/tmh/protocol"
)

// TLS says how the connection to the mail server is secured.
type TLS string

// The ways.
const (
	StartTLS TLS = "starttls" // upgraded before anything is said; a server that cannot is refused
	Implicit TLS = "implicit" // TLS from the first byte
	None     TLS = "none"     // only to this machine
)

// Server is the SMTP server that takes the node's mail.
type Server struct {
	Host         string // empty: the node sends no mail
	Port         int
	TLS          TLS
	Username     string // empty: without authentication
	PasswordFile string // read at every connection
	CA           string // a file of certificates that are trusted besides the system's; empty: none
	From         string // the sender: an address, or a name and an address
}

// Check calls wrong for every fault of the settings, with the key at fault. It looks at no file and no network.
func (s Server) Check(wrong func(key, format string, args ...any)) {
	if s.Host == "" {
		if s.Username != "" || s.PasswordFile != "" || s.From != "" || s.CA != "" {
			wrong("host", "is empty, though other settings of mail are given: name the server, or leave all of them empty")
		}
	} else {
		if strings.ContainsFunc(s.Host, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }) || strings.Contains(s.Host, ":") && net.ParseIP(s.Host) == nil {
			wrong("host", "%q is no host: write it as mail.example.org, and the port under port", s.Host)
		}
		if _, err := s.sender(); err != nil {
			wrong("from", "%q is no sender: write it as hub@example.org or National Hub <hub@example.org>", s.From)
		}
		if s.Username != "" && s.PasswordFile == "" {
			wrong("password_file", "is empty, though a user name is given")
		}
		if s.Username == "" && s.PasswordFile != "" {
			wrong("username", "is empty, though a password file is given")
		}
	}
	if s.Port < 1 || s.Port > 65535 {
		wrong("port", "%d is no port: 587 for starttls and 465 for implicit are usual", s.Port)
	}
	switch s.TLS {
	case StartTLS, Implicit:
	case None:
		if ip := net.ParseIP(s.Host); s.Host != "" && s.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			wrong("tls", "none is only for a mail server on this machine (localhost): use starttls or implicit")
		}
	default:
		wrong("tls", "%q is none of starttls, implicit, none", string(s.TLS))
	}
}

// sender is From taken apart, with an address that can stand in a header and in a command.
func (s Server) sender() (*netmail.Address, error) {
	a, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, err
	}
	if _, err := CheckAddress(a.Address); err != nil {
		return nil, err
	}
	if a.Name != line(a.Name) {
		return nil, errors.New("a name with control characters")
	}
	return a, nil
}

// domain is the sender's. It stands in Message-IDs and greetings, where the machine's own name would say too much.
func (s Server) domain() string {
	a, err := s.sender()
	if err != nil {
		return "localhost"
	}
	return a.Address[strings.LastIndexByte(a.Address, '@')+1:]
}

// dialTimeout bounds every step of a conversation with the server.
const dialTimeout = 30 * time.Second

// connection to the server, ready to take mail.
type connection struct {
	client *gomail.Client
	smtp   *smtp.Client
	raw    net.Conn
}

// Probe connects, secures the connection, proves who the node is, and leaves: what a test of the settings wants.
func (s Server) Probe(ctx context.Context) error {
	c, err := s.dial(ctx)
	if err != nil {
		return &protocol.Error{Code: protocol.CodeUnavailable, Message: s.trouble(err), Err: err}
	}
	c.close()
	return nil
}

// dial opens a connection. Once ctx ends, it has five more seconds: what is half said is better finished than repeated.
func (s Server) dial(ctx context.Context) (_ *connection, err error) {
	conf := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.CA != "" {
		if conf.RootCAs, err = s.roots(); err != nil {
			return nil, err
		}
	}
	c := &connection{}
	defer func() {
		if err != nil && c.raw != nil {
			_ = c.raw.Close() // the first fault counts
		}
	}()
	opts := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithHELO(s.domain()), gomail.WithTimeout(dialTimeout), gomail.WithTLSConfig(conf),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := s.connect(ctx, network, address, conf)
			c.raw = raw
			return raw, err
		}),
	}
	plain, login := gomail.SMTPAuthPlain, gomail.SMTPAuthLogin
	switch s.TLS {
	case Implicit:
		opts = append(opts, gomail.WithSSL())
	case None:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
		plain, login = gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.Username != "" {
		password, err := os.ReadFile(s.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read smtp.password_file: %w", err)
		}
		opts = append(opts, gomail.WithUsername(s.Username), gomail.WithPassword(strings.TrimRight(string(password), "\r\n")),
			gomail.WithOpportunisticSMTPAuth(plain, login))
	}
	if c.client, err = gomail.NewClient(s.Host, opts...); err != nil {
		return nil, err
	}
	if c.smtp, err = c.client.DialToSMTPClientWithContext(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func (s Server) roots() (*x509.CertPool, error) {
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		return nil, fmt.Errorf("read smtp.ca: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("read smtp.ca: the file holds no certificate")
	}
	return pool, nil
}

// connect opens the connection. Without TLS it goes to this machine or nowhere, whatever the name resolves to.
func (s Server) connect(ctx context.Context, network, address string, conf *tls.Config) (net.Conn, error) {
	d := &net.Dialer{Timeout: dialTimeout}
	if s.TLS == Implicit {
		return (&tls.Dialer{NetDialer: d, Config: conf}).DialContext(ctx, network, address)
	}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); s.TLS == None && (!ok || !a.IP.IsLoopback()) {
		return nil, errors.Join(errors.New("mail without TLS goes only to this machine"), conn.Close())
	}
	return conn, nil
}

// trouble says in words why there is no connection. What the server said itself is for the log.
func (s Server) trouble(err error) string {
	where := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	var said *textproto.Error
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &said) && (said.Code == 535 || said.Code == 534 || said.Code == 530):
		return fmt.Sprintf("the mail server %s refuses the user name or the password (%d): see smtp.username and smtp.password_file", where, said.Code)
	case errors.As(err, &said):
		return fmt.Sprintf("the mail server %s answers %d", where, said.Code)
	case errors.As(err, &cert):
		return fmt.Sprintf("the certificate of the mail server %s is not trusted, or not for that name: see smtp.host and smtp.ca", where)
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return "smtp.password_file or smtp.ca cannot be read"
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Sprintf("the mail server %s cannot be reached", where)
	}
	return fmt.Sprintf("the mail server %s does not speak as smtp.tls %s and smtp.username want it", where, s.TLS)
}

func (c *connection) close() {
	_ = c.client.CloseWithSMTPClient(c.smtp) // what was sent is sent
	_ = c.raw.Close()
}
