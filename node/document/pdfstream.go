package document

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/pdfcpu/pdfcpu/pkg/filter"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// stream copies a stream, its bytes without what no reader looks at: comments and camera data within pictures, and what
// follows the end of the coded data.
func (c *copier) stream(sd types.StreamDict) (types.Dict, []byte, error) {
	own := maps.Clone(sd.Dict)
	for _, k := range []string{"Length", "Filter", "DecodeParms", "F", "FFilter", "FDecodeParms", "DL"} {
		delete(own, k)
	}
	d, err := c.copyDict(own, false, 0)
	if err != nil {
		return nil, nil, err
	}
	body, filters, err := c.body(sd.Raw, sd.FilterPipeline)
	if err != nil {
		return nil, nil, err
	}
	var names, parms types.Array
	some := false
	for _, f := range filters {
		var p types.Object
		if f.DecodeParms != nil {
			if p, err = c.copyDict(f.DecodeParms, false, 0); err != nil {
				return nil, nil, err
			}
			some = true
		}
		names, parms = append(names, types.Name(f.Name)), append(parms, p)
	}
	if len(names) > 0 {
		d["Filter"] = names
	}
	if some {
		d["DecodeParms"] = parms
	}
	return d, body, nil
}

// body unpacks what only wraps: the last coding stays, or becomes Flate.
func (c *copier) body(raw []byte, filters []types.PDFFilter) ([]byte, []types.PDFFilter, error) {
	if len(filters) == 0 {
		return raw, nil, nil
	}
	unpacked := false
	for len(filters) > 0 {
		f, last := filters[0], len(filters) == 1
		predictor := f.DecodeParms.IntEntry("Predictor")
		predicted := predictor != nil && *predictor > 1
		switch f.Name {
		case filter.Flate:
			if last {
				return c.trimFlate(raw, filters)
			}
			fallthrough
		case filter.LZW:
			if last && predicted {
				return raw, filters, nil
			}
			if predicted {
				return nil, nil, fmt.Errorf("a predictor before another filter")
			}
			fallthrough
		case filter.ASCII85, filter.ASCIIHex, filter.RunLength:
			var err error
			if raw, err = c.unpack(raw, f); err != nil {
				return nil, nil, err
			}
			filters, unpacked = filters[1:], true
		case filter.DCT, filter.JPX, filter.JBIG2, filter.CCITTFax:
			if !last {
				return nil, nil, fmt.Errorf("a picture's filter before another")
			}
			switch f.Name {
			case filter.DCT:
				raw = stripJPEG(raw)
			case filter.JPX:
				raw = stripJPX(raw)
			}
			if len(raw) == 0 {
				return nil, nil, fmt.Errorf("a picture is damaged")
			}
			if unpacked {
				if z := deflate(raw); len(z) < len(raw)*9/10 {
					return z, append(flateOnly(), filters...), nil
				}
			}
			return raw, filters, nil
		default:
			return nil, nil, fmt.Errorf("a filter that is not known")
		}
	}
	return deflate(raw), flateOnly(), nil
}

func flateOnly() []types.PDFFilter { return []types.PDFFilter{{Name: filter.Flate}} }

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b) //nolint:errcheck // a buffer takes everything
	w.Close()  //nolint:errcheck // a buffer takes everything
	return out.Bytes()
}

// spend counts what was unpacked.
func (c *copier) spend(n int) error {
	if c.looked += int64(n); c.looked > maxInflated {
		return errFull
	}
	return c.ctx.Err()
}

func (c *copier) unpack(raw []byte, f types.PDFFilter) ([]byte, error) {
	parms := map[string]int{}
	for _, k := range []string{"EarlyChange"} {
		if n := f.DecodeParms.IntEntry(k); n != nil {
			parms[k] = *n
		}
	}
	decoder, err := filter.NewFilter(f.Name, parms, objectText)
	if err != nil {
		return nil, err
	}
	r, err := decoder.Decode(bytes.NewReader(raw))
	if errors.Is(err, filter.ErrDecodeLimitExceeded) {
		return nil, errFull
	}
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, objectText+1))
	if err == nil && len(out) > objectText {
		err = errFull
	}
	return out, errors.Join(err, c.spend(len(out)))
}

