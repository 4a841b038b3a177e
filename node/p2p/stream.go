package p2p

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libprotocol "github.com/libp2p/go-libp2p/core/protocol"

	"github.com/asean-tmh/tmh/protocol"
)

// The protocols, and the bounds of what package protocol does not bound.
const (
	syncProtocol    = "/tmh/sync/1"
	charterProtocol = "/tmh/charter/1"
	recordProtocol  = "/tmh/record/1"

	maxPapersRequest = 64
	maxRecordRequest = protocol.MaxEntitlement + 128
)

const (
	requestTime = 10 * time.Second // for a request to arrive, and to wait for a slot
	messageTime = 30 * time.Second // for each message of an answer
	// patienceAtLeast is how long a member was waited for before it counts as slow, where the caller waits no longer.
	patienceAtLeast = 10 * time.Second
)

// wire reads and writes frames on a stream, each within its time. One goroutine uses it.
type wire struct {
	stream  network.Stream
	heard   func([]byte) // nil but in tests
	in      *tally
	r       *bufio.Reader // of in
	zip     *codec
	reading pace
	writing pace
	slow    error // of the last read or write, for who goes on
}

func (n *Net) newWire(s network.Stream) *wire {
	in := &tally{Reader: s}
	return &wire{stream: s, heard: n.tapped(s), in: in, r: bufio.NewReader(in), zip: n.zip}
}

func (w *wire) read(bound int, within time.Duration) ([]byte, error) {
	if err := w.stream.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	before, start := w.in.bytes, time.Now()
	b, err := w.zip.readFrame(w.r, bound)
	w.slow = w.reading.add(w.in.bytes-before, time.Since(start))
	if err == nil && w.heard != nil {
		w.heard(b)
	}
	return b, err
}

// write takes the memory for the message and its frame from the protocol's share.
func (w *wire) write(message []byte, within time.Duration) error {
	memory := 2*len(message) + expansion
	if err := w.stream.Scope().ReserveMemory(memory, network.ReservationPriorityAlways); err != nil {
		return fmt.Errorf("reserve memory: %w", err)
	}
	defer w.stream.Scope().ReleaseMemory(memory)
	if err := w.stream.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	frame, start := w.zip.frame(message), time.Now()
	if _, err := w.stream.Write(frame); err != nil {
		return err
	}
	w.slow = w.writing.add(len(frame), time.Since(start))
	return nil
}

// Ask sends r to m and calls each for every message of the answer, until one is Last or Refused. An error of each's ends
// it and is returned as it is. What went wrong on the way is a *protocol.Error: CodeUnavailable where m is not connected
// or went silent, CodeHolder where its answer is slow or has no end, the codes of form where it sent what is no answer.
func (n *Net) Ask(ctx context.Context, m protocol.MemberID, r *protocol.Request, each func(*protocol.Answer) error) error {
	return n.request(ctx, m, syncProtocol, r.Encode(), func(w *wire) error { return n.readAnswers(w, m, r, each) })
}

func (n *Net) readAnswers(w *wire, m protocol.MemberID, r *protocol.Request, each func(*protocol.Answer) error) error {
	end := n.endOf(r)
	for {
		b, err := w.read(protocol.MaxAnswer, messageTime)
		if err != nil {
			return n.failed(m, err)
		}
		a, err := protocol.DecodeAnswer(b)
		if err != nil {
			return n.failed(m, err)
		}
		n.speakers.heard(n.host.Network(), w.stream.Conn(), m, a.Vector)
		if err := each(a); err != nil || a.Last || a.Refused != "" {
			return err
		}
		if err := end.check(a); err != nil {
			n.faults.blame(m, answerEndless, "error", err)
			return err
		}
		if w.slow != nil {
			n.faults.blame(m, answerSlow)
			return protocol.Errorf(protocol.CodeHolder, "answer", "of %s: under %d bytes in %s of waiting", m, paceLeast, paceWindow)
		}
	}
}

// end is what an answer may still bring before its last message.
type end struct {
	changes int
	empty   int // messages without any
}

// maxEmpty is more than any node of ours sends: none.
const maxEmpty = 16

