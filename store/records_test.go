package store

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
)

func TestRecordsAndFeed(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		made := mustAuthor(t, s, f, "KH", puts(0, 10, "first")...)
		made = append(made, mustAuthor(t, s, f, "KH", puts(3, 6, "second")...)...)
		made = append(made, mustAuthor(t, s, f, "KH", draft{protocol.Withdraw, replicatest.Key(7), protocol.Tombstone{Reason: "error"}.Encode()})...)
		proven(t, s, "KH")
		newest := []uint64{1, 2, 3, 7, 9, 10, 11, 12, 13, 14} // 4, 5, 6 were revised, 8 withdrawn
		view(t, s, func(tx *Tx) error {
			o := tx.Origin("KH")
			for above := range uint64(15) {
				var got, want []uint64
				for _, n := range newest {
					if n > above {
						want = append(want, n)
					}
				}
				if err := o.Feed(protocol.Position{Epoch: 1, Seq: above}, func(pos protocol.Position, b []byte) (bool, error) {
					got = append(got, pos.Seq)
					if !bytes.Equal(b, made[pos.Seq-1].Bytes()) {
						t.Errorf("the change at %s is not verbatim", pos)
					}
					return true, nil
				}); err != nil {
					return err
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("feed above %d: %s", above, d)
				}
			}
			var seqs []string
			err := o.Seqs(func(pos protocol.Position, kind protocol.ChangeKind, key protocol.RecordKey) error {
				seqs = append(seqs, fmt.Sprint(pos.Seq, kind, key))
				return nil
			})
			var want []string
			for _, n := range newest {
				want = append(want, fmt.Sprint(n, made[n-1].Kind, made[n-1].RecordKey))
			}
			if d := cmp.Diff(want, seqs); d != "" {
				t.Errorf("index: %s", d)
			}
			return err
		})
		view(t, s, func(tx *Tx) error {
			for _, ch := range made { // of superseded records too
				h, err := tx.Origin("KH").HeaderAt(ch.Pos)
				if err != nil || h == nil || !bytes.Equal(h.Bytes(), ch.SignedHeader.Bytes()) {
					t.Errorf("header at %s: %v", ch.Pos, err)
				}
			}
			if h, err := tx.Origin("KH").HeaderAt(protocol.Position{Epoch: 1, Seq: 99}); h != nil || err != nil {
				t.Errorf("a header where nothing was: %v", err)
			}
			if c, err := tx.Record("KH", "listing/none"); c != nil || err != nil {
				t.Errorf("a record that never was: %v", err)
			}
			var keys []protocol.RecordKey
			err := tx.Records("KH", replicatest.Key(4), func(c *protocol.Change) (bool, error) {
				keys = append(keys, c.RecordKey)
				return len(keys) < 3, nil
			})
			if d := cmp.Diff([]protocol.RecordKey{replicatest.Key(4), replicatest.Key(5), replicatest.Key(6)}, keys); d != "" {
				t.Errorf("a page of records: %s", d)
			}
			return err
		})
	})
}

