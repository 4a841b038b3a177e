// Package demo runs a whole federation in one process: real nodes, each with its own database, that talk over real libp2p
// connections on the loopback interface. It serves the demonstration, the tests that need a federation, and measurements.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Config of a federation.
type Config struct {
	Dir      string            // below which every node gets its folder
	Members  []protocol.Member // nil: ASEAN's eleven and the secretariat
	HTTPPort int               // of the first member; the others follow. 0: ports that are free
	Memtable int64             // bytes; 0: 8 MiB, so that twelve nodes stay small
	Version  string

	Alone        bool // nodes sign without having heard the others
	WithoutIndex bool // nodes match nothing

	Log *slog.Logger
	Tap func(protocol.MemberID, node.Event)
}

// Federation of running nodes.
type Federation struct {
	cfg    Config
	seats  map[protocol.MemberID]founding.Seat
	http   map[protocol.MemberID]string
	papers *protocol.Papers

	mu      sync.Mutex
	running map[protocol.MemberID]*running
}

type running struct {
	*node.Node
	stop context.CancelFunc
	done chan error
}

// Used reports whether a folder has nodes of ASEAN's members in it. They cannot run again once their federation is gone, which keeps its
// keys in memory.
func Used(dir string) bool {
	return slices.ContainsFunc(founding.ASEAN(), func(m protocol.Member) bool {
		_, err := os.Lstat(filepath.Join(dir, string(m.ID), "data"))
		return err == nil
	})
}

// New makes the federation's keys, charter and cards. No node runs yet.
func New(cfg Config) (*Federation, error) {
	if cfg.Members == nil {
		cfg.Members = founding.ASEAN()
	}
	if cfg.Memtable == 0 {
		cfg.Memtable = 8 << 20
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	f := &Federation{cfg: cfg, seats: make(map[protocol.MemberID]founding.Seat), http: make(map[protocol.MemberID]string), running: make(map[protocol.MemberID]*running)}
	ports, err := freePorts(2 * len(cfg.Members))
	if err != nil {
		return nil, err
	}
	var seats []founding.Seat
	for i, m := range cfg.Members {
		s, err := founding.NewSeat(m, "")
		if err != nil {
			return nil, err
		}
		s.Addresses = []string{fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", ports[2*i]), fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", ports[2*i])}
		web := ports[2*i+1]
		if cfg.HTTPPort > 0 {
			web = cfg.HTTPPort + i
		}
		f.http[m.ID] = fmt.Sprintf("127.0.0.1:%d", web)
		s.URL = "http://" + f.http[m.ID] + "/"
		f.seats[m.ID] = s
		seats = append(seats, s)
	}
	f.papers, err = founding.Found("Demonstration federation", seats, time.Now())
	return f, err
}

// freePorts finds ports that are free now, for TCP and UDP alike. They lie below those that systems give to outgoing
// connections, which could take a port between this look and the node's own.
func freePorts(n int) (ports []int, err error) {
	const from, to, tries = 20_000, 32_000, 10_000
	var held []io.Closer
	defer func() {
		for _, h := range held {
			err = errors.Join(err, h.Close())
		}
	}()
	for range tries {
		if len(ports) == n {
			return ports, nil
		}
		port := from + rand.IntN(to-from)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		held = append(held, l)
		u, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		held = append(held, u)
		ports = append(ports, port)
	}
	return nil, errors.New("too few free ports between 20000 and 32000 on 127.0.0.1")
}

