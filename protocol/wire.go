package protocol

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// encoder writes the canonical form. A zero value is not written: absence is its one encoding.
type encoder struct{ buf []byte }

func (e *encoder) uint(field protowire.Number, v uint64) {
	if v != 0 {
		e.buf = protowire.AppendTag(e.buf, field, protowire.VarintType)
		e.buf = protowire.AppendVarint(e.buf, v)
	}
}

func (e *encoder) bytes(field protowire.Number, b []byte) {
	if len(b) > 0 {
		e.element(field, b)
	}
}

func (e *encoder) string(field protowire.Number, s string) {
	if s != "" {
		e.buf = protowire.AppendTag(e.buf, field, protowire.BytesType)
		e.buf = protowire.AppendString(e.buf, s)
	}
}

func (e *encoder) hash(field protowire.Number, h Hash) {
	if h != (Hash{}) {
		e.element(field, h[:])
	}
}

// element writes one element of a repeated field, which may be empty.
func (e *encoder) element(field protowire.Number, b []byte) {
	e.buf = protowire.AppendTag(e.buf, field, protowire.BytesType)
	e.buf = protowire.AppendBytes(e.buf, b)
}

// decoder reads the canonical form and nothing else. The first fault is kept and ends the reading.
//
// What a message wants is said by the sequence of calls, in ascending field order; a field that is absent yields its zero.
type decoder struct {
	rest []byte
	last protowire.Number // the number last read
	name string           // of the message, for errors
	err  *Error

	// The field that waits to be taken.
	num   protowire.Number
	typ   protowire.Type
	u     uint64
	b     []byte
	ready bool
}

func newDecoder(name string, b []byte, limit int) *decoder {
	d := &decoder{rest: b, name: name}
	if len(b) > limit {
		d.fail(CodeTooLarge, "", "%d bytes, at most %d", len(b), limit)
	}
	return d
}

func (d *decoder) fail(code Code, field, format string, args ...any) {
	if d.err != nil {
		return
	}
	if field != "" {
		field = d.name + "." + field
	} else {
		field = d.name
	}
	d.err = Errorf(code, field, format, args...)
}

// peek loads the next field. It reports false at the end or after a fault.
func (d *decoder) peek() bool {
	if d.err != nil {
		return false
	}
	if d.ready {
		return true
	}
	if len(d.rest) == 0 {
		return false
	}
	tag, ok := d.varint()
	if !ok {
		return false
	}
	num, typ := protowire.DecodeTag(tag)
	if !num.IsValid() {
		d.fail(CodeUnknown, "", "field number %d is not valid", num)
		return false
	}
	if num < d.last {
		d.fail(CodeOrder, "", "field %d after field %d", num, d.last)
		return false
	}
	switch typ {
	case protowire.VarintType:
		if d.u, ok = d.varint(); !ok {
			return false
		}
		if d.u == 0 {
			d.fail(CodeZero, "", "field %d is written out though zero", num)
			return false
		}
	case protowire.BytesType:
		n, ok := d.varint()
		if !ok {
			return false
		}
		if n > uint64(len(d.rest)) {
			d.fail(CodeTruncated, "", "field %d wants %d bytes of %d left", num, n, len(d.rest))
			return false
		}
		d.b, d.rest = d.rest[:n:n], d.rest[n:]
	default:
		d.fail(CodeWireType, "", "field %d has wire type %d", num, typ)
		return false
	}
	d.num, d.typ, d.ready = num, typ, true
	return true
}

func (d *decoder) varint() (uint64, bool) {
	v, n := protowire.ConsumeVarint(d.rest)
	if n < 0 {
		code := CodeTruncated
		if len(d.rest) >= 10 {
			code = CodeVarint
		}
		d.fail(code, "", "a number ends early or is over 64 bits")
		return 0, false
	}
	if n != protowire.SizeVarint(v) {
		d.fail(CodeVarint, "", "a number is not in its shortest form")
		return 0, false
	}
	d.rest = d.rest[n:]
	return v, true
}

