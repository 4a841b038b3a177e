package p2p

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/marcopolo/simnet"

	"github.com/asean-tmh/tmh/protocol"
)

// trio is three nodes that run, all connected.
func trio(t *testing.T) (f *federation, a, b, c *node) {
	t.Helper()
	f = newFederation(t, "test", "AA", "BB", "CC")
	a, b, c = f.open("AA"), f.open("BB"), f.open("CC")
	f.introduce(a, b, c)
	for _, n := range []*node{a, b, c} {
		f.run(n)
	}
	eventually(t, "connections", func() bool { return len(a.Connected()) == 2 && len(b.Connected()) == 2 && len(c.Connected()) == 2 })
	return f, a, b, c
}

// ask returns how m was answered: "" or the code of a refusal.
func ask(n *node, m protocol.MemberID, r *protocol.Request) (refused protocol.Code, err error) {
	err = n.Ask(context.Background(), m, r, func(a *protocol.Answer) error { refused = a.Refused; return nil })
	return refused, err
}

// BB asks for more than it may of every kind: it is refused at once, and CC is answered.
func TestTooManyRequests(t *testing.T) {
	_, a, b, c := trio(t)
	a.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send sender) error {
		return send(&protocol.Answer{Last: true})
	})
	for kind, of := range map[protocol.RequestKind]budget{
		protocol.AskVector: askingVector, protocol.AskChanges: askingChanges, protocol.AskHeads: askingHeads,
		protocol.AskOwn: askingOwn, protocol.AskBuckets: askingBuckets, protocol.AskForks: askingForks,
	} {
		r := &protocol.Request{Kind: kind}
		if kind != protocol.AskVector && kind != protocol.AskHeads {
			r.Origin = "BB"
		}
		start, answered := time.Now(), 0
		for answered <= a.budgets.most(of, time.Since(start)) {
			refused, err := ask(b, "AA", r)
			if err != nil {
				t.Fatalf("kind %d, after %d answers: %v", kind, answered, err)
			}
			if refused == protocol.CodeUnavailable {
				break
			}
			answered++
		}
		if most := a.budgets.most(of, time.Since(start)); answered > most || answered < a.budgets.each[of].burst {
			t.Errorf("kind %d: %d answers in %v, at most %d are within the budget", kind, answered, time.Since(start), most)
		}
		if refused, err := ask(c, "AA", r); err != nil || refused != "" {
			t.Errorf("kind %d: CC is refused with %q and %v", kind, refused, err)
		}
	}
	if got := counted(a.Net, "BB", requestRate); got != 6 {
		t.Errorf("BB is named %v times, want once for each kind", got)
	}
	if got := counted(a.Net, "CC", requestRate); got != 0 {
		t.Errorf("CC is named %v times", got)
	}
}

func TestTooManyRecordsAndPapers(t *testing.T) {
	f, a, b, c := trio(t)
	a.desk.paper(func(uint64) *protocol.Papers { return &protocol.Papers{Charters: []*protocol.SignedCharter{f.charter}} })
	record := func(n *node) error { _, err := f.fetchOne(t.Context(), n, "AA"); return err }
	e := map[*node]*protocol.SignedEntitlement{b: f.entitlement("BB", "AA"), c: f.entitlement("CC", "AA")}
	a.desk.serve(func(protocol.MemberID, *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
		return &protocol.RecordAnswer{Parts: [][]byte{[]byte("full")}}, nil
	}, func(protocol.MemberID, *protocol.SignedEntitlement, protocol.Hash) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("document")), nil
	})
	document := func(n *node) error {
		refused, err := n.FetchDocument(t.Context(), "AA", e[n], protocol.Sum([]byte("document")), 8, func([]byte) error { return nil })
		if refused != nil {
			return refused
		}
		return err
	}
	papers := func(n *node) error { _, err := n.FetchPapers(t.Context(), "AA", 1); return err }
	for _, tt := range []struct {
		name  string
		fetch func(*node) error
		of    budget
	}{{"document", document, askingDocument}, {"record", record, askingRecord}, {"papers", papers, charterStreams}} {
		start, fetched := time.Now(), 0
		var err error
		for err == nil && fetched <= a.budgets.most(tt.of, time.Since(start)) {
			if err = tt.fetch(b); err == nil {
				fetched++
			}
		}
		if protocol.CodeOf(err) != protocol.CodeUnavailable || fetched < a.budgets.each[tt.of].burst {
			t.Errorf("%s: got %v after %d", tt.name, err, fetched)
		}
		if err := tt.fetch(c); err != nil {
			t.Errorf("%s: CC: %v", tt.name, err)
		}
	}
	eventually(t, "BB is named", func() bool { return counted(a.Net, "BB", requestRate) == 3 })
}

