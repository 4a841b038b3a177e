package p2p

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	bandwidth "github.com/libp2p/go-libp2p/core/metrics"
	"github.com/libp2p/go-libp2p/core/peer"
	libprotocol "github.com/libp2p/go-libp2p/core/protocol"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asean-tmh/tmh/protocol"
)

// metrics are counted always and shown where there is a registry.
type metrics struct {
	connected prometheus.Gauge
	refused   prometheus.Counter
	dials     *prometheus.CounterVec // result
	streams   *prometheus.CounterVec // protocol, side, result
	verdicts  *prometheus.CounterVec // topic, verdict, code
	gossip    *prometheus.CounterVec // event
	rejected  *prometheus.CounterVec // reason
	faults    *prometheus.CounterVec // member, fault
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tmh", Subsystem: "p2p", Name: name, Help: help}, labels)
	}
	m := &metrics{
		connected: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "tmh", Subsystem: "p2p", Name: "connected_members",
			Help: "Other members to which a connection stands."}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tmh", Subsystem: "p2p", Name: "refused_connections_total",
			Help: "Connections of peers that no current member's card names."}),
		dials: counter("dials_total", "Dials of members' peers, by result (ok, failed).", "result"),
		streams: counter("streams_total", "Streams, by protocol, side (asked, served) and result (ok, refused, failed, or a code).",
			"protocol", "side", "result"),
		verdicts: counter("verdicts_total", "Gossip messages verified, by topic, verdict (accept, ignore, reject) and code.",
			"topic", "verdict", "code"),
		gossip: counter("gossip_total", "Gossip messages: delivered, duplicate, undeliverable (subscription full), "+
			"dropped, which counts RPCs to a peer whose queue was full; and surplus, beyond the budget of the member that sent them.", "event"),
		rejected: counter("gossip_refused_total", "Gossip messages refused, ignored or dropped before delivery, by gossipsub's reason.", "reason"),
		faults:   counter("member_faults_total", "What members, or the network to them, did that no node of ours does.", "member", "fault"),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.connected, m.refused, m.dials, m.streams, m.verdicts, m.gossip, m.rejected, m.faults} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) dialed(err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	m.dials.WithLabelValues(result).Inc()
}

func (m *metrics) asked(id string, err error) {
	m.streams.WithLabelValues(id, "asked", result(err)).Inc()
}
func (m *metrics) served(id string, err error) {
	m.streams.WithLabelValues(id, "served", result(err)).Inc()
}

func result(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, errRefused):
		return "refused"
	}
	// A code that a peer invented must not become a label.
	if code := protocol.CodeOf(err); code == protocol.CodeUnavailable || code == protocol.CodeTruncated {
		return string(code)
	}
	return "failed"
}

// tracer counts what gossipsub does, its silent losses above all.
type tracer struct{ m *metrics }

var _ pubsub.RawTracer = tracer{}

// DeliverMessage to our subscriptions.
func (t tracer) DeliverMessage(*pubsub.Message) { t.m.gossip.WithLabelValues("delivered").Inc() }

// DuplicateMessage was seen before.
func (t tracer) DuplicateMessage(*pubsub.Message) { t.m.gossip.WithLabelValues("duplicate").Inc() }

// UndeliverableMessage found the subscription's buffer full.
func (t tracer) UndeliverableMessage(*pubsub.Message) {
	t.m.gossip.WithLabelValues("undeliverable").Inc()
}

// DropRPC found the peer's queue full.
func (t tracer) DropRPC(*pubsub.RPC, peer.ID) { t.m.gossip.WithLabelValues("dropped").Inc() }

// RejectMessage is rejected, ignored, throttled, or found the validation queue full.
func (t tracer) RejectMessage(_ *pubsub.Message, reason string) {
	t.m.rejected.WithLabelValues(reason).Inc()
}

// The rest is not counted.

func (tracer) OnNewOutboundStream(peer.ID, libprotocol.ID)          {}
func (tracer) OnClosedOutboundStream(peer.ID)                       {}
func (tracer) Join(string)                                          {}
func (tracer) Leave(string)                                         {}
func (tracer) Graft(peer.ID, string)                                {}
func (tracer) Prune(peer.ID, string)                                {}
func (tracer) ValidateMessage(*pubsub.Message)                      {}
func (tracer) ThrottlePeer(peer.ID)                                 {}
func (tracer) RecvRPC(*pubsub.RPC)                                  {}
func (tracer) SendRPC(*pubsub.RPC, peer.ID)                         {}
func (tracer) SendRPCCompleted(*pubsub.RPC, peer.ID, time.Duration) {}

// traffic adds up the bytes of all streams. libp2p's own counter starts a goroutine that never ends.
type traffic struct{ in, out atomic.Uint64 }

var _ bandwidth.Reporter = (*traffic)(nil)

// LogSentMessage and LogRecvMessage are called once for each write and read.
func (t *traffic) LogSentMessage(n int64) { t.out.Add(uint64(n)) }

// LogRecvMessage counts n bytes read.
func (t *traffic) LogRecvMessage(n int64) { t.in.Add(uint64(n)) }

// GetBandwidthTotals has no rates.
func (t *traffic) GetBandwidthTotals() bandwidth.Stats {
	return bandwidth.Stats{TotalIn: int64(t.in.Load()), TotalOut: int64(t.out.Load())}
}

// The rest is not kept.

func (*traffic) LogRecvMessageStream(int64, libprotocol.ID, peer.ID)        {}
func (*traffic) LogSentMessageStream(int64, libprotocol.ID, peer.ID)        {}
func (*traffic) GetBandwidthForPeer(peer.ID) (s bandwidth.Stats)            { return s }
func (*traffic) GetBandwidthForProtocol(libprotocol.ID) (s bandwidth.Stats) { return s }
func (*traffic) GetBandwidthByPeer() map[peer.ID]bandwidth.Stats            { return nil }
func (*traffic) GetBandwidthByProtocol() map[libprotocol.ID]bandwidth.Stats { return nil }
func (*traffic) Reset()                                                     {}
func (*traffic) TrimIdle(time.Time)                                         {}
