package p2p

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"runtime"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/asean-tmh/tmh/protocol"
)

// tape is a stream of which one side is written down beforehand. What is written to it is counted.
type tape struct {
	network.Stream
	in    io.Reader
	from  peer.ID
	out   int
	pause time.Duration // that a write takes
	reset bool
}

type tapeConn struct {
	network.Conn
	from peer.ID
}

func (c tapeConn) RemotePeer() peer.ID { return c.from }

func (s *tape) Conn() network.Conn               { return tapeConn{from: s.from} }
func (s *tape) Scope() network.StreamScope       { return &network.NullScope{} }
func (s *tape) Read(b []byte) (int, error)       { return s.in.Read(b) }
func (s *tape) SetReadDeadline(time.Time) error  { return nil }
func (s *tape) SetWriteDeadline(time.Time) error { return nil }
func (s *tape) Close() error                     { return nil }
func (s *tape) CloseWrite() error                { return nil }
func (s *tape) Write(b []byte) (int, error) {
	time.Sleep(s.pause)
	s.out += len(b)
	return len(b), nil
}

func (s *tape) Reset() error {
	s.reset = true
	return nil
}

func (s *tape) ResetWithError(network.StreamErrorCode) error { return s.Reset() }

// fuzzed is a node of AA that knows BB, with budgets that fuzzing does not use up.
func fuzzed(f *testing.F) (*federation, *node) {
	fed := newFederation(f, "test", "AA", "BB", "CC")
	a := fed.open("AA")
	a.SetRoster(fed.roster(fed.card("AA"), fed.card("BB")))
	for k := range a.budgets.each {
		a.budgets.each[k] = allowance{1e9, 1e9}
	}
	a.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send sender) error {
		return send(&protocol.Answer{Last: true})
	})
	a.desk.paper(func(uint64) *protocol.Papers {
		return &protocol.Papers{Charters: []*protocol.SignedCharter{fed.charter}}
	})
	a.desk.serve(func(protocol.MemberID, *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
		return &protocol.RecordAnswer{Parts: [][]byte{[]byte("part")}}, nil
	}, func(protocol.MemberID, *protocol.SignedEntitlement, protocol.Hash) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(make([]byte, 3*maxChunk))), nil
	})
	return fed, a
}

func peerOf(f *federation, m protocol.MemberID) peer.ID {
	id, err := peer.Decode(f.peerID(m))
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// within runs what must come to an end, with memory that does not follow what a peer says of itself.
func within(t *testing.T, most uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%d bytes allocated, at most %d may be", got, most)
	}
	if took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

// hostileFrames of any stream: none is a message.
func hostileFrames(zip *codec) [][]byte {
	return [][]byte{
		nil, {0}, {1}, {0x81, 0}, {0xff, 0xff, 0xff, 0x7f}, {9, 1}, append([]byte{4}, "abcd"...),
		binary.AppendUvarint(nil, 1<<27), binary.AppendUvarint(nil, 1<<63),
		zip.frame(nil), zip.frame([]byte("what?")), zip.frame(make([]byte, 1<<10)), zip.frame(make([]byte, 40<<20)),
		append(zip.frame([]byte("one")), zip.frame([]byte("two"))...),
	}
}

// Whatever a peer writes on a stream: one request is answered at most, and anything else is answered with a reset.
func FuzzServeStream(f *testing.F) {
	fed, a := fuzzed(f)
	services := a.services(a.desk)
	var kinds [][]byte
	for k := protocol.AskVector; k <= protocol.AskForks; k++ {
		r := &protocol.Request{Kind: k, Origin: "BB"}
		if k == protocol.AskVector || k == protocol.AskHeads {
			r.Origin = ""
			r.Vector = []protocol.Claim{{Origin: "BB", Pos: protocol.Position{Epoch: 1, Seq: 3}}}
		}
		kinds = append(kinds, a.zip.frame(r.Encode()))
	}
	buckets := &protocol.Request{Kind: protocol.AskChanges, Origin: "BB", Buckets: new(protocol.BucketSet), Above: 7}
	for i := range services {
		for _, b := range hostileFrames(a.zip) {
			f.Add(byte(i), b)
		}
	}
	for _, b := range append(kinds, a.zip.frame(buckets.Encode()), append(kinds[1], kinds[1]...), kinds[1][:5]) {
		f.Add(byte(0), b)
	}
	f.Add(byte(1), a.zip.frame(encodePapersRequest(1)))
	f.Add(byte(2), a.zip.frame(appendField(nil, 1, []byte("listing/a"))))
	f.Add(byte(2), a.zip.frame((&recordRequest{entitlement: fed.entitlement("BB", "AA")}).encode()))
	f.Add(byte(2), a.zip.frame((&recordRequest{entitlement: fed.entitlement("BB", "AA"), document: protocol.Hash{1}}).encode()))
	from := peerOf(fed, "BB")
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		svc := services[int(which)%len(services)]
		s := &tape{in: bytes.NewReader(b), from: from}
		within(t, 8<<20, func() {
			err := a.serveStream(t.Context(), svc, newLanes(), s)
			if (err == nil) == s.reset {
				t.Errorf("reset is %v after %v", s.reset, err)
			}
			if err != nil && s.out > 0 {
				t.Errorf("%d bytes sent, and then %v", s.out, err)
			}
		})
	})
}

