package p2p

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
)

func FuzzReadFrame(f *testing.F) {
	zip, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range [][]byte{nil, []byte("message"), make([]byte, 300), make([]byte, 70<<10)} {
		f.Add(zip.frame(b))
	}
	f.Add([]byte{})
	f.Add([]byte{0})
	f.Add([]byte{0xff, 0xff, 0xff, 0x7f})
	f.Add(append(zip.frame([]byte("one")), zip.frame([]byte("two"))...))
	const bound = 64 << 10
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		for {
			m, err := zip.readFrame(r, bound)
			if err != nil {
				var e *protocol.Error
				if !errors.As(err, &e) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("an error of no known kind: %v", err)
				}
				return
			}
			if len(m) > bound {
				t.Fatalf("%d bytes, over the bound", len(m))
			}
			again, err := zip.readFrame(bufio.NewReader(bytes.NewReader(zip.frame(m))), bound)
			if err != nil || !bytes.Equal(m, again) {
				t.Fatalf("a frame of the same message is not read back: %v", err)
			}
		}
	})
}

func TestFrameAtItsBound(t *testing.T) {
	zip, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 127, 128, protocol.MaxAnswer, maxMessage, protocol.MaxPapers} {
		for name, m := range map[string][]byte{"zeros": make([]byte, size), "noise": random(size)} {
			got, err := zip.readFrame(bufio.NewReader(bytes.NewReader(zip.frame(m))), max(size, 1))
			if err != nil || !bytes.Equal(got, m) {
				t.Errorf("%d bytes of %s: %v", size, name, err)
			}
			if size > 1 {
				if _, err := zip.readFrame(bufio.NewReader(bytes.NewReader(zip.frame(m))), size-1); protocol.CodeOf(err) != protocol.CodeTooLarge {
					t.Errorf("%d bytes of %s, one over the bound: %v", size, name, err)
				}
			}
		}
	}
}

func FuzzMessages(f *testing.F) {
	f.Add(encodePapersRequest(0))
	f.Add(encodePapersRequest(1 << 63))
	f.Add(appendField(nil, 1, []byte("listing/a")))
	fed := newFederation(f, "test", "AA", "BB")
	f.Add((&recordRequest{entitlement: fed.entitlement("AA", "BB")}).encode())
	f.Add((&recordRequest{entitlement: fed.entitlement("AA", "BB"), document: protocol.Hash{1}}).encode())
	f.Add((&recordReply{parts: [][]byte{[]byte("x"), []byte("y")}, listing: []byte("z")}).encode())
	f.Add((&recordReply{chunk: []byte("x")}).encode())
	f.Add((&recordReply{last: true}).encode())
	f.Add((&recordReply{refused: protocol.Errorf(protocol.CodeNotFound, "", "nothing there")}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if from, err := decodePapersRequest(b); err == nil && !bytes.Equal(encodePapersRequest(from), b) {
			t.Error("a request for papers in two forms")
		}
		if r, err := decodeRecordRequest(b); err == nil && !bytes.Equal(r.encode(), b) {
			t.Error("a request for a record in two forms")
		}
		if r, err := decodeRecordReply(b); err == nil && !bytes.Equal(r.encode(), b) {
			t.Error("a reply in two forms")
		}
	})
}