// endOf an answer to r: a feed has the newest change of every record, which the origin may revise while it is sent; of the
// rest everything comes in one message.
func (n *Net) endOf(r *protocol.Request) end {
	if r.Kind != protocol.AskChanges && r.Kind != protocol.AskOwn {
		return end{}
	}
	m, _ := n.view.Load().roster.Member(r.Origin)
	records := min(m.Quota.MaxRecords(), math.MaxInt/4)
	return end{changes: 2 * int(records), empty: maxEmpty} //nolint:gosec // bounded in the line above
}

func (e *end) check(a *protocol.Answer) error {
	if e.changes -= len(a.Changes); len(a.Changes) == 0 {
		e.empty--
	}
	if e.changes < 0 || e.empty < 0 {
		return protocol.Errorf(protocol.CodeHolder, "answer", "goes on after all that it can bring")
	}
	return nil
}

// FetchPapers asks m for the charters from version from on, and all cards. They are not verified. Errors are Ask's.
func (n *Net) FetchPapers(ctx context.Context, m protocol.MemberID, from uint64) (p *protocol.Papers, err error) {
	err = n.request(ctx, m, charterProtocol, encodePapersRequest(from), func(w *wire) error {
		p, err = n.readPapers(w, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (n *Net) readPapers(w *wire, m protocol.MemberID) (*protocol.Papers, error) {
	b, err := w.read(protocol.MaxPapers, messageTime)
	if err != nil {
		return nil, n.failed(m, err)
	}
	p, err := protocol.DecodePapers(b)
	return p, n.failed(m, err)
}

// request opens a stream to m, sends the request and hands the stream to answer. An error, or the end of ctx, resets it.
func (n *Net) request(ctx context.Context, m protocol.MemberID, id string, request []byte, answer func(*wire) error) (err error) {
	defer func() { n.metrics.asked(id, err) }()
	p, ok := n.connectedPeer(m)
	if !ok {
		return protocol.Errorf(protocol.CodeUnavailable, "member", "%s is not connected", m)
	}
	leave, err := n.asking[id].enter(ctx, p)
	if err != nil {
		return fmt.Errorf("ask %s: %w", m, err)
	}
	defer leave()
	// The redial loop is the one that dials.
	opening, cancel := context.WithTimeout(network.WithNoDial(ctx, "connected members only"), requestTime)
	defer cancel()
	s, err := n.openStream(opening, p, libprotocol.ID(id))
	if err != nil {
		return unanswered(m, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	w := n.newWire(s)
	err = n.converse(w, m, request, answer)
	if err == nil {
		_ = s.Close() // fails where m closed it before; the answer is here
		return nil
	}
	_ = s.Reset()
	if ctx.Err() != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) && w.reading.waited >= patienceAtLeast {
			n.faults.blame(m, answerSlow)
		}
		return fmt.Errorf("ask %s: %w", m, context.Cause(ctx))
	}
	return err
}

func (n *Net) converse(w *wire, m protocol.MemberID, request []byte, answer func(*wire) error) error {
	if err := w.write(request, requestTime); err != nil {
		return n.failed(m, err)
	}
	_ = w.stream.CloseWrite() // fails where the answer is complete already
	return answer(w)
}

func (n *Net) connectedPeer(m protocol.MemberID) (peer.ID, bool) {
	v := n.view.Load()
	for _, p := range n.host.Network().Peers() {
		if v.members[p] == m && n.up(p) {
			return p, true
		}
	}
	return "", false
}

// failed counts against m what it sent, or did not send in time, and makes a *protocol.Error of it. nil stays nil.
func (n *Net) failed(m protocol.MemberID, err error) error {
	e := unanswered(m, err)
	switch code := protocol.CodeOf(err); {
	case err == nil:
	case late(err):
		n.faults.blame(m, answerSlow)
	case code != protocol.CodeInternal: // of a decoder: an answer that ends early has none, as the network may have cut it off
		n.faults.blame(m, withCode(answerInvalid, err), "error", err)
	}
	return e
}

func unanswered(m protocol.MemberID, err error) error {
	var known *protocol.Error
	var all protocol.Errors
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known), errors.As(err, &all):
		return fmt.Errorf("answer of %s: %w", m, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &protocol.Error{Code: protocol.CodeTruncated, Field: "answer", Message: "of " + string(m) + " ended early", Err: err}
	}
	return &protocol.Error{Code: protocol.CodeUnavailable, Field: "member", Message: string(m) + " does not answer", Err: err}
}
