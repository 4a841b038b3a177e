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

func encodeRecordRequest(key protocol.RecordKey) []byte { return appendField(nil, 1, []byte(key)) }

func decodeRecordRequest(b []byte) (protocol.RecordKey, error) {
	v, _ := takeField(b, 1)
	key, err := protocol.ParseRecordKey(string(v))
	if err != nil {
		return "", err
	}
	if !bytes.Equal(encodeRecordRequest(key), b) {
		return "", protocol.Errorf(protocol.CodeValue, "request", "is no request for a record")
	}
	return key, nil
}

const (
	maxCode    = 40
	maxRefusal = 1 << 10 // bytes of a refusal's message
)

// recordReply is a record, or why there is none.
type recordReply struct {
	refused *protocol.Error // only Code and Message travel
	record  []byte
}

// encode does not write a refusal's Err: it is the node's own affair.
func (r *recordReply) encode() []byte {
	if r.refused == nil {
		return appendField(nil, 3, r.record)
	}
	message := r.refused.Message
	if len(message) > maxRefusal {
		message = string(bytes.ToValidUTF8([]byte(message[:maxRefusal]), nil))
	}
	return appendField(appendField(nil, 1, []byte(r.refused.Code)), 2, []byte(message))
}

func decodeRecordReply(b []byte) (*recordReply, error) {
	code, rest := takeField(b, 1)
	message, rest := takeField(rest, 2)
	record, _ := takeField(rest, 3)
	r := &recordReply{record: record}
	if len(code) > 0 {
		r.refused = &protocol.Error{Code: protocol.Code(code), Message: string(message)}
	}
	if len(code) > maxCode || len(message) > maxRefusal || !utf8.Valid(code) || !utf8.Valid(message) || !bytes.Equal(r.encode(), b) {
		return nil, protocol.Errorf(protocol.CodeValue, "answer", "is no answer to a request for a record")
	}
	if len(record) > protocol.MaxFullRecord {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "record", "%d bytes, at most %d", len(record), protocol.MaxFullRecord)
	}
	return r, nil
}