// trimFlate looks where compressed data ends and cuts what follows. Data that breaks off is compressed anew as far as it can
// be read; a reader would show no more of it.
func (c *copier) trimFlate(raw []byte, filters []types.PDFFilter) ([]byte, []types.PDFFilter, error) {
	r := bytes.NewReader(raw)
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, nil, c.spend(0)
	}
	read := 0
	buf := make([]byte, 64<<10)
	for err == nil {
		var n int
		n, err = z.Read(buf)
		read += n
		if err := c.spend(n); err != nil {
			return nil, nil, err
		}
	}
	if errors.Is(err, io.EOF) {
		return raw[:len(raw)-r.Len()], filters, nil
	}
	if read > objectText {
		return nil, nil, errFull
	}
	if z, err = zlib.NewReader(bytes.NewReader(raw)); err != nil {
		return nil, nil, err
	}
	some := make([]byte, read)
	n, _ := io.ReadFull(z, some)
	return deflate(some[:n]), filters, nil
}

// stripJPX removes boxes of JPEG 2000 that do not show, comments, and what follows the picture; nil where it is damaged.
func stripJPX(data []byte) []byte {
	if bytes.HasPrefix(data, []byte("\xFF\x4F")) {
		return stripCodestream(data)
	}
	var out []byte
	for len(data) >= 8 {
		length, head := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		kind := string(data[4:8])
		switch {
		case length == 1 && len(data) >= 16:
			length, head = binary.BigEndian.Uint64(data[8:]), 16
		case length == 0:
			length = uint64(len(data))
		}
		if kind == "jp2c" {
			length = min(length, uint64(len(data)))
		}
		if length < head || length > uint64(len(data)) {
			return nil
		}
		body := data[head:length]
		switch kind {
		case "jp2c":
			if body = stripCodestream(body); body == nil {
				return nil
			}
			out = binary.BigEndian.AppendUint32(out, uint32(8+len(body)))
			return append(append(out, kind...), body...)
		case "jP  ", "ftyp", "jp2h":
			out = binary.BigEndian.AppendUint32(out, uint32(8+len(body)))
			out = append(append(out, kind...), body...)
		}
		data = data[length:]
	}
	return nil
}

func stripCodestream(data []byte) []byte {
	const startOfTile, comment, end = 0xFF90, 0xFF64, 0xFFD9
	if len(data) < 4 || data[0] != 0xFF || data[1] != 0x4F {
		return nil
	}
	out := bytes.Clone(data[:2])
	at := uint64(2)
	for at+4 <= uint64(len(data)) {
		marker, length := binary.BigEndian.Uint16(data[at:]), uint64(binary.BigEndian.Uint16(data[at+2:]))
		if marker == startOfTile {
			break
		}
		if marker < 0xFF00 || length < 2 || at+2+length > uint64(len(data)) {
			return nil
		}
		if marker != comment {
			out = append(out, data[at:at+2+length]...)
		}
		at += 2 + length
	}
	for at+12 <= uint64(len(data)) && binary.BigEndian.Uint16(data[at:]) == startOfTile {
		size := uint64(binary.BigEndian.Uint32(data[at+6:]))
		if size == 0 || at+size > uint64(len(data)) {
			size = uint64(len(data)) - at
			if i := bytes.LastIndex(data[at:], []byte("\xFF\xD9")); i >= 0 {
				size = uint64(i)
			}
		}
		if size < 12 {
			return nil
		}
		out = append(out, data[at:at+size]...)
		at += size
	}
	return append(out, end>>8, end&0xFF)
}
