package p2p

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	libprotocol "github.com/libp2p/go-libp2p/core/protocol"

	"github.com/asean-tmh/tmh/protocol"
)

type sender = func(*protocol.Answer) error

func askChanges() *protocol.Request {
	return &protocol.Request{Kind: protocol.AskChanges, Origin: "BB"}
}

func TestAskIsAnswered(t *testing.T) {
	_, a, b := pair(t)
	b.desk.answer(func(_ context.Context, from protocol.MemberID, r *protocol.Request, send sender) error {
		if from != "AA" || r.Origin != "BB" {
			t.Errorf("asked by %s for %s", from, r.Origin)
		}
		for i := range 3 {
			if err := send(&protocol.Answer{Changes: [][]byte{make([]byte, 60<<10)}, Last: i == 2}); err != nil {
				return err
			}
		}
		return nil
	})
	n := 0
	err := a.Ask(t.Context(), "BB", askChanges(), func(x *protocol.Answer) error {
		n++
		if x.Last != (n == 3) || len(x.Changes) != 1 || len(x.Changes[0]) != 60<<10 {
			t.Errorf("answer %d: last %v, %d changes", n, x.Last, len(x.Changes))
		}
		return nil
	})
	if err != nil || n != 3 {
		t.Errorf("got %d answers and %v", n, err)
	}
}

// A fault of the handler's ends the answer with its code, and with nothing else of it.
func TestHandlerErrorEndsTheAnswer(t *testing.T) {
	_, a, b := pair(t)
	for _, tt := range []struct {
		name string
		err  error
		want protocol.Code
	}{
		{"code", &protocol.Error{Code: protocol.CodeNotFound, Message: "secret", Err: errors.New("secret")}, protocol.CodeNotFound},
		{"other error", errors.New("secret"), protocol.CodeInternal},
		{"no last message", nil, protocol.CodeInternal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send sender) error {
				if err := send(&protocol.Answer{}); err != nil {
					return err
				}
				return tt.err
			})
			var got []protocol.Code
			err := a.Ask(t.Context(), "BB", askChanges(), func(x *protocol.Answer) error {
				got = append(got, x.Refused)
				if strings.Contains(string(x.Encode()), "secret") {
					t.Error("the cause travelled")
				}
				return nil
			})
			if err != nil || !slices.Equal(got, []protocol.Code{"", tt.want}) {
				t.Errorf("got %q and %v", got, err)
			}
		})
	}
}

func TestAskerGivesUp(t *testing.T) {
	_, a, b := pair(t)
	ended := make(chan error, 1)
	b.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send sender) error {
		for {
			if err := send(incompressible()); err != nil {
				ended <- err
				return err
			}
		}
	})
	enough := errors.New("enough")
	if err := a.Ask(t.Context(), "BB", askChanges(), func(*protocol.Answer) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want the error of the callback", err)
	}
	if err := receive(t, ended); err == nil {
		t.Error("the answering side did not notice")
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := a.Ask(ctx, "BB", askChanges(), func(*protocol.Answer) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	receive(t, ended)
	if err := a.Ask(t.Context(), "CC", askChanges(), nil); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("member that is not connected: got %v", err)
	}
}

