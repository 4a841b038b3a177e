package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// How nodes begin, end, and come back with the store of another day.

// Start runs a member's node: for the first time, or again after Stop or Crash.
func (f *Federation) Start(m protocol.MemberID) {
	f.t.Helper()
	if err := f.start(m); err != nil {
		f.t.Fatalf("start %s: %v", m, err)
	}
}

func (f *Federation) start(m protocol.MemberID) error {
	i, s := f.index(m), f.seats[f.member(m)]
	r := &running{metrics: prometheus.NewRegistry(), done: make(chan error, 1)}
	cfg := node.Config{
		Member: f.member(m), Record: s.Record, Transport: s.Transport, Papers: f.papersOf(f.member(m)), Listen: []string{address(i)},
		Log: f.cfg.Log.With("member", m), Metrics: r.metrics, WithoutIndex: f.cfg.NoIndex,
		Now:       func() time.Time { return f.Clock(m) },
		ListenUDP: func(a *net.UDPAddr) (net.PacketConn, error) { return f.net.plug(i, a), nil },
		Tap:       func(e node.Event) { f.probe.tap(m, e) },
		Alone:     f.alone[m], RetainLeast: f.cfg.Node.RetainLeast, RetainMost: f.cfg.Node.RetainMost, AuditEvery: f.cfg.Node.AuditEvery,
		Store: store.Config{ScrubEvery: f.cfg.Node.Store.ScrubEvery, MinFree: 1, Free: func() (uint64, uint64, error) { return f.free(m), ample, nil }},
	}
	if dir := f.dirs[m]; dir != "" {
		cfg.Store.Dir, cfg.Store.Memtable, cfg.Guard, cfg.Index = dir, 8<<20, guardOf(dir), dir+".index"
	}
	var err error
	if r.Node, err = node.New(cfg); err != nil {
		return err
	}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	go func() { r.done <- r.Run(ctx) }()
	select {
	case <-r.Ready():
	case err := <-r.done:
		return errors.Join(errors.New("it ended at once"), err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[m] = r
	return nil
}

// papersOf a member are those of the beginning and what its operator put beside them.
func (f *Federation) papersOf(m protocol.MemberID) *protocol.Papers {
	p := *f.papers
	if more := f.given[m]; more != nil {
		p.Charters, p.Cards = slices.Concat(p.Charters, more.Charters), slices.Concat(p.Cards, more.Cards)
	}
	return &p
}

// Give lets a member's operator put papers beside those that are there: taken at once where the node runs.
func (f *Federation) Give(m protocol.MemberID, p *protocol.Papers) error {
	have := f.given[m]
	if have == nil {
		have = new(protocol.Papers)
		f.given[m] = have
	}
	if n := f.Node(m); n != nil {
		if err := n.Adopt(p); err != nil {
			return err
		}
	}
	have.Charters, have.Cards = append(have.Charters, p.Charters...), append(have.Cards, p.Cards...)
	return nil
}

// Disks have room for everything, or for nothing.
const (
	ample  = 1 << 40
	scarce = 1 << 20
)

func (f *Federation) free(m protocol.MemberID) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full[m] {
		if f.dirs[m] == "" {
			return 0
		}
		return scarce
	}
	return ample
}

// SetFull fills a member's disk, or makes room on it.
func (f *Federation) SetFull(m protocol.MemberID, full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full[m] = full
}

// Stop ends a member's node in good order.
func (f *Federation) Stop(m protocol.MemberID) {
	f.t.Helper()
	if err := f.end(m); err != nil {
		f.t.Errorf("stop %s: %v", m, err)
	}
}

// Crash ends a member's node without a word to anybody. What its folder held at that moment is what it will find when it
// is started again; a store in memory is gone.
func (f *Federation) Crash(m protocol.MemberID) {
	f.t.Helper()
	f.net.pull(f.index(m))
	if dir := f.dirs[m]; dir != "" {
		left := f.folder(m)
		f.copyFolder(dir, left, true)
		f.dirs[m] = left
	}
	_ = f.end(m) // nobody hears whether it ended well
}

func (f *Federation) end(m protocol.MemberID) error {
	f.mu.Lock()
	r := f.running[m]
	delete(f.running, m)
	f.mu.Unlock()
	if r == nil {
		return errors.New("it does not run")
	}
	r.stop()
	return <-r.done
}

// folder is a new name for a store of m's. Its guard file stands beside it.
func (f *Federation) folder(m protocol.MemberID) string {
	f.copies++
	return filepath.Join(f.disk, fmt.Sprintf("%s-%d", m, f.copies))
}

func guardOf(dir string) string { return dir + ".guard" }

// copyFolder copies a store as it is on disk now, whether a node has it open or not, and the guard file where asked.
func (f *Federation) copyFolder(from, to string, guard bool) {
	f.t.Helper()
	err := copyStore(from, to)
	if guard && err == nil {
		err = copyFile(guardOf(from), guardOf(to))
	}
	if err != nil {
		f.t.Fatalf("copy a store: %v", err)
	}
}

func copyStore(from, to string) error {
	entries, err := os.ReadDir(from)
	if err == nil {
		err = os.Mkdir(to, 0o700)
	}
	for _, e := range entries {
		if err == nil {
			err = copyFile(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
		}
	}
	return err
}

// Backup copies a member's store as a backup would hold it: of this moment, without the guard file.
func (f *Federation) Backup(m protocol.MemberID) (dir string) {
	f.t.Helper()
	dir = f.folder(m)
	f.copyFolder(f.dirs[m], dir, false)
	return dir
}

// Snapshot copies a member's store and guard file, as a snapshot of its whole machine holds them.
func (f *Federation) Snapshot(m protocol.MemberID) (dir string) {
	f.t.Helper()
	dir = f.folder(m)
	f.copyFolder(f.dirs[m], dir, true)
	return dir
}

// Restore puts a backup in the place of a member's store. The guard file stays what it is. The node must not run.
func (f *Federation) Restore(m protocol.MemberID, backup string) {
	f.t.Helper()
	dir := f.folder(m)
	f.copyFolder(backup, dir, false)
	if err := copyFile(guardOf(f.dirs[m]), guardOf(dir)); err != nil {
		f.t.Fatalf("restore %s: %v", m, err)
	}
	f.dirs[m] = dir
}

// Rollback puts a snapshot in the place of a member's store and guard file. The node must not run.
func (f *Federation) Rollback(m protocol.MemberID, snapshot string) {
	f.t.Helper()
	dir := f.folder(m)
	f.copyFolder(snapshot, dir, true)
	f.dirs[m] = dir
}

// Twin makes a second running copy of a member's node, with the same keys, at an address of its own, which no card names:
// of a snapshot as of now, or from a backup, without a guard file.
func (f *Federation) Twin(m protocol.MemberID, backup string) (twin protocol.MemberID, err error) {
	f.t.Helper()
	twin = TwinOf(m)
	dir := f.folder(twin)
	if backup == "" {
		f.copyFolder(f.dirs[m], dir, true)
	} else {
		f.copyFolder(backup, dir, false)
	}
	f.mu.Lock()
	f.twins[twin], f.dirs[twin], f.ahead[twin] = m, dir, f.ahead[m]
	f.mu.Unlock()
	f.probe.join(twin, m)
	return twin, f.start(twin)
}

// TwinOf is how the second copy of a member's node is called.
func TwinOf(m protocol.MemberID) protocol.MemberID { return m + "2" }

// Lose loses packets on a member's link, percent of a hundred each way; 0 ends it.
func (f *Federation) Lose(m protocol.MemberID, percent int) {
	f.net.loss[f.index(m)].Store(int32(percent))
}
