package p2p

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/p2p/transport/websocket"
	"github.com/libp2p/go-libp2p/x/rate"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"
)

const (
	dialTimeout = 8 * time.Second
	mebibyte    = 1 << 20
	nodeMemory  = 256 * mebibyte // that libp2p may buffer: fixed, as AutoScale looks at the machine and not at the cgroup
	nodeFiles   = 1024
	maxConns    = 2 * 256 // a connection to each of 256 members, and one more while two dial each other at once
)

// open builds n.host and listens. libp2p itself is content when one of several addresses works, so it is told of none,
// and they are opened here one by one.
func (n *Net) open() error {
	key, err := crypto.UnmarshalEd25519PrivateKey(n.cfg.Key)
	if err != nil {
		return fmt.Errorf("transport key: %w", err)
	}
	limits, err := n.resourceManager()
	if err != nil {
		return fmt.Errorf("resource manager: %w", err)
	}
	opts := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.UserAgent("tmh"),
		libp2p.ProtocolVersion("tmh/1"),
		libp2p.Security(libp2ptls.ID, libp2ptls.New),
		libp2p.Security(noise.ID, noise.New),
		libp2p.ResourceManager(limits),
		// Only members are ever connected, so there is nobody to trim.
		libp2p.ConnectionManager(connmgr.NullConnMgr{}),
		libp2p.ConnectionGater(gater{n}),
		libp2p.BandwidthReporter(&n.traffic),
		libp2p.WithDialTimeout(dialTimeout),
		libp2p.DisableIdentifyAddressDiscovery(), // addresses come from cards
		// The detectors of black holes refuse nearly every dial after a long outage of all members, and so kept two halves
		// of the federation apart for over a minute after their network was whole again.
		libp2p.UDPBlackHoleSuccessCounter(nil),
		libp2p.IPv6BlackHoleSuccessCounter(nil),
	}
	if n.cfg.ListenUDP == nil {
		opts = append(opts, transports()...)
	} else {
		opts = append(opts, n.simulated()...)
	}
	opts = append(opts, libp2p.NoListenAddrs) // after EnableRelay, which it would otherwise turn off
	if n.cfg.Metrics == nil {
		opts = append(opts, libp2p.DisableMetrics())
	} else {
		opts = append(opts, libp2p.PrometheusRegisterer(n.cfg.Metrics))
	}
	if relays := relaysOf(n.cfg.Announce); len(relays) > 0 {
		// A relay that was away is asked again soon: libp2p would wait for an hour.
		opts = append(opts, libp2p.ForceReachabilityPrivate(), libp2p.EnableAutoRelayWithStaticRelays(relays,
			autorelay.WithBootDelay(0), autorelay.WithMinInterval(longestWait), autorelay.WithBackoff(longestWait)))
	} else {
		opts = append(opts, libp2p.ForceReachabilityPublic()) // probing would be for nothing, and the relay service wants it
	}
	if n.cfg.Relay {
		// A relay with limits makes connections that gossipsub passes by without a word.
		opts = append(opts, libp2p.EnableRelayService(relay.WithInfiniteLimits(), relay.WithACL(gater{n})))
	}
	if len(n.cfg.Announce) > 0 {
		announce := multiaddrs(n.cfg.Announce)
		opts = append(opts, libp2p.AddrsFactory(func([]ma.Multiaddr) []ma.Multiaddr { return announce }))
	}
	if n.host, err = libp2p.New(opts...); err != nil {
		return fmt.Errorf("start libp2p: %w", err)
	}
	for i, a := range multiaddrs(n.cfg.Listen) {
		if err := n.swarm().AddListenAddr(a); err != nil {
			return fmt.Errorf("listen on %s: %w", n.cfg.Listen[i], err)
		}
	}
	return nil
}

func (n *Net) swarm() *swarm.Swarm { return n.host.Network().(*swarm.Swarm) }

