package p2p

import (
	ma "github.com/multiformats/go-multiaddr"

	"github.com/asean-tmh/tmh/protocol"
)

// CheckAddress accepts the multiaddrs that nodes listen on, dial and put on cards:
//
//	HOST/tcp/PORT   HOST/tcp/PORT/ws   HOST/tcp/PORT/wss   HOST/tcp/PORT/tls/ws   HOST/udp/PORT/quic-v1
//	any of these followed by /p2p/RELAY/p2p-circuit
//
// where HOST is /ip4/…, /ip6/…, /dns/…, /dns4/… or /dns6/…. A peer id at the end is refused: cards carry it apart. The
// error is a *protocol.Error.
func CheckAddress(s string) error {
	if len(s) > protocol.MaxAddress {
		return protocol.Errorf(protocol.CodeTooLarge, "address", "has %d bytes, at most %d", len(s), protocol.MaxAddress)
	}
	a, err := ma.NewMultiaddr(s)
	if err != nil {
		return &protocol.Error{Code: protocol.CodeValue, Field: "address", Err: err,
			Message: quote(s) + " is no multiaddr: write it like /ip4/192.0.2.1/tcp/4001 or /dns4/node.example/udp/4001/quic-v1"}
	}
	codes := make([]int, 0, len(a))
	for _, c := range a {
		codes = append(codes, c.Protocol().Code)
	}
	if n := len(codes); n > 2 && codes[n-1] == ma.P_CIRCUIT && codes[n-2] == ma.P_P2P {
		codes = codes[:n-2]
	}
	if !dialable(codes) {
		return protocol.Errorf(protocol.CodeValue, "address",
			"%s is none that this node can use: host, then tcp (ws, wss) or udp with quic-v1, without a peer id at the end", quote(s))
	}
	return nil
}

func dialable(codes []int) bool {
	if len(codes) < 2 {
		return false
	}
	switch codes[0] {
	case ma.P_IP4, ma.P_IP6, ma.P_DNS, ma.P_DNS4, ma.P_DNS6:
	default:
		return false
	}
	transport, rest := codes[1], codes[2:]
	switch len(rest) {
	case 0:
		return transport == ma.P_TCP
	case 1:
		return transport == ma.P_TCP && (rest[0] == ma.P_WS || rest[0] == ma.P_WSS) ||
			transport == ma.P_UDP && rest[0] == ma.P_QUIC_V1
	case 2:
		return transport == ma.P_TCP && rest[0] == ma.P_TLS && rest[1] == ma.P_WS
	}
	return false
}

// quote shortens what somebody else wrote before it is quoted back.
func quote(s string) string {
	const limit = 80
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return `"` + s + `"`
}
