package door

import (
	"net/http"
	"net/netip"
	"strings"
)

// Where a request comes from, behind proxies.

// mostHops of X-Forwarded-For are looked at.
const mostHops = 32

// clientAddress tells where a request comes from. Where the peer is a trusted proxy that is the right-most address of
// X-Forwarded-For that is no trusted proxy itself: what stands left of it anybody may have written. Where a proxy wrote
// something that is no address, it is that proxy. The address is invalid where there is none, as at a unix socket.
func clientAddress(trusted []netip.Prefix, r *http.Request) netip.Addr {
	believed := func(a netip.Addr) bool {
		for _, p := range trusted {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
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