// Whatever a holder writes as an answer: what is delivered is an answer, and everything ends.
func FuzzReadAnswer(f *testing.F) {
	fed, a := fuzzed(f)
	holder := peerOf(fed, "BB")
	frame := func(x *protocol.Answer) []byte { return a.zip.frame(x.Encode()) }
	last := frame(&protocol.Answer{Last: true})
	change := fed.change("BB", 1)
	feed := frame(&protocol.Answer{Head: change.SignedHeader.Bytes(), Changes: [][]byte{change.Bytes()}})
	requests := []*protocol.Request{askChanges(), {Kind: protocol.AskVector}, {Kind: protocol.AskHeads},
		{Kind: protocol.AskOwn, Origin: "AA"}, {Kind: protocol.AskBuckets, Origin: "BB"}, {Kind: protocol.AskForks, Origin: "BB"}}
	const papers, parts, document = 100, 102, 103
	for _, b := range hostileFrames(a.zip) {
		for _, kind := range []byte{0, 1, papers, parts, document} {
			f.Add(kind, b)
		}
	}
	f.Add(byte(0), append(feed, last...))
	f.Add(byte(0), bytes.Repeat(frame(&protocol.Answer{}), 40))
	f.Add(byte(0), frame(&protocol.Answer{Refused: "no code of ours"}))
	f.Add(byte(1), frame(&protocol.Answer{Vector: []protocol.Claim{{Origin: "BB", Counter: 4}}, Last: true}))
	f.Add(byte(1), append(frame(&protocol.Answer{Vector: []protocol.Claim{{Origin: "BB", Counter: 4}}}), last...))
	f.Add(byte(2), frame(&protocol.Answer{Heads: [][]byte{fed.head("BB", 1).Bytes()}, Last: true}))
	f.Add(byte(3), append(feed, feed...))
	f.Add(byte(4), frame(&protocol.Answer{Buckets: make([]protocol.Hash, protocol.Buckets), Last: true}))
	f.Add(byte(5), frame(&protocol.Answer{Forks: [][]byte{fed.evidence("BB", 1).Encode()}, Last: true}))
	f.Add(byte(papers), a.zip.frame((&protocol.Papers{Charters: []*protocol.SignedCharter{fed.charter}, Cards: []*protocol.SignedCard{fed.card("BB")}}).Encode()))
	f.Add(byte(parts), a.zip.frame((&recordReply{parts: [][]byte{[]byte("full")}}).encode()))
	f.Add(byte(parts), a.zip.frame((&recordReply{parts: [][]byte{[]byte("one"), []byte("two")}, listing: []byte("l")}).encode()))
	f.Add(byte(document), append(a.zip.frame((&recordReply{chunk: []byte("document")}).encode()), a.zip.frame((&recordReply{last: true}).encode())...))
	f.Add(byte(document), bytes.Repeat(a.zip.frame((&recordReply{chunk: make([]byte, maxChunk)}).encode()), 9))
	f.Add(byte(parts), a.zip.frame((&recordReply{refused: protocol.Errorf(protocol.CodeNotFound, "", "nothing there")}).encode()))
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		w := a.newWire(&tape{in: bytes.NewReader(b), from: holder})
		switch kind {
		case papers:
			within(t, 128<<20, func() { _, _ = a.readPapers(w, "BB") })
		case parts:
			within(t, 8<<20, func() {
				if x, err := a.readParts(w, "BB"); err == nil && len(x.Parts) > maxParts {
					t.Errorf("%d parts", len(x.Parts))
				}
			})
		case document:
			const most = 4 * maxChunk
			read := 0
			within(t, 16<<20, func() {
				refused, err := a.readDocument(w, "BB", protocol.Sum([]byte("document")), most, func(b []byte) error { read += len(b); return nil })
				if read > most || refused == nil && err == nil && read != len("document") {
					t.Errorf("%d bytes of a document that has %d", read, len("document"))
				}
			})
		default:
			r := requests[int(kind)%len(requests)]
			delivered := 0
			within(t, uint64(8<<20+4096*len(b)), func() {
				_ = a.readAnswers(w, "BB", r, func(x *protocol.Answer) error {
					delivered++
					return nil
				})
			})
			if single := r.Kind != protocol.AskChanges && r.Kind != protocol.AskOwn; single && delivered > 1 {
				t.Errorf("%d messages of an answer that has one", delivered)
			}
		}
	})
}

