package p2p

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/asean-tmh/tmh/protocol"
)

const (
	outboundQueue = 512             // RPCs that wait for one peer
	validateQueue = 4096            // messages that wait to be verified, of all topics
	throttle      = 2048            // validations at a time
	subscription  = 4096            // messages that wait for the Handler, per topic
	seen          = 5 * time.Minute // at 1,000 messages a second, 40 MB for a member that floods
	maxTopics     = 32              // subscriptions in one RPC of a peer's
)

// gossip is our part in the topics, while Run runs.
type gossip struct {
	topics map[string]*pubsub.Topic // by name within the federation: "changes", …
	subs   []*pubsub.Subscription
	wg     sync.WaitGroup // receiving
}

// topicName within a federation.
func topicName(federation protocol.Hash, name string) string {
	return "/tmh/" + hex.EncodeToString(federation[:8]) + "/" + name + "/1"
}

// joinGossip subscribes to all topics; ctx ends it, after leave.
func (n *Net) joinGossip(ctx context.Context, h Handler) (g *gossip, err error) {
	federation := n.view.Load().roster.Federation()
	topics := []struct {
		name     string
		validate pubsub.ValidatorEx
		deliver  func(from protocol.MemberID, verified any)
	}{
		{"changes", n.validateChanges, func(from protocol.MemberID, v any) { h.Changes(from, v.([]*protocol.Change)) }},
		{"heads", n.validateHead, func(from protocol.MemberID, v any) { h.Head(from, v.(*protocol.SignedHead)) }},
		{"control", n.validateEvidence, func(from protocol.MemberID, v any) { h.Evidence(from, v.(protocol.Evidence)) }},
	}
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = topicName(federation, t.name)
	}
	ps, err := pubsub.NewGossipSub(ctx, n.host, n.gossipOptions(federation, names)...)
	if err != nil {
		return nil, fmt.Errorf("start gossip: %w", err)
	}
	g = &gossip{topics: make(map[string]*pubsub.Topic)}
	defer func() {
		if err != nil {
			g.leave()
		}
	}()
	for i, t := range topics {
		if err := ps.RegisterTopicValidator(names[i], t.validate, pubsub.WithValidatorInline(true)); err != nil {
			return nil, fmt.Errorf("validate topic %s: %w", t.name, err)
		}
		topic, err := ps.Join(names[i])
		if err != nil {
			return nil, fmt.Errorf("join topic %s: %w", t.name, err)
		}
		sub, err := topic.Subscribe(pubsub.WithBufferSize(subscription))
		if err != nil {
			return nil, fmt.Errorf("subscribe to topic %s: %w", t.name, err)
		}
		g.topics[t.name], g.subs = topic, append(g.subs, sub)
		g.wg.Go(func() { n.receive(ctx, sub, t.deliver) })
	}
	return g, nil
}

// receive hands messages to the Handler until the subscription is cancelled.
func (n *Net) receive(ctx context.Context, sub *pubsub.Subscription, deliver func(protocol.MemberID, any)) {
	for {
		m, err := sub.Next(ctx)
		if err != nil {
			return
		}
		if m.ReceivedFrom == n.host.ID() { // our own
			continue
		}
		if from, ok := n.view.Load().members[m.ReceivedFrom]; ok {
			deliver(from, m.ValidatorData)
		}
	}
}

// leave ends the subscriptions and waits for the Handler to be done with what it has.
func (g *gossip) leave() {
	for _, s := range g.subs {
		s.Cancel()
	}
	g.wg.Wait()
}

// PublishChanges gossips cs in one message. That it returns nil does not mean that anybody heard. It fails with
// CodeTooLarge where cs are too much for one message, and where this node's own roster does not accept them.
func (n *Net) PublishChanges(ctx context.Context, cs []*protocol.Change) error {
	b := protocol.EncodeGossip(cs)
	if len(b) > maxGossip {
		return protocol.Errorf(protocol.CodeTooLarge, "gossip", "%d bytes of changes, at most %d", len(b), maxGossip)
	}
	return n.publish(ctx, "changes", n.zip.pack(nil, b))
}

// PublishHead gossips a head statement; the rest is as for PublishChanges.
func (n *Net) PublishHead(ctx context.Context, h *protocol.SignedHead) error {
	return n.publish(ctx, "heads", h.Bytes())
}

// PublishEvidence gossips that an origin signed two histories; the rest is as for PublishChanges.
func (n *Net) PublishEvidence(ctx context.Context, e protocol.Evidence) error {
	return n.publish(ctx, "control", e.Encode())
}

