package p2p

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/quic-go/quic-go"
)

// A network that begins to drop UDP says so to nobody. QUIC notices after 30 s, which libp2p lets nobody change, and only
// then is TCP tried. So a connection on which no packet came is made to elicit one, and is closed where nothing comes: then
// it is dialled anew. Packets count, whatever they carry, so that a member that is slow to read is not taken for dead.
const (
	pulseEvery = 4 * time.Second
	pulseDead  = 12 * time.Second
)

// pulse is what came last on a connection.
type pulse struct {
	packets uint64
	at      time.Time
}

// watchPulses looks after the QUIC connections until ctx ends.
func (n *Net) watchPulses(ctx context.Context) {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	known, before := make(map[network.Conn]pulse), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		if now.Sub(before) > 2*pulseEvery { // it was us who stood still
			clear(known)
		}
		next := make(map[network.Conn]pulse)
		for _, c := range n.host.Network().Conns() {
			if p, ok := n.feel(c, known[c], now); ok {
				next[c] = p
			}
		}
		known, before = next, now
	}
}

// feel compares a connection with what was known of it. ok is false where it is not looked after, or was closed.
func (n *Net) feel(c network.Conn, known pulse, now time.Time) (p pulse, ok bool) {
	var q *quic.Conn
	if !c.As(&q) {
		return p, false
	}
	packets := q.ConnectionStats().PacketsReceived
	if known.at.IsZero() || packets != known.packets {
		return pulse{packets, now}, true
	}
	if silent := now.Sub(known.at); silent >= pulseDead {
		n.log.Info("connection is dead", "member", n.view.Load().members[c.RemotePeer()], "peer", c.RemotePeer(), "silent", silent)
		_ = c.Close() // fails where it is closed already
		return p, false
	}
	_ = q.SendDatagram(nil) // nobody reads it, and every node acknowledges it; fails where the connection is closed
	return known, true
}
