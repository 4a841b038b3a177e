package p2p

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"

	"github.com/asean-tmh/tmh/protocol"
)

const (
	// maxMessage bounds every message but Papers, decompressed.
	maxMessage = protocol.MaxFullRecord + 4<<10
	// maxLength is the bytes of a frame's length: 28 bits, above the largest bound.
	maxLength = 4
	// expansion is what zstd may add to bytes that it cannot compress: a header, and 3 bytes for each 128 KiB.
	expansion = 1 << 10
	window    = 1 << 20 // of the encoder: more than nearly every message has, and bounds its memory
)

// codec compresses and decompresses. It is safe for concurrent use and has no goroutines, so it needs no closing.
type codec struct {
	enc          *zstd.Encoder
	small, large *zstd.Decoder // up to maxMessage, up to protocol.MaxPapers
}

func newCodec() (c *codec, err error) {
	c = new(codec)
	// No checksum: gossip is signed and streams are authenticated.
	c.enc, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithEncoderCRC(false), zstd.WithWindowSize(window),
		zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
	if err != nil {
		return nil, fmt.Errorf("compressor: %w", err)
	}
	if c.small, err = newDecoder(2, maxMessage); err != nil {
		return nil, err
	}
	if c.large, err = newDecoder(1, protocol.MaxPapers); err != nil {
		return nil, err
	}
	return c, nil
}

func newDecoder(concurrency int, bound uint64) (*zstd.Decoder, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(concurrency), zstd.WithDecoderMaxMemory(bound), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("decompressor: %w", err)
	}
	return d, nil
}

// pack appends the zstd frame of b to dst.
func (c *codec) pack(dst, b []byte) []byte { return c.enc.EncodeAll(b, dst) }

// unpack decompresses b into at most bound bytes, whatever b says of itself.
func (c *codec) unpack(b []byte, bound int) ([]byte, error) {
	dec := c.small
	if bound > maxMessage {
		dec = c.large
	}
	out, err := dec.DecodeAll(b, nil)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded), err == nil && len(out) > bound:
		return nil, protocol.Errorf(protocol.CodeTooLarge, "message", "over %d bytes decompressed", bound)
	case err != nil:
		return nil, &protocol.Error{Code: protocol.CodeValue, Field: "message", Message: "is not zstd", Err: err}
	}
	return out, nil
}

// frame is the wire form of message.
func (c *codec) frame(message []byte) []byte {
	buf := make([]byte, maxLength, maxLength+len(message)/2+64)
	buf = c.pack(buf, message)
	var length [binary.MaxVarintLen64]byte
	k := binary.PutUvarint(length[:], uint64(len(buf)-maxLength))
	start := maxLength - k
	copy(buf[start:], length[:k])
	return buf[start:]
}

// readFrame reads the message of one frame, of at most bound bytes decompressed. At the end of r it returns io.EOF, and
// io.ErrUnexpectedEOF within a frame. Other faults of the frame are *protocol.Error.
func (c *codec) readFrame(r *bufio.Reader, bound int) ([]byte, error) {
	length, err := readLength(r)
	if err != nil {
		return nil, err
	}
	if length > uint64(bound+expansion) {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "frame", "%d bytes, at most %d", length, bound+expansion)
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, unexpected(err)
	}
	return c.unpack(b, bound)
}

func readLength(r *bufio.Reader) (v uint64, err error) {
	for i := range maxLength {
		b, err := r.ReadByte()
		if err != nil {
			if i > 0 {
				err = unexpected(err)
			}
			return 0, err
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if v == 0 || (bits.Len64(v)+6)/7 != i+1 {
				return 0, protocol.Errorf(protocol.CodeVarint, "frame", "its length is zero or not in its shortest form")
			}
			return v, nil
		}
	}
	return 0, protocol.Errorf(protocol.CodeTooLarge, "frame", "its length has more than %d bytes", maxLength)
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
