package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/node/mail"
)

func TestPublicIsOffByDefault(t *testing.T) {
	f := Default()
	if f.PublicURL != "" || f.TLS != (TLS{}) || len(f.Proxies) != 0 || f.SMTP != (SMTP{Port: 587, TLS: "starttls"}) || f.OIDC != (OIDC{}) || f.Agency != (Agency{}) {
		t.Errorf("%+v", f)
	}
}

const public = `member: KH
public_url: https://hub.example.org/
tls: {cert: tls/cert.pem, key: /etc/key.pem}
trusted_proxies: [127.0.0.1, 10.1.2.3/24, "2001:db8::/32", "::1"]
smtp: {host: mail.example.org, port: 465, tls: implicit, username: hub, password_file: keys/smtp, ca: ca.pem, from: National Hub <hub@example.org>}
oidc: {issuer: https://login.example.org/realms/gov, client_id: tmh, client_secret_file: keys/oidc, name: GovPass}
agency: {name: Agency of Technology, email: help@example.org, phone: +855 23 000 000, url: https://www.example.org/tech}
`

func TestPublic(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, Name), []byte(public), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.PublicURL = "https://hub.example.org"
	want.TLS = TLS{filepath.Join(dir, "tls/cert.pem"), "/etc/key.pem"}
	want.SMTP = SMTP{"mail.example.org", 465, "implicit", "hub", filepath.Join(dir, "keys/smtp"), filepath.Join(dir, "ca.pem"), "National Hub <hub@example.org>"}
	want.OIDC = OIDC{"https://login.example.org/realms/gov", "tmh", filepath.Join(dir, "keys/oidc"), "GovPass"}
	want.Agency = Agency{"Agency of Technology", "help@example.org", "+855 23 000 000", "https://www.example.org/tech"}
	type settings struct {
		URL    string
		TLS    TLS
		SMTP   SMTP
		OIDC   OIDC
		Agency Agency
	}
	of := func(f File) settings { return settings{f.PublicURL, f.TLS, f.SMTP, f.OIDC, f.Agency} }
	if d := cmp.Diff(of(want), of(f)); d != "" {
		t.Error(d)
	}
	var nets Proxies
	for _, p := range []string{"127.0.0.1/32", "10.1.2.0/24", "2001:db8::/32", "::1/128"} {
		nets = append(nets, netip.MustParsePrefix(p))
	}
	if !slices.Equal(f.Proxies, nets) {
		t.Errorf("proxies %v, want %v", f.Proxies, nets)
	}
	if d := cmp.Diff(mail.Site{Name: "Agency of Technology", Email: "help@example.org", Phone: "+855 23 000 000", URL: "https://hub.example.org"}, f.Site()); d != "" {
		t.Error(d)
	}
	f.Agency.Name = ""
	if got := f.Site().Name; got != "KH" {
		t.Errorf("an agency without a name is called %q", got)
	}
}

func TestPublicFaults(t *testing.T) {
	for text, want := range map[string]string{
		"public_url: hub.example.org\n":                                                        "public_url: ",
		"public_url: http://hub.example.org\n":                                                 "not encrypted",
		"public_url: https://a:b@hub.example.org\n":                                            "public_url: ",
		"public_url: https://hub.example.org/tmh\n":                                            "has a path",
		"public_url: https://hub.example.org?x\n":                                              "public_url: ",
		"public_url: ftp://hub.example.org\n":                                                  "public_url: ",
		"tls: {cert: a}\n":                                                                     "tls: names only one",
		"tls: {cert: a, key: b}\nhttp: \"\"\n":                                                 "tls: is given",
		"tls: {certificate: a}\n":                                                              "certificate",
		"trusted_proxies: [0.0.0.0/0]\n":                                                       "trusted_proxies: 0.0.0.0/0 is everybody",
		"trusted_proxies: [\"::/0\"]\n":                                                        "is everybody",
		"trusted_proxies: [proxy.example.org]\n":                                               "trusted_proxies: \"proxy.example.org\"",
		"trusted_proxies: [\"fe80::1%eth0\"]\n":                                                "trusted_proxies",
		"smtp: {host: mail.example.org, from: a@b.org}\n":                                      "public_url: is empty, though mail",
		"public_url: https://h.org\nsmtp: {host: mail.example.org}\n":                          "smtp.from: ",
		"public_url: https://h.org\nsmtp: {host: m.org, from: a@b.org, tls: none}\n":           "smtp.tls: ",
		"smtp: {from: a@b.org}\n":                                                              "smtp.host: ",
		"smtp: {port: 0}\n":                                                                    "smtp.port: ",
		"smtp: {tls: ssl}\n":                                                                   "smtp.tls: ",
		"smtp: {password: x}\n":                                                                "password",
		"oidc: {client_id: x}\n":                                                               "oidc.issuer: is empty",
		"oidc: {issuer: \"https://l.org\", client_id: x}\n":                                    "public_url: is empty, though people",
		"public_url: https://h.org\noidc: {issuer: \"https://l.org\"}\n":                       "oidc.client_id: is empty",
		"public_url: https://h.org\noidc: {issuer: \"http://l.org\", client_id: x}\n":          "oidc.issuer: ",
		"public_url: https://h.org\noidc: {issuer: \"https://l.org\", client_id: \"x\\ny\"}\n": "oidc.client_id: is one line",
		"agency: {name: \"a\\nb\"}\n":                                                          "agency.name: ",
		"agency: {email: nobody}\n":                                                            "agency.email: ",
		"agency: {phone: " + strings.Repeat("1", 41) + "}\n":                                   "agency.phone: ",
		"agency: {url: \"javascript:alert(1)\"}\n":                                             "agency.url: ",
	} {
		if _, err := Parse([]byte("member: KH\n" + text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"public_url: http://localhost:8080\n", "public_url: http://127.0.0.1:8080\n", "public_url: http://kh.localhost:8080\n", "public_url: https://hub.example.org:8443\n"} {
		if _, err := Parse([]byte("member: KH\n" + text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, err := Parse([]byte("member: kh\npublic_url: x\ntls: {cert: a}\nsmtp: {port: 0}\noidc: {name: x}\nagency: {email: x}\n"))
	for _, want := range []string{"member:", "public_url:", "tls:", "smtp.port:", "oidc.issuer:", "agency.email:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not reported in: %v", want, err)
		}
	}
}