// Members of the federation, ascending by id.
func (f *Federation) Members() []protocol.MemberID {
	var ids []protocol.MemberID
	for _, m := range f.cfg.Members {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

// URL of a member's pages.
func (f *Federation) URL(m protocol.MemberID) string { return "http://" + f.http[m] + "/" }

// Folder of a member's node.
func (f *Federation) Folder(m protocol.MemberID) string { return filepath.Join(f.cfg.Dir, string(m)) }

// Start runs a member's node and returns when its doors are open.
func (f *Federation) Start(m protocol.MemberID) error {
	dir := f.Folder(m)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	s := f.seats[m]
	cfg := node.Config{
		Member: m, Record: s.Record, Transport: s.Transport, Papers: f.papers,
		Store: store.Config{Dir: filepath.Join(dir, "data"), MinFree: 256 << 20, Memtable: f.cfg.Memtable}, Guard: filepath.Join(dir, "guard"),
		Index: filepath.Join(dir, "index"), Lexicon: filepath.Join(dir, "lexicon"),
		Listen: s.Addresses, Relay: s.Member.Role == protocol.RoleSecretariat,
		Alone: f.cfg.Alone, WithoutIndex: f.cfg.WithoutIndex,
		HTTP: f.http[m], Socket: filepath.Join(dir, "tmh.sock"), Demonstration: true, Version: f.cfg.Version,
		Log: f.cfg.Log.With("member", m),
	}
	cfg.House.Imports = filepath.Join(dir, "imports")
	if f.cfg.Tap != nil {
		cfg.Tap = func(e node.Event) { f.cfg.Tap(m, e) }
	}
	n, err := node.New(cfg)
	if err != nil {
		return fmt.Errorf("start %s: %w", m, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{Node: n, stop: stop, done: make(chan error, 1)}
	go func() { r.done <- n.Run(ctx) }()
	select {
	case <-n.Ready():
	case err := <-r.done:
		stop()
		return fmt.Errorf("start %s: %w", m, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[m] = r
	return nil
}

// StartAll runs every member's node.
func (f *Federation) StartAll() error {
	for _, m := range f.Members() {
		if err := f.Start(m); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return nil
}

// Stop ends a member's node in good order.
func (f *Federation) Stop(m protocol.MemberID) error {
	f.mu.Lock()
	r := f.running[m]
	delete(f.running, m)
	f.mu.Unlock()
	if r == nil {
		return nil
	}
	r.stop()
	return <-r.done
}

// Close stops every node.
func (f *Federation) Close() error {
	var wg sync.WaitGroup
	errs := make([]error, len(f.cfg.Members))
	for i, m := range f.Members() {
		wg.Go(func() { errs[i] = f.Stop(m) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Node of a member, nil where it is stopped.
func (f *Federation) Node(m protocol.MemberID) *node.Node {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.running[m]; r != nil {
		return r.Node
	}
	return nil
}

// pollEvery is how often Await looks.
const pollEvery = 5 * time.Millisecond

// Await waits until ok holds, or says what it waited for.
func Await(ctx context.Context, what string, ok func() bool) error {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s", what)
		case <-t.C:
		}
	}
	return nil
}

// Connected reports whether every running node is connected with every other.
func (f *Federation) Connected() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.running {
		if len(r.Net().Connected()) < len(f.running)-1 {
			return false
		}
	}
	return true
}

// Equal reports whether all running nodes have proven every origin at the same digest and have read everything into
// their index. why says what is missing.
func (f *Federation) Equal() (ok bool, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	want := make(map[protocol.MemberID]exchange.MemberState) // the origin's own state, or the furthest where it is stopped
	for id, r := range f.running {
		for _, m := range r.Members() {
			if have, ok := want[m.ID]; m.ID == id || f.running[m.ID] == nil && (!ok || m.Position.Compare(have.Position) > 0) {
				want[m.ID] = m
			}
		}
	}
	for id, r := range f.running {
		for _, m := range r.Members() {
			w, ok := want[m.ID]
			if ok && (m.Digest != w.Digest || m.Position != w.Position) {
				return false, fmt.Sprintf("%s holds %s at %s (%s), which stands at %s", id, m.ID, m.Position, m.State, w.Position)
			}
		}
		if n := r.Waiting(); n > 0 { // read after the copies: what they show is marked by then
			return false, fmt.Sprintf("%s has %d listings still to index", id, n)
		}
	}
	return true, ""
}
