package p2p

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asean-tmh/tmh/protocol"
)

// Config of a Net. Member, Key, Listen and Roster are required.
type Config struct {
	Member protocol.MemberID
	Key    ed25519.PrivateKey // transport identity: the peer id follows from it; it signs no records
	Listen []string           // multiaddrs; New fails unless every one is listened on
	// Announce is the multiaddrs for the member card; empty: what is listened on. A node that cannot be reached announces
	// addresses through relays (…/p2p/RELAY/p2p-circuit), and keeps a place with each.
	Announce []string
	Roster   *protocol.Roster // see SetRoster
	Relay    bool             // relay for members that cannot be reached, without limits, members only
	Log      *slog.Logger     // nil: none
	Metrics  prometheus.Registerer
	// ListenUDP replaces the operating system's sockets, for simulations: QUIC is then the only transport. The Net closes
	// what it returns.
	ListenUDP func(addr *net.UDPAddr) (net.PacketConn, error)
}

// Handler is what the node does with what arrives. Methods are called concurrently, and Run waits for them when it ends:
// none may block for long after that. The member named is the one whose peer sent or passed on the message, which need
// not be its origin.
type Handler interface {
	// Changes takes the changes of one gossip message, in form and signed by current members (Roster.VerifyHeader).
	// Messages come one at a time; while it blocks, up to 4,096 wait and the rest are dropped.
	Changes(from protocol.MemberID, cs []*protocol.Change)
	// Head takes a head statement, verified likewise.
	Head(from protocol.MemberID, h *protocol.SignedHead)
	// Evidence takes two headers that one origin signed and that contradict each other, verified likewise.
	Evidence(from protocol.MemberID, e protocol.Evidence)
	// Answer calls send for every message of the answer; the last one must be Last or Refused. An error is sent as
	// Refused with its code. Send blocks while the asker does not read, and its error should be returned.
	Answer(ctx context.Context, from protocol.MemberID, r *protocol.Request, send func(*protocol.Answer) error) error
	// Papers are the charters from version from on and all cards, within protocol.MaxPapers bytes.
	Papers(from uint64) *protocol.Papers
	Library
	// Connected and Disconnected report another member's first connection and the loss of its last one, alternating per
	// member. They must return soon: redialling waits for them. Stopping reports no Disconnected.
	Connected(m protocol.MemberID)
	Disconnected(m protocol.MemberID)
}

// Library serves full records, and documents, to whom they are meant for. The entitlement is in form and not verified. Of an error the code and message of a protocol.Error travel, CodeInternal for others.
type Library interface {
	// Parts of a record; Refused is not read.
	Parts(ctx context.Context, from protocol.MemberID, e *protocol.SignedEntitlement) (*protocol.RecordAnswer, error)
	// Document is its bytes, which the caller closes.
	Document(ctx context.Context, from protocol.MemberID, e *protocol.SignedEntitlement, hash protocol.Hash) (io.ReadCloser, error)
}

// Net is a member's place in the federation's network.
type Net struct {
	cfg     Config
	log     *slog.Logger
	host    host.Host
	closers []func() error // after the host, in order
	view    atomic.Pointer[view]
	zip     *codec
	metrics *metrics
	traffic traffic
	budgets *budgets
	faults  *faults

	setting       sync.Mutex    // serialises SetRoster
	rosterChanged chan struct{} // wakes the redial loop; capacity 1
	asking        map[string]*lanes
	speakers      speakers
	gossip        atomic.Pointer[gossip] // while Run runs
	tap           tap                    // nil but in tests
	started       atomic.Bool
	closing       sync.Once
	closeErr      error
}

// New builds the host and listens. Run must follow, or Close.
func New(cfg Config) (*Net, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	n := &Net{
		cfg:           cfg,
		log:           cfg.Log,
		rosterChanged: make(chan struct{}, 1),
		asking:        map[string]*lanes{syncProtocol: newLanes(), charterProtocol: newLanes(), recordProtocol: newLanes()},
	}
	var err error
	if n.zip, err = newCodec(); err != nil {
		return nil, err
	}
	if n.metrics, err = newMetrics(cfg.Metrics); err != nil {
		return nil, err
	}
	n.budgets, n.faults = newBudgets(), newFaults(n.log, n.metrics)
	n.view.Store(newView(cfg.Roster, n.log)) // first: a relay is dialled, and others dial us, from the first moment
	if err := n.open(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	n.learn(&view{})
	return n, nil
}

func (c *Config) check() error {
	var errs []error
	if _, err := protocol.ParseMemberID(string(c.Member)); err != nil {
		errs = append(errs, err)
	}
	if len(c.Key) != ed25519.PrivateKeySize {
		errs = append(errs, errors.New("transport key is no ed25519 private key"))
	}
	if c.Roster == nil {
		errs = append(errs, errors.New("roster is absent"))
	}
	if len(c.Listen) == 0 {
		errs = append(errs, errors.New("no address to listen on"))
	}
	for _, a := range slices.Concat(c.Listen, c.Announce) {
		if err := CheckAddress(a); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close ends a Net that Run was never called on; Run itself ends with it. Closing twice is harmless.
func (n *Net) Close() error {
	n.closing.Do(func() {
		var errs []error
		if n.host != nil {
			errs = append(errs, n.host.Close())
		}
		for _, f := range n.closers {
			errs = append(errs, f())
		}
		n.closeErr = errors.Join(errs...)
	})
	return n.closeErr
}

// PeerID of this node, for its card.
func (n *Net) PeerID() string { return n.host.ID().String() }

// Addrs for this node's card: Config.Announce, or what is listened on (every interface's address for a wildcard).
func (n *Net) Addrs() []string {
	if len(n.cfg.Announce) > 0 {
		return slices.Clone(n.cfg.Announce)
	}
	addrs, err := n.host.Network().InterfaceListenAddresses()
	if err != nil {
		n.log.Warn("cannot resolve the addresses of the interfaces", "error", err)
		addrs = n.host.Network().ListenAddresses()
	}
	out := make([]string, 0, len(addrs))
	for _, a := range addrs {
		if CheckAddress(a.String()) == nil { // leaves out a relay's implicit /p2p-circuit
			out = append(out, a.String())
		}
	}
	return out
}

// Connected lists the other members to which a connection stands, ascending.
func (n *Net) Connected() []protocol.MemberID {
	v := n.view.Load()
	var out []protocol.MemberID
	for _, p := range n.host.Network().Peers() {
		m, ok := v.members[p]
		if ok && m != n.cfg.Member && n.up(p) {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Traffic is the bytes carried on streams so far, gossip included: after compression, without the transports' overhead.
func (n *Net) Traffic() (in, out uint64) { return n.traffic.in.Load(), n.traffic.out.Load() }

// up says that p is connected for gossip too, which passes by connections through a limiting relay.
func (n *Net) up(p peer.ID) bool { return n.host.Network().Connectedness(p) == network.Connected }

// PeerIDOf is the peer id of a transport key, in the text form that cards carry. Like crypto/ed25519 it panics on a key
// of another length.
func PeerIDOf(pub ed25519.PublicKey) string {
	if len(pub) != ed25519.PublicKeySize {
		panic(fmt.Sprintf("p2p: ed25519 public key of %d bytes", len(pub)))
	}
	key, err := crypto.UnmarshalEd25519PublicKey(pub)
	if err != nil {
		panic("p2p: " + err.Error())
	}
	id, err := peer.IDFromPublicKey(key)
	if err != nil {
		panic("p2p: " + err.Error())
	}
	return id.String()
}
