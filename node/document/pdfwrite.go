package document

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// writer makes a PDF of one revision, with object streams. The same objects make the same bytes.
type writer struct {
	most   int64
	buf    bytes.Buffer
	places []place // by number, from 1
	group  []int   // numbers of the objects of the stream that is being filled
	starts []int
	text   []byte
}

// place of an object: in the file, or in an object stream.
type place struct {
	kind   byte // 0 nowhere, 1 in the file, 2 in a stream
	offset uint32
	index  uint16
}

const (
	groupObjects = 1000
	groupBytes   = 256 << 10
)

func newWriter(most int64) *writer {
	w := &writer{most: most, places: make([]place, 1)}
	w.buf.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n") // not text, say four bytes above 127
	return w
}

func (w *writer) reserve() int {
	w.places = append(w.places, place{})
	return len(w.places) - 1
}

// object writes one that is no stream.
func (w *writer) object(n int, o types.Object) error {
	w.group, w.starts = append(w.group, n), append(w.starts, len(w.text))
	w.text = append(appendObject(w.text, o), '\n')
	if len(w.group) >= groupObjects || len(w.text) >= groupBytes {
		return w.flush()
	}
	return nil
}

func (w *writer) flush() error {
	if len(w.group) == 0 {
		return nil
	}
	number := w.reserve()
	var head []byte
	for i, n := range w.group {
		head = fmt.Appendf(head, "%d %d ", n, w.starts[i])
		w.places[n] = place{kind: 2, offset: uint32(number), index: uint16(i)}
	}
	d := types.Dict{"Type": types.Name("ObjStm"), "N": types.Integer(len(w.group)), "First": types.Integer(len(head)), "Filter": types.Name("FlateDecode")}
	body := deflate(append(head, w.text...))
	w.group, w.starts, w.text = w.group[:0], w.starts[:0], w.text[:0]
	return w.stream(number, d, body)
}

func (w *writer) stream(n int, d types.Dict, body []byte) error {
	if int64(w.buf.Len()+len(body)) > w.most {
		return errFull
	}
	w.places[n] = place{kind: 1, offset: uint32(w.buf.Len())}
	d["Length"] = types.Integer(len(body))
	fmt.Fprintf(&w.buf, "%d 0 obj\n", n)
	w.buf.Write(appendObject(nil, d))
	w.buf.WriteString("\nstream\n")
	w.buf.Write(body)
	w.buf.WriteString("\nendstream\nendobj\n")
	return nil
}

func (w *writer) finish(root int, second bool) ([]byte, error) {
	if err := w.flush(); err != nil {
		return nil, err
	}
	if second {
		copy(w.buf.Bytes()[len("%PDF-"):], "2.0")
	}
	number, start := w.reserve(), w.buf.Len()
	w.places[number] = place{kind: 1, offset: uint32(start)}
	var table []byte
	for _, p := range w.places {
		table = append(table, p.kind)
		table = binary.BigEndian.AppendUint32(table, p.offset)
		table = binary.BigEndian.AppendUint16(table, p.index)
	}
	binary.BigEndian.PutUint16(table[5:], 65535)
	sum := sha256.Sum256(w.buf.Bytes())
	id := types.NewHexLiteral(sum[:16])
	err := w.stream(number, types.Dict{
		"Type": types.Name("XRef"), "Size": types.Integer(len(w.places)), "Root": reference(root), "ID": types.Array{id, id},
		"W": types.Array{types.Integer(1), types.Integer(4), types.Integer(2)}, "Filter": types.Name("FlateDecode"),
	}, deflate(table))
	fmt.Fprintf(&w.buf, "startxref\n%d\n%%%%EOF\n", start)
	if err == nil && int64(w.buf.Len()) > w.most {
		err = errFull
	}
	return w.buf.Bytes(), err
}

func appendObject(b []byte, o types.Object) []byte {
	switch v := o.(type) {
	case nil:
		return append(b, "null"...)
	case types.Dict:
		b = append(b, "<<"...)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			b = append(append(b, '/'), types.EncodeName(k)...)
			b = appendObject(append(b, ' '), v[k])
		}
		return append(b, ">>"...)
	case types.Array:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ' ')
			}
			b = appendObject(b, e)
		}
		return append(b, ']')
	}
	return append(b, o.PDFString()...)
}