// transports by name, which keeps WebRTC and WebTransport out of the process. A pre-shared key is not used: it would
// forbid QUIC, and membership is the gater's.
func transports() []libp2p.Option {
	return []libp2p.Option{
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Transport(libp2pquic.NewTransport),
		libp2p.Transport(websocket.New),
		libp2p.ShareTCPListener(), // one TCP port for plain and WebSocket
		libp2p.EnableRelay(),      // so that a card may name an address through a relay
	}
}

// simulated is QUIC over Config.ListenUDP.
func (n *Net) simulated() []libp2p.Option {
	var source sourceIP
	build := func(reset quic.StatelessResetKey, token quic.TokenGeneratorKey, opts ...quicreuse.Option) (*quicreuse.ConnManager, error) {
		m, err := quicreuse.NewConnManager(reset, token, opts...)
		if err == nil {
			n.closers = append(n.closers, m.Close)
		}
		return m, err
	}
	return []libp2p.Option{
		libp2p.Transport(libp2pquic.NewTransport),
		libp2p.DisableRelay(),
		libp2p.QUICReuse(build,
			quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return &source, nil }),
			quicreuse.OverrideListenUDP(func(_ string, a *net.UDPAddr) (net.PacketConn, error) {
				source.ip.Store(&a.IP)
				return n.cfg.ListenUDP(a)
			}),
		),
	}
}

// sourceIP is the address last listened on.
type sourceIP struct{ ip atomic.Pointer[net.IP] }

func (s *sourceIP) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) {
	if ip := s.ip.Load(); ip != nil {
		return *ip, nil
	}
	return net.IPv4zero, nil
}

// resourceManager keeps libp2p's defaults where they suit a closed federation. Per address they do not: behind one proxy
// or bridge 8 connections and 1 more each 5 s are too few (loopback is exempt, so that tests would never notice).
func (n *Net) resourceManager() (network.ResourceManager, error) {
	limits := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&limits)
	limits.SystemBaseLimit.Conns, limits.SystemBaseLimit.ConnsInbound, limits.SystemBaseLimit.ConnsOutbound = 2*maxConns, maxConns, maxConns
	const perPeer, all = 2 * laneWidth, 64 * laneWidth // streams of one protocol in each direction
	for _, id := range []protocol.ID{syncProtocol, charterProtocol, recordProtocol} {
		limits.AddProtocolLimit(id,
			rcmgr.BaseLimit{Streams: 2 * all, StreamsInbound: all, StreamsOutbound: all, Memory: 64 * mebibyte}, rcmgr.BaseLimitIncrease{})
		limits.AddProtocolPeerLimit(id,
			rcmgr.BaseLimit{Streams: 2 * perPeer, StreamsInbound: perPeer, StreamsOutbound: perPeer, Memory: 32 * mebibyte},
			rcmgr.BaseLimitIncrease{})
	}
	each := rate.Limit{RPS: 5, Burst: 128}
	return rcmgr.NewResourceManager(
		rcmgr.NewFixedLimiter(limits.Scale(nodeMemory, nodeFiles)),
		rcmgr.WithMetrics(guard{n}),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: 128}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: 128}, {PrefixLength: 48, ConnCount: 256}},
		),
		rcmgr.WithConnRateLimiters(&rate.Limiter{
			GlobalLimit: rate.Limit{RPS: 50, Burst: 500},
			SubnetRateLimiter: rate.SubnetLimiter{
				IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: each}},
				IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: each}},
				GracePeriod:      time.Minute,
			},
		}),
	)
}

// relaysOf is whom a node that announces addresses through relays asks for a place there.
func relaysOf(announce []string) []peer.AddrInfo {
	var relays []peer.AddrInfo
	for _, a := range multiaddrs(announce) {
		if len(a) == 0 || a[len(a)-1].Protocol().Code != ma.P_CIRCUIT {
			continue
		}
		if relay, err := peer.AddrInfoFromP2pAddr(a[:len(a)-1]); err == nil {
			relays = append(relays, *relay)
		}
	}
	return relays
}

// multiaddrs parses what CheckAddress accepted.
func multiaddrs(list []string) []ma.Multiaddr {
	out := make([]ma.Multiaddr, len(list))
	for i, s := range list {
		out[i] = ma.StringCast(s)
	}
	return out
}
