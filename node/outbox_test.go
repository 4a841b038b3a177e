package node

import (
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

// A backlog that began while the changes before it were being gossiped was forgotten: no head was announced, and the others
// heard of it from a vector, ten seconds later.
func TestBacklogThatBeginsDuringGossip(t *testing.T) {
	some := func(n int) (list []*protocol.Change) {
		for range n {
			list = append(list, new(protocol.Change))
		}
		return list
	}
	var o outbox
	o.add(some(2))
	if got := o.take(1); len(got) != 1 || o.fellBehind() {
		t.Fatalf("took %d of two changes, which are no backlog", len(got))
	}
	o.add(some(protocol.MaxGossipBacklog))
	if got := o.take(protocol.MaxGossipBacklog); len(got) != 0 {
		t.Errorf("took %d changes of a backlog, which is announced instead", len(got))
	}
	if !o.fellBehind() {
		t.Error("a backlog was not noticed")
	}
	if o.fellBehind() {
		t.Error("a backlog was noticed twice")
	}
}
