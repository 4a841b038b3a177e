// Package replicatest tests what replica runs over: one suite for the map of this package and for the real store, as
// testing/fstest is for file systems. It is imported by tests only.
//
// Histories lets copies of one origin converge by every way that changes can travel; Withheld serves feeds with
// something missing.
package replicatest

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// Federation is a charter with the cards of its members, all keys of which follow from the members' ids.
type Federation struct {
	Roster *protocol.Roster
}

// NewFederation of some members.
func NewFederation(members ...protocol.MemberID) (*Federation, error) {
	c := protocol.Charter{Version: 1, Name: "Test federation", IssuedAt: 1}
	for _, id := range members { // the caller lists them in order
		c.Members = append(c.Members, protocol.Member{
			ID: id, Name: "Member " + string(id), Country: "KH", Role: protocol.RoleMember, Governance: governance(id).Public(),
		})
	}
	charter, err := protocol.NewCharter(c)
	if err != nil {
		return nil, err
	}
	for _, id := range members {
		charter.Sign(governance(id))
	}
	if err := charter.Follows(nil); err != nil {
		return nil, err
	}
	f := &Federation{Roster: protocol.NewRoster(charter)}
	for _, id := range members {
		card, err := protocol.SignCard(governance(id), protocol.Card{
			Federation: charter.FederationID(), Member: id, Version: 1, IssuedAt: 1,
			Peers: []protocol.Peer{{ID: "peer" + string(id), Addresses: []string{"/ip4/127.0.0.1/udp/1/quic-v1"}}},
			Keys:  []protocol.RecordKeyRange{{Key: RecordSigner(id).Public(), From: protocol.Position{Epoch: 1, Seq: 1}}},
		})
		if err != nil {
			return nil, err
		}
		if f.Roster, err = f.Roster.WithCard(card); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// RecordSigner signs a member's changes.
func RecordSigner(id protocol.MemberID) *protocol.Signer { return signer("record " + string(id)) }

// GovernanceSigner signs a member's openings of epochs.
func GovernanceSigner(id protocol.MemberID) *protocol.Signer { return governance(id) }

func governance(id protocol.MemberID) *protocol.Signer { return signer("governance " + string(id)) }

func signer(of string) *protocol.Signer {
	seed := sha256.Sum256([]byte(of))
	return protocol.NewSigner(ed25519.NewKeyFromSeed(seed[:]))
}

// Draft of a change; Copy.Author fills the rest.
func (f *Federation) Draft(kind protocol.ChangeKind, key protocol.RecordKey) protocol.Header {
	return protocol.Header{Federation: f.Roster.Federation(), CharterVersion: 1, Kind: kind, RecordKey: key}
}

// Key of the nth record.
func Key(n int) protocol.RecordKey { return protocol.ListingID(fmt.Sprintf("L%04d", n)).Key() }

// ReportKey of the nth statistical report.
func ReportKey(n int) protocol.RecordKey {
	return protocol.RecordKey(fmt.Sprintf("report/2026-09/r%d", n))
}

// Open signs the opening of an epoch on top of what a copy has proven. last is the furthest that was signed, voided what
// is left behind as far as it is known.
func (f *Federation) Open(c *replica.Copy, reason string, last protocol.Position, voided []*protocol.Change) (protocol.Header, []byte, error) {
	last = protocol.Position{Epoch: max(last.Epoch, c.Proven.Epoch), Seq: max(last.Seq, c.Proven.Seq)}
	o := protocol.Opening{
		Federation: f.Roster.Federation(), Origin: c.Origin, Pos: protocol.Position{Epoch: last.Epoch + 1, Seq: last.Seq + 1},
		Base: c.Proven, BaseHeader: c.Header, BaseDigest: c.Digest(), Reason: reason, Last: last, IssuedAt: 1,
	}
	slices.SortFunc(voided, func(x, y *protocol.Change) int {
		return cmp.Or(x.Pos.Compare(y.Pos), bytes.Compare(x.Raw[:], y.Raw[:]))
	})
	for _, v := range voided[:min(len(voided), protocol.MaxVoided)] {
		o.Voided = append(o.Voided, protocol.Voided{Pos: v.Pos, Header: v.Raw, Key: v.RecordKey, Kind: v.Kind})
	}
	signed, err := protocol.SignOpening(governance(c.Origin), o)
	if err != nil {
		return protocol.Header{}, nil, err
	}
	h := f.Draft(protocol.OpenEpoch, protocol.EpochKey(o.Pos.Epoch))
	h.Pos = o.Pos
	return h, signed.Bytes(), nil
}
