package p2p

import (
	"errors"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/asean-tmh/tmh/protocol"
)

// The budgets of gossip. A flood is cut down before gossipsub looks at it: once it has given a message an id, it remembers
// that for minutes.

var errSurplus = errors.New("beyond the sender's budget") //nolint:gochecknoglobals // a constant

// inspector leaves out of every RPC what is beyond the budgets of the member that sends it. gossipsub calls it from one
// goroutine.
func (n *Net) inspector(federation protocol.Hash) func(peer.ID, *pubsub.RPC) error {
	budgetOf := map[string]budget{
		topicName(federation, "changes"): changesMessages,
		topicName(federation, "heads"):   headsMessages,
		topicName(federation, "control"): controlMessages,
	}
	return func(p peer.ID, rpc *pubsub.RPC) error {
		from, ok := n.view.Load().members[p]
		if !ok {
			return errSurplus
		}
		n.tapRPC(from, rpc)
		if !n.budgets.take(from, gossipRPCs, 1) {
			n.surplus(from, max(len(rpc.Publish), 1))
			return errSurplus
		}
		within := rpc.Publish[:0]
		for _, m := range rpc.Publish {
			if of, ok := budgetOf[m.GetTopic()]; ok && n.budgets.take(from, of, 1) && n.budgets.take(from, gossipBytes, size(m)) {
				within = append(within, m)
			}
		}
		if left := len(rpc.Publish) - len(within); left > 0 {
			clear(rpc.Publish[len(within):])
			rpc.Publish = within
			n.surplus(from, left)
		}
		return nil
	}
}

// size of a message as it counts, with what it takes to hold it.
func size(m *pb.Message) int { return len(m.GetData()) + 128 }

func (n *Net) surplus(from protocol.MemberID, messages int) {
	n.metrics.gossip.WithLabelValues("surplus").Add(float64(messages))
	n.faults.blame(from, gossipRate)
}

// forwarder is the member whose peer sent a message. Our own messages, which are verified too, have none and no budget.
func (n *Net) forwarder(p peer.ID) (m protocol.MemberID, ok bool) {
	if n.host != nil && p == n.host.ID() {
		return "", false
	}
	m, ok = n.view.Load().members[p]
	return m, ok
}
