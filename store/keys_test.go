package store

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

// Whatever their ids and record keys, no origin's range holds a key of another, nor one kind of key another kind.
func TestOriginsShareNoRange(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	origin := func() protocol.MemberID {
		b := []byte{byte('A' + rnd.IntN(2))}
		for range 1 + rnd.IntN(15) {
			b = append(b, "AB01"[rnd.IntN(4)])
		}
		return protocol.MemberID(b)
	}
	anyKey := func() protocol.RecordKey {
		b := make([]byte, rnd.IntN(protocol.MaxRecordKey))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return protocol.RecordKey(b)
	}
	names := []byte{keyRecord, keyRecord - upper}
	singles := []byte{keyGeneration, keyFrontier, keyStaged, keyHead}
	positions := []byte{keySeq, keySeq - upper, keyWithdrawn, keyWithdrawn - upper, keyHeader, keyVoided, keyEvidence, keyArchive}
	prefixes := slices.Concat(names, singles, positions)
	if all := slices.Concat(prefixes, []byte{keyMeta, keyCharter, keyRival, keyCard, keyFull, keyBuried}); len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Fatalf("two kinds of key begin with the same byte: %q", all)
	}
	keysOf := func(o protocol.MemberID) (keys [][]byte) {
		pos := protocol.Position{Epoch: rnd.Uint64(), Seq: rnd.Uint64()}
		for _, p := range names {
			keys = append(keys, recordKey(p, o, anyKey()))
		}
		for _, p := range singles {
			keys = append(keys, originKey(p, o, 0))
		}
		for _, p := range positions {
			keys = append(keys, posKey(p, o, pos))
		}
		return keys
	}
	pairs, contained := 0, 0
	for range 20000 {
		a, b := origin(), origin()
		if rnd.IntN(2) == 0 {
			b = (a + b)[:min(16, len(a)+len(b))]
		}
		if a == b {
			continue
		}
		pairs++
		if strings.HasPrefix(string(b), string(a)) {
			contained++
		}
		for _, key := range append(keysOf(a), keysOf(b)...) {
			of := 0
			for _, o := range []protocol.MemberID{a, b} {
				for _, p := range prefixes {
					if bytes.HasPrefix(key, originKey(p, o, 0)) {
						of++
					}
				}
			}
			if of != 1 {
				t.Fatalf("key %q is in %d ranges of %s and %s", key, of, a, b)
			}
		}
	}
	t.Logf("%d pairs of origins, in %d of which one id begins with the other", pairs, contained)
}

func TestPositionsSort(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	some := func() uint64 { return rnd.Uint64() >> rnd.IntN(64) }
	for range 20000 {
		p, q := protocol.Position{Epoch: some(), Seq: some()}, protocol.Position{Epoch: some(), Seq: some()}
		if rnd.IntN(3) == 0 {
			q.Epoch = p.Epoch
		}
		a, b := posKey(keySeq, "KH", p), posKey(keySeq, "KH", q)
		if got, want := bytes.Compare(a, b), p.Compare(q); got != want {
			t.Fatalf("keys of %s and %s compare as %d, want %d", p, q, got, want)
		}
		if posOf(a) != p {
			t.Fatalf("%s comes back as %s", p, posOf(a))
		}
		if m, n := some(), some(); bytes.Compare(charterKey(m), charterKey(n)) != cmp.Compare(m, n) {
			t.Fatalf("numbers %d and %d do not sort", m, n)
		}
	}
}

// The same through the database: what one origin writes, nobody else reads.
func TestOriginsAreApart(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		sizes := map[protocol.MemberID]int{"AB": 5, "ABC": 7, "KH": 0}
		for o, n := range sizes {
			for i := range n {
				mustAuthor(t, s, f, o, draft{protocol.Put, replicatest.Key(i), nil}, draft{protocol.Put, replicatest.Key(0), []byte(o)})
			}
		}
		for o, n := range sizes {
			view(t, s, func(tx *Tx) error {
				got := 0
				if err := tx.Records(o, "", func(c *protocol.Change) (bool, error) {
					if got++; c.Origin != o {
						t.Errorf("record of %s among those of %s", c.Origin, o)
					}
					return true, nil
				}); err != nil {
					return err
				}
				seqs := 0
				err := tx.Origin(o).Seqs(func(protocol.Position, protocol.ChangeKind, protocol.RecordKey) error { seqs++; return nil })
				if got != n || seqs != n {
					t.Errorf("%s has %d records and %d positions, want %d", o, got, seqs, n)
				}
				return err
			})
		}
	})
}
