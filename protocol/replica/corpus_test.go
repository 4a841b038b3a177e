package replica_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
)

// mapSet holds an origin's records in maps.
type mapSet struct {
	newest  map[protocol.RecordKey]protocol.Element
	headers map[protocol.Position]*protocol.SignedHeader
	bodies  map[protocol.Hash][]byte // of changes that opened epochs
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
	if c.Kind == protocol.OpenEpoch {
		s.bodies[c.BodyHash] = c.Body
	}
	return nil
}

func (s *mapSet) Withdrawn(upTo uint64, limit int) (all []protocol.Element, err error) {
	for _, e := range s.newest {
		if e.Kind == protocol.Withdraw && e.Pos.Seq <= upTo {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b protocol.Element) int { return a.Pos.Compare(b.Pos) })
	return all[:min(len(all), limit)], nil
}

func (s *mapSet) Drop(e protocol.Element) error {
	delete(s.newest, e.Key)
	return nil
}

func (s *mapSet) Opening(epoch uint64) (*protocol.Opening, error) {
	e, ok := s.newest[protocol.EpochKey(epoch)]
	if !ok {
		return nil, nil
	}
	o, err := protocol.DecodeOpening(s.bodies[e.Body])
	if err != nil {
		return nil, err
	}
	return &o.Opening, nil
}

// feed is protocol/testdata/feed*.json: see the types of the same names in protocol's tests.
type feed struct {
	Origin  protocol.MemberID
	Changes []struct {
		About    string
		Position protocol.Position
		Bytes    string
		Count    uint64
		Digest   protocol.Hash `json:"state_digest"`
	}
	Void    []string
	Refused []struct {
		About   string
		After   int
		Void    int
		Erased  bool `json:"headers_erased"`
		Bytes   string
		Refused protocol.Code
	}
	Pulls []struct {
		About   string
		After   int
		Void    int
		Head    string
		Changes []string
		Refused protocol.Code
	}
	Asked []struct {
		About   string
		Request string
		Refused protocol.Code
	}
}

// eachFeed runs a test with every feed of the corpus.
func eachFeed(t *testing.T, test func(t *testing.T, f feed)) {
	paths, err := filepath.Glob("../testdata/feed*.json")
	if err != nil || len(paths) < 4 {
		t.Fatalf("found %d feeds of the corpus (%v)", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var f feed
			b, err := os.ReadFile(path)
			if err == nil {
				err = json.Unmarshal(b, &f)
			}
			if err != nil || len(f.Changes) == 0 || len(f.Refused) == 0 || len(f.Pulls) == 0 || len(f.Asked) == 0 {
				t.Fatalf("read the feed: %v", err)
			}
			test(t, f)
		})
	}
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

// applied is a copy after the first n changes, and then the first void ones.
func applied(t *testing.T, f feed, n, void int) (*replica.Copy, *mapSet) {
	t.Helper()
	c := replica.New(f.Origin)
	set := &mapSet{make(map[protocol.RecordKey]protocol.Element), make(map[protocol.Position]*protocol.SignedHeader), make(map[protocol.Hash][]byte)}
	var all []string
	for _, step := range f.Changes[:n] {
		all = append(all, step.Bytes)
	}
	for i, s := range append(all, f.Void[:void]...) {
		if err := c.Next(set, decode(t, s, protocol.DecodeChange)); err != nil {
			t.Fatalf("change %d: %v", i+1, err)
		}
	}
	return c, set
}

func TestCorpusFeed(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		for i, step := range f.Changes {
			c, set := applied(t, f, i+1, 0)
			if c.Proven != step.Position || c.Count != step.Count || c.Digest() != step.Digest || int(c.Count) != len(set.newest) {
				t.Errorf("%s: at %s with %d records and %s, want %s with %d and %s", step.About, c.Proven, c.Count, c.Digest(),
					step.Position, step.Count, step.Digest)
			}
		}
	})
}

func TestCorpusRefused(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		for _, x := range f.Refused {
			t.Run(x.About, func(t *testing.T) {
				c, set := applied(t, f, x.After, x.Void)
				if x.Erased {
					clear(set.headers)
				}
				err := c.Next(set, decode(t, x.Bytes, protocol.DecodeChange))
				wantCode(t, err, x.Refused)
			})
		}
	})
}

// wantCode also wants evidence exactly where a fork is refused.
func wantCode(t *testing.T, err error, want protocol.Code) {
	t.Helper()
	if got := protocol.CodeOf(err); got != want {
		t.Errorf("refused as %q, want %q: %v", got, want, err)
	}
	var fork *replica.ForkError
	if got := errors.As(err, &fork); got != (want == protocol.CodeFork) {
		t.Errorf("evidence of a fork: %v", got)
	}
}

func TestCorpusPulls(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		end, want := applied(t, f, len(f.Changes), 0)
		for _, x := range f.Pulls {
			t.Run(x.About, func(t *testing.T) {
				c, set := applied(t, f, x.After, x.Void)
				head := decode(t, x.Head, protocol.DecodeSignedHeader)
				var changes []*protocol.Change
				for _, s := range x.Changes {
					changes = append(changes, decode(t, s, protocol.DecodeChange))
				}
				proven, err := c.Draw(set, head, changes, true)
				wantCode(t, err, x.Refused)
				if err != nil || x.Refused != "" {
					return
				}
				if !proven || c.Proven != head.Pos || c.Digest() != head.Digest || c.CatchingUp() {
					t.Errorf("not proven at %s", head.Pos)
				}
				if head.Pos == end.Proven && !maps.Equal(set.newest, want.newest) {
					t.Error("other records than by gossip")
				}
			})
		}
	})
}

// A holder who applied everything says whether the feed may begin.
func TestCorpusAsked(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		c, set := applied(t, f, len(f.Changes), 0)
		for _, x := range f.Asked {
			t.Run(x.About, func(t *testing.T) {
				wantCode(t, c.Verdict(set, decode(t, x.Request, protocol.DecodeRequest)), x.Refused)
			})
		}
	})
}