// Whatever a member gossips: what is accepted is signed by a member, and nobody else is named than who sent it.
func FuzzGossip(f *testing.F) {
	fed, a := fuzzed(f)
	from := peerOf(fed, "BB")
	validators := []pubsub.ValidatorEx{a.validateChanges, a.validateHead, a.validateEvidence}
	topics := []string{"changes", "heads", "control"}
	for _, bad := range badGossips(fed) {
		for i, topic := range topics {
			if bad.topic == topic && len(bad.data) < 4<<10 {
				f.Add(byte(i), bad.data)
			}
		}
	}
	f.Add(byte(0), a.zip.pack(nil, protocol.EncodeGossip([]*protocol.Change{fed.change("BB", 1), fed.change("BB", 2)})))
	f.Add(byte(0), a.zip.pack(nil, make([]byte, 40<<20)))
	f.Add(byte(1), fed.head("BB", 1).Bytes())
	f.Add(byte(2), fed.evidence("BB", 1).Encode())
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		topic := topicName(fed.charter.FederationID(), topics[int(which)%len(topics)])
		m := &pubsub.Message{Message: &pb.Message{Data: b, Topic: &topic}, ReceivedFrom: from}
		within(t, 16<<20, func() {
			got := validators[int(which)%len(validators)](t.Context(), from, m)
			if (got == pubsub.ValidationAccept) != (m.ValidatorData != nil) {
				t.Errorf("verdict %v with %v", got, m.ValidatorData)
			}
			if cs, ok := m.ValidatorData.([]*protocol.Change); ok {
				for _, c := range cs {
					if err := a.view.Load().roster.VerifyChange(c); err != nil {
						t.Errorf("accepted: %v", err)
					}
				}
			}
		})
		if got := counted(a.Net, "AA", gossipRate) + counted(a.Net, "CC", gossipRate); got != 0 {
			t.Error("somebody else is named")
		}
	})
}

// Cards are their members' own work: whatever stands in one, the others stay reachable, and what is taken over can be dialled.
func FuzzCardPeer(f *testing.F) {
	fed, a := fuzzed(f)
	id := fed.peerID("BB")
	for _, s := range []string{"", "/ip4/192.0.2.1/tcp/4001", "/dns4/node.example/udp/4001/quic-v1", "/ip6/::1/tcp/1/ws", "/dns/x/tcp/443/tls/ws",
		"/ip4/192.0.2.1/tcp/4001/p2p/" + id + "/p2p-circuit", "/ip4/192.0.2.1/tcp/4001/p2p/" + id, "/unix/x", "/ip4/1.2.3.4", "/tcp/1"} {
		f.Add(id, s)
	}
	f.Add("", "/ip4/192.0.2.1/tcp/4001")
	f.Add("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", "/ip4/192.0.2.1/tcp/4001")
	honest := fed.card("CC", "/ip4/192.0.2.1/tcp/4001")
	other := peerOf(fed, "CC")
	f.Fuzz(func(t *testing.T, id, address string) {
		card := &protocol.SignedCard{Card: protocol.Card{Member: "BB", Peers: []protocol.Peer{{ID: id, Addresses: []string{address}}}}}
		v := &view{members: make(map[peer.ID]protocol.MemberID)}
		within(t, 8<<20, func() {
			v.members, v.addrs = readCards([]*protocol.SignedCard{card, honest}, a.log)
		})
		for p, addrs := range v.addrs {
			if p.Validate() != nil || v.members[p] == "" {
				t.Errorf("peer %q of %q", p, v.members[p])
			}
			for _, x := range addrs {
				if err := CheckAddress(x.String()); err != nil {
					t.Errorf("%v is taken over: %v", x, err)
				}
			}
		}
		if len(v.addrs[other]) != 1 {
			t.Error("the other member cannot be reached")
		}
	})
}