// BB opens streams and says nothing, more than may wait. Its host has no limits of its own.
func TestCrowdOfStreams(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB", "CC")
	a, c := f.open("AA"), f.open("CC")
	r := f.roster(f.card("AA", a.Addrs()...), f.card("BB"), f.card("CC", c.Addrs()...))
	a.SetRoster(r)
	c.SetRoster(r)
	f.run(a)
	f.run(c)
	a.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send sender) error {
		return send(&protocol.Answer{Last: true})
	})
	key, err := crypto.UnmarshalEd25519PrivateKey(f.transport("BB"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := libp2p.New(libp2p.Identity(key), libp2p.NoListenAddrs, libp2p.ResourceManager(&network.NullResourceManager{}))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Connect(t.Context(), peer.AddrInfo{ID: a.host.ID(), Addrs: multiaddrs(a.Addrs())}); err != nil {
		t.Fatal(err)
	}
	for range 2*laneWidth + 4 {
		s, err := b.NewStream(t.Context(), a.host.ID(), syncProtocol)
		if err != nil {
			continue // reset already
		}
		_, _ = s.Write([]byte{9}) // only now the other side is told which protocol it is
	}
	eventually(t, "BB is named", func() bool { return counted(a.Net, "BB", requestCrowd) > 0 })
	await(t, c.desk.up, "AA")
	if refused, err := ask(c, "AA", askChanges()); err != nil || refused != "" {
		t.Errorf("CC is refused with %q and %v", refused, err)
	}
}

// Streams that are opened one after the other for nothing.
func TestFloodOfStreams(t *testing.T) {
	_, a, b, _ := trio(t)
	refused := 0
	start := time.Now()
	for range 80 {
		s := rawStream(t, b, a, charterProtocol)
		_, _ = s.Write([]byte{9, 1})
		_ = s.CloseWrite()
		var e *network.StreamError
		if _, err := io.ReadAll(s); errors.As(err, &e) && e.ErrorCode == network.StreamRateLimited {
			refused++
		}
		_ = s.Reset()
	}
	if least := 80 - a.budgets.most(charterStreams, time.Since(start)); refused < least || refused == 0 {
		t.Errorf("%d streams were refused, want %d", refused, least)
	}
	eventually(t, "BB is named", func() bool { return counted(a.Net, "BB", requestRate) == float64(refused) })
}

func TestAnswerWithoutEndIsRefused(t *testing.T) {
	_, a, b, _ := trio(t)
	ended := make(chan error, 1)
	b.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send sender) (err error) {
		for err == nil {
			err = send(&protocol.Answer{})
		}
		ended <- err
		return err
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i, r := range []*protocol.Request{{Kind: protocol.AskVector}, {Kind: protocol.AskHeads}, askChanges(),
		{Kind: protocol.AskOwn, Origin: "AA"}, {Kind: protocol.AskBuckets, Origin: "BB"}, {Kind: protocol.AskForks, Origin: "BB"}} {
		err := a.Ask(ctx, "BB", r, func(*protocol.Answer) error { return nil })
		if protocol.CodeOf(err) != protocol.CodeHolder {
			t.Errorf("kind %d: got %v", r.Kind, err)
		}
		receive(t, ended)
		if got := counted(a.Net, "BB", answerEndless); got != float64(i+1) {
			t.Errorf("kind %d: BB is named %v times", r.Kind, got)
		}
	}
}

func TestAnswerWithMoreChangesThanThereCanBe(t *testing.T) {
	n := newFederation(t, "test", "AA", "BB").open("AA")
	e := n.endOf(askChanges())
	full := &protocol.Answer{Changes: make([][]byte, protocol.DefaultRecords)}
	if err := errors.Join(e.check(full), e.check(full)); err != nil {
		t.Errorf("every record twice: %v", err)
	}
	if err := e.check(&protocol.Answer{Changes: make([][]byte, 1)}); protocol.CodeOf(err) != protocol.CodeHolder {
		t.Errorf("one more: got %v", err)
	}
}

// bubble runs a test on three simulated nodes, in virtual time; cut takes BB off the network.
func bubble(t *testing.T, cut *atomic.Bool, test func(t *testing.T, ctx context.Context, a, b, c *node)) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // see golang/go#78156
	synctest.Test(t, func(t *testing.T) {
		world := &simnet.Simnet{LatencyFunc: simnet.StaticLatency(20 * time.Millisecond), Logger: slog.New(slog.DiscardHandler)}
		world.Start()
		defer world.Close()
		nodes := simulate(newFederation(t, "simulated", "AA", "BB", "CC"), world, "BB", cut)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		for _, n := range nodes {
			go func() { done <- n.Run(ctx, n.desk) }()
		}
		time.Sleep(10 * time.Second)
		test(t, ctx, nodes[0], nodes[1], nodes[2])
		cancel()
		for range nodes {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// slowly writes b byte by byte.
func slowly(s network.Stream, b []byte, pause time.Duration) {
	for i := range b {
		if _, err := s.Write(b[i : i+1]); err != nil {
			return
		}
		time.Sleep(pause)
	}
}

func TestSlowRequestsEnd(t *testing.T) {
	for name, send := range map[string]func(b *node, s network.Stream){
		"nothing":      func(b *node, s network.Stream) { _, _ = s.Write(b.zip.frame(askChanges().Encode())[:1]) },
		"byte by byte": func(b *node, s network.Stream) { slowly(s, b.zip.frame(askChanges().Encode()), time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, new(atomic.Bool), func(t *testing.T, ctx context.Context, a, b, c *node) {
				a.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send sender) error {
					return send(&protocol.Answer{Last: true})
				})
				for range laneWidth {
					s, err := b.host.NewStream(ctx, a.host.ID(), syncProtocol)
					if err != nil {
						t.Fatal(err)
					}
					go send(b, s)
				}
				time.Sleep(time.Second)
				if refused, err := ask(c, "AA", askChanges()); err != nil || refused != "" {
					t.Errorf("CC is refused with %q and %v", refused, err)
				}
				time.Sleep(requestTime)
				if got := counted(a.Net, "BB", requestSlow); got != laneWidth {
					t.Errorf("BB is named %v times, want %d", got, laneWidth)
				}
			})
		})
	}
}

// BB asks on all lanes and reads nothing, or little of messages which are small: the lanes are free again within a minute.
func TestSlowReadersEnd(t *testing.T) {
	for name, read := range map[string]func(s network.Stream){
		"nothing":         func(network.Stream) {},
		"a byte a second": func(s network.Stream) { slowlyRead(s, 1, time.Second) },
		"a little":        func(s network.Stream) { slowlyRead(s, 512, time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, new(atomic.Bool), func(t *testing.T, ctx context.Context, a, b, c *node) {
				ended := make(chan error, 16)
				a.desk.answer(func(_ context.Context, from protocol.MemberID, _ *protocol.Request, send sender) error {
					if from == "CC" {
						return send(&protocol.Answer{Last: true})
					}
					for {
						if err := send(&protocol.Answer{Changes: [][]byte{random(4 << 10)}}); err != nil {
							ended <- err
							return err
						}
					}
				})
				for range laneWidth {
					s, err := b.host.NewStream(ctx, a.host.ID(), syncProtocol)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := s.Write(b.zip.frame(askChanges().Encode())); err != nil {
						t.Fatal(err)
					}
					go read(s)
				}
				time.Sleep(time.Second)
				if refused, err := ask(c, "AA", askChanges()); err != nil || refused != "" {
					t.Errorf("CC is refused with %q and %v", refused, err)
				}
				// What flow control let into BB's buffers beforehand counts as read: half a megabyte a stream.
				time.Sleep(20 * time.Minute)
				if len(ended) != laneWidth {
					t.Errorf("%d of %d answers ended", len(ended), laneWidth)
				}
				if got := counted(a.Net, "BB", answerUnread); got != laneWidth {
					t.Errorf("BB is named %v times, want %d", got, laneWidth)
				}
			})
		})
	}
}

