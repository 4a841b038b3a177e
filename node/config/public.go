package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/asean-tmh/tmh/node/mail"
)

// TLS names the certificate that pages and API are served with.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// SMTP is the server that takes the node's mail.
type SMTP struct {
	Host         string `yaml:"host"`
	Port         int    `yaml:"port"`
	TLS          string `yaml:"tls"`
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	CA           string `yaml:"ca"`
	From         string `yaml:"from"`
}

// Server is the settings as node/mail takes them.
func (s SMTP) Server() mail.Server {
	return mail.Server{Host: s.Host, Port: s.Port, TLS: mail.TLS(s.TLS), Username: s.Username, PasswordFile: s.PasswordFile, CA: s.CA, From: s.From}
}

// OIDC is a provider that people may sign in through.
type OIDC struct {
	Issuer           string `yaml:"issuer"`
	ClientID         string `yaml:"client_id"`
	ClientSecretFile string `yaml:"client_secret_file"`
	Name             string `yaml:"name"`
}

// Agency hosts the node, and is whom a listing says to ask.
type Agency struct {
	Name  string `yaml:"name"`
	Email string `yaml:"email"`
	Phone string `yaml:"phone"`
	URL   string `yaml:"url"`
}

// Site is the agency as mail is signed with it.
func (f *File) Site() mail.Site {
	s := mail.Site{Name: f.Agency.Name, Email: f.Agency.Email, Phone: f.Agency.Phone, URL: f.PublicURL}
	if s.Name == "" {
		s.Name = f.Member
	}
	return s
}

// Proxies are networks whose word about an address is believed.
type Proxies []netip.Prefix

// UnmarshalYAML reads addresses and networks.
func (p *Proxies) UnmarshalYAML(n *yaml.Node) error {
	var texts []string
	if err := n.Decode(&texts); err != nil {
		return err
	}
	*p = nil
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if addr, aerr := netip.ParseAddr(text); aerr == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("line %d: trusted_proxies: %q is neither an address nor a network: write it as 127.0.0.1 or 10.0.0.0/24", n.Line, text)
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}

// checkPublic reports the faults of what strangers and people meet: addresses, certificates, mail, sign-in, the agency.
func (f *File) checkPublic(wrong func(key, format string, args ...any)) {
	if f.PublicURL != "" {
		checkURL(wrong, "public_url", f.PublicURL, "https://hub.example.org")
		if u, err := url.Parse(f.PublicURL); err == nil && u.Path != "" && u.Path != "/" {
			wrong("public_url", "%q has a path: the node wants a host of its own, such as https://hub.example.org", f.PublicURL)
		}
		f.PublicURL = strings.TrimSuffix(f.PublicURL, "/")
	}
	if (f.TLS.Cert == "") != (f.TLS.Key == "") {
		wrong("tls", "names only one of cert and key: name both, or neither")
	}
	if f.TLS.Cert != "" && f.HTTP == "" {
		wrong("tls", "is given, though http is empty and nothing is served")
	}
	for _, p := range f.Proxies {
		if p.Bits() == 0 {
			wrong("trusted_proxies", "%s is everybody: name only the proxies themselves", p)
		}
	}
	f.SMTP.Server().Check(func(key, format string, args ...any) { wrong("smtp."+key, format, args...) })
	if f.SMTP.Host != "" && f.PublicURL == "" {
		wrong("public_url", "is empty, though mail is sent: links in it would lead nowhere")
	}
	f.checkOIDC(wrong)
	f.Agency.check(wrong)
}

func (f *File) checkOIDC(wrong func(key, format string, args ...any)) {
	o := f.OIDC
	if o.Issuer == "" {
		if o.ClientID != "" || o.ClientSecretFile != "" || o.Name != "" {
			wrong("oidc.issuer", "is empty, though other settings of the provider are given: say where it is, or leave all of them empty")
		}
		return
	}
	checkURL(wrong, "oidc.issuer", o.Issuer, "https://login.example.org")
	if o.ClientID == "" {
		wrong("oidc.client_id", "is empty: the provider's operator gives it")
	}
	checkLine(wrong, "oidc.client_id", o.ClientID, 255)
	checkLine(wrong, "oidc.name", o.Name, 60)
	if f.PublicURL == "" {
		wrong("public_url", "is empty, though people sign in through %s: it sends them back there", "oidc.issuer")
	}
}

func (a *Agency) check(wrong func(key, format string, args ...any)) {
	checkLine(wrong, "agency.name", a.Name, 200)
	checkLine(wrong, "agency.phone", a.Phone, 40)
	if a.Email != "" {
		if _, err := mail.CheckAddress(a.Email); err != nil {
			wrong("agency.email", "%q is no e-mail address: write it as help@example.org", a.Email)
		}
	}
	if a.URL != "" {
		if u, err := url.Parse(a.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(a.URL) > 500 {
			wrong("agency.url", "%q is no web address: write it as https://www.example.org", a.URL)
		}
	}
}

// checkURL accepts an https address of a host, and http on this machine.
func checkURL(wrong func(key, format string, args ...any), key, text, example string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || len(text) > 500,
		u.Scheme != "https" && u.Scheme != "http":
		wrong(key, "%q is no address: write it as %s", text, example)
	case u.Scheme == "http" && !onThisMachine(u.Hostname()):
		wrong(key, "%q is not encrypted: passwords and sessions would travel in the open. Write it as %s", text, example)
	}
}

func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

func checkLine(wrong func(key, format string, args ...any), key, text string, most int) {
	if utf8.RuneCountInString(text) > most || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		wrong(key, "is one line of at most %d characters", most)
	}
}
