package node_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/store"
)

// lone is the node of a federation of one member, which can be started and stopped again and again.
type lone struct {
	t   *testing.T
	cfg node.Config
}

// newLone founds the federation; the node's data is in dir.
func newLone(t *testing.T, dir string) *lone {
	t.Helper()
	seat, err := founding.NewSeat(founding.ASEAN()[2], "")
	if err != nil {
		t.Fatal(err)
	}
	seat.Addresses = []string{freeAddress(t)}
	papers, err := founding.Found("Test federation", []founding.Seat{seat}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &lone{t, node.Config{
		Member: seat.Member.ID, Record: seat.Record, Transport: seat.Transport, Papers: papers, Listen: seat.Addresses,
		Store: store.Config{Dir: filepath.Join(dir, "data"), Memtable: 8 << 20}, Index: filepath.Join(dir, "index"),
	}}
}

// run starts the node, calls f when its doors are open, and stops it.
func (l *lone) run(f func(*node.Node)) {
	l.t.Helper()
	n, err := node.New(l.cfg)
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(l.t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	<-n.Ready()
	f(n)
	stop()
	if err := <-done; err != nil {
		l.t.Fatal(err)
	}
}
