package p2p

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libprotocol "github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"

	"github.com/asean-tmh/tmh/protocol"
)

// A fault is what a member does that no node of ours does, or that the network to it does. The names are labels of
// tmh_p2p_member_faults_total: these, and those of withCode, are all that there are.
type fault string

const (
	gossipRate     fault = "gossip-rate"     // forwards more than its budget
	originRate     fault = "origin-changes"  // signs more changes than its budget
	headRate       fault = "origin-heads"    // signs more head statements than its budget
	evidenceRate   fault = "origin-evidence" // signed so many histories that the evidence exceeds its budget
	requestRate    fault = "request-rate"    // asks more often than its budget
	requestCrowd   fault = "request-crowd"   // asks more at a time than it may
	requestSlow    fault = "request-slow"    // opened a stream and did not send its request in time
	answerUnread   fault = "answer-unread"   // does not read what it asked for, or too slowly
	answerSlow     fault = "answer-slow"     // does not answer, or too slowly
	answerEndless  fault = "answer-endless"  // answers more than there can be
	gossipInvalid        = "gossip-"         // and a code
	requestInvalid       = "request-"        // and a code
	answerInvalid        = "answer-"         // and a code
)

// withCode names a message that failed to decode or verify here with err.
func withCode(kind string, err error) fault {
	switch code := protocol.CodeOf(err); code {
	case protocol.CodeTruncated, protocol.CodeOrder, protocol.CodeRepeated, protocol.CodeVarint, protocol.CodeZero, protocol.CodeWireType,
		protocol.CodeUnknown, protocol.CodeRequired, protocol.CodeLength, protocol.CodeTooLarge, protocol.CodeText,
		protocol.CodeValue, protocol.CodeFederation, protocol.CodeOrigin, protocol.CodeSignature, protocol.CodeBody:
		return fault(kind + string(code))
	}
	return fault(kind + "other")
}

// tellEvery is how often the log names a member for the same fault.
const tellEvery = time.Minute

// faults keeps the log short: the first of a kind is told at once, and what follows once in tellEvery with the number since.
type faults struct {
	log     *slog.Logger
	metrics *metrics

	mu   sync.Mutex
	told map[deed]*telling // guarded by mu
}

type deed struct {
	member protocol.MemberID
	fault  fault
}

type telling struct {
	since int // that were not told
	at    time.Time
	last  []any // attributes of the last one
}

func newFaults(log *slog.Logger, m *metrics) *faults {
	return &faults{log: log, metrics: m, told: make(map[deed]*telling)}
}

// blame counts a fault of m's and tells of it, with what more there is to say.
func (f *faults) blame(m protocol.MemberID, what fault, more ...any) {
	f.metrics.faults.WithLabelValues(string(m), string(what)).Inc()
	f.mu.Lock()
	t := f.told[deed{m, what}]
	if t == nil {
		t = new(telling)
		f.told[deed{m, what}] = t
	}
	t.since++
	t.last = more
	times := t.due(time.Now())
	f.mu.Unlock()
	f.tell(m, what, times, more)
}

// due takes the number to tell of, 0 where it is too early.
func (t *telling) due(now time.Time) (times int) {
	if now.Sub(t.at) < tellEvery {
		return 0
	}
	times, t.since, t.at = t.since, 0, now
	return times
}

func (f *faults) tell(m protocol.MemberID, what fault, times int, more []any) {
	if times > 0 {
		f.log.Warn("a member misbehaves", append([]any{"member", m, "fault", what, "times", times}, more...)...)
	}
}

// run tells of what came after the last telling, until ctx ends.
func (f *faults) run(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			f.remind(now)
		}
	}
}

func (f *faults) remind(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for d, t := range f.told {
		f.tell(d.member, d.fault, t.due(now), t.last)
	}
}

// keep forgets who is no member any more.
func (f *faults) keep(member func(protocol.MemberID) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for d := range f.told {
		if !member(d.member) {
			delete(f.told, d)
		}
	}
}

// guard hears whom libp2p's resource manager refuses. Streams that it resets never come to our handlers.
type guard struct{ n *Net }

var _ rcmgr.MetricsReporter = guard{}

// BlockProtocolPeer has refused one more stream of a protocol. Our asking side never opens so many.
func (g guard) BlockProtocolPeer(id libprotocol.ID, p peer.ID) {
	m, ok := g.n.view.Load().members[p]
	if _, ours := g.n.asking[string(id)]; ok && ours {
		g.n.faults.blame(m, requestCrowd)
	}
}

// The rest is not of one member.

func (guard) AllowConn(network.Direction, bool)      {}
func (guard) BlockConn(network.Direction, bool)      {}
func (guard) AllowStream(peer.ID, network.Direction) {}
func (guard) BlockStream(peer.ID, network.Direction) {}
func (guard) AllowPeer(peer.ID)                      {}
func (guard) BlockPeer(peer.ID)                      {}
func (guard) AllowProtocol(libprotocol.ID)           {}
func (guard) BlockProtocol(libprotocol.ID)           {}
func (guard) AllowService(string)                    {}
func (guard) BlockService(string)                    {}
func (guard) BlockServicePeer(string, peer.ID)       {}
func (guard) AllowMemory(int)                        {}
func (guard) BlockMemory(int)                        {}
