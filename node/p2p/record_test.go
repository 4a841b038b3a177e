package p2p

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/asean-tmh/tmh/protocol"
)

var _ Library = (*desk)(nil)

func TestParts(t *testing.T) {
	f, a, b := pair(t)
	e := f.entitlement("AA", "BB")
	whole := random(protocol.MaxFullRecord)
	three := [][]byte{whole[:1], whole[1:100], whole[100:]}
	for _, tt := range []struct {
		name   string
		answer *protocol.RecordAnswer
		err    error
		want   protocol.RecordAnswer
	}{
		{"three", &protocol.RecordAnswer{Parts: three}, nil, protocol.RecordAnswer{Parts: three}},
		{"invited", &protocol.RecordAnswer{Parts: three[:1], Listing: whole[:protocol.MaxBody]}, nil,
			protocol.RecordAnswer{Parts: three[:1], Listing: whole[:protocol.MaxBody]}},
		{"none", new(protocol.RecordAnswer), nil, protocol.RecordAnswer{}},
		{"refused", nil, &protocol.Error{Code: protocol.CodeNotPermitted, Message: "not for you", Err: errors.New("secret")},
			protocol.RecordAnswer{Refused: protocol.Errorf(protocol.CodeNotPermitted, "", "not for you")}},
		{"fault", nil, errors.New("secret"), protocol.RecordAnswer{Refused: protocol.Errorf(protocol.CodeInternal, "", "internal fault")}},
		{"too large", &protocol.RecordAnswer{Parts: [][]byte{whole, {1}}}, nil, protocol.RecordAnswer{Refused: protocol.Errorf(protocol.CodeInternal, "", "internal fault")}},
		{"too many", &protocol.RecordAnswer{Parts: [][]byte{{1}, {1}, {1}, {1}, {1}}}, nil, protocol.RecordAnswer{Refused: protocol.Errorf(protocol.CodeInternal, "", "internal fault")}},
	} {
		b.desk.serve(func(from protocol.MemberID, x *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
			if from != "AA" || !bytes.Equal(x.Bytes(), e.Bytes()) {
				t.Errorf("%s: asked by %s with another entitlement", tt.name, from)
			}
			return tt.answer, tt.err
		}, nil)
		got, err := a.FetchParts(t.Context(), "BB", e)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if !slices.EqualFunc(got.Parts, tt.want.Parts, bytes.Equal) || !bytes.Equal(got.Listing, tt.want.Listing) {
			t.Errorf("%s: got %d parts and %d bytes of a listing", tt.name, len(got.Parts), len(got.Listing))
		}
		if g, w := got.Refused, tt.want.Refused; (g == nil) != (w == nil) || g != nil && *g != *w {
			t.Errorf("%s: refused with %v, want %v", tt.name, g, w)
		}
	}
	if _, err := a.FetchParts(t.Context(), "CC", e); protocol.CodeOf(err) != protocol.CodeUnavailable {
		t.Errorf("member that is not connected: %v", err)
	}
}

func TestDocument(t *testing.T) {
	f, a, b := pair(t)
	e := f.entitlement("AA", "BB")
	for _, size := range []int{0, 1, maxChunk - 1, maxChunk, maxChunk + 1, 5*maxChunk + 7} {
		document := random(size)
		b.desk.serve(nil, func(from protocol.MemberID, _ *protocol.SignedEntitlement, h protocol.Hash) (io.ReadCloser, error) {
			if from != "AA" || h != protocol.Sum(document) {
				t.Errorf("asked by %s for %s", from, h)
			}
			return io.NopCloser(bytes.NewReader(document)), nil
		})
		var got []byte
		refused, err := a.FetchDocument(t.Context(), "BB", e, protocol.Sum(document), uint64(size), func(b []byte) error { got = append(got, b...); return nil })
		if err != nil || refused != nil || !bytes.Equal(got, document) {
			t.Errorf("%d bytes: got %d, refused with %v, %v", size, len(got), refused, err)
		}
		if size == 0 {
			continue
		}
		got = nil
		if _, err = a.FetchDocument(t.Context(), "BB", e, protocol.Sum(document), uint64(size-1), func(b []byte) error { got = append(got, b...); return nil }); protocol.CodeOf(err) != protocol.CodeTooLarge || len(got) >= size {
			t.Errorf("%d bytes, one over the bound: got %d and %v", size, len(got), err)
		}
	}
}

