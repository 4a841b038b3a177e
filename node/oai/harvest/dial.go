package harvest

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

// Transport makes connections to the addresses that allow takes (nil: Public) and to no others. It asks after names are resolved, for every
// connection, so that neither a name nor a redirect leads elsewhere. Proxies of the environment are not used: they would dial for us.
//
// Ports are 80, 443 and those from 1024 on, where repositories often are; the others belong to services that are no web servers. Who uses it
// bounds what is read of a body, and follows redirects by CheckRedirect.
func Transport(allow func(netip.Addr) bool) *http.Transport {
	if allow == nil {
		allow = Public
	}
	dialer := &net.Dialer{
		Timeout: 15 * time.Second,
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || network != "tcp4" && network != "tcp6" {
				return ErrAddress
			}
			if !allow(to.Addr().Unmap()) || !portAllowed(to.Port()) {
				return ErrAddress
			}
			return nil
		},
	}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: 3 * time.Minute,
		IdleConnTimeout: 30 * time.Second, MaxIdleConns: 16, MaxIdleConnsPerHost: 2, MaxConnsPerHost: 4, MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2: true,
	}
}

func portAllowed(port uint16) bool { return port == 80 || port == 443 || port >= 1024 }

// CheckRedirect follows at most five redirects, to web addresses only, and never from an encrypted address to one that is not.
func CheckRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return protocol.Errorf(protocol.CodeValue, "url", "leads from one address to the next, over %d times: give the last one", maxRedirects)
	}
	if checkURL(req.URL) != nil {
		return protocol.Errorf(protocol.CodeValue, "url", "leads to an address that is not followed: give the repository's own")
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return protocol.Errorf(protocol.CodeValue, "url", "leads from an encrypted address to one that is not: tell the repository's keepers")
	}
	return nil
}

func checkURL(u *url.URL) error {
	wrong := func(message string) error { return protocol.Errorf(protocol.CodeValue, "url", "%s", message) }
	if u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" {
		return wrong("does not begin with https:// or http://")
	}
	if u.User != nil {
		return wrong("has a user's name in it: give the address without one")
	}
	if u.Hostname() == "" {
		return wrong("names no host")
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || !portAllowed(uint16(n)) {
			return wrong("names a port where no repository is: take 80, 443 or one from 1024 on")
		}
	}
	return nil
}

// Public says whether a is a unicast address of the public internet: not of a private network, of this machine, of a link, of a provider's
// own services, nor one that such an address is wrapped in.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	if a.Is4() {
		return !within(a, reserved4())
	}
	raw := a.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a): // NAT64: an IPv4 address as seen from a network without IPv4
		return Public(netip.AddrFrom4([4]byte(raw[12:])))
	case netip.MustParsePrefix("2002::/16").Contains(a): // 6to4
		return Public(netip.AddrFrom4([4]byte(raw[2:6])))
	}
	return netip.MustParsePrefix("2000::/3").Contains(a) && !within(a, reserved6())
}

func within(a netip.Addr, networks []string) bool {
	for _, n := range networks {
		if netip.MustParsePrefix(n).Contains(a) {
			return true
		}
	}
	return false
}

// reserved4 and reserved6 are IANA's special-purpose networks beside those that net/netip knows.
func reserved4() []string {
	return []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"240.0.0.0/4",
		"168.63.129.16/32", // a cloud's service for its machines, within public space
	}
}

func reserved6() []string {
	return []string{"2001::/23", "2001:db8::/32", "3fff::/20"}
}
