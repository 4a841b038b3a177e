package p2p

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marcopolo/simnet"

	"github.com/asean-tmh/tmh/protocol"
)

// cable is a node's connection to the simulated network, which can be cut. It embeds the connection so that quic-go
// finds the buffer settings it looks for.
type cable struct {
	*simnet.SimConn
	cut *atomic.Bool
}

func (c *cable) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.cut.Load() {
		return len(b), nil
	}
	return c.SimConn.WriteTo(b, to)
}

// Four nodes, of which one is cut off from the others for 90 s, in virtual time. When the bubble ends no goroutine may
// be left.
func TestSimulatedFederation(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // see golang/go#78156
	synctest.Test(t, func(t *testing.T) {
		var cut atomic.Bool // BB's cable
		world := &simnet.Simnet{LatencyFunc: simnet.StaticLatency(20 * time.Millisecond), Logger: slog.New(slog.DiscardHandler)}
		world.Start()
		defer world.Close()
		f := newFederation(t, "simulated", "AA", "BB", "CC", "DD")
		nodes := simulate(f, world, "BB", &cut)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		for _, n := range nodes {
			go func() { done <- n.Run(ctx, n.desk) }()
		}
		a, b := nodes[0], nodes[1]

		time.Sleep(10 * time.Second)
		simulatedChange(t, f, nodes, 1)

		cut.Store(true)
		time.Sleep(90 * time.Second)
		if len(b.Connected()) != 0 || len(a.Connected()) != 2 {
			t.Errorf("while BB is cut off it is connected to %v, and AA to %v", b.Connected(), a.Connected())
		}
		cut.Store(false)
		healed := time.Now()
		for len(b.Connected()) != 3 && time.Since(healed) < time.Minute {
			time.Sleep(100 * time.Millisecond)
		}
		took := time.Since(healed)
		t.Logf("connected again after %v", took)
		if took > 20*time.Second {
			t.Errorf("connected again only after %v", took)
		}
		time.Sleep(5 * time.Second)
		simulatedChange(t, f, nodes, 2)

		b.desk.one("full")
		if r, err := f.fetchOne(ctx, a, "BB"); err != nil || r != "full" {
			t.Errorf("record: got %q, %v", r, err)
		}
		for _, n := range nodes {
			if up, down := len(n.desk.up), len(n.desk.down); up-down != 3 {
				t.Errorf("%s: %d connected, %d disconnected", n.id, up, down)
			}
		}
		cancel()
		for range nodes {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// simulate opens a node for each member of f, and makes the cable of one such that it can be cut.
func simulate(f *federation, world *simnet.Simnet, victim protocol.MemberID, cut *atomic.Bool) []*node {
	f.t.Helper()
	link := simnet.LinkSettings{BitsPerSecond: 50 * simnet.Mibps}
	var nodes []*node
	for i, m := range f.charter.Members {
		own := new(atomic.Bool)
		if m.ID == victim {
			own = cut
		}
		n, err := New(Config{
			Member: m.ID, Key: f.transport(m.ID), Roster: f.roster(),
			Listen: []string{fmt.Sprintf("/ip4/%s/udp/8000/quic-v1", simnet.IntToPublicIPv4(i))},
			ListenUDP: func(a *net.UDPAddr) (net.PacketConn, error) {
				return &cable{world.NewEndpoint(a, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}), own}, nil
			},
		})
		if err != nil {
			f.t.Fatal(err)
		}
		nodes = append(nodes, &node{n, newDesk(), m.ID})
	}
	f.introduce(nodes...)
	return nodes
}

// simulatedChange publishes a change of the first node's and sees that all others get it within a second.
func simulatedChange(t *testing.T, f *federation, nodes []*node, seq uint64) {
	t.Helper()
	if err := nodes[0].PublishChanges(t.Context(), []*protocol.Change{f.change(nodes[0].id, seq)}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	synctest.Wait()
	for _, n := range nodes[1:] {
		select {
		case d := <-n.desk.changes:
			if d.what[0].Pos.Seq != seq {
				t.Errorf("%s: got change %v, want %d", n.id, d.what[0].Pos, seq)
			}
		default:
			t.Errorf("%s: change %d did not arrive", n.id, seq)
		}
	}
}
