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
// decoded goes to the subscription with the message. An origin is charged only for what it signed, after that was verified:
// otherwise forgers would use up its budget.

func (n *Net) validateChanges(_ context.Context, p peer.ID, m *pubsub.Message) pubsub.ValidationResult {
	const topic = "changes"
	from, remote := n.forwarder(p)
	cs, err := n.decodeChanges(m.GetData())
	if err != nil {
		return n.refuse(topic, from, pubsub.ValidationReject, err)
	}
	if remote && !n.budgets.take(from, changesVerified, len(cs)) { // one message may hold many
		return n.beyond(topic, from, gossipRate)
	}
	roster := n.view.Load().roster
	for _, c := range cs {
		if err := roster.VerifyChange(c); err != nil {
			return n.refuse(topic, from, judge(err, c.CharterVersion, roster), err)
		}
	}
	if remote {
		switch over, repeated := n.budgets.takeChanges(cs); {
		case repeated:
			return n.verdict(topic, pubsub.ValidationIgnore, protocol.CodeReplayed)
		case over != "":
			return n.beyond(topic, over, originRate, "from", from)
		}
	}
	m.ValidatorData = cs
	return n.verdict(topic, pubsub.ValidationAccept, "")
}

func (n *Net) decodeChanges(b []byte) ([]*protocol.Change, error) {
	b, err := n.zip.unpack(b, maxGossip)
	if err != nil {
		return nil, err
	}
	return protocol.DecodeGossip(b)
}

func (n *Net) validateHead(_ context.Context, p peer.ID, m *pubsub.Message) pubsub.ValidationResult {
	const topic = "heads"
	from, remote := n.forwarder(p)
	h, err := protocol.DecodeHead(m.GetData())
	if err != nil {
		return n.refuse(topic, from, pubsub.ValidationReject, err)
	}
	roster := n.view.Load().roster
	if err := roster.VerifyHead(h); err != nil {
		return n.refuse(topic, from, judge(err, h.CharterVersion, roster), err)
	}
	if remote {
		switch ok, repeated := n.budgets.takeHead(h); {
		case ok:
		case repeated:
			return n.verdict(topic, pubsub.ValidationIgnore, protocol.CodeReplayed)
		default:
			return n.beyond(topic, h.Origin, headRate, "from", from)
		}
	}
	m.ValidatorData = h
	return n.verdict(topic, pubsub.ValidationAccept, "")
}

func (n *Net) validateEvidence(_ context.Context, p peer.ID, m *pubsub.Message) pubsub.ValidationResult {
	const topic = "control"
	from, remote := n.forwarder(p)
	e, err := protocol.DecodeEvidence(m.GetData())
	if err != nil {
		return n.refuse(topic, from, pubsub.ValidationReject, err)
	}
	roster := n.view.Load().roster
	if err := roster.VerifyEvidence(e); err != nil {
		return n.refuse(topic, from, judge(err, min(e.A.CharterVersion, e.B.CharterVersion), roster), err)
	}
	if remote && !n.budgets.take(e.Origin(), originEvidence, 1) {
		return n.beyond(topic, e.Origin(), evidenceRate, "from", from)
	}
	m.ValidatorData = e
	return n.verdict(topic, pubsub.ValidationAccept, "")
}

// judge says whether the forwarder of what failed with err can have been honest. A member that left is no member under
// our charter, but was one to a forwarder that has not seen that charter yet.
func judge(err error, charter uint64, roster *protocol.Roster) pubsub.ValidationResult {
	switch protocol.CodeOf(err) {
	case protocol.CodeCharter, protocol.CodeKey, protocol.CodeFork, protocol.CodeReplayed, protocol.CodeInternal:
		return pubsub.ValidationIgnore
	case protocol.CodeOrigin:
		if charter < roster.Charter().Version {
			return pubsub.ValidationIgnore
		}
	}
	return pubsub.ValidationReject
}

// refuse what failed with err. Only what is rejected is held against who forwarded it.
func (n *Net) refuse(topic string, from protocol.MemberID, v pubsub.ValidationResult, err error) pubsub.ValidationResult {
	if v == pubsub.ValidationReject && from != "" {
		n.faults.blame(from, withCode(gossipInvalid, err), "topic", topic, "error", err)
	}
	return n.verdict(topic, v, protocol.CodeOf(err))
}

// beyond leaves out what is beyond a member's budget. It may be valid, so nobody forwards it and nobody is punished for
// having done so.
func (n *Net) beyond(topic string, m protocol.MemberID, what fault, more ...any) pubsub.ValidationResult {
	n.faults.blame(m, what, append(more, "topic", topic)...)
	return n.verdict(topic, pubsub.ValidationIgnore, protocol.CodeUnavailable)
}

func (n *Net) verdict(topic string, v pubsub.ValidationResult, code protocol.Code) pubsub.ValidationResult {
	name := "accept"
	switch v {
	case pubsub.ValidationReject:
		name = "reject"
	case pubsub.ValidationIgnore:
		name = "ignore"
	}
	n.metrics.verdicts.WithLabelValues(topic, name, string(code)).Inc()
	return v
}
