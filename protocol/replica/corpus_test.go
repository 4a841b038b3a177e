package replica_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// mapSet holds an origin's records in maps.
type mapSet struct {
	newest  map[protocol.RecordKey]protocol.Element
	headers map[protocol.Position]*protocol.SignedHeader
}

func (s *mapSet) Newest(key protocol.RecordKey) (protocol.Element, bool, error) {
	e, ok := s.newest[key]
	return e, ok, nil
}

func (s *mapSet) HeaderAt(pos protocol.Position) (*protocol.SignedHeader, error) {
	return s.headers[pos], nil
}

func (s *mapSet) Replace(c *protocol.Change, _ *protocol.Element) error {
	s.newest[c.RecordKey], s.headers[c.Pos] = c.Element(), &c.SignedHeader
	return nil
}

// feed is protocol/testdata/feed.json: see the types of the same names in protocol's tests.
type feed struct {
	Origin  protocol.MemberID
	Changes []struct {
		About    string
		Position protocol.Position
		Bytes    string
		Count    uint64
		Digest   protocol.Hash `json:"state_digest"`
	}
	Refused []struct {
		About   string
		After   int
		Erased  bool `json:"headers_erased"`
		Bytes   string
		Refused protocol.Code
	}
	Pulls []struct {
		About   string
		After   int
		Head    string
		Changes []string
		Refused protocol.Code
	}
}

func readFeed(t *testing.T) (f feed) {
	b, err := os.ReadFile("../testdata/feed.json")
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil || len(f.Changes) == 0 {
		t.Fatalf("read the feed of the corpus: %v", err)
	}
	return f
}

// decode reads the bytes of a change, or of a signed header alone.
func decode[T any](t *testing.T, s string, how func([]byte) (T, error)) T {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	v, err := how(b)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	return v
}

// applied is a copy after the first n changes.
func applied(t *testing.T, f feed, n int) (*replica.Copy, *mapSet) {
	t.Helper()
	c := replica.New(f.Origin)
	set := &mapSet{make(map[protocol.RecordKey]protocol.Element), make(map[protocol.Position]*protocol.SignedHeader)}
	for _, step := range f.Changes[:n] {
		if err := c.Next(set, decode(t, step.Bytes, protocol.DecodeChange)); err != nil {
			t.Fatalf("%s: %v", step.About, err)
		}
	}
	return c, set
}

func TestCorpusFeed(t *testing.T) {
	f := readFeed(t)
	for i, step := range f.Changes {
		c, _ := applied(t, f, i+1)
		if c.Proven != step.Position || c.Count != step.Count || c.Digest() != step.Digest {
			t.Errorf("%s: at %s with %d records and %s, want %s with %d and %s", step.About, c.Proven, c.Count, c.Digest(),
				step.Position, step.Count, step.Digest)
		}
	}
}

func TestCorpusRefused(t *testing.T) {
	f := readFeed(t)
	for _, x := range f.Refused {
		t.Run(x.About, func(t *testing.T) {
			c, set := applied(t, f, x.After)
			if x.Erased {
				clear(set.headers)
			}
			err := c.Next(set, decode(t, x.Bytes, protocol.DecodeChange))
			if got := protocol.CodeOf(err); got != x.Refused {
				t.Errorf("refused as %q, want %q: %v", got, x.Refused, err)
			}
			var fork *replica.ForkError
			if got := errors.As(err, &fork); got != (x.Refused == protocol.CodeFork) {
				t.Errorf("evidence of a fork: %v", got)
			}
		})
	}
}

func TestCorpusPulls(t *testing.T) {
	f := readFeed(t)
	end, want := applied(t, f, len(f.Changes))
	for _, x := range f.Pulls {
		t.Run(x.About, func(t *testing.T) {
			c, set := applied(t, f, x.After)
			head := decode(t, x.Head, protocol.DecodeSignedHeader)
			var changes []*protocol.Change
			for _, s := range x.Changes {
				changes = append(changes, decode(t, s, protocol.DecodeChange))
			}
			err := c.Draw(set, head, changes, true)
			if got := protocol.CodeOf(err); got != x.Refused {
				t.Fatalf("refused as %q, want %q: %v", got, x.Refused, err)
			}
			if err != nil {
				return
			}
			if c.Proven != head.Pos || c.Digest() != head.Digest || c.CatchingUp() {
				t.Errorf("not proven at %s", head.Pos)
			}
			if head.Pos == end.Proven && !maps.Equal(set.newest, want.newest) {
				t.Error("other records than by gossip")
			}
		})
	}
}
