package node_test

import (
	"testing"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/protocol"
)

// TestFeedOfUnprovenCopy: an export says what is proven, and nothing while that is not known.
func TestFeedOfUnprovenCopy(t *testing.T) {
	n, _, l := newPair(t)
	lines := func(origin protocol.MemberID) (types []string, err error) {
		err = n.Counter().Feed(t.Context(), origin, func(line api.FeedLine) error {
			types = append(types, line.Type)
			return nil
		})
		return types, err
	}
	refused := func(origin protocol.MemberID, want protocol.Code) {
		t.Helper()
		if got, err := lines(origin); protocol.CodeOf(err) != want || len(got) > 0 {
			t.Errorf("%s: %d lines, then %v, want %s", origin, len(got), err, want)
		}
	}
	refused("ZZ", protocol.CodeOrigin)
	refused(lying, protocol.CodeNotFound)

	for i := range 3 {
		l.sign(i)
	}
	half, goOn := make(chan struct{}, 8), make(chan struct{})
	l.answers(func(r *protocol.Request, send func(*protocol.Answer) error) error {
		whole, part := l.feed(r), l.feed(r)
		part.Changes, part.Last = part.Changes[:1], false
		if err := send(part); err != nil {
			return err
		}
		half <- struct{}{}
		<-goOn
		whole.Changes = whole.Changes[1:]
		return send(whole)
	})
	l.gossip(l.changes[2])
	<-half
	await(t, "a part of the feed is stored", func() bool {
		_, err := lines(lying)
		return protocol.CodeOf(err) == protocol.CodeUnavailable
	})
	close(goOn)
	await(t, "the feed is proven", func() bool { return memberState(n, lying).Position.Seq == 3 })
	got, err := lines(lying)
	if err != nil || len(got) < 5 || got[0] != "papers" || got[1] != "head" || got[len(got)-1] != "change" {
		t.Errorf("%v, %v", got, err)
	}
}
