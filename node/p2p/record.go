package p2p

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/asean-tmh/tmh/protocol"
)

// The record stream: the parts of a full record, and its documents, from the origin alone. Whom they are meant for is the
// Handler's to judge; here is who asks, how often, and how much.

// answerRecord answers one request. What cannot be answered is refused in words, and the stream ends well.
func (n *Net) answerRecord(ctx context.Context, h Handler, from protocol.MemberID, r *recordRequest, w *wire) error {
	of := askingRecord
	if r.document != (protocol.Hash{}) {
		of = askingDocument
	}
	if !n.budgets.take(from, of, 1) {
		n.faults.blame(from, requestRate, "request", "record")
		return w.write((&recordReply{refused: protocol.Errorf(protocol.CodeUnavailable, "", "too many requests; ask later")}).encode(), messageTime)
	}
	if of == askingDocument {
		return n.answerDocument(ctx, h, from, r, w)
	}
	a, err := h.Parts(ctx, from, r.entitlement)
	if err != nil {
		return w.write(n.refusal(from, r.entitlement.RecordKey, err).encode(), messageTime)
	}
	b := (&recordReply{parts: a.Parts, listing: a.Listing}).encode()
	if _, err := decodeRecordReply(b); err != nil { // the asker would refuse it
		err = &protocol.Error{Code: protocol.CodeInternal, Message: "internal fault", Err: err}
		return w.write(n.refusal(from, r.entitlement.RecordKey, err).encode(), messageTime)
	}
	return w.write(b, messageTime)
}

// answerDocument sends what the handler gives. A fault in the middle ends the stream with a reset, as the pieces that were sent
// could pass for the whole.
func (n *Net) answerDocument(ctx context.Context, h Handler, from protocol.MemberID, r *recordRequest, w *wire) error {
	key := r.entitlement.RecordKey
	document, err := h.Document(ctx, from, r.entitlement, r.document)
	if err != nil {
		return w.write(n.refusal(from, key, err).encode(), messageTime)
	}
	defer document.Close()
	piece := make([]byte, maxChunk)
	for {
		k, err := io.ReadFull(document, piece)
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			n.log.Error("a document ended in the middle", "from", from, "key", key, "error", err)
			return fmt.Errorf("document: %w", err)
		}
		if k > 0 {
			if err := w.write((&recordReply{chunk: piece[:k]}).encode(), messageTime); err != nil {
				return err
			}
			if w.slow != nil {
				return w.slow
			}
		}
		if ended {
			return w.write((&recordReply{last: true}).encode(), messageTime)
		}
	}
}

func (n *Net) refusal(from protocol.MemberID, key protocol.RecordKey, err error) *recordReply {
	first := protocol.All(err)[0]
	if first.Code == protocol.CodeInternal {
		n.log.Error("cannot serve a full record", "from", from, "key", key, "error", err)
	}
	return &recordReply{refused: first}
}

// FetchParts asks m for the parts of a full record that e entitles to. The answer is in form and not verified. A refusal of m's
// is in the answer, as no error of ours; errors are Ask's.
func (n *Net) FetchParts(ctx context.Context, m protocol.MemberID, e *protocol.SignedEntitlement) (a *protocol.RecordAnswer, err error) {
	err = n.request(ctx, m, recordProtocol, (&recordRequest{entitlement: e}).encode(), func(w *wire) error {
		a, err = n.readParts(w, m)
		return err
	})
	return a, err
}

func (n *Net) readParts(w *wire, m protocol.MemberID) (*protocol.RecordAnswer, error) {
	b, err := w.read(maxMessage, messageTime)
	if err != nil {
		return nil, n.failed(m, err)
	}
	r, err := decodeRecordReply(b)
	if err == nil && (r.last || len(r.chunk) > 0) {
		err = protocol.Errorf(protocol.CodeValue, "answer", "is a document's, which nobody asked for")
	}
	if err != nil {
		return nil, n.failed(m, err)
	}
	return &protocol.RecordAnswer{Listing: r.listing, Parts: r.parts, Refused: r.refused}, nil
}

// FetchDocument asks m for a document of at most that many bytes and calls each for its pieces in order; the last one comes only where all of
// it has this hash, so that nothing else is ever complete. An error of each's ends it and is returned as it is.
//
// Errors: refused is a refusal of m's; err is Ask's, or CodeBody where m sent something else.
func (n *Net) FetchDocument(ctx context.Context, m protocol.MemberID, e *protocol.SignedEntitlement, h protocol.Hash, most uint64, each func([]byte) error) (refused *protocol.Error, err error) {
	err = n.request(ctx, m, recordProtocol, (&recordRequest{entitlement: e, document: h}).encode(), func(w *wire) error {
		refused, err = n.readDocument(w, m, h, most, each)
		return err
	})
	return refused, err
}

// scroll is a document that is being read.
type scroll struct {
	left  uint64
	short bool // there was a piece that is not full: it is the last one
	sum   hash.Hash
	held  []byte // the piece that is not handed out yet
}

// readDocument wants full pieces but for the last one, or an origin could send a document byte by byte.
func (n *Net) readDocument(w *wire, m protocol.MemberID, want protocol.Hash, most uint64, each func([]byte) error) (*protocol.Error, error) {
	s := scroll{left: most, sum: sha256.New()}
	for {
		b, err := w.read(maxMessage, messageTime)
		if err != nil {
			return nil, n.failed(m, err)
		}
		r, err := decodeRecordReply(b)
		if err != nil {
			return nil, n.failed(m, err)
		}
		if r.refused != nil && s.left == most {
			return r.refused, nil
		}
		if err := s.take(r); err != nil {
			return nil, n.failed(m, err)
		}
		if r.last && protocol.Hash(s.sum.Sum(nil)) != want {
			return nil, n.failed(m, protocol.Errorf(protocol.CodeBody, "document", "is not the one that the record names"))
		}
		if len(s.held) > 0 {
			if err := each(s.held); err != nil {
				return nil, err
			}
		}
		if s.held = r.chunk; r.last {
			return nil, nil
		}
		if w.slow != nil {
			return nil, n.failed(m, w.slow)
		}
	}
}

// take checks that a message goes on where the ones before ended.
func (s *scroll) take(r *recordReply) error {
	switch {
	case r.refused != nil, len(r.parts) > 0, len(r.listing) > 0, r.last == (len(r.chunk) > 0), s.short && !r.last:
		return protocol.Errorf(protocol.CodeValue, "answer", "is no piece of a document")
	case uint64(len(r.chunk)) > s.left:
		return protocol.Errorf(protocol.CodeTooLarge, "document", "has more bytes than the record says")
	}
	s.left -= uint64(len(r.chunk))
	s.short = len(r.chunk) < maxChunk
	s.sum.Write(r.chunk)
	return nil
}
