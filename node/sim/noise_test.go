package sim

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"time"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	libprotocol "github.com/libp2p/go-libp2p/core/protocol"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"
	"google.golang.org/protobuf/proto"

	"github.com/asean-tmh/tmh/node/p2p"
)

// noise is a second host of a liar's, with its transport key, that knows libp2p and gossipsub and nothing of our protocol:
// node/p2p would not send what it sends. It has the liar's second place in the network.
type noise struct {
	host  host.Host
	close func() error
}

// sourceIP is the only address there is.
type sourceIP struct{ ip net.IP }

func (s sourceIP) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return s.ip, nil }

func (l *liar) newNoise() (*noise, error) {
	key, err := crypto.UnmarshalEd25519PrivateKey(l.seat.Transport)
	if err != nil {
		return nil, err
	}
	f := l.p.f
	place := f.index(l.id) + len(f.ids)
	listen, err := ma.NewMultiaddr(address(place))
	if err != nil {
		return nil, err
	}
	var managers []*quicreuse.ConnManager
	var source sourceIP
	build := func(reset quic.StatelessResetKey, token quic.TokenGeneratorKey, opts ...quicreuse.Option) (*quicreuse.ConnManager, error) {
		m, err := quicreuse.NewConnManager(reset, token, opts...)
		managers = append(managers, m)
		return m, err
	}
	x := new(noise)
	x.host, err = libp2p.New(libp2p.Identity(key), libp2p.Transport(libp2pquic.NewTransport), libp2p.DisableRelay(), libp2p.DisableMetrics(),
		libp2p.DisableIdentifyAddressDiscovery(), libp2p.ForceReachabilityPublic(), libp2p.ResourceManager(nil),
		libp2p.QUICReuse(build,
			quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return &source, nil }),
			quicreuse.OverrideListenUDP(func(_ string, a *net.UDPAddr) (net.PacketConn, error) {
				source.ip = a.IP
				return f.net.plug(place, a), nil
			})),
		libp2p.ListenAddrs(listen))
	if err != nil {
		return nil, err
	}
	x.close = func() error {
		err := x.host.Close()
		for _, m := range managers {
			err = errors.Join(err, m.Close())
		}
		return err
	}
	return x, nil
}

// makeNoise sends every member what is no request, on every stream protocol, and gossips what is no message.
func makeNoise(l *liar, ctx context.Context, round int) {
	if l.noise == nil {
		var err error
		if l.noise, err = l.newNoise(); err != nil {
			l.p.t.Errorf("%s makes no noise: %v", l.id, err)
			return
		}
	}
	bytes := make([]byte, 1+l.toss(4096))
	for i := range bytes {
		bytes[i] = byte(l.toss(256))
	}
	for _, m := range l.net.Connected() {
		l.whisper(ctx, round, string(m), bytes)
	}
}

func (l *liar) whisper(ctx context.Context, round int, m string, bytes []byte) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for id, seat := range l.p.f.seats {
		if string(id) != m {
			continue
		}
		to, err := peer.Decode(p2p.PeerIDOf(seat.Transport.Public().(ed25519.PublicKey)))
		if err != nil {
			l.p.t.Error(err)
			return
		}
		where, err := ma.NewMultiaddr(address(l.p.f.index(id)))
		if err != nil {
			l.p.t.Error(err)
			return
		}
		if err := l.noise.host.Connect(ctx, peer.AddrInfo{ID: to, Addrs: []ma.Multiaddr{where}}); err != nil {
			return // cut off, or refused: as it should be some day
		}
		streams := []libprotocol.ID{"/tmh/sync/1", "/tmh/charter/1", "/tmh/record/1", pubsub.GossipSubID_v12, pubsub.GossipSubID_v12}
		s, err := l.noise.host.NewStream(ctx, to, streams[round%len(streams)])
		if err != nil {
			return
		}
		if round%len(streams) == 4 {
			bytes = l.gibberish(bytes)
		}
		_, _ = s.Write(bytes) // it may be reset meanwhile
		_ = s.Close()
	}
}

// gibberish is a message of gossipsub's with what is none of ours.
func (l *liar) gibberish(bytes []byte) []byte {
	federation := l.roster.Federation()
	var rpc pb.RPC
	for _, name := range []string{"changes", "heads", "control"} {
		topic := "/tmh/" + hex.EncodeToString(federation[:8]) + "/" + name + "/1"
		rpc.Publish = append(rpc.Publish, &pb.Message{Data: bytes, Topic: &topic})
	}
	body, err := proto.Marshal(&rpc)
	if err != nil {
		l.p.t.Error(err)
	}
	return append(binary.AppendUvarint(nil, uint64(len(body))), body...)
}

// hush ends the noise.
func (l *liar) hush() {
	if l.noise == nil {
		return
	}
	if err := l.noise.close(); err != nil {
		l.p.t.Errorf("%s: end of noise: %v", l.id, err)
	}
	l.noise = nil
}
