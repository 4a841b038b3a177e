package p2p

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/network"
	libprotocol "github.com/libp2p/go-libp2p/core/protocol"

	"github.com/asean-tmh/tmh/protocol"
)

// service is the answering side of one protocol.
type service struct {
	id      string
	streams budget
	request int // bound of the request, in bytes
	answer  func(ctx context.Context, from protocol.MemberID, request []byte, w *wire) error
}

// Why a request is not answered.
var (
	errRefused = errors.New("request refused")                            //nolint:gochecknoglobals // a constant
	errCrowd   = errors.New("more requests at a time than are answered")  //nolint:gochecknoglobals // a constant
	errSilent  = errors.New("no request")                                 //nolint:gochecknoglobals // a constant
	errRate    = errors.New("more requests than the member's budget has") //nolint:gochecknoglobals // a constant
)

func (n *Net) services(h Handler) []service {
	return []service{
		{syncProtocol, syncStreams, protocol.MaxVector, func(ctx context.Context, from protocol.MemberID, request []byte, w *wire) error {
			return n.answerSync(ctx, h, from, request, w)
		}},
		{charterProtocol, charterStreams, maxPapersRequest, func(_ context.Context, _ protocol.MemberID, request []byte, w *wire) error {
			version, err := decodePapersRequest(request)
			if err != nil {
				return fmt.Errorf("%w: %w", errRefused, err)
			}
			b := h.Papers(version).Encode()
			if len(b) > protocol.MaxPapers {
				return fmt.Errorf("papers from %d have %d bytes, at most %d", version, len(b), protocol.MaxPapers)
			}
			return w.write(b, messageTime)
		}},
		{recordProtocol, recordStreams, maxRecordRequest, func(ctx context.Context, from protocol.MemberID, request []byte, w *wire) error {
			r, err := decodeRecordRequest(request)
			if err != nil {
				return fmt.Errorf("%w: %w", errRefused, err)
			}
			return n.answerRecord(ctx, h, from, r, w)
		}},
	}
}

func budgetOf(k protocol.RequestKind) budget {
	switch k {
	case protocol.AskVector:
		return askingVector
	case protocol.AskHeads:
		return askingHeads
	case protocol.AskOwn:
		return askingOwn
	case protocol.AskBuckets:
		return askingBuckets
	case protocol.AskForks:
		return askingForks
	default:
		return askingChanges
	}
}

// answerSync lets the handler answer, and sees to it that the answer has an end.
func (n *Net) answerSync(ctx context.Context, h Handler, from protocol.MemberID, request []byte, w *wire) error {
	r, err := protocol.DecodeRequest(request)
	if err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	if !n.budgets.take(from, budgetOf(r.Kind), 1) {
		n.faults.blame(from, requestRate, "request", "sync", "kind", int(r.Kind))
		return w.write((&protocol.Answer{Refused: protocol.CodeUnavailable}).Encode(), messageTime)
	}
	n.speakers.heard(n.host.Network(), w.stream.Conn(), from, r.Vector)
	var broken error // of the stream
	ended := false
	send := func(a *protocol.Answer) error {
		b := a.Encode()
		switch {
		case broken != nil:
			return broken
		case ended:
			return errors.New("answer goes on after its last message")
		case len(b) > protocol.MaxAnswer:
			return fmt.Errorf("message of %d bytes in an answer, at most %d", len(b), protocol.MaxAnswer)
		}
		ended = a.Last || a.Refused != ""
		if broken = w.write(b, messageTime); broken == nil && !ended {
			broken = w.slow
		}
		return broken
	}
	err = h.Answer(ctx, from, r, send)
	switch {
	case broken != nil:
		return broken
	case ended:
		return err
	case err == nil:
		err = errors.New("answer without a last message")
	}
	code := protocol.CodeOf(err)
	if code == protocol.CodeInternal {
		n.log.Error("cannot answer a sync request", "from", from, "error", err)
	}
	return send(&protocol.Answer{Refused: code})
}

// serve sets the stream handlers. The function returned removes them, resets the streams at work once ctx has ended and
// waits until their handlers have returned.
func (n *Net) serve(ctx context.Context, h Handler) (stop func()) {
	var working crew
	services := n.services(h)
	for _, svc := range services {
		slots := newLanes()
		n.host.SetStreamHandler(libprotocol.ID(svc.id), func(s network.Stream) {
			if !working.join() {
				_ = s.ResetWithError(network.StreamShutdown)
				return
			}
			defer working.leave()
			err := n.serveStream(ctx, svc, slots, s)
			n.metrics.served(svc.id, err)
			if err != nil {
				p := s.Conn().RemotePeer()
				n.log.Debug("stream ended early", "protocol", svc.id, "member", n.view.Load().members[p], "peer", p, "error", err)
			}
		})
	}
	return func() {
		for _, svc := range services {
			n.host.RemoveStreamHandler(libprotocol.ID(svc.id))
		}
		working.dismiss()
	}
}

// serveStream answers the one request of s and closes s, or resets it where that fails.
func (n *Net) serveStream(ctx context.Context, svc service, slots *lanes, s network.Stream) (err error) {
	defer func() {
		switch {
		case err == nil:
			_ = s.Close() // fails where the asker closed it before
		case errors.Is(err, errRefused):
			_ = s.ResetWithError(network.StreamProtocolViolation)
		case errors.Is(err, errRate), errors.Is(err, errCrowd):
			_ = s.ResetWithError(network.StreamRateLimited)
		default:
			_ = s.Reset()
		}
	}()
	p := s.Conn().RemotePeer()
	from, ok := n.view.Load().members[p]
	if !ok {
		return fmt.Errorf("%w: of a peer that is no member's", errRefused)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Frees a handler that waits for a peer which does not read. Stopped before cancel, which would reset a good stream.
	interrupt := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer interrupt()

	defer func() { n.blameAsker(from, svc, err) }()
	if !n.budgets.take(from, svc.streams, 1) {
		return errRate
	}
	waiting, done := context.WithTimeout(ctx, requestTime)
	defer done()
	leave, err := slots.enter(waiting, p)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = errCrowd
		}
		return fmt.Errorf("wait for a slot: %w", err)
	}
	defer leave()
	w := n.newWire(s)
	request, err := w.read(svc.request, requestTime)
	switch malformed := new(protocol.Error); {
	case errors.As(err, &malformed):
		return fmt.Errorf("%w: %w", errRefused, err)
	case late(err):
		return fmt.Errorf("%w within %s", errSilent, requestTime)
	case err != nil:
		return fmt.Errorf("read request: %w", err)
	}
	return svc.answer(ctx, from, request, w)
}

// blameAsker names who asked where err is its work.
func (n *Net) blameAsker(from protocol.MemberID, svc service, err error) {
	var what fault
	switch {
	case errors.Is(err, errRate):
		what = requestRate
	case errors.Is(err, errCrowd):
		what = requestCrowd
	case errors.Is(err, errSilent):
		what = requestSlow
	case errors.Is(err, errRefused):
		what = withCode(requestInvalid, err)
	case late(err):
		what = answerUnread
	default:
		return
	}
	n.faults.blame(from, what, "protocol", svc.id, "error", err)
}
