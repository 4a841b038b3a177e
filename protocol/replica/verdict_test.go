package replica_test

import (
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

func TestVerdict(t *testing.T) {
	p := newPast(t)
	holder := p.replica(6)
	drawing := p.replica(3)
	if err := p.draw(drawing, p.at(8), false, p.at(4)); err != nil {
		t.Fatal(err)
	}
	asked := func(seq int) *protocol.Request {
		return &protocol.Request{Kind: protocol.AskChanges, Origin: "KH", Proven: p.at(seq).Pos, Header: p.at(seq).Raw}
	}
	elsewhere := asked(6)
	elsewhere.Header = p.other(6).Raw
	later := asked(6)
	later.Proven.Epoch = 2
	whole := &protocol.Request{Kind: protocol.AskChanges, Origin: "KH"}
	for _, x := range []struct {
		name string
		n    *replicatest.Node
		r    *protocol.Request
		want protocol.Code
	}{
		{"from nothing", holder, replica.New("KH").Ask(), ""},
		{"from before the first epoch", holder, whole, ""},
		{"at the same head", holder, asked(6), ""},
		{"below the head", holder, asked(4), ""},
		{"at a superseded record", holder, asked(1), ""},
		{"above the head", holder, asked(7), protocol.CodeUnavailable},
		{"in a later epoch", holder, later, protocol.CodeUnavailable},
		{"on another history", holder, elsewhere, protocol.CodeFork},
		{"of a holder that draws itself", drawing, asked(1), protocol.CodeUnavailable},
		{"of a holder of nothing", p.replica(0), asked(1), protocol.CodeUnavailable},
	} {
		err := x.n.Step(func(c *replica.Copy, s replicatest.Set) error { return c.Verdict(s, x.r) })
		if protocol.CodeOf(err) != x.want {
			t.Errorf("%s: got %v, want %q", x.name, err, x.want)
		}
		if x.want == protocol.CodeFork {
			p.wantFork(err, p.at(6), p.at(6)) // the holder shows its own; the other one is the asker's
		}
	}
	forgot := p.replica(6)
	forgot.Store.(*replicatest.Map).Forget(p.at(1).Pos)
	if err := forgot.Step(func(c *replica.Copy, s replicatest.Set) error {
		r := asked(1)
		r.Header = p.other(1).Raw
		return c.Verdict(s, r)
	}); err != nil {
		t.Errorf("where the header is not retained the feed decides: %v", err)
	}
}

// What the asker sends is what the copy stands at, after a restart too.
func TestAsk(t *testing.T) {
	p := newPast(t)
	n := p.replica(4)
	if err := p.draw(n, p.at(8), false, p.at(5)); err != nil {
		t.Fatal(err)
	}
	c, err := n.Copy()
	if err != nil {
		t.Fatal(err)
	}
	r, err := protocol.DecodeRequest(c.Ask().Encode())
	if err != nil {
		t.Fatal(err)
	}
	if r.Origin != "KH" || r.Proven != p.at(4).Pos || r.Header != p.at(4).Raw || r.Cursor != p.at(5).Pos {
		t.Errorf("asks %+v", r)
	}
}
