package table

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// A workbook is read from its zip without unpacking it, in this package rather than by a spreadsheet library: those that
// there are hold whole parts, or one cell of any size, in memory, and take a part that is cut off for one that ends.

const (
	maxDirectory = 4 << 20 // bytes of a zip that are read to know what is in it
	maxParts     = 10_000
	maxSmallPart = 16 << 20 // bytes of every part but the sheet and the strings
	ratioFrom    = 64 << 20 // bytes of a part from which on its ratio counts
	maxRatio     = 300      // of unpacked to packed; sheets full of the same have 100, a bomb 1000
	maxElements  = 64       // in each other
)

// book is the zip of a workbook.
type book struct {
	parts map[string]*zip.File // by their name in small letters
	left  int64                // bytes that may still be unpacked
	limit int64
}

// bounded fails once more was read than may be, so that a directory of millions of entries is not held.
type bounded struct {
	io.ReaderAt
	left int64
}

var errBound = errors.New("bound reached")

func (b *bounded) ReadAt(p []byte, off int64) (int, error) {
	if int64(len(p)) > b.left {
		return 0, errBound
	}
	n, err := b.ReaderAt.ReadAt(p, off)
	b.left -= int64(n)
	return n, err
}

func openBook(f *os.File, size int64, l Limits) (*book, error) {
	in := &bounded{ReaderAt: f, left: maxDirectory}
	z, err := zip.NewReader(in, size)
	switch {
	case errors.Is(err, errBound) || err == nil && len(z.File) > maxParts:
		return nil, protocol.Errorf(protocol.CodeTooLarge, "file", "the workbook has more than %d parts: copy the table into a new workbook", maxParts)
	case err != nil:
		return nil, notWorkbook("it cannot be unpacked")
	}
	in.left = math.MaxInt64 // what is unpacked is bounded
	b := &book{parts: make(map[string]*zip.File, len(z.File)), left: l.Unpacked, limit: l.Unpacked}
	var total uint64
	for _, part := range z.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(part.Name, `\`, "/"), "/"))
		if _, twice := b.parts[name]; twice {
			return nil, notWorkbook("two parts have one name")
		}
		b.parts[name] = part
		if total += part.UncompressedSize64; part.UncompressedSize64 > uint64(l.Unpacked) || total > uint64(l.Unpacked) {
			return nil, b.tooLarge()
		}
		if part.UncompressedSize64 > ratioFrom && part.UncompressedSize64/maxRatio > part.CompressedSize64 {
			return nil, protocol.Errorf(protocol.CodeTooLarge, "file", "the workbook unpacks to more than %d times its size: copy the table into a new workbook", maxRatio)
		}
	}
	return b, nil
}

func (b *book) tooLarge() *protocol.Error {
	return protocol.Errorf(protocol.CodeTooLarge, "file", "the workbook has over %s when unpacked: split the table, or save it as CSV", size(b.limit))
}

func notWorkbook(why string) *protocol.Error {
	return protocol.Errorf(protocol.CodeText, "file", "the file is no workbook that can be read (%s): open it in a spreadsheet and save it as .xlsx", why)
}

// open gives the elements of a part, or nil where there is none.
func (b *book) open(name string, max int64) (*elements, error) {
	part := b.parts[strings.ToLower(strings.TrimPrefix(path.Clean("/"+name), "/"))]
	if part == nil {
		return nil, nil
	}
	if part.Flags&1 != 0 {
		return nil, notWorkbook("it is protected by a password")
	}
	r, err := part.Open()
	if err != nil {
		return nil, notWorkbook("a part of it cannot be unpacked")
	}
	e := &elements{book: b, part: r, left: max, size: int64(part.UncompressedSize64)}
	e.d = xml.NewDecoder(e)
	return e, nil
}

// elements reads the XML of one part. No more than left bytes go into it before left is set anew, so that no name, attribute
// or text in it can be larger. Entities are none but XML's own five, and a document type is refused.
type elements struct {
	book  *book
	part  io.ReadCloser
	d     *xml.Decoder
	buf   []byte
	at    int
	left  int64 // bytes that may be read on
	read  int64
	size  int64
	depth int
	err   error // of part
}

func (e *elements) Close() error { return e.part.Close() }

func (e *elements) fill() error {
	if e.err != nil {
		return e.err
	}
	if e.buf == nil {
		e.buf = make([]byte, 0, 32<<10)
	}
	n, err := e.part.Read(e.buf[:cap(e.buf)])
	e.buf, e.at, e.err = e.buf[:n], 0, err
	if e.book.left -= int64(n); e.book.left < 0 {
		e.err = e.book.tooLarge()
		return e.err
	}
	if n == 0 {
		return err
	}
	return nil
}

// ReadByte keeps the decoder from reading ahead.
func (e *elements) ReadByte() (byte, error) {
	for e.at >= len(e.buf) {
		if err := e.fill(); err != nil {
			return 0, err
		}
	}
	if e.left--; e.left < 0 {
		return 0, errBound
	}
	c := e.buf[e.at]
	e.at++
	e.read++
	return c, nil
}

func (e *elements) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := e.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// drain reads the part to its end, where its checksum is proven.
func (e *elements) drain() error {
	for {
		if err := e.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return e.fault(err)
		}
		e.read += int64(len(e.buf))
	}
}

// token is the next element's beginning, end, or text; io.EOF ends a part that is complete.
func (e *elements) token() (xml.Token, error) {
	for {
		t, err := e.d.Token()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil {
			return nil, e.fault(err)
		}
		switch t.(type) {
		case xml.StartElement:
			if e.depth++; e.depth > maxElements {
				return nil, notWorkbook("elements stand too deep in each other")
			}
		case xml.EndElement:
			e.depth--
		case xml.Directive:
			return nil, notWorkbook("a part of it declares a document type")
		case xml.Comment, xml.ProcInst:
			continue
		}
		return t, nil
	}
}

func (e *elements) fault(err error) error {
	var told *protocol.Error
	switch {
	case errors.As(err, &told):
		return told
	case errors.Is(err, errBound):
		return errBound
	}
	return notWorkbook("a part of it is cut off or damaged")
}

// skip passes over an element that has begun.
func (e *elements) skip() error {
	for to := e.depth - 1; e.depth > to; {
		if _, err := e.token(); err != nil {
			return noEnd(err)
		}
	}
	return nil
}

// noEnd is for places where a part may not end.
func noEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return notWorkbook("a part of it is cut off or damaged")
	}
	return err
}

// text is that of an element that has begun.
func (e *elements) text() (string, error) {
	var one []byte
	for to := e.depth - 1; e.depth > to; {
		t, err := e.token()
		if err != nil {
			return "", noEnd(err)
		}
		if c, ok := t.(xml.CharData); ok {
			one = append(one, c...)
		}
	}
	return string(one), nil
}

// attr is an element's attribute; space tells r:id from id.
func attr(el xml.StartElement, name string, space bool) string {
	for _, a := range el.Attr {
		if a.Name.Local == name && (a.Name.Space != "") == space {
			return a.Value
		}
	}
	return ""
}