// What Replace did is told to whoever follows the catalogue.
func TestReplaced(t *testing.T) {
	f := federation(t)
	s := open(t, Config{})
	first := mustAuthor(t, s, f, "KH", puts(0, 2, "first")...)
	node := replicatest.Node{Store: shelf{s, "LA"}, Origin: "KH"} // a copy in the same store
	update(t, s, func(tx *Tx) error {
		o := tx.Origin("LA")
		for _, ch := range first {
			if err := o.Replace(ch, nil); err != nil {
				return err
			}
		}
		old := first[0].Element()
		if err := o.Replace(first[0], &old); err != nil {
			return err
		}
		if len(o.Replaced) != 3 || o.Replaced[0].Old != nil || o.Replaced[2].Old.Raw != first[0].Raw || o.Replaced[2].New != first[0] {
			t.Errorf("replaced: %+v", o.Replaced)
		}
		return nil
	})
	if records, _, err := node.Records(); err != nil || len(records) != 2 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

// Headers of superseded records are kept for EvidenceRing positions and then trimmed, a few at a time.
func TestHeaderRing(t *testing.T) {
	f := federation(t)
	s := open(t, Config{})
	const total = EvidenceRing + 300
	for n := 0; n < total; n += 500 {
		var batch []draft
		for i := n; i < min(n+500, total); i++ {
			batch = append(batch, draft{protocol.Put, replicatest.Key(i % 100), fmt.Append(nil, i)})
		}
		mustAuthor(t, s, f, "KH", batch...)
	}
	made := mustAuthor(t, s, f, "AB", puts(0, 1, "other")...)
	mustAuthor(t, s, f, "AB", puts(0, 1, "other again")...)
	// A record from before the ring, revised now, leaves no header.
	mustAuthor(t, s, f, "LA", draft{protocol.Put, "listing/old", nil})
	for n := 0; n < EvidenceRing+1; n += 512 {
		var batch []draft
		for i := n; i < min(n+512, EvidenceRing+1); i++ {
			batch = append(batch, draft{protocol.Put, replicatest.Key(i % 10), fmt.Append(nil, i)})
		}
		mustAuthor(t, s, f, "LA", batch...)
	}
	mustAuthor(t, s, f, "LA", draft{protocol.Put, "listing/old", []byte("new")})

	has := func(tx *Tx, o protocol.MemberID, seq uint64) bool {
		h, err := tx.Origin(o).HeaderAt(protocol.Position{Epoch: 1, Seq: seq})
		if err != nil {
			t.Error(err)
		}
		return h != nil
	}
	head := protocol.Position{Epoch: 1, Seq: total}
	for round, trimmed := range []uint64{100, 200, 299, 299} { // the edge itself stays
		update(t, s, func(tx *Tx) error { return tx.Origin("KH").TrimHeaders(head, 100) })
		view(t, s, func(tx *Tx) error {
			for seq := uint64(1); seq <= total; seq++ {
				want := seq > trimmed
				if has(tx, "KH", seq) != want {
					t.Fatalf("round %d: header at %d: %v, want %v", round, seq, !want, want)
				}
			}
			return nil
		})
	}
	view(t, s, func(tx *Tx) error {
		if !has(tx, "AB", made[0].Pos.Seq) {
			t.Error("another origin's header was trimmed")
		}
		if has(tx, "LA", 1) {
			t.Error("a header from before the ring was kept")
		}
		return nil
	})
	proven(t, s, "KH")
	proven(t, s, "LA")
}

func TestHeadsAndArchive(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		head := func(origin protocol.MemberID, counter uint64, at protocol.Instant) *protocol.SignedHead {
			h, err := protocol.SignHead(replicatest.RecordSigner(origin), protocol.Head{
				Federation: f.Roster.Federation(), Origin: origin, CharterVersion: 1, CharterHash: f.Roster.Charter().Hash,
				Pos: protocol.Start, Counter: counter, IssuedAt: at, LeaseUntil: at + 86400,
			})
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		const hour = 3600
		for i, at := range []protocol.Instant{10*hour + 1, 10*hour + 600, 11*hour - 1, 11 * hour, 12*hour + 5} {
			update(t, s, func(tx *Tx) error { return tx.Origin("AB").SetHead(head("AB", uint64(i+1), at), at) })
		}
		update(t, s, func(tx *Tx) error { return tx.Origin("ABC").SetHead(head("ABC", 9, 10*hour), 10*hour) })
		view(t, s, func(tx *Tx) error {
			for o, want := range map[protocol.MemberID]uint64{"AB": 5, "ABC": 9} {
				h, err := tx.Origin(o).Head()
				if err != nil || h == nil || h.Counter != want || f.Roster.VerifyHead(h) != nil {
					t.Errorf("head of %s: %+v, %v", o, h, err)
				}
			}
			if h, err := tx.Origin("KH").Head(); h != nil || err != nil {
				t.Errorf("a head of nobody: %v", err)
			}
			var archived []uint64
			prefix := originKey(keyArchive, "AB", 0)
			err := tx.scan(prefix, prefix, func(_, v []byte) (bool, error) {
				h, err := protocol.DecodeHead(bytes.Clone(v))
				if err == nil {
					archived = append(archived, h.Counter)
				}
				return true, err
			})
			if d := cmp.Diff([]uint64{1, 4, 5}, archived); d != "" {
				t.Errorf("the first of every hour: %s", d)
			}
			return err
		})
	})
}

func TestEvidence(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		made := mustAuthor(t, s, f, "KH", puts(0, 3, "first")...)
		other := func(seq int, say string) *protocol.Change {
			h := made[seq-1].Header
			h.Digest = protocol.Sum([]byte(say))
			ch, err := protocol.SignChange(replicatest.RecordSigner("KH"), h, made[seq-1].Body)
			if err != nil {
				t.Fatal(err)
			}
			return ch
		}
		held := func(seq int) *protocol.SignedHeader { return &made[seq-1].SignedHeader }
		update(t, s, func(tx *Tx) error { return tx.Origin("KH").AddEvidence(held(3), &other(3, "a").SignedHeader) })
		update(t, s, func(tx *Tx) error { return tx.Origin("KH").AddEvidence(held(3), &other(3, "b").SignedHeader) })
		update(t, s, func(tx *Tx) error { return tx.Origin("KH").AddEvidence(held(2), &other(3, "c").SignedHeader) }) // by prev_hash
		view(t, s, func(tx *Tx) error {
			pairs, err := tx.Origin("KH").Evidence()
			if err != nil || len(pairs) != 2 {
				t.Fatalf("%d pairs, %v", len(pairs), err)
			}
			want := []string{held(2).Raw.Short(), other(3, "c").Raw.Short(), held(3).Raw.Short(), other(3, "a").Raw.Short()}
			got := []string{pairs[0][0].Raw.Short(), pairs[0][1].Raw.Short(), pairs[1][0].Raw.Short(), pairs[1][1].Raw.Short()}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			for _, h := range append(pairs[0][:], pairs[1][:]...) {
				if err := f.Roster.VerifyHeader(h); err != nil {
					t.Error(err)
				}
			}
			if pairs, err := tx.Origin("LA").Evidence(); err != nil || pairs != nil {
				t.Errorf("evidence against nobody: %v, %v", pairs, err)
			}
			return nil
		})
	})
}
