package p2p

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
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
	maxRecordRequest = 256
)

const (
	requestTime = 10 * time.Second // for a request to arrive, and to wait for a slot
	messageTime = 30 * time.Second // for each message of an answer
)

// wire reads and writes frames on a stream, each within its time. One goroutine may read while another writes.
type wire struct {
	stream network.Stream
	r      *bufio.Reader
	zip    *codec
}

func (n *Net) newWire(s network.Stream) *wire {
	return &wire{stream: s, r: bufio.NewReader(s), zip: n.zip}
}

func (w *wire) read(bound int, within time.Duration) ([]byte, error) {
	if err := w.stream.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	return w.zip.readFrame(w.r, bound)
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
	_, err := w.stream.Write(w.zip.frame(message))
	return err
}

// Ask sends r to m and calls each for every message of the answer, until one is Last or Refused. An error of each's ends
// it and is returned as it is. What went wrong on the way is a *protocol.Error: CodeUnavailable where m is not connected
// or went silent, the codes of form where it sent what is no answer.
func (n *Net) Ask(ctx context.Context, m protocol.MemberID, r *protocol.Request, each func(*protocol.Answer) error) error {
	return n.request(ctx, m, syncProtocol, r.Encode(), func(w *wire) error {
		for {
			b, err := w.read(protocol.MaxAnswer, messageTime)
			if err != nil {
				return fault(m, err)
			}
			a, err := protocol.DecodeAnswer(b)
			if err != nil {
				return fault(m, err)
			}
			if err := each(a); err != nil || a.Last || a.Refused != "" {
				return err
			}
		}
	})
}

// FetchPapers asks m for the charters from version from on, and all cards. They are not verified. Errors are Ask's.
func (n *Net) FetchPapers(ctx context.Context, m protocol.MemberID, from uint64) (p *protocol.Papers, err error) {
	err = n.request(ctx, m, charterProtocol, encodePapersRequest(from), func(w *wire) error {
		b, err := w.read(protocol.MaxPapers, messageTime)
		if err != nil {
			return fault(m, err)
		}
		p, err = protocol.DecodePapers(b)
		return fault(m, err)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// FetchRecord asks m for the full record under key. A refusal of m's is a *protocol.Error with its code and message;
// other errors are Ask's.
func (n *Net) FetchRecord(ctx context.Context, m protocol.MemberID, key protocol.RecordKey) (record []byte, err error) {
	err = n.request(ctx, m, recordProtocol, encodeRecordRequest(key), func(w *wire) error {
		b, err := w.read(maxMessage, messageTime)
		if err != nil {
			return fault(m, err)
		}
		reply, err := decodeRecordReply(b)
		if err != nil {
			return fault(m, err)
		}
		if reply.refused != nil {
			return reply.refused
		}
		record = reply.record
		return nil
	})
	return record, err
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
	s, err := n.host.NewStream(opening, p, libprotocol.ID(id))
	if err != nil {
		return fault(m, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	err = n.converse(n.newWire(s), m, request, answer)
	if err == nil {
		_ = s.Close() // fails where m closed it before; the answer is here
		return nil
	}
	_ = s.Reset()
	if ctx.Err() != nil {
		return fmt.Errorf("ask %s: %w", m, context.Cause(ctx))
	}
	return err
}

func (n *Net) converse(w *wire, m protocol.MemberID, request []byte, answer func(*wire) error) error {
	if err := w.write(request, requestTime); err != nil {
		return fault(m, err)
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

// fault makes a *protocol.Error of what went wrong with m, and nil of nil.
func fault(m protocol.MemberID, err error) error {
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
