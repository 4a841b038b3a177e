package document

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/validate"

	"github.com/asean-tmh/tmh/protocol"
)

// PDFs: read by a library within bounds, then copied object by object into a new file (pdfcopy.go).

// Bounds on what one PDF may make of its bytes.
const (
	maxObjects       = 200_000
	maxObjectStreams = 500
	objectText       = 64 << 20  // bytes that all object streams may hold, inflated
	maxReading       = 512 << 20 // bytes read from the file by any number of objects, which may overlap
	maxInflated      = 2 << 30   // bytes of all streams that are looked through; they are not held
	maxDepth         = 64        // of objects within objects
)

// cleanPDF reads a PDF, writes what its pages show into a new one, and has that one validated.
func cleanPDF(ctx context.Context, data []byte, limits Limits) (*Clean, error) {
	data = data[pdfStart(data):]
	if mentionsEncryption(data) {
		return nil, encrypted()
	}
	x, err := readPDF(ctx, data)
	if err != nil {
		return nil, refusedPDF(err)
	}
	if x.Encrypt != nil || x.E != nil {
		return nil, encrypted()
	}
	c := newCopier(ctx, x.XRefTable, limits)
	out, err := c.document()
	if err != nil {
		return nil, refusedPDF(err)
	}
	again, err := readPDF(ctx, out)
	if err != nil {
		return nil, refusedPDF(fmt.Errorf("read what was written: %w", err))
	}
	if err := validate.XRefTable(again); err != nil {
		return nil, refusedPDF(fmt.Errorf("validate: %w", err))
	}
	if again.PageCount != len(c.pages) {
		return nil, damaged(TypePDF, fmt.Errorf("%d pages of %d", again.PageCount, len(c.pages)))
	}
	return &Clean{Document: Document{Type: TypePDF, Pages: len(c.pages)}, Left: c.leftSorted(), data: out}, nil
}

func encrypted() error {
	return protocol.Errorf(protocol.CodeValue, "file", "the PDF is encrypted, so nobody can see what it holds: save it without a password or restrictions and send that")
}

// mentionsEncryption looks for the entry of a trailer, which pdfcpu overlooks where it is no reference.
func mentionsEncryption(data []byte) bool {
	for {
		_, after, found := bytes.Cut(data, []byte("/Encrypt"))
		if !found {
			return false
		}
		if len(after) == 0 || bytes.IndexByte([]byte(" \t\r\n\f\x00/<"), after[0]) >= 0 {
			return true
		}
		data = after
	}
}

// refusedPDF hides the reasons of libraries, which may quote the document, from people, and keeps ours.
func refusedPDF(err error) error {
	var ours *protocol.Error
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.Is(err, pdfcpu.ErrWrongPassword), errors.Is(err, pdfcpu.ErrEncrypted):
		return encrypted()
	case errors.Is(err, errFull):
		return protocol.Errorf(protocol.CodeTooLarge, "file", "the PDF holds too much once it is unpacked: save it anew in a simpler form, or send it in parts")
	}
	return damaged(TypePDF, err)
}

// readPDF has the file parsed. pdfcpu gets its whole configuration from here, so that it looks for none on the disk; it reads
// from memory, and never beyond the network's edge.
func readPDF(ctx context.Context, data []byte) (*model.Context, error) {
	streams := objectStreams(data)
	if streams > maxObjectStreams {
		return nil, errFull
	}
	return pdfcpu.ReadWithContext(ctx, &meter{ctx: ctx, Reader: bytes.NewReader(data), left: maxReading}, &model.Configuration{
		Reader15: true, ValidationMode: model.ValidationRelaxed, Eol: types.EolLF, Cmd: model.VALIDATE, Offline: true,
		Limits: model.ResourceLimits{
			MaxStreamBytes: int64(len(data)), MaxDecodeBytes: max(objectText/int64(max(streams, 4)), 512<<10), MaxImagePixels: 1, MaxImageBytes: 1,
			MaxObjectCount: maxObjects, MaxObjectStreamCount: maxObjects, MaxObjectStreamFirst: 4 << 20,
			MaxXRefEntries: maxObjects, MaxRecursionDepth: maxDepth,
		},
	})
}

// objectStreams counts what can be an object stream, whose contents pdfcpu unpacks into memory; names may be written with
// escapes.
func objectStreams(data []byte) (n int) {
	for {
		i := bytes.IndexByte(data, '/')
		if i < 0 {
			return n
		}
		data = data[i+1:]
		end := bytes.IndexAny(data[:min(len(data), 3*len("ObjStm")+1)], "/<>[]()%{}\x00\t\n\f\r ")
		if end < 0 {
			end = min(len(data), 3*len("ObjStm"))
		}
		if name := string(data[:end]); name == "ObjStm" {
			n++
		} else if bytes.IndexByte(data[:end], '#') >= 0 {
			if plain, err := types.DecodeName(name); err == nil && plain == "ObjStm" {
				n++
			}
		}
	}
}

// meter ends a parser that goes round in circles or has one stretch of the file read as many objects.
type meter struct {
	*bytes.Reader
	ctx  context.Context
	left int64
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.Reader.Read(p)
	if m.left -= int64(n); m.left < 0 {
		return 0, errFull
	}
	return n, err
}

// WriteTo would pass by the meter.
func (m *meter) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{m})
}