func (n *Net) publish(ctx context.Context, topic string, data []byte) error {
	g := n.gossip.Load()
	if g == nil {
		return protocol.Errorf(protocol.CodeUnavailable, "gossip", "the network is not running")
	}
	err := g.topics[topic].Publish(ctx, data)
	if errors.Is(err, pubsub.ErrTopicClosed) {
		return protocol.Errorf(protocol.CodeUnavailable, "gossip", "the network is stopping")
	}
	if err != nil {
		return fmt.Errorf("publish on %s: %w", topic, err)
	}
	return nil
}

func (n *Net) gossipOptions(federation protocol.Hash, topics []string) []pubsub.Option {
	return []pubsub.Option{
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithGossipSubParams(meshParams()),
		pubsub.WithFloodPublish(true), // of own messages to all: right for tens of nodes
		pubsub.WithPeerExchange(false),
		pubsub.WithMaxMessageSize(protocol.MaxGossip),
		pubsub.WithPeerOutboundQueueSize(outboundQueue),
		pubsub.WithValidateQueueSize(validateQueue),
		pubsub.WithValidateThrottle(throttle),
		pubsub.WithSeenMessagesTTL(seen),
		pubsub.WithSubscriptionFilter(pubsub.WrapLimitSubscriptionFilter(pubsub.NewAllowlistSubscriptionFilter(topics...), maxTopics)),
		pubsub.WithPeerFilter(func(p peer.ID, _ string) bool { return n.view.Load().has(p) }),
		pubsub.WithBlacklist(gater{n}),
		pubsub.WithPeerScore(n.scoreParams(topics)),
		pubsub.WithRawTracer(tracer{n.metrics}),
		pubsub.WithAppSpecificRpcInspector(n.inspector(federation)),
	}
}

// messageID is the same whoever publishes.
func messageID(m *pb.Message) string {
	h := sha256.New()
	h.Write([]byte(m.GetTopic()))
	h.Write([]byte{0})
	h.Write(m.GetData())
	return string(h.Sum(nil)[:20])
}

// meshParams: a mesh of 3 with flood publishing takes 3.4 times the text on the wire for 24 nodes, a mesh of 4 takes 5 and
// the default 9, and none is faster; with half of the links missing it still delivers all (node/sim). Dout is 0 because
// it must be below D/2.
func meshParams() pubsub.GossipSubParams {
	p := pubsub.DefaultGossipSubParams() // an option replaces the whole struct
	p.D, p.Dlo, p.Dhi, p.Dscore, p.Dout, p.Dlazy = 3, 2, 4, 3, 0, 3
	p.HistoryLength, p.HistoryGossip = 12, 3
	p.MaxIDontWantLength = 200
	return p
}

// scoreParams punish invalid messages and broken promises. Off: mesh delivery (P3), as our traffic comes in bursts with
// silence between; IP colocation (P6), as members may share an address.
func (n *Net) scoreParams(topics []string) (*pubsub.PeerScoreParams, *pubsub.PeerScoreThresholds) {
	score := &pubsub.PeerScoreParams{
		SkipAtomicValidation: true,
		Topics:               make(map[string]*pubsub.TopicScoreParams),
		AppSpecificScore: func(p peer.ID) float64 {
			if n.view.Load().has(p) {
				return 0
			}
			return -1000
		},
		AppSpecificWeight:      1,
		BehaviourPenaltyWeight: -10, BehaviourPenaltyThreshold: 6,
		BehaviourPenaltyDecay: pubsub.ScoreParameterDecay(10 * time.Minute),
		DecayInterval:         time.Second, DecayToZero: 0.01, RetainScore: time.Hour,
	}
	for _, t := range topics {
		score.Topics[t] = &pubsub.TopicScoreParams{
			SkipAtomicValidation:         true,
			TopicWeight:                  1,
			TimeInMeshQuantum:            time.Second, // zero passes validation and is divided by
			FirstMessageDeliveriesWeight: 1, FirstMessageDeliveriesCap: 50,
			FirstMessageDeliveriesDecay:    pubsub.ScoreParameterDecay(10 * time.Minute),
			InvalidMessageDeliveriesWeight: -100,
			InvalidMessageDeliveriesDecay:  pubsub.ScoreParameterDecay(time.Hour),
		}
	}
	return score, &pubsub.PeerScoreThresholds{
		GossipThreshold: -100, PublishThreshold: -500, GraylistThreshold: -900,
		AcceptPXThreshold: 1e9, OpportunisticGraftThreshold: 1,
	}
}

// Gossiping lists the other members to which this node's changes are gossiped now: those connected who subscribed, which
// takes a moment after connecting.
func (n *Net) Gossiping() []protocol.MemberID {
	g := n.gossip.Load()
	if g == nil {
		return nil
	}
	v := n.view.Load()
	var out []protocol.MemberID
	for _, p := range g.topics["changes"].ListPeers() {
		if m, ok := v.members[p]; ok && m != n.cfg.Member {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
