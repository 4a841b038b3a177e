package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"

	diff "github.com/google/go-cmp/cmp"

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
				if d := diff.Diff(want, got); d != "" {
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
			if d := diff.Diff(want, seqs); d != "" {
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
			if d := diff.Diff([]protocol.RecordKey{replicatest.Key(4), replicatest.Key(5), replicatest.Key(6)}, keys); d != "" {
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
			if d := diff.Diff([]uint64{1, 4, 5}, archived); d != "" {
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
		off := func(seq int) *protocol.Change { // follows nothing
			h := made[seq-1].Header
			h.Prev = protocol.Sum([]byte("nothing"))
			ch, err := protocol.SignChange(replicatest.RecordSigner("KH"), h, made[seq-1].Body)
			if err != nil {
				t.Fatal(err)
			}
			return ch
		}
		held := func(seq int) *protocol.SignedHeader { return &made[seq-1].SignedHeader }
		add := func(origin protocol.MemberID, a, b *protocol.SignedHeader) (added bool) {
			e, ok := protocol.NewEvidence(a, b)
			if !ok {
				t.Fatalf("%s and %s do not contradict each other", a.Pos, b.Pos)
			}
			update(t, s, func(tx *Tx) (err error) {
				added, err = tx.Origin(origin).AddEvidence(e)
				return err
			})
			return added
		}
		if !add("KH", held(3), &other(3, "a").SignedHeader) || !add("KH", &off(3).SignedHeader, held(2)) { // by prev_hash
			t.Error("news was not taken for news")
		}
		if add("KH", held(3), &other(3, "b").SignedHeader) {
			t.Error("a second pair at a position took the place of the first, or was taken for news")
		}
		view(t, s, func(tx *Tx) error {
			all, err := tx.Origin("KH").Evidence()
			if err != nil || len(all) != 2 {
				t.Fatalf("%d pairs, %v", len(all), err)
			}
			same := []string{held(3).Raw.Short(), other(3, "a").Raw.Short()}
			slices.SortFunc(same, func(a, b string) int { return cmp.Compare(a, b) })
			want := append([]string{held(2).Raw.Short(), off(3).Raw.Short()}, same...)
			got := []string{all[0].A.Raw.Short(), all[0].B.Raw.Short(), all[1].A.Raw.Short(), all[1].B.Raw.Short()}
			if d := diff.Diff(want, got); d != "" {
				t.Error(d)
			}
			for _, e := range all {
				if err := f.Roster.VerifyEvidence(e); err != nil {
					t.Error(err)
				}
			}
			if all, err := tx.Origin("LA").Evidence(); err != nil || all != nil {
				t.Errorf("evidence against nobody: %v, %v", all, err)
			}
			return nil
		})
	})
}

// Whoever forks at every position fills no disk. What is known already stays, and is no news at the bound either.
func TestEvidenceIsBounded(t *testing.T) {
	f := federation(t)
	s := open(t, Config{})
	made := mustAuthor(t, s, f, "AB", puts(0, 70, "first")...)
	mustAuthor(t, s, f, "ABC", puts(0, 1, "first")...)
	news := 0
	for range 2 {
		for _, ch := range made {
			h := ch.Header
			h.Digest = protocol.Sum([]byte("other"))
			other, err := protocol.SignChange(replicatest.RecordSigner("AB"), h, ch.Body)
			if err != nil {
				t.Fatal(err)
			}
			e, _ := protocol.NewEvidence(&ch.SignedHeader, &other.SignedHeader)
			update(t, s, func(tx *Tx) error {
				added, err := tx.Origin("AB").AddEvidence(e)
				if added {
					news++
				}
				return err
			})
		}
	}
	view(t, s, func(tx *Tx) error {
		all, err := tx.Origin("AB").Evidence()
		if len(all) != maxEvidence || news != maxEvidence || all[0].A.Pos.Seq != 1 {
			t.Errorf("%d pairs are kept, %d were news", len(all), news)
		}
		if all, err := tx.Origin("ABC").Evidence(); err != nil || all != nil {
			t.Errorf("they stand against another origin too: %v", err)
		}
		return err
	})
}
