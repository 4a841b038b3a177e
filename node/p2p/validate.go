package p2p

import (
	"context"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/asean-tmh/tmh/protocol"
)

// maxGossip bounds a changes message, decompressed.
const maxGossip = protocol.MaxBatch + protocol.MaxChange

// Validators run in gossipsub's own workers: they verify and touch nothing else, the store least of all. What they
// decoded goes to the subscription with the message.

func (n *Net) validateChanges(_ context.Context, _ peer.ID, m *pubsub.Message) pubsub.ValidationResult {
	cs, err := n.decodeChanges(m.GetData())
	if err != nil {
		return n.verdict("changes", pubsub.ValidationReject, err)
	}
	roster := n.view.Load().roster
	for _, c := range cs {
		if err := roster.VerifyHeader(&c.SignedHeader); err != nil {
			return n.verdict("changes", judge(err, c.CharterVersion, roster), err)
		}
	}
	m.ValidatorData = cs
	return n.verdict("changes", pubsub.ValidationAccept, nil)
}

func (n *Net) decodeChanges(b []byte) ([]*protocol.Change, error) {
	b, err := n.zip.unpack(b, maxGossip)
	if err != nil {
		return nil, err
	}
	return protocol.DecodeGossip(b)
}

func (n *Net) validateHead(_ context.Context, _ peer.ID, m *pubsub.Message) pubsub.ValidationResult {
	h, err := protocol.DecodeHead(m.GetData())
	if err != nil {
		return n.verdict("heads", pubsub.ValidationReject, err)
	}
	roster := n.view.Load().roster
	if err := roster.VerifyHead(h); err != nil {
		return n.verdict("heads", judge(err, h.CharterVersion, roster), err)
	}
	m.ValidatorData = h
	return n.verdict("heads", pubsub.ValidationAccept, nil)
}

func ignore(context.Context, peer.ID, *pubsub.Message) pubsub.ValidationResult {
	return pubsub.ValidationIgnore
}

// judge says whether the forwarder of what failed with err can have been honest. A member that left is no member under
// our charter, but was one to a forwarder that has not seen that charter yet.
func judge(err error, charter uint64, roster *protocol.Roster) pubsub.ValidationResult {
	switch protocol.CodeOf(err) {
	case protocol.CodeFederation, protocol.CodeSignature:
		return pubsub.ValidationReject
	case protocol.CodeOrigin:
		if charter >= roster.Charter().Version {
			return pubsub.ValidationReject
		}
	}
	return pubsub.ValidationIgnore
}

func (n *Net) verdict(topic string, v pubsub.ValidationResult, err error) pubsub.ValidationResult {
	name := "accept"
	switch v {
	case pubsub.ValidationReject:
		name = "reject"
	case pubsub.ValidationIgnore:
		name = "ignore"
	}
	n.metrics.verdicts.WithLabelValues(topic, name, string(protocol.CodeOf(err))).Inc()
	return v
}
