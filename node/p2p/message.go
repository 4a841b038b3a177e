package p2p

import (
	"bytes"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/asean-tmh/tmh/protocol"
)

// The small messages of the charter and record streams. A message is what its own encoder would write, and nothing else:
// so decoders read the fields and then compare.

func encodePapersRequest(from uint64) []byte {
	if from == 0 {
		return nil
	}
	return protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), from)
}

func decodePapersRequest(b []byte) (from uint64, err error) {
	if len(b) > 1 {
		from, _ = protowire.ConsumeVarint(b[1:])
	}
	if !bytes.Equal(encodePapersRequest(from), b) {
		return 0, protocol.Errorf(protocol.CodeValue, "request", "is no request for papers")
	}
	return from, nil
}

func appendField(b []byte, num protowire.Number, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
}

// takeField reads field num from the front of b, if it is there.
func takeField(b []byte, num protowire.Number) (v, rest []byte) {
	got, typ, n := protowire.ConsumeTag(b)
	if n < 0 || got != num || typ != protowire.BytesType {
		return nil, b
	}
	v, k := protowire.ConsumeBytes(b[n:])
	if k < 0 {
		return nil, b
	}
	return v, b[n+k:]
}

// recordRequest asks for the parts of a full record, or for one of its documents.
type recordRequest struct {
	entitlement *protocol.SignedEntitlement
	document    protocol.Hash // zero: the parts
}

func (r *recordRequest) encode() []byte {
	b := appendField(nil, 1, r.entitlement.Bytes())
	if r.document != (protocol.Hash{}) {
		b = appendField(b, 2, r.document[:])
	}
	return b
}

func decodeRecordRequest(b []byte) (*recordRequest, error) {
	v, rest := takeField(b, 1)
	document, _ := takeField(rest, 2)
	if len(v) == 0 {
		return nil, protocol.Errorf(protocol.CodeValue, "request", "is no request for a record")
	}
	e, err := protocol.DecodeEntitlement(v)
	if err != nil {
		return nil, err
	}
	r := &recordRequest{entitlement: e}
	copy(r.document[:], document)
	if !bytes.Equal(r.encode(), b) {
		return nil, protocol.Errorf(protocol.CodeValue, "request", "is no request for a record")
	}
	return r, nil
}

const (
	maxCode    = 40
	maxRefusal = 1 << 10 // bytes of a refusal's message
	maxParts   = 4
	maxChunk   = 64 << 10 // bytes of a document in one message
)

// recordReply is one message of an answer: the whole answer to a request for parts, or a piece of a document.
type recordReply struct {
	refused *protocol.Error // only Code and Message travel
	parts   [][]byte
	listing []byte // beside the parts of a record that is not in the catalogue
	chunk   []byte
	last    bool // of the messages of a document
}

// encode does not write a refusal's Err: it is the node's own affair.
func (r *recordReply) encode() (b []byte) {
	if r.refused != nil {
		message := r.refused.Message
		if len(message) > maxRefusal {
			message = string(bytes.ToValidUTF8([]byte(message[:maxRefusal]), nil))
		}
		return appendField(appendField(nil, 1, []byte(r.refused.Code)), 2, []byte(message))
	}
	for _, p := range r.parts {
		b = appendField(b, 3, p)
	}
	b = appendField(appendField(b, 4, r.listing), 5, r.chunk)
	if r.last {
		b = protowire.AppendVarint(protowire.AppendTag(b, 6, protowire.VarintType), 1)
	}
	return b
}

func decodeRecordReply(b []byte) (*recordReply, error) {
	code, rest := takeField(b, 1)
	message, rest := takeField(rest, 2)
	r := new(recordReply)
	for range maxParts {
		var p []byte
		if p, rest = takeField(rest, 3); len(p) > 0 {
			r.parts = append(r.parts, p)
		}
	}
	r.listing, rest = takeField(rest, 4)
	r.chunk, rest = takeField(rest, 5)
	r.last = len(rest) > 0
	if len(code) > 0 {
		r.refused = &protocol.Error{Code: protocol.Code(code), Message: string(message)}
	}
	if len(code) > maxCode || len(message) > maxRefusal || !utf8.Valid(code) || !utf8.Valid(message) || !bytes.Equal(r.encode(), b) {
		return nil, protocol.Errorf(protocol.CodeValue, "answer", "is no answer to a request for a record")
	}
	size := 0
	for _, p := range r.parts {
		size += len(p)
	}
	if size > protocol.MaxFullRecord || len(r.listing) > protocol.MaxBody || len(r.chunk) > maxChunk {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "record", "%d bytes of parts, %d of a summary, %d of a document, at most %d, %d and %d",
			size, len(r.listing), len(r.chunk), protocol.MaxFullRecord, protocol.MaxBody, maxChunk)
	}
	return r, nil
}