// Flow control lets little through at a time, so that over QUIC a reader of less than the least rate does not get as far as its
// second message. Other transports may be finer.
func TestSlowReaderIsLeft(t *testing.T) {
	n := newFederation(t, "test", "AA", "BB").open("AA") // outside: it waits for real sockets
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		sent := 0
		d.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send sender) error {
			for {
				if err := send(&protocol.Answer{Changes: [][]byte{random(8 << 10)}}); err != nil {
					return err
				}
				sent++
			}
		})
		s := &tape{pause: 10 * time.Second}
		if err := n.answerSync(t.Context(), d, "BB", askChanges().Encode(), n.newWire(s)); !late(err) || sent != 2 {
			t.Errorf("after %d messages of 8 KiB, 10 s each: %v", sent, err)
		}
	})
}

func slowlyRead(s network.Stream, n int, pause time.Duration) {
	b := make([]byte, n)
	for {
		if _, err := s.Read(b); err != nil {
			return
		}
		time.Sleep(pause)
	}
}

// A holder that sends a little now and then is left; one that sends 2 KiB a second, for an hour, is not.
func TestSlowHolderIsLeft(t *testing.T) {
	t.Parallel() // waits more than it computes
	bubble(t, new(atomic.Bool), func(t *testing.T, ctx context.Context, a, b, _ *node) {
		pause, size, messages := 20*time.Second, 100, 1<<20
		b.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send sender) error {
			for i := range messages {
				time.Sleep(pause)
				if err := send(&protocol.Answer{Changes: [][]byte{random(size)}, Last: i == messages-1}); err != nil {
					return err
				}
			}
			return nil
		})
		start := time.Now()
		limited, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		err := a.Ask(limited, "BB", askChanges(), func(*protocol.Answer) error { return nil })
		if protocol.CodeOf(err) != protocol.CodeHolder || time.Since(start) > 2*time.Minute {
			t.Errorf("after %v: got %v", time.Since(start), err)
		}
		if got := counted(a.Net, "BB", answerSlow); got != 1 {
			t.Errorf("BB is named %v times", got)
		}
		time.Sleep(pause)
		pause, size, messages = 10*time.Second, 20<<10, 360
		if err := a.Ask(ctx, "BB", askChanges(), func(*protocol.Answer) error { return nil }); err != nil {
			t.Errorf("slow but steady: %v", err)
		}
		pause = time.Hour // silence, and the caller does not wait for the deadline
		limited, cancel = context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := a.Ask(limited, "BB", askChanges(), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("silence: got %v", err)
		}
		if err := a.Ask(ctx, "BB", askChanges(), nil); protocol.CodeOf(err) != protocol.CodeUnavailable {
			t.Errorf("silence: got %v", err)
		}
		if got := counted(a.Net, "BB", answerSlow); got != 3 {
			t.Errorf("BB is named %v times, want 3", got)
		}
	})
}

