package p2p

import (
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/network"
	"google.golang.org/protobuf/proto"

	"github.com/asean-tmh/tmh/protocol"
)

// What a node is sent can be recorded, for the tests that look for what should not have been sent.

type tap func(from protocol.MemberID, where string, b []byte)

// Tap has f told, from now on, of all that other members' nodes send: every message on a stream, with the stream's protocol,
// and every message of gossip, with its topic, both decompressed; and whole RPCs of gossip, as "gossip". It must be called before
// Run, and f must return soon, may be called concurrently, and must copy what it keeps.
func (n *Net) Tap(f func(from protocol.MemberID, where string, b []byte)) { n.tap = f }

func (n *Net) tapped(s network.Stream) func([]byte) {
	if n.tap == nil {
		return nil
	}
	from, where := n.view.Load().members[s.Conn().RemotePeer()], string(s.Protocol())
	return func(b []byte) { n.tap(from, where, b) }
}

func (n *Net) tapRPC(from protocol.MemberID, rpc *pubsub.RPC) {
	if n.tap == nil {
		return
	}
	if b, err := proto.Marshal(&rpc.RPC); err == nil {
		n.tap(from, "gossip", b)
	}
	for _, m := range rpc.Publish {
		b, err := n.zip.unpack(m.GetData(), maxGossip)
		if err != nil { // of a topic whose messages are not compressed
			b = m.GetData()
		}
		n.tap(from, m.GetTopic(), b)
	}
}
