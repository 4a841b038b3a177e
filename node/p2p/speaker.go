package p2p

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libprotocol "github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"

	"github.com/asean-tmh/tmh/protocol"
)

// Two copies of a node have one peer id, so their connections look like two to one peer. libp2p opens streams on the one
// that has most of them, which is always the same copy's: what the other one signs would reach nobody, and neither would
// learn of the other. So where a peer has several connections, the one is asked that claimed to have signed most.

// speakers are the connections on which peers claimed most of their own catalogue. The zero value is ready.
type speakers struct {
	mu   sync.Mutex
	most map[peer.ID]speaker
}

type speaker struct {
	conn network.Conn
	pos  protocol.Position
}

// heard takes the vector that member m sent on a connection. Of equal claims the last one counts: who was cut off and came
// back has another connection.
func (s *speakers) heard(net network.Network, c network.Conn, m protocol.MemberID, vector []protocol.Claim) {
	i := slices.IndexFunc(vector, func(c protocol.Claim) bool { return c.Origin == m })
	if i < 0 {
		return
	}
	p, claim := c.RemotePeer(), speaker{c, vector[i].Pos}
	conns := net.ConnsToPeer(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if have, ok := s.most[p]; ok && have.conn != claim.conn && have.pos.Compare(claim.pos) > 0 && have.among(conns) != nil {
		return
	}
	if s.most == nil {
		s.most = make(map[peer.ID]speaker)
	}
	s.most[p] = claim
}

// among finds the connection, nil where it is gone or goes through a relay with limits.
func (k speaker) among(conns []network.Conn) network.Conn {
	for _, c := range conns {
		if c == k.conn && !c.IsClosed() && !c.Stat().Limited {
			return c
		}
	}
	return nil
}

// openStream to a peer, on the connection that claimed most where there are several.
func (n *Net) openStream(ctx context.Context, p peer.ID, id libprotocol.ID) (network.Stream, error) {
	conns := n.host.Network().ConnsToPeer(p)
	n.speakers.mu.Lock()
	most := n.speakers.most[p]
	n.speakers.mu.Unlock()
	if c := most.among(conns); c != nil && len(conns) > 1 {
		return streamOn(ctx, c, id)
	}
	return n.host.NewStream(ctx, p, id)
}

// streamOn is host.NewStream for a certain connection.
func streamOn(ctx context.Context, c network.Conn, id libprotocol.ID) (network.Stream, error) {
	s, err := c.NewStream(ctx)
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	if err = s.SetProtocol(id); err == nil {
		err = multistream.SelectProtoOrFail(id, s)
	}
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = s.ResetWithError(network.StreamProtocolNegotiationFailed)
		return nil, fmt.Errorf("agree on %s: %w", id, err)
	}
	return s, nil
}