// The log names a member for a fault at once, and then once a minute with the number since.
func TestFaultsAreToldOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m, err := newMetrics(nil)
		if err != nil {
			t.Fatal(err)
		}
		f := newFaults(slog.New(slog.NewTextHandler(&out, nil)), m)
		ctx, cancel := context.WithCancel(t.Context())
		go f.run(ctx)
		for range 300 {
			f.blame("BB", gossipRate)
			time.Sleep(100 * time.Millisecond)
		}
		f.blame("BB", requestSlow)
		f.blame("CC", gossipRate)
		time.Sleep(time.Hour)
		cancel()
		synctest.Wait()
		var got []string
		for line := range strings.Lines(out.String()) {
			_, told, _ := strings.Cut(line, "misbehaves\" ")
			got = append(got, strings.TrimSpace(told))
		}
		want := []string{"member=BB fault=gossip-rate times=1", "member=BB fault=request-slow times=1", "member=CC fault=gossip-rate times=1",
			"member=BB fault=gossip-rate times=299"}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s", strings.Join(got, "\n"))
		}
		if got := value(m.faults.WithLabelValues("BB", string(gossipRate))); got != 300 {
			t.Errorf("counted %v", got)
		}
	})
}

// Codes that are not ours, and errors without one, have one label together.
func TestLabelsAreOurOwn(t *testing.T) {
	for err, want := range map[error]fault{
		protocol.Errorf(protocol.CodeSignature, "", ""): "gossip-signature",
		protocol.Errorf("invented by a peer", "", ""):   "gossip-other",
		errors.New("x"): "gossip-other",
		protocol.Errorf(protocol.Code("gossip"), "", ""): "gossip-other",
	} {
		if got := withCode(gossipInvalid, err); got != want {
			t.Errorf("%v: got %s, want %s", err, got, want)
		}
	}
}

// Who leaves takes budgets and tellings along.
func TestLeaversAreForgotten(t *testing.T) {
	f, a, _ := pair(t)
	a.budgets.take("CC", askingOwn, 1)
	a.budgets.takeChanges([]*protocol.Change{f.change("CC", 1)})
	a.faults.blame("CC", gossipRate)
	r := a.view.Load().roster
	next, err := r.WithCharter(f.amend("AA", "BB"))
	if err != nil {
		t.Fatal(err)
	}
	a.SetRoster(next)
	for x := range a.budgets.left {
		if x.member == "CC" {
			t.Error("a budget is kept")
		}
	}
	if len(a.budgets.newest)+len(a.faults.told) != 0 {
		t.Error("something is kept")
	}
}

// A connection over which nothing passes stands; one that died without a word is closed before QUIC notices.
func TestDeadConnectionsAreClosed(t *testing.T) {
	cut := new(atomic.Bool)
	bubble(t, cut, func(t *testing.T, _ context.Context, a, b, c *node) {
		time.Sleep(10 * time.Minute)
		for _, n := range []*node{a, b, c} {
			if up, down := len(n.desk.up), len(n.desk.down); up != 2 || down != 0 {
				t.Errorf("%s: %d connected, %d disconnected", n.id, up, down)
			}
		}
		cut.Store(true)
		time.Sleep(pulseDead + 2*pulseEvery)
		if got := a.Connected(); len(got) != 1 || len(b.Connected()) != 0 {
			t.Errorf("AA is still connected to %v, BB to %v", got, b.Connected())
		}
		cut.Store(false)
		time.Sleep(20 * time.Second)
		if got := a.Connected(); len(got) != 2 {
			t.Errorf("afterwards AA is connected to %v only", got)
		}
	})
}
