package door

import (
	"net/http"
	"net/netip"
)

// ClientAddress is where a request came from. The zero address: from this machine's own socket.
func ClientAddress(r *http.Request, _ []netip.Prefix) netip.Addr {
	p, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr().Unmap()
}
