package p2p

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/asean-tmh/tmh/protocol"
)

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

// A request must name whom it is for: nothing is answered to who has no entitlement.
func TestRecordWantsAnEntitlement(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB")
	a := f.open("AA")
	a.SetRoster(f.roster(f.card("AA"), f.card("BB")))
	a.desk.one("full")
	for _, svc := range a.services(a.desk) {
		if svc.id != recordProtocol {
			continue
		}
		for name, request := range map[string][]byte{
			"none": nil, "a record key": appendField(nil, 1, []byte("listing/a")), "a hash alone": appendField(nil, 2, make([]byte, 32)),
			"two": append((&recordRequest{entitlement: f.entitlement("BB", "AA")}).encode(), (&recordRequest{entitlement: f.entitlement("BB", "AA")}).encode()...),
		} {
			s := &tape{in: bytes.NewReader(nil)}
			if err := svc.answer(t.Context(), "BB", request, a.newWire(s)); !errors.Is(err, errRefused) || s.out > 0 {
				t.Errorf("%s: sent %d bytes and %v", name, s.out, err)
			}
		}
		s := &tape{in: bytes.NewReader(nil)}
		if err := svc.answer(t.Context(), "BB", (&recordRequest{entitlement: f.entitlement("BB", "AA")}).encode(), a.newWire(s)); err != nil || s.out == 0 {
			t.Errorf("with one: sent %d bytes and %v", s.out, err)
		}
	}
}

// The tap hears all that others send, decompressed: gossip, requests and answers.
func TestTap(t *testing.T) {
	f := newFederation(t, "test", "AA", "BB")
	a, b := f.open("AA"), f.open("BB")
	var mu sync.Mutex
	heardBy := map[string][]byte{}
	for _, n := range []*node{a, b} {
		n.Tap(func(from protocol.MemberID, where string, m []byte) {
			mu.Lock()
			defer mu.Unlock()
			k := string(n.id) + " from " + string(from) + " " + where
			heardBy[k] = append(heardBy[k], m...)
		})
	}
	f.introduce(a, b)
	f.run(a)
	f.run(b)
	await(t, a.desk.up, "BB")
	await(t, b.desk.up, "AA")
	heard(t, b.Net, "changes", 1)
	secret := strings.Repeat("secret ", 40)
	change, err := protocol.SignChange(f.recordKey("BB"), f.header("BB", 1), []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.PublishChanges(t.Context(), []*protocol.Change{change}); err != nil {
		t.Fatal(err)
	}
	receive(t, a.desk.changes)
	b.desk.one(secret)
	if got, err := f.fetchOne(t.Context(), a, "BB"); err != nil || got != secret {
		t.Fatalf("%q, %v", got, err)
	}
	mu.Lock()
	defer mu.Unlock()
	for k, want := range map[string][]byte{
		"AA from BB " + topicName(f.charter.FederationID(), "changes"): []byte(secret),
		"AA from BB " + recordProtocol:                                 []byte(secret),
		"BB from AA " + recordProtocol:                                 f.entitlement("AA", "BB").Bytes(),
		"AA from BB gossip":                                            []byte(topicName(f.charter.FederationID(), "heads")),
	} {
		if !bytes.Contains(heardBy[k], want) {
			t.Errorf("%s: not heard in %d bytes", k, len(heardBy[k]))
		}
	}
}