// incompressible is a full batch that does not compress.
func incompressible() *protocol.Answer {
	return &protocol.Answer{Changes: [][]byte{random(protocol.MaxBatch)}}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// BB asks as often as it may at a time and reads nothing; CC is answered at once.
func TestSlowReaderIsInNobodysWay(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB", "CC")
	a, b, c := f.open("AA"), f.open("BB"), f.open("CC")
	f.introduce(a, b, c)
	asked := make(chan protocol.MemberID, 16)
	a.desk.answer(func(_ context.Context, from protocol.MemberID, _ *protocol.Request, send sender) error {
		asked <- from
		for from == "BB" {
			if err := send(incompressible()); err != nil {
				return err
			}
		}
		return send(&protocol.Answer{Last: true})
	})
	for _, n := range []*node{a, b, c} {
		f.run(n)
	}
	eventually(t, "connections", func() bool { return len(a.Connected()) == 2 && len(b.Connected()) == 2 && len(c.Connected()) == 2 })
	open := func() network.Stream {
		s := rawStream(t, b, a, syncProtocol)
		if _, err := s.Write(b.zip.frame(askChanges().Encode())); err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := open()
	await(t, asked, "BB")
	for range laneWidth - 1 {
		open()
		await(t, asked, "BB")
	}
	open() // one too many
	if err := c.Ask(t.Context(), "AA", askChanges(), func(*protocol.Answer) error { return nil }); err != nil {
		t.Errorf("CC: %v", err)
	}
	await(t, asked, "CC") // and not the one too many, which waits
	if err := first.Reset(); err != nil {
		t.Fatal(err)
	}
	await(t, asked, "BB") // its turn
}

func rawStream(t *testing.T, from, to *node, id libprotocol.ID) network.Stream {
	t.Helper()
	s, err := from.host.NewStream(t.Context(), to.host.ID(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHostileRequestIsReset(t *testing.T) {
	_, a, b := pair(t)
	a.desk.answer(func(context.Context, protocol.MemberID, *protocol.Request, sender) error {
		t.Error("the handler was called")
		return nil
	})
	a.desk.paper(func(uint64) *protocol.Papers { t.Error("the handler was called"); return nil })
	a.desk.serve(func(protocol.MemberID, *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
		t.Error("the handler was called")
		return nil, nil
	}, nil)
	huge := binary.AppendUvarint(nil, 1<<27)
	for name, data := range map[string][]byte{
		"oversize":            append(huge, make([]byte, 1000)...),
		"length of ten bytes": binary.AppendUvarint(nil, 1<<63),
		"length zero":         {0},
		"longest form":        {0x81, 0},
		"no zstd":             append([]byte{4}, "abcd"...),
		"bomb":                b.zip.frame(make([]byte, 4<<20)),
		"no request":          b.zip.frame([]byte("what?")),
		"ends early":          b.zip.frame(askChanges().Encode())[:5],
	} {
		for _, id := range []string{syncProtocol, charterProtocol, recordProtocol} {
			s := rawStream(t, b, a, libprotocol.ID(id))
			if _, err := s.Write(data); err != nil && !errors.Is(err, network.ErrReset) {
				t.Fatal(err)
			}
			_ = s.CloseWrite() // which fails where the stream was reset already
			if got, err := io.ReadAll(s); !errors.Is(err, network.ErrReset) {
				t.Errorf("%s on %s: got %d bytes and %v, want a reset", name, id, len(got), err)
			}
		}
	}
	// All but those that end early, which the network may have cut off.
	named := func() (sum float64) {
		for _, code := range []protocol.Code{protocol.CodeTooLarge, protocol.CodeValue, protocol.CodeVarint, protocol.CodeWireType, protocol.CodeTruncated} {
			sum += counted(a.Net, "BB", requestInvalid+fault(code))
		}
		return sum
	}
	eventually(t, "BB is named", func() bool { return named() == 7*3 })
}

func TestHostileAnswerIsRefused(t *testing.T) {
	_, a, b := pair(t)
	before := make(map[fault]float64)
	for _, tt := range []struct {
		name string
		data []byte
		want protocol.Code
	}{
		{"oversize", binary.AppendUvarint(nil, 1<<27), protocol.CodeTooLarge},
		{"bomb", b.zip.frame(make([]byte, 200<<20)), protocol.CodeTooLarge},
		{"over the bound", b.zip.frame(make([]byte, protocol.MaxAnswer+1)), protocol.CodeTooLarge},
		{"no zstd", append([]byte{4}, "abcd"...), protocol.CodeValue},
		{"no answer", b.zip.frame([]byte{0x10, 0}), protocol.CodeZero},
		{"nothing", nil, protocol.CodeTruncated},
		{"ends early", []byte{9, 1}, protocol.CodeTruncated},
	} {
		b.host.SetStreamHandler(syncProtocol, func(s network.Stream) {
			_, _ = io.Copy(io.Discard, s)
			_, _ = s.Write(tt.data)
			_ = s.Close()
		})
		err := a.Ask(t.Context(), "BB", askChanges(), func(*protocol.Answer) error { t.Error("delivered"); return nil })
		if got := protocol.CodeOf(err); got != tt.want {
			t.Errorf("%s: got %v, want code %q", tt.name, err, tt.want)
		}
		want := 1.0
		if tt.want == protocol.CodeTruncated { // the network may have done that
			want = 0
		}
		what := answerInvalid + fault(tt.want)
		if got := counted(a.Net, "BB", what) - before[what]; got != want {
			t.Errorf("%s: BB is named %v times for %s, want %v", tt.name, got, what, want)
		}
		before[what] += want
	}
}

func TestPapers(t *testing.T) {
	f, a, b := pair(t)
	asked := make(chan uint64, 1)
	b.desk.paper(func(from uint64) *protocol.Papers {
		asked <- from
		return &protocol.Papers{Charters: []*protocol.SignedCharter{f.charter}, Cards: b.view.Load().roster.Cards()}
	})
	for _, from := range []uint64{0, 1, 1 << 63} {
		p, err := a.FetchPapers(t.Context(), "BB", from)
		if err != nil {
			t.Fatal(err)
		}
		await(t, asked, from)
		if len(p.Charters) != 1 || len(p.Cards) != 2 || p.Charters[0].Hash != f.charter.Hash {
			t.Errorf("from %d: got %d charters and %d cards", from, len(p.Charters), len(p.Cards))
		}
	}
	b.desk.paper(func(uint64) *protocol.Papers { return new(protocol.Papers) })
	if p, err := a.FetchPapers(t.Context(), "BB", 9); err != nil || len(p.Charters) != 0 {
		t.Errorf("nothing new: got %v, %v", p, err)
	}
}

// More requests at a time than a peer may have in work wait for each other on the asking side.
func TestManyRequestsAtATime(t *testing.T) {
	_, a, b := pair(t)
	b.desk.answer(func(_ context.Context, _ protocol.MemberID, _ *protocol.Request, send sender) error {
		return send(&protocol.Answer{Last: true})
	})
	const many = 64
	errs := make(chan error, many)
	for range many {
		go func() {
			errs <- a.Ask(t.Context(), "BB", askChanges(), func(*protocol.Answer) error { return nil })
		}()
	}
	for range many {
		if err := receive(t, errs); err != nil {
			t.Error(err)
		}
	}
	if len(a.asking[syncProtocol].peers) != 0 {
		t.Error("lanes are left over")
	}
}