// What is not the document that was asked for is never complete.
func TestForgedDocument(t *testing.T) {
	f, a, b := pair(t)
	e, true_, forged := f.entitlement("AA", "BB"), random(3*maxChunk), random(3*maxChunk)
	fetch := func() (n int, refused *protocol.Error, err error) {
		refused, err = a.FetchDocument(t.Context(), "BB", e, protocol.Sum(true_), 3*maxChunk, func(b []byte) error { n += len(b); return nil })
		return n, refused, err
	}
	give := func(r io.Reader, err error) {
		b.desk.serve(nil, func(protocol.MemberID, *protocol.SignedEntitlement, protocol.Hash) (io.ReadCloser, error) {
			return io.NopCloser(r), err
		})
	}
	give(bytes.NewReader(forged), nil)
	if n, _, err := fetch(); protocol.CodeOf(err) != protocol.CodeBody || n > 2*maxChunk {
		t.Errorf("another one: %d bytes and %v", n, err)
	}
	give(bytes.NewReader(true_[:2*maxChunk]), nil)
	if n, _, err := fetch(); protocol.CodeOf(err) != protocol.CodeBody || n > maxChunk {
		t.Errorf("cut off: %d bytes and %v", n, err)
	}
	give(io.MultiReader(bytes.NewReader(true_[:maxChunk+1]), iotest.ErrReader(errors.New("secret"))), nil)
	if n, _, err := fetch(); err == nil || n > maxChunk {
		t.Errorf("a fault in the middle: %d bytes and %v", n, err)
	}
	give(nil, protocol.Errorf(protocol.CodeNotFound, "", "no such document"))
	if n, refused, err := fetch(); err != nil || refused == nil || refused.Code != protocol.CodeNotFound || n > 0 {
		t.Errorf("refused: %d bytes, %v and %v", n, refused, err)
	}
	enough := errors.New("enough")
	give(bytes.NewReader(true_), nil)
	if _, err := a.FetchDocument(t.Context(), "BB", e, protocol.Sum(true_), 3*maxChunk, func([]byte) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want the callback's error", err)
	}
	for name, messages := range map[string][]*recordReply{
		"byte by byte":      {{chunk: true_[:1]}, {chunk: true_[1:2]}},
		"parts":             {{parts: [][]byte{true_[:10]}}},
		"refusal, too late": {{chunk: true_[:maxChunk]}, {refused: protocol.Errorf(protocol.CodeNotFound, "", "")}},
		"empty":             {{}},
		"end with a piece":  {{chunk: true_[:1], last: true}},
	} {
		b.host.SetStreamHandler(recordProtocol, func(s network.Stream) {
			_, _ = io.Copy(io.Discard, s)
			for _, m := range messages {
				_, _ = s.Write(b.zip.frame(m.encode()))
			}
			_ = s.Close()
		})
		if n, _, err := fetch(); protocol.CodeOf(err) != protocol.CodeValue || n > maxChunk {
			t.Errorf("%s: %d bytes and %v", name, n, err)
		}
	}
}

// bare is a handler that is no Library.
type bare struct{ Handler }

func TestWithoutLibrary(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB")
	a := f.open("AA")
	a.SetRoster(f.roster(f.card("AA"), f.card("BB")))
	s := &tape{in: bytes.NewReader(nil)}
	r := &recordRequest{entitlement: f.entitlement("BB", "AA")}
	if err := a.answerRecord(t.Context(), bare{a.desk}, "BB", r, a.newWire(s)); err != nil || s.out == 0 {
		t.Errorf("sent %d bytes: %v", s.out, err)
	}
}