// take reports whether the next field is num and of type typ, and consumes it.
func (d *decoder) take(num protowire.Number, typ protowire.Type, field string, repeated bool) bool {
	if !d.peek() || d.num != num {
		if d.err == nil && d.ready && d.num < num {
			d.stray()
		}
		return false
	}
	if d.typ != typ {
		d.fail(CodeWireType, field, "has wire type %d", d.typ)
		return false
	}
	if d.num == d.last && !repeated {
		d.fail(CodeRepeated, field, "appears twice")
		return false
	}
	d.last, d.ready = num, false
	return true
}

// stray explains a field that no later call will take.
func (d *decoder) stray() {
	if d.num == d.last {
		d.fail(CodeRepeated, "", "field %d appears twice", d.num)
		return
	}
	d.fail(CodeUnknown, "", "field %d is not known", d.num)
}

func (d *decoder) uint(num protowire.Number, field string) uint64 {
	if !d.take(num, protowire.VarintType, field, false) {
		return 0
	}
	d.bound(field)
	return d.u
}

func (d *decoder) bound(field string) {
	if d.u > MaxNumber {
		d.fail(CodeTooLarge, field, "%d, at most %d", d.u, uint64(MaxNumber))
	}
}

func (d *decoder) bytes(num protowire.Number, field string, limit int) []byte {
	if !d.take(num, protowire.BytesType, field, false) {
		return nil
	}
	if len(d.b) == 0 {
		d.fail(CodeZero, field, "is written out though empty")
	}
	if len(d.b) > limit {
		d.fail(CodeTooLarge, field, "%d bytes, at most %d", len(d.b), limit)
	}
	return d.b
}

func (d *decoder) string(num protowire.Number, field string, limit int) string {
	b := d.bytes(num, field, limit)
	if !utf8.Valid(b) {
		d.fail(CodeText, field, "is not UTF-8")
	}
	return string(b)
}

func (d *decoder) fixed(num protowire.Number, field string, dst []byte) bool {
	if !d.take(num, protowire.BytesType, field, false) {
		return false
	}
	if len(d.b) != len(dst) {
		d.fail(CodeLength, field, "%d bytes, want %d", len(d.b), len(dst))
		return false
	}
	copy(dst, d.b)
	return true
}

func (d *decoder) hash(num protowire.Number, field string) (h Hash) {
	if d.fixed(num, field, h[:]) && h == (Hash{}) {
		d.fail(CodeZero, field, "is written out though zero")
	}
	return h
}

// each calls f for every element of a repeated field, at most limit times.
func (d *decoder) each(num protowire.Number, field string, limit int, f func(b []byte)) {
	for n := 0; d.take(num, protowire.BytesType, field, true); n++ {
		if n == limit {
			d.fail(CodeTooLarge, field, "more than %d", limit)
			return
		}
		f(d.b)
	}
}

// eachUint is each for repeated numbers.
func (d *decoder) eachUint(num protowire.Number, field string, limit int, f func(v uint64)) {
	for n := 0; d.take(num, protowire.VarintType, field, true); n++ {
		if n == limit {
			d.fail(CodeTooLarge, field, "more than %d", limit)
			return
		}
		d.bound(field)
		f(d.u)
	}
}

// end refuses what is left.
func (d *decoder) end() error {
	if d.peek() {
		d.stray()
	}
	if d.err != nil {
		return d.err
	}
	return nil
}

// endOpen accepts fields above known, which a later version may have added: they stay in the bytes, which are kept verbatim.
func (d *decoder) endOpen(known protowire.Number) error {
	for d.peek() {
		if d.num <= known {
			d.stray()
			break
		}
		d.last, d.ready = d.num, false
	}
	if d.err != nil {
		return d.err
	}
	return nil
}

// adopt takes over the fault of a nested decoder.
func (d *decoder) adopt(err error) {
	if err == nil || d.err != nil {
		return
	}
	d.err = All(err)[0]
}
