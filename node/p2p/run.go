package p2p

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
)

// eventBuffer holds changes of connectedness until they are looked at.
const eventBuffer = 256

// Run takes part in the network until ctx ends, then closes the Net and returns nil. It may be called once. An error
// means that it could not begin, or not close.
func (n *Net) Run(ctx context.Context, h Handler) (err error) {
	if n.started.Swap(true) {
		return errors.New("p2p: Run may be called once")
	}
	defer func() { err = errors.Join(err, n.Close()) }() // last of all
	changes, err := n.host.EventBus().Subscribe(new(event.EvtPeerConnectednessChanged), eventbus.BufSize(eventBuffer))
	if err != nil {
		return fmt.Errorf("follow connections: %w", err)
	}
	defer changes.Close()
	// Gossip outlives ctx, so that what was published before it ended still has streams to go out on.
	gossiping, endGossip := context.WithCancel(context.WithoutCancel(ctx))
	defer endGossip()
	g, err := n.joinGossip(gossiping, h)
	if err != nil {
		return err
	}
	n.gossip.Store(g)
	stopServing := n.serve(ctx, h)
	var redial, beside sync.WaitGroup
	beside.Go(func() { n.faults.run(ctx) })
	beside.Go(func() { n.watchPulses(ctx) })
	redial.Go(func() { n.newLinks(h).run(ctx, changes) })

	<-ctx.Done()
	redial.Wait()       // first, or it would dial again whom the rest lets go
	n.gossip.Store(nil) // nothing is published any more
	g.leave()           // nothing is delivered any more
	stopServing()       // no request is being answered any more
	beside.Wait()
	return nil // then, deferred: gossip ends, the host closes
}
